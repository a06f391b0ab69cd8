"""NAICS as the US offices write it: levels by the number of digits, sectors that span several two-digit codes."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from clusterbook.data.industries import Industries
from clusterbook.data.sources import reading
from clusterbook.errors import ClusterbookError

TOTAL = "00"

#: Two-digit codes that are part of a sector of several.
SPANS = {"31": "31-33", "32": "31-33", "33": "31-33", "44": "44-45", "45": "44-45", "48": "48-49", "49": "48-49"}

#: The first reference year in which each office used an edition of NAICS.
CENSUS_BUREAU = {1998: 1997, 2003: 2002, 2008: 2007, 2012: 2012, 2017: 2017, 2023: 2022}
LABOR_STATISTICS = {1990: 2002, 2007: 2007, 2011: 2012, 2017: 2017, 2022: 2022}


def edition(year: int, starts: dict[int, int]) -> int:
    """Return the edition of NAICS that an office used for a reference year.

    >>> edition(2022, CENSUS_BUREAU), edition(2022, LABOR_STATISTICS)
    (2017, 2022)
    """
    before = [start for start in starts if start <= year]
    if not before:
        raise ClusterbookError(f"The figures of {year} are not by NAICS; the first year that is: {min(starts)}.")
    return starts[max(before)]


def one_edition(years: Iterable[int], starts: dict[int, int], origin: str) -> int:
    """Return the edition that all years use; raise ``DataError`` where they use several."""
    found = sorted({edition(year, starts) for year in years})
    if len(found) > 1:
        spans = ", ".join(f"NAICS {ed} from {start}" for start, ed in starts.items())
        raise reading.refuse(
            origin,
            "mixed vintages",
            f"the years use {' and '.join(f'NAICS {ed}' for ed in found)}",
            f"Read years of one edition at a time: {spans}.",
        )
    return found[0]


def parent(code: str) -> str | None:
    """Return the code one level up, None for a sector.

    >>> parent("334413"), parent("334"), parent("31-33")
    ('33441', '31-33', None)
    """
    if len(code) <= 2 or "-" in code:
        return None
    above = code[:-1]
    return SPANS.get(above, above) if len(above) == 2 else above


def level(code: pl.Expr) -> pl.Expr:
    """Return the number of digits of a code; 2 for every sector, spans such as 31-33 included."""
    return pl.when(code.str.contains("-", literal=True)).then(2).otherwise(code.str.len_chars())


def industries(titles: pl.DataFrame, vintage: int) -> Industries:
    """Make the tree over the codes in ``titles`` (columns ``industry``, ``title``), parents without titles included."""
    known = dict(titles.select("industry", "title").iter_rows())
    for code in list(known):
        above = parent(code)
        while above is not None and above not in known:
            known[above] = above
            above = parent(above)
    rows = [(code, title, parent(code), 2 if "-" in code else len(code)) for code, title in sorted(known.items())]
    frame = pl.DataFrame(
        rows,
        schema={"industry": pl.String, "title": pl.String, "parent": pl.String, "level": pl.Int64},
        orient="row",
    )
    return Industries(frame, f"NAICS {vintage}")
