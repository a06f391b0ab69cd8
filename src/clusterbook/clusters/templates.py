"""Definitions from input-output tables: industries that trade alike, that trade with each other, and chains.

Every function takes a table and, if wanted, a panel. With a panel the definitions are written in its codes, hold its
traded industries only, and get its local industries as clusters of their own, as discovered sets do: they can be scored
(``editing.score_definitions``) and compared (``comparison.compare_definitions``). Without one they are written in the
codes of the table, with output for size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import entr

from clusterbook.clusters.candidates import contiguous
from clusterbook.clusters.definitions import ClusterDefinitions
from clusterbook.clusters.description import by_sector, cluster_table, member_table
from clusterbook.clusters.discovery import gather_evidence
from clusterbook.clusters.kinds import LOCAL_SHARE, resource_industries
from clusterbook.clusters.similarity import on_one_scale, trade_weights
from clusterbook.data.industries import Industries
from clusterbook.data.input_output import InputOutput
from clusterbook.data.panel import Panel
from clusterbook.data.tables import did_you_mean
from clusterbook.errors import ClusterbookError, DefinitionError
from clusterbook.measures.input_output_clusters import (
    factor_members,
    hoen,
    linkage_factors,
    linked_groups,
    profile_correlation,
    qualitative,
    streit,
    triangulate,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Groups of fewer industries of the table are no clusters.
SMALLEST = 3
_LEVELS = 24
_NOBODY = -1


@dataclass(frozen=True)
class Trade:
    """The industries of a table that are compared, and the codes in which definitions are written.

    ``flows`` (n, n) between the compared industries, ``output`` and ``final`` (n,), what they make and what of it goes
    to nobody compared; ``rows`` and ``titles`` their codes and names in the table. ``weights`` (I, n): of which of them
    each of ``codes`` is made, rows adding up to 1 or less (0 where the code is none of them). ``sizes`` are of all
    codes, local ones too, which ``local`` groups.
    """

    flows: Floats
    output: Floats
    rows: tuple[str, ...]
    titles: tuple[str, ...]
    codes: tuple[str, ...]
    weights: Floats
    sizes: Mapping[str, float]
    industries: Industries
    local: Mapping[str, Sequence[str]]
    source: str
    parameters: Mapping[str, Any]

    @property
    def final(self) -> Floats:
        """What each industry makes beyond what the compared ones buy of it."""
        return np.asarray(np.maximum(self.output - self.flows.sum(axis=1), 0.0))


class _Groups(NamedTuple):
    """Groups of a table's industries: ``membership`` (n, k), rows adding up to at most 1, and links (n, n)."""

    membership: Floats
    links: Floats


