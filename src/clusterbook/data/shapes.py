"""Shapes of regions: reading them from files, their areas, and which of them touch.

Shapes are WKB in longitude and latitude, as ``Regions.geometry`` holds them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from clusterbook.errors import ClusterbookError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: WGS 84: semi-major axis in metres and squared eccentricity. ETRS89 and the Global Positioning System agree with it to
#: a metre.
AXIS = 6_378_137.0
E2 = 0.006694379990141

_DEGREES = {4326, 4258, 4269}  # coordinate systems in longitude and latitude that maps need not tell apart
_BRITISH_GRID = 27700
_ENVELOPE = (0, 32, 48, 48, 64)  # bytes of the bounding box in a GeoPackage geometry, by the number in its flags


def read_shapes(path: str | Path, *, code: str, layer: str | None = None) -> dict[str, bytes]:
    """Read the shapes of regions from a GeoPackage or GeoJSON file.

    Args:
        path: a file that ends in .gpkg, .geojson or .json, in longitude and latitude (WGS 84, ETRS89, NAD83) or, for
            a GeoPackage, on the British National Grid.
        code: the column or property that holds the codes of the regions.
        layer: the layer of a GeoPackage; not needed where it has one only.

    Returns:
        Code to WKB polygon in degrees. Features without a shape are left out.

    Raises:
        ClusterbookError: no such file, layer or column, a code twice, another coordinate system, another kind of file.

    Source: OGC GeoPackage 1.3, clause 2.1.3 (geometry encoding); RFC 7946 (GeoJSON).
    """
    path = Path(path)
    if not path.is_file():
        raise ClusterbookError(f"{path}: there is no such file. Give the path of a .gpkg or .geojson file.")
    if path.suffix.lower() == ".gpkg":
        rows = _geopackage(path, code, layer)
    elif path.suffix.lower() in {".geojson", ".json"}:
        rows = _geojson(path, code)
    else:
        raise ClusterbookError(f"{path}: shapes are read from .gpkg and .geojson files. Convert the file to one.")
    shapes = {str(name): wkb for name, wkb in rows if name is not None}
    if len(shapes) < sum(name is not None for name, _ in rows):
        raise ClusterbookError(f"{path}: column '{code}' holds a code twice. Name the column of unique codes.")
    return shapes


def _geopackage(path: Path, code: str, layer: str | None) -> list[tuple[Any, bytes]]:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            found = database.execute("SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns").fetchall()
            layers = {name: (column, srs) for name, column, srs in found}
            name = layer or (next(iter(layers)) if len(layers) == 1 else "")
            if name not in layers:
                raise ClusterbookError(f"{path}: name one of its layers with layer=: {', '.join(sorted(layers))}.")
            column, srs = layers[name]
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({_quoted(name)})")]
            if code not in columns:
                raise ClusterbookError(f"{path}: no column '{code}'. It has: {', '.join(sorted(columns))}.")
            query = f"SELECT {_quoted(code)}, {_quoted(column)} FROM {_quoted(name)}"
            rows = [(key, blob) for key, blob in database.execute(query) if blob is not None]
    except sqlite3.DatabaseError as error:
        raise ClusterbookError(f"{path}: not a GeoPackage ({error}). Download the file again.") from None
    if srs not in _DEGREES | {_BRITISH_GRID}:
        raise ClusterbookError(
            f"{path}: coordinates are in EPSG:{srs}. Take the file in longitude and latitude (EPSG:4326), which "
            "offices publish beside it, or convert it."
        )
    wkb = [blob[8 + _ENVELOPE[(blob[3] >> 1) & 7] :] for _, blob in rows]
    if srs == _BRITISH_GRID:
        wkb = shapely.to_wkb(shapely.transform(shapely.from_wkb(wkb), british_grid_to_degrees)).tolist()
    return [(key, shape) for (key, _), shape in zip(rows, wkb, strict=True)]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _geojson(path: Path, code: str) -> list[tuple[Any, bytes]]:
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        drawn = [feature for feature in features if feature["geometry"] is not None]
        shapes = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in drawn])
    except (ValueError, KeyError, TypeError, shapely.errors.GEOSException) as error:
        raise ClusterbookError(f"{path}: not a GeoJSON feature collection ({error}). Get the file again.") from None
    properties = [feature.get("properties") or {} for feature in drawn]
    known = sorted({name for found in properties for name in found})
    if code not in known:
        raise ClusterbookError(f"{path}: no property '{code}'. It has: {', '.join(known)}.")
    west, south, east, north = shapely.total_bounds(shapes)
    if not (-360 <= west <= east <= 360 and -90 <= south <= north <= 90):
        raise ClusterbookError(f"{path}: coordinates are not degrees. Convert the file to longitude and latitude.")
    return [(found.get(code), shapely.to_wkb(shape)) for found, shape in zip(properties, shapes, strict=True)]


def british_grid_to_degrees(points: ArrayLike) -> Floats:
    """Turn British National Grid coordinates into longitude and latitude.

    Args:
        points: (n, 2) metres east and north (EPSG:27700).

    Returns:
        (n, 2) degrees WGS 84, right to about 5 metres.

    Example:
        >>> british_grid_to_degrees([[651409.903, 313177.270]]).round(4).tolist()
        [[1.7161, 52.658]]

    Source: Ordnance Survey, A guide to coordinate systems in Great Britain, appendices B and C and clause 6.6.
    """
    east, north = np.asarray(points, dtype=np.float64).T
    a, b, scale = 6_377_563.396, 6_356_256.909, 0.9996012717  # Airy 1830; scale on the central meridian
    e2, n = 1 - (b / a) ** 2, (a - b) / (a + b)
    origin = np.radians(49)

    def meridian(phi: Floats) -> Floats:
        d, s = phi - origin, phi + origin
        terms = (
            (1 + n + 1.25 * n**2 + 1.25 * n**3) * d
            - (3 * n + 3 * n**2 + 2.625 * n**3) * np.sin(d) * np.cos(s)
            + 1.875 * (n**2 + n**3) * np.sin(2 * d) * np.cos(2 * s)
            - 35 / 24 * n**3 * np.sin(3 * d) * np.cos(3 * s)
        )
        return np.asarray(b * scale * terms)

    phi = (north + 100_000) / (a * scale) + origin
    for _ in range(6):  # each step gains three digits
        phi = phi + (north + 100_000 - meridian(phi)) / (a * scale)
    nu = a * scale / np.sqrt(1 - e2 * np.sin(phi) ** 2)
    rho = nu * (1 - e2) / (1 - e2 * np.sin(phi) ** 2)
    eta2, t, sec = nu / rho - 1, np.tan(phi), 1 / np.cos(phi)
    x = (east - 400_000) / nu
    lat = phi - nu / rho * t * (
        x**2 / 2 - x**4 / 24 * (5 + 3 * t**2 + eta2 - 9 * t**2 * eta2) + x**6 / 720 * (61 + 90 * t**2 + 45 * t**4)
    )
    lon = np.radians(-2) + sec * (
        x
        - x**3 / 6 * (nu / rho + 2 * t**2)
        + x**5 / 120 * (5 + 28 * t**2 + 24 * t**4)
        - x**7 / 5040 * (61 + 662 * t**2 + 1320 * t**4 + 720 * t**6)
    )
    return _to_wgs84(lon, lat, a, e2)


def _to_wgs84(lon: Floats, lat: Floats, a: float, e2: float) -> Floats:
    """Move from the datum of the British grid to WGS 84 by Helmert's seven parameters."""
    nu = a / np.sqrt(1 - e2 * np.sin(lat) ** 2)
    place = np.stack([nu * np.cos(lat) * np.cos(lon), nu * np.cos(lat) * np.sin(lon), nu * (1 - e2) * np.sin(lat)])
    rx, ry, rz = np.radians(np.array([0.1502, 0.2470, 0.8421]) / 3600)
    turn = np.array([[1, -rz, ry], [rz, 1, -rx], [-ry, rx, 1]]) + np.eye(3) * -20.4894e-6
    x, y, z = turn @ place + np.array([[446.448], [-125.157], [542.060]])
    across = np.hypot(x, y)
    lat = np.asarray(np.arctan2(z, across * (1 - E2)))
    for _ in range(4):
        lat = np.arctan2(z + E2 * AXIS / np.sqrt(1 - E2 * np.sin(lat) ** 2) * np.sin(lat), across)
    degrees: Floats = np.degrees(np.column_stack([np.arctan2(y, x), lat]))
    return degrees


