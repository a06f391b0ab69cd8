"""Complexity: known values, the package ecomplexity, matrices that fall apart, fitness and outlook."""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clusterbook.errors import ClusterbookError
from clusterbook.measures.complexity import (
    complexity,
    complexity_outlook,
    diversity,
    fitness,
    presence,
    ubiquity,
)
from clusterbook.measures.relatedness import proximity, relatedness_density
from clusterbook.measures.specialisation import quotient_matrix

# The network of Hidalgo and Hausmann (2009, figure S4), as in the manual of the R package EconGeo, whose own KCI rounds
# to four digits inside and cannot be compared with.
HH4 = np.array([[1, 1, 1, 1], [0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1]])
WORLD = Path(__file__).parents[2] / "shared" / "data" / "trade" / "world_trade_sitc_avg_1998_2000.parquet"


def nested(R: int, I: int) -> np.ndarray:  # noqa: E741
    """Make a triangle: the first region has everything, the last only the commonest industry."""
    return (np.arange(I)[None, :] * R < (R - np.arange(R))[:, None] * I).astype(float)


def test_golden_complexity() -> None:
    found = complexity(HH4)
    assert found.eci == pytest.approx([-0.075353089, -1.6029160657, 0.7477882019, 0.9304809527])
    assert found.pci == pytest.approx([-0.1222968316, -1.5735910844, 0.6597463594, 1.0361415566])
    assert found.eigenvalues == pytest.approx((0.5421337132, 0.1901543016))
    assert found.notes == ()
    assert diversity(HH4).tolist() == [4, 1, 2, 1]
    assert ubiquity(HH4).tolist() == [1, 2, 2, 3]


def test_presence_at_exactly_one_counts() -> None:
    E = np.outer([3, 7, 9], [11, 13, 17])
    assert presence(E).all(), "in proportion is a quotient of 1 everywhere"
    divided = quotient_matrix(np.outer([0.1, 0.7, 0.3], [0.3, 0.9, 1.1]))
    assert (divided < 1).any(), "which division misses by rounding"


