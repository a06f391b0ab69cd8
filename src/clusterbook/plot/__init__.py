"""Figures in one line: results of ``clusterbook.measures`` in, an Altair chart in the house style out.

Every figure says its finding in the title, under it what is drawn, and names its source. Words of your own come by
keyword, the same for all (``Words``): ``title``, ``subtitle`` (what is measured, unit, where and when), ``source`` and
``mode`` ('light' or 'dark'). Figures hold their data, however many rows, show in notebooks and are kept with
``chart.save("figure.png")`` (or svg, pdf, html, json). Nothing is measured here.
"""

from clusterbook.plot.curves import k_density, lorenz
from clusterbook.plot.figure import Words
from clusterbook.plot.network import industry_space, proximity_space
from clusterbook.plot.ranking import eci_ranking, shift_share_waterfall
from clusterbook.plot.scatter import lq_funnel, moran_scatter

__all__ = [
    "Words",
    "eci_ranking",
    "industry_space",
    "k_density",
    "lorenz",
    "lq_funnel",
    "moran_scatter",
    "proximity_space",
    "shift_share_waterfall",
]
