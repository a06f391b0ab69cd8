"""Regions: codes, names, hierarchy, population and shapes of the places a panel speaks of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
import shapely

from clusterbook.data import shapes
from clusterbook.errors import ClusterbookError


@dataclass(frozen=True)
class Regions:
    """The places of a panel.

    ``frame`` has one row a region, sorted by ``region`` (code), with ``name`` and optionally ``level`` (any label of
    the geographic level, e.g. 'county'), ``kind`` (e.g. 'metro', 'micro'), ``parent`` (code of the region above) and
    ``population``. ``geometry`` maps codes to WKB polygons in longitude/latitude; ``outline`` is WKB of the ground
    on which maps are drawn (state borders, a coast line). ``projection`` names the equal-area projection maps use.
    ``noun`` is what one region is called on a page, singular and plural.
    """

    frame: pl.DataFrame
    set_name: str = "regions"
    noun: tuple[str, str] = ("region", "regions")
    geometry: dict[str, bytes] = field(default_factory=dict)
    outline: bytes | None = None
    projection: str = "equalEarth"
    note: str = ""

    @classmethod
    def from_codes(cls, codes: pl.Series) -> Regions:
        """Make regions that are known by their codes only."""
        unique = codes.unique().sort().alias("region")
        return cls(pl.DataFrame({"region": unique, "name": unique}))

    def names(self) -> dict[str, str]:
        """Return the name of each code."""
        return dict(zip(self.frame["region"], self.frame["name"], strict=True))

    def population(self) -> dict[str, float]:
        """Return the population of each code for which it is known."""
        if "population" not in self.frame.columns:
            return {}
        known = self.frame.drop_nulls("population")
        return dict(zip(known["region"], known["population"], strict=True))

    def require(self, codes: Iterable[str], *, shapes: bool = False) -> None:
        """Raise ``ClusterbookError`` for codes that are not regions here, or (``shapes``) have no shape."""
        known = self.geometry.keys() if shapes else set(self.frame["region"])
        missing = [code for code in codes if code not in known]
        if missing:
            what = "have no shape" if shapes else f"are not among the {self.set_name}"
            raise ClusterbookError(
                f"{', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}: {len(missing)} regions {what}. "
                f"{'Add shapes with with_shapes().' if shapes else 'Check the codes and their vintage.'}"
            )

    def only(self, codes: Iterable[str]) -> Regions:
        """Return some of the regions.

        Raises:
            ClusterbookError: unknown codes.
        """
        wanted = set(codes)
        self.require(sorted(wanted))
        kept = self.frame.filter(pl.col("region").is_in(sorted(wanted)))
        return replace(self, frame=kept, geometry={code: wkb for code, wkb in self.geometry.items() if code in wanted})

    def with_shapes(self, found: Mapping[str, bytes]) -> Regions:
        """Return the regions with shapes from elsewhere, e.g. ``shapes.read_shapes(file, code=...)``.

        Raises:
            ClusterbookError: regions without a shape.

        Example:
            >>> square = shapely.to_wkb(shapely.box(0, 0, 1, 1))
            >>> Regions(pl.DataFrame({"region": ["A"], "name": ["A"]})).with_shapes({"A": square}).area_km2()
            {'A': 12308.463...}
        """
        codes = self.frame["region"].to_list()
        drawn = replace(self, geometry={code: found[code] for code in codes if code in found})
        drawn.require(codes, shapes=True)
        return drawn

    def parents(self) -> dict[str, str]:
        """Return the code of the region above for each region that has one."""
        if "parent" not in self.frame.columns:
            return {}
        known = self.frame.drop_nulls("parent")
        return dict(zip(known["region"], known["parent"], strict=True))

    def area_km2(self) -> dict[str, float]:
        """Return the area of each region that has a shape, in square kilometres (on the ellipsoid)."""
        return shapes.area_km2(self.geometry)

    def neighbours(
        self, codes: Collection[str] | None = None, *, rule: Literal["queen", "rook"] = "queen", gap: float = 0.0
    ) -> list[tuple[str, str]]:
        """Return the pairs of regions that touch, each pair once and sorted.

        Args:
            codes: the regions to look at; default: all that have a shape.
            rule: 'queen' for a common point, 'rook' for a common line.
            gap: degrees by which shapes may be apart and still touch; for 'queen' only.

        Raises:
            ClusterbookError: a region without a shape.

        Example:
            >>> squares = {code: shapely.to_wkb(shapely.box(x, 0, x + 1, 1)) for x, code in enumerate("ABC")}
            >>> Regions(pl.DataFrame({"region": list("ABC"), "name": list("ABC")}), geometry=squares).neighbours()
            [('A', 'B'), ('B', 'C')]
        """
        wanted = sorted(self.geometry if codes is None else codes)
        self.require(wanted, shapes=True)
        drawn = np.array(shapely.from_wkb([self.geometry[code] for code in wanted]), dtype=object)
        here, there = shapes.touching(drawn, rule=rule, gap=gap)
        return [(wanted[a], wanted[b]) for a, b in zip(here.tolist(), there.tolist(), strict=True)]

    def touching_groups(self, codes: Collection[str], *, gap: float = 0.0) -> list[list[str]]:
        """Return the groups of regions that hang together by touching one another, largest first.

        With the regions in which a cluster is strong this shows clusters that cross borders; give the groups that
        matter to ``merge``.

        Example:
            >>> squares = {code: shapely.to_wkb(shapely.box(x, 0, x + 1, 1)) for x, code in enumerate("ABCD")}
            >>> row = Regions(pl.DataFrame({"region": list("ABCD"), "name": list("ABCD")}), geometry=squares)
            >>> row.touching_groups(["A", "B", "D"])
            [['A', 'B'], ['D']]
        """
        return _linked(codes, self.neighbours(codes, gap=gap))

    def merge(self, groups: Mapping[str, Collection[str]], *, keep_rest: bool = True) -> Merged:
        """Make regions of your own out of these.

        Args:
            groups: the name of each new region, which is also its code, with the codes of its parts. They need not
                touch.
            keep_rest: keep the regions that are in no group as they are; False: leave them out.

        Returns:
            ``membership`` and ``regions``: ``panel.aggregate(*panel.regions.merge(groups))`` adds a panel up. Shapes
            are united and populations added where they are known of all parts.

        Raises:
            ClusterbookError: unknown codes, a region in two groups, an empty group, a name that another region has.

        Example:
            >>> regions = Regions(pl.DataFrame({"region": ["A", "B", "C"], "name": ["A", "B", "C"]}))
            >>> regions.merge({"Coast": ["A", "B"]}).membership.rows()
            [('A', 'Coast'), ('B', 'Coast'), ('C', 'C')]
        """
        parts = [code for found in groups.values() for code in found]
        self.require(parts)
        twice = sorted({code for code in parts if parts.count(code) > 1})
        rest = [code for code in self.frame["region"] if code not in set(parts)] if keep_rest else []
        empty = [name for name, found in groups.items() if not found]
        for wrong, why in (
            (twice, "more than one group. Give each region to one"),
            (empty, "a group without regions. Leave it out"),
            (sorted(set(groups) & set(rest)), "the code of a region that stays as it is. Choose another name"),
        ):
            if wrong:
                raise ClusterbookError(f"merge: {', '.join(wrong[:10])}: {why}.")
        rows = [(code, name) for name, found in groups.items() for code in found] + [(code, code) for code in rest]
        membership = pl.DataFrame(rows, {"part": pl.String, "region": pl.String}, orient="row").sort("part")
        return Merged(membership, self._merged(groups, rest))

    def _merged(self, groups: Mapping[str, Collection[str]], rest: Collection[str]) -> Regions:
        people = self.population()
        rows = [
            {"region": name, "name": name}
            | ({"population": sum(people[c] for c in found)} if people and all(c in people for c in found) else {})
            for name, found in groups.items()
        ]
        schema = {name: kind for name, kind in self.frame.schema.items() if name in {"region", "name", "population"}}
        new = pl.DataFrame(rows, schema=schema)
        kept = self.frame.filter(pl.col("region").is_in(list(rest)))
        drawn = {code: self.geometry[code] for code in rest if code in self.geometry}
        for name, found in groups.items():
            if all(code in self.geometry for code in found):
                drawn[name] = shapes.dissolve(self.geometry[code] for code in found)
        return replace(
            self,
            frame=pl.concat([kept, new], how="diagonal").sort("region"),
            set_name=f"{self.set_name}, merged",
            geometry=dict(sorted(drawn.items())),
        )


class Merged(NamedTuple):
    """What ``Regions.merge`` returns, in the order ``Panel.aggregate`` takes it."""

    membership: pl.DataFrame
    regions: Regions


def functional_regions(flows: pl.DataFrame, *, least: float = 0.15) -> dict[str, list[str]]:
    """Group regions that belong together by flows between them, whatever borders they cross.

    Each region is tied to the other region to which the largest part of its flow goes, when that is at least ``least``
    of all its flow; regions that hang together by ties form one.

    Args:
        flows: columns ``region`` (from), ``other`` (to) and ``flow`` (e.g. commuters); flows within a region, which
            count in its total, have the same code twice.
        least: the smallest part of a region's flow that ties it to another, over 0 up to 1.

    Returns:
        Groups of two and more regions for ``Regions.merge``, named after the member where most arrives, its own flow
        included.

    Raises:
        ClusterbookError: columns missing, flows negative or missing, ``least`` out of range.

    Example:
        >>> flows = pl.DataFrame({"region": ["A", "A", "B"], "other": ["A", "B", "B"], "flow": [60, 40, 100]})
        >>> functional_regions(flows)
        {'B': ['A', 'B']}

    Source: our own rule; 15 per cent is the commuting share by which OECD and Eurostat assign the commuting zone of a
    city (Dijkstra, Poelman and Veneri 2019, The EU-OECD definition of a functional urban area).
    """
    if not {"region", "other", "flow"} <= set(flows.columns):
        raise ClusterbookError("flows need the columns region, other and flow. Rename yours.")
    if not 0 < least <= 1:
        raise ClusterbookError(f"least={least}: give a share over 0 and up to 1, e.g. 0.15.")
    if flows.null_count().sum_horizontal().item() or not (flows["flow"] >= 0).all():
        raise ClusterbookError("flows holds missing or negative values. Leave rows without a flow out.")
    summed = flows.group_by("region", "other").agg(pl.col("flow").sum().cast(pl.Float64))
    away = summed.with_columns(share=pl.col("flow") / pl.col("flow").sum().over("region")).filter(
        pl.col("region") != pl.col("other")
    )
    ties = (
        away.sort("region", "share", "other", descending=[False, True, False])
        .unique("region", keep="first", maintain_order=True)
        .filter(pl.col("share") >= least)
    )
    arriving = dict(summed.group_by("other").agg(pl.sum("flow")).iter_rows())
    pairs = list(ties.select("region", "other").iter_rows())
    groups = _linked({code for pair in pairs for code in pair}, pairs)
    return {max(group, key=lambda code: (arriving.get(code, 0.0), code)): group for group in groups}


def _linked(codes: Collection[str], pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the groups of codes that pairs tie together, largest first."""
    group = {code: [code] for code in sorted(codes)}
    for one, other in pairs:
        if group[one] is not group[other]:
            joined = sorted(group[one] + group[other])
            group |= dict.fromkeys(joined, joined)
    distinct = {id(members): members for members in group.values()}.values()
    return sorted(distinct, key=lambda members: (-len(members), members))
