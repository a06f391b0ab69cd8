"""Description: the tables that say what a discovered set of clusters is and what lies behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clusterbook.clusters.comparison import moved_between
from clusterbook.clusters.definitions import LOCAL, TRADED
from clusterbook.clusters.labels import cluster_label, short_title
from clusterbook.clusters.relations import related_clusters, soft_membership
from clusterbook.clusters.search import Weights, side_scores
from clusterbook.clusters.similarity import CLASSIFICATION, Similarities
from clusterbook.clusters.stability import Stability
from clusterbook.clusters.validation import to_clusters, validation_scores
from clusterbook.data.industries import Industries

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Parts of an industry in clusters that are smaller than this are not listed.
_LEAST_PART = 0.1


def cluster_table(
    jobs: Mapping[str, float],
    industries: Industries,
    codes: Sequence[str],
    affinity: Floats,
    labels: Integers,
    ids: Sequence[str],
    local: Mapping[str, Sequence[str]],
    resource: NDArray[np.bool_],
    stability: Stability | None,
) -> pl.DataFrame:
    """Return one row a cluster.

    ``cluster, label, kind``; of traded clusters also ``within`` and ``between`` (mean similarity of pairs inside and to
    other clusters, by the chosen mixture), ``resource_share`` (share of its size that grows, catches or digs natural
    resources) and ``stability`` (mean Jaccard index over samples of the regions).
    """
    scores = validation_scores(affinity, labels)
    whole = {code: jobs[code] for code in codes}
    rows = []
    for k, cluster in enumerate(ids):
        members = {codes[i]: jobs[codes[i]] for i in np.flatnonzero(labels == k).tolist()}
        dug = sum(size for code, size in members.items() if resource[codes.index(code)])
        rows.append(
            {
                "cluster": cluster,
                "label": cluster_label(members, whole, industries),
                "kind": TRADED,
                "within": float(scores.within[k]),
                "between": float(np.nanmean(scores.between[k])),
                "resource_share": dug / sum(members.values()) if sum(members.values()) else 0.0,
                "stability": float(stability.clusters[k]) if stability else None,
            }
        )
    rows += [
        {"cluster": cluster, "label": f"Local {_sector_name(cluster[1:], industries.titles)}", "kind": LOCAL}
        for cluster in local
    ]
    floats = ("within", "between", "resource_share", "stability")
    table = pl.DataFrame(rows, schema_overrides=dict.fromkeys(floats, pl.Float64))
    return _distinct_labels(table).with_columns(pl.col(floats).fill_nan(None))


def member_table(
    jobs: Mapping[str, float],
    codes: Sequence[str],
    labels: Integers,
    ids: Sequence[str],
    groups: Integers,
    local: Mapping[str, Sequence[str]],
) -> pl.DataFrame:
    """Return one row a membership: ``cluster, industry, subcluster, weight, size``.

    Clusters that stay whole have no subcluster.
    """
    divided = {k for k, group in zip(labels.tolist(), groups.tolist(), strict=True) if group > 0}
    rows = [
        (ids[k], code, f"{ids[k]}.{group + 1}" if k in divided else None, 1.0, jobs[code])
        for code, k, group in zip(codes, labels.tolist(), groups.tolist(), strict=True)
    ]
    rows += [(cluster, code, None, 1.0, jobs[code]) for cluster, members in local.items() for code in members]
    schema = {
        "cluster": pl.String,
        "industry": pl.String,
        "subcluster": pl.String,
        "weight": pl.Float64,
        "size": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("cluster", "industry")


def by_sector(codes: Sequence[str], industries: Industries) -> dict[str, list[str]]:
    """Group local industries by the top of their classification (all in one where there is no tree)."""
    groups: dict[str, list[str]] = {}
    for code in codes:
        top = (industries.ancestors(code) or [code if industries.parents else ""])[-1]
        groups.setdefault(f"l{top}", []).append(code)
    return dict(sorted(groups.items()))


def sides_table(
    sides: Similarities, sets: Mapping[str, Integers], worth: Mapping[str, float], weights: Weights
) -> pl.DataFrame:
    """Return one row a set and side: the four validation scores and their mean, the side's worth and its weight."""
    return pl.DataFrame(
        [
            {
                "set": name,
                "side": side,
                "observed": side != CLASSIFICATION,
                "worth": worth.get(side),
                "weight": weights.get(side, 0.0),
                "cluster_average": score.cluster_average,
                "cluster_95": score.cluster_95,
                "industry_average": score.industry_average,
                "industry_95": score.industry_95,
                "mean": score.mean,
            }
            for name, labels in sets.items()
            for side, score in side_scores(sides, labels).items()
        ]
    )


