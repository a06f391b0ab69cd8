"""Search: form many candidate sets of clusters, score each on every side, and choose.

A *mixture* is an average of sides with stated weights; a candidate is a mixture, a scale, an algorithm and a number of
clusters. All candidates are scored on all observed sides, whichever they were made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clusterbook.clusters.candidates import candidates, ward_partitions
from clusterbook.clusters.similarity import (
    CLASSIFICATION,
    EMPLOYMENT,
    ESTABLISHMENTS,
    Scale,
    Similarities,
    on_one_scale,
)
from clusterbook.clusters.validation import ValidationScores, validation_scores

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Weights = Mapping[str, float]

SCALES: tuple[Scale, ...] = ("standard", "rank")
#: Scores that differ by less than this say nothing about which set is better.
A_HAIR = 0.02


@dataclass(frozen=True)
class Candidate:
    """A candidate set: how it was made, its labels (I,), its score on each observed side and its margin.

    The score says how many industries and clusters are where they belong, but not how clearly: sets that lump whole
    clusters together or cut them in two can have full marks. The fit tells them apart: the correlation, over pairs of
    industries, of their similarity with being in one cluster (normalised Gamma of Hubert), the median over sides, so
    that one odd side does not decide.
    """

    mixture: str
    weights: Weights
    scale: Scale
    algorithm: str
    labels: Integers
    scores: Mapping[str, float] = field(default_factory=dict)
    fit: float = 0.0
    unrefined: Integers | None = None  # labels before outliers were moved, where that was done

    @property
    def clusters(self) -> int:
        """The number of clusters."""
        return int(self.labels.max()) + 1

    @property
    def score(self) -> float:
        """The mean score over all observed sides."""
        return float(np.nanmean(list(self.scores.values())))

    @property
    def declared(self) -> bool:
        """Whether the classification helped."""
        return CLASSIFICATION in self.weights


def search(sides: Similarities, numbers: Sequence[int], *, seed: int = 0) -> tuple[list[Candidate], dict[str, float]]:
    """Form and score all candidates; return them best first, and how well each side is borne out by the others.

    Scores within ``A_HAIR`` of the best count as equal; among those the fit decides. Ties go to fewer clusters, then
    to the order in which candidates are made, so that the result is reproducible.
    """
    scaled = {scale: {name: on_one_scale(m, scale) for name, m in sides.matrices.items()} for scale in SCALES}
    scoring = scoring_sides(sides)
    worth = side_worth(scoring, numbers[len(numbers) // 2], seed=seed)
    found = []
    for mixture, weights in mixtures(sides, worth).items():
        for scale in SCALES:
            affinity = mixed(scaled[scale], weights)
            for algorithm, labels in candidates(affinity, numbers, seed=seed):
                found.append(judged(Candidate(mixture, weights, scale, algorithm, labels), scoring))
    return ranked(found), worth


def ranked(found: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates best first: those within a hair of the best score by fit, then the others by score."""
    best = max(c.score for c in found)
    return sorted(
        found,
        key=lambda c: (
            (0, -round(c.fit, 9), c.clusters) if c.score >= best - A_HAIR else (1, -round(c.score, 9), c.clusters)
        ),
    )


def judged(candidate: Candidate, scoring: Mapping[str, Floats]) -> Candidate:
    """Return a candidate with its score on each observed side and its fit; sides on the standard scale."""
    found = {name: validation_scores(matrix, candidate.labels) for name, matrix in scoring.items()}
    fits = [_gamma(found[name].own, matrix, candidate.labels) for name, matrix in scoring.items()]
    scores = {name: score.mean for name, score in found.items()}
    return replace(candidate, scores=scores, fit=float(np.median(fits)))


def scoring_sides(sides: Similarities) -> dict[str, Floats]:
    """Return the observed sides on the scale on which candidates are judged, that of Delgado, Porter and Stern."""
    return {name: on_one_scale(matrix, "standard") for name, matrix in sides.evidence.items()}


