# What the rules call on: the settings and the code of each job, and its place in the report.
QUESTIONS = {
    "data": "Data and samples",
    "agglomeration": "Income and market potential",
    "scales": "Local, national and foreign markets",
    "gap": "Income of monotowns",
    "toser": "Territories of advanced development",
    "stages": "Stages of industry",
    "reindustrialisation": "From 2020 on, by industry",
    "potential": "Development potential",
    "spatial": "Spatial dependence and convergence",
    "robustness": "Robustness",
    "paper": "The paper",
}


def registered_digest(wildcards):
    """A new registered vintage fetches and reads its own file and no other."""
    return SOURCES[wildcards.get("file") or RAW_FILE[wildcards.table]].sha256


def raw_file(wildcards):
    """The raw file that holds a table."""
    return f"data/raw/{RAW_FILE[wildcards.table]}"


def table_key(wildcards):
    """The columns that identify a row of a table."""
    return SOURCES[RAW_FILE[wildcards.table]].tables[wildcards.table]


def specification(wildcards):
    """The specification of a job: a change of one specification reruns only its own job."""
    return SPECIFICATIONS[wildcards.specification]


def estimator_code(wildcards):
    """The code that a specification's estimation reaches."""
    spec = SPECIFICATIONS[wildcards.specification]
    chosen = [f"estimate.{ESTIMATORS[spec['estimator']]}"]
    chosen += ["estimate.variances"] if spec.get("variances") else []
    return code_of(
        "workflow/monotowns", "workflow/scripts/estimate/estimate.py", *chosen
    )


def shown(path, question, kind="table", caption=None):
    """A result with its place in the report; its caption stands under its file's stem."""
    stem = os.path.basename(path).split(".")[0]
    labels = {"result": stem, "kind": kind}
    return report(
        path,
        caption=f"../report/{caption or stem}.rst",
        category=QUESTIONS[question],
        labels=labels,
    )


def question_of(wildcards):
    """Heading of a specification in the report."""
    return QUESTIONS[SPECIFICATIONS[wildcards.specification]["question"]]


def drawn(question, *names):
    """The two files of every figure, by the names that the script gives them."""
    files = {f"{n}_png": f"results/figures/{n}.png" for n in names}
    return files | {
        f"{n}_svg": shown(f"results/figures/{n}.svg", question, "figure") for n in names
    }


def figure_code(group):
    """The code that a group of figures reaches."""
    return code_of(
        "workflow/monotowns", "workflow/scripts/figures/draw.py", f"figures.{group}"
    )


def at_hand(**tables):
    """The files of those tables that are there, by the names that a script gives them."""
    return {k: f"{TABLE_FOLDER}/{t}.csv" for k, t in tables.items() if t in TABLES}
