# With `acquisition: snapshot` nothing here runs: the committed tables are read. With `download`
# the raw files are fetched, verified and read anew, and every difference is reported.
REGISTRY = f"{HERE}data/sources.yaml"
with refusals():
    SOURCES = {source.file: source for source in load_registry(REGISTRY).values()}
RAW_FILE = {
    t: file for file, s in SOURCES.items() if s.access == "open" for t in s.tables
}
COMPILED = [t for s in SOURCES.values() if s.access == "compiled" for t in s.tables]
READ_ANEW = list(RAW_FILE) if config["acquisition"] == "download" else []
DRIFT = expand("data/drift/{t}.csv", t=READ_ANEW)
SOURCE_TABLES = [t for s in SOURCES.values() for t in s.tables if t in TABLES]


rule download:
    input:
        # An edit of the registry's other entries or words fetches nothing anew.
        registry=ancient(REGISTRY),
    output:
        # A file that is there is verified, not fetched anew, when only the rule's code changed.
        raw=update("data/raw/{file}"),
    log:
        "logs/download/{file}.json",
    benchmark:
        "benchmarks/download/{file}.tsv"
    wildcard_constraints:
        file="|".join(map(re.escape, SOURCES)),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=500,
        runtime=30,
    params:
        sha256=registered_digest,
        quarantine="data/quarantine",
        code=code_of("workflow/monotowns", "workflow/scripts/acquire/download.py"),
    message:
        "Download {wildcards.file}"
    script:
        "../scripts/acquire/download.py"


rule read_source:
    input:
        registry=ancient(REGISTRY),
        raw=raw_file,
    output:
        table="data/clean/{table}.csv",
    log:
        "logs/read_source/{table}.json",
    benchmark:
        "benchmarks/read_source/{table}.tsv"
    wildcard_constraints:
        table="|".join(RAW_FILE),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1500,
        runtime=5,
    params:
        sha256=registered_digest,
        code=code_of("workflow/monotowns", "workflow/scripts/acquire/read_source.py"),
    message:
        "Read {wildcards.table} from its raw file"
    script:
        "../scripts/acquire/read_source.py"


rule take_compiled:
    input:
        snapshot=os.path.join(SNAPSHOT, "{table}.csv"),
    output:
        table="data/clean/{table}.csv",
    log:
        "logs/take_compiled/{table}.json",
    benchmark:
        "benchmarks/take_compiled/{table}.tsv"
    wildcard_constraints:
        table="|".join(COMPILED),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code_of("workflow/monotowns", "workflow/scripts/acquire/take_compiled.py"),
    message:
        "Take {wildcards.table}: compiled by the authors, its snapshot is the original"
    script:
        "../scripts/acquire/take_compiled.py"


rule compare_snapshot:
    input:
        snapshot=os.path.join(SNAPSHOT, "{table}.csv"),
        now=rules.read_source.output.table,
    output:
        drift="data/drift/{table}.csv",
    log:
        "logs/compare_snapshot/{table}.json",
    benchmark:
        "benchmarks/compare_snapshot/{table}.tsv"
    wildcard_constraints:
        table="|".join(RAW_FILE),
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        key=table_key,
        code=code_of(
            "workflow/monotowns", "workflow/scripts/acquire/compare_snapshot.py"
        ),
    message:
        "Compare {wildcards.table} with its snapshot"
    script:
        "../scripts/acquire/compare_snapshot.py"


rule check_tables:
    input:
        **{t: f"{TABLE_FOLDER}/{t}.csv" for t in SOURCE_TABLES},
        hand_crosswalk=f"{HERE}data/corrections/crosswalk.csv",
        hand_towns=f"{HERE}data/corrections/towns.csv",
        row_counts=f"{HERE}data/row_counts.csv",
        known_faults=f"{HERE}data/known_faults.csv",
        # Told before a contract can stop the run: what changed is often why it fails.
        drift=DRIFT,
    output:
        verdicts="data/panel/source_contracts.csv",
    log:
        "logs/check_tables.json",
    benchmark:
        "benchmarks/check_tables.tsv"
    conda:
        "../../envs/environment.yaml"
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        tables=SOURCE_TABLES,
        read_anew=READ_ANEW,
        code=code_of("workflow/monotowns", "workflow/scripts/acquire/check_tables.py"),
    message:
        "Contracts: columns, keys, row counts and sums of the sources' tables"
    script:
        "../scripts/acquire/check_tables.py"
