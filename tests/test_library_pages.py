"""The library: every entry on a page, every link leads somewhere, and a reader finds things with keyboard and phone."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterbook.atlas import library_pictures as pictures
from clusterbook.atlas.library import add_library, write_library
from clusterbook.atlas.library_entry import address, amount, cited, entry_page, short_name
from clusterbook.atlas.library_search import search_data
from clusterbook.atlas.library_words import COUNTRIES, FIELDS, KINDS, SHELVES, WORDS
from clusterbook.errors import OutputError
from clusterbook.knowledge import KnowledgeBase, load_knowledge
from clusterbook.knowledge import models as m
from clusterbook.knowledge.words import stem
from test_atlas_browser import AXE, CHROMIUM, CONTRAST, FLAGS, ON_A_PHONE, violations


@pytest.fixture(scope="module")
def kb() -> KnowledgeBase:
    return load_knowledge()


@pytest.fixture(scope="module")
def site(kb: KnowledgeBase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_library(tmp_path_factory.mktemp("site") / "library", kb).parent


OWN = {
    "glossary": """
- id: own-term
  title: Weight & <measure>
  text: A term of our own.
  sources: [{key: oecd, at: Box 9, quote: a short definition}]
""",
    "cases": """
- id: own-case
  title: Our valley
  family: cluster
  place: {name: Ourtown}
  text: A case of our own.
  figures:
    - {name: jobs-1990, label: Jobs, value: 1000, unit: jobs, year: "1990", about: true, sources: [{key: wb, at: p}]}
    - {name: jobs-2000, label: Jobs, value: 1250, unit: jobs, year: "2000", sources: [{key: wb, at: p}]}
    - {name: firms, label: Firms, low: 10, high: 20, unit: firms, year: not stated, sources: [{key: wb, at: p}]}
  derived:
    - {label: Growth, expression: "(jobs_2000 / jobs_1990 - 1) * 100", unit: "%"}
    - {label: Jobs a firm, expression: jobs_2000 / firms, unit: jobs}
  outcome: {text: Nobody knows., grade: e}
  sources: [{key: wb, at: 1.1}, {key: wb, at: "1.2"}, {key: efw}]
  judged: [outcome]
""".replace("at: 1.1", 'at: "1.1"'),
    "tensions": """
- id: own-tension
  title: Up or down
  text: They differ.
  sides:
    - {text: It goes up., sources: [{key: wb, at: p1}]}
    - {text: It goes down., sources: [{key: mp, at: p2}]}
  handling: Both are told.
  sources: [{key: wb}]
""",
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeBase:
    folder = tmp_path_factory.mktemp("own")
    for kind, text in OWN.items():
        (folder / kind).mkdir()
        (folder / kind / "ours.yaml").write_text(text, encoding="utf-8")
    return load_knowledge(folder)


@pytest.fixture(scope="module")
def own_site(own: KnowledgeBase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_library(tmp_path_factory.mktemp("site") / "own", own).parent


def read(site: Path, link: str) -> str:
    return (site / address(link).partition("#")[0]).read_text(encoding="utf-8")


def words(page: str) -> str:
    """Return the text of a page as a reader sees it."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page)))


# --- the pages, as files


def test_every_link_leads_to_a_page_and_every_anchor_is_there(site: Path) -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    anchors = {path: set(re.findall(r'\sid="([^"]+)"', text)) for path, text in pages.items()}
    wrong = set()
    for path, text in pages.items():
        assert len(anchors[path]) == len(re.findall(r'\sid="', text)), f"an id twice in {path}"
        for target in set(re.findall(r'(?:href|src|action)="([^"]+)"', text)):
            if target.startswith(("https://doi.org/", "data:")):
                continue
            name, _, anchor = html.unescape(unquote(target)).partition("#")
            file = (path.parent / name).resolve() if name else path
            filters = file.name == "library.html"
            if not file.is_file() or (anchor and not filters and anchor not in anchors[file] | {"main"}):
                wrong.add((str(path.relative_to(site)), target))
    assert wrong == set()


def test_every_entry_has_a_page_with_its_text_sources_and_relations(site: Path, kb: KnowledgeBase) -> None:
    for kind in KINDS:
        if kind in ("glossary", "bibliography"):
            continue
        for entry_id, entry in kb.entries(kind).items():
            link = f"{kind}/{entry_id}"
            page = read(site, link)
            assert f"<h1>{html.escape(entry.title).replace('&#x27;', '&#39;')}</h1>" in page, link
            text = words(page)
            for held in [getattr(entry, "text", ""), *(c.at or "" for c in getattr(entry, "sources", ()))]:
                assert re.sub(r"\s+", " ", held) in text, (link, held)
            missing = [r.link for r in kb.relations(link) if f'href="../../{address(r.link)}"' not in page]
            assert missing == [], link


