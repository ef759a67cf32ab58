# The study at a glance: config -> panel -> estimates -> figures -> paper.
# Each rule file below is one stage; a stage reads only what the stage before it wrote.
from monotowns.provenance import code_of
from monotowns.settings import check_config, load_specifications


configfile: "config/config.yaml"


SPECIFICATIONS = load_specifications("config/specifications.yaml")
check_config(config)


include: "workflow/rules/panel.smk"
include: "workflow/rules/estimate.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/paper.smk"


rule all:
    default_target: True
    input:
        "results/paper.pdf",
