"""Significance of quotients: known values, exact laws against simulation, independent packages, gaps and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from statsmodels.stats.multitest import multipletests

from clusterbook.errors import ClusterbookError
from clusterbook.measures.plant_concentration import sum_plants
from clusterbook.measures.significance import (
    benjamini_hochberg,
    binomial_test,
    bootstrap_cutoffs,
    dartboard_simulation,
    dartboard_test,
    quotient_interval,
    shrunk_quotient,
    standardised_quotient,
)
from clusterbook.measures.specialisation import quotient_matrix

LQ = np.array(
    [[5, 0, 0, 0, 0], [0, 0.75, 0.25, 3.5, 0.5], [0, 1, 0.5, 1, 2.5], [0, 1.25, 1.5, 0.25, 2], [0, 2, 2.75, 0.25, 0]]
)


def test_golden_standardised_quotient() -> None:
    np.testing.assert_allclose(standardised_quotient(LQ)[:, 3], [-0.6911, 1.7277, 0, -0.5183, -0.5183], atol=5e-5)
    np.testing.assert_allclose(standardised_quotient(LQ), stats.zscore(LQ, ddof=1), atol=1e-12)


def test_logarithms_of_quotients() -> None:
    rng = np.random.default_rng(0)
    lq = rng.lognormal(0, 1, (40, 3))
    lq[:10, 0], lq[:25, 1] = 0, 0
    found = standardised_quotient(lq, log=True)
    assert np.isneginf(found[:10, 0]).all()
    np.testing.assert_allclose(found[10:, 0], stats.zscore(np.log(lq[10:, 0]), ddof=1))
    assert np.isnan(found[:, 1]).all(), "fifteen quotients are too few"
    lq[5, 2] = np.nan
    assert np.isnan(standardised_quotient(lq, log=True)[:, 2]).all()


def test_no_variation_has_no_standard() -> None:
    lq = np.column_stack([np.full(5, 0.1 + 0.2), [1, 2, 3, np.nan, 4], np.arange(5.0)])
    assert np.isnan(standardised_quotient(lq)).all(axis=0).tolist() == [True, True, False]
    assert np.isnan(standardised_quotient([[1.0, 2.0]])).all(), "one region"


def test_cutoffs_are_what_resampling_comes_to() -> None:
    rng = np.random.default_rng(0)
    z = rng.lognormal(size=(60, 1))
    k = int(np.ceil(0.9 * 60))
    resampled = np.sort(rng.choice(z[:, 0], (40_000, 60)), axis=1)[:, k - 1]
    found = bootstrap_cutoffs(z, level=0.9, confidence=0.9)
    assert found.cutoff[0] == pytest.approx(resampled.mean(), rel=0.005)
    low, high = np.quantile(resampled, [0.05, 0.95], method="inverted_cdf")
    assert [found.low[0], found.high[0]] == pytest.approx([low, high])


def test_cutoffs_with_gaps() -> None:
    z = np.column_stack([np.linspace(-1, 3, 50), np.linspace(-1, 3, 50)])
    z[3, 0] = np.nan
    z[:25, 1] = -np.inf
    found = bootstrap_cutoffs(z)
    assert np.isnan([part[0] for part in found]).all()
    assert np.isfinite([part[1] for part in found]).all(), "half of the regions without the industry"
    z[:, 1] = -np.inf
    assert np.isneginf(bootstrap_cutoffs(z).cutoff[1])
    with pytest.raises(ClusterbookError, match="level=95"):
        bootstrap_cutoffs(z, level=95)
    with pytest.raises(ClusterbookError, match=r"z has shape \(2,\)"):
        bootstrap_cutoffs([1, 2])


def test_golden_dartboard() -> None:
    E = np.array([[13000], [32000], [25000]])
    H = [0.2446887755102041]
    found = dartboard_test(E, H, [500000, 400000, 100000])
    np.testing.assert_allclose(found.z[:, 0], [-1.270713, 0.235803, 1.732791], atol=1e-6)
    np.testing.assert_allclose(found.p, stats.norm.sf(found.z))
    both = dartboard_test(E, H, [5, 4, 1], alternative="two-sided")
    np.testing.assert_allclose(both.p, 2 * stats.norm.sf(np.abs(found.z)))
    np.testing.assert_allclose(dartboard_test(E, H, [5, 4, 1], alternative="less").p, stats.norm.cdf(found.z))
    drawn = dartboard_test(E, H, [5, 4, 1], gamma=0.1)
    ratio = np.sqrt(H[0] / (0.1 + 0.9 * H[0]))
    np.testing.assert_allclose(drawn.z, found.z * ratio)


def test_dartboard_gaps() -> None:
    E = np.array([[5.0, np.nan, 0, 2], [5, 3, 0, 0], [0, 0, 0, 0]])
    found = dartboard_test(E, [0.2, 0.2, np.nan, 0.5], [1, 1, 0])
    assert np.isnan(found.p).tolist() == [[False, True, True, False], [False, True, True, False], [True] * 4]
    assert found.z[1, 3] < 0, "an empty cell is a figure"
    with pytest.raises(ClusterbookError, match="alternative='more' is not known"):
        dartboard_test(E, [0.2] * 4, alternative="more")  # type: ignore[arg-type]
    with pytest.raises(ClusterbookError, match=r"herfindahl has shape \(2,\)"):
        dartboard_test(E, [0.2, 0.2])
    with pytest.raises(ClusterbookError, match="outside 0 to 1"):
        dartboard_test(E, [2, 0, 0, 0])


def test_simulation_of_equal_plants_is_the_binomial_test() -> None:
    plants = np.array([[7], [2], [1]])
    x = [0.4, 0.4, 0.2]
    region = np.repeat([0, 1, 2], plants[:, 0])
    simulated = dartboard_simulation(np.full(10, 3.0), region, x, draws=20_000)
    np.testing.assert_allclose(simulated, binomial_test(plants, x)[:, 0], atol=0.01)
    np.testing.assert_array_equal(simulated, dartboard_simulation(np.full(10, 3.0), region, x, draws=20_000))


def test_simulation_of_one_large_plant() -> None:
    # The large plant decides: where it is there are as many jobs again whenever it lands there, and nearly never else.
    p = dartboard_simulation([1000, 1, 1, 1], [2, 0, 0, 1], [0.5, 0.3, 0.2], draws=5000)
    assert p[2] == pytest.approx(0.2, abs=0.02)
    normal = dartboard_test(
        [[2], [1], [1000]], sum_plants([2, 0, 0, 1], [0] * 4, [1000, 1, 1, 1]).herfindahl, [5, 3, 2]
    )
    assert normal.p[2, 0] < 0.05, "the approximation would call it significant"


def test_simulation_refuses() -> None:
    with pytest.raises(ClusterbookError, match="without jobs or of unknown size"):
        dartboard_simulation([1, 0], [0, 1], [1, 1])
    with pytest.raises(ClusterbookError, match="without jobs or of unknown size"):
        dartboard_simulation([1, np.nan], [0, 1], [1, 1])
    with pytest.raises(ClusterbookError, match="outside 0 to 1"):
        dartboard_simulation([1, 1], [0, 2], [1, 1])
    with pytest.raises(ClusterbookError, match="Give one for each plant"):
        dartboard_simulation([1, 1], [0], [1, 1])


@settings(deadline=None, max_examples=40)
@given(arrays(np.int64, (4, 3), elements=st.integers(0, 12)))
def test_binomial_test_is_that_of_scipy(B: np.ndarray) -> None:
    x = np.array([0.1, 0.2, 0.3, 0.4])
    greater, less = binomial_test(B, x), binomial_test(B, x, alternative="less")
    both = binomial_test(B, x, alternative="two-sided")
    for r, i in np.ndindex(4, 3):
        if not B[:, i].sum():
            assert np.isnan([greater[r, i], less[r, i], both[r, i]]).all()
            continue
        args = int(B[r, i]), int(B[:, i].sum()), x[r]
        assert greater[r, i] == pytest.approx(stats.binomtest(*args, alternative="greater").pvalue)
        assert less[r, i] == pytest.approx(stats.binomtest(*args, alternative="less").pvalue)
        # scipy's two-sided test adds up all outcomes that are no likelier; ours doubles the smaller tail.
        assert both[r, i] == pytest.approx(min(1, 2 * min(greater[r, i], less[r, i])))


def test_binomial_gaps_and_refusals() -> None:
    found = binomial_test([[1, np.nan], [2, 3]], [1, 1])
    assert np.isnan(found).tolist() == [[False, True], [False, True]]
    with pytest.raises(ClusterbookError, match="plants holds fractions"):
        binomial_test([[1.5]])


def test_interval_is_the_spread_of_simulated_quotients() -> None:
    p = np.array([[0.1, 0.1], [0.1, 0.7]])
    rng = np.random.default_rng(0)
    draws = rng.multinomial(2000, p.ravel(), size=20_000).reshape(-1, 2, 2)
    logs = np.log([quotient_matrix(draw)[0, 0] for draw in draws[:5000]])
    low, high = quotient_interval(2000 * p)
    half = np.log(high[0, 0] / low[0, 0]) / 2 / stats.norm.ppf(0.975)
    assert half == pytest.approx(logs.std(), rel=0.03)
    assert np.sqrt(low * high) == pytest.approx(quotient_matrix(p))


def test_interval_of_jobs_counts_them_in_plants() -> None:
    plants = np.array([[4.0, 9], [6, 20], [0, 7]])
    by_plants = quotient_interval(plants)
    by_jobs = quotient_interval(plants * 10, 1 / plants.sum(axis=0))
    np.testing.assert_allclose(by_jobs.low, by_plants.low)
    np.testing.assert_allclose(by_jobs.high, by_plants.high)
    lumpy = quotient_interval(plants * 10, 4 / plants.sum(axis=0))
    assert (lumpy.high > by_plants.high).all()


def test_interval_edges() -> None:
    low, high = quotient_interval([[0, 20, 0], [30, 10, 0], [0, 0, 0]])
    assert low[0, 0] == 0
    assert 0 < high[0, 0] < 1
    assert np.isnan(high[2]).all()
    assert np.isnan(high[:, 2]).all()
    assert np.isnan(low[2]).all()
    low, high = quotient_interval([[np.nan, 20], [30, 10]])
    assert np.isnan(high[:, 0]).all()
    assert np.isfinite(high[:, 1]).all()
    with pytest.raises(ClusterbookError, match="confidence=95"):
        quotient_interval([[1]], confidence=95)
    with pytest.raises(ClusterbookError, match=r"herfindahl has shape \(2,\)"):
        quotient_interval([[1]], [0.5, 0.5])


def test_shrinkage_finds_the_prior_again() -> None:
    rng = np.random.default_rng(0)
    x = rng.dirichlet(np.full(3000, 2.0))
    theta = rng.gamma(4, 1 / 4, 3000)
    B = rng.poisson(15_000 * x * theta)
    found = shrunk_quotient(B[:, None], x)
    assert found.alpha[0] == pytest.approx(4, rel=0.15)
    raw = B / B.sum() / x
    assert ((found.mean[:, 0] - theta) ** 2).mean() < ((raw - theta) ** 2).mean(), "nearer to the truth"
    assert (found.low[:, 0] < theta).mean() == pytest.approx(0.95, abs=0.015)


def test_shrinkage_of_pure_chance() -> None:
    found = shrunk_quotient([[10], [20], [30]], [1, 2, 3])
    assert np.isinf(found.alpha).all()
    assert found.mean.tolist() == [[1], [1], [1]]
    assert found.low.tolist() == [[1], [1], [1]]
    gaps = shrunk_quotient([[10, np.nan, 0], [2, 3, 0]], [1, 1])
    assert np.isnan(gaps.mean).tolist() == [[False, True, True]] * 2
    assert np.isnan(gaps.low).tolist() == [[False, True, True]] * 2
    assert np.isnan(gaps.alpha).tolist() == [False, True, True]


@settings(deadline=None, max_examples=60)
@given(arrays(np.float64, (5, 4), elements=st.floats(0, 1)), st.integers(0, 19))
def test_false_discoveries_as_two_packages_have_them(p: np.ndarray, gap: int) -> None:
    np.testing.assert_allclose(
        benjamini_hochberg(p), stats.false_discovery_control(p.ravel()).reshape(p.shape), atol=1e-12
    )
    np.testing.assert_allclose(benjamini_hochberg(p, axis=0), stats.false_discovery_control(p, axis=0), atol=1e-12)
    np.testing.assert_allclose(benjamini_hochberg(p, axis=1), stats.false_discovery_control(p, axis=1), atol=1e-12)
    holed = p.ravel().copy()
    holed[gap] = np.nan
    found = benjamini_hochberg(holed)
    assert np.isnan(found[gap])
    np.testing.assert_allclose(np.delete(found, gap), multipletests(np.delete(holed, gap), method="fdr_bh")[1])


def test_false_discoveries_refuse() -> None:
    with pytest.raises(ClusterbookError, match="outside 0 to 1"):
        benjamini_hochberg([2])
