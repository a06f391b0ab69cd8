"""What the page of one entry shows: its fields in readable words, its relations both ways, its sources."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from clusterbook.atlas.library_words import KINDS, Kind, country, field_words, value_words
from clusterbook.knowledge.base import KnowledgeBase, Relation
from clusterbook.knowledge.models import Citation, figure_key


class Linked(NamedTuple):
    """A link to an entry: address from the top of the site, title, kind, and a word beside it."""

    href: str
    title: str
    kind: Kind
    note: str = ""


class Cited(NamedTuple):
    """A work cited: address of its reference, its short name and title, the places in it, its own words."""

    href: str
    name: str
    title: str
    places: tuple[str, ...]
    quotes: tuple[str, ...]


class Block(NamedTuple):
    """A part of a page: the shape says which macro draws the content."""

    shape: str
    title: str
    content: Any
    judged: bool = False


NO_SOURCES: tuple[Cited, ...] = ()
#: Kinds that share one page, on which an entry has an anchor.
ONE_PAGE = ("glossary", "bibliography")
#: Fields in the box at the side, in order.
GLANCE = (
    "group", "family", "typology", "of", "status", "time_to_effect", "cost", "risk", "unit", "frequency", "level",
    "object", "direction", "pressure", "willingness", "factor", "policy", "read", "applies_to", "answer", "industry",
    "order",
)  # fmt: skip
#: Fields that stand in the middle, in order, each with the shape in which it is drawn.
BODY = {
    "printed": "text", "reason": "text", "status_text": "text", "sides": "sides", "check": "text", "advice": "text",
    "design": "text", "findings": "list", "formula": "text", "data_source": "text", "gaming": "text",
    "features": "list", "strength": "text", "vulnerability": "text", "trajectory": "text", "interventions_text": "text",
    "signs": "list", "needs": "list", "tasks": "list", "instruments_note": "text", "facts": "list",
    "lessons": "list", "handling": "text",
}  # fmt: skip
#: Relations that a page shows in a place of their own, not among the others.
ELSEWHERE = {
    "instruments": ("studies", "cases"),
    "processes": ("actors",),
    "tables": ("entries",),
}
#: The field of the entry in which a relation of one of its parts stands.
WHOLE = {"fits": "fit", "harms": "fit", "studies": "evidence", "cases": "evidence"}

_ORGANISATION = re.compile(r"^[A-Z]+$|\b(?:Bureau|Project|Consulting|Bank|Agency|Office|Commission|Institute)\b")


def address(link: str) -> str:
    """Return where the page of an entry is, from the top of the site.

    >>> address("instruments/cluster-broker"), address("glossary/cluster")
    ('library/instruments/cluster-broker.html', 'library/glossary.html#cluster')
    """
    kind, _, entry_id = link.partition("/")
    return f"library/{kind}.html#{entry_id}" if kind in ONE_PAGE else f"library/{link}.html"


def linked(kb: KnowledgeBase, link: str, note: str = "") -> Linked:
    """Return a link to an entry with its title."""
    return Linked(address(link), kb.get(link).title, KINDS[link.partition("/")[0]], note)


def short_name(reference: Any) -> str:
    """Return the name under which a work is cited: family names and year, or the name of the organisation."""
    names = [name if _ORGANISATION.search(name) else _family(name) for name in reference.authors]
    if not names:
        name = str(reference.title)
    elif len(names) > 2 or names[-1] == "others":
        name = f"{names[0]} et al."
    else:
        name = " and ".join(names)
    return f"{name} {reference.year}" if reference.year else name


def _family(name: str) -> str:
    """Return the family name with the small words before it: 'Pim den Hertog' is 'den Hertog'."""
    words = name.split()
    first = len(words) - 1
    while first > 1 and words[first - 1].islower():
        first -= 1
    return " ".join(words[first:])


def cited(kb: KnowledgeBase, citations: Iterable[Citation]) -> list[Cited]:
    """Return citations with one line a work, its places in order."""
    places: dict[str, list[str]] = {}
    quotes: dict[str, list[str]] = {}
    for one in citations:
        places.setdefault(one.key, []).extend([one.at] if one.at and one.at not in places.get(one.key, ()) else [])
        quotes.setdefault(one.key, []).extend([one.quote] if one.quote else [])
    return [
        Cited(
            address(f"bibliography/{key}"),
            short_name(kb.bibliography[key]),
            kb.bibliography[key].title,
            tuple(at),
            tuple(quotes[key]),
        )
        for key, at in places.items()
    ]


def entry_page(kb: KnowledgeBase, link: str) -> dict[str, Any]:
    """Return everything the page of an entry shows, ready to be drawn.

    Example:
        >>> from clusterbook.knowledge import load_knowledge
        >>> page = entry_page(load_knowledge(), "mechanisms/labour-mobility")
        >>> page["kind"].one
        'Mechanism'
    """
    kind = link.partition("/")[0]
    entry = kb.get(link)
    relations = kb.relations(link)
    judged = frozenset(getattr(entry, "judged", ()))
    also = [r.link for r in relations if r.field == "related"]
    origin = kb.origin(link)
    return {
        "link": link,
        "kind": KINDS[kind],
        "kind_href": f"library/{kind}.html",
        "title": entry.title,
        "text": getattr(entry, "text", ""),
        "judged": [name for name in ("title", "text") if name in judged],
        "glance": _glance(entry, judged),
        "blocks": _body(kb, kind, entry, judged),
        "groups": relation_groups(kb, kind, entry, relations),
        "also": [linked(kb, other) for other in dict.fromkeys(also)],
        "sources": cited(kb, entry.sources if hasattr(entry, "sources") else [entry.source]),
        "tags": list(getattr(entry, "tags", ())),
        "own": "" if origin.folder == "bundled" else f"{origin.file}, line {origin.line}",
    }


# --- the box at the side ---------------------------------------------------------------------------------------------


def _glance(entry: Any, judged: frozenset[str]) -> list[Block]:
    found = _place(entry, judged)
    for name in GLANCE:
        value = getattr(entry, name, None)
        if value is None or value == []:
            continue
        values = value if isinstance(value, list) else [value]
        free = name in ("unit", "frequency", "policy", "industry", "factor")
        words = ", ".join(str(v) if free else value_words(name, v) for v in values)
        found.append(Block("text", field_words(name), words, name in judged))
    if hasattr(entry, "early_cooperation"):
        yes = [name for name, answer in entry.early_cooperation if answer == "yes"]
        found.append(Block("text", "Early co-operation", f"{len(yes)} of 4 conditions", "early_cooperation" in judged))
    return found


def _place(entry: Any, judged: frozenset[str]) -> list[Block]:
    """Return where and when a case or study was."""
    found = []
    if hasattr(entry, "place"):
        name, where = entry.place.name, country(entry.place.country)
        whole = name if entry.place.country is None or where in name else f"{name}, {where}"
        found.append(Block("text", "Place", whole, "place" in judged))
        years = _years(entry.start, entry.end)
        if years:
            found.append(Block("text", "Years", years, bool({"start", "end"} & judged)))
    elif isinstance(getattr(entry, "country", None), str):
        found.append(Block("text", "Country", country(entry.country)))
    return found


def _years(start: int | None, end: int | None) -> str:
    if start is not None and end is not None:
        return f"{start} to {end}"
    if start is not None:
        return f"From {start}"
    return "" if end is None else f"Until {end}"


# --- the middle ------------------------------------------------------------------------------------------------------


def _body(kb: KnowledgeBase, kind: str, entry: Any, judged: frozenset[str]) -> list[Block]:
    blocks = [*(_case(kb, entry) if kind == "cases" else ()), *_special(kb, entry, judged)]
    for name, shape in BODY.items():
        value = getattr(entry, name, None)
        if not value:
            continue
        if shape == "sides":
            value = [(side.text, cited(kb, side.sources)) for side in value]
        blocks.append(Block(shape, field_words(name), value, name in judged))
    if record := getattr(entry, "record", None):
        told = [(value_words("record", name), text, NO_SOURCES) for name, text in record.items()]
        blocks.append(Block("pairs", "Context, intervention, process and performance", told, "record" in judged))
    return blocks


def _special(kb: KnowledgeBase, entry: Any, judged: frozenset[str]) -> Iterable[Block]:
    """Yield the parts of an entry that are more than a text or a list."""
    fields = type(entry).model_fields
    if "steps" in fields:
        yield Block("steps" if entry.ordered else "parts", "Steps", steps(kb, entry), "steps" in judged)
    if "questions" in fields:
        questions = [(q.text, q.good, q.why, cited(kb, q.sources)) for q in entry.questions]
        yield Block("questions", "Questions", questions)
    if "changes" in fields:
        yield Block("pairs", "What changes", [(c.aspect, c.text, cited(kb, c.sources)) for c in entry.changes])
    if entry_values := getattr(entry, "values", None):
        yield Block("pairs", "Values", [(v.title, v.text or "", NO_SOURCES) for v in entry_values], "values" in judged)
    if levels := getattr(entry, "levels", None):
        pairs = [(value_words("levels", name), _sentence(text), NO_SOURCES) for name, text in levels.items()]
        yield Block("pairs", field_words("levels"), pairs, "levels" in judged)
    if "early_cooperation" in fields:
        answers = [(value_words("conditions", name), answer) for name, answer in entry.early_cooperation]
        yield Block("conditions", "Early co-operation", answers, "early_cooperation" in judged)
    if "evidence" in fields:
        evidence = entry.evidence
        links = [linked(kb, f"studies/{i}") for i in evidence.studies] + [
            linked(kb, f"cases/{i}") for i in evidence.cases
        ]
        content = (value_words("strength", evidence.strength), evidence.text, links)
        yield Block("evidence", "Evidence", content, "evidence" in judged)
    if cautions := getattr(entry, "cautions", None):
        yield Block("cautions", "Cautions", [(c.text, cited(kb, c.sources)) for c in cautions], "cautions" in judged)
    if edition := getattr(entry, "edition", None):
        table, _, column = edition.partition(".")
        yield Block("edition", field_words("edition"), (table, column), "edition" in judged)
    if "rows" in fields:
        yield Block("rows", "Rows", [(row.label, [linked(kb, e) for e in row.entries]) for row in entry.rows])


def steps(kb: KnowledgeBase, process: Any) -> list[dict[str, Any]]:
    """Return the steps of a process with who carries them out and where each stands."""
    return [
        {
            "id": step.id,
            "title": step.title,
            "text": step.text,
            "actors": [linked(kb, f"concepts/{actor}") for actor in step.actors],
            "sources": cited(kb, step.sources),
        }
        for step in process.steps
    ]


def _case(kb: KnowledgeBase, case: Any) -> Iterable[Block]:
    outcome = (case.outcome.text, value_words("grade", case.outcome.grade), case.outcome.grade)
    yield Block("outcome", "What came of it", outcome, "outcome" in case.judged)
    figures = [
        (f.label, amount(f.value, f.low, f.high, about=f.about), f.unit, f.year, cited(kb, f.sources))
        for f in case.figures
    ]
    if figures:
        yield Block("figures", "Figures", figures, "figures" in case.judged)
    names = {figure_key(f.name): f"{f.label}, {f.year}" for f in case.figures}
    derived = [
        (d.label, None if d.value is None else amount(d.value, about=d.about), d.unit, _sum(d.expression, names), d.why)
        for d in kb.derived(case)
    ]
    if derived:
        yield Block("derived", "Computed from these figures", derived)


def _sum(expression: str, names: dict[str, str]) -> str:
    """Return a sum with the labels of its figures in place of their names."""
    labelled = re.sub(r"[A-Za-z_]\w*", lambda m: f"[{names.get(m.group(), m.group())}]", expression)
    return labelled.replace("**", "^").replace("*", "×").replace(" - ", " − ")


def amount(value: float | None, low: float | None = None, high: float | None = None, *, about: bool = False) -> str:
    """Return a figure as it is read: grouped, three digits of a fraction, a range as such, unknown said.

    >>> amount(12500), amount(None, 10, 20), amount(6.98765, about=True), amount(None)
    ('12,500', '10 to 20', 'about 6.99', 'not stated')
    """
    if value is not None:
        words = _number(value)
    elif low is not None and high is not None:
        words = f"{_number(low)} to {_number(high)}"
    elif low is not None or high is not None:
        words = f"at least {_number(low)}" if low is not None else f"at most {_number(high or 0)}"
    else:
        return "not stated"
    return f"about {words}" if about else words


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:,.3g}".replace("-", "−")


# --- relations ------------------------------------------------------------------------------------------------------


def relation_groups(kb: KnowledgeBase, kind: str, entry: Any, relations: Sequence[Relation]) -> list[Block]:
    """Return the relations of an entry by what they say, those it states before those that others state."""
    judged = frozenset(getattr(entry, "judged", ()))
    hidden = ELSEWHERE.get(kind, ())
    groups: dict[tuple[str, str], dict[str, str]] = {}
    marked: set[tuple[str, str]] = set()
    for relation in relations:
        own = relation.direction == "out"
        if relation.field in ("key", "related") or (own and relation.field in hidden):
            continue
        group = (relation.direction, relation.name)
        degree = getattr(entry, relation.field, None) if own else None
        target = relation.link.partition("/")[2]
        note = str(degree.get(target, "")) if isinstance(degree, dict) else ""
        groups.setdefault(group, {})[relation.link] = note
        if own and {relation.field, WHOLE.get(relation.field, "")} & judged:
            marked.add(group)
    return [
        Block(
            "links",
            _sentence(name),
            [linked(kb, link, note) for link, note in links.items()],
            (direction, name) in marked,
        )
        for (direction, name), links in groups.items()
    ]
