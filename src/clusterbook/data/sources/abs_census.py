"""Australian Census: employed persons by small area of work (SA2) and industry (ANZSIC), made in TableBuilder."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from clusterbook.data.industries import Industries
from clusterbook.data.panel import Panel, Source, status_of
from clusterbook.data.regions import Regions
from clusterbook.data.sources import reading
from clusterbook.data.sources.fetch import cache_folder, download
from clusterbook.data.tables import Rows, load_table
from clusterbook.errors import Problem

API = "https://data.api.abs.gov.au/rest/data"

#: Rows that are no places, and columns that are no industries: totals and persons who could not be placed.
NO_PLACE = (
    "(?i)^total|undefined|no fixed address|no usual address|migratory|off-?shore|shipping|not stated|not applicable"
)
NO_INDUSTRY = "(?i)^total|not stated|not applicable|inadequately described"
_TOTAL = "(?i)^total"


def fetch(years: Iterable[int], *, dataflow: str, key: str = "all", cache: Path | None = None) -> list[Path]:
    """Download a table of the ABS Data API as SDMX-CSV, one file a census year.

    ``dataflow`` is the id of a census table with an industry and a region (see the office's Data Explorer), ``key`` its
    selection. Tables of SA2 by ANZSIC subdivision at the place of work are not among them: they are made in
    TableBuilder under a free account, saved as CSV and read with ``read``. Raises ``ClusterbookError``.
    """
    folder = cache or cache_folder("abs_census")
    paths = []
    for year in years:
        query = urllib.parse.urlencode({"startPeriod": year, "endPeriod": year, "format": "csvfilewithlabels"})
        url = f"{API}/{dataflow}/{key}?{query}"
        paths.append(download(url, folder / f"{dataflow}-{key.replace('/', '-')}-{year}.csv"))
    return paths


def read(paths: reading.Paths, *, year: int | None = None, region: str = "REGION", industry: str = "INDP") -> Panel:
    """Read TableBuilder tables (areas down, industries across; CSV or Excel) or SDMX-CSV into a panel of jobs.

    The year is that of the title ('2011 Census ...') unless ``year`` is given. ``region`` and ``industry`` name the
    dimensions of an SDMX-CSV file. Rows and columns that are totals or hold persons who could not be placed are left
    out; ``totals`` are the table's own totals of each area, so that they tell how much is left.

    Raises ``DataError`` for a table of anything but persons, without a header, or cut short (its areas do not add up
    to the total below them).

    >>> panel = read("sa2-pow-by-indp.csv")  # doctest: +SKIP
    """
    found = reading.each(paths)
    parts = [_read_file(path, year, region, industry) for path in found]
    cells = pl.concat([frame for frame, _ in parts], how="diagonal")
    totals = [frame for _, frame in parts if frame is not None]
    dropped = cells.filter(~pl.col("kept"))["employment"].sum()
    cells = cells.filter("kept")
    years = sorted(cells["year"].unique().to_list())
    return reading.make_panel(
        cells.select("region", "industry", "year", "employment", status_of("employment")),
        Source(
            id="abs-census",
            title="Census of Population and Housing, employed persons by place of work and industry",
            publisher="Australian Bureau of Statistics",
            licence="CC BY 4.0; based on Australian Bureau of Statistics data",
            vintage=", ".join(str(y) for y in years),
            caveats=(
                "Cells are randomly adjusted by the ABS: small figures are unreliable, and sums differ from totals.",
                f"{dropped:,.0f} persons without a place of work or an industry are left out.",
            ),
            units={"employment": "employed persons"},
        ),
        Regions(reading.names(cells, "region", "name"), set_name="Australian SA2s", noun=("area", "areas")),
        Industries(reading.names(cells, "industry", "title"), "ANZSIC 2006"),
        origin=", ".join(str(p) for p in found),
        totals=pl.concat(totals) if totals else None,
    )


def _read_file(path: Path, year: int | None, region: str, industry: str) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    if "OBS_VALUE" in reading.first_line(path):
        return _read_sdmx(path, region, industry), None
    return _read_table(path, reading.cells(path), year)


def _read_sdmx(path: Path, region: str, industry: str) -> pl.DataFrame:
    table = load_table(path)
    header = table.frame.columns
    needed = {"region": region, "industry": industry, "year": "TIME_PERIOD", "employment": "OBS_VALUE"}
    after = {k: header[header.index(own) + 1] for k, own in (("name", region), ("title", industry)) if own in header}
    rows = reading.take(table, needed, optional=after)
    problems: list[Problem] = []
    numbers = reading.figures(rows, ["year", "employment"], problems)
    reading.filled(rows, ["region", "industry", "year", "employment"], problems)
    reading.stop(path, problems)
    frame = rows.text.select("region", "industry", "name", "title").with_columns(
        numbers["year"].cast(pl.Int64), numbers["employment"]
    )
    return _mark(frame)


def _read_table(path: Path, grid: list[list[str]], year: int | None) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Return the cells and the totals of areas of a table with areas down and industries across."""
    year = _census_year(path, grid, year)
    start, end = _extent(path, grid)
    columns = {str(k): title.strip() for k, title in enumerate(grid[start][1:]) if title.strip()}
    # what stands below the header and has figures, which the name of the row dimension has not
    body = [(k, row) for k, row in enumerate(grid[:end]) if k > start and row and row[0].strip() and any(row[1:])]
    wide = pl.DataFrame({"region": [row[0].strip() for _, row in body]}, schema={"region": pl.String}).with_columns(
        pl.Series(k, [(row[int(k) + 1].strip() if len(row) > int(k) + 1 else "") or None for _, row in body], pl.String)
        for k in columns
    )
    rows = Rows(str(path), wide, columns, pl.Series([k + 1 for k, _ in body], dtype=pl.Int64), in_file=True)
    problems: list[Problem] = []
    numbers = reading.figures(rows, columns, problems)
    reading.stop(path, problems)
    long = (
        pl.concat([wide.select("region"), numbers], how="horizontal")
        .unpivot(on=list(columns), index="region", variable_name="industry", value_name="employment")
        .with_columns(pl.col("industry").replace_strict(columns), pl.lit(year).alias("year"))
    )
    _adds_up(long, path)
    total = pl.col("industry").str.contains(_TOTAL)
    places = long.filter(total & ~pl.col("region").str.contains(NO_PLACE)).select("region", "year", "employment")
    frame = _mark(long.filter(~total & ~pl.col("region").str.contains(_TOTAL)))
    return frame, _coded(places).drop("name") if not places.is_empty() else None


def _census_year(path: Path, grid: list[list[str]], year: int | None) -> int:
    """Return the year of the census that the title names or the caller gave; refuse tables of anything but persons."""
    title = [cell.strip() for row in grid[:12] for cell in row]
    counting = next((cell for cell in title if cell.lower().startswith("counting:")), "")
    if counting and "person" not in counting.lower():
        raise reading.refuse(path, "mixed units", f"the table is '{counting}'", "Make the table for persons.")
    named = next((int(m[1]) for cell in title if (m := re.match(r"(\d{4}) Census", cell))), None)
    if year and named and year != named:
        message = f"the table is of the {named} census, not of {year}"
        raise reading.refuse(path, "wrong vintage", message, "Correct the year given.")
    found = year or named
    if found is None:
        raise reading.refuse(path, "wrong vintage", "the title names no census year", "Give it: read(..., year=2011).")
    return found


def _extent(path: Path, grid: list[list[str]]) -> tuple[int, int]:
    """Return the places of the header, the first row with several fields, and of the first footnote."""
    start = next((k for k, row in enumerate(grid) if sum(bool(c.strip()) for c in row) > 2), None)
    if start is None:
        raise reading.refuse(
            path,
            "changed columns",
            "no row is a header of industries",
            "Put areas in the rows and industries in the columns, and save as CSV.",
        )
    end = next((k for k, row in enumerate(grid) if row and row[0].lower().startswith("data source")), len(grid))
    if end == len(grid) and grid[0] and grid[0][0].strip() == "Australian Bureau of Statistics":
        raise reading.refuse(path, "truncated file", "the line 'Data source' is missing at its end", "Save it again.")
    return start, end


def _mark(frame: pl.DataFrame) -> pl.DataFrame:
    """Add names, titles and whether the cell is a place and an industry."""
    label = pl.coalesce(*(c for c in ("name", "region") if c in frame.columns))
    title = pl.coalesce(*(c for c in ("title", "industry") if c in frame.columns))
    kept = ~label.str.contains(NO_PLACE) & ~title.str.contains(NO_INDUSTRY)
    return _coded(frame.with_columns(label.alias("name"), title.alias("title"), kept.alias("kept")))


def _coded(frame: pl.DataFrame) -> pl.DataFrame:
    """Split '101021007 Braidwood' into code and name; a place without a code is known by its name."""
    code = pl.col("region").str.extract(r"^(\d{5,9})\s")
    name = pl.col("name") if "name" in frame.columns else pl.col("region")
    return frame.with_columns(
        pl.coalesce(code, "region").alias("region"), name.str.replace(r"^\d{5,9}\s+", "").alias("name")
    )


def _adds_up(long: pl.DataFrame, path: Path) -> None:
    """Refuse a table that lacks rows: its last one is a total, which random adjustment hardly moves."""
    parts = long.filter(~pl.col("industry").str.contains(_TOTAL))
    last = pl.col("region").str.contains(_TOTAL)
    total, areas = parts.filter(last), parts.filter(~last)
    by_total, by_area = float(total["employment"].sum()), float(areas["employment"].sum())
    if total.height and abs(by_area - by_total) > 0.01 * by_total:
        raise reading.refuse(
            path,
            "truncated file",
            f"areas add up to {by_area:,.0f}, the total says {by_total:,.0f}",
            "Rows are missing. Make the table again and save all of it.",
        )
