"""Similarity of industries seen from several sides: where they are, what they trade, whom they employ.

Each side is one matrix (I, I) over the same industries. The sides differ in scale and shape, so they are put on one
scale before they are averaged. NaN means that a side knows nothing of a pair; it then counts as average.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from clusterbook.data.industries import Industries
from clusterbook.data.input_output import InputOutput
from clusterbook.errors import ClusterbookError
from clusterbook.measures.input_output_clusters import profile_correlation, trade_shares
from clusterbook.measures.relatedness import (
    coagglomeration,
    input_output_link,
    locational_correlation,
    occupation_similarity,
)

Floats = NDArray[np.float64]
Scale = Literal["standard", "rank"]

EMPLOYMENT = "co-location of size"
ESTABLISHMENTS = "co-location of establishments"
COAGGLOMERATION = "coagglomeration"
PROFILES = "purchase and sales profiles"
LINK = "supply link"
OCCUPATIONS = "occupations"
CLASSIFICATION = "classification"

#: Sides that follow from where industries are; a sample of regions gives a sample of them.
LOCATIONAL = (EMPLOYMENT, ESTABLISHMENTS, COAGGLOMERATION)


@dataclass(frozen=True)
class Similarities:
    """Sides from which I industries are compared: name to symmetric matrix (I, I), on each side's own scale."""

    industries: tuple[str, ...]
    matrices: Mapping[str, Floats]

    @property
    def evidence(self) -> dict[str, Floats]:
        """The sides that are observed: all but the classification, which is declared."""
        return {name: matrix for name, matrix in self.matrices.items() if name != CLASSIFICATION}


def locational_similarities(size: Floats, establishments: Floats | None, total: Floats) -> dict[str, Floats]:
    """Return the sides that follow from where industries are.

    Args:
        size: shape (R, I), e.g. employment of I industries in R regions, no NaN.
        establishments: shape (R, I) or None.
        total: shape (R,), total size of the regions over all industries, including those not compared.

    Returns:
        Co-location of size and of establishments (correlation over regions of square roots, net of the region's size)
        and coagglomeration (Ellison and Glaeser).

    Source: Delgado, Porter and Stern (2016), Journal of Economic Geography 16; square roots and the netting are ours:
    in levels the largest regions decide alone.
    """
    found = {EMPLOYMENT: locational_correlation(size, size=total, transform="sqrt")}
    if establishments is not None:
        found[ESTABLISHMENTS] = locational_correlation(
            establishments, size=establishments.sum(axis=1), transform="sqrt"
        )
    found[COAGGLOMERATION] = coagglomeration(size, total)
    return found


def trade_similarities(codes: Sequence[str], industries: Industries, table: InputOutput) -> dict[str, Floats]:
    """Return the sides that follow from who supplies whom: likeness of purchases and sales, and the supply link.

    An industry that is several in the table is their mean. Pairs within one industry of the table are as alike as can
    be, and as linked as that industry with itself. Codes that the table does not know are NaN.

    Source: Feser and Bergman (2000), Regional Studies 34 (profiles); Delgado, Porter and Stern (2016) (link).
    """
    weights = trade_weights(codes, industries, table)
    profiles = profile_correlation(table.flows)
    np.fill_diagonal(profiles, 1.0)
    link = input_output_link(table.flows)
    purchases, sales = trade_shares(table.flows)
    np.fill_diagonal(link, np.maximum(np.diag(purchases), np.diag(sales)))
    unknown = weights.sum(axis=1) == 0
    return {PROFILES: _lifted(profiles, weights, unknown), LINK: _lifted(link, weights, unknown)}


def trade_weights(codes: Sequence[str], industries: Industries, table: InputOutput) -> Floats:
    """Return which industries of a table each code is: shape (I, n), rows adding up to 1, or all 0 where unknown.

    A code above those of the crosswalk is the mean of the codes below it that the crosswalk knows.
    """
    position = {code: k for k, code in enumerate(table.industries)}
    known: dict[str, list[int]] = {}
    for naics, industry in table.crosswalk.iter_rows():
        for code in (naics, *industries.ancestors(naics)):
            known.setdefault(code, []).append(position[industry])
    weights = np.zeros((len(codes), len(position)))
    for row, code in enumerate(codes):
        for column in known.get(code, [position[code]] if code in position else []):
            weights[row, column] += 1
    return np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), 1))


