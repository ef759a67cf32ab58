"""A fork keeps its settings in its own files: what comes from upstream merges without conflict."""

import pytest
import yaml
from checkout import checkout, edit, git
from monotowns.run.settings import complete_config

from forks.run import ran, snakemake

pytestmark = pytest.mark.workflow

REGRESSION = "{question: gap, group: exploratory, estimator: ols, treatment: monotown}"
MINE = f"specifications:\n  gap_mine: {REGRESSION}\n  gap_any: null\n"


def test_a_forks_layer_takes_what_upstream_changes(tmp_path):
    folder = checkout(tmp_path / "study")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "the study")

    git(folder, "switch", "-qc", "fork")
    (folder / "config/mine.yaml").write_text(MINE, encoding="utf-8")
    (folder / "config/local.yaml").write_text(
        yaml.safe_dump(
            {
                "specifications": ["config/specifications.yaml", "config/mine.yaml"],
                "market_potential": {"kappa_km": 60},
                "claims": "report",
            }
        ),
        encoding="utf-8",
    )
    git(folder, "add", "-f", "config/local.yaml", "config/mine.yaml")
    git(folder, "commit", "-qm", "another decay")

    # Upstream changes the very mappings that the fork's layer changes, and adds a regression.
    git(folder, "switch", "-q", "main")
    before = yaml.safe_load((folder / "config/config.yaml").read_text(encoding="utf-8"))["seed"]
    edit(folder / "config/config.yaml", "\nseed: ", "\nseed: 1")
    edit(folder / "config/config.yaml", "kappa_km: 200", "kappa_km: 220")
    edit(
        folder / "config/specifications.yaml",
        "\nspecifications:\n",
        f"\nspecifications:\n  gap_new: {REGRESSION}\n",
    )
    git(folder, "commit", "-qam", "another seed")
    git(folder, "switch", "-q", "fork")
    git(folder, "merge", "-q", "--no-edit", "main")
    assert git(folder, "status", "--porcelain") == ""

    targets = [f"results/estimates/{s}.csv" for s in ("gap_mine", "gap_new")]
    planned = snakemake(folder, "--dry-run", "--printshellcmds", *targets)
    assert planned.returncode == 0, planned.stdout[-3000:]
    assert ran(planned).count("estimate_gap") == 1  # one job for both
    gone = snakemake(folder, "--dry-run", "results/estimates/gap_any.csv")
    assert gone.returncode != 0  # the fork has taken it out
    config = {}
    complete_config(config, *(folder / f"config/{name}.yaml" for name in ("config", "local")))
    assert str(config["seed"]) == f"1{before}"  # upstream's
    assert config["market_potential"]["kappa_km"] == 60  # the fork's
