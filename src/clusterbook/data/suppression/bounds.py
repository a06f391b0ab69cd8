"""What a source says about a cell it does not show: flags, size classes, establishment counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clusterbook.errors import ClusterbookError

Floats = NDArray[np.float64]

#: Employment flags of US County Business Patterns up to 2016: the jobs of a withheld cell lie between the two numbers.
CBP_FLAGS: dict[str, tuple[float, float]] = {
    "A": (0, 19),
    "B": (20, 99),
    "C": (100, 249),
    "E": (250, 499),
    "F": (500, 999),
    "G": (1_000, 2_499),
    "H": (2_500, 4_999),
    "I": (5_000, 9_999),
    "J": (10_000, 24_999),
    "K": (25_000, 49_999),
    "L": (50_000, 99_999),
    "M": (100_000, np.inf),
}

#: Employment size classes of establishments in US County Business Patterns.
CBP_SIZE_CLASSES: tuple[tuple[float, float], ...] = (
    (1, 4),
    (5, 9),
    (10, 19),
    (20, 49),
    (50, 99),
    (100, 249),
    (250, 499),
    (500, 999),
    (1_000, np.inf),
)


def bounds_from_flags(
    frame: pl.DataFrame,
    flag: str = "flag",
    *,
    measure: str = "employment",
    flags: Mapping[str, tuple[float, float]] = CBP_FLAGS,
) -> pl.DataFrame:
    """Turn a column of flags into bounds.

    Args:
        frame: one row a cell, with a text column of flags, null or blank where the figure is disclosed.
        flag: the name of that column.
        measure: what is bounded. Its value becomes null in flagged rows (old County Business Patterns prints 0 there).
        flags: lower and upper bound of each flag; other countries pass their own table.

    Returns:
        The frame without the flag column, with ``<measure>_lo`` and ``<measure>_hi`` (null where no flag stands; null
        ``_hi`` beside a ``_lo`` means unbounded above).

    Raises:
        ClusterbookError: a flag is not in the table.

    Example:
        >>> import polars as pl
        >>> cells = pl.DataFrame({"employment": [31.0, 0.0], "flag": [None, "C"]})
        >>> bounds_from_flags(cells).rows()
        [(31.0, None, None), (None, 100.0, 249.0)]

    Source: County Business Patterns, record layouts to reference year 2016.
    """
    code = pl.col(flag).str.strip_chars()
    marked = frame.with_columns(pl.when(code != "").then(code).alias(flag))
    unknown = sorted(set(marked[flag].drop_nulls().unique()) - set(flags))
    if unknown:
        raise ClusterbookError(
            f"Column '{flag}' holds flags without bounds: {', '.join(unknown[:10])}. Known are {', '.join(flags)}; "
            "pass flags={'your flag': (lowest, highest)}."
        )
    bounds = pl.DataFrame(
        {
            flag: list(flags),
            f"{measure}_lo": [float(low) for low, _ in flags.values()],
            f"{measure}_hi": [float(high) if np.isfinite(high) else None for _, high in flags.values()],
        },
        schema_overrides={f"{measure}_hi": pl.Float64},
    )
    flagged = pl.col(flag).is_not_null()
    return (
        marked.join(bounds, on=flag, how="left", maintain_order="left")
        .with_columns(pl.when(~flagged).then(measure).alias(measure))
        .drop(flag)
    )


def bounds_from_size_classes(
    counts: Floats, classes: Sequence[tuple[float, float]] = CBP_SIZE_CLASSES
) -> tuple[Floats, Floats]:
    """Bound the jobs of cells by how many of their establishments fall into each size class.

    Args:
        counts: shape (cells, classes), establishments.
        classes: smallest and largest number of jobs of an establishment in each class, lowest class first.

    Returns:
        Lower and upper bounds in jobs, each of shape (cells,): sum of n_k L_k and of n_k U_k. The upper one is inf
        where the open class is not empty.

    Raises:
        ValueError: counts and classes differ in number, or a count is negative or missing.

    Example:
        >>> import numpy as np
        >>> low, high = bounds_from_size_classes(np.array([[2, 0, 1]]), [(1, 4), (5, 9), (10, 19)])
        >>> low.tolist(), high.tolist()
        ([12.0], [27.0])

    Source: Isserman and Westervelt (2006), 1.5 million missing numbers, International Regional Science Review 29.
    """
    counts = np.asarray(counts, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[1] != len(classes):
        raise ValueError(f"counts have shape {counts.shape}; expected (cells, {len(classes)}), one column a size class")
    if not (counts >= 0).all():
        raise ValueError("counts of establishments must be zero or more, without gaps")
    low, high = (np.array(ends, dtype=np.float64) for ends in zip(*classes, strict=True))
    top = np.where(counts > 0, counts, 0.0) * np.where(counts > 0, high, 0.0)  # 0 x inf is nothing here
    return counts @ low, top.sum(axis=1)


def bounds_from_establishments(
    establishments: Floats, *, smallest: float = 0.0, largest: float = np.inf
) -> tuple[Floats, Floats]:
    """Bound the jobs of cells by their number of establishments.

    Args:
        establishments: shape (cells,).
        smallest: fewest jobs an establishment can have. 0 in County Business Patterns, where a plant counts that
            has nobody on its payroll in mid-March.
        largest: most jobs one can have.

    Returns:
        Lower and upper bounds in jobs, each of shape (cells,). No establishment means no jobs.

    Raises:
        ValueError: a count is negative or missing.

    Example:
        >>> import numpy as np
        >>> low, high = bounds_from_establishments(np.array([0, 2]), smallest=1, largest=499)
        >>> low.tolist(), high.tolist()
        ([0.0, 2.0], [0.0, 998.0])

    Source: arithmetic.
    """
    counts = np.asarray(establishments, dtype=np.float64)
    if not (counts >= 0).all():
        raise ValueError("counts of establishments must be zero or more, without gaps")
    high = np.zeros_like(counts)
    np.multiply(counts, largest, out=high, where=counts > 0)
    return counts * smallest, high
