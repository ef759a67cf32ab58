"""The study on a Slurm cluster: two nodes that live on this machine."""

import os
import re
import subprocess
import sys
import time

import pytest
import yaml
from checkout import ROOT, built_copy
from loopback import Cluster

pytestmark = pytest.mark.workflow

#: What the cluster makes anew, with all that rests on it: a job of every kind.
ANEW = ("build_stages", "validate_estimators", "analyse_spatial", "draw_figures")
#: An estimate of every question: as many jobs as a submission takes.
ESTIMATES = (
    "agglomeration_within",
    "scales_europe",
    "gap_main",
    "toser_stacked",
    "reindustrialisation_towns",
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("slurm")) as two_nodes:
        yield two_nodes


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of this machine's finished run."""
    folder = built_copy(tmp_path_factory.mktemp("study"))
    if folder is None:
        pytest.skip("nothing built yet: say make first")
    return folder


def start(cluster, tree, *words):
    """Begin a run through the profile."""
    # The nodes are idle: what ended is asked for at once, not after the profile's twelve seconds.
    soon = ["--slurm-init-seconds-before-status-checks", "1"]
    profile = ["--profile", "workflow/profiles/slurm", *soon]
    command = [sys.executable, "-m", "snakemake", *profile, *words]
    search = os.pathsep.join([str(tree / "workflow"), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"PATH": cluster.path, "PYTHONPATH": search}
    with (tree / "run.txt").open("w") as told:
        return subprocess.Popen(command, cwd=tree, env=env, stdout=told, stderr=told)


def finish(run, tree, seconds=3600):
    try:
        code = run.wait(seconds)
    finally:
        run.kill()
    told = (tree / "run.txt").read_text(encoding="utf-8")
    assert code == 0, told[-3000:]
    return told


def differing(tree, files):
    return [f for f in files if (tree / f).read_bytes() != (ROOT / f).read_bytes()]


def test_the_cluster_gives_the_bytes_of_this_machine(cluster, tree):
    estimates = [f"results/estimates/{name}.csv" for name in ESTIMATES]
    began = time.time()
    told = finish(start(cluster, tree, "--forcerun", *ANEW, *estimates), tree)
    jobs = int(re.search(r"of (\d+) steps \(100%\) done", told)[1])
    new = [p for p in tree.glob("[lr]*/**/*.*") if p.is_file() and p.stat().st_mtime > began]
    made = [p.relative_to(tree) for p in new if p.relative_to(tree).parts[0] == "results"]
    assert {p.suffix for p in made} >= {".csv", ".json", ".svg", ".png", ".pdf"}
    # The audit tells of the run itself, its hours and its machine.
    assert any(path.is_relative_to("results/audit") for path in made)
    assert differing(tree, [p for p in made if not p.is_relative_to("results/audit")]) == []
    # Every job has left its record, wherever it ran; the target `all` only names files.
    assert len(new) - len(made) == jobs - 1 > len(ANEW) + len(ESTIMATES)
    # The estimates share one submission.
    assert cluster.submitted() <= jobs - len(ESTIMATES) + 1


def test_a_node_that_goes_down_costs_only_its_jobs(cluster, tree):
    targets = [f"results/estimates/{name}.csv" for name in ESTIMATES]
    for target in targets:
        (tree / target).unlink()
    before = cluster.submitted()
    run = start(cluster, tree, "--group-components", "estimates=1", "--", *targets)
    working = ["-h", "-w", "n2", "-t", "running", "-o", "%i"]
    end = time.monotonic() + 600
    while not cluster.ask("squeue", *working):
        assert run.poll() is None and time.monotonic() < end, "nothing ran on the second node"
        time.sleep(0.5)
    cluster.lose("n2")
    told = finish(run, tree)
    # Each lost job, and none but these, was tried once more.
    lost = cluster.ask("squeue", "-h", "-t", "node_fail", "-o", "%i").split()
    assert told.count("Trying to restart job") == len(lost) > 0
    assert cluster.submitted() - before == len(targets) + len(lost)
    assert differing(tree, targets) == []


@pytest.mark.parametrize("profile", ["slurm", "kubernetes"])
def test_short_jobs_are_grouped(profile):
    text = (ROOT / f"workflow/profiles/{profile}/config.yaml").read_text(encoding="utf-8")
    config = yaml.safe_load(text)
    specifications = (ROOT / "config/specifications.yaml").read_text(encoding="utf-8")
    asked = {s["question"] for s in yaml.safe_load(specifications)["specifications"].values()}
    assert config["groups"] == {f"estimate_{question}": "estimates" for question in asked}
    assert config["group-components"] == {"estimates": len(asked)}


def test_the_kubernetes_profile_runs_dry():
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--profile",
        "workflow/profiles/kubernetes",
        "--executor",
        "dryrun",
        "--dry-run",
        "--forceall",
        "--quiet",
        "--default-storage-provider",
        "none",
        "--shared-fs-usage",
        "input-output",
        "persistence",
        "sources",
        "source-cache",
        "software-deployment",
        "storage-local-copies",
    ]
    search = os.pathsep.join([str(ROOT / "workflow"), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"PYTHONPATH": search}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
