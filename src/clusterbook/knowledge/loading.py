"""Load the knowledge base fast: the YAML is checked and compiled once, and kept as JSON in the user's cache folder.

The compiled form is one file a set of folders. Its first line holds a key (software, names and contents of all files)
and a checksum of the rest; where either does not fit, or the file cannot be read, the YAML is compiled again. Where
it cannot be written, the compiled form is used from memory.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from clusterbook.errors import ClusterbookError, DataError
from clusterbook.knowledge.asking import phrase_index
from clusterbook.knowledge.base import KnowledgeBase
from clusterbook.knowledge.links import named_entries
from clusterbook.knowledge.models import KINDS
from clusterbook.knowledge.reading import Origin, Reading, Translation, read_folders, yaml_files
from clusterbook.knowledge.search import index_of
from clusterbook.version import __version__

#: The entries that come with Clusterbook.
BUNDLED = Path(__file__).parent / "entries"


def load_knowledge(*folders: str | Path, bundled: bool = True) -> KnowledgeBase:
    """Load the knowledge base.

    Args:
        folders: own entries, laid out as ``<kind>/<any name>.yaml``, optionally with
            ``translations/<language>/<kind>.yaml``. An entry with the id of a bundled one takes its place; of several
            folders the last one counts.
        bundled: False to load own entries alone.

    Raises:
        ClusterbookError: a folder is not there.
        DataError: entries with faults: unknown or missing fields, wrong values, references to nothing, ids twice,
            parents in a circle. All of them at once, with file, line, entry, field and value.

    >>> load_knowledge().origin("mechanisms/labour-mobility").folder
    'bundled'
    """
    named = named_folders(folders, bundled=bundled)
    key, stored = _key(named), _cache_file(named)
    if stored is not None and (knowledge := _from_cache(stored, key)) is not None:
        return knowledge
    reading = read_folders(named)
    if reading.problems:
        raise DataError("knowledge base", reading.problems)
    body = _compile(reading)
    if stored is not None:
        _write(stored, _header(key, body) + b"\n" + body)
    return _open(body)


def named_folders(folders: Sequence[str | Path], *, bundled: bool = True) -> list[tuple[str, Path]]:
    """Return the folders to read in order, each with the name under which its entries are shown."""
    named = [("bundled", BUNDLED)] if bundled else []
    for folder in folders:
        if not Path(folder).is_dir():
            raise ClusterbookError(f"{folder}: there is no such folder. Name a folder that holds <kind>/*.yaml.")
        named.append((str(folder), Path(folder)))
    return named


def _compile(reading: Reading) -> bytes:
    """Return all entries as JSON: one line a kind, then origins and translations, relations, index."""
    found = [found for entries in reading.entries.values() for found in entries.values()]
    lines: list[Any] = [[item.data for item in entries.values()] for entries in reading.entries.values()]
    lines.append({f"{item.kind}/{item.data['id']}": [*vars(item.origin).values()] for item in found})
    lines.append(
        {
            language: {
                kind: {entry: translation.model_dump() for entry, translation in entries.items()}
                for kind, entries in kinds.items()
            }
            for language, kinds in reading.translations.items()
        }
    )
    lines.append(_relations(reading))
    linked = [(f"{item.kind}/{item.data['id']}", item.data) for item in found]
    lines.append({"words": index_of(linked), "phrases": phrase_index(linked)})
    return b"\n".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() for line in lines)


def _relations(reading: Reading) -> dict[str, Any]:
    """Return the relations of every entry as numbers: a relation and the entry at its other end, in turn.

    A relation that others state of the entry is the complement of its number (~0 is -1).
    """
    found = [item for entries in reading.entries.values() for item in entries.values()]
    numbers = {f"{item.kind}/{item.data['id']}": at for at, item in enumerate(found)}
    words: dict[tuple[str, str, str], int] = {}
    outward: dict[str, list[int]] = {link: [] for link in numbers}
    inward: dict[str, list[int]] = {link: [] for link in numbers}
    for (link, at), item in zip(numbers.items(), found, strict=True):
        for target, word in dict.fromkeys(
            (n.link, (n.field, n.ref.says, n.ref.back)) for n in named_entries(item.entry)
        ):
            number = words.setdefault(word, len(words))
            outward[link] += [number, numbers[target]]
            inward[target] += [~number, at]
    ends = {link: outward[link] + inward[link] for link in numbers}
    return {"links": list(numbers), "words": list(words), "ends": ends}


def _open(body: bytes) -> KnowledgeBase:
    """Make the knowledge base from its compiled form.

    Raises ValueError (pydantic's and json's errors are such) where the form is not the expected one.
    """
    *kinds, origins, translations, relations, index = body.split(b"\n")
    entries = {}
    for (kind, adapter), line in zip(_adapters().items(), kinds, strict=True):
        entries[kind.replace("-", "_")] = {entry.id: entry for entry in adapter.validate_json(line)}
    return KnowledgeBase(
        **entries,
        origins={link: Origin(*place) for link, place in json.loads(origins).items()},
        translations=_translations().validate_json(translations),
        _relations_json=relations,
        _index_json=index,
    )


@cache
def _adapters() -> dict[str, TypeAdapter[Any]]:
    return {kind: TypeAdapter(list[model]) for kind, model in KINDS.items()}  # type: ignore[valid-type]


@cache
def _translations() -> TypeAdapter[dict[str, dict[str, dict[str, Translation]]]]:
    return TypeAdapter(dict[str, dict[str, dict[str, Translation]]])


def _key(named: Sequence[tuple[str, Path]]) -> str:
    """Return what must be the same for a compiled form to be still good.

    Contents, not times: files come from archives and checkouts with any time. Our own code is part of it, since two
    states of a checkout have the same version.
    """
    digest = hashlib.blake2b(__version__.encode(), digest_size=16)
    for path in [*sorted(Path(__file__).parent.glob("*.py")), *(f for _, folder in named for f in yaml_files(folder))]:
        with suppress(OSError):  # a file that cannot be read is reported when it is compiled
            content = path.read_bytes()
            digest.update(f"\0{path}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def _cache_file(named: Sequence[tuple[str, Path]]) -> Path | None:
    """Return the file for the compiled form of these folders, in the user's cache folder; None where there is none."""
    if chosen := os.environ.get("CLUSTERBOOK_CACHE"):
        base = Path(chosen)
    elif xdg := os.environ.get("XDG_CACHE_HOME"):
        base = Path(xdg) / "clusterbook"
    else:
        try:
            home = Path.home()
        except RuntimeError:
            return None
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA", home)) / "clusterbook"
        else:
            base = home.joinpath(*(["Library", "Caches"] if sys.platform == "darwin" else [".cache"]), "clusterbook")
    folders = "\0".join(f"{name}\0{folder.absolute()}" for name, folder in named)
    return base / "knowledge" / f"{hashlib.blake2b(folders.encode(), digest_size=8).hexdigest()}.jsonl"


def _header(key: str, body: bytes) -> bytes:
    return f"{key} {hashlib.blake2b(body, digest_size=16).hexdigest()}".encode()


def _from_cache(stored: Path, key: str) -> KnowledgeBase | None:
    """Return what was compiled before, or None where it is not there, out of date or damaged."""
    try:
        header, _, body = stored.read_bytes().partition(b"\n")
        return _open(body) if header == _header(key, body) else None
    except (OSError, ValueError, TypeError, ValidationError):
        return None


def _write(stored: Path, content: bytes) -> None:
    """Keep the compiled form; whoever cannot write it works without."""
    with suppress(OSError):
        stored.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", dir=stored.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(stored)  # whole or not at all, also when two programs start at once
        except OSError:
            Path(name).unlink(missing_ok=True)
