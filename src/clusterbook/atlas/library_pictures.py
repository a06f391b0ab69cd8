"""Pictures of the whole library: which instrument works through what, who does what, where the cases are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from clusterbook.atlas.library_entry import Linked, address, cited, linked
from clusterbook.atlas.library_words import country, value_words
from clusterbook.knowledge.base import KnowledgeBase


class Picture(NamedTuple):
    """A matrix of instruments: its page, title, what it shows, and the field that holds the columns."""

    name: str
    title: str
    what: str
    field: str


MATRICES = (
    Picture(
        "matrix-mechanisms",
        "Instruments and mechanisms",
        "Which instrument works through which way in which nearness raises performance",
        "mechanisms",
    ),
    Picture("matrix-failures", "Instruments and failures", "Which instrument answers which reason to act", "failures"),
    Picture(
        "matrix-levels",
        "Instruments and levels of government",
        "What local, regional and national government and donors contribute to each instrument",
        "levels",
    ),
)


def goal_of(kb: KnowledgeBase, instrument: Any) -> str:
    """Return the goal under which an instrument stands: the first that is part of another, else the first."""
    parts = [goal for goal in instrument.goals if kb.concepts[goal].parent]
    return str((parts or instrument.goals)[0])


def goals(kb: KnowledgeBase) -> dict[str, str]:
    """Return the goals in reading order, parts under what they are part of, with their titles."""
    used = {goal_of(kb, instrument) for instrument in kb.instruments.values()}
    found = [goal for goal in kb.concepts.values() if goal.group == "goal" or goal.id in used]
    tops = [goal for goal in found if goal.parent is None]
    ordered = [one for top in tops for one in (top, *(goal for goal in found if goal.parent == top.id))]
    return {one.id: one.title for one in [*ordered, *(goal for goal in found if goal not in ordered)]}


def matrix(kb: KnowledgeBase, picture: Picture) -> dict[str, Any]:
    """Return a matrix of instruments, those of a goal together.

    Returns:
        ``columns`` (links or names), ``families`` of columns (title, number of columns) where there are any, and
        ``groups``: id, link of the goal, ``counts`` (number, step of the ramp) and ``rows`` (link, cells). A cell is
        '' where nothing is stated, else what is said, or 'yes'.
    """
    names = _columns(kb, picture.field)
    columns = [("", value_words("levels", n)) if picture.field == "levels" else linked(kb, n)[:2] for n in names]
    rows: dict[str, list[tuple[tuple[int, ...], Linked, list[str]]]] = {}
    for entry_id, instrument in kb.instruments.items():
        cells = _cells(instrument, picture.field, names)
        filled = tuple(at for at, cell in enumerate(cells) if cell)
        key = filled or (len(names),)  # those of which nothing is stated come last
        rows.setdefault(goal_of(kb, instrument), []).append((key, linked(kb, f"instruments/{entry_id}"), cells))
    groups: list[dict[str, Any]] = []
    for goal in goals(kb):
        if goal in rows:
            found = sorted(rows[goal], key=lambda row: (row[0], row[1].title))
            counts = [sum(bool(cells[at]) for _, _, cells in found) for at in range(len(names))]
            drawn = [(link, cells) for _, link, cells in found]
            groups.append({"id": goal, "goal": linked(kb, f"concepts/{goal}"), "counts": counts, "rows": drawn})
    largest = max((count for group in groups for count in group["counts"]), default=0) or 1
    for group in groups:
        group["counts"] = [(count, math.ceil(5 * count / largest)) for count in group["counts"]]
    return {"columns": columns, "families": _families(kb, picture.field, names), "groups": groups}


def _columns(kb: KnowledgeBase, field: str) -> list[str]:
    if field == "levels":
        return ["local", "regional", "national", "donor"]
    if field == "failures":
        order = ("market", "government", "systemic")
        return [f"failures/{f.id}" for f in sorted(kb.failures.values(), key=lambda f: order.index(f.family))]
    return [f"{field}/{entry_id}" for entry_id in kb.entries(field)]


def _families(kb: KnowledgeBase, field: str, names: Sequence[str]) -> list[tuple[str, int]]:
    if field != "failures":
        return []
    families = [kb.get(name).family for name in names]
    return [(f"{value_words('family', one)} failures", families.count(one)) for one in dict.fromkeys(families)]


def _cells(instrument: Any, field: str, names: Sequence[str]) -> list[str]:
    held = getattr(instrument, field)
    if isinstance(held, dict):
        return [held.get(name, "") for name in names]
    return ["yes" if name.partition("/")[2] in held else "" for name in names]


def who_does_what(kb: KnowledgeBase) -> list[dict[str, Any]]:
    """Return the recommendations by the kind of actor they are addressed to, those with most first."""
    by_actor: dict[str, list[Any]] = {}
    for one in kb.recommendations.values():
        for actor in one.actors:
            by_actor.setdefault(actor, []).append(one)
    most = max(map(len, by_actor.values()), default=1)
    return [
        {
            "id": actor,
            "actor": linked(kb, f"concepts/{actor}"),
            "part": round(100 * len(found) / most),
            "recommendations": [
                (address(f"recommendations/{r.id}"), r.title, r.text, cited(kb, r.sources)) for r in found
            ],
        }
        for actor, found in sorted(by_actor.items(), key=lambda item: -len(item[1]))
    ]


def scorecards(kb: KnowledgeBase) -> list[dict[str, Any]]:
    """Return the scorecards as tables of indicators, by perspective where the scorecard has any."""
    found = []
    for card in (c for c in kb.concepts.values() if c.group == "scorecard"):
        held = [i for i in kb.indicators.values() if card.id in i.scorecards]
        own = _perspectives(kb, card.id)
        groups = [
            (depth, linked(kb, f"concepts/{p}"), kb.concepts[p].text, [i for i in held if i.perspective == p])
            for p, depth in own
        ]
        names = {p for p, _ in own}
        rest = [i for i in held if i.perspective not in names]
        found.append(
            {
                "id": card.id,
                "card": linked(kb, f"concepts/{card.id}"),
                "text": card.text,
                "count": len(held),
                "sources": cited(kb, card.sources),
                "groups": [(d, link, text, _indicators(inside)) for d, link, text, inside in groups],
                "rest": _indicators(rest),
            }
        )
    return found


def _perspectives(kb: KnowledgeBase, parent: str, depth: int = 0) -> list[tuple[str, int]]:
    inside = [c.id for c in kb.concepts.values() if c.group == "perspective" and c.parent == parent]
    return [item for one in inside for item in [(one, depth), *_perspectives(kb, one, depth + 1)]]


def _indicators(found: Sequence[Any]) -> list[tuple[str, str, str, str, str, str]]:
    return [
        (
            address(f"indicators/{i.id}"),
            i.title,
            i.unit,
            i.formula,
            value_words("level", i.level),
            value_words("direction", i.direction),
        )
        for i in found
    ]


# --- the map of cases ------------------------------------------------------------------------------------------------

WIDTH = 960.0
SOUTH, NORTH = -54, 72  # no case lies further out
#: Polynomial of the Equal Earth projection (Šavrič, Patterson and Jenny 2019).
_A = ((1.340264, 0), (-0.081106, 1), (0.000893, 3), (0.003796, 4))


def equal_earth(lon: float, lat: float) -> tuple[float, float]:
    """Return where a place is on the map, in pixels from the middle of the upper edge's latitude; areas stay true.

    >>> equal_earth(0, NORTH), equal_earth(0, 0)[0]
    ((480.0, 0.0), 480.0)
    """
    scale = WIDTH / 2 / _projected(180, 0)[0]
    x, y = _projected(lon, lat)
    return round(WIDTH / 2 + scale * x, 1), round(scale * (_projected(0, NORTH)[1] - y), 1)


def _projected(lon: float, lat: float) -> tuple[float, float]:
    theta = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(lat)))
    slope = sum(a * (2 * k + 1) * theta ** (2 * k) for a, k in _A)
    x = 2 * math.sqrt(3) * math.radians(lon) * math.cos(theta) / (3 * slope)
    return x, sum(a * theta ** (2 * k + 1) for a, k in _A)


def case_map(kb: KnowledgeBase) -> dict[str, Any]:
    """Return the map of cases: lines of the grid, dots (x, y, radius, titles), and names of countries."""
    places: dict[tuple[float, float], list[Any]] = {}
    for case in kb.cases.values():
        if case.place.lon is not None and case.place.lat is not None:
            places.setdefault((case.place.lon, case.place.lat), []).append(case)
    dots = [
        (*equal_earth(*spot), round(3.5 + 2 * math.sqrt(len(found) - 1), 1), [case.title for case in found])
        for spot, found in places.items()
    ]
    return {
        "width": WIDTH,
        "height": equal_earth(0, SOUTH)[1],
        "grid": [*map(_meridian, range(-150, 151, 30)), *map(_parallel, (-30, 0, 30, 60))],
        "edge": _meridian(-180) + "L" + "L".join(reversed(_meridian(180)[1:].split("L"))) + "Z",
        "dots": sorted(dots, key=lambda dot: -dot[2]),
        "placed": sum(len(found) for found in places.values()),
        "labels": _labels(kb, [dot[:2] for dot in dots]),
    }


def _meridian(lon: float) -> str:
    return "M" + "L".join("{},{}".format(*equal_earth(lon, lat)) for lat in range(SOUTH, NORTH + 1, 6))


def _parallel(lat: float) -> str:
    return "M" + "L".join("{},{}".format(*equal_earth(lon, lat)) for lon in (-180, 180))


def _labels(kb: KnowledgeBase, dots: Sequence[tuple[float, float]]) -> list[tuple[float, float, str]]:
    """Return the names of countries beside one of their dots, where they cover neither a dot nor another name."""
    spots: dict[str, list[tuple[float, float]]] = {}
    for case in kb.cases.values():
        if case.place.country and case.place.lon is not None and case.place.lat is not None:
            spots.setdefault(case.place.country, []).append(equal_earth(case.place.lon, case.place.lat))
    found: list[tuple[float, float, str]] = []
    taken = list(dots)
    for code, places in sorted(spots.items(), key=lambda item: -len(item[1])):
        name = country(code)
        half = 3.2 * len(name) + 4
        offsets = [(0, 18), (0, -10), (half + 6, 4), (-half - 6, 4)]
        free = (
            (round(x + right, 1), round(y + down, 1))
            for x, y in dict.fromkeys(places)
            for right, down in offsets
            if half < x + right < WIDTH - half
            and not any(abs(x + right - a) < half + 4 and abs(y + down - 4 - b) < 11 for a, b in taken)
        )
        if spot := next(free, None):
            found.append((*spot, name))
            taken += [(spot[0] + step * half / 2, spot[1] - 4) for step in (-2, -1, 0, 1, 2)]
    return found


def cases_by_country(kb: KnowledgeBase) -> list[tuple[str, list[Any]]]:
    """Return the cases by country, in order of its name; those of several countries last."""
    by_country: dict[str | None, list[Any]] = {}
    for case in kb.cases.values():
        by_country.setdefault(case.place.country, []).append(case)
    return [
        (country(code), sorted(found, key=lambda case: case.title))
        for code, found in sorted(by_country.items(), key=lambda item: (item[0] is None, country(item[0])))
    ]
