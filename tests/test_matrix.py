"""A tidy table as a matrix and back: what is absent is zero, what is unknown stays unknown."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clusterbook as cb
from clusterbook.data.matrix import long_table, matrix_of

JOBS = pl.DataFrame(
    {
        "region": ["B", "A", "A", "A"],
        "industry": ["x", "y", "x", "x"],
        "year": [2019, 2019, 2019, 2018],
        "jobs": [3, None, 1, 9],
    }
)


def test_rows_and_columns_are_sorted_gaps_are_nan_and_absent_cells_zero() -> None:
    found = matrix_of(JOBS, "jobs", columns="industry", year=2019)
    assert (found.regions, found.industries) == (("A", "B"), ("x", "y"))
    np.testing.assert_array_equal(found.values, [[1, np.nan], [3, 0]])


def test_a_year_without_rows_is_an_empty_matrix() -> None:
    assert matrix_of(JOBS, "jobs", columns="industry", year=2000).values.shape == (0, 0)
    assert long_table(matrix_of(JOBS.clear(), "jobs", columns="industry"), {}).height == 0


_CELLS = st.dictionaries(
    st.tuples(st.sampled_from("ABC"), st.sampled_from("xyz")), st.none() | st.floats(0, 1e9), min_size=1
)


@given(_CELLS)
def test_a_table_comes_back_with_every_pair(cells: dict[tuple[str, str], float | None]) -> None:
    rows = [(region, cluster, value) for (region, cluster), value in cells.items()]
    table = pl.DataFrame(rows, schema={"region": pl.String, "cluster": pl.String, "jobs": pl.Float64}, orient="row")
    matrix = matrix_of(table, "jobs")
    back = long_table(matrix, {"jobs": matrix.values})
    assert back.height == table["region"].n_unique() * table["cluster"].n_unique()
    assert back["jobs"].is_nan().sum() == 0
    for region, cluster, value in back.iter_rows():
        assert value == cells.get((region, cluster), 0.0)


def test_a_matrix_keeps_its_labels() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 2\), labels \(1, 1\)"):
        cb.Matrix(np.zeros((1, 2)), ("A",), ("x",))
