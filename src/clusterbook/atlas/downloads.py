"""The figures to take away: the edition's own files, tables for a spreadsheet, shapes for a map program."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import shapely

from clusterbook.edition.store import Edition

ZIP_FROM_BYTES = 300_000
WHOLE_UP_TO_BYTES = 3_000_000
#: Tables with years are left behind only beyond this.
YEARLY_UP_TO_BYTES = 25_000_000
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # archives carry a date; a fixed one keeps the bytes equal

#: Tables that are also given as CSV. The others are long and serve programs.
FOR_SPREADSHEETS = (
    "clusters", "cluster_totals", "regions", "change", "shift_share", "opportunities", "national_trends", "members",
    "similar", "definitions", "definition_candidates", "definition_sides", "definition_industries", "related", "areas",
    "warnings", "types",
)  # fmt: skip

#: Tables with one row a year of the main source; in others a year says when something was found.
YEARLY = ("cells", "clusters", "cluster_totals", "industries", "regions")

WHAT = {
    "cells": "every region, industry and year",
    "clusters": "every cluster in every region",
    "cluster_totals": "clusters in all regions together, with their concentration",
    "regions": "regions with their totals and structure",
    "industries": "industries in all regions together",
    "trends": "clusters in regions over the years",
    "national_trends": "clusters over the years, all regions together",
    "change": "growth and wages",
    "shift_share": "what changed: the parts of the nation, of the industries and of the region",
    "opportunities": "the absent industries most related to what each region has",
    "space_nodes": "the industry space: where each industry stands",
    "space_links": "the industry space: its strongest links",
    "similar": "the regions most alike to each",
    "definitions": "clusters and their scores",
    "members": "the industries of each cluster",
    "definition_candidates": "the candidate sets of clusters with their scores",
    "definition_sides": "the sides from which industries were compared, with worth, weight and scores",
    "definition_industries": "how each industry fits its cluster, and which other is closest",
    "definition_stability": "how alike the sets found in samples of the regions are",
    "definition_moves": "the industries that refining moved",
    "definition_edits": "what people changed, with reasons",
    "related": "related clusters",
    "overlap": "how industries would be shared among clusters",
    "areas": "functional areas: how far each cluster reaches across borders",
    "area_members": "the regions of each functional area",
    "boundaries": "where functional areas end, and why",
    "warnings": "what to beware of before taking a candidate for a cluster",
    "evidence": "what each method says of each candidate cluster",
    "agreement": "whether the methods agree",
    "nominations": "clusters that people named",
    "facts": "what is known of clusters beyond figures, and figures as facts",
    "types": "of which types clusters are",
    "profiles": "profiles: every known indicator of each cluster in each region",
    "profile_elements": "profiles: scores by element and dimension",
    "peers": "the regions with which each cluster is best compared",
    "stages": "stages of the life cycle, last year",
    "stage_history": "stages of the life cycle by year",
    "region_names": "names and places of the regions",
    "geometry": "shapes of the regions (WKB, longitude and latitude)",
}


@dataclass(frozen=True)
class Download:
    """One file to take away."""

    name: str
    what: str
    bytes: int
    rows: int


def write_downloads(edition: Edition, folder: Path) -> list[Download]:
    """Write the downloads of an edition into a folder and return what is there.

    The Parquet files are byte-for-byte the edition's; of a table too large to carry along it is the last year, and one
    without years stays in the edition (``left_behind`` names them). CSV has six significant digits, and the last year
    where a table has regions, clusters and years; large CSV comes as ZIP.
    """
    folder.mkdir()
    found = [_copy_manifest(edition, folder)]
    found += [_spreadsheet(edition, name, folder) for name in FOR_SPREADSHEETS if _rows(edition, name)]
    if _rows(edition, "geometry"):
        found.append(_map_file(edition, folder))
    behind = left_behind(edition)
    found += [
        _copy(edition, name, folder)
        for name in edition.manifest["tables"]
        if _rows(edition, name) and name not in behind
    ]
    return found


def left_behind(edition: Edition) -> list[str]:
    """Name the tables that are too large to carry along, even without all years but the last."""
    return [
        name
        for name in edition.manifest["tables"]
        if (_bytes(edition, name) > YEARLY_UP_TO_BYTES if name in YEARLY else _too_large(edition, name))
    ]


def _too_large(edition: Edition, name: str) -> bool:
    return _bytes(edition, name) > WHOLE_UP_TO_BYTES


def _bytes(edition: Edition, name: str) -> int:
    return (edition.path / f"{name}.parquet").stat().st_size


def _rows(edition: Edition, name: str) -> int:
    return int(edition.manifest["tables"].get(name, {}).get("rows", 0))


def _copy_manifest(edition: Edition, folder: Path) -> Download:
    target = folder / "manifest.json"
    shutil.copyfile(edition.path / "manifest.json", target)
    what = "what made this edition: sources, parameters, hashes of all tables"
    return Download(target.name, what, target.stat().st_size, 0)


def _copy(edition: Edition, name: str, folder: Path) -> Download:
    source = edition.path / f"{name}.parquet"
    if _too_large(edition, name):
        return _last_year(edition, name, folder)
    target = folder / source.name
    shutil.copyfile(source, target)
    return Download(target.name, WHAT.get(name, name), target.stat().st_size, _rows(edition, name))


def _last_year(edition: Edition, name: str, folder: Path) -> Download:
    year = max(edition.manifest["years"])
    table = edition.scan(name).filter(pl.col("year") == year).collect()
    target = folder / f"{name}-{year}.parquet"
    table.write_parquet(target, compression="zstd", compression_level=6)
    what = f"{WHAT.get(name, name)}; {year} only, all years are in the edition itself"
    return Download(target.name, what, target.stat().st_size, table.height)


def _spreadsheet(edition: Edition, name: str, folder: Path) -> Download:
    table = edition.table(name).with_columns(pl.col(pl.List(pl.String)).list.join("; "))
    what = WHAT.get(name, name)
    if name == "clusters":
        year = max(edition.manifest["years"])
        table, what = table.filter(pl.col("year") == year), f"{what}, {year}"
    text = table.with_columns(pl.selectors.float().round_sig_figs(6)).write_csv().encode()
    target = folder / f"{name}.csv"
    if len(text) < ZIP_FROM_BYTES:
        target.write_bytes(text)
    else:
        target = folder / f"{name}.csv.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_entry(f"{name}.csv"), text)
    return Download(target.name, what, target.stat().st_size, table.height)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, LONG_AGO)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _map_file(edition: Edition, folder: Path) -> Download:
    """Write the regions as GeoJSON with the figures of the last year."""
    year = max(edition.manifest["years"])
    figures = (
        edition.table("regions").filter(pl.col("year") == year).with_columns(pl.selectors.float().round_sig_figs(6))
    )
    names = edition.table("region_names").select("region", "name")
    table = edition.table("geometry").join(names, on="region", how="inner").join(figures, on="region", how="left")
    shapes = shapely.set_precision(shapely.from_wkb(table["wkb"].to_list()), 0.0001)
    text = io.StringIO()
    text.write('{"type":"FeatureCollection","features":[\n')
    for k, (shape, record) in enumerate(zip(shapely.to_geojson(shapes), table.drop("wkb").to_dicts(), strict=True)):
        properties = json.dumps(record, ensure_ascii=False, allow_nan=False)
        comma = ",\n" if k else ""
        text.write(f'{comma}{{"type":"Feature","geometry":{shape},"properties":{properties}}}')
    text.write("\n]}\n")
    target = folder / "regions.geojson"
    target.write_text(text.getvalue(), encoding="utf-8")
    return Download(
        target.name, f"shapes of the regions with their figures of {year}", target.stat().st_size, table.height
    )
