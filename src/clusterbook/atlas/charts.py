"""Every chart, as an Altair chart that draws what it is given.

A chart names its data ("rows", "shapes", "ground") and holds none: a page puts the rows of an edition in when it is
opened, a notebook passes a frame. Nothing is computed here; texts and classes arrive ready in the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import vl_convert

from clusterbook.atlas.theme import Colours, chart_config

Data = Any  # whatever Altair takes: a frame, or the name of data that comes later

ROWS = alt.NamedData("rows")
SHAPES = alt.NamedData("shapes")
GROUND = alt.NamedData("ground")
LINKS = alt.NamedData("links")
THRESHOLDS = alt.NamedData("thresholds")

#: Classes of a location quotient: lower bounds, what the legend says, names of colours.
QUOTIENT_BREAKS = (0.5, 1.0, 1.5, 3.0, 6.0)
QUOTIENT_LABELS = ("< 0.5", "0.5–1", "1–1.5", "1.5–3", "3–6", "≥ 6")
QUOTIENT_COLOURS = ("below-2", "below-1", "above-1", "above-2", "above-3", "above-4")

#: Classes of a share.
SHARE_BREAKS = (0.2, 0.4, 0.6, 0.8)
SHARE_LABELS = ("< 20%", "20–40%", "40–60%", "60–80%", "≥ 80%")
STEP_COLOURS = ("step-1", "step-2", "step-3", "step-4", "step-5")

#: Quotients have an axis from ``low`` to ``high``, which a page widens to what it shows.
AROUND_ONE = [alt.expr("low"), alt.expr("high")]
LOW_HIGH = (alt.param(name="low", value=0.5), alt.param(name="high", value=2))
#: Many thin ticks are drawn fainter than few.
CROWD = alt.expr("length(data('rows')) > 200 ? 0.25 : 0.65")
ROOMY = alt.Scale(paddingInner=0.35, paddingOuter=0.1)
SHAPES_OF_PLACES = ("circle", "square", "triangle-up", "diamond", "cross")


def atlas_charts(projection: str, colour: Colours, counts: Sequence[int]) -> dict[str, alt.TopLevelMixin]:
    """Return every chart the site draws, by name; ``counts`` are those that the map of counts has to class."""
    quotient = (QUOTIENT_BREAKS, QUOTIENT_LABELS, QUOTIENT_COLOURS)
    count = count_classes(counts)
    share = (SHARE_BREAKS, SHARE_LABELS, STEP_COLOURS)
    return {
        "map_quotient": region_map(colour, projection, quotient),
        "map_count": region_map(colour, projection, count),
        "map_share": region_map(colour, projection, share),
        "bars": ranked_bars(colour),
        "strip_gini": strip(colour, "Locational Gini →"),
        "strip_variety": strip(colour, "Effective number of clusters →"),
        "strip_dependency": strip(colour, "Share of the largest cluster →", value_format=".0%"),
        "strip_complexity": strip(colour, "Complexity index →"),
        "strip_related": strip(colour, "Related variety (bits) →"),
        "waterfall": waterfall(colour),
        "next_complexity": what_could_come(colour, "Complexity of the industry ↑"),
        "next_wage": what_could_come(colour, "Wage in the industry everywhere ↑", value_format="~s"),
        "space": industry_space(colour),
        "trend": trend(colour),
        "small_trend": trend(colour, height=72, small=True),
        "portfolio": portfolio(colour),
        "quotients": quotients_side_by_side(colour),
        "candidates": candidate_sets(colour),
        "scores": dots_in_rows(colour, "Share that fits →"),
        "stability": dots_in_rows(colour, "Mean Jaccard index →"),
    }


def count_classes(counts: Sequence[int]) -> tuple[tuple[float, ...], tuple[str, ...], tuple[str, ...]]:
    """Return classes of about equal size for counts above 0: lower bounds, what the legend says, names of colours.

    Example:
        >>> count_classes([1, 1, 2, 2, 3, 4, 5, 7, 9, 14])[1]
        ('1', '2', '3–4', '5–8', '≥ 9')
    """
    above = sorted(n for n in counts if n > 0) or [1]
    bounds = sorted({above[len(above) * k // 5] for k in range(1, 5)} - {above[0]})
    starts = [above[0], *bounds]
    labels = [str(a) if b - a == 1 else f"{a}–{b - 1}" for a, b in pairwise(starts)]
    return tuple(map(float, bounds)), (*labels, f"≥ {starts[-1]}"), STEP_COLOURS[-len(starts) :]


def compile_chart(chart: alt.TopLevelMixin, colour: Colours) -> dict[str, Any]:
    """Compile a chart to Vega, so that a page needs only the Vega runtime."""
    chart_dict = chart.to_dict()
    chart_dict["config"] = chart_config(colour)
    version = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    vega: dict[str, Any] = vl_convert.vegalite_to_vega(chart_dict, vl_version=version)
    for mark in vega["marks"]:
        mark["aria"] = False  # the page names the chart as a whole and gives its figures as a table
    fit_to_shapes(vega)
    place_labels(vega)
    return vega


def region_map(
    colour: Colours,
    projection: str,
    classes: tuple[tuple[float, ...], tuple[str, ...], tuple[str, ...]],
    shapes: Data = SHAPES,
    ground: Data = GROUND,
) -> alt.LayerChart:
    """Map a value of each region in classes, strong regions outlined, estimated ones lined, the picked one ringed.

    ``shapes`` are GeoJSON features with ``region``, ``value`` (null: not known, 0: nothing recorded), ``strong``,
    ``estimated`` and the centre ``lon``, ``lat``. ``ground`` is what they lie on.
    """
    breaks, labels, colours = classes
    fill = alt.Color(
        "value:Q",
        scale=alt.Scale(type="threshold", domain=list(breaks), range=[colour[name] for name in colours]),
        legend=None,
        condition=[
            {"test": "!isValid(datum.value)", "value": "url(#hatch)"},
            {"test": "datum.value === 0", "value": colour["none"]},
        ],
    )
    picked = alt.param(name="picked", value="")
    under = alt.Chart(ground).mark_geoshape(fill=colour["ground"], stroke=colour["border"], strokeWidth=0.8)
    regions = (
        alt.Chart(shapes)
        .mark_geoshape(cursor="pointer", invalid=None)
        .encode(
            color=fill,
            stroke=alt.when("datum.strong").then(alt.value(colour["ink"])).otherwise(alt.value(colour["border"])),
            strokeWidth=alt.when("datum.strong").then(alt.value(1.1)).otherwise(alt.value(0.35)),
        )
    )
    estimated = (
        alt.Chart(shapes)
        .transform_filter("datum.estimated")
        .mark_geoshape(fill="url(#estimated)", stroke=None, cursor="pointer")
    )
    chosen = alt.Chart(shapes).transform_filter("datum.region === picked")
    outline = chosen.mark_geoshape(filled=False, stroke=colour["accent"], strokeWidth=2.5)
    ring = chosen.mark_point(
        filled=False, stroke=colour["accent"], strokeWidth=2, size=520, opacity=1, aria=False
    ).encode(longitude="lon:Q", latitude="lat:Q")
    legend = [{"label": text, "colour": name} for text, name in zip(labels, colours, strict=True)]
    return (
        _layers(under, regions, estimated, outline, ring)
        .add_params(picked)
        .project(type=projection)  # type: ignore[arg-type]
        .properties(
            width="container",
            height="container",
            autosize=alt.AutoSizeParams(type="fit", contains="padding"),
            usermeta={"breaks": list(breaks), "legend": legend},
        )
    )


def ranked_bars(colour: Colours, rows: Data = ROWS) -> alt.LayerChart:
    """Draw bars from zero in the order given, each with its name before and its figure behind it.

    ``rows``: ``order`` (0, 1 ...), ``id``, ``label`` (a text, or two lines of it), ``value``, ``text`` and ``group``
    (traded, local, strong, other); where known ``low`` and ``high``, drawn as a thin interval, and ``estimated``, drawn
    lighter. The row whose ``id`` is ``picked`` is drawn in ink.
    """
    picked = alt.param(name="picked", value="")
    low = "(extent(pluck(data('rows'), 'value'))[0] < 0 ? 52 : 0)"  # room for the figures of negative values
    x = alt.X(
        "value:Q",
        axis=None,
        scale=alt.Scale(range=[alt.expr(low), alt.expr("width - 64")], nice=False, zero=True),
    )
    base = (
        alt.Chart(rows)
        .transform_calculate(
            low="isValid(datum.low) ? datum.low : datum.value", high="isValid(datum.high) ? datum.high : datum.value"
        )
        .encode(y=alt.Y("order:O", axis=_names(colour, "data('rows')[datum.value].label"), scale=ROOMY))
    )
    bars = base.mark_bar(cursor="pointer").encode(
        x=x,
        color=_group_colour(colour, condition={"test": "datum.id === picked", "value": colour["ink"]}),
        fillOpacity=alt.when("datum.estimated").then(alt.value(0.45)).otherwise(alt.value(1)),
    )
    uncertain = base.encode(opacity=alt.when("datum.low < datum.high").then(alt.value(1)).otherwise(alt.value(0)))
    intervals = uncertain.mark_rule(color=colour["ink"], strokeWidth=1.2).encode(x="low:Q", x2="high:Q")
    ends = [
        uncertain.mark_tick(color=colour["ink"], thickness=1.2, bandSize=7).encode(x=f"{end}:Q")
        for end in ("low", "high")
    ]
    figures = base.mark_text(
        align=alt.expr("datum.value < 0 ? 'right' : 'left'"), dx=alt.expr("datum.value < 0 ? -5 : 5")
    ).encode(x="high:Q", text="text:N")
    return (
        _layers(bars, intervals, *ends, figures).add_params(picked).properties(width="container", height=alt.Step(27))
    )


def waterfall(colour: Colours, rows: Data = ROWS) -> alt.LayerChart:
    """Draw parts one after the other, each from where the one before ended, and their sum from zero.

    ``rows``: ``order`` (0, 1 ...), ``label`` (as in ``ranked_bars``), ``start``, ``end``, ``text`` and ``group`` (more,
    less, total).
    """
    scale = alt.Scale(range=[10, alt.expr("width - 84")], nice=False, zero=True)
    groups = {"more": "good", "less": "bad", "total": "other"}
    fill = alt.Color(
        "group:N", scale=alt.Scale(domain=list(groups), range=[colour[c] for c in groups.values()]), legend=None
    )
    base = alt.Chart(rows).encode(
        y=alt.Y("order:O", axis=_names(colour, "data('rows')[datum.value].label"), scale=ROOMY)
    )
    zero = alt.Chart(alt.InlineData([{"at": 0}])).mark_rule(color=colour["muted"]).encode(x="at:Q")
    bars = base.mark_bar(cornerRadius=1).encode(x=alt.X("start:Q", axis=None, scale=scale), x2="end:Q", color=fill)
    figures = (
        base.transform_calculate(right="max(datum.start, datum.end, 0)")
        .mark_text(align="left", dx=6, fontWeight=600)
        .encode(x="right:Q", text="text:N")
    )
    return _layers(bars, zero, figures).properties(width="container", height=alt.Step(38))


def what_could_come(colour: Colours, title: str, rows: Data = ROWS, *, value_format: str = "~g") -> alt.LayerChart:
    """Draw industries a place lacks: how related to what it has, by what they would bring.

    ``rows``: ``density`` (0 to 1), ``value``, ``size`` (which label comes first) and ``label``.
    """
    x = alt.X(
        "density:Q",
        scale=alt.Scale(zero=False, nice=True, padding=24),
        axis=alt.Axis(title="Relatedness density →", titleAnchor="end", grid=True, tickCount=6, format="~g"),
    )
    y = alt.Y(
        "value:Q",
        scale=alt.Scale(zero=False, nice=True, padding=20),
        axis=alt.Axis(title=title, titleAnchor="end", grid=True, tickCount=5, format=value_format),
    )
    base = alt.Chart(rows).encode(x=x, y=y)
    dots = base.mark_point(size=110, cursor="pointer", stroke=colour["paper"], strokeWidth=1).encode(
        fill=_group_colour(colour, alt.Fill)
    )
    names = base.mark_text(fontSize=12).encode(text="label:N")
    return _layers(dots, names).properties(
        width="container", height=340, usermeta={"labels": {"text": "layer_1_marks", "of": "layer_0_marks"}}
    )


def industry_space(colour: Colours, rows: Data = ROWS, links: Data = LINKS) -> alt.LayerChart:
    """Draw industries as a network: those that the same places are specialised in stand together and are linked.

    ``rows``: ``x``, ``y`` (0 to 1), ``size``, ``place`` (1 to 5 for the clusters with a colour of their own, else 0)
    and ``label`` (empty for all but the hubs). ``links``: ``x``, ``y``, ``x2``, ``y2`` and ``proximity``.
    """

    def along(field: str) -> dict[str, Any]:
        return {"field": field, "type": "quantitative", "axis": None, "scale": alt.Scale(domain=[0, 1], padding=22)}

    places = list(range(6))
    fills = [colour["other"], *(colour[f"place-{k}"] for k in places[1:])]
    lines = (
        alt.Chart(links)
        .mark_rule(color=colour["other"], strokeWidth=1, opacity=0.6)
        .encode(x=alt.X(**along("x")), y=alt.Y(**along("y")), x2="x2:Q", y2="y2:Q")
    )
    base = alt.Chart(rows).encode(x=alt.X(**along("x")), y=alt.Y(**along("y")))
    nodes = base.mark_point(cursor="pointer", stroke=colour["paper"], strokeWidth=1).encode(
        size=alt.Size("size:Q", scale=alt.Scale(range=[22, 900], zero=True), legend=None),
        fill=alt.Fill("place:O", scale=alt.Scale(domain=places, range=fills), legend=None),
        order=alt.Order("size:Q", sort="descending"),
    )
    names = base.transform_filter("datum.label !== ''").mark_text(fontSize=12).encode(text="label:N")
    return _layers(lines, nodes, names).properties(
        width="container",
        height=560,
        usermeta={"labels": {"text": "layer_2_marks", "of": "layer_1_marks", "over": True}},
    )


def strip(colour: Colours, title: str, rows: Data = ROWS, *, value_format: str = "~g") -> alt.LayerChart:
    """Draw everybody as a thin tick and one of them marked and named.

    ``rows``: ``value``, ``group``, ``marked`` (true for one), its ``text`` and the ``side`` on which that starts.
    """
    along = alt.X(
        "value:Q",
        scale=alt.Scale(zero=False, nice=True, padding=8),
        axis=alt.Axis(title=title, titleAnchor="end", tickCount=5, titlePadding=8, format=value_format),
    )
    base = alt.Chart(rows)
    crowd = base.mark_tick(thickness=1.5, bandSize=30, opacity=CROWD, cursor="pointer").encode(
        x=along, color=_group_colour(colour), y=alt.value(44)
    )
    one = base.transform_filter("datum.marked")
    mark = one.mark_tick(thickness=3.5, bandSize=42, color=colour["ink"]).encode(x=along, y=alt.value(44))
    name = one.mark_text(
        fontWeight=600, baseline="bottom", align=alt.expr("datum.side"), limit=alt.expr("width * 0.62")
    ).encode(
        x=along,
        y=alt.value(18),
        text="text:N",
    )
    return _layers(crowd, mark, name).properties(width="container", height=66)


def trend(colour: Colours, rows: Data = ROWS, *, height: int = 220, small: bool = False) -> alt.LayerChart:
    """Draw a figure over the years from a zero baseline, the last value said beside it.

    ``rows``: ``year``, ``value`` and ``text`` (what to print at a point; empty for none).
    """
    ticks = "[extent(pluck(data('rows'), 'year'))[0], extent(pluck(data('rows'), 'year'))[1]]"
    years = alt.Axis(
        format="d",
        title=None,
        tickMinStep=1,
        domain=True,
        labelFlush=True,
        labelPadding=4,
        values=alt.expr(ticks) if small else alt.Undefined,
    )
    x = alt.X("year:Q", axis=years, scale=alt.Scale(zero=False, nice=False, padding=6 if small else 26))
    axis = None if small else alt.Axis(title=None, labelExpr="format(datum.value, '~s')", grid=True, tickCount=4)
    y = alt.Y(
        "value:Q", axis=axis, scale=alt.Scale(zero=True, nice=not small, range=[alt.expr("height"), 8 if small else 18])
    )
    base = alt.Chart(rows).encode(x=x, y=y)
    area = base.mark_area(color=colour["accent-soft"], line=False, opacity=1)
    line = base.mark_line(color=colour["accent"])
    points = base.mark_point(color=colour["accent"], size=18 if small else 44)
    texts = base.mark_text(dy=-11, align="center", fontSize=12, fontWeight=600).encode(text="text:N")
    layers = [area, line, points] if small else [area, line, points, texts]
    return _layers(*layers).properties(width="container", height=height)


def portfolio(colour: Colours, rows: Data = ROWS) -> alt.LayerChart:
    """Draw a region's clusters: quotient (log axis) by growth against all regions, area by size.

    ``rows``: ``lq`` (above 0), ``growth``, ``size``, ``group``, ``label``. Growth beyond ``reach`` stands at the edge.
    """
    reach = alt.param(name="reach", value=0.1)
    x = alt.X(
        "lq:Q",
        scale=alt.Scale(type="log", domain=AROUND_ONE, nice=False, padding=40),
        axis=alt.Axis(
            title="Location quotient (log axis) →", titleAnchor="end", values=[0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100],
            grid=True, format="~g", labelOverlap="greedy",
        ),
    )  # fmt: skip
    y = alt.Y(
        "growth:Q",
        scale=alt.Scale(domain=[alt.expr("-reach"), alt.expr("reach")], clamp=True, nice=False, zero=False),
        axis=alt.Axis(
            title="Growth a year, against all together ↑",
            titleAnchor="end",
            labelExpr="datum.value === 0 ? '0%' : format(datum.value, '+.0%')",
            grid=True,
            tickCount=5,
        ),
    )
    size = alt.Size("size:Q", scale=alt.Scale(type="linear", range=[14, 1500], zero=True), legend=None)
    base = alt.Chart(rows)
    one = alt.Chart(alt.InlineData([{"at": 1}])).mark_rule(color=colour["muted"], strokeDash=[3, 3]).encode(x="at:Q")
    zero = alt.Chart(alt.InlineData([{"at": 0}])).mark_rule(color=colour["muted"], strokeDash=[3, 3]).encode(y="at:Q")
    bubbles = base.mark_point(cursor="pointer", fillOpacity=0.72, stroke=colour["paper"], strokeWidth=1).encode(
        x=x, y=y, size=size, fill=_group_colour(colour, alt.Fill), order=alt.Order("size:Q", sort="descending")
    )
    names = (
        base.transform_filter("datum.label !== ''")
        .mark_text(fontSize=12)
        .encode(x=x, y=y, text="label:N", order=alt.Order("size:Q", sort="descending"))
    )
    return (
        _layers(one, zero, bubbles, names)
        .add_params(reach, *LOW_HIGH)
        .properties(
            width="container", height=420, usermeta={"labels": {"text": "layer_3_marks", "of": "layer_2_marks"}}
        )
    )


def quotients_side_by_side(colour: Colours, rows: Data = ROWS) -> alt.LayerChart:
    """Draw location quotients of several places, a line for each cluster.

    ``rows``: ``order`` (0, 1 ...), ``label`` (of the cluster), ``lq`` (above 0) and ``place`` (1 to 5).
    """
    labels = alt.param(name="labels", value=[])
    x = alt.X(
        "lq:Q",
        scale=alt.Scale(type="log", domain=AROUND_ONE, nice=False, padding=14),
        axis=alt.Axis(
            title="Location quotient (log axis) →", titleAnchor="end", values=[0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100],
            format="~g", labelOverlap="greedy",
        ),
    )  # fmt: skip
    places = list(range(1, 6))
    base = alt.Chart(rows).encode(y=alt.Y("order:O", axis=_names(colour, "labels[datum.value]", grid=True)))
    one = alt.Chart(alt.InlineData([{"at": 1}])).mark_rule(color=colour["muted"], strokeDash=[3, 3]).encode(x="at:Q")
    dots = base.mark_point(size=120, cursor="pointer", stroke=colour["paper"], strokeWidth=1).encode(
        x=x,
        fill=alt.Fill("place:O", scale=alt.Scale(domain=places, range=[colour[f"place-{k}"] for k in places])),
        shape=alt.Shape("place:O", scale=alt.Scale(domain=places, range=list(SHAPES_OF_PLACES))),
    )
    return _layers(one, dots).add_params(labels, *LOW_HIGH).properties(width="container", height=alt.Step(27))


def candidate_sets(colour: Colours, rows: Data = ROWS) -> alt.LayerChart:
    """Draw candidate sets of clusters: their score by their number of clusters, the chosen one ringed and named.

    ``rows``: ``clusters``, ``value``, ``place`` (1 to 5, by algorithm), ``marked`` (true for one) and its ``label``.
    """
    x = alt.X(
        "clusters:Q",
        scale=alt.Scale(zero=False, nice=True, padding=14),
        axis=alt.Axis(title="Traded clusters →", titleAnchor="end", tickMinStep=1, tickCount=6, format="d"),
    )
    y = alt.Y(
        "value:Q",
        scale=alt.Scale(zero=False, nice=True, padding=14),
        axis=alt.Axis(title=None, grid=True, tickCount=5, format="~g"),
    )
    places = list(range(1, 6))
    base = alt.Chart(rows)
    dots = base.mark_point(size=44, opacity=0.75).encode(
        x=x,
        y=y,
        fill=alt.Fill("place:O", scale=alt.Scale(domain=places, range=[colour[f"place-{k}"] for k in places])),
        shape=alt.Shape("place:O", scale=alt.Scale(domain=places, range=list(SHAPES_OF_PLACES))),
    )
    one = base.transform_filter("datum.marked")
    ring = one.mark_point(size=230, filled=False, stroke=colour["ink"], strokeWidth=2).encode(x=x, y=y)
    name = one.mark_text(align="left", dx=13, fontWeight=600).encode(x=x, y=y, text="label:N")
    return _layers(dots, ring, name).properties(width="container", height=320)


def dots_in_rows(colour: Colours, title: str, rows: Data = ROWS, thresholds: Data = THRESHOLDS) -> alt.LayerChart:
    """Draw one or more values from 0 to 1 of each row as dots on a line, with thresholds where there are any.

    ``rows``: ``order`` (0, 1 ...), ``value``, ``place`` (1 to 5) and ``id``; ``labels`` are the names of the rows, each
    a text or two lines of it; ``thresholds`` is a list of rows ``at``, drawn as dashed lines.
    """
    labels = alt.param(name="labels", value=[])
    x = alt.X(
        "value:Q",
        scale=alt.Scale(domain=[0, 1], nice=False, padding=8),
        axis=alt.Axis(title=title, titleAnchor="end", grid=True, tickCount=5, format="~g"),
    )
    names = _names(colour, "labels[datum.value]", grid=True)
    places = list(range(1, 6))
    base = alt.Chart(rows).encode(y=alt.Y("order:O", axis=names, scale=ROOMY))
    lines = alt.Chart(thresholds).mark_rule(color=colour["muted"], strokeDash=[4, 3]).encode(x="at:Q")
    dots = base.mark_point(size=90, cursor="pointer", stroke=colour["paper"], strokeWidth=1).encode(
        x=x,
        fill=alt.Fill("place:O", scale=alt.Scale(domain=places, range=[colour[f"place-{k}"] for k in places])),
        shape=alt.Shape("place:O", scale=alt.Scale(domain=places, range=list(SHAPES_OF_PLACES))),
    )
    return _layers(lines, dots).add_params(labels).properties(width="container", height=alt.Step(26))


def fit_to_shapes(vega: dict[str, Any]) -> None:
    """Fit a map to all its shapes once; Vega-Lite would fit it anew to whatever is picked."""
    for projection in vega.get("projections", []):
        projection["fit"] = {"signal": "[data('ground'), data('shapes')]"}


def place_labels(vega: dict[str, Any]) -> None:
    """Let Vega place the labels that a chart marks for it, largest first, none upon another or, unless ``over``, a dot.

    Vega-Lite has no word for Vega's label transform, so the compiled text marks are given it here.
    """
    wish = vega.get("usermeta", {}).get("labels")
    for mark in vega["marks"] if wish else []:
        if mark["name"] == wish["text"]:
            fill = mark["encode"]["update"]["fill"]
            mark["from"] = {"data": wish["of"]}
            mark["encode"]["update"] = {
                "text": {"signal": "datum.datum.label"},
                "fill": fill,
                "fontSize": {"value": 12},
            }
            mark["interactive"] = False
            mark["transform"] = [
                {
                    "type": "label",
                    "size": {"signal": "[max(1, width), max(1, height)]"},  # 0 for a moment while a page is resized
                    "sort": {"field": "datum.datum.size", "order": "descending"},
                    "anchor": [
                        "right",
                        "top",
                        "bottom",
                        "left",
                        "top-right",
                        "bottom-right",
                        "top-left",
                        "bottom-left",
                    ],
                    "offset": [3],
                    "padding": 0,
                    "avoidBaseMark": not wish.get("over"),
                }
            ]


def _layers(*charts: alt.Chart) -> alt.LayerChart:
    layered = alt.layer(*charts)
    assert isinstance(layered, alt.LayerChart)  # alt.layer gives facets only to facets
    return layered


def _names(colour: Colours, expression: str, *, grid: bool = False) -> alt.Axis:
    """Return an axis of names, in one or two lines, with room for about half of the chart."""
    return alt.Axis(
        labelExpr=expression,
        labelOffset=alt.expr(f"isArray({expression}) ? -7 : 0"),
        labelLineHeight=14,
        labelLimit=alt.expr("min(230, containerSize()[0] * 0.48)"),
        labelColor=colour["ink"],
        title=None,
        grid=grid,
    )


def _group_colour(colour: Colours, channel: type[Any] = alt.Color, **more: Any) -> Any:
    names = {"traded": "traded", "local": "local", "strong": "accent", "other": "other"}
    scale = alt.Scale(domain=list(names), range=[colour[name] for name in names.values()])
    return channel("group:N", scale=scale, legend=None, **more)
