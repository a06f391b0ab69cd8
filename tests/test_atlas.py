"""The atlas as files: complete, equal to the edition, the same bytes each time, never half written."""

from __future__ import annotations

import base64
import errno
import json
import re
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import shapely
from polars.testing import assert_frame_equal

import clusterbook as cb
from clusterbook.atlas import site, theme
from clusterbook.atlas.charts import atlas_charts, compile_chart, count_classes
from clusterbook.atlas.columns import (
    as_growth,
    as_quotient,
    as_share,
    as_shown,
    coded,
    whole_or_three_digits,
    with_bits,
)
from clusterbook.atlas.geometry import pack
from clusterbook.atlas.making import DRAWN, making_of
from clusterbook.atlas.site import write_atlas
from clusterbook.clusters.facts import Fact, read_facts
from clusterbook.clusters.life_cycle import read_judgements
from clusterbook.edition.store import write_edition
from clusterbook.errors import OutputError


def squares(codes: list[str]) -> dict[str, bytes]:
    """Return unit squares in rows of six, each touching its neighbours."""
    boxes = [shapely.box(k % 6, 40 + k // 6, k % 6 + 1, 41 + k // 6) for k in range(len(codes))]
    return dict(zip(codes, shapely.to_wkb(boxes), strict=True))


def with_gaps(panel: cb.Panel) -> cb.Panel:
    """Return the panel with shapes, and three suppressed cells of town R03 in the last year."""
    hidden = (pl.col("region") == "R03") & (pl.col("year") == 2019) & pl.col("industry").is_in(["11", "12", "21"])
    frame = panel.frame.with_columns(
        pl.when(hidden).then(None).otherwise(pl.col("employment")).alias("employment"),
        pl.when(hidden).then(10.0).alias("employment_lo"),
        pl.when(hidden).then(99.0).alias("employment_hi"),
        pl.when(hidden).then(pl.lit("suppressed")).otherwise(pl.col("status")).cast(panel.frame["status"].dtype).alias("status"),
    )  # fmt: skip
    shapes = squares(panel.regions.frame["region"].to_list())
    regions = replace(panel.regions, geometry=shapes, outline=shapely.to_wkb(shapely.box(0, 40, 6, 44)))
    return replace(panel, frame=frame, regions=regions)


ALL = "*"
UNCERTAIN = ("lq_lo", "lq_hi", "lq_low95", "lq_high95", "lq_q")
LOCAL = ("gini_rank", "gamma_counts", "moran", "moran_p")
SKILLED = ("eci", "diversity", "related_variety", "unrelated_variety", "pci", "ubiquity")
RICHER = ("shift_share", "opportunities", "space_nodes", "space_links")
CHARACTER = (
    "definition_candidates", "definition_sides", "definition_industries", "definition_stability", "definition_moves",
    "definition_edits", "related", "overlap", "areas", "area_members", "boundaries", "warnings", "evidence",
    "agreement", "nominations", "facts", "types", "profiles", "profile_elements", "peers", "stages", "stage_history",
)  # fmt: skip


def poorer(edition: cb.Edition, out: Path) -> cb.Edition:
    """Return the edition as an older version made it: without significance, complexity, space, profiles and stages."""
    tables = {
        name: edition.table(name)
        .drop(*UNCERTAIN, *LOCAL, *SKILLED, strict=False)
        .drop(pl.selectors.ends_with("_certainty", "_word"))
        for name in edition.tables
        if name not in RICHER + CHARACTER
    }
    return write_edition(tables, edition.manifest, out)


def richer(edition: cb.Edition, out: Path) -> cb.Edition:
    """Return the edition with figures made up to be told apart, whatever the build itself computes of them.

    Town R05 is estimated: its quotients lie between half and twice what they are, elsewhere bounds are points.
    """
    tables = {name: edition.table(name) for name in edition.tables}
    imputed = pl.col("region") == "R05"
    status = tables["clusters"].schema["status"]
    tables["clusters"] = tables["clusters"].with_columns(
        lq_low95=pl.col("lq") * 0.8,
        lq_high95=pl.when(pl.col("region") == "R06").then(float("inf")).otherwise(pl.col("lq") * 1.25),
        lq_q=pl.when(imputed).then(0.2).otherwise(0.01),
        lq_lo=pl.when(imputed).then(pl.col("lq") / 2).otherwise("lq"),
        lq_hi=pl.when(imputed).then(pl.col("lq") * 2).otherwise("lq"),
        employment_lo=pl.when(imputed).then(pl.lit(10.0)),
        employment_hi=pl.when(imputed).then(pl.lit(99000.0)),
        status=pl.when(imputed).then(pl.lit("imputed")).otherwise(pl.col("status")).cast(status),
    )
    totals = tables["cluster_totals"].with_columns(gini_rank=pl.lit(2), gamma_counts=0.0614, moran=0.31, moran_p=0.004)
    tables["cluster_totals"] = totals
    tables["regions"] = tables["regions"].with_columns(
        eci=pl.col("rank") / 10, related_variety=pl.col("rank") / 8, unrelated_variety=1.25, diversity=7
    )
    tables["industries"] = tables["industries"].with_columns(pci=pl.col("industry").cast(pl.Float64) / 10, ubiquity=3)
    parts = {"national": [30.0, 20.0, 50.0], "mix": [-12.0, 5.0, -7.0], "local": [-20.0, 0.4, -19.6]}
    changes = pl.DataFrame({"cluster": ["t01", "t02", ALL], **parts}).with_columns(change=pl.sum_horizontal(*parts))
    tables["shift_share"] = changes.with_columns(region=pl.lit("R05"))
    near = {
        "industry": ["12", "31"],
        "rank": [1, 2],
        "density": [0.61, 0.4567],
        "lq": [0.0, 0.62],
        "wage": [71.0, None],
    }
    tables["opportunities"] = pl.DataFrame(near).with_columns(region=pl.lit("R05"))
    at = ["11", "12", "21", "31"]
    tables["space_nodes"] = pl.DataFrame({"industry": at, "x": [0.1, 0.2, 0.6, 0.9], "y": [0.2, 0.3, 0.8, 0.4]})
    tables["space_links"] = pl.DataFrame(
        {"industry": ["11", "12", "21"], "other": ["12", "21", "31"], "proximity": [0.7, 0.55, 0.44]}
    )
    return write_edition(tables, edition.manifest, out)


@pytest.fixture(scope="module")
def gappy(panel: cb.Panel, definitions: cb.ClusterDefinitions, tmp_path_factory: pytest.TempPathFactory) -> cb.Edition:
    return cb.build_edition(with_gaps(panel), definitions, tmp_path_factory.mktemp("gappy") / "edition")


@pytest.fixture(scope="module")
def atlas(gappy: cb.Edition, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_atlas(gappy, tmp_path_factory.mktemp("site") / "atlas").parent


def read(folder: Path, name: str) -> Any:
    """Read what a data script hands to the page."""
    text = (folder / f"data/{name}.js").read_text(encoding="utf-8")
    if packed := re.fullmatch(r'receivePacked\("([^"]+)","([A-Za-z0-9+/=]*)"\);\n', text):
        assert packed[1] == name
        return json.loads(zlib.decompress(base64.b64decode(packed[2]), -zlib.MAX_WBITS))
    call = re.fullmatch(r'receive\("([^"]+)",(.*)\);\n', text, re.DOTALL)
    assert call, f"{name} is not a call of receive()"
    assert call[1] == name
    return json.loads(call[2], parse_constant=lambda word: pytest.fail(f"{word} in {name}"))


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


# --- the folder


def test_every_page_has_its_data(atlas: Path, gappy: cb.Edition) -> None:
    book = read(atlas, "book")
    assert book["regions"]["code"] == sorted(gappy.table("region_names")["region"])
    assert len(book["clusters"]["id"]) == gappy.table("definitions").height
    for code in book["regions"]["file"]:
        assert read(atlas, f"region/{code}")["clusters"]["c"]
    for code in book["clusters"]["file"]:
        assert set(read(atlas, f"cluster/{code}")) == {"regions", "trend", "members", "related"}
    page = (atlas / "index.html").read_text(encoding="utf-8")
    for name in re.findall(r'(?:src|href)="((?:static|data|downloads)/[^"]+)"', page):
        assert (atlas / name).is_file(), f"index.html names {name}"
    assert "vegaEmbed" in (atlas / "static/vega.js").read_text(encoding="utf-8")


def test_nothing_in_the_atlas_reaches_out(atlas: Path) -> None:
    ours = [file for file in [*atlas.glob("*.html"), *(atlas / "static").glob("*")] if file.name != "vega.js"]
    for file in ours:
        links = re.findall(r"https?://[^\s\"'`)]+", file.read_text(encoding="utf-8"))
        assert set(links) <= {"http://www.w3.org/2000/svg"}, file.name
        assert not re.search(r"\bfetch\(|XMLHttpRequest|import\(", file.read_text(encoding="utf-8")), file.name


def test_same_edition_same_bytes(atlas: Path, gappy: cb.Edition, tmp_path: Path) -> None:
    again = bytes_of(write_atlas(gappy, tmp_path / "again").parent)
    first = bytes_of(atlas)
    assert again.keys() == first.keys()
    assert [name for name in first if first[name] != again[name]] == []


def test_another_folder_is_refused_and_kept(gappy: cb.Edition, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"not made by Clusterbook \(it has no atlas\.json\)"):
        write_atlas(gappy, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_older_atlas_is_replaced_whole(gappy: cb.Edition, tmp_path: Path) -> None:
    page = write_atlas(gappy, tmp_path / "atlas")
    (page.parent / "data/region/gone.js").write_text("stale")
    write_atlas(gappy, tmp_path / "atlas")
    assert not (page.parent / "data/region/gone.js").exists()
    assert page.is_file()
    assert [file.name for file in tmp_path.iterdir()] == ["atlas"]


def test_a_full_disk_leaves_the_old_atlas(gappy: cb.Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = write_atlas(gappy, tmp_path / "atlas")
    before = bytes_of(page.parent)

    def full(file: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(site, "_write", full)
    with pytest.raises(OutputError, match="The disk is full: free some space"):
        write_atlas(gappy, tmp_path / "atlas")
    assert bytes_of(page.parent) == before
    assert [file.name for file in tmp_path.iterdir()] == ["atlas"]


def test_a_place_that_cannot_be_written_has_a_remedy(gappy: cb.Edition, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"Cannot write .*: .*\. .*[Nn]ame another place"):
        write_atlas(gappy, tmp_path / "file" / "atlas")


def test_a_read_only_place_has_a_remedy(gappy: cb.Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> str:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(OutputError, match="That place is read-only: name another one"):
        write_atlas(gappy, tmp_path / "atlas")


# --- the figures


def test_pages_hold_the_figures_of_the_edition(atlas: Path, gappy: cb.Edition) -> None:
    book = read(atlas, "book")
    truth = gappy.table("clusters").filter(year=2019)
    for file, code in zip(book["regions"]["file"][:6], book["regions"]["code"][:6], strict=True):
        page = pl.DataFrame(read(atlas, f"region/{file}")["clusters"])
        page = page.with_columns(cluster=pl.Series([book["clusters"]["id"][c] for c in page["c"]]))
        both = page.join(truth.filter(region=code), on="cluster", suffix="_true")
        assert both.height == page.height == truth.filter(region=code).height
        assert_frame_equal(
            both.select(size=pl.col("size").cast(pl.Float64), lq="lq", share="national_share", rank="rank"),
            both.select(
                size=whole_or_three_digits(pl.col("employment")),
                lq=as_quotient(pl.col("lq_true")),
                share=as_share(pl.col("national_share_true")),
                rank="rank_true",
            ),
            check_dtypes=False,
        )


def test_suppressed_is_shown_as_such_never_as_zero(atlas: Path, gappy: cb.Edition) -> None:
    rows = pl.DataFrame(read(atlas, "region/R03")["clusters"])
    hidden = rows.filter(status="suppressed")
    assert hidden.height == gappy.table("clusters").filter(region="R03", year=2019, status="suppressed").height > 0
    assert hidden["size"].null_count() == hidden["lq"].null_count() == hidden.height
    assert (hidden["lo"] > 0).all()
    assert rows.filter(pl.col("size").is_not_null())["status"].null_count() == rows.height - hidden.height
    assert read(atlas, "book")["headline"]["hidden"] == hidden.height


def test_estimates_and_intervals_reach_the_page(edition: cb.Edition, tmp_path: Path) -> None:
    rich = richer(edition, tmp_path / "edition")
    folder = write_atlas(rich, tmp_path / "atlas").parent
    truth = rich.table("clusters").filter(year=2019, region="R05").sort("employment", descending=True)
    page = pl.DataFrame(read(folder, "region/R05")["clusters"])
    assert page["status"].to_list() == ["imputed"] * truth.height
    for name in ("lq_lo", "lq_hi", "lq_low95", "lq_high95"):
        shown = truth.select(as_quotient(pl.col(name)))[name]
        assert page[name].cast(pl.Float64).to_list() == shown.to_list(), name
    assert page["lq_q"].to_list() == [0.2] * truth.height
    other = read(folder, "region/R07")["clusters"]
    assert {"lq_lo", "lq_hi", "status", "lo", "hi"} & set(other) == set()  # bounds that are points say nothing
    assert "lq_high95" not in read(folder, "region/R06")["clusters"]  # an open end is a gap


def test_what_changed_and_what_could_come(edition: cb.Edition, tmp_path: Path) -> None:
    folder = write_atlas(richer(edition, tmp_path / "edition"), tmp_path / "atlas").parent
    book, page = read(folder, "book"), read(folder, "region/R05")
    place = dict(enumerate(book["clusters"]["id"]))
    shift = {place.get(row["c"], ALL): row for row in pl.DataFrame(page["shift_share"]).to_dicts()}
    assert shift[ALL] == {"c": None, "change": 23, "national": 50, "mix": -7, "local": -20}
    assert {code: row["local"] for code, row in shift.items()} == {"t01": -20, "t02": 0.4, ALL: -20}
    industries = read(folder, "industries")
    codes = industries["industries"]["industry"]
    chances = page["opportunities"]
    assert [codes[i] for i in chances["i"]] == ["12", "31"]
    assert (chances["density"], chances["lq"], chances["wage"]) == ([0.61, 0.457], [0, 0.62], [71, None])
    assert [codes[i] for i in industries["links"]["i"]] == ["11", "12", "21"]
    assert industries["links"]["proximity"] == [0.7, 0.55, 0.44]
    at = codes.index("21")
    assert (industries["industries"]["x"][at], industries["industries"]["pci"][at]) == (0.6, 2.1)
    assert book["clusters"]["gini_rank"][0] == 2
    assert book["clusters"]["gamma_counts"][0] == 0.061
    assert read(folder, "region/R07")["shift_share"] == {}


def test_an_older_edition_leaves_the_new_parts_out(edition: cb.Edition, tmp_path: Path) -> None:
    folder = write_atlas(poorer(edition, tmp_path / "edition"), tmp_path / "atlas").parent
    book, page = read(folder, "book"), read(folder, "region/R05")
    assert {*LOCAL, *SKILLED} & {*book["clusters"], *book["regions"]} == set()
    assert (page["shift_share"], page["opportunities"]) == ({}, {})
    assert read(folder, "industries") == {"industries": {}, "links": {}}
    assert book["headline"]["strong"] == edition.table("clusters").filter(year=2019)["strong"].sum()


def test_every_term_that_pages_name_is_explained(atlas: Path) -> None:
    terms = read(atlas, "book")["terms"]
    scripts = "".join(
        file.read_text(encoding="utf-8") for file in (atlas / "static").glob("*.js") if file.name != "vega.js"
    )
    named = set(re.findall(r'(?:\bterm: |"data-term": |\bterm\()"(\w+)"', scripts))
    assert len(named) > 20
    assert named - set(terms) == set()
    for key in ("eci", "pci", "moran", "gamma_counts", "density", "proximity", "shift_local", "related_variety"):
        assert terms[key]["formula"], key
        assert re.search(r"\(\d{4}\)", terms[key]["source"]), key


def test_flags_are_packed_without_loss(atlas: Path, gappy: cb.Edition) -> None:
    book = read(atlas, "book")
    names = [flag["name"] for flag in book["flags"]]
    assert names[0] == "strong"
    truth = gappy.table("clusters").filter(year=2019, region="R05").sort("cluster")
    page = pl.DataFrame(read(atlas, "region/R05")["clusters"])
    page = page.with_columns(cluster=pl.Series([book["clusters"]["id"][c] for c in page["c"]])).sort("cluster")
    for bit, name in enumerate(names):
        met = [bool(value >> bit & 1) for value in page["met"]]
        doubts = page["unsure"] if "unsure" in page.columns else [0] * len(met)
        unsure = [bool(value >> bit & 1) for value in doubts]
        assert [None if u else m for m, u in zip(met, unsure, strict=True)] == truth[name].to_list(), name


def test_one_year_of_another_measure(panel: cb.Panel, definitions: cb.ClusterDefinitions, tmp_path: Path) -> None:
    frame = panel.frame.filter(year=2019).select("region", "industry", "year", "status", gva=pl.col("employment") / 64)
    source = cb.Source(id="gva", title="Regional accounts", units={"gva": "GBP million"})
    edition = cb.build_edition(replace(panel, frame=frame, source=source), definitions, tmp_path / "edition")
    folder = write_atlas(edition, tmp_path / "atlas").parent
    book = read(folder, "book")
    assert book["measures"] == [{"name": "size", "label": "gva", "unit": "GBP million"}]
    assert not [name for name in book["clusters"] if name.startswith("t2")]
    assert "wage" not in book["clusters"]
    assert read(folder, "map")["regions"]["shapes"] == {}
    assert "Gva, 2019" in (folder / "index.html").read_text(encoding="utf-8")


def test_codes_become_safe_and_unique_file_names() -> None:
    from clusterbook.atlas.book import _file_names

    codes = pl.Series(["31080", "A/B", "A?B", "..", "ab", "AB", "é"])
    names = _file_names(codes).to_list()
    assert names[0] == "31080"
    assert all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name) for name in names)
    assert len({name.lower() for name in names}) == len(codes)


@pytest.mark.parametrize(
    ("rounding", "value", "shown"),
    [
        (as_quotient, 0.004, 0.004),
        (as_quotient, 7.2149, 7.21),
        (as_quotient, 12.345, 12.3),
        (as_quotient, 1510.6, 1511.0),
        (as_share, 0.12345, 0.123),
        (as_share, 0.00123, 0.0012),
        (as_share, 0.0000123, 0.00001),
        (as_growth, -0.01249, -0.012),
        (whole_or_three_digits, 12345.6, 12346.0),
        (whole_or_three_digits, 1.2345, 1.23),
        (whole_or_three_digits, None, None),
    ],
)
def test_rounding(rounding: Any, value: float | None, shown: float | None) -> None:
    frame = pl.DataFrame({"x": [value]}, schema={"x": pl.Float64})
    assert frame.select(rounding(pl.col("x"))).item() == shown


def test_gaps_survive_rounding() -> None:
    frame = pl.DataFrame({"lq": [1.0, None, float("nan")]})
    assert as_shown(frame)["lq"].to_list() == [1, None, None]


# --- what is known of each cluster in each region

SAID: dict[str, float | str] = {
    "largest-employer": "local-firm",
    "hub-dependence": 4,
    "top-firms-share": 0.7,
    "commitment": 3,
    "trust": 3.0,
}


@pytest.fixture(scope="session")
def told(panel: cb.Panel, definitions: cb.ClusterDefinitions, tmp_path_factory: pytest.TempPathFactory) -> cb.Edition:
    """An edition with shapes, gaps and facts that somebody recorded of the first cluster in town R05."""
    facts = [Fact("R05", "t01", name, value, year=2019, source="a survey") for name, value in SAID.items()]
    facts.append(Fact("R05", "t01", "cooperation", None, year=2019, source="a survey"))
    said = {"region": "R05", "cluster": "t01", "year": 2019, "stage": "decline", "who": "the mayor", "reason": "ore"}
    return cb.build_edition(
        with_gaps(panel),
        definitions,
        tmp_path_factory.mktemp("told") / "edition",
        facts=read_facts(facts),
        judgements=read_judgements(pl.DataFrame(said)),
    )


@pytest.fixture(scope="session")
def told_atlas(told: cb.Edition, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_atlas(told, tmp_path_factory.mktemp("told") / "atlas").parent


def column(columns: dict[str, Any], name: str, length: int) -> list[Any]:
    """Return a column of a place file, which may be left out, a list or one value for all."""
    values = columns.get(name)
    return values if isinstance(values, list) else [values] * length


def opened(columns: dict[str, Any]) -> list[dict[str, Any]]:
    """Return columns as rows, as a page does."""
    lists = {
        name: values
        if isinstance(values, list)
        else values["of"] * values["all"]
        if "all" in values
        else [values["of"][k] for k in values["at"]]
        for name, values in columns.items()
    }
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def test_profiles_reach_the_page_whole(told: cb.Edition, told_atlas: Path) -> None:
    ids = read(told_atlas, "book")["clusters"]["id"]
    for code in ("R03", "R05"):
        profile = read(told_atlas, f"place/{code}")["profile"]
        own = [ids[c] for c in profile["c"]]
        elements = told.table("profile_elements").filter(region=code)
        assert sorted(own) == sorted(elements["cluster"].unique())
        shown = {
            (cluster, name): (s, k, n)
            for name, columns in profile["elements"].items()
            for cluster, s, k, n in zip(own, *(column(columns, one, len(own)) for one in "skn"), strict=True)
        }
        for row in elements.iter_rows(named=True):
            score = None if row["score"] is None else pl.Series([float(row["score"])]).round(0).item()
            truth = (score, row["known"], row["possible"])
            assert shown.get((row["cluster"], row["element"]), (None, 0, row["possible"])) == truth
        told_here = told.table("profiles").filter(region=code)
        values = sum(
            sum(v is not None or lo is not None or hi is not None for v, lo, hi in zip(
                *(column(columns, one, len(own)) for one in ("v", "lo", "hi")), strict=True))
            for columns in profile["indicators"].values()
        )  # fmt: skip
        assert values == told_here.height


def test_a_place_tells_facts_types_and_judgements(told: cb.Edition, told_atlas: Path) -> None:
    page, words = read(told_atlas, "place/R05"), read(told_atlas, "words")
    facts = {row["fact"]: row for row in opened(page["facts"])}
    assert facts.keys() == {*SAID, "cooperation"}
    assert facts["trust"]["text"] == "mostly"
    assert facts["top-firms-share"]["text"] == "70%"
    assert facts["cooperation"]["text"] == "looked for and not known"
    markusen = next(row for row in opened(page["types"]) if row["typology"] == "markusen")
    assert (markusen["verdict"], markusen["type"]) == ("type", "hub-and-spoke")
    typology = next(one for one in words["typologies"] if one["id"] == "markusen")
    assert typology["types"]["hub-and-spoke"]["vulnerability"]
    assert set(typology["ask"]) <= set(words["facts"])
    first = read(told_atlas, "book")["clusters"]["id"].index("t01")
    judged = next(row for row in opened(page["stages"]) if row["c"] == first)
    assert (judged["judged_stage"], judged["judged_by"]) == ("decline", "the mayor")
    assert read(told_atlas, "place/R06")["facts"] == {}


def test_evidence_warnings_and_borders_are_those_of_the_edition(told: cb.Edition, told_atlas: Path) -> None:
    codes, ids = (read(told_atlas, "book")[key][name] for key, name in (("regions", "code"), ("clusters", "id")))
    pages = [read(told_atlas, f"place/{code}") for code in codes]
    looked = told.table("evidence").filter(pl.col("finding") != "not looked at")
    assert sum(len(opened(page["evidence"])) for page in pages) == looked.height > 0
    assert sum(len(opened(page["warnings"])) for page in pages) == told.table("warnings").height > 0
    assert read(told_atlas, "book")["warned"]["all"] == told.table("warnings").height
    borders = [row for cluster in ids for row in opened(read(told_atlas, f"reach/{cluster}")["boundaries"])]
    assert sorted(row["text"] for row in borders) == sorted(told.table("boundaries")["text"])


def test_peers_are_the_nearest_in_their_order(told: cb.Edition, told_atlas: Path) -> None:
    book = read(told_atlas, "book")
    first = book["clusters"]["id"].index("t01")
    shown = [row for row in opened(read(told_atlas, "place/R05")["peers"]) if row["c"] == first]
    truth = told.table("peers").filter(region="R05", cluster="t01").sort("rank").head(5)
    assert [book["regions"]["code"][row["o"]] for row in shown] == truth["other"].to_list()
    assert [row["distance"] for row in shown] == (truth["distance"] * 1000).round(0).to_list()
    whole = read(told_atlas, "region/R05")["peers"]
    truth = told.table("peers").filter(region="R05", cluster="*").sort("rank")
    assert [book["regions"]["code"][o] for o in whole["o"]] == truth["other"].to_list()


def test_how_the_set_was_made(told: cb.Edition, told_atlas: Path) -> None:
    making = read(told_atlas, "making")
    truth = told.table("definition_candidates")
    assert making["n_candidates"] == truth.height
    assert len(making["candidates"]["rank"]) == min(DRAWN, truth.height)
    assert making["candidates"]["rank"][0] == 1
    assert len(making["industries"]["industry"]) == told.table("definition_industries").height
    assert making["sides"]["mean"] == told.table("definition_sides")["mean"].round(3).to_list()


def test_the_best_candidates_of_each_way_are_drawn(told: cb.Edition, tmp_path: Path) -> None:
    ways = [("equal", "Ward"), ("equal", "Leiden"), ("by worth", "Ward")]
    rows = [(k + 1, *ways[0 if k < 900 else k % 3], "rank", 40 + k % 20, 2, 1 - k / 2000) for k in range(1200)]
    schema = ["rank", "mixture", "algorithm", "scale", "clusters", "smallest", "score"]
    tables = {name: told.table(name) for name in told.tables}
    tables["definition_candidates"] = pl.DataFrame(rows, schema=schema, orient="row")
    many = write_edition(tables, told.manifest, tmp_path / "many")
    drawn = pl.DataFrame(making_of(many, told.table("definitions")["cluster"].to_list())["candidates"])
    assert drawn.height == DRAWN
    assert drawn.group_by("mixture", "algorithm").len().sort("len")["len"].to_list() == [100, 100, 100]
    assert drawn.filter(mixture="equal", algorithm="Ward")["rank"].max() == 100


def test_coded_columns_come_back() -> None:
    columns = {"text": ["a", "b", "a", "a"], "year": [2019] * 4, "n": [1, 2, 3, 4], "list": [["a"], ["a"], [], ["b"]]}
    short = coded(columns)
    assert short["text"] == {"of": ["a", "b"], "at": [0, 1, 0, 0]}
    assert short["year"] == {"of": [2019], "all": 4}
    assert opened(short) == [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_doubts_are_packed() -> None:
    frame = pl.DataFrame({
        "strong": [True, False, None, True],
        "strong_word": ["borderline", "sure", None, "likely"],
        "strong_certainty": [0.6, 0.01, None, 0.8],
        "star": [False, True, True, None],
    })  # fmt: skip
    packed = with_bits(frame, ["strong", "star"])
    assert packed.to_dict(as_series=False) == {
        "met": [1, 2, 2, 1], "unsure": [0, 0, 1, 2], "likely": [0, 0, 0, 1], "borderline": [1, 0, 0, 0],
    }  # fmt: skip


def test_an_older_edition_says_nothing_of_places(edition: cb.Edition, tmp_path: Path) -> None:
    folder = write_atlas(poorer(edition, tmp_path / "edition"), tmp_path / "atlas").parent
    assert {name: bool(part) for name, part in read(folder, "place/R05").items() if part} == {}
    assert read(folder, "making")["candidates"] == {}
    assert read(folder, "book")["warned"] == {}
    assert "stage" not in read(folder, "region/R05")["clusters"]


# --- downloads


def test_downloads_are_the_edition(atlas: Path, gappy: cb.Edition) -> None:
    for name in (name for name, record in gappy.manifest["tables"].items() if record["rows"]):
        assert (atlas / f"downloads/{name}.parquet").read_bytes() == gappy.file(name).read_bytes()
    features = json.loads((atlas / "downloads/regions.geojson").read_text(encoding="utf-8"))["features"]
    town = next(one for one in features if one["properties"]["region"] == "R07")
    truth = gappy.table("regions").filter(region="R07", year=2019).row(0, named=True)
    assert town["properties"]["n_strong"] == truth["n_strong"]
    assert shapely.from_geojson(json.dumps(town["geometry"])).equals(shapely.box(1, 41, 2, 42))
    assert all(one["properties"]["region"] != "*" for one in features)


def test_large_tables_are_zipped_or_cut_to_the_last_year(
    gappy: cb.Edition, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clusterbook.atlas.downloads.ZIP_FROM_BYTES", 2000)
    limit = min(gappy.file(name).stat().st_size for name in ("cells", "profiles")) - 1
    monkeypatch.setattr("clusterbook.atlas.downloads.WHOLE_UP_TO_BYTES", limit)
    folder = write_atlas(gappy, tmp_path / "atlas").parent / "downloads"
    assert "profiles" in read(folder.parent, "book")["left_behind"]
    assert not (folder / "profiles.parquet").exists()
    with zipfile.ZipFile(folder / "clusters.csv.zip") as archive:
        table = pl.read_csv(archive.read("clusters.csv"), schema_overrides={"region": pl.String})
    truth = gappy.table("clusters").filter(year=2019)
    assert table.height == truth.height
    assert table["employment"].null_count() == truth["employment"].null_count() > 0
    assert pl.read_parquet(folder / "cells-2019.parquet")["year"].unique().to_list() == [2019]
    assert not (folder / "cells.parquet").exists()


# --- shapes and charts


def unpack(packed: dict[str, Any], code: str) -> list[shapely.Polygon]:
    def points(steps: list[int]) -> Any:
        return np.array(steps).reshape(-1, 2).cumsum(axis=0) * packed["step"] + packed["origin"]

    return [shapely.Polygon(points(rings[0]), [points(ring) for ring in rings[1:]]) for rings in packed["shapes"][code]]


def test_shapes_come_back_with_shared_borders_and_holes() -> None:
    ring = shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2))
    inner = shapely.box(1, 1, 2, 2)
    packed = pack({"ring": shapely.to_wkb(ring), "inner": shapely.to_wkb(inner)})
    (back_ring,), (back_inner,) = unpack(packed, "ring"), unpack(packed, "inner")
    assert back_ring.equals_exact(ring, 2 * packed["step"]) or back_ring.symmetric_difference(ring).area < 0.01
    assert back_inner.symmetric_difference(inner).area < 0.01
    assert back_ring.intersection(back_inner).area == 0
    assert not shapely.is_ccw(back_ring.exterior)
    assert shapely.is_ccw(back_ring.interiors[0])


def test_lines_that_enclose_areas_become_areas_and_stray_ones_go() -> None:
    borders = shapely.MultiLineString([[(0, 0), (2, 0), (2, 1), (0, 1), (0, 0)], [(1, 0), (1, 1)]])
    stray = shapely.GeometryCollection([shapely.box(5, 5, 6, 6), shapely.LineString([(5, 5), (7, 7)])])
    packed = pack({"*": shapely.to_wkb(shapely.node(borders)), "r": shapely.to_wkb(stray)})
    assert len(packed["shapes"]["*"]) == 2
    assert len(packed["shapes"]["r"]) == 1
    assert pack({})["shapes"] == {}


def test_count_classes() -> None:
    breaks, labels, colours = count_classes([0, 1, 1, 2, 2, 3, 4, 5, 7, 9, 14])
    assert breaks == (2.0, 3.0, 5.0, 9.0)
    assert labels == ("1", "2", "3–4", "5–8", "≥ 9")
    assert len(colours) == len(labels) == len(breaks) + 1
    assert count_classes([])[1] == ("≥ 1",)
    assert count_classes([2, 2, 2])[1] == ("≥ 2",)


def test_charts_follow_the_page_or_stand_alone() -> None:
    page = theme.CSS_COLOURS
    for name, chart in atlas_charts("mercator", page, [1, 2, 3]).items():
        text = json.dumps(compile_chart(chart, page))
        assert "var(--" in text, name
        assert not re.search(r"#[0-9a-f]{6}", text), f"{name} has a colour that does not follow light and dark"
        assert {"rows", "shapes"} & {one["name"] for one in json.loads(text)["data"]}, name
    plain = theme.colours("dark")
    assert "var(--" not in json.dumps(compile_chart(atlas_charts("mercator", plain, [1])["trend"], plain))


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_palette_has_enough_contrast(mode: Any) -> None:
    colour = theme.colours(mode)
    for ground in ("paper", "raised"):
        for text in ("ink", "muted", "accent", "good", "warn", "bad"):
            assert contrast(colour[text], colour[ground]) >= 4.5, f"{text} on {ground}"
        for mark in ("traded", "local", "other", "place-1", "place-2", "place-3", "place-4", "place-5"):
            assert contrast(colour[mark], colour[ground]) >= 3, f"{mark} on {ground}"
    for shade in ("below-2", "below-1", "above-1", "above-2"):
        assert contrast(colour["ink"], colour[shade]) >= 4.5, shade
    for shade in ("above-3", "above-4"):
        assert contrast(colour[f"on-{shade}"], colour[shade]) >= 4.5, shade
