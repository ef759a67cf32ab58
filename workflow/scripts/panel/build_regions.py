"""The layer of regions: volume and shipments of industry, work, investment, trade."""

from monotowns.panel import regions
from monotowns.panel.contracts import check
from monotowns.panel.volume import overlap
from monotowns.run import schema
from monotowns.run.stage import run
from monotowns.run.tables import read_table, write_table


def main(
    production: str, others: list, hand_regions: str, deflator: dict, layer: str, agreement: str
):
    first = read_table(production)
    tables = [first, *map(read_table, others)]
    built = regions.build(tables, deflator, schema.read(hand_regions), hand_regions)
    write_table(check(built, "panel_regions"), layer)
    write_table(overlap(first), agreement)


if "snakemake" in globals():
    run(main, snakemake)
