"""What the rows must show before an estimator for staggered adoption may have them.

diff-diff (seen in 3.13) does not look: without a cohort's reference year its Sun-Abraham and
stacked regressions give another number, and a single treated entity gets a standard error that is
a sixth of the true one.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from monotowns.estimate.absorb import drop_singletons
from monotowns.run.errors import DesignError

WHERE = "staggered adoption"


class Cohorts(NamedTuple):
    """Checked rows, sorted by entity and year, and the names of their columns."""

    frame: pd.DataFrame
    outcome: str
    treatment: str
    cluster: str

    @property
    def event(self) -> pd.Series:
        """Years since the cohort's year; missing for the never treated."""
        first = self.frame[self.treatment]
        return (self.frame["year"] - first).where(first > 0)

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return self.frame[self.cluster].nunique()

    def need_reference(self, reference):
        """Refuse cohorts of which nobody is seen in ``reference(cohort)``, the year before."""
        seen = set(self.frame[[self.treatment, "year"]].itertuples(index=False, name=None))
        years = {g: reference(g) for g in sorted(set(self.frame[self.treatment]) - {0})}
        lacking = [f"cohort {g} in {year}" for g, year in years.items() if (g, year) not in seen]
        if lacking:
            raise DesignError(
                WHERE,
                "a cohort is not seen in its reference year, the last untreated one",
                keys=lacking,
                remedy="leave the cohort out, or take an estimator that needs no such year",
            )

    def need_years(self, years):
        """Refuse rows in which one of these years is missing for everybody."""
        missing = sorted(set(years) - set(self.frame["year"]))
        if missing:
            raise DesignError(WHERE, "a year that every cohort needs is missing", keys=missing)

    def need_never(self):
        """Refuse rows in which everybody is treated sooner or later."""
        if (self.frame[self.treatment] > 0).all():
            raise DesignError(WHERE, "no entity is never treated", remedy="not_yet controls")

    def imputable(self, anticipation) -> "Cohorts":
        """Leave out the years in which nobody is untreated: nothing shows their effect."""
        untreated = self.frame.loc[~(self.event >= -anticipation), "year"]
        return self._replace(frame=self.frame[self.frame["year"].isin(untreated)])

    def throughout(self, years) -> "Cohorts":
        """Keep the entities seen in all of the years; refuse where that empties a cohort."""
        self.need_years(years)
        seen = self.frame["year"].isin(years).groupby(self.frame["entity"]).transform("sum")
        kept = self.frame[seen == len(years)]
        gone = sorted(set(self.frame[self.treatment]) - set(kept[self.treatment]))
        if gone:
            raise DesignError(
                WHERE,
                "no entity of a cohort is seen in every year",
                keys=[f"cohort {g}" for g in gone],
                expected=f"{min(years)} to {max(years)}",
            )
        return self._replace(frame=kept)


def check(rows, outcome, treatment, cluster, columns=(), anticipation=0, place=()) -> Cohorts:
    """Refuse rows from which no cohort's effect can be estimated.

    Parameters
    ----------
    rows, outcome, treatment, cluster, anticipation
        As for :mod:`.staggered`.
    columns, place : sequence of str
        Further numeric columns; those of ``place`` may not vary within an entity.

    Returns
    -------
    Cohorts
        The columns needed; entities seen in one year only are left out, they show no change.
    """
    if anticipation < 0:
        raise DesignError(WHERE, "years of anticipation are negative", found=anticipation)
    numeric = [outcome, treatment, *columns, *place]
    needed = list(dict.fromkeys(["entity", "year", *numeric, cluster]))
    absent = [column for column in needed if column not in rows]
    if absent:
        raise DesignError(WHERE, "no such column", keys=absent)
    frame = rows[needed]
    infinite = ~np.isfinite(frame[numeric].to_numpy(float)).all(axis=1)
    _refuse(
        frame,
        frame.isna().any(axis=1) | infinite,
        "a value is missing",
        remedy="drop the rows; a never treated entity has cohort 0",
    )
    _refuse(frame, frame.duplicated(["entity", "year"]), "an entity-year stands twice")
    for column in (treatment, cluster, *place):
        of = frame.groupby("entity")[column]
        varies = of.transform("min") != of.transform("max")
        _refuse(frame, varies, f"{column} varies within an entity")
    frame = frame.astype({treatment: int}).sort_values(["entity", "year"])
    frame = drop_singletons(frame, ["entity"])
    if frame[cluster].nunique() < 2:
        raise DesignError(WHERE, "fewer than two clusters", keys=[cluster])

    treated = frame[frame[treatment] > 0]
    if treated.empty:
        raise DesignError(WHERE, "no entity is treated", keys=[treatment])
    first, last = frame["year"].min() + 1 + anticipation, frame["year"].max()
    _refuse(
        treated,
        ~treated[treatment].between(first, last),
        "the cohort lies outside the panel",
        expected=f"0 or {first} to {last}",
        remedy="0 = not treated within the panel; leave out who was before it",
    )
    if len(treated) == len(frame) and treated[treatment].nunique() == 1:
        raise DesignError(WHERE, "no entity is a control", expected="one never or later treated")
    before = treated["year"] < treated[treatment] - anticipation
    unseen = treated[~before.groupby(treated["entity"]).transform("any")].drop_duplicates("entity")
    if len(unseen):
        who = zip(unseen["entity"], unseen[treatment], unseen["year"], strict=True)
        raise DesignError(
            WHERE,
            "a treated entity is never seen untreated",
            keys=[f"{entity} (cohort {g}, first seen in {year})" for entity, g, year in who],
            remedy="leave it out",
        )
    return Cohorts(frame, outcome, treatment, cluster)


def _refuse(frame, at, problem, **context):
    if at.any():
        keys = frame.loc[at, ["entity", "year"]].itertuples(index=False, name=None)
        raise DesignError(WHERE, problem, keys=keys, **context)
