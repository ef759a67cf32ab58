"""Killed, doubled, starved of disk or tampered with, a run loses nothing and says what is wrong."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest
from checkout import checkout
from monotowns.run import lock as runs
from monotowns.run import stage
from monotowns.run.errors import InputError

RUN = [sys.executable, "workflow/scripts/audit/run.py", "--cores", "2"]
#: A panel, its measures and a few estimations: what the chain is made of, in half a minute.
NAMES = ("gap_after", "gap_urban_okrugs", "agglomeration_within", "toser_sun_abraham")
TARGETS = [f"results/estimates/{name}.csv" for name in NAMES]
MADE = [*TARGETS, "data/panel/panel.csv", "data/panel/measures.csv", "data/panel/weights.csv"]


def start(tree, *words):
    env = os.environ | {"PYTHONPATH": str(tree / "workflow")}
    return subprocess.Popen(
        [*RUN, *words],
        cwd=tree,
        env=env,
        start_new_session=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(tree, *words):
    run = start(tree, *words)
    told, _ = run.communicate()
    return run.returncode, told


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A finished run of the targets, and the bytes that it made."""
    tree = checkout(tmp_path_factory.mktemp("undisturbed"))
    code, told = finish(tree, *TARGETS)
    assert code == 0, told[-3000:]
    return tree, {name: (tree / name).read_bytes() for name in MADE}


@pytest.fixture
def tree(undisturbed, tmp_path):
    """A copy of the finished run, times and records kept."""
    return shutil.copytree(undisturbed[0], tmp_path / "tree")


