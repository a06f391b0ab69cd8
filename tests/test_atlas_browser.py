"""The atlas as a reader meets it: opened from a disk in Chromium, used with mouse, keyboard and phone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import clusterbook as cb
from clusterbook.atlas.site import write_atlas
from test_atlas import poorer, richer, told, told_atlas, with_gaps  # noqa: F401

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
AXE = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]},
    "preload": False,  # pages on a disk may not fetch their own style sheets
}
NOT_IN_CHARTS = {"exclude": [".canvas svg > *"]}  # up to thousands of shapes of one picture, which itself is named
ON_A_PHONE = {
    "runOnly": {"type": "rule", "values": ["target-size", "scrollable-region-focusable", "meta-viewport"]},
    "preload": False,
}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "preload": False}
LAST = 2019


@pytest.fixture(scope="session")
def metro_atlas(metro_edition: cb.Edition, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_atlas(metro_edition, tmp_path_factory.mktemp("site") / "atlas")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium; none was found on the path")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


class Reader:
    """A browser page that remembers everything that went wrong on it."""

    def __init__(self, browser: Any, index: Path, **context: Any) -> None:
        self.index = index
        self.page = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context}).new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(message.text)

    def open(self, address: str) -> Any:
        """Open an address of the atlas afresh and wait until its charts are drawn."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.index.as_uri()}#{address}")
        self.page.wait_for_function("document.body.dataset.ready")
        return self.page

    def follow(self, path: str) -> None:
        self.page.wait_for_function("path => document.body.dataset.ready === path", arg=path)


@pytest.fixture
def reader(browser: Any, metro_atlas: Path) -> Iterator[Reader]:
    one = Reader(browser, metro_atlas)
    yield one
    one.page.context.close()
    assert one.faults == []


@pytest.fixture(scope="session")
def cluster(metro_edition: cb.Edition) -> str:
    """Return the largest traded cluster."""
    totals = metro_edition.table("cluster_totals").filter(year=LAST)
    traded = totals.join(metro_edition.table("definitions").filter(kind="traded"), on="cluster")
    return str(traded.sort("employment", descending=True)["cluster"][0])


def number(text: str) -> float:
    """Read a figure as a reader does, without the mark of a sure or an estimated one."""
    figure = re.search(r"-?[\d.]+", text.replace("\u2212", "-").replace(",", ""))
    assert figure, text
    return float(figure[0]) / (100 if "%" in text or "pp" in text else 1)


def same(shown: str, truth: float) -> None:
    """Check that a figure on screen is the true one, rounded no more than by half of its last digit."""
    if shown.startswith("<"):
        assert 0 < truth < number(shown[1:]), (shown, truth)
        return
    digits = len(match[1]) if (match := re.search(r"\.(\d+)", shown.split(maxsplit=1)[0])) else 0
    unit = 10.0**-digits / (100 if "%" in shown or "pp" in shown else 1)
    three_digits = abs(truth) * 0.005 if digits == 0 and "," not in shown else 0
    assert abs(number(shown) - truth) <= max(unit / 2, three_digits if abs(truth) >= 100 else 0) * 1.001, (shown, truth)


def table_rows(page: Any, caption: str) -> list[dict[str, str]]:
    """Read a table on the page as its rows by head."""
    rows: list[dict[str, str]] = page.evaluate(
        """caption => {
             const table = [...document.querySelectorAll("table")].find((t) => t.caption?.textContent === caption);
             const text = (e) => [...e.childNodes].filter((n) => !n.classList?.contains("unit"))
               .map((n) => n.textContent).join("").replaceAll("\\u00ad", "").replaceAll("\\u2060", "").trim();
             const heads = [...table.tHead.rows[0].cells].map(text);
             return [...table.tBodies[0].rows].map((r) => Object.fromEntries([...r.cells]
               .map((c, k) => [heads[k], text(c)])));
           }""",
        caption,
    )
    return rows


# --- every page


