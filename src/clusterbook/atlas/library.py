"""Write the library: every entry of the knowledge base as a page, with a search that needs neither server nor net."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from clusterbook.atlas import library_pictures as pictures
from clusterbook.atlas import theme
from clusterbook.atlas.library_entry import ONE_PAGE, address, entry_page, short_name, steps
from clusterbook.atlas.library_search import search_data
from clusterbook.atlas.library_words import KINDS, SHELVES, country, value_words
from clusterbook.folders import fresh_folder
from clusterbook.knowledge.base import KnowledgeBase
from clusterbook.version import __version__

MARKER = "library.json"
STYLES = ("atlas.css", "print.css", "library.css", "library.js")
#: The five documents on which the knowledge base was built.
FOUNDING = ("oecd", "wb", "efw", "mp", "ben")


class Page(NamedTuple):
    """A page to link to: address from the top of the site, title, what it shows, number of entries."""

    href: str
    title: str
    what: str = ""
    entries: int = 0


class Listed(NamedTuple):
    """An entry in a list."""

    href: str
    title: str
    text: str
    note: str
    own: bool


NAV = (
    Page("library.html", "Library"),
    Page("library/instruments.html", "Instruments"),
    Page("library/cases.html", "Cases"),
    Page("library/indicators.html", "Indicators"),
    Page("library/glossary.html", "Glossary"),
)
PICTURES = (
    *(Page(f"library/{one.name}.html", one.title, one.what) for one in pictures.MATRICES),
    Page("library/actors.html", "What each actor should do", "Recommendations by the kind of actor"),
    Page("library/scorecards.html", "Scorecards", "DTI, Scottish, Thai and other sets of indicators as tables"),
    Page("library/cases.html", "Cases on a map", "Where the clusters and initiatives are that the sources tell of"),
)


def write_library(out: str | Path, kb: KnowledgeBase) -> Path:
    """Write the library as a site of its own.

    Args:
        out: the folder to make. A library that stands there is replaced only when the new one is complete; any other
            folder is refused.
        kb: the knowledge base to show.

    Returns:
        The page to open. It works from a disk as well as from any web server.

    Raises:
        OutputError: ``out`` is no library, cannot be written, or the disk is full.

    Example:
        >>> from clusterbook.knowledge import load_knowledge
        >>> page = write_library("library", load_knowledge())   # doctest: +SKIP
    """
    with fresh_folder(out, marker=MARKER) as folder:
        _write(folder / MARKER, json.dumps({"software": f"clusterbook {__version__}"}))
        (folder / "static").mkdir()
        _write(folder / "static/palette.css", theme.stylesheet())
        add_library(folder, kb)
    return Path(out) / "library.html"


def add_library(folder: Path, kb: KnowledgeBase, *, home: str | None = None) -> None:
    """Write the pages of the library into a site that has its palette already; ``home`` is the title of its atlas."""
    package = files("clusterbook.atlas")
    for name in STYLES:
        _write(folder / "static" / name, (package / "static" / name).read_text(encoding="utf-8"))
    draw = _drawer(folder, home)
    data = json.dumps(search_data(kb), ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    (folder / "library").mkdir()
    _write(folder / "library/search.js", f"window.library = {data};\n")
    _write_entrance(draw, kb)
    _write_pictures(draw, kb)
    for kind in KINDS:
        _write_kind(draw, kb, kind)
        if kind not in ONE_PAGE:
            (folder / "library" / kind).mkdir()
            _write_entries(draw, kb, kind)


Draw = Callable[..., None]


def _drawer(folder: Path, home: str | None) -> Draw:
    """Return what draws a template into a page of the site."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("clusterbook.atlas"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(home=home, nav=NAV, software=f"clusterbook {__version__}")

    def draw(template: str, page: str, /, **values: Any) -> None:
        root = "../" * page.count("/")
        _write(folder / page, environment.get_template(template).render(root=root, here=page, **values))

    return draw


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="\n")


# --- entrance, lists and entries --------------------------------------------------------------------------------------


def _write_entrance(draw: Draw, kb: KnowledgeBase) -> None:
    shelves = []
    for title, kinds in SHELVES.items():
        pages = [Page(f"library/{k}.html", KINDS[k].many, KINDS[k].what, len(kb.entries(k))) for k in kinds]
        shelves.append((title, [page for page in pages if page.entries]))
    entries = sum(len(kb.entries(kind)) for kind in KINDS if kind not in ("bibliography", "tables"))
    lead = (
        f"What is known of clusters and of policies for them: {_counted(entries, 'entry', 'entries')} from "
        f"{_counted(len(kb.bibliography), 'work', 'works')}, each with its source."
    )
    shown = [(title, pages) for title, pages in shelves if pages]
    draw("library.html", "library.html", lead=lead, shelves=shown, pictures=PICTURES)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _write_kind(draw: Draw, kb: KnowledgeBase, kind: str) -> None:
    page = f"library/{kind}.html"
    count = len(kb.entries(kind))
    if kind == "glossary":
        draw("library_glossary.html", page, letters=_letters(kb), count=count)
    elif kind == "bibliography":
        draw("library_bibliography.html", page, shelves=_works(kb), count=count)
    elif kind == "cases":
        _write_cases(draw, kb)
    elif kind == "processes":
        draw("library_processes.html", page, kind=KINDS[kind], count=count, groups=_processes(kb))
    else:
        groups = _groups(kb, kind)
        near = [one for one in PICTURES if one.href in NEAR.get(kind, ())]
        draw("library_kind.html", page, kind=KINDS[kind], name=kind, count=count, groups=groups, pictures=near)


