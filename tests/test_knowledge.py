"""The engine of the knowledge base on small made-up folders, and the soundness of the bundled entries."""

from __future__ import annotations

import dataclasses
import os
import re
import textwrap
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterbook.errors import ClusterbookError, DataError
from clusterbook.knowledge import KINDS, KnowledgeBase, check_knowledge, load_knowledge, loading
from clusterbook.knowledge.arithmetic import evaluate, names_in
from clusterbook.knowledge.asking import GROUP_FIELDS, _stored
from clusterbook.knowledge.links import fields_of, reference_fields
from clusterbook.knowledge.models import Citation, Concept, Entry
from clusterbook.knowledge.search import filters_of
from clusterbook.knowledge.words import stem, stems

SOURCE = "[{key: own-2020}]"
BASE = {
    "bibliography/own.yaml": """
        - {id: own-2020, title: A work of ours}
        """,
    "concepts/concepts.yaml": """
        - {id: talk, title: Get them to talk, text: A goal., group: goal, sources: [{key: own-2020}]}
        - {id: meet, title: Get them to meet, text: Part., group: goal, parent: talk, sources: [{key: own-2020}]}
        - {id: chamber, title: Chamber, text: A chamber., group: actor, sources: [{key: own-2020}]}
        """,
    "mechanisms/mechanisms.yaml": """
        - {id: chance, title: Chance encounters, text: People meet., number: 1, sources: [{key: own-2020}]}
        - {id: rivalry, title: Rivalry, text: People compete., number: 2, sources: [{key: own-2020}]}
        """,
    "failures/failures.yaml": """
        - {id: silence, title: Silence, text: Nobody says anything., family: systemic, sources: [{key: own-2020}]}
        - id: deep-silence
          title: Deep silence
          text: Nobody has said anything for years.
          family: systemic
          parent: silence
          sources: [{key: own-2020}]
        """,
    "settings/settings.yaml": """
        - id: rural
          title: Rural area
          text: Far from town.
          factor: Place
          changes: [{aspect: Roads, text: They are long., sources: [{key: own-2020}]}]
          sources: [{key: own-2020}]
        - id: urban
          title: Town
          text: In town.
          factor: Place
          changes: [{aspect: Rents, text: They are high., sources: [{key: own-2020}]}]
          sources: [{key: own-2020}]
        """,
    "stages/stages.yaml": """
        - {id: emerging, title: Emerging, text: New., order: 1, signs: [x], next: [mature], sources: [{key: own-2020}]}
        - {id: mature, title: Mature, text: Grown., order: 2, signs: [x], next: [decline], sources: [{key: own-2020}]}
        - {id: decline, title: Decline, text: Old., order: 3, signs: [x], sources: [{key: own-2020}]}
        """,
    "instruments/instruments.yaml": """
        - id: tea-party
          title: Tea party
          text: Firms drink tea together. The municipality pays for the cups.
          tags: [hospitality]
          goals: [meet]
          mechanisms: [chance]
          failures: [deep-silence]
          levels: {local: pays for the cups}
          fit: {fits: [settings/rural, stages/emerging]}
          time_to_effect: early
          risk: low
          cost: low
          early_cooperation:
            {immediate_problem: "no", not_core_business: "yes", no_room_for_predation: "yes", economies_of_scale: "no"}
          evidence: {strength: cases, text: One case., cases: [teatown]}
          sources: [{key: own-2020, at: page 3}]
        - id: boxing-match
          title: Boxing match
          text: Firms fight it out.
          goals: [talk]
          mechanisms: [chance, rivalry]
          failures: [silence]
          actors: [chamber]
          fit: {harms: [settings/rural]}
          time_to_effect: early
          risk: high
          cost: low
          early_cooperation:
            {immediate_problem: "no", not_core_business: "yes", no_room_for_predation: "no", economies_of_scale: "no"}
          evidence: {strength: none, text: Nothing.}
          sources: [{key: own-2020}]
        - id: letter
          title: Letters
          text: Firms write to each other.
          goals: [talk]
          failures: [silence]
          levels: {national: prints stamps}
          time_to_effect: late
          risk: low
          cost: high
          early_cooperation:
            {immediate_problem: "no", not_core_business: "yes", no_room_for_predation: "yes", economies_of_scale: "no"}
          evidence: {strength: none, text: Nothing.}
          sources: [{key: own-2020}]
        - id: whisper
          title: Whispering
          text: Firms whisper.
          goals: [talk]
          failures: [silence]
          time_to_effect: late
          risk: low
          cost: high
          early_cooperation:
            {immediate_problem: "no", not_core_business: "yes", no_room_for_predation: "yes", economies_of_scale: "no"}
          evidence: {strength: none, text: Nothing.}
          sources: [{key: own-2020}]
        """,
    "cases/cases.yaml": """
        - id: teatown
          title: Teatown
          text: Makers of tea pots.
          family: cluster
          place: {name: Teatown, country: GB}
          industry: Tea pots and cups
          settings: [rural]
          stage: emerging
          figures:
            - {name: jobs-before, label: Jobs, value: 20, unit: jobs, year: "1990", sources: [{key: own-2020}]}
            - {name: jobs-after, label: Jobs, value: 30, unit: jobs, year: "2000", about: true,
               sources: [{key: own-2020}]}
            - {name: zero, label: None, value: 0, unit: jobs, year: "2000", sources: [{key: own-2020}]}
            - {name: range, label: Some, low: 1, high: 2, unit: jobs, year: "2000", sources: [{key: own-2020}]}
          derived:
            - {label: Growth, expression: (jobs_after / jobs_before - 1) * 100, unit: "%"}
            - {label: By nothing, expression: jobs_before / zero, unit: "-"}
            - {label: Of a range, expression: range * 2, unit: jobs}
          instruments: [tea-party]
          outcome: {text: Not known., grade: e}
          sources: [{key: own-2020}]
        - id: bigtown
          title: Bigtown
          text: Makers of boxing gloves.
          family: cluster
          place: {name: Bigtown}
          industry: Gloves
          settings: [urban]
          stage: decline
          outcome: {text: Not known., grade: e}
          sources: [{key: own-2020}]
        - id: nowhere
          title: Nowhere
          text: Nothing is known.
          family: other
          place: {name: Nowhere}
          settings: [rural]
          outcome: {text: Not known., grade: e}
          sources: [{key: own-2020}]
        - id: blank
          title: Blank
          text: Even less is known.
          family: other
          place: {name: Blank}
          outcome: {text: Not known., grade: e}
          sources: [{key: own-2020}]
        """,
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLUSTERBOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "knowledge"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "base", BASE)


