# The manuscript: its sentences held to the results, the referees' checklist, the PDF.
from pathlib import Path

from monotowns.manuscript.text import needs_of
from monotowns.run.schema import read

SECTIONS = sorted(Path(f"{HERE}paper/sections").glob("*.typ"))
SHOWN_FIGURES = [f"results/figures/{name}.svg" for name in DRAWN]
SHOWN_TABLES = [
    *filter(
        REACH.has,
        [
            rules.build_panel.output.flow,
            rules.build_stages.output.grid_print,
            rules.analyse_convergence.output.clubs_print,
            rules.validate_estimators.output.table,
        ],
    ),
    rules.collect.output.samples_print,
    rules.collect.output.estimates_print,
    *([rules.tabulate_effects.output.cells_print] if EFFECTS else []),
    "results/checklist.csv",
]
# A stage of another layout, or of a table that is not declared, is no rule here at all.
NEEDS = {
    need for path in SECTIONS for need in needs_of(path.read_text(encoding="utf-8"))
}
KNOWN = {REACH.called(one) for one in REACH.rules()} | REGISTERED
LACKING = REACH.lacking() | {need: need for need in sorted(NEEDS - KNOWN)}
with refusals():
    ARTEFACTS = {item["artefact"] for item in read(f"{HERE}paper/checklist.yaml")}


rule check_claims:
    input:
        sections=SECTIONS,
        claims=f"{HERE}paper/claims.yaml",
        numbers=rules.collect.output.numbers,
        estimates=rules.collect.output.estimates,
        facts=REACH.made("facts"),
        flows=rules.collect.output.samples,
    output:
        claims=shown("results/claims.csv", "paper", "checks"),
        left_out=shown("results/tables/left_out.csv", "paper", "checks"),
    log:
        "logs/check_claims.json",
    params:
        shown=[*SHOWN_FIGURES, *SHOWN_TABLES],
        lacking=LACKING,
        policy=config["claims"],
    message:
        "Claims: hold the manuscript's sentences to the results"
    script:
        "../scripts/paper/check_claims.py"


rule walk_checklist:
    input:
        items_=f"{HERE}paper/checklist.yaml",
        estimates=rules.collect.output.estimates,
        facts=REACH.made("facts"),
        claims=rules.check_claims.output.claims,
        artefacts=sorted(filter(REACH.makes, ARTEFACTS)),
    output:
        checklist=shown("results/checklist.csv", "paper", "checks"),
    log:
        "logs/walk_checklist.json",
    params:
        acknowledged=config["acknowledged"],
        policy=config["claims"],
        here=HERE,
    message:
        "Checklist: what referees look for, item by item"
    script:
        "../scripts/paper/walk_checklist.py"


rule compile_paper:
    input:
        main=f"{HERE}paper/main.typ",
        library=f"{HERE}paper/lib.typ",
        sections=SECTIONS,
        references=f"{HERE}paper/references.bib",
        # Nothing is typeset from a panel whose contracts were not held.
        contracts=REACH.made("contracts"),
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
    params:
        author=config["author"],
        here=HERE,
    message:
        "Paper: typeset results/paper.pdf"
    script:
        "../scripts/paper/compile_paper.py"
