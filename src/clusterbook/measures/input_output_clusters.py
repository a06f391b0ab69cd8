"""Clusters in input-output tables: industries that trade, industries that trade alike, and the order of production.

Arrays as in ``clusterbook.measures.input_output``: flows Z of shape (n, n) from the rows to the columns, for n
industries, complete and not negative. Groups come as labels of shape (n,): integers from 0, numbered by their first
industry; a group of one is an industry left alone. What works on flows works as well on counts of innovations
(``innovation_matrix``) that one industry supplied and another used.
"""

from __future__ import annotations

from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse.csgraph import connected_components
from scipy.special import entr

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import require_known
from clusterbook.measures.input_output import require_flows

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Up to here the order of industries is computed exactly by default: seconds, not minutes.
EXACT_UP_TO = 24


class Factors(NamedTuple):
    """Rotated principal components of a matrix of links.

    ``loadings`` (n, k): of each industry on each component, the strongest component first; ``eigenvalues`` (n,) of the
    whole matrix, falling; ``negative`` the part of their absolute sum that is below zero, 0 for true correlations.
    """

    loadings: Floats
    eigenvalues: Floats
    negative: float


class Triangulation(NamedTuple):
    """The order of industries (n,), suppliers first; the linearity of the table so ordered; whether it is the best."""

    order: Integers
    linearity: float
    exact: bool


def trade_shares(Z: ArrayLike) -> tuple[Floats, Floats]:
    """Return flows as parts of all intermediate purchases a_ij = Z_ij / Z_.j and of all such sales b_ij = Z_ij / Z_i.

    Args:
        Z: flows, shape (n, n), not negative.

    Returns:
        a and b, each (n, n), from 0 to 1; 0 where the industry buys or sells nothing.

    Raises:
        ClusterbookError: Z is not square or has gaps or negative values.

    Example:
        >>> purchases, sales = trade_shares([[0, 3], [1, 1]])
        >>> purchases.tolist(), sales.tolist()
        ([[0.0, 0.75], [1.0, 0.25]], [[0.0, 1.0], [0.5, 0.5]])
    """
    flows = require_flows(Z)
    bought, sold = flows.sum(axis=0, keepdims=True), flows.sum(axis=1, keepdims=True)
    purchases, sales = (np.divide(flows, total, out=np.zeros_like(flows), where=total > 0) for total in (bought, sold))
    return purchases, sales


def streit(Z: ArrayLike) -> Floats:
    """Average how much two industries matter to each other as buyers and sellers: (a_ij + a_ji + b_ij + b_ji) / 4.

    a and b are those of ``trade_shares``.

    Args:
        Z: flows, shape (n, n), not negative.

    Returns:
        Symmetric, shape (n, n), from 0 to 1.

    Raises:
        ClusterbookError: as ``trade_shares``.

    Example:
        >>> streit([[10, 40, 5, 0], [20, 30, 10, 5], [0, 15, 20, 30], [5, 0, 25, 10]])[0].round(4)
        array([0.2338, 0.5192, 0.0436, 0.067 ])

    Source: Streit (1969), Spatial associations and economic linkages between industries, Journal of Regional Science 9.
    """
    purchases, sales = trade_shares(Z)
    one_way = purchases + sales
    return np.asarray((one_way + one_way.T) / 4)


def profile_correlation(Z: ArrayLike) -> Floats:
    """Find industries that trade alike: the largest of four correlations of what they buy and sell.

    With x_i the column of purchase shares and y_i the row of sales shares of i: r(x_i, x_j) they buy alike, r(y_i, y_j)
    they sell alike, r(x_i, y_j) and r(y_i, x_j) one buys from where the other sells to.

    Args:
        Z: flows, shape (n, n), not negative, n at least 3 (with less, profiles have no shape).

    Returns:
        Symmetric, shape (n, n), from -1 to 1, with a unit diagonal. Being a maximum it is no matrix of correlations
        (some eigenvalues may be negative). An industry that buys nothing or evenly of all has no such profile, and the
        maximum is over what is left; 0 if nothing is.

    Raises:
        ClusterbookError: as ``trade_shares``, or n is below 3.

    Example:
        >>> profile_correlation([[10, 40, 5, 0], [20, 30, 10, 5], [0, 15, 20, 30], [5, 0, 25, 10]])[0].round(4)
        array([ 1.    ,  0.9307, -0.2875, -0.3791])

    Source: Czamanski (1974), Study of Clustering of Industries; Feser and Bergman (2000), National industry cluster
    templates, Regional Studies 34.
    """
    purchases, sales = trade_shares(Z)
    n = len(purchases)
    if n < 3:
        raise ClusterbookError(f"Z has {n} industries. Profiles can be compared from 3 on.")
    profiles = np.concatenate([purchases.T, sales])
    profiles = profiles - profiles.mean(axis=1, keepdims=True)
    length = np.linalg.norm(profiles, axis=1, keepdims=True)
    profiles /= np.where(length > 1e-12, length, np.nan)  # rounding is no profile
    four = profiles @ profiles.T
    link = np.fmax(np.fmax(four[:n, :n], four[n:, n:]), np.fmax(four[:n, n:], four[n:, :n]))
    link = np.clip(np.nan_to_num(link), -1.0, 1.0)
    np.fill_diagonal(link, 1.0)
    return np.asarray(link)


