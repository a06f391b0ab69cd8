"""Certainty of flags: the sampling model, bounds, both together, and what is not known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from clusterbook.clusters.certainty import add_certainty
from clusterbook.clusters.identification import Profile, identify
from clusterbook.errors import ClusterbookError

LQ_2 = Profile.model_validate(
    {
        "id": "two",
        "title": "Two",
        "source": "test",
        "note": "",
        "applies_to": "traded",
        "population": {"indicator": "size", "op": ">", "value": 0},
        "flags": [
            {
                "name": "twice",
                "title": "Twice",
                "rule": "quotient of two",
                "verified": True,
                "conditions": [{"indicator": "lq", "op": ">=", "value": 2}],
            }
        ],
    }
)


def table(**columns: object) -> pl.DataFrame:
    frame = pl.DataFrame(columns, strict=False)
    keys = [pl.Series("region", [f"R{k}" for k in range(frame.height)]), pl.lit("steel").alias("cluster")]
    fixed = [pl.lit(2019).alias("year"), *([] if "kind" in columns else [pl.lit("traded").alias("kind")])]
    return frame.select(*keys, *fixed, pl.all())


def chances(frame: pl.DataFrame, **options: bool) -> list[float | None]:
    return add_certainty(frame, LQ_2, **options)["twice_certainty"].to_list()


def test_sampling_interval_is_lognormal() -> None:
    half = np.exp(1.959964 * 0.3)
    frame = table(employment=[50, 50, 50], lq=[2.0, 3.0, 1.0]).with_columns(
        lq_low95=pl.col("lq") / half, lq_high95=pl.col("lq") * half
    )
    expected = norm.cdf(np.log(np.array([1.0, 1.5, 0.5])) / 0.3)
    assert chances(frame) == pytest.approx(expected.tolist(), abs=1e-5)
    assert add_certainty(frame, LQ_2)["twice_word"].to_list() == ["borderline", "likely", "sure"]


def test_without_interval_establishments_tell() -> None:
    frame = table(employment=[50, 50], lq=[3.0, 3.0], establishments=[4, None])
    assert chances(frame) == [pytest.approx(norm.cdf(np.log(1.5) * 2)), None]


def test_nothing_to_tell_it_by_is_not_known() -> None:
    frame = table(employment=[50, 0, 50], lq=[3.0, 0.0, None])
    assert chances(frame) == [None, 0.0, None], "no jobs: surely not, whatever the number of establishments"
    assert chances(frame, sampling=False) == [1.0, 0.0, None]


def test_bounds_alone() -> None:
    """From 1 to 3 with the estimate 2.5: half the chance lies below 2.5, a third of that half from 2 on."""
    frame = table(
        employment=[50] * 4,
        lq=[2.5, None, 2.5, None],
        lq_lo=[1.0, 1.0, 2.0, 2.5],
        lq_hi=[3.0, 3.0, 3.0, None],
    )
    found = chances(frame, sampling=False)
    assert found == [pytest.approx(0.5 + 0.5 / 3), pytest.approx(0.5), pytest.approx(1.0), 1.0]
    open_above = table(employment=[50], lq=[None], lq_lo=[1.0], lq_hi=[None])
    assert chances(open_above, sampling=False) == [None]


def test_bounds_and_sampling_agree_with_simulation() -> None:
    rng = np.random.default_rng(1)
    low, estimate, high, spread = 0.5, 2.2, 4.0, 0.4
    below = rng.uniform(low, estimate, 200_000)
    above = rng.uniform(estimate, high, 200_000)
    truth = np.concatenate([below, above]) * np.exp(spread * rng.standard_normal(400_000))
    half = np.exp(1.959964 * spread)
    frame = table(
        employment=[50],
        lq=[estimate],
        lq_lo=[low],
        lq_hi=[high],
        lq_low95=[estimate / half],
        lq_high95=[estimate * half],
    )
    assert chances(frame) == [pytest.approx((truth >= 2).mean(), abs=0.003)]


def test_shares_take_the_bounds_of_the_size_in_proportion() -> None:
    profile = LQ_2.model_copy(
        update={
            "flags": [
                LQ_2.flags[0].model_copy(
                    update={"conditions": [LQ_2.flags[0].conditions[0].model_copy(update={"indicator": "lq_all"})]}
                )
            ]
        }
    )
    frame = table(employment=[100.0], employment_lo=[50.0], employment_hi=[150.0], lq_all=[2.0], lq=[2.0])
    found = add_certainty(frame, profile, sampling=False)
    assert found["twice_certainty"].to_list() == [pytest.approx(0.5)]
    shifted = add_certainty(frame.with_columns(lq_all=pl.lit(1.6)), profile, sampling=False)
    assert shifted["twice_certainty"].to_list() == [pytest.approx(0.25)], "from 0.8 to 2.4, the upper half from 1.6"


def test_all_conditions_take_the_smallest_chance() -> None:
    """The size is a fact here and fails, so that the quotient does not matter; a fact that holds leaves its chance."""
    frame = table(employment=[100, 50, 10, 90], establishments=[100, 90, 100, 95], lq=[3.0, 0.5, 3.0, 0.9])
    found = add_certainty(frame).sort("region")
    assert found["strong_certainty"][2] == 0.0, "size is in the lowest quarter"
    assert found["strong"][2] is False
    assert found["strong_word"][2] == "sure"


def test_doubts_about_one_cell_are_not_multiplied() -> None:
    condition = LQ_2.flags[0].conditions[0]
    both = [condition, condition.model_copy(update={"indicator": "lq_all", "value": 1.8})]
    profile = LQ_2.model_copy(update={"flags": [LQ_2.flags[0].model_copy(update={"conditions": both})]})
    frame = table(employment=[50], lq=[3.0], lq_all=[2.0], establishments=[4])
    expected = norm.cdf(np.log(2 / 1.8) * 2)
    assert add_certainty(frame, profile)["twice_certainty"].to_list() == [pytest.approx(expected)]


def test_an_unknown_size_leaves_flags_unknown_unless_a_fact_rules_them_out() -> None:
    frame = table(
        employment=[100, 50, None, 60, None],
        establishments=[9, 8, 9, 1, 1],
        lq=[3.0, 0.5, None, 0.9, None],
    )
    found = add_certainty(frame)
    assert found["strong_certainty"][2] is None
    assert found["strong_certainty"][4] == 0.0, "its establishments are too few in any case"


def test_local_clusters_have_none() -> None:
    frame = table(employment=[100, 50], lq=[3.0, 1.0], establishments=[9, 9], kind=["local", "traded"])
    found = add_certainty(frame)
    assert found["strong_certainty"][0] is None
    assert found["strong_word"][0] is None
    assert found["strong_certainty"][1] is not None


def test_flags_of_the_table_are_kept() -> None:
    frame = identify(table(employment=[100, 50], lq=[3.0, 1.0], establishments=[9, 9]), LQ_2)
    turned = frame.with_columns(twice=pl.lit(None, pl.Boolean))
    found = add_certainty(turned, LQ_2)
    assert found["twice"].null_count() == 2
    assert found["twice_word"].null_count() == 2
    assert found["twice_certainty"].null_count() == 0
    assert found.drop("twice_certainty", "twice_word").equals(turned)


def test_words_speak_of_false_flags_too() -> None:
    frame = table(employment=[50, 50], lq=[0.5, 1.9], establishments=[100, 100])
    found = add_certainty(frame, LQ_2)
    assert found["twice"].to_list() == [False, False]
    assert found["twice_word"].to_list() == ["sure", "borderline"]


def test_a_missing_column_is_refused() -> None:
    frame = identify(table(employment=[100, 50], lq=[3.0, 1.0]), LQ_2).drop("lq")
    with pytest.raises(ClusterbookError, match="Profile 'two' needs 'lq'"):
        add_certainty(frame, LQ_2)


@settings(deadline=None, max_examples=80)
@given(
    st.floats(0.01, 10), st.floats(0, 1), st.floats(0, 1), st.integers(1, 500)
)  # fmt: skip
def test_certainty_is_a_probability_and_rises_with_the_quotient(lq: float, down: float, up: float, plants: int) -> None:
    bounds = {"lq_lo": [lq * (1 - down)] * 2, "lq_hi": [lq * (1 + up)] * 2}
    bounds = {name: [value[0], value[1] * 1.1] for name, value in bounds.items()}
    frame = table(employment=[50, 50], lq=[lq, lq * 1.1], establishments=[plants] * 2, **bounds)
    low, high = chances(frame)
    assert low is not None
    assert high is not None
    assert 0 <= low <= high + 1e-9 <= 1 + 1e-9
