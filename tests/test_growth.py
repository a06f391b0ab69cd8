"""Growth between two years: rates, gaps and errors, in every kind of table."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from clusterbook.errors import ClusterbookError
from clusterbook.measures.growth import growth
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
