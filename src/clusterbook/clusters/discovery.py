"""Discovery: find which industries form clusters from where they are located.

A first, plain version of the approach of Delgado, Porter and Stern (2016): similarity by co-location of employment and
of establishments, Ward clustering, the number of clusters chosen by validation score. Co-location alone groups related
industries only weakly; the scores that come with the definitions say how weakly.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from clusterbook.clusters.definitions import LOCAL, TRADED, ClusterDefinitions
from clusterbook.clusters.labels import cluster_label, short_title
from clusterbook.clusters.validation import ValidationScores, validation_scores
from clusterbook.data.industries import Industries
from clusterbook.data.matrix import Matrix
from clusterbook.data.panel import Panel
from clusterbook.errors import DefinitionError
from clusterbook.measures.relatedness import locational_correlation
from clusterbook.measures.specialisation import quotient

Floats = NDArray[np.float64]

#: An industry is local when this share of the population lives where its quotient lies within the band.
LOCAL_SHARE = 0.8
LOCAL_BAND = (0.5, 2.0)


def discover_definitions(
    panel: Panel, *, year: int | None = None, n_clusters: tuple[int, int] = (30, 60), local_share: float = LOCAL_SHARE
) -> ClusterDefinitions:
    """Find cluster definitions in a panel.

    1. *Local industries* are present in proportion to population nearly everywhere: at least ``local_share`` of the
       population lives in regions where the industry has between half and twice its share per head (where population is
       not known, total size stands in for it). They are grouped by the sector of the classification, because
       co-location cannot tell industries apart that are everywhere. All other industries are *traded*.
    2. *Similarity* of traded industries: the mean of the locational correlations of employment and of establishments
       (square roots, net of region size).
    3. *Ward clustering* on the distance sqrt(2 (1 - similarity)), cut at every number of clusters in ``n_clusters``;
       the cut with the highest mean validation score is kept (ties: the smaller number).
    4. *Labels* are made from the titles of the largest members.

    Regions with suppressed cells give no evidence and are left out; the parameters count those that were used.

    Args:
        panel: at least 10 regions and 6 industries; establishments are used when the panel has them.
        year: the year to look at (default: the last).
        n_clusters: least and greatest number of traded clusters; cut down for small panels.
        local_share: see above; 1.0 makes nearly everything traded.

    Raises:
        DefinitionError: too small a panel, or too few regions without suppressed cells in that year.

    Source: Delgado, Porter and Stern (2016), Journal of Economic Geography 16; the local rule is ours.
    """
    year = panel.years[-1] if year is None else year
    measures = [panel.size] + ["establishments"] * (
        "establishments" in panel.measures and panel.size != "establishments"
    )
    matrices = _usable([panel.matrix(name, year) for name in measures], year)
    size = matrices[0]
    population = _population(panel, size)
    is_local = local_industries(size.values, population, share=local_share)
    traded = tuple(code for code, local in zip(size.industries, is_local, strict=True) if not local)
    if len(traded) < 6:
        raise DefinitionError(
            f"Only {len(traded)} traded industries: too few to cluster. Use a finer industry level, or read your own "
            "definitions with read_definitions()."
        )
    similarities = [
        np.nan_to_num(locational_correlation(m.columns(traded).values, size=m.values.sum(axis=1), transform="sqrt"))
        for m in matrices
    ]
    labels, scores = _best_cut(similarities, n_clusters)
    traded_groups = {
        f"t{number:02d}": [traded[k] for k in members] for number, members in _numbered(labels, size, traded)
    }
    local_groups = _by_sector(
        [c for c, local in zip(size.industries, is_local, strict=True) if local], panel.industries
    )

    jobs = dict(zip(size.industries, size.values.sum(axis=0).tolist(), strict=True))
    return ClusterDefinitions(
        clusters=_cluster_table(traded_groups, local_groups, jobs, panel.industries, scores[0], labels, traded),
        members=_member_table({**traded_groups, **local_groups}),
        method="co-location of employment and establishments, Ward clustering (first version)",
        source=f"discovered in {panel.source.title}, {year}",
        parameters={
            "year": year,
            "regions used": len(size.regions),
            "similarity": "locational correlation, square roots, net of region size",
            "measures": measures,
            "linkage": "Ward, distance sqrt(2 (1 - mean similarity))",
            "traded clusters tried": f"{n_clusters[0]} to {n_clusters[1]}",
            "traded clusters kept": len(traded_groups),
            "local industries": f"at least {local_share:.0%} of the reference in regions with {LOCAL_BAND[0]:g} to "
            f"{LOCAL_BAND[1]:g} times the share per head",
            "local reference": "population" if _all_known(panel, size) else "total size",
        },
        scores=_score_record(dict(zip(measures, scores, strict=True))),
        notes=(
            "Co-location alone groups related industries only weakly: some clusters hold industries that merely share "
            "places. Labels name the largest members; read the member list before using a cluster.",
            "Local industries are grouped by sector of the classification, not by co-location.",
        ),
    )


def local_industries(values: Floats, population: Floats, *, share: float = LOCAL_SHARE) -> NDArray[np.bool_]:
    """Tell which industries serve local markets: near their proportion to population nearly everywhere.

    Args:
        values: shape (R, I), size of I industries in R regions, no NaN, every industry with a positive total.
        population: shape (R,), people (or total size) of the regions.
        share: least share of the population living where the industry's quotient is between 1/2 and 2.

    Returns:
        Boolean array of shape (I,).

    Example:
        >>> import numpy as np
        >>> jobs = np.array([[10.0, 0.0], [11.0, 0.0], [9.0, 30.0]])
        >>> local_industries(jobs, np.array([100.0, 100.0, 100.0]))
        array([ True, False])

    Source: our own rule for what Porter (2003) describes in words: local industries are present in most, if not all,
    areas and roughly in proportion to their population.
    """
    total = population.sum()
    per_head = quotient(values, population[:, None], values.sum(axis=0)[None, :], total)
    inside = (per_head >= LOCAL_BAND[0]) & (per_head <= LOCAL_BAND[1])
    return np.asarray(population @ inside / total >= share)


def _usable(matrices: list[Matrix], year: int) -> list[Matrix]:
    """Keep regions without suppressed cells, and regions and industries that have anything at all."""
    first = matrices[0]
    unknown = np.isnan(np.stack([m.values for m in matrices])).any(axis=(0, 2))
    rows = np.flatnonzero(~unknown & (np.nan_to_num(first.values).sum(axis=1) > 0))
    columns = np.flatnonzero(first.values[rows].sum(axis=0) > 0)
    if len(rows) < 10 or len(columns) < 6:
        raise DefinitionError(
            "Discovery needs at least 10 regions and 6 industries with anything in them and nothing suppressed; "
            f"in {year} the panel has {len(rows)} such regions ({unknown.sum()} have suppressed cells) and "
            f"{len(columns)} industries. Choose another year with year=..., impute suppressed cells first "
            "(clusterbook.data.suppression.impute_panel), or read your own definitions with read_definitions()."
        )
    return [
        Matrix(
            m.values[np.ix_(rows, columns)],
            tuple(m.regions[k] for k in rows),
            tuple(m.industries[k] for k in columns),
        )
        for m in matrices
    ]


def _all_known(panel: Panel, matrix: Matrix) -> bool:
    return set(matrix.regions) <= panel.regions.population().keys()


def _population(panel: Panel, matrix: Matrix) -> Floats:
    """Return the population of the matrix's regions, or their total size where any is unknown."""
    if not _all_known(panel, matrix):
        return np.asarray(matrix.values.sum(axis=1))
    people = panel.regions.population()
    return np.array([people[code] for code in matrix.regions], dtype=np.float64)


