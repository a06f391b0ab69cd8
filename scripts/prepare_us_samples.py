"""Make the bundled US samples: County Business Patterns cells, places, industries and shapes.

    python scripts/prepare_us_samples.py SOURCES

SOURCES is a folder with the files named under "Inputs" below; what they are, where they come from and under which
licence stands in src/clusterbook/data/bundled/README.md. The script writes the Parquet files beside that README and
logs what it found about the make-up of the metro areas.

Which counties form a metro area is worked out from the cells themselves. Establishment counts carry no noise, and a
cell is missing only where it has fewer than three establishments. So for every industry and year the visible counts of
an area's counties cannot exceed the area's count, and with two more for each missing cell they must reach it. The list
of counties we start from is newer than the areas of 2018 and 2019. Where it contradicts the four-digit cells we take
the nearest set of counties that fits; afterwards all areas must also fit the six-digit cells, which nothing was
fitted to.
"""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely
from bundling import check, simplify, write
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

# Inputs, relative to SOURCES
METRO_CELLS = "employment/us_cbp_cbsa_naics_2018_2019.parquet"
COUNTY_CELLS = "employment/us_cbp_county_naics6_2017_2021.parquet"
COUNTY_CELLS_4 = "employment/us_cbp_county_naics4_2017_2021.parquet"
COUNTIES = "employment/us_county_cbsa_state_lookup.csv"
TITLES = "classifications/cid_naics_2017_hierarchy.csv"
SHAPES = "geometry/us_counties_states_10m.topojson"
FACILITIES = "plants/us_ghgrp_facility_points_2010_2023.parquet"

WITHHELD_YEAR = 2017  # the last year in which County Business Patterns withheld cells instead of adding noise
DC = "11001"  # the county files leave the District of Columbia out

# Counties whose area the cells cannot tell: they publish none, or stand in the shadow of the District of Columbia.
# Their areas are those of the official delineation of July 2015 (OMB Bulletin 15-01); None is 'in no area'.
PLACED: dict[str, str | None] = {
    "11001": "47900",  # District of Columbia: Washington
    "13007": "10500",  # Baker County: Albany, GA
    "15005": "27980",  # Kalawao County: Kahului-Wailuku-Lahaina, HI
    "30037": "13740",  # Golden Valley County: Billings, MT
    "48301": None,  # Loving County, TX: joined Pecos, TX in 2018
    "51113": None,  # Madison County, VA: joined Washington in 2018
}

# Names of July 2015 for areas that have another code or other states in the list of counties
NAMES = {
    "11680": "Arkansas City-Winfield, KS",
    "12820": "Bastrop, LA",
    "13620": "Berlin, NH-VT",
    "14340": "Boone, IA",
    "15900": "Canton, IL",
    "17200": "Claremont-Lebanon, NH-VT",
    "19380": "Dayton, OH",
    "20380": "Dunn, NC",
    "22220": "Fayetteville-Springdale-Rogers, AR-MO",
    "24640": "Greenfield Town, MA",
    "26960": "Ionia, MI",
    "27920": "Junction City, KS",
    "29300": "LaGrange, GA",
    "30880": "Logan, WV",
    "32220": "Marshall, TX",
    "32980": "Merrill, WI",
    "35500": "Newton, IA",
    "36860": "Ottawa-Peru, IL",
    "37020": "Owosso, MI",
    "37080": "Oxford, NC",
    "38840": "Port Clinton, OH",
    "39140": "Prescott, AZ",
    "44920": "Summit Park, UT",
    "46460": "Union City, TN-KY",
    "46740": "Valley, AL",
}
NEW_METROS = {"19380", "39140"}  # of the areas the list lacks, those that are metropolitan
LATER_METROS = {"46300"}  # Twin Falls, ID became metropolitan in 2017

DETAIL = 0.03  # degrees: below a pixel on a map of the United States 1000 pixels wide
# Falls Church, VA has collapsed to a line in the input: it gets a square of its true size (5 square kilometres)
COLLAPSED = {"51610": shapely.box(-77.174, 38.874, -77.148, 38.894)}

Counts = NDArray[np.int32]
log = logging.getLogger("prepare_us_samples")


