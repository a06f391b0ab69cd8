"""Identification: in which regions a cluster counts as strong, starred and so on, by rules kept as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from clusterbook.clusters.definitions import TRADED
from clusterbook.errors import ClusterbookError, DataError, Problem

KEYS = ("region", "cluster", "year")

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

#: Stands in profiles for the main measure of the table.
SIZE = "size"


class _Data(BaseModel):
    """Data from YAML: what is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Condition(_Data):
    """An indicator compared with a value, or with one of its quantiles within the cluster and year."""

    indicator: str
    op: Literal[">", ">="]
    value: float | None = None
    quantile: float | None = Field(default=None, ge=0, le=1)
    optional: bool = False

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        if (self.value is None) == (self.quantile is None):
            raise ValueError("a condition takes either a value or a quantile")
        return self


class Flag(_Data):
    """A rule that becomes a boolean column: all its conditions must hold."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    rule: str
    verified: bool
    conditions: list[Condition] = Field(min_length=1)


class Profile(_Data):
    """A set of rules with where they come from; the fields are explained at the top of ``profiles.yaml``."""

    id: str
    title: str
    source: str
    note: str
    applies_to: Literal["traded", "all"]
    population: Condition
    quantiles: Literal["linear", "lower", "higher"] = "linear"
    minimum_size: float | None = None
    count: str | None = None
    flags: list[Flag] = Field(min_length=1)

    @model_validator(mode="after")
    def _population_by_value(self) -> Self:
        if self.population.value is None:
            raise ValueError("the population is a comparison with a value")
        return self

    @model_validator(mode="after")
    def _columns_apart(self) -> Self:
        """Refuse rules that would overwrite one another, or what they read."""
        made = [flag.name for flag in self.flags] + ([self.count] if self.count else [])
        read = {SIZE, *KEYS, "kind", *(c.indicator for flag in self.flags for c in flag.conditions)}
        twice = sorted({name for name in made if made.count(name) > 1})
        taken = sorted(read & set(made))
        if twice or taken:
            raise ValueError(
                f"each flag and the count need a column of their own; {', '.join(twice + taken)} "
                f"{'is' if len(twice + taken) == 1 else 'are'} used twice or read by a rule"
            )
        return self

    @property
    def verified(self) -> bool:
        """Whether every rule was read at its source."""
        return all(flag.verified for flag in self.flags)

    def skipped(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Return the optional indicators that a table with these columns lacks: their conditions are not applied.

        Example:
            >>> load_profile("uscmp").skipped(["region", "cluster", "year", "kind", "employment", "lq"])
            ('establishments',)
        """
        present = {SIZE, *columns}
        wanted = dict.fromkeys(c.indicator for flag in self.flags for c in flag.conditions if c.optional)
        return tuple(indicator for indicator in wanted if indicator not in present)


def identify(clusters: Frame, profile: str | Path | Profile = "uscmp", *, size: str = "employment") -> Frame:
    """Add the flags of a profile: one boolean column a rule.

    Args:
        clusters: one row a region, cluster and year, with the columns the rules speak of: the size, ``lq`` (traded
            against traded), ``lq_all``, ``region_share``, ``establishments`` and, for rules on traded clusters,
            ``kind``. Rows of all regions are needed, since rules compare regions with each other; years stand apart,
            so a table larger than memory can go year by year. A data frame or a lazy frame.
        profile: the id of a bundled profile (see ``profiles``), a path to a YAML file or a ``Profile``.
        size: the column of the main measure.

    Returns:
        The same kind of frame and the same rows with the profile's columns added (or replaced); a data frame keeps the
        order of its rows, a lazy one leaves it to the engine. A flag is null where it is not known: a figure is missing
        (suppressed) that could change the answer. It is null, too, for local clusters where the profile is about traded
        ones; a cluster of no stated kind is taken as traded. Regions outside the profile's population (those without
        the cluster) are false. ``Profile.skipped`` tells which optional conditions a table cannot serve; a flag of
        which no condition can be served is null throughout, and so is the count of flags.

    Raises:
        ClusterbookError: a column that the rules need is absent, or rows are not unique (which is asked of data frames
            only: in a lazy one it would cost more than the flags).
        DataError: the YAML file is not a valid profile.

    Example:
        >>> import polars as pl
        >>> table = pl.DataFrame({"region": list("ABCDE"), "cluster": "steel", "year": 2019, "kind": "traded",
        ...                       "employment": [900, 40, 30, 20, 50], "lq": [3.0, 1.4, 0.8, 0.5, None]})
        >>> identify(table)["strong"].to_list()
        [True, False, False, False, None]
        >>> identify(table.lazy()).sort("region").collect()["strong"].to_list()
        [True, False, False, False, None]
    """
    rules = profile if isinstance(profile, Profile) else load_profile(profile)
    present = clusters.collect_schema().names()
    columns = {SIZE: size} | {name: name for name in present if name != SIZE}
    _check_columns(present, rules, columns)
    if isinstance(clusters, pl.DataFrame):
        _check_unique(clusters)
    eligible = [_holds(rules.population, rules, columns)]
    if rules.minimum_size is not None:
        eligible.append(as_number(size) >= rules.minimum_size)
    flags = []
    for flag in rules.flags:
        served = [condition for condition in flag.conditions if condition.indicator in columns]
        passed = pl.all_horizontal(*eligible, *(_holds(condition, rules, columns) for condition in served))
        if not served:  # no condition left to fail: not known, not true
            passed = pl.lit(None, pl.Boolean)
        if rules.applies_to == "traded":
            passed = pl.when(pl.col("kind").fill_null(TRADED) == TRADED).then(passed)
        flags.append(passed.alias(flag.name))
    flagged = clusters.with_columns(flags)
    if rules.count is None:
        return flagged
    names = [flag.name for flag in rules.flags]
    return flagged.with_columns(pl.sum_horizontal(pl.col(names).cast(pl.Int8), ignore_nulls=False).alias(rules.count))