def _best_cut(
    similarities: list[Floats], n_clusters: tuple[int, int]
) -> tuple[NDArray[np.int64], list[ValidationScores]]:
    """Cluster by Ward's method and return the best-scoring cut with its scores under each matrix.

    sqrt(2 (1 - r)) is the Euclidean distance between standardised columns, so Ward's criterion means what it says.
    """
    correlation = np.mean(similarities, axis=0)
    np.fill_diagonal(correlation, 1.0)
    distance = np.sqrt(2 * np.maximum(1 - correlation, 0))
    tree = linkage(squareform(distance, checks=False), "ward")
    low, high = (min(n, max(2, len(correlation) // 3)) for n in n_clusters)
    cuts = [fcluster(tree, n, "maxclust").astype(np.int64) - 1 for n in range(low, high + 1)]
    scored = [(labels, [validation_scores(m, labels) for m in similarities]) for labels in cuts]
    return max(scored, key=lambda pair: np.mean([s.mean for s in pair[1]]))


def _numbered(labels: NDArray[np.int64], size: Matrix, traded: tuple[str, ...]) -> list[tuple[int, list[int]]]:
    """Number clusters by size, largest first, so that ids do not depend on the order of the tree."""
    jobs = size.columns(traded).values.sum(axis=0)
    groups = [np.flatnonzero(labels == k).tolist() for k in range(labels.max() + 1)]
    groups.sort(key=lambda members: (-jobs[members].sum(), members))
    return list(enumerate(groups, start=1))


def _by_sector(codes: list[str], industries: Industries) -> dict[str, list[str]]:
    """Group local industries by the top of their classification (all in one where there is no tree)."""
    groups: dict[str, list[str]] = {}
    for code in codes:
        top = (industries.ancestors(code) or [code if industries.parents else ""])[-1]
        groups.setdefault(f"l{top}", []).append(code)
    return dict(sorted(groups.items()))


def _cluster_table(
    traded_groups: dict[str, list[str]],
    local_groups: dict[str, list[str]],
    jobs: dict[str, float],
    industries: Industries,
    scores: ValidationScores,
    labels: NDArray[np.int64],
    traded: tuple[str, ...],
) -> pl.DataFrame:
    titles = industries.titles
    number = dict(zip(traded, labels.tolist(), strict=True))
    rows = [
        {
            "cluster": cluster,
            "label": cluster_label([titles.get(c, c) for c in members], [jobs[c] for c in members]),
            "kind": TRADED,
            "within": float(scores.within[number[members[0]]]),
            "between": float(np.nanmean(scores.between[number[members[0]]])),
        }
        for cluster, members in traded_groups.items()
    ]
    rows += [
        {"cluster": cluster, "label": f"Local {_sector_name(cluster[1:], titles)}", "kind": LOCAL}
        for cluster in local_groups
    ]
    table = pl.DataFrame(rows, schema_overrides={"within": pl.Float64, "between": pl.Float64})
    return _distinct_labels(table).with_columns(pl.col("within", "between").fill_nan(None))


def _sector_name(code: str, titles: dict[str, str]) -> str:
    return short_title(titles[code])[:1].lower() + short_title(titles[code])[1:] if code in titles else "services"


def _distinct_labels(table: pl.DataFrame) -> pl.DataFrame:
    """Add the id to labels that two clusters share."""
    label = (
        pl.when(pl.col("label").is_duplicated())
        .then(pl.format("{} ({})", "label", "cluster"))
        .otherwise(pl.col("label"))
    )
    return table.with_columns(label.alias("label"))


def _member_table(groups: dict[str, list[str]]) -> pl.DataFrame:
    rows = [(cluster, code, None, 1.0) for cluster, members in groups.items() for code in sorted(members)]
    schema = {"cluster": pl.String, "industry": pl.String, "subcluster": pl.String, "weight": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _score_record(scores: dict[str, ValidationScores]) -> dict[str, float]:
    record = {"mean of all scores": float(np.mean([s.mean for s in scores.values()]))}
    for name, score in scores.items():
        record |= {
            f"{name}: clusters above average": score.cluster_average,
            f"{name}: clusters above 95th percentile": score.cluster_95,
            f"{name}: industries above average": score.industry_average,
            f"{name}: industries above 95th percentile": score.industry_95,
        }
    return record