@pytest.fixture
def kb(folder: Path) -> KnowledgeBase:
    return load_knowledge(folder, bundled=False)


def problems(*folders: Path) -> list[str]:
    with pytest.raises(DataError) as error:
        load_knowledge(*folders, bundled=False)
    return [f"{problem.check}: {problem}" for problem in error.value.problems]


# ---- loading


def test_entries_by_kind_and_link(kb: KnowledgeBase) -> None:
    assert kb.instruments["tea-party"] is kb.get("instruments/tea-party")
    assert list(kb.entries("stages")) == ["emerging", "mature", "decline"]
    assert repr(kb) == "<KnowledgeBase: 21 entries of 31 kinds>"
    with pytest.raises(ClusterbookError, match="did you mean tea-party"):
        kb.get("instruments/tee-party")
    with pytest.raises(ClusterbookError, match="no kind 'instrument'; did you mean instruments"):
        kb.get("instrument/tea-party")
    with pytest.raises(ClusterbookError, match="is no link"):
        kb.get("tea-party")


def test_every_kind_has_its_field() -> None:
    fields = {field.name for field in dataclasses.fields(KnowledgeBase)}
    assert {kind.replace("-", "_") for kind in KINDS} <= fields


def test_nothing_can_be_changed(kb: KnowledgeBase) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        kb.stages = {}  # type: ignore[misc]


def test_all_problems_of_all_files_at_once(folder: Path) -> None:
    write(
        folder,
        {
            "mechanisms/odd.yaml": """
                - id: one
                  title: One
                  text: One.
                  number: many
                  colour: red
                  titel: One
                  sources: []
                - {id: two, title: Two, text: Two., number: 3}
                - {id: chance, title: Again, text: Again., number: 4, sources: [{key: own-2020}]}
                - {id: Bad Id, title: Bad, text: Bad., number: 5, sources: [{key: own-2020}]}
                - {id: three, title: Three, text: no, number: 6, sources: [{key: lost-1999}]}
                """,
            "risks/bad.yaml": """
                - id: r
                  title: R
                  title: S
                  text: R.
                  family: pitfall
                  mitigation: [tea-partie]
                  related: [instrument/tea-party, stages/tea]
                  sources: [{key: lost-1999}]
                """,
            "roles/list.yaml": "id: x",
            "roles/broken.yaml": "- id: [x",
            "rolls/x.yaml": "- id: x",
            "stray.yaml": "- id: x",
        },
    )
    (folder / "gates").mkdir()
    (folder / "gates" / "latin.yaml").write_bytes("- id: caf\xe9".encode("latin-1"))
    found = problems(folder)
    mechanisms, risks = f"{folder}/mechanisms/odd.yaml", f"{folder}/risks/bad.yaml"
    assert any(
        p.startswith(
            f"wrong value: {mechanisms}, line 5, entry 'one', field 'number', value 'many': should be a valid int"
        )
        for p in found
    )
    assert f"unknown field: {mechanisms}, line 6, entry 'one', field 'colour': there is no field 'colour' here" in found
    assert (
        f"unknown field: {mechanisms}, line 7, entry 'one', field 'titel': "
        "there is no field 'titel' here; did you mean 'title'?" in found
    )
    assert any(p.startswith(f"missing field: {mechanisms}, line 8, entry 'one', field 'sources'") for p in found)
    assert f"missing field: {mechanisms}, line 9, entry 'two', field 'sources': 'sources' is missing" in found
    assert (
        f"duplicate id: {mechanisms}, line 10, entry 'chance', field 'id': "
        "the id stands already in mechanisms/mechanisms.yaml, line 2" in found
    )
    assert any(p.startswith(f"wrong value: {mechanisms}, line 11, entry 'Bad Id', field 'id'") for p in found)
    assert any(
        p.startswith(f"wrong value: {mechanisms}, line 12, entry 'three', field 'text', value 'False'") for p in found
    )
    assert any(p.startswith(f"field given twice: {risks}, line 4, field 'title'") for p in found)
    assert (
        f"dangling reference: {risks}, line 7, entry 'r', field 'mitigation.0', value 'tea-partie': "
        "there is no entry instruments/tea-partie; did you mean 'tea-party'?" in found
    )
    assert (
        f"dangling reference: {risks}, line 8, entry 'r', field 'related.0', value 'instrument/tea-party': "
        "there is no kind 'instrument'; did you mean 'instruments'?" in found
    )
    assert any("field 'related.1', value 'stages/tea': there is no entry stages/tea" in p for p in found)
    assert any(p.startswith(f"unknown citation: {risks}, line 9, entry 'r', field 'sources.0.key'") for p in found)
    assert (
        f"unreadable file: {folder}/roles/list.yaml, line 1: holds a table where a list of entries is expected" in found
    )
    assert any(p.startswith(f"unreadable file: {folder}/roles/broken.yaml, line 2: not YAML") for p in found)
    assert f"unreadable file: {folder}/gates/latin.yaml: not UTF-8 at byte 9" in found
    assert f"unknown kind: {folder}/rolls/x.yaml: there is no kind 'rolls'; did you mean 'roles'?" in found
    assert any(p.startswith(f"unknown kind: {folder}/stray.yaml: stands beside") for p in found)


