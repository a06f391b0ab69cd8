"""Cluster definitions: which industries belong together, with the record of how that was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from clusterbook.data.industries import Industries
from clusterbook.errors import DefinitionError

TRADED = "traded"
LOCAL = "local"


@dataclass(frozen=True)
class ClusterDefinitions:
    """A reusable, versioned set of cluster definitions.

    ``clusters`` has one row a cluster: ``cluster`` (id), ``label``, ``kind`` ('traded', 'local' or null where not
    stated) and any scores of single clusters (``within``, ``between`` ...).
    ``members`` has one row a membership: ``cluster``, ``industry``, ``subcluster`` (or null) and ``weight``, the share
    of the industry that the cluster is given (1 for exclusive membership; an industry's weights never exceed 1).
    ``method``, ``parameters``, ``scores`` and ``source`` say where the set comes from and how good it is.
    """

    clusters: pl.DataFrame
    members: pl.DataFrame
    method: str
    source: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @cached_property
    def labels(self) -> dict[str, str]:
        """The label of each cluster."""
        return dict(zip(self.clusters["cluster"], self.clusters["label"], strict=True))

    def assign(self, industries: Industries, codes: pl.Series) -> pl.DataFrame:
        """Return ``industry, cluster, weight`` for the codes of a panel.

        A code that is not a member itself belongs where its nearest ancestor does, so that definitions at four
        digits serve data at six. Codes outside every cluster are left out.

        Raises ``DefinitionError`` when not one code belongs to any cluster.
        """
        cover = industries.covering(codes.unique().sort().to_list(), self.members["industry"])
        if not cover:
            raise DefinitionError(
                f"None of the panel's {codes.n_unique()} industries is in the cluster definitions '{self.source}'. "
                "Check that both use the same classification and vintage."
            )
        found = pl.DataFrame({"industry": list(cover), "member": list(cover.values())})
        return (
            found.join(self.members.rename({"industry": "member"}), on="member")
            .select("industry", "cluster", "weight")
            .sort("industry", "cluster")
        )
