"""The life cycle of clusters: which stage each is in, how sure that is, and what a person makes of it.

Size, specialisation and growth against the economy say which stage fits the figures of a year; where a cluster comes
from says which stages are open to it. Both meet in a hidden Markov chain over the years. ``docs/life-cycle.md`` has the
rule in a table, how well it does on paths of known stages, and what it cannot see.

Stages: Figure 5 of The Cluster Policies Whitebook (Andersson and others 2004, IKED), which is about actors and their
links and gives no figures, with decline and renewal after Menzel and Fornahl (2010), Cluster life cycles: dimensions
and rationales of cluster evolution, Industrial and Corporate Change 19. All thresholds and probabilities: our own rule.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import digamma, ndtr

from clusterbook.data import checks
from clusterbook.data.tables import Rows, TableLike, did_you_mean, find_columns, load_table, names, pick
from clusterbook.errors import ClusterbookError, DataError, Problem
from clusterbook.measures.specialisation import location_quotient

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]
Stage = Literal["agglomeration", "emerging", "developing", "mature", "transformation", "decline", "renewal"]

KEYS = ("region", "cluster", "year")

#: The stages in the order of the life cycle.
STAGES: tuple[Stage, ...] = (
    "agglomeration",
    "emerging",
    "developing",
    "mature",
    "transformation",
    "decline",
    "renewal",
)
STAGE = pl.Enum(STAGES)

#: The courses of a cluster against the economy: the hidden states. Growth after a fall is another state than growth.
_COURSES = ("holds", "changes", "grows", "regrows", "shrinks")
_FOLLOWS = {
    "holds": ("changes", "grows", "shrinks"),
    "changes": ("holds", "grows", "shrinks"),
    "grows": ("holds", "shrinks"),
    "regrows": ("holds", "changes", "shrinks"),
    "shrinks": ("holds", "changes", "regrows"),
}
#: Which growth each course shows: 0 = falls, 1 = about that of the economy, 2 = rises.
_DIRECTION = np.array([1, 1, 2, 2, 0])

REACH = 2  # years on either side that a trend is taken over; the neighbours in any case
TURN = 0.05  # how likely one course gives way to another that can follow it, a year
GROWTH_SPREAD = 0.06  # s.d. of growth against the economy among clusters of all kinds
WINDOW_WEIGHT = 1.5  # windows overlap; with this weight of each, probabilities come true on simulated paths
MISLED = 0.01  # how likely figures point to the wrong side whatever their error says
_PRIOR_YEARS = 4.0  # observations that the volatility usual at a size counts for
_NEVER = -1e3  # log likelihood of what cannot be told
_LEAST_VARIANCE = 1e-6  # a tenth of a per cent: no series is exact
_PLANT_TURNOVER = 0.2  # variance of growth times number of plants: a tenth of plants, as unequal as exponential sizes


@dataclass(frozen=True)
class _Grid:
    """Where each row stands in arrays of paths x years; a path is a region's cluster up to a break."""

    path: Integers
    column: Integers
    years: Integers
    paths: int

    def spread(self, values: pl.Series) -> Floats:
        """Lay a column out as paths x years, NaN where there is none."""
        found = np.full((self.paths, len(self.years)), np.nan)
        found[self.path, self.column] = values.cast(pl.Float64).to_numpy()
        return found


class _Trend(NamedTuple):
    """Local trends, each (paths, years): slope a year, its standard error, and the part of the window a year owns."""

    slope: Floats
    error: Floats
    part: Floats
    level_error: Floats