#: Pictures to offer on the list of a kind.
NEAR = {
    "instruments": tuple(f"library/{one.name}.html" for one in pictures.MATRICES),
    "mechanisms": ("library/matrix-mechanisms.html",),
    "failures": ("library/matrix-failures.html",),
    "recommendations": ("library/actors.html",),
    "indicators": ("library/scorecards.html",),
}
#: The field by which the list of a kind is grouped.
GROUPED = {
    "failures": "family", "risks": "family", "success-factors": "of", "types": "typology", "roles": "family",
    "competences": "group", "concepts": "group", "claims": "status", "indicators": "level",
}  # fmt: skip


def _groups(kb: KnowledgeBase, kind: str) -> list[tuple[str, list[Listed]]]:
    """Return the entries of a kind in groups; a single group without a title where there is nothing to group by."""
    found: dict[str, list[Listed]] = {}
    titles = pictures.goals(kb) if kind == "instruments" else {}
    for title in titles.values():
        found[title] = []
    for entry_id, entry in kb.entries(kind).items():
        found.setdefault(_group(kb, kind, entry), []).append(_listed(kb, f"{kind}/{entry_id}"))
    return [(title, entries) for title, entries in found.items() if entries]


def _group(kb: KnowledgeBase, kind: str, entry: Any) -> str:
    if kind == "instruments":
        return str(kb.concepts[pictures.goal_of(kb, entry)].title)
    if kind == "tables":
        return short_name(kb.bibliography[entry.source.key])
    if kind in ("recommendations", "guidelines", "source-errors"):
        return short_name(kb.bibliography[entry.sources[0].key])
    return value_words(GROUPED[kind], getattr(entry, GROUPED[kind])) if kind in GROUPED else ""


def _listed(kb: KnowledgeBase, link: str, note: str = "") -> Listed:
    entry = kb.get(link)
    own = kb.origin(link).folder != "bundled"
    return Listed(address(link), entry.title, getattr(entry, "text", ""), note, own)


def _write_entries(draw: Draw, kb: KnowledgeBase, kind: str) -> None:
    entries: list[tuple[str, Any]] = [(f"{kind}/{entry_id}", entry) for entry_id, entry in kb.entries(kind).items()]
    pages: Sequence[Page | None] = [None, *(Page(address(link), entry.title) for link, entry in entries), None]
    for at, (link, _) in enumerate(entries):
        draw("library_entry.html", address(link), page=entry_page(kb, link), before=pages[at], after=pages[at + 2])


# --- pages of their own -----------------------------------------------------------------------------------------------


def _write_pictures(draw: Draw, kb: KnowledgeBase) -> None:
    for one in pictures.MATRICES:
        page = f"library/{one.name}.html"
        note = "Where nothing stands, no source and no judgement of ours says anything."
        others = [other for other in PICTURES[: len(pictures.MATRICES)] if other.href != page]
        draw("library_matrix.html", page, picture=one, matrix=pictures.matrix(kb, one), note=note, others=others)
    draw("library_actors.html", "library/actors.html", actors=pictures.who_does_what(kb), count=len(kb.recommendations))
    draw("library_scorecards.html", "library/scorecards.html", cards=pictures.scorecards(kb))


def _write_cases(draw: Draw, kb: KnowledgeBase) -> None:
    grades: list[str] = [case.outcome.grade for case in kb.cases.values()]
    most = max((grades.count(grade) for grade in grades), default=1)
    by_country = [
        (name, [_listed(kb, f"cases/{case.id}", _case_note(case)) for case in found])
        for name, found in pictures.cases_by_country(kb)
    ]
    draw(
        "library_cases.html",
        "library/cases.html",
        count=len(kb.cases),
        countries=by_country,
        several=any(case.place.country is None for case in kb.cases.values()),
        map=pictures.case_map(kb),
        grades=[
            (grade, value_words("grade", grade), grades.count(grade), round(100 * grades.count(grade) / most))
            for grade in "abcde"
        ],
    )


def _case_note(case: Any) -> str:
    name = "" if case.place.name == country(case.place.country) else case.place.name
    parts = [name, case.industry, f"outcome known to grade {case.outcome.grade.upper()}"]
    return ", ".join(part for part in parts if part)


def _processes(kb: KnowledgeBase) -> list[tuple[str, list[dict[str, Any]]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for process in kb.processes.values():
        drawn = {
            "href": address(f"processes/{process.id}"),
            "title": process.title,
            "text": process.text,
            "ordered": process.ordered,
            "steps": steps(kb, process),
        }
        found.setdefault(value_words("family", process.family), []).append(drawn)
    return list(found.items())


def _letters(kb: KnowledgeBase) -> list[tuple[str, list[dict[str, Any]]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for term in sorted(kb.glossary.values(), key=lambda term: term.title.lower()):
        letter = term.title[0].upper()
        found.setdefault(letter if letter.isalpha() else "0", []).append(entry_page(kb, f"glossary/{term.id}"))
    return list(found.items())


def _works(kb: KnowledgeBase) -> list[tuple[str, list[dict[str, Any]]]]:
    def shown(works: Iterable[Any]) -> list[dict[str, Any]]:
        return [w.model_dump() | {"entries": _citing(kb, w.id)} for w in works]

    founding = [kb.bibliography[key] for key in FOUNDING if key in kb.bibliography]
    further = sorted((w for w in kb.bibliography.values() if w not in founding), key=lambda w: short_name(w).lower())
    shelves = [("The founding documents", shown(founding)), ("Further works", shown(further))]
    return [(title, works) for title, works in shelves if works]


def _citing(kb: KnowledgeBase, key: str) -> int:
    relations = kb.relations(f"bibliography/{key}")
    return len({r.link for r in relations if r.field == "key" and not r.link.startswith("tables/")})
