"""A panel of a hundred million cells on a small machine, year by year; and how time grows with rows on each engine."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path
from textwrap import dedent

import numpy as np
import polars as pl

from benchmarks.measuring import Row, measure

REGIONS, CLUSTERS, FIRST_YEAR = 5000, 1000, 2001

_IMPORTS = """
import polars as pl
from clusterbook.clusters.identification import identify
from clusterbook.measures.specialisation import location_quotient, shares

def quotients(cells):
    return location_quotient(shares(cells, industry="cluster"), industry="cluster", name="lq_all")

files = {files!r}
"""

#: The full job: every cell with its quotient, shares and stars goes to a file of its year.
_YEAR_BY_YEAR = """
cells = pl.scan_parquet(files)
years = cells.select(pl.col("year").unique()).collect(engine="streaming")["year"].sort()
for year in years:
    of_year = quotients(cells.filter(pl.col("year") == year).collect(engine="streaming"))
    identify(of_year.lazy(), "eco2008").sink_parquet(f"{folder}/stars-{{year}}.parquet")
written = pl.scan_parquet("{folder}/stars-*.parquet").select(pl.sum("lq_all", "stars"))
found = written.collect(engine="streaming").row(0)
"""
_ONE_QUERY = """
flagged = identify(quotients(pl.scan_parquet(files)), "eco2008")
found = flagged.select(pl.sum("lq_all", "stars")).collect(engine="streaming").row(0)
"""

#: Quotients and shares only, which run on every engine: what is imported, and how their sum comes out of the files.
ENGINES = {
    "Polars lazy": (
        "",
        "found = quotients(pl.scan_parquet(files)).select(pl.sum('lq_all')).collect(engine='streaming').row(0)",
    ),
    "DuckDB": ("import duckdb", "found = quotients(duckdb.read_parquet(files)).sum('lq_all').fetchall()[0]"),
    "pandas": ("import pandas as pd", "found = (quotients(pd.read_parquet(files))['lq_all'].sum(),)"),
    "Spark": (
        """
        from pyspark.sql import SparkSession
        builder = SparkSession.builder.master("local[2]").config("spark.driver.memory", "4g")
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
        builder = builder.config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "8")
        spark = builder.getOrCreate()
        """,
        # Spark works in a process of its own, whose peak is noted beside the files.
        """
        found = quotients(spark.read.parquet(*files)).agg({{"lq_all": "sum"}}).first()
        status = Path(f"/proc/{{spark.sparkContext._gateway.proc.pid}}/status").read_text()
        Path("{folder}/spark.kb").write_text(status.split("VmHWM:")[1].split()[0])
        spark.stop()
        """,
    ),
}


def run(*, quick: bool = False) -> list[Row]:
    """Time the full job on 100 million cells (quick: 5) and every engine on 5 and 20 million (quick: 5)."""
    years, some = (1, [1]) if quick else (20, [1, 4])
    with tempfile.TemporaryDirectory() as folder:
        for k in range(years):
            # In a process of its own: a child's peak starts from that of its parent.
            measure(f"write({folder!r}, {FIRST_YEAR + k})", setup=f"from {__name__} import write")
        full = _time(folder, years, "", _YEAR_BY_YEAR)
        rows = [_row("quotients, shares, stars to files, year by year", years, full, note="target 60 s, 8,000 MB")]
        one = _time(folder, some[-1], "", _ONE_QUERY)
        rows.append(_row("  the same, not to files, in one query", some[-1], one))
        for name, case in ENGINES.items():
            if name == "Spark" and not (importlib.util.find_spec("pyspark") and shutil.which("java")):
                rows.append(
                    {"name": "  quotients, shares, Spark", "note": "not run: needs clusterbook[spark] and Java"}
                )
                continue
            rows += [_row(f"  quotients, shares, {name}", n, _time(folder, n, *case)) for n in some]
    return rows


def write(folder: str, year: int) -> None:
    """Write the made-up jobs of one year, four cells in ten zero, and the sum of quotients and stars to expect."""
    rng = np.random.default_rng(year)
    shape = (REGIONS, CLUSTERS)
    jobs = np.round(np.exp(rng.normal(2, 2, shape))) * (rng.random(shape) < 0.6)
    share = jobs / jobs.sum(axis=1, keepdims=True)
    lq = share / (jobs.sum(axis=0) / jobs.sum())
    present = jobs > 0

    def in_top_tenth(part: np.ndarray) -> np.ndarray:
        return part >= np.nanquantile(np.where(present, part, np.nan), 0.9, axis=0)

    stars = sum(int((present & passed).sum()) for passed in (in_top_tenth(jobs), lq >= 2, in_top_tenth(share)))
    Path(folder, f"{year}.sums").write_text(f"{lq.sum()} {stars}")
    region, cluster = np.unravel_index(np.arange(jobs.size), shape)
    pl.DataFrame(
        {
            "region": pl.Series([f"{k:05d}" for k in range(REGIONS)]).gather(region),
            "cluster": pl.Series([f"{k:06d}" for k in range(CLUSTERS)]).gather(cluster),
            "year": np.full(jobs.size, year, dtype=np.int32),
            "employment": jobs.ravel(),
        }
    ).write_parquet(Path(folder, f"{year}.parquet"))


def _time(folder: str, years: int, imports: str, body: str) -> tuple[float, float]:
    """Return seconds and peak memory of a case on the first years, which must come to the right sums."""
    names = [Path(folder, str(FIRST_YEAR + k)) for k in range(years)]
    sums = np.array([name.with_suffix(".sums").read_text().split() for name in names], dtype=float).sum(axis=0)
    # Up to rounding, which may move a quotient across a threshold, too.
    check = f"assert all(abs(a / b - 1) < 1e-6 for a, b in zip(found, {sums.tolist()})), found"
    setup = _IMPORTS.format(files=[f"{name}.parquet" for name in names]) + dedent(imports)
    seconds, peak = measure(f"{dedent(body).format(folder=folder)}\n{check}", setup=setup)
    beside = Path(folder, "spark.kb")
    if beside.exists():
        peak += int(beside.read_text()) / 1024
        beside.unlink()
    return seconds, peak


def _row(name: str, years: int, measured: tuple[float, float], *, note: str = "") -> Row:
    cells = f"{years * REGIONS * CLUSTERS:,} cells"
    return {"name": name, "seconds": measured[0], "peak_mb": measured[1], "note": f"{cells}; {note}" if note else cells}
