"""What the scripts that make the bundled data have in common: writing files, and drawing borders on a grid."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import shapely

OUT = Path(__file__).parent.parent / "src/clusterbook/data/bundled"
GRID = 1e-4  # degrees, about 10 m: no source is drawn finer than that

log = logging.getLogger(__name__)


def write(frame: pl.DataFrame, name: str) -> None:
    """Write a bundled file: one row group and no statistics, for size."""
    path = OUT / f"{name}.parquet"
    frame.write_parquet(path, compression="zstd", compression_level=22, statistics=False, row_group_size=1 << 22)
    log.info("%s.parquet: %s rows, %.2f MB", name, f"{frame.height:,}", path.stat().st_size / 1e6)


def check(holds: bool, claim: str) -> None:
    """Stop where something a script relies on is not so."""
    if not holds:
        raise SystemExit(f"Not so: {claim}.")


def simplify(shapes: Sequence[shapely.Geometry], detail: float) -> list[shapely.Geometry]:
    """Make shapes valid, put them on a grid so that neighbours share their borders exactly, and thin the borders.

    All borders are laid over each other and cut the plane into faces. Each face goes to the shape it lies in: to the
    smallest one, so that a shape drawn over its neighbours is cut out of them. ``detail`` is in degrees.
    """
    repaired = np.array(shapely.make_valid(shapes, method="structure", keep_collapsed=False))
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(shapely.boundary(repaired), grid_size=GRID)]))
    face, shape = shapely.STRtree(repaired).query(shapely.point_on_surface(faces), predicate="within")
    owner = (
        pl.DataFrame({"face": face, "shape": shape, "area": shapely.area(repaired)[shape]})
        .sort("area")
        .unique("face", keep="first", maintain_order=True)
    )
    parts = owner.group_by("shape").agg("face").sort("shape")
    check(parts["shape"].to_list() == list(range(len(shapes))), "every region keeps some ground")
    clean = [shapely.union_all(faces[own]) for own in parts["face"].to_list()]
    check(bool(shapely.coverage_is_valid(clean)), "regions neither overlap nor leave gaps")
    return [shapely.normalize(shape) for shape in shapely.coverage_simplify(clean, detail)]
