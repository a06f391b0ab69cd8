"""The bundled US samples: known figures, and that places, industries and shapes fit the cells."""

from __future__ import annotations

import doctest
from pathlib import Path

import polars as pl
import pytest
import shapely

import clusterbook as cb
from clusterbook.data import samples
from clusterbook.data.panel import KEYS, STATUS

BUNDLED = Path(samples.__file__).parent / "bundled"


@pytest.fixture(scope="module")
def metros() -> cb.Panel:
    return samples.us_metros()


@pytest.fixture(scope="module")
def metros_in_detail() -> cb.Panel:
    return samples.us_metros(level=6)


@pytest.fixture(scope="module")
def counties() -> cb.Panel:
    return samples.us_counties()


@pytest.fixture(scope="module")
def trends() -> cb.Panel:
    return samples.us_metro_trends()


@pytest.fixture(params=["metros", "metros_in_detail", "counties", "trends"])
def panel(request: pytest.FixtureRequest) -> cb.Panel:
    found: cb.Panel = request.getfixturevalue(request.param)
    return found


def cell(panel: cb.Panel, region: str, industry: str, year: int) -> dict[str, object]:
    return panel.frame.row(
        by_predicate=(pl.col("region") == region) & (pl.col("industry") == industry) & (pl.col("year") == year),
        named=True,
    )


# --- every panel ----------------------------------------------------------------------------------------------------


def test_frame_keeps_the_rules_of_a_panel(panel: cb.Panel) -> None:
    frame = panel.frame
    assert frame.schema["status"] == STATUS
    assert all(frame.schema[name] == pl.Float64 for name in panel.measures)
    assert frame.schema["year"].is_integer()
    assert not frame.select(KEYS).is_duplicated().any()
    assert frame.select("year", "region", "industry").equals(frame.select("year", "region", "industry").sort(pl.all()))


def test_status_says_what_the_figure_is(panel: cb.Panel) -> None:
    found = panel.frame.select(
        zero=(pl.col("status") == "zero") == (pl.col("employment") == 0),
        suppressed=(pl.col("status") == "suppressed") == pl.col("employment").is_null(),
        disclosed=(pl.col("status") == "disclosed") == (pl.col("employment") > 0),
    )
    # a null employment compares to null: neither zero nor disclosed
    assert found.select(pl.all().all(ignore_nulls=True)).row(0) == (True, True, True)


def test_every_region_has_a_name_and_a_shape(panel: cb.Panel) -> None:
    regions = panel.regions
    present = set(panel.frame["region"])
    assert set(regions.frame["region"]) == present
    assert regions.frame["region"].is_sorted()
    assert regions.frame["name"].str.contains(r"^\S.*, [A-Z]{2}(-[A-Z]{2})*$").all()
    assert regions.frame["name"].is_unique().all()
    assert set(regions.geometry) == present
    assert min(regions.population().values()) > 50
    assert regions.projection == "albersUsa"


def test_every_industry_has_a_title_and_ancestors_up_to_a_sector(panel: cb.Panel) -> None:
    levels = dict(panel.industries.frame.select("industry", "level").iter_rows())
    for code in panel.frame["industry"].unique().to_list():
        assert panel.industries.titles[code].strip() == panel.industries.titles[code] != ""
        chain = [code, *panel.industries.ancestors(code)]
        assert [levels[one] for one in chain] == list(range(levels[code], 1, -1))


def test_all_cells_are_of_one_level(panel: cb.Panel) -> None:
    levels = dict(panel.industries.frame.select("industry", "level").iter_rows())
    assert len({levels[code] for code in panel.frame["industry"].unique()}) == 1


def test_shapes_are_valid_and_do_not_overlap(panel: cb.Panel) -> None:
    shapes = shapely.from_wkb(list(panel.regions.geometry.values()))
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    assert shapely.area(shapes).min() > 1e-4


def test_the_outline_is_the_ground_of_all_shapes(panel: cb.Panel) -> None:
    assert panel.regions.outline is not None
    ground = shapely.from_wkb(panel.regions.outline)
    states = shapely.union_all(shapely.get_parts(ground))
    shapes = shapely.coverage_union_all(shapely.from_wkb(list(panel.regions.geometry.values())))
    assert shapely.difference(shapes, states).area < 1e-9
    # 9.5 million square kilometres are some 1,100 square degrees here
    assert 1050 < states.area < 1250


def test_the_source_states_what_a_page_has_to_print(panel: cb.Panel) -> None:
    source = panel.source
    assert source.publisher == "US Census Bureau"
    assert source.licence == "public domain (US government work)"
    assert "fewer than three establishments" in source.caveats[0]
    assert source.unit("employment") == "jobs"


