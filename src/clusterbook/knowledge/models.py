"""What an entry of the knowledge base may hold: one model a kind, unknown keys refused.

Entries stand as YAML lists in ``entries/<kind>/*.yaml``. A field that names other entries is declared with ``Ref``
and the kind it must name; the loader checks every reference and derives the way back, so relations are written once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(?:[-.][a-z0-9]+)*$")]
#: An entry of any kind, by kind and id, such as 'instruments/cluster-broker'.
Link = Annotated[str, Field(pattern=r"^[a-z-]+/[a-z0-9]+(?:[-.][a-z0-9]+)*$")]
Text = Annotated[str, Field(min_length=1)]

Level = Literal["local", "regional", "national", "donor"]
Degree = Literal["low", "medium", "high"]
Answer = Literal["yes", "no", "depends"]


@dataclass(frozen=True)
class Ref:
    """Marks a field that holds ids of entries of one kind ('*': links to entries of any kind).

    ``says`` and ``back`` are the relation in words, as seen from the entry and from the one it names: an instrument
    'works through' a mechanism, which 'is strengthened by' the instrument.
    """

    kind: str
    says: str
    back: str


Ids = list[Id]


class Model(BaseModel):
    """A part of an entry."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Citation(Model):
    """Where something is said: the key of a bibliography entry and the place in it.

    ``quote`` holds the source's own words, for definitions only; it is always shown in quotation marks.
    """

    key: Annotated[Id, Ref("bibliography", "cites", "is cited by")]
    at: Text | None = None
    quote: Text | None = None


class Entry(Model):
    """What every entry has. Texts are our own words; ``sources`` say where the matter stands."""

    id: Id
    title: Text
    text: Text
    tags: list[Id] = []
    related: Annotated[list[Link], Ref("*", "see also", "see also")] = []
    sources: list[Citation] = Field(min_length=1)
    #: Names of fields that are Clusterbook's own judgement, not a statement of the sources.
    judged: list[str] = []


class Concept(Entry):
    """A term of a closed list by which other entries are sorted."""

    group: Literal[
        "goal",  # what an instrument is for; sub-goals name their goal as parent
        "objective",  # policy objectives (WB Table 3)
        "dynamic",  # cluster dynamics and environment (WB Table 2)
        "policy-family",  # broker, demand side, training, international linkages, framework (WB 3.4)
        "facet",  # the four facets of the diamond
        "lever",  # spending, regulation, attitudes and norms
        "silo",  # budget silos that cluster policy cuts across
        "actor",  # kinds of actor
        "relation",  # firm-firm, firm-institution, private-public
        "perspective",  # perspectives of scorecards
        "scorecard",  # scorecards that indicators come from
        "element-group",
    ]
    parent: Annotated[Id | None, Ref("concepts", "is part of", "contains")] = None


class Fit(Model):
    """Where something fits and where it does harm; links, as 'stages/emerging'."""

    fits: Annotated[list[Link], Ref("*", "fits", "is fitted by")] = []
    harms: Annotated[list[Link], Ref("*", "does harm in", "is harmed by")] = []


class Caution(Model):
    """Something to mind, with its source."""

    text: Text
    sources: list[Citation] = Field(min_length=1)


class Evidence(Model):
    """What is known of an effect. 'argued': reasoned without data; 'cases': told of cases; 'studies': measured."""

    strength: Literal["none", "argued", "cases", "mixed", "studies"]
    text: Text
    studies: Annotated[Ids, Ref("studies", "is measured by", "measures")] = []
    cases: Annotated[Ids, Ref("cases", "is seen in", "shows")] = []


class EarlyCooperation(Model):
    """The four conditions under which firms that do not trust one another yet can co-operate (MP 5)."""

    immediate_problem: Answer
    not_core_business: Answer
    no_room_for_predation: Answer
    economies_of_scale: Answer


