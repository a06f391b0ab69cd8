"""Concentration, margin by margin: one number for each region or each industry of a dense array.

Every function takes sizes E of shape (R, I) and the direction ``over`` which it looks:

- ``over='industries'``: along the industries of each region (is the region specialised?), result of shape (R,);
- ``over='regions'``: along the regions of each industry (is the industry concentrated?), result of shape (I,).

Gaps, in all of them: NaN (a suppressed cell) makes the result of its line NaN, and so does a total of zero; whoever
writes tables turns NaN into null. Regions x industries that are simply absent are zeros.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

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
    share = _shares(_columns(E, over))
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
    nats: Floats = entr(_shares(_columns(E, over))).sum(axis=0)
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
    columns = _columns(E, over)
    return np.asarray(np.abs(_shares(columns) - _reference(columns, reference)).sum(axis=0) / 2)


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
    _require("weights", weights, ("share", "equal"))
    _require("scale", scale, ("unit", "krugman"))
    columns = _columns(E, over)
    weight = _reference(columns, reference)
    mass = _shares(columns)
    # Where there is no reference, s / 0 is infinite and comes last; 0 / 0 adds nothing wherever it comes.
    ratio = np.divide(mass, weight, out=np.where(mass > 0, np.inf, 0.0), where=weight > 0)
    if weights == "equal":
        mass = _shares(np.where(np.isinf(ratio), np.nan, ratio))
        weight = _shares((weight > 0).astype(np.float64))
    order = np.argsort(ratio, axis=0, kind="stable")
    mass = np.take_along_axis(mass, order, axis=0)
    area = weight[:, 0][order] * (2 * mass.cumsum(axis=0) - mass)
    gini: Floats = np.maximum(1 - area.sum(axis=0), 0.0)  # rounding can leave -1e-17
    return gini if scale == "unit" else np.asarray(gini / 2)


def _require(argument: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ClusterbookError(f"{argument}='{value}' is not known. Use {' or '.join(repr(k) for k in known)}.")


def _columns(E: ArrayLike, over: Over) -> Floats:
    """Check the sizes and turn them so that every column is one line to sum over."""
    _require("over", over, ("industries", "regions"))
    values = np.asarray(E, dtype=np.float64)
    if values.ndim != 2:
        raise ClusterbookError(f"E has shape {values.shape}. Give regions x industries, e.g. E.reshape(-1, 1) for one.")
    _require_sizes("E", values)
    return values if over == "regions" else values.T


def _require_sizes(name: str, values: Floats) -> None:
    if (values < 0).any() or np.isinf(values).any():
        raise ClusterbookError(f"{name} has negative or infinite values. Concentration is defined for sizes only.")


def _shares(columns: Floats) -> Floats:
    total = columns.sum(axis=0)
    return columns / np.where(total > 0, total, np.nan)


def _reference(columns: Floats, reference: ArrayLike | None) -> Floats:
    """Return the shares x to compare with, as a column."""
    if reference is None:
        sizes = np.nansum(columns, axis=1)
    else:
        sizes = np.asarray(reference, dtype=np.float64)
        if sizes.shape != columns.shape[:1]:
            raise ClusterbookError(f"reference has shape {sizes.shape}. Give one size for each of {len(columns)}.")
        _require_sizes("reference", sizes)
        if not sizes.sum() > 0:
            raise ClusterbookError("reference has missing values or is zero throughout. Leave out what it lacks.")
    return _shares(sizes[:, None])
