rule compile_paper:
    input:
        main="paper/main.typ",
        references="paper/references.bib",
        numbers=rules.collect.output.numbers,
        samples=rules.collect.output.samples,
        flow=rules.build_panel.output.flow,
        figures=[f"results/figures/{n}.svg" for names in FIGURES.values() for n in names],
    output:
        paper="results/paper.pdf",
    log:
        "logs/compile_paper.log",
    benchmark:
        "benchmarks/compile_paper.tsv"
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
