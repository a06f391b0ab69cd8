"""Industries: codes, titles and the tree of a classification."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import polars as pl


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
