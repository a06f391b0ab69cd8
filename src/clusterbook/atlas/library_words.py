"""How the library names things: kinds, fields and the members of closed lists in words that a reader uses."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of entry as a reader sees it: many, one, and what it is good for."""

    many: str
    one: str
    what: str


KINDS: dict[str, Kind] = {
    "instruments": Kind("Instruments", "Instrument", "What policy or a cluster organisation can do"),
    "processes": Kind("Processes", "Process", "How it is done, step by step"),
    "recommendations": Kind("Recommendations", "Recommendation", "What the sources advise, and whom"),
    "guidelines": Kind("Guidelines", "Guideline", "Rules that a plan can be checked against"),
    "gates": Kind("Suitability checks", "Suitability check", "Questions before a special bet, such as biotechnology"),
    "readiness": Kind("Readiness", "Verdict on readiness", "Whether to start at all"),
    "roles": Kind("Roles", "Role", "Parts that people take in clustering"),
    "competences": Kind("Competences", "Competence", "What a team must be able to do"),
    "mechanisms": Kind("Mechanisms", "Mechanism", "How nearness raises performance"),
    "failures": Kind("Failures", "Failure", "Reasons for public action"),
    "obstacles": Kind("Obstacles", "Obstacle", "What keeps people from working together"),
    "risks": Kind("Risks", "Risk", "What can go wrong"),
    "success-factors": Kind("Success factors", "Success factor", "What those who succeed have in common"),
    "weaknesses": Kind("Weaknesses", "Weakness", "Systemic weaknesses of organisations and innovation systems"),
    "framework-conditions": Kind("Framework conditions", "Framework condition", "What lies outside a cluster's reach"),
    "elements": Kind("Elements", "Element", "The seven parts of a cluster"),
    "dimensions": Kind("Dimensions", "Dimension", "Ways in which clusters differ"),
    "types": Kind("Types", "Type of cluster", "Typologies, with what follows from each type"),
    "stages": Kind("Stages", "Stage", "The life cycle of a cluster"),
    "settings": Kind("Settings", "Setting", "Kinds of economy and place, and what changes there"),
    "phases": Kind("Phases", "Phase", "The phases of clustering"),
    "indicators": Kind("Indicators", "Indicator", "What to measure, and how it can be gamed"),
    "cases": Kind("Cases", "Case", "Clusters, initiatives and programmes that the sources tell of"),
    "studies": Kind("Studies", "Study", "Evaluations, with design and finding"),
    "claims": Kind("Claims", "Claim", "What is said of clusters, and how well it is supported"),
    "tensions": Kind("Tensions", "Tension", "Where the sources disagree: both sides"),
    "source-errors": Kind(
        "Errors in the sources", "Error in a source", "What is printed wrong, and what to do with it"
    ),
    "concepts": Kind("Topics", "Topic", "Goals, actors, levers and other terms that sort the entries"),
    "glossary": Kind("Glossary", "Term", "Terms from A to Z"),
    "bibliography": Kind("Bibliography", "Work", "The works that the entries cite"),
    "tables": Kind("Tables of the sources", "Table of a source", "Tables and lists, row by row, with who holds what"),
}

#: The shelves of the entrance, in reading order.
SHELVES: dict[str, tuple[str, ...]] = {
    "What to do": ("instruments", "processes", "recommendations", "guidelines", "gates", "readiness"),
    "Who does it": ("roles", "competences"),
    "Why act": ("mechanisms", "failures", "obstacles", "risks", "weaknesses", "success-factors"),
    "Where and when": ("types", "stages", "phases", "settings", "elements", "dimensions", "framework-conditions"),
    "What happened": ("cases", "studies", "claims", "tensions", "source-errors"),
    "What to measure": ("indicators",),
    "Look up": ("glossary", "concepts", "tables", "bibliography"),
}

#: Names of fields; a field that is not here is named as it is written.
FIELDS: dict[str, str] = {
    "advice": "What to do",
    "answer": "Answered by",
    "applies_to": "Applies to",
    "check": "What to look at",
    "cost": "Cost",
    "data_source": "Where the data come from",
    "design": "How it was studied",
    "edition": "In an atlas",
    "factor": "In which respect",
    "facts": "What is known",
    "family": "Family",
    "features": "How to recognise it",
    "findings": "What was found",
    "formula": "How it is computed",
    "gaming": "How it can be gamed",
    "handling": "How Clusterbook handles it",
    "instruments_note": "Instruments",
    "interventions_text": "What helps",
    "lessons": "Lessons",
    "levels": "What each level contributes",
    "needs": "What is needed now",
    "object": "Measures",
    "of": "Factor of",
    "order": "Place in the order",
    "printed": "What is printed",
    "read": "Read by us",
    "reason": "Why it is wrong",
    "sides": "What is said",
    "signs": "Signs",
    "status_text": "How well it is supported",
    "tasks": "Tasks",
    "trajectory": "Where it is heading",
    "willingness": "Willingness to co-operate",
}

