"""Tables as people have them: files and frames read alike, columns found by name, every row with its place."""

from __future__ import annotations

import csv
import difflib
import io
import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import narwhals as nw
import polars as pl
from narwhals import selectors
from narwhals.exceptions import NarwhalsError
from narwhals.typing import IntoFrame

from clusterbook.errors import ClusterbookError, DataError, Problem

#: What a table can be given as: the path of a file, or a pandas, Polars (eager or lazy) or PyArrow frame.
TableLike: TypeAlias = IntoFrame | str | PathLike[str]

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet", ".xlsx")
SEPARATORS = (",", ";", "\t")

#: The names under which a column is found without being told, compared in lower case with '_' for all other marks.
USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "region": (
        *("region", "region_code", "region_id", "geo", "geo_code", "geoid", "geography", "geography_code"),
        *("area", "area_code", "area_fips", "fips", "fips_code", "county_fips", "nuts", "nuts_code", "nuts_id"),
        *("nuts1", "nuts2", "nuts3", "itl", "itl_code", "itl1", "itl2", "itl3", "cbsa", "cbsa_code", "msa"),
        *("msa_code", "lad", "lad_code", "lga", "lga_code", "sa2", "sa3", "sa4", "czone"),
    ),
    "industry": (
        *("industry", "industry_code", "industry_id", "ind", "activity", "activity_code", "naics", "naics_code"),
        *("nace", "nace_code", "nace_r2", "isic", "isic_code", "sic", "sic_code", "sic07", "sic2007", "anzsic"),
        *("anzsic_code", "noga", "wz", "wz08"),
    ),
    "year": ("year", "yr", "ref_year", "reference_year", "time", "time_period", "period", "date"),
    "employment": (
        *("employment", "emp", "empl", "employed", "employees", "persons_employed", "jobs", "workers"),
        "annual_avg_emplvl",
    ),
    "establishments": ("establishments", "est", "estab", "estabs", "plants", "local_units", "annual_avg_estabs"),
    "payroll": ("payroll", "annual_payroll", "ap", "payann", "wages", "wage_bill", "total_annual_wages"),
    "status": ("status", "flag", "flags", "obs_flag"),
    "region_name": (
        *("region_name", "region_title", "region_label", "geo_name", "geo_label", "geography_name", "area_name"),
        *("area_title", "county_name", "cbsa_name", "cbsa_title", "msa_name", "nuts_name", "itl_name", "lad_name"),
    ),
    "industry_title": (
        *("industry_title", "industry_name", "industry_label", "title", "activity_name", "naics_title"),
        *("naics_name", "nace_title", "nace_name", "nace_label", "nace_r2_label", "isic_title", "isic_name"),
        *("sic_title", "sic_name", "anzsic_title", "anzsic_name"),
    ),
    "cluster": ("cluster", "cluster_id", "cluster_code"),
    "label": ("label", "cluster_label", "cluster_name", "cluster_title"),
    "subcluster": ("subcluster", "subcluster_id", "subcluster_code", "subcluster_name"),
    "weight": ("weight",),
    "kind": ("kind", "cluster_kind"),
    "id": ("id", "plant", "plant_id", "establishment_id", "facility_id", "unit_id", "local_unit_id"),
    "lon": ("lon", "long", "lng", "longitude"),
    "lat": ("lat", "latitude"),
    "x": ("x", "easting", "x_m"),
    "y": ("y", "northing", "y_m"),
    "size": ("size",),
    "owner": ("owner", "owner_id", "parent_company", "parent", "enterprise", "enterprise_id", "firm", "firm_id"),
}

_UNREADABLE = "Open the file in the program it comes from and save it again as CSV (UTF-8), Excel (.xlsx) or Parquet."


@dataclass(frozen=True)
class Table:
    """A table as it was given. ``lines`` holds the line of each row; None where there is no file with lines."""

    origin: str
    frame: pl.DataFrame
    lines: pl.Series | None = None


@dataclass(frozen=True)
class Rows:
    """The columns a reader asked for, all as trimmed text; empty fields are null, empty rows left out.

    ``columns`` gives the name of each column in the user's table. ``places`` is the line of each row (the header is
    line 1) where ``in_file``, otherwise its number counted from 0.
    """

    origin: str
    text: pl.DataFrame
    columns: Mapping[str, str]
    places: pl.Series
    in_file: bool


