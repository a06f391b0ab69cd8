"""Editing: corrections by hand that are recorded with a reason, and sets of definitions scored on data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clusterbook.clusters.comparison import main_cluster
from clusterbook.clusters.definitions import LOCAL, ClusterDefinitions
from clusterbook.clusters.discovery import Evidence
from clusterbook.clusters.similarity import CLASSIFICATION, Similarities, on_one_scale
from clusterbook.clusters.validation import validation_scores
from clusterbook.data import checks
from clusterbook.data.tables import Rows, TableLike, did_you_mean, find_columns, load_table, pick
from clusterbook.errors import DataError, DefinitionError, Problem

Floats = NDArray[np.float64]

_COLUMNS = ("cluster", "industry", "label", "reason", "by", "date")
_REMEDY = (
    "Edits need the columns 'cluster' and 'reason', and in each row 'industry' (which moves to the cluster) or 'label' "
    "(the cluster's new name); 'by' and 'date' may be added."
)


def edit_definitions(
    definitions: ClusterDefinitions, edits: TableLike, evidence: Evidence | None = None
) -> ClusterDefinitions:
    """Apply corrections and keep a record of them.

    Args:
        definitions: the set to correct; it stays as it is.
        edits: a file or frame, one row a correction: ``cluster`` and ``reason``, and either ``industry`` (moves to the
            cluster, wholly) or ``label`` (the cluster's new name; a cluster that is new comes into being when an
            industry moves to it); ``by`` and ``date`` if wanted. They are applied in order.
        evidence: given (``discovery.gather_evidence``), the set is scored before and after.

    Returns:
        The corrected definitions. ``tables["edits"]`` has one row a correction, earlier ones included, with ``former``
        (where the industry was, what the cluster was called); ``scores`` gain 'before edits' and 'after edits'.

    Raises:
        DataError: a correction without reason or without anything to do, an industry or cluster that is not there.
        DefinitionError: a cluster would be left without members.
    """
    wanted = _read(edits, definitions)
    members, clusters = definitions.members, definitions.clusters
    former: list[str | None] = []
    for edit in wanted.iter_rows(named=True):
        cluster = edit["cluster"]
        if cluster not in clusters["cluster"]:
            new = pl.DataFrame({"cluster": [cluster], "label": [edit["label"] or cluster]})
            clusters = pl.concat([clusters, new], how="diagonal")
        if edit["industry"] is not None:
            rows = members.filter(industry=edit["industry"])
            former.append(", ".join(rows["cluster"]))
            moved = rows.head(1).with_columns(
                pl.lit(cluster).alias("cluster"), pl.lit(None, pl.String).alias("subcluster"), weight=pl.lit(1.0)
            )
            members = pl.concat([members.filter(pl.col("industry") != edit["industry"]), moved])
        else:
            former.append(definitions.labels.get(cluster))
        if edit["label"] is not None:
            name = pl.when(pl.col("cluster") == cluster).then(pl.lit(edit["label"])).otherwise("label")
            clusters = clusters.with_columns(name.alias("label"))
    _nobody_left_out(clusters, members)
    record = wanted.with_columns(former=pl.Series(former, dtype=pl.String))
    if "edits" in definitions.tables:
        record = pl.concat([definitions.tables["edits"].cast(pl.String), record], how="diagonal")
    edited = replace(
        definitions,
        members=members.sort("cluster", "industry"),
        clusters=clusters.sort("cluster"),
        tables={**definitions.tables, "edits": record},
    )
    if evidence is None:
        return edited
    scores = {
        "before edits": mean_score(score_definitions(definitions, evidence)),
        "after edits": mean_score(score_definitions(edited, evidence)),
    }
    return replace(edited, scores={**definitions.scores, **scores})


def score_definitions(definitions: ClusterDefinitions, evidence: Evidence) -> pl.DataFrame:
    """Score any set of definitions on the sides of the evidence.

    Only traded industries that the evidence compares count; where one belongs to several clusters, the one with the
    largest weight does.

    Returns:
        One row a side: ``side``, ``observed`` (False for the classification, which is declared), ``clusters`` and
        ``industries`` scored, the four validation scores and their ``mean``.

    Raises:
        DefinitionError: fewer than two clusters of the set have industries in the evidence.
    """
    traded = definitions.clusters.filter(pl.col("kind").is_null() | (pl.col("kind") != LOCAL))["cluster"]
    belongs = main_cluster(definitions).filter(pl.col("cluster").is_in(traded.implode()))
    home = dict(belongs.iter_rows())
    rows = [k for k, code in enumerate(evidence.sides.industries) if code in home]
    names = sorted({home[evidence.sides.industries[k]] for k in rows})
    if len(names) < 2:
        raise DefinitionError(
            f"'{definitions.source}' has {len(names)} clusters with traded industries of the panel; two are needed to "
            "score a set. Check that both use the same classification, vintage and level."
        )
    number = {name: k for k, name in enumerate(names)}
    labels = np.array([number[home[evidence.sides.industries[k]]] for k in rows])
    return pl.DataFrame(
        [
            {
                "side": side,
                "observed": side != CLASSIFICATION,
                "clusters": len(names),
                "industries": len(rows),
                "cluster_average": score.cluster_average,
                "cluster_95": score.cluster_95,
                "industry_average": score.industry_average,
                "industry_95": score.industry_95,
                "mean": score.mean,
            }
            for side, matrix in _part(evidence.sides, rows).items()
            for score in [validation_scores(matrix, labels)]
        ]
    )


def mean_score(scores: pl.DataFrame) -> float:
    """Return the mean over the observed sides, by which sets are compared."""
    return float(scores.filter("observed").select(pl.mean("mean")).item())


def overlapping(definitions: ClusterDefinitions) -> ClusterDefinitions:
    """Return the set with industries shared among the clusters they are close to, as its table ``overlap`` says.

    An industry's weights add up to 1, so that nothing is counted twice. Raises ``DefinitionError`` when the set has no
    such table.
    """
    if "overlap" not in definitions.tables:
        raise DefinitionError(f"'{definitions.source}' has no table of overlaps; only discovered sets have one.")
    shared = definitions.tables["overlap"].with_columns(pl.col("weight").cast(pl.Float64))
    rest = definitions.members.filter(~pl.col("industry").is_in(shared["industry"].implode()))
    kept = definitions.members.drop("weight", "cluster", "subcluster").unique("industry")
    members = shared.join(kept, on="industry").with_columns(subcluster=pl.lit(None, pl.String))
    return replace(
        definitions,
        members=pl.concat([members.select(rest.columns), rest]).sort("cluster", "industry"),
        method=f"{definitions.method}; overlapping",
    )


def _part(sides: Similarities, rows: list[int]) -> dict[str, Floats]:
    at = np.ix_(rows, rows)
    return {name: on_one_scale(matrix[at], "standard") for name, matrix in sides.matrices.items()}


def _read(edits: TableLike, definitions: ClusterDefinitions) -> pl.DataFrame:
    table = load_table(edits)
    columns, problems = find_columns(table, dict.fromkeys(_COLUMNS), ("cluster", "reason"), _REMEDY)
    if problems:
        raise DataError(table.origin, problems)
    rows = pick(table, columns, {})
    text = rows.text.with_columns(pl.lit(None, pl.String).alias(name) for name in _COLUMNS if name not in columns)
    text = text.select(_COLUMNS)
    nothing = text["industry"].is_null() & text["label"].is_null()
    known = definitions.members["industry"]
    strange = text["industry"].is_not_null() & ~text["industry"].is_in(known.implode())
    founded = text.filter(text["industry"].is_not_null())["cluster"]
    absent = ~text["cluster"].is_in(pl.concat([definitions.clusters["cluster"], founded]).implode())
    problems = [
        *checks.missing_keys(rows, ["cluster", "reason"]),
        *_faults(rows, "empty edits", nothing, "neither an industry to move nor a new label"),
        *_unknown(rows, "industry", strange, known.to_list()),
        *_unknown(rows, "cluster", absent.fill_null(False), definitions.clusters["cluster"].to_list()),
    ]
    if problems:
        raise DataError(table.origin, problems)
    return text


def _faults(rows: Rows, check: str, bad: pl.Series, message: str) -> list[Problem]:
    return checks.faults(rows, check, bad, message, "cluster") if bad.any() else []


def _unknown(rows: Rows, column: str, bad: pl.Series, known: list[str]) -> list[Problem]:
    if not bad.any():
        return []
    messages = [f"the set has no such {column}{did_you_mean(value, known)}" for value in rows.text[column].filter(bad)]
    return checks.faults(rows, f"unknown {column}", bad, messages, column)


def _nobody_left_out(clusters: pl.DataFrame, members: pl.DataFrame) -> None:
    empty = clusters.join(members, on="cluster", how="anti")
    if empty.height:
        named = ", ".join(f"{row['cluster']} ({row['label']})" for row in empty.iter_rows(named=True))
        raise DefinitionError(f"These edits would leave without members: {named}. Leave an industry in each.")
