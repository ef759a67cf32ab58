# From every number of the paper back to its source. The records of the jobs (logs) are read as
# they lie; times and commits stand in them, so that the page is no result and has no fixed bytes.
from monotowns.audit.rules import rules_of

AUDIT_TABLES = {
    "Sample flow": (
        "results/tables/sample_flow.csv",
        "From the printed rows to the panel: what every step left or removed.",
    ),
    "Corrections": (
        f"{HERE}data/corrections/incomes.yaml",
        "Repairs of published figures; each stops the run once it no longer finds what it expects.",
    ),
    "Crosswalk by hand": (
        f"{HERE}data/corrections/crosswalk.csv",
        "Codes that the dictionary leaves without a territory, with the reason of each decision.",
    ),
    "Towns located by hand": (
        f"{HERE}data/corrections/towns.csv",
        "Towns of the lists that no rule locates.",
    ),
    **{
        "Layers": (path, "Outcomes of every layer of data by group of places.")
        for path in REACH.made("described")
    },
    **{
        "Marked years": (path, "Years beside the window, and why they stand apart.")
        for path in REACH.made("years_apart")
    },
    "Checklist": (
        "results/checklist.csv",
        "What referees look for, and its verdict.",
    ),
    **{
        "Contracts": (path, "What every table was held to, and its verdict.")
        for path in REACH.made("contracts")
    },
    **{
        f"Drift of {name}": (path, "Cells in which the raw file differs.")
        for name, path in zip(READ_ANEW, DRIFT)
    },
}


rule write_audit:
    input:
        main=f"{HERE}paper/main.typ",
        registry=REGISTRY,
        paper=rules.compile_paper.output.paper,
        claims=rules.check_claims.output.claims,
        estimates=rules.collect.output.estimates,
        templates=[
            f"{HERE}workflow/report/audit/{page}.html"
            for page in ("base", "index", "view")
        ],
        printed=[path for path, _ in AUDIT_TABLES.values()],
    output:
        folder=directory("results/audit"),
    log:
        "logs/write_audit.json",
    params:
        config=config,
        rules=rules_of(workflow, HERE or "."),
        tables=[
            (name.lower().replace(" ", "-"), name, about, path.removeprefix(HERE))
            for name, (path, about) in AUDIT_TABLES.items()
        ],
        here=HERE,
    message:
        "Audit: results/audit/index.html, from every number back to its source"
    script:
        "../scripts/audit/write_audit.py"
