"""Read one table from its raw file, which is verified first."""


def main(registry: str, raw: str, name: str, table: str):
    from monotowns.acquire.readers import own_module, reader
    from monotowns.acquire.registry import load_registry, verify
    from monotowns.panel.contracts import check
    from monotowns.run.errors import SourceError

    source = next(s for s in load_registry(registry).values() if name in s.tables)
    if reader(name) is None:
        raise SourceError(
            registry,
            "a table has no reader",
            keys=[f"{source.id}: {name}"],
            remedy=f"say make new-source NAME={name}, or write monotowns/readers/{name}.py",
        )
    frame = reader(name)(verify(raw, source))
    # The contracts of the study's own tables are held where they are used.
    frame = check(frame, name) if own_module(name) else frame
    frame.to_csv(table, index=False, lineterminator="\n")


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        registry=snakemake.input.registry,
        raw=snakemake.input.raw,
        name=snakemake.wildcards.table,
        table=snakemake.output.table,
    )
