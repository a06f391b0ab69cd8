"""The well-known clusters of the United States appear where anyone in the field expects them."""

import polars as pl
import pytest

# (what the cluster is known for, an industry in it, the metro area, how its top five are ranked)
KNOWN = [
    ("motion pictures in Los Angeles", "5121", "31080", "employment"),
    ("music in Nashville", "5122", "34980", "lq"),
    ("semiconductors in San Jose", "3344", "41940", "employment"),
    ("computer services in Washington", "5415", "47900", "employment"),
    ("software in San Francisco", "5112", "41860", "employment"),
    ("car parts in Detroit", "3363", "19820", "employment"),
    ("car making in Detroit", "3361", "19820", "employment"),
    ("aircraft in Seattle", "3364", "42660", "employment"),
    ("aircraft in Wichita", "3364", "48620", "lq"),
    ("hotels and casinos in Las Vegas", "721120", "29820", "employment"),
    ("theme parks in Orlando", "7131", "36740", "employment"),
    ("oil and gas in Houston", "2131", "26420", "employment"),
    ("oil and gas in Midland", "2111", "33260", "lq"),
    ("chemicals in Houston", "3251", "26420", "employment"),
    ("chemicals in Baton Rouge", "3251", "12940", "lq"),
    ("carpets in Dalton", "3141", "19140", "lq"),
    ("textiles in Greensboro", "3132", "24660", "employment"),
    ("furniture in Hickory", "3371", "25860", "lq"),
    ("recreational vehicles in Elkhart", "3362", "21140", "lq"),
    ("metalworking in Rockford", "3327", "40420", "lq"),
    ("ship building in Virginia Beach", "3366", "47260", "employment"),
    ("submarines in Norwich and New London", "3366", "35980", "lq"),
    ("wine country and resorts in Napa", "312130", "34900", "lq"),
    ("securities in New York", "5231", "35620", "employment"),
    ("hedge funds in Bridgeport", "5239", "14860", "lq"),
    ("insurance in Bloomington, Illinois", "5241", "14010", "lq"),
    ("orthopaedics in Warsaw, Indiana", "3391", "47700", "lq"),
    ("meat in north-west Arkansas", "3116", "22220", "employment"),
    ("airlines and ports in Miami", "4811", "33100", "employment"),
    ("trucking in Laredo", "4841", "29700", "lq"),
    ("warehouses of the Inland Empire", "4931", "40140", "lq"),
    ("universities in Boston", "6113", "14460", "employment"),
    ("tobacco in Winston-Salem", "3122", "49180", "employment"),
    ("associations in Washington", "8139", "47900", "lq"),
]


@pytest.mark.parametrize(("what", "industry", "region", "ranked_by"), KNOWN, ids=[k[0] for k in KNOWN])
def test_known_cluster(metro_edition, what, industry, region, ranked_by):
    members = metro_edition.table("members").filter(pl.col("industry").str.starts_with(industry))
    cluster = members.group_by("cluster").agg(pl.sum("employment")).sort("employment").row(-1)[0]
    found = metro_edition.table("clusters").filter(cluster=cluster, year=2019)
    if ranked_by == "lq":  # among strong clusters of some size: the smallest places have the largest quotients
        found = found.filter(pl.col("strong"), pl.col("employment") >= 5000)
    assert region in found.sort(ranked_by, descending=True)["region"].head(5).to_list(), what
