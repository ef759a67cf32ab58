import numpy as np
import pytest
from monotowns.estimate.sensitivity import from_moments, oster
from monotowns.run.errors import DesignError

#: Henderson and Velleman (1981), 32 cars: miles per gallon, horsepower, 1,000 pounds, seconds.
MILES = """
21 21 22.8 21.4 18.7 18.1 14.3 24.4 22.8 19.2 17.8 16.4 17.3 15.2 10.4 10.4 14.7 32.4 30.4
33.9 21.5 15.5 15.2 13.3 19.2 27.3 26 30.4 15.8 19.7 15 21.4
"""
POWER = """
110 110 93 110 175 105 245 62 95 123 123 180 180 180 205 215 230 66 52 65 97 150 150 245 175
66 91 113 264 175 335 109
"""
WEIGHT = """
2.62 2.875 2.32 3.215 3.44 3.46 3.57 3.19 3.15 3.44 3.44 4.07 3.73 3.78 5.25 5.424 5.345 2.2
1.615 1.835 2.465 3.52 3.435 3.84 3.845 1.935 2.14 1.513 3.17 2.77 3.57 2.78
"""
SECONDS = """
16.46 17.02 18.61 19.44 17.02 20.22 15.84 20 22.9 18.3 18.9 17.4 17.6 18 17.98 17.82 17.42
19.47 18.52 19.9 20.01 16.87 17.3 15.41 17.05 18.9 16.7 16.9 14.5 15.5 14.6 18.6
"""


def numbers(text):
    return np.array(text.split(), float)


def test_published_example_of_another_implementation():
    # R package robomit (Schaub 2020), o_beta: wt on mpg, controls hp and qsec, R2max .9, delta 1;
    # printed to three digits.
    miles, power, weight, seconds = map(numbers, (MILES, POWER, WEIGHT, SECONDS))
    found = oster(miles, weight, np.c_[power, seconds], r_max=0.9)
    assert found.short == pytest.approx(-5.34, abs=5e-3)
    assert found.long == pytest.approx(-4.36, abs=5e-3)
    assert found.r2_short == pytest.approx(0.753, abs=5e-4)
    assert found.r2_long == pytest.approx(0.835, abs=5e-4)
    assert found.beta_star == pytest.approx(-2.00, abs=5e-3)


def test_an_example_by_hand():
    # Unit variances; t = .5, d = .2, D = .2: at delta = 1, -.1 v^2 - .02 v + .04 = 0.
    found = from_moments(0.7, 0.5, 0.2, 0.4, 1.0, 0.5, r_max=0.6)
    assert found.beta_star == pytest.approx(0.6 - np.sqrt(0.41))
    # (.5 * .12 + .25 * .2 + .125 * .25) / (.2 * .2 + .5 * .1 + .25 * .1 + .125 * .25)
    assert found.delta == pytest.approx(0.14125 / 0.14625)
    # The approximation long - (short - long) D / (r2_long - r2_short) = .3 is far off.
    assert abs(found.beta_star - 0.3) > 0.3


def test_units_cancel_and_r_max_is_1_3_times_r2_up_to_one():
    one = from_moments(0.7, 0.5, 0.2, 0.4, 1.0, 0.5)
    scaled = from_moments(7000.0, 5000.0, 0.2, 0.4, 1e4, 0.5)
    assert scaled.beta_star == pytest.approx(1e4 * one.beta_star)
    assert scaled.delta == pytest.approx(one.delta)
    assert one == from_moments(0.7, 0.5, 0.2, 0.4, 1.0, 0.5, r_max=0.52)
    full = from_moments(0.7, 0.5, 0.2, 0.9, 1.0, 0.5)
    assert full == from_moments(0.7, 0.5, 0.2, 0.9, 1.0, 0.5, r_max=1.0)


#: Effect, Var(W1), Cov(W1, X), Var(W2), selection, Var(X), Var(noise).
POPULATIONS = [
    (0.3, 1, 0.4, 0.5, 1, 1, 1),
    (-0.3, 2, -0.9, 0.5, 1, 2, 0.3),
    (1, 1, 0.3, 1, 1, 1, 0),
    (0, 1, 0.5, 1, 2, 3, 1),
    (0, 2, -0.9, 0.5, -1, 2, 0.3),
    (0, 1, 0.3, 1, 0.2, 1, 0),
]


