"""Do neighbours of monotowns share the gap? Spatial panels over several weights, and tests."""

import numpy as np
import pandas as pd
from scipy import stats

from monotowns.estimate.power import minimum_detectable_effect
from monotowns.estimate.record import to_records
from monotowns.estimate.regression import least_squares
from monotowns.estimate.spatial import MODELS, fit_panel
from monotowns.estimate.spatial_likelihood import LogDeterminant
from monotowns.estimate.spatial_tests import lagrange_multipliers, moran
from monotowns.estimate.spatial_weights import neighbours
from monotowns.estimate.variances import under_each
from monotowns.run.errors import DesignError

OUTCOME = "log_taxable_pc"
#: Name of the treatment among the terms: monotown from the year of the list on.
GAP = "monotown"
#: Conley cutoff, km, beside the clustered errors.
CONLEY = "conley_300"


def study(panel, settings, list_year, draws, seed):
    """All of this module.

    Parameters
    ----------
    panel : pandas.DataFrame
        Of entities and years, see :func:`balanced_rows`.
    settings : dict
        ``main`` and ``others`` by name: ``kind`` and ``size``, see
        :func:`monotowns.estimate.spatial_weights.neighbours`.
    list_year : int
        First year of the treatment.
    draws : dict
        ``bootstrap`` (of the impacts) and ``permutation`` (of Moran's I).

    Returns
    -------
    records : pandas.DataFrame
    facts : dict
    tables : dict
        Empty.
    """
    rows, flow = balanced_rows(panel, list_year)
    used, W = weighted(rows, **settings["main"])
    space = LogDeterminant(W)
    fits = {f"{m}_main": [panel_fit(used, space, m, draws, seed)] for m in MODELS}
    main = {model: fits[f"{model}_main"][0] for model in MODELS}
    # Residents are the denominator of the outcome and are themselves moved by what is studied;
    # market potential is a spatial lag by construction: the treatment is the only regressor but
    # in this one.
    fits["sdm_size"] = [panel_fit(used, space, "sdm", draws, seed, ["log_population"])]
    fits |= {f"slx_{name}": many for name, many in lag_fits(used, W, [CONLEY]).items()}
    tests = dependence_tests(used, W, draws["permutation"], seed)
    fits |= {name: [fit] for name, fit in tests.items()}
    # The years before the list, the last of them as if it were treated.
    before = used[used["year"] < list_year]
    before = before.assign(treated=before["monotown"] * (before["year"] == before["year"].max()))
    fits["sdm_placebo"] = [panel_fit(before, space, "sdm", draws, seed)]
    alone = {}
    for name, chosen in settings["others"].items():
        part, other = weighted(rows, **chosen)
        alone[name] = flow["kept"] - other.shape[0]
        space = LogDeterminant(other)
        for model in ("slx", "sar", "sdm"):
            fits[f"{model}_{name}"] = [panel_fit(part, space, model, draws, seed)]
        fits[f"slx_region_{name}"] = lag_fits(part, other)["region"]
    return records_of(fits, seed), facts_of(flow, main, used, W, alone), {}


def balanced_rows(panel, list_year):
    """Entities with every year, a known treatment and a place, as spatial panels need them.

    Parameters
    ----------
    panel : pandas.DataFrame
        ``entity``, ``year``, ``monotown`` (missing: neither treated nor control), ``lat``, ``lon``.
    list_year : int
        First year of the treatment.

    Returns
    -------
    rows : pandas.DataFrame
        Sorted by entity and year, with ``treated`` = monotown from ``list_year`` on.
    flow : dict
        ``entities`` of the panel, ``incomplete`` (a year or the place is missing), ``partly``
        (the rest that is neither treated nor control), ``kept`` and ``kept_monotowns``.

    Raises
    ------
    DesignError
        No entity is left, or the treatment of an entity changes.
    """
    years = panel["year"].nunique()
    whole = panel.dropna(subset=["lat", "lon"])
    whole = whole[whole.groupby("entity")["year"].transform("size") == years]
    rows = whole.dropna(subset=["monotown"]).sort_values(["entity", "year"], ignore_index=True)
    if rows.empty:
        raise DesignError("balanced panel", "no entity has every year", expected=f"{years} years")
    moved = rows.groupby("entity")["monotown"].nunique() > 1
    if moved.any():
        raise DesignError(
            "balanced panel", "an entity is a monotown in some years only", keys=moved.index[moved]
        )
    rows["treated"] = rows["monotown"] * (rows["year"] >= list_year)
    one = rows.drop_duplicates("entity")
    entities, complete = panel["entity"].nunique(), whole["entity"].nunique()
    flow = {
        "entities": entities,
        "incomplete": entities - complete,
        "partly": complete - len(one),
        "kept": len(one),
        "kept_monotowns": int(one["monotown"].sum()),
    }
    return rows, flow


def weighted(rows, kind, size):
    """Rows and the weights of their entities; entities without a neighbour are left out of both.

    To leave them out makes no other entity lonely: they are nobody's neighbour.
    """
    place = rows.drop_duplicates("entity")
    W = neighbours(place["lat"], place["lon"], kind, size)
    kept = np.flatnonzero(np.diff(W.indptr))
    rows = rows[rows["entity"].isin(place["entity"].iloc[kept])].reset_index(drop=True)
    return rows, W[kept][:, kept]


def lag(values, W):
    """Spatial lag of a column sorted by entity and year, entities in the order of ``W``."""
    values = np.asarray(values, float)
    return (W @ values.reshape(W.shape[0], -1)).reshape(values.shape)