def life_cycle(
    frame: pl.DataFrame,
    size: str = "employment",
    *,
    threshold: float = 0.02,
    specialised: float = 1.0,
    minimum_size: float = 0.0,
    least_probability: float = 0.4,
    breaks: Collection[int] = (),
    economy: Mapping[int, float] | None = None,
) -> pl.DataFrame:
    """Tell the stage of each cluster of each region in each year, with its probability and the facts behind it.

    Args:
        frame: one row a ``region``, ``cluster`` and ``year`` (any spacing, up to a few dozen years) with the size, not
            negative, in any unit. Null sizes and absent rows are gaps, not exits. The frame holds all clusters of all
            regions, unless ``economy`` and a column ``lq`` stand for what it lacks. Columns used where there are any:
            ``lq``; ``establishments`` with or without ``entries`` and ``exits`` since the observation before;
            ``variety`` (any positive measure of how varied the cluster is within, such as its related variety).
        size: the column of sizes.
        threshold: growth a year against the economy, as a fraction, beyond which a cluster grows or shrinks.
        specialised: the location quotient from which a cluster counts as developed.
        minimum_size: below this, in the unit of the size, there is no stage.
        least_probability: of a stage that is given; below it a year has none.
        breaks: years from which on figures cannot be compared with those before (a new classification, new regions).
        economy: the size of the whole economy by year, in place of the sum over the frame.

    Returns:
        The rows, sorted by keys, with these columns:

        - ``stage``: one of ``STAGES``, null = unclassified, for the ``stage_reason``;
        - ``stage_probability``, and the most probable other stage, ``runner_up``, with ``runner_up_probability``;
        - facts: the size, ``national_share`` (of the cluster in all regions, 0 to 1), ``lq``, ``growth_relative`` (a
          year, less that of the economy, log points: 0.02 is about 2%) with its standard error
          ``growth_relative_error``, and, where they can be known, ``net_entry`` (a year, of the stock before) and
          ``variety_growth`` (a year, log points);
        - ``p_agglomeration`` ... ``p_renewal``: all probabilities; they add up to 1, or are null all together.

    Raises:
        ClusterbookError: a column is absent or no number, rows are not unique, sizes are negative, or an argument is
            out of range.

    Example:
        >>> years = list(range(2000, 2020))
        >>> yards = [100 * 1.08 ** min(t, 10) for t in range(20)]
        >>> table = pl.DataFrame({"region": "A", "cluster": "yachts", "year": years, "employment": yards, "lq": 2.0})
        >>> found = life_cycle(table, economy=dict.fromkeys(years, 1e6))
        >>> found.filter(pl.col("year").is_in([2003, 2017]))["stage"].to_list()
        ['developing', 'mature']

    Source: our own rule, see the head of this module.
    """
    _check_arguments(threshold, specialised, minimum_size, least_probability)
    table = _checked(frame, size, economy)
    grid = _grid(table, breaks)
    E, lq, plants, variety = (grid.spread(table[name]) for name in (size, "lq", "establishments", "variety"))
    known, varied = E > 0, variety > 0
    logs = _log(E)
    trend = _local_trend(logs - _economy_index(E, grid.years, economy), known, grid.years, logs, plants)
    variety_trend = _local_trend(_log(variety), known & varied, grid.years, logs)
    entry, p_entry = _net_entry(grid, table, plants)
    if size == "establishments":
        p_entry = np.full(E.shape, np.nan)  # they are in the growth already
    log_likelihood = (
        _direction_evidence(trend, threshold) + _entry_evidence(p_entry) + _variety_evidence(variety_trend, threshold)
    )
    log_likelihood *= WINDOW_WEIGHT * np.nan_to_num(trend.part)[:, :, None]
    probability = _by_stage(_smooth(log_likelihood, grid.years), _p_specialised(lq, trend, specialised))
    at = (grid.path, grid.column)
    found = table.select(
        *KEYS,
        size,
        "national_share",
        "lq",
        growth_relative=_gaps(trend.slope[at]),
        growth_relative_error=_gaps(trend.error[at]),
        net_entry=_gaps(entry[at]),
        variety_growth=_gaps(variety_trend.slope[at]),
        stage_reason=_reasons(E, known, grid, minimum_size, breaks),
    )
    return _with_stages(found, probability[at], _held(probability.argmax(axis=2), known)[at], least_probability)


def latest_stages(stages: pl.DataFrame) -> pl.DataFrame:
    """Return the last year of each region's cluster, with the facts that decided put into words.

    Args:
        stages: what ``life_cycle`` returns, with or without judgements.

    Returns:
        One row a region and cluster, sorted: all columns of ``stages``, ``since`` (the first year of the unbroken run
        of this stage up to the last; gaps do not break it) and ``because``, one sentence.

    Example:
        >>> years = list(range(2000, 2020))
        >>> table = pl.DataFrame({"region": "A", "cluster": "tin", "year": years, "employment": 500.0, "lq": 2.0})
        >>> last = latest_stages(life_cycle(table, economy=dict.fromkeys(years, 1e6)))
        >>> last.select("year", "stage", "since").row(0)
        (2019, 'mature', 2000)
        >>> last["because"].item()
        'against the economy +0.0% a year (s.e. 0.1), location quotient 2.00'
    """
    pair = ["region", "cluster"]
    ordered = stages.sort(*KEYS)
    given = ordered.drop_nulls("stage")
    other = pl.col("stage") != pl.col("stage").last().over(pair)
    last_other = pl.col("year").filter(other).max().over(pair).fill_null(pl.col("year").min().over(pair) - 1)
    since = given.filter(pl.col("year") > last_other).group_by(pair).agg(since=pl.col("year").min())
    last = ordered.group_by(pair, maintain_order=True).last().select(stages.columns)
    found = last.join(since, on=pair, how="left", maintain_order="left")
    return found.with_columns(
        since=pl.when(pl.col("stage").is_not_null()).then("since"),
        because=pl.when(pl.col("stage").is_null()).then("stage_reason").otherwise(_because()),
    )


def _because() -> pl.Expr:
    return pl.concat_str(
        pl.format(
            "against the economy {}% a year (s.e. {})",
            _percent("growth_relative", signed=True),
            _percent("growth_relative_error"),
        ),
        pl.format("location quotient {}", _decimals(pl.col("lq"), 2)),
        pl.format("net entry {}% a year", _percent("net_entry", signed=True)),
        pl.format("variety {}% a year", _percent("variety_growth", signed=True)),
        separator=", ",
        ignore_nulls=True,
    )


