"""Make the pictures of docs/plots.md and docs/results.md, and the tables of docs/results.md.

    python scripts/make_figures.py [SOURCES]

Everything is made from the bundled samples, except the results on national input-output tables and on world trade:
SOURCES is a folder with the files named under "Inputs" below; what is missing is skipped and its table left as it
stands. A table stands in docs/results.md between two comments that name it.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

import clusterbook as cb
from clusterbook import plot
from clusterbook.data.sources import bea
from clusterbook.measures import complexity, concentration, input_output, localisation, points, relatedness, shift_share
from clusterbook.measures.plant_concentration import guimaraes_figueiredo_woodward
from clusterbook.measures.weights import contiguity

# Inputs, relative to SOURCES: the 2017 benchmark tables of the Bureau of Economic Analysis, and exports of countries
# (country, product, value) in SITC products
BEA = (
    "input_output/us_bea_Detail_Make_2017_AfterRedef_17sch.parquet",
    "input_output/us_bea_Detail_Use_2017_PRO_AfterRedef_17sch.parquet",
    "input_output/us_bea_Detail_Import_2017_BeforeRedef_17sch.parquet",
)
BEA_NAMES = "input_output/us_bea_naics_master_crosswalk.csv"
TRADE = "trade/world_trade_sitc_avg_1998_2000.parquet"

DOCS = Path(__file__).parent.parent / "docs"
IMAGES = DOCS / "images"

#: Sectors of NAICS that are nearly everywhere, left out of the industry space
LOCAL_SECTORS = ("22", "23", "44", "45", "53", "56", "61", "62", "71", "72", "81")
CBP = "US Census Bureau, County Business Patterns 2019, metro areas"
PPI = 120
Floats = NDArray[np.float64]
log = logging.getLogger("figures")


def main() -> None:
    """Make all figures and tables that the inputs at hand allow."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    IMAGES.mkdir(exist_ok=True)
    metros()
    counties()
    change()
    facilities()
    sources = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    for result, needed in ((key_sectors, (*BEA, BEA_NAMES)), (world_trade, (TRADE,))):
        if sources and all((sources / name).is_file() for name in needed):
            result(sources)
        else:
            log.info("skipped %s: needs %s", result.__name__, ", ".join(needed))


def metros() -> None:
    """Concentration, coagglomeration, complexity and the industry space of metro areas, four-digit NAICS, 2019."""
    panel = cb.samples.us_metros().years_only([2019])
    jobs, plants = panel.matrix(), panel.matrix("establishments")
    titles, places = _titles(jobs), [panel.regions.names()[code] for code in jobs.regions]
    assert panel.totals is not None
    published = dict(panel.totals.select("region", "employment").iter_rows())
    all_jobs = np.array([published[code] for code in jobs.regions])
    column = {code: k for k, code in enumerate(jobs.industries)}

    chosen = [column[code] for code in ("2121", "3344", "5415", "7225")]
    _save(
        "lorenz",
        plot.lorenz(
            jobs.values[:, chosen],
            all_jobs,
            names=["Coal mining", "Semiconductors and components", "Computer systems design", "Restaurants"],
            reference_name="all jobs",
            subtitle="Employment in 933 US metro and micro areas, March 2019",
            source=CBP,
        ),
    )
    _save(
        "lq_funnel",
        plot.lq_funnel(
            plants.values,
            column["3344"],
            names=places,
            name="Semiconductors and components",
            subtitle="Establishments of NAICS 3344 in 933 US metro and micro areas, 2019",
            source=CBP,
        ),
    )
    _concentration_table("metros", jobs.values, plants.values, titles, all_jobs, fewest=(100, 20_000))

    together = relatedness.coagglomeration(jobs.values, all_jobs)
    large = np.flatnonzero((jobs.values.sum(axis=0) >= 20_000) & (plants.values.sum(axis=0) >= 100))
    _table(
        "pairs",
        ("industry", "industry", "coagglomeration"),
        ((titles[i], titles[j], f"{together[i, j]:.3f}") for i, j in _top_pairs(together, large, 15)),
    )

    present = complexity.presence(jobs.values)
    found = complexity.complexity(present, size=all_jobs)
    words = plot.Words(subtitle="US metro and micro areas, four-digit industries, employment 2019", source=CBP)
    _save("eci_metros", plot.eci_ranking(found, places, **words))
    _save("pci_industries", plot.eci_ranking(found, titles, of="industries", **words))
    log.info("correlation of ECI with log jobs: %.2f", np.corrcoef(found.eci, np.log(all_jobs))[0, 1])
    log.info("eigenvalues %s, notes %s", found.eigenvalues, found.notes)
    sectors = _sectors(jobs.industries)
    traded = [k for k, code in enumerate(jobs.industries) if code[:2] not in LOCAL_SECTORS]
    _save(
        "industry_space",
        plot.proximity_space(
            relatedness.proximity(present[:, traded]),
            [titles[k] for k in traded],
            size=jobs.values[:, traded].sum(axis=0),
            groups=[sectors[k] for k in traded],
            subtitle="Proximity of four-digit industries in US metro and micro areas, 2019; area: jobs. Without "
            "building, retailing, schools, health, hotels and other services that are everywhere",
            source=CBP,
        ),
    )


