"""Eurostat's regional statistics: structural business statistics and employment by region, as SDMX-CSV or TSV.

The files are plain CSV behind a plain address, so nothing but the standard library fetches them. An SDMX client would
bring a dozen packages to build the same address and hand back the same table.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from clusterbook.data.industries import Industries
from clusterbook.data.panel import Panel, Source
from clusterbook.data.regions import Regions
from clusterbook.data.sources import reading
from clusterbook.data.sources.fetch import cache_folder, download
from clusterbook.data.tables import Rows, Table, load_table
from clusterbook.errors import ClusterbookError, Problem

API = "https://ec.europa.eu/eurostat/api/dissemination/sdmx/3.0/data/dataflow/ESTAT"


@dataclass(frozen=True)
class Dataset:
    """One of Eurostat's datasets: its title, what to ask it for, and what a figure of 1 means in jobs."""

    title: str
    filters: dict[str, str]
    jobs: float


DATASETS = {
    "sbs_r_nuts06_r2": Dataset(
        "SBS data by NUTS 2 region and NACE Rev. 2, persons employed", {"indic_sb": "V16110"}, 1
    ),
    "nama_10r_3empers": Dataset(
        "Employment by NUTS 3 region, thousand persons", {"wstatus": "EMP", "unit": "THS"}, 1000
    ),
}  # fmt: skip

#: Levels of NACE Rev. 2 as these datasets write them (C, C10, C101).
NACE_LEVELS = {"section": r"^[A-Z]$", "division": r"^[A-Z]\d{2}$", "group": r"^[A-Z]\d{3}$"}

#: The aggregates of national accounts that add up to TOTAL; the dataset also holds parts and sums of them.
BRANCHES = ("A", "B-E", "F", "G-I", "J", "K", "L", "M_N", "O-Q", "R-U")
BRANCHES_COARSE = ("A", "B-E", "F", "G-J", "K-N", "O-U")

#: Eurostat's observation flags. c: confidential; e, s, f: an estimate or forecast; the others qualify a figure.
FLAGS = {
    "b": "break in time series", "c": "confidential", "d": "definition differs", "e": "estimated", "f": "forecast",
    "i": "see metadata", "m": "missing", "n": "not significant", "p": "provisional", "r": "revised",
    "s": "Eurostat estimate", "u": "low reliability", "z": "not applicable",
}  # fmt: skip
_ESTIMATES = "[esf]"

#: Editions of NUTS, each with level-2 codes that it abolished and codes that it brought.
NUTS_CHANGES: dict[int, tuple[set[str], set[str]]] = {
    2016: ({"FR21", "FR41", "IE01", "LT00", "HU10", "PL12"}, {"FRF2", "FRF3", "IE04", "LT01", "HU11", "PL91"}),
    2021: ({"HR04"}, {"HR05", "HR06"}),
    2024: ({"PT17", "PT18", "NL31", "NL33"}, {"PT1A", "PT1C", "NL35", "NL36"}),
}


def fetch(years: Iterable[int], *, dataset: str = "sbs_r_nuts06_r2", cache: Path | None = None) -> list[Path]:
    """Download one SDMX-CSV file a year, all regions and industries, and return where they are.

    Raises ``ClusterbookError`` for an unknown dataset or when the file cannot be had.
    """
    if dataset not in DATASETS:
        raise ClusterbookError(f"Eurostat's dataset {dataset!r} is not one of those read: {', '.join(DATASETS)}.")
    folder = cache or cache_folder("eurostat")
    paths = []
    for year in years:
        filters = DATASETS[dataset].filters | {"TIME_PERIOD": str(year)}
        query = {f"c[{name}]": value for name, value in filters.items()}
        query |= {"compress": "false", "format": "csvdata", "formatVersion": "2.0", "lang": "en", "labels": "name"}
        url = f"{API}/{dataset}/1.0?{urllib.parse.urlencode(query)}"
        paths.append(download(url, folder / f"{dataset}-{year}.csv"))
    return paths


