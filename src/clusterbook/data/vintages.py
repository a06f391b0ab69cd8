"""From one edition of regions or industries to another: concordances, what they cost, and levels of a tree.

Where a code went into several, figures are shared out and marked as imputed, with bounds from nothing to all; what was
shared out is reported as a share of the total, so that nobody takes a bridge for a count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import polars as pl

from clusterbook.data.industries import CLASSIFICATIONS, Industries
from clusterbook.data.panel import KEYS, STATUS, Panel, add_up, sort_cells
from clusterbook.data.regions import Regions
from clusterbook.errors import ClusterbookError

_BUNDLED = Path(__file__).parent / "bundled"
_PAIR = {"code": pl.String, "other": pl.String, "share": pl.Float64}


@dataclass(frozen=True)
class Concordance:
    """Which codes of one classification or geography are which in another.

    ``frame`` has one row a pair, sorted: ``code`` (from), ``other`` (to) and ``share``, the part of the code that goes
    there; the shares of a code add up to 1. ``basis`` says how split codes are shared out. Codes that are not in the
    frame stay as they are if ``complete`` is False, and are unknown if it is True.
    ``joint`` names wholes that both sides have to be added up to because nobody knows the shares: the whole's code and
    its parts in the newer edition, as ``Regions.merge`` takes them.
    """

    frame: pl.DataFrame
    source: str
    target: str
    basis: str
    complete: bool = True
    joint: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        totals = self.frame.group_by("code").agg(pl.sum("share"))
        wrong = totals.filter((pl.col("share") - 1).abs() > 1e-9)["code"].sort().to_list()
        if wrong or self.frame.select("code", "other").is_duplicated().any():
            raise ClusterbookError(
                f"Concordance {self.source} to {self.target}: the shares of {', '.join(wrong[:5]) or 'each code'} have "
                "to add up to 1, with each pair once."
            )

    @property
    def split(self) -> list[str]:
        """The codes that go into more than one."""
        return self.frame.group_by("code").len().filter(pl.col("len") > 1)["code"].sort().to_list()

    def then(self, following: Concordance) -> Concordance:
        """Return the concordance to where another leads on from this one.

        >>> old = concordance("NAICS 2007", "NAICS 2012").then(concordance("NAICS 2012", "NAICS 2017"))
        >>> old.source, old.target, old.frame.filter(code="334411")["other"].to_list()
        ('NAICS 2007', 'NAICS 2017', ['334419'])

        Raises:
            ClusterbookError: the other does not start where this one ends, or does not know all codes.
        """
        if following.source != self.target:
            raise ClusterbookError(f"A concordance from {self.target} is needed here, not from {following.source}.")
        lost = sorted(set(self.frame["other"]) - set(following.frame["code"])) if following.complete else []
        if lost:
            raise ClusterbookError(f"The concordance to {following.target} does not know {', '.join(lost[:5])}.")
        after = following.frame.rename({"code": "other", "other": "end", "share": "onward"})
        joined = self.frame.join(after, on="other", how="left").with_columns(
            pl.coalesce("end", "other").alias("end"), pl.col("onward").fill_null(1.0)
        )
        frame = (
            joined.group_by("code", other="end")
            .agg(share=(pl.col("share") * pl.col("onward")).sum())
            .sort("code", "other")
        )
        basis = self.basis if self.basis == following.basis else f"{self.basis}; then {following.basis}"
        return Concordance(frame, self.source, following.target, basis, self.complete and following.complete)


def concordance(source: str, target: str, *, weights: pl.DataFrame | None = None) -> Concordance:
    """Load the concordance between two classifications of industries.

    Args:
        source: where codes come from, e.g. 'NAICS 2012'.
        target: where they go to.
        weights: ``industry`` (codes of the target) and ``weight`` (e.g. national employment): a code that goes into
            several is shared out in proportion. Without them, or where the targets of a code have no weight between
            them, in equal parts.

    Raises:
        ClusterbookError: no such concordance, or weights that are missing or negative.

    >>> found = concordance("NAICS 2012", "NAICS 2017")
    >>> found.frame.filter(code="211111").rows()
    [('211111', '211120', 0.5), ('211111', '211130', 0.5)]

    Source: US Census Bureau for NAICS and ISIC; Eurostat for NACE. Weighting is ours.
    """
    table = pl.read_parquet(_BUNDLED / "concordances.parquet")
    pairs = table.filter(classification=source, target=target).select("code", "other")
    if pairs.is_empty():
        pairs = table.filter(classification=target, target=source).select(code="other", other="code")
    if pairs.is_empty():
        known = "; ".join(f"{a} and {b}" for a, b in table.select("classification", "target").unique().sort("*").rows())
        raise ClusterbookError(
            f"There is no concordance from '{source}' to '{target}'. There are those between {known}, both ways; chain "
            "them with then(), or use read_concordance()."
        )
    return _shared_out(pairs, source, target, weights)


def read_concordance(
    pairs: pl.DataFrame, source: str, target: str, *, weights: pl.DataFrame | None = None, complete: bool = True
) -> Concordance:
    """Make a concordance of your own.

    Args:
        pairs: ``code`` and ``other``, and ``share`` where you know how codes are shared out.
        source: the name of where codes come from.
        target: the name of where they go to.
        weights: see ``concordance``; not with ``share``.
        complete: False where codes that are not listed stay as they are.

    Raises:
        ClusterbookError: columns missing, shares that do not add up to 1, a pair twice.

    >>> read_concordance(pl.DataFrame({"code": ["1", "1"], "other": ["a", "b"]}), "old", "new").split
    ['1']
    """
    if not {"code", "other"} <= set(pairs.columns):
        raise ClusterbookError("A concordance needs the columns code and other. Rename yours.")
    if "share" not in pairs.columns:
        found = _shared_out(pairs.select("code", "other"), source, target, weights)
        return replace(found, complete=complete)
    frame = pairs.select("code", "other", pl.col("share").cast(pl.Float64)).sort("code", "other")
    return Concordance(frame, source, target, "shares as given", complete)


def _shared_out(pairs: pl.DataFrame, source: str, target: str, weights: pl.DataFrame | None) -> Concordance:
    equal = (1 / pl.len()).over("code")
    if weights is None:
        return Concordance(pairs.with_columns(share=equal).sort("code", "other"), source, target, "equal parts")
    if (
        not (weights["weight"].is_not_null() & (weights["weight"] >= 0)).all()
        or weights["industry"].is_duplicated().any()
    ):
        raise ClusterbookError("weights need one weight of 0 or more for each industry.")
    known = pairs.join(weights.select(other="industry", weight="weight"), on="other", how="left").with_columns(
        pl.col("weight").fill_null(0).cast(pl.Float64)
    )
    total = pl.col("weight").sum().over("code")
    share = pl.when(total > 0).then(pl.col("weight") / total).otherwise(equal)
    frame = known.select("code", "other", share=share).filter(pl.col("share") > 0).sort("code", "other")
    return Concordance(frame, source, target, "in proportion to the weights given")


# --- bridging panels ------------------------------------------------------------------------------------------------


class Bridged(NamedTuple):
    """A panel in another edition, and what had to be shared out for it.

    ``shared_out`` has one row a measure and year: ``measure``, ``year``, ``total`` (of disclosed cells), ``split`` (the
    part of it in codes that go into several) and ``share`` (split / total).
    """

    panel: Panel
    shared_out: pl.DataFrame


def bridge_industries(panel: Panel, along: Concordance) -> Bridged:
    """Turn a panel into another classification of industries.

    A figure of a code that goes into several is shared out: status 'imputed', bounds 0 and all of it. Suppressed cells
    stay suppressed, with what is known as bounds. Codes have to be of the level the concordance is made for.

    Raises:
        ClusterbookError: codes that the concordance does not know.

    Example:
        >>> from clusterbook.data import samples
        >>> done = bridge_industries(samples.us_counties().years_only([2019]), concordance("NAICS 2017", "NAICS 2012"))
        >>> done.shared_out.filter(measure="employment")["share"].round(4).item()
        0.0228
    """
    done = _bridge(panel, "industry", along)
    known = along.target in CLASSIFICATIONS
    industries = Industries.load(along.target) if known else Industries.from_codes(done.panel.frame["industry"])
    return done._replace(panel=replace(done.panel, industries=industries))


def bridge_regions(panel: Panel, along: Concordance, regions: Regions) -> Bridged:
    """Turn a panel into another edition of its regions, given as ``regions`` (names, shapes, population).

    As ``bridge_industries``; regions the concordance does not list stay as they are.

    Raises:
        ClusterbookError: ``regions`` lacks some that the panel has afterwards.
    """
    done = _bridge(panel, "region", along)
    regions.require(done.panel.frame["region"].unique().sort().to_list())
    return done._replace(panel=replace(done.panel, regions=regions))


def _bridge(panel: Panel, key: str, along: Concordance) -> Bridged:
    present = panel.frame[key].unique().sort()
    unknown = present.filter(~present.is_in(along.frame["code"].to_list()))
    if along.complete and len(unknown):
        raise ClusterbookError(
            f"{len(unknown)} of {len(present)} codes are not in the concordance from {along.source} to {along.target}: "
            f"{', '.join(unknown[:5].to_list())}{' ...' if len(unknown) > 5 else ''}. Check the vintage and the level "
            "of the panel, or leave these out of it first."
        )
    parts = panel.frame.join(along.frame.rename({"code": key}), on=key, how="left").with_columns(
        pl.coalesce("other", key).alias(key), pl.col("share").fill_null(1.0)
    )
    shared = _share_out(parts, panel.measures)
    frame = add_up(shared, KEYS, panel.measures)
    note = f"Bridged from {along.source} to {along.target}; codes that were split are shared out: {along.basis}."
    source = replace(panel.source, caveats=(*panel.source.caveats, note))
    bridged = replace(panel, frame=sort_cells(frame), source=source, totals=None if key == "region" else panel.totals)
    return Bridged(bridged, _shared_out_report(panel, key, along))


def _share_out(parts: pl.DataFrame, measures: tuple[str, ...]) -> pl.DataFrame:
    """Give each part its share; where a code was split a figure is between nothing and all of it."""
    split = pl.col("share") < 1
    columns = []
    for name in measures:
        low = pl.col(f"{name}_lo") if f"{name}_lo" in parts.columns else pl.lit(None, pl.Float64)
        high = pl.col(f"{name}_hi") if f"{name}_hi" in parts.columns else pl.lit(None, pl.Float64)
        columns += [
            (pl.col(name) * pl.col("share")).alias(name),
            pl.when(split).then(0.0).otherwise(low).alias(f"{name}_lo"),
            pl.when(split).then(pl.coalesce(high, name)).otherwise(high).alias(f"{name}_hi"),
        ]
    guessed = split & (pl.col("status") == "disclosed")
    status = pl.when(guessed).then(pl.lit("imputed", STATUS)).otherwise("status").alias("status")
    zero = split & (pl.col("status") == "zero")  # nothing shared out is nothing
    bounds = [f"{name}{end}" for name in measures for end in ("_lo", "_hi")]
    known = [pl.when(~zero).then(name).alias(name) for name in bounds]
    return parts.with_columns(*columns).with_columns(*known).with_columns(status).drop("other", "share")


def _shared_out_report(panel: Panel, key: str, along: Concordance) -> pl.DataFrame:
    held = pl.col(key).is_in(along.split)
    return (
        panel.frame.unpivot(on=panel.measures, index=[key, "year"], variable_name="measure", value_name="value")
        .group_by("measure", "year")
        .agg(total=pl.col("value").sum(), split=pl.col("value").filter(held).sum())
        .with_columns(share=pl.when(pl.col("total") > 0).then(pl.col("split") / pl.col("total")))
        .sort("measure", "year")
    )


# --- levels of a classification -------------------------------------------------------------------------------------


def roll_up(panel: Panel, level: int) -> Panel:
    """Add industries up to a higher level of their classification.

    A sum with a suppressed part is suppressed and keeps what is known as bounds.

    Raises:
        ClusterbookError: no such level, or industries that have no ancestor (and are not themselves) at that level.

    Example:
        >>> from clusterbook.data import samples
        >>> sorted(roll_up(samples.us_metros(level=4), 2).frame["industry"].unique())[:3]
        ['11', '21', '22']
    """
    wanted = panel.industries.at_level(level)
    present = panel.frame["industry"].unique().sort().to_list()
    above = panel.industries.covering(present, wanted)
    lost = [code for code in present if code not in above]
    if lost:
        raise ClusterbookError(
            f"{', '.join(lost[:5])}: {len(lost)} industries have nothing above them at level {level}. Choose a level "
            "above that of the panel."
        )
    raised = panel.frame.with_columns(pl.col("industry").replace_strict(above))
    return replace(panel, frame=sort_cells(add_up(raised, KEYS, panel.measures)))


def drill_down(panel: Panel, code: str) -> Panel:
    """Return the part of a panel that lies below a code of its classification.

    Raises:
        ClusterbookError: nothing of the panel lies there.

    Example:
        >>> from clusterbook.data import samples
        >>> drill_down(samples.us_metros(level=4), "336").frame["industry"].unique().sort().to_list()[:2]
        ['3361', '3362']
    """
    below = {code, *panel.industries.below(code)}
    frame = panel.frame.filter(pl.col("industry").is_in(sorted(below)))
    if frame.is_empty():
        raise ClusterbookError(f"Nothing in the panel lies below '{code}'. Give a code above the panel's level.")
    return replace(panel, frame=frame, totals=None)


# --- editions of regions --------------------------------------------------------------------------------------------


class Change(NamedTuple):
    """A change of regions: from ``year`` on the ``old`` codes are the ``new`` ones.

    ``forward`` and ``backward`` are the shares of old in new and of new in old, where known: by population at the
    census before the change or after it. Where neither is, both sides can only be added up to ``whole``.
    """

    year: int
    old: tuple[str, ...]
    new: tuple[str, ...]
    forward: tuple[tuple[str, str, float], ...] = ()
    backward: tuple[tuple[str, str, float], ...] = ()
    whole: str = ""


def _same(year: int, old: str, new: str) -> Change:
    return Change(year, (old,), (new,), ((old, new, 1.0),), ((new, old, 1.0),))


# As of 1 July of the year. Populations: Bedford city 6,222 and Bedford County 68,676 in 2010; Chugach 7,102 and Copper
# River 2,617 in 2020.
_BEDFORD = 6222 / (6222 + 68676)
_CHUGACH = 7102 / (7102 + 2617)
US_COUNTY_CHANGES = (
    Change(
        2013,
        ("51515", "51019"),
        ("51019",),
        (("51515", "51019", 1.0), ("51019", "51019", 1.0)),
        (("51019", "51515", _BEDFORD), ("51019", "51019", 1 - _BEDFORD)),
    ),
    _same(2015, "46113", "46102"),
    _same(2015, "02270", "02158"),
    Change(
        2019,
        ("02261",),
        ("02063", "02066"),
        (("02261", "02063", _CHUGACH), ("02261", "02066", 1 - _CHUGACH)),
        (("02063", "02261", 1.0), ("02066", "02261", 1.0)),
    ),
    Change(
        2022,
        tuple(f"09{n:03d}" for n in range(1, 16, 2)),
        tuple(f"09{n}" for n in range(110, 191, 10)),
        whole="09",
    ),
)

_FRANCE_2016 = {
    "FR21": "FRF2", "FR22": "FRE2", "FR23": "FRD2", "FR24": "FRB0", "FR25": "FRD1", "FR26": "FRC1", "FR30": "FRE1",
    "FR41": "FRF3", "FR42": "FRF1", "FR43": "FRC2", "FR51": "FRG0", "FR52": "FRH0", "FR53": "FRI3", "FR61": "FRI1",
    "FR62": "FRJ2", "FR63": "FRI2", "FR71": "FRK2", "FR72": "FRK1", "FR81": "FRJ1", "FR82": "FRL0", "FR83": "FRM0",
    "FRA1": "FRY1", "FRA2": "FRY2", "FRA3": "FRY3", "FRA4": "FRY4", "FRA5": "FRY5",
}  # fmt: skip
_POLAND_2016 = {"PL11": "PL71", "PL31": "PL81", "PL32": "PL82", "PL33": "PL72", "PL34": "PL84"}


def _divided(year: int, old: str, *new: str) -> Change:
    """Return a region that was cut up in shares we do not state: the parts can be added up to it, not it shared out."""
    return Change(year, (old,), new, whole=old)


NUTS2_CHANGES = (
    *(_same(2016, old, new) for old, new in (_FRANCE_2016 | _POLAND_2016).items()),
    _divided(2016, "HU10", "HU11", "HU12"),
    _divided(2016, "LT00", "LT01", "LT02"),
    _divided(2016, "PL12", "PL91", "PL92"),
    Change(2016, ("IE01", "IE02"), ("IE04", "IE05", "IE06"), whole="IE0"),
    Change(2016, ("UKM2", "UKM3"), ("UKM7", "UKM8", "UKM9"), whole="UKM2-3"),
    _divided(2021, "HR04", "HR02", "HR05", "HR06"),
    Change(2021, ("NO01", "NO02", "NO03", "NO04", "NO05"), ("NO02", "NO08", "NO09", "NO0A"), whole="NO01-05"),
)


def us_counties_bridge(old: int, new: int) -> Concordance:
    """Return how US counties of one year became those of another, 2010 to 2024, forwards or backwards.

    Shannon became Oglala Lakota (46113, 46102), Wade Hampton Kusilvak (02270, 02158), Bedford city joined its county
    (51515, 51019), Valdez-Cordova (02261) was cut in two (02063, 02066). Connecticut's planning regions (2022) cut
    across its eight counties: both sides are added up to the state, '09' (``joint``).

    Raises:
        ClusterbookError: a year outside 2010 to 2024.

    >>> us_counties_bridge(2012, 2020).frame.filter(code="46113")["other"].to_list()
    ['46102']

    Source: US Census Bureau, Substantial changes to counties and county equivalents; populations of the censuses.
    """
    if not (2010 <= old <= 2024 and 2010 <= new <= 2024):
        raise ClusterbookError(f"Changes of US counties are known from 2010 to 2024, not from {old} to {new}.")
    return _edition_bridge(US_COUNTY_CHANGES, old, new, "US counties of")


def nuts2_bridge(old: int, new: int) -> Concordance:
    """Return how NUTS 2 regions of one edition (2013, 2016, 2021) became those of another, forwards or backwards.

    New codes of the same region are followed. Regions that were cut up or redrawn (Ireland, southern Scotland and
    Norway; Budapest, Vilnius, Warsaw and continental Croatia divided) are added up to a common whole (``joint``).
    Small shifts of borders that left the codes as they were are not seen.

    Raises:
        ClusterbookError: another edition.

    >>> nuts2_bridge(2013, 2016).frame.filter(code="FR71")["other"].item()
    'FRK2'

    Source: Eurostat, History of NUTS (Commission Regulations (EU) 2016/2066 and 2019/1755).
    """
    if not {old, new} <= {2013, 2016, 2021}:
        raise ClusterbookError(f"Editions of NUTS here are 2013, 2016 and 2021, not {old} and {new}.")
    return _edition_bridge(NUTS2_CHANGES, old, new, "NUTS 2 of")


def _edition_bridge(changes: tuple[Change, ...], old: int, new: int, name: str) -> Concordance:
    early, late = sorted((old, new))
    wanted = [change for change in changes if early < change.year <= late]
    rows: list[tuple[str, str, float]] = []
    joint: dict[str, tuple[str, ...]] = {}
    for change in wanted:
        codes, others = (change.old, change.new) if old <= new else (change.new, change.old)
        known = change.forward if old <= new else change.backward
        rows += known or [(code, change.whole, 1.0) for code in codes]
        if not known and set(others) != {change.whole}:
            joint[change.whole] = others
    frame = pl.DataFrame(rows, schema=_PAIR, orient="row").sort("code", "other")
    basis = "by population at a census; where that is not known both sides are added up to a common whole"
    return Concordance(frame, f"{name} {old}", f"{name} {new}", basis, complete=False, joint=joint)
