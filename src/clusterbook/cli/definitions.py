"""The `clusterbook definitions` commands: discover, score, compare, edit and show sets of cluster definitions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer
from rich.table import Table

import clusterbook as cb
from clusterbook.cli.common import (
    ImputeOption,
    LevelOption,
    SourceArgument,
    definitions_named,
    out,
    panels,
    sample_options,
    working,
)

if TYPE_CHECKING:
    from clusterbook.data.input_output import InputOutput

app = typer.Typer(
    name="definitions",
    help="Find, score, compare and edit definitions: which industries form which cluster.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SetArgument = Annotated[
    str, typer.Argument(help="'us' (the set that comes with Clusterbook), a folder of definitions, or a CSV file.")
]
FlowsOption = Annotated[
    str | None,
    typer.Option(
        "--input-output",
        help="Who supplies whom: 'us' (the accounts of 2017), or a table with supplier, buyer and flow.",
    ),
]


@app.command(
    epilog="Examples:\n\n"
    "  clusterbook definitions discover us_metros --input-output us -o clusters\n\n"
    "  clusterbook definitions discover jobs.csv -o clusters --least 10 --most 25"
)
def discover(
    source: SourceArgument,
    folder: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the definitions to.")],
    flows: FlowsOption = None,
    least: Annotated[int, typer.Option(help="Least number of traded clusters.")] = 30,
    most: Annotated[int, typer.Option(help="Greatest number of traded clusters.")] = 60,
    samples: Annotated[int, typer.Option(help="Samples of the regions by which stability is judged.")] = 100,
    classification: Annotated[bool, typer.Option(help="Let nearness in the classification help.")] = True,
    year: Annotated[int | None, typer.Option(help="The year to look at; default: the last.")] = None,
    level: LevelOption = None,
    impute: ImputeOption = None,
) -> None:
    """Find which industries form clusters, and write the set with everything that lies behind it."""
    with working() as say:
        say(f"Reading {source}")
        panel, _ = panels(source, sample_options(level, impute, None))
        found = cb.discover_definitions(
            panel,
            year=year,
            n_clusters=(least, most),
            input_output=_flows(flows),
            classification=classification,
            samples=samples,
            progress=say,
        )
        cb.save_definitions(found, folder)
    _summary(found)
    out.print(f"Definitions: {folder}", soft_wrap=True)


@app.command(epilog="Example:\n\n  clusterbook definitions score us us_metros --input-output us")
def score(
    definitions: SetArgument,
    source: SourceArgument,
    flows: FlowsOption = None,
    year: Annotated[int | None, typer.Option(help="The year to look at; default: the last.")] = None,
    level: LevelOption = None,
    impute: ImputeOption = None,
) -> None:
    """Score a set on data: how related are industries within clusters, against between them?"""
    from clusterbook.clusters.editing import mean_score, score_definitions

    with working() as say:
        say(f"Reading {source}")
        chosen = definitions_named(definitions)
        panel, _ = panels(source, sample_options(level, impute, None))
        scores = score_definitions(chosen, _evidence(chosen, panel, flows, year))
    _print(scores.with_columns(pl.selectors.float().round(3)))
    out.print(f"Mean over observed sides: {mean_score(scores):.3f}")


@app.command(epilog="Example:\n\n  clusterbook definitions compare us my-clusters.csv")
def compare(first: SetArgument, second: SetArgument) -> None:
    """Compare two sets: how alike they are, what matches what, which industries moved."""
    found = cb.compare_definitions(definitions_named(first), definitions_named(second))
    out.print(
        f"{found.industries} industries in both, {len(found.only_first)} only in the first, "
        f"{len(found.only_second)} only in the second"
    )
    out.print(
        f"Adjusted Rand index {found.adjusted_rand:.3f}, Rand index {found.rand:.3f}, "
        f"mutual information {found.mutual_information:.3f}"
    )
    _print(found.matches.drop("cluster", "match").with_columns(pl.col("jaccard").round(2)))
    out.print(f"{found.moved.height} industries are not in the match of their cluster:")
    _print(found.moved)


@app.command(
    epilog="Example:\n\n  clusterbook definitions edit us corrections.csv --out ours\n\n"
    "corrections.csv has the columns cluster, reason, and industry (which moves) or label (the new name)."
)
def edit(
    definitions: SetArgument,
    edits: Annotated[Path, typer.Argument(help="Corrections: cluster, industry or label, reason[, by][, date].")],
    folder: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the corrected set to.")],
    source: Annotated[
        str | None, typer.Option("--on", help="Data on which the set is scored before and after.")
    ] = None,
    flows: FlowsOption = None,
    level: LevelOption = None,
    impute: ImputeOption = None,
) -> None:
    """Correct a set by hand: every change is recorded with its reason, and the set scored again."""
    from clusterbook.clusters.editing import edit_definitions

    with working() as say:
        chosen = definitions_named(definitions)
        evidence = None
        if source is not None:
            say(f"Reading {source}")
            panel, _ = panels(source, sample_options(level, impute, None))
            evidence = _evidence(chosen, panel, flows, None)
        edited = edit_definitions(chosen, edits, evidence)
        cb.save_definitions(edited, folder)
    if evidence is not None:
        out.print(f"Mean score {edited.scores['before edits']:.4f} before, {edited.scores['after edits']:.4f} after")
    out.print(f"Definitions: {folder} ({edited.tables['edits'].height} edits in all)", soft_wrap=True)


@app.command()
def show(definitions: SetArgument = "us") -> None:
    """List the clusters of a set, and what it was made of."""
    _summary(definitions_named(definitions))


def _evidence(
    chosen: cb.ClusterDefinitions, panel: cb.Panel, flows: str | None, year: int | None
) -> cb.clusters.discovery.Evidence:
    from clusterbook.clusters.definitions import LOCAL
    from clusterbook.clusters.discovery import gather_evidence

    traded = chosen.clusters.filter(pl.col("kind").is_null() | (pl.col("kind") != LOCAL))["cluster"]
    members = chosen.members.filter(pl.col("cluster").is_in(traded.implode()))["industry"].unique().to_list()
    return gather_evidence(panel, year=year, input_output=_flows(flows), traded=members)


def _flows(name: str | None) -> InputOutput | None:
    from clusterbook.data.input_output import read_flows

    if name is None:
        return None
    return cb.samples.us_input_output() if name == "us" else read_flows(name)


def _summary(definitions: cb.ClusterDefinitions) -> None:
    out.print(f"[bold]{definitions.source}[/]: {definitions.method}")
    for name, value in definitions.scores.items():
        out.print(f"{name}: {value:.3f}", highlight=False)
    sizes = definitions.members.group_by("cluster").agg(industries=pl.len())
    columns = [c for c in ("cluster", "label", "kind", "industries", "stability") if c != "stability"]
    if "stability" in definitions.clusters.columns:
        columns.append("stability")
    _print(definitions.clusters.join(sizes, on="cluster").sort("cluster").select(columns))


def _print(frame: pl.DataFrame) -> None:
    table = Table(*frame.columns, box=None, pad_edge=False)
    for row in frame.iter_rows():
        table.add_row(*("" if v is None else f"{v:.2f}" if isinstance(v, float) else str(v) for v in row))
    out.print(table)
