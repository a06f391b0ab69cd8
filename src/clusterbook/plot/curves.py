"""Curves: the Lorenz curve of an industry over regions, and the density of distances between its plants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import altair as alt
import numpy as np
from numpy.typing import ArrayLike, NDArray

from clusterbook.errors import ClusterbookError
from clusterbook.measures.concentration import (
    column_shares,
    hoover,
    locational_gini,
    reference_shares,
    size_columns,
)
from clusterbook.measures.localisation import Curve
from clusterbook.plot.figure import Floats, Words, axis, frame, names_of, palette, rows, written

_MOST_CURVES = 5  # as many as the palette sets side by side
_STEPS = 200  # a curve is drawn with a point for each half per cent on either axis


def lorenz(
    values: ArrayLike,
    reference: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    reference_name: str = "everything",
    **words: Unpack[Words],
) -> alt.VConcatChart:
    """Draw Lorenz curves of industries over regions against a reference; the area they leave is the locational Gini.

    Regions go from the lowest location quotient to the highest. The diagonal is an industry spread like the reference.

    Args:
        values: sizes, shape (R,) for one industry or (R, K) for up to five, not negative.
        reference: sizes to compare with, shape (R,), e.g. all jobs or population.
        names: of the K industries.
        reference_name: as it is called in the title.
        words: see ``Words``.

    Returns:
        A chart; curves of many regions are thinned to half a per cent.

    Raises:
        ClusterbookError: more than five industries; one with a gap or with nothing anywhere; shapes that do not fit.

    Example:
        >>> chart = lorenz([10, 10, 80], [50, 40, 10], names=["Watches"])
        >>> chart.to_dict()["vconcat"][0]["title"]["text"]
        ['Half of Watches is where 6% of everything is']

    Source: Lorenz (1905), Methods of measuring the concentration of wealth; over quotients: Hoover (1936).
    """
    sizes = np.asarray(values, dtype=np.float64)
    sizes = size_columns(sizes[:, None] if sizes.ndim == 1 else sizes, "regions")
    count = sizes.shape[1]
    if count > _MOST_CURVES:
        raise ClusterbookError(f"{count} curves cannot be told apart. Choose up to {_MOST_CURVES} industries.")
    labels = names_of(names, count, "industry")
    gini, spread = locational_gini(sizes, reference), hoover(sizes, reference)
    if np.isnan(gini).any():
        bad = labels[int(np.isnan(gini).argmax())]
        raise ClusterbookError(f"{bad} has suppressed regions or nothing anywhere: it has no curve.")
    x, shares = reference_shares(sizes, reference)[:, 0], column_shares(sizes)
    curves = [_cumulated(shares[:, k], x) for k in range(count)]
    order = np.argsort(-gini)
    colour = palette(words)
    hues = [colour["accent"]] if count == 1 else [colour[f"place-{k + 1}"] for k in range(count)]
    scale = alt.Scale(domain=labels, range=hues)
    whole = alt.Scale(domain=[0, 1])
    percent = {"format": ".0%", "grid": True}
    across = alt.X("x:Q", scale=whole, axis=axis(f"Share of {reference_name}, cumulated →", **percent))
    up = alt.Y("y:Q", scale=whole, axis=axis("Share of the industry, cumulated ↑", **percent))
    data = rows(
        x=np.concatenate([curve[0] for curve in curves]),
        y=np.concatenate([curve[1] for curve in curves]),
        name=np.repeat(labels, [len(curve[0]) for curve in curves]),
    )
    diagonal = alt.Chart(rows(x=[0.0, 1.0], y=[0.0, 1.0])).mark_line(
        color=colour["muted"], strokeWidth=1, strokeDash=[3, 3]
    )
    lines = (
        alt.Chart(data)
        .mark_line()
        .encode(
            x=across,
            y=up,
            color=alt.Color("name:N", scale=scale, legend=None),
            tooltip=["name:N", alt.Tooltip("x:Q", format=".1%"), alt.Tooltip("y:Q", format=".1%")],
        )
    )
    layers = [diagonal.encode(x=across, y=up), lines]
    for line, k in enumerate(order[::-1]):  # in the empty corner, in the order in which the curves lie
        key = alt.Chart(rows(text=[f"{labels[k]}: Gini {gini[k]:.2f}, Hoover {spread[k]:.2f}"]))
        key = key.encode(text="text:N", x=alt.value(12), y=alt.value(16 + 19 * line))
        layers += written(key, colour, ink=alt.value(hues[k]), align="left", fontWeight=600)
    halves = [_where_half_is(*curves[k]) for k in order]
    finding = f"Half of {labels[order[0]]} is where {_percent(halves[0])} of {reference_name} is"
    if count > 1:
        finding += f"; half of {labels[order[-1]]}, where {_percent(halves[-1])} is"
    reading = "Regions from the lowest location quotient to the highest. Dashed: spread like the reference."
    return frame(layers, words, finding=finding, reading=reading, width=460, height=420)


def _cumulated(s: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Cumulate x and s in order of s / x, from (0, 0) to (1, 1), without points closer than a step."""
    order = np.argsort(np.divide(s, x, out=np.where(s > 0, np.inf, 0.0), where=x > 0), kind="stable")
    across, up = (np.concatenate([[0.0], part[order].cumsum()]) for part in (x, s))
    step = np.floor(across * _STEPS) + np.floor(up * _STEPS)
    kept = np.append(np.diff(step) > 0, True)  # the last point before either axis enters a new step
    kept[0] = True
    return across[kept], up[kept]


