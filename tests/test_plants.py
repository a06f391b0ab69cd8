import numpy as np
import polars as pl
import pytest
import shapely

import clusterbook as cb
from clusterbook.data.disclosure import Rules, protect
from clusterbook.data.plants import equal_area, read_plants
from clusterbook.errors import ClusterbookError, DataError


def register(**change) -> pl.DataFrame:
    """Four plants around Jena; ``change`` replaces columns."""
    rows = {
        "id": ["a", "b", "c", "d"],
        "industry": ["26", "26", "23", "26"],
        "lon": [11.58, 11.60, 11.33, 12.07],
        "lat": [50.93, 50.90, 50.98, 50.88],
        "size": [120, 5, 40, 0],
    }
    return pl.DataFrame(rows | change)


def shapes(**boxes: tuple[float, float, float, float]) -> cb.Regions:
    frame = pl.DataFrame({"region": sorted(boxes), "name": sorted(boxes)})
    return cb.Regions(frame, geometry={code: shapely.to_wkb(shapely.box(*box)) for code, box in boxes.items()})


# --- projection ---------------------------------------------------------------------------------------------------


def test_the_projection_agrees_with_the_published_example():
    # EPSG guidance note 7-2, ETRS89 / LAEA Europe: 3962799.45 E, 2999718.85 N, less the false origin
    x, y = equal_area([5.0], [50.0], (10.0, 52.0))[0]
    assert (x + 4_321_000, y + 3_210_000) == (
        pytest.approx(3_962_799.45, abs=0.01),
        pytest.approx(2_999_718.85, abs=0.01),
    )


def test_areas_are_the_same_everywhere():
    """One square degree, at three places: against the area between parallels of the ellipsoid."""

    def zone(south: float, north: float) -> float:
        e = 0.006_694_379_990_14**0.5
        s = np.sin(np.radians([south, north]))
        q = (1 - e**2) * (s / (1 - e**2 * s**2) + np.arctanh(e * s) / e)
        return 6_378_137.0**2 / 2 * np.radians(1) * (q[1] - q[0])

    side = np.linspace(0, 1, 200)
    ring_x = np.concatenate([side, np.ones(200), side[::-1], np.zeros(200)])
    ring_y = np.concatenate([np.zeros(200), side, np.ones(200), side[::-1]])
    for lon, lat in ((-100.0, 40.0), (-70.0, 60.0), (-155.0, 19.0)):
        ring = equal_area(lon + ring_x, lat + ring_y, (-95.0, 38.0))
        assert shapely.Polygon(ring).area == pytest.approx(zone(lat, lat + 1), rel=1e-5)


def test_places_come_in_metres_around_their_middle():
    plants = read_plants(register(), year=2020)
    place = dict(zip(plants.frame["id"], plants.metres(), strict=True))
    distance = np.hypot(*(place["a"] - place["c"]))
    assert distance == pytest.approx(18_430, rel=2e-3)  # great circle, by the haversine formula: 18.43 km
    assert np.abs(plants.metres().mean(axis=0)).max() < 500
    assert plants.crs == "+proj=laea +lon_0=11.6452 +lat_0=50.9228 +datum=WGS84 +units=m"


def test_the_date_line_does_not_tear_plants_apart():
    plants = read_plants(register(lon=[179.9, -179.9, 179.95, -179.95], lat=[-17.0, -17.0, -17.1, -17.1]), year=2020)
    assert np.ptp(plants.metres(), axis=0).max() < 25_000


def test_metres_are_taken_as_they_are_and_degrees_are_not_metres():
    metres = register().rename({"lon": "x", "lat": "y"})
    with pytest.raises(ClusterbookError, match="If they are degrees, name them lon= and lat="):
        read_plants(metres, year=2020, crs="EPSG:3035")
    far = metres.with_columns(pl.col("x") * 1e5, pl.col("y") * 1e5)
    with pytest.raises(ClusterbookError, match="crs= must name their projection"):
        read_plants(far, year=2020)
    plants = read_plants(far, year=2020, crs="EPSG:3035")
    assert plants.metres().tolist() == far.select("x", "y").to_numpy().tolist()
    with pytest.raises(ClusterbookError, match=r"only projected places \(EPSG:3035\)"):
        plants.panel(shapes(R=(11, 50, 12, 51)))


