"""Find entries by words, by what they are related to, and by whether they fit a place."""

from __future__ import annotations

import heapq
import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from clusterbook.errors import ClusterbookError
from clusterbook.knowledge.links import reference_fields
from clusterbook.knowledge.models import KINDS, Model
from clusterbook.knowledge.words import stems, tokens

if TYPE_CHECKING:
    from clusterbook.knowledge.base import KnowledgeBase, Relation

#: What a word counts for where it stands.
WEIGHTS = {"title": 4, "tags": 2, "text": 1}
#: BM25: how soon further occurrences stop counting, and how much long entries are held back.
K1, B = 1.2, 0.75
#: Filters that describe a place, and the kind of entry that their values are.
PLACE = {"setting": "settings", "stage": "stages", "type": "types", "phase": "phases"}

_SNIPPET = 180  # characters
_IDS = re.compile(r"[a-z0-9]+(?:[-./][a-z0-9]+)*")  # ids, links and members of closed lists
_SKIPPED = frozenset({"id", "title", "tags", "sources", "expression", "doi"})


@dataclass(frozen=True)
class Hit:
    """An entry found.

    ``why`` says in words what speaks for it, ``unknown`` which filters it could not be held against. ``marks`` are
    the places (begin, end) in ``snippet`` of the words looked for.
    """

    link: str
    title: str
    score: float
    why: tuple[str, ...]
    unknown: tuple[str, ...]
    snippet: str
    marks: tuple[tuple[int, int], ...]

    def marked(self, before: str = "**", after: str = "**") -> str:
        """Return the snippet with the words looked for between marks.

        >>> Hit("glossary/x", "X", 1.0, (), (), "a rare word", ((2, 6),)).marked()
        'a **rare** word'
        """
        parts, at = [], 0
        for begin, end in self.marks:
            parts += [self.snippet[at:begin], before, self.snippet[begin:end], after]
            at = end
        return "".join([*parts, self.snippet[at:]])


@dataclass(frozen=True)
class Index:
    """Which words stand in which entries: for each stem the numbers of entries and its weight there, in turn."""

    links: list[str]
    lengths: list[int]
    terms: dict[str, list[int]]

    @cached_property
    def sorted_terms(self) -> list[str]:
        """All stems, to find those that begin alike; they were stored in order."""
        return list(self.terms)

    @cached_property
    def mean_length(self) -> float:
        """The mean weight of all words of an entry."""
        return sum(self.lengths) / max(len(self.lengths), 1)

    def known(self, stem: str) -> list[str]:
        """Return the stem if some entry has it, else those that begin with it (from three letters on)."""
        if stem in self.terms:
            return [stem]
        if len(stem) < 3:
            return []
        found = []
        for term in self.sorted_terms[bisect_left(self.sorted_terms, stem) :]:
            if not term.startswith(stem):
                break
            found.append(term)
        return found

    def scores(self, wanted: Collection[str]) -> dict[str, float]:
        """Return the BM25 score of every entry that has at least one of the stems."""
        scores: dict[int, float] = {}
        for term in wanted:
            postings = self.terms[term]
            count = len(postings) // 2
            rarity = math.log(1 + (len(self.links) - count + 0.5) / (count + 0.5))
            for at in range(0, len(postings), 2):
                entry, weight = postings[at], postings[at + 1]
                length = 1 - B + B * self.lengths[entry] / self.mean_length
                scores[entry] = scores.get(entry, 0.0) + rarity * weight * (K1 + 1) / (weight + K1 * length)
        return {self.links[entry]: score for entry, score in scores.items()}


