"""Read one table from its raw file, which is verified first."""


def main(registry: str, raw: str, name: str, table: str):
    from monotowns.contracts import check
    from monotowns.errors import SourceError
    from monotowns.readers import own_module, reader
    from monotowns.sources import load_registry, verify

    source = next(s for s in load_registry(registry).values() if name in s.tables)
    if reader(name) is None:
        raise SourceError(
            registry, "a table has no reader", keys=[f"{source.id}: {name}"],
            remedy=f"say make new-source NAME={name}, or write monotowns/readers/{name}.py",
        )  # fmt: skip
    frame = reader(name)(verify(raw, source))
    # The contracts of the study's own tables are held where they are used.
    frame = check(frame, name) if own_module(name) else frame
    frame.to_csv(table, index=False, lineterminator="\n")


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, snakemake, registry=snakemake.input.registry, raw=snakemake.input.raw,
        name=snakemake.wildcards.table, table=snakemake.output.table)  # fmt: skip
