"""Input-output accounts of the US Bureau of Economic Analysis: who supplies whom, at 402 industries.

Unlike the other sources this one gives no panel but an ``InputOutput``.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clusterbook.data.input_output import InputOutput, industry_by_industry
from clusterbook.data.panel import Source
from clusterbook.data.sources import reading
from clusterbook.data.sources.fetch import cache_folder, download
from clusterbook.data.tables import Rows, load_table
from clusterbook.errors import ClusterbookError, Problem

ALL_TABLES = "https://apps.bea.gov/industry/iTables%20Static%20Files/AllTablesIO.zip"
IMPORTS = "https://apps.bea.gov/industry/xls/io-annual/ImportMatrices_Before_Redefinitions_DET_{year}.xlsx"

#: How the three tables are told by their names, in the order in which they are tried.
KINDS = {"imports": r"import", "make": r"make.*after", "use": r"use.*(pro.*after|after.*pro)"}

#: Commodities that no industry supplies as its product: scrap, used goods, non-comparable imports, the adjustment for
#: the rest of the world. They are left out of the flows.
NOT_PRODUCTS = ("S00401", "S00402", "S00300", "S00900")
_TOTAL = re.compile(r"^(T|F|V)\d{2}")


def fetch(years: Iterable[int] = (2017,), *, cache: Path | None = None) -> list[Path]:
    """Download the make, use (producers' prices) and import tables of benchmark years (2017) as Excel files.

    Raises ``ClusterbookError``.
    """
    folder = cache or cache_folder("bea")
    paths = []
    for year in years:
        archive = download(ALL_TABLES, folder / "AllTablesIO.zip")
        paths += _members(archive, year)
        paths.append(
            download(IMPORTS.format(year=year), folder / f"ImportMatrices_Before_Redefinitions_DET_{year}.xlsx")
        )
    return paths


def read(paths: reading.Paths, *, year: int = 2017, crosswalk: Path | None = None) -> InputOutput:
    """Read the three tables (Excel as published, CSV or Parquet) and derive domestic flows between industries.

    The tables are told by their names: 'Make ... After', 'Use ... PRO ... After', 'Import'. ``year`` is the sheet of
    an Excel file. ``crosswalk`` is a CSV file with a column of BEA detail codes and one of NAICS codes of ``year``.

    Flows are ``industry_by_industry`` of the tables without ``NOT_PRODUCTS``; output is the make table's row total.
    Imports exist only before redefinitions and at foreign port value, so domestic flows hold the freight and duty on
    imports. Raises ``DataError`` when a table is missing, is of another year, has other industries or commodities
    than the rest, or does not add up to the office's own totals (which also catches tables in different units).

    >>> table = read(["IOMake_After.xlsx", "IOUse_PRO_After.xlsx", "Imports.xlsx"])  # doctest: +SKIP
    """
    found = reading.each(paths)
    origin = ", ".join(str(p) for p in found)
    tables = {kind: _matrix(_one(kind, found), str(year)) for kind in ("make", "use", "imports")}
    make, use, imports = tables["make"], tables["use"], tables["imports"]
    industries = [c for c in make.rows if not _TOTAL.match(c)]
    commodities = [c for c in make.columns if not _TOTAL.match(c)]
    _same_codes("industries", industries, {"use": use.columns, "import": imports.columns}, origin)
    _same_codes("commodities", commodities, {"use": use.rows, "import": imports.rows}, origin)
    v = make.block(industries, commodities)
    u, m = use.block(commodities, industries), imports.block(commodities, industries)
    if "T008" in make.columns:
        _agree("industry output", v.sum(axis=1), make.block(industries, ["T008"])[:, 0], industries, origin)
    if "T007" in use.columns:
        _agree("commodity output", v.sum(axis=0), use.block(commodities, ["T007"])[:, 0], commodities, origin)
    if m.sum() > u.sum():
        raise reading.refuse(
            origin,
            "mixed units",
            f"imports ({m.sum():,.0f}) exceed all use ({u.sum():,.0f})",
            "Take all tables in million USD.",
        )
    products = [k for k, c in enumerate(commodities) if c not in NOT_PRODUCTS]
    flows, imported = industry_by_industry(v[:, products], u[products], m[products])
    excess = np.maximum(m[products] - np.maximum(u[products], 0), 0).sum()
    return InputOutput(
        flows=flows,
        output=v.sum(axis=1),
        imports=imported,
        industries=tuple(industries),
        titles={code: make.titles.get(code, code) for code in industries},
        crosswalk=_crosswalk(crosswalk, year, industries),
        source=Source(
            id=f"bea-{year}",
            title=f"Input-output accounts, benchmark {year}, detail level",
            publisher="U.S. Bureau of Economic Analysis",
            licence="Public domain (US government work)",
            vintage=f"{year}, make and use after redefinitions (producers' prices), imports before redefinitions",
            note="Domestic flows: market shares of the make table times use net of imports (industry technology).",
            caveats=(
                "Imports are valued at the foreign port: their freight and duty count as domestic.",
                f"Imports exceed use by {excess:,.0f} million USD in all; domestic use is taken as 0 in these cells.",
                "Scrap, used goods, non-comparable imports and the rest-of-the-world adjustment are left out of flows.",
            ),
            units={"flows": "million USD"},
        ),
    )


@dataclass(frozen=True)
class _Matrix:
    """A table of the office with the codes of its rows and columns."""

    rows: list[str]
    columns: list[str]
    values: NDArray[np.float64]
    titles: dict[str, str]

    def block(self, rows: Sequence[str], columns: Sequence[str]) -> NDArray[np.float64]:
        """Return the part with these rows and columns, in this order."""
        row, column = ({code: k for k, code in enumerate(codes)} for codes in (self.rows, self.columns))
        return self.values[np.ix_([row[c] for c in rows], [column[c] for c in columns])]


def _matrix(path: Path, sheet: str) -> _Matrix:
    """Read a table of figures with codes down the side and along the top; an empty field is 0 in these tables."""
    excel = path.suffix.lower() == ".xlsx"
    table = reading.table_below(path, "Code", sheet=sheet) if excel else load_table(path)
    own = next((c for c in table.frame.columns if c.lower() == "code"), "Code")
    codes = reading.take(table, {"code": own})
    label = next((c for c in table.frame.columns if "description" in c.lower()), None)
    columns = [c for c in table.frame.columns if re.match(r"^[0-9A-Z]{4,6}$", c)]
    rows = reading.take(table, {"code": own} | {c: c for c in columns}, optional={"title": label} if label else None)
    keep = codes.text["code"].str.contains(r"^[0-9A-Z]{4,6}$").fill_null(False)
    text = rows.text.filter(keep).with_columns(pl.col(c).replace(["---", "..."], None) for c in columns)
    rows = Rows(rows.origin, text, rows.columns, rows.places.filter(keep), rows.in_file)
    problems: list[Problem] = []
    numbers = reading.figures(rows, columns, problems)
    reading.stop(path, problems)
    titles = dict(zip(text["code"], text["title"], strict=True)) if label else {}
    return _Matrix(text["code"].to_list(), columns, numbers.fill_null(0).to_numpy(), titles)


def _one(kind: str, paths: Sequence[Path]) -> Path:
    """Return the one path whose name says that it is the table of a kind."""
    matching = [
        p
        for p in paths
        if next((k for k, form in KINDS.items() if re.search(form, p.name, re.IGNORECASE)), None) == kind
    ]
    if len(matching) != 1:
        raise ClusterbookError(
            f"{len(matching)} of the files given are the {kind} table; one is needed. Tables are told by their names: "
            "IOMake_After_...xlsx, IOUse_After_Redefinitions_PRO_...xlsx and ImportMatrices_...xlsx."
        )
    return matching[0]


def _same_codes(what: str, codes: list[str], others: dict[str, list[str]], origin: str) -> None:
    remedy = "Take tables of one year and one level of detail."
    problems = [
        Problem("unknown codes", f"{what} of the make table that the {name} table lacks", remedy, value=code)
        for name, present in others.items()
        for code in sorted(set(codes) - set(present))
    ]
    reading.stop(origin, problems)


def _agree(what: str, ours: NDArray[np.float64], theirs: NDArray[np.float64], codes: list[str], origin: str) -> None:
    """Refuse tables whose sums differ from the office's own totals by more than rounding."""
    off = np.abs(ours - theirs) > 10 + 0.005 * np.abs(theirs)
    if off.any():
        k = int(np.argmax(np.abs(ours - theirs)))
        message = f"{what} of {codes[k]} adds up to {ours[k]:,.0f}, the published total is {theirs[k]:,.0f}"
        raise reading.refuse(origin, "mixed units", message, "Take whole tables of one year, all in million USD.")


def _crosswalk(path: Path | None, year: int, industries: list[str]) -> pl.DataFrame:
    """Return pairs of six-digit NAICS codes and industries of the table."""
    if path is None:
        return pl.DataFrame(schema={"naics": pl.String, "industry": pl.String})
    table = load_table(path)
    header = table.frame.columns
    bea = next((c for c in header if re.match(rf"(?i)^bea.?{year}(_detail_code)?$", c)), f"BEA_{year}_Detail_Code")
    naics = next((c for c in header if re.match(rf"(?i)^naics.?{year}(_code|_6d)?$", c)), f"NAICS_{year}_Code")
    pairs = reading.take(table, {"industry": bea, "naics": naics}).text.drop_nulls()
    pairs = pairs.filter(pl.col("naics").str.contains(r"^\d{6}$")).unique().sort("naics", "industry")
    unknown = sorted(set(pairs["industry"]) - set(industries))
    remedy = "Take the crosswalk of the same benchmark year."
    reading.stop(
        path, [Problem("unknown codes", "no such industry in the tables", remedy, None, bea, c) for c in unknown]
    )
    return pairs.select("naics", "industry")


def _members(archive: Path, year: int) -> list[Path]:
    """Unpack the make and use tables of the detail level from the office's collection."""
    out = []
    try:
        with zipfile.ZipFile(archive) as collection:
            for kind in ("make", "use"):
                form = re.compile(KINDS[kind], re.IGNORECASE)
                named = [n for n in collection.namelist() if form.search(n) and f"{year}_Detail" in n]
                if len(named) != 1:
                    raise reading.refuse(
                        archive,
                        "wrong vintage",
                        f"{len(named)} {kind} tables of {year} are in it",
                        "Name a benchmark year of the collection, e.g. 2017.",
                    )
                target = archive.with_name(re.sub(r"\s+\.", ".", Path(named[0]).name))
                target.write_bytes(collection.read(named[0]))
                out.append(target)
    except (zipfile.BadZipFile, EOFError) as error:
        raise ClusterbookError(f"{archive}: not a whole zip file ({error}). Delete it and fetch it again.") from error
    return out
