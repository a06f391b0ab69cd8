"""What it costs to load the knowledge base, to search it and to ask it something."""

from __future__ import annotations

from benchmarks.measuring import Row, measure

_IMPORT = "from clusterbook.knowledge import load_knowledge"
_LOADED = f"{_IMPORT}\nkb = load_knowledge()"
_FIRST = """
import os, tempfile
os.environ["CLUSTERBOOK_CACHE"] = tempfile.mkdtemp()
from clusterbook.knowledge import load_knowledge
"""
_SENTENCE = "instruments for missing demanding customers in a rural, early-stage cluster that a municipality can act on"


def run(*, quick: bool = False) -> list[Row]:
    """Time the first load (YAML checked and compiled), later loads, and questions to a fresh and a used base."""
    runs = 2 if quick else 5
    search = 'kb.search("demanding customers and public procurement")'
    filters = 'kb.search(filters={"failures": "missing-demanding-customers", "setting": "rural", "level": "local"})'
    analogy = 'kb.similar_cases(settings=["rural", "small-economy"], industry="food and wine", stage="emerging")'
    measured = [
        ("knowledge base, import", _IMPORT, "", ""),
        ("knowledge base, first load ever: YAML checked and compiled", "load_knowledge()", _FIRST, ""),
        ("knowledge base, load", "load_knowledge()", f"{_LOADED}\ndel kb", "target 0.15 s"),
        ("search by words, first of a process", search, _LOADED, "target 0.02 s"),
        ("search by words", search, f"{_LOADED}\n{search}", "target 0.02 s"),
        ("search by relations and place", filters, f"{_LOADED}\n{search}", "target 0.02 s"),
        ("question in plain words, first of a process", f"kb.ask({_SENTENCE!r})", _LOADED, ""),
        ("question in plain words", f"kb.ask({_SENTENCE!r})", f"{_LOADED}\nkb.ask({_SENTENCE!r})", "target 0.02 s"),
        ("cases by analogy", analogy, _LOADED, "target 0.02 s"),
    ]
    rows: list[Row] = []
    for name, body, setup, note in measured:
        seconds, peak = measure(body, setup=setup, runs=runs)
        rows.append({"name": name, "seconds": seconds, "peak_mb": peak, "note": f"{seconds * 1000:.1f} ms; {note}"})
    return rows
