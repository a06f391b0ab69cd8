"""Composition: of which industries and plants a cluster in a region is made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clusterbook.clusters.tables import Tables, last_year
from clusterbook.data.matrix import matrix_of
from clusterbook.measures.concentration import effective_number, herfindahl

Floats = NDArray[np.float64]


def composition(tables: Tables, size: str) -> pl.DataFrame:
    """Return what the industries of each cluster in each region of the last year tell.

    Args:
        tables: tables of an edition. ``cells`` and ``members`` are needed; ``industries`` is used for complexity.
        size: the edition's main measure.

    Returns:
        One row a region and cluster: ``industries_present`` (share of the cluster's industries; where some cells are
        unknown it is null and ``_lo`` and ``_hi`` are what it can be), ``effective_industries`` (as many of equal size
        would be as concentrated), ``top_industry_share``, ``subclusters_present`` (share of the subclusters), where
        there are establishments ``rivals`` (plants of its own industry that the average unit of size finds in the
        region) and where complexity is known ``industry_complexity`` (mean by size). Null where a cell that matters is
        not known. No rows where a table that is needed is absent.

    Example:
        >>> cells = pl.DataFrame({"region": "A", "industry": ["1", "2"], "year": 2019, "jobs": [30, 10]})
        >>> members = pl.DataFrame({"cluster": "steel", "industry": ["1", "2", "3", "4"], "weight": 1.0})
        >>> found = composition({"cells": cells, "members": members}, "jobs")
        >>> found.select("cluster", "industries_present", "top_industry_share").row(0)
        ('steel', 0.5, 0.75)
    """
    nothing = pl.DataFrame(schema={"region": pl.String, "cluster": pl.String})
    if not {"cells", "members"} <= set(tables):
        return nothing
    cells, members = last_year(tables["cells"]), tables["members"]
    sizes = matrix_of(cells, size, columns="industry")
    plants = matrix_of(cells, "establishments", columns="industry") if "establishments" in cells.columns else None
    complexity = _industry_column(tables, "pci", sizes.industries)
    place = {code: k for k, code in enumerate(sizes.industries)}
    found = [nothing]
    for (cluster,), part in members.sort("cluster", "industry").group_by("cluster", maintain_order=True):
        inside = part.filter(pl.col("industry").is_in(sizes.industries))
        at = [place[code] for code in inside["industry"]]
        if not at:
            continue
        E = sizes.values[:, at] * inside["weight"].to_numpy()
        columns = _mix(E, part.height) | {"subclusters_present": _groups_present(E, inside, part)}
        if plants is not None:
            columns["rivals"] = _mean_by_size(E, plants.values[:, at])
        if complexity is not None:
            columns["industry_complexity"] = _mean_by_size(E, np.broadcast_to(complexity[at], E.shape))
        found.append(pl.DataFrame({"region": sizes.regions, "cluster": [cluster] * len(E), **columns}))
    return pl.concat(found, how="diagonal").with_columns(pl.selectors.float().fill_nan(None))


def plant_size_ratio(size: str) -> pl.Expr:
    """Return how large the average plant of each cluster is here, against the nation (our own measure).

    For a table of clusters of one year with the size and ``establishments``; the nation is all regions in which both
    are known. Null without plants.

    Example:
        >>> table = pl.DataFrame({"cluster": "steel", "jobs": [900, 100], "establishments": [9, 4]})
        >>> table.select(plant_size_ratio("jobs").alias("ratio"))["ratio"].to_list()
        [1.3, 0.325]
    """
    both = pl.col(size).is_not_null() & pl.col("establishments").is_not_null()
    nation = [pl.col(name).filter(both).sum().over("cluster") for name in (size, "establishments")]
    own, whole = pl.col(size) / pl.col("establishments"), nation[0] / nation[1]
    return pl.when((pl.col("establishments") > 0) & (nation[0] > 0)).then(own / whole)


def _mix(E: Floats, industries: int) -> dict[str, Floats]:
    """Return the breadth of a cluster from the sizes (R, m) of its industries, ``industries`` in all."""
    some, unknown = (E > 0).sum(axis=1), np.isnan(E).sum(axis=1)
    total = E.sum(axis=1)
    return {
        "industries_present": np.where(unknown > 0, np.nan, some / industries),
        "industries_present_lo": np.where(unknown > 0, some / industries, np.nan),
        "industries_present_hi": np.where(unknown > 0, (some + unknown) / industries, np.nan),
        "effective_industries": effective_number(herfindahl(E, over="industries")),
        "top_industry_share": _ratio(E.max(axis=1), total),
    }


def _groups_present(E: Floats, inside: pl.DataFrame, part: pl.DataFrame) -> Floats:
    """Return the share of subclusters of which something is there; NaN where the cluster has no subclusters."""
    groups = part["subcluster"].drop_nulls().unique().sort().to_list() if "subcluster" in part.columns else []
    if len(groups) < 2:
        return np.full(len(E), np.nan)
    one_hot = np.array([[g == group for group in groups] for g in inside["subcluster"]], dtype=np.float64)
    some = (np.nan_to_num(E) > 0) @ one_hot > 0
    perhaps = (np.isnan(E) @ one_hot > 0) & ~some
    return np.where(perhaps.any(axis=1), np.nan, some.mean(axis=1))


def _mean_by_size(E: Floats, values: Floats) -> Floats:
    """Return the mean of values (R, m) weighted by size; an industry that is not there needs no value."""
    products = np.where(E == 0, 0.0, E * values)
    return _ratio(products.sum(axis=1), E.sum(axis=1))


def _industry_column(tables: Tables, column: str, codes: Sequence[str]) -> Floats | None:
    table = tables.get("industries")
    if table is None or column not in table.columns:
        return None
    latest = last_year(table).select("industry", pl.col(column).cast(pl.Float64))
    return (
        pl.DataFrame({"industry": codes})
        .join(latest, on="industry", how="left", maintain_order="left")[column]
        .to_numpy()
    )


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part of the whole; NaN where there is no whole or either is not known."""
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0))
