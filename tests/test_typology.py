"""Types of clusters: places of known type, what verdicts do as facts come and go, and reasons that read well."""

from __future__ import annotations

import doctest
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterbook.clusters.facts import Fact, facts_vocabulary, read_facts
from clusterbook.clusters.typology import (
    CLEAR_LEAD,
    ENOUGH_KNOWN,
    Evidence,
    classify,
    explain,
    load_typology,
    typologies,
)
from clusterbook.errors import ClusterbookError, DataError

KNOWN: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("known_places.yaml").read_text(encoding="utf-8"))
CASES = [(place, typology) for place in KNOWN for typology in place["types"]]


def facts_of(place: dict[str, Any]) -> pl.DataFrame:
    return read_facts(
        [
            Fact(
                place["place"],
                place["cluster"],
                f["fact"],
                f.get("value"),
                f.get("low"),
                f.get("high"),
                source=f["source"],
            )
            for f in place["facts"]
        ]
    )


KNOWN_FACTS = pl.concat([facts_of(place) for place in KNOWN])


def facts(**said: float | str) -> pl.DataFrame:
    return read_facts([Fact("R", "c", k.replace("_", "-"), v, source="test") for k, v in said.items()])


def verdict(table: pl.DataFrame, typology: str) -> dict[str, Any]:
    return classify(table, typology).row(0, named=True)


def test_types_elements_and_dimensions_bear_the_ids_of_the_knowledge_base() -> None:
    entries = files("clusterbook").joinpath("knowledge", "entries")
    ids = {
        kind: {
            (e["id"], e.get("typology"))
            for f in entries.joinpath(kind).iterdir()
            for e in yaml.safe_load(f.read_text("utf-8"))
        }
        for kind in ("types", "elements", "dimensions")
    }
    assert ids["types"] == {(rule.id, typology.id) for typology in typologies() for rule in typology.types}
    about = [definition.about for definition in facts_vocabulary().values()]
    assert {(e, None) for entry in about for e in entry.elements} == ids["elements"]
    assert {(d, None) for entry in about for d in entry.dimensions} == ids["dimensions"]


# ---- known places ----------------------------------------------------------------------------------------------------


def test_there_are_enough_known_places_of_every_type() -> None:
    assert len(KNOWN) >= 18
    every = {(t.id, rule.id) for t in typologies() for rule in t.types}
    assert {(typology, place["types"][typology]["type"]) for place, typology in CASES} == every
    assert all(f["source"] for place in KNOWN for f in place["facts"])


@pytest.mark.parametrize(("place", "typology"), CASES, ids=[f"{p['place']}: {t}" for p, t in CASES])
def test_known_places_are_of_the_type_the_literature_names(place: dict[str, Any], typology: str) -> None:
    found = verdict(facts_of(place), typology)
    assert (found["verdict"], found["type"]) == ("type", place["types"][typology]["type"])
    assert found["confidence"] >= 0.35


def outcomes(rounds: list[pl.DataFrame]) -> pl.DataFrame:
    """Classify every known place in several rounds of facts: one row a round and case, with the type it should have."""
    named = [
        table.with_columns(pl.format("{}|{}", "region", pl.lit(i)).alias("region")) for i, table in enumerate(rounds)
    ]
    every = pl.concat(named)
    found = pl.concat([classify(every, typology) for typology in typologies()]).with_columns(
        pl.col("region").str.split("|").list.first()
    )
    truth = pl.DataFrame(
        [(place["place"], place["cluster"], typology, place["types"][typology]["type"]) for place, typology in CASES],
        schema=["region", "cluster", "typology", "truth"],
        orient="row",
    )
    return found.join(truth, on=["region", "cluster", "typology"])


