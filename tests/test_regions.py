"""Shapes from files, areas, neighbours, regions of one's own, functional regions, and editions of regions."""

from __future__ import annotations

import doctest
import json
import sqlite3
import struct
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import shapely

import clusterbook as cb
from clusterbook.data import regions as regions_module
from clusterbook.data import shapes as shapes_module
from clusterbook.data.panel import STATUS, Panel, Source
from clusterbook.data.regions import Regions, functional_regions
from clusterbook.data.shapes import area_km2, british_grid_to_degrees, dissolve, read_shapes, touching
from clusterbook.data.vintages import NUTS2_CHANGES, US_COUNTY_CHANGES, bridge_regions, nuts2_bridge, us_counties_bridge


def box(x: float, y: float, width: float = 1, height: float = 1) -> bytes:
    return bytes(shapely.to_wkb(shapely.box(x, y, x + width, y + height)))


@pytest.fixture
def square() -> Regions:
    """Four squares: A and B above C and D, so that A and D touch in a point; E lies apart."""
    found = {"A": box(0, 1), "B": box(1, 1), "C": box(0, 0), "D": box(1, 0), "E": box(5, 0)}
    frame = pl.DataFrame({"region": list("ABCDE"), "name": list("abcde"), "population": [1, 2, 3, 4, None]})
    return Regions(frame, geometry=found)


def panel_of(cells: Mapping[str, float | None]) -> Panel:
    frame = pl.DataFrame({"region": list(cells), "employment": list(cells.values())}).select(
        "region",
        industry=pl.lit("x"),
        year=pl.lit(2015, pl.Int64),
        employment=pl.col("employment").cast(pl.Float64),
        status=pl.when(pl.col("employment").is_null())
        .then(pl.lit("suppressed", STATUS))
        .otherwise(pl.lit("disclosed", STATUS)),
    )
    return Panel(
        frame, Source("toy", "Toy"), Regions.from_codes(frame["region"]), cb.Industries.from_codes(frame["industry"])
    )


# --- the British grid -----------------------------------------------------------------------------------------------

# Points of the ONS file of ITL 3 regions: easting, northing, longitude, latitude
ONS_POINTS = [
    (444952, 522016, -1.30587, 54.5914),  # Hartlepool and Stockton-on-Tees
    (461718, 519597, -1.04695, 54.5678),  # South Teesside
    (434516, 1180307, -1.37344, 60.505),  # Shetland Islands
    (465607, 101357, -1.07023, 50.808),  # Portsmouth
    (344203, 759205, -2.91329, 56.7211),  # Angus and Dundee City
]


@pytest.mark.parametrize(("east", "north", "lon", "lat"), ONS_POINTS)
def test_british_grid_agrees_with_the_office(east: float, north: float, lon: float, lat: float) -> None:
    found = british_grid_to_degrees([[east, north]])[0]
    metres = (found - (lon, lat)) * (111_320 * np.cos(np.radians(lat)), 111_200)
    assert np.hypot(*metres) < 12  # a degree of latitude is given to four digits there, which is 6 metres


def test_british_grid_agrees_with_the_worked_example_of_the_ordnance_survey() -> None:
    # Caister water tower: 52 39 28.72 N, 1 42 57.79 E in ETRS89, as the guide's Helmert transformation has it
    lon, lat = british_grid_to_degrees([[651409.903, 313177.270]])[0]
    assert lat == pytest.approx(52 + 39 / 60 + 28.72 / 3600, abs=1e-5)
    assert lon == pytest.approx(1 + 42 / 60 + 57.79 / 3600, abs=3e-5)


# --- files of shapes ------------------------------------------------------------------------------------------------


