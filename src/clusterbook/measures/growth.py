"""Growth: of cells between two years over a tidy table, and of arrays over many years or by what lies behind it."""

from __future__ import annotations

from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
from narwhals.typing import IntoFrameT
from numpy.typing import ArrayLike, NDArray

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import Over, require_sizes, size_columns
from clusterbook.measures.specialisation import Table, open_table

Floats = NDArray[np.float64]


class JobFlows(NamedTuple):
    """Gross flows as parts of the average size, each (R,) or (I,): ``creation`` - ``destruction`` is net growth."""

    creation: Floats
    destruction: Floats


def growth(
    frame: IntoFrameT,
    value: str = "employment",
    *,
    start: int | None = None,
    end: int | None = None,
    region: str = "region",
    industry: str = "industry",
    year: str = "year",
    annual: bool = True,
    name: str = "growth",
) -> IntoFrameT:
    """Return how much each region's industry grew from one year to another.

    Relative change is V_end / V_start - 1; the compound annual rate is (V_end / V_start) ** (1 / years) - 1. Both are
    fractions: 0.02 is two percent.

    Args:
        frame: one row a region, industry and year; a Polars data frame or lazy frame, a pandas data frame, a DuckDB
            relation or a PyArrow table.
        value: the column of sizes, not negative.
        start: first year; default: the first in the table.
        end: last year; default: the last in the table.
        region: the column of regions.
        industry: the column of industries (or clusters).
        year: the column of years, integers. Which years there are is asked of lazy tables at once.
        annual: the rate a year rather than the change over the whole time.
        name: of the column of growth.

    Returns:
        The same kind of table: the keys of all cells that have a row in either year, sorted, with ``from_year``,
        ``to_year``, ``<value>_start``, ``<value>_end`` and growth. Growth is null where it is not defined (it starts
        from zero, or both years are the same) or not known (a year is missing or suppressed).

    Raises:
        ClusterbookError: a column is absent, ``value`` is not a number, a year has no rows or the end is before the
            start.

    Example:
        >>> import polars as pl
        >>> jobs = pl.DataFrame({"region": ["A"] * 3, "industry": ["x"] * 3, "year": [2017, 2018, 2019]})
        >>> growth(jobs.with_columns(employment=pl.Series([100, 50, 121])))["growth"].round(6).to_list()
        [0.1]
    """
    table = open_table(frame, [value, region, industry, year], numeric=value)
    first, last = _span(table, year, start, end)
    keys = [region, industry]
    of_start, of_end = nw.col(f"{value}_start"), nw.col(f"{value}_end")
    exponent = 1 / (last - first) if annual and last > first else 1.0
    defined = (of_start > 0) & (of_end >= 0) & nw.lit(last > first)
    found = table.filter(nw.col(year).is_in([first, last])).select(*keys).unique()
    for when, suffix in ((first, "start"), (last, "end")):
        size = nw.col(value).cast(nw.Float64).fill_nan(None).alias(f"{value}_{suffix}")
        found = found.join(table.filter(nw.col(year) == when).select(*keys, size), on=keys, how="left")
    grown = found.select(
        *keys,
        nw.lit(first).alias("from_year"),
        nw.lit(last).alias("to_year"),
        of_start,
        of_end,
        nw.when(defined).then((of_end / of_start) ** exponent - 1).alias(name),
    )
    native: IntoFrameT = grown.sort(*keys).to_native()
    return native


def symmetric_growth(start: Any, end: Any) -> Any:
    """Divide the change by the average of both years: 2 (end - start) / (end + start).

    The bare formula, for NumPy arrays, Polars and Narwhals expressions alike. It is bounded and knows births (2) and
    deaths (-2), which relative change does not; for small changes the two agree, and swapping the years swaps the sign.
    Whoever calls it sees to cells that are empty in both years.

    Example:
        >>> symmetric_growth(100, 110), symmetric_growth(0, 7), symmetric_growth(7, 0)
        (0.09523809523809523, 2.0, -2.0)

    Source: Davis, Haltiwanger and Schuh (1996), Job Creation and Destruction.
    """
    return 2 * (end - start) / (end + start)


