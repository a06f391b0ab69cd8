"""Certainty: how likely the conditions of a flag hold, given few establishments and figures known only within bounds.

Two things make a flag unsure. A quotient that rests on few establishments could be large by chance: it has a sampling
interval. And a figure that was suppressed or imputed is known only within bounds. A published size or number of
establishments is a fact. The model, our own:

- the true quotient is lognormal around the published one, with the standard deviation (in logarithms) that the 95%
  interval implies; where there is no interval it is 1 / sqrt(establishments), the leading term of the same formula.
  Shares move with the quotient and take the same deviation;
- a figure between bounds is as likely above as below its estimate, and anywhere alike on either side; without an
  estimate, anywhere alike between its bounds. Shares and quotients without bounds of their own take those of the size
  in proportion. Where both hold, the lognormal is averaged over the bounds;
- thresholds are taken as they are. A quantile over hundreds of regions moves little;
- a cell with more jobs has the larger quotient, size and share all at once: conditions hold or fail together. So the
  chance that all hold is the smallest of their chances, not their product.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from clusterbook.clusters.definitions import TRADED
from clusterbook.clusters.identification import (
    SIZE,
    Condition,
    Profile,
    as_number,
    identify,
    load_profile,
    threshold_of,
)
from clusterbook.errors import ClusterbookError

Floats = NDArray[np.float64]

#: Indicators that vary by chance with the establishments behind them; the others are taken as facts.
SAMPLED = ("lq", "lq_all", "region_share", "national_share")

#: How sure a stated flag is: at least so likely. Below the last it is 'borderline'. Our own choice.
WORDS = {"sure": 0.95, "likely": 0.75}
BORDERLINE = "borderline"

#: Bounds nearer than this, in proportion, are one point: their difference would be rounding.
_POINT = 1e-6


def add_certainty(
    clusters: pl.DataFrame,
    profile: str | Path | Profile = "uscmp",
    *,
    size: str = "employment",
    sampling: bool = True,
) -> pl.DataFrame:
    """Add to each flag of a profile the probability that its conditions hold, and a word for how sure the flag is.

    Args:
        clusters: as for ``identify``, one row a region, cluster and year. Used where present: ``lq_low95`` and
            ``lq_high95``, ``establishments``, and bounds ``<column>_lo`` and ``<column>_hi`` of any indicator. Flags
            that the table lacks are computed.
        profile: the id of a bundled profile, a path or a ``Profile``.
        size: the column of the main measure.
        sampling: False takes published quotients as exact and looks at bounds only.

    Returns:
        The table with two columns for each flag: ``<flag>_certainty``, from 0 (the conditions surely fail) to 1 (they
        surely hold), and ``<flag>_word``: 'sure', 'likely' or 'borderline', about the flag as it stands, true or false.
        The certainty is null where a figure that matters is not known within bounds, where a quotient has neither
        interval nor establishments, and outside the kind of clusters the profile is about. The word is null where flag
        or certainty is.

    Raises:
        ClusterbookError: a column that the rules need is absent.

    Example:
        >>> table = pl.DataFrame({"region": list("ABCDE"), "cluster": "steel", "year": 2019, "kind": "traded",
        ...                       "employment": [900, 40, 30, 20, 50], "establishments": [60, 4, 3, 2, 4],
        ...                       "lq": [3.0, 1.4, 0.8, 0.5, 1.5]})
        >>> found = add_certainty(table).select("region", "strong", pl.col("strong_certainty").round(2), "strong_word")
        >>> found.rows()[:2]
        [('A', True, 1.0, 'sure'), ('B', False, 0.45, 'borderline')]

    Source: our own model; the intervals are those of ``measures.significance.quotient_interval``.
    """
    rules = profile if isinstance(profile, Profile) else load_profile(profile)
    present = set(clusters.columns)
    lacking = [flag.name for flag in rules.flags if flag.name not in present]
    flagged = identify(clusters, rules, size=size).select(lacking) if lacking else pl.DataFrame()
    table = pl.concat([clusters, flagged], how="horizontal") if lacking else clusters
    columns = {SIZE: size} | {name: name for name in clusters.columns if name != SIZE}
    _require(rules, columns)
    # The population compares by > with a value, and a floor of size is one more condition.
    shared = [rules.population]
    if rules.minimum_size is not None:
        shared.append(Condition(indicator=SIZE, op=">=", value=rules.minimum_size))
    chances: dict[Condition, Floats] = {}
    deviation = _log_deviation(table) if sampling else np.zeros(table.height)
    added = []
    for flag in rules.flags:
        served = [condition for condition in flag.conditions if condition.indicator in columns]
        for condition in [*shared, *served]:
            if condition not in chances:
                threshold = table.select(threshold_of(condition, rules, columns).alias("t")).to_series()
                chances[condition] = _chance(table, condition, threshold, columns, deviation, size)
        holds = _all([chances[condition] for condition in [*shared, *served]])
        if not served:
            holds[:] = np.nan
        added.append(pl.Series(f"{flag.name}_certainty", holds).fill_nan(None))
    found = table.with_columns(added)
    if rules.applies_to == "traded":
        about = pl.col("kind").fill_null(TRADED) == TRADED
        found = found.with_columns(pl.when(about).then(pl.col(f"{flag.name}_certainty")) for flag in rules.flags)
    return found.with_columns(_word(flag.name) for flag in rules.flags)


def _require(rules: Profile, columns: Mapping[str, str]) -> None:
    """Check what ``identify`` would have checked: tables that bring their flags do not pass through it."""
    conditions = [rules.population, *(c for flag in rules.flags for c in flag.conditions if not c.optional)]
    needed = dict.fromkeys(c.indicator for c in conditions)
    missing = [f"'{name}'" for name in needed if columns.get(name, name) not in columns.values()]
    if missing:
        raise ClusterbookError(
            f"Profile '{rules.id}' needs {', '.join(missing)}. The table has: {', '.join(columns.values())}. "
            "Give the table of clusters of an edition, or compute the columns."
        )


def _log_deviation(table: pl.DataFrame) -> Floats:
    """Return the standard deviation of the logarithm of each quotient, shape (n,); NaN where nothing tells it."""
    guess = pl.lit(None, pl.Float64)
    if "establishments" in table.columns:
        plants = as_number("establishments")
        guess = pl.when(plants > 0).then(1 / plants.sqrt())
    if {"lq_low95", "lq_high95"} <= set(table.columns):
        low, high = as_number("lq_low95"), as_number("lq_high95")
        width = pl.when(low > 0).then((high / low).log() / (2 * ndtri(0.975)))
        guess = pl.coalesce(width, guess)
    found = table.select(guess.alias("s")).to_series()
    return found.fill_null(float("nan")).to_numpy()


def _chance(
    table: pl.DataFrame,
    condition: Condition,
    threshold: pl.Series,
    columns: Mapping[str, str],
    deviation: Floats,
    size: str,
) -> Floats:
    """Return the probability of one condition, shape (n,); NaN where it is not known."""
    column = columns[condition.indicator]
    value, low, high = (_floats(part) for part in _estimate_and_bounds(table, column, condition.indicator, size))
    cut = np.broadcast_to(_floats(threshold), value.shape)
    spread = deviation if condition.indicator in SAMPLED else np.zeros(len(value))
    exact = np.isnan(low) & np.isnan(high)
    low, high = np.where(exact, value, low), np.where(exact, value, high)
    middle = np.clip(np.where(np.isnan(value), (low + high) / 2, value), low, high)
    inside = (_mean_chance(low, middle, cut, spread) + _mean_chance(middle, high, cut, spread)) / 2
    # Without sampling, comparison decides a point; with bounds open above, only a low end beyond the cut does.
    fact = (spread == 0) & (low == high)
    found = np.where(fact, low >= cut if condition.op == ">=" else low > cut, inside)
    found = np.where((spread == 0) & np.isnan(high) & (low > cut), 1.0, found)
    # Nothing there, or nothing asked: no establishments are needed to tell.
    found = np.where((high == 0) & (cut > 0), 0.0, found)
    return np.where(np.isnan(cut) | (exact & np.isnan(value)), np.nan, found)


def _estimate_and_bounds(
    table: pl.DataFrame, column: str, indicator: str, size: str
) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Return a column with the least and the most it can be; both null where it is exact."""
    value = as_number(column)
    bounds = [pl.lit(None, pl.Float64), pl.lit(None, pl.Float64)]
    for k, end in enumerate(("_lo", "_hi")):
        if f"{column}{end}" in table.columns:
            bounds[k] = as_number(f"{column}{end}")
        elif indicator in SAMPLED and f"{size}{end}" in table.columns:
            bounds[k] = pl.when(as_number(size) > 0).then(value * as_number(f"{size}{end}") / as_number(size))
    found = table.select(value.alias("value"), bounds[0].alias("low"), bounds[1].alias("high"))
    return found["value"], found["low"], found["high"]


