"""Spatial association: all industries at once against esda, one at a time; the scan against itself in NumPy."""

from __future__ import annotations

from benchmarks.measuring import Row, measure

PEER_INDUSTRIES = 10  # esda is timed on these and scaled up

SETUP = """
import numpy as np
from scipy import sparse
from scipy.spatial import Delaunay
from clusterbook.measures.spatial import local_moran, getis_ord, adjusted_p
from clusterbook.measures.weights import row_standardised
rng = np.random.default_rng(0)
start, neighbours = Delaunay(rng.uniform(0, 1e6, ({regions}, 2))).vertex_neighbor_vertices
W = row_standardised(sparse.csr_array((np.ones(len(neighbours)), neighbours, start), shape=({regions}, {regions})))
Y = rng.lognormal(size=({regions}, {industries})) * (rng.random(({regions}, {industries})) < 0.2)
"""
NO_CACHE = "import os, tempfile; os.environ['NUMBA_CACHE_DIR'] = tempfile.mkdtemp()\n"
PEER_SETUP = """
import warnings; warnings.simplefilter("ignore")
import esda, libpysal
w = libpysal.weights.WSP(W).to_W(silence_warnings=True)
"""
PEER_WARM = "esda.Moran_Local(Y[:, 0], w, permutations=999, seed=1)"
PEER = f"for i in range({PEER_INDUSTRIES}): esda.Moran_Local(Y[:, i], w, permutations=999, seed=1)"
SCAN = """
import numpy as np
from clusterbook.measures.scan import spatial_scan
rng = np.random.default_rng(0)
points, population = rng.uniform(0, 1e6, ({regions}, 2)), rng.integers(100, 1000, {regions})
cases = rng.poisson(population / 100)
spatial_scan(cases[:50], population[:50], points[:50], simulations=9)
"""


def run(*, quick: bool = False) -> list[Row]:
    """Time 999 permutations of the local Moran of sparse quotients (80 % zeros), cold and warm, and a scan."""
    regions, industries = (500, 100) if quick else (3000, 1000)
    setup = SETUP.format(regions=regions, industries=industries)
    ours = "local_moran(Y, W)"
    compiling, _ = measure(ours, setup=NO_CACHE + setup)
    first, _ = measure(ours, setup=setup)
    warm, peak = measure(ours, setup=setup + "local_moran(Y[:, :2], W)", runs=3)
    peer_first, _ = measure(PEER_WARM, setup=setup + PEER_SETUP)
    peer, peer_peak = measure(PEER, setup=setup + PEER_SETUP + PEER_WARM)
    peer *= industries / PEER_INDUSTRIES
    unequal, _ = measure(
        "local_moran(Y[:, :20], W)", setup=setup + "W.data = rng.random(W.nnz)\nlocal_moran(Y[:, :1], W)"
    )
    scan, scan_peak = measure(
        f"spatial_scan(cases, population, points, simulations={99 if quick else 999})",
        setup=SCAN.format(regions=regions),
    )
    what = f"local Moran, {regions:,} x {industries:,}, 999 permutations"
    return [
        {
            "name": f"{what}, warm",
            "seconds": warm,
            "peak_mb": peak,
            "ratio": peer / warm,
            "note": "target ratio 60; tie-safe",
        },
        {"name": "  first call of a process (kernels on disk)", "seconds": first},
        {"name": "  first call ever (compiles)", "seconds": compiling, "ratio": peer_first / compiling},
        {
            "name": "  peer: esda Moran_Local in a loop, warm",
            "seconds": peer,
            "peak_mb": peer_peak,
            "note": f"scaled up from {PEER_INDUSTRIES} industries",
        },
        {"name": "  peer: esda, first call of a process (compiles)", "seconds": peer_first, "note": "one industry"},
        {
            "name": "local Moran, unequal weights, 20 industries",
            "seconds": unequal,
            "ratio": peer / industries * 20 / unequal,
        },
        {"name": f"Kulldorff scan, {regions:,} regions", "seconds": scan, "peak_mb": scan_peak, "note": "no peer here"},
    ]
