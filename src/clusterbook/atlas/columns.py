"""Tables of an edition as the columns a page reads: rounded as they are shown, gaps as null."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

import polars as pl

from clusterbook.edition.store import Edition

Columns = dict[str, Any]
#: Codes to put positions in the place of: new column to (old column, the codes in their order).
Placed = Mapping[str, tuple[str, list[str]]]

#: Texts of which so few are different, for how many there are, are written once and named by position.
REPEATED = 0.5


def whole_or_three_digits(value: pl.Expr) -> pl.Expr:
    """Round amounts: whole numbers from 100 on, three significant digits below (jobs, establishments, output)."""
    return pl.when(value.abs() >= 100).then(value.round(0)).otherwise(value.round_sig_figs(3))


def as_quotient(value: pl.Expr) -> pl.Expr:
    """Round quotients: two decimals below 10, one below 100, none above; what would become 0 keeps one digit."""
    return (
        pl.when(value < 0.005)
        .then(value.round_sig_figs(1))
        .when(value < 9.995)
        .then(value.round(2))
        .when(value < 99.95)
        .then(value.round(1))
        .otherwise(value.round(0))
    )


def as_share(value: pl.Expr) -> pl.Expr:
    """Round shares for display in per cent: one decimal from 1% on, two below; what would become 0 keeps one digit."""
    return (
        pl.when(value < 0.00005)
        .then(value.round_sig_figs(1))
        .when(value < 0.00995)
        .then(value.round(4))
        .otherwise(value.round(3))
    )


def as_growth(value: pl.Expr) -> pl.Expr:
    """Round yearly rates to a tenth of a per cent."""
    return value.round(3)


def as_index(value: pl.Expr) -> pl.Expr:
    """Round to two decimals (indices between 0 and 1, degrees)."""
    return value.round(2)


def as_small(value: pl.Expr) -> pl.Expr:
    """Round to three decimals (probabilities, indices near 0, places in a drawing)."""
    return value.round(3)


def as_change(value: pl.Expr) -> pl.Expr:
    """Round changes of an amount: whole numbers from 10 on, two significant digits below."""
    return pl.when(value.abs() >= 10).then(value.round(0)).otherwise(value.round_sig_figs(2))


def three_digits(value: pl.Expr) -> pl.Expr:
    """Round to three significant digits."""
    return value.round_sig_figs(3)


#: How each column is shown. Columns that are not named here are amounts.
ROUNDING = {
    "lq": as_quotient,
    "lq_all": as_quotient,
    "lq_lo": as_quotient,
    "lq_hi": as_quotient,
    "lq_low95": as_quotient,
    "lq_high95": as_quotient,
    "lq_q": as_small,
    "region_share": as_share,
    "national_share": as_share,
    "share": as_share,
    "traded_share": as_share,
    "strong_share": as_share,
    "largest_share": as_share,
    "coverage": as_share,
    "trend_coverage": as_share,
    "growth": as_growth,
    "growth_national": as_growth,
    "growth_relative": as_growth,
    "gini": as_index,
    "similarity": as_index,
    "wage_relative": as_index,
    "herfindahl": three_digits,
    "entropy": three_digits,
    "effective_clusters": three_digits,
    "effective_regions": three_digits,
    "change": as_change,
    "national": as_change,
    "mix": as_change,
    "local": as_change,
    "gamma_counts": as_small,
    "moran": as_index,
    "moran_p": as_small,
    "eci": as_index,
    "pci": as_index,
    "related_variety": as_index,
    "unrelated_variety": as_index,
    "density": as_small,
    "distance": as_small,
    "within": as_index,
    "between": as_index,
    "resource_share": as_share,
    "stability": as_index,
    "closest_similarity": as_index,
    "own_weight": as_index,
    "proximity": as_index,
    "x": as_small,
    "y": as_small,
    "wage": three_digits,
    "lon": as_index,
    "lat": as_index,
}


def as_shown(table: pl.DataFrame) -> pl.DataFrame:
    """Round every floating column as pages show it; columns that hold whole numbers only become integers."""
    floats = [name for name, dtype in table.schema.items() if dtype.is_float()]
    rounded = table.with_columns(
        ROUNDING.get(name, whole_or_three_digits)(_finite(pl.col(name).cast(pl.Float64))).alias(name) for name in floats
    )
    whole = [name for name in floats if not (rounded[name] % 1 != 0).any()]
    return rounded.with_columns(pl.col(whole).cast(pl.Int64))


def _finite(value: pl.Expr) -> pl.Expr:
    """Make a gap of what no page can show: NaN, and the open end of an interval."""
    return pl.when(value.is_finite()).then(value)


def with_bits(table: pl.DataFrame, flags: list[str]) -> pl.DataFrame:
    """Pack flags into whole numbers, bit k for flag k: ``met``, ``unsure`` (not known), ``likely`` and ``borderline``.

    The last two say how sure a flag is that is known; where neither is set it is sure, or nothing is said of it.
    """
    powers = {name: 2**k for k, name in enumerate(flags) if name in table.columns}
    signs = {
        "met": {name: pl.col(name).fill_null(value=False) for name in powers},
        "unsure": {name: pl.col(name).is_null() for name in powers},
    }
    for word in ("likely", "borderline"):
        said = [name for name in powers if f"{name}_word" in table.columns]
        signs[word] = {name: pl.col(f"{name}_word").eq_missing(pl.lit(word)) for name in said}
    packed = [
        (pl.sum_horizontal(sign.cast(pl.Int64) * powers[name] for name, sign in of.items()) if of else pl.lit(0)).alias(
            word
        )
        for word, of in signs.items()
    ]
    spent = [*powers, *(f"{name}_{what}" for name in flags for what in ("word", "certainty"))]
    return table.with_columns(packed).drop(spent, strict=False)


#: Packed marks that most rows do not have.
_MARKS = ("unsure", "likely", "borderline")


def columns_of(table: pl.DataFrame) -> Columns:
    """Return the columns as lists; columns without a single value (or with no mark in any row) are left out."""
    kept = [
        name
        for name in table.columns
        if table[name].null_count() < table.height and not (name in _MARKS and (table[name] == 0).all())
    ]
    return table.select(kept).to_dict(as_series=False)


def coded(columns: Columns) -> Columns:
    """Write values that come again and again once: a list of them, ``of``, and for each row its place there, ``at``.

    A column of one value only is ``of`` that one, with the number of rows as ``all``.
    """
    return {name: _coded(values) for name, values in columns.items()}


def _coded(values: list[Any]) -> Any:
    if isinstance(values[0], list):
        return values
    different = list(dict.fromkeys(values))
    if len(different) == 1 and len(values) > 2:
        return {"of": different, "all": len(values)}
    if not any(isinstance(value, str) for value in values) or len(different) > REPEATED * len(values):
        return values
    place = {value: k for k, value in enumerate(different)}
    return {"of": different, "at": [place[value] for value in values]}


def optional_table(edition: Edition, name: str) -> pl.DataFrame | None:
    """Read a table, or nothing where the edition has none or an empty one."""
    return edition.table(name) if edition.manifest["tables"].get(name, {}).get("rows") else None


def with_positions(table: pl.DataFrame, places: Placed) -> pl.DataFrame:
    """Put positions in lists of codes in the place of codes.

    Rows whose region ``r`` or cluster ``c`` is not in the list are left out; other codes become a gap.
    """
    for new, (old, codes) in places.items():
        place = {code: k for k, code in enumerate(codes)}
        position = pl.col(old).cast(pl.String).replace_strict(place, default=None, return_dtype=pl.Int64)
        table = table.with_columns(position.alias(new)).drop(old if old != new else [])
        if new in ("r", "c"):
            table = table.filter(pl.col(new).is_not_null())
    return table


def script(name: str, data: Any) -> str:
    """Return a script that hands data to the page: works from a disk, where pages may not fetch files."""
    return f"receive({json.dumps(name)},{_compact(data)});\n"


def packed_script(name: str, data: Any) -> str:
    """Return the same for data of which there is much and a page reads little: deflated, as base64."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflate.compress(_compact(data).encode()) + deflate.flush()
    return f'receivePacked({json.dumps(name)},"{base64.b64encode(packed).decode()}");\n'


def _compact(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
