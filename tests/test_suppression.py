"""Suppressed cells: bounds, propagation, the centred point, inconsistent totals, whole tables."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from clusterbook.data.industries import Industries
from clusterbook.data.panel import Source
from clusterbook.data.regions import Regions
from clusterbook.data.suppression import (
    bounds_from_establishments,
    bounds_from_flags,
    bounds_from_size_classes,
    impute,
    impute_panel,
)
from clusterbook.data.suppression.centre import nearest
from clusterbook.data.suppression.hierarchy import depths, nearest_known
from clusterbook.data.suppression.validation import add_totals, ipf, validate
from clusterbook.errors import ClusterbookError, DataError

TREE = Industries(
    pl.DataFrame(
        [("0", None), ("1", "0"), ("2", "0"), ("11", "1"), ("12", "1"), ("13", "1"), ("21", "2"), ("22", "2")],
        schema=["industry", "parent"],
        orient="row",
    ).with_columns(title=pl.col("industry"))
)
STATES = {"X": "US", "Y": "US", "Z": "US"}


def cells(rows: list[tuple[object, ...]], *columns: str) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["region", "industry", *columns], orient="row").with_columns(year=2019)


def flat(children: str) -> Industries:
    """One total, 'T', over single-letter children."""
    codes = ["T", *children]
    return Industries(pl.DataFrame({"industry": codes, "title": codes, "parent": [None] + ["T"] * len(children)}))


def table(values: list[list[float]], ranges: dict[tuple[int, int], tuple[float, float]]) -> pl.DataFrame:
    """A table of two margins: regions a, b, c under 'U', industries A, B, C under 'T'; ranges are withheld."""
    grid = np.array(values, dtype=float)
    rows: list[tuple[object, ...]] = []
    for r in range(grid.shape[0]):
        for i in range(grid.shape[1]):
            low, high = ranges.get((r, i), (None, None))
            rows.append(("abc"[r], "ABC"[i], None if (r, i) in ranges else grid[r, i], low, high))
        rows.append(("abc"[r], "T", grid[r].sum(), None, None))
    for i in range(grid.shape[1]):
        rows.append(("U", "ABC"[i], grid[:, i].sum(), None, None))
    rows.append(("U", "T", grid.sum(), None, None))
    return cells(rows, "employment", "employment_lo", "employment_hi")


def pick(frame: pl.DataFrame, region: str, industry: str, *columns: str) -> tuple[object, ...]:
    return frame.filter((pl.col("region") == region) & (pl.col("industry") == industry)).select(columns).row(0)


# Bounds -------------------------------------------------------------------------------------------------------------


def test_flags_become_bounds_and_their_zeros_become_gaps() -> None:
    frame = pl.DataFrame({"employment": [5.0, 0.0, 0.0], "flag": ["", "B", "M"]})
    done = bounds_from_flags(frame)
    assert done.rows() == [(5.0, None, None), (None, 20.0, 99.0), (None, 100_000.0, None)]


def test_unknown_flags_are_named() -> None:
    with pytest.raises(ClusterbookError, match=r"'flag' holds flags without bounds: D, Z\."):
        bounds_from_flags(pl.DataFrame({"employment": [0.0, 0.0], "flag": ["Z", "D"]}))


def test_size_classes_bound_jobs_from_both_sides() -> None:
    counts = np.zeros((2, 9))
    counts[0, [0, 3]] = 2, 1  # two of 1-4, one of 20-49
    counts[1, 8] = 1  # one of 1,000 or more
    low, high = bounds_from_size_classes(counts)
    assert low.tolist() == [22, 1000]
    assert high.tolist() == [57, np.inf]


@pytest.mark.parametrize("counts", [np.ones((2, 3)), -np.ones((2, 9)), np.full((1, 9), np.nan)])
def test_size_classes_refuse_what_are_no_counts(counts: np.ndarray) -> None:
    with pytest.raises(ValueError, match="counts"):
        bounds_from_size_classes(counts)


def test_no_establishment_means_no_jobs() -> None:
    low, high = bounds_from_establishments(np.array([0.0, 1.0]))
    assert (low.tolist(), high.tolist()) == ([0, 0], [0, np.inf])


# Trees --------------------------------------------------------------------------------------------------------------


def test_nearest_known_ancestor_skips_levels_that_are_not_published() -> None:
    assert nearest_known({"111": "11", "11": "1"}, ["1", "111", "2"]).tolist() == [-1, 0, -1]


def test_a_tree_that_runs_in_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        depths(np.array([1, 0]))


def test_the_audit_intervals_of_the_reference_table_come_from_propagation_alone() -> None:
    ranges = {(0, 0): (0, 19), (0, 1): (20, 99), (1, 0): (100, 249), (1, 1): (20, 99)}
    frame = table([[12, 30], [150, 20], [7, 300]], ranges)
    done = impute(frame, flat("AB"), {"a": "U", "b": "U", "c": "U"}, hidden_below=None)
    found = [pick(done.cells, "ab"[r], "AB"[i], "employment_lo", "employment_hi") for r, i in ranges]
    assert found == [(12, 19), (23, 30), (143, 150), (20, 27)]
    values = [pick(done.cells, "ab"[r], "AB"[i], "employment")[0] for r, i in ranges]
    assert values == pytest.approx([15.5, 26.5, 146.5, 23.5])  # the middle, which here satisfies all sums


def test_the_point_is_unique_and_central_where_least_absolute_deviations_are_not() -> None:
    ranges = {(r, i): (0.0, 19.0) for r in range(3) for i in range(3)}
    frame = table([[12, 12, 6], [10, 10, 4], [6, 4, 2]], ranges)
    done = impute(frame, flat("ABC"), {"a": "U", "b": "U", "c": "U"}, hidden_below=None).cells
    x = np.array([[pick(done, r, i, "employment")[0] for i in "ABC"] for r in "abc"], dtype=float)
    bounds = np.array(
        [[pick(done, r, i, "employment_lo", "employment_hi") for i in "ABC"] for r in "abc"], dtype=float
    ).reshape(9, 2)
    m = bounds.mean(axis=1)
    sums = np.vstack([np.kron(np.eye(3), np.ones(3)), np.kron(np.ones(3), np.eye(3))])
    free = sums[:5]  # the sixth follows
    other = minimize(
        lambda v: np.sum((v - m) ** 2 / m),
        m,
        jac=lambda v: 2 * (v - m) / m,
        bounds=bounds,
        constraints={"type": "eq", "fun": lambda v: free @ v - [30, 24, 12, 28, 26], "jac": lambda v: free},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    assert x.ravel() == pytest.approx(other.x, abs=1e-4)
    assert sums @ x.ravel() == pytest.approx([30, 24, 12, 28, 26, 12])


def test_tight_bounds_are_those_of_linear_programming() -> None:
    ranges = {(r, i): (0.0, 19.0) for r in range(3) for i in range(3)}
    frame = table([[12, 12, 6], [10, 10, 4], [6, 4, 2]], ranges)
    done = impute(frame, flat("ABC"), {"a": "U", "b": "U", "c": "U"}, hidden_below=None, tight=True).cells
    sums = np.vstack([np.kron(np.eye(3), np.ones(3)), np.kron(np.ones(3), np.eye(3))])
    for k in range(9):
        aim = np.eye(9)[k]
        ends = [
            sign * linprog(sign * aim, A_eq=sums, b_eq=[30, 24, 12, 28, 26, 12], bounds=(0, 19)).fun for sign in (1, -1)
        ]
        found = pick(done, "abc"[k // 3], "ABC"[k % 3], "employment_lo", "employment_hi")
        assert found == pytest.approx(ends)


# The rule of the source ---------------------------------------------------------------------------------------------


def test_absent_cells_get_the_remainder_and_stay_within_the_rule() -> None:
    frame = cells(
        [
            ("X", "T", 100.0, 8.0),
            ("X", "A", 60.0, 5.0),
            ("Y", "B", 30.0, 3.0),
            ("Y", "C", 60.0, 3.0),
            ("Y", "T", 90.0, 6.0),
        ],
        "employment",
        "establishments",
    )
    done = impute(frame, flat("ABC"))
    b, c = (pick(done.cells, "X", i, "employment", "establishments", "status") for i in "BC")
    assert b[0] + c[0] == pytest.approx(40)  # type: ignore[operator]
    assert b[1] + c[1] == pytest.approx(3)  # type: ignore[operator]
    assert (b[2], c[2]) == ("imputed", "imputed")
    usual = (60 + 30 + 60 + 100 + 90) / (
        5 + 3 + 3 + 8 + 6
    )  # jobs a plant; each rate is learnt with one such plant more
    assert c[0] / b[0] == pytest.approx((60 + usual) / (30 + usual))  # type: ignore[operator]
    assert pick(done.cells, "X", "B", "establishments_lo", "establishments_hi") == (1, 2)
    assert pick(done.cells, "X", "B", "employment_lo", "employment_hi") == (0, 40)
    assert pick(done.cells, "X", "A", "employment_lo", "employment_hi") == (None, None)
    assert done.cells.filter((pl.col("region") == "Y") & (pl.col("industry") == "A")).is_empty()  # nothing is left


def test_a_single_candidate_is_fixed_exactly() -> None:
    frame = cells([("X", "T", 100.0, 7.0), ("X", "A", 60.0, 5.0), ("Y", "B", 9.0, 3.0)], "employment", "establishments")
    done = impute(frame, flat("AB"))
    assert pick(done.cells, "X", "B", "employment", "employment_lo", "employment_hi", "status") == (
        40, 40, 40, "imputed",
    )  # fmt: skip
    assert done.report.counts["fixed"].to_list() == [1, 1]
    assert done.report.counts["imputed"].to_list() == [0, 0]


def test_remainders_go_down_through_absent_levels() -> None:
    frame = cells(
        [("X", "0", 100.0, 9.0), ("X", "1", 80.0, 7.0), ("X", "11", 50.0, 5.0)]
        + [("Y", code, 30.0, 3.0) for code in ("12", "13", "21", "22")]
        + [("Y", "1", 60.0, 6.0), ("Y", "2", 60.0, 6.0), ("Y", "0", 120.0, 12.0)],
        "employment",
        "establishments",
    )
    done = impute(frame, TREE).cells
    assert pick(done, "X", "2", "employment", "establishments") == (20, 2)  # absent, but the only one left
    for part, whole in (("12 13", 30), ("21 22", 20)):
        total = done.filter((pl.col("region") == "X") & pl.col("industry").is_in(part.split()))["employment"].sum()
        assert total == pytest.approx(whole)


def test_a_covered_industry_that_no_region_shows_takes_what_fits_nowhere_else() -> None:
    frame = cells(
        [("X", "T", 100.0, 6.0), ("X", "A", 60.0, 5.0), ("X", "B", 25.0, 3.0)], "employment", "establishments"
    )
    frame = frame.with_columns(establishments=pl.when(pl.col("industry") == "T").then(9.0).otherwise("establishments"))
    without = impute(frame, flat("ABC"))
    assert without.report.inconsistent.select("industry", "measure", "gap").rows() == [
        ("T", "establishments", 1),
        ("T", "employment", 15),
    ]
    done = impute(frame, flat("ABC"), scope="ABCT")
    assert done.report.inconsistent.is_empty()
    assert pick(done.cells, "X", "C", "employment", "establishments") == (15, 1)


def test_regions_bound_cells_as_well_as_industries() -> None:
    frame = cells(
        [
            ("X", "T", 50.0),
            ("X", "A", None),
            ("X", "B", None),
            ("Y", "T", 70.0),
            ("Y", "A", 40.0),
            ("Y", "B", 30.0),
            ("US", "A", 60.0),
            ("US", "B", 60.0),
            ("US", "T", 120.0),
        ],
        "employment",
    )
    done = impute(frame, flat("AB"), STATES, hidden_below=None)
    assert pick(done.cells, "X", "A", "employment", "employment_lo", "employment_hi") == (20, 20, 20)
    assert pick(done.cells, "X", "B", "employment") == (30,)


def test_a_region_that_is_hidden_altogether_takes_its_part() -> None:
    frame = cells(
        [("X", "T", 50.0, 5.0), ("X", "A", 50.0, 5.0), ("US", "T", 60.0, 7.0), ("US", "A", 60.0, 7.0)],
        "employment",
        "establishments",
    )
    done = impute(frame, flat("A"), {"X": "US", "Y": "US"})
    assert pick(done.cells, "Y", "A", "employment", "establishments", "status") == (10, 2, "imputed")


def test_what_nothing_bounds_stays_suppressed() -> None:
    frame = cells([("X", "T", None), ("X", "A", 5.0), ("X", "B", None)], "employment")
    done = impute(frame, flat("AB"), hidden_below=None)
    assert pick(done.cells, "X", "T", "employment", "employment_lo", "employment_hi", "status") == (
        None, 5, None, "suppressed",
    )  # fmt: skip
    assert done.report.counts["suppressed"].to_list() == [2]


# Sums that do not agree ---------------------------------------------------------------------------------------------


def test_an_inconsistent_total_is_named_and_does_not_spoil_the_others() -> None:
    frame = cells(
        [("X", "T", 100.0), ("X", "A", 60.0), ("X", "B", 30.0), ("Y", "T", 9.0), ("Y", "A", None)], "employment"
    )
    done = impute(frame, flat("AB"), hidden_below=None)
    assert done.report.inconsistent.drop("year").rows() == [
        ("employment", "industry", "X", "T", 100.0, 100.0, 90.0, 90.0, 10.0, ["A", "B"])
    ]
    assert "the widest gap is +10 employment in X, T, 2019" in str(done.report)
    assert pick(done.cells, "Y", "A", "employment") == (9,)
    assert pick(done.cells, "X", "T", "employment", "status") == (100, "disclosed")


def test_rounding_within_the_slack_is_allowed_and_counted() -> None:
    frame = cells([("X", "T", 100.0), ("X", "A", 60.0), ("X", "B", 38.0)], "employment")
    within = impute(frame, flat("AB"), hidden_below=None, slack=3)
    assert within.report.inconsistent.is_empty()
    assert within.report.counts["slack"].to_list() == [2]
    assert len(impute(frame, flat("AB"), hidden_below=None, slack_share=0.01).report.inconsistent) == 1


def test_slack_widens_bounds_by_what_rounding_may_hide() -> None:
    frame = cells([("X", "T", 100.0), ("X", "A", 60.0), ("X", "B", None)], "employment")
    done = impute(frame, flat("AB"), hidden_below=None, slack=3).cells
    assert pick(done, "X", "B", "employment_lo", "employment_hi") == (37, 43)
    assert pick(done, "X", "B", "employment")[0] == pytest.approx(40, abs=0.1)


def test_a_contradiction_between_two_trees_is_named_even_where_bounds_do_not_show_it() -> None:
    ranges = {(r, i): (0.0, 19.0) for r in range(3) for i in range(3)}
    frame = table([[12, 12, 6], [10, 10, 4], [6, 4, 2]], ranges)
    nation, everything = pl.col("region") == "U", pl.col("industry") == "T"
    frame = frame.filter(~(nation & everything)).with_columns(
        employment=pl.when(nation & (pl.col("industry") == "C")).then(14.0).otherwise("employment")
    )  # rows add up to 66, columns to 68
    done = impute(frame, flat("ABC"), {"a": "U", "b": "U", "c": "U"}, hidden_below=None)
    gaps = done.report.inconsistent
    assert set(gaps.select("region", "industry").rows()) <= {(r, "T") for r in "abc"} | {("U", i) for i in "ABC"}
    columns, rows = (gaps.filter(tree=t)["gap"].sum() for t in ("region", "industry"))
    assert columns - rows == pytest.approx(2, abs=1e-6)


def test_tables_that_cannot_be_completed_are_refused_with_all_reasons() -> None:
    frame = cells([("X", "A", -1.0), ("X", "A", 5.0), ("Y", "A", float("nan"))], "employment")
    with pytest.raises(DataError) as caught:
        impute(frame, flat("A"))
    assert [p.check for p in caught.value.problems] == ["duplicate keys", "impossible values", "impossible values"]
    with pytest.raises(DataError, match="no column 'year'"):
        impute(frame.drop("year"), flat("A"))
    with pytest.raises(ClusterbookError, match="no measure"):
        impute(frame.drop("employment"), flat("A"))


# Random hierarchies -------------------------------------------------------------------------------------------------


@st.composite
def truths(draw: st.DrawFn) -> pl.DataFrame:
    """Make establishments and jobs of the leaves of TREE in three states."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    plants = rng.poisson(draw(st.sampled_from([0.7, 2.0, 5.0])), (3, 5))
    jobs = np.array([[rng.geometric(0.05, n).sum() for n in row] for row in plants], dtype=float)
    rows = [
        (r, i, jobs[a, b], float(plants[a, b]))
        for a, r in enumerate(STATES)
        for b, i in enumerate(("11", "12", "13", "21", "22"))
        if plants[a, b]
    ]
    return cells(rows or [("X", "11", 3.0, 1.0)], "employment", "establishments")


