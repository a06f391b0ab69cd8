"""What it costs to import Clusterbook."""

from __future__ import annotations

from benchmarks.measuring import Row, measure

TARGET_SECONDS = 0.5


def run(*, quick: bool = False) -> list[Row]:
    """Time ``import clusterbook`` and, for scale, ``import pandas``, each in a fresh interpreter."""
    runs = 2 if quick else 5
    ours, peak = measure("import clusterbook", runs=runs)
    peer, peer_peak = measure("import pandas", runs=runs)
    return [
        {
            "name": "import clusterbook",
            "seconds": ours,
            "peak_mb": peak,
            "ratio": peer / ours,
            "note": f"target {TARGET_SECONDS} s; ratio against import pandas",
        },
        {"name": "import pandas", "seconds": peer, "peak_mb": peer_peak},
    ]
