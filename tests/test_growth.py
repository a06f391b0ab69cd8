"""Growth: rates, gaps and errors between two years, in every kind of table; trends and gross flows of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clusterbook.errors import ClusterbookError
from clusterbook.measures.growth import growth, job_flows, symmetric_growth, trend_growth
from test_specialisation import KINDS, collect, every_kind

# (region, industry) and employment in 2016, 2018 and 2020; '-' is no row, None a suppressed cell.
CASES: dict[str, tuple[Any, Any, Any]] = {
    "Ax": (100, 999, 146.41),  # 10% a year
    "Ay": (100, 50, 100),
    "Az": (80, 60, 0),  # gone: -100%
    "Bx": (0, 5, 10),  # started from nothing
    "By": (0, 0, 0),
    "Bz": (None, 5, 10),  # suppressed at the start
    "Cx": (10, 5, None),  # suppressed at the end
    "Cy": ("-", 5, 10),
    "Cz": (10, 5, "-"),
    "Dx": ("-", 7, "-"),  # only in between
}
CELLS = pl.DataFrame(
    [
        (key[0], key[1], year, size)
        for key, sizes in CASES.items()
        for year, size in zip((2016, 2018, 2020), sizes, strict=True)
        if size != "-"
    ],
    schema={"region": pl.String, "industry": pl.String, "year": pl.Int32, "employment": pl.Float64},
    orient="row",
).sample(fraction=1, shuffle=True, seed=1)


def rates(native: Any, name: str = "growth") -> dict[str, float | None]:
    return {
        region + industry: rate for region, industry, rate in collect(native).select("region", "industry", name).rows()
    }


@every_kind
def test_growth_in_every_kind_of_table(kind: str) -> None:
    native = KINDS[kind](CELLS)
    result = growth(native)
    assert type(result) is type(native)
    assert rates(result) == pytest.approx(
        {
            "Ax": 0.1, "Ay": 0.0, "Az": -1.0, "Bx": None, "By": None, "Bz": None, "Cx": None, "Cy": None, "Cz": None,
        }
    )  # fmt: skip
    table = collect(result)
    assert table.columns == [
        "region", "industry", "from_year", "to_year", "employment_start", "employment_end", "growth",
    ]  # fmt: skip
    assert table.select("region", "industry").rows() == sorted(table.select("region", "industry").rows())
    assert table.row(0)[2:6] == (2016, 2020, 100.0, pytest.approx(146.41))
    assert table.filter(region="B", industry="z").row(0)[4:6] == (None, 10.0)
    assert table.filter(region="C", industry="y").row(0)[4:6] == (None, 10.0)


@every_kind
def test_change_over_the_whole_time(kind: str) -> None:
    found = rates(growth(KINDS[kind](CELLS), annual=False, name="change"), "change")
    assert found["Ax"] == pytest.approx(0.4641)
    assert found["Ay"] == 0
    assert found["Az"] == -1
    assert found["Bx"] is None


def test_chosen_years_and_names() -> None:
    table = CELLS.rename({"region": "place", "industry": "cluster", "year": "when", "employment": "jobs"})
    options = {"region": "place", "industry": "cluster", "year": "when"}
    found = growth(table, "jobs", start=2018, end=2020, **options).filter(place="A", cluster="y")  # type: ignore[arg-type]
    assert found.row(0, named=True) == {
        "place": "A",
        "cluster": "y",
        "from_year": 2018,
        "to_year": 2020,
        "jobs_start": 50.0,
        "jobs_end": 100.0,
        "growth": pytest.approx(2**0.5 - 1),
    }


@every_kind
@pytest.mark.parametrize("annual", [True, False])
def test_no_growth_within_one_year(kind: str, annual: bool) -> None:
    found = rates(growth(KINDS[kind](CELLS), start=2018, end=2018, annual=annual))
    assert found == dict.fromkeys(CASES)


def test_nan_counts_as_null() -> None:
    with_nan = CELLS.with_columns(pl.col("employment").fill_null(float("nan")))
    assert growth(with_nan).equals(growth(CELLS))


@every_kind
def test_negative_sizes_have_no_growth(kind: str) -> None:
    """Value added can be negative; a root of a negative ratio is not a number."""
    sizes = {"Ax": (-5.0, 5.0), "Ay": (5.0, -5.0)}
    rows = [
        (key[0], key[1], year, v) for key, pair in sizes.items() for year, v in zip((2016, 2020), pair, strict=True)
    ]
    table = pl.DataFrame(rows, schema=["region", "industry", "year", "employment"], orient="row")
    assert rates(growth(KINDS[kind](table))) == {"Ax": None, "Ay": None}


def test_errors_say_what_to_do() -> None:
    with pytest.raises(ClusterbookError, match=r"no rows of 2017\. Choose among its years: 2016, 2018, 2020"):
        growth(CELLS, start=2017)
    with pytest.raises(ClusterbookError, match="end=2016 is before start=2020"):
        growth(CELLS, start=2020, end=2016)
    with pytest.raises(ClusterbookError, match="no column 'jobs'"):
        growth(CELLS, "jobs")
    with pytest.raises(ClusterbookError, match="no rows, so there are no years"):
        growth(CELLS.clear())
    with pytest.raises(ClusterbookError, match="holds String, not numbers"):
        growth(CELLS.with_columns(pl.col("employment").cast(pl.String)))


sizes = arrays(float, (3, 4), elements=st.integers(0, 50).map(float))


def test_symmetric_growth_of_expressions_and_arrays() -> None:
    table = pl.DataFrame({"start": [100, 0, 7], "end": [300, 7, 0]})
    assert table.select(symmetric_growth(pl.col("start"), pl.col("end"))).to_series().to_list() == [1, 2, -2]
    assert symmetric_growth(np.array([1.0, 3.0]), np.array([3.0, 1.0])).tolist() == [1, -1]


def test_trend_does_not_hang_on_single_years() -> None:
    steady = 100 * 1.03 ** np.arange(6)
    assert trend_growth(steady) == pytest.approx(0.03)
    jumped = steady.copy()
    jumped[-1] *= 2
    assert trend_growth(jumped) < jumped[-1] / jumped[0] - 1
    assert trend_growth(steady[[0, 2, 5]], [2000, 2002, 2005]) == pytest.approx(0.03)


def test_trend_of_many_cells() -> None:
    cells = np.array([[[100, 5.0], [0, 8]], [[121, 5], [3, np.nan]]])
    np.testing.assert_allclose(trend_growth(cells, [2010, 2012]), [[0.1, 0], [np.nan, np.nan]], atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(start=sizes, end=sizes)
def test_flows_balance(start: np.ndarray, end: np.ndarray) -> None:
    for over, axis in (("industries", 1), ("regions", 0)):
        creation, destruction = job_flows(start, end, over=over)  # type: ignore[arg-type]
        before, after = start.sum(axis=axis), end.sum(axis=axis)
        known = before + after > 0
        assert np.array_equal(~np.isnan(creation), known)
        net = symmetric_growth(before[known], after[known])
        np.testing.assert_allclose((creation - destruction)[known], net, atol=1e-12)
        back = job_flows(end, start, over=over)  # type: ignore[arg-type]
        np.testing.assert_array_equal(back.creation, destruction)


def test_flows_by_hand_and_with_gaps() -> None:
    creation, destruction = job_flows([[50, 50], [90, 10], [np.nan, 1]], [[60, 50], [60, 40], [1, 1]])
    np.testing.assert_allclose(creation, [10 / 105, 0.3, np.nan])
    np.testing.assert_allclose(destruction, [0, 0.3, np.nan])


def test_errors_of_arrays_say_what_to_do() -> None:
    with pytest.raises(ClusterbookError, match=r"E has shape \(1, 2\), years \(1,\)\. Give two different years"):
        trend_growth([[1, 2]])
    with pytest.raises(ClusterbookError, match="two different years or more"):
        trend_growth([1, 2, 3], [2000, 2001])
    with pytest.raises(ClusterbookError, match="E has negative or infinite values"):
        trend_growth([1, -2])
    with pytest.raises(ClusterbookError, match=r"differ in shape: \(1, 2\) and \(1, 3\)"):
        job_flows([[1, 2]], [[1, 2, 3]])
    with pytest.raises(ClusterbookError, match="over='years' is not known"):
        job_flows([[1]], [[1]], over="years")  # type: ignore[arg-type]
