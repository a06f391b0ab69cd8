import doctest
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import clusterbook as cb
from clusterbook.data.disclosure import Protected, Rules, audit, controlled_rounding, protect, table_sums
from clusterbook.data.leaks import check_output, withheld
from clusterbook.data.panel import STATUS, status_of
from clusterbook.errors import ClusterbookError


def make_panel(jobs, plants, *, region_parent=None, industry_parent=None, years=(2020,), **more) -> cb.Panel:
    """A panel of regions A, B, ... and industries 1, 2, ... from tables of jobs and plants, the same in every year."""
    jobs, plants = np.asarray(jobs, dtype=float), np.asarray(plants, dtype=float)
    regions, industries = [chr(65 + r) for r in range(jobs.shape[0])], [str(i + 1) for i in range(jobs.shape[1])]
    rows = [
        (region, industry, year, jobs[r, i], plants[r, i], *(values[r][i] for values in more.values()))
        for year in years
        for r, region in enumerate(regions)
        for i, industry in enumerate(industries)
    ]
    schema = ["region", "industry", "year", "employment", "establishments", *more]
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(status_of("employment"))
    places = pl.DataFrame({"region": regions, "name": regions})
    tree = pl.DataFrame({"industry": industries, "title": industries})
    if region_parent:
        places = places.with_columns(parent=pl.Series(region_parent))
    if industry_parent:
        tree = tree.with_columns(parent=pl.Series(industry_parent))
    source = cb.Source("toy", "Toy register")
    return cb.Panel(frame.sort("year", "region", "industry"), source, cb.Regions(places), cb.Industries(tree))


def hidden_cells(safe: Protected) -> set[tuple[str, str]]:
    return set(safe.panel.frame.filter(status="suppressed").select("region", "industry").iter_rows())


