"""Shapes for maps: simplified together, so that neighbours still touch, and written as short whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Ring = NDArray[np.int64]

#: A map is about 700 pixels wide: detail below half a pixel is not drawn, coordinates are kept to a twentieth.
DETAIL = 1 / 1500
GRID = 1 / 15000


def pack(shapes: Mapping[str, bytes]) -> dict[str, Any]:
    """Return simplified shapes as whole numbers, each point given as its step from the one before.

    Args:
        shapes: WKB by code, in longitude and latitude: polygons, or lines that enclose areas (borders). All are
            simplified as one coverage: a border that two regions share stays one line.

    Returns:
        ``origin`` (longitude, latitude), ``step`` (degrees) and ``shapes``: for each code its polygons, each a list of
        rings, each ring a flat list dx, dy, dx, dy ... from the origin. Outer rings run clockwise, as map libraries
        that work on the sphere want them.
    """
    codes = sorted(shapes)
    if not codes:
        return {"origin": [0, 0], "step": 1, "shapes": {}}
    areas = [_areas(shapely.from_wkb(shapes[code])) for code in codes]
    polygons = shapely.multipolygons([part for parts in areas for part in parts], indices=_places(areas))
    west, south, east, north = _extent(polygons)
    width = max(east - west, north - south)
    simple = shapely.coverage_simplify(polygons, width * DETAIL)
    step = width * GRID
    kept = [code for code, parts in zip(codes, areas, strict=True) if parts]
    packed = {code: _polygons(shape, west, south, step) for code, shape in zip(kept, simple, strict=True)}
    return {"origin": [west, south], "step": step, "shapes": packed}


def height_for_width(shapes: Mapping[str, bytes]) -> float:
    """Return about how high a map of these shapes is for its width, between 0.5 and 1.3."""
    west, south, east, north = _extent(shapely.from_wkb(list(shapes.values())))
    narrowing = np.cos(np.radians((south + north) / 2))
    return float(np.clip((north - south) / max((east - west) * narrowing, 1e-9), 0.5, 1.3))


def _areas(shape: shapely.Geometry) -> list[shapely.Polygon]:
    """Return the polygons of a shape; lines count as the borders of areas, stray ones are left out."""
    parts = list(shapely.get_parts(shape))
    polygons = [p for part in parts for p in shapely.get_parts(part) if p.geom_type == "Polygon"]
    return polygons or list(shapely.polygonize([p for p in parts if p.geom_type == "LineString"]).geoms)


def _places(areas: list[list[shapely.Polygon]]) -> NDArray[np.int64]:
    """Say which shape each polygon belongs to, counting only shapes that have any."""
    counts = [len(parts) for parts in areas if parts]
    return np.repeat(np.arange(len(counts)), counts)


def _extent(shapes: Any) -> tuple[float, float, float, float]:
    """Return west, south, east, north, without the few points (islands beyond the date line) that lie far off."""
    points = shapely.get_coordinates(shapes)
    west, south = np.quantile(points, 0.01, axis=0)
    east, north = np.quantile(points, 0.99, axis=0)
    return float(west), float(south), float(east), float(north)


def _polygons(shape: shapely.Geometry, west: float, south: float, step: float) -> list[list[list[int]]]:
    polygons = []
    for part in shapely.get_parts(shape):
        outer = _snap(part.exterior, west, south, step, clockwise=True)
        holes = [_snap(hole, west, south, step, clockwise=False) for hole in part.interiors]
        if outer is not None:
            polygons.append([_steps(ring) for ring in (outer, *holes) if ring is not None])
    return polygons


def _snap(line: shapely.LinearRing, west: float, south: float, step: float, *, clockwise: bool) -> Ring | None:
    """Put a ring on the grid; None where nothing of it is left. Rounding may turn a ring round, so turn it back."""
    points: Ring = np.rint((shapely.get_coordinates(line) - (west, south)) / step).astype(np.int64)
    moved = np.any(np.diff(points, axis=0) != 0, axis=1)
    points = points[np.concatenate([[True], moved])]
    x, y = points.T
    twice_area = int(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
    if twice_area == 0:
        return None
    return points if (twice_area < 0) == clockwise else points[::-1]


def _steps(ring: Ring) -> list[int]:
    """Write a closed ring as steps; its last point, equal to the first, is left out."""
    steps: list[int] = np.diff(ring[:-1], axis=0, prepend=np.zeros((1, 2), dtype=np.int64)).ravel().tolist()
    return steps