def test_an_entry_that_cannot_be_read_is_one_problem_not_many(folder: Path) -> None:
    write(folder, {"mechanisms/mechanisms.yaml": "- {id: chance, title: Chance, text: C., sources: [{key: own-2020}]}"})
    found = problems(folder)
    assert [p for p in found if "'chance'" in p] == [
        f"missing field: {folder}/mechanisms/mechanisms.yaml, line 1, entry 'chance', field 'number': "
        "'number' is missing"
    ]


def test_parents_in_a_circle(folder: Path) -> None:
    text = BASE["failures/failures.yaml"].replace(
        "family: systemic, sources", "family: systemic, parent: deep-silence, sources"
    )
    write(folder, {"failures/failures.yaml": text})
    found = problems(folder)
    assert found == [
        f"cyclic parents: {folder}/failures/failures.yaml, line 2, entry 'silence', field 'parent': "
        "the parents go round in a circle: silence > deep-silence > silence",
        f"cyclic parents: {folder}/failures/failures.yaml, line 7, entry 'deep-silence', field 'parent': "
        "the parents go round in a circle: deep-silence > silence > deep-silence",
    ]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("jobs_befor * 2", "the case has no figure 'jobs_befor'; did you mean 'jobs_before'?"),
        ("jobs_before *", "not a sum that can be read"),
        ("max(jobs_before, 1)", "'max(jobs_before, 1)' is not one of"),
        ("jobs_before // 2", "is not one of"),
        ("jobs_before.real", "is not one of"),
    ],
)
def test_sums_are_checked(folder: Path, expression: str, message: str) -> None:
    write(folder, {"cases/cases.yaml": BASE["cases/cases.yaml"].replace("jobs_before / zero", f'"{expression}"')})
    (found,) = problems(folder)
    assert message in found
    assert "entry 'teatown', field 'derived.1.expression'" in found


def test_figures_are_told_apart(folder: Path) -> None:
    write(
        folder,
        {"cases/cases.yaml": BASE["cases/cases.yaml"].replace("name: zero", "name: range").replace("/ zero", "")},
    )
    (found,) = problems(folder)
    assert (
        found.startswith("duplicate id")
        and "field 'figures.3.name', value 'range': stands twice in this entry" in found
    )


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ClusterbookError, match="there is no such folder"):
        load_knowledge(tmp_path / "nothing")


def test_own_entries_extend_and_override(folder: Path, tmp_path: Path) -> None:
    text = BASE["instruments/instruments.yaml"].partition("        - id: boxing")[0]
    own = write(
        tmp_path / "own",
        {
            "instruments/mine.yml": text.replace("Tea party", "Coffee party"),
            "mechanisms/mine.yaml": "- {id: luck, title: Luck, text: Luck., number: 9, sources: [{key: own-2020}]}",
            ".hidden/x.yaml": "nonsense",
        },
    )
    kb = load_knowledge(folder, own, bundled=False)
    assert kb.instruments["tea-party"].title == "Coffee party"
    assert list(kb.mechanisms) == ["chance", "rivalry", "luck"]
    assert str(kb.origin("instruments/tea-party")) == f"{own}, instruments/mine.yml, line 2"
    assert kb.origin(kb.instruments["letter"]).folder == str(folder)
    assert [hit.link for hit in kb.search("coffee")] == ["instruments/tea-party"]
    assert kb.search("tea", kinds=["instruments"])[0].why == ("tags: tea",)  # the id, and the text after it