def index_of(entries: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return the index of entries (link, plain data), ready to be stored."""
    terms: dict[str, list[int]] = {}
    lengths = []
    for number, (link, data) in enumerate(entries):
        weights: Counter[str] = Counter()
        named = " ".join([link.partition("/")[2], *data.get("tags", ())])
        for weight, text in ((WEIGHTS["title"], data["title"]), (WEIGHTS["tags"], named)):
            for stem in stems(text):
                weights[stem] += weight
        for text in texts_of(data):
            weights.update(stems(text))
        for stem, weight in weights.items():
            terms.setdefault(stem, []).extend((number, weight))
        lengths.append(weights.total())
    return {"links": [link for link, _ in entries], "lengths": lengths, "terms": dict(sorted(terms.items()))}


def texts_of(data: Any) -> Iterator[str]:
    """Yield the texts inside an entry's data; title, tags, sources, ids and members of closed lists left out."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key not in _SKIPPED:
                yield from texts_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from texts_of(value)
    elif isinstance(data, str) and not _IDS.fullmatch(data):
        yield data


class Verdict(NamedTuple):
    """How an entry stands to a filter: 'yes', 'no' or 'unknown', the reason in words, and how many values are met."""

    answer: str
    reason: str
    met: int = 1


def search(
    kb: KnowledgeBase,
    words: str = "",
    *,
    kinds: Collection[str] = (),
    tags: Collection[str] = (),
    filters: Mapping[str, str | Collection[str]] | None = None,
    related_to: str | Collection[str] = (),
    limit: int | None = 20,
    words_needed: bool = True,
) -> list[Hit]:
    """Do what ``KnowledgeBase.search`` says; with ``words_needed`` False the words only help to rank."""
    asked = {_plain(name): _values(value) for name, value in (filters or {}).items()}
    related = _values(related_to)
    for link in related:
        kb.get(link)
    candidates = _candidates(kb, kinds, asked)
    wanted = list(dict.fromkeys(term for stem in stems(words) for term in kb._index.known(stem)))
    scores = kb._index.scores(wanted)
    needed = words_needed and bool(words.strip())
    found = []
    for kind in candidates:
        for entry_id, entry in kb.entries(kind).items():
            link = f"{kind}/{entry_id}"
            if (needed and link not in scores) or not set(tags) <= set(getattr(entry, "tags", ())):
                continue
            verdicts = _verdicts(kb, kind, link, entry, asked, related)
            if verdicts is not None:
                met = sum(verdict.met for verdict in verdicts if verdict.answer == "yes")
                found.append((-met, -scores.get(link, 0.0), link, verdicts))
    found = sorted(found) if limit is None else heapq.nsmallest(limit, found)
    return [_hit(kb, link, -score, verdicts, frozenset(wanted)) for _, score, link, verdicts in found]


def _candidates(kb: KnowledgeBase, kinds: Collection[str], asked: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the kinds to look at: those asked for, or all, that have every field that is asked for."""
    for kind in kinds:
        kb.entries(kind)
    looked_at = list(kinds) or [kind for kind in KINDS if kind != "tables"]
    for name, values in asked.items():
        able = [kind for kind in looked_at if _field(KINDS[kind], name) is not None]
        if not able:
            known = sorted({name for kind in looked_at for name in filters_of(kind)})
            raise ClusterbookError(
                f"Nothing can be filtered by '{name}' among {', '.join(kinds) or 'the entries'}. "
                f"Filters there: {', '.join(known) or 'none'}."
            )
        for value in values:
            _check_value(kb, able, name, value)
        looked_at = able
    return looked_at


def filters_of(kind: str) -> list[str]:
    """Return the names of the filters that apply to a kind.

    >>> "setting" in filters_of("instruments"), "risk" in filters_of("instruments")
    (True, True)
    """
    model = KINDS[kind]
    names = [name for name in reference_fields(model) if name not in ("key", "related", "fits", "harms")]
    names += [name for name in model.model_fields if name not in names and _choices(model, name)]
    return [*(PLACE if "fit" in model.model_fields else ()), *names]


def _check_value(kb: KnowledgeBase, kinds: Sequence[str], name: str, value: str) -> None:
    known: set[str] = set()
    for kind in kinds:
        field = _field(KINDS[kind], name)
        assert field is not None  # only such kinds are handed in
        if field == "fit":
            known |= set(kb.entries(PLACE[name]))
        elif field in reference_fields(KINDS[kind]):
            target = reference_fields(KINDS[kind])[field].kind
            known |= set(kb.origins) if target == "*" else set(kb.entries(target))
        else:
            known |= set(_choices(KINDS[kind], field))
    if value not in known:
        shown = ", ".join(sorted(known)[:30]) + (" ..." if len(known) > 30 else "")
        raise ClusterbookError(f"'{value}' is no value of '{name}'. Values: {shown}.")


def _verdicts(
    kb: KnowledgeBase,
    kind: str,
    link: str,
    entry: Model,
    asked: Mapping[str, tuple[str, ...]],
    related: Collection[str],
) -> list[Verdict] | None:
    """Return how an entry stands to all that is asked, or None where something speaks against it."""
    verdicts = []
    for name, values in asked.items():
        verdict = _verdict(kb, kind, link, entry, name, values)
        if verdict.answer == "no":
            return None
        verdicts.append(verdict)
    for other in related:
        between = (r for r in kb._relations(link) if r.link == other)
        # whoever cites a work is related to it; the works that an entry cites are no finds of their own
        relation = next((r for r in between if (r.field, r.direction) != ("key", "in")), None)
        if relation is None:
            return None
        verdicts.append(Verdict("yes", _in_words(kb, relation)))
    return verdicts


def _verdict(kb: KnowledgeBase, kind: str, link: str, entry: Model, name: str, values: tuple[str, ...]) -> Verdict:
    model = KINDS[kind]
    field = _field(model, name)
    assert field is not None  # kinds without the field are no candidates
    if field == "fit":
        return _fit(kb, link, [f"{PLACE[name]}/{value}" for value in values])
    if field in reference_fields(model):
        target = reference_fields(model)[field].kind
        wanted = {v if target == "*" else f"{target}/{v}" for value in values for v in _with_parts(kb, target, value)}
        held = [r for r in kb._relations(link) if r.direction == "out" and r.field == field]
        met = [relation for relation in held if relation.link in wanted]
        if met:
            return Verdict("yes", "; ".join(_in_words(kb, relation) for relation in met))
        return Verdict("unknown" if not held and name in PLACE else "no", f"{name} not stated")
    value = getattr(entry, field)
    if isinstance(value, dict):
        met_keys = [key for key in values if key in value]
        if met_keys:
            return Verdict("yes", "; ".join(f"{key}: {value[key]}" for key in met_keys))
        return Verdict("unknown" if not value else "no", f"{name} not stated")
    has = value if isinstance(value, list) else [value]
    if shared := [v for v in values if v in has]:
        return Verdict("yes", f"{name.replace('_', ' ')}: {', '.join(shared)}")
    return Verdict("no", "")


def _fit(kb: KnowledgeBase, link: str, wanted: Sequence[str]) -> Verdict:
    """Hold an instrument against the place: any harm is a no, every fit counts, silence is unknown."""
    stated = {r.link: r.field for r in kb._relations(link) if r.field in ("fits", "harms") and r.direction == "out"}
    if any(stated.get(place) == "harms" for place in wanted):
        return Verdict("no", "")
    met = [place for place in wanted if stated.get(place) == "fits"]
    names = ", ".join(_title(kb, place) for place in met or wanted)
    return Verdict("yes", f"fits: {names}", len(met)) if met else Verdict("unknown", f"nothing is said of: {names}")


def _with_parts(kb: KnowledgeBase, kind: str, entry_id: str) -> list[str]:
    """Return an id and those that have it as parent, and theirs."""
    if kind not in KINDS or "parent" not in KINDS[kind].model_fields:
        return [entry_id]
    found = [entry_id]
    for parent in found:
        found += [i for i, e in kb.entries(kind).items() if getattr(e, "parent", None) == parent]
    return found


def _hit(kb: KnowledgeBase, link: str, score: float, verdicts: Sequence[Verdict], wanted: frozenset[str]) -> Hit:
    entry = kb.get(link)
    why = [verdict.reason for verdict in verdicts if verdict.answer == "yes"]
    why += _word_reasons(entry, link, wanted)
    unknown = [verdict.reason for verdict in verdicts if verdict.answer == "unknown"]
    snippet, marks = _snippet(entry, wanted)
    return Hit(link, entry.title, round(score, 4), tuple(why), tuple(unknown), snippet, marks)


def _word_reasons(entry: Any, link: str, wanted: frozenset[str]) -> list[str]:
    """Say which of the words stand in the title, the tags and the text."""
    left, reasons = set(wanted), []
    places = [("title", entry.title), ("tags", " ".join([link.partition("/")[2], *getattr(entry, "tags", ())]))]
    places += [("text", text) for text in _texts(entry)]
    said: dict[str, list[str]] = {}
    for place, text in places:
        for stem, begin, end in tokens(text) if left else ():
            if stem in left:
                left.discard(stem)
                said.setdefault(place, []).append(text[begin:end].lower())
    for place, words in said.items():
        reasons.append(f"{place}: {', '.join(words)}")
    return reasons


def _texts(entry: Model) -> list[str]:
    return list(texts_of(entry.model_dump(exclude_unset=True)))


def _snippet(entry: Model, wanted: frozenset[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the passage with most of the words, and where they stand in it."""
    best: tuple[int, int, str] = (-1, 0, "")
    for text in _texts(entry):
        found = [(stem, begin) for stem, begin, _ in tokens(text) if stem in wanted] if wanted else []
        for at, (_, begin) in enumerate(found or [("", 0)]):
            inside = {stem for stem, other in found[at:] if other < begin + _SNIPPET * 2 // 3}
            if len(inside) > best[0]:
                best = (len(inside), begin, text)
        if not wanted:
            break
    _, begin, text = best
    snippet = _window(text, begin)
    return snippet, tuple((begin, end) for stem, begin, end in tokens(snippet) if stem in wanted)


def _window(text: str, begin: int) -> str:
    """Cut a passage around a place, at spaces, with dots where something was left out."""
    if len(text) <= _SNIPPET:
        return text
    start = max(0, min(begin - _SNIPPET // 4, len(text) - _SNIPPET))
    end = min(len(text), start + _SNIPPET)
    if start > 0:
        start = text.find(" ", start, begin + 1) + 1 or start
    if end < len(text):
        end = text.rfind(" ", start, end) if " " in text[start:end] else end
    return ("… " if start > 0 else "") + text[start:end] + (" …" if end < len(text) else "")


def _in_words(kb: KnowledgeBase, relation: Relation) -> str:
    return f"{relation.name}: {_title(kb, relation.link)}"


def _title(kb: KnowledgeBase, link: str) -> str:
    return str(kb.get(link).title)


def _plain(name: str) -> str:
    """Return the name of a filter as fields are named; 'settings' and 'setting' are one."""
    name = name.replace("-", "_")
    return next((place for place, kind in PLACE.items() if name == kind), name)


def _values(value: str | Collection[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@cache
def _field(model: type[Model], name: str) -> str | None:
    """Return the field that a filter looks at: of that name, or its plural or singular; 'fit' for a place."""
    fields = model.model_fields
    if name in PLACE and "fit" in fields:
        return "fit"
    usable = [f for f in [*reference_fields(model), *fields] if f in reference_fields(model) or _choices(model, f)]
    forms = (name, f"{name}s", name.removesuffix("s"), name.removesuffix("y") + "ies")
    return next((form for form in forms if form in usable), None)


@cache
def _choices(model: type[Model], field: str) -> tuple[str, ...]:
    """Return the closed list of a field (or of its keys), or nothing where it is free."""
    found = model.model_fields.get(field)
    return tuple(_literals(found.annotation)) if found is not None else ()


def _literals(annotation: Any) -> Iterator[str]:
    args = get_args(annotation)
    if args and all(isinstance(arg, str) for arg in args):
        yield from args
    elif getattr(annotation, "__origin__", None) is dict:
        yield from _literals(args[0])
    else:
        for arg in args:
            yield from _literals(arg)
