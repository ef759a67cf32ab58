"""The records of jobs, and the chain of their digests."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from monotowns.audit.records import ancestry, broken, lay_out, load
from monotowns.run import stage
from monotowns.run.errors import InputError


class Named(list):
    """Paths or parameters as the workflow gives them: a list with names."""

    def __init__(self, **named):
        super().__init__(named.values())
        self.named = named

    def items(self):
        return self.named.items()


@pytest.fixture
def chain(tmp_path, monkeypatch):
    """Two jobs, one after the other: raw.csv -> clean.csv -> sum.txt."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONOTOWNS_COMMIT", "abc")
    (tmp_path / "logs").mkdir()
    (tmp_path / "raw.csv").write_text("1\n2\n", encoding="utf-8")

    def job(rule, source, target, work):
        def main(source, target):
            text = (tmp_path / source).read_text(encoding="utf-8")
            (tmp_path / target).write_text(work(text), encoding="utf-8")

        given = SimpleNamespace(
            rule=rule,
            wildcards=Named(),
            params=Named(seed=3),
            input=Named(a=source),
            output=Named(b=target),
            log=[f"logs/{rule}.json"],
            scriptdir=".",
        )
        stage.run(main, given, source=source, target=target)

    job("clean", "raw.csv", "clean.csv", str.strip)
    job("add", "clean.csv", "sum.txt", lambda text: str(sum(map(int, text.split()))))
    return job


def test_a_record_says_what_was_read_and_written(chain, tmp_path):
    records = load("logs")
    assert set(records) == {"clean.csv", "sum.txt"}
    record = records["sum.txt"]
    assert record["rule"] == "add"
    assert record["params"] == {"seed": 3}
    assert record["commit"] == "abc"
    # sha256 of "3", from the coreutils' sha256sum
    assert record["outputs"]["sum.txt"] == (
        "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce"
    )
    assert record["inputs"]["clean.csv"] == records["clean.csv"]["outputs"]["clean.csv"]
    assert ancestry("sum.txt", records) == ["clean.csv", "raw.csv"]
    assert broken(records) == []


def test_every_break_of_the_chain_is_named(chain, tmp_path):
    (tmp_path / "clean.csv").write_text("1\n3", encoding="utf-8")
    assert broken(load("logs")) == ["clean.csv: not as clean wrote it"]
    # Written anew by its job, but the job after it has read the older bytes.
    chain("clean", "raw.csv", "clean.csv", lambda text: text.strip() + "\n")
    assert broken(load("logs")) == [
        "clean.csv: logs/add.json read other bytes than logs/clean.json wrote"
    ]
    (tmp_path / "sum.txt").unlink()
    assert "sum.txt: written by add, now missing" in broken(load("logs"))


def test_a_half_written_record_is_none(chain, tmp_path):
    whole = (tmp_path / "logs/add.json").read_text(encoding="utf-8")
    (tmp_path / "logs/add.json").write_text(whole[:40], encoding="utf-8")
    records = load("logs")
    assert set(records) == {"clean.csv"}
    with pytest.raises(InputError, match=r"sum\.txt"):
        ancestry("sum.txt", records)


def test_a_users_error_leaves_no_record_and_no_traceback(tmp_path, capsys):
    def main():
        raise InputError("a.csv", "a column is missing", keys=["x"])

    sides = dict.fromkeys(("input", "output", "params", "wildcards"), Named())
    given = SimpleNamespace(log=[str(tmp_path / "log.json")], **sides)
    with pytest.raises(SystemExit) as stop:
        stage.run(main, given)
    assert stop.value.code == 2
    found = capsys.readouterr().err
    assert "a.csv: a column is missing" in found
    assert "Traceback" not in found
    assert not (tmp_path / "log.json").exists()


def test_a_run_whose_files_lie_apart_is_laid_out_as_a_plain_one(tmp_path, monkeypatch):
    study, mine, working = (tmp_path / name for name in ("study", "mine", "working"))
    for folder in (study / "paper", study / "data/snapshot", mine, working / "north/logs/estimate"):
        folder.mkdir(parents=True)
    (study / "Snakefile").write_text("rule all:\n")
    (study / "data/snapshot/grp.csv").write_text("grp\n1\n")
    (mine / "towns.csv").write_text("town\na\n")
    (working / "north/panel.csv").write_text("x\n1\n")
    record = {
        "rule": "study_build_panel",
        "inputs": {
            f"{study}/data/snapshot/grp.csv": "1",
            str(mine / "towns.csv"): "2",
            "../mine/towns.csv": "2",
        },
        "outputs": {"north/panel.csv": "3"},
    }
    path = working / "north/logs/estimate/a.json"
    path.write_text(json.dumps(record))
    (working / "north/logs/half.json").write_text('{"rule": "x"')
    monkeypatch.chdir(working)
    (tmp_path / "one").mkdir()
    lay_out(tmp_path / "one", f"{study}/", "north/")
    found = load(tmp_path / "one/logs")["panel.csv"]
    away = Path("outside", *mine.parts[1:], "towns.csv").as_posix()
    assert found["rule"] == "study_build_panel"
    assert found["log"] == "logs/estimate/a.json"
    assert found["inputs"] == {
        "data/snapshot/grp.csv": "1",
        away: "2",
        "outside/mine/towns.csv": "2",
    }
    for name in ("data/snapshot/grp.csv", away, "panel.csv", "Snakefile"):
        assert (tmp_path / "one" / name).is_file()
    assert json.loads(path.read_text()) == record  # the run's own are left as they are
