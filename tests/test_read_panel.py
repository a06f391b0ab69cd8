"""Reading a panel: every fault is found, named and placed, and every kind of input gives the same panel."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import clusterbook as cb
from clusterbook.data import checks
from clusterbook.data.tables import USUAL_NAMES
from clusterbook.errors import ClusterbookError, DataError

HEADER = "fips,naics,year,emp"


def write(folder: Path, text: str, name: str = "jobs.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(data: Any, **arguments: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        cb.read_panel(data, **arguments)
    return caught.value


def found(error: DataError, check: str) -> list[str]:
    return [str(problem) for problem in error.problems if problem.check == check]


def cells(
    regions: list[str] | None = None, industries: list[str] | None = None, years: tuple[int, ...] = (2019,)
) -> pl.DataFrame:
    """Return a full table of figures of which none is the sum of others."""
    rng = np.random.default_rng(11)
    keys = [(r, i, y) for r in regions or ["R1", "R2"] for i in industries or ["cars", "boats"] for y in years]
    frame = pl.DataFrame(keys, schema=["region", "industry", "year"], orient="row")
    return frame.with_columns(employment=pl.Series(np.ceil(rng.lognormal(5, 1, len(keys)))))


# ---- what a sound table becomes --------------------------------------------------------------------------------------


def test_a_table_becomes_a_sorted_panel_with_leading_zeros_and_status(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER},est\n01003,0112,2019,0,0\n01001,0112,2019,12.5,2\n01001,0111,2018,7,0\n")
    panel = cb.read_panel(path, allow=("missing years",))
    expected = pl.DataFrame(
        {
            "region": ["01001", "01001", "01003"],
            "industry": ["0111", "0112", "0112"],
            "year": [2018, 2019, 2019],
            "employment": [7.0, 12.5, 0.0],
            "establishments": [0.0, 2.0, 0.0],
            "status": ["disclosed", "disclosed", "zero"],
        },
        schema_overrides={"status": panel.frame.schema["status"]},
    )
    assert_frame_equal(panel.frame, expected)
    assert panel.measures == ("employment", "establishments")
    assert (panel.source.id, panel.source.title) == ("jobs", "jobs.csv")
    assert panel.regions.names() == {"01001": "01001", "01003": "01003"}


def _csv(separator: str, encoding: str = "utf-8") -> Callable[[pl.DataFrame, Path], Path]:
    def make(frame: pl.DataFrame, folder: Path) -> Path:
        path = folder / "table.csv"
        path.write_bytes(frame.write_csv(separator=separator).encode(encoding))
        return path

    return make


def _parquet(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_parquet(folder / "table.parquet")
    return folder / "table.parquet"


def _excel(frame: pl.DataFrame, folder: Path) -> Path:
    frame.to_pandas().to_excel(folder / "table.xlsx", index=False)
    return folder / "table.xlsx"


KINDS: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    "comma": _csv(","),
    "semicolon": _csv(";"),
    "tab": _csv("\t"),
    "byte order mark": _csv(",", "utf-8-sig"),
    "UTF-16": _csv(",", "utf-16"),
    "Parquet": _parquet,
    "Excel": _excel,
    "Polars": lambda frame, _: frame,
    "Polars, lazy": lambda frame, _: frame.lazy(),
    "Polars, categories": lambda frame, _: frame.with_columns(pl.col("area_name").cast(pl.Categorical)),
    "pandas": lambda frame, _: frame.to_pandas(),
    "pandas, other index": lambda frame, _: frame.to_pandas().set_index(pd.Index(range(7, 7 + frame.height))),
    "PyArrow": lambda frame, _: frame.to_arrow(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_input_gives_the_same_panel(kind: str, tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "Area": ["01", "02", "01", "02", "03", "03"],
            "area_name": ["Zürich", "Bern, Stadt", "Zürich", 'the "Bern"', "Łódź", "Łódź"],
            "NOGA": [1011, 1011, 1012, 1012, 1011, 1012],
            "Year": [2020.0] * 6,
            "jobs": [0.123456789012345, 3.0, 0.0, 1e9 + 0.5, None, 7.0],
            "status": [None, None, None, None, "c", None],
        }
    )
    source = cb.Source("same", "Same")
    panel = cb.read_panel(KINDS[kind](table, tmp_path), source=source)
    expected = cb.read_panel(table, source=source)
    assert_frame_equal(panel.frame, expected.frame)
    assert panel.content_hash == expected.content_hash
    assert panel.frame["employment"].to_list() == [0.123456789012345, 0.0, 3.0, 1e9 + 0.5, None, 7.0]
    assert panel.frame["industry"].unique().sort().to_list() == ["1011", "1012"]
    assert panel.regions.names() == {"01": "Zürich", "02": 'the "Bern"', "03": "Łódź"}
    assert panel.frame.row(4, named=True)["status"] == "suppressed"


def test_codes_in_float_columns_lose_the_point_but_texts_do_not(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"region": [1011.0, 1012.0], "industry": ["62.0", "62.1"], "year": [2019, 2019], "emp": [1, 2]}
    )
    panel = cb.read_panel(frame)
    assert panel.frame["region"].to_list() == ["1011", "1012"]
    assert panel.frame["industry"].to_list() == ["62.0", "62.1"]
    text = write(tmp_path, "region,industry,year,emp\n1,62.0,2019,1\n")
    assert cb.read_panel(text).frame["industry"].to_list() == ["62.0"]


def test_mixed_pandas_columns_are_read() -> None:
    frame = pd.DataFrame({"fips": ["01001", "01003"], "naics": [3361, 3361], "year": 2019, "emp": [12, "(D)"]})
    panel = cb.read_panel(frame)
    assert panel.frame["employment"].to_list() == [12.0, None]
    assert panel.frame["status"].to_list() == ["disclosed", "suppressed"]


def test_the_order_of_rows_and_columns_does_not_matter() -> None:
    table = cells(["R1", "R2", "R3"], ["a", "b", "c"], (2018, 2019))
    shuffled = table.sample(fraction=1, shuffle=True, seed=3).select(reversed(table.columns))
    assert cb.read_panel(shuffled).content_hash == cb.read_panel(table).content_hash


def test_excel_sheet_by_name(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"note": ["see sheet 2"]}).to_excel(book, sheet_name="Notes", index=False)
        cells().to_pandas().to_excel(book, sheet_name="Jobs", index=False)
    assert cb.read_panel(path, sheet="Jobs").frame.height == 4
    with pytest.raises(ClusterbookError, match=r"no sheet 'jobs' \(did you mean 'Jobs'\?\). It has 'Notes', 'Jobs'"):
        cb.read_panel(path, sheet="jobs")
    with pytest.raises(ClusterbookError, match="only Excel files have sheets"):
        cb.read_panel(write(tmp_path, HEADER), sheet="Jobs")
    with pytest.raises(ClusterbookError, match="only Excel files have sheets"):
        cb.read_panel(cells(), sheet="Jobs")


def test_windows_1252_is_read_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes("geo,geo_name,nace,year,emp\nFR1,Île – de – France,C10,2019,5\n".encode("cp1252"))
    with pytest.warns(UserWarning, match="not UTF-8; it was read as Windows-1252"):
        panel = cb.read_panel(path)
    assert panel.regions.names() == {"FR1": "Île – de – France"}


# ---- suppressed, not collected, imputed ------------------------------------------------------------------------------


def test_marks_are_a_status_and_never_zero(tmp_path: Path) -> None:
    marks = ["(D)", "D", "S", "c", "*", "x", ":c", ":", "..", "n/a", "-"]
    rows = "".join(f"R{k:02d},cars,2019,{mark}\n" for k, mark in enumerate(marks))
    panel = cb.read_panel(write(tmp_path, f"{HEADER}\n{rows}R99,cars,2019,5\n"))
    assert panel.frame["status"].to_list() == ["suppressed"] * 7 + ["not_collected"] * 4 + ["disclosed"]
    assert panel.frame["employment"].to_list() == [None] * 11 + [5.0]
    assert panel.frame["employment_lo"].to_list() == [0.0] * 7 + [None] * 5
    assert panel.frame["employment_hi"].to_list() == [None] * 12


def test_own_marks_replace_the_usual_ones() -> None:
    table = cells().with_columns(employment=pl.Series(["5", "geheim", "6", "(D)"]))
    panel = cb.read_panel(table, suppressed=("geheim",), not_collected=("(D)",))
    assert panel.frame["status"].to_list() == ["suppressed", "disclosed", "not_collected", "disclosed"]


def test_a_status_column_withholds_the_number_beside_it() -> None:
    table = cells().with_columns(flag=pl.Series(["c", None, "e", "c"]), employment=pl.Series([12.0, 3.0, 4.0, 0.0]))
    panel = cb.read_panel(table)
    by_cell = {row[:2]: row[3:] for row in panel.frame.rows()}
    assert panel.frame.columns[3:] == ["employment", "employment_lo", "employment_hi", "status"]
    assert by_cell["R1", "cars"] == (None, 0.0, None, "suppressed")
    assert by_cell["R2", "boats"] == (None, 0.0, None, "suppressed")
    assert by_cell["R2", "cars"] == (4.0, None, None, "disclosed")


def test_each_measure_can_have_its_own_status_column() -> None:
    table = cells().with_columns(plants=pl.lit(5.0), emp_nf=pl.Series(["D", None, None, None]))
    panel = cb.read_panel(table, status={"employment": "emp_nf"})
    row = panel.frame.filter(region="R1", industry="cars").row(0, named=True)
    assert (row["employment"], row["establishments"], row["status"]) == (None, 5.0, "suppressed")
    with pytest.raises(ClusterbookError, match="status: no measure 'payroll' is read"):
        cb.read_panel(table, status={"payroll": "emp_nf"})


def test_an_empty_field_with_a_status_is_not_missing() -> None:
    table = cells().with_columns(flag=pl.Series([":", None, None, None]), employment=pl.Series([None, 3, 4, 5]))
    panel = cb.read_panel(table)
    assert panel.frame.filter(region="R1", industry="cars")["status"].to_list() == ["not_collected"]
    assert "employment_lo" not in panel.frame.columns


def test_bounds_are_read_where_a_figure_is_suppressed() -> None:
    table = pl.DataFrame(
        {
            "region": ["A", "B", "C", "D"],
            "industry": ["cars"] * 4,
            "emp": ["(D)", None, "50", "(D)"],
            "emp_lo": [20, None, 45, None],
            "emp_hi": [99, 19, 55, None],
        }
    )
    panel = cb.read_panel(table, year=2019)
    figures = panel.frame.select("employment", "employment_lo", "employment_hi", "status").rows()
    assert figures == [
        (None, 20.0, 99.0, "suppressed"),
        (None, 0.0, 19.0, "suppressed"),
        (50.0, None, None, "disclosed"),
        (None, 0.0, None, "suppressed"),
    ]


def test_imputed_figures_keep_value_and_bounds() -> None:
    table = cells().with_columns(
        status=pl.Series(["imputed", None, None, None]),
        employment_lo=pl.Series([1.0, None, None, None]),
        employment_hi=pl.Series([900.0, None, None, None]),
    )
    row = cb.read_panel(table).frame.filter(region="R1", industry="cars").row(0, named=True)
    assert row["employment"] == table["employment"][0]
    assert (row["employment_lo"], row["employment_hi"], row["status"]) == (1.0, 900.0, "imputed")


def test_a_row_is_as_certain_as_its_least_certain_figure() -> None:
    table = cells().with_columns(
        plants=pl.Series(["(D)", "1", "0", "0"]), payroll=pl.Series([":", ":", "5", "0"]), employment=pl.lit(0)
    )
    frame = cb.read_panel(table).frame.sort("region", "industry", descending=[False, True])
    assert frame["status"].to_list() == ["suppressed", "not_collected", "disclosed", "zero"]


# ---- one fault of each kind ------------------------------------------------------------------------------------------

FAULTS = {
    "empty region": (
        f"{HEADER}\nR1,cars,2019,5\n,cars,2019,6\n",
        "missing keys",
        ["line 3, column 'fips': empty"],
        "Fill in the field, or delete the line",
    ),
    "line of notes": (
        f"{HEADER}\nR1,cars,2019,5\nSource: own survey,,,:\n",
        "missing keys",
        ["line 3, column 'naics': empty", "line 3, column 'year': empty"],
        "if it is a note or a subtotal",
    ),
    "year with a quarter": (
        f"{HEADER}\nR1,cars,2019Q1,5\nR1,cars,2019.5,5\n",
        "year not an integer",
        [
            "line 2, column 'year', value '2019Q1': not a whole year",
            "line 3, column 'year', value '2019.5': not a whole year",
        ],
        "Write whole years, e.g. 2019.",
    ),
    "duplicate": (
        f"{HEADER}\nR1,cars,2019,5\nR2,cars,2019,5\nR1,cars,2019.0,6\nR1,cars,2019,7\n",
        "duplicate keys",
        [
            "line 4: same region 'R1', industry 'cars', year 2019 as line 2",
            "line 5: same region 'R1', industry 'cars', year 2019 as line 2",
        ],
        "Keep one row for each combination.",
    ),
    "text for a figure": (
        f'{HEADER}\nR1,cars,2019,about 5\nR2,cars,2019,"1,234"\nR3,cars,2019,NaN\n',
        "not a number",
        [
            "line 2, column 'emp', value 'about 5': not a number",
            "line 3, column 'emp', value '1,234': not a number",
            "line 4, column 'emp', value 'NaN': not a number",
        ],
        "no thousands separators",
    ),
    "no figure and no mark": (
        f"{HEADER}\nR1,cars,2019,\nR2,cars,2019,5\n",
        "missing values",
        ["line 2, column 'emp': empty"],
        "allow=('missing values',) reads empty fields as not collected",
    ),
    "negative": (
        f"{HEADER}\nR1,cars,2019,5\nR2,cars,2019,-3\n",
        "negative values",
        ["line 3, column 'emp', value '-3': negative"],
        "Counts and amounts cannot be negative.",
    ),
    "infinite": (
        f"{HEADER}\nR1,cars,2019,5\nR2,cars,2019,inf\n",
        "infinite values",
        ["line 3, column 'emp', value 'inf': infinite"],
        "Mend the calculation",
    ),
    "bounds": (
        f"{HEADER},emp_lo,emp_hi\nR1,cars,2019,(D),20,10\nR2,cars,2019,(D),1,2\n",
        "bounds crossed",
        ["line 2, column 'emp_lo', value '20': the upper bound is 10, below the lower bound"],
        "Give the lower bound in ..._lo",
    ),
    "bound not a number": (
        f"{HEADER},emp_hi\nR1,cars,2019,(D),20-99\n",
        "not a number",
        ["line 2, column 'emp_hi', value '20-99': not a number"],
        "Write plain numbers",
    ),
    "geography": (
        f"{HEADER}\nDE,cars,2019,9\nDE1,cars,2019,5\nDE11,cars,2019,3\nFR10,cars,2019,4\n",
        "mixed geography levels",
        [
            "line 2, column 'fips', value 'DE': contains 'DE1', which is in the table too",
            "line 3, column 'fips', value 'DE1': contains 'DE11', which is in the table too",
        ],
        "allow=('mixed geography levels',)",
    ),
    "classification": (
        f"{HEADER}\nR1,31-33,2019,9\nR1,3361,2019,5\nR1,54,2019,3\n",
        "mixed classification levels",
        ["line 2, column 'naics', value '31-33': contains '3361', which is in the table too"],
        "allow=('mixed classification levels',)",
    ),
    "total": (
        f"{HEADER}\nR1,Total,2019,9\nR1,cars,2019,5\nR1,boats,2019,3\n",
        "totals mixed with parts",
        ["line 2, column 'naics', value 'Total': the code of a total"],
        "Delete the rows of totals",
    ),
    "gap in the years": (
        f"{HEADER}\nR1,cars,2015,9\nR1,cars,2016,5\nR1,cars,2017,3\nR1,cars,2020,3\n",
        "missing years",
        ["column 'year': no rows for 2018, 2019, between 2017 and 2020"],
        "allow=('missing years',) accepts the gaps",
    ),
    "region in some years only": (
        f"{HEADER}\nR1,cars,2018,9\nR1,cars,2019,5\nR2,cars,2019,3\n",
        "missing years",
        ["column 'fips', value 'R2': no rows in 2018"],
        "Add the rows that are missing.",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_placed_and_has_a_remedy(fault: str, tmp_path: Path) -> None:
    text, check, messages, remedy = FAULTS[fault]
    error = refused(write(tmp_path, text))
    assert found(error, check) == messages
    assert {problem.check for problem in error.problems} == {check}
    assert f"Remedy: {error.problems[0].remedy}" in str(error)
    assert remedy in str(error)


def test_five_faults_are_reported_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        f"{HEADER}\nR1,cars,2019,5\nR1,boats,2019,-3\nR2,cars,MMXIX,4\nR2,boats,2019,many\n,cars,2019,1\nR1,cars,2019,5\n",
    )
    error = refused(path)
    assert [str(problem) for problem in error.problems] == [
        "line 6, column 'fips': empty",
        "line 4, column 'year', value 'MMXIX': not a whole year",
        "line 7: same region 'R1', industry 'cars', year 2019 as line 2",
        "line 5, column 'emp', value 'many': not a number",
        "line 3, column 'emp', value '-3': negative",
    ]
    assert str(error).startswith(f"{path}: 5 problems found, nothing was read.")
    assert str(error).count("Remedy: ") == 5


def test_lines_count_as_an_editor_does(tmp_path: Path) -> None:
    text = f'{HEADER},note\nR1,cars,2019,5,"two\nlines"\n\n  , ,,,\nR2,cars,2019,-1,x\n'
    assert found(refused(write(tmp_path, text)), "negative values") == ["line 6, column 'emp', value '-1': negative"]


def test_rows_of_frames_are_numbered_from_zero(tmp_path: Path) -> None:
    table = cells().with_columns(employment=pl.Series([1.0, -2.0, 3.0, float("nan")]))
    path = tmp_path / "jobs.parquet"
    table.write_parquet(path)
    for data, origin in ((table, "data frame"), (path, str(path))):
        error = refused(data)
        assert error.origin == origin
        assert found(error, "negative values") == ["column 'employment', value '-2': row 1: negative"]
        assert found(error, "missing values") == ["column 'employment': row 3: empty"]


def test_lines_of_excel_sheets_count_blank_rows(tmp_path: Path) -> None:
    path = tmp_path / "jobs.xlsx"
    rows = [["R1\nin two lines", "cars", 2019, 5], [None] * 4, ["R2", "cars", 2019, "?"]]
    pd.DataFrame(rows, columns=HEADER.split(",")).to_excel(path, index=False)
    assert found(refused(path), "not a number") == ["line 4, column 'emp', value '?': not a number"]


def test_many_faults_are_counted_beyond_those_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "LISTED", 3)
    table = cells([f"R{k}x" for k in range(10)], ["cars"]).with_columns(employment=pl.lit(-1))
    messages = found(refused(table), "negative values")
    assert len(messages) == 4
    assert messages[3] == "column 'employment': the same in 7 further rows"


# ---- allow -----------------------------------------------------------------------------------------------------------


def test_an_allowed_finding_is_accepted_and_only_that() -> None:
    table = cells(years=(2010, 2011, 2013)).with_columns(employment=pl.when(pl.col("year") > 2010).then("employment"))
    assert {problem.check for problem in refused(table).problems} == {"missing years", "missing values"}
    assert {p.check for p in refused(table, allow=("missing years",)).problems} == {"missing values"}
    panel = cb.read_panel(table, allow=("missing years", "missing values"))
    assert panel.frame.filter(year=2010)["status"].unique().to_list() == ["not_collected"]


@pytest.mark.parametrize(
    ("allow", "message"),
    [
        (("missing year",), r"no check 'missing year' \(did you mean 'missing years'\?\)"),
        (("duplicate keys",), "'duplicate keys' cannot be allowed"),
        ("missing years", r"allow takes a collection of names: allow=\('missing years',\)"),
    ],
)
def test_allow_takes_names_of_checks_that_can_be_waived(allow: Any, message: str) -> None:
    with pytest.raises(ClusterbookError, match=message):
        cb.read_panel(cells(), allow=allow)


# ---- columns ---------------------------------------------------------------------------------------------------------


def test_no_usual_name_stands_for_two_things() -> None:
    names = [name for usual in USUAL_NAMES.values() for name in usual]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_missing_columns_are_reported_alone_and_together(tmp_path: Path) -> None:
    error = refused(write(tmp_path, "place,branch,year,staff\nR1,cars,x,-5\n"))
    assert [str(problem) for problem in error.problems] == [
        "no column for region; there are 'place', 'branch', 'year', 'staff'",
        "no column for industry; there are 'place', 'branch', 'year', 'staff'",
    ]
    assert "Remedy: Name the columns yourself, e.g. read_panel(..., region='your column'" in str(error)
    measure = refused(write(tmp_path, "fips,naics,year,staff\nR1,cars,2019,5\n"))
    assert found(measure, "missing columns") == [
        "no column for any measure (employment, establishments, payroll); there are 'fips', 'naics', 'year', 'staff'"
    ]


def test_an_ambiguous_column_is_settled_by_its_argument() -> None:
    table = cells().with_columns(fips=pl.col("region").str.to_lowercase())
    error = refused(table)
    assert found(error, "ambiguous columns") == ["region could be any of 'region', 'fips'"]
    assert "region='your column'" in str(error)
    assert cb.read_panel(table, region="fips").regions.names() == {"r1": "r1", "r2": "r2"}


def test_a_named_column_that_is_not_there_is_suggested() -> None:
    error = refused(cells().rename({"employment": "staff"}), employment="staf")
    assert found(error, "missing columns") == [
        "no column 'staf' for employment (did you mean 'staff'?); there are 'region', 'industry', 'year', 'staff'"
    ]


def test_year_can_be_a_number_and_measures_anything() -> None:
    table = cells().drop("year").rename({"employment": "gva_m"})
    panel = cb.read_panel(table, year=2015, measures={"gva": "gva_m"})
    assert panel.years == (2015,)
    assert panel.measures == ("gva",)
    with pytest.raises(ClusterbookError, match="'gva_lo' has a meaning of its own"):
        cb.read_panel(table, year=2015, measures={"gva_lo": "gva_m"})


def test_payroll_gets_no_currency_it_does_not_state() -> None:
    panel = cb.read_panel(cells().rename({"employment": "payroll"}))
    assert panel.source.unit("payroll") == ""
    stated = cb.Source("x", "X", units={"payroll": "million EUR"})
    assert (
        cb.read_panel(cells().rename({"employment": "payroll"}), source=stated).source.unit("payroll") == "million EUR"
    )


def test_names_come_from_columns_the_latest_first() -> None:
    table = cells(years=(2018, 2019)).with_columns(
        region_name=pl.when(year=2018).then(pl.lit("Old ")).otherwise(pl.lit("New ")) + pl.col("region"),
        title=pl.when(industry="cars").then(pl.lit("Car making")),
    )
    panel = cb.read_panel(table.sort("year", descending=True))
    assert panel.regions.names() == {"R1": "New R1", "R2": "New R2"}
    assert panel.industries.titles == {"boats": "boats", "cars": "Car making"}


# ---- files that are no tables ----------------------------------------------------------------------------------------


def test_a_wrong_path_suffix_or_object_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClusterbookError, match=r"none\.csv: there is no such file\. Check the path"):
        cb.read_panel(tmp_path / "none.csv")
    with pytest.raises(ClusterbookError, match=r"files of kind '\.pdf' are not read\. Use one of \.csv"):
        cb.read_panel(write(tmp_path, "", "report.pdf"))
    with pytest.raises(ClusterbookError, match="A list cannot be taken for a table"):
        cb.read_panel([1, 2])  # type: ignore[arg-type]
    twice = pd.DataFrame([["R1", "cars", 2019, 5, 6]], columns=["region", "industry", "year", "emp", "emp"])
    with pytest.raises(ClusterbookError, match=r"A DataFrame cannot be taken for a table: [^.]*emp"):
        cb.read_panel(twice)


@pytest.mark.parametrize("name", ["broken.parquet", "broken.xlsx"])
def test_a_broken_file_is_said(name: str, tmp_path: Path) -> None:
    error = refused(write(tmp_path, "this is no table", name))
    assert error.problems[0].check == "unreadable file"
    assert f"it is not a sound .{name[-4:].strip('.')}" in str(error) or "it is not a sound .parquet" in str(error)
    assert "save it again as CSV (UTF-8), Excel (.xlsx) or Parquet" in str(error)


@pytest.mark.parametrize("text", ["", "\n", f"{HEADER}\n", f"{HEADER}\n,,,\n"])
def test_an_empty_table_is_said(text: str, tmp_path: Path) -> None:
    assert found(refused(write(tmp_path, text)), "empty table") == ["there are no rows in it"]


def test_uneven_rows_and_repeated_columns_are_placed(tmp_path: Path) -> None:
    error = refused(write(tmp_path, f"{HEADER}\nR1,cars,2019,5\nR2,cars,2019,5,5\nR3,cars, parts,2019,5\n"))
    assert found(error, "uneven rows") == [
        "line 3: 5 fields where the header has 4",
        "line 4: 5 fields where the header has 4",
    ]
    twice = refused(write(tmp_path, "fips,naics,year,emp,emp\nR1,cars,2019,5,6\n"))
    assert found(twice, "repeated columns") == ["more than one column is called 'emp'"]
    open_quote = refused(write(tmp_path, f'{HEADER}\nR1,cars,2019,"5\n'))
    assert open_quote.problems[0].check == "unreadable file"


# ---- codes: levels and totals ----------------------------------------------------------------------------------------

#: Regions and industries of one level, from systems in use; none may be reported.
ONE_LEVEL = {
    "plain numbers": [str(k) for k in range(1, 144)],
    "plain numbers from 10": [str(k) for k in range(10, 144)],
    "numbers with a letter": [f"A{k}" for k in range(1, 130)],
    "padded numbers": [f"{k:03d}" for k in range(1, 144)],
    "NUTS 2": ["AT11", "AT12", "BE10", "DE11", "DEA1", "FI1B", "FRK2", "UKC1", "ES11"],
    "NUTS 2 with NUTS 1 of other countries": ["AT11", "AT12", "BE10", "DE1", "DEA", "UKC", "ES11"],
    "ITL 3": ["TLC11", "TLC12", "TLC13", "TLN06"],
    "US counties": ["01001", "01003", "06085", "48201"],
    "US metropolitan areas and ids of two digits": ["10100", "10140", "99"],
    "commuting zones": ["100", "200", "1001", "10200", "39400"],
    "US states": ["NY", "CA", "WA", "ME"],
    "abbreviations": ["NY", "NYC", "LA", "LAX"],
    "names": ["York", "Yorkshire", "New York", "New"],
    "NACE sections": ["A", "B", "C", "D", "S", "T", "U"],
    "NACE in ten parts": ["A", "B-E", "F", "G-I", "J", "K", "L", "M-N", "O-Q", "R-U"],
    "NACE divisions": ["A01", "B05", "C10", "C11", "S95"],
    "NACE without sections": ["05", "10", "11", "35", "82"],
    "NACE groups with a point": ["10.1", "10.2", "11.0", "62.0"],
    "NAICS 2": ["11", "21", "31-33", "44-45", "48-49", "54", "92"],
    "NAICS 4": ["1133", "2123", "3361", "4451", "5415"],
    "SIC ranges": ["AB (1-9)", "C (10-33)", "DE (35-39)", "F (41-43)", "L (68)", "T (97-98)"],
    "SIC 3 with gaps": ["010", "011", "100", "101", "110"],
    "IND1990": ["10", "11", "30", "100", "101", "102", "110", "130", "132", "400", "700", "932"],
    "IND1990 and a letter": ["10", "11", "30", "100", "101", "102", "110", "130", "132", "400", "700", "X99"],
    "NACE, some by section": ["A", "B", "10", "11", "F", "G"],
    "NZSIOC with rests": ["CC1_", "CC131", "CC141", "CC5_", "KK110", "KK1_", "GH21_", "RS211"],
}


@pytest.mark.parametrize("system", ONE_LEVEL)
@pytest.mark.parametrize("part", ["region", "industry"])
def test_codes_of_one_level_are_not_reported(system: str, part: str) -> None:
    codes = ONE_LEVEL[system]
    table = cells(regions=codes) if part == "region" else cells(industries=codes)
    assert cb.read_panel(table).frame[part].n_unique() == len(codes)


SEVERAL_LEVELS = {
    "NACE sections and divisions": (["C", "C10", "C11", "F41"], {"C": "C10"}),
    "NACE with points": (["05", "10", "10.1", "10.11", "11.0"], {"10": "10.1", "10.1": "10.11"}),
    "NACE and ranges of divisions": (["C10-C12", "C10", "C13", "C14"], {"C10-C12": "C10"}),
    "ISIC": (["01", "011", "0111", "02", "023"], {"01": "011", "011": "0111", "02": "023"}),
    "NAICS": (["44-45", "445", "54", "5415", "31"], {"44-45": "445", "54": "5415"}),
    "NAICS as in older files": (
        ["23----", "31----", "311///", "3112//", "54----"],
        {"31----": "311///", "311///": "3112//"},
    ),
    "SIC ranges": (
        ["C (10-33)", "CA (10-12)", "G (45-47)", "45", "L (68)"],
        {"C (10-33)": "CA (10-12)", "G (45-47)": "45"},
    ),
    "NZSIOC": (["CC", "CC11", "CC111", "AA11"], {"CC": "CC11", "CC11": "CC111"}),
}


@pytest.mark.parametrize("system", SEVERAL_LEVELS)
def test_industries_of_several_levels_are_reported(system: str) -> None:
    codes, above = SEVERAL_LEVELS[system]
    error = refused(cells(industries=codes))
    assert {p.check for p in error.problems} == {"mixed classification levels"}
    reported = {p.value: p.message.split(": ")[1] for p in error.problems}
    assert reported == {code: f"contains {inner!r}, which is in the table too" for code, inner in above.items()}


def test_us_states_among_counties_are_reported() -> None:
    error = refused(cells(regions=["01", "01001", "01003", "06085"]))
    assert found(error, "mixed geography levels") == [
        "column 'region', value '01': row 0: contains '01001', which is in the table too"
    ]


@pytest.mark.parametrize(
    ("codes", "total"),
    [
        (["00", "11", "54"], "00"),
        (["TOTAL", "C10", "C11"], "TOTAL"),
        (["_T", "C10", "C11"], "_T"),
        (["T", "C10", "C11"], "T"),
        (["All industries", "C10", "C11"], "All industries"),
        (["A-E", "C (10-33)", "G (45-47)"], "A-E"),
        (["B-N_S95_X_K", "C10", "C11"], "B-N_S95_X_K"),
    ],
)
def test_totals_are_known_by_their_code(codes: list[str], total: str) -> None:
    for table in (cells(industries=codes), cells(regions=codes)):
        error = refused(table)
        assert [p.value for p in error.problems if p.check == "totals mixed with parts"] == [total]


def test_totals_are_known_by_their_title() -> None:
    table = cells(industries=["10", "1011", "1012"]).with_columns(
        title=pl.when(industry="10")
        .then(pl.lit("Total, all industries"))
        .otherwise(pl.lit("Total facilities management"))
    )
    assert found(refused(table), "totals mixed with parts") == [
        "column 'industry', value '10': row 0: a total, by its title 'Total, all industries'"
    ]


@pytest.mark.parametrize("part", ["region", "industry"])
def test_totals_are_known_by_adding_up(part: str) -> None:
    table = cells([f"R{k}x" for k in range(6)], [f"ind {k}" for k in range(6)])
    others = [column for column in ("region", "industry", "year") if column != part]
    total = table.group_by(others).agg(pl.sum("employment")).with_columns(pl.lit("whole").alias(part))
    mixed = pl.concat([table, total.select(table.columns)])
    (message,) = found(refused(mixed), "totals mixed with parts")
    assert message == f"column '{part}', value 'whole': row 36: the sum of all others, nearly everywhere"
    off = mixed.with_columns(employment=pl.when(pl.col(part) == "whole").then(1.05).otherwise(1) * pl.col("employment"))
    assert cb.read_panel(off).frame.height == 42


def test_two_industries_of_equal_size_are_no_total() -> None:
    table = cells([f"R{k}x" for k in range(6)]).with_columns(employment=pl.lit(7))
    assert cb.read_panel(table).frame.height == 12


# ---- years -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("years", [(2019,), (2018, 2021), (1980, 1990, 2000), (2000, 2010, 2020, 2021)])
def test_regular_steps_have_no_gap(years: tuple[int, ...]) -> None:
    assert cb.read_panel(cells(years=years)).years == years


def test_a_gap_is_measured_by_the_commonest_step() -> None:
    error = refused(cells(years=(1976, 1981, 1986, 1991, 2013)))
    assert found(error, "missing years") == ["column 'year': no rows for 1996, 2001, 2006, 2011, between 1991 and 2013"]


# ---- regions and industries given ------------------------------------------------------------------------------------


def test_unknown_codes_are_reported_with_the_nearest(tmp_path: Path) -> None:
    regions = cb.Regions(pl.DataFrame({"region": ["01001", "01003"], "name": ["Autauga", "Baldwin"]}))
    industries = cb.Industries(pl.DataFrame({"industry": ["3361"], "title": ["Cars"]}))
    path = write(tmp_path, f"{HEADER}\n1001,3361,2019,5\n01003,9999,2019,5\n1001,9999,2019,5\n")
    error = refused(path, regions=regions, industries=industries)
    assert [str(problem) for problem in error.problems] == [
        "line 2, column 'fips', value '1001': not a known region (did you mean '01001'?)",
        "line 3, column 'naics', value '9999': not a known industry",
    ]
    panel = cb.read_panel(path, regions=regions, industries=industries, allow=("unknown codes",))
    assert panel.regions.names() == {"01001": "Autauga", "01003": "Baldwin", "1001": "1001"}
    assert panel.regions.frame["region"].to_list() == ["01001", "01003", "1001"]
    assert panel.industries.titles == {"3361": "Cars", "9999": "9999"}


def test_levels_are_taken_from_regions_and_industries_that_state_them() -> None:
    places = pl.DataFrame({"region": ["a", "b", "c"], "name": ["A", "B", "C"], "level": ["county", "county", "state"]})
    tree = {"industry": ["x", "y"], "title": ["X", "Y"], "parent": [None, "x"]}
    table = cells(["a", "b", "c"], ["x", "y"])
    error = refused(table, regions=cb.Regions(places), industries=cb.Industries(pl.DataFrame(tree)))
    assert [str(problem) for problem in error.problems] == [
        "column 'region', value 'c': row 4: of level 'state'; most are of level 'county'",
        "column 'industry', value 'x': row 0: contains 'y', which is in the table too",
    ]
    # codes that look nested are of one level when the regions say so
    nuts = pl.DataFrame({"region": ["DE1", "DE11"], "name": ["P", "Q"], "level": ["area", "area"]})
    assert cb.read_panel(cells(["DE1", "DE11"]), regions=cb.Regions(nuts)).regions.names() == {"DE1": "P", "DE11": "Q"}


# ---- any valid table -------------------------------------------------------------------------------------------------

_LABELS = st.text(st.characters(codec="utf-8", categories=("L", "Nd", "Zs", "P", "S")), min_size=1, max_size=8).map(
    lambda text: f"n{text.strip()}"
)
_FIGURES = st.one_of(st.floats(0, 1e15, allow_subnormal=True), st.integers(0, 10**9).map(float))
_CELLS = st.one_of(
    _FIGURES.map(lambda x: (repr(x), x, "zero" if x == 0 else "disclosed")),
    st.sampled_from([("(D)", None, "suppressed"), (":", None, "not_collected")]),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_LABELS, min_size=1, max_size=4, unique=True),
    st.lists(_LABELS, min_size=1, max_size=4, unique=True),
    st.integers(1000, 3000),
    st.integers(1, 3),
    st.data(),
)
def test_any_valid_table_survives_csv(
    tmp_path_factory: pytest.TempPathFactory,
    regions: list[str],
    industries: list[str],
    start: int,
    count: int,
    data: st.DataObject,
) -> None:
    keys = [(r, i, start + y) for r in regions for i in industries for y in range(count)]
    figures = data.draw(st.lists(_CELLS, min_size=len(keys), max_size=len(keys)))
    order = data.draw(st.permutations(range(len(keys))))
    rows = [(*keys[k], figures[k][0]) for k in order]
    path = tmp_path_factory.mktemp("csv") / "any.csv"
    pl.DataFrame(rows, schema=["region", "industry", "year", "jobs"], orient="row").write_csv(path)
    panel = cb.read_panel(path, allow=("totals mixed with parts",))
    expected = sorted((y, r, i, value, status) for (r, i, y), (_, value, status) in zip(keys, figures, strict=True))
    assert panel.frame.select("year", "region", "industry", "employment", "status").rows() == expected
    again = path.with_name("again.csv")
    panel.frame.write_csv(again)
    assert_frame_equal(cb.read_panel(again, allow=("totals mixed with parts",)).frame, panel.frame)
    assert_frame_equal(cb.read_panel(panel.frame.to_arrow(), allow=("totals mixed with parts",)).frame, panel.frame)


def test_the_examples_of_the_guide_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    guide = Path(__file__).parents[1] / "docs" / "data.md"
    results = doctest.testfile(str(guide), module_relative=False, encoding="utf-8")
    assert results.attempted > 10
    assert results.failed == 0
