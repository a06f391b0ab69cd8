"""Quarterly Census of Employment and Wages of the US Bureau of Labor Statistics: annual averages by area and NAICS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from clusterbook.data.panel import STATUS, Panel, Source, add_up
from clusterbook.data.regions import Regions
from clusterbook.data.sources import naics, reading
from clusterbook.data.sources.fetch import cache_folder, download, unpack
from clusterbook.data.tables import Rows, load_table
from clusterbook.errors import ClusterbookError, Problem

SLICES = "https://data.bls.gov/cew/data/api"
BULK = "https://data.bls.gov/cew/data/files"

#: Aggregation level of the total by ownership, by area. The levels of NAICS follow it: +3 sectors to +7 six digits.
LEVELS = {"county": 71, "state": 51, "metro": 41, "nation": 11}
_NOUNS = {
    "county": ("county", "counties"),
    "state": ("state", "states"),
    "metro": ("metro area", "metro areas"),
    "nation": ("nation", "nations"),
}
OWNERS = {"federal": "1", "state": "2", "local": "3", "private": "5"}
_OWNER_CODES = {"0", "1", "2", "3", "4", "5", "8", "9"}
_MEASURES = ("employment", "establishments", "payroll")


def fetch(
    years: Iterable[int], *, areas: Sequence[str] = (), industries: Sequence[str] = (), cache: Path | None = None
) -> list[Path]:
    """Download annual averages: slices by area (FIPS codes) or by industry (NAICS), or without either everything.

    Everything is one large zip file a year. Raises ``ClusterbookError``.
    """
    if areas and industries:
        raise ClusterbookError("QCEW slices are by area or by industry. Give one of areas and industries, not both.")
    folder = cache or cache_folder("qcew")
    paths = []
    for year in years:
        for kind, codes in (("area", areas), ("industry", industries)):
            for code in codes:
                name = code.replace("-", "_")
                paths.append(download(f"{SLICES}/{year}/a/{kind}/{name}.csv", folder / f"{year}-{kind}-{name}.csv"))
        if not areas and not industries:
            name = f"{year}_annual_singlefile.zip"
            paths.append(download(f"{BULK}/{year}/csv/{name}", folder / name))
    return paths


def read(paths: reading.Paths, *, area: str = "county", digits: int = 6, owners: Sequence[str] = ("private",)) -> Panel:
    """Read annual CSV files of QCEW (slices, by-area files or the single file, zipped or not) into a panel.

    ``area`` is 'county', 'state', 'metro' or 'nation', ``digits`` the level of NAICS (2 sectors to 6), ``owners`` any
    of 'private', 'federal', 'state' and 'local', added up. Measures: employment (annual average jobs), establishments
    (annual average), payroll (total wages, thousand USD a year).

    Cells with disclosure code N are suppressed: the office writes 0 for their jobs and wages. Their establishments
    are published. A sum over owners with a suppressed part is suppressed and keeps the rest as its lower bound.

    Raises ``DataError`` for quarterly files, unknown codes and units that cannot be right.

    >>> panel = read("2019_annual_singlefile.zip", digits=4)  # doctest: +SKIP
    """
    if area not in LEVELS or not set(owners) <= set(OWNERS) or not owners or not 2 <= digits <= 6:
        raise ClusterbookError(
            f"area is one of {', '.join(LEVELS)}, owners any of {', '.join(OWNERS)}, digits 2 to 6; "
            f"given were {area!r}, {', '.join(owners)} and {digits}."
        )
    origin = ", ".join(str(p) for p in reading.each(paths))
    codes = {OWNERS[owner] for owner in owners}
    wanted = {LEVELS[area], LEVELS[area] + 1 + digits}
    rows = pl.concat([_read_file(path, wanted, codes) for path in reading.each(paths)], how="diagonal")
    rows = rows.filter(~pl.col("region").str.ends_with("999")) if area in ("county", "state") else rows
    keys = ["region", "industry", "year", "total"]
    summed = add_up(rows, keys, _MEASURES, pl.first("name"), pl.first("title"))
    cells = summed.filter(~pl.col("total"))
    totals = summed.filter(pl.col("total")).select("region", "year", *_MEASURES)
    years = sorted(cells["year"].unique().to_list())
    edition = naics.one_edition(years, naics.LABOR_STATISTICS, origin) if years else 0
    return reading.make_panel(
        cells.drop("total", "name", "title"),
        _source(area, owners, years),
        Regions(
            reading.names(cells, "region", "name"),
            set_name=f"US {_NOUNS[area][1]}",
            noun=_NOUNS[area],
            projection="albersUsa",
        ),
        naics.industries(reading.names(cells, "industry", "title"), edition),
        origin=origin,
        totals=totals if not totals.is_empty() else None,
    )


def _read_file(path: Path, levels: set[int], owners: set[str]) -> pl.DataFrame:
    rows = reading.take(
        load_table(unpack(path)),
        {
            "region": "area_fips",
            "owner": "own_code",
            "industry": "industry_code",
            "level": "agglvl_code",
            "size": "size_code",
            "year": "year",
            "quarter": "qtr",
            "disclosure": "disclosure_code",
            "establishments": "annual_avg_estabs",
            "employment": "annual_avg_emplvl",
            "payroll": "total_annual_wages",
        },
        optional={"name": "area_title", "title": "industry_title"},
    )
    problems: list[Problem] = []
    reading.filled(rows, ["region", "owner", "industry", "level", "size", "year"], problems)
    reading.known_codes(rows, "owner", _OWNER_CODES, problems)
    reading.known_codes(rows, "quarter", ("A",), problems)
    wanted = rows.text.select(
        pl.col("level").is_in([str(level) for level in levels])
        & (pl.col("size") == "0")
        & pl.col("owner").is_in(owners)
    ).to_series()
    rows = Rows(rows.origin, rows.text.filter(wanted), rows.columns, rows.places.filter(wanted), rows.in_file)
    numbers = reading.figures(rows, ["year", *_MEASURES], problems)
    reading.filled(rows, _MEASURES, problems)
    reading.known_codes(rows, "disclosure", ("N",), problems)
    reading.stop(path, problems)
    frame = pl.concat([rows.text.drop("year", *_MEASURES), numbers], how="horizontal").with_columns(
        pl.col("year").cast(pl.Int64),
        pl.col("payroll") / 1000,
        (pl.col("level") == str(min(levels))).alias("total"),
        (pl.col("disclosure") == "N").fill_null(False).alias("withheld"),
        *(pl.lit(None, pl.String).alias(label) for label in ("name", "title") if label not in rows.columns),
    )
    reading.pay_is_plausible(frame.filter(~pl.col("withheld")), path)
    status = pl.when("withheld").then(pl.lit("suppressed")).otherwise(reading.given(_MEASURES))
    hidden = ("employment", "payroll")  # establishments are always published
    return frame.select(
        *("region", "industry", "year", "total", "name", "title", "establishments"),
        *(pl.when(~pl.col("withheld")).then(name).alias(name) for name in hidden),
        *(pl.when("withheld").then(0.0).alias(f"{name}_lo") for name in hidden),
        *(pl.lit(None, pl.Float64).alias(f"{name}_hi") for name in hidden),
        status.cast(STATUS).alias("status"),
    )


def _source(area: str, owners: Sequence[str], years: list[int]) -> Source:
    return Source(
        id=f"qcew-{area}",
        title=f"Quarterly Census of Employment and Wages, {_NOUNS[area][1]}",
        publisher="U.S. Bureau of Labor Statistics",
        licence="Public domain (US government work)",
        vintage=f"annual averages {', '.join(str(y) for y in years)}",
        note=f"Ownership: {', '.join(owners)}.",
        caveats=(
            "Covers jobs under unemployment insurance; the self-employed and most farm family workers are outside.",
            "Jobs that cannot be placed in a county (codes ending in 999) are left out.",
            "An absent cell has no covered establishment; cells that are not disclosed are there and suppressed.",
        ),
        units={"employment": "jobs", "establishments": "establishments", "payroll": "thousand USD a year"},
    )
