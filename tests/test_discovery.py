from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import clusterbook as cb
from clusterbook.clusters.kinds import local_industries
from clusterbook.clusters.labels import cluster_label, short_title
from clusterbook.clusters.validation import validation_scores
from clusterbook.errors import DefinitionError
from conftest import INDUSTRIES, make_panel

DPS = np.array(
    [
        [1.0, 0.8, 0.7, 0.1, 0.2, 0.0],
        [0.8, 1.0, 0.6, 0.2, 0.1, 0.1],
        [0.7, 0.6, 1.0, 0.3, 0.2, 0.2],
        [0.1, 0.2, 0.3, 1.0, 0.7, 0.5],
        [0.2, 0.1, 0.2, 0.7, 1.0, 0.6],
        [0.0, 0.1, 0.2, 0.5, 0.6, 1.0],
    ]
)


def test_validation_scores_of_a_good_and_a_bad_partition():
    good = validation_scores(DPS, np.array([0, 0, 0, 1, 1, 1]))
    assert good.within == pytest.approx([0.7, 0.6])
    assert good.between[0, 1] == pytest.approx(0.1555555556)
    assert (good.cluster_average, good.cluster_95, good.industry_average, good.industry_95) == (1, 1, 1, 1)
    bad = validation_scores(DPS, np.array([0, 0, 1, 1, 1, 0]))
    assert bad.within == pytest.approx([0.3, 0.4])
    assert bad.between[0, 1] == pytest.approx(0.3555555556)
    assert bad.cluster_average == 0.5
    assert bad.industry_average == pytest.approx(2 / 3)


def test_clusters_of_one_industry_are_not_scored():
    scores = validation_scores(DPS, np.array([0, 0, 0, 1, 1, 2]))
    assert np.isnan(scores.within[2])
    assert scores.cluster_average == 1.0  # the two that can be scored


def test_discovery_finds_the_planted_clusters_and_the_local_sector(panel, definitions):
    members = definitions.members.join(definitions.clusters, on="cluster")
    local = set(members.filter(kind="local")["industry"])
    assert local == {code for code in INDUSTRIES if code.startswith("4")}
    groups = members.filter(kind="traded").group_by("cluster").agg(pl.col("industry").str.head(1).n_unique())
    assert groups["industry"].to_list() == [1, 1, 1]  # each cluster holds one planted sector only
    assert definitions.scores["mean of all scores"] == 1.0
    assert definitions.parameters["local reference"] == "population"


def test_every_industry_is_a_member_once(definitions):
    assert sorted(definitions.members["industry"]) == sorted(INDUSTRIES)
    assert definitions.members["weight"].to_list() == [1.0] * len(INDUSTRIES)


def test_discovery_is_reproducible_and_ids_follow_size(panel, definitions):
    again = cb.discover_definitions(panel, n_clusters=(3, 3))
    assert again.members.equals(definitions.members)
    jobs = panel.frame.filter(year=2019).group_by("industry").agg(pl.sum("employment"))
    sizes = definitions.members.join(jobs, on="industry").group_by("cluster").agg(pl.sum("employment")).sort("cluster")
    traded = sizes.filter(pl.col("cluster").str.starts_with("t"))["employment"].to_list()
    assert traded == sorted(traded, reverse=True)


def hide(panel, regions):
    hidden = pl.col("region").is_in(regions) & (pl.col("industry") == "11")
    return replace(panel, frame=panel.frame.with_columns(employment=pl.when(~hidden).then("employment")))


def test_regions_with_suppressed_cells_give_no_evidence(panel, definitions):
    found = cb.discover_definitions(hide(panel, ["R01", "R02"]), n_clusters=(3, 3))
    assert (definitions.parameters["regions used"], found.parameters["regions used"]) == (24, 22)
    shown = panel.frame.filter(~pl.col("region").is_in(["R01", "R02"]))
    assert cb.discover_definitions(replace(panel, frame=shown), n_clusters=(3, 3)).members.equals(found.members)


