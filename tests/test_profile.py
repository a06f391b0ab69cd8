"""Profiles: places among peers, intervals, facts, what is not known, derived figures and the card."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from clusterbook.clusters.facts import Fact, facts_vocabulary, read_facts
from clusterbook.clusters.profile import (
    Indicator,
    cluster_profiles,
    describe_profile,
    profile_figures,
    profile_rules,
)
from clusterbook.errors import ClusterbookError

REGIONS = list("ABCDEF")


def clusters(**columns: object) -> pl.DataFrame:
    """Six regions with one cluster in the last of two years; the first year would change every result."""
    now = pl.DataFrame({"region": REGIONS, "cluster": "steel", "year": 2019, **columns}, strict=False)
    before = now.with_columns(year=pl.lit(2018), employment=pl.lit(1.0))
    return pl.concat([before, now], how="vertical_relaxed")


def jobs(*sizes: float | None, **columns: object) -> dict[str, pl.DataFrame]:
    return {"clusters": clusters(employment=pl.Series(sizes or (60, 50, 40, 30, 20, 10), dtype=pl.Float64), **columns)}


def score(tables: dict[str, pl.DataFrame], indicator: str, facts: pl.DataFrame | None = None) -> dict[str, tuple]:
    found = cluster_profiles(tables, facts).indicators.filter(indicator=indicator)
    return {row[0]: row[1:] for row in found.select("region", "score", "score_low", "score_high").rows()}


# --- the rules --------------------------------------------------------------------------------------------------------


def test_rules_name_each_indicator_once_and_every_aspect_can_be_known() -> None:
    rules = profile_rules()
    ids = [indicator.id for indicator in rules.indicators]
    assert len(ids) == len(set(ids))
    assert [len([a for a in rules.aspects if a.scheme == scheme]) for scheme in ("element", "dimension")] == [7, 9]
    assert all(rules.counted(aspect) for aspect in rules.aspects)
    assert all(i.title and i.tells and i.cannot and (i.element or i.dimension) for i in rules.indicators)


def test_scales_fit_the_vocabulary() -> None:
    for indicator in profile_rules().indicators:
        fact = facts_vocabulary().get(indicator.id)
        if indicator.scale:
            assert fact is not None
            assert set(indicator.scale) == set(fact.bounds), indicator.id
        if indicator.levels:
            assert fact is not None
            assert set(indicator.levels) == set(fact.values), indicator.id


def test_indicator_without_origin_or_with_two_is_refused() -> None:
    with pytest.raises(ValidationError, match="no figure and is no fact"):
        Indicator(id="luck")
    with pytest.raises(ValidationError, match="scored by its place"):
        Indicator(id="luck", figure="clusters.lq", scale=(0, 1))
    with pytest.raises(ValidationError, match="either a scale or levels"):
        Indicator(id="trust")


def test_weights() -> None:
    tables = jobs(establishments=[1, 2, 3, 4, 5, 6])
    even = cluster_profiles(tables).elements.filter(region="A", element="critical-mass")
    assert even.select("score", "known", "possible").row(0) == (50.0, 2, 7)  # first by size, last by establishments
    rules = profile_rules().with_weights({"establishments": 3})
    heavy = cluster_profiles(tables, rules=rules).elements.filter(region="A", element="critical-mass")
    assert heavy["score"].item() == 25
    without = profile_rules().with_weights({"establishments": 0})
    light = cluster_profiles(tables, rules=without).elements.filter(region="A", element="critical-mass")
    assert light.select("score", "known", "possible").row(0) == (100.0, 1, 6)
    with pytest.raises(ClusterbookError, match=r"no indicator 'establishment' \(did you mean 'establishments'"):
        profile_rules().with_weights({"establishment": 1})
    with pytest.raises(ClusterbookError, match="'size' has the weight -1"):
        profile_rules().with_weights({"size": -1})


# --- scores of figures ------------------------------------------------------------------------------------------------


def test_places_among_the_others_with_ties() -> None:
    assert {r: s[0] for r, s in score(jobs(60, 50, 40, 40, 20, 10), "size").items()} == {
        "A": 100.0,
        "B": 80.0,
        "C": 50.0,  # two of five below, one equal
        "D": 50.0,
        "E": 20.0,
        "F": 0.0,
    }


def test_regions_without_the_cluster_are_neither_scored_nor_compared() -> None:
    found = score(jobs(60, 50, 40, 30, 20, 0), "size")
    assert set(found) == set("ABCDE")
    assert found["D"][0] == 25


def test_too_few_to_compare() -> None:
    found = cluster_profiles(jobs(60, 50, 40, 30, None, 0))
    assert found.indicators.filter(indicator="size")["value"].to_list() == [60, 50, 40, 30]
    assert found.indicators.filter(indicator="size")["score"].null_count() == 4
    assert found.elements.filter(element="critical-mass")["score"].null_count() == 5


def test_interval_becomes_the_range_of_the_score() -> None:
    lq = [6.0, 5, 4, 3, 2, 1]
    low, high = [3.5, 5, 4, 3, 2, 1], [9.0, 5.5, 4, 3, 2, None]
    found = score(jobs(lq=lq, lq_low95=low, lq_high95=high), "location-quotient")
    assert found["A"] == (100, 60, 100)  # three of five others below 3.5
    assert found["B"] == (80, 80, 80)
    assert found["F"] == (0, 0, None)


def test_interval_is_the_widest_of_several() -> None:
    ends = {"lq_low95": [5.5] * 6, "lq_lo": [0.5] * 6, "lq_high95": [6.0] * 6, "lq_hi": [7.0] * 6}
    row = cluster_profiles(jobs(lq=[6.0, 5, 4, 3, 2, 1], **ends)).indicators.filter(
        region="A", indicator="location-quotient"
    )
    assert row.select("low", "high").row(0) == (0.5, 7.0)


def test_suppressed_size_is_neither_zero_nor_a_score_but_a_range() -> None:
    tables = jobs(60, 50, 40, 30, 20, None, employment_lo=[None] * 5 + [25], employment_hi=[None] * 5 + [45])
    found = cluster_profiles(tables)
    row = found.indicators.filter(region="F", indicator="size")
    assert row.select("value", "low", "high", "score", "score_low", "score_high").row(0) == (None, 25, 45, None, 20, 60)
    assert score(tables, "size")["E"][0] == 0, "the unknown one is not below it"
    summary = found.elements.filter(region="F", element="critical-mass")
    assert summary.select("score", "known").row(0) == (None, 0)


def test_open_bounds() -> None:
    tables = jobs(60, 50, 40, 30, 20, None, employment_lo=[None] * 5 + [45])
    assert score(tables, "size")["F"] == (None, 60, 100)
    vague = jobs(60, 50, 40, 30, 20, None, employment_lo=[None] * 5 + [0])
    assert "F" not in score(vague, "size"), "at least zero is no knowledge"


def test_low_is_high_where_less_is_more() -> None:
    found = score(jobs(60, 50, 40, 30, 20, 10, establishments=[1] * 6), "plant-size-ratio")
    assert (found["A"][0], found["F"][0]) == (0, 100)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(1, 9)), min_size=6, max_size=6))
def test_scores_stay_in_range_and_follow_the_values(sizes: list[int | None]) -> None:
    found = cluster_profiles(jobs(*sizes), None).indicators.filter(indicator="size").drop_nulls("score")
    value, place = found["value"].to_numpy(), found["score"].to_numpy()
    if len(place):
        assert place.min() >= 0
        assert place.max() <= 100
        assert place.mean() == pytest.approx(50, abs=0.1)  # rounded to one decimal
        order = np.argsort(value, kind="stable")
        assert (np.diff(place[order]) >= 0).all()
    elements = cluster_profiles(jobs(*sizes, lq=sizes)).elements.drop_nulls("score_low")
    assert (elements["score_low"] <= elements["score"]).all()
    assert (elements["score_high"] >= elements["score"]).all()


# --- elements ---------------------------------------------------------------------------------------------------------


def test_range_of_an_element_leaves_one_out() -> None:
    # A: quotient 100 (weight 2), share of the region 0 (weight 1)
    tables = jobs(lq=[6.0, 5, 4, 3, 2, 1], region_share=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    row = cluster_profiles(tables).elements.filter(region="A", element="specialisation")
    assert row.select("score", "score_low", "score_high").row(0) == pytest.approx((66.7, 0, 100), abs=0.05)


def test_single_indicator_has_the_range_of_its_interval_or_none() -> None:
    elements = cluster_profiles(jobs(lq=[6.0, 5, 4, 3, 2, 1], lq_low95=[3.5] + [None] * 5)).elements
    own = elements.filter(element="specialisation").select("score", "score_low", "score_high").rows()
    assert own[0] == (100, 60, None)
    assert own[1] == (80, None, None)


def test_every_pair_has_every_aspect_and_not_known_is_null() -> None:
    elements = cluster_profiles(jobs()).elements
    assert elements.height == 6 * 16
    unknown = elements.filter(element="governance-of-transactions")
    assert unknown.select("score", "known").unique().rows() == [(None, 0)]
    assert not elements["score"].is_nan().any()


# --- facts ------------------------------------------------------------------------------------------------------------


def fact(name: str, value: float | str | None, region: str = "A", **more: object) -> Fact:
    return Fact(region, "steel", name, value, source="survey", **more)  # type: ignore[arg-type]


def test_facts_are_placed_on_their_scale() -> None:
    facts = read_facts(
        [fact("trust", 3, low=2, high=4), fact("hub-dependence", 3, low=2, high=4), fact("extent", "region")]
    )
    assert score(jobs(), "trust", facts) == {"A": (75, 50, 100)}
    assert score(jobs(), "hub-dependence", facts) == {"A": (25, 0, 50)}
    assert score(jobs(), "extent", facts) == {"A": (33, None, None)}
    row = cluster_profiles(jobs(), facts).indicators.filter(indicator="trust")
    assert row.select("source", "low", "high", "year").row(0) == ("survey", 2, 4, None)


def test_range_without_value_is_shown_and_not_counted() -> None:
    facts = read_facts([fact("trust", None, low=2, high=4)])
    assert score(jobs(), "trust", facts) == {"A": (None, 50, 100)}
    found = cluster_profiles(jobs(), facts).elements.filter(region="A", element="competition-and-cooperation")
    assert found.select("score", "known").row(0) == (None, 0)


def test_latest_year_counts_and_looking_in_vain_undoes_nothing() -> None:
    facts = read_facts([fact("trust", 1, year=2010), fact("trust", 4, year=2020), fact("trust", None, year=2022)])
    assert score(jobs(), "trust", facts)["A"][0] == 100


def test_recorded_fact_comes_before_the_figure() -> None:
    facts = read_facts([fact("location-quotient", 2.5, low=2, high=3.5)])
    tables = jobs(lq=[6.0, 5, 4, 3, 2, 1])
    row = cluster_profiles(tables, facts).indicators.filter(region="A", indicator="location-quotient")
    assert row.select("value", "low", "high", "source").row(0) == (2.5, 2, 3.5, "survey")
    assert row.select("score", "score_low", "score_high").row(0) == (40, 30, 60)
    computed = facts.with_columns(source=pl.lit("computed from the edition"))
    assert score(tables, "location-quotient", computed)["A"][0] == 100


def test_nominated_cluster_that_no_statistic_shows_has_a_profile() -> None:
    facts = read_facts([Fact("A", "frogs", "cooperation", 4, source="MP 3.2.4")])
    elements = cluster_profiles(jobs(), facts).elements.filter(cluster="frogs")
    assert elements.height == 16
    assert elements.filter(element="competition-and-cooperation")["score"].item() == 100
    assert elements.filter(element="critical-mass")["score"].item() is None


# --- derived figures --------------------------------------------------------------------------------------------------


def full() -> dict[str, pl.DataFrame]:
    """Six regions in a row, two clusters; steel has three industries, of which C has one hidden."""
    sizes = {"A": (60, 30, 10), "B": (50, 0, 0), "C": (40, None, 5), "D": (30, 30, 0), "E": (20, 0, 0), "F": (10, 0, 0)}
    rows = [(r, i, 2019, e) for r, three in sizes.items() for i, e in zip("xyz", three, strict=True) if e != 0]
    cells = pl.DataFrame(
        rows,
        schema={"region": pl.String, "industry": pl.String, "year": pl.Int64, "employment": pl.Float64},
        orient="row",
    ).with_columns(establishments=pl.lit(4.0), lq=pl.lit(2.0))
    toys = pl.DataFrame(
        {
            "region": ["A", "B"],
            "industry": "q",
            "year": 2019,
            "employment": 10.0,
            "establishments": 1.0,
            "lq": [1.0, 0.9],
        }
    )
    one = clusters(
        employment=pl.Series([100, 50, None, 60, 20, 10], dtype=pl.Float64),
        establishments=[12.0, 4, 12, 8, 4, 4],
        lq=[6.0, 5, 4, 3, 2, 1],
    ).filter(year=2019)
    other = toys.select("region", pl.lit("toys").alias("cluster"), "year", "employment", "establishments", "lq")
    return {
        "clusters": pl.concat([one, other], how="diagonal_relaxed"),
        "cells": pl.concat([cells, toys.with_columns(year=pl.lit(2019, pl.Int64))]),
        "members": pl.DataFrame(
            {
                "cluster": ["steel"] * 3 + ["toys"],
                "industry": list("xyzq"),
                "weight": 1.0,
                "subcluster": ["ore", "ore", "wire", None],
            }
        ),
        "industries": pl.DataFrame({"industry": list("xyzq"), "year": 2019, "pci": [1.0, 2.0, -1.0, 0.0]}),
        "region_names": pl.DataFrame(
            {"region": REGIONS, "name": [f"Town {r}" for r in REGIONS], "lon": [1.0, 2, 3, 4, 5, 6], "lat": 50.0}
        ),
        "definitions": pl.DataFrame({"cluster": ["steel", "toys"], "label": ["Steel", "Toys"]}),
        "related": pl.DataFrame({"cluster": ["steel", "toys"], "other": ["toys", "steel"], "strength": [0.5, 0.5]}),
        "space_links": pl.DataFrame({"industry": ["x"], "other": ["q"], "proximity": [0.4]}),
        "regions": pl.DataFrame({"region": REGIONS, "year": 2019, "employment": [1000, 500, 400, 300, 200, 100]}),
        "patents": pl.DataFrame({"region": ["A", "A", "B"], "year": [2010, 2017, 2017], "patents": [900, 5, 1]}),
    }


def figure(name: str, cluster: str = "steel") -> list[object]:
    return profile_figures(full()).filter(cluster=cluster).sort("region")[name].to_list()


def test_composition() -> None:
    assert figure("industries_present") == pytest.approx([1, 1 / 3, None, 2 / 3, 1 / 3, 1 / 3])
    both = profile_figures(full()).filter(cluster="steel", region="C")
    assert both.select("industries_present_lo", "industries_present_hi").row(0) == pytest.approx((2 / 3, 1))
    assert figure("effective_industries") == pytest.approx([1 / 0.46, 1, None, 2, 1, 1])
    assert figure("top_industry_share") == pytest.approx([0.6, 1, None, 0.5, 1, 1])
    assert figure("industry_complexity") == pytest.approx([1.1, 1, None, 1.5, 1, 1])
    assert figure("rivals") == [4, 4, None, 4, 4, 4]


def test_subclusters_need_no_hidden_cell_where_the_group_is_there_anyhow() -> None:
    assert figure("subclusters_present") == [1, 0.5, 1, 0.5, 0.5, 0.5]  # C: y hidden, but x shows that ore is there
    assert figure("subclusters_present", "toys") == [None, None]


def test_plants_against_the_nation_leave_unknown_sizes_out() -> None:
    nation = (100 + 50 + 60 + 20 + 10) / (12 + 4 + 8 + 4 + 4)
    assert figure("plant_size_ratio")[:3] == pytest.approx([100 / 12 / nation, 12.5 / nation, None])


def test_surroundings_and_links() -> None:
    assert figure("neighbours_lq")[0] == pytest.approx((5 + 4 + 3 + 2 + 1) / 5)
    assert figure("neighbours_lq", "toys") == pytest.approx([0.9 / 5, 1 / 5])
    assert figure("related_present") == [1, 0, 0, 0, 0, 0]  # toys reach a quotient of 1 in A only
    assert figure("linked_present") == [1, 0, 0, 0, 0, 0]
    assert figure("linked_present", "toys") == [1, 1]


def test_unknown_quotient_of_what_is_tied_makes_the_share_unknown() -> None:
    tables = full()
    hidden = pl.when((pl.col("cluster") != "toys") | (pl.col("region") != "B")).then("lq").alias("lq")
    tables["clusters"] = tables["clusters"].with_columns(hidden)
    found = profile_figures(tables).filter(cluster="steel").sort("region")["related_present"].to_list()
    assert found == [1, None, 0, 0, 0, 0]


def test_patents_by_size_with_their_own_year() -> None:
    assert figure("patents_rate") == [5, 2, None, None, None, None]
    row = cluster_profiles(full()).indicators.filter(region="A", cluster="steel", indicator="patents")
    assert row.select("value", "year", "source", "score").row(0) == (5, 2017, "profile.patents_rate", None)


def test_entry_is_growth_of_establishments_between_comparable_years() -> None:
    tables = full()
    keys = {"region": ["A", "A", "A"], "cluster": ["steel"] * 3, "year": [2016, 2017, 2019]}
    tables["trends"] = pl.DataFrame({**keys, "establishments": [1.0, 100, 121]})
    tables["change"] = pl.DataFrame(
        {"region": ["A"], "cluster": ["steel"], "from_year": [2017], "to_year": [2019], "growth_relative": [0.02]}
    )
    row = cluster_profiles(tables).indicators.filter(region="A", cluster="steel", indicator="entry")
    assert row.select("value", "year").row(0) == (pytest.approx(0.1), 2019)


# --- the card ---------------------------------------------------------------------------------------------------------


def test_card() -> None:
    facts = read_facts(
        [fact("trust", 3), fact("export-share", 0.4), fact("cooperation", None), fact("largest-employer", "local-firm")]
    )
    tables = full()
    card = describe_profile(cluster_profiles(tables, facts), tables, "A", "steel", facts=facts)
    assert card["title"].startswith("Steel in Town A: high in ")
    assert "not known: " in card["title"]
    assert "life cycle" in card["title"].partition("not known: ")[2]
    assert card["regions"] == 6
    aspects = {aspect["id"]: aspect for aspect in card["aspects"]}
    assert aspects["life-cycle"]["finding"] == "Life cycle: not known (none of 3 indicators)."
    texts = [i["text"] for aspect in card["aspects"] for i in aspect["indicators"]]
    assert "Location quotient: 6, above 100% of the other regions that have the cluster." in texts
    assert "Trust: mostly." in texts
    assert "Exports: 40%." in texts
    missing = {m["id"]: m for m in aspects["competition-and-cooperation"]["missing"]}
    assert missing["cooperation"]["looked_in_vain"]
    assert not missing["rivalry"]["looked_in_vain"]
    assert missing["rivalry"]["ask"] == facts_vocabulary()["rivalry"].question
    assert card["other_facts"][0]["text"] == "The largest employer: local-firm."


def test_card_speaks_of_a_range_where_there_is_no_value() -> None:
    tables = jobs(60, 50, 40, 30, 20, None, employment_lo=[None] * 5 + [25], employment_hi=[None] * 5 + [45])
    card = describe_profile(cluster_profiles(tables), tables, "F", "steel")
    assert card["title"] == "steel in F: nothing is known yet."
    texts = [i["text"] for aspect in card["aspects"] for i in aspect["indicators"]]
    assert texts == ["Size (employment): 25 to 45."]


def test_title_does_not_rest_on_a_single_indicator() -> None:
    tables = jobs(lq=[6.0, 5, 4, 3, 2, 1])  # specialisation and critical mass by one indicator each
    card = describe_profile(cluster_profiles(tables), tables, "A", "steel")
    assert card["title"].startswith("steel in A: nothing stands out; not known: geographical concentration, actors")
    tables = jobs(lq=[6.0, 5, 4, 3, 2, 1], region_share=[0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    found = cluster_profiles(tables)
    assert "high in specialisation (100 of 100)" in describe_profile(found, tables, "A", "steel")["title"]
    assert "low in specialisation (0 of 100)" in describe_profile(found, tables, "F", "steel")["title"]


def test_no_card_without_a_profile() -> None:
    with pytest.raises(ClusterbookError, match="no profile of cluster 'toys' in region 'A'"):
        describe_profile(cluster_profiles(jobs()), {}, "A", "toys")


# --- bad input --------------------------------------------------------------------------------------------------------


def test_bad_tables_are_named() -> None:
    with pytest.raises(ClusterbookError, match="no table 'clusters' among cells"):
        cluster_profiles({"cells": pl.DataFrame()})
    with pytest.raises(ClusterbookError, match="'clusters' lacks output"):
        cluster_profiles(jobs(), size="output")
    with pytest.raises(ClusterbookError, match="table of facts has the columns"):
        cluster_profiles(jobs(), pl.DataFrame({"region": ["A"]}))


def test_other_measure_and_empty_table() -> None:
    tables = {"clusters": jobs()["clusters"].rename({"employment": "output"})}
    found = cluster_profiles(tables, size="output").indicators.filter(indicator="size")
    assert found.select("unit", "source").unique().rows() == [("output", "clusters.output")]
    empty = cluster_profiles({"clusters": jobs()["clusters"].clear()})
    assert (empty.indicators.height, empty.elements.height) == (0, 0)
