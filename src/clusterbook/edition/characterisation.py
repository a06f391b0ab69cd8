"""What an edition says of each cluster: how it was defined, how sure it is, how far it reaches, what is known of it.

Every table is there in every edition. One that the inputs cannot fill is empty, with its columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import polars as pl

from clusterbook.clusters.definitions import TRADED, ClusterDefinitions
from clusterbook.clusters.delimitation import Delimitation, delimit
from clusterbook.clusters.evidence import agreement, evidence_table
from clusterbook.clusters.facts import COMPUTED, facts_from_tables, latest_facts
from clusterbook.clusters.life_cycle import STAGE, STAGES, latest_stages, life_cycle, with_judgements
from clusterbook.clusters.nominations import visibility
from clusterbook.clusters.peers import cluster_peers, region_peers
from clusterbook.clusters.profile import cluster_profiles
from clusterbook.clusters.tables import PAIR, Tables
from clusterbook.clusters.typology import ENOUGH_KNOWN, NOT_ENOUGH, Typology, classify, typologies
from clusterbook.clusters.warnings import cluster_warnings
from clusterbook.data.panel import Panel
from clusterbook.edition.structure import complete
from clusterbook.measures.specialisation import location_quotient

TEXT, NUMBER, COUNT = pl.String(), pl.Float64(), pl.Int64()

#: Scores of single clusters, of sets that were discovered.
_SCORES = ("within", "between", "resource_share", "stability")

#: The tables behind a set of definitions: the name in the edition, the name in the set, and the columns.
_BEHIND: Mapping[str, tuple[str, Mapping[str, pl.DataType]]] = {
    "definition_candidates": (
        "candidates",
        {"rank": COUNT, "mixture": TEXT, "scale": TEXT, "algorithm": TEXT, "clusters": COUNT, "smallest": COUNT,
         "score": NUMBER, "fit": NUMBER},
    ),
    "definition_sides": (
        "sides",
        {"set": TEXT, "side": TEXT, "observed": pl.Boolean(), "worth": NUMBER, "weight": NUMBER,
         "cluster_average": NUMBER, "cluster_95": NUMBER, "industry_average": NUMBER, "industry_95": NUMBER,
         "mean": NUMBER},
    ),
    "definition_industries": (
        "industries",
        {"industry": TEXT, "cluster": TEXT, "size": NUMBER, "similarity": NUMBER, "closest": TEXT,
         "closest_similarity": NUMBER, "outlier": TEXT, "stability": NUMBER},
    ),
    "related": ("related", {"cluster": TEXT, "other": TEXT, "similarity": NUMBER, "share": NUMBER, "rank": COUNT}),
    "overlap": ("overlap", {"industry": TEXT, "cluster": TEXT, "weight": NUMBER}),
    "definition_moves": ("moves", {"industry": TEXT, "cluster": TEXT, "old_company": TEXT}),
    "definition_stability": ("stability", {"sample": COUNT, "adjusted_rand": NUMBER}),
    "definition_edits": (
        "edits",
        {"cluster": TEXT, "industry": TEXT, "label": TEXT, "reason": TEXT, "by": TEXT, "date": TEXT, "former": TEXT},
    ),
}  # fmt: skip

_NOMINATIONS = {
    "cluster": TEXT, "region": TEXT, "place": TEXT, "activity": TEXT, "actors": pl.List(pl.String()), "members": COUNT,
    "nominator": TEXT, "reason": TEXT, "confirm": TEXT, "date": pl.Date(), "visible": pl.Boolean(),
    "visible_text": TEXT,
}  # fmt: skip
_JUDGEMENTS = {
    "region": TEXT, "cluster": TEXT, "year": COUNT, "judged_stage": STAGE, "judged_by": TEXT, "judged_reason": TEXT,
}  # fmt: skip
_HISTORY = ("region", "cluster", "year", "stage", "stage_probability", "runner_up", "stage_reason")


def characterise(
    panel: Panel,
    trend: Panel,
    tables: Tables,
    *,
    flag: str,
    facts: pl.DataFrame | None = None,
    findings: pl.DataFrame | None = None,
    nominations: pl.DataFrame | None = None,
    judgements: pl.DataFrame | None = None,
    flows: pl.DataFrame | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, pl.DataFrame]:
    """Return the tables that say what each cluster is, beyond its figures.

    Args:
        panel: the cells, with the regions' shapes.
        trend: the panel that ``trends`` comes from.
        tables: the other tables of the edition, with those of ``definition_tables``.
        flag: the column of ``clusters`` that identifies.
        facts: as ``facts.read_facts`` returns them.
        findings: as ``evidence.read_findings`` or ``delphi.expert_findings``.
        nominations: as ``nominations.read_nominations``.
        judgements: as ``life_cycle.read_judgements``.
        flows: of commuters, say, as ``delimitation.delimit`` takes them.
        say: called with a few words at each step.

    Returns:
        ``areas``, ``area_members``, ``boundaries``, ``warnings``, ``evidence``, ``agreement``, ``nominations``,
        ``facts``, ``types``, ``profiles``, ``profile_elements``, ``peers``, ``stages`` and ``stage_history``.
    """
    size = panel.size
    say("How far clusters reach, and what to beware of")
    reach = _reach(panel, tables["clusters"], flag, flows)
    found = {
        "areas": reach.areas,
        "area_members": reach.members,
        "boundaries": reach.boundaries,
        "warnings": cluster_warnings(tables, delimitation=reach, flag=flag, size=size),
        "evidence": evidence_table(tables, findings=findings, nominations=nominations, flag=flag, size=size),
        "nominations": _nominations(nominations, tables["clusters"], size),
    }
    found["agreement"] = agreement(found["evidence"])
    say("What is known of each cluster, and of what type it is")
    found["facts"] = all_facts(tables, facts, size)
    found["types"] = types_of(found["facts"], typologies())
    profiles = cluster_profiles(tables, facts, size=size)
    found["profiles"], found["profile_elements"] = profiles.indicators, profiles.elements
    say("Peers")
    found["peers"] = pl.concat([cluster_peers(tables, size=size), region_peers(tables, size=size)])
    say("Stages of the life cycle")
    found["stages"], found["stage_history"] = stages_of(tables["trends"], tables["definitions"], trend.size, judgements)
    return found


# --- definitions ------------------------------------------------------------------------------------------------------


def definition_tables(definitions: ClusterDefinitions) -> dict[str, pl.DataFrame]:
    """Return the definitions with their scores and the tables behind them; those the set does not have are empty.

    ``related`` gains ``strength``, by which profiles weigh ties: the similarity.
    """
    scores = dict.fromkeys(_SCORES, NUMBER)
    tables = {"definitions": _shaped(definitions.clusters, scores)}
    for name, (own, columns) in _BEHIND.items():
        given = definitions.tables.get(own, pl.DataFrame(schema=columns))
        tables[name] = _shaped(given, columns).select(*columns, pl.all().exclude(*columns))
    tables["related"] = tables["related"].with_columns(strength="similarity")
    return tables


def _shaped(table: pl.DataFrame, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Give columns their types (one without any value, read from CSV, is text) and add those that are lacking."""
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in columns.items() if name not in table.columns]
    return table.with_columns(absent).with_columns(pl.col(name).cast(dtype) for name, dtype in columns.items())


