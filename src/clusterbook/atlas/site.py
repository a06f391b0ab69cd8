"""Write the atlas: an edition in, a folder of pages out that needs no server and no network."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import vl_convert

from clusterbook.atlas import theme
from clusterbook.atlas.book import ALL, Book
from clusterbook.atlas.charts import atlas_charts, compile_chart
from clusterbook.atlas.columns import optional_table, packed_script, script
from clusterbook.atlas.downloads import Download, write_downloads
from clusterbook.atlas.geometry import pack
from clusterbook.atlas.library import add_library
from clusterbook.edition.store import Edition
from clusterbook.folders import fresh_folder
from clusterbook.knowledge import load_knowledge

MARKER = "atlas.json"

#: Scripts in the order in which they build on each other; ``start.js`` comes last, after the data of the book.
SCRIPTS = ("dom.js", "book.js", "format.js", "address.js", "tip.js", "chart.js", "map.js", "table.js", "parts.js",
           "search.js", "space.js", "overview.js", "cluster.js", "change.js", "region.js", "compare.js",
           "definitions.js", "profile.js", "place.js", "method.js")  # fmt: skip


def write_atlas(edition: Edition, out: str | Path, *, progress: Callable[[str], None] | None = None) -> Path:
    """Render an edition as a self-contained site.

    Args:
        edition: what to show.
        out: the folder to make. An atlas that stands there is replaced only when the new one is complete; any other
            folder is refused.
        progress: called with a few words at each step.

    Returns:
        The page to open. It works from a disk as well as from any web server.

    Raises:
        OutputError: ``out`` is no atlas, cannot be written, or the disk is full.

    Example:
        >>> import clusterbook as cb
        >>> edition = cb.open_edition("us.edition")              # doctest: +SKIP
        >>> page = cb.write_atlas(edition, "us.atlas")           # doctest: +SKIP
    """
    say = progress or (lambda _: None)
    with fresh_folder(out, marker=MARKER) as folder:
        for name in ("static", "data/cluster", "data/region", "data/place", "data/reach"):
            (folder / name).mkdir(parents=True)
        say("Downloads")
        downloads = write_downloads(edition, folder / "downloads")
        say("Figures")
        book = Book(edition)
        _write(folder / "data/book.js", script("book", book.record(downloads)))
        for name, data in book.cluster_files():
            _write(folder / f"data/cluster/{name}.js", script(f"cluster/{name}", data))
        for name, data in book.region_files():
            _write(folder / f"data/region/{name}.js", script(f"region/{name}", data))
        say("What is known of each cluster in each region")
        for name, data in book.place_files():
            _write(folder / f"data/place/{name}.js", packed_script(f"place/{name}", data))
        for name, data in book.reach_files():
            _write(folder / f"data/reach/{name}.js", packed_script(f"reach/{name}", data))
        _write(folder / "data/words.js", script("words", book.places.words()))
        _write(folder / "data/making.js", script("making", book.making()))
        _write(folder / "data/industries.js", script("industries", book.industry_file()))
        say("Maps and charts")
        _write(folder / "data/map.js", script("map", _map(edition)))
        _write(folder / "data/charts.js", script("charts", _charts(book)))
        _write(folder / "static/vega.js", _vega_runtime())
        say("Page")
        _write_shell(folder, book, downloads)
        say("Library")
        add_library(folder, load_knowledge(), home=edition.manifest["title"])
        _write(
            folder / MARKER, json.dumps({"software": edition.manifest["software"], "title": edition.manifest["title"]})
        )
    return Path(out) / "index.html"


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="\n")


# --- the shell ------------------------------------------------------------------------------------------------------


def _write_shell(folder: Path, book: Book, downloads: list[Download]) -> None:
    package = files("clusterbook.atlas")
    for name in ("atlas.css", "print.css", *SCRIPTS, "start.js"):
        _write(folder / "static" / name, (package / "static" / name).read_text(encoding="utf-8"))
    _write(folder / "static/palette.css", theme.stylesheet())
    template = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    ).from_string((package / "templates/index.html.j2").read_text(encoding="utf-8"))
    manifest = book.manifest
    page = template.render(
        title=manifest["title"],
        measure=book.label(book.size)[:1].upper() + book.label(book.size)[1:],
        nouns=manifest["noun"][1],
        year=book.year,
        n_clusters=book.clusters.height,
        n_regions=book.regions.height,
        software=manifest["software"],
        sources=manifest["sources"],
        scripts=SCRIPTS,
        downloads=downloads,
    )
    _write(folder / "index.html", page)


def _charts(book: Book) -> dict[str, Any]:
    colour = theme.CSS_COLOURS
    counts = book.regions["n_strong"].drop_nulls().to_list() if "n_strong" in book.regions.columns else []
    charts = atlas_charts(book.manifest["projection"], colour, counts)
    return {name: compile_chart(chart, colour) for name, chart in charts.items()}


@cache
def _vega_runtime() -> str:
    """Return the Vega runtime that comes with vl-convert, its names kept out of the page's."""
    return f"(() => {{{vl_convert.javascript_bundle('window.vegaEmbed = vegaEmbed;')}}})();\n"


def _map(edition: Edition) -> dict[str, Any]:
    table = optional_table(edition, "geometry")
    shapes = dict(zip(table["region"], table["wkb"], strict=True)) if table is not None else {}
    ground = {code: shapes.pop(code) for code in (ALL,) if code in shapes}
    return {"regions": pack(shapes), "ground": pack(ground)}
