"""Entropy-balancing weights of the controls, and how far they balance."""


def main(panel: str, settings: dict, outputs: dict):
    import pandas as pd
    from monotowns.measures.balance import balance_panel

    frame = pd.read_csv(panel, dtype={"entity": str})
    weights, table = balance_panel(frame, "monotown", settings["columns"], settings["years"])
    for name, part in (("weights", weights), ("balance", table)):
        part.to_csv(outputs[name], index=False, lineterminator="\n", float_format="%.10g")


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        panel=snakemake.input.panel,
        settings=snakemake.params.settings,
        outputs=dict(snakemake.output.items()),
    )
