"""Make the definitions of US clusters that come with Clusterbook.

    python scripts/discover_us_definitions.py

Discovers them in the metropolitan and micropolitan areas of 2019 (six digits, hidden cells imputed) with the
input-output accounts of 2017, names them by us_definition_names.csv and writes them to the package. The names file
tells a cluster by an industry in it, so that names stay with what they name when the numbering changes.
"""

from __future__ import annotations

import logging
from pathlib import Path

import polars as pl

import clusterbook as cb
from clusterbook.clusters.comparison import main_cluster

NAMES = Path(__file__).parent / "us_definition_names.csv"
OUT = Path(__file__).parent.parent / "src/clusterbook/clusters/bundled/us_2019"

log = logging.getLogger(__name__)


def main() -> None:
    """Discover, name, write, report."""
    found = cb.discover_definitions(
        cb.samples.us_metros(6, imputed=True),
        n_clusters=(40, 60),
        input_output=cb.samples.us_input_output(),
        samples=100,
        progress=log.info,
    )
    names = pl.read_csv(NAMES, schema_overrides={"industry": pl.String})
    edits = (
        names.join(main_cluster(found), on="industry", how="left").drop("industry").select("cluster", "label", "reason")
    )
    twice = edits.filter(pl.col("cluster").is_duplicated() | pl.col("cluster").is_null())
    if twice.height:
        raise SystemExit(f"These names fall on one cluster or on none: {twice['label'].to_list()}. Mend {NAMES.name}.")
    traded = set(found.clusters.filter(kind="traded")["cluster"])
    log.info("Without a name of their own: %s", sorted(traded - set(edits["cluster"])) or "none")
    named = cb.edit_definitions(found, edits)
    cb.save_definitions(named, OUT)
    log.info("%s traded clusters; %s", len(traded), {k: round(v, 3) for k, v in named.scores.items()})


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
