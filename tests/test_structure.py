"""What an edition says of an economy's structure: significance, complexity, shift-share, what could come next."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import polars as pl
import pytest

import clusterbook as cb
from clusterbook.clusters.identification import load_profile
from clusterbook.data.panel import STATUS
from clusterbook.edition.structure import (
    change_by_parts,
    complexity_and_variety,
    industry_space,
    industry_wages,
    localisation,
    opportunities,
    sectors,
    significance,
    traded_industries,
)
from clusterbook.measures.complexity import presence
from clusterbook.measures.relatedness import proximity
from clusterbook.measures.significance import quotient_interval
from conftest import INDUSTRIES, make_panel, on_a_map

TRADED = {code for code in INDUSTRIES if code[0] != "4"}
WAGES = pl.DataFrame({"industry": ["11", "12"], "wage": [40.0, 60.0]})


def hide(panel: cb.Panel, region: str, industry: str, year: int) -> cb.Panel:
    """Return the panel with one cell suppressed, its employment known to be from 5 to 90."""
    one = (pl.col("region") == region) & (pl.col("industry") == industry) & (pl.col("year") == year)
    frame = panel.frame.with_columns(
        pl.when(~one).then("employment").alias("employment"),
        pl.when(one).then(pl.lit("suppressed", STATUS)).otherwise("status").alias("status"),
        pl.when(one).then(5.0).alias("employment_lo"),
        pl.when(one).then(90.0).alias("employment_hi"),
    )
    return replace(panel, frame=frame)


def membership(panel: cb.Panel) -> pl.DataFrame:
    codes = panel.frame["industry"].unique().sort()
    return pl.DataFrame({"industry": codes, "cluster": [f"C{c[0]}" for c in codes], "weight": [1.0] * len(codes)})


def has_nan(table: pl.DataFrame) -> bool:
    floats = table.select(pl.selectors.float())
    return bool(floats.select(pl.any_horizontal(pl.all().is_nan().any())).item()) if floats.width else False


# --- significance ---------------------------------------------------------------------------------------------------


def by_hand(**change: list[float | None]) -> pl.DataFrame:
    """Two regions, two clusters; region A has 30 of 40 establishments of cluster X."""
    rows = {
        "region": ["A", "A", "B", "B"],
        "cluster": ["X", "Y", "X", "Y"],
        "year": [2020] * 4,
        "kind": ["traded"] * 4,
        "establishments": [30.0, 30.0, 10.0, 90.0],
        "lq": [2.0, 0.5, 0.5, 1.2],
    }
    return pl.DataFrame(rows | change)


def test_an_interval_is_the_quotient_widened_as_establishments_allow() -> None:
    sure = significance(by_hand())
    low, high = quotient_interval(np.array([[30.0, 30.0], [10.0, 90.0]]))
    width = np.sqrt(high / low).ravel()
    np.testing.assert_allclose(sure["lq_high95"], sure["lq"] * width)
    np.testing.assert_allclose(sure["lq_low95"], sure["lq"] / width)
    assert sure.columns == [*by_hand().columns, "lq_q", "lq_low95", "lq_high95"]


def test_q_values_are_small_where_establishments_are_out_of_proportion_only() -> None:
    # 30 of 40 where 15 are to be expected; the rest of the region's or the cluster's plants fall as they do all over
    sure = significance(by_hand())["lq_q"].to_list()
    assert max(sure[0], sure[2]) < 0.001  # X
    even = significance(by_hand(establishments=[10.0, 20.0, 20.0, 40.0]))["lq_q"].to_list()
    assert min(even) > 0.9


def test_traded_and_local_establishments_are_not_mixed() -> None:
    # X and Y are each all there is of their kind: nothing is out of proportion
    apart = significance(by_hand().with_columns(kind=pl.Series(["traded", "local"] * 2)))
    assert apart["lq_q"].to_list() == pytest.approx([1.0] * 4)


def test_without_a_quotient_there_is_no_significance_and_no_nan() -> None:
    sure = significance(by_hand(lq=[None, 0.5, 0.5, 1.2]))
    first = sure.row(0, named=True)
    assert (first["lq_low95"], first["lq_high95"], first["lq_q"]) == (None, None, None)
    assert sure["lq_q"].null_count() == 1
    empty = significance(by_hand(establishments=[0.0, 30.0, 10.0, 90.0]))
    assert not has_nan(empty)
    assert empty.row(0, named=True)["lq_low95"] is None  # a quotient of no plants has no interval


# --- localisation ---------------------------------------------------------------------------------------------------


def test_localisation_says_who_clusters_and_where_neighbours_share(panel: cb.Panel, edition: cb.Edition) -> None:
    clusters = edition.table("clusters")
    found = localisation(panel, clusters)
    assert found["cluster"].to_list() == clusters["cluster"].unique().sort().to_list()
    assert found["year"].unique().to_list() == [2019]
    assert "moran" not in found.columns  # no shapes
    local = clusters.filter(kind="local")["cluster"].unique().to_list()
    by_kind = found.group_by(pl.col("cluster").is_in(local)).agg(pl.max("gamma_counts"), low=pl.min("gamma_counts"))
    (everywhere,) = by_kind.filter(pl.col("cluster"))["gamma_counts"].to_list()
    (somewhere,) = by_kind.filter(~pl.col("cluster"))["low"].to_list()
    assert everywhere < 0.01 < somewhere


def test_neighbours_that_share_a_cluster_have_a_high_moran(panel: cb.Panel) -> None:
    placed = on_a_map(panel)
    codes = placed.regions.frame["region"].to_list()
    halves = [float(k % 6 < 3) * 2 for k in range(len(codes))]  # X in the west
    mixed = [float(k % 2) * 2 for k in range(len(codes))]
    table = pl.DataFrame(
        {
            "region": codes * 2,
            "cluster": ["X"] * len(codes) + ["Y"] * len(codes),
            "year": [2019] * 2 * len(codes),
            "employment": [1.0] * 2 * len(codes),
            "lq": halves + mixed,
        }
    )
    found = localisation(placed, table)
    assert found.columns == ["cluster", "year", "moran", "moran_p"]
    x, y = found.rows(named=True)
    assert x["moran"] > 0.4 > y["moran"]
    assert x["moran_p"] < 0.01


# --- complexity and variety -----------------------------------------------------------------------------------------


def test_complexity_is_of_the_last_year_and_covers_every_region_and_industry(panel: cb.Panel) -> None:
    regions, industries = complexity_and_variety(panel)
    assert regions.columns == ["region", "eci", "diversity", "related_variety", "unrelated_variety", "year"]
    assert regions["region"].to_list() == [f"R{r:02d}" for r in range(24)]
    assert industries["industry"].to_list() == list(INDUSTRIES)
    assert regions["year"].unique().to_list() == industries["year"].unique().to_list() == [2019]
    values = panel.matrix().values
    expected = values.sum(axis=1)[:, None] * values.sum(axis=0)[None, :] / values.sum()
    has = values / expected >= 1
    assert regions["diversity"].to_list() == has.sum(axis=1).tolist()
    assert industries["ubiquity"].to_list() == has.sum(axis=0).tolist()
    assert not has_nan(regions)
    assert regions["eci"].mean() == pytest.approx(0, abs=1e-9)


def test_variety_adds_up_to_the_entropy_of_industries(panel: cb.Panel) -> None:
    regions, _ = complexity_and_variety(panel)
    share = panel.matrix().values / panel.matrix().values.sum(axis=1, keepdims=True)
    terms = np.zeros_like(share)
    np.log2(share, out=terms, where=share > 0)
    whole = regions["related_variety"] + regions["unrelated_variety"]
    np.testing.assert_allclose(whole, -(share * terms).sum(axis=1))


def test_an_unknown_cell_of_the_last_year_leaves_complexity_empty(panel: cb.Panel) -> None:
    regions, industries = complexity_and_variety(hide(panel, "R03", "11", 2019))
    assert (regions.height, industries.height) == (0, 0)
    assert complexity_and_variety(hide(panel, "R03", "11", 2018))[0].height == 24


def test_sectors_are_the_top_of_the_tree() -> None:
    tree = cb.Industries(
        pl.DataFrame({"industry": ["1", "11", "111"], "title": ["a", "b", "c"], "parent": [None, "1", "11"]}), "Toy"
    )
    assert sectors(tree, ("111", "11", "1")) == ["1", "1", "1"]
    assert sectors(cb.Industries.from_codes(pl.Series(["7", "8"])), ("7", "8")) == ["7", "8"]


# --- opportunities --------------------------------------------------------------------------------------------------


def test_opportunities_are_traded_below_one_and_sorted_by_density(panel: cb.Panel) -> None:
    _, industries = complexity_and_variety(panel)
    found = opportunities(panel, TRADED, industries, WAGES)
    assert set(found["region"]) == set(panel.frame["region"])
    assert set(found["industry"]) <= TRADED
    assert found["lq"].max() < 1
    assert found["density"].is_between(0, 1).all()
    for _, here in found.group_by("region"):
        assert here.sort("rank")["density"].to_list() == sorted(here["density"], reverse=True)
        assert here["rank"].sort().to_list() == list(range(1, here.height + 1))
        assert here.height <= 12
    matrix = panel.matrix()
    at = matrix.regions.index("R05"), matrix.industries.index("11")
    total = matrix.values.sum()
    lq = matrix.values[at] * total / matrix.values[at[0]].sum() / matrix.values[:, at[1]].sum()
    offered = found.filter(region="R05", industry="11")
    assert (offered.height == 0) == (lq >= 1)
    pci = dict(industries.select("industry", "pci").iter_rows())
    assert all(row["pci"] == pci[row["industry"]] for row in found.iter_rows(named=True))
    assert set(found.filter(pl.col("wage") == 60.0)["industry"]) == {"12"}
    assert found.filter(industry="21")["wage"].null_count() == found.filter(industry="21").height


def test_what_is_nearest_to_a_regions_own_industries_comes_first(panel: cb.Panel) -> None:
    # A region of sector 1 that lacks one of its four industries is told of that one first
    lacks = (pl.col("region") == home(panel, "1")) & (pl.col("industry") == "13")
    frame = panel.frame.with_columns(pl.when(lacks).then(0.0).otherwise("employment").alias("employment"))
    frame = frame.with_columns(pl.when(lacks).then(pl.lit("zero", STATUS)).otherwise("status").alias("status"))
    changed = replace(panel, frame=frame)
    found = opportunities(changed, TRADED, complexity_and_variety(changed)[1], WAGES)
    best = found.filter(region=home(panel, "1"), rank=1).row(0, named=True)
    assert (best["industry"], best["lq"]) == ("13", 0.0)
    assert best["density"] > 0.5


def home(panel: cb.Panel, sector: str) -> str:
    """Return the region with the largest share of jobs in a sector."""
    own = pl.col("employment").filter(pl.col("industry").str.starts_with(sector)).sum() / pl.col("employment").sum()
    return str(panel.frame.filter(year=2019).group_by("region").agg(own).sort("employment")["region"][-1])


def test_without_full_knowledge_nothing_is_offered(panel: cb.Panel) -> None:
    _, industries = complexity_and_variety(panel)
    columns = {"region", "industry", "density", "lq", "rank", "pci", "wage"}
    for found in (
        opportunities(hide(panel, "R03", "11", 2019), TRADED, industries, WAGES),
        opportunities(panel, set(), industries, WAGES),
    ):
        assert (found.height, set(found.columns)) == (0, columns)


# --- shift-share ----------------------------------------------------------------------------------------------------


def clusters_by_hand(*rows: tuple[str, str, int, float | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["region", "cluster", "year", "jobs"], orient="row")


def test_the_parts_of_change_add_up() -> None:
    table = clusters_by_hand(
        *(("A", "X", 2010, 100.0), ("A", "Y", 2010, 100.0), ("B", "X", 2010, 300.0), ("B", "Y", 2010, 500.0)),
        *(("A", "X", 2020, 150.0), ("A", "Y", 2020, 90.0), ("B", "X", 2020, 330.0), ("B", "Y", 2020, 530.0)),
    )
    found = change_by_parts(table, "jobs", (2010, 2020))
    np.testing.assert_allclose(found["national"] + found["mix"] + found["local"], found["change"], atol=1e-9)
    # all grew from 1000 to 1100, X from 400 to 480
    row = found.filter(region="A", cluster="X").row(0, named=True)
    parts = [row[name] for name in ("change", "national", "mix", "local")]
    assert parts == pytest.approx([50.0, 10.0, 10.0, 30.0])
    whole = found.filter(region="A", cluster="*").row(0, named=True)
    assert whole["change"] == pytest.approx(40.0)
    assert whole["local"] == pytest.approx(found.filter(pl.col("cluster") != "*", region="A")["local"].sum())


def test_the_parts_add_up_in_an_edition(edition: cb.Edition) -> None:
    table = edition.table("shift_share")
    assert table.height == 24 * 5
    np.testing.assert_allclose(table["national"] + table["mix"] + table["local"], table["change"], atol=1e-6)
    for name in ("mix", "local"):  # what some win by these, others lose
        assert table.filter(pl.col("cluster") != "*")[name].sum() == pytest.approx(0, abs=1e-6)


def test_absent_at_the_start_is_zero_and_unknown_is_null() -> None:
    table = clusters_by_hand(
        *(("A", "X", 2010, 100.0), ("B", "X", 2010, 100.0), ("A", "Y", 2010, None), ("B", "Y", 2010, 50.0)),
        *(("A", "X", 2020, 110.0), ("B", "X", 2020, 90.0), ("A", "Y", 2020, 60.0), ("B", "Y", 2020, 50.0)),
        ("B", "Z", 2020, 7.0),
        ("C", "X", 2010, 40.0),
        ("C", "X", 2020, 40.0),
    )
    found = change_by_parts(table, "jobs", (2010, 2020))
    changes = {(r, c): change for r, c, change in found.select("region", "cluster", "change").iter_rows()}
    assert changes["B", "Z"] == 7.0
    assert changes["A", "Y"] is None
    assert changes["A", "*"] is None  # a part is not known
    assert ("A", "Z") not in changes
    assert not has_nan(found)


# --- the industry space ---------------------------------------------------------------------------------------------


def test_the_industry_space_links_what_occurs_together_and_is_the_same_each_time(panel: cb.Panel) -> None:
    nodes, links = industry_space(panel, membership(panel), TRADED)
    assert set(nodes["industry"]) == TRADED
    assert nodes.filter(industry="23")["cluster"].item() == "C2"
    jobs = panel.frame.filter(industry="23", year=2019)["employment"].sum()
    assert nodes.filter(industry="23")["employment"].item() == jobs
    assert nodes.select(pl.all_horizontal(pl.col("x", "y").is_between(0, 1)).all()).item()
    graph = nx.Graph(links.select("industry", "other").iter_rows())
    # industries of different sectors never occur together in the toy panel
    assert sorted(sorted(part) for part in nx.connected_components(graph)) == [
        [f"{sector}{k}" for k in range(1, 5)] for sector in range(1, 4)
    ]
    assert (links["proximity"] > 0).all()
    assert links.select(pl.struct("industry", "other").is_unique().all()).item()
    again = industry_space(make_panel(), membership(panel), TRADED)
    assert nodes.equals(again[0])
    assert links.equals(again[1])


def test_a_large_industry_space_hangs_together_by_at_most_300_links_the_strongest_of_all() -> None:
    rng = np.random.default_rng(3)
    codes = pl.Series([f"{k:03d}" for k in range(60)])
    frame = pl.DataFrame(
        {
            "region": [f"R{r:02d}" for r in range(40) for _ in codes],
            "industry": codes.to_list() * 40,
            "year": [2020] * 40 * 60,
            "employment": np.ceil(rng.lognormal(2, 1.5, 40 * 60)),
        }
    ).with_columns(status=pl.lit("disclosed", STATUS))
    regions, industries = cb.Regions.from_codes(frame["region"]), cb.Industries.from_codes(codes)
    panel = cb.Panel(frame.sort("year", "region", "industry"), cb.Source("toy", "Toy"), regions, industries)
    nodes, links = industry_space(panel, membership(panel), set(codes))
    assert (nodes.height, links.height) == (60, 300)
    assert nx.is_connected(nx.Graph(links.select("industry", "other").iter_rows()))
    near = proximity(presence(panel.matrix().values))
    pairs = {(codes[i], codes[j]): near[i, j] for i, j in itertools.combinations(range(60), 2)}
    drawn = {(a, b): value for a, b, value in links.iter_rows()}
    assert drawn == pytest.approx({pair: pairs[pair] for pair in drawn})
    # all but the 59 links of the tree go to the strongest pairs
    weakest = sorted(pairs.values(), reverse=True)[300 - 59]
    assert {pair for pair, value in pairs.items() if value > weakest} <= drawn.keys()


def test_no_space_of_unknown_cells_or_of_two_industries(panel: cb.Panel) -> None:
    for nodes, links in (
        industry_space(hide(panel, "R03", "11", 2019), membership(panel), TRADED),
        industry_space(panel, membership(panel), {"11", "12"}),
    ):
        assert (nodes.height, links.height) == (0, 0)
        assert links.columns == ["industry", "other", "proximity"]


# --- wages and kinds ------------------------------------------------------------------------------------------------


def test_wages_of_industries_leave_out_cells_without_payroll(panel: cb.Panel) -> None:
    one = (pl.col("region") == "R00") & (pl.col("industry") == "11")
    frame = panel.frame.with_columns(
        pl.when(pl.col("industry") == "12").then(pl.col("employment") * 80).otherwise("payroll").alias("payroll")
    ).with_columns(pl.when(~one).then("payroll").alias("payroll"))
    found = industry_wages(replace(panel, frame=frame), pl.Series(["11", "12"]), 2019)
    assert dict(found.iter_rows()) == {"11": pytest.approx(50.0), "12": pytest.approx(80.0)}


def test_wages_of_a_coarser_level_are_those_of_its_parts(panel: cb.Panel) -> None:
    frame = panel.frame.with_columns(payroll=pl.col("employment") * (40 + 10 * pl.col("industry").cast(pl.Int64) % 2))
    found = dict(industry_wages(replace(panel, frame=frame), pl.Series(["1"]), 2019).iter_rows())
    cells = frame.filter(pl.col("industry").str.starts_with("1"), year=2019)
    assert found["1"] == pytest.approx(cells["payroll"].sum() / cells["employment"].sum())


def test_no_payroll_no_wages(panel: cb.Panel) -> None:
    found = industry_wages(replace(panel, frame=panel.frame.drop("payroll")), pl.Series(["11"]), 2019)
    assert (found.height, found.columns) == (0, ["industry", "wage"])


def test_clusters_of_no_stated_kind_count_as_traded() -> None:
    members = pl.DataFrame({"industry": ["1", "2", "3"], "cluster": ["a", "b", "c"]})
    kinds = pl.DataFrame({"cluster": ["a", "b", "c"], "kind": ["traded", "local", None]})
    assert traded_industries(members, kinds) == {"1", "3"}


# --- the edition as documented --------------------------------------------------------------------------------------


def documented() -> dict[str, set[str]]:
    """Return the columns of each table of an edition as the page on the architecture names them."""
    page = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    tables = "".join(page.split("| table | one row a | columns |")[1:])
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", tables, re.MULTILINE)
    found = {}
    for name, keys, columns in rows:
        named = re.findall(r"\w+", re.sub(r"\(.*?\)", "", keys))
        of_flags = {f"{flag}_{end}" for end in re.findall(r"`<flag>_(\w+)`", columns) for flag in FLAGS}
        found[name] = {*named, *re.findall(r"`(\w+)`", columns), *of_flags}
    return found | {"national_trends": found["national_trends"] | found["trends"] - {"region"}}


FLAGS = [flag.name for name in ("uscmp", "eco2008") for flag in load_profile(name).flags]

#: Columns that only some sets of definitions have.
CARRIED = {
    "definition_candidates": {"co-location of size", "co-location of establishments", "coagglomeration"},
}


@pytest.fixture(scope="module")
def full_edition(tmp_path_factory: pytest.TempPathFactory) -> cb.Edition:
    """Everything there is: three years, shapes, totals, kinds of regions, a suppressed and an imputed cell."""
    panel = on_a_map(hide(make_panel(years=(2017, 2018, 2019)), "R03", "11", 2017))
    guessed = (pl.col("region") == "R05") & (pl.col("industry") == "12") & (pl.col("year") == 2018)
    status = pl.when(guessed).then(pl.lit("imputed")).otherwise(pl.col("status").cast(pl.String)).alias("status")
    panel = replace(panel, frame=panel.frame.with_columns(status.cast(panel.frame.schema["status"])))
    totals = panel.frame.group_by("region", "year").agg(pl.sum("employment")).sort("year", "region")
    places = replace(panel.regions, frame=panel.regions.frame.with_columns(kind=pl.lit("town")))
    panel = replace(panel, totals=totals, regions=places)
    definitions = cb.discover_definitions(panel.years_only([2018, 2019]), n_clusters=(3, 3))
    return cb.build_edition(panel, definitions, tmp_path_factory.mktemp("editions") / "full.edition")


@pytest.mark.parametrize("name", sorted(documented()))
def test_each_table_has_the_columns_that_the_documentation_names(name: str, full_edition: cb.Edition) -> None:
    said, there = documented()[name], set(full_edition.table(name).columns)
    measures = {"employment", "establishments", "payroll"}
    bounds = {f"{measure}_{end}" for measure in measures for end in ("lo", "hi")}
    assert said - there == set()
    assert there - said - measures - bounds - CARRIED.get(name, set()) == set()


def test_a_sum_is_rough_where_much_of_it_is_estimated(full_edition: cb.Edition) -> None:
    cells = full_edition.table("cells").filter(region="R05", year=2018)
    guess = cells.filter(industry="12")["employment"].item()
    total = cells["employment"].sum()
    region = full_edition.table("regions").filter(region="R05", year=2018).row(0, named=True)
    assert region["estimated_share"] == pytest.approx(guess / total)
    assert not region["rough"]  # its parts add up to the published total
    own = full_edition.table("clusters").filter(region="R05", year=2018).filter(pl.col("estimated_share") > 0)
    assert own.height == 1
    assert own["rough"].item() == (own["estimated_share"].item() > 0.1)
    assert full_edition.table("clusters").filter(year=2019)["estimated_share"].sum() == 0


def test_the_documentation_names_every_table(full_edition: cb.Edition) -> None:
    assert set(documented()) == set(full_edition.tables)


def test_no_table_holds_nan_and_what_is_hidden_is_null(full_edition: cb.Edition) -> None:
    assert [name for name in full_edition.tables if has_nan(full_edition.table(name))] == []
    cell = full_edition.table("cells").filter(region="R03", industry="11", year=2017).row(0, named=True)
    assert (cell["employment"], cell["lq"], cell["status"]) == (None, None, "suppressed")
    assert (cell["employment_lo"], cell["employment_hi"]) == (5.0, 90.0)
    assert full_edition.manifest["growth_years"] == [2018, 2019]


def test_an_edition_with_an_unknown_cell_has_no_complexity_but_everything_else(
    panel: cb.Panel, definitions: cb.ClusterDefinitions, tmp_path: Path
) -> None:
    built = cb.build_edition(hide(panel, "R03", "11", 2019), definitions, tmp_path / "hidden.edition")
    assert [built.table(name).height for name in ("opportunities", "space_nodes", "space_links")] == [0, 0, 0]
    assert [name for name in built.tables if has_nan(built.table(name))] == []
    cluster = definitions.members.filter(industry="11")["cluster"].item()
    parts = built.table("shift_share").filter(region="R03")
    unknown = parts.filter(pl.col("change").is_null())["cluster"].to_list()
    assert set(unknown) == {cluster, "*"}
