"""Relatedness: known values, definitions spelled out pair by pair, an independent package, gaps and refusals."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clusterbook.errors import ClusterbookError
from clusterbook.measures.complexity import presence
from clusterbook.measures.relatedness import (
    coagglomeration,
    cooccurrence,
    cooccurrence_strength,
    excess_colocation,
    input_output_link,
    labour_flow_relatedness,
    locational_correlation,
    occupation_similarity,
    proximity,
    relatedness_density,
)

T5 = np.array(
    [[100, 0, 0, 0, 0], [0, 15, 5, 70, 10], [0, 20, 10, 20, 50], [0, 25, 30, 5, 40], [0, 40, 55, 5, 0]], dtype=float
)


def test_locational_correlation_of_the_reference_table() -> None:
    found = locational_correlation(T5)
    assert found[1, 2] == pytest.approx(0.9280036734)
    assert found[0, 1] == pytest.approx(-0.7669649888)
    assert np.allclose(found, np.corrcoef(T5, rowvar=False))


def test_partial_correlation_takes_out_what_size_explains() -> None:
    rng = np.random.default_rng(1)
    size = rng.uniform(10, 1000, 200)
    values = size[:, None] * (1 + 0.01 * rng.standard_normal((200, 2)))
    assert locational_correlation(values)[0, 1] > 0.99
    assert abs(locational_correlation(values, size=size)[0, 1]) < 0.2
    # the textbook formula of the partial correlation
    r = np.corrcoef(np.column_stack([values, size]), rowvar=False)
    expected = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert locational_correlation(values, size=size)[0, 1] == pytest.approx(expected)


def test_an_industry_without_variation_has_no_correlation() -> None:
    values = np.column_stack([T5[:, 1], np.zeros(5), T5[:, 2]])
    found = locational_correlation(values)
    assert np.isnan(found[1]).all()
    assert not np.isnan(found[[0, 2]][:, [0, 2]]).any()
    in_proportion = np.column_stack([T5[:, 1], 3 * np.arange(5.0), T5[:, 2]])
    assert np.isnan(locational_correlation(in_proportion, size=np.arange(5.0))[1]).all()


def test_suppressed_cells_are_refused() -> None:
    with pytest.raises(ClusterbookError, match="impute suppressed cells"):
        locational_correlation(np.array([[1.0, np.nan], [2.0, 3.0]]))


PHI = [
    [1, 0, 0, 0, 0],
    [0, 1, 2 / 3, 1 / 3, 2 / 3],
    [0, 2 / 3, 1, 0, 1 / 2],
    [0, 1 / 3, 0, 1, 1 / 2],
    [0, 2 / 3, 1 / 2, 1 / 2, 1],
]


def test_golden_coagglomeration() -> None:
    expected = np.array(
        [
            [np.nan, -0.25, -0.25, -0.25, -0.25],
            [-0.25, np.nan, 0.153125, -0.028125, 0.01875],
            [-0.25, 0.153125, np.nan, -0.128125, -0.03125],
            [-0.25, -0.028125, -0.128125, np.nan, -0.0125],
            [-0.25, 0.01875, -0.03125, -0.0125, np.nan],
        ]
    )
    np.testing.assert_allclose(coagglomeration(T5), expected, atol=1e-12)


def test_golden_proximity_and_density() -> None:
    # Values of the R package EconGeo.
    M = presence(T5)
    np.testing.assert_allclose(proximity(M), PHI, atol=1e-12)
    expected = [
        [1, 0, 0, 0, 0],
        [0, 0.125, 0, 0.5454545454545455, 0.1875],
        [0, 0.75, 0.5384615384615384, 1, 0.8125],
        [0, 0.875, 1, 0.45454545454545453, 0.8125],
        [0, 0.625, 0.7692307692307692, 0.18181818181818182, 0.4375],
    ]
    np.testing.assert_allclose(relatedness_density(M, PHI, own=True), expected, atol=1e-12)
    single = relatedness_density(M, np.array(PHI, dtype=np.float32), own=True)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, atol=1e-6)


def test_density_without_the_industry_itself() -> None:
    M, phi = presence(T5), np.array(PHI)
    found = relatedness_density(M, phi)
    assert np.isnan(found[:, 0]).all(), "the first industry is related to none"
    np.fill_diagonal(phi, 0)
    np.testing.assert_allclose(found[:, 1:], (M @ phi / phi.sum(axis=0).clip(1e-9))[:, 1:], atol=1e-12)
    gone = M.copy()
    gone[:, 3] = 0
    np.testing.assert_allclose(found[:, 3], relatedness_density(gone, np.array(PHI))[:, 3])


def test_golden_cooccurrence_strength() -> None:
    M = presence(T5)
    values = {"association": 1.8666666667, "cosine": 0.5163977795, "jaccard": 0.3333333333, "probability": 1.32}
    for method, expected in values.items():
        assert cooccurrence_strength(M, method)[1, 2] == pytest.approx(expected)  # type: ignore[arg-type]
        assert np.isnan(cooccurrence_strength(M, method)[0]).all(), "never together with another"  # type: ignore[arg-type]


def test_industries_that_are_nowhere_change_nothing_for_others() -> None:
    M = presence(T5)
    wider = np.insert(M, 2, 0, axis=1)
    keep = [0, 1, 3, 4, 5]
    phi = proximity(wider)
    assert np.isnan(phi[2]).all()
    np.testing.assert_allclose(phi[np.ix_(keep, keep)], PHI, atol=1e-12)
    found = relatedness_density(wider, phi)
    assert np.isnan(found[:, 2]).all()
    np.testing.assert_allclose(found[:, keep], relatedness_density(M, PHI), atol=1e-12)


def test_excess_colocation_is_what_dealing_places_anew_gives() -> None:
    plants = np.array([[2, 1], [0, 1], [1, 0]])
    # The region of each plant: three of the first industry, two of the second.
    places = [r for i in range(2) for r in range(3) for _ in range(plants[r, i])]
    together = np.mean(
        [
            np.mean([deal[a] == deal[b] for a in range(3) for b in range(3, 5)])
            for deal in itertools.permutations(places)
        ]
    )
    observed = (plants[:, 0] / 3) @ (plants[:, 1] / 2)
    assert excess_colocation(plants)[0, 1] == pytest.approx(observed - together)
    found = excess_colocation(np.array([[1, 0, 2], [1, 0, 2]]))
    assert np.isnan(found[1]).all()
    assert not np.isnan(found[0, 2])


def test_occupation_similarity() -> None:
    jobs = np.array([[80, 10, 10, 5], [60, 25, 15, 5], [5, 10, 90, 5], [0, 0, 0, 0]])
    shares = jobs[:3] / jobs[:3].sum(axis=1, keepdims=True)
    found = occupation_similarity(jobs)
    np.testing.assert_allclose(found[:3, :3], np.corrcoef(shares), atol=1e-12)
    assert np.isnan(found[3]).all()
    norm = np.linalg.norm(shares, axis=1)
    np.testing.assert_allclose(
        occupation_similarity(jobs, "cosine")[:3, :3], shares @ shares.T / np.outer(norm, norm), atol=1e-12
    )
    relative = shares - jobs.sum(axis=0) / jobs.sum()
    np.testing.assert_allclose(occupation_similarity(jobs, relative=True)[:3, :3], np.corrcoef(relative), atol=1e-12)


def test_labour_flows() -> None:
    flows = np.array([[90.0, 8, 2], [6, 50, 2], [2, 2, 70]])
    found = labour_flow_relatedness(flows, rescaled=False)
    assert found[0, 1] == pytest.approx((8 * 22 / (10 * 10) + 6 * 22 / (8 * 8)) / 2)
    np.testing.assert_allclose(labour_flow_relatedness(flows), (found - 1) / (found + 1))
    proportional = np.outer([1, 2, 3, 4], [1, 2, 3, 4])
    assert labour_flow_relatedness(proportional)[0, 1] < labour_flow_relatedness(proportional)[0, 3], (
        "own moves are out"
    )
    one_way = np.array([[0, 5, 3], [0, 0, 0], [0, 2, 0]])
    found = labour_flow_relatedness(one_way, rescaled=False)
    assert found[0, 1] == pytest.approx(5 * 10 / (8 * 7)), "nobody leaves the second: only the way into it counts"


def test_golden_input_output_link() -> None:
    Z = np.array([[10, 40, 5, 0], [20, 30, 10, 5], [0, 15, 20, 30], [5, 0, 25, 10]])
    found = input_output_link(Z)
    assert [found[0, 1], found[2, 3]] == pytest.approx([0.72727273, 0.66666667])
    np.testing.assert_allclose(found, found.T)
    nothing = Z.copy()
    nothing[3] = nothing[:, 3] = 0
    assert input_output_link(nothing)[0, 3] == 0


matrices = arrays(np.int8, st.tuples(st.integers(1, 8), st.integers(2, 7)), elements=st.integers(0, 1))


@settings(deadline=None, max_examples=60)
@given(matrices)
def test_proximity_by_its_definition(M: np.ndarray) -> None:
    phi, counts = proximity(M), cooccurrence(M)
    for i, j in itertools.product(range(M.shape[1]), repeat=2):
        k_i, k_j, both = M[:, i].sum(), M[:, j].sum(), int((M[:, i] & M[:, j]).sum())
        assert counts[i, j] == both
        if k_i and k_j:
            assert phi[i, j] == pytest.approx(min(both / k_i, both / k_j))
        else:
            assert np.isnan(phi[i, j])
    density = relatedness_density(M, phi, own=True)
    known = ~np.isnan(density)
    assert ((density[known] >= 0) & (density[known] <= 1 + 1e-12)).all()
    assert known.all(axis=0).tolist() == (M.sum(axis=0) > 0).tolist()


@settings(deadline=None, max_examples=60)
@given(matrices)
def test_strengths_by_their_definitions(M: np.ndarray) -> None:
    C = cooccurrence(M)
    np.fill_diagonal(C, 0)
    S, T = C.sum(axis=1), C.sum()
    found: dict[str, Any] = {
        method: cooccurrence_strength(M, method)  # type: ignore[arg-type]
        for method in ("association", "cosine", "jaccard", "probability")
    }
    for i, j in itertools.permutations(range(M.shape[1]), 2):
        if not (S[i] and S[j]):
            assert np.isnan([values[i, j] for values in found.values()]).all()
            continue
        assert found["association"][i, j] == pytest.approx((C[i, j] / T) / (S[i] / T * S[j] / T))
        assert found["cosine"][i, j] == pytest.approx(C[i, j] / np.sqrt(S[i] * S[j]))
        assert found["jaccard"][i, j] == pytest.approx(C[i, j] / (S[i] + S[j] - C[i, j]))
        expected = (S[i] / T * S[j] / (T - S[i]) + S[j] / T * S[i] / (T - S[j])) * T / 2
        assert found["probability"][i, j] == pytest.approx(C[i, j] / expected)


def test_gaps() -> None:
    E = T5.copy()
    E[1, 3] = np.nan
    assert np.isnan(coagglomeration(E)[3]).all()
    assert not np.isnan(coagglomeration(E)[np.ix_([0, 1, 2], [4])]).any()
    assert np.isnan(coagglomeration([[5, 6]])).all(), "one region"
    jobs = np.array([[1, np.nan], [1, 2], [3, 2]])
    assert np.isnan(occupation_similarity(jobs)[0]).all()
    assert not np.isnan(occupation_similarity(jobs)[1:, 1:]).any()


def test_errors_say_what_to_do() -> None:
    unknown = np.array([[1, np.nan], [0, 1]])
    for refuse in (proximity, cooccurrence, cooccurrence_strength, excess_colocation):
        with pytest.raises(ClusterbookError, match=r"has 1 missing values.*Impute suppressed cells"):
            refuse(unknown)
    for refuse in (labour_flow_relatedness, input_output_link):
        with pytest.raises(ClusterbookError, match="has 1 missing values"):
            refuse(unknown)
        with pytest.raises(ClusterbookError, match=r"shape \(1, 2\)\. Give industries x industries"):
            refuse([[1, 2]])
    with pytest.raises(ClusterbookError, match="other values than 0 and 1"):
        proximity([[0.5, 1]])
    with pytest.raises(ClusterbookError, match=r"shape \(2,\)\. Give regions x industries"):
        proximity([0, 1])
    with pytest.raises(ClusterbookError, match="method='other' is not known"):
        cooccurrence_strength([[1, 1]], "other")  # type: ignore[arg-type]
    M = np.ones((2, 3))
    with pytest.raises(ClusterbookError, match=r"relatedness has shape \(2, 2\); 3 industries need"):
        relatedness_density(M, np.ones((2, 2)))
    with pytest.raises(ClusterbookError, match="relatedness has negative"):
        relatedness_density(M, -np.ones((3, 3)))
    some = np.ones((3, 3))
    some[0, 1] = np.nan
    with pytest.raises(ClusterbookError, match="missing for some pairs"):
        relatedness_density(M, some)
    with pytest.raises(ClusterbookError, match="with own=True the diagonal"):
        relatedness_density(M, coagglomeration(T5[:, :3]), own=True)
