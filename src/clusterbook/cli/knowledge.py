"""The `clusterbook knowledge` commands: check, search, ask, show, and write the library as pages."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import clusterbook as cb
from clusterbook.cli.common import out, working
from clusterbook.errors import ClusterbookError

if TYPE_CHECKING:
    from clusterbook.knowledge.search import Hit

app = typer.Typer(
    name="knowledge",
    help="The knowledge base: instruments, cases, indicators and what else the field knows, with citations.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

OwnOption = Annotated[
    list[Path] | None, typer.Option("--own", help="A folder of your own entries; may be given several times.")
]
LimitOption = Annotated[int, typer.Option("--limit", "-n", help="How many answers.")]


@app.command()
def check(own: Annotated[list[Path] | None, typer.Argument(help="Folders of your own entries.")] = None) -> None:
    """Prove that all entries are sound, and say how far the tables of the sources are covered."""
    report = cb.check_knowledge(*(own or []))
    out.print(report.text(), highlight=False, markup=False, soft_wrap=True)
    if not report.sound:
        raise ClusterbookError("The knowledge base is not sound; see above.")


@app.command(
    epilog="Examples:\n\n  clusterbook knowledge search supplier --kind instruments --where level=local\n\n"
    "  clusterbook knowledge search --where failures=missing-demanding-customers --where setting=rural"
)
def search(
    words: Annotated[list[str] | None, typer.Argument(help="Words to look for.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="A kind of entry, e.g. instruments, cases.")] = None,
    where: Annotated[list[str] | None, typer.Option(help="A filter as NAME=VALUE; may be given several times.")] = None,
    own: OwnOption = None,
    limit: LimitOption = 10,
) -> None:
    """Search by words and relations; each answer says why it is one."""
    kb = cb.load_knowledge(*(own or []))
    _print_hits(kb.search(" ".join(words or []), kinds=tuple(kind or []), filters=_filters(where), limit=limit))


@app.command(
    epilog="Example:\n\n"
    '  clusterbook knowledge ask "instruments for missing demanding customers that a municipality can act on"'
)
def ask(
    question: Annotated[str, typer.Argument(help="A question in plain words.")],
    own: OwnOption = None,
    limit: LimitOption = 10,
) -> None:
    """Ask in plain words; the answer starts with how the question was understood."""
    answer = cb.load_knowledge(*(own or [])).ask(question)
    out.print(answer.understood(), highlight=False, markup=False, soft_wrap=True)
    _print_hits(answer.hits[:limit])


@app.command(epilog="Example:\n\n  clusterbook knowledge show instruments/cluster-broker")
def show(
    entry: Annotated[str, typer.Argument(help="An entry as KIND/ID, e.g. instruments/cluster-broker.")],
    own: OwnOption = None,
) -> None:
    """Show an entry with its relations and citations."""
    kb = cb.load_knowledge(*(own or []))
    found = kb.get(entry)
    out.print(f"[bold]{found.title}[/]  ({entry}, {kb.origin(entry).folder})", soft_wrap=True)
    out.print(getattr(found, "text", ""), highlight=False, markup=False)
    for relation in kb.relations(entry):
        if relation.link.startswith("bibliography/"):
            continue  # told with their places below
        out.print(f"  {relation.name}: {kb.get(relation.link).title} ({relation.link})", highlight=False, markup=False)
    for citation in getattr(found, "sources", ()):
        out.print(f"Source: {kb.bibliography[citation.key].title}, {citation.at or ''}".rstrip(", "), markup=False)


@app.command()
def pages(
    folder: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the pages to.")] = Path("out/library"),
    own: OwnOption = None,
) -> None:
    """Write the library as pages that open by double-click."""
    from clusterbook.atlas.library import write_library

    with working() as say:
        say("Writing the library")
        index = write_library(folder, cb.load_knowledge(*(own or [])))
    out.print(f"Library: {index}", soft_wrap=True)


def _filters(where: list[str] | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in where or []:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise ClusterbookError(f"--where {text}: expected NAME=VALUE, e.g. level=local.")
        found.setdefault(name, []).append(value)
    return found


def _print_hits(hits: Iterable[Hit]) -> None:
    found = list(hits)
    for hit in found:
        out.print(f"[bold]{hit.title}[/]  ({hit.link})", soft_wrap=True)
        for line in (*hit.why, hit.snippet):
            if line:
                out.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    if not found:
        out.print("Nothing found. Try fewer words, or `clusterbook knowledge ask` with a plain question.")
