from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clusterbook as cb
from clusterbook.data.panel import STATUS, STATUSES, add_up, status_of

SCHEMA = {"group": pl.String, "jobs": pl.Float64, "jobs_lo": pl.Float64, "jobs_hi": pl.Float64, "status": STATUS}


def table(*rows: tuple[str, float | None, float | None, float | None, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def test_a_sum_with_a_suppressed_part_is_suppressed_and_bounded():
    found = add_up(
        table(("a", 10, None, None, "disclosed"), ("a", None, 1, 4, "suppressed"), ("b", 0, None, None, "zero")),
        ["group"],
        ["jobs"],
    )
    assert found.rows() == [("a", None, 11.0, 14.0, "suppressed"), ("b", 0.0, None, None, "zero")]


def test_a_sum_is_open_above_when_any_part_is():
    found = add_up(table(("a", None, 1, 4, "suppressed"), ("a", None, 0, None, "suppressed")), ["group"], ["jobs"])
    assert found.rows() == [("a", None, 1.0, None, "suppressed")]


def test_a_sum_of_imputed_parts_keeps_their_estimate_and_their_bounds():
    found = add_up(table(("a", 10, None, None, "disclosed"), ("a", 3, 1, 6, "imputed")), ["group"], ["jobs"])
    assert found.rows() == [("a", 13.0, 11.0, 16.0, "imputed")]


def test_bounds_nobody_needs_are_not_made():
    plain = table(("a", 1, None, None, "disclosed")).drop("jobs_lo", "jobs_hi")
    assert add_up(plain, ["group"], ["jobs"]).columns == ["group", "jobs", "status"]
    hidden = plain.with_columns(jobs=pl.lit(None, pl.Float64), status=pl.lit("suppressed", STATUS))
    assert add_up(hidden, ["group"], ["jobs"]).row(0) == ("a", None, 0.0, "suppressed")


cells = st.tuples(
    st.sampled_from("abc"),
    st.integers(0, 50),  # the truth
    st.sampled_from(["disclosed", "imputed", "suppressed"]),
    st.integers(0, 9),  # how far below the truth the lower bound lies
    st.integers(0, 9),
)


@given(st.lists(cells, min_size=1, max_size=30))
def test_the_truth_always_lies_within_the_bounds_of_a_sum(drawn):
    rows, truth = [], dict.fromkeys("abc", 0)
    for group, true, status, below, above in drawn:
        truth[group] += true
        sure = status == "disclosed"
        low, high = (None, None) if sure else (float(max(true - below, 0)), float(true + above))
        rows.append((group, None if status == "suppressed" else float(true), low, high, status))
    for row in add_up(table(*rows), ["group"], ["jobs"]).iter_rows(named=True):
        parts = [status for group, _, status, _, _ in drawn if group == row["group"]]
        assert row["status"] == max(parts, key=STATUSES.index)
        assert (row["jobs"] is None) == ("suppressed" in parts)
        if set(parts) == {"disclosed"}:
            assert row["jobs"] == truth[row["group"]]
        else:
            assert row["jobs_lo"] <= truth[row["group"]] <= row["jobs_hi"]


def test_a_matrix_reads_absent_cells_as_zero_and_suppressed_ones_as_unknown(panel):
    one = (pl.col("region") == "R01") & (pl.col("industry") == "11")
    frame = panel.frame.with_columns(employment=pl.when(one).then(None).otherwise("employment"))
    frame = frame.filter(~((pl.col("region") == "R02") & (pl.col("industry") == "12")))
    found = replace(panel, frame=frame).matrix(year=2019)
    at = (found.regions.index("R01"), found.industries.index("11"))
    assert np.isnan(found.values[at])
    assert found.values[found.regions.index("R02"), found.industries.index("12")] == 0
    assert np.isnan(found.values).sum() == 1


def test_aggregate_adds_regions_up_and_drops_those_outside(panel):
    membership = pl.DataFrame({"part": ["R00", "R01", "R02"], "region": ["North", "North", "South"]})
    whole = panel.aggregate(membership, cb.Regions.from_codes(membership["region"]))
    expected = panel.frame.filter(pl.col("region").is_in(["R00", "R01"]), industry="11", year=2019)["employment"].sum()
    found = whole.frame.filter(region="North", industry="11", year=2019)
    assert found["employment"].item() == expected
    assert set(whole.frame["region"]) == {"North", "South"}
    twice = pl.DataFrame({"part": ["R00", "R00"], "region": ["North", "South"]})
    with pytest.raises(cb.ClusterbookError, match="more than one whole: R00"):
        panel.aggregate(twice, whole.regions)


def test_status_follows_the_value_where_none_is_stated():
    frame = pl.DataFrame({"jobs": [3.0, 0.0, None]}).select(status_of("jobs"))
    assert frame["status"].to_list() == ["disclosed", "zero", "not_collected"]


def test_a_missing_measure_is_named_with_a_remedy(panel):
    with pytest.raises(cb.ClusterbookError, match=r"no measure 'exports'.*exports='your column'"):
        panel.matrix("exports")
