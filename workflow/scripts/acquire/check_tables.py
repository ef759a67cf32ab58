"""Hold the tables of the sources to their contracts; all that fail are told at once."""


def main(tables: dict, hand: dict, drift: dict, reviewed: dict, verdicts: str):
    import pandas as pd
    from monotowns.panel.contracts import verdicts as held
    from monotowns.panel.contracts.counts import KNOWN_FAULTS, ROW_COUNTS, load_listed
    from monotowns.panel.contracts.identities import IDENTITIES

    def text(path):
        return pd.read_csv(path, dtype=str, keep_default_na=False)

    read = {
        name: pd.read_csv(path, dtype={"code": str, "entity": str}) for name, path in tables.items()
    }
    by_hand = {f"hand_{name}": text(path) for name, path in hand.items()}
    found = held.of_schemas(read)
    found += held.of_counts(read, load_listed(reviewed["row_counts"], ROW_COUNTS))
    found += held.of_identities(IDENTITIES, read | by_hand, found)
    found += held.of_drifts({name: text(path) for name, path in drift.items()})
    found = held.excuse(found, load_listed(reviewed["known_faults"], KNOWN_FAULTS))
    held.stop_if_failed(found)
    held.to_table(found).to_csv(verdicts, index=False, lineterminator="\n")


if "snakemake" in globals():
    from monotowns.run.stage import run

    of = snakemake.input
    run(
        main,
        snakemake,
        tables={t: of[t] for t in snakemake.params.tables},
        hand={k: of[f"hand_{k}"] for k in ("crosswalk", "towns")},
        drift=dict(zip(snakemake.params.read_anew, of.drift, strict=True)),
        reviewed={k: of[k] for k in ("row_counts", "known_faults")},
        verdicts=snakemake.output.verdicts,
    )
