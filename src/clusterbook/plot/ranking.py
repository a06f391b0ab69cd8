"""Bars: who is most complex, and what a change in jobs is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Unpack

import altair as alt
import numpy as np

from clusterbook.errors import ClusterbookError
from clusterbook.measures.complexity import Complexity
from clusterbook.plot.figure import Words, axis, frame, guide, names_of, palette, rows, signed


def eci_ranking(
    found: Complexity,
    names: Sequence[str],
    *,
    of: Literal["regions", "industries"] = "regions",
    top: int = 12,
    bottom: int = 5,
    **words: Unpack[Words],
) -> alt.VConcatChart:
    """Rank regions (or industries) by economic complexity: the first and the last of them.

    The notes of the result, which say what is wrong with it, stand in the subtitle.

    Args:
        found: of ``measures.complexity.complexity``.
        names: of all regions, or with ``of`` of all industries.
        of: 'regions' draws the ECI, 'industries' the PCI.
        top: how many from the upper end.
        bottom: how many from the lower end.
        words: see ``Words``.

    Returns:
        A chart; those without complexity (NaN) are left out and counted.

    Raises:
        ClusterbookError: names do not fit, nobody has any complexity, or ``of`` is not known.

    Example:
        >>> from clusterbook.measures.complexity import complexity
        >>> found = complexity([[1, 1, 1, 1], [0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1]])
        >>> eci_ranking(found, ["Ash", "Birch", "Cedar", "Dogwood"]).to_dict()["vconcat"][0]["title"]["text"]
        ['Dogwood is the most complex of 4 regions']

    Source: Hidalgo and Hausmann (2009), The building blocks of economic complexity, PNAS 106.
    """
    if of not in ("regions", "industries"):
        raise ClusterbookError(f"of='{of}' is not known. Use 'regions' or 'industries'.")
    values = found.eci if of == "regions" else found.pci
    labels = names_of(names, len(values), of[:-1] if of == "regions" else "industry")
    order = np.argsort(-values, kind="stable")  # NaN last
    known = int(np.isfinite(values).sum())
    if not known:
        raise ClusterbookError(f"None of the {of} has any complexity. " + " ".join(found.notes))
    ends = max(known - bottom, top)
    shown = [*order[:known][:top], *order[ends:known]]
    ranks = [*range(1, min(top, known) + 1), *range(ends + 1, known + 1)]
    colour = palette(words)
    data = rows(
        name=[f"{rank}. {labels[k]}" for rank, k in zip(ranks, shown, strict=True)],
        value=values[shown],
        text=[f"{values[k]:.2f}".replace("-", "−") for k in shown],
    )
    y = alt.Y("name:N", sort=None, axis=_names_axis(colour["ink"]), scale=alt.Scale(paddingInner=0.3))
    x = alt.X("value:Q", axis=None, scale=alt.Scale(zero=True, padding=36))
    base = alt.Chart(data).encode(y=y, x=x, tooltip=["name:N", "value:Q"])
    bars = base.mark_bar().encode(
        color=alt.condition("datum.value < 0", alt.value(colour["other"]), alt.value(colour["accent"]))
    )
    figures = base.mark_text(
        align=alt.expr("datum.value < 0 ? 'right' : 'left'"), dx=alt.expr("datum.value < 0 ? -5 : 5")
    ).encode(text="text:N")
    index = "Economic complexity index" if of == "regions" else "Product complexity index"
    reading = [f"{index}, in standard deviations from the mean: the first {min(top, known)}"]
    reading[0] += f" and the last {known - ends}." if known > ends else "."
    if known < len(values):
        reading.append(f"Left out, without any: {len(values) - known}.")
    if found.notes:
        reading.append("Mind: " + " ".join(found.notes))
    return frame(
        [bars, figures],
        words,
        finding=f"{labels[order[0]]} is the most complex of {known:,} {of}",
        reading=" ".join(reading),
        width=420,
        height=alt.Step(22),
    )


def shift_share_waterfall(
    parts: Any, region: int | Sequence[int], *, name: str = "The region", unit: str = "jobs", **words: Unpack[Words]
) -> alt.VConcatChart:
    """Draw what the change in a region is made of: each part starts where the one before ended.

    Args:
        parts: of any function of ``measures.shift_share``: a named tuple of arrays (R, I) that add up to the change.
        region: row of the region, or rows of several to take together.
        name: of the region.
        unit: of the sizes.
        words: see ``Words``.

    Returns:
        A chart with a bar for each part that is not 0, and the change.

    Raises:
        ClusterbookError: a cell of the region is not known, so that its parts do not add up.

    Example:
        >>> from clusterbook.measures.shift_share import shift_share
        >>> parts = shift_share([[90, 20], [60, 30]], [[100, 40], [85, 25]])
        >>> shift_share_waterfall(parts, 0, name="Ash").to_dict()["vconcat"][0]["title"]["text"]
        ['Ash: +30 jobs; the largest part is national growth, +28']

    Source: Dunn (1960), A statistical and analytical technique for regional analysis.
    """
    sums = {field: float(np.sum(part[region])) for field, part in parts._asdict().items()}
    if not all(np.isfinite(list(sums.values()))):
        raise ClusterbookError(f"{name} has cells that are not known, so its parts do not add up. Impute them first.")
    change = sum(sums.values())
    slack = 1e-9 * max(map(abs, sums.values()), default=0.0)
    drawn = {_part_name(field): size for field, size in sums.items() if abs(size) > slack}
    ends = np.cumsum([0.0, *drawn.values()])
    labels, sizes = [*drawn, "Change"], np.array([*drawn.values(), change])
    colour = palette(words)
    data = rows(
        name=labels,
        start=np.append(ends[:-1], 0.0),
        end=np.append(ends[1:], change),
        top=np.maximum(np.append(ends[:-1], 0.0), np.append(ends[1:], change)),
        text=[signed(size) for size in sizes],
        hue=[*("gain" if size > 0 else "loss" for size in drawn.values()), "change"],
    )
    x = alt.X("name:N", sort=None, axis=alt.Axis(title=None, labelColor=colour["ink"], labelAngle=0, labelLimit=120))
    up = axis(f"{unit} ↑", labelExpr="datum.value === 0 ? '0' : format(datum.value, '+~s')", grid=True)
    scale = alt.Scale(
        domain=["gain", "loss", "change"], range=[colour["above-3"], colour["place-1"], colour["place-5"]]
    )
    base = alt.Chart(data).encode(x=x, tooltip=["name:N", "text:N"])
    bars = base.mark_bar(cornerRadiusEnd=0, size=56).encode(
        y=alt.Y("start:Q", axis=up), y2="end:Q", color=alt.Color("hue:N", scale=scale, legend=None)
    )
    figures = base.mark_text(dy=-8, fontWeight=600).encode(y="top:Q", text="text:N")
    finding = f"{name}: {signed(change)} {unit}"
    if drawn:
        largest = max(drawn, key=lambda part: abs(drawn[part]))
        finding += f"; the largest part is {largest[0].lower()}{largest[1:]}, {signed(drawn[largest])}"
    return frame(
        [guide(colour, y=0), bars, figures],
        words,
        finding=finding,
        reading="Shift-share: each part starts where the one before ended; together they are the change.",
        height=300,
    )


def _part_name(field: str) -> str:
    known = {"national": "National growth", "mix": "Industry mix", "competitive": "Competitive part"}
    return known.get(field, field.replace("_", " ").capitalize())


def _names_axis(ink: str) -> alt.Axis:
    return alt.Axis(title=None, labelColor=ink, labelLimit=300, domain=False)
