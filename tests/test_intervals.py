import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clusterbook as cb
from clusterbook.measures.intervals import quotient_interval


def table(cells):
    rows = [(f"r{k // 3}", f"i{k % 3}", *cell) for k, cell in enumerate(cells)]
    schema = {"region": pl.String, "industry": pl.String} | dict.fromkeys(
        ["employment", "employment_lo", "employment_hi"], pl.Float64
    )
    return pl.DataFrame(rows, schema=schema, orient="row")


truths = st.lists(st.integers(0, 40), min_size=9, max_size=9)
slacks = st.lists(st.one_of(st.none(), st.tuples(st.integers(0, 9), st.integers(0, 9))), min_size=9, max_size=9)


@given(truths, slacks)
def test_the_true_quotient_lies_within_the_interval(truth, slack):
    cells = [
        (float(t), None, None) if s is None else (None, float(max(t - s[0], 0)), float(t + s[1]))
        for t, s in zip(truth, slack, strict=True)
    ]
    found = quotient_interval(table(cells), by=())
    true = cb.location_quotient(table([(float(t), None, None) for t in truth]), by=())["lq"]
    for lq, low, high in zip(true, found["lq_lo"], found["lq_hi"], strict=True):
        if lq is not None and low is not None:
            assert low <= lq + 1e-9
        if lq is not None and high is not None:
            assert lq <= high + 1e-9


@given(truths.filter(lambda t: sum(t) > 0))
def test_exact_cells_have_no_interval(truth):
    found = quotient_interval(table([(float(t), None, None) for t in truth]), by=())
    assert found["lq_lo"].null_count() == found["lq_hi"].null_count() == 9


def test_an_unbounded_cell_leaves_the_quotients_above_open():
    cells = [(5.0, None, None)] * 8 + [(None, 2.0, None)]
    found = quotient_interval(table(cells), by=())
    assert found["lq_hi"][8] is None
    assert found["lq_lo"][8] is not None
    assert found["lq_lo"][8] < 2 * 42 / (12 * 12) + 1e-12


def test_the_greatest_quotient_may_lie_between_the_bounds():
    # one cell, everything else exact: LQ = E (E + c) / ((E + a)(E + b)) with a = b = 1, c = 10 peaks inside [0.1, 100]
    cells = [(None, 0.1, 100.0), (1.0, None, None), (0.0, None, None), (1.0, None, None), (8.0, None, None)]
    cells += [(0.0, None, None)] * 4
    found = quotient_interval(table(cells), by=())
    best = max(e * (e + 10) / ((e + 1) ** 2) for e in (k / 1000 for k in range(100, 100_001)))
    assert found["lq_hi"][0] == pytest.approx(best, rel=1e-6)


def test_a_table_without_bounds_is_returned_as_it_is():
    plain = table([(1.0, None, None)] * 9).drop("employment_lo", "employment_hi")
    assert quotient_interval(plain, by=()).equals(plain)
