"""Industries: codes, titles and the tree of a classification."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from clusterbook.errors import ClusterbookError

_BUNDLED = Path(__file__).parent / "bundled"

#: Classifications that come with Clusterbook.
CLASSIFICATIONS = (
    "NAICS 2007",
    "NAICS 2012",
    "NAICS 2017",
    "NACE Rev. 2",
    "ISIC Rev. 4",
    "SIC 2007",
    "NZSIOC 2013, grouped",
    "Census industries 1990",
)
_OWN_FILES = {
    "NAICS 2017": "naics_2017",
    "NZSIOC 2013, grouped": "nz_industries",
    "Census industries 1990": "census_industries_1990",
}


@dataclass(frozen=True)
class Industries:
    """An industry classification.

    ``frame`` has one row an industry, sorted by ``industry`` (code), with ``title`` and optionally ``parent`` (the
    code one step up, null at the top) and ``level`` (depth or digits).
    """

    frame: pl.DataFrame
    classification: str = ""

    @classmethod
    def from_codes(cls, codes: pl.Series) -> Industries:
        """Make industries that are known by their codes only."""
        unique = codes.unique().sort().alias("industry")
        return cls(pl.DataFrame({"industry": unique, "title": unique}))

    @classmethod
    def load(cls, classification: str) -> Industries:
        """Load the tree of a classification: codes, titles, parents and levels.

        Levels are numbers of digits, with the sections of NACE, ISIC and SIC as level 1 and the sectors of NAICS as
        level 2. NAICS 2022 and ANZSIC do not come with Clusterbook.

        Raises:
            ClusterbookError: no such classification.

        >>> nace = Industries.load("NACE Rev. 2")
        >>> nace.titles["29"], nace.ancestors("29.10")
        ('Manufacture of motor vehicles, trailers and semi-trailers', ['29.1', '29', 'C'])

        Source: see the README beside the bundled files.
        """
        if classification not in CLASSIFICATIONS:
            raise ClusterbookError(
                f"There is no classification '{classification}' here. Choose one of {', '.join(CLASSIFICATIONS)}, or "
                "make Industries(frame) from a table with industry, title and parent."
            )
        if classification in _OWN_FILES:
            return cls(pl.read_parquet(_BUNDLED / f"{_OWN_FILES[classification]}.parquet"), classification)
        trees = pl.read_parquet(_BUNDLED / "classifications.parquet")
        return cls(trees.filter(classification=classification).drop("classification"), classification)

    @cached_property
    def titles(self) -> dict[str, str]:
        """The title of each code."""
        return dict(zip(self.frame["industry"], self.frame["title"], strict=True))

    @cached_property
    def parents(self) -> dict[str, str]:
        """The parent of each code that has one."""
        if "parent" not in self.frame.columns:
            return {}
        known = self.frame.drop_nulls("parent")
        return dict(zip(known["industry"], known["parent"], strict=True))

    def ancestors(self, code: str) -> list[str]:
        """Return the codes above one, nearest first."""
        above: list[str] = []
        while (code := self.parents.get(code, "")) and code not in above:
            above.append(code)
        return above

    def covering(self, codes: Iterable[str], cover: Iterable[str]) -> dict[str, str]:
        """Map each code to the member of ``cover`` that is the code itself or its nearest ancestor.

        Codes with no such member are left out. This is how definitions written at one level of the classification
        are applied to data at a finer one.
        """
        known = set(cover)
        found: dict[str, str] = {}
        for code in codes:
            nearest = next((c for c in (code, *self.ancestors(code)) if c in known), None)
            if nearest is not None:
                found[code] = nearest
        return found

    def at_level(self, level: int) -> list[str]:
        """Return the codes of one level, sorted.

        Raises:
            ClusterbookError: the classification has no levels, or not this one.

        >>> len(Industries.load("NACE Rev. 2").at_level(2))
        88
        """
        levels = self.frame["level"].unique().sort().to_list() if "level" in self.frame.columns else []
        if level not in levels:
            raise ClusterbookError(
                f"{self.classification or 'These industries'}: no level {level!r}. "
                f"Levels: {', '.join(map(str, levels)) or 'none stated'}."
            )
        return self.frame.filter(pl.col("level") == level)["industry"].to_list()

    def below(self, code: str) -> list[str]:
        """Return the codes below one, at all depths, sorted.

        >>> Industries.load("NAICS 2017").below("3361")
        ['33611', '336111', '336112', '33612', '336120']
        """
        return [other for other in self.frame["industry"] if code in self.ancestors(other)]
