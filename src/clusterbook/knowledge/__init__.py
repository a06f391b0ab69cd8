"""What the field knows, as entries with citations: instruments, mechanisms, failures, cases, indicators and more.

>>> from clusterbook.knowledge import load_knowledge
>>> kb = load_knowledge()
>>> kb.mechanisms["vertical-cooperation"].sources[0].key
'ben'
"""

from __future__ import annotations

from clusterbook.knowledge.base import KnowledgeBase, Relation
from clusterbook.knowledge.checking import Report, check_knowledge
from clusterbook.knowledge.loading import load_knowledge
from clusterbook.knowledge.models import KINDS
from clusterbook.knowledge.reading import Origin

__all__ = [
    "KINDS",
    "KnowledgeBase",
    "Origin",
    "Relation",
    "Report",
    "check_knowledge",
    "load_knowledge",
]