def _where_half_is(across: Floats, up: Floats) -> float:
    """Return the share of the reference in the most specialised regions that hold half of the industry."""
    return float(1 - np.interp(0.5, up, across))


def _percent(share: float) -> str:
    return "less than 1%" if share < 0.01 else f"{share:.0%}"


def k_density(curve: Curve, *, name: str = "The industry", **words: Unpack[Words]) -> alt.VConcatChart:
    """Draw the density of distances between plants with what random plants give.

    Grey is the global band: random industries stay inside it at all distances together. Dashed are the bounds at each
    distance by itself, which a random industry leaves somewhere more often than not. What lies above the band is
    filled: there the industry is localised.

    Args:
        curve: of ``measures.localisation.k_density`` or ``k_densities``.
        name: of the industry.
        words: see ``Words``.

    Returns:
        A chart of the density per kilometre by distance in kilometres; without simulations, without bands.

    Raises:
        ClusterbookError: the curve has gaps.

    Example:
        >>> from clusterbook.measures import localisation
        >>> rng = np.random.default_rng(1)
        >>> plants = np.vstack([rng.uniform(0, 1e5, (300, 2)), rng.uniform(4e4, 5e4, (20, 2))])
        >>> found = localisation.k_density(plants, np.arange(320) >= 300, simulations=200)
        >>> k_density(found, name="Glass").to_dict()["vconcat"][0]["title"]["text"]
        ['Glass: plants are closer to each other than by chance, up to 11 km']

    Source: Duranton and Overman (2005), Testing for localization using micro-geographic data, Review of Economic
    Studies 72.
    """
    if not np.isfinite(curve.value).all():
        raise ClusterbookError("The curve has gaps. Draw distances at which it is defined.")
    colour = palette(words)
    tested = bool(np.isfinite(curve.band).all())
    low, high = 1000 * curve.local
    band_low, band_high = 1000 * curve.band
    value = 1000 * curve.value
    base = alt.Chart(
        rows(
            km=curve.distances / 1000, value=value, low=low, high=high, band_low=band_low, band_high=band_high,
            top=np.where(curve.excess > 0, value, band_high),
        )
    ).encode(x=alt.X("km:Q", axis=axis("Distance between plants, km →"), scale=alt.Scale(nice=False)))  # fmt: skip
    up = axis("Density per km ↑", grid=True, format="~g")
    band = base.mark_area(color=colour["line"]).encode(y=alt.Y("band_low:Q", axis=up), y2="band_high:Q")
    excess = base.mark_area(color=colour["above-1"]).encode(y=alt.Y("band_high:Q", axis=up), y2="top:Q")
    bounds = [
        base.mark_line(color=colour["muted"], strokeWidth=1, strokeDash=[3, 3]).encode(y=alt.Y(f"{end}:Q", axis=up))
        for end in ("low", "high")
    ]
    line = base.mark_line(color=colour["accent"]).encode(
        y=alt.Y("value:Q", axis=up, scale=alt.Scale(zero=True)),
        tooltip=[
            alt.Tooltip("km:Q", format=".0f", title="km"),
            alt.Tooltip("value:Q", format=".3g", title="density per km"),
            alt.Tooltip("band_high:Q", format=".3g", title="top of the band"),
        ],
    )
    reading = (
        "Grey: global band of as many random plants. Dashed: their bounds at each distance by itself."
        if tested
        else "No random industries were drawn, so nothing is tested."
    )
    layers = [band, excess, *bounds, line] if tested else [line]
    return frame(layers, words, finding=_said(curve, name, tested=tested), reading=reading)


def _said(curve: Curve, name: str, *, tested: bool) -> str:
    if not tested:
        return f"{name}: how far its plants are from each other"
    if curve.localised:
        return f"{name}: plants are closer to each other than by chance, {_ranges(curve.distances, curve.excess > 0)}"
    if curve.dispersed:
        return f"{name}: plants keep away from each other, {_ranges(curve.distances, curve.shortfall > 0)}"
    return f"{name}: plants are as far from each other as any plants"


def _ranges(distances: Floats, found: NDArray[np.bool_]) -> str:
    """Say in words at which distances something is found."""
    edges = np.diff(np.concatenate([[False], found, [False]]).astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    km = distances / 1000
    if len(starts) > 2:
        return f"at {len(starts)} ranges of distances between {km[starts[0]]:.0f} and {km[ends[-1]]:.0f} km"
    parts = [
        f"up to {km[b]:.0f} km" if a == 0 else f"at {km[a]:.0f} to {km[b]:.0f} km"
        for a, b in zip(starts, ends, strict=True)
    ]
    return " and ".join(parts)