def load_table(data: TableLike, *, sheet: str | None = None) -> Table:
    """Read a file or take a frame, without judging its content.

    CSV (separator , ; or tab; UTF-8, UTF-16 with a byte order mark, else Windows-1252 with a warning) is read as text
    throughout, so that leading zeros stay. ``sheet`` names a sheet of an Excel file (default: the first).

    Raises ``ClusterbookError`` for a file that is not there or of an unknown kind, and ``DataError`` for one that
    cannot be read.
    """
    if isinstance(data, str | PathLike):
        return _load_file(Path(data), sheet)
    if sheet is not None:
        raise ClusterbookError(f"sheet={sheet!r} was given with a data frame; only Excel files have sheets.")
    return Table("data frame", _load_frame(data))


def find_columns(
    table: Table, named: Mapping[str, str | None], needed: Collection[str], remedy: str
) -> tuple[dict[str, str], list[Problem]]:
    """Find the column of each meaning in ``named``: the one the caller gave, otherwise one with a usual name.

    Returns the columns found, by meaning, and the problems: a column that was named or is ``needed`` but is not
    there, and meanings for which several columns could stand.
    """
    present = table.frame.columns
    free = [column for column in present if column not in named.values()]
    listing = names(present)
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for meaning, given in named.items():
        matches = [given] if given else [c for c in free if _plain(c) in USUAL_NAMES.get(meaning, (meaning,))]
        if given and given not in present:
            message = f"no column {given!r} for {meaning}{did_you_mean(given, present)}; there are {listing}"
            problems.append(Problem("missing columns", message, remedy))
        elif len(matches) > 1:
            message = f"{meaning} could be any of {names(matches)}"
            problems.append(Problem("ambiguous columns", message, remedy))
        elif matches:
            found[meaning] = matches[0]
        elif meaning in needed:
            message = f"no column for {meaning}; there are {listing}"
            problems.append(Problem("missing columns", message, remedy))
    return found, problems


def pick(table: Table, columns: Mapping[str, str], constants: Mapping[str, str]) -> Rows:
    """Take columns of a table as text under the names of their meanings, and add columns of one value.

    Raises ``DataError`` when no row is left.
    """
    schema = table.frame.schema
    places = pl.int_range(table.frame.height, eager=True) if table.lines is None else table.lines
    text = table.frame.select(_as_text(own, schema[own]).alias(name) for name, own in columns.items())
    filled = text.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    if not filled.any():
        raise _empty(table.origin)
    text = text.filter(filled).with_columns(pl.lit(value).alias(name) for name, value in constants.items())
    return Rows(table.origin, text, columns, places.filter(filled), table.lines is not None)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return ' (did you mean ...?)' with the nearest known word, or ''."""
    nearest = difflib.get_close_matches(word, known, n=1)
    return f" (did you mean {nearest[0]!r}?)" if nearest else ""


def names(words: Sequence[str]) -> str:
    """Return words quoted and listed, the first twenty of them."""
    shown = ", ".join(repr(word) for word in words[:20])
    return shown if len(words) <= 20 else f"{shown} and {len(words) - 20} more"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _as_text(column: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column as trimmed text; a float that is whole loses its '.0', as codes and years come in floats."""
    value = pl.col(column)
    if dtype.is_float():
        whole = (value == value.floor()) & (value.abs() < 2**53)
        whole_text = pl.when(whole).then(value).cast(pl.Int64).cast(pl.String)
        return pl.coalesce(whole_text, value.fill_nan(None).cast(pl.String))
    text = value.cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text)


def _load_frame(data: IntoFrame) -> pl.DataFrame:
    try:
        frame = nw.from_native(data)
        eager = frame.collect("polars") if isinstance(frame, nw.LazyFrame) else frame
        # pandas columns that mix numbers and marks such as '(D)' are objects, which Arrow and Polars refuse
        return eager.with_columns(selectors.by_dtype(nw.Object).cast(nw.String)).to_polars()
    except (NarwhalsError, pl.exceptions.PolarsError, ValueError, TypeError, ImportError) as error:
        raise ClusterbookError(
            f"A {type(data).__name__} cannot be taken for a table: {error}. Give the path of a file "
            f"({', '.join(SUFFIXES)}) or a pandas, Polars or PyArrow frame."
        ) from error


