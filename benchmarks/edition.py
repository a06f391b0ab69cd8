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
definitions = cb.us_definitions()
cb.build_edition(panel, definitions, folder / "counties.edition")
"""
PEER = """
from ecomplexity import ecomplexity
cells = cb.samples.us_counties().years_only([2021]).frame.select("region", "industry", "year", "employment")
names = {"time": "year", "loc": "region", "prod": "industry", "val": "employment"}
ecomplexity(cells.to_pandas(), names)
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
            "name": "US county edition, 1.73 million cells, five years",
            "seconds": built,
            "peak_mb": build_peak,
            "ratio": peer / built,
            "note": "target 30 s, 2,000 MB; peer: py-ecomplexity, quotients and complexity of one of the five years",
        },
        {"name": "  py-ecomplexity, one year of the same panel", "seconds": peer, "peak_mb": peer_peak},
        {
            "name": "US county site rendered",
            "seconds": rendered,
            "peak_mb": render_peak,
            "note": f"target 60 s; weighs {megabytes:.0f} MB (target 60)",
        },
    ]