def area_km2(shapes: Mapping[str, bytes]) -> dict[str, float]:
    """Return the area of each shape on the ellipsoid, in square kilometres.

    The shapes are laid on a cylindrical equal-area projection, so that one square degree counts for what it is at its
    latitude.

    >>> round(area_km2({"a degree at the equator": shapely.to_wkb(shapely.box(0, 0, 1, 1))}).popitem()[1])
    12308

    Source: Snyder (1987), Map Projections: A Working Manual, USGS Professional Paper 1395, formulas 3-12 and 10-14.
    """
    flat = shapely.transform(shapely.from_wkb(list(shapes.values())), _equal_area)
    return dict(zip(shapes, (shapely.area(flat) / 1e6).tolist(), strict=True))


def _equal_area(points: Floats) -> Floats:
    lon, lat = np.radians(points).T
    return np.column_stack([lon * AXIS, AXIS * authalic_q(lat) / 2])


def authalic_q(phi: ArrayLike) -> Floats:
    """Return how much of the ellipsoid lies between the equator and a latitude, in AXIS^2 / 2 per radian of longitude.

    Args:
        phi: latitude in radians, any shape.

    Returns:
        The same shape, with the sign of the latitude.

    Source: Snyder (1987), Map Projections: A Working Manual, USGS Professional Paper 1395, formula 3-12.

    >>> round(float(authalic_q(np.pi / 2)), 6)  # the pole: 2 on a sphere
    1.995531
    """
    e, sine = np.sqrt(E2), np.sin(np.asarray(phi, dtype=np.float64))
    return np.asarray((1 - E2) * (sine / (1 - E2 * sine**2) - np.log((1 - e * sine) / (1 + e * sine)) / (2 * e)))


