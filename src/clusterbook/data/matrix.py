"""A dense regions x industries table that keeps its labels, from a tidy table and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Matrix:
    """Values of shape (R, I) with the region and industry codes of its rows and columns."""

    values: Floats
    regions: tuple[str, ...]
    industries: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.regions), len(self.industries)):
            raise ValueError(
                f"values have shape {self.values.shape}, labels ({len(self.regions)}, {len(self.industries)})"
            )

    def columns(self, industries: tuple[str, ...]) -> Matrix:
        """Return the same rows with only the named industries, in the order given."""
        place = {code: k for k, code in enumerate(self.industries)}
        return Matrix(self.values[:, [place[code] for code in industries]], self.regions, industries)


def matrix_of(table: pl.DataFrame, value: str, *, columns: str = "cluster", year: int | None = None) -> Matrix:
    """Return one column of a table with one row a region and code as a matrix.

    Args:
        table: ``region``, the code, the value and, where ``year`` is given, ``year``; no two rows share their keys.
        value: the column of values.
        columns: the column of codes that become the matrix's columns.
        year: take this year only.

    Returns:
        Regions and codes of the table, both sorted. An absent row is 0, an unknown value NaN.

    Example:
        >>> jobs = pl.DataFrame({"region": ["A", "A", "B"], "cluster": ["x", "y", "x"], "jobs": [1, None, 3]})
        >>> matrix_of(jobs, "jobs").values.tolist()
        [[1.0, nan], [3.0, 0.0]]
    """
    cells = table if year is None else table.filter(pl.col("year") == year)
    regions, codes = cells["region"].unique().sort(), cells[columns].unique().sort()
    values = np.zeros((len(regions), len(codes)))
    at = (regions.search_sorted(cells["region"]).to_numpy(), codes.search_sorted(cells[columns]).to_numpy())
    values[at] = cells[value].cast(pl.Float64).to_numpy()
    return Matrix(values, tuple(regions.to_list()), tuple(codes.to_list()))


def long_table(matrix: Matrix, values: Mapping[str, Floats], *, columns: str = "cluster") -> pl.DataFrame:
    """Return arrays of the matrix's shape as a table: one row a cell, one column an array, null where NaN.

    Example:
        >>> jobs = Matrix(np.array([[1.0, 2.0]]), ("A",), ("x", "y"))
        >>> long_table(jobs, {"double": 2 * jobs.values}).rows()
        [('A', 'x', 2.0), ('A', 'y', 4.0)]
    """
    regions, codes = pl.Series(matrix.regions, dtype=pl.String), pl.Series(matrix.industries, dtype=pl.String)
    return pl.DataFrame(
        {
            "region": regions.gather(np.repeat(np.arange(len(regions)), len(codes))),
            columns: codes.gather(np.tile(np.arange(len(codes)), len(regions))),
            **{name: pl.Series(np.asarray(array, np.float64).ravel()).fill_nan(None) for name, array in values.items()},
        }
    )
