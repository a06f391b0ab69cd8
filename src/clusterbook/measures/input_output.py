"""Input-output analysis: what industries need of each other, and which of them the others hang on.

Arrays throughout, for n industries: flows Z of shape (n, n), where Z[i, j] is what industry j buys from industry i, and
output x of shape (n,), in the same unit. ``clusterbook.data.input_output.InputOutput`` carries both with their labels.

Input coefficients A[i, j] = Z[i, j] / x[j] say what a unit of j's output takes of i, output coefficients
B[i, j] = Z[i, j] / x[i] which part of i's output goes to j. Use domestic flows: what is imported is nobody's output.

Gaps: every result here depends on every flow, so an array with NaN (a suppressed flow), with negative or infinite
values or of the wrong shape is refused. An industry without output and without flows (a zero row and column) is no
fault: its coefficients are 0.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import require_known

Floats = NDArray[np.float64]
Quotient = Literal["slq", "cilq", "flq", "aflq"]

#: From which condition number on a matrix has no inverse, for all that 16 digits can tell.
_SINGULAR = 1e14


class Linkages(NamedTuple):
    """Linkages of n industries, each (n,): ``backward`` to whom they buy from, ``forward`` to whom they sell to."""

    backward: Floats
    forward: Floats


class Dispersion(NamedTuple):
    """Linkages compared with the average industry, each (n,); see ``dispersion``."""

    power: Floats
    sensitivity: Floats
    power_variation: Floats
    sensitivity_variation: Floats


def total_output(Z: ArrayLike, final_demand: ArrayLike, value_added: ArrayLike, *, tolerance: float = 1e-3) -> Floats:
    """Add up output both ways and make sure that it is the same: sales to all equal purchases from all.

    By rows sum_j Z_ij + y_i, by columns sum_i Z_ij + v_j.

    Args:
        Z: flows, shape (n, n).
        final_demand: sales y to final users (consumption, investment, exports, stocks), shape (n,); stocks may fall.
        value_added: all that is paid besides Z (wages, profits, taxes, imports), shape (n,); subsidies may exceed it.
        tolerance: how far the two may be apart, as a part of the larger.

    Returns:
        Output by rows, shape (n,).

    Raises:
        ClusterbookError: the totals of some industry disagree, all are named; or the arrays do not fit.

    Example:
        >>> total_output([[15, 50], [20, 10]], [35, 170], [65, 140])
        array([100., 200.])

    Source: Miller and Blair (2009), Input-Output Analysis, ch. 2.
    """
    flows = _square("Z", Z)
    demand, added = (
        _vector(name, values, len(flows), signed=True)
        for name, values in (("final_demand", final_demand), ("value_added", value_added))
    )
    by_row, by_column = flows.sum(axis=1) + demand, flows.sum(axis=0) + added
    apart = np.abs(by_row - by_column) > tolerance * np.maximum(np.abs(by_row), np.abs(by_column))
    if apart.any():
        worst = "; ".join(f"industry {k}: sells {by_row[k]:g}, pays {by_column[k]:g}" for k in np.flatnonzero(apart))
        raise ClusterbookError(
            f"{apart.sum()} of {len(flows)} totals disagree ({worst}). Look for imports, taxes or subsidies left out."
        )
    return np.asarray(by_row)


def input_coefficients(Z: ArrayLike, x: ArrayLike) -> Floats:
    """Divide flows by the output of the buyer: A_ij = Z_ij / x_j.

    Args:
        Z: flows, shape (n, n), not negative.
        x: output, shape (n,), not negative.

    Returns:
        Shape (n, n); 0 for industries without output.

    Raises:
        ClusterbookError: Z or x are not what they should be, or an industry without output buys something.

    Example:
        >>> input_coefficients([[15, 50], [20, 10]], [100, 200])
        array([[0.15, 0.25],
               [0.2 , 0.05]])

    Source: Leontief (1936); Miller and Blair (2009), Input-Output Analysis, ch. 2.
    """
    flows = _square("Z", Z)
    return _divided(flows, _vector("x", x, len(flows)), "buys inputs")


def output_coefficients(Z: ArrayLike, x: ArrayLike) -> Floats:
    """Divide flows by the output of the seller: B_ij = Z_ij / x_i.

    Args:
        Z: flows, shape (n, n), not negative.
        x: output, shape (n,), not negative.

    Returns:
        Shape (n, n); 0 for industries without output.

    Raises:
        ClusterbookError: Z or x are not what they should be, or an industry without output sells something.

    Example:
        >>> output_coefficients([[15, 50], [20, 10]], [100, 200])
        array([[0.15, 0.5 ],
               [0.1 , 0.05]])

    Source: Ghosh (1958), Input-output approach in an allocation system, Economica 25.
    """
    flows = _square("Z", Z)
    return _divided(flows.T, _vector("x", x, len(flows)), "sells").T


def leontief(A: ArrayLike) -> Floats:
    """Invert: L = (I - A)^-1, the output of i that it takes in all, at every remove, to deliver a unit of j.

    Args:
        A: input coefficients, shape (n, n), not negative.

    Returns:
        Shape (n, n), with at least 1 on the diagonal and 0 elsewhere. With output x and final demand y, x = L y.

    Raises:
        ClusterbookError: A is not a square array of coefficients, or it is not productive: some industries need more
            of their own output, directly or round about, than they make. (I - A is singular or its inverse has
            negative values.)

    Example:
        >>> leontief([[0.15, 0.25], [0.2, 0.05]]).round(4)
        array([[1.2541, 0.33  ],
               [0.264 , 1.1221]])

    Source: Leontief (1936); example: Miller and Blair (2009), Input-Output Analysis, ch. 2; condition: Hawkins and
    Simon (1949), Econometrica 17.
    """
    return _inverse("A", A)


def ghosh(B: ArrayLike) -> Floats:
    """Invert: G = (I - B)^-1, the output of j that a unit of primary inputs of i comes to, at every remove.

    Args:
        B: output coefficients, shape (n, n), not negative.

    Returns:
        Shape (n, n), with at least 1 on the diagonal. G_ij = L_ij x_j / x_i.

    Raises:
        ClusterbookError: as ``leontief``.

    Example:
        >>> ghosh([[0.15, 0.5], [0.1, 0.05]]).round(4)
        array([[1.2541, 0.6601],
               [0.132 , 1.1221]])

    Source: Ghosh (1958), Input-output approach in an allocation system, Economica 25.
    """
    return _inverse("B", B)


def output_needed(A: ArrayLike, demand: ArrayLike) -> Floats:
    """Solve x = A x + y for one or some final demands, without the whole inverse.

    Args:
        A: input coefficients, shape (n, n), not negative.
        demand: final demand y, shape (n,), or (n, k) for k of them.

    Returns:
        Output, of the shape of the demand.

    Raises:
        ClusterbookError: A is not a square array of coefficients, I - A is singular, a demand that is nowhere negative
            would take negative output (A is not productive, see ``leontief``), or demand does not fit.

    Example:
        >>> output_needed([[0.15, 0.25], [0.2, 0.05]], [600, 1500]).round(1)
        array([1247.5, 1841.6])

    Source: Miller and Blair (2009), Input-Output Analysis, ch. 2.
    """
    coefficients = _square("A", A)
    wanted = np.asarray(demand, dtype=np.float64)
    if wanted.ndim not in (1, 2) or len(wanted) != len(coefficients) or not np.isfinite(wanted).all():
        raise ClusterbookError(
            f"demand has shape {wanted.shape} or gaps. Give one number for each of {len(coefficients)}."
        )
    try:
        output = np.linalg.solve(np.eye(len(coefficients)) - coefficients, wanted)
    except np.linalg.LinAlgError:
        raise _unproductive("A", coefficients) from None
    limit = 1e-9 * np.abs(output).max(initial=0.0)
    if limit > 1e-9 * _SINGULAR * np.abs(wanted).max(initial=0.0) or ((wanted >= 0).all() and (output < -limit).any()):
        raise _unproductive("A", coefficients)
    return np.asarray(output)


def direct_linkages(Z: ArrayLike, x: ArrayLike) -> Linkages:
    """Sum coefficients: what part of its output an industry buys from others, and what part it sells to them.

    Backward sum_i A_ij, forward sum_j B_ij. Purchases and sales within the industry count.

    Args:
        Z: flows, shape (n, n), not negative.
        x: output, shape (n,), not negative.

    Returns:
        Two arrays of shape (n,), usually from 0 to 1.

    Raises:
        ClusterbookError: as ``input_coefficients`` and ``output_coefficients``.

    Example:
        >>> direct_linkages([[15, 50], [20, 10]], [100, 200])
        Linkages(backward=array([0.35, 0.3 ]), forward=array([0.65, 0.15]))

    Source: Chenery and Watanabe (1958), International comparisons of the structure of production, Econometrica 26.
    """
    return Linkages(input_coefficients(Z, x).sum(axis=0), output_coefficients(Z, x).sum(axis=1))


def total_linkages(Z: ArrayLike, x: ArrayLike) -> Linkages:
    """Sum the inverses: output everywhere, at every remove, per unit of demand for j, or of primary inputs of i.

    Backward sum_i L_ij, forward sum_j G_ij (of the Ghosh inverse; Rasmussen's own, row sums of L, is the sensitivity of
    ``dispersion``, which weights a small buyer as a large one).

    Args:
        Z: flows, shape (n, n), not negative.
        x: output, shape (n,), not negative.

    Returns:
        Two arrays of shape (n,), 1 or more.

    Raises:
        ClusterbookError: as ``input_coefficients``, ``output_coefficients`` and ``leontief``.

    Example:
        >>> backward, forward = total_linkages([[15, 50], [20, 10]], [100, 200])
        >>> backward.round(4), forward.round(4)
        (array([1.5182, 1.4521]), array([1.9142, 1.2541]))

    Source: Rasmussen (1957), Studies in Inter-Sectoral Relations (backward); Jones (1976), The measurement of
    Hirschmanian linkages, Quarterly Journal of Economics 90 (forward).
    """
    L = leontief(input_coefficients(Z, x))
    flows, output = _square("Z", Z), np.asarray(x, dtype=np.float64)
    _require_output(flows.T, output, "sells")
    # Row sums of G without inverting once more, as G_ij = L_ij x_j / x_i.
    return Linkages(L.sum(axis=0), np.divide(L @ output, output, out=np.ones_like(output), where=output > 0))


def dispersion(L: ArrayLike) -> Dispersion:
    """Compare the linkages of each industry with the average, and say how widely they spread.

    Power of dispersion U_j = n L_.j / L.., sensitivity U_i = n L_i. / L.. (dots are sums); their variation is the
    standard deviation (with n - 1) of the column or the row, divided by its mean: low when the industry reaches many
    others evenly.

    Args:
        L: Leontief inverse, shape (n, n).

    Returns:
        Four arrays of shape (n,). Power and sensitivity average 1. The variation is NaN for a single industry.

    Raises:
        ClusterbookError: L is not a square array without gaps and negative values, or is zero throughout.

    Example:
        >>> [part.round(4).tolist() for part in dispersion([[1.25412541, 0.330033], [0.2640264, 1.12211221]])]
        [[1.0222, 0.9778], [1.0667, 0.9333], [0.9223, 0.7714], [0.825, 0.8755]]

    Source: Rasmussen (1957), Studies in Inter-Sectoral Relations.
    """
    inverse = _square("L", L)
    n, total = len(inverse), inverse.sum()
    if total == 0:
        raise ClusterbookError("L is zero throughout. Give a Leontief inverse, whose diagonal is at least 1.")
    columns, rows = inverse.sum(axis=0), inverse.sum(axis=1)
    return Dispersion(n * columns / total, n * rows / total, _variation(inverse, 0), _variation(inverse, 1))


def key_sectors(backward: ArrayLike, forward: ArrayLike) -> NDArray[np.str_]:
    """Name each industry by which of its linkages are above average.

    Args:
        backward: backward linkages of any kind (power of dispersion, column sums of L ...), shape (n,).
        forward: forward linkages of any kind, shape (n,).

    Returns:
        Shape (n,): 'key' (both above the mean of all industries), 'backward', 'forward' or 'weak' (none).

    Raises:
        ClusterbookError: the arrays do not fit each other or have gaps.

    Example:
        >>> key_sectors([1.2, 1.1, 0.9, 0.8], [1.3, 0.7, 1.1, 0.9]).tolist()
        ['key', 'backward', 'forward', 'weak']

    Source: Rasmussen (1957); Hirschman (1958), The Strategy of Economic Development; the four names: Miller and Blair
    (2009), Input-Output Analysis, ch. 12.
    """
    back = np.asarray(backward, dtype=np.float64)
    back, ahead = _vector("backward", back, back.size), _vector("forward", forward, back.size)
    buys, sells = (part > part.mean() * (1 + 1e-12) for part in (back, ahead))  # equal parts are not above their mean
    return np.where(buys, np.where(sells, "key", "backward"), np.where(sells, "forward", "weak"))


def extraction(Z: ArrayLike, x: ArrayLike, *, what: Literal["all", "purchases", "sales"] = "all") -> Floats:
    """Take one industry after the other out of the economy: the output that every industry loses.

    With demand y = x - sum_j Z_ij unchanged for the others, the loss of i by the extraction of j is L_ij w_j / L_jj,
    with w_j = x_j if all of j is gone, for all pairs at once from one inverse (each extraction is a change of I - A by
    a row and a column, which is Woodbury's identity at work). j's purchases alone gone: L_ij - d_ij in place of
    L_ij; j's sales to industries alone gone: w_j = x_j - y_j.

    Args:
        Z: flows, shape (n, n), not negative.
        x: output, shape (n,), not negative.
        what: 'all' of the industry, its demand too; its 'purchases' from industries, or its 'sales' to them (imports
            step in for both).

    Returns:
        Shape (n, n): ``loss[i, j]`` of industry i when j is gone, in the unit of x. Column sums are the whole loss,
        ``loss.sum(axis=0) - x`` that of the others, which is what makes industries comparable.

    Raises:
        ClusterbookError: as ``input_coefficients`` and ``leontief``, or ``what`` is not known.

    Example:
        >>> extraction([[15, 50], [20, 10]], [100, 200]).round(2)
        array([[100.  ,  58.82],
               [ 21.05, 200.  ]])

    Source: Paelinck, de Caevel and Degueldre (1965); Dietzenbacher and van der Linden (1997), Sectoral and spatial
    linkages in the EC production structure, Journal of Regional Science 37; closed form: ours, partitioned inversion.
    """
    require_known("what", what, ("all", "purchases", "sales"))
    A = input_coefficients(Z, x)
    L = leontief(A)
    output = np.asarray(x, dtype=np.float64)
    lost = A @ output if what == "sales" else output
    reach = L - np.eye(len(L)) if what == "purchases" else L
    return reach * (lost / np.diag(L))


def trading_coefficients(
    region: ArrayLike, nation: ArrayLike, *, method: Quotient = "flq", delta: float = 0.3
) -> Floats:
    """Estimate which part of its inputs a region gets from itself: multiply national coefficients by it.

    With simple quotients SLQ_i = (E_ri / e_r) / (E_i / e) of the seller i and SLQ_j of the buyer j: 'slq' SLQ_i; 'cilq'
    SLQ_i / SLQ_j, on the diagonal SLQ_i; 'flq' CILQ times lambda = log2(1 + e_r / e)^delta, as small regions import
    more; 'aflq' FLQ times log2(1 + SLQ_j) where SLQ_j > 1, as specialised regions draw their suppliers. All at most 1:
    a region needs no more than the nation's coefficient.

    Args:
        region: sizes of industries in the region, shape (n,), not negative; employment or output.
        nation: sizes in the nation, region included, shape (n,).
        method: 'slq', 'cilq', 'flq' or 'aflq'.
        delta: how fast imports shrink with the size of the region, from 0 up to 1 (1 is excluded). Studies of regions
            with known tables find 0.2 to 0.4. Only for 'flq' and 'aflq'.

    Returns:
        Shape (n, n), from 0 to 1: regional coefficients are ``A * trading_coefficients(...)``. Rows and columns of
        industries that the region lacks are 0: they sell and buy nothing there.

    Raises:
        ClusterbookError: the sizes do not fit, an industry is larger in the region than in the nation, the region is
            empty, or an argument is not known or out of range.

    Example:
        >>> trading_coefficients([30, 10], [100, 100], method="flq").round(4)
        array([[1.    , 1.    ],
               [0.2233, 0.3349]])

    Source: Flegg and Webber (1997, 2000), Regional Studies 31 and 34; SLQ and CILQ: Morrison and Smith (1974), Journal
    of Regional Science 14; diagonal: Smith and Morrison (1974).
    """
    require_known("method", method, ("slq", "cilq", "flq", "aflq"))
    if not 0 <= delta < 1:
        raise ClusterbookError(f"delta={delta:g} is out of range. It is from 0 up to, not including, 1.")
    slq, weight = _simple_quotients(region, nation)
    if method == "slq":
        quotient = np.where(slq > 0, slq[:, None], 0.0)
    else:
        quotient = np.divide(slq[:, None], slq, out=np.zeros((len(slq), len(slq))), where=slq > 0)
        np.fill_diagonal(quotient, slq)
    if method in ("flq", "aflq"):
        quotient = quotient * np.log2(1 + weight) ** delta
    if method == "aflq":
        quotient = quotient * np.where(slq > 1, np.log2(1 + slq), 1.0)
    return np.minimum(quotient, 1.0)


def require_flows(Z: ArrayLike) -> Floats:
    """Return Z as an array of shape (n, n); ``ClusterbookError`` unless it is square, complete and not negative."""
    return _square("Z", Z)


def _simple_quotients(region: ArrayLike, nation: ArrayLike) -> tuple[Floats, float]:
    """Simple location quotients (n,), 0 for what the nation lacks, and the region's part of everything."""
    whole = np.asarray(nation, dtype=np.float64)
    whole, part = _vector("nation", whole, whole.size), _vector("region", region, whole.size)
    larger = np.flatnonzero(part > whole)
    if larger.size:
        raise ClusterbookError(
            f"Industries {larger.tolist()} are larger in the region than in the nation. Nation means region included."
        )
    if not part.sum() > 0:
        raise ClusterbookError("The region is empty: it has no structure to compare with the nation's.")
    weight = float(part.sum() / whole.sum())
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0) / weight, weight


