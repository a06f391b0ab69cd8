"""Discovery: find which industries form clusters, in full: sides, candidates, scores, choice, outliers, relations.

The approach of Delgado, Porter and Stern (2016), Defining clusters of related industries, Journal of Economic
Geography 16, on any panel. Each step is a module of its own: ``kinds`` (local or traded), ``similarity`` (the sides),
``candidates`` and ``search`` (many sets, scored), ``refine`` (outliers), ``relations`` and ``stability``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clusterbook.clusters.definitions import ClusterDefinitions
from clusterbook.clusters.description import (
    by_sector,
    cluster_table,
    industries_table,
    member_table,
    moves_table,
    overlap_table,
    related_table,
    sides_table,
)
from clusterbook.clusters.kinds import LOCAL_BAND, LOCAL_SHARE, local_industries, resource_industries
from clusterbook.clusters.refine import outliers, refine
from clusterbook.clusters.relations import subclusters
from clusterbook.clusters.search import (
    Candidate,
    candidate_table,
    judged,
    mixed,
    ranked,
    scoring_sides,
    search,
)
from clusterbook.clusters.similarity import (
    CLASSIFICATION,
    LOCATIONAL,
    Similarities,
    classification_proximity,
    locational_similarities,
    occupation_similarities,
    on_one_scale,
    trade_similarities,
)
from clusterbook.clusters.stability import Stability, bootstrap
from clusterbook.data.input_output import InputOutput
from clusterbook.data.matrix import Matrix
from clusterbook.data.panel import Panel
from clusterbook.errors import DefinitionError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: At most this many numbers of clusters are tried, evenly spread.
_NUMBERS = 11
#: So many of the best candidates are refined, with and without the classification, before the choice.
_FINALISTS = 12
#: Names of the best sets without and with the classification, in this order.
_BESTS = ("best without classification", "best with classification")


@dataclass(frozen=True)
class Evidence:
    """What discovery looks at: traded industries in regions, and the sides from which they are compared."""

    year: int
    size: Matrix
    establishments: Floats | None
    total: Floats
    local: tuple[str, ...]
    sides: Similarities
    jobs: dict[str, float]
    population_known: bool


def discover_definitions(
    panel: Panel,
    *,
    year: int | None = None,
    n_clusters: tuple[int, int] = (30, 60),
    local_share: float = LOCAL_SHARE,
    input_output: InputOutput | None = None,
    occupations: pl.DataFrame | None = None,
    classification: bool = True,
    samples: int = 0,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> ClusterDefinitions:
    """Find cluster definitions in a panel.

    1. *Local industries* are present in proportion to population nearly everywhere (``kinds.local_industries``). They
       are grouped by the sector of the classification, because co-location cannot tell industries apart that are
       everywhere. All other industries are *traded*.
    2. *Sides*: co-location of size and of establishments, coagglomeration; with an input-output table likeness of
       purchases and sales, and the supply link; with a table of occupations those shared; and, declared rather than
       observed, nearness in the classification (``similarity``).
    3. *Candidates*: mixtures of sides on two scales, partitioned by Ward's method, k-means, k-medoids and Leiden into
       every number of clusters, each scored on every observed side (``search``).
    4. *Choice*: the best candidates are refined (small clusters dissolved, outliers moved: ``refine``) and the one with
       the highest mean score is kept. The best set with and without the classification are both reported.
    5. *Description*: outliers that remain, subclusters, related clusters, shares of industries in other clusters, and
       with ``samples`` the stability over samples of the regions.

    Regions with suppressed cells give no evidence and are left out; the parameters count those that were used.

    Args:
        panel: at least 10 regions and 6 industries; establishments are used when the panel has them.
        year: the year to look at (default: the last).
        n_clusters: least and greatest number of traded clusters; cut down for small panels.
        local_share: least share of the population that lives where a local industry is near its proportion; 1.0 makes
            nearly everything traded.
        input_output: who supplies whom, with a crosswalk to the panel's classification.
        occupations: table ``industry, occupation, jobs``.
        classification: whether nearness in the classification may help.
        samples: how many samples of the regions stability is judged by; 0 leaves it out.
        seed: of Leiden and the samples.
        progress: called with a few words at each step.

    Returns:
        The definitions, with these ``tables``: ``candidates``, ``sides``, ``industries``, ``related``, ``overlap``,
        ``moves``; and with samples ``stability``.

    Raises:
        DefinitionError: too small a panel, or too few regions without suppressed cells in that year.
        ClusterbookError: the table of occupations lacks columns or knows none of the industries.
    """
    say = progress or (lambda _: None)
    say("Comparing industries from every side")
    evidence = gather_evidence(
        panel,
        year=year,
        local_share=local_share,
        input_output=input_output,
        occupations=occupations,
        classification=classification,
    )
    say("Forming and scoring candidate sets")
    numbers = _numbers(n_clusters, len(evidence.sides.industries))
    found, worth = search(evidence.sides, numbers, seed=seed)
    finalists = _refined(found, evidence.sides)
    chosen = finalists[0]
    labels = _by_size(chosen.labels, evidence)
    affinity = _affinity(chosen, evidence.sides)
    stability = None
    if samples:
        say(f"Repeating it in {samples} samples of the regions")
        fixed = {name: m for name, m in evidence.sides.matrices.items() if name not in LOCATIONAL}
        stability = bootstrap(
            chosen,
            labels,
            evidence.size.values,
            evidence.establishments,
            evidence.total,
            fixed,
            samples=samples,
            seed=seed,
        )
    say("Describing the clusters found")
    parameters = _parameters(evidence, found, chosen, local_share, n_clusters)
    return _described(panel, evidence, found, finalists, worth, labels, affinity, stability, parameters)


def gather_evidence(
    panel: Panel,
    *,
    year: int | None = None,
    local_share: float = LOCAL_SHARE,
    input_output: InputOutput | None = None,
    occupations: pl.DataFrame | None = None,
    classification: bool = True,
    traded: Sequence[str] | None = None,
) -> Evidence:
    """Tell local from traded industries and compare the traded ones from every side that there are data for.

    ``traded`` names the industries to compare instead of those that the local rule leaves. Other arguments and errors
    as in ``discover_definitions``.
    """
    year = panel.years[-1] if year is None else year
    measures = [panel.size] + ["establishments"] * (
        "establishments" in panel.measures and panel.size != "establishments"
    )
    matrices = _usable([panel.matrix(name, year) for name in measures], year)
    size, establishments = matrices[0], matrices[1].values if len(matrices) > 1 else None
    population, known = _population(panel, size)
    if traded is None:
        is_local = local_industries(size.values, population, share=local_share, establishments=establishments)
    else:
        is_local = ~np.isin(size.industries, list(traded))
    columns = np.flatnonzero(~is_local)
    if len(columns) < 6:
        raise DefinitionError(
            f"Only {len(columns)} traded industries: too few to cluster. Use a finer industry level, or read your own "
            "definitions with read_definitions()."
        )
    codes = tuple(size.industries[k] for k in columns)
    there = None if establishments is None else establishments[:, columns]
    total = size.values.sum(axis=1)
    sides = locational_similarities(size.values[:, columns], there, total)
    if input_output is not None:
        sides |= trade_similarities(codes, panel.industries, input_output)
        if all(np.isnan(sides[name]).all() for name in sides if name not in LOCATIONAL):
            raise DefinitionError(
                f"'{input_output.source.title}' knows none of the panel's industries. Give a table whose crosswalk "
                f"names codes of {panel.industries.classification or 'the classification of the panel'}."
            )
    if occupations is not None:
        sides |= occupation_similarities(codes, occupations)
    if classification and panel.industries.parents:
        sides[CLASSIFICATION] = classification_proximity(codes, panel.industries)
    return Evidence(
        year,
        size.columns(codes),
        there,
        total,
        tuple(code for code, local in zip(size.industries, is_local, strict=True) if local),
        Similarities(codes, sides),
        dict(zip(size.industries, size.values.sum(axis=0).tolist(), strict=True)),
        known,
    )


def _usable(matrices: list[Matrix], year: int) -> list[Matrix]:
    """Keep regions without suppressed cells, and regions and industries that have anything at all."""
    first = matrices[0]
    unknown = np.isnan(np.stack([m.values for m in matrices])).any(axis=(0, 2))
    rows = np.flatnonzero(~unknown & (np.nan_to_num(first.values).sum(axis=1) > 0))
    columns = np.flatnonzero(first.values[rows].sum(axis=0) > 0)
    if len(rows) < 10 or len(columns) < 6:
        raise DefinitionError(
            "Discovery needs at least 10 regions and 6 industries with anything in them and nothing suppressed; "
            f"in {year} the panel has {len(rows)} such regions ({unknown.sum()} have suppressed cells) and "
            f"{len(columns)} industries. Choose another year with year=..., impute suppressed cells first "
            "(clusterbook.data.suppression.impute_panel), or read your own definitions with read_definitions()."
        )
    return [
        Matrix(
            m.values[np.ix_(rows, columns)],
            tuple(m.regions[k] for k in rows),
            tuple(m.industries[k] for k in columns),
        )
        for m in matrices
    ]


def _population(panel: Panel, matrix: Matrix) -> tuple[Floats, bool]:
    """Return the population of the matrix's regions and True, or their total size and False where any is unknown."""
    people = panel.regions.population()
    if not set(matrix.regions) <= people.keys():
        return np.asarray(matrix.values.sum(axis=1)), False
    return np.array([people[code] for code in matrix.regions], dtype=np.float64), True


