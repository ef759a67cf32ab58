"""Did towns gain by the growth of their main industry, 2022-2024? Exposure by group of divisions.

Growth of monotowns from 2023 to 2024 beyond that of other places of the same region and urban type,
by the growth of the group outside the region. The shocks are few: every estimate stands beside a
permutation of them, and beside outcomes that precede them.
"""

import numpy as np
import pandas as pd

from monotowns.estimate import absorb, regression, shiftshare
from monotowns.estimate.kernel import clustered_fit
from monotowns.estimate.multiple import romano_wolf
from monotowns.estimate.power import minimum_detectable_effect
from monotowns.estimate.randomization import randomization_test
from monotowns.estimate.record import TERMS, Fit, terms_by_chance, to_records
from monotowns.estimate.variances import under_each, wild_bootstrap
from monotowns.measures.exposure import EVIDENCE, NONE
from monotowns.run.errors import DesignError
from monotowns.studies.reindustrialisation import changes

OUTCOMES = ("growth_wage_all", "growth_wage_C", "growth_wage_B", "growth_consumption")
#: Outcome -> section whose towns alone are kept, where the wage is that of the town's own industry.
OWN = {"growth_wage_C": "C", "growth_wage_B": "B"}
#: Outcomes of which growth before the shocks is taken.
BEFORE = ("log_taxable_pc", "log_population")
HEADLINE, PLACEBO = "exposure_groups", "placebo_groups"
#: Further exposures -> column, evidence of the shares, cells of the shocks.
EXPOSURES = {
    HEADLINE: ("exposure", "all", "all"),
    "exposure_groups_evidenced": ("exposure_evidenced", "evidenced", "all"),
    "exposure_groups_strong": ("exposure_strong", "strong", "all"),
    "exposure_groups_steady": ("exposure_steady", "all", "steady"),
    "exposure_groups_national": ("exposure_national", "all", "all"),
}
CELL = ["cell"]
#: The two halves of the policy: the cohort of 2016 had fallen before its status.
STATUSES = ("toser_2016", "toser_later")


def study(places, growth, panel, exposure, shares, shocks, urban, window, draws, seed):
    """Estimate everything about the exposure to groups.

    Parameters
    ----------
    places, growth, panel : pandas.DataFrame
        See :func:`.places.build`, :func:`.months.growth`; the panel of municipalities.
    exposure, shares, shocks : pandas.DataFrame
        See :func:`.exposure.build_group_exposure`.
    urban : str
        Column of ``places``: urban okrug or not.
    window : dict
        ``placebos``: windows of growth before the shocks, (first, last) years; ``least_others``:
        other places in a cell from which a robustness check takes it.
    draws : dict
        ``permutation``, ``bootstrap``.
    seed : int

    Returns
    -------
    records : pandas.DataFrame
    facts : dict, name -> [value, kind]
    tables : dict of pandas.DataFrame
        ``rotemberg``, ``left_out``, ``groups``, ``flow``.
    """
    earlier, columns = growth_before(panel, window["placebos"])
    frame = with_cells(places, urban).merge(exposure, on="entity", how="left")
    frame = frame.merge(growth, on="entity", how="left").merge(earlier, on="entity", how="left")
    design = Design(frame, shares, shocks, draws, seed)
    headline, family = design.family(HEADLINE, OUTCOMES)
    before, chance = design.family(PLACEBO, columns)
    records = [*headline, *before]
    for name in EXPOSURES:
        if name != HEADLINE:
            records += [r for outcome in OUTCOMES for r in design.robust(name, outcome)]
    for outcome in OUTCOMES:
        records += design.robust(f"{HEADLINE}_monotowns", outcome, alone=True)
        if outcome in OWN:
            records += design.robust(f"{HEADLINE}_own", outcome, section=OWN[outcome])
        least = window["least_others"]
        records += design.robust(f"{HEADLINE}_compared", outcome, least=least)
        records += toser_records(frame, outcome, draws, seed)
    weights = [rotemberg(design, o).assign(outcome=o) for o in OUTCOMES]
    # A placebo that fails is traced to the group that it rests on.
    left_out = [leave_one_out(design, o).assign(outcome=o) for o in (*OUTCOMES, *columns)]
    people = panel[panel["year"] == panel["year"].max()].set_index("entity")["population"]
    tables = {
        "rotemberg": pd.concat(weights, ignore_index=True),
        "left_out": pd.concat(left_out, ignore_index=True),
        "groups": shock_table(design, people),
        "flow": flow(frame, OUTCOMES),
    }
    facts = design.facts | family | chance | table_facts(tables)
    return pd.concat(records, ignore_index=True), facts, tables


