"""CBP, QCEW and BEA: recorded pieces in the offices' formats, and every fault they can come with."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from clusterbook.data.input_output import InputOutput, industry_by_industry
from clusterbook.data.panel import Source
from clusterbook.data.sources import bea, cbp, naics, qcew
from clusterbook.errors import ClusterbookError, DataError
from clusterbook.measures.input_output import input_coefficients

RECORDED = Path(__file__).parent / "recorded"
CBP_2015, CBP_2019 = RECORDED / "cbp15co.txt", RECORDED / "cbp19co.txt"
CBP_API, QCEW = RECORDED / "cbp-2019-metro.json", RECORDED / "qcew-2019-area-01001.csv"


def edited(path: Path, folder: Path, old: str, new: str, *, name: str = "") -> Path:
    """Return a copy of a recording with one text replaced."""
    text = path.read_text("utf-8")
    assert old in text
    target = folder / (name or path.name)
    target.write_text(text.replace(old, new), "utf-8")
    return target


def cell(frame: pl.DataFrame, region: str, industry: str) -> dict[str, object]:
    return frame.row(by_predicate=(pl.col("region") == region) & (pl.col("industry") == industry), named=True)


# ---- CBP -------------------------------------------------------------------------------------------------------------


def test_cbp_to_2016_bounds_withheld_jobs_by_size_classes_and_flag() -> None:
    panel = cbp.read(CBP_2015)
    assert panel.frame.select("region", "industry").rows() == [
        ("01001", "113310"), ("01001", "212321"), ("01001", "322121"), ("01003", "336411"), ("01003", "541110"),
    ]  # fmt: skip
    gravel = cell(panel.frame, "01001", "212321")
    # classes 1-4, 10-19, 20-49: 0 + 10 + 20 to 4 + 19 + 49 jobs; the flag says 20 to 99
    assert (gravel["status"], gravel["employment"]) == ("suppressed", None)
    assert (gravel["employment_lo"], gravel["employment_hi"]) == (30, 72)
    assert (gravel["payroll"], gravel["payroll_lo"], gravel["payroll_hi"]) == (None, 0, None)
    assert gravel["establishments"] == 3
    aircraft = cell(panel.frame, "01003", "336411")
    # one class is open above (5,000 and more); the flag closes it: 10,000 to 24,999
    assert (aircraft["employment_lo"], aircraft["employment_hi"]) == (10_000, 24_999)
    logging = cell(panel.frame, "01001", "113310")
    assert (logging["employment"], logging["payroll"], logging["status"]) == (62, 3230, "disclosed")
    assert (logging["employment_lo"], logging["employment_hi"]) == (None, None)


def test_cbp_totals_classification_and_source() -> None:
    panel = cbp.read(CBP_2015)
    assert panel.totals is not None
    assert panel.totals.select("region", "employment", "establishments").rows() == [
        ("01001", 10_454, 850), ("01003", 57_000, 5200),
    ]  # fmt: skip
    assert panel.industries.classification == "NAICS 2012"
    assert panel.industries.ancestors("336411") == ["33641", "3364", "336", "31-33"]
    assert panel.source.publisher == "U.S. Census Bureau" and panel.source.vintage == "2015, NAICS 2012"
    assert not any("left out" in caveat for caveat in panel.source.caveats)
    assert panel.source.unit("payroll") == "thousand USD a year"


def test_cbp_from_2017_has_noise_and_drops_small_cells() -> None:
    panel = cbp.read(CBP_2019)
    assert panel.frame.filter(pl.col("status") == "disclosed")["employment"].to_list() == [73, 80, 91, 4]
    courier = cell(panel.frame, "01001", "492110")
    # class n<5 holds 3 establishments, the others are withheld: no upper bound
    assert (courier["status"], courier["employment_lo"], courier["employment_hi"]) == ("suppressed", 0, None)
    assert panel.source.caveats[1] == (
        "Figures carry random noise against disclosure: below 2 % in 2 cells, 2 to 5 % in 1, 5 % or more in 1."
    )
    assert "fewer than three establishments are left out" in panel.source.caveats[2]
    assert cbp.read(CBP_2019, digits=2).frame["industry"].to_list() == ["31-33"]


def test_cbp_jobs_of_zero_without_pay_are_withheld_but_with_pay_a_true_figure(tmp_path: Path) -> None:
    text = "fipstate,fipscty,naics,emp,ap,est,n<5,n5_9,n1000\n"
    path = tmp_path / "cbp17co.txt"
    path.write_text(text + "01,001,221112,0,0,5,N,N,N\n01,001,113310,0,33,3,3,0,0\n01,001,212321,60,3280,3,0,0,0\n")
    frame = cbp.read(path).frame
    assert frame.select("industry", "employment", "status").rows() == [
        ("113310", 0, "disclosed"), ("212321", 60, "disclosed"), ("221112", None, "suppressed"),
    ]  # fmt: skip


def test_cbp_api_files_bring_names() -> None:
    panel = cbp.read(CBP_API, digits=4)
    assert panel.frame.select("region", "industry", "year", "employment", "establishments").rows() == [
        ("10100", "3331", 2019, 9, 4)
    ]
    assert panel.regions.names() == {"10100": "Aberdeen, SD Micro Area"}
    assert panel.industries.titles["31-33"] == "Manufacturing"
    assert panel.regions.noun == ("metro area", "metro areas")
    assert panel.totals is not None and panel.totals["employment"].to_list() == [19_132]


def test_cbp_years_of_one_edition_of_naics_go_together(tmp_path: Path) -> None:
    other = edited(CBP_2019, tmp_path, "01,001", "01,003", name="cbp18co.txt")
    panel = cbp.read([CBP_2019, other])
    assert panel.years == (2018, 2019) and panel.frame.height == 10
    with pytest.raises(DataError, match="the years use NAICS 2012 and NAICS 2017"):
        cbp.read([CBP_2015, CBP_2019])
    with pytest.raises(DataError, match="files of county and metro"):
        cbp.read([CBP_2019, CBP_API])
    same = tmp_path / "again" / "cbp19co.txt"
    same.parent.mkdir()
    shutil.copy(CBP_2019, same)
    with pytest.raises(DataError, match=r"duplicate keys \(5\)"):
        cbp.read([CBP_2019, same])


def test_cbp_state_files_count_all_legal_forms_once(tmp_path: Path) -> None:
    path = tmp_path / "cbp19st.txt"
    path.write_text(
        "fipstate,lfo,naics,emp,ap,est,n<5,n1000\n01,-,113310,600,30000,50,20,0\n01,C,113310,400,20000,30,10,0\n"
    )
    assert cbp.read(path).frame.select("region", "employment").rows() == [("01", 600)]


def test_cbp_faults(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"changed columns.*\n.*no column 'est'"):
        cbp.read(edited(CBP_2019, tmp_path, ",est,", ",establishments,"))
    with pytest.raises(DataError, match="layout is that of 2017 and after, its year is given as 2014"):
        cbp.read(edited(CBP_2019, tmp_path, "01", "01", name="cbp14co.txt"))
    with pytest.raises(DataError, match="layout is that of 2016 and before, its year is given as 2018"):
        cbp.read(CBP_2015, year=2018)
    with pytest.raises(DataError) as unknown:
        cbp.read(edited(CBP_2015, tmp_path, '"B","D"', '"Q","D"'))
    assert "unknown codes" in str(unknown.value) and "line 5, column 'EMPFLAG', value 'Q'" in str(unknown.value)
    with pytest.raises(DataError, match=r"mixed units(.|\n)*payroll is 2\.66e\+04 thousand USD a job"):
        cbp.read(edited(CBP_2019, tmp_path, ",338000,", ",338000000,"))
    with pytest.raises(DataError, match=r"line 4, column 'emp', value '7\?3'"):
        cbp.read(edited(CBP_2019, tmp_path, "G,73,", "G,7?3,"))
    with pytest.raises(DataError, match=r"spreadsheet accident(.|\n)*value '5-Jan'"):
        cbp.read(edited(CBP_2019, tmp_path, "G,73,", "G,5-Jan,"))
    with pytest.raises(DataError, match=r"truncated file(.|\n)*not a whole answer of the API"):
        cbp.read(edited(CBP_API, tmp_path, '"3","20","H","1100","H","10100"]]', '"3","2'))
    with pytest.raises(DataError, match="its industries are NAICS2012, those of 2019 are NAICS2017"):
        cbp.read(edited(CBP_API, tmp_path, "NAICS2017", "NAICS2012"))
    with pytest.raises(ClusterbookError, match="does not say its year"):
        cbp.read(edited(CBP_2019, tmp_path, "01", "01", name="mine.txt"))
    with pytest.raises(DataError, match="no row is of the kind asked for"):
        cbp.read(CBP_2019, digits=5)


def test_a_cut_cbp_row_is_refused(tmp_path: Path) -> None:
    text = CBP_2019.read_text()
    (tmp_path / "cbp19co.txt").write_text(text[: text.index("4512,3")])
    with pytest.raises(DataError, match=r"column 'est': empty(.|\n)*cut short or edited"):
        cbp.read(tmp_path / "cbp19co.txt")


def test_naics_editions_and_parents() -> None:
    assert [naics.edition(y, naics.LABOR_STATISTICS) for y in (2010, 2011, 2022)] == [2007, 2012, 2022]
    with pytest.raises(ClusterbookError, match="The figures of 1995 are not by NAICS"):
        naics.edition(1995, naics.CENSUS_BUREAU)
    assert [naics.edition(y, naics.CENSUS_BUREAU) for y in (1998, 2003, 2011, 2012, 2022, 2023)] == [
        1997, 2002, 2007, 2012, 2017, 2022,
    ]  # fmt: skip
    assert (naics.parent("441"), naics.parent("23"), naics.parent("2361")) == ("44-45", None, "236")


# ---- QCEW ------------------------------------------------------------------------------------------------------------


def test_qcew_private_cells_of_one_level() -> None:
    panel = qcew.read(QCEW, digits=4)
    assert panel.frame.select("region", "industry", "year", "employment", "payroll", "status").rows() == [
        ("01001", "3221", 2019, None, None, "suppressed"),
        ("01001", "3339", 2019, 61, 2900, "disclosed"),
        ("01001", "6111", 2019, 40, 1200, "disclosed"),
    ]
    mill = cell(panel.frame, "01001", "3221")
    assert (mill["establishments"], mill["employment_lo"], mill["employment_hi"]) == (1, 0, None)
    assert panel.totals is not None
    assert panel.totals.rows() == [("01001", 2019, 8967, 840, 325_800)]
    assert panel.regions.frame["region"].to_list() == ["01001"]  # not 01999, which is no county


def test_qcew_owners_add_up_and_stay_suppressed() -> None:
    panel = qcew.read(QCEW, digits=4, owners=("private", "local"))
    school, mill = cell(panel.frame, "01001", "6111"), cell(panel.frame, "01001", "3221")
    assert (school["employment"], school["establishments"], school["payroll"]) == (1140, 18, 47_200)
    assert (mill["employment"], mill["employment_lo"], mill["status"]) == (None, 5, "suppressed")
    assert panel.source.note == "Ownership: private, local."
    assert qcew.read(QCEW, digits=2).frame["industry"].to_list() == ["31-33"]


def test_qcew_faults(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 'annual_avg_emplvl'"):
        qcew.read(edited(QCEW, tmp_path, "annual_avg_emplvl", "month1_emplvl"))
    with pytest.raises(DataError, match=r"unknown codes(.|\n)*column 'disclosure_code', value 'X'"):
        qcew.read(edited(QCEW, tmp_path, '"A","N"', '"A","X"'), digits=4)
    with pytest.raises(DataError, match="column 'qtr', value '1'"):
        qcew.read(edited(QCEW, tmp_path, '"A"', '"1"'))
    with pytest.raises(DataError, match="mixed units"):
        qcew.read(edited(QCEW, tmp_path, ",325800000,", ",325800,"), digits=4)
    later = edited(QCEW, tmp_path, '"2019"', '"2022"', name="2022.csv")
    with pytest.raises(DataError, match="NAICS 2017 and NAICS 2022"):
        qcew.read([QCEW, later], digits=4)
    with pytest.raises(ClusterbookError, match="owners any of federal, state, local, private"):
        qcew.read(QCEW, owners=("public",))


# ---- BEA -------------------------------------------------------------------------------------------------------------

MAKE = "code,1111A0,331314,S00401,T008\n1111A0,90,0,0,90\n331314,10,50,2,62\n"
USE = "code,1111A0,331314,T001,T007\n1111A0,20,30,50,100\n331314,5,5,10,50\nS00401,1,1,2,2\nV00100,4,5,9,9\n"
IMPORT = "code,1111A0,331314,T001\n1111A0,0,10,10\n331314,5,0,5\nS00401,0,0,0\n"
NAMES = ("IOMake_After_2017.csv", "IOUse_PRO_After_2017.csv", "ImportMatrix_2017.csv")


def bea_files(folder: Path, make: str = MAKE, use: str = USE, imports: str = IMPORT) -> list[Path]:
    paths = [folder / name for name in NAMES]
    for path, text in zip(paths, (make, use, imports), strict=True):
        path.write_text(text)
    return paths


def test_bea_flows_are_market_shares_times_domestic_use(tmp_path: Path) -> None:
    crosswalk = tmp_path / "crosswalk.csv"
    crosswalk.write_text(
        "BEA_2017_Detail_Code,NAICS_2017_Code\n1111A0,111110\n1111A0,111120\n331314,331314\n331314,33\n"
    )
    table = bea.read(bea_files(tmp_path), crosswalk=crosswalk)
    assert table.industries == ("1111A0", "331314")
    # D = [[.9, 0], [.1, 1]], domestic use = [[20, 20], [0, 5]]
    np.testing.assert_allclose(table.flows, [[18, 18], [2, 7]])
    np.testing.assert_allclose(table.imports, [5, 10])
    np.testing.assert_allclose(table.output, [90, 62])  # scrap (2) is output, but no flow
    np.testing.assert_allclose(input_coefficients(table.flows, table.output)[:, 0], [0.2, 2 / 90])
    assert table.crosswalk.rows() == [("111110", "1111A0"), ("111120", "1111A0"), ("331314", "331314")]
    assert table.source.unit("flows") == "million USD"


def test_bea_reads_the_offices_workbooks(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    paths = []
    for text, name in zip((MAKE, USE, IMPORT), NAMES, strict=True):
        book = openpyxl.Workbook()
        book.active.title = "NAICS Codes"
        sheet = book.create_sheet("2017")
        for line in ("Input-Output Accounts", "(Millions of dollars)", ""):
            sheet.append([line])
        header, *rows = [line.split(",") for line in text.splitlines()]
        sheet.append([None, None, *("name" for _ in header[1:])])
        sheet.append(["Code", "Industry Description", *header[1:]])
        for code, *values in rows:
            sheet.append([code, f"Making {code}", *(float(v) or None for v in values)])
        sheet.append(["Note. Detail may not add to total due to rounding."])
        paths.append(tmp_path / name.replace(".csv", ".xlsx"))
        book.save(paths[-1])
    table = bea.read(paths)
    np.testing.assert_allclose(table.flows, [[18, 18], [2, 7]])
    assert table.titles == {"1111A0": "Making 1111A0", "331314": "Making 331314"}
    with pytest.raises(DataError, match=r"wrong vintage(.|\n)*no sheet '2012'"):
        bea.read(paths, year=2012)
    paths[0].write_bytes(paths[0].read_bytes()[:2000])
    with pytest.raises(DataError, match=r"truncated file(.|\n)*not a whole Excel file"):
        bea.read(paths)


def test_bea_faults(tmp_path: Path) -> None:
    with pytest.raises(ClusterbookError, match="0 of the files given are the imports table"):
        bea.read(bea_files(tmp_path)[:2])
    with pytest.raises(DataError, match=r"commodities of the make table that the use table lacks(.|\n)*"):
        bea.read(bea_files(tmp_path, use=USE.replace("S00401", "S00402")))
    with pytest.raises(DataError, match=r"mixed units(.|\n)*commodity output of 1111A0 adds up to 100"):
        bea.read(bea_files(tmp_path, use=USE.replace(",100\n", ",100000\n")))
    with pytest.raises(DataError, match=r"mixed units(.|\n)*imports .* exceed all use"):
        bea.read(bea_files(tmp_path, imports=IMPORT.replace("0,10,10", "0,10000,10")))
    with pytest.raises(DataError, match="value '12:00 AM'"):
        bea.read(bea_files(tmp_path, make=MAKE.replace("90,0,0", "12:00 AM,0,0")))
    crosswalk = tmp_path / "crosswalk.csv"
    crosswalk.write_text("BEA2017,NAICS2017_6d\n9999A0,111110\n")
    with pytest.raises(DataError, match="value '9999A0': no such industry in the tables"):
        bea.read(bea_files(tmp_path), crosswalk=crosswalk)


def test_input_output_refuses_shapes_that_do_not_fit() -> None:
    with pytest.raises(ClusterbookError, match=r"has shape \(2, 3\); use and imports"):
        industry_by_industry(np.ones((2, 3)), np.ones((2, 3)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="flows, output and imports have shapes"):
        InputOutput(np.ones((2, 2)), np.ones(3), np.ones(2), ("a", "b"), Source("x", "x"))


def test_domestic_use_is_never_negative_and_nothing_is_lost() -> None:
    rng = np.random.default_rng(3)
    make, use = rng.random((4, 5)) * 100, rng.random((5, 4)) * 10
    imports = use * rng.random((5, 4))
    imports[0, 0] = use[0, 0] + 1  # an import matrix that exceeds use
    flows, imported = industry_by_industry(make, use, imports)
    assert flows.min() >= 0
    np.testing.assert_allclose(flows.sum(axis=0) + imported, use.sum(axis=0))