def test_too_many_suppressed_regions_stop_discovery_with_a_remedy(panel):
    with pytest.raises(DefinitionError, match=r"9 such regions \(15 have suppressed cells\).*impute suppressed cells"):
        cb.discover_definitions(hide(panel, [f"R{k:02d}" for k in range(15)]))


def test_too_small_a_panel_is_refused():
    with pytest.raises(DefinitionError, match="at least 10 regions"):
        cb.discover_definitions(make_panel(regions=5))


def test_local_rule_counts_people_not_regions():
    jobs = np.array([[10.0, 0.0], [1.0, 1.0]])
    people = np.array([1000.0, 100.0])  # industry 0 follows people, industry 1 is in the small region only
    assert local_industries(jobs, people).tolist() == [True, False]


def test_definitions_reach_finer_industries_through_the_tree(panel, definitions):
    tree = pl.concat(
        [panel.industries.frame, pl.DataFrame({"industry": ["111"], "title": ["Finer"], "parent": ["11"]})],
    )
    finer = cb.Industries(tree.sort("industry"))
    found = definitions.assign(finer, pl.Series(["111", "12", "zz"]))
    home = dict(definitions.members.select("industry", "cluster").iter_rows())
    assert dict(found.select("industry", "cluster").iter_rows()) == {"111": home["11"], "12": home["12"]}
    with pytest.raises(DefinitionError, match="None of the panel's 1 industries"):
        definitions.assign(finer, pl.Series(["zz"]))


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("Motor Vehicle Parts Manufacturing", "Motor vehicle parts"),
        ("Scientific Research and Development Services", "Scientific research and development services"),
        ("Other Support Services", "Support services"),
        ("Other Miscellaneous Manufacturing", "Miscellaneous manufacturing"),
        ("Bakeries and Tortilla Manufacturing", "Bakeries and tortilla"),
        ("Food Manufacturing", "Food manufacturing"),
        ("Monetary Authorities-Central Bank", "Monetary authorities-central bank"),
        (
            "Management, Scientific, and Technical Consulting Services",
            "Management, scientific, and technical consulting services",
        ),
        (
            "Lessors of Nonfinancial Intangible Assets (except Copyrighted Works)",
            "Lessors of nonfinancial intangible assets",
        ),
        ("RV (Recreational Vehicle) Parks and Recreational Camps", "RV parks and recreational camps"),
        ("Other Furniture Related Product Manufacturing", "Furniture related product"),
        ("SERVICES", "SERVICES"),
    ],
)
def test_short_titles(title, short):
    assert short_title(title) == short


def test_a_label_is_the_group_that_describes_the_members_best():
    tree = cb.Industries(
        pl.DataFrame(
            {
                "industry": ["11", "111", "112", "113", "12", "121"],
                "title": [
                    "Wood Product Manufacturing",
                    "Logging",
                    "Sawmills",
                    "Boards",
                    "Metal Manufacturing",
                    "Forges",
                ],
                "parent": [None, "11", "11", "11", None, "12"],
            }
        )
    )
    everything = {"111": 100.0, "112": 90.0, "113": 80.0, "121": 70.0}
    assert cluster_label({"111": 100.0, "112": 90.0, "113": 80.0}, everything, tree) == "Wood product"
    assert cluster_label({"111": 100.0}, everything, tree) == "Logging"
    assert cluster_label({"111": 100.0, "121": 70.0}, everything, tree) == "Logging and forges"
    assert cluster_label({"111": 100.0, "121": 0.1}, everything, tree) == "Logging"


def test_local_rule_asks_only_where_plants_are_expected():
    people = np.array([1000.0] * 10 + [10.0] * 40)
    plants = np.zeros((50, 2))
    plants[:10, 0] = 5  # an even industry whose plants cannot be divided among forty hamlets
    plants[0, 1] = 50  # one place only
    assert local_industries(plants, people, establishments=plants).tolist() == [True, False]
    few = np.zeros((50, 1))
    few[0] = 3
    assert not local_industries(few, people, establishments=few)[0]  # too few plants to tell: traded