def violations(page: Any, options: dict[str, Any]) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_timeout(200)  # charts fade in, and half faded text has half the contrast
    found = Axe().run(page, context=NOT_IN_CHARTS, options=options).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


PAGES = ("overview", "cluster", "region", "place", "definitions", "compare five", "compare", "method", "downloads")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_whole_accessible_and_fits_a_phone(reader: Reader, cluster: str, name: str) -> None:
    address = {
        "cluster": f"cluster/{cluster}?region=35620",
        "region": "region/41940",
        "place": f"place/41940/{cluster}",
        "compare five": "compare/41940,14460,42660,35620,31080",
    }.get(name, name)
    page = reader.open(address)
    for row in page.locator("details > summary").all():
        row.click()
    assert page.locator("h1").count() == 1
    assert page.locator(".fault").count() == 0
    assert page.locator(".canvas svg[role=img][aria-label]").count() == page.locator(".canvas").count()
    assert violations(page, AXE) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, CONTRAST) == []
    page.set_viewport_size({"width": 360, "height": 800})
    reader.open(address)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert violations(page, ON_A_PHONE) == []


def test_unknown_places_and_missing_files_say_what_to_do(browser: Any, metro_atlas: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    shutil.copytree(metro_atlas.parent, torn, ignore=shutil.ignore_patterns("downloads", "41940.js"))
    one = Reader(browser, torn / "index.html")
    assert "There is no metro area '99999' in this book." in one.open("region/99999").inner_text("main")
    assert "There is no cluster 'nope' in this book." in one.open("cluster/nope").inner_text("main")
    assert "Not in this book: 99999." in one.open("compare/99999,14460").inner_text("main")
    assert "This atlas has no page 'nonsense'." in one.open("nonsense").inner_text("main")
    text = one.open("region/41940").inner_text("main")
    assert "The file data/region/41940.js is missing or cannot be read. Copy the whole folder of the atlas" in text
    one.page.context.close()


def test_without_javascript_the_downloads_are_there(browser: Any, metro_atlas: Path) -> None:
    one = Reader(browser, metro_atlas, java_script_enabled=False)
    one.page.goto(metro_atlas.as_uri())
    assert "draws its pages with JavaScript, which is switched off here" in one.page.inner_text("main")
    assert one.page.locator("main a[href^='downloads/clusters']").first.is_visible()
    one.page.context.close()


# --- figures on screen equal the edition's


def test_headline_figures(reader: Reader, metro_edition: cb.Edition) -> None:
    page = reader.open("overview")
    latest = metro_edition.table("clusters").filter(year=LAST)
    strong = latest.filter(pl.col("strong"))
    regions = metro_edition.table("regions").filter(year=LAST)
    shown = [text.split("\n")[1] for text in page.locator(".headline > div").all_inner_texts()]
    truth = [regions.height, metro_edition.table("definitions").height, strong.height, strong["employment"].sum()]
    assert [number(text) for text in shown] == [pytest.approx(value, abs=0.5) for value in truth]
    assert regions["n_strong"].sum() == strong.height


def test_the_ten_largest_places_of_a_cluster(reader: Reader, metro_edition: cb.Edition, cluster: str) -> None:
    page = reader.open(f"cluster/{cluster}")
    label = metro_edition.table("definitions").filter(cluster=cluster)["label"].item()
    rows = table_rows(page, f"{label} in metro areas")[:10]
    truth = (
        metro_edition.table("clusters")
        .filter(year=LAST, cluster=cluster)
        .join(metro_edition.table("region_names").select("region", "name"), on="region")
        .join(metro_edition.table("change"), on=["region", "cluster"], how="left")
        .sort("employment", descending=True)
        .head(10)
    )
    assert [row["Metro area"] for row in rows] == truth["name"].to_list()
    for row, true in zip(rows, truth.to_dicts(), strict=True):
        assert number(row["Employment"]) == pytest.approx(true["employment"], abs=0.5)
        assert number(row["Rank"]) == true["rank"]
        assert row["Strong cluster"].endswith("yes" if true["strong"] else "no")
        assert ("borderline" in row["Strong cluster"]) == (true["strong_word"] == "borderline")
        same(row["LQ"], true["lq"])
        same(row["Share of cluster"], true["national_share"])
        same(row["Growth a year"], true["growth"])
        same(row["Wage"], true["wage"])


def test_the_clusters_of_a_region(reader: Reader, metro_edition: cb.Edition) -> None:
    page = reader.open("region/41940?clusters.show=all")
    rows = {row["Cluster"]: row for row in table_rows(page, "Clusters in San Jose-Sunnyvale-Santa Clara, CA")}
    truth = (
        metro_edition.table("clusters")
        .filter(year=LAST, region="41940")
        .join(metro_edition.table("definitions").select("cluster", "label", "kind"), on="cluster", suffix="_d")
    )
    assert len(rows) == truth.height > 40
    for true in truth.to_dicts():
        row = rows[f"{true['kind']} {true['label']}"]
        same(row["LQ"], true["lq"])
        same(row["Share of place"], true["region_share"])
        assert number(row["Employment"]) == pytest.approx(true["employment"], abs=0.5)


def test_figures_say_unit_year_and_source(reader: Reader, cluster: str) -> None:
    for address in ("overview", f"cluster/{cluster}", "region/41940"):
        page = reader.open(address)
        for text in page.locator("figure").all_inner_texts():
            assert "Source" in text, text
            assert re.search(r"\b20(18|19|21)\b", text), text
        assert "the rest is estimated here, and marked" in page.locator(".caveat").inner_text()


def test_suppressed_figures_look_like_it(
    browser: Any, panel: cb.Panel, definitions: cb.ClusterDefinitions, tmp_path: Path
) -> None:
    edition = cb.build_edition(with_gaps(panel), definitions, tmp_path / "edition")
    one = Reader(browser, write_atlas(edition, tmp_path / "atlas"))
    hidden = edition.table("clusters").filter(year=LAST, region="R03", status="suppressed")
    labels = dict(edition.table("definitions").select("cluster", "label").iter_rows())
    page = one.open("region/R03")
    rows = {row["Cluster"].split(" ", 1)[1]: row for row in table_rows(page, "Clusters in Town 03")}
    for cell in hidden.to_dicts():
        bounds = f"{cell['employment_lo']:,.0f}–{cell['employment_hi']:,.0f}"
        assert rows[labels[cell["cluster"]]]["Employment"] == f"ssuppressed {bounds}"
        within = f"{cell['lq_lo']:.2f}–{cell['lq_hi']:.2f}"
        assert rows[labels[cell["cluster"]]]["LQ"] == f"ssuppressed {within}"
    assert "s: suppressed by the source, n: not known; neither is zero." in page.inner_text("main")
    page = one.open(f"cluster/{hidden['cluster'][0]}")
    places = edition.table("clusters").filter(year=LAST, cluster=hidden["cluster"][0])
    gaps = places["lq"].null_count()  # without the whole cluster no quotient is known
    assert gaps == places.height > 1
    assert page.locator(".canvas.map path[fill='url(#hatch)']").count() == gaps
    assert page.locator(".legend-bars li").last.inner_text().split() == [str(gaps), "not", "known"]
    town = next(row for row in table_rows(page, f"{labels[hidden['cluster'][0]]} in towns") if row["Town"] == "Town 04")
    low, high = places.filter(region="R04").select("lq_lo", "lq_hi").row(0)
    assert town["LQ"] == f"nnot known {low:.2f}–{high:.2f}"
    one.page.context.close()
    assert one.faults == []


@pytest.fixture(scope="module")
def rich_reader(browser: Any, edition: cb.Edition, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("rich")
    one = Reader(browser, write_atlas(richer(edition, folder / "edition"), folder / "atlas"))
    yield one
    one.page.context.close()
    assert one.faults == []


def test_estimates_look_like_it(rich_reader: Reader, edition: cb.Edition) -> None:
    page = rich_reader.open("region/R05")
    truth = (
        edition.table("clusters").filter(year=LAST, region="R05").sort("employment", descending=True).row(0, named=True)
    )
    first = page.locator("table", has=page.locator("caption", has_text="Clusters in Town 05")).locator("tbody tr").first
    figures = first.locator("td .estimated")
    assert figures.first.inner_text() == f"≈ {truth['employment']:,.0f}"
    assert "*" not in figures.nth(1).inner_text()
    figures.first.hover()
    assert page.inner_text("#tip") == "Estimated: the source withholds part of it. What is published leaves 10–99,000."
    assert "≈ in italics: estimated" in page.inner_text("main")
    page = rich_reader.open("region/R07")
    assert page.locator(".estimated").count() == 0
    assert "*" in page.locator(".chip").first.inner_text()
    assert "* establishments would hardly fall so by chance (q < 0.05)." in page.inner_text("main")


def test_what_changed_adds_up_in_words_and_figures(rich_reader: Reader) -> None:
    page = rich_reader.open("region/R05")
    assert "Gained 23 jobs; \u221220 by local effect" in page.inner_text("main")
    labels = page.locator(".canvas.waterfall text").all_text_contents()
    assert {"+50", "\u22127", "\u221220", "+23", "Industry mix", "Local effect"} <= set(labels)
    rows = table_rows(page, "Change in Town 05 by cluster and part")
    assert [row["Local"] for row in rows] == ["+0.4", "\u221220"]
    near = table_rows(page, "Industries near to Town 05")
    assert [(row["Rank"], row["Density"], row["LQ"]) for row in near] == [("1", "0.61", "0.00"), ("2", "0.46", "0.62")]
    assert near[1]["Wage"] == "nnot known"
    page.get_by_role("button", name="Wage", exact=True).first.click()
    page.get_by_text("1 industry is not drawn: wage not known.").wait_for()
    assert "next=wage" in page.url
    assert page.get_by_text("most complex of 24").count() == 1


def test_concentration_in_plain_words(rich_reader: Reader) -> None:
    page = rich_reader.open("cluster/t01?bars=lq")
    facts = page.locator(".facts").inner_text()
    assert "0.061" in facts
    assert "Strongly concentrated beyond chance." in facts
    assert "Neighbouring towns tend to share the cluster: it reaches across borders. p 0.004" in facts
    assert "2nd most concentrated of" in page.inner_text("main")
    assert "Thin lines: 95% intervals" in page.inner_text("main")
    assert page.locator(".canvas.bars .layer_1_marks line[opacity='1']").count() > 5


def test_the_industry_space_opens_clusters(reader: Reader, metro_edition: cb.Edition) -> None:
    page = reader.open("overview")
    nodes = page.locator(".canvas.space .layer_1_marks path")
    assert nodes.count() == metro_edition.table("space_nodes").height
    assert page.locator(".canvas.space .layer_0_marks line").count() == metro_edition.table("space_links").height
    largest = metro_edition.table("space_nodes").sort("employment", descending=True).row(0, named=True)
    nodes.first.scroll_into_view_if_needed()
    nodes.first.hover(force=True)
    title = dict(metro_edition.table("industries").select("industry", "title").iter_rows())[largest["industry"]]
    assert title in page.inner_text("#tip")
    nodes.first.click(force=True)
    reader.follow(f"cluster/{largest['cluster']}")


def test_an_older_edition_has_pages_without_the_new_parts(browser: Any, edition: cb.Edition, tmp_path: Path) -> None:
    one = Reader(browser, write_atlas(poorer(edition, tmp_path / "edition"), tmp_path / "atlas"))
    for address in ("overview", "cluster/t01", "region/R05", "place/R05/t01", "definitions"):
        text = one.open(address).inner_text("main")
        assert "undefined" not in text
        assert "NaN" not in text
        for words in ("What could come next", "local effect", "Industries that stand together", "most complex", "95%"):
            assert words not in text, (address, words)
        assert one.page.locator(".fault").count() == 0
    one.page.context.close()
    assert one.faults == []


# --- what is known of each cluster in each region, and how the clusters were made


@pytest.fixture
def told_reader(browser: Any, told_atlas: Path) -> Iterator[Reader]:  # noqa: F811
    one = Reader(browser, told_atlas / "index.html")
    yield one
    one.page.context.close()
    assert one.faults == []


def test_every_row_leads_to_its_card(reader: Reader, metro_edition: cb.Edition, cluster: str) -> None:
    label = metro_edition.table("definitions").filter(cluster=cluster)["label"].item()
    place = "San Jose-Sunnyvale-Santa Clara, CA"
    page = reader.open("region/41940?clusters.show=all")
    page.get_by_role("link", name=f"Card of {label} in {place}").press("Enter")
    reader.follow(f"place/41940/{cluster}")
    assert page.inner_text("h1") == f"{label} in {place}"
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page = reader.open(f"cluster/{cluster}?places.show=all")
    assert page.get_by_role("link", name=f"Card of {label} in {place}").count() == 1
    assert "There is no cluster 'nope'" in reader.open("place/41940/nope").inner_text("main")
    assert "There is no metro area 'nope'" in reader.open(f"place/nope/{cluster}").inner_text("main")


def test_scores_of_a_card_are_those_of_the_edition(reader: Reader, metro_edition: cb.Edition, cluster: str) -> None:
    page = reader.open(f"place/41940/{cluster}")
    truth = metro_edition.table("profile_elements").filter(region="41940", cluster=cluster)
    assert page.locator("details.aspect").count() == truth.height == 16
    for row in truth.iter_rows(named=True):
        aspect = page.locator(f"#aspect-{row['element']}")
        if row["score"] is None:
            assert aspect.locator(".aspect-score").inner_text() == "not known"
            assert aspect.locator(".unknown-track").count() == 1
            assert "would be told by:" in aspect.locator(".aspect-known").inner_text()
        else:
            assert abs(number(aspect.locator(".aspect-score b").inner_text()) - row["score"]) <= 0.51
            assert aspect.locator(".aspect-known").inner_text() == f"{row['known']} of {row['possible']} known"


def test_elements_open_by_keyboard_and_show_their_indicators(
    reader: Reader, metro_edition: cb.Edition, cluster: str
) -> None:
    page = reader.open(f"place/41940/{cluster}")
    summary = page.locator("#aspect-specialisation summary")
    summary.focus()
    page.keyboard.press("Enter")
    rows = table_rows(page, "Indicators of specialisation")
    quotient = next(row for row in rows if row["Indicator"] == "Location quotient")
    here = metro_edition.table("clusters").filter(region="41940", cluster=cluster, year=LAST).row(0, named=True)
    same(quotient["Value"], here["lq"])
    assert quotient["Year"] == str(LAST)
    assert quotient["Source"] == "County Business Patterns, metro areas (clusters.lq)"
    assert "Not known here" in page.locator("#aspect-specialisation").inner_text()


def test_a_card_tells_what_is_not_known(reader: Reader, metro_edition: cb.Edition) -> None:
    flagged = metro_edition.table("agreement").select("region", "cluster")
    absent = (
        metro_edition.table("clusters")
        .filter(year=LAST, kind="traded")
        .join(flagged, on=["region", "cluster"], how="anti")
    )
    row = absent.filter(pl.col("employment") > 0).sort("employment").row(-1, named=True)
    text = reader.open(f"place/{row['region']}/{row['cluster']}").inner_text("main")
    assert "Not enough known: figures alone do not tell the type" in text
    assert "Nobody has recorded facts of this cluster here." in text
    assert "Not a candidate" in text


def test_facts_types_and_judgements_stand_on_the_card(told_reader: Reader, told: cb.Edition) -> None:  # noqa: F811
    page = told_reader.open("place/R05/t01")
    text = page.inner_text("main")
    assert "Hub-and-spoke district" in text
    assert "Everything depends on how a few large firms fare." in text
    assert "the mayor says: decline (2019): ore" in text
    assert page.locator("#aspect-competition-and-cooperation").get_by_text("(looked for in vain)").count() == 1
    page.locator("#aspect-competition-and-cooperation summary").click()
    trust = next(r for r in table_rows(page, "Indicators of competition and co-operation") if r["Indicator"] == "Trust")
    assert (trust["Value"], trust["Year"], trust["Source"]) == ("mostly", "2019", "a survey")
    borders = told.table("boundaries").filter(pl.col("cluster") == "t01")
    area = told.table("area_members").filter(region="R05", cluster="t01")
    if area.height:
        shown = borders.filter(area=area["area"].item())["text"].to_list()
        assert all(words in text for words in shown[:3])
    assert violations(page, AXE) == []


def test_evidence_stands_by_method(told_reader: Reader, told: cb.Edition) -> None:  # noqa: F811
    row = told.table("agreement").row(0, named=True)
    page = told_reader.open(f"place/{row['region']}/{row['cluster']}")
    shown = {one["Method"]: one for one in table_rows(page, "Evidence by method")}
    truth = told.table("evidence").filter(region=row["region"], cluster=row["cluster"])
    assert len(shown) == truth["method"].n_unique()
    statistics = truth.filter(method="statistics").row(0, named=True)
    assert shown["Specialisation in statistics"]["Finding"].endswith(statistics["finding"])
    assert shown["Specialisation in statistics"]["What was found"] == statistics["text"]
    assert shown["Survey of firms"]["Finding"] == "not looked at"
    for words in told.table("warnings").filter(region=row["region"], cluster=row["cluster"])["text"]:
        assert words in page.inner_text(".warnings")


def test_how_the_clusters_were_made(reader: Reader, metro_edition: cb.Edition) -> None:
    page = reader.open("definitions")
    candidates = metro_edition.table("definition_candidates").height
    traded = metro_edition.table("definitions").filter(kind="traded").height
    assert f"{traded} traded clusters from" in page.inner_text("h1")
    assert f"chosen among {candidates} candidate sets" in page.inner_text("h1")
    sides = metro_edition.table("definition_sides")
    assert len(table_rows(page, "Sides, their worth, weight and scores")) == sides.height
    drawn = page.locator(".canvas.candidates .layer_0_marks path").count()
    assert drawn == min(300, candidates) + 1
    page.get_by_role("button", name="Fit", exact=True).click()
    assert "candidates=fit" in page.url


def test_definitions_from_a_file_say_what_is_not_known(
    browser: Any, panel: cb.Panel, definitions: cb.ClusterDefinitions, tmp_path: Path
) -> None:
    definitions.to_frame().select("industry", "cluster", "label").write_csv(tmp_path / "ours.csv")
    edition = cb.build_edition(panel, cb.read_definitions(tmp_path / "ours.csv"), tmp_path / "edition")
    one = Reader(browser, write_atlas(edition, tmp_path / "atlas"))
    text = one.open("definitions").inner_text("main")
    assert "clusters, taken as given" in text
    assert "What is not known of this set" in text
    assert "no candidates were scored" in text
    assert violations(one.page, AXE) == []
    one.page.context.close()
    assert one.faults == []


# --- using it


def test_a_click_on_the_map_selects_everywhere(reader: Reader, cluster: str) -> None:
    page = reader.open(f"cluster/{cluster}")
    spot = page.evaluate(  # the middle of a large western metro area, as it is drawn
        """() => {
             const shapes = [...document.querySelectorAll(".canvas.map .layer_1_marks path")];
             const big = shapes.filter((p) => p.__data__.datum.region === "40140")[0].getBoundingClientRect();
             return [big.x + big.width / 2, big.y + big.height / 2];
           }"""
    )
    page.mouse.move(*spot)
    assert "Riverside-San Bernardino-Ontario, CA" in page.inner_text("#tip")
    page.mouse.click(*spot)
    assert page.url.endswith(f"#cluster/{cluster}?region=40140")
    assert "Riverside-San Bernardino-Ontario, CA" in page.locator(".card").first.inner_text()
    page.wait_for_function("document.querySelectorAll('.canvas.map .layer_3_marks path').length === 1")
    page.get_by_label("Narrow down").first.fill("riverside")
    assert page.locator("tr.picked").inner_text().strip().startswith("Riverside")
    page.get_by_role("button", name="Show Riverside-San Bernardino-Ontario, CA on the map").press("Enter")
    assert "region=" not in page.url
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "false"


def test_search_by_keyboard(reader: Reader) -> None:
    page = reader.open("overview")
    page.keyboard.press("/")
    page.keyboard.type("wichita")
    options = page.locator("#search-list [role=option]").all_inner_texts()
    assert options[0].startswith("Wichita, KS")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    reader.follow("region/48620")
    assert page.inner_text("h1") == "Wichita, KS"
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.go_back()
    reader.follow("overview/")


def test_tables_sort_by_button_and_keep_it_in_the_address(reader: Reader, cluster: str) -> None:
    page = reader.open(f"cluster/{cluster}")
    head = page.locator("th", has=page.get_by_role("button", name="LQ", exact=True)).first
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert "places.sort=-lq" in page.url
    shown = [number(text) for text in page.locator("table").first.locator(".chip").all_inner_texts()]
    assert shown == sorted(shown, reverse=True)
    again = reader.open(page.url.split("#")[1])
    assert again.locator("th[aria-sort=descending]").first.inner_text().startswith("LQ")


def test_comparing_adds_and_removes_places(reader: Reader) -> None:
    page = reader.open("compare/41940")
    page.get_by_role("combobox", name="Add a metro area").fill("boston")
    page.keyboard.press("Enter")
    reader.follow("compare/41940,14460")
    assert page.locator("table.side thead th").all_inner_texts()[1:] == [
        "San Jose-Sunnyvale-Santa Clara, CA",
        "Boston-Cambridge-Newton, MA-NH",
    ]
    page.get_by_role("button", name="Take San Jose-Sunnyvale-Santa Clara, CA out").click()
    reader.follow("compare/14460")
    assert page.locator(".chips li").count() == 1


def test_charts_and_tables_can_be_kept(reader: Reader, tmp_path: Path) -> None:
    page = reader.open("overview")
    with page.expect_download() as kept:
        page.get_by_role("button", name="Save as SVG: Where clusters are strong").click()
    kept.value.save_as(tmp_path / "map.svg")
    picture = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert "Number of strong clusters in each metro area, 2019" in picture
    assert "Source: County Business Patterns" in picture
    assert "var(--" not in picture
    with page.expect_download() as kept:
        page.get_by_role("button", name="Save as PNG: Where clusters are strong").click()
    kept.value.save_as(tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as kept:
        page.get_by_role("button", name="CSV").first.click()
    kept.value.save_as(tmp_path / "clusters.csv")
    table = pl.read_csv(tmp_path / "clusters.csv")
    assert table.columns[:2] == ["Cluster", "Employment (jobs)"]
    assert table.height > 50


def test_terms_explain_themselves_on_focus(reader: Reader, cluster: str) -> None:
    page = reader.open(f"cluster/{cluster}")
    page.locator(".term[data-term=gini]").first.focus()
    assert "How unevenly the cluster is spread" in page.inner_text("#tip")
    page.keyboard.press("Escape")
    assert not page.locator("#tip").is_visible()


def test_the_reader_can_choose_dark(reader: Reader) -> None:
    page = reader.open("method")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Dark colours").click()
    assert page.evaluate(paper) != light
    assert page.get_by_role("button", name="Dark colours").get_attribute("aria-pressed") == "true"
