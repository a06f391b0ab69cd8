"""Folders of YAML to entries, with every problem of all files found at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path as FilePath
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from clusterbook.errors import Problem
from clusterbook.knowledge.arithmetic import names_in
from clusterbook.knowledge.links import Path, named_entries
from clusterbook.knowledge.models import KINDS, Case, Model, Text, figure_key

#: Name of the folder, beside those of the kinds, with titles and texts in other languages.
TRANSLATIONS = "translations"

# the parser in C is eight times as fast; the one in Python stands in where PyYAML was built without it
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_REMEDIES = {
    "unreadable file": "Save the file as UTF-8 and mend the YAML where the message says; each file is a list of "
    "entries that begin with '- id:'.",
    "unknown kind": "Put each file into a folder named after its kind: " + ", ".join(KINDS) + ".",
    "unknown field": "Rename or remove the field; docs/knowledge.md lists the fields of each kind.",
    "missing field": "Add the field; docs/knowledge.md lists the fields of each kind and which of them are required.",
    "wrong value": "Write a value of the kind that the message asks for; put yes, no, years and numbers that are "
    "meant as text into quotes.",
    "duplicate id": "Give one of them another id, or remove it. To replace a bundled entry, use its id once in your "
    "own folder.",
    "field given twice": "Keep one of them; YAML would silently take the last.",
    "dangling reference": "Correct the id, or add the entry it names.",
    "unknown citation": "Add the work to bibliography/*.yaml, or correct the key.",
    "cyclic parents": "Let one entry of the circle have no parent.",
    "bad sum": "Write a sum of the case's own figures by name, with + - * / ** and parentheses; '-' in a name is "
    "written '_'.",
    "unknown translation": "Correct the id, or remove the translation: there is no such entry to translate.",
}


@dataclass(frozen=True)
class EntryProblem(Problem):
    """A problem in a file of the knowledge base; ``column`` is the field, as 'fit.fits.0'."""

    file: str = ""
    entry: str | None = None

    def __str__(self) -> str:
        place = [
            self.file,
            f"line {self.line}" if self.line is not None else "",
            f"entry '{self.entry}'" if self.entry else "",
            f"field '{self.column}'" if self.column else "",
            f"value {self.value!r}" if self.value is not None else "",
        ]
        return f"{', '.join(part for part in place if part)}: {self.message}"


@dataclass(frozen=True)
class Origin:
    """Where an entry comes from: 'bundled' or the user's folder, the file in it, and the line."""

    folder: str
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.folder}, {self.file}, line {self.line}"


class Found(NamedTuple):
    """An entry as read: the checked model, the plain data it was made of, and where it stands."""

    kind: str
    entry: Model
    data: dict[str, Any]
    file: FilePath
    origin: Origin


class Translation(Model):
    """Title and text of an entry in another language."""

    title: Text
    text: Text | None = None