def test_own_entries_may_cite_and_name_bundled_ones(tmp_path: Path) -> None:
    own = write(
        tmp_path / "own",
        {
            "mechanisms/m.yaml": """
                - {id: luck, title: Luck, text: L., number: 99, related: [stages/mature], sources: [{key: wb}]}
                """
        },
    )
    kb = load_knowledge(own)
    assert kb.origin("stages/mature").folder == "bundled"
    assert ("see also", "mechanisms/luck", "in", "related") in kb.relations("stages/mature")


# ---- the cache


def test_compiled_once_and_read_again(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_knowledge(folder, bundled=False)
    (stored,) = cache.iterdir()
    monkeypatch.setattr(loading, "read_folders", lambda _: pytest.fail("the YAML was read again"))
    again = load_knowledge(folder, bundled=False)
    assert again == first
    assert again.relations("mechanisms/chance") == first.relations("mechanisms/chance")
    assert list(cache.iterdir()) == [stored]


def test_changed_file_is_noticed_whatever_its_time(folder: Path, cache: Path) -> None:
    load_knowledge(folder, bundled=False)
    path = folder / "stages" / "stages.yaml"
    before = path.stat()
    path.write_text(path.read_text().replace("title: Mature", "title: Nature"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert load_knowledge(folder, bundled=False).stages["mature"].title == "Nature"
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"x y\n[]", None])
def test_damaged_cache_is_made_anew(folder: Path, cache: Path, damage: bytes | None) -> None:
    first = load_knowledge(folder, bundled=False)
    (stored,) = cache.iterdir()
    whole = stored.read_bytes()
    stored.write_bytes(whole.replace(b"Tea party", b"Tee party") if damage is None else damage)
    assert load_knowledge(folder, bundled=False) == first
    assert stored.read_bytes() == whole


def test_works_without_a_cache(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CLUSTERBOOK_CACHE", str(tmp_path / "file"))
    assert load_knowledge(folder, bundled=False).stages["mature"].title == "Mature"


def test_cache_stands_where_the_system_says(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLUSTERBOOK_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    load_knowledge(folder, bundled=False)
    assert len(list((tmp_path / "xdg" / "clusterbook" / "knowledge").iterdir())) == 1


# ---- relations, matrices, derived figures, languages


def test_relations_come_out_both_ways(kb: KnowledgeBase) -> None:
    assert ("works through", "mechanisms/chance", "out", "mechanisms") in kb.relations("instruments/tea-party")
    assert ("is strengthened by", "instruments/tea-party", "in", "mechanisms") in kb.relations("mechanisms/chance")
    assert [r.link for r in kb.relations("settings/rural", kinds=["instruments"])] == [
        "instruments/tea-party",
        "instruments/boxing-match",
    ]
    assert {r.name for r in kb.relations("settings/rural", kinds=["instruments"])} == {"is fitted by", "is harmed by"}
    assert kb.relations(kb.failures["deep-silence"])[0][:3] == ("cites", "bibliography/own-2020", "out")
    with pytest.raises(ClusterbookError, match="no entry"):
        kb.relations("stages/lost")


def test_each_relation_has_its_way_back(kb: KnowledgeBase) -> None:
    stated = {(link, r.link, r.field) for link in kb.origins for r in kb.relations(link) if r.direction == "out"}
    received = {(r.link, link, r.field) for link in kb.origins for r in kb.relations(link) if r.direction == "in"}
    assert stated == received
    assert len(stated) > 30


def test_references_are_read_off_the_models() -> None:
    assert dict(fields_of(Citation))["key"].kind == "bibliography"  # type: ignore[union-attr]
    assert reference_fields(Concept)["parent"].back == "contains"
    assert {"fits", "harms", "studies", "key"} <= set(reference_fields(KINDS["instruments"]))


def test_matrix(kb: KnowledgeBase) -> None:
    ids = ["tea-party", "boxing-match", "letter", "whisper"]
    expected = pl.DataFrame({"id": ids, "chance": [True, True, False, False], "rivalry": [False, True, False, False]})
    assert kb.matrix("instruments", "mechanisms").equals(expected)
    levels = kb.matrix("instruments", "levels")
    assert levels.columns == ["id", "local", "national"]
    assert levels["national"].to_list() == [False, False, True, False]
    back = kb.matrix("failures", "instruments")
    assert back.columns == ["id", *ids]
    assert back.row(1) == ("deep-silence", True, False, False, False)
    fitting = kb.matrix("instruments", "settings")
    assert fitting["rural"].to_list() == [True, False, False, False]  # harm is no belonging
    assert kb.matrix("instruments", "goals").columns == ["id", "talk", "meet"]
    with pytest.raises(ClusterbookError, match="has to do with 'phases'"):
        kb.matrix("instruments", "phases")


def test_derived_figures(kb: KnowledgeBase) -> None:
    growth, by_nothing, of_range = kb.derived("teatown")
    assert growth.value == pytest.approx(50)
    assert (growth.unit, growth.about, growth.why) == ("%", True, None)
    assert (by_nothing.value, by_nothing.why) == (None, "cannot be computed: float division by zero")
    assert (of_range.value, of_range.why) == (None, "no single value is known of: Some")
    assert kb.derived("cases/teatown") == kb.derived(kb.cases["teatown"])


@given(a=st.floats(1, 100), b=st.floats(1, 100), n=st.integers(1, 5))
def test_sums_follow_python(a: float, b: float, n: int) -> None:
    assert evaluate(f"-(a + b) * {n} / a - b ** {n}", {"a": a, "b": b}) == -(a + b) * n / a - b**n


@pytest.mark.parametrize("bad", ["__import__('os')", "a if a else b", "a[0]", "'text'", "True", "a" * 300, "a; b", ""])
def test_nothing_but_sums(bad: str) -> None:
    with pytest.raises(ValueError):
        names_in(bad)


def test_even_root_of_negative_number() -> None:
    with pytest.raises(ArithmeticError, match="even root"):
        evaluate("(0 - a) ** 0.5", {"a": 2})


def test_translations_stand_beside(folder: Path) -> None:
    write(
        folder,
        {
            "translations/de/instruments.yaml": """
                tea-party: {title: Teerunde, text: Firmen trinken zusammen Tee.}
                letter: {title: Briefe}
                """
        },
    )
    kb = load_knowledge(folder, bundled=False)
    assert kb.text("instruments/tea-party", "de") == ("Teerunde", "Firmen trinken zusammen Tee.", "de", True)
    assert kb.text("instruments/letter", "de") == ("Briefe", "Firms write to each other.", "de", False)
    assert kb.text(kb.instruments["whisper"], "de") == ("Whispering", "Firms whisper.", "en", False)
    assert kb.text("instruments/tea-party") == ("Tea party", kb.instruments["tea-party"].text, "en", True)
    assert kb.languages == ("en", "de")


def test_translation_of_nothing(folder: Path) -> None:
    write(
        folder,
        {
            "translations/de/instruments.yaml": "tea-partie: {title: Teerunde}\nletter: {name: Briefe}",
            "translations/de/things.yaml": "x: {title: X}",
            "translations/instruments.yaml": "x: {title: X}",
        },
    )
    found = problems(folder)
    assert any("line 1, entry 'tea-partie': there is no entry instruments/tea-partie; did you mean" in p for p in found)
    assert any(p.startswith("unknown field") and "line 2, entry 'letter', field 'name'" in p for p in found)
    assert any(p.startswith("missing field") and "entry 'letter', field 'title'" in p for p in found)
    assert any("there is no kind 'things'" in p for p in found)
    assert any("translations stand at translations/<language>/<kind>.yaml" in p for p in found)


# ---- search


def test_words_count_by_where_they_stand(kb: KnowledgeBase) -> None:
    found = kb.search("tea")
    assert [hit.link for hit in found][:2] == ["instruments/tea-party", "cases/teatown"]
    assert found[0].why == ("title: tea",)
    assert found[0].marked() == "Firms drink **tea** together. The municipality pays for the cups."
    assert found[0].marked("<b>", "</b>").startswith("Firms drink <b>tea</b>")
    assert kb.search("hospitality")[0].why == ("tags: hospitality",)
    assert kb.search("parties drinking")[0].why == ("title: party", "text: drink")
    assert kb.search("xyzzy") == []


def test_beginnings_of_words(kb: KnowledgeBase) -> None:
    assert [hit.link for hit in kb.search("hospita")] == ["instruments/tea-party"]
    assert kb.search("ho") == []


def test_long_texts_are_cut_around_the_words(folder: Path) -> None:
    text = "word " * 100 + "needle " + "word " * 100
    write(folder, {"glossary/g.yaml": f"- {{id: hay, title: Hay, text: {text.strip()}, sources: {SOURCE}}}"})
    (hit,) = load_knowledge(folder, bundled=False).search("needles")
    assert "**needle**" in hit.marked()
    assert hit.snippet.startswith("… word") and hit.snippet.endswith("word …")
    assert len(hit.snippet) < 190


def test_place_ranks_and_harm_excludes(kb: KnowledgeBase) -> None:
    found = kb.search(kinds=["instruments"], filters={"setting": "rural", "stage": "emerging"})
    assert [hit.link for hit in found] == ["instruments/tea-party", "instruments/letter", "instruments/whisper"]
    assert found[0].why == ("fits: Rural area", "fits: Emerging") and found[0].unknown == ()
    assert found[1].why == () and found[1].unknown == ("nothing is said of: Rural area", "nothing is said of: Emerging")
    both = kb.search(filters={"settings": ["rural", "urban"]}, kinds=["instruments"])
    assert "instruments/boxing-match" not in [hit.link for hit in both]


def test_level_of_government(kb: KnowledgeBase) -> None:
    found = kb.search(filters={"level": "local"}, kinds=["instruments"])
    assert found[0].link == "instruments/tea-party"
    assert found[0].why == ("local: pays for the cups",)
    assert "instruments/letter" not in [hit.link for hit in found]  # it states levels, and not this one
    assert {hit.unknown for hit in found[1:]} == {("level not stated",)}


def test_filters_on_relations_include_parts(kb: KnowledgeBase) -> None:
    assert kb.search(filters={"failures": "deep-silence"})[0].why == ("answers: Deep silence",)
    assert len(kb.search(filters={"failures": "deep-silence"})) == 1
    assert len(kb.search(filters={"failures": "silence"})) == 4
    assert [h.link for h in kb.search(filters={"goals": "talk", "risk": "low", "cost": "low"})] == [
        "instruments/tea-party"
    ]
    found = kb.search(filters={"mechanisms": ["rivalry", "chance"]})
    assert {hit.link for hit in found} == {"instruments/tea-party", "instruments/boxing-match"}


def test_cases_by_filter(kb: KnowledgeBase) -> None:
    found = kb.search(kinds=["cases"], filters={"setting": "rural"})
    assert [hit.link for hit in found] == ["cases/nowhere", "cases/teatown", "cases/blank"]
    assert found[-1].unknown == ("setting not stated",)


def test_related_to(kb: KnowledgeBase) -> None:
    found = kb.search(related_to="mechanisms/rivalry")
    assert [(hit.link, hit.why) for hit in found] == [("instruments/boxing-match", ("works through: Rivalry",))]
    assert kb.search(related_to=["mechanisms/rivalry", "instruments/tea-party"]) == []
    assert {hit.link for hit in kb.search(related_to="cases/teatown")} == {
        "instruments/tea-party",
        "stages/emerging",
        "settings/rural",
    }
    assert len(kb.search(related_to="bibliography/own-2020", kinds=["stages"])) == 3


def test_tags_kinds_and_limit(kb: KnowledgeBase) -> None:
    assert [hit.link for hit in kb.search(tags=["hospitality"])] == ["instruments/tea-party"]
    assert len(kb.search("firms", limit=2)) == 2
    assert len(kb.search("firms", limit=None)) == 4
    assert len(kb.search(limit=None)) == 21


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"filters": {"colour": "red"}}, "Nothing can be filtered by 'colour'"),
        ({"filters": {"risk": "huge"}}, "'huge' is no value of 'risk'. Values: high, low, medium"),
        ({"filters": {"failures": "noise"}}, "'noise' is no value of 'failures'. Values: deep-silence, silence"),
        ({"filters": {"setting": "lunar"}}, "'lunar' is no value of 'setting'. Values: rural, urban"),
        ({"kinds": ["case"]}, "There is no kind 'case'; did you mean cases"),
        (
            {"kinds": ["cases"], "filters": {"risk": "low"}},
            "Nothing can be filtered by 'risk' among cases. Filters there:",
        ),
        ({"related_to": "cases/lost"}, "There is no entry cases/lost"),
    ],
)
def test_wrong_questions(kb: KnowledgeBase, asked: dict[str, object], message: str) -> None:
    with pytest.raises(ClusterbookError) as error:
        kb.search(**asked)  # type: ignore[arg-type]
    assert message in str(error.value)


