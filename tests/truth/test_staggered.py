"""Published numbers of the estimators for staggered adoption, from data that packages ship.

Sources: Callaway and Sant'Anna (2021) and the documentation of R's did for the minimum wage data;
Rambachan and Roth (2023) and the documentation of HonestDiD for the Medicaid expansion; Cheng and
Hoekstra (2013) as in the documentation of bacondecomp and did2s for castle doctrine laws; the
documentation of did2s for the simulated panel.
"""

from functools import cache
from pathlib import Path

import causaldata
import numpy as np
import pandas as pd
import pyfixest
import pyfixest.did
import pytest
from moderndid import aggte, att_gt, load_ehec, load_mpdta
from monotowns.estimate import staggered
from monotowns.estimate.honest import honest
from monotowns.estimate.regression import event_study

#: Half a unit of the fourth decimal, in which most numbers are printed.
PRINTED = 5e-5


@cache
def minimum_wage():
    frame = load_mpdta().to_pandas()
    return frame.rename(columns={"countyreal": "entity", "first.treat": "cohort"})


@cache
def castle():
    """The laws of Cheng and Hoekstra; ``post`` begins the year after the law took effect."""
    frame = causaldata.castle.load_pandas().data.rename(columns={"sid": "entity"})
    first = frame[frame["post"] == 1].groupby("entity")["year"].min()
    after = frame["entity"].map(first).fillna(0).astype(int)
    return frame.assign(after=after, effective=np.where(after > 0, after - 1, 0))


def as_published(fit, term):
    """Standard error without the factor G / (G - 1), which none of the sources applies."""
    return fit[term]["standard_error"] * np.sqrt((fit.n_clusters - 1) / fit.n_clusters)


def test_group_time_effects_of_the_minimum_wage():
    fit = staggered.callaway_santanna(minimum_wage(), "lemp", "cohort", control_group="never")
    cells = fit.details["group_time"].set_index(["cohort", "year"])["estimate"]
    found = cells.loc[2004].loc[2004:2007]
    np.testing.assert_allclose(found, [-0.0105, -0.0704, -0.1373, -0.1008], atol=PRINTED)
    assert (fit.n_obs, fit.n_entities, fit.n_clusters) == (2500, 500, 500)
    assert fit.details["cohorts"] == {2004: 20, 2006: 40, 2007: 131}
    published = {"att": -0.0400, "dynamic": -0.0772, "group": -0.0310, "calendar": -0.0417}
    for term, value in published.items():
        assert fit[term]["estimate"] == pytest.approx(value, abs=PRINTED)
    assert as_published(fit, "att") == pytest.approx(0.0120, abs=1e-4)
    assert as_published(fit, "calendar") == pytest.approx(0.0160, abs=1e-4)


def test_doubly_robust_aggregates_of_the_minimum_wage():
    fit = staggered.callaway_santanna(
        minimum_wage(), "lemp", "cohort", control_group="never", controls=["lpop"]
    )
    for term, value, spread in (("att", -0.0418, 0.0115), ("dynamic", -0.0804, 0.0190)):
        assert fit[term]["estimate"] == pytest.approx(value, abs=1e-4)
        assert as_published(fit, term) == pytest.approx(spread, abs=1e-4)


@pytest.mark.parametrize("control_group", ["never", "not_yet"])
@pytest.mark.parametrize("controls", [(), ("lpop",)])
def test_aggregates_against_moderndid(control_group, controls):
    fit = staggered.callaway_santanna(
        minimum_wage(), "lemp", "cohort", control_group=control_group, controls=controls
    )
    peer = att_gt(
        minimum_wage(),
        yname="lemp",
        tname="year",
        idname="entity",
        gname="cohort",
        control_group=control_group.replace("_", "") + "treated",
        xformla=f"~ {' + '.join(controls)}" if controls else None,
    )
    # With controls the libraries weight the untreated differently.
    error = 1e-5 if controls else 1e-10
    for kind, term in (("simple", "att"), ("dynamic",) * 2, ("group",) * 2, ("calendar",) * 2):
        mean = aggte(peer, type=kind, cband=False)
        assert fit[term]["estimate"] == pytest.approx(mean.overall_att, abs=error)
        assert as_published(fit, term) == pytest.approx(mean.overall_se, abs=error)
    events = aggte(peer, type="dynamic", cband=False)
    for e, effect, spread in zip(
        events.event_times, events.att_by_event, events.se_by_event, strict=True
    ):
        assert fit[f"event {int(e)}"]["estimate"] == pytest.approx(effect, abs=error)
        assert as_published(fit, f"event {int(e)}") == pytest.approx(spread, abs=error)


