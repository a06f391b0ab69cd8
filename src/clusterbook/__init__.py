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

# public modules, and for every other public name the module that defines it
_MODULES = {"plot": "plot", "samples": "data.samples"}
_HOMES = {
    "ClusterDefinitions": "clusters.definitions",
    "ClusterbookError": "errors",
    "Edition": "edition.store",
    "Fact": "clusters.facts",
    "Industries": "data.industries",
    "KnowledgeBase": "knowledge",
    "Matrix": "data.matrix",
    "Panel": "data.panel",
    "Plants": "data.plants",
    "Regions": "data.regions",
    "Rules": "data.disclosure",
    "Source": "data.panel",
    "add_certainty": "clusters.certainty",
    "build_edition": "edition.build",
    "chain_definitions": "clusters.templates",
    "check_knowledge": "knowledge",
    "check_output": "data.leaks",
    "classify": "clusters.typology",
    "cluster_peers": "clusters.peers",
    "cluster_profiles": "clusters.profile",
    "cluster_warnings": "clusters.warnings",
    "community_definitions": "clusters.communities",
    "compare_definitions": "clusters.comparison",
    "delimit": "clusters.delimitation",
    "describe_profile": "clusters.profile",
    "discover_definitions": "clusters.discovery",
    "distinctiveness": "clusters.warnings",
    "edit_definitions": "clusters.editing",
    "entropy": "measures.concentration",
    "evidence_table": "clusters.evidence",
    "facts_vocabulary": "clusters.facts",
    "feser_bergman_definitions": "clusters.templates",
    "growth": "measures.growth",
    "herfindahl": "measures.concentration",
    "hoen_definitions": "clusters.templates",
    "identify": "clusters.identification",
    "impute_panel": "data.suppression",
    "latest_stages": "clusters.life_cycle",
    "life_cycle": "clusters.life_cycle",
    "load_knowledge": "knowledge",
    "location_quotient": "measures.specialisation",
    "locational_gini": "measures.concentration",
    "minimal_flow_definitions": "clusters.templates",
    "open_definitions": "clusters.definition_store",
    "open_edition": "edition.store",
    "open_panel": "data.store",
    "peer_distances": "clusters.peers",
    "protect": "data.disclosure",
    "read_core_activities": "clusters.core_activity",
    "read_definitions": "clusters.definitions",
    "read_facts": "clusters.facts",
    "read_findings": "clusters.evidence",
    "read_judgements": "clusters.life_cycle",
    "read_nominations": "clusters.nominations",
    "read_panel": "data.read",
    "read_plants": "data.plants",
    "region_peers": "clusters.peers",
    "save_definitions": "clusters.definition_store",
    "save_panel": "data.store",
    "score_definitions": "clusters.editing",
    "shares": "measures.specialisation",
    "size_rank": "measures.specialisation",
    "us_definitions": "clusters.definition_store",
    "write_atlas": "atlas.site",
}

__all__ = [
    "ClusterDefinitions",
    "ClusterbookError",
    "Edition",
    "Fact",
    "Industries",
    "KnowledgeBase",
    "Matrix",
    "Panel",
    "Plants",
    "Regions",
    "Rules",
    "Source",
    "__version__",
    "add_certainty",
    "build_edition",
    "chain_definitions",
    "check_knowledge",
    "check_output",
    "classify",
    "cluster_peers",
    "cluster_profiles",
    "cluster_warnings",
    "community_definitions",
    "compare_definitions",
    "delimit",
    "describe_profile",
    "discover_definitions",
    "distinctiveness",
    "edit_definitions",
    "entropy",
    "evidence_table",
    "facts_vocabulary",
    "feser_bergman_definitions",
    "growth",
    "herfindahl",
    "hoen_definitions",
    "identify",
    "impute_panel",
    "latest_stages",
    "life_cycle",
    "load_knowledge",
    "location_quotient",
    "locational_gini",
    "minimal_flow_definitions",
    "open_definitions",
    "open_edition",
    "open_panel",
    "peer_distances",
    "plot",
    "protect",
    "read_core_activities",
    "read_definitions",
    "read_facts",
    "read_findings",
    "read_judgements",
    "read_nominations",
    "read_panel",
    "read_plants",
    "region_peers",
    "samples",
    "save_definitions",
    "save_panel",
    "score_definitions",
    "shares",
    "size_rank",
    "us_definitions",
    "write_atlas",
]

if TYPE_CHECKING:
    from clusterbook import plot
    from clusterbook.atlas.site import write_atlas
    from clusterbook.clusters.certainty import add_certainty
    from clusterbook.clusters.communities import community_definitions
    from clusterbook.clusters.comparison import compare_definitions
    from clusterbook.clusters.core_activity import read_core_activities
    from clusterbook.clusters.definition_store import open_definitions, save_definitions, us_definitions
    from clusterbook.clusters.definitions import ClusterDefinitions, read_definitions
    from clusterbook.clusters.delimitation import delimit
    from clusterbook.clusters.discovery import discover_definitions
    from clusterbook.clusters.editing import edit_definitions, score_definitions
    from clusterbook.clusters.evidence import evidence_table, read_findings
    from clusterbook.clusters.facts import Fact, facts_vocabulary, read_facts
    from clusterbook.clusters.identification import identify
    from clusterbook.clusters.life_cycle import latest_stages, life_cycle, read_judgements
    from clusterbook.clusters.nominations import read_nominations
    from clusterbook.clusters.peers import cluster_peers, peer_distances, region_peers
    from clusterbook.clusters.profile import cluster_profiles, describe_profile
    from clusterbook.clusters.templates import (
        chain_definitions,
        feser_bergman_definitions,
        hoen_definitions,
        minimal_flow_definitions,
    )
    from clusterbook.clusters.typology import classify
    from clusterbook.clusters.warnings import cluster_warnings, distinctiveness
    from clusterbook.data import samples
    from clusterbook.data.disclosure import Rules, protect
    from clusterbook.data.industries import Industries
    from clusterbook.data.leaks import check_output
    from clusterbook.data.matrix import Matrix
    from clusterbook.data.panel import Panel, Source
    from clusterbook.data.plants import Plants, read_plants
    from clusterbook.data.read import read_panel
    from clusterbook.data.regions import Regions
    from clusterbook.data.store import open_panel, save_panel
    from clusterbook.data.suppression import impute_panel
    from clusterbook.edition.build import build_edition
    from clusterbook.edition.store import Edition, open_edition
    from clusterbook.errors import ClusterbookError
    from clusterbook.knowledge import KnowledgeBase, check_knowledge, load_knowledge
    from clusterbook.measures.concentration import entropy, herfindahl, locational_gini
    from clusterbook.measures.growth import growth
    from clusterbook.measures.specialisation import location_quotient, shares, size_rank


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name in _MODULES:
        value = import_module(f"clusterbook.{_MODULES[name]}")
    elif name in _HOMES:
        value = getattr(import_module(f"clusterbook.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module 'clusterbook' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
