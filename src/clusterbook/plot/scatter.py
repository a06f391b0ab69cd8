"""Regions as points: against their neighbours, and against what chance gives regions of their size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import altair as alt
import numpy as np
from numpy.typing import ArrayLike

from clusterbook.atlas.theme import Colours
from clusterbook.errors import ClusterbookError
from clusterbook.measures.significance import benjamini_hochberg, binomial_test
from clusterbook.measures.spatial import local_moran, morans_i
from clusterbook.measures.specialisation import quotient_matrix
from clusterbook.measures.weights import Weights, row_standardised
from clusterbook.plot.figure import (
    Floats,
    Words,
    axis,
    beside,
    frame,
    guide,
    names_of,
    palette,
    require_one_line,
    rows,
    unit_interval,
    written,
)

_ALPHA = 0.05
_TICKS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]
_QUADRANTS = {1: "high among high", 2: "low among high", 3: "low among low", 4: "high among low"}


def moran_scatter(
    y: ArrayLike,
    W: Weights,
    *,
    names: Sequence[str] | None = None,
    permutations: int = 999,
    seed: int = 0,
    **words: Unpack[Words],
) -> alt.VConcatChart:
    """Draw each region's value against the mean of its neighbours; the slope of the line is Moran's I.

    Args:
        y: values, shape (R,), without gaps, e.g. logarithms of quotients.
        W: weights of neighbours, shape (R, R); rows are standardised here, as otherwise the slope would not be I.
        names: of the regions.
        permutations: of the tests.
        seed: of the permutations.
        words: see ``Words``.

    Returns:
        A chart in standard deviations. Full colour marks regions with a local p below 0.05, each by itself; regions
        without neighbours are left out and counted.

    Raises:
        ClusterbookError: y has gaps or no variation, nobody has neighbours, or shapes do not fit.

    Example:
        >>> from scipy import sparse
        >>> W = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(12, 12))
        >>> chart = moran_scatter([1, 1, 2, 2, 3, 3, 5, 6, 7, 8, 9, 9], W)
        >>> chart.to_dict()["vconcat"][0]["title"]["text"]
        ["Neighbours are alike: Moran's I is 0.95"]

    Source: Anselin (1996), The Moran scatterplot as an ESDA tool; local test: Anselin (1995).
    """
    values = require_one_line("y", y)
    weights = row_standardised(W)
    tested = morans_i(values[:, None], weights, permutations=permutations, seed=seed)
    slope, p = float(tested.statistic[0]), float(tested.p[0])
    if np.isnan(slope):
        raise ClusterbookError("y is the same everywhere, or nobody has neighbours: there is no association to draw.")
    local = local_moran(values[:, None], weights, permutations=permutations, seed=seed)
    labels = names_of(names, len(values), "region")
    z = (values - values.mean()) / values.std()
    linked = local.quadrant[:, 0] > 0
    own, around = z[linked], np.asarray(weights @ z)[linked]
    place = [label for label, inside in zip(labels, linked, strict=True) if inside]
    quadrant, local_p = local.quadrant[linked, 0], local.p[linked, 0]
    colour = palette(words)
    scale = alt.Scale(
        domain=list(_QUADRANTS.values()),
        range=[colour["above-3"], colour["place-4"], colour["place-1"], colour["place-3"]],
    )
    x = alt.X(
        "own:Q", axis=axis("The region, standard deviations →", grid=True), scale=alt.Scale(nice=False, padding=10)
    )
    up = alt.Y("around:Q", axis=axis("Mean of its neighbours ↑", grid=True), scale=alt.Scale(nice=False, padding=10))
    data = rows(
        name=place,
        own=own,
        around=around,
        quadrant=[_QUADRANTS[int(k)] for k in quadrant],
        p=local_p,
        strength=np.where(local_p < _ALPHA, 0.9, 0.22),
    )
    points = (
        alt.Chart(data)
        .mark_point(size=34)
        .encode(
            x=x,
            y=up,
            color=alt.Color("quadrant:N", scale=scale, legend=None),
            opacity=alt.Opacity("strength:Q", scale=None),
            tooltip=["name:N", alt.Tooltip("own:Q", format=".2f"), alt.Tooltip("around:Q", format=".2f"), "p:Q"],
        )
    )
    ends = np.array([own.min(), own.max()])
    line = alt.Chart(rows(own=ends, around=slope * ends)).mark_line(color=colour["ink"]).encode(x=x, y=up)
    sizes = np.abs(np.nan_to_num(local.statistic[linked, 0]))
    at = (unit_interval(own), unit_interval(around))
    texts = beside(points, at, place, np.argsort(-sizes), colour)
    verdict = f"Neighbours are {'alike' if slope > 0 else 'unlike'}" if p < _ALPHA else "Neighbours are as any regions"
    islands = int((~linked).sum())
    reading = (
        f"The slope is Moran's I: {slope:.2f}, p = {p:.3g} ({permutations:,} permutations). Full colour: local p below "
        f"{_ALPHA}, each region by itself."
    )
    if islands:
        reading += f" Left out, without neighbours: {islands}."
    layers = [guide(colour, x=0), guide(colour, y=0), *_corners(colour), points, line, *texts]
    return frame(layers, words, finding=f"{verdict}: Moran's I is {slope:.2f}", reading=reading, height=400)


def _corners(colour: Colours) -> list[alt.Chart]:
    """Name the quadrants in the corners, where they need no legend."""
    corners = {1: ("width", 0, "right"), 2: (0, 0, "left"), 3: (0, "height", "left"), 4: ("width", "height", "right")}
    texts = []
    for quadrant, (x, y, align) in corners.items():
        base = alt.Chart(rows(text=[_QUADRANTS[quadrant]])).encode(text="text:N", x=alt.value(x), y=alt.value(y))
        mark = {"align": align, "baseline": "top" if y == 0 else "bottom", "fontStyle": "italic"}
        texts += written(base, colour, ink=alt.value(colour["muted"]), dx=-4 if align == "right" else 4, **mark)
    return texts


def lq_funnel(
    plants: ArrayLike,
    industry: int,
    *,
    names: Sequence[str] | None = None,
    name: str = "The industry",
    level: float = _ALPHA,
    **words: Unpack[Words],
) -> alt.VConcatChart:
    """Draw location quotients of one industry against how many plants chance would put in the region.

    Small regions have extreme quotients by chance: the funnel says how extreme. It holds what a region is inside of
    with probability 1 - level when plants fall on regions in proportion to all plants. Colour marks regions that
    deviate after adjusting for their number (false discovery rate), so some outside the funnel stay grey.

    Args:
        plants: numbers of plants, shape (R, I), whole numbers.
        industry: column of the industry.
        names: of the regions.
        name: of the industry.
        level: of the funnel and of the false discovery rate.
        words: see ``Words``.

    Returns:
        A chart with logarithmic axes; regions without a plant of the industry stand at the lower edge. Cells of other
        industries that are suppressed count in no total.

    Raises:
        ClusterbookError: the industry has suppressed regions or no plants, or plants are no whole numbers.

    Example:
        >>> chart = lq_funnel([[30, 10], [5, 200], [2, 150]], 0, names=["Ash", "Birch", "Cedar"], name="Glass")
        >>> chart.to_dict()["vconcat"][0]["title"]["text"]
        ['Glass: 1 of 3 regions has more plants than chance explains, 2 have fewer']

    Source: Spiegelhalter (2005), Funnel plots for comparing institutional performance; adjustment: Benjamini and
    Hochberg (1995).
    """
    counts = np.asarray(plants, dtype=np.float64)
    quotients = quotient_matrix(counts)[:, industry]
    own, everything = counts[:, industry], np.nansum(counts, axis=1)
    if np.isnan(own).any() or not own.sum() > 0:
        raise ClusterbookError(f"{name} has suppressed regions or no plants: there are no quotients to draw.")
    labels = names_of(names, len(own), "region")
    p = binomial_test(own[:, None], everything, alternative="two-sided")[:, 0]
    adjusted = benjamini_hochberg(p[:, None])[:, 0]
    there = everything > 0
    expected = own.sum() * everything[there] / everything.sum()
    lq, found = quotients[there], adjusted[there] <= level
    place = [label for label, inside in zip(labels, there, strict=True) if inside]
    floor = lq[lq > 0].min() / 2
    kind = np.where(~found, "chance", np.where(lq > 1, "more", "fewer"))
    colour = palette(words)
    scale = alt.Scale(domain=["more", "fewer", "chance"], range=[colour["above-3"], colour["place-1"], colour["other"]])
    x = alt.X(
        "expected:Q",
        axis=axis("Plants expected by chance (log axis) →", format="~g", values=[10.0**k for k in range(-6, 7)]),
        scale=alt.Scale(type="log", nice=False, padding=8),
    )
    ceiling = lq.max() * 1.3
    log = alt.Scale(type="log", domain=[floor, ceiling], nice=False)
    upright = axis("Location quotient (log axis) ↑", format="~g", grid=True, values=_TICKS)
    up = alt.Y("lq:Q", axis=upright, scale=log)
    drawn = np.maximum(lq, floor)
    data = rows(
        name=place, expected=expected, lq=drawn, quotient=lq, plants=own[there], p=adjusted[there], kind=kind,
        strength=np.where(found, 0.9, 0.35),
    )  # fmt: skip
    tooltip = ["name:N", alt.Tooltip("quotient:Q", format=".2f"), "plants:Q", alt.Tooltip("p:Q", format=".3g")]
    points = (
        alt.Chart(data)
        .mark_point(size=30)
        .encode(
            x=x,
            y=up,
            color=alt.Color("kind:N", scale=scale, legend=None),
            opacity=alt.Opacity("strength:Q", scale=None),
            tooltip=tooltip,
        )
    )
    limits = alt.Chart(_funnel(own.sum(), expected, level, floor, ceiling))
    edges = [
        limits.mark_line(color=colour["muted"], strokeWidth=1, clip=True).encode(
            x=x, y=alt.Y(f"{end}:Q", axis=upright, scale=log)
        )
        for end in ("low", "high")
    ]
    at = (unit_interval(np.log(expected)), unit_interval(np.log(drawn)))
    order = [k for k in np.argsort(adjusted[there], kind="stable") if kind[k] == "more"]
    layers = [guide(colour, y=1), *edges, points, *beside(points, at, place, order, colour)]
    more, fewer = int((kind == "more").sum()), int((kind == "fewer").sum())
    finding = (
        f"{name}: {more:,} of {len(lq):,} regions {'has' if more == 1 else 'have'} more plants than chance explains, "
        f"{fewer:,} {'has' if fewer == 1 else 'have'} fewer"
    )
    reading = (
        f"Lines: what a region of that size stays within with probability {1 - level:.0%}. Colour: beyond chance at a "
        f"false discovery rate of {level:.0%}. At the lower edge: no plant of the industry."
    )
    return frame(layers, words, finding=finding, reading=reading, height=380)


def _funnel(count: float, expected: Floats, level: float, floor: float, ceiling: float) -> alt.InlineData:
    """Return binomial limits of the quotient over the range of expected plants, none outside the figure."""
    from scipy.stats import binom

    grid = np.geomspace(expected.min(), expected.max(), 240)
    share = grid / count
    low, high = (binom.ppf(edge, count, share) / grid for edge in (level / 2, 1 - level / 2))
    inside = [np.where((edge >= floor) & (edge <= ceiling), edge, np.nan) for edge in (low, high)]
    return rows(expected=grid, low=inside[0], high=inside[1])
