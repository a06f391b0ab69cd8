"""Cases by analogy of setting: how far each is from the place described, part by part, with what is not known said.

The distance is our own rule, after Gower (1971): the weighted mean of the distances of its parts, each from 0 (alike)
to 1 (nothing in common). Only parts that were described count, and what a case has beyond them is no difference:
nobody said that it was not so in the place described. Settings, types and instruments are compared by the share of
those asked for that the case has, industries by the share of the words, stages by the steps of the life cycle between
them (either way, as a share of the most there can be). What a case does not state counts as it does for the average
case that states it, so that silence makes it neither near nor far, and is said. Cases that state nothing of what was
asked are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterbook.errors import ClusterbookError
from clusterbook.knowledge.words import stems

if TYPE_CHECKING:
    from clusterbook.knowledge.base import KnowledgeBase
    from clusterbook.knowledge.models import Case

#: How much each part of the distance counts (our judgement: the setting decides what carries over).
WEIGHTS = {"settings": 3.0, "stage": 2.0, "types": 2.0, "industry": 2.0, "instruments": 1.0}


@dataclass(frozen=True)
class Part:
    """One part of a distance, from 0 to 1; None where the case does not state it. ``text`` says why."""

    name: str
    distance: float | None
    weight: float
    text: str


@dataclass(frozen=True)
class Analogy:
    """A case with its distance from the place described: 0 is alike in every part, 1 in none."""

    link: str
    title: str
    distance: float
    parts: tuple[Part, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """What the case does not state, though it was asked for."""
        return tuple(part.name for part in self.parts if part.distance is None)


def similar_cases(
    kb: KnowledgeBase,
    settings: Collection[str],
    industry: str,
    stage: str | None,
    types: Collection[str],
    instruments: Collection[str],
    limit: int | None,
) -> list[Analogy]:
    """Do what ``KnowledgeBase.similar_cases`` says."""
    for kind, ids in (("settings", settings), ("stages", [stage] if stage else ()), ("types", types)):
        for entry_id in ids:
            kb.get(f"{kind}/{entry_id}")
    for entry_id in instruments:
        kb.get(f"instruments/{entry_id}")
    if not (settings or stems(industry) or stage or types or instruments):
        raise ClusterbookError("Describe the place: name settings, an industry, a stage, types or instruments.")
    described = []
    for case in kb.cases.values():
        parts = []
        if settings:
            parts.append(_share("settings", settings, case.settings))
        if stage:
            parts.append(_stages(kb, stage, case.stage))
        if types:
            parts.append(_share("types", types, case.types))
        if stems(industry):
            parts.append(_share("industry", stems(industry), stems(case.industry or "")))
        if instruments:
            parts.append(_share("instruments", instruments, case.instruments))
        if any(part.distance is not None for part in parts):
            described.append((case, tuple(parts)))
    usual = _usual([part for _, parts in described for part in parts])
    nearest = sorted((_analogy(case, parts, usual) for case, parts in described), key=_order)
    return nearest[:limit]


def _usual(parts: Sequence[Part]) -> dict[str, float]:
    """Return the mean distance of each part over the cases that state it."""
    known: dict[str, list[float]] = {}
    for part in parts:
        if part.distance is not None:
            known.setdefault(part.name, []).append(part.distance)
    return {name: sum(distances) / len(distances) for name, distances in known.items()}


def _analogy(case: Case, parts: tuple[Part, ...], usual: dict[str, float]) -> Analogy:
    known = [part for part in parts if part.name in usual]
    far = sum(part.weight * (usual[part.name] if part.distance is None else part.distance) for part in known)
    return Analogy(f"cases/{case.id}", case.title, round(far / sum(part.weight for part in known), 4), parts)


def _order(analogy: Analogy) -> tuple[float, int, str]:
    """Nearest first; of equals the one of which more is known."""
    return analogy.distance, len(analogy.missing), analogy.link


def _stages(kb: KnowledgeBase, asked: str, has: str | None) -> Part:
    if has is None:
        return Part("stage", None, WEIGHTS["stage"], "not stated")
    steps, most = _steps(kb, asked).get(has), max(max(_steps(kb, stage).values()) for stage in kb.stages)
    if steps is None:
        return Part("stage", 1.0, WEIGHTS["stage"], f"{has}, which no path joins with {asked}")
    distance = steps / most if most else 0.0
    text = "the same" if asked == has else f"{has}, {steps} step{'s' if steps != 1 else ''} from {asked}"
    return Part("stage", distance, WEIGHTS["stage"], text)


def _steps(kb: KnowledgeBase, start: str) -> dict[str, int]:
    """Return how many steps, back or forth, each stage is away from one."""
    away, edge = {start: 0}, [start]
    for stage in edge:
        near = [*kb.stages[stage].next, *(other for other in kb.stages if stage in kb.stages[other].next)]
        for other in near:
            if other not in away:
                away[other] = away[stage] + 1
                edge.append(other)
    return away


def _share(name: str, asked: Collection[str], has: Collection[str]) -> Part:
    """Compare by the share of what was asked for that the case has."""
    if not has:
        return Part(name, None, WEIGHTS[name], "not stated")
    wanted = dict.fromkeys(asked)
    shared = [item for item in wanted if item in has]
    text = f"in common: {', '.join(shared) or 'nothing'}"
    if lacking := [item for item in wanted if item not in has]:
        text += f"; not there: {', '.join(lacking)}"
    return Part(name, 1 - len(shared) / len(wanted), WEIGHTS[name], text)
