"""Shares, location quotients and ranks: known values, every kind of table, gaps, identities, an independent package."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import hoover
from clusterbook.measures.specialisation import (
    hachman,
    krugman,
    krugman_pairs,
    location_quotient,
    log_quotient,
    quotient,
    quotient_matrix,
    shares,
    size_rank,
    symmetric_quotient,
)

KINDS: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda frame: frame,
    "polars lazy": lambda frame: frame.lazy(),
    "pandas": lambda frame: frame.to_pandas(),
    "pandas with Arrow types": lambda frame: frame.to_pandas(use_pyarrow_extension_array=True),
    "pandas with nullable types": lambda frame: frame.to_pandas().convert_dtypes(dtype_backend="numpy_nullable"),
    "duckdb": lambda frame: duckdb.from_arrow(frame.to_arrow()),
    "pyarrow": lambda frame: frame.to_arrow(),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def collect(native: Any) -> pl.DataFrame:
    """Bring any kind of table to Polars; pandas writes its gaps as NaN, nobody else may."""
    frame = nw.from_native(native).lazy().collect("polars").to_native()
    if isinstance(native, pd.DataFrame):
        return frame.with_columns(pl.selectors.float().fill_nan(None))
    for name in frame.select(pl.selectors.float()).columns:
        assert not frame[name].is_nan().any(), f"NaN in {name}"
    return frame


# The 5 x 5 example of the R package EconGeo; all rows and columns add up to 100. LQ as its version 1.3 gives it.
X = np.array(
    [[100, 0, 0, 0, 0], [0, 15, 5, 70, 10], [0, 20, 10, 20, 50], [0, 25, 30, 5, 40], [0, 40, 55, 5, 0]], dtype=float
)
LQ = [[5, 0, 0, 0, 0], [0, 0.75, 0.25, 3.5, 0.5], [0, 1, 0.5, 1, 2.5], [0, 1.25, 1.5, 0.25, 2], [0, 2, 2.75, 0.25, 0]]


def long(values: np.ndarray) -> pl.DataFrame:
    """Lay a regions x industries array out as a tidy table of one year; NaN becomes null."""
    R, I = values.shape  # noqa: E741
    return pl.DataFrame(
        {
            "region": [f"R{r}" for r in range(R) for _ in range(I)],
            "industry": [f"I{i}" for _ in range(R) for i in range(I)],
            "year": 2019,
            "employment": pl.Series(values.ravel(), nan_to_null=True),
        }
    )


def wide(frame: pl.DataFrame, name: str = "lq") -> np.ndarray:
    """Undo ``long``."""
    regions, industries = frame["region"].n_unique(), frame["industry"].n_unique()
    return frame.sort("region", "industry")[name].to_numpy().reshape(regions, industries)


# Three regions and two years, with every kind of gap: B x is suppressed, C has nothing at all, z is nowhere,
# w is in A only; 2020 has no gaps. Industry y is not traded.
GAPS = pl.DataFrame(
    {
        "region": list("AAAABBBBCCCCAABB"),
        "industry": list("xyzwxyzwxyzwxyxy"),
        "year": [2019] * 12 + [2020] * 4,
        "employment": [30, 50, 0, 20, None, 100, 0, 0, 0, 0, 0, 0, 30, 70, 10, 90],
    }
).with_columns(traded=pl.col("industry") != "y")


def values(native: Any, name: str) -> dict[tuple[str, str, int], float | None]:
    """Return a column by region, industry and year."""
    rows = collect(native).select("region", "industry", "year", name).rows()
    return {(region, industry, year): value for region, industry, year, value in rows}


# --- location quotient ----------------------------------------------------------------------------------------------


def test_quotient_of_numbers_arrays_and_expressions() -> None:
    assert quotient(1714, 79006, 879213, 15593224) == pytest.approx(0.3847623423, abs=1e-10)
    np.testing.assert_allclose(quotient(X, X.sum(1)[:, None], X.sum(0)[None, :], X.sum()), LQ, atol=1e-12)
    row = pl.DataFrame({"a": [30.0], "b": [40.0], "c": [31.0], "d": [50.0]})
    found = row.select(quotient(pl.col("a"), pl.col("b"), pl.col("c"), pl.col("d"))).item()
    assert found == pytest.approx(0.75 / 0.62)


def test_location_quotient_golden() -> None:
    np.testing.assert_allclose(wide(location_quotient(long(X))), LQ, atol=1e-10)


@every_kind
def test_location_quotient_in_every_kind_of_table(kind: str) -> None:
    native = KINDS[kind](GAPS)
    result = location_quotient(native)
    assert type(result) is type(native)
    found = values(result, "lq")
    expected = {
        ("A", "x", 2019): (30 / 100) / (30 / 200),  # totals hold what is known: B x counts nowhere
        ("A", "y", 2019): (50 / 100) / (150 / 200),
        ("A", "w", 2019): 10.0 / 5.0,
        ("B", "y", 2019): (100 / 100) / (150 / 200),
        ("B", "w", 2019): 0.0,  # a true zero
        ("B", "x", 2019): None,  # suppressed
        ("A", "z", 2019): None,  # no such industry
        ("C", "x", 2019): None,  # an empty region
        ("A", "x", 2020): (30 / 100) / (40 / 200),
        ("B", "y", 2020): (90 / 100) / (160 / 200),
    }
    assert {key: found[key] for key in expected} == pytest.approx(expected)
    assert len(found) == GAPS.height


@every_kind
def test_quotient_against_a_base_and_the_rest(kind: str) -> None:
    native = KINDS[kind](GAPS)
    by_flag = values(location_quotient(native, base="traded"), "lq")
    by_list = values(location_quotient(native, base=["x", "z", "w"]), "lq")
    assert by_flag == pytest.approx(by_list)
    assert by_flag["A", "x", 2020] == pytest.approx((30 / 30) / (40 / 40))
    assert by_flag["A", "y", 2020] == pytest.approx((70 / 30) / (160 / 40))  # outside the base, in its terms
    assert by_flag["B", "y", 2019] is None  # B has nothing known in the base
    rest = values(location_quotient(native, reference="rest"), "lq")
    assert rest["A", "x", 2020] == pytest.approx((30 / 100) / (10 / 100))
    assert rest["A", "w", 2019] is None  # in no other region
    assert rest["B", "w", 2019] == 0


def test_grouping_by_kind_compares_traded_with_traded() -> None:
    together = values(location_quotient(GAPS, by=("year", "traded")), "lq")
    alone = values(location_quotient(GAPS.filter("traded")), "lq")
    assert {key: together[key] for key in alone} == pytest.approx(alone)


def test_nan_counts_as_null() -> None:
    with_nan = GAPS.with_columns(pl.col("employment").cast(pl.Float64).fill_null(float("nan")))
    assert location_quotient(with_nan)["lq"].equals(location_quotient(GAPS)["lq"])
    assert shares(with_nan)["industry_share"].equals(shares(GAPS)["industry_share"])
    assert size_rank(with_nan, "employment")["rank"].equals(size_rank(GAPS, "employment")["rank"])


def test_all_suppressed_is_null_not_zero() -> None:
    dark = long(np.array([[np.nan, np.nan], [1, 3]]))
    assert location_quotient(dark).sort("region", "industry")["lq"].to_list() == [None, None, 1, 1]


@every_kind
def test_single_period_and_names(kind: str) -> None:
    frame = GAPS.filter(pl.col("year") == 2020).drop("year").rename({"region": "place", "industry": "trade"})
    options: dict[str, Any] = {"region": "place", "industry": "trade", "by": ()}
    found = collect(location_quotient(KINDS[kind](frame), name="q", **options)).sort("place", "trade")
    assert found["q"].to_list() == pytest.approx([1.5, 0.875, 0.5, 1.125])
    found = collect(shares(KINDS[kind](frame), names=("of_place", "of_trade"), **options)).sort("place", "trade")
    assert found["of_place"].to_list() == pytest.approx([0.3, 0.7, 0.1, 0.9])
    assert found["of_trade"].to_list() == pytest.approx([0.75, 0.4375, 0.25, 0.5625])


def test_input_comes_back_untouched() -> None:
    before = GAPS.clone()
    result = location_quotient(shares(GAPS))
    assert GAPS.equals(before)
    assert result.columns == [*GAPS.columns, "region_share", "industry_share", "lq"]
    assert result.select(GAPS.columns).equals(GAPS), "rows or their order changed"
    assert location_quotient(result).columns == result.columns, "a second call replaces the column"


def test_pandas_keeps_its_index() -> None:
    frame = GAPS.to_pandas().set_index(pd.Index(range(100, 100 + GAPS.height), name="row")).iloc[::-1]
    frame["lq"] = location_quotient(frame)["lq"]
    assert frame.index.name == "row"
    assert values(frame, "lq") == values(location_quotient(GAPS), "lq")


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt64, pl.Float32, pl.Decimal(10, 2)])
def test_any_number_type_gives_floats(dtype: pl.DataType) -> None:
    small = long(np.array([[100, 27], [100, 100]])).with_columns(pl.col("employment").cast(dtype))
    lq = location_quotient(small, reference="rest")["lq"]
    assert lq.dtype == pl.Float64
    assert lq[0] == pytest.approx((100 / 127) / (100 / 200), rel=1e-12)


matrices = arrays(np.float64, st.tuples(st.integers(2, 6), st.integers(2, 6)), elements=st.integers(0, 1000).map(float))


@settings(deadline=None, max_examples=50)
@given(matrices)
def test_identities(E: np.ndarray) -> None:
    if not E.sum():
        return
    lq = wide(location_quotient(long(E)).with_columns(pl.col("lq").fill_null(float("nan"))))
    x, q = E.sum(1) / E.sum(), E.sum(0) / E.sum()
    np.testing.assert_allclose((np.nan_to_num(lq) * x[:, None]).sum(0)[q > 0], 1)
    np.testing.assert_allclose((np.nan_to_num(lq) * q[None, :]).sum(1)[x > 0], 1)
    np.testing.assert_array_equal(np.isnan(lq), (x == 0)[:, None] | (q == 0)[None, :])
    bound = 1 / np.maximum(x[:, None], q[None, :])[~np.isnan(lq)]
    assert (lq[~np.isnan(lq)] >= 0).all()
    assert (lq[~np.isnan(lq)] <= bound * (1 + 1e-12)).all()
    transposed = location_quotient(long(E), region="industry", industry="region")
    np.testing.assert_allclose(wide(transposed.with_columns(pl.col("lq").fill_null(float("nan")))), lq)
    np.testing.assert_allclose(wide(location_quotient(long(E * 7)).with_columns(pl.col("lq").fill_null(np.nan))), lq)


def test_against_ecomplexity() -> None:
    """The independent package calls it rca; it agrees wherever neither total is zero."""
    package = pytest.importorskip("ecomplexity")
    rng = np.random.default_rng(3)
    E = np.round(np.exp(rng.normal(3, 2, (12, 20)))) * (rng.random((12, 20)) < 0.7)
    table = long(E)
    columns = {"time": "year", "loc": "region", "prod": "industry", "val": "employment"}
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        theirs = package.ecomplexity(table.to_pandas(), columns)
    theirs = theirs.sort_values(["region", "industry"])["rca"].to_numpy().reshape(E.shape)
    np.testing.assert_allclose(wide(location_quotient(table)), theirs, atol=1e-10)


# --- shares ---------------------------------------------------------------------------------------------------------


@every_kind
def test_shares_in_every_kind_of_table(kind: str) -> None:
    native = KINDS[kind](GAPS)
    result = shares(native)
    assert type(result) is type(native)
    of_region, of_industry = values(result, "region_share"), values(result, "industry_share")
    found = {key: (of_region[key], of_industry[key]) for key in of_region}
    assert found["A", "y", 2019] == pytest.approx((0.5, 50 / 150))
    assert found["A", "x", 2019] == pytest.approx((0.3, 1.0))  # of what is known
    assert found["B", "x", 2019] == (None, None)
    assert found["A", "z", 2019] == (0.0, None)
    assert found["C", "x", 2019] == (None, 0.0)
    assert found["B", "x", 2020] == pytest.approx((0.1, 0.25))


# --- ranks ----------------------------------------------------------------------------------------------------------

RANKED = pl.DataFrame(
    {
        "region": list("ABCDEABC"),
        "industry": list("xxxxxyyy"),
        "year": 2019,
        "employment": [5, 9, 5, None, 1, 7, None, 8],
    }
)


@every_kind
def test_rank_shares_the_better_place(kind: str) -> None:
    native = KINDS[kind](RANKED)
    result = size_rank(native, "employment")
    assert type(result) is type(native)
    found = {region + industry: rank for (region, industry, _), rank in values(result, "rank").items()}
    assert found == {"Ax": 2, "Bx": 1, "Cx": 2, "Dx": None, "Ex": 4, "Ay": 2, "By": None, "Cy": 1}
    overall = values(size_rank(native, "employment", within=(), name="place"), "place")
    assert overall["A", "x", 2019] == 4
    assert overall["B", "y", 2019] is None


def test_rank_is_an_integer_and_keeps_rows() -> None:
    result = size_rank(RANKED, "employment")
    assert result["rank"].dtype.is_integer()
    assert result.drop("rank").equals(RANKED)
    arrow = size_rank(RANKED.to_arrow(), "employment")
    assert pa.types.is_integer(arrow["rank"].type)
    assert arrow.drop_columns("rank").equals(RANKED.to_arrow())


# --- errors ---------------------------------------------------------------------------------------------------------


@every_kind
def test_absent_column_is_named_with_a_remedy(kind: str) -> None:
    native = KINDS[kind](GAPS.drop("year", "traded"))
    with pytest.raises(ClusterbookError, match=r"no column 'year'\. It has: region, industry, employment.*by=\(\)"):
        location_quotient(native)
    with pytest.raises(ClusterbookError, match="no column 'jobs', 'year'"):
        shares(native, "jobs")
    with pytest.raises(ClusterbookError, match="no column 'traded'"):
        location_quotient(native, by=(), base="traded")
    with pytest.raises(ClusterbookError, match="no column 'year'"):
        size_rank(native, "employment")


def test_wrong_types_and_words_are_refused() -> None:
    text = GAPS.with_columns(pl.col("employment").cast(pl.String))
    for function in (shares, location_quotient):
        with pytest.raises(ClusterbookError, match="Column 'employment' holds String, not numbers"):
            function(text)
    with pytest.raises(ClusterbookError, match="names a column of String, not of booleans"):
        location_quotient(GAPS, base="industry")
    with pytest.raises(ClusterbookError, match="empty collection"):
        location_quotient(GAPS, base=[])
    with pytest.raises(ClusterbookError, match="reference='others' is not known"):
        location_quotient(GAPS, reference="others")  # type: ignore[arg-type]


def test_golden_symmetric_and_log_quotient() -> None:
    expected = [-1, -0.14285714285714293, -0.6, 0.5555555555555555, -0.3333333333333333]
    np.testing.assert_allclose(symmetric_quotient(np.array(LQ))[1], expected, atol=1e-12)
    frame = pl.DataFrame({"lq": [0.0, 1.0, None]})
    assert frame.select(symmetric_quotient(pl.col("lq")))["lq"].to_list() == [-1, 0, None]
    np.testing.assert_allclose(log_quotient([0, 1, np.e, np.nan]), [-np.inf, 0, 1, np.nan])
    with pytest.raises(ClusterbookError, match="lq has negative values"):
        log_quotient([-1])


def test_quotients_of_arrays_are_those_of_tables() -> None:
    np.testing.assert_allclose(quotient_matrix(X), LQ, atol=1e-12)
    E = X.copy()
    E[1, 3], E[:, 0] = np.nan, 0
    table = location_quotient(long(E))
    np.testing.assert_allclose(quotient_matrix(E), wide(table.with_columns(pl.col("lq").fill_null(np.nan))))
    assert np.isnan(quotient_matrix(np.zeros((2, 2)))).all()


def test_golden_krugman_and_hachman() -> None:
    np.testing.assert_allclose(krugman(X), [1.6, 1, 0.6, 0.7, 1.1], atol=1e-12)
    np.testing.assert_allclose(krugman(X, reference="rest"), [2, 1.25, 0.75, 0.875, 1.375], atol=1e-12)
    # All regions of the example are of one size: the rest and the mean of the others are the same.
    np.testing.assert_allclose(krugman(X, reference="mean"), [2, 1.25, 0.75, 0.875, 1.375], atol=1e-12)
    np.testing.assert_allclose(
        hachman(X), [0.2, 0.380952380952, 0.588235294118, 0.634920634921, 0.430107526882], atol=1e-11
    )
    assert krugman_pairs([[20, 10, 70, 0, 0], [0, 0, 0, 60, 40]])[0, 1] == pytest.approx(2)


def test_krugman_mean_weighs_all_regions_the_same() -> None:
    E = np.array([[8.0, 2.0], [1.0, 1.0], [0.0, 100.0]])
    assert krugman(E, reference="mean")[0] == pytest.approx(abs(0.8 - 0.25) + abs(0.2 - 0.75))
    assert krugman(E, reference="rest")[0] == pytest.approx(abs(0.8 - 1 / 102) + abs(0.2 - 101 / 102))


def test_structures_with_gaps() -> None:
    E = X.copy()
    E[1, 3], E[4] = np.nan, 0
    for reference in ("all", "rest", "mean"):
        assert np.isnan(krugman(E, reference=reference)).tolist() == [False, True, False, False, True]
    assert np.isnan(hachman(E)).tolist() == [False, True, False, False, True]
    pairs = krugman_pairs(E)
    assert np.isnan(pairs[[1, 4]]).all()
    assert not np.isnan(pairs[np.ix_([0, 2, 3], [0, 2, 3])]).any()
    # The mean of the others leaves lines with gaps out.
    others = (X[[2, 3]] / 100).mean(axis=0)
    assert krugman(E, reference="mean")[0] == pytest.approx(np.abs(X[0] / 100 - others).sum())
    for reference in ("rest", "mean"):
        assert np.isnan(krugman(X[:1], reference=reference)).all(), "a single region has no others"
    assert krugman(X[:1]).tolist() == [0]
    with pytest.raises(ClusterbookError, match="reference='own' is not known"):
        krugman(X, reference="own")  # type: ignore[arg-type]


@settings(deadline=None, max_examples=60)
@given(arrays(np.float64, st.tuples(st.integers(2, 6), st.integers(2, 6)), elements=st.integers(0, 50).map(float)))
def test_structures_agree_with_each_other(E: np.ndarray) -> None:
    np.testing.assert_allclose(krugman(E), 2 * hoover(E, over="industries"), atol=1e-12)
    np.testing.assert_allclose(krugman(E, over="regions"), krugman(E.T), atol=1e-12)
    found = krugman_pairs(E)
    np.testing.assert_allclose(found, found.T)
    assert (found[~np.isnan(found)] <= 2 + 1e-12).all()
    of_region = E.sum(axis=1)
    known = of_region > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        p, lq = E / of_region[:, None], quotient_matrix(E)
    np.testing.assert_allclose(hachman(E)[known], 1 / np.nansum(lq * p, axis=1)[known], atol=1e-12)
    # Against the rest only the own region is missing, so the distance is as many times longer as the rest is smaller.
    if known.sum() > 1:
        share = of_region / of_region.sum()
        np.testing.assert_allclose(krugman(E, reference="rest") * (1 - share), krugman(E), atol=1e-9)