def main(sources: Path) -> None:
    """Read the sources, write the bundled files, report."""
    naics = read_industries(sources)
    metro_cells = read_metro_cells(sources)
    county_cells = read_county_cells(sources)
    counties = read_counties(sources, read_states(sources))
    evidence = gather_evidence(sources, counties["region"].to_list())
    members = find_members(evidence, counties)
    counties = counties.drop("listed").join(members, on="region", how="left")
    metros = describe_metros(counties, read_listed_areas(sources))
    shapes = draw_shapes(sources, counties)
    counties = counties.drop("abbreviation")

    check(set(metro_cells["region"]) == set(metros["region"]), "every metro area of the cells is described")
    check(set(county_cells["region"]) <= set(counties["region"]), "every county of the cells is described")
    known = {*naics["industry"], "00"}
    check(known.issuperset(metro_cells["industry"].unique()), "every industry of the metro cells has a title")
    check(known.issuperset(county_cells["industry"].unique()), "every industry of the county cells has a title")

    write(metro_cells, "us_metro_cells")
    write(county_cells, "us_county_cells")
    write(metros, "us_metros")
    write(counties, "us_counties")
    write(shapes, "us_shapes")
    write(naics, "naics_2017")
    write(read_facilities(sources), "us_epa_facilities")


# --- cells and industries -------------------------------------------------------------------------------------------


def read_metro_cells(sources: Path) -> pl.DataFrame:
    """Return the cells of metro and micro areas at every level of NAICS; industry '00' is the published total."""
    return (
        pl.read_parquet(sources / METRO_CELLS)
        .select(
            region="cbsa_code",
            industry="naics",
            year=pl.col("year").cast(pl.UInt16),
            employment=pl.col("emp").cast(pl.UInt32),
            establishments=pl.col("est").cast(pl.UInt32),
        )
        .sort("region", "industry", "year")
    )


def read_county_cells(sources: Path) -> pl.DataFrame:
    """Return the six-digit county cells; withheld figures are null.

    In 2017 a withheld cell reads 0 employment and 0 payroll. Cells with 0 employment and some payroll occur as often
    in 2017 as later, when nothing is withheld: those are true zeros (nobody at work in mid-March).
    """
    withheld = (pl.col("year") == WITHHELD_YEAR) & (pl.col("emp") == 0) & (pl.col("payroll_kusd") == 0)
    cells = pl.read_parquet(sources / COUNTY_CELLS)
    silent = cells.filter(pl.col("payroll_kusd") == 0)
    check(silent["year"].unique().to_list() == [WITHHELD_YEAR], "only 2017 has cells without payroll")
    check(silent["emp"].max() == 0, "a cell without payroll has no employment")
    log.info("county cells withheld in %s: %s", WITHHELD_YEAR, f"{silent.height:,}")
    return cells.select(
        region="fips",
        industry="naics",
        year=pl.col("year").cast(pl.UInt16),
        employment=pl.when(~withheld).then("emp").cast(pl.UInt32),
        establishments=pl.col("est").cast(pl.UInt32),
        payroll=pl.when(~withheld).then("payroll_kusd").cast(pl.UInt32),
    ).sort("region", "industry", "year")


def read_industries(sources: Path) -> pl.DataFrame:
    """Return the NAICS 2017 tree: sectors (level 2) to national industries (level 6), and 99 for the unclassified."""
    code = pl.col("code")
    tree = (
        pl.read_csv(sources / TITLES, infer_schema=False)
        .filter(pl.col("level").cast(pl.Int8) > 1)  # level 1 is a grouping of the compiler's own
        .select(
            industry=code,
            title=pl.col("name").str.strip_chars(),
            parent=pl.when(pl.col("level") != "2").then("parent_code"),
            level=pl.col("level").cast(pl.Int64),
        )
    )
    unclassified = tree.clear(1).with_columns(
        industry=pl.lit("99"), title=pl.lit("Industries not classified"), level=pl.lit(2, pl.Int64)
    )
    tree = pl.concat([tree, unclassified]).sort("industry")
    check(not tree["title"].str.contains(r"[a-z)]T$|^\s|\s$").any(), "titles are free of marks and blanks")
    check(set(tree["parent"].drop_nulls()) <= set(tree["industry"]), "every parent is in the tree")
    return tree