def test_words_meet() -> None:
    for one, other in [
        ("cluster", "clusters"), ("policy", "policies"), ("network", "networking"), ("firm", "firms"),
        ("service", "services"), ("business", "businesses"), ("organisation", "organizations"), ("labour", "labor"),
        ("centre", "centers"), ("programme", "programs"), ("plan", "planning"), ("organise", "organizing"),
        ("city", "cities"), ("university", "universities"), ("process", "processes"), ("Québec", "Quebec"),
    ]:  # fmt: skip
        assert stems(one) == stems(other)
    for one, other in [
        ("policy", "police"),
        ("firm", "firmly"),
        ("need", "ned"),
        ("analysis", "analys"),
        ("string", "str"),
    ]:
        assert stems(one) != stems(other)


@given(st.text(max_size=30))
def test_stems_are_words_without_space(text: str) -> None:
    for found in stems(text):
        assert found and " " not in found
        assert stem(found.lower()) is not None


# ---- questions


def test_a_sentence_becomes_filters(kb: KnowledgeBase) -> None:
    asked = kb.ask("Instruments against deep silence in a rural, early-stage cluster that a municipality can act on")
    assert asked.kinds == ("instruments",)
    assert asked.filters == {
        "failures": ("deep-silence",),
        "setting": ("rural",),
        "stage": ("emerging",),
        "level": ("local",),
    }
    assert asked.words == ()
    assert [hit.link for hit in asked.hits] == ["instruments/tea-party"]
    assert asked.understood() == (
        "'Instruments' as instruments; 'deep silence' as failures = deep-silence; 'rural' as setting = rural; "
        "'early-stage' as stage = emerging; 'municipality' as level = local"
    )


