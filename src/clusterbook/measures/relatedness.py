"""Relatedness: how strongly pairs of industries belong together, and how close regions are to them.

Every measure of pairs returns a symmetric array (I, I). What industries are compared by differs: where their jobs are
(``locational_correlation``, ``coagglomeration``), where their plants are (``excess_colocation``), where they are more
than usual (``proximity``, ``cooccurrence_strength``), whom they employ (``occupation_similarity``,
``labour_flow_relatedness``) or what they trade (``input_output_link``). Turned round (M.T), the measures of presence
compare regions; so does ``specialisation.krugman_pairs``.

M is presence, shape (R, I), 1 where a region has more than its share of an industry and else 0, from
``complexity.presence``. NaN (suppressed cells) is refused where it would touch every pair; impute first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import (
    column_shares,
    reference_shares,
    require_known,
    require_sizes,
    size_columns,
)

Floats = NDArray[np.float64]
Transform = Literal["level", "sqrt", "log"]

_TRANSFORMS: dict[Transform, Callable[[Floats], Floats]] = {
    "level": lambda x: x,
    "sqrt": np.sqrt,
    "log": np.log1p,
}


def locational_correlation(values: Floats, *, size: Floats | None = None, transform: Transform = "level") -> Floats:
    """Correlate the geographies of industries: which ones are found in the same places.

    Args:
        values: shape (R, I), e.g. employment or establishments of I industries in R regions.
        size: shape (R,), the size of each region (e.g. total employment). Given, the correlation is partial: what two
            industries share merely because both are larger in larger regions is taken out.
        transform: 'level' as in Porter (2003) and Delgado, Porter and Stern (2016); 'sqrt' tames the largest regions
            (it makes the spread of counts equal), 'log' (of 1 + x) tames them more. Applied to values and size alike.

    Returns:
        Symmetric (I, I) array in [-1, 1] with a unit diagonal. An industry with no variation (absent everywhere, or
        exactly in proportion to size) has no correlation: its row and column are NaN, diagonal included.

    Raises:
        ClusterbookError: values hold NaN (suppressed cells): a correlation that skips them would not be comparable.

    Example:
        >>> import numpy as np
        >>> jobs = np.array([[10.0, 1.0, 0.0], [20.0, 2.0, 5.0], [30.0, 3.0, 1.0]])
        >>> locational_correlation(jobs).round(2)
        array([[1.  , 1.  , 0.19],
               [1.  , 1.  , 0.19],
               [0.19, 0.19, 1.  ]])

    Source: Porter (2003), The economic performance of regions, Regional Studies 37; Delgado, Porter and Stern (2016),
    Defining clusters of related industries, Journal of Economic Geography 16. Square root and partial form: ours.
    """
    if np.isnan(values).any():
        raise ClusterbookError("values hold NaN: impute suppressed cells, or choose a year without them")
    apply = _TRANSFORMS[transform]
    deviation = apply(values)
    deviation = deviation - deviation.mean(axis=0)
    spread = np.linalg.norm(deviation, axis=0)
    if size is not None:
        scale = apply(np.asarray(size, dtype=np.float64))
        scale = scale - scale.mean()
        deviation = deviation - np.outer(scale, scale @ deviation / (scale @ scale))
    norm = np.linalg.norm(deviation, axis=0)
    norm = np.where(norm > 1e-9 * np.maximum(spread, 1e-300), norm, np.nan)  # rounding is not variation
    deviation /= norm
    correlation = np.clip(deviation.T @ deviation, -1.0, 1.0)
    np.fill_diagonal(correlation, np.where(np.isnan(norm), np.nan, 1.0))
    return np.asarray(correlation)


def coagglomeration(E: ArrayLike, reference: ArrayLike | None = None) -> Floats:
    """Return Ellison and Glaeser's coagglomeration of all pairs: are two industries in the same places beyond chance?

    gamma_ij = sum_r (s_ri - x_r)(s_rj - x_r) / (1 - sum_r x_r^2). Plants need not be known. For groups of more than
    two there is ``plant_concentration.group_coagglomeration``.

    Args:
        E: jobs, shape (R, I), not negative.
        reference: sizes of the regions, shape (R,). Default: the totals of E. Ellison, Glaeser and Kerr take the mean
            of the industries' shares.

    Returns:
        Symmetric (I, I) array with NaN on its diagonal; 0 is chance. NaN for industries with a NaN or with nothing in
        them, and throughout where only one region has a share in the reference.

    Raises:
        ClusterbookError: E or the reference is not an array of sizes.

    Example:
        >>> coagglomeration([[9, 8, 1], [1, 2, 9]], [1, 1]).round(2)
        array([[  nan,  0.48, -0.64],
               [ 0.48,   nan, -0.48],
               [-0.64, -0.48,   nan]])

    Source: Ellison and Glaeser (1997), Journal of Political Economy 105; Ellison, Glaeser and Kerr (2010), What causes
    industry agglomeration?, American Economic Review 100.
    """
    columns = size_columns(E, "regions")
    x = reference_shares(columns, reference)
    deviation = column_shares(columns)
    deviation -= x
    room = 1 - float((x**2).sum())
    pairs = deviation.T @ deviation
    pairs /= room if room > 1e-12 else np.nan
    np.fill_diagonal(pairs, np.nan)
    return np.asarray(pairs)


def excess_colocation(plants: ArrayLike) -> Floats:
    """Return how much likelier plants of two industries share a region than if all plants changed places at random.

    CL_ij = sum_r n_ri n_rj / (n_i n_j) is the probability that a plant of i and one of j are in one region. Less what
    it is on average when the places of all plants are dealt out anew, sum_r N_r (N_r - 1) / (N (N - 1)), it is XCL:
    the mean that is usually simulated is known exactly.

    Args:
        plants: numbers of plants, shape (R, I), not negative.

    Returns:
        Symmetric (I, I) array with NaN on its diagonal, from -1 to 1; 0 is chance. NaN for industries without plants.

    Raises:
        ClusterbookError: plants is not an array of numbers of plants, or holds NaN.

    Example:
        >>> excess_colocation([[2, 1, 0], [0, 1, 2]]).round(2)
        array([[ nan,  0.1, -0.4],
               [ 0.1,  nan,  0.1],
               [-0.4,  0.1,  nan]])

    Source: Howard, Newman and Tarp (2016), Measuring industry coagglomeration and identifying the driving forces,
    Journal of Economic Geography 16.
    """
    columns = size_columns(plants, "regions")
    require_complete("plants", columns)
    share = column_shares(columns)
    of_region = columns.sum(axis=1)
    N = float(of_region.sum())
    by_chance = float((of_region * (of_region - 1)).sum()) / (N * (N - 1)) if N > 1 else np.nan
    pairs = share.T @ share - by_chance
    np.fill_diagonal(pairs, np.nan)
    return np.asarray(pairs)


def cooccurrence(M: ArrayLike) -> Floats:
    """Count in how many regions each pair of industries is present.

    Args:
        M: presence, shape (R, I), 0 or 1.

    Returns:
        Symmetric (I, I) array M'M of whole numbers; its diagonal is in how many regions each is (its ubiquity).

    Raises:
        ClusterbookError: M holds anything but 0 and 1.

    Example:
        >>> cooccurrence([[1, 1], [1, 0]]).tolist()
        [[2.0, 1.0], [1.0, 1.0]]
    """
    present = binary(M)
    # Single precision is exact to 16.7 million regions and twice as fast.
    return np.asarray(present.T @ present, dtype=np.float64)


def proximity(M: ArrayLike) -> Floats:
    """Return the proximity of industries: the smaller probability that a region with the one has the other too.

    phi_ij = U_ij / max(k_i, k_j), U the co-occurrences and k the ubiquities.

    Args:
        M: presence, shape (R, I), 0 or 1.

    Returns:
        Symmetric (I, I) array from 0 to 1 with a unit diagonal. Rows and columns of industries present nowhere are NaN.

    Raises:
        ClusterbookError: M holds anything but 0 and 1.

    Example:
        >>> proximity([[1, 1], [1, 0]]).tolist()
        [[1.0, 0.5], [0.5, 1.0]]

    Source: Hidalgo, Klinger, Barabási and Hausmann (2007), The product space conditions the development of nations,
    Science 317.
    """
    pairs = cooccurrence(M)
    ubiquity = np.diagonal(pairs).copy()
    known = np.where(ubiquity > 0, ubiquity, np.nan)
    pairs /= np.maximum(known[:, None], known[None, :])
    return pairs


def cooccurrence_strength(
    M: ArrayLike, method: Literal["association", "cosine", "jaccard", "probability"] = "association"
) -> Floats:
    """Compare co-occurrences of pairs with what the frequencies of both lead one to expect.

    With C the co-occurrences of different industries, S their row sums and T the sum of all: association
    C_ij T / (S_i S_j); cosine C_ij / sqrt(S_i S_j); jaccard C_ij / (S_i + S_j - C_ij); probability is C_ij by its
    expectation when none co-occurs with itself, (S_i S_j / (T - S_i) + S_j S_i / (T - S_j)) / 2.

    Args:
        M: presence, shape (R, I), 0 or 1.
        method: 'association' or 'probability' (1 is chance), 'cosine' or 'jaccard' (0 to 1).

    Returns:
        Symmetric (I, I) array with NaN on its diagonal. Rows and columns of industries that never co-occur are NaN.

    Raises:
        ClusterbookError: M holds anything but 0 and 1, or the method is not known.

    Example:
        >>> M = [[1, 1, 0], [1, 1, 1], [0, 1, 1]]
        >>> cooccurrence_strength(M, "association").round(2)
        array([[ nan, 1.67, 1.11],
               [1.67,  nan, 1.67],
               [1.11, 1.67,  nan]])

    Source: van Eck and Waltman (2009), How to normalize cooccurrence data?, Journal of the American Society for
    Information Science and Technology 60; Steijn (2021), Improvement on the association strength, Quantitative Science
    Studies 2.
    """
    require_known("method", method, ("association", "cosine", "jaccard", "probability"))
    C = cooccurrence(M)
    np.fill_diagonal(C, 0)
    sums = C.sum(axis=1)
    S = np.where(sums > 0, sums, np.nan)[:, None]
    T = float(sums.sum())
    if method == "cosine":
        strength = C / np.sqrt(S * S.T)
    elif method == "jaccard":
        strength = C / (S + S.T - C)
    elif method == "association":
        strength = C * T / (S * S.T)
    else:
        strength = C / (S * S.T * (1 / (T - S) + 1 / (T - S.T)) / 2)
    np.fill_diagonal(strength, np.nan)
    return np.asarray(strength)


def occupation_similarity(
    jobs: ArrayLike, method: Literal["correlation", "cosine"] = "correlation", *, relative: bool = False
) -> Floats:
    """Compare whom industries employ: the similarity of their occupations.

    Args:
        jobs: of each industry in each occupation, shape (I, O), not negative.
        method: 'correlation' or 'cosine' of the industries' occupation shares.
        relative: take out the shares of all industries together first. Occupations that are everywhere (office,
            cleaning) otherwise make all industries alike.

    Returns:
        Symmetric (I, I) array from -1 to 1 with a unit diagonal. NaN for industries with a NaN, without jobs, or whose
        shares do not vary.

    Raises:
        ClusterbookError: jobs is not a two-dimensional array of sizes, or the method is not known.

    Example:
        >>> occupation_similarity([[8, 1, 1], [7, 2, 1], [1, 1, 8]]).round(2)
        array([[ 1.  ,  0.99, -0.5 ],
               [ 0.99,  1.  , -0.63],
               [-0.5 , -0.63,  1.  ]])

    Source: Delgado, Porter and Stern (2016), Journal of Economic Geography 16; relative form: ours.
    """
    require_known("method", method, ("correlation", "cosine"))
    staff = size_columns(jobs, "industries")
    profile = column_shares(staff)
    if relative:
        profile -= reference_shares(staff, None)
    if method == "correlation":
        profile -= profile.mean(axis=0)
    norm = np.linalg.norm(profile, axis=0)
    profile /= np.where(norm > 1e-12, norm, np.nan)
    return np.asarray(np.clip(profile.T @ profile, -1.0, 1.0))


def labour_flow_relatedness(flows: ArrayLike, *, rescaled: bool = True) -> Floats:
    """Compare moves of workers between industries with what the industries' sizes in all moves lead one to expect.

    SR_ij = F_ij F / (F_i. F_.j), without moves inside an industry, averaged over both directions.

    Args:
        flows: workers who moved from each industry (row) to each other (column), shape (I, I), not negative.
        rescaled: map the ratio, from 0 to infinity, to (SR - 1) / (SR + 1), from -1 to 1.

    Returns:
        Symmetric (I, I) array with NaN on its diagonal; chance is 0 (1 where not rescaled). A direction in which an
        industry has no moves at all is left to the other one; NaN where neither is known.

    Raises:
        ClusterbookError: flows is not a square array of sizes, or holds NaN.

    Example:
        >>> labour_flow_relatedness([[90, 8, 2], [6, 50, 2], [2, 2, 70]]).round(2)
        array([[ nan, 0.31, 0.11],
               [0.31,  nan, 0.11],
               [0.11, 0.11,  nan]])

    Source: Neffke and Henning (2013), Skill relatedness and firm diversification, Strategic Management Journal 34.
    """
    F = _square("flows", flows)
    np.fill_diagonal(F, 0)
    out, into = (np.where(total > 0, total, np.nan) for total in (F.sum(axis=1), F.sum(axis=0)))
    ratio = F * F.sum() / np.outer(out, into)
    both = np.where(np.isnan(ratio), ratio.T, np.where(np.isnan(ratio.T), ratio, (ratio + ratio.T) / 2))
    np.fill_diagonal(both, np.nan)
    return np.asarray((both - 1) / (both + 1) if rescaled else both)


def input_output_link(Z: ArrayLike) -> Floats:
    """Return the strongest of the four links by trade: how much two industries buy from and sell to each other.

    max(a_ij, a_ji, b_ij, b_ji), with a_ij = z_ij / sum_i z_ij what of j's purchases comes from i and
    b_ij = z_ij / sum_j z_ij what of i's sales goes to j. Sums are of all purchases and sales between industries, own
    ones included.

    Args:
        Z: flows from each industry (row) to each other (column), shape (I, I), not negative; of domestic products
            where the link is to mean neighbours.

    Returns:
        Symmetric (I, I) array from 0 to 1 with NaN on its diagonal. An industry that sells nothing has links by its
        purchases only, and the other way round.

    Raises:
        ClusterbookError: Z is not a square array of sizes, or holds NaN.

    Example:
        >>> input_output_link([[10, 40, 5, 0], [20, 30, 10, 5], [0, 15, 20, 30], [5, 0, 25, 10]])[0].round(4)
        array([   nan, 0.7273, 0.0909, 0.1429])

    Source: Delgado, Porter and Stern (2016), Journal of Economic Geography 16.
    """
    flows = _square("Z", Z)
    purchases, sales = flows.sum(axis=0, keepdims=True), flows.sum(axis=1, keepdims=True)
    bought = np.divide(flows, purchases, out=np.zeros_like(flows), where=purchases > 0)
    sold = np.divide(flows, sales, out=np.zeros_like(flows), where=sales > 0)
    one_way = np.maximum(bought, sold)
    link = np.maximum(one_way, one_way.T)
    np.fill_diagonal(link, np.nan)
    return np.asarray(link)


def relatedness_density(M: ArrayLike, relatedness: ArrayLike, *, own: bool = False) -> Floats:
    """Return how much of what is related to an industry a region has.

    d_ri = sum_j phi_ij M_rj / sum_j phi_ij.

    Args:
        M: presence, shape (R, I), 0 or 1.
        relatedness: of pairs, shape (I, I), not negative, e.g. ``proximity``. Given in single precision (float32), the
            result is computed in it, to six digits and twice as fast.
        own: count the industry itself as related to itself. Where density is to explain who enters or leaves an
            industry, it must not.

    Returns:
        Shape (R, I), from 0 to 1. NaN for industries that are related to none.

    Raises:
        ClusterbookError: M holds anything but 0 and 1; relatedness does not fit it or is negative, or is missing for
            some pairs of an industry but not for all.

    Example:
        >>> M = [[1, 1, 0], [1, 1, 1], [0, 1, 1]]
        >>> relatedness_density(M, proximity(M)).round(2)
        array([[0.57, 0.5 , 1.  ],
               [1.  , 1.  , 1.  ],
               [1.  , 0.5 , 0.57]])

    Source: Hidalgo, Klinger, Barabási and Hausmann (2007), Science 317 (with the industry itself).
    """
    present = binary(M)
    weight = relatedness_weights(relatedness, present.shape[1], own=own)
    total = weight.sum(axis=1)
    # The numbers in weight are few against those in M @ weight: dividing first saves a pass over the large array.
    weight /= np.where(total > 0, total, np.nan)[:, None]
    nothing = np.isnan(weight[:, 0]) if len(weight) else np.zeros(0, bool)
    density = present.astype(weight.dtype, copy=False) @ np.nan_to_num(weight, copy=False).T
    density[:, nothing] = np.nan
    return np.asarray(density)


def relatedness_weights(relatedness: ArrayLike, industries: int, *, own: bool) -> Floats:
    """Return relatedness as weights to sum with: no gaps (0 for industries that are nowhere), diagonal kept or zero.

    Raises:
        ClusterbookError: of another shape, negative, or with gaps outside whole rows and columns.
    """
    given = np.asarray(relatedness)
    weight = np.array(given, dtype=given.dtype if given.dtype == np.float32 else np.float64)
    if weight.shape != (industries, industries):
        raise ClusterbookError(f"relatedness has shape {weight.shape}; {industries} industries need a square of them.")
    if not own:
        np.fill_diagonal(weight, 0)
    gap = np.isnan(weight)
    if gap.any():
        off = gap.sum(axis=1) >= max(industries - 1, 1)
        if (gap & ~off[:, None] & ~off[None, :]).any():
            raise ClusterbookError(
                "relatedness is missing for some pairs of industries. Fill them (0 is unrelated); with own=True the "
                "diagonal, too."
            )
        weight[gap] = 0
    require_sizes("relatedness", weight)
    return weight


def binary(M: ArrayLike) -> NDArray[np.float32]:
    """Return presence in single precision, in which sums of 0 and 1 are exact, after checking that it is that.

    Raises:
        ClusterbookError: M is not two-dimensional, or holds anything but 0 and 1.
    """
    present = np.asarray(M, dtype=np.float32)
    if present.ndim != 2:
        raise ClusterbookError(f"M has shape {present.shape}. Give regions x industries.")
    require_complete("M", present)
    if not ((present == 0) | (present == 1)).all():
        raise ClusterbookError("M holds other values than 0 and 1. Make it with presence(), or as quotients >= 1.")
    return present


def require_complete(name: str, values: NDArray[np.floating]) -> None:
    """Raise ``ClusterbookError`` when values are missing that would make every result unknown."""
    gaps = int(np.isnan(values).sum())
    if gaps:
        raise ClusterbookError(
            f"{name} has {gaps} missing values, which would leave no pair known. Impute suppressed cells, or leave "
            "their industries out."
        )


def _square(name: str, values: ArrayLike) -> Floats:
    square = np.array(values, dtype=np.float64)
    if square.ndim != 2 or square.shape[0] != square.shape[1]:
        raise ClusterbookError(f"{name} has shape {square.shape}. Give industries x industries.")
    require_sizes(name, square)
    require_complete(name, square)
    return square
