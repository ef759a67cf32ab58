# With `acquisition: snapshot` nothing here runs: the committed tables are read. With `download`
# the raw files are fetched, verified and read anew, and every difference is reported.
REGISTRY = f"{HERE}data/sources.yaml"
SOURCES = {source.file: source for source in load_registry(REGISTRY).values()}
RAW_FILE = {
    t: file for file, s in SOURCES.items() if s.access == "open" for t in s.tables
}
COMPILED = [t for s in SOURCES.values() if s.access == "compiled" for t in s.tables]
DRIFT = expand(
    "data/drift/{t}.csv", t=RAW_FILE if config["acquisition"] == "download" else []
)


def registered_digest(wildcards):
    """A new registered vintage fetches and reads its own file and no other."""
    return SOURCES[wildcards.get("file") or RAW_FILE[wildcards.table]].sha256


def raw_file(wildcards):
    """The raw file that holds a table."""
    return f"data/raw/{RAW_FILE[wildcards.table]}"


def table_key(wildcards):
    """The columns that identify a row of a table."""
    return SOURCES[RAW_FILE[wildcards.table]].tables[wildcards.table]


def reader_code(wildcards):
    """The code that reads a table; a new source's own module is found by its name."""
    own = own_module(wildcards.table)
    return code_of(
        "workflow/monotowns",
        "workflow/scripts/acquire/read_source.py",
        *([own] if own else []),
    )


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
    resources:
        mem_mb=1500,
        runtime=5,
    params:
        sha256=registered_digest,
        code=reader_code,
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
