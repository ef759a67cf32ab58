"""What happened to monotowns around the turn of their region's industry, and along its volume?

A monotown is held against the other places of its region and kind, so that what moves the whole
region is no effect. Few regions turn within the years of municipal data: beside errors clustered by
region stand a jackknife over regions and a permutation of turn years between regions, which
decides. No library has the last two for imputation.
"""

import numpy as np
import pandas as pd

from monotowns.estimate import staggered
from monotowns.estimate.events import pretrend_test
from monotowns.estimate.multiple import romano_wolf
from monotowns.estimate.power import minimum_detectable_effect
from monotowns.estimate.randomization import imputation_statistic, randomization_test
from monotowns.estimate.record import Fit, terms_by_chance, to_records, wald_terms
from monotowns.estimate.regression import least_squares, ols
from monotowns.measures.stages import STAGES
from monotowns.run.errors import DesignError
from monotowns.studies.toser import moved_back

OUTCOMES = ("log_taxable_pc", "log_total_pc", "log_population", "transfer_share")
#: Outcomes of cities; workers have one coverage from 2006 on, shipments one classification to 2016.
CITY_OUTCOMES = ("log_workers", "log_wage", "log_shipments", "log_investment")
CITY_GROWTH = ("log_workers", "log_wage", "log_population")
#: What a region without a turn in the window did: a turn before it still holds in the first year,
#: never a threshold below its peak, or below it without a turn.
TURNED_BEFORE, HELD, FELL = "turned before", "held", "fell"
COHORT = "cohort"


def study(dated, places, panel, cities, turn, draws, seed):
    """Event studies around turns, slopes on volume, growth of cities by manufacturing.

    Parameters
    ----------
    dated : pandas.DataFrame
        From :func:`.turns.date_turns`.
    places, panel, cities : pandas.DataFrame
        Places; the outcomes of entities and of cities by year.
    turn : dict
        The configuration's section ``turns``.
    draws : dict
        ``permutation`` of turn years, ``bootstrap`` of the slopes.
    seed : int

    Returns
    -------
    records : pandas.DataFrame
    facts : dict
    tables : dict of pandas.DataFrame
        ``cohorts``: regions and monotowns by rule, what the region did and cohort.
    """
    kind = places.columns[places.columns.str.startswith("urban_")][0]
    known = places.dropna(subset=["monotown", kind]).set_index("entity")
    rows = panel.join(known[["monotown", kind]].add_suffix("_of"), on="entity", how="inner")
    rows = rows.assign(
        monotown=rows["monotown_of"], cell=rows["region"] + " " + rows[kind + "_of"].astype(str)
    )
    towns = cities.merge(places[["entity", "region", "monotown", "capital"]], on="entity")
    towns = towns.assign(cell=towns["region"], entity=towns["city"]).dropna(subset=["monotown"])
    options = {"turn": turn, "draws": draws["permutation"], "seed": seed}
    gaps = relative(rows, OUTCOMES)
    records, facts, cohorts = around_turns(dated, gaps, OUTCOMES, options)
    of_cities = cities_around_turns(dated, towns, options)
    slopes = along_volume(dated, rows, gaps, turn, draws["bootstrap"], seed)
    growth = by_manufacturing(towns, turn["cities"], draws["bootstrap"], seed)
    return (
        pd.concat([*records, *of_cities[0], *slopes, *growth]),
        facts | of_cities[1],
        {"cohorts": cohorts},
    )


def relative(rows, outcomes) -> pd.DataFrame:
    """Outcomes of monotowns less the mean of the other places of their cell and year.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``entity``, ``year``, ``region``, ``cell``, ``monotown`` (1 or 0) and the outcomes.
    outcomes : sequence of str
        Of the other places only those count that have the outcome in every year that any has, so
        that no mean moves by who enters it.

    Returns
    -------
    pandas.DataFrame
        ``entity``, ``year``, ``region``, the outcomes (missing without another place).
    """
    own = rows.loc[rows["monotown"] == 1, ["entity", "year", "region", "cell", *outcomes]].copy()
    others = rows[rows["monotown"] == 0]
    for outcome in outcomes:
        seen = others.dropna(subset=[outcome])
        years = seen.groupby("entity")["year"].transform("nunique")
        whole = seen[years == seen["year"].nunique()]
        mean = whole.groupby(["cell", "year"])[outcome].mean().rename("mean")
        own[outcome] -= own.join(mean, on=["cell", "year"])["mean"]
    return own.drop(columns="cell").reset_index(drop=True)


