"""Facts: what is known of a cluster in a place, each with its source, in one vocabulary.

Much of what tells clusters apart (who owns the firms, whether rivals work together, whether anyone trusts anyone)
stands in no statistical table. People record it; the vocabulary in ``facts.yaml`` says what can be recorded and how.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Literal, Self

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from clusterbook.clusters.composition import composition, plant_size_ratio
from clusterbook.clusters.tables import last_year
from clusterbook.data import checks
from clusterbook.data.tables import Rows, TableLike, did_you_mean, find_columns, load_table, pick
from clusterbook.errors import ClusterbookError, DataError, Problem

#: The columns of a table of facts and their types.
SCHEMA = pl.Schema(
    {
        "region": pl.String(),
        "cluster": pl.String(),
        "fact": pl.String(),
        "value": pl.Float64(),
        "choice": pl.String(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "year": pl.Int32(),
        "source": pl.String(),
        "note": pl.String(),
    }
)

#: Stands in place of a value where somebody looked and could not tell.
NOT_KNOWN = "not known"

ElementId = Literal[
    "geographical-concentration",
    "specialisation",
    "actors",
    "competition-and-cooperation",
    "critical-mass",
    "life-cycle",
    "innovation",
]
DimensionId = Literal[
    "geographic-scope",
    "breadth",
    "depth",
    "activity-base",
    "innovative-capacity",
    "competitive-position",
    "industrial-organisation",
    "governance-of-transactions",
    "state-of-development",
]


class _Data(BaseModel):
    """Data from YAML: what is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class About(_Data):
    """The elements (WB 2.3) and dimensions (EFW ¶61) of clusters that a fact speaks to."""

    elements: list[ElementId] = []
    dimensions: list[DimensionId] = []


