"""Trees of classifications, concordances with shares, bridging, roll-up and drill-down."""

from __future__ import annotations

import doctest

import polars as pl
import pytest

import clusterbook as cb
from clusterbook.data import industries as industries_module
from clusterbook.data import samples, vintages
from clusterbook.data.industries import CLASSIFICATIONS, Industries
from clusterbook.data.panel import STATUS, Panel, Source
from clusterbook.data.regions import Regions
from clusterbook.data.vintages import bridge_industries, concordance, drill_down, read_concordance, roll_up

Cell = tuple[str, str, float | None, str, float | None, float | None]


def make_panel(cells: list[Cell], industries: Industries | None = None) -> Panel:
    """Make a panel of one year from region, industry, employment, status, lower and upper bound."""
    names = ["region", "industry", "employment", "status", "employment_lo", "employment_hi"]
    frame = pl.DataFrame(cells, schema=names, orient="row", infer_schema_length=None)
    frame = frame.select(
        "region",
        "industry",
        pl.lit(2020, pl.Int64).alias("year"),
        pl.col("employment", "employment_lo", "employment_hi").cast(pl.Float64),
        pl.col("status").cast(STATUS),
    ).sort("year", "region", "industry")
    return Panel(
        frame,
        Source("toy", "Toy"),
        Regions.from_codes(frame["region"]),
        industries or Industries.from_codes(frame["industry"]),
    )


def rows(panel: Panel) -> list[tuple[object, ...]]:
    names = ["region", "industry", "employment", "status", "employment_lo", "employment_hi"]
    return panel.frame.select([name for name in names if name in panel.frame.columns]).rows()


# --- trees ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sizes", "code", "title", "above"),
    [
        ("NAICS 2007", {2: 20, 6: 1175}, "334411", "Electron Tube Manufacturing", ["33441", "3344", "334", "31-33"]),
        ("NAICS 2012", {2: 20, 6: 1065}, "451211", "Book Stores", ["45121", "4512", "451", "44-45"]),
        ("NAICS 2017", {2: 21, 6: 1057}, "3361", "Motor Vehicle Manufacturing", ["336", "31-33"]),
        (
            "NACE Rev. 2",
            {1: 21, 2: 88, 3: 272, 4: 615},
            "26.11",
            "Manufacture of electronic components",
            ["26.1", "26", "C"],
        ),
        ("ISIC Rev. 4", {1: 21, 2: 88, 3: 238, 4: 419}, "2910", "Manufacture of motor vehicles", ["291", "29", "C"]),
        ("SIC 2007", {1: 21, 2: 88, 3: 273, 5: 729}, "01120", "Growing of rice", ["011", "01", "A"]),
        ("NZSIOC 2013, grouped", {1: 16, 2: 65}, "BB11_", "Mining", ["BB"]),
        ("Census industries 1990", {1: 13, 2: 227}, "181", "Drugs", ["100-392"]),
    ],
)
def test_the_tree_of_each_classification(
    name: str, sizes: dict[int, int], code: str, title: str, above: list[str]
) -> None:
    tree = Industries.load(name)
    assert tree.classification == name
    assert {level: len(tree.at_level(level)) for level in sizes} == sizes
    assert tree.titles[code] == title
    assert tree.ancestors(code) == above
    assert tree.frame["industry"].is_sorted()
    assert tree.frame["industry"].is_unique().all()
    assert set(tree.parents.values()) <= set(tree.titles)
    assert all(title.strip() == title != "" for title in tree.titles.values())
    assert not [title for title in tree.titles.values() if title.isupper()]


def test_every_classification_named_can_be_loaded() -> None:
    assert [Industries.load(name).frame.height > 50 for name in CLASSIFICATIONS] == [True] * len(CLASSIFICATIONS)


def test_unknown_classifications_and_levels_are_refused() -> None:
    with pytest.raises(cb.ClusterbookError, match=r"no classification 'NAICS 2022'.*NAICS 2017.*make Industries"):
        Industries.load("NAICS 2022")
    with pytest.raises(cb.ClusterbookError, match=r"NACE Rev\. 2: no level 7\. Levels: 1, 2, 3, 4"):
        Industries.load("NACE Rev. 2").at_level(7)
    with pytest.raises(cb.ClusterbookError, match="Levels: none stated"):
        Industries.from_codes(pl.Series(["A"])).at_level(1)


