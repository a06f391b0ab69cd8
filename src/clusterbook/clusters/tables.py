"""The tables of an edition, as the modules here take them: by name, in a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from clusterbook.errors import ClusterbookError

Tables = Mapping[str, pl.DataFrame]

#: What identifies a cluster in a region.
PAIR = ("region", "cluster")


def require_columns(tables: Tables, name: str, columns: Sequence[str]) -> None:
    """Raise ``ClusterbookError`` when a table of the edition, or a column of it, is absent."""
    if name not in tables:
        raise ClusterbookError(f"There is no table '{name}' among {', '.join(tables) or 'none'}. Give it by that name.")
    missing = [column for column in columns if column not in tables[name].columns]
    if missing:
        raise ClusterbookError(
            f"The table '{name}' lacks {', '.join(missing)}. It has: {', '.join(tables[name].columns)}. "
            "Compute or rename the column (size= names the one of the main measure)."
        )


def last_year(table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the last year of a table; all of a table without years."""
    return table.filter(pl.col("year") == pl.col("year").max()) if "year" in table.columns else table
