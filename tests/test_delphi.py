"""Delphi: reading, feedback without names, agreement, convergence, drop-outs and stopping."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterbook.clusters.delphi import (
    concordance,
    convergence,
    expert_findings,
    feedback,
    kendall_w,
    read_ratings,
    stop_rule,
)
from clusterbook.errors import ClusterbookError, DataError


def ratings(rounds: list[dict[str, list[float | None]]]) -> pl.DataFrame:
    """Make ratings from rounds of item to scores, expert by expert (E0, E1 ...); a score of -1 is no row at all."""
    rows = [
        (f"E{k}", number, item, score, None)
        for number, items in enumerate(rounds, 1)
        for item, scores in items.items()
        for k, score in enumerate(scores)
        if score != -1
    ]
    columns = {"expert": pl.String, "round": pl.Int64, "item": pl.String, "score": pl.Float64, "comment": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row")


# --- reading --------------------------------------------------------------------------------------------------------


def test_reading_keeps_missing_scores(tmp_path: Path) -> None:
    path = tmp_path / "delphi.csv"
    path.write_text("expert,round,item,score\nBo,1,steel,\nAna,1,steel,4.5\n", encoding="utf-8")
    assert read_ratings(path).rows() == [("Ana", 1, "steel", 4.5, None), ("Bo", 1, "steel", None, None)]


def test_faults_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "delphi.csv"
    path.write_text(
        "expert,round,item,score\nAna,1,steel,6\nAna,1,steel,4\nBo,one,steel,high\n,3,steel,1\n", encoding="utf-8"
    )
    with pytest.raises(DataError) as caught:
        read_ratings(path)
    assert {(problem.check, problem.line) for problem in caught.value.problems} == {
        ("out of range", 2),
        ("duplicate keys", 3),
        ("not a whole number", 4),
        ("not a number", 4),
        ("missing keys", 5),
        ("rounds left out", 5),
    }
    assert "there are no ratings of round 2" in str(caught.value)
    assert "allowed is from 1 to 5" in str(caught.value)
    with pytest.raises(ClusterbookError, match="low=5, high=5"):
        read_ratings(path, low=5)


# --- feedback -------------------------------------------------------------------------------------------------------


def test_feedback_of_the_last_round() -> None:
    found = feedback(ratings([{"x": [1, 1, 1, 1]}, {"x": [1, 4, 4, 5, None], "y": [2, None, 2, 3, 3]}]))
    x, y = found.rows(named=True)
    assert (x["round"], x["ratings"], x["missing"]) == (2, 4, 1)
    assert (x["median"], x["q25"], x["q75"], x["iqr"], x["share_within"]) == (4, 3.25, 4.25, 1.0, 0.75)
    assert (y["median"], y["missing"], y["reason"]) == (2.5, 1, None)
    assert feedback(ratings([{"x": [1, 1, 1]}, {"x": [2, 2, 2]}]), round=1)["median"].to_list() == [1]
    with pytest.raises(ClusterbookError, match="round=3: the rounds are 1, 2"):
        feedback(ratings([{"x": [1]}, {"x": [1]}]), round=3)


def test_no_statistics_and_no_comments_of_fewer_than_three() -> None:
    given_by_two = ratings([{"x": [1, 5, None], "y": [1, 5, 3]}]).with_columns(comment=pl.lit("because"))
    x, y = feedback(given_by_two).rows(named=True)
    assert x["reason"] == "fewer than 3 ratings"
    assert [x[name] for name in ("median", "q25", "q75", "iqr", "share_within", "comments")] == [None] * 6
    assert (x["ratings"], x["missing"]) == (2, 1)
    assert len(y["comments"]) == 3


def test_names_never_reach_the_group() -> None:
    rows = pl.DataFrame(
        {
            "expert": ["Ana Ruiz", "Bo", "Dr. B.", "Zoe"],
            "round": 1,
            "item": "steel",
            "score": [4, 4, 5, 2],
            "comment": ["As Bo says, boron", "ANA RUIZ is wrong, so is zoe.", "Ask Dr. B. himself", None],
        }
    )
    found = feedback(read_ratings(rows))
    assert found["comments"].to_list() == [
        ["As [name] says, boron", "Ask [name] himself", "[name] is wrong, so is [name]."]
    ]
    assert "expert" not in found.columns
    for table in (convergence(read_ratings(rows)), concordance(read_ratings(rows))):
        assert not any(dtype == pl.String and name == "expert" for name, dtype in table.schema.items())


# --- agreement ------------------------------------------------------------------------------------------------------


def test_kendall_w_of_a_worked_case() -> None:
    """Rank sums 8, 11, 7, 14, with mean 10: S = 4 + 1 + 9 + 16 = 30, W = 12 x 30 / (16 x 60)."""
    found = kendall_w([[1, 3, 2, 4], [2, 3, 1, 4], [1, 4, 2, 3], [4, 1, 2, 3]])
    assert found.w == pytest.approx(12 * 30 / (16 * 60))
    assert found.chi2 == pytest.approx(4 * 3 * 0.375)
    assert found.p == pytest.approx(0.212, abs=0.001)
    assert (found.experts, found.items) == (4, 4)


def test_kendall_w_with_ties_is_one_for_raters_alike() -> None:
    found = kendall_w([[1, 1, 2, 5], [2, 2, 3, 4], [1, 1, 4, 5]])
    assert found.w == pytest.approx(1)


def test_kendall_w_is_the_mean_rank_correlation() -> None:
    rng = np.random.default_rng(3)
    scores = rng.random((5, 6))
    ranks = scores.argsort(axis=1).argsort(axis=1)
    pairs = [np.corrcoef(a, b)[0, 1] for a, b in permutations(ranks, 2)]
    assert kendall_w(scores).w == pytest.approx((np.mean(pairs) * 4 + 1) / 5)


def test_kendall_w_where_it_is_not_known() -> None:
    assert kendall_w([[1, 2], [1, 2], [1, np.nan]]) == (None, None, None, 2, 2)
    assert kendall_w([[3, 3], [4, 4], [5, 5]]).w is None, "everybody ties everything"
    with pytest.raises(ClusterbookError, match="raters x items"):
        kendall_w([1, 2, 3])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.integers(1, 5), min_size=4, max_size=4), min_size=3, max_size=8))
def test_kendall_w_lies_between_0_and_1_whatever_the_order(scores: list[list[int]]) -> None:
    found = kendall_w(scores)
    if found.w is not None:
        assert -1e-9 <= found.w <= 1 + 1e-9
        assert kendall_w(scores[::-1]).w == pytest.approx(found.w)
        assert kendall_w([row[::-1] for row in scores]).w == pytest.approx(found.w)


def test_concordance_leaves_incomplete_experts_out_and_says_so() -> None:
    found = concordance(ratings([{"x": [1, 1, 1, None], "y": [2, 2, 2, 1]}]))
    assert found.select("round", "w", "experts", "incomplete", "items").row(0) == (1, 1.0, 3, 1, 2)


# --- convergence ----------------------------------------------------------------------------------------------------


def test_convergence_states() -> None:
    before = {"agree": [3, 4, 4, 4, 5], "camps": [1, 1, 3, 5, 5], "moving": [1, 2, 3, 4, 5]}
    after = {"agree": [4, 4, 4, 4, 5], "camps": [1, 1, 3, 5, 5], "moving": [3, 3, 3, 3, 3]}
    found = convergence(ratings([before, after]), changed=0.2)
    assert dict(found.select("item", "state").iter_rows()) == {
        "agree": "consensus",
        "camps": "stable disagreement",
        "moving": "moving",
    }
    moving = found.filter(item="moving").row(0, named=True)
    assert (moving["iqr"], moving["iqr_change"], moving["changed_share"]) == (0, -2, 0.8)
    assert found.filter(item="agree")["changed_share"].to_list() == [0.2]


def test_dropouts_and_newcomers_are_counted_apart_from_changes() -> None:
    found = convergence(ratings([{"x": [4, 4, 4, 1, None]}, {"x": [4, 4, 4, -1, 5]}]))
    row = found.row(0, named=True)
    assert (row["both"], row["dropped"], row["joined"], row["changed_share"]) == (3, 1, 1, 0.0)
    few = convergence(ratings([{"x": [4, 4, 4]}, {"x": [4, 4, None]}])).row(0, named=True)
    assert (few["state"], few["changed_share"], few["iqr"], few["dropped"]) == ("not known", None, None, 1)


def test_one_round_has_no_convergence() -> None:
    found = convergence(ratings([{"x": [1, 2, 3]}]))
    assert found.is_empty()
    assert stop_rule(found).reason == "There has been one round only; convergence needs two."


def test_stopping() -> None:
    settled = {"x": [4, 4, 4, 4], "y": [1, 1, 5, 5]}
    assert stop_rule(convergence(ratings([settled, settled]))) == (True, "2 of 2 items are settled after round 2.", ())
    moved = {"x": [4, 4, 4, 4], "y": [5, 5, 1, 1]}
    half = convergence(ratings([settled, moved]))
    assert stop_rule(half) == (False, "1 of 2 items are settled after round 2.", ("y",))
    assert stop_rule(half, settled=0.5).stop
    assert (
        stop_rule(half, most_rounds=2).reason
        == "1 of 2 items are settled after round 2, the last round that was planned."
    )
    left = convergence(ratings([{"x": [1, 2, 3, 4, 5]}, {"x": [1, 2, -1, -1, -1]}]))
    assert stop_rule(left).reason == (
        "0 of 1 items are settled after round 2, but 3 of 5 ratings were not given again."
    )


# --- evidence -------------------------------------------------------------------------------------------------------


def test_findings_of_experts() -> None:
    last = {"high": [5, 5, 4, 4, 4], "low": [1, 1, 2, 2, 1], "middle": [3, 3, 3, 1, 5], "few": [5, 5, None, None, None]}
    items = pl.DataFrame({"item": [*last, "unasked"], "region": list("ABCDE"), "cluster": "steel"})
    found = expert_findings(ratings([last]), items).sort("region")
    assert found.select("region", "finding", "reliability").rows() == [
        ("A", "supports", "medium"),
        ("B", "contradicts", "medium"),
        ("C", "mixed", "low"),
        ("D", "not known", None),
    ]
    assert found["text"].to_list()[-1] == "No statistics: fewer than 3 ratings."
