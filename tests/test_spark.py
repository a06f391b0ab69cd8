"""The functions of cells on a Spark session: the same results as on Polars. Needs Java and clusterbook[spark]."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from clusterbook.clusters.identification import identify
from clusterbook.errors import ClusterbookError
from clusterbook.measures.growth import growth
from clusterbook.measures.specialisation import location_quotient, shares, size_rank

pytest.importorskip("pyspark", reason="Spark is not installed: pip install 'clusterbook[spark]' to run these tests")
if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
    pytest.skip("Spark needs Java 17 or later: install it (Debian: openjdk-17-jre-headless)", allow_module_level=True)

KEYS = ["region", "industry", "year"]
Send = Callable[[pl.DataFrame], Any]


@pytest.fixture(scope="module")
def send(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Send]:
    """Start a session of two threads that nobody outside can reach; give a way to bring Polars frames there."""
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.local.dir": str(folder / "scratch"),
        # For a few rows, planning and compiling a query takes longer than running it.
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master("local[2]").appName("clusterbook tests")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")

    def by_file(frame: pl.DataFrame) -> Any:
        path = folder / f"{len(list(folder.glob('*.parquet')))}.parquet"
        frame.write_parquet(path)
        return session.read.parquet(str(path))

    yield by_file
    session.stop()


def collect(native: Any) -> pl.DataFrame:
    """Bring a Spark frame to Polars; what is missing must be null there, never NaN."""
    assert type(native).__module__.startswith("pyspark."), "the kind of frame that went in comes out"
    frame = nw.from_native(native).collect("polars").to_native()
    for name in frame.select(pl.selectors.float()).columns:
        assert name == "employment" or not frame[name].is_nan().any(), f"NaN in {name}"
    return frame


def made_up(regions: int = 12, industries: int = 8) -> pl.DataFrame:
    """Three years of jobs with zeros, gaps, NaN, a region and an industry with nothing, and absent rows."""
    rng = np.random.default_rng(3)
    region, industry, year = (axis.ravel() for axis in np.indices((regions, industries, 3)))
    jobs = np.ceil(rng.lognormal(3, 2, region.size)) * (rng.random(region.size) < 0.8)
    jobs[(region == 1) | (industry == 2)] = 0
    jobs[rng.random(region.size) < 0.05] = np.nan
    frame = pl.DataFrame(
        {
            "region": [f"R{k:02d}" for k in region],
            "industry": [f"I{k}" for k in industry],
            "year": 2018 + year,
            "employment": pl.Series(jobs, nan_to_null=True),
        }
    )
    not_a_number = pl.when((pl.col("region") == "R03") & (pl.col("industry") == "I4")).then(float("nan"))
    return (
        frame.with_columns(not_a_number.otherwise("employment").alias("employment"), traded=pl.col("industry") < "I5")
        .sample(fraction=0.9, seed=1)
        .sort(KEYS)
    )


CASES: dict[str, Callable[[Any], Any]] = {
    "quotient": location_quotient,
    "quotient, traded base": lambda cells: location_quotient(cells, base="traded"),
    "quotient, base by list, against the rest": lambda cells: location_quotient(
        cells, base=["I0", "I1", "I3"], reference="rest"
    ),
    "quotient, traded against traded": lambda cells: location_quotient(cells, by=("year", "traded")),
    "quotient, all years together": lambda cells: location_quotient(cells, by=()),
    "shares": shares,
    "rank in industry and year": lambda cells: size_rank(cells, "employment"),
    "rank in all": lambda cells: size_rank(cells, "employment", within=()),
    "growth": growth,
    "change": lambda cells: growth(cells, start=2019, end=2020, annual=False),
    "quotient of shares": lambda cells: location_quotient(shares(cells)),
}


@pytest.mark.parametrize("case", CASES)
def test_same_as_polars(case: str, send: Send) -> None:
    frame = made_up()
    expected = CASES[case](frame)
    added = [name for name in expected.columns if name not in frame.columns]
    assert expected[added[-1]].null_count() > 0, "a gap to compare"
    keys = [key for key in KEYS if key in expected.columns]
    found = collect(CASES[case](send(frame))).sort(keys)
    # Spark's integers are signed, and sums of other orders differ in the last digits.
    assert_frame_equal(found, expected.sort(keys), check_dtypes=False, rel_tol=1e-13, abs_tol=0)


def test_known_quotients_and_ranks(send: Send) -> None:
    jobs = pl.DataFrame({"region": list("AABB"), "industry": list("xyxy"), "year": 2019, "employment": [3, 1, 1, None]})
    found = collect(size_rank(location_quotient(send(jobs)), "employment")).sort(KEYS)
    assert found["lq"].to_list() == [0.9375, 1.25, 1.25, None]
    assert found["rank"].to_list() == [1, 1, 2, None]


def test_growth_from_zero_and_into_a_gap(send: Send) -> None:
    """Spark refuses to divide by zero, so the zero must not get as far as that."""
    sizes = [100.0, 121.0, 0.0, 5.0, 7.0, None]
    jobs = pl.DataFrame({"region": list("AABBCC"), "industry": "x", "year": [2017, 2019] * 3, "employment": sizes})
    assert collect(growth(send(jobs)))["growth"].to_list() == [pytest.approx(0.1), None, None]


def test_faults_are_named_before_anything_runs(send: Send) -> None:
    cells = send(made_up())
    with pytest.raises(
        ClusterbookError, match=r"no column 'jobs'\. It has: region, industry, year, employment, traded"
    ):
        location_quotient(cells, "jobs")
    with pytest.raises(ClusterbookError, match="Column 'region' holds String, not numbers"):
        shares(cells, "region")
    with pytest.raises(ClusterbookError, match=r"no rows of 2001\. Choose among its years: 2018, 2019, 2020"):
        growth(cells, start=2001)


def test_from_spark_to_stars(send: Send, tmp_path: Path) -> None:
    """The way that docs/scale.md shows: plants on Spark, the table of clusters on to Polars, stars there."""
    from pyspark.sql import functions as F  # noqa: N812 - as everybody calls it

    # Twenty regions of 100 plants of one job, 1 to 20 of them in steel; the top tenth begins at 18.1 jobs.
    of_steel = pl.DataFrame({"region": [f"R{k:02d}" for k in range(1, 21)], "steel": range(1, 21)})
    plants = (
        of_steel.with_columns(rest=100 - pl.col("steel"))
        .unpivot(index="region", variable_name="cluster", value_name="plants")
        .select(pl.col("region", "cluster").repeat_by("plants").explode(), year=2019, employment=1.0)
    )
    toys = pl.DataFrame({"region": "R01", "cluster": "toys", "year": 2019, "employment": [500.0, None]})
    known = F.count("employment") == F.count("*")
    clusters = (
        send(pl.concat([plants, toys], how="vertical_relaxed"))
        .groupBy("region", "cluster", "year")
        .agg(F.when(known, F.sum("employment")).alias("employment"))
    )
    clusters = shares(clusters, industry="cluster", names=("region_share", "national_share"))
    clusters = location_quotient(clusters, industry="cluster", name="lq_all")
    clusters.write.parquet(str(tmp_path / "clusters"))
    found = identify(pl.read_parquet(tmp_path / "clusters" / "*.parquet"), "eco2008").sort("region")
    steel = found.filter(cluster="steel")
    assert steel["stars"].to_list() == [0] * 18 + [2, 2]
    # 210 of 2,000 jobs are in steel: a share of 0.105, of which 0.20 is less than twice.
    assert steel["lq_all"][-1] == pytest.approx(0.20 / 0.105)
    assert found.filter(cluster="toys").select("employment", "lq_all", "stars").row(0) == (None, None, None)
