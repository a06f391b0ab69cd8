"""Indices from plants: known values, what random throws give, identities, gaps and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clusterbook.errors import ClusterbookError
from clusterbook.measures.plant_concentration import (
    PlantSums,
    devereux_griffith_simpson,
    ellison_glaeser,
    ellison_glaeser_bounds,
    group_coagglomeration,
    guimaraes_figueiredo_woodward,
    maurel_sedillot,
    size_class_herfindahl,
    sum_plants,
)
from clusterbook.measures.relatedness import coagglomeration

# One industry of ten plants in three regions: Farhauer and Kröll's example; gamma as the R package REAT gives it.
SIZES = [200, 650, 12000, 100, 50, 16000, 13000, 1500, 1500, 25000]
REGIONS = [0, 0, 0, 0, 0, 1, 1, 1, 1, 2]
ALL_JOBS = [500000, 400000, 100000]

# Four industries in three regions, from the same book; gamma as REAT's ellison.a2 gives it.
FOUR = {
    "CT": ([1020, 1250, 1255, 1750, 1720, 1580, 315, 330, 370, 200, 210], [0] * 6 + [1] * 2 + [2] * 3),
    "FO": (
        [1020, 1100, 1055, 1100, 1070, 1080, 1030, 1015, 1150, 1100, 210, 170, 100],
        [0] * 6 + [1] * 4 + [2] * 3,
    ),
    "TD": ([1020, 1250, 1255, 1750, 1720, 1580, 315, 330, 210], [0] * 6 + [1] * 2 + [2]),
    "TT": ([1320, 1250, 1255, 1300, 1320, 1320, 615, 630, 530], [0] * 6 + [1] * 2 + [2]),
}
TOTALS = [360, 108, 132]


def single() -> PlantSums:
    return sum_plants(REGIONS, [0] * 10, SIZES)


def four() -> PlantSums:
    industry = np.repeat(range(4), [len(sizes) for sizes, _ in FOUR.values()])
    sizes, regions = (np.concatenate([part[k] for part in FOUR.values()]) for k in (0, 1))
    return sum_plants(regions, industry, sizes)


def test_sums_of_plants() -> None:
    sums = single()
    assert sums.size.tolist() == [[13000], [32000], [25000]]
    assert sums.plants.tolist() == [[5], [4], [1]]
    assert sums.herfindahl == pytest.approx([0.2446887755102041])
    z = np.array(SIZES) / 70000
    assert sums.fourth == pytest.approx([(z**4).sum()])


def test_golden_single_industry() -> None:
    sums = single()
    found = ellison_glaeser(sums.size, sums.herfindahl, ALL_JOBS, fourth=sums.fourth)
    assert found.gamma == pytest.approx([0.059906284116538894])
    assert found.raw == pytest.approx([0.1681632653061224])
    assert found.variance == pytest.approx([0.017946628905376516])
    assert found.z == pytest.approx([0.19590019702613568])
    assert maurel_sedillot(sums.size, sums.herfindahl, ALL_JOBS) == pytest.approx([-0.43576255319763474])
    assert guimaraes_figueiredo_woodward(sums.plants, ALL_JOBS) == pytest.approx([-1 / 9])


def test_golden_four_industries() -> None:
    sums = four()
    own = ellison_glaeser(sums.size, sums.herfindahl).gamma
    assert own == pytest.approx([-0.09379384456, 0.16838003343, -0.08012539445, -0.13040134055])
    given_totals = ellison_glaeser(sums.size, sums.herfindahl, TOTALS).gamma
    assert given_totals == pytest.approx([0.0543817728, 0.04296355849, 0.13776002909, 0.01424905925])
    assert maurel_sedillot(sums.size, sums.herfindahl)[0] == pytest.approx(0.1862476501)


def test_golden_coagglomeration() -> None:
    # REAT's ellison.c returns 12.07 for these four: it adds unweighted shares, which no longer sum to 1, and weighs
    # gamma by sum w^2 in place of w_i^2. Values here are those of the formula.
    E = four().size
    assert group_coagglomeration(E) == pytest.approx(-0.03582731321591792)
    assert group_coagglomeration(E, TOTALS) == pytest.approx(0.08903665167035421)
    pairs, with_totals = coagglomeration(E), coagglomeration(E, TOTALS)
    assert [pairs[0, 1], pairs[0, 3]] == pytest.approx([-0.1074903266423, 0.0192916781394])
    assert [with_totals[0, 1], with_totals[0, 3]] == pytest.approx([-0.009174298743, 0.150496928826])


def published_group_form(sums: PlantSums) -> float:
    """Ellison and Glaeser's own expression, with the plants' Herfindahl indices that cancel out in ours."""
    found = ellison_glaeser(sums.size, sums.herfindahl)
    w = sums.size.sum(axis=0) / sums.size.sum()
    x = sums.size.sum(axis=1) / sums.size.sum()
    s = (sums.size / sums.size.sum(axis=0)) @ w
    G, H = ((s - x) ** 2).sum(), (w**2 * sums.herfindahl).sum()
    own = (found.gamma * w**2 * (1 - sums.herfindahl)).sum()
    return float((G / (1 - (x**2).sum()) - H - own) / (1 - (w**2).sum()))


tables = st.integers(0, 10_000).map(
    lambda seed: (
        np.random.default_rng(seed).integers(1, 400, (4, 4)) * (np.random.default_rng(seed).random((4, 4)) < 0.8)
    )
)


@settings(deadline=None, max_examples=80)
@given(tables)
def test_group_is_the_weighted_mean_of_pairs(E: np.ndarray) -> None:
    assume((E.sum(axis=0) > 0).all() and (E.sum(axis=1) > 0).all())
    reference = [1, 2, 3, 4]
    w = E.sum(axis=0) / E.sum()
    pairs = np.nan_to_num(coagglomeration(E, reference))
    expected = w @ pairs @ w / (1 - (w**2).sum())
    assert group_coagglomeration(E, reference) == pytest.approx(expected, abs=1e-12)


def test_plants_cancel_out_of_group_coagglomeration() -> None:
    rng = np.random.default_rng(3)
    sums = sum_plants(rng.integers(0, 5, 200), rng.integers(0, 4, 200), rng.lognormal(3, 1, 200))
    x = sums.size.sum(axis=1)
    assert group_coagglomeration(sums.size, x) == pytest.approx(published_group_form(sums), abs=1e-12)


def test_random_throws_have_the_expected_mean_and_variance() -> None:
    x, z = np.array([0.5, 0.3, 0.2]), np.array([40.0, 30.0, 20.0, 10.0])
    rng = np.random.default_rng(0)
    throws = 20_000
    region = rng.choice(3, size=(throws, 4), p=x)
    sums = sum_plants(region.ravel(), np.repeat(np.arange(throws), 4), np.tile(z, throws), shape=(3, throws))
    found = ellison_glaeser(sums.size, sums.herfindahl, x, fourth=sums.fourth)
    assert found.raw.mean() == pytest.approx(found.expected[0], rel=0.02)
    assert found.raw.var() == pytest.approx(found.variance[0], rel=0.05)
    assert found.gamma.mean() == pytest.approx(0, abs=0.01)
    assert maurel_sedillot(sums.size, sums.herfindahl, x).mean() == pytest.approx(0, abs=0.02)
    assert guimaraes_figueiredo_woodward(sums.plants, x).mean() == pytest.approx(0, abs=0.01)


def test_counts_are_ellison_glaeser_of_equal_plants() -> None:
    rng = np.random.default_rng(1)
    region, industry = rng.integers(0, 6, 90), rng.integers(0, 3, 90)
    sums = sum_plants(region, industry, np.full(90, 7.0))
    gamma = ellison_glaeser(sums.size, sums.herfindahl, [1, 2, 3, 4, 5, 6]).gamma
    assert guimaraes_figueiredo_woodward(sums.plants, [1, 2, 3, 4, 5, 6]) == pytest.approx(gamma)


def test_devereux_griffith_simpson() -> None:
    alone = sum_plants([0, 1, 2, 3], [0] * 4, [10, 20, 30, 5], shape=(6, 1))
    found = devereux_griffith_simpson(alone.size, alone.herfindahl, alone.plants)
    assert found.agglomeration == pytest.approx([0]), "each plant in a region of its own"
    sums = single()
    found = devereux_griffith_simpson(sums.size, sums.herfindahl, sums.plants)
    s = np.array([13, 32, 25]) / 70
    assert found.regions == pytest.approx([(s**2).sum() - 1 / 3])
    assert found.plants == pytest.approx([0.2446887755102041 - 1 / 10])
    with pytest.raises(ClusterbookError, match=r"count has shape \(3, 2\)"):
        devereux_griffith_simpson(sums.size, sums.herfindahl, np.ones((3, 2)))


# Four industries: one plant; a plant of unknown size; no plants; two plants.
EDGES = sum_plants([0, 0, 1, 0, 1], [0, 1, 1, 3, 3], [5, 3, np.nan, 4, 4], shape=(2, 4))


def test_industries_of_which_nothing_can_be_told() -> None:
    assert np.isnan(EDGES.herfindahl).tolist() == [False, True, True, False]
    for index in (
        ellison_glaeser(EDGES.size, EDGES.herfindahl, [1, 1]).gamma,
        maurel_sedillot(EDGES.size, EDGES.herfindahl, [1, 1]),
        devereux_griffith_simpson(EDGES.size, EDGES.herfindahl, EDGES.plants).agglomeration,
        guimaraes_figueiredo_woodward(np.where(EDGES.size > 0, EDGES.plants, EDGES.size), [1, 1]),
    ):
        assert np.isnan(index).tolist() == [True, True, True, False]
    assert ellison_glaeser(EDGES.size, EDGES.herfindahl, [1, 1]).gamma[3] == pytest.approx(-1)


def test_one_region_has_no_concentration() -> None:
    sums = sum_plants([0, 0], [0, 0], [5, 5])
    assert np.isnan(ellison_glaeser(sums.size, sums.herfindahl).gamma).all()
    assert np.isnan(maurel_sedillot(sums.size, sums.herfindahl)).all()
    assert np.isnan(group_coagglomeration([[5, 6]]))


def test_groups_of_which_nothing_can_be_told() -> None:
    assert np.isnan(group_coagglomeration([[5, np.nan], [1, 2]], [1, 1]))
    assert np.isnan(group_coagglomeration([[5, 0], [1, 0]], [1, 1])), "one industry is no pair"
    assert group_coagglomeration([[9, 8, 0], [1, 2, 0]], [1, 1]) == pytest.approx(0.48)


def test_variance_and_z_need_fourth_powers() -> None:
    sums = single()
    found = ellison_glaeser(sums.size, sums.herfindahl, ALL_JOBS)
    assert np.isnan(found.variance).all()
    assert np.isnan(found.z).all()
    two = sum_plants([0, 1, 0], [0, 0, 0], [1, 1, 0])
    assert two.plants.tolist() == [[1], [1]], "plants of size 0 are not counted"


def test_size_classes() -> None:
    sizes = np.array([1, 2, 3, 9, 12, 30, 60, 200.0])
    lower, upper = np.array([1, 5, 20, 50]), np.array([4, 19, 49, np.inf])
    k = np.searchsorted(lower, sizes, side="right") - 1
    counts, jobs = np.bincount(k)[None, :], np.bincount(k, sizes)[None, :]
    true = ((sizes / sizes.sum()) ** 2).sum()
    found = size_class_herfindahl(counts, jobs, lower, upper)
    assert found.low[0] <= found.estimate[0] <= found.high[0]
    assert found.low[0] <= true <= found.high[0]
    mean = jobs / counts
    assert found.low == pytest.approx([(counts * mean**2).sum() / sizes.sum() ** 2])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=30))
def test_size_class_bounds_hold(sizes: list[int]) -> None:
    lower, upper = np.array([1, 10, 50, 100]), np.array([9, 49, 99, np.inf])
    k = np.searchsorted(lower, sizes, side="right") - 1
    counts, jobs = np.bincount(k, minlength=4)[None, :], np.bincount(k, sizes, minlength=4)[None, :]
    found = size_class_herfindahl(counts, jobs, lower, upper)
    true = ((np.array(sizes) / sum(sizes)) ** 2).sum()
    assert found.low[0] - 1e-12 <= true <= found.high[0] + 1e-12
    assert found.low[0] - 1e-12 <= found.estimate[0] <= found.high[0] + 1e-12


def test_size_class_gaps_and_faults() -> None:
    found = size_class_herfindahl([[1, 0], [0, 0], [1, np.nan]], [[5, 0], [0, 0], [5, 60]], [1, 50], [9, 99])
    np.testing.assert_allclose(found.estimate, [1, np.nan, np.nan])
    with pytest.raises(ClusterbookError, match="the first in row 0, class 1: 60 jobs in 3 plants of 50 to 99"):
        size_class_herfindahl([[1, 3]], [[5, 60]], [1, 50], [9, 99])
    with pytest.raises(ClusterbookError, match="do not fit"):
        size_class_herfindahl([[1, 3]], [[5, 60]], [1], [9])


def test_bounds_of_the_index_contain_it() -> None:
    sums = four()
    H = sums.herfindahl
    gamma = ellison_glaeser(sums.size, H, TOTALS).gamma
    low, high = ellison_glaeser_bounds(sums.size, H * 0.9, H * 1.1, TOTALS)
    assert (low < gamma).all()
    assert (gamma < high).all()
    low, high = ellison_glaeser_bounds(sums.size, H, np.ones(4), TOTALS)
    assert np.isneginf(low).all()
    assert high == pytest.approx(gamma)
    with pytest.raises(ClusterbookError, match="lower bounds"):
        ellison_glaeser_bounds(sums.size, H, H / 2, TOTALS)


def test_errors_say_what_to_do() -> None:
    with pytest.raises(ClusterbookError, match=r"shapes \(2,\), \(1,\) and \(2,\)"):
        sum_plants([0, 1], [0], [1, 2])
    with pytest.raises(ClusterbookError, match="numbered by integers"):
        sum_plants(["A"], ["x"], [1])
    with pytest.raises(ClusterbookError, match="size has negative"):
        sum_plants([0], [0], [-1])
    with pytest.raises(ClusterbookError, match="1 plants lie outside the 1 regions x 1 industries"):
        sum_plants([0, 1], [0, 0], [1, 1], shape=(1, 1))
    with pytest.raises(ClusterbookError, match=r"herfindahl has shape \(2,\)\. Give one for each of 1 industries"):
        ellison_glaeser([[1], [2]], [0.5, 0.5])
    with pytest.raises(ClusterbookError, match="herfindahl is outside 0 to 1"):
        maurel_sedillot([[1], [2]], [1.5])
    with pytest.raises(ClusterbookError, match="E has negative"):
        ellison_glaeser([[-1], [2]], [0.5])


def test_no_plants_at_all() -> None:
    sums = sum_plants([], [], [], shape=(2, 3))
    assert sums.size.tolist() == [[0, 0, 0], [0, 0, 0]]
    assert np.isnan(sums.herfindahl).all()
