"""Paths of known stages, to see how often ``life_cycle`` finds them: ``python tests/life_cycle_simulation.py``.

A path holds, grows or shrinks against the economy in spells of 6 to 14 years; a third of the paths grow along a
logistic curve, stay on its plateau and fall. The true stage of a year is that of the course without noise. Sizes are
lognormal over four orders of magnitude, and small paths are noisier.
"""

# ruff: noqa: T201
from __future__ import annotations

import numpy as np
import polars as pl

from clusterbook.clusters.life_cycle import STAGES, life_cycle

COURSES = (
    ("agglomeration", "emerging", "developing", "mature"),
    ("agglomeration", "agglomeration", "emerging", "developing"),
    ("emerging", "developing", "mature", "mature"),
    ("developing", "mature", "decline", "agglomeration"),
    ("mature", "mature", "decline", "renewal"),
    ("mature", "decline", "renewal", "mature"),
    ("mature", "decline", "mature", "developing"),
    ("mature", "transformation", "mature", "decline"),
    ("decline", "transformation", "mature", "mature"),
    ("mature", "mature", "mature", "mature"),
    ("agglomeration", "agglomeration", "agglomeration", "agglomeration"),
)
RISING = ("emerging", "developing", "renewal")
ECONOMY = dict.fromkeys(range(1900, 2200), 1e9)

#: Noise (s.d. of a year's error), shocks (s.d. of a year's lasting jump), every so-manieth year published.
LEVELS = (
    (0.0, 0.0, 1),
    (0.02, 0.0, 1),
    (0.05, 0.0, 1),
    (0.1, 0.0, 1),
    (0.0, 0.02, 1),
    (0.0, 0.04, 1),
    (0.05, 0.04, 1),
    (0.0, 0.08, 1),
    (0.02, 0.02, 5),
    (0.05, 0.04, 5),
)


def spells(rng, years):
    """Return log size, quotient, variety (logs) and true stages of one path of spells."""
    course = COURSES[rng.integers(len(COURSES))]
    growth, variety, stage = [], [], []
    for name in course:
        length = int(rng.integers(6, 15))
        rate = rng.uniform(0.035, 0.12)
        growth += [rate if name in RISING else -rate if name == "decline" else rng.uniform(-0.01, 0.01)] * length
        variety += [rng.uniform(0.035, 0.10) if name == "transformation" else rng.uniform(-0.01, 0.01)] * length
        stage += [name] * length
    offset = int(rng.integers(0, max(1, len(stage) - years + 1)))
    growth, variety = (np.array(part)[offset : offset + years] for part in (growth, variety))
    stage = np.array(stage, dtype=object)[offset : offset + years]
    if stage[0] == "renewal":  # nobody can see what was before the first year
        stage[np.logical_and.accumulate(stage == "renewal")] = "developing"
    level = np.concatenate([[0.0], np.cumsum(growth[:-1])])
    return level, level + _height(rng, level, stage), np.cumsum(variety), stage


def _height(rng, level, stage):
    """Return the log quotient at the start that makes the level fit the stages."""
    if "emerging" in stage and "developing" in stage:
        return -level[np.argmax(stage == "developing")]
    if stage[-1] == "agglomeration" and stage[0] != "agglomeration":
        return np.log(0.6) - level[-1]
    if "emerging" in stage or stage[0] == "agglomeration":
        return np.log(rng.uniform(0.3, 0.6)) - level.max()
    return np.log(rng.uniform(1.6, 4.0)) - level.min()


def logistic(rng, years, threshold=0.02):
    """Return the same for a logistic rise, its plateau and perhaps a fall."""
    t = np.arange(years)
    rate, middle, factor = rng.uniform(0.2, 0.5), rng.uniform(0, years * 0.6), rng.uniform(np.log(2), np.log(8))
    fall = np.where(t > years * 0.75, t - years * 0.75, 0.0) * (rng.uniform(0.04, 0.12) if rng.random() < 0.5 else 0.0)
    level = factor / (1 + np.exp(-rate * (t - middle))) - fall
    lq = level - rng.uniform(0.2, 0.8) * factor
    slope = np.gradient(level)
    stage = np.where(
        slope < -threshold,
        "decline",
        np.where(
            slope > threshold,
            np.where(lq < 0, "emerging", "developing"),
            np.where(lq < 0, "agglomeration", "mature"),
        ),
    )
    return level, lq, np.zeros(years), stage


