"""Any country by a mapping file: Cyrillic, decimal commas, byte order marks, Windows line ends; and the faults."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clusterbook.data.sources import INPUT_OUTPUT_SOURCES, SOURCES, tidy
from clusterbook.errors import ClusterbookError, DataError

RECORDED = Path(__file__).parent / "recorded" / "tidy"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RECORDED, tmp_path / "ru"))


def change(path: Path, old: str, new: str, encoding: str = "utf-8") -> None:
    """Replace one text in a file, line ends and marks left as they are."""
    text = path.read_bytes().decode(encoding)
    assert old in text
    path.write_bytes(text.replace(old, new).encode(encoding))


def test_a_foreign_file_needs_no_code(folder: Path) -> None:
    assert (folder / "jobs.csv").read_bytes().count(b"\r\n") == 6
    assert (folder / "okved.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    panel = tidy.read(folder)
    assert panel.frame.select("region", "industry", "year", "employment", "turnover", "status").rows() == [
        ("01", "10", 2019, 4200, 12_345.6, "disclosed"),
        ("01", "13", 2019, None, None, "suppressed"),
        ("02", "10", 2019, 1_234_500, None, "not_collected"),
        ("02", "13", 2019, 0, 0, "zero"),
    ]
    assert panel.regions.names() == {"01": "Республика Адыгея", "02": "Башкортостан"}
    assert panel.industries.titles["10"] == "Производство пищевых продуктов"
    assert panel.industries.parents == {"10": "C", "13": "C"}
    assert panel.industries.classification == "ОКВЭД 2"
    assert panel.source.title == "Среднесписочная численность работников"
    assert panel.source.caveats == ("Без малых предприятий",)
    assert panel.source.unit("turnover") == "million roubles"


def test_the_same_file_in_utf8_with_a_byte_order_mark(folder: Path) -> None:
    expected = tidy.read(folder).frame
    text = (folder / "jobs.csv").read_bytes().decode("cp1251")
    (folder / "jobs.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    change(folder / "clusterbook.toml", 'encoding = "cp1251"\n', "")
    assert tidy.read(folder / "clusterbook.toml").frame.equals(expected)


def test_several_files_notes_above_the_header_and_constants(folder: Path) -> None:
    rows = (folder / "jobs.csv").read_bytes().decode("cp1251").split("\r\n")
    for name, body in (("a.csv", rows[2:4]), ("b.csv", rows[4:6])):
        lines = ["Таблица 1", rows[0], *body]
        (folder / name).write_bytes("\r\n".join(lines).replace(";2019", "").replace(";Год", "").encode("cp1251"))
    change(folder / "clusterbook.toml", 'path = "jobs.csv"', 'path = ["a.csv", "b.csv"]\nskip = 1')
    change(folder / "clusterbook.toml", 'year = "Год"\n', "")
    change(folder / "clusterbook.toml", "[scale]", "[constants]\nyear = 2018\n\n[scale]")
    panel = tidy.read(folder)
    assert panel.years == (2018,) and panel.frame["employment"].to_list() == [4200, None, 1_234_500, 0]


def test_another_vintage_by_the_same_mapping(folder: Path, tmp_path: Path) -> None:
    later = tmp_path / "later.csv"
    later.write_bytes((folder / "jobs.csv").read_bytes().replace(b";2019;", b";2020;"))
    assert tidy.read(folder, data=later).years == (2020,)


def test_faults_of_the_table(folder: Path) -> None:
    jobs, mapping = folder / "jobs.csv", folder / "clusterbook.toml"
    original = jobs.read_bytes()
    change(jobs, ";4,2;", ";4.2;", "cp1251")  # a point among decimal commas: another unit, or another program
    with pytest.raises(DataError, match=r"jobs\.csv: 1 problem(.|\n)*value '4\?2'"):
        tidy.read(folder)
    jobs.write_bytes(original.replace(b";13;2019;0;0", b";99;2019;0;0"))
    with pytest.raises(DataError, match=r"unknown codes(.|\n)*value '99': .*not a known industry"):
        tidy.read(folder)
    jobs.write_bytes(original[:-8])
    with pytest.raises(DataError, match=r"another number of fields than the header \(6\)(.|\n)*cut short"):
        tidy.read(folder)
    jobs.write_bytes(original.replace(b";10;2019;4,2", b";10;12:00 AM;4,2"))
    with pytest.raises(DataError, match="year not an integer"):
        tidy.read(folder)
    jobs.write_bytes(original)
    change(mapping, 'encoding = "cp1251"\n', "")
    with pytest.raises(DataError, match=r"byte 0 is not utf-8(.|\n)*encoding = \"cp1251\""):
        tidy.read(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('year = "Год"', 'year = "Года"', r"the file has no column 'Года' for year \(did you mean 'Год'\?\)"),
        ('separator = ";"', 'seperator = ";"', r"\[file\] has no key 'seperator' \(did you mean 'separator'\?\)"),
        ("[scale]", "[scales]", r"no section \[scales\] is known \(did you mean 'scale'\?\)"),
        ('title = "Среднесписочная численность работников"\n', "", r"\[source\] has no title"),
        ('path = "jobs.csv"\n', "", r"\[file\] names no path"),
        ('year = "Год"\n', "", r"say where the year stands, in \[columns\] or in \[constants\]"),
        ('code = "Код"\n', "", r"\[lists.industry\] needs a path and the name of its column of codes"),
        ('parent = "Выше"\n', 'above = "Выше"\n', r"\[lists.industry\] has no key 'above'"),
        ('encoding = "cp1251"', 'encoding = "cp99"', "there is no encoding 'cp99'"),
        ("[scale]", "[scale", "not sound TOML"),
        ("[scale]\nemployment", "[scale]\npayroll", "no measure 'payroll'"),
    ],
)
def test_faults_of_the_mapping(folder: Path, old: str, new: str, message: str) -> None:
    change(folder / "clusterbook.toml", old, new)
    with pytest.raises(ClusterbookError, match=message):
        tidy.read(folder)


def test_no_mapping(tmp_path: Path) -> None:
    with pytest.raises(ClusterbookError, match=r"clusterbook\.toml: there is no such mapping"):
        tidy.read(tmp_path)


def test_the_registry_is_uniform() -> None:
    assert sorted(SOURCES) == ["abs_census", "cbp", "eurostat", "qcew", "stats_nz", "tidy", "uk"]
    for name, module in (SOURCES | INPUT_OUTPUT_SOURCES).items():
        assert callable(module.fetch) and callable(module.read)
        assert module.__doc__ is not None and module.__name__.endswith(name)
