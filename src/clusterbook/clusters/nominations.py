"""Nominations: clusters that no statistic shows, entered by those who know them.

Sixteen frog farmers in a small Ecuadorian town watch their rivals abroad together and export for more than a million
dollars a year. In a table of jobs they are a rounding error of 'other animal farming'. A nomination records such a
cluster: its core activity with the actors in it, who names it and why, and what would confirm it.
"""

from __future__ import annotations

import polars as pl

from clusterbook.data.records import Field, read_records, record_faults
from clusterbook.data.tables import Rows, TableLike
from clusterbook.errors import Problem

_FIELDS = (
    Field("cluster"),
    Field("region"),
    Field("place"),
    Field("activity"),
    Field("actors", needed=False),
    Field("members", needed=False, kind="whole", low=1),
    Field("nominator"),
    Field("reason"),
    Field("confirm"),
    Field("date", needed=False),
)
_DATES = "Write dates as 2024-05-31."


def read_nominations(data: TableLike) -> pl.DataFrame:
    """Read nominated clusters, one row a cluster, region and nominator.

    Args:
        data: a CSV, Excel or Parquet file or a frame with ``cluster`` (a name), ``region`` (the code of the region it
            lies in), ``place`` (where in it, in words), ``activity`` (the core activity: a qualitative definition),
            ``nominator``, ``reason`` and ``confirm`` (what evidence would confirm it); and, if wanted, ``actors``
            (firms, schools, associations ... with ';' between them), ``members`` (how many firms) and ``date``.

    Returns:
        These columns; ``actors`` a list (empty where none are named), ``members`` whole or null, ``date`` a date or
        null.

    Raises:
        DataError: every fault: empty fields, numbers and dates that are none, the same nomination twice.

    Example:
        >>> frogs = pl.DataFrame({"cluster": ["Frogs"], "region": ["EC-19"], "place": ["Zamora"],
        ...     "activity": ["Farming frogs for export"], "actors": ["16 producers; exporters; competitor watch"],
        ...     "members": [16], "nominator": ["Chamber of agriculture"], "reason": ["Producers act together"],
        ...     "confirm": ["Interviews with all producers; export statistics of the harbour"]})
        >>> read_nominations(frogs).select("cluster", "members", "actors").row(0)
        ('Frogs', 16, ['16 producers', 'exporters', 'competitor watch'])

    Source: Meyer-Stamer and Harmes-Liedtke, How to promote clusters, section 3.2.4 (the frog producers of Zamora).
    """
    found = read_records(data, _FIELDS, keys=("cluster", "region", "nominator"), further=_dates)
    actors = pl.col("actors").str.split(";").list.eval(pl.element().str.strip_chars()).list.eval(
        pl.element().filter(pl.element() != "")
    )  # fmt: skip
    return found.with_columns(
        actors=pl.when(pl.col("actors").is_null()).then(pl.lit([], pl.List(pl.String))).otherwise(actors),
        date=pl.col("date").str.to_date("%Y-%m-%d", strict=False),
    )


def _dates(rows: Rows, values: pl.DataFrame) -> list[Problem]:
    if "date" not in values.columns:
        return []
    bad = values["date"].is_not_null() & values["date"].str.to_date("%Y-%m-%d", strict=False).is_null()
    return record_faults(rows, "not a date", bad, "not a date", "date", _DATES)


def visibility(nominations: pl.DataFrame, clusters: pl.DataFrame, *, size: str = "employment") -> pl.DataFrame:
    """Say whether the statistics can show a nominated cluster at all.

    Args:
        nominations: as of ``read_nominations``.
        clusters: the table of clusters of an edition, whose last year is looked at.
        size: the column of the main measure.

    Returns:
        ``cluster``, ``region``, ``visible`` and ``text``. A nomination is visible where the statistics have its region
        and a cluster of its id with a known size above zero; null where that size is suppressed. What is not visible
        needs another method than statistics.

    Example:
        >>> table = pl.DataFrame({"region": ["A"], "cluster": ["farms"], "year": [2019], "employment": [900]})
        >>> nominated = pl.DataFrame({"cluster": ["Frogs"], "region": ["A"]})
        >>> visibility(nominated, table).row(0)[2:]
        (False, 'No cluster of that name in the statistics.')
    """
    last = clusters.filter(pl.col("year") == pl.col("year").max())
    found = nominations.select("cluster", "region").join(
        last.select("region", "cluster", pl.col(size).alias("size"), there=pl.lit(True)),
        on=["region", "cluster"],
        how="left",
    )
    places, named = last["region"].unique().implode(), last["cluster"].unique().implode()
    text = (
        pl.when(~pl.col("region").is_in(places))
        .then(pl.lit("The statistics do not have the region."))
        .when(~pl.col("cluster").is_in(named))
        .then(pl.lit("No cluster of that name in the statistics."))
        .when(pl.col("there").is_null() | (pl.col("size") == 0))
        .then(pl.lit("The statistics show none of it in the region."))
        .when(pl.col("size").is_null())
        .then(pl.lit("The statistics suppress its size in the region."))
        .otherwise(pl.lit("The statistics show it."))
    )
    known = pl.col("there").is_null() | pl.col("size").is_not_null()
    visible = pl.when(known).then((pl.col("size") > 0).fill_null(False))
    return found.select("cluster", "region", visible=visible, text=text)
