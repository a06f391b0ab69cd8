"""Input-output analysis and Markov chains: ours against pymrio, giddy and code written by hand, on the same input."""

from __future__ import annotations

from textwrap import dedent

from benchmarks.measuring import Row, measure

_IMPORT_OURS = "from clusterbook.measures.input_output import extraction, input_coefficients, leontief, total_linkages"
_IMPORT_PYMRIO = "from pymrio.tools.iomath import calc_A, calc_B, calc_G, calc_L"

#: A table of n industries that is productive, dense and skewed like real ones.
_TABLE = """
import numpy as np
rng = np.random.default_rng(0)
Z = np.exp(rng.normal(0, 2, ({n}, {n})))
x = 1.8 * np.maximum(Z.sum(axis=0), Z.sum(axis=1))
"""

#: Relative sizes of regions on a lattice over some years.
_REGIONS = """
import warnings; warnings.simplefilter('ignore')
import numpy as np
from libpysal.weights import lat2W
w = lat2W({side}, {side}); w.transform = 'r'; W = w.sparse
Y = np.exp(np.random.default_rng(0).normal(size=(20, {side} * {side})).cumsum(axis=0) / 5)
"""

_ONE_BY_ONE = """
A, demand = Z / x, x - Z.sum(axis=1)
total = 0.0
for j in range(len(x)):
    without, left = A.copy(), demand.copy()
    without[j] = without[:, j] = left[j] = 0
    total += (x - np.linalg.solve(np.eye(len(x)) - without, left)).sum()
"""


def run(*, quick: bool = False) -> list[Row]:
    """Compare inverses, linkages, extraction and spatial Markov chains; order 400 industries, alone."""
    n, few, side, ordered = (300, 60, 12, 60) if quick else (2464, 300, 55, 400)
    return [
        *_pair(
            f"Leontief inverse, n = {n}, warm",
            ("total = leontief(input_coefficients(Z, x)).sum()", _IMPORT_OURS),
            ("pymrio", "total = calc_L(calc_A(Z, x)).sum()", _IMPORT_PYMRIO),
            _TABLE.format(n=n),
        ),
        *_pair(
            f"Leontief inverse, n = {few}, cold: imports timed",
            (f"{_IMPORT_OURS}\ntotal = leontief(input_coefficients(Z, x)).sum()", ""),
            ("pymrio", f"{_IMPORT_PYMRIO}\ntotal = calc_L(calc_A(Z, x)).sum()", ""),
            _TABLE.format(n=few),
        ),
        *_pair(
            f"backward and forward linkages, n = {n}",
            ("found = total_linkages(Z, x); total = found.backward.sum() + found.forward.sum()", _IMPORT_OURS),
            ("pymrio", "total = calc_L(calc_A(Z, x)).sum() + calc_G(calc_B(Z, x)).sum()", _IMPORT_PYMRIO),
            _TABLE.format(n=n),
        ),
        *_pair(
            f"extraction of each of {few} industries",
            ("total = extraction(Z, x).sum()", _IMPORT_OURS),
            ("one solution each", _ONE_BY_ONE, ""),
            _TABLE.format(n=few),
        ),
        *_pair(
            f"spatial Markov, {side * side} regions x 20 years",
            ("total = spatial_markov(Y, W).test.q", "from clusterbook.measures.dynamics import spatial_markov"),
            (
                "giddy",
                "total = Spatial_Markov(Y.T, w, fixed=True, k=5, m=5).Q",
                "from giddy.markov import Spatial_Markov",
            ),
            _REGIONS.format(side=side),
        ),
        _triangulation(ordered),
    ]


def _pair(what: str, ours: tuple[str, str], peer: tuple[str, str, str], data: str) -> list[Row]:
    """Time both on the same input; each writes its ``total``, and the two must be the same."""
    body, imports = ours
    name, peer_body, peer_imports = peer
    mine, theirs = (
        measure(dedent(code), setup="\n".join([data, setup]), runs=2)
        for code, setup in ((body, imports), (peer_body, peer_imports))
    )
    check = "\n".join([data, imports, peer_imports, body, "ours = total", dedent(peer_body)])
    measure("assert abs(total / ours - 1) < 1e-6, (total, ours)", setup=check)
    return [
        {"name": what, "seconds": mine[0], "peak_mb": mine[1], "ratio": theirs[0] / mine[0], "note": ""},
        {"name": f"  peer: {name}", "seconds": theirs[0], "peak_mb": theirs[1], "ratio": None, "note": "same total"},
    ]


def _triangulation(n: int) -> Row:
    setup = _TABLE.format(n=n) + "\nfrom clusterbook.measures.input_output_clusters import triangulate"
    seconds, peak = measure("triangulate(Z)", setup=setup)
    return {"name": f"triangulation by search, n = {n}", "seconds": seconds, "peak_mb": peak, "note": "no peer"}
