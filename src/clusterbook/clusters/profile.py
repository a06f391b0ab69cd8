"""Profiles: what is known of a cluster in a place, by the seven elements and nine dimensions that describe clusters.

Each indicator of ``profile_indicators.yaml`` is a figure of the edition, scored by its place among the regions that
have the same cluster, or a recorded fact, scored by a declared scale. An element's score is the weighted mean of those
that are known; it has a range, and it says how many of its indicators are known. What is not known has no score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from clusterbook.clusters.composition import composition, plant_size_ratio
from clusterbook.clusters.facts import COMPUTED, DimensionId, ElementId, facts_vocabulary, latest_facts
from clusterbook.clusters.tables import PAIR, Tables, last_year, require_columns
from clusterbook.data.matrix import Matrix, long_table, matrix_of
from clusterbook.data.tables import did_you_mean
from clusterbook.errors import ClusterbookError
from clusterbook.measures.growth import growth
from clusterbook.measures.points import on_sphere
from clusterbook.measures.spatial import neighbour_mean
from clusterbook.measures.weights import k_nearest

Floats = NDArray[np.float64]
Scheme = Literal["element", "dimension"]

#: Stands in the indicators for the main measure of the edition.
SIZE = "{size}"
#: The table of figures that are derived here.
DERIVED = "profile"
#: Regions whose value must be known before any is scored by its place: places among fewer say little.
FEWEST = 5
#: How many of the nearest regions are a region's neighbours.
NEIGHBOURS = 5
#: Scores from which, and up to which, a card speaks of high and of low.
HIGH, LOW = 67, 33
_OBSERVED = ("value", "low", "high", "year", "source")
_SCORES = ("score", "score_low", "score_high")


# ---- what a profile looks at: data -----------------------------------------------------------------------------------


class _Data(BaseModel):
    """Data from YAML: what is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Aspect(_Data):
    """An element or a dimension of clusters; ``poles`` say what scores of 0 and of 100 stand for."""

    id: ElementId | DimensionId
    scheme: Scheme
    title: str
    question: str
    poles: tuple[str, str]
    source: str


