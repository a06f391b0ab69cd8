"""Delimitation: how far a cluster reaches, whatever administrative borders it crosses.

A table of regions cuts clusters at borders that firms and workers do not see. The rule here, our own, puts the parts
together again. Regions in which the cluster is flagged (strong, say) are **cores**. Two regions hang together when at
least one of them is a core and

1. they touch, and the cluster is specialised on both sides (quotient at or above ``least``); or
2. a large part of the one's flow (commuters, say) goes to the other, and the two together are still specialised.

A region that is specialised without being a core joins, but does not carry the area further: specialisation above 1 is
so common that regions would otherwise chain across a whole country. Even so cores of one industry can line up to a belt
of a hundred regions. So, of the neighbours a region hangs together with, it is tied to the one with the largest
**excess** (jobs above the national share), if that is larger than its own; areas are the connected components of these
ties with a core in them, each around a centre of its own. With ``belts`` every pair that hangs together is a tie.

As the quotient of two regions together is the mean of theirs, weighted by their sizes, it never rises above the higher
of the two; what rises is the excess, and it does so exactly where the neighbour's quotient exceeds 1. So the first rule
is also the rule that joint specialisation rises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from clusterbook.clusters.definitions import TRADED
from clusterbook.data.matrix import long_table, matrix_of
from clusterbook.errors import ClusterbookError
from clusterbook.measures.spatial import neighbour_mean
from clusterbook.measures.specialisation import quotient

#: Why two regions of which at least one belongs to an area were joined or kept apart.
REASONS = {
    "specialised": "the cluster is specialised on both sides",
    "flow": "not specialised on one side, but much of its flow crosses and both together are",
    "no_core": "specialised on both sides, but neither is a core",
    "centre": "the cluster goes on, but each side leans to a centre of its own",
    "third": "both belong to the area by way of others",
    "weak": "not specialised beyond the border",
    "weak_here": "not specialised on this side, whatever the other",
    "absent": "no such cluster beyond the border",
    "unknown": "not known beyond the border: figures are suppressed",
}


@dataclass(frozen=True)
class Delimitation:
    """The functional areas of all clusters in one year.

    ``areas``, one row an area: ``cluster``, ``area`` (the code of its largest core), ``regions`` (how many),
    ``cores``, the size (null where a part is suppressed), ``<size>_lo`` (what of it is known), ``lq`` (of all parts
    together), ``national_share``, ``parents`` (the administrative units it lies in) and ``borders`` (pairs of them
    across which regions were joined, as 'A|B'), ``crosses`` (whether there are any; null where no parents are known),
    ``island`` (a region without neighbours).

    ``members``, one row a region of an area: ``cluster, area, region, core``, the size, ``lq``, ``neighbour_lq`` (mean
    of the neighbours' quotients; null for islands).

    ``boundaries``, one row a cluster and pair of neighbours (``region`` in the area, ``other``; pairs within an area
    once): ``joined``, ``reason`` (a key of ``REASONS``), ``lq``, ``lq_other``, ``lq_joint``, ``flow`` (largest share of
    either one's flow that goes to the other), ``crosses`` (the parents differ), ``text``.
    """

    areas: pl.DataFrame
    members: pl.DataFrame
    boundaries: pl.DataFrame

    def groups(self, cluster: str) -> dict[str, list[str]]:
        """Return the areas of a cluster that have several regions, as ``Regions.merge`` takes them."""
        found = self.members.filter(pl.col("cluster") == cluster).group_by("area").agg(pl.col("region").sort())
        return {area: codes for area, codes in found.sort("area").iter_rows() if len(codes) > 1}


def delimit(
    clusters: pl.DataFrame,
    neighbours: Iterable[tuple[str, str]],
    *,
    year: int | None = None,
    flag: str = "strong",
    least: float = 1.0,
    flows: pl.DataFrame | None = None,
    least_flow: float = 0.15,
    belts: bool = False,
    parents: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    size: str = "employment",
) -> Delimitation:
    """Find the functional area of every cluster around the regions in which it is flagged.

    Args:
        clusters: one row a region, cluster and year with ``lq``, the flag and the size; ``kind``, ``lq_lo``, ``lq_hi``
            and ``<size>_lo`` are used where present. A region without a row for a cluster has none of it.
        neighbours: pairs of regions that touch, each once or twice, as of ``Regions.neighbours``.
        year: the year to look at; default: the last.
        flag: the boolean column that makes a region a core.
        least: the quotient from which a region counts as specialised.
        flows: columns ``region``, ``other`` and ``flow``; flows within a region have the same code twice and count in
            its total. Regions tied by flows need not touch.
        least_flow: the part of a region's flow that ties it to another.
        belts: join all regions that hang together to one area, however far it reaches; default: only those around the
            same centre.
        parents: the administrative unit (state, country) of each region; regions without one cross no known border.
        names: of regions and administrative units, for the texts; codes stand for those without one.
        size: the column of the main measure.

    Returns:
        Three tables; see ``Delimitation``. Regions whose quotient is suppressed count as specialised, or not, where
        their bounds say so, and otherwise stay outside with the reason 'unknown'.

    Raises:
        ClusterbookError: columns are missing, the year is not in the table, or an argument is out of range.

    Example:
        >>> table = pl.DataFrame({"region": list("ABC"), "cluster": "steel", "year": 2019, "employment": [60, 30, 10],
        ...                       "lq": [2.0, 1.2, 0.3], "strong": [True, False, False]})
        >>> found = delimit(table, [("A", "B"), ("B", "C")], parents={"A": "East", "B": "West"})
        >>> found.areas.select("area", "regions", "employment", "borders").row(0)
        ('A', 2, 90, ['East|West'])
        >>> found.boundaries["text"].to_list()[-1]
        'B and C are kept apart: not specialised beyond the border (quotient 0.3).'

    Source: our own rule; that clusters cross borders: Enright and Ffowcs-Williams (2000), paragraph 91; neighbouring
    strength after Delgado, Porter and Stern (2014), Research Policy 43.
    """
    table = _one_year(clusters, year, flag, size)
    if not least > 0 or not 0 < least_flow <= 1:
        raise ClusterbookError(f"least={least}, least_flow={least_flow}: give a quotient over 0 and a share up to 1.")
    nodes = _nodes(table, flag, least, size)
    pairs, links = _pairs(neighbours, flows, least_flow, nodes)
    joined = _judge(nodes.filter("core"), nodes, links, least, least_flow).filter("joined")
    ties = joined if belts else _to_centres(joined)
    nodes = _name_areas(nodes.with_columns(_component=_components(nodes.height, ties)))
    edges = _judge(nodes.filter(pl.col("area").is_not_null()), nodes, links, least, least_flow)
    units = pl.DataFrame(
        {"region": list(parents or {}), "parent": list((parents or {}).values())},
        schema={"region": pl.String, "parent": pl.String},
    )
    boundaries = _boundaries(edges, nodes, units, names or {})
    members = _members(nodes, pairs, size)
    return Delimitation(_areas(nodes, boundaries, units, pairs, size), members, boundaries)


def _one_year(clusters: pl.DataFrame, year: int | None, flag: str, size: str) -> pl.DataFrame:
    missing = [name for name in ("region", "cluster", "year", "lq", flag, size) if name not in clusters.columns]
    if missing:
        raise ClusterbookError(
            f"Delimitation needs {', '.join(missing)}. The table has: {', '.join(clusters.columns)}. Give the table of "
            "clusters of an edition; flag= and size= name its columns."
        )
    known = clusters["year"].unique().sort().to_list()
    wanted = known[-1] if year is None and known else year
    if wanted not in known:
        raise ClusterbookError(f"year={year}: the table has {', '.join(map(str, known)) or 'no rows'}.")
    return clusters.filter(pl.col("year") == wanted)


def _nodes(table: pl.DataFrame, flag: str, least: float, size: str) -> pl.DataFrame:
    """Return one row a region and cluster with its number, totals and whether it is a core and specialised."""
    kind = pl.col("kind").fill_null(TRADED) if "kind" in table.columns else pl.lit(TRADED)
    low = pl.col("lq_lo") if "lq_lo" in table.columns else pl.lit(None, pl.Float64)
    high = pl.col("lq_hi") if "lq_hi" in table.columns else pl.lit(None, pl.Float64)
    part = f"{size}_lo"
    bounds_say = table.select(pl.when(low >= least).then(True).when(high < least).then(False).alias("b")).to_series()
    return table.select(
        "region",
        "cluster",
        kind.alias("kind"),
        pl.col(size).alias("size"),
        pl.coalesce(size, part if part in table.columns else pl.lit(0)).alias("known"),
        pl.col("lq").cast(pl.Float64).fill_nan(None),
        (pl.col(flag).fill_null(False)).alias("core"),
    ).with_columns(
        node=pl.int_range(pl.len()),
        excess=pl.when(pl.col("lq") > 0).then(pl.col("size") * (1 - 1 / pl.col("lq"))).fill_null(0.0),
        specialised=pl.coalesce(pl.when(pl.col("size") == 0).then(False), pl.col("lq") >= least, bounds_say),
        # Quotients compare clusters of one kind with each other, so that totals are those of the kind.
        region_total=_whole("size").over("region", "kind"),
        cluster_total=_whole("size").over("cluster"),
        total=_whole("size").over("kind"),
    )


def _whole(column: str) -> pl.Expr:
    """Add up; not known where a part is not known."""
    return pl.when(pl.col(column).null_count() == 0).then(pl.sum(column))


def _pairs(
    neighbours: Iterable[tuple[str, str]], flows: pl.DataFrame | None, least_flow: float, nodes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return neighbours in both directions, and these with the pairs that flows tie and the share of the flow."""
    both = pl.DataFrame(list(neighbours), schema={"region": pl.String, "other": pl.String}, orient="row")
    both = pl.concat([both, both.select(region="other", other="region")]).filter(pl.col("region") != pl.col("other"))
    both = both.unique().sort("region", "other")
    links = both.with_columns(touch=pl.lit(True), flow=pl.lit(None, pl.Float64))
    if flows is None:
        return both, links
    missing = [name for name in ("region", "other", "flow") if name not in flows.columns]
    if missing or flows["flow"].null_count() or not (flows["flow"] >= 0).all():
        raise ClusterbookError("flows need the columns region, other and flow, without gaps or negative values.")
    share = (
        flows.group_by("region", "other")
        .agg(pl.sum("flow").cast(pl.Float64))
        .with_columns(pl.col("flow") / pl.sum("flow").over("region"))
        .filter(pl.col("region") != pl.col("other"))
    )
    share = pl.concat([share, share.select(region="other", other="region", flow="flow")])
    share = share.group_by("region", "other").agg(pl.max("flow").fill_nan(None))
    tied = both.with_columns(touch=pl.lit(True)).join(share, on=["region", "other"], how="full", coalesce=True)
    tied = tied.with_columns(pl.col("touch").fill_null(False)).filter(pl.col("touch") | (pl.col("flow") >= least_flow))
    known = nodes["region"].unique().implode()
    return both, tied.filter(pl.col("region").is_in(known), pl.col("other").is_in(known)).sort("region", "other")


def _judge(
    here: pl.DataFrame, nodes: pl.DataFrame, links: pl.DataFrame, least: float, least_flow: float
) -> pl.DataFrame:
    """Return every link of some nodes, with the decision and its reason."""
    keys = ["node", "core", "specialised", "lq", "size", "excess"]
    far = nodes.select("cluster", *keys, other="region", present=pl.lit(True))
    # A region without a row has nothing of the cluster; its total is that of its other clusters of the kind.
    totals = nodes.select("kind", other="region", region_total_other="region_total").unique(["kind", "other"])
    edges = (
        here.join(links, on="region")
        .join(far, on=["cluster", "other"], how="left", suffix="_other")
        .join(totals, on=["kind", "other"], how="left")
    )
    present = pl.col("present").fill_null(False)
    edges = edges.with_columns(
        lq_other=pl.when(present).then("lq_other").otherwise(0.0),
        size_other=pl.when(present).then("size_other").otherwise(0.0),
        specialised_other=pl.when(present).then("specialised_other").otherwise(False),
        core_other=pl.col("core_other").fill_null(False),
        excess_other=pl.col("excess_other").fill_null(0.0),
    )
    joint_size = pl.col("size") + pl.col("size_other")
    joint_total = pl.col("region_total") + pl.col("region_total_other")
    defined = (joint_total > 0) & (pl.col("cluster_total") > 0)
    joint = quotient(joint_size, joint_total, pl.col("cluster_total"), pl.col("total"))
    edges = edges.with_columns(lq_joint=pl.when(defined).then(joint).cast(pl.Float64))
    a_core = pl.col("core") | pl.col("core_other")
    near, other = pl.col("specialised").fill_null(False), pl.col("specialised_other").fill_null(False)
    by_flow = (pl.col("flow") >= least_flow) & (near | other) & (pl.col("lq_joint") >= least)
    reason = (
        pl.when(pl.col("touch") & a_core & near & other)
        .then(pl.lit("specialised"))
        .when(a_core & by_flow)
        .then(pl.lit("flow"))
        .when(pl.col("specialised_other").is_null())
        .then(pl.lit("unknown"))
        .when(pl.col("size_other") == 0)
        .then(pl.lit("absent"))
        .when(~other)
        .then(pl.lit("weak"))
        .otherwise(pl.when(near).then(pl.lit("no_core")).otherwise(pl.lit("weak_here")))
    )
    return edges.with_columns(reason=reason, joined=reason.is_in(["specialised", "flow"]))


def _to_centres(joined: pl.DataFrame) -> pl.DataFrame:
    """Keep, of the links of each node, the one to the largest excess, where that is larger than the node's own."""
    columns = ["node", "region", "excess", "node_other", "other", "excess_other"]
    there = joined.select(columns)
    back = there.select(
        node="node_other",
        region="other",
        excess="excess_other",
        node_other="node",
        other="region",
        excess_other="excess",
    )
    # Codes settle ties, so that two equals do not both point at each other or away.
    larger = (pl.col("excess_other") > pl.col("excess")) | (
        (pl.col("excess_other") == pl.col("excess")) & (pl.col("other") < pl.col("region"))
    )
    return (
        pl.concat([there, back])
        .drop_nulls("node")
        .filter(larger)
        .sort("excess_other", "other", descending=[True, False])
        .unique("node", keep="first", maintain_order=True)
    )


def _components(count: int, ties: pl.DataFrame) -> pl.Series:
    """Number the connected components of all regions and clusters at once."""
    tied = ties.drop_nulls("node_other")  # a flow may reach a region that has no row for the cluster
    ends = tied["node"].to_numpy(), tied["node_other"].to_numpy()
    graph = coo_array((np.ones(tied.height), ends), shape=(count, count))
    return pl.Series(connected_components(graph, directed=False)[1])


def _name_areas(nodes: pl.DataFrame) -> pl.DataFrame:
    """Name each component with a core after its largest core; the others are no areas."""
    cores = nodes.filter("core").sort("size", "region", descending=[True, False], nulls_last=True)
    names = cores.unique("_component", keep="first", maintain_order=True).select("_component", area="region")
    return nodes.join(names, on="_component", how="left", maintain_order="left")


def _boundaries(
    edges: pl.DataFrame, nodes: pl.DataFrame, units: pl.DataFrame, names: Mapping[str, str]
) -> pl.DataFrame:
    far = nodes.select("area", node_other="node")
    parents_far = units.select(other="region", parent_other="parent")
    found = (
        edges.join(far, on="node_other", how="left", suffix="_other")
        # A pair of members is said once.
        .filter(pl.col("area_other").is_null() | (pl.col("region") < pl.col("other")))
        .join(units, on="region", how="left")
        .join(parents_far, on="other", how="left")
        .with_columns(crosses=pl.col("parent") != pl.col("parent_other"))
    )
    within = (pl.col("area") == pl.col("area_other")).fill_null(False)
    by_others = pl.when(within & ~pl.col("joined")).then(pl.lit("third"))
    reason = by_others.when(~within & pl.col("joined")).then(pl.lit("centre")).otherwise("reason")
    found = found.with_columns(joined=within, reason=reason)
    columns = ["cluster", "area", "region", "other", "joined", "reason", "lq", "lq_other", "lq_joint", "flow"]
    order = ["cluster", "area", "joined", "region", "other"]
    return found.select(*columns, "crosses", "parent", "parent_other", _text(names).alias("text")).sort(
        order, descending=[name == "joined" for name in order]
    )


def _text(names: Mapping[str, str]) -> pl.Expr:
    """Say in a sentence what was decided about two regions, and why."""
    verdict = pl.when("joined").then(pl.lit("are one area")).otherwise(pl.lit("are kept apart"))
    figures = {
        "specialised": pl.format(" (quotients {} and {})", _short("lq"), _short("lq_other")),
        "flow": pl.format(" ({}% of the flow; quotient {} together)", _percent("flow"), _short("lq_joint")),
        "centre": pl.format(" (quotients {} and {})", _short("lq"), _short("lq_other")),
        "no_core": pl.format(" (quotients {} and {})", _short("lq"), _short("lq_other")),
        "weak": pl.format(" (quotient {})", _short("lq_other")),
        "weak_here": pl.format(" (quotient {})", _short("lq")),
    }
    said = pl.lit("")
    for reason, numbers in figures.items():
        said = pl.when(pl.col("reason") == reason).then(numbers).otherwise(said)
    region, other, parent, parent_other = (
        pl.col(code).replace(dict(names)) for code in ("region", "other", "parent", "parent_other")
    )
    border = pl.format(" The border between {} and {} lies here.", parent, parent_other)
    crossing = pl.when(pl.col("crosses").fill_null(False)).then(border).otherwise(pl.lit(""))
    because = pl.col("reason").replace_strict(REASONS, return_dtype=pl.String)
    return pl.format("{} and {} {}: {}{}.{}", region, other, verdict, because, said, crossing)


def _short(column: str) -> pl.Expr:
    return pl.col(column).round(2).cast(pl.String).fill_null("not known")


def _percent(column: str) -> pl.Expr:
    return (100 * pl.col(column)).round(0).cast(pl.Int64).cast(pl.String).fill_null("not known")


def _members(nodes: pl.DataFrame, pairs: pl.DataFrame, size: str) -> pl.DataFrame:
    members = nodes.filter(pl.col("area").is_not_null())
    around = _neighbour_quotients(nodes, pairs)
    return (
        members.select("cluster", "area", "region", "core", pl.col("size").alias(size), "lq")
        .join(around, on=["cluster", "region"], how="left")
        .sort("cluster", "area", "core", "region", descending=[False, False, True, False])
    )


def _neighbour_quotients(nodes: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the mean quotient over the neighbours of each region, absent clusters counted as 0."""
    lq = matrix_of(nodes, "lq")
    regions = pl.Series(lq.regions, dtype=pl.String)
    known = pairs.filter(pl.col("region").is_in(regions.implode()), pl.col("other").is_in(regions.implode()))
    rows, columns = regions.search_sorted(known["region"]), regions.search_sorted(known["other"])
    weights = coo_array((np.ones(known.height), (rows.to_numpy(), columns.to_numpy())), shape=(len(regions),) * 2)
    return long_table(lq, {"neighbour_lq": neighbour_mean(lq.values, weights)})


def _areas(
    nodes: pl.DataFrame, boundaries: pl.DataFrame, units: pl.DataFrame, pairs: pl.DataFrame, size: str
) -> pl.DataFrame:
    keys = ["cluster", "area"]
    members = nodes.filter(pl.col("area").is_not_null()).join(units, on="region", how="left")
    alone = ~pl.col("region").is_in(pairs["region"].implode())
    areas = members.group_by(keys).agg(
        pl.len().alias("regions"),
        pl.sum("core").alias("cores"),
        _whole("size").alias("size"),
        pl.sum("known").alias(f"{size}_lo"),
        _whole("region_total").alias("region_total"),
        pl.first("cluster_total", "total"),
        pl.col("parent").drop_nulls().unique().sort().alias("parents"),
        alone.all().alias("island"),
    )
    crossed = boundaries.filter("joined", pl.col("crosses").fill_null(False)).select(
        *keys,
        border=pl.concat_str(
            pl.min_horizontal("parent", "parent_other"), pl.lit("|"), pl.max_horizontal("parent", "parent_other")
        ),
    )
    borders = crossed.group_by(keys).agg(pl.col("border").unique().sort().alias("borders"))
    defined = (pl.col("region_total") > 0) & (pl.col("cluster_total") > 0)
    lq = quotient(pl.col("size"), pl.col("region_total"), pl.col("cluster_total"), pl.col("total"))
    areas = areas.join(borders, on=keys, how="left").with_columns(
        pl.col("borders").fill_null([]),
        lq=pl.when(defined).then(lq),
        national_share=pl.when(pl.col("cluster_total") > 0).then(pl.col("size") / pl.col("cluster_total")),
    )
    crosses = pl.when(pl.col("parents").list.len() > 0).then(pl.col("borders").list.len() > 0)
    return areas.select(
        *keys, "regions", "cores", pl.col("size").alias(size), f"{size}_lo", "lq", "national_share", "parents",
        "borders", crosses.alias("crosses"), "island",
    ).sort("cluster", size, "area", descending=[False, True, False], nulls_last=True)  # fmt: skip
