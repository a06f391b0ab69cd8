"""Kinds of industry: serving local markets, or trading with other regions; tied to natural resources, or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clusterbook.data.industries import Industries
from clusterbook.measures.specialisation import quotient

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

#: An industry is local when this share of the population lives where its quotient lies within the band.
LOCAL_SHARE = 0.7
LOCAL_BAND = (0.5, 2.0)
#: A region in which fewer plants than this would be expected says nothing about whether an industry is local ...
PLANTS_EXPECTED = 3.0
#: ... and an industry that can be judged for less than this share of the population counts as traded.
LEAST_JUDGED = 0.5

#: Where the classifications file what is grown, caught and dug.
RESOURCE_SECTORS = {
    "NAICS": ("11", "21"),
    "NACE": ("A", "B"),
    "ISIC": ("A", "B"),
    "SIC 2007": ("A", "B"),
    "NZSIOC": ("AA", "BB"),
}


def local_industries(
    values: Floats, population: Floats, *, share: float = LOCAL_SHARE, establishments: Floats | None = None
) -> Booleans:
    """Tell which industries serve local markets: near their proportion to population nearly everywhere.

    Args:
        values: shape (R, I), size of I industries in R regions, no NaN, every industry with a positive total.
        population: shape (R,), people (or total size) of the regions.
        share: least share of the population living where the industry's quotient is between 1/2 and 2.
        establishments: shape (R, I). Given, only regions where at least three plants would be expected are asked, so
            that small industries are not called traded merely because a plant cannot be divided among small regions;
            an industry that cannot be judged for half the population is traded.

    Returns:
        Boolean array of shape (I,).

    Example:
        >>> jobs = np.array([[10.0, 0.0], [11.0, 0.0], [9.0, 30.0]])
        >>> local_industries(jobs, np.array([100.0, 100.0, 100.0]))
        array([ True, False])

    Source: our own rule for what Porter (2003), Regional Studies 37, describes in words: local industries are present
    in most, if not all, areas and roughly in proportion to their population.
    """
    total = population.sum()
    per_head = quotient(values, population[:, None], values.sum(axis=0)[None, :], total)
    inside = (per_head >= LOCAL_BAND[0]) & (per_head <= LOCAL_BAND[1])
    if establishments is None:
        return np.asarray(population @ inside / total >= share)
    judged = np.outer(population / total, establishments.sum(axis=0)) >= PLANTS_EXPECTED
    people = population @ judged
    return np.asarray((population @ (inside & judged) >= share * people) & (people >= LEAST_JUDGED * total))


def resource_industries(codes: tuple[str, ...], industries: Industries) -> Booleans:
    """Tell which industries grow, catch or dig natural resources, by the sector they are filed under.

    All False where the classification is not one of ``RESOURCE_SECTORS``.
    """
    sectors = next(
        (found for name, found in RESOURCE_SECTORS.items() if industries.classification.startswith(name)), ()
    )
    return np.array([bool({code, *industries.ancestors(code)} & set(sectors)) for code in codes], dtype=bool)
