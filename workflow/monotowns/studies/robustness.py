"""Robustness of a least-squares headline: its curve of specifications, bounds, outcome families."""

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from monotowns.estimate import sample
from monotowns.estimate.absorb import drop_singletons
from monotowns.estimate.kernel import clustered_fit
from monotowns.estimate.multiple import romano_wolf
from monotowns.estimate.record import TERMS, Fit, to_records
from monotowns.estimate.sensitivity import oster
from monotowns.estimate.specification_curve import JointTest, joint_test
from monotowns.estimate.universe import expand
from monotowns.estimate.wild_bootstrap import wild_cluster_bootstrap


def study(frame: pd.DataFrame, declared: dict, draws: dict, seed: int) -> tuple:
    """Run every declared curve and family of outcomes.

    Parameters
    ----------
    frame : pandas.DataFrame
        From :func:`monotowns.estimate.sample.prepare`.
    declared : dict
        ``curves``, ``families`` (see :func:`monotowns.estimate.specification.load_section`) and
        ``specifications``, those of the families.
    draws : dict
        ``curve``, ``bootstrap``.
    seed : int

    Returns
    -------
    records : pandas.DataFrame
    facts : dict
        Name -> [value, kind].
    tables : dict of pandas.DataFrame
        ``curve``: every specification with the band that chance alone fills; ``families``.
    """
    for of in (*declared["curves"].values(), *declared["families"].values()):
        derived = of.get("derived", {}).items()
        frame = frame.assign(**{k: sample.derive(frame, k, v, f"derived {k}") for k, v in derived})
    records, facts, curves, families = [], {}, [], []
    for name, universe in declared["curves"].items():
        test = curve(frame, universe, draws["curve"], seed)
        about = {"specification": name, "question": "robustness", "group": "headline"}
        about |= dict.fromkeys(["outcome", "sample", "weights"], "all declared")
        records.append(to_records(curve_fit(test), **about, seed=seed))
        low, high = np.percentile(test.draws, [2.5, 97.5], axis=0)
        table = test.curve.drop(columns="n_entities")
        curves.append(table.assign(curve=name, chance_low=low, chance_high=high))
        facts |= curve_facts(name, test)
    for name, of in declared["families"].items():
        spec = declared["specifications"][of["specification"]]
        seen = of["observables"]
        drawn = spec | {"controls": seen, "dummies": spec["dummies"] | of["dummies"]}
        *_, rows = sample.draw(frame, drawn, name, of["outcomes"])
        table = family(rows, of["outcomes"], spec, draws["bootstrap"], seed)
        families.append(table.assign(family=name, specification=of["specification"]))
        y, treatment = rows[spec["outcome"]], rows[spec["treatment"]]
        effects = [rows[e] for e in spec["fixed_effects"]]
        bounds = oster(y, treatment, rows[seen], effects)
        facts[f"{name}.beta_star"] = [bounds.beta_star, "estimate"]
        facts[f"{name}.delta"] = [bounds.delta, "ratio"]
        adjusted = zip(table["outcome"], table["romano_wolf"], strict=True)
        facts |= {f"{name}.{outcome}.romano_wolf": [p, "p"] for outcome, p in adjusted}
    tables = {"curve": curves, "families": families}
    tables = {k: pd.concat(parts, ignore_index=True) for k, parts in tables.items()}
    return pd.concat(records, ignore_index=True), facts, tables


def curve(frame: pd.DataFrame, declared: dict, draws: int, seed: int) -> JointTest:
    """Run a declared universe with its permutation test."""
    options = declared.get("optional_controls", {}).values()
    effects, weights = declared["fixed_effects"], declared.get("weights", [])
    used = [*declared["treatments"], *declared["outcomes"][1:], declared["strata"]]
    used += [column for columns in options for column in columns]
    spec = {
        "outcome": declared["outcomes"][0],
        "treatment": [*used, *(column for column in weights if column)],
        "cluster": declared["cluster"],
        "dummies": declared["dummies"],
        "fixed_effects": [effect for columns in effects for effect in columns],
    }
    frame = sample.with_columns(frame, spec, "specification curve")
    samples = declared["samples"].items()
    frame = frame.assign(**{f"in {name}": sample.holds(frame, rule) for name, rule in samples})
    return joint_test(frame, expand(declared), declared["cluster"], declared["strata"], draws, seed)


def curve_fit(test: JointTest) -> Fit:
    """The curve's three statistics as one fit: permutation p-values, no standard error."""
    table = test.statistics.rename(columns={"statistic": "term", "observed": "estimate"})
    draws, specifications = test.draws.shape
    return Fit(
        table.reindex(columns=TERMS),
        "specification curve",
        f"permutation, {draws} draws, {specifications} specifications",
        *(int(test.curve[size].max()) for size in ("n_obs", "n_entities", "n_clusters")),
    )


def curve_facts(name, test: JointTest) -> dict:
    """Facts of a specification curve: name -> [value, kind]."""
    estimate, p_values = test.curve["estimate"], test.statistics.set_index("statistic")["p_value"]
    below, above = (test.curve["ci_high"] < 0).mean(), (test.curve["ci_low"] > 0).mean()
    return {
        f"{name}.specifications": [len(estimate), "count"],
        f"{name}.median": [estimate.median(), "estimate"],
        f"{name}.median.percent": [estimate.median(), "percent"],
        f"{name}.lowest": [estimate.min(), "estimate"],
        f"{name}.highest": [estimate.max(), "estimate"],
        f"{name}.negative": [100 * (estimate < 0).mean(), "share"],
        f"{name}.below": [100 * below, "share"],
        f"{name}.above": [100 * above, "share"],
        **{f"{name}.{statistic}.p": [p, "p"] for statistic, p in p_values.items()},
    }


def family(rows: pd.DataFrame, outcomes, spec: dict, draws: int, seed: int) -> pd.DataFrame:
    """One treatment on several outcomes, p-values adjusted for their number.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of the specification; those on which an outcome is missing are left out.
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
    rows = drop_singletons(rows.dropna(subset=list(outcomes)), spec["fixed_effects"])
    effects = [rows[e] for e in spec["fixed_effects"]]
    tests = []
    for outcome in outcomes:
        fit = clustered_fit(rows[outcome], rows[spec["treatment"]], rows[spec["cluster"]], effects)
        tests.append(wild_cluster_bootstrap(fit, draws=draws, seed=seed))
    columns = ["estimate", "standard_error", "p_value"]
    table = pd.DataFrame([[getattr(test, c) for c in columns] for test in tests], columns=columns)
    table.insert(0, "outcome", list(outcomes))
    drawn = np.column_stack([test.statistics for test in tests])
    table["romano_wolf"] = romano_wolf([test.t for test in tests], drawn)
    return table.assign(q_value=multipletests(table["p_value"], method="fdr_bh")[1])
