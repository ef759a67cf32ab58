# What the rule files call on.
def table(name):
    """A source table that a rule cannot do without."""
    return f"{FOLDER}/{name}.csv"


def optional(**tables):
    """Those source tables that there are, by the names that a script gives them."""
    return {name: table(t) for name, t in tables.items() if t in TABLES}


def shown(path, question, kind="table", caption=None):
    """A result with its place in the report; its caption stands under its file's stem."""
    stem = os.path.basename(path).split(".")[0]
    return report(
        path,
        caption=f"../report/{caption or stem}.rst",
        category=HEADINGS.get(question, question.capitalize()),
        labels={"result": stem, "kind": kind},
    )


def equip(one):
    """Give a rule the environment, and the digest of the code that its script reaches.

    Snakemake sees an edit of a script but not of the modules that it imports; with the digest
    among a rule's params an edit of their logic, not of a comment, reruns what depends on it.
    """
    if one.script:
        one.conda_env = workflow.current_basedir.join("envs/environment.yaml")
        script = os.path.join("workflow", *one.script.split("/")[-3:])
        one.set_params(code=code_of("workflow/monotowns", script, root=HERE))


def source_of(wildcards):
    """The source of a raw file, or of a table that is read from one."""
    return SOURCES[wildcards.get("file") or RAW_FILE[wildcards.table]]
