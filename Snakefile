# The study at a glance: config -> panel -> estimates -> figures -> paper.
# Each rule file below is one stage; a stage reads only what the stage before it wrote.
import os
import re
import shlex
import sys

from monotowns.provenance import code_of, commit
from monotowns.scale.plan import TABLES as SCALE_TABLES
from monotowns.scale.plan import jobs as scale_jobs
from monotowns.settings import (
    ESTIMATORS,
    check_config,
    load_section,
    load_specifications,
)
from monotowns.sources import load_registry

# Snakemake puts this path into a shell command unquoted; a folder with a space would end it early.
if any(letter.isspace() for letter in sys.executable):
    sys.executable = shlex.quote(sys.executable)

# One thread a job, whatever the shell says: sums then do not depend on the machine, and jobs run
# side by side. The commit goes into every job's record.
os.environ |= dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
os.environ["MONOTOWNS_COMMIT"] = commit(".")


configfile: "config/config.yaml"


check_config(config)
SPECIFICATIONS = load_specifications("config/specifications.yaml", config["years"])
CURVES = load_section("config/specifications.yaml", "curves")
FAMILIES = load_section("config/specifications.yaml", "families")
TABLE_FOLDER = {"snapshot": "data/snapshot", "download": "data/clean"}[
    config["acquisition"]
]


include: "workflow/rules/acquire.smk"
include: "workflow/rules/panel.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/analyse.smk"
include: "workflow/rules/spatial.smk"
include: "workflow/rules/estimate.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/scale.smk"
include: "workflow/rules/audit.smk"


rule all:
    default_target: True
    input:
        "results/paper.pdf",
        "results/audit",
        DRIFT,
