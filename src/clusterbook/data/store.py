"""Keep panels: a folder with the tables and where they come from."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import polars as pl

from clusterbook.data.industries import Industries
from clusterbook.data.panel import Panel, Source
from clusterbook.data.regions import Regions
from clusterbook.errors import ClusterbookError
from clusterbook.folders import fresh_folder

PANEL = "panel.json"
FORMAT = "clusterbook-panel/1"
_OUTLINE = "*"


def save_panel(panel: Panel, out: str | Path) -> Path:
    """Write a panel to a folder: ``cells``, ``regions``, ``industries``, ``shapes`` and ``totals`` as Parquet.

    Raises:
        OutputError: the place cannot be written, or holds something else than a panel.
    """
    shapes = dict(sorted(panel.regions.geometry.items()))
    if panel.regions.outline is not None:
        shapes[_OUTLINE] = panel.regions.outline
    tables = {
        "cells": panel.frame,
        "regions": panel.regions.frame,
        "industries": panel.industries.frame,
        "shapes": pl.DataFrame(
            {"region": list(shapes), "wkb": list(shapes.values())}, schema={"region": pl.String, "wkb": pl.Binary}
        ),
    }
    if panel.totals is not None:
        tables["totals"] = panel.totals
    record = {
        "format": FORMAT,
        "source": asdict(panel.source),
        "classification": panel.industries.classification,
        "regions": {
            "set_name": panel.regions.set_name,
            "noun": panel.regions.noun,
            "projection": panel.regions.projection,
            "note": panel.regions.note,
        },
        "content": panel.content_hash,
    }
    with fresh_folder(out, marker=PANEL) as folder:
        for name, table in tables.items():
            table.write_parquet(folder / f"{name}.parquet", compression="zstd")
        (folder / PANEL).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return Path(out)


def open_panel(path: str | Path) -> Panel:
    """Open a saved panel and check that it is what was saved.

    Raises:
        ClusterbookError: no panel there, or its content was changed.
    """
    folder = Path(path)
    try:
        record = json.loads((folder / PANEL).read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise ClusterbookError(f"{folder} has format {record['format']!r}; this version reads {FORMAT!r}.")
        names = ("cells", "regions", "industries", "shapes")
        cells, regions, industries, shapes = (pl.read_parquet(folder / f"{name}.parquet") for name in names)
        totals = folder / "totals.parquet"
        geometry = dict(zip(shapes["region"], shapes["wkb"], strict=True))
        outline = geometry.pop(_OUTLINE, None)
        about = record["regions"] | {"noun": tuple(record["regions"]["noun"])}
        source = record["source"] | {"caveats": tuple(record["source"]["caveats"])}
        panel = Panel(
            cells,
            Source(**source),
            Regions(regions, geometry=geometry, outline=outline, **about),
            Industries(industries, record["classification"]),
            pl.read_parquet(totals) if totals.exists() else None,
        )
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise ClusterbookError(f"{folder} is not a panel that can be read ({error}). Read the data again.") from error
    if panel.content_hash != record["content"]:
        raise ClusterbookError(f"The panel {folder} was changed after it was saved. Read the data again.")
    return panel