def panel_fit(rows, space, model, draws, seed, controls=()):
    """Spatial panel of log income on the treatment with effects of entities and years."""
    rows = rows.assign(**{GAP: rows["treated"]})
    return fit_panel(rows, OUTCOME, [GAP, *controls], space, model, draws["bootstrap"], seed)


def lag_fits(rows, W, variances=()) -> dict:
    """Least squares on treatment and its lag, with errors that may depend over time and places.

    Parameters
    ----------
    variances : sequence of str
        Further variances, see :mod:`monotowns.estimate.variances`.

    Returns
    -------
    dict
        ``clustered`` (entity and year effects) and ``region`` (entity and region-by-year effects),
        each a list: errors clustered by region, then the further ones. Terms ``monotown`` and
        ``W_monotown``.
    """
    names = [GAP, f"W_{GAP}"]
    rows = rows.assign(**{GAP: rows["treated"], f"W_{GAP}": lag(rows["treated"], W)})
    found = {}
    for name, effect in (("clustered", "year"), ("region", "region_year")):
        fit = least_squares(rows, OUTCOME, names, ["entity", effect])
        found[name] = under_each(fit, variances, draws=0, seed=0)
    return found


def dependence_tests(rows, W, permutations, seed) -> dict:
    """Moran's I of log income and of the residuals of the gap, and multiplier tests of the change.

    The residuals are those of log income on the treatment with entity and region-by-year effects:
    what remains in them is dependence that region-by-year effects do not carry. The multiplier
    tests are of the change from the year before the list to the last year, without and with
    effects of regions.

    Returns
    -------
    dict
        ``moran_outcome``, ``moran_residuals``, ``multipliers``, ``multipliers_region`` -> Fit.
    """
    gap = least_squares(rows, OUTCOME, ["treated"], ["entity", "region_year"])
    left = gap.details["rows"].assign(residual=gap.details["residuals"])
    wide = rows.pivot(index="entity", columns="year", values=OUTCOME)
    # An entity alone in its region-year is fitted exactly: its residual is zero.
    residuals = left.pivot(index="entity", columns="year", values="residual")
    residuals = residuals.reindex_like(wide).fillna(0.0)
    found = {
        "moran_outcome": moran(wide, W, permutations, seed),
        "moran_residuals": moran(residuals, W, permutations, seed),
    }
    started = rows.groupby("year")["treated"].max() > 0
    change = wide.iloc[:, -1] - wide[started.index[~started].max()]
    place = rows.drop_duplicates("entity")
    regions = pd.get_dummies(place["region"], drop_first=True, dtype=float)
    mono = place[["monotown"]].to_numpy(float)
    found["multipliers"] = lagrange_multipliers(change, mono, W)
    found["multipliers_region"] = lagrange_multipliers(change, np.column_stack([mono, regions]), W)
    return found


def records_of(fits, seed) -> pd.DataFrame:
    """Result records of the fits, with their place in the study."""
    groups = {"sdm_main": "headline", "sdm_placebo": "placebo"}
    changes = {"multipliers", "multipliers_region"}
    records = [
        to_records(
            fit,
            specification=f"spatial_{name}",
            question="spatial",
            group=groups.get(name, "robustness"),
            outcome=f"change of {OUTCOME}" if name in changes else OUTCOME,
            sample="balanced, treatment known",
            weights="none",
            seed=seed,
        )
        for name, many in fits.items()
        for fit in many
    ]
    return pd.concat(records, ignore_index=True)


def likelihood_ratio(wide, narrow, restrictions=1):
    """p-value of a likelihood-ratio test of a nested spatial panel."""
    difference = wide.details["log_likelihood"] - narrow.details["log_likelihood"]
    return float(stats.chi2.sf(max(2 * difference, 0.0), restrictions))


def facts_of(flow, main, rows, W, alone) -> dict:
    """Facts of the spatial panels and of what they mean for a place.

    Parameters
    ----------
    flow : dict
        From :func:`balanced_rows`.
    main : dict
        Model -> Fit of the main weights ``W`` on ``rows``.
    alone : dict
        Name of other weights -> entities without a neighbour, left out.
    """
    place = rows[rows["year"] == rows["year"].max()]
    mono = place["monotown"].to_numpy(float)
    income = np.exp(place[OUTCOME].to_numpy())[mono == 1].mean()
    direct, indirect = (main["sdm"][f"{kind} {GAP}"] for kind in ("direct", "indirect"))
    number = np.diff(W.indptr)
    region = pd.factorize(place["region"])[0]
    same = np.repeat(region, number) == region[W.indices]
    mde = minimum_detectable_effect(indirect["standard_error"])
    facts = {f"spatial.{name}": [count, "count"] for name, count in flow.items()}
    facts |= {f"spatial.alone.{name}": [count, "count"] for name, count in alone.items()}
    # One more monotown among the neighbours of an average place.
    for name, column in (("one", "estimate"), ("one.low", "ci_low"), ("one.high", "ci_high")):
        facts[f"spatial.{name}"] = [indirect[column] / number.mean(), "percent"]
    return facts | {
        "spatial.one.mde": [100 * mde / number.mean(), "share"],
        "spatial.neighbours": [number.mean(), "count"],
        "spatial.same_region": [100 * same.mean(), "share"],
        "spatial.with_neighbour": [100 * ((W @ mono)[mono == 0] > 0).mean(), "share"],
        "spatial.income_monotown": [income, "count"],
        "spatial.roubles": [income * np.expm1(-direct["estimate"]), "count"],
        "spatial.sdm_sar.p": [likelihood_ratio(main["sdm"], main["sar"]), "p"],
        "spatial.sdm_sem.p": [likelihood_ratio(main["sdm"], main["sem"]), "p"],
    }
