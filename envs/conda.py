"""Write environment.yaml, for conda users, from the lock: the same versions, no second truth."""

import re
from pathlib import Path

HEAD = """\
# Written from requirements.lock by `make lock`; a test compares the two.
# conda env create -f envs/environment.yaml && conda activate monotowns && snakemake --cores 2
name: monotowns
channels:
  - conda-forge
dependencies:
  - python >=3.11,<3.14
  - pip
  - pip:
"""


def pins(lock: str) -> list[str]:
    """Return the requirements of a hash-pinned lock without their hashes."""
    return [
        line.rstrip(" \\") for line in lock.splitlines() if re.match(r"[A-Za-z0-9][^ ]*==", line)
    ]


def environment(lock: str) -> str:
    """Return the text of environment.yaml; the library itself comes last, from this checkout."""
    lines = [f'      - "{pin}"\n' for pin in pins(lock)]
    return HEAD + "".join(lines) + '      - "-e .."\n'


if __name__ == "__main__":
    folder = Path(__file__).parent
    lock = (folder / "requirements.lock").read_text(encoding="utf-8")
    (folder / "environment.yaml").write_text(environment(lock), encoding="utf-8")
