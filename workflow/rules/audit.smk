from monotowns.audit.rules import rules_of

# From every number of the paper back to its source. The records of the jobs (logs) are read as
# they lie; times and commits stand in them, so that the page is no result and has no fixed bytes.
AUDIT = ["results/audit"]
AUDIT_TABLES = [
    (
        "flow",
        "Sample flow",
        "From the printed rows to the panel: what every step left or removed.",
        "results/tables/sample_flow.csv",
    ),
    (
        "corrections",
        "Corrections",
        "Repairs of published figures; each stops the run once it no longer finds what it expects.",
        "data/corrections/incomes.yaml",
    ),
    (
        "crosswalk",
        "Crosswalk by hand",
        "Codes that the dictionary leaves without a territory, with the reason of each decision.",
        "data/corrections/crosswalk.csv",
    ),
    (
        "towns",
        "Towns located by hand",
        "Towns of the lists that no rule locates.",
        "data/corrections/towns.csv",
    ),
    (
        "checklist",
        "Checklist",
        "What referees look for, and its verdict.",
        "results/checklist.csv",
    ),
    *(
        (
            "contracts",
            "Contracts",
            "What every table was held to, and its verdict.",
            path,
        )
        for path in CONTRACTS
    ),
    *(
        (f"drift-{t}", f"Drift of {t}", "Cells in which the raw file differs.", path)
        for t, path in zip(READ_ANEW, DRIFT)
    ),
]


rule write_audit:
    input:
        main=f"{HERE}paper/main.typ",
        registry=REGISTRY,
        paper=rules.compile_paper.output.paper,
        claims=rules.check_claims.output.claims,
        estimates=rules.collect.output.estimates,
        templates=expand(
            "{here}workflow/report/audit/{page}.html",
            here=HERE,
            page=["base", "index", "view"],
        ),
        tables=[
            f"{HERE}{path}" if path.startswith("data/corrections") else path
            for *_, path in AUDIT_TABLES
        ],
    output:
        folder=directory("results/audit"),
    log:
        "logs/write_audit.json",
    benchmark:
        "benchmarks/write_audit.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        config=config,
        rules=rules_of(workflow, HERE or "."),
        tables=AUDIT_TABLES,
        here=HERE,
        code=code_of("workflow/monotowns", "workflow/scripts/audit/write_audit.py"),
    message:
        "Audit: results/audit/index.html, from every number back to its source"
    script:
        "../scripts/audit/write_audit.py"
