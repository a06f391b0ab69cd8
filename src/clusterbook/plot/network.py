"""The industry space: industries as points, tied to those to which they are most related."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Unpack

import altair as alt
import numpy as np
from numpy.typing import ArrayLike, NDArray

from clusterbook.atlas.theme import Colours
from clusterbook.edition.store import Edition
from clusterbook.errors import ClusterbookError
from clusterbook.measures.industry_space import place_by_ties, strongest_ties
from clusterbook.plot.figure import Floats, Words, beside, frame, names_of, palette, rows

_COLOURED = 5  # groups with a colour of their own


def industry_space(edition: Edition, **words: Unpack[Words]) -> alt.VConcatChart:
    """Draw the industry space of an edition: its traded industries, placed as in its tables, coloured by cluster.

    Args:
        edition: with the tables ``space_nodes`` and ``space_links``.
        words: see ``Words``; the source is the edition's unless given.

    Returns:
        A chart; the five clusters with most industries have colours.

    Raises:
        EditionError: the edition has no industry space.

    Example:
        >>> import clusterbook as cb
        >>> industry_space(cb.open_edition("us-2019.edition")).save("space.png")  # doctest: +SKIP
    """
    nodes, links = edition.table("space_nodes"), edition.table("space_links")
    members, definitions = edition.table("members"), edition.table("definitions")
    titles = dict(members.select("industry", "title").unique("industry").iter_rows())
    labels = dict(definitions.select("cluster", "label").iter_rows())
    size = edition.manifest["measure"]
    row = {code: k for k, code in enumerate(nodes["industry"])}
    words = {"source": "; ".join(source["title"] for source in edition.manifest["sources"]), **words}
    return _network(
        nodes.select("x", "y").to_numpy(),
        np.array([[row[a], row[b]] for a, b in links.select("industry", "other").iter_rows()]).reshape(-1, 2),
        [titles.get(code, code) for code in nodes["industry"]],
        nodes[size].to_numpy().astype(np.float64),
        [labels.get(cluster, "") for cluster in nodes["cluster"].fill_null("")],
        words,
    )


def proximity_space(
    proximity: ArrayLike,
    names: Sequence[str],
    *,
    size: ArrayLike | None = None,
    groups: Sequence[str] | None = None,
    links: int = 300,
    **words: Unpack[Words],
) -> alt.VConcatChart:
    """Draw a matrix of relatedness as a network: the tree of the strongest ties, and the strongest other ties.

    Positions come from the ties alone (steps along them as distances) and are the same in every run.

    Args:
        proximity: relatedness of pairs, shape (I, I), symmetric, not negative, e.g. ``measures.relatedness.proximity``.
            Industries related to nobody (NaN or 0 throughout) are left out.
        names: of the I industries.
        size: of the I industries, not negative; area of the points; those of unknown size (NaN) are drawn
            smallest and counted. Default: all the same.
        groups: of the I industries, e.g. clusters: the five largest groups get colours.
        links: how many ties to draw; the tree, which holds everything together, is drawn whole even if it has more.
        words: see ``Words``.

    Returns:
        A chart; the industries with most ties are named.

    Raises:
        ClusterbookError: not a symmetric array of relatedness, nobody is related, or names do not fit.

    Example:
        >>> near = [[1, 0.9, 0.8, 0.7], [0.9, 1, 0, 0], [0.8, 0, 1, 0], [0.7, 0, 0, 1]]
        >>> proximity_space(near, ["Steel", "Ships", "Cars", "Tools"]).to_dict()["vconcat"][0]["title"]["text"]
        ['Steel has the most ties: 3 of 3 shown']

    Source: Hidalgo, Klinger, Barabási and Hausmann (2007), The product space conditions the development of nations,
    Science 317; layout by stress majorisation: Gansner, Koren and North (2005).
    """
    near = _checked(proximity)
    labels = names_of(names, len(near), "industry")
    kept = np.flatnonzero(near.any(axis=1))
    if not len(kept):
        raise ClusterbookError("No two industries are related: there is nothing to draw.")
    ties = strongest_ties(near[np.ix_(kept, kept)], links)
    area = np.ones(len(near)) if size is None else np.asarray(size, dtype=np.float64)
    if area.shape != (len(near),) or (area < 0).any():
        raise ClusterbookError(f"size has shape {area.shape} or negative values. Give one size for each industry.")
    return _network(
        place_by_ties(ties, len(kept)),
        ties,
        [labels[k] for k in kept],
        area[kept],
        [""] * len(kept) if groups is None else [names_of(groups, len(near), "group")[k] for k in kept],
        words,
    )


def _checked(proximity: ArrayLike) -> Floats:
    """Return relatedness without a diagonal and with 0 for gaps."""
    near = np.nan_to_num(np.array(proximity, dtype=np.float64))
    if near.ndim != 2 or near.shape[0] != near.shape[1] or not np.allclose(near, near.T):
        raise ClusterbookError(f"proximity has shape {near.shape}. Give a symmetric array, industries x industries.")
    if (near < 0).any():
        raise ClusterbookError("proximity has negative values. Set to 0 what counts as unrelated.")
    np.fill_diagonal(near, 0.0)
    return near


def _network(
    place: Floats,
    ties: NDArray[np.intp],
    labels: Sequence[str],
    size: Floats,
    groups: Sequence[str],
    words: Words,
) -> alt.VConcatChart:
    colour = palette(words)
    degree = np.bincount(ties.ravel(), minlength=len(labels))
    members = Counter(group for group in groups if group)
    largest = sorted(members, key=lambda group: (-members[group], group))[:_COLOURED]
    kinds = [group if group in largest else "other" for group in groups]
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[-0.02, 1.02], nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-0.02, 1.02], nice=False))
    ends = place[ties]
    unknown = int(np.isnan(size).sum())
    areas = [20, 420] if np.ptp(np.nan_to_num(size)) else [60, 60]
    lines = (
        alt.Chart(rows(x=ends[:, 0, 0], y=ends[:, 0, 1], x2=ends[:, 1, 0], y2=ends[:, 1, 1]))
        .mark_rule(color=colour["line"], strokeWidth=1)
        .encode(x=x, y=y, x2="x2:Q", y2="y2:Q")
    )
    points = (
        alt.Chart(
            rows(
                name=labels,
                x=place[:, 0],
                y=place[:, 1],
                size=size,
                area=np.nan_to_num(size),
                ties=degree,
                group=groups,
                kind=kinds,
            )
        )
        .mark_point(stroke=colour["paper"], strokeWidth=0.7)
        .encode(
            x=x,
            y=y,
            size=alt.Size("area:Q", scale=alt.Scale(range=areas), legend=None),
            fill=alt.Fill(
                "kind:N",
                scale=alt.Scale(
                    domain=[*largest, "other"],
                    range=[*(colour[f"place-{k + 1}"] for k in range(len(largest))), colour["other"]],
                ),
                legend=alt.Legend(orient="bottom", title=None, columns=3, labelLimit=220) if largest else None,
            ),
            tooltip=["name:N", "group:N", "size:Q", "ties:Q"],
        )
    )
    hubs = _hubs(points, labels, degree, place, colour)
    most = int(degree.argmax())
    return frame(
        [lines, points, *hubs],
        words,
        finding=f"{labels[most]} has the most ties: {degree[most]} of {len(ties)} shown",
        reading=f"{len(labels)} industries; a line joins those most often found in the same places."
        " Named: those with most ties." + (f" Smallest: {unknown} of unknown size." if unknown else ""),
        width=620,
        height=520,
    )


def _hubs(
    points: alt.Chart, labels: Sequence[str], degree: NDArray[np.intp], place: Floats, colour: Colours
) -> list[alt.Chart]:
    """Name the industries with most ties, cut to what fits."""
    short = [text if len(text) <= 34 else f"{text[:32].rstrip(' ,(')} …" for text in labels]
    return beside(points, (place[:, 0], place[:, 1]), short, np.argsort(-degree, kind="stable"), colour)