# --- concordances ---------------------------------------------------------------------------------------------------


def test_shares_are_equal_without_weights_and_follow_weights_with_them() -> None:
    plain = concordance("NAICS 2012", "NAICS 2017")
    assert plain.frame.filter(code="211111").rows() == [("211111", "211120", 0.5), ("211111", "211130", 0.5)]
    assert plain.basis == "equal parts"
    weights = pl.DataFrame({"industry": ["211120", "211130"], "weight": [90.0, 10.0]})
    weighted = concordance("NAICS 2012", "NAICS 2017", weights=weights)
    assert weighted.frame.filter(code="211111")["share"].to_list() == [0.9, 0.1]
    assert "weights given" in weighted.basis
    # codes without any weight among their targets fall back to equal parts
    assert weighted.frame.filter(code="111110")["share"].to_list() == [1.0]


def test_a_concordance_works_both_ways_and_in_chains() -> None:
    back = concordance("NAICS 2017", "NAICS 2012").frame
    assert back.filter(code="211120").rows() == [("211120", "211111", 1.0)]
    chain = concordance("NAICS 2007", "NAICS 2012").then(concordance("NAICS 2012", "NAICS 2017"))
    totals = chain.frame.group_by("code").agg(pl.sum("share"))
    assert totals["share"].to_list() == pytest.approx([1.0] * 1175)
    assert set(chain.frame["other"]) <= set(Industries.load("NAICS 2017").at_level(6))
    with pytest.raises(cb.ClusterbookError, match="concordance from NAICS 2012 is needed here, not from NAICS 2017"):
        concordance("NAICS 2007", "NAICS 2012").then(concordance("NAICS 2017", "NACE Rev. 2"))


@pytest.mark.parametrize("target", ["NACE Rev. 2", "ISIC Rev. 4", "NAICS 2012"])
def test_every_national_industry_has_its_place(target: str) -> None:
    found = concordance("NAICS 2017", target).frame
    assert set(found["code"]) == set(Industries.load("NAICS 2017").at_level(6))
    assert set(found["other"]) <= set(Industries.load(target).titles)


def test_concordances_that_do_not_hold_are_refused() -> None:
    with pytest.raises(cb.ClusterbookError, match=r"no concordance from 'SIC 2007' to 'NAICS 2017'.*chain them"):
        concordance("SIC 2007", "NAICS 2017")
    uneven = pl.DataFrame({"code": ["a", "a"], "other": ["x", "y"], "share": [0.5, 0.4]})
    with pytest.raises(cb.ClusterbookError, match="the shares of a have to add up to 1"):
        read_concordance(uneven, "old", "new")
    with pytest.raises(cb.ClusterbookError, match="columns code and other"):
        read_concordance(uneven.rename({"code": "from"}), "old", "new")
    with pytest.raises(cb.ClusterbookError, match="one weight of 0 or more"):
        concordance("NAICS 2012", "NAICS 2017", weights=pl.DataFrame({"industry": ["211120"], "weight": [-1.0]}))


# --- bridging -------------------------------------------------------------------------------------------------------

OLD_NEW = read_concordance(
    pl.DataFrame({"code": ["1", "1", "2", "3"], "other": ["x", "y", "y", "z"], "share": [0.75, 0.25, 1.0, 1.0]}),
    "old",
    "new",
)


def test_split_codes_are_imputed_with_bounds_and_reported() -> None:
    panel = make_panel(
        [("A", "1", 80, "disclosed", None, None), ("A", "2", 10, "disclosed", None, None),
         ("A", "3", 10, "disclosed", None, None)]
    )  # fmt: skip
    done = bridge_industries(panel, OLD_NEW)
    assert rows(done.panel) == [
        ("A", "x", 60.0, "imputed", 0.0, 80.0),
        ("A", "y", 30.0, "imputed", 10.0, 90.0),
        ("A", "z", 10.0, "disclosed", None, None),
    ]
    assert done.shared_out.rows() == [("employment", 2020, 100.0, 80.0, 0.8)]
    assert done.panel.source.caveats[-1] == (
        "Bridged from old to new; codes that were split are shared out: shares as given."
    )


