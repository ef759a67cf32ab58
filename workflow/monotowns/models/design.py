"""Samples, and the checks that every specification passes before it is estimated."""

import pandas as pd

from monotowns.errors import DesignError


def draw_sample(panel: pd.DataFrame, sample: str) -> pd.DataFrame:
    """Rows of a named sample.

    ``all``: entities that are treated or clean controls; ``urban_okrugs``: of these the urban
    okrugs; ``last_year``, ``first_and_last_year``: of ``all``; ``monotowns``: main-definition
    monotowns whose TOSER status is dated or absent.
    """
    rows = panel[panel["monotown"].notna()]
    first, last = panel["year"].min(), panel["year"].max()
    if sample == "urban_okrugs":
        return rows[rows["kind"] == "городской округ"]
    if sample == "last_year":
        return rows[rows["year"] == last]
    if sample == "first_and_last_year":
        return rows[rows["year"].isin([first, last])]
    if sample == "monotowns":
        return rows[(rows["monotown"] == 1) & (rows["toser"] != 0)]
    return rows


def check(frame: pd.DataFrame, name: str, spec: dict) -> pd.DataFrame:
    """Refuse what cannot be estimated; return the rows with all columns present.

    Raises
    ------
    DesignError
        A column does not exist, the sample is empty, a key is doubled, there are fewer than two
        clusters, or the treatment does not vary.
    """
    columns = [spec["outcome"], spec["treatment"], spec["cluster"], "entity", "year"]
    columns += list(spec.get("controls", ())) + list(spec.get("fixed_effects", ()))
    where = f"specification {name}"
    absent = [c for c in columns if c not in frame.columns]
    if absent:
        raise DesignError(where, "no such column in the panel", keys=absent,
                          expected=", ".join(sorted(frame.columns)))  # fmt: skip
    rows = frame.dropna(subset=columns)
    if rows.empty:
        raise DesignError(where, "the sample is empty", keys=[spec["sample"]])
    doubled = rows.duplicated(["entity", "year"])
    if doubled.any():
        keys = rows.loc[doubled, ["entity", "year"]].itertuples(index=False, name=None)
        raise DesignError(where, "an entity-year stands twice", keys=keys)
    if rows[spec["cluster"]].nunique() < 2:
        raise DesignError(where, "fewer than two clusters", keys=[spec["cluster"]])
    if rows[spec["treatment"]].nunique() < 2:
        raise DesignError(where, "the treatment does not vary", keys=[spec["treatment"]])
    return rows
