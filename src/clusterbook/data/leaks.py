"""Proof that finished tables give no confidential figure away: what may be shown, and what can be told from it.

``protect`` hides cells and sums; tables that were computed from the true figures make further statements about them, as
shares, quotients and ranks. ``withheld`` says which of these must not be shown, ``check_output`` looks for what the
tables of a whole publication give away together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from clusterbook.data.disclosure import (
    ALL,
    TOLERANCE,
    Floats,
    Protected,
    System,
    as_csr,
    published_knowledge,
    uncertainty,
)
from clusterbook.errors import ClusterbookError

#: Numbers in a table that say nothing about the confidential figures.
OPEN_COLUMNS = frozenset({"year", "population", "lon", "lat", "weight", "from_year", "to_year", "wage_year"})

#: Shares and quotients by column: what they are divided by, (region, code), 'own' being the row's. A quotient is
#: divided by the same share of all regions, too.
_SHARES = {"region_share": ("own", ALL), "industry_share": (ALL, "own"), "national_share": (ALL, "own")}
_QUOTIENTS = ("lq", "lq_all")
_OF_ONE_SUM = (
    "rank",
    "rank_lq",
    "stars",
    "wage",
    "wage_relative",
    "growth",
    "growth_relative",
    "published",
    "coverage",
)

_EXPOSED = "stands for a figure that must stay hidden"
_NARROWED = "can be told too closely from all that is shown together"


def withheld(table: pl.DataFrame, protected: Protected) -> pl.DataFrame:
    """Say which figures of a table that was computed from the true figures must not be shown.

    A figure computed from ``protected.panel`` needs no such care: it cannot say more than the panel does. This is for
    figures that somebody wants to compute inside, from the truth, and publish beside the panel. Such a figure may be
    shown only if everything it rests on is published as well:

    - a measure, a rank, a flag, growth or a wage rests on the figure of its row (in every year it compares);
    - ``region_share``, ``industry_share`` and ``national_share`` rest on the total as well, ``lq`` on three totals:
      any of them times the others gives the fourth away;
    - every other number in a row for a whole region or industry (Gini, entropy, largest share) rests on all its cells.

    Args:
        table: rows named by ``region``, ``industry`` or ``cluster``, ``year`` (those that are absent stand for all, and
            for the last year), with figures.
        protected: from ``protect``, with the clusters among its ``groups``.

    Returns:
        A table of booleans of the same height, one column for each column of figures: true where it must be withheld.

    Raises:
        ClusterbookError: the table names rows that the protected panel does not know.

    Example: see docs/confidentiality.md.
    """
    located = _located(table, protected)
    secret = _hidden_at(located, protected)
    out = {}
    for column in _figures(table, protected):
        mask = secret["own"]
        if column.startswith("growth"):
            mask = mask | secret["before"]
        if column in _SHARES:
            mask = mask | secret["region" if column == "region_share" else "everywhere"]
        elif column in _QUOTIENTS:
            mask = mask | secret["region"] | secret["everywhere"] | secret["nation"]
        elif not _of_one_sum(table, column, protected):
            mask = mask | secret["parts"]
        out[column] = mask & table[column].is_not_null()
    return pl.DataFrame(out)


def check_output(
    tables: Mapping[str, pl.DataFrame], protected: Protected, *, digits: Mapping[str, int] | None = None
) -> pl.DataFrame:
    """Try to work the confidential figures out from finished tables, all of them together and with all published sums.

    Every measure, bound, share (``region_share``, ``industry_share``, ``national_share``) and quotient (``lq``,
    ``lq_all``; columns ``kind`` are minded) becomes a linear statement about the hidden cells; linear programmes then
    see how closely each confidential figure can be told. The national structure behind a quotient is taken as known.
    This is the last gate before maps, charts, downloads and pages: pass it the tables that these show.

    Args:
        tables: name -> table, e.g. ``{name: edition.table(name) for name in edition.tables}``.
        protected: from ``protect``.
        digits: decimals to which a column is shown, e.g. ``{'lq': 2}``; default: all there are.

    Returns:
        What leaks, one row each: ``table`` (null where no single one is to blame), ``region``, ``kind``, ``code``,
        ``year``, ``column``, ``finding`` and the range ``lowest`` to ``highest`` that can be told. Empty: nothing
        was found.

    Raises:
        ClusterbookError: a table names rows that the protected panel does not know.

    Example: see docs/confidentiality.md.
    """
    digits = digits or {}
    findings = [_exposures(name, table, protected) for name, table in tables.items()]
    for year, system in protected.systems.items():
        for measure in protected.measures:
            stated = [s for table in tables.values() for s in _statements(table, protected, year, measure, digits)]
            findings.append(_narrowed(stated, protected, system, year, measure))
    return pl.concat([f for f in findings if f.height] or findings[:1])


def _located(table: pl.DataFrame, protected: Protected) -> pl.DataFrame:
    """Return for each row of a table which sum it is about: region, kind, code, year."""
    last = max(protected.systems)
    columns = set(table.columns)
    code = next((c for c in ("industry", "cluster") if c in columns), None)
    kind = pl.lit("industry")
    if code == "cluster":
        kind = pl.when(pl.col("cluster") == ALL).then(kind).otherwise(pl.lit("cluster"))
    year = next((c for c in ("year", "to_year") if c in columns), None)
    return table.select(
        (pl.col("region") if "region" in columns else pl.lit(ALL)).alias("region"),
        kind.alias("kind"),
        (pl.col(code) if code else pl.lit(ALL)).alias("code"),
        (pl.col(year) if year else pl.lit(last)).cast(pl.Int64).alias("year"),
        (pl.col("from_year") if "from_year" in columns else pl.lit(None)).cast(pl.Int64).alias("before"),
        pl.int_range(pl.len()).alias("row"),
    )


def _figures(table: pl.DataFrame, protected: Protected) -> list[str]:
    """Return the columns that hold figures derived from the protected measures."""
    public = OPEN_COLUMNS | (set(protected.panel.measures) - set(protected.measures))
    kinds = table.schema.items()
    return [c for c, kind in kinds if (kind.is_numeric() or kind == pl.Boolean) and c not in public]


def _is_about_sums(table: pl.DataFrame) -> bool:
    return bool({"region", "industry", "cluster"} & set(table.columns))


def _of_one_sum(table: pl.DataFrame, column: str, protected: Protected) -> bool:
    return column in (*protected.measures, *_OF_ONE_SUM) or table.schema[column] == pl.Boolean


def _hidden_at(located: pl.DataFrame, protected: Protected) -> dict[str, pl.Series]:
    """Return for each row whether its own sum, the totals around it or any of its cells are hidden."""
    status = pl.concat(protected.truth.values()).select(
        "region", "kind", "code", pl.col("year").cast(pl.Int64), "hidden"
    )

    def at(region: pl.Expr, code: pl.Expr, year: str = "year") -> pl.Series:
        kind = pl.when(code == ALL).then(pl.lit("industry")).otherwise("kind").alias("kind")
        wanted = located.select(region.alias("region"), kind, code.alias("code"), pl.col(year).alias("year"))
        return wanted.join(status, on=["region", "kind", "code", "year"], how="left", maintain_order="left")["hidden"]

    every, region, code = pl.lit(ALL), pl.col("region"), pl.col("code")
    own, before = at(region, code), at(region, code, "before")
    unknown = own.is_null() | (before.is_null() & located["before"].is_not_null())
    if unknown.any():
        first = located.filter(unknown).select("region", "code", "year").row(0)
        raise ClusterbookError(
            f"The protected panel knows no sum for region {first[0]}, {first[1]}, {first[2]}. Were the clusters given "
            "to protect() as groups, and is the table of the same regions, industries and years?"
        )
    parts = status.filter("hidden").filter(pl.col("region") != ALL, pl.col("code") != ALL)
    of_region = located.join(parts, on=["region", "year"], how="semi")["row"]
    of_code = located.join(parts, on=["kind", "code", "year"], how="semi")["row"]
    of_year = located.join(parts, on="year", how="semi")["row"]
    row, whole_region, whole_code = pl.col("row"), code == ALL, region == ALL
    has_part = (
        (row.is_in(of_region.implode()) & whole_region & ~whole_code)
        | (row.is_in(of_code.implode()) & whole_code & ~whole_region)
        | (row.is_in(of_year.implode()) & whole_code & whole_region)
    )
    return {
        "own": own.fill_null(False),
        "before": before.fill_null(False),
        "region": at(region, every).fill_null(False),
        "everywhere": at(every, code).fill_null(False),
        "nation": at(every, every).fill_null(False),
        "parts": located.select(has_part.alias("parts"))["parts"],
    }


def _exposures(name: str, table: pl.DataFrame, protected: Protected) -> pl.DataFrame:
    """Return the figures that stand in the place of a hidden one, whatever they are called."""
    empty = _findings(pl.DataFrame(), name, "", "")
    if not _is_about_sums(table) or not table.height:
        return empty
    located = _located(table, protected)
    secret = _hidden_at(located, protected)
    single = (located["region"] != ALL) & (located["code"] != ALL)
    parts = []
    for column in _figures(table, protected):
        if column.endswith(("_lo", "_hi")):
            continue  # bounds are tested as statements
        direct = _of_one_sum(table, column, protected) or column in (*_SHARES, *_QUOTIENTS, "share")
        hidden = secret["own"] | secret["before"] if column.startswith("growth") else secret["own"]
        shown = hidden & table[column].is_not_null() & (single | direct)
        parts.append(_findings(located.filter(shown), name, column, _EXPOSED))
    return pl.concat([empty, *parts])


def _findings(rows: pl.DataFrame, table: str | None, column: str, finding: str) -> pl.DataFrame:
    schema = {"table": pl.String, "region": pl.String, "kind": pl.String, "code": pl.String, "year": pl.Int64}
    schema |= {"column": pl.String, "finding": pl.String, "lowest": pl.Float64, "highest": pl.Float64}
    if not rows.height:
        return pl.DataFrame(schema=schema)
    filled = rows.with_columns(table=pl.lit(table), column=pl.lit(column), finding=pl.lit(finding))
    ranges = [pl.lit(None).alias(c) for c in ("lowest", "highest") if c not in rows.columns]
    return filled.with_columns(ranges).select(pl.col(c).cast(kind) for c, kind in schema.items())


Statement = tuple[sparse.csr_array, Floats, Floats]  # low <= forms @ cells <= high


def _statements(
    table: pl.DataFrame, protected: Protected, year: int, measure: str, digits: Mapping[str, int]
) -> list[Statement]:
    """Return what a table says about the cells of one year in one measure."""
    if not _is_about_sums(table) or "to_year" in table.columns:
        return []
    system = protected.systems[year]
    true = protected.truth[year][measure].to_numpy()
    numbered = pl.DataFrame(system.names, schema=["region", "kind", "code"], orient="row").with_row_index("sum")
    located = _located(table, protected).filter(year=year)
    located = located.join(numbered, on=["region", "kind", "code"], maintain_order="left")
    own = located["sum"].to_numpy()
    rows = table[located["row"].to_list()]

    def sums(region: str, code: str) -> NDArray[np.int64]:
        keys = [
            (r if region == "own" else ALL, *((k, c) if code == "own" else ("industry", ALL)))
            for r, k, c in located.select("region", "kind", "code").iter_rows()
        ]
        return np.array([system.place[key] for key in keys], dtype=np.int64)

    def shown(column: str) -> tuple[Floats, Floats, NDArray[np.intp]]:
        value = rows[column].cast(pl.Float64).to_numpy()
        at = np.flatnonzero(~np.isnan(value))
        error = 0.5 * 10.0 ** -digits[column] if column in digits else 0.0
        return value[at] - error, value[at] + error, at

    stated: list[Statement] = []
    same = [measure, *(["published"] if measure == protected.panel.size else [])]
    for column in (c for c in same if c in rows.columns):
        low, high, at = shown(column)
        stated.append((as_csr(system.forms[own[at]]), low, high))
    for column, side in ((f"{measure}_lo", 0), (f"{measure}_hi", 1)):
        if column in rows.columns:
            low, high, at = shown(column)
            free = np.full(len(at), np.inf)
            stated.append((as_csr(system.forms[own[at]]), *((low, free) if side == 0 else (-free, high))))
    if measure != protected.panel.size:
        return stated
    for column, (region, code) in _SHARES.items():
        if column in rows.columns:
            low, high, at = shown(column)
            stated += _ratio(system.forms[own[at]], system.forms[sums(region, code)[at]], low, high)
    for column in (c for c in _QUOTIENTS if c in rows.columns):
        low, high, at = shown(column)
        part, whole = true[sums(ALL, "own")], np.full(len(own), true[system.place[ALL, "industry", ALL]])
        of_region = system.forms[sums("own", ALL)]
        if column == "lq" and "kind" in rows.columns:  # traded against traded
            label = located.select("region").hstack(rows.select("kind")).with_columns(cluster=located["code"])
            same_kind = _membership(label.select("region", "kind"))
            of_region = same_kind @ system.forms[own]
            nation = label.select("kind", "cluster").with_columns(part=part).unique(["kind", "cluster"])
            totals = dict(nation.group_by("kind").agg(pl.sum("part")).iter_rows())
            whole = np.array([totals[k] for k in label["kind"]])
        known = (part[at] > 0) & (whole[at] > 0)
        at, low, high = at[known], low[known], high[known]
        usual = part[at] / whole[at]
        stated += _ratio(system.forms[own[at]], as_csr(of_region)[at], low * usual, high * usual)
    return stated


def _membership(labels: pl.DataFrame) -> sparse.csr_array:
    """Return (rows, rows) ones where two rows have the same labels."""
    group = labels.select(pl.struct(pl.all()).rank("dense").alias("g"))["g"].to_numpy().astype(np.int64) - 1
    one = as_csr(sparse.coo_array((np.ones(len(group)), (np.arange(len(group)), group))))
    return as_csr(one @ one.T)


def _ratio(part: Any, whole: Any, low: Floats, high: Floats) -> list[Statement]:
    """Write low <= part / whole <= high as two linear statements."""
    part, whole = as_csr(part), as_csr(whole)
    endless, nothing = np.full(len(low), np.inf), np.zeros(len(low))
    return [
        (as_csr(part - sparse.diags_array(low) @ whole), nothing, endless),
        (as_csr(part - sparse.diags_array(high) @ whole), -endless, nothing),
    ]


def _narrowed(stated: list[Statement], protected: Protected, system: System, year: int, measure: str) -> pl.DataFrame:
    """Return the confidential sums that published sums and statements together tell too closely."""
    truth = protected.truth[year]
    values, hidden = truth[measure].to_numpy(), truth["hidden"].to_numpy()
    record = protected.audit.filter(year=year, measure=measure)
    cells = system.forms.shape[1]
    unknown = np.flatnonzero(hidden[:cells] & protected.panel.frame.filter(year=year)[measure].is_null().to_numpy())
    if not record.height:
        return _findings(pl.DataFrame(), None, measure, "")
    base = values[:cells].copy()
    base[unknown] = 0
    known = published_knowledge(system, values, hidden, unknown)
    parts, lows, highs = [known.forms], [known.low], [known.high]
    for forms, low, high in stated:
        at, given = forms @ values[:cells], forms @ base
        slack = TOLERANCE * 1e-2 * (1 + abs(forms) @ values[:cells])
        true = (at >= low - slack) & (at <= high + slack)  # figures that rest on other totals say nothing about these
        parts.append(as_csr(forms[true][:, unknown]))
        lows.append((np.minimum(low, at) - given)[true])
        highs.append((np.maximum(high, at) - given)[true])
    everything = replace(
        known, forms=as_csr(sparse.vstack(parts)), low=np.concatenate(lows), high=np.concatenate(highs)
    )
    wanted = np.array(
        [system.place[key] for key in record.select("region", "kind", "code").iter_rows()], dtype=np.int64
    )
    needed = record.select("lowest_needed", "highest_needed").to_numpy()
    found, enough = uncertainty(system, everything, wanted, needed, values=values, unknown=unknown)
    rows = record.select("region", "kind", "code", "year").with_columns(
        pl.Series("lowest", found[:, 0]), pl.Series("highest", found[:, 1])
    )
    return _findings(rows.filter(pl.Series(~enough)), None, measure, _NARROWED)
