"""What can be wrong with a table: one small function a check, each returning every fault it finds.

Checks do not raise and do not mend. They look at the rows of a table (``Rows``, all text) and at the figures read
from them (``cells``: same rows, same order, with ``region, industry, year`` and numbers).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import polars as pl

from clusterbook.data.industries import Industries
from clusterbook.data.regions import Regions
from clusterbook.data.tables import Rows, did_you_mean
from clusterbook.errors import ClusterbookError, Problem

_ONE_LEVEL = "Keep the rows of one level only, as sums over several levels count the same jobs more than once"
_MEND_PLACE = "Look the place up again and mend the line, or delete it: a plant without a place cannot be used."

#: What to do about the faults that each check finds.
REMEDIES = {
    "missing keys": "Fill in the field, or delete the line if it is a note or a subtotal.",
    "year not an integer": "Write whole years, e.g. 2019. Of months or quarters keep one, or average them first.",
    "duplicate keys": "Keep one row for each combination. If the table is broken down further (by sex, size class, "
    "occupation ...), add up over that or keep its total.",
    "not a number": "Write plain numbers such as 1234.5: decimal point, no thousands separators, no notes. If the text "
    "marks a figure that is kept secret or does not exist, name it: suppressed=(...) or not_collected=(...).",
    "missing values": "Fill in the figure, or a mark that says why there is none: '(D)' for a secret one, ':' for one "
    "that does not exist. allow=('missing values',) reads empty fields as not collected.",
    "negative values": "Counts and amounts cannot be negative. If the number is a code for 'no figure', put a mark "
    "such as '(D)' or ':' in its place.",
    "infinite values": "Mend the calculation it comes from (often a division by zero).",
    "bounds crossed": "Give the lower bound in ..._lo and the upper one in ..._hi.",
    "unknown codes": "Check the spelling, leading zeros and vintage of the codes. allow=('unknown codes',) takes them "
    "in, with the code for a name.",
    "mixed geography levels": f"{_ONE_LEVEL}. allow=('mixed geography levels',) if these are really separate places.",
    "mixed classification levels": f"{_ONE_LEVEL}. allow=('mixed classification levels',) if these industries do not "
    "contain each other.",
    "totals mixed with parts": "Delete the rows of totals: Clusterbook adds up itself. "
    "allow=('totals mixed with parts',) if they are parts like the others.",
    "missing years": "Add the rows that are missing. allow=('missing years',) accepts the gaps as they are.",
    "weights over one": "Give each industry weights between 0 and 1 that add up to 1 or less, or leave the column out.",
    "conflicting labels": "Give all rows of a cluster the same label.",
    "conflicting kinds": "Give all rows of a cluster the same kind.",
    "unknown kinds": "Write 'traded' or 'local', or leave the field empty.",
    "empty edits": "Name the industry that moves to the cluster, or the cluster's new label.",
    "unknown industry": "Check the spelling and the level of the code against members.csv of the set.",
    "unknown cluster": "Check the id; a new cluster comes into being when an industry moves to it.",
    "no place": _MEND_PLACE,
    "place at 0, 0": _MEND_PLACE,
    "longitude and latitude swapped": "Exchange the two figures; if all lines are like this, exchange the columns: "
    "lon='...', lat='...'.",
    "place out of range": "Give degrees: longitude from -180 to 180, latitude from -90 to 90. Metres go in x= and y= "
    "with crs=.",
    "same point and industry": "Right for an industrial park or a tower; not for one plant entered twice or a point "
    "that stands for a town.",
    "no jobs": "Right for a plant without employees; leave it out if it is closed.",
}

#: The checks whose findings can be accepted: what is left is still a sound table.
ALLOWABLE = (
    "missing values",
    "unknown codes",
    "mixed geography levels",
    "mixed classification levels",
    "totals mixed with parts",
    "missing years",
)

#: Faults of one kind in one column that are listed one by one; the rest are counted.
LISTED = 100_000

#: A share of codes or cells that counts as 'nearly all'.
NEARLY_ALL = 0.9


def require_allowable(allow: Collection[str]) -> None:
    """Raise ``ClusterbookError`` for names in ``allow`` that are no check, or one that cannot be waived."""
    if isinstance(allow, str):
        raise ClusterbookError(f"allow takes a collection of names: allow=({allow!r},).")
    for name in allow:
        if name in REMEDIES and name not in ALLOWABLE:
            raise ClusterbookError(f"allow: '{name}' cannot be allowed; without it there is no sound panel.")
        if name not in ALLOWABLE:
            raise ClusterbookError(
                f"allow: there is no check '{name}'{did_you_mean(name, ALLOWABLE)}. It can name {', '.join(ALLOWABLE)}."
            )


def faults(rows: Rows, check: str, bad: pl.Series, messages: str | Sequence[str], column: str | None) -> list[Problem]:
    """Return a problem for each row where ``bad`` is true, with its line and the text of the column.

    ``messages`` is one message for all or one for each bad row, in order.
    """
    at = bad.arg_true()
    shown = at.head(LISTED)
    texts = [messages] * len(shown) if isinstance(messages, str) else messages[: len(shown)]
    values = rows.text[column].gather(shown).to_list() if column else [None] * len(shown)
    places = rows.places.gather(shown).to_list()
    own = rows.columns.get(column, column) if column else None
    found = [
        Problem(check, message, REMEDIES[check], place, own, value)
        if rows.in_file
        else Problem(check, f"row {place}: {message}", REMEDIES[check], None, own, value)
        for place, value, message in zip(places, values, texts, strict=True)
    ]
    if len(at) > LISTED:
        found.append(Problem(check, f"the same in {len(at) - LISTED} further rows", REMEDIES[check], column=own))
    return found


def code_faults(rows: Rows, check: str, column: str, messages: Mapping[str, str]) -> list[Problem]:
    """Return a problem for each code of ``messages``, placed where the code stands first."""
    codes = rows.text[column]
    first = codes.is_first_distinct() & codes.is_in(list(messages))
    return faults(rows, check, first, [messages[code] for code in codes.filter(first)], column)


# ---- fields and rows -------------------------------------------------------------------------------------------------


def missing_keys(rows: Rows, columns: Iterable[str]) -> list[Problem]:
    """Find rows with an empty field in columns that must be filled."""
    empty = {column: rows.text[column].is_null() for column in columns}
    return [fault for column, bad in empty.items() for fault in faults(rows, "missing keys", bad, "empty", column)]


def not_a_year(rows: Rows, years: pl.Series) -> list[Problem]:
    """Find texts of which no whole year could be made."""
    bad = years.is_null() & rows.text["year"].is_not_null()
    return faults(rows, "year not an integer", bad, "not a whole year", "year")


def duplicate_keys(rows: Rows, keys: pl.DataFrame) -> list[Problem]:
    """Find rows that repeat the keys of an earlier one; ``keys`` are the key columns, in the order of the rows."""
    complete = keys.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
    repeated = keys.is_duplicated() & complete
    if not repeated.any():
        return []
    again = repeated & ~keys.select(pl.struct(pl.all()).is_first_distinct()).to_series()
    among = keys.with_columns(place=rows.places, again=again).filter(repeated)
    first = among.with_columns(pl.col("place").first().over(keys.columns)).filter("again").head(LISTED)
    noun = "line" if rows.in_file else "row"
    messages = [
        f"same {', '.join(f'{name} {row[name]!r}' for name in keys.columns)} as {noun} {row['place']}"
        for row in first.iter_rows(named=True)
    ]
    return faults(rows, "duplicate keys", again, messages, None)


def not_a_number(rows: Rows, column: str, bad: pl.Series) -> list[Problem]:
    """Find fields that hold neither a number nor a known mark."""
    return faults(rows, "not a number", bad, "not a number", column)


def negative_values(rows: Rows, column: str, values: pl.Series) -> list[Problem]:
    """Find numbers below zero."""
    return faults(rows, "negative values", (values < 0).fill_null(False), "negative", column)


def infinite_values(rows: Rows, column: str, values: pl.Series) -> list[Problem]:
    """Find numbers that are not finite."""
    return faults(rows, "infinite values", values.is_infinite().fill_null(False), "infinite", column)


def crossed_bounds(rows: Rows, measure: str, low: pl.Series, high: pl.Series) -> list[Problem]:
    """Find lower bounds above their upper bound."""
    bad = (low > high).fill_null(False)
    messages = [f"the upper bound is {top:g}, below the lower bound" for top in high.filter(bad).head(LISTED)]
    return faults(rows, "bounds crossed", bad, messages, f"{measure}_lo")


# ---- codes -----------------------------------------------------------------------------------------------------------


def unknown_codes(rows: Rows, column: str, known: Sequence[str]) -> list[Problem]:
    """Find codes that are not among those known."""
    codes = rows.text[column].drop_nulls().unique(maintain_order=True)
    unknown = codes.filter(~codes.is_in(list(known))).to_list()
    # looking for the nearest code is slow, and only the first few are printed
    hints = [did_you_mean(code, known) for code in unknown[:10]] + [""] * max(0, len(unknown) - 10)
    messages = {code: f"not a known {column}{hint}" for code, hint in zip(unknown, hints, strict=True)}
    return code_faults(rows, "unknown codes", column, messages)


#: Codes and titles of totals. 'T' is one too, unless other single letters show that it is a section of ISIC or NACE.
_TOTAL_CODE = re.compile(
    r"(?i)(grand )?totals?|tot|_t|__total|all|all[ _](industries|sectors|regions|areas)|0{2,}|-{2,}"
)
_TOTAL_TITLE = re.compile(
    r"(?i)(grand )?totals?|total[,:;(].*|total,? all .*|(total,? )?all (industries|sectors|activities|regions|areas)"
)
_SECTIONS = re.compile(r"([A-Z])[A-Z]?(?:[-–]([A-Z])[A-Z]?)?(?:[ _(\d].*)?")


def _total_codes(codes: Collection[str], titles: Mapping[str, str]) -> dict[str, str]:
    """Return the codes that name a total, with the reason."""
    letters = {code for code in codes if re.fullmatch(r"[A-Z]", code)}
    found = {}
    for code in codes:
        title = titles.get(code, "")
        if _TOTAL_CODE.fullmatch(code) or letters == {"T"} == {code}:
            found[code] = "the code of a total"
        elif _TOTAL_TITLE.fullmatch(title):
            found[code] = f"a total, by its title {title!r}"
    return found


def _section_ranges(codes: Collection[str]) -> dict[str, str]:
    """Return the codes of several sections (A-E, B-N_S95_X_K) that cover other codes, each with one of these."""
    sections = {
        code: (match[1], match[2] or match[1]) for code in sorted(codes) if (match := _SECTIONS.fullmatch(code))
    }
    found: dict[str, str] = {}
    for code, (first, last) in sections.items():
        inner = [c for c, (low, high) in sections.items() if first <= low and high <= last and c != code]
        if first < last and inner:
            found[code] = f"a subtotal: contains {inner[0]!r}, which is in the table too"
    return found


def _sums_of_others(cells: pl.DataFrame, part: str, measure: str) -> list[str]:
    """Return the codes whose figure is the sum of all others, to 1%, nearly everywhere (at least in five groups).

    A group is a year of a region (when ``part`` is 'industry') or a year of an industry; it counts when at least
    three of its figures are not zero. Five groups, because one or two such coincidences happen in real tables.
    """
    value = pl.col(measure).fill_null(0)
    groups = ["region" if part == "industry" else "industry", "year"]
    sums = cells.group_by(groups).agg(total=value.sum(), positive=(value > 0).sum())
    as_sum = (2 * value - pl.col("total")).abs() <= 0.01 * pl.col("total")
    tested = (
        cells.select(part, *groups, measure)
        .join(sums.filter(pl.col("positive") >= 3), on=groups)
        .group_by(part)
        .agg(groups=pl.len(), equal=as_sum.sum())
    )
    nearly = (pl.col("groups") >= 5) & (pl.col("equal") >= NEARLY_ALL * pl.col("groups"))
    return tested.filter(nearly & pl.col(part).is_not_null())[part].sort().to_list()


def totals_mixed_with_parts(
    rows: Rows, cells: pl.DataFrame, part: str, measure: str, titles: Mapping[str, str]
) -> list[Problem]:
    """Find totals among the regions or industries, by code, by title or by adding up."""
    codes = cells[part].drop_nulls().unique().to_list()
    summed = dict.fromkeys(_sums_of_others(cells, part, measure), "the sum of all others, nearly everywhere")
    return code_faults(
        rows, "totals mixed with parts", part, summed | _section_ranges(codes) | _total_codes(codes, titles)
    )


# ---- levels of geography and of classifications ----------------------------------------------------------------------


def mixed_geography_levels(rows: Rows, regions: Regions) -> list[Problem]:
    """Find regions of more than one geographic level.

    By ``Regions``' own ``level`` where there is one; otherwise by the form of the codes, where nearly all are of a
    family in which longer codes lie within shorter ones (NUTS and ITL; US states and counties).
    """
    codes = set(rows.text["region"].drop_nulls().unique())
    if "level" in regions.frame.columns:
        return code_faults(rows, "mixed geography levels", "region", _other_levels(regions, codes))
    above = _regions_above_others(codes)
    messages = {code: f"contains {inner!r}, which is in the table too" for code, inner in above.items()}
    return code_faults(rows, "mixed geography levels", "region", messages)


def _other_levels(regions: Regions, codes: Collection[str]) -> dict[str, str]:
    """Return the regions that are not of the commonest level."""
    known = regions.frame.filter(pl.col("region").is_in(list(codes))).drop_nulls("level")
    levels = dict(zip(known["region"], known["level"].cast(pl.String), strict=True))
    if not levels:
        return {}
    usual, _ = Counter(levels.values()).most_common(1)[0]
    return {code: f"of level {own!r}; most are of level {usual!r}" for code, own in levels.items() if own != usual}


def _regions_above_others(codes: set[str]) -> dict[str, str]:
    """Return the codes that others begin with, each with one of these, for families of nested codes only."""
    nuts = sum(bool(re.fullmatch(r"[A-Z]{2}[0-9A-Z]{0,3}", code)) for code in codes)
    with_digit = sum(bool(re.search(r"\d", code)) for code in codes)
    fips = sum(bool(re.fullmatch(r"\d{2}|\d{5}", code)) for code in codes)
    # the digits tell NUTS from abbreviations of places (NY, NYC), which do not contain each other
    is_nuts = nuts >= NEARLY_ALL * len(codes) and 2 * with_digit >= len(codes)
    if not is_nuts and fips < NEARLY_ALL * len(codes):
        return {}
    return {code[:k]: code for code in sorted(codes, reverse=True) for k in range(2, len(code)) if code[:k] in codes}


def mixed_classification_levels(rows: Rows, industries: Industries) -> list[Problem]:
    """Find industries that contain other industries of the table.

    By the tree of ``Industries`` where it has one; otherwise by the codes, where they are of a known build.
    """
    codes = set(rows.text["industry"].drop_nulls().unique())
    if industries.parents:
        above = {up: code for code in sorted(codes, reverse=True) for up in industries.ancestors(code) if up in codes}
    else:
        above = _industries_above_others(codes - set(_total_codes(codes, {})))
    messages = {code: f"contains {inner!r}, which is in the table too" for code, inner in above.items()}
    return code_faults(rows, "mixed classification levels", "industry", messages)


class _Span(NamedTuple):
    """What an industry code covers: its letters, and its digits as an interval at six digits (31 is 310000-319999)."""

    letters: str
    low: int
    high: int

    def contains(self, other: _Span) -> bool:
        """Tell whether the other lies within this one and is smaller."""
        within = self.low <= other.low and other.high <= self.high and self[1:] != other[1:]
        if not other.letters:  # a section letter alone (C) says nothing of codes that bear no letter (10)
            return within and self.high - self.low < _ALL_DIGITS
        return within and other.letters.startswith(self.letters)


_ALL_DIGITS = 999_999

#: Codes such as C, C10, CC711, 311, 10.1, 31-33, C10-C12, CA (10-12); older CBP files fill up: 31----, 311///.
_CODE = re.compile(r"([A-Z]{1,2}(?:-[A-Z]{1,2})?)?\s*\(?(\d{1,6})?(?:\s*[-–_]\s*[A-Z]?(\d{1,6}))?\)?[-/]*")

_NAICS = re.compile(r"(?:11|2[1-3]|3[1-3]|42|4[4589]|5[1-6]|6[12]|7[12]|81|92|99)\d{0,4}[-/]*|31-33|44-45|48-49")


def _span(code: str) -> _Span | None:
    match = _CODE.fullmatch(code.replace(".", ""))
    if not match or not (match[1] or match[2]) or (match[3] and not match[2]):
        return None
    if not match[2]:
        return _Span(match[1], 0, _ALL_DIGITS)
    low, high = match[2].zfill(2), (match[3] or match[2]).zfill(2)
    return _Span(match[1] or "", int(low.ljust(6, "0")), int(high.ljust(6, "9")))


def _industries_above_others(codes: set[str]) -> dict[str, str]:
    """Return the codes that cover others, each with one of these, for codes built like NAICS, NACE, ISIC or SIC."""
    spans = {code: span for code in sorted(codes) if (span := _span(code))}
    if not _is_classification(codes, spans):
        return {}
    ordered = sorted(spans.items(), key=lambda item: item[1].low)
    lows = [span.low for _, span in ordered]
    found = {}
    for code, span in spans.items():
        within = ordered[bisect_left(lows, span.low) : bisect_right(lows, span.high)]
        inner = next((other for other, its_span in within if span.contains(its_span)), None)
        if inner is not None:
            found[code] = inner
    return found


def _is_classification(codes: set[str], spans: Mapping[str, _Span]) -> bool:
    """Tell whether longer codes lie within shorter ones, as in a classification, and are not mere numbers.

    Mere numbers (1, 2, ... 143, with or without letters before them) have codes of one digit. Codes of digits alone
    are taken for a classification when they are padded (01) or begin with the sectors of NAICS.
    """
    if len(spans) < NEARLY_ALL * len(codes) or any(re.fullmatch(r"[A-Z]{0,2}\d", code) for code in codes):
        return False
    lettered = sum(span.letters != "" for span in spans.values())
    naics = sum(bool(_NAICS.fullmatch(code)) for code in codes)
    padded = any(code.startswith("0") for code in codes)
    return padded or lettered >= 0.1 * len(codes) or naics >= NEARLY_ALL * len(codes)


# ---- years -----------------------------------------------------------------------------------------------------------


def missing_years(rows: Rows, cells: pl.DataFrame) -> list[Problem]:
    """Find gaps in the sequence of years, and regions that have rows in some of the years only."""
    seen = cells.select("region", "year").drop_nulls().unique()
    years = seen["year"].unique().sort().to_list()
    found = [
        (f"no rows for {_listed(absent)}, between {before} and {after}", rows.columns.get("year"), None)
        for before, after, absent in _gaps(years)
    ]
    partial = seen.group_by("region").agg("year").filter(pl.col("year").list.len() < len(years)).sort("region")
    found += [
        (f"no rows in {_listed(sorted(set(years) - set(has)))}", rows.columns["region"], region)
        for region, has in partial.iter_rows()
    ]
    remedy = REMEDIES["missing years"]
    return [Problem("missing years", message, remedy, column=own, value=code) for message, own, code in found]


def _gaps(years: list[int]) -> list[tuple[int, int, list[int]]]:
    """Return (year before, year after, years between) wherever the step is longer than the commonest one."""
    steps = Counter(after - before for before, after in pairwise(years))
    usual = min(steps, key=lambda step: (-steps[step], step), default=0)
    return [
        (before, after, list(range(before + usual, after, usual)))
        for before, after in pairwise(years)
        if after - before > usual
    ]


def _listed(years: Sequence[int]) -> str:
    shown = ", ".join(str(year) for year in years[:5])
    return shown if len(years) <= 5 else f"{shown} and {len(years) - 5} more"