@settings(max_examples=80, deadline=None, derandomize=True)
@given(truths(), st.booleans(), st.sampled_from([3, 5]))
def test_truth_is_inside_the_bounds_and_sums_are_met(leaves: pl.DataFrame, nation: bool, below: int) -> None:
    parents = STATES if nation else {}
    truth = add_totals(leaves, TREE, parents)
    seen = truth.filter(pl.col("establishments") >= below)
    if seen.is_empty():
        return
    done = impute(seen, TREE, parents, hidden_below=below, scope=truth["industry"].unique())
    assert done.report.inconsistent.is_empty()
    for measure in ("employment", "establishments"):
        low, high = f"{measure}_lo", f"{measure}_hi"
        filled = done.cells.filter(pl.col(low).is_not_null())
        known = filled.join(truth, on=["region", "industry", "year"], how="left", suffix="_true")
        value = known[f"{measure}_true"].fill_null(0.0)
        assert (value >= known[low] - 1e-6).all()
        assert (value <= known[high].fill_null(np.inf) + 1e-6).all()
        bounded = filled.drop_nulls(high)
        assert (bounded[measure] >= bounded[low] - 1e-6).all()
        assert (bounded[measure] <= bounded[high] + 1e-6).all()
    again = impute(seen, TREE, parents, hidden_below=below, scope=truth["industry"].unique())
    assert again.cells.equals(done.cells)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(truths())