def _square(name: str, values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not array.size:
        raise ClusterbookError(f"{name} has shape {array.shape}. It is industries x industries, sellers in the rows.")
    _require_values(name, array, signed=False)
    return array


def _vector(name: str, values: ArrayLike, n: int, *, signed: bool = False) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.shape != (n,) or not n:
        raise ClusterbookError(f"{name} has shape {array.shape}. Give one number for each of {n} industries.")
    _require_values(name, array, signed=signed)
    return array


def _require_values(name: str, array: Floats, *, signed: bool) -> None:
    missing, negative = int((~np.isfinite(array)).sum()), int((array < 0).sum())
    if missing:
        raise ClusterbookError(
            f"{name} has {missing} missing or infinite values. Every result depends on all: estimate them first."
        )
    if negative and not signed:
        raise ClusterbookError(
            f"{name} has {negative} negative values. Move by-products and subsidies to where they are positive."
        )


def _divided(flows: Floats, output: Floats, does: str) -> Floats:
    """Divide each column by the output of its industry; nothing of nothing is 0."""
    _require_output(flows, output, does)
    return np.divide(flows, output, out=np.zeros_like(flows), where=output > 0)


def _require_output(flows: Floats, output: Floats, does: str) -> None:
    strange = np.flatnonzero((output == 0) & flows.any(axis=0))
    if strange.size:
        raise ClusterbookError(
            f"Industries {strange.tolist()} have no output, yet each {does}. Correct the output or drop the flows."
        )


def _inverse(name: str, values: ArrayLike) -> Floats:
    coefficients = _square(name, values)
    matrix = np.eye(len(coefficients)) - coefficients
    try:
        inverse = np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        raise _unproductive(name, coefficients) from None
    condition = np.abs(matrix).sum(axis=0).max() * np.abs(inverse).sum(axis=0).max()
    if condition > _SINGULAR or inverse.min() < -1e-9 * inverse.max():
        raise _unproductive(name, coefficients)
    return np.asarray(np.maximum(inverse, 0.0))


def _unproductive(name: str, coefficients: Floats) -> ClusterbookError:
    sums = coefficients.sum(axis=0 if name == "A" else 1)
    over = np.flatnonzero(sums >= 1).tolist()
    where = f"Industries {over} use up all they make or more." if over else "No single industry stands out."
    return ClusterbookError(
        f"(I - {name}) has no inverse that makes sense: some industries take more of their own output than there is. "
        f"{where} Check output, units and whether imports are among the flows."
    )


def _variation(inverse: Floats, axis: int) -> Floats:
    """Coefficient of variation with n - 1; NaN for one value or for lines of zeros."""
    n = len(inverse)
    mean = inverse.mean(axis=axis)
    if n < 2:
        return np.full(n, np.nan)
    return np.asarray(inverse.std(axis=axis, ddof=1) / np.where(mean > 0, mean, np.nan))
