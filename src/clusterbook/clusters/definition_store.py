"""Definitions in a folder that people can read and edit, and the definitions that come with Clusterbook.

A folder holds ``members.csv`` (one row a membership: edit labels and members there), ``record.yaml`` (method, source,
parameters, scores, notes) and the tables behind the set as CSV.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from clusterbook.clusters.definitions import ClusterDefinitions, read_definitions
from clusterbook.errors import DataError, DefinitionError, Problem
from clusterbook.folders import fresh_folder

MEMBERS, RECORD = "members.csv", "record.yaml"
_BUNDLED = Path(__file__).parent / "bundled"
#: Columns of codes: read as text, whatever they look like.
_CODES = ("industry", "cluster", "closest", "other", "old_company", "subcluster")


def save_definitions(definitions: ClusterDefinitions, folder: str | PathLike[str]) -> Path:
    """Write definitions with their record to a folder, which is there wholly or not at all.

    Raises ``OutputError`` when the folder cannot be written.
    """
    record = {
        "method": definitions.method,
        "source": definitions.source,
        "parameters": dict(definitions.parameters),
        "scores": {name: round(float(score), 6) for name, score in definitions.scores.items()},
        "notes": list(definitions.notes),
    }
    target = Path(folder)
    with fresh_folder(target, marker=RECORD) as out:
        definitions.to_frame().write_csv(out / MEMBERS, float_precision=6)
        extra = definitions.clusters.drop("label", "kind")
        if extra.width > 1:
            extra.write_csv(out / "clusters.csv", float_precision=6)
        for name, table in definitions.tables.items():
            table.write_csv(out / f"{name}.csv", float_precision=6)
        (out / RECORD).write_text(yaml.safe_dump(record, sort_keys=False, allow_unicode=True, width=110))
    return target


def open_definitions(path: str | PathLike[str]) -> ClusterDefinitions:
    """Read definitions: a folder made by ``save_definitions``, or a table of memberships (``read_definitions``).

    Raises:
        DataError: something in the folder cannot be read, or ``members.csv`` has faults.
        DefinitionError: the folder holds no definitions.
    """
    folder = Path(path)
    if not folder.is_dir():
        return read_definitions(folder)
    if not (folder / MEMBERS).is_file() or not (folder / RECORD).is_file():
        raise DefinitionError(f"{folder} holds no cluster definitions: {MEMBERS} or {RECORD} is missing.")
    record = _record(folder / RECORD)
    found = read_definitions(folder / MEMBERS, source=record["source"])
    tables = {
        file.stem: _table(file) for file in sorted(folder.glob("*.csv")) if file.name not in (MEMBERS, "clusters.csv")
    }
    extra = folder / "clusters.csv"
    clusters = found.clusters
    if extra.is_file():
        clusters = clusters.join(_table(extra), on="cluster", how="left")
    return replace(
        found,
        clusters=clusters,
        method=record["method"],
        parameters=record["parameters"],
        scores=record["scores"],
        notes=tuple(record["notes"]),
        tables=tables,
    )


def _record(path: Path) -> Mapping[str, Any]:
    wanted = {"method": str, "source": str, "parameters": dict, "scores": dict, "notes": list}
    remedy = "Take the file as save_definitions wrote it, or read members.csv alone."
    try:
        record = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = Problem("unreadable", f"not YAML: {' '.join(str(error).split())}", remedy)
        raise DataError(str(path), [problem]) from error
    faults = [
        Problem("wrong record", f"'{key}' is missing or not a {kind.__name__}", remedy)
        for key, kind in wanted.items()
        if not isinstance(record, dict) or not isinstance(record.get(key), kind)
    ]
    if faults:
        raise DataError(str(path), faults)
    return dict(record)


def _table(path: Path) -> pl.DataFrame:
    header = pl.read_csv(path, n_rows=0).columns
    return pl.read_csv(path, schema_overrides={c: pl.String for c in header if c in _CODES}, infer_schema_length=None)


def us_definitions() -> ClusterDefinitions:
    """Return the definitions of US clusters that come with Clusterbook, with their full record.

    Discovered by ``discover_definitions`` in County Business Patterns of 2019 (metropolitan and micropolitan areas, six
    digits, hidden cells imputed) with the input-output accounts of 2017; names were given by hand, see ``edits``.

    >>> definitions = us_definitions()
    >>> definitions.clusters.filter(kind="traded").height
    40
    """
    return open_definitions(_BUNDLED / "us_2019")
