"""Planted clusters are found, sides and scores do what they say, faults are told."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

import clusterbook as cb
from clusterbook.clusters.candidates import ALGORITHMS, candidates, contiguous, k_medoids, partition
from clusterbook.clusters.comparison import moved_between
from clusterbook.clusters.discovery import gather_evidence
from clusterbook.clusters.editing import mean_score, overlapping, score_definitions
from clusterbook.clusters.kinds import resource_industries
from clusterbook.clusters.refine import outliers, refine
from clusterbook.clusters.relations import related_clusters, soft_membership, subclusters
from clusterbook.clusters.search import Candidate, judged, mixtures, ranked, scoring_sides
from clusterbook.clusters.similarity import (
    CLASSIFICATION,
    LINK,
    PROFILES,
    Similarities,
    on_one_scale,
    trade_similarities,
)
from clusterbook.clusters.stability import summarise
from clusterbook.data.input_output import read_flows
from clusterbook.errors import ClusterbookError, DataError, DefinitionError
from economies import planted

# noise: s.d. of the log of each cell; overlap: share of an industry that follows another cluster
RECOVERED = [
    {},
    {"noise": 0.6},
    {"noise": 1.0},
    {"noise": 1.5},
    {"overlap": 0.2},
    {"noise": 0.6, "overlap": 0.1},
    {"skew": 1.2},
]


def found_in(**economy):
    panel, truth = planted(**economy)
    return cb.discover_definitions(panel, n_clusters=(5, 12), samples=8), truth


def agreement(definitions: cb.ClusterDefinitions, truth: dict[str, int]) -> float:
    traded = definitions.members.filter(pl.col("cluster").str.starts_with("t"))
    return adjusted_rand_score([truth[code] for code in traded["industry"]], traded["cluster"].to_list())


@pytest.mark.parametrize("economy", RECOVERED, ids=str)
def test_planted_clusters_are_found_again(economy):
    definitions, truth = found_in(**economy)
    local = definitions.members.join(definitions.clusters, on="cluster").filter(kind="local")["industry"]
    assert set(local) == {code for code, cluster in truth.items() if cluster < 0}
    assert agreement(definitions, truth) >= 0.9


def test_stability_falls_with_what_there_is_to_find():
    calm, _ = found_in()
    noisy, truth = found_in(noise=2.5, overlap=0.4)
    stability = "stability: mean adjusted Rand index over samples"
    assert calm.scores[stability] > 0.95
    assert noisy.scores[stability] < 0.6
    assert agreement(noisy, truth) < 0.5
    assert calm.clusters.filter(kind="traded")["stability"].min() > 0.9
    assert calm.tables["stability"].height == 8


def test_trade_finds_clusters_that_do_not_co_locate():
    panel, truth = planted(overlap=0.45, noise=1.5, seed=3)
    codes = [code for code, cluster in truth.items() if cluster >= 0]
    pairs = [(a, b, 10.0 if truth[a] == truth[b] else 0.2) for a in codes for b in codes if a != b]
    flows = read_flows(pl.DataFrame(pairs, schema=["supplier", "buyer", "flow"], orient="row"))
    alone = cb.discover_definitions(panel, n_clusters=(5, 12))
    with_trade = cb.discover_definitions(panel, n_clusters=(5, 12), input_output=flows)
    assert agreement(with_trade, truth) > agreement(alone, truth) + 0.4
    assert {PROFILES, LINK} <= set(with_trade.tables["sides"]["side"])


def test_definitions_carry_their_whole_record():
    definitions, _ = found_in()
    tables = definitions.tables
    assert tables["candidates"]["rank"].to_list() == list(range(1, tables["candidates"].height + 1))
    assert set(tables["candidates"]["algorithm"]) == set(ALGORITHMS)
    traded = definitions.clusters.filter(kind="traded")
    assert tables["industries"]["industry"].n_unique() == 64
    assert set(tables["industries"]["cluster"]) == set(traded["cluster"])
    assert tables["overlap"].group_by("industry").agg(pl.sum("weight"))["weight"].to_list() == pytest.approx([1.0] * 64)
    both = {(a, b) for a, b in tables["related"].select("cluster", "other").iter_rows()}
    assert both == {(b, a) for a, b in both}


def test_the_set_with_the_classification_is_reported_beside_the_one_without(panel):
    definitions = cb.discover_definitions(panel, n_clusters=(3, 3))
    assert {"best without classification", "best with classification"} <= definitions.scores.keys()
    sides = definitions.tables["sides"]
    assert set(sides["set"]) == {"best without classification", "best with classification"}
    assert sides.filter(side=CLASSIFICATION)["observed"].to_list() == [False, False]
    without = cb.discover_definitions(panel, n_clusters=(3, 3), classification=False)
    assert "best with classification" not in without.scores


def test_scores_leave_the_classification_out(panel):
    evidence = gather_evidence(panel)
    assert CLASSIFICATION in evidence.sides.matrices
    assert CLASSIFICATION not in scoring_sides(evidence.sides)


# --- the parts --------------------------------------------------------------------------------------------------------

BLOCKS = np.kron(np.eye(3), np.ones((4, 4))) * 2 - 0.5
np.fill_diagonal(BLOCKS, 0.0)
TRUE = np.repeat([0, 1, 2], 4)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_finds_clear_blocks(algorithm):
    assert adjusted_rand_score(TRUE, partition(BLOCKS, algorithm, 3)) == 1.0


def test_candidates_have_the_numbers_asked_for():
    numbers = {(name, labels.max() + 1) for name, labels in candidates(BLOCKS, [2, 3, 4])}
    assert {("Ward", 2), ("Ward", 3), ("Ward", 4), ("k-means", 3), ("k-medoids", 3), ("Leiden", 3)} <= numbers


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_contiguous_labels_keep_the_partition(labels):
    new = contiguous(np.array(labels))
    assert sorted(set(new.tolist())) == list(range(len(set(labels))))
    assert new[0] == 0
    assert adjusted_rand_score(labels, new) == 1.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_refining_never_lowers_the_score_nor_leaves_small_clusters(seed):
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 0.4, BLOCKS.shape)
    affinity = BLOCKS + noise + noise.T
    np.fill_diagonal(affinity, 0.0)
    start = k_medoids(affinity, rng.integers(0, 4, 12))
    better = refine(affinity, start, smallest=2)
    assert np.bincount(better).min() >= 2 or better.max() < 2
    assert refine(affinity, better, smallest=2).tolist() == better.tolist()


def test_an_outlier_moves_home_and_one_that_fits_nowhere_is_told():
    wrong = TRUE.copy()
    wrong[0] = 1
    assert adjusted_rand_score(TRUE, refine(BLOCKS, wrong)) == 1.0
    lonely = BLOCKS.copy()
    lonely[0, :] = lonely[:, 0] = -0.5
    lonely[0, 0] = 0.0
    assert outliers({"side": lonely}, lonely, TRUE)[0] == "systemic"
    assert outliers({"side": BLOCKS}, BLOCKS, wrong)[0] in {"marginal", "systemic"}
    assert outliers({"side": BLOCKS}, BLOCKS, TRUE) == [None] * 12


def test_fit_prefers_the_true_number_among_sets_with_full_marks():
    sides = Similarities(tuple("abcdefghijkl"), {"one": BLOCKS, "two": BLOCKS})
    scoring = scoring_sides(sides)
    lumped, split = np.minimum(TRUE, 1), np.array([0, 0, 3, 3, 1, 1, 1, 1, 2, 2, 2, 2])
    sets = [judged(Candidate("m", {}, "rank", "x", labels), scoring) for labels in (lumped, split, TRUE)]
    assert max(sets, key=lambda c: c.fit).labels is TRUE
    assert ranked(sets)[0].labels is TRUE


def test_mixtures_need_two_sides():
    one = Similarities(("a",), {"only": np.zeros((1, 1))})
    assert list(mixtures(one, {"only": 0.0})) == ["only only"]


def test_unknown_pairs_count_as_average():
    matrix = np.array([[1.0, np.nan, 0.2], [np.nan, 1.0, 0.6], [0.2, 0.6, 1.0]])
    scaled = on_one_scale(matrix, "rank")
    assert scaled[0, 1] == 0.0
    assert scaled[1, 2] > 0 > scaled[0, 2]
    assert not on_one_scale(np.full((3, 3), np.nan), "standard").any()
    assert not on_one_scale(np.full((3, 3), 0.5), "rank").any()  # no difference, nothing to tell


def test_related_clusters_are_mutual_and_near():
    near = BLOCKS.copy()
    near[:4, 4:8] = near[4:8, :4] = 1.0
    related, similarity, share = related_clusters(near, TRUE)
    assert related[0, 1] and related[1, 0]
    assert not related[0, 2]
    assert similarity[0, 1] == pytest.approx(1.0)
    assert share[0, 1] == 1.0


def test_soft_membership_adds_up_and_keeps_the_lonely_at_home():
    near = BLOCKS.copy()
    near[0, 4:8] = near[4:8, 0] = 1.4
    weights = soft_membership(near, TRUE)
    assert weights.sum(axis=1) == pytest.approx(np.ones(12))
    assert 0 < weights[0, 1] < weights[0, 0]
    assert weights[11].tolist() == [0.0, 0.0, 1.0]


def test_a_cluster_of_two_groups_is_divided_and_one_of_one_is_not():
    inner = np.kron(np.eye(2), np.ones((4, 4))) * 2
    affinity = np.full((12, 12), -0.5)
    affinity[:8, :8] = inner
    affinity[8:, 8:] = 1.5
    np.fill_diagonal(affinity, 0.0)
    groups = subclusters(affinity, np.repeat([0, 1], [8, 4]))
    assert groups[:8].tolist() in ([0] * 4 + [1] * 4, [1] * 4 + [0] * 4)
    assert not groups[8:].any()


def test_stability_of_one_that_stands_alone_is_not_known():
    stability = summarise(np.array([0, 0, 1]), [np.array([0, 0, 1])])
    assert stability.industries[:2].tolist() == [1.0, 1.0]
    assert np.isnan(stability.industries[2])


def test_moved_between_tells_who_left_their_company():
    before, after = np.array([0, 0, 0, 1, 1]), np.array([1, 1, 0, 0, 0])
    assert moved_between(before, after).tolist() == [False, False, True, False, False]


def test_resources_by_sector():
    naics = cb.Industries.load("NAICS 2017")
    assert resource_industries(("211120", "334413", "1133"), naics).tolist() == [True, False, True]
    assert not resource_industries(("11",), cb.Industries.from_codes(pl.Series(["11"]))).any()


def test_trade_of_an_industry_that_is_several_in_the_table_is_their_mean():
    flows = read_flows(
        pl.DataFrame({"supplier": ["a", "b", "c"], "buyer": ["b", "c", "a"], "flow": [1.0, 2.0, 3.0]}),
    )
    sides = trade_similarities(["a", "b", "zz"], cb.Industries.from_codes(pl.Series(["a", "b", "zz"])), flows)
    assert np.isnan(sides[PROFILES][2]).all()
    assert sides[PROFILES][0, 0] == 1.0


# --- editing, comparing, saving ---------------------------------------------------------------------------------------


def test_edits_are_recorded_scored_and_leave_the_set_alone(definitions, panel):
    first, second = definitions.clusters["cluster"].head(2)
    mover = definitions.members.filter(cluster=first)["industry"][0]
    edits = pl.DataFrame(
        {
            "cluster": [second, first],
            "industry": [mover, None],
            "label": [None, "Steel"],
            "reason": ["sells all it makes there", "as people call it"],
            "by": ["A. Analyst", None],
        }
    )
    edited = cb.edit_definitions(definitions, edits, gather_evidence(panel))
    assert edited.members.filter(industry=mover)["cluster"].to_list() == [second]
    assert definitions.members.filter(industry=mover)["cluster"].to_list() == [first]
    assert edited.labels[first] == "Steel"
    assert edited.tables["edits"]["former"].to_list() == [first, definitions.labels[first]]
    assert edited.scores["after edits"] < edited.scores["before edits"]
    again = cb.edit_definitions(edited, edits.tail(1))
    assert again.tables["edits"].height == 3


def test_faulty_edits_are_told_all_at_once(definitions, tmp_path):
    path = tmp_path / "edits.csv"
    path.write_text("cluster,industry,label,reason\nt01,1x,,why\nt99,,Name,why\nt01,,,why\nt01,11,,\n")
    with pytest.raises(DataError) as caught:
        cb.edit_definitions(definitions, path)
    lines = {(p.line, p.column) for p in caught.value.problems}
    assert lines == {(2, "industry"), (3, "cluster"), (4, "cluster"), (5, "reason")}


def test_an_edit_may_not_empty_a_cluster(definitions):
    cluster, other = definitions.clusters["cluster"].head(2)
    members = definitions.members.filter(cluster=cluster)["industry"].to_list()
    edits = pl.DataFrame({"cluster": [other] * len(members), "industry": members, "reason": ["x"] * len(members)})
    with pytest.raises(DefinitionError, match="would leave without members"):
        cb.edit_definitions(definitions, edits)


def test_any_set_can_be_scored_and_a_random_one_scores_lower(definitions, panel):
    evidence = gather_evidence(panel)
    good = score_definitions(definitions, evidence)
    rng = np.random.default_rng(1)
    traded = definitions.members.filter(pl.col("cluster").str.starts_with("t"))
    shuffled = traded.with_columns(pl.Series("cluster", rng.permutation(traded["cluster"].to_list())))
    bad = score_definitions(cb.read_definitions(shuffled), evidence)
    assert mean_score(good) == pytest.approx(definitions.scores["mean of all scores"])
    assert mean_score(bad) < mean_score(good) - 0.2
    with pytest.raises(DefinitionError, match="has 0 clusters with traded industries"):
        score_definitions(cb.read_definitions(pl.DataFrame({"industry": ["q"], "cluster": ["c"]})), evidence)


def test_sets_are_compared(definitions):
    same = cb.compare_definitions(definitions, definitions)
    assert (same.adjusted_rand, same.moved.height, same.only_first) == (1.0, 0, ())
    assert same.matches["jaccard"].to_list() == [1.0] * definitions.clusters.height
    cluster, other = definitions.clusters["cluster"].head(2)
    mover = definitions.members.filter(cluster=cluster)["industry"][0]
    edits = pl.DataFrame({"cluster": [other], "industry": [mover], "reason": ["x"]})
    changed = cb.compare_definitions(definitions, cb.edit_definitions(definitions, edits))
    assert changed.moved.row(0) == (mover, cluster, other, cluster)
    assert 0 < changed.adjusted_rand < 1
    with pytest.raises(DefinitionError, match="0 industries in common"):
        cb.compare_definitions(definitions, cb.read_definitions(pl.DataFrame({"industry": ["q"], "cluster": ["c"]})))


def test_definitions_come_back_from_a_folder_as_they_were(tmp_path):
    definitions, _ = found_in()
    cb.save_definitions(definitions, tmp_path / "set")
    back = cb.open_definitions(tmp_path / "set")
    assert back.members.select(definitions.members.columns).equals(definitions.members)
    assert back.labels == definitions.labels
    assert back.tables.keys() == definitions.tables.keys()
    assert back.tables["related"]["cluster"].to_list() == definitions.tables["related"]["cluster"].to_list()
    stability = [table.clusters.filter(kind="traded").sort("cluster")["stability"] for table in (back, definitions)]
    assert stability[0].to_list() == pytest.approx(stability[1].to_list(), abs=1e-5)
    assert dict(back.parameters) == dict(definitions.parameters)
    cb.save_definitions(definitions, tmp_path / "set")  # replaces its own


def test_a_broken_folder_is_told(tmp_path, definitions):
    with pytest.raises(DefinitionError, match="holds no cluster definitions"):
        cb.open_definitions(tmp_path)
    cb.save_definitions(definitions, tmp_path / "set")
    (tmp_path / "set" / "record.yaml").write_text("method: 3\n")
    with pytest.raises(DataError, match="'method' is missing or not a str") as caught:
        cb.open_definitions(tmp_path / "set")
    assert len(caught.value.problems) == 5


def test_overlapping_definitions_count_nothing_twice(definitions):
    shared = overlapping(definitions)
    assert shared.members.group_by("industry").agg(pl.sum("weight"))["weight"].to_list() == pytest.approx(
        [1.0] * definitions.members["industry"].n_unique()
    )
    with pytest.raises(DefinitionError, match="no table of overlaps"):
        overlapping(cb.read_definitions(pl.DataFrame({"industry": ["1"], "cluster": ["c"]})))


def test_coarser_industries_are_divided_by_size():
    tree = pl.DataFrame({"industry": ["1", "11", "12"], "title": ["a", "b", "c"], "parent": [None, "1", "1"]})
    members = pl.DataFrame({"industry": ["11", "12"], "cluster": ["x", "y"], "size": [30.0, 10.0]})
    found = cb.read_definitions(members).assign(cb.Industries(tree), pl.Series(["1", "11"]))
    assert found.rows() == [("1", "x", 0.75), ("1", "y", 0.25), ("11", "x", 1.0)]
    even = cb.read_definitions(members.drop("size")).assign(cb.Industries(tree), pl.Series(["1"]))
    assert even.rows() == [("1", "x", 0.5), ("1", "y", 0.5)]


def test_what_does_not_meet_the_panel_is_told(definitions, panel):
    codes = panel.frame["industry"]
    assert definitions.gaps(panel.industries, codes) == {
        "unknown members": [],
        "in no cluster": [],
        "empty clusters": [],
    }
    other = cb.read_definitions(pl.DataFrame({"industry": ["1", "77"], "cluster": ["all of one", "nothing"]}))
    gaps = other.gaps(panel.industries, codes)
    assert gaps["unknown members"] == ["77"]
    assert gaps["empty clusters"] == ["nothing"]
    assert gaps["in no cluster"] == sorted(c for c in set(codes) if not c.startswith("1"))


# --- faults -----------------------------------------------------------------------------------------------------------


def test_a_table_of_other_codes_is_refused(panel):
    flows = read_flows(pl.DataFrame({"supplier": ["a", "b", "c"], "buyer": ["b", "c", "a"], "flow": [1.0, 2.0, 3.0]}))
    with pytest.raises(DefinitionError, match="knows none of the panel's industries"):
        cb.discover_definitions(panel, input_output=flows)


def test_faulty_flows_and_occupations_are_told(panel):
    with pytest.raises(DataError) as caught:
        read_flows(pl.DataFrame({"supplier": ["a", "a"], "buyer": ["b", "b"], "flow": ["x", "-1"]}))
    assert {p.check for p in caught.value.problems} >= {"duplicate keys", "not a number", "negative values"}
    with pytest.raises(ClusterbookError, match="lacks jobs"):
        cb.discover_definitions(panel, occupations=pl.DataFrame({"industry": ["11"], "occupation": ["x"]}))
    with pytest.raises(ClusterbookError, match="knows none of the industries"):
        cb.discover_definitions(
            panel, occupations=pl.DataFrame({"industry": ["zz"], "occupation": ["x"], "jobs": [1.0]})
        )


def test_occupations_are_one_side_more(panel):
    codes = sorted(panel.frame["industry"].unique())
    rows = [(code, f"trade {code[0]}", 90.0) for code in codes] + [(code, "clerk", 10.0) for code in codes[:-1]]
    occupations = pl.DataFrame(rows, schema=["industry", "occupation", "jobs"], orient="row")
    definitions = cb.discover_definitions(panel, occupations=occupations, n_clusters=(3, 3))
    assert "occupations" in set(definitions.tables["sides"]["side"])


def test_without_establishments_or_tree_there_are_fewer_sides():
    panel, truth = planted()
    bare = cb.Panel(panel.frame.drop("establishments"), panel.source, panel.regions, panel.industries)
    definitions = cb.discover_definitions(bare, n_clusters=(5, 12))
    assert set(definitions.tables["sides"]["side"]) == {"co-location of size", "coagglomeration"}
    assert agreement(definitions, truth) >= 0.8
    assert any("no establishments" in note for note in definitions.notes)
