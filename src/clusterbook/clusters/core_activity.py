"""Clusters defined by those who know them: a core activity, the industries that serve it, the actors around it.

Statistics file firms by what they make, a cluster holds them together by what they do it for. A maker of telephones
for the countryside needs electronics, plastics, software and patent attorneys, and only some firms of each of these
industries belong. So each industry gets the share of it that belongs, and each share below the whole its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

import polars as pl
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from clusterbook.clusters.definitions import ClusterDefinitions
from clusterbook.data.industries import Industries
from clusterbook.data.tables import TableLike, did_you_mean, load_table, pick
from clusterbook.errors import ClusterbookError, DataError, Problem

CORE, SUPPORTING = "core", "supporting"
PARTS = ("clusters", "industries", "actors")

#: Kinds of actors: those of the Whitebook, 2.3 (firms, academia, finance, government, institutions for collaboration).
ACTOR_KINDS = ("firm", "university", "research", "finance", "ifc", "government")

_REMEDIES = {
    "not a definition": "Write a list of clusters, each with cluster, label, activity, source, boundary and "
    "industries; docs/definitions.md shows one.",
    "wrong field": "Correct the field as the message says; docs/definitions.md lists the fields. Put codes of "
    "industries in quotes, so that leading zeros stay.",
    "no reason": "Say in 'reason' why the industry belongs, and how its share was come by.",
    "no core": "Name at least one industry with the role 'core', or the cluster has no core activity in statistics.",
    "given twice": "Keep one of them.",
    "weights over one": "Lower the shares: what belongs to one cluster cannot belong to another.",
    "unknown codes": "Check the spelling, leading zeros and vintage of the code.",
    "unknown cluster": "Add the cluster, or correct its id.",
}


def _split(value: object) -> object:
    return [part.strip() for part in value.split(";") if part.strip()] if isinstance(value, str) else value


Words = Annotated[str, Field(min_length=1)]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class CoreActivity(_Data):
    """A cluster as somebody defines it: its core activity, where it is, who says so, and why it ends where it does."""

    cluster: Words
    label: Words
    kind: Literal["traded", "local"] = "traded"
    activity: Words
    places: Annotated[list[Words], BeforeValidator(_split)] = []
    source: Words
    boundary: Words


class IndustryShare(_Data):
    """An industry of a cluster: whether it does the core activity or supports it, and which share of it belongs."""

    cluster: Words
    industry: Words
    role: Literal["core", "supporting"]
    share: float = Field(default=1.0, gt=0, le=1)
    reason: Words | None = None
    subcluster: Words | None = None


class Actor(_Data):
    """One of those who make the cluster; without a name, that there are such."""

    cluster: Words
    kind: Literal["firm", "university", "research", "finance", "ifc", "government"]
    name: Words | None = None
    place: Words | None = None
    note: Words | None = None


_MODELS: Mapping[str, type[_Data]] = {"clusters": CoreActivity, "industries": IndustryShare, "actors": Actor}
Model = TypeVar("Model", bound=_Data)


class _Row(NamedTuple):
    """A row as it was given, its line (None where there is no file) and how to name it in words."""

    values: Mapping[str, Any]
    line: int | None
    where: str


class _Read(NamedTuple):
    """A row that was understood."""

    entry: Any
    row: _Row


def read_core_activities(
    data: str | PathLike[str] | Mapping[str, TableLike], *, industries: Industries | None = None
) -> ClusterDefinitions:
    """Read clusters that are defined by a core activity.

    Args:
        data: a YAML file (a list of clusters, each with its ``industries`` and ``actors``), an Excel file with the
            sheets 'clusters', 'industries' and, if wanted, 'actors', or these three as tables (files or frames) by
            name. Fields of clusters: ``cluster`` (id), ``label``, ``activity`` (what they do, in words), ``source``
            (who says so), ``boundary`` (why the cluster ends where it does) and, if wanted, ``kind`` ('traded' or
            'local'; default: traded) and ``places``. Of industries: ``industry`` (code), ``role`` ('core' or
            'supporting'), ``share`` (of the industry, above 0 to 1; default 1), ``reason`` (needed for supporting
            industries and shares below 1) and ``subcluster``. Of actors: ``kind`` ('firm', 'university', 'research',
            'finance', 'ifc' for an institution for collaboration, 'government') and, if known, ``name``, ``place``,
            ``note``. In tables, industries and actors name their ``cluster``.
        industries: the classification, against which codes are checked (default: they are taken as they are).

    Returns:
        Definitions with shares for weights; what is not given to a cluster belongs to none. Tables: ``activities``
        (``cluster``, ``activity``, ``places`` with ';' between them, ``source``, ``boundary``), ``shares``
        (``cluster``, ``industry``, ``role``, ``weight``, ``reason``) and ``actors`` (``cluster``, ``kind``, ``name``,
        ``place``, ``note``). Notes say which kinds of actors nobody named.

    Raises:
        DataError: every fault at once: fields missing, unknown or wrong, reasons missing, shares of an industry over 1
            in all, industries or clusters twice, codes not in the classification, a cluster without a core.
        ClusterbookError: no such file, or tables of other names.

    Example:
        >>> tables = {
        ...     "clusters": pl.DataFrame([{"cluster": "phones", "label": "Rural telephony", "source": "Interviews",
        ...         "activity": "Telephones for thin networks", "boundary": "Sells to rural carriers"}]),
        ...     "industries": pl.DataFrame([
        ...         {"cluster": "phones", "industry": "334210", "role": "core", "share": 1, "reason": None},
        ...         {"cluster": "phones", "industry": "541511", "role": "supporting", "share": 0.05,
        ...          "reason": "5 of 100 software houses write for exchanges"}]),
        ... }
        >>> read_core_activities(tables).members.select("industry", "weight").rows()
        [('334210', 1.0), ('541511', 0.05)]

    Source: The Cluster Policies Whitebook (Andersson and others 2004), 2.3 and Box 4 (core activity, actors, the
    qualitative approach); Enright and Ffowcs-Williams (2000), paragraphs 62 and 102 (what classifications hide).
    """
    origin, rows = _rows(data)
    problems: list[Problem] = []
    read = {part: list(_read(rows[part], _MODELS[part], problems)) for part in PARTS}
    problems += _faults_between(read, rows, industries)
    if problems:
        raise DataError(origin, problems)
    return _definitions(origin, *([item.entry for item in read[part]] for part in PARTS))


# ---- reading ---------------------------------------------------------------------------------------------------------


def _rows(data: str | PathLike[str] | Mapping[str, TableLike]) -> tuple[str, dict[str, list[_Row]]]:
    if isinstance(data, Mapping):
        strange = sorted(set(data) - set(PARTS))
        if strange or not {"clusters", "industries"} <= set(data):
            raise ClusterbookError(
                f"Tables of a core activity are called 'clusters', 'industries' and 'actors'; here are "
                f"{', '.join(map(repr, data)) or 'none'}. The first two are needed."
            )
        return "tables", {part: _table_rows(part, data.get(part), None) for part in PARTS}
    path = Path(data)
    if not path.is_file():
        raise ClusterbookError(f"{path}: there is no such file. Check the path (seen from {Path.cwd()}).")
    if path.suffix.lower() in (".yaml", ".yml"):
        return str(path), _yaml_rows(path)
    if path.suffix.lower() != ".xlsx":
        raise ClusterbookError(
            f"{path}: a core activity is read from YAML (.yaml), from Excel (.xlsx) with the sheets "
            "clusters, industries and actors, or from these tables by name."
        )
    import fastexcel

    sheets = fastexcel.read_excel(path).sheet_names
    present = [part for part in PARTS if part in sheets or part != "actors"]
    return str(path), {part: _table_rows(part, path if part in present else None, part) for part in PARTS}


def _table_rows(part: str, table: TableLike | None, sheet: str | None) -> list[_Row]:
    if table is None:
        return []
    loaded = load_table(table, sheet=sheet)
    rows = pick(loaded, {name: name for name in loaded.frame.columns}, {})
    place = f"sheet '{sheet}'" if sheet else f"table '{part}'"
    return [
        _Row(
            {name: value for name, value in values.items() if value is not None},
            at if rows.in_file else None,
            place if rows.in_file else f"{place}, row {at}",
        )
        for values, at in zip(rows.text.iter_rows(named=True), rows.places, strict=True)
    ]


def _yaml_rows(path: Path) -> dict[str, list[_Row]]:
    """Take a YAML file apart into rows; each industry and actor gets the id of the cluster that it stands in."""
    wrong = "not a definition"
    try:
        text = path.read_text(encoding="utf-8")
        tree, entries = yaml.compose(text), yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = f"not YAML: {' '.join(str(error).split())}"
        raise DataError(str(path), [Problem(wrong, message, _REMEDIES[wrong])]) from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries) or not entries:
        raise DataError(str(path), [Problem(wrong, "the file is not a list of clusters", _REMEDIES[wrong])])
    found: dict[str, list[_Row]] = {part: [] for part in PARTS}
    problems = []
    for at, entry in enumerate(entries):
        name = str(entry.get("cluster", f"number {at + 1}"))
        own = {key: value for key, value in entry.items() if key not in PARTS[1:]}
        found["clusters"].append(_Row(own, _line(tree, at), f"cluster '{name}'"))
        for part in PARTS[1:]:
            inner = entry.get(part) or []
            if not isinstance(inner, list) or not all(isinstance(item, dict) for item in inner):
                message = f"'{part}' of cluster '{name}' is not a list of entries with fields"
                problems.append(Problem(wrong, message, _REMEDIES[wrong], _line(tree, at, part)))
                continue
            found[part] += [
                _Row({**item, "cluster": name}, _line(tree, at, part, k), f"cluster '{name}', {part}")
                for k, item in enumerate(inner)
            ]
    if problems:
        raise DataError(str(path), problems)
    return found


def _line(node: Any, *steps: int | str) -> int:
    """Return the line on which a part of a YAML document stands."""
    for step in steps:
        pairs = node.value
        node = pairs[step] if isinstance(step, int) else next(value for key, value in pairs if key.value == step)
    return int(node.start_mark.line) + 1


def _read(rows: Sequence[_Row], model: type[_Data], problems: list[Problem]) -> Iterator[_Read]:
    """Yield the rows that can be understood; note what is wrong with the others."""
    for row in rows:
        try:
            yield _Read(model.model_validate(row.values), row)
        except ValidationError as error:
            for fault in error.errors():
                field = ".".join(map(str, fault["loc"]))
                missing = fault["type"] == "missing"
                value = None if missing or isinstance(fault["input"], dict | list) else str(fault["input"])
                hint = did_you_mean(field, list(model.model_fields)) if fault["type"] == "extra_forbidden" else ""
                problems.append(_problem(row, "wrong field", f"{fault['msg']}{hint}", field, value))


def _problem(row: _Row, check: str, message: str, column: str | None = None, value: str | None = None) -> Problem:
    return Problem(check, f"{row.where}: {message}", _REMEDIES[check], row.line, column, value)


# ---- what rows must be together --------------------------------------------------------------------------------------


def _faults_between(
    read: Mapping[str, Sequence[_Read]], rows: Mapping[str, Sequence[_Row]], industries: Industries | None
) -> list[Problem]:
    shares = read["industries"]
    # ids as given, also of clusters with faults of their own, which are no reason to call them unknown
    named = [str(row.values.get("cluster")) for row in rows["clusters"]]
    return [
        *_twice(read["clusters"], "cluster", lambda entry: entry.cluster),
        *_twice(shares, "industry", lambda entry: (entry.cluster, entry.industry)),
        *_no_reasons(shares),
        *_over_one(shares),
        *_strangers([*shares, *read["actors"]], named),
        *_no_core(read["clusters"], rows["industries"]),
        *(_unknown(shares, industries) if industries is not None else ()),
    ]


def _twice(items: Sequence[_Read], column: str, key: Callable[[Any], object]) -> Iterator[Problem]:
    seen: dict[object, _Row] = {}
    for entry, row in items:
        first = seen.setdefault(key(entry), row)
        if first is not row:
            place = f"line {first.line}" if first.line is not None else first.where
            yield _problem(row, "given twice", f"the same {column} as in {place}", column, getattr(entry, column))


def _no_reasons(shares: Sequence[_Read]) -> Iterator[Problem]:
    for entry, row in shares:
        if entry.reason is None and (entry.role == SUPPORTING or entry.share < 1):
            why = "a supporting industry" if entry.role == SUPPORTING else f"a share of {entry.share:g}"
            yield _problem(row, "no reason", f"{why} without a reason", "industry", entry.industry)


def _over_one(shares: Sequence[_Read]) -> Iterator[Problem]:
    total: dict[str, float] = {}
    for entry, row in shares:
        before = total.get(entry.industry, 0.0)
        total[entry.industry] = before + entry.share
        if before <= 1 + 1e-9 < total[entry.industry]:
            message = f"its shares add up to {total[entry.industry]:g} from here on"
            yield _problem(row, "weights over one", message, "industry", entry.industry)


def _strangers(items: Sequence[_Read], named: Sequence[str]) -> Iterator[Problem]:
    for entry, row in items:
        if entry.cluster not in named:
            hint = did_you_mean(entry.cluster, named)
            yield _problem(row, "unknown cluster", f"there is no such cluster{hint}", "cluster", entry.cluster)


def _no_core(clusters: Sequence[_Read], rows: Sequence[_Row]) -> Iterator[Problem]:
    # rows as given: a core industry with a fault of its own is there all the same
    cored = {str(row.values.get("cluster")) for row in rows if row.values.get("role") == CORE}
    for entry, row in clusters:
        if entry.cluster not in cored:
            yield _problem(row, "no core", "no industry has the role 'core'", "cluster", entry.cluster)


def _unknown(shares: Sequence[_Read], industries: Industries) -> Iterator[Problem]:
    for entry, row in shares:
        if entry.industry not in industries.titles:
            hint = did_you_mean(entry.industry, list(industries.titles))
            message = f"not in {industries.classification or 'the classification'}{hint}"
            yield _problem(row, "unknown codes", message, "industry", entry.industry)


# ---- definitions -----------------------------------------------------------------------------------------------------


def _definitions(
    origin: str, activities: list[CoreActivity], shares: list[IndustryShare], actors: list[Actor]
) -> ClusterDefinitions:
    described = _frame(CoreActivity, activities).with_columns(pl.col("places").list.join("; "))
    weighed = _frame(IndustryShare, shares).rename({"share": "weight"}).sort("cluster", "industry")
    return ClusterDefinitions(
        clusters=described.select("cluster", "label", "kind").sort("cluster"),
        members=weighed.select("cluster", "industry", "subcluster", "weight"),
        method="core activity, by those who know it",
        source="; ".join(dict.fromkeys(entry.source for entry in activities)),
        parameters={"read from": Path(origin).name, "clusters": len(activities), "actors": len(actors)},
        notes=tuple(_notes(activities, shares, actors)),
        tables={
            "activities": described.select("cluster", "activity", "places", "source", "boundary").sort("cluster"),
            "shares": weighed.select("cluster", "industry", "role", "weight", "reason"),
            "actors": _frame(Actor, actors).sort("cluster", "kind", "name", nulls_last=True),
        },
    )


def _frame(model: type[Model], entries: Sequence[Model]) -> pl.DataFrame:
    types = {"share": pl.Float64(), "places": pl.List(pl.String)}
    schema = {name: types.get(name, pl.String()) for name in model.model_fields}
    return pl.DataFrame([entry.model_dump() for entry in entries], schema=schema)


def _notes(activities: list[CoreActivity], shares: list[IndustryShare], actors: list[Actor]) -> Iterator[str]:
    for entry in sorted(activities, key=lambda entry: entry.cluster):
        named = {actor.kind for actor in actors if actor.cluster == entry.cluster}
        absent = [kind for kind in ACTOR_KINDS if kind not in named]
        if absent:
            yield f"{entry.label}: no actors recorded of the kinds {', '.join(absent)}; whether there are is not known."
    partly = sum(entry.share < 1 for entry in shares)
    if partly:
        yield f"Industries that belong in part: {partly}. Their shares are judgements, see the table 'shares'."
