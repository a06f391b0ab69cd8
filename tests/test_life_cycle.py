"""The life cycle: simulated paths of known stages, properties of the rule, real histories, judgements."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import life_cycle_simulation as simulation
from clusterbook.clusters.life_cycle import (
    STAGES,
    latest_stages,
    life_cycle,
    read_judgements,
    with_judgements,
)
from clusterbook.data import samples
from clusterbook.errors import ClusterbookError, DataError

ECONOMY = simulation.ECONOMY
PROBABILITIES = [f"p_{stage}" for stage in STAGES]


def path(sizes, years=None, **columns):
    """One cluster of one region, with an economy that stands still and a quotient of 2."""
    years = list(range(2000, 2000 + len(sizes))) if years is None else years
    table = {"region": "A", "cluster": "c", "year": years, "employment": sizes, "lq": 2.0}
    return pl.DataFrame(table | columns, schema_overrides={"employment": pl.Float64}, strict=False)


def stages(frame, **arguments):
    return life_cycle(frame, **{"economy": ECONOMY} | arguments)


def grown(start, *spells):
    """Sizes that grow by each rate for so many years."""
    rates = [rate for rate, years in spells for _ in range(years)]
    return (start * np.cumprod([1.0, *(1 + rate for rate in rates)])).tolist()


# --- known stages -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noise", "shocks", "every", "right", "away"),
    [(0, 0, 1, 0.93, 0.97), (0.05, 0, 1, 0.86, 0.92), (0.05, 0.04, 1, 0.79, 0.86), (0.02, 0.02, 5, 0.78, None)],
)
def test_stages_of_simulated_paths_are_found(noise, shocks, every, right, away):
    years = 25 if every == 1 else 40
    found = simulation.staged(simulation.simulate(600, years=years, noise=noise, shocks=shocks, every=every, seed=5))
    assert simulation.accuracy(found) > right
    if away is not None:
        assert simulation.accuracy(simulation.away_from_turns(found)) > away
    assert found["stage"].is_not_null().mean() > 0.9


def test_probabilities_come_true():
    found = simulation.staged(simulation.simulate(900, noise=0.05, shocks=0.04, seed=6)).drop_nulls("stage")
    bands = (
        found.with_columns(band=(pl.col("stage_probability") * 5).floor(), hit=pl.col("stage") == pl.col("truth"))
        .group_by("band")
        .agg(pl.col("stage_probability").mean(), pl.col("hit").mean(), pl.len())
        .filter(pl.col("len") > 500)
    )
    assert bands.height >= 3
    assert (bands["stage_probability"] - bands["hit"]).abs().max() < 0.1


@pytest.mark.parametrize(
    ("spells", "lq", "stage"),
    [
        ([(0.08, 15)], 0.3, "emerging"),
        ([(0.08, 15)], 2.0, "developing"),
        ([(0.0, 15)], 0.3, "agglomeration"),
        ([(0.0, 15)], 2.0, "mature"),
        ([(-0.08, 15)], 2.0, "decline"),
        ([(-0.08, 15)], 0.3, "decline"),
        ([(-0.08, 10), (0.08, 10)], 2.0, "renewal"),
        ([(0.0, 10), (0.08, 10)], 2.0, "developing"),
    ],
)
def test_each_stage_has_its_course(spells, lq, stage):
    last = stages(path(grown(500, *spells), lq=lq)).tail(1)
    assert last["stage"].item() == stage
    assert last["stage_probability"].item() > 0.6


def test_transformation_is_seen_by_variety_only():
    sizes = grown(500, (0.0, 15))
    varied = [2.0 * 1.06**t for t in range(16)]
    assert stages(path(sizes, variety=varied))["stage"][-1] == "transformation"
    assert stages(path(sizes, variety=2.0))["stage"][-1] == "mature"
    assert stages(path(sizes))["p_transformation"].max() < 1e-9
    assert stages(path(sizes, variety=varied))["variety_growth"][8] == pytest.approx(np.log(1.06))


def test_net_entry_supports_growth_and_speaks_against_decline():
    rng = np.random.default_rng(2)
    sizes = 500 * np.exp(0.02 * np.arange(12) + rng.normal(0, 0.03, 12))
    plants = {"establishments": [100.0] * 12}
    flows = {"in": {"entries": 20.0, "exits": 2.0}, "out": {"entries": 2.0, "exits": 20.0}}
    grows = {name: stages(path(sizes, **plants, **flow))["p_developing"][-1] for name, flow in flows.items()}
    assert grows["in"] > stages(path(sizes, **plants))["p_developing"][-1] > grows["out"]
    assert stages(path(sizes, **plants, **flows["in"]))["net_entry"].to_list() == [None, *[pytest.approx(0.18)] * 11]


def test_without_counts_the_change_of_the_stock_is_the_net_entry_a_year():
    found = stages(path([500.0] * 5, years=[1990, 1995, 2000, 2005, 2010], establishments=[100, 150, 150, 150, 120]))
    assert found["net_entry"].to_list() == [None, pytest.approx(0.1), 0.0, 0.0, pytest.approx(-0.04)]


def test_few_plants_make_growth_uncertain():
    sizes = grown(500, (0.03, 15))
    many, few = (stages(path(sizes, establishments=n)).tail(1) for n in (2000.0, 3.0))
    assert few["growth_relative_error"].item() > 3 * many["growth_relative_error"].item()


def test_growth_is_measured_against_the_economy():
    inflated = dict(zip(range(2000, 2021), grown(1e6, (0.10, 20)), strict=True))
    found = stages(path(grown(500, (0.10, 20))), economy=inflated)
    assert found["stage"].to_list() == ["mature"] * 21
    assert found["growth_relative"].abs().max() < 1e-9


def test_the_economy_is_what_the_table_adds_up_to_whatever_is_missing():
    rows = [
        (region, cluster, year, 100.0 * (1.05 ** (year - 2000) if region == "A" and cluster == "x" else 1.0))
        for region in "ABCD"
        for cluster in "xyz"
        for year in range(2000, 2015)
    ]
    whole = pl.DataFrame(rows, schema=["region", "cluster", "year", "employment"], orient="row")
    hidden = (pl.col("region") == "D") & (pl.col("year") == 2007)
    gapped = whole.with_columns(pl.when(~hidden).then("employment").alias("employment"))
    ours = pl.col("region") == "A", pl.col("cluster") == "x"
    full, part = (life_cycle(frame).filter(*ours)["growth_relative"] for frame in (whole, gapped))
    assert (full - part).abs().max() < 2e-3
    assert life_cycle(whole).filter(*ours)["national_share"][0] == 0.25
    assert life_cycle(gapped).filter(*ours)["national_share"][7] is None


# --- no stage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("years", "told"),
    [
        ([2000, 2001, 2002, 2003, 2004], True),
        ([2000, 2001, 2002, 2003], False),
        ([2000, 2002, 2004, 2006], False),
        ([2000, 2005, 2010], True),
        ([2000, 2004, 2008], False),
        ([2000, 2010], False),
    ],
)
def test_too_few_years_have_no_stage(years, told):
    found = stages(path([500.0] * len(years), years=years))
    assert found["stage"].is_not_null().all() == told
    if not told:
        covered = years[-1] - years[0] + 1
        reason = f"too few years: {len(years)} with a figure, {covered} from first to last"
        assert found["stage_reason"].to_list() == [reason] * len(years)
        assert found[PROBABILITIES].null_count().sum_horizontal().item() == 7 * len(years)


def test_a_suppressed_year_is_a_gap_and_no_exit():
    sizes = [500.0] * 12
    found = stages(path([*sizes[:5], None, None, *sizes[7:]]))
    assert found["stage"].to_list() == ["mature"] * 5 + [None] * 2 + ["mature"] * 5
    assert found["stage_reason"][5] == "no figure for this year: suppressed or not collected"
    assert found["growth_relative"][4] == pytest.approx(0)


def test_a_year_of_zero_has_nothing_to_stage():
    found = stages(path([0.0, 0.0, *[500.0] * 8, 0.0]))
    assert found["stage_reason"].to_list() == ["nothing there in this year"] * 2 + [None] * 8 + [
        "nothing there in this year"
    ]


def test_small_clusters_are_left_out_on_request():
    found = stages(path(grown(8, (0.05, 10))), minimum_size=10)
    assert found["stage_reason"].to_list() == ["too small: below 10"] * 5 + [None] * 6


def test_a_classification_break_is_not_growth():
    sizes = [*[500.0] * 8, *[200.0] * 8]
    assert "decline" in stages(path(sizes))["stage"].to_list()
    found = stages(path(sizes), breaks=[2008])
    assert found["stage"].to_list() == ["mature"] * 16
    short = stages(path(sizes[:10]), breaks=[2008])
    assert short["stage_reason"][-1] == (
        "too few years: 2 with a figure, 2 from first to last, next to the break of 2008"
    )
    assert short["stage"][:8].to_list() == ["mature"] * 8


def test_figures_that_fit_several_stages_have_probabilities_but_no_stage():
    rng = np.random.default_rng(0)
    found = stages(path(500 * np.exp(rng.normal(0, 1.0, 8)), lq=1.0))
    unclear = found.filter(pl.col("stage_reason") == "not clear: the figures fit several stages")
    assert unclear.height > 0
    assert unclear[PROBABILITIES].sum_horizontal().to_list() == pytest.approx([1.0] * unclear.height)
    assert stages(path(500 * np.exp(rng.normal(0, 1.0, 8))), least_probability=0)["stage_reason"].null_count() == 8


# --- properties -------------------------------------------------------------------------------------------------------

sizes_and_gaps = st.lists(
    st.lists(st.one_of(st.none(), st.floats(0, 1e6), st.just(0.0)), min_size=9, max_size=9), min_size=1, max_size=4
)


def frame_of(paths):
    rows = [
        (f"r{k // 2}", f"c{k % 2}", 2000 + t, size) for k, sizes in enumerate(paths) for t, size in enumerate(sizes)
    ]
    schema = {"region": pl.String, "cluster": pl.String, "year": pl.Int64, "employment": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


@settings(deadline=None, max_examples=60)
@given(sizes_and_gaps, st.data())
def test_any_gaps_give_sound_rows(paths, data):
    frame = frame_of(paths)
    keep = data.draw(st.lists(st.booleans(), min_size=frame.height, max_size=frame.height))
    frame = frame.filter(pl.Series(keep)) if any(keep) else frame
    found = life_cycle(frame)
    assert_frame_equal(found.select("region", "cluster", "year"), frame.select("region", "cluster", "year"))
    assert (found["stage"].is_null() == found["stage_reason"].is_not_null()).all()
    floats = found.select(pl.selectors.float())
    assert not floats.select(pl.any_horizontal(pl.all().is_nan().any())).item()
    sums = found.drop_nulls("p_mature").select(pl.sum_horizontal(PROBABILITIES)).to_series()
    assert (sums - 1).abs().max() is None or (sums - 1).abs().max() < 1e-9
    assert latest_stages(found).height == found.select("region", "cluster").n_unique()


@settings(deadline=None, max_examples=25)
@given(st.floats(1e-3, 1e5), st.integers(0, 10_000))
def test_the_unit_of_the_size_does_not_matter(factor, seed):
    frame = simulation.simulate(8, noise=0.05, seed=seed).drop("truth", "lq")
    scaled = frame.with_columns(pl.col("employment") * factor)
    first, second = (life_cycle(table, economy=None) for table in (frame, scaled))
    columns = ["growth_relative", "growth_relative_error", *PROBABILITIES]
    assert_frame_equal(first.select(columns), second.select(columns), abs_tol=1e-5)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_no_stage_lasts_for_a_single_observation(seed):
    frame = simulation.simulate(12, noise=0.08, shocks=0.05, seed=seed).drop("truth")
    found = stages(frame, least_probability=0)
    for _, rows in found.group_by("region"):
        runs = rows["stage"].rle().struct.field("len").to_list()
        assert min(runs) >= 2


def test_a_single_odd_year_does_not_switch_the_stage():
    sizes = [500.0] * 9 + [380.0] + [500.0] * 9
    assert stages(path(sizes))["stage"].unique().to_list() == ["mature"]


def test_rows_come_back_sorted_whatever_their_order_and_type():
    frame = path(grown(500, (0.05, 9)))
    found = stages(frame.sample(fraction=1, shuffle=True, seed=3).with_columns(pl.col("year").cast(pl.Int32)))
    assert_frame_equal(found.drop("year"), stages(frame).drop("year"))
    numbered = stages(frame.with_columns(region=pl.lit(7)))
    assert numbered["region"].to_list() == [7] * 10


# --- last year --------------------------------------------------------------------------------------------------------


def test_the_last_year_says_since_when_and_why():
    frame = pl.concat([path(grown(500, (0.08, 10), (0.0, 10))), path([500.0] * 3).with_columns(region=pl.lit("B"))])
    long, short = latest_stages(stages(frame)).iter_rows(named=True)
    assert (long["year"], long["stage"]) == (2020, "mature")
    assert 2008 <= long["since"] <= 2012
    assert long["because"].startswith("against the economy +0.0% a year (s.e. ")
    assert long["because"].endswith("), location quotient 2.00")
    assert short["since"] is None
    assert short["because"] == short["stage_reason"] == "too few years: 3 with a figure, 3 from first to last"


def test_reasons_name_every_fact_there_is():
    found = latest_stages(
        stages(
            path(
                grown(500, (-0.051, 12)),
                lq=0.456,
                establishments=50.0,
                entries=1.0,
                exits=3.0,
                variety=[2.0 * 0.99**t for t in range(13)],
            )
        )
    )
    assert found["stage"].item() == "decline"
    assert found["because"].item().startswith("against the economy -5.2% a year (s.e. ")
    assert found["because"].item().endswith("location quotient 0.46, net entry -4.0% a year, variety -1.0% a year")


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (pl.col("employment").alias("jobs"), {"size": "emp"}, r"No column 'emp'\. The table has 'region'"),
        (pl.col("year").cast(pl.String), {}, "Cast the column 'year' to integers"),
        (pl.col("employment").cast(pl.String), {}, "Column 'employment' is of type String"),
        (-pl.col("employment"), {}, "'employment' is negative or infinite in 6 rows .region A, cluster c, year 2000"),
        (pl.lit(2000).alias("year"), {}, "rows repeat the keys of others .region A, cluster c, year 2000"),
        (pl.lit(None, pl.String).alias("region"), {}, "A region, cluster or year is empty"),
        (pl.lit(1).alias("other"), {"economy": {2000: 1.0}}, "economy lacks the years 2001, 2002"),
        (pl.lit(1).alias("other"), {"threshold": 2}, "threshold=2 is growth a year as a fraction"),
        (pl.lit(1).alias("other"), {"specialised": 0}, "specialised=0 is no location quotient"),
        (pl.lit(1).alias("other"), {"minimum_size": -1}, "minimum_size=-1 is no size"),
        (pl.lit(1).alias("other"), {"least_probability": 40}, "least_probability=40 is no probability"),
    ],
)
def test_bad_input_gets_one_clear_error(change, arguments, message):
    with pytest.raises(ClusterbookError, match=message):
        stages(path([500.0] * 6).with_columns(change), **arguments)


def test_a_table_without_rows_is_refused():
    with pytest.raises(ClusterbookError, match="no rows"):
        stages(path([]))


# --- judgements -------------------------------------------------------------------------------------------------------


def judged(*rows):
    return pl.DataFrame(rows, schema=["region", "cluster", "year", "stage", "who", "reason"], orient="row")


def test_judgements_stand_beside_the_computed_stage():
    found = stages(path([500.0] * 10))
    said = read_judgements(
        judged(("A", "c", 2003, "Mature", "board", "firms"), ("A", "c", 2006, "decline", "chamber", "orders"))
    )
    both = with_judgements(found, said)
    assert_frame_equal(both.select(found.columns), found)
    assert both["judged_stage"].to_list() == [None] * 3 + ["mature"] * 3 + ["decline"] * 4
    assert both["judged_differs"].to_list() == [None] * 3 + [False] * 3 + [True] * 4
    assert both["judged_year"].to_list() == [None] * 3 + [2003] * 3 + [2006] * 4
    last = latest_stages(both)
    assert last.select("stage", "judged_stage", "judged_by", "judged_reason").row(0) == (
        "mature",
        "decline",
        "chamber",
        "orders",
    )


def test_a_judgement_of_what_has_no_computed_stage_does_not_differ():
    both = with_judgements(stages(path([500.0] * 3)), read_judgements(judged(("A", "c", 2001, "mature", "w", "r"))))
    assert both["judged_stage"].to_list() == [None, "mature", "mature"]
    assert both["stage"].null_count() == both["judged_differs"].null_count() == 3


def test_bad_judgements_are_reported_together(tmp_path):
    file = tmp_path / "judgements.csv"
    file.write_text(
        "region,cluster,year,stage,who,reason\n"
        "A,c,2003,matur,board,firms\n"
        "A,c,20x3,mature,board,firms\n"
        "A,c,2004,mature,,firms\n"
        "A,d,2005,decline,board,orders\n"
        "A,d,2005,mature,board,orders\n"
    )
    with pytest.raises(DataError) as caught:
        read_judgements(file)
    text = str(caught.value)
    assert "judgements.csv: 4 problems found" in text
    assert "line 2, column 'stage', value 'matur': not a stage (did you mean 'mature'?)" in text
    assert "Remedy: Write one of agglomeration, emerging, developing, mature, transformation, decline, renewal." in text
    assert "line 3, column 'year', value '20x3': not a whole year" in text
    assert "line 4, column 'who': empty" in text
    assert "line 6: same region 'A', cluster 'd', year 2005 as line 5" in text


def test_judgements_need_their_columns():
    with pytest.raises(DataError, match=r"no column 'reason' for reason.*\n.*Remedy: Judgements need the columns"):
        read_judgements(judged(("A", "c", 2003, "mature", "w", "r")).drop("reason"))


def test_judgements_of_nothing_are_refused():
    said = read_judgements(judged(("B", "c", 2003, "mature", "w", "r"), ("A", "c", 2030, "mature", "w", "r")))
    with pytest.raises(DataError) as caught:
        with_judgements(stages(path([500.0] * 10)), said)
    assert "value 'B, c, 2003': there is no such region and cluster" in str(caught.value)
    assert "value 'A, c, 2030': the table ends in 2009" in str(caught.value)


# --- real histories ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def new_zealand():
    return by_name(samples.nz_urban_areas(), "employment")


@pytest.fixture(scope="module")
def united_kingdom():
    return by_name(samples.uk_regions(), "gva")


def by_name(panel, size):
    found = life_cycle(panel.frame.rename({"industry": "cluster"}), size)
    return found.with_columns(pl.col("region").replace_strict(panel.regions.names()), pl.col("stage").cast(pl.String))


#: Places chosen for being well known, years within the spell. What does not come out: docs/life-cycle.md.
NEW_ZEALAND = [
    ("Christchurch", "CC212", (1991, 1996, 2001, 2006), "decline", "clothing lost its tariffs and quotas after 1984"),
    ("Levin", "CC212", (1991, 1996, 2001, 2006), "decline", "the knitting town: the same"),
    ("Dunedin", "CC211", (1986, 1991, 1996, 2001), "decline", "woollen mills; Mosgiel went into receivership in 1980"),
    ("Patea", "CC1_", (1981, 1986), "decline", "the freezing works closed in 1982"),
    ("Hastings Zone", "CC1_", (1976, 1981), "mature", "Whakatu and Tomoana at full strength"),
    ("Hastings Zone", "CC1_", (1991, 1996), "decline", "Whakatu closed in 1986, Tomoana in 1994"),
    ("Moerewa", "CC1_", (1986, 1991, 1996), "decline", "the Affco works laid off most of its people"),
    ("Lower Hutt Zone", "CC811", (1986, 1991, 1996), "decline", "car assembly closed, railway workshops shrank"),
    ("Porirua Zone", "CC811", (1991, 1996, 2001), "decline", "Todd, later Mitsubishi, closed in 1998"),
    ("Thames", "CC811", (1991, 1996, 2001), "decline", "Toyota's plant stopped assembling in 1998"),
    ("Upper Hutt Zone", "CC5_", (1991, 1996, 2001, 2006), "decline", "tyres: Dunlop closed in 2006"),
    ("Murupara", "AA211", (1986, 1991, 1996, 2001), "decline", "the Forest Service was turned into firms in 1987"),
    ("Kawerau", "CC321", (1986, 1991, 1996, 2001), "decline", "the Tasman mill cut jobs after its strike of 1986"),
    ("Huntly", "BB11_", (1991, 1996), "decline", "State Coal became Coalcorp in 1987"),
    ("Taumarunui", "II121", (1986, 1991, 1996), "decline", "the railway town"),
    ("Waiouru", "OO21_", (1991, 1996, 2001, 2006), "decline", "the army camp was emptied by and by"),
    ("Te Puke Community", "AA111", (1976, 1981), "developing", "the rush into kiwifruit"),
    ("Blenheim", "CC151", (1991, 1996, 2001, 2006), "developing", "Marlborough wine"),
    ("Queenstown", "GH21_", (1986, 1991, 1996), "developing", "tourism"),
    ("Wanaka", "GH21_", (1991, 1996, 2001), "developing", "tourism came a little later"),
    ("Kaikoura", "GH21_", (1991, 1996), "developing", "watching whales began in 1987"),
    ("Ashburton", "AA131", (2001, 2006), "developing", "dairying came to Canterbury with irrigation"),
    ("Central Auckland Zone", "MN11_", (1986, 1991, 1996, 2001), "developing", "business services after reform"),
]
UNITED_KINGDOM = [
    ("Scottish Borders", "CB (13-15)", (2000, 2004, 2008), "decline", "tweed and knitwear"),
    ("East Lancashire", "CB (13-15)", (2000, 2004), "decline", "what was left of cotton"),
    ("Leicester", "CB (13-15)", (2001, 2004), "decline", "hosiery, before its return as fast fashion"),
    ("Nottingham", "CB (13-15)", (1999, 2001, 2004), "decline", "lace and hosiery"),
    ("Stoke-on-Trent", "CD-CG (19-23)", (2000, 2004, 2008), "decline", "potteries moved production to Asia"),
    (
        "Inverclyde, East Renfrewshire, and Renfrewshire",
        "CI-CJ (26-27)",
        (2000, 2004, 2008),
        "decline",
        "Silicon Glen: IBM at Greenock",
    ),
    ("Luton", "CK-CL (28-30)", (2001, 2003, 2005), "decline", "Vauxhall built its last car there in 2002"),
    ("Coventry", "CK-CL (28-30)", (2003, 2005, 2007), "decline", "Browns Lane closed in 2005, Ryton in 2006"),
    ("Coventry", "CK-CL (28-30)", (2011, 2013), "renewal", "Jaguar Land Rover under Tata"),
    ("Solihull", "CK-CL (28-30)", (2010, 2012), "renewal", "the same"),
    ("Swindon", "CK-CL (28-30)", (2019, 2021), "decline", "Honda closed in 2021"),
    ("South Teesside", "CH (24-25)", (2014, 2016), "decline", "the steelworks of Redcar closed in 2015"),
    (
        "Aberdeen City and Aberdeenshire",
        "AB (1-9)",
        (2014, 2016, 2018),
        "decline",
        "oil at half its price, in an old field",
    ),
    ("Camden and City of London", "61-63", (2008, 2014, 2020), "developing", "IT"),
    ("Camden and City of London", "64", (2002, 2010, 2018), "mature", "banks in the City"),
    ("Tower Hamlets", "64", (2004, 2006), "developing", "Canary Wharf filled up before the crisis"),
    ("Berkshire", "61-63", (2002, 2008, 2014), "mature", "the Thames Valley"),
    ("Greater Manchester South West", "58-60", (2010, 2012), "emerging", "the BBC moved to Salford from 2011"),
    ("Greater Manchester South West", "58-60", (2016, 2019), "developing", "and brought others along"),
    ("West Northamptonshire", "52", (2014, 2018, 2022), "developing", "warehouses in the middle of England"),
]


def check_history(found, region, cluster, years, stage):
    rows = found.filter(pl.col("region") == region, pl.col("cluster") == cluster, pl.col("year").is_in(years))
    assert rows["stage"].to_list() == [stage] * len(years)


@pytest.mark.parametrize(("region", "cluster", "years", "stage", "why"), NEW_ZEALAND)
def test_histories_of_new_zealand(new_zealand, region, cluster, years, stage, why):
    check_history(new_zealand, region, cluster, years, stage)


@pytest.mark.parametrize(("region", "cluster", "years", "stage", "why"), UNITED_KINGDOM)
def test_histories_of_the_united_kingdom(united_kingdom, region, cluster, years, stage, why):
    check_history(united_kingdom, region, cluster, years, stage)