def compared_trade(
    table: InputOutput,
    panel: Panel | None = None,
    *,
    year: int | None = None,
    only: Sequence[str] | None = None,
    local_share: float = LOCAL_SHARE,
) -> Trade:
    """Choose the industries of a table that are compared: the traded ones where a panel tells.

    Args:
        table: flows; with a panel, its crosswalk must name codes of the panel's classification.
        panel: tells which industries are traded (``kinds.local_industries``) and how large. An industry of the table
            is traded when at least half of its jobs in the panel are in traded codes; one without jobs is left out.
        year: of the panel (default: the last).
        only: codes of the table to which the comparison is confined, e.g. those of manufacturing.
        local_share: as in ``discovery.discover_definitions``.

    Raises:
        DefinitionError: fewer than 6 industries are left, or the panel is too small (``discovery.gather_evidence``).
        ClusterbookError: ``only`` names codes that the table lacks.
    """
    wanted = _named(table, only)
    if panel is None:
        frame = pl.DataFrame({"industry": table.industries, "title": _titles(table, table.industries)})
        industries, codes = Industries(frame.sort("industry")), table.industries
        weights, local = np.eye(len(codes)), dict[str, list[str]]()
        sizes = dict(zip(codes, table.output.tolist(), strict=True))
        taken = wanted
        parameters: dict[str, Any] = {}
    else:
        evidence = gather_evidence(panel, year=year, local_share=local_share, classification=False)
        industries, codes, sizes = panel.industries, evidence.sides.industries, evidence.jobs
        local = by_sector(evidence.local, industries)
        weights = trade_weights(codes, industries, table)
        jobs = np.array([sizes[code] for code in codes]) @ weights
        theirs = np.array([sizes[code] for code in evidence.local]) @ trade_weights(evidence.local, industries, table)
        taken = wanted & (jobs > 0) & (jobs >= theirs)
        parameters = {"year": evidence.year, "traded industries of the panel": len(codes)}
    at = np.flatnonzero(taken)
    if len(at) < 6:
        raise DefinitionError(
            f"{len(at)} traded industries of '{table.source.title}' can be compared; six are needed. Use a finer "
            "table, or one whose crosswalk names codes of the panel's classification."
        )
    rows = tuple(table.industries[k] for k in at)
    return Trade(
        flows=table.flows[np.ix_(at, at)],
        output=table.output[at],
        rows=rows,
        titles=tuple(_titles(table, rows)),
        codes=codes,
        weights=weights[:, at],
        sizes=sizes,
        industries=industries,
        local=local,
        source=table.source.title + (f" and {panel.source.title}" if panel else ""),
        parameters=parameters | {"industries of the table compared": len(at)},
    )


def feser_bergman_definitions(
    table: InputOutput,
    panel: Panel | None = None,
    *,
    primary: float = 0.6,
    secondary: float = 0.35,
    factors: int | None = None,
    smallest: int = SMALLEST,
    year: int | None = None,
    only: Sequence[str] | None = None,
) -> ClusterDefinitions:
    """Find templates: industries whose profiles of purchases and sales are alike; they may belong to several.

    The largest of four correlations of profiles links each pair; the links are condensed to principal components,
    rotated (varimax), and industries join the components that they load on.

    Args:
        table, panel, year, only: see ``compared_trade``.
        primary: from which loading an industry is a primary member of a template.
        secondary: from which it is a secondary member.
        factors: how many components (default: as many as have an eigenvalue above 1).
        smallest: a template with fewer members, primary and secondary, or without primary ones, is left out.

    Returns:
        Overlapping definitions. An industry's weight in a template is the square of its loading; weights are scaled up
        to add up to 1 where the industry has a primary membership or as much in all, so that a secondary member alone
        belongs in part. Tables: ``loadings`` (``industry`` and ``title`` of the table, ``factor``, ``cluster``,
        ``loading``, ``role``) and ``factors`` (``factor``, ``cluster`` or null where it is no template, ``variance``,
        ``primary``, ``secondary``: numbers of members).

    Raises:
        DefinitionError, ClusterbookError: see ``compared_trade``; no template is large enough; thresholds that cross.

    Source: Feser and Bergman (2000), National industry cluster templates: a framework for applied regional cluster
    analysis, Regional Studies 34; weights and the smallest size are our own rules.
    """
    trade = compared_trade(table, panel, year=year, only=only)
    links = profile_correlation(trade.flows)
    found = linkage_factors(links, count=factors)
    roles = factor_members(found.loadings, primary=primary, secondary=secondary)
    large = ((roles > 0).sum(axis=0) >= smallest) & (roles == 2).any(axis=0)
    strength = np.where((roles > 0) & large, found.loadings, 0.0) ** 2
    membership = strength / np.maximum(strength.sum(axis=1, keepdims=True), primary**2)
    kept = np.flatnonzero(large)
    made, names = _defined(trade, _Groups(membership[:, kept], links), "Feser-Bergman templates")
    ids = {int(kept[k]): name for k, name in names.items()}
    positive = found.eigenvalues[found.eigenvalues > 0].sum()
    share = float(found.eigenvalues[: found.loadings.shape[1]].sum() / positive)
    return replace(
        made,
        parameters={
            **made.parameters,
            "components": found.loadings.shape[1],
            "rule": "eigenvalue above 1" if factors is None else "number given",
            "share of variance": round(share, 4),
            "eigenvalues below zero": int((found.eigenvalues < 0).sum()),
            "their part of the absolute sum": round(found.negative, 4),
            "primary loading": primary,
            "secondary loading": secondary,
            "smallest template": smallest,
        },
        notes=(
            "The largest of four correlations is no correlation: eigenvalues below zero are dropped, and loadings may "
            "exceed 1.",
            "Industries that sell to everybody have much the same profile and make a template of their own, which is "
            "no cluster of firms. Confine the comparison (only=...) to avoid it.",
            *made.notes,
        ),
        tables={
            "loadings": _loadings(trade, found.loadings, roles, ids),
            "factors": _factors(found.loadings, roles, ids),
        },
    )


