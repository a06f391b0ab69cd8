"""Make the bundled input-output table of the United States from the tables of the Bureau of Economic Analysis.

    python scripts/prepare_input_output.py SOURCES

SOURCES is a folder with the make, use and import tables of 2017 and the crosswalk to NAICS. Where they come from stands
in src/clusterbook/data/bundled/README.md. The script writes the Parquet files beside that README.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import polars as pl
from bundling import check, write

from clusterbook.data.sources import bea


def main(sources: Path) -> None:
    """Read the tables, write flows, industries and crosswalk."""
    tables = sorted(sources.glob("us_bea_Detail_*_2017_*.parquet"))
    crosswalk = sources / "us_bea_naics_master_crosswalk.csv"
    table = bea.read(tables, crosswalk=crosswalk)
    supplier, buyer = np.nonzero(table.flows > 0)
    codes = np.array(table.industries)
    flows = pl.DataFrame(
        {"supplier": codes[supplier], "buyer": codes[buyer], "flow": table.flows[supplier, buyer].astype(np.float32)}
    )
    named = pl.read_csv(crosswalk, infer_schema=False).select(
        industry="BEA_2017_Detail_Code", title="BEA_2017_Detail_Name"
    )
    industries = pl.DataFrame({"industry": codes, "output": table.output, "imports": table.imports}).join(
        named.unique("industry"), on="industry", how="left", maintain_order="left"
    )
    check(bool(industries["title"].is_not_null().all()), "every industry of the table has a name")
    write(flows, "us_input_output")
    write(industries, "us_input_output_industries")
    write(table.crosswalk, "us_input_output_crosswalk")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main(Path(sys.argv[1]))
