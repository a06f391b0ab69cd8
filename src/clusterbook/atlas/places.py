"""What is known of each cluster in each region, as the page of one reads it: a file a region, asked for when needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from clusterbook.atlas.columns import Columns, Placed, as_shown, coded, columns_of, optional_table, with_positions
from clusterbook.clusters.evidence import METHODS, NOT_LOOKED
from clusterbook.clusters.facts import COMPUTED, facts_vocabulary, latest_facts
from clusterbook.clusters.peers import WEIGHTS, Feature
from clusterbook.clusters.profile import HIGH, LOW, Indicator, profile_rules
from clusterbook.clusters.typology import Typology, typologies
from clusterbook.edition.store import Edition
from clusterbook.knowledge import KnowledgeBase, load_knowledge

PAIR = ("region", "cluster")
WHOLE = "*"  # stands for the whole region among the peers

#: As many peers of a cluster as its page names.
PEERS = 5
#: As many facts of a typology as are worth asking first.
QUESTIONS = 6

_SCORES = {"score": "s", "score_low": "sl", "score_high": "sh"}
_ELEMENT = _SCORES | {"known": "k", "possible": "n"}
_INDICATOR = {"value": "v", "low": "lo", "high": "hi", **_SCORES, "year": "y", "source": "src"}
_STAGE = (
    "year", "stage", "stage_probability", "runner_up", "runner_up_probability", "since", "because", "judged_stage",
    "judged_by", "judged_reason", "judged_year", "judged_differs",
)  # fmt: skip
_AREA = ("regions", "cores", "size", "lq", "national_share", "parents", "crosses", "island")


class Places:
    """The tables about single clusters in single regions; ``regions`` and ``clusters`` are codes in their order."""

    def __init__(self, edition: Edition, regions: list[str], clusters: list[str], flags: list[str]) -> None:
        self.edition = edition
        self.size: str = edition.manifest["measure"]
        self.regions, self.clusters, self.flags = regions, clusters, flags
        self.indicators = [indicator.in_words_of(self.size) for indicator in profile_rules().indicators]
        self.years = self._years()

    def files(self) -> Iterator[dict[str, Any]]:
        """Yield for each region, in their order, what is known of each of its clusters."""
        profiles = self._profiles()
        lists = {
            name: _by_region(table)
            for name, table in {
                "stages": self._some("stages", _STAGE),
                "evidence": self._evidence(),
                "agreement": self._some("agreement", ("verdict", "text")),
                "warnings": self._some("warnings", ("id", "severity", "text", "source")),
                "types": self._table("types"),
                "facts": self._facts(),
                "peers": self._peers(),
            }.items()
        }
        for r in range(len(self.regions)):
            yield {"profile": profiles.get(r, {}), **{name: parts.get(r, {}) for name, parts in lists.items()}}

    def reach_files(self) -> Iterator[dict[str, Columns]]:
        """Yield for each cluster its functional areas, the regions in them and what was decided at each border."""
        place = {"a": ("area", self.regions)}
        areas = self._some("areas", ("area", *_AREA), place)
        members = self._some("area_members", ("area", "core", "lq", "neighbour_lq"), place)
        ends = {**place, "o": ("other", self.regions)}
        borders = self._some("boundaries", ("area", "other", "joined", "reason", "crosses", "text"), ends)
        for c in range(len(self.clusters)):
            own = {"areas": areas, "members": members, "boundaries": borders}
            yield {name: coded(columns_of(as_shown(t.filter(pl.col("c") == c).drop("c")))) for name, t in own.items()}

    def words(self) -> dict[str, Any]:
        """Return what the page says of every place alike: elements, indicators, methods, stages, types, peers."""
        knowledge = load_knowledge()
        return {
            "high": HIGH,
            "low": LOW,
            "aspects": [aspect.model_dump() for aspect in profile_rules().aspects],
            "indicators": [self._indicator(indicator) for indicator in self.indicators],
            "methods": [{"id": m.id, "title": m.title, "sees": m.sees, "cannot": m.cannot_see} for m in METHODS],
            "stages": {id_: _kept(stage, "title", "text", "signs", "needs") for id_, stage in knowledge.stages.items()},
            "typologies": [_typology(rules, knowledge) for rules in typologies()],
            "facts": {id_: {"title": f.title, "question": f.question} for id_, f in facts_vocabulary().items()},
            "features": [
                {"title": one.title, "part": one.block, "weight": one.weight}
                for one in (Feature(name, weight) for name, weight in WEIGHTS.items())
            ],
        }

    # --- single tables

    def _table(self, name: str) -> pl.DataFrame:
        """Return a table of the edition with positions in place of codes; without rows where there is none."""
        table = optional_table(self.edition, name)
        if table is None:
            return pl.DataFrame(schema={"r": pl.Int64, "c": pl.Int64})
        return with_positions(table, self._keys(table))

    def _keys(self, table: pl.DataFrame) -> Placed:
        keys = {"r": ("region", self.regions), "c": ("cluster", self.clusters)}
        return {new: key for new, key in keys.items() if key[0] in table.columns}

    def _some(self, name: str, columns: tuple[str, ...], more: Placed | None = None) -> pl.DataFrame:
        table = self._table(name)
        if table.is_empty():
            return table
        table = with_positions(table.rename({self.size: "size"}, strict=False), more or {})
        return table.select(c for c in ("r", "c", *(more or {}), *columns) if c in table.columns)

    def _evidence(self) -> pl.DataFrame:
        """Return what methods found; that a method was not looked at needs no row, as every method is named."""
        columns = ("method", "finding", "reliability", "text", "source", "origin", "scope")
        table = self._some("evidence", columns)
        return table.filter(pl.col("finding") != NOT_LOOKED) if table.height else table

    def _facts(self) -> pl.DataFrame:
        """Return the facts that people recorded, in words; those looked for in vain are named, too."""
        table = self._table("facts")
        if table.is_empty():
            return table
        recorded = self.edition.table("facts").filter(pl.col("source") != COMPUTED)
        known = latest_facts(recorded)
        vain = recorded.join(known, on=[*PAIR, "fact"], how="anti").unique(
            [*PAIR, "fact"], keep="last", maintain_order=True
        )
        table = with_positions(pl.concat([known, vain]), self._keys(recorded))
        said = pl.Series([_said(row) for row in table.iter_rows(named=True)], dtype=pl.String)
        return table.select("r", "c", "fact", said.alias("text"), "year", "source", "note")

    def _peers(self) -> pl.DataFrame:
        """Return the nearest regions with the cluster in their order; distances are in thousandths."""
        table = self._table("peers")
        if table.is_empty():
            return table
        table = with_positions(table.filter(pl.col("rank") <= PEERS), {"o": ("other", self.regions)})
        thousandths = ((pl.col(n) * 1000).round(0).cast(pl.Int64) for n in ("distance", "structure", "size", "setting"))
        compared = pl.when(pl.col("known") < 0.995).then(pl.col("known").cast(pl.Float64).round(2)).alias("known")
        return table.sort("rank").select("r", "c", "o", *thousandths, compared)

    def _profiles(self) -> dict[int, dict[str, Any]]:
        """Return by region the scores of elements and the indicators behind them, aligned with its clusters ``c``."""
        elements = self._table("profile_elements")
        if elements.is_empty():
            return {}
        pairs = elements.select("r", "c").unique().sort("r", "c")
        parts = [pairs.select("c"), self._certainty(pairs)]
        for key, rows in elements.partition_by("element", as_dict=True).items():
            parts.append(_beside(pairs, rows, _ELEMENT, f"elements {key[0]}"))
        for key, rows in self._told_once(self._table("profiles")).partition_by("indicator", as_dict=True).items():
            parts.append(_beside(pairs, rows, _INDICATOR, f"indicators {key[0]}"))
        wide = pl.concat(parts, how="horizontal")
        ends = pairs.with_row_index().group_by("r", maintain_order=True).agg(pl.first("index"), pl.len())
        return {r: _nested(wide.slice(start, length)) for r, start, length in ends.iter_rows()}

    def _told_once(self, indicators: pl.DataFrame) -> pl.DataFrame:
        """Leave out years and sources that the list of indicators already says."""
        name, source = pl.col("indicator").cast(pl.String), pl.col("source").cast(pl.String)
        figures = {indicator.id: indicator.figure for indicator in self.indicators}
        usual_source = name.replace_strict(figures, default=None, return_dtype=pl.String)
        usual_year = name.replace_strict(self.years, default=None, return_dtype=pl.Int16)
        return indicators.with_columns(
            pl.when(source.ne_missing(usual_source)).then(source).alias("source"),
            pl.when(pl.col("year").ne_missing(usual_year)).then("year"),
        )

    def _years(self) -> dict[str, int | None]:
        """Return the year of each indicator that is a figure of the edition."""
        table = optional_table(self.edition, "profiles")
        if table is None:
            return {}
        figures = table.filter(pl.col("source").cast(pl.String).str.contains(r"^[a-z_]+\.[a-z_0-9]+$"))
        return dict(figures.group_by(pl.col("indicator").cast(pl.String)).agg(pl.max("year")).iter_rows())

    def _certainty(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Return how sure each flag is, in per cent."""
        table = self._table("clusters").filter(pl.col("year") == max(self.edition.manifest["years"]))
        present = {f"{flag}_certainty": flag for flag in self.flags if f"{flag}_certainty" in table.columns}
        return _beside(pairs, table.with_columns(pl.col(list(present)) * 100), present, "certainty")

    def _indicator(self, indicator: Indicator) -> dict[str, Any]:
        kept = _kept(indicator, "id", "title", "tells", "cannot", "element", "dimension", "figure", "unit", "weight")
        return {**kept, "year": self.years.get(indicator.id)}