def hoen_definitions(
    table: InputOutput,
    panel: Panel | None = None,
    *,
    links: Literal["flows", "streit"] = "streit",
    rounds: int = 1,
    smallest: int = SMALLEST,
    year: int | None = None,
    only: Sequence[str] | None = None,
) -> ClusterDefinitions:
    """Find clusters by maximisation: every industry joins the one it trades most with.

    Args:
        table, panel, year, only: see ``compared_trade``.
        links: 'flows' in money, where a few large traders draw nearly all industries to them, or 'streit', the mean of
            how much two industries matter to each other.
        rounds: how often clusters are joined; more rounds give fewer and larger ones.
        smallest: groups of fewer industries of the table are left out.

    Returns:
        Definitions with the table ``groups`` (``industry`` and ``title`` of the table, ``cluster`` or null where the
        group is too small, ``partner`` with whom it trades most) and ``rounds`` (``round``, ``groups``, ``largest``:
        industries in the largest), two rounds further than asked.

    Raises:
        DefinitionError, ClusterbookError: see ``compared_trade``; no group is large enough; rounds below 1.

    Source: Hoen (2002), Identifying linkages with a cluster-based methodology, Economic Systems Research 14; Streit
    (1969), Journal of Regional Science 9.
    """
    trade = compared_trade(table, panel, year=year, only=only)
    if links not in ("flows", "streit"):
        raise ClusterbookError(f"links={links!r} is not known. Choose 'flows' or 'streit'.")
    tie = trade.flows + trade.flows.T if links == "flows" else streit(trade.flows)
    labels = hoen(tie, rounds=rounds)
    made, groups = _partition(trade, labels, smallest, f"Hoen's maximisation of {links}, {_times(rounds)}")
    apart = tie * ~np.eye(len(tie), dtype=bool)
    partner = [
        trade.rows[k] if most > 0 else None for k, most in zip(apart.argmax(axis=1), apart.max(axis=1), strict=True)
    ]
    counts = [np.bincount(hoen(tie, rounds=k)) for k in range(1, rounds + 3)]
    progress = {
        "round": range(1, rounds + 3),
        "groups": [len(count) for count in counts],
        "largest": [int(count.max()) for count in counts],
    }
    return replace(
        made,
        parameters={**made.parameters, "links": links, "rounds": rounds, "smallest group": smallest},
        tables={
            "groups": groups.with_columns(partner=pl.Series(partner, dtype=pl.String)),
            "rounds": pl.DataFrame(progress),
        },
    )