def write_geopackage(path: Path, srs: int, rows: list[tuple[str, bytes | None]], envelope: int = 1) -> None:
    """Write the least a GeoPackage of one layer needs to be read."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER)")
        database.execute("INSERT INTO gpkg_geometry_columns VALUES ('areas', 'geom', ?)", (srs,))
        database.execute('CREATE TABLE areas (fid INTEGER, geom BLOB, "the code" TEXT)')
        header = b"GP" + bytes([0, 1 | envelope << 1]) + struct.pack("<i", srs) + b"\0" * (0, 32, 48, 48, 64)[envelope]
        blobs = [(k, None if wkb is None else header + wkb, code) for k, (code, wkb) in enumerate(rows)]
        database.executemany("INSERT INTO areas VALUES (?, ?, ?)", blobs)


@pytest.mark.parametrize("envelope", [0, 1, 2, 4])
def test_geopackage_in_degrees(tmp_path: Path, envelope: int) -> None:
    path = tmp_path / "areas.gpkg"
    write_geopackage(path, 4258, [("A", box(0, 0)), ("B", box(1, 0)), ("C", None)], envelope)
    assert read_shapes(path, code="the code") == {"A": box(0, 0), "B": box(1, 0)}
    assert read_shapes(path, code="the code", layer="areas").keys() == {"A", "B"}


def test_geopackage_on_the_british_grid(tmp_path: Path) -> None:
    path = tmp_path / "areas.gpkg"
    write_geopackage(path, 27700, [("A", box(444_952, 522_016, 1000, 1000))])
    shape = shapely.from_wkb(read_shapes(path, code="the code")["A"])
    assert shape.bounds[:2] == pytest.approx((-1.30587, 54.5914), abs=3e-4)
    assert area_km2({"A": shapely.to_wkb(shape)})["A"] == pytest.approx(1, rel=2e-3)


def test_geojson(tmp_path: Path) -> None:
    path = tmp_path / "areas.geojson"
    square = json.loads(shapely.to_geojson(shapely.box(0, 0, 1, 1)))
    features = [
        {"type": "Feature", "properties": {"id": 7}, "geometry": square},
        {"type": "Feature", "properties": {"id": None}, "geometry": square},
        {"type": "Feature", "properties": {"id": 8}, "geometry": None},
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    found = read_shapes(path, code="id")
    assert list(found) == ["7"]
    assert shapely.from_wkb(found["7"]).equals(shapely.box(0, 0, 1, 1))
    features[0]["geometry"]["coordinates"][0][1][0] = 651_409
    metres = tmp_path / "metres.geojson"
    metres.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    with pytest.raises(cb.ClusterbookError, match="coordinates are not degrees"):
        read_shapes(metres, code="id")
    with pytest.raises(cb.ClusterbookError, match=r"no property 'code'\. It has: id"):
        read_shapes(path, code="code")


def test_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    with pytest.raises(cb.ClusterbookError, match="there is no such file"):
        read_shapes(tmp_path / "none.gpkg", code="x")
    other = tmp_path / "areas.shp"
    other.write_text("")
    with pytest.raises(cb.ClusterbookError, match=r"read from \.gpkg and \.geojson"):
        read_shapes(other, code="x")
    broken = tmp_path / "broken.gpkg"
    broken.write_text("not a database, but long enough to be read as one" * 20)
    with pytest.raises(cb.ClusterbookError, match="not a GeoPackage"):
        read_shapes(broken, code="x")
    text = tmp_path / "broken.json"
    text.write_text("{}")
    with pytest.raises(cb.ClusterbookError, match="not a GeoJSON feature collection"):
        read_shapes(text, code="x")
    laea = tmp_path / "laea.gpkg"
    write_geopackage(laea, 3035, [("A", box(4e6, 3e6))])
    with pytest.raises(cb.ClusterbookError, match=r"EPSG:3035.*EPSG:4326"):
        read_shapes(laea, code="the code")
    with pytest.raises(cb.ClusterbookError, match=r"no column 'x'\. It has: fid, geom, the code"):
        read_shapes(laea, code="x")
    with pytest.raises(cb.ClusterbookError, match="name one of its layers with layer=: areas"):
        read_shapes(laea, code="the code", layer="lines")
    twice = tmp_path / "twice.gpkg"
    write_geopackage(twice, 4326, [("A", box(0, 0)), ("A", box(1, 0))])
    with pytest.raises(cb.ClusterbookError, match="holds a code twice"):
        read_shapes(twice, code="the code")


# --- areas and neighbours -------------------------------------------------------------------------------------------


def test_areas_are_those_on_the_ellipsoid() -> None:
    whole_earth = area_km2({"*": box(-180, -90, 360, 180)})["*"]
    assert whole_earth == pytest.approx(510_065_622, abs=50)  # WGS 84
    # One square degree at 60 degrees north: the radii of curvature are 6,383.5 and 6,394.2 km there
    at_60 = 6383.48 * 6394.21 * 0.5 * np.radians(1) ** 2
    assert area_km2({"a": box(10, 59.5)})["a"] == pytest.approx(at_60, rel=1e-4)


def test_neighbours_by_the_moves_of_chess(square: Regions) -> None:
    assert square.neighbours() == [("A", "B"), ("A", "C"), ("A", "D"), ("B", "C"), ("B", "D"), ("C", "D")]
    assert square.neighbours(rule="rook") == [("A", "B"), ("A", "C"), ("B", "D"), ("C", "D")]
    assert square.neighbours(["D", "E"]) == []
    assert square.neighbours(["D", "E"], gap=3) == [("D", "E")]
    with pytest.raises(cb.ClusterbookError, match=r"F: 1 regions have no shape.*with_shapes"):
        square.neighbours(["A", "F"])


def test_touching_counts_each_pair_once() -> None:
    drawn = np.array([shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 3), shapely.box(9, 9, 10, 10)])
    here, there = touching(drawn)
    assert (here.tolist(), there.tolist()) == ([0], [1])


def test_groups_that_hang_together(square: Regions) -> None:
    assert square.touching_groups(["E", "B", "A"]) == [["A", "B"], ["E"]]
    assert square.touching_groups([]) == []


def test_only_and_with_shapes(square: Regions) -> None:
    part = square.only(["B", "A"])
    assert part.frame["region"].to_list() == ["A", "B"]
    assert set(part.geometry) == {"A", "B"}
    with pytest.raises(cb.ClusterbookError, match="Z: 1 regions are not among the regions"):
        square.only(["Z"])
    with pytest.raises(cb.ClusterbookError, match="B: 1 regions have no shape"):
        part.with_shapes({"A": box(0, 0)})


# --- regions of one's own -------------------------------------------------------------------------------------------


def test_merged_regions_have_members_shapes_and_people(square: Regions) -> None:
    membership, merged = square.merge({"North": ["B", "A"]})
    assert membership.rows() == [("A", "North"), ("B", "North"), ("C", "C"), ("D", "D"), ("E", "E")]
    assert merged.frame.select("region", "name", "population").rows() == [
        ("C", "c", 3), ("D", "d", 4), ("E", "e", None), ("North", "North", 3)
    ]  # fmt: skip
    assert shapely.from_wkb(merged.geometry["North"]).equals(shapely.box(0, 1, 2, 2))
    assert merged.neighbours(rule="rook") == [("C", "D"), ("C", "North"), ("D", "North")]


def test_population_is_added_only_where_it_is_known(square: Regions) -> None:
    merged = square.merge({"Far": ["D", "E"]}, keep_rest=False).regions
    assert merged.frame.rows() == [("Far", "Far", None)]
    assert shapely.from_wkb(merged.geometry["Far"]).area == 2


def test_panels_follow_merged_regions() -> None:
    panel = panel_of({"A": 10, "B": 5, "C": None})
    done = panel.aggregate(*panel.regions.merge({"AB": ["A", "B"]}))
    assert done.frame.select("region", "employment", "status").rows() == [
        ("AB", 15.0, "disclosed"), ("C", None, "suppressed")
    ]  # fmt: skip
    joined = panel.aggregate(*panel.regions.merge({"BC": ["B", "C"]}, keep_rest=False))
    assert joined.frame.select("region", "employment", "employment_lo", "status").rows() == [
        ("BC", None, 5.0, "suppressed")
    ]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"N": ["A", "Z"]}, "Z: 1 regions are not among the regions"),
        ({"N": ["A"], "S": ["A"]}, "A: more than one group"),
        ({"N": []}, "N: a group without regions"),
        ({"C": ["A", "B"]}, "C: the code of a region that stays"),
    ],
)
def test_groups_that_do_not_fit_are_refused(square: Regions, groups: dict[str, list[str]], message: str) -> None:
    with pytest.raises(cb.ClusterbookError, match=message):
        square.merge(groups)


def test_a_name_may_be_that_of_a_part(square: Regions) -> None:
    assert square.merge({"A": ["A", "B"]}).regions.frame["region"].to_list() == ["A", "C", "D", "E"]


def test_dissolving_shapes_that_do_not_fit_exactly() -> None:
    overlap = shapely.from_wkb(dissolve([box(0, 0, 1.1), box(1, 0)]))
    assert overlap.equals(shapely.box(0, 0, 2, 1))


# --- functional regions ---------------------------------------------------------------------------------------------


def flows(*rows: tuple[str, str, float | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"region": pl.String, "other": pl.String, "flow": pl.Float64}, orient="row")


def test_regions_are_tied_to_where_most_commuters_go() -> None:
    found = flows(
        ("town", "town", 900), ("town", "far", 100), ("west", "west", 70), ("west", "town", 20), ("west", "far", 10),
        ("east", "east", 84), ("east", "town", 16), ("far", "far", 90), ("far", "east", 10),
    )  # fmt: skip
    assert functional_regions(found) == {"town": ["east", "town", "west"]}
    assert functional_regions(found, least=0.18) == {"town": ["town", "west"]}
    assert functional_regions(found, least=0.1) == {"town": ["east", "far", "town", "west"]}
    assert functional_regions(found, least=0.5) == {}


def test_flows_that_do_not_hold_are_refused() -> None:
    with pytest.raises(cb.ClusterbookError, match="columns region, other and flow"):
        functional_regions(flows(("a", "b", 1)).drop("flow"))
    with pytest.raises(cb.ClusterbookError, match="missing or negative"):
        functional_regions(flows(("a", "b", -1)))
    with pytest.raises(cb.ClusterbookError, match="missing or negative"):
        functional_regions(flows(("a", "b", None)))
    with pytest.raises(cb.ClusterbookError, match="least=0: give a share"):
        functional_regions(flows(("a", "b", 1)), least=0)


# --- editions of regions --------------------------------------------------------------------------------------------


def pairs(found: pl.DataFrame) -> list[tuple[str, str, float]]:
    return [(code, other, round(share, 3)) for code, other, share in found.iter_rows()]


def test_changes_of_us_counties() -> None:
    assert pairs(us_counties_bridge(2012, 2016).frame) == [
        ("02270", "02158", 1), ("46113", "46102", 1), ("51019", "51019", 1), ("51515", "51019", 1)
    ]  # fmt: skip
    assert pairs(us_counties_bridge(2018, 2020).frame) == [("02261", "02063", 0.731), ("02261", "02066", 0.269)]
    assert pairs(us_counties_bridge(2020, 2018).frame) == [("02063", "02261", 1), ("02066", "02261", 1)]
    assert pairs(us_counties_bridge(2014, 2012).frame) == [("51019", "51019", 0.917), ("51019", "51515", 0.083)]
    assert us_counties_bridge(2016, 2017).frame.is_empty()


def test_connecticut_is_added_up_to_the_state() -> None:
    bridge = us_counties_bridge(2021, 2023)
    assert bridge.frame["code"].to_list() == [
        "09001", "09003", "09005", "09007", "09009", "09011", "09013", "09015"
    ]  # fmt: skip
    assert set(bridge.frame["other"]) == {"09"}
    assert bridge.joint == {"09": tuple(f"09{n}" for n in range(110, 200, 10))}
    with pytest.raises(cb.ClusterbookError, match="from 2010 to 2024, not from 1990"):
        us_counties_bridge(1990, 2020)


def test_editions_of_nuts() -> None:
    there = nuts2_bridge(2013, 2016)
    assert there.frame.filter(code="PL31").rows() == [("PL31", "PL81", 1.0)]
    assert there.frame.filter(code="IE02").rows() == [("IE02", "IE0", 1.0)]
    assert there.joint["IE0"] == ("IE04", "IE05", "IE06")
    assert there.joint["LT00"] == ("LT01", "LT02")
    back = nuts2_bridge(2016, 2013)
    assert back.frame.filter(code="LT01").rows() == [("LT01", "LT00", 1.0)]
    assert "LT00" not in back.joint  # the parts add up to the region there was
    assert back.joint["IE0"] == ("IE01", "IE02")
    both = nuts2_bridge(2013, 2021)
    assert both.frame.filter(code="HR04").rows() == [("HR04", "HR04", 1.0)]
    assert both.frame.filter(code="FR10").is_empty()  # stays as it is
    with pytest.raises(cb.ClusterbookError, match="2013, 2016 and 2021, not 2010"):
        nuts2_bridge(2010, 2013)


@pytest.mark.parametrize("changes", [US_COUNTY_CHANGES, NUTS2_CHANGES])
def test_no_region_changes_twice_in_a_year(changes: tuple[tuple[int, tuple[str, ...], tuple[str, ...]], ...]) -> None:
    for side in (1, 2):
        codes = [(change[0], code) for change in changes for code in change[side]]
        assert len(codes) == len(set(codes))


def test_panels_cross_editions_of_regions() -> None:
    panel = panel_of({"46113": 7, "02261": 100, "01001": 5, "51515": None, "51019": 3})
    names = ["01001", "02063", "02066", "46102", "51019"]
    regions = Regions(pl.DataFrame({"region": names, "name": names}))
    done = bridge_regions(panel, us_counties_bridge(2012, 2020), regions)
    columns = ["region", "employment", "status", "employment_lo", "employment_hi"]
    found = [
        (region, None if value is None else round(value, 1), status, low, high)
        for region, value, status, low, high in done.panel.frame.select(columns).iter_rows()
    ]
    assert found == [
        ("01001", 5.0, "disclosed", None, None),
        ("02063", 73.1, "imputed", 0.0, 100.0),
        ("02066", 26.9, "imputed", 0.0, 100.0),
        ("46102", 7.0, "disclosed", None, None),
        ("51019", None, "suppressed", 3.0, None),
    ]
    assert done.shared_out.select("total", "split").row(0) == (115.0, 100.0)
    assert done.panel.regions is regions
    with pytest.raises(cb.ClusterbookError, match="46102: 1 regions are not among"):
        bridge_regions(panel, us_counties_bridge(2012, 2020), regions.only(names[:3] + names[4:]))


def test_examples_of_the_docstrings() -> None:
    for module in (regions_module, shapes_module):
        found = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
        assert found.attempted > 0
        assert found.failed == 0