def test_known_places_keep_their_type_without_any_one_fact() -> None:
    """No single fact carries a type: verdicts never turn to another type, and hardly ever fall back."""
    most = max(len(place["facts"]) for place in KNOWN)
    at = pl.int_range(pl.len()).over("region", "cluster")
    found = outcomes([KNOWN_FACTS.filter(at != i) for i in range(most)])
    given_type = found.filter(verdict="type")
    assert given_type.filter(pl.col("type") != pl.col("truth")).is_empty()
    assert given_type.height / found.height > 0.95


def test_a_type_given_on_part_of_the_facts_is_the_right_one() -> None:
    """Where facts are lacking the verdict becomes 'not enough known', not another type."""
    rng = np.random.default_rng(5)
    parts = [KNOWN_FACTS.filter(pl.Series(rng.random(KNOWN_FACTS.height) < rng.uniform(0.3, 1))) for _ in range(25)]
    found = outcomes(parts)
    given_type = found.filter(verdict="type")
    assert given_type.height / found.height > 0.5
    assert (given_type["type"] == given_type["truth"]).mean() == 1


def test_a_type_given_on_facts_a_quarter_of_which_are_disturbed_is_nearly_always_right() -> None:
    """Degrees one step off, shares off by a quarter or so, choices at random."""
    rng = np.random.default_rng(6)
    found = outcomes([disturbed(KNOWN_FACTS, 0.25, rng) for _ in range(25)]).filter(verdict="type")
    right = (found["type"] == found["truth"]).mean()
    assert isinstance(right, float)
    assert right > 0.97


def disturbed(table: pl.DataFrame, share: float, rng: np.random.Generator) -> pl.DataFrame:
    rows = table.to_dicts()
    for row in rows:
        definition = facts_vocabulary()[row["fact"]]
        if rng.random() >= share:
            continue
        if definition.kind == "choice":
            row["choice"] = rng.choice(list(definition.values))
        else:
            step = rng.choice([-1.0, 1.0]) if definition.kind == "degree" else rng.normal(0, 0.25)
            top = 4 if definition.kind == "degree" else 1
            for name in ("value", "low", "high"):
                row[name] = None if row[name] is None else float(np.clip(row[name] + step, 0, top))
    return pl.DataFrame(rows, schema=table.schema)


@pytest.mark.parametrize(("place", "typology"), CASES, ids=[f"{p['place']}: {t}" for p, t in CASES])
def test_reasons_are_sentences_without_ids(place: dict[str, Any], typology: str) -> None:
    explanation = explain(facts_of(place), typology, place["place"], place["cluster"])
    assert explanation.reasons
    ids = [name for name in facts_vocabulary() if "-" in name]
    for reason in explanation.reasons:
        assert re.fullmatch(r"[A-Z].*[.?]", reason.sentence), reason.sentence
        assert not any(name in reason.sentence for name in ids if name not in ("spin-offs",)), reason.sentence
        assert (reason.fact_source is None) == (reason.effect == "missing")
    assert {r.effect for r in explanation.reasons} >= {"for"}


# ---- verdicts --------------------------------------------------------------------------------------------------------


def test_a_few_figures_from_data_are_not_enough() -> None:
    found = verdict(facts(plant_size_ratio=0.5, location_quotient=4, national_share=0.3), "markusen")
    assert found["verdict"] == "not enough known"
    assert found["known"] < ENOUGH_KNOWN


def test_facts_that_no_type_speaks_of_give_no_type_at_all() -> None:
    table = facts(age=100)
    found = verdict(table, "markusen")
    assert (found["verdict"], found["type"], found["runner_up"], found["met"]) == ("not enough known", None, None, None)
    assert explain(table, "markusen", "R", "c").summary == (
        "Not enough known: no fact bears on Markusen's industrial districts."
    )


def test_a_cluster_may_be_of_no_type() -> None:
    said: dict[str, float | str] = {
        "extent": "town", "sme_share": 0.2, "trust": 0, "cooperation": 0, "local_identity": 0, "research_links": 0,
        "innovation": 0, "information_exchange": 1, "technology_level": 1, "skills": 1, "chain_depth": 0,
        "critical_mass": 1, "breadth": 0,
    }  # fmt: skip
    found = verdict(facts(**said), "nauwelaers")
    assert found["verdict"] == "none"
    assert "None of the types" in explain(facts(**said), "nauwelaers", "R", "c").summary


