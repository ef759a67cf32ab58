"""Fixed effects against Grunfeld's printed estimates and, mapped, against linearmodels."""

import numpy as np
import pandas as pd
import pytest
from monotowns.estimate.instrumental import iv
from monotowns.estimate.regression import least_squares

#: The published figures have four decimals.
PUBLISHED = 1e-4


@pytest.fixture(scope="module")
def grunfeld():
    from statsmodels.datasets import grunfeld

    data = grunfeld.load_pandas().data
    # The textbooks' version has ten firms; the data as shipped add American Steel.
    return data[data["firm"] != "American Steel"].rename(columns={"firm": "entity"})


TRUTH = {"value": (0.1101, 0.0119), "capital": (0.3101, 0.0174)}


@pytest.mark.parametrize("term", TRUTH)
def test_within_estimates_of_investment(grunfeld, term):
    estimate, standard_error = TRUTH[term]
    fit = least_squares(grunfeld, "invest", ["value", "capital"], ["entity"], "entity")
    assert fit[term]["estimate"] == pytest.approx(estimate, abs=PUBLISHED)
    # The printed standard errors are classical: two-stage least squares with the regressor as its
    # own instrument gives them.
    rows = grunfeld.assign(own=grunfeld[term])
    (other,) = TRUTH.keys() - {term}
    classical = iv(rows, "invest", term, ["own"], [other], ["entity"], cluster=None)
    assert classical[term]["estimate"] == pytest.approx(estimate, abs=PUBLISHED)
    assert classical[term]["standard_error"] == pytest.approx(standard_error, abs=PUBLISHED)


def simulated(share, seed=3, entities=300, years=12, regions=25):
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(entities), range(years)], names=["entity", "year"])
    frame = index.to_frame(index=False)
    shock = rng.normal(size=(regions, years))
    frame["region"] = frame["entity"] % regions
    frame["c"] = rng.normal(size=len(frame)) + frame["entity"] / 100
    frame["x"] = rng.normal(size=len(frame)) + frame["c"] / 2 + frame["year"] / 4
    frame["y"] = 0.5 * frame["x"] - frame["c"] + shock[frame["region"], frame["year"]]
    frame["y"] += rng.normal(size=len(frame)) + frame["entity"] / 50
    kept = frame[rng.random(len(frame)) < share]
    return kept[kept.groupby("entity")["year"].transform("size") > 1].reset_index(drop=True)


@pytest.mark.parametrize("share", [1.0, 0.5], ids=["balanced", "unbalanced"])
@pytest.mark.parametrize("cluster", ["entity", "region"])
def test_two_way_effects_against_linearmodels_with_the_correction_mapped(share, cluster):
    from linearmodels.panel import PanelOLS

    frame = simulated(share)
    fit = least_squares(frame, "y", ["x", "c"], ["entity", "year"], cluster)
    panel = frame.set_index(["entity", "year"])
    peer = PanelOLS(panel["y"], panel[["x", "c"]], entity_effects=True, time_effects=True).fit(
        cov_type="clustered",
        clusters=panel[["region"]] if cluster == "region" else None,
        cluster_entity=cluster == "entity",
        debiased=False,
        auto_df=False,
        count_effects=False,
    )
    n, groups = len(frame), frame[cluster].nunique()
    # Entities are nested in the clusters: they count as one parameter, the years as years - 1.
    counted = 2 + 1 + frame["year"].nunique() - 1
    mapped = np.sqrt(groups / (groups - 1) * (n - 1) / (n - counted))
    for term in ("x", "c"):
        assert fit[term]["estimate"] == pytest.approx(peer.params[term], abs=1e-8)
        expected = peer.std_errors[term] * mapped
        assert fit[term]["standard_error"] == pytest.approx(expected, abs=1e-8)
