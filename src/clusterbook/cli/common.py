"""What the commands share: arguments, reading sources, printing while working."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import clusterbook as cb
from clusterbook.errors import ClusterbookError

#: Samples that the bundled definitions of US clusters fit.
US_SAMPLES = ("us_metros", "us_counties", "us_metro_trends")

#: The level of industries at which they are written; coarser industries are divided among clusters.
DEFINITION_LEVEL = 6

out = Console()
err = Console(stderr=True)

SourceArgument = Annotated[
    str,
    typer.Argument(
        help="A bundled sample (see `clusterbook samples`), a data file (CSV, Parquet, Excel), a folder with a "
        "mapping file clusterbook.toml, a panel folder made by `clusterbook read`, or an edition folder.",
        show_default=True,
    ),
]
ImputeOption = Annotated[
    bool | None,
    typer.Option(
        "--impute/--no-impute",
        help="Estimate the unpublished cells of the sample us_metros from their parents (default), or count them as "
        "zero.",
    ),
]
RecordOption = Annotated[
    list[str] | None,
    typer.Option(
        "--record",
        help="What people recorded of clusters, as KIND=FILE: facts, findings, nominations or judgements; may be "
        "given several times.",
    ),
]
LevelOption = Annotated[
    int | None, typer.Option("--level", help="Digits of the industry level of the sample us_metros (2 to 6).")
]


@contextmanager
def working() -> Iterator[Callable[[str], None]]:
    """Show what is being done: a moving line on a terminal, a plain line a step elsewhere."""
    if not err.is_terminal:
        yield lambda step: err.print(f"{step} ...", highlight=False)
        return
    with err.status("Reading") as status:
        yield lambda step: status.update(f"{step} ...")


def panels(source: str, options: dict[str, Any]) -> tuple[cb.Panel, cb.Panel | None]:
    """Return the main panel of a source and, where another source covers more years, the panel of trends."""
    from clusterbook.data.store import open_panel

    if source in dict(cb.samples.listing()):
        load = getattr(cb.samples, source)
        foreign = [name for name in options if name not in signature(load).parameters]
        if foreign:
            raise ClusterbookError(f"The sample {source} has no option --{foreign[0].replace('imputed', 'impute')}.")
        if source == "us_metros":
            options = {"level": DEFINITION_LEVEL, "imputed": True, **options}
        return load(**options), cb.samples.us_metro_trends() if source == "us_metros" else None
    if options:
        raise ClusterbookError("--level, --impute and --geometry are options of bundled samples.")
    if (Path(source) / "panel.json").is_file():
        return open_panel(source), None
    if (Path(source) / "clusterbook.toml").is_file():
        return called("tidy", "read", [Path(source)], None), None
    if not Path(source).exists():
        known = ", ".join(name for name, _ in cb.samples.listing())
        raise ClusterbookError(
            f"'{source}' is neither a file, nor a panel or edition folder, nor a bundled sample ({known})."
        )
    return cb.read_panel(source), None


def called(source: str, verb: str, what: list[int] | list[Path], options: list[str] | None) -> Any:
    """Call a source's ``fetch`` or ``read`` with the options given as NAME=VALUE."""
    from clusterbook.data.sources import SOURCES

    if source not in SOURCES:
        raise ClusterbookError(f"There is no source '{source}'. Sources: {', '.join(SOURCES)}.")
    function = getattr(SOURCES[source], verb)
    known = [name for name, p in signature(function).parameters.items() if p.kind == p.KEYWORD_ONLY]
    given = dict(_option(text, known) for text in options or [])
    return function(what, **given)


def _option(text: str, known: list[str]) -> tuple[str, Any]:
    """Read NAME=VALUE: numbers become numbers, values with commas become tuples."""
    name, equals, value = text.partition("=")
    if not equals or name not in known:
        raise ClusterbookError(
            f"--set {text}: expected NAME=VALUE with one of the names {', '.join(known) or '(none)'}."
        )
    parts = tuple(int(part) if part.isdigit() else part for part in value.split(","))
    return name, parts if len(parts) > 1 else parts[0]


def sample_options(level: int | None, impute: bool | None, geometry: Path | None) -> dict[str, Any]:
    """Return the options of a bundled sample that were given."""
    given = {"level": level, "imputed": impute, "geometry": geometry}
    return {name: value for name, value in given.items() if value is not None}


def records(given: list[str] | None) -> dict[str, Any]:
    """Read what people recorded, given as KIND=FILE, into the arguments of ``build_edition``."""
    readers = {
        "facts": cb.read_facts,
        "findings": cb.read_findings,
        "nominations": cb.read_nominations,
        "judgements": cb.read_judgements,
    }
    found: dict[str, Any] = {}
    for text in given or []:
        kind, equals, file = text.partition("=")
        if not equals or kind not in readers or kind in found:
            raise ClusterbookError(f"--record {text}: expected KIND=FILE, one of each kind: {', '.join(readers)}.")
        found[kind] = readers[kind](file)
    return found


def definitions_named(name: str | Path) -> cb.ClusterDefinitions:
    """Return the definitions that come with Clusterbook ('us'), those of a folder, or those of a table."""
    return cb.us_definitions() if str(name) == "us" else cb.open_definitions(name)


def definitions_for(panel: cb.Panel, source: str, named: Path | None) -> cb.ClusterDefinitions:
    """Return the definitions that were asked for, those that come with US samples, or discover them."""
    if named is not None:
        return definitions_named(named)
    return cb.us_definitions() if source in US_SAMPLES else cb.discover_definitions(panel)