def cohorts_of(dated, chain, k, threshold, first, last) -> pd.DataFrame:
    """Cohort of every region within a window of years, and what those without one did.

    Returns
    -------
    pandas.DataFrame
        By region: ``cohort`` (first rising year of the first turn after the first and up to the
        last year, 0 without one) and ``did`` (``turned``, or :data:`TURNED_BEFORE`, :data:`HELD`,
        :data:`FELL`).
    """
    rule = (dated["chain"] == chain) & (dated["k"] == k) & (dated["threshold"] == threshold)
    of = dated[rule & dated["year"].between(first, last)]
    if of.empty:
        raise DesignError("turns", "no such rule", found=(chain, k, threshold))
    cohort = of[(of["turned"] == 1) & (of["year"] > first)].groupby("region")["year"].min()
    stage = of.groupby("region")["stage"]
    start = of.sort_values("year").groupby("region")["stage"].first()
    held = stage.agg(lambda stages: (stages == STAGES[1]).all())
    did = pd.Series(FELL, start.index).mask(held, HELD).mask(start == STAGES[3], TURNED_BEFORE)
    did = did.mask(did.index.isin(cohort.index), "turned")
    return pd.DataFrame({COHORT: cohort.reindex(did.index).fillna(0).astype(int), "did": did})


def with_cohorts(rows, cohorts, outcomes) -> pd.DataFrame:
    """Rows with all outcomes and the cohort of their region, seen untreated at least once.

    Regions in a turn from before the window are left out: they are neither treated in it nor
    untreated.
    """
    usable = cohorts[cohorts["did"] != TURNED_BEFORE]
    rows = rows.dropna(subset=list(outcomes)).join(usable, on="region", how="inner")
    start = rows.groupby("entity")["year"].transform("min")
    return rows[(rows[COHORT] == 0) | (start < rows[COHORT])].reset_index(drop=True)


def around_turn(rows, outcome, draws, seed, window=None) -> tuple[list[Fit], np.ndarray]:
    """Imputation around the turns under up to three kinds of inference.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``entity``, ``year``, ``region``, ``cohort`` (of the region) and the outcome.
    window : tuple of int, optional
        Event times shown; without one the fit with events is left out.

    Returns
    -------
    fits : list of Fit
        ``att`` under a jackknife over regions; under a permutation of turn years between regions,
        whose p-value is exact under the null that no place's path depends on its region's turn;
        and clustered by region, with events and band. The last comes last because it understates:
        a cohort of one region has no spread about its own mean.
    drawn : numpy.ndarray, shape (draws,)
        Effects under permuted turn years.
    """
    test = permutation(rows, outcome, draws, seed)
    att, regions = test.statistic, rows["region"].unique()
    size = (len(rows), rows["entity"].nunique(), len(regions))
    without = effects_without(rows, outcome)
    without = without[np.isfinite(without)]
    error = np.sqrt((len(without) - 1) / len(without) * ((without - att) ** 2).sum())
    terms = wald_terms(["att"], [att], [error], df=len(regions) - 1)
    fits = [Fit(terms, "imputation", f"jackknife over regions; t({len(regions) - 1})", *size)]
    terms = terms_by_chance(["att"], att, test.p_value)
    label = f"permutation of turn years between regions, {draws} draws"
    fits.append(Fit(terms, "imputation", label, *size))
    if window is not None:
        given = {"window": window, "seed": seed}
        fits.append(staggered.imputation(rows, outcome, COHORT, "region", **given))
    return fits, test.draws


def effects_without(rows, outcome) -> np.ndarray:
    """The average effect without each region in turn; NaN where no region that turned is left."""
    rows = rows.sort_values("entity")
    entity, first = np.unique(rows["entity"], return_index=True)
    code = np.searchsorted(entity, rows["entity"])
    region, cohort = rows["region"].to_numpy()[first], rows[COHORT].to_numpy()[first]
    y, year = rows[outcome].to_numpy(), rows["year"].to_numpy()
    found = []
    for left_out in np.unique(region):
        kept = region != left_out
        of = kept[code]
        found.append(imputation_statistic(y[of], code[of], year[of])(cohort[kept]))
    return np.array(found)


