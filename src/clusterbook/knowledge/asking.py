"""Plain sentences to filters: kinds, titles, ids and synonyms are looked for, longest first; nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from clusterbook.knowledge.links import reference_fields
from clusterbook.knowledge.models import KINDS
from clusterbook.knowledge.reading import parse_yaml
from clusterbook.knowledge.search import PLACE, Hit, filters_of, search
from clusterbook.knowledge.words import stems, tokens

if TYPE_CHECKING:
    from clusterbook.knowledge.base import KnowledgeBase

#: The field of an instrument or other entry in which a concept of each group stands.
GROUP_FIELDS = {
    "goal": "goals",
    "objective": "objectives",
    "dynamic": "dynamics",
    "policy-family": "families",
    "facet": "facets",
    "lever": "levers",
    "silo": "silos",
    "actor": "actors",
    "relation": "relation",
    "perspective": "perspective",
    "scorecard": "scorecards",
}


class Meaning(NamedTuple):
    """What a phrase stands for: a kind ('kind', 'cases'), an entry ('entry', link), or a filter with its value."""

    name: str
    value: str


#: stems of a phrase -> what it may stand for
Phrases = dict[tuple[str, ...], tuple[Meaning, ...]]


@dataclass(frozen=True)
class Answer:
    """How a sentence was understood, and what was found.

    ``parts`` has every phrase that was understood, with its meaning in words, in the order of the sentence; ``words``
    are those left over, which only help to rank where there are filters.
    """

    sentence: str
    kinds: tuple[str, ...]
    filters: dict[str, tuple[str, ...]]
    words: tuple[str, ...]
    parts: tuple[tuple[str, str], ...]
    hits: list[Hit]

    def understood(self) -> str:
        """Return in one line how the sentence was understood."""
        said = [f"'{phrase}' as {meaning}" for phrase, meaning in self.parts]
        if self.words:
            said.append(f"words: {', '.join(self.words)}")
        return "; ".join(said) or "nothing was understood"


def answer(kb: KnowledgeBase, sentence: str, *, limit: int | None = 20) -> Answer:
    """Do what ``KnowledgeBase.ask`` says."""
    read = _read(kb._phrases, sentence)
    kinds = tuple(dict.fromkeys(m.value for _, meanings in read for m in meanings if m.name == "kind"))[:1]
    looked_at = kinds or _default_kind(read)
    filters: dict[str, list[str]] = {}
    parts, words = [], []
    for phrase, meanings in read:
        if not meanings:
            words.append(phrase)
            continue
        if meanings[0].name == "kind":
            if meanings[0].value in kinds:
                parts.append((phrase, meanings[0].value))
            else:
                words.append(phrase)
            continue
        filtered = _as_filter(kb, looked_at, meanings)
        if filtered is None:
            words.append(phrase)
            continue
        name, value = filtered
        if value not in filters.setdefault(name, []):
            filters[name].append(value)
        parts.append((phrase, f"{name.replace('_', ' ')} = {value}"))
    used = {name: tuple(values) for name, values in filters.items()}
    words = [word for word in words if not set(stems(word)) <= _noise()] if used or kinds else words
    hits = search(kb, " ".join(words), kinds=looked_at, filters=used, limit=limit, words_needed=not used)
    return Answer(sentence, looked_at, used, tuple(words), tuple(parts), hits)


def phrase_index(entries: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, list[str]]:
    """Return the stems of titles and ids of entries (link, plain data) that others name, and what they stand for."""
    kinds = _named_kinds()
    found: dict[str, list[str]] = {}
    for link, data in entries:
        if link.partition("/")[0] in kinds:
            for phrase in {" ".join(stems(text)) for text in (data["title"], data["id"])} - {""}:
                found.setdefault(phrase, []).append(link)
    return found


def phrases_of(index: Mapping[str, Sequence[str]]) -> Phrases:
    """Return all phrases that are understood: titles and ids of entries, names of kinds, and synonyms over them."""
    entries = {tuple(p.split(" ")): tuple(Meaning("entry", link) for link in links) for p, links in index.items()}
    return entries | {tuple(stems(kind)): (Meaning("kind", kind),) for kind in KINDS} | _synonyms()


def _named_kinds() -> set[str]:
    """Return the kinds that fields of other entries name, citations apart."""
    named = {ref.kind for model in KINDS.values() for ref in reference_fields(model).values()}
    return named - {"bibliography", "*"}


@cache
def _synonyms() -> Phrases:
    """Read synonyms.yaml: what stands for it -> phrases."""
    stored = _stored()["phrases"]
    found: Phrases = {}
    for meaning, phrases in stored.items():
        name, _, value = meaning.partition(" ")
        for phrase in phrases:
            found[tuple(stems(phrase))] = (Meaning(name, value),)
    return found


@cache
def _noise() -> frozenset[str]:
    return frozenset(stem for word in _stored()["noise"] for stem in stems(word))


@cache
def _stored() -> dict[str, Any]:
    text = (Path(__file__).parent / "synonyms.yaml").read_text(encoding="utf-8")
    stored: dict[str, Any] = parse_yaml(text)[1]
    return stored


def _read(phrases: Phrases, sentence: str) -> list[tuple[str, tuple[Meaning, ...]]]:
    """Cut a sentence into the longest phrases that are known and the single words between them."""
    words = tokens(sentence)
    longest = max(map(len, phrases), default=1)
    found, at = [], 0
    while at < len(words):
        for size in range(min(longest, len(words) - at), 0, -1):
            part = words[at : at + size]
            meanings = phrases.get(tuple(stem for stem, _, _ in part), ())
            if meanings or size == 1:
                found.append((sentence[part[0][1] : part[-1][2]], meanings))
                at += size
                break
    return found


def _default_kind(read: list[tuple[str, tuple[Meaning, ...]]]) -> tuple[str, ...]:
    """Return instruments where a sentence says what they are needed for but not that they are; else any kind."""
    wanted = {*PLACE.values(), "failures", "obstacles"}
    for meaning in (meaning for _, meanings in read for meaning in meanings):
        if meaning.name != "entry" or meaning.value.partition("/")[0] in wanted:
            return ("instruments",)
    return ()


def _as_filter(kb: KnowledgeBase, kinds: tuple[str, ...], meanings: tuple[Meaning, ...]) -> tuple[str, str] | None:
    """Return filter and value that a phrase stands for among the kinds, or None where there is none or several."""
    found: dict[tuple[str, str], None] = {}
    for meaning in meanings:
        for kind in kinds:
            if meaning.name != "entry":
                if _applies(kind, meaning.name):
                    found[meaning.name, meaning.value] = None
            elif name := _filter_for(kb, kind, meaning.value):
                found[name, meaning.value.partition("/")[2]] = None
    return next(iter(found)) if len(found) == 1 else None


def _applies(kind: str, name: str) -> bool:
    return any(form in filters_of(kind) for form in (name, f"{name}s"))


def _filter_for(kb: KnowledgeBase, kind: str, link: str) -> str | None:
    """Return the filter of a kind that takes an entry as value."""
    target = link.partition("/")[0]
    place = next((name for name, held in PLACE.items() if held == target), None)
    if place and _applies(kind, place):
        return place
    fields = [name for name, ref in reference_fields(KINDS[kind]).items() if ref.kind == target and name != "parent"]
    if target == "concepts":
        group = GROUP_FIELDS.get(kb.get(link).group)
        return group if group in fields else None
    return fields[0] if fields else None