def read_facilities(sources: Path) -> pl.DataFrame:
    """Return the large emitters as points, one row a facility and year. One of them has no industry and is left out."""
    facilities = pl.read_parquet(sources / FACILITIES).with_columns(industry=pl.col("naics6").replace("<NA>", None))
    unknown = facilities.filter(pl.col("industry").is_null())["facility_id"]
    check(unknown.n_unique() == 1, "one facility has no industry")
    return (
        facilities.drop_nulls("industry")
        .select(
            pl.col("facility_id").cast(pl.String).alias("id"),
            "industry",
            pl.col("year").cast(pl.Int16),
            "lon",
            "lat",
            region="state",
        )
        .sort("id", "year")
    )


# --- which counties form an area ------------------------------------------------------------------------------------


def read_states(sources: Path) -> pl.DataFrame:
    """Return ``parent`` (two digits) and ``abbreviation`` of the states and the District of Columbia."""
    found = pl.read_parquet(sources / COUNTY_CELLS).select(parent=pl.col("fips").str.head(2), abbreviation="state")
    return pl.concat([found.unique(), pl.DataFrame({"parent": DC[:2], "abbreviation": "DC"})])


def read_counties(sources: Path, states: pl.DataFrame) -> pl.DataFrame:
    """Return counties with names, states, population and the area they are listed in (as of September 2018)."""
    fips = pl.col("stco_code").str.zfill(5)
    name = pl.col("stco_name").str.replace(", .*$", "").str.replace("Do\ufffda", "Doña")
    return (
        pl.read_csv(sources / COUNTIES, infer_schema=False)
        .filter(pl.col("stco_name").is_not_null())  # leaves out Bedford city, VA, part of its county since 2013
        .with_columns(parent=fips.str.head(2))
        .join(states, on="parent")
        .select(
            region=fips,
            name=pl.format("{}, {}", name, "abbreviation"),
            parent="parent",
            state="st_name",
            abbreviation="abbreviation",
            population=pl.col("co_pop").cast(pl.Float64).cast(pl.Int64),
            listed="cbsa_code",
        )
        .sort("region")
    )


def read_listed_areas(sources: Path) -> pl.DataFrame:
    """Return names and kinds of the areas as listed in September 2018."""
    return (
        pl.read_csv(sources / COUNTIES, infer_schema=False)
        .drop_nulls("cbsa_code")
        .select(region="cbsa_code", name="cbsa_name", kind="cbsa_type")
        .unique()
    )


@dataclass(frozen=True)
class Evidence:
    """Establishments by industry and year. ``hidden`` is the most a county's missing cell can hold.

    ``county`` and ``hidden`` have shape (counties, cells), ``area`` (areas, cells); ``fitted`` marks the cells that
    memberships are fitted to.
    """

    counties: list[str]
    areas: list[str]
    county: Counts
    hidden: Counts
    area: Counts
    fitted: NDArray[np.bool_]

    def room(self, area: str) -> Counts:
        """Return the most establishments each cell of an area can hold."""
        found = self.area[self.areas.index(area)]
        return np.where(found > 0, found, 2)

    def fits(self, area: str, members: set[str]) -> bool:
        """Say whether these counties can add up to the area in every cell."""
        rows = np.isin(self.counties, list(members))
        low = self.county[rows].sum(axis=0)
        high = low + self.hidden[rows].sum(axis=0)
        return bool(np.all(low <= self.room(area)) and np.all(high >= self.area[self.areas.index(area)]))


def gather_evidence(sources: Path, counties: list[str]) -> Evidence:
    """Read the four- and six-digit cells that counties and areas have in common years."""
    wanted = pl.col("naics").str.contains(r"^(\d{4}|\d{6})$")
    columns = {"naics": pl.col("naics"), "year": pl.col("year"), "est": pl.col("est").cast(pl.Int32)}
    area_cells = pl.read_parquet(sources / METRO_CELLS).filter(wanted).select(place="cbsa_code", **columns)
    county_cells = pl.concat(
        pl.read_parquet(sources / name).filter(wanted).select(place="fips", **columns)
        for name in (COUNTY_CELLS, COUNTY_CELLS_4)
    ).filter(pl.col("year").is_in(area_cells["year"].unique().to_list()))
    cells = pl.concat([area_cells, county_cells]).select("naics", "year").unique().sort("naics", "year")
    areas = area_cells["place"].unique().sort().to_list()
    county = count(county_cells, counties, cells)
    hidden = np.where(county == 0, 2, 0).astype(np.int32)
    hidden[counties.index(DC)] = 1_000_000
    fitted = (cells["naics"].str.len_chars() == 4).to_numpy()
    return Evidence(counties, areas, county, hidden, count(area_cells, areas, cells), fitted)


