"""Simulated panels with staggered adoption, whole and as statistical offices publish them."""

import numpy as np
import pandas as pd


def grid(entities, years):
    index = pd.MultiIndex.from_product([range(entities), years], names=["entity", "year"])
    return index.to_frame(index=False)


def panel(entities=90, first=2012, years=9, seed=1, noise=0.1, cohorts=(2015, 2016, 2018)):
    """A third never treated; the effect is .2 + .1 a year, another .1 for the last cohort."""
    rng = np.random.default_rng(seed)
    frame = grid(entities, range(first, first + years))
    order = rng.permutation(entities) % (len(cohorts) + 2)
    frame["cohort"] = np.array([0, 0, *cohorts])[order][frame["entity"]]
    frame["region"] = frame["entity"] % 15
    level, shock = rng.normal(size=entities), 0.05 * rng.normal(size=years)
    event = frame["year"] - frame["cohort"]
    effect = 0.2 + 0.1 * event + 0.1 * (frame["cohort"] == cohorts[-1])
    frame["effect"] = effect * (frame["cohort"] > 0) * (event >= 0)
    frame["x"] = rng.normal(size=entities)[frame["entity"]]
    frame["z"] = rng.normal(size=len(frame))
    frame["y"] = level[frame["entity"]] + shock[frame["year"] - first] + frame["effect"]
    frame["y"] += noise * rng.normal(size=len(frame))
    return frame


def planted(frame):
    """Mean effect over treated rows, and by event time."""
    on = frame[frame["effect"] != 0]
    return on["effect"].mean(), on.groupby(on["year"] - on["cohort"])["effect"].mean()


def complete(seed=0):
    """An effect of exactly .3 on the cohorts of 2014 and 2016, noise .001."""
    rng = np.random.default_rng(seed)
    frame = grid(60, range(2012, 2022))
    frame["cohort"] = np.array([0, 2014, 2016])[frame["entity"] % 3]
    on = (frame["cohort"] > 0) & (frame["year"] >= frame["cohort"])
    frame["y"] = rng.normal(size=60)[frame["entity"]] + 0.1 * (frame["year"] - 2012) + 0.3 * on
    frame["y"] += 1e-3 * rng.normal(size=len(frame))
    return frame.assign(entity=frame["entity"].map("E{:03d}".format))


def broken():
    """The same with rows missing as they were seen to be missing in practice."""
    frame = complete()
    early, second = frame["year"] == 2013, frame["cohort"] == 2014
    half = frame["entity"].isin([f"E{i:03d}" for i in range(1, 31, 3)])
    tenth = frame.sample(frac=0.9, random_state=3).sort_index()
    seen = (tenth["cohort"] == 0) | (tenth["year"] < tenth["cohort"])
    return {
        "complete": frame,
        "a year was not published": frame[~early],
        "a cohort lacks the year before treatment": frame[~(second & early)],
        "half of a cohort lacks that year": frame[~(half & early)],
        "every second year only": frame[frame["year"] % 2 == 0],
        "the year after adoption was not published": frame[frame["year"] != 2017],
        "a tenth of the rows at random": tenth,
        "the same without who is never seen untreated": tenth[
            seen.groupby(tenth["entity"]).transform("any")
        ],
    }


def one_treated(seed=0):
    """One treated entity of 40, an effect of .3, noise .2."""
    rng = np.random.default_rng(seed)
    frame = grid(40, range(2012, 2020))
    frame["cohort"] = np.where(frame["entity"] == 1, 2016, 0)
    on = (frame["cohort"] > 0) & (frame["year"] >= 2016)
    frame["y"] = rng.normal(size=40)[frame["entity"]] + 0.1 * (frame["year"] - 2012) + 0.3 * on
    return frame.assign(y=frame["y"] + 0.2 * rng.normal(size=len(frame)))