def simulate(paths, *, years=25, noise=0.0, shocks=0.0, every=1, seed=0):
    """Return a frame of paths as a source would publish it, with the column ``truth``.

    Noise and shocks are those of a path of median size; they fall with the fourth root of size.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(paths):
        level, lq, variety, stage = logistic(rng, years) if k % 3 == 0 else spells(rng, years)
        span = len(stage)
        scale = np.exp(rng.normal(0.0, 1.5))
        error = np.cumsum(rng.normal(0, shocks, span)) + rng.normal(0, noise, span)
        error *= scale**-0.25
        part = {
            "region": f"r{k:05}",
            "cluster": "c",
            "year": np.arange(span) + 2000,
            "employment": 1000 * scale * np.exp(level + error),
            "lq": np.exp(lq + error),
            "variety": np.exp(variety + rng.normal(0, 0.01, span)),
            "truth": stage,
        }
        parts.append(pl.DataFrame(part))
    return pl.concat(parts).filter((pl.col("year") - 2000) % every == 0)


def staged(frame):
    """Return the frame with the stages that ``life_cycle`` finds."""
    found = life_cycle(frame.drop("truth"), economy=ECONOMY)
    keys = ["region", "cluster", "year"]
    return frame.select(*keys, "truth").join(found, on=keys).with_columns(pl.col("stage").cast(pl.String))


def accuracy(found):
    """Return how much of what has a stage has the right one."""
    return (found["stage"] == found["truth"]).mean()


def away_from_turns(found, years=2):
    """Return the rows whose true stage is that of the years around, too."""
    same = [
        (pl.col("truth") == pl.col("truth").shift(k)).over("region").fill_null(True) for k in range(-years, years + 1)
    ]
    return found.filter(pl.all_horizontal(same))


def confusion(found):
    """Return the counts of true stages (rows) by computed ones (columns)."""
    counts = found.group_by("truth", pl.col("stage").fill_null("none")).len()
    wide = counts.pivot("stage", index="truth", values="len").fill_null(0)
    columns = [name for name in (*STAGES, "none") if name in wide.columns]
    return wide.with_columns(pl.col("truth").cast(pl.Enum(STAGES))).sort("truth").select("truth", *columns)


def main():
    """Print the tables of ``docs/life-cycle.md``."""
    pl.Config(tbl_cols=20, tbl_width_chars=200, tbl_formatting="MARKDOWN", tbl_hide_dataframe_shape=True)
    print("| noise | shocks | every | right | away from turns | last year | mean probability | with a stage |")
    for noise, shocks, every in LEVELS:
        years = 25 if every == 1 else 40
        found = staged(simulate(1500, years=years, noise=noise, shocks=shocks, every=every, seed=11))
        last = found.filter(pl.col("year") == pl.col("year").max().over("region"))
        told = found["stage"].is_not_null().mean()
        figures = (accuracy(found), accuracy(away_from_turns(found)), accuracy(last), found["stage_probability"].mean())
        print(f"| {noise:.0%} | {shocks:.0%} | {every} |", " | ".join(f"{x:.0%}" for x in (*figures, told)), "|")
        if (noise, shocks) == (0.05, 0.04):
            print(confusion(found))
            bands = found.drop_nulls("stage").with_columns((pl.col("stage_probability") * 5).floor() / 5)
            print(
                bands.group_by("stage_probability")
                .agg(pl.len(), right=(pl.col("stage") == pl.col("truth")).mean())
                .sort("stage_probability")
            )


if __name__ == "__main__":
    main()
