"""Warnings: what should make a reader pause before a candidate cluster is taken for one.

Each warning says what was found, with the figures, and who first said that it matters. None says that the cluster is
not there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl
import yaml

from clusterbook.clusters.definitions import TRADED
from clusterbook.clusters.delimitation import Delimitation
from clusterbook.clusters.evidence import figure
from clusterbook.clusters.tables import PAIR
from clusterbook.data.records import Field, read_records
from clusterbook.data.tables import TableLike
from clusterbook.errors import ClusterbookError

#: From the gravest down.
SEVERITIES = ("serious", "caution", "note")

_EFW = "Enright and Ffowcs-Williams (2000), Local partnership, clusters and SME globalisation, OECD"
_OWN = "Clusterbook, our own rule"

SOURCES = {
    "look_alike": f"{_EFW}, paragraphs 59-60",
    "diffuse_name": f"{_EFW}, paragraph 58",
    "diffuse": f"{_EFW}, paragraphs 58 and 60; limits: {_OWN}",
    "political_boundary": f"{_EFW}, paragraph 91; limits: {_OWN}",
    "suppressed": _OWN,
    "estimated": _OWN,
    "dominant_industry": "OECD, Cluster policies, 'Risk factors'; limit: our own rule",
    "dominant_firm": "OECD, Cluster policies, 'Risk factors'; limit: our own rule",
    "small_cell": _OWN,
}

#: Limits, our own: the share of other places that makes a choice common, and very common.
COMMON, VERY_COMMON = 0.25, 0.5
#: Signs of a cluster too diffuse to be one: its share of the nation, and industries as good as equal in size.
LARGE_SHARE, MANY_INDUSTRIES = 0.05, 8.0
#: A cell smaller than this is read with care.
FEW_JOBS, FEW_PLANTS = 10, 3
#: The share of a cluster in a region that one of several industries, or one firm, dominates with.
ONE_INDUSTRY, ONE_FIRM = 0.8, 0.5

_SCHEMA = dict.fromkeys(("region", "cluster", "id", "severity", "text", "source"), pl.String)


# --- look-alike choices ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PriorityLists:
    """What places declared as their priorities.

    ``lists`` has one row a ``place`` and ``priority`` (an id); ``titles`` gives the name of each id and ``words`` the
    id of each word for it, in lower case. ``partial``: of each place only these priorities are known, not its others.
    """

    lists: pl.DataFrame
    titles: Mapping[str, str]
    words: Mapping[str, str]
    source: str
    note: str = ""
    partial: bool = False

    def id_of(self, priority: str) -> str | None:
        """Return the id of a priority given by id, title or another word for it; None where it is in no list."""
        return self.words.get(_plain(priority))


def bundled_priority_lists() -> PriorityLists:
    """Return the lists of the 1990s that Enright and Ffowcs-Williams quote: six priorities, 31 places.

    Example:
        >>> lists = bundled_priority_lists()
        >>> lists.lists.filter(pl.col("priority") == lists.id_of("Biotech")).height, lists.lists["place"].n_unique()
        (14, 31)
    """
    data = _bundled()
    rows = [(place, priority) for place, chosen in data["lists"].items() for priority in chosen]
    titles = {key: entry["title"] for key, entry in data["priorities"].items()}
    words = {
        _plain(word): key for key, entry in data["priorities"].items() for word in (key, entry["title"], *entry["also"])
    }
    lists = pl.DataFrame(rows, schema={"place": pl.String, "priority": pl.String}, orient="row")
    return PriorityLists(lists, titles, words, data["source"].strip(), data["note"].strip(), data["partial"])


def read_priority_lists(data: TableLike, *, source: str) -> PriorityLists:
    """Read full priority lists of places, one row a place and priority.

    Args:
        data: a CSV, Excel or Parquet file or a frame with ``place`` and ``priority``. Priorities are the same where
            they are spelt alike but for case, spaces and punctuation.
        source: where the lists come from.

    Raises:
        DataError: every fault: empty fields, a priority twice in a place's list.

    Example:
        >>> rows = pl.DataFrame({"place": ["A", "B"], "priority": ["Steel", "steel"]})
        >>> read_priority_lists(rows, source="Plans of 2024").titles
        {'steel': 'Steel'}
    """
    rows = read_records(data, [Field("place"), Field("priority")], keys=("place", "priority"))
    titles: dict[str, str] = {}
    for priority in rows["priority"]:
        titles.setdefault(_plain(priority), priority)
    ids = pl.Series("priority", [_plain(priority) for priority in rows["priority"]])
    lists = rows.with_columns(ids).unique(maintain_order=True)
    return PriorityLists(lists, titles, {key: key for key in titles}, source)


@dataclass(frozen=True)
class Distinctiveness:
    """How far a priority list is a choice of its own.

    ``index`` is 1 where nobody else chose any of it and 0 where everybody chose all of it; null where none of it can be
    compared. ``priorities``, one row a priority: ``priority``, ``id``, ``named_by`` (how many other places), ``places``
    (how many others there are), ``share`` (null where partial lists do not cover it). ``nearest``, one row another
    place, the most alike first: ``place``, ``common`` (priorities in common), ``similarity`` (Jaccard).
    """

    index: float | None
    priorities: pl.DataFrame
    nearest: pl.DataFrame


def distinctiveness(
    priorities: Sequence[str], lists: PriorityLists | None = None, *, place: str | None = None
) -> Distinctiveness:
    """Compare a priority list with those of other places.

    The index is 1 less the mean, over the priorities, of the share of other places that chose the same. A priority that
    full lists do not hold was chosen by nobody else; one that partial lists do not cover is left out.

    Args:
        priorities: the list, in words or ids.
        lists: those of other places; default: the bundled ones, which are partial and from the 1990s.
        place: the place itself, left out of the others.

    Returns:
        The index with the priorities and the places most alike.

    Raises:
        ClusterbookError: there are no priorities or no other places.

    Example:
        >>> found = distinctiveness(["Biotech", "Electronics", "Frogs"])
        >>> round(found.index, 2), found.priorities.select("id", "named_by").rows()
        (0.53, [('biotechnology', 14), ('electronics', 15), (None, None)])

    Source: the question, Enright and Ffowcs-Williams (2000), paragraphs 59-60; the index: our own.
    """
    known = lists or bundled_priority_lists()
    others = known.lists.filter(pl.col("place") != place) if place is not None else known.lists
    if not priorities or others.is_empty():
        raise ClusterbookError("distinctiveness needs at least one priority and one other place. Give both.")
    count = others["place"].n_unique()
    named = dict(others.group_by("priority").len().iter_rows())
    rows = []
    for priority in dict.fromkeys(priorities):
        key = known.id_of(priority)
        by = named.get(key, 0) if key is not None or not known.partial else None
        rows.append((priority, key, by, count, None if by is None else by / count))
    table = pl.DataFrame(
        rows,
        schema={"priority": pl.String, "id": pl.String, "named_by": pl.Int64, "places": pl.Int64, "share": pl.Float64},
        orient="row",
    )
    compared = table.drop_nulls("share").unique(subset=pl.coalesce("id", "priority"))
    index = None if compared.is_empty() else 1 - float(compared["share"].to_numpy().mean())
    return Distinctiveness(index, table, _nearest(table, others, known.partial))


def _nearest(table: pl.DataFrame, others: pl.DataFrame, partial: bool) -> pl.DataFrame:
    own = table["id"].drop_nulls().unique()
    size = len(own) + (0 if partial else table["id"].null_count())
    common = pl.col("priority").is_in(own.implode()).sum().cast(pl.Int64)
    return (
        others.group_by("place")
        .agg(common.alias("common"), similarity=common / (pl.len() + size - common))
        .sort("similarity", "place", descending=[True, False])
    )


def choice_warnings(
    priorities: Sequence[str], lists: PriorityLists | None = None, *, place: str | None = None
) -> pl.DataFrame:
    """Warn of priorities that many other places chose too, and of names that name no cluster.

    Args:
        priorities: the list, in words or ids.
        lists: those of other places; default: the bundled ones.
        place: the place itself.

    Returns:
        ``priority, id, severity, text, source``, one row a warning, the gravest first. ``id`` is 'look_alike'
        ('caution' from a quarter of the other places on, 'serious' from one half) or 'diffuse_name' ('serious').

    Raises:
        ClusterbookError: there are no priorities or no other places.

    Example:
        >>> choice_warnings(["Electronics", "Frogs"])["text"].to_list()
        ['15 of 31 other places chose Electronics too. What is different here?']
    """
    known = lists or bundled_priority_lists()
    found = distinctiveness(priorities, known, place=place).priorities
    rows = []
    for priority, share, by, count in found.select("priority", "share", "named_by", "places").iter_rows():
        if is_diffuse(priority):
            rows.append((priority, "diffuse_name", "serious", _diffuse_text(priority), SOURCES["diffuse_name"]))
        if share is not None and share >= COMMON:
            severity = "serious" if share >= VERY_COMMON else "caution"
            text = f"{by} of {count} other places chose {priority} too. What is different here?"
            rows.append((priority, "look_alike", severity, text, f"{SOURCES['look_alike']}; lists: {known.source}"))
    schema = dict.fromkeys(("priority", "id", "severity", "text", "source"), pl.String)
    return _gravest_first(pl.DataFrame(rows, schema=schema, orient="row"))


def is_diffuse(name: str) -> bool:
    """Tell whether a name is on the list of words that name no cluster.

    Example:
        >>> is_diffuse("Technology"), is_diffuse("Optical technology")
        (True, False)
    """
    return _plain(name) in {_plain(word) for word in _bundled()["diffuse"]}


def _diffuse_text(name: str) -> str:
    return f"'{name}' covers too much to be a cluster: say which firms, doing what, for whom."


def _plain(word: str) -> str:
    return re.sub(r"[^\w]+", " ", word.casefold().replace("_", " ")).strip()


@cache
def _bundled() -> Any:
    return yaml.safe_load(files("clusterbook.clusters").joinpath("priority_lists.yaml").read_text(encoding="utf-8"))


# --- candidates in the figures --------------------------------------------------------------------------------------


def cluster_warnings(
    tables: Mapping[str, pl.DataFrame],
    *,
    candidates: pl.DataFrame | None = None,
    delimitation: Delimitation | None = None,
    flag: str = "strong",
    size: str = "employment",
    year: int | None = None,
) -> pl.DataFrame:
    """Warn about candidate clusters from what the tables hold.

    Args:
        tables: tables of an edition. ``clusters`` is needed. ``cluster_totals``, ``members`` and ``definitions`` tell
            diffuse clusters, ``cells`` with ``members`` a dominant industry, ``region_names`` what regions are called;
            ``largest_firm`` (``region``, ``cluster``, ``share`` of the cluster's size there), which no edition has, a
            dominant firm. What is absent is not warned of.
        candidates: ``region`` and ``cluster`` of the pairs wanted; default: those flagged.
        delimitation: as of ``delimitation.delimit``, for clusters that go on beyond the border.
        flag: the column of ``clusters`` that identifies.
        size: the column of the main measure.
        year: default: the last.

    Returns:
        ``region, cluster, id, severity, text, source``, one row a warning, by candidate and the gravest first.
        ``id`` is one of ``SOURCES``.

    Raises:
        ClusterbookError: a table or column is missing.

    Example:
        >>> clusters = pl.DataFrame({"region": ["A"], "cluster": ["steel"], "year": [2019], "employment": [8.0],
        ...                          "establishments": [1], "strong": [True], "status": ["disclosed"]})
        >>> cluster_warnings({"clusters": clusters}).select("id", "severity", "text").rows()
        [('dominant_firm', 'serious', 'It is a single establishment.'), \
('small_cell', 'caution', 'Small: size 8, establishments 1.')]

    Source: see ``SOURCES``; the limits are our own and stand at the head of the module.
    """
    clusters = tables.get("clusters")
    missing = [c for c in (*PAIR, "year", size, flag) if clusters is not None and c not in clusters.columns]
    if clusters is None or missing:
        lacking = f"columns {', '.join(missing)} in the table" if missing else "table"
        raise ClusterbookError(f"Warnings need the {lacking} 'clusters'. flag= and size= name its columns.")
    wanted = clusters["year"].max() if year is None else year
    now = clusters.filter(pl.col("year") == wanted).with_columns(pl.col(PAIR).cast(pl.String))
    pairs = now.filter(flag).select(PAIR) if candidates is None else candidates.select(PAIR).unique()
    own = now.join(pairs, on=PAIR, how="semi")
    parts = [pl.DataFrame(schema=_SCHEMA), _uncertain(own, size), _small(own, size), _one_firm(own, tables)]
    parts.append(_diffuse(pairs, tables))
    if {"cells", "members"} <= set(tables):
        cells = tables["cells"].filter(pl.col("year") == wanted)
        parts.append(_one_industry(pairs, cells, tables["members"], size))
    if delimitation is not None:
        parts.append(_beyond(pairs, delimitation, tables))
    return _gravest_first(pl.concat(parts), *PAIR)


def _gravest_first(found: pl.DataFrame, *before: str) -> pl.DataFrame:
    order = {severity: k for k, severity in enumerate(SEVERITIES)}
    grade = pl.col("severity").replace_strict(order, return_dtype=pl.Int64)
    return found.sort(*before, grade, "id", "text")


def _warn(frame: pl.DataFrame, name: str, severity: pl.Expr | str, text: pl.Expr) -> pl.DataFrame:
    grade = pl.lit(severity) if isinstance(severity, str) else severity
    return frame.select(
        *PAIR, id=pl.lit(name), severity=grade, text=text, source=pl.lit(SOURCES[name])
    )  # fmt: skip


def _uncertain(own: pl.DataFrame, size: str) -> pl.DataFrame:
    if "status" not in own.columns:
        return pl.DataFrame(schema=_SCHEMA)
    status = pl.col("status").cast(pl.String)
    bounds = [
        figure(f"{size}{end}") if f"{size}{end}" in own.columns else pl.lit("not known") for end in ("_lo", "_hi")
    ]
    hidden = own.filter(status == "suppressed")
    # A sum of which little is estimated needs no warning.
    guessed = own.filter(pl.col("rough") if "rough" in own.columns else status == "imputed")
    return pl.concat(
        [
            _warn(hidden, "suppressed", "caution", pl.format("Figures are suppressed; size from {} to {}.", *bounds)),
            _warn(
                guessed,
                "estimated",
                "note",
                pl.format("Figures are estimates: size {}, from {} to {}.", figure(size), *bounds),
            ),
        ]
    )


def _small(own: pl.DataFrame, size: str) -> pl.DataFrame:
    counted = "establishments" in own.columns
    jobs, plants = pl.col(size) < FEW_JOBS, (pl.col("establishments") < FEW_PLANTS if counted else pl.lit(False))
    # Ten is a number of jobs; other measures have no smallest cell of their own.
    few = (jobs if size == "employment" else pl.lit(False)) | plants
    text = pl.format(
        "Small: size {}, establishments {}.", figure(size), figure("establishments") if counted else pl.lit("not known")
    )
    return _warn(own.filter(few.fill_null(False)), "small_cell", "caution", text)


def _one_firm(own: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=_SCHEMA)]
    if "establishments" in own.columns:
        single = own.filter(pl.col("establishments") == 1)
        parts.append(_warn(single, "dominant_firm", "serious", pl.lit("It is a single establishment.")))
    if "largest_firm" in tables:
        firms = own.join(tables["largest_firm"].select(*PAIR, "share"), on=PAIR).filter(pl.col("share") >= ONE_FIRM)
        text = pl.format("One firm has {}% of it.", (100 * pl.col("share")).round(0).cast(pl.Int64))
        grade = pl.when(pl.col("share") >= ONE_INDUSTRY).then(pl.lit("serious")).otherwise(pl.lit("caution"))
        parts.append(_warn(firms, "dominant_firm", grade, text))
    return pl.concat(parts)


def _one_industry(pairs: pl.DataFrame, cells: pl.DataFrame, members: pl.DataFrame, size: str) -> pl.DataFrame:
    """Warn where one of several industries is nearly all of a cluster; not known where a cell is suppressed."""
    several = members.filter(pl.len().over("cluster") >= 3)
    title = pl.coalesce("title", "industry") if "title" in members.columns else pl.col("industry")
    weight = pl.col("weight") if "weight" in members.columns else pl.lit(1.0)
    parts = cells.select("region", "industry", size).join(
        several.select("cluster", "industry", title=title, weight=weight), on="industry"
    )
    parts = parts.join(pairs, on=PAIR, how="semi").with_columns(part=pl.col(size) * pl.col("weight"))
    whole = pl.when(pl.col("part").null_count() == 0).then(pl.sum("part"))
    largest = pl.col("part").arg_max()
    found = parts.group_by(PAIR).agg(
        pl.col("title").get(largest), share=pl.when(whole > 0).then(pl.max("part") / whole)
    )
    text = pl.format("One industry, {}, has {}% of it.", "title", (100 * pl.col("share")).round(0).cast(pl.Int64))
    return _warn(found.filter(pl.col("share") >= ONE_INDUSTRY), "dominant_industry", "caution", text)


def _diffuse(pairs: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Warn of traded clusters that show two signs or more of being too wide, and of names that name none."""
    if "definitions" not in tables:
        return pl.DataFrame(schema=_SCHEMA)
    named = tables["definitions"]
    kind = pl.col("kind").fill_null(TRADED) if "kind" in named.columns else pl.lit(TRADED)
    known = named.filter(kind == TRADED)
    label = "label" if "label" in known.columns else "cluster"
    vague = known.filter(pl.Series([is_diffuse(name or "") for name in known[label]], dtype=pl.Boolean))
    name_text = pl.col(label).map_elements(_diffuse_text, return_dtype=pl.String)
    by_name = _warn(pairs.join(vague, on="cluster"), "diffuse_name", "serious", name_text)
    for wanted, column in (("within", "within"), ("between", "between")):
        if column not in known.columns:
            known = known.with_columns(pl.lit(None, pl.Float64).alias(wanted))
    wide = known.join(_breadth(tables), on="cluster", how="left").join(_nation(tables), on="cluster", how="left")
    loose = pl.col("within").fill_nan(None) <= pl.col("between").fill_nan(None)
    signs = (
        (loose, pl.lit("its industries are no closer to each other than to others")),
        (pl.col("breadth") >= MANY_INDUSTRIES, pl.format("it is as broad as {} equal industries", figure("breadth"))),
        (
            pl.col("nation") >= LARGE_SHARE,
            pl.format("it is {}% of all there is", (100 * pl.col("nation")).round(1)),
        ),
    )
    count = pl.sum_horizontal(sign.fill_null(False).cast(pl.Int8) for sign, _ in signs)
    said = pl.concat_str(
        [pl.when(sign.fill_null(False)).then(text) for sign, text in signs], separator="; ", ignore_nulls=True
    )
    found = wide.filter(count >= 2).with_columns(said=pl.format("Too diffuse for one cluster? Note that {}.", said))
    return pl.concat([by_name, _warn(pairs.join(found, on="cluster"), "diffuse", "caution", pl.col("said"))])


def _breadth(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return how many industries of equal size each cluster is as broad as (inverse Herfindahl)."""
    members = tables.get("members")
    if members is None or "share" not in members.columns:
        return pl.DataFrame(schema={"cluster": pl.String, "breadth": pl.Float64})
    return members.group_by("cluster").agg(breadth=1 / (pl.col("share").fill_nan(None) ** 2).sum())


def _nation(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    totals = tables.get("cluster_totals")
    if totals is None or "share" not in totals.columns:
        return pl.DataFrame(schema={"cluster": pl.String, "nation": pl.Float64})
    return totals.filter(pl.col("year") == pl.col("year").max()).select("cluster", nation="share")


def _beyond(pairs: pl.DataFrame, delimitation: Delimitation, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Warn where the cluster goes on in a neighbour, gravely where that lies in another state or country."""
    links = delimitation.boundaries.filter(pl.col("reason").is_in(["specialised", "flow", "centre"]))
    there = links.select("cluster", "region", "other", "crosses")
    back = links.select("cluster", "crosses", region="other", other="region").select(there.columns)
    both = pl.concat([there, back]).unique().join(pairs, on=PAIR, how="semi")
    found = both.group_by(PAIR).agg(
        pl.col("other").sort(), pl.col("crosses").fill_null(False).any(), pl.len().alias("count")
    )
    places = tables.get("region_names")
    names = dict(places.select("region", "name").iter_rows()) if places is not None else {}
    listed = pl.col("other").list.head(5).list.eval(pl.element().replace(names)).list.join("; ")
    more = pl.when(pl.col("count") > 5).then(pl.format(" and {} more", pl.col("count") - 5)).otherwise(pl.lit(""))
    across = pl.when("crosses").then(pl.lit(", in part in another state or country")).otherwise(pl.lit(""))
    text = pl.format("The cluster goes on beyond the border: {}{}{}.", listed, more, across)
    grade = pl.when("crosses").then(pl.lit("caution")).otherwise(pl.lit("note"))
    return _warn(found, "political_boundary", grade, text)
