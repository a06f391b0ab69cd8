"""Clusters defined by a core activity: reading, shares, actors, faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from clusterbook.clusters.core_activity import read_core_activities
from clusterbook.clusters.definition_store import open_definitions, save_definitions
from clusterbook.data.industries import Industries
from clusterbook.errors import ClusterbookError, DataError

PHONES = """\
- cluster: phones
  label: Rural telephony
  activity: Telephone systems for thinly settled country
  places: [Christchurch, Rangiora]
  source: Interviews with 14 firms, 2024
  boundary: Firms that sell to rural carriers, within an hour's drive
  industries:
    - {industry: "334210", role: core}
    - industry: "541511"
      role: supporting
      share: 0.05
      reason: 5 of 100 software houses write for exchanges
      subcluster: software
  actors:
    - {kind: firm, name: Tait, place: Christchurch, note: largest}
    - {kind: university}
    - {kind: ifc, name: Electronics Group}
"""
TOYS = """\
- cluster: toys
  label: Toys
  kind: local
  activity: Toys
  source: S
  boundary: B
  industries:
    - {industry: "541511", role: core, share: 0.2, reason: games}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "clusters.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path, industries: Industries | None = None) -> list[tuple[str, int | None, str | None]]:
    with pytest.raises(DataError) as caught:
        read_core_activities(path, industries=industries)
    return [(problem.check, problem.line, problem.column) for problem in caught.value.problems]


def test_reading_yaml(tmp_path: Path) -> None:
    found = read_core_activities(write(tmp_path, PHONES + TOYS), industries=Industries.load("NAICS 2017"))
    assert found.clusters.rows() == [("phones", "Rural telephony", "traded"), ("toys", "Toys", "local")]
    assert found.members.rows() == [
        ("phones", "334210", None, 1.0),
        ("phones", "541511", "software", 0.05),
        ("toys", "541511", None, 0.2),
    ]
    assert found.tables["activities"].row(0) == (
        "phones",
        "Telephone systems for thinly settled country",
        "Christchurch; Rangiora",
        "Interviews with 14 firms, 2024",
        "Firms that sell to rural carriers, within an hour's drive",
    )
    assert found.tables["actors"].rows() == [
        ("phones", "firm", "Tait", "Christchurch", "largest"),
        ("phones", "ifc", "Electronics Group", None, None),
        ("phones", "university", None, None, None),
    ]
    assert found.tables["shares"]["role"].to_list() == ["core", "supporting", "core"]
    assert found.source == "Interviews with 14 firms, 2024; S"


def test_what_is_not_known_of_actors_is_said(tmp_path: Path) -> None:
    notes = read_core_activities(write(tmp_path, PHONES)).notes
    assert notes == (
        "Rural telephony: no actors recorded of the kinds research, finance, government; whether there are is not "
        "known.",
        "Industries that belong in part: 1. Their shares are judgements, see the table 'shares'.",
    )


def test_definitions_serve_panels_and_are_kept(tmp_path: Path) -> None:
    found = read_core_activities(write(tmp_path, PHONES))
    naics = Industries.load("NAICS 2017")
    assert found.assign(naics, pl.Series(["334210", "541511"]))["weight"].to_list() == [1.0, 0.05]
    again = open_definitions(save_definitions(found, tmp_path / "kept"))
    assert again.tables["actors"]["name"].to_list() == ["Tait", "Electronics Group", None]
    assert again.members.select("industry", "weight").equals(found.members.select("industry", "weight"))


