"""Everything that can go wrong, said so that the reader knows what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ClusterbookError(Exception):
    """Root of all errors that Clusterbook raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One fault in an input: what it is, where it stands and how to mend it.

    ``check`` is the short name of the check that found it ('duplicate keys', 'negative values', ...).
    ``line`` counts as a text editor or spreadsheet does (the header is line 1); None where there is no file.
    """

    check: str
    message: str
    remedy: str
    line: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        place = ", ".join(
            part
            for part in (
                f"line {self.line}" if self.line is not None else "",
                f"column '{self.column}'" if self.column is not None else "",
                f"value {self.value!r}" if self.value is not None else "",
            )
            if part
        )
        return f"{place}: {self.message}" if place else self.message


class DataError(ClusterbookError):
    """An input that cannot be used as it is. Carries every problem found, not the first one only."""

    SHOWN_PER_CHECK = 5

    def __init__(self, origin: str, problems: Sequence[Problem]) -> None:
        self.origin = origin
        self.problems = tuple(problems)
        super().__init__(self._text())

    def _text(self) -> str:
        by_check: dict[str, list[Problem]] = {}
        for problem in self.problems:
            by_check.setdefault(problem.check, []).append(problem)
        count = len(self.problems)
        lines = [f"{self.origin}: {count} problem{'s' if count != 1 else ''} found, nothing was read."]
        for check, found in by_check.items():
            lines.append(f"- {check} ({len(found)})")
            lines += [f"    {problem}" for problem in found[: self.SHOWN_PER_CHECK]]
            if len(found) > self.SHOWN_PER_CHECK:
                lines.append(f"    ... and {len(found) - self.SHOWN_PER_CHECK} more")
            lines.append(f"    Remedy: {found[0].remedy}")
        return "\n".join(lines)


class DefinitionError(ClusterbookError):
    """Cluster definitions that do not fit together or do not fit the panel."""


class EditionError(ClusterbookError):
    """An edition that cannot be built, opened or trusted."""


class OutputError(ClusterbookError):
    """A place that cannot be written to."""
