"""Typology: of what type a cluster in a place is, by transparent rules over recorded facts.

The rules stand in ``types.yaml``. Each type names the facts that speak for it, how much each weighs and how far which
value fits. A verdict says which facts decided, which speak against it and which are not known but could change it.
'Not enough known' is a verdict like the others. The method is our own; the types are those of the literature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, TypeAlias

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from clusterbook.clusters.facts import FactDefinition, facts_vocabulary, latest_facts
from clusterbook.data.tables import did_you_mean
from clusterbook.errors import ClusterbookError, DataError, Problem

#: The verdicts besides a clear type (our own words).
TYPE, MIXED, NO_TYPE, NOT_ENOUGH = "type", "mixed", "none", "not enough known"

#: Share of the evidence weight of the leading type that must be known before it is given (our own rule).
ENOUGH_KNOWN = 1 / 3
#: Share of the known evidence weight that must be met before a type is given (our own rule).
ENOUGH_MET = 0.6
#: Lead in score under which two types that are both met count as mixed (our own rule).
CLEAR_LEAD = 0.1
#: What a fact that is not known counts for, between speaking against (0) and for (1) a type (our own rule).
UNKNOWN = 0.5

Floats: TypeAlias = NDArray[np.float64]
Effect: TypeAlias = Literal["for", "in part", "against", "missing"]
EFFECTS: tuple[Effect, ...] = ("for", "in part", "against", "missing")


class _Data(BaseModel):
    """Data from YAML: what is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Evidence(_Data):
    """How one fact bears on one type; the fields are explained atop ``types.yaml``."""

    fact: str
    weight: float = Field(gt=0)
    fits: dict[float | str, float] = Field(min_length=1)
    because: str
    source: str
    needed: bool = False

    @model_validator(mode="after")
    def _of_the_vocabulary(self) -> Self:
        definition = facts_vocabulary().get(self.fact)
        if definition is None:
            hint = did_you_mean(self.fact, facts_vocabulary())
            raise ValueError(f"'{self.fact}' is not in the vocabulary of facts{hint}")
        words = {"choice": list(definition.values), "yes_no": ["yes", "no"]}.get(definition.kind)
        strange = [key for key in self.fits if (key not in words if words else isinstance(key, str))]
        if strange:
            raise ValueError(f"fits: {definition.title} takes {definition.allowed}, not {strange[0]!r}")
        if not all(0 <= fit <= 1 for fit in self.fits.values()):
            raise ValueError("fits: how far a value fits runs from 0 to 1")
        return self

    @property
    def definition(self) -> FactDefinition:
        """The fact in the vocabulary."""
        return facts_vocabulary()[self.fact]

    @property
    def line(self) -> tuple[list[float], list[float]]:
        """The points between which the fit of a number runs straight: values, in order, and fits."""
        points = {float({"yes": 1, "no": 0}.get(str(key), key)): fit for key, fit in self.fits.items()}
        if self.definition.kind == "yes_no":
            points = {0.0: 0.0, 1.0: 0.0} | points
        values = sorted(points)
        return values, [points[value] for value in values]


class TypeRule(_Data):
    """One type of a typology: the evidence for it."""

    id: str
    title: str
    rule: str
    evidence: list[Evidence] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_a_fact(self) -> Self:
        names = [evidence.fact for evidence in self.evidence]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"'{twice[0]}' stands twice in the evidence")
        return self

    @property
    def shares(self) -> dict[str, float]:
        """The share of each fact in the weight of all the evidence."""
        whole = sum(evidence.weight for evidence in self.evidence)
        return {evidence.fact: evidence.weight / whole for evidence in self.evidence}


class Typology(_Data):
    """A set of types that exclude one another, more or less, with where they come from."""

    id: str
    title: str
    source: str
    note: str
    types: list[TypeRule] = Field(min_length=2)

    @property
    def facts(self) -> list[str]:
        """The facts that any of the types speaks of, in the order of the rules."""
        return list(dict.fromkeys(evidence.fact for rule in self.types for evidence in rule.evidence))


def typologies() -> list[Typology]:
    """Return the bundled typologies.

    Example:
        >>> [typology.id for typology in typologies()]
        ['markusen', 'altenburg-meyer-stamer', 'enright', 'nauwelaers', 'industrial-localised']
    """
    return list(_bundled())