def test_kind_is_taken_from_the_sentence(kb: KnowledgeBase) -> None:
    asked = kb.ask("examples of tea parties in declining places")
    assert (asked.kinds, asked.filters) == (("cases",), {"instruments": ("tea-party",), "stage": ("decline",)})
    assert asked.hits == []  # the case with tea parties is not in decline
    assert kb.ask("cheap ways out of silence").kinds == ("instruments",)


def test_plain_words_are_searched_for(kb: KnowledgeBase) -> None:
    asked = kb.ask("tea")
    assert (asked.kinds, asked.filters, asked.words) == ((), {}, ("tea",))
    assert asked.hits == kb.search("tea")
    assert kb.ask("").hits == kb.search("")
    assert kb.ask("").understood() == "nothing was understood"


def test_words_left_over_only_rank(kb: KnowledgeBase) -> None:
    asked = kb.ask("low risk instruments with stamps and whispers")
    assert asked.words == ("stamps", "whispers")
    assert asked.hits[0].link == "instruments/whisper"
    assert len(asked.hits) == 3


def test_synonyms_stand_for_something_there_is() -> None:
    kb = load_knowledge()
    for meaning in _stored()["phrases"]:
        name, _, value = meaning.partition(" ")
        if name == "kind":
            assert value in KINDS
        else:
            assert any(name in filters_of(kind) or f"{name}s" in filters_of(kind) for kind in KINDS)
            kb.search(filters={name: value}, kinds=["instruments"])  # raises where there is no such value
    assert set(GROUP_FIELDS) >= {concept.group for concept in kb.concepts.values()} - {"element-group"}


