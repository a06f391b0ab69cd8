"""The `clusterbook` command: thin, one function a verb."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

import clusterbook as cb
from clusterbook.cli import definitions as definitions_commands
from clusterbook.cli import knowledge as knowledge_commands
from clusterbook.cli.common import (
    ImputeOption,
    LevelOption,
    RecordOption,
    SourceArgument,
    called,
    definitions_for,
    err,
    out,
    panels,
    records,
    sample_options,
    working,
)
from clusterbook.errors import ClusterbookError

if TYPE_CHECKING:
    from clusterbook import ClusterDefinitions, Edition, Panel
    from clusterbook.data.disclosure import Protected

app = typer.Typer(
    name="clusterbook",
    help="Find, map and describe the industrial clusters of an economy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(definitions_commands.app)
app.add_typer(knowledge_commands.app)

DEFAULT_SAMPLE = "us_metros"

#: What the books made of the bundled data are called.
TITLES = {
    "us_metros": "Clusters of US metro areas",
    "us_counties": "Clusters of US counties",
    "us_metro_trends": "Clusters of US metro areas over five years",
    "us_commuting_zones": "Clusters of US commuting zones",
    "uk_regions": "Clusters of UK regions",
    "nz_urban_areas": "Clusters of New Zealand",
    "europe_nuts2": "Clusters of European regions",
}

DefinitionsOption = Annotated[
    Path | None,
    typer.Option(
        "--definitions",
        "-d",
        help="Cluster definitions: a folder, or CSV (industry, cluster[, label][, subcluster][, weight]). "
        "Default: those that come with Clusterbook for US samples, else discovered.",
    ),
]
TitleOption = Annotated[str | None, typer.Option("--title", help="The name of the book.")]
GeometryOption = Annotated[
    Path | None, typer.Option("--geometry", help="Shapes for the sample europe_nuts2 (GeoPackage or GeoJSON).")
]


@app.command(
    epilog="Examples:\n\n  clusterbook atlas                                  the US atlas from the bundled data\n\n"
    "  clusterbook atlas us_counties --out counties       all US counties\n\n"
    "  clusterbook atlas jobs.csv -d clusters.csv         your own data and definitions"
)
def atlas(
    source: SourceArgument = DEFAULT_SAMPLE,
    folder: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the site to.")] = Path("out/atlas"),
    definitions: DefinitionsOption = None,
    title: TitleOption = None,
    level: LevelOption = None,
    impute: ImputeOption = None,
    geometry: GeometryOption = None,
    record: RecordOption = None,
    show: Annotated[bool, typer.Option("--open", help="Open the atlas in the browser.")] = False,
) -> None:
    """Make an atlas: a self-contained site that opens by double-click and can be hosted as it is."""
    with working() as say:
        if _is_edition(source):
            edition = cb.open_edition(source)
        else:
            edition = _build(
                source,
                folder.parent / f"{folder.name}.edition",
                definitions,
                title,
                sample_options(level, impute, geometry),
                record,
                say,
            )
        index = cb.write_atlas(edition, folder, progress=say)
    out.print(f"Atlas: {index}", soft_wrap=True)
    if show and sys.stdout.isatty():
        webbrowser.open(index.absolute().as_uri())


@app.command(
    epilog="Examples:\n\n  clusterbook build us_metros --out us.edition\n\n"
    "  clusterbook build jobs.xlsx --out ours.edition"
)
def build(
    source: SourceArgument = DEFAULT_SAMPLE,
    folder: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the edition to.")] = Path("out/edition"),
    definitions: DefinitionsOption = None,
    title: TitleOption = None,
    level: LevelOption = None,
    impute: ImputeOption = None,
    geometry: GeometryOption = None,
    record: RecordOption = None,
) -> None:
    """Compute an edition: Parquet tables and a manifest that says what made them."""
    with working() as say:
        edition = _build(source, folder, definitions, title, sample_options(level, impute, geometry), record, say)
    out.print(f"Edition: {edition.path}", soft_wrap=True)


@app.command(epilog="Examples:\n\n  clusterbook inspect out/edition\n\n  clusterbook inspect jobs.csv")
def inspect(path: Annotated[Path, typer.Argument(help="An edition or panel folder, or a data file.")]) -> None:
    """Say what an edition, a panel or a data file holds, and whether it is sound."""
    if _is_edition(str(path)):
        _show_edition(cb.open_edition(path))
    else:
        _show_panel(panels(str(path), {})[0])


OptionsOption = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", help="An option of the source as NAME=VALUE; may be given several times."),
]
OfficeArgument = Annotated[str, typer.Argument(help="A source: cbp, qcew, eurostat, uk, stats_nz, abs_census, tidy.")]


@app.command(
    epilog="Examples:\n\n  clusterbook fetch cbp 2019 2020 --set area=metro\n\n"
    "  clusterbook fetch eurostat 2019 --set dataset=nama_10r_3empers"
)
def fetch(
    source: OfficeArgument,
    years: Annotated[list[int], typer.Argument(help="The years wanted.")],
    options: OptionsOption = None,
) -> None:
    """Download the files of a statistical office into the cache and say where they are."""
    with working() as say:
        say(f"Fetching {source} {', '.join(map(str, years))}")
        paths = called(source, "fetch", years, options)
    for path in paths:
        out.print(str(path), soft_wrap=True, highlight=False)


@app.command(
    epilog="Examples:\n\n  clusterbook read cbp cbp19co.zip --out counties.panel --set digits=4\n\n"
    "  clusterbook read tidy my-country/ --out ours.panel\n\n  clusterbook atlas ours.panel"
)
def read(
    source: OfficeArgument,
    files: Annotated[list[Path], typer.Argument(help="The files, or the folder of a tidy mapping.")],
    folder: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the panel to.")] = Path("out/panel"),
    options: OptionsOption = None,
) -> None:
    """Check and read the files of a statistical office into a panel that `atlas` and `build` take."""
    from clusterbook.data.store import save_panel

    with working() as say:
        say(f"Reading {', '.join(map(str, files))}")
        panel = called(source, "read", files, options)
        say("Writing the panel")
        save_panel(panel, folder)
    _show_panel(panel)
    out.print(f"Panel: {folder}", soft_wrap=True)


@app.command(
    epilog="Examples:\n\n  clusterbook protect secret.csv --out safe.panel --contributors 3 --public establishments\n\n"
    "  clusterbook atlas safe.panel -d safe.panel.definitions.csv"
)
def protect(
    source: SourceArgument,
    folder: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the protected panel to.")],
    definitions: DefinitionsOption = None,
    contributors: Annotated[int, typer.Option(help="Figures with fewer contributors are confidential.")] = 3,
    public: Annotated[list[str] | None, typer.Option(help="A measure that is no secret; may be repeated.")] = None,
) -> None:
    """Hide confidential cells so that nothing published gives them away, and prove it on a whole edition."""
    from clusterbook.data.store import save_panel

    with working() as say:
        say(f"Reading {source}")
        panel, _ = panels(source, {})
        chosen = definitions_for(panel, source, definitions)
        say("Hiding cells and auditing what can be told from sums")
        safe = _protected(panel, chosen, contributors, public or [], say)
        save_panel(safe.panel, folder)
    chosen.to_csv(Path(f"{folder}.definitions.csv"))
    hidden = safe.panel.frame.filter(status="suppressed").height
    out.print(f"{safe.audit.height:,} confidential figures, {hidden:,} cells hidden, no leak found.")
    out.print(f"Panel: {folder}\nDefinitions: {folder}.definitions.csv", soft_wrap=True)


def _protected(
    panel: Panel, definitions: ClusterDefinitions, contributors: int, public: list[str], say: Callable[[str], None]
) -> Protected:
    """Protect a panel; build the edition it makes and try to work the hidden figures out from all its tables."""
    from tempfile import TemporaryDirectory

    from clusterbook.data import disclosure, leaks

    groups = definitions.assign(panel.industries, panel.frame["industry"])
    safe = disclosure.protect(panel, disclosure.Rules(contributors=contributors), groups=groups, public=public)
    say("Trying to work the hidden figures out from an edition")
    with TemporaryDirectory() as folder:
        edition = cb.build_edition(safe.panel, definitions, Path(folder) / "edition")
        found = leaks.check_output({name: edition.table(name) for name in edition.tables}, safe)
    if found.height:
        first = found.select("region", "code", "year", "column").row(0)
        raise ClusterbookError(
            f"{found.height} confidential figures could be worked out, e.g. {first}. Nothing was written."
        )
    return safe


@app.command()
def samples() -> None:
    """List the data that come with Clusterbook."""
    table = Table("Name", "What it holds", box=None, pad_edge=False)
    for name, description in cb.samples.listing():
        table.add_row(name, description)
    out.print(table)


@app.command()
def version() -> None:
    """Print the version."""
    out.print(f"clusterbook {cb.__version__}", highlight=False)


def main() -> None:
    """Run the command; a known error is a message and exit code 1, never a traceback."""
    try:
        app()
    except ClusterbookError as error:
        err.print(f"[bold red]Error:[/] {_plain(error)}", highlight=False, soft_wrap=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        err.print("Stopped. Nothing was changed.")
        raise SystemExit(130) from None


def _plain(error: ClusterbookError) -> str:
    from rich.markup import escape

    return escape(str(error))


def _is_edition(source: str) -> bool:
    return (Path(source) / "manifest.json").is_file()


def _build(
    source: str,
    folder: Path,
    definitions: Path | None,
    title: str | None,
    options: dict[str, Any],
    record: list[str] | None,
    say: Callable[[str], None],
) -> Edition:
    recorded = records(record)
    say(f"Reading {source}")
    panel, trend = panels(source, options)
    say("Cluster definitions")
    chosen = definitions_for(panel, source, definitions)
    title = title or TITLES.get(source)
    return cb.build_edition(panel, chosen, folder, trend=trend, title=title, progress=say, **recorded)


def _show_edition(edition: Edition) -> None:
    manifest = edition.manifest
    out.print(f"[bold]{manifest['title']}[/] ({manifest['software']})")
    out.print(f"Years {manifest['years'][0]} to {manifest['years'][-1]}, measure: {manifest['measure']}")
    for source in manifest["sources"]:
        out.print(f"Source of {source['role']}: {source['title']}, {source['publisher']} ({source['licence']})")
    out.print(f"Definitions: {manifest['definitions']['method']}")
    table = Table("Table", "Rows", "Bytes", box=None, pad_edge=False)
    for name, record in manifest["tables"].items():
        table.add_row(name, f"{record['rows']:,}", f"{record['bytes']:,}")
    out.print(table)
    out.print("All files are whole and unchanged.")


def _show_panel(panel: Panel) -> None:
    frame = panel.frame
    out.print(f"[bold]{panel.source.title}[/]: {frame.height:,} cells, no problem found")
    out.print(f"{frame['region'].n_unique():,} regions, {frame['industry'].n_unique():,} industries")
    out.print(f"Years: {', '.join(str(year) for year in panel.years)}")
    for measure in panel.measures:
        out.print(f"{measure}: {frame[measure].sum():,.0f} {panel.source.unit(measure)}")
    for status, count in frame["status"].value_counts(sort=True).iter_rows():
        out.print(f"{count:,} cells {str(status).replace('_', ' ')}")
