"""Robustness of the gap: curve of specifications, Oster's bounds, families of outcomes, MDEs."""


def main(tables: list, declared: dict, draws: dict, seed: int, outputs: dict):
    import numpy as np
    import pandas as pd
    from monotowns.estimate import sample as design
    from monotowns.estimate.record import to_records
    from monotowns.estimate.specification import prepare
    from monotowns.studies import robustness
    from monotowns.studies.facts import curve_facts, save_facts

    frame = prepare(*(pd.read_csv(table, dtype={"entity": str}) for table in tables))
    for of in (*declared["curves"].values(), *declared["families"].values()):
        for name, rule in of.get("derived", {}).items():
            frame[name] = design.derive(frame, name, rule, f"derived {name}")
    records, facts, curves, families = [], {}, [], []
    for name, universe in declared["curves"].items():
        test = robustness.curve(frame, universe, draws["curve"], seed)
        about = {"specification": name, "question": "robustness", "group": "headline"}
        about |= {"outcome": "all declared", "sample": "all declared", "weights": "all declared"}
        records.append(
            to_records(robustness.curve_fit(test, universe["cluster"]), **about, seed=seed)
        )
        low, high = np.percentile(test.draws, [2.5, 97.5], axis=0)
        table = test.curve
        curves.append(table.assign(curve=name, chance_low=low, chance_high=high))
        facts |= curve_facts(name, test)
    for name, of in declared["families"].items():
        spec = declared["specifications"][of["specification"]]
        rows = design.with_columns(frame, spec, name)
        rows = design.check(rows[design.holds(rows, spec["rows"])], name, spec)
        table = robustness.family(rows, of["outcomes"], spec, draws["bootstrap"], seed)
        families.append(table.assign(family=name, specification=of["specification"]))
        controls = ["log_population", "log_mp_inverse"]
        found = robustness.bounds(
            rows, spec["outcome"], spec["treatment"], controls, spec["fixed_effects"]
        )
        facts[f"{name}.beta_star"] = [found["beta_star"], "estimate"]
        facts[f"{name}.delta"] = [found["delta"], "ratio"]
        worst = table.set_index("outcome")
        for outcome in of["outcomes"]:
            facts[f"{name}.{outcome}.romano_wolf"] = [worst.loc[outcome, "romano_wolf"], "p"]
    save = {"records": records, "curve": curves, "families": families}
    for name, parts in save.items():
        whole = pd.concat(parts, ignore_index=True)
        whole.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.6g")
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        tables=list(snakemake.input),
        declared=snakemake.params.declared,
        draws=snakemake.params.draws,
        seed=snakemake.params.seed,
        outputs=dict(snakemake.output.items()),
    )
