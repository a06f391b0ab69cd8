"""Localisation: densities and neighbourhoods against definitions written out, known cases, gaps and chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterbook.errors import ClusterbookError
from clusterbook.measures.localisation import Curve, bands, k_densities, k_density
from clusterbook.measures.neighbourhoods import (
    exponential_decay,
    marcon_puech,
    ripley_k,
    ripley_l,
    scholl_brenner,
)
from clusterbook.measures.plant_groups import plant_groups
from clusterbook.measures.points import on_sphere

SQUARE = shapely.box(0, 0, 100_000, 100_000)


def plants(count: int = 120, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make plants all over a square, of which the last 30 stand together, and their sizes."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 100_000, (count, 2))
    points[-30:] = rng.uniform(30_000, 50_000, (30, 2))
    return points, np.arange(count) >= count - 30, rng.lognormal(3, 1, count)


def all_pairs(points: np.ndarray) -> np.ndarray:
    distance: np.ndarray = np.linalg.norm(points[:, None] - points, axis=2)
    return distance


def exact_density(points: np.ndarray, sizes: np.ndarray, grid: np.ndarray, h: float) -> np.ndarray:
    """Write the density out pair by pair, without bins."""
    upper = np.triu_indices(len(points), 1)
    distance, weight = all_pairs(points)[upper], np.outer(sizes, sizes)[upper]
    kernel = np.exp(-0.5 * ((grid[:, None] - distance) / h) ** 2) + np.exp(-0.5 * ((grid[:, None] + distance) / h) ** 2)
    return np.asarray(kernel @ weight / (weight.sum() * h * np.sqrt(2 * np.pi)))


def rule_of_thumb(points: np.ndarray) -> float:
    distance = all_pairs(points)[np.triu_indices(len(points), 1)]
    low, high = np.quantile(distance, [0.25, 0.75])
    return float(0.9 * min(distance.std(ddof=1), (high - low) / 1.34) * len(distance) ** -0.2)


def assert_near(found: np.ndarray, expected: np.ndarray, share: float = 1e-3) -> None:
    """Compare curves at the scale of their tops."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=share * expected.max())


# -------------------------------------------------------------------------------------------------------- K-density


@pytest.mark.parametrize("weighted", [False, True])
def test_density_is_that_of_all_pairs(weighted: bool) -> None:
    points, member, sizes = plants()
    sizes = sizes if weighted else np.ones(len(points))
    grid = np.linspace(0, 60_000, 61)
    found = k_density(points, member, weights=sizes, distances=grid, bandwidth=2_500, simulations=0)
    assert_near(found.value, exact_density(points[member], sizes[member], grid, 2_500))


def test_bandwidth_is_silvermans() -> None:
    points, member, _ = plants()
    grid = np.linspace(0, 60_000, 61)
    found = k_density(points, member, distances=grid, simulations=0)
    expected = exact_density(points[member], np.ones(30), grid, rule_of_thumb(points[member]))
    assert_near(found.value, expected, share=2e-3)  # sd and quartiles are taken from bins


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_density_adds_up_to_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 50_000, (15, 2)) + 1000
    grid = np.linspace(0, 120_000, 601)
    found = k_density(points, np.ones(15, dtype=bool), weights=rng.uniform(0, 9, 15), distances=grid, simulations=0)
    assert np.trapezoid(found.value, grid) == pytest.approx(1, abs=2e-3)


def test_what_stands_together_is_localised_and_what_keeps_apart_dispersed() -> None:
    points, member, _ = plants()
    found = k_density(points, member)
    assert found.localised and not found.dispersed
    assert found.excess[0] == pytest.approx(found.value[0] - found.band[1, 0])
    assert (found.shortfall == 0).all()
    lattice = np.stack(np.meshgrid(np.arange(5), np.arange(5)), axis=-1).reshape(-1, 2) * 20_000 + 10_000
    crowd = np.vstack([lattice, np.random.default_rng(0).uniform(0, 100_000, (200, 2))])
    apart = k_density(crowd, np.arange(225) < 25)
    assert apart.dispersed and not apart.localised
    assert apart.shortfall[0] == pytest.approx(apart.band[0, 0] - apart.value[0])


def test_bands_hold_as_many_random_industries_as_they_say() -> None:
    points, _, _ = plants()
    rng = np.random.default_rng(0)
    outside = 0
    for trial in range(60):
        member = np.zeros(120, dtype=bool)
        member[rng.choice(120, 15, replace=False)] = True
        curve = k_density(points, member, simulations=200, seed=trial, bandwidth=8_000)
        outside += curve.localised or bool((curve.value < curve.band[0]).any())
    assert 1 <= outside <= 9  # 3 expected, a little more as the band is made of 200 curves only


