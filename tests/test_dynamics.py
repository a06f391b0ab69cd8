"""Dynamics: known values, an independent package, what has to add up, gaps and errors."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clusterbook.errors import ClusterbookError
from clusterbook.measures.dynamics import (
    homogeneity,
    markov,
    modified_lilien,
    quantile_classes,
    spatial_markov,
    steady_state,
    structural_change,
    volatility,
    volatility_sources,
)

sizes = arrays(float, (3, 4), elements=st.integers(0, 20).map(float))
panels = arrays(float, (5, 3, 4), elements=st.integers(1, 50).map(float))
RING = [[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]]


# --- structural change


def test_structural_change_by_hand() -> None:
    before, after = [[50, 50, 0], [10, 90, 0], [1, 1, 1]], [[60, 40, 0], [0, 0, 5], [7, 7, 7]]
    np.testing.assert_allclose(structural_change(before, after), [0.1, 1, 0])
    np.testing.assert_allclose(
        structural_change(np.transpose(before), np.transpose(after), over="regions"), [0.1, 1, 0]
    )
    lilien = np.sqrt(0.3 * np.log(1.2) ** 2 + 0.2 * np.log(0.8) ** 2)
    np.testing.assert_allclose(modified_lilien(before, after), [lilien, 0, 0])  # births and deaths are not growth


@settings(deadline=None, max_examples=40)
@given(start=sizes, end=sizes)
def test_structural_change_is_symmetric_and_bounded(start: np.ndarray, end: np.ndarray) -> None:
    known = start.any(axis=1) & end.any(axis=1)
    for index, most in ((structural_change, 1.0), (modified_lilien, np.inf)):
        found = index(start, end)
        assert np.array_equal(~np.isnan(found), known)
        np.testing.assert_allclose(found, index(end, start), atol=1e-12)
        np.testing.assert_allclose(index(start, 3 * end), found, atol=1e-9)
        assert (found[known] <= most + 1e-12).all()
        assert (found[known] >= 0).all()


def test_structural_change_with_gaps() -> None:
    for index in (structural_change, modified_lilien):
        found = index([[1, np.nan], [0, 0], [1, 3]], [[1, 1], [1, 1], [1, 3]])
        assert np.isnan(found).tolist() == [True, True, False]
    with pytest.raises(ClusterbookError, match="E0 and E1 differ in shape"):
        structural_change([[1, 2]], [[1]])


# --- volatility


@settings(deadline=None, max_examples=40)
@given(E=panels)
def test_volatility_is_the_variance_of_growth(E: np.ndarray) -> None:
    totals = E.sum(axis=2)
    growth = totals[1:] / totals[:-1] - 1
    found = volatility(E)
    np.testing.assert_allclose(found.variance, growth.var(axis=0, ddof=1), atol=1e-12)
    np.testing.assert_allclose(found.single + found.joint, found.variance, atol=1e-12)
    np.testing.assert_allclose(found.industries.sum(axis=1), found.variance, atol=1e-12)
    covariance = np.cov(((E[1:] - E[:-1])[:, 0] / totals[:-1, :1]).T)
    assert found.single[0] == pytest.approx(np.trace(covariance))
    np.testing.assert_allclose(found.industries[0], covariance.sum(axis=1), atol=1e-12)
    sources = volatility_sources(E)
    np.testing.assert_allclose(sources.variance, found.variance, atol=1e-12)
    np.testing.assert_allclose(sources.national + sources.mix + sources.regional, found.variance, atol=1e-12)


def test_volatility_of_what_moves_together() -> None:
    beat = np.array([100, 150, 100, 150, 100.0])
    together = np.stack([beat, beat], axis=1)[:, None]
    opposite = np.stack([beat, 250 - beat], axis=1)[:, None]
    found = volatility(together)
    assert found.joint[0] == pytest.approx(found.single[0])
    assert volatility(opposite).variance[0] == pytest.approx(0, abs=1e-15)
    assert volatility(opposite).joint[0] == pytest.approx(-volatility(opposite).single[0])


def test_volatility_of_a_nation_that_moves_as_one() -> None:
    beat = np.array([100, 130, 90, 150.0])
    sources = volatility_sources(beat[:, None, None] * np.array([[1.0, 2], [3, 1]]))
    np.testing.assert_allclose(sources.national, sources.variance)
    np.testing.assert_allclose([sources.mix, sources.regional], 0, atol=1e-15)


def test_volatility_with_gaps_and_errors() -> None:
    E = np.ones((4, 3, 2))
    E[1, 0, 0], E[2, 1] = np.nan, 0
    assert np.isnan(volatility(E).variance).tolist() == [True, True, False]
    assert np.isnan(volatility_sources(E).variance).tolist() == [True, True, False]
    gone = np.ones((4, 1, 2))
    gone[3] = 0
    assert volatility(gone).variance[0] == pytest.approx(1 / 3)  # growth 0, 0, -1
    for function in (volatility, volatility_sources):
        with pytest.raises(ClusterbookError, match="3 years or more"):
            function(np.ones((2, 3, 2)))
        with pytest.raises(ClusterbookError, match="E has negative or infinite values"):
            function(-np.ones((3, 3, 2)))


# --- Markov chains


def test_classes() -> None:
    assert quantile_classes([[1, 2, 3, np.nan], [4, 4, 4, 4]], 2).tolist() == [[0, 0, 0, -1], [0, 0, 0, 0]]
    assert quantile_classes([[1, 2, 3, np.nan], [5, 6, 7, 8]], 2, pooled=False).tolist() == [
        [0, 0, 1, -1],
        [0, 0, 1, 1],
    ]
    assert quantile_classes([[np.nan, np.nan]], 3).tolist() == [[-1, -1]]


def test_markov_by_hand() -> None:
    counts, P, steady, mobility = markov([[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 1, 0]], 2)
    assert counts.tolist() == [[2, 1], [2, 3]]
    np.testing.assert_allclose(P, [[2 / 3, 1 / 3], [2 / 5, 3 / 5]])
    np.testing.assert_allclose(steady, [6 / 11, 5 / 11])
    assert mobility == pytest.approx(11 / 15)


def test_gaps_are_not_counted() -> None:
    assert markov([[0, -1, 1], [1, 1, -1], [-1, 0, 1]], 2).counts.tolist() == [[0, 1], [1, 0]]


def test_classes_that_no_step_starts_from() -> None:
    """Class 2 is reached in the last year only: what follows is not known, nor where it all ends."""
    _, P, steady, mobility = markov([[0, 1], [1, 2]], 3)
    assert np.isnan(P[2]).all()
    np.testing.assert_allclose(P[:2], [[0, 1, 0], [0, 0, 1]])
    assert np.isnan(steady).all()
    assert np.isnan(mobility)


def test_steady_states_of_chains_that_fall_apart() -> None:
    assert np.isnan(steady_state([[1, 0, 0], [0.5, 0, 0.5], [0, 0, 1]])).all()  # two ends
    np.testing.assert_allclose(steady_state([[0.5, 0.5, 0], [0, 0, 1], [0, 0, 1]]), [0, 0, 1], atol=1e-12)  # one
    np.testing.assert_allclose(steady_state([[0, 1], [1, 0]]), [0.5, 0.5])  # to and fro
    np.testing.assert_allclose(steady_state([[1]]), [1])


@settings(deadline=None, max_examples=40)
@given(classes=arrays(np.int64, (6, 5), elements=st.integers(-1, 2)))
def test_steady_state_stays(classes: np.ndarray) -> None:
    counts, P, steady, _ = markov(classes, 3)
    assert counts.sum() == ((classes[1:] >= 0) & (classes[:-1] >= 0)).sum()
    if not np.isnan(steady).any():
        np.testing.assert_allclose(steady @ P, steady, atol=1e-9)
        assert steady.sum() == pytest.approx(1)


def test_homogeneity_by_hand() -> None:
    """Rows of 40 each: 30-10 against 20-20 with 25-15 expected, and 10-30 twice."""
    found = homogeneity([[[30, 10], [10, 30]], [[20, 20], [10, 30]]])
    assert found.q == pytest.approx(2 * (25 / 25 + 25 / 15))
    terms = [(30, 25), (10, 15), (20, 25), (20, 15)]
    assert found.lr == pytest.approx(2 * sum(n * np.log(n / m) for n, m in terms))
    assert found.dof == 2
    assert found.p_q == pytest.approx(np.exp(-found.q / 2))


def test_homogeneity_of_the_same_moves_and_of_nothing() -> None:
    same = homogeneity([[[3, 1], [2, 2]], [[6, 2], [4, 4]]])
    assert (same.q, same.p_q) == (pytest.approx(0, abs=1e-12), pytest.approx(1))
    nothing = homogeneity(np.zeros((2, 3, 3)))
    assert (nothing.q, nothing.lr, nothing.dof) == (0, 0, 0)
    assert np.isnan([nothing.p_q, nothing.p_lr]).all()
    # Class 0 is left in one group only, class 1 to one class only: nothing to compare.
    assert homogeneity([[[3, 1], [0, 2]], [[0, 0], [0, 4]]]).dof == 0


def test_spatial_markov_by_hand() -> None:
    found = spatial_markov([[1, 4, 2, 3], [1, 3, 2, 4], [2, 3, 1, 4]], RING, k=2, neighbours=2)
    assert found.counts.tolist() == [[[0, 0], [0, 4]], [[4, 0], [0, 0]]]
    assert np.isnan(found.probabilities[0, 0]).all()
    assert found.probabilities[0, 1].tolist() == [0, 1]
    assert np.isnan(found.steady).all()


def test_islands_and_gaps_are_not_counted() -> None:
    Y = np.array([[1, 4, 2, 3], [1, 3, 2, 4], [2, 3, 1, 4]], dtype=float)
    island = np.array(RING)
    island[0], island[:, 0] = 0, 0
    assert spatial_markov(Y, island, k=2, neighbours=2).counts.sum() == 6
    Y[0, 1] = np.nan  # the first step of region 1, and of regions 0 and 2 whose neighbour it is
    assert spatial_markov(Y, RING, k=2, neighbours=2).counts.sum() == 8 - 3


def usjoin() -> tuple[np.ndarray, np.ndarray]:
    """Income per head of 48 US states, 1929 to 2009, and which of them are neighbours; from libpysal's examples."""
    libpysal = pytest.importorskip("libpysal")
    with open(libpysal.examples.get_path("usjoin.csv"), encoding="utf-8") as file:  # noqa: PTH123
        header, *rows = csv.reader(file)
    first = header.index("1929")
    income = np.array([row[first:] for row in rows], dtype=float).T
    weights = libpysal.io.open(libpysal.examples.get_path("states48.gal")).read()
    return income, weights.sparse.toarray()