def chain_definitions(
    table: InputOutput,
    panel: Panel | None = None,
    *,
    n_clusters: int = 30,
    smallest: int = SMALLEST,
    restarts: int = 10,
    seed: int = 0,
    year: int | None = None,
    only: Sequence[str] | None = None,
) -> ClusterDefinitions:
    """Order industries from resources to final demand, and cut the chain where neighbours trade least.

    The order makes the largest part of trade run forward (triangulation). The tie of two neighbours is how much they
    matter to each other as buyers and sellers (``streit``); cuts are made at the weakest ties that leave blocks of at
    least ``smallest``. Blocks are steps of production: industries that stand at one level of the order without trading
    with each other may share a block, and one chain runs through many blocks.

    Args:
        table, panel, year, only: see ``compared_trade``.
        n_clusters: how many blocks, or fewer where the industries do not suffice.
        smallest: the least number of industries of the table in a block.
        restarts, seed: of the search for the order (``triangulate``).

    Returns:
        Definitions with the score 'linearity' (share of trade between industries that runs forward) and the table
        ``chain``, one row an industry of the table in order: ``position`` from 0, ``industry``, ``title``, ``cluster``,
        ``tie`` to the next (null for the last), ``final`` (share of its output that goes to nobody compared).

    Raises:
        DefinitionError, ClusterbookError: see ``compared_trade``; ``n_clusters`` or ``smallest`` out of range.

    Source: Chenery and Watanabe (1958), Econometrica 26 (triangulation); cutting is our own rule.
    """
    if n_clusters < 2 or smallest < 1:
        raise ClusterbookError(f"n_clusters={n_clusters}, smallest={smallest}: give at least 2 blocks of at least 1.")
    trade = compared_trade(table, panel, year=year, only=only)
    found = triangulate(trade.flows, restarts=restarts, seed=seed)
    ties = streit(trade.flows)[found.order[:-1], found.order[1:]]
    block = _cut(ties, n_clusters, smallest)
    labels = np.empty(len(block), dtype=np.int64)
    labels[found.order] = block
    made, groups = _partition(trade, labels, smallest, "triangulation, cut at the weakest ties")
    final = np.divide(trade.final, trade.output, out=np.zeros_like(trade.output), where=trade.output > 0)
    chain = groups[found.order.tolist()].with_columns(
        position=pl.int_range(pl.len()),
        tie=pl.Series([*ties.tolist(), None], dtype=pl.Float64),
        final=pl.Series(final[found.order]),
    )
    return replace(
        made,
        parameters={
            **made.parameters,
            "blocks": int(block.max()) + 1,
            "best order known": found.exact,
        },
        scores={} if np.isnan(found.linearity) else {"linearity": found.linearity},
        notes=("Blocks are steps from resources to final demand, not chains.", *made.notes),
        tables={"chain": chain.select("position", "industry", "title", "cluster", "tie", "final")},
    )


def minimal_flow_definitions(
    table: InputOutput,
    panel: Panel | None = None,
    *,
    level: float | None = None,
    rule: Literal["most clusters", "entropy"] = "most clusters",
    smallest: int = SMALLEST,
    year: int | None = None,
    only: Sequence[str] | None = None,
) -> ClusterDefinitions:
    """Find clusters by minimal flows: what hangs together when flows below a level are left out.

    Args:
        table, panel, year, only: see ``compared_trade``. What goes to industries that are not compared is final demand.
        level: flows above it count, in the unit of the table (default: chosen by the rule among 24 levels, evenly
            spaced on a log scale from the median positive flow to the largest).
        rule: 'most clusters' takes the level with the most groups of at least ``smallest`` industries (of several, the
            one that groups most industries); 'entropy' the one at which the four values of the qualitative matrix tell
            most.
        smallest: groups of fewer industries of the table are left out.

    Returns:
        Definitions with the tables ``groups`` (``industry`` and ``title`` of the table, ``cluster`` or null) and
        ``levels``, which justifies the choice: ``level``, ``clusters``, ``largest`` (industries in the largest),
        ``grouped`` (industries in any), ``entropy`` (nats), ``chosen``.

    Raises:
        DefinitionError, ClusterbookError: see ``compared_trade``; no flows; no large enough group; level not above 0.

    Source: Schnabl (1994), Economic Systems Research 6; Titze, Brachert and Kubis (2011), Regional Studies 45; 'most
    clusters' is our own rule.
    """
    trade = compared_trade(table, panel, year=year, only=only)
    coefficients = np.divide(trade.flows, trade.output, out=np.zeros_like(trade.flows), where=trade.output > 0)
    if not (trade.flows > 0).any():
        raise DefinitionError(f"'{trade.source}' has no flows between the industries compared.")
    positive = trade.flows[trade.flows > 0]
    tried = [level] if level is not None else np.geomspace(np.median(positive), positive.max(), _LEVELS)[:-1].tolist()
    rows, parts = [], []
    for at in tried:
        bonds = qualitative(coefficients, trade.final, at)
        parts.append(linked_groups(bonds, 2))
        rows.append({"level": at, **_grouped(parts[-1], smallest), "entropy": _entropy(bonds)})
    best = max(
        range(len(rows)),
        key=lambda k: (rows[k]["entropy"],) if rule == "entropy" else (rows[k]["clusters"], rows[k]["grouped"]),
    )
    made, groups = _partition(trade, parts[best], smallest, "minimal flows")
    levels = pl.DataFrame(rows).with_columns(chosen=pl.int_range(pl.len()) == best)
    return replace(
        made,
        parameters={
            **made.parameters,
            "level": float(tried[best]),
            "rule": "level given" if level is not None else rule,
            "smallest group": smallest,
        },
        tables={"groups": groups, "levels": levels},
    )


