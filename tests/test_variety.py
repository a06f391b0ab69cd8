"""Variety, turnover and the data of entry models: known values, identities, gaps and refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import entropy
from clusterbook.measures.variety import entry_frame, turnover, variety

X = np.array(
    [[100, 0, 0, 0, 0], [0, 15, 5, 70, 10], [0, 20, 10, 20, 50], [0, 25, 30, 5, 40], [0, 40, 55, 5, 0]], dtype=float
)
GROUPS = ["a", "b", "b", "c", "c"]


def test_golden_variety() -> None:
    found = variety(X, GROUPS)
    np.testing.assert_allclose(found.unrelated, [0, 0.7219280949, 0.8812908992, 0.992774454, 0.2863969571], atol=1e-9)
    np.testing.assert_allclose(found.related, [0, 0.5971071795, 0.8796731482, 0.773182867, 0.9328437475], atol=1e-9)


@settings(deadline=None, max_examples=60)
@given(
    arrays(np.float64, (4, 6), elements=st.integers(1, 50).map(float)),
    st.lists(st.sampled_from("abc"), min_size=6, max_size=6),
)
def test_related_variety_is_the_entropy_within_groups(E: np.ndarray, groups: list[str]) -> None:
    found = variety(E, groups)
    within = np.zeros(4)
    for group in set(groups):
        inside = E[:, np.array(groups) == group]
        within += inside.sum(axis=1) / E.sum(axis=1) * entropy(inside, over="industries")
    np.testing.assert_allclose(found.related, within, atol=1e-9)
    np.testing.assert_allclose(found.related + found.unrelated, found.total, atol=1e-9)
    np.testing.assert_allclose(variety(E.T, groups, over="regions").related, found.related, atol=1e-12)


def test_variety_edges() -> None:
    E = X.copy()
    E[1, 3], E[2] = np.nan, 0
    for part in variety(E, GROUPS):
        assert np.isnan(part).tolist() == [False, True, True, False, False]
    assert variety(X, ["a"] * 5).unrelated.tolist() == [0] * 5
    apart = variety(X, list("abcde"))
    assert apart.related.tolist() == pytest.approx([0] * 5, abs=1e-12)
    assert (apart.related >= 0).all()
    with pytest.raises(ClusterbookError, match=r"There are 2 groups\. Give one for each of 5"):
        variety(X, ["a", "b"])


def test_turnover() -> None:
    before = np.array([[1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [1, np.nan, 0, 0, 0]])
    after = np.array([[1, 0, 1, 1, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]])
    found = turnover(before, after)
    np.testing.assert_array_equal(found.entries, [2, 1, 0, np.nan])
    np.testing.assert_array_equal(found.exits, [1, 0, 0, np.nan])
    np.testing.assert_array_equal(found.stayers, [1, 0, 5, np.nan])
    np.testing.assert_allclose(found.entry_rate, [2 / 3, 1 / 5, np.nan, np.nan])
    np.testing.assert_allclose(found.exit_rate, [1 / 2, np.nan, 0, np.nan])
    np.testing.assert_allclose(found.persistence, [1 / 2, np.nan, 1, np.nan])
    np.testing.assert_array_equal(turnover(before.T, after.T, over="regions").entries, found.entries)


def test_a_gap_in_the_second_year_leaves_no_rates() -> None:
    found = turnover([[1, 0]], [[1, np.nan]])
    for part in found:
        assert np.isnan(part).all()


M = np.array([[[1, 0, 0], [0, 1, np.nan]], [[1, 1, 0], [0, 0, 1]], [[0, 1, np.nan], [1, 0, 0]]])


def test_entry_frame() -> None:
    density = np.arange(18.0).reshape(3, 2, 3)
    density[0, 0, 2] = np.nan
    size = np.array([[[10], [20]], [[11], [21]], [[12], [22]]])
    found = entry_frame(
        M, [2010, 2015, 2020], ["A", "B"], ["x", "y", "z"], covariates={"density": density, "size": size}
    )
    assert found.rows() == [
        ("A", "y", 2010, 2015, 1, 1.0, 10.0),
        ("A", "z", 2010, 2015, 0, None, 10.0),
        ("B", "x", 2010, 2015, 0, 3.0, 20.0),
        ("B", "x", 2015, 2020, 1, 9.0, 21.0),
        ("B", "y", 2015, 2020, 0, 10.0, 21.0),
    ]
    assert found.columns == ["region", "industry", "from_year", "to_year", "entry", "density", "size"]


def test_exits_and_entries_cover_all_known_cells() -> None:
    labels = ([2010, 2015, 2020], ["A", "B"], ["x", "y", "z"])
    exits = entry_frame(M, *labels, event="exit")
    assert exits.rows() == [
        ("A", "x", 2010, 2015, 0),
        ("B", "y", 2010, 2015, 1),
        ("A", "x", 2015, 2020, 1),
        ("A", "y", 2015, 2020, 0),
        ("B", "z", 2015, 2020, 1),
    ]
    known = ~(np.isnan(M[:-1]) | np.isnan(M[1:]))
    assert exits.height + entry_frame(M, *labels).height == known.sum()
    found = turnover(M[0, :1], M[1, :1])
    first = entry_frame(M, *labels).filter(pl.col("from_year") == 2010, pl.col("region") == "A")
    assert first["entry"].sum() == found.entries[0]


def test_one_year_has_no_entries() -> None:
    assert entry_frame(M[:1], [2010], ["A", "B"], ["x", "y", "z"]).height == 0


def test_errors_say_what_to_do() -> None:
    labels = ([2010, 2015, 2020], ["A", "B"], ["x", "y", "z"])
    with pytest.raises(ClusterbookError, match=r"presence has shape \(2, 2, 3\), labels \(3, 2, 3\)"):
        entry_frame(M[:2], *labels)
    with pytest.raises(ClusterbookError, match="do not ascend"):
        entry_frame(M, [2010, 2010, 2020], ["A", "B"], ["x", "y", "z"])
    with pytest.raises(ClusterbookError, match=r"covariate 'size' has shape \(2,\)\. Give \(3, 2, 3\), \(3, 2, 1\)"):
        entry_frame(M, *labels, covariates={"size": [1, 2]})
    with pytest.raises(ClusterbookError, match="covariate 'size'"):
        entry_frame(M, *labels, covariates={"size": np.ones((3, 4, 3))})
    with pytest.raises(ClusterbookError, match="event='birth' is not known"):
        entry_frame(M, *labels, event="birth")  # type: ignore[arg-type]
    with pytest.raises(ClusterbookError, match="other values than 0, 1 and NaN"):
        turnover([[2]], [[1]])
    with pytest.raises(ClusterbookError, match=r"before has shape \(1, 1\), after \(1, 2\)"):
        turnover([[1]], [[1, 0]])
    with pytest.raises(ClusterbookError, match="an array of 2 dimensions"):
        turnover([1], [1])