def _lifted(matrix: Floats, weights: Floats, unknown: NDArray[np.bool_]) -> Floats:
    lifted = weights @ np.nan_to_num(matrix) @ weights.T
    lifted[unknown] = np.nan
    lifted[:, unknown] = np.nan
    return np.asarray(lifted)


def occupation_similarities(codes: Sequence[str], occupations: pl.DataFrame) -> dict[str, Floats]:
    """Return the side of shared occupations from a table ``industry, occupation, jobs``; unknown industries are NaN.

    Source: Delgado, Porter and Stern (2016).
    """
    missing = {"industry", "occupation", "jobs"} - set(occupations.columns)
    if missing:
        raise ClusterbookError(
            f"The table of occupations lacks {', '.join(sorted(missing))}: it needs industry, occupation and jobs."
        )
    wide = occupations.pivot("occupation", index="industry", values="jobs", aggregate_function="sum").fill_null(0)
    position = {code: k for k, code in enumerate(wide["industry"])}
    rows = [position[code] for code in codes if code in position]
    if not rows:
        raise ClusterbookError("The table of occupations knows none of the industries. Check the classification.")
    values = occupation_similarity(wide.drop("industry").to_numpy()[rows])
    at = [k for k, code in enumerate(codes) if code in position]
    found = np.full((len(codes), len(codes)), np.nan)
    found[np.ix_(at, at)] = values
    return {OCCUPATIONS: found}


def classification_proximity(codes: Sequence[str], industries: Industries) -> Floats:
    """Return how close industries stand in the classification: shared steps of their ways from the top, 0 to 1.

    This is declared by those who made the classification, not observed. It stands in for what occupations and
    technology would tell where they are not known. Without a tree every pair is NaN.

    Example:
        >>> tree = pl.DataFrame({"industry": ["1", "11", "12", "2"], "title": list("abcd"),
        ...                      "parent": [None, "1", "1", None]})
        >>> classification_proximity(["11", "12", "2"], Industries(tree)).tolist()
        [[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if not industries.parents:
        return np.full((len(codes), len(codes)), np.nan)
    ways = [[*reversed(industries.ancestors(code)), code] for code in codes]
    depth = max(map(len, ways))
    shared = np.zeros((len(codes), len(codes)))
    for step in range(depth):
        # A way that ends early keeps a name of its own, so that it shares nothing further down.
        names = np.array([way[step] if step < len(way) else f"{way[-1]} {step}" for way in ways])
        shared += names[:, None] == names[None, :]
    return np.asarray(shared / depth)


def on_one_scale(matrix: Floats, scale: Scale) -> Floats:
    """Put a matrix of similarities on the common scale; unknown pairs become 0, the average.

    'standard': mean 0 and standard deviation 1 over pairs, as Delgado, Porter and Stern do. 'rank': normal scores of
    the ranks of pairs, so that a few extreme pairs do not outweigh all others. The diagonal is 0.

    Example:
        >>> on_one_scale(np.array([[1.0, 0.2, 0.4], [0.2, 1.0, 0.9], [0.4, 0.9, 1.0]]), "standard").round(2)
        array([[ 0.  , -1.02, -0.34],
               [-1.02,  0.  ,  1.36],
               [-0.34,  1.36,  0.  ]])
    """
    upper = np.triu_indices(len(matrix), 1)
    pairs = matrix[upper]
    known = ~np.isnan(pairs)
    scaled = np.zeros(len(pairs))
    spread = pairs[known].std() if known.any() else 0.0
    if spread > 0:
        values = pairs[known]
        scaled[known] = (
            (values - values.mean()) / spread if scale == "standard" else ndtri((rankdata(values) - 0.5) / len(values))
        )
    out = np.zeros_like(matrix)
    out[upper] = scaled
    return np.asarray(out + out.T)
