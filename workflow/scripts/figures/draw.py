"""Draw one group of figures."""


def main(group: str, tables: dict, outputs: dict):
    from importlib import import_module

    import pandas as pd
    from monotowns.figures.style import save

    frames = {
        name: pd.read_csv(path, dtype={"entity": str, "term": str}) for name, path in tables.items()
    }
    for name, figure in import_module(f"monotowns.figures.{group}").draw(frames).items():
        save(figure, outputs[f"{name}_svg"], outputs[f"{name}_png"])


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        group=snakemake.params.group,
        tables=dict(snakemake.input.items()),
        outputs=dict(snakemake.output.items()),
    )
