"""Years beside the study's window: published, harmonised, marked, in no estimate by default.

In 2010 and 2011 income has another concept and nobody's residents are printed; in 2022 residents
are rebased to the census of 2021. A fork or a robustness run may want them and must know what they
are.
"""

import numpy as np
import pandas as pd

from monotowns.panel.build import harmonise

#: Year -> why it stands apart.
MARKS = {
    2010: "another concept of income",
    2011: "another concept of income",
    2022: "residents rebased to the census of 2021",
}
#: Years whose income is not printed per resident.
WITHOUT_RESIDENTS = (2010, 2011)


def build(incomes, versions, overrides) -> pd.DataFrame:
    """Harmonise the marked years as the panel's are.

    Where no residents are printed the number of members stands in for them: an entity whose members
    are not the same in both years is left out of both.

    Parameters
    ----------
    incomes, versions, overrides : pandas.DataFrame
        See :func:`.build.harmonise`.

    Returns
    -------
    pandas.DataFrame
        ``entity``, ``year``, ``mark``, ``taxable``, ``social``, ``total`` (thousand roubles,
        current), ``population`` (persons, missing where not printed), ``members``,
        ``log_taxable`` (log roubles) and ``log_taxable_pc`` (per resident, missing without them).
    """
    parts = []
    first, last = WITHOUT_RESIDENTS[0], WITHOUT_RESIDENTS[-1]
    counted = incomes.assign(per_resident=incomes["total"])
    parts.append(harmonise(counted, versions, overrides, first, last)[0].assign(population=np.nan))
    rest = [year for year in MARKS if year not in WITHOUT_RESIDENTS]
    parts += [harmonise(incomes, versions, overrides, year, year)[0] for year in rest]
    frame = pd.concat(parts, ignore_index=True)
    frame.insert(2, "mark", frame["year"].map(MARKS))
    frame["log_taxable"] = np.log(frame["taxable"] * 1e3)
    frame["log_taxable_pc"] = frame["log_taxable"] - np.log(frame["population"])
    return frame.sort_values(["entity", "year"], ignore_index=True)
