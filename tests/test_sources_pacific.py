"""New Zealand and Australia: recorded pieces in the offices' formats, and every fault they can come with."""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl
import pytest

from clusterbook.data.sources import abs_census, stats_nz
from clusterbook.errors import ClusterbookError, DataError

RECORDED = Path(__file__).parent / "recorded"
UNITS, CENSUS, SA2 = (
    RECORDED / "geographic-units-2023.csv",
    RECORDED / "nz-census.csv",
    RECORDED / "sa2-pow-by-indp.csv",
)


def edited(path: Path, folder: Path, old: str, new: str) -> Path:
    """Return a copy of a recording with one text replaced."""
    text = path.read_text("utf-8")
    assert old in text
    (folder / path.name).write_text(text.replace(old, new), "utf-8")
    return folder / path.name


# ---- Stats NZ --------------------------------------------------------------------------------------------------------


def test_census_counts_are_within_two_of_the_truth() -> None:
    frame = stats_nz.read(CENSUS).frame.filter(region="2")
    assert frame.select("year", "employment", "employment_lo", "employment_hi", "status").rows() == [
        (1976, 0, 0, 2, "zero"), (1981, 3, 1, 5, "disclosed"), (1986, 6, 4, 8, "disclosed"),
    ]  # fmt: skip


def test_business_demography_is_rounded_in_grades() -> None:
    panel = stats_nz.read(UNITS, level="division", area="R")
    assert panel.frame.select("region", "employment", "employment_lo", "employment_hi").rows() == [
        ("R02", 25_000, 24_901, 25_099), ("R03", 0, 0, 2),
    ]  # fmt: skip
    assert panel.frame["establishments_lo"].to_list() == [12_628, 1]
    assert panel.totals is not None and panel.totals.rows() == [("R02", 2023, 231_000, 850_000)]
    group = stats_nz.read(UNITS, level="group", area="R").frame
    assert group.select("employment", "employment_lo", "employment_hi").row(0) == (130, 121, 139)
    small = stats_nz.read(UNITS, area="A").frame
    assert small.select("region", "employment_lo", "employment_hi").rows() == [("A100100", 21, 29)]


def test_bounds_add_up_with_the_cells() -> None:
    panel = stats_nz.read(CENSUS)
    both = pl.DataFrame({"part": ["1", "2"], "region": ["X", "X"]})
    summed = panel.aggregate(both, panel.regions).frame
    assert summed.select("employment", "employment_lo", "employment_hi").rows()[0] == (114, 112, 118)


def test_labels_come_from_lists(tmp_path: Path) -> None:
    (tmp_path / "areas.csv").write_text("ua,ua_name\n1,Whangarei\n")
    (tmp_path / "industries.csv").write_text("ind,ind_class,ind_name\nAA111,AA,Horticulture and fruit growing\n")
    panel = stats_nz.read(
        CENSUS, region_names=tmp_path / "areas.csv", industry_titles=tmp_path / "industries.csv"
    )  # fmt: skip
    assert panel.regions.names() == {"1": "Whangarei", "2": "2"}
    assert panel.industries.titles == {"AA111": "Horticulture and fruit growing"}


