"""Killed, doubled, starved of disk or tampered with, a run loses nothing and says what is wrong."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from checkout import checkout
from monotowns.audit.records import set_aside
from monotowns.run import lock as runs
from monotowns.run import stage

RUN = [sys.executable, "workflow/scripts/audit/run.py", "--cores", "2"]
#: A panel, its measures and a few estimations: what the chain is made of, in half a minute.
NAMES = ("gap_after", "gap_urban_okrugs", "agglomeration_within", "toser_sun_abraham")
TARGETS = [f"results/estimates/{name}.csv" for name in NAMES]
MADE = [
    *TARGETS,
    "data/panel/panel.parquet",
    "data/panel/measures.parquet",
    "data/panel/weights.parquet",
]


def start(tree, *words, command=RUN, stdout=subprocess.PIPE):
    env = os.environ | {"PYTHONPATH": str(tree / "workflow"), "TMPDIR": str(tree)}
    options = {"cwd": tree, "env": env, "stdout": stdout, "stderr": subprocess.STDOUT}
    options |= {"start_new_session": True, "preexec_fn": interruptible}
    return subprocess.Popen([*command, *words], text=True, **options)


def interruptible():
    """As at a terminal: what a shell starts in the background ignores an interrupt, for good."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finish(tree, *words):
    run = start(tree, *words)
    printed, _ = run.communicate()
    return run.returncode, printed


