import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bench.case import Case
from bench.run import CASES, compare, difference, main, measure


@pytest.fixture
def work(monkeypatch):
    """Functions that return numbers and take the CPU seconds that they are given, on no clock."""
    now = [0.0]
    monkeypatch.setattr(time, "process_time", lambda: now[0])

    def taking(seconds, *numbers, seen=None):
        def run(scale):
            now[0] += seconds * scale
            if seen is not None:
                seen.append(scale)
            return numbers

        return run

    return taking


def case(name, ours, peer, **options):
    return Case(name, float, ours, peer, "a peer", **options)


def test_the_runner_prints_ratios_first_and_writes_them_down(work, tmp_path, capsys):
    out = tmp_path / "results" / "bench.csv"
    cases = [
        case("a sum", work(1, 1.0, 100.0), work(8, 1.0 + 1e-9, 100.0)),
        case("a slow SUM", work(4, 1), work(1, 1)),
        case("another", work(1, 1), work(1, 2)),
    ]
    assert main(["--only", "sum", "--output", str(out)], cases) == 0
    head, first, second = capsys.readouterr().out.splitlines()[:3]
    assert head.split()[:2] == ["times", "faster"]
    assert float(first.split()[0]) == 8 and float(second.split()[0]) == 0.25
    assert second.endswith("peer faster") and not first.endswith("peer faster")
    row = pd.read_csv(out).iloc[0]
    assert list(row[["work", "peer_name", "ratio", "compared"]]) == ["a sum", "a peer", 8, 1]
    assert row["ours"] == row["ours_full"] == 1 and row["peer"] == 8
    assert row["difference"] == pytest.approx(1e-11, rel=0.01) and row["ours_full_mb"] >= 0


def test_the_runner_fails_for_results_that_disagree_and_broken_peers(work, tmp_path, capsys):
    def ghost(data):
        raise ValueError("no such peer\nat all")

    cases = [
        case("wrong", work(1, 1), work(2, 2), peer_scale=0.5),
        case("without", work(1, 1), ghost),
        case("right", work(1, 1), work(2, 1)),
    ]
    out = str(tmp_path / "bench.csv")
    for only, failed in {"": 1, "wrong": 1, "without": 1, "right": 0}.items():
        assert main(["--only", only, "--output", out], cases) == failed
        text = capsys.readouterr().out
        assert ("DISAGREES: 5.0e-01 above 1e-06" in text) == (only in ("", "wrong"))
        assert (re.search("FAILED: ValueError no such peer$", text, re.M) is None) == (
            only in ("wrong", "right")
        )


@pytest.mark.parametrize("scale, everything, compared", [(0.1, 0, 0.1), (0.1, 1, 1), (1, 1, 1)])
def test_slow_peers_run_small_unless_all_is_asked_for(work, scale, everything, compared):
    seen = []
    row = compare(case("w", work(3, 1), work(6, 1, seen=seen), peer_scale=scale), everything)
    # The first call, not measured, pays for imports.
    assert seen[0] == scale and set(seen[1:]) == {compared}
    assert row["compared"] == compared and row["note"] == ""
    assert row["ours"] == pytest.approx(3 * compared) and row["ours_full"] == pytest.approx(3)


def test_a_peer_too_slow_at_any_size_waits_for_all(work):
    slow = case("w", work(3, 1), work(6, 1), slow=True)
    row = compare(slow)
    assert row["note"] == "peer only with --all" and row["ours_full"] == pytest.approx(3)
    assert compare(slow, everything=True)["ratio"] == pytest.approx(2)


def test_the_median_of_several_runs_counts(monkeypatch):
    ticks = iter([0, 9, 0, 90, 0, 2, 0, 20, 0, 3, 0, 30])
    monkeypatch.setattr(time, "process_time", lambda: next(ticks))
    monkeypatch.setattr("bench.run.RUNS", 3)
    monkeypatch.setattr("bench.run.ENOUGH_SECONDS", 1000)
    ours, peer = measure(1, lambda _: "ours", lambda _: "peer")
    assert (ours.result, ours.seconds, peer.result, peer.seconds) == ("ours", 3, "peer", 30)


def test_memory_is_the_peak_above_the_start():
    def hungry(n):
        block = np.ones(n)
        time.sleep(0.05)
        return [block.sum()]

    assert measure(8_000_000, hungry)[0].megabytes == pytest.approx(61, abs=15)
    assert measure(10, hungry)[0].megabytes < 15


def test_differences():
    assert difference([1.0, 2.0], [1.0, 2.0]) == 0
    assert difference([1.0, 2.2], [1.0, 2.0]) == pytest.approx(0.1)
    assert difference([0.0], [0.0]) == 0 and difference([[1.0, 2.0]], [1.0, 2.0]) == 0
    assert difference([1.0], [1.0, 2.0]) == difference([np.nan], [1.0]) == np.inf


def test_every_row_of_the_project_has_a_name_of_its_own():
    assert len({(case.work, case.peer_name) for case in CASES}) == len(CASES)


def test_the_peers_leave_the_versions_of_the_study_alone():
    envs = Path(__file__).parents[1] / "envs"
    study, bench = (
        set(re.findall(r"^([^\s=]+)==([^\s;]+)", (envs / name).read_text("utf-8"), re.MULTILINE))
        for name in ("requirements.lock", "bench.lock")
    )
    assert {name for name, _ in bench - study}.isdisjoint(dict(study))
    assert {"fereg", "statspai"} <= dict(bench).keys()
