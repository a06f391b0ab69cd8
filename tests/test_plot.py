"""Figures say what the measures found, hold their data, and refuse what cannot be drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import polars as pl
import pytest
from scipy import sparse

import clusterbook as cb
from clusterbook import plot
from clusterbook.edition.store import write_edition
from clusterbook.errors import ClusterbookError, EditionError
from clusterbook.measures.complexity import complexity
from clusterbook.measures.concentration import locational_gini
from clusterbook.measures.industry_space import place_by_ties, strongest_ties
from clusterbook.measures.localisation import Curve, k_density
from clusterbook.measures.relatedness import proximity
from clusterbook.measures.shift_share import esteban_marquillas, shift_share
from clusterbook.measures.spatial import morans_i
from clusterbook.measures.weights import row_standardised
from clusterbook.plot.figure import apart, unit_interval

REGIONS = 30
CHAIN = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(REGIONS, REGIONS))
PRESENCE = [[1, 1, 1, 1], [0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1]]
BEFORE = [[90, 20, 10, 60], [60, 30, 30, 40], [250, 100, 110, 300]]
AFTER = [[100, 40, 10, 55], [85, 55, 40, 35], [255, 115, 85, 390]]


def spec(chart: alt.VConcatChart) -> dict[str, Any]:
    return dict(chart.to_dict())


def title(chart: alt.VConcatChart) -> str:
    return " ".join(spec(chart)["vconcat"][0]["title"]["text"])


def subtitle(chart: alt.VConcatChart) -> str:
    return " ".join(spec(chart)["vconcat"][0]["title"]["subtitle"])


def data(chart: alt.VConcatChart, column: str) -> list[dict[str, Any]]:
    """The rows of the layer that holds a column."""
    for found in spec(chart)["datasets"].values():
        if found and column in found[0]:
            return list(found)
    raise AssertionError(f"no data with {column}")


def all_charts() -> dict[str, alt.VConcatChart]:
    rng = np.random.default_rng(3)
    points = np.vstack([rng.uniform(0, 1e5, (80, 2)), rng.uniform(4e4, 5e4, (15, 2))])
    plants = rng.integers(0, 40, (REGIONS, 5))
    return {
        "lorenz": plot.lorenz([10, 10, 80], [50, 40, 10]),
        "k_density": plot.k_density(k_density(points, np.arange(95) >= 80, simulations=50)),
        "moran_scatter": plot.moran_scatter(np.arange(REGIONS) ** 1.5, CHAIN, permutations=99),
        "lq_funnel": plot.lq_funnel(plants, 2),
        "eci_ranking": plot.eci_ranking(complexity(PRESENCE), list("ABCD")),
        "shift_share_waterfall": plot.shift_share_waterfall(shift_share(BEFORE, AFTER), 0),
        "proximity_space": plot.proximity_space(proximity(PRESENCE), list("wxyz")),
    }


# --- all of them ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(all_charts()))
def test_every_figure_can_be_kept_as_an_image(name: str, tmp_path: Path) -> None:
    file = tmp_path / "figure.png"
    all_charts()[name].save(file, ppi=36)
    assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert file.stat().st_size > 2000


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_frame_has_the_callers_words_and_colours_of_the_house(mode: Any) -> None:
    chart = plot.lorenz([1, 2], [1, 1], title="Mine", subtitle="Jobs, 2019", source="Office", mode=mode)
    found = spec(chart)
    assert title(chart) == "Mine"
    assert subtitle(chart).startswith("Jobs, 2019 Regions from the lowest")
    assert found["title"]["text"] == ["Source: Office"]
    assert found["title"]["orient"] == "bottom"
    assert found["config"]["background"] == {"light": "#fbfaf8", "dark": "#14181c"}[mode]


def test_long_words_are_broken_into_lines() -> None:
    chart = plot.lorenz([1, 2], [1, 1], title="word " * 60, subtitle="word " * 60)
    heading = spec(chart)["vconcat"][0]["title"]
    assert len(heading["text"]) > 3
    assert max(map(len, heading["text"])) <= 70


def test_gaps_are_null_and_never_nan() -> None:
    values = np.ones(5)
    gap = np.full((2, 5), np.nan)
    text = plot.k_density(Curve(np.arange(5.0), values, gap, gap)).to_json()
    assert "NaN" not in text


def test_more_rows_than_altair_allows_are_drawn() -> None:
    rng = np.random.default_rng(0)
    chart = plot.lq_funnel(rng.integers(1, 9, (6000, 2)), 0)
    assert len(data(chart, "quotient")) == 6000


def test_axis_titles_survive_the_layers() -> None:
    import vl_convert

    charts = all_charts()
    for name, wanted in {
        "lq_funnel": {"Plants expected by chance (log axis) →", "Location quotient (log axis) ↑"},
        "moran_scatter": {"The region, standard deviations →", "Mean of its neighbours ↑"},
        "lorenz": {"Share of everything, cumulated →", "Share of the industry, cumulated ↑"},
        "k_density": {"Distance between plants, km →", "Density per km ↑"},
    }.items():
        vega = vl_convert.vegalite_to_vega(charts[name].to_dict())
        titles = {axis["title"] for mark in vega["marks"] for axis in mark.get("axes", []) if "title" in axis}
        assert titles == wanted


# --- Lorenz ---------------------------------------------------------------------------------------------------------


def test_lorenz_says_where_half_of_the_industry_is() -> None:
    # in order of quotients 10/50, 10/40, 80/10: half of the jobs are in 50/80 of the last region's tenth
    chart = plot.lorenz([10, 10, 80], [50, 40, 10], names=["Watches"], reference_name="all jobs")
    assert title(chart) == "Half of Watches is where 6% of all jobs is"
    assert [(row["x"], row["y"]) for row in data(chart, "name")] == [
        (0, 0),
        (0.5, pytest.approx(0.1)),
        (0.9, pytest.approx(0.2)),
        (1, pytest.approx(1)),
    ]


def test_lorenz_leaves_the_area_of_the_gini() -> None:
    rng = np.random.default_rng(5)
    jobs, people = rng.pareto(1.2, 3000), rng.pareto(1.5, 3000)
    curve = data(plot.lorenz(jobs, people), "name")
    assert len(curve) < 420
    x, y = np.array([(row["x"], row["y"]) for row in curve]).T
    area = float((np.diff(x) * (y[1:] + y[:-1])).sum())
    assert 1 - area == pytest.approx(locational_gini(jobs[:, None], people)[0], abs=2e-3)
    assert (np.diff(x) >= 0).all() and (np.diff(y) >= 0).all()


def test_lorenz_of_several_names_the_most_and_the_least_concentrated() -> None:
    jobs = np.array([[10, 30], [10, 40], [80, 30]])
    chart = plot.lorenz(jobs, [30, 40, 30], names=["Watches", "Bread"])
    assert title(chart) == "Half of Watches is where 19% of everything is; half of Bread, where 50% is"
    keys = [row["text"] for found in spec(chart)["datasets"].values() for row in found if "text" in row]
    assert keys == ["Bread: Gini 0.00, Hoover 0.00", "Watches: Gini 0.51, Hoover 0.50"]


@pytest.mark.parametrize(
    ("values", "reference", "message"),
    [
        ([1, np.nan], [1, 1], "industry 1 has suppressed regions or nothing anywhere"),
        ([0, 0], [1, 1], "industry 1 has suppressed regions or nothing anywhere"),
        ([1, -1], [1, 1], "negative"),
        ([1, 2], [1, 1, 1], "shape"),
        (np.ones((3, 6)), [1, 1, 1], "6 curves cannot be told apart"),
    ],
)
def test_lorenz_refuses(values: Any, reference: Any, message: str) -> None:
    with pytest.raises(ClusterbookError, match=message):
        plot.lorenz(values, reference)


def test_lorenz_of_one_region_is_the_diagonal() -> None:
    assert title(plot.lorenz([5], [9])) == "Half of industry 1 is where 50% of everything is"


def test_names_have_to_fit() -> None:
    with pytest.raises(ClusterbookError, match="2 names where 1 are needed"):
        plot.lorenz([1, 2], [1, 1], names=["a", "b"])


# --- K-density ------------------------------------------------------------------------------------------------------


def curve(value: list[float], low: float = 1.0, high: float = 2.0) -> Curve:
    count = len(value)
    band = np.array([[low] * count, [high] * count])
    return Curve(np.arange(count) * 10_000.0, np.array(value), band, band)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([3, 3, 1.5, 1.5], "Glass: plants are closer to each other than by chance, up to 10 km"),
        ([1.5, 3, 3, 1.5], "Glass: plants are closer to each other than by chance, at 10 to 20 km"),
        ([3, 1.5, 3, 3], "Glass: plants are closer to each other than by chance, up to 0 km and at 20 to 30 km"),
        ([3, 0.5, 1.5, 1.5], "Glass: plants are closer to each other than by chance, up to 0 km"),
        ([0.5, 1.5, 1.5, 1.5], "Glass: plants keep away from each other, up to 0 km"),
        ([1.5, 1.5, 1.5, 1.5], "Glass: plants are as far from each other as any plants"),
    ],
)
def test_k_density_says_at_which_distances(value: list[float], said: str) -> None:
    assert title(plot.k_density(curve(value), name="Glass")) == said


def test_k_density_counts_many_ranges() -> None:
    found = title(plot.k_density(curve([3, 1, 3, 1, 3, 1]), name="Glass"))
    assert found.endswith("at 3 ranges of distances between 0 and 40 km")


def test_k_density_is_drawn_per_kilometre_and_filled_above_the_band() -> None:
    drawn = data(plot.k_density(curve([0.003, 0.001], 0.0005, 0.002)), "km")
    assert [row["km"] for row in drawn] == [0, 10]
    assert [row["value"] for row in drawn] == [pytest.approx(3), pytest.approx(1)]
    assert [row["top"] for row in drawn] == [pytest.approx(3), pytest.approx(2)]


def test_k_density_without_simulations_claims_nothing() -> None:
    gap = np.full((2, 3), np.nan)
    chart = plot.k_density(Curve(np.arange(3.0), np.ones(3), gap, gap), name="Glass")
    assert title(chart) == "Glass: how far its plants are from each other"
    assert "nothing is tested" in subtitle(chart)
    assert len(spec(chart)["vconcat"][0]["layer"]) == 1


def test_k_density_refuses_gaps() -> None:
    with pytest.raises(ClusterbookError, match="gaps"):
        plot.k_density(curve([1.0, np.nan]))


# --- Moran ----------------------------------------------------------------------------------------------------------


def test_moran_line_has_the_slope_of_the_measure() -> None:
    y = np.random.default_rng(2).normal(size=REGIONS).cumsum()
    chart = plot.moran_scatter(y, CHAIN)
    wanted = morans_i(y[:, None], row_standardised(CHAIN)).statistic[0]
    drawn = data(chart, "quadrant")
    own, around = np.array([(row["own"], row["around"]) for row in drawn]).T
    assert np.polyfit(own, around, 1)[0] == pytest.approx((around - around.mean()) @ own / (own @ own))
    assert own @ around / (own @ own) == pytest.approx(wanted)
    assert title(chart) == f"Neighbours are alike: Moran's I is {wanted:.2f}"


def test_moran_of_a_chequerboard() -> None:
    chart = plot.moran_scatter(np.arange(REGIONS) % 2, CHAIN)
    assert title(chart) == "Neighbours are unlike: Moran's I is −1.00".replace("−", "-")
    assert {row["quadrant"] for row in data(chart, "quadrant")} == {"low among high", "high among low"}


def test_moran_says_when_there_is_nothing() -> None:
    y = np.random.default_rng(8).normal(size=REGIONS)
    assert title(plot.moran_scatter(y, CHAIN)).startswith("Neighbours are as any regions")


def test_moran_leaves_islands_out_and_says_so() -> None:
    W = CHAIN.toarray()
    W[3] = W[:, 3] = 0
    chart = plot.moran_scatter(np.arange(REGIONS), W, names=[f"R{k}" for k in range(REGIONS)])
    assert "R3" not in [row["name"] for row in data(chart, "quadrant")]
    assert "Left out, without neighbours: 1." in subtitle(chart)


@pytest.mark.parametrize(
    ("y", "W", "message"),
    [
        ([1.0, np.nan] * 15, CHAIN, "y has 15 missing or infinite values"),
        (np.ones(REGIONS), CHAIN, "the same everywhere"),
        (np.arange(REGIONS), np.zeros((REGIONS, REGIONS)), "nobody has neighbours"),
        (np.ones((REGIONS, 2)), CHAIN, "one value a region"),
        (np.arange(5), CHAIN, r"W has shape \(30, 30\)"),
    ],
)
def test_moran_refuses(y: Any, W: Any, message: str) -> None:
    with pytest.raises(ClusterbookError, match=message):
        plot.moran_scatter(y, W)


# --- funnel ---------------------------------------------------------------------------------------------------------


def test_funnel_tells_more_from_fewer_and_chance() -> None:
    chart = plot.lq_funnel([[30, 10], [5, 200], [2, 150], [1, 13]], 0, names=["Ash", "Birch", "Cedar", "Dogwood"])
    drawn = {row["name"]: row for row in data(chart, "quotient")}
    assert {name: row["kind"] for name, row in drawn.items()} == {
        "Ash": "more",
        "Birch": "fewer",
        "Cedar": "fewer",
        "Dogwood": "chance",
    }
    assert drawn["Ash"]["quotient"] == pytest.approx(30 / 40 / (38 / 411))
    assert drawn["Ash"]["expected"] == pytest.approx(38 * 40 / 411)
    assert title(chart) == "The industry: 1 of 4 regions has more plants than chance explains, 2 have fewer"


def test_funnel_shows_none_at_the_edge_and_leaves_empty_regions_out() -> None:
    chart = plot.lq_funnel([[9, 10], [0, 30], [0, 0]], 0, names=["Ash", "Birch", "Cedar"])
    drawn = {row["name"]: row for row in data(chart, "quotient")}
    assert set(drawn) == {"Ash", "Birch"}
    assert drawn["Birch"]["quotient"] == 0
    assert drawn["Birch"]["lq"] == pytest.approx(drawn["Ash"]["quotient"] / 2)


def test_funnel_lines_are_binomial_limits() -> None:
    plants = np.column_stack([[50, 50], [450, 9450]])
    lines = data(plot.lq_funnel(plants, 0), "low")
    last = lines[-1]  # a region that expects 95 of 100 plants
    assert last["expected"] == pytest.approx(95)
    assert last["high"] == pytest.approx(99 / 95)
    assert last["low"] == pytest.approx(90 / 95)


@pytest.mark.parametrize(
    ("plants", "message"),
    [
        ([[1, 2], [np.nan, 3]], "suppressed regions or no plants"),
        ([[0, 2], [0, 3]], "suppressed regions or no plants"),
        ([[1.5, 2], [1, 3]], "fractions"),
        ([[-1, 2], [1, 3]], "negative"),
    ],
)
def test_funnel_refuses(plants: Any, message: str) -> None:
    with pytest.raises(ClusterbookError, match=message):
        plot.lq_funnel(plants, 0)


# --- bars -----------------------------------------------------------------------------------------------------------


def test_ranking_shows_both_ends_with_their_ranks() -> None:
    found = complexity(PRESENCE)
    chart = plot.eci_ranking(found, ["Ash", "Birch", "Cedar", "Dogwood"], top=2, bottom=1)
    assert [row["name"] for row in data(chart, "value")] == ["1. Dogwood", "2. Cedar", "4. Birch"]
    assert [row["text"] for row in data(chart, "value")] == ["0.93", "0.75", "−1.60"]


def test_ranking_of_few_has_nobody_twice() -> None:
    chart = plot.eci_ranking(complexity(PRESENCE), list("ABCD"), of="industries", top=3, bottom=3)
    assert [row["name"][0] for row in data(chart, "value")] == ["1", "2", "3", "4"]
    assert title(chart) == "D is the most complex of 4 industries"


def test_ranking_carries_the_notes_and_counts_who_has_none() -> None:
    found = complexity([[1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    chart = plot.eci_ranking(found, list("ABCD"))
    assert "Left out, without any: 1." in subtitle(chart)
    assert f"Mind: {' '.join(found.notes)}" in subtitle(chart)


def test_ranking_refuses() -> None:
    found = complexity(PRESENCE)
    with pytest.raises(ClusterbookError, match="3 names where 4 are needed"):
        plot.eci_ranking(found, list("ABC"))
    with pytest.raises(ClusterbookError, match="of='places' is not known"):
        plot.eci_ranking(found, list("ABCD"), of="places")  # type: ignore[arg-type]
    with pytest.raises(ClusterbookError, match="None of the regions has any complexity"):
        plot.eci_ranking(complexity([[1, 1], [1, 1]]), list("AB"))


def test_waterfall_adds_up_to_the_change() -> None:
    chart = plot.shift_share_waterfall(shift_share(BEFORE, AFTER), 0, name="Ash")
    drawn = data(chart, "start")
    assert [row["name"] for row in drawn] == ["National growth", "Industry mix", "Competitive part", "Change"]
    assert [round(row["end"] - row["start"]) for row in drawn] == [27, 1, -3, 25]
    assert [row["start"] for row in drawn[1:3]] == [row["end"] for row in drawn[:2]]
    assert drawn[2]["end"] == pytest.approx(drawn[3]["end"])
    assert [row["hue"] for row in drawn] == ["gain", "gain", "loss", "change"]
    assert title(chart) == "Ash: +25 jobs; the largest part is national growth, +27"


def test_waterfall_takes_any_form_and_several_regions() -> None:
    parts = esteban_marquillas(BEFORE, AFTER)
    drawn = data(plot.shift_share_waterfall(parts, [0, 2]), "start")
    assert [row["name"] for row in drawn] == [
        "National growth",
        "Industry mix",
        "Competitive part",
        "Allocation",
        "Change",  # births are 0 and left out
    ]
    assert drawn[-1]["end"] == pytest.approx(110)


def test_waterfall_of_no_change_and_of_unknown_cells() -> None:
    still = plot.shift_share_waterfall(shift_share(BEFORE, BEFORE), 0)
    assert title(still) == "The region: +0 jobs"
    unknown = np.array(BEFORE, dtype=float)
    unknown[0, 0] = np.nan
    with pytest.raises(ClusterbookError, match="Ash has cells that are not known"):
        plot.shift_share_waterfall(shift_share(unknown, AFTER), 0, name="Ash")


# --- industry space -------------------------------------------------------------------------------------------------


def test_the_strongest_ties_hold_everything_together() -> None:
    rng = np.random.default_rng(4)
    near = rng.random((12, 12))
    near = (near + near.T) / 2
    np.fill_diagonal(near, 0)
    ties = strongest_ties(near, 15)
    assert len({tuple(sorted(pair)) for pair in ties.tolist()}) == 15
    graph = sparse.coo_array((np.ones(15), ties.T), shape=(12, 12))
    assert sparse.csgraph.connected_components(graph, directed=False)[0] == 1
    strongest = np.unravel_index(near.argmax(), near.shape)
    assert sorted(map(int, strongest)) in [sorted(pair) for pair in ties.tolist()]
    assert len(strongest_ties(near, 3)) == 11  # the tree is never cut


def test_layout_of_a_chain_is_a_line() -> None:
    place = place_by_ties(np.array([[k, k + 1] for k in range(9)]), 10)
    steps = np.linalg.norm(np.diff(place, axis=0), axis=1)
    assert (np.diff(place[:, 0]) > 0).all() or (np.diff(place[:, 0]) < 0).all()
    assert steps.min() > 0.05
    assert (place == place_by_ties(np.array([[k, k + 1] for k in range(9)]), 10)).all()


def test_space_of_parts_without_ties_keeps_them_apart() -> None:
    near = np.kron(np.eye(2), np.ones((3, 3)))
    chart = plot.proximity_space(near, list("abcdef"))
    place = np.array([(row["x"], row["y"]) for row in data(chart, "ties")])
    assert np.isfinite(place).all()
    middle = place[:3].mean(axis=0), place[3:].mean(axis=0)
    assert np.linalg.norm(middle[0] - middle[1]) > 0.3


def test_space_colours_the_largest_groups_and_names_hubs() -> None:
    near = [[1, 0.9, 0.8, 0.7], [0.9, 1, 0, 0], [0.8, 0, 1, 0], [0.7, 0, 0, 1]]
    names = ["Steel", "Ships", "Cars", "Tools"]
    chart = plot.proximity_space(near, names, groups=["metal", "metal", "cars", ""], size=[4, 3, 2, 1])
    assert [row["kind"] for row in data(chart, "ties")] == ["metal", "metal", "cars", "other"]
    assert [row["ties"] for row in data(chart, "ties")] == [3, 1, 1, 1]
    assert title(chart) == "Steel has the most ties: 3 of 3 shown"


def test_space_draws_unknown_sizes_smallest_and_says_so() -> None:
    near = [[1, 0.5, 0.2], [0.5, 1, 0.1], [0.2, 0.1, 1]]
    chart = plot.proximity_space(near, list("abc"), size=[5, np.nan, 2])
    assert [(row["size"], row["area"]) for row in data(chart, "ties")] == [(5, 5), (None, 0), (2, 2)]
    assert "Smallest: 1 of unknown size." in subtitle(chart)
    with pytest.raises(ClusterbookError, match=r"size has shape \(2,\)"):
        plot.proximity_space(near, list("abc"), size=[1, 2])


def test_space_leaves_out_who_is_related_to_nobody() -> None:
    near = np.array([[1, 0.5, np.nan], [0.5, 1, np.nan], [np.nan] * 3])
    assert [row["name"] for row in data(plot.proximity_space(near, list("abc")), "ties")] == ["a", "b"]


@pytest.mark.parametrize(
    ("near", "message"),
    [
        (np.eye(3), "No two industries are related"),
        ([[1, 0.2], [0.4, 1]], "symmetric"),
        (np.ones((2, 3)), "symmetric"),
        ([[1, -0.2], [-0.2, 1]], "negative"),
    ],
)
def test_space_refuses(near: Any, message: str) -> None:
    with pytest.raises(ClusterbookError, match=message):
        plot.proximity_space(near, ["a"] * len(near))


def space_tables() -> dict[str, pl.DataFrame]:
    nodes = {"industry": ["11", "12", "21"], "x": [0.0, 0.5, 1.0], "y": [0.0, 1.0, 0.5], "cluster": ["c1", "c1", None]}
    return {
        "space_nodes": pl.DataFrame({**nodes, "employment": [10.0, None, 5.0]}),
        "space_links": pl.DataFrame({"industry": ["11", "11"], "other": ["12", "21"], "proximity": [0.7, 0.5]}),
        "members": pl.DataFrame({"cluster": ["c1", "c1"], "industry": ["11", "12"], "title": ["Steel", "Ships"]}),
        "definitions": pl.DataFrame({"cluster": ["c1"], "label": ["Metal"]}),
    }


def test_space_of_an_edition_stands_where_its_tables_say(tmp_path: Path) -> None:
    manifest = {"measure": "employment", "sources": [{"title": "Toy census"}]}
    edition = write_edition(space_tables(), manifest, tmp_path / "toy.edition")
    chart = plot.industry_space(edition)
    assert [(row["name"], row["x"], row["kind"]) for row in data(chart, "ties")] == [
        ("Steel", 0.0, "Metal"),
        ("Ships", 0.5, "Metal"),
        ("21", 1.0, "other"),
    ]
    assert title(chart) == "Steel has the most ties: 2 of 2 shown"
    assert spec(chart)["title"]["text"] == ["Source: Toy census"]


def test_an_edition_without_a_space_is_refused(tmp_path: Path) -> None:
    tables = {name: table for name, table in space_tables().items() if not name.startswith("space")}
    edition = write_edition(tables, {"measure": "employment", "sources": []}, tmp_path / "toy.edition")
    with pytest.raises(EditionError, match="no table 'space_nodes'"):
        plot.industry_space(edition)


# --- helpers --------------------------------------------------------------------------------------------------------


def test_names_do_not_lie_on_each_other() -> None:
    x = np.array([0.1, 0.12, 0.12, 0.95, 0.93])
    y = np.array([0.5, 0.52, 0.7, 0.5, 0.51])
    assert apart(x, y, ["one", "two", "three", "four", "five"], [1, 0, 2, 3, 4]) == [1, 2, 3]
    assert apart(x, y, ["one", "two", "three", "four", "five"], [1, 0, 2, 3, 4], most=1) == [1]


def test_unit_interval_of_equal_values() -> None:
    assert unit_interval(np.array([3.0, 3.0])).tolist() == [0, 0]
    assert unit_interval(np.array([1.0, 2.0, 5.0])).tolist() == [0, 0.25, 1]


def test_real_metros_make_a_space_and_a_funnel() -> None:
    panel = cb.samples.us_metros(level=3)
    plants = panel.matrix("establishments")
    chart = plot.lq_funnel(plants.values, plants.industries.index("336"), name="Transport equipment")
    assert title(chart).startswith("Transport equipment: ")
    assert len(data(chart, "quotient")) == 933
