# The chain on simulated panels some times larger than the study's: `make scale`. Nothing here is
# part of the paper's run; the paper prints results/expected/scale.csv.
# A fork's specifications may lack one that a stage names; the study's own must not.
SCALE = dict(config["scale"])
if config["claims"] == "report":
    SCALE_KNOWN = {*SPECIFICATIONS, *CURVES, *config["spatial"]["others"], "main"}
    SCALE["stages"] = {
        name: of
        for name, of in SCALE["stages"].items()
        if next(iter(of.values())) in SCALE_KNOWN
    }
    SCALE["limits"] = {
        name: limit
        for name, limit in SCALE["limits"].items()
        if name in SCALE["stages"]
    }
SCALE_JOBS = scale_jobs(
    SCALE,
    config["spatial"],
    config["monotown"]["main"]["list"],
    SPECIFICATIONS,
    CURVES,
)
SCALE_RECORDS = [
    f"results/scale/{copies}/{job}.json"
    for job, stage in [
        *((table, table) for table in SCALE_TABLES),
        *((job, stage) for job, (stage, _) in SCALE_JOBS.items()),
    ]
    for copies in SCALE["copies"]
    if stage in (SCALE["only"] or [stage])
    and copies <= SCALE["limits"].get(stage, {"copies": copies})["copies"]
]


rule simulate_panel:
    input:
        panel=rules.build_panel.output.panel,
    output:
        rows="data/scale/{copies}/rows.parquet",
        record="results/scale/{copies}/simulate.json",
    log:
        "logs/scale/{copies}/simulate_panel.json",
    benchmark:
        "benchmarks/scale/{copies}/simulate.tsv"
    wildcard_constraints:
        copies=r"\d+",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        seed=config["seed"],
        code=code_of("workflow/monotowns", "workflow/scripts/scale/simulate_panel.py"),
    message:
        "Scale: {wildcards.copies} copies of every entity"
    script:
        "../scripts/scale/simulate_panel.py"


rule assemble_panel:
    input:
        rows=rules.simulate_panel.output.rows,
    output:
        panel="data/scale/{copies}/panel.parquet",
        record="results/scale/{copies}/panel.json",
    log:
        "logs/scale/{copies}/assemble_panel.json",
    benchmark:
        "benchmarks/scale/{copies}/panel.tsv"
    wildcard_constraints:
        copies=r"\d+",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        deflator=config["deflator"],
        code=code_of("workflow/monotowns", "workflow/scripts/scale/assemble_panel.py"),
    message:
        "Scale: panel of {wildcards.copies} copies"
    script:
        "../scripts/scale/assemble_panel.py"


rule measure_panel:
    input:
        panel=rules.assemble_panel.output.panel,
        towns=f"{TABLE_FOLDER}/towns_2020.csv",
        regions=f"{TABLE_FOLDER}/population_regions.csv",
    output:
        measures="data/scale/{copies}/measures.parquet",
        record="results/scale/{copies}/measures.json",
    log:
        "logs/scale/{copies}/measure_panel.json",
    benchmark:
        "benchmarks/scale/{copies}/measures.tsv"
    wildcard_constraints:
        copies=r"\d+",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        settings=rules.build_measures.params.settings,
        code=code_of("workflow/monotowns", "workflow/scripts/scale/measure_panel.py"),
    message:
        "Scale: measures of {wildcards.copies} copies"
    script:
        "../scripts/scale/measure_panel.py"


rule balance_panel:
    input:
        panel=rules.assemble_panel.output.panel,
    output:
        weights="data/scale/{copies}/weights.parquet",
        record="results/scale/{copies}/balance.json",
    log:
        "logs/scale/{copies}/balance_panel.json",
    benchmark:
        "benchmarks/scale/{copies}/balance.tsv"
    wildcard_constraints:
        copies=r"\d+",
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        settings=config["balance"],
        code=code_of("workflow/monotowns", "workflow/scripts/scale/balance_panel.py"),
    message:
        "Scale: balancing weights of {wildcards.copies} copies"
    script:
        "../scripts/scale/balance_panel.py"


rule scale_stage:
    input:
        panel=rules.assemble_panel.output.panel,
        measures=rules.measure_panel.output.measures,
        weights=rules.balance_panel.output.weights,
    output:
        record="results/scale/{copies}/{job}.json",
    log:
        "logs/scale/{copies}/{job}.json",
    benchmark:
        "benchmarks/scale/{copies}/{job}.tsv"
    wildcard_constraints:
        copies=r"\d+",
        job="|".join(SCALE_JOBS),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        stage=scale_name,
        told=scale_told,
        draws=SCALE["draws"],
        seed=config["seed"],
        code=code_of(
            "workflow/monotowns",
            "workflow/scripts/scale/scale_stage.py",
            *[f"models.{module}" for module in sorted(set(ESTIMATORS.values()))],
            "models.variances",
        ),
    message:
        "Scale: {wildcards.job} of {wildcards.copies} copies"
    script:
        "../scripts/scale/scale_stage.py"


rule collect_scale:
    input:
        records=SCALE_RECORDS,
    output:
        table="results/scale.csv",
    log:
        "logs/collect_scale.json",
    benchmark:
        "benchmarks/collect_scale.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        limits=SCALE["limits"],
        code=code_of("workflow/monotowns", "workflow/scripts/scale/collect_scale.py"),
    message:
        "Scale: time, memory and exponents by stage"
    script:
        "../scripts/scale/collect_scale.py"


rule draw_scale:
    input:
        scale=rules.collect_scale.output.table,
    output:
        scale_svg="results/scale.svg",
        scale_png="results/scale.png",
    log:
        "logs/draw_scale.json",
    benchmark:
        "benchmarks/draw_scale.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        group="scale",
        code=figure_code("scale"),
    message:
        "Figures: {params.group}"
    script:
        "../scripts/figures/draw.py"