def counties() -> None:
    """Concentration of six-digit industries over counties in 2021, and the neighbourhood of manufacturing."""
    panel = cb.samples.us_counties().years_only([2021])
    jobs, plants = panel.matrix(), panel.matrix("establishments")
    _concentration_table(
        "counties", jobs.values, plants.values, _titles(jobs), jobs.values.sum(axis=1), fewest=(200, 5_000)
    )
    drawn = [k for k, code in enumerate(jobs.regions) if code in panel.regions.geometry]
    codes = [jobs.regions[k] for k in drawn]
    makes = np.array([code.startswith("3") for code in jobs.industries])
    share = np.sqrt(jobs.values[drawn][:, makes].sum(axis=1) / jobs.values[drawn].sum(axis=1))
    _save(
        "moran_scatter",
        plot.moran_scatter(
            share,
            contiguity(panel.regions, codes),
            names=[panel.regions.names()[code] for code in codes],
            permutations=999,
            subtitle="Manufacturing's share of jobs (square root) in US counties that touch, March 2021",
            source="US Census Bureau, County Business Patterns 2021, sums of published six-digit cells",
        ),
    )


def change() -> None:
    """Shift-share of Las Vegas, 2018 to 2021."""
    panel = cb.samples.us_metro_trends()
    before, after = panel.matrix(year=2018), panel.matrix(year=2021)
    industries = tuple(sorted({*before.industries, *after.industries}))
    row = before.regions.index("29820")
    assert before.regions == after.regions
    parts = shift_share.shift_share(_spread(before, industries), _spread(after, industries))
    _save(
        "shift_share",
        plot.shift_share_waterfall(
            parts,
            row,
            name="Las Vegas",
            subtitle="Employment, March 2018 to March 2021, six-digit industries, against all US metro areas",
            source="US Census Bureau, County Business Patterns 2018 and 2021, counties added up",
        ),
    )


def facilities() -> None:
    """K-density of large greenhouse-gas emitters of 2023, industry by industry."""
    plants = cb.samples.us_facilities([2023]).frame
    places = points.on_sphere(plants.select("lon", "lat").to_numpy())
    industries = plants["industry"].to_numpy().astype(str)
    curves = localisation.k_densities(places, industries, distances=np.linspace(0, 500e3, 101))
    count = dict(plants["industry"].value_counts().iter_rows())
    words = plot.Words(
        subtitle="Distances between US plants that emit 25,000 t CO2 equivalent or more a year, 2023",
        source="US Environmental Protection Agency, Greenhouse Gas Reporting Program",
    )
    _save("k_density", plot.k_density(curves["325110"], name=f"Petrochemicals ({count['325110']} plants)", **words))
    _save("k_density_power", plot.k_density(curves["221112"], name="Fossil-fuel power stations", **words))
    titles = cb.Industries.load("NAICS 2017").titles
    step = 5.0  # km between distances
    order = sorted(curves, key=lambda code: -curves[code].excess.sum())
    _table(
        "facilities",
        ("NAICS", "industry", "plants", "excess up to 500 km", "largest at, km"),
        (
            (
                code,
                titles.get(code, "(a code of NAICS 2022)"),
                f"{count[code]}",
                f"{curves[code].excess.sum() * 1000 * step:.2f}",
                f"{curves[code].distances[curves[code].excess.argmax()] / 1000:.0f}",
            )
            for code in order[:15]
        ),
    )
    localised = sum(curve.localised for curve in curves.values())
    dispersed = [code for code, curve in curves.items() if curve.dispersed]
    log.info("%d industries tested, %d localised, dispersed: %s", len(curves), localised, dispersed)


def key_sectors(sources: Path) -> None:
    """Key sectors of the United States, 2017: power and sensitivity of dispersion above 1."""
    table = bea.read([sources / name for name in BEA])
    names = pl.read_csv(sources / BEA_NAMES, infer_schema=False)
    title = dict(names.select("BEA_2017_Detail_Code", "BEA_2017_Detail_Name").drop_nulls().iter_rows())
    inverse = input_output.leontief(input_output.input_coefficients(table.flows, table.output))
    reach = input_output.dispersion(inverse)
    kind = input_output.key_sectors(reach.power, reach.sensitivity)
    order = [k for k in np.argsort(-(reach.power + reach.sensitivity)) if kind[k] == "key"]
    _table(
        "key-sectors",
        ("industry", "power of dispersion", "sensitivity of dispersion", "variation of power"),
        (
            (
                title.get(table.industries[k], table.industries[k]).strip(),
                f"{reach.power[k]:.2f}",
                f"{reach.sensitivity[k]:.2f}",
                f"{reach.power_variation[k]:.1f}",
            )
            for k in order[:15]
        ),
    )
    log.info("%d of %d industries are key", len(order), len(kind))


