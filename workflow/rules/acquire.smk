# With `acquisition: snapshot` the committed tables are read and only their contracts are checked
# here. With `download` the raw files are fetched, verified and read anew, and every difference
# from the snapshot is reported.
RAW_FILE = {
    t: file for file, s in SOURCES.items() if s.access == "open" for t in s.tables
}
COMPILED = [t for s in SOURCES.values() if s.access == "compiled" for t in s.tables]
READ_ANEW = list(RAW_FILE) if config["acquisition"] == "download" else []
DRIFT = expand("data/drift/{t}.csv", t=READ_ANEW)
SOURCE_TABLES = [t for s in SOURCES.values() for t in s.tables if t in TABLES]


rule download:
    input:
        # An edit of the registry's other entries fetches nothing anew.
        registry=ancient(REGISTRY),
    output:
        # A file that is there is verified, not fetched anew, when only the rule's code changed.
        raw=update("data/raw/{file}"),
    log:
        "logs/download/{file}.json",
    wildcard_constraints:
        file="|".join(map(re.escape, SOURCES)),
    params:
        sha256=lambda w: source_of(w).sha256,
        quarantine="data/quarantine",
    message:
        "Download {wildcards.file}"
    script:
        "../scripts/acquire/download.py"


rule read_source:
    input:
        registry=ancient(REGISTRY),
        raw=lambda w: f"data/raw/{RAW_FILE[w.table]}",
    output:
        table="data/clean/{table}.csv",
    log:
        "logs/read_source/{table}.json",
    wildcard_constraints:
        table="|".join(RAW_FILE),
    params:
        sha256=lambda w: source_of(w).sha256,
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
    wildcard_constraints:
        table="|".join(COMPILED),
    message:
        "Take {wildcards.table}: compiled by the authors, its snapshot is the original"
    script:
        "../scripts/acquire/take_compiled.py"


rule compare_snapshot:
    input:
        snapshot=os.path.join(SNAPSHOT, "{table}.csv"),
        now="data/clean/{table}.csv",
    output:
        drift="data/drift/{table}.csv",
    log:
        "logs/compare_snapshot/{table}.json",
    wildcard_constraints:
        table="|".join(RAW_FILE),
    params:
        key=lambda w: source_of(w).tables[w.table],
    message:
        "Compare {wildcards.table} with its snapshot"
    script:
        "../scripts/acquire/compare_snapshot.py"


rule check_tables:
    input:
        **{name: table(name) for name in SOURCE_TABLES},
        hand_crosswalk=f"{HERE}data/corrections/crosswalk.csv",
        hand_towns=f"{HERE}data/corrections/towns.csv",
        row_counts=f"{HERE}data/row_counts.csv",
        known_faults=f"{HERE}data/known_faults.csv",
        # Reported before a contract can stop the run: what changed is often why it fails.
        drift=DRIFT,
    output:
        verdicts="data/panel/source_contracts.csv",
    log:
        "logs/check_tables.json",
    params:
        tables=SOURCE_TABLES,
        read_anew=READ_ANEW,
    message:
        "Contracts: columns, keys, row counts and sums of the sources' tables"
    script:
        "../scripts/acquire/check_tables.py"
