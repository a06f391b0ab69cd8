"""Facts: the vocabulary, reading with all faults named, and what an edition's tables tell."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clusterbook as cb
from clusterbook.clusters.facts import (
    COMPUTED,
    SCHEMA,
    Fact,
    FactDefinition,
    facts_from_tables,
    facts_vocabulary,
    known_facts,
    latest_facts,
    read_facts,
)
from clusterbook.errors import ClusterbookError, DataError


def fact(name: str, value: float | str | None, **more: object) -> Fact:
    return Fact("R1", "wool", name, value, source="a survey", **more)  # type: ignore[arg-type]


# ---- the vocabulary --------------------------------------------------------------------------------------------------


def test_every_element_and_dimension_is_spoken_to() -> None:
    about = [definition.about for definition in facts_vocabulary().values()]
    elements = {element for entry in about for element in entry.elements}
    dimensions = {dimension for entry in about for dimension in entry.dimensions}
    assert (len(elements), len(dimensions)) == (7, 9)
    assert all(entry.elements for entry in about)


def test_questions_are_questions_and_shares_say_of_what() -> None:
    for definition in facts_vocabulary().values():
        assert definition.question.endswith("?"), definition.id
        assert definition.source, definition.id
        assert definition.unit or definition.kind not in ("share", "number"), definition.id
        assert len(set(definition.steps)) == len(definition.steps), definition.id


def test_what_data_stand_in_for_poorly_says_so() -> None:
    computed = [d for d in facts_vocabulary().values() if d.edition]
    assert {d.id for d in computed if d.proxy} >= {"plant-size-ratio", "industries-present", "wage-relative"}


def test_a_choice_needs_values_and_a_degree_five_steps() -> None:
    base = {"id": "x", "title": "X", "question": "X?", "about": {}, "source": "us"}
    with pytest.raises(ValueError, match="a choice has values"):
        FactDefinition.model_validate(base | {"kind": "choice"})
    with pytest.raises(ValueError, match="five steps"):
        FactDefinition.model_validate(base | {"kind": "degree", "steps": ["little", "much"]})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("trust", 3.0, "mostly"),
        ("trust", 2.5, "2.5 of 4"),
        ("export-share", 0.125, "12.5%"),
        ("foreign-suppliers", 0.0, "no"),
        ("size", 12345.6, "12,346"),
        ("location-quotient", 1.234, "1.23"),
        ("market-reach", "world", "world"),
    ],
)
def test_values_are_said_as_people_write_them(name: str, value: float | str, said: str) -> None:
    assert facts_vocabulary()[name].say(value) == said


# ---- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("sme-share", "85%", 0.85),
        ("sme-share", "0.85", 0.85),
        ("trust", "Mostly", 3.0),
        ("trust", "3", 3.0),
        ("foreign-suppliers", "Yes", 1.0),
        ("foreign-suppliers", "no", 0.0),
        ("growth-relative", "-0.02", -0.02),
    ],
)
def test_values_may_be_written_in_several_ways(name: str, text: str, value: float) -> None:
    row = read_facts([fact(name, text)]).row(0, named=True)
    assert (row["value"], row["low"], row["high"], row["choice"]) == (value, value, value, None)


def test_a_choice_stands_in_its_own_column() -> None:
    row = read_facts([fact("extent", "Town")]).row(0, named=True)
    assert (row["choice"], row["value"], row["low"]) == ("town", None, None)


def test_a_range_needs_no_value_and_not_known_is_kept() -> None:
    table = read_facts([fact("trust", None, low=1, high=3), fact("rivalry", "not known"), fact("skills", None)])
    rows = {row["fact"]: row for row in table.iter_rows(named=True)}
    assert (rows["trust"]["value"], rows["trust"]["low"], rows["trust"]["high"]) == (None, 1.0, 3.0)
    assert rows["rivalry"]["low"] is None
    assert latest_facts(table)["fact"].to_list() == ["trust"]


def test_named_steps_may_stand_in_ranges() -> None:
    row = read_facts([fact("trust", None, low="little", high="mostly")]).row(0, named=True)
    assert (row["low"], row["high"]) == (1.0, 3.0)


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "facts.csv"
    file.write_text(
        "region,cluster,fact,value,low,high,year,source\n"
        "R1,wool,trsut,3,,,2020,survey\n"
        "R1,wool,trust,7,,,2020,survey\n"
        "R1,wool,extent,village,,,2020,survey\n"
        "R1,wool,sme-share,0.5,0.6,0.9,2020,survey\n"
        "R1,wool,rivalry,2,,,2020,\n"
        "R1,wool,skills,2,1,,soon,survey\n"
        "R1,wool,breadth,2,,,2019,survey\n"
        "R1,wool,breadth,3,,,2019,survey\n"
        ",wool,age,30,,,2019,survey\n"
    )
    with pytest.raises(DataError) as caught:
        read_facts(file)
    found = {(p.check, p.line): str(p) for p in caught.value.problems}
    assert "did you mean 'trust'" in found["unknown facts", 2]
    assert "Trust takes 0 to 4 or one of 'not at all'" in found["values of another kind", 3]
    assert "'town'" in found["values of another kind", 4]
    assert "does not lie between" in found["ranges", 5]
    assert "a fact without a source" in found["missing sources", 6]
    assert ("year not an integer", 7) in found
    assert "as line 8" in found["duplicate keys", 9]
    assert "column 'region'" in found["missing keys", 10]
    assert len(found) == 8


def test_half_a_range_and_a_range_of_a_choice_are_refused() -> None:
    with pytest.raises(DataError, match="needs both 'low' and 'high'"):
        read_facts([fact("trust", None, low=1)])
    with pytest.raises(DataError, match="is a choice and has no range"):
        read_facts([fact("extent", "town", low=1, high=2)])


def test_shares_above_one_need_their_percent_sign() -> None:
    with pytest.raises(DataError, match="percentage"):
        read_facts([fact("sme-share", "85")])


def test_a_table_without_sources_is_refused_with_its_columns() -> None:
    table = pl.DataFrame({"region": ["R1"], "cluster": ["wool"], "fact": ["trust"], "value": [3]})
    with pytest.raises(DataError, match="no column 'source' for source"):
        read_facts(table)


def test_columns_of_keys_go_by_usual_names() -> None:
    table = pl.DataFrame({"nuts": ["R1"], "cluster": ["wool"], "fact": ["trust"], "value": [3], "source": ["survey"]})
    assert read_facts(table)["region"].to_list() == ["R1"]


def test_one_fact_of_two_years_is_no_duplicate_and_the_latest_counts() -> None:
    table = read_facts([fact("trust", 1, year=2010), fact("trust", 3, year=2020), fact("trust", 4)])
    assert table.height == 3
    assert latest_facts(table)["value"].to_list() == [3.0]


_DEFINITIONS = st.sampled_from(sorted(facts_vocabulary()))


@st.composite
def _facts(draw: st.DrawFn) -> Fact:
    definition = facts_vocabulary()[draw(_DEFINITIONS)]
    if definition.kind == "choice":
        return fact(definition.id, draw(st.sampled_from(sorted(definition.values))))
    low, high = definition.bounds
    numbers = st.floats(-100 if low is None else low, 100 if high is None else high)
    least, value, most = sorted(draw(st.tuples(numbers, numbers, numbers)))
    if definition.kind == "yes_no" or value in {least, most}:
        return fact(definition.id, round(value) if definition.kind == "yes_no" else value)
    return fact(definition.id, value, low=least, high=most)


@given(st.lists(_facts(), min_size=1, max_size=8, unique_by=lambda each: each.fact))
def test_facts_come_back_as_they_were_given(given_facts: list[Fact]) -> None:
    table = read_facts(given_facts)
    assert dict(table.schema) == dict(SCHEMA)
    assert known_facts(table) == sorted(given_facts, key=lambda each: each.fact)
    assert read_facts(table).equals(table)


# ---- what tables tell ------------------------------------------------------------------------------------------------

CLUSTERS = pl.DataFrame(
    {
        "region": ["A", "B", "C", "D"],
        "cluster": "wool",
        "year": 2019,
        "employment": [300.0, 100.0, None, 0.0],
        "employment_lo": [None, None, 20.0, None],
        "employment_hi": [None, None, 99.0, None],
        "establishments": [30.0, 2.0, 4.0, 0.0],
        "lq": [2.0, 0.5, None, 0.0],
        "national_share": [0.6, 0.2, None, 0.0],
    }
)
TOTALS = pl.DataFrame({"cluster": ["wool"], "year": [2019], "employment": [450.0], "establishments": [36.0]})


def test_a_suppressed_size_is_its_range_and_never_zero() -> None:
    found = facts_from_tables({"clusters": CLUSTERS})
    size = found.filter(pl.col("fact") == "size").select("region", "value", "low", "high").rows()
    assert size == [("A", 300.0, 300.0, 300.0), ("B", 100.0, 100.0, 100.0), ("C", None, 20.0, 99.0)]
    assert found.filter(pl.col("fact") == "location-quotient")["region"].to_list() == ["A", "B"]
    assert "D" not in found["region"]


def test_plants_are_compared_with_the_nations_and_the_proxy_says_what_it_cannot_tell() -> None:
    found = facts_from_tables({"clusters": CLUSTERS, "cluster_totals": TOTALS}).filter(
        pl.col("fact") == "plant-size-ratio"
    )
    assert found.select("region", "value").rows() == [("A", 10 / 12.5), ("B", 50 / 12.5)]
    assert found["note"].to_list() == [facts_vocabulary()["plant-size-ratio"].proxy] * 2
    assert found["source"].unique().to_list() == [COMPUTED]


def test_the_mix_of_industries_is_weighted_and_leaves_out_what_is_suppressed() -> None:
    cells = pl.DataFrame(
        {
            "region": ["A", "A", "A", "B", "B", "B", "C", "C", "C"],
            "industry": ["1", "2", "3"] * 3,
            "year": 2019,
            "employment": [200.0, 100.0, 50.0, 100.0, 0.0, 0.0, None, 30.0, 0.0],
        }
    )
    members = pl.DataFrame({"cluster": "wool", "industry": ["1", "2", "3"], "weight": [0.5, 1.0, 1.0]})
    found = facts_from_tables({"clusters": CLUSTERS, "cells": cells, "members": members})
    rows = {(r["region"], r["fact"]): (r["value"], r["low"], r["high"]) for r in found.iter_rows(named=True)}
    assert rows["A", "top-industry-share"] == (0.4, 0.4, 0.4)
    assert rows["A", "industries-present"] == (1.0, 1.0, 1.0)
    assert rows["B", "industries-present"] == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert rows["C", "industries-present"] == (None, pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert ("C", "top-industry-share") not in rows


def test_without_clusters_or_their_measure_the_remedy_is_named() -> None:
    with pytest.raises(ClusterbookError, match=r"measure=edition\.manifest"):
        facts_from_tables({"clusters": CLUSTERS}, measure="gva")
    with pytest.raises(ClusterbookError, match="table 'clusters'"):
        facts_from_tables({})


def test_an_edition_tells_what_the_vocabulary_says_it_tells(edition: cb.Edition) -> None:
    tables = {name: edition.table(name) for name in ("clusters", "cluster_totals", "cells", "members", "change")}
    found = facts_from_tables(tables, measure=edition.manifest["measure"])
    assert set(found["fact"]) == {d.id for d in facts_vocabulary().values() if d.edition}
    for definition in facts_vocabulary().values():
        if definition.edition and "." in definition.edition:
            table, column = definition.edition.split(".")
            assert column in edition.table(table).columns, definition.id
    assert "*" not in found["region"]
    assert read_facts(found).equals(found)