# --- checks -------------------------------------------------------------------------------------------------------


def problems(data, **arguments) -> list[tuple[str, int | None, str | None]]:
    with pytest.raises(DataError) as caught:
        read_plants(data, **arguments)
    return [(p.check, p.line, p.value) for p in caught.value.problems]


def test_every_fault_is_found_at_once_with_its_line(tmp_path):
    file = tmp_path / "plants.csv"
    file.write_text(
        "id;year;naics;lon;lat;jobs\n"
        "a;2020;26;11.58;50.93;120\n"
        "a;2020;26;11.59;50.93;10\n"  # 3: same id and year
        ";2020;26;11.60;50.90;5\n"  # 4: no id
        "c;20x0;23;11.33;50.98;4\n"  # 5: no year
        "d;2020;26;0;0;7\n"  # 6: 0, 0
        "e;2020;26;50.95;11.62;7\n"  # 7: swapped
        "f;2020;26;11.7;150.9;7\n"  # 8: out of range
        "g;2020;26;;50.9;7\n"  # 9: no place
        "h;2020;26;11.4;fifty;-3\n"  # 10: not a number, negative
        "i;2020;26;11.5;50.9;8\n"
        "j;2020;26;11.55;50.91;8\n"
        "k;2020;26;11.52;50.95;8\n"
        "l;2020;26;11.56;50.96;8\n"
    )
    found = problems(file)
    assert found == [
        ("missing keys", 4, None),
        ("year not an integer", 5, "20x0"),
        ("duplicate keys", 3, None),
        ("not a number", 10, "fifty"),
        ("negative values", 10, "-3"),
        ("no place", 9, None),
        ("place at 0, 0", 6, None),
        ("longitude and latitude swapped", 7, "50.95"),
        ("place out of range", 8, "150.9"),
    ]


def test_wholly_swapped_columns_are_told_as_such():
    swapped = register(lon=[33.1, 33.2, 33.3, 33.4], lat=[-112.0, -112.1, -112.2, -111.9])
    found = problems(swapped, year=2020)
    assert [check for check, _, _ in found] == ["longitude and latitude swapped"] * 4


def test_far_flung_plants_are_not_taken_for_swapped():
    plants = read_plants(register(lon=[-99.0, -98.0, -149.9, 144.8], lat=[30.0, 31.0, 61.2, 13.5]), year=2020)
    assert plants.frame.height == 4


def test_missing_columns_are_named_together():
    with pytest.raises(DataError) as caught:
        read_plants(pl.DataFrame({"name": ["a"], "nace": ["26"]}))
    text = str(caught.value)
    assert "no column for year" in text
    assert "no column for id; there are 'name', 'nace'" in text
    assert "neither lon and lat nor x and y" in text


def test_ambiguous_columns_are_refused():
    with pytest.raises(DataError, match="lon could be any of 'lon', 'longitude'"):
        read_plants(register().with_columns(longitude=pl.col("lon")), year=2020)


def test_oddities_are_reported_and_do_not_stop():
    same = register(lon=[11.58, 11.58, 11.58, 12.07], lat=[50.93, 50.93, 50.93, 50.88])
    plants = read_plants(same, year=2020)
    assert plants.frame.height == 4
    assert [(p.check, p.message, p.value) for p in plants.findings] == [
        ("same point and industry", "row 0: another plant of the industry stands at the same point", None),
        ("same point and industry", "row 1: another plant of the industry stands at the same point", None),
        ("no jobs", "row 3: size 0", "0"),
    ]


# --- adding up ----------------------------------------------------------------------------------------------------


