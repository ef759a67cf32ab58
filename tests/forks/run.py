"""A fork's run: Snakemake with the copy's own library, the jobs that ran, the paper's text."""

import os
import re
import subprocess
import sys

#: What runs after any change: the target, the contracts and the audit.
BESIDE = ("all", "write_audit", "check_contracts", "check_tables")


def snakemake(folder, *words, library=None, **environment):
    """Run Snakemake in a folder, with the library of a copy of the checkout (the same folder).

    All that it says stands in ``stdout``.
    """
    own = {"PYTHONPATH": str((library or folder) / "workflow"), "PYTHONUTF8": "1", **environment}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *words]
    return subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **own},
    )


def ran(done) -> list[str]:
    """Rules of the jobs that a run counts before it starts, one entry a job."""
    table = re.search(r"^job +count\n[- ]+\n(.*?)^total", done.stdout, re.M | re.S)
    if table is None:
        return []
    rows = (line.split() for line in table[1].splitlines())
    return [name for name, count in rows for _ in range(int(count)) if name not in BESIDE]


def paper_text(folder, main="paper/main.typ") -> str:
    """The manuscript's words, in order, as Typst sets them."""
    import typst

    markup = typst.compile(folder / main, root=folder, ignore_system_fonts=True, format="html")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", markup.decode()))


def explain(folder, target) -> str:
    """What ``make explain`` says of a target."""
    own = {**os.environ, "PYTHONPATH": str(folder / "workflow"), "PYTHONUTF8": "1"}
    command = [sys.executable, "workflow/scripts/audit/explain.py", target]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=own)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
