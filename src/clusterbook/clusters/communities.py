"""Definitions as communities: groups in the graph of industries that are most alike, seen from one side.

The number of clusters is not set but follows from a resolution; a scan tells at which resolutions the communities
change little, as those that hold over a stretch of it are less of an accident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clusterbook.clusters.candidates import contiguous, nearest_graph
from clusterbook.clusters.definitions import ClusterDefinitions
from clusterbook.clusters.description import by_sector, cluster_table, member_table
from clusterbook.clusters.discovery import Evidence
from clusterbook.clusters.kinds import resource_industries
from clusterbook.clusters.search import mixed
from clusterbook.clusters.similarity import Similarities, on_one_scale
from clusterbook.data.industries import Industries
from clusterbook.data.matrix import Matrix
from clusterbook.data.tables import did_you_mean
from clusterbook.errors import ClusterbookError, DefinitionError
from clusterbook.measures.relatedness import proximity
from clusterbook.measures.specialisation import quotient

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ALL_SIDES = "all observed sides"
PROXIMITY = "proximity"
#: Communities of fewer industries are no clusters.
SMALLEST = 3
#: Resolutions that are scanned, and the agreement of neighbouring ones from which they form a plateau.
RESOLUTIONS = tuple(float(r) for r in np.geomspace(0.5, 32, 25).round(3))
PLATEAU = 0.8


def community_definitions(
    compared: Evidence | Similarities,
    industries: Industries | None = None,
    *,
    side: str = ALL_SIDES,
    resolution: float | None = None,
    n_clusters: tuple[int, int] = (30, 60),
    smallest: int = SMALLEST,
    seed: int = 0,
) -> ClusterDefinitions:
    """Find communities of industries by the Leiden method, in the graph that ties each to its ten most similar ones.

    Args:
        compared: what ``discovery.gather_evidence`` returns, or matrices of one's own as ``Similarities``, e.g. a
            relatedness of occupations. Only with evidence are there sizes, local clusters and proximity.
        industries: the classification, for labels (default: codes only).
        side: 'all observed sides' (their mean, on the scale of ranks), 'proximity' (regions with the one industry that
            have the other too, by quotients of at least 1), or the name of one side, e.g. 'supply link'.
        resolution: how fine; 1 is the usual modularity, higher gives more and smaller communities. Default: chosen by
            the scan.
        n_clusters: least and greatest number of clusters that the scan may choose, cut down for few industries.
        smallest: communities with fewer industries are left out.
        seed: of the method.

    Returns:
        Exclusive definitions with the scores 'modularity' (at resolution 1) and 'agreement with neighbouring
        resolutions' (adjusted Rand index, the lower of both neighbours), and the table ``resolutions`` (see
        ``scan_resolutions``; with a ``resolution`` given that one and its neighbours), to which it adds ``chosen``.

    Raises:
        ClusterbookError: no such side; fewer than 6 industries; a resolution that is not above 0.
        DefinitionError: fewer than two communities are large enough.

    Source: Traag, Waltman and van Eck (2019), Scientific Reports 9 (Leiden); Newman and Girvan (2004), Physical Review
    E 69 (modularity); Hidalgo, Klinger, Barabási and Hausmann (2007), Science 317 (proximity); the choice is our own.
    """
    sides = compared.sides if isinstance(compared, Evidence) else compared
    codes = sides.industries
    if len(codes) < 6:
        raise ClusterbookError(f"{len(codes)} industries are too few for communities; six are needed.")
    if resolution is not None and not resolution > 0:
        raise ClusterbookError(f"resolution={resolution:g} must be above 0.")
    affinity = side_affinity(compared, side)
    tried = RESOLUTIONS if resolution is None else (resolution / 1.2, resolution, resolution * 1.2)
    scan, parts = scan_resolutions(affinity, resolutions=tried, smallest=smallest, seed=seed)
    best = 1 if resolution is not None else _choice(scan, n_clusters, len(codes))
    sizes = compared.jobs if isinstance(compared, Evidence) else dict.fromkeys(codes, 1.0)
    tree = industries or Industries.from_codes(pl.Series(codes))
    local = by_sector(compared.local, tree) if isinstance(compared, Evidence) else {}
    clusters, members = _described(affinity, parts[best], codes, sizes, tree, local, smallest)
    row = scan.row(best, named=True)
    left_out = len(codes) - members.filter(pl.col("industry").is_in(codes)).height
    return ClusterDefinitions(
        clusters=clusters,
        members=members,
        method=f"Leiden communities of {side}",
        source="relatedness of industries" + (f", {compared.year}" if isinstance(compared, Evidence) else ""),
        parameters={
            "side": side,
            "resolution": row["resolution"],
            "rule": "resolution given" if resolution is not None else "longest plateau",
            "industries compared": len(codes),
            "clusters": row["clusters"],
            "smallest community": smallest,
            "seed": seed,
        },
        scores={"modularity": row["modularity"], "agreement with neighbouring resolutions": row["agreement"]},
        notes=(f"{left_out} of {len(codes)} traded industries are in no cluster.",) if left_out else (),
        tables={"resolutions": scan.with_columns(chosen=pl.int_range(pl.len()) == best)},
    )


def side_affinity(compared: Evidence | Similarities, side: str = ALL_SIDES) -> Floats:
    """Return the affinity (I, I) of industries seen from one side or all: 0 on average and on the diagonal.

    Arguments and errors as in ``community_definitions``.
    """
    sides = compared.sides if isinstance(compared, Evidence) else compared
    if side in sides.matrices:
        return on_one_scale(sides.matrices[side], "rank")
    if side == PROXIMITY and isinstance(compared, Evidence):
        return on_one_scale(regional_proximity(compared.size, compared.total), "rank")
    if side == ALL_SIDES and sides.evidence:
        return mixed(
            {n: on_one_scale(m, "rank") for n, m in sides.evidence.items()}, dict.fromkeys(sides.evidence, 1.0)
        )
    known = [*sides.matrices, ALL_SIDES, *([PROXIMITY] if isinstance(compared, Evidence) else [])]
    raise ClusterbookError(f"There is no side '{side}'{did_you_mean(side, known)}. There are: {', '.join(known)}.")


def regional_proximity(size: Matrix, total: Floats) -> Floats:
    """Return the proximity (I, I) of industries by the regions that are specialised in them (quotient of at least 1).

    ``total`` (R,) is the size of the regions over all industries. Industries in which no region is specialised are NaN.

    Source: Hidalgo, Klinger, Barabási and Hausmann (2007), Science 317.
    """
    there = quotient(size.values, total[:, None], size.values.sum(axis=0)[None, :], total.sum()) >= 1
    return proximity(there.astype(np.float64))


def scan_resolutions(
    affinity: Floats, *, resolutions: Sequence[float] = RESOLUTIONS, smallest: int = SMALLEST, seed: int = 0
) -> tuple[pl.DataFrame, list[Integers]]:
    """Find communities at several resolutions, and say where they change little.

    Args:
        affinity: shape (I, I), symmetric, 0 on the diagonal; positive values are ties (``candidates.nearest_graph``).
        resolutions: rising.
        smallest: communities with fewer industries do not count as clusters.
        seed: of the method.

    Returns:
        One row a resolution: ``resolution``, ``communities``, ``clusters`` (large enough), ``largest``, ``modularity``
        (at resolution 1), ``with_next`` (adjusted Rand index with the communities at the next resolution; null for the
        last), ``agreement`` (the lower of those with the resolutions before and after). And labels (I,) of each.

    Example:
        >>> blocks = np.kron(np.eye(3), np.ones((8, 8))) - 0.2
        >>> np.fill_diagonal(blocks, 0.0)
        >>> scan_resolutions(blocks, resolutions=[0.5, 1.0])[0].select("clusters", "largest", "agreement").rows()
        [(3, 8, 1.0), (3, 8, 1.0)]

    Source: Hubert and Arabie (1985), Journal of Classification 2 (adjusted Rand index); plateaus of resolution are
    looked for as in Lambiotte, Delvenne and Barahona (2014), IEEE Transactions on Network Science and Engineering 1.
    """
    from sklearn.metrics import adjusted_rand_score
    from sknetwork.clustering import get_modularity

    graph = nearest_graph(affinity)
    parts = [_leiden(graph, resolution, seed) for resolution in resolutions]
    alike = [float(adjusted_rand_score(a, b)) for a, b in pairwise(parts)]
    around = [min(alike[max(0, k - 1) : k + 1], default=1.0) for k in range(len(parts))]
    counts = [np.bincount(labels) for labels in parts]
    table = {
        "resolution": [float(resolution) for resolution in resolutions],
        "communities": [len(count) for count in counts],
        "clusters": [int((count >= smallest).sum()) for count in counts],
        "largest": [int(count.max()) for count in counts],
        "modularity": [float(get_modularity(graph, labels)) for labels in parts],
        "with_next": [*alike, None],
        "agreement": around,
    }
    return pl.DataFrame(table), parts


def _leiden(graph: csr_matrix, resolution: float, seed: int) -> Integers:
    from sknetwork.clustering import Leiden

    return contiguous(Leiden(resolution=resolution, random_state=seed).fit_predict(graph))


def _choice(scan: pl.DataFrame, n_clusters: tuple[int, int], industries: int) -> int:
    """Return the row of the longest plateau with a wanted number of clusters; in it, that of the highest agreement.

    A plateau is a run of resolutions each of which agrees with the next. Where none has the wanted number of clusters,
    the resolution nearest to it is taken.
    """
    low, high = (min(n, max(2, industries // 3)) for n in n_clusters)
    clusters, alike, agreement = (scan[name].to_list() for name in ("clusters", "with_next", "agreement"))
    wanted = [low <= n <= high for n in clusters]
    if not any(wanted):
        return min(range(len(clusters)), key=lambda k: (max(low - clusters[k], clusters[k] - high), k))
    runs: list[list[int]] = []
    for k in (k for k, good in enumerate(wanted) if good):
        if runs and runs[-1][-1] == k - 1 and alike[k - 1] >= PLATEAU:
            runs[-1].append(k)
        else:
            runs.append([k])
    longest = max(map(len, runs))
    return max((k for run in runs if len(run) == longest for k in run), key=lambda k: (agreement[k], -k))


def _described(
    affinity: Floats,
    labels: Integers,
    codes: Sequence[str],
    sizes: Mapping[str, float],
    industries: Industries,
    local: Mapping[str, Sequence[str]],
    smallest: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return clusters and members of the communities that are large enough, numbered by size."""
    inside = np.flatnonzero(np.bincount(labels)[labels] >= smallest)
    kept = [codes[k] for k in inside.tolist()]
    held = np.array([sizes[code] for code in kept])
    groups = sorted(set(labels[inside].tolist()), key=lambda group: (-held[labels[inside] == group].sum(), group))
    if len(groups) < 2:
        raise DefinitionError(
            f"There are {len(groups)} communities of at least {smallest} industries; two are needed. "
            "Raise the resolution, or lower the smallest size."
        )
    ids = [f"t{k + 1:02d}" for k in range(len(groups))]
    rank = np.array([groups.index(group) for group in labels[inside]])
    near = affinity[np.ix_(inside, inside)]
    resource = resource_industries(tuple(kept), industries)
    clusters = cluster_table(sizes, industries, kept, near, rank, ids, local, resource, None)
    members = member_table(sizes, kept, rank, ids, np.zeros_like(rank), local)
    return clusters.drop("stability"), members