def test_plants_add_up_to_a_panel_and_those_outside_are_counted():
    regions = shapes(East=(11.45, 50, 12, 52), West=(11, 50, 11.45, 52))
    plants = read_plants(register(), year=2020)
    inside, outside = plants.located(regions)
    assert dict(inside.frame.select("id", "region").iter_rows()) == {"a": "East", "b": "East", "c": "West"}
    assert [p.message for p in outside] == ["plant d at 12.0700, 50.8800 lies in no region"]
    panel = plants.panel(regions)
    assert panel.measures == ("establishments", "employment")
    assert panel.frame.select("region", "industry", "year", "establishments", "employment", "status").rows() == [
        ("East", "26", 2020, 2.0, 125.0, "disclosed"),
        ("West", "23", 2020, 1.0, 40.0, "disclosed"),
    ]
    assert panel.source.caveats == ("1 plants lie in none of the regions and are not counted.",)


def test_a_plant_on_a_border_belongs_to_exactly_one_region():
    regions = shapes(B=(11, 50, 11.5, 52), A=(11.5, 50, 12, 52))
    plants = read_plants(register(lon=[11.5, 11.5, 11.2, 11.8]), year=2020)
    inside, outside = plants.located(regions)
    assert inside.frame["region"].to_list() == ["A", "A", "B", "A"]
    assert outside == ()


def test_an_unknown_size_is_a_gap_with_a_lower_bound_and_never_a_zero():
    plants = read_plants(register(size=[120, None, 40, 0], region=["E", "E", "W", "W"]), year=2020)
    frame = plants.panel().frame
    assert frame.select("region", "employment", "employment_lo", "employment_hi", "status").rows() == [
        ("E", None, 120.0, None, "not_collected"),
        ("W", 40.0, None, None, "disclosed"),
        ("W", 0.0, None, None, "zero"),
    ]


def test_plants_without_sizes_make_a_panel_of_establishments():
    panel = read_plants(register(region=["E", "E", "W", "W"]).drop("size"), year=2020).panel()
    assert panel.measures == ("establishments",)
    assert panel.frame["establishments"].to_list() == [2.0, 1.0, 1.0]


def test_plants_nowhere_near_the_regions_are_refused():
    plants = read_plants(register(), year=2020)
    with pytest.raises(ClusterbookError, match="Not one of 4 plants lies in any of 1 regions"):
        plants.panel(shapes(R=(-100, 30, -99, 31)))
    with pytest.raises(ClusterbookError, match="The plants have no region"):
        plants.panel()


def test_plants_of_few_owners_are_protected():
    rng = np.random.default_rng(1)
    rows = [
        (f"p{k}", industry, region, f"owner {k}", float(rng.integers(20, 60)))
        for k, (industry, region) in enumerate((i, r) for i in "123" for r in "ABC" for _ in range(4))
    ]
    data = pl.DataFrame(rows, schema=["id", "industry", "region", "owner", "size"], orient="row")
    first = (pl.col("industry") == "1") & (pl.col("region") == "A")
    data = data.with_columns(
        owner=pl.when(first).then(pl.lit("ann")).otherwise("owner"), lon=pl.lit(11.5), lat=pl.lit(50.9)
    )
    plants = read_plants(data, year=2020)
    safe = protect(plants.panel(), Rules(), units=plants.units(), public=["establishments"])
    assert safe.audit.select("region", "code").rows() == [("A", "1")]
    assert safe.panel.frame.filter(status="suppressed").height == 4


# --- sample -------------------------------------------------------------------------------------------------------


def test_the_sample_is_what_its_caveats_say():
    plants = cb.samples.us_facilities()
    assert plants.years == tuple(range(2010, 2024))
    by_year = plants.frame.group_by("year").agg(pl.len()).sort("year")["len"].to_list()
    assert by_year == sorted(by_year)  # no exits: survivors only
    assert by_year[-1] == plants.frame["id"].n_unique() == 7537
    assert "still reported in 2023" in plants.source.caveats[1]
    panel = plants.panel()
    assert panel.frame.filter(region="TX", year=2023)["establishments"].sum() > 900
    assert cb.samples.us_facilities(years=[2023]).frame.height == 7537
