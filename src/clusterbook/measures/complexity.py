"""Economic complexity: what it takes to have an industry, read off from who has which.

M is presence, shape (R, I): 1 where a region has more than its share of an industry, else 0 (``presence``). k_r is the
diversity of a region (how many industries it has), k_i the ubiquity of an industry (how many regions have it).

Gaps: regions that have no industry, and industries that are nowhere, have no complexity (NaN) and do not touch that of
others. NaN in M (suppressed cells) is refused, since the complexity of every region hangs on every cell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import LinearOperator, eigsh

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import size_columns
from clusterbook.measures.relatedness import binary, relatedness_density, relatedness_weights
from clusterbook.measures.specialisation import known_totals

Floats = NDArray[np.float64]

#: Two eigenvalues closer than this are one to rounding: any mixture of their vectors would do.
_TIE = 1e-9
#: Up to this many lines all eigenvalues are found at once; above, the largest by iteration.
_DENSE = 64


def presence(E: ArrayLike, *, threshold: float = 1.0) -> NDArray[np.float32]:
    """Mark where regions are specialised: 1 where the location quotient is at least the threshold, else 0.

    E_ri e >= threshold e_r e_i is asked without dividing, so that whole numbers exactly in proportion count as 1.

    Args:
        E: sizes, shape (R, I), not negative.
        threshold: of the quotient, above 0.

    Returns:
        Shape (R, I) in single precision; 0 where region or industry have nothing, NaN where E is NaN (totals hold what
        is known).

    Raises:
        ClusterbookError: E is not a two-dimensional array of sizes, or the threshold is not positive.

    Example:
        >>> presence([[3, 1], [1, 3]]).tolist()
        [[1.0, 0.0], [0.0, 1.0]]

    Source: Hidalgo and Hausmann (2009), The building blocks of economic complexity, PNAS 106.
    """
    if not threshold > 0:
        raise ClusterbookError(f"threshold={threshold} marks everything. Give a location quotient above 0, usually 1.")
    values = size_columns(E, "regions")
    of_region, of_industry, total = known_totals(values)
    present = (values * total >= np.multiply.outer(of_region, of_industry * threshold)).astype(np.float32)
    present[of_region == 0] = 0
    present[:, of_industry == 0] = 0
    present[np.isnan(values)] = np.nan
    return present


def diversity(M: ArrayLike) -> Floats:
    """Count the industries of each region.

    Args:
        M: presence, shape (R, I).

    Returns:
        Shape (R,); NaN for regions with a NaN.

    Example:
        >>> diversity([[1, 1], [1, 0]]).tolist()
        [2.0, 1.0]
    """
    return np.asarray(np.asarray(M, dtype=np.float64).sum(axis=1))


def ubiquity(M: ArrayLike) -> Floats:
    """Count the regions of each industry.

    Args:
        M: presence, shape (R, I).

    Returns:
        Shape (I,); NaN for industries with a NaN.

    Example:
        >>> ubiquity([[1, 1], [1, 0]]).tolist()
        [2.0, 1.0]
    """
    return np.asarray(np.asarray(M, dtype=np.float64).sum(axis=0))


class Complexity(NamedTuple):
    """Complexity of regions and industries.

    ``eci`` (R,) and ``pci`` (I,) are standardised (mean 0, standard deviation 1 with divisor n). ``eigenvalues`` are
    the second and third (to two digits, where it is not close to the second), from 1 down to 0: the closer to each
    other, the less is eci determined. ``notes`` say in words what is wrong with the result; read them before any
    ranking.
    """

    eci: Floats
    pci: Floats
    eigenvalues: tuple[float, float]
    notes: tuple[str, ...]


def complexity(M: ArrayLike, *, size: ArrayLike | None = None) -> Complexity:
    """Return the economic complexity of regions and industries.

    ECI is the second eigenvector of D_r^-1 M D_i^-1 M' (D: diagonals of k_r and k_i), the regions' average of the PCI
    of their industries, and the other way round, up to a factor. It is found from the symmetric matrix
    D_i^-1/2 M' D_r^-1 M D_i^-1/2, whose first eigenvector is known. The sign is such that ECI and diversity correlate
    positively.

    Args:
        M: presence, shape (R, I), 0 or 1.
        size: of the regions, shape (R,). Given, the notes name regions that are among the ten most complex with less
            than a hundredth of the mean size: few jobs in rare industries look like complexity.

    Returns:
        The complexities. Where M falls apart into regions and industries that have nothing to do with each other, only
        the largest part (by regions, then industries) has any, the rest is NaN; without a second dimension, all is.
        The notes say so.

    Raises:
        ClusterbookError: M holds anything but 0 and 1, or sizes do not fit.

    Example:
        >>> found = complexity([[1, 1, 1, 1], [0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1]])
        >>> found.eci.round(3), found.pci.round(3)
        (array([-0.075, -1.603,  0.748,  0.93 ]), array([-0.122, -1.574,  0.66 ,  1.036]))

    Source: Hidalgo and Hausmann (2009), PNAS 106; as an eigenvector: Mealy, Farmer and Teytelboym (2019), Interpreting
    economic complexity, Science Advances 5.
    """
    present = binary(M)
    rows, columns = np.flatnonzero(present.sum(axis=1)), np.flatnonzero(present.sum(axis=0))
    eci, pci = np.full(len(present), np.nan), np.full(present.shape[1], np.nan)
    notes = _empty_lines(len(eci) - len(rows), len(pci) - len(columns))
    part = _sparse(present[np.ix_(rows, columns)] if notes else present)
    second, third, vector = _second_eigenvector(part)
    if second > 1 - _TIE:  # as in every matrix that falls apart
        inside, kept, more = _largest_part(part)
        rows, columns, notes, part = rows[inside], columns[kept], (*notes, *more), part[inside][:, kept]
        second, third, vector = _second_eigenvector(part)
    if not second > _TIE:
        return Complexity(eci, pci, (second, third), (*notes, "M has no second dimension: complexity is not defined."))
    if second - third < _TIE:
        notes = (*notes, "The second and third eigenvalues are equal: complexity is one of many that fit as well.")
    of_region, of_industry = part.sum(axis=1), part.sum(axis=0)
    of_products = vector / np.sqrt(of_industry)
    of_places = (part @ of_products) / of_region
    sign = _sign(of_places, of_region)
    eci[rows], pci[columns] = _standardised(sign * of_places), _standardised(sign * of_products)
    return Complexity(eci, pci, (second, third), (*notes, *_small_regions(eci, size)))


def _sparse(present: NDArray[np.float32]) -> Any:
    """Return presence as a sparse array in double precision; several times faster than SciPy's own conversion."""
    mask = present > 0
    indptr = np.concatenate([[0], np.count_nonzero(mask, axis=1).cumsum()]).astype(np.int32)
    indices = np.nonzero(mask)[1].astype(np.int32)
    return sparse.csr_array((np.ones(indices.size), indices, indptr), shape=present.shape)


