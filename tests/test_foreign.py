"""A country nobody wrote code for: Cyrillic names, decimal commas, a byte order mark, Windows line ends."""

from pathlib import Path

import polars as pl
import pytest

import clusterbook as cb
from conftest import make_panel
from test_cli import run

MAPPING = """
[file]
path = "занятость.csv"
separator = ";"
decimal = ","

[columns]
region = "Код"
region_name = "Область"
industry = "Отрасль"
industry_title = "Название"
year = "Год"
employment = "Занятые"

[scale]
employment = 1000

[source]
id = "toy-ru"
title = "Занятость по отраслям"
publisher = "Статистика"
licence = "CC BY 4.0"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    panel = make_panel()
    lines = ["Код;Область;Отрасль;Название;Год;Занятые"]
    for region, industry, year, jobs in panel.frame.select("region", "industry", "year", "employment").iter_rows():
        thousands = f"{jobs / 1000:.3f}".replace(".", ",")
        lines.append(f"{region};Область №{region[1:]};{industry};Отрасль {industry};{year};{thousands}")
    (tmp_path / "занятость.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*lines, ""]).encode())
    (tmp_path / "clusterbook.toml").write_text(MAPPING, encoding="utf-8")
    return tmp_path


def test_an_atlas_from_a_foreign_file_needs_one_mapping_and_one_command(folder):
    made = run("atlas", ".", "--out", "атлас", cwd=folder)
    assert made.returncode == 0, made.stderr
    assert "Занятость по отраслям" in (folder / "атлас" / "index.html").read_text(encoding="utf-8")
    edition = cb.open_edition(folder / "атлас.edition")
    expected = make_panel().frame.filter(year=2019)["employment"].sum()
    assert edition.table("clusters").filter(year=2019)["employment"].sum() == pytest.approx(expected)
    assert edition.table("region_names").filter(region="R05")["name"].item() == "Область №05"
    assert edition.table("industries").filter(pl.col("industry") == "11")["title"][0] == "Отрасль 11"
