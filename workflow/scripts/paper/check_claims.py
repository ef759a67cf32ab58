"""Hold the manuscript's sentences to the results before it is typeset."""


def main(sections: list, guarded: list, claims: str, estimates: str, target: str):
    from pathlib import Path

    import pandas as pd
    from monotowns import claims as guard
    from monotowns.errors import InputError
    from monotowns.schema import read

    texts = {path: Path(path).read_text(encoding="utf-8") for path in sections}
    held = read(claims, InputError)
    for path in guarded:
        typed = guard.typed_digits(texts[path], held["literals"])
        if typed:
            raise InputError(path, "a number is typed by hand", keys=typed,
                             remedy="read it from results/numbers.json with #n")  # fmt: skip
        loose = guard.unguarded(texts[path])
        if loose:
            raise InputError(path, "a sentence claims something and nothing holds it", keys=loose,
                             remedy="write it as #claim, its assertion in claims.yaml")  # fmt: skip
    records = pd.read_csv(estimates, dtype={"term": str})
    table = guard.check_claims(held["claims"], "\n".join(texts.values()), records)
    table.to_csv(target, index=False, lineterminator="\n", float_format="%.6g")


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, snakemake, sections=snakemake.input.sections, guarded=snakemake.input.guarded,
        claims=snakemake.input.claims, estimates=snakemake.input.estimates,
        target=snakemake.output.claims)  # fmt: skip
