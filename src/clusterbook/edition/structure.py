"""What an economy is made of and where it could go: significance, complexity, shift-share, the industry space."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clusterbook.clusters.definitions import TRADED
from clusterbook.data.industries import Industries
from clusterbook.data.matrix import Matrix, long_table, matrix_of
from clusterbook.data.panel import Panel
from clusterbook.measures.complexity import complexity, diversity, presence, ubiquity
from clusterbook.measures.industry_space import place_by_ties, strongest_ties
from clusterbook.measures.plant_concentration import guimaraes_figueiredo_woodward
from clusterbook.measures.points import on_sphere
from clusterbook.measures.relatedness import proximity, relatedness_density
from clusterbook.measures.shift_share import shift_share
from clusterbook.measures.significance import benjamini_hochberg, binomial_test, quotient_interval
from clusterbook.measures.spatial import morans_i
from clusterbook.measures.variety import variety
from clusterbook.measures.weights import centres, k_nearest, row_standardised

Floats = NDArray[np.float64]

ALL = "*"
OPPORTUNITIES = 12
NEIGHBOURS = 6
MOST_NODES, MOST_LINKS = 250, 300


def complete(size: str, *keys: str) -> pl.Expr:
    """Tell where a total is known: a total that lacks a suppressed part would make shares and quotients too large."""
    return pl.col(size).is_not_null().all().over(keys)


def significance(clusters: pl.DataFrame) -> pl.DataFrame:
    """Add how sure each quotient is, judged by the number of establishments it rests on.

    ``lq_low95`` and ``lq_high95`` are the quotient times the relative width of the delta-method interval of the
    quotient of establishments; ``lq_q`` is the p-value of a binomial test that establishments fall as all of their
    kind do, adjusted for false discoveries among the regions of a cluster. Local and traded clusters are kept apart.
    """
    parts = []
    for (year, kind), cells in clusters.group_by("year", "kind", maintain_order=True):
        plants = matrix_of(cells, "establishments")
        counts = np.round(plants.values)  # shared memberships make fractions
        low, high = quotient_interval(counts)
        with np.errstate(divide="ignore", invalid="ignore"):
            middle = np.sqrt(low * high)
            columns = {"_low": low / middle, "_high": high / middle}
        columns["lq_q"] = benjamini_hochberg(binomial_test(counts, alternative="two-sided"), axis=0)
        parts.append(
            long_table(plants, columns).with_columns(year=pl.lit(year, clusters.schema["year"]), kind=pl.lit(kind))
        )
    # A cell without establishments has no interval (the delta method would make it infinite).
    sure = pl.concat(parts).with_columns(
        pl.when(pl.col(name).is_finite()).then(name) for name in ("_low", "_high", "lq_q")
    )
    return (
        clusters.join(sure, on=["region", "cluster", "year", "kind"], how="left")
        .with_columns(lq_low95=pl.col("lq") * pl.col("_low"), lq_high95=pl.col("lq") * pl.col("_high"))
        .with_columns(pl.when(pl.col("lq").is_not_null()).then("lq_q"))
        .drop("_low", "_high")
    )


def localisation(panel: Panel, clusters: pl.DataFrame) -> pl.DataFrame:
    """Return, for the clusters of the last year, how clustered their establishments are and whether neighbours share.

    ``gamma_counts`` needs establishments; ``moran`` and ``moran_p`` need shapes: Moran's I of the quotients over the
    six nearest regions.
    """
    year = panel.years[-1]
    names = pl.DataFrame({"cluster": matrix_of(clusters, panel.size, year=year).industries})
    table = names.with_columns(year=pl.lit(year, clusters.schema["year"]))
    if "establishments" in clusters.columns:
        plants = matrix_of(clusters, "establishments", year=year).values
        table = table.with_columns(gamma_counts=guimaraes_figueiredo_woodward(plants))
    quotients = matrix_of(clusters, "lq", year=year)
    placed = [k for k, code in enumerate(quotients.regions) if code in panel.regions.geometry]
    if len(placed) > NEIGHBOURS:
        points = on_sphere(centres(panel.regions, [quotients.regions[k] for k in placed]))
        weights = row_standardised(k_nearest(points, NEIGHBOURS))
        found = morans_i(quotients.values[placed], weights)
        table = table.with_columns(moran=found.statistic, moran_p=found.p)
    return table


def complexity_and_variety(panel: Panel) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return complexity and variety of regions, and complexity and ubiquity of industries, in the last year.

    Both are empty where a cell of that year is unknown: complexity is a property of the whole table.
    """
    matrix = panel.matrix()
    year = pl.lit(panel.years[-1], panel.frame.schema["year"])
    if np.isnan(matrix.values).any():
        return (
            pl.DataFrame(schema={"region": pl.String, "year": panel.frame.schema["year"]}),
            pl.DataFrame(schema={"industry": pl.String, "year": panel.frame.schema["year"]}),
        )
    present = presence(matrix.values)
    found = complexity(present)
    varied = variety(matrix.values, sectors(panel.industries, matrix.industries))
    regions = pl.DataFrame(
        {
            "region": matrix.regions,
            "eci": found.eci,
            "diversity": diversity(present),
            "related_variety": varied.related,
            "unrelated_variety": varied.unrelated,
        }
    )
    industries = pl.DataFrame({"industry": matrix.industries, "pci": found.pci, "ubiquity": ubiquity(present)})
    return regions.with_columns(year=year), industries.with_columns(year=year)