def with_cells(places: pd.DataFrame, urban: str) -> pd.DataFrame:
    """Places that are monotowns or clear others, with ``cell``: their region and urban type.

    An entity with a monotown below the main definition is neither; a place whose type is not known
    has no cell.
    """
    frame = places[places["monotown"].notna()].reset_index(drop=True)
    kind = frame[urban].map({1.0: "urban", 0.0: "district"})
    return frame.assign(cell=frame["region"] + ", " + kind)


def growth_before(panel, windows):
    """Growth of :data:`BEFORE` over windows: a table by entity, and the names of its columns."""
    columns = {}
    for first, last in windows:
        for outcome in BEFORE:
            table = changes(panel, outcome, (first, first), (last, last))
            columns[f"{outcome}_{first}_{last}"] = table.set_index("entity")["change"]
    return pd.DataFrame(columns).rename_axis("entity").reset_index(), [*columns]


class Design:
    """Units, shares and shocks, and every regression that is run on them.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a place: ``entity``, ``region``, ``cell``, ``monotown``, exposures, outcomes.
    shares, shocks, draws, seed
        See :func:`study`.
    """

    def __init__(self, frame, shares, shocks, draws, seed):
        self.frame, self.draws, self.seed, self.facts = frame, draws, seed, {}
        monotowns = frame.loc[frame["monotown"] == 1, "entity"]
        used = shares[shares["entity"].isin(monotowns) & (shares["share"] > 0)]
        # The same groups in every sample: permutations are shared between outcomes.
        self.groups = sorted(used["group"].unique())
        self.shares = {
            name: used[used["evidence"] == name]
            .pivot(index="entity", columns="group", values="share")
            .reindex(columns=self.groups)
            .fillna(0.0)
            for name in EVIDENCE
        }
        self.growth = {
            cells: rows.pivot(index="left_out", columns="group", values="growth")[self.groups]
            for cells, rows in shocks.groupby("cells")
        }

    def rows(self, name, outcome, alone=False, section=None, least=0):
        """The units of a regression, their exposure centred on the monotowns' mean.

        Monotowns whose group is not known are left out; other places have no exposure. ``exposure``
        is zero for these, so that the term ``monotown`` is the growth of monotowns at their mean.
        ``least`` keeps cells with so many other places: where there is one alone, its own mishap is
        taken from all monotowns of the cell.
        """
        column = EXPOSURES[name][0]
        frame = self.frame.dropna(subset=[outcome, "cell"])
        mine = frame["monotown"] == 1
        known = mine & frame[column].notna()
        if section:
            known &= frame["section"] == section
        frame = frame[known | ((frame["monotown"] == 0) & (not alone))]
        others = (frame["monotown"] == 0).groupby(frame["cell"]).transform("sum")
        frame = frame[others >= least]
        centred = frame[column] - frame.loc[frame["monotown"] == 1, column].mean()
        return frame.assign(exposure=centred.where(frame["monotown"] == 1, 0.0))

    def fit(self, rows, outcome, alone=False, cluster="region") -> Fit:
        """Regress on exposure: with cells and monotown, or of monotowns alone by region."""
        names, effects = (["exposure"], ["region"]) if alone else (["exposure", "monotown"], CELL)
        return regression.least_squares(rows, outcome, names, effects, cluster)

    def of_rows(self, name, rows):
        """Shares and the growth met by units, shape (n, S) each, for the rows of a fit."""
        _, evidence, cells = EXPOSURES[name]
        shares = self.shares[evidence].reindex(rows["entity"]).fillna(0.0)
        shares[(rows["monotown"] == 0).to_numpy()] = 0.0
        left_out = NONE if name.endswith("national") else rows["region"]
        growth = self.growth[cells]
        if left_out is NONE:
            return shares, growth.loc[[NONE] * len(rows)]
        # A region without the group leaves nothing out.
        return shares, growth.reindex(left_out).fillna(growth.loc[NONE])

    def permuted(self, name, fit):
        """Permutation test of the exposure of a fit, and its record's fit."""
        parts = self.of_rows(name, fit.details["rows"])
        test = shiftshare.permute_shocks(fit, *parts, self.draws["permutation"], self.seed)
        label = f"permutation (shocks between groups), {self.draws['permutation']} draws"
        return test, p_only(fit, test.p_value, label, len(self.groups))

    def family(self, design, outcomes):
        """Outcomes tested together, under every variance: records and facts."""
        found, tests, facts = {}, [], {}
        for outcome in outcomes:
            rows = self.rows(HEADLINE, outcome)
            fit = self.fit(rows, outcome)
            test, permuted = self.permuted(HEADLINE, fit)
            tests.append(test)
            found[outcome] = [fit, *self.by_group(fit, outcome), permuted]
            facts |= power_facts(f"groups.{design}_{outcome}", found[outcome], self.exposed(fit))
        drawn = np.column_stack([test.draws for test in tests])
        adjusted = romano_wolf([test.statistic for test in tests], drawn)
        label = f"Romano-Wolf ({len(tests)} outcomes), permutation of shocks, {len(drawn)} draws"
        group = "headline" if design == HEADLINE else "placebo"
        records = []
        for (outcome, fits), p in zip(found.items(), adjusted, strict=True):
            fits.append(p_only(fits[0], p, label, len(self.groups)))
            records += [self.record(fit, design, outcome, group) for fit in fits]
        return records, facts

    def exposed(self, fit):
        """Exposure and shares of the monotowns of a fit."""
        rows = fit.details["rows"]
        rows = rows[rows["monotown"] == 1]
        shares = self.shares["all"].reindex(rows["entity"]).fillna(0.0)
        return rows["exposure"], shares

    def by_group(self, fit, outcome) -> list[Fit]:
        """The wild bootstrap clustered by group (other places by region), AKM and AKM0."""
        rows = fit.details["rows"]
        shares, _ = self.of_rows(HEADLINE, rows)
        main = pd.Series(shares.idxmax(axis=1).to_numpy(), rows.index)
        rows = rows.assign(group=main.where(rows["monotown"] == 1, rows["region"]))
        grouped = self.fit(rows, outcome, cluster="group")
        options = {"draws": self.draws["bootstrap"], "seed": self.seed, "only": ["exposure"]}
        wild = wild_bootstrap(grouped, clustered_fit(*grouped.details["raw"]), **options)
        part = shares.loc[:, (shares > 0).any()]
        y, x = shiftshare.net_of_others(fit)
        akm = (shiftshare.fit(y, x, part, null_imposed=imposed) for imposed in (False, True))
        return [wild, *akm]

    def robust(self, name, outcome, alone=False, section=None, least=0):
        """Records of a further design: clustered by region, permutation, over shocks."""
        base = name if name in EXPOSURES else HEADLINE
        rows = self.rows(base, outcome, alone, section, least)
        fit = self.fit(rows, outcome, alone)
        fits = [fit, self.permuted(base, fit)[1]]
        if base.endswith("national"):
            shares, growth = self.of_rows(base, fit.details["rows"])
            part = shares.loc[:, (shares > 0).any()]
            shock = growth.iloc[0][part.columns]
            fits.append(shiftshare.by_shock(*shiftshare.net_of_others(fit), part, shock))
        return [self.record(one, name, outcome, "robustness", alone) for one in fits]

    def record(self, fit, design, outcome, group, alone=False):
        """One result's rows."""
        return to_records(
            fit,
            specification=f"{design}_{outcome}",
            question="reindustrialisation",
            group=group,
            outcome=outcome,
            sample="monotowns of known group" + ("" if alone else " and other places"),
            weights="none",
            seed=self.seed,
        )


