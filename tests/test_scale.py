"""Simulated panels, datasets in parts, stages by the columns they need, fitted exponents."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from checkout import ROOT, checkout
from monotowns.contracts import check
from monotowns.errors import ConfigError, InputError
from monotowns.figures.scale import growth_plot
from monotowns.measures.agglomeration import great_circle_km
from monotowns.models import universe
from monotowns.models.specification import estimate, prepare
from monotowns.scale import datasets, plan, stages
from monotowns.scale.growth import exponent, growth_table
from monotowns.scale.simulation import INCOME_NOISE, JITTER_KM, draw_copy
from monotowns.settings import load_section, load_specifications

YEARS = range(2012, 2022)
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
SPECIFICATIONS = load_specifications(ROOT / "config/specifications.yaml", CONFIG["years"])
CURVES = load_section(ROOT / "config/specifications.yaml", "curves")
JOBS = plan.jobs(CONFIG["scale"], CONFIG["spatial"], 2014, SPECIFICATIONS, CURVES)
DRAWS = {"bootstrap": 99, "curve": 2}


@pytest.fixture(scope="module")
def panel():
    """Raw panel of 160 entities in 8 regions, one of them of a single entity, one with a gap."""
    rng = np.random.default_rng(5)
    n = 160
    region = np.append(rng.integers(0, 7, n - 1), 7)
    mono = (rng.random(n) < 0.4).astype(float)
    mono[0] = np.nan
    toser = np.where(rng.random(n) < 0.5, rng.choice([2016, 2017, 2018], n), np.nan)
    one = pd.DataFrame({
        "entity": [f"{10_000_000 + i}" for i in range(n)], "members": 1,
        "listed_2014": np.where(mono == 0, np.nan, 1.0),
        "listed_2024": np.where(mono == 0, np.nan, 1.0),
        "category": np.where(mono == 0, np.nan, rng.integers(1, 4, n)),
        "town_share": np.where(mono == 0, np.nan, 0.9), "monotown": mono, "monotown_strict": mono,
        "monotown_any": np.nan_to_num(mono), "monotown_list_2024": mono,
        "toser": np.where(mono == 1, toser, np.nan), "region": [f"region {r}" for r in region],
        "kind": rng.choice(["городской округ", "муниципальный округ"], n),
        "lat": rng.uniform(50, 60, n), "lon": rng.uniform(35, 60, n), "territory_id": range(n),
        "name": "place",
    })  # fmt: skip
    frame = one.loc[one.index.repeat(len(YEARS))].reset_index(drop=True)
    frame.insert(1, "year", list(YEARS) * n)
    size = np.repeat(rng.lognormal(10, 1, n), len(YEARS))
    trend = 0.05 * (frame["year"] - 2012) + 0.1 * rng.standard_normal(len(frame))
    size = size * np.exp(0.02 * rng.standard_normal(len(frame)))
    frame["population"] = size
    frame["taxable"] = size * 80 * np.exp(trend)
    frame["social"] = size * 60 * np.exp(0.1 * trend)
    frame["total"] = frame["taxable"] + frame["social"]
    return frame.drop(index=13).reset_index(drop=True)


@pytest.fixture(scope="module")
def written(panel, tmp_path_factory):
    """Three copies as a dataset of the assembled panel, with measures and weights."""
    folder, rng = tmp_path_factory.mktemp("scale"), np.random.default_rng(6)
    path = {name: folder / f"{name}.parquet" for name in ("rows", "panel", "measures", "weights")}
    with datasets.writing(path["rows"]) as append:
        for copy in range(3):
            append(draw_copy(panel, copy, 1))
    with datasets.writing(path["panel"]) as append:
        for part in datasets.parts(path["rows"]):
            append(stages.assembled(part, CONFIG["deflator"]))
    keys = datasets.read(path["panel"], {"entity", "year"})
    noise = rng.standard_normal((len(keys), 2))
    with datasets.writing(path["measures"]) as append:
        append(keys.assign(log_mp_inverse=noise[:, 0], log_mp_instrument=noise.sum(axis=1)))
    entities = keys["entity"].drop_duplicates()
    with datasets.writing(path["weights"]) as append:
        append(
            pd.DataFrame({"entity": entities, "balance_weight": rng.random(len(entities)) + 0.5})
        )
    return path


def test_a_copy_has_the_panels_shape_and_holds_to_its_contract(panel):
    drawn = draw_copy(panel, 0, 1)
    assert list(drawn) == list(panel)
    assert (drawn.dtypes == panel.dtypes).all()
    assert drawn["entity"].nunique() == panel["entity"].nunique()
    check(stages.assembled(drawn, CONFIG["deflator"]), "panel")
    # As many entities a region; histories are whole.
    sizes = [f.drop_duplicates("entity")["region"].value_counts() for f in (panel, drawn)]
    assert {f"{r} (1)": n for r, n in sizes[0].items()} == sizes[1].to_dict()
    assert set(drawn.groupby("entity").size()) <= {len(YEARS) - 1, len(YEARS)}
    status = [c for c in drawn if c.startswith(("monotown", "listed", "category", "toser"))]
    assert (drawn.groupby("entity")[status].nunique(dropna=False) == 1).all(axis=None)


def test_an_entity_is_one_of_the_panels_moved_and_scaled_a_little(panel):
    drawn = draw_copy(panel, 2, 1)
    # Social payments per resident of a year are what both sides share to the last digit.
    of = panel.assign(
        key=(panel["social"] / panel["population"]).round(9), place=panel["lat"].round(12)
    )
    assert set((drawn["social"] / drawn["population"]).round(9)) <= set(of["key"])
    np.testing.assert_allclose(drawn["total"], drawn["taxable"] + drawn["social"])
    one, was = drawn.drop_duplicates("entity"), panel.drop_duplicates("entity")
    km = great_circle_km(one["lat"].to_numpy()[:, None], one["lon"].to_numpy()[:, None],
                         was["lat"].to_numpy(), was["lon"].to_numpy())  # fmt: skip
    same = one["region"].str.removesuffix(" (3)").to_numpy()[:, None] == was["region"].to_numpy()
    nearest = np.where(same, km, np.inf).min(axis=1)
    assert nearest.max() <= JITTER_KM * 1.01
    assert nearest.max() > JITTER_KM / 4
    assert (drawn.groupby("entity")[["lat", "lon"]].nunique() == 1).all(axis=None)


def test_many_copies_have_the_panels_distribution(panel):
    """Mean and spread over 40 copies; four standard errors of a mean of drawn entities."""
    drawn = pd.concat([draw_copy(panel, copy, 9) for copy in range(40)])

    def income(frame):
        return np.log(frame["taxable"] / frame["population"]).groupby(frame["entity"]).mean()

    before, after = income(panel), income(drawn)
    error = np.hypot(before.std(), INCOME_NOISE) / np.sqrt(len(after))
    assert abs(after.mean() - before.mean()) < 4 * error
    assert after.std() == pytest.approx(before.std(), rel=0.1)
    shares = [f["monotown"].value_counts(normalize=True, dropna=False) for f in (panel, drawn)]
    np.testing.assert_allclose(shares[1].sort_index(), shares[0].sort_index(), atol=0.03)


def test_a_copy_depends_on_seed_and_number_alone_and_codes_are_its_own(panel):
    first, second = draw_copy(panel, 0, 1), draw_copy(panel, 1, 1)
    pd.testing.assert_frame_equal(first, draw_copy(panel, 0, 1))
    assert not first["population"].equals(draw_copy(panel, 0, 2)["population"])
    codes = [*first["entity"], *second["entity"]]
    assert codes == sorted(codes)
    assert set(first["entity"]).isdisjoint(second["entity"])
    assert set(first["region"]).isdisjoint(second["region"])


def test_an_unsorted_panel_and_too_many_copies_are_refused(panel):
    with pytest.raises(InputError, match="not sorted"):
        draw_copy(panel.iloc[::-1], 0, 1)
    with pytest.raises(InputError, match="eight digits"):
        draw_copy(panel, 10**6, 1)


def test_a_dataset_is_written_in_parts_or_not_at_all(tmp_path):
    frame = pd.DataFrame({"entity": ["a", "b"], "x": [1.0, np.nan]})
    path = tmp_path / "table.parquet"
    with datasets.writing(path) as append:
        append(frame)
        append(frame.assign(x=2.0))
    assert [len(part) for part in datasets.parts(path)] == [2, 2]
    pd.testing.assert_frame_equal(next(datasets.parts(path)), frame)
    assert list(datasets.read(path, {"x", "absent"})) == ["x"]
    other = tmp_path / "other.parquet"
    with pytest.raises(InputError, match="other columns"), datasets.writing(other) as append:
        append(frame)
        append(frame.rename(columns={"x": "y"}))
    assert [p.name for p in tmp_path.iterdir()] == ["table.parquet"]


def test_the_panel_assembled_in_parts_is_the_panel_assembled_at_once(written):
    whole = stages.assembled(datasets.read(written["rows"]), CONFIG["deflator"])
    pd.testing.assert_frame_equal(datasets.read(written["panel"]), whole)


#: A job of every kind; of the curve one with weights and one without.
CHOSEN = ["two_way", "event_study", "instrumental", "imputation", "callaway_santanna", "conley",
          "wild_bootstrap", "weights_nearest", "spatial_panel", "curve_0", "curve_1"]  # fmt: skip


@pytest.mark.parametrize("job", CHOSEN)
def test_a_stage_finds_in_its_columns_what_it_finds_in_the_whole_tables(written, job):
    told = JOBS[job][1]
    tables = [written[name] for name in ("panel", "measures", "weights")]
    whole = prepare(*(datasets.read(table) for table in tables))
    columns = stages.columns(told)
    few = prepare(*(datasets.read(table, columns) for table in tables))
    assert few.shape[1] < whole.shape[1]
    found = stages.work(told, few, DRAWS, 3)
    if "regression" not in told:
        assert found == stages.work(told, whole, DRAWS, 3)
        return
    records, _ = estimate(whole, "any", told["regression"], DRAWS["bootstrap"], 3)
    last = records.dropna(subset=["p_value"]).iloc[-1]
    for name in ("estimate", "ci_low", "ci_high"):
        assert found["found"][name] == last[name]
    assert (found["rows"], found["clusters"]) == (last["n_obs"], last["n_clusters"])


def test_the_jobs_of_a_curve_are_the_whole_curve_once():
    parts = [told["curve"] for stage, told in JOBS.values() if stage == "curve"]

    def lines(declared):
        choices = {k: declared[k] for k in ("outcomes", "treatments", "fixed_effects", "weights")}
        choices |= {"optional_controls": declared["optional_controls"],
                    "samples": {s: s for s in declared["samples"]}}  # fmt: skip
        return universe.names(universe.expand(choices))

    every = [name for part in parts for name in lines(part)]
    assert sorted(every) == sorted(lines(CURVES["gap_curve"]))


@pytest.mark.parametrize(
    ("changed", "told"),
    [({"stages": {"two_way": {"specification": "gap_aftr"}}}, "gap_after"),
     ({"stages": {"band": {"weights": "bnad"}}}, "band"),
     ({"only": ["two_wya"]}, "two_way")],
)  # fmt: skip
def test_an_unknown_name_is_refused_with_the_nearest(changed, told):
    with pytest.raises(ConfigError, match=told):
        plan.jobs(CONFIG["scale"] | changed, CONFIG["spatial"], 2014, SPECIFICATIONS, CURVES)


def test_exponents_worked_by_hand():
    assert exponent([1, 2], [3, 24]) == pytest.approx(3)
    # Log seconds 0, 1, 3 at log sizes 0, 1, 2: the slope is (3 - 0) / 2.
    assert exponent([1, 10, 100], [1, 10, 1000]) == pytest.approx(1.5)
    assert exponent([1, 10], [7, 7]) == pytest.approx(0)
    assert np.isnan(exponent([5], [1]))


def test_the_table_adds_up_the_jobs_of_a_stage():
    def record(stage, copies, seconds, peak):
        return {"stage": stage, "copies": copies, "rows": 10 * copies, "entities": copies,
                "seconds": seconds, "peak_mb": peak}  # fmt: skip

    records = [record("curve", 1, 1, 100), record("curve", 1, 3, 200), record("curve", 10, 30, 300),
               record("curve", 10, 10, 400), record("curve", 100, 4000, 800),
               record("balance", 1, 1, 50)]  # fmt: skip
    table = growth_table(records, {"balance": {"copies": 1, "reason": "slow"}})
    assert table["stage"].tolist() == ["curve", "curve", "curve", "balance"]
    assert table["seconds"].tolist() == [4, 40, 4000, 1]
    assert table["peak_mb"].tolist() == [200, 400, 800, 50]
    assert table["jobs"].tolist() == [2, 2, 1, 1]
    assert table["time_exponent"].iloc[0] == pytest.approx(1.5)
    assert table["time_exponent_last"].iloc[0] == pytest.approx(2)
    assert table["memory_exponent"].iloc[0] == pytest.approx(np.log10(2))
    assert np.isnan(table["time_exponent"].iloc[3])
    assert table["note"].tolist() == ["", "", "", "up to 1 copies: slow"]
    time, memory = growth_plot(table).axes
    curve = time.lines[0]
    np.testing.assert_array_equal(curve.get_xdata(), [1, 10, 100])
    np.testing.assert_array_equal(curve.get_ydata(), [4, 40, 4000])
    np.testing.assert_array_equal(memory.lines[0].get_ydata(), [200, 400, 800])


@pytest.mark.workflow
def test_the_chain_runs_on_one_copy(tmp_path):
    folder = checkout(tmp_path / "copy")
    sizes = folder / "sizes.yaml"
    sizes.write_text("scale: {copies: [1], only: [simulate, panel, two_way]}", encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "draw_scale"]
    done = subprocess.run([*command, "--configfile", str(sizes)], cwd=folder, capture_output=True,
                          text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    table = pd.read_csv(folder / "results/scale.csv")
    assert table["stage"].tolist() == ["simulate", "panel", "two_way"]
    assert (table[["seconds", "peak_mb"]] > 0).all(axis=None)
    assert (folder / "results/scale.svg").stat().st_size > 1000
