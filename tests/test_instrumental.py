import numpy as np
import pandas as pd
import pytest
from monotowns.estimate.instrumental import (
    anderson_rubin_set,
    effective_f_critical,
    iv,
    weak_instrument_records,
)
from monotowns.run.errors import DesignError
from scipy import stats

EFFECT = 0.7


def panel(strength=0.6, seed=0, entities=60, years=8, clusters=12):
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(entities), range(years)], names=["entity", "year"])
    frame = index.to_frame(index=False)
    n = len(frame)
    frame["region"] = frame["entity"] % clusters
    common = rng.normal(size=(clusters, years))[frame["region"], frame["year"]]
    frame["z1"], frame["z2"], frame["c"] = rng.normal(size=(3, n)) + 0.5 * common
    frame["weight"] = rng.uniform(0.5, 2, n)
    error = (
        rng.normal(size=n)
        + 0.5 * rng.normal(size=(clusters, years))[frame["region"], frame["year"]]
    )
    frame["x"] = strength * (frame["z1"] + 0.5 * frame["z2"]) + frame["c"] + error
    frame["x"] += rng.normal(size=n) + frame["entity"] / 20
    frame["y"] = EFFECT * frame["x"] - frame["c"] + error + frame["year"] / 3
    return frame


def dummies(frame, *effects):
    parts = [pd.get_dummies(frame[e], prefix=e, dtype=float).iloc[:, 1:] for e in effects]
    return pd.concat([pd.Series(1.0, frame.index, name="const"), *parts], axis=1)


@pytest.mark.parametrize("weights", [None, "weight"])
def test_against_linearmodels_with_dummies_and_the_correction_mapped(weights):
    from linearmodels.iv import IV2SLS

    frame = panel()
    effects = ("entity", "year")
    fit = iv(frame, "y", "x", ["z1", "z2"], ["c"], effects, "region", weights)
    exogenous = pd.concat([frame[["c"]], dummies(frame, *effects)], axis=1)
    peer = IV2SLS(
        frame["y"],
        exogenous,
        frame[["x"]],
        frame[["z1", "z2"]],
        weights=frame[weights] if weights else None,
    ).fit(cov_type="clustered", clusters=frame["region"], debiased=False)
    groups, n = 12, len(frame)
    # Entities are nested in regions: one of them counts, with 7 years and 2 regressors.
    counted = 2 + 1 + 7
    mapped = np.sqrt(groups / (groups - 1) * (n - 1) / (n - counted))
    for term in ("x", "c"):
        assert fit[term]["estimate"] == pytest.approx(peer.params[term], abs=1e-8)
        expected = peer.std_errors[term] * mapped
        assert fit[term]["standard_error"] == pytest.approx(expected, abs=1e-8)
    assert (fit.n_obs, fit.n_entities, fit.n_clusters) == (n, 60, 12)


def test_effective_f_with_one_instrument_is_the_robust_f():
    import pyfixest

    frame = panel()
    fit = iv(frame, "y", "x", ["z1"], ["c"], ["entity"], "region")
    first = pyfixest.feols("x ~ z1 + c | entity", frame, vcov={"CRV1": "region"})
    assert fit.details["effective_F"] == pytest.approx(first.tstat()["z1"] ** 2, rel=1e-10)
    assert fit.details["first_stage"]["z1"] == pytest.approx(first.coef()["z1"], abs=1e-10)


def test_effective_f_does_not_depend_on_the_basis_of_the_instruments():
    frame = panel().assign(z3=lambda f: f["z1"] - 2 * f["z2"] + 0.3 * f["c"])
    one = iv(frame, "y", "x", ["z1", "z2"], ["c"]).details
    other = iv(frame, "y", "x", ["z2", "z3"], ["c"]).details
    for name in ("effective_F", "effective_F_critical"):
        assert one[name] == pytest.approx(other[name], rel=1e-8)
    np.testing.assert_allclose(one["anderson_rubin"], other["anderson_rubin"], rtol=1e-8)


@pytest.mark.parametrize(
    ("bias", "value"), [(0.05, 37.42), (0.10, 23.11), (0.20, 15.06), (0.30, 12.05)]
)
def test_critical_values_of_montiel_olea_and_pflueger(bias, value):
    # Their table 1, 5 per cent, effective degrees of freedom 1.
    assert effective_f_critical([[0.3]], [[2.0]], bias) == pytest.approx(value, abs=0.005)
    # Three homoskedastic instruments have three effective degrees of freedom.
    three = effective_f_critical(np.eye(3), np.eye(3), bias)
    exact = stats.ncx2.ppf(0.95, 3, 3 / bias) / 3
    assert three == pytest.approx(exact, rel=1e-12)
    assert three < value


