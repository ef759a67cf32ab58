import numpy as np
import pandas as pd
import pytest
from monotowns.estimate import spillover
from monotowns.estimate.record import wald_terms
from monotowns.measures.agglomeration import great_circle_km
from monotowns.run.errors import DesignError
from panels import grid

YEARS = np.arange(2012, 2020)

#: On the treated, on controls 0-50 and 50-100 km from a place treated by then.
PLANTED = {"att": 0.30, "spillover 0-50": 0.15, "spillover 50-100": 0.05}


def simulated(n=300, seed=0, cohorts=(2015, 2017), noise=0.1):
    """A panel with planted effects, and its three exposures."""
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(50, 60, n), rng.uniform(30, 60, n)
    first = np.zeros(n, int)
    first[: n // 20] = rng.permutation(np.resize(cohorts, n // 20))
    frame = grid(n, YEARS)
    who, year = frame["entity"].to_numpy(), frame["year"].to_numpy()
    distance = great_circle_km(lat[:, None], lon[:, None], lat, lon)
    nearest = np.full(len(frame), np.inf)
    for cohort in cohorts:
        to = distance[:, (first > 0) & (first <= cohort)].min(axis=1)[who]
        nearest = np.where(year >= cohort, np.minimum(nearest, to), nearest)
    on = (first[who] > 0) & (year >= first[who])
    near, middle = ~on & (nearest < 50), ~on & (nearest >= 50) & (nearest <= 100)
    exposure = np.column_stack([on, near, middle]).astype(float)
    y = exposure @ list(PLANTED.values()) + rng.normal(size=n)[who] + 0.02 * year
    frame = frame.assign(lat=lat[who], lon=lon[who], cohort=first[who], region=who % 25)
    return frame.assign(y=y + noise * rng.normal(size=len(frame))), exposure


def test_planted_effects_on_the_treated_and_in_either_ring():
    fit = spillover.rings(simulated()[0], "y", "cohort")
    for term, planted in PLANTED.items():
        assert fit[term]["ci_low"] < planted < fit[term]["ci_high"]
        assert fit[term]["standard_error"] < 0.04


def test_without_noise_the_planted_effects_are_exact():
    fit = spillover.rings(simulated(noise=0.0)[0], "y", "cohort", "region")
    assert fit.terms["estimate"].to_numpy() == pytest.approx(list(PLANTED.values()), abs=1e-7)


def test_estimates_against_diff_diff():
    # Estimates only: its first stage lacks a constant, so that its standard errors change with
    # the entity that stands first (diff-diff 3.13).
    from diff_diff import SpilloverDiD

    frame = simulated()[0]
    model = SpilloverDiD(rings=[0, 50, 100], conley_coords=("lat", "lon"), cluster="region")
    other = model.fit(frame, outcome="y", unit="entity", time="year", first_treat="cohort")
    fit = spillover.rings(frame, "y", "cohort", "region")
    expected = [other.att, *other.spillover_effects["coef"]]
    assert fit.terms["estimate"].to_numpy() == pytest.approx(expected, abs=1e-8)
    assert fit.details["clean_rows"] == other.n_far_away_obs


def test_two_stages_and_their_variance_by_dense_algebra():
    frame, exposure = simulated(150, seed=1)
    drop = np.random.default_rng(0).random(len(frame)) < 0.05
    frame, exposure = frame[~drop], exposure[~drop]
    clean = exposure.sum(axis=1) == 0
    dummies = pd.get_dummies(frame[["entity", "year"]].astype(str), dtype=float).to_numpy()
    y = frame["y"].to_numpy()
    rest = y - dummies @ np.linalg.lstsq(dummies[clean], y[clean])[0]
    effect = np.linalg.lstsq(exposure, rest)[0]
    # The whole is linear in y: each estimate is a sum of weights times outcomes, and the errors
    # are what the dummies leave of clean rows and the effects besides leave of others.
    maker = np.eye(len(y)) - dummies @ np.linalg.pinv(dummies * clean[:, None])
    linear = np.linalg.pinv(exposure) @ maker
    error = rest - exposure @ effect
    by_region = pd.DataFrame((linear * error).T).groupby(frame["region"].to_numpy()).sum()
    covariance = by_region.T.to_numpy() @ by_region.to_numpy()
    covariance *= 25 / 24 * (len(y) - 1) / (len(y) - 3)
    expected = wald_terms(PLANTED, linear @ y, np.sqrt(np.diag(covariance)), df=24)
    fit = spillover.rings(frame, "y", "cohort", "region")
    pd.testing.assert_frame_equal(fit.terms, expected, rtol=1e-6, atol=1e-9)
    assert fit.covariance == pytest.approx(covariance, rel=1e-6)
    assert fit.details["clean_rows"] == clean.sum()
    assert (fit.n_obs, fit.n_entities, fit.n_clusters) == (len(y), 150, 25)


@pytest.mark.parametrize("first", [0, 10, 40])
def test_the_order_of_rows_and_which_entity_stands_first_do_not_matter(first):
    frame = simulated(150, seed=1)[0]
    one = spillover.rings(frame, "y", "cohort", "region").terms
    moved = frame.assign(entity=(frame["entity"] - first) % 150).sample(frac=1, random_state=first)
    pd.testing.assert_frame_equal(spillover.rings(moved, "y", "cohort", "region").terms, one)


def test_other_rings_have_other_names():
    fit = spillover.rings(simulated()[0], "y", "cohort", rings_km=(0, 30, 60, 100))
    assert fit.terms["term"].tolist()[1:] == [f"spillover {r}" for r in ("0-30", "30-60", "60-100")]


def squeezed(frame):
    """Half of the places at one point, with the treated, the others 70 km to the north."""
    return frame.assign(lat=55 + 0.63 * (frame["entity"] >= 30), lon=40.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="lat"), "no such column"),
        (lambda f: f.assign(y=f["y"].where(f.index != 9)), r"missing\n  at: \(1, 2013\)"),
        (lambda f: f.assign(lat=f["lat"].where(f["entity"] != 4)), r"missing\n  at: \(4, 2012\)"),
        (lambda f: pd.concat([f, f.tail(1)]), "stands twice"),
        (lambda f: f.assign(lat=f["lat"] + 40), "out of range"),
        (
            lambda f: f.assign(lon=f["lon"] + f["year"] / 1e4),
            r"lon varies within an entity\n  at: \(0, 2012\)",
        ),
        (lambda f: f.assign(region=f["year"]), "region varies"),
        (lambda f: f.assign(cohort=f["cohort"].replace(2015, 2012)), "outside the panel"),
        (
            lambda f: squeezed(f[(f["entity"] != 40) | (f["year"] > 2017)]),
            "effect of\n  at: entity 40, year 2015",
        ),
        (lambda f: f.assign(cohort=0), "no entity is treated"),
        (lambda f: f.assign(region=1), "fewer than two clusters"),
        (
            lambda f: f.assign(lat=f["lat"].where(f["cohort"] > 0, -f["lat"])),
            "no row\n  at: spillover 0-50, spillover 50-100",
        ),
    ],
)
def test_what_cannot_be_estimated_is_refused(change, words):
    with pytest.raises(DesignError, match=words):
        spillover.rings(change(simulated(60)[0]), "y", "cohort", "region")