# --- reach and nominations --------------------------------------------------------------------------------------------


def _reach(panel: Panel, clusters: pl.DataFrame, flag: str, flows: pl.DataFrame | None) -> Delimitation:
    """Return functional areas; none where neither shapes nor flows tell which regions hang together."""
    placed = sorted(set(clusters["region"].unique()) & panel.regions.geometry.keys())
    found = delimit(
        clusters,
        panel.regions.neighbours(placed) if placed else [],
        flag=flag,
        flows=flows,
        parents=panel.regions.parents(),
        names=panel.regions.names(),
        size=panel.size,
    )
    if placed or flows is not None:
        return found
    return Delimitation(found.areas.clear(), found.members.clear(), found.boundaries.clear())


def _nominations(nominations: pl.DataFrame | None, clusters: pl.DataFrame, size: str) -> pl.DataFrame:
    if nominations is None:
        return pl.DataFrame(schema=_NOMINATIONS)
    seen = visibility(nominations, clusters, size=size).select("visible", visible_text="text")
    return pl.concat([nominations, seen], how="horizontal").select(_NOMINATIONS.keys())


# --- facts and types --------------------------------------------------------------------------------------------------


def all_facts(tables: Tables, recorded: pl.DataFrame | None, size: str) -> pl.DataFrame:
    """Return recorded facts and those that the tables tell; a recorded one stands in the place of a computed one."""
    computed = facts_from_tables(tables, measure=size)
    if recorded is None:
        return computed
    recorded = recorded.filter(pl.col("source") != COMPUTED)
    keys = [*PAIR, "fact"]
    rest = computed.join(latest_facts(recorded), on=keys, how="anti")
    return pl.concat([recorded, rest]).sort(*keys, "year", maintain_order=True)


def types_of(facts: pl.DataFrame, rules: Iterable[Typology]) -> pl.DataFrame:
    """Return the verdicts of typologies on the pairs of which somebody recorded facts, or that have one anyhow."""
    recorded = facts.filter(pl.col("source") != COMPUTED)
    computed = set(facts.filter(pl.col("source") == COMPUTED)["fact"].unique())
    found = []
    for typology in rules:
        by_figures = any(sum(rule.shares.get(f, 0) for f in computed) >= ENOUGH_KNOWN for rule in typology.types)
        # Where figures alone can give no verdict, tens of thousands of pairs need not be asked for one.
        asked = facts if by_figures else facts.join(recorded, on=PAIR, how="semi")
        said = classify(asked, typology)
        known = said.join(recorded, on=PAIR, how="semi")
        others = said.filter(pl.col("verdict") != NOT_ENOUGH).join(recorded, on=PAIR, how="anti")
        found += [known, others]
    return pl.concat(found).sort(*PAIR, "typology")


# --- stages -----------------------------------------------------------------------------------------------------------


def stages_of(
    trends: pl.DataFrame, definitions: pl.DataFrame, size: str, judgements: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the stage of each cluster in its last year, and by year where it has one in any."""
    kinds = definitions.select("cluster", pl.col("kind").fill_null(TRADED))
    plants = ["establishments"] if "establishments" in trends.columns and size != "establishments" else []
    series = trends.select(*PAIR, "year", size, *plants).join(kinds, on="cluster")
    # As in 'clusters': traded clusters are compared with traded ones; no quotient where a total lacks a part.
    whole = complete(size, "region", "year", "kind") & complete(size, "cluster", "year")
    series = location_quotient(series, size, industry="cluster", by=("year", "kind"))
    series = series.with_columns(pl.when(whole).then("lq"))
    judged = pl.DataFrame(schema=_JUDGEMENTS) if judgements is None else judgements
    found = with_judgements(life_cycle(series, size), judged)
    chances = ["stage_probability", "runner_up_probability", *(f"p_{stage}" for stage in STAGES)]
    found = found.with_columns(pl.col(chances).cast(pl.Float32))
    staged = pl.col("stage").is_not_null().any().over(PAIR)
    return latest_stages(found).drop("variety_growth"), found.filter(staged).select(_HISTORY)