def test_suppressed_cells_stay_suppressed_and_zeros_zero() -> None:
    panel = make_panel(
        [("A", "1", None, "suppressed", 4, 20), ("A", "2", 10, "disclosed", None, None),
         ("B", "1", 0, "zero", None, None), ("B", "3", None, "suppressed", 4, 20)]
    )  # fmt: skip
    assert rows(bridge_industries(panel, OLD_NEW).panel) == [
        ("A", "x", None, "suppressed", 0.0, 20.0),
        ("A", "y", None, "suppressed", 10.0, 30.0),
        ("B", "x", 0.0, "zero", None, None),
        ("B", "y", 0.0, "zero", None, None),
        ("B", "z", None, "suppressed", 4.0, 20.0),
    ]


def test_codes_the_concordance_does_not_know_are_named() -> None:
    panel = make_panel([("A", "1", 8, "disclosed", None, None), ("A", "99", 8, "disclosed", None, None)])
    with pytest.raises(cb.ClusterbookError, match="1 of 2 codes are not in the concordance from old to new: 99"):
        bridge_industries(panel, OLD_NEW)


def test_bridging_keeps_the_total_of_real_figures() -> None:
    counties = samples.us_counties().years_only([2019])
    done = bridge_industries(counties, concordance("NAICS 2017", "NAICS 2012"))
    assert done.panel.frame["employment"].sum() == pytest.approx(counties.frame["employment"].sum())
    assert done.panel.industries.classification == "NAICS 2012"
    share = done.shared_out.filter(measure="employment")["share"].item()
    assert share == pytest.approx(0.0228, abs=1e-4)


# --- levels ---------------------------------------------------------------------------------------------------------

TREE = Industries(
    pl.DataFrame(
        {
            "industry": ["3", "31", "32", "4", "41"],
            "title": list("abcde"),
            "parent": [None, "3", "3", None, "4"],
            "level": [1, 2, 2, 1, 2],
        }
    )
)


def test_rolling_up_respects_suppression() -> None:
    panel = make_panel(
        [("A", "31", None, "suppressed", 2, 9), ("A", "32", 10, "disclosed", None, None),
         ("A", "41", 5, "disclosed", None, None)],
        TREE,
    )  # fmt: skip
    assert rows(roll_up(panel, 1)) == [
        ("A", "3", None, "suppressed", 12.0, 19.0),
        ("A", "4", 5.0, "disclosed", None, None),
    ]
    assert rows(roll_up(panel, 2)) == rows(panel)


def test_rolling_up_to_a_lower_level_is_refused() -> None:
    panel = make_panel([("A", "3", 5, "disclosed", None, None)], TREE)
    with pytest.raises(cb.ClusterbookError, match="3: 1 industries have nothing above them at level 2"):
        roll_up(panel, 2)


def test_rolled_up_cells_are_no_more_than_the_published_parents() -> None:
    fine, coarse = samples.us_metros(level=4), samples.us_metros(level=2)
    summed = roll_up(fine, 2)
    both = summed.frame.join(coarse.frame, on=["region", "industry", "year"])
    assert both.height > 10_000
    # establishments carry no noise: parts never exceed the whole
    assert (both["establishments"] <= both["establishments_right"]).all()


def test_drilling_down() -> None:
    panel = make_panel([("A", "31", 1, "disclosed", None, None), ("A", "41", 5, "disclosed", None, None)], TREE)
    assert rows(drill_down(panel, "3")) == [("A", "31", 1.0, "disclosed", None, None)]
    assert rows(drill_down(panel, "41")) == [("A", "41", 5.0, "disclosed", None, None)]
    with pytest.raises(cb.ClusterbookError, match="Nothing in the panel lies below '5'"):
        drill_down(panel, "5")


def test_examples_of_the_docstrings() -> None:
    for module in (industries_module, vintages):
        found = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
        assert found.attempted > 0
        assert found.failed == 0
