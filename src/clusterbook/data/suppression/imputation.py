"""Fill suppressed cells so that everything adds up, keep their bounds, and say what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from clusterbook.data.industries import Industries
from clusterbook.data.panel import KEYS, STATUS, Panel, Source, sort_cells
from clusterbook.data.regions import Regions
from clusterbook.data.suppression.centre import Equations, audit, centre, equations
from clusterbook.data.suppression.hierarchy import (
    EPS,
    Bounds,
    Flags,
    Floats,
    Hierarchy,
    Ints,
    ancestors,
    hierarchy_of,
    nearest_known,
    possible_cells,
    sum_parts,
    tighten,
)
from clusterbook.data.suppression.prior import prior, rescale
from clusterbook.errors import ClusterbookError, DataError, Problem

COUNTS = "establishments"  # the measure by which a source decides what it hides
TREES = ("industry", "region")
RESIDUE = 1e-4  # sums agree when they differ by less: a ten-thousandth of a job
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class SuppressionReport:
    """What an imputation did.

    ``counts`` has one row a year and measure: ``disclosed``, ``fixed`` (the sums leave one value only), ``imputed``
    (several values are possible), ``suppressed`` (nothing bounds them above: left without a value), ``zero`` (absent
    or withheld cells that can only be zero), ``slack`` (sum of all differences that had to be allowed between totals
    and their parts) and ``sweeps`` (passes over the trees until bounds stood still).

    ``inconsistent`` has one row a total that cannot equal the sum of its parts: ``year, measure, tree, region,
    industry``, its bounds ``total_lo, total_hi``, those of the sum of its parts ``parts_lo, parts_hi``, ``gap`` (the
    total less its parts, in the measure's unit) and ``parts``, the codes of the parts.
    """

    counts: pl.DataFrame
    inconsistent: pl.DataFrame

    def __str__(self) -> str:
        lines = [
            "{year} {measure}: {disclosed:,} disclosed, {fixed:,} fixed by the sums, {imputed:,} imputed, "
            "{suppressed:,} left suppressed; slack {slack:,.6g}".format(**row)
            for row in self.counts.iter_rows(named=True)
        ]
        if len(self.inconsistent):
            worst = self.inconsistent.sort(pl.col("gap").abs(), descending=True, maintain_order=True).row(0, named=True)
            lines.append(
                f"{len(self.inconsistent):,} totals do not fit their parts; the widest gap is "
                "{gap:+,.6g} {measure} in {region}, {industry}, {year}".format(**worst)
            )
        return "\n".join(lines)


@dataclass(frozen=True)
class Imputation:
    """Completed cells of every level, what was done, and any further draws.

    ``cells`` is sorted by year, region, industry: the keys, the measures, ``status``, ``<measure>_lo`` and
    ``<measure>_hi`` (null where the figure is disclosed). ``draws`` has ``draw, region, industry, year`` and the
    measures for each cell that could take several values; None where none were asked for.
    """

    cells: pl.DataFrame
    report: SuppressionReport
    draws: pl.DataFrame | None = None


@dataclass(frozen=True)
class _Figures:
    """One measure of one year as the source states it, each of shape (n,); NaN where it states nothing.

    ``ranged`` marks the withheld cells for which the source itself gives an upper bound.
    """

    value: Floats
    lo: Floats
    hi: Floats
    stated: Floats
    ranged: Flags


@dataclass(frozen=True)
class _Year:
    """One year's n cells, laid out: labels, trees, where each cell stands in them, and the figures."""

    year: int
    regions: Sequence[str]
    industries: Sequence[str]
    row: Ints
    column: Ints
    present: Flags
    tree: Hierarchy
    figures: Mapping[str, _Figures]

    def keys(self, cells: Ints | Flags) -> dict[str, pl.Series]:
        """Return the key columns of some cells."""
        return {
            "region": pl.Series(self.regions, dtype=pl.String)[self.row[cells]],
            "industry": pl.Series(self.industries, dtype=pl.String)[self.column[cells]],
            "year": pl.Series(np.full(len(self.row[cells]), self.year)),
        }


@dataclass(frozen=True)
class _Solved:
    """One measure of one year, filled: bounds and values of shape (n,), by how much totals may differ from parts."""

    disclosed: Flags
    bounds: Bounds
    values: Floats
    tolerance: Floats
    system: Equations

    @property
    def unbounded(self) -> Flags:
        return np.isinf(self.bounds.hi)

    @property
    def unknown(self) -> Flags:
        return self.bounds.hi > self.bounds.lo

    def gap(self, tree: Hierarchy, t: int) -> Floats:
        """Return each total less the sum of its parts in tree t; 0 where the cell is no total or has no bound."""
        return np.where(
            tree.total[t] & np.isfinite(self.bounds.hi + sum_parts(tree.above[t], self.bounds.hi)),
            self.values - sum_parts(tree.above[t], self.values),
            0.0,
        )


def impute(
    frame: pl.DataFrame,
    industries: Industries,
    region_parents: Mapping[str, str] | None = None,
    *,
    hidden_below: int | None = 3,
    scope: Iterable[str] | None = None,
    slack: float = 0.0,
    slack_share: float = 0.0,
    tight: bool = False,
    draws: int = 0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Imputation:
    """Complete a table in which small cells are hidden, at all levels of its trees at once.

    First, bounds are tightened by propagation up and down the trees (``tighten``). Then each unknown cell gets the
    value of the one point of the remaining polytope that is nearest to an expectation (``prior``): the sum over all
    unknown cells of (x - m)^2 / m is least. Where several values were possible the bounds are kept beside the value.
    Establishments come first; the other measures then expect jobs where there are establishments.

    Args:
        frame: one row a cell: ``region, industry, year``, measures (null = withheld) and, optionally, bounds of
            withheld figures ``<measure>_lo`` and ``<measure>_hi`` (see ``bounds_from_flags``) and expectations
            ``<measure>_prior``. Regions and industries of all levels the source publishes.
        industries: the classification. A code counts as part of its nearest ancestor that occurs in the year.
        region_parents: region to the region it is a part of. Parts must make up the whole; a part that the table does
            not show is hidden altogether.
        hidden_below: the source leaves out cells with fewer establishments than this, at every level (3 in County
            Business Patterns since 2017). None: it leaves out nothing, absent cells are zero.
        scope: the industries the source covers; those among them that a year does not show may be hidden everywhere.
            Default: all that the table shows in any year. Jobs of an industry that is covered, never shown and not
            named here have no place to go: the report names the totals they are missing from.
        slack: how far a published total may differ from the sum of its parts (rounding, noise), in the measure's unit.
        slack_share: the same as a share of the total; the larger of the two holds.
        tight: replace propagated bounds by exact ones where two trees meet (two linear programmes a cell: slow).
        draws: number of further points of the polytope, for multiple imputation. In each, the leaves' values are
            multiplied by independent standard exponential variates and fitted to the sums again; for equal cells
            under one total this is a uniform draw from all that is possible.
        seed: of the draws.
        progress: called with years done, years in all and what is being done.

    Returns:
        An ``Imputation``. Absent cells that can only be zero stay absent.

    Raises:
        DataError: key columns are missing or a cell stands twice; a measure is negative or NaN; bounds cross.
        ClusterbookError: no measure.

    Example:
        >>> import polars as pl
        >>> rows = [("X", "33", 100, 11), ("X", "331", 60, 6), ("X", "332", 30, 3)]
        >>> rows += [("Y", "33", 60, 9), ("Y", "331", 20, 3), ("Y", "332", 20, 3), ("Y", "333", 20, 3)]
        >>> table = pl.DataFrame(rows, schema=["region", "industry", "employment", "establishments"], orient="row")
        >>> tree = pl.DataFrame({"industry": ["33", "331", "332", "333"], "title": "", "parent": [None, *["33"] * 3]})
        >>> done = impute(table.with_columns(year=2019), Industries(tree), hidden_below=3)
        >>> done.cells.filter(pl.col("status") == "imputed").select("region", "industry", "employment").rows()
        [('X', '333', 10.0)]

    Source: adding-up constraints over both hierarchies as in Eckert, Fort, Schott and Yang (2020), NBER Working Paper
    26632, with least squares in place of their least absolute deviations, whose optimum is not unique.
    """
    measures = _check(frame)
    years = sorted(frame["year"].unique().to_list())
    covered = set(frame["industry"].unique() if scope is None else scope)
    cells, counts, inconsistent, sampled = [], [], [], []
    for done, year in enumerate(years):
        layout = lay_out(
            frame.filter(pl.col("year") == year), measures, industries, region_parents, hidden_below, covered
        )
        solved: dict[str, _Solved] = {}
        for measure in measures:
            if progress:
                progress(done, len(years), f"{year}: {measure}, {len(layout.row):,} cells")
            solved[measure] = _solve(layout, measure, solved.get(COUNTS), slack, slack_share, tight=tight)
            counts.append(_count(layout, measure, solved[measure]))
            inconsistent.append(_inconsistent(layout, measure, solved[measure]))
        cells.append(_cells(layout, solved))
        rng = np.random.default_rng([seed, year])
        sampled += [_draw(layout, solved, k, rng) for k in range(draws)]
    if progress:
        progress(len(years), len(years), "done")
    report = SuppressionReport(pl.DataFrame(counts), pl.concat(inconsistent))
    return Imputation(sort_cells(pl.concat(cells)), report, pl.concat(sampled) if sampled else None)


def impute_panel(
    frame: pl.DataFrame,
    source: Source,
    industries: Industries,
    regions: Regions | None = None,
    *,
    level: Iterable[str] | None = None,
    hidden_below: int | None = 3,
    scope: Iterable[str] | None = None,
    slack: float = 0.0,
    slack_share: float = 0.0,
    progress: Progress | None = None,
) -> Panel:
    """Complete a table and return one level of it as a panel.

    Args:
        frame: as for ``impute``: all levels.
        source: where the figures come from; caveats on what was filled in are added.
        industries: the classification, with its tree.
        regions: the regions; the ``parent`` column of their frame is the region tree.
        level: the industries of the panel. Default: those of the frame that have no part in it. They must not
            contain one another.
        hidden_below: see ``impute``; so are ``scope``, ``slack``, ``slack_share`` and ``progress``.

    Returns:
        A panel of the lowest regions. Its ``totals`` are the source's own figures of the top industry for these
        regions, where the classification has one.

    Raises:
        ClusterbookError: industries of the level contain one another.

    Example:
        >>> import polars as pl
        >>> rows = [("X", "33", 100, 11), ("X", "331", 60, 6), ("X", "332", 30, 3), ("Y", "333", 20, 3)]
        >>> table = pl.DataFrame(rows, schema=["region", "industry", "employment", "establishments"], orient="row")
        >>> tree = pl.DataFrame({"industry": ["33", "331", "332", "333"], "title": "", "parent": [None, *["33"] * 3]})
        >>> panel = impute_panel(table.with_columns(year=2019), Source("t", "Toy"), Industries(tree))
        >>> panel.frame.select("region", "industry", "employment", "status").row(2)
        ('X', '333', 10.0, 'imputed')

    Source: ours.
    """
    region_parents = _parents(regions)
    done = impute(
        frame,
        industries,
        region_parents,
        hidden_below=hidden_below,
        scope=scope,
        slack=slack,
        slack_share=slack_share,
        progress=progress,
    )
    codes = done.cells["industry"].unique().sort().to_list()
    above = nearest_known(industries.parents, codes)
    wanted = [c for k, c in enumerate(codes) if k not in set(above.tolist())] if level is None else sorted(set(level))
    nested = [c for c in wanted if set(industries.ancestors(c)) & set(wanted)]
    if nested:
        raise ClusterbookError(
            f"{', '.join(nested[:10])}: part of another industry of the same level, so jobs would count twice. "
            "Choose industries of one level."
        )
    places = done.cells["region"].unique().sort().to_list()
    inner = {places[k] for k in nearest_known(region_parents, places) if k >= 0}
    lowest = pl.col("region").is_in([p for p in places if p not in inner])
    cells = done.cells.filter(lowest & pl.col("industry").is_in(wanted))
    return Panel(
        cells,
        replace(source, caveats=(*source.caveats, *_caveats(cells, done.report))),
        regions or Regions.from_codes(cells["region"]),
        industries,
        _totals(done.cells.filter(lowest), [c for c, a in zip(codes, above, strict=True) if a < 0]),
    )


def _parents(regions: Regions | None) -> dict[str, str]:
    if regions is None or "parent" not in regions.frame.columns:
        return {}
    known = regions.frame.drop_nulls("parent")
    return dict(zip(known["region"], known["parent"], strict=True))


def _totals(cells: pl.DataFrame, tops: Sequence[str]) -> pl.DataFrame | None:
    """Return the source's own totals of regions, if one industry stands above all others."""
    if len(tops) != 1:
        return None
    top = cells.filter((pl.col("industry") == tops[0]) & pl.col("status").is_in(["disclosed", "zero"]))
    return top.select("region", "year", *_measures(cells)) if len(top) else None


def _caveats(cells: pl.DataFrame, report: SuppressionReport) -> list[str]:
    """Say what was filled in, and how, in words a page can print."""
    size = "employment" if "employment" in cells.columns else _measures(cells)[0]
    filled = cells.filter(pl.col("status") == "imputed")
    share = float(filled[size].sum()) / max(float(cells[size].sum()), EPS)
    said = [
        f"{len(filled):,} of {len(cells):,} cells are hidden in the source and imputed here ({share:.1%} of all "
        f"{size}): parts add up to their published totals, at the point nearest to what the same industry shows "
        "elsewhere (weighted least squares). Each keeps its bounds. Do not read them as figures of single firms."
    ]
    if len(report.inconsistent):
        said.append(f"{len(report.inconsistent):,} published totals do not equal the sum of their parts.")
    return said


def _measures(frame: pl.DataFrame) -> list[str]:
    """Name the measures of a table, establishments first: what they tell serves the others."""
    other = {*KEYS, "status"}
    named = [c for c in frame.columns if c not in other and not c.endswith(("_lo", "_hi", "_prior"))]
    return sorted(named, key=lambda name: name != COUNTS)


def _check(frame: pl.DataFrame) -> list[str]:
    """Refuse a table that cannot be completed; return its measures."""
    missing = [key for key in KEYS if key not in frame.columns]
    if missing:
        remedy = "Rename the columns: region, industry, year."
        raise DataError("Table to impute", [Problem("missing columns", f"no column '{k}'", remedy) for k in missing])
    measures = _measures(frame)
    if not measures:
        raise ClusterbookError("Nothing to impute: the table has keys but no measure, such as 'employment'.")
    problems = []
    twice = frame.filter(pl.struct(KEYS).is_duplicated()).select(KEYS).unique(maintain_order=True)
    for row in twice.iter_rows():
        remedy = "Add the rows up, or keep one of them."
        problems.append(Problem("duplicate keys", f"region {row[0]}, industry {row[1]}, year {row[2]} twice", remedy))
    for measure in measures:
        value = pl.col(measure).cast(pl.Float64)
        for row in frame.filter((value < 0) | value.is_nan()).select(*KEYS, measure).iter_rows():
            text = f"{measure} of region {row[0]}, industry {row[1]}, year {row[2]} is negative or not a number"
            problems.append(
                Problem("impossible values", text, "Leave a withheld figure empty (null).", None, measure, str(row[3]))
            )
        low, high = f"{measure}_lo", f"{measure}_hi"
        if low in frame.columns and high in frame.columns:
            for row in frame.filter((pl.col(low) > pl.col(high)) | (pl.col(low) < 0)).select(KEYS).iter_rows():
                text = f"bounds of {measure} of region {row[0]}, industry {row[1]}, year {row[2]} cross or are negative"
                problems.append(Problem("impossible bounds", text, f"Give 0 <= {low} <= {high}.", None, low))
    if problems:
        raise DataError("Table to impute", problems)
    return measures


def lay_out(
    cells: pl.DataFrame,
    measures: Sequence[str],
    industries: Industries,
    region_parents: Mapping[str, str] | None,
    hidden_below: int | None,
    covered: Iterable[str] = (),
) -> _Year:
    """Put one year's cells, and the absent ones that may hold something, into their trees."""
    parents = region_parents or {}
    shown, shown_places = set(cells["industry"].unique()), set(cells["region"].unique())
    if hidden_below is not None:  # others are hidden everywhere; but where parts of them are shown, not published
        shown |= set(covered) - {above for code in shown for above in industries.ancestors(code)}
        shown_places |= set(parents) - {above for place in shown_places for above in ancestors(parents, place)}
    places, codes = (pl.Series(sorted(labels), dtype=pl.String) for labels in (shown_places, shown))
    row, column = (
        labels.search_sorted(cells[key]).to_numpy().astype(np.int64)
        for labels, key in ((places, "region"), (codes, "industry"))
    )
    region_list, code_list = places.to_list(), codes.to_list()
    region_above = nearest_known(parents, region_list)
    industry_above = nearest_known(industries.parents, code_list)
    shape = len(places), len(codes)
    present = np.zeros(shape, dtype=bool)
    present[row, column] = True
    kept = present
    if hidden_below is not None:
        size = np.full(shape, np.nan)
        size[row, column] = _column(cells, measures[0])
        kept = present | possible_cells(present, size, industry_above, region_above)
    at = np.full(shape, -1, dtype=np.int64)
    at[kept] = np.arange(kept.sum())
    rows, columns = np.nonzero(kept)
    figures = {m: _figures(cells, m, at[row, column], present[kept], hidden_below) for m in measures}
    tree = hierarchy_of(kept, industry_above, region_above)
    return _Year(cells["year"][0], region_list, code_list, rows, columns, present[kept], tree, figures)


def _column(cells: pl.DataFrame, name: str) -> Floats:
    """Return a column with NaN for its gaps; all gaps where the table has no such column."""
    if name not in cells.columns:
        return np.full(len(cells), np.nan)
    return cells[name].cast(pl.Float64).fill_null(np.nan).to_numpy().copy()


def _figures(cells: pl.DataFrame, measure: str, at: Ints, present: Flags, hidden_below: int | None) -> _Figures:
    """Spread one measure's columns over the n cells, with the bounds that hold before any sum is looked at."""

    def spread(name: str) -> Floats:
        out = np.full(len(present), np.nan)
        out[at] = _column(cells, name)
        return out

    value, low, high, stated = (spread(measure + end) for end in ("", "_lo", "_hi", "_prior"))
    lo = np.where(np.isnan(value), np.nan_to_num(low), value)
    hi = np.where(np.isnan(value), np.where(np.isnan(high), np.inf, high), value)
    if measure == COUNTS and hidden_below is not None:
        hi[~present] = hidden_below - 1
    return _Figures(value, lo, hi, stated, np.isnan(value) & np.isfinite(high))


def _solve(
    layout: _Year, measure: str, counted: _Solved | None, slack: float, slack_share: float, *, tight: bool
) -> _Solved:
    """Fill one measure of one year."""
    figures, tree = layout.figures[measure], layout.tree
    hi = figures.hi
    if counted is not None:
        disclosed = ~np.isnan(figures.value)
        hi = np.where(~disclosed & (counted.bounds.hi == 0), figures.lo, hi)  # no establishment, no jobs
    tolerance = np.maximum(slack, slack_share * np.nan_to_num(figures.value))
    bounds = tighten(tree, figures.lo, hi, [tolerance] * len(tree.above))
    system = equations(tree, bounds)
    if tight:
        lo, top = audit(system, bounds)
        bounds = replace(bounds, lo=lo, hi=np.where(top - lo <= EPS, lo, top))
        system = equations(tree, bounds)
    ranged = figures.ranged & np.isfinite(bounds.hi)
    middle = np.where(ranged, 0.5 * (bounds.lo + np.where(ranged, bounds.hi, 0.0)), np.nan)
    stated = np.where(np.isnan(figures.stated), middle, figures.stated)
    base = counted.values if counted is not None else None
    expected = prior(tree, layout.column, layout.row, bounds, stated, base)
    values = centre(system, bounds, expected)
    return _Solved(~np.isnan(figures.value), bounds, values, tolerance, system)


def _count(layout: _Year, measure: str, solved: _Solved) -> dict[str, object]:
    """Sum up what happened to one measure of one year."""
    known, unbounded, unknown = solved.disclosed, solved.unbounded, solved.unknown
    zero = ~known & (solved.bounds.hi == 0)
    gaps = [np.abs(solved.gap(layout.tree, t)) for t in range(len(TREES))]
    return {
        "year": layout.year,
        "measure": measure,
        "disclosed": int(known.sum()),
        "fixed": int((~known & ~unknown & ~zero).sum()),
        "imputed": int((unknown & ~unbounded).sum()),
        "suppressed": int(unbounded.sum()),
        "zero": int(zero.sum()),
        "slack": float(sum(g[g > RESIDUE].sum() for g in gaps)),
        "sweeps": solved.bounds.sweeps,
    }


def _inconsistent(layout: _Year, measure: str, solved: _Solved) -> pl.DataFrame:
    """Name the totals that do not equal the sum of their parts, beyond the slack allowed."""
    found = []
    for t, name in enumerate(TREES):
        gap = solved.gap(layout.tree, t)
        wrong = np.flatnonzero(np.abs(gap) > solved.tolerance + RESIDUE)
        above = layout.tree.above[t]
        codes = pl.Series((layout.industries, layout.regions)[t], dtype=pl.String)
        part = np.flatnonzero(np.isin(above, wrong) & (above >= 0))
        parts = pl.DataFrame(
            {"whole": above[part], "parts": codes[(layout.column, layout.row)[t][part]]},
            schema_overrides={"whole": pl.Int64},
        )
        rows = pl.DataFrame(
            {
                "whole": wrong,
                **layout.keys(wrong),
                "measure": pl.Series([measure] * len(wrong), dtype=pl.String),
                "tree": pl.Series([name] * len(wrong), dtype=pl.String),
                "total_lo": solved.bounds.lo[wrong],
                "total_hi": solved.bounds.hi[wrong],
                "parts_lo": sum_parts(above, solved.bounds.lo)[wrong],
                "parts_hi": sum_parts(above, solved.bounds.hi)[wrong],
                "gap": gap[wrong],
            }
        )
        lists = parts.group_by("whole", maintain_order=True).agg("parts")
        found.append(rows.join(lists, on="whole", how="left", maintain_order="left").drop("whole"))
    return pl.concat(found).select("year", "measure", "tree", pl.exclude("year", "measure", "tree"))


def _cells(layout: _Year, solved: Mapping[str, _Solved]) -> pl.DataFrame:
    """Write the completed cells of one year; absent cells that can only be zero stay absent."""
    kept = layout.present | np.any([s.bounds.hi > 0 for s in solved.values()], axis=0)
    size = solved.get("employment") or next(iter(solved.values()))
    columns: dict[str, pl.Series] = {}
    for measure, s in solved.items():
        columns[measure] = _optional(s.values, ~s.unbounded, kept)
        columns[f"{measure}_lo"] = _optional(s.bounds.lo, ~s.disclosed, kept)
        columns[f"{measure}_hi"] = _optional(s.bounds.hi, ~s.disclosed & ~s.unbounded, kept)
    status = np.select(
        [
            np.any([s.unbounded for s in solved.values()], axis=0)[kept],
            (size.bounds.hi == 0)[kept],
            ~np.all([s.disclosed for s in solved.values()], axis=0)[kept],
        ],
        ["suppressed", "zero", "imputed"],
        "disclosed",
    )
    frame = pl.DataFrame({**layout.keys(kept), **columns}).with_columns(pl.Series("status", status, dtype=STATUS))
    return frame.select(*KEYS, *solved, "status", *(f"{m}{end}" for m in solved for end in ("_lo", "_hi")))


def _optional(values: Floats, known: Flags, kept: Flags) -> pl.Series:
    """Return the kept values with null where they are not known."""
    return pl.Series(np.where(known, values, np.nan)[kept]).fill_nan(None)


def _draw(layout: _Year, solved: Mapping[str, _Solved], number: int, rng: np.random.Generator) -> pl.DataFrame:
    """Draw one further point of each measure's polytope."""
    open_cells = np.any([s.unknown & ~s.unbounded for s in solved.values()], axis=0)
    columns = {}
    for measure, s in solved.items():
        shaken = rescale(layout.tree, s.bounds, s.values * rng.standard_exponential(len(s.values)))
        values = centre(s.system, s.bounds, shaken)
        columns[measure] = _optional(values, ~s.unbounded, open_cells)
    return pl.DataFrame(
        {"draw": pl.Series([number] * int(open_cells.sum()), dtype=pl.Int64), **layout.keys(open_cells), **columns}
    )
