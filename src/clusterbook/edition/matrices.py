"""Tables as matrices and back, for the measures that need all pairs at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clusterbook.data.matrix import Matrix

Floats = NDArray[np.float64]


def cluster_matrix(table: pl.DataFrame, value: str, year: int | None = None) -> Matrix:
    """Return one column of a region x cluster table as a dense matrix; absent cells are 0, unknown ones NaN."""
    cells = table if year is None else table.filter(pl.col("year") == year)
    regions, names = cells["region"].unique().sort(), cells["cluster"].unique().sort()
    values = np.zeros((len(regions), len(names)))
    at = (regions.search_sorted(cells["region"]).to_numpy(), names.search_sorted(cells["cluster"]).to_numpy())
    values[at] = cells[value].cast(pl.Float64).to_numpy()
    return Matrix(values, tuple(regions.to_list()), tuple(names.to_list()))


def long_table(matrix: Matrix, columns: Mapping[str, Floats], name: str = "cluster") -> pl.DataFrame:
    """Return arrays of the matrix's shape as a table: one row a cell, one column an array."""
    count = len(matrix.industries)
    return pl.DataFrame(
        {
            "region": np.repeat(matrix.regions, count).tolist(),
            name: list(matrix.industries) * len(matrix.regions),
            **{column: np.asarray(values, dtype=np.float64).ravel() for column, values in columns.items()},
        },
        schema={"region": pl.String, name: pl.String} | dict.fromkeys(columns, pl.Float64),
    )
