"""The Panel: one tidy table of regions x industries x years, from which everything starts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import polars as pl

from clusterbook.data.industries import Industries
from clusterbook.data.matrix import Matrix, matrix_of
from clusterbook.data.regions import Regions
from clusterbook.errors import ClusterbookError

KEYS = ("region", "industry", "year")

#: What a cell's figure is, from the most certain to the least: a sum is as certain as its least certain part.
#: An imputed cell holds an estimate and its bounds; an uncollected or suppressed one has no value and is no zero.
STATUSES = ("zero", "disclosed", "imputed", "not_collected", "suppressed")
STATUS = pl.Enum(STATUSES)

#: Units that need no saying; every other measure states its own in ``Source.units``.
UNITS = {"employment": "jobs", "establishments": "establishments"}


@dataclass(frozen=True)
class Source:
    """Where figures come from: everything a page has to print under them."""

    id: str
    title: str
    publisher: str = ""
    licence: str = ""
    vintage: str = ""
    note: str = ""
    caveats: tuple[str, ...] = ()
    units: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def unit(self, measure: str) -> str:
        """Return the unit of a measure ('' where nobody stated one)."""
        return self.units.get(measure, UNITS.get(measure, ""))

    def label(self, measure: str) -> str:
        """Return what a measure is called on a page."""
        return self.labels.get(measure, measure.replace("_", " "))


@dataclass(frozen=True)
class Panel:
    """Regions x industries x years with any non-negative measures.

    ``frame`` is a Polars data frame, one row a cell, sorted by year, region, industry:

    - ``region``, ``industry`` (strings) and ``year`` (integer), unique together;
    - one float column a measure (``employment``, ``establishments``, ``payroll``, ``gva`` ...), null where the
      figure is not disclosed;
    - ``status``: disclosed, zero, imputed, suppressed or not_collected;
    - optionally ``<measure>_lo`` and ``<measure>_hi``: bounds of a suppressed or imputed figure (null ``_hi`` of a
      suppressed one = unbounded above; both null where the figure is disclosed).

    All regions are of one geographic level and all industries of one level of their classification, so cells can be
    added up. ``totals`` holds what the source publishes for a whole region (``region, year`` and measures): it
    includes the cells that are missing from the frame and is used to say how much of a region the cells cover.

    An absent cell is read as zero unless the source's caveats say otherwise.
    """

    frame: pl.DataFrame
    source: Source
    regions: Regions
    industries: Industries
    totals: pl.DataFrame | None = None

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """The names of the measures, in the frame's order."""
        other = {*KEYS, "status"}
        return tuple(c for c in self.frame.columns if c not in other and not c.endswith(("_lo", "_hi")))

    @property
    def size(self) -> str:
        """The measure by which things are large or small: employment where there is any, else the first measure."""
        return "employment" if "employment" in self.measures else self.measures[0]

    @cached_property
    def years(self) -> tuple[int, ...]:
        """The years, ascending."""
        return tuple(sorted(self.frame["year"].unique().to_list()))

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the cells, totals, labels, shapes and source: equal panels have equal hashes."""
        digest = hashlib.sha256(repr(self.source).encode())
        for part in (self.frame, self.regions.frame, self.industries.frame, self.totals):
            if part is not None:
                digest.update(hash_frame(part).encode())
        for code, wkb in sorted(self.regions.geometry.items()):
            digest.update(code.encode() + wkb)
        return digest.hexdigest()

    def require(self, measure: str) -> None:
        """Raise ``ClusterbookError`` when the panel lacks a measure."""
        if measure not in self.measures:
            raise ClusterbookError(
                f"{self.source.title}: no measure '{measure}'. It has: {', '.join(self.measures)}. "
                f"Name the column when reading, e.g. read_panel(..., {measure}='your column')."
            )

    def years_only(self, years: Iterable[int]) -> Panel:
        """Return the panel cut to some years."""
        wanted = list(years)
        totals = self.totals.filter(pl.col("year").is_in(wanted)) if self.totals is not None else None
        return replace(self, frame=self.frame.filter(pl.col("year").is_in(wanted)), totals=totals)

    def matrix(self, measure: str | None = None, year: int | None = None) -> Matrix:
        """Return one measure (default: size) in one year (default: the last) as a dense regions x industries matrix.

        Absent cells are 0; suppressed and uncollected ones are NaN. Rows are all regions of the panel in that year,
        columns all its industries, both sorted by code.
        """
        measure = measure or self.size
        self.require(measure)
        wanted = self.years[-1] if year is None else year
        return matrix_of(self.frame, measure, columns="industry", year=wanted)

    def aggregate(self, membership: pl.DataFrame, regions: Regions) -> Panel:
        """Add regions up to larger ones.

        ``membership`` has the columns ``part`` (a region of this panel) and ``region`` (the whole it belongs to);
        parts that belong to none drop out. A sum that contains a suppressed cell is itself suppressed: it keeps the
        disclosed part as its lower bound.
        """
        if membership["part"].is_duplicated().any():
            twice = membership.filter(pl.col("part").is_duplicated())["part"].unique().sort().to_list()
            raise ClusterbookError(f"Regions counted in more than one whole: {', '.join(twice[:10])}.")
        parts = self.frame.rename({"region": "part"}).join(membership.select("part", "region"), on="part")
        frame = add_up(parts, KEYS, self.measures)
        return replace(self, frame=sort_cells(frame), regions=regions, totals=None)


def hash_frame(frame: pl.DataFrame) -> str:
    """Return the SHA-256 of a table's content: names, values and gaps, whatever wrote them and in whatever version."""
    digest = hashlib.sha256()
    for name in sorted(frame.columns):
        column = frame[name]
        digest.update(f"{name}:{len(column)}".encode())
        digest.update(np.packbits(column.is_null().to_numpy()).tobytes())
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            digest.update(column.cast(pl.Float64).fill_null(0).to_numpy().tobytes())
        elif column.dtype == pl.Binary:
            digest.update(b"\0".join(column.fill_null(b"").to_list()))
        else:
            digest.update("\0".join(column.cast(pl.String).fill_null("").to_list()).encode())
    return digest.hexdigest()