#: Members of closed lists in words; a member that is not here is shown as it is written, hyphens as spaces.
WORDS: dict[str, dict[str, str]] = {
    "time_to_effect": {"early": "Within a year", "medium": "One to three years", "late": "More than three years"},
    "levels": {"donor": "Donor", "local": "Local", "national": "National", "regional": "Regional"},
    "grade": {
        "a": "A: study with a counterfactual",
        "b": "B: figures before and after, with a comparison",
        "c": "C: figures without a comparison",
        "d": "D: account of those involved",
        "e": "E: not known",
    },
    "strength": {
        "none": "None",
        "argued": "Argued, no data",
        "cases": "Told of cases",
        "mixed": "Mixed",
        "studies": "Measured in studies",
    },
    "direction": {
        "higher-better": "Higher is better",
        "lower-better": "Lower is better",
        "context": "Neither: context",
        "none": "No effect found",
    },
    "typology": {
        "altenburg-meyer-stamer": "Altenburg and Meyer-Stamer",
        "enright": "Enright",
        "industrial-localised": "Industrial or localised",
        "markusen": "Markusen",
        "nauwelaers": "Nauwelaers",
    },
    "family": {"henton": "Henton, Melville and Walesh", "other": "Other"},
    "answer": {"facts": "Facts", "judgement": "Judgement"},
    "group": {"silo": "Budget silo", "actor": "Kind of actor", "relation": "Relation between actors"},
    "conditions": {
        "immediate_problem": "Solves an immediate problem",
        "not_core_business": "Lies outside the core business",
        "no_room_for_predation": "Leaves no room for predation",
        "economies_of_scale": "Brings economies of scale",
    },
    "record": {
        "setting": "Setting",
        "objectives": "Objectives",
        "process": "Process",
        "performance": "Performance",
        "pros": "What speaks for it",
        "cons": "What speaks against it",
        "efficacy": "Efficacy",
        "efficiency": "Efficiency",
    },
}

COUNTRIES: dict[str, str] = dict(
    line.split(" ", 1)
    for line in """
AR Argentina
AT Austria
AU Australia
BA Bosnia and Herzegovina
BE Belgium
BG Bulgaria
BR Brazil
CA Canada
CH Switzerland
CL Chile
CN China
CO Colombia
CR Costa Rica
CZ Czechia
DE Germany
DK Denmark
EC Ecuador
EE Estonia
EG Egypt
ES Spain
FI Finland
FR France
GB United Kingdom
GE Georgia
GH Ghana
GR Greece
HK Hong Kong
HR Croatia
HU Hungary
ID Indonesia
IE Ireland
IL Israel
IN India
IR Iran
IS Iceland
IT Italy
JM Jamaica
JP Japan
KE Kenya
KR South Korea
LT Lithuania
LU Luxembourg
LV Latvia
MA Morocco
MN Mongolia
MX Mexico
MY Malaysia
NL Netherlands
NO Norway
NZ New Zealand
PE Peru
PH Philippines
PK Pakistan
PL Poland
PT Portugal
RO Romania
RS Serbia
RU Russia
RW Rwanda
SE Sweden
SG Singapore
SI Slovenia
SK Slovakia
TH Thailand
TN Tunisia
TR Türkiye
TW Taiwan
TZ Tanzania
UA Ukraine
UG Uganda
US United States
UY Uruguay
VN Viet Nam
ZA South Africa
ZM Zambia
""".strip().splitlines()
)


def field_words(name: str) -> str:
    """Return the name of a field as a heading.

    >>> field_words("time_to_effect"), field_words("check")
    ('Time to effect', 'What to look at')
    """
    return FIELDS.get(name) or _sentence(name)


def value_words(field: str, value: object) -> str:
    """Return the member of a closed list in words.

    >>> value_words("time_to_effect", "early"), value_words("risk", "low"), value_words("family", "success-factor")
    ('Within a year', 'Low', 'Success factor')
    """
    return WORDS.get(field, {}).get(str(value)) or _sentence(str(value))


def country(code: str | None) -> str:
    """Return the name of a country by its two letters; an unknown code stays as it is.

    >>> country("NO"), country(None), country("XK")
    ('Norway', 'Several countries', 'XK')
    """
    return "Several countries" if code is None else COUNTRIES.get(code, code)


def _sentence(words: str) -> str:
    plain = words.replace("_", " ").replace("-", " ")
    return plain[:1].upper() + plain[1:]