# ---- analogy


def test_nearest_case_with_reasons(kb: KnowledgeBase) -> None:
    found = kb.similar_cases(settings=["rural"], industry="cups", stage="mature", instruments=["tea-party"])
    assert [near.link for near in found] == ["cases/teatown", "cases/nowhere", "cases/bigtown"]
    teatown, nowhere, bigtown = found
    assert [(p.name, p.distance, p.text) for p in teatown.parts] == [
        ("settings", 0, "in common: rural"),
        ("stage", 0.5, "emerging, 1 step from mature"),
        ("industry", 0, "in common: cup"),
        ("instruments", 0, "in common: tea-party"),
    ]
    assert teatown.distance == pytest.approx(2 * 0.5 / 8)
    assert nowhere.missing == ("stage", "industry", "instruments")
    # silence counts as the average of the cases that speak: stage 0.5 and 0.5, industry 0 and 1, instruments 0
    assert nowhere.distance == pytest.approx((2 * 0.5 + 2 * 0.5 + 0) / 8)
    assert bigtown.parts[0].text == "in common: nothing; not there: rural"
    assert all(near.link != "cases/blank" for near in found)


def test_alike_is_nought_and_nothing_in_common_is_one(kb: KnowledgeBase) -> None:
    found = {near.link: near for near in kb.similar_cases(settings=["rural"], stage="emerging")}
    assert found["cases/teatown"].distance == 0
    assert found["cases/bigtown"].distance == 1
    assert kb.similar_cases(settings=["rural"], stage="emerging", limit=1)[0].link == "cases/teatown"


def test_wrong_descriptions(kb: KnowledgeBase) -> None:
    with pytest.raises(ClusterbookError, match="Describe the place"):
        kb.similar_cases()
    with pytest.raises(ClusterbookError, match="no entry settings/lunar"):
        kb.similar_cases(settings=["lunar"])


# ---- checking


def test_report_of_a_sound_folder(folder: Path) -> None:
    tables = """
        - id: own-table
          title: A table
          source: {key: own-2020}
          rows:
            - {id: a, label: A, keywords: [a], entries: [instruments/tea-party, mechanisms/chance]}
            - {id: b, label: B, keywords: [b], entries: [instruments/tea-party]}
        """
    write(folder, {"tables/t.yaml": tables})
    report = check_knowledge(folder, bundled=False)
    assert report.counts["instruments"] == 4
    (coverage,) = report.coverage
    assert (coverage.rows, coverage.entries, coverage.missing) == (2, 2, ())
    assert "cases/bigtown" in report.lonely and "cases/teatown" not in report.lonely
    assert [str(finding) for finding in report.findings] == [
        f"instruments/whisper ({folder}, instruments/instruments.yaml, line 46): "
        "names neither an actor nor a level of government that carries it out"
    ]
    assert not report.sound
    assert "Tables of the sources: 1 with 2 rows, 2 of them held by entries" in report.text()


