"""What the search of the library needs: every entry in short, the words it holds, and what it can be filtered by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, get_args

from clusterbook.atlas.library_entry import short_name
from clusterbook.atlas.library_words import KINDS, country, value_words
from clusterbook.knowledge.base import KnowledgeBase
from clusterbook.knowledge.models import KINDS as MODELS


class Facet(NamedTuple):
    """A way to narrow the entries of a kind. ``of`` is the kind that its values are, '' for a closed list."""

    name: str
    label: str
    of: str = ""


#: What the entries of a kind can be filtered by, beside the works they cite.
FACETS: dict[str, tuple[Facet, ...]] = {
    "instruments": (
        Facet("goals", "Goal", "concepts"),
        Facet("mechanisms", "Mechanism", "mechanisms"),
        Facet("failures", "Failure", "failures"),
        Facet("levels", "Level of government"),
        Facet("stages", "Said to fit the stage", "stages"),
        Facet("settings", "Said to fit the setting", "settings"),
        Facet("cost", "Cost"),
        Facet("time_to_effect", "Time to effect"),
        Facet("conditions", "Early co-operation"),
    ),
    "cases": (
        Facet("country", "Country"),
        Facet("settings", "Setting", "settings"),
        Facet("family", "Family"),
        Facet("grade", "Evidence of the outcome"),
    ),
    "indicators": (
        Facet("level", "Level"),
        Facet("object", "Measures"),
        Facet("scorecards", "Scorecard", "concepts"),
    ),
    "recommendations": (Facet("actors", "Addressed to", "concepts"),),
    "claims": (Facet("status", "How well supported"),),
}

SHORT = 170  # characters of an entry's text that a result shows


def search_data(kb: KnowledgeBase) -> dict[str, Any]:
    """Return what the search of the library reads.

    Returns:
        ``kinds`` (kind, many, one), ``entries`` (number of the kind, id, title, text in short, numbers of the values
        of each facet of the kind and, last, of the works cited), ``facets`` of each kind (name, label, values as
        (value, title, depth)), and the index: ``lengths`` of the entries and ``terms`` (stem -> numbers of entries
        and its weight there, in turn). Title, tags and text weigh as in ``KnowledgeBase.search``.

    Example:
        >>> from clusterbook.knowledge import load_knowledge
        >>> data = search_data(load_knowledge())
        >>> [facet[1] for facet in data["facets"]["indicators"]]
        ['Level', 'Measures', 'Scorecard', 'Source']
    """
    index = kb._index
    names = list(KINDS)
    held = {link: _held(kb, link) for link in index.links}
    facets = {kind: _facets(kb, kind, held) for kind in names}
    numbers = {
        (kind, facet[0]): {value[0]: at for at, value in enumerate(facet[2])}
        for kind, of_kind in facets.items()
        for facet in of_kind
    }
    entries = []
    for link in index.links:
        kind, _, entry_id = link.partition("/")
        entry = kb.get(link)
        values = [sorted(numbers[kind, f[0]][v] for v in held[link].get(f[0], ())) for f in facets[kind]]
        entries.append([names.index(kind), entry_id, entry.title, _short(getattr(entry, "text", None) or ""), values])
    return {
        "kinds": [[kind, KINDS[kind].many, KINDS[kind].one] for kind in names],
        "facets": facets,
        "entries": entries,
        "lengths": index.lengths,
        "terms": index.terms,
    }


def _short(text: str) -> str:
    if len(text) <= SHORT:
        return text
    return text[: text.rfind(" ", 0, SHORT)] + " …"


def _held(kb: KnowledgeBase, link: str) -> dict[str, set[str]]:
    """Return the values of every facet that an entry has."""
    kind = link.partition("/")[0]
    entry = kb.get(link)
    held = {facet.name: set(_values(kb, link, entry, facet)) for facet in FACETS.get(kind, ())}
    cited = {r.link.partition("/")[2] for r in kb.relations(link) if r.direction == "out" and r.field == "key"}
    return {**held, "source": cited}


def _values(kb: KnowledgeBase, link: str, entry: Any, facet: Facet) -> Iterable[str]:
    if facet.of:
        fields = (facet.name, "fits")
        for relation in kb.relations(link, kinds=[facet.of]):
            if relation.direction == "out" and relation.field in fields:
                yield from _with_parents(kb, relation.link)
    elif facet.name == "country":
        yield entry.place.country or "several"
    elif facet.name == "grade":
        yield entry.outcome.grade
    elif facet.name == "conditions":
        met = [name for name, answer in entry.early_cooperation if answer == "yes"]
        yield from met
        yield from ["all"] if len(met) == 4 else []
    else:
        value = getattr(entry, facet.name)
        yield from [value] if isinstance(value, str) else value


def _with_parents(kb: KnowledgeBase, link: str) -> Iterable[str]:
    """Yield an id and those of what it is part of."""
    kind, _, entry_id = link.partition("/")
    at: str | None = entry_id
    while at is not None:
        yield at
        at = getattr(kb.entries(kind)[at], "parent", None)


def _facets(kb: KnowledgeBase, kind: str, held: dict[str, dict[str, set[str]]]) -> list[list[Any]]:
    """Return the facets of a kind with the values that some entry has, in reading order."""
    used: dict[str, set[str]] = {}
    for link, values in held.items():
        if link.startswith(f"{kind}/"):
            for name, some in values.items():
                used.setdefault(name, set()).update(some)
    found = [
        [facet.name, facet.label, [v for v in _order(kb, kind, facet) if v[0] in used.get(facet.name, ())]]
        for facet in FACETS.get(kind, ())
    ]
    works = [[key, short_name(work), 0] for key, work in kb.bibliography.items() if key in used.get("source", ())]
    return [*found, ["source", "Source", works]]


def _order(kb: KnowledgeBase, kind: str, facet: Facet) -> list[list[Any]]:
    """Return all values of a facet as (value, title, depth)."""
    if facet.of:
        entries = kb.entries(facet.of)
        return [[i, e.title, depth] for i, e, depth in _tree(entries)]
    if facet.name == "country":
        codes = {case.place.country for case in kb.cases.values()}
        return sorted(([code or "several", country(code), 0] for code in codes), key=lambda one: str(one[1]))
    if facet.name == "grade":
        return [[grade, value_words("grade", grade), 0] for grade in "abcde"]
    if facet.name == "conditions":
        names = _parts(kind, "early_cooperation")
        return [["all", "All four conditions", 0], *([name, value_words("conditions", name), 0] for name in names)]
    return [[value, value_words(facet.name, value), 0] for value in _choices(kind, facet.name)]


def _tree(entries: Any) -> list[tuple[str, Any, int]]:
    """Return entries with their parts under them, each with its depth."""
    under: dict[str | None, list[str]] = {}
    for entry_id, entry in entries.items():
        under.setdefault(getattr(entry, "parent", None), []).append(entry_id)

    def walk(parent: str | None, depth: int) -> Iterable[tuple[str, Any, int]]:
        for entry_id in under.get(parent, ()):
            yield entry_id, entries[entry_id], depth
            yield from walk(entry_id, depth + 1)

    return list(walk(None, 0))


def _parts(kind: str, name: str) -> list[str]:
    """Return the names of the fields of a part of an entry."""
    part: Any = MODELS[kind].model_fields[name].annotation
    return list(part.model_fields)


def _choices(kind: str, name: str) -> list[str]:
    """Return the closed list of a field, or of its keys."""
    annotation: Any = MODELS[kind].model_fields[name].annotation
    args = get_args(annotation)
    return list(args if all(isinstance(arg, str) for arg in args) else get_args(args[0]))
