"""Names for discovered clusters, made from the titles of their member industries."""

from __future__ import annotations

import re

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

#: Labels of two members longer than this name one and say 'and others'.
_LONGEST_LABEL = 60


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


def cluster_label(titles: list[str], sizes: list[float]) -> str:
    """Name a cluster after its one or two largest members.

    The second is named where it holds at least a tenth of the cluster and the label does not get long.

    Example:
        >>> cluster_label(["Fabric Mills", "Textile Furnishings Mills", "Footwear Manufacturing"], [320, 358, 9])
        'Textile furnishings mills and fabric mills'
    """
    ranked = sorted(zip(sizes, titles, strict=True), key=lambda pair: (-pair[0], pair[1]))
    names = list(dict.fromkeys(short_title(title) for _, title in ranked))
    if len(names) == 1 or ranked[1][0] < sum(sizes) / 10:
        return names[0]
    second = names[1] if re.match(r"[A-Z]{2}", names[1]) else names[1][:1].lower() + names[1][1:]
    joiner = "; " if " and " in names[0] or " and " in second else " and "
    label = names[0] + joiner + second
    return label if len(label) <= _LONGEST_LABEL else names[0] + ("; others" if " and " in names[0] else " and others")
