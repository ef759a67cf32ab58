import json

import pytest
from monotowns.progress import Progress, clock, stages

STAGES = {"build_panel": "panel", "build_measures": "measure", "estimate": "estimate"}


class Clock:
    """A clock that the test moves."""

    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def run():
    """A run of four jobs in three stages, told to begin."""
    now = Clock()
    progress = Progress(STAGES, now)
    stats = {"estimate": 2, "build_panel": 1, "build_measures": 1, "all": 1, "total": 5}
    assert progress.tell("run_info", {"stats": stats}) == []
    return progress, now


def info(jobid, rule, **wildcards):
    """Record that a job starts, as Snakemake logs it."""
    log = [f"logs/{jobid}.json"]
    return {"jobid": jobid, "rule_name": rule, "wildcards": wildcards, "log": log}


def error(jobid, rule, **more):
    return {"jobid": jobid, "rule_name": rule, "log": [], "aux": {}, "output": ["out.csv"], **more}


def test_a_line_for_every_job_that_ends_and_for_nothing_else(run):
    progress, now = run
    assert progress.tell(None, {"msg": "Select jobs to execute...", "levelname": "INFO"}) == []
    assert progress.tell("job_info", info(1, "build_panel")) == []
    assert progress.tell("shellcmd", {"msg": "x"}) == []
    now.seconds = 12.34
    assert progress.tell("job_finished", {"job_id": 1}) == ["[1/4] panel    build_panel 12.3 s"]
    progress.tell("job_info", info(2, "estimate", specification="gap"))
    now.seconds = 14
    assert progress.tell("job_finished", {"job_id": 2}) == ["[2/4] estimate gap 1.7 s"]
    # A rule that only names the targets is no work; one of no known stage is.
    progress.tell("job_info", info(0, "all"))
    assert progress.tell("job_finished", {"job_id": 0}) == []
    progress.tell("job_info", info(9, "mine"))
    assert progress.tell("job_finished", {"job_id": 9}) == ["[3/4] other    mine 0.0 s"]


def test_the_seconds_of_a_job_are_those_of_its_record(run, tmp_path, monkeypatch):
    progress, now = run
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/1.json").write_text(json.dumps({"seconds": 2.5}))
    progress.tell("job_info", info(1, "build_panel"))
    now.seconds = 600  # most of it waiting for a node
    assert progress.tell("job_finished", {"job_id": 1}) == ["[1/4] panel    build_panel 2.5 s"]


def test_the_view_has_a_line_a_stage_and_names_what_is_slow(run):
    progress, now = run
    progress.tell("job_info", info(1, "build_panel"))
    progress.tell("job_finished", {"job_id": 1})
    progress.tell("job_info", info(2, "estimate", specification="gap_main"))
    now.seconds = 3
    progress.tell("job_info", info(3, "build_measures"))
    now.seconds = 65
    assert progress.view() == [
        "panel     ████████████████████   1/1",
        "measure   ····················   0/1   build_measures",
        "estimate  ····················   0/2   gap_main",
        "1/4 jobs, 1:05, waiting for gap_main 1:05, build_measures 1:02",
    ]
    now.seconds = 4
    assert progress.view()[-1] == "1/4 jobs, 0:04"


def test_an_error_comes_in_full_with_its_log_and_what_to_type(run, tmp_path):
    progress, _ = run
    log = tmp_path / "7.log"
    log.write_text("the panel: is wrong\n  do: mend\n")
    progress.tell("job_info", info(2, "estimate", specification="gap_main"))
    message = {"msg": "RuleException:\nexit 2", "levelname": "ERROR"}
    assert progress.tell("error", message) == ["RuleException:", "exit 2"]
    told = error(2, "estimate", log=["logs/2.json", str(log)], aux={"external_jobid": "7"})
    assert progress.tell("job_error", told) == [
        "",
        "FAILED: gap_main",
        "  external_jobid: 7",
        f"  log: {log}",
        "    the panel: is wrong",
        "      do: mend",
        "  do: mend what is said above and run again; what is done is kept",
        "      this job alone: snakemake --cores 1 out.csv",
        "",
    ]
    # What only repeats it is not told again.
    last = "WorkflowError:\nAt least one job did not complete successfully."
    assert progress.tell("error", {"msg": last, "levelname": "ERROR"}) == []
    progress.tell(None, {"msg": "Complete log(s): here.log", "levelname": "INFO"})
    assert progress.closing() == [
        "Stopped after 0:00: 0 of 4 jobs are done and kept.",
        "The whole log: here.log",
    ]


