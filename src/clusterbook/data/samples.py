"""Data that come with Clusterbook: US County Business Patterns by metro area and by county.

Each function returns a ``Panel`` that is ready for use. What the files hold, where they come from and what to mind
stands in ``bundled/README.md`` beside them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import polars as pl

from clusterbook.data.industries import Industries
from clusterbook.data.panel import STATUS, Panel, Source, sort_cells, status_of
from clusterbook.data.regions import Regions
from clusterbook.errors import ClusterbookError

_BUNDLED = Path(__file__).parent / "bundled"
_LEVELS = range(2, 7)
_TOTAL = "00"  # the code under which the metro cells hold what is published for the whole area

_PUBLISHER = "US Census Bureau"
_LICENCE = "public domain (US government work)"
_WHO_COUNTS = (
    "Employment is paid employees in the week of 12 March. The self-employed, farms, railways, private households and "
    "most of government are left out."
)
_NOISE = (
    "The Census Bureau adds random noise to employment and payroll so that no single business shows. It weighs most on "
    "small cells; establishments are counted without noise."
)


def us_metros(level: int = 4) -> Panel:
    """Return employment and establishments of the 933 US metropolitan and micropolitan areas in 2018 and 2019.

    Args:
        level: the level of NAICS 2017: 2 (sectors, such as '31-33'), 3, 4, 5 or 6 (national industries).

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
    code = pl.col("industry")
    depth = pl.when(code.str.contains("-")).then(2).otherwise(code.str.len_chars())
    frame = cells.filter(depth == level, code != _TOTAL).with_columns(status_of("employment"))
    totals = cells.filter(code == _TOTAL).drop("industry")
    source = Source(
        id="us-cbp-metro",
        title="County Business Patterns, metropolitan and micropolitan areas",
        publisher=_PUBLISHER,
        licence=_LICENCE,
        vintage="2018 and 2019; areas as delineated in July 2015",
        caveats=(
            "A cell with fewer than three establishments is not published and counts as zero. "
            f"The cells at NAICS level {level} hold {_coverage(frame, totals)}; "
            "what is missing is mostly in industries of few and large plants.",
            _WHO_COUNTS,
            _NOISE,
        ),
    )
    return Panel(sort_cells(frame), source, _metros(), _naics(), totals.sort("year", "region"))


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
    source = Source(
        id="us-cbp-county",
        title="County Business Patterns, counties",
        publisher=_PUBLISHER,
        licence=_LICENCE,
        vintage="2017 to 2021",
        units={"payroll": "thousand USD a year"},
        caveats=(
            "A cell with fewer than three establishments is not published and counts as zero. In six-digit industries "
            "of counties this hides much, most of all where a few large plants make the industry.",
            f"In 2017 employment and payroll of {frame['employment'].null_count():,} cells were withheld: they are "
            "suppressed here, not zero. Since 2018 noise takes the place of withholding.",
            "The District of Columbia is not in the files, and counties without any published cell are absent.",
            _WHO_COUNTS,
            _NOISE,
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
        title="County Business Patterns, counties added up to metropolitan and micropolitan areas",
        vintage="2017 to 2021; areas as delineated in July 2015",
        units={"payroll": "thousand USD a year"},
        caveats=(
            "Added up from six-digit cells of counties. A cell with fewer than three establishments in a county is not "
            f"published and counts as zero: the sums hold {_coverage(summed.frame, published)}. "
            "Levels are therefore lower than those of the metro area file.",
            "The District of Columbia is missing from Washington-Arlington-Alexandria, as the county files lack it.",
            "For 2017 a sum that contains a withheld county cell is suppressed; its disclosed part is a lower bound.",
            _WHO_COUNTS,
            _NOISE,
        ),
    )
    return replace(summed, source=source)


def listing() -> list[tuple[str, str]]:
    """Return the name and a description of each sample; the name is that of the function that loads it.

    >>> [name for name, _ in listing()]
    ['us_metros', 'us_counties', 'us_metro_trends']
    """
    return [
        ("us_metros", "933 US metro and micro areas, 2018 to 2019, NAICS levels 2 to 6: employment, establishments"),
        ("us_counties", "3,113 US counties, 2017 to 2021, NAICS level 6: employment, establishments, payroll"),
        ("us_metro_trends", "The county figures added up to metro and micro areas: five years, with payroll"),
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