class Instrument(Entry):
    """A thing that policy or a cluster organisation can do."""

    goals: Annotated[Ids, Ref("concepts", "serves the goal", "is served by")] = Field(min_length=1)
    mechanisms: Annotated[Ids, Ref("mechanisms", "works through", "is strengthened by")] = []
    failures: Annotated[Ids, Ref("failures", "answers", "is answered by")] = []
    obstacles: Annotated[Ids, Ref("obstacles", "helps against", "is eased by")] = []
    objectives: Annotated[Ids, Ref("concepts", "pursues", "is pursued by")] = []
    dynamics: Annotated[Ids, Ref("concepts", "acts on", "is acted on by")] = []
    families: Annotated[Ids, Ref("concepts", "belongs to", "includes")] = []
    facets: Annotated[Ids, Ref("concepts", "improves", "is improved by")] = []
    levers: Annotated[Ids, Ref("concepts", "pulls", "is pulled by")] = []
    silos: Annotated[Ids, Ref("concepts", "is paid from", "pays for")] = []
    #: What each level of government or a donor contributes, in a few words.
    levels: dict[Level, Text] = {}
    #: Who carries it out besides government.
    actors: Annotated[Ids, Ref("concepts", "is carried out by", "carries out")] = []
    #: Life-cycle stages, cluster types, clustering phases and settings where it fits or does harm.
    fit: Fit = Fit()
    #: 'early': within a year; 'medium': one to three years; 'late': longer.
    time_to_effect: Literal["early", "medium", "late"]
    risk: Degree
    cost: Degree
    early_cooperation: EarlyCooperation
    evidence: Evidence
    cautions: list[Caution] = []


class Mechanism(Entry):
    """A way in which proximity and interaction raise performance (BEN Table 1)."""

    number: int
    #: What shows that it is at work or could be.
    signs: list[Text] = []
    instruments_note: Text | None = None


class Failure(Entry):
    """A reason for public action."""

    family: Literal["market", "government", "systemic"]
    parent: Annotated[Id | None, Ref("failures", "is a kind of", "has as kinds")] = None
    #: How one would see it in a cluster.
    signs: list[Text] = []


class Obstacle(Entry):
    """What keeps actors from co-operating (MP Table 5)."""

    relation: Annotated[Id, Ref("concepts", "stands between", "is hampered by")]
    remedies: Annotated[Ids, Ref("instruments", "is eased by", "helps against")] = []


class Risk(Entry):
    """A risk factor of cluster policy or a pitfall of clusters."""

    family: Literal["risk-factor", "barrier", "pitfall"]
    indicators: Annotated[Ids, Ref("indicators", "is shown by", "shows")] = []
    mitigation: Annotated[Ids, Ref("instruments", "is reduced by", "reduces")] = []


class SuccessFactor(Entry):
    """Something that successful clusters or initiatives have in common."""

    of: Literal["cluster", "initiative", "policy"]
    indicators: Annotated[Ids, Ref("indicators", "is shown by", "shows")] = []


class Weakness(Entry):
    """A systemic weakness of innovation systems or organisations."""

    remedies: Annotated[Ids, Ref("instruments", "is eased by", "helps against")] = []


class Readiness(Entry):
    """A verdict on whether to start: pressure and willingness to co-operate (MP Fig. 5)."""

    pressure: Literal["low", "high"]
    willingness: Literal["low", "high"]
    advice: Text


class Question(Model):
    """One question of a gate or checklist. ``good`` is the answer that speaks for going on."""

    text: Text
    good: Literal["yes", "no"] = "yes"
    why: Text | None = None
    sources: list[Citation] = Field(min_length=1)


class Gate(Entry):
    """A suitability check for a special bet: biotech, foreign investment, science park, e-business."""

    questions: list[Question] = Field(min_length=1)


class FrameworkCondition(Entry):
    """Something outside the cluster's reach on which it depends."""

    facets: Annotated[Ids, Ref("concepts", "is part of", "contains")] = []


class Element(Entry):
    """One of the seven elements of a cluster (WB 2.3)."""

    number: int
    indicators: Annotated[Ids, Ref("indicators", "is shown by", "shows")] = []


class Value(Model):
    """One value that a dimension can take."""

    id: Id
    title: Text
    text: Text | None = None


class Dimension(Entry):
    """A dimension in which clusters differ (EFW par. 61)."""

    values: list[Value] = []
    indicators: Annotated[Ids, Ref("indicators", "is shown by", "shows")] = []


class ClusterType(Entry):
    """A type of a typology, with what follows from it."""

    typology: Literal["markusen", "altenburg-meyer-stamer", "enright", "nauwelaers", "industrial-localised"]
    features: list[Text] = Field(min_length=1)
    strength: Text
    vulnerability: Text
    trajectory: Text
    interventions: Annotated[Ids, Ref("instruments", "calls for", "is called for by")] = []
    interventions_text: Text