def world_trade(sources: Path) -> None:
    """Complexity of countries by their exports, mean of 1998 to 2000, all of them and the large ones."""
    wide = pl.read_parquet(sources / TRADE).pivot("product", index="country", values="value").fill_null(0)
    exports = wide.drop("country").to_numpy().astype(np.float64)
    countries = [code.upper() for code in wide["country"]]
    size = exports.sum(axis=1)
    words = plot.Words(
        subtitle="Exports in four-digit SITC products, mean of 1998 to 2000",
        source="UN Comtrade, as in economiccomplexity",
    )
    found = complexity.complexity(complexity.presence(exports), size=size)
    _save(
        "eci_world_all",
        plot.eci_ranking(found, countries, title="All 226 countries: tiny islands among the first", **words),
    )
    large = np.flatnonzero(size >= size.sum() / 1000)
    kept = exports[large][:, exports[large].sum(axis=0) > 0]
    found = complexity.complexity(complexity.presence(kept), size=size[large])
    title = "Countries with a thousandth of all exports: Japan, Britain and Germany lead"
    _save("eci_world", plot.eci_ranking(found, [countries[k] for k in large], title=title, **words))
    log.info("%d countries, %d of them large (least: %.3g)", len(size), len(large), size[large].min())


def _concentration_table(
    name: str, jobs: Floats, plants: Floats, titles: Sequence[str], reference: Floats, *, fewest: tuple[int, int]
) -> None:
    """Write the most and the least concentrated industries among those with enough plants and jobs."""
    gini = concentration.locational_gini(jobs, reference)
    hoover = concentration.hoover(jobs, reference)
    gamma = guimaraes_figueiredo_woodward(plants)
    count, size = plants.sum(axis=0), jobs.sum(axis=0)
    enough = np.flatnonzero((count >= fewest[0]) & (size >= fewest[1]))
    header = ("industry", "jobs", "plants", "Gini", "Hoover", "gamma of plants")

    def lines(order: Iterable[int]) -> Iterable[tuple[str, ...]]:
        for k in order:
            figures = (f"{size[k]:,.0f}", f"{count[k]:,.0f}", f"{gini[k]:.3f}", f"{hoover[k]:.3f}", f"{gamma[k]:.4f}")
            yield (titles[k], *figures)

    by_gini = enough[np.argsort(-gini[enough])]
    _table(f"{name}-most", header, lines(by_gini[:10]))
    _table(f"{name}-least", header, lines(by_gini[::-1][:8]))
    _table(f"{name}-plants", header, lines(enough[np.argsort(-gamma[enough])][:8]))
    ranks = [np.argsort(np.argsort(values[enough])) for values in (gini, hoover, gamma)]
    log.info("%s: %d industries; rank correlation Gini-Hoover %.2f, Gini-gamma %.2f", name, len(enough),
             np.corrcoef(ranks[0], ranks[1])[0, 1], np.corrcoef(ranks[0], ranks[2])[0, 1])  # fmt: skip


def _top_pairs(together: Floats, among: NDArray[np.intp], most: int) -> list[tuple[int, int]]:
    here, there = np.triu_indices(len(among), 1)
    order = np.argsort(-together[among[here], among[there]])[:most]
    return [(int(among[here[k]]), int(among[there[k]])) for k in order]


def _titles(matrix: cb.Matrix) -> list[str]:
    titles = cb.Industries.load("NAICS 2017").titles
    return [titles[code] for code in matrix.industries]


def _sectors(codes: Sequence[str]) -> list[str]:
    tree = cb.Industries.load("NAICS 2017")
    return [tree.titles[tree.ancestors(code)[-1]] for code in codes]


def _spread(matrix: cb.Matrix, industries: Sequence[str]) -> Floats:
    """Return the values in the columns named; a column that is not there has no jobs."""
    place = {code: k for k, code in enumerate(industries)}
    values = np.zeros((len(matrix.regions), len(industries)))
    values[:, [place[code] for code in matrix.industries]] = matrix.values
    return values


def _save(name: str, chart: alt.VConcatChart) -> None:
    file = IMAGES / f"{name}.png"
    chart.save(file, ppi=PPI)
    Image.open(file).convert("RGB").quantize(128).save(file, optimize=True)  # a third of the size
    title = " ".join(chart.to_dict()["vconcat"][0]["title"]["text"])
    log.info("%s (%d kB): %s", file.name, file.stat().st_size // 1000, title)


def _table(name: str, header: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Put a table between the two comments of docs/results.md that name it."""
    rule = ["---" if k == 0 or head == "industry" else "---:" for k, head in enumerate(header)]
    text = "\n".join("| " + " | ".join(cells) + " |" for cells in (header, rule, *lines))
    page = DOCS / "results.md"
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    mark = re.compile(rf"(<!-- table {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    fill: Callable[[re.Match[str]], str] = lambda found: f"{found[1]}{text}\n{found[2]}"  # noqa: E731
    new, count = mark.subn(fill, old)
    if count:
        page.write_text(new, encoding="utf-8")
    else:
        log.info("docs/results.md has no place for the table %s:\n%s", name, text)


if __name__ == "__main__":
    main()
