"""Concentration at full size: the Gini, Ellison and Glaeser's indices from plants, coagglomeration of all pairs."""

from __future__ import annotations

from benchmarks.measuring import Row, measure

_SETUP = """
import numpy as np
from clusterbook.measures.concentration import locational_gini
from clusterbook.measures.plant_concentration import (
    devereux_griffith_simpson, ellison_glaeser, guimaraes_figueiredo_woodward, maurel_sedillot, sum_plants)
from clusterbook.measures.relatedness import coagglomeration
rng = np.random.default_rng(0)
R, I, P = {regions}, {industries}, {plants}
region, industry, size = rng.integers(0, R, P), rng.integers(0, I, P), np.ceil(rng.lognormal(2, 1, P))
"""

_ALL = """
sums = sum_plants(region, industry, size, shape=(R, I))
ellison_glaeser(sums.size, sums.herfindahl, fourth=sums.fourth)
pairs = coagglomeration(sums.size)
"""

_OTHERS = """
maurel_sedillot(sums.size, sums.herfindahl)
devereux_griffith_simpson(sums.size, sums.herfindahl, sums.plants)
guimaraes_figueiredo_woodward(sums.plants)
"""

_GINI_SETUP = """
E = sum_plants(region, industry, size, shape=(R, I)).size
one = E[:, :{few}] / E[:, :{few}].sum(axis=0)
x = E.sum(axis=1) / E.sum()
"""

#: PySAL's Gini is of unweighted values, one variable a call: the same sort, without a reference. It is given the
#: location quotients, which is what it is used for; ours with equal weights has the same results.
_PYSAL = """
found = [float(Gini(column / x).g) for column in one.T]
assert np.allclose(found, locational_gini(one, x, weights="equal"))
"""


def run(*, quick: bool = False) -> list[Row]:
    """Time 2 million plants in 3,000 regions x 1,000 industries, warm and cold."""
    regions, industries, plants, few = (300, 100, 50_000, 10) if quick else (3000, 1000, 2_000_000, 20)
    setup = _SETUP.format(regions=regions, industries=industries, plants=plants)
    cold = measure(_ALL, setup=setup)
    warm = measure(_ALL, setup=setup + _ALL, runs=3)
    others = measure(_OTHERS, setup=setup + _ALL + _OTHERS, runs=3)
    tables = setup + _GINI_SETUP.format(few=few)
    gini = measure("locational_gini(E)", setup=tables + "locational_gini(E)", runs=3)
    equal = measure(
        "found = locational_gini(one, x, weights='equal')", setup=tables + "locational_gini(one, x)", runs=3
    )
    peer = measure(_PYSAL, setup=f"{tables}\nfrom inequality.gini import Gini\nGini(x)")
    size = f"{regions:,} x {industries:,}"
    return [
        {
            "name": f"Ellison-Glaeser and all pairs, {size}, {plants:,} plants",
            "seconds": warm[0],
            "peak_mb": warm[1],
            "note": f"target 0.5 s; the first call {cold[0]:.2f} s",
        },
        {"name": "  the other three indices from the same sums", "seconds": others[0], "peak_mb": others[1]},
        {"name": f"locational Gini, {size}", "seconds": gini[0], "peak_mb": gini[1], "note": "target 0.3 s"},
        {
            "name": f"  equal weights, {few} industries",
            "seconds": equal[0],
            "peak_mb": equal[1],
            "ratio": peer[0] / equal[0],
        },
        {"name": "  peer: PySAL inequality", "seconds": peer[0], "peak_mb": peer[1]},
    ]