def test_in_one_tree_propagated_bounds_are_exact(leaves: pl.DataFrame) -> None:
    truth = add_totals(leaves, TREE, {})
    seen = truth.filter(pl.col("establishments") >= 3)
    if seen.is_empty():
        return
    loose, tight = (impute(seen, TREE, scope=truth["industry"].unique(), tight=t).cells for t in (False, True))
    for column in ("establishments_lo", "establishments_hi", "employment_lo", "employment_hi"):
        assert loose[column].fill_null(-1).to_numpy() == pytest.approx(tight[column].fill_null(-1).to_numpy(), abs=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_the_nearest_point_satisfies_the_optimality_conditions(seed: int) -> None:
    from scipy.sparse import csr_array

    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(1, 6)), int(rng.integers(6, 15))
    matrix = (rng.random((rows, columns)) < 0.5).astype(float)
    inside = rng.uniform(0, 10, columns)
    lo = np.maximum(inside - rng.exponential(3, columns), 0)
    hi = inside + rng.exponential(3, columns)
    middle, weight = rng.uniform(0, 20, columns), rng.uniform(0.01, 20, columns)
    x = nearest(csr_array(matrix), matrix @ inside, middle, weight, lo, hi)
    assert matrix @ x == pytest.approx(matrix @ inside, abs=1e-6)
    assert (x >= lo).all() and (x <= hi).all()
    best = np.sum((x - middle) ** 2 / weight)
    # moving toward any other feasible point never pays: the gradient's product with the way there is not negative
    gradient = 2 * (x - middle) / weight
    least = linprog(gradient, A_eq=matrix, b_eq=matrix @ x, bounds=np.stack([lo, hi], axis=1))
    assert least.fun >= gradient @ x - 1e-4 * (1 + best)