def linkage_factors(links: ArrayLike, *, count: int | None = None) -> Factors:
    """Condense a matrix of links to principal components, and rotate them until each industry belongs to few (varimax).

    Loadings are eigenvectors times the root of their eigenvalue, rotated by ``varimax``; each component points to where
    most of its loadings are positive.

    Args:
        links: symmetric, shape (n, n), e.g. of ``profile_correlation``.
        count: how many components; default: as many as have an eigenvalue above 1.

    Returns:
        The components, see ``Factors``. Those that explain most after rotation come first.

    Raises:
        ClusterbookError: links are not symmetric or have gaps, or there are not so many components with a positive
            eigenvalue (by default: none above 1).

    Example:
        >>> links = [[1, 0.9, 0.1, 0.2], [0.9, 1, 0.1, 0.1], [0.1, 0.1, 1, 0.8], [0.2, 0.1, 0.8, 1]]
        >>> linkage_factors(links).loadings.round(2) + 0
        array([[0.97, 0.09],
               [0.97, 0.04],
               [0.04, 0.95],
               [0.09, 0.94]])

    Source: Feser and Bergman (2000), National industry cluster templates, Regional Studies 34; Kaiser (1958), The
    varimax criterion, Psychometrika 23.
    """
    matrix = np.asarray(links, dtype=np.float64)
    if matrix.ndim != 2 or not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T, atol=1e-9):
        raise ClusterbookError(f"links have shape {matrix.shape}, gaps, or are not symmetric. Take e.g. max(L, L').")
    values, vectors = np.linalg.eigh(matrix)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = int((values > 1 + 1e-9).sum()) if count is None else count
    if not 1 <= kept <= int((values > 1e-12).sum()):
        raise ClusterbookError(
            f"{kept} components cannot be had: {(values > 1e-12).sum()} eigenvalues are positive. Choose another count."
        )
    loadings = varimax(vectors[:, :kept] * np.sqrt(values[:kept]))
    loadings = loadings[:, np.argsort(-(loadings**2).sum(axis=0), kind="stable")]
    loadings = loadings * np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)
    size = np.abs(values)
    return Factors(loadings, values, float(size[values < 0].sum() / size.sum()))


def varimax(loadings: ArrayLike) -> Floats:
    """Rotate loadings so that the squared ones of each component are either large or small.

    Maximises the sum over components of the variance of squared loadings, industries weighted alike (each is scaled to
    length 1 before, and back after: Kaiser's normalisation).

    Args:
        loadings: shape (n, k).

    Returns:
        The same shape; what the components explain of each industry, the sums of squares of rows, stays the same.

    Raises:
        ClusterbookError: loadings are not two-dimensional, have gaps, or the rotation does not settle.

    Example:
        >>> varimax([[1, 1], [1, 1], [1, -1]]).round(3) + 0
        array([[ 1.414,  0.   ],
               [ 1.414,  0.   ],
               [ 0.   , -1.414]])

    Source: Kaiser (1958), The varimax criterion for analytic rotation in factor analysis, Psychometrika 23.
    """
    given = np.asarray(loadings, dtype=np.float64)
    if given.ndim != 2 or not np.isfinite(given).all():
        raise ClusterbookError(f"loadings have shape {given.shape} or gaps. Give industries x components.")
    length = np.linalg.norm(given, axis=1, keepdims=True)
    turned = given / np.where(length > 0, length, 1.0)
    rounds = _disjoint_pairs(given.shape[1])
    for _ in range(1000):
        if max((_turn(turned, p, q) for p, q in rounds), default=0.0) <= 1e-9:
            return np.asarray(turned * length)
    raise ClusterbookError("The rotation does not settle after 1000 rounds. Keep fewer components.")


