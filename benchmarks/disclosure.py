"""Hiding confidential cells of a country's table, and proving that they stay hidden. No Python peer does this."""

from __future__ import annotations

from benchmarks.measuring import Row, measure

SETUP = """
import numpy as np
import polars as pl
import clusterbook as cb
from clusterbook.data.disclosure import audit, protect
from clusterbook.data.panel import status_of

def register(regions, industries):
    rng = np.random.default_rng(0)
    level = rng.normal(1.2, 1, (regions, 1)) + rng.normal(0.3, 1.2, (1, industries)) - 0.6
    plants = rng.poisson(np.exp(level))
    jobs = [[float(np.ceil(rng.lognormal(2.5, 1.3, n)).sum()) for n in row] for row in plants]
    r, i = (axis.ravel() for axis in np.indices(plants.shape))
    frame = pl.DataFrame({{
        "region": [f"R{{k:03d}}" for k in r], "industry": [f"I{{k:03d}}" for k in i], "year": [2020] * r.size,
        "employment": np.ravel(jobs), "establishments": plants.ravel().astype(float),
    }})
    def tree(name, label, n, letter, width):
        codes = [f"{{letter}}{{k:03d}}" for k in range(n)]
        above = [f"{{letter}}{{letter}}{{k // width}}" for k in range(n)]
        return pl.DataFrame({{name: codes, label: codes, "parent": above}})
    places = cb.Regions(tree("region", "name", regions, "R", 10))
    trades = cb.Industries(tree("industry", "title", industries, "I", 5))
    return cb.Panel(frame.with_columns(status_of("employment")), cb.Source("toy", "Toy register"), places, trades)

panel = register({regions}, {industries})
"""
BODY = """
safe = protect(panel, public=["establishments"])
assert safe.audit["protected"].all()
"""


def run(*, quick: bool = False) -> list[Row]:
    """Protect tables of growing size, two levels and totals both ways, two cells in three with few plants or none."""
    rows: list[Row] = []
    for regions, industries in ((10, 20),) if quick else ((10, 20), (30, 40), (50, 100)):
        seconds, peak = measure(BODY, setup=SETUP.format(regions=regions, industries=industries))
        rows.append(
            {
                "name": f"confidential cells hidden and audited, {regions} x {industries}",
                "seconds": seconds,
                "peak_mb": peak,
                "note": "regions x industries, one year, with all sums",
            }
        )
    return rows