# Draws, baseline, harness, panel ------------------------------------------------------------------------------------


def test_draws_stay_in_the_polytope_differ_and_repeat_with_the_seed() -> None:
    frame = cells([("X", "T", 90.0), ("X", "A", None), ("X", "B", None), ("X", "C", 30.0)], "employment")
    done = impute(frame, flat("ABC"), hidden_below=None, draws=200, seed=1)
    assert done.draws is not None
    sums = done.draws.group_by("draw").agg(pl.col("employment").sum())["employment"]
    assert sums.to_numpy() == pytest.approx(np.full(200, 60.0))
    a = done.draws.filter(pl.col("industry") == "A")["employment"].to_numpy()
    assert a.mean() == pytest.approx(30, abs=4)
    assert a.std() == pytest.approx(60 / np.sqrt(12), rel=0.15)  # uniform between 0 and 60
    again = impute(frame, flat("ABC"), hidden_below=None, draws=200, seed=1).draws
    assert again is not None and again.equals(done.draws)


def test_plain_fitting_gives_the_reference_values() -> None:
    from clusterbook.data.suppression.hierarchy import Bounds
    from clusterbook.data.suppression.imputation import lay_out

    ranges = {(0, 0): (0, 19), (0, 1): (20, 99), (1, 0): (100, 249), (1, 1): (20, 99)}
    frame = table([[12, 30], [150, 20], [7, 300]], ranges)
    layout = lay_out(frame, ["employment"], flat("AB"), {"a": "U", "b": "U", "c": "U"}, None)
    figures = layout.figures["employment"]
    found = ipf(layout.tree, Bounds(figures.lo, figures.hi, ()), 0.5 * (figures.lo + figures.hi), tolerance=1e-12)
    hidden = np.isnan(figures.value)
    assert found[hidden] == pytest.approx([12.11895601, 29.88104399, 149.88104399, 20.11895601])