def _percent(column: str, *, signed: bool = False) -> pl.Expr:
    value = (100 * pl.col(column)).round(1) + 0.0  # no -0.0
    text = _decimals(value, 1)
    return pl.when(value >= 0).then(pl.format("+{}", text)).otherwise(text) if signed else text


def _decimals(value: pl.Expr, digits: int) -> pl.Expr:
    whole = (value.abs() * 10**digits).round(0).cast(pl.Int64).cast(pl.String).str.zfill(digits + 1)
    sign = pl.when(value < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.format("{}{}.{}", sign, whole.str.head(-digits), whole.str.tail(digits))


# --- judgements -------------------------------------------------------------------------------------------------------

_JUDGEMENT = ("region", "cluster", "year", "stage", "who", "reason")
_JUDGEMENT_REMEDY = (
    "Judgements need the columns 'region', 'cluster', 'year', 'stage', 'who' (the person or source) and 'reason'. "
    "Rename the columns of the table to these."
)


def read_judgements(data: TableLike) -> pl.DataFrame:
    """Read what people say of the stage of clusters: a table with one row a judgement.

    Args:
        data: a CSV, Excel or Parquet file or a pandas, Polars or PyArrow frame with the columns ``region``,
            ``cluster``, ``year``, ``stage`` (one of ``STAGES``, in any case), ``who`` (the person or source) and
            ``reason``; none may be empty, since a judgement that nobody answers for cannot be weighed.

    Returns:
        ``region, cluster, year, judged_stage, judged_by, judged_reason``, sorted.

    Raises:
        DataError: with every problem found: columns that are not there, empty fields, years that are none, unknown
            stages, two judgements of one cluster and year.

    Example:
        >>> said = {"region": "A", "cluster": "tin", "year": 2019, "stage": "Decline", "who": "mayor", "reason": "ore"}
        >>> read_judgements(pl.DataFrame(said)).row(0)
        ('A', 'tin', 2019, 'decline', 'mayor', 'ore')
    """
    table = load_table(data)
    own = {name: name for name in ("stage", "who", "reason")}
    columns, problems = find_columns(
        table, {"region": None, "cluster": None, "year": None, **own}, _JUDGEMENT, _JUDGEMENT_REMEDY
    )
    if problems:
        raise DataError(table.origin, problems)
    rows = pick(table, columns, {})
    text = rows.text.with_columns(pl.col("stage").str.to_lowercase())
    year = text["year"].cast(pl.Int64, strict=False)
    problems = [
        *checks.missing_keys(rows, _JUDGEMENT),
        *checks.not_a_year(rows, year),
        *_unknown_stages(rows, text["stage"]),
        *checks.duplicate_keys(rows, text.select("region", "cluster").with_columns(year)),
    ]
    if problems:
        raise DataError(table.origin, problems)
    return text.select(
        "region",
        "cluster",
        year,
        pl.col("stage").cast(STAGE).alias("judged_stage"),
        pl.col("who").alias("judged_by"),
        pl.col("reason").alias("judged_reason"),
    ).sort(*KEYS)


def with_judgements(stages: pl.DataFrame, judgements: pl.DataFrame) -> pl.DataFrame:
    """Put what people say beside the computed stages, which stay as they are.

    A judgement stands from its year on, until the next one on the same cluster.

    Args:
        stages: what ``life_cycle`` returns.
        judgements: what ``read_judgements`` returns.

    Returns:
        The rows of ``stages``, sorted by keys, with ``judged_stage``, ``judged_by``, ``judged_reason``,
        ``judged_year`` (when it was said) and ``judged_differs``: whether it is another stage than the computed one;
        null where there is no judgement or no computed stage.

    Raises:
        DataError: a judgement is about a region and cluster that is not in the table, or is later than all its years.

    Example:
        >>> years = list(range(2000, 2020))
        >>> table = pl.DataFrame({"region": "A", "cluster": "tin", "year": years, "employment": 500.0, "lq": 2.0})
        >>> said = {"region": "A", "cluster": "tin", "year": 2018, "stage": "decline", "who": "mayor", "reason": "ore"}
        >>> found = with_judgements(
        ...     life_cycle(table, economy=dict.fromkeys(years, 1e6)), read_judgements(pl.DataFrame(said)))
        >>> found.select("year", "stage", "judged_stage", "judged_differs").tail(3).rows()
        [(2017, 'mature', None, None), (2018, 'mature', 'decline', True), (2019, 'mature', 'decline', True)]
    """
    _check_judged(stages, judgements)
    said = judgements.with_columns(pl.col("year").cast(stages.schema["year"])).with_columns(judged_year="year")
    joined = stages.sort(*KEYS).join_asof(
        said.sort("year"), on="year", by=["region", "cluster"], strategy="backward", check_sortedness=False
    )
    return joined.with_columns(judged_differs=pl.col("judged_stage") != pl.col("stage"))


def _unknown_stages(rows: Rows, stage: pl.Series) -> list[Problem]:
    bad = (~stage.is_in(STAGES)).fill_null(False)
    remedy = f"Write one of {', '.join(STAGES)}."
    places = rows.places.filter(bad)
    found = zip(places, rows.text["stage"].filter(bad), stage.filter(bad), strict=True)
    column = rows.columns["stage"]
    return [
        Problem("unknown stages", f"not a stage{did_you_mean(word, STAGES)}", remedy, place, column, value)
        if rows.in_file
        else Problem(
            "unknown stages", f"row {place}: not a stage{did_you_mean(word, STAGES)}", remedy, None, column, value
        )
        for place, value, word in found
    ]


def _check_judged(stages: pl.DataFrame, judgements: pl.DataFrame) -> None:
    last = stages.group_by("region", "cluster").agg(last=pl.col("year").max())
    looked_up = judgements.join(last, on=["region", "cluster"], how="left")
    lost = looked_up.filter(pl.col("last").is_null() | (pl.col("year") > pl.col("last")))
    remedy = "Check the codes and the year against the table of stages, or delete the line."
    problems = [
        Problem(
            "judgements of nothing",
            "there is no such region and cluster" if last_year is None else f"the table ends in {last_year}",
            remedy,
            column="region, cluster, year",
            value=f"{region}, {cluster}, {year}",
        )
        for region, cluster, year, last_year in lost.select(*KEYS, "last").iter_rows()
    ]
    if problems:
        raise DataError("judgements", problems)


# --- input ------------------------------------------------------------------------------------------------------------


def _check_arguments(threshold: float, specialised: float, minimum_size: float, least_probability: float) -> None:
    if not 0 < threshold < 1:
        raise ClusterbookError(f"threshold={threshold} is growth a year as a fraction. Give e.g. 0.02 for 2%.")
    if not specialised > 0:
        raise ClusterbookError(f"specialised={specialised} is no location quotient. Give a number above 0, e.g. 1.")
    if not minimum_size >= 0:
        raise ClusterbookError(f"minimum_size={minimum_size} is no size. Give 0 or more.")
    if not 0 <= least_probability <= 1:
        raise ClusterbookError(f"least_probability={least_probability} is no probability. Give 0 to 1.")


def _checked(frame: pl.DataFrame, size: str, economy: Mapping[int, float] | None) -> pl.DataFrame:
    """Return keys, size and every column that may be used, sorted; null where there is none."""
    missing = [name for name in (*KEYS, size) if name not in frame.columns]
    if missing:
        raise ClusterbookError(
            f"No column {names(missing)}. The table has {names(frame.columns)}. "
            "Rename the columns, or name the one of sizes: size='...'."
        )
    if frame.is_empty():
        raise ClusterbookError("The table has no rows. Check that this is the table you meant.")
    if not frame.schema["year"].is_integer():
        raise ClusterbookError(f"Years are of type {frame.schema['year']}. Cast the column 'year' to integers.")
    optional = [name for name in ("lq", "establishments", "entries", "exits", "variety") if name != size]
    present = [name for name in optional if name in frame.columns]
    for name in (size, *present):
        if not frame.schema[name].is_numeric() and frame.schema[name] != pl.Null:
            raise ClusterbookError(f"Column '{name}' is of type {frame.schema[name]}. Give numbers.")
    numbers = frame.select(*KEYS, pl.col(size, *present).cast(pl.Float64).fill_nan(None))
    if numbers.select(pl.any_horizontal(pl.col(KEYS).is_null()).any()).item():
        raise ClusterbookError("A region, cluster or year is empty. Fill it in, or drop the row.")
    numbers = _sorted(numbers)
    twice = numbers.filter(pl.all_horizontal(pl.col(KEYS) == pl.col(KEYS).shift()))
    if not twice.is_empty():
        row = ", ".join(f"{key} {twice[key][0]}" for key in KEYS)
        raise ClusterbookError(
            f"{twice.height} rows repeat the keys of others ({row}). Keep or add up to one row for each."
        )
    for name in (size, *present):
        bad = numbers.filter((pl.col(name) < 0) | pl.col(name).is_infinite())
        if not bad.is_empty():
            row = ", ".join(f"{key} {bad[key][0]}" for key in KEYS)
            raise ClusterbookError(
                f"Column '{name}' is negative or infinite in {bad.height} rows ({row}). Leave unknown figures empty."
            )
    lacking = sorted(set(numbers["year"]) - set(economy)) if economy is not None else []
    if lacking:
        raise ClusterbookError(f"economy lacks the years {', '.join(map(str, lacking))}. Give its size in each year.")
    if "lq" not in present:
        numbers = location_quotient(numbers, size, industry="cluster")
    whole = pl.sum(size).over("cluster", "year")
    complete = pl.col(size).is_not_null().all().over("cluster", "year")
    absent = [pl.lit(None, pl.Float64).alias(name) for name in optional if name not in numbers.columns]
    return numbers.with_columns(
        pl.when(complete & (whole > 0)).then(pl.col(size) / whole).alias("national_share"), *absent
    )


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    """Sort by keys, by way of numbers: sorting a million rows by text takes seconds."""
    return frame.sort(_code(frame["region"]), _code(frame["cluster"]), "year")


def _code(names: pl.Series) -> pl.Series:
    text = names.cast(pl.String)
    return text.cast(pl.Enum(text.unique().sort())).to_physical()


def _grid(table: pl.DataFrame, breaks: Collection[int]) -> _Grid:
    years = table["year"].unique().sort()
    after = [pl.col("year") >= year for year in sorted(breaks)]
    segment = pl.sum_horizontal(pl.lit(0), *after)
    path = table.select(pl.struct("region", "cluster", segment.alias("segment")).rle_id()).to_series()
    column = years.search_sorted(table["year"])
    paths = 0 if path.is_empty() else int(path[-1]) + 1
    return _Grid(
        path.to_numpy().astype(np.int64), column.to_numpy().astype(np.int64), years.to_numpy().astype(np.int64), paths
    )


def _economy_index(E: Floats, years: Integers, economy: Mapping[int, float] | None) -> Floats:
    """Return the log of the economy by year, chained over cells known in both years so that gaps do not move it."""
    if economy is not None:
        return _log(np.array([economy[int(year)] for year in years], dtype=np.float64))
    steps = np.zeros(len(years))
    for t in range(1, len(years)):
        both = ~np.isnan(E[:, t - 1]) & ~np.isnan(E[:, t])
        before, after = E[both, t - 1].sum(), E[both, t].sum()
        if before > 0 and after > 0:
            steps[t] = np.log(after) - np.log(before)
    return np.cumsum(steps)


# --- evidence of a year -----------------------------------------------------------------------------------------------


def _local_trend(y: Floats, known: Flags, years: Integers, sizes: Floats, plants: Floats | None = None) -> _Trend:
    """Fit lines through the years around each, with errors from how much each series jumps about its course."""
    if not known.any():
        return _Trend(*(np.full(y.shape, np.nan) for _ in _Trend._fields))
    shock, noise = _volatility(y, known, years, sizes)
    if plants is not None:
        shock = np.fmax(shock[:, None], _PLANT_TURNOVER / np.where(plants > 0, plants, np.nan))
    else:
        shock = np.broadcast_to(shock[:, None], y.shape)
    fit = _local_slopes(y, known, years)
    error = np.sqrt(noise[:, None] * fit.white + shock * fit.walk)
    return _Trend(fit.slope, error, fit.part, np.sqrt(noise[:, None] + shock))


class _Fit(NamedTuple):
    """Slopes, what to multiply variances of noise and of shocks with for theirs, and each year's part of its window."""

    slope: Floats
    white: Floats
    walk: Floats
    part: Floats


def _local_slopes(y: Floats, known: Flags, years: Integers) -> _Fit:
    """Fit a line by least squares to the observations within ``REACH`` years, or at least to both neighbours."""
    before, after = _neighbours(known)
    T = len(years)
    found = _Fit(*(np.full(y.shape, np.nan) for _ in _Fit._fields))
    for t in range(T):
        rows = np.flatnonzero(known[:, t] & ((before[:, t] >= 0) | (after[:, t] < T)))
        if not len(rows):
            continue
        left, right = before[rows, t], after[rows, t]
        near = np.flatnonzero(np.abs(years - years[t]) <= REACH)
        first = min(near[0], left[left >= 0].min(initial=T))
        last = max(near[-1], right[right < T].max(initial=-1))
        columns = np.arange(first, last + 1)
        used = (columns >= near[0]) & (columns <= near[-1]) & known[rows, first : last + 1]
        used |= (columns == left[:, None]) | (columns == right[:, None])
        # Paths differ in values more than in gaps: what depends on the years alone is computed once a pattern.
        _, example, pattern = np.unique(np.packbits(used, axis=1), axis=0, return_index=True, return_inverse=True)
        weight, *factors = _weights(used[example], (years[columns] - years[t]).astype(np.float64))
        values = np.where(used, y[rows, first : last + 1], 0.0)
        found.slope[rows, t] = np.einsum("pu,pu->p", weight[pattern], values)
        for target, factor in zip(found[1:], factors, strict=True):
            target[rows, t] = factor[pattern]
    return found


def _weights(used: Flags, when: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return least-squares weights of years around 0 and what ``_Fit`` says of them; ``used`` has a row a pattern."""
    deviation = np.where(used, when - (used @ when / used.sum(axis=1))[:, None], 0.0)
    spread = (deviation**2).sum(axis=1)
    weight = deviation / spread[:, None]
    later = weight[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    start, end = np.where(used, when, np.inf).min(axis=1), np.where(used, when, -np.inf).max(axis=1)
    previous = np.where(used & (when < 0), when, -np.inf).max(axis=1)
    following = np.where(used & (when > 0), when, np.inf).min(axis=1)
    own = np.where(np.isinf(following), 0.0, following) - np.where(np.isinf(previous), 0.0, previous)
    return weight, 1 / spread, later**2 @ np.diff(when), own / 2 / (end - start)


def _neighbours(known: Flags) -> tuple[Integers, Integers]:
    """Return for each cell the column of the last known one before it (-1: none) and of the next (T: none)."""
    P, T = known.shape
    columns = np.arange(T)
    last = np.maximum.accumulate(np.where(known, columns, -1), axis=1)
    following = np.minimum.accumulate(np.where(known, columns, T)[:, ::-1], axis=1)[:, ::-1]
    before = np.concatenate([np.full((P, 1), -1), last[:, :-1]], axis=1)
    after = np.concatenate([following[:, 1:], np.full((P, 1), T)], axis=1)
    return before, after


def _volatility(y: Floats, known: Flags, years: Integers, sizes: Floats) -> tuple[Floats, Floats]:
    """Return each path's variance of lasting shocks (a year) and of passing noise.

    A year that is off the line between its neighbours shows both; how far it is off the line between the next but one
    tells which it is, as shocks add up and noise does not. The mix is taken from all paths together, the amount from
    each path, drawn to what is usual at its size by as much as its years are few.
    """
    before, after = _neighbours(known)
    near = _misfit(y, known, years, before, after)
    far = _misfit(y, known, years, _again(before, -1), _again(after, len(years)))
    mix = _lasting_part(near, far)
    usual_walk, usual_white = (_median(part[known]) for part in (near.walk, near.white))
    scale = mix * near.walk / usual_walk + (1 - mix) * near.white / usual_white
    n = (~np.isnan(near.squared)).sum(axis=1)
    # From the mean distance rather than the mean square, as turns of the course are no volatility.
    mean = np.pi / 2 * (np.nansum(np.sqrt(near.squared / scale), axis=1) / np.maximum(n, 1)) ** 2
    usual = _usual_variance(np.maximum(mean, _LEAST_VARIANCE), n, _row_mean(sizes))
    variance = np.maximum((_PRIOR_YEARS * usual + n * mean) / (_PRIOR_YEARS + n), _LEAST_VARIANCE)
    return mix * variance / usual_walk, (1 - mix) * variance / usual_white


class _Misfit(NamedTuple):
    """Squared distance from the line between two others; what multiplies the variances of shocks and of noise."""

    squared: Floats
    walk: Floats
    white: Floats


def _misfit(y: Floats, known: Flags, years: Integers, before: Integers, after: Integers) -> _Misfit:
    T = len(years)
    there = known & (before >= 0) & (after < T)
    left, right = np.where(there, before, 0), np.where(there, after, 0)
    a = np.where(there, years - years[left], np.nan)
    b = np.where(there, years[right] - years, np.nan)
    line = (b * np.take_along_axis(y, left, axis=1) + a * np.take_along_axis(y, right, axis=1)) / (a + b)
    return _Misfit((y - line) ** 2, a * b / (a + b), 1 + (a**2 + b**2) / (a + b) ** 2)


def _again(neighbour: Integers, none: int) -> Integers:
    """Return the neighbour's neighbour."""
    inside = np.clip(neighbour, 0, neighbour.shape[1] - 1)
    return np.where(neighbour == none, none, np.take_along_axis(neighbour, inside, axis=1))


def _lasting_part(near: _Misfit, far: _Misfit) -> float:
    """Return how much of the misfit between neighbours is of lasting shocks, 0 to 1, typically over all paths."""
    both = ~np.isnan(near.squared) & ~np.isnan(far.squared)
    if not both.any():
        return 1.0
    usual = np.maximum(_row_mean(near.squared), _LEAST_VARIANCE)[:, None]
    ratio = _median((far.squared / usual)[both]) / max(_median((near.squared / usual)[both]), 1e-9)
    as_walk = _median((far.walk / near.walk)[both])
    as_white = _median((far.white / near.white)[both])
    return float(np.clip((ratio - as_white) / (as_walk - as_white), 0.0, 1.0))


def _usual_variance(variance: Floats, n: Integers, log_size: Floats) -> Floats:
    """Return the variance usual at each size: a line through the logarithms, without the bias of a logarithm."""
    some = n > 0
    if not some.any():
        return np.full(len(n), GROWTH_SPREAD**2)
    logs = np.log(variance[some]) - (digamma(n[some] / 2) - np.log(n[some] / 2))
    if some.sum() < 30 or np.ptp(log_size[some]) == 0:
        return np.full(len(n), np.exp(np.median(logs)))
    line = np.polyfit(log_size[some], logs, 1, w=np.sqrt(n[some]))
    return np.asarray(np.exp(np.polyval(line, np.where(np.isnan(log_size), log_size[some].mean(), log_size))))


def _net_entry(grid: _Grid, table: pl.DataFrame, plants: Floats) -> tuple[Floats, Floats]:
    """Return entries less exits a year by the stock before, and how likely it is above zero."""
    stocked = plants > 0
    if not stocked.any():
        return np.full(plants.shape, np.nan), np.full(plants.shape, np.nan)
    before, _ = _neighbours(stocked)
    there = stocked & (before >= 0)
    left = np.where(there, before, 0)
    gap = np.where(there, grid.years - grid.years[left], np.nan)
    stock = np.where(there, np.take_along_axis(plants, left, axis=1), np.nan)
    entries, exits = grid.spread(table["entries"]), grid.spread(table["exits"])
    counted = ~np.isnan(entries) & ~np.isnan(exits)
    change = np.where(counted, entries - exits, plants - stock)
    # Without counts of both, at least the net change is known to have happened; 1 keeps nothing from being certain.
    events = np.where(counted, entries + exits, np.abs(plants - stock)) + 1
    return change / stock / gap, np.asarray(ndtr(change / np.sqrt(events)))


def _direction_evidence(trend: _Trend, threshold: float) -> Floats:
    """Return how much better each course explains the slope than chance does (logs; paths, years, courses)."""
    shrinks, grows = _beyond(trend.slope, trend.error, threshold)
    outside = ndtr(-threshold / GROWTH_SPREAD)
    likelihood = np.stack([shrinks / outside, (1 - shrinks - grows) / (1 - 2 * outside), grows / outside], axis=2)
    return _log_or_nothing(likelihood)[:, :, _DIRECTION]


def _beyond(slope: Floats, error: Floats, threshold: float) -> tuple[Floats, Floats]:
    """Return how likely the true slope is below -threshold and above it, given what slopes are usual."""
    trust = GROWTH_SPREAD**2 / (GROWTH_SPREAD**2 + error**2)
    spread = error * np.sqrt(trust)
    return ndtr((-threshold - trust * slope) / spread), ndtr((trust * slope - threshold) / spread)


def _p_specialised(lq: Floats, trend: _Trend, specialised: float) -> Floats:
    """Return how likely the true quotient is above the bar; a half where it is not known."""
    high = ndtr((_log(np.maximum(lq, 1e-9)) - np.log(specialised)) / trend.level_error)
    return np.where(np.isnan(high), 0.5, high)


def _entry_evidence(p_entry: Floats) -> Floats:
    """Growth without new firms, or a fall with them, is less to be believed; unknown plants say nothing."""
    if np.isnan(p_entry).all():
        return np.zeros((*p_entry.shape, len(_COURSES)))
    return _log_or_nothing(np.stack([2 * (1 - p_entry), np.ones_like(p_entry), 2 * p_entry], axis=2))[:, :, _DIRECTION]


def _variety_evidence(trend: _Trend, threshold: float) -> Floats:
    """Tell a cluster that changes from one that holds by whether variety grows; without it there is no telling."""
    _, rises = _beyond(trend.slope, trend.error, threshold)
    usual = ndtr(-threshold / GROWTH_SPREAD)
    evidence = np.zeros((*rises.shape, len(_COURSES)))
    evidence[:, :, _COURSES.index("holds")] = _log_or_nothing((1 - rises) / (1 - usual))
    evidence[:, :, _COURSES.index("changes")] = np.where(
        np.isnan(rises), _NEVER, np.log(np.maximum(rises / usual, MISLED))
    )
    return evidence


def _log_or_nothing(likelihood: Floats) -> Floats:
    """Return logs, bounded as figures can mislead; 0, which says nothing, where there is no figure."""
    return np.log(np.where(np.isnan(likelihood), 1.0, np.maximum(likelihood, MISLED)))


# --- stages over the years --------------------------------------------------------------------------------------------


def _transitions() -> Floats:
    """Return the probabilities of moving between courses within a year."""
    P = np.zeros((len(_COURSES), len(_COURSES)))
    for course, following in _FOLLOWS.items():
        for other in following:
            P[_COURSES.index(course), _COURSES.index(other)] = TURN
    return P + np.diag(1 - P.sum(axis=1))


def _smooth(log_likelihood: Floats, years: Integers) -> Floats:
    """Return the probability of each course in each year given all years: the forward-backward recursion.

    Source: Rabiner (1989), A tutorial on hidden Markov models, Proceedings of the IEEE 77.
    """
    P = _transitions()
    steps = [np.linalg.matrix_power(P, int(gap)) for gap in np.diff(years)]
    # Years first and paths last: every step then works on whole rows of memory.
    likelihood = np.ascontiguousarray(
        np.exp(log_likelihood - log_likelihood.max(axis=2, keepdims=True)).T.swapaxes(0, 1)
    )
    T, courses, paths = likelihood.shape
    start = np.ones((courses, 1))
    start[_COURSES.index("regrows")] = 0.0  # nothing is known of a fall before the first year
    found = np.empty_like(likelihood)
    for t in range(T):
        prior = steps[t - 1].T @ found[t - 1] if t else start
        found[t] = _normalised(prior * likelihood[t])
    backward = np.ones((courses, paths))
    for t in range(T - 2, -1, -1):
        backward = _normalised(steps[t] @ (backward * likelihood[t + 1]))
        found[t] = _normalised(found[t] * backward)
    return found.transpose(2, 0, 1)


def _normalised(weights: Floats) -> Floats:
    return np.asarray(weights / weights.sum(axis=0), dtype=np.float64)


def _by_stage(courses: Floats, high: Floats) -> Floats:
    """Split what holds and what grows by specialisation: that is what tells a cluster from one in the making."""
    holds, changes, grows, regrows, shrinks = np.moveaxis(courses, 2, 0)
    low = 1 - high
    return np.stack([holds * low, grows * low, grows * high, holds * high, changes, shrinks, regrows], axis=2)


def _held(likeliest: Integers, known: Flags) -> Integers:
    """Return the stages after hysteresis: one that the next observation does not confirm does not count."""
    P, T = likeliest.shape
    _, after = _neighbours(known)
    following = np.take_along_axis(likeliest, np.minimum(after, max(T - 1, 0)), axis=1)
    confirmed = known & (after < T) & (following == likeliest)
    first = np.where(confirmed.any(axis=1), confirmed.argmax(axis=1), known.argmax(axis=1))
    current = likeliest[np.arange(P), first]
    held = np.empty_like(likeliest)
    for t in range(T):
        current = np.where(confirmed[:, t], likeliest[:, t], current)
        held[:, t] = current
    return held


def _reasons(E: Floats, known: Flags, grid: _Grid, minimum_size: float, breaks: Collection[int]) -> pl.Series:
    """Say of each row why its figures allow no stage; null where they do."""
    years = grid.years
    n = known.sum(axis=1)
    first, last = known.argmax(axis=1), len(years) - 1 - known[:, ::-1].argmax(axis=1)
    covered = np.where(n > 0, years[last] - years[first] + 1, 0)
    enough = (covered >= 5) & ((n >= 5) | ((n >= 3) & (covered >= 10)))
    at = (grid.path, grid.column)
    facts = pl.DataFrame(
        {
            "size": _gaps(E[at]),
            "n": n[grid.path],
            "covered": covered[grid.path],
            "enough": enough[grid.path],
            "since": _last_break(years[grid.column], breaks),
        }
    )
    few = pl.format("too few years: {} with a figure, {} from first to last", "n", "covered")
    reason = (
        pl.when(pl.col("size").is_null())
        .then(pl.lit("no figure for this year: suppressed or not collected"))
        .when(pl.col("size") == 0)
        .then(pl.lit("nothing there in this year"))
        .when(pl.col("size") < minimum_size)
        .then(pl.lit(f"too small: below {minimum_size:g}"))
        .when(~pl.col("enough") & pl.col("since").is_not_null())
        .then(pl.format("{}, next to the break of {}", few, "since"))
        .when(~pl.col("enough"))
        .then(few)
    )
    return facts.select(reason).to_series()


def _last_break(year: Integers, breaks: Collection[int]) -> pl.Series:
    """Return the break nearest to each year, null without any."""
    if not breaks:
        return pl.Series([None] * len(year), dtype=pl.Int64)
    given = np.array(sorted(breaks))
    return pl.Series(given[np.abs(year[:, None] - given).argmin(axis=1)])


def _with_stages(found: pl.DataFrame, probability: Floats, held: Integers, least: float) -> pl.DataFrame:
    """Add stages and probabilities where figures allow them; where they fit no stage well, probabilities alone."""
    rows = np.arange(len(held))
    others = probability.copy()
    others[rows, held] = -1.0
    second = others.argmax(axis=1)
    named = pl.Series(STAGES, dtype=STAGE)
    every = {f"p_{stage}": probability[:, k] for k, stage in enumerate(STAGES)}
    drawn = found.with_columns(
        stage=named.gather(held),
        stage_probability=pl.Series(probability[rows, held]),
        runner_up=named.gather(second),
        runner_up_probability=pl.Series(probability[rows, second]),
        **{name: pl.Series(values) for name, values in every.items()},
    )
    reason, own = pl.col("stage_reason"), pl.col("stage_probability")
    doubt = (
        pl.when(reason.is_not_null())
        .then(reason)
        .when(pl.max_horizontal(own, "runner_up_probability") < least)
        .then(pl.lit("not clear: the figures fit several stages"))
        .when(own < least)
        .then(pl.format("changing: one observation of {}, not confirmed by another", pl.col("runner_up")))
    )
    first = ["stage", "stage_probability", "runner_up", "runner_up_probability"]
    facts = [name for name in found.columns if name not in (*KEYS, "stage_reason")]
    return (
        drawn.with_columns(pl.when(reason.is_null()).then(pl.col(*every)), doubt=doubt)
        .with_columns(pl.when(pl.col("doubt").is_null()).then(pl.col(first)))
        .drop("stage_reason")
        .rename({"doubt": "stage_reason"})
        .select(*KEYS, "stage", "stage_reason", *first[1:], *facts, *every)
    )


def _gaps(values: Floats) -> pl.Series:
    return pl.Series(values).fill_nan(None)


def _log(values: Floats) -> Floats:
    return np.log(np.where(values > 0, values, np.nan))


def _median(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else 1.0


def _row_mean(values: Floats) -> Floats:
    n = (~np.isnan(values)).sum(axis=1)
    return np.asarray(np.where(n > 0, np.nansum(values, axis=1) / np.maximum(n, 1), np.nan))
