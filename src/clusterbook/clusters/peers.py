"""Peers: with which regions a cluster, or a region, is best compared, and why.

The distance of two regions is the weighted mean of their differences in features of three kinds: structure (what the
cluster and the economy are made of), size, and setting. Each difference is from 0 (alike) to 1 (as far apart as the
ends of the middle nine tenths of the regions; more for outliers). Parts by kind add up to the distance. What is not
known of a region is left out of its comparisons, and ``known`` says how much of the weight was left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clusterbook.clusters.profile import check_weights, mean_of_neighbours
from clusterbook.clusters.tables import PAIR, Tables, last_year, require_columns
from clusterbook.data.matrix import Matrix, matrix_of
from clusterbook.data.tables import did_you_mean
from clusterbook.errors import ClusterbookError
from clusterbook.measures.specialisation import krugman_pairs, symmetric_quotient

Floats = NDArray[np.float64]
Narrow = NDArray[np.float32]
Integers = NDArray[np.int64]
Block = Literal["structure", "size", "setting"]

#: Stands for the whole region in place of a cluster.
ALL = "*"
BLOCKS: tuple[Block, ...] = ("structure", "size", "setting")
#: The weight of each feature: two fifths structure, seven twentieths size, a quarter setting.
WEIGHTS: Mapping[str, float] = {
    "cluster_mix": 0.25,
    "economy_mix": 0.15,
    "cluster_size": 0.20,
    "region_size": 0.15,
    "population": 0.05,
    "kind": 0.05,
    "neighbours": 0.05,
    "wage": 0.05,
    "growth": 0.05,
}
_BLOCK: Mapping[str, Block] = {
    "cluster_mix": "structure",
    "economy_mix": "structure",
    "cluster_size": "size",
    "region_size": "size",
}
_TITLES = {
    "cluster_mix": "industries of the cluster",
    "economy_mix": "clusters of the region",
    "cluster_size": "size of the cluster",
    "region_size": "size of the region",
    "population": "population",
    "kind": "kind of region",
    "neighbours": "specialisation of the neighbours",
    "wage": "wages against the nation",
    "growth": "growth against the nation",
}
#: Two regions of which less than this part of the weight can be compared have no distance.
LEAST_KNOWN = 0.5
#: The ends of the middle nine tenths; their distance is the unit of differences.
_ENDS = (0.05, 0.95)
_DECIMALS = 5
_ROWS = 256  # regions compared with all others at a time: what fits a processor's cache


@dataclass(frozen=True)
class Feature:
    """One thing in which regions are compared.

    ``values``: shape (n,), what is told of each region (None: not known). ``place`` (n,) is the value as a number in
    units of difference, or a code where only the same and another are told apart (``coded``); ``apart`` (n, n) stands
    in its stead where differences are of whole structures. NaN is not known.
    """

    name: str
    weight: float
    values: tuple[Any, ...] | None = None
    place: Narrow | None = None
    coded: bool = False
    apart: Narrow | None = None

    @property
    def title(self) -> str:
        """The feature in words."""
        return _TITLES[self.name]

    @property
    def block(self) -> Block:
        """The kind of the feature."""
        return _BLOCK.get(self.name, "setting")

    @property
    def known(self) -> NDArray[np.bool_]:
        """Of which regions it is known, shape (n,)."""
        own = np.diagonal(self.apart) if self.apart is not None else self.place
        return np.asarray(~np.isnan(np.asarray(own)))

    def differences(self, rows: Integers) -> Narrow:
        """Return the differences of some regions from all, shape (len(rows), n); NaN where either is not known."""
        if self.apart is not None:
            return self.apart[rows]
        place = np.asarray(self.place)
        apart = np.abs(place[rows, None] - place[None, :])
        return np.asarray(np.minimum(apart, 1) if self.coded else apart)


@dataclass(frozen=True)
class Distances:
    """Distances between all regions that have a cluster.

    ``distance`` (n, n), ``parts`` (structure, size and setting, each (n, n), which add up to it) and ``known`` (n, n),
    the part of the weight that could be compared, all with the ``regions`` in rows and columns. NaN where less than
    half of it could; the diagonal is 0. ``cluster`` is '*' where whole regions are compared. ``left_out`` names the
    features that the tables cannot serve.
    """

    cluster: str
    regions: tuple[str, ...]
    distance: Narrow
    parts: Mapping[str, Narrow]
    known: Narrow
    features: tuple[Feature, ...]
    left_out: tuple[str, ...]


def cluster_peers(
    tables: Tables,
    n: int = 10,
    weights: Mapping[str, float] | None = None,
    *,
    size: str = "employment",
    least: float = 0,
) -> pl.DataFrame:
    """Find for every cluster in every region the regions in which the same cluster is most like it.

    Args:
        tables: tables of an edition by name. ``clusters`` is needed; ``cells`` and ``members`` (mix of industries),
            ``region_names`` (population, kind, place) and ``change`` (wages, growth) are used where they are there.
        n: how many peers of each.
        weights: other weights than ``WEIGHTS`` of some features; 0 leaves a feature out. Only their proportions count.
        size: the edition's main measure.
        least: only regions whose cluster is larger than this are compared.

    Returns:
        ``region, cluster, other, rank`` (1 is the nearest), ``distance``, its parts ``structure``, ``size`` and
        ``setting``, and ``known``, the part of the weight that could be compared; sorted by cluster, region and rank.
        Equally distant regions come in the order of their codes. A region has fewer than n rows, or none, where there
        are not as many to compare with.

    Raises:
        ClusterbookError: a table or column is absent, n is below 1, or weights are of no feature, negative or all zero.

    Source: weighted mean of differences over the features known of both, as Gower (1971), Biometrics 27; the middle
    nine tenths in place of the range, which outliers would stretch, the features and their weights are our own rule.

    Example:
        >>> jobs = pl.DataFrame({"region": ["A", "B", "C"], "cluster": "steel", "year": 2019,
        ...                      "employment": [900, 800, 20]})
        >>> cluster_peers({"clusters": jobs}, n=1, weights={"cluster_mix": 0}).select("region", "other").rows()
        [('A', 'B'), ('B', 'A'), ('C', 'B')]
    """
    _check_number(n)
    told, wanted = _told(tables, size, least), _all_weights(weights)
    return pl.concat(_nearest(told, cluster, wanted, n) for cluster in told.clusters)


def region_peers(
    tables: Tables, n: int = 10, weights: Mapping[str, float] | None = None, *, size: str = "employment"
) -> pl.DataFrame:
    """Find for every region those whose whole economy is most like its own.

    Arguments and result are those of ``cluster_peers``; ``cluster`` is '*', which stands for the whole region. Features
    of single clusters do not count here, and neighbours are compared by their size.

    Example:
        >>> jobs = pl.DataFrame({"region": list("AABBC"), "cluster": ["steel", "toys", "steel", "toys", "toys"],
        ...                      "year": 2019, "employment": [90, 10, 80, 15, 20]})
        >>> region_peers({"clusters": jobs}, n=1).select("region", "other").rows()
        [('A', 'B'), ('B', 'A'), ('C', 'B')]
    """
    _check_number(n)
    return _nearest(_told(tables, size, 0), ALL, _all_weights(weights), n)


def peer_distances(
    tables: Tables,
    cluster: str = ALL,
    weights: Mapping[str, float] | None = None,
    *,
    size: str = "employment",
    least: float = 0,
) -> Distances:
    """Return the distances between all regions that have a cluster, or between all regions.

    Arguments as in ``cluster_peers``; ``cluster`` is the id of a cluster, or '*' for whole regions.

    Raises:
        ClusterbookError: as ``cluster_peers``, and for a cluster that no region has.

    Example:
        >>> jobs = pl.DataFrame({"region": ["A", "B", "C"], "cluster": "steel", "year": 2019,
        ...                      "employment": [900, 800, 20]})
        >>> peer_distances({"clusters": jobs}, "steel").distance.round(2)
        array([[0.  , 0.02, 0.78],
               [0.02, 0.  , 0.75],
               [0.78, 0.75, 0.  ]], dtype=float32)
    """
    told, wanted = _told(tables, size, least), _all_weights(weights)
    if cluster != ALL and cluster not in told.clusters:
        hint = did_you_mean(cluster, told.clusters)
        raise ClusterbookError(f"No region has a cluster '{cluster}'{hint} to compare. '*' compares whole regions.")
    regions, features = _features(told, cluster, wanted)
    parts, known = _compare(features, np.arange(len(regions)))
    apply = [name for name in wanted if cluster != ALL or name not in ("cluster_mix", "cluster_size")]
    left_out = tuple(name for name in apply if wanted[name] > 0 and name not in [f.name for f in features])
    by_block = dict(zip(BLOCKS, parts, strict=True))
    return Distances(cluster, regions, _total(parts), by_block, known, features, left_out)


def explain_peer(distances: Distances, region: str, other: str) -> dict[str, Any]:
    """Say why two regions are as near or far as they are.

    Args:
        distances: from ``peer_distances``.
        region: the one region.
        other: the other.

    Returns:
        ``distance`` and ``known``; ``parts`` (by structure, size and setting); ``features``: each with name, title,
        block, ``here`` and ``there`` (its values), ``difference``, ``contribution`` (they add up to the distance) and a
        ``text``; ``alike`` and ``unlike``: the texts of the three smallest and the three largest differences (of fewer
        than six features each is named once); ``not_compared``: titles of features that are not known of both.
        Distance and parts are None where too little can be compared.

    Raises:
        ClusterbookError: a region is not among those compared.
    """
    at, to = (_position(distances, code) for code in (region, other))
    row = np.array([at])
    differences = {f.name: float(f.differences(row)[0, to]) for f in distances.features}
    known = [f for f in distances.features if not np.isnan(differences[f.name])]
    total = sum(f.weight for f in known)
    features = [_explain_feature(f, at, to, differences[f.name], total) for f in known]
    order = sorted(features, key=lambda feature: feature["difference"])
    few = min(3, (len(order) + 1) // 2)
    comparable = not np.isnan(distances.distance[at, to])
    return {
        "distance": float(distances.distance[at, to]) if comparable else None,
        "known": float(distances.known[at, to]),
        "parts": {name: float(part[at, to]) if comparable else None for name, part in distances.parts.items()},
        "features": features,
        "alike": [feature["text"] for feature in order[:few]],
        "unlike": [feature["text"] for feature in order[few:][:-4:-1]],
        "not_compared": [f.title for f in distances.features if f not in known]
        + [_TITLES[name] for name in distances.left_out],
    }


def _position(distances: Distances, region: str) -> int:
    if region not in distances.regions:
        raise ClusterbookError(
            f"Region '{region}' is not among the {len(distances.regions)} that are compared"
            f"{did_you_mean(region, distances.regions)}: it does not have the cluster, or the code is of another set."
        )
    return distances.regions.index(region)


def _explain_feature(feature: Feature, at: int, to: int, difference: float, total: float) -> dict[str, Any]:
    here, there = (feature.values[k] if feature.values is not None else None for k in (at, to))
    if feature.apart is not None:
        text = f"{feature.title}: {100 * (1 - difference):.0f}% in common"
    elif feature.coded:
        text = f"{feature.title}: {here} and {there}"
    else:
        text = f"{feature.title}: {_say(feature.name, here)} and {_say(feature.name, there)}"
    return {
        "name": feature.name,
        "title": feature.title,
        "block": feature.block,
        "here": here,
        "there": there,
        "difference": difference,
        "contribution": feature.weight * difference / total,
        "text": text,
    }


def _say(name: str, value: Any) -> str:
    if name == "growth":
        return f"{100 * value:+.1f}% a year"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


# ---- distances -------------------------------------------------------------------------------------------------------


def _compare(features: tuple[Feature, ...], rows: Integers) -> tuple[Narrow, Narrow]:
    """Return the parts (3, r, n) of the distances of some regions from all, and how much could be compared (r, n)."""
    count = len(features[0].known) if features else len(rows)
    parts = np.zeros((len(BLOCKS), len(rows), count), dtype=np.float32)
    known = np.zeros((len(features), count), dtype=np.float32)
    weight = np.array([feature.weight for feature in features], dtype=np.float32)
    for k, feature in enumerate(features):
        apart = feature.differences(rows)
        known[k] = feature.known
        if not known[k].all():
            np.nan_to_num(apart, copy=False)
        apart *= weight[k]
        parts[BLOCKS.index(feature.block)] += apart
    comparable = (known[:, rows] * weight[:, None]).T @ known
    share = comparable / max(weight.sum(), np.float32(1e-9))
    parts /= np.where(share > LEAST_KNOWN - 1e-6, comparable, np.nan)
    return np.round(parts, _DECIMALS), np.round(share, _DECIMALS)


def _total(parts: Narrow) -> Narrow:
    return np.asarray(np.round(parts.sum(axis=0), _DECIMALS))


def _nearest(told: _Told, cluster: str, weights: Mapping[str, float], n: int) -> pl.DataFrame:
    """Return the nearest regions of each region as a table; equals in the order of their codes."""
    regions, features = _features(told, cluster, weights)
    k = min(n, len(regions) - 1)
    chunks = range(0, len(regions), _ROWS) if k > 0 and features else ()
    found = [_nearest_of(np.arange(a, min(a + _ROWS, len(regions))), features, k) for a in chunks]
    at, to, rank = (np.concatenate([f[j] for f in found]) if found else np.empty(0, np.int64) for j in range(3))
    figures = np.concatenate([f[3] for f in found], axis=1) if found else np.empty((5, 0), np.float32)
    codes = pl.Series("region", regions, pl.String)
    return pl.DataFrame(
        {
            "region": codes.gather(at),
            "cluster": pl.repeat(cluster, len(at), dtype=pl.String, eager=True),
            "other": codes.gather(to),
            "rank": pl.Series(rank, dtype=pl.Int64),
            **{name: pl.Series(row, dtype=pl.Float32) for name, row in zip(_FIGURES, figures, strict=True)},
        }
    )


def _nearest_of(rows: Integers, features: tuple[Feature, ...], k: int) -> tuple[Integers, Integers, Integers, Narrow]:
    """Return region, other, rank (m,) and the figures (5, m) of the k nearest of some regions."""
    parts, known = _compare(features, rows)
    distance = _total(parts)
    order = np.nan_to_num(distance, nan=np.inf)
    order[np.arange(len(rows)), rows] = np.inf
    furthest = np.partition(order, k - 1, axis=1)[:, k - 1 : k]
    row, to = np.nonzero((order <= furthest) & np.isfinite(order))
    sort = np.lexsort((to, order[row, to], row))
    row, to = row[sort], to[sort]
    rank = np.arange(len(row)) - np.searchsorted(row, row) + 1
    row, to, rank = (x[rank <= k] for x in (row, to, rank))
    figures = np.stack([distance[row, to], *parts[:, row, to], known[row, to]])
    return rows[row], to, rank, figures


_FIGURES = ("distance", *BLOCKS, "known")


# ---- features --------------------------------------------------------------------------------------------------------


class _Told(NamedTuple):
    """What the tables tell of all R regions, read once for all C clusters; the last of C + 1 columns is the region."""

    regions: tuple[str, ...]
    clusters: tuple[str, ...]
    present: NDArray[np.bool_]  # (R, C + 1)
    economy_mix: Narrow  # (R, R)
    industry_sizes: Mapping[str, Floats]  # of each cluster, (R, m)
    varying: Mapping[str, Floats]  # by feature, (R, C + 1)
    fixed: Mapping[str, Floats]  # by feature, (R,)
    kinds: tuple[str | None, ...]


_CHANGE = {"wage": "wage_relative", "growth": "growth_relative"}


def _told(tables: Tables, size: str, least: float) -> _Told:
    require_columns(tables, "clusters", (*PAIR, "year", size))
    latest = last_year(tables["clusters"])
    if latest.is_empty():
        raise ClusterbookError("The table 'clusters' has no rows: there is nothing to compare.")
    sizes = matrix_of(latest, size)
    regions, clusters = sizes.regions, sizes.industries
    present = (sizes.values > least) | np.isnan(sizes.values)
    whole = sizes.values.sum(axis=1)
    varying = {"cluster_size": np.column_stack([sizes.values, whole])}
    change = tables.get("change")
    for name, column in _CHANGE.items():
        if change is not None and column in change.columns:
            varying[name] = _column(change, column, regions, (*clusters, ALL))
    near = mean_of_neighbours(tables, Matrix(whole[:, None], regions, (ALL,)))
    near_lq = mean_of_neighbours(tables, matrix_of(latest, "lq")) if "lq" in latest.columns else None
    if near is not None:
        unknown = np.full(sizes.values.shape, np.nan)
        varying["neighbours"] = np.column_stack([unknown if near_lq is None else near_lq, near])
    names = pl.DataFrame({"region": regions})
    if "region_names" in tables:
        names = names.join(tables["region_names"], on="region", how="left", maintain_order="left")
    population = (
        {"population": names["population"].cast(pl.Float64).to_numpy()} if "population" in names.columns else {}
    )
    return _Told(
        regions,
        clusters,
        np.column_stack([present, present.any(axis=1)]),
        (krugman_pairs(sizes.values) / 2).astype(np.float32),
        _industry_sizes(tables, size, regions),
        varying,
        {"region_size": whole, **population},
        tuple(names["kind"]) if "kind" in names.columns else (None,) * len(regions),
    )


def _industry_sizes(tables: Tables, size: str, regions: tuple[str, ...]) -> dict[str, Floats]:
    """Return the sizes (R, m) of the industries of each cluster."""
    if not {"cells", "members"} <= set(tables):
        return {}
    own = last_year(tables["cells"]).filter(pl.col("region").is_in(regions))
    cells = matrix_of(own, size, columns="industry")
    rows = np.searchsorted(np.array(regions), np.array(cells.regions))
    found = {}
    inside = tables["members"].filter(pl.col("industry").is_in(cells.industries)).sort("cluster", "industry")
    for (cluster,), part in inside.group_by("cluster", maintain_order=True):
        at = np.searchsorted(np.array(cells.industries), part["industry"].to_numpy())
        found[str(cluster)] = np.zeros((len(regions), len(at)))
        found[str(cluster)][rows] = cells.values[:, at] * part["weight"].to_numpy()
    return found


def _column(table: pl.DataFrame, column: str, regions: tuple[str, ...], clusters: tuple[str, ...]) -> Floats:
    """Return a column of a table by region and cluster; what has no row is not known."""
    rows, columns = ({code: k for k, code in enumerate(codes)} for codes in (regions, clusters))
    own = table.filter(pl.col("region").is_in(regions), pl.col("cluster").is_in(clusters))
    values = np.full((len(regions), len(clusters)), np.nan)
    values[[rows[c] for c in own["region"]], [columns[c] for c in own["cluster"]]] = own[column].to_numpy()
    return values


def _features(told: _Told, cluster: str, weights: Mapping[str, float]) -> tuple[tuple[str, ...], tuple[Feature, ...]]:
    """Return the regions that have a cluster and all in which they can be compared, with a weight."""
    column = (*told.clusters, ALL).index(cluster)
    rows = np.flatnonzero(told.present[:, column])
    found = [Feature("economy_mix", weights["economy_mix"], apart=told.economy_mix[np.ix_(rows, rows)])]
    if cluster in told.industry_sizes:
        mix = krugman_pairs(told.industry_sizes[cluster][rows]) / 2
        found.append(Feature("cluster_mix", weights["cluster_mix"], apart=mix.astype(np.float32)))
    numbers = {**told.fixed, **{name: values[:, column] for name, values in told.varying.items()}}
    if cluster == ALL:
        del numbers["cluster_size"]
    for name, values in numbers.items():
        place = _place(_comparable(name, cluster, values[rows]))
        if not np.isnan(place).all():
            told_values = tuple(None if np.isnan(v) else float(v) for v in values[rows])
            found.append(Feature(name, weights[name], told_values, place))
    kinds = tuple(told.kinds[k] for k in rows)
    if any(kinds):
        codes = {kind: float(k) for k, kind in enumerate(sorted({kind for kind in kinds if kind}))}
        place = np.array([codes.get(kind or "", np.nan) for kind in kinds], dtype=np.float32)
        found.append(Feature("kind", weights["kind"], kinds, place, coded=True))
    return tuple(told.regions[k] for k in rows), tuple(feature for feature in found if feature.weight > 0)


def _comparable(name: str, cluster: str, values: Floats) -> Floats:
    """Return values on the scale on which they differ: sizes and wages by their ratio, quotients about 1."""
    if name == "growth":
        return values
    if name == "neighbours" and cluster != ALL:
        return np.asarray(symmetric_quotient(values))
    return np.log(np.where(values > 0, values, np.nan))


def _place(values: Floats) -> Narrow:
    """Return values in units of difference: the middle nine tenths of the regions are one unit wide.

    What lies more than one unit outside them counts as one unit outside, lest an outlier decide alone.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return values.astype(np.float32)
    low, high = np.quantile(known, _ENDS)
    width = (high - low) or np.ptp(known) or 1.0
    return np.asarray(np.clip((values - low) / width, -1, 2), dtype=np.float32)


# ---- arguments -------------------------------------------------------------------------------------------------------


def _all_weights(weights: Mapping[str, float] | None) -> dict[str, float]:
    check_weights(weights or {}, list(WEIGHTS), "feature")
    wanted = {**WEIGHTS, **(weights or {})}
    if not any(wanted.values()):
        raise ClusterbookError("weights: all are zero, so that nothing is compared. Give one feature a weight.")
    return wanted


def _check_number(n: int) -> None:
    if n < 1:
        raise ClusterbookError(f"n={n} peers: give at least 1.")