def count(frame: pl.DataFrame, places: list[str], cells: pl.DataFrame) -> Counts:
    """Return establishments as an array (places, cells)."""
    column = cells.with_row_index("column")
    row = pl.DataFrame({"place": places}).with_row_index("row")
    found = frame.join(column, on=["naics", "year"]).join(row, on="place")
    counts = np.zeros((len(places), cells.height), dtype=np.int32)
    counts[found["row"].to_numpy(), found["column"].to_numpy()] = found["est"].to_numpy()
    return counts


def find_members(evidence: Evidence, counties: pl.DataFrame) -> pl.DataFrame:
    """Return ``region, metro``: the counties of each area, with a report of what differs from the list."""
    listed = {area: set[str]() for area in evidence.areas}
    for county, area in counties.select("region", "listed").iter_rows():
        if area in listed:
            listed[area].add(county)
    members = {area: {c for c in found if c not in PLACED} for area, found in listed.items()}
    for county, place in PLACED.items():
        if place is not None:
            members[place].add(county)

    sound = {area for area, found in members.items() if found and evidence.fits(area, found)}
    taken = {county for area in sound for county in members[area]}
    for area in members.keys() - sound:
        members[area] = nearest_fit(evidence, area, members[area], taken)
    for area, found in members.items():
        check(bool(found) and evidence.fits(area, found), f"the counties of {area} add up to it in all cells")
    report(evidence, counties, listed, members)

    pairs = [(county, area) for area, found in members.items() for county in found]
    check(len(pairs) == len({county for county, _ in pairs}), "no county is in two areas")
    return pl.DataFrame(pairs, schema=["region", "metro"], orient="row")


def nearest_fit(evidence: Evidence, area: str, start: set[str], taken: set[str]) -> set[str]:
    """Return the counties that add up to an area in all fitted cells with the fewest changes from ``start``.

    An integer programme: x is 1 for a member. Candidates are counties of no sound area that publish something and
    exceed the area nowhere.
    """
    room, there = evidence.room(area), evidence.area[evidence.areas.index(area)]
    could = np.all(evidence.county <= room, axis=1) & np.any(evidence.county > 0, axis=1)
    candidates = [
        k
        for k, county in enumerate(evidence.counties)
        if county in start or (could[k] and county not in taken and county not in PLACED)
    ]
    low = evidence.county[candidates].T
    high = low + evidence.hidden[candidates].T
    cells = evidence.fitted & ((there > 0) | low.any(axis=1))
    found = milp(
        [-1 if evidence.counties[k] in start else 1 for k in candidates],
        integrality=np.ones(len(candidates), dtype=np.int8),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(csr_array(low[cells]), -np.inf, room[cells]),
            LinearConstraint(csr_array(high[cells]), there[cells], np.inf),
        ],
    )
    check(found.x is not None, f"some counties add up to {area}")
    return {evidence.counties[k] for k, x in zip(candidates, np.asarray(found.x), strict=True) if x > 0.5}


def report(
    evidence: Evidence, counties: pl.DataFrame, listed: dict[str, set[str]], members: dict[str, set[str]]
) -> None:
    """Log every area whose counties differ from the list, and how many there are."""
    names = dict(counties.select("region", "name").iter_rows())
    changed = [area for area in evidence.areas if members[area] != listed[area]]
    for area in changed:
        joined = [f"+ {county} {names[county]}" for county in sorted(members[area] - listed[area])]
        left = [f"- {county} {names[county]}" for county in sorted(listed[area] - members[area])]
        log.info("%s: %s", area, "; ".join(joined + left))
    log.info(
        "%d areas, %d cells each: %d as listed, %d with other counties, %d not listed under their code",
        len(evidence.areas),
        evidence.area.shape[1],
        len(evidence.areas) - len(changed),
        sum(bool(listed[area]) for area in changed),
        sum(not listed[area] for area in changed),
    )