def sectors(industries: Industries, codes: tuple[str, ...]) -> list[str]:
    """Return the top of the classification above each code (the code itself where there is no tree)."""
    return [(industries.ancestors(code) or [code])[-1] for code in codes]


def opportunities(panel: Panel, traded: set[str], industries: pl.DataFrame, wages: pl.DataFrame) -> pl.DataFrame:
    """Return the traded industries in which each region is not yet specialised and to which it is closest.

    ``density`` is the share of what is related to the industry (by proximity) in which the region is specialised.
    """
    schema = {"region": pl.String, "industry": pl.String, "density": pl.Float64, "lq": pl.Float64}
    matrix = panel.matrix()
    if np.isnan(matrix.values).any() or not traded:
        return pl.DataFrame(schema=schema | {"rank": pl.Int64, "pci": pl.Float64, "wage": pl.Float64})
    present = presence(matrix.values)
    density = np.asarray(relatedness_density(present, proximity(present).astype(np.float32)), dtype=np.float64)
    candidate = (present == 0) & np.array([code in traded for code in matrix.industries])[None, :]
    density[~candidate | np.isnan(density)] = -1
    k = min(OPPORTUNITIES, density.shape[1])
    best = np.argsort(-density, axis=1, kind="stable")[:, :k]
    total = matrix.values.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = matrix.values.sum(axis=1)[:, None] * matrix.values.sum(axis=0)[None, :] / total
        lq = matrix.values / expected
    table = pl.DataFrame(
        {
            "region": np.repeat(matrix.regions, k).tolist(),
            "industry": np.array(matrix.industries)[best].ravel().tolist(),
            "density": np.take_along_axis(density, best, axis=1).ravel(),
            "lq": np.take_along_axis(lq, best, axis=1).ravel(),
            "rank": np.tile(np.arange(1, k + 1), len(matrix.regions)),
        },
        schema=schema | {"rank": pl.Int64},
    ).filter(pl.col("density") >= 0)
    pci = industries.select("industry", "pci") if "pci" in industries.columns else None
    table = table.join(pci, on="industry", how="left") if pci is not None else table
    return table.join(wages, on="industry", how="left")


