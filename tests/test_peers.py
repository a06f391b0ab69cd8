"""Peers: distances by hand, parts that add up, gaps, ties, weights and explanations."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterbook.clusters import peers
from clusterbook.clusters.peers import WEIGHTS, cluster_peers, explain_peer, peer_distances, region_peers
from clusterbook.errors import ClusterbookError

ONLY_SIZE = dict.fromkeys(WEIGHTS, 0.0) | {"cluster_size": 1.0}


def steel(sizes: dict[str, float | None], **columns: object) -> dict[str, pl.DataFrame]:
    now = pl.DataFrame(
        {"region": list(sizes), "cluster": "steel", "year": 2019, "employment": list(sizes.values()), **columns},
        schema_overrides={"employment": pl.Float64},
    )
    return {
        "clusters": pl.concat(
            [now.with_columns(year=pl.lit(2018), employment=pl.lit(7.0)), now], how="vertical_relaxed"
        )
    }


def town(code: str) -> dict[str, object]:
    return {"name": f"Town {code}", "lon": float(ord(code)), "lat": 50.0}


def full() -> dict[str, pl.DataFrame]:
    """Eight regions with steel (two industries) and toys; H lacks steel, G's industries, pay and growth are hidden."""
    rows = [
        ("A", 900, 100, 500), ("B", 850, 150, 450), ("C", 100, 900, 500), ("D", 90, 10, 50),
        ("E", 400, 400, 300), ("F", 5, 5, 900), ("G", None, 200, 300), ("H", 0, 0, 700),
    ]  # fmt: skip
    cells = pl.DataFrame(
        [(r, i, 2019, s) for r, *sizes in rows for i, s in zip("xyz", sizes, strict=True) if s != 0],
        schema={"region": pl.String, "industry": pl.String, "year": pl.Int64, "employment": pl.Float64},
        orient="row",
    )
    members = pl.DataFrame({"cluster": ["steel", "steel", "toys"], "industry": list("xyz"), "weight": 1.0})
    whole = pl.when(pl.col("employment").null_count() == 0).then(pl.sum("employment")).alias("employment")
    clusters = cells.join(members, on="industry").group_by("region", "cluster", "year").agg(whole)
    pairs = clusters.select("region", "cluster").with_columns(wage_relative=pl.lit(1.0), growth_relative=pl.lit(0.0))
    hidden = pl.when(pl.col("region") != "G").then(pl.col("wage_relative", "growth_relative"))
    codes = [row[0] for row in rows]
    return {
        "clusters": clusters.with_columns(lq=pl.lit(1.0)),
        "cells": cells,
        "members": members,
        "change": pairs.with_columns(hidden),
        "region_names": pl.DataFrame([{"region": c, **town(c)} for c in codes]).with_columns(
            population=pl.int_range(1000, 9000, 1000, eager=True),
            kind=pl.Series(["metro"] * 4 + ["rural"] * 3 + [None]),
        ),
    }


# --- distances --------------------------------------------------------------------------------------------------------


def test_size_is_compared_by_ratio_in_units_of_the_middle_nine_tenths() -> None:
    sizes = {f"R{k:02}": 2.0**k for k in range(21)}  # the middle nine tenths are k = 1 to 19
    distances = peer_distances(steel(sizes), "steel", ONLY_SIZE)
    assert distances.distance[4, 7] == pytest.approx(3 / 18, abs=1e-5)
    assert distances.distance[0, 20] == pytest.approx(20 / 18, abs=1e-5)
    assert np.array_equal(distances.distance, distances.distance.T)
    assert (np.diagonal(distances.distance) == 0).all()


def test_an_outlier_is_one_unit_outside_at_most() -> None:
    sizes = {f"R{k:02}": 2.0**k for k in range(20)} | {"Z": 2.0**90}
    distances = peer_distances(steel(sizes), "steel", ONLY_SIZE)
    low, high = 1, 19
    assert distances.distance[10, 20] == pytest.approx((high + (high - low) - 10) / (high - low), abs=1e-5)


def test_structure_is_what_two_mixes_do_not_share() -> None:
    only = dict.fromkeys(WEIGHTS, 0.0)
    mix = peer_distances(full(), "steel", only | {"cluster_mix": 1})
    at = {code: k for k, code in enumerate(mix.regions)}
    assert mix.regions == tuple("ABCDEFG")
    assert mix.distance[at["A"], at["C"]] == pytest.approx(0.8)
    assert mix.distance[at["A"], at["D"]] == 0
    economy = peer_distances(full(), "*", only | {"economy_mix": 1})
    assert economy.regions == tuple("ABCDEFGH")
    assert economy.distance[0, 7] == pytest.approx(2 / 3, abs=1e-5)


