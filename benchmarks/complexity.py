"""Location quotients, proximity, density and complexity of 3,000 regions x 1,000 industries, against py-ecomplexity."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.measuring import Row, measure

YEARS = 20

_IMPORTS = """
import numpy as np
import polars as pl
from clusterbook.measures.complexity import complexity, presence
from clusterbook.measures.relatedness import proximity, relatedness_density
from clusterbook.measures.specialisation import quotient_matrix
"""

#: Everything the peer computes in its one call, bar its outlook index and gain: from the long table to all results.
_OURS = """
def everything(frame, precision=np.float64):
    E = frame["employment"].to_numpy().reshape(frame["region"].n_unique(), -1)
    lq, M = quotient_matrix(E), presence(E)
    phi = proximity(M).astype(precision)
    return lq, phi, relatedness_density(M, phi, own=True), complexity(M)
"""

#: Two years at a time, one thread each: years have nothing to wait for, the threads of one product do.
_ONE_YEAR = """
from concurrent.futures import ThreadPoolExecutor
from threadpoolctl import threadpool_limits

def one_year(_):
    return everything(frame, np.float32)[-1]
"""

_PEER = """
import warnings; import pandas as pd; from ecomplexity import ecomplexity; warnings.simplefilter("ignore")
frame = pd.read_parquet(path)
columns = {"time": "year", "loc": "region", "prod": "industry", "val": "employment"}
"""

_CHECK = """
found = lq[0, 0], phi[0, 1], density[0, 0], abs(result.eci[0])
Path(path + ".ours").write_text(" ".join(map(str, found)))
"""

#: The sign is a convention; the rest must agree.
_AGREE = """
ours = list(map(float, Path(path + ".ours").read_text().split()))
first = table.iloc[0]
theirs = first["rca"], ours[1], first["density"], abs(first["eci"])
assert all(abs(a - b) < 1e-6 for a, b in zip(ours, theirs)), (ours, theirs)
"""


def run(*, quick: bool = False) -> list[Row]:
    """Time one year cold and warm, twenty years, and the peer on the same table in the same run."""
    regions, industries, years = (300, 100, 3) if quick else (3000, 1000, YEARS)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "cells.parquet"))
        measure(f"write({path!r}, {regions}, {industries})", setup=f"from {__name__} import write")
        start, ours = f"path = {path!r}", f"{_IMPORTS}\n{_OURS}\nframe = pl.read_parquet(path)"
        warm = f"{start}\n{ours}\neverything(frame)"
        first = measure(f"{ours}\nlq, phi, density, result = everything(frame)\n{_CHECK}", setup=start)
        again = measure("everything(frame)", setup=warm, runs=3)
        one_year = f"{warm}\n{_ONE_YEAR}"
        body = f"with threadpool_limits(1), ThreadPoolExecutor(2) as pool: list(pool.map(one_year, range({years})))"
        many = measure(body, setup=one_year)
        peer = measure(f"table = ecomplexity(frame, columns, verbose=False)\n{_AGREE}", setup=f"{start}\n{_PEER}")
    name = f"quotients, proximity, density, complexity, {regions:,} x {industries:,}"
    memory = f"{again[1] / peer[1]:.0%} of the peer's memory (target a third)"
    return [
        {
            "name": name,
            "seconds": again[0],
            "peak_mb": again[1],
            "ratio": peer[0] / again[0],
            "note": f"target 20 times; {memory}",
        },
        {
            "name": "  cold: with imports and reading the file",
            "seconds": first[0],
            "peak_mb": first[1],
            "ratio": peer[0] / first[0],
        },
        {
            "name": f"  {years} years, two at a time, density in single precision",
            "seconds": many[0],
            "peak_mb": many[1],
            "note": "target 3 s",
        },
        {
            "name": "  peer: ecomplexity, one year",
            "seconds": peer[0],
            "peak_mb": peer[1],
            "note": "computes its outlook index and gain besides",
        },
    ]


def write(path: str, regions: int, industries: int) -> None:
    """Write made-up employment of one year, complete and in order, in which skilled regions have rarer industries."""
    rng = np.random.default_rng(0)
    skill = np.outer(rng.normal(0, 1, regions), np.linspace(-1, 1, industries))
    jobs = np.round(np.exp(rng.normal(2, 1.5, (regions, industries)) + skill)) * (rng.random(skill.shape) < 0.5)
    region, industry = np.unravel_index(np.arange(jobs.size), jobs.shape)
    pl.DataFrame(
        {
            "region": pl.Series([f"{k:05d}" for k in range(regions)]).gather(region),
            "industry": pl.Series([f"{k:06d}" for k in range(industries)]).gather(industry),
            "year": 2019,
            "employment": jobs.ravel(),
        }
    ).write_parquet(path)
