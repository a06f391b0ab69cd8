"""Data that come with Clusterbook: metro areas, counties and plants of the US, and regions of four other kinds.

Each function returns a ``Panel`` (``us_facilities``: ``Plants``) that is ready for use. What the files hold, where they
come from and what to mind stands in ``bundled/README.md`` beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from clusterbook.data.industries import Industries
from clusterbook.data.input_output import InputOutput
from clusterbook.data.panel import STATUS, Panel, Source, sort_cells, status_of
from clusterbook.data.plants import Plants, read_plants
from clusterbook.data.regions import Regions
from clusterbook.data.shapes import dissolve, read_shapes
from clusterbook.errors import ClusterbookError

_BUNDLED = Path(__file__).parent / "bundled"
_LEVELS = range(2, 7)
_TOTAL = "00"  # the code under which the metro cells hold what is published for the whole area

_US_GOVERNMENT = "public domain (US government work)"
_CBP = Source(
    id="us-cbp",
    title="County Business Patterns",
    publisher="US Census Bureau",
    licence=_US_GOVERNMENT,
    caveats=(
        "Employment is paid employees in the week of 12 March. The self-employed, farms, railways, private households "
        "and most of government are left out.",
        "The Census Bureau adds random noise to employment and payroll so that no single business shows. It weighs "
        "most on small cells; establishments are counted without noise.",
    ),
)
_OGL = (
    "Open Government Licence v3.0; contains public sector information of the Office for National Statistics. Shapes: "
    "contains OS data (c) Crown copyright and database right 2021"
)
_OVERSEAS = ("FRA1", "FRA2", "FRA3", "FRA4")  # on a map with them Europe would be a spot
_EUROGEOGRAPHICS = "(c) EuroGeographics for the administrative boundaries"
_EUROPE = Source(
    id="eu-sbs-nuts2",
    title="Structural business statistics by NUTS 2 region and NACE Rev. 2, persons employed",
    publisher="Eurostat",
    licence="CC BY 4.0; source: Eurostat",
    vintage="2015, table sbs_r_nuts06_r2; NUTS 2013",
    caveats=(
        "Business economy only (NACE B to N without K, and S95): no farms, finance or public services.",
        "The source leaves gaps, for confidentiality or because nothing was collected, and the extract does not tell "
        "which: they count as suppressed. 30 figures of it were spoilt by a spreadsheet and count as not collected.",
        "Countries may deviate from the common definition (flag d); figures of units active in several regions are "
        "shared out by the countries in their own ways.",
    ),
    units={"employment": "persons employed"},
)
_LEFT_OUT = "Left out for industries of which not even the country's total is known: {} (Ireland and Malta)."


def us_metros(level: int = 4, *, imputed: bool = False) -> Panel:
    """Return employment and establishments of the 933 US metropolitan and micropolitan areas in 2018 and 2019.

    Args:
        level: the level of NAICS 2017: 2 (sectors, such as '31-33'), 3, 4, 5 or 6 (national industries).
        imputed: estimate the cells that are not published from what their parents leave over, so that every level adds
            up to the one above (about 10 seconds a year), instead of counting them as zero.

    Returns:
        A panel with employment (jobs in mid-March) and establishments; ``totals`` are the published totals.

    Raises:
        ClusterbookError: when NAICS has no such level.

    Source: US Census Bureau, County Business Patterns, metro area files 2018 and 2019.

    >>> panel = us_metros(level=2)
    >>> panel.years, panel.regions.names()["41940"]
    ((2018, 2019), 'San Jose-Sunnyvale-Santa Clara, CA')
    """
    if level not in _LEVELS:
        raise ClusterbookError(
            f"NAICS has no level {level!r}. Choose 2 (sectors), 3, 4, 5 or 6 (national industries), "
            "e.g. us_metros(level=4)."
        )
    cells = _cells("us_metro_cells", "employment", "establishments")
    codes = _naics().frame.filter(level=level)["industry"].to_list()
    frame = cells.filter(pl.col("industry").is_in(codes)).with_columns(status_of("employment"))
    totals = cells.filter(pl.col("industry") == _TOTAL).drop("industry")
    source = replace(_CBP, id="us-cbp-metro", title=f"{_CBP.title}, metro areas", vintage="2018 and 2019")
    coverage = f"The published cells at NAICS level {level} hold {_coverage(frame, totals)}"
    if imputed:
        caveats = (f"{coverage}; the rest is estimated here, and marked.", *source.caveats)
        codes = frame["industry"].unique().sort().to_list()
        return _imputed_metros(cells, codes, replace(source, id="us-cbp-metro-imputed", caveats=caveats))
    hidden = (
        f"A cell with fewer than three establishments is not published and counts as zero. {coverage}; "
        "what is missing is mostly in industries of few and large plants."
    )
    source = replace(source, caveats=(hidden, *source.caveats))
    return Panel(sort_cells(frame), source, _metros(), _naics(), totals.sort("year", "region"))


def _imputed_metros(cells: pl.DataFrame, codes: list[str], source: Source) -> Panel:
    from clusterbook.data.suppression import impute_panel

    tree = _naics().frame
    root = pl.DataFrame(
        {"industry": [_TOTAL], "title": ["All industries"], "parent": [None]}, schema_overrides={"parent": pl.String}
    )
    whole = pl.concat([root, tree.with_columns(pl.col("parent").fill_null(_TOTAL))], how="diagonal")
    panel = impute_panel(cells, source, Industries(whole.sort("industry"), "NAICS 2017"), _metros(), level=codes)
    return replace(panel, industries=_naics())


def us_counties() -> Panel:
    """Return employment, establishments and payroll of 3,113 US counties, 2017 to 2021, in six-digit industries.

    Employment and payroll that were withheld in 2017 are suppressed: null, at least 0, unbounded above.

    Source: US Census Bureau, County Business Patterns, county files 2017 to 2021.

    >>> panel = us_counties()
    >>> panel.frame.filter(region="06085", industry="334413", year=2019)["employment"].item()
    6472.0
    """
    cells = _cells("us_county_cells", "employment", "establishments", "payroll")
    hidden = pl.col("employment").is_null()
    frame = cells.with_columns(
        status=pl.when(hidden).then(pl.lit("suppressed", STATUS)).otherwise(status_of("employment")),
        employment_lo=pl.when(hidden).then(0.0),
        payroll_lo=pl.when(hidden).then(0.0),
    )
    source = replace(
        _CBP,
        id="us-cbp-county",
        title=f"{_CBP.title}, counties",
        vintage="2017 to 2021",
        units={"payroll": "thousand USD a year"},
        caveats=(
            "A cell with fewer than three establishments is not published and counts as zero. In six-digit industries "
            "of counties this hides much, most of all where a few large plants make the industry.",
            f"In 2017 employment and payroll of {frame['employment'].null_count():,} cells were withheld: they are "
            "suppressed here, not zero. Since 2018 noise takes the place of withholding.",
            "The District of Columbia is not in the files, and counties without any published cell are absent.",
            *_CBP.caveats,
        ),
    )
    return Panel(sort_cells(frame), source, _counties(frame["region"].unique()), _naics())


def us_metro_counties() -> pl.DataFrame:
    """Return which county is part of which metropolitan or micropolitan area (delineation of July 2015).

    Returns:
        One row a county that belongs to an area, sorted: ``part`` (county) and ``region`` (area), as
        ``Panel.aggregate`` takes them.

    >>> us_metro_counties().filter(region="41940")["part"].to_list()
    ['06069', '06085']
    """
    return _table("us_counties").drop_nulls("metro").select(part="region", region="metro")


def us_metro_trends() -> Panel:
    """Return the county figures added up to metro areas: five years and payroll, 2017 to 2021, six-digit industries.

    They are lower than those of ``us_metros``, as what is hidden in a county is missing here: use them for change and
    for pay. A sum with a suppressed part is suppressed and keeps its disclosed part as lower bound.

    Source: as ``us_counties``; own addition.

    >>> panel = us_metro_trends()
    >>> panel.years, "payroll" in panel.measures
    ((2017, 2018, 2019, 2020, 2021), True)
    """
    counties = us_counties()
    summed = counties.aggregate(us_metro_counties(), _metros())
    published = _cells("us_metro_cells", "employment").filter(industry=_TOTAL)
    source = replace(
        counties.source,
        id="us-cbp-county-in-metros",
        title=f"{_CBP.title}, counties added up to metro areas",
        caveats=(
            "Added up from six-digit cells of counties. A cell with fewer than three establishments in a county is not "
            f"published and counts as zero: the sums hold {_coverage(summed.frame, published)}. "
            "Levels are therefore lower than those of the metro area file.",
            "The District of Columbia is missing from Washington-Arlington-Alexandria, as the county files lack it.",
            "For 2017 a sum that contains a withheld county cell is suppressed; its disclosed part is a lower bound.",
            *_CBP.caveats,
        ),
    )
    return replace(summed, source=source)


def us_input_output() -> InputOutput:
    """Return the input-output table of the United States of 2017: domestic flows between 402 industries.

    The crosswalk names the six-digit NAICS 2017 codes of each industry.

    Source: US Bureau of Economic Analysis, benchmark input-output accounts 2017, detail level, after redefinitions.

    >>> table = us_input_output()
    >>> table.titles["336111"], table.flows.shape
    ('Automobile manufacturing', (402, 402))
    """
    industries, flows = _table("us_input_output_industries"), _table("us_input_output")
    position = {code: k for k, code in enumerate(industries["industry"])}
    supplier, buyer = (flows[name].replace_strict(position).to_numpy() for name in ("supplier", "buyer"))
    values = np.zeros((len(position), len(position)))
    values[supplier, buyer] = flows["flow"].to_numpy()
    return InputOutput(
        flows=values,
        output=industries["output"].to_numpy(),
        imports=industries["imports"].to_numpy(),
        industries=tuple(position),
        titles=dict(industries.select("industry", "title").iter_rows()),
        crosswalk=_table("us_input_output_crosswalk"),
        source=Source(
            id="us-bea-2017",
            title="Input-output accounts, benchmark 2017, detail level",
            publisher="US Bureau of Economic Analysis",
            licence=_US_GOVERNMENT,
            vintage="2017, make and use after redefinitions (producers' prices), imports before redefinitions",
            note="Domestic flows: market shares of the make table times use net of imports (industry technology).",
            caveats=(
                "Construction is divided otherwise than in NAICS: a trade is spread evenly over what it may build.",
                "Imports are valued at the foreign port: their freight and duty count as domestic.",
            ),
            units={"flows": "million USD"},
        ),
    )


def us_facilities(years: Iterable[int] | None = None) -> Plants:
    """Return the large greenhouse-gas emitters of the United States, 2010 to 2023, as points with their industry.

    7,537 facilities that reported to the Environmental Protection Agency in 2023, mostly power stations, oil and gas,
    landfills, chemicals and metals; no sizes. As plants that closed before 2023 are missing, entries can be studied,
    exits and growth cannot.

    Args:
        years: to keep; default: all.

    Source: US EPA, Greenhouse Gas Reporting Program; industries are NAICS codes as reported in 2023.

    >>> plants = us_facilities(years=[2023])
    >>> plants.frame.height, plants.frame["industry"].n_unique() > 200
    (7537, True)
    """
    frame = _table("us_epa_facilities")
    source = Source(
        id="us-epa-ghgrp",
        title="Greenhouse Gas Reporting Program, facilities",
        publisher="US Environmental Protection Agency",
        licence=_US_GOVERNMENT,
        vintage="2010 to 2023, as listed in 2023",
        caveats=(
            "Only large emitters: facilities above 25,000 tonnes of CO2 equivalent a year.",
            "Only facilities that still reported in 2023: those that closed earlier are missing from all years.",
        ),
    )
    if years is not None:
        frame = frame.filter(pl.col("year").is_in(list(years)))
    return read_plants(frame, source=source)


def us_commuting_zones() -> Panel:
    """Return the industry structure of 722 US commuting zones in 1980, 1990 and 2000, in 227 industries.

    The source has shares, not counts: which part of a zone's workers is in an industry. They are weighted here by what
    part of the nation's population of 1980 lived in the zone. So each year adds up to about a million, quotients
    compare a zone with the nation, and change over time is change of structure: zones stay as large as in 1980.

    Returns:
        A panel with ``weighted_share``: workers among a million workers of the nation.

    Source: US decennial census, 5 per cent samples (IPUMS USA), as put together by Goldsmith-Pinkham, Sorkin and Swift
    (2020), American Economic Review 110; zones of 1990 by the USDA Economic Research Service.

    >>> panel = us_commuting_zones()
    >>> panel.years, panel.regions.names()["38300"]
    ((1980, 1990, 2000), 'Los Angeles, CA')
    """
    zones = _table("us_zones")
    weighted = pl.col("share").cast(pl.Float64) * pl.col("weight")
    frame = (
        _table("us_zone_cells")
        .join(zones, on="region")
        .select("region", "industry", pl.col("year").cast(pl.Int64), weighted_share=weighted)
        .with_columns(status_of("weighted_share"))
    )
    totals = zones.join(frame.select("year").unique(), how="cross").select(
        "region", "year", weighted_share=pl.col("weight") * 1e6
    )
    source = Source(
        id="us-census-zones",
        title="Employment by commuting zone and industry of the 1990 census, 1980 to 2000",
        publisher="IPUMS USA, University of Minnesota; Goldsmith-Pinkham, Sorkin and Swift (2020)",
        licence="MIT (compilation, bartik.weight); cite IPUMS USA, www.ipums.org",
        vintage="1980, 1990 and 2000; commuting zones of 1990",
        caveats=(
            "Made from shares of employment within each zone, weighted by the zone's part of the population of 1980 in "
            "all years. Growth of a zone as a whole cannot be seen, only change of its structure.",
            "Estimated from samples of 5 per cent of the population: small shares in small zones are uncertain.",
            "Workers without a stated industry (1 to 2 per cent, more where the armed forces are large) are left out.",
            "Some industries of the census were joined by the authors to keep them comparable over time; an industry "
            "has the title of the code that stayed.",
            "Employed residents, by where they live. Alaska and Hawaii are not in the data.",
        ),
        units={"weighted_share": "workers per million of the nation"},
        labels={"weighted_share": "weighted employment"},
    )
    industries = Industries(_table("census_industries_1990"), "Census industries 1990")
    return Panel(sort_cells(frame), source, _zones(), industries, totals.sort("year", "region"))


def us_zone_counties() -> pl.DataFrame:
    """Return which county of today is part of which commuting zone of 1990 (lower 48 states).

    Returns:
        One row a county: ``part`` (county) and ``region`` (zone), as ``Panel.aggregate`` takes them.

    >>> us_zone_counties().filter(part="06037")["region"].item()
    '38300'
    """
    return _table("us_zone_counties")


def uk_regions() -> Panel:
    """Return gross value added of the 179 ITL 3 regions of the United Kingdom, 1998 to 2022, in 48 industries.

    The industries are the rows of the published table that contain no other: divisions of SIC 2007, spans of them, and
    five whole sections. ``totals`` are the published totals.

    Source: Office for National Statistics, Regional gross value added (balanced) by industry, table 3c.

    >>> panel = uk_regions()
    >>> panel.years[0], panel.years[-1], panel.regions.names()["TLI31"]
    (1998, 2022, 'Camden and City of London')
    """
    cells = _cells("uk_gva_cells", "gva")
    frame = cells.filter(pl.col("industry") != "Total").with_columns(status_of("gva"))
    source = Source(
        id="uk-gva",
        title="Regional gross value added (balanced) by industry, current prices",
        publisher="Office for National Statistics",
        licence=_OGL,
        vintage="1998 to 2022, published in 2024; ITL regions of 2021",
        caveats=(
            "Current prices: growth includes inflation.",
            "Rounded to a million pounds: 0 is less than half a million, and sums differ from the published total by "
            "up to 10 million.",
            "Includes the rent that owner-occupiers are taken to pay themselves (68IMP), in which nobody works.",
            "One figure is negative, transport in Camden and the City of London in 2020, when subsidies were greater "
            "than value added; it is left blank.",
        ),
        units={"gva": "million GBP"},
        labels={"gva": "gross value added"},
    )
    return Panel(
        sort_cells(frame),
        source,
        _uk_regions(),
        Industries(_table("uk_gva_industries"), "SIC 2007, rows of the ONS table"),
        cells.filter(industry="Total").drop("industry").sort("year", "region"),
    )


def nz_urban_areas() -> Panel:
    """Return employment in 143 urban areas of New Zealand at eight censuses, 1976 to 2013, in 65 industries.

    There are no shapes: the source has none.

    Source: Stats NZ censuses, as put together by Davies and Maré (2020), Motu Economic and Public Policy Research.

    >>> panel = nz_urban_areas()
    >>> panel.years
    (1976, 1981, 1986, 1991, 1996, 2001, 2006, 2013)
    """
    frame = _cells("nz_cells", "employment").with_columns(status_of("employment"))
    source = Source(
        id="nz-census",
        title="Census employment by urban area and industry, 1976 to 2013",
        publisher="Motu Economic and Public Policy Research, from censuses of Stats NZ",
        licence="MIT, (c) 2020 Benjamin Davies, David Maré, and Motu Economic and Public Policy Research",
        vintage="urban areas of 2013; grouped industries of NZSIOC 2013",
        note=(
            "Access to the New Zealand census data was provided by Statistics New Zealand under conditions designed to "
            "give effect to the security and confidentiality provisions of the Statistics Act 1975. These figures are "
            "the work of their authors, not Statistics New Zealand."
        ),
        caveats=(
            "Counts are rounded at random to multiples of 3: a figure can be 2 off, and a 0 can stand for 1 or 2.",
            "Employed residents, by where they live; who works elsewhere counts at home.",
            "Censuses are five years apart, the last two seven. Rural areas are left out.",
            "Areas and industries of all years were fitted to those of 2013 by the authors.",
        ),
    )
    regions = Regions(_table("nz_urban_areas"), set_name="urban areas of 2013", noun=("urban area", "urban areas"))
    return Panel(sort_cells(frame), source, regions, Industries(_table("nz_industries"), "NZSIOC 2013, grouped"))


def europe_nuts2(geometry: str | Path | None = None, *, code: str = "NUTS_ID", impute: bool = True) -> Panel:
    """Return persons employed in 272 European NUTS 2 regions in 2015, in 68 divisions of NACE Rev. 2.

    Shapes cannot come with Clusterbook, as EuroGeographics holds the rights. Download NUTS 2013 from GISCO, Eurostat's
    service for geographic data, as GeoPackage or GeoJSON in EPSG:4326, and give the path of the file.

    Args:
        geometry: the file of shapes; default: none, and an atlas without maps.
        code: the column of the file that holds NUTS codes.
        impute: fill the gaps with what the sums over divisions, regions and countries leave open, as status 'imputed'
            and with bounds; Ireland and Malta, which lack those sums, are left out. False: gaps stay as they are, in
            275 regions.

    Returns:
        A panel with employment (persons). ``totals`` are the sums of sections, where all are known.

    Raises:
        ClusterbookError: the file cannot be read, or lacks regions.

    Source: Eurostat, Structural business statistics, table sbs_r_nuts06_r2.

    >>> panel = europe_nuts2(impute=False)
    >>> panel.frame.filter(region="DE21", industry="C29")["employment"].item()
    110595.0
    """
    cells = _table("eu_nuts_cells").select(
        "region",
        "industry",
        year=pl.lit(2015, pl.Int64),
        employment=pl.col("persons").cast(pl.Float64),
        status=pl.when("unreadable")
        .then(pl.lit("not_collected", STATUS))
        .when(pl.col("persons").is_null())
        .then(pl.lit("suppressed", STATUS))
        .when(pl.col("persons") == 0)
        .then(pl.lit("zero", STATUS))
        .otherwise(pl.lit("disclosed", STATUS)),
    )
    tree = _table("eu_nuts_regions")
    regions = _nuts2_regions(tree, geometry, code)
    industries = _nace_as_eurostat_writes_it(cells["industry"])
    section = pl.col("industry").str.len_chars() == 1
    here = pl.col("region").is_in(regions.frame["region"].to_list())
    if impute:
        from clusterbook.data.suppression import impute_panel  # SciPy takes a while to load: only where it is needed

        filled = impute_panel(cells.drop("status"), _EUROPE, industries, Regions(tree), hidden_below=None, slack=5)
        frame, source = filled.frame.filter(here), filled.source
        unknown = frame.filter(pl.col("employment").is_null())["region"].unique().sort().to_list()
        frame = frame.filter(~pl.col("region").is_in(unknown))
        regions = regions.only(frame["region"].unique())
        source = replace(source, caveats=(*source.caveats, _LEFT_OUT.format(", ".join(unknown))))
    else:
        frame, source = cells.filter(here, ~section), _EUROPE
        frame = frame.with_columns(employment_lo=pl.when(pl.col("status") == "suppressed").then(0.0))
    if geometry is not None:
        source = replace(source, note=_EUROGEOGRAPHICS)
    totals = (
        cells.filter(section, pl.col("region").is_in(regions.frame["region"].to_list()))
        .group_by("region", "year")
        .agg(pl.sum("employment"), gaps=pl.col("employment").null_count())
        .filter(gaps=0)
        .drop("gaps")
        .sort("region")
    )
    return Panel(sort_cells(frame), source, regions, industries, totals)


def listing() -> list[tuple[str, str]]:
    """Return the name and a description of each sample; the name is that of the function that loads it.

    >>> [name for name, _ in listing()][:3]
    ['us_metros', 'us_counties', 'us_metro_trends']
    """
    return [
        ("us_metros", "933 US metro and micro areas, 2018 to 2019, NAICS levels 2 to 6: employment, establishments"),
        ("us_counties", "3,113 US counties, 2017 to 2021, NAICS level 6: employment, establishments, payroll"),
        ("us_metro_trends", "The county figures added up to metro and micro areas: five years, with payroll"),
        ("us_commuting_zones", "722 US commuting zones, 1980, 1990 and 2000, 227 census industries: weighted shares"),
        ("uk_regions", "179 UK ITL 3 regions, 1998 to 2022, 48 industries of SIC 2007: gross value added"),
        ("nz_urban_areas", "143 New Zealand urban areas, 8 censuses 1976 to 2013, 65 industries: employment"),
        ("europe_nuts2", "272 European NUTS 2 regions, 2015, 68 divisions of NACE Rev. 2: persons employed"),
    ]


def _table(name: str) -> pl.DataFrame:
    return pl.read_parquet(_BUNDLED / f"{name}.parquet")


def _cells(name: str, *measures: str) -> pl.DataFrame:
    """Read cells with the types of a panel."""
    return _table(name).select("region", "industry", pl.col("year").cast(pl.Int64), pl.col(measures).cast(pl.Float64))


def _coverage(frame: pl.DataFrame, totals: pl.DataFrame) -> str:
    """Say how much of published employment the cells hold in the last year that has totals."""
    year = totals.select(pl.max("year")).item()
    held, published = (part.filter(year=year).select(pl.sum("employment")).item() for part in (frame, totals))
    return f"{held / published:.2%} of published employment in {year}"


@cache
def _naics() -> Industries:
    return Industries(_table("naics_2017"), "NAICS 2017")


@cache
def _metros() -> Regions:
    return Regions(
        _table("us_metros"),
        set_name="metropolitan and micropolitan areas of July 2015",
        noun=("metro area", "metro areas"),
        geometry=_shapes("metro"),
        outline=_shapes("outline")["*"],
        projection="albersUsa",
        note="Metro areas are here both metropolitan areas (an urban core of 50,000 people or more and the counties "
        "tied to it by commuting) and micropolitan areas (a core of 10,000 to 50,000).",
    )


@cache
def _zones() -> Regions:
    names = _table("us_zones").select("region", "name")
    members = _table("us_zone_counties").rows()
    shapes = _shapes("county")
    parts: dict[str, list[bytes]] = {}
    for county, zone in members:
        parts.setdefault(zone, []).append(shapes[county])
    return Regions(
        names,
        set_name="commuting zones of 1990",
        noun=("commuting zone", "commuting zones"),
        geometry={zone: dissolve(found) for zone, found in parts.items()},
        projection="albersUsa",
        note="Commuting zones are groups of counties tied together by commuting, named after their largest place.",
    )


@cache
def _uk_regions() -> Regions:
    frame = _table("uk_regions")
    return Regions(
        frame.drop("wkb"),
        set_name="ITL 3 regions of 2021",
        noun=("region", "regions"),
        geometry=dict(frame.select("region", "wkb").iter_rows()),
        projection="transverseMercator",  # areas right to a per cent so near its central meridian
        note="International Territorial Level 3: counties, unitary authorities, districts, or groups of them.",
    )


def _nuts2_regions(tree: pl.DataFrame, geometry: str | Path | None, code: str) -> Regions:
    # Extra-regio codes (with a Z) hold what belongs to no region
    frame = tree.filter(pl.col("level") == 2, ~pl.col("region").str.contains("Z"))
    shapes: dict[str, bytes] = {}
    if geometry is not None:
        found = read_shapes(geometry, code=code)
        missing = [region for region in frame["region"] if region not in found]
        if missing:
            raise ClusterbookError(
                f"{geometry}: no shape for {len(missing)} of {frame.height} regions: {', '.join(missing[:5])} ... "
                "The file has to hold level 2 of NUTS 2013; later editions changed codes."
            )
        shapes = {region: found[region] for region in frame["region"] if region not in _OVERSEAS}
    return Regions(
        frame,
        set_name="NUTS 2 regions of 2013",
        geometry=shapes,
        projection="conicEqualArea",
        note=f"{_EUROGEOGRAPHICS}. The French regions overseas are not drawn." if shapes else "",
    )


def _nace_as_eurostat_writes_it(present: pl.Series) -> Industries:
    """Return the sections and divisions of NACE with the letter in front of the number, as Eurostat's tables have it.

    Computer repair stands alone: S95 is the only division of its section that business statistics cover.
    """
    nace = Industries.load("NACE Rev. 2").frame.filter(pl.col("level") <= 2)
    letter = pl.when(pl.col("level") == 2).then("parent").otherwise(pl.lit(""))
    coded = nace.with_columns(industry=letter + pl.col("industry"))
    parent = pl.when(pl.col("parent").is_in(present.unique().to_list())).then("parent")
    frame = coded.filter(pl.col("industry").is_in(present.unique().to_list())).with_columns(parent=parent)
    return Industries(frame.sort("industry"), "NACE Rev. 2")


def _counties(present: pl.Series) -> Regions:
    frame = _table("us_counties").drop("metro").join(present.to_frame(), on="region", how="semi")
    shapes = _shapes("county")
    return Regions(
        frame,
        set_name="counties and county equivalents",
        noun=("county", "counties"),
        geometry={code: shapes[code] for code in frame["region"]},
        outline=_shapes("outline")["*"],
        projection="albersUsa",
        note="Counties and their equivalents: boroughs, parishes, independent cities.",
    )


@cache
def _shapes(layer: str) -> dict[str, bytes]:
    rows = _table("us_shapes").filter(layer=layer)
    return dict(zip(rows["region"], rows["wkb"], strict=True))
