"""Hold the manuscript's sentences to the results before it is typeset; say what it cannot show."""


def main(
    sections: dict,
    guarded: list,
    claims: str,
    numbers: str,
    estimates: str,
    facts: list,
    flows: str,
    shown: list,
    lacking: dict,
    policy: str,
    outputs: dict,
):
    import json
    from pathlib import Path

    import pandas as pd
    from monotowns.manuscript import claims as guard
    from monotowns.manuscript import text as prose
    from monotowns.run.errors import InputError
    from monotowns.run.needs import left_out_table
    from monotowns.run.schema import check, read

    texts = {name: Path(path).read_text(encoding="utf-8") for name, path in sections.items()}
    held = check(read(claims, InputError), "claims", claims, InputError)
    for name in guarded:
        typed = prose.typed_digits(texts[name], held["literals"])
        if typed:
            raise InputError(
                sections[name],
                "a number is typed by hand",
                keys=typed,
                remedy="read it from results/numbers.json with #n",
            )
        loose = prose.unguarded(texts[name])
        if loose:
            raise InputError(
                sections[name],
                "a sentence claims something and nothing holds it",
                keys=loose,
                remedy="write it as #claim, its assertion in claims.yaml",
            )
    told = "\n".join(text for name, text in texts.items() if name not in lacking["section"])
    untold = "\n".join(text for name, text in texts.items() if name in lacking["section"])
    records = pd.read_csv(estimates, dtype={"term": str})
    values = guard.facts_of(json.loads(Path(p).read_text(encoding="utf-8")) for p in facts)
    given = (held["claims"], told, records, untold, values)
    table, failed = (
        guard.report_claims(*given) if policy == "report" else (guard.check_claims(*given), {})
    )
    table.to_csv(outputs["claims"], index=False, lineterminator="\n", float_format="%.6g")
    steps = pd.read_csv(flows).set_index("specification")["step"]
    why = steps[steps.str.startswith("not estimated: ")].str.removeprefix("not estimated: ")
    lacking["specification"] |= why.to_dict()
    if policy == "report":
        known = json.loads(Path(numbers).read_text(encoding="utf-8"))
        lacking |= {"claim": failed} | prose.without_result(told, known, shown)
    left_out_table(**lacking).to_csv(outputs["left_out"], index=False, lineterminator="\n")


if "snakemake" in globals():
    from monotowns.run.stage import run

    given, params = snakemake.input, snakemake.params
    written = snakemake.output.claims.removesuffix("results/claims.csv")
    run(
        main,
        snakemake,
        sections={name: given[name] for name in params.sections},
        guarded=params.guarded,
        claims=given.claims,
        numbers=given.numbers,
        estimates=given.estimates,
        facts=list(given.facts),
        flows=given.flows,
        shown=[path.removeprefix(written) for path in params.shown],
        lacking={kind: dict(found) for kind, found in params.lacking.items()},
        policy=params.policy,
        outputs=dict(snakemake.output.items()),
    )