def test_tables_say_the_same_as_yaml(tmp_path: Path) -> None:
    from_yaml = read_core_activities(write(tmp_path, PHONES))
    clusters = {
        "cluster": ["phones"],
        "label": ["Rural telephony"],
        "activity": ["Telephone systems for thinly settled country"],
        "places": ["Christchurch; Rangiora"],
        "source": ["Interviews with 14 firms, 2024"],
        "boundary": ["Firms that sell to rural carriers, within an hour's drive"],
    }
    shares = tmp_path / "industries.csv"
    shares.write_text(
        "cluster,industry,role,share,reason,subcluster\n"
        "phones,334210,core,,,\n"
        "phones,541511,supporting,0.05,5 of 100 software houses write for exchanges,software\n",
        encoding="utf-8",
    )
    actors = pl.DataFrame(
        {
            "cluster": ["phones"] * 3,
            "kind": ["firm", "university", "ifc"],
            "name": ["Tait", None, "Electronics Group"],
            "place": ["Christchurch", None, None],
            "note": ["largest", None, None],
        }
    )
    tables: dict[str, Any] = {"clusters": pl.DataFrame(clusters), "industries": shares, "actors": actors}
    found = read_core_activities(tables)
    assert found.members.equals(from_yaml.members)
    assert all(found.tables[name].equals(table) for name, table in from_yaml.tables.items())
    book = tmp_path / "clusters.xlsx"
    with pd.ExcelWriter(book) as sheets:
        pd.DataFrame(clusters).to_excel(sheets, sheet_name="clusters", index=False)
        pd.read_csv(shares, dtype=str).to_excel(sheets, sheet_name="industries", index=False)
    without_actors = read_core_activities(book)
    assert without_actors.members.equals(from_yaml.members)
    assert without_actors.tables["actors"].is_empty()


def test_every_fault_is_named_with_its_line(tmp_path: Path) -> None:
    text = PHONES.replace("boundary:", "boundry:").replace('"334210"', "334210").replace("kind: ifc", "kind: club")
    text += TOYS.replace("share: 0.2, reason: games", "share: 1.2") + TOYS.replace(
        "role: core, share: 0.2, ", "role: supporting, "
    )
    found = faults(write(tmp_path, text))
    assert found == [
        ("wrong field", 1, "boundary"),
        ("wrong field", 1, "boundry"),
        ("wrong field", 8, "industry"),
        ("wrong field", 25, "share"),
        ("wrong field", 17, "kind"),
        ("given twice", 26, "cluster"),
        ("weights over one", 33, "industry"),
    ]


def test_faults_between_rows(tmp_path: Path) -> None:
    text = PHONES.replace("      reason: 5 of 100 software houses write for exchanges\n", "").replace("0.05", "0.9")
    text += TOYS + TOYS.replace("toys", "games").replace("role: core, share: 0.2", "role: supporting").replace(
        "541511", "54151"
    )
    text = text.replace('"54151"', '"54151x"')
    found = faults(write(tmp_path, text), Industries.load("NAICS 2017"))
    assert found == [
        ("no reason", 9, "industry"),
        ("weights over one", 24, "industry"),
        ("no core", 25, "cluster"),
        ("unknown codes", 32, "industry"),
    ]


def test_an_industry_twice_and_a_cluster_that_is_not_there() -> None:
    clusters = pl.DataFrame({"cluster": ["a"], "label": ["A"], "activity": ["x"], "source": ["s"], "boundary": ["b"]})
    industries = pl.DataFrame(
        {
            "cluster": ["a", "a", "aa"],
            "industry": ["1", "1", "2"],
            "role": "core",
            "share": [0.5, 0.5, 1.0],
            "reason": "r",
        }
    )
    with pytest.raises(DataError) as caught:
        read_core_activities({"clusters": clusters, "industries": industries})
    message = str(caught.value)
    assert "table 'industries', row 1: the same industry as in table 'industries', row 0" in message
    assert "there is no such cluster (did you mean 'a'?)" in message
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cluster: x", "not a list of clusters"),
        ("", "not a list of clusters"),
        ("- {a: [}", "not YAML"),
        ("- {cluster: x, industries: 5}", "'industries' of cluster 'x' is not a list"),
    ],
)
def test_files_of_another_shape(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_core_activities(write(tmp_path, text))


def test_what_is_no_input_at_all(tmp_path: Path) -> None:
    with pytest.raises(ClusterbookError, match="there is no such file"):
        read_core_activities(tmp_path / "none.yaml")
    (tmp_path / "a.csv").write_text("x\n1\n", encoding="utf-8")
    with pytest.raises(ClusterbookError, match="is read from YAML"):
        read_core_activities(tmp_path / "a.csv")
    with pytest.raises(ClusterbookError, match="The first two are needed"):
        read_core_activities({"clusters": pl.DataFrame()})
