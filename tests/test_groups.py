"""Exposure to groups of divisions: growth, shares, permutation of shocks, the study."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from monotowns.acquire.readers.regions import RUSSIA
from monotowns.estimate import shiftshare
from monotowns.estimate.power import minimum_detectable_effect
from monotowns.estimate.record import RECORD
from monotowns.measures.exposure import NONE, build_group_exposure, group_growth
from monotowns.panel import months, places
from monotowns.run.errors import DesignError
from monotowns.studies import groups
from scipy import stats

SNAPSHOT = Path(__file__).parents[1] / "data" / "snapshot"
WINDOW = {"first": 2022, "last": 2024, "jump": 1.1, "placebos": [[2012, 2013]], "least_others": 2}


def shipments():
    rows = [
        ("B07", "R", 2022, 10.0),
        ("B07", "R", 2024, 20.0),
        ("B07", "S", 2022, 10.0),
        ("B07", "S", 2024, 40.0),
        ("B07", "T", 2024, 500.0),  # disclosed in one year alone
        ("C28", "R", 2022, 10.0),
        ("C28", "R", 2024, 10.0),
        ("C28", "S", 2022, 30.0),
        ("C28", "S", 2024, 60.0),
    ]
    return pd.DataFrame(rows, columns=["group", "region", "year", "shipments"])


def test_growth_of_groups_is_of_the_regions_seen_in_both_years():
    national, outside = group_growth(shipments(), 2022, 2024)
    assert national.to_dict() == pytest.approx({"B07": np.log(3), "C28": np.log(70 / 40)})
    assert outside.loc["R"].to_dict() == pytest.approx({"B07": np.log(4), "C28": np.log(2)})
    # Fourfold in S is a jump, twofold is none.
    steady, _ = group_growth(shipments(), 2022, 2024, jump=1.1)
    assert steady.to_dict() == pytest.approx({"B07": np.log(2), "C28": np.log(70 / 40)})
    with pytest.raises(DesignError, match=r"no shipments of groups(.|\n)*2023"):
        group_growth(shipments(), 2022, 2023)


def test_disclosure_is_not_growth_of_metal_ores():
    table = pd.read_csv(SNAPSHOT / "regional_groups.csv")
    ores = table[table["group"] == "B07"]
    total = ores[ores["region"] == RUSSIA].set_index("year")["shipments"]
    plain = ores[ores["region"] != RUSSIA].groupby("year")["shipments"].sum()
    grown = group_growth(table[table["region"] != RUSSIA], 2022, 2024)[0]["B07"]
    # The country's own row says .369; plain sums of the regions .568.
    assert abs(grown - np.log(total[2024] / total[2022])) < 0.03
    assert np.log(plain[2024] / plain[2022]) > grown + 0.15


def industries():
    rows = [
        ("1", "R", "a", "28", "main"),
        ("1", "R", "b", "07.1", "weak"),
        ("2", "S", "c", "7", "dated"),
        ("3", "S", "d", None, "main"),
        ("4", "S", "e", "49", "town-forming"),
    ]
    table = pd.DataFrame(rows, columns=["entity", "region", "town", "division", "strength"])
    known = places.group_of_division(["B07", "C28"])
    return table.assign(group=places.group_of_rows(table, known))


def test_exposure_to_groups_by_hand():
    table, shares, shocks = build_group_exposure(shipments(), industries(), WINDOW | {"jump": 2})
    table = table.set_index("entity")
    # Divisions that are not known, or have no group, give no exposure.
    assert list(table.index) == ["1", "2"]
    expected = {"1": (np.log(2) + np.log(4)) / 2, "2": np.log(2)}
    assert table["exposure"].to_dict() == pytest.approx(expected)
    assert table["exposure_strong"]["1"] == pytest.approx(np.log(2))
    assert np.isnan(table["exposure_evidenced"]["2"])
    assert table["exposure_national"]["2"] == pytest.approx(np.log(3))
    assert shares.groupby(["evidence", "entity"])["share"].sum().tolist() == pytest.approx([1] * 4)
    left = shocks.set_index(["cells", "left_out", "group"])["growth"]
    assert left["all", NONE, "B07"] == pytest.approx(np.log(3))
    assert left["all", "R", "B07"] == pytest.approx(np.log(4))
    # What all prices have in common moves every exposure alike.
    dearer = shipments()
    dearer.loc[dearer["year"] == 2024, "shipments"] *= 1.2
    moved = build_group_exposure(dearer, industries(), WINDOW | {"jump": 2})[0]
    moved = moved.set_index("entity")["exposure"] - table["exposure"]
    np.testing.assert_allclose(moved, np.log(1.2))


def test_growth_takes_the_longest_mean_that_both_years_have():
    rows = [(e, y, q) for e in "ab" for y in (2023, 2024) for q in (1, 4)]
    panel = pd.DataFrame(rows, columns=["entity", "year", "quarter"])
    late = (panel["year"] == 2024) * panel["quarter"] / 10
    names = ["log_wage_all", "log_wage_B", "log_wage_C", "log_consumption"]
    panel = panel.assign(**dict.fromkeys(names, late))
    gone = (panel["entity"] == "b") & (panel["quarter"] == 4) & (panel["year"] == 2023)
    panel.loc[gone, ["log_wage_all", "log_consumption"]] = np.nan
    panel.loc[panel["entity"] == "b", "log_wage_B"] = np.nan
    table = months.growth(panel).set_index("entity")
    assert table["year"].tolist() == [2024, 2024]
    assert table["growth_wage_all"].tolist() == pytest.approx([0.4, 0.1])
    assert table["growth_consumption"].tolist() == pytest.approx([0.25, 0.1])
    assert np.isnan(table.loc["b", "growth_wage_B"])


GROUPS = [f"G{i:02d}" for i in range(12)]


def country(seed=0, n=420, effect=0.0, common=0.0):
    """Places of 20 regions and two types, a third of them monotowns of one group or two.

    ``common`` is the spread of what the towns of a group share beside the shock.
    """
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"entity": [f"{i:08d}" for i in range(n)]})
    frame["region"] = [f"R{i % 20}" for i in range(n)]
    frame["urban_2013"] = (np.arange(n) // 20 % 2).astype(float)
    frame["monotown"] = (rng.random(n) < 0.35).astype(float)
    mine = (frame["monotown"] == 1).to_numpy()
    # Groups of unequal size.
    main = rng.choice(12, n, p=np.arange(1, 13) / 78)
    second = np.where(rng.random(n) < 0.1, rng.integers(12, size=n), main)
    share = (np.eye(12)[main] + np.eye(12)[second]) / 2 * mine[:, None]
    outside = rng.normal(size=12) + 0.05 * rng.normal(size=(20, 12))
    shock = outside.mean(axis=0)
    met = outside[np.arange(n) % 20]
    for column in ("exposure", "exposure_evidenced", "exposure_strong", "exposure_steady"):
        frame[column] = np.where(mine, (share * met).sum(axis=1), np.nan)
    frame["exposure_national"] = np.where(mine, share @ shock, np.nan)
    frame["section"] = np.where(mine, np.where(main < 4, "B", "C"), None)
    frame["toser"] = np.where(mine, rng.choice([np.nan, 2016, 2018], n), np.nan)
    level = rng.normal(size=40)[np.arange(n) % 20 + 20 * (np.arange(n) // 20 % 2)]
    for outcome in groups.OUTCOMES:
        noise = share @ rng.normal(0, common, 12) + 0.3 * rng.normal(size=n)
        planted = effect * np.nan_to_num(frame["exposure"])
        frame[outcome] = level + 0.2 * mine + planted + noise
    long = pd.DataFrame(share, frame["entity"], GROUPS).rename_axis(columns="group")[mine]
    long = long.stack().rename("share").reset_index()
    shares = pd.concat([long.assign(evidence=e) for e in ("all", "evidenced", "strong")])
    growth = pd.DataFrame(
        np.vstack([outside, shock]), [*(f"R{i}" for i in range(20)), NONE], GROUPS
    )
    growth = growth.rename_axis("left_out").rename_axis(columns="group").stack()
    growth = growth.rename("growth").reset_index()
    shocks = pd.concat([growth.assign(cells=c) for c in ("all", "steady")])
    return frame, shares, shocks


def design(draws=99, **options):
    frame, shares, shocks = country(**options)
    frame = groups.with_cells(frame, "urban_2013")
    return groups.Design(frame, shares, shocks, {"permutation": draws, "bootstrap": 99}, 1)


def test_who_is_compared():
    frame = country()[0]
    frame.loc[0, "monotown"], frame.loc[1, "urban_2013"] = np.nan, np.nan
    cells = groups.with_cells(frame, "urban_2013")
    assert len(cells) == len(frame) - 1 and cells["cell"].isna().sum() == 1
    assert cells["cell"].nunique() == 40
    of = design()
    rows = of.rows("exposure_groups", "growth_wage_all")
    mine = rows["monotown"] == 1
    assert rows.loc[mine, "exposure"].mean() == pytest.approx(0)
    assert (rows.loc[~mine, "exposure"] == 0).all()
    assert set(of.rows("exposure_groups", "growth_wage_C", section="C")["section"].dropna()) == {
        "C"
    }
    some = of.rows("exposure_groups", "growth_wage_C", least=8)
    assert some[some["monotown"] == 0].groupby("cell").size().min() >= 8
    assert some["cell"].nunique() < 40


def test_the_regression_over_shocks_gives_the_estimate_of_units_with_cells_and_controls():
    of = design()
    name = "exposure_groups_national"
    fit = of.fit(of.rows(name, "growth_wage_all"), "growth_wage_all")
    y, x = shiftshare.net_of_others(fit)
    assert x @ y / (x @ x) == pytest.approx(fit["exposure"]["estimate"])
    shares, growth = of.of_rows(name, fit.details["rows"])
    found = shiftshare.by_shock(y, x, shares, growth.iloc[0])
    assert found["exposure"]["estimate"] == pytest.approx(fit["exposure"]["estimate"], abs=1e-10)
    assert found.n_clusters == 12
    with pytest.raises(DesignError, match="fewer than three"):
        shiftshare.by_shock(y, x, shares.iloc[:, :2], growth.iloc[0, :2])
    # The weights of the groups give the same estimate back.
    table = groups.rotemberg(of, "growth_wage_all")
    assert table["weight"].sum() == pytest.approx(1)
    estimate = (table["weight"] * table["estimate"]).sum()
    assert estimate == pytest.approx(fit["exposure"]["estimate"], abs=1e-10)
    assert table["exposure"].sum() == pytest.approx(1)


def test_a_permutation_is_the_regression_run_anew():
    of = design(draws=5)
    outcome = "growth_wage_all"
    fit = of.fit(of.rows("exposure_groups", outcome), outcome)
    rows = fit.details["rows"]
    shares, growth = of.of_rows("exposure_groups", rows)
    test = shiftshare.permute_shocks(fit, shares, growth, 5, seed=3)
    rng = np.random.default_rng(3)
    met = [shares.to_numpy() * growth.to_numpy()]
    met += [shares.to_numpy() * growth.to_numpy()[:, rng.permutation(12)] for _ in range(5)]
    for statistic, columns in zip([test.statistic, *test.draws], met, strict=True):
        again = of.fit(rows.assign(exposure=columns.sum(axis=1)), outcome)["exposure"]
        n, clusters = len(rows), 20
        factor = clusters / (clusters - 1) * (n - 1) / (n - 3)
        expected = again["estimate"] / again["standard_error"] * np.sqrt(factor)
        assert statistic == pytest.approx(expected, rel=1e-8)
    broken = growth.copy()
    broken.iloc[0, 0] = np.nan
    with pytest.raises(DesignError, match="growth is not finite"):
        shiftshare.permute_shocks(fit, shares, broken)


@pytest.mark.montecarlo
def test_size_of_the_permutation_and_recovery_of_a_planted_effect():
    # The towns of a group share more than the shock: errors by region reject far too often.
    p_values, usual, estimates = [], 0, []
    for seed in range(200):
        of = design(seed=seed, common=0.5)
        outcome = "growth_wage_all"
        fit = of.fit(of.rows("exposure_groups", outcome), outcome)
        p_values.append(of.permuted("exposure_groups", fit)[0].p_value)
        usual += fit["exposure"]["p_value"] <= 0.05
        planted = design(seed=seed, effect=0.4)
        estimates.append(
            planted.fit(planted.rows("exposure_groups", outcome), outcome)["exposure"]["estimate"]
        )
    p_values = np.array(p_values)
    assert 0.02 <= (p_values <= 0.05).mean() <= 0.08
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert usual / 200 > 0.3
    assert np.mean(estimates) == pytest.approx(0.4, abs=0.01)


def test_a_large_planted_effect_is_found_by_every_variance_and_without_every_group():
    of = design(effect=0.5, draws=199)
    records, facts = of.family("exposure_groups", groups.OUTCOMES)
    table = pd.concat(records).query("term == 'exposure'")
    assert (table["p_value"] <= 0.05).all()
    known = table.dropna(subset=["ci_low"])
    assert known["ci_low"].lt(0.5).mean() > 0.8 and known["ci_high"].gt(0.5).mean() > 0.8
    kinds = table["variance"].str.split("(").str[0].str.strip().unique()
    assert list(kinds) == [
        "CRV1",
        "wild cluster bootstrap",
        "AKM",
        "AKM0",
        "permutation",
        "Romano-Wolf",
    ]
    # A family's p-value is at least the permutation's own.
    own, family = (
        table[table["variance"].str.startswith(w)].set_index("specification")["p_value"]
        for w in ("permutation", "Romano")
    )
    assert (family >= own - 1e-12).all()
    assert 1 < facts["groups.exposure_groups_growth_wage_C.effective"][0] < 12


def test_leave_one_group_out_is_the_regression_without_its_towns():
    of = design()
    table = groups.leave_one_out(of, "growth_wage_all").set_index("left_out")
    rows = of.rows("exposure_groups", "growth_wage_all")
    part = of.shares["all"]["G07"].reindex(rows["entity"]).fillna(0).to_numpy() > 0
    assert table.loc["G07", "towns"] == part.sum()
    left = rows[~part]
    dummies = pd.get_dummies(left["cell"], dtype=float).to_numpy()
    X = np.column_stack([left[["exposure", "monotown"]], dummies])
    beta = np.linalg.lstsq(X, left["growth_wage_all"].to_numpy(), rcond=None)[0]
    assert table.loc["G07", "estimate"] == pytest.approx(beta[0], abs=1e-10)
    assert len(table) == 12


def test_power_by_hand():
    of = design()
    fit = of.fit(of.rows("exposure_groups", "growth_wage_all"), "growth_wage_all")
    exposure, shares = of.exposed(fit)
    facts = groups.power_facts("x", [fit], (exposure, shares))
    effective = 1 / (shares.mean() ** 2).sum()
    assert facts["x.effective"][0] == pytest.approx(effective)
    error = fit["exposure"]["standard_error"]
    expected = minimum_detectable_effect(error, df=effective - 1) * exposure.std()
    assert facts["x.mde_sd"][0] == pytest.approx(expected)


def test_relative_growth_and_flow_by_hand():
    frame = pd.DataFrame(
        {
            "entity": list("abcde"),
            "cell": ["x", "x", "x", "y", None],
            "monotown": [1, 0, 0, 1, 1],
            "section": ["B", None, None, None, "C"],
            "exposure": [0.1, np.nan, np.nan, np.nan, 0.2],
            "g": [3.0, 1.0, 2.0, 5.0, 1.0],
        }
    )
    assert groups.relative(frame, "g").to_dict() == {"a": 1.5}
    table = groups.flow(frame, ["g"])
    assert table["monotowns"].tolist() == [3, 2, 2, 1, 1, 1]
    assert table["other_places"].tolist() == [2, 2, 2, 2, 2, 2]


def test_status_permuted_among_monotowns_has_the_regression_s_estimates():
    frame = groups.with_cells(country()[0], "urban_2013")
    mine = frame["toser"] == 2016
    frame["growth_wage_all"] += 0.5 * mine
    draws = {"permutation": 199, "bootstrap": 99}
    clustered, _, permuted = groups.toser_records(frame, "growth_wage_all", draws, 1)
    by_term = permuted.set_index("term")
    for term in groups.STATUSES:
        expected = clustered.set_index("term")["estimate"][term]
        assert by_term["estimate"][term] == pytest.approx(expected, abs=1e-10)
    assert by_term["p_value"]["toser_2016"] < 0.02 < by_term["p_value"]["toser_later"]
    assert set(permuted["group"]) == {"exploratory"}
    with pytest.raises(DesignError, match="fewer than two towns"):
        groups.toser_records(frame.assign(toser=np.nan), "growth_wage_all", draws, 1)


def test_the_study_on_a_simulated_country():
    frame, shares, shocks = country()
    exposed = frame.filter(regex="^(entity|exposure)").dropna()
    growth = frame[["entity", *groups.OUTCOMES]]
    kept = frame[["entity", "region", "urban_2013", "monotown", "section", "toser"]]
    rng = np.random.default_rng(0)
    panel = pd.concat(
        frame[["entity", "region"]].assign(
            year=year,
            log_taxable_pc=rng.normal(size=len(frame)),
            log_population=rng.normal(size=len(frame)),
            population=1000.0,
        )
        for year in (2012, 2013)
    )
    draws = {"permutation": 49, "bootstrap": 99}
    records, facts, tables = groups.study(
        kept, growth, panel, exposed, shares, shocks, "urban_2013", WINDOW, draws, 1
    )
    assert list(records.columns) == RECORD
    names = set(records["specification"])
    assert {"exposure_groups_growth_wage_B", "placebo_groups_log_population_2012_2013"} <= names
    assert not records.duplicated(["specification", "term", "variance"]).any()
    # A design's own row is the one clustered by region.
    assert records.drop_duplicates("specification")["variance"].str.startswith("CRV1(region)").all()
    assert facts["groups.monotowns"][0] == frame["monotown"].sum()
    table = tables["groups"].set_index("group")
    assert table["residents"].sum() == pytest.approx(1000 * frame["monotown"].sum())
    assert table["weight"].sum() == pytest.approx(1)
    assert tables["rotemberg"].groupby("outcome")["weight"].sum().tolist() == pytest.approx([1] * 4)


def test_growth_before_by_hand():
    rows = [("a", 2012, 1.0), ("a", 2013, 1.5), ("b", 2013, 2.0)]
    panel = pd.DataFrame(rows, columns=["entity", "year", "log_taxable_pc"]).assign(region="R")
    panel["log_population"] = -panel["log_taxable_pc"]
    table, columns = groups.growth_before(panel, [(2012, 2013)])
    assert columns == ["log_taxable_pc_2012_2013", "log_population_2012_2013"]
    assert table.to_numpy().tolist() == [["a", 0.5, -0.5]]
