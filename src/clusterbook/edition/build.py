"""Build an edition: every figure that any page shows is computed here, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from clusterbook.clusters.certainty import add_certainty
from clusterbook.clusters.definitions import TRADED, ClusterDefinitions
from clusterbook.clusters.identification import Profile, identify, load_profile
from clusterbook.data.matrix import Matrix, matrix_of
from clusterbook.data.panel import KEYS, Panel, add_up, hash_frame
from clusterbook.edition.characterisation import characterise, definition_tables
from clusterbook.edition.store import Edition, write_edition
from clusterbook.edition.structure import (
    ALL,
    change_by_parts,
    complete,
    complexity_and_variety,
    industry_space,
    industry_wages,
    localisation,
    opportunities,
    significance,
    traded_industries,
)
from clusterbook.errors import EditionError
from clusterbook.measures.concentration import effective_number, entropy, herfindahl, locational_gini
from clusterbook.measures.growth import growth
from clusterbook.measures.intervals import quotient_interval
from clusterbook.measures.specialisation import krugman_pairs, location_quotient, quotient, shares, size_rank
from clusterbook.version import __version__

Tables = dict[str, pl.DataFrame]
Floats = NDArray[np.float64]

SIMILAR_REGIONS = 10
#: A sum of which more than this share is estimated is marked as rough.
ROUGH = 0.1


def build_edition(
    panel: Panel,
    definitions: ClusterDefinitions,
    out: str | Path,
    *,
    trend: Panel | None = None,
    profiles: Iterable[str] = ("uscmp", "eco2008"),
    facts: pl.DataFrame | None = None,
    findings: pl.DataFrame | None = None,
    nominations: pl.DataFrame | None = None,
    judgements: pl.DataFrame | None = None,
    flows: pl.DataFrame | None = None,
    title: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Edition:
    """Compute an edition from a panel and cluster definitions and write it to ``out``.

    Args:
        panel: the cells; its last year is the year of the headline figures.
        definitions: which industries form which cluster; applied to finer industries through the classification tree.
        out: the folder to make. An edition that stands there is replaced only when the new one is complete.
        trend: another panel of the same regions that covers more years or measures pay; trends, growth and wages come
            from it and are marked so. Default: the panel itself.
        profiles: identification rules to apply (see ``clusterbook.clusters.identification.profiles``). The first flag
            of the first is the one by which clusters are identified in areas, warnings and evidence.
        facts: what people recorded of clusters, as ``clusters.facts.read_facts`` returns it; it goes into profiles and
            types.
        findings: what other methods than statistics found, as ``clusters.evidence.read_findings`` returns it.
        nominations: clusters that people named, as ``clusters.nominations.read_nominations`` returns them.
        judgements: of the stages of clusters, as ``clusters.life_cycle.read_judgements`` returns them.
        flows: between regions, of commuters, say: ``region``, ``other``, ``flow``. They join regions to areas.
        title: the name of the book; default: the title of the panel's source.
        progress: called with a few words at each step.

    Returns:
        The edition, opened and checked.

    Raises:
        EditionError: the trend panel knows other regions, or there is no profile.
        DefinitionError: the definitions do not fit the panel's industries.
        DataError: a judgement is about a cluster or a year that the trends do not have.
        OutputError: ``out`` cannot be written.

    Example:
        >>> import clusterbook as cb
        >>> panel = cb.samples.us_metros()                                                    # doctest: +SKIP
        >>> edition = cb.build_edition(panel, cb.discover_definitions(panel), "us.edition")   # doctest: +SKIP
        >>> edition.table("clusters").filter(strong=True).height                              # doctest: +SKIP
    """
    say = progress or (lambda _: None)
    source_of_trends = trend or panel
    _check_same_regions(panel, source_of_trends)
    rules = [load_profile(name) for name in profiles]
    if not rules:
        raise EditionError("profiles is empty: name at least one, e.g. profiles=['uscmp'], to tell where clusters are.")
    flag = rules[0].flags[0].name

    say("Shares and quotients of every cell")
    tables: Tables = {"cells": _cells(panel)}
    say("Clusters in regions")
    membership = definitions.assign(panel.industries, panel.frame["industry"])
    tables["clusters"] = _clusters(panel, definitions, membership, rules)
    say("Trends, growth and wages")
    tables |= _trends(panel, source_of_trends, definitions, tables["clusters"])
    say("Concentration of clusters and industries")
    tables["cluster_totals"] = _cluster_totals(panel, tables["clusters"], _weighted(panel, membership))
    tables["industries"] = _industries(panel, membership)
    say("Complexity, variety and what could come next")
    of_regions, of_industries = complexity_and_variety(panel)
    tables["industries"] = tables["industries"].join(of_industries, on=["industry", "year"], how="left")
    traded = traded_industries(membership, definitions.clusters)
    wage_year = _wage_year(panel, source_of_trends)
    wages = industry_wages(source_of_trends, tables["industries"]["industry"].unique().sort(), wage_year)
    tables["opportunities"] = opportunities(panel, traded, of_industries, wages)
    tables["space_nodes"], tables["space_links"] = industry_space(panel, membership, traded)
    say("Regions and their likeness")
    tables["regions"] = _regions(panel, tables["clusters"]).join(of_regions, on=["region", "year"], how="left")
    tables["similar"] = _similar(panel, tables["clusters"])
    tables["members"] = _members(panel, definitions, membership, tables["industries"])
    tables["region_names"] = _region_names(panel)
    tables["geometry"] = _geometry(panel)
    tables = {name: _tidy(table) for name, table in tables.items()} | definition_tables(definitions)
    recorded = {
        "facts": facts,
        "findings": findings,
        "nominations": nominations,
        "judgements": judgements,
        "flows": flows,
    }
    tables |= characterise(panel, source_of_trends, tables, flag=flag, **recorded, say=say)

    say("Writing")
    manifest = _manifest(panel, trend, definitions, rules, recorded, title)
    return write_edition({name: _gaps(table) for name, table in tables.items()}, manifest, out)


def _check_same_regions(panel: Panel, trend: Panel) -> None:
    known = set(panel.frame["region"].unique())
    common = known & set(trend.frame["region"].unique())
    if not common:
        raise EditionError(
            f"The trend panel '{trend.source.title}' has none of the {len(known)} regions of '{panel.source.title}'. "
            "Give a trend panel of the same regions (Panel.aggregate adds smaller regions up)."
        )


def _tidy(table: pl.DataFrame) -> pl.DataFrame:
    """Give a table one row order, and gaps instead of NaN."""
    keys = [k for k in ("year", "region", "cluster", "rank", "industry", "other") if k in table.columns]
    return _gaps(table).sort(keys, nulls_last=True)


def _gaps(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.selectors.float().fill_nan(None))


# --- cells and clusters ---------------------------------------------------------------------------------------------


def _cells(panel: Panel) -> pl.DataFrame:
    size = panel.size
    cells = quotient_interval(location_quotient(shares(panel.frame, size), size), size)
    whole_region, whole_industry = complete(size, "region", "year"), complete(size, "industry", "year")
    return cells.with_columns(
        pl.when(whole_region).then("region_share"),
        pl.when(whole_industry).then("industry_share"),
        pl.when(whole_region & whole_industry).then(_within_bounds(cells)),
    )


def _within_bounds(table: pl.DataFrame) -> pl.Expr:
    """Keep quotients within what the bounds allow: unknown cells elsewhere make the grand total a little too small."""
    return pl.col("lq").clip("lq_lo", "lq_hi") if "lq_lo" in table.columns else pl.col("lq")


def _clusters(
    panel: Panel, definitions: ClusterDefinitions, membership: pl.DataFrame, rules: list[Profile]
) -> pl.DataFrame:
    size = panel.size
    # Clusters of no stated kind are compared with the traded ones.
    kinds = definitions.clusters.select("cluster", pl.col("kind").fill_null(TRADED))
    keys = ["region", "cluster", "year"]
    cells = _with_estimated(_add_up_clusters(panel, membership), _weighted(panel, membership), keys, size)
    whole = pl.when(pl.col(size).null_count() == 0).then(pl.sum(size))  # unknown where any part is
    region_total = panel.frame.group_by("region", "year").agg(whole.alias("_region"))
    nation = panel.frame.group_by("year").agg(pl.sum(size).alias("_nation"))
    found = (
        cells.join(kinds, on="cluster")
        .join(region_total, on=["region", "year"])
        .join(nation, on="year")
        .with_columns(whole.over("cluster", "year").alias("_cluster"))
        .with_columns(
            quotient(pl.col(size), pl.col("_region"), pl.col("_cluster"), pl.col("_nation")).alias("lq_all"),
            _ratio(size, "_region").alias("region_share"),
            _ratio(size, "_cluster").alias("national_share"),
        )
        .drop("_region", "_nation", "_cluster")
    )
    # Traded clusters are compared with traded employment, local ones with local (US Cluster Mapping).
    found = location_quotient(found, size, industry="cluster", by=("year", "kind"))
    found = quotient_interval(found, size, industry="cluster", by=("year", "kind"))
    known = complete(size, "region", "year", "kind") & complete(size, "cluster", "year")
    found = found.with_columns(pl.when(known).then(_within_bounds(found)))
    if "establishments" in panel.measures:
        found = significance(found)
    found = size_rank(found, size, within=("cluster", "year"), name="rank")
    found = size_rank(found, "lq", within=("cluster", "year"), name="rank_lq")
    for rule in rules:
        found = identify(found, rule, size=size)
        # A region whose size is not known has no flags, even where its establishments alone would rule them out.
        flags = [flag.name for flag in rule.flags] + ([rule.count] if rule.count else [])
        found = found.with_columns(pl.when(pl.col(size).is_not_null()).then(pl.col(flags)))
        found = add_certainty(found, rule, size=size)
        sure = [f"{flag.name}_{what}" for flag in rule.flags for what in ("certainty", "word")]
        found = found.with_columns(pl.when(pl.col(size).is_not_null()).then(pl.col(sure)))
    return found


def _with_estimated(table: pl.DataFrame, cells: pl.DataFrame, keys: list[str], size: str) -> pl.DataFrame:
    """Add which share of each sum is estimated, and whether that makes the sum ``rough``.

    Nearly every sum of an imputed panel has some small estimated part; what matters is how large it is.
    """
    if not (cells["status"] == "imputed").any():
        return table
    part = pl.when(pl.col("status") == "imputed").then(size).otherwise(0.0)
    parts = cells.group_by(keys).agg(part.sum().alias("_part"))
    share = pl.when(pl.col(size) > 0).then(pl.col("_part") / pl.col(size)).otherwise(pl.col(size) * 0)
    found = table.join(parts, on=keys, how="left").with_columns(share.clip(0, 1).alias("estimated_share"))
    return found.drop("_part").with_columns(rough=pl.col("estimated_share") > ROUGH)


def _ratio(part: str, whole: str) -> pl.Expr:
    """Part of the whole; null where there is no whole."""
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))


def _add_up_clusters(panel: Panel, membership: pl.DataFrame) -> pl.DataFrame:
    """Add cells up to clusters, each counted with its weight."""
    return add_up(_weighted(panel, membership), ["region", "cluster", "year"], panel.measures)


def _weighted(panel: Panel, membership: pl.DataFrame) -> pl.DataFrame:
    figures = [c for c in panel.frame.columns if c not in (*KEYS, "status")]
    return panel.frame.join(membership, on="industry").with_columns(pl.col(figures) * pl.col("weight"))


# --- trends, growth, wages ------------------------------------------------------------------------------------------


def _trends(panel: Panel, trend: Panel, definitions: ClusterDefinitions, clusters: pl.DataFrame) -> Tables:
    """Return ``trends`` (region x cluster x year), ``national_trends`` and ``change`` between comparable years."""
    membership = definitions.assign(trend.industries, trend.frame["industry"])
    regions = panel.frame["region"].unique()
    own = trend.frame.filter(pl.col("region").is_in(regions.implode()))
    by_cluster = _add_up_clusters(trend, membership).filter(pl.col("region").is_in(regions.implode()))
    by_region = add_up(own, ["region", "year"], trend.measures).with_columns(cluster=pl.lit(ALL))
    everything = add_up(own, ["year"], trend.measures).with_columns(cluster=pl.lit(ALL))
    national = pl.concat([add_up(by_cluster, ["cluster", "year"], trend.measures), everything], how="diagonal_relaxed")
    regional = pl.concat([by_cluster, by_region], how="diagonal_relaxed")
    both = pl.concat([regional, national.with_columns(region=pl.lit(ALL))], how="diagonal_relaxed")
    change = _change(_with_wage(both), trend, panel, clusters)
    return {
        "trends": _with_wage(by_cluster),
        "national_trends": _with_wage(national),
        "change": change,
        "shift_share": change_by_parts(by_cluster, trend.size, comparable_years(trend)),
    }


def _with_wage(table: pl.DataFrame) -> pl.DataFrame:
    if not {"payroll", "employment"} <= set(table.columns):
        return table
    return table.with_columns(_ratio("payroll", "employment").alias("wage"))


def comparable_years(trend: Panel) -> tuple[int, int]:
    """Return the years between which growth is measured: first and last without suppressed cells, if there are two."""
    hidden = trend.frame.filter(pl.col(trend.size).is_null())["year"].unique().to_list()
    whole = [year for year in trend.years if year not in hidden]
    years = whole if len(whole) > 1 else trend.years
    return years[0], years[-1]


def _change(both: pl.DataFrame, trend: Panel, panel: Panel, clusters: pl.DataFrame) -> pl.DataFrame:
    size = trend.size
    start, end = comparable_years(trend)
    keys = ["region", "cluster"]
    grown = growth(both, size, start=start, end=end, industry="cluster").select(*keys, "from_year", "to_year", "growth")
    national = grown.filter(region=ALL).select("cluster", pl.col("growth").alias("growth_national"))
    change = grown.join(national, on="cluster").with_columns(
        growth_relative=pl.col("growth") - pl.col("growth_national")
    )
    wage_year = _wage_year(panel, trend)
    if "wage" in both.columns:
        wages = both.filter(pl.col("year") == wage_year, pl.col("employment") > 0).select(*keys, "wage")
        usual = wages.filter(region=ALL).select("cluster", pl.col("wage").alias("_usual"))
        wages = wages.join(usual, on="cluster", how="left").select(
            *keys, "wage", _ratio("wage", "_usual").alias("wage_relative"), pl.lit(wage_year).alias("wage_year")
        )
        change = change.join(wages, on=keys, how="left")
    return change.join(_trend_coverage(both, panel, trend, clusters), on=keys, how="left")


def _wage_year(panel: Panel, trend: Panel) -> int:
    """Return the year of wages: that of the main figures where the trend panel has it, else its last."""
    return panel.years[-1] if panel.years[-1] in trend.years else trend.years[-1]


def _trend_coverage(both: pl.DataFrame, panel: Panel, trend: Panel, clusters: pl.DataFrame) -> pl.DataFrame:
    """Say how much of the main panel the trend panel sees, in the last year they share."""
    keys = ["region", "cluster"]
    shared = [year for year in panel.years if year in trend.years]
    if trend is panel or not shared or panel.size != trend.size:
        return both.select(keys).unique(maintain_order=True).with_columns(trend_coverage=pl.lit(None, dtype=pl.Float64))
    now = pl.col("year") == shared[-1]
    size = panel.size
    main = clusters.filter(now).select(*keys, size)
    cells = panel.frame.filter(now)
    main = pl.concat(
        [
            main,
            main.group_by("cluster").agg(pl.sum(size)).select(pl.lit(ALL).alias("region"), "cluster", size),
            cells.group_by("region").agg(pl.sum(size)).select("region", pl.lit(ALL).alias("cluster"), size),
            cells.select(pl.lit(ALL).alias("region"), pl.lit(ALL).alias("cluster"), pl.sum(size)),
        ]
    ).rename({size: "_main"})
    seen = both.filter(now).select(*keys, size).join(main, on=keys)
    return seen.select(*keys, _ratio(size, "_main").alias("trend_coverage"))


# --- concentration --------------------------------------------------------------------------------------------------


def _cluster_totals(panel: Panel, clusters: pl.DataFrame, estimated: pl.DataFrame) -> pl.DataFrame:
    size = panel.size
    strong = [pl.col("strong").sum().alias("regions_strong")] if "strong" in clusters.columns else []
    present = [(pl.col(size) > 0).sum().alias("regions_present"), *strong]
    counts = clusters.group_by("cluster", "year").agg(*present)
    nation = panel.frame.group_by("year").agg(pl.sum(size).alias("_nation"))
    parts = [_concentration(matrix_of(clusters, size, year=year), panel, year, "cluster") for year in panel.years]
    return (
        _with_estimated(add_up(clusters, ["cluster", "year"], panel.measures), estimated, ["cluster", "year"], size)
        .join(counts, on=["cluster", "year"])
        .join(nation, on="year")
        .with_columns(_ratio(size, "_nation").alias("share"))
        .drop("_nation")
        .join(pl.concat(parts), on=["cluster", "year"])
        .with_columns(pl.col("gini").rank("min", descending=True).over("year").alias("gini_rank"))
        .join(localisation(panel, clusters), on=["cluster", "year"], how="left")
    )


def _industries(panel: Panel, membership: pl.DataFrame) -> pl.DataFrame:
    """Return industries by year; an industry in several clusters is named with the one that has most of it."""
    titles = panel.industries.frame.select("industry", "title")
    main = membership.sort("weight", "cluster", descending=[True, False]).unique("industry", keep="first")
    counts = panel.frame.group_by("industry", "year").agg((pl.col(panel.size) > 0).sum().alias("regions_present"))
    parts = [_concentration(panel.matrix(year=year), panel, year, "industry") for year in panel.years]
    return (
        _with_estimated(
            add_up(panel.frame, ["industry", "year"], panel.measures), panel.frame, ["industry", "year"], panel.size
        )
        .join(counts, on=["industry", "year"])
        .join(pl.concat(parts), on=["industry", "year"])
        .join(titles, on="industry", how="left")
        .join(main.select("industry", "cluster"), on="industry", how="left")
    )


def _concentration(matrix: Matrix, panel: Panel, year: int, name: str) -> pl.DataFrame:
    """Return how concentrated each column is: Gini against all activity, Herfindahl and equal-sized regions."""
    total = (
        panel.frame.filter(pl.col("year") == year, pl.col("region").is_in(list(matrix.regions)))
        .group_by("region")
        .agg(pl.sum(panel.size))
        .sort("region")
    )
    index = herfindahl(matrix.values, over="regions")
    return pl.DataFrame(
        {
            name: list(matrix.industries),
            "year": pl.Series([year] * len(matrix.industries), dtype=panel.frame.schema["year"]),
            "gini": locational_gini(matrix.values, total[panel.size].cast(pl.Float64).to_numpy()),
            "herfindahl": index,
            "effective_regions": effective_number(index),
        }
    )


# --- regions --------------------------------------------------------------------------------------------------------


def _regions(panel: Panel, clusters: pl.DataFrame) -> pl.DataFrame:
    size = panel.size
    keys = ["region", "year"]
    table = _with_estimated(add_up(panel.frame, keys, panel.measures), panel.frame, keys, size)
    table = size_rank(table, size, within=("year",), name="rank")
    if panel.totals is not None and size in panel.totals.columns:
        published = panel.totals.select(*keys, pl.col(size).alias("published"))
        table = table.join(published, on=keys, how="left").with_columns(_ratio(size, "published").alias("coverage"))
        if "rough" in table.columns:  # estimated parts that add up to a published total make no rough total
            table = table.with_columns(pl.col("rough") & ~pl.col("coverage").is_between(0.99, 1.01).fill_null(False))
    strong = pl.col("strong") if "strong" in clusters.columns else pl.lit(None, dtype=pl.Boolean)
    traded = pl.col("kind") == TRADED
    portfolio = clusters.group_by(keys).agg(
        pl.col(size).filter(traded).sum().alias("_traded"),
        pl.col(size).filter(strong).sum().alias("_strong"),
        strong.sum().alias("n_strong"),
        pl.col("cluster")
        .sort_by(size, "cluster", descending=[True, False], nulls_last=True)
        .first()
        .alias("largest_cluster"),
        pl.col("region_share").max().alias("largest_share"),
    )
    parts = [_diversity(matrix_of(clusters, size, year=year), year, panel) for year in panel.years]
    return (
        table.join(portfolio, on=keys, how="left")
        .with_columns(_ratio("_traded", size).alias("traded_share"), _ratio("_strong", "_traded").alias("strong_share"))
        .drop("_traded", "_strong")
        .join(pl.concat(parts), on=keys, how="left")
    )


def _diversity(matrix: Matrix, year: int, panel: Panel) -> pl.DataFrame:
    index = herfindahl(matrix.values, over="industries")
    return pl.DataFrame(
        {
            "region": list(matrix.regions),
            "year": pl.Series([year] * len(matrix.regions), dtype=panel.frame.schema["year"]),
            "herfindahl": index,
            "entropy": entropy(matrix.values, over="industries"),
            "effective_clusters": effective_number(index),
        }
    )


def _similar(panel: Panel, clusters: pl.DataFrame) -> pl.DataFrame:
    """Return the regions whose cluster structures overlap most with each: 1 - half the sum of share differences."""
    matrix = matrix_of(clusters, panel.size, year=panel.years[-1])
    known = np.flatnonzero((np.nan_to_num(matrix.values).sum(axis=1) > 0) & ~np.isnan(matrix.values).any(axis=1))
    overlap = 1 - krugman_pairs(matrix.values[known]) / 2
    np.fill_diagonal(overlap, -1)
    k = min(SIMILAR_REGIONS, len(known) - 1)
    nearest = np.argsort(-overlap, axis=1, kind="stable")[:, :k]
    codes = np.array(matrix.regions)[known]
    return pl.DataFrame(
        {
            "region": np.repeat(codes, k).tolist(),
            "other": codes[nearest].ravel().tolist(),
            "similarity": np.take_along_axis(overlap, nearest, axis=1).ravel(),
            "rank": np.tile(np.arange(1, k + 1), len(known)),
        },
        schema={"region": pl.String, "other": pl.String, "similarity": pl.Float64, "rank": pl.Int64},
    )


def _members(
    panel: Panel, definitions: ClusterDefinitions, membership: pl.DataFrame, industries: pl.DataFrame
) -> pl.DataFrame:
    size = panel.size
    latest = industries.filter(year=panel.years[-1]).select("industry", "title", size, "gini")
    subclusters = definitions.members.select("cluster", "industry", "subcluster")
    return (
        membership.join(latest, on="industry", how="left")
        .join(subclusters, on=["cluster", "industry"], how="left")
        .with_columns((pl.col(size) * pl.col("weight")).alias("_part"))
        .with_columns((pl.col("_part") / pl.col("_part").sum().over("cluster")).alias("share"))
        .drop("_part")
    )


def _region_names(panel: Panel) -> pl.DataFrame:
    present = panel.frame.select("region").unique()
    table = present.join(panel.regions.frame, on="region", how="left").with_columns(
        pl.col("name").fill_null(pl.col("region"))
    )
    shapes = panel.regions.geometry
    codes = [code for code in table["region"].to_list() if code in shapes]
    points = shapely.centroid(shapely.from_wkb([shapes[code] for code in codes]))
    places = pl.DataFrame(
        {"region": codes, "lon": shapely.get_x(points), "lat": shapely.get_y(points)},
        schema={"region": pl.String, "lon": pl.Float64, "lat": pl.Float64},
    )
    return table.join(places, on="region", how="left")


def _geometry(panel: Panel) -> pl.DataFrame:
    present = set(panel.frame["region"].unique())
    shapes = {code: wkb for code, wkb in panel.regions.geometry.items() if code in present}
    if panel.regions.outline is not None:
        shapes[ALL] = panel.regions.outline
    return pl.DataFrame(
        {"region": list(shapes), "wkb": list(shapes.values())}, schema={"region": pl.String, "wkb": pl.Binary}
    )


# --- manifest -------------------------------------------------------------------------------------------------------


def _manifest(
    panel: Panel,
    trend: Panel | None,
    definitions: ClusterDefinitions,
    rules: list[Profile],
    recorded: Mapping[str, pl.DataFrame | None],
    title: str | None,
) -> dict[str, Any]:
    source_of_trends = trend or panel
    measures = dict.fromkeys([*panel.measures, *source_of_trends.measures])
    units = {name: panel.source.unit(name) or source_of_trends.source.unit(name) for name in measures}
    if {"payroll", "employment"} <= set(source_of_trends.measures):
        units["wage"] = f"{units['payroll'] or 'payroll'} per job"
    return {
        "title": title or panel.source.title,
        "software": f"clusterbook {__version__}",
        "measure": panel.size,
        "units": units,
        "labels": {name: panel.source.labels.get(name) or source_of_trends.source.label(name) for name in measures},
        "years": list(panel.years),
        "trend_years": list(source_of_trends.years),
        "growth_years": list(comparable_years(source_of_trends)),
        "noun": list(panel.regions.noun),
        "region_set": panel.regions.set_name,
        "region_note": panel.regions.note,
        "projection": panel.regions.projection,
        "classification": panel.industries.classification,
        "sources": [{**asdict(panel.source), "role": "levels"}]
        + ([{**asdict(trend.source), "role": "trends"}] if trend else []),
        "definitions": {
            "method": definitions.method,
            "source": definitions.source,
            "parameters": dict(definitions.parameters),
            "scores": dict(definitions.scores),
            "notes": list(definitions.notes),
            "gaps": definitions.gaps(panel.industries, panel.frame["industry"]),
        },
        "profiles": [
            {**rule.model_dump(mode="json"), "verified": rule.verified, "skipped": _skipped(rule, panel)}
            for rule in rules
        ],
        "flag": rules[0].flags[0].name,
        "parameters": {
            "quotient_base": "traded clusters against traded, local against local; lq_all against everything",
            "reference": "all regions of the panel, the own region included",
            "similarity": "overlap of cluster shares, 1 - half the sum of absolute differences",
        },
        "inputs": {
            "panel": panel.content_hash,
            **({"trend": trend.content_hash} if trend else {}),
            "definitions": _hash_definitions(definitions),
            **{name: _hash_record(table) for name, table in recorded.items() if table is not None},
        },
    }


def _skipped(rule: Profile, panel: Panel) -> list[str]:
    """Name the optional indicators that the panel cannot serve, so that a page can say so."""
    return list(rule.skipped([*panel.measures, "lq", "lq_all", "region_share"]))


def _hash_definitions(definitions: ClusterDefinitions) -> str:
    record: Mapping[str, Any] = {"method": definitions.method, "parameters": dict(definitions.parameters)}
    frames = [definitions.clusters, definitions.members, *(table for _, table in sorted(definitions.tables.items()))]
    text = json.dumps(record, sort_keys=True) + "".join(hash_frame(frame) for frame in frames)
    return sha256(text.encode()).hexdigest()


def _hash_record(table: pl.DataFrame) -> str:
    return hash_frame(table.with_columns(pl.col(pl.List(pl.String)).list.join("\n")))
