"""Make the bundled samples of Britain, New Zealand, Europe and US commuting zones, and the classifications.

    python scripts/prepare_world_samples.py SOURCES ZONES

SOURCES is a folder with the files named under "Inputs" below; ZONES is the list of counties by 1990 commuting zone of
the USDA Economic Research Service (czlma903, as CSV). Where all of them come from and under which licence stands in
src/clusterbook/data/bundled/README.md. The script writes the Parquet files beside that README.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import polars as pl
import shapely
from bundling import OUT, check, simplify, write

from clusterbook.data.shapes import read_shapes
from clusterbook.data.sources import naics
from clusterbook.data.sources.uk import leaves

# Inputs, relative to SOURCES
UK_CELLS = "employment/uk_gva_itl3_sic_1998_2022.parquet"
UK_SHAPES = "geometry/uk_itl3_2021_BUC.gpkg"
NZ_CELLS = "employment/nz_emp_urbanarea_industry_1976_2013.csv"
NZ_PLACES = "employment/nz_lookup_urban-areas.csv"
NZ_INDUSTRIES = "employment/nz_lookup_industries.csv"
NZ_CLASSES = "employment/nz_lookup_industry-classes.csv"
CZ_SHARES = "employment/us_cz_ind1990_shares_1980_1990_2000.parquet"
CZ_WEIGHTS = "employment/us_cz_bartik_master_1980_2000.csv"
EU_CELLS = "employment/eu_sbs_nuts_nace2_persons_employed_2015.csv"
EU_NAMES = "geometry/eu_nuts2013_60M_levels0_3.gpkg"
NACE = "classifications/eurostat_Nace2_long.csv"
ISIC = "classifications/eurostat_ISIC4.csv"
SIC = "employment/uk_sic2007_lookup.csv"
NAICS_2017_2012 = "classifications/concordance_naics2017_naics2012.csv"
NAICS_2012_2007 = "classifications/concordance_naics2012_naics2007.csv"
NAICS_2017_ISIC = "classifications/concordance_naics2017_isic4.csv"
NAICS_2017_NACE = "classifications/eurostat_NAICS2017_NACE.csv"

UK_DETAIL = 0.008  # degrees: about a pixel on a map of Britain 1000 pixels high

# Counties that are no longer drawn by themselves, by the county whose ground they are part of today
GONE = {
    "12025": "12086",  # Dade: Miami-Dade, a new name (1997)
    "30113": "30031",  # Yellowstone National Park: nearly all of it to Gallatin (1997)
    "46113": "46102",  # Shannon: Oglala Lakota, a new name (2015)
    "51515": "51019",  # Bedford city: Bedford (2013)
    "51560": "51005",  # Clifton Forge city: Alleghany (2001)
    "51780": "51083",  # South Boston city: Halifax (1995)
}
BROOMFIELD = ("08014", "08013")  # cut out of four counties in 2001, most of it out of Boulder

# The table to ISIC marks links to a whole group of ISIC by two zeros or a zero in front
ISIC_GROUPS = {"0012": "012", "0014": "014", "0331": "331"}

# Titles of higher levels that NAICS 2017 no longer has
UNTITLED = {
    "21111": "Oil and Gas Extraction",
    "31222": "Tobacco Product Manufacturing",
    "31523": "Women's and Girls' Cut and Sew Apparel Manufacturing",
    "31529": "Other Cut and Sew Apparel Manufacturing",
    "33329": "Other Industrial Machinery Manufacturing",
    "44311": "Appliance, Television, and Other Electronics Stores",
    "4521": "Department Stores",
    "45211": "Department Stores",
    "4529": "Other General Merchandise Stores",
    "53229": "Other Consumer Goods Rental",
    "7222": "Limited-Service Eating Places",
    "72221": "Limited-Service Eating Places",
}

log = logging.getLogger("prepare_world_samples")


def main(sources: Path, zones: Path) -> None:
    """Read the sources, write the bundled files, report."""
    prepare_uk(sources)
    prepare_nz(sources)
    prepare_zones(sources, zones)
    prepare_europe(sources)
    prepare_classifications(sources)


# --- Britain --------------------------------------------------------------------------------------------------------


def prepare_uk(sources: Path) -> None:
    """Write value added by ITL 3 region and the rows of the industry table that contain no other."""
    raw = pl.read_parquet(sources / UK_CELLS)
    titles = dict(raw.select("sic07", pl.col("sic_name").str.strip_chars()).unique().sort("sic07").iter_rows())
    lowest = leaves(titles)
    sections = [code for code in titles if code not in lowest and "(" in code]
    parents = {code: next((s for s in sections if within(code, s)), None) for code in lowest}
    check(sum(above is None for above in parents.values()) == 5, "five sections are not divided")
    totals = raw.filter(pl.col("sic07") == "Total")
    cells = raw.filter(pl.col("sic07").is_in(lowest))
    gap = cells.group_by("itl", "year").agg(pl.sum("gva_m_gbp")).join(totals, on=["itl", "year"])
    check((gap["gva_m_gbp"] - gap["gva_m_gbp_right"]).abs().max() <= 10, "the rows add up to the published totals")
    cells = pl.concat([cells, totals])
    write(
        cells.select(
            region="itl",
            industry="sic07",
            year=pl.col("year").cast(pl.UInt16),
            gva=pl.when(pl.col("gva_m_gbp") >= 0).then("gva_m_gbp").cast(pl.Int32),
        ).sort("industry", "year", "region"),
        "uk_gva_cells",
    )
    rows = [(code, titles[code], parents[code], 2 if parents[code] else 1) for code in lowest]
    rows += [(code, titles[code], None, 1) for code in sections if code in parents.values()]
    write(tree(rows).sort("industry"), "uk_gva_industries")
    shapes = read_shapes(sources / UK_SHAPES, code="ITL321CD")
    places = raw.select("itl", "region").unique().sort("itl")
    check(set(places["itl"]) == set(shapes), "every region has a shape")
    thin = simplify([shapely.from_wkb(shapes[code]) for code in places["itl"]], UK_DETAIL)
    write(
        places.select(
            region="itl",
            name="region",
            level=pl.lit("ITL 3"),
            parent=pl.col("itl").str.head(4),
            wkb=pl.Series(shapely.to_wkb(thin), dtype=pl.Binary),
        ),
        "uk_regions",
    )


def within(code: str, section: str) -> bool:
    """Say whether the divisions of a row lie in those of a section: '49-51' in 'H (49-53)'."""
    own, whole = ([int(n) for n in span.replace("IMP", "").split("-")] for span in (inner(code), inner(section)))
    return whole[0] <= own[0] and own[-1] <= whole[-1]


def inner(code: str) -> str:
    """Return the divisions of a row's code: '49-53' of 'H (49-53)'."""
    return code.split("(")[1].rstrip(")") if "(" in code else code