def _floats(column: pl.Series) -> Floats:
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _mean_chance(low: Floats, high: Floats, cut: Floats, spread: Floats) -> Floats:
    """Return the mean over v from low to high of P(v times a lognormal > cut), in closed form."""
    wide = high - low > _POINT * np.abs(high)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (_integral(high, cut, spread) - _integral(low, cut, spread)) / np.where(wide, high - low, np.nan)
        point = np.where(spread == 0, low > cut, ndtr(_standard(low, cut, spread)))
    gap = np.isnan(low) | np.isnan(high) | np.isnan(cut) | np.isnan(spread)
    return np.where(gap, np.nan, np.clip(np.where(wide, mean, point), 0, 1))


def _integral(v: Floats, cut: Floats, spread: Floats) -> Floats:
    """Integrate P(v times a lognormal > cut) over v: v Phi(z) - cut exp(s^2 / 2) Phi(z - s), z = ln(v / cut) / s."""
    z = _standard(v, cut, spread)
    sampled = v * ndtr(z) - cut * np.exp(spread**2 / 2) * ndtr(z - spread)
    return np.where((spread == 0) | (cut <= 0), np.maximum(v - cut, 0), sampled)


def _standard(v: Floats, cut: Floats, spread: Floats) -> Floats:
    """Return how many standard deviations a value lies above the cut, in logarithms."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (np.log(np.maximum(v, 0)) - np.log(np.maximum(cut, 0))) / spread
    return np.where(cut <= 0, np.where(v > cut, np.inf, -np.inf), z)


def _all(chances: list[Floats]) -> Floats:
    """Return the smallest chance; an unknown one leaves it unknown, unless another is zero."""
    stacked = np.stack(chances)
    return np.where((stacked == 0).any(axis=0), 0.0, stacked.min(axis=0))


def _word(flag: str) -> pl.Expr:
    held = pl.when(pl.col(flag)).then(pl.col(f"{flag}_certainty")).otherwise(1 - pl.col(f"{flag}_certainty"))
    word = pl.lit(BORDERLINE)
    for name, least in sorted(WORDS.items(), key=lambda item: item[1]):
        word = pl.when(held >= least).then(pl.lit(name)).otherwise(word)
    known = pl.col(flag).is_not_null() & pl.col(f"{flag}_certainty").is_not_null()
    return pl.when(known).then(word).alias(f"{flag}_word")
