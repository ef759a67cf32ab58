# The study at a glance: config -> panel -> estimates -> figures -> paper.
# Each rule file below is one stage; a stage reads only what the stage before it wrote.
import os
import re
import shlex
import sys
from functools import partial

from monotowns.run import needs
from monotowns.run.provenance import beside, code_of, commit
from monotowns.run.settings import ESTIMATORS, complete_config, load_section, load_specifications
from monotowns.acquire.registry import load_registry
from monotowns.run.stage import refusals

# Snakemake puts this path into a shell command unquoted; a folder with a space would end it early.
if any(letter.isspace() for letter in sys.executable):
    sys.executable = shlex.quote(sys.executable)

# One thread a job, whatever the shell says: sums then do not depend on the machine, and jobs run
# side by side. The commit goes into every job's record.
os.environ |= dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
# What is committed lies here, what a run writes in the working folder: the two differ when
# another workflow imports this one as a module or a run is given another --directory.
HERE = beside(workflow.current_basedir, os.getcwd())
code_of = partial(code_of, root=HERE)
os.environ |= {"MONOTOWNS_COMMIT": commit(HERE or ".")}

# No `configfile:`, which a module with a config of its own would ignore: the defaults stay beneath
# whatever is given.
with refusals():
    complete_config(config, f"{HERE}config/config.yaml", f"{HERE}config/local.yaml")


report: "workflow/report/workflow.rst"


SPECIFICATION_FILES = [os.path.join(HERE, path) for path in config["specifications"]]
with refusals():
    SPECIFICATIONS = load_specifications(SPECIFICATION_FILES, config["years"])
    CURVES = load_section(SPECIFICATION_FILES, "curves")
    FAMILIES = load_section(SPECIFICATION_FILES, "families")
SNAPSHOT = os.path.join(HERE, config["data"]["folder"])
TABLE_FOLDER = {"snapshot": SNAPSHOT, "download": "data/clean"}[config["acquisition"]]
# What the tables at hand can carry; the rest is left out, and the paper says so.
LAYOUT = config["data"]["layout"]
PANEL_RULES = {
    "rosstat": "workflow/rules/panel.smk",
    "municipalities": "workflow/rules/panel_municipalities.smk",
}[LAYOUT]
with refusals():
    TABLES = {
        "snapshot": needs.tables_in(SNAPSHOT),
        "download": {
            t
            for s in load_registry(f"{HERE}data/sources.yaml").values()
            for t in s.tables
        },
    }[config["acquisition"]]
DECLARED = {"curves": CURVES, "families": FAMILIES}
with refusals():
    LACKING = needs.lacking(
        LAYOUT, TABLES | {k for k, v in DECLARED.items() if v}, config["leave_out"]
    )
    needs.stop_at_lost_tables(LACKING, config["claims"])
LEFT_OUT = needs.specifications_lacking(SPECIFICATIONS, TABLES, LACKING)
JOINED = {t: f"{TABLE_FOLDER}/{t}.csv" for t in config["data"]["joined"]}


include: "workflow/rules/common.smk"
include: "workflow/rules/acquire.smk"
include: PANEL_RULES
include: "workflow/rules/measure.smk"
include: "workflow/rules/analyse.smk"
include: "workflow/rules/spatial.smk"
include: "workflow/rules/estimate.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/audit.smk"


rule all:
    default_target: True
    input:
        "results/paper.pdf",
        AUDIT,
        DRIFT,