def _numbers(n_clusters: tuple[int, int], industries: int) -> list[int]:
    """Return the numbers of clusters to try; of few industries there are at most a third as many clusters."""
    low, high = (min(n, max(2, industries // 3)) for n in n_clusters)
    return sorted({round(n) for n in np.linspace(low, high, min(_NUMBERS, high - low + 1))})


def _affinity(candidate: Candidate, sides: Similarities) -> Floats:
    scaled = {name: on_one_scale(sides.matrices[name], candidate.scale) for name in candidate.weights}
    return mixed(scaled, candidate.weights)


def _refined(found: Sequence[Candidate], sides: Similarities) -> list[Candidate]:
    """Refine the best candidates with and without the classification; return them best first."""
    scoring = scoring_sides(sides)
    best = [c for declared in (False, True) for c in [c for c in found if c.declared == declared][:_FINALISTS]]
    return ranked(
        [judged(replace(c, labels=refine(_affinity(c, sides), c.labels), unrefined=c.labels), scoring) for c in best]
    )


def _by_size(labels: Integers, evidence: Evidence) -> Integers:
    """Number clusters by size, largest first, so that ids do not depend on how they were found."""
    jobs = evidence.size.values.sum(axis=0)
    groups = sorted(
        range(int(labels.max()) + 1), key=lambda k: (-jobs[labels == k].sum(), np.flatnonzero(labels == k)[0])
    )
    rank = np.empty(len(groups), dtype=np.int64)
    rank[groups] = np.arange(len(groups))
    return np.asarray(rank[labels])


def _parameters(
    evidence: Evidence,
    found: Sequence[Candidate],
    chosen: Candidate,
    local_share: float,
    n_clusters: tuple[int, int],
) -> dict[str, Any]:
    return {
        "year": evidence.year,
        "regions used": len(evidence.total),
        "industries grouped": len(evidence.sides.industries),
        "candidates scored": len(found),
        "mixture": chosen.mixture,
        "weights": {name: round(float(weight), 4) for name, weight in chosen.weights.items()},
        "scale": chosen.scale,
        "algorithm": chosen.algorithm,
        "traded clusters tried": f"{n_clusters[0]} to {n_clusters[1]}",
        "traded clusters kept": chosen.clusters,
        "local industries": f"at least {local_share:.0%} of the reference in regions with {LOCAL_BAND[0]:g} to "
        f"{LOCAL_BAND[1]:g} times the share per head",
        "local reference": "population" if evidence.population_known else "total size",
    }


def _described(
    panel: Panel,
    evidence: Evidence,
    found: Sequence[Candidate],
    finalists: Sequence[Candidate],
    worth: dict[str, float],
    labels: Integers,
    affinity: Floats,
    stability: Stability | None,
    parameters: dict[str, Any],
) -> ClusterDefinitions:
    chosen = finalists[0]
    codes = evidence.sides.industries
    ids = [f"t{k + 1:02d}" for k in range(int(labels.max()) + 1)]
    local = by_sector(evidence.local, panel.industries)
    best = {c.declared: c for c in reversed(finalists)}  # the first of each kind stays
    fit = outliers(scoring_sides(evidence.sides), affinity, labels)
    tables = {
        "candidates": candidate_table(found),
        "sides": sides_table(evidence.sides, {_BESTS[d]: c.labels for d, c in best.items()}, worth, chosen.weights),
        "industries": industries_table(codes, evidence.jobs, affinity, labels, ids, fit, stability),
        "related": related_table(affinity, labels, ids),
        "overlap": overlap_table(affinity, labels, ids, codes),
        "moves": moves_table(chosen.labels if chosen.unrefined is None else chosen.unrefined, labels, ids, codes),
    }
    if stability is not None:
        samples = range(1, len(stability.rand) + 1)
        tables["stability"] = pl.DataFrame({"sample": samples, "adjusted_rand": stability.rand})
    resource = resource_industries(codes, panel.industries)
    return ClusterDefinitions(
        clusters=cluster_table(
            evidence.jobs, panel.industries, codes, affinity, labels, ids, local, resource, stability
        ),
        members=member_table(evidence.jobs, codes, labels, ids, subclusters(affinity, labels), local),
        method=f"{chosen.mixture}; {chosen.algorithm}, refined",
        source=f"discovered in {panel.source.title}, {evidence.year}",
        parameters=parameters,
        scores=_scores(best, stability),
        notes=_notes(evidence),
        tables=tables,
    )


def _scores(best: dict[bool, Candidate], stability: Stability | None) -> dict[str, float]:
    """Return the chosen set's mean score, that of the best set with and without the classification, and stability."""
    chosen = ranked(list(best.values()))[0]
    scores = {"mean of all scores": chosen.score, "fit": chosen.fit}
    scores |= {_BESTS[declared]: candidate.score for declared, candidate in sorted(best.items())}
    if len(best) == 2:
        from sklearn.metrics import adjusted_rand_score

        scores["adjusted Rand index of the two"] = float(adjusted_rand_score(*(c.labels for c in best.values())))
    if stability is not None:
        scores["stability: mean adjusted Rand index over samples"] = float(stability.rand.mean())
    return scores


def _notes(evidence: Evidence) -> tuple[str, ...]:
    notes = ["Local industries are grouped by sector of the classification, not by co-location."]
    if len(evidence.sides.evidence) == len([n for n in evidence.sides.evidence if n in LOCATIONAL]):
        notes.insert(
            0,
            "Only locations were compared. Location alone groups related industries weakly: some clusters hold "
            "industries that merely share places. An input-output table helps most (input_output=...).",
        )
    if evidence.establishments is None:
        notes.append("The panel has no establishments: one side less, and small industries are harder to call local.")
    notes.append("Labels name the groups of the classification that describe the members best; read the member list.")
    return tuple(notes)