def load_typology(which: str | Path | Typology) -> Typology:
    """Return a bundled typology by its id, or the one typology in a YAML file that looks like ``types.yaml``.

    Raises:
        ClusterbookError: there is no such typology or file.
        DataError: the file is not a valid typology; every fault is named.

    Example:
        >>> [rule.title for rule in load_typology("industrial-localised").types]
        ['Industrial cluster', 'Localised cluster']
    """
    if isinstance(which, Typology):
        return which
    known = {typology.id: typology for typology in _bundled()}
    if str(which) in known:
        return known[str(which)]
    path = Path(which)
    if not path.is_file():
        raise ClusterbookError(
            f"There is no typology and no file '{which}'{did_you_mean(str(which), known)}. Bundled typologies: "
            f"{', '.join(known)}; for rules of your own give the path of a YAML file."
        )
    found = _parse(path.read_text(encoding="utf-8"), str(path))
    if len(found) != 1:
        raise ClusterbookError(f"{path} holds {len(found)} typologies. Keep one in each file.")
    return found[0]


@cache
def _bundled() -> tuple[Typology, ...]:
    text = files("clusterbook.clusters").joinpath("types.yaml").read_text(encoding="utf-8")
    return tuple(_parse(text, "types.yaml"))


def _parse(text: str, origin: str) -> list[Typology]:
    remedy = "Compare with the bundled types.yaml, whose head explains every field."
    try:
        return TypeAdapter(list[Typology]).validate_python(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise DataError(origin, [Problem("YAML", str(error), remedy)]) from error
    except ValidationError as error:
        faults = [
            Problem("typology", fault["msg"], remedy, column=".".join(map(str, fault["loc"])))
            for fault in error.errors()
        ]
        raise DataError(origin, faults) from error


# ---- verdicts --------------------------------------------------------------------------------------------------------


def classify(facts: pl.DataFrame, typology: str | Path | Typology) -> pl.DataFrame:
    """Tell of what type each cluster in a place is.

    For each type, ``met`` is the share of its known evidence weight that is met and ``known`` the share of its evidence
    weight that is known. The score of a type counts every unknown fact half for and half against it; the type with the
    highest score leads. It is the verdict when at least a third of its evidence is known and 60% of that is met. Where
    the runner-up is met as well and less than 0.1 behind, the verdict is 'mixed', or 'not enough known' if less than a
    third of the runner-up's evidence is known. All these are our own rules.

    Args:
        facts: a table of facts as ``read_facts`` or ``facts_from_tables`` returns it; of a fact recorded for several
            years the latest counts.
        typology: the id of a bundled typology (see ``typologies``), a path to a YAML file or a ``Typology``.

    Returns:
        One row a region and cluster that has any fact: ``typology``, ``verdict`` ('type', 'mixed', 'none', 'not enough
        known'), ``type`` (the leading type, whatever the verdict; null where nothing it needs is known), ``confidence``
        (``met`` times ``known``: the share of all evidence weight that is known and met, 0 to 1), ``confidence_low``
        and ``confidence_high`` (what it could be within the ranges of uncertain facts), ``met``, ``known``,
        ``runner_up``, ``lead`` (in score, 0 to 1), and lists of facts, most important first: ``decided_by``,
        ``against``, ``missing`` (most informative between the leading type and the runner-up first) and ``decisive``
        (the missing ones of which one alone could put the runner-up ahead).

    Raises:
        ClusterbookError: no such typology, or not a table of facts.
        DataError: the YAML file is not a valid typology.

    Example:
        >>> from clusterbook.clusters.facts import Fact, read_facts
        >>> said = {"largest-employer": "local-firm", "hub-dependence": 4, "top-firms-share": 0.7, "commitment": 3}
        >>> facts = read_facts([Fact("JP-TYT", "cars", name, value, source="a survey") for name, value in said.items()])
        >>> classify(facts, "markusen").select("verdict", "type", "confidence", "known").row(0)
        ('type', 'hub-and-spoke', 0.486..., 0.486...)
    """
    rules = load_typology(typology)
    return _verdicts(_weigh(facts, rules), rules)


class _Weighed(NamedTuple):
    """The evidence of all types for all pairs; arrays are types x pairs, or types x pairs x facts."""

    pairs: pl.DataFrame
    fits: Floats  # types x pairs x facts, NaN where not known
    met: Floats
    met_low: Floats
    met_high: Floats
    known: Floats
    ruled_out: NDArray[np.bool_]
    waiting: NDArray[np.bool_]  # a needed fact is not known


def _weigh(facts: pl.DataFrame, rules: Typology) -> _Weighed:
    latest = latest_facts(facts)
    pairs = latest.select("region", "cluster").unique().sort("region", "cluster").with_row_index("pair")
    said = latest.join(pairs, on=["region", "cluster"])
    by_fact = {str(key[0]): rows for key, rows in said.partition_by("fact", as_dict=True).items()}
    names, shape = rules.facts, (len(rules.types), pairs.height)
    fits = np.full((*shape, len(names)), np.nan)
    met, met_low, met_high, known = (np.zeros(shape) for _ in range(4))
    ruled_out, waiting = np.zeros(shape, bool), np.zeros(shape, bool)
    for t, rule in enumerate(rules.types):
        for evidence in rule.evidence:
            rows = by_fact.get(evidence.fact)
            fit = np.full((3, pairs.height), np.nan)
            if rows is not None:
                fit[:, rows["pair"].to_numpy()] = _fit(evidence, rows)
            share = rule.shares[evidence.fact]
            fits[t, :, names.index(evidence.fact)] = fit[1]
            known[t] += share * ~np.isnan(fit[1])
            for total, values in zip((met_low, met, met_high), fit, strict=True):
                total[t] += share * np.nan_to_num(values)
            if evidence.needed:
                ruled_out[t] |= fit[2] < 0.5
                waiting[t] |= np.isnan(fit[1])
    return _Weighed(pairs.drop("pair"), fits, met, met_low, met_high, known, ruled_out, waiting)


def _fit(evidence: Evidence, rows: pl.DataFrame) -> Floats:
    """Return how far the facts of some rows fit a type: the least, the middle and the most (3 x rows)."""
    if evidence.definition.kind == "choice":
        answers = {str(key): fit for key, fit in evidence.fits.items()}
        fit = rows["choice"].replace_strict(answers, default=0.0, return_dtype=pl.Float64).to_numpy()
        return np.stack([fit, fit, fit])
    xs, ys = evidence.line
    low, high, value = (rows[name].to_numpy() for name in ("low", "high", "value"))
    ends = np.stack([np.interp(low, xs, ys), np.interp(high, xs, ys)])
    least, most = ends.min(axis=0), ends.max(axis=0)
    for x, y in zip(xs, ys, strict=True):  # a line that rises and falls may peak within the range
        inside = (low <= x) & (x <= high)
        least, most = np.where(inside, np.minimum(least, y), least), np.where(inside, np.maximum(most, y), most)
    middle = np.where(np.isnan(value), (least + most) / 2, np.interp(value, xs, ys))
    return np.stack([least, middle, most])


def _verdicts(weighed: _Weighed, rules: Typology) -> pl.DataFrame:
    count = weighed.pairs.height
    at = np.arange(count)
    score = weighed.met + UNKNOWN * (1 - weighed.known)
    score = np.where(weighed.ruled_out, weighed.met - 1, score)  # behind every type that is not ruled out
    order = np.argsort(-score, axis=0, kind="stable")
    first, second = order[0], order[1]
    lead = score[first, at] - score[second, at]
    known = weighed.known[first, at]
    met = _ratio(weighed.met, weighed.known)
    enough = (weighed.known >= ENOUGH_KNOWN) & ~weighed.waiting
    fitting = (met >= ENOUGH_MET) & ~weighed.ruled_out
    close = fitting[second, at] & (lead < CLEAR_LEAD)
    verdict = np.select(
        [~enough[first, at], ~fitting[first, at], close & enough[second, at], close],
        [NOT_ENOUGH, NO_TYPE, MIXED, NOT_ENOUGH],
        TYPE,
    )
    ids = np.array([rule.id for rule in rules.types])
    any_known = pl.when(pl.Series(weighed.known.sum(axis=0) > 0))
    table = weighed.pairs.with_columns(
        pl.lit(rules.id).alias("typology"),
        pl.Series("verdict", verdict, pl.String),
        any_known.then(pl.Series(ids[first], dtype=pl.String)).alias("type"),
        pl.Series("confidence", weighed.met[first, at], pl.Float64),
        pl.Series("confidence_low", weighed.met_low[first, at], pl.Float64),
        pl.Series("confidence_high", weighed.met_high[first, at], pl.Float64),
        pl.Series("met", np.where(known > 0, met[first, at], np.nan), pl.Float64).fill_nan(None),
        pl.Series("known", known, pl.Float64),
        any_known.then(pl.Series(ids[second], dtype=pl.String)).alias("runner_up"),
        pl.Series("lead", np.minimum(lead, 1.0), pl.Float64),
    )
    return table.with_columns(_lists_of_facts(weighed, rules, first, second, lead))


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _lists_of_facts(
    weighed: _Weighed, rules: Typology, first: NDArray[np.intp], second: NDArray[np.intp], lead: Floats
) -> list[pl.Series]:
    at = np.arange(len(first))
    names = rules.facts
    weights = np.array([[rule.shares.get(name, 0.0) for name in names] for rule in rules.types])
    fit, weight = weighed.fits[first, at], weights[first]
    unknown = np.isnan(fit) & np.isnan(weighed.fits[second, at]) & (weights[first] + weights[second] > 0)
    swing, spread = _swings(rules)
    turns = unknown & (swing[first, second] > lead[:, None])
    effect = _effects(fit)
    return [
        _ranked("decided_by", effect == EFFECTS.index("for"), weight * np.nan_to_num(fit), names),
        _ranked("against", effect == EFFECTS.index("against"), weight * (1 - np.nan_to_num(fit)), names),
        _ranked("missing", unknown, spread[first, second], names),
        _ranked("decisive", turns, spread[first, second], names),
    ]


def _effects(fit: Floats) -> NDArray[np.intp]:
    """Say what facts do for a type, as places in ``EFFECTS``: two thirds and more speaks for it, a third against it."""
    return np.select([np.isnan(fit), fit >= 2 / 3, fit <= 1 / 3], [3, 0, 2], 1)


def _ranked(name: str, mask: NDArray[np.bool_], importance: Floats, facts: Sequence[str]) -> pl.Series:
    """Return for each row the facts under the mask, the most important first."""
    rows, columns = np.nonzero(mask)
    found = pl.DataFrame({"row": rows, "fact": np.array(facts)[columns], "importance": importance[rows, columns]})
    lists = (
        found.sort("row", -pl.col("importance"), maintain_order=True)
        .group_by("row", maintain_order=True)
        .agg("fact")
        .select(pl.col("row").cast(pl.Int64), pl.col("fact").cast(pl.List(pl.String)))
    )
    every = pl.DataFrame({"row": np.arange(len(mask))}, schema={"row": pl.Int64})
    listed = every.join(lists, on="row", how="left", maintain_order="left")["fact"]
    return listed.fill_null(pl.Series([[]], dtype=pl.List(pl.String))).alias(name)


def _swings(rules: Typology) -> tuple[Floats, Floats]:
    """Return what learning one unknown fact can do between two types (types x types x facts).

    The first is by how much it can bring the second type nearer to the first in score, the second how far apart its
    answers are. Scores are straight between the points of the rules, so the extremes lie at those points.
    """
    count = len(rules.types)
    swing, spread = np.zeros((count, count, len(rules.facts))), np.zeros((count, count, len(rules.facts)))
    for f, name in enumerate(rules.facts):
        gains = np.stack([_gains(rule, name, rules) for rule in rules.types])
        between = gains[None, :, :] - gains[:, None, :]
        swing[:, :, f] = between.max(axis=2)
        spread[:, :, f] = between.max(axis=2) - between.min(axis=2)
    return swing, spread


def _gains(rule: TypeRule, name: str, rules: Typology) -> Floats:
    """Return what each possible answer to an unknown fact adds to the score of a type."""
    answers = _answers(name, rules)
    mine = [evidence for evidence in rule.evidence if evidence.fact == name]
    if not mine:
        return np.zeros(answers.height)
    gains: Floats = rule.shares[name] * (_fit(mine[0], answers)[1] - UNKNOWN)
    return gains


def _answers(name: str, rules: Typology) -> pl.DataFrame:
    """Return the answers to a fact among which any type's best and worst are."""
    definition = facts_vocabulary()[name]
    if definition.kind == "choice":
        return pl.DataFrame({"choice": list(definition.values)})
    lines = [evidence.line[0] for rule in rules.types for evidence in rule.evidence if evidence.fact == name]
    values = sorted({value for line in lines for value in line})
    return pl.DataFrame({"value": values, "low": values, "high": values})


# ---- reasons ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reason:
    """What one fact does for a type. ``weight`` is its share in all evidence; ``source`` is that of the rule."""

    fact: str
    effect: Effect
    weight: float
    sentence: str
    source: str
    fact_source: str | None = None


@dataclass(frozen=True)
class Explanation:
    """The verdict on one cluster in a place, with its reasons, most important first."""

    verdict: Mapping[str, Any]
    summary: str
    reasons: tuple[Reason, ...]

    def __str__(self) -> str:
        heads = dict(zip(EFFECTS, ("For", "In part", "Against", "Not known"), strict=True))
        lines = [self.summary]
        for effect, head in heads.items():
            found = [reason.sentence for reason in self.reasons if reason.effect == effect]
            lines += [f"{head}:", *(f"- {sentence}" for sentence in found)] if found else []
        return "\n".join(lines)


def explain(facts: pl.DataFrame, typology: str | Path | Typology, region: str, cluster: str) -> Explanation:
    """Say in sentences why one cluster in a place has its verdict.

    ``facts`` and ``typology`` are as for ``classify``. The reasons speak of the leading type.

    Raises ``ClusterbookError`` when there is no fact about this cluster in this place.

    Example:
        >>> from clusterbook.clusters.facts import Fact, read_facts
        >>> facts = read_facts([Fact("IT-PO", "textiles", "trust", "mostly", source="interviews")])
        >>> print(explain(facts, "markusen", "IT-PO", "textiles").reasons[0].sentence)
        Trust: mostly. This fits, because its dealings rest on trust.
    """
    rules = load_typology(typology)
    mine = latest_facts(facts).filter(pl.col("region") == region, pl.col("cluster") == cluster)
    if mine.is_empty():
        raise ClusterbookError(
            f"No fact is known about cluster {cluster!r} in region {region!r}. Record some (read_facts), or compute "
            "those that data can tell (facts_from_tables)."
        )
    weighed = _weigh(mine, rules)
    verdict = _verdicts(weighed, rules).row(0, named=True)
    titles = {rule.id: rule.title for rule in rules.types}
    if verdict["type"] is None:
        return Explanation(verdict, f"Not enough known: no fact bears on {rules.title}.", ())
    leading, rival = (next(rule for rule in rules.types if rule.id == verdict[key]) for key in ("type", "runner_up"))
    fits = dict(zip(rules.facts, weighed.fits[rules.types.index(leading), 0], strict=True))
    said = {row["fact"]: row for row in mine.iter_rows(named=True)}
    spoken = [
        _spoken(evidence, leading.shares[evidence.fact], fits[evidence.fact], said[evidence.fact])
        for evidence in leading.evidence
        if evidence.fact in said
    ]
    spoken.sort(key=lambda reason: (EFFECTS.index(reason.effect), -reason.weight))
    unknown = [_unknown(name, leading, rival, decisive=name in verdict["decisive"]) for name in verdict["missing"]]
    return Explanation(verdict, _summary(verdict, titles), (*spoken, *unknown))


def _spoken(evidence: Evidence, weight: float, fit: float, row: Mapping[str, Any]) -> Reason:
    """Return what a known fact does for the leading type."""
    effect = EFFECTS[int(_effects(np.array(fit)))]
    fitting = {"for": "This fits", "in part": "This fits in part", "against": "This speaks against it"}[effect]
    said = _said(evidence.definition, row)
    sentence = f"{evidence.definition.title}: {said}. {fitting}, because {evidence.because}."
    return Reason(evidence.fact, effect, weight, sentence, evidence.source, row["source"])


def _unknown(name: str, leading: TypeRule, rival: TypeRule, *, decisive: bool) -> Reason:
    """Return why a missing fact is worth asking for: by the leading type, or by the runner-up if only that needs it."""
    rule, evidence = next(
        (rule, evidence) for rule in (leading, rival) for evidence in rule.evidence if evidence.fact == name
    )
    of = "" if rule is leading else f" of the runner-up, '{rival.title}'"
    sentence = f"{evidence.definition.question} It matters{' as a test' if of else ''}{of}, because {evidence.because}."
    turn = f" The answer alone could put '{rival.title}' ahead." if decisive else ""
    return Reason(name, "missing", leading.shares.get(name, 0.0), sentence + turn, evidence.source)


def _said(definition: FactDefinition, row: Mapping[str, Any]) -> str:
    if row["choice"] is not None:
        return definition.values[row["choice"]]
    spread = row["low"] != row["high"]
    between = f"{definition.say(row['low'])} to {definition.say(row['high'])}"
    if row["value"] is None:
        return between
    return definition.say(row["value"]) + (f" ({between})" if spread else "")


def _summary(verdict: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    first, second = titles[verdict["type"]], titles[verdict["runner_up"]]
    known, met = f"{100 * verdict['known']:.0f}%", f"{100 * (verdict['met'] or 0):.0f}%"
    basis = f"{known} of the evidence is known and {met} of that is met"
    texts = {
        TYPE: f"{first}, with confidence {verdict['confidence']:.2f}: {basis}. The runner-up is '{second}'.",
        MIXED: f"Mixed, between '{first}' and '{second}': for the first {basis}.",
        NO_TYPE: f"None of the types: '{first}' comes nearest, and for it {basis}.",
        NOT_ENOUGH: f"Not enough known: '{first}' leads, but only for now, as {basis}.",
    }
    return texts[verdict["verdict"]]