def describe_metros(counties: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """Return ``region, name, kind, population`` of the areas: names and kinds as listed, mended for July 2015."""
    new = pl.DataFrame({"region": list(NAMES), "name": list(NAMES.values())}).join(listed, on="region", how="anti")
    kind = pl.when(pl.col("region").is_in(NEW_METROS)).then(pl.lit("metro")).otherwise(pl.lit("micro")).alias("kind")
    named = pl.concat([listed, new.with_columns(kind)]).with_columns(
        name=pl.col("region").replace_strict(NAMES, default=pl.col("name")),
        kind=pl.when(pl.col("region").is_in(LATER_METROS)).then(pl.lit("micro")).otherwise("kind"),
    )
    metros = (
        counties.drop_nulls("metro")
        .group_by(region="metro")
        .agg(pl.sum("population"), states=pl.col("abbreviation").unique())
        .join(named, on="region", how="left")
        .sort("region")
    )
    for region, name, states in metros.select("region", "name", "states").iter_rows():
        said = set(name.rsplit(", ", 1)[1].split("-"))
        check(said == set(states), f"{region} {name} lies in the states of its name")
    return metros.select("region", "name", "kind", "population")


# --- shapes ---------------------------------------------------------------------------------------------------------


def draw_shapes(sources: Path, counties: pl.DataFrame) -> pl.DataFrame:
    """Return ``layer, region, wkb``: counties, metro areas made of them, and states as the outline of both ('*')."""
    shapes = read_topology(json.loads((sources / SHAPES).read_text()))
    wanted = counties.with_columns(
        wkb=pl.Series(shapely.to_wkb(simplify([shapes[code] for code in counties["region"]], DETAIL)), dtype=pl.Binary)
    )
    states = [shapely.get_parts(state).tolist() for state in dissolve(wanted, "parent").values()]
    outline = shapely.MultiPolygon([part for parts in states for part in parts])
    rows = [("county", code, wkb) for code, wkb in wanted.select("region", "wkb").iter_rows()]
    rows += [("metro", code, shapely.to_wkb(area)) for code, area in dissolve(wanted, "metro").items()]
    rows += [("outline", "*", shapely.to_wkb(outline))]
    log.info("points: %s", f"{sum(shapely.get_num_coordinates(shapely.from_wkb([r[2] for r in rows]))):,}")
    return pl.DataFrame(rows, schema={"layer": pl.String, "region": pl.String, "wkb": pl.Binary}, orient="row")


def dissolve(shapes: pl.DataFrame, by: str) -> dict[str, shapely.Geometry]:
    """Return the union of the shapes of each group."""
    groups = shapes.drop_nulls(by).group_by(by).agg("wkb").sort(by)
    return {code: shapely.coverage_union_all(shapely.from_wkb(parts)) for code, parts in groups.iter_rows()}


def read_topology(topology: dict[str, Any]) -> dict[str, shapely.Geometry]:
    """Decode the counties of a TopoJSON file: arcs are delta-coded on a grid, ~k is arc k backwards."""
    scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = [np.cumsum(arc, axis=0) * scale + shift for arc in topology["arcs"]]

    def ring(indices: list[int]) -> NDArray[np.float64]:
        parts = [arcs[k] if k >= 0 else arcs[~k][::-1] for k in indices]
        points = np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
        # The tail of the Aleutians lies beyond 180 degrees: keep it beside the rest
        return points - np.where(points[:, :1] > 0, (360.0, 0.0), (0.0, 0.0))

    def polygons(rings: list[list[int]]) -> list[shapely.Polygon]:
        points = [found for found in map(ring, rings) if len(found) > 3]
        return [shapely.Polygon(points[0], points[1:])] if points else []

    shapes = {}
    for county in topology["objects"]["counties"]["geometries"]:
        parts = county["arcs"] if county["type"] == "MultiPolygon" else [county["arcs"]]
        shapes[county["id"]] = shapely.MultiPolygon([polygon for part in parts for polygon in polygons(part)])
    return shapes | COLLAPSED


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
