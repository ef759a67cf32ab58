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
    )
    if needs.stage_of(name) not in LACKING
]


def specification(wildcards):
    """The specification of a job: a change of one specification reruns only its own job."""
    return SPECIFICATIONS[wildcards.specification]


def estimator_code(wildcards):
    """The code that a specification's estimation reaches."""
    spec = SPECIFICATIONS[wildcards.specification]
    chosen = [f"models.{ESTIMATORS[spec['estimator']]}"]
    chosen += ["models.variances"] if spec.get("variances") else []
    chosen += [own for own in map(own_module, JOINED) if own]
    return code_of(
        "workflow/monotowns", "workflow/scripts/estimate/estimate.py", *chosen
    )


rule estimate:
    input:
        **PREPARED,
        **JOINED,
    output:
        records="results/estimates/{specification}.csv",
        flow="results/estimates/{specification}.flow.csv",
    log:
        "logs/estimate/{specification}.json",
    benchmark:
        "benchmarks/estimate/{specification}.tsv"
    wildcard_constraints:
        specification="|".join(SPECIFICATIONS),
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
        estimates="results/estimates.csv",
        samples="results/tables/estimation_samples.csv",
        samples_print="results/tables/estimation_samples_print.csv",
        estimates_print="results/tables/estimates_print.csv",
        numbers="results/numbers.json",
        facts="results/facts/panel.json",
    log:
        "logs/collect.json",
    benchmark:
        "benchmarks/collect.tsv"
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