@dataclass
class Reading:
    """What was read so far; problems gather instead of stopping it."""

    entries: dict[str, dict[str, Found]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    #: language -> kind -> id -> title and text
    translations: dict[str, dict[str, dict[str, Translation]]] = field(default_factory=dict)
    problems: list[EntryProblem] = field(default_factory=list)
    #: links of entries that are there but could not be read, so that naming them is no second problem
    broken: set[str] = field(default_factory=set)

    def add(
        self,
        check: str,
        message: str,
        origin: Origin,
        entry: object = None,
        path: Path = (),
        value: object = None,
    ) -> None:
        """Note a problem."""
        self.problems.append(
            EntryProblem(
                check,
                message,
                _REMEDIES[check],
                line=origin.line or None,
                column=".".join(map(str, path)) or None,
                value=None if value is None or isinstance(value, list | dict) else str(value),
                file=origin.file if origin.folder == "bundled" else str(FilePath(origin.folder) / origin.file),
                entry=None if entry is None else str(entry),
            )
        )


def read_folders(folders: Sequence[tuple[str, FilePath]]) -> Reading:
    """Read folders (name, path) one after the other; an entry of a later folder takes the place of an earlier one."""
    reading = Reading()
    waiting: list[tuple[str, str, Origin, Any, Any]] = []
    for name, folder in folders:
        seen: dict[tuple[str, str], Origin] = {}
        for file in yaml_files(folder):
            parts = file.relative_to(folder).parts
            origin = Origin(name, "/".join(parts), 0)
            if parts[0] == TRANSLATIONS and len(parts) == 3:
                waiting += [(parts[1], file.stem, *item) for item in _members(reading, file, origin, dict)]
            elif parts[0] in KINDS and len(parts) == 2:
                _read_entries(reading, parts[0], file, origin, seen)
            else:
                _note_stray(reading, parts, origin)
    for item in waiting:
        _read_translation(reading, *item)
    _check_together(reading)
    return reading


def yaml_files(folder: FilePath) -> list[FilePath]:
    """Return the YAML files of a folder and its folders, hidden ones left out, in a fixed order."""
    found = [path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml")]
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _note_stray(reading: Reading, parts: tuple[str, ...], origin: Origin) -> None:
    if len(parts) == 1:
        message = "stands beside the folders of the kinds, not in one of them"
    else:
        message = f"there is no kind '{parts[0]}'{_meant(parts[0], KINDS)}"
        if parts[0] in KINDS:
            message = "lies too deep: files stand right in the folder of their kind"
        elif parts[0] == TRANSLATIONS:
            message = f"translations stand at {TRANSLATIONS}/<language>/<kind>.yaml"
    reading.add("unknown kind", message, origin)


def _members(
    reading: Reading, file: FilePath, origin: Origin, shape: type[list[Any]] | type[dict[Any, Any]]
) -> list[tuple[Origin, Any, yaml.Node]]:
    """Return the members of a YAML file with their places: those of a list, or (key, value) of a table."""
    try:
        node, data = parse_yaml(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reading.add("unreadable file", *_unreadable(error, origin))
        return []
    if data is None:
        return []
    _note_twice(reading, node, origin)
    if not isinstance(data, shape):
        expected = "a list of entries" if shape is list else "a table of ids, each with title and text"
        reading.add("unreadable file", f"holds {_word_for(data)} where {expected} is expected", _at(origin, node))
        return []
    if isinstance(data, list):
        return [(_at(origin, inner), item, inner) for item, inner in zip(data, node.value, strict=True)]
    return [
        (_at(origin, key), item, inner) for item, (key, inner) in zip(data.items(), _last_of_each(node), strict=True)
    ]


def parse_yaml(text: str) -> tuple[Any, Any]:
    """Return the tree of a YAML text, which knows lines, and its data."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return node, loader.construct_document(node) if node is not None else None
    finally:
        loader.dispose()


def _last_of_each(node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
    """Return the pairs of a table as its data has them: of a key that stands twice the last, in the first's place."""
    return list({key.value: (key, value) for key, value in node.value}.values())


def _unreadable(error: Exception, origin: Origin) -> tuple[str, Origin]:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        problem = " ".join(str(getattr(error, "problem", "") or "not YAML").split())
        return f"not YAML: {problem} (character {mark.column + 1})", Origin(origin.folder, origin.file, mark.line + 1)
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}", origin
    return " ".join(str(getattr(error, "strerror", None) or error).split()), origin


def _word_for(data: object) -> str:
    return "a table" if isinstance(data, dict) else "a list" if isinstance(data, list) else f"'{data}'"


def _at(origin: Origin, node: yaml.Node) -> Origin:
    return Origin(origin.folder, origin.file, node.start_mark.line + 1)


def _note_twice(reading: Reading, node: yaml.Node, origin: Origin) -> None:
    """Note fields that a mapping has twice: the parser keeps the last and says nothing."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _note_twice(reading, item, origin)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                message = f"'{key.value}' stands twice in the same place"
                reading.add("field given twice", message, _at(origin, key), path=(str(key.value),))
            if isinstance(key.value, str):
                seen.add(key.value)
            if not isinstance(value, yaml.ScalarNode):
                _note_twice(reading, value, origin)


def _read_entries(
    reading: Reading, kind: str, file: FilePath, origin: Origin, seen: dict[tuple[str, str], Origin]
) -> None:
    for place, data, node in _members(reading, file, origin, list):
        if not isinstance(data, dict):
            reading.add("wrong value", f"{_word_for(data)} where an entry with fields is expected", place)
            continue
        entry_id = data.get("id")
        if isinstance(entry_id, str):
            if (kind, entry_id) in seen:
                first = seen[kind, entry_id]
                message = f"the id stands already in {first.file}, line {first.line}"
                reading.add("duplicate id", message, place, entry_id, ("id",))
            seen[kind, entry_id] = place
        try:
            entry = KINDS[kind].model_validate(data)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                _note_invalid(reading, detail, KINDS[kind], place, entry_id, node)
            reading.broken.add(f"{kind}/{entry_id}")
        else:
            reading.entries[kind][str(entry_id)] = Found(kind, entry, data, file, place)


def _note_invalid(
    reading: Reading, detail: ErrorDetails, model: type[Model], origin: Origin, entry: object, node: yaml.Node
) -> None:
    """Note what pydantic found, in words of ours where its own do not help."""
    path = tuple(part for part in detail["loc"] if part != "[key]")
    place = line_of(origin, node, path)
    name = str(path[-1]) if path else ""
    value = detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            known = model.model_fields if len(path) == 1 else ()
            reading.add("unknown field", f"there is no field '{name}' here{_meant(name, known)}", place, entry, path)
        case "missing":
            reading.add("missing field", f"'{name}' is missing", place, entry, path)
        case "too_short" if name == "sources":
            message = "no source is given: every entry says where its matter stands"
            reading.add("missing field", message, place, entry, path)
        case "string_pattern_mismatch":
            message = "ids are small letters and digits joined by '-' or '.'; links are written kind/id"
            reading.add("wrong value", message, place, entry, path, value)
        case _:
            message = detail["msg"].removeprefix("Input ")
            reading.add("wrong value", message, place, entry, path, value)


def line_of(origin: Origin, node: yaml.Node, path: Path) -> Origin:
    """Return the place of a value inside an entry, as near as the file shows it."""
    mark = node.start_mark
    for part in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            mark = node.start_mark
        elif isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            mark, node = pair[0].start_mark, pair[1]
        else:
            break
    return Origin(origin.folder, origin.file, mark.line + 1)


def _read_translation(
    reading: Reading, language: str, kind: str, origin: Origin, item: tuple[str, Any], node: yaml.Node
) -> None:
    entry_id, data = item
    if kind not in KINDS:
        reading.add("unknown kind", f"there is no kind '{kind}'{_meant(kind, KINDS)}", origin)
        return
    try:
        translation = Translation.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _note_invalid(reading, detail, Translation, origin, entry_id, node)
        return
    if entry_id not in reading.entries[kind]:
        message = f"there is no entry {kind}/{entry_id}{_meant(str(entry_id), reading.entries[kind])}"
        reading.add("unknown translation", message, origin, entry_id)
        return
    reading.translations.setdefault(language, {}).setdefault(kind, {})[entry_id] = translation


def _place(found: Found, path: Path) -> Origin:
    """Return the place of a value of an entry that was read before.

    The file is parsed once more: to keep the trees of all files for the rare problem would treble the time of reading.
    """
    tree, _ = parse_yaml(found.file.read_text(encoding="utf-8"))
    node = next((node for node in tree.value if node.start_mark.line + 1 == found.origin.line), None)
    return line_of(found.origin, node, path) if node is not None else found.origin


def _check_together(reading: Reading) -> None:
    """Check what can only be seen when all entries are there."""
    for found in (found for entries in reading.entries.values() for found in entries.values()):
        _check_references(reading, found)
        _check_inner_ids(reading, found)
        _check_parents(reading, found)
        if isinstance(found.entry, Case):
            _check_sums(reading, found, found.entry)


def _check_references(reading: Reading, found: Found) -> None:
    for path, _, ref, link in named_entries(found.entry):
        kind, _, entry_id = link.partition("/")
        if entry_id in reading.entries.get(kind, {}) or link in reading.broken:
            continue
        if kind not in KINDS:
            message = f"there is no kind '{kind}'{_meant(kind, KINDS)}"
        else:
            message = f"there is no entry {link}{_meant(entry_id, reading.entries[kind])}"
        check = "unknown citation" if ref.kind == "bibliography" else "dangling reference"
        place = _place(found, path)
        value = link if ref.kind == "*" else entry_id
        reading.add(check, message, place, found.data["id"], path, value)


def _check_inner_ids(reading: Reading, found: Found) -> None:
    """Figures, steps, rows and values are told apart by their names within the entry."""
    for name, items in found.data.items():
        if not (isinstance(items, list) and items and isinstance(items[0], dict)):
            continue
        seen = set()
        for at, item in enumerate(items):
            key = "id" if "id" in item else "name"
            if item.get(key) in seen:
                path = (name, at, key)
                place = _place(found, path)
                reading.add("duplicate id", "stands twice in this entry", place, found.data["id"], path, item[key])
            if item.get(key) is not None:
                seen.add(item[key])


def _check_parents(reading: Reading, found: Found) -> None:
    chain = [found.data["id"]]
    while parent := getattr(reading.entries[found.kind][chain[-1]].entry, "parent", None):
        if parent == chain[0]:
            place = _place(found, ("parent",))
            message = "the parents go round in a circle: " + " > ".join([*chain, parent])
            reading.add("cyclic parents", message, place, found.data["id"], ("parent",))
        if parent in chain or parent not in reading.entries[found.kind]:
            return
        chain.append(parent)


def _check_sums(reading: Reading, found: Found, case: Case) -> None:
    figures = {figure_key(figure.name) for figure in case.figures}
    for at, derived in enumerate(case.derived):
        try:
            missing = [name for name in names_in(derived.expression) if name not in figures]
            messages = [f"the case has no figure '{name}'{_meant(name, figures)}" for name in missing]
        except ValueError as error:
            messages = [str(error)]
        for message in messages:
            path = ("derived", at, "expression")
            reading.add("bad sum", message, _place(found, path), case.id, path, derived.expression)


def _meant(name: str, known: Any) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""
