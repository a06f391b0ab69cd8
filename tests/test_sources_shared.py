"""Whole published files, where they are at hand: what a reader returns must add up to what the office published.

The files are those named in the manifest beside them. Each is written into the office's own layout first, because they
were stored as plain tables; so the whole way from the office's file to the panel is gone.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from clusterbook.data.sources import abs_census, bea, cbp, eurostat, stats_nz, tidy, uk
from clusterbook.errors import DataError
from clusterbook.measures.input_output import input_coefficients

SHARED = Path(os.environ.get("CLUSTERBOOK_SHARED", Path(__file__).parents[2] / "shared")) / "data"
pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the folder of whole published files is not here (set CLUSTERBOOK_SHARED to have it)"
)


def test_cbp_counties(tmp_path: Path) -> None:
    stored = pl.read_parquet(SHARED / "employment" / "us_cbp_county_naics6_2017_2021.parquet")
    paths = []
    for year in (2017, 2019):
        paths.append(tmp_path / f"cbp{year % 100}co.txt")
        stored.filter(year=year).select(
            fipstate=pl.col("fips").str.slice(0, 2), fipscty=pl.col("fips").str.slice(2), naics="naics", emp="emp",
            ap="payroll_kusd", est="est", **{"n<5": pl.lit("N"), "n1000": pl.lit("N")},
        ).write_csv(paths[-1])  # fmt: skip
    frame = cbp.read(paths).frame
    by_year = frame.group_by("year").agg(pl.col("employment").sum(), (pl.col("status") == "suppressed").sum())
    # 45,439 cells of 2017 have 0 jobs; 208 of them have a payroll, so that nobody worked there in mid-March
    assert sorted(by_year.rows()) == [(2017, 101_842_362, 45_231), (2019, 113_089_951, 0)]
    assert frame.filter(region="06085", industry="334413", year=2019)["employment"].item() == 6472
    assert frame.filter(region="53033", industry="336411", year=2019)["employment"].item() == 16_067


def test_cbp_metro_areas(tmp_path: Path) -> None:
    stored = pl.read_parquet(SHARED / "employment" / "us_cbp_cbsa_naics_2018_2019.parquet")
    code = pl.col("naics")
    bulk = pl.when(code == "00").then(pl.lit("------")).when(code.str.contains("-")).then(
        code.str.slice(0, 2) + "----"
    ).when(code.str.len_chars() == 2).then(code + "----").otherwise(code.str.pad_end(6, "/"))  # fmt: skip
    path = tmp_path / "cbp19msa.txt"
    # the stored table has no payroll: an even 40 thousand a job, and 1 where nobody worked in mid-March
    stored.filter(year=2019).select(
        msa="cbsa_code", naics=bulk, emp=pl.col("emp").cast(pl.Int64), ap=(pl.col("emp") * 40 + 1).cast(pl.Int64),
        est=pl.col("est").cast(pl.Int64), **{"n<5": pl.lit("N"), "n1000": pl.lit("N")},
    ).write_csv(path)  # fmt: skip
    six, sectors = cbp.read(path), cbp.read(path, digits=2)
    assert six.totals is not None and six.totals["employment"].sum() == 122_485_576
    assert six.frame["employment"].sum() / 122_485_576 == pytest.approx(0.944, abs=0.0005)
    assert sectors.frame["employment"].sum() / 122_485_576 == pytest.approx(0.9998, abs=0.00005)
    assert six.regions.frame.height == 933


def test_eurostat_business_statistics(tmp_path: Path) -> None:
    stored = pl.read_csv(
        SHARED / "employment" / "eu_sbs_nuts_nace2_persons_employed_2015.csv", infer_schema=False
    ).select(
        "geo", "nace_r2", indic_sb=pl.lit("V16110"), TIME_PERIOD=pl.lit("2015"),
        OBS_VALUE=pl.when(pl.col("flag") == "corrupt").then(pl.lit("12:00 AM")).otherwise("persons_employed"),
        OBS_FLAG=pl.col("flag").replace("corrupt", None),
    )  # fmt: skip
    path = tmp_path / "sbs_r_nuts06_r2.csv"
    stored.write_csv(path)
    with pytest.raises(DataError, match=r"spreadsheet accident \(30\)") as mangled:
        eurostat.read(path)
    assert len(mangled.value.problems) == 30
    sound = stored.with_columns(pl.col("OBS_VALUE").replace("12:00 AM", ":"))
    sound.write_csv(path)
    for level, nace in ((2, "division"), (2, "section"), (0, "section")):
        form = {"division": r"^[A-Z]\d{2}$", "section": r"^[A-Z]$"}[nace]
        here = sound.filter(
            pl.col("geo").str.len_chars() == 2 + level,
            ~pl.col("geo").str.ends_with("Z"),
            pl.col("nace_r2").str.contains(form),
        )
        expected = here["OBS_VALUE"].replace(":", None).cast(pl.Float64).sum()
        panel = eurostat.read(path, level=level, nace=nace)
        assert panel.frame["employment"].sum() == expected
        assert panel.source.vintage == "2015, NUTS before 2016" or level == 0
    austria = eurostat.read(path, level=0, nace="section").frame.filter(region="AT", industry="C")
    assert austria["employment"].item() == 621_998


def test_uk_gross_value_added(tmp_path: Path) -> None:
    stored = pl.read_parquet(SHARED / "employment" / "uk_gva_itl3_sic_1998_2022.parquet")
    wide = stored.rename(
        {"itl": "ITL region code", "region": "ITL region name", "sic07": "SIC07 code", "sic_name": "SIC07 description"}
    ).pivot("year", values="gva_m_gbp")
    wide.write_csv(tmp_path / "table3c.csv")
    panel = uk.read(tmp_path / "table3c.csv")
    assert panel.regions.frame.height == 179 and panel.years == tuple(range(1998, 2023))
    assert panel.totals is not None
    published = stored.filter(sic07="Total")["gva_m_gbp"].sum()
    assert panel.totals["gva"].sum() == published
    sums = panel.frame.group_by("region", "year").agg(pl.col("gva").sum()).join(panel.totals, on=["region", "year"])
    # each cell is rounded to a million: 45 of them are off by 25 at the very most, and by little all together
    assert (sums["gva"] - sums["gva_right"]).abs().max() <= 30
    assert sums["gva"].sum() == pytest.approx(published, rel=1e-4)
    blank = panel.frame.filter(pl.col("gva").is_null())
    assert blank.height == 1 and panel.source.caveats[-1].startswith("1 negative figures")


def test_nz_census() -> None:
    folder = SHARED / "employment"
    path = folder / "nz_emp_urbanarea_industry_1976_2013.csv"
    panel = stats_nz.read(
        path, region_names=folder / "nz_lookup_urban-areas.csv", industry_titles=folder / "nz_lookup_industries.csv"
    )
    frame = panel.frame
    assert (frame.height, frame["employment"].sum()) == (74_360, 10_644_555)
    assert (panel.regions.frame.height, panel.industries.frame.height, len(panel.years)) == (143, 65, 8)
    assert panel.regions.names()["1"] == "Whangarei"
    assert (frame["employment_hi"] - frame["employment"]).unique().to_list() == [2]


def test_australian_census(tmp_path: Path) -> None:
    stored = pl.read_parquet(SHARED / "employment" / "au_sa2_anzsic_subdivision_2011.parquet")
    wide = stored.pivot("anzsic", index="sa2", values="emp")
    total = wide.select(pl.lit("Total").alias("sa2"), pl.exclude("sa2").sum())
    table = pl.concat([wide, total]).with_columns(pl.sum_horizontal(pl.exclude("sa2")).alias("Total"))
    title = '"Australian Bureau of Statistics"\n\n"2011 Census of Population and Housing"\n"Counting: Persons"\n\n'
    path = tmp_path / "sa2.csv"
    path.write_text(title + table.write_csv() + '\n"Data source: Census, 2011, TableBuilder"\n')
    panel = abs_census.read(path)
    assert (panel.regions.frame.height, panel.industries.frame.height) == (2195, 105)
    unplaced = stored.filter(pl.col("anzsic").is_in(["Inadequately described", "Not stated"]))["emp"].sum()
    assert panel.frame["employment"].sum() == 8_812_254 - unplaced
    assert panel.source.caveats[1].startswith(f"{unplaced:,} persons")
    assert panel.totals is not None and panel.totals["employment"].sum() == 8_812_254


def test_bea_2017(tmp_path: Path) -> None:
    folder = SHARED / "input_output"
    paths = [
        folder / "us_bea_Detail_Make_2017_AfterRedef_17sch.parquet",
        folder / "us_bea_Detail_Use_2017_PRO_AfterRedef_17sch.parquet",
        folder / "us_bea_Detail_Import_2017_BeforeRedef_17sch.parquet",
    ]
    table = bea.read(paths, crosswalk=folder / "us_bea_naics_master_crosswalk.csv")
    make, use = pl.read_parquet(paths[0]), pl.read_parquet(paths[1])
    assert len(table.industries) == 402
    published = make.filter(pl.col("code") != "T007")["T008"].to_numpy()
    np.testing.assert_allclose(table.output, published, atol=5)
    # domestic and imported inputs together are all inputs (T005) but those of scrap, used goods and the like
    inputs = {code: use.filter(code=code).select(table.industries).to_numpy().sum() for code in use["code"]}
    expected = inputs["T005"] - sum(inputs[code] for code in bea.NOT_PRODUCTS)
    assert table.flows.sum() + table.imports.sum() == pytest.approx(expected, abs=1000)
    assert table.flows.min() >= 0
    # public transit and other federal enterprises buy for more than they sell; nobody else does
    above = np.flatnonzero(input_coefficients(table.flows, table.output).sum(axis=0) >= 1)
    assert [table.industries[k] for k in above] == ["S00102", "S00201"]
    cars = table.industries.index("336111")
    steel, parts = (table.flows[table.industries.index(code), cars] for code in ("331110", "336390"))
    assert parts > steel > 0
    assert table.crosswalk["naics"].n_unique() == 1057


def test_british_jobs_by_a_mapping(tmp_path: Path) -> None:
    path = SHARED / "employment" / "uk_bres_itl2_sic_section_2015_2022.csv"
    (tmp_path / "clusterbook.toml").write_text(
        f'[file]\npath = "{path.as_posix()}"\n[source]\ntitle = "BRES"\n[columns]\nregion = "GEOGRAPHY_NAME"\n'
        'industry = "SIC_SECTION_NAME"\nyear = "DATE"\nemployment = "COUNT"\n[allow]\nchecks = ["missing values"]\n'
    )
    panel = tidy.read(tmp_path)
    stored = pl.read_csv(path)
    assert panel.frame.height == 6080
    assert panel.frame["employment"].sum() == pytest.approx(stored["COUNT"].sum(), rel=1e-12)