def permutation(rows, outcome, draws, seed):
    """Permute turn years between regions: all monotowns of a region turn together."""
    entities = rows.drop_duplicates("entity").sort_values("entity")
    regions, of = np.unique(entities["region"], return_inverse=True)
    cohort = entities.drop_duplicates("region").set_index("region")[COHORT].loc[regions].to_numpy()
    effect = imputation_statistic(rows[outcome], rows["entity"], rows["year"])
    return randomization_test(
        lambda drawn: effect(drawn[of]), cohort, np.zeros(len(regions), int), draws, seed
    )


def around_turns(dated, gaps, outcomes, options) -> tuple[list, dict, pd.DataFrame]:
    """Event studies of the municipal layer under every rule and choice of controls."""
    turn, draws, seed = options["turn"], options["draws"], options["seed"]
    window, span = tuple(turn["events"]), (gaps["year"].min(), gaps["year"].max())
    chains, k = list(dict.fromkeys(dated["chain"])), turn["rising_years"]
    main = (chains[0], turn["threshold"])
    records, facts, tables, statistics = [], {}, [], {}
    for chain in chains:
        for threshold in turn["grid_thresholds"]:
            cohorts = cohorts_of(dated, chain, k, threshold, *span)
            rows = with_cohorts(gaps, cohorts, outcomes)
            tables.append(counted(cohorts, gaps, chain, k, threshold))
            own = (chain, threshold) == main
            suffix = "" if own else f"_{chain}_threshold_{threshold:g}"
            group = "headline" if own else "robustness"
            for outcome in outcomes:
                count = draws if own else turn["draws"]
                fits, drawn = around_turn(rows, outcome, count, seed, window)
                records += named(fits, f"turns_{outcome}{suffix}", group, outcome, seed)
                facts |= effect_facts(f"turns.{outcome}{suffix}", fits, drawn)
                if own:
                    facts |= left_out_facts(f"turns.{outcome}.without", rows, outcome)
                    statistics[outcome] = fits[0]["att"]["estimate"], drawn
                    further = variants(rows, outcome, turn, seed)
                    for name, (kind, more) in further.items():
                        records += named(more, f"turns_{outcome}_{name}", kind, outcome, seed)
            if own:
                facts |= sample_facts("turns.sample", rows)
    adjusted = family(statistics)
    facts |= {f"turns.{o}.p_family": [p, "p"] for o, p in adjusted.items()}
    return records, facts, pd.concat(tables, ignore_index=True)


def variants(rows, outcome, turn, seed) -> dict:
    """The main rule with other controls or towns, another estimator, means of regions, a placebo.

    Returns
    -------
    dict
        Name -> (group of the records, fits).
    """
    treated, window = rows["did"] == "turned", tuple(turn["events"])
    mean = rows.groupby(["region", "year", COHORT], as_index=False)[outcome].mean()
    others = {
        "held": rows[treated | (rows["did"] == HELD)],
        "fell": rows[treated | (rows["did"] == FELL)],
        "regions": mean.assign(entity=mean["region"]),
        "without": rows[~rows["entity"].isin(turn["left_out"])],
        "placebo": moved_back(rows, COHORT, turn["placebo_years"]),
    }
    found = {}
    for name, of in others.items():
        group = "placebo" if name == "placebo" else "robustness"
        found[name] = group, around_turn(of, outcome, turn["draws"], seed)[0]
    fit = staggered.callaway_santanna(rows, outcome, COHORT, "region", window=window, seed=seed)
    return found | {"callaway_santanna": ("robustness", [fit])}


def family(statistics: dict) -> dict:
    """Family-wise p-values of outcomes whose turn years were permuted together.

    ``statistics`` is outcome -> (estimate, estimates of the draws).
    """
    spread = {name: drawn.std() for name, (_, drawn) in statistics.items()}
    observed = [estimate / spread[name] for name, (estimate, _) in statistics.items()]
    drawn = np.column_stack([d / spread[name] for name, (_, d) in statistics.items()])
    return dict(zip(statistics, romano_wolf(observed, drawn), strict=True))