def test_report_goes_on_after_problems(folder: Path) -> None:
    write(
        folder,
        {
            "tables/t.yaml": """
                - id: own-table
                  title: A table
                  source: {key: own-2020}
                  rows: [{id: a, label: A, keywords: [a], entries: [instruments/lost]}]
                """,
            "instruments/instruments.yaml": BASE["instruments/instruments.yaml"]
            .replace("mechanisms: [chance]\n          failures: [deep-silence]", "judged: [colour, risk]")
            .replace("goals: [meet]", "goals: []", 1),
            "cases/cases.yaml": BASE["cases/cases.yaml"]
            .replace("low: 1, high: 2", "low: 3, high: 2")
            .replace("value: 0, ", ""),
        },
    )
    report = check_knowledge(folder, bundled=False)
    assert report.coverage[0].missing == (("a", "instruments/lost"),)
    assert any(problem.check == "dangling reference" for problem in report.problems)
    assert {finding.rule for finding in report.findings} == {
        "figures have a value",
        "bounds in order",
        "somebody can do it",
    }
    assert "1 with 1 rows, 0 of them held" in report.text()
    assert f"{folder}/instruments/instruments.yaml, line 6, entry 'tea-party', field 'goals'" in report.text()


def test_rules_for_instruments(folder: Path) -> None:
    text = BASE["instruments/instruments.yaml"].replace(
        "mechanisms: [chance]\n          failures: [deep-silence]", "judged: [colour, risk, fit.fits]"
    )
    write(folder, {"instruments/instruments.yaml": text})
    found = {finding.message for finding in check_knowledge(folder, bundled=False).findings if "tea" in finding.link}
    assert found == {
        "'colour' under 'judged' is no field of the entry",
        "names neither a mechanism it works through nor a failure it answers",
    }


# ---- the page


def test_page_lists_the_fields_of_every_kind() -> None:
    page = (Path(__file__).parents[1] / "docs" / "knowledge.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| [^|]*\| ([^|]*)\|", page, re.M))
    common = set(Entry.model_fields)
    for kind, model in KINDS.items():
        own = [n for n in model.model_fields if n not in common or not issubclass(model, Entry)]
        required = {n for n in own if model.model_fields[n].is_required()}
        assert set(re.findall(r"`(\w+)`", rows[kind])) == set(own), kind
        assert set(re.findall(r"\*\*`(\w+)`\*\*", rows[kind])) == required, kind


# ---- the bundled entries


@pytest.fixture(scope="module")
def bundled() -> KnowledgeBase:
    return load_knowledge()


def test_bundled_entries_are_sound() -> None:
    report = check_knowledge()
    assert report.sound, report.text()
    assert all(not table.missing for table in report.coverage)


def test_bundled_entries_are_whole(bundled: KnowledgeBase) -> None:
    assert [m.number for m in bundled.mechanisms.values()] == list(range(1, 13))
    assert sorted(e.number for e in bundled.elements.values()) == list(range(1, 8))
    assert [s.order for s in bundled.stages.values()] == list(range(1, 8))
    assert [p.order for p in bundled.phases.values()] == [1, 2, 3, 4]
    assert len(bundled.readiness) == 4
    assert len(bundled.competences) == 27
    assert any(len(process.steps) == 14 for process in bundled.processes.values())
    assert {"oecd", "wb", "efw", "mp", "ben"} <= set(bundled.bibliography)
    assert all(kind in bundled.kinds and bundled.entries(kind) for kind in KINDS)


@pytest.mark.parametrize(
    ("case", "figures"),
    [
        ("styria-automotive", [50.0, 6.99]),
        ("new-zealand-programme", [15.0, 48.89, 7.33]),
        ("scotland-creative-industries", [2.0]),
        ("arizona-optics", [10.53]),
        ("tucson-arizona", [10.53, 8.0]),
        ("swedish-incubators", [0.0, 0.375, 1.25, 0.3333]),
        ("stanford-research-park", [20.0]),
        ("upper-austria", [1.0]),
    ],
)
def test_derived_figures_of_cases(bundled: KnowledgeBase, case: str, figures: list[float]) -> None:
    assert [figure.value for figure in bundled.derived(case)] == pytest.approx(figures, abs=0.005)


def test_wages_of_traded_resource_and_local_clusters(bundled: KnowledgeBase) -> None:
    traded, resource = (figure.value for figure in bundled.derived("us-cluster-mapping"))
    assert traded is not None and resource is not None
    assert traded > resource > 1  # both are over local clusters


def test_the_question_of_a_municipality(bundled: KnowledgeBase) -> None:
    asked = bundled.ask(
        "instruments for missing demanding customers in a rural, early-stage cluster that a municipality can act on"
    )
    assert asked.filters == {
        "failures": ("missing-demanding-customers",),
        "setting": ("rural",),
        "stage": ("emerging",),
        "level": ("local",),
    }
    links = [hit.link for hit in asked.hits]
    assert "instruments/public-procurement" in links
    for link in links:
        instrument = bundled.get(link)
        assert "missing-demanding-customers" in instrument.failures
        assert not {"settings/rural", "stages/emerging"} & set(instrument.fit.harms)
        assert not instrument.levels or "local" in instrument.levels