class Stage(Entry):
    """A stage of the life cycle."""

    order: int
    signs: list[Text] = Field(min_length=1)
    needs: list[Text] = []
    next: Annotated[Ids, Ref("stages", "can become", "can follow")] = []


class Change(Model):
    """What a setting changes in one aspect of policy."""

    aspect: Text
    text: Text
    sources: list[Citation] = Field(min_length=1)


class Setting(Entry):
    """A kind of economy or place, with what changes there."""

    factor: Text
    changes: list[Change] = Field(min_length=1)


class Phase(Entry):
    """A phase of clustering (WB Fig. 12)."""

    order: int
    tasks: list[Text] = []


class Step(Model):
    """One step of a process."""

    id: Id
    title: Text
    text: Text
    actors: Annotated[Ids, Ref("concepts", "is carried out by", "carries out")] = []
    sources: list[Citation] = Field(min_length=1)


class Process(Entry):
    """An ordered way of doing something: fourteen steps, a promotion chain, an evaluation cycle."""

    family: Literal["clustering", "network", "programme", "competition", "evaluation", "investment", "dialogue"]
    ordered: bool = True
    steps: list[Step] = Field(min_length=1)


class Competence(Entry):
    """Something a team needs to be able to do (WB 4.3)."""

    group: Text
    #: phase -> how much it matters there, as far as the text says.
    phases: Annotated[dict[Id, Literal["core", "useful"]], Ref("phases", "matters in", "asks for")] = {}
    #: kind of actor -> whether such actors tend to hold it.
    actors: Annotated[dict[Id, Literal["strong", "some"]], Ref("concepts", "is held by", "holds")] = {}


class Role(Entry):
    """A role that people take in clustering (Henton's and others')."""

    family: Literal["henton", "other"]
    phases: Annotated[Ids, Ref("phases", "acts in", "is served by")] = []
    competences: Annotated[Ids, Ref("competences", "needs", "is needed by")] = []
    actors: Annotated[Ids, Ref("concepts", "is taken by", "takes")] = []


class Recommendation(Entry):
    """What an actor should do, as a source recommends it; 'wb-1.01' is the first of the Whitebook's Miniforum 1."""

    actors: Annotated[Ids, Ref("concepts", "is addressed to", "is advised by")] = Field(min_length=1)
    instruments: Annotated[Ids, Ref("instruments", "recommends", "is recommended by")] = []
    cases: Annotated[Ids, Ref("cases", "draws on", "teaches")] = []


class Indicator(Entry):
    """A thing to measure."""

    unit: Text
    formula: Text
    data_source: Text
    frequency: Text
    direction: Literal["higher-better", "lower-better", "context"]
    level: Literal["context", "input", "activity", "output", "outcome", "impact"]
    object: Literal["cluster", "initiative", "policy", "region"]
    perspective: Annotated[Id | None, Ref("concepts", "belongs to", "includes")] = None
    scorecards: Annotated[Ids, Ref("concepts", "stands in", "holds")] = []
    gaming: Text
    #: 'table.column' of the edition that holds it, where Clusterbook computes it.
    edition: Text | None = None


class Figure(Model):
    """A figure of a case, with unit and year; ``name`` is its key in derived figures."""

    name: Id
    label: Text
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: Text
    #: A year, or 'about 1995', '1991-1994', 'not stated (published 2004)'.
    year: Text
    about: bool = False
    sources: list[Citation] = Field(min_length=1)


def figure_key(name: str) -> str:
    """Return the name of a figure as sums write it: 'jobs-1996' is 'jobs_1996' there.

    >>> figure_key("jobs-1996")
    'jobs_1996'
    """
    return name.replace("-", "_").replace(".", "_")


class Derived(Model):
    """A figure computed from those of the case: a small sum over their names, '-' and '.' written '_'.

    The signs are + - * / ** and parentheses, as in ``(jobs_2002 / jobs_1996 - 1) * 100``.
    """

    label: Text
    expression: Text
    unit: Text


class Place(Model):
    """Where a case is. Co-ordinates are those of the place itself, rounded to a tenth of a degree."""

    name: Text
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    lon: float | None = None
    lat: float | None = None


class Outcome(Model):
    """What came of it, and how well that is known.

    Grades: 'a' counterfactual study, 'b' figures before and after with a comparison, 'c' figures without comparison,
    'd' account of those involved, 'e' not known.
    """

    text: Text
    grade: Literal["a", "b", "c", "d", "e"]


