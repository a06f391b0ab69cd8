"""Keep editions: written whole or not at all, checked on opening."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from clusterbook.errors import EditionError
from clusterbook.folders import fresh_folder

MANIFEST = "manifest.json"
FORMAT = "clusterbook-edition/1"


@dataclass(frozen=True)
class Edition:
    """An immutable edition on disk: Parquet tables and the manifest that says what made them.

    The tables and their columns are listed in docs/architecture.md.
    """

    path: Path
    manifest: Mapping[str, Any]

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables."""
        return tuple(self.manifest["tables"])

    def file(self, name: str) -> Path:
        """Return the Parquet file of a table."""
        if name not in self.manifest["tables"]:
            raise EditionError(f"The edition has no table '{name}'. It has: {', '.join(self.tables)}.")
        return self.path / f"{name}.parquet"

    def table(self, name: str) -> pl.DataFrame:
        """Read a table."""
        return pl.read_parquet(self.file(name))

    def scan(self, name: str) -> pl.LazyFrame:
        """Read a table lazily."""
        return pl.scan_parquet(self.file(name))


def write_edition(tables: Mapping[str, pl.DataFrame], manifest: Mapping[str, Any], out: str | Path) -> Edition:
    """Write tables and manifest to ``out``; an edition that stands there is replaced only when all is written.

    Raises:
        OutputError: the place cannot be written, is not an edition, or the disk is full.
    """
    with fresh_folder(out, marker=MANIFEST) as folder:
        written: dict[str, dict[str, Any]] = {}
        for name, table in tables.items():
            file = folder / f"{name}.parquet"
            table.write_parquet(file, compression="zstd", compression_level=6, statistics=True)
            written[name] = {"rows": table.height, "bytes": file.stat().st_size, "sha256": _sha256(file)}
        record = {"format": FORMAT, **manifest, "tables": written}
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8")
    return open_edition(out)


def open_edition(path: str | Path) -> Edition:
    """Open an edition and check that it is whole and unchanged.

    Raises:
        EditionError: no edition there, made by another format, or a table is missing, cut short or changed.
    """
    folder = Path(path)
    file = folder / MANIFEST
    if not file.is_file():
        raise EditionError(f"{folder} is not an edition: it has no {MANIFEST}. Make one with `clusterbook build`.")
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        tables = dict(manifest["tables"])
    except (ValueError, TypeError, KeyError) as error:
        raise EditionError(f"{file} cannot be read ({error}). Build the edition again.") from error
    if manifest.get("format") != FORMAT:
        raise EditionError(
            f"{folder} has format {manifest.get('format')!r}; this version reads {FORMAT!r}. Build the edition again."
        )
    faults = [fault for name, record in tables.items() if (fault := _fault(folder / f"{name}.parquet", record))]
    if faults:
        raise EditionError(
            f"The edition {folder} is damaged and was not opened: {'; '.join(faults)}. "
            "Build it again or restore it from a copy; an edition is never edited by hand."
        )
    return Edition(folder, manifest)


def _fault(file: Path, record: Mapping[str, Any]) -> str | None:
    if not file.is_file():
        return f"{file.name} is missing"
    if file.stat().st_size != record["bytes"]:
        return f"{file.name} has {file.stat().st_size} bytes instead of {record['bytes']}"
    if _sha256(file) != record["sha256"]:
        return f"{file.name} was changed after it was written"
    return None


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