def test_local_bounds_are_quantiles_and_the_band_is_wider() -> None:
    drawn = np.random.default_rng(0).normal(size=(500, 20)).cumsum(axis=1)
    local, band = bands(drawn, 0.05)
    np.testing.assert_allclose(local, np.quantile(drawn, [0.05, 0.95], axis=0))
    assert (band[0] < local[0]).all() and (band[1] > local[1]).all()
    share = ((drawn < band[0] - 1e-9) | (drawn > band[1] + 1e-9)).any(axis=1).mean()
    assert 0.03 < share <= 0.05
    gap = drawn.copy()
    gap[3, 7] = np.nan
    assert np.isnan(bands(gap, 0.05)[1][:, 7]).all()
    np.testing.assert_allclose(np.delete(bands(gap, 0.05)[0], 7, axis=1), np.delete(local, 7, axis=1))


def test_a_gap_in_the_band_is_no_finding() -> None:
    nothing = np.full((2, 2), np.nan)
    curve = Curve(np.array([0.0, 1.0]), np.array([5.0, np.nan]), nothing, nothing)
    assert not curve.localised and not curve.dispersed and curve.excess.tolist() == [0, 0]


def test_all_industries_at_once_get_what_each_gets_alone() -> None:
    points, member, sizes = plants()
    codes = np.where(member, "silk", np.where(np.arange(120) < 5, "zeppelins", "bread"))
    found = k_densities(points, codes, simulations=300)
    assert list(found) == ["bread", "silk"]  # five plants are too few
    grid = found["silk"].distances
    alone = k_density(points, member, distances=grid, simulations=300, seed=9)
    assert_near(found["silk"].value, alone.value)
    assert_near(found["silk"].local, alone.local, share=0.1)  # other draws, the same law
    weighted = k_densities(points, codes, weights=sizes, distances=grid, simulations=50)["silk"]
    same = k_density(points, member, weights=sizes, distances=grid, simulations=50)
    np.testing.assert_array_equal(weighted.value, same.value)
    np.testing.assert_array_equal(weighted.band, same.band)


