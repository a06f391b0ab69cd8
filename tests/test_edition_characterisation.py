"""What an edition says of clusters beyond their figures, and that it says less where the inputs tell less."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import clusterbook as cb
from clusterbook.clusters.evidence import read_findings
from clusterbook.clusters.facts import COMPUTED, Fact, facts_from_tables, read_facts
from clusterbook.clusters.life_cycle import read_judgements
from clusterbook.clusters.nominations import read_nominations
from clusterbook.clusters.typology import load_typology, typologies
from clusterbook.data.panel import STATUS
from clusterbook.edition.characterisation import all_facts, definition_tables, types_of
from clusterbook.errors import DataError, EditionError
from conftest import make_panel, on_a_map

#: Of a state-anchored or any other district: enough for a verdict of Markusen's typology.
HUB = {"largest-employer": "local-firm", "hub-dependence": 4, "top-firms-share": 0.7, "commitment": 3}


def tables_of(edition: cb.Edition) -> dict[str, pl.DataFrame]:
    return {name: edition.table(name) for name in edition.tables}


# --- all that people can bring ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_panel() -> cb.Panel:
    """Six years on a map, in two countries: the west and the east."""
    panel = on_a_map(make_panel(years=tuple(range(2014, 2020))))
    west = pl.when(pl.int_range(pl.len()) % 6 < 3).then(pl.lit("W")).otherwise(pl.lit("E"))
    return replace(panel, regions=replace(panel.regions, frame=panel.regions.frame.with_columns(parent=west)))


@pytest.fixture(scope="module")
def cluster(definitions: cb.ClusterDefinitions) -> str:
    return str(definitions.members.filter(industry="11")["cluster"].item())


@pytest.fixture(scope="module")
def rich_edition(
    long_panel: cb.Panel, definitions: cb.ClusterDefinitions, cluster: str, tmp_path_factory: pytest.TempPathFactory
) -> cb.Edition:
    told = {"region": "R03", "cluster": cluster}
    edited = cb.edit_definitions(
        definitions, pl.DataFrame({"cluster": [cluster], "label": ["First"], "reason": ["it is"], "by": ["A. Person"]})
    )
    nominated = {
        **{"cluster": "Frogs", "region": "R05", "place": "the pond", "activity": "Farming frogs", "actors": "a; b; c"},
        **{"members": "16", "nominator": "the chamber", "reason": "they sell", "confirm": "interviews"},
    }
    found = {**told, "method": "survey", "finding": "contradicts", "text": "No links", "source": "Survey 2019"}
    judged = {**told, "year": 2018, "stage": "decline", "who": "the mayor", "reason": "plants close"}
    facts = [Fact("R03", cluster, name, value, year=2019, source="a survey") for name, value in HUB.items()]
    facts.append(Fact("R03", cluster, "location-quotient", 9.0, year=2010, source="an old study"))
    return cb.build_edition(
        long_panel,
        edited,
        tmp_path_factory.mktemp("editions") / "rich.edition",
        facts=read_facts(facts),
        findings=read_findings(pl.DataFrame(found)),
        nominations=read_nominations(pl.DataFrame(nominated)),
        judgements=read_judgements(pl.DataFrame(judged)),
    )


def test_recorded_facts_stand_in_the_place_of_computed_ones_and_decide_on_types(
    rich_edition: cb.Edition, cluster: str
) -> None:
    facts = rich_edition.table("facts")
    quotients = facts.filter(fact="location-quotient", cluster=cluster)
    assert quotients.filter(region="R03").select("value", "year", "source").rows() == [(9.0, 2010, "an old study")]
    assert quotients.filter(region="R04")["source"].to_list() == [COMPUTED]
    types = rich_edition.table("types")
    assert types.select("region", "cluster").unique().rows() == [("R03", cluster)]
    assert types["typology"].to_list() == sorted(typology.id for typology in typologies())
    verdict = types.filter(typology="markusen").row(0, named=True)
    assert (verdict["verdict"], verdict["type"]) == ("type", "hub-and-spoke")
    assert "hub-dependence" in verdict["decided_by"]
    profile = rich_edition.table("profiles").filter(region="R03", cluster=cluster)
    assert profile.filter(pl.col("indicator").cast(pl.String) == "location-quotient")["value"].item() == 9.0


def test_findings_and_nominations_stand_beside_the_statistics(rich_edition: cb.Edition, cluster: str) -> None:
    evidence, verdicts = rich_edition.table("evidence"), rich_edition.table("agreement")
    strong = rich_edition.table("clusters").filter(pl.col("strong"), year=2019).select("region", "cluster")
    about = {*strong.rows(), ("R03", cluster), ("R05", "Frogs")}
    assert set(evidence.select("region", "cluster").rows()) == set(verdicts.select("region", "cluster").rows()) == about
    survey = evidence.filter(region="R03", cluster=cluster, method="survey")
    assert survey.select("finding", "origin").row(0) == ("contradicts", "recorded")
    frogs = verdicts.filter(cluster="Frogs").row(0, named=True)
    assert (frogs["support"], frogs["verdict"]) == (["nomination"], "one method for")
    nominated = rich_edition.table("nominations").row(0, named=True)
    assert (nominated["actors"], nominated["members"], nominated["visible"]) == (["a", "b", "c"], 16, False)


def test_stages_have_what_people_say_beside_them(rich_edition: cb.Edition, cluster: str) -> None:
    stages = rich_edition.table("stages")
    assert stages.height == 24 * rich_edition.table("definitions").height
    assert stages["year"].unique().to_list() == [2019]
    here = stages.filter(region="R03", cluster=cluster).row(0, named=True)
    assert (here["judged_stage"], here["judged_by"], here["judged_year"]) == ("decline", "the mayor", 2018)
    assert here["judged_differs"] is (None if here["stage"] is None else here["stage"] != "decline")
    assert stages["judged_stage"].null_count() == stages.height - 1
    staged = stages.filter(pl.col("stage").is_not_null())
    assert staged.height > 0
    chance = staged.select(pl.sum_horizontal(pl.col("^p_.*$"))).to_series()
    assert chance.to_list() == pytest.approx([1.0] * staged.height, abs=1e-5)
    history = rich_edition.table("stage_history")
    assert set(staged.select("region", "cluster").rows()) <= set(history.select("region", "cluster").rows())
    assert history.group_by("region", "cluster").len()["len"].unique().to_list() == [6]


def test_quotients_of_stages_compare_traded_clusters_with_traded_ones(rich_edition: cb.Edition) -> None:
    both = rich_edition.table("stages").join(
        rich_edition.table("clusters").filter(year=2019).select("region", "cluster", figure="lq"),
        on=["region", "cluster"],
    )
    assert both["lq"].to_list() == pytest.approx(both["figure"].to_list())


def test_areas_cross_borders_and_texts_name_places(rich_edition: cb.Edition) -> None:
    areas, members = rich_edition.table("areas"), rich_edition.table("area_members")
    assert areas["regions"].sum() == members.height > 0
    assert areas["crosses"].any()
    assert set(areas.filter("crosses")["borders"].explode()) == {"E|W"}
    assert rich_edition.table("boundaries")["text"].str.starts_with("Town ").all()
    beyond = rich_edition.table("warnings").filter(id="political_boundary")
    assert beyond["text"].str.contains("beyond the border: Town ").all()
    assert set(beyond["severity"]) == {"caution", "note"}


def test_peers_are_of_clusters_and_of_whole_regions(rich_edition: cb.Edition) -> None:
    peers = rich_edition.table("peers")
    assert set(peers["cluster"]) == {"*", *rich_edition.table("definitions")["cluster"]}
    assert peers.filter(cluster="*").group_by("region").len()["len"].to_list() == [10] * 24
    assert peers.filter(pl.col("region") == pl.col("other")).is_empty()
    parts = peers["structure"] + peers["size"] + peers["setting"]
    assert parts.to_list() == pytest.approx(peers["distance"].to_list(), abs=1e-4)


def test_the_manifest_names_what_people_brought(rich_edition: cb.Edition, edition: cb.Edition) -> None:
    assert rich_edition.manifest["flag"] == edition.manifest["flag"] == "strong"
    brought = {"facts", "findings", "nominations", "judgements"}
    assert set(rich_edition.manifest["inputs"]) == {"panel", "definitions", *brought}
    assert set(edition.manifest["inputs"]) == {"panel", "definitions"}


def test_edits_are_kept_with_their_reason(rich_edition: cb.Edition, cluster: str) -> None:
    edit = rich_edition.table("definition_edits").row(0, named=True)
    assert (edit["cluster"], edit["label"], edit["reason"], edit["by"]) == (cluster, "First", "it is", "A. Person")
    assert rich_edition.table("definitions").filter(cluster=cluster)["label"].item() == "First"


def test_a_judgement_of_nothing_is_refused_before_anything_is_written(
    panel: cb.Panel, definitions: cb.ClusterDefinitions, tmp_path: Path
) -> None:
    said = {"region": "R99", "cluster": "t01", "year": 2019, "stage": "mature", "who": "x", "reason": "y"}
    with pytest.raises(DataError, match="no such region and cluster"):
        cb.build_edition(panel, definitions, tmp_path / "no", judgements=read_judgements(pl.DataFrame(said)))
    assert not (tmp_path / "no").exists()


def test_without_a_profile_nothing_can_be_identified(
    panel: cb.Panel, definitions: cb.ClusterDefinitions, tmp_path: Path
) -> None:
    with pytest.raises(EditionError, match=r"profiles=\['uscmp'\]"):
        cb.build_edition(panel, definitions, tmp_path / "no", profiles=[])


# --- certainty --------------------------------------------------------------------------------------------------------


def test_every_flag_has_its_certainty(edition: cb.Edition) -> None:
    clusters = edition.table("clusters")
    flags = [flag["name"] for profile in edition.manifest["profiles"] for flag in profile["flags"]]
    assert {f"{flag}_{end}" for flag in flags for end in ("certainty", "word")} <= set(clusters.columns)
    sure = clusters.filter(pl.col("strong_word") == "sure")
    assert sure.filter("strong")["strong_certainty"].min() >= 0.95
    assert sure.filter(~pl.col("strong"))["strong_certainty"].max() <= 0.05
    assert set(clusters["strong_word"].drop_nulls()) <= {"sure", "likely", "borderline"}


# --- less is told, and nothing made up --------------------------------------------------------------------------------


def without(panel: cb.Panel, *columns: str) -> cb.Panel:
    return replace(panel, frame=panel.frame.drop(columns))


def names_of(edition: cb.Edition) -> dict[str, set[str]]:
    return {name: set(edition.table(name).columns) for name in edition.tables}


@pytest.fixture
def given(definitions: cb.ClusterDefinitions) -> cb.ClusterDefinitions:
    """The same clusters as read from a table: no tables behind them, no scores, no kinds."""
    return cb.read_definitions(definitions.members.select("industry", "cluster"), source="by hand")


def test_definitions_from_a_table_leave_what_they_do_not_tell_empty(
    panel: cb.Panel, given: cb.ClusterDefinitions, edition: cb.Edition, tmp_path: Path
) -> None:
    built = cb.build_edition(panel, given, tmp_path / "given")
    empty = {name for name in built.tables if name.startswith("definition_")} | {"related", "overlap"}
    assert {name for name in empty if built.table(name).height} == set()
    assert built.table("definitions").select("kind", "within", "stability").null_count().row(0) == (4, 4, 4)
    network = built.table("evidence").filter(method="network")
    assert network["finding"].unique().to_list() == ["not looked at"]
    everywhere = names_of(edition)
    dynamic = set(edition.table("definition_candidates").columns)
    assert {n: c - dynamic for n, c in names_of(built).items()} == {n: c - dynamic for n, c in everywhere.items()}


def test_jobs_alone_give_an_edition(panel: cb.Panel, definitions: cb.ClusterDefinitions, tmp_path: Path) -> None:
    built = cb.build_edition(without(panel, "establishments", "payroll"), definitions, tmp_path / "jobs")
    assert built.table("clusters")["strong_certainty"].null_count() > 0  # nothing says how sure a quotient is
    assert built.table("evidence").filter(method="plants")["finding"].unique().to_list() == ["not looked at"]
    assert "plant-size-ratio" not in built.table("facts")["fact"]
    assert built.table("stages")["net_entry"].null_count() == built.table("stages").height


def test_without_shapes_there_are_no_areas_and_no_word_of_borders(edition: cb.Edition) -> None:
    assert [edition.table(name).height for name in ("areas", "area_members", "boundaries")] == [0, 0, 0]
    assert "political_boundary" not in edition.table("warnings")["id"]
    assert edition.table("evidence").height > 0


def test_flows_make_areas_where_there_are_no_shapes(
    panel: cb.Panel, definitions: cb.ClusterDefinitions, edition: cb.Edition, tmp_path: Path
) -> None:
    strong = edition.table("clusters").filter(pl.col("strong"), year=2019)
    cluster = strong["cluster"].mode().sort()[0]
    one, other = strong.filter(cluster=cluster)["region"].sort().head(2)
    flows = pl.DataFrame({"region": [one, one], "other": [one, other], "flow": [50, 50]})
    built = cb.build_edition(panel, definitions, tmp_path / "flows", flows=flows)
    together = built.table("areas").filter(pl.col("regions") == 2, cluster=cluster)
    assert together.height == 1
    assert "flows" in built.manifest["inputs"]


@pytest.mark.parametrize("years", [(2019,), (2018, 2019)])
def test_one_and_two_years_have_no_stage_and_say_why(
    years: tuple[int, ...], definitions: cb.ClusterDefinitions, tmp_path: Path
) -> None:
    built = cb.build_edition(make_panel(years=years), definitions, tmp_path / "short")
    stages = built.table("stages")
    assert stages["stage"].null_count() == stages.height > 0
    assert stages["stage_reason"].str.starts_with(f"too few years: {len(years)} with a figure").all()
    assert built.table("stage_history").is_empty()
    assert built.table("profile_elements").height > 0


def test_what_is_suppressed_is_not_known_and_never_zero(
    panel: cb.Panel, definitions: cb.ClusterDefinitions, cluster: str, tmp_path: Path
) -> None:
    one = (pl.col("region") == "R03") & (pl.col("industry") == "11") & (pl.col("year") == 2019)
    frame = panel.frame.with_columns(
        pl.when(~one).then("employment").alias("employment"),
        pl.when(one).then(pl.lit("suppressed", STATUS)).otherwise("status").alias("status"),
        pl.when(one).then(5.0).alias("employment_lo"),
        pl.when(one).then(90.0).alias("employment_hi"),
    )
    built = cb.build_edition(on_a_map(replace(panel, frame=frame)), definitions, tmp_path / "hidden")
    here = built.table("clusters").filter(region="R03", cluster=cluster, year=2019).row(0, named=True)
    assert (here["strong"], here["strong_word"]) == (None, None)
    fact = built.table("facts").filter(region="R03", cluster=cluster, fact="size").row(0, named=True)
    assert fact["value"] is None
    assert 5 <= fact["low"] < fact["high"]
    stage = built.table("stages").filter(region="R03", cluster=cluster).row(0, named=True)
    assert stage["stage"] is None
    assert stage["stage_reason"].startswith("no figure for this year")


# --- parts ------------------------------------------------------------------------------------------------------------


def test_columns_without_any_value_keep_their_type_and_related_clusters_have_a_strength() -> None:
    clusters = pl.DataFrame({"cluster": ["a"], "label": ["A"], "kind": ["traded"], "stability": [None]})
    members = pl.DataFrame({"cluster": ["a"], "industry": ["1"], "subcluster": [None], "weight": [1.0]})
    related = pl.DataFrame({"cluster": ["a"], "other": ["b"], "similarity": [0.5], "share": ["0.25"], "rank": [1]})
    found = definition_tables(cb.ClusterDefinitions(clusters, members, "m", "s", tables={"related": related}))
    assert found["definitions"].schema["stability"] == pl.Float64
    assert found["related"].row(0, named=True) == {
        **{"cluster": "a", "other": "b", "similarity": 0.5, "share": 0.25, "rank": 1, "strength": 0.5},
    }
    assert found["definition_sides"].schema["observed"] == pl.Boolean


def test_a_fact_that_was_looked_for_in_vain_does_not_hide_the_computed_one(edition: cb.Edition) -> None:
    tables = tables_of(edition)
    first = facts_from_tables(tables).filter(fact="establishments").row(0, named=True)
    pair = {"region": first["region"], "cluster": first["cluster"]}
    vain = read_facts([Fact(**pair, fact="establishments", value=None, year=2019, source="nobody knew")])
    both = all_facts(tables, vain, "employment").filter(fact="establishments", **pair)
    assert both["value"].to_list() == [None, first["value"]]
    assert all_facts(tables, None, "employment").equals(facts_from_tables(tables))


def test_figures_alone_give_a_verdict_where_the_rules_let_them() -> None:
    rules = load_typology("industrial-localised")
    facts = rules.types[0].evidence[0].fact
    alone = rules.model_copy(
        update={
            "types": [
                rule.model_copy(
                    update={"evidence": [rule.evidence[0].model_copy(update={"fact": "plant-size-ratio", "fits": fit})]}
                )
                for rule, fit in zip(rules.types, ({0.5: 1.0, 2.0: 0.0}, {0.5: 0.0, 2.0: 1.0}), strict=True)
            ]
        }
    )
    assert facts != "plant-size-ratio"
    said = [Fact(region, "a", "plant-size-ratio", value, source=COMPUTED) for region, value in (("A", 0.2), ("B", 5))]
    found = types_of(read_facts(said), [rules, alone])
    assert found.select("region", "verdict", "type").rows() == [
        ("A", "type", alone.types[0].id),
        ("B", "type", alone.types[1].id),
    ]