class FactDefinition(_Data):
    """One thing that can be recorded of a cluster in a place; the fields are explained atop ``facts.yaml``."""

    id: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    title: str
    question: str
    kind: Literal["share", "number", "yes_no", "choice", "degree"]
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    values: dict[str, str] = {}
    steps: list[str] = []
    about: About
    source: str
    edition: str | None = None
    proxy: str | None = None

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if bool(self.values) != (self.kind == "choice"):
            raise ValueError("values belong to a choice, and a choice has values")
        if len(self.steps) != (5 if self.kind == "degree" else 0):
            raise ValueError("a degree has five steps, other kinds have none")
        return self

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The least and the largest value that the fact can have; None where there is no such bound."""
        fixed = {"share": (0.0, 1.0), "yes_no": (0.0, 1.0), "degree": (0.0, 4.0)}
        return fixed.get(self.kind, (self.minimum, self.maximum))

    @property
    def allowed(self) -> str:
        """What may be written for this fact, in words."""
        low, high = (f"{bound:g}" if bound is not None else "" for bound in self.bounds)
        within = f" from {low} to {high}" if low and high else f" of at least {low}" if low else ""
        texts = {
            "share": "a share from 0 to 1 or a percentage",
            "number": f"a number{within}",
            "yes_no": "'yes' or 'no'",
            "choice": f"one of {', '.join(map(repr, self.values))}",
            "degree": f"0 to 4 or one of {', '.join(map(repr, self.steps))}",
        }
        return texts[self.kind]

    def say(self, value: float | str) -> str:
        """Return a value as people write it.

        Example:
            >>> facts_vocabulary()["trust"].say(3.0), facts_vocabulary()["sme-share"].say(0.85)
            ('mostly', '85%')
        """
        if isinstance(value, str):
            return value
        if self.kind == "share":
            return f"{100 * value:.3g}%"
        if self.kind == "yes_no":
            return "yes" if value >= 0.5 else "no"
        if self.kind == "degree":
            return self.steps[round(value)] if value == round(value) else f"{value:g} of 4"
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


@dataclass(frozen=True)
class Fact:
    """One fact about a cluster in a place.

    ``value`` is a number (shares 0 to 1, degrees 0 to 4, yes 1 and no 0), the id of a choice, or None where it was
    looked for and is not known, or is known only to lie between ``low`` and ``high``. ``source`` says who says so.
    """

    region: str
    cluster: str
    fact: str
    value: float | str | None
    low: float | None = None
    high: float | None = None
    year: int | None = None
    source: str = ""
    note: str | None = None


def facts_vocabulary() -> Mapping[str, FactDefinition]:
    """Return every fact that can be recorded, by its id.

    Example:
        >>> facts_vocabulary()["trust"].question
        "How far can firms rely on one another's word without a contract?"
    """
    return _bundled()


@cache
def _bundled() -> dict[str, FactDefinition]:
    text = files("clusterbook.clusters").joinpath("facts.yaml").read_text(encoding="utf-8")
    entries = TypeAdapter(list[FactDefinition]).validate_python(yaml.safe_load(text))
    return {entry.id: entry for entry in entries}


def read_facts(data: TableLike | list[Fact] | tuple[Fact, ...]) -> pl.DataFrame:
    """Read facts about clusters in places and check them against the vocabulary.

    Args:
        data: a CSV, Excel or Parquet file, a pandas, Polars or PyArrow frame, or ``Fact`` objects; one row a fact with
            the columns ``region``, ``cluster``, ``fact``, ``value`` and ``source`` and, if wanted, ``low`` and ``high``
            (the range in which an uncertain value lies), ``year`` and ``note``. Percentages, named steps of degrees,
            ids of choices, 'yes' and 'no' are read; 'not known' (or an empty field without a range) records that
            somebody looked in vain.

    Returns:
        One row a fact with the columns of ``SCHEMA``: ``value`` in numbers (shares 0 to 1, degrees 0 to 4, yes 1, no 0)
        or ``choice``, with ``low`` and ``high`` (equal to the value where it is certain; a value left out is null while
        its range stands). All four are null where the fact is not known. Sorted by region, cluster, fact, year.

    Raises:
        DataError: with every problem found: a fact that is not in the vocabulary, a value not of its kind, a range that
            does not hold its value, a missing field or source, one fact twice in a year.

    Example:
        >>> known = read_facts([Fact("IT-PO", "textiles", "sme-share", 0.9, low=0.8, high=1.0, source="EFW ¶33")])
        >>> known.select("fact", "value", "low", "high").row(0)
        ('sme-share', 0.9, 0.8, 1.0)
    """
    rows = _rows(data)
    parsed = [_parse(row) for row in rows.text.iter_rows(named=True)]
    year = rows.text["year"].cast(pl.Int32, strict=False)
    problems = [
        *checks.missing_keys(rows, ("region", "cluster", "fact")),
        *_missing_sources(rows),
        *checks.not_a_year(rows, year),
        *chain.from_iterable(_value_problems(rows, at, faults) for at, (_, faults) in enumerate(parsed)),
        *_repeated(rows),
    ]
    if problems:
        raise DataError(rows.origin, problems)
    numbers = pl.DataFrame([values for values, _ in parsed], schema=["value", "choice", "low", "high"], orient="row")
    table = rows.text.drop("value", "low", "high").with_columns(year, *numbers.get_columns())
    return table.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()).sort(_KEYS)


def known_facts(facts: pl.DataFrame) -> list[Fact]:
    """Return the rows of a table of facts as ``Fact`` objects.

    Example:
        >>> fact = Fact("IT-PO", "textiles", "largest-employer", "none", source="EFW ¶33")
        >>> known_facts(read_facts([fact])) == [fact]
        True
    """
    return [
        Fact(
            value=row.pop("choice") or row["value"],
            low=row["low"] if row["low"] != row["value"] else None,
            high=row["high"] if row["high"] != row["value"] else None,
            **{name: row[name] for name in ("region", "cluster", "fact", "year", "source", "note")},
        )
        for row in facts.iter_rows(named=True)
    ]


_KEYS = ("region", "cluster", "fact", "year")
_NEEDED = ("region", "cluster", "fact", "value", "source")
_REMEDY = (
    "A table of facts needs the columns 'region', 'cluster', 'fact', 'value' and 'source'; 'low', 'high', 'year' and "
    "'note' may be added. Rename the columns of the table to these."
)
_YES_NO = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0}


def _rows(data: TableLike | list[Fact] | tuple[Fact, ...]) -> Rows:
    """Return the table as text, with every column of a table of facts but ``choice``, which stands in ``value``."""
    table = load_table(_as_frame(data) if isinstance(data, list | tuple) else data)
    present = table.frame.columns
    named: dict[str, str | None] = {name: name for name in SCHEMA if name in (*_NEEDED, *present)}
    # the keys go by any of their usual names
    named |= {name: None for name in ("region", "cluster", "year") if name not in present}
    columns, problems = find_columns(table, named, _NEEDED, _REMEDY)
    if problems:
        raise DataError(table.origin, problems)
    rows = pick(table, columns, {})
    text = rows.text.with_columns(pl.lit(None, pl.String).alias(name) for name in SCHEMA if name not in columns)
    return replace(rows, text=text.with_columns(pl.coalesce("value", "choice").alias("value")).drop("choice"))


def _as_frame(facts: list[Fact] | tuple[Fact, ...]) -> pl.DataFrame:
    fields = [name for name in SCHEMA if name != "choice"]
    texts = [[None if (v := getattr(fact, name)) is None else str(v) for name in fields] for fact in facts]
    return pl.DataFrame(texts, schema=dict.fromkeys(fields, pl.String), orient="row")


_Values = tuple[float | None, str | None, float | None, float | None]
_Faults = list[tuple[str, str, str]]  # check, column, message


def _parse(row: Mapping[str, str | None]) -> tuple[_Values, _Faults]:
    """Return value, choice, low and high of a row, and what is wrong with them."""
    nothing: _Values = (None, None, None, None)
    definition = _bundled().get(row["fact"] or "")
    if definition is None:
        hint = did_you_mean(row["fact"] or "", _bundled())
        return nothing, [("unknown facts", "fact", f"not in the vocabulary of facts{hint}")] if row["fact"] else []
    if definition.kind == "choice":
        return _parse_choice(row, definition)
    text = None if (row["value"] or "").lower() == NOT_KNOWN else row["value"]
    texts = {"value": text, "low": row["low"], "high": row["high"]}
    numbers = {name: _number(text, definition) for name, text in texts.items() if text is not None}
    faults = [
        ("values of another kind", name, f"{definition.title} takes {definition.allowed}")
        for name, number in numbers.items()
        if number is None
    ]
    if faults:
        return nothing, faults
    value = numbers.get("value")
    low, high = numbers.get("low", value), numbers.get("high", value)
    if (low is None) != (high is None):
        return nothing, [("ranges", "low", "a range without a value needs both 'low' and 'high'")]
    if low is not None and high is not None and not low <= (low if value is None else value) <= high:
        return nothing, [("ranges", "low", "the value does not lie between 'low' and 'high'")]
    return (value, None, low, high), []


def _parse_choice(row: Mapping[str, str | None], definition: FactDefinition) -> tuple[_Values, _Faults]:
    choice = (row["value"] or NOT_KNOWN).lower()
    if row["low"] or row["high"]:
        return (None, None, None, None), [("ranges", "low", f"{definition.title} is a choice and has no range")]
    if choice in definition.values or choice == NOT_KNOWN:
        return (None, choice if choice in definition.values else None, None, None), []
    hint = did_you_mean(choice, definition.values)
    message = f"{definition.title} takes {definition.allowed}{hint}"
    return (None, None, None, None), [("values of another kind", "value", message)]


def _number(text: str, definition: FactDefinition) -> float | None:
    """Return the number that a text stands for in a fact, None where it stands for none that the fact can have."""
    word = text.lower()
    if definition.kind == "yes_no" and word in _YES_NO:
        return _YES_NO[word]
    steps = [step.lower() for step in definition.steps]
    if word in steps:
        return float(steps.index(word))
    percent = definition.kind == "share" and word.endswith("%")
    try:
        number = float(word.rstrip("%")) / 100 if percent else float(word)
    except ValueError:
        return None
    low, high = definition.bounds
    inside = (
        float("-inf") < number < float("inf") and (low is None or number >= low) and (high is None or number <= high)
    )
    return number if inside else None


# ---- problems --------------------------------------------------------------------------------------------------------

_REMEDIES = {
    "unknown facts": "Use a fact of the vocabulary: facts_vocabulary() lists them all.",
    "values of another kind": f"Write what the fact takes, or '{NOT_KNOWN}'. Percentages need their % sign.",
    "ranges": "Give 'low' and 'high' around the value, or leave all of them empty but the value.",
    "missing sources": "Say where it comes from: a document and page, a survey, or whose judgement it is and when.",
}


def _value_problems(rows: Rows, at: int, faults: _Faults) -> list[Problem]:
    return [_problem(rows, at, *fault) for fault in faults]


def _missing_sources(rows: Rows) -> list[Problem]:
    at = rows.text["source"].is_null().arg_true()
    return [_problem(rows, row, "missing sources", "source", "a fact without a source") for row in at]


def _problem(rows: Rows, at: int, check: str, column: str, message: str) -> Problem:
    place, value = rows.places[at], rows.text[column][at]
    own = rows.columns.get(column, column)
    if rows.in_file:
        return Problem(check, message, _REMEDIES[check], place, own, value)
    return Problem(check, f"row {place}: {message}", _REMEDIES[check], None, own, value)


def _repeated(rows: Rows) -> list[Problem]:
    """Find facts that stand twice for the same year, or twice without one."""
    keys = rows.text.select(*_KEYS[:-1], pl.col("year").fill_null("not stated"))
    return checks.duplicate_keys(rows, keys)


def require_facts(facts: pl.DataFrame) -> None:
    """Raise ``ClusterbookError`` for a frame that is no table of facts as ``read_facts`` returns it."""
    missing = [name for name in SCHEMA if name not in facts.columns]
    if missing:
        raise ClusterbookError(
            f"A table of facts has the columns {', '.join(SCHEMA)}; this one lacks {', '.join(missing)}. "
            "Read it with read_facts, or make it with facts_from_tables."
        )


# ---- facts at work ---------------------------------------------------------------------------------------------------


def latest_facts(facts: pl.DataFrame) -> pl.DataFrame:
    """Return the facts that are known, of each the one of the latest year (one without a year counts as oldest).

    Raises ``ClusterbookError`` for a frame that is no table of facts.
    """
    require_facts(facts)
    known = facts.filter(pl.any_horizontal(pl.col("value", "choice", "low").is_not_null()))
    return known.sort("year", nulls_last=False, maintain_order=True).unique(
        _KEYS[:-1], keep="last", maintain_order=True
    )


def facts_from_tables(tables: Mapping[str, pl.DataFrame], *, measure: str = "employment") -> pl.DataFrame:
    """Return those facts of the vocabulary that an edition's tables tell, for every cluster in every place.

    Data say how large, how specialised and of what plants and industries a cluster is. They say nothing on ownership,
    trust or co-operation, and stand in poorly for some of the rest; ``note`` repeats what a figure cannot tell.

    Args:
        tables: tables of an edition by name (docs/architecture.md); ``clusters`` is needed, and where they are given
            ``cells`` with ``members``, and ``change`` tell more. The last year of each is used.
        measure: the main measure of the edition.

    Returns:
        A table of facts (``SCHEMA``) for the clusters in places that have any of the measure. Where a figure is
        suppressed and bounds are known, the fact is their range; where nothing is known, there is no row.

    Raises:
        ClusterbookError: there is no table 'clusters', or it lacks the measure.

    Example:
        >>> clusters = pl.DataFrame({"region": ["A", "B"], "cluster": "wool", "year": 2019, "employment": [300, 100],
        ...                          "establishments": [30, 2], "lq": [2.0, 0.5], "national_share": [0.75, 0.25]})
        >>> found = facts_from_tables({"clusters": clusters})
        >>> found.filter(pl.col("fact") == "plant-size-ratio").select("region", "value").rows()
        [('A', 0.8), ('B', 4.0)]
    """
    clusters = tables.get("clusters")
    if clusters is None or measure not in clusters.columns:
        raise ClusterbookError(
            f"facts_from_tables needs the table 'clusters' with the column '{measure}'. Give the tables of an edition "
            "and its main measure: measure=edition.manifest['measure']."
        )
    here = last_year(clusters)
    if "establishments" in here.columns:
        here = here.with_columns(plant_size_ratio=plant_size_ratio(measure))
    here = here.filter((pl.col(measure) > 0) | pl.col(measure).is_null())
    here = here.join(composition(tables, measure), on=["region", "cluster"], how="left", maintain_order="left")
    found = [_column(here, fact, column) for fact, column in {"size": measure, **_DIRECT}.items()]
    if "change" in tables:
        change = tables["change"].with_columns(year=pl.col("to_year"))
        found.append(_column(change, "growth-relative", "growth_relative"))
        paid = change.with_columns(year=pl.col("wage_year")) if "wage_year" in change.columns else change
        found.append(_column(paid, "wage-relative", "wage_relative"))
    every = pl.concat([frame for frame in found if not frame.is_empty()], how="diagonal_relaxed")
    facts = every.join(here.select("region", "cluster"), on=["region", "cluster"]).with_columns(
        pl.lit(None, pl.String).alias("choice"),
        pl.lit(COMPUTED).alias("source"),
        pl.col("fact").replace_strict(_PROXIES, default=None, return_dtype=pl.String).alias("note"),
    )
    return facts.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()).sort(_KEYS)


#: The source of facts that were computed and not recorded.
COMPUTED = "computed from the edition"

_DIRECT = {
    "location-quotient": "lq",
    "national-share": "national_share",
    "region-share": "region_share",
    "establishments": "establishments",
    "plant-size-ratio": "plant_size_ratio",
    "top-industry-share": "top_industry_share",
    "industries-present": "industries_present",
}
_PROXIES = {definition.id: definition.proxy for definition in _bundled().values() if definition.proxy}


def _column(table: pl.DataFrame, fact: str, column: str) -> pl.DataFrame:
    """Return a column as a fact, or its bounds as a range where the figure itself is not known."""
    if column not in table.columns:
        return pl.DataFrame(schema=SCHEMA)
    low, high = (f"{column}_{end}" if f"{column}_{end}" in table.columns else column for end in ("lo", "hi"))
    return _as_facts(table, fact, value=pl.col(column), low=pl.col(low), high=pl.col(high))


def _as_facts(table: pl.DataFrame, fact: str, *, value: pl.Expr, low: pl.Expr, high: pl.Expr) -> pl.DataFrame:
    """Return a fact for the rows where a value or both ends of a range are known."""
    facts = table.select(
        "region",
        "cluster",
        pl.lit(fact).alias("fact"),
        value.cast(pl.Float64).alias("value"),
        pl.when(value.is_null()).then(low).otherwise(value).cast(pl.Float64).alias("low"),
        pl.when(value.is_null()).then(high).otherwise(value).cast(pl.Float64).alias("high"),
        pl.col("year"),
    )
    return facts.filter(pl.col("low").is_finite() & pl.col("high").is_finite())