def test_an_error_of_a_group_is_told_once(run, tmp_path):
    progress, _ = run
    for job in (2, 3):
        progress.tell("job_info", info(job, "estimate", specification=f"s{job}"))
    both = [error(2, "estimate"), error(3, "estimate")]
    lines = progress.tell("group_error", {"job_error_info": both, "aux_logs": []})
    assert lines[1] == "FAILED: s2, s3"
    assert progress.tell("job_error", error(2, "estimate", indent=True)) == []
    again = {"msg": "Trying to restart job 3b1c-40.", "levelname": "INFO"}
    assert progress.tell(None, again) == ["Trying the group once more"]


def test_a_job_that_succeeds_at_the_second_attempt_fails_nothing(run, tmp_path):
    progress, _ = run
    for job, rule in enumerate(["build_panel", "build_measures", "estimate", "estimate"]):
        progress.tell("job_info", info(job, rule))
        if job == 1:
            progress.tell("error", {"msg": "node lost", "levelname": "ERROR"})
            progress.tell("job_error", error(job, rule))
            again = progress.tell(None, {"msg": "Trying to restart job 1.", "levelname": "INFO"})
            assert again == ["Trying build_measures once more"]
            progress.tell("job_info", info(job, rule))
        progress.tell("job_finished", {"job_id": job})
    assert progress.closing(tmp_path)[0].startswith("4 jobs in 0:00; the longest: ")


def test_the_end_says_where_the_results_are(tmp_path):
    progress = Progress()
    message = "Nothing to be done (all requested files are present and up to date)."
    assert progress.tell(None, {"msg": message, "levelname": "INFO"}) == []
    assert progress.closing(tmp_path) == ["All is up to date."]
    (tmp_path / "results/audit").mkdir(parents=True)
    for name in ("paper.pdf", "audit/index.html"):
        (tmp_path / "results" / name).touch()
    assert progress.closing(tmp_path) == [
        "All is up to date.",
        "The paper:                       results/paper.pdf",
        "From every number to its source: results/audit/index.html",
    ]


def test_without_a_run_snakemakes_own_word_is_passed_on():
    progress = Progress()
    for text in ("Building DAG of jobs...", "Unlocked working directory."):
        progress.tell(None, {"msg": text, "levelname": "INFO"})
    assert progress.closing() == ["Unlocked working directory."]
    refused = Progress()
    lock = {"msg": "LockException:\nDirectory cannot be locked.", "levelname": "ERROR"}
    assert refused.tell("error", lock) == ["LockException:", "Directory cannot be locked."]
    assert refused.closing() == []


def test_stages_are_the_rule_files_in_the_order_of_the_study(tmp_path):
    rules = tmp_path / "workflow/rules"
    rules.mkdir(parents=True)
    (rules / "b.smk").write_text("rule first:\n    output: 'x'\n")
    (rules / "a.smk").write_text("rule second:\n    output: 'y'\nuse rule second as third with:\n")
    (rules / "unused.smk").write_text("rule fourth:\n    output: 'z'\n")
    files = [f'include: "workflow/rules/{name}.smk"\n' for name in "ba"]
    (tmp_path / "Snakefile").write_text("".join(files))
    assert list(stages(tmp_path).items()) == [("first", "b"), ("second", "a"), ("third", "a")]
    assert stages(tmp_path / "elsewhere") == {}


def test_clock():
    assert [clock(s) for s in (0, 59.9, 60, 3671)] == ["0:00", "0:59", "1:00", "61:11"]
