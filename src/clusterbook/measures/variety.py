"""Variety and its change: how mixed regions are, and which industries enter and leave them.

Presence, where it is asked for, is 1 and 0 with NaN for what is not known (``complexity.presence``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import Over, entropy, require_known, size_columns

Floats = NDArray[np.float64]


class Variety(NamedTuple):
    """``unrelated`` between groups + ``related`` within groups = ``total``; each one value a line, in bits."""

    related: Floats
    unrelated: Floats
    total: Floats


def variety(E: ArrayLike, groups: Sequence[str], *, over: Over = "industries") -> Variety:
    """Split the entropy of regions into variety of related and of unrelated industries.

    Unrelated variety is the entropy of the groups' shares, sum_g P_g log2(1 / P_g); related variety is the entropy
    within groups, sum_g P_g H_g. Together they are the entropy of the industries.

    Args:
        E: sizes, shape (R, I), not negative.
        groups: the group of each industry (over industries; usually its first two digits), or of each region.
        over: 'industries' for the variety of each region, 'regions' for that of each industry's geography.

    Returns:
        Related, unrelated and total variety, shape (R,) or (I,). NaN for lines with a NaN or with nothing in them.

    Raises:
        ClusterbookError: E is not a two-dimensional array of sizes, or there is not one group for each industry.

    Example:
        >>> found = variety([[1, 1, 1, 1], [2, 0, 2, 0]], ["10", "10", "24", "24"])
        >>> found.related, found.unrelated
        (array([1., 0.]), array([1., 1.]))

    Source: Frenken, van Oort and Verburg (2007), Related variety, unrelated variety and regional economic growth,
    Regional Studies 41.
    """
    columns = size_columns(E, over)
    if len(groups) != len(columns):
        raise ClusterbookError(f"There are {len(groups)} groups. Give one for each of {len(columns)}.")
    _, group = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    member = (group == np.arange(group.max(initial=-1) + 1)[:, None]).astype(np.float64)
    total = entropy(columns, over="regions")
    unrelated = entropy(member @ columns, over="regions")
    # Where every group has one industry the difference is rounding.
    return Variety(np.maximum(total - unrelated, 0.0), unrelated, total)


class Turnover(NamedTuple):
    """Industries that came, went and stayed.

    ``entries``, ``exits`` and ``stayers`` (R,) are numbers of industries. ``entry_rate`` is entries by the industries
    that were absent, ``exit_rate`` exits by those that were present, ``persistence`` 1 - exit rate; NaN where there
    were none.
    """

    entries: Floats
    exits: Floats
    stayers: Floats
    entry_rate: Floats
    exit_rate: Floats
    persistence: Floats


def turnover(before: ArrayLike, after: ArrayLike, *, over: Over = "industries") -> Turnover:
    """Count which industries entered regions, left them and stayed.

    Args:
        before: presence in the first year, shape (R, I).
        after: presence in the second year, the same regions and industries.
        over: 'industries' counts for each region, 'regions' for each industry.

    Returns:
        Numbers and rates, shape (R,) or (I,). NaN for lines with a NaN in either year.

    Raises:
        ClusterbookError: the arrays have different shapes, or hold anything but 0, 1 and NaN.

    Example:
        >>> found = turnover([[1, 1, 0, 0]], [[1, 0, 1, 0]])
        >>> found.entries, found.entry_rate, found.persistence
        (array([1.]), array([0.5]), array([0.5]))
    """
    first, second = (_presence(M) for M in (before, after))
    if first.shape != second.shape:
        raise ClusterbookError(
            f"before has shape {first.shape}, after {second.shape}. Give the same regions and industries in both."
        )
    require_known("over", over, ("industries", "regions"))
    axis = 1 if over == "industries" else 0
    entries, exits, stayers = (
        np.asarray(which.sum(axis=axis)) for which in ((1 - first) * second, first * (1 - second), first * second)
    )
    present = first.sum(axis=axis)
    exit_rate = _rate(exits, present)
    return Turnover(entries, exits, stayers, _rate(entries, first.shape[axis] - present), exit_rate, 1 - exit_rate)


def entry_frame(
    presence: ArrayLike,
    years: Sequence[int],
    regions: Sequence[str],
    industries: Sequence[str],
    *,
    event: Literal["entry", "exit"] = "entry",
    covariates: Mapping[str, ArrayLike] | None = None,
) -> pl.DataFrame:
    """Lay out who could enter (or leave) an industry from one year to the next and who did: the data of entry models.

    Args:
        presence: shape (T, R, I), 1, 0 or NaN.
        years: the T years, ascending.
        regions: codes of the R regions.
        industries: codes of the I industries.
        event: 'entry' has one row for each industry absent from a region at the start of a period, 'exit' for each
            present one.
        covariates: columns to add, each with its values in the T years, at the start of the period: shape (T, R, I),
            (T, R, 1) for regions or (T, 1, I) for industries, e.g. ``relatedness_density`` of each year. NaN becomes
            null.

    Returns:
        One row a region, industry and period: ``region, industry, from_year, to_year``, the event (0 or 1) and the
        covariates, sorted by year, region and industry. Cells not known at either end of a period are left out of it:
        whether there was an event is not known either.

    Raises:
        ClusterbookError: shapes do not fit, years do not ascend, or presence holds anything but 0, 1 and NaN.

    Example:
        >>> M = [[[1, 0]], [[1, 1]]]
        >>> entry_frame(M, [2018, 2019], ["A"], ["x", "y"], covariates={"density": [[[0.2, 0.4]], [[0.3, 0.5]]]}).rows()
        [('A', 'y', 2018, 2019, 1, 0.4)]

    Source: the design of Neffke, Henning and Boschma (2011), How do regions diversify over time?, Economic Geography
    87.
    """
    require_known("event", event, ("entry", "exit"))
    M = _presence(presence, dimensions=3)
    shape = (len(years), len(regions), len(industries))
    if M.shape != shape:
        raise ClusterbookError(
            f"presence has shape {M.shape}, labels {shape}. Give one for each year, region, industry."
        )
    if any(later <= earlier for earlier, later in pairwise(years)):
        raise ClusterbookError(f"years={list(years)} do not ascend. Sort years and presence alike.")
    at_risk = M[:-1] == (0 if event == "entry" else 1)
    t, r, i = np.nonzero(at_risk & ~np.isnan(M[1:]))
    after = M[t + 1, r, i]
    when = pl.Series(list(years), dtype=pl.Int64)
    frame = pl.DataFrame(
        {
            "region": pl.Series(list(regions), dtype=pl.String).gather(r),
            "industry": pl.Series(list(industries), dtype=pl.String).gather(i),
            "from_year": when.gather(t),
            "to_year": when.gather(t + 1),
            event: (after if event == "entry" else 1 - after).astype(np.int8),
        }
    )
    return frame.with_columns(
        pl.Series(name, _covariate(name, values, shape)[t, r, i], nan_to_null=True)
        for name, values in (covariates or {}).items()
    )


def _covariate(name: str, values: ArrayLike, shape: tuple[int, int, int]) -> Floats:
    given = np.asarray(values, dtype=np.float64)
    try:
        if given.ndim != 3:
            raise ValueError
        return np.broadcast_to(given, shape)
    except ValueError:
        T, R, I = shape  # noqa: E741
        raise ClusterbookError(
            f"covariate '{name}' has shape {given.shape}. Give ({T}, {R}, {I}), ({T}, {R}, 1) or ({T}, 1, {I})."
        ) from None


def _presence(values: ArrayLike, dimensions: int = 2) -> Floats:
    M = np.asarray(values, dtype=np.float64)
    if M.ndim != dimensions:
        raise ClusterbookError(f"presence has shape {M.shape}. Give an array of {dimensions} dimensions.")
    if not ((M == 0) | (M == 1) | np.isnan(M)).all():
        raise ClusterbookError("presence holds other values than 0, 1 and NaN. Make it with presence().")
    return M


def _rate(events: Floats, chances: Floats) -> Floats:
    return np.asarray(events / np.where(chances > 0, chances, np.nan))
