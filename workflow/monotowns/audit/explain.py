"""What would run and why: what differs between the record of a job's last run and the present."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.settings.enums import Quietness, RerunTrigger
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    OutputSettings,
    ResourceSettings,
)

from monotowns.run.provenance import parts_of
from monotowns.run.stage import PARTS, digest

LIBRARY = Path(__file__).parents[1]
#: As in the profile of `make`: a remark in a script is no reason.
TRIGGERS = frozenset({RerunTrigger.MTIME, RerunTrigger.PARAMS, RerunTrigger.INPUT})


def planned(target: str | None) -> tuple[list, dict, dict]:
    """Find the jobs that Snakemake would run, in their order.

    Returns
    -------
    jobs : list
    reasons : dict
        Job -> Snakemake's own reason.
    config : dict
    """
    # What Snakemake prints of its dry run is replaced here.
    silent = io.StringIO()
    output = OutputSettings(quiet={Quietness.ALL}, dryrun=True)
    with redirect_stdout(silent), redirect_stderr(silent), SnakemakeApi(output) as api:
        study = api.workflow(
            ResourceSettings(cores=1), ConfigSettings(), snakefile=Path("Snakefile")
        )
        settings = DAGSettings({target} if target else set(), rerun_triggers=TRIGGERS)
        study.dag(settings).execute_workflow("dryrun")
        workflow = study._workflow
        dag, level = workflow.dag, {}
        for number, jobs in enumerate(dag.toposorted()):
            level |= dict.fromkeys(jobs, number)
        jobs = [job for job in dag.needrun_jobs(exclude_finished=False) if job.output]
        jobs.sort(key=lambda job: (level[job], str(job.output[0])))
        return jobs, {job: str(dag.reason(job)) for job in jobs}, workflow.globals["config"]


def why(job, made_anew: dict[str, str], config: dict) -> list[str]:
    """Say what differs between a job and the record of its last run.

    Parameters
    ----------
    job : snakemake.jobs.Job
    made_anew : dict
        Path -> the rule that would make it anew.
    config : dict
        The present one.
    """
    if missing := [f"output {path}: missing" for path in job.output if not Path(path).exists()]:
        return missing
    record = record_of(job.log[0]) if job.log else None
    if record is None:
        return ["no record of an earlier run"]
    old, new = record["params"], dict(job.params.items())
    lines = changed_settings(old, new, config)
    if old.get("code") != new.get("code"):
        kept = record_of(Path(PARTS, f"{old.get('code')}.json")) or {}
        script = Path(str(job.rule.basedir), job.rule.script)
        lines += changed_code(kept.get("parts"), parts_of(LIBRARY, script))
    return lines + changed_inputs(record["inputs"], set(map(str, job.input)), made_anew)


def flat(value, prefix="") -> dict[str, object]:
    """Nested settings by dotted key; lists are values."""
    if not isinstance(value, dict):
        return {prefix: value}
    found = {}
    for key, inner in value.items():
        found |= flat(inner, f"{prefix}.{key}" if prefix else str(key))
    return found


def changed_settings(old: dict, new: dict, config: dict) -> list[str]:
    """Say every parameter that differs, old -> new, by its key in the config where it has one.

    The parameter ``code`` is not looked at.
    """
    # What a record keeps as text is no change: a year as a key, a tuple.
    before, after, known = (
        flat(json.loads(json.dumps(x, default=str))) for x in (old, new, config)
    )
    lines = []
    for key in sorted(set(before) | set(after) - {"code"}):
        name, sides = key.rsplit(".", 1)[-1], [_value(before, key), _value(after, key)]
        places = [k for k, v in known.items() if k.split(".")[-1] == name and v == after.get(key)]
        if key != "code" and sides[0] != sides[1]:
            place = places[0] if len(places) == 1 else key
            lines.append(f"setting {place}: {sides[0]} -> {sides[1]}")
    return lines


def _value(settings, key):
    return json.dumps(settings[key], ensure_ascii=False) if key in settings else "(none)"


def changed_code(old: dict | None, new: dict) -> list[str]:
    """Say every function, class or constant whose syntax tree differs.

    Parameters
    ----------
    old : dict or None
        Parts of the last run (:func:`monotowns.run.provenance.parts_of`), if they were kept.
    new : dict
        Parts of the present code.
    """
    if old is None:
        return ["code: changed; which function is not known, its parts were not kept"]
    words = {(True, False): "gone", (False, True): "new", (True, True): "changed"}
    return [
        f"code: {name} {words[name in old, name in new]}"
        for name in sorted(set(old) | set(new))
        if old.get(name) != new.get(name)
    ]


def changed_inputs(old: dict[str, str], new, made_anew: dict[str, str]) -> list[str]:
    """Say every input that is new, gone, of other bytes (by digest), or made anew first."""
    lines = []
    for path in sorted(set(old) | set(new)):
        if path not in new:
            lines.append(f"input {path}: no longer read")
        elif path in made_anew:
            lines.append(f"input {path}: made anew by {made_anew[path]}")
        elif path not in old:
            lines.append(f"input {path}: not read before")
        elif Path(path).is_file() and digest(path) != old[path]:
            lines.append(f"input {path}: other bytes")
    return lines


def record_of(log) -> dict | None:
    """The record that a job left, if it did (see :func:`monotowns.run.stage.run`)."""
    try:
        return json.loads(Path(log).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
