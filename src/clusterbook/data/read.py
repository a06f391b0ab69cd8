"""Reading a panel from a table, with every fault reported at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path

import polars as pl

from clusterbook.data import checks
from clusterbook.data.industries import Industries
from clusterbook.data.panel import KEYS, STATUS, Panel, Source, sort_cells
from clusterbook.data.regions import Regions
from clusterbook.data.tables import Rows, Table, TableLike, find_columns, load_table, names, pick
from clusterbook.errors import ClusterbookError, DataError, Problem

#: Texts, in place of a figure or in a status column, that say it is kept secret. Case matters: Eurostat's 's' is not
#: a US 'S'.
SUPPRESSED = ("(D)", "D", "(S)", "S", "c", "(c)", ":c", ": c", "*", "x", "(x)", "suppressed")

#: Texts that say there is no figure.
NOT_COLLECTED = (":", "..", "...", "-", "n/a", "N/A", "na", "NA", "not_collected")

_REMEDY = (
    "Name the columns yourself, e.g. read_panel(..., region='your column', employment='your column'), and give "
    "year=2019 for a table of one year; other measures with measures={'gva': 'your column'}."
)


def read_panel(
    data: TableLike,
    *,
    region: str | None = None,
    industry: str | None = None,
    year: str | int | None = None,
    employment: str | None = None,
    establishments: str | None = None,
    payroll: str | None = None,
    measures: Mapping[str, str] | None = None,
    status: str | Mapping[str, str] | None = None,
    region_name: str | None = None,
    industry_title: str | None = None,
    regions: Regions | None = None,
    industries: Industries | None = None,
    source: Source | None = None,
    suppressed: Collection[str] = SUPPRESSED,
    not_collected: Collection[str] = NOT_COLLECTED,
    allow: Collection[str] = (),
    sheet: str | None = None,
) -> Panel:
    """Read a tidy table of regions x industries x years into a ``Panel``.

    ``data`` is the path of a CSV, Parquet or Excel file or a pandas, Polars (eager or lazy) or PyArrow frame, with one
    row for each region, industry and year. Columns are found by their usual names (``tables.USUAL_NAMES``) or named:

    - ``region``, ``industry``: codes, kept as text with their leading zeros; ``year``: a column of whole years, or the
      year itself as an integer;
    - ``employment`` (jobs), ``establishments`` (a count), ``payroll`` (any currency: state it in ``source.units``) and
      any other non-negative quantity as ``measures={'gva': 'column'}``; at least one;
    - ``status``: a column of marks on the figures, or one for each measure as ``{'employment': 'emp_flag'}``;
    - ``region_name``, ``industry_title``: labels, used where ``regions`` or ``industries`` are not given.

    A figure is *suppressed* when a mark of ``suppressed`` stands in its place or in its status column (a number beside
    such a mark is not used), or when it is empty but has bounds in columns ``<column>_lo`` or ``<column>_hi``. It
    becomes null, with bounds ``<measure>_lo`` (0 unless given) and ``<measure>_hi`` (null unless given). It is *not
    collected* when a mark of ``not_collected`` stands in its place, or beside an empty field. A figure with the
    status 'imputed' keeps its value and its bounds. The status of a row is that of its least certain figure:
    suppressed, not collected, imputed, disclosed; zero when all figures are 0.

    ``regions`` and ``industries`` give names, levels and trees; codes they lack are reported. ``source`` says what
    pages print under the figures (default: the file's name). ``allow`` accepts the findings of checks by name
    (``checks.ALLOWABLE``), e.g. ``allow=('missing years',)``. ``sheet`` names a sheet of an Excel file.

    Raises ``DataError`` with every problem found; ``ClusterbookError`` for a file that is not there or arguments that
    make no sense. Nothing is ever read in part.

    >>> import polars as pl
    >>> table = pl.DataFrame({"fips": ["01001", "01003"], "naics": ["3361", "3361"], "emp": ["120", "(D)"]})
    >>> panel = read_panel(table, year=2019)
    >>> panel.frame.select("region", "employment", "status").rows()
    [('01001', 120.0, 'disclosed'), ('01003', None, 'suppressed')]
    """
    checks.require_allowable(allow)
    table = load_table(data, sheet=sheet)
    usual = {"employment": employment, "establishments": establishments, "payroll": payroll}
    further = measures or {}
    _require_free_names(further, {*KEYS, "status", *usual})
    named = {"region": region, "industry": industry, "region_name": region_name, "industry_title": industry_title}
    named |= {**usual, **further}
    named |= {} if isinstance(year, int) else {"year": year}
    named |= _status_columns(status)
    columns, found = _find(table, named, [*usual, *further])
    rows = pick(table, columns, {"year": str(year)} if isinstance(year, int) else {})
    cells = _cells(rows, found, suppressed, not_collected)
    places = regions or Regions(_labels(rows, cells, "region", "name", "region_name"))
    trades = industries or Industries(_labels(rows, cells, "industry", "title", "industry_title"))
    problems = [
        *_field_problems(rows, cells, found),
        *_code_problems(rows, cells, places, trades, found[0]),
        *checks.missing_years(rows, cells),
    ]
    unaccepted = [problem for problem in problems if problem.check not in allow]
    if unaccepted:
        raise DataError(table.origin, unaccepted)
    return Panel(
        frame=sort_cells(cells.select(*KEYS, *_quantities(cells, found), _row_status(found))),
        source=source or _default_source(data),
        regions=replace(places, frame=_complete(places.frame, cells["region"], "name")),
        industries=replace(trades, frame=_complete(trades.frame, cells["industry"], "title")),
    )


def _require_free_names(measures: Collection[str], taken: Collection[str]) -> None:
    for name in measures:
        if name in taken or name.endswith(("_lo", "_hi")):
            raise ClusterbookError(f"measures: '{name}' has a meaning of its own; choose another name for the measure.")


def _status_columns(status: str | Mapping[str, str] | None) -> dict[str, str | None]:
    """Return the columns of marks: 'status' for all measures, or '<measure>.status'."""
    if isinstance(status, Mapping):
        return {f"{measure}.status": column for measure, column in status.items()}
    return {"status": status}


def _find(table: Table, named: Mapping[str, str | None], measures: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """Return the column of each meaning, and the measures among them.

    Beside each measure there may be its bounds, '<measure>_lo' and '<measure>_hi', and marks, '<measure>.status'.
    """
    columns, problems = find_columns(table, named, [key for key in KEYS if key in named], _REMEDY)
    found = [name for name in measures if name in columns]
    if not found and not problems:
        message = f"no column for any measure ({', '.join(measures)}); there are {names(table.frame.columns)}"
        problems = [Problem("missing columns", message, _REMEDY)]
    if problems:
        raise DataError(table.origin, problems)
    for name in columns:
        if name.endswith(".status") and name.removesuffix(".status") not in found:
            raise ClusterbookError(f"status: no measure '{name.removesuffix('.status')}' is read from {table.origin}.")
    if "status" in columns:
        marks = columns.pop("status")
        columns |= {f"{name}.status": marks for name in found}
    bounds = {f"{name}{end}": f"{columns[name]}{end}" for name in found for end in ("_lo", "_hi")}
    return columns | {name: own for name, own in bounds.items() if own in table.frame.columns}, found


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64, strict=False).fill_nan(None)


def _cells(
    rows: Rows, measures: Collection[str], suppressed: Collection[str], not_collected: Collection[str]
) -> pl.DataFrame:
    """Return the keys, and for each measure its number, its bounds and '<measure>.state', row by row."""
    year = _number("year")
    whole = (year == year.floor()) & (year.abs() < 1_000_000)
    keys = rows.text.select("region", "industry", pl.when(whole).then(year).cast(pl.Int64))
    marks = list(suppressed), list(not_collected)
    return pl.concat([keys, *(_figures(rows.text, measure, *marks) for measure in measures)], how="horizontal")


def _figures(text: pl.DataFrame, measure: str, suppressed: list[str], not_collected: list[str]) -> pl.DataFrame:
    """Return the numbers of a measure, their bounds where suppressed or imputed, and the state of each field."""
    no_number, no_text = pl.lit(None, pl.Float64), pl.lit(None, pl.String)
    present = text.columns
    field, number, low, high, mark = (pl.col(name) for name in ("field", "number", "low", "high", "mark"))
    parts = text.select(
        field=measure,
        number=_number(measure),
        low=_number(f"{measure}_lo") if f"{measure}_lo" in present else no_number,
        high=_number(f"{measure}_hi") if f"{measure}_hi" in present else no_number,
        mark=f"{measure}.status" if f"{measure}.status" in present else no_text,
    ).with_columns(
        state=pl.when(field.is_in(suppressed) | mark.is_in(suppressed))
        .then(pl.lit("suppressed"))
        .when(field.is_in(not_collected))
        .then(pl.lit("not_collected"))
        .when(number.is_not_null() & (mark == "imputed"))
        .then(pl.lit("imputed"))
        .when(number.is_not_null())
        .then(pl.lit("given"))
        .when(field.is_not_null())
        .then(pl.lit("not a number"))
        .when(low.is_not_null() | high.is_not_null())
        .then(pl.lit("suppressed"))
        .when(mark.is_in(not_collected))
        .then(pl.lit("not_collected"))
        .otherwise(pl.lit("missing"))
    )
    secret, imputed = pl.col("state") == "suppressed", pl.col("state") == "imputed"
    return parts.select(
        pl.when((pl.col("state") == "given") | imputed).then(number).alias(measure),
        pl.when(secret).then(low.fill_null(0)).when(imputed).then(low).alias(f"{measure}_lo"),
        pl.when(secret | imputed).then(high).alias(f"{measure}_hi"),
        pl.col("state").alias(f"{measure}.state"),
    )


def _quantities(cells: pl.DataFrame, measures: Collection[str]) -> list[str]:
    """Return the columns of figures a panel gets: all measures, then the bounds of those that have any."""
    ends = ("_lo", "_hi")
    bounded = [name for name in measures if any(cells[f"{name}{end}"].is_not_null().any() for end in ends)]
    return [*measures, *(f"{name}{end}" for name in bounded for end in ends)]


def _row_status(measures: Collection[str]) -> pl.Expr:
    """Return the status of the least certain figure of each row."""
    states = [pl.col(f"{name}.state") for name in measures]
    name = (
        pl.when(pl.any_horizontal(state == "suppressed" for state in states))
        .then(pl.lit("suppressed"))
        .when(pl.any_horizontal(~state.is_in(["given", "imputed"]) for state in states))
        .then(pl.lit("not_collected"))
        .when(pl.any_horizontal(state == "imputed" for state in states))
        .then(pl.lit("imputed"))
        .when(pl.all_horizontal(pl.col(name) == 0 for name in measures))
        .then(pl.lit("zero"))
        .otherwise(pl.lit("disclosed"))
    )
    return name.cast(STATUS).alias("status")


def _field_problems(rows: Rows, cells: pl.DataFrame, measures: Collection[str]) -> list[Problem]:
    problems = [
        *checks.missing_keys(rows, KEYS),
        *checks.not_a_year(rows, cells["year"]),
        *checks.duplicate_keys(rows, cells.select(KEYS)),
    ]
    for name in measures:
        state = cells[f"{name}.state"]
        problems += checks.faults(rows, "missing values", state == "missing", "empty", name)
        problems += checks.not_a_number(rows, name, state == "not a number")
        problems += checks.negative_values(rows, name, cells[name])
        problems += checks.infinite_values(rows, name, cells[name])
        problems += _bound_problems(rows, name)
    return problems


def _bound_problems(rows: Rows, measure: str) -> list[Problem]:
    ends = [f"{measure}{end}" for end in ("_lo", "_hi") if f"{measure}{end}" in rows.columns]
    problems = []
    values = rows.text.select(_number(end) for end in ends)
    for end in ends:
        bad = values[end].is_null() & rows.text[end].is_not_null()
        problems += checks.not_a_number(rows, end, bad)
        problems += checks.negative_values(rows, end, values[end])
        problems += checks.infinite_values(rows, end, values[end])
    if len(ends) == 2:
        problems += checks.crossed_bounds(rows, measure, *values.get_columns())
    return problems


def _code_problems(
    rows: Rows, cells: pl.DataFrame, regions: Regions, industries: Industries, measure: str
) -> list[Problem]:
    return [
        *checks.unknown_codes(rows, "region", regions.frame["region"].to_list()),
        *checks.unknown_codes(rows, "industry", industries.frame["industry"].to_list()),
        *checks.mixed_geography_levels(rows, regions),
        *checks.mixed_classification_levels(rows, industries),
        *checks.totals_mixed_with_parts(rows, cells, "region", measure, regions.names()),
        *checks.totals_mixed_with_parts(rows, cells, "industry", measure, industries.titles),
    ]


def _labels(rows: Rows, cells: pl.DataFrame, key: str, label: str, column: str) -> pl.DataFrame:
    """Return each code with its label: that of the last year that has one, or the code itself."""
    text = pl.col(column) if column in rows.columns else pl.lit(None, pl.String)
    return (
        rows.text.select(key, text.alias(label), year=cells["year"])
        .drop_nulls(key)
        .group_by(key)
        .agg(pl.col(label).sort_by("year", maintain_order=True).drop_nulls().last())
        .with_columns(pl.coalesce(label, key).alias(label))
        .sort(key)
    )


def _complete(frame: pl.DataFrame, codes: pl.Series, label: str) -> pl.DataFrame:
    """Return labels with the codes they lack added, the code for a label."""
    key = codes.name
    lacking = codes.filter(~codes.is_in(frame[key].to_list())).unique()
    if lacking.is_empty():
        return frame
    return pl.concat([frame, pl.DataFrame({key: lacking, label: lacking})], how="diagonal").sort(key)


def _default_source(data: TableLike) -> Source:
    """Return a source named after the file."""
    path = Path(data) if isinstance(data, str | PathLike) else None
    return Source(path.stem if path else "frame", path.name if path else "data frame")
