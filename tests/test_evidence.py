"""The evidence table: what tables say, what people recorded, what nobody looked at, and whether methods agree."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from clusterbook.clusters.evidence import (
    METHODS,
    agreement,
    evidence_table,
    figure,
    read_findings,
)
from clusterbook.clusters.nominations import read_nominations
from clusterbook.data.records import Field, read_records
from clusterbook.errors import ClusterbookError, DataError


def clusters() -> pl.DataFrame:
    """Steel in four regions: strong, specialised only, weak, suppressed."""
    return pl.DataFrame(
        {
            "region": list("ABCD"),
            "cluster": "steel",
            "year": 2019,
            "employment": [900.0, 120.0, 30.0, None],
            "lq": [3.0, 1.2, 0.4, None],
            "strong": [True, False, False, None],
            "status": ["disclosed", "imputed", "disclosed", "suppressed"],
            "establishments": [40, 10, 2, 5],
            "lq_q": [0.001, 0.4, 0.01, None],
        }
    )


ALL = pl.DataFrame({"region": list("ABCDE"), "cluster": "steel"})


def of_method(found: pl.DataFrame, method: str) -> dict[str, tuple[str, str | None]]:
    rows = found.filter(pl.col("method") == method).select("region", "finding", "reliability").iter_rows()
    return {region: (finding, reliability) for region, finding, reliability in rows}


def test_statistics_become_findings() -> None:
    found = evidence_table({"clusters": clusters()}, candidates=ALL)
    assert of_method(found, "statistics") == {
        "A": ("supports", "medium"),
        "B": ("mixed", "low"),
        "C": ("contradicts", "medium"),
        "D": ("not known", None),
        "E": ("not known", None),
    }
    texts = found.filter(pl.col("method") == "statistics")["text"].to_list()
    assert texts[1] == "Flag strong: no. Quotient 1.2; size 120."
    assert texts[3] == "Flag strong: not known. Quotient not known; size not known."
    assert texts[4] == "The statistics have no row for it."


def test_certainty_decides_the_reliability() -> None:
    table = clusters().with_columns(strong_certainty=pl.Series([0.97, 0.3, 0.02, None]), status=pl.lit("disclosed"))
    found = of_method(evidence_table({"clusters": table}, candidates=ALL.head(3)), "statistics")
    assert found == {"A": ("supports", "high"), "B": ("mixed", "low"), "C": ("contradicts", "high")}


def test_establishments_against_chance() -> None:
    found = evidence_table({"clusters": clusters()}, candidates=ALL.head(4))
    assert {region: finding for region, (finding, _) in of_method(found, "plants").items()} == {
        "A": "supports",
        "B": "mixed",
        "C": "supports",  # one cluster only: the quotient of its establishments is 1 everywhere
        "D": "not known",
    }
    rest = clusters().with_columns(cluster=pl.lit("rest"), establishments=pl.Series([10, 10, 90, 5]))
    both = evidence_table({"clusters": pl.concat([clusters(), rest])}, candidates=ALL.head(4))
    assert of_method(both, "plants")["C"] == ("contradicts", "medium")
    text = both.filter(pl.col("method") == "plants", pl.col("region") == "C")["text"][0]
    assert text == "Establishments: 2, fewer than chance would give (adjusted p 0.01)."


def test_what_is_known_of_industries_in_general_is_marked_and_decides_nothing() -> None:
    tables = {
        "clusters": clusters().drop("lq_q"),
        "definitions": pl.DataFrame({"cluster": ["steel"], "within": [0.4], "between": [0.1]}),
        "input_output": pl.DataFrame({"cluster": ["steel"], "within_share": [0.05], "expected_share": [0.1]}),
    }
    found = evidence_table(tables, candidates=ALL.head(1))
    general = found.filter(pl.col("scope") == "everywhere").select("method", "finding", "reliability").rows()
    assert general == [("input_output", "contradicts", "low"), ("network", "supports", "low")]
    verdict = agreement(found).row(0, named=True)
    assert (verdict["verdict"], verdict["general"]) == ("one method for", ["input_output", "network"])
    with pytest.raises(ClusterbookError, match="'input_output' lacks 'within_share'"):
        evidence_table(tables | {"input_output": pl.DataFrame({"cluster": ["steel"], "expected_share": [0.1]})})


def test_every_method_has_a_row_and_not_looked_at_is_one() -> None:
    found = evidence_table({"clusters": clusters()})
    assert found["region"].unique().to_list() == ["A"], "candidates are those flagged"
    assert found["method"].to_list() == [method.id for method in METHODS]
    assert found.filter(pl.col("finding") == "not looked at")["method"].to_list() == [
        "input_output",
        "innovation",
        "network",
        "survey",
        "expert",
        "nomination",
    ]


def findings() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "region": ["A", "A", "Z"],
            "cluster": ["steel", "steel", "frogs"],
            "method": ["survey", "expert", "survey"],
            "finding": ["Contradicts", "mixed", "supports"],
            "reliability": ["high", None, "medium"],
            "text": ["3 of 40 buy from each other", "two camps", "16 of 16 export together"],
            "source": ["Survey 2024", "Panel", "Visit"],
        }
    )


def test_recorded_findings_and_candidates_that_no_statistic_knows() -> None:
    found = evidence_table({"clusters": clusters()}, findings=read_findings(findings()))
    assert found.select("region", "cluster").unique().sort("region").rows() == [("A", "steel"), ("Z", "frogs")]
    assert of_method(found, "survey") == {"A": ("contradicts", "high"), "Z": ("supports", "medium")}
    verdicts = dict(agreement(found).select("region", "verdict").iter_rows())
    assert verdicts == {"A": "disagree", "Z": "one method for"}
    text = agreement(found).filter(pl.col("region") == "A")["text"][0]
    assert text == (
        "For: statistics, plants. Against: survey. Mixed: expert. "
        "Not looked at: input_output, innovation, network, nomination."
    )


def test_a_nomination_is_a_claim_until_something_confirms_it() -> None:
    nominated = read_nominations(
        pl.DataFrame(
            {
                "cluster": ["Frogs"],
                "region": ["EC-19"],
                "place": ["Zamora"],
                "activity": ["Farming frogs"],
                "reason": ["Producers watch rivals together."],
                "members": ["16"],
                "actors": ["producers; exporters; school"],
                "nominator": ["Chamber"],
                "confirm": ["Interviews"],
            }
        )
    )
    found = evidence_table({"clusters": clusters()}, nominations=nominated)
    row = found.filter(pl.col("method") == "nomination", pl.col("cluster") == "Frogs").row(0, named=True)
    assert (row["finding"], row["reliability"], row["source"]) == ("supports", "medium", "Chamber")
    assert row["text"] == (
        "Farming frogs: Producers watch rivals together. Members: 16. Would be confirmed by: Interviews."
    )
    bare = evidence_table(
        {"clusters": clusters()},
        nominations=nominated.with_columns(actors=pl.lit([], pl.List(pl.String)), members=pl.lit(None, pl.Int64)),
    )
    row = bare.filter(pl.col("origin") == "nominated").row(0, named=True)
    assert row["reliability"] == "low"
    assert "Members: not known." in row["text"]


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        (["supports", "supports"], "agree for"),
        (["contradicts", "contradicts", "not looked at"], "agree against"),
        (["supports", "contradicts"], "disagree"),
        (["contradicts", "mixed"], "one method against"),
        (["mixed", "not known"], "undecided"),
        (["not known", "not looked at"], "nothing known"),
    ],
)
def test_verdicts(states: list[str], verdict: str) -> None:
    evidence = pl.DataFrame(
        {"region": "A", "cluster": "steel", "method": [f"m{k}" for k in range(len(states))], "finding": states}
    ).with_columns(scope=pl.lit("here"))
    assert agreement(evidence)["verdict"].to_list() == [verdict]


def test_a_method_at_odds_with_itself_is_mixed() -> None:
    evidence = pl.DataFrame(
        {"region": "A", "cluster": "steel", "method": "expert", "finding": ["supports", "contradicts"], "scope": "here"}
    )
    found = agreement(evidence).row(0, named=True)
    assert (found["mixed"], found["verdict"]) == (["expert"], "undecided")


def test_missing_tables_and_columns() -> None:
    with pytest.raises(ClusterbookError, match=r"needs the table 'clusters'\. There are: none"):
        evidence_table({})
    with pytest.raises(ClusterbookError, match="lacks 'strong'"):
        evidence_table({"clusters": clusters().drop("strong")})


def test_faulty_findings_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "findings.csv"
    path.write_text(
        "region,cluster,method,finding,reliability,text,source\n"
        "A,steel,survay,supports,high,ok,S\n"
        "A,,survey,yes,certain,ok,S\n"
        "B,steel,survey,mixed,,ok,S\n"
        "B,steel,survey,mixed,,again,S\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError) as caught:
        read_findings(path)
    told = [(problem.line, problem.column, problem.value) for problem in caught.value.problems]
    assert told == [
        (3, "cluster", None),
        (2, "method", "survay"),
        (3, "finding", "yes"),
        (3, "reliability", "certain"),
        (5, None, None),
    ]
    assert "Write one of: supports, contradicts, mixed, not known." in str(caught.value)
    with pytest.raises(DataError, match="no column 'source' for source"):
        read_findings(findings().drop("source"))


def test_records_of_numbers() -> None:
    fields = [Field("who"), Field("n", kind="whole", low=1), Field("x", needed=False, kind="number", high=2)]
    frame = pl.DataFrame({"who": ["a", "b", "c", "d"], "n": ["1.5", "0", "2", ""], "x": ["1", "", "3", "nan"]})
    with pytest.raises(DataError) as caught:
        read_records(frame, fields, keys=["who"])
    assert [(problem.check, problem.value) for problem in caught.value.problems] == [
        ("missing keys", None),
        ("not a whole number", "1.5"),
        ("out of range", "0"),
        ("not a number", "nan"),
        ("out of range", "3"),
    ]
    good = read_records(frame[2:3].with_columns(x=pl.lit(None, pl.String)), fields, keys=["who"])
    assert good.rows() == [("c", 2, None)]
    assert read_records(frame[2:3].drop("x"), fields, keys=["who"]).rows() == [("c", 2, None)]


def test_figures_have_two_digits_or_are_whole() -> None:
    frame = pl.DataFrame({"x": [0.123, 3.0, 12.34, 1234.5, None, float("nan"), 0.0]})
    assert frame.select(figure("x")).to_series().to_list() == ["0.12", "3", "12", "1234", "not known", "not known", "0"]