# ---- which industries ------------------------------------------------------------------------------------------------


def _named(table: InputOutput, only: Sequence[str] | None) -> NDArray[np.bool_]:
    if only is None:
        return np.ones(len(table.industries), dtype=bool)
    strange = sorted(set(only) - set(table.industries))
    if strange:
        hint = did_you_mean(strange[0], table.industries)
        raise ClusterbookError(
            f"only: '{table.source.title}' has no industry {strange[0]!r}{hint}; {len(strange)} of {len(only)} codes "
            "are unknown. Give codes of the table, not of the panel."
        )
    return np.isin(table.industries, list(only))


def _titles(table: InputOutput, codes: Sequence[str]) -> list[str]:
    return [table.titles.get(code, code) for code in codes]


# ---- groups to definitions -------------------------------------------------------------------------------------------


def _partition(trade: Trade, labels: Integers, smallest: int, method: str) -> tuple[ClusterDefinitions, pl.DataFrame]:
    """Make definitions of labels (n,), and the table ``industry, title, cluster`` of what they are made of."""
    large = np.flatnonzero(np.bincount(labels) >= smallest)
    membership = (labels[:, None] == large).astype(np.float64)
    links = np.maximum(streit(trade.flows), np.eye(len(labels)))
    made, names = _defined(trade, _Groups(membership, links), method)
    ids = {int(large[k]): name for k, name in names.items()}
    groups = {"industry": trade.rows, "title": trade.titles, "cluster": [ids.get(int(k)) for k in labels]}
    return made, pl.DataFrame(groups, schema_overrides={"cluster": pl.String})


def _defined(trade: Trade, groups: _Groups, method: str) -> tuple[ClusterDefinitions, dict[int, str]]:
    """Write groups of the table's industries in the codes wanted; return with it the id of each group that is left.

    A group is left when it is the home of a code, the group that has most of it; ids go by size.
    """
    weights = trade.weights @ groups.membership
    home = np.where(weights.max(axis=1, initial=0.0) > 0, weights.argmax(axis=1) if weights.shape[1] else 0, _NOBODY)
    homes = [k for k in range(weights.shape[1]) if (home == k).any()]
    if len(homes) < 2:
        raise DefinitionError(
            f"{method} finds {len(homes)} groups in '{trade.source}' that are large enough; two are needed. "
            "Lower the smallest size or the thresholds, or use a finer table."
        )
    inside = np.flatnonzero(home != _NOBODY)
    codes = [trade.codes[k] for k in inside.tolist()]
    size = np.array([trade.sizes[code] for code in codes])
    order = sorted(homes, key=lambda k: (-float(size @ weights[inside, k]), k))
    ids = [f"t{k + 1:02d}" for k in range(len(order))]
    labels = np.array([order.index(home[k]) for k in inside])
    lifted = trade.weights[inside] @ groups.links @ trade.weights[inside].T
    clusters = cluster_table(
        trade.sizes,
        trade.industries,
        codes,
        on_one_scale(lifted, "standard"),
        labels,
        ids,
        trade.local,
        resource_industries(tuple(codes), trade.industries),
        None,
    )
    members = member_table(trade.sizes, codes, labels, ids, np.zeros_like(labels), trade.local)
    left_out = len(trade.codes) - len(codes)
    made = ClusterDefinitions(
        clusters=clusters.drop("stability"),
        members=_shared(members, codes, weights[inside][:, order], ids),
        method=method,
        source=trade.source,
        parameters={**trade.parameters, "clusters": len(ids)},
        notes=(f"{left_out} of {len(trade.codes)} traded industries are in no cluster.",) if left_out else (),
    )
    return made, dict(zip(order, ids, strict=True))


