"""Any tidy table with a small mapping file beside it: a new country needs no code.

The mapping, ``clusterbook.toml``, says how the file is written and what its columns mean::

    [file]
    path = "jobs.csv"             # beside the mapping; a list of files is read as one table
    encoding = "cp1251"           # default: UTF-8, with or without byte order mark
    separator = ";"               # default: ,
    decimal = ","                 # default: .
    thousands = " "               # default: none; a space stands for every kind of space
    skip = 3                      # lines above the header
    sheet = "2019"                # of an Excel file

    [columns]                     # what the file calls them
    region = "Код региона"
    region_name = "Регион"
    industry = "ОКВЭД"
    industry_title = "Вид деятельности"
    year = "Год"
    employment = "Работники, тыс."

    [measures]                    # measures beside employment, establishments and payroll
    gva = "ВДС"

    [constants]
    year = 2019                   # where no column says it

    [scale]                       # one unit of the file in units of the panel
    employment = 1000

    [marks]                       # texts in place of a figure
    suppressed = ["к"]
    not_collected = ["…", "-"]

    [drop]                        # codes of totals and other rows to leave out
    region = ["РФ"]
    industry = ["Всего"]

    [lists.industry]              # a list of codes: file, columns, classification
    path = "okved.csv"
    code = "Код"
    title = "Название"
    parent = "Выше"
    classification = "ОКВЭД 2"

    [units]
    employment = "jobs"

    [source]
    id = "ru-jobs"
    title = "Среднесписочная численность"
    publisher = "Росстат"
    licence = "CC BY 4.0"
    vintage = "2019"
    caveats = ["Без малых предприятий"]
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from clusterbook.data.industries import Industries
from clusterbook.data.panel import Panel, Source
from clusterbook.data.read import NOT_COLLECTED, SUPPRESSED, read_panel
from clusterbook.data.regions import Regions
from clusterbook.data.sources import reading
from clusterbook.data.sources.fetch import download
from clusterbook.data.tables import did_you_mean, load_table
from clusterbook.errors import ClusterbookError, DataError

MAPPING = "clusterbook.toml"

#: The sections of a mapping and the keys each may have (None: any).
SECTIONS: dict[str, set[str] | None] = {
    "file": {"path", "url", "encoding", "separator", "decimal", "thousands", "skip", "sheet"},
    "columns": {
        "region", "region_name", "industry", "industry_title", "year", "employment", "establishments", "payroll",
        "status",
    },
    "measures": None,
    "constants": {"region", "industry", "year"},
    "scale": None,
    "marks": {"suppressed", "not_collected"},
    "drop": {"region", "industry"},
    "lists": {"region", "industry"},
    "units": None,
    "source": {"id", "title", "publisher", "licence", "vintage", "note", "caveats"},
    "allow": {"checks"},
}  # fmt: skip
_LIST_KEYS = {"path", "code", "title", "parent", "classification"}
_SPACES = r"[\s\u00a0\u202f\u2009]"


def fetch(mapping: str | Path) -> list[Path]:
    """Download the file that a mapping names by ``url`` to where it expects it, and return the mapping's path.

    Raises ``ClusterbookError``, also for a path that leads out of the mapping's folder.
    """
    found = _mapping_file(mapping)
    file = _mapping(found)["file"]
    urls, paths = _listed(file.get("url", [])), _listed(file["path"])
    if len(urls) != len(paths):
        raise ClusterbookError(
            f"{found}: [file] names {len(urls)} url and {len(paths)} path; give one url for each path."
        )
    base = found.parent.resolve()
    for url, path in zip(urls, paths, strict=True):
        target = (base / path).resolve()
        if not target.is_relative_to(base):
            raise ClusterbookError(f"{found}: {path} lies outside {base}; nothing is downloaded to there.")
        download(url, target)
    return [found]


def read(paths: reading.Paths, *, data: str | Path | None = None) -> Panel:
    """Read the table that a mapping describes; ``paths`` is the mapping file or the folder it lies in.

    ``data`` names another file of the same form, for a new vintage or a copy elsewhere. All checks of ``read_panel``
    apply. Raises ``DataError`` with every fault of the table and ``ClusterbookError`` for faults of the mapping.

    >>> panel = read("data/ru/clusterbook.toml")  # doctest: +SKIP
    """
    found = [_mapping_file(p) for p in reading.each(paths)]
    if len(found) != 1:
        raise ClusterbookError("The source 'tidy' reads one mapping at a time; list several data files in its [file].")
    mapping = _mapping(found[0])
    folder = found[0].parent
    files = [Path(data)] if data else [folder / p for p in _listed(mapping["file"]["path"])]
    origin = ", ".join(str(p) for p in files)
    columns, measures = mapping["columns"], mapping["measures"]
    figures = {k: v for k, v in columns.items() if k in ("employment", "establishments", "payroll")} | measures
    frame = pl.concat([_load(path, mapping["file"]) for path in files], how="vertical")
    _require_columns(frame, {**columns, **measures}, found[0])
    frame = _plain_numbers(frame, figures, mapping)
    frame = _without_totals(frame, mapping)
    places, trades = _code_lists(mapping["lists"], folder)
    constants = mapping["constants"]
    frame = frame.with_columns(pl.lit(str(v)).alias(f"constant {k}") for k, v in constants.items())
    try:
        panel = read_panel(
            frame,
            **{k: v for k, v in columns.items() if k != "status"},
            **{k: f"constant {k}" for k in constants},
            status=columns.get("status"),
            measures=measures,
            regions=places,
            industries=trades,
            source=_source(mapping, found[0]),
            suppressed=mapping["marks"].get("suppressed", SUPPRESSED),
            not_collected=mapping["marks"].get("not_collected", NOT_COLLECTED),
            allow=mapping["allow"].get("checks", ()),
        )
    except DataError as error:
        raise DataError(origin, error.problems) from None
    return _scaled(panel, mapping["scale"])


def _mapping_file(path: str | Path) -> Path:
    found = Path(path) / MAPPING if Path(path).is_dir() else Path(path)
    if not found.is_file():
        raise ClusterbookError(f"{found}: there is no such mapping. See docs/sources.md for one to start from.")
    return found


def _mapping(path: Path) -> dict[str, dict[str, Any]]:
    """Return a mapping with every section there, or raise on the first thing in it that means nothing."""
    try:
        given = tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ClusterbookError(f"{path}: not sound TOML in UTF-8: {error}.") from error
    for name, section in given.items():
        if name not in SECTIONS:
            raise ClusterbookError(
                f"{path}: no section [{name}] is known{did_you_mean(name, SECTIONS)}. There are {', '.join(SECTIONS)}."
            )
        known = SECTIONS[name]
        for key in section if known is not None else ():
            if known is not None and key not in known:
                raise ClusterbookError(
                    f"{path}: [{name}] has no key '{key}'{did_you_mean(key, known)}. "
                    f"It can have {', '.join(sorted(known))}."
                )
    for name, section in given.get("lists", {}).items():
        for key in section:
            if key not in _LIST_KEYS:
                raise ClusterbookError(f"{path}: [lists.{name}] has no key '{key}'{did_you_mean(key, _LIST_KEYS)}.")
    mapping: dict[str, dict[str, Any]] = {name: given.get(name, {}) for name in SECTIONS}
    if "path" not in mapping["file"]:
        raise ClusterbookError(f'{path}: [file] names no path. Say which file is read: path = "jobs.csv".')
    if not mapping["source"].get("title"):
        raise ClusterbookError(
            f"{path}: [source] has no title. Figures must not be shown without saying whose they are."
        )
    for key in ("region", "industry", "year"):
        if (key in mapping["columns"]) == (key in mapping["constants"]):
            raise ClusterbookError(f"{path}: say where the {key} stands, in [columns] or in [constants], not in both.")
    return mapping


def _load(path: Path, form: dict[str, Any]) -> pl.DataFrame:
    if path.suffix.lower() in (".xlsx", ".parquet"):
        return load_table(path, sheet=form.get("sheet")).frame.cast(pl.String)
    if not path.is_file():
        raise ClusterbookError(f"{path}: there is no such file. Fetch it, or put it there by hand.")
    encoding = form.get("encoding", "utf-8-sig")
    try:
        content = path.read_bytes().decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except LookupError:
        raise ClusterbookError(
            f"{path}: there is no encoding {encoding!r}. Usual ones: utf-8, cp1251, cp1252."
        ) from None
    except UnicodeDecodeError as error:
        raise reading.refuse(
            path,
            "unreadable file",
            f"byte {error.start} is not {encoding}",
            'Name the file\'s encoding in [file], e.g. encoding = "cp1251".',
        ) from error
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=form.get("separator", ","))
    rows = [row for row in reader if any(field.strip() for field in row)][form.get("skip", 0) :]
    if len(rows) < 2:
        raise reading.refuse(path, "empty table", "there are no rows below a header", "Check skip and the file.")
    header = [name.strip() for name in rows[0]]
    uneven = [k for k, row in enumerate(rows[1:]) if len(row) != len(header)]
    if uneven:
        raise reading.refuse(
            path,
            "uneven rows",
            f"{len(uneven)} rows have another number of fields than the header ({len(header)}); the first is row "
            f"{uneven[0]} with {len(rows[uneven[0] + 1])}",
            "The file is cut short, or separator and decimal are mixed up. Check separator in [file].",
        )
    return pl.DataFrame(rows[1:], schema=dict.fromkeys(header, pl.String), orient="row")


def _require_columns(frame: pl.DataFrame, columns: dict[str, str], mapping: Path) -> None:
    for meaning, own in columns.items():
        if own not in frame.columns:
            present = ", ".join(repr(c) for c in frame.columns)
            raise ClusterbookError(
                f"{mapping}: the file has no column {own!r} for {meaning}"
                f"{did_you_mean(own, frame.columns)}; there are {present}."
            )


def _plain_numbers(frame: pl.DataFrame, figures: dict[str, str], mapping: dict[str, dict[str, Any]]) -> pl.DataFrame:
    """Write figures with a decimal point and without thousands separators; marks stay as they are."""
    decimal, thousands = mapping["file"].get("decimal", "."), mapping["file"].get("thousands", "")
    marks = [*mapping["marks"].get("suppressed", SUPPRESSED), *mapping["marks"].get("not_collected", NOT_COLLECTED)]

    def plain(column: str) -> pl.Expr:
        text = pl.col(column).str.strip_chars()
        number = text
        if thousands == " ":
            number = number.str.replace_all(_SPACES, "")
        elif thousands:
            number = number.str.replace_all(thousands, "", literal=True)
        if decimal != ".":
            # a point in a file of decimal commas is another unit or another program's number: let it be refused
            number = number.str.replace_all(".", "?", literal=True).str.replace(decimal, ".", literal=True)
        return pl.when(text.is_in(marks)).then(text).otherwise(number).alias(column)

    return frame.with_columns(plain(column) for column in set(figures.values()))


def _without_totals(frame: pl.DataFrame, mapping: dict[str, dict[str, Any]]) -> pl.DataFrame:
    for key, codes in mapping["drop"].items():
        own = mapping["columns"].get(key)
        if own is not None:
            frame = frame.filter(~pl.col(own).str.strip_chars().is_in(codes).fill_null(False))
    return frame


def _code_lists(lists: dict[str, Any], folder: Path) -> tuple[Regions | None, Industries | None]:
    """Read the lists of codes; where there is one, codes it lacks are faults."""
    places = Regions(_code_list(lists["region"], folder, "region", "name")) if "region" in lists else None
    trades = None
    if "industry" in lists:
        labels = _code_list(lists["industry"], folder, "industry", "title")
        trades = Industries(labels, lists["industry"].get("classification", ""))
    return places, trades


def _code_list(form: dict[str, str], folder: Path, key: str, label: str) -> pl.DataFrame:
    if "path" not in form or "code" not in form:
        raise ClusterbookError(f"[lists.{key}] needs a path and the name of its column of codes (code).")
    table = load_table(folder / form["path"])
    wanted = {key: form["code"], label: form.get("title", form["code"])}
    wanted |= {"parent": form["parent"]} if "parent" in form else {}
    return reading.take(table, wanted).text.unique(key).sort(key)


def _source(mapping: dict[str, dict[str, Any]], path: Path) -> Source:
    given = dict(mapping["source"])
    given["caveats"] = tuple(given.get("caveats", ()))
    return Source(**({"id": path.parent.name} | given), units=dict(mapping["units"]))


def _scaled(panel: Panel, scale: dict[str, float]) -> Panel:
    """Return the panel in the unit asked for; the bounds of a figure are in its unit too."""
    for name in scale:
        panel.require(name)
    columns = [
        (pl.col(f"{name}{end}") * factor).alias(f"{name}{end}")
        for name, factor in scale.items()
        for end in ("", "_lo", "_hi")
        if f"{name}{end}" in panel.frame.columns
    ]
    return replace(panel, frame=panel.frame.with_columns(columns))


def _listed(value: str | Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
