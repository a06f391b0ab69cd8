"""The samples of Britain, New Zealand, Europe and US commuting zones: known figures, trees, shapes and notices."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest
import shapely

import clusterbook as cb
from clusterbook.data import samples
from clusterbook.data.panel import KEYS, STATUS

BUNDLED = Path(samples.__file__).parent / "bundled"
FILES = sorted(path.stem for path in BUNDLED.glob("*.parquet"))


@pytest.fixture(scope="module")
def uk() -> cb.Panel:
    return samples.uk_regions()


@pytest.fixture(scope="module")
def nz() -> cb.Panel:
    return samples.nz_urban_areas()


@pytest.fixture(scope="module")
def zones() -> cb.Panel:
    return samples.us_commuting_zones()


@pytest.fixture(scope="module")
def europe() -> cb.Panel:
    return samples.europe_nuts2()


@pytest.fixture(scope="module")
def europe_with_gaps() -> cb.Panel:
    return samples.europe_nuts2(impute=False)


@pytest.fixture(params=["uk", "nz", "zones", "europe", "europe_with_gaps"])
def panel(request: pytest.FixtureRequest) -> cb.Panel:
    found: cb.Panel = request.getfixturevalue(request.param)
    return found


def figure(panel: cb.Panel, region: str, industry: str, year: int) -> float:
    found = panel.frame.filter(region=region, industry=industry, year=year)[panel.size]
    return float(found.item())


# --- every panel ----------------------------------------------------------------------------------------------------


def test_frame_keeps_the_rules_of_a_panel(panel: cb.Panel) -> None:
    frame = panel.frame
    assert frame.schema["status"] == STATUS
    assert all(frame.schema[name] == pl.Float64 for name in panel.measures)
    assert not frame.select(KEYS).is_duplicated().any()
    assert frame.select("year", "region", "industry").equals(frame.select("year", "region", "industry").sort(pl.all()))


def test_zeros_are_marked_and_gaps_are_no_zeros(panel: cb.Panel) -> None:
    size = pl.col(panel.size)
    found = panel.frame.filter(pl.col("status") != "imputed").select(
        zero=((pl.col("status") == "zero") == (size.fill_null(1) == 0)).all(),
        gaps=(pl.col("status").is_in(["suppressed", "not_collected"]) == size.is_null()).all(),
    )
    assert found.row(0) == (True, True)


def test_regions_and_industries_of_the_cells_have_names(panel: cb.Panel) -> None:
    assert set(panel.frame["region"]) == set(panel.regions.frame["region"])
    assert panel.regions.frame["name"].is_unique().all()
    assert panel.regions.frame["name"].str.contains(r"^\S.*\S$").all()
    titles = panel.industries.titles
    assert all(titles[code].strip() == titles[code] != code for code in panel.frame["industry"].unique())
    assert set(panel.industries.parents.values()) <= set(titles)


def test_no_industry_contains_another(panel: cb.Panel) -> None:
    present = panel.frame["industry"].unique().to_list()
    assert not {above for code in present for above in panel.industries.ancestors(code)} & set(present)


def test_the_source_says_what_a_page_has_to_print(panel: cb.Panel) -> None:
    source = panel.source
    assert source.publisher
    assert source.licence
    assert len(source.caveats) >= 3
    assert source.unit(panel.size)


def test_definitions_can_be_discovered(uk: cb.Panel, europe: cb.Panel) -> None:
    for panel in (uk, europe):
        found = cb.discover_definitions(panel)
        assert set(found.members["industry"]) == set(panel.frame["industry"])


# --- Britain --------------------------------------------------------------------------------------------------------


def test_uk_rows_add_up_to_the_published_totals(uk: cb.Panel) -> None:
    assert (uk.years[0], uk.years[-1], len(uk.years)) == (1998, 2022, 25)
    assert uk.frame["industry"].n_unique() == 48
    assert uk.totals is not None
    held = uk.frame.group_by("region", "year").agg(pl.sum("gva")).join(uk.totals, on=["region", "year"])
    assert held.height == 179 * 25
    # Transport in Camden in 2020 is missing: it was -25
    assert (held["gva"] - held["gva_right"]).abs().max() == 26
    assert held.filter(year=2022).select((pl.col("gva") - pl.col("gva_right")).abs().max()).item() <= 9


def test_uk_known_figures(uk: cb.Panel) -> None:
    assert figure(uk, "TLC11", "CD-CG (19-23)", 2022) == 255
    assert figure(uk, "TLC11", "68", 2022) == 153
    missing = uk.frame.filter(pl.col("gva").is_null())
    assert missing.select("region", "industry", "year", "status").rows() == [("TLI31", "49-51", 2020, "not_collected")]
    assert "left blank" in uk.source.caveats[3]
    assert uk.source.unit("gva") == "million GBP"
    assert "Crown copyright" in uk.source.licence


def test_uk_tree_and_hierarchy(uk: cb.Panel) -> None:
    assert uk.industries.ancestors("61-63") == ["J (58-63)"]
    assert uk.industries.ancestors("CD-CG (19-23)") == ["C (10-33)"]
    assert uk.industries.ancestors("AB (1-9)") == []
    assert uk.regions.parents()["TLC11"] == "TLC1"


def test_uk_shapes_lie_where_they_should(uk: cb.Panel) -> None:
    shapes = shapely.from_wkb([uk.regions.geometry[code] for code in uk.regions.frame["region"]])
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    assert sum(uk.regions.area_km2().values()) == pytest.approx(244_500, rel=0.005)
    middle = shapely.centroid(shapely.from_wkb(uk.regions.geometry["TLM66"]))  # Shetland
    assert (middle.x, middle.y) == pytest.approx((-1.3, 60.3), abs=0.1)
    assert ("TLI31", "TLI32") in uk.regions.neighbours()  # Camden and City, Westminster


# --- New Zealand ----------------------------------------------------------------------------------------------------


def test_nz_counts_are_rounded_and_the_notice_is_kept(nz: cb.Panel) -> None:
    assert nz.frame.height == 143 * 65 * 8
    assert nz.frame.select((pl.col("employment") % 3).max()).item() == 0
    assert figure(nz, "001", "AA111", 1986) == 162
    assert "Statistics Act 1975" in nz.source.note
    assert "not Statistics New Zealand" in nz.source.note
    assert "2 off" in nz.source.caveats[0]
    assert nz.industries.ancestors("CC811") == ["CC"]
    assert nz.industries.titles["GH21_"] == "Accommodation and food services"
    assert nz.regions.names()["001"] == "Whangarei"
    assert nz.regions.geometry == {}


# --- US commuting zones ---------------------------------------------------------------------------------------------


def test_zones_weigh_shares_by_the_population_of_1980(zones: cb.Panel) -> None:
    assert zones.frame["region"].n_unique() == 722
    assert zones.frame["industry"].n_unique() == 227
    by_year = zones.frame.group_by("year").agg(pl.sum("weighted_share")).sort("year")["weighted_share"]
    assert by_year.to_list() == pytest.approx([980_000, 970_000, 980_000], rel=0.01)
    assert zones.totals is not None
    los_angeles = zones.totals.filter(region="38300")
    assert los_angeles["weighted_share"].round().to_list() == [53_567] * 3
    # Agricultural crops: 1.7 per cent of the workers of zone 100 in 1980, which held 0.2157 per cent of the nation
    assert figure(zones, "00100", "010", 1980) == pytest.approx(0.017344 * 2157, rel=1e-3)
    assert "cannot be seen" in zones.source.caveats[0]


def test_zones_are_made_of_counties(zones: cb.Panel) -> None:
    members = samples.us_zone_counties()
    assert members.height == 3108
    assert members["part"].is_unique().all()
    assert set(members["region"]) == set(zones.regions.geometry)
    lower_48 = sum(zones.regions.area_km2().values())
    assert lower_48 == pytest.approx(7_800_000, rel=0.01)  # land is 7.66 million, some inland water comes with it
    assert zones.regions.names()["10600"] == "Birmingham, AL (zone 10600)"


# --- Europe ---------------------------------------------------------------------------------------------------------


def test_europe_known_figures_and_gaps(europe_with_gaps: cb.Panel) -> None:
    frame = europe_with_gaps.frame
    assert figure(europe_with_gaps, "DE21", "C29", 2015) == 110_595
    assert frame["region"].n_unique() == 275
    assert dict(frame["status"].value_counts().iter_rows()) == {
        "disclosed": 15_467,
        "zero": 939,
        "suppressed": 2_285,
        "not_collected": 9,
    }
    assert frame.filter(status="suppressed")["employment_lo"].to_list() == [0.0] * 2_285


def test_europe_is_filled_within_bounds(europe: cb.Panel) -> None:
    frame = europe.frame
    assert frame["employment"].null_count() == 0
    assert not {"IE01", "IE02", "MT00"} & set(frame["region"])
    imputed = frame.filter(status="imputed")
    assert imputed.height > 2_000
    low, high = imputed["employment_lo"], imputed["employment_hi"]
    assert ((low <= imputed["employment"] + 1e-6) & (imputed["employment"] <= high + 1e-6)).all()
    assert any("Ireland and Malta" in line for line in europe.source.caveats)
    assert figure(europe, "DE21", "C29", 2015) == 110_595


def test_europe_takes_shapes_from_a_file(tmp_path: Path, europe: cb.Panel) -> None:
    codes = samples.europe_nuts2(impute=False).regions.frame["region"].to_list()
    features = [
        {
            "type": "Feature",
            "properties": {"NUTS_ID": code},
            "geometry": json.loads(shapely.to_geojson(shapely.box(k % 30, 40 + k // 30, k % 30 + 1, 41 + k // 30))),
        }
        for k, code in enumerate(codes)
    ]
    path = tmp_path / "nuts.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    panel = samples.europe_nuts2(path)
    assert "EuroGeographics" in panel.source.note
    assert "EuroGeographics" in panel.regions.note
    assert set(codes) - set(panel.regions.geometry) == {"FRA1", "FRA2", "FRA3", "FRA4", "IE01", "IE02", "MT00"}
    assert "EuroGeographics" not in europe.source.note + europe.regions.note

    path.write_text(json.dumps({"type": "FeatureCollection", "features": features[5:]}), encoding="utf-8")
    with pytest.raises(cb.ClusterbookError, match=r"no shape for 5 of 275 regions: AT11.*level 2 of NUTS 2013"):
        samples.europe_nuts2(path)


# --- plants and files -----------------------------------------------------------------------------------------------


def test_facilities_are_among_the_samples() -> None:
    plants = samples.us_facilities(years=[2023])
    assert plants.years == (2023,)
    assert plants.frame.height == 7537


@pytest.mark.parametrize("name", FILES)
def test_the_readme_tells_of_each_file(name: str) -> None:
    text = (BUNDLED / "README.md").read_text(encoding="utf-8")
    assert f"| `{name}.parquet` |" in text
    assert any(line.startswith("## ") and f"`{name}.parquet`" in line for line in text.splitlines())


def test_the_readme_tells_of_no_other_files() -> None:
    text = (BUNDLED / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `(\w+)\.parquet` \|", text, re.MULTILINE)) == FILES


def test_the_readme_keeps_the_notices() -> None:
    text = " ".join((BUNDLED / "README.md").read_text(encoding="utf-8").split())
    for notice in (
        "Statistics Act 1975",
        "Open Government Licence",
        "Crown copyright",
        "CC BY 4.0",
        "IPUMS",
        "JJ Chen",
    ):
        assert notice in text
