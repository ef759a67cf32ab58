"""Exposure of entities to the growth of industries, with the shares and shocks it is made of."""


def main(
    structure: str,
    grp: str,
    industries: str,
    towns: str,
    panel: str,
    deflator: dict,
    window: dict,
    outputs: dict,
):
    import pandas as pd
    from monotowns.measures import entities as carried
    from monotowns.measures import exposure
    from monotowns.measures.industry import price_index
    from monotowns.panel.contracts import check

    tables = (
        check(pd.read_csv(structure), "gva_structure"),
        check(pd.read_csv(grp), "grp"),
        price_index(deflator),
    )
    entities = pd.read_csv(panel, dtype={"entity": str}).drop_duplicates("entity")
    located = carried.locate_industries(
        check(pd.read_csv(industries), "monotown_industries"),
        pd.read_csv(towns, dtype={"entity": str}),
        entities,
    )
    span = (window["base"], window["last"])
    firm = located[~located["strength"].isin(["dated", "weak"])]
    parts = {
        "town": exposure.town_exposure(*tables, located, *span),
        "firm_town": exposure.town_exposure(*tables, firm, *span),
        "region": exposure.region_exposure(*tables, window["share_year"], *span),
    }
    table = carried.entity_table(parts, entities, tables, window["base"])
    table.to_csv(outputs["exposure"], index=False, lineterminator="\n", float_format="%.10g")
    for name, part in parts.items():
        part.shares.to_csv(outputs[f"{name}_shares"], lineterminator="\n", float_format="%.10g")
        part.shocks.to_csv(outputs[f"{name}_shocks"], lineterminator="\n", float_format="%.10g")


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        **dict(snakemake.input.items()),
        deflator=snakemake.params.deflator,
        window=snakemake.params.window,
        outputs=dict(snakemake.output.items()),
    )
