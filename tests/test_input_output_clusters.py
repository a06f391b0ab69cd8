"""Clusters in input-output tables: known values, brute force, what has to hold, and faults."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clusterbook.errors import ClusterbookError
from clusterbook.measures.input_output_clusters import (
    entropy_level,
    factor_members,
    hoen,
    innovation_matrix,
    linkage_factors,
    linked_groups,
    profile_correlation,
    qualitative,
    smoothed_shares,
    streit,
    trade_shares,
    triangulate,
    varimax,
)

Z = np.array([[10, 40, 5, 0], [20, 30, 10, 5], [0, 15, 20, 30], [5, 0, 25, 10]], dtype=float)
tables = arrays(float, (5, 5), elements=st.integers(0, 9).map(float))


def linearity(table: np.ndarray, order: tuple[int, ...] | np.ndarray) -> float:
    ordered = table[np.ix_(order, order)]
    return float(np.triu(ordered, 1).sum() / (table.sum() - np.trace(table)))


def test_golden_links() -> None:
    assert streit(Z)[0, 1] == pytest.approx(0.51924546, abs=1e-8)
    assert streit(Z)[2, 3] == pytest.approx(0.54246795, abs=1e-8)
    assert profile_correlation(Z)[0, 1] == pytest.approx(0.93067522, abs=1e-8)
    assert profile_correlation(Z)[2, 3] == pytest.approx(0.62478912, abs=1e-8)


def test_golden_triangulation() -> None:
    order, found, exact = triangulate(Z)
    assert (order.tolist(), exact) == ([0, 2, 1, 3], True)
    assert found == pytest.approx(0.6129032258)
    assert linearity(Z, (0, 1, 2, 3)) == pytest.approx(0.5806451613)


@settings(deadline=None, max_examples=40)
@given(table=tables)
def test_links_are_symmetric_parts(table: np.ndarray) -> None:
    for links, low in ((streit(table), 0.0), (profile_correlation(table), -1.0)):
        np.testing.assert_array_equal(links, links.T)
        assert low <= links.min()
        assert links.max() <= 1 + 1e-12
    purchases, sales = trade_shares(table)
    np.testing.assert_allclose(purchases.sum(axis=0), table.any(axis=0))
    np.testing.assert_allclose(sales.sum(axis=1), table.any(axis=1))


def test_profile_correlation_pair_by_pair() -> None:
    a, b = trade_shares(Z)
    for i in range(4):
        for j in range(4):
            pairs = [(a[:, i], a[:, j]), (b[i], b[j]), (a[:, i], b[j]), (b[i], a[:, j])]
            wanted = max(np.corrcoef(*pair)[0, 1] for pair in pairs) if i != j else 1.0
            assert profile_correlation(Z)[i, j] == pytest.approx(wanted)


def test_industry_without_trade_has_no_links() -> None:
    lonely = np.pad(Z, (0, 1))
    assert streit(lonely)[4].tolist() == [0] * 5
    assert profile_correlation(lonely)[4].tolist() == [0, 0, 0, 0, 1]
    assert profile_correlation(np.ones((3, 3))).tolist() == np.eye(3).tolist()  # even profiles have no shape
    assert hoen(lonely).tolist() == [0, 0, 1, 1, 2]
    assert sorted(triangulate(lonely).order.tolist()) == [0, 1, 2, 3, 4]


def test_industry_that_only_sells_is_compared_by_its_sales() -> None:
    flows = np.array([[0, 4, 1.0], [0, 3, 1], [0, 1, 3]])
    sales = flows / flows.sum(axis=1, keepdims=True)
    purchases = flows / np.where(flows.any(axis=0), flows.sum(axis=0), 1)
    wanted = max(np.corrcoef(sales[0], sales[1])[0, 1], np.corrcoef(sales[0], purchases[:, 1])[0, 1])
    assert profile_correlation(flows)[0, 1] == pytest.approx(wanted)


def test_varimax_is_the_best_angle() -> None:
    rng = np.random.default_rng(3)
    loadings = rng.normal(size=(9, 2))
    rows = loadings / np.linalg.norm(loadings, axis=1, keepdims=True)

    def criterion(angle: float) -> float:
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return float(((rows @ turn) ** 2).var(axis=0).sum())

    rotated = varimax(loadings)
    found = ((rotated / np.linalg.norm(rotated, axis=1, keepdims=True)) ** 2).var(axis=0).sum()
    assert found == pytest.approx(max(criterion(t) for t in np.linspace(0, np.pi, 20001)), rel=1e-6)


@settings(deadline=None, max_examples=30)
@given(loadings=arrays(float, (6, 3), elements=st.integers(-9, 9).map(float)))
def test_varimax_is_a_rotation(loadings: np.ndarray) -> None:
    rotated = varimax(loadings)
    np.testing.assert_allclose(rotated @ rotated.T, loadings @ loadings.T, atol=1e-8)
    np.testing.assert_allclose(abs(varimax(rotated)), abs(rotated), atol=1e-5)


def test_factors_find_blocks() -> None:
    """Six industries in two blocks that hardly trade with each other, in mixed order, and one without trade."""
    block = np.array([0, 1, 0, 1, 0, 1])
    table = np.where(block[:, None] == block, 10.0, 1.0) + np.arange(36).reshape(6, 6) % 5
    loadings, eigenvalues, negative = linkage_factors(profile_correlation(np.pad(table, (0, 1))), count=2)
    members = factor_members(loadings)
    assert sorted(map(tuple, members[:6].T.tolist())) == [(0, 2, 0, 2, 0, 2), (2, 0, 2, 0, 2, 0)]
    assert members[6].tolist() == [0, 0]
    assert eigenvalues.sum() == pytest.approx(7)
    assert negative < 0.1


def test_factors_of_known_correlations() -> None:
    loadings, eigenvalues, negative = linkage_factors([[1, 0.9, 0, 0], [0.9, 1, 0, 0], [0, 0, 1, 0.8], [0, 0, 0.8, 1]])
    np.testing.assert_allclose(eigenvalues, [1.9, 1.8, 0.2, 0.1])
    root = np.sqrt([0.95, 0.9])
    np.testing.assert_allclose(loadings, [[root[0], 0], [root[0], 0], [0, root[1]], [0, root[1]]], atol=1e-9)
    assert negative == 0
    assert factor_members(loadings).tolist() == [[2, 0], [2, 0], [0, 2], [0, 2]]
    assert factor_members([[0.6, 0.35, 0.34]]).tolist() == [[2, 1, 0]]


def test_negative_eigenvalues_are_reported() -> None:
    assert linkage_factors([[1, 2.0], [2, 1]]).negative == pytest.approx(1 / 4)


def test_groups_by_direction() -> None:
    links = np.zeros((5, 5))
    links[[0, 1, 2, 3], [1, 2, 0, 0]] = 3  # 0 -> 1 -> 2 -> 0, and 3 -> 0
    assert linked_groups(links, 3).tolist() == [0, 0, 0, 0, 1]
    assert linked_groups(links, 3, connection="strong").tolist() == [0, 0, 0, 1, 2]
    assert linked_groups(links[::-1, ::-1], 3, connection="strong").tolist() == [0, 1, 2, 2, 2]
    assert linked_groups(links, 3.1).tolist() == [0, 1, 2, 3, 4]


def test_hoen_joins_largest_partners() -> None:
    assert hoen(Z).tolist() == [0, 0, 1, 1]
    assert hoen(Z, rounds=2).tolist() == [0, 0, 0, 0]
    chain = np.diag([1.0, 2.0, 3.0], k=1)
    assert hoen(chain).tolist() == [0, 0, 0, 0]
    assert hoen(100 * np.eye(3)).tolist() == [0, 1, 2]
    assert hoen([[7.0]]).tolist() == [0]


@settings(deadline=None, max_examples=25)
@given(table=tables)
def test_exact_order_is_the_best_of_all(table: np.ndarray) -> None:
    found = triangulate(table)
    if not table[~np.eye(5, dtype=bool)].any():
        assert np.isnan(found.linearity)
        return
    best = max(linearity(table, order) for order in permutations(range(5)))
    assert found.linearity == pytest.approx(best)
    assert found.linearity == pytest.approx(linearity(table, found.order))
    assert found.linearity >= 0.5 - 1e-9
    searched = triangulate(table, exact=False)
    assert sorted(searched.order.tolist()) == list(range(5))
    assert best + 1e-9 >= searched.linearity >= 0.5 - 1e-9


def test_search_finds_a_hidden_hierarchy() -> None:
    rng = np.random.default_rng(1)
    order = rng.permutation(60)
    hierarchy = np.triu(rng.random((60, 60)), 1)
    hidden = hierarchy[np.ix_(order, order)]
    found = triangulate(hidden)
    assert (found.linearity, found.exact) == (1, False)
    assert order[found.order].tolist() == list(range(60))


def test_search_is_as_good_as_exact_and_repeatable() -> None:
    table = np.exp(np.random.default_rng(2).normal(0, 2, (14, 14)))
    exact, searched = triangulate(table), triangulate(table, exact=False, seed=3)
    assert searched.linearity == pytest.approx(exact.linearity)
    assert searched.order.tolist() == triangulate(table, exact=False, seed=3).order.tolist()
    assert triangulate(table, exact=False, restarts=0).linearity <= exact.linearity + 1e-12


def test_small_orders() -> None:
    assert triangulate([[5.0]]).order.tolist() == [0]
    assert triangulate([[0, 1], [4, 0]]).order.tolist() == [1, 0]
    assert np.isnan(triangulate(np.eye(3)).linearity)


# 0 and 3 supply 1, which supplies 2; demand for 1 and 2.
A = np.array([[0, 0.5, 0, 0], [0, 0, 0.4, 0], [0, 0, 0, 0], [0, 0.3, 0, 0]])
DEMAND = np.array([0, 50, 100, 0])


def test_qualitative_by_hand() -> None:
    """T_0 is 25 (0-1), 15 (3-1) and 40 (1-2), T_1 20 (0-1) and 12 (3-1)."""
    assert qualitative(A, DEMAND, 10).tolist() == [[0, 2, 2, 1], [2, 0, 2, 2], [2, 2, 0, 2], [1, 2, 2, 0]]
    # Above 12 the flow from 3 through 1 to 2 is lost, above 15 that from 3 altogether, above 20 that from 0 to 2.
    assert qualitative(A, DEMAND, 12)[3].tolist() == [1, 2, 1, 0]
    assert qualitative(A, DEMAND, 15)[3].tolist() == [0, 0, 0, 0]
    assert qualitative(A, DEMAND, 20)[0].tolist() == [0, 2, 1, 0]
    assert not qualitative(A, DEMAND, 40).any()


def test_qualitative_both_ways() -> None:
    assert qualitative([[0, 0.2], [0.2, 0]], [100, 100], 10).tolist() == [[0, 3], [3, 0]]
    assert qualitative([[0.9]], [100], 10).tolist() == [[0]]


@settings(deadline=None, max_examples=40)
@given(table=tables)
def test_qualitative_falls_with_the_level(table: np.ndarray) -> None:
    coefficients, demand = table / (table.sum(axis=0) + 1), np.ones(5)
    levels = [qualitative(coefficients, demand, level) for level in (0.01, 0.05, 0.2)]
    for found in levels:
        np.testing.assert_array_equal(found, found.T)
        assert not np.diag(found).any()
    assert (levels[0] >= levels[1]).all()
    assert (levels[1] >= levels[2]).all()


def test_entropy_level_by_hand() -> None:
    """Of 4, 8, ... 36: at 20 the pairs split 2, 2, 1 and three of 0, which says more than any other level."""
    assert entropy_level(A, DEMAND, levels=9) == 20


def test_innovations_are_counted() -> None:
    assert innovation_matrix([2, 2, 0, 2], [0, 0, 0, 1], 3).tolist() == [[1, 0, 0], [0, 0, 0], [2, 1, 0]]
    assert innovation_matrix(np.array([], dtype=int), np.array([], dtype=int), 2).tolist() == [[0, 0], [0, 0]]
    shares = smoothed_shares([[0, 3, 1], [0, 0, 0], [2, 2, 2]], prior=1)
    np.testing.assert_allclose(shares, [[1 / 7, 4 / 7, 2 / 7], [1 / 3] * 3, [1 / 3] * 3])


def test_errors_say_what_to_do() -> None:
    with pytest.raises(ClusterbookError, match="Z has 1 missing or infinite values"):
        streit([[np.nan, 1], [1, 1]])
    with pytest.raises(ClusterbookError, match="Z has 1 negative values"):
        triangulate([[-1, 1], [1, 1]])
    with pytest.raises(ClusterbookError, match=r"Z has shape \(1, 2\)"):
        hoen([[1, 1]])
    with pytest.raises(ClusterbookError, match="rounds=0 is no number of rounds"):
        hoen(Z, rounds=0)
    with pytest.raises(ClusterbookError, match=r"Z has 2 industries\. Profiles can be compared from 3 on"):
        profile_correlation([[1, 2], [3, 4]])
    with pytest.raises(ClusterbookError, match="not symmetric"):
        linkage_factors(Z)
    with pytest.raises(ClusterbookError, match="0 components cannot be had: 3 eigenvalues are positive"):
        linkage_factors(np.eye(3))
    with pytest.raises(ClusterbookError, match="4 components cannot be had"):
        linkage_factors(np.eye(3), count=4)
    with pytest.raises(ClusterbookError, match=r"loadings have shape \(3,\)"):
        varimax([1, 2, 3])
    with pytest.raises(ClusterbookError, match="must be above 0 and below primary"):
        factor_members([[0.5]], secondary=0.6)
    with pytest.raises(ClusterbookError, match="connection='both' is not known"):
        linked_groups(Z, 1, connection="both")  # type: ignore[arg-type]
    with pytest.raises(ClusterbookError, match="links have shape"):
        linked_groups([[1, 2]], 1)
    with pytest.raises(ClusterbookError, match="level=0 must be above 0"):
        qualitative(A, DEMAND, 0)
    with pytest.raises(ClusterbookError, match=r"demand has shape \(4,\), gaps or negative values"):
        qualitative(A, -DEMAND, 1)
    with pytest.raises(ClusterbookError, match="no flows between industries to filter"):
        entropy_level(np.zeros((3, 3)), [1, 1, 1])
    with pytest.raises(ClusterbookError, match="integers from 0 to 1"):
        innovation_matrix([0, 2], [1, 1], 2)
    with pytest.raises(ClusterbookError, match="Give one each"):
        innovation_matrix([0, 1], [1], 2)
    with pytest.raises(ClusterbookError, match="prior=0 must be above 0"):
        smoothed_shares(Z, prior=0)