def read(paths: reading.Paths, *, level: int = 2, nace: str = "division") -> Panel:
    """Read SDMX-CSV or TSV files of sbs_r_nuts06_r2 or nama_10r_3empers into a panel of jobs.

    ``level`` is that of NUTS (0 countries to 3), ``nace`` is 'section', 'division' or 'group' for business statistics;
    national accounts come in their ten branches (six where the ten are not published). Regions outside all regions
    (codes ending in Z) and aggregates of countries are left out.

    A confidential cell (c) is suppressed, one with ':' alone is not collected, an estimate (e, s, f) is imputed;
    other flags leave the figure as it is and are counted in the caveats.

    Raises ``DataError`` for figures that a spreadsheet has turned into times or dates, unknown flags, several units,
    and codes of two editions of NUTS in one year.

    >>> panel = read("sbs_r_nuts06_r2-2015.csv", level=2, nace="division")  # doctest: +SKIP
    """
    origin = ", ".join(str(p) for p in reading.each(paths))
    parts = [_read_file(path) for path in reading.each(paths)]
    datasets = {name for _, name in parts}
    if len(datasets) > 1:
        raise reading.refuse(
            origin, "mixed tables", f"files of {' and '.join(sorted(datasets))}", "Read one at a time."
        )
    dataset = datasets.pop()
    everything = pl.concat([frame for frame, _ in parts], how="diagonal")
    country = ~pl.col("region").str.contains(r"^(EU|EA|EEA|EFTA)") & ~pl.col("region").str.contains(r"Z{1,3}$")
    here = everything.filter(country & (pl.col("region").str.len_chars() == 2 + level))
    present = set(here["industry"])
    if dataset == "nama_10r_3empers":
        branches = BRANCHES if set(BRANCHES) <= present else BRANCHES_COARSE
        cells = here.filter(pl.col("industry").is_in(branches))
    else:
        if nace not in NACE_LEVELS:
            raise ClusterbookError(f"nace is one of {', '.join(NACE_LEVELS)}; given was {nace!r}.")
        cells = here.filter(pl.col("industry").str.contains(NACE_LEVELS[nace]))
    totals = here.filter(pl.col("industry") == "TOTAL").select("region", "year", "employment")
    keep = ["region", "industry", "year", "employment", "employment_lo", "employment_hi", "status"]
    places = reading.names(cells, "region", "name")
    if level > 0:
        places = places.with_columns(pl.col("region").str.slice(0, 2).alias("parent"))
    trades = reading.names(cells, "industry", "title")
    return reading.make_panel(
        cells.select(keep),
        _source(dataset, cells, _nuts_edition(cells, origin)),
        Regions(places, set_name=f"NUTS {level} regions"),
        Industries(trades, "NACE Rev. 2"),
        origin=origin,
        totals=totals if not totals.is_empty() else None,
    )


def _read_file(path: Path) -> tuple[pl.DataFrame, str]:
    table = _read_tsv(path) if "\\TIME_PERIOD" in reading.first_line(path) else load_table(path)
    header = table.frame.columns
    dataset = "nama_10r_3empers" if "wstatus" in header else "sbs_r_nuts06_r2"
    needed = {"region": "geo", "industry": "nace_r2", "year": "TIME_PERIOD", "value": "OBS_VALUE"}
    filters = DATASETS[dataset].filters
    labels = {"name": _label(header, "geo"), "title": _label(header, "nace_r2")}
    optional = {k: v for k, v in labels.items() if v} | {"flag": "OBS_FLAG", "secret": "CONF_STATUS"}
    rows = reading.take(table, needed | {name: name for name in filters}, optional=optional)
    _one_unit(rows, filters)
    text = rows.text.with_columns(_split_flags(rows.text.columns))
    rows = replace(rows, text=text)
    problems: list[Problem] = []
    numbers = reading.figures(rows, ["value", "year"], problems)
    reading.filled(rows, ["region", "industry", "year"], problems)
    unknown = pl.col("flags").str.replace_all(f"[{''.join(FLAGS)}]", "").replace("", None)
    reading.known_codes(replace(rows, text=text.with_columns(unknown)), "flags", FLAGS, problems)
    reading.stop(path, problems)
    labelled = [pl.col(c) if c in text.columns else pl.lit(None, pl.String).alias(c) for c in ("name", "title")]
    frame = text.select("region", "industry", "flags", *labelled).with_columns(
        numbers["year"].cast(pl.Int64), (numbers["value"] * DATASETS[dataset].jobs).alias("employment")
    )
    return _with_status(frame), dataset


def _split_flags(columns: Collection[str]) -> list[pl.Expr]:
    """Return the figure without its flags, and all flags in one text, wherever the format puts them.

    TSV files hold figure and flags in one field ('232 d', ': c'), SDMX-CSV in columns of their own; there a status of
    confidentiality other than F (free) says that the figure is confidential.
    """
    form = r"^(:|[^\sa-zA-Z:]+)?\s*([a-z]*)$"
    text = pl.col("value")
    plain = text.str.contains(form)
    nothing = pl.lit("")
    flags = [
        pl.when(plain).then(text.str.extract(form, 2)).fill_null(""),
        pl.col("flag").fill_null("").str.to_lowercase().str.strip_chars_start("@") if "flag" in columns else nothing,
        pl.when(pl.col("secret") != "F").then(pl.lit("c")).otherwise(nothing) if "secret" in columns else nothing,
    ]
    figure = pl.when(plain).then(text.str.extract(form, 1).replace(":", None)).otherwise(text)
    return [figure.alias("value"), pl.concat_str(flags).replace("", None).alias("flags")]


