"""Programs of the machine that some tests need and Python's packages cannot give."""

import os
import shutil
import subprocess

import pytest


def need(program: str, *packages: str) -> str:
    """Path of a program; on a machine set up for it Debian's packages are installed.

    A test suite does not install anything on a reader's machine: without MONOTOWNS_INSTALL=1 the
    test is skipped and says which packages it wants.
    """
    if not shutil.which(program) and os.environ.get("MONOTOWNS_INSTALL") == "1":
        quiet = {"capture_output": True, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
        subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        subprocess.run(install, check=False, **quiet)
    if not (found := shutil.which(program)):
        pytest.skip(f"needs {program} (Debian: {' '.join(packages)})")
    return found
