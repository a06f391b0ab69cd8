"""Nominations: reading, faults, and whether statistics could see the cluster."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from clusterbook.clusters.nominations import read_nominations, visibility
from clusterbook.errors import DataError

HEAD = "cluster,region,place,activity,actors,members,nominator,reason,confirm,date\n"
FROGS = "Frogs,EC-19,Zamora,Farming frogs,producers; exporters;;,16,Chamber,They act together,Interviews,2004-05-31\n"


def test_reading(tmp_path: Path) -> None:
    path = tmp_path / "nominations.csv"
    path.write_text(HEAD + FROGS + "Organs,A,Town,Building organs,,,Guild,Old craft,Visit,\n", encoding="utf-8")
    found = read_nominations(path)
    assert found["actors"].to_list() == [["producers", "exporters"], []]
    assert found["members"].to_list() == [16, None]
    assert found["date"].to_list() == [date(2004, 5, 31), None]


def test_a_table_without_optional_columns() -> None:
    row = dict.fromkeys(("cluster", "region", "place", "activity", "nominator", "reason", "confirm"), "x")
    found = read_nominations(pl.DataFrame([row]))
    assert found.select("actors", "members", "date").row(0) == ([], None, None)


def test_faults_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "nominations.csv"
    path.write_text(
        HEAD + FROGS + FROGS + "Organs,A,Town,,,few,Guild,Old craft,Visit,31.5.2004\n" + "Bells,A,T,Bells,,0,G,R,V,\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError) as caught:
        read_nominations(path)
    told = {(problem.line, problem.column, problem.value) for problem in caught.value.problems}
    assert told == {
        (3, None, None),
        (4, "activity", None),
        (4, "members", "few"),
        (4, "date", "31.5.2004"),
        (5, "members", "0"),
    }
    assert "same cluster 'Frogs', region 'EC-19', nominator 'Chamber' as line 2" in str(caught.value)
    assert "Write dates as 2024-05-31." in str(caught.value)


def test_visibility() -> None:
    clusters = pl.DataFrame(
        {
            "region": ["A", "A", "B", "B"],
            "cluster": ["farms", "bells", "farms", "bells"],
            "year": [2019] * 4,
            "employment": [10, 0, None, 5],
        }
    )
    old = clusters.with_columns(year=pl.lit(2010, pl.Int64), employment=pl.lit(99, pl.Int64))
    pairs = [("farms", "A"), ("bells", "A"), ("farms", "B"), ("frogs", "A"), ("farms", "Z")]
    found = visibility(pl.DataFrame(pairs, ["cluster", "region"], orient="row"), pl.concat([clusters, old]))
    assert found["visible"].to_list() == [True, False, None, False, False]
    assert found["text"].to_list() == [
        "The statistics show it.",
        "The statistics show none of it in the region.",
        "The statistics suppress its size in the region.",
        "No cluster of that name in the statistics.",
        "The statistics do not have the region.",
    ]