@pytest.mark.parametrize("instruments", [["z1"], ["z1", "z2"]])
@pytest.mark.parametrize(
    ("strength", "seed", "ends"), [(0.6, 0, (2, 2)), (0.1, 3, (2, 2)), (0.05, 3, (2, 0))]
)
def test_ends_of_the_anderson_rubin_set_are_where_the_test_turns(instruments, strength, seed, ends):
    import pyfixest

    frame = panel(strength, seed)
    fit = iv(frame, "y", "x", instruments, ["c"], ["entity"], "region")
    critical = len(instruments) * stats.f.ppf(0.95, len(instruments), 11)

    def statistic(b):
        # The definition: regress the outcome less the effect on the instruments.
        rows = frame.assign(left=frame["y"] - b * frame["x"])
        formula = f"left ~ {' + '.join(instruments)} + c | entity"
        model = pyfixest.feols(formula, rows, vcov={"CRV1": "region"})
        k = len(instruments)
        g, v = model._beta_hat[:k], model._vcov[:k, :k]
        return g @ np.linalg.solve(v, g)

    finite = [e for part in fit.details["anderson_rubin"] for e in part if np.isfinite(e)]
    assert len(finite) == ends[len(instruments) - 1]
    for end in finite:
        assert statistic(end) == pytest.approx(critical, rel=1e-6)
    grid = np.linspace(-6, 8, 57)
    inside = [any(a <= b <= c for a, c in fit.details["anderson_rubin"]) for b in grid]
    assert inside == [statistic(b) <= critical for b in grid]


def test_shapes_of_the_anderson_rubin_set():
    def shape(reduced, first, noise=1.0):
        blocks = np.array([[[[noise]], [[0.0]]], [[[0.0]], [[noise]]]])
        return anderson_rubin_set([reduced], [first], blocks, np.inf)

    # Independent unit noise: Fieller's set, where (r - b f)^2 <= 3.84 (1 + b^2).
    c = stats.chi2.ppf(0.95, 1)

    def fieller(r, f):
        return np.sort(np.roots([f**2 - c, -2 * r * f, r**2 - c]))

    np.testing.assert_allclose(shape(4, 3), [fieller(4, 3)], rtol=1e-12)
    low, high = fieller(4, 1)
    np.testing.assert_allclose(shape(4, 1), [(-np.inf, low), (high, np.inf)], rtol=1e-12)
    assert shape(0.5, 0.5) == [(-np.inf, np.inf)]
    # Two instruments that disagree reject every effect.
    blocks = np.einsum("ab,kl->abkl", np.eye(2), np.eye(2))
    assert anderson_rubin_set([9, -9], [9, 9], blocks, np.inf) == []


def test_units_move_the_results_with_them():
    frame = panel()
    fit = iv(frame, "y", "x", ["z1", "z2"], ["c"])
    scaled = iv(
        frame.assign(y=frame["y"] * 1e4 + 3, x=frame["x"] / 1e3), "y", "x", ["z1", "z2"], ["c"]
    )
    assert scaled["x"]["estimate"] == pytest.approx(fit["x"]["estimate"] * 1e7, rel=1e-9)
    np.testing.assert_allclose(
        scaled.details["anderson_rubin"], 1e7 * np.array(fit.details["anderson_rubin"]), rtol=1e-7
    )


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        ({"x": lambda f: f["x"].where(f["entity"] > 0)}, {}, "not finite"),
        ({"region": 1}, {}, "two clusters"),
        ({"weight": -1.0}, {"weights": "weight"}, "positive"),
        ({"z2": lambda f: 2 * f["z1"] + f["c"]}, {}, "explain one another"),
        ({"z1": lambda f: f["entity"] * 2.0}, {"fixed_effects": ["entity"]}, "explained by the"),
    ],
)
def test_what_cannot_be_estimated_is_refused(change, arguments, words):
    frame = panel().assign(**change)
    arguments = {"controls": ["c"]} | arguments
    with pytest.raises(DesignError, match=words):
        iv(frame, "y", "x", ["z1", "z2"], **arguments)


@pytest.mark.montecarlo
def test_anderson_rubin_keeps_its_size_with_a_weak_instrument():
    draws = 1000
    covered = 0
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        n, groups = 400, 40
        cluster = np.arange(n) % groups
        z, e = rng.normal(size=(2, groups))[:, cluster] + rng.normal(size=(2, n))
        x = 0.05 * z + 0.9 * e + 0.4 * rng.normal(size=n)
        both = np.c_[EFFECT * x + e, x] - [[(EFFECT * x + e).mean(), x.mean()]]
        z = z - z.mean()
        slopes = z @ both / (z @ z)
        scores = np.zeros((groups, 2))
        np.add.at(scores, cluster, z[:, None] * (both - np.outer(z, slopes)))
        blocks = groups / (groups - 1) * scores.T @ scores / (z @ z) ** 2
        found = anderson_rubin_set(slopes[:1], slopes[1:], blocks[:, :, None, None], groups - 1)
        covered += any(low <= EFFECT <= high for low, high in found)
    assert 0.93 <= covered / draws <= 0.97


def test_the_weak_instrument_statistics_become_records():
    rng = np.random.default_rng(5)
    rows = pd.DataFrame(
        {"entity": np.arange(300), "g": np.arange(300) % 30, "z": rng.normal(size=300)}
    )
    rows["u"] = rng.normal(size=300)
    rows["x"] = rows["z"] + rows["u"]
    rows["y"] = 0.5 * rows["x"] + rows["u"] + rng.normal(size=300)
    fit = iv(rows, "y", "x", ["z"], cluster="g")
    own, robust = weak_instrument_records(fit)
    assert own["effective_F"]["estimate"] == fit.details["effective_F"] > 20
    low, high = fit.details["anderson_rubin"][0]
    assert robust.terms[["ci_low", "ci_high"]].iloc[0].tolist() == [low, high]
    assert low < robust["x"]["estimate"] < high
