"""Tables of an edition as the columns a page reads: rounded as they are shown, gaps as null."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

Columns = dict[str, list[Any]]


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
    """Pack boolean flags into two whole numbers: ``met`` and ``unsure`` (not known), bit k for flag k."""
    powers = {name: 2**k for k, name in enumerate(flags) if name in table.columns}
    met = [pl.col(name).fill_null(value=False).cast(pl.Int64) * power for name, power in powers.items()]
    unsure = [pl.col(name).is_null().cast(pl.Int64) * power for name, power in powers.items()]
    return table.with_columns(
        pl.sum_horizontal(met).alias("met") if met else pl.lit(0).alias("met"),
        pl.sum_horizontal(unsure).alias("unsure") if unsure else pl.lit(0).alias("unsure"),
    ).drop(list(powers))


def columns_of(table: pl.DataFrame) -> Columns:
    """Return the columns as lists; columns without a single value (or with nothing but 0 doubts) are left out."""
    kept = [
        name
        for name in table.columns
        if table[name].null_count() < table.height and not (name == "unsure" and (table[name] == 0).all())
    ]
    return table.select(kept).to_dict(as_series=False)


def script(name: str, data: Any) -> str:
    """Return a script that hands data to the page: works from a disk, where pages may not fetch files."""
    return (
        f"receive({json.dumps(name)},{json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(',', ':'))});\n"
    )