def _empty_lines(regions: int, industries: int) -> tuple[str, ...]:
    if not regions and not industries:
        return ()
    return (f"{regions} regions have no industry and {industries} industries no region. They have no complexity.",)


def _largest_part(part: Any) -> tuple[NDArray[np.intp], NDArray[np.intp], tuple[str, ...]]:
    """Return rows and columns of the largest connected part of M (none of which are empty), and a note on the rest."""
    R = part.shape[0]
    count, label = connected_components(sparse.block_array([[None, part], [part.T, None]]), directed=False)
    has_regions, has_industries = (np.bincount(side, minlength=count) for side in (label[:R], label[R:]))
    largest = np.lexsort((has_industries, has_regions))[-1]
    rows, columns = np.flatnonzero(label[:R] == largest), np.flatnonzero(label[R:] == largest)
    if count == 1:
        return rows, columns, ()
    return (
        rows,
        columns,
        (
            f"M falls apart into {count} unconnected parts. Complexity is that of the largest; "
            f"{R - rows.size} regions and {part.shape[1] - columns.size} industries are outside it.",
        ),
    )


def _second_eigenvector(part: Any) -> tuple[float, float, Floats]:
    """Return the second and third eigenvalue of D_i^-1/2 M' D_r^-1 M D_i^-1/2, and the second's vector.

    The first is known to be 1 with the vector sqrt(k_i), which is taken out. Missing eigenvalues are NaN.
    """
    R, I = part.shape  # noqa: E741
    if min(R, I) < 2:
        return float("nan"), float("nan"), np.full(I, np.nan)
    by_region, by_industry = part.sum(axis=1) ** -0.5, part.sum(axis=0) ** -0.5
    scaled = part.copy()
    scaled.data = np.repeat(by_region, np.diff(part.indptr)) * by_industry[part.indices]
    turned: Any = sparse.csr_array(scaled.T)
    first = np.sqrt(part.sum(axis=0) / part.sum())

    if I <= _DENSE:
        values, vectors = np.linalg.eigh((turned @ scaled).toarray() - np.outer(first, first))
        return _from_0_to_1(values[-1]), _from_0_to_1(values[-2]), np.asarray(vectors[:, -1])
    found, vector = _largest(lambda v: turned @ (scaled @ v) - first * (first @ v), I)

    def without_both(v: Floats) -> Any:
        return turned @ (scaled @ v) - first * (first @ v) - vector * (found * (vector @ v))

    # The third only says how well the second is determined, which two digits do, and takes longest to find.
    third, _ = _largest(without_both, I, tolerance=0.01)
    if third > 0.95 * found:
        third, _ = _largest(without_both, I)
    return _from_0_to_1(found), _from_0_to_1(third), vector


