"""Clusterbook: find, describe, support and evaluate the industrial clusters of an economy.

The public verbs, in the order in which a book is made:

>>> import clusterbook as cb
>>> panel = cb.samples.us_metros()            # or cb.read_panel("jobs.csv")      # doctest: +SKIP
>>> definitions = cb.discover_definitions(panel)                                  # doctest: +SKIP
>>> edition = cb.build_edition(panel, definitions, "us-2019.edition")             # doctest: +SKIP
>>> cb.write_atlas(edition, "atlas")                                              # doctest: +SKIP

Everything is imported on first use, so that ``import clusterbook`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clusterbook.version import __version__

# public name -> module that defines it (samples is a module itself)
_HOMES = {
    "ClusterbookError": "errors",
    "ClusterDefinitions": "clusters.definitions",
    "Edition": "edition.store",
    "Industries": "data.industries",
    "Matrix": "data.matrix",
    "Panel": "data.panel",
    "Regions": "data.regions",
    "Source": "data.panel",
    "build_edition": "edition.build",
    "discover_definitions": "clusters.discovery",
    "entropy": "measures.concentration",
    "growth": "measures.growth",
    "herfindahl": "measures.concentration",
    "identify": "clusters.identification",
    "location_quotient": "measures.specialisation",
    "locational_gini": "measures.concentration",
    "open_edition": "edition.store",
    "read_definitions": "clusters.definitions",
    "read_panel": "data.read",
    "samples": "data.samples",
    "shares": "measures.specialisation",
    "size_rank": "measures.specialisation",
    "write_atlas": "atlas.site",
}

__all__ = [
    "ClusterDefinitions",
    "ClusterbookError",
    "Edition",
    "Industries",
    "Matrix",
    "Panel",
    "Regions",
    "Source",
    "__version__",
    "build_edition",
    "discover_definitions",
    "entropy",
    "growth",
    "herfindahl",
    "identify",
    "location_quotient",
    "locational_gini",
    "open_edition",
    "read_definitions",
    "read_panel",
    "samples",
    "shares",
    "size_rank",
    "write_atlas",
]

if TYPE_CHECKING:
    from clusterbook.atlas.site import write_atlas
    from clusterbook.clusters.definitions import ClusterDefinitions, read_definitions
    from clusterbook.clusters.discovery import discover_definitions
    from clusterbook.clusters.identification import identify
    from clusterbook.data import samples
    from clusterbook.data.industries import Industries
    from clusterbook.data.matrix import Matrix
    from clusterbook.data.panel import Panel, Source
    from clusterbook.data.read import read_panel
    from clusterbook.data.regions import Regions
    from clusterbook.edition.build import build_edition
    from clusterbook.edition.store import Edition, open_edition
    from clusterbook.errors import ClusterbookError
    from clusterbook.measures.concentration import entropy, herfindahl, locational_gini
    from clusterbook.measures.growth import growth
    from clusterbook.measures.specialisation import location_quotient, shares, size_rank


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'clusterbook' has no attribute {name!r}")
    module = import_module(f"clusterbook.{_HOMES[name]}")
    value = module if _HOMES[name].endswith(f".{name}") else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