def industries_table(
    codes: Sequence[str],
    jobs: Mapping[str, float],
    affinity: Floats,
    labels: Integers,
    ids: Sequence[str],
    fit: Sequence[str | None],
    stability: Stability | None,
) -> pl.DataFrame:
    """Return one row a traded industry: how it fits its cluster, which other is closest, whether it is an outlier.

    ``similarity`` (mean, to the other members), ``closest`` (the other cluster that is most similar),
    ``closest_similarity``, ``outlier`` ('marginal', 'systemic' or null), ``stability`` (how often it is with the other
    members in samples of the regions).
    """
    own, means = to_clusters(affinity, labels)
    means[np.arange(len(labels)), labels] = -np.inf
    return pl.DataFrame(
        {
            "industry": codes,
            "cluster": [ids[k] for k in labels.tolist()],
            "size": [jobs[code] for code in codes],
            "similarity": own,
            "closest": [ids[k] for k in means.argmax(axis=1).tolist()],
            "closest_similarity": means.max(axis=1),
            "outlier": pl.Series(fit, dtype=pl.String),
            "stability": pl.Series(stability.industries if stability else [None] * len(codes), dtype=pl.Float64),
        }
    ).with_columns(pl.col("stability").fill_nan(None))


def related_table(affinity: Floats, labels: Integers, ids: Sequence[str]) -> pl.DataFrame:
    """Return related clusters, both ways, most similar first: ``cluster, other, similarity, share, rank``."""
    related, similarity, share = related_clusters(affinity, labels)
    one, other = np.nonzero(related)
    table = pl.DataFrame(
        {
            "cluster": pl.Series([ids[k] for k in one.tolist()], dtype=pl.String),
            "other": pl.Series([ids[k] for k in other.tolist()], dtype=pl.String),
            "similarity": similarity[one, other],
            "share": share[one, other],
        }
    )
    return table.sort("cluster", "similarity", "other", descending=[False, True, False]).with_columns(
        rank=pl.int_range(1, pl.len() + 1).over("cluster")
    )


def overlap_table(affinity: Floats, labels: Integers, ids: Sequence[str], codes: Sequence[str]) -> pl.DataFrame:
    """Return how industries would be shared among clusters: ``industry, cluster, weight``, weights adding up to 1.

    Parts below a tenth are left out and the rest scaled up. ``overlapping`` makes definitions of it.
    """
    weights = soft_membership(affinity, labels)
    weights[weights < _LEAST_PART] = 0.0
    alone = weights.sum(axis=1) == 0
    weights[alone, labels[alone]] = 1.0
    weights /= weights.sum(axis=1, keepdims=True)
    industry, cluster = np.nonzero(weights)
    return pl.DataFrame(
        {
            "industry": [codes[k] for k in industry.tolist()],
            "cluster": [ids[k] for k in cluster.tolist()],
            "weight": weights[industry, cluster],
        }
    )


def moves_table(before: Integers, labels: Integers, ids: Sequence[str], codes: Sequence[str]) -> pl.DataFrame:
    """Return the industries that refining moved: ``industry``, its cluster now, and where its old company went."""
    common = np.eye(int(before.max()) + 1)[before].T @ np.eye(len(ids))[labels]
    moved = np.flatnonzero(moved_between(before, labels))
    return pl.DataFrame(
        {
            "industry": pl.Series([codes[k] for k in moved.tolist()], dtype=pl.String),
            "cluster": pl.Series([ids[labels[k]] for k in moved.tolist()], dtype=pl.String),
            "old_company": pl.Series([ids[int(common[before[k]].argmax())] for k in moved.tolist()], dtype=pl.String),
        }
    )


def _sector_name(code: str, titles: Mapping[str, str]) -> str:
    return short_title(titles[code])[:1].lower() + short_title(titles[code])[1:] if code in titles else "services"


def _distinct_labels(table: pl.DataFrame) -> pl.DataFrame:
    """Add the id to labels that two clusters share."""
    label = (
        pl.when(pl.col("label").is_duplicated())
        .then(pl.format("{} ({})", "label", "cluster"))
        .otherwise(pl.col("label"))
    )
    return table.with_columns(label.alias("label"))
