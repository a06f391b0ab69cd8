"""Definitions from input-output tables: templates, maximisation, chains, minimal flows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clusterbook.clusters.comparison import compare_definitions
from clusterbook.clusters.definitions import ClusterDefinitions
from clusterbook.clusters.discovery import gather_evidence
from clusterbook.clusters.editing import mean_score, score_definitions
from clusterbook.clusters.templates import (
    _cut,
    chain_definitions,
    compared_trade,
    feser_bergman_definitions,
    hoen_definitions,
    minimal_flow_definitions,
)
from clusterbook.data.industries import Industries
from clusterbook.data.input_output import InputOutput
from clusterbook.data.panel import STATUS, Panel, Source
from clusterbook.data.regions import Regions
from clusterbook.data.samples import us_input_output
from clusterbook.errors import ClusterbookError, DefinitionError

ROADS = [feser_bergman_definitions, hoen_definitions, chain_definitions, minimal_flow_definitions]


def three_blocks(size: int = 4, hub: float = 1.3) -> InputOutput:
    """Three groups A, B, C of industries that trade among themselves, ``hub`` times as much with their first."""
    rng = np.random.default_rng(1)
    n = 3 * size
    block = np.arange(n) // size
    flows = np.where(block[:, None] == block, rng.uniform(50, 60, (n, n)), rng.uniform(0, 1, (n, n)))
    first = np.arange(n) % size == 0
    flows *= np.where(first[:, None] | first, hub, 1.0)
    np.fill_diagonal(flows, 30.0)
    names = tuple(f"{'ABC'[k // size]}{k % size}" for k in range(n))
    return InputOutput(flows, flows.sum(axis=1) + 40, np.zeros(n), names, Source("toy", "Toy table"))


def with_idle(table: InputOutput) -> InputOutput:
    """Add as many industries that trade with nobody: profiles of three groups alone have but two dimensions."""
    n = len(table.industries)
    flows = np.zeros((2 * n, 2 * n))
    flows[:n, :n] = table.flows
    names = (*table.industries, *(f"X{k:02d}" for k in range(n)))
    return InputOutput(flows, np.append(table.output, np.full(n, 5.0)), np.zeros(2 * n), names, table.source)


def groups(definitions: ClusterDefinitions) -> set[str]:
    """The clusters as sorted words of the first letters of their members."""
    named = definitions.members.sort("industry").group_by("cluster").agg(pl.col("industry").str.slice(0, 1))
    return {"".join(letters) for letters in named["industry"]}


def toy_panel(table: InputOutput) -> Panel:
    """Regions 0 to 11; industries of a group share regions; one, 'shops', is everywhere alike."""
    rng = np.random.default_rng(2)
    rows = []
    for region in range(12):
        for code in table.industries:
            jobs = 900 if "ABC".index(code[0]) == region % 3 else 20
            rows.append(
                (f"r{region:02d}", code, 2020, jobs + int(rng.integers(0, 9)), jobs // 10 + int(rng.integers(0, 3)))
            )
        rows.append((f"r{region:02d}", "shops", 2020, 500, 100))
    schema = {
        "region": pl.String,
        "industry": pl.String,
        "year": pl.Int32,
        "employment": pl.Float64,
        "establishments": pl.Float64,
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(status=pl.lit("disclosed", STATUS))
    return Panel(
        frame.sort("region", "industry", "year"),
        Source("toy-panel", "Toy panel"),
        Regions.from_codes(frame["region"]),
        Industries.from_codes(frame["industry"]),
    )


@pytest.mark.parametrize("road", [feser_bergman_definitions, hoen_definitions, minimal_flow_definitions])
def test_blocks_that_trade_among_themselves_are_found(road: object) -> None:
    # a hub trades otherwise than its group does
    table = with_idle(three_blocks(hub=1.0)) if road is feser_bergman_definitions else three_blocks()
    found = road(table)  # type: ignore[operator]
    assert groups(found) == {"AAAA", "BBBB", "CCCC"}
    assert found.clusters["cluster"].to_list() == ["t01", "t02", "t03"]
    assert found.clusters["kind"].unique().to_list() == ["traded"]
    assert (found.clusters["within"] > found.clusters["between"]).all()
    assert found.members["size"].sum() == pytest.approx(table.output[:12].sum())


def test_templates_overlap_and_weights_add_up_to_at_most_one() -> None:
    table = with_idle(three_blocks(hub=1.0))
    flows = table.flows.copy()
    flows[:, 0] = (flows[:, 1] + flows[:, 5]) / 2  # A0 buys as A and as B do
    flows[0, :] = (flows[1, :] + flows[5, :]) / 2
    both = InputOutput(flows, table.output, table.imports, table.industries, table.source)
    found = feser_bergman_definitions(both)
    shared = found.members.filter(industry="A0")
    assert shared.height == 2
    assert shared["weight"].sum() == pytest.approx(1.0)
    loadings = found.tables["loadings"].filter(industry="A0").sort("cluster")
    squares = loadings["loading"] ** 2
    assert shared.sort("cluster")["weight"].to_list() == pytest.approx((squares / squares.sum()).to_list())


def test_a_secondary_member_alone_belongs_in_part() -> None:
    found = feser_bergman_definitions(us_input_output(), only=manufacturing(), factors=12)
    loadings, weights = found.tables["loadings"].drop_nulls("cluster"), found.members
    squares = loadings.group_by("industry").agg((pl.col("loading") ** 2).sum(), best=pl.col("loading").max())
    total = weights.group_by("industry").agg(pl.sum("weight"))
    joined = squares.join(total, on="industry")
    expected = (pl.col("loading") / pl.max_horizontal("loading", pl.lit(0.36))).alias("expected")
    differs = joined.with_columns(expected).filter((pl.col("expected") - pl.col("weight")).abs() > 1e-9)
    assert differs.is_empty()
    assert (joined["weight"] < 0.99).any()
    assert joined.filter(pl.col("best") >= 0.6)["weight"].min() == pytest.approx(1.0)


def manufacturing() -> list[str]:
    return [code for code in us_input_output().industries if code[:2] in ("31", "32", "33")]


def test_templates_of_us_manufacturing_are_recognisable() -> None:
    table = us_input_output()
    found = feser_bergman_definitions(table, only=manufacturing(), factors=20)
    home = dict(found.tables["loadings"].filter(role="primary").select("industry", "cluster").iter_rows())
    alike = [
        ("336111", "336350"),  # cars and their gears
        ("323110", "325910"),  # printing and ink
        ("321100", "321910"),  # sawmills and millwork
        ("326110", "326160"),  # plastics packaging and bottles
    ]
    assert [home.get(a) for a, _ in alike] == [home.get(b) for _, b in alike]
    assert len({home[a] for a, _ in alike}) == 4
    assert found.parameters["eigenvalues below zero"] > 0
    assert 0.5 < found.parameters["share of variance"] < 1


def test_factors_that_are_no_templates_are_told() -> None:
    found = feser_bergman_definitions(us_input_output(), only=manufacturing(), factors=40)
    factors = found.tables["factors"]
    small = factors.filter(pl.col("cluster").is_null())
    assert small.height > 0
    assert (small["primary"] + small["secondary"] < 3).any()
    assert factors["cluster"].drop_nulls().n_unique() == found.clusters.height


def test_rounds_join_groups() -> None:
    once, twice = hoen_definitions(three_blocks()), hoen_definitions(three_blocks(6), smallest=2)
    assert once.tables["rounds"]["round"].to_list() == [1, 2, 3]
    assert once.tables["rounds"]["groups"].to_list() == [3, 1, 1]
    partners = dict(twice.tables["groups"].select("industry", "partner").iter_rows())
    assert all(mine[0] == theirs[0] for mine, theirs in partners.items())


def test_a_lone_industry_has_no_partner_and_no_cluster() -> None:
    table = three_blocks()
    flows = table.flows.copy()
    flows[0, :] = flows[:, 0] = 0.0
    alone = InputOutput(flows, table.output, table.imports, table.industries, table.source)
    found = hoen_definitions(alone)
    row = found.tables["groups"].filter(industry="A0").row(0, named=True)
    assert (row["cluster"], row["partner"]) == (None, None)
    assert "A0" not in found.members["industry"]
    assert found.notes == ("1 of 12 traded industries are in no cluster.",)


def test_a_chain_runs_from_resources_to_final_demand() -> None:
    n = 9
    flows = np.zeros((n, n))
    for k in range(n - 1):
        flows[k, k + 1] = 100.0
    flows[2, 3] = flows[5, 6] = 1.0  # the weak places
    flows[8, 7] = 10.0
    order = [4, 8, 0, 2, 6, 1, 7, 3, 5]
    names = tuple(f"s{k}" for k in order)
    table = InputOutput(
        flows[np.ix_(order, order)], np.full(n, 200.0), np.zeros(n), names, Source("chain", "Chain of nine")
    )
    found = chain_definitions(table, n_clusters=3)
    chain = found.tables["chain"]
    assert chain["industry"].to_list() == [f"s{k}" for k in range(n)]
    assert chain.group_by("cluster", maintain_order=True).len()["len"].to_list() == [3, 3, 3]
    assert found.scores["linearity"] == pytest.approx(602 / 612)
    assert chain["tie"].to_list()[-1] is None
    assert chain["final"].to_list()[0] == pytest.approx(0.5)
    assert found.parameters["best order known"] is True


@given(
    arrays(np.float64, st.integers(3, 40), elements=st.floats(0, 1, width=32)),
    st.integers(2, 12),
    st.integers(1, 5),
)
@settings(max_examples=60, deadline=None)
def test_cuts_leave_blocks_that_are_large_enough(ties: np.ndarray, wanted: int, smallest: int) -> None:
    blocks = _cut(ties, wanted, smallest)
    counts = np.bincount(blocks)
    assert len(blocks) == len(ties) + 1
    assert len(counts) <= wanted
    assert (np.diff(blocks) >= 0).all()
    assert counts.min() >= min(smallest, len(blocks))


def test_the_level_of_minimal_flows_is_justified() -> None:
    found = minimal_flow_definitions(three_blocks())
    levels = found.tables["levels"]
    chosen = levels.filter("chosen").row(0, named=True)
    assert chosen["clusters"] == levels["clusters"].max() == 3
    assert found.parameters["level"] == chosen["level"]
    assert found.parameters["rule"] == "most clusters"
    by_entropy = minimal_flow_definitions(three_blocks(), rule="entropy")
    best = by_entropy.tables["levels"].filter("chosen")["entropy"].item()
    assert best == by_entropy.tables["levels"]["entropy"].max()
    given_level = minimal_flow_definitions(three_blocks(), level=chosen["level"])
    assert given_level.parameters["rule"] == "level given"
    assert given_level.members.equals(found.members)


@pytest.mark.parametrize("road", ROADS)
def test_with_a_panel_definitions_are_in_its_codes_and_can_be_scored(road: object) -> None:
    table = three_blocks()
    panel = toy_panel(table)
    found = road(table, panel)  # type: ignore[operator]
    assert found.clusters.filter(kind="local")["cluster"].to_list() == ["l"]
    assert found.members.filter(cluster="l")["industry"].to_list() == ["shops"]
    evidence = gather_evidence(panel, input_output=table)
    scores = score_definitions(found, evidence)
    assert found.members["weight"].max() <= 1
    if road in (hoen_definitions, minimal_flow_definitions):
        assert scores["industries"].to_list() == [12] * scores.height
        assert mean_score(scores) > 0.95
        assert compare_definitions(found, hoen_definitions(table)).adjusted_rand == 1.0
    assert found.parameters["industries of the table compared"] == 12


def test_industries_of_the_table_that_are_local_are_not_compared() -> None:
    table = three_blocks()
    n = 13
    flows = np.full((n, n), 3.0)
    flows[:12, :12] = table.flows
    wider = InputOutput(flows, flows.sum(axis=1), np.zeros(n), (*table.industries, "shops"), table.source)
    trade = compared_trade(wider, toy_panel(table))
    assert "shops" not in trade.rows
    assert trade.final[0] >= 3.0  # what the shops buy is final from here


def test_a_code_that_is_several_industries_is_shared() -> None:
    table = three_blocks()
    crosswalk = pl.DataFrame(
        [*((code, code) for code in table.industries if code != "A0"), ("A0", "A0"), ("A0", "B0")],
        schema=["naics", "industry"],
        orient="row",
    )
    crossed = InputOutput(table.flows, table.output, table.imports, table.industries, table.source, crosswalk=crosswalk)
    found = hoen_definitions(crossed, toy_panel(table))
    assert found.members.filter(industry="A0")["weight"].to_list() == [0.5, 0.5]


@pytest.mark.parametrize("road", ROADS)
def test_what_cannot_be_compared_is_refused(road: object) -> None:
    table = three_blocks()
    with pytest.raises(ClusterbookError, match="no industry 'A9'; 1 of 2 codes are unknown"):
        road(table, only=["A9", "B0"])  # type: ignore[operator]
    with pytest.raises(DefinitionError, match="2 traded industries of 'Toy table' can be compared; six are needed"):
        road(table, only=["A0", "B0"])  # type: ignore[operator]


def test_too_few_groups_are_refused() -> None:
    with pytest.raises(DefinitionError, match="finds 0 groups"):
        hoen_definitions(three_blocks(), smallest=9)
    with pytest.raises(ClusterbookError, match="at least 2 blocks"):
        chain_definitions(three_blocks(), n_clusters=1)
    with pytest.raises(ClusterbookError, match="Choose 'flows' or 'streit'"):
        hoen_definitions(three_blocks(), links="money")  # type: ignore[arg-type]
    with pytest.raises(ClusterbookError, match="must be above 0"):
        minimal_flow_definitions(three_blocks(), level=0.0)
    with pytest.raises(ClusterbookError, match="below primary"):
        feser_bergman_definitions(three_blocks(), primary=0.3)