def test_golden_incomes_of_us_states() -> None:
    income, W = usjoin()
    classic = markov(quantile_classes(income, 5, pooled=False), 5)
    np.testing.assert_allclose(classic.probabilities[0], [0.91011236, 0.0886392, 0.00124844, 0, 0], atol=1e-8)
    np.testing.assert_allclose(classic.steady, [0.207747, 0.187258, 0.207405, 0.188218, 0.209372], atol=1e-6)
    relative = income / income.mean(axis=1, keepdims=True)
    four = spatial_markov(relative, W, k=5, neighbours=4).test
    # The package's x2 comes with 80 degrees of freedom, as if all moves were possible; 45 of them are.
    assert (four.q, four.lr) == (pytest.approx(321.1284805515), pytest.approx(172.1046262618))
    assert four.dof == 45
    five = spatial_markov(relative, W)
    assert (five.test.q, five.test.lr, five.test.dof) == (
        pytest.approx(200.624, abs=1e-3),
        pytest.approx(170.659, abs=1e-3),
        60,
    )
    np.testing.assert_allclose(five.steady[0], [0.43509425, 0.2635327, 0.20363044, 0.06841983, 0.02932278], atol=1e-8)


@pytest.mark.filterwarnings("ignore")
def test_against_giddy() -> None:
    giddy = pytest.importorskip("giddy.markov")
    graph = pytest.importorskip("libpysal.weights")
    rng = np.random.default_rng(5)
    Y = np.exp(rng.normal(size=(12, 36)).cumsum(axis=0) / 5)
    w = graph.lat2W(6, 6)
    w.transform = "r"
    wanted = giddy.Spatial_Markov(Y.T, w, fixed=True, k=3, m=3)
    found = spatial_markov(Y, w.sparse, k=3, neighbours=3)
    np.testing.assert_array_equal(found.counts, wanted.T)
    np.testing.assert_allclose(np.nan_to_num(found.probabilities), wanted.P)
    assert (found.test.q, found.test.lr, found.test.dof) == pytest.approx((wanted.Q, wanted.LR, wanted.dof_hom))