def p_only(fit: Fit, p_value, label, clusters) -> Fit:
    """The exposure's estimate with a p-value that comes without a standard error."""
    terms = terms_by_chance(["exposure"], fit["exposure"]["estimate"], p_value)
    return Fit(terms, fit.estimator, label, fit.n_obs, fit.n_entities, clusters)


def power_facts(name, fits, exposed) -> dict:
    """What a family member could have found, in standard deviations of the monotowns' exposure.

    The larger of the errors by region and by shocks (AKM) counts, with as many degrees of freedom
    as there are effective shocks less one: with few shocks neither alone is to be trusted.
    """
    exposure, shares = exposed
    effective = shiftshare.effective_shocks(shares)
    errors = [fit["exposure"]["standard_error"] for fit in fits if fit.variance[:4] != "AKM0"]
    error, spread = np.nanmax(errors), exposure.std()
    return {
        f"{name}.towns": [len(exposure), "count"],
        f"{name}.effective": [effective, "ratio"],
        f"{name}.sd": [spread, "estimate"],
        f"{name}.per_sd": [fits[0]["exposure"]["estimate"] * spread, "estimate"],
        f"{name}.mde_sd": [
            float(minimum_detectable_effect(error, df=max(effective - 1, 1))) * spread,
            "estimate",
        ],
    }


