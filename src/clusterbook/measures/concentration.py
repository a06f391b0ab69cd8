"""Concentration, margin by margin: one number for each region or each industry of a dense array.

Every function takes sizes E of shape (R, I) and the direction ``over`` which it looks:

- ``over='industries'``: along the industries of each region (is the region specialised?), result of shape (R,);
- ``over='regions'``: along the regions of each industry (is the industry concentrated?), result of shape (I,).

Gaps, in all of them: NaN (a suppressed cell) makes the result of its line NaN, and so does a total of zero; whoever
writes tables turns NaN into null. Regions x industries that are simply absent are zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, rel_entr

from clusterbook.errors import ClusterbookError

Floats = NDArray[np.float64]
Over = Literal["industries", "regions"]


def herfindahl(E: ArrayLike, *, over: Over, normalised: bool = False) -> Floats:
    """Sum the squared shares: 1/n when all n are equal, 1 when one has everything.

    Args:
        E: sizes, shape (R, I), not negative.
        over: 'industries' or 'regions', see the top of this module.
        normalised: rescale by (H - 1/n) / (1 - 1/n) to run from 0 to 1. NaN where n is 1.

    Returns:
        Shape (R,) or (I,), from 1/n (or 0) to 1. NaN for lines with a NaN or with nothing in them.

    Raises:
        ClusterbookError: E is not a two-dimensional array of sizes, or ``over`` is not known.

    Example:
        >>> herfindahl([[20, 50, 20, 10]], over="industries")
        array([0.34])
        >>> herfindahl([[20, 50, 20, 10]], over="industries", normalised=True).round(2)
        array([0.12])

    Source: Herfindahl (1950); example after Farhauer and Kröll (2013).
    """
    share = column_shares(size_columns(E, over))
    index: Floats = (share**2).sum(axis=0)
    if not normalised:
        return index
    n = len(share)
    return (index - 1 / n) / (1 - 1 / n) if n > 1 else np.full_like(index, np.nan)


def effective_number(index: ArrayLike) -> Floats:
    """Return how many equal parts would give the same Herfindahl index: 1 / H.

    Args:
        index: Herfindahl indices, not normalised, any shape.

    Returns:
        The same shape, from 1 to n. NaN stays NaN.

    Example:
        >>> effective_number(herfindahl([[50, 50, 0], [90, 5, 5]], over="industries")).round(2)
        array([2.  , 1.23])

    Source: Adelman (1969), Comment on the 'H' concentration measure as a numbers-equivalent.
    """
    return 1 / np.asarray(index, dtype=np.float64)


def entropy(E: ArrayLike, *, over: Over, base: float = 2) -> Floats:
    """Return Shannon's entropy of the shares: 0 when one has everything, log(n) when all n are equal.

    Args:
        E: sizes, shape (R, I), not negative.
        over: 'industries' or 'regions', see the top of this module.
        base: of the logarithm; 2 gives bits.

    Returns:
        Shape (R,) or (I,), from 0 to log(n). NaN for lines with a NaN or with nothing in them.

    Raises:
        ClusterbookError: E is not a two-dimensional array of sizes, or ``over`` is not known.

    Example:
        >>> entropy([[1, 1, 1, 1], [8, 0, 0, 0]], over="industries")
        array([2., 0.])

    Source: Shannon (1948), - sum p log p with 0 log 0 = 0.
    """
    nats: Floats = entr(column_shares(size_columns(E, over))).sum(axis=0)
    return np.asarray(nats / np.log(base))


def hoover(E: ArrayLike, reference: ArrayLike | None = None, *, over: Over = "regions") -> Floats:
    """Return the share that would have to move to be spread like the reference: 1/2 sum |s - x|.

    Over regions, s is the industry's share in each region and x the region's share of everything (Hoover's index of
    localisation). Over industries, s is the region's structure and x that of all regions together (coefficient of
    specialisation; twice it is Krugman's index).

    Args:
        E: sizes, shape (R, I), not negative.
        reference: sizes to compare with, e.g. population or area of the regions: shape (R,) over regions, (I,) over
            industries. Default: the totals of E, of which NaN cells are left out.
        over: 'regions' or 'industries', see the top of this module.

    Returns:
        Shape (I,) or (R,), from 0 to less than 1. NaN for lines with a NaN or with nothing in them.

    Raises:
        ClusterbookError: E or the reference is not an array of sizes, or ``over`` is not known.

    Example:
        >>> hoover([[0], [10], [10], [30], [50]], [10, 15, 20, 25, 30])
        array([0.25])

    Source: Hoover (1936), The measurement of industrial localization, Review of Economics and Statistics 18.
    """
    columns = size_columns(E, over)
    return np.asarray(np.abs(column_shares(columns) - reference_shares(columns, reference)).sum(axis=0) / 2)


def locational_gini(
    E: ArrayLike,
    reference: ArrayLike | None = None,
    *,
    over: Over = "regions",
    weights: Literal["share", "equal"] = "share",
    scale: Literal["unit", "krugman"] = "unit",
) -> Floats:
    """Return the Gini coefficient of the location quotients: 0 when spread like the reference, near 1 in one place.

    Regions are put in order of s / x; the Lorenz curve is the cumulated s over the cumulated x, and
    G = 1 - sum_k x_k (2 S_k - s_k) with S the cumulated s. Three conventions bear this name, hence the two choices.

    Args:
        E: sizes, shape (R, I), not negative.
        reference: sizes to compare with, e.g. population of the regions: shape (R,) over regions, (I,) over
            industries. Default: the totals of E, of which NaN cells are left out.
        over: 'regions' or 'industries', see the top of this module.
        weights: 'share' weighs each region by its x; 'equal' takes the plain Gini of the quotients s / x, every region
            counting the same. Parts that have no x are left out of it; a line with something there is NaN.
        scale: 'unit' runs from 0 to 1; 'krugman' is half of it, as in Krugman (1991).

    Returns:
        Shape (I,) or (R,). NaN for lines with a NaN or with nothing in them.

    Raises:
        ClusterbookError: E or the reference is not an array of sizes, or an argument is not known.

    Example:
        >>> jobs, all_jobs = [[500], [500], [1000], [7000], [1000]], [20000, 15000, 20000, 40000, 5000]
        >>> locational_gini(jobs, all_jobs).round(4), locational_gini(jobs, all_jobs, weights="equal").round(4)
        (array([0.3725]), array([0.4069]))

    Source: Krugman (1991), Geography and Trade; 'equal' and the example: Farhauer and Kröll (2013).
    """
    require_known("weights", weights, ("share", "equal"))
    require_known("scale", scale, ("unit", "krugman"))
    columns = size_columns(E, over)
    weight = reference_shares(columns, reference)
    mass = column_shares(columns)
    if weights == "equal":
        outside = (weight == 0) & (mass > 0)  # an infinite quotient has no plain Gini
        mass = column_shares(np.divide(mass, weight, out=np.where(outside, np.nan, 0.0), where=weight > 0))
        weight = column_shares((weight > 0).astype(np.float64))
    gini = np.array([_gini(line, weight[:, 0]) for line in np.ascontiguousarray(mass.T)])
    return gini if scale == "unit" else np.asarray(gini / 2)


def _gini(mass: Floats, weight: Floats) -> float:
    """Return the Gini of one line of shares. Parts that have nothing add nothing, so they need not be sorted."""
    if np.isnan(mass).any():
        return float("nan")
    present = mass > 0
    s, x = mass[present], weight[present]
    # Where there is no reference, s / 0 is infinite and comes last.
    order = np.argsort(np.divide(s, x, out=np.full_like(s, np.inf), where=x > 0), kind="stable")
    s, x = s[order], x[order]
    return max(1 - float(x @ (2 * s.cumsum() - s)), 0.0)  # rounding can leave -1e-17


def theil(E: ArrayLike, reference: ArrayLike | None = None, *, over: Over = "regions") -> Floats:
    """Return Theil's index against a reference: 0 when spread like it, sum s ln(s / x) otherwise.

    Weighted by q over industries, or by x over regions, it comes to the same number both ways: the mutual information
    of places and industries.

    Args:
        E: sizes, shape (R, I), not negative.
        reference: sizes to compare with: shape (R,) over regions, (I,) over industries. Default: the totals of E, of
            which NaN cells are left out.
        over: 'regions' or 'industries', see the top of this module.

    Returns:
        Shape (I,) or (R,), in nats, from 0 to ln(1 / min x). Infinite where there is something outside the reference
        (x = 0 < s); NaN for lines with a NaN or with nothing in them.

    Raises:
        ClusterbookError: E or the reference is not an array of sizes, or ``over`` is not known.

    Example:
        >>> theil([[9, 1], [1, 9]]).round(4)
        array([0.3681, 0.3681])

    Source: Theil (1967), Economics and Information Theory. (R's REAT::theil is another index, the mean log deviation.)
    """
    columns = size_columns(E, over)
    return np.asarray(rel_entr(column_shares(columns), reference_shares(columns, reference)).sum(axis=0))


class TheilParts(NamedTuple):
    """Theil's index of each line, taken apart: ``between`` + ``within`` is the index.

    ``between`` and ``within`` have one value a line; ``groups`` are the labels, sorted; ``by_group`` (groups, lines) is
    Theil's index inside each group, NaN where the line has nothing there, and ``share`` (groups, lines) what of the
    line is in the group.
    """

    between: Floats
    within: Floats
    groups: tuple[str, ...]
    by_group: Floats
    share: Floats


def theil_parts(
    E: ArrayLike, groups: Sequence[str], reference: ArrayLike | None = None, *, over: Over = "regions"
) -> TheilParts:
    """Split Theil's index into what lies between groups and what lies within them.

    T = sum_g S_g ln(S_g / X_g) + sum_g S_g T_g, with S_g and X_g the shares of group g in the line and in the
    reference.

    Args:
        E: sizes, shape (R, I), not negative.
        groups: the group of each region (over regions, e.g. its country) or of each industry (over industries).
        reference: as in ``theil``.
        over: 'regions' or 'industries', see the top of this module.

    Returns:
        The parts, in nats.

    Raises:
        ClusterbookError: as ``theil``; or not one group for each.

    Example:
        >>> parts = theil_parts([[9, 1], [3, 3], [0, 8]], ["north", "north", "south"])
        >>> parts.between.round(4), parts.within.round(4)
        (array([0.4055, 0.231 ]), array([0.0354, 0.0969]))

    Source: Theil (1967), Economics and Information Theory.
    """
    columns = size_columns(E, over)
    if len(groups) != len(columns):
        raise ClusterbookError(f"There are {len(groups)} groups. Give one for each of {len(columns)}.")
    mass, weight = column_shares(columns), reference_shares(columns, reference)
    names, group = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    member = (group == np.arange(len(names))[:, None]).astype(np.float64)
    share, size = member @ mass, member @ weight
    inside = rel_entr(mass, weight)
    # sum s ln(s / x) within a group is S_g T_g + S_g ln(S_g / X_g)
    total = np.stack([inside[group == g].sum(axis=0) for g in range(len(names))])
    between = rel_entr(share, size)
    # Something outside the reference is infinitely far from it, wherever in the sum it is put.
    weighted = np.subtract(total, between, out=np.full_like(total, np.inf), where=~np.isinf(total))
    by_group = np.divide(weighted, share, out=np.full_like(share, np.nan), where=share > 0)
    return TheilParts(between.sum(axis=0), weighted.sum(axis=0), tuple(names.tolist()), by_group, share)


def litzenberger_sternberg(E: ArrayLike, plants: ArrayLike, area: ArrayLike, population: ArrayLike) -> Floats:
    """Return the cluster index of Litzenberger and Sternberg: industrial density x stock / size of plants.

    CI_ri = (E_ri / e_i) (B_ri / B_i) / ((a_r / a) (pop_r / pop)): jobs and plants count alike, and a place with few
    large plants has less of a cluster than one with many small ones.

    Args:
        E: jobs, shape (R, I), not negative.
        plants: numbers of plants, shape (R, I), not negative.
        area: of the regions, shape (R,), any unit.
        population: of the regions, shape (R,).

    Returns:
        Shape (R, I); 1 is average, 64 (four times in all three factors) is often quoted as the mark of a cluster. 0
        where there is nothing. NaN in columns with a NaN or with nothing in them, and in regions without area or
        population. It depends on how many regions there are: compare within one table only.

    Raises:
        ClusterbookError: arrays are not of sizes or do not fit each other.

    Example:
        >>> jobs, plants = [[1743], [3997]], [[35], [18]]
        >>> litzenberger_sternberg(jobs, plants, [50, 526], [488, 4133])[0].round(4)
        array([21.8749])

    Source: Litzenberger and Sternberg (2006), Der Clusterindex, Geographische Zeitschrift 94; example: Farhauer and
    Kröll (2013).
    """
    jobs, counts = size_columns(E, "regions"), size_columns(plants, "regions")
    if jobs.shape != counts.shape:
        raise ClusterbookError(f"E has shape {jobs.shape}, plants {counts.shape}. Give both for the same cells.")
    room = reference_shares(jobs, area, name="area") * reference_shares(jobs, population, name="population")
    return np.asarray(column_shares(jobs) * column_shares(counts) / np.where(room > 0, room, np.nan))


def require_known(argument: str, value: str, known: tuple[str, ...]) -> None:
    """Raise ``ClusterbookError`` when an argument is none of the words that it can be."""
    if value not in known:
        raise ClusterbookError(f"{argument}='{value}' is not known. Use {' or '.join(repr(k) for k in known)}.")


def size_columns(E: ArrayLike, over: Over) -> Floats:
    """Check the sizes and turn them so that every column is one line to sum over."""
    require_known("over", over, ("industries", "regions"))
    values = np.asarray(E, dtype=np.float64)
    if values.ndim != 2:
        raise ClusterbookError(f"E has shape {values.shape}. Give regions x industries, e.g. E.reshape(-1, 1) for one.")
    require_sizes("E", values)
    return values if over == "regions" else values.T


def require_sizes(name: str, values: Floats) -> None:
    """Raise ``ClusterbookError`` when there are negative or infinite sizes; NaN (suppressed) passes."""
    if (values < 0).any() or np.isinf(values).any():
        raise ClusterbookError(f"{name} has negative or infinite values. Concentration is defined for sizes only.")


def column_shares(columns: Floats) -> Floats:
    """Divide every column by its sum; columns with a NaN or with nothing in them are NaN."""
    total = columns.sum(axis=0)
    return columns / np.where(total > 0, total, np.nan)


def reference_shares(columns: Floats, reference: ArrayLike | None, *, name: str = "reference") -> Floats:
    """Return the shares x to compare with, as a column."""
    if reference is None:
        sizes = np.nansum(columns, axis=1)
    else:
        sizes = np.asarray(reference, dtype=np.float64)
        if sizes.shape != columns.shape[:1]:
            raise ClusterbookError(f"{name} has shape {sizes.shape}. Give one size for each of {len(columns)}.")
        require_sizes(name, sizes)
        if not sizes.sum() > 0:
            raise ClusterbookError(f"{name} has missing values or is zero throughout. Leave out what it lacks.")
    return column_shares(sizes[:, None])
