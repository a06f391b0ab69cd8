"""Places as points: what all measures of distance ask of their coordinates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clusterbook.errors import ClusterbookError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

EARTH_RADIUS = 6_371_008.8  # metres, mean radius


def on_sphere(lonlat: ArrayLike) -> Floats:
    """Turn longitudes and latitudes into points in space, so that plain distances are distances on the ground.

    The distance between two of them is the straight line through the earth: shorter than the way over the ground by
    1 part in 100,000 at 100 km, 1 in 1,000 at 1,000 km. Their order is the same at any distance.

    Args:
        lonlat: shape (n, 2), degrees east and north.

    Returns:
        Shape (n, 3), metres.

    Raises:
        ClusterbookError: not an array of degrees.

    Example:
        >>> a, b = on_sphere([[13.4, 52.5], [11.6, 48.1]])  # Berlin and Munich
        >>> float(np.linalg.norm(a - b).round(-3))
        506000.0

    Source: spherical trigonometry; mean radius of the earth 6,371.0088 km.
    """
    degrees = np.asarray(lonlat, dtype=np.float64)
    if degrees.ndim != 2 or degrees.shape[1] != 2 or not (np.abs(degrees) <= [360, 90]).all():
        raise ClusterbookError("lonlat has to be an array of degrees, (n, 2): longitude to ±360, then latitude to ±90.")
    lon, lat = np.radians(degrees).T
    return EARTH_RADIUS * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def in_metres(points: ArrayLike) -> Floats:
    """Check that points are coordinates in metres, (n, 2) or (n, 3), and return them as an array.

    Raises:
        ClusterbookError: wrong shape, missing values, or degrees (nothing beyond ±360).

    Example:
        >>> in_metres([[500_000, 5_400_000]])
        array([[ 500000., 5400000.]])
    """
    metres = np.ascontiguousarray(points, dtype=np.float64)
    if metres.ndim != 2 or metres.shape[1] not in (2, 3):
        raise ClusterbookError(
            f"points have shape {metres.shape}. Give one row a point: x and y (or x, y, z) in metres."
        )
    if not np.isfinite(metres).all():
        bad = int((~np.isfinite(metres)).any(axis=1).sum())
        raise ClusterbookError(
            f"{bad} of {len(metres)} points have missing coordinates. Locate them or leave them out."
        )
    if len(metres) and np.abs(metres).max() <= 360:
        raise ClusterbookError(
            "All coordinates are within ±360: these look like longitudes and latitudes, whose distances mean nothing. "
            "Project them to metres (e.g. UTM), or turn them into points in space with on_sphere(lonlat)."
        )
    return metres


def weights_of(weights: ArrayLike | None, count: int) -> Floats:
    """Return the weights of points, 1 each by default, after checking that they are sizes.

    Raises:
        ClusterbookError: wrong number, missing, infinite or negative weights.

    Example:
        >>> weights_of(None, 3)
        array([1., 1., 1.])
    """
    if weights is None:
        return np.ones(count)
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (count,):
        raise ClusterbookError(f"weights have shape {values.shape}. Give one for each of {count} plants.")
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise ClusterbookError("weights hold missing, infinite or negative values. Give sizes, or leave plants out.")
    return values


def flags_of(name: str, flags: ArrayLike, count: int) -> Flags:
    """Return a mask of points after checking that it is one.

    Raises:
        ClusterbookError: not booleans or of the wrong length.

    Example:
        >>> flags_of("member", [True, False], 2)
        array([ True, False])
    """
    mask = np.asarray(flags)
    if mask.dtype != np.bool_ or mask.shape != (count,):
        raise ClusterbookError(
            f"{name} has to say True or False for each of {count} plants; it is {mask.dtype} of shape {mask.shape}."
        )
    return mask