# --- metro areas ----------------------------------------------------------------------------------------------------


def test_933_areas_in_both_years(metros: cb.Panel) -> None:
    assert metros.years == (2018, 2019)
    assert metros.frame.group_by("year").agg(pl.n_unique("region")).sort("year")["region"].to_list() == [933, 933]
    assert metros.regions.frame["kind"].value_counts().sort("kind").rows() == [("metro", 382), ("micro", 551)]
    assert metros.frame["industry"].n_unique() == 288
    assert metros.source.id == "us-cbp-metro"


def test_totals_cover_all_areas_and_exceed_the_cells(metros: cb.Panel) -> None:
    assert metros.totals is not None
    assert metros.totals.height == 2 * 933
    assert metros.totals.filter(year=2019)["employment"].sum() == 122_485_576
    held = metros.frame.group_by("region", "year").agg(pl.sum("establishments"))
    both = metros.totals.join(held, on=["region", "year"], suffix="_held")
    assert both.height == 2 * 933
    assert (both["establishments"] >= both["establishments_held"]).all()


@pytest.mark.parametrize(("level", "share"), [(2, "99.98%"), (4, "97.47%"), (6, "94.37%")])
def test_the_caveat_states_the_share_that_the_cells_hold(level: int, share: str) -> None:
    panel = samples.us_metros(level)
    assert f"level {level} hold {share} of published employment in 2019" in panel.source.caveats[0]


def test_sectors_include_the_ranges_and_not_the_total() -> None:
    sectors = set(samples.us_metros(level=2).frame["industry"])
    assert {"31-33", "44-45", "48-49", "11", "99"} <= sectors
    assert "00" not in sectors
    assert len(sectors) == 20


@pytest.mark.parametrize("level", [0, 1, 7])
def test_a_level_that_naics_lacks_is_refused(level: int) -> None:
    with pytest.raises(cb.ClusterbookError, match=f"no level {level}.*Choose 2"):
        samples.us_metros(level)


def test_the_tree_of_naics() -> None:
    industries = samples.us_metros().industries
    assert industries.classification == "NAICS 2017"
    assert industries.titles["334413"] == "Semiconductor and Related Device Manufacturing"
    assert industries.ancestors("334413") == ["33441", "3344", "334", "31-33"]
    assert industries.titles["31-33"] == "Manufacturing"
    assert industries.frame.height == 2197


# --- counties -------------------------------------------------------------------------------------------------------


def test_known_figures_of_counties(counties: cb.Panel) -> None:
    assert cell(counties, "06085", "334413", 2019)["employment"] == 6472  # semiconductors in Santa Clara County
    assert cell(counties, "53033", "336411", 2019)["employment"] == 16067  # aircraft in King County
    carpets = counties.frame.filter(industry="314110", year=2019).sort("employment", descending=True)
    assert carpets["region"][0] == "13313"  # Whitfield County


def test_counts_of_counties_and_cells(counties: cb.Panel) -> None:
    assert counties.frame.height == 1_733_037
    assert len(counties.regions.frame) == 3113
    assert counties.years == (2017, 2018, 2019, 2020, 2021)
    assert "11001" not in counties.regions.names()
    assert counties.regions.names()["35013"] == "Doña Ana County, NM"
    assert counties.source.id == "us-cbp-county"


def test_cells_withheld_in_2017_are_suppressed_and_never_zero(counties: cb.Panel) -> None:
    hidden = counties.frame.filter(status="suppressed")
    assert hidden.height == 45_231
    assert hidden["year"].unique().to_list() == [2017]
    assert hidden.select(pl.col("employment", "payroll").null_count()).row(0) == (45_231, 45_231)
    assert hidden.select(pl.col("employment_lo", "payroll_lo").max()).row(0) == (0, 0)
    assert hidden["establishments"].min() == 3
    assert counties.frame.filter(pl.col("status") != "suppressed")["employment_lo"].is_not_null().sum() == 0
    assert "45,231" in counties.source.caveats[1]
    assert cell(counties, "01001", "221112", 2017)["status"] == "suppressed"


def test_zeros_with_payroll_stay_zeros(counties: cb.Panel) -> None:
    zeros = counties.frame.filter(status="zero")
    assert zeros["payroll"].min() > 0
    per_year = zeros.group_by("year").len().sort("year")["len"].to_list()
    assert per_year == [208, 318, 287, 280, 335]


# --- counties and areas ---------------------------------------------------------------------------------------------