def tree(rows: list[tuple[str, str, str | None, int]]) -> pl.DataFrame:
    """Return ``industry, title, parent, level``."""
    schema = {"industry": pl.String, "title": pl.String, "parent": pl.String, "level": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


# --- New Zealand ----------------------------------------------------------------------------------------------------


def prepare_nz(sources: Path) -> None:
    """Write employed residents by urban area and industry group, with the classes as parents."""
    raw = pl.read_csv(sources / NZ_CELLS)
    check(raw.filter(pl.col("emp") % 3 != 0).is_empty(), "all counts are rounded to multiples of 3")
    write(
        raw.select(
            region=pl.col("ua").cast(pl.String).str.zfill(3),
            industry=pl.col("ind"),
            year=pl.col("year").cast(pl.UInt16),
            employment=pl.col("emp").cast(pl.UInt16),
        ).sort("industry", "region", "year"),
        "nz_cells",
    )
    write(
        pl.read_csv(sources / NZ_PLACES)
        .select(region=pl.col("ua").cast(pl.String).str.zfill(3), name="ua_name", level=pl.lit("urban area"))
        .sort("region"),
        "nz_urban_areas",
    )
    mended = (
        pl.col("title")
        .str.strip_chars()
        .str.replace("vehical", "vehicle")
        .str.replace("(?i)accomodation", "Accommodation")
    )
    mended = mended.str.replace("and Accommodation", "and accommodation", literal=True)
    groups = pl.read_csv(sources / NZ_INDUSTRIES).select(
        industry="ind", title="ind_name", parent="ind_class", level=pl.lit(2, pl.Int64)
    )
    classes = pl.read_csv(sources / NZ_CLASSES).select(
        industry="ind_class", title="ind_class_name", parent=pl.lit(None, pl.String), level=pl.lit(1, pl.Int64)
    )
    write(pl.concat([groups, classes]).with_columns(title=mended).sort("industry"), "nz_industries")


# --- US commuting zones ---------------------------------------------------------------------------------------------


def prepare_zones(sources: Path, zones: Path) -> None:
    """Write shares of employment by commuting zone and industry, sizes of the zones in 1980 and their counties.

    Shares are rounded to a millionth, far below the sampling error of a census of one person in twenty.
    """
    shares = pl.read_parquet(sources / CZ_SHARES).select(
        region=pl.col("czone").cast(pl.String).str.zfill(5),
        industry=pl.col("ind1990").str.zfill(3),
        year=pl.col("year").cast(pl.UInt16),
        share=(pl.col("share") * 1e6).round().cast(pl.UInt32),
    )
    titles = [(line[:3], line[4:]) for line in CENSUS_TITLES.strip().splitlines()]
    known = {code for code, _ in titles}
    check(set(shares["industry"]) - {"000"} == known, "every industry has a title")
    cells = shares.filter((pl.col("industry") != "000") & (pl.col("share") > 0))
    write(cells.sort("industry", "year", "region"), "us_zone_cells")
    groups = [(f"{low:03d}-{high:03d}", title, None, 1) for low, high, title in CENSUS_GROUPS]
    rows = [(code, title, group_of(code), 2) for code, title in titles]
    write(tree(rows + groups).sort("industry"), "census_industries_1990")

    listed = pl.read_csv(zones, infer_schema=False, encoding="utf8-lossy").select(
        part="County FIPS Code", region="CZ90", place="Name of largest place in Commuting Zone"
    )
    weights = (
        pl.read_csv(sources / CZ_WEIGHTS)
        .filter(pl.col("year") == 1980)
        .select(region=pl.col("czone").cast(pl.Int64).cast(pl.String).str.zfill(5), weight="pop1980")
    )
    here = listed.join(weights, on="region", how="semi")
    check(here["region"].n_unique() == weights.height == 722, "the zones of the shares are those of the list")
    place = pl.col("place").str.replace(r" \(remaind\w*\)?", "").str.replace(r" (city|town|village|CDP|borough)\b", "")
    names = (
        here.select("region", name=place)
        .unique()
        .sort("region")
        .with_columns(
            name=pl.when(pl.col("name").is_duplicated())
            .then(pl.format("{} (zone {})", "name", "region"))
            .otherwise("name")
        )
    )
    check(names["region"].is_unique().all(), "every zone has one largest place")
    write(names.join(weights, on="region").sort("region"), "us_zones")
    taken = pl.col("part").is_in(list(GONE)) & pl.col("part").replace(GONE).is_in(here["part"].to_list())
    counties = here.filter(~taken).select(part=pl.col("part").replace(GONE), region="region")
    check(counties["part"].is_unique().all(), "every county is in one zone")
    boulder = counties.filter(pl.col("part") == BROOMFIELD[1])["region"].item()
    counties = pl.concat([counties, pl.DataFrame({"part": [BROOMFIELD[0]], "region": [boulder]})])
    drawn = pl.read_parquet(OUT / "us_shapes.parquet").filter(pl.col("layer") == "county")["region"]
    lower = drawn.filter(~drawn.str.head(2).is_in(["02", "15"]))
    check(set(lower) == set(counties["part"]), "every county of the lower 48 states is in a zone")
    write(counties.sort("part"), "us_zone_counties")


def group_of(code: str) -> str:
    """Return the major group of an industry of the 1990 census."""
    return next(f"{low:03d}-{high:03d}" for low, high, _ in CENSUS_GROUPS if low <= int(code) <= high)


# --- Europe ---------------------------------------------------------------------------------------------------------


def prepare_europe(sources: Path) -> None:
    """Write persons employed in sections and divisions by NUTS region of levels 0 to 2; what is missing stays null.

    Codes without any figure (regions of other editions of NUTS) are left out.
    """
    raw = pl.read_csv(sources / EU_CELLS).filter(pl.col("nace_level") != "group")
    present = raw.drop_nulls("persons_employed")["geo"].unique().to_list()
    raw = raw.filter(pl.col("geo").is_in(present))
    write(
        raw.select(
            region="geo",
            industry="nace_r2",
            persons=pl.col("persons_employed").cast(pl.UInt32),
            unreadable=pl.col("flag").fill_null("") == "corrupt",
        ).sort("industry", "region"),
        "eu_nuts_cells",
    )
    listed = read_columns(sources / EU_NAMES, "NUTS_ID", "NUTS_NAME")
    regions = raw.select(region="geo", level="nuts_level").unique()
    regions = regions.join(pl.DataFrame(listed, schema=["region", "name"], orient="row"), on="region", how="left")
    extra = pl.col("region").str.contains("Z")
    check(regions.filter(~extra)["name"].null_count() == 0, "every region has a name")
    country, depth = pl.col("region").str.head(2), pl.col("level")
    name = pl.when(depth == 2).then(pl.format("{}, {}", "name", country)).otherwise("name")
    write(
        regions.select(
            "region",
            name=pl.coalesce(name, pl.format("Outside the regions, {}", country)),
            level=depth,
            parent=pl.when(depth > 0).then(pl.col("region").str.slice(0, depth + 1)),
        ).sort("region"),
        "eu_nuts_regions",
    )


def read_columns(path: Path, *columns: str) -> list[tuple[str, ...]]:
    """Return columns of the only layer of a GeoPackage."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        (layer,) = database.execute("SELECT table_name FROM gpkg_contents").fetchone()
        return database.execute(f'SELECT {", ".join(columns)} FROM "{layer}"').fetchall()


# --- classifications ------------------------------------------------------------------------------------------------


def prepare_classifications(sources: Path) -> None:
    """Write the trees of all classifications in one file and the concordances between them in another."""
    naics_2017 = pl.read_parquet(OUT / "naics_2017.parquet")
    nace = pl.read_csv(sources / NACE, infer_schema=False, null_values="NA").select(
        industry="nace2", title=pl.col("Name").str.strip_chars(), parent="Parent", level=pl.col("Level").cast(pl.Int64)
    )
    capitals = pl.col("title").str.head(1) + pl.col("title").str.slice(1).str.to_lowercase()
    nace = nace.with_columns(
        title=pl.when(pl.col("level") == 1).then(capitals).otherwise("title"),
        parent=pl.when(pl.col("level") > 1).then("parent"),
    )
    trees = {
        "NAICS 2007": naics_tree(codes(sources / NAICS_2012_2007, "naics2007", "title2007"), naics_2017),
        "NAICS 2012": naics_tree(codes(sources / NAICS_2012_2007, "naics2012", "title2012"), naics_2017),
        "NACE Rev. 2": nace,
        "ISIC Rev. 4": isic_tree(sources),
        "SIC 2007": sic_tree(sources, nace),
    }
    for name, found in trees.items():
        check(found["industry"].is_unique().all(), f"{name}: codes are unique")
        check(found["title"].null_count() == 0, f"{name}: every code has a title")
        check(set(found["parent"].drop_nulls()) <= set(found["industry"]), f"{name}: every parent is in the tree")
        log.info("%s: %s", name, found.group_by("level").len().sort("level").rows())
    write(
        pl.concat(
            found.sort("industry").select(pl.lit(name).alias("classification"), "industry", "title", "parent", "level")
            for name, found in trees.items()
        ),
        "classifications",
    )
    pairs = {
        ("NAICS 2012", "NAICS 2007"): codes(sources / NAICS_2012_2007, "naics2012", "naics2007"),
        ("NAICS 2017", "NAICS 2012"): codes(sources / NAICS_2017_2012, "naics2017", "naics2012"),
        ("NAICS 2017", "ISIC Rev. 4"): codes(sources / NAICS_2017_ISIC, "naics2017", "isic4"),
        ("NAICS 2017", "NACE Rev. 2"): codes(sources / NAICS_2017_NACE, "NAICS 2017", "NACE Rev. 2"),
    }
    trees["NAICS 2017"] = naics_2017
    tables = []
    for (left, right), found in pairs.items():
        table = found.rename(dict(zip(found.columns, ("code", "other"), strict=True)))
        for column, name in (("code", left), ("other", right)):
            table = table.with_columns(pl.col(column).str.strip_chars().replace(ISIC_GROUPS))
            unknown = table.filter(~pl.col(column).is_in(trees[name]["industry"].to_list()))
            log.info(
                "%s to %s: %d pairs, unknown in %s: %s", left, right, table.height, name, unknown[column].to_list()
            )
            table = table.join(unknown, on=["code", "other"], how="anti")
        tables.append(
            table.unique()
            .sort("code", "other")
            .select(pl.lit(left).alias("classification"), pl.lit(right).alias("target"), "code", "other")
        )
    write(pl.concat(tables), "concordances")


def codes(path: Path, *columns: str) -> pl.DataFrame:
    """Return columns of a CSV file as text, without rows that lack any of them."""
    found = pl.read_csv(path, infer_schema=False, encoding="utf8-lossy").select(columns)
    return found.drop_nulls().filter(~pl.any_horizontal(pl.all().str.strip_chars() == "")).unique()


def naics_tree(listed: pl.DataFrame, model: pl.DataFrame) -> pl.DataFrame:
    """Return the tree over the national industries of an edition of NAICS.

    Higher levels have the titles of 2017 where the code is the same, else, where it has one part, that of the part.
    """
    listed = listed.rename(dict(zip(listed.columns, ("industry", "title"), strict=True)))
    known = dict(model.select("industry", "title").iter_rows())
    # A capital T at the end of a title marks it as common to the three countries of NAICS; after a dash stands which
    # part of a code a row of the concordance is about
    own = {
        code: re.sub(r"(?<=[a-z)])T$", "", title.split(" - ")[0].strip())
        for code, title in listed.sort("industry", "title").iter_rows()
    }
    found = {code: title for code, title in own.items() if len(code) == 6}
    rows: dict[str, tuple[str, str, str | None, int]] = {}
    for code, title in found.items():
        rows[code] = (code, title, code[:5], 6)
        for digits in (5, 4, 3, 2):
            above = naics.SPANS.get(code[:2], code[:2]) if digits == 2 else code[:digits]
            parts = [part for other, part in found.items() if other.startswith(code[:digits])]
            named = known.get(above) or (parts[0] if len(parts) == 1 else UNTITLED.get(above))
            check(named is not None, f"there is a title for {above}")
            rows[above] = (above, named or "", naics.parent(above), digits)
    return tree(list(rows.values()))


def isic_tree(sources: Path) -> pl.DataFrame:
    """Return ISIC: sections by letter, which divisions follow in the list."""
    rows: list[tuple[str, str, str | None, int]] = []
    section = ""
    for code, title in pl.read_csv(sources / ISIC, infer_schema=False).iter_rows():
        section = code if code.isalpha() else section
        parent = None if code.isalpha() else section if len(code) == 2 else code[:-1]
        rows.append((code, title.strip(), parent, 1 if code.isalpha() else len(code)))
    return tree(rows)


def sic_tree(sources: Path, nace: pl.DataFrame) -> pl.DataFrame:
    """Return the UK's SIC 2007: sections, divisions, groups and the subclasses of five digits.

    Four-digit classes are those of NACE Rev. 2 and are not in the list; subclasses stand under their group.
    """
    listed = pl.read_csv(sources / SIC, infer_schema=False)
    rows: dict[str, tuple[str, str, str | None, int]] = {}
    sections = dict(nace.filter(pl.col("level") == 1).select("industry", "title").iter_rows())
    for row in listed.iter_rows(named=True):
        letter, division = row["SIC_SECTION_LETTER"], row["SIC_2DIGIT_CODE"].zfill(2)
        group, subclass = row["SIC_3DIGIT_CODE"].zfill(3), row["SIC_5DIGIT_CODE"].zfill(5)
        rows[letter] = (letter, sections[letter], None, 1)
        for code, parent, column, level in (
            (division, letter, "SIC_2DIGIT_NAME", 2),
            (group, division, "SIC_3DIGIT_NAME", 3),
            (subclass, group, "SIC_5DIGIT_NAME", 5),
        ):
            rows[code] = (code, row[column].split(" : ", 1)[-1].strip(), parent, level)
    return tree(list(rows.values()))


# The industries of the 1990 census that the shares distinguish, as the Bureau of the Census titles them
CENSUS_GROUPS = [
    (10, 32, "Agriculture, forestry and fisheries"),
    (40, 50, "Mining"),
    (60, 60, "Construction"),
    (100, 392, "Manufacturing"),
    (400, 472, "Transportation, communications and other public utilities"),
    (500, 571, "Wholesale trade"),
    (580, 691, "Retail trade"),
    (700, 712, "Finance, insurance and real estate"),
    (721, 760, "Business and repair services"),
    (761, 791, "Personal services"),
    (800, 810, "Entertainment and recreation services"),
    (812, 893, "Professional and related services"),
    (900, 932, "Public administration"),
]
CENSUS_TITLES = """
010 Agricultural production, crops
011 Agricultural production, livestock
020 Landscape and horticultural services
030 Agricultural services, n.e.c.
031 Forestry
032 Fishing, hunting and trapping
040 Metal mining
041 Coal mining
042 Oil and gas extraction
050 Nonmetallic mining and quarrying, except fuels
060 Construction
100 Meat products
101 Dairy products
102 Canned, frozen and preserved fruits and vegetables
110 Grain mill products
111 Bakery products
112 Sugar and confectionery products
120 Beverage industries
121 Miscellaneous food preparations and kindred products
122 Not specified food industries
130 Tobacco manufactures
132 Knitting mills
140 Dyeing and finishing textiles, except wool and knit goods
141 Carpets and rugs
142 Yarn, thread and fabric mills
150 Miscellaneous textile mill products
151 Apparel and accessories, except knit
152 Miscellaneous fabricated textile products
160 Pulp, paper and paperboard mills
161 Miscellaneous paper and pulp products
162 Paperboard containers and boxes
171 Newspaper publishing and printing
172 Printing, publishing and allied industries, except newspapers
180 Plastics, synthetics and resins
181 Drugs
182 Soaps and cosmetics
190 Paints, varnishes and related products
191 Agricultural chemicals
192 Industrial and miscellaneous chemicals
200 Petroleum refining
201 Miscellaneous petroleum and coal products
210 Tires and inner tubes
211 Other rubber products, and plastics footwear and belting
212 Miscellaneous plastics products
220 Leather tanning and finishing
221 Footwear, except rubber and plastic
222 Leather products, except footwear
230 Logging
231 Sawmills, planing mills and millwork
232 Wood buildings and mobile homes
241 Miscellaneous wood products
242 Furniture and fixtures
250 Glass and glass products
251 Cement, concrete, gypsum and plaster products
252 Structural clay products
261 Pottery and related products
262 Miscellaneous nonmetallic mineral and stone products
270 Blast furnaces, steelworks, rolling and finishing mills
271 Iron and steel foundries
272 Primary aluminum industries
280 Other primary metal industries
281 Cutlery, handtools and general hardware
282 Fabricated structural metal products
290 Screw machine products
291 Metal forgings and stampings
292 Ordnance
300 Miscellaneous fabricated metal products
301 Not specified metal industries
310 Engines and turbines
311 Farm machinery and equipment
312 Construction and material handling machines
320 Metalworking machinery
321 Office and accounting machines
322 Computers and related equipment
331 Machinery, except electrical, n.e.c.
332 Not specified machinery
340 Household appliances
341 Radio, TV and communication equipment
342 Electrical machinery, equipment and supplies, n.e.c.
350 Not specified electrical machinery, equipment and supplies
351 Motor vehicles and motor vehicle equipment
352 Aircraft and parts
360 Ship and boat building and repairing
361 Railroad locomotives and equipment
362 Guided missiles, space vehicles and parts
370 Cycles and miscellaneous transportation equipment
371 Scientific and controlling instruments
372 Medical, dental and optical instruments and supplies
380 Photographic equipment and supplies
381 Watches, clocks and clockwork operated devices
390 Toys, amusement and sporting goods
391 Miscellaneous manufacturing industries
392 Not specified manufacturing industries
400 Railroads
401 Bus service and urban transit
402 Taxicab service
410 Trucking service
411 Warehousing and storage
412 US Postal Service
420 Water transportation
421 Air transportation
422 Pipe lines, except natural gas
432 Services incidental to transportation
440 Radio and television broadcasting and cable
441 Telephone communications
442 Telegraph and miscellaneous communications services
450 Electric light and power
451 Gas and steam supply systems
452 Electric and gas, and other combinations
470 Water supply and irrigation
471 Sanitary services
472 Not specified utilities
500 Motor vehicles and equipment, wholesale
501 Furniture and home furnishings, wholesale
502 Lumber and construction materials, wholesale
511 Metals and minerals, except petroleum, wholesale
512 Electrical goods, wholesale
521 Hardware, plumbing and heating supplies, wholesale
530 Machinery, equipment and supplies, wholesale
531 Scrap and waste materials, wholesale
532 Miscellaneous durable goods, wholesale
540 Paper and paper products, wholesale
541 Drugs, chemicals and allied products, wholesale
542 Apparel, fabrics and notions, wholesale
550 Groceries and related products, wholesale
551 Farm-product raw materials, wholesale
552 Petroleum products, wholesale
560 Alcoholic beverages, wholesale
561 Farm supplies, wholesale
562 Miscellaneous nondurable goods, wholesale
571 Not specified wholesale trade
580 Lumber and building material retailing
581 Hardware stores
582 Retail nurseries and garden stores
590 Mobile home dealers
591 Department stores
592 Variety stores
600 Miscellaneous general merchandise stores
601 Grocery stores
602 Dairy products stores
610 Retail bakeries
611 Food stores, n.e.c.
612 Motor vehicle dealers
620 Auto and home supply stores
621 Gasoline service stations
622 Miscellaneous vehicle dealers
623 Apparel and accessory stores, except shoe
630 Shoe stores
631 Furniture and home furnishings stores
633 Radio, TV and computer stores
641 Eating and drinking places
642 Drug stores
650 Liquor stores
651 Sporting goods, bicycles and hobby stores
652 Book and stationery stores
660 Jewelry stores
662 Sewing, needlework and piece goods stores
663 Catalog and mail order houses
670 Vending machine operators
671 Direct selling establishments
672 Fuel dealers
681 Retail florists
682 Miscellaneous retail stores
691 Not specified retail trade
700 Banking
701 Savings institutions, including credit unions
702 Credit agencies, n.e.c.
710 Security, commodity brokerage and investment companies
711 Insurance
712 Real estate, including real estate-insurance offices
721 Advertising
722 Services to dwellings and other buildings
731 Personnel supply services
732 Computer and data processing services
740 Detective and protective services
741 Business services, n.e.c.
750 Automotive parking and carwashes
751 Automotive repair and related services
752 Electrical repair shops
760 Miscellaneous repair services
761 Private households
762 Hotels and motels
770 Lodging places, except hotels and motels
771 Laundry, cleaning and garment services
772 Beauty shops
780 Barber shops
781 Funeral service and crematories
782 Shoe repair shops
790 Dressmaking shops
791 Miscellaneous personal services
800 Theaters and motion pictures
802 Bowling centers
810 Miscellaneous entertainment and recreation services
812 Offices and clinics of physicians
820 Offices and clinics of dentists
821 Offices and clinics of chiropractors
822 Offices and clinics of optometrists
830 Offices and clinics of health practitioners, n.e.c.
831 Hospitals
832 Nursing and personal care facilities
840 Health services, n.e.c.
841 Legal services
842 Elementary and secondary schools
850 Colleges and universities
851 Vocational schools
852 Libraries
860 Educational services, n.e.c.
861 Job training and vocational rehabilitation services
862 Child day care services
870 Residential care facilities, without nursing
871 Social services, n.e.c.
872 Museums, art galleries and zoos
880 Religious organizations
881 Membership organizations, n.e.c.
882 Engineering, architectural and surveying services
890 Accounting, auditing and bookkeeping services
891 Research, development and testing services
892 Management and public relations services
893 Miscellaneous professional and related services
900 Executive and legislative offices
901 General government, n.e.c.
910 Justice, public order and safety
921 Public finance, taxation and monetary policy
922 Administration of human resources programs
930 Administration of environmental quality and housing programs
931 Administration of economic programs
932 National security and international affairs
"""


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
