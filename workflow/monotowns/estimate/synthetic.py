"""Synthetic difference in differences (Arkhangelsky et al. 2021), cohort by cohort.

diff-diff (3.13) estimates one block of treated entities and gives the estimates without each entity
in turn. Own are the checks of the rows beforehand, the mean over cohorts and the covariance of the
cohorts with it: they share their controls, so that errors of single blocks do not add up.
"""

import warnings

import numpy as np
import pandas as pd

from monotowns.estimate.identification import WHERE, check
from monotowns.estimate.record import Fit, wald_terms
from monotowns.run.errors import DesignError

#: Years before the treatment without which no weights of years can be told.
YEARS_BEFORE = 2


def synthetic_did(rows, outcome, treatment, *, placebos=0, seed=None) -> Fit:
    """Effect on each cohort against a weighted mean of never treated entities.

    Weights of entities and of years make the controls parallel to the treated before the
    treatment. Entities that are not seen in every year of the rows are left out.

    Parameters
    ----------
    rows, outcome, treatment
        As for :mod:`.staggered`; somebody is never treated.
    placebos : int
        Draws of never treated entities that are taken for treated; 0 or at least 2.
    seed : int, optional
        Of the placebos.

    Returns
    -------
    Fit
        ``att`` (cohorts weighted by their treated entity-years) and ``group g``. Jackknife over
        entities with the weights held (their Algorithm 3): missing for a cohort of one entity and
        then for ``att``. With placebos ``details["placebo"]`` holds for every cohort the standard
        error of their Algorithm 4 and the share of draws, the estimate among them, that lie at
        least as far from 0: what is left to few treated entities. Cohorts that are not smaller than
        the never treated have none.

    Raises
    ------
    DesignError
        Nobody is never treated, a cohort is never seen throughout or has too few years before.
    """
    cohorts = check(rows, outcome, treatment, "entity")
    cohorts.need_never()
    years = np.unique(cohorts.frame["year"])
    frame = cohorts.throughout(years).frame
    of = frame.groupby("entity")[treatment].first()
    sizes = of[of > 0].value_counts().sort_index()
    early = [int(g) for g in sizes.index if (years < g).sum() < YEARS_BEFORE]
    if early:
        raise DesignError(
            WHERE,
            "too few years before the treatment for weights of years",
            keys=early,
            expected=YEARS_BEFORE,
            remedy="leave the cohort out",
        )
    blocks = {g: _block(frame, outcome, treatment, g, years) for g in sizes.index}
    placebo = {}
    if placebos:
        for g in sizes.index[sizes < (of == 0).sum()]:
            block = _block(frame, outcome, treatment, g, years, placebos, seed)
            far = np.abs(block.variance_effects) >= abs(block.att) * (1 - 1e-10)
            placebo[int(g)] = (block.se, (far.sum() + 1) / (len(far) + 1))
    estimate = np.array([block.att for block in blocks.values()])
    left_out = pd.DataFrame({g: _left_out(blocks[g], of.index) for g in blocks})
    weight = np.array([n * (years >= g).sum() for g, n in sizes.items()], float)
    weight /= weight.sum()
    # Without a treated entity the other cohorts' estimates are what they were.
    gaps = left_out.fillna(dict(zip(left_out, estimate, strict=True))).to_numpy()
    gaps = np.column_stack([gaps @ weight, gaps])
    gaps -= gaps.mean(axis=0)
    n = len(gaps)
    covariance = (n - 1) / n * gaps.T @ gaps
    alone = np.array([(sizes < 2).any(), *(sizes < 2)])
    covariance[alone], covariance[:, alone] = np.nan, np.nan
    names = ["att", *(f"group {g}" for g in sizes.index)]
    terms = wald_terms(
        names, [weight @ estimate, *estimate], np.sqrt(np.diag(covariance)), df=n - 1
    )
    return Fit(
        terms,
        "synthetic_did",
        f"jackknife over entities, weights held; t({n - 1})",
        len(frame),
        n,
        n,
        covariance,
        {"cohorts": sizes.to_dict(), "placebo": placebo},
    )


def _block(frame, outcome, treatment, cohort, years, placebos=0, seed=None):
    """One cohort and the never treated by diff-diff."""
    from diff_diff import SyntheticDiD

    block = frame[frame[treatment].isin([0, cohort])]
    model = SyntheticDiD(
        variance_method="placebo" if placebos else "jackknife",
        n_bootstrap=placebos or 2,
        seed=seed,
    )
    try:
        with warnings.catch_warnings():
            # About poor fits before the treatment and single entities: both are reported.
            warnings.simplefilter("ignore")
            return model.fit(
                block.assign(on=(block[treatment] > 0).astype(int)),
                outcome=outcome,
                treatment="on",
                unit="entity",
                time="year",
                post_periods=[int(year) for year in years if year >= cohort],
            )
    except Exception as error:
        where = "SyntheticDiD of diff-diff"
        raise DesignError(where, "cannot be estimated on these rows", found=error) from error


def _left_out(block, entities) -> pd.Series:
    """Estimates of a block without each entity in turn; missing for entities outside of it."""
    if block.variance_effects is None:
        return pd.Series(np.nan, entities)
    table = block.get_loo_effects_df()
    return table.set_index("unit")["att_loo"].reindex(entities)