def test_presence_edges() -> None:
    E = np.array([[5.0, 0, 1, 0], [0, np.nan, 3, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(presence(E), [[1, 0, 0, 0], [0, np.nan, 1, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(presence(E, threshold=3), np.where(np.isnan(E), np.nan, 0))
    assert np.isnan(diversity(presence(E))).tolist() == [False, True, False]
    with pytest.raises(ClusterbookError, match="threshold=0 marks everything"):
        presence(E, threshold=0)


def random_table(seed: int, R: int = 90, I: int = 80) -> np.ndarray:  # noqa: E741
    rng = np.random.default_rng(seed)
    skill = np.linspace(3, 0, R)[:, None] * np.linspace(-1, 1, I)[None, :]
    return np.round(np.exp(rng.normal(3, 1, (R, I)) + skill))


def test_ecomplexity_agrees() -> None:
    from ecomplexity import ecomplexity

    E = random_table(1)
    R, I = E.shape  # noqa: E741
    frame = pd.DataFrame(
        {
            "year": 2019,
            "region": np.repeat([f"R{r:03d}" for r in range(R)], I),
            "industry": np.tile([f"I{i:03d}" for i in range(I)], R),
            "jobs": E.ravel(),
        }
    )
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        columns = {"time": "year", "loc": "region", "prod": "industry", "val": "jobs"}
        table = ecomplexity(frame, columns).sort_values(["region", "industry"])
    peer = {
        name: table[name].to_numpy(dtype=float).reshape(R, I) for name in ("mcp", "eci", "pci", "density", "coi", "cog")
    }
    M = presence(E)
    np.testing.assert_array_equal(M, peer["mcp"])
    found, phi = complexity(M), proximity(M)
    np.testing.assert_allclose(found.eci, peer["eci"][:, 0], atol=1e-9)
    # It standardises PCI by the mean and deviation of ECI; ours by its own.
    pci = peer["pci"][0]
    np.testing.assert_allclose(found.pci, (pci - pci.mean()) / pci.std(), atol=1e-9)
    np.testing.assert_allclose(relatedness_density(M, phi, own=True), peer["density"], atol=1e-12)
    # It takes index and gain from PCI before standardising that, and standardises the index itself: the same up to
    # mean and unit, which are fitted here and nothing else.
    raw, shifted = complexity_outlook(M, phi, pci), complexity_outlook(M, phi, np.ones(I))
    for ours, theirs in (
        (np.column_stack([raw.outlook, shifted.outlook, np.ones(R)]), peer["coi"][:, 0]),
        (np.column_stack([raw.gain.ravel(), shifted.gain.ravel()]), peer["cog"].ravel()),
    ):
        fit, *_ = np.linalg.lstsq(ours, theirs)
        np.testing.assert_allclose(ours @ fit, theirs, atol=1e-9)


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (40, 130), (130, 100)])
def test_eigenvectors_of_the_definition(shape: tuple[int, int]) -> None:
    M = presence(random_table(2, *shape)).astype(float)
    M[M.sum(axis=1) == 0, 0] = 1
    M[0, M.sum(axis=0) == 0] = 1
    k_r, k_i = M.sum(axis=1), M.sum(axis=0)
    values, vectors = np.linalg.eig((M / k_r[:, None]) @ (M / k_i).T)
    order = np.argsort(-values.real)
    eci = vectors[:, order[1]].real
    eci = (eci - eci.mean()) / eci.std()
    eci *= np.sign(np.corrcoef(eci, k_r)[0, 1])
    found = complexity(M)
    np.testing.assert_allclose(found.eci, eci, atol=1e-7)
    assert found.eigenvalues[0] == pytest.approx(values.real[order[1]], abs=1e-9)
    assert found.eigenvalues[1] == pytest.approx(values.real[order[2]], rel=0.01)
    producers = (M.T @ found.eci) / k_i
    assert np.corrcoef(found.pci, producers)[0, 1] == pytest.approx(1)


def test_parts_that_have_nothing_to_do_with_each_other() -> None:
    M = np.zeros((9, 8))
    M[:4, :4] = HH4
    M[4:7, 4:6] = [[1, 1], [0, 1], [1, 0]]
    found = complexity(M)
    np.testing.assert_allclose(found.eci[:4], complexity(HH4).eci, atol=1e-9)
    np.testing.assert_allclose(complexity(M[::-1, ::-1]).eci[::-1], found.eci, atol=1e-9)
    assert np.isnan(found.eci[4:]).all()
    assert np.isnan(found.pci[4:]).all()
    assert found.notes == (
        "2 regions have no industry and 2 industries no region. They have no complexity.",
        "M falls apart into 2 unconnected parts. Complexity is that of the largest; 3 regions and 2 industries are "
        "outside it.",
    )


def test_complexity_that_is_not_there() -> None:
    for M in (np.ones((4, 3)), np.ones((1, 3)), np.ones((3, 1)), np.zeros((3, 2)), np.eye(3)):
        found = complexity(M)
        assert np.isnan(found.eci).all()
        assert "M has no second dimension: complexity is not defined." in found.notes


def test_complexity_that_is_not_unique() -> None:
    cycle = np.eye(6) + np.roll(np.eye(6), 1, axis=1)
    assert complexity(cycle).notes == (
        "The second and third eigenvalues are equal: complexity is one of many that fit as well.",
    )


def test_ties_and_parts_are_found_by_iteration_too() -> None:
    cycle = np.eye(100) + np.roll(np.eye(100), 1, axis=1)
    found = complexity(cycle)
    assert found.eigenvalues[0] == pytest.approx((1 + np.cos(2 * np.pi / 100)) / 2)
    assert found.notes[-1].startswith("The second and third eigenvalues are equal")
    apart = complexity(np.kron(np.eye(2), nested(50, 50)))
    assert "M falls apart into 2 unconnected parts" in apart.notes[0]
    np.testing.assert_allclose(apart.eci[~np.isnan(apart.eci)], complexity(nested(50, 50)).eci, atol=1e-7)


def test_small_regions_are_named() -> None:
    found = complexity(HH4, size=[1000, 1000, 1000, 2])
    assert found.notes == (
        "1 of the ten most complex regions have less than a hundredth of the mean size (rows 3). "
        "Leave small regions out before ranking.",
    )
    assert complexity(HH4, size=[1, 1, 1, 1]).notes == ()
    with pytest.raises(ClusterbookError, match=r"size has shape \(2,\)"):
        complexity(HH4, size=[1, 2])


@settings(deadline=None, max_examples=40)
@given(arrays(np.int8, (12, 9), elements=st.sampled_from([0, 1, 1])), st.integers(0, 5))
def test_order_of_regions_and_industries_does_not_matter(M: np.ndarray, seed: int) -> None:
    found = complexity(M)
    assume(not found.notes and found.eigenvalues[0] - found.eigenvalues[1] > 3e-3)
    assume(abs(np.corrcoef(found.eci, M.sum(axis=1))[0, 1]) > 3e-3)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(12), rng.permutation(9)
    again = complexity(M[rows][:, columns])
    np.testing.assert_allclose(again.eci, found.eci[rows], atol=1e-6)
    np.testing.assert_allclose(again.pci, found.pci[columns], atol=1e-6)
    assert found.eci.mean() == pytest.approx(0, abs=1e-9)
    assert found.eci.std() == pytest.approx(1)


def test_fitness_step_by_step() -> None:
    M = random_table(3, 12, 10) > 20
    M[0], M[:, 0] = True, True
    F, Q = np.ones(12), np.ones(10)
    for _ in range(7):
        F, Q = M @ Q, 1 / (M.T @ (1 / F))
        F, Q = F / F.mean(), Q / Q.mean()
    found = fitness(M, steps=7)
    np.testing.assert_allclose(found.fitness, F)
    np.testing.assert_allclose(found.complexity, Q)
    assert found.steps == 7


def test_fitness_ranks_a_nested_table_and_stops() -> None:
    found = fitness(nested(15, 15))
    assert found.stable
    assert found.steps < 200
    assert (np.diff(found.fitness) < 0).all(), "the region with everything is the fittest"
    assert (np.diff(found.complexity) > 0).all(), "what only that region has is the most complex"
    assert not fitness(nested(15, 15), limit=3).stable


def test_fitness_stops_when_ranks_have_settled_and_not_before() -> None:
    M = presence(random_table(4))
    found = fitness(M, patience=10)
    orders = [np.argsort(fitness(M, steps=found.steps - k).fitness).tolist() for k in range(11)]
    assert all(order == orders[0] for order in orders)
    earlier = fitness(M, steps=found.steps - 11)
    same_places = np.argsort(earlier.fitness).tolist() == orders[0]
    same_industries = np.argsort(earlier.complexity).tolist() == np.argsort(found.complexity).tolist()
    assert not (same_places and same_industries), "ten updates would have been reached earlier"


def test_fitness_that_runs_to_zero_stays_a_number() -> None:
    # The second region loses nine tenths with every other update; its reciprocal must neither overflow nor turn NaN.
    M = np.ones((2, 11))
    M[1, 1:] = 0
    found = fitness(np.vstack([M, M[1:]]), steps=3000)
    assert found.fitness.tolist() == pytest.approx([3, 0, 0])
    assert np.isfinite(found.complexity).all()
    assert found.rank.tolist() == [1, 2, 2]


def test_ranks_are_told_apart_where_values_are_zero() -> None:
    chain = np.tril(np.ones((5, 40)), k=0)[::-1].copy()
    chain[0] = 1
    early, late = fitness(chain, steps=60), fitness(chain, steps=3000)
    assert (late.fitness[1:] == 0).all()
    assert late.rank.tolist() == early.rank.tolist() == [1, 2, 3, 4, 5]


def test_fitness_edges() -> None:
    found = fitness([[1, 1, 0], [1, 0, 0], [0, 0, 0]])
    assert np.isnan(found.fitness).tolist() == [False, False, True]
    assert np.isnan(found.complexity).tolist() == [False, False, True]
    empty = fitness(np.zeros((2, 2)))
    assert np.isnan(empty.fitness).all()
    assert (empty.steps, empty.stable) == (0, False)
    with pytest.raises(ClusterbookError, match="steps=0"):
        fitness(HH4, steps=0)


def test_outlook_by_its_definition() -> None:
    M, phi, pci = HH4.astype(float), proximity(HH4), complexity(HH4).pci
    found = complexity_outlook(M, phi, pci)
    density = relatedness_density(M, phi, own=True)
    for r in range(4):
        absent = [i for i in range(4) if not M[r, i]]
        assert found.outlook[r] == pytest.approx(sum(density[r, i] * pci[i] for i in absent))
        for i in range(4):
            nearer = sum(pci[j] * phi[i, j] / phi[:, j].sum() for j in absent)
            assert found.gain[r, i] == pytest.approx(nearer if i in absent else 0)


def test_outlook_leaves_out_industries_without_complexity() -> None:
    M = np.insert(HH4, 1, 0, axis=1)
    phi, pci = proximity(M), complexity(M).pci
    found = complexity_outlook(M, phi, pci)
    narrow = complexity_outlook(HH4, proximity(HH4), complexity(HH4).pci)
    np.testing.assert_allclose(found.outlook, narrow.outlook)
    assert np.isnan(found.gain[:, 1]).all()
    np.testing.assert_allclose(np.delete(found.gain, 1, axis=1), narrow.gain)


def test_errors_say_what_to_do() -> None:
    for refuse in (complexity, fitness):
        with pytest.raises(ClusterbookError, match="M has 1 missing values"):
            refuse([[1, np.nan], [0, 1]])
        with pytest.raises(ClusterbookError, match="other values than 0 and 1"):
            refuse([[2, 1], [0, 1]])
    with pytest.raises(ClusterbookError, match=r"pci has shape \(3,\)\. Give one for each of 4"):
        complexity_outlook(HH4, proximity(HH4), [1, 2, 3])


@pytest.mark.skipif(not WORLD.exists(), reason="world trade is not bundled")
def test_world_trade() -> None:
    # Values of numpy, ecomplexity and the R package economiccomplexity, whose 'iterations = 20' makes 19 updates.
    cells = pl.read_parquet(WORLD).pivot("product", index="country", values="value").sort("country").fill_null(0)
    E = cells.drop("country").to_numpy().astype(float)
    place = {code: k for k, code in enumerate(cells["country"])}
    products = {code: k for k, code in enumerate(cells.columns[1:])}
    M = presence(E)
    assert M.sum(dtype=np.float64) == 31951
    assert proximity(M)[products["0011"], products["0012"]] == pytest.approx(0.3658536585)
    found = complexity(M, size=E.sum(axis=1))
    top = {"sgs": 2.3399, "jpn": 2.2626, "hmd": 1.9896, "gbr": 1.9242, "deu": 1.8844}
    assert [found.eci[place[code]] for code in top] == pytest.approx(list(top.values()), abs=1e-4)
    assert f"rows {place['hmd']}" in found.notes[-1] or f", {place['hmd']}" in found.notes[-1]
    by_fitness = fitness(M, steps=19).fitness
    fittest = {"deu": 3.812896, "esp": 3.359721, "ita": 3.234117, "fra": 3.12151, "cze": 3.109008}
    assert [by_fitness[place[code]] for code in fittest] == pytest.approx(list(fittest.values()), abs=1e-5)
