"""What all figures share: the frame with title and source, data that come along, labels that keep apart."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any, Literal, TypedDict

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from clusterbook.atlas.theme import Colours, chart_config, colours
from clusterbook.errors import ClusterbookError

Floats = NDArray[np.float64]

WIDTH, HEIGHT = 560, 340
_LETTERS = 0.145  # letters a pixel of width holds in 12 px type


class Words(TypedDict, total=False):
    """What a figure says of itself, each optional.

    ``title``: the finding (default: read off the result); ``subtitle``: what is measured, in which unit, where and
    when; ``source``: stands under the figure; ``mode``: 'light' or 'dark'.
    """

    title: str
    subtitle: str
    source: str
    mode: Literal["light", "dark"]


def palette(words: Words) -> Colours:
    """Return the colours of the mode asked for."""
    return colours(words.get("mode", "light"))


def rows(**columns: Any) -> alt.InlineData:
    """Return columns of one length as data within the chart, which Altair's limit on rows does not touch.

    NaN becomes null, as JSON knows no NaN.
    """
    frame = pl.DataFrame(columns, strict=False).fill_nan(None)
    return alt.InlineData(values=frame.to_dicts())


def frame(
    layers: Sequence[alt.Chart],
    words: Words,
    *,
    finding: str,
    reading: str,
    width: int = WIDTH,
    height: int | alt.Step = HEIGHT,
) -> alt.VConcatChart:
    """Put layers into the house frame.

    ``finding`` is the title unless the caller has one; ``reading`` says how to read the figure and comes below the
    caller's subtitle.
    """
    colour = palette(words)
    body = alt.layer(*layers).properties(
        width=width,
        height=height,
        title=alt.TitleParams(
            _lines(words.get("title", finding), width * 0.8),
            subtitle=[*_lines(words.get("subtitle", ""), width), *_lines(reading, width)],
            anchor="start",
            frame="bounds",
            offset=14,
            fontSize=16,
            fontWeight=600,
            color=colour["ink"],
            subtitleFontSize=12,
            subtitleColor=colour["muted"],
            subtitlePadding=6,
            subtitleLineHeight=16,
        ),
    )
    source = alt.TitleParams(
        _lines(f"Source: {words['source']}" if words.get("source") else "", width),
        orient="bottom",
        anchor="start",
        offset=10,
        fontSize=11,
        fontWeight="normal",
        color=colour["muted"],
    )
    quiet = chart_config(colour)
    quiet["legend"] = {name: value for name, value in quiet["legend"].items() if name != "disable"}
    config: Any = quiet | {"background": colour["paper"], "padding": 12}
    return alt.VConcatChart(vconcat=[body], title=source, config=config)


def _lines(text: str, width: float) -> list[str]:
    return wrap(text, int(width * _LETTERS * 1.25))


def axis(title: str, **more: Any) -> alt.Axis:
    """Return a quiet axis whose title stands at its end."""
    return alt.Axis(title=title, titleAnchor="end", titlePadding=8, tickCount=5, **more)


def guide(colour: Colours, **at: float) -> alt.Chart:
    """Return a dashed line across the figure at ``x=`` or ``y=``."""
    ((channel, value),) = at.items()
    encoding: Any = {channel: alt.datum(value)}
    rule: alt.Chart = alt.Chart(rows(at=[0])).mark_rule(color=colour["muted"], strokeDash=[3, 3]).encode(**encoding)
    return rule


def names_of(names: Sequence[str] | None, count: int, noun: str) -> list[str]:
    """Return the names, or numbers where there are none.

    Raises:
        ClusterbookError: as many names as there should not be.
    """
    if names is None:
        return [f"{noun} {k + 1}" for k in range(count)]
    if len(names) != count:
        raise ClusterbookError(
            f"{len(names)} names where {count} are needed (one each {noun}). Give them in the same order."
        )
    return list(names)


def written(base: alt.Chart, colour: Colours, *, ink: Any = alt.Undefined, **mark: Any) -> list[alt.Chart]:
    """Return the texts of a chart as two layers: a halo, which keeps them legible over lines, and the letters."""
    halo = base.mark_text(stroke=colour["paper"], strokeWidth=3.5, strokeOpacity=0.85, strokeJoin="round", **mark)
    return [halo, base.mark_text(**mark) if ink is alt.Undefined else base.mark_text(**mark).encode(color=ink)]


def beside(
    points: alt.Chart, at: tuple[Floats, Floats], labels: Sequence[str], order: ArrayLike, colour: Colours
) -> list[alt.Chart]:
    """Name the first points of an order beside them: to the left on the right half, six at most, none upon another.

    ``points`` is the chart of them, its data in the order of ``labels``; ``at`` is where they stand as parts of width
    and height, 0 to 1.
    """
    data = [
        {**points.data.values[k], "text": labels[k], "side": "right" if at[0][k] > 0.5 else "left"}
        for k in apart(*at, labels, order)
    ]
    base = alt.Chart(alt.InlineData(values=data)).encode(x=points.encoding.x, y=points.encoding.y, text="text:N")
    return written(base, colour, align=alt.expr("datum.side"), dx=alt.expr("datum.side === 'left' ? 7 : -7"))


def apart(x: Floats, y: Floats, labels: Sequence[str], order: ArrayLike, most: int = 6) -> list[int]:
    """Choose which points to name: in the order given, at most ``most``, none whose name would lie on another's.

    >>> apart(np.array([0.1, 0.12, 0.9]), np.array([0.5, 0.51, 0.5]), ["Ash", "Birch", "Cedar"], [0, 1, 2])
    [0, 2]
    """
    length = np.array([len(text) for text in labels]) / (WIDTH * _LETTERS)
    left = np.where(x > 0.5, x - length, x)
    right = left + length
    chosen: list[int] = []
    for k in np.asarray(order, dtype=np.intp).tolist():
        if len(chosen) == most:
            break
        if all(abs(y[k] - y[j]) > 0.05 or left[k] > right[j] or left[j] > right[k] for j in chosen):
            chosen.append(k)
    return chosen


def signed(value: float, digits: int = 0) -> str:
    """Write a number with its sign, a true minus.

    >>> signed(-1234.0), signed(0.4, 1)
    ('−1,234', '+0.4')
    """
    return f"{value:+,.{digits}f}".replace("-", "−")


def unit_interval(values: Floats) -> Floats:
    """Map values to 0 to 1 between their least and their greatest; all to 0 where they are the same."""
    low, high = values.min(), values.max()
    return np.asarray((values - low) / (high - low if high > low else 1.0))


def require_one_line(name: str, values: ArrayLike) -> Floats:
    """Return values as floats after checking that they are one-dimensional and without gaps."""
    line = np.asarray(values, dtype=np.float64)
    if line.ndim != 1:
        raise ClusterbookError(f"{name} has shape {line.shape}. Give one value a region.")
    gaps = int((~np.isfinite(line)).sum())
    if gaps:
        raise ClusterbookError(
            f"{name} has {gaps} missing or infinite values. Leave those regions out, or impute suppressed cells first."
        )
    return line
