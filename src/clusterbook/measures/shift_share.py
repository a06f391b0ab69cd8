"""Shift-share: what of a change in jobs is the nation's, what the industries', and what the region's own.

Every function takes sizes E0 and E1 of shape (R, I), at the start and at the end, and splits the change E1 - E0 of
every cell into parts of the same shape. Sum a part over industries (axis 1) for the figure of a region. G, g_i, g_r and
g_ri are the growth (end / start - 1) of everything, of an industry, of a region and of a cell.

Gaps, in all of them: a cell that is NaN (suppressed) in either year is NaN in every part, and is left out of the
totals of both years, so that they compare like with like; give published totals as ``reference`` where there are any.
Growth from zero is not defined: jobs in a cell that was empty (a birth) are competitive in the classic form, which does
not divide by the cell, and have a part of their own, ``births``, in the forms that need the growth of the cell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import require_sizes
from clusterbook.measures.weights import Weights, weights_matrix

Floats = NDArray[np.float64]
Totals = tuple[ArrayLike, ArrayLike]
Parts = TypeVar("Parts", bound="tuple[Floats, ...]")


class ShiftShare(NamedTuple):
    """The classic three parts, each (R, I); together they are the change."""

    national: Floats
    mix: Floats
    competitive: Floats


class EstebanMarquillas(NamedTuple):
    """Five parts, each (R, I); together they are the change.

    ``competitive`` is what the region's lead would be worth in a region with the nation's structure, ``allocation``
    what it gains by being specialised where it leads, ``births`` the jobs in cells that were empty.
    """

    national: Floats
    mix: Floats
    competitive: Floats
    allocation: Floats
    births: Floats


class Arcelus(NamedTuple):
    """Nine parts, each (R, I); together they are the change.

    National growth, industry mix, regional growth and regional industry mix, each of the structure the region would
    have like the nation (``expected``) and of its difference from that (``differential``); and births.
    """

    national_expected: Floats
    national_differential: Floats
    industry_expected: Floats
    industry_differential: Floats
    regional_expected: Floats
    regional_differential: Floats
    regional_industry_expected: Floats
    regional_industry_differential: Floats
    births: Floats


class SpatialShiftShare(NamedTuple):
    """Four parts, each (R, I); together they are the change.

    ``neighbours`` is how the industry fared in the neighbouring regions against the nation, ``own`` how it fared here
    against the neighbours. Nazara and Hewings' form of three parts has ``mix`` + ``neighbours`` as one.
    """

    national: Floats
    mix: Floats
    neighbours: Floats
    own: Floats


class _Growth(NamedTuple):
    """Sizes checked, with the growth of everything (a number), of industries (I,) and of regions (R, 1)."""

    start: Floats
    end: Floats
    total: float
    industry: Floats
    region: Floats
    expected: Floats


def shift_share(E0: ArrayLike, E1: ArrayLike, *, reference: Totals | None = None) -> ShiftShare:
    """Split change into national growth, industry mix and the competitive part.

    National E0 G, mix E0 (g_i - G), competitive E1 - E0 (1 + g_i), which is E0 (g_ri - g_i) and counts births besides.

    Args:
        E0: sizes at the start, shape (R, I), not negative.
        E1: sizes at the end, same shape.
        reference: totals of the industries in the reference economy at the start and at the end, each of shape (I,).
            Default: the sums over all regions.

    Returns:
        Three arrays of shape (R, I), in the unit of the sizes. Without a reference, mix and competitive each add up to
        0 over everything, unless an industry appears anew: then mix to minus its jobs, competitive to its jobs. NaN
        where a cell is, where the reference has nothing at the start but the region has, and in national if there was
        nothing anywhere at the start.

    Raises:
        ClusterbookError: the arrays are not of sizes or do not fit each other.

    Example:
        >>> before = [[90, 20, 10, 60], [60, 30, 30, 40], [250, 100, 110, 300]]
        >>> after = [[100, 40, 10, 55], [85, 55, 40, 35], [255, 115, 85, 390]]
        >>> parts = shift_share(before, after)
        >>> [part.sum(axis=1).round(6).tolist() for part in parts]
        [[27.0, 24.0, 114.0], [1.0, -1.0, 0.0], [-3.0, 32.0, -29.0]]

    Source: Dunn (1960), A statistical and analytical technique for regional analysis, Papers of the Regional Science
    Association 6; example: Farhauer and Kröll (2013).
    """
    g = _growth(E0, E1, reference)
    return ShiftShare(
        g.start * g.total, _times(g.start, g.industry - g.total), g.end - g.start - _times(g.start, g.industry)
    )


def esteban_marquillas(E0: ArrayLike, E1: ArrayLike, *, reference: Totals | None = None) -> EstebanMarquillas:
    """Split the competitive part into a lead in growth and the gain from being specialised where the lead is.

    With h_ri = e0_r e0_i / e0, the size a cell would have if the region had the structure of the nation: competitive
    h (g_ri - g_i), allocation (E0 - h) (g_ri - g_i). In cells that start from zero g_ri is not defined: their jobs are
    births, and both parts are 0.

    Args:
        E0: sizes at the start, shape (R, I), not negative.
        E1: sizes at the end, same shape.
        reference: as in ``shift_share``.

    Returns:
        Five arrays of shape (R, I); national and mix are those of ``shift_share``, the others add up to its competitive
        part. The h of a region needs its total: without one cell the two parts of the whole region are NaN.

    Raises:
        ClusterbookError: as ``shift_share``.

    Example:
        >>> before = [[90, 20, 10, 60], [60, 30, 30, 40], [250, 100, 110, 300]]
        >>> after = [[100, 40, 10, 55], [85, 55, 40, 35], [255, 115, 85, 390]]
        >>> esteban_marquillas(before, after).competitive.sum(axis=1).round(4)
        array([ -0.6364,  18.4242, -33.5719])

    Source: Esteban-Marquillas (1972), A reinterpretation of shift-share analysis, Regional and Urban Economics 2.
    """
    g = _growth(E0, E1, reference)
    national, mix, competitive = shift_share(E0, E1, reference=reference)
    births = np.where(g.start == 0, g.end, 0.0) + 0 * g.start
    lead = _per_job(competitive - births, g.start)
    return EstebanMarquillas(national, mix, g.expected * lead, (g.start - g.expected) * lead, births)


def arcelus(E0: ArrayLike, E1: ArrayLike, *, reference: Totals | None = None) -> Arcelus:
    """Split four kinds of growth by the structure the region would have like the nation, and its difference from it.

    National G, industry g_i - G, regional g_r - G and regional industry (g_ri - g_r) - (g_i - G), each times h (see
    ``esteban_marquillas``) and times E0 - h. g_r is without births, which stand apart.

    Args:
        E0: sizes at the start, shape (R, I), not negative.
        E1: sizes at the end, same shape.
        reference: as in ``shift_share``.

    Returns:
        Nine arrays of shape (R, I). NaN for whole regions with a NaN; regions with nothing at the start have births.

    Raises:
        ClusterbookError: as ``shift_share``.

    Example:
        >>> before = [[90, 20, 10, 60], [60, 30, 30, 40], [250, 100, 110, 300]]
        >>> after = [[100, 40, 10, 55], [85, 55, 40, 35], [255, 115, 85, 390]]
        >>> arcelus(before, after).regional_expected.sum(axis=1).round(4)
        array([ -2.,  31., -29.])

    Source: Arcelus (1984), An extension of shift-share analysis, Growth and Change 15.
    """
    g = _growth(E0, E1, reference)
    births = np.where(g.start == 0, g.end, 0.0) + 0 * g.start
    cell = _per_job(g.end - g.start, g.start)
    rates = (
        np.full_like(g.start, g.total),
        np.broadcast_to(g.industry - g.total, g.start.shape),
        np.broadcast_to(g.region - g.total, g.start.shape),
        # A cell that was empty has no growth, so nothing of its own to split: both halves of its last rate are 0.
        np.where(g.start == 0, 0.0, cell - g.region - (g.industry - g.total)),
    )
    halves = [_times(size, rate) for rate in rates for size in (g.expected, g.start - g.expected)]
    return Arcelus._make([*halves, births])


def spatial_shift_share(
    E0: ArrayLike, E1: ArrayLike, W: Weights, *, reference: Totals | None = None
) -> SpatialShiftShare:
    """Split change into national growth, industry mix, the growth of the neighbours, and the region's own.

    With n_ri = (W E1)_ri / (W E0)_ri - 1, the growth of the industry in all neighbours together: national E0 G, mix
    E0 (g_i - G), neighbours E0 (n - g_i), own E1 - E0 (1 + n).

    Args:
        E0: sizes at the start, shape (R, I), not negative.
        E1: sizes at the end, same shape.
        W: weights, shape (R, R); it makes no difference whether rows are standardised.
        reference: as in ``shift_share``.

    Returns:
        Four arrays of shape (R, I). Neighbours and own are NaN where the neighbours have nothing at the start (or there
        are none) but the region has, and where a neighbour is NaN. Births are own.

    Raises:
        ClusterbookError: as ``shift_share``; or W does not fit.

    Example:
        >>> before, after = [[100.0], [100.0], [100.0]], [[130.0], [110.0], [120.0]]
        >>> spatial_shift_share(before, after, [[0, 1, 0], [1, 0, 1], [0, 1, 0]]).own.ravel().round(6).tolist()
        [20.0, -15.0, 10.0]

    Source: Nazara and Hewings (2004), Spatial structure and taxonomy of decomposition in shift-share analysis, Growth
    and Change 35.
    """
    g = _growth(E0, E1, reference)
    matrix = weights_matrix(W, len(g.start))
    near = _rate(matrix @ g.start, matrix @ g.end)
    return SpatialShiftShare(
        g.start * g.total,
        _times(g.start, g.industry - g.total),
        _times(g.start, near - g.industry),
        g.end - g.start - _times(g.start, near),
    )


def dynamic_shift_share(
    E: ArrayLike, method: Callable[..., Parts], *arguments: Any, reference: ArrayLike | None = None
) -> Parts:
    """Add up the parts of every single year, so that structure and growth of the years between count.

    Args:
        E: sizes year by year, shape (T, R, I), T at least 2.
        method: any function of this module that takes a start and an end.
        arguments: what the method takes besides, e.g. W.
        reference: totals of the industries in the reference economy, shape (T, I). Default: the sums over all regions.

    Returns:
        The parts of the method, each (R, I) and added over the T - 1 steps; together they are the change from the first
        year to the last. NaN where any step is.

    Raises:
        ClusterbookError: E does not have at least two years, or as the method.

    Example:
        >>> years = [[[100.0, 100.0]], [[100.0, 200.0]], [[100.0, 400.0]]]
        >>> [part.round(1).tolist() for part in dynamic_shift_share(years, shift_share)]
        [[[116.7, 183.3]], [[-116.7, 116.7]], [[0.0, 0.0]]]

    Source: Barff and Knight (1988), Dynamic shift-share analysis, Growth and Change 19.
    """
    years = np.asarray(E, dtype=np.float64)
    if years.ndim != 3 or len(years) < 2:
        raise ClusterbookError(f"E has shape {years.shape}. Give years x regions x industries, two years or more.")
    totals = None if reference is None else np.asarray(reference, dtype=np.float64)
    if totals is not None and totals.shape != (years.shape[0], years.shape[2]):
        raise ClusterbookError(f"reference has shape {totals.shape}, {(years.shape[0], years.shape[2])} is needed.")
    steps = [
        method(years[t], years[t + 1], *arguments, reference=None if totals is None else (totals[t], totals[t + 1]))
        for t in range(len(years) - 1)
    ]
    summed = [np.sum([step[k] for step in steps], axis=0) for k in range(len(steps[0]))]
    return type(steps[0])(*summed)


def _growth(E0: ArrayLike, E1: ArrayLike, reference: Totals | None) -> _Growth:
    """Check the sizes and compute all that the forms share. Cells unknown in one year are so in both."""
    start, end = (np.asarray(E, dtype=np.float64) for E in (E0, E1))
    if start.ndim != 2 or start.shape != end.shape:
        raise ClusterbookError(f"E0 has shape {start.shape}, E1 {end.shape}. Give regions x industries for both.")
    require_sizes("E0", start)
    require_sizes("E1", end)
    gap = np.where(np.isnan(start + end), np.nan, 0.0)
    start, end = start + gap, end + gap
    of_start, of_end = _totals(start, end, reference)
    total = float(_rate(of_start.sum(), of_end.sum()))
    share = of_start / (of_start.sum() or np.nan)
    existing = np.where(start == 0, 0.0, end)
    region = _rate(start.sum(axis=1, keepdims=True), existing.sum(axis=1, keepdims=True))
    return _Growth(
        start, end, total, _rate(of_start, of_end), region, np.asarray(start.sum(axis=1, keepdims=True) * share)
    )


def _totals(start: Floats, end: Floats, reference: Totals | None) -> tuple[Floats, Floats]:
    if reference is None:
        return np.nansum(start, axis=0), np.nansum(end, axis=0)
    totals = [np.asarray(part, dtype=np.float64) for part in reference]
    if [part.shape for part in totals] != [start.shape[1:]] * 2:
        raise ClusterbookError(
            f"reference has shapes {[part.shape for part in totals]}. Give the totals of {start.shape[1]} industries, "
            "at the start and at the end."
        )
    for part in totals:
        require_sizes("reference", part)
    return totals[0], totals[1]


def _rate(start: Any, end: Any) -> Floats:
    """Growth as a fraction; from zero there is none: NaN."""
    return np.asarray(end / np.where(start > 0, start, np.nan) - 1)


def _per_job(change: Floats, start: Floats) -> Floats:
    """Change by size, 0 in cells that were empty (whose change is not split)."""
    return np.divide(change, start, out=np.where(np.isnan(start), np.nan, 0.0), where=start > 0)


def _times(size: Floats, rate: Floats) -> Floats:
    """Size x rate; nothing times a rate that is not defined is nothing."""
    return np.where(size == 0, 0.0, size * rate)