def living():
    """Groups of the processes that still run, without those that only wait for their parent."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if process.status() != psutil.STATUS_ZOMBIE:
                yield os.getpgid(process.pid)


def same(tree, undisturbed):
    return {name: (tree / name).read_bytes() for name in MADE} == undisturbed[1]


@pytest.mark.workflow
def test_killed_at_thirty_moments_and_resumed_it_makes_the_same_bytes(
    undisturbed, tmp_path, figures
):
    """SIGKILL to the run and all its processes, each time at another moment, then again."""
    tree, rng, kills, done = checkout(tmp_path / "killed"), random.Random(30), [], 0
    while len(kills) < 30:
        run = start(tree, *TARGETS)
        moment = rng.uniform(0.2, 9.0)
        try:
            run.wait(moment)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            # Its children die with it, on a busy machine a moment later; they share its lock.
            while run.pid in living():
                time.sleep(0.02)
            kills.append(round(moment, 1))
            continue
        # It was quicker than the kill: all is made; begin anew with one part missing.
        assert run.returncode == 0, run.stdout.read()[-3000:]
        done += 1
        (tree / rng.choice(MADE)).unlink()
    code, told = finish(tree, *TARGETS)
    assert code == 0, told[-3000:]
    assert same(tree, undisturbed)
    figures |= {
        "kills": len(kills),
        "finished in between": done,
        "first kill, s": min(kills),
        "last kill, s": max(kills),
    }


@pytest.mark.workflow
def test_the_second_run_says_that_the_first_is_at_work(tree, undisturbed):
    (tree / TARGETS[0]).unlink()
    first = start(tree, *TARGETS)
    lock = tree / ".snakemake/run.lock"
    while not (lock.exists() and f"process {first.pid}" in lock.read_text()):
        time.sleep(0.02)
    code, told = finish(tree, *TARGETS)
    assert code == 2
    assert "another run is at work here" in told
    assert f"process {first.pid}, since" in told
    assert "Traceback" not in told
    first.communicate()
    assert first.returncode == 0
    assert same(tree, undisturbed)


@pytest.mark.workflow
def test_an_altered_intermediate_file_is_kept_aside_and_made_anew(tree, undisturbed, figures):
    panel = tree / "data/panel/panel.csv"
    kept, when = panel.stat(), panel.read_bytes()
    altered = when.replace(b"2013", b"2014", 1)
    panel.write_bytes(altered)
    # Not even its size and time tell: only its content does.
    os.utime(panel, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert len(altered) == kept.st_size
    code, told = finish(tree, *TARGETS)
    assert code == 0, told[-3000:]
    assert "Not as their jobs left them: data/panel/panel.csv" in told
    assert (tree / ".snakemake/aside/1/data/panel/panel.csv").read_bytes() == altered
    assert same(tree, undisturbed)
    figures["jobs made anew"] = int(re.search(r"(\d+) of \d+ steps \(100%\)", told)[1])


@pytest.mark.workflow
def test_results_that_cannot_be_written_are_one_message(tree, undisturbed, tmp_path):
    """A full disk and a read-only one: mounted over the results, where that is allowed."""
    results = tree / "results/estimates"
    shutil.rmtree(results)
    results.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "none", str(results)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    try:
        code, told = finish(tree, TARGETS[0])
        assert code != 0
        assert "No space left on device" in told
        remount = ["mount", "-o", "remount,size=20m,ro", str(results)]
        subprocess.run(remount, check=True)
        code, told = finish(tree, TARGETS[0])
        assert code != 0
        assert "Read-only file system" in told
        subprocess.run(["mount", "-o", "remount,rw", str(results)], check=True)
        code, told = finish(tree, TARGETS[0])
        assert code == 0, told[-3000:]
        assert (results / "gap_after.csv").read_bytes() == undisturbed[1][TARGETS[0]]
    finally:
        subprocess.run(["umount", str(results)], check=True)


@pytest.mark.workflow
def test_a_clock_set_back_changes_no_result(tree, undisturbed):
    """Made files that look older than what they are made from are made again, to the same bytes."""
    past = time.time() - 10 * 365 * 86400
    for name in TARGETS[:2]:
        os.utime(tree / name, (past, past))
    code, told = finish(tree, *TARGETS)
    assert code == 0, told[-3000:]
    assert same(tree, undisturbed)
    # And an input from the future: what depends on it is made again, once.
    future = time.time() + 86400
    os.utime(tree / "data/snapshot/toser.csv", (future, future))
    code, told = finish(tree, *TARGETS)
    assert code == 0, told[-3000:]
    assert same(tree, undisturbed)


def test_a_mark_of_a_killed_run_is_removed_and_one_of_a_live_run_kept(tmp_path):
    locks = tmp_path / runs.LOCKS
    locks.mkdir(parents=True)
    (locks / "0.input.lock").touch()
    assert runs.free(tmp_path) == ["0.input.lock"]
    (locks / "0.input.lock").touch()
    program = tmp_path / "snakemake"
    program.write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    alive = subprocess.Popen([sys.executable, str(program)], cwd=tmp_path)
    try:
        while not runs.others(tmp_path):
            time.sleep(0.02)
        with pytest.raises(InputError, match=f"another run is at work(.|\n)*{alive.pid}"):
            runs.free(tmp_path)
        assert (locks / "0.input.lock").exists()
    finally:
        alive.kill()
        alive.wait()


def test_a_folder_is_held_once_and_freed_after(tmp_path):
    with runs.hold(tmp_path), pytest.raises(InputError, match="another run"), runs.hold(tmp_path):
        pass
    with runs.hold(tmp_path):
        pass


def test_what_is_set_aside_is_not_lost(tmp_path):
    assert runs.set_aside(tmp_path, []) is None
    for number in ("1", "2"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data/a.csv").write_text(number, encoding="utf-8")
        place = runs.set_aside(tmp_path, ["data/a.csv"])
        assert (place / "data/a.csv").read_text(encoding="utf-8") == number
        assert not (tmp_path / "data/a.csv").exists()


def test_a_fault_of_the_disk_is_a_message_and_another_error_is_not_hidden(capsys):
    def full():
        raise OSError(28, "No space left on device", "results/a.csv")

    with pytest.raises(SystemExit) as stop:
        stage.run(full)
    assert stop.value.code == 2
    assert "results/a.csv: cannot be written: No space left" in capsys.readouterr().err

    def missing():
        raise FileNotFoundError(2, "No such file", "a.csv")

    with pytest.raises(FileNotFoundError):
        stage.run(missing)
