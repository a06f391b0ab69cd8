"""Warnings: look-alike choices, diffuse clusters, borders, uncertain figures, dominance, small cells."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterbook.clusters.delimitation import delimit
from clusterbook.clusters.warnings import (
    SEVERITIES,
    SOURCES,
    bundled_priority_lists,
    choice_warnings,
    cluster_warnings,
    distinctiveness,
    is_diffuse,
    read_priority_lists,
)
from clusterbook.errors import ClusterbookError, DataError

# --- look-alike choices ---------------------------------------------------------------------------------------------


def test_bundled_lists_hold_what_the_source_counts() -> None:
    lists = bundled_priority_lists()
    counts = dict(lists.lists.group_by("priority").len().iter_rows())
    assert counts == {
        "business-services": 12,
        "electronics": 15,
        "information-technology": 16,
        "telecommunications": 13,
        "medical": 13,
        "biotechnology": 14,
    }
    assert lists.lists["place"].n_unique() == 31
    assert lists.partial
    assert "paragraphs 58 to 60" in lists.source
    assert lists.id_of("Business-Services") == lists.id_of("tradable business services") == "business-services"
    assert lists.id_of("frogs") is None


def full_lists() -> Any:
    rows = {"P": ["Steel", "Wine"], "Q": ["steel ", "Toys"], "R": ["Wine", "Toys"], "S": ["Optics", "Boats"]}
    frame = pl.DataFrame([(p, c) for p, chosen in rows.items() for c in chosen], ["place", "priority"], orient="row")
    return read_priority_lists(frame, source="Plans")


def test_distinctiveness_against_full_lists() -> None:
    """Steel is chosen by one of the three others, wine by one, frogs by none: 1 - (1/3 + 1/3 + 0) / 3."""
    found = distinctiveness(["steel", "wine", "frogs"], full_lists(), place="P")
    assert found.index == pytest.approx(1 - 2 / 9)
    assert found.priorities["named_by"].to_list() == [1, 1, 0]
    assert found.nearest["place"].to_list() == ["Q", "R", "S"]
    assert found.nearest["similarity"].to_list() == pytest.approx([1 / 4, 1 / 4, 0])
    everything = distinctiveness(["steel"], full_lists())
    assert everything.index == pytest.approx(0.5), "the place is not left out unless it is named"


def test_partial_lists_say_nothing_of_what_they_do_not_cover() -> None:
    found = distinctiveness(["frogs", "wine"])
    assert found.index is None
    assert found.priorities["share"].to_list() == [None, None]
    assert distinctiveness(["Biotech", "frogs"]).index == pytest.approx(1 - 14 / 31)
    wales = distinctiveness(["biotech"], place="Wales").priorities.row(0, named=True)
    assert (wales["named_by"], wales["places"]) == (13, 30)


def test_words_for_the_same_priority_count_once() -> None:
    found = distinctiveness(["biotech", "Life sciences", "electronics"])
    assert found.index == pytest.approx(1 - (14 + 15) / 2 / 31)


def test_choices_that_everybody_made() -> None:
    found = choice_warnings(["Telecoms", "Frogs", "Technology", "Information technology"])
    assert found.select("priority", "id", "severity").rows() == [
        ("Technology", "diffuse_name", "serious"),
        ("Information technology", "look_alike", "serious"),
        ("Telecoms", "look_alike", "caution"),
    ]
    assert found["text"][2] == "13 of 31 other places chose Telecoms too. What is different here?"


def test_half_of_all_places_is_serious() -> None:
    found = choice_warnings(["steel"], full_lists())
    assert found.select("severity", "text").row(0) == (
        "serious",
        "2 of 4 other places chose steel too. What is different here?",
    )
    assert choice_warnings(["optics"], full_lists())["severity"].to_list() == ["caution"]
    assert choice_warnings(["frogs"], full_lists()).is_empty()


def test_names_that_name_no_cluster() -> None:
    assert is_diffuse("Knowledge-based cluster")
    assert is_diffuse("ENGINEERING")
    assert not is_diffuse("Marine engineering")


def test_lists_without_anything_to_compare() -> None:
    with pytest.raises(ClusterbookError, match="at least one priority and one other place"):
        distinctiveness([])
    with pytest.raises(DataError, match="no column 'priority'"):
        read_priority_lists(pl.DataFrame({"place": ["A"], "choice": ["x"]}), source="")


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(["steel", "wine", "toys", "optics", "frogs"]), min_size=1, unique=True))
def test_distinctiveness_lies_between_0_and_1(own: list[str]) -> None:
    found = distinctiveness(own, full_lists())
    assert found.index is not None
    assert 0 <= found.index <= 1
    assert found.nearest["similarity"].is_between(0, 1).all()


# --- candidates in the figures --------------------------------------------------------------------------------------


def clusters(**columns: object) -> pl.DataFrame:
    base = {
        "region": ["A"],
        "cluster": ["steel"],
        "year": [2019],
        "employment": [500.0],
        "establishments": [20],
        "strong": [True],
        "status": ["disclosed"],
    }
    return pl.DataFrame(base | columns, strict=False)


def ids(found: pl.DataFrame) -> list[tuple[str, str]]:
    return found.select("id", "severity").rows()


def test_a_sound_cell_has_no_warning() -> None:
    assert cluster_warnings({"clusters": clusters()}).is_empty()


def test_suppressed_and_estimated_figures() -> None:
    hidden = clusters(employment=[None], employment_lo=[20.0], employment_hi=[99.0], status=["suppressed"])
    found = cluster_warnings({"clusters": hidden})
    assert ids(found) == [("suppressed", "caution")]
    assert found["text"][0] == "Figures are suppressed; size from 20 to 99."
    guessed = clusters(employment=[50.0], employment_lo=[20.0], employment_hi=[None], status=["imputed"])
    found = cluster_warnings({"clusters": guessed})
    assert found.select("id", "text").row(0) == (
        "estimated",
        "Figures are estimates: size 50, from 20 to not known.",
    )


def test_small_cells_and_single_establishments() -> None:
    found = cluster_warnings({"clusters": clusters(employment=[9.0], establishments=[5])})
    assert ids(found) == [("small_cell", "caution")]
    assert ids(cluster_warnings({"clusters": clusters(employment=[900.0], establishments=[2])})) == [
        ("small_cell", "caution")
    ]
    found = cluster_warnings({"clusters": clusters(establishments=[1])})
    assert ids(found) == [("dominant_firm", "serious"), ("small_cell", "caution")]
    output = clusters().rename({"employment": "gva"}).with_columns(gva=pl.lit(3.0))
    assert cluster_warnings({"clusters": output}, size="gva").is_empty(), "ten is a number of jobs"


def test_a_dominant_firm_from_a_table_of_its_own() -> None:
    firms = pl.DataFrame({"region": ["A"], "cluster": ["steel"], "share": [0.6]})
    found = cluster_warnings({"clusters": clusters(), "largest_firm": firms})
    assert found.select("id", "severity", "text").row(0) == ("dominant_firm", "caution", "One firm has 60% of it.")
    more = cluster_warnings({"clusters": clusters(), "largest_firm": firms.with_columns(share=pl.lit(0.85))})
    assert ids(more) == [("dominant_firm", "serious")]


def cells(sizes: list[float | None]) -> pl.DataFrame:
    return pl.DataFrame({"region": "A", "industry": list("xyz"), "year": 2019, "employment": sizes})


MEMBERS = pl.DataFrame(
    {"cluster": "steel", "industry": list("xyz"), "title": ["Mills", "Pipes", "Wire"], "weight": 1.0}
)


def test_one_of_several_industries() -> None:
    found = cluster_warnings({"clusters": clusters(), "cells": cells([450, 30, 20]), "members": MEMBERS})
    assert found.select("id", "text").row(0) == ("dominant_industry", "One industry, Mills, has 90% of it.")
    even = cluster_warnings({"clusters": clusters(), "cells": cells([300, 100, 100]), "members": MEMBERS})
    assert even.is_empty()
    hidden = cluster_warnings({"clusters": clusters(), "cells": cells([450, None, 20]), "members": MEMBERS})
    assert hidden.is_empty(), "with a suppressed part the share is not known"
    shared = MEMBERS.with_columns(weight=pl.Series([0.05, 1.0, 1.0]))
    assert cluster_warnings({"clusters": clusters(), "cells": cells([450, 30, 20]), "members": shared}).is_empty()
    two = cluster_warnings({"clusters": clusters(), "cells": cells([450, 30, 20]), "members": MEMBERS.head(2)})
    assert two.is_empty(), "one of two industries is no news"


def diffuse_tables(within: float, share: float, industries: int, label: str = "Steel") -> dict[str, pl.DataFrame]:
    return {
        "clusters": clusters(),
        "definitions": pl.DataFrame(
            {"cluster": ["steel"], "label": [label], "kind": ["traded"], "within": [within], "between": [0.2]}
        ),
        "cluster_totals": pl.DataFrame({"cluster": ["steel"], "year": [2019], "share": [share]}),
        "members": pl.DataFrame(
            {"cluster": "steel", "industry": [f"i{k}" for k in range(industries)], "share": 1 / industries}
        ),
    }


def test_too_diffuse_needs_two_signs() -> None:
    assert cluster_warnings(diffuse_tables(0.5, 0.01, 20)).is_empty()
    found = cluster_warnings(diffuse_tables(0.1, 0.01, 20))
    assert found.select("id", "text").row(0) == (
        "diffuse",
        "Too diffuse for one cluster? Note that its industries are no closer to each other than to others; "
        "it is as broad as 20 equal industries.",
    )
    found = cluster_warnings(diffuse_tables(0.5, 0.08, 20))
    assert "it is 8.0% of all there is" in found["text"][0]
    local = diffuse_tables(0.1, 0.08, 20)
    local["definitions"] = local["definitions"].with_columns(kind=pl.lit("local"))
    assert cluster_warnings(local).is_empty()


def test_a_label_that_names_no_cluster() -> None:
    found = cluster_warnings(diffuse_tables(0.5, 0.01, 2, label="Technology"))
    assert ids(found) == [("diffuse_name", "serious")]


def test_a_cluster_that_goes_on_beyond_the_border() -> None:
    steel = pl.DataFrame(
        {
            "region": list("ABC"),
            "cluster": "steel",
            "year": 2019,
            "employment": [60.0, 30.0, 10.0],
            "lq": [2.0, 1.5, 0.3],
            "strong": [True, True, False],
        }
    )
    at_home = delimit(steel, [("A", "B"), ("B", "C")])
    found = cluster_warnings({"clusters": steel}, delimitation=at_home)
    assert found.select("region", "severity", "text").rows() == [
        ("A", "note", "The cluster goes on beyond the border: B."),
        ("B", "note", "The cluster goes on beyond the border: A."),
    ]
    abroad = delimit(steel, [("A", "B")], parents={"A": "East", "B": "West"})
    found = cluster_warnings({"clusters": steel}, delimitation=abroad)
    assert found["severity"].unique().to_list() == ["caution"]
    assert found["text"][0].endswith("B, in part in another state or country.")


def test_all_pairs_and_order() -> None:
    two = pl.concat([clusters(establishments=[1]), clusters(region=["B"], strong=[False], establishments=[1])])
    assert set(cluster_warnings({"clusters": two})["region"]) == {"A"}
    found = cluster_warnings({"clusters": two}, candidates=two)
    assert found.select("region", "id").rows() == [
        ("A", "dominant_firm"),
        ("A", "small_cell"),
        ("B", "dominant_firm"),
        ("B", "small_cell"),
    ]
    assert set(found["severity"]) <= set(SEVERITIES)
    assert found["source"].to_list() == [SOURCES[name] for name in found["id"]]


def test_missing_tables() -> None:
    with pytest.raises(ClusterbookError, match="Warnings need the table 'clusters'"):
        cluster_warnings({})
    with pytest.raises(ClusterbookError, match="need the columns strong in the table 'clusters'"):
        cluster_warnings({"clusters": clusters().drop("strong")})
