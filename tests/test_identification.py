"""Identification of clusters: the US rule on a known case, ties, gaps, stars, and rules of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterbook.clusters.identification import Profile, identify, load_profile, profiles
from clusterbook.errors import ClusterbookError, DataError

US_FLAGS = ["strong", "strong10", "significant", "qualifying"]
STARS = ["star_size", "star_specialisation", "star_focus"]


def table(**columns: object) -> pl.DataFrame:
    """Make a table of one traded cluster in one year, a region a row."""
    frame = pl.DataFrame(columns, strict=False)
    regions = pl.Series("region", [f"R{k}" for k in range(frame.height)])
    return frame.select(regions, pl.lit("steel").alias("cluster"), pl.lit(2019).alias("year"), pl.all()).with_columns(
        **({} if "kind" in columns else {"kind": pl.lit("traded")})
    )


def golden() -> pl.DataFrame:
    """Eight regions; only the sixth is strong. The second has a quotient of 2.9 but five jobs."""
    jobs = np.array([100, 5, 60, 0, 20, 300, 10, 40])
    traded = np.array([1000, 20, 900, 500, 400, 2000, 600, 800])
    lq = (jobs / traded) / (jobs.sum() / traded.sum())
    return table(employment=jobs, establishments=[10, 1, 5, 0, 2, 30, 3, 6], lq=lq)


# --- US Cluster Mapping ---------------------------------------------------------------------------------------------


def test_us_golden() -> None:
    found = identify(golden())
    assert found["strong"].to_list() == [False, False, False, False, False, True, False, False]
    # Over the seven regions with jobs: Q25(jobs) 15, Q25(establishments) 2.5, Q50(lq) 0.775, Q25(lq) 0.581
    # (which is that of the fifth and the last: not above it).
    assert found["significant"].to_list() == [True, False, False, False, False, True, False, False]
    assert found["qualifying"].to_list() == [True, False, True, False, False, True, False, False]
    assert found.drop(US_FLAGS).equals(golden())


def test_us_strong10_needs_the_top_tenth() -> None:
    # Q90 of 1..11 is 10, Q75 is 8.5; a quotient equal to the quantile passes.
    frame = table(employment=[50] * 10 + [9], establishments=range(11, 0, -1), lq=range(11, 0, -1))
    found = identify(frame)
    assert found["strong10"].sum() == 0, "size must exceed its lowest quarter, and here nearly all are equal"
    found = identify(frame.with_columns(employment=pl.int_range(11, 0, -1)))
    assert found["strong10"].to_list() == [True, True] + [False] * 9
    assert found["strong"].to_list() == [True, True, True] + [False] * 8


def test_us_strong_needs_a_quotient_of_one() -> None:
    frame = golden().with_columns(pl.col("lq") / 100)
    found = identify(frame)
    assert found["strong"].sum() == 0
    assert found["qualifying"].sum() == 3


def test_us_comparisons_are_strict_for_size_and_not_for_quotients() -> None:
    # Quartiles of (1, 2, 3, 4, 5): 2, 3 and 4. R1 has exactly the lowest quarter's size, R2 one more.
    frame = table(employment=[1, 2, 3, 4, 5], establishments=[5, 5, 5, 5, 1], lq=[1, 4, 4, 5, 3])
    found = identify(frame.with_columns(establishments=pl.lit(9) - pl.col("region").is_in(["R0", "R1"]) * 5))
    assert found["strong"].to_list() == [False, False, True, True, False]
    frame = table(employment=[1, 2, 3, 4, 5], establishments=[1, 2, 3, 4, 5], lq=[5, 4, 4, 1, 1])
    # Quotients: Q25 1, Q50 4, Q75 4. R2 equals the third quartile: strong; it is not above the median: not significant.
    found = identify(frame)
    assert found["strong"].to_list() == [False, False, True, False, False]
    assert found["significant"].to_list() == [False, False, False, False, False]
    assert found["qualifying"].to_list() == [False, False, True, False, False]


def test_us_identical_quotients_are_strong_but_not_qualifying() -> None:
    """The published rule mixes >= and >, so that without any spread strong is not within qualifying."""
    frame = table(employment=[10, 20, 30, 40], establishments=[1, 2, 3, 4], lq=[1.0, 1.0, 1.0, 1.0])
    found = identify(frame)
    assert found["strong"].to_list() == [False, True, True, True]
    assert not found["qualifying"].any()


def test_quantiles_are_of_each_cluster_and_year_alone() -> None:
    one = golden()
    other = golden().with_columns(pl.col("employment", "establishments") * 1000, pl.lit("toys").alias("cluster"))
    later = golden().with_columns(pl.col("employment", "establishments") * 50, pl.lit(2020).alias("year"))
    mixed = pl.concat([one, other, later], how="vertical_relaxed").sample(fraction=1, shuffle=True, seed=1)
    found = identify(mixed).filter(pl.col("strong"))
    assert sorted(found.select("region", "cluster", "year").rows()) == [
        ("R5", "steel", 2019),
        ("R5", "steel", 2020),
        ("R5", "toys", 2019),
    ]


def test_regions_without_the_cluster_do_not_move_the_quantiles() -> None:
    empty = golden()[3]
    many = pl.concat([golden(), *(empty.with_columns(pl.lit(f"E{k}").alias("region")) for k in range(30))])
    found = identify(many)
    assert found.head(8).equals(identify(golden()))
    assert not found.tail(30).select(pl.any_horizontal(US_FLAGS).any()).item()
    assert found.tail(30)["strong"].null_count() == 0


def test_local_clusters_get_no_us_flags() -> None:
    frame = golden().with_columns(kind=pl.lit("local"))
    assert identify(frame)["strong"].null_count() == 8
    unstated = golden().with_columns(kind=pl.lit(None, dtype=pl.String))
    assert identify(unstated)["strong"].equals(identify(golden())["strong"]), "no stated kind is taken as traded"


# --- gaps -----------------------------------------------------------------------------------------------------------


def test_suppressed_is_unknown_not_false() -> None:
    gap = table(employment=[None], establishments=[20], lq=pl.Series([None], dtype=pl.Float64))
    frame = pl.concat([golden(), gap.with_columns(pl.lit("gap").alias("region"))], how="vertical_relaxed")
    found = identify(frame)
    assert found.row(8, named=True)["strong"] is None
    assert found.row(8, named=True)["qualifying"] is None
    assert found.head(8).equals(identify(golden()).cast(found.schema)), "an unknown size is no part of the population"


def test_unknown_only_where_the_gap_could_change_the_answer() -> None:
    frame = golden().with_columns(
        establishments=pl.when(pl.col("region").is_in(["R4", "R5"])).then(None).otherwise("establishments")
    )
    found = identify(frame)
    assert found["strong"].to_list()[5] is None  # everything else holds
    assert found["strong"].to_list()[4] is False  # its quotient is too low in any case


def test_nan_counts_as_null() -> None:
    """Polars takes NaN for larger than every number; a quotient of NaN must not be strong."""
    frame = golden().with_columns(pl.when(region="R5").then(float("nan")).otherwise("lq").alias("lq"))
    assert identify(frame)["strong"].to_list()[5] is None


def test_nothing_known_of_a_cluster() -> None:
    frame = golden().with_columns(pl.lit(None, dtype=pl.Float64).alias("employment"))
    assert identify(frame)["qualifying"].null_count() == 8
    nowhere = golden().with_columns(employment=pl.lit(0), lq=pl.lit(0.0))
    assert identify(nowhere).select(US_FLAGS).unique().rows() == [(False, False, False, False)]


def test_without_establishments_their_conditions_are_skipped_and_it_can_be_told() -> None:
    frame = golden().drop("establishments")
    assert load_profile("uscmp").skipped(frame.columns) == ("establishments",)
    assert load_profile("uscmp").skipped(golden().columns) == ()
    found = identify(frame)
    assert found["strong"].to_list() == [False, False, False, False, False, True, False, False]
    single = golden().with_columns(establishments=pl.lit(1))
    assert not identify(single)["strong"].any(), "none is above the lowest quarter when all are equal"


def test_another_measure() -> None:
    frame = golden().rename({"employment": "gva"})
    assert identify(frame, size="gva")["strong"].equals(identify(golden())["strong"])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(1, 6), st.integers(0, 10_000)),
        unique_by=lambda row: row[2],
        min_size=2,
    )
)
def test_strong10_within_strong_within_qualifying(rows: list[tuple[int, int, int]]) -> None:
    jobs, plants, lq = zip(*rows, strict=True)
    found = identify(table(employment=jobs, establishments=plants, lq=[value / 1000 for value in lq]))
    assert found.filter(pl.col("strong10") & ~pl.col("strong")).is_empty()
    assert found.filter(pl.col("strong") & ~pl.col("significant")).is_empty()
    assert found.filter(pl.col("significant") & ~pl.col("qualifying")).is_empty()
    assert found.filter((pl.col("employment") == 0) & pl.any_horizontal(US_FLAGS)).is_empty()


# --- European Cluster Observatory -----------------------------------------------------------------------------------


def stars_table() -> pl.DataFrame:
    """Twenty regions of sizes 1 to 20: the top tenth begins at 18.1."""
    sizes = [*range(1, 21)]
    return table(
        employment=sizes,
        lq_all=[2.0, 1.9999] + [0.5] * 17 + [3.0],
        region_share=[0.3, 0.2] + [0.01] * 18,
        kind=["local"] * 20,
    )


def test_stars() -> None:
    found = identify(stars_table(), "eco2008")
    assert [found.filter(name)["region"].to_list() for name in STARS] == [["R18", "R19"], ["R0", "R19"], ["R0", "R1"]]
    assert found["stars"].to_list() == [2, 1] + [0] * 16 + [1, 2]


def test_ties_at_the_cut_all_pass() -> None:
    sizes = [1] * 15 + [7] * 3 + [7, 9]
    found = identify(stars_table().with_columns(employment=pl.Series(sizes)), "eco2008")
    assert found["star_size"].to_list() == [False] * 15 + [True] * 5
    below = [1] * 16 + [6, 6, 9, 9]
    found = identify(stars_table().with_columns(employment=pl.Series(below)), "eco2008")
    assert found["star_size"].to_list() == [False] * 18 + [True] * 2


def test_floor_withholds_stars_without_moving_the_cut() -> None:
    floored = load_profile("eco2008").model_copy(update={"minimum_size": 20})
    found = identify(stars_table(), floored)
    assert found["stars"].to_list() == [0] * 19 + [2]


def test_unknown_star_makes_their_number_unknown() -> None:
    frame = stars_table().with_columns(region_share=pl.when(pl.col("region") != "R0").then("region_share"))
    row = identify(frame, "eco2008").row(0, named=True)
    assert (row["star_size"], row["star_specialisation"], row["star_focus"], row["stars"]) == (False, True, None, None)


# --- profiles -------------------------------------------------------------------------------------------------------


def test_bundled_profiles() -> None:
    found = {profile.id: profile for profile in profiles()}
    assert list(found) == ["uscmp", "eco2008", "panorama2016", "eocic2020"]
    assert [flag.name for flag in found["uscmp"].flags] == US_FLAGS
    assert [flag.name for flag in found["eco2008"].flags] == STARS
    assert found["uscmp"].verified
    assert not found["eco2008"].verified
    assert [flag.verified for flag in found["eco2008"].flags] == [True, False, False]
    assert Profile.model_validate(found["uscmp"].model_dump(mode="json")) == found["uscmp"]


OWN = """
- id: mine
  title: Mine
  source: Ministry
  note: Own rule
  applies_to: all
  population: {indicator: size, op: ">", value: 0}
  quantiles: lower
  flags:
    - name: big
      title: Big
      rule: At least the median.
      verified: true
      conditions:
        - {indicator: size, op: ">=", quantile: 0.5}
        - {indicator: wage, op: ">", value: 30}
