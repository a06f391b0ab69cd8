"""The figures of the atlas: an edition's last year, arranged as pages read it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from importlib.resources import files
from typing import Any

import polars as pl
import yaml

from clusterbook.atlas.columns import Columns, as_shown, columns_of, optional_table, with_bits, with_positions
from clusterbook.atlas.downloads import Download, left_behind
from clusterbook.atlas.geometry import height_for_width
from clusterbook.atlas.making import fit_of_members, making_of, related_of
from clusterbook.atlas.places import WHOLE, Places
from clusterbook.clusters.life_cycle import STAGES
from clusterbook.clusters.typology import TYPE
from clusterbook.edition.store import Edition

ALL = "*"

#: Measures other than the main one that tables show beside it.
BESIDE = ("establishments",)

_STAGE_PLACES = {stage: k for k, stage in enumerate(STAGES)}


class Book:
    """The edition's last year, arranged as pages read it: clusters and regions are named by position."""

    def __init__(self, edition: Edition) -> None:
        self.manifest = edition.manifest
        self.size: str = edition.manifest["measure"]
        self.year: int = max(edition.manifest["years"])
        self.edition = edition
        latest = edition.table("clusters").filter(pl.col("year") == self.year)
        self.flags = [flag for flag in _flags(edition.manifest["profiles"]) if flag["name"] in latest.columns]
        self.beside = [name for name in BESIDE if name in latest.columns and name != self.size]
        change = _change(edition)
        trends = optional_table(edition, "trends")
        self.national = optional_table(edition, "national_trends")
        self.members = edition.table("members")
        self.definitions = edition.table("definitions")
        self.clusters = self._cluster_list(edition, change)
        self.regions = self._region_list(edition, change, latest)
        self.places = Places(edition, self.codes, self.ids, [flag["name"] for flag in self.flags])
        self.warnings = optional_table(edition, "warnings")
        self.rows = self._rows(latest, change, trends)
        self.similar = optional_table(edition, "similar")
        self.shift_share = optional_table(edition, "shift_share")
        self.opportunities = optional_table(edition, "opportunities")
        self.links = optional_table(edition, "space_links")
        self.industries = self._industry_list(edition)
        self.headline = self._headline(latest)
        self.map_ratio = _map_ratio(edition)

    def record(self, downloads: list[Download]) -> dict[str, Any]:
        """Return what every page needs: words, sources, the lists of clusters and regions."""
        m = self.manifest
        size = {"name": "size", "label": self.label(self.size), "unit": m["units"].get(self.size, "")}
        beside = [{"name": n, "label": self.label(n), "unit": m["units"].get(n, "")} for n in self.beside]
        kept = ("title", "noun", "sources", "definitions", "profiles", "parameters", "software", "tables", "inputs")
        more = ("years", "trend_years", "growth_years", "region_note", "region_set", "classification", "units")
        return {
            **{key: m[key] for key in kept},
            **{key: m.get(key) for key in more},
            "year": self.year,
            "measures": [size, *beside],
            "flags": self.flags,
            "map_ratio": self.map_ratio,
            "headline": self.headline,
            "stages": list(STAGES),
            "warned": self._warned(),
            "clusters": columns_of(as_shown(self.clusters)),
            "regions": columns_of(as_shown(self.regions)),
            "terms": self._terms(),
            "downloads": [asdict(file) for file in downloads],
            "left_behind": left_behind(self.edition),
        }

    def cluster_files(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield for each cluster its file name, regions, trend, industries and scores."""
        order = self.rows.sort("c", "size", "r", descending=[False, True, False], nulls_last=True)
        regions = order.partition_by("c", as_dict=True, include_key=False)
        national = self._national()
        members = self._members()
        related = related_of(self.edition, self.ids)
        for k, (code, file) in enumerate(self.clusters.select("id", "file").iter_rows()):
            yield (
                file,
                {
                    "regions": columns_of(regions[(k,)]) if (k,) in regions else {},
                    "trend": columns_of(national.filter(pl.col("cluster") == code).drop("cluster")),
                    "members": columns_of(members.filter(pl.col("cluster") == code).drop("cluster")),
                    "related": related.get(k, {}),
                },
            )

    def region_files(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield for each region its file name, its clusters, what changed, what could come and who is alike."""
        order = self.rows.sort("r", "size", "c", descending=[False, True, False], nulls_last=True)
        clusters = order.partition_by("r", as_dict=True, include_key=False)
        alike = self._similar()
        peers = self._peers()
        shifts = self._shift_share()
        chances = self._opportunities()
        for k, file in enumerate(self.regions["file"]):
            yield (
                file,
                {
                    "clusters": columns_of(clusters[(k,)]) if (k,) in clusters else {},
                    "similar": alike.get((k,), {}),
                    "peers": peers.get((k,), {}),
                    "shift_share": shifts.get((k,), {}),
                    "opportunities": chances.get((k,), {}),
                },
            )

    def place_files(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield for each region its file name and what is known of each of its clusters, beyond their figures."""
        return zip(self.regions["file"], self.places.files(), strict=True)

    def reach_files(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield for each cluster its file name and its functional areas."""
        return zip(self.clusters["file"], self.places.reach_files(), strict=True)

    def making(self) -> dict[str, Any]:
        """Return how the set of clusters was made."""
        return making_of(self.edition, self.ids)

    def industry_file(self) -> dict[str, Columns]:
        """Return the industries that pages name, with their place in the industry space, and its links."""
        return {"industries": columns_of(as_shown(self.industries)), "links": self._links()}

    @property
    def ids(self) -> list[str]:
        """The ids of the clusters, in the order in which positions count."""
        return self.clusters["id"].to_list()

    @property
    def codes(self) -> list[str]:
        """The codes of the regions, in the order in which positions count."""
        return self.regions["code"].to_list()

    # --- the lists

    def _cluster_list(self, edition: Edition, change: pl.DataFrame) -> pl.DataFrame:
        totals = edition.table("cluster_totals").filter(pl.col("year") == self.year).drop("year")
        everywhere = change.filter(pl.col("region") == ALL).drop("region")
        table = (
            self.definitions.select("cluster", "label", "kind", pl.col("^(within|between|stability|resource_share)$"))
            .join(totals, on="cluster", how="inner")
            .join(
                everywhere.select(pl.exclude("growth_national", "growth_relative", "wage_relative")),
                on="cluster",
                how="left",
            )
        )
        if self.national is not None:
            table = table.join(_wide(self.national, ["cluster"], self.size), on="cluster", how="left")
        table = self._named(table).rename({"cluster": "id"}).sort("label", "id")
        return table.with_columns(_file_names(table["id"]))

    def _region_list(self, edition: Edition, change: pl.DataFrame, latest: pl.DataFrame) -> pl.DataFrame:
        names = edition.table("region_names")
        known = [c for c in ("region", "name", "kind", "population", "lon", "lat") if c in names.columns]
        figures = (
            edition.table("regions")
            .filter(pl.col("year") == self.year)
            .drop("year", "entropy", "published", strict=False)
        )
        whole = change.filter(pl.col("cluster") == ALL, pl.col("region") != ALL)
        table = (
            names.select(known)
            .join(figures, on="region", how="inner")
            .join(
                whole.select("region", pl.col("^(growth|growth_relative|wage|trend_coverage)$")),
                on="region",
                how="left",
            )
        )
        place = pl.DataFrame({"largest_cluster": self.clusters["id"], "largest": range(self.clusters.height)})
        table = table.join(place, on="largest_cluster", how="left").drop("largest_cluster")
        table = self._named(table).rename({"region": "code"}).sort("name", "code")
        return table.with_columns(_file_names(table["code"]))

    def _rows(self, latest: pl.DataFrame, change: pl.DataFrame, trends: pl.DataFrame | None) -> pl.DataFrame:
        """Return one row a cluster in a region with everything known about it, rounded as shown."""
        keys = ["region", "cluster"]
        table = latest.drop("year", "kind", "lq_all", strict=False)
        table = table.join(
            change.drop("from_year", "to_year", "wage_year", "growth_national", strict=False), on=keys, how="left"
        )
        if trends is not None:
            table = table.join(_wide(trends, keys, self.size), on=keys, how="left")
        table = self._named(with_bits(table, [flag["name"] for flag in self.flags]))
        regions = pl.DataFrame({"region": self.regions["code"], "r": range(self.regions.height)})
        clusters = pl.DataFrame({"cluster": self.clusters["id"], "c": range(self.clusters.height)})
        table = self._with_marks(table)
        placed = table.join(regions, on="region").join(clusters, on="cluster").drop(keys)
        return without_points(as_shown(placed.select("r", "c", pl.exclude("r", "c"))))

    def _with_marks(self, table: pl.DataFrame) -> pl.DataFrame:
        """Add what the edition says of single clusters in places in a word: stage, types, number of warnings."""
        keys = ["region", "cluster"]
        stages = optional_table(self.edition, "stages")
        if stages is not None:
            place = pl.col("stage").cast(pl.String).replace_strict(_STAGE_PLACES, default=None, return_dtype=pl.Int64)
            table = table.join(stages.select(*keys, place.alias("stage")), on=keys, how="left")
        types = optional_table(self.edition, "types")
        if types is not None:
            given = types.filter(pl.col("verdict") == TYPE).group_by(keys, maintain_order=True)
            table = table.join(given.agg(pl.col("type").str.join(",").alias("types")), on=keys, how="left")
        if self.warnings is not None:
            table = table.join(self.warnings.group_by(keys).agg(pl.len().alias("warned")), on=keys, how="left")
        return table

    def _warned(self) -> dict[str, int]:
        """Count the warnings, by severity, and the clusters in regions that have any."""
        if self.warnings is None:
            return {}
        counts = dict(self.warnings.group_by("severity").len().sort("severity").iter_rows())
        pairs = self.warnings.select(pl.struct("region", "cluster").n_unique()).item()
        return {"all": self.warnings.height, "pairs": pairs, **counts}

    def _industry_list(self, edition: Edition) -> pl.DataFrame:
        """Return the industries that have a complexity or a place in the industry space, or that a region might get."""
        table = edition.table("industries").filter(pl.col("year") == self.year)
        nodes = optional_table(edition, "space_nodes")
        named = [part["industry"] for part in (nodes, self.opportunities) if part is not None]
        wanted = pl.col("industry").is_in(pl.concat(named).unique().implode()) if named else pl.lit(value=False)
        if "pci" in table.columns:
            wanted |= pl.col("pci").is_not_null()
        if nodes is not None:
            table = table.join(nodes.select("industry", "x", "y"), on="industry", how="left")
        place = pl.DataFrame({"cluster": self.clusters["id"], "c": range(self.clusters.height)})
        shown = ("industry", "title", "c", "size", "lo", "hi", "status", "gini", "pci", "ubiquity", "x", "y")
        table = self._named(table.filter(wanted)).join(place, on="cluster", how="left").sort("industry")
        return table.select(name for name in shown if name in table.columns)

    def _named(self, table: pl.DataFrame) -> pl.DataFrame:
        """Name the main measure ``size`` and its bounds ``lo`` and ``hi``; drop measures that no page shows."""
        size = self.size
        shown = {*self.beside}
        measures = {name for name in self.manifest["units"] if name != "wage"} - {size}
        other = [c for c in table.columns if re.sub(r"_(lo|hi)$", "", c) in measures and c not in shown]
        table = table.drop(other).rename({size: "size", f"{size}_lo": "lo", f"{size}_hi": "hi"}, strict=False)
        if "status" not in table.columns:
            return table
        status = pl.col("status").cast(pl.String)
        # Nearly every sum of an imputed panel has some small estimated part; only rough ones are marked.
        estimated = pl.col("rough") if "rough" in table.columns else status == "imputed"
        table = table.with_columns(pl.when(pl.col("size").is_null() | estimated).then(status).alias("status"))
        return table.drop("rough", strict=False)

    # --- single files

    def _national(self) -> pl.DataFrame:
        if self.national is None:
            return pl.DataFrame({"cluster": []}, schema={"cluster": pl.String})
        wanted = ["cluster", "year", self.size, "establishments", "wage", "status"]
        found = [c for c in wanted if c in self.national.columns]
        table = self.national.select(found).rename({self.size: "size"}, strict=False).sort("cluster", "year")
        return as_shown(table)

    def _members(self) -> pl.DataFrame:
        table = self.members.drop("year", strict=False).rename({self.size: "size"}, strict=False)
        fit = fit_of_members(self.edition, self.ids)
        if fit is not None:
            table = table.join(fit, on=["cluster", "industry"], how="left")
        return as_shown(table.sort("cluster", "share", "industry", descending=[False, True, False], nulls_last=True))

    def _similar(self) -> dict[tuple[Any, ...], Columns]:
        if self.similar is None:
            return {}
        place = pl.DataFrame({"code": self.regions["code"], "r": range(self.regions.height)})
        table = (
            self.similar.join(place, left_on="region", right_on="code")
            .join(place.rename({"r": "o"}), left_on="other", right_on="code")
            .sort("r", "rank")
            .select("r", "o", "similarity", "rank")
        )
        return _by_region(table)

    def _peers(self) -> dict[tuple[Any, ...], Columns]:
        """Return the peers of whole regions; those of single clusters are with the places."""
        peers = optional_table(self.edition, "peers")
        if peers is None:
            return {}
        whole = peers.filter(pl.col("cluster") == WHOLE).drop("cluster")
        placed = with_positions(whole, {"r": ("region", self.codes), "o": ("other", self.codes)})
        shown = ("distance", "structure", "size", "setting", "known")
        figures = (pl.col(name).cast(pl.Float64).round(3) for name in shown)
        return _by_region(placed.sort("r", "rank").select("r", "o", "rank", *figures))

    def _shift_share(self) -> dict[tuple[Any, ...], Columns]:
        """Return for each region the parts of its change: as a whole (``c`` is null) and by cluster."""
        if self.shift_share is None:
            return {}
        regions = pl.DataFrame({"region": self.regions["code"], "r": range(self.regions.height)})
        clusters = pl.DataFrame({"cluster": [*self.clusters["id"], ALL], "c": [*range(self.clusters.height), None]})
        table = (
            self.shift_share.join(regions, on="region")
            .join(clusters, on="cluster")
            .sort("r", "c")
            .select("r", "c", "change", "national", "mix", "local")
        )
        return _by_region(table)

    def _opportunities(self) -> dict[tuple[Any, ...], Columns]:
        """Return for each region the industries nearest to what it has; ``i`` is a position among the industries."""
        if self.opportunities is None:
            return {}
        regions = pl.DataFrame({"region": self.regions["code"], "r": range(self.regions.height)})
        industries = pl.DataFrame({"industry": self.industries["industry"], "i": range(self.industries.height)})
        known = [c for c in ("rank", "density", "lq", "wage") if c in self.opportunities.columns]
        table = self.opportunities.join(regions, on="region").join(industries, on="industry").sort("r", "rank")
        return _by_region(table.select("r", "i", *known))

    def _links(self) -> Columns:
        if self.links is None:
            return {}
        one = pl.DataFrame({"industry": self.industries["industry"], "i": range(self.industries.height)})
        other = one.rename({"industry": "other", "i": "j"})
        table = self.links.join(one, on="industry").join(other, on="other").select("i", "j", "proximity")
        return columns_of(as_shown(table.sort("proximity", "i", "j", descending=[True, False, False])))

    def _headline(self, latest: pl.DataFrame) -> dict[str, Any]:
        """Count and add up the edition's columns for the first page; hidden figures are counted, not guessed."""
        strong = latest.filter(pl.col("strong").fill_null(value=False)) if "strong" in latest.columns else None
        traded = latest.filter(pl.col("kind") == "traded") if "kind" in latest.columns else latest
        sums: dict[str, Any] = {"size": self.regions["size"].sum(), "hidden": latest[self.size].null_count()}
        if strong is not None:
            all_traded, in_strong = float(traded[self.size].sum()), float(strong[self.size].sum())
            share = in_strong / all_traded if all_traded else None
            counted = int(self.clusters["regions_strong"].sum())
            sums |= {"strong": counted, "strong_size": in_strong, "strong_share": share}
        return as_shown(pl.DataFrame([sums])).row(0, named=True)

    def label(self, measure: str) -> str:
        """Return what a measure is called."""
        return str(self.manifest.get("labels", {}).get(measure, measure.replace("_", " ")))

    def _terms(self) -> dict[str, dict[str, str]]:
        text = (files("clusterbook.atlas") / "glossary.yaml").read_text(encoding="utf-8")
        noun, nouns = self.manifest["noun"]
        fill = partial(str.format, measure=self.label(self.size), noun=noun, nouns=nouns)
        return {
            key: {field: fill(words) for field, words in term.items()} for key, term in yaml.safe_load(text).items()
        }


def without_points(table: pl.DataFrame) -> pl.DataFrame:
    """Leave out bounds of the quotient that say no more than the quotient itself as it is shown."""
    if not {"lq_lo", "lq_hi"} <= set(table.columns):
        return table
    wide = pl.col("lq_lo").ne_missing(pl.col("lq_hi"))
    return table.with_columns(pl.when(wide).then("lq_lo"), pl.when(wide).then("lq_hi"))


def _by_region(table: pl.DataFrame) -> dict[tuple[Any, ...], Columns]:
    """Return the rows of each region (its position ``r``) as the columns a page reads."""
    parts = as_shown(table).partition_by("r", as_dict=True, include_key=False)
    return {key: columns_of(part) for key, part in parts.items()}


def _map_ratio(edition: Edition) -> float:
    """Return the height of maps for their width, which pages need before the shapes arrive."""
    if edition.manifest["projection"] == "albersUsa":
        return 0.61  # Alaska and Hawaii are moved under the others
    table = optional_table(edition, "geometry")
    return height_for_width(dict(zip(table["region"], table["wkb"], strict=True))) if table is not None else 1.0


def _change(edition: Edition) -> pl.DataFrame:
    """Return growth and wages; an empty table where one year is all there is."""
    change = optional_table(edition, "change")
    if change is not None:
        return change
    return pl.DataFrame(schema={"region": pl.String, "cluster": pl.String})


def _wide(trends: pl.DataFrame, keys: list[str], size: str) -> pl.DataFrame:
    """Return the years side by side: ``t2017``, ``t2018`` ..."""
    if size not in trends.columns or trends["year"].n_unique() < 2:
        return trends.select(keys).unique(maintain_order=True)
    years = trends["year"].unique().sort().to_list()
    wide = trends.pivot(on="year", on_columns=years, index=keys, values=size, aggregate_function=None)
    return wide.rename({str(year): f"t{year}" for year in years})


def _flags(profiles: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "name": flag["name"],
            "title": flag["title"],
            "profile": profile["title"],
            "applies_to": profile.get("applies_to"),
        }
        for profile in profiles
        for flag in profile["flags"]
    ]


def _file_names(codes: pl.Series) -> pl.Series:
    """Return a safe and unique file name for each code, the code itself where possible."""
    names = codes.cast(pl.String).str.replace_all(r"[^A-Za-z0-9._-]", "-").str.replace(r"^\.", "-").alias("file")
    twice = names.str.to_lowercase().is_duplicated()
    numbered = names + "-" + pl.Series(range(len(names))).cast(pl.String)
    return numbered.zip_with(twice, names) if twice.any() else names