@pytest.mark.parametrize("population", POPULATIONS)
def test_the_truth_is_found_where_selection_is_proportional(population):
    beta, index, shared, hidden, delta, x, noise = population
    both = delta * shared * hidden / index
    covariance = np.array([[x, shared, both], [shared, index, 0], [both, 0, hidden]])
    with_y = covariance @ [beta, 1, 1]
    of_y = with_y @ [beta, 1, 1] + noise

    def regress(k):
        slope = np.linalg.solve(covariance[:k, :k], with_y[:k])
        return slope[0], slope @ with_y[:k] / of_y

    (short, r2_short), (long, r2_long), (_, r_max) = (regress(k) for k in (1, 2, 3))
    moments = short, long, r2_short, r2_long, np.sqrt(of_y / x), 1 - shared**2 / index / x
    found = from_moments(*moments, r_max)
    # One selection is assumed for the effect, one effect, of zero, for the selection.
    if delta == 1:
        assert found.beta_star == pytest.approx(beta, abs=1e-9)
    if beta == 0:
        assert found.delta == pytest.approx(delta, abs=1e-9)


def test_limiting_cases():
    # Nothing left to explain, or a coefficient that does not move: no bias.
    full = from_moments(0.7, 0.5, 0.2, 0.4, 1.0, 0.5, r_max=0.4)
    assert full.beta_star == pytest.approx(0.5)
    still = from_moments(0.5, 0.5, 0.2, 0.4, 1.0, 0.5, r_max=0.6)
    assert still.beta_star == pytest.approx(0.5)
    # Small movements and a treatment that controls hardly explain: the linear approximation.
    near = from_moments(0.501, 0.5, 0.2, 0.4, 1.0, 1 - 1e-6, r_max=0.5)
    assert near.beta_star == pytest.approx(0.5 - 0.001 * 0.1 / 0.2, abs=1e-6)
    # More left to explain than the controls explained: the other form of the root, continuous.
    at = [from_moments(0.7, 0.5, 0.2, 0.4, 1.0, 0.5, r_max).beta_star for r_max in (0.64, 0.640001)]
    assert at[0] == pytest.approx(at[1], abs=1e-5)


def proportional(n_entities=4000, seed=1):
    """Two observables and an unobservable, equally selected; entity effects selected freely."""
    rng = np.random.default_rng(seed)
    entity = np.repeat(np.arange(n_entities), 5)
    w1, w2, hidden, noise, own = rng.normal(size=(5, len(entity)))
    effect = 3 * rng.normal(size=n_entities)[entity]
    index = 0.8 * w1 - 0.6 * w2
    # Cov(index, x) / Var(index) = Cov(hidden, x) / Var(hidden) = .4
    x = 0.4 * index + 0.4 * 0.7 * hidden + effect + own
    y = 0.5 * x + index + 0.7 * hidden - 2 * effect + noise
    return entity, y, x, np.c_[w1, w2], 0.7 * hidden


def test_simulated_proportional_selection_within_entities():
    entity, y, x, observed, hidden = proportional()
    r_max = oster(y, x, np.c_[observed, hidden], [entity]).r2_long
    found = oster(y, x, observed, [entity], r_max=r_max)
    assert abs(found.long - 0.5) > 0.1  # biased by a wide margin
    assert found.beta_star == pytest.approx(0.5, abs=0.03)
    # Shifts by entity do not matter.
    shifted = oster(y + 10 * np.sin(entity), x, observed, [entity], r_max=r_max)
    assert shifted.beta_star == pytest.approx(found.beta_star, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"treatment": np.ones(20)}, "by the fixed effects\n  at: treatment"),
        ({"controls": np.zeros((20, 2))}, "by the fixed effects\n  at: 0, 1"),
        ({"controls": None}, "explain one another\n  at: treatment, 0"),
        ({"y": np.r_[np.nan, np.zeros(19)]}, "not finite\n  at: 0"),
    ],
)
def test_bad_input_is_refused(change, words):
    y, treatment, *controls = np.random.default_rng(2).normal(size=(4, 20))
    good = {"y": y, "treatment": treatment, "controls": np.transpose(controls)} | change
    with pytest.raises(DesignError, match=words):
        oster(**good | ({"controls": treatment[:, None]} if good["controls"] is None else {}))
