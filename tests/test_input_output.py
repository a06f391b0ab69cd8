"""Input-output analysis: known values, an independent package, brute force, what has to hold, and faults."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clusterbook.errors import ClusterbookError
from clusterbook.measures.input_output import (
    Dispersion,
    direct_linkages,
    dispersion,
    extraction,
    ghosh,
    input_coefficients,
    key_sectors,
    leontief,
    output_coefficients,
    output_needed,
    total_linkages,
    total_output,
    trading_coefficients,
)

# Miller and Blair's example of two sectors.
A2 = np.array([[0.15, 0.25], [0.2, 0.05]])
L2 = [[1.25412541, 0.330033], [0.2640264, 1.12211221]]
X2 = np.array([1247.52475248, 1841.58415842])
Z2 = A2 * X2

Z4 = np.array([[10, 40, 5, 0], [20, 30, 10, 5], [0, 15, 20, 30], [5, 0, 25, 10]], dtype=float)
X4 = np.array([100, 120, 90, 60], dtype=float)

# Germany 1995, six branches, of the Eurostat Manual of Supply, Use and Input-Output Tables (2008), in million euro.
GERMANY = np.array(
    [
        [1131, 25480, 1, 607, 710, 762],
        [7930, 304584, 64167, 41082, 11981, 30360],
        [426, 7334, 3875, 5296, 23457, 9155],
        [3559, 72717, 14190, 74399, 10835, 21008],
        [3637, 96115, 31027, 65755, 193176, 34223],
        [1552, 14986, 1747, 11225, 15058, 22070],
    ],
    dtype=float,
)
GERMAN_OUTPUT = np.array([43910, 1079446, 245606, 540063, 692487, 508918], dtype=float)
# Final uses; and imports, net taxes on products and value added together.
GERMAN_DEMAND = np.array([15219, 619296, 196063, 343355, 268554, 442280], dtype=float)
GERMAN_PAID = np.array([2927 + 1084 + 21664, 156703 + 6505 + 395022, 13427 + 1548 + 115624,
                        21943 + 8349 + 311407, 13371 + 8473 + 415426, 13772 + 12551 + 365017], dtype=float)  # fmt: skip

flows = arrays(float, (5, 5), elements=st.integers(0, 9).map(float))


def productive(Z: np.ndarray) -> np.ndarray:
    """Output that leaves something for final demand, whatever the flows."""
    return np.asarray(Z.sum(axis=1) + Z.sum(axis=0) + 1.0)


def test_golden_two_sectors() -> None:
    np.testing.assert_allclose(leontief(A2), L2, atol=1e-8)
    np.testing.assert_allclose(output_needed(A2, [600, 1500]), X2, rtol=1e-9)
    np.testing.assert_allclose(input_coefficients(Z2, X2), A2)
    backward, forward = total_linkages(Z2, X2)
    np.testing.assert_allclose(backward, [1.51815182, 1.45214521], atol=1e-8)
    np.testing.assert_allclose(forward, [1.74131699, 1.30096881], atol=1e-8)
    power, sensitivity, variation, _ = dispersion(L2)
    np.testing.assert_allclose(power, [1.02222222, 0.97777778], atol=1e-8)
    np.testing.assert_allclose(sensitivity, [1.06666667, 0.93333333], atol=1e-8)
    np.testing.assert_allclose(variation, [0.92231319, 0.77138922], atol=1e-8)


def test_direct_linkages_are_shares_of_output() -> None:
    """The R package ioanalysis 0.3.4 gives sums of the inverse here (type='direct' without normalising)."""
    backward, forward = direct_linkages(Z4, X4)
    np.testing.assert_allclose(backward, [0.35, 85 / 120, 60 / 90, 0.75])
    np.testing.assert_allclose(forward, [0.55, 65 / 120, 65 / 90, 40 / 60])


def test_against_pymrio() -> None:
    iomath = pytest.importorskip("pymrio.tools.iomath")
    A, B = input_coefficients(GERMANY, GERMAN_OUTPUT), output_coefficients(GERMANY, GERMAN_OUTPUT)
    np.testing.assert_allclose(A, iomath.calc_A(GERMANY, GERMAN_OUTPUT), rtol=1e-12)
    np.testing.assert_allclose(leontief(A), iomath.calc_L(A), rtol=1e-12)
    np.testing.assert_allclose(ghosh(B), iomath.calc_G(iomath.calc_B(GERMANY, GERMAN_OUTPUT)), rtol=1e-12)
    np.testing.assert_allclose(B, iomath.calc_B(GERMANY, GERMAN_OUTPUT), rtol=1e-12)
    np.testing.assert_allclose(total_linkages(GERMANY, GERMAN_OUTPUT).forward, ghosh(B).sum(axis=1), rtol=1e-12)


def test_german_table_hangs_together() -> None:
    output = total_output(GERMANY, GERMAN_DEMAND, GERMAN_PAID)
    np.testing.assert_allclose(output, GERMAN_OUTPUT, rtol=1e-4)
    A = input_coefficients(GERMANY, output)
    np.testing.assert_allclose(output_needed(A, GERMAN_DEMAND), output, rtol=1e-9)
    np.testing.assert_allclose(leontief(A) @ GERMAN_DEMAND, output, rtol=1e-9)
    power, sensitivity, _, _ = dispersion(leontief(A))
    assert key_sectors(power, sensitivity).tolist() == ["backward", "key", "backward", "weak", "forward", "weak"]


def test_german_table_is_that_of_the_source() -> None:
    source = Path(__file__).parents[2] / "shared" / "data" / "input_output" / "iotables_germany_1995.csv"
    if not source.exists():
        pytest.skip("the source file is not at hand")
    pl = pytest.importorskip("polars")
    table = pl.read_csv(source).pivot(on="iotables_col", index="iotables_row", values="values")
    names = table["iotables_row"].to_list()[:6]
    assert table.head(6).select(names).to_numpy().tolist() == GERMANY.tolist()
    assert table.filter(iotables_row="output").select(names).row(0) == tuple(GERMAN_OUTPUT)


@settings(deadline=None, max_examples=40)
@given(Z=flows)
def test_identities(Z: np.ndarray) -> None:
    x = productive(Z)
    A, B = input_coefficients(Z, x), output_coefficients(Z, x)
    L, G = leontief(A), ghosh(B)
    np.testing.assert_allclose(L @ (np.eye(5) - A), np.eye(5), atol=1e-10)
    np.testing.assert_allclose(G, L * x / x[:, None], atol=1e-10)
    np.testing.assert_allclose(L, sum(np.linalg.matrix_power(A, k) for k in range(400)), atol=1e-6)
    np.testing.assert_allclose(L @ (x - Z.sum(axis=1)), x)
    np.testing.assert_allclose((x - Z.sum(axis=0)) @ G, x)
    found = dispersion(L)
    assert found.power.mean() == pytest.approx(1)
    assert found.sensitivity.mean() == pytest.approx(1)


@settings(deadline=None, max_examples=40)
@given(Z=flows)
def test_extraction_is_what_solving_anew_gives(Z: np.ndarray) -> None:
    x = productive(Z)
    A, demand = input_coefficients(Z, x), x - Z.sum(axis=1)
    for j in range(5):
        for what, row, column in (("all", True, True), ("purchases", False, True), ("sales", True, False)):
            without, left = A.copy(), demand.copy()
            if row:
                without[j] = 0
            if column:
                without[:, j] = 0
            if what == "all":
                left[j] = 0
            loss = x - np.linalg.solve(np.eye(5) - without, left)
            np.testing.assert_allclose(extraction(Z, x, what=what)[:, j], loss, atol=1e-9)  # type: ignore[arg-type]


def test_output_of_several_demands_at_once() -> None:
    both = output_needed(A2, [[600, 1], [1500, 0]])
    np.testing.assert_allclose(both[:, 0], X2)
    np.testing.assert_allclose(both[:, 1], [row[0] for row in L2])
    np.testing.assert_allclose(output_needed(A2, [-600, -1500]), -X2)  # less demand, less output
    assert output_needed(A2, [0, 0]).tolist() == [0, 0]


def test_variation_is_low_for_even_reach() -> None:
    even, lopsided = dispersion([[2, 2, 0], [2, 0, 0], [2, 0, 3]]).power_variation[:2]
    assert (even, lopsided) == (0, pytest.approx(np.sqrt(3)))
    assert np.isnan(dispersion([[2]]).power_variation).all()
    assert np.isnan(dispersion([[2, 0], [0, 0]]).power_variation).tolist() == [False, True]


def test_key_sectors_of_an_even_economy() -> None:
    """What is equal is not above its mean, whatever rounding says."""
    assert key_sectors([0.1, 0.1, 0.1], [0.7, 0.7, 0.7]).tolist() == ["weak"] * 3
    assert isinstance(dispersion(L2), Dispersion)


# Two regions of one nation; the shares of the first are 0.4 / 0.25, so SLQ = [1.6, 1.2, 0.4, 0.8].
REGION, NATION = np.array([40, 30, 10, 20], dtype=float), np.array([100, 100, 100, 100], dtype=float)
SLQ = REGION / 25


def test_trading_coefficients_by_hand() -> None:
    np.testing.assert_allclose(trading_coefficients(REGION, NATION, method="slq")[:, 0], [1, 1, 0.4, 0.8])
    cilq = trading_coefficients(REGION, NATION, method="cilq")
    np.testing.assert_allclose(cilq[2], [0.25, 1 / 3, 0.4, 0.5])  # the diagonal is SLQ, or it would always be 1
    size = np.log2(1.25) ** 0.3
    flq = trading_coefficients(REGION, NATION, method="flq")
    np.testing.assert_allclose(flq[2], np.array([0.25, 1 / 3, 0.4, 0.5]) * size)
    aflq = trading_coefficients(REGION, NATION, method="aflq")
    np.testing.assert_allclose(aflq[2], flq[2] * [np.log2(2.6), np.log2(2.2), 1, 1])
    np.testing.assert_allclose(
        trading_coefficients(REGION, NATION, delta=0), trading_coefficients(REGION, NATION, method="cilq")
    )


@settings(deadline=None, max_examples=40)
@given(
    region=arrays(float, (4,), elements=st.integers(0, 9).map(float)),
    rest=arrays(float, (4,), elements=st.integers(0, 9).map(float)),
)
def test_trading_coefficients_are_parts(region: np.ndarray, rest: np.ndarray) -> None:
    if not region.any():
        return
    found = {m: trading_coefficients(region, region + rest, method=m) for m in ("slq", "cilq", "flq", "aflq")}  # type: ignore[arg-type]
    for part in found.values():
        assert ((part >= 0) & (part <= 1)).all()
        assert not part[region == 0].any()
        assert not part[:, region == 0].any()
    assert (found["flq"] <= found["cilq"] + 1e-12).all()
    assert (found["flq"] <= found["aflq"] + 1e-12).all()


def test_the_nation_itself_trades_with_itself_only() -> None:
    for method in ("slq", "cilq", "flq", "aflq"):
        np.testing.assert_allclose(trading_coefficients(NATION, NATION, method=method), 1)  # type: ignore[arg-type]


def test_industry_without_output_is_zero() -> None:
    Z, x = np.pad(Z2, (0, 1)), np.append(X2, 0)
    assert not input_coefficients(Z, x)[:, 2].any()
    assert leontief(input_coefficients(Z, x))[2].tolist() == [0, 0, 1]
    assert extraction(Z, x)[:, 2].tolist() == [0, 0, 0]
    assert [part[2] for part in total_linkages(Z, x)] == [1, 1]
    assert output_coefficients(Z, x)[2].tolist() == [0, 0, 0]


def test_single_industry() -> None:
    assert leontief([[0.5]]).tolist() == [[2]]
    assert extraction([[5]], [10], what="purchases").tolist() == [[5]]


@pytest.mark.parametrize("singular", [[[1.0]], [[0.5, 0.5], [0.5, 0.5]], [[0, 1, 0], [0, 0, 1], [1, 0, 0]]])
def test_economies_that_use_up_everything(singular: list[list[float]]) -> None:
    with pytest.raises(ClusterbookError, match=r"use up all they make or more"):
        leontief(singular)
    with pytest.raises(ClusterbookError, match=r"\(I - A\) has no inverse that makes sense"):
        output_needed(singular, np.ones(len(singular)))


def test_almost_singular_is_singular() -> None:
    """0.1 + 0.2 + 0.7 is not quite 1 in floats, so that I - A has an inverse, full of nonsense."""
    almost = np.tile([[0.1], [0.2], [0.7]], 3)
    with pytest.raises(ClusterbookError, match=r"\(I - A\) has no inverse that makes sense"):
        leontief(almost)
    with pytest.raises(ClusterbookError, match=r"\(I - A\) has no inverse that makes sense"):
        output_needed(almost, [1, 1, 1])


def test_economies_that_use_up_more_than_everything() -> None:
    """I - A has an inverse here, with negative output in it."""
    with pytest.raises(ClusterbookError, match=r"\(I - A\).*Industries \[1\] use up"):
        leontief([[0.1, 0.9], [0.8, 0.7]])
    with pytest.raises(ClusterbookError, match=r"\(I - A\).*Industries \[1\] use up"):
        output_needed([[0.1, 0.9], [0.8, 0.7]], [1, 1])
    with pytest.raises(ClusterbookError, match=r"\(I - B\).*Industries \[0\] use up"):
        ghosh([[0.7, 0.9], [0.5, 0.1]])


def test_errors_say_what_to_do() -> None:
    with pytest.raises(ClusterbookError, match=r"Z has shape \(2, 3\)\. It is industries x industries"):
        input_coefficients(np.ones((2, 3)), [1, 1])
    with pytest.raises(ClusterbookError, match=r"A has shape \(0, 0\)"):
        leontief(np.ones((0, 0)))
    with pytest.raises(ClusterbookError, match=r"x has shape \(3,\)\. Give one number for each of 2"):
        input_coefficients(Z2, [1, 1, 1])
    with pytest.raises(ClusterbookError, match="Z has 1 missing or infinite values"):
        input_coefficients([[np.nan, 1], [1, 1]], [9, 9])
    with pytest.raises(ClusterbookError, match="Z has 1 negative values"):
        extraction([[-1, 1], [1, 1]], [9, 9])
    with pytest.raises(ClusterbookError, match=r"Industries \[1\] have no output, yet each buys inputs"):
        input_coefficients([[1, 1], [0, 0]], [9, 0])
    with pytest.raises(ClusterbookError, match=r"Industries \[1\] have no output, yet each sells"):
        output_coefficients([[1, 0], [1, 0]], [9, 0])
    with pytest.raises(ClusterbookError, match=r"Industries \[1\] have no output, yet each sells"):
        total_linkages([[1, 0], [1, 0]], [9, 0])
    with pytest.raises(ClusterbookError, match="what='some' is not known"):
        extraction(Z2, X2, what="some")  # type: ignore[arg-type]
    with pytest.raises(ClusterbookError, match="L is zero throughout"):
        dispersion(np.zeros((2, 2)))
    with pytest.raises(ClusterbookError, match=r"demand has shape \(3,\)"):
        output_needed(A2, [1, 1, 1])
    with pytest.raises(ClusterbookError, match=r"forward has shape \(1,\)"):
        key_sectors([1, 2], [1])


def test_totals_that_disagree_are_named() -> None:
    paid = GERMAN_PAID.copy()
    paid[[1, 3]] -= 5000
    with pytest.raises(ClusterbookError, match=r"1 of 6 totals disagree \(industry 3: sells 540063, pays 535063\)"):
        total_output(GERMANY, GERMAN_DEMAND, paid, tolerance=0.005)
    with pytest.raises(ClusterbookError, match=r"2 of 6 totals disagree \(industry 1: .*; industry 3: "):
        total_output(GERMANY, GERMAN_DEMAND, paid)
    assert total_output([[0, 5], [5, 0]], [-1, 1], [-1, 1]).tolist() == [4, 6]  # stocks fall, subsidies exceed wages


def test_errors_of_regionalisation() -> None:
    with pytest.raises(ClusterbookError, match=r"Industries \[0\] are larger in the region"):
        trading_coefficients([5, 1], [4, 4])
    with pytest.raises(ClusterbookError, match="The region is empty"):
        trading_coefficients([0, 0], [4, 4])
    with pytest.raises(ClusterbookError, match="delta=1 is out of range"):
        trading_coefficients([1, 1], [4, 4], delta=1)
    with pytest.raises(ClusterbookError, match="method='lq' is not known"):
        trading_coefficients([1, 1], [4, 4], method="lq")  # type: ignore[arg-type]
    with pytest.raises(ClusterbookError, match=r"region has shape \(1,\)"):
        trading_coefficients([1], [4, 4])
