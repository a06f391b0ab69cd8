"""How the set of clusters was made, as its page reads it: candidates, sides, stability, outliers, moves, edits."""

from __future__ import annotations

from typing import Any

import polars as pl

from clusterbook.atlas.columns import Columns, as_shown, columns_of, optional_table, with_positions
from clusterbook.edition.store import Edition

#: As many candidates as a drawing can tell apart.
DRAWN = 300


def making_of(edition: Edition, clusters: list[str]) -> dict[str, Any]:
    """Return the tables behind the definitions, those that the edition has; clusters are named by position."""
    candidates = _known(edition, "definition_candidates")
    stability = _known(edition, "definition_stability")
    return {
        "candidates": columns_of(_drawn(candidates)),
        "n_candidates": candidates.height,
        "sides": columns_of(_rounded(_known(edition, "definition_sides"))),
        "stability": stability["adjusted_rand"].round(3).to_list() if stability.height else [],
        "industries": _industries(edition, clusters),
        "related": columns_of(_related(edition, clusters)),
        "edits": columns_of(_known(edition, "definition_edits")),
        "scores": columns_of(_rounded(_scores(edition, clusters))),
    }


def related_of(edition: Edition, clusters: list[str]) -> dict[int, Columns]:
    """Return by cluster the clusters related to it, the nearest first."""
    parts = _related(edition, clusters).partition_by("c", as_dict=True, include_key=False)
    return {int(key[0]): columns_of(part) for key, part in parts.items()}


def fit_of_members(edition: Edition, clusters: list[str]) -> pl.DataFrame | None:
    """Return for each industry of a cluster how it fits: ``similarity``, ``closest`` (position), ``outlier`` ..."""
    table = optional_table(edition, "definition_industries")
    if table is None:
        return None
    placed = with_positions(table, {"closest": ("closest", clusters)})
    kept = ("similarity", "closest", "closest_similarity", "outlier", "stability")
    return placed.select("cluster", "industry", *kept)


def _known(edition: Edition, name: str) -> pl.DataFrame:
    table = optional_table(edition, name)
    return pl.DataFrame() if table is None else table


def _rounded(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.selectors.float().round(3))


def _drawn(candidates: pl.DataFrame) -> pl.DataFrame:
    """Return the best candidates of each mixture and algorithm in turn, so that none crowds out the others."""
    if candidates.is_empty():
        return candidates
    kept = [n for n in ("rank", "mixture", "scale", "algorithm", "clusters", "score", "fit") if n in candidates.columns]
    turn = pl.int_range(pl.len()).over("mixture", "algorithm")
    best = candidates.sort("rank").with_columns(turn.alias("_turn")).sort("_turn", "rank").head(DRAWN)
    return _rounded(best.sort("rank").select(kept))


def _related(edition: Edition, clusters: list[str]) -> pl.DataFrame:
    table = optional_table(edition, "related")
    if table is None:
        return pl.DataFrame(schema={"c": pl.Int64})
    placed = with_positions(table, {"c": ("cluster", clusters), "o": ("other", clusters)})
    return _rounded(placed.sort("c", "rank").select("c", "o", "similarity", "share", "rank"))


def _industries(edition: Edition, clusters: list[str]) -> Columns:
    table = optional_table(edition, "definition_industries")
    if table is None:
        return {}
    titles = edition.table("industries").select("industry", "title").unique("industry", keep="first")
    table = table.join(titles, on="industry", how="left")
    places = {"c": ("cluster", clusters), "closest": ("closest", clusters)}
    moves, overlap = optional_table(edition, "definition_moves"), optional_table(edition, "overlap")
    if moves is not None:
        table = table.join(moves.select("industry", pl.col("old_company").alias("moved")), on="industry", how="left")
        places["moved"] = ("moved", clusters)
    if overlap is not None:
        own = overlap.join(table.select("industry", "cluster"), on=["industry", "cluster"])
        table = table.join(own.select("industry", pl.col("weight").alias("own_weight")), on="industry", how="left")
    shown = ("industry", "title", *places, "size", "similarity", "closest_similarity", "outlier", "stability")
    table = with_positions(table.sort("industry"), places)
    table = table.select(n for n in (*shown, "own_weight") if n in table.columns)
    return columns_of(as_shown(table))


def _scores(edition: Edition, clusters: list[str]) -> pl.DataFrame:
    """Return the scores of clusters, those of traded clusters first."""
    definitions = edition.table("definitions")
    known = [n for n in ("within", "between", "resource_share", "stability") if n in definitions.columns]
    return with_positions(definitions, {"c": ("cluster", clusters)}).select("c", *known).sort("c")