def test_the_glossary_and_the_bibliography_hold_all(site: Path, kb: KnowledgeBase) -> None:
    glossary, works = read(site, "glossary/cluster"), read(site, "bibliography/wb")
    assert all(f'id="{term}"' in glossary for term in kb.glossary)
    assert all(f'id="{work}"' in works for work in kb.bibliography)
    letters = re.findall(r'<section class="letter" id="letter-(\w)"', glossary)
    assert letters == sorted(letters)
    quotes = [c.quote for term in kb.glossary.values() for c in term.sources if c.quote]
    assert quotes
    assert all(f"“{' '.join(quote.split())}”" in words(glossary) for quote in quotes)
    citing = {
        link
        for link in kb.origins
        if not link.startswith("tables/") and any(r.link == "bibliography/ben" for r in kb.relations(link))
    }
    assert f"Cited by {len(citing)} entries" in works


def test_the_entrance_counts_every_kind(site: Path, kb: KnowledgeBase) -> None:
    page = words((site / "library.html").read_text(encoding="utf-8"))
    for kind, names in KINDS.items():
        assert f"{names.many} {len(kb.entries(kind))}" in page


def test_every_kind_is_named_and_shelved() -> None:
    assert set(KINDS) == set(m.KINDS)
    assert sorted(kind for kinds in SHELVES.values() for kind in kinds) == sorted(m.KINDS)
    fields = {name for model in m.KINDS.values() for name in model.model_fields}
    assert set(FIELDS) <= fields


def test_every_country_of_the_entries_has_a_name(kb: KnowledgeBase) -> None:
    codes = {case.place.country for case in kb.cases.values()} | {study.country for study in kb.studies.values()}
    assert codes - set(COUNTRIES) - {None} == set()


def test_all_fields_of_every_entry_are_shown(kb: KnowledgeBase) -> None:
    """A field added to a kind must not go missing on the pages."""
    for kind in ("instruments", "types", "stages", "guidelines", "studies", "claims", "indicators", "readiness"):
        for entry_id, entry in kb.entries(kind).items():
            page = entry_page(kb, f"{kind}/{entry_id}")
            drawn = json.dumps(page, default=str, ensure_ascii=False)
            for name, value in entry.model_dump().items():
                if name in ("id", "title", "text", "sources", "related", "judged", "tags", "country", "level"):
                    continue
                if isinstance(value, str) and value not in WORDS.get(name, {}):
                    shown = value.replace("-", " ")
                    assert shown[1:] in drawn.replace("-", " ") or name == "edition", (kind, entry_id, name)
                if isinstance(value, list) and value and isinstance(value[0], str) and " " in value[0]:
                    assert all(json.dumps(one, ensure_ascii=False)[1:-1] in drawn for one in value), (
                        kind,
                        entry_id,
                        name,
                    )


# --- entries of one's own


def test_an_own_entry_is_marked_and_nothing_of_it_becomes_markup(own_site: Path) -> None:
    page = read(own_site, "glossary/own-term")
    assert "Weight &amp; &lt;measure&gt;" in page
    assert "<measure>" not in page
    assert "“a short definition”" in page
    term = page.partition('id="own-term"')[2].partition("</dd>")[0]
    assert "own entry" in term
    assert page.count("own entry") == 1
    case = read(own_site, "cases/own-case")
    assert "own entry: cases/ours.yaml, line 2" in words(case)
    assert "own entry" not in read(own_site, "cases/styria-automotive")


def test_a_case_shows_figures_with_year_what_follows_from_them_and_what_is_not_known(own_site: Path) -> None:
    page = words(read(own_site, "cases/own-case"))
    assert "Jobsabout 1,000jobs1990" in page
    assert "Jobs1,250jobs2000" in page
    assert "Firms10 to 20firmsnot stated" in page
    assert "Growthabout 25%([Jobs, 2000] / [Jobs, 1990] − 1) × 100" in page
    assert "Jobs a firmnot knownjobs" in page
    assert "Nobody knows.E: not known" in page
    assert "What came of it our judgement" in page
    assert "Andersson et al. 2004 The Cluster Policies Whitebook1.1; 1.2" in page


