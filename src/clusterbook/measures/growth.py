"""Growth of cells between two years, over a tidy table."""

from __future__ import annotations

import narwhals as nw
from narwhals.typing import IntoFrameT

from clusterbook.errors import ClusterbookError
from clusterbook.measures.specialisation import Table, open_table


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
