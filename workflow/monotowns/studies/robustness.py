"""Robustness of a least-squares headline: its curve of specifications, bounds, outcome families."""

import numpy as np
import pandas as pd

from monotowns.estimate import regression as twoway
from monotowns.estimate import sample as design
from monotowns.estimate import universe
from monotowns.estimate.multiple import q_values, romano_wolf
from monotowns.estimate.record import TERMS, Fit
from monotowns.estimate.sensitivity import oster
from monotowns.estimate.specification_curve import joint_test
from monotowns.estimate.wild_bootstrap import wild_cluster_bootstrap


def curve(frame: pd.DataFrame, declared: dict, draws: int, seed: int):
    """Run a declared universe with its permutation test.

    Parameters
    ----------
    frame : pandas.DataFrame
        From :func:`monotowns.models.prepare`.
    declared : dict
        From :func:`monotowns.run.settings.load_section`.
    draws, seed : int

    Returns
    -------
    monotowns.estimate.specification_curve.JointTest
    """
    controls = declared.get("optional_controls", {})
    named = [*declared["outcomes"], *declared["treatments"]]
    named += [column for columns in controls.values() for column in columns]
    spec = {
        "outcome": named[0],
        "treatment": named[1:],
        "cluster": declared["cluster"],
        "dummies": declared["dummies"],
    }
    frame = design.with_columns(frame, spec, "specification curve")
    masks = {f"in {s}": design.holds(frame, rule) for s, rule in declared["samples"].items()}
    frame = frame.assign(**masks)
    choices = {k: declared[k] for k in ("outcomes", "treatments", "fixed_effects")}
    choices |= {
        "optional_controls": controls,
        "weights": declared.get("weights", [None]),
        "samples": {s: f"in {s}" for s in declared["samples"]},
    }
    table = universe.expand(choices)
    return joint_test(frame, table, declared["cluster"], declared["strata"], draws, seed)


def curve_fit(test, cluster) -> Fit:
    """The curve's three statistics as one fit: permutation p-values, no standard error."""
    table = test.statistics.set_index("statistic")
    rows = [(s, r["observed"], *[np.nan] * 3, r["p_value"]) for s, r in table.iterrows()]
    draws, specifications = test.draws.shape
    n = int(test.curve["n_obs"].max())
    return Fit(
        pd.DataFrame(rows, columns=TERMS),
        "specification curve",
        f"permutation, {draws} draws, {specifications} specifications",
        n,
        n,
        int(test.curve["n_clusters"].max()),
    )


def family(rows: pd.DataFrame, outcomes, spec: dict, draws: int, seed: int) -> pd.DataFrame:
    """One treatment on several outcomes, p-values adjusted for their number.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of the specification on which every outcome is known.
    outcomes : sequence of str
    spec : dict
        ``treatment``, ``fixed_effects``, ``cluster``.
    draws, seed : int
        Of the wild cluster bootstrap; the same weights for every outcome.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``estimate``, ``standard_error``, ``p_value`` (wild bootstrap), ``romano_wolf``
        (family-wise) and ``q_value`` (Benjamini-Hochberg).
    """
    rows = twoway.drop_singletons(rows.dropna(subset=list(outcomes)), spec["fixed_effects"])
    effects = [rows[e] for e in spec["fixed_effects"]]
    treatment = rows[[spec["treatment"]]].to_numpy(float)
    tests = [
        wild_cluster_bootstrap(
            rows[outcome], treatment, rows[spec["cluster"]], effects, draws=draws, seed=seed
        )
        for outcome in outcomes
    ]
    table = pd.DataFrame(
        {
            "outcome": list(outcomes),
            "estimate": [t.estimate for t in tests],
            "standard_error": [t.standard_error for t in tests],
            "p_value": [t.p_value for t in tests],
        }
    )
    drawn = np.column_stack([t.statistics for t in tests])
    table["romano_wolf"] = romano_wolf(np.array([t.t for t in tests]), drawn)
    return table.assign(q_value=q_values(table["p_value"].to_numpy(), "bh"))


def bounds(rows: pd.DataFrame, outcome, treatment, controls, fixed_effects) -> dict:
    """Oster's bounds of a treatment with fixed effects absorbed (R2 within them).

    Returns
    -------
    dict
        ``delta`` (selection on unobservables, relative to that on the controls, that would make
        the effect zero) and ``beta_star`` (effect at equal selection).
    """
    found = oster(
        rows[outcome],
        rows[treatment],
        rows[list(controls)].to_numpy(float),
        [rows[e] for e in fixed_effects],
    )
    return {"delta": found.delta, "beta_star": found.beta_star}
