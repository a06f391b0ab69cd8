"""Delimitation: joining, centres, belts, flows, borders, islands, suppressed figures."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterbook.clusters.delimitation import REASONS, delimit
from clusterbook.errors import ClusterbookError
from clusterbook.measures.specialisation import location_quotient


def economy(steel: dict[str, float | None], strong: str, total: float = 100.0) -> pl.DataFrame:
    """Make a table of steel and of everything else, every region with the same total."""
    rows = [(region, "steel", 2019, "traded", jobs, region in strong) for region, jobs in steel.items()]
    rows += [
        (region, "rest", 2019, "traded", None if jobs is None else total - jobs, False)
        for region, jobs in steel.items()
    ]
    columns = ["region", "cluster", "year", "kind", "employment", "strong"]
    frame = pl.DataFrame(rows, schema=columns, orient="row", schema_overrides={"employment": pl.Float64})
    return location_quotient(frame, "employment", industry="cluster", by=("year", "kind"))


ROW = [("A", "B"), ("B", "C"), ("C", "D"), ("D", "E")]


def steel_areas(found: object) -> list[tuple[object, ...]]:
    areas = found.areas.filter(pl.col("cluster") == "steel")  # type: ignore[attr-defined]
    return areas.select("area", "regions", "cores").rows()


def test_a_cluster_goes_on_as_long_as_it_is_specialised_next_to_a_core() -> None:
    table = economy({"A": 40, "B": 20, "C": 2, "D": 1, "E": 2}, "A")
    found = delimit(table, ROW)
    assert steel_areas(found) == [("A", 2, 1)]
    members = found.members.select("region", "core", "employment").rows()
    assert members == [("A", True, 40.0), ("B", False, 20.0)]
    edges = found.boundaries.select("region", "other", "joined", "reason").rows()
    assert edges == [("A", "B", True, "specialised"), ("B", "C", False, "weak")]
    assert found.groups("steel") == {"A": ["A", "B"]}


def test_a_region_that_is_no_core_does_not_carry_the_area_further() -> None:
    table = economy({"A": 40, "B": 25, "C": 24, "D": 1, "E": 1}, "A")
    found = delimit(table, ROW)
    assert steel_areas(found) == [("A", 2, 1)]
    assert found.boundaries["reason"].to_list() == ["specialised", "no_core"]
    assert "specialised on both sides, but neither is a core" in found.boundaries["text"][1]


def test_cores_lean_to_the_larger_centre_and_belts_join_them_all() -> None:
    """Quotients 2.5, 1.5, 2.5: the middle one leans to the first of two equals."""
    table = economy({"A": 50, "B": 30, "C": 50, "D": 1, "E": 1}, "ABC")
    assert steel_areas(delimit(table, ROW)) == [("A", 2, 2), ("C", 1, 1)]
    centre = delimit(table, ROW).boundaries.filter(pl.col("reason") == "centre")
    assert centre.select("region", "other", "joined").rows() == [("B", "C", False)]
    assert steel_areas(delimit(table, ROW, belts=True)) == [("A", 3, 3)]


def test_figures_of_the_merged_area() -> None:
    table = economy({"A": 40, "B": 20, "C": 2, "D": 1, "E": 2}, "A")
    area = delimit(table, ROW).areas.row(0, named=True)
    assert area["employment"] == 60
    assert area["lq"] == pytest.approx((60 / 200) / (65 / 500))
    assert area["national_share"] == pytest.approx(60 / 65)
    alone = delimit(economy({"A": 40, "B": 1, "C": 1}, "A"), ROW[:2])
    assert alone.areas["lq"][0] == pytest.approx(alone.members["lq"][0])


def test_borders_are_named_and_unknown_without_parents() -> None:
    table = economy({"A": 40, "B": 20, "C": 2, "D": 1, "E": 2}, "A")
    parents = {"A": "East", "B": "West", "C": "West"}
    found = delimit(table, ROW, parents=parents)
    area = found.areas.row(0, named=True)
    assert (area["parents"], area["borders"], area["crosses"]) == (["East", "West"], ["East|West"], True)
    assert found.boundaries["text"][0].endswith("The border between East and West lies here.")
    assert found.boundaries["crosses"].to_list() == [True, False]
    unknown = delimit(table, ROW)
    assert unknown.areas["crosses"].to_list() == [None]
    assert unknown.areas["borders"].to_list() == [[]]


def test_flows_join_a_dormitory_that_does_not_touch() -> None:
    table = economy({"A": 60, "B": 1, "C": 8, "D": 1, "E": 10}, "A")
    flows = pl.DataFrame({"region": ["C", "C", "E", "E"], "other": ["A", "C", "A", "E"], "flow": [30, 70, 5, 95]})
    found = delimit(table, ROW, flows=flows)
    assert found.groups("steel") == {"A": ["A", "C"]}
    joined = found.boundaries.filter("joined").row(0, named=True)
    assert (joined["reason"], joined["flow"]) == ("flow", 0.3)
    assert joined["lq_joint"] == pytest.approx((68 / 200) / (80 / 500))
    assert "30% of the flow" in joined["text"]
    far = found.boundaries.filter(pl.col("region") == "C", pl.col("other") == "B")
    assert far["reason"].to_list() == ["weak"], "the borders of a region joined by flow are shown as well"
    assert delimit(table, ROW, flows=flows, least_flow=0.31).groups("steel") == {}


def test_islands_and_graphs_in_parts() -> None:
    table = economy({"A": 40, "B": 1, "C": 36, "D": 35, "Isle": 60}, "ACIsle")
    found = delimit(table, [("A", "B"), ("C", "D")])
    assert sorted(steel_areas(found)) == [("A", 1, 1), ("C", 2, 1), ("Isle", 1, 1)]
    islands = dict(found.areas.select("area", "island").iter_rows())
    assert islands == {"A": False, "C": False, "Isle": True}
    around = dict(found.members.select("region", "neighbour_lq").iter_rows())
    assert around["Isle"] is None
    assert around["A"] == pytest.approx(1 / (172 / 5))
    assert delimit(table, []).areas["regions"].to_list() == [1, 1, 1]


def test_suppressed_neighbours_are_unknown_unless_bounds_tell() -> None:
    table = economy({"A": 40, "B": 30, "C": 2}, "A").with_columns(
        employment=pl.when((pl.col("region") == "B") & (pl.col("cluster") == "steel"))
        .then(None)
        .otherwise("employment"),
        lq=pl.when((pl.col("region") == "B") & (pl.col("cluster") == "steel")).then(None).otherwise("lq"),
    )
    found = delimit(table, ROW[:2])
    assert found.boundaries.select("reason", "joined").rows() == [("unknown", False)]
    assert found.boundaries["text"][0] == "A and B are kept apart: not known beyond the border: figures are suppressed."
    bounded = table.with_columns(
        lq_lo=pl.when(pl.col("lq").is_null()).then(1.1), lq_hi=pl.when(pl.col("lq").is_null()).then(2.0)
    ).with_columns(employment_lo=pl.when(pl.col("lq").is_null()).then(12.0))
    joined = delimit(bounded, ROW[:2])
    area = joined.areas.row(0, named=True)
    assert (area["regions"], area["employment"], area["employment_lo"], area["lq"]) == (2, None, 52.0, None)
    below = bounded.with_columns(lq_lo=pl.col("lq_lo") - 1, lq_hi=pl.col("lq_hi") - 1.5)
    assert delimit(below, ROW[:2]).boundaries["reason"].to_list() == ["weak"]


def test_a_region_without_a_row_has_none_of_the_cluster() -> None:
    table = economy({"A": 40, "B": 30, "C": 2}, "A").filter(
        (pl.col("region") != "B") | (pl.col("cluster") != "steel")
    )  # fmt: skip
    found = delimit(table, ROW[:2])
    assert found.boundaries.select("reason", "lq_other").rows() == [("absent", 0.0)]


def test_years_and_arguments() -> None:
    table = pl.concat(
        [economy({"A": 40, "B": 1}, "A"), economy({"A": 1, "B": 40}, "B").with_columns(year=pl.lit(2020, pl.Int64))]
    )
    assert delimit(table, [("A", "B")]).areas["area"].to_list() == ["B"]
    assert delimit(table, [("A", "B")], year=2019).areas["area"].to_list() == ["A"]
    with pytest.raises(ClusterbookError, match="year=1999: the table has 2019, 2020"):
        delimit(table, [], year=1999)
    with pytest.raises(ClusterbookError, match="Delimitation needs sure"):
        delimit(table, [], flag="sure")
    with pytest.raises(ClusterbookError, match="least_flow=2"):
        delimit(table, [], least_flow=2)
    with pytest.raises(ClusterbookError, match="flows need the columns"):
        delimit(table, [], flows=pl.DataFrame({"region": ["A"]}))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 60), st.booleans()), min_size=2, max_size=12), st.data())
def test_areas_part_the_cores(regions: list[tuple[float, bool]], data: st.DataObject) -> None:
    names = [f"R{k}" for k in range(len(regions))]
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=20))
    table = economy(dict(zip(names, [jobs for jobs, _ in regions], strict=True)), "")
    cores = [name for name, (_, core) in zip(names, regions, strict=True) if core]
    steel = pl.col("cluster") == "steel"
    table = table.with_columns(strong=pl.col("region").is_in(cores) & steel & (pl.col("lq") >= 1))
    for belts in (False, True):
        found = delimit(table, pairs, belts=belts)
        assert found.members["region"].is_unique().all(), "nobody is in two areas"
        held = set(table.filter("strong")["region"])
        assert held <= set(found.members["region"]), "every core is in one"
        assert (found.areas["cores"] >= 1).all()
        assert found.areas["employment"].sum() == pytest.approx(found.members["employment"].sum())
        assert set(found.boundaries["reason"]) <= set(REASONS)
        assert set(found.areas["area"]) <= held, "an area is named after a core of its own"