def test_a_tension_shows_both_sides_each_with_its_source(own_site: Path) -> None:
    page = words(read(own_site, "tensions/own-tension"))
    assert "One sideIt goes up. (Andersson et al. 2004, p1)" in page
    assert "The other sideIt goes down. (Meyer-Stamer and Harmes-Liedtke 2005, p2)" in page
    assert "How Clusterbook handles it Both are told." in page


def test_a_small_base_makes_a_library_too(tmp_path: Path) -> None:
    (tmp_path / "mine/bibliography").mkdir(parents=True)
    (tmp_path / "mine/glossary").mkdir()
    (tmp_path / "mine/bibliography/b.yaml").write_text("- {id: x, title: A Work}", encoding="utf-8")
    term = "- {id: t, title: 9 lives, text: A cat's., sources: [{key: x}]}"
    (tmp_path / "mine/glossary/g.yaml").write_text(term, encoding="utf-8")
    small = load_knowledge(tmp_path / "mine", bundled=False)
    page = write_library(tmp_path / "out", small)
    assert "1 entry from 1 work, each" in words(page.read_text(encoding="utf-8"))
    assert "A cat's." in words((page.parent / "library/glossary.html").read_text(encoding="utf-8"))
    assert 'id="letter-0"' in (page.parent / "library/glossary.html").read_text(encoding="utf-8")


