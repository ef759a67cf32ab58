"""Tables of the manuscript: results as they are printed."""

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from monotowns.manuscript.numbers import detectable, written
from monotowns.run.errors import DesignError

#: How the sample flow marks a specification that these data cannot estimate.
NOT_ESTIMATED = "not estimated: "


#: Variances whose p-value decides where a term has several: they hold with few treated clusters.
DECISIVE = ("permutation", "randomization", "wild")


def effects(records: pd.DataFrame, declared: dict) -> pd.DataFrame:
    """Lay the results out as the declared rows of effects, a cell an outcome.

    Parameters
    ----------
    records : pandas.DataFrame
        Result records.
    declared : dict
        ``rows``, each with ``row``, ``effect``, ``comparison`` and ``cells``: specification ->
        term. A specification stands for itself and for those whose name ends in an outcome, or
        has it in the place of ``{outcome}``.

    Returns
    -------
    pandas.DataFrame
        ``row``, ``effect``, ``comparison``, ``outcome``, ``specification``, ``term``, ``group``,
        ``estimate``, ``standard_error``, ``p_value`` and ``p_by`` (a permutation or wild bootstrap
        where there is one, else the standard error's), ``p_family`` (over all outcomes of the row:
        Romano and Wolf's where the design has it, else Holm's, valid under any dependence),
        ``detectable`` (effect found with 80 per cent power), ``n_obs``, ``n_entities``,
        ``n_clusters``.

    Raises
    ------
    DesignError
        A row of which there is no result.
    """
    parts = []
    for row in declared["rows"]:
        of_row = [_cells(records, *cell) for cell in row["cells"].items()]
        cells = pd.concat(of_row, ignore_index=True)
        if cells.empty:
            where = f"effects, row {row['row']}"
            raise DesignError(where, "no result of its specifications", keys=list(row["cells"]))
        holm = multipletests(cells["p_value"], method="holm")[1]
        cells["p_family"] = cells["p_family"].fillna(pd.Series(holm, cells.index))
        parts.append(cells.assign(**{k: row[k] for k in ("row", "effect", "comparison")}))
    columns = ["row", "effect", "comparison", "outcome", "specification", "term", "group"]
    columns += ["estimate", "standard_error", "p_value", "p_by", "p_family", "detectable"]
    return pd.concat(parts)[[*columns, "n_obs", "n_entities", "n_clusters"]]


def _cells(records, name, term):
    """One row an outcome of a specification: its own estimate, the p-value that decides."""
    of = records[records["term"] == term]
    pattern = name if "{outcome}" in name else name + "_{outcome}"
    named = [pattern.replace("{outcome}", outcome) for outcome in of["outcome"]]
    of = of[(of["specification"] == name) | (of["specification"] == named)]
    cells = []
    for _, same in of.groupby("specification", sort=False):
        cell = same.iloc[0].copy()
        kind = same["variance"].str.split().str[0].str.lower()
        cell["p_by"] = kind.iloc[0].split("(")[0].rstrip(",")
        for word in (w for w in DECISIVE if w in set(kind)):
            cell["p_value"], cell["p_by"] = same.loc[kind == word, "p_value"].iloc[0], word
            break
        joint = same.loc[kind == "romano-wolf", "p_value"]
        cell["p_family"] = joint.iloc[0] if len(joint) else np.nan
        cell["detectable"] = detectable(cell["standard_error"], cell["n_clusters"])
        cells.append(cell)
    return pd.DataFrame(cells)


def effects_print(cells: pd.DataFrame, outcomes: dict) -> pd.DataFrame:
    """:func:`effects` as text; a row's name stands once.

    ``outcomes`` are the words of an outcome, or of a specification whose outcome another layer has
    too.
    """

    def text(column, kind="estimate"):
        return cells[column].map(lambda v: written(v, kind) if np.isfinite(v) else "")

    again = cells["effect"].eq(cells["effect"].shift())
    named = cells["outcome"].map(outcomes).fillna(cells["outcome"])
    named = cells["specification"].map(outcomes).fillna(named)
    return pd.DataFrame(
        {
            "row": cells["row"].mask(again, ""),
            "effect": cells["effect"].mask(again, ""),
            "outcome": named,
            "estimate": text("estimate") + " (" + text("standard_error") + ")",
            "p_value": text("p_value", "p").str.removeprefix("= "),
            "p_family": text("p_family", "p").str.removeprefix("= "),
            "detectable": text("detectable"),
            "n": text("n_obs", "count"),
            "entities": text("n_entities", "count"),
            "clusters": text("n_clusters", "count"),
            "comparison": cells["comparison"].mask(again, ""),
        }
    ).reset_index(drop=True)


def not_estimated(flows: pd.DataFrame) -> dict[str, str]:
    """Why these data cannot estimate a specification, by its name, from the sample flows."""
    steps = flows.set_index("specification")["step"]
    steps = steps[steps.str.startswith(NOT_ESTIMATED)]
    return steps.str.removeprefix(NOT_ESTIMATED).to_dict()


def check_estimated(flows: pd.DataFrame) -> None:
    """Refuse sample flows with specifications that these data cannot estimate, naming them all."""
    if refused := not_estimated(flows):
        raise DesignError(
            "specifications",
            f"these data cannot estimate {len(refused)} of them",
            keys=refused,
            found="".join(f"\n    {name}: {message}" for name, message in refused.items()),
            remedy="mend or remove them; with claims: report the run goes on without them",
        )


def estimates_table(records: pd.DataFrame) -> pd.DataFrame:
    """Every specification's own estimates as text, one row a term.

    Rows under further variances are left out, and of event studies all years but the last.
    """
    own = records.drop_duplicates(["specification", "term"])
    own = own[own["p_value"].notna()]
    yearly = own["estimator"].eq("event_study") & own["term"].str.fullmatch(r"\d{4}")
    last = own[yearly].groupby("specification")["term"].transform("max")
    own = own[~yearly | own["term"].eq(last.reindex(own.index))]
    own = own[~own["term"].str.contains(r"^event |^calendar|^group \d")]

    def text(column, kind="estimate"):
        return own[column].map(lambda value: written(value, kind) if np.isfinite(value) else "")

    interval = text("ci_low") + " to " + text("ci_high")
    return pd.DataFrame(
        {
            "specification": own["specification"].str.replace("_", " "),
            "group": own["group"],
            "term": own["term"].str.replace("_", " ").str.replace(":", " × "),
            "estimate": text("estimate"),
            "standard_error": text("standard_error"),
            "interval": interval.where(np.isfinite(own["ci_low"]), ""),
            "p_value": text("p_value", "p").str.removeprefix("= "),
            "n": text("n_obs", "count"),
            "clusters": text("n_clusters", "count"),
            "variance": own["variance"].str.split(",").str[0],
        }
    ).reset_index(drop=True)


def samples_table(flows: pd.DataFrame) -> pd.DataFrame:
    """From the panel to every estimation sample as text, one row a specification.

    Parameters
    ----------
    flows : pandas.DataFrame
        ``specification``, ``step`` (four a specification, in order), ``rows``, ``entities``.
    """
    rows = []
    estimated = flows[~flows["specification"].isin(not_estimated(flows))]
    for name, flow in estimated.groupby("specification", sort=False):
        names = [name, flow["step"].iloc[1].removeprefix("sample ")]
        counts = [*flow["rows"].iloc[1:], flow["entities"].iloc[-1]]
        rows.append([n.replace("_", " ") for n in names] + [written(c, "count") for c in counts])
    columns = ["specification", "sample", "drawn", "complete", "estimated", "entities"]
    return pd.DataFrame(rows, columns=columns)
