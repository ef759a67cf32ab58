"""Growth of towns and regions from 2020 on by their exposure to the growth of industries."""


def main(panel: str, exposure: str, tables: dict, window: dict, seed: int, outputs: dict):
    import pandas as pd
    from monotowns.estimate.record import to_records
    from monotowns.studies.exposed import changes, exposure_fits
    from monotowns.studies.facts import save_facts

    frame = pd.read_csv(panel, dtype={"entity": str})
    exposed = pd.read_csv(exposure, dtype={"entity": str})
    before, after = (window["base"] - 2, window["base"]), (window["base"] + 1, window["last"])
    units = changes(frame, "log_taxable_pc", before, after).merge(exposed, on="entity")
    mono = set(frame.loc[frame["monotown"] == 1, "entity"])
    designs = {
        "reindustrialisation_towns_change": ("town", "headline", True),
        "reindustrialisation_firm_towns_change": ("firm_town", "robustness", True),
        "reindustrialisation_regions_change": ("region", "robustness", False),
    }
    records, weights, facts = [], [], {}
    for name, (unit, group, towns_only) in designs.items():
        shares = pd.read_csv(tables[f"{unit}_shares"], index_col=0, dtype={"entity": str})
        shocks = pd.read_csv(tables[f"{unit}_shocks"], index_col=0).iloc[:, 0]
        rows = units[units["entity"].isin(mono)] if towns_only else units
        key = rows["region"] if unit == "region" else rows["entity"]
        rows = rows.assign(key=key, exposure=rows[f"{unit}_exposure"])
        fits, table, effective = exposure_fits(rows, shares, shocks)
        for fit in fits.values():
            about = {"specification": name, "question": "reindustrialisation", "group": group}
            about |= {"outcome": "change of log_taxable_pc", "weights": "none", "seed": seed}
            sample = "monotowns of known industry" if towns_only else "all entities"
            records.append(to_records(fit, sample=sample, **about))
        weights.append(table.assign(specification=name))
        largest = table.loc[table["weight"].abs().idxmax()]
        facts |= {
            f"{name}.effective": [effective, "ratio"],
            f"{name}.shocks": [len(table), "count"],
            f"{name}.largest": [str(largest["shock"]).replace("_", " "), "text"],
            f"{name}.largest_weight": [largest["weight"], "ratio"],
        }
    for name, parts in (("records", records), ("rotemberg", weights)):
        whole = pd.concat(parts, ignore_index=True)
        whole.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.10g")
    save_facts(facts, outputs["facts"])


if "snakemake" in globals():
    from monotowns.run.stage import run

    names = [f"{u}_{p}" for u in ("town", "firm_town", "region") for p in ("shares", "shocks")]
    run(
        main,
        snakemake,
        panel=snakemake.input.panel,
        exposure=snakemake.input.exposure,
        tables={n: snakemake.input[n] for n in names},
        window=snakemake.params.window,
        seed=snakemake.params.seed,
        outputs=dict(snakemake.output.items()),
    )
