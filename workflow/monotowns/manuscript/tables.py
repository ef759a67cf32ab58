"""Tables of the manuscript: results as they are printed."""

import numpy as np
import pandas as pd

from monotowns.manuscript.numbers import written


def estimates_table(records: pd.DataFrame) -> pd.DataFrame:
    """Every specification's own estimates, one row a term.

    Parameters
    ----------
    records : pandas.DataFrame
        Result records; rows under further variances are left out, and of event studies all years
        but the last.

    Returns
    -------
    pandas.DataFrame
        Text columns ``specification``, ``group``, ``term``, ``estimate``, ``standard_error``,
        ``interval``, ``p_value``, ``n``, ``clusters``, ``variance``.
    """
    own = records.drop_duplicates(["specification", "term"])
    own = own[own["p_value"].notna()]
    yearly = own["estimator"].eq("event_study") & own["term"].str.fullmatch(r"\d{4}")
    last = own[yearly].groupby("specification")["term"].transform("max")
    own = own[~yearly | own["term"].eq(last.reindex(own.index))]
    own = own[~own["term"].str.contains(r"^event |^calendar|^group \d")]

    def number(value, kind="estimate"):
        return written(value, kind) if np.isfinite(value) else ""

    rows = [
        (
            r.specification.replace("_", " "),
            r.group,
            r.term.replace("_", " ").replace(":", " × "),
            number(r.estimate),
            number(r.standard_error),
            f"{number(r.ci_low)} to {number(r.ci_high)}" if np.isfinite(r.ci_low) else "",
            written(r.p_value, "p").removeprefix("= "),
            number(r.n_obs, "count"),
            number(r.n_clusters, "count"),
            r.variance.split(",")[0],
        )
        for r in own.itertuples(index=False)
    ]
    columns = [
        "specification",
        "group",
        "term",
        "estimate",
        "standard_error",
        "interval",
        "p_value",
        "n",
        "clusters",
        "variance",
    ]
    return pd.DataFrame(rows, columns=columns)


def samples_table(flows: pd.DataFrame) -> pd.DataFrame:
    """From the panel to every estimation sample, one row a specification.

    Parameters
    ----------
    flows : pandas.DataFrame
        ``specification``, ``step`` (four a specification, in order; two of one that these data do
        not carry, which is left out), ``rows``, ``entities``.

    Returns
    -------
    pandas.DataFrame
        Text columns ``specification``, ``sample``, ``drawn``, ``complete``, ``estimated`` (rows)
        and ``entities`` (of the estimation).
    """
    rows = []
    for name, flow in flows.groupby("specification", sort=False):
        if len(flow) == 2:
            continue
        sample, counts = flow["step"].iloc[1].removeprefix("sample "), flow["rows"].iloc[1:]
        rows.append(
            (
                name.replace("_", " "),
                sample.replace("_", " "),
                *(written(c, "count") for c in counts),
                written(flow["entities"].iloc[-1], "count"),
            )
        )
    columns = ["specification", "sample", "drawn", "complete", "estimated", "entities"]
    return pd.DataFrame(rows, columns=columns)
