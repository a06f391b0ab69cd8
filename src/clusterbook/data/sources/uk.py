"""Britain's Office for National Statistics: BRES jobs by area and industry (NOMIS), and regional gross value added."""

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
from clusterbook.errors import ClusterbookError, Problem

NOMIS = "https://www.nomisweb.co.uk/api/v01/dataset"
GVA_FILE = (
    "https://www.ons.gov.uk/file?uri=/economy/grossvalueaddedgva/datasets/"
    "nominalandrealregionalgrossvalueaddedbalancedbyindustry/current/"
    "regionalgrossvalueaddedbalancedbyindustryandallitlregions.xlsx"
)
BRES = "NM_189_1"
PAGE = 25_000  # rows NOMIS gives to a caller without an account

#: NOMIS's own codes of the 2021 ITL regions, and of SIC 2007 sections and divisions.
GEOGRAPHIES = {"itl1": "1841299457...1841299467", "itl2": "1837105153...1837105192", "itl3": "1832910849...1832911016"}
INDUSTRIES = {"section": "150994945...150994965", "division": "146800641...146800739"}

_LICENCE = "Open Government Licence v3.0; contains public sector information of the Office for National Statistics"


def fetch(
    years: Iterable[int],
    *,
    dataset: str = "bres",
    geography: str = "itl2",
    industry: str = "division",
    cache: Path | None = None,
) -> list[Path]:
    """Download BRES (CSV, pages of 25,000 rows) for some years, or the ONS workbook of regional GVA (all years).

    ``geography`` is one of ``GEOGRAPHIES`` or a code list of NOMIS, ``industry`` 'section' or 'division'. Raises
    ``ClusterbookError``.
    """
    folder = cache or cache_folder("uk")
    if dataset == "gva":
        return [download(GVA_FILE, folder / "regional-gva-by-industry.xlsx")]
    if dataset != "bres" or industry not in INDUSTRIES:
        raise ClusterbookError(
            f"dataset is 'bres' or 'gva', industry one of {', '.join(INDUSTRIES)}; not {dataset!r}, {industry!r}."
        )
    paths = []
    for year in years:
        query = {
            "geography": GEOGRAPHIES.get(geography, geography),
            "industry": INDUSTRIES[industry],
            "date": str(year),
            "employment_status": "4",
            "measure": "1",
            "measures": "20100",
        }
        place = re.sub(r"\W+", "-", geography)
        offset, count = 0, 1
        while offset < count:
            page = query | {"recordlimit": str(PAGE), "recordoffset": str(offset)}
            url = f"{NOMIS}/{BRES}.data.csv?{urllib.parse.urlencode(page, safe=',.')}"
            path = download(url, folder / f"bres-{year}-{place}-{industry}-{offset}.csv")
            count = _record_count(path)
            paths.append(path)
            offset += PAGE
    return paths


def read(paths: reading.Paths, *, sheet: str = "Table 3c") -> Panel:
    """Read BRES files of NOMIS (jobs) or an ONS table of regional GVA (million GBP, current prices) into a panel.

    The kind is told by the columns. In GVA tables the rows are nested: the total, the production and services sectors
    and every section that is divided further are left out, the total goes to ``totals``. ``sheet`` is the table of the
    ONS workbook (3c: ITL 3, current prices). A negative GVA is no size and is left blank, with a caveat.

    Raises ``DataError`` for other files, several units or measures, and marks that are not known.

    >>> panel = read("bres-2022-itl2-division-0.csv")  # doctest: +SKIP
    """
    found = reading.each(paths)
    if "OBS_VALUE" in reading.first_line(found[0]):
        return _read_bres(found)
    if len(found) > 1:
        raise ClusterbookError("A table of regional GVA is one file; several were given.")
    return _read_gva(found[0], sheet)


def _record_count(path: Path) -> int:
    frame = load_table(path).frame
    if "RECORD_COUNT" not in frame.columns:
        raise reading.refuse(
            path,
            "changed columns",
            "no column 'RECORD_COUNT' tells whether there are more pages",
            "Delete the file and fetch it again.",
        )
    return int(frame["RECORD_COUNT"][0])


