"""Hold the panel and its measures to their contracts; list these beside those of the sources."""


def main(sources: str, tables: dict, contracts: str, facts: str):
    import pandas as pd
    from monotowns.panel.contracts import verdicts as held
    from monotowns.panel.contracts.panel import IDENTITIES
    from monotowns.studies.facts import save_facts

    text = {"entity": str, "code": str}
    read = {name: pd.read_csv(path, dtype=text) for name, path in tables.items()}
    found = held.of_schemas({name: read[name] for name in ("panel", "measures")})
    found += held.of_identities(IDENTITIES, read, found)
    held.stop_if_failed(found)
    whole = pd.concat([pd.read_csv(sources), held.to_table(found)], ignore_index=True)
    whole.to_csv(contracts, index=False, lineterminator="\n")
    save_facts(held.facts(whole), facts)


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        sources=snakemake.input.sources,
        tables={t: snakemake.input[t] for t in snakemake.params.tables},
        contracts=snakemake.output.contracts,
        facts=snakemake.output.facts,
    )
