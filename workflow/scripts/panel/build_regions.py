"""The layer of regions: volume and shipments of industry, work, investment, trade."""

from monotowns.panel import regions
from monotowns.panel.contracts import check
from monotowns.panel.volume import overlap
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(production: str, others: list, deflator: dict, layer: str, agreement: str):
    first = read_table(production)
    tables = [first, *map(read_table, others)]
    write_table(check(regions.build(tables, deflator), "panel_regions"), layer)
    write_table(overlap(first), agreement)


if "snakemake" in globals():
    run(main, snakemake)
