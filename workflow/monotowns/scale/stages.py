"""What every stage of the chain reads of a simulated panel, and what it does with it.

A stage is told as data, ``{"regression": specification}``, ``{"curve": universe}``,
``{"weights": settings}`` or ``{"spatial_panel": settings}``, and runs the study's own functions.
"""

import pandas as pd

from monotowns import panel as assembly
from monotowns.contracts import check
from monotowns.settings import columns_of

#: What :func:`monotowns.models.prepare` asks of every panel.
KEYS = {"entity", "year", "toser"}
PLACE = {"lat", "lon"}


def assembled(rows: pd.DataFrame, deflator: dict) -> pd.DataFrame:
    """Clean and complete a part of a simulated panel as the study's panel is.

    Parameters
    ----------
    rows : pandas.DataFrame
        Whole entities, from :func:`monotowns.scale.simulation.draw_copy`.
    deflator : dict
        See :func:`monotowns.panel.assemble`.

    Returns
    -------
    pandas.DataFrame
        Held to the contract of the panel.
    """
    rows = rows[~assembly.passing_jumps(rows)].reset_index(drop=True)
    rows = rows[~assembly.shorter_side(rows)].reset_index(drop=True)
    return check(assembly.outcomes(rows, deflator), "panel")


def columns(stage: dict) -> set[str]:
    """Columns that a stage needs of panel, measures and weights."""
    ((kind, of),) = stage.items()
    if kind == "weights":
        return KEYS | PLACE
    if kind == "spatial_panel":
        return KEYS | PLACE | {"monotown", "log_taxable_pc"}
    if kind == "regression":
        named, rules = columns_of(of), [of["rows"], *of["dummies"].values()]
        more = PLACE if any(v.startswith("conley") for v in of.get("variances", [])) else set()
    else:
        optional = of.get("optional_controls", {}).values()
        named = [
            *of["outcomes"],
            *of["treatments"],
            *(c for part in optional for c in part),
            *(e for part in of["fixed_effects"] for e in part),
            *(w for w in of.get("weights", []) if w),
            of["cluster"],
            of["strata"],
        ]
        rules, more = [*of["samples"].values(), *of["dummies"].values()], set()
    parts = {part for column in named for part in column.split(":")}
    return KEYS | parts.union(*rules) | more


def work(stage: dict, frame: pd.DataFrame, draws: dict, seed: int) -> dict:
    """Run a stage on the columns that it needs.

    Parameters
    ----------
    stage : dict
        See the module.
    frame : pandas.DataFrame
        From :func:`monotowns.models.prepare`.
    draws : dict
        ``bootstrap``, ``curve``.
    seed : int

    Returns
    -------
    dict
        ``rows`` and ``entities`` used and what was found, to compare with another run.
    """
    ((kind, of),) = stage.items()
    return {"regression": _regression, "curve": _curve, "weights": _weights,
            "spatial_panel": _spatial_panel}[kind](of, frame, draws, seed)  # fmt: skip


def _regression(spec, frame, draws, seed):
    from monotowns.models.specification import estimate

    records, _ = estimate(frame, "scale", spec, draws["bootstrap"], seed)
    last = records.dropna(subset=["p_value"]).iloc[-1]
    kept = ["term", "estimate", "standard_error", "ci_low", "ci_high"]
    return {"rows": int(last["n_obs"]), "entities": int(last["n_entities"]),
            "clusters": int(last["n_clusters"]), "found": last[kept].to_dict()}  # fmt: skip


def _curve(declared, frame, draws, seed):
    from monotowns.models import robustness

    test = robustness.curve(frame, declared, draws["curve"], seed)
    return {"rows": int(test.curve["n_obs"].max()), "entities": frame["entity"].nunique(),
            "clusters": int(test.curve["n_clusters"].max()),
            "found": {"specifications": len(test.curve),
                      "median": float(test.curve["estimate"].median())}}  # fmt: skip


def _weights(settings, frame, draws, seed):
    from monotowns.models import dependence

    rows, W = dependence.weighted(frame.dropna(subset=["lat", "lon"]), **settings)
    return {"rows": len(rows), "entities": W.shape[0], "found": {"weights": W.nnz}}


def _spatial_panel(settings, frame, draws, seed):
    from monotowns.models import dependence

    rows, _ = dependence.balanced_rows(frame, settings["list_year"])
    rows, W = dependence.weighted(rows, **settings["weights"])
    fit = dependence.panel_fits(rows, W, ["sdm"], draws["bootstrap"], seed)["sdm"]
    found = fit.terms.set_index("term")["estimate"]
    return {
        "rows": fit.n_obs,
        "entities": fit.n_entities,
        "found": {"rho": float(found["rho"]), "direct": float(found["direct monotown"])},
    }
