"""The look of everything: one palette, one type scale, one chart theme for site and notebook."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt

Colours = dict[str, str]

#: Every colour by its meaning: (on a light page, on a dark page). A meaning has the same colour on every page.
PALETTE: dict[str, tuple[str, str]] = {
    "paper": ("#fbfaf8", "#14181c"),
    "raised": ("#ffffff", "#1b2026"),
    "ink": ("#1c2329", "#eae8e3"),
    "muted": ("#566069", "#a7b0b8"),
    "line": ("#e2dfd8", "#323a42"),
    "faint": ("#f1efea", "#232930"),
    "accent": ("#0a6b63", "#5ec7b8"),
    "accent-soft": ("#e0efec", "#1c3a38"),
    "good": ("#2b7a4b", "#6cc28f"),
    "warn": ("#8a5a00", "#e0b154"),
    "bad": ("#b0352a", "#f08a7d"),
    "traded": ("#2e6ca4", "#79b0e3"),
    "local": ("#b0731a", "#dba650"),
    "other": ("#87929c", "#7d8893"),
    # Maps: the ground under the regions, the lines between them, regions in which nothing is recorded.
    "ground": ("#eceae4", "#20262c"),
    "border": ("#ffffff", "#14181c"),
    "none": ("#d9d6ce", "#39424b"),
    # Quotients around 1: cool below, warm above, darker (on a dark page: brighter) the further away.
    "below-2": ("#c1d4e4", "#41678a"),
    "below-1": ("#e0eaf2", "#2f4759"),
    "above-1": ("#fbe5c6", "#4f3f2b"),
    "above-2": ("#f0a858", "#815520"),
    "above-3": ("#d66f28", "#dd8437"),
    "above-4": ("#9c3d10", "#ffc07a"),
    "on-above-3": ("#1c2329", "#1c2329"),
    "on-above-4": ("#ffffff", "#1c2329"),
    # Amounts from little to much.
    "step-1": ("#d9ebe8", "#1f4643"),
    "step-2": ("#a8d1cb", "#27665f"),
    "step-3": ("#6fb0a8", "#35897f"),
    "step-4": ("#388a81", "#54b3a6"),
    "step-5": ("#0a5a53", "#9fe3d8"),
    # Places set side by side.
    "place-1": ("#2e6ca4", "#79b0e3"),
    "place-2": ("#c25a1a", "#ee9a5c"),
    "place-3": ("#0f806a", "#4fc3a5"),
    "place-4": ("#93478a", "#d694ce"),
    "place-5": ("#5d6670", "#a8b1ba"),
}

#: The colours in which charts are drawn on a page: names of custom properties, so that they follow light and dark.
CSS_COLOURS: Colours = {name: f"var(--{name})" for name in PALETTE}

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'


def colours(mode: Literal["light", "dark"] = "light") -> Colours:
    """Return the plain colours of one mode, for charts that stand outside a page."""
    return {name: pair[mode == "dark"] for name, pair in PALETTE.items()}


def stylesheet() -> str:
    """Return the palette as CSS custom properties: light, dark by the reader's system or choice, light in print."""

    def block(mode: int) -> str:
        return "".join(f"--{name}:{pair[mode]};" for name, pair in PALETTE.items())

    light, dark = block(0), block(1)
    return (
        f":root{{color-scheme:light;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}\n"
    )


def chart_config(colour: Colours) -> dict[str, Any]:
    """Return the Vega-Lite config: quiet axes, thin lines, system type."""
    label = {"labelColor": colour["muted"], "labelFontSize": 12, "titleColor": colour["muted"], "titleFontSize": 12}
    return {
        "background": None,
        "font": FONT,
        "padding": 2,
        "view": {"stroke": None},
        "axis": {
            **label,
            "titleFontWeight": "normal",
            "grid": False,
            "gridColor": colour["line"],
            "domain": False,
            "domainColor": colour["line"],
            "tickColor": colour["line"],
            "ticks": False,
            "labelPadding": 6,
        },
        "text": {"color": colour["ink"], "fontSize": 12, "font": FONT},
        "bar": {"cornerRadiusEnd": 2},
        "line": {"strokeWidth": 2, "color": colour["accent"]},
        "point": {"filled": True, "opacity": 1},
        "rule": {"color": colour["muted"], "strokeWidth": 1},
        "legend": {**label, "disable": True},
    }


def enable(mode: Literal["light", "dark"] = "light") -> None:
    """Make the theme the one Altair uses from here on, e.g. in a notebook.

    Example:
        >>> from clusterbook.atlas import theme
        >>> theme.enable("light")
    """
    config = chart_config(colours(mode)) | {"background": colours(mode)["paper"]}
    alt.theme.register("clusterbook", enable=True)(lambda: alt.theme.ThemeConfig({"config": config}))  # type: ignore[typeddict-item]
