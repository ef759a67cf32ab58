import csv
import time

import numpy as np
import pytest
from bench.case import Case
from bench.run import collect, compare, difference, growth, main, measure, table

TOY = """
import time
import numpy as np
from bench.case import Case

def slept(seconds, value):
    def run(data):
        time.sleep(seconds * len(data) / 100)
        return [value, data.sum()]
    return run

def size(scale):
    return np.ones(round(100 * scale))

def broken(data):
    raise ValueError("no such peer\\nat all")

CASES = [
    Case("toy of a sum", size, slept(0.01, 1.0), slept(0.08, 1.0 + 1e-9), "a sleeper"),
    Case("toy that is slow", size, slept(0.001, 1), slept(0.002, 1), "a log", slow=True),
    Case("toy that is wrong", size, slept(0.001, 1), slept(0.002, 2), "a liar", peer_scale=0.5),
    Case("toy without a peer", size, slept(0.001, 1), broken, "a ghost"),
]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "toy.py").write_text(TOY)
    (tmp_path / "case.py").write_text("not a file of cases")
    return tmp_path


def test_the_runner_prints_ratios_first_and_writes_them_down(folder, capsys):
    out = folder / "results" / "bench.csv"
    assert main(["--only", "of a sum", "--output", str(out)], folder) == 0
    head, line = capsys.readouterr().out.splitlines()[:2]
    assert head.split()[:2] == ["times", "faster"] and "\033" not in head
    assert 4 < float(line.split()[0]) < 9
    with out.open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["ratio"]) == pytest.approx(float(row["peer"]) / float(row["ours"]))
    assert float(row["growth"]) == pytest.approx(1, abs=0.3)
    assert row["work"] == "toy of a sum" and row["compared"] == "1.0"
    assert float(row["difference"]) == pytest.approx(1e-11, rel=0.01)


def test_the_runner_fails_for_results_that_disagree_and_broken_peers(folder, capsys):
    out = str(folder / "bench.csv")
    assert main(["--output", out], folder) == 1
    text = capsys.readouterr().out
    assert "DISAGREES: 2.0e-02 above 1e-06" in text and "50%" in text
    assert "FAILED: ValueError no such peer\n" in text
    assert "peer only with --all" in text
    assert main(["--only", "slow", "--all", "--output", out], folder) == 0
    assert "peer only" not in capsys.readouterr().out
    for word in ("wrong", "without"):
        assert main(["--only", word, "--output", out], folder) == 1


def test_slow_peers_run_small_unless_all_is_asked_for():
    seen = []
    case = Case(
        "w",
        lambda scale: scale,
        lambda s: [s],
        lambda s: seen.append(s) or [s],
        "p",
        slow=True,
        peer_scale=0.1,
    )
    row = compare(case)
    assert row["compared"] == 0.1 and set(seen) == {0.1} and row["note"] == ""
    seen.clear()
    assert compare(case, everything=True)["compared"] == 1.0
    assert seen == [0.1, 1.0]  # the first, unmeasured, pays for imports


def test_memory_is_the_peak_above_the_start():
    def hungry(n):
        block = np.ones(n)
        time.sleep(0.05)
        return [block.sum()]

    assert measure(hungry, 8_000_000).megabytes == pytest.approx(61, abs=15)
    assert measure(hungry, 10).megabytes < 15


def test_differences_and_growth():
    assert difference([1.0, 2.0], [1.0, 2.0]) == 0
    assert difference([1.0, 2.2], [1.0, 2.0]) == pytest.approx(0.1)
    assert difference([0.0], [0.0]) == 0 and difference([[1.0, 2.0]], [1.0, 2.0]) == 0
    assert difference([1.0], [1.0, 2.0]) == difference([np.nan], [1.0]) == np.inf
    assert growth({0.25: 1.0, 0.5: 4.0, 1.0: 16.0}) == pytest.approx(2)


def test_a_table_lines_up_and_is_bold_on_a_terminal_only():
    lines = table([{"work": "w", "peer_name": "p", "note": "n"}], bold=True).splitlines()
    assert lines[0].startswith("\033[1m")
    plain = table([{"work": "w", "peer_name": "p", "note": "n"}]).splitlines()
    assert plain[0].index("work") == plain[1].index("w")


def test_every_case_of_the_project_can_be_collected():
    from bench.run import HERE

    cases = collect(HERE)
    assert len({case.work for case in cases}) == len(cases) > 5
    assert [c.work for c in collect(HERE, "SPECIFICATION curve")]
