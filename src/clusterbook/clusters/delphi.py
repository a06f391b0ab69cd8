"""Delphi: experts rate items in rounds, see what the group said without seeing who, and rate again.

An item is a statement or a candidate cluster. After each round the group's answer goes back as a median and quartiles;
a round more is worth its cost as long as answers still move. Agreement is not truth: a group that settles on two camps
has told as much as one that settles on a number.

Names stay here. No table made for the group holds an expert's name, comments lose the names that they mention, and of
fewer than three ratings there are no statistics.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.special import chdtrc
from scipy.stats import rankdata

from clusterbook.clusters.evidence import CONTRADICTS, MIXED, NOT_KNOWN, SUPPORTS
from clusterbook.data.records import Field, read_records, record_faults
from clusterbook.data.tables import Rows, TableLike
from clusterbook.errors import ClusterbookError, Problem

#: Of fewer ratings there are no statistics.
FEWEST = 3
TOO_FEW = f"fewer than {FEWEST} ratings"

#: What is put in the place of an expert's name in a comment.
HIDDEN = "[name]"


def read_ratings(data: TableLike, *, low: float = 1, high: float = 5) -> pl.DataFrame:
    """Read the ratings of a Delphi, one row an expert, round and item.

    Args:
        data: a CSV, Excel or Parquet file or a frame with ``expert``, ``round`` (1, 2 ...), ``item``, ``score`` (empty
            where the expert gave none) and, if wanted, ``comment``.
        low: the lowest score of the scale.
        high: its highest score.

    Returns:
        These columns, sorted by round, item and expert. A missing score is null.

    Raises:
        DataError: every fault: empty fields, scores that are no numbers or off the scale, two ratings of an item by an
            expert in one round, a round left out.
        ClusterbookError: the scale has no width.

    Example:
        >>> rows = pl.DataFrame({"expert": ["Ana", "Bo"], "round": [1, 1], "item": ["steel"] * 2, "score": [4, None]})
        >>> read_ratings(rows)["score"].to_list()
        [4.0, None]
    """
    if not low < high:
        raise ClusterbookError(f"low={low}, high={high}: the scale needs a lowest score below its highest.")
    fields = [
        Field("expert"),
        Field("round", kind="whole", low=1),
        Field("item"),
        Field("score", filled=False, kind="number", low=low, high=high),
        Field("comment", needed=False),
    ]
    found = read_records(data, fields, keys=("expert", "round", "item"), further=_gaps)
    return found.sort("round", "item", "expert")


def _gaps(rows: Rows, values: pl.DataFrame) -> list[Problem]:
    rounds = values["round"].drop_nulls().unique().sort()
    missing = sorted(set(range(1, int(rounds.max() or 0))) - set(rounds.to_list()))  # type: ignore[arg-type]
    bad = values["round"].is_in([k + 1 for k in missing]) & values["round"].is_first_distinct()
    message = f"there are no ratings of round {', '.join(map(str, missing))}"
    return record_faults(rows, "rounds left out", bad, message, "round", "Number the rounds 1, 2, 3 without a gap.")


def feedback(ratings: pl.DataFrame, *, round: int | None = None, within: float = 1.0) -> pl.DataFrame:
    """Return what goes back to the group after a round: statistics of each item, without names.

    Args:
        ratings: as of ``read_ratings``.
        round: the round; default: the last.
        within: the distance from the median that counts as agreement, in points of the scale.

    Returns:
        One row an item: ``item, round``, ``ratings`` (how many), ``missing`` (experts of the round without a score
        for it), ``median``, ``q25``, ``q75``, ``iqr`` (their distance; quartiles by linear interpolation),
        ``share_within`` (of the ratings), ``comments`` (a list in alphabetical order, the names of experts replaced by
        '[name]') and ``reason``. With fewer than three ratings statistics and comments are null and ``reason`` says so.

    Raises:
        ClusterbookError: there is no such round.

    Example:
        >>> rows = pl.DataFrame({"expert": list("XYZ"), "round": 1, "item": "steel", "score": [2, 4, 5]})
        >>> feedback(read_ratings(rows)).select("ratings", "median", "iqr", "share_within").row(0)
        (3, 4.0, 1.5, 0.6666666666666666)

    Source: the form of feedback after Dalkey and Helmer (1963), Management Science 9; least number of raters: our own
    rule.
    """
    wanted = _round(ratings, round)
    own = ratings.filter(pl.col("round") == wanted)
    if "comment" not in own.columns:
        own = own.with_columns(comment=pl.lit(None, pl.String))
    experts = own["expert"].n_unique()
    score = pl.col("score")
    shown = _without_names(pl.col("comment"), ratings["expert"].unique().to_list())
    found = (
        own.with_columns(comment=shown)
        .group_by("item")
        .agg(
            pl.first("round"),
            score.count().alias("ratings"),
            score.median().alias("median"),
            score.quantile(0.25, "linear").alias("q25"),
            score.quantile(0.75, "linear").alias("q75"),
            ((score - score.median()).abs() <= within).mean().alias("share_within"),
            pl.col("comment").drop_nulls().sort().alias("comments"),
        )
        .sort("item")
    )
    enough = pl.col("ratings") >= FEWEST
    return found.select(
        "item",
        "round",
        "ratings",
        (experts - pl.col("ratings").cast(pl.Int64)).alias("missing"),
        *(pl.when(enough).then(name).alias(name) for name in ("median", "q25", "q75")),
        pl.when(enough).then(pl.col("q75") - pl.col("q25")).alias("iqr"),
        *(pl.when(enough).then(name).alias(name) for name in ("share_within", "comments")),
        pl.when(~enough).then(pl.lit(TOO_FEW)).alias("reason"),
    )


def _round(ratings: pl.DataFrame, wanted: int | None) -> int:
    known = ratings["round"].unique().sort().to_list()
    if wanted is None and known:
        return int(known[-1])
    if wanted is None or wanted not in known:
        raise ClusterbookError(f"round={wanted}: the rounds are {', '.join(map(str, known)) or 'none'}.")
    return wanted


def _without_names(comment: pl.Expr, experts: Sequence[str]) -> pl.Expr:
    """Replace whole words that are names; names of one or two letters, which are words too, only in their own case."""
    by_length = sorted(experts, key=len, reverse=True)
    for case, names in (("(?i)", [n for n in by_length if len(n) > 2]), ("", [n for n in by_length if len(n) <= 2])):
        if names:
            comment = comment.str.replace_all(f"{case}(?:{'|'.join(map(_whole_word, names))})", HIDDEN)
    return comment


def _whole_word(name: str) -> str:
    """Return a pattern of a name that no letter touches; an end that is no letter, as in 'B.', bounds itself."""
    before, after = (r"\b" if end.isalnum() else "" for end in (name[0], name[-1]))
    return f"{before}{re.escape(name)}{after}"


class Concordance(NamedTuple):
    """Kendall's W from 0 (no agreement) to 1 (one order of items), its chi-square and p; experts and items it is of."""

    w: float | None
    chi2: float | None
    p: float | None
    experts: int
    items: int