class Case(Entry):
    """A cluster, initiative, programme or network that a source tells of."""

    family: Literal["cluster", "initiative", "programme", "network", "other"]
    place: Place
    start: int | None = None
    end: int | None = None
    industry: Text | None = None
    settings: Annotated[Ids, Ref("settings", "lies in", "is the setting of")] = []
    types: Annotated[Ids, Ref("types", "is of type", "has as case")] = []
    stage: Annotated[Id | None, Ref("stages", "is at stage", "has as case")] = None
    facts: list[Text] = []
    figures: list[Figure] = []
    derived: list[Derived] = []
    instruments: Annotated[Ids, Ref("instruments", "used", "was used in")] = []
    outcome: Outcome
    lessons: list[Text] = []
    #: The CIPM record: setting, objectives, process, performance, pros, cons, efficacy, efficiency.
    record: dict[
        Literal["setting", "objectives", "process", "performance", "pros", "cons", "efficacy", "efficiency"], Text
    ] = {}


class Study(Entry):
    """An evaluation of a cluster policy with its design and finding."""

    policy: Text
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    design: Text
    findings: list[Text] = Field(min_length=1)
    direction: Literal["positive", "mixed", "none", "negative", "descriptive"]
    #: Whether the finding was read in the study or its abstract, or is from memory.
    read: Literal["abstract", "full text", "from memory"]
    instruments: Annotated[Ids, Ref("instruments", "evaluates", "is evaluated by")] = []


class Claim(Entry):
    """Something said about clusters, with how well it is supported."""

    status: Literal["supported", "mixed", "weak", "hypothesis", "assertion", "rejected"]
    status_text: Text


class Side(Model):
    """One side of a tension."""

    text: Text
    sources: list[Citation] = Field(min_length=1)


class Tension(Entry):
    """A matter on which the sources disagree. ``handling`` says what Clusterbook does about it."""

    sides: list[Side] = Field(min_length=2)
    handling: Text


class SourceError(Entry):
    """Something in a source that is wrong or inconsistent, kept apart so that nobody loads it by mistake."""

    printed: Text
    reason: Text
    handling: Text


class Term(Entry):
    """A term of the glossary; ``title`` is the term, ``text`` its meaning."""


class Reference(Model):
    """A full reference. The five founding documents have the keys oecd, wb, efw, mp and ben."""

    id: Id
    title: Text
    authors: list[Text] = []
    year: int | None = None
    container: Text | None = None
    publisher: Text | None = None
    doi: str | None = None
    note: Text | None = None


class Guideline(Entry):
    """A checkable statement. ``check`` says in words what to look at to tell whether it is kept."""

    applies_to: list[Literal["definition", "selection", "diagnosis", "policy", "initiative", "evaluation"]]
    check: Text
    answer: Literal["facts", "judgement"]


class Row(Model):
    """One row of a table or list of a source, and the entries that hold it."""

    id: Id
    #: What the row is about, in our words.
    label: Text
    #: A few words, at most four in a row, that stand in the source, by which a test finds the row there.
    keywords: list[Text] = Field(min_length=1)
    entries: Annotated[list[Link], Ref("*", "is held by", "stands in")] = Field(min_length=1)


class SourceTable(Model):
    """A table or list of a source, row by row, to prove that nothing of it was lost."""

    id: Id
    title: Text
    source: Citation
    rows: list[Row] = Field(min_length=1)


#: The kinds of entry and their models; the name is that of the folder under ``entries``.
KINDS: dict[str, type[Model]] = {
    "concepts": Concept,
    "instruments": Instrument,
    "mechanisms": Mechanism,
    "failures": Failure,
    "obstacles": Obstacle,
    "risks": Risk,
    "success-factors": SuccessFactor,
    "weaknesses": Weakness,
    "readiness": Readiness,
    "gates": Gate,
    "framework-conditions": FrameworkCondition,
    "elements": Element,
    "dimensions": Dimension,
    "types": ClusterType,
    "stages": Stage,
    "settings": Setting,
    "phases": Phase,
    "processes": Process,
    "competences": Competence,
    "roles": Role,
    "recommendations": Recommendation,
    "indicators": Indicator,
    "cases": Case,
    "studies": Study,
    "claims": Claim,
    "tensions": Tension,
    "source-errors": SourceError,
    "glossary": Term,
    "bibliography": Reference,
    "guidelines": Guideline,
    "tables": SourceTable,
}
