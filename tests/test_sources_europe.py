"""Eurostat and Britain: recorded pieces in the offices' formats, and every fault they can come with."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusterbook.data.sources import eurostat, uk
from clusterbook.errors import ClusterbookError, DataError

RECORDED = Path(__file__).parent / "recorded"
SBS, SBS_TSV = RECORDED / "sbs_r_nuts06_r2-2015.csv", RECORDED / "sbs_r_nuts06_r2.tsv"
ACCOUNTS = RECORDED / "nama_10r_3empers-2019.csv"
BRES, GVA = RECORDED / "bres-2022-itl2-section-0.csv", RECORDED / "regional-gva-3c.csv"


def edited(path: Path, folder: Path, old: str, new: str) -> Path:
    """Return a copy of a recording with one text replaced."""
    text = path.read_text("utf-8")
    assert old in text
    (folder / path.name).write_text(text.replace(old, new), "utf-8")
    return folder / path.name


# ---- Eurostat --------------------------------------------------------------------------------------------------------


def test_sbs_cells_flags_and_bounds() -> None:
    panel = eurostat.read(SBS)
    assert panel.frame.select("region", "industry", "employment", "status").rows() == [
        ("AT11", "B05", 0, "zero"), ("AT11", "C10", 2485, "disclosed"), ("AT11", "C13", 437, "imputed"),
        ("AT12", "C10", 15716, "disclosed"), ("DE11", "C10", 28540, "disclosed"), ("DE11", "C13", None, "suppressed"),
        ("FR21", "C10", 9922, "disclosed"), ("IS00", "B05", None, "not_collected"), ("PL11", "C13", 880, "disclosed"),
    ]  # fmt: skip
    secret = panel.frame.row(5, named=True)
    assert (secret["employment_lo"], secret["employment_hi"]) == (0, None)
    assert panel.frame["employment_lo"].null_count() == 8


def test_sbs_names_levels_and_source() -> None:
    panel = eurostat.read(SBS)
    assert panel.regions.names()["AT12"] == "Niederösterreich"
    assert panel.industries.titles["C10"] == "Manufacture of food products"
    assert panel.source.vintage == "2015, NUTS before 2016"
    assert panel.source.caveats[-1] == "Cells with flags: definition differs (d): 1; estimated (e): 1."
    assert eurostat.read(SBS, nace="section").frame.select("region", "industry").rows() == [
        ("AT11", "B"), ("AT11", "C"), ("AT12", "B"),
    ]  # fmt: skip
    assert eurostat.read(SBS, level=0, nace="section").frame.select("region", "employment").rows() == [("AT", 7089)]


def test_tsv_files_hold_figure_and_flag_in_one_field() -> None:
    panel = eurostat.read(SBS_TSV)
    assert panel.years == (2014, 2015)
    assert panel.frame.select("region", "industry", "employment", "status").tail(6).rows() == [
        ("AT11", "C10", 2485, "disclosed"), ("AT11", "C13", 437, "imputed"), ("DE11", "C10", 28540, "disclosed"),
        ("DE11", "C13", None, "suppressed"), ("IS00", "B05", None, "not_collected"), ("PL11", "C13", 880, "disclosed"),
    ]  # fmt: skip
    assert "break in time series (b): 1" in panel.source.caveats[-1]


def test_accounts_come_in_branches_that_add_up_and_in_jobs() -> None:
    panel = eurostat.read(ACCOUNTS, level=3)
    assert sorted(set(panel.frame["industry"])) == ["A", "B-E", "F", "G-J", "K-N", "O-U"]
    stuttgart = panel.frame.filter(region="DE111")
    assert stuttgart["employment"].sum() == pytest.approx(610_500)
    assert panel.totals is not None and panel.totals["employment"].to_list() == pytest.approx([610_500, 305_250])
    assert panel.source.title.startswith("Employment by NUTS 3 region")


@pytest.mark.parametrize("accident", ["12:00 AM", "05:00", "5-Jan", "1.5.2015"])
def test_what_a_spreadsheet_made_of_a_figure_is_named(tmp_path: Path, accident: str) -> None:
    with pytest.raises(DataError) as error:
        eurostat.read(edited(SBS, tmp_path, "2015,,437,", f"2015,,{accident},"))
    message = str(error.value)
    assert "spreadsheet accident (1)" in message
    assert f"line 12, column 'OBS_VALUE', value '{accident}'" in message
    assert "do not open and save it in a spreadsheet" in message
    assert eurostat.read(SBS).frame.height == 9


def test_free_is_no_forecast_and_other_confidentiality_is(tmp_path: Path) -> None:
    path = edited(SBS, tmp_path, "2015,,2485,,,,,", "2015,,2485,,,,F,")
    assert eurostat.read(path).frame.row(1)[3:] == (2485, None, None, "disclosed")
    for old, new in (("2485,,,,,", "2485,,,,D,"), ("2485,,,,,", "2485,,@C,,,")):
        assert eurostat.read(edited(SBS, tmp_path, old, new)).frame.row(1)[3:] == (None, 0, None, "suppressed")


def test_tsv_accidents_are_placed_too(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 2, column 'OBS_VALUE', value '12:00 AM': a spreadsheet has put a clock"):
        eurostat.read(edited(SBS_TSV, tmp_path, "V16110,IS00\t: \t: ", "V16110,IS00\t12:00 AM\t: "))


def test_eurostat_faults(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 'nace_r2'"):
        eurostat.read(edited(SBS, tmp_path, "nace_r2", "nace_r21"))
    with pytest.raises(DataError, match=r"unknown codes(.|\n)*value 'q': not a known flags(.|\n)*Known are b, c, d"):
        eurostat.read(edited(SBS, tmp_path, "437,,e,", "437,,eq,"))
    with pytest.raises(DataError, match="column 'indic_sb' holds V11210 where only V16110 is read"):
        eurostat.read(edited(SBS, tmp_path, "C13,Manufacture of textiles,V16110", "C13,Manufacture of textiles,V11210"))
    with pytest.raises(DataError, match="column 'unit' holds PC_TOT where only THS is read"):
        eurostat.read(edited(ACCOUNTS, tmp_path, "THS", "PC_TOT"), level=3)
    with pytest.raises(DataError, match=r"in 2015 FR21 \(before NUTS 2016\) stands beside FRF2"):
        eurostat.read(edited(SBS, tmp_path, "AT12,", "FRF2,"))
    with pytest.raises(DataError, match="files of nama_10r_3empers and sbs_r_nuts06_r2"):
        eurostat.read([SBS, ACCOUNTS])
    with pytest.raises(DataError, match="no row is of the kind asked for"):
        eurostat.read(SBS, level=3)
    with pytest.raises(ClusterbookError, match="nace is one of section, division, group"):
        eurostat.read(SBS, nace="class")
    text = SBS.read_text("utf-8")
    (tmp_path / "cut.csv").write_text(text[: text.rindex(",EU28")], "utf-8")
    with pytest.raises(DataError, match=r"column 'geo': empty(.|\n)*cut short or edited"):
        eurostat.read(tmp_path / "cut.csv")


# ---- Britain ---------------------------------------------------------------------------------------------------------


def test_bres_jobs() -> None:
    panel = uk.read(BRES)
    assert panel.frame.select("region", "industry", "year", "employment", "status").rows() == [
        ("TLC1", "A", 2022, 2250, "disclosed"), ("TLC1", "C", 2022, 47_000, "disclosed"),
        ("TLC2", "A", 2022, None, "suppressed"), ("TLC2", "C", 2022, 53_000, "disclosed"),
    ]  # fmt: skip
    assert panel.regions.names()["TLC1"] == "Tees Valley and Durham"
    assert panel.industries.titles["C"] == "Manufacturing"
    assert "Open Government Licence v3.0" in panel.source.licence


def test_bres_faults(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 'GEOGRAPHY_CODE'"):
        uk.read(edited(BRES, tmp_path, "GEOGRAPHY_CODE", "GEOGRAPHY_ID"))
    with pytest.raises(DataError, match="column 'MEASURE_NAME' holds Count and Industry percentage"):
        uk.read(edited(BRES, tmp_path, '"Count",20100,"Value",53000', '"Industry percentage",20100,"Value",3.1'))
    with pytest.raises(DataError, match="column 'OBS_STATUS', value 'Z'"):
        uk.read(edited(BRES, tmp_path, '"Q"', '"Z"'))
    with pytest.raises(DataError, match="industries are 2-digit SIC and SIC 2007 section"):
        uk.read(edited(BRES, tmp_path, '"C","SIC 2007 section (A-U)"', '"10","2-digit SIC"'))
    with pytest.raises(DataError, match="duplicate keys"):
        uk.read([BRES, BRES])


def test_gva_rows_are_leaves_only() -> None:
    panel = uk.read(GVA)
    assert panel.years == (2021, 2022)
    assert sorted(set(panel.frame["industry"])) == ["41", "42", "43"]
    assert panel.frame.filter(region="TLC11", year=2022)["gva"].to_list() == [218, 106, 254]
    assert panel.totals is not None
    assert panel.totals.rows() == [
        ("TLC11", 2021, 529),
        ("TLC12", 2021, 245),
        ("TLC11", 2022, 578),
        ("TLC12", 2022, 272),
    ]
    assert panel.source.unit("gva") == "million GBP, current prices"


def test_gva_from_the_workbook(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.create_sheet("Table 3c")
    for line in GVA.read_text().splitlines():
        book["Table 3c"].append([int(v) if v.lstrip("-").isdigit() and len(v) != 2 else v for v in line.split(",")])
    book.save(tmp_path / "gva.xlsx")
    assert uk.read(tmp_path / "gva.xlsx").frame.equals(uk.read(GVA).frame)
    with pytest.raises(DataError, match="no sheet 'Table 9'"):
        uk.read(tmp_path / "gva.xlsx", sheet="Table 9")


def test_gva_faults(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="value 'X-9': this row is of no known kind"):
        uk.read(edited(GVA, tmp_path, ",42,", ",X-9,"))
    with pytest.raises(DataError, match="no header row with a cell 'SIC07 code'"):
        uk.read(edited(GVA, tmp_path, "SIC07 code", "Industry"))
    with pytest.raises(DataError, match="line 7, column '2021', value '18x'"):
        uk.read(edited(GVA, tmp_path, "buildings,187", "buildings,18x"))
    panel = uk.read(edited(GVA, tmp_path, "buildings,187", "buildings,-25"))
    assert panel.frame.row(0) == ("TLC11", "41", 2021, None, "not_collected")
    assert panel.source.caveats[-1].startswith("1 negative figures")


def test_leaves_of_the_real_nesting() -> None:
    codes = ["Total", "A-E", "G-T", "L (68)", "68IMP", "68", "O (84)", "CD-CG (19-23)", "C (10-33)", "G (45-47)", "45"]
    assert uk.leaves(codes) == ["45", "68", "68IMP", "CD-CG (19-23)", "O (84)"]