def profiles() -> list[Profile]:
    """Return the bundled profiles.

    Example:
        >>> [(profile.id, profile.verified) for profile in profiles()]
        [('uscmp', True), ('eco2008', False), ('panorama2016', False), ('eocic2020', False)]
    """
    return list(_bundled())


def load_profile(which: str | Path) -> Profile:
    """Return a bundled profile by its id, or the one profile in a YAML file.

    A file of one's own looks like the bundled ``profiles.yaml``: a list, of one profile.

    Raises:
        ClusterbookError: there is no such profile or file, or the file holds several.
        DataError: the file is not a valid profile; every fault is named, with its line.

    Example:
        >>> load_profile("uscmp").flags[0].name
        'strong'
        >>> with_floor = load_profile("eco2008").model_copy(update={"minimum_size": 1000})
    """
    known = {profile.id: profile for profile in _bundled()}
    if str(which) in known:
        return known[str(which)]
    path = Path(which)
    if not path.is_file():
        raise ClusterbookError(
            f"There is no profile and no file '{which}'. Bundled profiles: {', '.join(known)}; "
            "for rules of your own give the path of a YAML file."
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(str(path), [Problem("encoding", str(error), "Save the file as UTF-8 text.")]) from error
    found = _parse(text, str(path))
    if len(found) != 1:
        raise ClusterbookError(f"{path} holds {len(found)} profiles. Keep one in each file.")
    return found[0]


@cache
def _bundled() -> tuple[Profile, ...]:
    text = files("clusterbook.clusters").joinpath("profiles.yaml").read_text(encoding="utf-8")
    return tuple(_parse(text, "profiles.yaml"))


def _parse(text: str, origin: str) -> list[Profile]:
    remedy = "Compare with the bundled profiles.yaml, whose head explains every field."
    try:
        return TypeAdapter(list[Profile]).validate_python(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise DataError(origin, [Problem("YAML", str(error), remedy)]) from error
    except ValidationError as error:
        tree = yaml.compose(text)
        faults = [
            Problem("profile", fault["msg"], remedy, _line(tree, at), ".".join(map(str, at)), _shown(fault["input"]))
            for fault in error.errors()
            for at in [fault["loc"]]
        ]
        raise DataError(origin, faults) from error


def _line(node: Any, path: Iterable[int | str]) -> int | None:
    """Return the line on which a part of a YAML document stands; of a missing part, that of what lacks it."""
    for step in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if key.value == step), None)
            if inner is None:
                break
            node = inner
    return None if node is None else node.start_mark.line + 1


def _shown(value: object) -> str | None:
    """Return what stands in a field; a whole block is not repeated."""
    return None if isinstance(value, dict | list) else str(value)


def _check_columns(present: list[str], rules: Profile, columns: dict[str, str]) -> None:
    conditions = [rules.population, *(c for flag in rules.flags for c in flag.conditions if not c.optional)]
    needed = [*KEYS, columns[SIZE], *(columns.get(c.indicator, c.indicator) for c in conditions)]
    needed += ["kind"] if rules.applies_to == "traded" else []
    missing = [f"'{name}'" for name in dict.fromkeys(needed) if name not in present]
    if missing:
        raise ClusterbookError(
            f"Profile '{rules.id}' needs {', '.join(missing)}. The table has: {', '.join(present)}. "
            "Compute or rename the column (size= names the one of the main measure)."
        )


def _check_unique(clusters: pl.DataFrame) -> None:
    twice = clusters.filter(pl.struct(KEYS).is_duplicated())
    if not twice.is_empty():
        row = ", ".join(f"{key} {twice[key][0]}" for key in KEYS)
        raise ClusterbookError(
            f"{twice.height} rows share their region, cluster and year ({row}). Keep or add up to one row for each."
        )


def _holds(condition: Condition, rules: Profile, columns: Mapping[str, str]) -> pl.Expr:
    """Return whether a condition holds; null where that is not known."""
    number, threshold = as_number(columns[condition.indicator]), threshold_of(condition, rules, columns)
    return number >= threshold if condition.op == ">=" else number > threshold


def threshold_of(condition: Condition, rules: Profile, columns: Mapping[str, str]) -> pl.Expr:
    """Return what a condition compares its indicator with: a value, or a quantile within the cluster and year.

    ``columns`` gives the column of each indicator.
    """
    if condition.quantile is None:
        return pl.lit(condition.value)
    population = _holds(rules.population, rules, columns)
    among = as_number(columns[condition.indicator]).filter(population)
    return among.quantile(condition.quantile, interpolation=rules.quantiles).over("cluster", "year")


def as_number(column: str) -> pl.Expr:
    """Return a column as floats in which nothing is NaN (Polars would take NaN for larger than every number)."""
    return pl.col(column).cast(pl.Float64).fill_nan(None)