def test_a_cluster_may_be_of_two_types_at_once() -> None:
    said: dict[str, float | str] = {
        "extent": "region", "sme_share": 0.9, "trust": 4, "cooperation": 4, "local_identity": 4, "research_links": 4,
        "innovation": 4, "information_exchange": 4, "technology_level": 4, "skills": 4,
    }  # fmt: skip
    found = verdict(facts(**said), "nauwelaers")
    assert found["verdict"] == "mixed"
    assert {found["type"], found["runner_up"]} == {"local-network", "knowledge-based"}
    assert found["lead"] < CLEAR_LEAD


def test_a_needed_fact_that_is_missing_or_speaks_against_rules_a_type_out() -> None:
    said: dict[str, float | str] = {"critical_mass": 0, "chain_gaps": 4, "competitive_standing": 0, "own_advantage": 0}
    assert verdict(facts(**said), "enright")["verdict"] == "not enough known"
    chosen = verdict(facts(**said, public_origin="chosen"), "enright")
    assert (chosen["verdict"], chosen["type"]) == ("type", "wishful-thinking")
    grown = verdict(facts(**said, public_origin="grown"), "enright")
    assert grown["type"] not in ("wishful-thinking", "policy-driven")


def test_confidence_is_the_share_of_evidence_that_is_known_and_met() -> None:
    rules = load_typology("markusen")
    shares = rules.types[2].shares
    found = verdict(facts(largest_employer="local-firm", hub_dependence=2), "markusen")
    assert found["type"] == "hub-and-spoke"
    assert found["known"] == pytest.approx(shares["largest-employer"] + shares["hub-dependence"])
    assert found["confidence"] == pytest.approx(shares["largest-employer"] + shares["hub-dependence"] / 2)
    assert found["met"] == pytest.approx(found["confidence"] / found["known"])


def test_ranges_pass_on_to_confidence() -> None:
    sure = facts(largest_employer="local-firm", hub_dependence=3, top_firms_share=0.5)
    vague = read_facts(
        [
            Fact("R", "c", "largest-employer", "local-firm", source="test"),
            Fact("R", "c", "hub-dependence", None, low=1, high=3, source="test"),
            Fact("R", "c", "top-firms-share", 0.5, source="test"),
        ]
    )
    certain, uncertain = verdict(sure, "markusen"), verdict(vague, "markusen")
    assert certain["confidence_low"] == certain["confidence"] == certain["confidence_high"]
    share = load_typology("markusen").types[2].shares["hub-dependence"]
    assert uncertain["confidence_high"] == pytest.approx(certain["confidence"])
    assert uncertain["confidence_high"] - uncertain["confidence_low"] == pytest.approx(share)
    assert uncertain["confidence"] == pytest.approx(certain["confidence"] - share / 2)


def test_a_range_over_the_peak_of_a_line_reaches_the_peak() -> None:
    said: dict[str, float | str] = {"public-origin": "grown", "chain-gaps": 3, "own-advantage": 2}
    table = read_facts(
        [Fact("R", "c", k, v, source="test") for k, v in said.items()]
        + [Fact("R", "c", "critical-mass", None, low=0, high=4, source="test")]
    )
    found = verdict(table, "enright")
    share = load_typology("enright").types[2].shares["critical-mass"]
    assert found["type"] == "potential"
    assert found["confidence_high"] - found["confidence_low"] == pytest.approx(share)


def test_the_latest_year_counts() -> None:
    old, new = ({"year": year, "source": "test"} for year in (1990, 2010))
    table = read_facts(
        [
            Fact("R", "c", "largest-employer", "local-firm", **old),  # type: ignore[arg-type]
            Fact("R", "c", "largest-employer", "public-body", **new),  # type: ignore[arg-type]
            Fact("R", "c", "public-demand", 0.6, **new),  # type: ignore[arg-type]
        ]
    )
    assert verdict(table, "markusen")["type"] == "state-anchored"


