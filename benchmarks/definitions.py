"""The search for cluster definitions at about a thousand industries, and its stability over samples of regions."""

from __future__ import annotations

from benchmarks.measuring import Row, measure

_SETUP = """
import numpy as np
from clusterbook import samples
from clusterbook.clusters.discovery import gather_evidence
from clusterbook.clusters.search import search
panel = samples.us_metros({level})
# every industry is grouped, local ones too, to have as many as there are
evidence = gather_evidence(panel, input_output=samples.us_input_output(),
                           traded=panel.frame["industry"].unique().to_list())
"""
_SEARCH = """
found, worth = search(evidence.sides, range(30, 61, 4))
assert len(found) >= 300 and len(evidence.sides.evidence) == 5
"""
_BOOTSTRAP = """
from clusterbook.clusters.similarity import LOCATIONAL
from clusterbook.clusters.stability import bootstrap
fixed = {name: m for name, m in evidence.sides.matrices.items() if name not in LOCATIONAL}
chosen = found[0]
bootstrap(chosen, chosen.labels, evidence.size.values, evidence.establishments, evidence.total, fixed, samples=SAMPLES)
"""


def run(*, quick: bool = False) -> list[Row]:
    """Time the search over five observed sides and the classification, and stability by samples of the regions."""
    setup = _SETUP.format(level=4 if quick else 6)
    samples = 10 if quick else 100
    count = "assert len(evidence.sides.industries) > 900" if not quick else ""
    search = measure(f"{_SEARCH}\n{count}", setup=setup)
    again = measure(_BOOTSTRAP.replace("SAMPLES", str(samples)), setup=f"{setup}\n{_SEARCH}")
    return [
        {"name": "search, score: 5 sides", "seconds": search[0], "peak_mb": search[1], "note": "target 60 s"},
        {
            "name": f"stability: {samples} samples of the regions",
            "seconds": again[0],
            "peak_mb": again[1],
            "note": "target 600 s",
        },
    ]
