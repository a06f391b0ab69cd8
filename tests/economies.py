"""Economies with clusters planted in them, to see whether they are found again."""

from __future__ import annotations

import numpy as np
import polars as pl

import clusterbook as cb
from clusterbook.data.panel import status_of


def planted(
    *,
    clusters: int = 8,
    size: int = 8,
    local: int = 12,
    regions: int = 250,
    noise: float = 0.3,
    overlap: float = 0.0,
    skew: float = 1.0,
    seed: int = 0,
) -> tuple[cb.Panel, dict[str, int]]:
    """Make a panel in which industries of a cluster follow the cluster's places.

    ``noise``: s.d. of the log of every cell; ``overlap``: share of an industry's jobs that follow another cluster;
    ``skew``: s.d. of the log of sizes of regions and industries. Returns the panel and industry to planted cluster.
    """
    rng = np.random.default_rng(seed)
    people = np.exp(rng.normal(11, skew, regions))
    # A cluster is strong in about an eighth of the regions.
    strength = np.exp(rng.normal(0, 0.5, (regions, clusters))) * np.where(
        rng.random((regions, clusters)) < 0.12, 12, 0.6
    )
    home = np.repeat(np.arange(clusters), size)
    other = (home + 1 + rng.integers(0, clusters - 1, len(home))) % clusters
    pull = (1 - overlap) * strength[:, home] + overlap * strength[:, other]
    traded = people[:, None] * pull * np.exp(rng.normal(0, skew, len(home))) / 400
    everywhere = np.repeat(people[:, None] / 100, local, axis=1)
    jobs = np.concatenate([traded, everywhere], axis=1)
    jobs = rng.poisson(
        jobs * np.exp(rng.normal(0, noise, jobs.shape) * np.append(np.ones(len(home)), np.full(local, 0.2)))
    )
    codes = [f"{k + 1:02d}{i:02d}" for k in range(clusters) for i in range(size)] + [f"99{i:02d}" for i in range(local)]
    names = [f"R{r:03d}" for r in range(regions)]
    frame = pl.DataFrame(
        {
            "region": np.repeat(names, len(codes)),
            "industry": np.tile(codes, regions),
            "year": 2020,
            "employment": jobs.ravel().astype(float),
            "establishments": np.ceil(jobs.ravel() / 20),
        }
    ).with_columns(status_of("employment"))
    places = cb.Regions(pl.DataFrame({"region": names, "name": names, "population": people}))
    source = cb.Source(id="planted", title="Planted economy")
    panel = cb.Panel(frame, source, places, cb.Industries.from_codes(pl.Series(codes)))
    return panel, dict(zip(codes, [*home.tolist(), *[-1] * local], strict=True))