# ---- missing facts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typology", "said", "decisive"),
    [
        ("enright", {"critical_mass": 3, "own_advantage": 2, "chain_gaps": 1, "information_exchange": 2}, "awareness"),
        # 'a local firm' would not quite put the hub ahead here; the answer that hurts the hub most is worth more
        (
            "markusen",
            {"sme_share": 0.8, "rivalry": 3, "institutions": 3, "product_quality": 3, "external_links": 3},
            None,
        ),
    ],
)
def test_the_answer_to_a_decisive_question_can_turn_the_verdict_and_others_cannot(
    typology: str, said: dict[str, float | str], decisive: str | None
) -> None:
    """Try every answer to every missing fact: those called decisive, and only those, put the runner-up ahead."""
    before = verdict(facts(**said), typology)
    assert before["decisive"][:1] == ([decisive] if decisive else [])
    for name in before["missing"]:
        definition = facts_vocabulary()[name]
        answers: list[float | str] = [*definition.values] or [
            step / 8 * (4 if definition.kind == "degree" else 1) for step in range(9)
        ]
        after = [verdict(facts(**(said | {name.replace("-", "_"): answer})), typology) for answer in answers]
        pair = (before["type"], before["runner_up"])
        turned = any(a["type"] == pair[1] or (a["type"] != pair[0] and a["runner_up"] == pair[1]) for a in after)
        assert turned == (name in before["decisive"]), name


def test_the_most_informative_missing_fact_comes_first() -> None:
    found = verdict(facts(critical_mass=4, chain_gaps=0, trust=2), "enright")
    assert {found["type"], found["runner_up"]} == {"working", "latent"}
    assert found["missing"][:3] == ["awareness", "cooperation", "information-exchange"]
    sentence = explain(facts(critical_mass=4, chain_gaps=0, trust=2), "enright", "R", "c").reasons[-1].sentence
    assert "?" in sentence


def test_what_only_the_runner_up_needs_is_asked_in_its_name() -> None:
    table = facts(sme_share=0.9, trust=3, cooperation=3, extent="town")
    reasons = {reason.fact: reason for reason in explain(table, "nauwelaers", "R", "c").reasons}
    assert "of the runner-up, 'Knowledge-based cluster'" in reasons["research-links"].sentence
    assert reasons["research-links"].weight == 0


# ---- properties ------------------------------------------------------------------------------------------------------

_DEGREES = [d.id for d in facts_vocabulary().values() if d.kind == "degree"]
_SAID = st.dictionaries(st.sampled_from(_DEGREES), st.integers(0, 4), min_size=1, max_size=12)
_TYPOLOGY = st.sampled_from([typology.id for typology in typologies()])


def table_of(said: dict[str, int], region: str = "R") -> pl.DataFrame:
    return read_facts([Fact(region, "c", name, value, source="test") for name, value in said.items()])


@given(_SAID, _TYPOLOGY)
@settings(max_examples=40, deadline=None)
def test_figures_stay_within_bounds(said: dict[str, int], typology: str) -> None:
    found = verdict(table_of(said), typology)
    assert 0 <= found["confidence_low"] <= found["confidence"] + 1e-12
    assert found["confidence"] <= found["confidence_high"] + 1e-12
    assert found["confidence_high"] <= found["known"] + 1e-12 <= 1 + 2e-12
    assert not {*found["decided_by"], *found["against"]} & {*found["missing"]}
    assert {*found["decisive"]} <= {*found["missing"]}