def test_the_harness_reports_full_coverage_and_names_its_baselines() -> None:
    rng = np.random.default_rng(3)
    rows = [(f"R{r:02d}", i, float(20 * n), float(n)) for r in range(30) for i in ("11", "12", "13", "21", "22")
            if (n := rng.poisson(4))]  # fmt: skip
    result = validate(cells(rows, "employment", "establishments"), TREE, hide_below=4)
    assert result["method"].to_list() == ["centred", "ipf", "midpoint", "zero"]
    assert result["coverage"].to_list() == [1, 1, 1, 1]
    by = dict(result.select("method", "error_share").rows())
    assert by["centred"] < by["ipf"]
    assert by["zero"] == 1
    assert result["sums_off"][0] == pytest.approx(0, abs=1e-6)
    assert result["sums_off"][2] > 1


def test_the_panel_holds_one_level_says_what_was_filled_and_keeps_the_published_totals() -> None:
    frame = cells(
        [
            ("X", "T", 100.0, 8.0),
            ("X", "A", 60.0, 5.0),
            ("Y", "B", 30.0, 3.0),
            ("Y", "C", 60.0, 3.0),
            ("Y", "T", 90.0, 6.0),
        ],
        "employment",
        "establishments",
    )
    panel = impute_panel(frame, Source("t", "Toy", caveats=("Noisy.",)), flat("ABC"))
    assert panel.frame.select("region", "industry").rows() == [
        ("X", "A"), ("X", "B"), ("X", "C"), ("Y", "B"), ("Y", "C"),
    ]  # fmt: skip
    assert panel.measures == ("establishments", "employment")
    assert panel.source.caveats[0] == "Noisy."
    assert panel.source.caveats[1].startswith("2 of 5 cells are hidden in the source and imputed here (21.1%")
    assert panel.totals is not None
    assert panel.totals.select("region", "employment").rows() == [("X", 100), ("Y", 90)]
    assert panel.matrix("employment").values.sum() == pytest.approx(190)
    with pytest.raises(ClusterbookError, match="A: part of another industry"):
        impute_panel(frame, Source("t", "Toy"), flat("ABC"), level=["A", "T"])


