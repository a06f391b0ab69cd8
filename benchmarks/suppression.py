"""Time and accuracy of imputing suppressed cells, side by side with plain iterative proportional fitting.

``python benchmarks/suppression.py`` prints the times; ``--validate`` the table of docs/suppression.md. Both take
``--cells FILE``: a Parquet table of ``region, industry, year, employment, establishments`` at all levels.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from clusterbook.data import samples
from clusterbook.data.industries import Industries
from clusterbook.data.suppression import impute
from clusterbook.data.suppression.hierarchy import Bounds
from clusterbook.data.suppression.imputation import lay_out
from clusterbook.data.suppression.validation import ipf, validate

BUNDLED = Path(samples.__file__).parent / "bundled"


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Impute all US metro areas (quick: 60 of them) in 2019, then fit the same cells by plain IPF.

    Each side starts from the table as read: seconds, peak memory of the process so far (MB), time as a multiple of IPF.
    """
    cells = pl.read_parquet(BUNDLED / "us_metro_cells.parquet").filter(pl.col("year") == 2019)
    if quick:
        cells = cells.filter(pl.col("region").is_in(cells["region"].unique().sort().head(60).implode()))
    industries = naics_tree(cells["industry"])
    start = time.perf_counter()
    done = impute(cells, industries)
    ours = time.perf_counter() - start
    start = time.perf_counter()
    layout = lay_out(cells, ["establishments", "employment"], industries, None, 3)
    for figures in layout.figures.values():
        seed = np.where(np.isnan(figures.value), 1.0, figures.value)
        ipf(layout.tree, Bounds(figures.lo, figures.hi, ()), seed)
    plain = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = done.report.counts.filter(measure="employment").row(0, named=True)
    note = f"{counts['disclosed']:,} disclosed, {counts['imputed']:,} imputed; two measures, bounds, table, report"
    return [
        {"name": "impute US metros", "seconds": ours, "peak_mb": peak, "ratio": ours / plain, "note": note},
        {
            "name": "plain IPF",
            "seconds": plain,
            "peak_mb": peak,
            "ratio": 1.0,
            "note": "two measures, no bounds, no table",
        },
    ]


def naics_tree(codes: pl.Series) -> Industries:
    """Build the tree of NAICS codes by their digits; sectors such as '31-33' cover a range, '00' is everything."""
    known = codes.unique().sort().to_list()
    sectors: dict[str, str] = {str(n): c for c in known if "-" in c for n in range(int(c[:2]), int(c[3:]) + 1)}

    def above(code: str) -> str | None:
        if len(code) == 2 or "-" in code:
            return "00" if code != "00" and "00" in known else None
        return sectors.get(code[:-1], code[:-1])

    return Industries(pl.DataFrame({"industry": known, "title": known, "parent": [above(c) for c in known]}))


def accuracy(cells: pl.DataFrame, *, states: bool, hide: tuple[int, ...]) -> pl.DataFrame:
    """Validate on a table; with ``states``, counties (by the first two digits) add up to states and the nation."""
    industries = naics_tree(with_ancestors(cells["industry"]))
    counties = cells["region"].unique().to_list()
    parents = {c: c[:2] for c in counties} | {c[:2]: "US" for c in counties} if states else {}
    parts = [
        validate(cells, industries, parents, hide_below=n).insert_column(0, pl.lit(n).alias("hide_below")) for n in hide
    ]
    return pl.concat(parts)


def with_ancestors(codes: pl.Series) -> pl.Series:
    """Add the shorter codes above; a table of one level gets the totals it lacks."""
    if "00" in codes:
        return codes
    return pl.Series([c[:n] for c in codes.unique() for n in range(2, len(c) + 1)] + ["00"])


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--cells", type=Path, default=BUNDLED / "us_metro_cells.parquet")
    parser.add_argument("--year", type=int, default=2019)
    parser.add_argument("--states", action="store_true", help="regions are counties: add states and the nation")
    parser.add_argument("--prefix", nargs="+", default=[""], help="only regions whose code starts with one of these")
    parser.add_argument("--hide", type=int, nargs="+", default=[5, 10])
    chosen = parser.parse_args()
    if not chosen.validate:
        for row in run(chosen.quick):
            figures = f"{row['seconds']:8.2f} s {row['peak_mb']:8.0f} MB {row['ratio']:6.1f}x"
            print(f"{row['name']:<20} {figures}  {row['note']}")
        return
    wanted = pl.any_horizontal(pl.col("region").str.starts_with(start) for start in chosen.prefix)
    cells = pl.read_parquet(chosen.cells).filter(pl.col("year") == chosen.year, wanted)
    cells = cells.with_columns(pl.col("employment", "establishments").cast(pl.Float64))
    with pl.Config(tbl_formatting="ASCII_MARKDOWN", tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True,
                   tbl_rows=-1, tbl_cols=-1, tbl_width_chars=250, float_precision=3):  # fmt: skip
        print(accuracy(cells, states=chosen.states, hide=tuple(chosen.hide)))


if __name__ == "__main__":
    main()