def kendall_w(scores: ArrayLike) -> Concordance:
    """Measure how far raters put items in the same order, ties allowed.

    With R_j the sum of the ranks of item j over m raters and S the sum of their squared deviations,
    W = 12 S / (m^2 (n^3 - n) - m T), T = sum over raters and groups of ties of (t^3 - t). Under no agreement
    m (n - 1) W is chi-square with n - 1 degrees of freedom, well enough from seven items on.

    Args:
        scores: shape (m raters, n items). Raters with a NaN are left out.

    Returns:
        The coefficient; null with fewer than three complete raters or two items, or where everybody ties everything.

    Raises:
        ClusterbookError: scores are not two-dimensional.

    Example:
        >>> round(kendall_w([[1, 2, 3], [1, 3, 2], [1, 2, 3]]).w, 3)
        0.778

    Source: Kendall and Babington Smith (1939), Annals of Mathematical Statistics 10; ties after Kendall (1970), Rank
    correlation methods.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2:
        raise ClusterbookError(f"scores have shape {values.shape}. Give raters x items.")
    complete = values[~np.isnan(values).any(axis=1)]
    m, n = complete.shape
    if m < FEWEST or n < 2:
        return Concordance(None, None, None, m, n)
    ranks = rankdata(complete, axis=1)
    sums = ranks.sum(axis=0)
    spread = ((sums - sums.mean()) ** 2).sum()
    ties = sum(float((count**3 - count).sum()) for row in ranks for count in [np.unique(row, return_counts=True)[1]])
    most = m**2 * (n**3 - n) - m * ties
    if most <= 0:
        return Concordance(None, None, None, m, n)
    w = float(12 * spread / most)
    chi2 = m * (n - 1) * w
    return Concordance(w, chi2, float(chdtrc(n - 1, chi2)), m, n)


def concordance(ratings: pl.DataFrame) -> pl.DataFrame:
    """Return Kendall's W of each round, over the experts who rated every item of it.

    Args:
        ratings: as of ``read_ratings``.

    Returns:
        ``round``, ``w``, ``chi2``, ``p``, ``experts`` (complete ones), ``incomplete`` (left out), ``items``.

    Example:
        >>> rows = [(expert, 1, item, score) for expert in "ABC" for item, score in (("x", 1), ("y", 2), ("z", 3))]
        >>> ratings = pl.DataFrame(rows, ["expert", "round", "item", "score"], orient="row")
        >>> concordance(ratings).select("round", "w").row(0)
        (1, 1.0)
    """
    rows = []
    for (number,), own in ratings.group_by("round", maintain_order=True):
        wide = own.pivot(on="item", index="expert", values="score").drop("expert")
        found = kendall_w(wide.cast(pl.Float64).fill_null(float("nan")).to_numpy())
        rows.append({"round": number} | found._asdict() | {"incomplete": wide.height - found.experts})
    schema = {"round": pl.Int64, "w": pl.Float64, "chi2": pl.Float64, "p": pl.Float64}
    schema |= dict.fromkeys(("experts", "incomplete", "items"), pl.Int64)
    return pl.DataFrame(rows, schema=schema).sort("round")


def convergence(
    ratings: pl.DataFrame, *, iqr: float = 1.0, share: float = 0.75, changed: float = 0.15, within: float = 1.0
) -> pl.DataFrame:
    """Say of each item and round whether the group has come together, and whether it still moves.

    Args:
        ratings: as of ``read_ratings``.
        iqr: consensus needs an interquartile range of at most this many points ...
        share: ... and at least this share of ratings near the median.
        changed: answers are stable when at most this share of the experts of both rounds changed their score.
        within: what is near the median, in points.

    Returns:
        One row an item and round, from the second on: ``item, round, median, median_change, iqr, iqr_change``,
        ``both`` (experts with a score in this round and the one before), ``dropped`` (with a score before, none now),
        ``joined`` (the other way round), ``changed_share`` (of ``both``), ``consensus``, ``stable`` and ``state``:
        'consensus' and 'stable disagreement' are settled; 'moving' wants another round; 'not known' has too few
        ratings. Shares and changes are null with fewer than three ratings.

    Example:
        >>> rows = [(e, r, "steel", s) for r, scores in ((1, (1, 4, 5)), (2, (4, 4, 5))) for e, s in zip("XYZ", scores)]
        >>> found = convergence(pl.DataFrame(rows, ["expert", "round", "item", "score"], orient="row"))
        >>> found.select("iqr_change", "both", pl.col("changed_share").round(2), "state").row(0)
        (-1.5, 3, 0.33, 'moving')

    Source: the share of experts that changed, and 15% as its limit, after Scheibe, Skutsch and Schofer (1975) in The
    Delphi Method (they compare distributions; here single answers). The other limits are customary, and ours.
    """
    each = pl.concat(
        [pl.DataFrame(schema=_FEEDBACK)]
        + [
            feedback(ratings, round=k, within=within).select(_FEEDBACK.keys()).cast(_FEEDBACK)
            for k in ratings["round"].unique().sort()
        ]
    )  # fmt: skip
    before = each.select(
        "item", (pl.col("round") + 1).alias("round"), median_before="median", iqr_before="iqr", ratings_before="ratings"
    )
    scored = ratings.drop_nulls("score").select("expert", "item", "round", "score")
    moved = scored.with_columns(pl.col("round") + 1).join(
        scored, on=["expert", "item", "round"], how="full", suffix="_now", coalesce=True
    )
    old, new = pl.col("score").is_not_null(), pl.col("score_now").is_not_null()
    moves = moved.group_by("item", "round").agg(
        (old & new).sum().alias("both"),
        (old & ~new).sum().alias("dropped"),
        (~old & new).sum().alias("joined"),
        (pl.col("score") != pl.col("score_now")).filter(old & new).mean().alias("changed_share"),
    )
    enough = pl.col("both") >= FEWEST
    found = each.join(before, on=["item", "round"]).join(moves, on=["item", "round"], how="left")
    found = found.with_columns(
        pl.col("both", "dropped", "joined").fill_null(0),
        median_change=pl.col("median") - pl.col("median_before"),
        iqr_change=pl.col("iqr") - pl.col("iqr_before"),
        changed_share=pl.when(enough).then("changed_share"),
        consensus=(pl.col("iqr") <= iqr) & (pl.col("share_within") >= share),
    ).with_columns(stable=pl.col("changed_share") <= changed)
    unknown = pl.col("consensus").is_null() | pl.col("stable").is_null()
    state = (
        pl.when(unknown)
        .then(pl.lit("not known"))
        .when(~pl.col("stable"))
        .then(pl.lit("moving"))
        .when(pl.col("consensus"))
        .then(pl.lit("consensus"))
        .otherwise(pl.lit("stable disagreement"))
    )
    return found.select(
        "item", "round", "median", "median_change", "iqr", "iqr_change", "both", "dropped", "joined", "changed_share",
        "consensus", "stable", state=state,
    ).sort("round", "item")  # fmt: skip


_FEEDBACK = pl.Schema(
    {
        "item": pl.String,
        "round": pl.Int64,
        "ratings": pl.Int64,
        "median": pl.Float64,
        "iqr": pl.Float64,
        "share_within": pl.Float64,
    }
)


class Stop(NamedTuple):
    """Whether to stop, why, and the items that still move or are not known."""

    stop: bool
    reason: str
    open_items: tuple[str, ...]


def stop_rule(
    converged: pl.DataFrame, *, settled: float = 1.0, most_rounds: int = 4, most_dropped: float = 0.3
) -> Stop:
    """Say whether the Delphi should stop.

    Args:
        converged: as of ``convergence``.
        settled: stop when at least this share of the items is settled (in consensus or stable disagreement).
        most_rounds: stop after this many rounds in any case.
        most_dropped: stop when more than this share of the ratings of the round before was not given again: who is
            left no longer speaks for the group.

    Returns:
        The verdict with its reason.

    Example:
        >>> rows = [(e, r, "steel", 4) for r in (1, 2) for e in "XYZ"]
        >>> stop_rule(convergence(pl.DataFrame(rows, ["expert", "round", "item", "score"], orient="row")))
        Stop(stop=True, reason='1 of 1 items are settled after round 2.', open_items=())

    Source: our own rule.
    """
    if converged.is_empty():
        return Stop(False, "There has been one round only; convergence needs two.", ())
    number = int(converged["round"].max())  # type: ignore[arg-type]
    last = converged.filter(pl.col("round") == number)
    still = last.filter(~pl.col("state").is_in(["consensus", "stable disagreement"]))["item"].sort()
    done, whole = last.height - len(still), last.height
    before, dropped = int(last.select(pl.sum("both") + pl.sum("dropped")).item()), int(last["dropped"].sum())
    said = f"{done} of {whole} items are settled after round {number}"
    if done >= settled * whole:
        return Stop(True, f"{said}.", tuple(still))
    if before and dropped > most_dropped * before:
        return Stop(True, f"{said}, but {dropped} of {before} ratings were not given again.", tuple(still))
    if number >= most_rounds:
        return Stop(True, f"{said}, the last round that was planned.", tuple(still))
    return Stop(False, f"{said}.", tuple(still))


def expert_findings(
    ratings: pl.DataFrame, items: pl.DataFrame, *, low: float = 1, high: float = 5, source: str = "Delphi"
) -> pl.DataFrame:
    """Turn the last round into findings of the method 'expert' for the evidence table.

    Args:
        ratings: as of ``read_ratings``; a high score says that the cluster is there.
        items: ``item``, ``region`` and ``cluster``: which candidate an item is about.
        low: the lowest score of the scale.
        high: its highest score.
        source: what to cite.

    Returns:
        As of ``evidence.read_findings``. A median in the upper quarter of the scale supports, one in the lower quarter
        contradicts, others are mixed, and with fewer than three ratings it is not known. Reliability: medium where at
        least three quarters of the ratings are within a point of the median and five experts rated, low otherwise;
        never high, as experts can agree on an error.

    Example:
        >>> rows = pl.DataFrame({"expert": list("XYZ"), "round": 1, "item": "s", "score": [4, 5, 5]})
        >>> items = pl.DataFrame({"item": ["s"], "region": ["A"], "cluster": ["steel"]})
        >>> expert_findings(read_ratings(rows), items).select("finding", "reliability", "text").row(0)
        ('supports', 'low', 'Median 5.0 on a scale from 1 to 5; 3 ratings in round 1, 100% within a point of it.')

    Source: our own rule.
    """
    found = feedback(ratings).join(items.select("item", "region", "cluster"), on="item")
    quarter = (high - low) / 4
    finding = (
        pl.when(pl.col("median").is_null())
        .then(pl.lit(NOT_KNOWN))
        .when(pl.col("median") >= high - quarter)
        .then(pl.lit(SUPPORTS))
        .when(pl.col("median") <= low + quarter)
        .then(pl.lit(CONTRADICTS))
        .otherwise(pl.lit(MIXED))
    )
    firm = (pl.col("share_within") >= 0.75) & (pl.col("ratings") >= 5)
    rated = pl.when(pl.col("median").is_not_null()).then(pl.when(firm).then(pl.lit("medium")).otherwise(pl.lit("low")))
    text = pl.format(
        f"Median {{}} on a scale from {low:g} to {high:g}; {{}} ratings in round {{}}, {{}}% within a point of it.",
        "median",
        "ratings",
        "round",
        (100 * pl.col("share_within")).round(0).cast(pl.Int64),
    ).fill_null(f"No statistics: {TOO_FEW}.")
    return found.select(
        "region",
        "cluster",
        method=pl.lit("expert"),
        finding=finding,
        reliability=rated,
        text=text,
        source=pl.lit(source),
    )