def test_parts_add_up_and_kinds_are_alike_or_not() -> None:
    distances = peer_distances(full(), "steel")
    total = sum(distances.parts.values())
    assert np.nanmax(np.abs(total - distances.distance)) < 2e-5
    kinds = peer_distances(full(), "steel", dict.fromkeys(WEIGHTS, 0.0) | {"kind": 0.1})
    assert kinds.distance[0].tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert kinds.parts["setting"][0].tolist() == [0, 0, 0, 0, 1, 1, 1]


def test_kinds_have_no_order() -> None:
    tables = steel({"A": 3, "B": 2, "C": 1})
    tables["region_names"] = pl.DataFrame({"region": list("ABC"), "kind": ["island", "metro", "rural"]})
    distances = peer_distances(tables, "steel", dict.fromkeys(WEIGHTS, 0.0) | {"kind": 1})
    assert distances.distance.tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]


def test_what_is_not_known_is_left_out_and_said_so() -> None:
    distances = peer_distances(full(), "steel")
    a, b, g = (distances.regions.index(code) for code in "ABG")
    assert distances.known[a, b] == 1
    # of G are known: population, kind and neighbours (region_size, mixes, size, pay and growth are not)
    assert distances.known[a, g] == pytest.approx(0.15)
    assert np.isnan(distances.distance[a, g])
    light = peer_distances(full(), "steel", {"cluster_mix": 0, "economy_mix": 0, "cluster_size": 0, "region_size": 0.1})
    assert light.known[a, g] == pytest.approx(0.15 / 0.35, abs=1e-5)
    half = {"cluster_mix": 0, "economy_mix": 0, "cluster_size": 0, "region_size": 0, "wage": 0.05, "growth": 0.05}
    enough = peer_distances(full(), "steel", half)
    assert enough.known[a, g] == pytest.approx(0.6)
    features = {f.name: f.differences(np.array([a]))[0, g] for f in enough.features}
    expected = np.mean([features["population"], features["kind"], features["neighbours"]])
    assert enough.distance[a, g] == pytest.approx(expected, abs=2e-5)


def test_features_that_the_tables_cannot_serve_are_named() -> None:
    distances = peer_distances(steel({"A": 3, "B": 2, "C": 1}), "steel")
    assert distances.left_out == ("cluster_mix", "population", "kind", "neighbours", "wage", "growth")
    assert distances.known.tolist() == [[1, 1, 1]] * 3
    assert peer_distances(steel({"A": 3, "B": 2}), "*").left_out == (
        "population",
        "kind",
        "neighbours",
        "wage",
        "growth",
    )


def test_only_regions_that_have_the_cluster_are_compared() -> None:
    sizes = {"A": 40.0, "B": 0.0, "C": 30.0, "D": 5.0, "E": None}
    assert peer_distances(steel(sizes), "steel").regions == ("A", "C", "D", "E")
    assert peer_distances(steel(sizes), "steel", least=5).regions == ("A", "C", "E")


# --- peers ------------------------------------------------------------------------------------------------------------


def test_nearest_first_and_equals_by_code() -> None:
    tables = steel({"A": 100, "B": 10, "C": 1000, "D": 100})
    found = cluster_peers(tables, n=2, weights=ONLY_SIZE)
    assert found.select("region", "other", "rank").rows() == [
        ("A", "D", 1), ("A", "B", 2), ("B", "A", 1), ("B", "D", 2),
        ("C", "A", 1), ("C", "D", 2), ("D", "A", 1), ("D", "B", 2),
    ]  # fmt: skip
    assert found.columns == ["region", "cluster", "other", "rank", "distance", "structure", "size", "setting", "known"]


def test_fewer_regions_than_asked_for() -> None:
    assert cluster_peers(steel({"A": 2, "B": 1}), n=10).select("region", "other").rows() == [("A", "B"), ("B", "A")]
    alone = cluster_peers(steel({"A": 2, "B": 0}))
    assert alone.height == 0
    assert alone.schema == cluster_peers(steel({"A": 2, "B": 1})).schema