def trend_growth(E: ArrayLike, years: ArrayLike | None = None) -> Floats:
    """Return the annual rate of a trend through all years, of which no single one decides: exp(slope of ln E) - 1.

    The slope is that of least squares against the years.

    Args:
        E: sizes year by year, shape (T, ...), not negative, T at least 2.
        years: shape (T,), not all the same; default: consecutive ones.

    Returns:
        Shape (...), fractions a year. NaN where any year is NaN, and where any is 0, which has no logarithm.

    Raises:
        ClusterbookError: E is not of sizes, or the years do not fit.

    Example:
        >>> trend_growth([[100, 100], [110, 140], [121, 121]]).round(4)
        array([0.1, 0.1])
    """
    sizes = np.asarray(E, dtype=np.float64)
    when = np.arange(len(sizes), dtype=np.float64) if years is None else np.asarray(years, dtype=np.float64)
    if sizes.ndim < 1 or when.shape != sizes.shape[:1] or not np.ptp(when) > 0:
        raise ClusterbookError(f"E has shape {sizes.shape}, years {when.shape}. Give two different years or more.")
    require_sizes("E", sizes)
    deviation = when - when.mean()
    logarithms = np.log(np.where(sizes > 0, sizes, np.nan))
    slope = np.tensordot(deviation, logarithms, axes=1) / (deviation @ deviation)
    return np.asarray(np.expm1(slope))


def job_flows(E0: ArrayLike, E1: ArrayLike, *, over: Over = "industries") -> JobFlows:
    """Tell growth that replaces from growth that adds: what growing cells gained, and what shrinking ones lost.

    Creation sum max(E1 - E0, 0), destruction sum max(E0 - E1, 0), both divided by the average of the two totals.

    Args:
        E0: sizes at the start, shape (R, I), not negative.
        E1: sizes at the end, same shape.
        over: 'industries' adds up over the industries of each region, 'regions' over the regions of each industry.

    Returns:
        Two arrays of shape (R,) or (I,), from 0 to 2. Twice the smaller of the two is what changed hands beyond net
        growth. Flows within a cell are not seen: finer cells show more. NaN for lines with a NaN or with nothing in
        both years.

    Raises:
        ClusterbookError: the arrays are not of sizes or do not fit each other, or ``over`` is not known.

    Example:
        >>> job_flows([[50, 50], [90, 10]], [[60, 50], [60, 40]])
        JobFlows(creation=array([0.0952381, 0.3      ]), destruction=array([0. , 0.3]))

    Source: Davis, Haltiwanger and Schuh (1996), Job Creation and Destruction.
    """
    before, after = size_columns(E0, over), size_columns(E1, over)
    if before.shape != after.shape:
        raise ClusterbookError(f"E0 and E1 differ in shape: {np.shape(E0)} and {np.shape(E1)}. Give the same cells.")
    change = after - before
    average = (before.sum(axis=0) + after.sum(axis=0)) / 2
    average = np.where(average > 0, average, np.nan)
    creation, destruction = (np.maximum(part, 0.0).sum(axis=0) / average for part in (change, -change))
    return JobFlows(creation, destruction)


def _span(table: Table, year: str, start: int | None, end: int | None) -> tuple[int, int]:
    """Return the two years, checked against those in the table."""
    distinct = table.select(year).unique()
    eager = distinct.collect() if isinstance(distinct, nw.LazyFrame) else distinct
    years = sorted(int(y) for y in eager[year].drop_nulls().to_list())
    if not years:
        raise ClusterbookError("The table has no rows, so there are no years to compare.")
    first, last = (years[0] if start is None else start), (years[-1] if end is None else end)
    absent = [str(y) for y in (first, last) if y not in years]
    if absent:
        raise ClusterbookError(
            f"The table has no rows of {' and '.join(absent)}. Choose among its years: {', '.join(map(str, years))}."
        )
    if last < first:
        raise ClusterbookError(f"Growth runs forward: end={last} is before start={first}. Swap them.")
    return first, last
