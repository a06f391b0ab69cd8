"""The knowledge base: entries by kind, the relations between them both ways, and what can be asked of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast, get_args

from clusterbook.errors import ClusterbookError
from clusterbook.knowledge import models as m
from clusterbook.knowledge.analogy import Analogy, similar_cases
from clusterbook.knowledge.arithmetic import evaluate, names_in
from clusterbook.knowledge.asking import Answer, Phrases, answer, phrases_of
from clusterbook.knowledge.links import link_of
from clusterbook.knowledge.reading import Origin, Translation
from clusterbook.knowledge.search import Hit, Index, search

if TYPE_CHECKING:
    import polars as pl


class Relation(NamedTuple):
    """A relation of an entry: its name in words, the entry at the other end, and which of the two states it.

    ``direction`` is 'out' where this entry names the other one, 'in' where it is named. ``field`` is the field that
    says so, of this entry ('out') or of the other one ('in').
    """

    name: str
    link: str
    direction: Literal["out", "in"]
    field: str


class Spoken(NamedTuple):
    """Title and text of an entry in one language; ``translated`` tells whether it is the language asked for."""

    title: str
    text: str
    language: str
    translated: bool


@dataclass(frozen=True)
class DerivedFigure:
    """A figure computed from those of a case. ``value`` is None where it cannot be known; ``why`` says why not.

    ``about`` is set where one of the figures it is made of is given as approximate.
    """

    label: str
    value: float | None
    unit: str
    expression: str
    about: bool
    why: str | None = None


@dataclass(frozen=True, repr=False)
class KnowledgeBase:
    """All entries, read-only: one table id -> entry for each kind, the bundled ones and the user's together.

    Made by ``load_knowledge``. Every answer is plain data; texts are English unless ``text`` is asked for others.

    >>> from clusterbook.knowledge import load_knowledge
    >>> kb = load_knowledge()
    >>> kb.stages["emerging"].title
    'Emerging cluster'
    """

    concepts: Mapping[str, m.Concept]
    instruments: Mapping[str, m.Instrument]
    mechanisms: Mapping[str, m.Mechanism]
    failures: Mapping[str, m.Failure]
    obstacles: Mapping[str, m.Obstacle]
    risks: Mapping[str, m.Risk]
    success_factors: Mapping[str, m.SuccessFactor]
    weaknesses: Mapping[str, m.Weakness]
    readiness: Mapping[str, m.Readiness]
    gates: Mapping[str, m.Gate]
    framework_conditions: Mapping[str, m.FrameworkCondition]
    elements: Mapping[str, m.Element]
    dimensions: Mapping[str, m.Dimension]
    types: Mapping[str, m.ClusterType]
    stages: Mapping[str, m.Stage]
    settings: Mapping[str, m.Setting]
    phases: Mapping[str, m.Phase]
    processes: Mapping[str, m.Process]
    competences: Mapping[str, m.Competence]
    roles: Mapping[str, m.Role]
    recommendations: Mapping[str, m.Recommendation]
    indicators: Mapping[str, m.Indicator]
    cases: Mapping[str, m.Case]
    studies: Mapping[str, m.Study]
    claims: Mapping[str, m.Claim]
    tensions: Mapping[str, m.Tension]
    source_errors: Mapping[str, m.SourceError]
    glossary: Mapping[str, m.Term]
    bibliography: Mapping[str, m.Reference]
    guidelines: Mapping[str, m.Guideline]
    tables: Mapping[str, m.SourceTable]
    #: link -> where the entry comes from
    origins: Mapping[str, Origin]
    #: language -> kind -> id -> title and text
    translations: Mapping[str, Mapping[str, Mapping[str, Translation]]]
    # relations and index as JSON, read when first asked for: many a user only looks something up
    _relations_json: bytes = field(repr=False)
    _index_json: bytes = field(repr=False)

    def __repr__(self) -> str:
        return f"<KnowledgeBase: {len(self.origins):,} entries of {len(self.kinds)} kinds>"

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of the kinds, such as 'success-factors'."""
        return tuple(m.KINDS)

    def entries(self, kind: str) -> Mapping[str, m.Model]:
        """Return the entries of a kind by id.

        Raises:
            ClusterbookError: there is no such kind.
        """
        if kind not in m.KINDS:
            raise ClusterbookError(f"There is no kind '{kind}'{_meant(kind, m.KINDS)}. Kinds: {', '.join(m.KINDS)}.")
        return cast(Mapping[str, m.Model], getattr(self, kind.replace("-", "_")))

    def get(self, link: str) -> Any:
        """Return the entry that a link names.

        Args:
            link: kind and id, as 'instruments/cluster-broker'.

        Raises:
            ClusterbookError: there is no such entry; the message names the nearest ones.

        >>> from clusterbook.knowledge import load_knowledge
        >>> load_knowledge().get("mechanisms/labour-mobility").number
        2
        """
        kind, slash, entry_id = link.partition("/")
        if not slash:
            raise ClusterbookError(f"'{link}' is no link: write kind and id, as 'stages/emerging'.")
        entries = self.entries(kind)
        if entry_id not in entries:
            raise ClusterbookError(f"There is no entry {link}{_meant(entry_id, entries)}.")
        return entries[entry_id]

    def origin(self, entry: str | m.Model) -> Origin:
        """Return where an entry (or the one a link names) comes from: 'bundled' or the user's folder, file and line."""
        return self.origins[self._link(entry)]

    def text(self, entry: str | m.Model, language: str = "en") -> Spoken:
        """Return title and text of an entry in a language, or in English where it is not translated.

        ``translated`` of what comes back is False for English that stands in for a missing translation.
        """
        link = self._link(entry)
        kind, _, entry_id = link.partition("/")
        found = self.get(link)
        title, text = found.title, getattr(found, "text", "")
        translation = self.translations.get(language, {}).get(kind, {}).get(entry_id)
        if translation is None:
            return Spoken(title, text, "en", language == "en")
        return Spoken(translation.title, translation.text or text, language, translation.text is not None or not text)

    @property
    def languages(self) -> tuple[str, ...]:
        """English and every language that some entry is translated into."""
        return ("en", *sorted(set(self.translations) - {"en"}))

    def relations(self, entry: str | m.Model, *, kinds: Collection[str] = ()) -> tuple[Relation, ...]:
        """Return the relations of an entry, those it states first, then those that others state.

        Args:
            entry: an entry or its link.
            kinds: keep only relations with entries of these kinds; all where empty.

        >>> from clusterbook.knowledge import load_knowledge
        >>> kb = load_knowledge()
        >>> {r.name for r in kb.relations("mechanisms/labour-mobility", kinds=["instruments"])}
        {'is strengthened by'}
        """
        link = self._link(entry)
        self.get(link)
        found = self._relations(link)
        return tuple(r for r in found if not kinds or r.link.partition("/")[0] in kinds)

    def matrix(self, rows: str, columns: str) -> pl.DataFrame:
        """Return which entries of one kind belong to which of another, as a table of true and false.

        Args:
            rows: a kind.
            columns: a field of that kind ('goals', 'levels', 'actors'), or a kind related to it either way
                ('failures' x 'instruments'). Harm ('does harm in') and 'see also' are no belonging.

        Returns:
            One row an entry (column ``id``), one boolean column an id of ``columns``.

        Raises:
            ClusterbookError: a kind is not known, or the two have nothing to do with each other.
        """
        import polars as pl  # late: looking up an entry needs no frames

        ids = list(self.entries(rows))
        held = {i: self._held(rows, i, columns) for i in ids}
        named = set().union(*held.values())
        if not named:
            raise ClusterbookError(f"No entry of {rows} has to do with '{columns}': name a field of {rows} or a kind.")
        order = {name: at for at, name in enumerate(self._order(rows, columns))}
        names = sorted(named | set(order if columns in m.KINDS else ()), key=lambda n: (order.get(n, len(order)), n))
        return pl.DataFrame({"id": ids, **{name: [name in held[i] for i in ids] for name in names}})

    def _held(self, kind: str, entry_id: str, columns: str) -> set[str]:
        entry = self.entries(kind)[entry_id]
        value = getattr(entry, columns, None)
        if isinstance(value, dict):
            return set(value)
        relations = self._relations(f"{kind}/{entry_id}")
        outward = {r.link.partition("/")[2] for r in relations if r.direction == "out" and r.field == columns}
        if outward or columns in type(entry).model_fields:
            return outward or ({value} if isinstance(value, str) else set())
        sound = [r for r in relations if r.field not in ("related", "harms")]
        return {r.link.partition("/")[2] for r in sound if r.link.startswith(f"{columns}/")}

    def _order(self, kind: str, columns: str) -> Iterable[str]:
        """Return the columns in the order of the files, or of a closed list."""
        if columns in m.KINDS:
            return self.entries(columns)
        if kind == "instruments" and columns == "levels":
            return get_args(m.Level)
        return self.concepts

    def derived(self, case: str | m.Case) -> tuple[DerivedFigure, ...]:
        """Return the derived figures of a case (or of the case with an id), computed from its figures.

        A figure that is given as a range or not at all makes what is derived from it unknown.

        >>> from clusterbook.knowledge import load_knowledge
        >>> [round(f.value, 2) for f in load_knowledge().derived("styria-automotive")]
        [50.0, 6.99]
        """
        found = case if isinstance(case, m.Case) else self.get(f"cases/{case.removeprefix('cases/')}")
        return tuple(_derive(found, derived) for derived in found.derived)

    def search(
        self,
        words: str = "",
        *,
        kinds: Collection[str] = (),
        tags: Collection[str] = (),
        filters: Mapping[str, str | Collection[str]] | None = None,
        related_to: str | Collection[str] = (),
        limit: int | None = 20,
    ) -> list[Hit]:
        """Return the entries that match, the best first, each with the reasons.

        Args:
            words: looked for in titles (weight 4), tags and ids (2) and texts (1), endings aside; an entry must have
                at least one of them.
            kinds: only these kinds; all but 'tables' where empty.
            tags: the entry must have all of them.
            filters: field -> value or values, such as ``{"failures": "missing-demanding-customers", "risk": "low"}``.
                Several values of a field are alternatives. ``setting``, ``stage``, ``type`` and ``phase`` describe the
                place: all values hold together, an instrument that does harm in one is left out, one that fits ranks
                higher, and one of which nothing is said stays, lower. ``level`` (of government) likewise keeps
                instruments that state no level. Goals and failures include those that are part of them.
            related_to: link or links of entries to which it must be related, either way.
            limit: at most so many; None for all.

        Raises:
            ClusterbookError: an unknown kind, field, value or link.

        Entries are ranked by how many filters they are known to meet, then by BM25 of the words (Robertson and
        Zaragoza 2009, k1 = 1.2, b = 0.75, weights of fields ours).

        >>> from clusterbook.knowledge import load_knowledge
        >>> load_knowledge().search("alumni", kinds=["mechanisms"])[0].link
        'mechanisms/alumni-recruitment'
        """
        return search(self, words, kinds=kinds, tags=tags, filters=filters, related_to=related_to, limit=limit)

    def ask(self, sentence: str, *, limit: int | None = 20) -> Answer:
        """Answer a plain sentence, and say how it was understood.

        Names of kinds, titles and ids of entries and the synonyms of synonyms.yaml become kinds and filters; what is
        left helps to rank, or is searched for where nothing else was understood. No grammar, no negation.

        >>> from clusterbook.knowledge import load_knowledge
        >>> asked = load_knowledge().ask("instruments with low risk that a municipality can act on")
        >>> asked.kinds, asked.filters
        (('instruments',), {'risk': ('low',), 'level': ('local',)})
        """
        return answer(self, sentence, limit=limit)

    def similar_cases(
        self,
        *,
        settings: Collection[str] = (),
        industry: str = "",
        stage: str | None = None,
        types: Collection[str] = (),
        instruments: Collection[str] = (),
        limit: int | None = 10,
    ) -> list[Analogy]:
        """Return the cases whose setting is most like the one described, nearest first, with the distance explained.

        Args:
            settings: ids of settings, such as 'rural'; stage, types and instruments likewise.
            industry: what the cluster makes, in words.
            limit: at most so many; None for all.

        Raises:
            ClusterbookError: an unknown id, or nothing described.

        The distance is from 0 to 1; see ``clusterbook.knowledge.analogy`` for the rule.
        """
        return similar_cases(self, settings, industry, stage, types, instruments, limit)

    def _link(self, entry: str | m.Model) -> str:
        if not isinstance(entry, str):
            return link_of(entry)
        self.get(entry)
        return entry

    def _relations(self, link: str) -> tuple[Relation, ...]:
        """Return all relations of an entry; the way back is derived here."""
        if link not in self._made:
            stored = self._stored_relations
            links, words, ends = stored["links"], stored["words"], stored["ends"].get(link, ())
            found = []
            for word, other in zip(ends[::2], ends[1::2], strict=True):
                inward = word < 0  # see loading._relations
                name, says, back = words[~word if inward else word]
                found.append(Relation(back if inward else says, links[other], "in" if inward else "out", name))
            self._made[link] = tuple(found)
        return self._made[link]

    @cached_property
    def _made(self) -> dict[str, tuple[Relation, ...]]:
        """Relations made so far: a question touches few of them, and making all would take longer than it."""
        return {}

    @cached_property
    def _stored_relations(self) -> dict[str, Any]:
        stored: dict[str, Any] = json.loads(self._relations_json)
        return stored

    @cached_property
    def _index(self) -> Index:
        return Index(**self._stored_index["words"])

    @cached_property
    def _phrases(self) -> Phrases:
        return phrases_of(self._stored_index["phrases"])

    @cached_property
    def _stored_index(self) -> dict[str, Any]:
        stored: dict[str, Any] = json.loads(self._index_json)
        return stored


def _derive(case: m.Case, derived: m.Derived) -> DerivedFigure:
    figures = {m.figure_key(figure.name): figure for figure in case.figures}
    used = [figures[name] for name in names_in(derived.expression)]
    about = any(figure.about for figure in used)
    unknown = [figure.label for figure in used if figure.value is None]
    value, why = None, None
    if unknown:
        why = f"no single value is known of: {', '.join(unknown)}"
    else:
        known = {name: figure.value for name, figure in figures.items() if figure.value is not None}
        try:
            value = evaluate(derived.expression, known)
        except ArithmeticError as error:
            why = f"cannot be computed: {error}"
    return DerivedFigure(derived.label, value, derived.unit, derived.expression, about, why)


def _meant(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=3)
    return f"; did you mean {' or '.join(near)}?" if near else ""