def rotemberg(design: Design, outcome) -> pd.DataFrame:
    """Weights of the groups in the estimate with the own region in, see :func:`.rotemberg`."""
    name = f"{HEADLINE}_national"
    fit = design.fit(design.rows(name, outcome), outcome)
    shares, growth = design.of_rows(name, fit.details["rows"])
    part = shares.loc[:, (shares > 0).any()]
    net = absorb.demean(part.to_numpy(), fit.details["effects"])
    net = pd.DataFrame(shiftshare.net_of(net, fit.details["X"][:, 1:]), columns=part.columns)
    y, _ = shiftshare.net_of_others(fit)
    table = shiftshare.rotemberg(y, net, growth.iloc[0][part.columns])
    # Of the shares as they are: net of the cells they add up to nothing.
    mine = design.exposed(fit)[1]
    return table.assign(exposure=table["shock"].map(mine.mean()))


def leave_one_out(design: Design, outcome) -> pd.DataFrame:
    """The headline without the towns of each group in turn.

    Returns
    -------
    pandas.DataFrame
        ``left_out``, ``towns`` (left out), ``estimate``, ``standard_error``, ``ci_low``,
        ``ci_high``, ``p_value`` (clustered by region).
    """
    rows = design.rows(HEADLINE, outcome)
    share = design.shares["all"].reindex(rows["entity"]).fillna(0.0)
    found = []
    for group in design.groups:
        gone = ((share[group] > 0).to_numpy()) & (rows["monotown"] == 1)
        if not gone.any():
            continue
        fit = design.fit(rows[~gone], outcome)
        found.append((group, gone.sum(), *fit["exposure"][TERMS[1:]]))
    return pd.DataFrame(found, columns=["left_out", "towns", *TERMS[1:]])


def shock_table(design: Design, people) -> pd.DataFrame:
    """Every group's shock, its towns, and how these grew.

    Returns
    -------
    pandas.DataFrame
        ``group``, ``growth`` (of all regions, log points), ``growth_steady``, ``towns`` (entities
        with a share in it), ``residents`` (of these entities, by share), ``weight`` (share of all
        exposure), ``strong`` (towns by the strongest evidence), and by outcome the mean growth of
        its towns beyond that of the other places of their cells, ``relative_<outcome>``.
    """
    shares = design.shares["all"]
    table = pd.DataFrame(
        {
            "growth": design.growth["all"].loc[NONE],
            "growth_steady": design.growth["steady"].loc[NONE],
            "towns": (shares > 0).sum(),
            "residents": shares.mul(people.reindex(shares.index).fillna(0.0), axis=0).sum(),
            "weight": shares.mean(),
            "strong": (design.shares["strong"] > 0).sum(),
        }
    )
    for outcome in OUTCOMES:
        gap = relative(design.frame, outcome)
        part = shares.loc[shares.index.intersection(gap.index)]
        table[f"relative_{outcome}"] = part.T @ gap[part.index] / part.sum()
    return table.rename_axis("group").reset_index()


def relative(frame: pd.DataFrame, outcome) -> pd.Series:
    """Growth of monotowns less the mean of the other places of their cell, by entity."""
    rows = frame.dropna(subset=[outcome, "cell"])
    others = rows[rows["monotown"] == 0].groupby("cell")[outcome].mean()
    mine = rows[rows["monotown"] == 1].set_index("entity")
    return (mine[outcome] - mine["cell"].map(others)).dropna()


