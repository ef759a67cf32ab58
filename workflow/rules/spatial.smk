# Spatial dependence of incomes, convergence, and the urban hierarchy.
rule analyse_spatial:
    input:
        panel=rules.build_panel.output.panel,
    output:
        records=shown(
            "results/estimates/analyse_spatial.csv", "spatial", "records", "records"
        ),
        facts="results/facts/spatial.json",
    log:
        "logs/analyse_spatial.json",
    benchmark:
        "benchmarks/analyse_spatial.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        settings=config["spatial"],
        list_year=config["monotown"]["main"]["list"],
        draws=config["draws"],
        seed=config["seed"],
        code=code_of(
            "workflow/monotowns", "workflow/scripts/analyse/analyse_spatial.py"
        ),
    message:
        "Spatial: panels over several weights, impacts, tests of dependence"
    script:
        "../scripts/analyse/analyse_spatial.py"


rule analyse_convergence:
    input:
        panel=rules.build_panel.output.panel,
        towns=f"{TABLE_FOLDER}/towns_2020.csv",
    output:
        records=shown(
            "results/estimates/analyse_convergence.csv",
            "spatial",
            "records",
            "records",
        ),
        facts="results/facts/convergence.json",
        inequality=shown("results/tables/inequality.csv", "spatial"),
        clubs=shown("results/tables/convergence_clubs.csv", "spatial"),
        clubs_print=shown("results/tables/convergence_clubs_print.csv", "spatial"),
    log:
        "logs/analyse_convergence.json",
    benchmark:
        "benchmarks/analyse_convergence.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        tails=config["rank_size"],
        seed=config["seed"],
        code=code_of(
            "workflow/monotowns", "workflow/scripts/analyse/analyse_convergence.py"
        ),
    message:
        "Convergence: beta, sigma, Theil, clubs; towns by rank and growth by size"
    script:
        "../scripts/analyse/analyse_convergence.py"
