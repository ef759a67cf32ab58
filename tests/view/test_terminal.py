"""The view of a run as someone sees it: at a terminal, in a file, with an error, without it."""

import os
import pty
import re
import subprocess
import sys

import pytest
from checkout import ROOT

pytestmark = pytest.mark.workflow

SNAKEFILE = """
import shlex, sys
sys.executable = shlex.quote(sys.executable)  # as the study does
include: "workflow/rules/first.smk"
include: "workflow/rules/last.smk"
rule all:
    default_target: True
    input: "done.txt"
"""
FIRST = """
rule begin:
    output: "{x}.txt"
    wildcard_constraints: x="[ab]"
    shell: "echo a word from {wildcards.x} >&2; touch {output}"
"""
LAST = """
rule finish:
    input: "a.txt", "b.txt"
    output: "done.txt"
    script: "finish.py"
"""
FINISH = """
import sys, time
from pathlib import Path
if Path("wrong").exists():
    print("\\nthe panel: is wrong\\n  do: mend it\\n", file=sys.stderr)
    sys.exit(2)
time.sleep(1)
Path("done.txt").touch()
"""


@pytest.fixture
def study(tmp_path):
    """A workflow of three jobs in two stages."""
    rules = tmp_path / "workflow/rules"
    rules.mkdir(parents=True)
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (rules / "first.smk").write_text(FIRST)
    (rules / "last.smk").write_text(LAST)
    (rules / "finish.py").write_text(FINISH)
    return tmp_path


def call(*words):
    """A run's command and environment, with the view."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--logger", "monotowns", *words]
    path = os.pathsep.join([str(ROOT / "workflow"), os.environ.get("PYTHONPATH", "")])
    return command, os.environ | {"PYTHONPATH": path, "TERM": "xterm"}


def plain(folder, *words):
    command, env = call(*words)
    one = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, cwd=folder, env=env, text=True, **one)
    return done.returncode, done.stdout.splitlines()


def at_a_terminal(folder, *words):
    """Exit code, everything that reached the terminal, and the rows that a reader is left with."""
    command, env = call(*words)
    ours, theirs = pty.openpty()
    run = subprocess.Popen(
        command, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    received = b""
    while True:
        try:
            received += os.read(ours, 65536)
        except OSError:  # the last writer has gone
            break
    os.close(ours)
    text = received.decode()
    return run.wait(), text, rows(text)


def rows(text):
    """What a terminal shows in the end: carriage return, cursor up and erase line are obeyed."""
    screen, row, column = [""], 0, 0
    for code, letters in re.findall(r"\x1b\[([?\d;]*[A-Za-z])|([^\x1b]+|\x1b)", text):
        if code == "2K":
            screen[row] = ""
        elif code.endswith("A"):
            row -= int(code[:-1] or 1)
        for letter in letters:
            if letter == "\r":
                column = 0
            elif letter == "\n":
                row += 1
                screen += [""] * (row + 1 - len(screen))
            else:
                screen[row] = (
                    screen[row][:column].ljust(column) + letter + screen[row][column + 1 :]
                )
                column += 1
    return [line for line in screen if line]


def test_in_a_file_a_line_for_every_job(study):
    code, lines = plain(study)
    assert code == 0
    told = [line for line in lines if not line.startswith("a word from")]
    assert len(told) == 4
    assert {line[:20] for line in told[:2]} == {"[1/3] first    begin", "[2/3] first    begin"}
    assert re.fullmatch(r"\[3/3\] last     finish \d+\.\d s", told[2])
    assert re.match(r"3 jobs in \d+:\d\d; the longest: ", told[3])
    assert plain(study) == (0, ["All is up to date."])


def test_at_a_terminal_one_view_that_leaves_no_trace(study):
    code, text, left = at_a_terminal(study)
    assert code == 0
    assert "last      ····················   0/1   finish" in text
    assert "first     ████████████████████   2/2" in text
    # What jobs write stands whole above the view; the view itself is gone.
    assert sorted(left[:2]) == ["a word from a", "a word from b"]
    assert len(left) == 3 and left[2].startswith("3 jobs in ")
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1  # the cursor is back


@pytest.mark.parametrize("watched", [False, True])
def test_an_error_is_whole_and_keeps_its_exit_code(study, watched):
    (study / "wrong").touch()
    if watched:
        code, _, lines = at_a_terminal(study)
    else:
        code, lines = plain(study)
    assert code == 1
    for line in ("the panel: is wrong", "  do: mend it", "FAILED: finish",
                 "      this job alone: snakemake --cores 1 done.txt"):  # fmt: skip
        assert lines.count(line) == 1, (line, lines)
    assert re.fullmatch(r"Stopped after \d+:\d\d: 2 of 3 jobs are done and kept\.", lines[-2])
    assert lines[-1].startswith("The whole log: ")


def test_who_asks_snakemake_hears_snakemake(study):
    code, lines = plain(study, "--dry-run")
    assert code == 0 and any("This was a dry-run" in line for line in lines)
    code, lines = plain(study, "--printshellcmds")
    assert code == 0 and any("3 of 4 steps" in line for line in lines)
    assert not any("jobs in" in line for line in lines)


def test_the_study_runs_with_the_view_and_without_its_profile():
    words = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--quiet", "all"]
    _, env = call()
    for more in ([], ["--profile", "workflow/profiles/default"]):
        done = subprocess.run([*words, *more], cwd=ROOT, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
