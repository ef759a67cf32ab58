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


rule check_claims:
    input:
        sections=expand("paper/sections/{s}.typ", s=SECTIONS),
        guarded=expand("paper/sections/{s}.typ", s=GUARDED),
        claims="paper/claims.yaml",
        estimates=rules.collect.output.estimates,
    output:
        claims=shown("results/claims.csv", "paper", "checks"),
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
        code=code_of("workflow/monotowns", "workflow/scripts/paper/check_claims.py"),
    message:
        "Claims: hold the manuscript's sentences to the results"
    script:
        "../scripts/paper/check_claims.py"


rule walk_checklist:
    input:
        items_="paper/checklist.yaml",
        estimates=rules.collect.output.estimates,
        facts=[rules.collect.output.facts, *FACTS],
        claims=rules.check_claims.output.claims,
        tables=[
            rules.build_weights.output.balance,
            rules.analyse_robustness.output.curve,
            rules.analyse_exposure.output.rotemberg,
            *rules.analyse_toser.output,
        ],
        figures=[
            f"results/figures/{n}.svg" for names in FIGURES.values() for n in names
        ],
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
        code=code_of("workflow/monotowns", "workflow/scripts/paper/walk_checklist.py"),
    message:
        "Checklist: what referees look for, item by item"
    script:
        "../scripts/paper/walk_checklist.py"


rule compile_paper:
    input:
        main="paper/main.typ",
        library="paper/lib.typ",
        sections=expand("paper/sections/{s}.typ", s=SECTIONS),
        references="paper/references.bib",
        contracts=rules.check_contracts.output.contracts,
        claims=rules.check_claims.output.claims,
        checklist=rules.walk_checklist.output.checklist,
        numbers=rules.collect.output.numbers,
        samples=rules.collect.output.samples_print,
        estimates=rules.collect.output.estimates_print,
        tables=PAPER_TABLES,
        figures=[
            f"results/figures/{n}.svg" for names in FIGURES.values() for n in names
        ],
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
        code=code_of("workflow/monotowns", "workflow/scripts/paper/compile_paper.py"),
    message:
        "Paper: typeset results/paper.pdf"
    script:
        "../scripts/paper/compile_paper.py"
