"""Words as the search sees them: small letters, no accents, no endings that change nothing.

The stems are our own rule, much lighter than Porter's: plurals, -ing, -ed and a silent e go, and British and American
spelling meet. A stem is a key, not a word: 'services' and 'service' are both 'servic'.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: A word; 'co-operation' is one, the same as 'cooperation'.
WORD = re.compile(r"\b[Cc]o-[^\W_]+|[^\W_]+")

#: Words that say nothing about a matter.
_STOP_TEXT = """
a an and any are as at be been both but by can could do does each for from had has have how if in into is it its
may more most no nor not of on one only or other our out over own same so some such than that the their them then
there these they this those through to too under up very was we were what when where which while who whom whose why
will with would you your
"""
STOP = frozenset(_STOP_TEXT.split())

_VOWEL = re.compile(r"[aeiouy]")


def tokens(text: str) -> list[tuple[str, int, int]]:
    """Return the words of a text as (stem, begin, end); words that say nothing are left out.

    >>> tokens("Early-stage clusters")
    [('early', 0, 5), ('stag', 6, 11), ('cluster', 12, 20)]
    """
    found = ((match.group().lower(), match.start(), match.end()) for match in WORD.finditer(text))
    return [(stem(word), begin, end) for word, begin, end in found if word not in STOP]


def stems(text: str) -> list[str]:
    """Return the stems of a text.

    >>> stems("Labor markets and organizations")
    ['labor', 'market', 'organisation']
    """
    return [stem(word) for word in map(str.lower, WORD.findall(text)) if word not in STOP]


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the key of a word in small letters.

    >>> [stem(w) for w in ("policies", "networking", "planned", "training", "business", "labour", "co-operating")]
    ['policy', 'network', 'plan', 'train', 'business', 'labor', 'cooperat']
    """
    word = word.replace("-", "")
    if not word.isascii():
        word = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return _silent_e(_verb_ending(_singular(_spelling(word))))


def _spelling(word: str) -> str:
    """Bring British and American spelling together."""
    word = re.sub(r"i[sz](e|ed|es|ing|ation|ations)$", r"is\1", word)
    word = re.sub(r"(?<=[^aeiou])our(s?)$", r"or\1", word) if len(word) > 5 else word
    word = re.sub(r"^(program)me(s?)$", r"\1\2", word)
    return re.sub(r"^(cent|theat|met|fib)re(s?)$", r"\1er\2", word)


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y" if len(word) > 4 else word[:-1]
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1]


def _verb_ending(word: str) -> str:
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 3 and _VOWEL.search(rest) and not word.endswith("eed"):
            doubled = len(rest) > 3 and rest[-1] == rest[-2] and rest[-1] not in "lsz"
            return rest[:-1] if doubled else rest
    return word


def _silent_e(word: str) -> str:
    return word[:-1] if len(word) > 4 and word.endswith("e") and not word.endswith("ee") else word