def _read_bres(paths: list[Path]) -> Panel:
    parts = [_read_bres_page(path) for path in paths]
    cells = pl.concat(parts)
    years = sorted(cells["year"].unique().to_list())
    kinds = cells["kind"].unique().to_list()
    origin = ", ".join(str(p) for p in paths)
    if len(kinds) > 1:
        raise reading.refuse(
            origin,
            "mixed classification levels",
            f"industries are {' and '.join(sorted(kinds))}",
            "Read one level of SIC 2007 at a time.",
        )
    return reading.make_panel(
        cells.select("region", "industry", "year", "employment", "status"),
        Source(
            id="uk-bres",
            title="Business Register and Employment Survey, open access",
            publisher="Office for National Statistics, through NOMIS",
            licence=_LICENCE,
            vintage=", ".join(str(y) for y in years),
            caveats=(
                "Great Britain only; jobs are employees and working owners.",
                "A survey, rounded by the office; small figures have wide sampling errors.",
            ),
            units={"employment": "jobs"},
        ),
        Regions(reading.names(cells, "region", "name"), set_name="British regions"),
        Industries(reading.names(cells, "industry", "title"), "SIC 2007"),
        origin=origin,
    )


def _read_bres_page(path: Path) -> pl.DataFrame:
    rows = reading.take(
        load_table(path),
        {
            "year": "DATE",
            "region": "GEOGRAPHY_CODE",
            "name": "GEOGRAPHY_NAME",
            "industry": "INDUSTRY_CODE",
            "title": "INDUSTRY_NAME",
            "status_name": "EMPLOYMENT_STATUS_NAME",
            "measure": "MEASURE_NAME",
            "value": "OBS_VALUE",
        },
        optional={"kind": "INDUSTRY_TYPE", "observation": "OBS_STATUS"},
    )
    for column in ("status_name", "measure"):
        kinds = sorted(rows.text[column].drop_nulls().unique())
        if len(kinds) > 1:
            raise reading.refuse(
                path,
                "mixed units",
                f"column '{rows.columns[column]}' holds {' and '.join(kinds)}",
                "Ask NOMIS for one measure and one employment status.",
            )
    problems: list[Problem] = []
    numbers = reading.figures(rows, ["year", "value"], problems)
    reading.filled(rows, ["year", "region", "industry"], problems)
    if "observation" in rows.columns:
        reading.known_codes(rows, "observation", ("A", "Q"), problems)  # A: normal; Q: missing, suppressed
    reading.stop(rows.origin, problems)
    secret = pl.col("employment").is_null()
    if "observation" in rows.columns:
        secret = secret & (rows.text["observation"] == "Q").fill_null(False)
    kind = rows.text["kind"] if "kind" in rows.columns else pl.Series("kind", [""] * rows.text.height)
    frame = rows.text.select(
        "region",
        "name",
        "industry",
        pl.col("title").str.replace(r"^[0-9A-Z]+ : ", "").alias("title"),
    ).with_columns(
        kind.fill_null("").alias("kind"), numbers["year"].cast(pl.Int64), numbers["value"].alias("employment")
    )
    status = pl.when(secret).then(pl.lit("suppressed")).otherwise(status_of("employment").cast(pl.String))
    return frame.with_columns(status.alias("status"))


