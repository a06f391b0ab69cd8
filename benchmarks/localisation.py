"""Localisation of plants: bands of the K-density and of M, all industries of a plant set, Ripley's K."""

from __future__ import annotations

from benchmarks.measuring import Row, measure

SETUP = """
import numpy as np, shapely
from clusterbook.measures.localisation import k_density, k_densities
from clusterbook.measures.neighbourhoods import marcon_puech, ripley_k
rng = np.random.default_rng(0)
points = rng.uniform(0, 300_000, ({plants}, 2))
member = np.arange({plants}) < {plants} // 10
grid = np.linspace(0, 100_000, 101)
distances = np.linspace(0, 50_000, 51)
"""
WARM = """
k_density(points, member, distances=grid, simulations=2)
marcon_puech(points, member, distances, simulations=2)
"""
NO_CACHE = "import os, tempfile; os.environ['NUMBA_CACHE_DIR'] = tempfile.mkdtemp()\n"
# The same statistic and null as published, pair by pair: what one would write with SciPy.
PEER = """
from scipy.spatial.distance import pdist
def density(points, h):
    near = pdist(points)
    pairs, near = len(near), near[near < grid[-1] + 4 * h]
    return [
        (np.exp(-0.5 * ((d - near) / h) ** 2) + np.exp(-0.5 * ((d + near) / h) ** 2)).sum() / (pairs * h) for d in grid
    ]
for _ in range({draws}):
    density(points[rng.choice(len(points), member.sum(), replace=False)], 5_000)
"""
BATCH = """
sizes = np.minimum(rng.zipf(1.5, 300) * 20, {plants} // 10)
codes = np.repeat(np.arange(300).astype(str), sizes)[: {plants}]
codes = np.concatenate([codes, np.full({plants} - len(codes), "0")])
rng.shuffle(codes)
"""
PEER_RIPLEY = "from pointpats.distance_statistics import k"


def run(*, quick: bool = False) -> list[Row]:
    """Time bands with 100 draws of a tenth of all plants, and 1,000 draws for every industry."""
    plants, all_plants, draws = (2_000, 5_000, 100) if quick else (10_000, 40_000, 1000)
    setup = SETUP.format(plants=plants)
    ours = "k_density(points, member, distances=grid, simulations=100)"
    compiling, _ = measure(ours, setup=NO_CACHE + setup)
    first, _ = measure(ours, setup=setup)
    warm, peak = measure(ours, setup=setup + WARM, runs=3)
    peer, peer_peak = measure(PEER.format(draws=2), setup=setup)
    m, m_peak = measure("marcon_puech(points, member, distances, simulations=100)", setup=setup + WARM)
    batch, batch_peak = measure(
        f"found = k_densities(points, codes, simulations={draws})",
        setup=SETUP.format(plants=all_plants) + BATCH.format(plants=all_plants),
    )
    window = "some = points[:2000]; window = shapely.MultiPoint(some).convex_hull; ripley_k(some, window, [1000.0])"
    ripley, _ = measure("ripley_k(some, window, distances, correction='none')", setup=setup + window)
    theirs, _ = measure("k(some, support=distances)", setup=setup + window + "\n" + PEER_RIPLEY)
    return [
        {
            "name": f"K-density, {plants // 10:,} of {plants:,} plants, 100 draws, warm",
            "seconds": warm,
            "peak_mb": peak,
            "ratio": peer * 50 / warm,
            "note": "target 0.5 s",
        },
        {"name": "  first call of a process (kernels on disk)", "seconds": first},
        {"name": "  first call ever (compiles)", "seconds": compiling},
        {
            "name": "  peer: pair by pair with SciPy",
            "seconds": peer * 50,
            "peak_mb": peer_peak,
            "note": "scaled up from 2 draws",
        },
        {"name": f"M, {plants // 10:,} of {plants:,} plants, 100 relabellings", "seconds": m, "peak_mb": m_peak},
        {
            "name": f"K-density, every industry of {all_plants:,} plants, {draws:,} draws",
            "seconds": batch,
            "peak_mb": batch_peak,
            "note": "up to 300 industries of 20 plants and more",
        },
        {"name": "Ripley's K, 2,000 points", "seconds": ripley, "ratio": theirs / ripley, "note": "peer: pointpats k"},
    ]