def _beside(pairs: pl.DataFrame, rows: pl.DataFrame, names: Mapping[str, str], group: str) -> pl.DataFrame:
    """Return some columns in the order of the pairs, named after their group."""
    shown = rows.select("r", "c", *(_short(rows, old).alias(f"{group} {new}") for old, new in names.items()))
    return pairs.join(shown, on=["r", "c"], how="left", maintain_order="left").drop("r", "c")


def _short(rows: pl.DataFrame, name: str) -> pl.Expr:
    """Round as shown: scores and chances to whole numbers, amounts from 100 on, too; other values to three digits."""
    column = pl.col(name)
    if not rows.schema[name].is_float():
        return column
    value = pl.when(column.is_finite()).then(column.cast(pl.Float64))
    if name.startswith("score") or name.endswith("_certainty"):
        return value.round(0).cast(pl.Int64)
    return pl.when(value.abs() >= 100).then(value.round(0)).otherwise(value.round_sig_figs(3))


def _nested(table: pl.DataFrame) -> dict[str, Any]:
    """Return columns under the words of their names; one of nothing is left out, one of one value is that value."""
    found: dict[str, Any] = {"c": table["c"].to_list()}
    for name, values in table.drop("c").to_dict(as_series=False).items():
        if any(value is not None for value in values):
            *groups, own = name.split(" ")
            within = found
            for group in groups:
                within = within.setdefault(group, {})
            within[own] = _once(values)
    return found


