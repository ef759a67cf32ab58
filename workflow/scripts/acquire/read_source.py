"""Read one table from its raw file, which is verified first."""


def main(registry: str, raw: str, name: str, table: str):
    from monotowns.errors import SourceError
    from monotowns.readers import READERS, reader
    from monotowns.sources import load_registry, verify

    source = next(s for s in load_registry(registry).values() if name in s.tables)
    if name not in READERS:
        raise SourceError(
            registry, "a table has no reader", keys=[f"{source.id}: {name}"],
            remedy="write one in monotowns/readers and list it in READERS",
        )  # fmt: skip
    frame = reader(name)(verify(raw, source))
    frame.to_csv(table, index=False, lineterminator="\n")


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, snakemake, registry=snakemake.input.registry, raw=snakemake.input.raw,
        name=snakemake.wildcards.table, table=snakemake.output.table)  # fmt: skip
