import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import clusterbook as cb
from clusterbook.data.panel import STATUS
from clusterbook.errors import EditionError, OutputError
from clusterbook.folders import fresh_folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_inputs_give_the_same_bytes(panel, definitions, edition, tmp_path):
    again = cb.build_edition(panel, definitions, tmp_path / "again")
    assert files(again.path) == files(edition.path)


def test_cluster_figures_are_sums_of_their_cells(panel, definitions, edition):
    row = edition.table("clusters").filter(region="R03", year=2019).row(0, named=True)
    members = definitions.members.filter(cluster=row["cluster"])["industry"]
    cells = panel.frame.filter(pl.col("industry").is_in(members.implode()), region="R03", year=2019)
    assert row["employment"] == cells["employment"].sum()
    assert row["establishments"] == cells["establishments"].sum()
    region = panel.frame.filter(region="R03", year=2019)["employment"].sum()
    assert row["region_share"] == pytest.approx(row["employment"] / region)


def test_traded_clusters_are_compared_with_traded_employment(edition):
    table = edition.table("clusters").filter(year=2019, kind="traded")
    here = table.filter(region="R05")
    row = here.row(0, named=True)
    everywhere = table.filter(cluster=row["cluster"])["employment"].sum()
    expected = (row["employment"] / here["employment"].sum()) / (everywhere / table["employment"].sum())
    assert row["lq"] == pytest.approx(expected)
    assert row["lq"] != pytest.approx(row["lq_all"])


def test_quotients_weighted_by_region_size_average_to_one(edition):
    table = edition.table("clusters").filter(year=2019, kind="traded")
    weight = table.group_by("region").agg(pl.sum("employment").alias("weight"))
    checked = (
        table.join(weight, on="region")
        .group_by("cluster")
        .agg((pl.col("lq") * pl.col("weight")).sum() / pl.col("weight").sum())
    )
    assert checked["lq"].to_list() == pytest.approx([1.0] * 3)


def test_growth_wages_and_ranks(panel, edition):
    change = edition.table("change")
    nation = change.filter(region="*", cluster="*").row(0, named=True)
    by_year = panel.frame.group_by("year").agg(pl.sum("employment")).sort("year")["employment"].to_list()
    assert nation["growth"] == pytest.approx(by_year[1] / by_year[0] - 1)
    assert (nation["from_year"], nation["to_year"], nation["wage_year"]) == (2018, 2019, 2019)
    assert nation["wage"] == pytest.approx(50.0)
    here = change.filter(region="R01").row(0, named=True)
    assert here["growth_relative"] == pytest.approx(here["growth"] - here["growth_national"])
    ranks = edition.table("clusters").filter(year=2019).group_by("cluster").agg(pl.col("rank").min())
    assert ranks["rank"].to_list() == [1] * ranks.height


def test_a_suppressed_cell_suppresses_every_sum_it_is_part_of_and_is_never_zero(panel, definitions, tmp_path):
    one = (pl.col("region") == "R03") & (pl.col("industry") == "11") & (pl.col("year") == 2019)
    frame = panel.frame.with_columns(
        pl.when(one).then(None).otherwise("employment").alias("employment"),
        pl.when(one).then(pl.lit("suppressed", STATUS)).otherwise("status").alias("status"),
        pl.when(one).then(5.0).alias("employment_lo"),
        pl.when(one).then(90.0).alias("employment_hi"),
    )
    built = cb.build_edition(replace(panel, frame=frame), definitions, tmp_path / "hidden")
    cluster = definitions.members.filter(industry="11")["cluster"].item()
    row = built.table("clusters").filter(region="R03", cluster=cluster, year=2019).row(0, named=True)
    rest = definitions.members.filter(pl.col("cluster") == cluster, pl.col("industry") != "11")["industry"]
    known = frame.filter(pl.col("industry").is_in(rest.implode()), region="R03", year=2019)["employment"].sum()
    assert row["employment"] is None
    assert row["status"] == "suppressed"
    assert (row["employment_lo"], row["employment_hi"]) == (known + 5, known + 90)
    assert row["lq"] is None
    assert row["strong"] is None
    assert row["establishments"] is not None  # establishments were disclosed
    total = built.table("cluster_totals").filter(cluster=cluster, year=2019).row(0, named=True)
    assert total["employment"] is None
    assert total["gini"] is None
    assert built.table("regions").filter(region="R03", year=2019)["employment"].item() is None
    bounded = built.table("clusters").filter(pl.col("lq").is_not_null(), pl.col("lq_lo").is_not_null())
    assert bounded.height > 0
    assert bounded.filter(~pl.col("lq").is_between("lq_lo", "lq_hi")).is_empty()