def _gamma(own: Floats, matrix: Floats, labels: Integers) -> float:
    """Correlate similarity with company over pairs; the matrix is on the standard scale, or has no differences at all.

    On that scale the mean over pairs is 0 and the spread 1, but for pairs that are not known and count as average.

    Source: Hubert and Schultz (1976), British Journal of Mathematical and Statistical Psychology 29.
    """
    fellows = np.bincount(labels)[labels] - 1
    pairs = len(labels) * (len(labels) - 1)
    together = fellows.sum() / pairs
    spread = np.vdot(matrix, matrix) / pairs
    if not 0 < together < 1 or spread <= 0:
        return 0.0
    return float((own * fellows).sum() / pairs / np.sqrt(together * (1 - together) * spread))


def mixtures(sides: Similarities, worth: Weights) -> dict[str, Weights]:
    """Return the mixtures that are tried: each side alone, co-location, all sides equal, and all by their worth.

    The mixtures of several sides are also tried with the classification, which counts as much as a middling side.
    """
    names = list(sides.evidence)
    found: dict[str, Weights] = {f"{name} only": {name: 1.0} for name in names}
    pair = [name for name in (EMPLOYMENT, ESTABLISHMENTS) if name in names]
    blends: dict[str, Weights] = {}
    if len(pair) == 2 and len(names) > 2:
        blends["co-location"] = dict.fromkeys(pair, 1.0)
    if len(names) > 1:
        blends["all sides, equal"] = dict.fromkeys(names, 1.0)
        if any(value > 0 for value in worth.values()):
            blends["all sides, by worth"] = {name: value for name, value in worth.items() if value > 0}
    found |= blends
    if CLASSIFICATION in sides.matrices:
        for name, weights in (blends or found.copy()).items():
            found[f"{name}, with classification"] = {**weights, CLASSIFICATION: float(np.median([*weights.values()]))}
    return found


def mixed(scaled: Mapping[str, Floats], weights: Weights) -> Floats:
    """Average sides that are on one scale."""
    return np.asarray(np.average([scaled[name] for name in weights], axis=0, weights=list(weights.values())))


def side_worth(scoring: Mapping[str, Floats], number: int, *, seed: int = 0) -> dict[str, float]:
    """Return what each side is worth by the other sides: the score there of groups made from it alone, above chance.

    Groups are Ward's; chance is the mean score of the same groups with industries dealt out anew, five times. 0 where
    the others do not bear a side out at all, and where there is no other.
    """
    rng = np.random.default_rng(seed)
    worth = {}
    for name, matrix in scoring.items():
        labels = ward_partitions(matrix, [number])[0]
        others = [other for key, other in scoring.items() if key != name]
        chance = [_mean_score(others, rng.permutation(labels)) for _ in range(5)]
        worth[name] = max(_mean_score(others, labels) - float(np.mean(chance)), 0.0) if others else 0.0
    return worth


def _mean_score(matrices: list[Floats], labels: Integers) -> float:
    return float(np.nanmean([validation_scores(m, labels).mean for m in matrices])) if matrices else 0.0


def candidate_table(found: Sequence[Candidate]) -> pl.DataFrame:
    """Return one row a candidate, best first: how it was made, number of clusters, score, score on each side."""
    return pl.DataFrame(
        [
            {
                "rank": rank,
                "mixture": c.mixture,
                "scale": c.scale,
                "algorithm": c.algorithm,
                "clusters": c.clusters,
                "smallest": int(np.bincount(c.labels).min()),
                "score": c.score,
                "fit": c.fit,
                **c.scores,
            }
            for rank, c in enumerate(found, start=1)
        ]
    )


def side_scores(sides: Similarities, labels: Integers) -> dict[str, ValidationScores]:
    """Return the scores of a partition on every side, the classification included."""
    return {name: validation_scores(on_one_scale(m, "standard"), labels) for name, m in sides.matrices.items()}
