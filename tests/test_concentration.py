"""Concentration: known values, an independent definition of the Gini, gaps, and properties of random arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from inequality.gini import Gini
from inequality.theil import TheilD

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import (
    effective_number,
    entropy,
    herfindahl,
    hoover,
    litzenberger_sternberg,
    locational_gini,
    theil,
    theil_parts,
)

# The 5 x 5 example of the R package EconGeo; all rows and columns add up to 100. Values as its version 1.3 gives them.
X = np.array(
    [[100, 0, 0, 0, 0], [0, 15, 5, 70, 10], [0, 20, 10, 20, 50], [0, 25, 30, 5, 40], [0, 40, 55, 5, 0]], dtype=float
)
GINI = [0.8, 0.36, 0.54, 0.62, 0.56]

# One industry and all employment in five regions: Farhauer and Kröll's example, values from the R package REAT.
JOBS = np.array([[500], [500], [1000], [7000], [1000]])
ALL_JOBS = np.array([20000, 15000, 20000, 40000, 5000])


def test_golden_specialisation_of_regions() -> None:
    np.testing.assert_allclose(herfindahl(X, over="industries"), [1, 0.525, 0.34, 0.315, 0.465], atol=1e-12)
    np.testing.assert_allclose(
        entropy(X, over="industries"), [0, 1.3190352743, 1.7609640474, 1.7659573209, 1.2192407046], atol=1e-9
    )
    np.testing.assert_allclose(hoover(X, over="industries"), [0.8, 0.5, 0.3, 0.35, 0.55], atol=1e-12)


def test_golden_concentration_of_industries() -> None:
    np.testing.assert_allclose(herfindahl(X, over="regions"), [1, 0.285, 0.405, 0.535, 0.42], atol=1e-12)
    np.testing.assert_allclose(hoover(X), [0.8, 0.25, 0.45, 0.5, 0.5], atol=1e-12)
    np.testing.assert_allclose(locational_gini(X), GINI, atol=1e-12)
    np.testing.assert_allclose(locational_gini(X, scale="krugman"), [0.4, 0.18, 0.27, 0.31, 0.28], atol=1e-12)


def test_golden_herfindahl_and_effective_number() -> None:
    row = np.array([[20, 50, 20, 10]])
    assert herfindahl(row, over="industries") == pytest.approx([0.34])
    assert herfindahl(row, over="industries", normalised=True) == pytest.approx([0.12])
    assert effective_number(herfindahl(row, over="industries")) == pytest.approx([1 / 0.34])
    assert effective_number([0.25, 1.0, np.nan]) == pytest.approx([4.0, 1.0, np.nan], nan_ok=True)


def test_golden_gini_conventions() -> None:
    assert locational_gini(JOBS, ALL_JOBS) == pytest.approx([0.3725])
    assert locational_gini(JOBS, ALL_JOBS, weights="equal") == pytest.approx([0.4068965517])
    assert locational_gini(JOBS, ALL_JOBS, weights="equal", scale="krugman") == pytest.approx([0.4068965517 / 2])
    assert hoover(JOBS, ALL_JOBS) == pytest.approx([0.35])
    structure, nation = [[700, 600, 500, 10000, 40000]], [30000, 15000, 10000, 60000, 50000]
    assert locational_gini(structure, nation, over="industries", weights="equal") == pytest.approx([0.6222222222])


def test_golden_hoover_against_population() -> None:
    assert hoover(np.array([[0], [10], [10], [30], [50]]), [10, 15, 20, 25, 30]) == pytest.approx([0.25])


def test_entropy_base_and_certainty() -> None:
    even = np.ones((1, 8))
    assert entropy(even, over="industries") == pytest.approx([3])
    assert entropy(even, over="industries", base=np.e) == pytest.approx([np.log(8)])
    assert str(entropy([[5]], over="industries")) == "[0.]"  # not minus zero


MEASURES: dict[str, Callable[..., Any]] = {
    "herfindahl": herfindahl,
    "normalised herfindahl": lambda E, over: herfindahl(E, over=over, normalised=True),
    "entropy": entropy,
    "hoover": hoover,
    "gini": locational_gini,
    "theil": theil,
    "theil within groups": lambda E, over: (
        theil_parts(E, ["a"] * len(E if over == "regions" else E.T), over=over).within
    ),
    "gini, equal weights": lambda E, over: locational_gini(E, over=over, weights="equal"),
}
every_measure = pytest.mark.parametrize("name", MEASURES)


@every_measure
def test_gaps_are_nan_in_their_own_line_only(name: str) -> None:
    E = X.copy()
    E[1, 3] = np.nan
    assert np.isnan(MEASURES[name](E, over="industries")).tolist() == [False, True, False, False, False]
    assert np.isnan(MEASURES[name](E, over="regions")).tolist() == [False, False, False, True, False]


@every_measure
def test_nothing_has_no_concentration(name: str) -> None:
    E = X.copy()
    E[:, 2] = 0
    assert np.isnan(MEASURES[name](E, over="regions")).tolist() == [False, False, True, False, False]
    assert np.isnan(MEASURES[name](np.zeros((3, 2)), over="regions")).all()


def test_known_part_of_a_gap_stays_in_the_reference() -> None:
    E = np.array([[np.nan, 10.0], [30.0, 10.0]])
    np.testing.assert_allclose(hoover(E), [np.nan, 0.5 - 10 / 50])


def test_single_part_cannot_be_normalised() -> None:
    assert np.isnan(herfindahl([[5.0, 7.0]], over="regions", normalised=True)).all()


def test_places_outside_the_reference() -> None:
    E = np.array([[6.0, 0.0, 1.0], [2.0, 2.0, 1.0], [2.0, 2.0, 0.0]])
    reference = [0, 1, 1]
    shares = np.array([[0.6, 0.2, 0.2], [0, 0.5, 0.5], [0.5, 0.5, 0]]).T
    assert locational_gini(E, reference) == pytest.approx([brute(s, np.array([0, 0.5, 0.5])) for s in shares.T])
    # Equal weights: an infinite quotient has no Gini; a place with neither is no place.
    np.testing.assert_allclose(locational_gini(E, reference, weights="equal"), [np.nan, 0, np.nan], atol=1e-12)


def brute(s: np.ndarray, x: np.ndarray) -> float:
    """Take the Gini by its other definition: half the mean difference of the quotients s/x, sum |s_j x_k - s_k x_j|."""
    return float(np.abs(np.outer(s, x) - np.outer(x, s)).sum() / 2)


sizes = arrays(np.float64, st.tuples(st.integers(2, 7), st.integers(2, 7)), elements=st.integers(0, 500).map(float))
quick = settings(deadline=None, max_examples=60)


@quick
@given(sizes)
def test_gini_is_half_the_mean_difference(E: np.ndarray) -> None:
    assume((E.sum(axis=0) > 0).all())
    s, x = E / E.sum(axis=0), E.sum(axis=1) / E.sum()
    np.testing.assert_allclose(locational_gini(E), [brute(column, x) for column in s.T], atol=1e-12)
    known = x > 0
    even = np.full(known.sum(), 1 / known.sum())
    quotients = s[known] / x[known, None]
    expected = [brute(column, even) for column in (quotients / quotients.sum(axis=0)).T]
    np.testing.assert_allclose(locational_gini(E, weights="equal"), expected, atol=1e-12)


@quick
@given(sizes)
def test_bounds(E: np.ndarray) -> None:
    assume((E.sum(axis=0) > 0).all())
    R = len(E)
    H = herfindahl(E, over="regions")
    assert (H >= 1 / R - 1e-12).all()
    assert (H <= 1 + 1e-12).all()
    normalised = herfindahl(E, over="regions", normalised=True)
    assert (normalised >= -1e-12).all()
    assert (normalised <= 1 + 1e-12).all()
    bits = entropy(E, over="regions")
    assert (bits >= 0).all()
    assert (bits <= np.log2(R) + 1e-12).all()
    G, moved, smallest = locational_gini(E), hoover(E), (E.sum(axis=1) / E.sum()).min()
    assert (moved >= 0).all()
    assert (moved <= G + 1e-12).all(), "the Lorenz curve lies below its greatest distance"
    assert (G + smallest <= 1 + 1e-12).all()


@pytest.mark.parametrize("name", MEASURES)
@quick
@given(E=sizes, factor=st.sampled_from([0.5, 3.0, 1000.0]), seed=st.integers(0, 9))
def test_symmetries(name: str, E: np.ndarray, factor: float, seed: int) -> None:
    measure = MEASURES[name]
    found = measure(E, over="regions")
    np.testing.assert_allclose(measure(E.T, over="industries"), found, atol=1e-12)
    np.testing.assert_allclose(measure(E * factor, over="regions"), found, atol=1e-12)
    order = np.random.default_rng(seed).permutation(len(E))
    np.testing.assert_allclose(measure(E[order], over="regions"), found, atol=1e-12)


def test_spread_like_the_reference_is_zero() -> None:
    E = np.outer([1, 2, 3], [10, 20])
    assert locational_gini(E).tolist() == pytest.approx([0, 0])
    assert hoover(E).tolist() == pytest.approx([0, 0])
    rounded = np.outer(np.arange(1, 5), np.arange(1, 5) * 0.1)
    assert (locational_gini(rounded) >= 0).all(), "rounding made an index negative"


def test_golden_theil() -> None:
    concentration = [
        1.6094379124341003,
        0.28989244918476337,
        0.5393905977436242,
        0.7383046418347683,
        0.6660895201050612,
    ]
    specialisation = [1.6094379124341003, 0.6951523309670011, 0.388830647881083, 0.3853695744289853, 0.7643246555911476]
    between = [0.9162907318741551, 0.14893630217622436, 0.33258363582552636, 0.18378689738681211, 0.22628916118535877]
    np.testing.assert_allclose(theil(X), concentration, atol=1e-12)
    np.testing.assert_allclose(theil(X, over="industries"), specialisation, atol=1e-12)
    parts = theil_parts(X, ["a", "a", "b", "b", "b"])
    np.testing.assert_allclose(parts.between, between, atol=1e-12)
    np.testing.assert_allclose(parts.between + parts.within, concentration, atol=1e-12)
    assert parts.groups == ("a", "b")
    np.testing.assert_allclose(parts.share[:, 1], [0.15, 0.85])
    # Theil-T of these incomes. R's REAT::theil returns Theil-L under the same name: 0.2326.
    assert theil([[10], [10], [10], [20], [50]], np.ones(5)) == pytest.approx([0.250201212])


def test_theil_outside_the_reference_is_infinite_and_stays_in_its_group() -> None:
    E = np.array([[5.0, 0.0], [5.0, 5.0], [0.0, 5.0]])
    reference = [0, 1, 1]
    np.testing.assert_allclose(theil(E, reference), [np.inf, 0])
    parts = theil_parts(E, ["north", "south", "south"], reference)
    np.testing.assert_allclose(parts.between, [np.inf, 0])
    np.testing.assert_allclose(parts.by_group, [[np.inf, np.nan], [np.log(2), 0]], atol=1e-12)


def test_theil_and_gini_of_an_independent_package() -> None:
    y = np.random.default_rng(5).lognormal(size=40)
    groups = np.repeat(["a", "b", "c", "d"], 10)
    oracle = TheilD(y, groups)
    parts = theil_parts(y[:, None], groups.tolist(), np.ones(40))
    assert parts.between == pytest.approx(np.ravel(oracle.bg))
    assert parts.within == pytest.approx(np.ravel(oracle.wg))
    assert theil(y[:, None], np.ones(40)) == pytest.approx([float(oracle.T)])
    assert locational_gini(y[:, None], np.ones(40)) == pytest.approx([float(Gini(y).g)])


def test_golden_litzenberger_sternberg() -> None:
    jobs, plants = np.array([[1743], [5740 - 1743]]), np.array([[35], [53 - 35]])
    area, population = [50, 576 - 50], [488, 4621 - 488]
    assert litzenberger_sternberg(jobs, plants, area, population)[0] == pytest.approx([21.87491102])
    # The factors of the definition: density x stock / size of plants.
    density, stock, size = (1743 / 50) / (5740 / 576), (1743 / 488) / (5740 / 4621), (1743 / 35) / (5740 / 53)
    assert litzenberger_sternberg(jobs, plants, area, population)[0, 0] == pytest.approx(density * stock / size)


def test_litzenberger_sternberg_edges() -> None:
    jobs, plants = np.array([[5.0, 0, 1], [5, 0, np.nan]]), np.array([[1.0, 0, 1], [0, 0, 1]])
    found = litzenberger_sternberg(jobs, plants, [1, 1], [1, 1])
    np.testing.assert_allclose(found, [[2, np.nan, np.nan], [0, np.nan, np.nan]])
    assert np.isnan(litzenberger_sternberg(jobs, plants, [1, 1], [1, 0])[1]).all()
    with pytest.raises(ClusterbookError, match=r"area has shape \(3,\)"):
        litzenberger_sternberg(jobs, plants, [1, 1, 1], [1, 1])
    with pytest.raises(ClusterbookError, match=r"E has shape \(2, 3\), plants \(2, 1\)"):
        litzenberger_sternberg(jobs, plants[:, :1], [1, 1], [1, 1])


@quick
@given(sizes, st.integers(0, 9))
def test_theil_both_ways_is_mutual_information_and_adds_up(E: np.ndarray, seed: int) -> None:
    assume((E.sum(axis=0) > 0).all() and (E.sum(axis=1) > 0).all())
    q, x = E.sum(axis=0) / E.sum(), E.sum(axis=1) / E.sum()
    by_industry, by_region = theil(E), theil(E, over="industries")
    assert q @ by_industry == pytest.approx(x @ by_region, abs=1e-12)
    assert (by_industry <= np.log(1 / x.min()) + 1e-12).all()
    groups = np.random.default_rng(seed).integers(0, 3, len(E)).astype(str).tolist()
    parts = theil_parts(E, groups)
    np.testing.assert_allclose(parts.between + parts.within, by_industry, atol=1e-12)
    weighted = np.where(parts.share > 0, parts.share * parts.by_group, 0).sum(axis=0)
    np.testing.assert_allclose(weighted, parts.within, atol=1e-12)
    # Theil's own definition within a group: the same index on the group's regions alone.
    one = np.array(groups) == groups[0]
    alone = theil(E[one], E.sum(axis=1)[one])
    np.testing.assert_allclose(parts.by_group[parts.groups.index(groups[0])], alone, atol=1e-10)


def test_errors_say_what_to_do() -> None:
    with pytest.raises(ClusterbookError, match=r"There are 2 groups\. Give one for each of 5"):
        theil_parts(X, ["a", "b"])
    with pytest.raises(ClusterbookError, match=r"shape \(3,\)\. Give regions x industries"):
        herfindahl([1, 2, 3], over="regions")
    with pytest.raises(ClusterbookError, match=r"over='rows' is not known\. Use 'industries' or 'regions'"):
        entropy(X, over="rows")  # type: ignore[arg-type]
    with pytest.raises(ClusterbookError, match="E has negative or infinite values"):
        hoover(-X)
    with pytest.raises(ClusterbookError, match="E has negative or infinite values"):
        entropy(np.full((2, 2), np.inf), over="regions")
    with pytest.raises(ClusterbookError, match=r"reference has shape \(2,\)\. Give one size for each of 5"):
        locational_gini(X, [1, 2])
    with pytest.raises(ClusterbookError, match="reference has missing values"):
        locational_gini(X, [1, 2, 3, 4, np.nan])
    with pytest.raises(ClusterbookError, match="reference has negative"):
        hoover(X, [1, 2, 3, 4, -1])
    with pytest.raises(ClusterbookError, match="weights='none' is not known"):
        locational_gini(X, weights="none")  # type: ignore[arg-type]
    with pytest.raises(ClusterbookError, match="scale='half' is not known"):
        locational_gini(X, scale="half")  # type: ignore[arg-type]