def test_no_table_holds_nan(edition):
    for name in edition.tables:
        table = edition.table(name)
        floats = [column for column, dtype in table.schema.items() if dtype.is_float()]
        assert not table.select(pl.any_horizontal(pl.col(floats).is_nan().any()) if floats else pl.lit(False)).item(), (
            name
        )


def test_overlapping_definitions_count_nothing_twice(panel, definitions, tmp_path):
    half = definitions.members.filter(industry="11").with_columns(weight=pl.lit(0.5))
    other = definitions.clusters.filter(kind="traded")["cluster"].to_list()
    other.remove(half["cluster"].item())
    members = pl.concat(
        [
            definitions.members.filter(pl.col("industry") != "11"),
            half,
            half.with_columns(cluster=pl.lit(other[0])),
        ]
    )
    built = cb.build_edition(panel, replace(definitions, members=members), tmp_path / "half")
    total = built.table("clusters").filter(year=2019)["employment"].sum()
    assert total == pytest.approx(panel.frame.filter(year=2019)["employment"].sum())


def test_a_trend_panel_is_marked_and_says_how_much_it_sees(panel, definitions, tmp_path):
    partial = replace(
        panel,
        frame=panel.frame.filter(pl.col("industry") != "11"),
        source=replace(panel.source, id="partial", title="Partial census"),
    )
    built = cb.build_edition(panel, definitions, tmp_path / "two", trend=partial)
    assert [s["role"] for s in built.manifest["sources"]] == ["levels", "trends"]
    seen = built.table("change").filter(region="*", cluster="*")["trend_coverage"].item()
    now = panel.frame.filter(year=2019)
    without = now.filter(pl.col("industry") != "11")
    assert seen == pytest.approx(without["employment"].sum() / now["employment"].sum())


def test_growth_is_measured_between_years_without_suppressed_cells(panel, definitions, tmp_path):
    frame = pl.concat([panel.frame, panel.frame.filter(year=2018).with_columns(year=pl.lit(2017, pl.Int64))])
    hide = (pl.col("year") == 2017) & (pl.col("industry") == "12")
    frame = frame.with_columns(employment=pl.when(hide).then(None).otherwise("employment"))
    built = cb.build_edition(
        replace(panel, frame=frame.sort("year", "region", "industry")), definitions, tmp_path / "e"
    )
    assert built.manifest["growth_years"] == [2018, 2019]


def test_a_trend_panel_of_other_regions_is_refused(panel, definitions, tmp_path):
    elsewhere = replace(panel, frame=panel.frame.with_columns(region=pl.lit("X") + pl.col("region")))
    with pytest.raises(EditionError, match="none of the 24 regions"):
        cb.build_edition(panel, definitions, tmp_path / "no", trend=elsewhere)
    assert not (tmp_path / "no").exists()


def test_similar_regions_share_their_specialisation(edition):
    similar = edition.table("similar")
    assert similar["similarity"].is_between(0, 1).all()
    assert similar.filter(pl.col("region") == pl.col("other")).is_empty()
    clusters = edition.table("clusters").filter(year=2019, kind="traded").sort("lq", descending=True)
    home = dict(clusters.unique("region", keep="first").select("region", "cluster").iter_rows())
    nearest = similar.filter(rank=1)
    same = [home[a] == home[b] for a, b in nearest.select("region", "other").iter_rows()]
    assert np.mean(same) == 1.0