class Indicator(_Data):
    """A figure or fact by which clusters are profiled; the fields are explained atop ``profile_indicators.yaml``."""

    id: str
    title: str = ""
    tells: str = ""
    cannot: str = "Somebody's record: it is as good as its source, and others may see it otherwise."
    element: ElementId | None = None
    dimension: DimensionId | None = None
    figure: str | None = None
    low: tuple[str, ...] = ()
    high: tuple[str, ...] = ()
    year: str = "year"
    unit: str = ""
    direction: Literal["higher", "lower"] = "higher"
    scale: tuple[float, float] | None = None
    levels: dict[str, float] | None = None
    weight: float = Field(default=1, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _words_of_the_fact(cls, data: Any) -> Any:
        """Take title, question and unit of a recorded fact from the vocabulary of facts."""
        fact = None if data.get("figure") else facts_vocabulary().get(data.get("id"))
        words = {"title": fact.title, "tells": fact.question, "unit": fact.unit or fact.kind} if fact else {}
        return {**words, **data}

    @model_validator(mode="after")
    def _of_one_origin(self) -> Self:
        if self.figure is None and self.id not in facts_vocabulary():
            raise ValueError(f"'{self.id}' has no figure and is no fact of the vocabulary")
        ways = (self.scale is not None) + (self.levels is not None)
        if ways != (self.figure is None):
            raise ValueError(f"'{self.id}': a figure is scored by its place, a fact by either a scale or levels")
        return self

    @property
    def falls(self) -> bool:
        """Whether a high value means a low score."""
        return self.direction == "lower" or (self.scale is not None and self.scale[0] > self.scale[1])

    def in_words_of(self, size: str) -> Indicator:
        """Return the indicator with the edition's main measure in place of ``{size}``."""
        texts = {name: text.replace(SIZE, size) for name, text in self if isinstance(text, str)}
        ends = {name: tuple(c.replace(SIZE, size) for c in getattr(self, name)) for name in ("low", "high")}
        return self.model_copy(update={**texts, **ends})


class ProfileRules(_Data):
    """The aspects of a profile and its indicators."""

    aspects: tuple[Aspect, ...]
    indicators: tuple[Indicator, ...]

    def counted(self, aspect: Aspect) -> tuple[Indicator, ...]:
        """Return the indicators that count in the score of an element or dimension."""
        return tuple(i for i in self.indicators if getattr(i, aspect.scheme) == aspect.id and i.weight > 0)

    def with_weights(self, weights: Mapping[str, float]) -> ProfileRules:
        """Return the rules with other weights of some indicators; 0 leaves one out of the scores.

        Raises:
            ClusterbookError: there is no such indicator, or a weight is negative or no number.

        Example:
            >>> rules = profile_rules().with_weights({"location-quotient": 1})
        """
        check_weights(weights, [i.id for i in self.indicators], "indicator")
        changed = tuple(i.model_copy(update={"weight": weights.get(i.id, i.weight)}) for i in self.indicators)
        return self.model_copy(update={"indicators": changed})


@cache
def profile_rules() -> ProfileRules:
    """Return the bundled aspects and indicators, for a profile with other weights or for printing.

    Example:
        >>> [aspect.id for aspect in profile_rules().aspects][:3]
        ['geographical-concentration', 'specialisation', 'actors']
    """
    text = files("clusterbook.clusters").joinpath("profile_indicators.yaml").read_text(encoding="utf-8")
    return ProfileRules.model_validate(yaml.safe_load(text))


def check_weights(weights: Mapping[str, float], known: Sequence[str], noun: str) -> None:
    """Raise ``ClusterbookError`` for weights of unknown names and for weights that are negative or no number."""
    faults = [f"there is no {noun} {name!r}{did_you_mean(name, known)}" for name in weights if name not in known]
    faults += [f"{name!r} has the weight {weight}" for name, weight in weights.items() if not 0 <= weight < np.inf]
    if faults:
        raise ClusterbookError(f"weights: {'; '.join(faults)}. Weights are numbers from 0 up, by {noun}.")


# ---- profiles of all pairs -------------------------------------------------------------------------------------------


class Profiles(NamedTuple):
    """Profiles of many clusters in regions.

    ``indicators``: one row a known indicator of a region and cluster, with ``element`` and ``dimension`` (null: none),
    ``indicator``, ``value``, ``low``, ``high``, ``unit``, ``score``, ``score_low`` and ``score_high`` (0 to 100, null
    where it cannot be scored), ``year`` and ``source`` (table.column of the edition, or the source of a fact).
    ``elements``: one row an element or dimension (``scheme``) of a region and cluster, with its score and range (null:
    not known) and how many of its counted indicators are ``known``, with a score, of those ``possible``.
    """

    indicators: pl.DataFrame
    elements: pl.DataFrame


def cluster_profiles(
    tables: Tables,
    facts: pl.DataFrame | None = None,
    *,
    size: str = "employment",
    rules: ProfileRules | None = None,
) -> Profiles:
    """Profile every cluster in every region where it is, or where facts speak of it.

    Args:
        tables: tables of an edition by name. ``clusters`` is needed; of the others (``cells``, ``members``, ``change``,
            ``regions``, ``region_names``, ``trends``, ``industries``, ``space_links``, ``related``, ``patents``) those
            that are there are used. ``related`` has ``cluster, other, strength``; ``patents`` has ``region, year,
            patents``.
        facts: recorded facts as ``read_facts`` returns them; of several years the last counts. Those that
            ``facts_from_tables`` computed are passed over, as the tables tell more.
        size: the edition's main measure.
        rules: what to look at; default: ``profile_rules()``.

    Returns:
        Profiles of the last year, sorted by cluster and region. A pair is in it where its size is not zero (unknown is
        not zero) or where there are facts about it, so that a nominated cluster no statistic shows has a profile, too.

    Raises:
        ClusterbookError: ``clusters`` is absent or lacks its keys or the size, or facts are no table of facts.

    Scores of figures are places among the regions that have the same cluster: the share of the others with a lower
    value, equals counted half, times 100; none where fewer than five values are known. The ends of an interval of the
    value are placed in the same way and give the range of the score. Facts are placed on a declared scale. The score of
    an element is the weighted mean over its known indicators; its range is the widest that the intervals give with all
    indicators or with any one of them left out. Source of the elements: white book 2.3 to 2.5; of the dimensions:
    Enright and Ffowcs-Williams (2000), ¶61; scores and weights are our own rule.

    Example:
        >>> jobs = pl.DataFrame({"region": list("ABCDE"), "cluster": "steel", "year": 2019, "lq": [3.0, 1, 2, 0.5, 0.1],
        ...                      "employment": [900, 40, 300, 20, 5]})
        >>> profiles = cluster_profiles({"clusters": jobs})
        >>> profiles.indicators.filter(indicator="location-quotient")["score"].to_list()
        [100.0, 50.0, 75.0, 25.0, 0.0]
        >>> profiles.elements.filter(region="A", element="specialisation").select("score", "known", "possible").row(0)
        (100.0, 1, 5)
    """
    require_columns(tables, "clusters", (*PAIR, "year", size))
    if facts is not None:  # computed ones are figures without their intervals
        facts = latest_facts(facts).filter(pl.col("source") != COMPUTED)
    rules = rules or profile_rules()
    indicators = [indicator.in_words_of(size) for indicator in rules.indicators]
    pairs = _pairs(tables["clusters"], facts, size)
    known = {**tables, DERIVED: profile_figures(tables, size=size)}
    found = {i.id: _scored(_observed(i, pairs, known, facts), i) for i in indicators}
    return Profiles(_long(indicators, found), _summary(rules, pairs, found))


def _pairs(clusters: pl.DataFrame, facts: pl.DataFrame | None, size: str) -> pl.DataFrame:
    """Return the pairs to be profiled, each once; those of one cluster stand together."""
    present = last_year(clusters).filter(pl.col(size).is_null() | (pl.col(size) > 0)).select(PAIR)
    told = [facts.select(PAIR)] if facts is not None else []
    return pl.concat([present, *told]).unique().sort("cluster", "region")


def _observed(indicator: Indicator, pairs: pl.DataFrame, tables: Tables, facts: pl.DataFrame | None) -> pl.DataFrame:
    """Return the pairs with an indicator's value, interval, year and source; a recorded fact comes before a figure."""
    figures = _figure(indicator, pairs, tables)
    recorded = _fact(indicator, pairs, facts)
    told = pl.any_horizontal(pl.col(f"{name} fact").is_not_null() for name in ("value", "low", "high"))
    both = pl.concat([figures, recorded.select(pl.col(_OBSERVED).name.suffix(" fact"))], how="horizontal")
    return both.select(*PAIR, *(pl.when(told).then(f"{name} fact").otherwise(name).alias(name) for name in _OBSERVED))


def _figure(indicator: Indicator, pairs: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    name, _, column = (indicator.figure or ".").partition(".")
    table = tables.get(name)
    if table is None or column not in table.columns:
        return pairs.with_columns(_nothing())
    keys = [key for key in PAIR if key in table.columns]
    year = indicator.year if indicator.year in table.columns else None
    ends = [[c for c in end if c in table.columns] for end in (indicator.low, indicator.high)]
    figures = last_year(table).select(
        *keys,
        pl.col(column).cast(pl.Float64).fill_nan(None).alias("value"),
        (pl.min_horizontal(ends[0]) if ends[0] else pl.lit(None)).cast(pl.Float64).alias("low"),
        (pl.max_horizontal(ends[1]) if ends[1] else pl.lit(None)).cast(pl.Float64).alias("high"),
        (pl.col(year) if year else pl.lit(None)).cast(pl.Int16).alias("year"),
    )
    # From 0 up without end is no knowledge.
    vague = pl.col("value").is_null() & pl.col("high").is_null() & (pl.col("low") <= 0)
    return pairs.join(figures, on=keys, how="left", maintain_order="left", validate="m:1").with_columns(
        pl.when(~vague.fill_null(False)).then("low"),
        pl.lit(indicator.figure).alias("source"),
    )


def _fact(indicator: Indicator, pairs: pl.DataFrame, facts: pl.DataFrame | None) -> pl.DataFrame:
    if facts is None:
        return pairs.with_columns(_nothing())
    levels = indicator.levels or {}
    of_choice = pl.col("choice").replace_strict(levels, default=None, return_dtype=pl.Float64)
    spread = pl.col("low") < pl.col("high")  # a certain value is its own range
    told = facts.filter(fact=indicator.id).select(
        *PAIR,
        pl.coalesce("value", of_choice, pl.when(~spread).then("low")).alias("value"),
        pl.when(spread).then("low").alias("low"),
        pl.when(spread).then("high").alias("high"),
        pl.col("year").cast(pl.Int16),
        "source",
    )
    return pairs.join(told, on=PAIR, how="left", maintain_order="left")


def _nothing() -> list[pl.Expr]:
    none = pl.lit(None, pl.Float64)
    return [
        *(none.alias(name) for name in ("value", "low", "high")),
        pl.lit(None, pl.Int16).alias("year"),
        pl.lit(None, pl.String).alias("source"),
    ]


# ---- scores ----------------------------------------------------------------------------------------------------------


def _scored(observed: pl.DataFrame, indicator: Indicator) -> pl.DataFrame:
    """Add score and range of the score, 0 to 100."""
    value, low, high = (observed[name].to_numpy() for name in ("value", "low", "high"))
    scores: Sequence[Floats] = (value, low, high)
    if indicator.scale is not None:
        a, b = indicator.scale
        scores = [np.clip(100 * (x - a) / (b - a), 0, 100) for x in scores]
    elif indicator.levels is None:  # levels are scores
        scores = _places(value, low, high, observed["cluster"])
        scores = [100 - x for x in scores] if indicator.direction == "lower" else scores
    names = ("score", "score_high", "score_low") if indicator.falls else _SCORES
    rounded = [pl.Series(name, np.round(x, 1)).fill_nan(None) for name, x in zip(names, scores, strict=True)]
    return observed.with_columns(rounded)


def _places(value: Floats, low: Floats, high: Floats, cluster: pl.Series) -> tuple[Floats, Floats, Floats]:
    """Return the place of value, low and high of each row among the values of the other rows of its cluster.

    Where the value is not known, an end that is not known either may lie at the very end.
    """
    places = np.full((3, len(value)), np.nan)
    starts = [0, *(np.flatnonzero((cluster[1:] != cluster[:-1]).to_numpy()) + 1).tolist(), len(value)]
    for a, b in pairwise(starts):
        own = value[a:b]
        among = np.sort(own[~np.isnan(own)])
        if len(among) >= FEWEST:
            for k, at in enumerate((value, low, high)):
                places[k, a:b] = _place(at[a:b], own, among)
            ranged = np.isnan(own) & ~(np.isnan(low[a:b]) & np.isnan(high[a:b]))
            for k, end in ((1, 0.0), (2, 100.0)):
                places[k, a:b] = np.where(ranged & np.isnan(places[k, a:b]), end, places[k, a:b])
    return places[0], places[1], places[2]


def _place(at: Floats, own: Floats, among: Floats) -> Floats:
    """Return what share of the others lies below, equals counted half, times 100; a row is not among its own others."""
    below = np.searchsorted(among, at, "left")
    equal = np.searchsorted(among, at, "right") - below - (own == at)
    others = len(among) - ~np.isnan(own)
    place = 100 * (below - (own < at) + equal / 2) / others
    return np.where(np.isnan(at), np.nan, place)


def _summary(rules: ProfileRules, pairs: pl.DataFrame, found: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return score, range and number of known indicators of every aspect of every pair."""
    aspects = pl.Enum([aspect.id for aspect in rules.aspects])
    parts = []
    for aspect in rules.aspects:
        counted = rules.counted(aspect)
        shape = (len(counted), pairs.height)
        score, low, high = (
            np.array([found[i.id][name].to_numpy() for i in counted]).reshape(shape) for name in _SCORES
        )
        columns = _mean_and_range(score, low, high, np.array([i.weight for i in counted]))
        parts.append(
            pairs.with_columns(
                pl.lit(aspect.scheme, pl.Enum(["element", "dimension"])).alias("scheme"),
                pl.lit(aspect.id, aspects).alias("element"),
                *(pl.Series(name, np.round(x, 1)).cast(pl.Float32).fill_nan(None) for name, x in columns.items()),
                pl.Series("known", (~np.isnan(score)).sum(axis=0), pl.UInt8),
                pl.lit(len(counted), pl.UInt8).alias("possible"),
            )
        )
    return pl.concat(parts).sort("cluster", "region", "element")


def _mean_and_range(score: Floats, low: Floats, high: Floats, weight: Floats) -> dict[str, Floats]:
    """Return the weighted mean of the known scores, shape (k, n), and its range over the intervals and leave-one-out.

    An indicator without an interval counts as certain, so that a single one has no range.
    """
    known = ~np.isnan(score)
    w = weight[:, None] * known
    total, count = w.sum(axis=0), known.sum(axis=0)
    means, ends = {}, ((np.fmin, low), (np.fmax, high))
    with np.errstate(divide="ignore", invalid="ignore"):
        means["score"] = np.nansum(w * score, axis=0) / total
        for name, (widest, end) in zip(("score_low", "score_high"), ends, strict=True):
            parts = w * np.where(known, np.where(np.isnan(end), score, end), 0)
            whole = parts.sum(axis=0)
            left_out = np.where(known & (count > 1), (whole - parts) / (total - w), np.nan)
            mean = widest.reduce(left_out, axis=0, initial=np.nan)
            without = (count == 1) & ~(known & ~np.isnan(end)).any(axis=0)
            means[name] = np.where(without, np.nan, widest(mean, whole / total))
    return means


def _long(indicators: Sequence[Indicator], found: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return one row a known indicator, with narrow types: there are a million of them."""
    ids = pl.Enum([i.id for i in indicators])
    units = pl.Enum(sorted({i.unit for i in indicators}))
    elements = pl.Enum(sorted({i.element for i in indicators if i.element}))
    dimensions = pl.Enum(sorted({i.dimension for i in indicators if i.dimension}))
    told = pl.any_horizontal(pl.col("value", "low", "high").is_not_null())
    sources = pl.Enum(sorted({s for frame in found.values() for s in frame["source"].drop_nulls().unique()}))
    parts = [
        found[i.id]
        .filter(told)
        .select(
            *PAIR,
            pl.lit(i.element, elements).alias("element"),
            pl.lit(i.dimension, dimensions).alias("dimension"),
            pl.lit(i.id, ids).alias("indicator"),
            pl.col("value", "low", "high").cast(pl.Float32),
            pl.lit(i.unit, units).alias("unit"),
            pl.col(_SCORES).cast(pl.Float32),
            "year",
            pl.col("source").cast(sources),
        )
        for i in indicators
    ]
    return pl.concat(parts).sort("cluster", "region", "indicator")


# ---- figures derived from the edition's tables -----------------------------------------------------------------------


def profile_figures(tables: Tables, *, size: str = "employment") -> pl.DataFrame:
    """Derive the figures of profiles that stand in no table of the edition.

    Args:
        tables: as in ``cluster_profiles``.
        size: the edition's main measure.

    Returns:
        One row a region and cluster of the last year, with those of these columns for which the tables suffice:
        ``industries_present`` (share of the cluster's industries, with ``_lo`` and ``_hi`` where some cells are
        suppressed), ``effective_industries``, ``top_industry_share``, ``rivals`` (plants of its own industry that the
        average unit of size finds in the region), ``industry_complexity`` (mean complexity of the industries by size),
        ``subclusters_present``; ``neighbours_lq`` (mean quotient of the five nearest regions), ``related_present`` and
        ``linked_present`` (share of related clusters and of linked industries with a quotient of at least 1),
        ``plant_size_ratio`` (to the nation), ``establishments_growth`` (a year, to ``to_year``), ``patents_rate`` (per
        1,000 of the region's size). Null where a cell that matters is not known.

    Example:
        >>> jobs = pl.DataFrame({"region": ["A", "B"], "cluster": "steel", "year": 2019, "employment": [900, 100],
        ...                      "establishments": [9, 4]})
        >>> profile_figures({"clusters": jobs}).select("region", "plant_size_ratio").rows()
        [('A', 1.3), ('B', 0.325)]
    """
    require_columns(tables, "clusters", (*PAIR, "year", size))
    latest = last_year(tables["clusters"]).sort("cluster", "region")
    ratio = {"plant_size_ratio": plant_size_ratio(size)} if "establishments" in latest.columns else {}
    figures = latest.select(*PAIR, "year", **ratio)
    parts = [
        composition(tables, size),
        *_surroundings(tables, latest),
        *_links(tables, latest),
        *_entry(tables),
    ]
    for part in parts:
        figures = figures.join(part, on=PAIR, how="left", maintain_order="left")
    for part in _patents(tables, size):
        figures = figures.join(part, on="region", how="left", maintain_order="left")
    return figures


def _surroundings(tables: Tables, latest: pl.DataFrame) -> Iterator[pl.DataFrame]:
    if "lq" in latest.columns:
        lq = matrix_of(latest, "lq")
        mean = mean_of_neighbours(tables, lq)
        if mean is not None:
            yield long_table(lq, {"neighbours_lq": mean})


def mean_of_neighbours(tables: Tables, matrix: Matrix) -> Floats | None:
    """Return the mean of each column over the five nearest regions, shape (R, C); None where places are not known.

    Regions without coordinates are nobody's neighbours and have none (NaN).
    """
    names = tables.get("region_names")
    if names is None or not {"lon", "lat"} <= set(names.columns):
        return None
    codes = pl.DataFrame({"region": matrix.regions})
    lonlat = codes.join(names, on="region", how="left", maintain_order="left").select("lon", "lat").to_numpy()
    placed = np.flatnonzero(~np.isnan(lonlat.astype(np.float64)).any(axis=1))
    if len(placed) <= NEIGHBOURS:
        return None
    mean = np.full(matrix.values.shape, np.nan)
    mean[placed] = neighbour_mean(matrix.values[placed], k_nearest(on_sphere(lonlat[placed]), NEIGHBOURS))
    return mean


def _links(tables: Tables, latest: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield how much of what each cluster is tied to is there."""
    if "related" in tables and "lq" in latest.columns:
        lq = matrix_of(latest, "lq")
        ties = _tie_matrix(tables["related"], "cluster", "strength", lq.industries)
        np.fill_diagonal(ties, 0)
        present = _share_present(lq.values, ties)
        yield long_table(lq, {"related_present": present})
    if {"space_links", "members", "cells"} <= set(tables) and "lq" in tables["cells"].columns:
        lq = matrix_of(last_year(tables["cells"]), "lq", columns="industry")
        ties = _tie_matrix(tables["space_links"], "industry", "proximity", lq.industries)
        clusters = tuple(tables["members"]["cluster"].unique().sort())
        inside = _membership(tables["members"], lq.industries, clusters)
        outward = np.where(inside > 0, 0.0, np.maximum(ties, ties.T) @ inside)
        linked = Matrix(_share_present(lq.values, outward), lq.regions, clusters)
        yield long_table(linked, {"linked_present": linked.values})


def _share_present(lq: Floats, ties: Floats) -> Floats:
    """Return the share, by strength, of what is tied (I, C) that has a quotient of at least 1 in each region (R, C)."""
    unknown = np.isnan(lq)
    strength = ties.sum(axis=0)
    share = (np.where(unknown, 0.0, lq) >= 1) @ ties / np.where(strength > 0, strength, np.nan)
    return np.where(unknown.astype(np.float64) @ ties > 0, np.nan, share)


def _tie_matrix(links: pl.DataFrame, key: str, strength: str, codes: tuple[str, ...]) -> Floats:
    place = {code: k for k, code in enumerate(codes)}
    ties = np.zeros((len(codes), len(codes)))
    known = links.filter(pl.col(key).is_in(codes), pl.col("other").is_in(codes), pl.col(strength) > 0)
    ties[[place[c] for c in known[key]], [place[c] for c in known["other"]]] = known[strength].to_numpy()
    return ties


def _membership(members: pl.DataFrame, industries: tuple[str, ...], clusters: tuple[str, ...]) -> Floats:
    row, column = ({code: k for k, code in enumerate(codes)} for codes in (industries, clusters))
    known = members.filter(pl.col("industry").is_in(industries))
    inside = np.zeros((len(industries), len(clusters)))
    inside[[row[c] for c in known["industry"]], [column[c] for c in known["cluster"]]] = known["weight"].to_numpy()
    return inside


def _entry(tables: Tables) -> Iterator[pl.DataFrame]:
    trends, change = tables.get("trends"), tables.get("change")
    if trends is None or change is None or "establishments" not in trends.columns or change.is_empty():
        return
    start, end = change["from_year"][0], change["to_year"][0]
    if start < end:
        grown = growth(trends, "establishments", start=start, end=end, industry="cluster", name="establishments_growth")
        yield grown.select(*PAIR, "establishments_growth", "to_year")


def _patents(tables: Tables, size: str) -> Iterator[pl.DataFrame]:
    if not {"patents", "regions"} <= set(tables):
        return
    patents = last_year(tables["patents"]).select("region", "patents", pl.col("year").alias("patents_year"))
    sizes = last_year(tables["regions"]).filter(pl.col(size) > 0).select("region", pl.col(size).alias("_size"))
    rate = (1000 * pl.col("patents") / pl.col("_size")).alias("patents_rate")
    yield patents.join(sizes, on="region").select("region", rate, "patents_year")


# ---- one card --------------------------------------------------------------------------------------------------------


def describe_profile(
    profiles: Profiles,
    tables: Tables,
    region: str,
    cluster: str,
    *,
    facts: pl.DataFrame | None = None,
    size: str = "employment",
    rules: ProfileRules | None = None,
) -> dict[str, Any]:
    """Return the card of one cluster in one region as plain data, ready to be printed.

    Args:
        profiles: of all pairs, from ``cluster_profiles``.
        tables: ``region_names`` and ``definitions`` give the names; codes stand where they are absent.
        region: the code of the region.
        cluster: the id of the cluster.
        facts: those that went into the profiles; they tell which were looked for in vain and which cannot be scored.
        size: the edition's main measure.
        rules: those of the profiles.

    Returns:
        ``title`` (what stands out, in one sentence), ``region``, ``cluster``, ``region_name``, ``cluster_label``,
        ``regions`` (how many have the cluster), ``aspects`` and ``other_facts`` (recorded, but not scored). Each aspect
        has its id, scheme, title, question, poles, score and range, known, possible, a ``finding`` in words,
        ``indicators`` (those known, each with a ``text`` and what it tells and cannot tell) and ``missing`` (those
        not known, with what to ask and whether somebody looked in vain).

    Raises:
        ClusterbookError: there is no profile of this pair.
    """
    here = (pl.col("region") == region) & (pl.col("cluster") == cluster)
    summary = profiles.elements.filter(here).rows_by_key("element", named=True, unique=True)
    if not summary:
        raise ClusterbookError(
            f"There is no profile of cluster '{cluster}' in region '{region}': the codes are not those of the edition, "
            "or the cluster is not there and no facts speak of it."
        )
    rules = rules or profile_rules()
    known = profiles.indicators.filter(here).rows_by_key("indicator", named=True, unique=True)
    told = facts.filter(here) if facts is not None else pl.DataFrame(schema={"fact": pl.String})
    indicators = [indicator.in_words_of(size) for indicator in rules.indicators]
    aspects = [_aspect_card(aspect, indicators, summary[aspect.id], known, told) for aspect in rules.aspects]
    name = _name(tables, "region_names", "region", region, "name")
    label = _name(tables, "definitions", "cluster", cluster, "label")
    return {
        "title": _finding(f"{label} in {name}", aspects),
        "region": region,
        "cluster": cluster,
        "region_name": name,
        "cluster_label": label,
        "regions": profiles.elements.filter(pl.col("cluster") == cluster)["region"].n_unique(),
        "aspects": aspects,
        "other_facts": _other_facts(indicators, told),
    }


def _aspect_card(
    aspect: Aspect,
    indicators: Sequence[Indicator],
    summary: Mapping[str, Any],
    known: Mapping[Any, Mapping[str, Any]],
    told: pl.DataFrame,
) -> dict[str, Any]:
    own = [i for i in indicators if getattr(i, aspect.scheme) == aspect.id]
    scores = {name: summary[name] for name in (*_SCORES, "known", "possible")}
    return {
        **aspect.model_dump(),
        **scores,
        "finding": _aspect_finding(aspect, scores),
        "indicators": [_indicator_card(i, known[i.id]) for i in own if i.id in known],
        "missing": [_missing(i, told) for i in own if i.id not in known and i.weight > 0],
    }


def _aspect_finding(aspect: Aspect, scores: Mapping[str, Any]) -> str:
    if scores["score"] is None:
        return f"{aspect.title}: not known (none of {scores['possible']} indicators)."
    low, high = scores["score_low"], scores["score_high"]
    span = f" ({low:.0f} to {high:.0f})" if low is not None else ""
    return (
        f"{aspect.title}: {scores['score']:.0f} of 100{span} on the way from '{aspect.poles[0]}' to "
        f"'{aspect.poles[1]}'; {scores['known']} of {scores['possible']} indicators known."
    )


def _indicator_card(indicator: Indicator, row: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("value", "low", "high", "unit", *_SCORES, "year", "source")
    return {
        "id": indicator.id,
        "title": indicator.title,
        "text": _indicator_text(indicator, row),
        **{name: row[name] for name in kept},
        "tells": indicator.tells,
        "cannot": indicator.cannot,
        "counted": indicator.weight > 0,
    }


def _indicator_text(indicator: Indicator, row: Mapping[str, Any]) -> str:
    value, low, high = (None if row[name] is None else _say(indicator, row[name]) for name in ("value", "low", "high"))
    span = f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}" if high else ""
    amount = f"{value} ({span})" if value and span else value or span
    if indicator.figure is None or row["score"] is None:
        return f"{indicator.title}: {amount}."
    than = "above" if indicator.direction == "higher" else "below"
    return f"{indicator.title}: {amount}, {than} {row['score']:.0f}% of the other regions that have the cluster."


def _say(indicator: Indicator, value: float) -> str:
    """Return a value as people write it, with its unit where that is not plain."""
    if indicator.figure is None and indicator.levels is None:
        return facts_vocabulary()[indicator.id].say(value)
    if indicator.levels is not None:
        return next(choice for choice, level in indicator.levels.items() if level == value)
    if indicator.unit.startswith("share"):
        return f"{100 * value:.3g}%" + indicator.unit.removeprefix("share")
    number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    plain = indicator.unit in ("quotient", "rank", "times") or indicator.unit in indicator.title.lower()
    return number if plain else f"{number} {indicator.unit}"


def _missing(indicator: Indicator, told: pl.DataFrame) -> dict[str, Any]:
    looked = indicator.id in told["fact"]
    if indicator.figure is None:
        ask = indicator.tells
    else:
        ask = f"The edition has no figure for it here ({indicator.figure})."
    return {"id": indicator.id, "title": indicator.title, "ask": ask, "looked_in_vain": looked}


def _other_facts(indicators: Sequence[Indicator], told: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the known facts that no indicator scores, in words."""
    scored = [indicator.id for indicator in indicators]
    found = []
    for row in told.filter(~pl.col("fact").is_in(scored)).iter_rows(named=True):
        fact, value = facts_vocabulary().get(row["fact"]), row["choice"] or row["value"]
        if fact is not None and value is not None:
            text = f"{fact.title}: {fact.say(value)}."
            found.append({"id": fact.id, "text": text, "year": row["year"], "source": row["source"]})
    return found


def _finding(where: str, aspects: Sequence[Mapping[str, Any]]) -> str:
    """Say in one sentence what stands out, what lags and what is not known, by elements."""
    elements = [aspect for aspect in aspects if aspect["scheme"] == "element"]
    known = sorted((a for a in elements if a["score"] is not None), key=lambda a: -a["score"])
    if not known:
        return f"{where}: nothing is known yet."
    telling = [a for a in known if a["known"] > 1]  # a single indicator is no finding
    strong = [a for a in telling if a["score"] >= HIGH][:2]
    weak = [a for a in telling[::-1] if a["score"] <= LOW][:2]
    unknown = [a["title"].lower() for a in elements if a["score"] is None]
    parts = [
        f"high in {_scores_in_words(strong)}" if strong else "",
        f"low in {_scores_in_words(weak)}" if weak else "",
        "" if strong or weak else "nothing stands out",
        f"not known: {_and(unknown)}" if unknown else "",
    ]
    return f"{where}: {'; '.join(part for part in parts if part)}."


def _scores_in_words(aspects: Sequence[Mapping[str, Any]]) -> str:
    return _and([f"{a['title'].lower()} ({a['score']:.0f} of 100)" for a in aspects])


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _name(tables: Tables, table: str, key: str, code: str, column: str) -> str:
    """Return the name of a code, or the code where it has none."""
    if table not in tables:
        return code
    names = tables[table].filter(pl.col(key) == code)[column].drop_nulls()
    return str(names[0]) if len(names) else code