def _shared(members: pl.DataFrame, codes: Sequence[str], weights: Floats, ids: Sequence[str]) -> pl.DataFrame:
    """Put shared memberships (I, k) in the place of exclusive ones; a row of weights adds up to at most 1."""
    at, cluster = np.nonzero(weights)
    shares = pl.DataFrame(
        {
            "cluster": [ids[k] for k in cluster.tolist()],
            "industry": [codes[k] for k in at.tolist()],
            "weight": np.minimum(weights[at, cluster], 1.0),
        }
    )
    once = members.filter(pl.col("industry").is_in(codes)).drop("cluster", "weight")
    others = members.filter(~pl.col("industry").is_in(codes))
    return pl.concat([shares.join(once, on="industry").select(members.columns), others]).sort("cluster", "industry")


# ---- tables ----------------------------------------------------------------------------------------------------------


def _loadings(trade: Trade, loadings: Floats, roles: NDArray[np.int8], ids: Mapping[int, str]) -> pl.DataFrame:
    at, factor = np.nonzero(roles)
    table = pl.DataFrame(
        {
            "industry": [trade.rows[k] for k in at],
            "title": [trade.titles[k] for k in at],
            "factor": factor + 1,
            "cluster": pl.Series([ids.get(int(k)) for k in factor], dtype=pl.String),
            "loading": loadings[at, factor],
            "role": np.where(roles[at, factor] == 2, "primary", "secondary").tolist(),
        }
    )
    return table.sort("factor", "loading", descending=[False, True])


def _factors(loadings: Floats, roles: NDArray[np.int8], ids: Mapping[int, str]) -> pl.DataFrame:
    numbers = range(loadings.shape[1])
    return pl.DataFrame(
        {
            "factor": [k + 1 for k in numbers],
            "cluster": pl.Series([ids.get(k) for k in numbers], dtype=pl.String),
            "variance": (loadings**2).sum(axis=0),
            "primary": (roles == 2).sum(axis=0),
            "secondary": (roles == 1).sum(axis=0),
        }
    )


def _grouped(labels: Integers, smallest: int) -> dict[str, int]:
    counts = np.bincount(labels)
    large = counts[counts >= smallest]
    return {"clusters": len(large), "largest": int(counts.max()), "grouped": int(large.sum())}


def _entropy(bonds: NDArray[np.int8]) -> float:
    pairs = bonds[np.triu_indices(len(bonds), 1)]
    return float(entr(np.bincount(pairs, minlength=4) / len(pairs)).sum())


# ---- chains ----------------------------------------------------------------------------------------------------------


def _cut(ties: Floats, n_clusters: int, smallest: int) -> Integers:
    """Cut an order of n at its weakest ties (n - 1,) such that no block is smaller; return the block of each place."""
    n = len(ties) + 1
    edges = [0, n]
    for place in np.argsort(ties, kind="stable") + 1:
        if len(edges) > n_clusters:
            break
        if min(abs(int(place) - edge) for edge in edges) >= smallest:
            edges.append(int(place))
    return contiguous(np.searchsorted(np.sort(edges), np.arange(n), side="right"))


def _times(rounds: int) -> str:
    return f"{rounds} round{'s' if rounds != 1 else ''}"