# --- keeping -----------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(edition, tmp_path):
    shutil.copytree(edition.path, tmp_path / "copy")
    return tmp_path / "copy"


def test_a_changed_file_is_refused(copy):
    file = copy / "clusters.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(EditionError, match=r"clusters\.parquet was changed after it was written"):
        cb.open_edition(copy)


def test_a_truncated_and_a_missing_file_are_both_named(copy):
    (copy / "cells.parquet").write_bytes((copy / "cells.parquet").read_bytes()[:-100])
    (copy / "regions.parquet").unlink()
    with pytest.raises(EditionError, match=r"cells\.parquet has \d+ bytes instead of \d+.*regions\.parquet is missing"):
        cb.open_edition(copy)


def test_a_broken_manifest_another_format_and_no_edition_are_refused(copy, tmp_path):
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**manifest, "format": "clusterbook-edition/99"}))
    with pytest.raises(EditionError, match="clusterbook-edition/99"):
        cb.open_edition(copy)
    (copy / "manifest.json").write_text("{ not json")
    with pytest.raises(EditionError, match="cannot be read"):
        cb.open_edition(copy)
    with pytest.raises(EditionError, match=r"not an edition.*clusterbook build"):
        cb.open_edition(tmp_path)


def test_an_interrupted_build_leaves_the_old_edition(panel, definitions, edition, copy, monkeypatch):
    before = files(copy)
    written = pl.DataFrame.write_parquet

    def stop_half_way(self, file, **options):
        if Path(file).name == "regions.parquet":
            raise KeyboardInterrupt
        return written(self, file, **options)

    monkeypatch.setattr(pl.DataFrame, "write_parquet", stop_half_way)
    with pytest.raises(KeyboardInterrupt):
        cb.build_edition(panel, definitions, copy)
    assert files(copy) == before
    assert [p.name for p in copy.parent.iterdir()] == ["copy"]  # nothing half made is left behind


def test_a_rebuild_replaces_the_old_edition(panel, definitions, copy):
    built = cb.build_edition(panel, definitions, copy, title="Second")
    assert built.manifest["title"] == "Second"
    assert [p.name for p in copy.parent.iterdir()] == ["copy"]


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.ENOSPC, "disk is full: free some space"),
        (errno.EROFS, "read-only: name another"),
        (errno.EACCES, "may not write"),
    ],
)
def test_a_place_that_cannot_be_written_is_said_with_a_remedy(tmp_path, code, remedy):
    with pytest.raises(OutputError, match=remedy), fresh_folder(tmp_path / "out", marker="m") as folder:
        (folder / "part").write_text("x")
        raise OSError(code, "no")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_ours_is_never_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("years of work")
    with (
        pytest.raises(OutputError, match="was not made by Clusterbook"),
        fresh_folder(tmp_path / "thesis", marker="manifest.json"),
    ):
        pass
    assert (tmp_path / "thesis" / "chapter1.txt").read_text() == "years of work"


def test_the_manifest_names_inputs_parameters_and_software(edition, panel):
    manifest = edition.manifest
    assert manifest["inputs"]["panel"] == panel.content_hash
    assert manifest["software"] == f"clusterbook {cb.__version__}"
    assert manifest["units"]["wage"] == "thousand USD a year per job"
    assert {p["id"]: p["verified"] for p in manifest["profiles"]}["uscmp"] is True


def test_the_content_hash_sees_every_change(panel):
    changed = panel.frame.with_columns(
        employment=pl.when(pl.int_range(pl.len()) == 5).then(pl.col("employment") + 1).otherwise("employment")
    )
    assert replace(panel, frame=changed).content_hash != panel.content_hash
    assert replace(panel, source=replace(panel.source, vintage="2020")).content_hash != panel.content_hash
    assert replace(panel, frame=panel.frame.clone()).content_hash == panel.content_hash
