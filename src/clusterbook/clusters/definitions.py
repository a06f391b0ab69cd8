"""Cluster definitions: which industries belong together, with the record of how that was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl

from clusterbook.data import checks
from clusterbook.data.industries import Industries
from clusterbook.data.tables import Rows, TableLike, did_you_mean, find_columns, load_table, pick
from clusterbook.errors import ClusterbookError, DataError, DefinitionError, OutputError, Problem

TRADED = "traded"
LOCAL = "local"


@dataclass(frozen=True)
class ClusterDefinitions:
    """A reusable, versioned set of cluster definitions.

    ``clusters`` has one row a cluster: ``cluster`` (id), ``label``, ``kind`` ('traded', 'local' or null where not
    stated) and any scores of single clusters (``within``, ``between`` ...).
    ``members`` has one row a membership: ``cluster``, ``industry``, ``subcluster`` (or null) and ``weight``, the share
    of the industry that the cluster is given (1 for exclusive membership; an industry's weights never exceed 1), and
    where known ``size``, how large the industry was where the set was made.
    ``method``, ``parameters``, ``scores`` and ``source`` say where the set comes from and how good it is; ``tables``
    hold what lies behind it (candidates, sides, outliers, related clusters, edits ...: ``discovery``, ``editing``).
    """

    clusters: pl.DataFrame
    members: pl.DataFrame
    method: str
    source: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The label of each cluster."""
        return dict(zip(self.clusters["cluster"], self.clusters["label"], strict=True))

    def assign(self, industries: Industries, codes: pl.Series) -> pl.DataFrame:
        """Return ``industry, cluster, weight`` for the codes of a panel.

        A code that is not a member itself belongs where its nearest ancestor does, so that definitions at four
        digits serve data at six. A code above members, as when definitions at six digits meet data at four, is divided
        among their clusters by the members' sizes (evenly where these are not known). Codes outside every cluster are
        left out.

        Raises ``DefinitionError`` when not one code belongs to any cluster.
        """
        wanted = codes.unique().sort().to_list()
        cover = industries.covering(wanted, self.members["industry"])
        divided = self._divided(industries, [code for code in wanted if code not in cover])
        if not cover and divided.is_empty():
            raise DefinitionError(
                f"None of the panel's {codes.n_unique()} industries is in the cluster definitions '{self.source}'. "
                "Check that both use the same classification and vintage."
            )
        found = pl.DataFrame(
            {"industry": list(cover), "member": list(cover.values())},
            schema={"industry": pl.String, "member": pl.String},
        )
        direct = found.join(self.members.rename({"industry": "member"}), on="member")
        return pl.concat([direct.select("industry", "cluster", "weight"), divided]).sort("industry", "cluster")

    def gaps(self, industries: Industries, codes: pl.Series) -> dict[str, list[str]]:
        """Return what does not meet when the definitions are applied to the codes of a panel.

        ``unknown members``: industries of the set that are neither in the panel nor above or below any of its codes;
        ``in no cluster``: codes of the panel that no cluster has; ``empty clusters``: clusters without any code.

        >>> members = pl.DataFrame({"industry": ["1", "9"], "cluster": ["a", "b"]})
        >>> found = read_definitions(members).gaps(Industries.from_codes(pl.Series(["1", "2"])), pl.Series(["1", "2"]))
        >>> found["unknown members"], found["in no cluster"], found["empty clusters"]
        (['9'], ['2'], ['b'])
        """
        wanted = set(codes.unique().to_list())
        reached = {above for code in wanted for above in (code, *industries.ancestors(code))}
        members = self.members["industry"].unique().sort().to_list()
        unknown = [m for m in members if m not in reached and not wanted & set(industries.ancestors(m))]
        try:
            assigned = self.assign(industries, codes)
        except DefinitionError:
            assigned = pl.DataFrame(schema={"industry": pl.String, "cluster": pl.String})
        return {
            "unknown members": unknown,
            "in no cluster": sorted(wanted - set(assigned["industry"])),
            "empty clusters": sorted(set(self.clusters["cluster"]) - set(assigned["cluster"])),
        }

    def _divided(self, industries: Industries, codes: list[str]) -> pl.DataFrame:
        """Divide codes that stand above members among the members' clusters."""
        wanted = set(codes)
        pairs = [
            (above, member)
            for member in self.members["industry"].unique().sort()
            if (above := next((a for a in industries.ancestors(member) if a in wanted), None))
        ]
        found = pl.DataFrame(pairs, schema={"industry": pl.String, "member": pl.String}, orient="row")
        size = pl.col("size") if "size" in self.members.columns else pl.lit(1.0)
        parts = found.join(self.members.rename({"industry": "member"}), on="member").with_columns(
            _part=pl.when(size.is_not_null().all().over("industry")).then(size).otherwise(1.0)
        )
        whole = (
            parts.unique(["industry", "member"])["industry", "_part"].group_by("industry").agg(_whole=pl.sum("_part"))
        )
        return (
            parts.join(whole, on="industry")
            .filter(pl.col("_whole") > 0)
            .group_by("industry", "cluster")
            .agg(weight=(pl.col("weight") * pl.col("_part") / pl.col("_whole")).sum())
        )

    def to_frame(self) -> pl.DataFrame:
        """Return one row a membership: ``industry, cluster, label, subcluster, weight, kind``; ``size`` where known."""
        labelled = self.members.join(self.clusters.select("cluster", "label", "kind"), on="cluster")
        return labelled.select(c for c in _COLUMNS if c in labelled.columns).sort("cluster", "industry")

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write the definitions as CSV, to be edited by hand and read back with ``read_definitions``.

        Method, parameters and scores are not written: they speak of the set as it was found, not as it may be edited.

        Raises ``OutputError`` when the file cannot be written.
        """
        try:
            self.to_frame().write_csv(Path(path))
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror}). Choose another place.") from error


_COLUMNS = ("industry", "cluster", "label", "subcluster", "weight", "kind", "size")
_REMEDY = (
    "Definitions need the columns 'industry' and 'cluster'; 'label', 'subcluster', 'weight' and 'kind' (traded or "
    "local) may be added. Rename the columns of the table to these."
)


def read_definitions(
    data: TableLike, *, source: str | None = None, kinds: Mapping[str, str] | None = None
) -> ClusterDefinitions:
    """Read cluster definitions from a table with one row a membership.

    ``data`` is a CSV, Excel or Parquet file or a pandas, Polars or PyArrow frame with the columns ``industry``,
    ``cluster`` and, if wanted:

    - ``label``: the name of the cluster (default: its id); it may stand on some of the cluster's rows only;
    - ``subcluster``: any finer grouping;
    - ``weight``: the share of the industry that the cluster is given, 0 to 1. Where there is no such column, an
      industry listed by n clusters gives 1/n to each, so that nothing is counted twice;
    - ``size``: how large the industry is, by which data at a coarser level are divided among clusters;
    - ``kind``: 'traded' or 'local'; or else give ``kinds``, cluster to kind, which comes before the column.

    ``source`` says where the definitions come from (default: the name of the file).

    Raises ``DataError`` with every problem found: empty fields, an industry twice in a cluster, weights that are no
    numbers, negative or over 1 for an industry, two labels or kinds for one cluster.

    >>> table = pl.DataFrame({"industry": ["3361", "3363", "3363"], "cluster": ["cars", "cars", "metal"]})
    >>> read_definitions(table, kinds={"cars": "traded"}).members.rows()
    [('cars', '3361', None, 1.0), ('cars', '3363', None, 0.5), ('metal', '3363', None, 0.5)]
    """
    table = load_table(data)
    columns, problems = find_columns(table, dict.fromkeys(_COLUMNS), ("industry", "cluster"), _REMEDY)
    if problems:
        raise DataError(table.origin, problems)
    rows = pick(table, columns, {})
    text = rows.text.with_columns(pl.lit(None, pl.String).alias(name) for name in _COLUMNS if name not in columns)
    text = text.with_columns(pl.col("kind").str.to_lowercase())
    weight = _weights(text, given="weight" in columns)
    size = text["size"].cast(pl.Float64, strict=False).fill_nan(None)
    problems = [
        *checks.missing_keys(rows, [name for name in ("industry", "cluster", "weight") if name in columns]),
        *checks.duplicate_keys(rows, text.select("cluster", "industry")),
        *_weight_problems(rows, weight),
        *_size_problems(rows, size),
        *_kind_problems(rows, text["kind"]),
        *_conflicts(rows, text, "label"),
        *_conflicts(rows, text, "kind"),
    ]
    if problems:
        raise DataError(table.origin, problems)
    clusters = text.group_by("cluster").agg(pl.col("label", "kind").drop_nulls().first()).sort("cluster")
    members = text.select("cluster", "industry", "subcluster", weight, *([size] if "size" in columns else []))
    return ClusterDefinitions(
        clusters=_with_kinds(clusters.with_columns(pl.coalesce("label", "cluster").alias("label")), kinds or {}),
        members=members.sort("cluster", "industry"),
        method="given",
        source=source or Path(table.origin).name,
    )


def _weights(text: pl.DataFrame, *, given: bool) -> pl.Series:
    if given:
        return text["weight"].cast(pl.Float64, strict=False).fill_nan(None)
    return text.select((1 / pl.len().over("industry")).alias("weight")).to_series()


def _weight_problems(rows: Rows, weight: pl.Series) -> list[Problem]:
    if "weight" not in rows.columns:
        return []
    industry = rows.text["industry"]
    total = pl.DataFrame([industry, weight]).select(pl.col("weight").sum().over("industry")).to_series()
    over = (total > 1 + 1e-9) & industry.is_not_null()
    sums = dict(zip(industry.filter(over), total.filter(over), strict=True))
    return [
        *checks.not_a_number(rows, "weight", weight.is_null() & rows.text["weight"].is_not_null()),
        *checks.negative_values(rows, "weight", weight),
        *checks.code_faults(
            rows, "weights over one", "industry", {code: f"its weights add up to {s:g}" for code, s in sums.items()}
        ),
    ]


def _size_problems(rows: Rows, size: pl.Series) -> list[Problem]:
    if "size" not in rows.columns:
        return []
    return [
        *checks.not_a_number(rows, "size", size.is_null() & rows.text["size"].is_not_null()),
        *checks.negative_values(rows, "size", size),
    ]


def _kind_problems(rows: Rows, kind: pl.Series) -> list[Problem]:
    bad = (~kind.is_in([TRADED, LOCAL])).fill_null(False)
    return checks.faults(rows, "unknown kinds", bad, "neither 'traded' nor 'local'", "kind") if bad.any() else []


def _conflicts(rows: Rows, text: pl.DataFrame, column: str) -> list[Problem]:
    """Find the rows that call a cluster otherwise than the first row that calls it anything."""
    first = text.select(pl.col(column).drop_nulls().first().over("cluster")).to_series()
    bad = ((text[column] != first) & text["cluster"].is_not_null()).fill_null(False)
    if not bad.any():
        return []
    named = zip(text["cluster"].filter(bad), first.filter(bad), strict=True)
    messages = [f"cluster {cluster!r} has the {column} {name!r} further up" for cluster, name in named]
    return checks.faults(rows, f"conflicting {column}s", bad, messages, column)


def _with_kinds(clusters: pl.DataFrame, kinds: Mapping[str, str]) -> pl.DataFrame:
    """Return the clusters with the kinds that the caller gave in place of those of the table."""
    for cluster, kind in kinds.items():
        if cluster not in clusters["cluster"]:
            hint = did_you_mean(cluster, clusters["cluster"].to_list())
            raise ClusterbookError(f"kinds: there is no cluster {cluster!r}{hint} in the table.")
        if kind not in {TRADED, LOCAL}:
            raise ClusterbookError(f"kinds: cluster {cluster!r} is {kind!r}; it can be 'traded' or 'local'.")
    given = pl.col("cluster").replace_strict(dict(kinds), default=None, return_dtype=pl.String)
    return clusters.with_columns(pl.coalesce(given, "kind").alias("kind"))