def effect_facts(name, fits, drawn) -> dict:
    """Pre-trend test of the events, and what the permutation could have shown.

    ``mde`` is the effect found with 80 per cent power were estimates normal with the spread of the
    permuted ones.
    """
    facts = {f"{name}.mde": [minimum_detectable_effect(drawn.std()), "estimate"]}
    if fits[-1].covariance is None:
        return facts
    try:
        test = pretrend_test(fits[-1])
    except DesignError:
        # Too few regions that turned: their events have no independent covariance.
        return facts
    return facts | {f"{name}.pretrend.p": [test.p_value, "p"]}


def left_out_facts(name, rows, outcome) -> dict:
    """Range of the effect without each region in turn, and the region that moves it most."""
    without = pd.Series(effects_without(rows, outcome), np.unique(rows["region"]))
    effect = imputation_statistic(rows[outcome], rows["entity"], rows["year"])
    whole = effect(rows.drop_duplicates("entity").sort_values("entity")[COHORT].to_numpy())
    return {
        f"{name}.lowest": [without.min(), "estimate"],
        f"{name}.highest": [without.max(), "estimate"],
        f"{name}.region": [(without - whole).abs().idxmax(), "text"],
    }


def sample_facts(name, rows) -> dict:
    """Regions and monotowns that turned, and the controls by what their region did."""
    of = rows.groupby("did").agg(regions=("region", "nunique"), towns=("entity", "nunique"))
    facts = {}
    for did in ("turned", HELD, FELL):
        for column in of:
            facts[f"{name}.{did}.{column}"] = [of[column].get(did, 0), "count"]
    return facts


def counted(cohorts, gaps, chain, k, threshold) -> pd.DataFrame:
    """Regions and monotowns by what the region did and when."""
    towns = gaps.groupby("region")["entity"].nunique()
    rows = cohorts.assign(monotowns=towns.reindex(cohorts.index).fillna(0).astype(int))
    rows["with_monotowns"] = (rows["monotowns"] > 0).astype(int)
    of = rows.reset_index().groupby(["did", COHORT])
    table = of.agg(
        regions=("region", "size"),
        with_monotowns=("with_monotowns", "sum"),
        monotowns=("monotowns", "sum"),
    ).reset_index()
    table.insert(0, "threshold", threshold)
    table.insert(0, "k", k)
    table.insert(0, "chain", chain)
    return table


def named(fits, specification, group, outcome, seed, sample="monotowns") -> list:
    """Give the fits of one specification their place in the study."""
    return [
        to_records(
            fit,
            specification=specification,
            question="reindustrialisation",
            group=group,
            outcome=outcome,
            sample=sample,
            weights="none",
            seed=seed,
        )
        for fit in fits
    ]


def cities_around_turns(dated, towns, options) -> tuple[list, dict]:
    """The same for monotowns among the large cities, against the other cities of their region.

    The other city is the capital in most regions, so that the pre-path decides what it is worth.
    """
    turn, records, facts = options["turn"], [], {}
    chain, k, threshold = dated["chain"].iloc[0], turn["rising_years"], turn["threshold"]
    for outcome in CITY_OUTCOMES:
        gaps = relative(towns, [outcome]).dropna(subset=[outcome])
        span = gaps["year"].min(), gaps["year"].max()
        rows = with_cohorts(gaps, cohorts_of(dated, chain, k, threshold, *span), [outcome])
        early = moved_back(rows, COHORT, turn["placebo_years"])
        for suffix, group, of in (("", "exploratory", rows), ("_placebo", "placebo", early)):
            fits, drawn = around_turn(of, outcome, turn["draws"], options["seed"])
            name = f"turns_cities_{outcome}{suffix}"
            records += named(fits, name, group, outcome, options["seed"], "monotown cities")
            facts |= effect_facts(f"turns.cities.{outcome}{suffix}", fits, drawn)
        facts |= sample_facts(f"turns.cities.{outcome}", rows)
    return records, facts