def _read_gva(path: Path, sheet: str) -> Panel:
    table = reading.table_below(path, "SIC07 code", sheet=sheet if path.suffix.lower() == ".xlsx" else None)
    header = table.frame.columns
    years = {name: int(name[:4]) for name in header if re.match(r"^(19|20)\d{2}($|\D)", name)}
    code = next((c for c in header if re.match(r"(?i)^itl.*code$", c)), "ITL code")
    region = next((c for c in header if re.match(r"(?i)^(region|itl).*name$", c)), "Region name")
    rows = reading.take(
        table,
        {"region": code, "name": region, "industry": "SIC07 code", "title": "SIC07 description"}
        | {name: name for name in years},
    )
    if not years:
        raise reading.refuse(path, "changed columns", "no column is a year", "Take a table with a column a year.")
    filled = rows.text["industry"].is_not_null() & rows.text["region"].is_not_null()
    rows = Rows(rows.origin, rows.text.filter(filled), rows.columns, rows.places.filter(filled), rows.in_file)
    problems: list[Problem] = []
    numbers = reading.figures(rows, years, problems)
    kept = leaves(rows.text["industry"].unique().to_list(), rows.origin)
    reading.stop(rows.origin, problems)
    long = (
        pl.concat([rows.text.select("region", "name", "industry", "title"), numbers], how="horizontal")
        .unpivot(on=list(years), index=["region", "name", "industry", "title"], variable_name="year", value_name="gva")
        .with_columns(pl.col("year").replace_strict(years, return_dtype=pl.Int64))
    )
    cells = long.filter(pl.col("industry").is_in(kept))
    totals = long.filter(pl.col("industry") == "Total").select("region", "year", "gva")
    negative = int((cells["gva"] < 0).sum())
    cells = cells.with_columns(pl.when(pl.col("gva") >= 0).then("gva"))
    note = (f"{negative} negative figures (subsidies above value added) are left blank.",) if negative else ()
    return reading.make_panel(
        cells.select("region", "industry", "year", "gva", status_of("gva")),
        Source(
            id="uk-gva",
            title="Regional gross value added (balanced) by industry, current prices",
            publisher="Office for National Statistics",
            licence=_LICENCE,
            vintage=f"{min(years.values())} to {max(years.values())}",
            caveats=(
                "Rounded to a million: sums differ from the published total by a few.",
                "Includes the imputed rent of owner-occupiers (68IMP), in which nobody works.",
                *note,
            ),
            units={"gva": "million GBP, current prices"},
        ),
        Regions(reading.names(cells, "region", "name"), set_name="ITL regions"),
        Industries(reading.names(cells, "industry", "title"), "SIC 2007"),
        origin=path,
        totals=totals if not totals.is_empty() else None,
    )


def leaves(codes: Iterable[str], origin: str = "codes") -> list[str]:
    """Return the codes of an ONS table that contain no other, so that they can be added up.

    Codes are divisions ('41'), spans of them ('49-51'), sections with their span ('F (41-43)') and totals ('Total',
    'A-E', 'G-T'). Raises ``DataError`` for a code of any other form.

    >>> leaves(["Total", "A-E", "AB (1-9)", "C (10-33)", "CA (10-12)", "CB (13-33)", "L (68)", "68", "68IMP"])
    ['68', '68IMP', 'AB (1-9)', 'CA (10-12)', 'CB (13-33)']
    """
    spans: dict[str, tuple[int, int, bool]] = {}
    problems = []
    for code in codes:
        match = re.fullmatch(r"([A-Z](?:[A-Z]|-[A-Z]|[A-Z]-[A-Z]{2})? )?\(?(\d{1,2})(?:-(\d{1,2}))?(?:IMP)?\)?", code)
        if match:
            spans[code] = (int(match[2]), int(match[3] or match[2]), match[1] is not None)
        elif not re.fullmatch(r"Total|[A-Z]-[A-Z]", code):
            remedy = "If the office has changed its rows, this reader has to learn them."
            problems.append(Problem("unknown codes", "this row is of no known kind", remedy, value=code))
    reading.stop(origin, problems)
    return sorted(code for code, span in spans.items() if not any(_contains(span, other) for other in spans.values()))


def _contains(span: tuple[int, int, bool], other: tuple[int, int, bool]) -> bool:
    """Tell whether a row covers another: a wider span, or a section over the divisions of the same span."""
    low, high, section = span
    return low <= other[0] and other[1] <= high and ((low, high) != other[:2] or (section and not other[2]))
