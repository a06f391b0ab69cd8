"""Small panels and editions that several tests share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import shapely

import clusterbook as cb
from clusterbook.data.panel import status_of

# Four sectors of four industries; the first digit is the sector. Sector 4 is local.
INDUSTRIES = tuple(f"{sector}{k}" for sector in range(1, 5) for k in range(1, 5))


def make_panel(*, regions: int = 24, years: tuple[int, ...] = (2018, 2019), seed: int = 7) -> cb.Panel:
    """Make a panel in which industries of sectors 1 to 3 co-locate by sector and those of sector 4 are everywhere."""
    rng = np.random.default_rng(seed)
    people = rng.integers(20, 400, regions) * 1000.0
    home = rng.integers(1, 4, regions)
    rows = []
    for year in years:
        for r in range(regions):
            for code in INDUSTRIES:
                sector = int(code[0])
                share = 0.03 if sector == 4 else 0.05 * (sector == home[r]) + 0.002 * rng.random()
                jobs = float(round(people[r] * share * rng.uniform(0.9, 1.1)))
                rows.append((f"R{r:02d}", code, year, jobs, float(np.ceil(jobs / 25)), jobs * 50))
    schema = ["region", "industry", "year", "employment", "establishments", "payroll"]
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(status_of("employment"))
    codes = [f"R{r:02d}" for r in range(regions)]
    places = cb.Regions(
        pl.DataFrame({"region": codes, "name": [f"Town {c[1:]}" for c in codes], "population": people}),
        noun=("town", "towns"),
    )
    tree = [(c, f"Making of {c} goods Manufacturing", c[0]) for c in INDUSTRIES]
    tree += [(s, f"Sector {s}", None) for s in "1234"]
    industries = cb.Industries(
        pl.DataFrame(tree, schema=["industry", "title", "parent"], orient="row").sort("industry"), "Toy 1"
    )
    source = cb.Source(
        id="toy",
        title="Toy census",
        publisher="Toy office",
        licence="public domain",
        units={"payroll": "thousand USD a year"},
    )
    return cb.Panel(frame.sort("year", "region", "industry"), source, places, industries)


def on_a_map(panel: cb.Panel) -> cb.Panel:
    """Return the panel with unit squares for regions, six in a row."""
    codes = panel.regions.frame["region"].to_list()
    boxes = {c: shapely.to_wkb(shapely.box(k % 6, k // 6, k % 6 + 1, k // 6 + 1)) for k, c in enumerate(codes)}
    outline = shapely.to_wkb(shapely.box(0, 0, 6, 4))
    return replace(panel, regions=replace(panel.regions, geometry=boxes, outline=outline))


@pytest.fixture(scope="session")
def panel() -> cb.Panel:
    return make_panel()


@pytest.fixture(scope="session")
def definitions(panel: cb.Panel) -> cb.ClusterDefinitions:
    return cb.discover_definitions(panel, n_clusters=(3, 3))


@pytest.fixture(scope="session")
def edition(
    panel: cb.Panel, definitions: cb.ClusterDefinitions, tmp_path_factory: pytest.TempPathFactory
) -> cb.Edition:
    return cb.build_edition(panel, definitions, tmp_path_factory.mktemp("editions") / "toy.edition")


@pytest.fixture(scope="session")
def metro_edition(tmp_path_factory: pytest.TempPathFactory) -> cb.Edition:
    """The real thing: US metro areas from the bundled data, as `./run atlas` builds it."""
    metros = cb.samples.us_metros(6, imputed=True)
    folder: Path = tmp_path_factory.mktemp("editions") / "us.edition"
    return cb.build_edition(metros, cb.us_definitions(), folder, trend=cb.samples.us_metro_trends())