def along_volume(dated, rows, gaps, turn, draws, seed) -> list:
    """Slope of monotowns, relative to others of their region and kind, on regional volume.

    Entity, monotown x year and region x kind x year effects are held: what is left is whether
    monotowns of regions whose manufacturing grew more gained more on their neighbours than
    monotowns elsewhere. Beside it stand the same slope on relative outcomes (:func:`relative`),
    small enough for a wild bootstrap; with their path of the first two years held; and a placebo,
    the volume of later years added, which no outcome can know.
    """
    rule = (dated["k"] == turn["rising_years"]) & (dated["threshold"] == turn["threshold"])
    lead, records = turn["lead_years"], []
    later = f"log volume {lead} years later"
    year = rows["year"].astype(str)
    rows = rows.assign(
        cell_year=rows["cell"] + " " + year, monotown_year=rows["monotown"].astype(str) + year
    )
    effects = ["entity", "cell_year", "monotown_year"]
    chains = list(dict.fromkeys(dated["chain"]))
    for chain in chains:
        volume = dated[rule & (dated["chain"] == chain)].set_index(["region", "year"])
        volume = volume["log_volume"].rename("log volume") / 100
        ahead = volume.rename(index=lambda y: y - lead, level="year").rename(later)
        # The same rows with and without the placebo.
        of, own = (
            frame.join(volume, on=["region", "year"])
            .join(ahead, on=["region", "year"])
            .dropna(subset=["log volume", later])
            for frame in (rows, gaps)
        )
        of["monotown x log volume"] = of["monotown"] * of["log volume"]
        main = chain == chains[0]
        name = "slope_{}" if main else f"slope_{{}}_{chain}"
        group = "headline" if main else "robustness"
        for outcome in OUTCOMES:
            known = of.dropna(subset=[outcome])
            fits = [least_squares(known, outcome, ["monotown x log volume"], effects, "region")]
            records += named(fits, name.format(outcome), group, outcome, seed, "places")
            given = {"fixed_effects": ["entity", "year"], "variances": ["wild"]}
            given |= {"draws": draws, "seed": seed}
            known = own.dropna(subset=[outcome])
            fits = ols(known, outcome, "log volume", "region", **given)
            records += named(fits, f"{name.format(outcome)}_gap", "robustness", outcome, seed)
            if main:
                path, names = path_held(known, outcome)
                held = ["log volume", *names]
                fits = [least_squares(path, outcome, held, ["entity", "year"], "region")]
                label = f"{name.format(outcome)}_path"
                records += named(fits, label, "robustness", outcome, seed)
                fits = ols(known, outcome, ["log volume", later], "region", **given)
                records += named(fits, f"{name.format(outcome)}_lead", "placebo", outcome, seed)
    return records


def path_held(rows, outcome) -> tuple[pd.DataFrame, list[str]]:
    """Rows from the second year on, with the change of the first two years in every later year.

    Who grew before goes on to grow: a slope that is only that has nothing left once the change is
    held. Entities without both years are left out.

    Returns
    -------
    rows : pandas.DataFrame
    names : list of str
        The columns added.
    """
    first = rows["year"].min()
    wide = rows.pivot(index="entity", columns="year", values=outcome)
    change = rows["entity"].map(wide[first + 1] - wide[first])
    later = range(first + 2, rows["year"].max() + 1)
    columns = {f"change to {first + 1} in {y}": change * (rows["year"] == y) for y in later}
    kept = rows.assign(**columns)[change.notna() & (rows["year"] > first)]
    return kept, list(columns)


def by_manufacturing(towns, choice, draws, seed) -> list:
    """Growth of cities that are no capital by their manufacturing shipments per resident.

    Region effects are held. The placebo is the growth before, on the same shipments.
    """
    towns = towns[(towns["capital"] == 0) & ~towns["city"].isin(choice["left_out"])]
    intensity = towns["log_shipments"] - towns["log_population"]
    base = intensity[towns["year"].between(*choice["base"])]
    base = base.groupby(towns["city"]).mean()
    records = []
    for outcome in CITY_GROWTH:
        wide = towns.pivot(index="city", columns="year", values=outcome)
        for name, kind in (("growth", "exploratory"), ("placebo", "placebo")):
            first, last = choice[name]
            rows = pd.DataFrame({"growth": wide[last] - wide[first], "manufacturing": base})
            rows["region"] = towns.drop_duplicates("city").set_index("city")["region"]
            rows = rows.dropna().rename_axis("entity").reset_index()
            fits = ols(
                rows,
                "growth",
                ["manufacturing"],
                "region",
                fixed_effects=["region"],
                variances=["wild"],
                draws=draws,
                seed=seed,
            )
            specification = f"cities_share_{outcome}" + ("" if name == "growth" else "_placebo")
            label = f"growth of {outcome}, {first}-{last}"
            records += named(fits, specification, kind, label, seed, "cities")
    return records
