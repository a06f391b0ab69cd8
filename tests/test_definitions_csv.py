"""Cluster definitions as a table: read, checked, written and read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import clusterbook as cb
from clusterbook.errors import ClusterbookError, DataError, OutputError

TABLE = """industry,cluster,label,subcluster,weight,kind
3361,cars,,assembly,1,traded
3363,cars,Automotive,parts,0.75,
0111,farms,Farming,,1,local
3363,metal,Metalworking,,0.25,traded
"""


def write(folder: Path, text: str, name: str = "clusters.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(data: Any) -> list[str]:
    with pytest.raises(DataError) as caught:
        cb.read_definitions(data)
    assert "Remedy: " in str(caught.value)
    return [f"{problem.check}: {problem}" for problem in caught.value.problems]


def test_a_table_becomes_definitions(tmp_path: Path) -> None:
    definitions = cb.read_definitions(write(tmp_path, TABLE))
    assert definitions.members.columns == ["cluster", "industry", "subcluster", "weight"]
    assert definitions.members.rows() == [
        ("cars", "3361", "assembly", 1.0),
        ("cars", "3363", "parts", 0.75),
        ("farms", "0111", None, 1.0),
        ("metal", "3363", None, 0.25),
    ]
    assert definitions.clusters.rows(named=True) == [
        {"cluster": "cars", "label": "Automotive", "kind": "traded"},
        {"cluster": "farms", "label": "Farming", "kind": "local"},
        {"cluster": "metal", "label": "Metalworking", "kind": "traded"},
    ]
    assert (definitions.method, definitions.source) == ("given", "clusters.csv")
    assert cb.read_definitions(write(tmp_path, TABLE), source="Cluster study 2019").source == "Cluster study 2019"


def test_two_columns_are_enough_and_nothing_is_counted_twice() -> None:
    table = pl.DataFrame({"NAICS": [3361, 3363, 3363, 3363], "cluster": ["cars", "cars", "metal", "plastics"]})
    definitions = cb.read_definitions(table)
    third = 1 / 3
    assert definitions.members.rows() == [
        ("cars", "3361", None, 1.0),
        ("cars", "3363", None, third),
        ("metal", "3363", None, third),
        ("plastics", "3363", None, third),
    ]
    assert definitions.labels == {"cars": "cars", "metal": "metal", "plastics": "plastics"}
    assert definitions.clusters.schema == {"cluster": pl.String, "label": pl.String, "kind": pl.String}
    assert definitions.clusters["kind"].to_list() == [None, None, None]
    assert cb.read_definitions(definitions.to_frame()).members.equals(definitions.members)


def test_kinds_can_be_given_and_come_first(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE)
    definitions = cb.read_definitions(path, kinds={"metal": "local"})
    kinds = dict(definitions.clusters.select("cluster", "kind").rows())
    assert kinds == {"cars": "traded", "farms": "local", "metal": "local"}
    with pytest.raises(ClusterbookError, match=r"no cluster 'metals' \(did you mean 'metal'\?\)"):
        cb.read_definitions(path, kinds={"metals": "local"})
    with pytest.raises(ClusterbookError, match="'metal' is 'Local'; it can be 'traded' or 'local'"):
        cb.read_definitions(path, kinds={"metal": "Local"})


def test_every_kind_of_input_gives_the_same_definitions(tmp_path: Path) -> None:
    expected = cb.read_definitions(write(tmp_path, TABLE))
    frame = pl.read_csv(write(tmp_path, TABLE), schema_overrides={"industry": pl.String})
    frame.write_parquet(tmp_path / "clusters.parquet")
    frame.to_pandas().to_excel(tmp_path / "clusters.xlsx", index=False)
    semicolons = write(tmp_path, TABLE.replace(",", ";"), "clusters.tsv")
    for data in (
        tmp_path / "clusters.parquet",
        tmp_path / "clusters.xlsx",
        semicolons,
        frame.lazy(),
        frame.to_pandas(),
    ):
        definitions = cb.read_definitions(data)
        assert_frame_equal(definitions.members, expected.members)
        assert_frame_equal(definitions.clusters, expected.clusters)


FAULTS = {
    "missing columns": (
        "code,cluster\n3361,cars\n",
        ["missing columns: no column for industry; there are 'code', 'cluster'"],
    ),
    "empty fields": (
        "industry,cluster,weight\n3361,,1\n,cars,1\n3363,cars,\n",
        [
            "missing keys: line 3, column 'industry': empty",
            "missing keys: line 2, column 'cluster': empty",
            "missing keys: line 4, column 'weight': empty",
        ],
    ),
    "an industry twice in a cluster": (
        "industry,cluster,subcluster\n3361,cars,a\n3363,cars,a\n3361,cars,b\n",
        ["duplicate keys: line 4: same cluster 'cars', industry '3361' as line 2"],
    ),
    "a weight that is no number": (
        "industry,cluster,weight\n3361,cars,half\n",
        ["not a number: line 2, column 'weight', value 'half': not a number"],
    ),
    "a negative weight": (
        "industry,cluster,weight\n3361,cars,-0.5\n",
        ["negative values: line 2, column 'weight', value '-0.5': negative"],
    ),
    "weights over one": (
        "industry,cluster,weight\n3361,cars,0.7\n3363,cars,1\n3361,metal,0.6\n",
        ["weights over one: line 2, column 'industry', value '3361': its weights add up to 1.3"],
    ),
    "two labels": (
        "industry,cluster,label\n3361,cars,\n3363,cars,Autos\n3364,cars,Cars\n",
        ["conflicting labels: line 4, column 'label', value 'Cars': cluster 'cars' has the label 'Autos' further up"],
    ),
    "two kinds": (
        "industry,cluster,kind\n3361,cars,Traded\n3363,cars,local\n",
        ["conflicting kinds: line 3, column 'kind', value 'local': cluster 'cars' has the kind 'traded' further up"],
    ),
    "a kind that is none": (
        "industry,cluster,kind\n3361,cars,export\n",
        ["unknown kinds: line 2, column 'kind', value 'export': neither 'traded' nor 'local'"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_placed(fault: str, tmp_path: Path) -> None:
    text, messages = FAULTS[fault]
    assert refused(write(tmp_path, text)) == messages


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    text = "industry,cluster,label,weight\n3361,cars,Cars,x\n3361,cars,Autos,-1\n3363,,Metal,0.5\n3364,jets,Jets,2\n"
    assert refused(write(tmp_path, text)) == [
        "missing keys: line 4, column 'cluster': empty",
        "duplicate keys: line 3: same cluster 'cars', industry '3361' as line 2",
        "not a number: line 2, column 'weight', value 'x': not a number",
        "negative values: line 3, column 'weight', value '-1': negative",
        "weights over one: line 5, column 'industry', value '3364': its weights add up to 2",
        "conflicting labels: line 3, column 'label', value 'Autos': cluster 'cars' has the label 'Cars' further up",
    ]


def test_weights_that_add_up_to_one_but_for_rounding_pass() -> None:
    weights = [0.5, 0.5 + 1e-10]
    table = pl.DataFrame({"industry": ["1", "1"], "cluster": ["a", "b"], "weight": weights})
    assert cb.read_definitions(table).members["weight"].to_list() == weights


def test_definitions_written_and_read_back_have_the_same_members(
    definitions: cb.ClusterDefinitions, tmp_path: Path
) -> None:
    path = tmp_path / "found.csv"
    definitions.to_csv(path)
    again = cb.read_definitions(path)
    assert_frame_equal(again.members, definitions.members.sort("cluster", "industry"), check_column_order=False)
    assert again.labels == definitions.labels
    assert_frame_equal(
        again.clusters.select("cluster", "kind"), definitions.clusters.select("cluster", "kind").sort("cluster")
    )


def test_an_edit_by_hand_is_read(tmp_path: Path) -> None:
    path = tmp_path / "edited.csv"
    cb.read_definitions(write(tmp_path, TABLE)).to_csv(path)
    path.write_text(path.read_text(encoding="utf-8").replace("0111,farms", "0112,farms"), encoding="utf-8")
    assert cb.read_definitions(path).members.filter(cluster="farms")["industry"].to_list() == ["0112"]


def test_a_place_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    definitions = cb.read_definitions(write(tmp_path, TABLE))
    with pytest.raises(OutputError, match=r"nowhere/found\.csv: cannot be written .* Choose another place"):
        definitions.to_csv(tmp_path / "nowhere" / "found.csv")
