"""County Business Patterns of the US Census Bureau: jobs, establishments and payroll by county, metro area or state.

Two ways lead to the figures: the yearly bulk files (``fetch``) and the data API (``fetch_api``); ``read`` takes the
files of both.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from clusterbook.data.panel import Panel, Source
from clusterbook.data.regions import Regions
from clusterbook.data.sources import naics, reading
from clusterbook.data.sources.fetch import cache_folder, download, unpack
from clusterbook.data.tables import Rows, Table, load_table
from clusterbook.errors import ClusterbookError, DataError, Problem

BULK = "https://www2.census.gov/programs-surveys/cbp/datasets"
API = "https://api.census.gov/data"

AREAS = {"county": "co", "metro": "msa", "state": "st", "nation": "us"}
_API_AREAS = {
    "county": "county:*",
    "metro": "metropolitan statistical area/micropolitan statistical area:*",
    "state": "state:*",
    "nation": "us:*",
}
_NOUNS = {
    "county": ("county", "counties"),
    "metro": ("metro area", "metro areas"),
    "state": ("state", "states"),
    "nation": ("nation", "nations"),
}

#: Ranges of withheld employment: files up to reference year 2016 and, in part, 2017 (record layout of the office).
EMPLOYMENT_FLAGS: dict[str, tuple[int, int | None]] = {
    "A": (0, 19), "B": (20, 99), "C": (100, 249), "E": (250, 499), "F": (500, 999), "G": (1000, 2499),
    "H": (2500, 4999), "I": (5000, 9999), "J": (10000, 24999), "K": (25000, 49999), "L": (50000, 99999),
    "M": (100000, None),
}  # fmt: skip

#: Size classes of establishments and the jobs in one of them. The lowest class begins at 0: it holds establishments
#: that have a payroll in the year but nobody on it in mid-March.
SIZE_CLASSES: dict[str, tuple[int, int | None]] = {
    "n<5": (0, 4), "n1_4": (0, 4), "n5_9": (5, 9), "n10_19": (10, 19), "n20_49": (20, 49), "n50_99": (50, 99),
    "n100_249": (100, 249), "n250_499": (250, 499), "n500_999": (500, 999), "n1000_1": (1000, 1499),
    "n1000_2": (1500, 2499), "n1000_3": (2500, 4999), "n1000_4": (5000, None),
}  # fmt: skip
_LARGEST = {"n1000": (1000, None)}  # where the file does not divide it

#: G: noise below 2 %; H: 2 to below 5 %; J: 5 % and more; D, S: withheld and written as 0.
NOISE_FLAGS = ("G", "H", "J", "D", "S")
_WITHHELD = ("D", "S")
_FILE = re.compile(r"cbp(\d{2})(co|msa|st|us)|cbp-(\d{4})-")


def fetch(years: Iterable[int], *, area: str = "county", cache: Path | None = None) -> list[Path]:
    """Download the bulk files of some years (zip) and return where they are.

    ``area`` is 'county', 'metro', 'state' or 'nation'. Raises ``ClusterbookError``; see ``fetch.download``.
    """
    _check_area(area)
    folder = cache or cache_folder("cbp")
    files = {year: f"cbp{year % 100:02d}{AREAS[area]}.zip" for year in years}
    return [download(f"{BULK}/{year}/{name}", folder / name) for year, name in files.items()]


def fetch_api(years: Iterable[int], *, area: str = "county", key: str = "", cache: Path | None = None) -> list[Path]:
    """Download one JSON file a year from the data API, from reference year 2017 on, with the names of areas.

    ``key`` is a key of the office's API, which may ask for one. The API has no size classes, so
    withheld cells have no bounds; the bulk files have.
    """
    _check_area(area)
    folder = cache or cache_folder("cbp")
    paths = []
    for year in years:
        if year < 2017:
            raise ClusterbookError(
                f"The API of CBP is read from 2017 on; take the bulk file for {year}: fetch([{year}])."
            )
        codes = f"NAICS{naics.edition(year, naics.CENSUS_BUREAU)}"
        query = {"get": f"NAME,{codes},{codes}_LABEL,ESTAB,EMP,EMP_N,PAYANN,PAYANN_N", "for": _API_AREAS[area]}
        query |= {"key": key} if key else {}
        url = f"{API}/{year}/cbp?{urllib.parse.urlencode(query)}"
        paths.append(download(url, folder / f"cbp-{year}-{area}.json"))
    return paths


def read(paths: reading.Paths, *, digits: int = 6, year: int | None = None) -> Panel:
    """Read bulk files (zip or unpacked) or API files of CBP into a panel.

    ``digits`` is the level of NAICS (2 sectors to 6). The year is that of the file's name (cbp19co.zip), unless
    ``year`` says otherwise. Measures: employment (jobs in mid-March), establishments, payroll (thousand USD a year).

    A withheld figure is null with status suppressed; employment then has bounds from the size classes of its
    establishments and from the office's range flag. ``totals`` are the office's own totals of each area.

    Raises ``DataError`` for a file that is cut short, of another layout, year or unit, or with unknown codes.

    >>> panel = read("cbp19co.zip", digits=4)  # doctest: +SKIP
    """
    parts = [_read_file(path, year) for path in reading.each(paths)]
    areas = {area for _, area, _ in parts}
    origin = ", ".join(str(p) for p in reading.each(paths))
    if len(areas) > 1:
        raise reading.refuse(
            origin, "mixed areas", f"files of {' and '.join(sorted(areas))}", "Read one kind at a time."
        )
    years = sorted({y for _, _, y in parts})
    edition = naics.one_edition(years, naics.CENSUS_BUREAU, origin)
    rows = pl.concat([frame for frame, _, _ in parts], how="diagonal")
    area = areas.pop()
    level = naics.level(pl.col("industry"))
    cells = rows.filter((level == digits) & (pl.col("industry") != naics.TOTAL))
    totals = rows.filter(pl.col("industry") == naics.TOTAL)
    labels = reading.names(rows.filter(pl.col("industry") != naics.TOTAL), "industry", "title")
    places = reading.names(cells, "region", "name")
    measures = ["employment", "establishments", "payroll"]
    bounds = ["employment_lo", "employment_hi", "payroll_lo", "payroll_hi"]
    return reading.make_panel(
        cells.select("region", "industry", "year", *measures, *bounds, "status"),
        _source(area, years, edition, cells),
        Regions(places, set_name=f"US {_NOUNS[area][1]}", noun=_NOUNS[area], projection="albersUsa"),
        naics.industries(labels, edition),
        origin=origin,
        totals=totals.select("region", "year", *measures) if not totals.is_empty() else None,
    )


def _read_file(path: Path, year: int | None) -> tuple[pl.DataFrame, str, int]:
    year = year or _year_of(path)
    frame, area = _read_api(path, year) if path.suffix == ".json" else _read_bulk(unpack(path), year)
    frame = frame.with_columns(pl.lit(year, pl.Int64).alias("year"))
    reading.pay_is_plausible(frame, path)
    return frame, area, year


def _year_of(path: Path) -> int:
    """Return the year that the name of a file says: cbp19co.zip, cbp-2019-metro.json."""
    found = _FILE.search(path.name)
    if found is None:
        raise ClusterbookError(f"{path}: the file does not say its year. Give it: read(..., year=2019).")
    if found[3]:
        return int(found[3])
    return int(found[1]) + (1900 if int(found[1]) >= 86 else 2000)


def _read_bulk(path: Path, year: int) -> tuple[pl.DataFrame, str]:
    table = load_table(path)
    header = {name.lower(): name for name in table.frame.columns}
    area = _area_of(header)
    _check_vintage(table, set(header), year)
    region = {"county": ("fipstate", "fipscty"), "metro": ("msa",), "state": ("fipstate",), "nation": ()}[area]
    classes = [c for c in SIZE_CLASSES if c in header] + ([] if "n1000_1" in header else ["n1000"])
    rows = reading.take(
        table,
        {name: name for name in (*region, "naics", "emp", "ap", "est", *classes)},
        optional={name: name for name in ("emp_nf", "ap_nf", "empflag", "lfo")},
    )
    rows = _all_legal_forms(rows)
    problems: list[Problem] = []
    reading.filled(rows, [*region, "naics", "emp", "ap", "est"], problems)
    reading.stop(path, problems)
    code = pl.col("naics").str.strip_chars_end("-/")
    code = pl.when(code == "").then(pl.lit(naics.TOTAL)).otherwise(code)
    place = pl.concat_str(region) if region else pl.lit("US")
    texts = rows.text.select(
        place.alias("region"),
        pl.when(code.str.len_chars() == 2).then(code.replace(naics.SPANS)).otherwise(code).alias("industry"),
        pl.lit(None, pl.String).alias("name"),
        pl.lit(None, pl.String).alias("title"),
    )
    return pl.concat([texts, _figures(rows, classes)], how="horizontal"), area


def _read_api(path: Path, year: int) -> tuple[pl.DataFrame, str]:
    try:
        header, *body = json.loads(path.read_text("utf-8"))
    except (ValueError, OSError) as error:
        raise reading.refuse(
            path, "truncated file", f"it is not a whole answer of the API ({error})", "Delete it and fetch it again."
        ) from error
    frame = pl.DataFrame(body, schema=dict.fromkeys(header, pl.String), orient="row")
    codes = f"NAICS{naics.edition(year, naics.CENSUS_BUREAU)}"
    other = [c for c in header if re.fullmatch(r"NAICS\d{4}", c) and c != codes]
    if other:
        raise _wrong_vintage(path, f"its industries are {other[0]}, those of {year} are {codes}")
    metro = _API_AREAS["metro"].partition(":")[0]
    area = (
        "county" if "county" in header else "metro" if metro in header else "state" if "state" in header else "nation"
    )
    region = {"county": ("state", "county"), "metro": (metro,), "state": ("state",), "nation": ("us",)}[area]
    rows = reading.take(
        Table(str(path), frame),
        {name: name for name in region} | {"naics": codes, "emp": "EMP", "ap": "PAYANN", "est": "ESTAB"},
        optional={"name": "NAME", "title": f"{codes}_LABEL", "emp_nf": "EMP_N", "ap_nf": "PAYANN_N"},
    )
    optional = [pl.col(c) if c in rows.text.columns else pl.lit(None, pl.String).alias(c) for c in ("name", "title")]
    place = pl.concat_str(region) if area != "nation" else pl.lit("US")
    texts = rows.text.select(place.alias("region"), pl.col("naics").alias("industry"), *optional)
    return pl.concat([texts, _figures(rows, [])], how="horizontal"), area


def _figures(rows: Rows, classes: list[str]) -> pl.DataFrame:
    """Return measures, bounds and status of each row.

    An establishment is in CBP because it has a payroll, so 0 jobs on 0 payroll cannot be a true zero: such cells are
    withheld whether a flag says so or not (in the files of 2017 none does).
    """
    problems: list[Problem] = []
    present = set(rows.text.columns)
    marked = rows.text.with_columns(pl.col(c).replace("N", None) for c in classes)  # N: this class is withheld
    numbers = reading.figures(
        Rows(rows.origin, marked, rows.columns, rows.places, rows.in_file), ["emp", "ap", "est", *classes], problems
    )
    for flag, known in (("emp_nf", NOISE_FLAGS), ("ap_nf", NOISE_FLAGS), ("empflag", tuple(EMPLOYMENT_FLAGS))):
        if flag in present:
            reading.known_codes(rows, flag, known, problems)
    reading.stop(rows.origin, problems)
    flags = ("emp_nf", "ap_nf", "empflag")
    frame = pl.concat([numbers, rows.text.select(f for f in flags if f in present)], how="horizontal").with_columns(
        pl.lit(None, pl.String).alias(f) for f in flags if f not in present
    )
    silent = (pl.col("emp") == 0) & (pl.col("ap") == 0) & (pl.col("est") > 0)
    no_jobs = (
        silent
        | pl.col("emp").is_null()
        | pl.col("empflag").is_not_null()
        | pl.col("emp_nf").is_in(_WITHHELD).fill_null(False)
    )
    no_pay = silent | pl.col("ap").is_null() | pl.col("ap_nf").is_in(_WITHHELD).fill_null(False)
    low, high = _bounds(classes)
    return frame.select(
        pl.when(~no_jobs).then("emp").alias("employment"),
        pl.col("est").alias("establishments"),
        pl.when(~no_pay).then("ap").alias("payroll"),
        pl.when(no_jobs).then(low).alias("employment_lo"),
        pl.when(no_jobs).then(high).alias("employment_hi"),
        pl.when(no_pay).then(0.0).alias("payroll_lo"),
        pl.lit(None, pl.Float64).alias("payroll_hi"),
        pl.when(no_jobs | no_pay)
        .then(pl.lit("suppressed"))
        .otherwise(reading.given(("emp", "ap", "est")))
        .alias("status"),
        pl.col("emp_nf").alias("noise"),
    )


def _bounds(classes: list[str]) -> tuple[pl.Expr, pl.Expr]:
    """Return the least and most jobs: establishments by size class times its limits, and the range flag if tighter.

    The two are drawn from figures before and after noise and may contradict each other; the flag is then right.
    """
    limits = SIZE_CLASSES | _LARGEST
    flag = pl.col("empflag")
    flag_low = flag.replace_strict({k: float(v[0]) for k, v in EMPLOYMENT_FLAGS.items()}, default=None)
    flag_high = flag.replace_strict(
        {k: float(v[1]) for k, v in EMPLOYMENT_FLAGS.items() if v[1] is not None}, default=None
    )
    if not classes:
        return pl.coalesce(flag_low, 0.0), flag_high
    low = pl.sum_horizontal(pl.col(c) * limits[c][0] for c in classes)
    closed = pl.all_horizontal(
        pl.col(c).is_not_null() if limits[c][1] is not None else pl.col(c) == 0 for c in classes
    ).fill_null(False)
    ceilings = [pl.col(c) * top for c in classes if (top := limits[c][1]) is not None]
    high = pl.when(closed).then(pl.sum_horizontal(ceilings))
    agree = (flag_low <= high).fill_null(True) & (low <= flag_high).fill_null(True)
    return (
        pl.when(agree).then(pl.max_horizontal(low, flag_low)).otherwise(flag_low),
        pl.when(agree).then(pl.min_horizontal(high, flag_high)).otherwise(flag_high),
    )


def _all_legal_forms(rows: Rows) -> Rows:
    """Keep the rows for all legal forms together, which state and national files mark with '-'."""
    if "lfo" not in rows.text.columns:
        return rows
    keep = rows.text["lfo"] == "-"
    return Rows(rows.origin, rows.text.filter(keep), rows.columns, rows.places.filter(keep), rows.in_file)


def _check_area(area: str) -> None:
    if area not in AREAS:
        raise ClusterbookError(f"CBP has no area {area!r}. It has: {', '.join(AREAS)}.")


def _area_of(header: dict[str, str]) -> str:
    if "msa" in header:
        return "metro"
    if "fipstate" in header:
        return "county" if "fipscty" in header else "state"
    return "nation" if "lfo" in header else "county"


def _check_vintage(table: Table, header: set[str], year: int) -> None:
    """Refuse a file whose layout is not that of its year: the lowest size class was renamed with 2017."""
    if year >= 2017 and "n1_4" in header:
        raise _wrong_vintage(table.origin, f"its layout is that of 2016 and before, its year is given as {year}")
    if year < 2017 and "n<5" in header:
        raise _wrong_vintage(table.origin, f"its layout is that of 2017 and after, its year is given as {year}")


def _wrong_vintage(origin: str | Path, message: str) -> DataError:
    return reading.refuse(origin, "wrong vintage", message, "Correct the file's name or the year given.")


def _source(area: str, years: list[int], edition: int, cells: pl.DataFrame) -> Source:
    caveats = [
        "Jobs are counted in the pay period of 12 March; farms, railways, most of government and the "
        "self-employed are outside."
    ]
    noise = {flag: int((cells["noise"] == flag).sum()) for flag in ("G", "H", "J")}
    if any(noise.values()):
        caveats.append(
            "Figures carry random noise against disclosure: "
            f"below 2 % in {noise['G']:,} cells, 2 to 5 % in {noise['H']:,}, 5 % or more in {noise['J']:,}."
        )
    if years[-1] >= 2017:
        caveats.append(
            "From 2017 on cells of fewer than three establishments are left out: an absent cell need not be 0."
        )
    span = str(years[0]) if len(years) == 1 else f"{years[0]} to {years[-1]}"
    return Source(
        id=f"cbp-{area}",
        title=f"County Business Patterns, {_NOUNS[area][1]}",
        publisher="U.S. Census Bureau",
        licence="Public domain (US government work)",
        vintage=f"{span}, NAICS {edition}",
        caveats=tuple(caveats),
        units={"employment": "jobs", "establishments": "establishments", "payroll": "thousand USD a year"},
    )
