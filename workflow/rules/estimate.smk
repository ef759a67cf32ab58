CARRIED = [name for name in SPECIFICATIONS if name not in LEFT_OUT]
# Analyses that are no single regression: their records, and the facts that the text prints.
ANALYSES = [
    name
    for name in (
        "stages",
        "potential",
        "analyse_exposure",
        "analyse_robustness",
        "analyse_toser",
        "analyse_spatial",
        "analyse_convergence",
    )
    if needs.stage_of(name) not in LACKING
]
FACTS = [
    f"results/facts/{name}.json"
    for name in (
        "stages",
        "potential",
        "exposure",
        "robustness",
        "toser",
        "spatial",
        "convergence",
        "contracts",
    )
    if needs.stage_of(name) not in LACKING
]


rule estimate:
    input:
        **PREPARED,
        **JOINED,
    output:
        records=report(
            "results/estimates/{specification}.csv",
            caption="../report/specification.rst",
            category=question_of,
            labels={"result": "{specification}", "kind": "records"},
        ),
        flow=report(
            "results/estimates/{specification}.flow.csv",
            caption="../report/flow.rst",
            category=question_of,
            labels={"result": "{specification}", "kind": "sample flow"},
        ),
    log:
        "logs/estimate/{specification}.json",
    benchmark:
        "benchmarks/estimate/{specification}.tsv"
    wildcard_constraints:
        specification="|".join(SPECIFICATIONS),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        spec=specification,
        joined=config["data"]["joined"],
        absent=config["claims"],
        draws=config["draws"]["bootstrap"],
        seed=config["seed"],
        code=estimator_code,
    message:
        "Estimate {wildcards.specification}"
    script:
        "../scripts/estimate/estimate.py"


rule collect:
    input:
        **{k: v for k, v in PREPARED.items() if k in ("panel", "measures")},
        **at_hand(market_access="market_access"),
        records=expand("results/estimates/{s}.csv", s=[*CARRIED, *ANALYSES]),
        flows=expand("results/estimates/{s}.flow.csv", s=CARRIED),
        facts=FACTS,
        matched=rules.build_panel.output.matched,
        coverage=rules.build_panel.output.coverage,
    output:
        estimates=shown("results/estimates.csv", "paper", "records"),
        samples=shown("results/tables/estimation_samples.csv", "paper"),
        samples_print=shown("results/tables/estimation_samples_print.csv", "paper"),
        estimates_print=shown("results/tables/estimates_print.csv", "paper"),
        numbers=shown("results/numbers.json", "paper", "numbers"),
        facts="results/facts/panel.json",
    log:
        "logs/collect.json",
    benchmark:
        "benchmarks/collect.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        tables=["panel", "measures", "matched", "coverage", "market_access"],
        code=code_of("workflow/monotowns", "workflow/scripts/estimate/collect.py"),
    message:
        "Collect: all result records, sample flows, the numbers of the text"
    script:
        "../scripts/estimate/collect.py"
