"""Definitions as communities in the graph of most similar industries."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterbook.clusters.communities import (
    PROXIMITY,
    _choice,
    community_definitions,
    regional_proximity,
    scan_resolutions,
    side_affinity,
)
from clusterbook.clusters.discovery import Evidence
from clusterbook.clusters.editing import mean_score, score_definitions
from clusterbook.clusters.similarity import CLASSIFICATION, Similarities
from clusterbook.data.industries import Industries
from clusterbook.data.matrix import Matrix
from clusterbook.errors import ClusterbookError, DefinitionError


def blocks(groups: int = 4, size: int = 8, noise: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(3)
    n = groups * size
    matrix = np.kron(np.eye(groups), np.ones((size, size))) + rng.normal(0, noise, (n, n))
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1.0)
    return matrix


def codes(n: int) -> tuple[str, ...]:
    return tuple(f"i{k:02d}" for k in range(n))


def evidence() -> Evidence:
    """Four groups of six industries; each group sits in three of twelve regions. One local industry."""
    rng = np.random.default_rng(4)
    names = codes(24)
    jobs = rng.integers(1, 5, (12, 24)).astype(float)
    for region in range(12):
        jobs[region, 6 * (region // 3) : 6 * (region // 3) + 6] += 200 + 40 * (region // 3)
    total = jobs.sum(axis=1) + 100
    size = Matrix(jobs, tuple(f"r{k}" for k in range(12)), names)
    sides = Similarities(names, {"co-location": np.corrcoef(jobs.T), CLASSIFICATION: np.eye(24)})
    held = dict(zip(names, jobs.sum(axis=0).tolist(), strict=True)) | {"shops": 1200.0}
    return Evidence(2020, size, None, total, ("shops",), sides, held, True)


def test_communities_are_found_and_numbered_by_size() -> None:
    found = community_definitions(evidence(), n_clusters=(2, 10))
    traded = found.clusters.filter(kind="traded")
    assert traded["cluster"].to_list() == ["t01", "t02", "t03", "t04"]
    assert found.members.filter(cluster="t01")["industry"].to_list() == [f"i{k}" for k in range(18, 24)]
    assert found.members.filter(cluster="l")["industry"].to_list() == ["shops"]
    assert found.members["weight"].unique().to_list() == [1.0]
    assert mean_score(score_definitions(found, evidence())) == 1.0
    assert found.notes == ()


def test_matrices_of_ones_own_need_no_panel() -> None:
    found = community_definitions(Similarities(codes(48), {"mine": blocks(4, 12)}), side="mine", n_clusters=(2, 9))
    assert found.clusters.height == 4
    assert found.parameters["side"] == "mine"
    assert found.scores["modularity"] == pytest.approx(0.75, abs=0.02)
    assert found.scores["agreement with neighbouring resolutions"] == 1.0


def test_titles_of_a_classification_make_labels() -> None:
    titles = {code: f"Making of {'abcd'[k // 8]}" for k, code in enumerate(codes(32))}
    tree = Industries(pl.DataFrame({"industry": list(titles), "title": list(titles.values())}))
    found = community_definitions(Similarities(codes(32), {"mine": blocks()}), tree, n_clusters=(2, 9))
    assert sorted(label.split(" (")[0] for label in found.clusters["label"]) == [f"Making of {k}" for k in "abcd"]


def test_a_given_resolution_is_taken_with_its_neighbours_for_comparison() -> None:
    found = community_definitions(Similarities(codes(32), {"mine": blocks()}), resolution=1.0)
    table = found.tables["resolutions"]
    assert table["chosen"].to_list() == [False, True, False]
    assert table["resolution"].to_list() == pytest.approx([1 / 1.2, 1.0, 1.2])
    assert found.parameters["rule"] == "resolution given"


def test_higher_resolutions_give_more_communities() -> None:
    affinity = blocks(noise=0.6)
    np.fill_diagonal(affinity, 0.0)
    scan, parts = scan_resolutions(affinity, resolutions=[0.3, 1.0, 8.0])
    assert scan["communities"].is_sorted()
    assert scan["communities"][2] > scan["communities"][0]
    assert scan["with_next"].to_list()[-1] is None
    assert scan["agreement"][1] == min(scan["with_next"][0], scan["with_next"][1])
    assert [len(np.unique(labels)) for labels in parts] == scan["communities"].to_list()


@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0, 1)), min_size=1, max_size=20))
@settings(max_examples=80, deadline=None)
def test_the_choice_keeps_to_the_wanted_numbers_where_it_can(rows: list[tuple[int, float]]) -> None:
    scan = pl.DataFrame(
        {
            "clusters": [n for n, _ in rows],
            "with_next": [*(a for _, a in rows[:-1]), None],
            "agreement": [a for _, a in rows],
        },
        schema_overrides={"with_next": pl.Float64},
    )
    chosen = scan["clusters"][_choice(scan, (10, 20), 300)]
    if any(10 <= n <= 20 for n, _ in rows):
        assert 10 <= chosen <= 20
    else:
        assert max(10 - chosen, chosen - 20) == min(max(10 - n, n - 20) for n, _ in rows)


def test_the_longest_plateau_wins_over_the_single_best() -> None:
    scan = pl.DataFrame(
        {
            "clusters": [10, 11, 12, 13, 14],
            "with_next": [0.5, 0.85, 0.9, 0.3, None],
            "agreement": [1.0, 0.5, 0.85, 0.3, 0.3],
        }
    )
    assert _choice(scan, (10, 20), 300) == 2


def test_proximity_is_by_regions_that_are_specialised() -> None:
    size = Matrix(np.array([[9.0, 9.0, 1.0], [9.0, 1.0, 1.0], [1.0, 1.0, 9.0]]), ("a", "b", "c"), ("x", "y", "z"))
    near = regional_proximity(size, size.values.sum(axis=1))
    assert near[0, 1] == 0.5  # both regions of x, one of them also y's
    assert near[0, 2] == 0.0
    found = community_definitions(evidence(), side=PROXIMITY, n_clusters=(2, 10))
    assert found.clusters.filter(kind="traded").height == 4


def test_all_sides_leave_the_classification_out() -> None:
    assert np.array_equal(side_affinity(evidence()), side_affinity(evidence(), "co-location"))


def test_small_communities_are_left_out_and_counted() -> None:
    matrix = np.eye(23)
    matrix[:21, :21] = np.kron(np.eye(3), np.ones((7, 7)))
    found = community_definitions(Similarities(codes(23), {"mine": matrix}), resolution=1.0)
    assert found.members.height == 21
    assert found.notes == ("2 of 23 traded industries are in no cluster.",)


def test_what_cannot_be_done_is_refused() -> None:
    mine = Similarities(codes(32), {"mine": blocks()})
    with pytest.raises(ClusterbookError, match=r"no side 'mime' \(did you mean 'mine'\?\)"):
        community_definitions(mine, side="mime")
    with pytest.raises(ClusterbookError, match="There is no side 'proximity'"):
        community_definitions(mine, side=PROXIMITY)
    with pytest.raises(ClusterbookError, match="must be above 0"):
        community_definitions(mine, resolution=0)
    with pytest.raises(ClusterbookError, match="5 industries are too few"):
        community_definitions(Similarities(codes(5), {"mine": np.eye(5)}))
    with pytest.raises(DefinitionError, match="0 communities of at least 9 industries"):
        community_definitions(mine, resolution=1.0, smallest=9)
