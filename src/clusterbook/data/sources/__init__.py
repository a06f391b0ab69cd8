"""Sources of official statistics, one module each: ``fetch`` downloads, ``read`` makes a panel of the files."""

from __future__ import annotations

from types import ModuleType

from clusterbook.data.sources import abs_census, bea, cbp, eurostat, qcew, stats_nz, tidy, uk

#: Sources whose ``read`` returns a ``Panel``.
SOURCES: dict[str, ModuleType] = {
    "abs_census": abs_census,
    "cbp": cbp,
    "eurostat": eurostat,
    "qcew": qcew,
    "stats_nz": stats_nz,
    "tidy": tidy,
    "uk": uk,
}

#: Sources whose ``read`` returns an ``InputOutput``.
INPUT_OUTPUT_SOURCES: dict[str, ModuleType] = {"bea": bea}

__all__ = ["INPUT_OUTPUT_SOURCES", "SOURCES"]
