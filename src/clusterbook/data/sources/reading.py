"""What the readers of official files share: columns that must be there, figures that must be figures, whole panels."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import polars as pl

from clusterbook.data import checks
from clusterbook.data.industries import Industries
from clusterbook.data.panel import KEYS, STATUS, Panel, Source, sort_cells
from clusterbook.data.regions import Regions
from clusterbook.data.tables import TEXT_SUFFIXES, Rows, Table, did_you_mean, pick
from clusterbook.errors import ClusterbookError, DataError, Problem

#: One file or several of one kind (years, pages, parts), as ``fetch`` returns them.
Paths: TypeAlias = str | PathLike[str] | Sequence[str | PathLike[str]]

#: What a spreadsheet makes of ':' and '1-4' when it takes them for a time or a date.
ACCIDENT = r"(?i)^(\d{1,2}:\d{2}(:\d{2})?(\s?[ap]m)?|\d{1,2}[-/.](\d{1,2}|[a-z]{3})([-/.]\d{2,4})?|#[a-z/0]+[!?]?)$"
_AS_PUBLISHED = "Correct the field in the file, or take the file from the office again."
_CUT = "The office leaves no such field empty: the file was cut short or edited. Delete it and fetch it again."
_ACCIDENT_REMEDY = (
    "A spreadsheet program has rewritten these cells, and what stood there is lost. Take the file from the office "
    "again and do not open and save it in a spreadsheet."
)


def each(paths: Paths) -> list[Path]:
    """Return the files as a list, whether one was given or several."""
    found = [Path(paths)] if isinstance(paths, str | PathLike) else [Path(p) for p in paths]
    if not found:
        raise ClusterbookError("No file was given to read.")
    return found


def take(table: Table, columns: Mapping[str, str], *, optional: Mapping[str, str] | None = None) -> Rows:
    """Take the named columns of an office's file as text, under the names of their meanings.

    ``columns`` and ``optional`` map a meaning to the office's own header, compared without regard to case. Raises
    ``DataError`` when one of ``columns`` is not there: the office has changed its file, or it is another file.
    """
    present = {name.strip().lower(): name for name in table.frame.columns}
    present |= {name: name for name in table.frame.columns}  # the very name goes before one in another case
    found = {own: present.get(own, present.get(own.lower())) for own in [*columns.values(), *(optional or {}).values()]}
    missing = [own for own in columns.values() if found[own] is None]
    if missing:
        listing = ", ".join(repr(name) for name in table.frame.columns[:30])
        problems = [
            Problem(
                "changed columns",
                f"no column {own!r}{did_you_mean(own, list(present.values()))}; there are {listing}",
                "This is not the file this reader knows, or the office has changed it. See docs/sources.md for the "
                "layouts; a file of any other layout is read with the source 'tidy'.",
                column=own,
            )
            for own in missing
        ]
        raise DataError(table.origin, problems)
    wanted = dict(columns) | dict(optional or {})
    return pick(table, {meaning: name for meaning, own in wanted.items() if (name := found[own]) is not None}, {})


def figures(rows: Rows, columns: Iterable[str], problems: list[Problem]) -> pl.DataFrame:
    """Return columns of ``rows`` as numbers; empty fields are null, and whatever is no number joins ``problems``."""
    out: dict[str, pl.Series] = {}
    for name in columns:
        text = rows.text[name]
        number = text.cast(pl.Float64, strict=False).fill_nan(None)
        wrong = text.is_not_null() & number.is_null()
        accident = wrong & text.str.contains(ACCIDENT).fill_null(False)
        message = "a spreadsheet has put a clock time or date where a figure or mark stood"
        problems += [
            Problem("spreadsheet accident", message, _ACCIDENT_REMEDY, found.line, found.column, found.value)
            for found in checks.not_a_number(rows, name, accident)
        ]
        found_wrong = checks.not_a_number(rows, name, wrong & ~accident)
        problems += [replace(found, remedy=_AS_PUBLISHED) for found in found_wrong]
        out[name] = number
    return pl.DataFrame(out)


def filled(rows: Rows, columns: Iterable[str], problems: list[Problem]) -> None:
    """Add a problem for each empty field in columns that an office always fills: the file was cut short or edited."""
    for name in columns:
        empty = checks.faults(rows, "missing values", rows.text[name].is_null(), "empty", name)
        problems += [replace(found, remedy=_CUT) for found in empty]


def known_codes(rows: Rows, column: str, known: Iterable[str], problems: list[Problem]) -> None:
    """Add a problem for each code of a column that nobody has explained."""
    codes = sorted(known)
    remedy = f"Known are {', '.join(codes)}. If the office has added a code, this reader has to learn what it means."
    problems += [replace(found, remedy=remedy) for found in checks.unknown_codes(rows, column, codes)]


def refuse(origin: str | Path, check: str, message: str, remedy: str) -> DataError:
    """Return the error for a file with one fault."""
    return DataError(str(origin), [Problem(check, message, remedy)])


def stop(origin: str | Path, problems: Sequence[Problem]) -> None:
    """Raise ``DataError`` when there are problems."""
    if problems:
        raise DataError(str(origin), problems)


def first_line(path: Path) -> str:
    """Return the first line of a text file, '' for any other, to tell layouts apart."""
    if not path.is_file():
        raise ClusterbookError(f"{path}: there is no such file. Check the path (seen from {Path.cwd()}).")
    if path.suffix.lower() not in TEXT_SUFFIXES:
        return ""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return file.readline()


def table_below(path: Path, heading: str, *, sheet: str | None = None) -> Table:
    """Read a table that stands below a title block: the header is the first row with a cell equal to ``heading``.

    Raises ``DataError`` when no row has such a cell.
    """
    grid, lines = _grid(path, sheet)
    for k, row in enumerate(grid):
        cells = [cell.strip() for cell in row]
        if heading.lower() in (cell.lower() for cell in cells):
            header = _unique(cells)
            body = [[*r, *[""] * len(header)][: len(header)] for r in grid[k + 1 :]]
            frame = pl.DataFrame(body, schema=dict.fromkeys(header, pl.String), orient="row")
            return Table(str(path), frame, pl.Series(lines[k + 1 :], dtype=pl.Int64))
    raise refuse(
        path,
        "changed columns",
        f"no header row with a cell {heading!r}",
        "This is not the file this reader knows, or the office has changed it. See docs/sources.md.",
    )


def cells(path: Path, *, sheet: str | None = None) -> list[list[str]]:
    """Return a CSV file or a sheet of an Excel file as rows of text, without looking for a header."""
    return _grid(path, sheet)[0]


def pay_is_plausible(frame: pl.DataFrame, origin: str | Path) -> None:
    """Raise ``DataError`` when payroll per job is not of the order of thousands of USD a year.

    Payroll in dollars or millions is wrong by a factor of a thousand, which no wage anywhere explains.
    """
    known = frame.drop_nulls(["employment", "payroll"]).filter(pl.col("employment") > 0)
    if known.is_empty() or not known["employment"].sum():
        return
    pay = float(known["payroll"].sum()) / float(known["employment"].sum())
    if not 1 <= pay <= 2000:
        message = f"payroll is {pay:,.3g} thousand USD a job: it is not in the unit this file is published in"
        raise refuse(origin, "mixed units", message, "Take the file from the office again; do not convert it.")


def given(measures: Iterable[str]) -> pl.Expr:
    """Return the status of rows from which nothing is withheld: zero when all figures are 0."""
    columns = [pl.col(name) for name in measures]
    name = (
        pl.when(pl.any_horizontal(column.is_null() for column in columns))
        .then(pl.lit("not_collected"))
        .when(pl.all_horizontal(column == 0 for column in columns))
        .then(pl.lit("zero"))
        .otherwise(pl.lit("disclosed"))
    )
    return name.alias("status")


def make_panel(
    frame: pl.DataFrame,
    source: Source,
    regions: Regions,
    industries: Industries,
    *,
    origin: str | Path,
    totals: pl.DataFrame | None = None,
) -> Panel:
    """Make a panel of cells that have region, industry, year, measures, bounds and a status.

    Bounds that no cell has are left out. Raises ``DataError`` when there are no cells, when one occurs twice, and for
    negative figures and crossed bounds.
    """
    if frame.is_empty():
        raise refuse(
            origin,
            "empty table",
            "no row is of the kind asked for",
            "Check the level, area and years asked for against what the file holds.",
        )
    measures = [c for c in frame.columns if c not in (*KEYS, "status") and not c.endswith(("_lo", "_hi"))]
    rows = Rows(str(origin), frame, {}, pl.int_range(frame.height, eager=True), in_file=False)
    problems = checks.duplicate_keys(rows, frame.select(KEYS))
    for name in measures:
        problems += checks.negative_values(rows, name, frame[name])
        if f"{name}_hi" in frame.columns:
            problems += checks.crossed_bounds(rows, name, frame[f"{name}_lo"], frame[f"{name}_hi"])
    stop(origin, problems)
    bounds = [f"{name}{end}" for name in measures for end in ("_lo", "_hi") if f"{name}_lo" in frame.columns]
    unused = [name for name in bounds if frame[f"{name[:-3]}_lo"].is_null().all()]
    cells = frame.drop(unused).select(*KEYS, pl.exclude(*KEYS, "status"), pl.col("status").cast(STATUS))
    if totals is not None:
        totals = totals.sort("year", "region")
    return Panel(sort_cells(cells.with_columns(pl.col("year").cast(pl.Int64))), source, regions, industries, totals)


def names(frame: pl.DataFrame, code: str, label: str) -> pl.DataFrame:
    """Return one row a code with its label (``code``, ``label``), the code itself where it has none."""
    return (
        frame.group_by(code).agg(pl.col(label).drop_nulls().first()).with_columns(pl.coalesce(label, code)).sort(code)
    )


def _grid(path: Path, sheet: str | None) -> tuple[list[list[str]], list[int]]:
    if not path.is_file():
        raise ClusterbookError(f"{path}: there is no such file. Check the path (seen from {Path.cwd()}).")
    if path.suffix.lower() == ".xlsx":
        rows = _excel(path, sheet)
    else:
        reader = csv.reader(io.StringIO(path.read_text("utf-8-sig")))
        numbered = [(reader.line_num, row) for row in reader]
        return [row for _, row in numbered], [line for line, _ in numbered]
    return rows, list(range(1, len(rows) + 1))


def _excel(path: Path, sheet: str | None) -> list[list[str]]:
    import fastexcel  # slow to load, and needed for Excel only

    try:
        book = fastexcel.read_excel(path)
    except fastexcel.FastExcelError as error:
        raise refuse(
            path, "truncated file", f"it is not a whole Excel file: {error}", "Delete it and fetch it again."
        ) from error
    if sheet is not None and sheet not in book.sheet_names:
        there = ", ".join(repr(name) for name in book.sheet_names)
        raise refuse(
            path,
            "wrong vintage",
            f"no sheet {sheet!r}{did_you_mean(sheet, book.sheet_names)}; there are {there}",
            "Name a sheet that is there, or take the edition of the file that has it.",
        )
    loaded = book.load_sheet(
        sheet or book.sheet_names[0], header_row=None, dtypes="string", skip_whitespace_tail_rows=True
    )
    return [["" if cell is None else str(cell) for cell in row] for row in loaded.to_polars().iter_rows()]


def _unique(header: Sequence[str]) -> list[str]:
    """Name unnamed and repeated columns by their place, so that each can be told apart."""
    return [name if name and name not in header[:k] else f"{name or 'column'}#{k + 1}" for k, name in enumerate(header)]