def change_by_parts(by_cluster: pl.DataFrame, size: str, years: tuple[int, int]) -> pl.DataFrame:
    """Split the change of each region's clusters between two years into national, mix and local parts.

    Cluster ``*`` is the region as a whole; it is null where any of its clusters is unknown.
    """
    start, end = (by_cluster.filter(year=year) for year in years)
    keys = ["region", "cluster"]
    both = (
        start.select(*keys, pl.col(size).alias("start"), pl.lit(True).alias("_start"))
        .join(
            end.select(*keys, pl.col(size).alias("end"), pl.lit(True).alias("_end")), on=keys, how="full", coalesce=True
        )
        # absent is zero; a row without a figure is unknown
        .with_columns(
            pl.when(pl.col("_start").is_null()).then(0.0).otherwise("start").alias("start"),
            pl.when(pl.col("_end").is_null()).then(0.0).otherwise("end").alias("end"),
        )
        .with_columns(pl.lit(0).alias("year"))
    )
    before, after = matrix_of(both, "start"), matrix_of(both, "end")
    parts = shift_share(before.values, after.values)
    columns = {
        "change": after.values - before.values,
        "national": parts.national,
        "mix": parts.mix,
        "local": parts.competitive,
    }
    by_part = long_table(before, columns).join(both.select(keys), on=keys, how="semi")
    by_part = by_part.with_columns(pl.col(list(columns)).fill_nan(None))
    gap = pl.any_horizontal(pl.col(list(columns)).is_null()).any()
    whole = by_part.group_by("region", maintain_order=True).agg(pl.when(~gap).then(pl.col(list(columns)).sum()))
    return pl.concat([by_part, whole.with_columns(cluster=pl.lit(ALL))], how="diagonal")


def industry_space(panel: Panel, membership: pl.DataFrame, traded: set[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the industry space: traded industries as points and the closest pairs as links.

    The links are a maximum spanning tree, which joins all that are related at all, and the strongest others. The
    layout is the same for the same input.
    """
    whole = panel.matrix()
    nodes = pl.DataFrame(schema={"industry": pl.String, "x": pl.Float64, "y": pl.Float64, "cluster": pl.String})
    links = pl.DataFrame(schema={"industry": pl.String, "other": pl.String, "proximity": pl.Float64})
    if np.isnan(whole.values).any():
        return nodes, links
    matrix = _largest_traded(whole, traded)
    if len(matrix.industries) < 3:
        return nodes, links
    place = {code: k for k, code in enumerate(whole.industries)}
    at = [place[code] for code in matrix.industries]
    near = np.nan_to_num(proximity(presence(whole.values)))
    near = near[np.ix_(at, at)]
    np.fill_diagonal(near, 0)
    ties = strongest_ties(near, MOST_LINKS)
    places = place_by_ties(ties, len(near))
    here, there = ties[:, 0], ties[:, 1]
    codes = np.array(matrix.industries)
    main = membership.sort("weight", "cluster", descending=[True, False]).unique("industry", keep="first")
    nodes = pl.DataFrame(
        {
            "industry": matrix.industries,
            "x": places[:, 0],
            "y": places[:, 1],
            panel.size: matrix.values.sum(axis=0),
        }
    ).join(main.select("industry", "cluster"), on="industry", how="left")
    links = pl.DataFrame(
        {"industry": codes[here].tolist(), "other": codes[there].tolist(), "proximity": near[here, there]}
    )
    return nodes, links


def _largest_traded(matrix: Matrix, traded: set[str]) -> Matrix:
    total = matrix.values.sum(axis=0)
    order = np.argsort(-total, kind="stable")
    kept = [k for k in order if matrix.industries[k] in traded and total[k] > 0][:MOST_NODES]
    return matrix.columns(tuple(matrix.industries[k] for k in sorted(kept)))


def industry_wages(trend: Panel, codes: pl.Series, year: int) -> pl.DataFrame:
    """Return pay per job of each industry nationwide in one year, at the level of the codes asked for."""
    empty = pl.DataFrame(schema={"industry": pl.String, "wage": pl.Float64})
    if not {"payroll", "employment"} <= set(trend.measures):
        return empty
    fine = trend.frame["industry"].unique().sort().to_list()
    cover = trend.industries.covering(fine, codes.to_list())
    if not cover:
        return empty
    names = pl.DataFrame({"industry": list(cover), "whole": list(cover.values())})
    cells = trend.frame.filter(pl.col("year") == year, pl.col("payroll").is_not_null(), pl.col("employment") > 0)
    sums = cells.join(names, on="industry").group_by("whole").agg(pl.sum("payroll", "employment"))
    return sums.select(pl.col("whole").alias("industry"), (pl.col("payroll") / pl.col("employment")).alias("wage"))


def traded_industries(membership: pl.DataFrame, kinds: pl.DataFrame) -> set[str]:
    """Return the industries of traded clusters (clusters of no stated kind count as traded)."""
    kind = kinds.select("cluster", pl.col("kind").fill_null(TRADED))
    return set(membership.join(kind, on="cluster").filter(kind=TRADED)["industry"])
