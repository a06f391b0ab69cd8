"""The knowledge base against the texts it was made from: nothing lost, nothing copied.

The texts are not part of the project. These tests run where they stand beside the checkout, and are skipped elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clusterbook.knowledge import KnowledgeBase, load_knowledge

SEEDS = Path(__file__).parents[2] / "shared" / "seeds"
FILES = {
    "oecd": "oecd_cluster_policies_brief.txt",
    "wb": "iked_cluster_policies_whitebook_2004.txt",
    "efw": "oecd_leed_enright_ffowcs_williams_2000.txt",
    "mp": "mesopartner_cluster_promotion.txt",
    "ben": "benner_2013_developing_countries.txt",
}
RUN = 8  # words

pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason="the source texts do not stand beside the checkout")

#: Rows of the main tables and lists, counted in the print. Each has at least one row of ours.
PRINTED = {
    "oecd-instruments": 2 + 5 + 5 + 6 + 4 + 4 + 3 + 3,  # bullets by sub-goal
    "oecd-risks": 7 + 6,  # risk factors and barriers
    "wb-table-1": 6 + 16,  # failures, responses
    "wb-table-2": 2 + 5 + 46,  # groups, columns, actions
    "wb-table-3": 16 + 53,  # failures and problems, tools
    "wb-table-5": 6,
    "wb-table-6": 3,
    "wb-table-7": 3 + 3,
    "wb-table-8": 6 + 3,
    "wb-competences": 3 + 2 + 4 + 5 + 4 + 5 + 2 + 2,  # Figure 15, eight groups
    "wb-pitfalls": 6,
    "wb-elements": 7,
    "wb-systemic-weaknesses": 5,
    "ben-table-1": 93,  # instruments under twelve mechanisms
    "ben-table-2": 45,
    "ben-chain": 9,
    "mp-table-1": 4,  # types; ours has a row for each cell
    "mp-table-2": 3,
    "mp-table-3": 4,
    "mp-table-4": 6,
    "mp-table-6": 5,  # who, what, how, when, why
    "mp-table-5": 6,  # cells; the kinds of obstacle in sections 4.1 to 4.5 are more
    "mp-enright-types": 5,
    "mp-figure-5": 4,
    "efw-steps": 14,
    "efw-dimensions": 9,
}
#: Recommendations of Part II of the Whitebook by miniforum (1 to 15) and learning workshop (l1 to l9).
PART_TWO = {
    **dict(zip(map(str, range(1, 16)), (16, 7, 11, 16, 6, 6, 8, 6, 7, 9, 6, 6, 6, 3, 6), strict=True)),
    **dict(zip((f"l{n}" for n in range(1, 10)), (5, 3, 5, 5, 3, 8, 7, 4, 7), strict=True)),
}


@pytest.fixture(scope="module")
def kb() -> KnowledgeBase:
    return load_knowledge()


@pytest.fixture(scope="module")
def texts() -> dict[str, list[str]]:
    return {key: words((SEEDS / name).read_text(encoding="utf-8", errors="ignore")) for key, name in FILES.items()}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", re.sub(r"</?\w[^>]*>", " ", text).lower())


def test_every_row_of_every_table_is_found_in_its_source(kb: KnowledgeBase, texts: dict[str, list[str]]) -> None:
    joined = {key: f" {' '.join(text)} " for key, text in texts.items()}
    lost = [
        f"{table.id}: {row.id}: {keyword}"
        for table in kb.tables.values()
        for row in table.rows
        for keyword in row.keywords
        if f" {' '.join(words(keyword))} " not in joined[table.source.key]
    ]
    assert lost == []


def test_keywords_are_no_copies(kb: KnowledgeBase) -> None:
    long = [k for t in kb.tables.values() for r in t.rows for k in r.keywords if len(k.split()) > 4]
    assert long == []


@pytest.mark.parametrize("table", PRINTED)
def test_every_printed_row_has_a_row(kb: KnowledgeBase, table: str) -> None:
    assert table in kb.tables
    assert len(kb.tables[table].rows) >= PRINTED[table]


def test_printed_counts_where_the_text_shows_them(texts: dict[str, list[str]]) -> None:
    """The numbers above, where bullets can be counted by machine."""
    oecd = (SEEDS / FILES["oecd"]).read_text(encoding="utf-8")
    part = oecd[oecd.index("Common instruments used") : oecd.index("## Appropriateness")]
    assert part.count("•") == PRINTED["oecd-instruments"]
    ben = (SEEDS / FILES["ben"]).read_text(encoding="utf-8")
    part = ben[ben.index("**Table 1: Inst") : ben.index("Source: Benner (2013: 11-14)")]
    assert part.count("▪") == PRINTED["ben-table-1"]
    whitebook = (SEEDS / FILES["wb"]).read_text(encoding="utf-8", errors="ignore")
    part = whitebook[whitebook.index("Table 2: Possible cluster actions") : whitebook.index("Actors participate in a")]
    assert len(re.findall(r"^- ", part, re.M)) == PRINTED["wb-table-2"] - 7
    part = whitebook[
        whitebook.index("Table 3: Cluster policies and tools") : whitebook.index("own internal governance")
    ]
    assert len(re.findall(r"^-", part, re.M)) == PRINTED["wb-table-3"] - 16


def test_recommendations_of_the_second_part(kb: KnowledgeBase) -> None:
    numbered = [re.fullmatch(r"wb-(l?\d+)\.\d+", entry) for entry in kb.recommendations]
    assert Counter(match[1] for match in numbered if match) == PART_TWO
    rows = [re.fullmatch(r"(l?\d+)\.\d+", row.id) for row in kb.tables["wb-recommendations"].rows]
    assert Counter(match[1] for match in rows if match) == PART_TWO


def test_no_run_of_eight_words_is_copied(kb: KnowledgeBase, texts: dict[str, list[str]]) -> None:
    """Titles of works and marked quotations apart."""
    seen = {run for text in texts.values() for run in zip(*(text[at:] for at in range(RUN)), strict=False)}
    copied = [
        f"{kind}/{entry.id}: {' '.join(run)}"  # type: ignore[attr-defined]
        for kind in kb.kinds
        if kind != "bibliography"
        for entry in kb.entries(kind).values()
        for text in own_texts(entry.model_dump())
        for run in zip(*(words(text)[at:] for at in range(RUN)), strict=False)
        if run in seen
    ]
    assert copied == []


def own_texts(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            if key not in ("quote", "keywords"):
                yield from own_texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from own_texts(value)
    elif isinstance(data, str):
        yield data
