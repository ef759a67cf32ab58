"""Estimators on simulated panels with a planted effect, for the appendix."""


def main(effect: float, draws: int, seed: int, table: str):
    from monotowns.studies.planted import validate

    found = validate(effect, draws, seed).round(
        {"mean": 3, "coverage": 1, "power": 1, "mc_error": 1}
    )
    found.to_csv(table, index=False, lineterminator="\n")


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        effect=snakemake.params.effect,
        draws=snakemake.params.draws,
        seed=snakemake.params.seed,
        table=snakemake.output.table,
    )