def _largest(apply: Callable[[Floats], Any], size: int, *, tolerance: float = 0.0) -> tuple[float, Floats]:
    """Return the largest eigenvalue of a symmetric operator and its vector, by Lanczos iteration."""
    operator: Any = LinearOperator((size, size), matvec=lambda v: apply(v.ravel()), dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(size)  # any start will do, but always the same
    values, vectors = eigsh(operator, k=1, which="LA", v0=start, tol=tolerance)
    return float(values[0]), np.asarray(vectors[:, 0])


def _from_0_to_1(value: float) -> float:
    return float(min(max(value, 0.0), 1.0))


def _sign(of_places: Floats, of_region: Floats) -> float:
    """Return the sign by which complexity correlates positively with diversity, or the first value is positive."""
    together = float((of_places - of_places.mean()) @ (of_region - of_region.mean()))
    size = np.linalg.norm(of_places - of_places.mean()) * np.linalg.norm(of_region - of_region.mean())
    if abs(together) > 1e-9 * size:
        return 1.0 if together > 0 else -1.0
    return 1.0 if of_places[np.argmax(np.abs(of_places) > 1e-12)] > 0 else -1.0


def _standardised(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / values.std())


def _small_regions(eci: Floats, size: ArrayLike | None) -> tuple[str, ...]:
    if size is None:
        return ()
    sizes = np.asarray(size, dtype=np.float64)
    if sizes.shape != eci.shape:
        raise ClusterbookError(f"size has shape {sizes.shape}. Give one for each of {len(eci)} regions.")
    top = np.argsort(-eci, kind="stable")[:10]  # NaN last
    small = sorted(int(r) for r in top if eci[r] > 0 and sizes[r] < np.nanmean(sizes) / 100)
    if not small:
        return ()
    rows = ", ".join(map(str, small))
    return (
        f"{len(small)} of the ten most complex regions have less than a hundredth of the mean size (rows {rows}). "
        "Leave small regions out before ranking.",
    )


class Fitness(NamedTuple):
    """``fitness`` (R,) and ``complexity`` (I,) with mean 1; ``rank`` (R,), 1 the fittest; ``steps`` made; ``stable``.

    Fitness may run to zero, where it is told apart by rank only. ``stable`` says whether ranks had settled.
    """

    fitness: Floats
    complexity: Floats
    rank: Floats
    steps: int
    stable: bool


def fitness(M: ArrayLike, *, steps: int | None = None, patience: int = 20, limit: int = 2000) -> Fitness:
    """Return the fitness of regions and the complexity of industries by mutual reinforcement.

    F_r <- sum_i M_ri Q_i and Q_i <- 1 / sum_r M_ri / F_r, both from the last F and Q and both divided by their mean,
    from ones: an industry is as complex as the least fit region that has it lets it be.

    Fitness of weak regions may run to zero forever, so values need not settle while ranks do. Hence the rule to stop.

    Args:
        M: presence, shape (R, I), 0 or 1.
        steps: how many updates to make. Default: until ranks of regions and industries have not changed for
            ``patience`` updates.
        patience: see ``steps``.
        limit: most updates to make.

    Returns:
        Values, updates made and whether ranks had settled. NaN for regions and industries without any.

    Raises:
        ClusterbookError: M holds anything but 0 and 1, or steps is not positive.

    Example:
        >>> found = fitness([[1, 1, 1], [1, 1, 0], [1, 0, 0]], steps=2)
        >>> found.fitness.round(3), found.complexity.round(3)
        (array([1.833, 0.833, 0.333]), array([0.345, 0.759, 1.897]))

    Source: Tacchella, Cristelli, Caldarelli, Gabrielli and Pietronero (2012), A new metrics for countries' fitness and
    products' complexity, Scientific Reports 2; ranks as the rule to stop: Pugliese, Zaccaria and Pietronero (2016), On
    the convergence of the fitness-complexity algorithm, European Physical Journal Special Topics 225.
    """
    if steps is not None and steps < 1:
        raise ClusterbookError(f"steps={steps}: make at least one, or leave it out to stop when ranks have settled.")
    present = binary(M)
    rows, columns = present.sum(axis=1) > 0, present.sum(axis=0) > 0
    part = _sparse(present[np.ix_(rows, columns)])
    turned: Any = sparse.csr_array(part.T)
    F, Q = np.zeros(part.shape[0]), np.zeros(part.shape[1])  # logarithms: values leave the range of floats
    ranks, unchanged, made = (np.argsort(F), np.argsort(Q)), 0, 0
    while part.size and made < (steps or limit) and (steps or unchanged < patience):
        F, Q = _log_sums(part, Q), -_log_sums(turned, -F)
        F, Q = F - _log_mean(F), Q - _log_mean(Q)
        now = np.argsort(F, kind="stable"), np.argsort(Q, kind="stable")
        same = all(np.array_equal(old, new) for old, new in zip(ranks, now, strict=True))
        ranks, unchanged, made = now, unchanged + 1 if same else 0, made + 1
    rank = (1 + np.searchsorted(np.sort(-F), -F)).astype(np.float64)
    return Fitness(
        _spread(np.exp(F), rows), _spread(np.exp(Q), columns), _spread(rank, rows), made, unchanged >= patience
    )


def _log_sums(pattern: Any, logs: Floats) -> Floats:
    """Return ln(sum of exp(logs)) over the entries of each row of a sparse pattern without empty rows."""
    entries = logs[pattern.indices]
    largest = np.maximum.reduceat(entries, pattern.indptr[:-1])
    entries = np.exp(entries - np.repeat(largest, np.diff(pattern.indptr)))
    return np.asarray(largest + np.log(np.add.reduceat(entries, pattern.indptr[:-1])))


def _log_mean(logs: Floats) -> float:
    largest = float(logs.max())
    return largest + float(np.log(np.exp(logs - largest).mean()))


def _spread(values: Floats, places: Any) -> Floats:
    full = np.full(places.size, np.nan)
    full[places] = values
    return full


class Outlook(NamedTuple):
    """``outlook`` (R,): the index; ``gain`` (R, I): what each absent industry would add, 0 where present."""

    outlook: Floats
    gain: Floats


def complexity_outlook(M: ArrayLike, relatedness: ArrayLike, pci: ArrayLike) -> Outlook:
    """Return how well placed regions are for complex industries that they lack, and what each would open up.

    With density d (``relatedness_density``, own industry included) the outlook of a region is
    sum_i d_ri (1 - M_ri) PCI_i, and the gain from an absent industry i is
    sum_j (1 - M_rj) PCI_j phi_ij / sum_k phi_kj over the industries j that are absent: how much nearer they would be.

    Args:
        M: presence, shape (R, I), 0 or 1.
        relatedness: of pairs, shape (I, I), e.g. ``proximity``.
        pci: complexity of the industries, shape (I,).

    Returns:
        Index and gain, in units of pci. Industries without pci or related to none do not count; their gain is NaN.

    Raises:
        ClusterbookError: M holds anything but 0 and 1, or arrays do not fit each other.

    Example:
        >>> found = complexity_outlook([[1, 0], [0, 1]], [[1, 0.5], [0.5, 1]], [-1, 1])
        >>> found.outlook.round(3), found.gain.round(3).tolist()
        (array([ 0.333, -0.333]), [[0.0, 0.667], [-0.667, 0.0]])

    Source: Hausmann, Hidalgo, Bustos, Coscia, Simoes and Yildirim (2014), The Atlas of Economic Complexity.
    """
    present = binary(M).astype(np.float64)
    complex_ = np.asarray(pci, dtype=np.float64)
    I = present.shape[1]  # noqa: E741
    if complex_.shape != (I,):
        raise ClusterbookError(f"pci has shape {complex_.shape}. Give one for each of {I} industries.")
    weight = relatedness_weights(relatedness, I, own=True)
    total = weight.sum(axis=0)
    counted = (total > 0) & ~np.isnan(complex_)
    worth = np.where(counted, complex_, 0.0)
    density = np.where(counted, relatedness_density(present, weight, own=True), 0.0)
    absent = 1 - present
    gain = absent @ (weight * (worth / np.where(total > 0, total, 1.0))).T
    gain[present > 0] = 0.0
    gain[:, ~counted] = np.nan
    return Outlook(np.asarray((density * absent) @ worth), gain)
