# The study at a glance: tables -> panel -> measures -> estimates -> figures -> paper -> audit.
# Each rule file is one stage and reads only what the stages before it wrote.
import os
import re
import shlex
import sys

from monotowns.acquire.registry import load_registry, verify_tables
from monotowns.estimate.specification import load_section, load_specifications
from monotowns.run.provenance import beside, code_of, commit
from monotowns.run.reach import Reach, tables_in
from monotowns.run.settings import complete_config
from monotowns.run.stage import refusals

# Snakemake puts this path into a shell command unquoted; a folder with a space would end it early.
if any(letter.isspace() for letter in sys.executable):
    sys.executable = shlex.quote(sys.executable)

# One thread a job: sums then do not depend on the machine, and jobs run side by side.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
os.environ |= dict.fromkeys(THREADS, "1")
# What is committed lies here, what a run writes in the working folder: the two differ when
# another workflow imports this one as a module or a run is given another --directory.
HERE = beside(workflow.current_basedir, os.getcwd())
os.environ |= {"MONOTOWNS_COMMIT": commit(HERE or ".")}
FOREIGN = {id(one) for one in workflow.rules}


report: "workflow/report/workflow.rst"


# No `configfile:`, which a module with a config of its own would ignore: the defaults stay beneath
# whatever is given.
with refusals():
    complete_config(config, f"{HERE}config/config.yaml", f"{HERE}config/local.yaml")
    FILES = [os.path.join(HERE, path) for path in config["specifications"]]
    SPECIFICATIONS = load_specifications(FILES, config["years"])
    DECLARED = {kind: load_section(FILES, kind) for kind in ("curves", "families")}
    HEADINGS = load_section(FILES, "questions")
    EFFECTS = load_section(FILES, "effects")
    REGISTRY = f"{HERE}data/sources.yaml"
    SOURCES = {source.file: source for source in load_registry(REGISTRY).values()}

LAYOUT = config["data"]["layout"]
SNAPSHOT = os.path.join(HERE, config["data"]["folder"])
with refusals():
    if config["acquisition"] == "snapshot":
        verify_tables(SNAPSHOT, SOURCES.values(), REGISTRY)
REGISTERED = {t for source in SOURCES.values() for t in source.tables}
FOLDER, TABLES = {
    "snapshot": (SNAPSHOT, tables_in(SNAPSHOT)),
    "download": ("data/clean", REGISTERED),
}[config["acquisition"]]
# What the tables at hand do not reach is left out of the run, and the paper says so.
BEFORE, AFTER = workflow.modifier.modify_rulename("*").split("*")
REACH = Reach(
    lambda: [one for one in workflow.rules if id(one) not in FOREIGN],
    FOLDER,
    TABLES,
    config["leave_out"],
    placed=workflow.modifier.modify_path,
    called=lambda one: one.name.removeprefix(BEFORE).removesuffix(AFTER),
)


include: "workflow/rules/common.smk"
include: "workflow/rules/acquire.smk"
include: f"workflow/rules/panel_{LAYOUT}.smk"
include: "workflow/rules/measure.smk"


if LAYOUT == "rosstat":

    include: "workflow/rules/layers.smk"
    include: "workflow/rules/effects.smk"


include: "workflow/rules/estimate.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/audit.smk"


with refusals():
    REACH.refuse_lost_tables(config["claims"])
for one in REACH.rules():
    equip(one)


rule all:
    default_target: True
    input:
        "results/paper.pdf",
        "results/audit",
        DRIFT,