def exact_ranges(safe: Protected, measure: str, *, known_cell: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Audit every confidential sum from scratch: its range, exactly, and what it needs. One cell may be known."""
    ((year, system),) = safe.systems.items()
    truth = safe.truth[year]
    values, hidden = truth[measure].to_numpy(), truth["hidden"].to_numpy()
    cells = system.forms.shape[1]
    record = safe.audit.filter(measure=measure)
    at = [system.place[key] for key in record.select("region", "kind", "code").iter_rows()]
    # One unknown a cell and one a confidential sum, which is tied to its parts; everything published is a constraint.
    count = contributors(safe)[:cells]
    secret = np.concatenate([hidden[:cells] & (count > 0), np.ones(len(at), dtype=bool)])
    if known_cell is not None:
        secret[known_cell] = False
    published = sparse.hstack([system.forms[np.flatnonzero(~hidden)], sparse.csr_array(((~hidden).sum(), len(at)))])
    tied = sparse.hstack([system.forms[at], -sparse.eye_array(len(at))])
    ranges = audit(
        np.concatenate([values[:cells], values[at]]), secret, sparse.csr_array(sparse.vstack([published, tied]))
    )
    return ranges[-len(at) :] if at else ranges[:0], record.select("lowest_needed", "highest_needed").to_numpy()


def contributors(safe: Protected) -> np.ndarray:
    ((year, _),) = safe.systems.items()
    return safe.truth[year]["contributors"].to_numpy()


def assert_insiders_learn_nothing(safe: Protected) -> None:
    """Whoever knows a cell because nobody else is in it still cannot tell the other confidential figures."""
    ((_, system),) = safe.systems.items()
    record = safe.audit.select("region", "kind", "code").rows()
    for cell in np.flatnonzero(contributors(safe)[: system.forms.shape[1]] == 1):
        ranges, needed = exact_ranges(safe, "employment", known_cell=cell)
        parts = system.forms[[system.place[key] for key in record]][:, [cell]].toarray().ravel()
        other = parts == 0
        near = 1e-3 * (1 + needed)
        assert (ranges[other, 0] <= (needed + near)[other, 0]).all()
        assert (ranges[other, 1] >= (needed - near)[other, 1]).all()


GOLDEN = np.array([[12, 30], [150, 20], [7, 300]], dtype=float)
GOLDEN_HIDDEN = np.array([[True, True], [True, True], [False, False]])


# --- the audit ----------------------------------------------------------------------------------------------------


def test_the_audit_finds_the_known_intervals_of_the_3x2_table():
    low, high = [[0, 20], [100, 20], [0, 0]], [[19, 99], [249, 99], [7, 300]]
    found = audit(GOLDEN, GOLDEN_HIDDEN, table_sums((3, 2)), low=low, high=high)
    assert found.tolist() == [[12, 19], [23, 30], [143, 150], [20, 27]]


def test_a_single_hidden_cell_of_a_row_is_found_exactly():
    found = audit(GOLDEN, [[True, False], [False, False], [False, True]], table_sums((3, 2)))
    assert found.tolist() == [[12, 12], [300, 300]]


def test_what_no_sum_holds_is_unbounded():
    assert audit([[4.0, 6.0]], True, sparse.csr_array((0, 2))).tolist() == [[0, np.inf], [0, np.inf]]


def test_separate_blocks_have_the_ranges_they_have_alone():
    two = sparse.block_diag([table_sums((2, 2)), table_sums((2, 2))], format="csr")
    left, right = [12.0, 30, 150, 20], [5.0, 1, 2, 9]
    alone = [audit(v, True, table_sums((2, 2))) for v in (left, right)]
    assert audit([*left, *right], True, sparse.csr_array(two)).tolist() == np.vstack(alone).tolist()


def test_bounds_that_are_not_true_are_refused():
    with pytest.raises(ClusterbookError, match="1 hidden cells lie outside"):
        audit([[4.0, 6.0]], True, table_sums((1, 2)), high=[[5, 5]])


# --- rules --------------------------------------------------------------------------------------------------------


def units(*rows: tuple[str, str, str, float]) -> pl.DataFrame:
    table = pl.DataFrame(rows, schema=["region", "industry", "owner", "employment"], orient="row")
    return table.with_columns(year=pl.lit(2020), id=pl.int_range(pl.len()).cast(pl.String))


def many(region: str, industry: str, jobs: float, owners: int = 10) -> list[tuple[str, str, str, float]]:
    return [(region, industry, f"{region}{industry}-{k}", jobs / owners) for k in range(owners)]


def panel_of(register: pl.DataFrame) -> cb.Panel:
    cells = register.group_by("region", "industry", "year").agg(
        pl.sum("employment"), establishments=pl.len().cast(pl.Float64)
    )
    frame = cells.sort("year", "region", "industry").with_columns(status_of("employment"))
    source = cb.Source("toy", "Toy register")
    return cb.Panel(frame, source, cb.Regions.from_codes(frame["region"]), cb.Industries.from_codes(frame["industry"]))


def reasons(rules: Rules, first: list[tuple[str, str, str, float]]) -> dict[tuple[str, str], str]:
    rest = [row for cell in ("A2", "B1", "B2", "C1", "C2") for row in many(*cell, jobs=500)]
    register = units(*first, *rest)
    found = protect(panel_of(register), rules, units=register, public=["establishments"]).audit
    return {(r, c): why for r, c, why in found.select("region", "code", "reason").iter_rows()}


def test_threshold_counts_owners_not_establishments():
    three_plants_of_two = [("A", "1", "ann", 30.0), ("A", "1", "ann", 20.0), ("A", "1", "bob", 50.0)]
    assert reasons(Rules(), three_plants_of_two) == {("A", "1"): "fewer than 3 contributors"}
    assert reasons(Rules(), [*three_plants_of_two, ("A", "1", "cyd", 1.0)]) == {}


def test_dominance_and_p_percent_are_judged_at_their_limits():
    cell = [("A", "1", "ann", 85.0), ("A", "1", "bob", 10.0), ("A", "1", "cyd", 5.0)]
    assert reasons(Rules(dominance=((1, 85),)), cell) == {}  # 85 of 100 is not more than 85 %
    assert reasons(Rules(dominance=((1, 84), (2, 90))), cell) == {("A", "1"): "dominance (1, 84), dominance (2, 90)"}
    # The second largest knows 10 and estimates the largest as 100 - 10 = 90: 5 too much, 5.9 % of 85.
    assert reasons(Rules(p_percent=5.8), cell) == {}
    assert reasons(Rules(p_percent=6), cell) == {("A", "1"): "p-percent 6"}


def test_protection_is_what_the_broken_rule_lacks():
    cell = [("A", "1", "ann", 90.0), ("A", "1", "bob", 10.0), ("A", "1", "cyd", 5.0)]
    rest = [row for name in ("A2", "B1", "B2") for row in many(*name, jobs=500)]
    register = units(*cell, *rest)
    rules = Rules(dominance=((1, 75),), margin=0.01)
    row = protect(panel_of(register), rules, units=register, public=["establishments"]).audit.row(0, named=True)
    assert row["highest_needed"] - 105 == pytest.approx(90 * 100 / 75 - 105)  # were it 120, ann would hold 75 %
    assert row["lowest_needed"] == pytest.approx(90)


def test_a_single_plant_without_jobs_is_confidential_and_an_empty_cell_is_not():
    panel = make_panel([[0, 0, 60], [40, 50, 70], [30, 80, 90]], [[1, 0, 5], [5, 5, 5], [5, 5, 5]])
    safe = protect(panel, public=["establishments"])
    assert safe.audit.select("region", "code", "lowest_needed", "highest_needed").rows() == [("A", "1", 0.0, 1.0)]
    frame = safe.panel.frame
    assert frame.filter(region="A", industry="1")["employment"].item() is None
    assert frame.filter(region="A", industry="2").select("employment", "status").row(0) == (0.0, "zero")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contributors": 0}, "contributors=0"),
        ({"least": 0}, "least=0"),
        ({"dominance": ((1, 120),)}, "dominance="),
        ({"p_percent": -1}, "p_percent=-1"),
    ],
)
def test_rules_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ClusterbookError, match=message):
        Rules(**change)


# --- protect ------------------------------------------------------------------------------------------------------

JOBS = [[12, 30, 60], [150, 20, 80], [70, 300, 90]]
PLANTS = [[1, 5, 6], [9, 4, 8], [7, 9, 8]]


def test_a_rectangle_of_cells_is_hidden_and_everything_else_is_untouched():
    panel = make_panel(JOBS, PLANTS)
    safe = protect(panel, public=["establishments"])
    assert hidden_cells(safe) == {("A", "1"), ("A", "2"), ("B", "1"), ("B", "2")}
    both = panel.frame.join(safe.panel.frame, on=["region", "industry", "year"]).filter(status_right="disclosed")
    assert both.height == 5
    assert (both["employment"] == both["employment_right"]).all()
    assert (both["establishments"] == both["establishments_right"]).all()
    assert safe.sums.filter(status="suppressed").height == 4
    assert safe.panel.totals.sort("region")["employment"].to_list() == [102, 250, 460]


def test_bounds_are_those_the_public_can_derive():
    safe = protect(make_panel(JOBS, PLANTS), public=["establishments"])
    shown = safe.panel.frame.filter(status="suppressed").select("employment_lo", "employment_hi")
    assert shown.rows() == [(0, 42), (0, 42), (120, 162), (8, 50)]
    exact = audit(np.array(JOBS)[:2, :2], True, table_sums((2, 2)))
    assert exact.tolist() == [list(row) for row in shown.rows()]


def test_cells_of_one_contributor_hide_nothing_from_insiders():
    jobs = [[22, 30, 60], [50, 20, 80], [70, 300, 90]]
    plants = [[1, 1, 6], [1, 1, 8], [7, 9, 8]]
    without = protect(make_panel(jobs, plants), Rules(insiders=False), public=["establishments"])
    assert hidden_cells(without) == {("A", "1"), ("A", "2"), ("B", "1"), ("B", "2")}
    safe = protect(make_panel(jobs, plants), public=["establishments"])
    assert len(hidden_cells(safe)) > 4
    assert_insiders_learn_nothing(safe)


def test_a_confidential_total_is_hidden_with_enough_others():
    jobs = [[9, 0, 0], [40, 50, 70], [30, 80, 90]]
    plants = [[2, 0, 0], [5, 5, 5], [5, 5, 5]]
    safe = protect(make_panel(jobs, plants), public=["establishments"])
    totals = dict(safe.panel.totals.select("region", "employment").iter_rows())
    assert totals["A"] is None
    assert None in (totals["B"], totals["C"])  # A would follow from the nation less the other two
    ranges, needed = exact_ranges(safe, "employment")
    assert (ranges[:, 0] <= needed[:, 0] + 1e-3).all()
    assert (ranges[:, 1] >= needed[:, 1] - 1e-3).all()


def test_sums_of_clusters_do_not_give_cells_away():
    rng = np.random.default_rng(3)
    jobs, plants = rng.integers(10, 200, (4, 6)), np.full((4, 6), 9)
    plants[0, 0] = 1
    groups = pl.DataFrame({"industry": list("123456"), "cluster": list("aabbcc"), "weight": [1.0] * 6})
    panel = make_panel(jobs, plants)
    assert ("A", "2") in hidden_cells(protect(panel, groups=groups, public=["establishments"]))
    loose = protect(panel, public=["establishments"])  # nobody said that clusters are published
    assert ("A", "2") not in hidden_cells(loose)


def test_every_measure_is_protected_and_public_ones_stay():
    payroll = (np.array(JOBS) * 40.0).tolist()
    safe = protect(make_panel(JOBS, PLANTS, payroll=payroll))
    assert set(safe.audit["measure"]) == {"employment", "establishments", "payroll"}
    assert safe.audit["protected"].all()
    hidden = safe.panel.frame.filter(status="suppressed")
    assert hidden.select("employment", "establishments", "payroll").null_count().row(0) == (hidden.height,) * 3


def test_missing_figures_and_unknown_contributors_are_refused():
    panel = make_panel(JOBS, PLANTS)
    gap = panel.frame.with_columns(employment=pl.when(pl.int_range(pl.len()) > 0).then("employment"))
    with pytest.raises(ClusterbookError, match="1 cells of 'Toy register' have no figure"):
        protect(replace(panel, frame=gap))
    with pytest.raises(ClusterbookError, match="How many contribute to a cell is not known"):
        protect(replace(panel, frame=panel.frame.drop("establishments")))
    with pytest.raises(ClusterbookError, match=r"1 cells have figures but no establishment \(A 1 2020\)"):
        protect(make_panel(JOBS, [[0, 5, 6], *PLANTS[1:]]))
    with pytest.raises(ClusterbookError, match="Dominance and p-percent need the single contributions"):
        protect(panel, Rules(p_percent=10))
    with pytest.raises(ClusterbookError, match="nothing to protect"):
        protect(panel, public=["employment", "establishments"])
    with pytest.raises(ClusterbookError, match=r"differ in 9 cells \(A 1 2020, A 2 2020"):
        protect(panel, units=units(("A", "1", "ann", 11.0)))
    with pytest.raises(ClusterbookError, match="The units lack year"):
        protect(panel, units=units(("A", "1", "ann", 11.0)).drop("year"))


@st.composite
def tables(draw):
    rows, columns = draw(st.integers(2, 5)), draw(st.integers(2, 6))
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    plants = rng.poisson(rng.choice([1.0, 3.0, 8.0]), (rows, columns))
    plants[0, 0] += 1  # at least one plant somewhere
    sizes = [[rng.lognormal(2.5, 1.5, n).round() for n in row] for row in plants]
    jobs = [[float(cell.sum()) for cell in row] for row in sizes]
    panel = make_panel(
        jobs,
        plants,
        region_parent=[["N", "S"][r % 2] for r in range(rows)] if draw(st.booleans()) else None,
        industry_parent=[["x", "y"][i % 2] for i in range(columns)] if draw(st.booleans()) else None,
    )
    groups = None
    if draw(st.booleans()):
        names = [str(i + 1) for i in range(columns)]
        groups = pl.DataFrame({"industry": names, "cluster": [f"c{i // 3}" for i in range(columns)]})
        groups = groups.with_columns(weight=pl.lit(draw(st.sampled_from([1.0, 0.5]))))
    register = [
        (chr(65 + r), str(i + 1), f"firm {rng.integers(0, 12)}", float(jobs_of_one))
        for r, row in enumerate(sizes)
        for i, cell in enumerate(row)
        for jobs_of_one in cell
    ]
    return panel, groups, units(*register)


some_rules = st.builds(
    Rules,
    contributors=st.integers(1, 5),
    dominance=st.sampled_from([(), ((1, 85),), ((1, 75), (2, 90))]),
    p_percent=st.sampled_from([None, 10.0, 30.0]),
    margin=st.sampled_from([0.0, 0.1, 0.5]),
    insiders=st.booleans(),
)


@settings(max_examples=30, deadline=None)
@given(tables(), some_rules)
def test_after_protect_every_confidential_figure_is_as_uncertain_as_asked(table, rules):
    panel, groups, register = table
    safe = protect(panel, rules, units=register, groups=groups, public=["establishments"])
    ranges, needed = exact_ranges(safe, "employment")
    near = 1e-3 * (1 + needed)
    assert (ranges[:, 0] <= needed[:, 0] + near[:, 0]).all()
    assert (ranges[:, 1] >= needed[:, 1] - near[:, 1]).all()
    if rules.insiders:
        assert_insiders_learn_nothing(safe)
    # and the bounds that are published are true and not tighter than what can be derived
    hidden = safe.panel.frame.filter(status="suppressed").join(panel.frame, on=["region", "industry", "year"])
    assert (hidden["employment_lo"] <= hidden["employment_right"] + 1e-6).all()
    assert (hidden["employment_hi"].fill_null(np.inf) >= hidden["employment_right"] - 1e-6).all()


def test_hiding_only_the_confidential_cells_would_fail_the_audit():
    panel = make_panel(JOBS, PLANTS)
    alone = np.array(PLANTS) < 3
    ((low, high),) = audit(JOBS, alone, table_sums((3, 3)))
    assert (low, high) == (12, 12)
    safe = protect(panel, public=["establishments"])
    assert "truth=" not in repr(safe)  # a log must not tell either
    assert "audit=" not in repr(safe)
    row = safe.audit.row(0, named=True)
    assert row["lowest"] <= row["lowest_needed"] == pytest.approx(10.8)
    assert row["highest"] >= row["highest_needed"] == pytest.approx(13.2)


# --- what goes out ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def safe():
    groups = pl.DataFrame({"industry": list("1234"), "cluster": list("aabb"), "weight": [1.0] * 4})
    jobs = [[12, 30, 60, 33], [150, 20, 80, 44], [70, 300, 90, 55], [66, 25, 75, 22]]
    plants = [[1, 5, 6, 7], [9, 4, 8, 7], [7, 9, 8, 7], [6, 6, 6, 6]]
    return protect(make_panel(jobs, plants), groups=groups, public=["establishments"])


def true_cells(safe: Protected) -> pl.DataFrame:
    truth = safe.truth[2020].filter(pl.col("region") != "*", pl.col("code") != "*", kind="industry")
    cells = truth.select("region", pl.col("code").alias("industry"), "year", "employment", "hidden")
    return cb.location_quotient(cb.shares(cells))


def test_published_sums_and_the_protected_panel_leak_nothing(safe):
    sums = safe.sums.filter(kind="industry", region="*").select("year", pl.col("code").alias("industry"), "employment")
    assert check_output({"cells": safe.panel.frame, "industries": sums}, safe).is_empty()


@pytest.mark.parametrize("column", ["region_share", "industry_share", "lq"])
def test_a_ratio_of_a_hidden_cell_gives_it_away(safe, column):
    table = true_cells(safe).select("region", "industry", "year", column)
    found = check_output({"shares": table}, safe)
    exposed = found.filter(table="shares")
    assert set(exposed.select("region", "code").iter_rows()) == hidden_cells(safe)
    told = found.filter(pl.col("table").is_null()).row(0, named=True)
    assert (told["region"], told["code"]) == ("A", "1")
    assert told["finding"] == "can be told too closely from all that is shown together"
    assert (told["lowest"], told["highest"]) == (pytest.approx(12, abs=1e-3), pytest.approx(12, abs=1e-3))


def test_coarsely_rounded_ratios_tell_less(safe):
    table = true_cells(safe).select("region", "industry", "year", "region_share")
    fine = check_output({"shares": table}, safe, digits={"region_share": 3}).filter(pl.col("table").is_null())
    assert fine["highest"].item() - fine["lowest"].item() < 1
    coarse = check_output({"shares": table}, safe, digits={"region_share": 1}).filter(pl.col("table").is_null())
    assert coarse.is_empty()  # though the figures still stand where none should


def test_ratios_of_published_cells_are_free(safe):
    table = true_cells(safe).filter(~pl.col("hidden")).drop("hidden")
    assert check_output({"cells": table}, safe).is_empty()


def test_a_hidden_total_leaks_through_the_shares_of_its_parts():
    jobs = [[9, 0, 0], [40, 50, 70], [30, 80, 90]]
    safe = protect(make_panel(jobs, [[2, 0, 0], [5, 5, 5], [5, 5, 5]]), public=["establishments"])
    other = safe.panel.totals.filter(pl.col("employment").is_null(), pl.col("region") != "A")["region"].item()
    table = (
        true_cells(safe).filter(~pl.col("hidden"), region=other).select("region", "industry", "year", "region_share")
    )
    told = check_output({"shares": table}, safe).filter(region="A", code="*")
    assert told["highest"].item() == pytest.approx(9, abs=1e-3)
    mask = withheld(table, safe)
    assert mask["region_share"].all()


def test_ranks_and_flags_of_hidden_cells_are_reported(safe):
    table = true_cells(safe).select(
        "region", "industry", "year", rank=pl.col("employment").rank(), strong=pl.col("lq") > 1
    )
    found = check_output({"stars": table}, safe)
    assert set(found["column"]) == {"rank", "strong"}
    assert set(found["finding"]) == {"stands for a figure that must stay hidden"}


def test_withheld_names_what_rests_on_hidden_figures(safe):
    cells = true_cells(safe)
    mask = withheld(cells.drop("hidden"), safe)
    assert mask["lq"].to_list() == cells["hidden"].to_list()  # all totals are published here
    regions = pl.DataFrame(
        {"region": ["A", "B", "C", "D"], "year": [2020] * 4, "entropy": [1.0] * 4, "employment": [1.0] * 4}
    )
    mask = withheld(regions, safe)
    with_hidden = {region for region, _ in hidden_cells(safe)}
    assert mask["entropy"].to_list() == [r in with_hidden for r in "ABCD"]
    assert mask["employment"].to_list() == [False] * 4


def test_a_table_of_other_regions_is_refused(safe):
    with pytest.raises(ClusterbookError, match="knows no sum for region Z, 1, 2020"):
        check_output({"t": pl.DataFrame({"region": ["Z"], "industry": ["1"], "year": [2020], "lq": [1.0]})}, safe)
    with pytest.raises(ClusterbookError, match="knows no sum for region A, 1, 2019"):  # a year that nobody protected
        check_output({"t": pl.DataFrame({"region": ["A"], "industry": ["1"], "year": [2019], "lq": [1.0]})}, safe)


# --- through an edition -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def confidential(panel):
    """The shared toy panel with three cells in ten of one or two plants."""
    rng = np.random.default_rng(5)
    small = pl.Series(rng.random(panel.frame.height) < 0.3)
    plants = pl.Series(rng.integers(1, 3, panel.frame.height).astype(float))
    return replace(
        panel,
        frame=panel.frame.with_columns(
            establishments=pl.when(small).then(plants).otherwise(pl.col("establishments") + 3),
            payroll=pl.col("payroll"),
        ),
    )


@pytest.fixture(scope="module")
def published(confidential, definitions):
    groups = definitions.assign(confidential.industries, confidential.frame["industry"])
    return protect(confidential, groups=groups, public=["establishments"])


def test_an_edition_of_a_protected_panel_leaks_nothing(published, definitions, tmp_path):
    built = cb.build_edition(published.panel, definitions, tmp_path / "safe")
    assert published.audit.height > 100
    found = check_output({name: built.table(name) for name in built.tables}, published)
    # A flag that is false for want of plants, which are public, stands beside some hidden figures; it tells nothing.
    flags = [c for c, kind in built.table("clusters").schema.items() if kind == pl.Boolean]
    assert found.filter(~pl.col("column").is_in(flags)).is_empty()
    assert built.table("clusters").filter(pl.any_horizontal(flags), status="suppressed").is_empty()


def test_an_edition_with_only_the_confidential_cells_blanked_is_caught(confidential, published, definitions, tmp_path):
    bare = pl.col("establishments") < 3
    frame = confidential.frame.with_columns(
        pl.when(~bare).then("employment").alias("employment"),
        pl.when(~bare).then("payroll").alias("payroll"),
        pl.when(bare).then(pl.lit("suppressed", STATUS)).otherwise("status").alias("status"),
    )
    totals = confidential.frame.group_by("region", "year").agg(pl.sum("employment"))
    built = cb.build_edition(replace(confidential, frame=frame, totals=totals), definitions, tmp_path / "bare")
    found = check_output({name: built.table(name) for name in built.tables}, published)
    told = found.filter(column="employment", finding="can be told too closely from all that is shown together")
    assert told.height > 50
    truth = frame.filter(bare).join(confidential.frame, on=["region", "industry", "year"])
    truth = truth.select("region", pl.col("industry").alias("code"), "year", "employment_right")
    both = told.join(truth, on=["region", "code", "year"])
    assert both.filter(pl.col("highest") - pl.col("lowest") < 0.01).height > 10  # found exactly
    assert both["employment_right"].is_between(both["lowest"] - 0.01, both["highest"] + 0.01).all()


# --- rounding -----------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.sampled_from([3, 5]), st.integers(0, 10**6))
def test_controlled_rounding_adds_up_and_stays_next_to_each_figure(rows, columns, base, seed):
    table = np.random.default_rng(seed).integers(0, 40, (rows, columns))
    full = np.block([[table, table.sum(1, keepdims=True)], [table.sum(0, keepdims=True), table.sum(keepdims=True)]])
    rounded = controlled_rounding(table, base)
    assert (rounded % base == 0).all()
    assert (np.abs(rounded - full) < base).all()
    assert (rounded[:-1].sum(0) == rounded[-1]).all()
    assert (rounded[:, :-1].sum(1) == rounded[:, -1]).all()


def test_controlled_rounding_refuses_what_it_cannot_round():
    with pytest.raises(ClusterbookError, match=r"base of 2 or more \(here 1\)"):
        controlled_rounding([[1, 2]], base=1)
    with pytest.raises(ClusterbookError, match="values of 0 or more"):
        controlled_rounding([[1, np.nan]])


# --- the page and the docstrings ----------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["disclosure", "plants", "input_output", "shapes"])
def test_examples_in_docstrings_run(module):
    found = doctest.testmod(import_module(f"clusterbook.data.{module}"))
    assert found.attempted > 0
    assert found.failed == 0


def test_the_page_on_confidentiality_runs():
    page = Path(__file__).parents[1] / "docs" / "confidentiality.md"
    found = doctest.testfile(str(page), module_relative=False)
    assert found.attempted > 15
    assert found.failed == 0
