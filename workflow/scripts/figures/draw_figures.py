"""Draw every figure whose two files the rule names, from the tables that the rule names."""

from monotowns.figures import FIGURES, draw
from monotowns.figures.style import save, style
from monotowns.run.stage import run
from monotowns.run.tables import read_table


def main(inputs: dict, outputs: dict):
    tables = {name: read_table(path) for name, path in inputs.items()}
    with style():
        for name in FIGURES:
            if f"{name}_svg" in outputs:
                save(draw(name, tables), outputs[f"{name}_svg"], outputs[f"{name}_png"])


if "snakemake" in globals():
    run(main, snakemake)
