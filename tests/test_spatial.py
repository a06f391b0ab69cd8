"""Space: weights, Moran, Getis-Ord and the scan against known values, esda, brute force and identities."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from clusterbook.data.regions import Regions
from clusterbook.errors import ClusterbookError
from clusterbook.measures.points import in_metres, on_sphere
from clusterbook.measures.scan import spatial_scan
from clusterbook.measures.spatial import (
    adjusted_p,
    bivariate_local_moran,
    bivariate_moran,
    getis_ord,
    local_moran,
    morans_i,
    neighbour_mean,
    strong_neighbour,
)
from clusterbook.measures.weights import (
    centres,
    contiguity,
    distance_band,
    k_nearest,
    row_standardised,
    weights_matrix,
)

# Six regions in a line; values as R's spdep 1.2-7 gives them.
LINE = sparse.csr_array(np.eye(6, k=1) + np.eye(6, k=-1))
Y = np.array([[1.0], [2], [3], [5], [8], [13]])


def grid(side: int) -> Regions:
    """Make side x side unit squares, coded '00', '01' ... row by row."""
    squares = {f"{r}{c}": shapely.to_wkb(shapely.box(c, r, c + 1, r + 1)) for r in range(side) for c in range(side)}
    return Regions(pl.DataFrame({"region": list(squares), "name": list(squares)}), geometry=squares)


def scattered(count: int = 60, neighbours: int = 5, seed: int = 3) -> tuple[np.ndarray, Any]:
    points = np.random.default_rng(seed).uniform(0, 100_000, (count, 2))
    return points, k_nearest(points, neighbours)


# ---------------------------------------------------------------------------------------------------------- weights


def test_contiguity_of_a_grid() -> None:
    codes = sorted(grid(3).geometry)
    rook = contiguity(grid(3), codes, rule="rook").toarray()
    queen = contiguity(grid(3), codes).toarray()
    assert rook.sum(axis=1).tolist() == [2, 3, 2, 3, 4, 3, 2, 3, 2]
    assert queen.sum(axis=1).tolist() == [3, 5, 3, 5, 8, 5, 3, 5, 3]
    assert (rook == rook.T).all() and (queen == queen.T).all() and not queen.diagonal().any()
    assert contiguity(grid(3), ["00", "22"]).nnz == 0


def test_contiguity_across_a_gap() -> None:
    shapes = {"A": shapely.to_wkb(shapely.box(0, 0, 1, 1)), "B": shapely.to_wkb(shapely.box(1.001, 0, 2, 1))}
    regions = Regions(pl.DataFrame({"region": ["A", "B"], "name": ["A", "B"]}), geometry=shapes)
    assert contiguity(regions, ["A", "B"]).nnz == 0
    assert contiguity(regions, ["A", "B"], gap=0.01).nnz == 2
    with pytest.raises(ClusterbookError, match="use rule='queen'"):
        contiguity(regions, ["A", "B"], rule="rook", gap=0.01)


def test_contiguity_says_which_regions_have_no_shape() -> None:
    with pytest.raises(ClusterbookError, match=r"1 of 2 regions have no shape: nowhere\. Leave them out"):
        contiguity(grid(2), ["00", "nowhere"])
    with pytest.raises(ClusterbookError, match="'queen' or 'rook'"):
        contiguity(grid(2), ["00"], rule="bishop")  # type: ignore[arg-type]


def test_centres_lie_within_their_regions() -> None:
    ring = shapely.box(0, 0, 10, 10).difference(shapely.box(1, 1, 9, 9))
    regions = Regions(pl.DataFrame({"region": ["R"], "name": ["R"]}), geometry={"R": shapely.to_wkb(ring)})
    found = centres(regions, ["R"])
    assert found.shape == (1, 2)
    assert shapely.contains_xy(ring, *found[0])
    np.testing.assert_allclose(centres(grid(2), ["01", "10"]), [[1.5, 0.5], [0.5, 1.5]])


def test_k_nearest_against_all_distances() -> None:
    points, W = scattered()
    distance = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(distance, np.inf)
    expected = np.argsort(distance, axis=1)[:, :5]
    for row, nearest in enumerate(expected):
        assert sorted(W.toarray()[row].nonzero()[0]) == sorted(nearest)


def test_k_nearest_when_many_share_a_place() -> None:
    W = k_nearest(np.full((5, 2), 1000.0), 2).toarray()
    assert W.sum(axis=1).tolist() == [2] * 5
    assert not W.diagonal().any()
    with pytest.raises(ClusterbookError, match="choose k from 1 to 4"):
        k_nearest(np.full((5, 2), 1000.0), 5)


def test_distance_band_includes_its_end() -> None:
    points = [[0, 0], [3000, 4000], [3000, 4001]]
    assert distance_band(points, 5000).toarray().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert distance_band(points, 5000, power=2)[0, 1] == pytest.approx(5000.0**-2)
    assert distance_band(points, 0.5).nnz == 0
    with pytest.raises(ClusterbookError, match="Two points coincide"):
        distance_band([[1000, 0], [1000, 0]], 10, power=1)
    with pytest.raises(ClusterbookError, match="reach has to be positive"):
        distance_band(points, 0)


def test_degrees_are_refused_and_turned_into_metres() -> None:
    with pytest.raises(ClusterbookError, match=r"longitudes and latitudes.*on_sphere"):
        k_nearest([[13.4, 52.5], [11.6, 48.1], [9.9, 53.5]], 1)
    berlin, munich, hamburg = on_sphere([[13.4, 52.5], [11.6, 48.1], [9.9, 53.5]])
    assert np.linalg.norm(berlin - munich) == pytest.approx(505_900, rel=1e-3)
    assert np.linalg.norm(berlin - hamburg) == pytest.approx(260_300, rel=1e-2)
    with pytest.raises(ClusterbookError, match="latitude to ±90"):
        on_sphere([[0, 91]])
    with pytest.raises(ClusterbookError, match=r"1 of 2 points have missing coordinates"):
        in_metres([[np.nan, 0], [1000, 0]])
    with pytest.raises(ClusterbookError, match=r"shape \(3,\)"):
        in_metres([1000, 2, 3])


def test_weights_that_are_none_are_refused() -> None:
    with pytest.raises(ClusterbookError, match="neighbours of themselves"):
        local_moran(Y, np.eye(6))
    with pytest.raises(ClusterbookError, match="negative, missing or infinite"):
        weights_matrix(np.array([[0, -1], [1, 0]]))
    with pytest.raises(ClusterbookError, match=r"6 regions need \(6, 6\)"):
        morans_i(Y, np.zeros((5, 5)))
    assert row_standardised(np.array([[0, 2, 2], [0, 0, 0], [1, 0, 0]])).toarray().tolist() == [
        [0, 0.5, 0.5],
        [0, 0, 0],
        [1, 0, 0],
    ]


# ------------------------------------------------------------------------------------------------------------ Moran


def test_golden_moran_of_a_line() -> None:
    found = morans_i(Y, row_standardised(LINE))
    assert found.statistic == pytest.approx([0.5921052632])
    assert found.expected == pytest.approx([-0.2])
    assert found.variance == pytest.approx([0.12783854])
    assert found.z == pytest.approx([(0.5921052632 + 0.2) / np.sqrt(0.12783854)])
    assert found.p == pytest.approx(2 * stats.norm.sf(found.z))


def test_golden_local_statistics_of_a_line() -> None:
    local = local_moran(Y, row_standardised(LINE))
    expected = [0.85526316, 0.65789474, 0.25328947, -0.00328947, 0.57894737, 1.21052632]
    np.testing.assert_allclose(local.statistic[:, 0], expected, atol=1e-8)
    star = [-1.47484388, -1.81369063, -1.08821438, 0, 1.81369063, 1.98783306]
    np.testing.assert_allclose(getis_ord(Y, LINE).z[:, 0], star, atol=1e-8)


def test_moments_are_those_of_all_orders() -> None:
    W = row_standardised(LINE)
    all_orders = np.array([Y[list(order), 0] for order in permutations(range(6))]).T
    drawn = morans_i(all_orders, W).statistic
    found = morans_i(Y, W)
    assert drawn.mean() == pytest.approx(found.expected[0])
    assert drawn.var() == pytest.approx(found.variance[0])


def test_permutation_p_of_moran_nears_that_of_all_orders() -> None:
    W = row_standardised(LINE)
    all_orders = np.array([Y[list(order), 0] for order in permutations(range(6))]).T
    statistic = morans_i(all_orders, W).statistic
    tail = (statistic >= morans_i(Y, W).statistic[0] - 1e-10).mean()
    assert morans_i(Y, W, permutations=4999).p == pytest.approx([2 * tail], abs=0.01)


def test_local_values_add_up_to_the_global_one() -> None:
    _, W = scattered()
    values = np.random.default_rng(0).lognormal(size=(60, 4))
    local, whole = local_moran(values, row_standardised(W)), morans_i(values, row_standardised(W))
    np.testing.assert_allclose(local.statistic.mean(axis=0), whole.statistic)
    np.testing.assert_allclose(
        bivariate_local_moran(values, values[:, ::-1], row_standardised(W)).statistic.mean(axis=0),
        bivariate_moran(values, values[:, ::-1], row_standardised(W)).statistic,
    )


def exact_p(values: np.ndarray, W: np.ndarray, region: int) -> float:
    """Return the two-sided p over all sets of neighbours, for a region whose neighbours weigh the same."""
    others = [r for r in range(len(values)) if r != region]
    count = int((W[region] > 0).sum())
    sums = np.array([sum(values[r] for r in chosen) for chosen in combinations(others, count)])
    real = values[W[region] > 0].sum()
    return float(min(1.0, 2 * min((sums >= real - 1e-9).mean(), (sums <= real + 1e-9).mean())))


@pytest.mark.parametrize("kind", ["continuous", "sparse"])
def test_local_p_nears_that_of_all_neighbourhoods(kind: str) -> None:
    rng = np.random.default_rng(5)
    values = rng.lognormal(size=(12, 2)) * (1 if kind == "continuous" else rng.random((12, 2)) < 0.3)
    W = distance_band(rng.uniform(0, 1000, (12, 2)) + 1000, 400)
    found = local_moran(values, W, permutations=20_000).p
    degrees = np.diff(W.indptr)
    assert len(set(degrees)) > 3  # several lengths of orders, and regions that are drawn themselves
    expected = [[exact_p(values[:, i], W.toarray(), r) for i in range(2)] for r in range(12)]
    np.testing.assert_allclose(found[degrees > 0], np.array(expected)[degrees > 0], atol=0.025)


def test_neighbours_of_any_weights_give_the_same_as_those_of_equal_weights() -> None:
    _, W = scattered()
    values = np.random.default_rng(1).lognormal(size=(60, 3)) * (np.random.default_rng(2).random((60, 3)) < 0.5)
    unequal = W.copy()
    unequal.data[0] *= 1 + 1e-9  # enough to take the other way, too little to matter
    np.testing.assert_allclose(local_moran(values, unequal).p[1:], local_moran(values, W).p[1:], atol=1e-12)


def test_p_does_not_hang_on_scale_or_standardisation() -> None:
    _, W = scattered()
    values = np.random.default_rng(1).lognormal(size=(60, 3)) * (np.random.default_rng(2).random((60, 3)) < 0.2)
    p = local_moran(values, W).p
    np.testing.assert_array_equal(p, local_moran(values * 1e-7 / 3, row_standardised(W)).p)
    np.testing.assert_array_equal(p, local_moran(values + 12.1, W).p)
    np.testing.assert_array_equal(p, getis_ord(values, W).p)
    np.testing.assert_array_equal(p, bivariate_local_moran(values[::-1], values, W).p)


def test_ties_count_against_a_finding() -> None:
    # One region of a hundred has the industry. Of the others, no neighbourhood is more empty than random ones.
    points = np.random.default_rng(0).uniform(0, 100_000, (100, 2))
    W = k_nearest(points, 4)
    values = np.zeros((100, 1))
    values[0] = 7
    p = local_moran(values, W).p[:, 0]
    touching = W.toarray()[:, 0] > 0
    assert (p[~touching] == 1).all()  # the lower tail is full of ties
    # A neighbourhood holds the one region with probability 4/99 by chance; two-sided twice that.
    np.testing.assert_allclose(p[touching], 2 * 4 / 99, atol=0.04)


def test_same_seed_same_p_and_another_seed_another() -> None:
    _, W = scattered()
    values = np.random.default_rng(1).lognormal(size=(60, 2))
    np.testing.assert_array_equal(local_moran(values, W, seed=4).p, local_moran(values, W, seed=4).p)
    assert (local_moran(values, W, seed=4).p != local_moran(values, W, seed=5).p).any()
    # a column's p does not hang on the company it is in
    np.testing.assert_array_equal(local_moran(values, W).p[:, :1], local_moran(values[:, :1], W).p)


def test_under_chance_p_is_small_as_rarely_as_it_says() -> None:
    _, W = scattered(count=80, neighbours=5)
    values = np.random.default_rng(9).lognormal(size=(80, 300)) * (np.random.default_rng(8).random((80, 300)) < 0.2)
    p = local_moran(values, W, permutations=499).p
    assert np.nanmean(p <= 0.05) <= 0.05
    assert np.nanmean(p <= 0.2) <= 0.2
    continuous = local_moran(np.random.default_rng(9).normal(size=(80, 300)), W, permutations=499).p
    assert 0.04 < np.mean(continuous <= 0.05) < 0.06


def test_quadrants() -> None:
    found = local_moran(np.array([[9.0], [8], [1], [1], [8], [1]]), row_standardised(LINE))
    assert found.quadrant[:, 0].tolist() == [1, 1, 3, 3, 4, 2]


def test_gaps_of_the_local_statistics() -> None:
    islands = LINE.toarray()
    islands[5] = islands[:, 5] = 0
    values = np.column_stack([Y[:, 0], np.full(6, 0.1), np.where(np.arange(6) == 2, np.nan, Y[:, 0])])
    for found in (local_moran(values, islands), bivariate_local_moran(values, values, islands)):
        assert np.isnan(found.statistic[:, 1:]).all() and np.isnan(found.p[:, 1:]).all()
        assert (found.quadrant[:, 1:] == 0).all()
        assert np.isnan(found.statistic[5, 0]) and np.isnan(found.p[5, 0]) and found.quadrant[5, 0] == 0
        assert not np.isnan(found.statistic[:5, 0]).any()
    for star in (True, False):
        hot = getis_ord(values, islands, star=star)
        assert np.isnan(hot.z[:, 1:]).all() and np.isnan(hot.p[:, 1:]).all()
        assert np.isnan(hot.z[5, 0]) and np.isnan(hot.p[5, 0])
        assert not np.isnan(hot.z[:4, 0]).any()
    whole = morans_i(values, islands)
    assert np.isnan(whole.statistic[1:]).all() and np.isnan(whole.p[1:]).all() and not np.isnan(whole.p[0])


def test_nobody_has_neighbours() -> None:
    nothing = np.zeros((6, 6))
    assert np.isnan(local_moran(Y, nothing).p).all()
    assert np.isnan(getis_ord(Y, nothing).z).all()
    assert np.isnan(morans_i(Y, nothing).statistic).all()
    assert np.isnan(bivariate_moran(Y, Y, nothing).statistic).all()
    assert np.isnan(neighbour_mean(Y, nothing)).all()


def test_one_region_no_industry_and_everybody_a_neighbour() -> None:
    one = np.zeros((1, 1))
    assert np.isnan(local_moran(np.ones((1, 2)), one).statistic).all()
    assert np.isnan(getis_ord(np.ones((1, 2)), one, star=False).z).all()
    assert local_moran(np.empty((6, 0)), LINE).p.shape == (6, 0)
    everybody = 1 - np.eye(6)
    assert (local_moran(Y, everybody).p == 1).all()  # only one neighbourhood is possible
    assert np.isnan(getis_ord(Y, everybody).z).all()
    assert np.isnan(getis_ord(Y, everybody, star=False).z).all()


def test_wrong_input_is_named() -> None:
    with pytest.raises(ClusterbookError, match=r"Y has shape \(6,\)"):
        local_moran(Y[:, 0], LINE)
    with pytest.raises(ClusterbookError, match="Y holds infinite values"):
        local_moran(np.where(Y == 1, np.inf, Y), LINE)
    with pytest.raises(ClusterbookError, match="permutations=0"):
        local_moran(Y, LINE, permutations=0)
    with pytest.raises(ClusterbookError, match=r"X has shape \(6, 2\), Y \(6, 1\)"):
        bivariate_moran(np.hstack([Y, Y]), Y, LINE)


def test_bivariate_moran_of_a_variable_with_itself() -> None:
    _, W = scattered()
    values = np.random.default_rng(1).lognormal(size=(60, 3))
    found, plain = bivariate_moran(values, values, W, permutations=999), morans_i(values, W)
    np.testing.assert_allclose(found.statistic, plain.statistic)
    np.testing.assert_allclose(found.expected, 0, atol=0.01)  # only y is moved: not -1 / (n - 1)
    np.testing.assert_allclose(found.z, (found.statistic - found.expected) / np.sqrt(found.variance))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6))
def test_getis_ord_is_a_z_score_over_all_places(seed: int) -> None:
    """G* of a region has mean 0 and variance 1 over random orders of all values: checked by the two moments."""
    rng = np.random.default_rng(seed)
    values, W = rng.lognormal(size=(7, 1)), distance_band(rng.uniform(1000, 2000, (7, 2)), 450)
    star = W.toarray() + np.eye(7)
    lag = np.array([star[0] @ values[list(order), 0] for order in permutations(range(7))])
    found = getis_ord(values, W).z[0, 0]
    if W.toarray()[0].sum() in (0, 6):
        assert np.isnan(found)
    else:
        assert found == pytest.approx((star[0] @ values[:, 0] - lag.mean()) / lag.std(), abs=1e-6)


# ------------------------------------------------------------------------------------------------------------- esda


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_esda_levels_and_p_on_continuous_data() -> None:
    esda = pytest.importorskip("esda")
    libpysal = pytest.importorskip("libpysal")
    points, W = scattered(count=200)
    w = libpysal.weights.KNN.from_array(points, k=5)
    w.transform = "r"
    W = row_standardised(W)
    values = np.random.default_rng(4).normal(size=(200, 2))
    values[:, 1] = values[:, 1] + 2 * neighbour_mean(values, W)[:, 1]
    found, local = morans_i(values, W), local_moran(values, W, permutations=9999)
    cross = bivariate_local_moran(values, values[:, ::-1], W)
    plain, star = getis_ord(values, W, star=False), getis_ord(values, W)
    for i in range(2):
        peer = esda.Moran(values[:, i], w, permutations=0)
        assert found.statistic[i] == pytest.approx(peer.I)
        assert found.variance[i] == pytest.approx(peer.VI_rand)
        assert found.p[i] == pytest.approx(peer.p_rand)
        peer = esda.Moran_Local(values[:, i], w, permutations=9999, seed=1)
        # esda divides by the sum of squares / (n - 1), we (as spdep) by that / n.
        np.testing.assert_allclose(local.statistic[:, i], peer.Is * 200 / 199)
        assert (local.quadrant[:, i] == peer.q).all()
        # Its p_sim is the smaller tail, ours twice that.
        np.testing.assert_allclose(local.p[:, i], np.minimum(2 * peer.p_sim, 1), atol=0.06)
        assert np.corrcoef(local.p[:, i], np.minimum(2 * peer.p_sim, 1))[0, 1] > 0.999
        peer = esda.Moran_Local_BV(values[:, i], values[:, 1 - i], w, permutations=9, seed=1)
        np.testing.assert_allclose(cross.statistic[:, i], peer.Is * 200 / 199)
        # Binary in both: its variance W_r (n - 1 - W_r) does not hold for weights of other sizes.
        peer = esda.G_Local(values[:, i], w, transform="B", permutations=0, star=False)
        np.testing.assert_allclose(plain.z[:, i], peer.Zs)
        peer = esda.G_Local(values[:, i], w, transform="B", permutations=0, star=True)
        np.testing.assert_allclose(star.z[:, i], peer.Zs)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_esda_finds_more_than_there_is_where_most_regions_are_empty() -> None:
    """Its p compares sums that differ by rounding only, so that of equal neighbourhoods some count as beaten."""
    esda = pytest.importorskip("esda")
    libpysal = pytest.importorskip("libpysal")
    points, W = scattered(count=300)
    w = libpysal.weights.KNN.from_array(points, k=5)
    rng = np.random.default_rng(4)
    values = rng.lognormal(size=(300, 1)) * (rng.random((300, 1)) < 0.05)
    ours = local_moran(values, W).p[:, 0]
    peer = esda.Moran_Local(values[:, 0], w, permutations=999, seed=1).p_sim
    assert (ours <= 0.05).mean() <= 0.05
    assert (peer <= 0.025).sum() > (ours <= 0.05).sum()


# -------------------------------------------------------------------------------------------- many tests, neighbours


@pytest.mark.parametrize("within", ["all", "industries", "regions"])
def test_adjusted_p_against_scipy(within: Any) -> None:
    p = np.random.default_rng(0).random((20, 7)) ** 3
    expected = {
        "all": lambda: stats.false_discovery_control(p.ravel()).reshape(p.shape),
        "industries": lambda: stats.false_discovery_control(p, axis=0),
        "regions": lambda: stats.false_discovery_control(p, axis=1),
    }
    np.testing.assert_allclose(adjusted_p(p, within=within), expected[within]())


def test_adjusted_p_leaves_gaps_out() -> None:
    p = np.array([[0.01, np.nan], [0.02, np.nan], [np.nan, np.nan], [0.5, 0.04]])
    found = adjusted_p(p, within="industries")
    np.testing.assert_allclose(found[:, 0], [0.03, 0.03, np.nan, 0.5])
    np.testing.assert_allclose(found[:, 1], [np.nan, np.nan, np.nan, 0.04])
    np.testing.assert_allclose(adjusted_p(p)[3], [0.5, 0.04 * 4 / 3])
    with pytest.raises(ClusterbookError, match="probabilities from 0 to 1"):
        adjusted_p([[1.5]])
    with pytest.raises(ClusterbookError, match="within='me' is not known"):
        adjusted_p(p, within="me")  # type: ignore[arg-type]


def test_neighbour_mean_keeps_gaps_where_they_matter() -> None:
    values = np.array([[np.nan], [2.0], [4.0], [6.0], [8.0], [10.0]])
    found = neighbour_mean(values, 3 * LINE)
    np.testing.assert_allclose(found[:, 0], [2, np.nan, 4, 6, 8, 8])


def test_strong_neighbour_knows_what_it_does_not_know() -> None:
    strong = np.array([[1.0], [np.nan], [0], [0], [0], [np.nan]])
    found = strong_neighbour(strong, LINE)
    np.testing.assert_array_equal(found[:, 0], [np.nan, 1, np.nan, 0, np.nan, 0])
    with pytest.raises(ClusterbookError, match="other than true, false and NaN"):
        strong_neighbour(Y, LINE)


# ------------------------------------------------------------------------------------------------------------- scan


def brute_force_score(cases: np.ndarray, population: np.ndarray, points: np.ndarray) -> float:
    """Return the best log-likelihood ratio over all circles, by the Poisson likelihoods themselves."""
    expected = population / population.sum() * cases.sum()
    best = 0.0
    for centre in points:
        distance = np.linalg.norm(points - centre, axis=1)
        for radius in distance:
            inside = distance <= radius
            c, mu, total = cases[inside].sum(), expected[inside].sum(), cases.sum()
            if population[inside].sum() <= 0.5 * population.sum() and c > mu:
                alternative = stats.poisson.logpmf([c, total - c], [c, total - c]).sum()
                null = stats.poisson.logpmf([c, total - c], [mu, total - mu]).sum()
                best = max(best, alternative - null)
    return best


def test_scan_finds_the_best_circle() -> None:
    rng = np.random.default_rng(2)
    points, population = rng.uniform(0, 100_000, (40, 2)), rng.integers(50, 500, 40)
    near = np.linalg.norm(points - points[7], axis=1) < 25_000
    cases = rng.poisson(population / 20 * np.where(near, 4, 1))
    found = spatial_scan(cases, population, points)
    assert found[0].log_ratio == pytest.approx(brute_force_score(cases, population.astype(float), points))
    assert found[0].p == pytest.approx(0.001)
    assert set(found[0].regions) & set(np.flatnonzero(near))
    assert found[0].cases == cases[list(found[0].regions)].sum()
    assert found[0].relative > 2
    assert len(set().union(*(window.regions for window in found))) == sum(len(window.regions) for window in found)


def test_scan_under_chance() -> None:
    rng = np.random.default_rng(3)
    points, population = rng.uniform(0, 100_000, (25, 2)), rng.integers(50, 500, 25)
    p = [
        spatial_scan(rng.multinomial(80, population / population.sum()), population, points, simulations=19)[0].p
        for _ in range(200)
    ]
    assert 0.01 < np.mean(np.array(p) <= 0.05) < 0.1
    assert 0.4 < np.mean(p) < 0.65


def test_scan_edges() -> None:
    points = np.array([[0, 0], [1000, 0], [3000, 0], [6000, 0]])
    # The centre comes first even if another region is at its place.
    twins = spatial_scan([0, 9, 1, 1], [10, 10, 10, 10], np.array([[1000, 0], [1000, 0], [5000, 0], [9000, 0]]))
    assert set(twins[0].regions) == {0, 1}
    assert spatial_scan([0, 0, 0, 0], [10, 10, 10, 10], points) == []
    assert spatial_scan([5, 5, 5, 5], [10, 10, 10, 10], points) == []
    # Nobody but one region: too large a share for any circle.
    assert spatial_scan([3], [10], [[1000, 1000]]) == []
    with pytest.raises(ClusterbookError, match="counts whole cases"):
        spatial_scan([0.5, 0, 0, 1], [1, 1, 1, 1], points)
    with pytest.raises(ClusterbookError, match="cases where the population is zero"):
        spatial_scan([1, 0, 0, 1], [0, 1, 1, 1], points)
    with pytest.raises(ClusterbookError, match="missing or negative numbers"):
        spatial_scan([1, 0, 0, 1], [np.nan, 1, 1, 1], points)
    with pytest.raises(ClusterbookError, match="at most half"):
        spatial_scan([1, 0, 0, 1], [1, 1, 1, 1], points, largest=0.9)
    with pytest.raises(ClusterbookError, match="one of each for 4 regions"):
        spatial_scan([1, 0], [1, 1, 1, 1], points)
