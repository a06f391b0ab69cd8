"""Relatedness: how strongly pairs of industries belong together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Transform = Literal["level", "sqrt", "log"]

_TRANSFORMS: dict[Transform, Callable[[Floats], Floats]] = {
    "level": lambda x: x,
    "sqrt": np.sqrt,
    "log": np.log1p,
}


def locational_correlation(values: Floats, *, size: Floats | None = None, transform: Transform = "level") -> Floats:
    """Correlate the geographies of industries: which ones are found in the same places.

    Args:
        values: shape (R, I), e.g. employment or establishments of I industries in R regions.
        size: shape (R,), the size of each region (e.g. total employment). Given, the correlation is partial: what two
            industries share merely because both are larger in larger regions is taken out.
        transform: 'level' as in Porter (2003) and Delgado, Porter and Stern (2016); 'sqrt' tames the largest regions
            (it makes the spread of counts equal), 'log' (of 1 + x) tames them more. Applied to values and size alike.

    Returns:
        Symmetric (I, I) array in [-1, 1] with a unit diagonal. An industry with no variation (absent everywhere, or
        exactly in proportion to size) has no correlation: its row and column are NaN, diagonal included.

    Raises:
        ValueError: values hold NaN (suppressed cells): a correlation that skips them would not be comparable.

    Example:
        >>> import numpy as np
        >>> jobs = np.array([[10.0, 1.0, 0.0], [20.0, 2.0, 5.0], [30.0, 3.0, 1.0]])
        >>> locational_correlation(jobs).round(2)
        array([[1.  , 1.  , 0.19],
               [1.  , 1.  , 0.19],
               [0.19, 0.19, 1.  ]])

    Source: Porter (2003), The economic performance of regions, Regional Studies 37; Delgado, Porter and Stern (2016),
    Defining clusters of related industries, Journal of Economic Geography 16. Square root and partial form: ours.
    """
    if np.isnan(values).any():
        raise ValueError("values hold NaN: impute suppressed cells, or choose a year without them")
    apply = _TRANSFORMS[transform]
    deviation = apply(values)
    deviation = deviation - deviation.mean(axis=0)
    spread = np.linalg.norm(deviation, axis=0)
    if size is not None:
        scale = apply(np.asarray(size, dtype=np.float64))
        scale = scale - scale.mean()
        deviation = deviation - np.outer(scale, scale @ deviation / (scale @ scale))
    norm = np.linalg.norm(deviation, axis=0)
    norm = np.where(norm > 1e-9 * np.maximum(spread, 1e-300), norm, np.nan)  # rounding is not variation
    deviation /= norm
    correlation = np.clip(deviation.T @ deviation, -1.0, 1.0)
    np.fill_diagonal(correlation, np.where(np.isnan(norm), np.nan, 1.0))
    return np.asarray(correlation)
