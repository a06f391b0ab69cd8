"""Shift-share: known values, what has to add up, births, gaps and errors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clusterbook.errors import ClusterbookError
from clusterbook.measures.shift_share import (
    arcelus,
    dynamic_shift_share,
    esteban_marquillas,
    shift_share,
    spatial_shift_share,
)

# Region A is Farhauer and Kröll's example as the R package REAT computes it.
E0 = np.array([[90, 20, 10, 60], [60, 30, 30, 40], [250, 100, 110, 300]], dtype=float)
E1 = np.array([[100, 40, 10, 55], [85, 55, 40, 35], [255, 115, 85, 390]], dtype=float)
W = np.array([[0, 1, 0], [0.5, 0, 0.5], [0, 1, 0]])

METHODS: dict[str, Callable[..., tuple[np.ndarray, ...]]] = {
    "classic": shift_share,
    "Esteban-Marquillas": esteban_marquillas,
    "Arcelus": arcelus,
    "spatial": lambda a, b, **options: spatial_shift_share(a, b, W, **options),
}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
jobs = arrays(float, (3, 4), elements=st.integers(0, 50).map(float))


def of_regions(parts: tuple[np.ndarray, ...]) -> list[list[float]]:
    return [part.sum(axis=1).tolist() for part in parts]


def close(found: list[list[float]], wanted: list[list[float]]) -> None:
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_golden_classic() -> None:
    close(of_regions(shift_share(E0, E1)), [[27, 24, 114], [1, -1, 0], [-3, 32, -29]])


def test_golden_esteban_marquillas() -> None:
    found = of_regions(esteban_marquillas(E0, E1))
    competitive = [-0.6363636363636, 18.4242424242424, -33.5719008264463]
    allocation = [-2.3636363636364, 13.5757575757576, 4.5719008264463]
    close(found, [[27, 24, 114], [1, -1, 0], competitive, allocation, [0, 0, 0]])


def test_golden_arcelus() -> None:
    wanted = [
        [27, 24, 114], [0, 0, 0],
        [0, 0, 0], [1, -1, 0],
        [-2, 31, -29], [0, 0, 0],
        [1.3636363636364, -12.5757575757576, -4.5719008264463],
        [-2.3636363636364, 13.5757575757576, 4.5719008264463],
        [0, 0, 0],
    ]  # fmt: skip
    close(of_regions(arcelus(E0, E1)), wanted)


@pytest.mark.parametrize("scale", [1.0, 7.0])
def test_golden_nazara_hewings(scale: float) -> None:
    national, mix, neighbours, own = spatial_shift_share(E0, E1, scale * W)
    wanted = [[27, 24, 114], [23, -9.4084967320261, 72.6666666666667], [-25, 40.4084967320261, -101.6666666666667]]
    close(of_regions((national, mix + neighbours, own)), wanted)
    np.testing.assert_allclose(mix, shift_share(E0, E1).mix)


def test_neighbours_count_by_their_size() -> None:
    """Neighbours of 100 and 1,000 jobs growing by 100% and 0% grow by 9.1%, not by the mean of the rates."""
    parts = spatial_shift_share([[100], [100], [1000]], [[100], [200], [1000]], [[0, 1, 1], [1, 0, 0], [1, 0, 0]])
    assert parts.own[0, 0] == pytest.approx(-100 * 100 / 1100)


@every_method
@settings(deadline=None, max_examples=40)
@given(start=jobs, end=jobs)
def test_parts_are_the_change(
    method: Callable[..., tuple[np.ndarray, ...]], start: np.ndarray, end: np.ndarray
) -> None:
    total = np.sum(method(start, end), axis=0)
    if not start.any():
        assert np.isnan(total).all()
        return
    known = ~np.isnan(total)
    np.testing.assert_allclose(total[known], (end - start)[known], atol=1e-8)
    if method is not METHODS["spatial"]:
        assert known.all()
    else:  # not known only where the neighbours have nothing to grow from
        assert np.array_equal(known, (start == 0) | (W @ start > 0))


@settings(deadline=None, max_examples=40)
@given(start=jobs, end=jobs)
def test_mix_and_competitive_cancel_out_over_regions(start: np.ndarray, end: np.ndarray) -> None:
    if not start.any():
        return
    new = end[:, start.sum(axis=0) == 0].sum()
    _, mix, competitive = shift_share(start, end)
    assert mix.sum() == pytest.approx(-new, abs=1e-8)
    assert competitive.sum() == pytest.approx(new, abs=1e-8)


@settings(deadline=None, max_examples=40)
@given(start=jobs, end=jobs)
def test_esteban_marquillas_splits_the_competitive_part(start: np.ndarray, end: np.ndarray) -> None:
    if not start.any():
        return
    classic, split = shift_share(start, end), esteban_marquillas(start, end)
    np.testing.assert_allclose(split.competitive + split.allocation + split.births, classic.competitive, atol=1e-8)


@settings(deadline=None, max_examples=40)
@given(growth=st.floats(0.5, 2), start=arrays(float, (3, 4), elements=st.integers(1, 50).map(float)))
def test_even_growth_is_all_national(growth: float, start: np.ndarray) -> None:
    for method in METHODS.values():
        national, *others = method(start, growth * start)
        if method is METHODS["Arcelus"]:
            national, others = national + others[0], others[1:]
        np.testing.assert_allclose(national, (growth - 1) * start, atol=1e-8)
        np.testing.assert_allclose(others, 0, atol=1e-8)


def test_births() -> None:
    """From nothing to 10 where the industry doubles elsewhere: competitive, and a birth, never infinite."""
    start, end = [[0, 100], [50, 100]], [[10, 100], [90, 100]]
    assert shift_share(start, end).competitive[0, 0] == 10
    split = esteban_marquillas(start, end)
    assert [float(part[0, 0]) for part in split] == [0, 0, 0, 0, 10]
    assert split.births.sum() == 10
    of_region = arcelus(start, end)
    assert of_region.births[0, 0] == 10
    # The region stood still but for the birth, while the nation grew by 50 of 250.
    assert of_region.regional_expected[0].sum() == pytest.approx(100 * -50 / 250)


def test_a_region_that_was_empty_has_births_only() -> None:
    found = [float(part[0].sum()) for part in arcelus([[0, 0], [50, 100]], [[10, 5], [90, 100]])]
    assert found == [0] * 8 + [15]


def test_new_industry_is_taken_from_the_mix() -> None:
    """Nothing of the industry before: national growth (10%) counts it, so the mix of the others is below by as much."""
    _, mix, competitive = shift_share([[100, 0], [100, 0]], [[100, 20], [100, 0]])
    assert mix[:, 0].tolist() == pytest.approx([-10, -10])
    assert competitive.tolist() == [[0, 20], [0, 0]]


def test_published_totals_as_reference() -> None:
    """Farhauer and Kröll compare one region with a nation of which the other regions are not given."""
    alone = shift_share(E0[:1], E1[:1], reference=(E0.sum(axis=0), E1.sum(axis=0)))
    close(of_regions(alone), [[27], [1], [-3]])
    nothing = shift_share([[5.0, 5.0]], [[6.0, 6.0]], reference=([0, 10], [10, 10]))
    assert np.isnan(nothing.mix[0, 0])
    assert nothing.mix[0, 1] == pytest.approx(5 * (0 - 1))


@pytest.mark.parametrize("year", [0, 1])
def test_suppressed_cells_are_left_out_of_both_years(year: int) -> None:
    years = [E0.copy(), E1.copy()]
    years[year][0, 1] = np.nan
    without = [E0.copy(), E1.copy()]
    without[0][0, 1] = without[1][0, 1] = 0
    for found, wanted in zip(shift_share(*years), shift_share(*without), strict=True):
        assert np.isnan(found[0, 1])
        known = ~np.isnan(found)
        assert known.sum() == 11
        np.testing.assert_allclose(found[known], wanted[known])
    for part in esteban_marquillas(*years)[2:4]:
        assert np.isnan(part[0]).all()
        assert not np.isnan(part[1:]).any()
    assert np.isnan(arcelus(*years).regional_expected[0]).all()
    near = spatial_shift_share(*years, W)
    assert np.isnan(near.neighbours).tolist() == [[False, True, False, False], [False, True, False, False], [False] * 4]
    close([shift_share(*years, reference=(E0.sum(axis=0), E1.sum(axis=0))).national[1].tolist()], [[9, 4.5, 4.5, 6]])


def test_dynamic_adds_up_years() -> None:
    middle = (E0 + E1) / 2 + 3
    years = np.stack([E0, middle, E1])
    found = dynamic_shift_share(years, esteban_marquillas)
    first, second = esteban_marquillas(E0, middle), esteban_marquillas(middle, E1)
    np.testing.assert_allclose(found.allocation, first.allocation + second.allocation)
    np.testing.assert_allclose(np.sum(found, axis=0), E1 - E0, atol=1e-9)
    near = dynamic_shift_share(years, spatial_shift_share, W)
    np.testing.assert_allclose(np.sum(near, axis=0), E1 - E0, atol=1e-9)
    alone = dynamic_shift_share(years[:, :1], shift_share, reference=years.sum(axis=1))
    np.testing.assert_allclose(alone.national, dynamic_shift_share(years, shift_share).national[:1])


def test_dynamic_of_two_years_is_the_plain_one() -> None:
    for found, wanted in zip(dynamic_shift_share([E0, E1], shift_share), shift_share(E0, E1), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_errors_say_what_to_do() -> None:
    with pytest.raises(ClusterbookError, match=r"E0 has shape \(3, 4\), E1 \(2, 4\)"):
        shift_share(E0, E1[:2])
    with pytest.raises(ClusterbookError, match="E1 has negative or infinite values"):
        shift_share(E0, -E1)
    with pytest.raises(ClusterbookError, match="totals of 4 industries"):
        shift_share(E0, E1, reference=([1, 2], [1, 2]))
    with pytest.raises(ClusterbookError, match="reference has negative"):
        shift_share(E0, E1, reference=([-1, 1, 1, 1], [1, 1, 1, 1]))
    with pytest.raises(ClusterbookError, match=r"W has shape \(2, 2\); 3 regions"):
        spatial_shift_share(E0, E1, np.zeros((2, 2)))
    with pytest.raises(ClusterbookError, match="two years or more"):
        dynamic_shift_share([E0], shift_share)
    with pytest.raises(ClusterbookError, match=r"reference has shape \(3, 4\), \(2, 4\) is needed"):
        dynamic_shift_share([E0, E1], shift_share, reference=np.ones((3, 4)))
