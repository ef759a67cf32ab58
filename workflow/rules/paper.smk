SECTIONS = [
    "abstract",
    "introduction",
    "data",
    "methods",
    "gap",
    "agglomeration",
    "toser",
    "industry",
    "potential",
    "spatial",
    "robustness",
    "limits",
    "conclusion",
    "appendix",
]
# Sections in which no digit is typed and every claiming sentence is held to the results.
GUARDED = [
    "abstract",
    "gap",
    "agglomeration",
    "toser",
    "industry",
    "potential",
    "spatial",
    "robustness",
    "conclusion",
]


# The figures and tables that there are.
SHOWN_FIGURES = [
    f"results/figures/{n}.svg"
    for group, names in FIGURES.items()
    for n in names
    if f"draw_{group}" not in LACKING
]
SHOWN_TABLES = [
    path for stage, path in PAPER_TABLES.items() if stage not in LACKING
] + [
    rules.collect.output.samples_print,
    rules.collect.output.estimates_print,
    "results/checklist.csv",
]
# Nothing is typeset from a panel whose contracts were not held.
CONTRACTS = [] if "check_contracts" in LACKING else ["results/tables/contracts.csv"]


rule check_claims:
    input:
        **{s: f"{HERE}paper/sections/{s}.typ" for s in SECTIONS},
        claims=f"{HERE}paper/claims.yaml",
        numbers=rules.collect.output.numbers,
        estimates=rules.collect.output.estimates,
        facts=[rules.collect.output.facts, *FACTS],
        flows=rules.collect.output.samples,
    output:
        claims=shown("results/claims.csv", "paper", "checks"),
        left_out=shown("results/tables/left_out.csv", "paper", "checks"),
    log:
        "logs/check_claims.json",
    benchmark:
        "benchmarks/check_claims.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sections=SECTIONS,
        guarded=GUARDED,
        shown=[*SHOWN_FIGURES, *SHOWN_TABLES],
        lacking={
            "stage": LACKING,
            "section": needs.sections_lacking(LACKING),
            "specification": LEFT_OUT,
        },
        policy=config["claims"],
        code=code_of("workflow/monotowns", "workflow/scripts/paper/check_claims.py"),
    message:
        "Claims: hold the manuscript's sentences to the results"
    script:
        "../scripts/paper/check_claims.py"


rule walk_checklist:
    input:
        items_=f"{HERE}paper/checklist.yaml",
        estimates=rules.collect.output.estimates,
        facts=[rules.collect.output.facts, *FACTS],
        claims=rules.check_claims.output.claims,
        tables=[
            path
            for stage, paths in {
                "build_weights": [rules.build_weights.output.balance],
                "analyse_robustness": [rules.analyse_robustness.output.curve],
                "analyse_exposure": [rules.analyse_exposure.output.rotemberg],
                "analyse_toser": rules.analyse_toser.output,
            }.items()
            if stage not in LACKING
            for path in paths
        ],
        figures=SHOWN_FIGURES,
    output:
        checklist=shown("results/checklist.csv", "paper", "checks"),
    log:
        "logs/walk_checklist.json",
    benchmark:
        "benchmarks/walk_checklist.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        acknowledged=config["acknowledged"],
        policy=config["claims"],
        here=HERE,
        code=code_of("workflow/monotowns", "workflow/scripts/paper/walk_checklist.py"),
    message:
        "Checklist: what referees look for, item by item"
    script:
        "../scripts/paper/walk_checklist.py"


rule compile_paper:
    input:
        main=f"{HERE}paper/main.typ",
        library=f"{HERE}paper/lib.typ",
        sections=[f"{HERE}paper/sections/{s}.typ" for s in SECTIONS],
        references=f"{HERE}paper/references.bib",
        contracts=CONTRACTS,
        claims=rules.check_claims.output.claims,
        left_out=rules.check_claims.output.left_out,
        checklist=rules.walk_checklist.output.checklist,
        numbers=rules.collect.output.numbers,
        tables=SHOWN_TABLES,
        bench=f"{HERE}results/expected/bench.csv",
        figures=SHOWN_FIGURES,
    output:
        paper=shown("results/paper.pdf", "paper", "manuscript"),
    log:
        "logs/compile_paper.json",
    benchmark:
        "benchmarks/compile_paper.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        author=config["author"],
        here=HERE,
        code=code_of("workflow/monotowns", "workflow/scripts/paper/compile_paper.py"),
    message:
        "Paper: typeset results/paper.pdf"
    script:
        "../scripts/paper/compile_paper.py"