def test_no_peers_where_too_little_is_known() -> None:
    found = cluster_peers(full(), n=3)
    assert "G" not in found.filter(cluster="steel")["region"]
    assert "G" not in found.filter(cluster="steel")["other"]
    assert found.null_count().sum_horizontal().item() == 0
    assert found.select("distance", "known").to_numpy().min() >= 0


def test_table_agrees_with_the_matrix_across_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    tables = steel({f"R{k:02}": float(v) for k, v in enumerate(generator.integers(1, 30, 40))})
    whole = cluster_peers(tables, n=5)
    monkeypatch.setattr(peers, "_ROWS", 7)
    assert cluster_peers(tables, n=5).equals(whole)
    distances = peer_distances(tables, "steel")
    for at, region in enumerate(distances.regions):
        others = [(d, distances.regions[k]) for k, d in enumerate(distances.distance[at]) if k != at]
        assert whole.filter(region=region)["other"].to_list() == [code for _, code in sorted(others)[:5]]


def test_regions_as_wholes() -> None:
    found = region_peers(full(), n=2)
    assert found["cluster"].unique().to_list() == ["*"]
    assert found.filter(region="A", rank=1)["other"].item() == "B"
    assert peer_distances(full()).regions == tuple("ABCDEFGH")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 1000), min_size=2, max_size=12), st.integers(2, 50))
def test_the_unit_of_size_does_not_matter(sizes: list[int], factor: int) -> None:
    one = {f"R{k:02}": float(size) for k, size in enumerate(sizes)}
    other = {code: size * factor for code, size in one.items()}
    first, second = (peer_distances(steel(table), "steel").distance for table in (one, other))
    assert np.allclose(first, second, atol=2e-5)
    assert (first >= 0).all()
    assert np.array_equal(first, first.T)


# --- explanations -----------------------------------------------------------------------------------------------------


def test_explanation_adds_up_and_names_likenesses() -> None:
    distances = peer_distances(full(), "steel")
    told = explain_peer(distances, "A", "C")
    assert sum(f["contribution"] for f in told["features"]) == pytest.approx(told["distance"], abs=3e-5)
    assert sum(told["parts"].values()) == pytest.approx(told["distance"], abs=3e-5)
    assert len(told["alike"]) == len(told["unlike"]) == 3
    assert not set(told["alike"]) & set(told["unlike"])
    assert told["unlike"][0] == "industries of the cluster: 20% in common"
    assert "kind of region: metro and metro" in [f["text"] for f in told["features"]]
    assert "size of the cluster: 1,000 and 1,000" in told["alike"]
    assert told["not_compared"] == []


def test_explanation_of_what_cannot_be_compared() -> None:
    told = explain_peer(peer_distances(full(), "steel"), "A", "G")
    assert told["distance"] is None
    assert told["parts"] == {"structure": None, "size": None, "setting": None}
    assert set(told["not_compared"]) == {
        "industries of the cluster", "clusters of the region", "size of the cluster", "size of the region",
        "wages against the nation", "growth against the nation",
    }  # fmt: skip
    few = explain_peer(peer_distances(steel({"A": 3, "B": 2, "C": 1}), "steel"), "A", "B")
    assert (len(few["alike"]), len(few["unlike"])) == (2, 1)


# --- bad input --------------------------------------------------------------------------------------------------------


def test_bad_arguments_are_named() -> None:
    tables = steel({"A": 2, "B": 1})
    with pytest.raises(ClusterbookError, match=r"no feature 'wages' \(did you mean 'wage'"):
        cluster_peers(tables, weights={"wages": 1})
    with pytest.raises(ClusterbookError, match="'wage' has the weight nan"):
        cluster_peers(tables, weights={"wage": float("nan")})
    with pytest.raises(ClusterbookError, match="all are zero"):
        region_peers(tables, weights=dict.fromkeys(WEIGHTS, 0))
    with pytest.raises(ClusterbookError, match="n=0 peers"):
        cluster_peers(tables, n=0)
    with pytest.raises(ClusterbookError, match=r"cluster 'steal' \(did you mean 'steel'"):
        peer_distances(tables, "steal")
    with pytest.raises(ClusterbookError, match="Region 'X' is not among the 2"):
        explain_peer(peer_distances(tables, "steel"), "X", "A")
    with pytest.raises(ClusterbookError, match="'clusters' lacks output"):
        cluster_peers(tables, size="output")
    with pytest.raises(ClusterbookError, match="has no rows"):
        cluster_peers({"clusters": tables["clusters"].clear()})