def test_errors_say_what_to_do() -> None:
    with pytest.raises(ClusterbookError, match=r"classes has shape \(1, 2\)\. Give years x regions, two years"):
        markov([[0, 1]], 2)
    with pytest.raises(ClusterbookError, match="integers from 0 to 1, or -1"):
        markov([[0, 1], [1, 2]], 2)
    with pytest.raises(ClusterbookError, match="integers from 0 to 1, or -1"):
        markov([[0.0, 1.0], [1.0, 1.0]], 2)
    with pytest.raises(ClusterbookError, match="k=1 is no number of classes"):
        quantile_classes([[1, 2]], 1)
    with pytest.raises(ClusterbookError, match=r"Y has shape \(2,\)"):
        quantile_classes([1, 2], 2)
    with pytest.raises(ClusterbookError, match="rows do not add up to 1"):
        steady_state([[0.5, 0.4], [0, 1]])
    with pytest.raises(ClusterbookError, match=r"P has shape \(1, 2\)"):
        steady_state([[0.5, 0.5]])
    with pytest.raises(ClusterbookError, match=r"counts have shape \(2, 2\)"):
        homogeneity([[1, 2], [3, 4]])
    with pytest.raises(ClusterbookError, match=r"W has shape \(3, 3\); 4 regions"):
        spatial_markov([[1, 2, 3, 4], [1, 2, 3, 4]], np.zeros((3, 3)))
    with pytest.raises(ClusterbookError, match=r"Y has shape \(1, 4\)"):
        spatial_markov([[1, 2, 3, 4]], RING)