def test_a_library_is_replaced_but_nothing_else_is(own: KnowledgeBase, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(OutputError, match="was not made by Clusterbook"):
        write_library(tmp_path / "mine", own)
    assert (tmp_path / "mine/letter.txt").read_text(encoding="utf-8") == "dear"


def test_in_an_atlas_the_library_leads_back_to_it(own: KnowledgeBase, tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    add_library(tmp_path, own, home="The <Valley>")
    page = read(tmp_path, "cases/own-case")
    assert 'href="../../index.html"><b>The &lt;Valley&gt;</b>' in page
    assert '<a href="../../index.html">Atlas</a>' in page
    assert "index.html" not in read_standalone(own, tmp_path)


def read_standalone(kb: KnowledgeBase, tmp_path: Path) -> str:
    return write_library(tmp_path / "alone", kb).read_text(encoding="utf-8")


def test_the_same_base_gives_the_same_bytes(own: KnowledgeBase, own_site: Path, tmp_path: Path) -> None:
    again = write_library(tmp_path / "again", own).parent
    files = sorted(path.relative_to(own_site) for path in own_site.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert [f for f in files if (own_site / f).read_bytes() != (again / f).read_bytes()] == []


# --- words


def test_works_are_cited_by_family_names_and_year(kb: KnowledgeBase) -> None:
    names = {key: short_name(work) for key, work in kb.bibliography.items()}
    assert names["wb"] == "Andersson et al. 2004"
    assert names["mp"] == "Meyer-Stamer and Harmes-Liedtke 2005"
    assert names["oecd"] == "OECD"
    assert names["roelandt-den-hertog-1999"] == "Roelandt and den Hertog 1999"
    assert names["us-census-cbp"] == "US Census Bureau"


def test_one_work_is_named_once_with_all_its_places(kb: KnowledgeBase) -> None:
    places = [m.Citation(key="wb", at="1"), m.Citation(key="ben"), m.Citation(key="wb", at="2"), m.Citation(key="wb")]
    found = cited(kb, [*places, m.Citation(key="wb", at="1")])
    assert [(one.name, one.places) for one in found] == [("Andersson et al. 2004", ("1", "2")), ("Benner 2013", ())]


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        ({"value": 0}, "0"),
        ({"value": -0.1234}, "−0.123"),
        ({"value": 1234567.8}, "1,234,568"),
        ({"value": None, "low": 5}, "at least 5"),
        ({"value": None, "high": 0}, "at most 0"),
        ({"value": None}, "not stated"),
        ({"value": 40, "about": True}, "about 40"),
    ],
)
def test_figures_are_read_as_written(figure: dict[str, Any], shown: str) -> None:
    assert amount(**figure) == shown


# --- pictures


@pytest.mark.parametrize("picture", pictures.MATRICES, ids=lambda one: one.field)
def test_a_matrix_holds_what_the_base_says_and_each_instrument_once(
    site: Path, kb: KnowledgeBase, picture: pictures.Picture
) -> None:
    drawn = pictures.matrix(kb, picture)
    frame = kb.matrix("instruments", picture.field)
    titles = {entry.title: entry_id for entry_id, entry in kb.instruments.items()}
    rows = [row for group in drawn["groups"] for row in group["rows"]]
    assert sorted(titles[link.title] for link, _ in rows) == sorted(kb.instruments)
    assert sum(bool(cell) for _, cells in rows for cell in cells) == sum(frame.drop("id").sum_horizontal().to_list())
    for group in drawn["groups"]:
        sums = [sum(bool(cells[at]) for _, cells in group["rows"]) for at in range(len(drawn["columns"]))]
        assert [count for count, _ in group["counts"]] == sums
        assert all((step == 0) == (count == 0) and 0 <= step <= 5 for count, step in group["counts"])
    page = (site / f"library/{picture.name}.html").read_text(encoding="utf-8")
    assert page.count('<th scope="row">') == len(kb.instruments)
    if picture.field != "levels":
        assert page.count('<td class="on">') == sum(bool(cell) for _, cells in rows for cell in cells)


def test_every_recommendation_stands_with_every_actor_it_addresses(site: Path, kb: KnowledgeBase) -> None:
    page = (site / "library/actors.html").read_text(encoding="utf-8")
    sections = {part.partition('"')[0]: part for part in page.split('<section class="shelf" id="')[1:]}
    for one in kb.recommendations.values():
        for actor in one.actors:
            assert f"recommendations/{one.id}.html" in sections[actor]
    sizes = [part.count("<li>") for part in sections.values()]
    assert sizes == sorted(sizes, reverse=True)


def test_scorecards_hold_each_indicator_once(kb: KnowledgeBase) -> None:
    for card in pictures.scorecards(kb):
        shown = [i[0] for *_, found in card["groups"] for i in found] + [i[0] for i in card["rest"]]
        held = [address(f"indicators/{i.id}") for i in kb.indicators.values() if card["id"] in i.scorecards]
        assert sorted(shown) == sorted(held)
    titles = {card["card"].title for card in pictures.scorecards(kb)}
    assert {"DTI monitoring framework", "Scottish balanced scorecard", "Scorecard of the Thai food cluster"} <= titles


def test_the_list_under_the_map_holds_every_case(site: Path, kb: KnowledgeBase) -> None:
    page = (site / "library/cases.html").read_text(encoding="utf-8")
    assert all(f'href="../library/cases/{case}.html"' in page for case in kb.cases)
    placed = [case for case in kb.cases.values() if case.place.lon is not None]
    assert f"{len(placed)} of {len(kb.cases)} cases" in page
    spots = {(case.place.lon, case.place.lat) for case in placed}
    assert page.count("<circle") == len(spots)
    assert all(pictures.SOUTH <= float(case.place.lat or 0) <= pictures.NORTH for case in placed)


@given(st.floats(-179, 179), st.floats(-80, 80))
def test_the_map_is_true_to_area(lon: float, lat: float) -> None:
    step = 0.01
    _, y0 = pictures._projected(lon, lat - step)
    _, y1 = pictures._projected(lon, lat + step)
    across = pictures._projected(lon + step, lat)[0] - pictures._projected(lon - step, lat)[0]
    area = across * (y1 - y0) / math.cos(math.radians(lat)) / math.radians(2 * step) ** 2
    assert area == pytest.approx(1, rel=1e-3)
    assert pictures._projected(-lon, lat)[0] == pytest.approx(-pictures._projected(lon, lat)[0])


def test_the_map_is_as_wide_as_its_authors_say() -> None:
    assert pictures._projected(180, 0)[0] == pytest.approx(2.70663, abs=1e-5)
    assert pictures._projected(0, 90)[1] == pytest.approx(1.3173627591574, abs=1e-6)


# --- what the search reads


def test_the_search_knows_every_entry_and_counts_parts_with_their_whole(kb: KnowledgeBase) -> None:
    data = json.loads(json.dumps(search_data(kb)))
    names = [kind for kind, _, _ in data["kinds"]]
    links = [f"{names[kind]}/{entry_id}" for kind, entry_id, *_ in data["entries"]]
    assert sorted(links) == sorted(kb.origins)
    facets = data["facets"]["instruments"]
    assert [facet[1] for facet in facets] == [
        "Goal", "Mechanism", "Failure", "Level of government", "Said to fit the stage", "Said to fit the setting",
        "Cost", "Time to effect", "Early co-operation", "Source",
    ]  # fmt: skip
    goals = {value: (at, depth) for at, (value, _, depth) in enumerate(facets[0][2])}
    assert goals["improve-suppliers"][1] == 1
    whole = goals["collective-services"][0]
    counted = {
        e[1] for e, link in zip(data["entries"], links, strict=True) if link.startswith("instr") and whole in e[4][0]
    }
    parts = {"collective-services", "improve-suppliers", "external-linkages", "skilled-labour"}
    assert counted == {i for i, one in kb.instruments.items() if parts & set(one.goals)}
    grades = [value for value, *_ in data["facets"]["cases"][3][2]]
    assert grades == sorted({case.outcome.grade for case in kb.cases.values()})


# --- as a reader meets it

Walk = Callable[..., None]


@pytest.fixture(scope="module")
def walk(site: Path) -> Iterator[Walk]:
    """Return what opens a page in Chromium and reads it, on a thread of its own: one driver a thread is the rule."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium; none was found on the path")
    with ThreadPoolExecutor(1) as thread:
        driver = thread.submit(lambda: playwright.sync_playwright().start()).result()
        chromium = thread.submit(lambda: driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)).result()

        def run(page: str, look: Callable[[Any], None], context: dict[str, Any]) -> None:
            tab = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **context}).new_page()
            faults: list[str] = []
            tab.on("pageerror", lambda error: faults.append(str(error)))
            tab.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
            tab.goto(f"{site.as_uri()}/{page}")
            look(tab)
            tab.context.close()
            assert faults == []

        yield lambda page, look, **context: thread.submit(run, page, look, context).result()
        thread.submit(chromium.close).result()
        thread.submit(driver.stop).result()


PAGES = [
    "library.html", "library.html#q=venture", "library.html#kind=instruments&cost=low",
    "library/instruments.html", "library/instruments/cluster-broker.html", "library/cases.html",
    "library/cases/styria-automotive.html", "library/tensions/crisis-helps-or-hurts.html",
    "library/indicators/joint-projects.html", "library/gates/biotech.html", "library/tables/mp-table-5.html",
    "library/competences/accepted-leader.html", "library/glossary.html", "library/bibliography.html",
    "library/processes.html", "library/actors.html", "library/scorecards.html", "library/matrix-levels.html",
    "library/matrix-failures.html", "library/matrix-mechanisms.html",
]  # fmt: skip


@pytest.mark.browser
@pytest.mark.parametrize("page", PAGES)
def test_every_kind_of_page_is_accessible_and_fits_a_phone(walk: Walk, page: str) -> None:
    def look(tab: Any) -> None:
        assert tab.locator("h1").count() == 1
        assert violations(tab, AXE) == []
        tab.emulate_media(color_scheme="dark")
        assert violations(tab, CONTRAST) == []
        tab.set_viewport_size({"width": 360, "height": 800})
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360
        assert violations(tab, ON_A_PHONE) == []

    walk(page, look)


def found(tab: Any) -> list[str]:
    titles: list[str] = tab.locator("#results .hits a").all_inner_texts()
    return titles


@pytest.mark.browser
def test_search_answers_while_typing_and_the_address_keeps_the_question(walk: Walk) -> None:
    def look(tab: Any) -> None:
        assert tab.locator("#shelves").is_visible()
        tab.keyboard.press("/")
        tab.keyboard.type("ventu")
        tab.locator("#results h2").first.wait_for()
        assert "Venture capital funds" in found(tab)
        assert not tab.locator("#shelves").is_visible()
        assert "#q=ventu" in tab.url
        tab.keyboard.type("re capital funds")
        assert found(tab)[0] == "Venture capital funds"
        assert tab.locator("#results mark").first.inner_text().lower().startswith("ventur")
        kept = tab.url
        tab.keyboard.press("ArrowDown")
        assert tab.evaluate("document.activeElement.textContent") == "Venture capital funds"
        tab.keyboard.press("ArrowUp")
        assert tab.evaluate("document.activeElement.id") == "q"
        tab.keyboard.press("Enter")
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/venture-capital-funds.html")
        assert tab.locator("h1").inner_text() == "Venture capital funds"
        tab.goto("about:blank")
        tab.goto(kept)
        assert tab.locator("#q").input_value() == "venture capital funds"
        assert found(tab)[0] == "Venture capital funds"

    walk("library.html", look)


@pytest.mark.browser
def test_search_says_when_nothing_is_found_and_takes_words_literally(walk: Walk) -> None:
    def look(tab: Any) -> None:
        for asked in ("zzqy", "<img src=x onerror=alert(1)> zzqy", "constructor zzqy", "__proto__ zzqy"):
            tab.fill("#q", asked)
            assert tab.locator("#found").inner_text().startswith("Nothing found"), asked
        tab.fill("#q", "   ")
        assert tab.locator("#shelves").is_visible()

    walk("library.html", look)


@pytest.mark.browser
def test_filters_count_combine_and_can_be_taken_away(walk: Walk, kb: KnowledgeBase) -> None:
    cheap = {one.title for one in kb.instruments.values() if one.cost == "low"}
    quick = {one.title for one in kb.instruments.values() if one.cost == "low" and one.time_to_effect == "early"}

    def look(tab: Any) -> None:
        assert tab.locator("#found").inner_text() == f"{len(cheap)} entries"
        label = tab.locator("label", has=tab.locator("[id='time_to_effect:early']"))
        assert label.locator("small").inner_text() == str(len(quick))
        label.click()
        tab.wait_for_function("n => document.getElementById('found').textContent === n", arg=f"{len(quick)} entries")
        assert set(found(tab)) <= quick
        assert tab.evaluate("document.activeElement.id") == "time_to_effect:early"
        tab.get_by_label("Take away the filter Cost: Low").click()
        both = sum(one.time_to_effect == "early" for one in kb.instruments.values())
        tab.wait_for_function("n => document.getElementById('found').textContent === n", arg=f"{both} entries")
        tab.go_back()
        tab.wait_for_function("n => document.getElementById('found').textContent === n", arg=f"{len(quick)} entries")
        tab.get_by_text("Clear all").click()
        tab.locator("#shelves").wait_for()

    walk("library.html#kind=instruments&cost=low", look)


@pytest.mark.browser
def test_the_search_of_the_page_and_of_python_know_the_same_words(walk: Walk, kb: KnowledgeBase) -> None:
    text = " ".join(getattr(e, "text", None) or "" for kind in kb.kinds for e in kb.entries(kind).values())
    vocabulary = sorted(set(re.findall(r"[^\W_]+", text.lower())) | {"programmes", "centres", "analyses", "café"})

    def look(tab: Any) -> None:
        stems = tab.evaluate("words => words.map(stem)", vocabulary)
        assert [(w, s) for w, s in zip(vocabulary, stems, strict=True) if s != stem(w)] == []

    walk("library.html", look)


@pytest.mark.browser
def test_a_matrix_opens_goal_by_goal_and_is_whole_without_script(walk: Walk, kb: KnowledgeBase) -> None:
    def look(tab: Any) -> None:
        rows = tab.locator(".matrix tbody th[scope=row]")
        assert rows.filter(visible=True).count() == 0
        button = tab.get_by_role("button", name="Improve suppliers")
        assert button.get_attribute("aria-expanded") == "false"
        button.press("Enter")
        assert button.get_attribute("aria-expanded") == "true"
        assert 0 < rows.filter(visible=True).count() < len(kb.instruments)
        tab.get_by_text("Open all goals").click()
        assert rows.filter(visible=True).count() == len(kb.instruments)

    walk("library/matrix-mechanisms.html", look)

    def plain(tab: Any) -> None:
        assert tab.locator(".matrix tbody th[scope=row]").filter(visible=True).count() == len(kb.instruments)

    walk("library/matrix-mechanisms.html", plain, java_script_enabled=False)


@pytest.mark.browser
def test_without_script_the_shelves_lead_to_every_kind(walk: Walk) -> None:
    def look(tab: Any) -> None:
        assert tab.locator("noscript .caveat").is_visible()
        tab.get_by_role("link", name="Instruments", exact=True).last.click()
        assert tab.locator("h1").inner_text() == "Instruments"

    walk("library.html", look, java_script_enabled=False)


@pytest.mark.browser
def test_a_search_from_any_page_and_the_choice_of_dark_are_kept(walk: Walk) -> None:
    def look(tab: Any) -> None:
        tab.locator("#theme").click()
        assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
        tab.locator(".quick").fill("lock-in")
        tab.keyboard.press("Enter")
        tab.locator("#results h2").first.wait_for()
        assert "Lock-in" in found(tab)
        assert tab.evaluate("document.documentElement.dataset.theme") == "dark"

    walk("library/instruments/cluster-broker.html", look)
