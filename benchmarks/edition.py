"""The main job at full size: the US county edition and its site."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.measuring import Row, measure

SETUP = """
import clusterbook as cb
from pathlib import Path
folder = Path({folder!r})
"""
BUILD = """
panel = cb.samples.us_counties()
definitions = cb.discover_definitions(cb.samples.us_metros())
cb.build_edition(panel, definitions, folder / "counties.edition")
"""
PEER = """
import pandas as pd, polars as pl
cells = cb.samples.us_counties().frame.select("region", "industry", "year", "employment").to_pandas()
for _ in range(1):
    region = cells.groupby(["region", "year"])["employment"].transform("sum")
    industry = cells.groupby(["industry", "year"])["employment"].transform("sum")
    nation = cells.groupby("year")["employment"].transform("sum")
    cells["lq"] = cells["employment"] / region / (industry / nation)
    gini = cells.groupby(["industry", "year"])["employment"].apply(lambda x: x.sort_values().rank().corr(x))
"""
RENDER = """
cb.write_atlas(cb.open_edition(folder / "counties.edition"), folder / "atlas")
"""


def run(*, quick: bool = False) -> list[Row]:
    """Build the county edition (1.73 million cells) and render its site; say how heavy the site is."""
    with tempfile.TemporaryDirectory() as folder:
        setup = SETUP.format(folder=folder)
        built, build_peak = measure(BUILD, setup=setup)
        rendered, render_peak = measure(RENDER, setup=setup)
        peer, peer_peak = measure(PEER, setup=setup)
        megabytes = sum(f.stat().st_size for f in Path(folder, "atlas").rglob("*") if f.is_file()) / 1e6
    return [
        {
            "name": "US county edition, 1.73 million cells",
            "seconds": built,
            "peak_mb": build_peak,
            "ratio": peer / built,
            "note": "target 30 s, 2,000 MB; the ratio's peer computes quotients and one rank statistic only",
        },
        {"name": "  peer: quotients and one statistic with pandas", "seconds": peer, "peak_mb": peer_peak},
        {
            "name": "US county site rendered",
            "seconds": rendered,
            "peak_mb": render_peak,
            "note": f"target 60 s; weighs {megabytes:.0f} MB (target 60)",
        },
    ]
