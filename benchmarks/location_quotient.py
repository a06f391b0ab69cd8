"""Location quotients of ten million cells: ours on each engine against pandas by hand and against ecomplexity."""

from __future__ import annotations

import tempfile
from pathlib import Path
from textwrap import dedent

import numpy as np
import polars as pl

from benchmarks.measuring import Row, measure

TARGET_SECONDS = 2.0

_IMPORT_OURS = "from clusterbook.measures.specialisation import location_quotient"

#: Ours, by engine: what is imported, and how the sum of all quotients comes out of a Parquet file.
OURS = {
    "Polars lazy": (
        "import polars as pl",
        "total = location_quotient(pl.scan_parquet(path)).select(pl.col('lq').sum()).collect().item()",
    ),
    "Polars lazy, all cells to a file": (
        "import polars as pl",
        """
        location_quotient(pl.scan_parquet(path)).sink_parquet(path + '.out')
        total = pl.scan_parquet(path + '.out').select(pl.col('lq').sum()).collect().item()
        """,
    ),
    "DuckDB": ("import duckdb", "total = location_quotient(duckdb.read_parquet(path)).sum('lq').fetchall()[0][0]"),
    "pandas": ("import pandas as pd", "total = location_quotient(pd.read_parquet(path))['lq'].sum()"),
}

#: As one writes it oneself: a transform for each total.
PANDAS_BY_HAND = (
    "import pandas as pd",
    """
    cells = pd.read_parquet(path)
    of_region = cells.groupby(['region', 'year'])['employment'].transform('sum')
    of_industry = cells.groupby(['industry', 'year'])['employment'].transform('sum')
    of_year = cells.groupby('year')['employment'].transform('sum')
    total = ((cells['employment'] / of_region) / (of_industry / of_year)).sum()
    """,
)

#: The package computes proximity and complexity besides, which is part of its price; its checks are switched off.
ECOMPLEXITY = (
    "import warnings; import pandas as pd; from ecomplexity import ecomplexity; warnings.simplefilter('ignore')",
    """
    columns = {'time': 'year', 'loc': 'region', 'prod': 'industry', 'val': 'employment'}
    total = ecomplexity(pd.read_parquet(path), columns, check_logsupermodularity=False, verbose=False)['rca'].sum()
    """,
)


def run(*, quick: bool = False) -> list[Row]:
    """Time every engine on 3,000 regions x 830 industries x 4 years, and ecomplexity on a size that it can bear."""
    with tempfile.TemporaryDirectory() as folder:
        large, small = str(Path(folder, "large.parquet")), str(Path(folder, "small.parquet"))
        # In a process of their own, too: a child's peak starts from that of its parent.
        measure(f"write({large!r}, {300 if quick else 3000}, 830, 4)", setup=f"from {__name__} import write")
        measure(
            f"write({small!r}, {30 if quick else 300}, {40 if quick else 400}, 1)",
            setup=f"from {__name__} import write",
        )
        by_hand = _time(PANDAS_BY_HAND, large)
        rows = [_row(name, _time(case, large), large, by_hand) for name, case in OURS.items()]
        rows[0]["note"] += f", target {TARGET_SECONDS:g} s" if not quick else ""
        rows.append(_row("peer: pandas by hand", by_hand, large))
        complexity = _time(ECOMPLEXITY, small)
        rows.append(_row("Polars lazy", _time(OURS["Polars lazy"], small), small, complexity))
        rows.append(_row("peer: ecomplexity", complexity, small))
    return rows


def write(path: str, regions: int, industries: int, years: int) -> None:
    """Write made-up employment, of which four in ten cells are zero, and beside it the sum of quotients to expect."""
    rng = np.random.default_rng(0)
    shape = (years, regions, industries)
    jobs = np.round(np.exp(rng.normal(2, 2, shape))) * (rng.random(shape) < 0.6)
    of_region, of_industry, of_year = (jobs.sum(axis=axis, keepdims=True) for axis in (2, 1, (1, 2)))
    Path(path + ".sum").write_text(str(np.sum((jobs / of_region) / (of_industry / of_year))))
    year, region, industry = np.unravel_index(np.arange(jobs.size), shape)
    pl.DataFrame(
        {
            "region": pl.Series([f"{k:05d}" for k in range(regions)]).gather(region),
            "industry": pl.Series([f"{k:06d}" for k in range(industries)]).gather(industry),
            "year": 2016 + year,
            "employment": jobs.ravel(),
        }
    ).write_parquet(path)


def _time(case: tuple[str, str], path: str) -> tuple[float, float]:
    """Return seconds and peak memory of a case, which must come to the right sum."""
    imports, body = case
    ours = _IMPORT_OURS if "location_quotient" in body else ""
    check = f"assert abs(total / {Path(path + '.sum').read_text()} - 1) < 1e-9, total"
    return measure("\n".join([dedent(body), check]), setup="\n".join([imports, ours, f"path = {path!r}"]))


def _row(name: str, measured: tuple[float, float], path: str, peer: tuple[float, float] | None = None) -> Row:
    seconds, peak = measured
    cells = pl.scan_parquet(path).select(pl.len()).collect().item()
    return {
        "name": f"location quotient, {name}",
        "seconds": seconds,
        "peak_mb": peak,
        "ratio": peer[0] / seconds if peer else None,
        "note": f"{cells:,} cells",
    }