def flow(frame: pd.DataFrame, outcomes) -> pd.DataFrame:
    """How many monotowns and other places are left after each condition: ``step``, both counts."""
    mine = frame["monotown"] == 1
    kept = np.ones(len(frame), bool)
    steps = {
        "all": kept,
        "main industry known": frame["section"].notna() | ~mine,
        "group of divisions known": frame["exposure"].notna() | ~mine,
        "urban type known": frame["cell"].notna(),
    }
    cell = frame["cell"]
    found = []
    for step, holds in steps.items():
        kept = kept & holds
        found.append((step, (kept & mine).sum(), (kept & ~mine).sum()))
    for outcome in outcomes:
        seen = kept & frame[outcome].notna()
        compared = seen & cell.isin(cell[seen & mine]) & cell.isin(cell[seen & ~mine])
        for label, of in ((f"with {outcome}", seen), ("in a cell with both", compared)):
            found.append((f"of these {label}", (of & mine).sum(), (of & ~mine).sum()))
    return pd.DataFrame(found, columns=["step", "monotowns", "other_places"])


def toser_records(frame, outcome, draws, seed):
    """Growth of monotowns with the status beyond those without, early cohort and later ones apart.

    An undated status is neither. Exploratory: who got it was chosen. The early cohort has eleven
    towns, so that errors clustered by region are too small: the status is also permuted among the
    monotowns.
    """
    rows = frame[(frame["toser"] != 0) | (frame["monotown"] == 0)].dropna(subset=[outcome, "cell"])
    given = rows["toser"].where(rows["monotown"] == 1)
    rows = rows.assign(
        toser_2016=(given == 2016).astype(float), toser_later=(given > 2016).astype(float)
    )
    names = [name for name in STATUSES if rows[name].sum() > 1]
    if not names:
        raise DesignError("growth by status", "fewer than two towns have it", keys=[outcome])
    fit = regression.least_squares(rows, outcome, [*names, "monotown"], CELL)
    fits = under_each(fit, ["wild"], draws["bootstrap"], seed)
    fits.append(permuted_status(fit, names, draws["permutation"], seed))
    about = {"question": "toser", "group": "exploratory", "outcome": outcome, "weights": "none"}
    about |= {"sample": "monotowns but undated status, and other places", "seed": seed}
    return [to_records(one, specification=f"toser_{outcome}", **about) for one in fits]


def permuted_status(fit: Fit, names, draws, seed) -> Fit:
    """P-values of statuses by permuting them among the monotowns, all other things held."""
    rows, (cell,) = fit.details["rows"], fit.details["effects"]
    mine, size = (rows["monotown"] == 1).to_numpy(), np.bincount(cell)
    home, y = cell[mine], fit.details["y"][mine]
    status = rows.loc[mine, names].to_numpy() @ np.arange(1, len(names) + 1)

    def effect(term):
        def statistic(given):
            # Status and monotown, net of the cells, by sums within cells.
            own = np.column_stack([*(given == k + 1 for k in range(len(names))), given >= 0])
            sums = np.zeros((len(size), own.shape[1]))
            np.add.at(sums, home, own.astype(float))
            gram = own.T.astype(float) @ own - sums.T @ (sums / size[:, None])
            return np.linalg.solve(gram, own.T @ y)[term]

        return statistic

    same = np.zeros(len(status))
    tests = [randomization_test(effect(k), status, same, draws, seed) for k in range(len(names))]
    label = f"permutation (status among monotowns), {draws} draws"
    terms = terms_by_chance(names, [t.statistic for t in tests], [t.p_value for t in tests])
    return Fit(terms, fit.estimator, label, fit.n_obs, fit.n_entities, int(mine.sum()))


def table_facts(tables) -> dict:
    """The group that carries most of each estimate, the range without one group, the flow."""
    facts = {}
    for outcome in OUTCOMES:
        weights = tables["rotemberg"].query("outcome == @outcome")
        largest = weights.loc[weights["weight"].abs().idxmax()]
        left = tables["left_out"].query("outcome == @outcome")
        name = f"groups.{HEADLINE}_{outcome}"
        facts |= {
            f"{name}.largest": [largest["shock"], "text"],
            f"{name}.largest_weight": [largest["weight"], "ratio"],
            f"{name}.lowest": [left["estimate"].min(), "estimate"],
            f"{name}.highest": [left["estimate"].max(), "estimate"],
        }
    counts = tables["flow"].set_index("step")["monotowns"]
    shocks = tables["groups"]
    return facts | {
        "groups.monotowns": [counts["all"], "count"],
        "groups.known": [counts["group of divisions known"], "count"],
        "groups.shocks": [len(shocks), "count"],
        "groups.lowest_growth": [shocks["growth"].min(), "estimate"],
        "groups.highest_growth": [shocks["growth"].max(), "estimate"],
    }