def sort_cells(frame: pl.DataFrame) -> pl.DataFrame:
    """Sort rows as every panel does: year, region, industry."""
    return frame.sort("year", "region", "industry")


def status_of(measure: str) -> pl.Expr:
    """Derive the status of cells for which the source states none: zero or disclosed by value, else not collected."""
    name = (
        pl.when(pl.col(measure).is_null())
        .then(pl.lit("not_collected"))
        .when(pl.col(measure) == 0)
        .then(pl.lit("zero"))
        .otherwise(pl.lit("disclosed"))
    )
    return name.cast(STATUS).alias("status")


def add_up(frame: pl.DataFrame, by: Sequence[str], measures: Iterable[str], *others: pl.Expr) -> pl.DataFrame:
    """Add rows up within groups without ever reading 'suppressed' as zero.

    Within a group a measure's sum is null when any of its cells is null. Where any cell is uncertain (null, or imputed
    and therefore bounded) ``_lo`` and ``_hi`` hold what is known: disclosed values plus the bounds of the others, with
    zero as the lower bound of a cell that has none. ``status`` is that of the least certain part.

    Args:
        frame: ``by``, measures with or without bounds, and ``status``.
        by: the columns to group by; groups come in the order in which they first appear.
        measures: the columns to add up.
        others: further aggregations to carry along.

    Example:
        >>> frame = pl.DataFrame({"region": ["A", "A"], "jobs": [5.0, None], "jobs_hi": [None, 4.0],
        ...                       "status": ["disclosed", "suppressed"]}, schema_overrides={"status": STATUS})
        >>> add_up(frame, ["region"], ["jobs"]).row(0)
        ('A', None, 5.0, 9.0, 'suppressed')
    """
    measures = list(measures)
    present = set(frame.columns)
    sums: list[pl.Expr] = []
    for name in measures:
        low, high = (f"{name}{end}" if f"{name}{end}" in present else name for end in ("_lo", "_hi"))
        sums += [
            pl.sum(name),
            pl.col(name).null_count().alias(f"{name} gaps"),
            (pl.col(low).is_not_null() & (pl.lit(low) != name)).any().alias(f"{name} bounded"),
            pl.coalesce(low, name).sum().alias(f"{name}_lo"),
            pl.coalesce(high, name).sum().alias(f"{name}_hi"),
            pl.coalesce(high, name).is_null().any().alias(f"{name} open"),
        ]
    grouped = frame.group_by(by, maintain_order=True).agg(*sums, pl.max("status"), *others)
    for name in measures:
        uncertain = pl.col(f"{name} bounded") | (pl.col(f"{name} gaps") > 0)
        grouped = grouped.with_columns(
            pl.when(pl.col(f"{name} gaps") == 0).then(name),
            pl.when(uncertain).then(f"{name}_lo").alias(f"{name}_lo"),
            pl.when(uncertain & ~pl.col(f"{name} open")).then(f"{name}_hi").alias(f"{name}_hi"),
        )
    bounds = [f"{name}{end}" for name in measures for end in ("_lo", "_hi")]
    needless = [name for name in bounds if name not in present and grouped[name].null_count() == grouped.height]
    order = [*by, *(c for name in measures for c in (name, f"{name}_lo", f"{name}_hi") if c not in needless), "status"]
    return grouped.select(*order, *(expr.meta.output_name() for expr in others))