def test_the_panel_takes_the_lowest_regions_only() -> None:
    frame = cells([("X", "T", 5.0), ("X", "A", 5.0), ("US", "T", 5.0), ("US", "A", 5.0)], "employment")
    places = Regions(pl.DataFrame({"region": ["US", "X"], "name": ["US", "X"], "parent": [None, "US"]}))
    panel = impute_panel(frame, Source("t", "Toy"), flat("A"), places, hidden_below=None)
    assert panel.frame["region"].to_list() == ["X"]


def test_progress_is_told_year_by_year() -> None:
    heard: list[tuple[int, int]] = []
    frame = cells([("X", "T", 5.0), ("X", "A", 5.0)], "employment")
    frame = pl.concat([frame, frame.with_columns(year=2020)])
    impute(frame, flat("A"), progress=lambda done, total, what: heard.append((done, total)))
    assert heard == [(0, 2), (1, 2), (2, 2)]


# The real thing -----------------------------------------------------------------------------------------------------


def test_vehicle_plants_of_us_metros_are_found_again() -> None:
    samples = pytest.importorskip("clusterbook.data.samples")
    if not hasattr(samples, "_cells"):
        pytest.skip("no bundled metro cells")
    table = samples._cells("us_metro_cells", "employment", "establishments")
    largest = (
        table.filter((pl.col("industry") == "336") & (pl.col("year") == 2019)).sort("employment").tail(12)["region"]
    )
    frame = table.filter((pl.col("year") == 2019) & pl.col("region").is_in(largest.implode()))
    industries = Industries(metro_tree(table["industry"].unique()))
    done = impute(frame, industries, scope=table["industry"].unique())
    assert len(done.report.inconsistent) < 10  # industries that no metro area shows at all
    sound = ~pl.col("region").is_in(done.report.inconsistent["region"].unique().implode())
    for code in ("3361", "336", "334", "31-33", "00"):
        leaves = [c for c in industries.frame["industry"] if code in (c, *industries.ancestors(c))]
        leaves = [c for c in leaves if c not in set(industries.parents.values())]
        parts = (
            done.cells.filter(sound, pl.col("industry").is_in(leaves))
            .group_by("region")
            .agg(pl.col("employment").sum())
        )
        both = frame.filter(pl.col("industry") == code).join(parts, on="region", suffix="_parts")
        assert len(both) > 6
        assert (both["employment"] - both["employment_parts"]).abs().max() < 1e-6  # type: ignore[operator]
    shown = frame.filter(pl.col("industry").is_in(["336111", "336112", "336120"]))["employment"].sum()
    assert shown < 0.7 * frame.filter(pl.col("industry") == "3361")["employment"].sum()


def metro_tree(codes: pl.Series) -> pl.DataFrame:
    """NAICS as the metro file shows it: sectors may be ranges, everything stands under '00'."""
    sectors = {str(n): c for c in codes if "-" in c for n in range(int(c[:2]), int(c[3:]) + 1)}

    def above(code: str) -> str | None:
        if len(code) == 2 or "-" in code:
            return None if code == "00" else "00"
        return sectors.get(code[:-1], code[:-1])

    return pl.DataFrame({"industry": codes, "title": codes, "parent": [above(c) for c in codes]}).sort("industry")
