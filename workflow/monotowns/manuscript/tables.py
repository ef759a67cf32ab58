"""Tables of the manuscript: results as they are printed."""

import numpy as np
import pandas as pd

from monotowns.manuscript.numbers import written
from monotowns.run.errors import DesignError

#: How the sample flow marks a specification that these data cannot estimate.
NOT_ESTIMATED = "not estimated: "


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
