"""Say what would run for a target and why, down to the setting or function that changed.

Run by `make explain TARGET=...`; nothing is run.
"""


def main(target: str | None):
    from pathlib import Path

    jobs, reasons, config = planned(target)
    made_anew = {str(path): job.rule.name for job in jobs for path in job.output}
    if not made_anew:
        print(f"{target or 'Everything'} is up to date: nothing would run.")
    for job in jobs:
        if not job.output:
            continue
        lines = [f"output {path}: missing" for path in job.output if not Path(path).exists()]
        lines = lines or why(job, made_anew, config) or [str(reasons[job])]
        print(f"\n{' '.join([job.rule.name, *map(str, job.wildcards)])}, for {job.output[0]}:")
        print("\n".join(f"  {line}" for line in lines))


def why(job, made_anew, config) -> list[str]:
    """What differs between a job and the record of its last run."""
    from pathlib import Path

    import monotowns
    from monotowns.audit import explain
    from monotowns.run.provenance import parts_of
    from monotowns.run.stage import PARTS

    record = explain.record_of(job.log[0]) if job.log else None
    if record is None:
        return ["no record of an earlier run"]
    params = dict(job.params.items())
    lines = explain.changed_settings(record["params"], params, config)
    if record["params"].get("code") != params.get("code"):
        kept = explain.record_of(Path(PARTS, f"{record['params'].get('code')}.json"))
        library = Path(monotowns.__file__).parent
        script = Path(str(job.rule.basedir.get_path_or_uri(secret_free=True)), job.rule.script)
        modules = [m for m in (kept or {}).get("modules", []) if _there(library, m)]
        now = parts_of(library, script, *modules)
        lines += explain.changed_code(kept and kept["parts"], now)
    return lines + explain.changed_inputs(record["inputs"], set(map(str, job.input)), made_anew)


def planned(target):
    """The jobs that Snakemake would run, in their order, with its own reasons, and the config."""
    import io
    from contextlib import redirect_stderr, redirect_stdout
    from pathlib import Path

    from snakemake.api import SnakemakeApi
    from snakemake.settings.enums import Quietness
    from snakemake.settings.types import (
        ConfigSettings,
        DAGSettings,
        OutputSettings,
        ResourceSettings,
    )

    # What Snakemake says of its dry run is said here in other words.
    silent = io.StringIO()
    output = OutputSettings(quiet={Quietness.ALL}, dryrun=True)
    with redirect_stdout(silent), redirect_stderr(silent), SnakemakeApi(output) as api:
        study = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(),
            snakefile=Path("Snakefile"),
        )
        study.dag(DAGSettings(targets={target} if target else set())).execute_workflow("dryrun")
        workflow = study._workflow
        jobs = sorted(workflow.dag.needrun_jobs(exclude_finished=False), key=_order(workflow.dag))
        return jobs, {j: workflow.dag.reason(j) for j in jobs}, workflow.globals["config"]


def _order(dag):
    """Sort key: what is made first, first."""
    levels = {}

    def level(job):
        if job not in levels:
            levels[job] = 1 + max((level(before) for before in dag.dependencies[job]), default=0)
        return levels[job]

    return lambda job: (level(job), str(job.output[:1]))


def _there(library, module):
    base = library.joinpath(*module.split("."))
    return base.is_dir() or base.with_suffix(".py").exists()


if __name__ == "__main__":
    import sys

    from monotowns.run.stage import run

    run(main, target=sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else None)
