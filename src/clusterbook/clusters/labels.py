"""Names for discovered clusters, made from the titles of their industries and of the groups these are filed under."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from clusterbook.data.industries import Industries

# What a title can lose without losing its meaning, in the order in which it is taken away.
_DISPENSABLE = (
    r"\s*\([^)]*\)",
    r",? and (other )?related\b.*",
    r",? including\b.*",
    r",? except\b.*",
    r"^(all )?other ",
    r"^miscellaneous ",
    r"^activities related to ",
    r"^offices of ",
    r" (manufacturing|industries|production and processing)$",
)

#: Titles shorter than this many words after cutting say too little ("Other Support Services" is not "support").
_FEWEST_WORDS = 2

#: Labels of two groups longer than this name one and say 'and others'.
_LONGEST_LABEL = 70

#: A second group is named where it holds this share of the cluster that the first does not.
_SECOND_SHARE = 0.2

#: Titles that name what is left over say nothing about a cluster.
_LEFTOVER = re.compile(r"\b(other|miscellaneous|all other|nec)\b", re.IGNORECASE)


def short_title(title: str) -> str:
    """Shorten an industry title to what tells it apart.

    Example:
        >>> short_title("Computer Systems Design and Related Services")
        'Computer systems design'
        >>> short_title("Motor Vehicle Parts Manufacturing")
        'Motor vehicle parts'
        >>> short_title("Paper and Paper Product Merchant Wholesalers")
        'Paper and paper product wholesale'
    """
    text = re.sub(r"\bmerchant wholesalers$", "wholesale", title.strip(), flags=re.IGNORECASE)
    for pattern in _DISPENSABLE:
        shorter = re.sub(pattern, "", text, flags=re.IGNORECASE).strip(" ,;")
        if len(shorter.split()) >= _FEWEST_WORDS:
            text = shorter
    # Abbreviations (RV, TV) stay as they are; the rest is sentence case.
    words = [word if re.fullmatch(r"[A-Z]{2,}", word) else word.lower() for word in text.split()]
    sentence = " ".join(words)
    return sentence[:1].upper() + sentence[1:]


def cluster_label(members: Mapping[str, float], everything: Mapping[str, float], industries: Industries) -> str:
    """Name a cluster after the one or two groups of the classification that describe it best.

    The groups are the members and everything above them. A group describes a cluster well when it holds much of the
    cluster and little else (the harmonic mean of both shares, by size); a second is named where it adds a fifth.

    Args:
        members: industry to size, the cluster's.
        everything: industry to size, of all industries that are grouped.

    Example:
        >>> import polars as pl
        >>> tree = pl.DataFrame({"industry": ["31", "311", "312", "33"], "parent": [None, "31", "31", None],
        ...     "title": ["Food and Drink Manufacturing", "Bakeries Manufacturing", "Breweries", "Machinery Making"]})
        >>> sizes = {"311": 50.0, "312": 40.0, "33": 100.0}
        >>> cluster_label({"311": 50.0, "312": 40.0}, sizes, Industries(tree))
        'Food and drink'
    """
    # Square roots: a label should speak for the members, not for the largest of them alone.
    members = {code: size**0.5 for code, size in members.items()}
    everything = {code: size**0.5 for code, size in everything.items()}
    first = _best_group(members, members, everything, industries)
    rest = {code: size for code, size in members.items() if first not in _way(code, industries)}
    name = short_title(industries.titles.get(first, first))
    if sum(rest.values()) < _SECOND_SHARE * sum(members.values()) or not rest:
        return name
    second = _best_group(rest, members, everything, industries)
    added = sum(size for code, size in rest.items() if second in _way(code, industries))
    other = short_title(industries.titles.get(second, second))
    if added < _SECOND_SHARE * sum(members.values()) or other == name:
        return name
    return _joined(name, other)


def _joined(name: str, other: str) -> str:
    second = other if re.match(r"[A-Z]{2}", other) else other[:1].lower() + other[1:]
    joiner = "; " if " and " in name or " and " in second else " and "
    label = name + joiner + second
    return label if len(label) <= _LONGEST_LABEL else name + ("; others" if " and " in name else " and others")


def _way(code: str, industries: Industries) -> list[str]:
    return [code, *industries.ancestors(code)]


def _best_group(
    part: Mapping[str, float], members: Mapping[str, float], everything: Mapping[str, float], industries: Industries
) -> str:
    """Return the group that describes the part of a cluster best; ties go to the lower code."""
    groups = sorted({group for code in part for group in _way(code, industries)})
    held = _held(part, groups, industries)
    inside = _held(members, groups, industries)
    whole = _held(everything, groups, industries)
    total = sum(part.values()) or 1.0

    def worth(group: str) -> float:
        share, purity = held[group] / total, inside[group] / (whole[group] or 1.0)
        value = 2 * share * purity / (share + purity) if share + purity else 0.0
        return value / 2 if _LEFTOVER.search(industries.titles.get(group, "")) else value

    return max(groups, key=lambda group: (worth(group), group))


def _held(sizes: Mapping[str, float], groups: Sequence[str], industries: Industries) -> dict[str, float]:
    held = dict.fromkeys(groups, 0.0)
    for code, size in sizes.items():
        for group in _way(code, industries):
            if group in held:
                held[group] += size
    return held
