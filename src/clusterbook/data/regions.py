"""Regions: codes, names, hierarchy, population and shapes of the places a panel speaks of."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl


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
