"""Records: tables that people fill in by hand, read with every fault at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from clusterbook.data import checks
from clusterbook.data.tables import Rows, TableLike, find_columns, load_table, pick
from clusterbook.errors import DataError, Problem


@dataclass(frozen=True)
class Field:
    """A column of a table that people fill in: whether it must be there, be filled, and what may stand in it."""

    name: str
    needed: bool = True
    filled: bool = True
    kind: Literal["text", "number", "whole"] = "text"
    words: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


#: A further check of a table that was read: the rows as text and the values, in the same order.
Check = Callable[[Rows, pl.DataFrame], list[Problem]]


def read_records(
    data: TableLike, fields: Sequence[Field], *, keys: Sequence[str], further: Check | None = None
) -> pl.DataFrame:
    """Read a table that people fill in by hand: columns by their exact names, every fault at once.

    ``data`` is a CSV, Excel or Parquet file or a frame. Columns that are not ``needed`` may be absent; they and empty
    fields are null. A needed column may have empty fields only where it need not be ``filled``. Columns of other names
    are left out. No two rows may share their ``keys``.

    Raises ``DataError`` with every fault: missing columns, empty fields, words and numbers that are not allowed,
    repeated keys, and what ``further`` finds.

    >>> read_records(pl.DataFrame({"who": ["A"], "score": ["4"]}), [Field("who"), Field("score", kind="whole")],
    ...              keys=["who"]).row(0)
    ('A', 4)
    """
    table = load_table(data)
    wanted = {field.name: field.name for field in fields if field.needed or field.name in table.frame.columns}
    needed = [field.name for field in fields if field.needed]
    remedy = f"The table needs the columns {', '.join(needed)}. Rename yours to these."
    columns, problems = find_columns(table, wanted, needed, remedy)
    if problems:
        raise DataError(table.origin, problems)
    rows = pick(table, columns, {})
    present = [field for field in fields if field.name in columns]
    values = rows.text.select(_typed(field) for field in present)
    problems = checks.missing_keys(rows, [field.name for field in present if field.needed and field.filled])
    for field in present:
        problems += _field_problems(rows, values, field)
    once = "Keep one row for each combination."
    problems += [replace(problem, remedy=once) for problem in checks.duplicate_keys(rows, rows.text.select(keys))]
    problems += further(rows, values) if further else []
    if problems:
        raise DataError(table.origin, problems)
    absent = [field for field in fields if field.name not in columns]
    return values.with_columns(pl.lit(None, _dtype(field)).alias(field.name) for field in absent).select(
        field.name for field in fields
    )


def record_faults(
    rows: Rows, check: str, bad: pl.Series, message: str | Sequence[str], column: str | None, remedy: str
) -> list[Problem]:
    """Return a problem for each row where ``bad`` is true, with its line, under a check and remedy of one's own."""
    found = checks.faults(rows, "missing keys", bad.fill_null(False), message, column)
    return [replace(problem, check=check, remedy=remedy) for problem in found]


def _dtype(field: Field) -> type[pl.DataType]:
    return {"text": pl.String, "number": pl.Float64, "whole": pl.Int64}[field.kind]


def _typed(field: Field) -> pl.Expr:
    text = pl.col(field.name)
    if field.words:
        return text.str.to_lowercase()
    if field.kind == "text":
        return text
    number = text.cast(pl.Float64, strict=False).fill_nan(None)
    if field.kind == "number":
        return number
    return pl.when(number == number.round(0)).then(number).cast(pl.Int64, strict=False).alias(field.name)


def _field_problems(rows: Rows, values: pl.DataFrame, field: Field) -> list[Problem]:
    column, text = values[field.name], rows.text[field.name]
    if field.words:
        bad = ~column.is_in(list(field.words)) & text.is_not_null()
        remedy = f"Write one of: {', '.join(field.words)}."
        return record_faults(rows, f"unknown {field.name}", bad, "not a word that is known here", field.name, remedy)
    if field.kind == "text":
        return []
    noun = "whole number" if field.kind == "whole" else "number"
    remedy = (
        f"Write a plain {noun} such as {'12' if field.kind == 'whole' else '4.5'}, or leave an optional field empty."
    )
    found = record_faults(
        rows, f"not a {noun}", column.is_null() & text.is_not_null(), f"not a {noun}", field.name, remedy
    )
    low, high = field.low, field.high
    beyond = pl.Series([False] * len(column))
    beyond = beyond | (column < low) if low is not None else beyond
    beyond = beyond | (column > high) if high is not None else beyond
    span = " ".join(f"{word} {end:g}" for word, end in (("from", low), ("to", high)) if end is not None)
    return found + record_faults(
        rows, "out of range", beyond, f"allowed is {span}", field.name, "Mend the figure, or say another scale."
    )
