"""The lock, the conda environment and the container say the same."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ENVS = Path(__file__).parents[1] / "envs"
LOCK = (ENVS / "requirements.lock").read_text(encoding="utf-8")


def conda():
    spec = importlib.util.spec_from_file_location("conda_writer", ENVS / "conda.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def resolved(lines, python):
    """Name -> version of the requirements that hold for a Python version on Linux."""
    found = {}
    for requirement in map(Requirement, lines):
        here = {
            "python_version": python,
            "python_full_version": f"{python}.0",
            "sys_platform": "linux",
            "platform_system": "Linux",
        }
        if requirement.marker is None or requirement.marker.evaluate(here):
            assert requirement.name not in found, f"{requirement.name} is pinned twice"
            found[requirement.name] = str(requirement.specifier)
    return found


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_conda_users_get_the_versions_of_the_lock(python):
    # Read without the writer's own parser, so that a fault of it shows.
    lines = re.findall(r"^([A-Za-z0-9][^\s\\]*==[^\\\n]+?)\s*\\?$", LOCK, re.MULTILINE)
    given = yaml.safe_load((ENVS / "environment.yaml").read_text(encoding="utf-8"))
    pip = next(d["pip"] for d in given["dependencies"] if isinstance(d, dict))
    assert pip[-1] == "-e .."
    assert resolved(pip[:-1], python) == resolved(lines, python)


def test_every_requirement_is_locked_with_hashes():
    asked = [
        Requirement(line).name
        for line in (ENVS / "requirements.in").read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    entries = re.split(r"\n(?=\S)", LOCK)
    hashed = {e.split("==")[0].split("[")[0] for e in entries if "--hash=sha256:" in e}
    assert {name.replace("_", "-").lower() for name in asked} <= hashed
    assert len(hashed) == len({e.split("==")[0].split("[")[0] for e in entries if "==" in e})


def test_no_index_is_named():
    for path in ENVS.iterdir():
        if path.is_file():
            assert not re.search(r"https?://|index-url|find-links", path.read_text("utf-8"))


def test_the_committed_file_is_what_the_writer_writes():
    assert (ENVS / "environment.yaml").read_text(encoding="utf-8") == conda().environment(LOCK)


def test_the_container_runs_the_two_commands():
    lines = (ENVS / "Containerfile").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == 'CMD ["sh", "-c", "make && make test"]'