def touching(
    shapes: NDArray[np.object_], *, rule: Literal["queen", "rook"] = "queen", gap: float = 0.0
) -> tuple[Ints, Ints]:
    """Return which shapes touch, as two arrays of positions; each pair once, the smaller position first.

    Args:
        shapes: (n,) polygons.
        rule: 'queen' for a common point, 'rook' for a common line.
        gap: degrees by which shapes may be apart and still touch; for 'queen' only.

    Example:
        >>> row = np.array([shapely.box(x, 0, x + 1, 1) for x in range(3)])
        >>> [pair.tolist() for pair in touching(row)]
        [[0, 1], [1, 2]]
    """
    here, there = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=gap)
    once = here < there
    here, there = here[once], there[once]
    if rule == "rook":
        common = shapely.intersection(shapely.boundary(shapes[here]), shapely.boundary(shapes[there]))
        line = shapely.length(common) > 0
        here, there = here[line], there[line]
    order = np.lexsort([there, here])
    return here[order], there[order]


def dissolve(parts: Iterable[bytes]) -> bytes:
    """Return the union of shapes; borders that two of them share go.

    Where they share their borders exactly the union is exact; else small gaps and overlaps are closed as far as a plain
    union does.

    >>> halves = [shapely.to_wkb(shapely.box(x, 0, x + 1, 1)) for x in range(2)]
    >>> shapely.from_wkb(dissolve(halves)).bounds
    (0.0, 0.0, 2.0, 1.0)
    """
    shapes = shapely.from_wkb(list(parts))
    whole = shapely.coverage_union_all(shapes) if shapely.coverage_is_valid(shapes) else shapely.union_all(shapes)
    return bytes(shapely.to_wkb(shapely.normalize(whole)))