def factor_members(loadings: ArrayLike, *, primary: float = 0.6, secondary: float = 0.35) -> NDArray[np.int8]:
    """Assign industries to components by how much they load on them; one may belong to several, or to none.

    Args:
        loadings: shape (n, k), of ``linkage_factors``.
        primary: from which loading an industry is a primary member.
        secondary: from which it is a secondary member; below primary.

    Returns:
        Shape (n, k): 2 primary, 1 secondary, 0 no member.

    Raises:
        ClusterbookError: secondary is not below primary.

    Example:
        >>> factor_members([[0.97, 0.11], [0.4, 0.7]]).tolist()
        [[2, 0], [1, 2]]

    Source: Feser and Bergman (2000), National industry cluster templates, Regional Studies 34.
    """
    if not 0 < secondary < primary:
        raise ClusterbookError(f"secondary={secondary:g} must be above 0 and below primary={primary:g}.")
    values = np.asarray(loadings, dtype=np.float64)
    return (values >= primary).astype(np.int8) + (values >= secondary).astype(np.int8)


def linked_groups(links: ArrayLike, threshold: float, *, connection: Literal["weak", "strong"] = "weak") -> Integers:
    """Group industries that are joined by links of at least a threshold, directly or through others.

    Args:
        links: shape (n, n), e.g. of ``streit``, or flows, or counts of innovations.
        threshold: from which value on a link counts. The mean of all pairs plus some standard deviations is usual.
        connection: 'weak' joins whatever the direction of links; 'strong' only those that reach each other both ways
            (for innovations: everybody supplies everybody, through others if need be).

    Returns:
        Labels, shape (n,), see the top of this module.

    Raises:
        ClusterbookError: links are not square or have gaps, or ``connection`` is not known.

    Example:
        >>> linked_groups([[0, 5, 0], [0, 0, 0], [0, 1, 0]], 2).tolist()
        [0, 0, 1]

    Source: Streit (1969), Journal of Regional Science 9 (weak); DeBresson and Hu (1999), in OECD, Boosting Innovation
    (strong).
    """
    require_known("connection", connection, ("weak", "strong"))
    matrix = np.asarray(links, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or np.isnan(matrix).any():
        raise ClusterbookError(f"links have shape {matrix.shape} or gaps. Give industries x industries.")
    return _components(matrix >= threshold, connection)


def hoen(Z: ArrayLike, *, rounds: int = 1) -> Integers:
    """Link every industry with whom it trades most, and take the connected ones for clusters.

    In each further round clusters, taken as one, are linked with whom they trade most.

    Args:
        Z: flows, shape (n, n), not negative; trade within an industry is left out. Coefficients instead of flows weigh
            small industries like large ones.
        rounds: how often, 1 or more.

    Returns:
        Labels, shape (n,). Of two equal partners the first is taken. Who trades with nobody stays alone.

    Raises:
        ClusterbookError: Z is not square or has gaps or negative values, or rounds is below 1.

    Example:
        >>> flows = [[0, 9, 0, 0], [0, 0, 1, 0], [0, 0, 0, 5], [0, 0, 0, 0]]
        >>> hoen(flows).tolist(), hoen(flows, rounds=2).tolist()
        ([0, 0, 1, 1], [0, 0, 0, 0])

    Source: Hoen (2002), Identifying linkages with a cluster-based methodology, Economic Systems Research 14.
    """
    flows = require_flows(Z)
    if rounds < 1:
        raise ClusterbookError(f"rounds={rounds} is no number of rounds. Give 1 or more.")
    both = flows + flows.T
    labels = np.arange(len(flows))
    for _ in range(rounds):
        member = (labels == np.arange(labels.max() + 1)[:, None]).astype(np.float64)
        trade = member @ both @ member.T
        np.fill_diagonal(trade, 0.0)
        best = (np.arange(len(trade)) == trade.argmax(axis=1)[:, None]) & (trade > 0)
        labels = _components(best, "weak")[labels]
    return labels


def triangulate(Z: ArrayLike, *, exact: bool | None = None, restarts: int = 10, seed: int = 0) -> Triangulation:
    """Order industries so that flows run one way, from suppliers to users, as far as they can.

    Maximises the linearity: flows above the diagonal of the ordered table as a part of all flows outside it; 1 is a
    pure hierarchy, and no best order has less than 1/2. Exactly by integer programming (HiGHS), or by moving one
    industry after the other to its best place until nothing improves, from a good start and from random ones.

    Args:
        Z: flows, shape (n, n), not negative; flows within industries play no part.
        exact: whether to insist on the best order; default: up to ``EXACT_UP_TO`` industries.
        restarts: how many random starts the search has besides, 0 or more.
        seed: of the random starts.

    Returns:
        The order, its linearity, and whether it is known to be the best. Several orders may be equally good. The
        linearity is NaN when there are no flows between industries.

    Raises:
        ClusterbookError: Z is not square or has gaps or negative values, or no exact solution was found.

    Example:
        >>> order, linearity, exact = triangulate([[10, 40, 5, 0], [20, 30, 10, 5], [0, 15, 20, 30], [5, 0, 25, 10]])
        >>> order.tolist(), round(linearity, 4), exact
        ([0, 2, 1, 3], 0.6129, True)

    Source: Chenery and Watanabe (1958), Econometrica 26; Korte and Oberhofer (1970); search: Becker (1967), Das
    Helmstädtersche Reihenfolgeproblem, and insertion moves.
    """
    flows = require_flows(Z)
    n = len(flows)
    excess = flows - flows.T
    certain = n <= EXACT_UP_TO if exact is None else exact
    order = _best_order(excess) if certain and n > 2 else _searched_order(flows, excess, restarts, seed)
    ordered = flows[np.ix_(order, order)]
    between = flows.sum() - np.trace(flows)
    return Triangulation(order, float(np.triu(ordered, 1).sum() / between) if between > 0 else np.nan, certain)


def qualitative(A: ArrayLike, demand: ArrayLike, level: float) -> NDArray[np.int8]:
    """Reduce a table to who depends on whom: flows above a level count, those below do not.

    The flows that final demand y sets off are taken layer by layer, T_k = A <A^k y>, which add up to the table: T_0
    goes to the producers of y, T_1 to their suppliers and so on. Each layer counts where it is above the level; i
    supplies j if such flows lead from i through any number of layers down to j, which delivers to y. From that: 3 both
    supply each other, 2 one supplies the other, 1 they hang together only through others, whatever the direction, 0 not
    at all.

    Args:
        A: input coefficients, shape (n, n), not negative.
        demand: final demand y, shape (n,), not negative.
        level: flows above it count, in the unit of the demand; above 0.

    Returns:
        Symmetric, shape (n, n), values 0 to 3, 0 on the diagonal.

    Raises:
        ClusterbookError: A is not square, or A or demand have gaps or negative values, or level is not above 0.

    Example:
        >>> A = [[0, 0.5, 0, 0], [0, 0, 0.4, 0], [0, 0, 0, 0], [0, 0.3, 0, 0]]
        >>> qualitative(A, [0, 50, 100, 0], 10).tolist()
        [[0, 2, 2, 1], [2, 0, 2, 2], [2, 2, 0, 2], [1, 2, 2, 0]]

    Source: Schnabl (1994), The evolution of production structures, analyzed by a multi-layer procedure, Economic
    Systems Research 6; Titze, Brachert and Kubis (2011), Regional Studies 45.
    """
    if not level > 0:
        raise ClusterbookError(f"level={level:g} must be above 0, or the layers never end.")
    supplies = _supplies(*_table(A, demand), level)
    together = _components(supplies, "weak")
    found = supplies.astype(np.int8) + supplies.T + (together == together[:, None])
    np.fill_diagonal(found, 0)
    return np.asarray(found, dtype=np.int8)


def entropy_level(A: ArrayLike, demand: ArrayLike, *, levels: int = 50) -> float:
    """Choose the level for ``qualitative`` at which its four values tell most: their entropy is largest.

    Args:
        A: input coefficients, shape (n, n), not negative.
        demand: final demand y, shape (n,), not negative.
        levels: how many to try, evenly from 0 to the largest flow (both excluded).

    Returns:
        The level, in the unit of the demand; the lowest of equally good ones.

    Raises:
        ClusterbookError: as ``qualitative``; there is but one industry, or there are no flows at all.

    Example:
        >>> entropy_level([[0, 0.5, 0, 0], [0, 0, 0.4, 0], [0, 0, 0, 0], [0, 0.3, 0, 0]], [0, 50, 100, 0], levels=9)
        20.0

    Source: after Schnabl (1994), Economic Systems Research 6, of whose two criteria it is one.
    """
    coefficients, wanted = _table(A, demand)
    n, largest = len(coefficients), float((coefficients * wanted).max())
    if n < 2 or largest == 0:
        raise ClusterbookError("There are no flows between industries to filter. Look at A and demand.")
    tried = np.linspace(0, largest, levels + 2)[1:-1]
    pairs = np.triu_indices(n, 1)
    counts = [np.bincount(qualitative(coefficients, wanted, float(level))[pairs], minlength=4) for level in tried]
    information = entr(np.asarray(counts) / len(pairs[0])).sum(axis=1).round(12)
    return float(tried[information.argmax()])


def innovation_matrix(supplier: ArrayLike, user: ArrayLike, n: int) -> Integers:
    """Count innovations by the industry that supplied and the industry that used them.

    Args:
        supplier: position of the supplying industry of each innovation, integers from 0 to n - 1.
        user: position of the using industry, same shape.
        n: how many industries there are.

    Returns:
        Shape (n, n); suppliers in the rows.

    Raises:
        ClusterbookError: the two do not fit each other, or positions are out of range.

    Example:
        >>> innovation_matrix([0, 0, 1], [1, 1, 2], 3).tolist()
        [[0, 2, 0], [0, 0, 1], [0, 0, 0]]

    Source: DeBresson and Hu (1999), Identifying clusters of innovative activity, in OECD, Boosting Innovation.
    """
    places = [np.asarray(part) for part in (supplier, user)]
    if places[0].ndim != 1 or places[0].shape != places[1].shape:
        raise ClusterbookError(f"supplier has shape {places[0].shape}, user {places[1].shape}. Give one each.")
    if not all(part.size == 0 or (part.dtype.kind in "iu" and 0 <= part.min() <= part.max() < n) for part in places):
        raise ClusterbookError(f"Positions of industries are integers from 0 to {n - 1}.")
    supplied, used = (part.astype(np.int64) for part in places)
    return np.bincount(supplied * n + used, minlength=n * n).reshape(n, n)


def smoothed_shares(N: ArrayLike, *, prior: float = 0.5) -> Floats:
    """Turn small counts into shares of the supplier's innovations that do not take few for none.

    (N_ij + prior) / (N_i. + n prior), the mean of a Dirichlet distribution after the counts.

    Args:
        N: counts, shape (n, n), not negative.
        prior: how many innovations each pair is credited with, above 0; 1/2 is Jeffreys' choice.

    Returns:
        Shape (n, n), all above 0, rows add up to 1. Suppliers of nothing have even shares: read them beside N.

    Raises:
        ClusterbookError: N is not square or has gaps or negative values, or prior is not above 0.

    Example:
        >>> smoothed_shares([[0, 3], [0, 0]]).tolist()
        [[0.125, 0.875], [0.5, 0.5]]
    """
    if not prior > 0:
        raise ClusterbookError(f"prior={prior:g} must be above 0.")
    counts = require_flows(N)
    return np.asarray((counts + prior) / (counts.sum(axis=1, keepdims=True) + len(counts) * prior))


def _disjoint_pairs(k: int) -> list[tuple[Integers, Integers]]:
    """Return all pairs of k columns in rounds in which each column plays once (round robin): they turn at once."""
    ring = list(range(k + k % 2))
    rounds = []
    for _ in range(len(ring) - 1):
        drawn = [sorted(pair) for pair in zip(ring, reversed(ring), strict=True)][: len(ring) // 2]
        pairs = np.array([pair for pair in drawn if pair[1] < k], dtype=np.int64).reshape(-1, 2)
        rounds.append((pairs[:, 0], pairs[:, 1]))
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return rounds


def _turn(loadings: Floats, p: Integers, q: Integers) -> float:
    """Rotate pairs of columns in place, each by the angle that is best for it; return the largest angle."""
    if not len(p):
        return 0.0
    x, y = loadings[:, p], loadings[:, q]
    u, v = x**2 - y**2, 2 * x * y
    across = 2 * (u * v).sum(axis=0) - 2 * u.sum(axis=0) * v.sum(axis=0) / len(x)
    along = (u**2 - v**2).sum(axis=0) - (u.sum(axis=0) ** 2 - v.sum(axis=0) ** 2) / len(x)
    # Rounding gives an angle where there is nothing to gain.
    angle = np.where(np.hypot(across, along) < 1e-12, 0.0, np.arctan2(across, along)) / 4
    cosine, sine = np.cos(angle), np.sin(angle)
    loadings[:, p], loadings[:, q] = cosine * x + sine * y, cosine * y - sine * x
    return float(np.abs(angle).max())


def _components(linked: NDArray[np.bool_], connection: Literal["weak", "strong"]) -> Integers:
    """Label connected industries, groups numbered by their first industry."""
    _, labels = connected_components(sparse.csr_array(linked.astype(np.int8)), directed=True, connection=connection)
    _, first, group = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(first.argsort().argsort()[group], dtype=np.int64)


def _best_order(excess: Floats) -> Integers:
    """Solve the linear ordering problem: for each pair whether i is before j, with no three going round in circles."""
    n = len(excess)
    i, j = np.triu_indices(n, 1)
    pair = np.zeros((n, n), dtype=np.int64)
    pair[i, j] = np.arange(len(i))
    a, b, c = np.array(list(combinations(range(n), 3))).T
    rows = np.tile(np.arange(len(a)), 3)
    columns = np.concatenate([pair[a, b], pair[b, c], pair[a, c]])
    signs = np.repeat([1.0, 1.0, -1.0], len(a))
    circles = sparse.csr_array((signs, (rows, columns)), shape=(len(a), len(i)))
    gain = excess[i, j]
    found = milp(
        -gain / (np.abs(gain).max() or 1.0),
        integrality=np.ones(len(i), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(circles, 0, 1),
        options={"mip_rel_gap": 0.0},
    )
    if found.status != 0:
        raise ClusterbookError(f"No exact order was found: {found.message} Use exact=False.")
    ahead = np.zeros((n, n))
    ahead[i, j] = found.x.round()
    ahead[j, i] = 1 - found.x.round()
    return np.asarray(np.argsort(-ahead.sum(axis=1), kind="stable"), dtype=np.int64)


def _searched_order(flows: Floats, excess: Floats, restarts: int, seed: int) -> Integers:
    """Improve a start by what industries sell of all they trade, and random ones; keep the best."""
    rng = np.random.default_rng(seed)
    sold, traded = flows.sum(axis=1), flows.sum(axis=1) + flows.sum(axis=0)
    ratio = np.divide(sold, traded, out=np.full_like(sold, 0.5), where=traded > 0)
    starts = [np.argsort(-ratio, kind="stable"), *(rng.permutation(len(flows)) for _ in range(restarts))]
    orders = [_improved(excess, start) for start in starts]
    above = [np.triu(excess[np.ix_(order, order)], 1).sum() for order in orders]
    return orders[int(np.argmax(above))]


def _improved(excess: Floats, start: NDArray[np.int64]) -> Integers:
    """Move industries to their best places, one after the other, until none gains by moving."""
    order, least, moved = start.astype(np.int64), 1e-12 * np.abs(excess).max(), True
    while moved:
        moved = False
        for item in range(len(order)):
            here = int(np.flatnonzero(order == item)[0])
            others = np.delete(order, here)
            # Behind whom the item stands costs what it sells to them beyond what it buys.
            cost = np.concatenate([[0.0], np.cumsum(excess[item, others])])
            there = int(cost.argmin())
            if cost[there] < cost[here] - least:
                order, moved = np.insert(others, there, item), True
    return order


def _table(A: ArrayLike, demand: ArrayLike) -> tuple[Floats, Floats]:
    coefficients, wanted = require_flows(A), np.asarray(demand, dtype=np.float64)
    if wanted.shape != (len(coefficients),) or not (np.isfinite(wanted) & (wanted >= 0)).all():
        raise ClusterbookError(
            f"demand has shape {wanted.shape}, gaps or negative values. Give {len(coefficients)} sizes."
        )
    return coefficients, wanted


def _supplies(coefficients: Floats, demand: Floats, level: float) -> NDArray[np.bool_]:
    """Who supplies whom (n, n) through flows above the level, layer upon layer."""
    n = len(coefficients)
    chain, supplies = np.eye(n), np.zeros((n, n), dtype=bool)
    for _ in range(n):
        layer = coefficients * demand > level
        chain = (layer @ chain > 0).astype(np.float64)
        if not chain.any():
            break
        supplies |= chain > 0
        demand = coefficients @ demand
    return supplies
