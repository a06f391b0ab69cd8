"""Two partitions or two sets of definitions compared: how alike they are, what matches what, what moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clusterbook.clusters.definitions import ClusterDefinitions
from clusterbook.errors import DefinitionError

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Comparison:
    """How two sets of definitions agree on the industries that both hold.

    ``rand``, ``adjusted_rand`` (0 is chance, 1 is the same), ``mutual_information`` (normalised, 0 to 1);
    ``matches``: one row a cluster of the first set: ``cluster``, ``label``, its best ``match`` in the second with
    ``match_label``, ``jaccard`` (common industries / industries of either), ``common``, ``only_first``,
    ``only_second``;
    ``moved``: industries that are not in the match of their cluster: ``industry``, ``first``, ``second``, ``expected``;
    ``only_first``, ``only_second``: industries that one set holds alone.
    """

    rand: float
    adjusted_rand: float
    mutual_information: float
    industries: int
    matches: pl.DataFrame
    moved: pl.DataFrame
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]


def compare_definitions(first: ClusterDefinitions, second: ClusterDefinitions) -> Comparison:
    """Compare two sets of definitions of the same industries.

    Where an industry belongs to several clusters, the one with the largest weight counts.

    Raises:
        DefinitionError: the sets have fewer than two industries in common.

    Source: Rand (1971); Hubert and Arabie (1985), Journal of Classification 2.
    """
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, rand_score

    a, b = main_cluster(first), main_cluster(second)
    both = a.join(b, on="industry", suffix="_second").sort("industry")
    if both.height < 2:
        raise DefinitionError(
            f"'{first.source}' and '{second.source}' have {both.height} industries in common; two are needed. "
            "Check that both use the same classification, vintage and level."
        )
    x, y = both["cluster"].to_list(), both["cluster_second"].to_list()
    matches = _matches(both, first, second)
    expected = pl.col("cluster").replace_strict(dict(matches.select("cluster", "match").iter_rows()), default=None)
    moved = (
        both.with_columns(expected.alias("expected"))
        .filter(pl.col("expected") != pl.col("cluster_second"))
        .select("industry", first="cluster", second="cluster_second", expected="expected")
    )
    known_a, known_b = set(a["industry"]), set(b["industry"])
    return Comparison(
        rand=float(rand_score(x, y)),
        adjusted_rand=float(adjusted_rand_score(x, y)),
        mutual_information=float(normalized_mutual_info_score(x, y)),
        industries=both.height,
        matches=matches,
        moved=moved,
        only_first=tuple(sorted(known_a - known_b)),
        only_second=tuple(sorted(known_b - known_a)),
    )


def main_cluster(definitions: ClusterDefinitions) -> pl.DataFrame:
    """Return ``industry, cluster``: the cluster that has most of each industry (ties: the first by id)."""
    order = definitions.members.sort("weight", "cluster", descending=[True, False])
    return order.unique("industry", keep="first", maintain_order=True).select("industry", "cluster").sort("industry")


def _matches(both: pl.DataFrame, first: ClusterDefinitions, second: ClusterDefinitions) -> pl.DataFrame:
    sizes_a = dict(both.group_by("cluster").len().iter_rows())
    sizes_b = dict(both.group_by("cluster_second").len().iter_rows())
    pairs = both.group_by("cluster", "cluster_second").len("common")
    union = (
        pl.col("cluster").replace_strict(sizes_a, return_dtype=pl.Int64)
        + pl.col("cluster_second").replace_strict(sizes_b, return_dtype=pl.Int64)
        - pl.col("common")
    )
    best = (
        pairs.with_columns(jaccard=pl.col("common") / union, _union=union)
        .sort("cluster", "jaccard", "cluster_second", descending=[False, True, False])
        .unique("cluster", keep="first", maintain_order=True)
    )
    size = pl.col("cluster").replace_strict(sizes_a, return_dtype=pl.Int64)
    return best.select(
        "cluster",
        pl.col("cluster").replace_strict(first.labels, default=None).alias("label"),
        pl.col("cluster_second").alias("match"),
        pl.col("cluster_second").replace_strict(second.labels, default=None).alias("match_label"),
        "jaccard",
        pl.col("common").cast(pl.Int64),
        (size - pl.col("common")).alias("only_first"),
        (pl.col("_union") - size).alias("only_second"),
    )


def moved_between(before: Integers, after: Integers) -> NDArray[np.bool_]:
    """Tell which members changed company: their new cluster is not the one most of their old one went to."""
    common = np.eye(int(before.max()) + 1)[before].T @ np.eye(int(after.max()) + 1)[after]
    return np.asarray(common.argmax(axis=1)[before] != after)