def test_stats_nz_faults(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 'emp'"):
        stats_nz.read(edited(CENSUS, tmp_path, "emp", "count"))
    with pytest.raises(DataError, match=r"mixed units(.|\n)*line 3, column 'emp', value '127': not a multiple of 3"):
        stats_nz.read(edited(CENSUS, tmp_path, "126.0", "127.0"))
    with pytest.raises(DataError, match="line 2, column 'geo_count', value '12631'"):
        stats_nz.read(edited(UNITS, tmp_path, "12630", "12631"))
    with pytest.raises(DataError, match=r"column 'emp': empty(.|\n)*cut short"):
        stats_nz.read(edited(CENSUS, tmp_path, "1986,6.0\n", "1986,"))
    with pytest.raises(DataError, match="census and business demography together"):
        stats_nz.read([CENSUS, UNITS])
    with pytest.raises(ClusterbookError, match="level is one of division, subdivision, group"):
        stats_nz.read(UNITS, level="class")
    with pytest.raises(DataError, match="no row is of the kind asked for"):
        stats_nz.read(UNITS, area="T")
    archive = tmp_path / "units.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(UNITS, UNITS.name)
    assert stats_nz.read(archive, level="division", area="R").frame.height == 2
    archive.write_bytes(archive.read_bytes()[:100])
    with pytest.raises(ClusterbookError, match="not a whole zip file"):
        stats_nz.read(archive)


# ---- Australia -------------------------------------------------------------------------------------------------------


def test_tablebuilder_without_totals_and_placeless_rows() -> None:
    panel = abs_census.read(SA2)
    assert panel.frame.select("region", "industry", "year", "employment").rows() == [
        ("Goulburn", "Accommodation", 2011, 145), ("Goulburn", "Agriculture", 2011, 36),
        ("Goulburn", "Food and Beverage Services", 2011, 675), ("Yass", "Accommodation", 2011, 53),
        ("Yass", "Agriculture", 2011, 101), ("Yass", "Food and Beverage Services", 2011, 181),
    ]  # fmt: skip
    assert panel.totals is not None
    assert panel.totals.select("region", "year", "employment").rows() == [("Goulburn", 2011, 868), ("Yass", 2011, 338)]
    # 12 + 3 not stated, 9 + 4 without a fixed address, 3 off shore
    assert panel.source.caveats[1] == "31 persons without a place of work or an industry are left out."


def test_tablebuilder_codes_before_names(tmp_path: Path) -> None:
    panel = abs_census.read(edited(SA2, tmp_path, '"Goulburn"', '"101011001 Goulburn"'))
    assert panel.regions.names() == {"101011001": "Goulburn", "Yass": "Yass"}
    assert panel.totals is not None and panel.totals["region"].to_list() == ["101011001", "Yass"]


def test_the_api_gives_the_same(tmp_path: Path) -> None:
    path = tmp_path / "api.csv"
    path.write_text(
        "DATAFLOW,INDP,Industry of employment,REGION,Region,TIME_PERIOD,Time,OBS_VALUE\n"
        "ABS:X,A,Agriculture,101011001,Goulburn,2021,,36\n"
        "ABS:X,_T,Total,101011001,Goulburn,2021,,40\n"
        "ABS:X,A,Agriculture,9,POW State/Territory undefined (NSW),2021,,5\n"
    )
    panel = abs_census.read(path)
    assert panel.frame.select("region", "industry", "year", "employment").rows() == [("101011001", "A", 2021, 36)]
    assert panel.industries.titles == {"A": "Agriculture"}


def test_abs_faults(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mixed units(.|\n)*the table is 'Counting: Dwellings'"):
        abs_census.read(edited(SA2, tmp_path, "Counting: Persons, Place of Work", "Counting: Dwellings"))
    with pytest.raises(DataError, match="the table is of the 2011 census, not of 2016"):
        abs_census.read(SA2, year=2016)
    with pytest.raises(DataError, match="the title names no census year"):
        abs_census.read(edited(SA2, tmp_path, "2011 Census of", "Census of"))
    with pytest.raises(DataError, match=r"truncated file(.|\n)*areas add up to 884, the total says 1,222"):
        abs_census.read(edited(SA2, tmp_path, '"Yass",101,53,181,3,338,\n', ""))
    text = SA2.read_text()
    (tmp_path / "cut.csv").write_text(text[: text.index('"POW No Fixed')])
    with pytest.raises(DataError, match=r"truncated file(.|\n)*the line 'Data source' is missing at its end"):
        abs_census.read(tmp_path / "cut.csv")
    with pytest.raises(DataError, match="line 12, column 'Agriculture', value '1:36'"):
        abs_census.read(edited(SA2, tmp_path, '"Goulburn",36', '"Goulburn",1:36'))
    with pytest.raises(DataError, match="no row is a header of industries"):
        abs_census.read(edited(SA2, tmp_path, text[text.index('"INDP') : text.index('\n\n\n"Data')], ""))
