"""Count tables of Stats NZ: business demography by area and ANZSIC, and census tables of the same kind.

Stats NZ rounds every count at random before it publishes it, so each figure comes with the range the true one lies in.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from clusterbook.data.industries import Industries
from clusterbook.data.panel import Panel, Source
from clusterbook.data.regions import Regions
from clusterbook.data.sources import reading
from clusterbook.data.sources.fetch import cache_folder, download, unpack
from clusterbook.data.tables import load_table
from clusterbook.errors import ClusterbookError, Problem

BULK = "https://www.stats.govt.nz/assets/Uploads/New-Zealand-business-demography-statistics"

#: The layouts read: the office's column of each meaning, and how each measure is rounded.
LAYOUTS: dict[str, dict[str, str]] = {
    "business demography": {
        "region": "Area", "industry": "anzsic06", "year": "year", "establishments": "geo_count",
        "employment": "ec_count",
    },
    "census": {"region": "ua", "industry": "ind", "year": "year", "employment": "emp"},
}  # fmt: skip
_GRADUATED = {("business demography", "employment")}

#: Levels of ANZSIC 2006 by the form of the code.
LEVELS = {"division": r"^[A-Z]$", "subdivision": r"^[A-Z]\d{2}$", "group": r"^[A-Z]\d{3}$"}

_DISCLAIMER = (
    "Counts are randomly rounded by Stats NZ to protect confidentiality; true figures lie within the bounds, and sums "
    "of rounded figures differ from rounded sums."
)


def fetch(years: Iterable[int], *, cache: Path | None = None) -> list[Path]:
    """Download geographic units by industry and statistical area as released in some years (zip).

    Each release, made in February, holds all years from 2000 to its own. Raises ``ClusterbookError``.
    """
    folder = cache or cache_folder("stats_nz")
    paths = []
    for year in years:
        name = f"geographic-units-by-industry-and-statistical-area-2000-{year}-descending-order-february-{year}.zip"
        release = f"New-Zealand-business-demography-statistics-At-February-{year}"
        paths.append(download(f"{BULK}/{release}/Download-data/{name}", folder / name))
    return paths


def read(
    paths: reading.Paths,
    *,
    level: str = "subdivision",
    area: str = "A",
    region_names: Path | None = None,
    industry_titles: Path | None = None,
) -> Panel:
    """Read count tables of Stats NZ (zip or CSV) into a panel with the bounds that rounding leaves.

    Business demography holds all levels in one file: ``level`` is 'division', 'subdivision' or 'group' of ANZSIC 2006,
    ``area`` the first letter of the kind of area (A: statistical areas 2, T: territorial authorities, R: regions).
    Census tables have one level and neither is used. ``region_names`` and ``industry_titles`` are CSV files with the
    code in the first column and a column whose name ends in 'name'.

    A count rounded at random to base 3 lies within 2 of the true one; a published 0 may be 1 or 2. Employee counts of
    business demography are rounded in grades (base 3 below 20, 5 below 100, 10 below 1000, 100 above).

    Raises ``DataError`` for other columns, empty fields and counts that are not rounded as they should be.

    >>> panel = read("geographic-units-2000-2023.zip", level="division", area="R")  # doctest: +SKIP
    """
    found = reading.each(paths)
    origin = ", ".join(str(p) for p in found)
    parts = [_read_file(unpack(path)) for path in found]
    if len({layout for _, layout in parts}) > 1:
        raise reading.refuse(origin, "mixed tables", "census and business demography together", "Read one at a time.")
    layout = parts[0][1]
    cells = pl.concat([frame for frame, _ in parts])
    totals = None
    if layout == "business demography":
        if level not in LEVELS:
            raise ClusterbookError(f"level is one of {', '.join(LEVELS)}; given was {level!r}.")
        cells = cells.filter(pl.col("region").str.starts_with(area))
        totals = cells.filter(pl.col("industry") == "Total").select("region", "year", "establishments", "employment")
        cells = cells.filter(pl.col("industry").str.contains(LEVELS[level]))
    return reading.make_panel(
        cells,
        _source(layout, sorted(cells["year"].unique().to_list())),
        Regions(_labels(region_names, cells["region"], "name"), set_name="New Zealand areas", noun=("area", "areas")),
        Industries(
            _labels(industry_titles, cells["industry"], "title"),
            "ANZSIC 2006" if layout == "business demography" else "NZSIOC groups",
        ),
        origin=origin,
        totals=totals if totals is not None and not totals.is_empty() else None,
    )


def step(count: pl.Expr, *, graduated: bool) -> pl.Expr:
    """Return the base to which a count was rounded.

    Source: Stats NZ, Microdata output guide, random rounding to base 3 and graduated random rounding.
    """
    if not graduated:
        return pl.lit(3.0)
    return pl.when(count >= 1000).then(100.0).when(count >= 100).then(10.0).when(count >= 20).then(5.0).otherwise(3.0)


def _read_file(path: Path) -> tuple[pl.DataFrame, str]:
    table = load_table(path)
    present = {name.lower() for name in table.frame.columns}
    layout = max(LAYOUTS, key=lambda name: len(present & {c.lower() for c in LAYOUTS[name].values()}))
    columns = LAYOUTS[layout]
    measures = [name for name in columns if name in ("establishments", "employment")]
    rows = reading.take(table, columns)
    problems: list[Problem] = []
    numbers = reading.figures(rows, ["year", *measures], problems)
    reading.filled(rows, columns, problems)
    for measure in measures:
        if (layout, measure) in _GRADUATED:
            continue
        off = (numbers[measure] % 3 != 0).fill_null(False).arg_true()
        remedy = "The counts are in another unit, or not this office's rounded counts. Take the table as published."
        message = "not a multiple of 3, to which these counts are rounded"
        problems += [
            Problem("mixed units", message, remedy, rows.places[k], columns[measure], f"{numbers[measure][k]:g}")
            for k in off
        ]
    reading.stop(rows.origin, problems)
    frame = rows.text.select("region", "industry").with_columns(numbers["year"].cast(pl.Int64))
    bounds = []
    for measure in measures:
        count = pl.col(measure)
        reach = step(count, graduated=(layout, measure) in _GRADUATED) - 1
        bounds += [(count - reach).clip(0).alias(f"{measure}_lo"), (count + reach).alias(f"{measure}_hi")]
    cells = pl.concat([frame, numbers.select(measures)], how="horizontal")
    return cells.with_columns(*bounds, reading.given(measures)), layout


def _labels(path: Path | None, codes: pl.Series, label: str) -> pl.DataFrame:
    frame = pl.DataFrame({codes.name: codes.unique().sort()})
    if path is None:
        return frame.with_columns(pl.col(codes.name).alias(label))
    table = load_table(path)
    name = next((c for c in table.frame.columns if c.lower().endswith("name")), "name")
    rows = reading.take(table, {codes.name: table.frame.columns[0], label: name})
    return (
        frame.join(rows.text.unique(codes.name), on=codes.name, how="left")
        .with_columns(pl.coalesce(label, codes.name))
        .sort(codes.name)
    )


def _source(layout: str, years: list[int]) -> Source:
    census = layout == "census"
    return Source(
        id="nz-census" if census else "nz-business-demography",
        title="Census, employed residents by area and industry" if census else "New Zealand business demography",
        publisher="Stats NZ",
        licence="CC BY 4.0; Stats NZ's disclaimer on random rounding is kept",
        vintage=", ".join(str(y) for y in years) if len(years) <= 10 else f"{years[0]} to {years[-1]}",
        caveats=(_DISCLAIMER, *(("Jobs are counted where people live.",) if census else ())),
        units={"employment": "employed residents" if census else "employees", "establishments": "geographic units"},
    )
