"""The replication package: what it holds, its bytes, and its two commands elsewhere."""

import csv
import os
import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from checkout import ROOT, git
from monotowns.audit.package import committed, contents, exhibits, manifest, withheld, write
from monotowns.run.errors import InputError
from monotowns.run.stage import digest

SOURCES = {
    "a": SimpleNamespace(redistributed="facts", tables={"grp": ["region"]}),
    "b": SimpleNamespace(redistributed="none", tables={"secret": ["region"]}),
}


def test_the_package_is_what_is_listedand_built_less_what_is_withheld(tmp_path):
    names = [
        "README.md",
        "data/snapshot/grp.csv",
        "data/snapshot/secret.csv",
        "results/paper.pdf",
        "results/figures/gap.svg",
        "results/figures/gap.png",
        "results/numbers.json",
        "results/expected/figures/gap.png",
        "scratch.txt",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    listed = [
        "README.md",
        "data/snapshot/grp.csv",
        "data/snapshot/secret.csv",
        "results/expected/figures/gap.png",
        "deleted.py",
    ]
    assert withheld(SOURCES) == {"data/snapshot/secret.csv"}
    assert contents(tmp_path, listed, SOURCES) == [
        "README.md",
        "data/snapshot/grp.csv",
        "results/expected/figures/gap.png",
        "results/figures/gap.svg",
        "results/paper.pdf",
    ]
    rows = list(csv.DictReader(manifest(tmp_path, ["README.md"]).splitlines()))
    assert rows == [
        {
            "path": "README.md",
            "bytes": "9",
            "role": "about",
            "sha256": digest(tmp_path / "README.md"),
        }
    ]
    roles = [row["role"] for row in csv.DictReader(manifest(tmp_path, names).splitlines())]
    assert roles == ["about", *["data"] * 2, *["result"] * 4, "expected result", "about"]
    (tmp_path / "data/snapshot/link.csv").symlink_to("/etc/hostname")
    with pytest.raises(InputError, match=r"symbolic link(.|\n)*link\.csv"):
        contents(tmp_path, [*listed, "data/snapshot/link.csv"], SOURCES)


def test_the_archive_has_the_same_bytes_whenever_it_is_written(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    for name in ("b.txt", "a.txt"):
        (folder / name).write_text(name, encoding="utf-8")
    write(folder, tmp_path / "1.zip", "top")
    os.utime(folder / "a.txt", (0, 0))
    (folder / "a.txt").chmod(0o600)
    write(folder, tmp_path / "2.zip", "top")
    assert digest(tmp_path / "1.zip") == digest(tmp_path / "2.zip")
    assert zipfile.ZipFile(tmp_path / "1.zip").namelist() == ["top/a.txt", "top/b.txt"]


def test_a_package_is_made_only_of_what_its_own_repository_has_committed(tmp_path):
    git(tmp_path, "init", "-q")
    inside = tmp_path / "somebody else's"
    inside.mkdir()
    for folder in (tmp_path, inside):
        (folder / "a.txt").write_text("a", encoding="utf-8")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "-qm", "a")
    assert committed(tmp_path) == ["a.txt"]
    with pytest.raises(InputError, match="what is committed"):
        committed(inside)


def test_exhibits_are_listed_in_order_with_the_function_that_makes_them():
    job = {"rule": {"script": "draw.py"}}
    call = SimpleNamespace(name="monotowns.figures.gap.draw", file="gap.py", line=7)
    shown = [
        ("number", 1, "results/estimates/x.csv", call),
        ("claim", 1, "results/claims.csv", None),
        ("figure", 2, "results/figures/gap.svg", None),
        ("number", 3, "results/estimates/x.csv", call),
    ]
    keys = ("kind", "page", "file", "function")
    found = exhibits({"items": [{"job": job, **dict(zip(keys, x, strict=True))} for x in shown]})
    assert [(e["what"], e["page"], e["line"]) for e in found] == [
        ("figure gap", 2, "draw.py:1"),
        ("2 numbers of x", 1, "gap.py:7"),
    ]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The package of this tree, as `make package` writes it."""
    if not (ROOT / "results/audit/index.html").exists():
        pytest.skip("nothing built yet: say make first")
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True).returncode:
        pytest.skip("the package is made from what is committed; this tree is no clone")
    target = tmp_path_factory.mktemp("dist") / "package.zip"
    program = runpy.run_path(str(ROOT / "workflow/scripts/audit/package.py"))
    program["main"](ROOT, target)
    return target


@pytest.mark.workflow
def test_the_readme_names_every_source_exhibit_and_setting_of_the_seed(archive):
    held = zipfile.ZipFile(archive)
    text = held.read("monotowns-replication/REPLICATION.md").decode()
    registry = (ROOT / "data/sources.yaml").read_text(encoding="utf-8")
    for sha256 in re.findall(r"sha256: (\w{64})", registry):
        entry = registry[: registry.index(sha256)].rsplit("\n  access: ", 1)[1]
        assert sha256 in text or entry.startswith("compiled")
    for name in (ROOT / "results/figures").glob("*.svg"):
        assert f"| figure {name.stem} |" in text
    line = int(re.search(r"config/config.yaml`, line (\d+)", text)[1])
    settings = (ROOT / "config/config.yaml").read_text(encoding="utf-8").splitlines()
    assert settings[line - 1].startswith("seed:")
    listed = list(
        csv.DictReader(held.read("monotowns-replication/MANIFEST.csv").decode().splitlines())
    )
    names = {f"monotowns-replication/{row['path']}" for row in listed}
    assert names == set(held.namelist()) - {"monotowns-replication/MANIFEST.csv"}
    assert not [n for n in names if "/data/raw/" in n or "/audit/" in n.split("results")[-1][:7]]


@pytest.mark.workflow
def test_its_two_commands_run_elsewhere(archive, tmp_path):
    """Unpacked in another folder: `make`, then `make test`.

    Where packages may be installed (MONOTOWNS_INSTALL=1) the environment is made anew as a
    newcomer makes it; elsewhere the running one is borrowed. The tests are a selection: the whole
    suite would unpack the package again.
    """
    folder = tmp_path / "папка редактора"
    with zipfile.ZipFile(archive) as held:
        held.extractall(folder)
    tree = folder / "monotowns-replication"
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "MAKE", "MFLAGS"))}
    words = []
    if os.environ.get("MONOTOWNS_INSTALL") != "1":
        if not Path(sys.prefix, ".synced").exists():
            pytest.skip("the running environment is not the one that make builds")
        # By a link: make cannot call a program whose path has a space. And as it is: made up to
        # date from here, its own library would be the package's.
        (tree / ".venv").symlink_to(sys.prefix)
        words = ["-o", ".venv/.synced"]
        env["PYTHONPATH"] = str(tree / "workflow")
    make = shutil.which("make")
    done = subprocess.run([make, *words], cwd=tree, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert (tree / "results/audit/index.html").exists()
    for name in ("estimates.csv", "numbers.json", "claims.csv"):
        expected = tree / "results/expected" / name
        assert (tree / "results" / name).read_bytes() == expected.read_bytes()
    env["PYTEST_ADDOPTS"] = "-m 'not workflow and not montecarlo' -k 'claims or contracts or drift'"
    done = subprocess.run([make, "test", *words], cwd=tree, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert int(re.search(r"\b(\d+) passed", done.stdout)[1]) > 20
