"""Evidence: what each method of identification says about a candidate cluster, how far it can be relied on, what is
still unlooked at.

No method sees a whole cluster. Quotients see sectors, input-output tables miss what is not traded, experts see what
they know. So each candidate gets one row a method, and 'not looked at' is as good an answer as any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from clusterbook.clusters.definitions import TRADED
from clusterbook.clusters.tables import PAIR
from clusterbook.data.records import Field, read_records
from clusterbook.data.tables import TableLike, names
from clusterbook.errors import ClusterbookError
from clusterbook.measures.specialisation import quotient

#: What a method can find. 'not known': looked at, but the figures do not tell (suppressed, say).
SUPPORTS, CONTRADICTS, MIXED = "supports", "contradicts", "mixed"
NOT_KNOWN, NOT_LOOKED = "not known", "not looked at"
FINDINGS = (SUPPORTS, CONTRADICTS, MIXED, NOT_KNOWN)
RELIABILITY = ("high", "medium", "low")

#: Below this false-discovery rate establishments are taken to fall otherwise than by chance.
CHANCE = 0.05

_TABLE_4 = "Meyer-Stamer and Harmes-Liedtke, How to promote clusters, table 4 (after Bergman and Feser 1999)"
_BOX_4 = "Andersson et al. (2004), Cluster Policies Whitebook, box 4"


@dataclass(frozen=True)
class Method:
    """A way of looking for clusters: what it sees, what it cannot see, and who says so."""

    id: str
    title: str
    sees: str
    cannot_see: str
    source: str


METHODS = (
    Method(
        "statistics",
        "Specialisation in statistics",
        "Where a sector is larger than elsewhere; cheap, for all regions at once, and comparable.",
        "Whether firms have to do with each other; activities that cut across classifications; very small clusters.",
        f"{_TABLE_4}; {_BOX_4}",
    ),
    Method(
        "plants",
        "Establishments and their places",
        "Whether establishments crowd more than chance would have it, down to addresses where these are known.",
        "What the establishments do within their industry code, and whether they work together.",
        _BOX_4,
    ),
    Method(
        "input_output",
        "Input-output trade",
        "Which industries buy from each other, in full and in detail.",
        "Where they do so: tables are national, often years old. Supporting institutions; ties that are not traded.",
        f"{_TABLE_4}; {_BOX_4}",
    ),
    Method(
        "innovation",
        "Flows of innovation",
        "Which industries use each other's innovations: a close measure of interdependence.",
        "Most countries and years: such data are rarely collected.",
        _TABLE_4,
    ),
    Method(
        "network",
        "Graphs and networks",
        "How industries or actors hang together, in a form that can be looked at and talked about.",
        "What the ties are worth; ties that nobody recorded.",
        _TABLE_4,
    ),
    Method(
        "survey",
        "Survey of firms",
        "What one wants to know, as it is now: partners, competences, ties outside.",
        "Those who do not answer. Costs much and is easily done badly.",
        f"{_TABLE_4}; {_BOX_4}",
    ),
    Method(
        "expert",
        "Judgement of experts",
        "Context, competences and changes that have not reached the figures; quick and not dear.",
        "What holds elsewhere: judgements do not carry over, and are hard to collect in a systematic way.",
        f"{_TABLE_4}; {_BOX_4}",
    ),
    Method(
        "nomination",
        "Nomination",
        "Clusters too small or too new for figures, from those who know them.",
        "Whether others would agree: a nomination is a claim until something confirms it.",
        "Meyer-Stamer and Harmes-Liedtke, How to promote clusters, section 3.2.4",
    ),
)

_SCHEMA = {
    "region": pl.String,
    "cluster": pl.String,
    "method": pl.String,
    "finding": pl.String,
    "reliability": pl.String,
    "text": pl.String,
    "source": pl.String,
    "origin": pl.String,
    "scope": pl.String,
}

#: Whether a finding is about the cluster in this region, or about its industries in the nation as a whole.
HERE, EVERYWHERE = "here", "everywhere"


_FINDING_FIELDS = (
    Field("region"),
    Field("cluster"),
    Field("method", words=tuple(method.id for method in METHODS)),
    Field("finding", words=FINDINGS),
    Field("reliability", needed=False, words=RELIABILITY),
    Field("text"),
    Field("source"),
)


def read_findings(data: TableLike) -> pl.DataFrame:
    """Read findings that people recorded, one row a candidate, method and source.

    Args:
        data: a CSV, Excel or Parquet file or a frame with ``region``, ``cluster``, ``method`` (an id of ``METHODS``),
            ``finding`` ('supports', 'contradicts', 'mixed' or 'not known'), ``text`` (what was found), ``source`` (who
            or what says so) and, if wanted, ``reliability`` ('high', 'medium', 'low').

    Returns:
        These columns, as ``evidence_table`` takes them.

    Raises:
        DataError: every fault, with its line and what to do.

    Example:
        >>> found = read_findings(pl.DataFrame({"region": ["A"], "cluster": ["steel"], "method": ["survey"],
        ...     "finding": ["Supports"], "text": ["31 of 40 firms buy from each other"], "source": ["Survey 2024"]}))
        >>> found.select("method", "finding", "reliability").row(0)
        ('survey', 'supports', None)
    """
    return read_records(data, _FINDING_FIELDS, keys=("region", "cluster", "method", "source"))


# --- the table ------------------------------------------------------------------------------------------------------


def evidence_table(
    tables: Mapping[str, pl.DataFrame],
    *,
    candidates: pl.DataFrame | None = None,
    findings: pl.DataFrame | None = None,
    nominations: pl.DataFrame | None = None,
    flag: str = "strong",
    size: str = "employment",
    year: int | None = None,
) -> pl.DataFrame:
    """Set out what each method says about each candidate cluster.

    Args:
        tables: tables of an edition. ``clusters`` is needed and gives the statistics and, with ``lq_q``, the
            establishments; ``definitions`` with ``within`` and ``between`` gives the network of industries;
            ``input_output`` with ``cluster``, ``within_share`` and ``expected_share`` (what of their inputs the
            cluster's industries buy from each other, and would by chance) gives trade. Others are not looked at.
        candidates: ``region`` and ``cluster`` of the pairs wanted. Default: those flagged, those with recorded findings
            and those nominated.
        findings: as of ``read_findings``, or ``delphi.expert_findings``.
        nominations: as of ``nominations.read_nominations``.
        flag: the column of ``clusters`` that identifies; its ``<flag>_certainty`` decides the reliability, where it is
            there (see ``certainty.add_certainty``).
        size: the column of the main measure.
        year: of the statistics; default: the last.

    Returns:
        One row a candidate, method and finding: ``region, cluster, method, finding`` ('supports', 'contradicts',
        'mixed', 'not known' or 'not looked at'), ``reliability`` (null where nothing was looked at, or nobody said),
        ``text`` (with the figures), ``source``, ``origin`` ('edition', 'recorded', 'nominated') and ``scope`` ('here',
        or 'everywhere' for what is known of the cluster's industries in the nation only); the last three are null where
        nothing was looked at. Each method has at least one row for each candidate.

    Raises:
        ClusterbookError: a table or column is missing.

    Example:
        >>> clusters = pl.DataFrame({"region": ["A"], "cluster": ["steel"], "year": [2019], "employment": [900],
        ...                          "lq": [3.0], "rank": [1], "strong": [True], "status": ["disclosed"]})
        >>> found = evidence_table({"clusters": clusters})
        >>> found.select("method", "finding", "reliability").rows()[:2]
        [('statistics', 'supports', 'medium'), ('plants', 'not looked at', None)]
        >>> found["text"][0]
        'Flag strong: yes. Quotient 3; size 900.'

    Source: the methods: Meyer-Stamer and Harmes-Liedtke, table 4, and the Cluster Policies Whitebook, box 4. How
    figures become findings: our own rules, in docs/identification.md.
    """
    if "clusters" not in tables:
        raise ClusterbookError(f"Evidence needs the table 'clusters'. There are: {', '.join(tables) or 'none'}.")
    clusters = _with_plant_quotient(_of_year(tables["clusters"], flag, size, year))
    recorded = _recorded(findings, nominations)
    if candidates is None:
        candidates = pl.concat([clusters.filter(flag).select(PAIR), recorded.select(PAIR)])
    candidates = candidates.select(pl.col(PAIR).cast(pl.String)).unique().sort(PAIR)
    own = candidates.join(clusters, on=PAIR, how="left")
    parts = [_statistics(own, flag, size), recorded.join(candidates, on=PAIR, how="semi")]
    if "lq_q" in clusters.columns:
        parts.append(_plants(own))
    for name, judge in (("definitions", _network), ("input_output", _trade)):
        if name in tables:
            parts.append(judge(candidates, tables[name]))
    said = pl.concat(parts)
    order = pl.DataFrame({"method": [method.id for method in METHODS]}).with_row_index("_order")
    unsaid = candidates.join(order.select("method"), how="cross").join(said, on=[*PAIR, "method"], how="anti")
    blank = unsaid.with_columns(finding=pl.lit(NOT_LOOKED), text=pl.lit("Nobody has looked yet."))
    found = pl.concat([said, blank], how="diagonal").join(order, on="method").sort(*PAIR, "_order", "source")
    return found.select(_SCHEMA.keys())


def agreement(evidence: pl.DataFrame) -> pl.DataFrame:
    """Say for each candidate whether the methods agree.

    Args:
        evidence: as of ``evidence_table``.

    Returns:
        One row a candidate: ``region, cluster``, the methods that ``support``, ``contradict``, are ``mixed``, do not
        know (``unknown``), were ``not_looked`` at, and say something of the industries in the nation only
        (``general``; it decides nothing here), ``verdict`` and ``text``. A method whose own findings differ is mixed.
        Verdicts: 'agree for', 'agree against' (two methods or more, none of the other side), 'disagree', 'one method
        for', 'one method against', 'undecided' (mixed only) and 'nothing known'.

    Example:
        >>> rows = [("A", "steel", "statistics", "supports", "here"), ("A", "steel", "expert", "contradicts", "here")]
        >>> evidence = pl.DataFrame(rows, schema=["region", "cluster", "method", "finding", "scope"], orient="row")
        >>> agreement(evidence).select("verdict", "text").row(0)
        ('disagree', 'For: statistics. Against: expert.')
    """
    states = (SUPPORTS, CONTRADICTS, MIXED, NOT_KNOWN, NOT_LOOKED, EVERYWHERE)
    columns = ("support", "contradict", "mixed", "unknown", "not_looked", "general")
    finding = pl.when((pl.col("scope") == EVERYWHERE).fill_null(False)).then(pl.lit(EVERYWHERE)).otherwise("finding")
    evidence = evidence.with_columns(finding=finding)
    finding = pl.col("finding")
    yes, no, unsure = (finding.eq(state).any() for state in (SUPPORTS, CONTRADICTS, MIXED))
    of_method = (
        pl.when((yes & no) | unsure)
        .then(pl.lit(MIXED))
        .when(yes)
        .then(pl.lit(SUPPORTS))
        .when(no)
        .then(pl.lit(CONTRADICTS))
        .otherwise(finding.sort_by(finding == EVERYWHERE).first())
    )
    methods = evidence.group_by(*PAIR, "method", maintain_order=True).agg(of_method.alias("finding"))
    lists = [pl.col("method").filter(finding == state).alias(name) for state, name in zip(states, columns, strict=True)]
    found = methods.group_by(PAIR, maintain_order=True).agg(lists)
    n_for, n_against, n_mixed = (pl.col(name).list.len() for name in columns[:3])
    verdict = (
        pl.when((n_for > 0) & (n_against > 0))
        .then(pl.lit("disagree"))
        .when(n_for > 1)
        .then(pl.lit("agree for"))
        .when(n_against > 1)
        .then(pl.lit("agree against"))
        .when(n_for == 1)
        .then(pl.lit("one method for"))
        .when(n_against == 1)
        .then(pl.lit("one method against"))
        .when(n_mixed > 0)
        .then(pl.lit("undecided"))
        .otherwise(pl.lit("nothing known"))
    )
    titles = ("For", "Against", "Mixed", "Not known", "Not looked at", "Of its industries in general")
    said = [
        pl.when(pl.col(name).list.len() > 0).then(pl.format(f"{title}: {{}}.", pl.col(name).list.join(", ")))
        for title, name in zip(titles, columns, strict=True)
    ]
    return found.with_columns(verdict=verdict, text=pl.concat_str(said, separator=" ", ignore_nulls=True))


def _of_year(clusters: pl.DataFrame, flag: str, size: str, year: int | None) -> pl.DataFrame:
    missing = [name for name in (*PAIR, "year", "lq", flag, size) if name not in clusters.columns]
    if missing:
        raise ClusterbookError(
            f"The table of clusters lacks {names(missing)}. flag= and size= name the columns of the flag and the size."
        )
    wanted = clusters["year"].max() if year is None else year
    return clusters.filter(pl.col("year") == wanted).with_columns(pl.col(PAIR).cast(pl.String))


def _rows(
    frame: pl.DataFrame,
    method: str,
    finding: pl.Expr,
    reliability: pl.Expr,
    text: pl.Expr,
    source: str,
    *,
    origin: str = "edition",
    scope: str = HERE,
) -> pl.DataFrame:
    return frame.select(
        *PAIR,
        method=pl.lit(method),
        finding=finding.cast(pl.String),
        reliability=reliability.cast(pl.String),
        text=text,
        source=pl.lit(source),
        origin=pl.lit(origin),
        scope=pl.lit(scope),
    )


def figure(column: str) -> pl.Expr:
    """Return a number as text: whole from 10 on, otherwise with two significant digits; 'not known' for a gap."""
    value = pl.col(column).cast(pl.Float64).fill_nan(None)
    shown = pl.when(value.abs() >= 10).then(value.round(0)).otherwise(value.round_sig_figs(2))
    whole = pl.when(shown == shown.round(0)).then(shown.cast(pl.Int64, strict=False).cast(pl.String))
    return whole.otherwise(shown.cast(pl.String)).fill_null("not known")


def _statistics(own: pl.DataFrame, flag: str, size: str) -> pl.DataFrame:
    held, above = pl.col(flag), pl.col("lq") >= 1
    finding = (
        pl.when(held)
        .then(pl.lit(SUPPORTS))
        .when(held.is_null() & pl.col(size).is_null())
        .then(pl.lit(NOT_KNOWN))
        .when(above)
        .then(pl.lit(MIXED))
        .when(pl.col("lq").is_null())
        .then(pl.lit(NOT_KNOWN))
        .otherwise(pl.lit(CONTRADICTS))
    )
    sure = f"{flag}_certainty"
    if sure in own.columns:
        chance = pl.max_horizontal(pl.col(sure), 1 - pl.col(sure))
        reliability = pl.when(chance >= 0.95).then(pl.lit("high")).when(chance >= 0.75).then(pl.lit("medium"))
        rated = reliability.when(chance.is_not_null()).then(pl.lit("low")).otherwise(pl.lit("medium"))
    else:
        rated = pl.lit("medium")
    if "status" in own.columns:
        estimated = pl.col("status").cast(pl.String).is_in(["imputed", "suppressed"])
        rated = pl.when(estimated).then(pl.lit("low")).otherwise(rated)
    rated = pl.when(finding != NOT_KNOWN).then(rated)
    answer = pl.when(held).then(pl.lit("yes")).when(held.is_null()).then(pl.lit("not known")).otherwise(pl.lit("no"))
    text = pl.format(f"Flag {flag}: {{}}. Quotient {{}}; size {{}}.", answer, figure("lq"), figure(size))
    if sure in own.columns:
        known = pl.format(" Certainty {}.", pl.col(sure).round(2).cast(pl.String))
        text = pl.concat_str(text, known.fill_null(" Certainty not known."))
    absent = pl.col("year").is_null()
    text = pl.when(absent).then(pl.lit("The statistics have no row for it.")).otherwise(text)
    return _rows(own, "statistics", finding, rated, text, "edition, table clusters")


def _with_plant_quotient(clusters: pl.DataFrame) -> pl.DataFrame:
    """Add the quotient of establishments, which says in which direction they differ from chance."""
    if "establishments" not in clusters.columns:
        return clusters.with_columns(_plant_lq=pl.col("lq"))
    plants = pl.col("establishments")
    kind = pl.col("kind").fill_null(TRADED) if "kind" in clusters.columns else pl.lit(TRADED)
    table = clusters.with_columns(_kind=kind)
    region, cluster, total = (plants.sum().over(keys) for keys in (["region", "_kind"], ["cluster"], ["_kind"]))
    defined = (region > 0) & (cluster > 0)
    return table.with_columns(_plant_lq=pl.when(defined).then(quotient(plants, region, cluster, total))).drop("_kind")


def _plants(own: pl.DataFrame) -> pl.DataFrame:
    """Read the test that establishments fall as all others do; it knows regions, no addresses."""
    chance = pl.col("lq_q")
    finding = (
        pl.when(chance.is_null())
        .then(pl.lit(NOT_KNOWN))
        .when(chance >= CHANCE)
        .then(pl.lit(MIXED))
        .when(pl.col("_plant_lq") >= 1)
        .then(pl.lit(SUPPORTS))
        .otherwise(pl.lit(CONTRADICTS))
    )
    counted = figure("establishments") if "establishments" in own.columns else pl.lit("not known")
    more = pl.when(pl.col("_plant_lq") >= 1).then(pl.lit("more")).otherwise(pl.lit("fewer"))
    verdict = pl.when(chance < CHANCE).then(pl.concat_str(more, pl.lit(" than"))).otherwise(pl.lit("as many as"))
    said = pl.format(
        "Establishments: {}, {} chance would give (adjusted p {}).", counted, verdict, chance.round(3).cast(pl.String)
    )
    text = said.fill_null("Establishments of this cluster here are not known.")
    rated = pl.when(chance.is_not_null()).then(pl.lit("medium"))
    return _rows(own, "plants", finding, rated, text, "edition, table clusters")


def _network(candidates: pl.DataFrame, definitions: pl.DataFrame) -> pl.DataFrame:
    if not {"within", "between"} <= set(definitions.columns):
        return pl.DataFrame(schema=_SCHEMA)
    own = candidates.join(definitions.select("cluster", "within", "between"), on="cluster").filter(
        pl.col("within").fill_nan(None).is_not_null() & pl.col("between").fill_nan(None).is_not_null()
    )
    related = pl.when(pl.col("within") > pl.col("between")).then(pl.lit(SUPPORTS)).otherwise(pl.lit(CONTRADICTS))
    text = pl.format(
        "Its industries are related by {} among each other and {} to those of other clusters, in all regions together.",
        pl.col("within").round(2),
        pl.col("between").round(2),
    )
    return _rows(own, "network", related, pl.lit("low"), text, "edition, table definitions", scope=EVERYWHERE)


def _trade(candidates: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    missing = [name for name in ("cluster", "within_share", "expected_share") if name not in links.columns]
    if missing:
        raise ClusterbookError(f"The table 'input_output' lacks {names(missing)}.")
    own = candidates.join(links, on="cluster").drop_nulls(["within_share", "expected_share"])
    trades = pl.col("within_share") > pl.col("expected_share")
    finding = pl.when(trades).then(pl.lit(SUPPORTS)).otherwise(pl.lit(CONTRADICTS))
    text = pl.format(
        "Its industries buy {}% of their inputs from each other, against {}% by chance, in the nation.",
        (100 * pl.col("within_share")).round(1),
        (100 * pl.col("expected_share")).round(1),
    )
    return _rows(own, "input_output", finding, pl.lit("low"), text, "edition, table input_output", scope=EVERYWHERE)


def _recorded(findings: pl.DataFrame | None, nominations: pl.DataFrame | None) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=_SCHEMA)]
    if findings is not None:
        given = findings.select(name for name in _SCHEMA if name not in ("origin", "scope"))
        parts.append(given.with_columns(origin=pl.lit("recorded"), scope=pl.lit(HERE)))
    if nominations is not None:
        # Named actors and a way to confirm make a nomination more than a claim; only other methods confirm it.
        backed = (pl.col("actors").list.len() >= 3) & pl.col("confirm").is_not_null()
        rated = pl.when(backed).then(pl.lit("medium")).otherwise(pl.lit("low"))
        members = pl.format(" Members: {}.", "members").fill_null(" Members: not known.")
        ask = pl.format(" Would be confirmed by: {}.", pl.col("confirm").str.strip_chars_end(". ")).fill_null("")
        activity = pl.col("activity").str.strip_chars_end(". ")
        text = pl.concat_str(pl.format("{}: {}.", activity, pl.col("reason").str.strip_chars_end(". ")), members, ask)
        rows = _rows(nominations, "nomination", pl.lit(SUPPORTS), rated, text, "", origin="nominated")
        parts.append(rows.with_columns(source=nominations["nominator"]))
    return pl.concat([part.cast(pl.String) for part in parts])
