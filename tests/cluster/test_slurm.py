"""The study on a Slurm cluster: two nodes that live on this machine."""

import json
import os
import subprocess
import sys
import time

import pytest
import yaml
from checkout import ROOT, checkout
from loopback import Cluster
from monotowns.audit.rules import rules_of

pytestmark = pytest.mark.workflow

#: Estimates of the run that loses a node.
LOST = ("gap_main", "gap_strict", "gap_any", "gap_list_2024", "gap_steady", "gap_balanced")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("slurm")) as two_nodes:
        yield two_nodes


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    if not (ROOT / "results/paper.pdf").exists():
        pytest.skip("nothing built yet: say make first")
    return checkout(tmp_path_factory.mktemp("study"))


def start(cluster, tree, *words):
    """Begin a run through the profile; it asks the cluster more often than one would in earnest."""
    command = [sys.executable, "-m", "snakemake", "--profile", "workflow/profiles/slurm",
               "--slurm-init-seconds-before-status-checks", "1", *words]  # fmt: skip
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


def results(tree):
    files = (p.relative_to(tree) for p in (tree / "results").rglob("*") if p.is_file())
    return [str(f) for f in files if "expected" not in f.parts]


def test_the_cluster_gives_the_bytes_of_this_machine(cluster, tree):
    told = finish(start(cluster, tree), tree)
    files = results(tree)
    assert {f.rsplit(".", 1)[-1] for f in files} >= {"csv", "json", "svg", "png", "pdf"}
    assert differing(tree, files) == []
    # Every job has left its record, wherever it ran.
    jobs = int(told.split("/", 1)[1].split("]", 1)[0])
    records = list((tree / "logs").rglob("*.json"))
    assert len(records) == jobs
    assert all(json.loads(r.read_text(encoding="utf-8"))["outputs"] for r in records)
    # Grouped jobs share a submission: the estimates three of them, the figures a few.
    assert cluster.submitted() < jobs / 2
    print(f"{cluster.submitted()} submissions for {jobs} jobs")


def test_a_node_that_goes_down_costs_only_its_jobs(cluster, tree):
    if not (tree / "results/paper.pdf").exists():
        pytest.skip("the run before did not end")
    targets = [f"results/estimates/{name}.csv" for name in LOST]
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
    assert told.count("once more") == len(lost) > 0
    assert cluster.submitted() - before == len(targets) + len(lost)
    assert differing(tree, targets) == []


@pytest.mark.parametrize("profile", ["slurm", "kubernetes"])
def test_short_jobs_are_grouped(profile):
    text = (ROOT / f"workflow/profiles/{profile}/config.yaml").read_text(encoding="utf-8")
    config = yaml.safe_load(text)
    figures = {n for n, rule in rules_of(ROOT).items() if rule.file.endswith("figures.smk")}
    assert config["groups"] == dict.fromkeys(figures, "figures") | {"estimate": "estimates"}
    assert set(config["group-components"]) == {"figures", "estimates"}


def test_the_kubernetes_profile_runs_dry():
    command = [sys.executable, "-m", "snakemake", "--profile", "workflow/profiles/kubernetes",
               "--executor", "dryrun", "--dry-run", "--forceall", "--quiet",
               "--default-storage-provider", "none", "--shared-fs-usage", "input-output",
               "persistence", "sources", "source-cache", "software-deployment",
               "storage-local-copies"]  # fmt: skip
    search = os.pathsep.join([str(ROOT / "workflow"), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"PYTHONPATH": search}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