def _load_file(path: Path, sheet: str | None) -> Table:
    if not path.is_file():
        raise ClusterbookError(f"{path}: there is no such file. Check the path (seen from {Path.cwd()}).")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ClusterbookError(f"{path}: files of kind '{suffix}' are not read. Use one of {', '.join(SUFFIXES)}.")
    if sheet is not None and suffix != ".xlsx":
        raise ClusterbookError(f"{path}: sheet={sheet!r} was given, but only Excel files have sheets.")
    try:
        if suffix == ".parquet":
            return Table(str(path), pl.read_parquet(path))
        return _load_excel(path, sheet) if suffix == ".xlsx" else _load_csv(path)
    except pl.exceptions.NoDataError:
        raise _empty(str(path)) from None
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise _refused(
            str(path), "unreadable file", f"it is not a sound {suffix} file: {reason}", _UNREADABLE
        ) from error


def _load_excel(path: Path, sheet: str | None) -> Table:
    """Read one sheet; columns of numbers keep their full precision, mixed ones become text."""
    import fastexcel  # slow to load, and needed for Excel only

    try:
        sheets = fastexcel.read_excel(path).sheet_names
    except fastexcel.FastExcelError as error:
        raise _refused(str(path), "unreadable file", f"it is not a sound .xlsx file: {error}", _UNREADABLE) from error
    if sheet is not None and sheet not in sheets:
        raise ClusterbookError(
            f"{path}: there is no sheet {sheet!r}{did_you_mean(sheet, sheets)}. It has {names(sheets)}."
        )
    frame = pl.read_excel(
        path, sheet_name=sheet or sheets[0], engine="calamine", infer_schema_length=None, drop_empty_rows=False
    )
    return Table(str(path), frame, pl.int_range(2, frame.height + 2, eager=True))


def _load_csv(path: Path) -> Table:
    content = _decode(path)
    separator, header = _header(content)
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        message = f"more than one column is called {names(repeated)}"
        raise _refused(str(path), "repeated columns", message, "Rename or drop one.")
    try:
        frame = pl.read_csv(io.BytesIO(content.encode()), separator=separator, infer_schema=False)
    except pl.exceptions.ComputeError:
        if long := _long_rows(content, separator, len(header)):
            raise DataError(str(path), long) from None
        raise
    return Table(str(path), frame, _lines_below(1 + sum(name.count("\n") for name in header), frame))


def _decode(path: Path) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        content = raw.decode("cp1252")
        warnings.warn(
            f"{path} is not UTF-8; it was read as Windows-1252 (Latin-1). If accented letters look wrong, save it "
            "as 'CSV UTF-8' and read it again.",
            stacklevel=2,
        )
        return content


def _header(content: str) -> tuple[str, list[str]]:
    """Return the separator that gives the first record the most fields, and these fields."""
    first = {mark: next(csv.reader(io.StringIO(content), delimiter=mark), []) for mark in SEPARATORS}
    separator = max(SEPARATORS, key=lambda mark: len(first[mark]))
    return separator, first[separator]


def _lines_below(header: int, frame: pl.DataFrame) -> pl.Series:
    """Return the line on which each row starts, under a header of so many lines; quoted fields may break lines."""
    texts = pl.selectors.string()
    breaks = pl.sum_horizontal(pl.lit(0, pl.UInt32), texts.str.count_matches("\n", literal=True))
    before = breaks.cum_sum().shift(1, fill_value=0)
    return frame.select(pl.int_range(pl.len()) + header + 1 + before).to_series()


def _long_rows(content: str, separator: str, width: int) -> list[Problem]:
    """Return the rows with more fields than the header has: a separator within a field that lacks its quotes."""
    reader = csv.reader(io.StringIO(content), delimiter=separator)
    remedy = "Put fields that contain the separator in double quotes, and write decimals with a point."
    return [
        Problem("uneven rows", f"{len(row)} fields where the header has {width}", remedy, reader.line_num)
        for row in reader
        if len(row) > width
    ]


def _empty(origin: str) -> DataError:
    return _refused(origin, "empty table", "there are no rows in it", "Check that this is the table you meant.")


def _refused(origin: str, check: str, message: str, remedy: str) -> DataError:
    return DataError(origin, [Problem(check, message, remedy)])
