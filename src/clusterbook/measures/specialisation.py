"""Specialisation: shares, location quotients and ranks over tidy tables, and structures compared over arrays.

Every function of cells takes a Polars data frame or lazy frame, a pandas data frame, a DuckDB relation or a PyArrow
table and hands back the same kind with columns added. One row is one cell; keys are not null.

Gaps, in all of them: a null cell (suppressed) has null results and is left out of the totals, which thus hold what is
known; NaN counts as null; a total of zero makes everything that is divided by it null; a cell of zero within positive
totals is 0.

Functions of whole structures (``quotient_matrix``, ``krugman``, ``hachman``) take arrays of sizes, shape (R, I), with
NaN for gaps. The focus of a region on an industry, E_ri / e_r, is the ``region_share`` of ``shares``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal

import narwhals as nw
import numpy as np
import polars as pl
from narwhals.typing import IntoFrameT
from numpy.typing import ArrayLike, NDArray

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import Over, column_shares, reference_shares, require_known, size_columns

Reference = Literal["all", "rest"]
Floats = NDArray[np.float64]
Table = Any  # a Narwhals data frame or lazy frame

_CELL, _REGION, _INDUSTRY, _TOTAL = _WORK = ("__cell", "__region_total", "__industry_total", "__total")


def quotient(cell: Any, region_total: Any, industry_total: Any, total: Any) -> Any:
    """Divide an industry's share of a region by its share of the reference economy.

    The bare formula, for NumPy arrays, Polars and Narwhals expressions alike: LQ = (E_ri / e_r) / (e_i / e).
    Whoever calls it sees to totals of zero.

    Example:
        >>> round(quotient(1714, 79006, 879213, 15593224), 4)
        0.3848

    Source: Farhauer and Kröll (2013), Standorttheorien (the example); also Balassa (1965) for exports.
    """
    return (cell / region_total) / (industry_total / total)


def symmetric_quotient(lq: Any) -> Any:
    """Map quotients to -1 (nothing there) through 0 (as everywhere) to less than 1: (LQ - 1) / (LQ + 1).

    The bare formula, for NumPy arrays, Polars and Narwhals expressions alike.

    Example:
        >>> symmetric_quotient(0.0), symmetric_quotient(1.0), symmetric_quotient(3.0)
        (-1.0, 0.0, 0.5)

    Source: Dalum, Laursen and Villumsen (1998), Structural change in OECD export specialisation patterns,
    International Review of Applied Economics 12.
    """
    return (lq - 1) / (lq + 1)


def log_quotient(lq: ArrayLike) -> Floats:
    """Return the natural logarithm of quotients: twice and half as much are equally far from 0.

    Args:
        lq: location quotients, any shape.

    Returns:
        The same shape. A quotient of 0 has no logarithm: minus infinity, which is not a gap. NaN stays NaN.

    Raises:
        ClusterbookError: a quotient is negative.

    Example:
        >>> log_quotient([0.5, 1, 2]).round(2)
        array([-0.69,  0.  ,  0.69])
    """
    values = np.asarray(lq, dtype=np.float64)
    if (values < 0).any():
        raise ClusterbookError("lq has negative values. Location quotients are 0 or more.")
    return np.log(values, out=np.where(np.isnan(values), np.nan, -np.inf), where=values > 0)


def quotient_matrix(E: ArrayLike) -> Floats:
    """Return the location quotients of an array of sizes, as ``location_quotient`` does for tables.

    Args:
        E: sizes, shape (R, I), not negative.

    Returns:
        Shape (R, I), from 0 to e / max(e_r, e_i). NaN where the cell is (totals hold what is known) and where the
        region or the industry has nothing.

    Raises:
        ClusterbookError: E is not a two-dimensional array of sizes.

    Example:
        >>> quotient_matrix([[3, 1], [1, 3]]).tolist()
        [[1.5, 0.5], [0.5, 1.5]]
    """
    values = size_columns(E, "regions")
    of_region, of_industry, total = known_totals(values)
    empty = (np.where(part > 0, part, np.nan) for part in (of_region, of_industry))
    region_total, industry_total = empty
    return np.asarray(quotient(values, region_total[:, None], industry_total[None, :], total))


def known_totals(values: Floats) -> tuple[Floats, Floats, float]:
    """Return the totals of rows, columns and all of an array (R, I), leaving NaN out."""
    of_region = values.sum(axis=1)
    if np.isnan(of_region).any():
        return known_totals(np.nan_to_num(values))
    return of_region, values.sum(axis=0), float(of_region.sum())


def krugman(E: ArrayLike, *, over: Over = "industries", reference: Literal["all", "rest", "mean"] = "all") -> Floats:
    """Return Krugman's index: the sum of absolute differences between a structure and that of a reference.

    Over industries it says how special the structure of a region is, over regions how special the geography of an
    industry. Against all, half of it is ``hoover``.

    Args:
        E: sizes, shape (R, I), not negative.
        over: 'industries' or 'regions'.
        reference: 'all' takes all lines together, 'rest' all others together, 'mean' the unweighted mean of the shares
            of all others.

    Returns:
        Shape (R,) or (I,), from 0 (the same) to 2 (nothing in common). NaN for lines with a NaN or with nothing in
        them. In the reference, NaN cells count for nothing ('all', 'rest') or their line is left out ('mean'). With no
        other line there is nothing to compare with, 'rest' and 'mean' are NaN.

    Raises:
        ClusterbookError: E is not a two-dimensional array of sizes, or an argument is not known.

    Example:
        >>> jobs = [[6, 2], [2, 6], [2, 2]]
        >>> [krugman(jobs, reference=which).round(4).tolist() for which in ("all", "rest", "mean")]
        [[0.5, 0.5, 0.0], [0.8333, 0.8333, 0.0], [0.75, 0.75, 0.0]]

    Source: Krugman (1991), Geography and Trade; mean of the others: Midelfart-Knarvik, Overman, Redding and Venables
    (2002), The location of European industry.
    """
    require_known("reference", reference, ("all", "rest", "mean"))
    columns = size_columns(E, over)
    structure = column_shares(columns)
    if reference == "all":
        return np.asarray(np.abs(structure - reference_shares(columns, None)).sum(axis=0))
    lines = columns if reference == "rest" else structure
    known = np.nan_to_num(lines)
    others = column_shares(known.sum(axis=1, keepdims=True) - known)
    return np.asarray(np.abs(structure - np.maximum(others, 0.0)).sum(axis=0))


def krugman_pairs(E: ArrayLike, *, over: Over = "industries") -> Floats:
    """Return Krugman's index between all pairs of lines; 1 - half of it is the overlap of two structures.

    Args:
        E: sizes, shape (R, I), not negative.
        over: 'industries' compares regions, 'regions' compares industries.

    Returns:
        Symmetric, shape (R, R) or (I, I), from 0 to 2. NaN for pairs of which one has a NaN or nothing in it.

    Raises:
        ClusterbookError: E is not a two-dimensional array of sizes, or ``over`` is not known.

    Example:
        >>> krugman_pairs([[20, 10, 70, 0, 0], [0, 0, 0, 60, 40]]).tolist()
        [[0.0, 2.0], [2.0, 0.0]]
    """
    from scipy.spatial.distance import cdist  # slow to import, and tables do not need it

    lines = column_shares(size_columns(E, over)).T
    return np.asarray(cdist(lines, lines, "cityblock"))


def hachman(E: ArrayLike, *, over: Over = "industries") -> Floats:
    """Return Hachman's index of diversity: 1 when the structure is that of all regions, towards 0 when it is special.

    1 / sum_i LQ_ri p_ri, the inverse of the average quotient, each weighted by its share of the region.

    Args:
        E: sizes, shape (R, I), not negative.
        over: 'industries' or 'regions'.

    Returns:
        Shape (R,) or (I,), above 0 and up to 1. NaN for lines with a NaN or with nothing in them; NaN cells count for
        nothing in the reference.

    Raises:
        ClusterbookError: E is not a two-dimensional array of sizes, or ``over`` is not known.

    Example:
        >>> hachman([[6, 2], [2, 6], [2, 2]]).tolist()
        [0.8, 0.8, 1.0]

    Source: Hachman (1995), Bureau of Economic and Business Research, University of Utah.
    """
    columns = size_columns(E, over)
    structure, nation = column_shares(columns), reference_shares(columns, None)
    # Where the nation has nothing, no line has.
    ratio = np.divide(structure**2, nation, out=np.where(np.isnan(structure), np.nan, 0.0), where=nation > 0)
    return np.asarray(1 / ratio.sum(axis=0))


def shares(
    frame: IntoFrameT,
    value: str = "employment",
    *,
    region: str = "region",
    industry: str = "industry",
    by: Sequence[str] = ("year",),
    names: tuple[str, str] = ("region_share", "industry_share"),
) -> IntoFrameT:
    """Add what each cell is of its region and what it is of its industry.

    Args:
        frame: one row a cell; any of the kinds of table named at the top of this module.
        value: the column of sizes, not negative.
        region: the column of regions.
        industry: the column of industries (or clusters).
        by: columns within which totals are taken; ``()`` for a table of a single period.
        names: of the columns added: E_ri / e_r and E_ri / e_i, both from 0 to 1.

    Returns:
        The same kind of table with two columns added (or replaced). Eager tables keep the order of their rows; lazy
        ones leave it to their engine.

    Raises:
        ClusterbookError: a column is absent or ``value`` is not a number.

    Example:
        >>> import polars as pl
        >>> jobs = pl.DataFrame({"region": ["A", "A", "B"], "industry": ["x", "y", "x"], "employment": [30, 70, 10]})
        >>> shares(jobs, by=()).select("region_share", "industry_share").rows()
        [(0.3, 0.75), (0.7, 1.0), (1.0, 0.25)]
    """
    table = open_table(frame, [value, region, industry, *by], numeric=value)
    of_region, of_industry = names
    joined = _with_totals(table, value, region, industry, by).with_columns(
        (nw.col(_CELL) / nw.col(_REGION)).alias(of_region),
        (nw.col(_CELL) / nw.col(_INDUSTRY)).alias(of_industry),
    )
    return _close(joined, like=frame)


def location_quotient(
    frame: IntoFrameT,
    value: str = "employment",
    *,
    base: str | Collection[str] | None = None,
    reference: Reference = "all",
    region: str = "region",
    industry: str = "industry",
    by: Sequence[str] = ("year",),
    name: str = "lq",
) -> IntoFrameT:
    """Add the location quotient of each cell: how many times its share of the region is its share elsewhere.

    LQ_ri = (E_ri / e_r) / (e_i / e); 1 means as common as in the reference economy.

    Args:
        frame: one row a cell; any of the kinds of table named at the top of this module.
        value: the column of sizes, not negative.
        base: the activity of which e_r and e are totals. Default: all rows. A collection of industries or the name of
            a boolean column (null counts as false) narrows it, e.g. to traded industries. To compare traded with
            traded and local with local at once, put the column that tells them apart into ``by`` instead.
        reference: 'all' compares with all regions together; 'rest' leaves the own region out of e_i and e.
        region: the column of regions.
        industry: the column of industries (or clusters).
        by: columns within which totals are taken; ``()`` for a table of a single period.
        name: of the column added.

    Returns:
        The same kind of table with one column added (or replaced). Eager tables keep the order of their rows; lazy
        ones leave it to their engine. Null where the cell is null, where e_r or e_i is 0, where the region has
        nothing in the base and, against the rest, where the industry is in no other region.

    Raises:
        ClusterbookError: a column is absent or of the wrong type, or ``base`` is empty.

    Example:
        >>> import polars as pl
        >>> jobs = pl.DataFrame({"region": list("AABB"), "industry": list("xyxy"), "employment": [3, 1, 1, 3]})
        >>> location_quotient(jobs, by=())["lq"].to_list()
        [1.5, 0.5, 0.5, 1.5]
        >>> location_quotient(jobs, by=(), reference="rest")["lq"].to_list()
        [3.0, 0.3333333333333333, 0.3333333333333333, 3.0]

    Source: the Hoover-Balassa quotient. Traded against traded: US Cluster Mapping; all against all: European Cluster
    Observatory.
    """
    if reference not in ("all", "rest"):
        raise ClusterbookError(f"reference='{reference}' is not known. Use 'all' or 'rest' (without the own region).")
    flag = [base] if isinstance(base, str) else []
    table = open_table(frame, [value, region, industry, *by, *flag], numeric=value)
    joined = _with_totals(table, value, region, industry, by, in_base=_in_base(table, base, industry))
    industry_total, total = nw.col(_INDUSTRY), nw.col(_TOTAL)
    if reference == "rest":
        industry_total, total = _positive(industry_total - nw.col(_CELL)), _positive(total - nw.col(_REGION))
    lq = quotient(nw.col(_CELL), nw.col(_REGION), industry_total, total)
    return _close(joined.with_columns(lq.alias(name)), like=frame)


def size_rank(
    frame: IntoFrameT,
    value: str,
    *,
    within: Sequence[str] = ("industry", "year"),
    name: str = "rank",
) -> IntoFrameT:
    """Add the rank of each row by size: 1 is the largest, equals share the better rank (1, 2, 2, 4), null has none.

    Args:
        frame: any of the kinds of table named at the top of this module.
        value: the column to rank by, any numbers.
        within: columns whose combinations are ranked apart; ``()`` ranks the whole table.
        name: of the column added.

    Returns:
        The same kind of table with one column added (or replaced): an integer where the kind can hold gaps among
        integers (plain pandas cannot). Eager tables keep the order of their rows.

    Raises:
        ClusterbookError: a column is absent or ``value`` is not a number.

    Example:
        >>> import polars as pl
        >>> jobs = pl.DataFrame({"region": ["A", "B", "C", "D"], "employment": [5, 9, 5, None]})
        >>> size_rank(jobs, "employment", within=())["rank"].to_list()
        [2, 1, 2, None]
    """
    table = open_table(frame, [value, *within], numeric=value)
    if table.implementation.is_pyarrow() and within:
        # Arrow cannot rank within groups; Polars can, on the same memory.
        arrow: Any = frame
        cells = pl.DataFrame(arrow.select(list(dict.fromkeys([value, *within]))))
        ranks = size_rank(cells, value, within=within, name=name)[name].to_arrow()
        ranked = table.with_columns(nw.new_series(name, ranks, backend="pyarrow"))
    else:
        rank = _known(value).rank("min", descending=True)
        ranked = table.with_columns((rank.over(*within) if within else rank).alias(name))
    native: IntoFrameT = ranked.to_native()
    return native


def open_table(frame: Any, columns: Iterable[str], *, numeric: str) -> Table:
    """Wrap a table for Narwhals after checking that the columns are there and ``numeric`` holds numbers."""
    table = nw.from_native(frame)
    schema = table.collect_schema()
    missing = [f"'{column}'" for column in dict.fromkeys(columns) if column not in schema]
    if missing:
        raise ClusterbookError(
            f"The table has no column {', '.join(missing)}. It has: {', '.join(schema)}. "
            "Say by argument which columns hold what (value=, region=, industry=, year=, by=, within=); "
            "by=() if the table is of a single period."
        )
    if not schema[numeric].is_numeric():
        raise ClusterbookError(
            f"Column '{numeric}' holds {schema[numeric]}, not numbers. Convert it, with null where nothing is known."
        )
    return table


def _known(value: str) -> nw.Expr:
    """Return a column as floats in which nothing is NaN: missing is null."""
    return nw.col(value).cast(nw.Float64).fill_nan(None)


def _positive(total: nw.Expr) -> nw.Expr:
    """Make totals of zero null, so that nothing is divided by them."""
    return nw.when(total > 0).then(total)


def _in_base(table: Table, base: str | Collection[str] | None, industry: str) -> nw.Expr | None:
    if base is None:
        return None
    if isinstance(base, str):
        dtype = table.collect_schema()[base]
        if dtype != nw.Boolean:
            raise ClusterbookError(
                f"base='{base}' names a column of {dtype}, not of booleans. "
                "Make it boolean, or pass the industries themselves as a list."
            )
        return nw.col(base)
    if not base:
        raise ClusterbookError("base is an empty collection of industries. Pass None to count all of them.")
    return nw.col(industry).is_in(list(base))


def _with_totals(
    table: Table, value: str, region: str, industry: str, by: Sequence[str], *, in_base: nw.Expr | None = None
) -> Table:
    """Add the cell as a float and the totals of its region, its industry and everything; totals of zero are null.

    Totals are grouped and joined back rather than taken over windows. On ten million rows windows are no faster in
    Polars, slower in pandas and PyArrow and six times slower in DuckDB; this form serves all of them.
    """
    keys = list(by)
    cells = table.with_columns(_known(value).alias(_CELL))
    in_base_cells = cells if in_base is None else cells.filter(in_base)
    regions = in_base_cells.group_by(region, *keys).agg(nw.col(_CELL).sum().alias(_REGION))
    industries = cells.group_by(industry, *keys).agg(nw.col(_CELL).sum().alias(_INDUSTRY))
    total = nw.col(_REGION).sum().alias(_TOTAL)
    # The grand total rides on the totals by region: one join of the cells less.
    if keys:
        regions = regions.join(regions.group_by(*keys).agg(total), on=keys, how="left")
    else:
        regions = regions.join(regions.select(total), how="cross")
    regions = regions.with_columns(_positive(nw.col(_REGION)), _positive(nw.col(_TOTAL)))
    industries = industries.with_columns(_positive(nw.col(_INDUSTRY)))
    return cells.join(regions, on=[region, *keys], how="left").join(industries, on=[industry, *keys], how="left")


def _close(result: Table, *, like: IntoFrameT) -> IntoFrameT:
    """Drop the working columns and unwrap; pandas gets back the index that joins took away."""
    native = result.drop(*_WORK).to_native()
    index = nw.maybe_get_index(nw.from_native(like))
    restored: IntoFrameT = native if index is None else native.set_axis(index)
    return restored