def until(condition):
    while not (found := condition()):
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A finished run of the targets, and the bytes that it made."""
    tree = checkout(tmp_path_factory.mktemp("undisturbed"))
    code, printed = finish(tree, *TARGETS)
    assert code == 0, printed[-3000:]
    return tree, {name: (tree / name).read_bytes() for name in MADE}


@pytest.fixture
def tree(undisturbed, tmp_path):
    """A copy of the finished run, times and records kept."""
    return shutil.copytree(undisturbed[0], tmp_path / "tree")


def same(tree, undisturbed):
    return {name: (tree / name).read_bytes() for name in MADE} == undisturbed[1]


@pytest.mark.workflow
def test_killed_thirty_times_and_resumed_it_makes_the_same_bytes(undisturbed, tmp_path, figures):
    """SIGKILL after a random number of lines, to the run alone or to all its processes.

    The next run starts at once: it waits by itself for what outlived the kill.
    """
    tree, rng, printed = checkout(tmp_path / "killed"), random.Random(30), tmp_path / "printed"
    kills = done = 0
    while kills < 30:
        with printed.open("w") as stdout:
            run, lines = start(tree, *TARGETS, stdout=stdout), rng.randint(0, 60)
            while run.poll() is None and printed.read_text().count("\n") < lines:
                time.sleep(0.02)
        if run.poll() is None:
            rng.choice((os.kill, os.killpg))(run.pid, signal.SIGKILL)
            kills += 1
            run.wait()
            continue
        # It was quicker than the kill: all is made; begin anew with one part missing.
        assert run.returncode == 0, printed.read_text()[-3000:]
        done += 1
        (tree / rng.choice(MADE)).unlink()
    code, last = finish(tree, *TARGETS)
    assert code == 0, last[-3000:]
    assert same(tree, undisturbed)
    figures |= {"kills": kills, "finished in between": done}


def test_a_second_run_says_that_the_first_is_at_work(tmp_path):
    with runs.hold(tmp_path):
        code, printed = finish(checkout(tmp_path, ("workflow",)))
    assert code == 2
    assert "another run is at work here" in printed
    assert f"process {os.getpid()}, since" in printed
    assert "Traceback" not in printed
    with runs.hold(tmp_path):
        pass


@pytest.fixture
def sleeper(tmp_path):
    """A process that works in a folder until it is killed; marked as one of a run, or by name."""
    program = tmp_path / "snakemake"
    program.write_text("import time\ntime.sleep(600)\n", encoding="utf-8")
    started = []

    def start(marked):
        mark = {runs.MARK: str(tmp_path)} if marked else {}
        name = ["-c", program.read_text()] if marked else [str(program)]
        started.append(
            subprocess.Popen([sys.executable, *name], cwd=tmp_path, env=os.environ | mark)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("marked", [True, False])
def test_a_run_waits_for_what_a_killed_run_left_and_removes_its_marks(
    tmp_path, sleeper, marked, capfd
):
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    mark = tmp_path / ".snakemake/locks/0.input.lock"
    mark.touch()
    left = sleeper(marked)
    until(lambda: left.pid in runs.at_work(tmp_path))
    assert runs.at_work(tmp_path.parent) == []

    def end_it(*_):
        # The wait has begun: it asks again.
        assert mark.exists()
        left.kill()
        left.wait()

    signal.signal(signal.SIGALRM, end_it)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    with runs.hold(tmp_path):
        assert left.poll() is not None
        assert not mark.exists()
    assert f"still at work: process {{{left.pid}}}" in capfd.readouterr().out


@pytest.mark.workflow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_verification_that_is_ended_takes_its_run_and_its_folder_with_it(tmp_path, number):
    tree = checkout(tmp_path / "tree")
    verify = start(tree, command=[sys.executable, "workflow/scripts/audit/verify.py"])
    until(lambda: list(tree.glob("verify */run/logs")) or verify.poll() is not None)
    (folder,) = tree.glob("verify *")
    assert runs.at_work(folder / "run")
    os.kill(verify.pid, number)
    verify.communicate()
    assert verify.returncode not in (0, 1)
    assert runs.at_work(folder / "run") == []
    assert not folder.exists()


@pytest.mark.workflow
def test_an_altered_intermediate_file_is_kept_aside_and_made_anew(tree, undisturbed, figures):
    panel = tree / "data/panel/panel.parquet"
    kept, when = panel.stat(), panel.read_bytes()
    middle = len(when) // 2
    altered = when[:middle] + bytes([when[middle] ^ 1]) + when[middle + 1 :]
    panel.write_bytes(altered)
    # Not even its size and time tell: only its content does.
    os.utime(panel, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert len(altered) == kept.st_size
    code, printed = finish(tree, *TARGETS)
    assert code == 0, printed[-3000:]
    assert "Not as their jobs left them: data/panel/panel.parquet" in printed
    assert (tree / ".snakemake/aside/1/data/panel/panel.parquet").read_bytes() == altered
    assert same(tree, undisturbed)
    figures["jobs made anew"] = int(re.search(r"(\d+) of \d+ steps \(100%\)", printed)[1])


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
        code, printed = finish(tree, TARGETS[0])
        assert code != 0
        assert "No space left on device" in printed
        remount = ["mount", "-o", "remount,size=20m,ro", str(results)]
        subprocess.run(remount, check=True)
        code, printed = finish(tree, TARGETS[0])
        assert code != 0
        assert "Read-only file system" in printed
        subprocess.run(["mount", "-o", "remount,rw", str(results)], check=True)
        code, printed = finish(tree, TARGETS[0])
        assert code == 0, printed[-3000:]
        assert (results / "gap_after.csv").read_bytes() == undisturbed[1][TARGETS[0]]
    finally:
        subprocess.run(["umount", str(results)], check=True)


@pytest.mark.workflow
def test_a_clock_set_back_changes_no_result(tree, undisturbed):
    """Made files that look older than what they are made from are made again, to the same bytes."""
    past = time.time() - 10 * 365 * 86400
    for name in TARGETS[:2]:
        os.utime(tree / name, (past, past))
    code, printed = finish(tree, *TARGETS)
    assert code == 0, printed[-3000:]
    assert same(tree, undisturbed)
    # And an input from the future: what depends on it is made again, once.
    future = time.time() + 86400
    os.utime(tree / "data/snapshot/toser.csv", (future, future))
    code, printed = finish(tree, *TARGETS)
    assert code == 0, printed[-3000:]
    assert same(tree, undisturbed)


def test_what_is_set_aside_is_not_lost(tmp_path):
    for number in ("1", "2"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data/a.csv").write_text(number, encoding="utf-8")
        place = set_aside(tmp_path, ["data/a.csv"])
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
