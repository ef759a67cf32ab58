"""Development potential of the monotowns: index, rank bands, validation."""


def main(panel: str, measures: str, stages: str, draws: dict, seed: int, outputs: dict):
    import pandas as pd
    from monotowns.estimate.record import to_records
    from monotowns.measures.potential import build_potential
    from monotowns.studies.facts import potential_facts, save_facts
    from monotowns.studies.validation import build_validation

    frames = [pd.read_csv(path, dtype={"entity": str}) for path in (panel, measures, stages)]
    table = build_potential(*frames, draws["ranks"], seed)
    fits = build_validation(*frames, draws["permutation"], seed)
    records = pd.concat(
        to_records(
            fit,
            specification=f"potential_{outcome}_{version}",
            question="potential",
            group="headline" if version == "independent" else "robustness",
            outcome=f"growth of {outcome}",
            sample="monotowns with every indicator",
            weights="none",
            seed=seed,
        )
        for (outcome, version), fit in fits.items()
    )
    table.to_csv(outputs["potential"], index=False, lineterminator="\n", float_format="%.6g")
    records.to_csv(outputs["records"], index=False, lineterminator="\n", float_format="%.10g")
    save_facts(potential_facts(table), outputs["facts"])


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        **dict(snakemake.input.items()),
        draws=snakemake.params.draws,
        seed=snakemake.params.seed,
        outputs=dict(snakemake.output.items()),
    )