def test_the_same_seed_gives_the_same_bands() -> None:
    points, member, _ = plants()
    a, b, c = (k_density(points, member, simulations=50, seed=seed).band for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_distances_on_the_sphere() -> None:
    rng = np.random.default_rng(0)
    lonlat = np.column_stack([rng.uniform(10, 10.5, 40), rng.uniform(-0.25, 0.25, 40)])
    flat = lonlat * np.pi / 180 * 6_371_008.8  # at the equator a degree is a degree
    grid, everyone = np.linspace(0, 50_000, 11), np.ones(40, dtype=bool)
    a = k_density(on_sphere(lonlat), everyone, distances=grid, simulations=0).value
    np.testing.assert_allclose(a, k_density(flat, everyone, distances=grid, simulations=0).value, rtol=2e-3)


def test_all_plants_at_one_place() -> None:
    points = np.vstack([np.full((12, 2), 5_000.0), np.random.default_rng(0).uniform(0, 100_000, (50, 2))])
    found = k_density(points, np.arange(62) < 12, distances=np.linspace(0, 40_000, 41), simulations=100)
    assert found.localised
    assert np.isfinite(found.value).all()
    # The bandwidth is a five-hundredth of the range; a half normal density has its top at 2 / (h sqrt(2 pi)).
    assert found.value[0] == pytest.approx(2 / (80 * np.sqrt(2 * np.pi)), rel=0.02)


def test_what_a_density_cannot_be_made_of() -> None:
    points, member, sizes = plants()
    with pytest.raises(ClusterbookError, match=r"has 9 plants; .* at least 10"):
        k_density(points, np.arange(120) < 9)
    with pytest.raises(ClusterbookError, match="longitudes and latitudes"):
        k_density(points / 1000, member)
    with pytest.raises(ClusterbookError, match="fewer than two plants"):
        k_density(points, member, weights=(np.arange(120) == 119).astype(float))
    with pytest.raises(ClusterbookError, match="negative values"):
        k_density(points, member, weights=-sizes)
    with pytest.raises(ClusterbookError, match="for each of 120 plants; it is int"):
        k_density(points, member.astype(int))
    with pytest.raises(ClusterbookError, match="ascending metres"):
        k_density(points, member, distances=[5, 1])
    with pytest.raises(ClusterbookError, match="bandwidth=0"):
        k_density(points, member, bandwidth=0)
    with pytest.raises(ClusterbookError, match="simulations=1"):
        k_density(points, member, simulations=1)
    with pytest.raises(ClusterbookError, match="1 of 120 points have missing coordinates"):
        k_density(np.where(np.arange(240).reshape(120, 2) == 0, np.nan, points), member)
    with pytest.raises(ClusterbookError, match="Are all plants at the same place"):
        k_density(np.full((20, 2), 1000.0), np.ones(20, dtype=bool))
    with pytest.raises(ClusterbookError, match="Name one for each of 120 plants"):
        k_densities(points, ["a", "b"])
    assert k_densities(points[:9], ["a"] * 9) == {}


# --------------------------------------------------------------------------------------------------------- Ripley


def test_ripley_without_correction_counts_pairs() -> None:
    points, _, _ = plants()
    grid = np.array([0.0, 2_000, 10_000, 30_000])
    pairs = all_pairs(points) + np.diag(np.full(120, np.inf))
    expected = [1e10 / (120 * 119) * (pairs <= r).sum() for r in grid]
    np.testing.assert_allclose(ripley_k(points, SQUARE, grid, correction="none"), expected)


def test_ripley_against_pointpats() -> None:
    """Its k divides by n² where Ripley's has n (n - 1), counts distances below and not up to r, and takes any area."""
    statistics = pytest.importorskip("pointpats.distance_statistics")
    points, _, _ = plants()
    grid = np.array([2_000.0, 10_000, 30_000])
    hull = shapely.MultiPoint(points).convex_hull
    _, peer = statistics.k(points, support=grid)
    found = ripley_k(points, hull, grid, correction="none")
    np.testing.assert_allclose(found * 119 / 120 / hull.area, peer / peer[-1] * (found * 119 / 120 / hull.area)[-1])


def test_ripley_edge_corrections_of_a_pair() -> None:
    # Two points 20 km apart in a row, 10 km from the western edge and 30 km from it.
    points = np.array([[10_000, 50_000], [30_000, 50_000]])
    none, translation, isotropic = (
        ripley_k(points, SQUARE, [20_000], correction=how)[0]  # type: ignore[arg-type]
        for how in ("none", "translation", "isotropic")
    )
    assert none == pytest.approx(1e10)
    assert translation == pytest.approx(1e10 * 100 / 80)
    # The circle around the first leaves the square on a third of its length: cos = 10 / 20, so 60 degrees each way.
    assert isotropic == pytest.approx(1e10 * (1.5 + 1) / 2, rel=1e-4)


@pytest.mark.parametrize("correction", ["translation", "isotropic"])
def test_ripley_is_unbiased_for_points_at_random(correction: Any) -> None:
    rng = np.random.default_rng(0)
    triangle = shapely.Polygon([(0, 0), (100_000, 0), (0, 100_000)])
    found = []
    for _ in range(40):
        points = rng.uniform(0, 100_000, (80, 2))
        points[points.sum(axis=1) > 100_000] = 100_000 - points[points.sum(axis=1) > 100_000]
        found.append(ripley_k(points, triangle, [10_000, 20_000], correction=correction))
    np.testing.assert_allclose(ripley_l(np.mean(found, axis=0)), [10_000, 20_000], rtol=0.03)


def test_ripley_refuses() -> None:
    with pytest.raises(ClusterbookError, match=r"1 of 2 points lie outside the window"):
        ripley_k([[1000, 1000], [200_000, 0]], SQUARE, [1000])
    with pytest.raises(ClusterbookError, match="correction='border' is not known"):
        ripley_k([[1000, 1000]], SQUARE, [1000], correction="border")  # type: ignore[arg-type]
    with pytest.raises(ClusterbookError, match="points on a plane"):
        ripley_k(on_sphere([[1, 1], [2, 2]]), SQUARE, [1000])
    assert np.isnan(ripley_k([[1000, 1000]], SQUARE, [1000])).all()


# --------------------------------------------------------------------------------------------------- Marcon and Puech


def written_out(
    points: np.ndarray, cases: np.ndarray, targets: np.ndarray, sizes: np.ndarray, near: np.ndarray
) -> float:
    """Write M out plant by plant; ``near`` (P, P) weighs pairs."""
    top = bottom = 0.0
    for i in np.flatnonzero(cases):
        others = np.arange(len(points)) != i
        around = (near[i] * sizes)[others].sum()
        if around > 0:
            top += (near[i] * sizes)[others & targets].sum() / around
            bottom += sizes[others & targets].sum() / sizes[others].sum()
    return top / bottom if bottom else float("nan")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("cross", [False, True])
def test_m_is_its_definition(weighted: bool, cross: bool) -> None:
    points, member, sizes = plants()
    to = np.arange(120) < 40 if cross else member
    sizes = sizes if weighted else np.ones(120)
    grid = np.array([1_000.0, 5_000, 20_000, 60_000])
    distance = all_pairs(points)
    found = marcon_puech(points, member, grid, to=to if cross else None, weights=sizes)
    expected = [written_out(points, member, to, sizes, distance <= r) for r in grid]
    np.testing.assert_allclose(found.value, expected)
    density = marcon_puech(points, member, grid, to=to if cross else None, weights=sizes, form="m", bandwidth=3_000)
    expected = [written_out(points, member, to, sizes, np.exp(-0.5 * ((distance - r) / 3_000) ** 2)) for r in grid]
    np.testing.assert_allclose(density.value, expected, rtol=0.01, atol=1e-9)  # bins of 1/16 of the bandwidth


def test_m_of_everything_is_one() -> None:
    points, member, sizes = plants()
    assert marcon_puech(points, np.ones(120, dtype=bool), [9_000.0], weights=sizes).value == pytest.approx([1])
    assert marcon_puech(points, member, [200_000.0], weights=sizes).value == pytest.approx([1])


def test_m_tells_who_stands_together_and_who_does_not() -> None:
    points, member, _ = plants()
    together = marcon_puech(points, member, [5_000.0, 20_000.0], simulations=200)
    assert together.localised and together.value[0] > 2
    far = (points[:, 0] > 60_000) & ~member
    apart = marcon_puech(points, member, [5_000.0, 20_000.0], to=far, simulations=200)
    assert apart.dispersed and apart.value[1] < 0.5
    labels = np.zeros(120, dtype=bool)
    labels[np.random.default_rng(3).choice(120, 30, replace=False)] = True
    assert not marcon_puech(points, labels, [5_000.0, 20_000.0], simulations=200).localised


def test_m_bands_move_sizes_with_types() -> None:
    points, member, sizes = plants()
    weighted = marcon_puech(points, member, [20_000.0], weights=sizes, simulations=300)
    assert weighted.local[0, 0] < 1 < weighted.local[1, 0]
    plain = marcon_puech(points, member, [20_000.0], simulations=300)
    assert np.ptp(plain.local[:, 0]) < np.ptp(weighted.local[:, 0])  # large plants make for luck


def test_gaps_of_m() -> None:
    points = np.array([[1000, 0], [1000, 0], [90_000, 0], [50_000, 0], [51_000, 0]])
    twins = np.array([True, True, False, False, False])
    np.testing.assert_allclose(marcon_puech(points, twins, [0.0, 10.0]).value, [4, 4])  # at one place: distance 0
    single = np.array([False, False, True, False, False])
    assert np.isnan(marcon_puech(points, single, [100_000.0]).value).all()
    lonely = np.array([False, False, True, True, False])
    assert np.isnan(marcon_puech(points, lonely, [500.0]).value[0])
    with pytest.raises(ClusterbookError, match="without plants, or without weight"):
        marcon_puech(points, np.zeros(5, dtype=bool), [10.0])
    with pytest.raises(ClusterbookError, match="longitudes and latitudes"):
        marcon_puech(points / 1000, twins, [10.0])
    with pytest.raises(ClusterbookError, match="form='x' is not known"):
        marcon_puech(points, twins, [10.0], form="x")  # type: ignore[arg-type]
    with pytest.raises(ClusterbookError, match="Give bandwidth in metres"):
        marcon_puech(points, twins, [10.0], form="m")


# ----------------------------------------------------------------------------------------------------- single firms


def test_firm_index_is_its_definition() -> None:
    points, member, _ = plants()
    decay = exponential_decay(10_000)
    near = decay(all_pairs(points))
    np.fill_diagonal(near, 0)
    found = scholl_brenner(points, member, decay)
    expected = (near[member][:, member].sum(axis=1) / 29) / (near[member].sum(axis=1) / 119)
    np.testing.assert_allclose(found.value, expected)
    assert (found.p <= 0.01).all()  # they all stand in the cluster


def test_firm_p_by_all_possible_neighbours() -> None:
    # Two plants of an industry among six: the other one is one of five places, equally likely.
    points = np.array([[0, 0], [2, 0], [5, 0], [9, 0], [14, 0], [20, 0]]) * 1000.0
    found = scholl_brenner(points, np.arange(6) % 5 == 0, exponential_decay(5_000), simulations=4000)
    # For the first, the last is the farthest and for the last, the first: random ones are always as near.
    np.testing.assert_allclose(found.p, [1, 0.2 + 0.8], atol=1e-9)
    found = scholl_brenner(
        points, (np.arange(6) == 0) | (np.arange(6) == 2), exponential_decay(5_000), simulations=4000
    )
    np.testing.assert_allclose(found.p, [2 / 5, 3 / 5], atol=0.03)


def test_gaps_of_the_firm_index() -> None:
    points, member, _ = plants()
    single = scholl_brenner(points, np.arange(120) == 3, exponential_decay(10_000))
    assert np.isnan(single.value).all() and np.isnan(single.p).all() and single.p.shape == (1,)
    nobody = scholl_brenner(points, member, np.zeros_like, simulations=9)
    assert np.isnan(nobody.value).all() and np.isnan(nobody.p).all()
    with pytest.raises(ClusterbookError, match="finite weight from 0 up"):
        scholl_brenner(points, member, lambda d: np.full_like(d, np.inf))
    with pytest.raises(ClusterbookError, match="0 plants"):
        scholl_brenner(points, np.zeros(120, dtype=bool), exponential_decay(10_000))


# ------------------------------------------------------------------------------------------------------------ groups


def test_groups_of_an_industry_in_two_places() -> None:
    rng = np.random.default_rng(0)
    points = np.vstack(
        [
            rng.uniform(0, 100_000, (300, 2)),
            rng.uniform(0, 3_000, (10, 2)) + 20_000,
            rng.uniform(0, 3_000, (16, 2)) + 70_000,
        ]
    )
    sizes = np.arange(326.0)
    found = plant_groups(points, np.arange(326) >= 298, radius=2_500, weights=sizes)
    assert found.plants.tolist() == [16, 10]
    assert found.label.tolist() == [-1, -1] + [1] * 10 + [0] * 16
    assert found.weight.tolist() == [sizes[310:].sum(), sizes[300:310].sum()]
    assert found.p.tolist() == [0.01, 0.01]
    assert (found.quotient > 5).all()
    by_density = plant_groups(points, np.arange(326) >= 298, method="hdbscan", simulations=19)
    assert set(by_density.plants) <= set(range(5, 19)) and len(by_density.plants) >= 2


def test_a_town_is_no_cluster() -> None:
    # All plants stand in the town: the industry's do too, but no more than any other.
    rng = np.random.default_rng(0)
    points = np.vstack([rng.uniform(0, 100_000, (50, 2)), rng.uniform(40_000, 45_000, (250, 2))])
    member = np.zeros(300, dtype=bool)
    member[rng.choice(300, 40, replace=False)] = True
    found = plant_groups(points, member, radius=2_000)
    assert found.plants[0] > 20
    assert found.p[0] > 0.1
    assert found.quotient[0] == pytest.approx(1, abs=0.5)


def test_nothing_dense_and_everything_at_one_place() -> None:
    points, member, _ = plants()
    nothing = plant_groups(points, member, radius=1, simulations=9)
    assert (nothing.label == -1).all() and nothing.plants.shape == nothing.p.shape == (0,)
    one = plant_groups(np.full((20, 2), 1000.0), np.arange(20) < 12, radius=100, simulations=9)
    assert one.plants.tolist() == [12] and one.p.tolist() == [1] and one.quotient.tolist() == [1]


def test_groups_refuse() -> None:
    points, member, _ = plants()
    with pytest.raises(ClusterbookError, match="DBSCAN needs the metres"):
        plant_groups(points, member)
    with pytest.raises(ClusterbookError, match="leave radius out"):
        plant_groups(points, member, method="hdbscan", radius=100)
    with pytest.raises(ClusterbookError, match="method='x' is not known"):
        plant_groups(points, member, method="x")  # type: ignore[arg-type]
    with pytest.raises(ClusterbookError, match="has 9 plants"):
        plant_groups(points, np.arange(120) < 9, radius=100)
    with pytest.raises(ClusterbookError, match="points on a plane"):
        plant_groups(np.hstack([points, points[:, :1]]), member, radius=100)
