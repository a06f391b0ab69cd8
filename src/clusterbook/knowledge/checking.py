"""Is the knowledge base sound and whole? Problems, rules, coverage of the sources' tables, entries without company."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clusterbook.knowledge.links import named_entries
from clusterbook.knowledge.loading import named_folders
from clusterbook.knowledge.models import Case, Instrument, SourceTable
from clusterbook.knowledge.reading import EntryProblem, Origin, Reading, read_folders


@dataclass(frozen=True)
class Finding:
    """An entry that breaks a rule, though it can be read."""

    link: str
    rule: str
    message: str
    origin: Origin

    def __str__(self) -> str:
        return f"{self.link} ({self.origin}): {self.message}"


@dataclass(frozen=True)
class Coverage:
    """How much of a table of a source is held by entries: ``missing`` are (row, link) that name no entry."""

    table: str
    title: str
    rows: int
    entries: int
    missing: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Report:
    """What ``check_knowledge`` found. ``lonely`` are entries that no other one names, as information."""

    counts: dict[str, int]
    problems: tuple[EntryProblem, ...]
    findings: tuple[Finding, ...]
    coverage: tuple[Coverage, ...]
    lonely: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing has to be mended."""
        return not self.problems and not self.findings

    def text(self) -> str:
        """Return the report as plain text, every problem with its place."""
        return "\n".join(_lines(self)) + "\n"


def check_knowledge(*folders: str | Path, bundled: bool = True) -> Report:
    """Check the bundled entries together with those of own folders, without stopping at the first fault.

    Args:
        folders: own entries, laid out as for ``load_knowledge``.
        bundled: False to check own entries alone.

    Raises:
        ClusterbookError: a folder is not there.

    >>> check_knowledge().counts["mechanisms"]
    12
    """
    reading = read_folders(named_folders(folders, bundled=bundled))
    return Report(
        {kind: len(entries) for kind, entries in reading.entries.items()},
        tuple(reading.problems),
        tuple(_findings(reading)),
        tuple(_coverage(reading)),
        tuple(_lonely(reading)),
    )


def _findings(reading: Reading) -> Iterator[Finding]:
    for kind, entries in reading.entries.items():
        for entry_id, found in entries.items():
            for rule, message in [*_judged(found.entry), *_instrument(found.entry), *_figures(found.entry)]:
                yield Finding(f"{kind}/{entry_id}", rule, message, found.origin)


def _judged(entry: object) -> Iterator[tuple[str, str]]:
    for name in getattr(entry, "judged", ()):
        if name.partition(".")[0] not in type(entry).model_fields:  # type: ignore[attr-defined]
            yield "judged names a field", f"'{name}' under 'judged' is no field of the entry"


def _instrument(entry: object) -> Iterator[tuple[str, str]]:
    """Goals and sources are required by the model already."""
    if not isinstance(entry, Instrument):
        return
    if not entry.mechanisms and not entry.failures:
        yield "instrument works somehow", "names neither a mechanism it works through nor a failure it answers"
    if not entry.actors and not entry.levels:
        yield "somebody can do it", "names neither an actor nor a level of government that carries it out"


def _figures(entry: object) -> Iterator[tuple[str, str]]:
    """Unit and year are required by the model already."""
    if not isinstance(entry, Case):
        return
    for figure in entry.figures:
        if figure.value is None and figure.low is None and figure.high is None:
            yield "figures have a value", f"figure '{figure.name}' has neither a value nor a bound"
        if figure.low is not None and figure.high is not None and figure.low > figure.high:
            yield "bounds in order", f"figure '{figure.name}' has a low bound above the high one"


def _coverage(reading: Reading) -> Iterator[Coverage]:
    for table_id, found in reading.entries["tables"].items():
        table = found.entry
        assert isinstance(table, SourceTable)
        named = [(row.id, link) for row in table.rows for link in row.entries]
        missing = tuple((row, link) for row, link in named if not _is_there(reading, link))
        yield Coverage(table_id, table.title, len(table.rows), len({link for _, link in named}), missing)


def _is_there(reading: Reading, link: str) -> bool:
    kind, _, entry_id = link.partition("/")
    return entry_id in reading.entries.get(kind, {})


def _lonely(reading: Reading) -> Iterator[str]:
    """Yield entries that no other one names; tables name others and are named by none."""
    everything = {
        f"{kind}/{entry_id}": found.entry
        for kind, entries in reading.entries.items()
        for entry_id, found in entries.items()
    }
    named = {n.link for link, entry in everything.items() for n in named_entries(entry) if n.link != link}
    yield from (link for link in everything if link not in named and not link.startswith("tables/"))


def _lines(report: Report) -> Iterator[str]:
    yield f"{sum(report.counts.values()):,} entries"
    width = max(map(len, report.counts))
    yield from (f"  {kind:<{width}} {count:>5,}" for kind, count in report.counts.items() if count)
    yield ""
    rows = sum(table.rows for table in report.coverage)
    held = rows - len({(table.table, row) for table in report.coverage for row, _ in table.missing})
    yield f"Tables of the sources: {len(report.coverage)} with {rows:,} rows, {held:,} of them held by entries"
    yield ""
    by_kind: dict[str, int] = {}
    for link in report.lonely:
        by_kind[link.partition("/")[0]] = by_kind.get(link.partition("/")[0], 0) + 1
    counts = ", ".join(f"{kind} {count}" for kind, count in by_kind.items())
    yield f"Entries that no other one names (no fault): {counts or 'none'}"
    yield ""
    yield f"Problems: {len(report.problems)}"
    for check in dict.fromkeys(problem.check for problem in report.problems):
        found = [problem for problem in report.problems if problem.check == check]
        yield f"- {check} ({len(found)})"
        yield from (f"    {problem}" for problem in found)
        yield f"    Remedy: {found[0].remedy}"
    yield f"Rules broken: {len(report.findings)}"
    for rule in dict.fromkeys(finding.rule for finding in report.findings):
        yield f"- {rule}"
        yield from (f"    {finding}" for finding in report.findings if finding.rule == rule)