@given(st.lists(_SAID, min_size=2, max_size=5), _TYPOLOGY)
@settings(max_examples=25, deadline=None)
def test_each_place_is_judged_by_its_own_facts(several: list[dict[str, int]], typology: str) -> None:
    alone = [classify(table_of(said, f"R{i}"), typology) for i, said in enumerate(several)]
    together = classify(pl.concat([table_of(said, f"R{i}") for i, said in enumerate(several)]), typology)
    assert together.equals(pl.concat(alone))


@given(_SAID, _TYPOLOGY, st.data())
@settings(max_examples=40, deadline=None)
def test_a_wider_range_never_makes_confidence_surer(said: dict[str, int], typology: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(said)))
    table = table_of(said)
    wider = table.with_columns(
        pl.when(pl.col("fact") == name).then(0.0).otherwise("low").alias("low"),
        pl.when(pl.col("fact") == name).then(4.0).otherwise("high").alias("high"),
    )
    sure, vague = verdict(table, typology), verdict(wider, typology)
    assert (sure["verdict"], sure["type"], sure["confidence"]) == (vague["verdict"], vague["type"], vague["confidence"])
    if sure["type"] is not None:
        assert vague["confidence_low"] <= sure["confidence_low"] + 1e-12
        assert vague["confidence_high"] >= sure["confidence_high"] - 1e-12


# ---- rules of one's own ----------------------------------------------------------------------------------------------

OWN = """
- id: own
  title: Two kinds
  source: us
  note: none
  types:
    - id: trusting
      title: Trusting
      rule: r
      evidence: [{fact: trust, weight: 1, fits: {0: 0, 4: 1}, because: b, source: s}]
    - id: wary
      title: Wary
      rule: r
      evidence: [{fact: trust, weight: 1, fits: {0: 1, 4: 0}, because: b, source: s}]
"""


def test_rules_of_ones_own_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(OWN)
    found = classify(facts(trust=4), load_typology(file)).row(0, named=True)
    assert (found["verdict"], found["type"], found["confidence"], found["lead"]) == ("type", "trusting", 1.0, 1.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("fact: trust", "fact: trsut", "did you mean 'trust'"),
        ("{0: 0, 4: 1}", "{little: 0, 4: 1}", "Trust takes 0 to 4"),
        ("{0: 0, 4: 1}", "{0: 0, 4: 2}", "from 0 to 1"),
        ("weight: 1", "weight: 0", "greater than 0"),
    ],
)
def test_faults_in_rules_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(OWN.replace(old, new))
    with pytest.raises(DataError, match=re.escape(message)):
        load_typology(file)


def test_choices_in_rules_must_exist() -> None:
    with pytest.raises(ValueError, match="not 'village'"):
        Evidence(fact="extent", weight=1, fits={"village": 1}, because="b", source="s")


def test_unknown_typologies_places_and_tables_are_refused() -> None:
    with pytest.raises(ClusterbookError, match="did you mean 'markusen'"):
        classify(facts(trust=1), "markussen")
    with pytest.raises(ClusterbookError, match="No fact is known about cluster 'wool' in region 'X'"):
        explain(facts(trust=1), "markusen", "X", "wool")
    with pytest.raises(ClusterbookError, match="lacks fact"):
        classify(facts(trust=1).drop("fact"), "markusen")


def test_no_facts_give_no_rows() -> None:
    empty = classify(facts(trust=1).clear(), "enright")
    assert empty.height == 0
    assert empty.schema["missing"] == pl.List(pl.String)


# ---- the page --------------------------------------------------------------------------------------------------------


def test_the_examples_of_the_page_run_and_its_figures_are_right() -> None:
    page = Path(__file__).parents[1] / "docs" / "types.md"
    failed, tried = doctest.testfile(str(page), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8")
    assert (failed, tried > 5) == (0, True)
    text = page.read_text(encoding="utf-8")
    assert f"{len(KNOWN)} places of the literature with {len(CASES)} types" in text
    assert f"The vocabulary has {len(facts_vocabulary())} of them" in text
    assert all(f"`{rule.id}`" in text for typology in typologies() for rule in typology.types)