def test_a_county_belongs_to_one_area_and_every_area_has_counties(metros: cb.Panel) -> None:
    members = samples.us_metro_counties()
    assert members.columns == ["part", "region"]
    assert members["part"].is_unique().all()
    assert set(members["region"]) == set(metros.regions.frame["region"])
    assert members.height == 1825


@pytest.mark.parametrize(
    ("area", "name", "parts"),
    [
        ("19380", "Dayton, OH", ["39057", "39109", "39113"]),
        ("17200", "Claremont-Lebanon, NH-VT", ["33009", "33019", "50017", "50027"]),
        ("39140", "Prescott, AZ", ["04025"]),
        ("11180", "Ames, IA", ["19169"]),
        ("14340", "Boone, IA", ["19015"]),
        ("24340", "Grand Rapids-Kentwood, MI", ["26015", "26081", "26117", "26139"]),
    ],
)
def test_areas_are_those_of_july_2015(metros: cb.Panel, area: str, name: str, parts: list[str]) -> None:
    assert samples.us_metro_counties().filter(region=area)["part"].to_list() == parts
    assert metros.regions.names()[area] == name


def test_counties_of_an_area_add_up_to_it(metros_in_detail: cb.Panel, counties: cb.Panel) -> None:
    """Establishments of the counties reach the area's with at most two more for each county that hides its cell."""
    members = samples.us_metro_counties()
    size = members.group_by("region").agg(pl.len().alias("members"))
    summed = (
        counties.frame.filter(pl.col("year").is_in(metros_in_detail.years))
        .rename({"region": "part"})
        .join(members, on="part")
        .group_by("region", "industry", "year")
        .agg(pl.sum("employment", "establishments"), seen=pl.len())
    )
    both = metros_in_detail.frame.join(summed, on=KEYS, how="full", suffix="_sum", coalesce=True).join(
        size, on="region"
    )
    both = both.with_columns(
        short=pl.col("establishments").fill_null(2) - pl.col("establishments_sum").fill_null(0),
        hiding=pl.col("members") - pl.col("seen").fill_null(0),
    )
    assert both["short"].min() >= 0
    elsewhere = pl.col("region") != "47900"  # Washington: the District of Columbia is not in the county files
    assert both.filter(
        elsewhere, pl.col("establishments").is_not_null(), pl.col("short") > 2 * pl.col("hiding")
    ).is_empty()
    open_cells = both.filter(elsewhere, pl.col("hiding") == 0)
    assert open_cells.height > 200_000
    assert open_cells["employment"].equals(open_cells["employment_sum"].alias("employment"))


def test_san_jose_in_both_files(metros_in_detail: cb.Panel, counties: cb.Panel) -> None:
    # San Benito County has no semiconductor plants that show, so the area's figure is that of Santa Clara County
    assert cell(metros_in_detail, "41940", "334413", 2019)["employment"] == 6472
    parts = [cell(counties, county, "722511", 2019)["employment"] for county in ("06069", "06085")]
    assert cell(metros_in_detail, "41940", "722511", 2019)["employment"] == sum(parts)


def test_sums_with_a_withheld_county_are_suppressed(trends: cb.Panel, counties: cb.Panel) -> None:
    members = samples.us_metro_counties().rename({"region": "area", "part": "region"})
    hidden = counties.frame.filter(status="suppressed").join(members, on="region")
    hit = hidden.select(region="area", industry="industry", year="year").unique()
    sums = trends.frame.filter(status="suppressed")
    assert sums.height == hit.height == 34_080
    assert sums["employment"].null_count() == sums.height
    assert sums["employment_lo"].null_count() == 0
    assert sums["employment_lo"].max() > 0
    assert trends.frame.filter(pl.col("year") > 2017)["employment"].null_count() == 0


def test_trends_name_their_own_source(trends: cb.Panel) -> None:
    assert trends.source.id == "us-cbp-county-in-metros"
    assert "90.53% of published employment in 2019" in trends.source.caveats[0]
    assert any("District of Columbia is missing from Washington" in line for line in trends.source.caveats)
    assert trends.measures == ("employment", "establishments", "payroll")
    assert trends.totals is None


# --- the files ------------------------------------------------------------------------------------------------------


def test_all_bundled_files_together_are_small() -> None:
    assert sum(path.stat().st_size for path in BUNDLED.iterdir()) < 16_000_000


def test_every_listed_sample_is_a_function_that_loads() -> None:
    assert [name for name, _ in samples.listing()][:3] == ["us_metros", "us_counties", "us_metro_trends"]
    assert all(callable(getattr(samples, name)) for name, _ in samples.listing())


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(samples).failed == 0