def _once(values: list[Any]) -> Any:
    whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
    return whole[0] if all(v == whole[0] for v in whole) else whole


def _by_region(table: pl.DataFrame) -> dict[int, Columns]:
    if table.is_empty():
        return {}
    parts = as_shown(table.sort("r", "c", maintain_order=True)).partition_by("r", as_dict=True, include_key=False)
    return {int(key[0]): coded(columns_of(part)) for key, part in parts.items()}


# --- words ------------------------------------------------------------------------------------------------------------


def _kept(entry: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in names}


def _typology(rules: Typology, knowledge: KnowledgeBase) -> dict[str, Any]:
    """Return a typology with what is known of its types, and the facts that weigh most in it."""
    weights = {fact: sum(rule.shares.get(fact, 0.0) for rule in rules.types) for fact in rules.facts}
    first = sorted(weights, key=lambda fact: -weights[fact])[:QUESTIONS]
    types = {}
    for rule in rules.types:
        entry = knowledge.types[rule.id]
        types[rule.id] = {
            "title": rule.title,
            "rule": rule.rule,
            **_kept(entry, "strength", "vulnerability", "trajectory"),
            "interventions": [knowledge.instruments[id_].title for id_ in entry.interventions],
            "promising": entry.interventions_text,
        }
    return {"id": rules.id, "title": rules.title, "source": rules.source, "ask": first, "types": types}


def _said(row: Mapping[str, Any]) -> str:
    """Return a recorded fact in words."""
    fact = facts_vocabulary()[row["fact"]]
    if row["choice"] is not None:
        return str(fact.values.get(row["choice"], row["choice"]))
    if row["value"] is not None:
        return fact.say(row["value"])
    if row["low"] is None or row["high"] is None:
        return "looked for and not known"
    return f"{fact.say(row['low'])} to {fact.say(row['high'])}"