@cache
def medicaid():
    """Two-way event study of insurance on the expansion of 2014, base 2013, as a Fit."""
    frame = load_ehec().to_pandas().rename(columns={"stfips": "entity"})
    frame = frame[(frame["year"] < 2016) & (frame["yexp2"] != 2015)]
    frame = frame.assign(expanded=(frame["yexp2"] == 2014).astype(float))
    effects = ["entity", "year"]
    (fit,) = event_study(frame, "dins", "expanded", 2013, "entity", fixed_effects=effects)
    return fit


def test_event_study_of_medicaid():
    fit = medicaid()
    assert (fit.n_obs, fit.n_clusters) == (344, 43)
    for year, effect, spread in (("2014", 0.0464, 0.0092), ("2015", 0.0692, 0.0104)):
        assert fit[year]["estimate"] == pytest.approx(effect, abs=1e-4)
        assert fit[year]["standard_error"] == pytest.approx(spread, abs=1e-4)


@pytest.mark.parametrize(
    ("kind", "published"),
    [
        # The source reads the ends off a grid of .00037 and simulates with 1,000 draws.
        (
            "relative_magnitudes",
            {
                0.5: (0.0241, 0.0673),
                1.0: (0.0171, 0.0720),
                1.5: (0.0086, 0.0796),
                2.0: (-0.0011, 0.0883),
            },
        ),
        (
            "smoothness",
            {
                0.0: (0.0259, 0.0607),
                0.01: (0.0132, 0.0787),
                0.02: (0.0029, 0.0907),
                0.03: (-0.0071, 0.101),
            },
        ),
    ],
)
def test_sensitivity_of_medicaid(kind, published):
    fit = honest(medicaid(), published, kind=kind, base=2013, target=2014)
    for bound, ends in published.items():
        row = fit[f"bound {bound:g}"]
        np.testing.assert_allclose([row["ci_low"], row["ci_high"]], ends, atol=5e-4)
    # The interval still excludes 0 at the last bound but one and no more at the last.
    low, high = list(published)[-2:]
    assert low < fit["breakdown"]["estimate"] < high


def test_bacon_decomposition_of_castle_laws():
    fit = staggered.bacon(castle(), "l_homicide", "effective")
    assert fit["twfe"]["estimate"] == pytest.approx(0.0818, abs=1e-4)
    published = {
        "earlier_vs_later": (0.0598, -0.0055),
        "later_vs_earlier": (0.0319, 0.0703),
        "treated_vs_never": (0.9083, 0.0880),
    }
    for kind, (weight, effect) in published.items():
        assert fit[f"weight {kind}"]["estimate"] == pytest.approx(weight, abs=1e-4)
        assert fit[kind]["estimate"] == pytest.approx(effect, abs=1e-4)


def test_group_time_and_imputation_of_castle_laws():
    fit = staggered.callaway_santanna(castle(), "l_homicide", "effective", control_group="never")
    assert fit["att"]["estimate"] == pytest.approx(0.1104, abs=2e-4)
    assert as_published(fit, "att") == pytest.approx(0.0387, abs=2e-4)
    fit = staggered.imputation(castle(), "l_homicide", "effective")
    assert fit["att"]["estimate"] == pytest.approx(0.0798, abs=2e-4)


def test_two_stage_of_castle_laws_with_population_weights():
    # Here the source takes the first full year under the law, unlike the decomposition above.
    fit = staggered.two_stage(castle(), "l_homicide", "after", weights="popwt")
    assert fit["att"]["estimate"] == pytest.approx(0.0751, abs=2e-4)
    assert as_published(fit, "att") == pytest.approx(0.0354, abs=2e-4)


@cache
def simulated():
    frame = pd.read_csv(Path(pyfixest.did.__path__[0]) / "data" / "df_het.csv")
    return frame.rename(columns={"unit": "entity", "g": "cohort"}).astype({"cohort": int})


def test_two_stage_of_the_simulated_panel():
    # The published number has effects of the state, not of the unit, in its first stage. The
    # adapter offers effects of the entity only: it is held to the same peer, on some states.
    published = pyfixest.did2s(
        simulated(), "dep_var", "~ 0 | state + year", "~ treat", "treat", "state"
    )
    assert published.coef()["treat"] == pytest.approx(2.152, abs=5e-4)
    assert published.se()["treat"] == pytest.approx(0.0476, abs=5e-4)
    some = simulated()[simulated()["state"] <= 12]
    peer = pyfixest.did2s(some, "dep_var", "~ 0 | entity + year", "~ treat", "treat", "state")
    fit = staggered.two_stage(some, "dep_var", "cohort", "state")
    assert fit["att"]["estimate"] == pytest.approx(peer.coef()["treat"], abs=1e-6)
    assert as_published(fit, "att") == pytest.approx(peer.se()["treat"], abs=1e-6)