"""


def test_rules_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(OWN, encoding="utf-8")
    frame = table(employment=[1, 2, 3, 4], wage=[99, 99, 30, 99])
    assert identify(frame, path)["big"].to_list() == [False, True, False, True]  # lower median: 2
    assert identify(frame, str(path))["big"].to_list() == [False, True, False, True]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: Big", "titel: Big", r"(?s)0\.flags\.0\.title.*Field required.*titel.*not permitted"),
        ("op: \">=\"", "op: \"=\"", r"0\.flags\.0\.conditions\.0\.op.*should be '>' or '>='"),
        ("quantile: 0.5", "quantile: 50", r"conditions\.0\.quantile.*less than or equal to 1"),
        ("quantile: 0.5", "value: 1, quantile: 0.5", "either a value or a quantile"),
        (", quantile: 0.5", "", "either a value or a quantile"),
        ("value: 0}", "quantile: 0.1}", "population is a comparison with a value"),
        ("- id: mine", "- id: [mine", "YAML"),
        ("name: big", "name: Big one", r"line 10, column '0\.flags\.0\.name', value 'Big one': String should match"),
        ("indicator: wage", "indicator: big", "big is used twice or read by a rule"),
        ("quantiles: lower", "count: big", "big is used twice or read by a rule"),
    ],
)  # fmt: skip
def test_faulty_rules_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(OWN.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        load_profile(path)
    assert "mine.yaml" in str(caught.value)
    assert "Compare with the bundled profiles.yaml" in str(caught.value)


def test_every_fault_of_a_profile_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(OWN.replace("applies_to: all", "applies_to: some").replace('op: ">="', "op: is"), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_profile(path)
    assert [(problem.line, problem.column, problem.value) for problem in caught.value.problems] == [
        (6, "0.applies_to", "some"),
        (15, "0.flags.0.conditions.0.op", "is"),
    ]
    path.write_bytes(b"- id: caf\xe9\n")
    with pytest.raises(DataError, match="Save the file as UTF-8"):
        load_profile(path)


def test_panorama_stars_are_the_highest_fifth() -> None:
    """Eleven regions 0 to 10: the 80th percentile is 8, so that three have each star."""
    ladder = list(range(1, 12))
    frame = table(employment=ladder, lq_all=ladder[::-1], wage=ladder, growth=[0.1] * 10 + [None])
    found = identify(frame, "panorama2016")
    assert found["panorama_size"].to_list() == [False] * 8 + [True] * 3
    assert found["panorama_specialisation"].to_list() == [True] * 3 + [False] * 8
    assert found["panorama_growth"].to_list() == [True] * 10 + [None], "all equal to the quantile; one not known"
    assert found["panorama_stars"].to_list() == [2, 2, 2, 1, 1, 1, 1, 1, 3, 3, None]


def test_a_star_without_its_column_is_not_known() -> None:
    ladder = list(range(1, 12))
    frame = table(employment=ladder, lq_all=ladder)
    found = identify(frame, "panorama2016")
    assert load_profile("panorama2016").skipped(frame.columns) == ("wage", "growth")
    assert found["panorama_size"].sum() == 3
    assert found["panorama_productivity"].null_count() == 11
    assert found["panorama_stars"].null_count() == 11
    assert identify(frame, "eocic2020")["eocic_innovation"].null_count() == 11


def test_unread_rules_say_so() -> None:
    for name in ("panorama2016", "eocic2020"):
        profile = load_profile(name)
        assert not any(flag.verified for flag in profile.flags)
        assert "Assumed" in profile.note


def test_missing_or_several_profiles(tmp_path: Path) -> None:
    with pytest.raises(
        ClusterbookError,
        match=r"no profile and no file 'us'\. Bundled profiles: uscmp, eco2008, panorama2016, eocic2020",
    ):
        load_profile("us")
    path = tmp_path / "two.yaml"
    path.write_text(OWN + OWN, encoding="utf-8")
    with pytest.raises(ClusterbookError, match="holds 2 profiles"):
        load_profile(path)


def test_unfit_tables_are_refused() -> None:
    with pytest.raises(ClusterbookError, match=r"Profile 'uscmp' needs 'lq', 'kind'\. The table has"):
        identify(golden().drop("kind", "lq"))
    with pytest.raises(ClusterbookError, match=r"needs 'lq_all', 'region_share'\. The table has: region, cluster"):
        identify(golden(), "eco2008")
    with pytest.raises(ClusterbookError, match=r"needs 'employment'.*size="):
        identify(golden().rename({"employment": "jobs"}))
    with pytest.raises(ClusterbookError, match=r"16 rows share .* \(region R0, cluster steel, year 2019\)"):
        identify(pl.concat([golden(), golden()]))