def _with_status(frame: pl.DataFrame) -> pl.DataFrame:
    flags = pl.col("flags").fill_null("")
    secret = flags.str.contains("c", literal=True)
    frame = frame.with_columns(pl.when(~secret).then("employment"))
    status = (
        pl.when(secret)
        .then(pl.lit("suppressed"))
        .when(pl.col("employment").is_null())
        .then(pl.lit("not_collected"))
        .when(flags.str.contains(_ESTIMATES))
        .then(pl.lit("imputed"))
        .when(pl.col("employment") == 0)
        .then(pl.lit("zero"))
        .otherwise(pl.lit("disclosed"))
    )
    return frame.with_columns(
        status.alias("status"),
        pl.when(secret).then(0.0).alias("employment_lo"),
        pl.lit(None, pl.Float64).alias("employment_hi"),
    )


def _read_tsv(path: Path) -> Table:
    """Read a TSV file, which has a column a year, as one row a figure; each row keeps the line it stands on."""
    wide = pl.read_csv(path, separator="\t", infer_schema=False, truncate_ragged_lines=True)
    keys, *years = wide.columns
    ids = keys.replace("\\TIME_PERIOD", "").split(",")
    long = wide.with_row_index("line", 2).unpivot(
        on=years, index=[keys, "line"], variable_name="TIME_PERIOD", value_name="OBS_VALUE"
    )
    fields = pl.col(keys).str.split_exact(",", len(ids) - 1).struct.rename_fields(ids)
    frame = long.select(fields.struct.unnest(), pl.col("TIME_PERIOD").str.strip_chars(), "OBS_VALUE")
    return Table(str(path), frame, long["line"])


def _label(header: list[str], code: str) -> str | None:
    """Return the column of names that follows a column of codes when the file was asked for with labels."""
    after = header[header.index(code) + 1 : header.index(code) + 2] if code in header else []
    return after[0] if after and " " in after[0] else None


def _one_unit(rows: Rows, filters: dict[str, str]) -> None:
    for name, wanted in filters.items():
        other = sorted(set(rows.text[name].drop_nulls()) - {wanted})
        if other:
            found = ", ".join(other[:5])
            raise reading.refuse(
                rows.origin,
                "mixed units",
                f"column '{name}' holds {found} where only {wanted} is read",
                f"Filter the file to {name} = {wanted}, or fetch it anew.",
            )


def _nuts_edition(cells: pl.DataFrame, origin: str) -> str:
    """Return the edition of NUTS that the regions belong to, or '' where their codes do not tell.

    A code is judged by the year and only where there is a figure: old codes stay in newer files without any.
    """
    known = cells.filter(pl.col("employment").is_not_null())
    came: set[int] = set()
    went: set[int] = set()
    for year in sorted(known["year"].unique()):
        codes = set(known.filter(pl.col("year") == year)["region"].str.slice(0, 4))
        for since, (gone, come) in NUTS_CHANGES.items():
            if (old := codes & gone) and (new := codes & come):
                raise reading.refuse(
                    origin,
                    "mixed vintages",
                    f"in {year} {min(old)} (before NUTS {since}) stands beside {min(new)} (NUTS {since} and after)",
                    "Take one edition of NUTS; a place must not be counted under its old and its new code.",
                )
            came |= {since} if codes & come else set()
            went |= {since} if codes & gone else set()
    if came:
        return f"NUTS {max(came)}"
    return f"NUTS before {min(went)}" if went else ""


def _source(dataset: str, cells: pl.DataFrame, edition: str) -> Source:
    years = sorted(cells["year"].unique().to_list())
    counts = {
        letter: int(cells["flags"].str.contains(letter, literal=True).sum() or 0) for letter in FLAGS if letter != "c"
    }
    flagged = [f"{FLAGS[letter]} ({letter}): {count:,}" for letter, count in counts.items() if count]
    caveats = ["Countries apply their own confidentiality rules; figures of small countries are often withheld."]
    if dataset == "sbs_r_nuts06_r2":
        caveats.append("Business economy only (NACE B to N without K, and S95): no farms, finance or public services.")
    if flagged:
        caveats.append(f"Cells with flags: {'; '.join(flagged)}.")
    span = re.sub(r"[\[\]]", "", str(years))
    return Source(
        id=dataset,
        title=f"{DATASETS[dataset].title} ({dataset})",
        publisher="Eurostat",
        licence="CC BY 4.0 (Commission Decision 2011/833/EU); state the source: Eurostat",
        vintage=", ".join(part for part in (span, edition) if part),
        caveats=tuple(caveats),
        units={"employment": "jobs"},
    )
