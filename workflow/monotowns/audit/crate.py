"""The run as a Workflow Run RO-Crate: the jobs' records in the form that other tools read.

The profiles are Process, Workflow and Provenance Run Crate 0.5 (Leo et al. 2024, "Recording
provenance of workflow runs with RO-Crate", PLoS ONE 19(9)): one action for the run, one for
every job, each with its step, what it read and what it wrote.
"""

import json
from datetime import datetime, timedelta
from mimetypes import guess_type
from pathlib import Path

from rocrate.rocrate import ROCrate

PROFILES = (
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/ro/wfrun/provenance/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
)
TERMS = "https://w3id.org/ro/terms/workflow-run/context"


def times(record: dict) -> dict[str, str]:
    """Start and end of a job as the profile writes them."""
    start = datetime.fromisoformat(record["started"])
    end = start + timedelta(seconds=record["seconds"])
    return {"startTime": start.isoformat(), "endTime": end.isoformat(timespec="seconds")}


def crate_of(model: dict, config: dict, version: str, files="files") -> ROCrate:
    """Describe a run; its metadata name every file by sha256, and nothing is copied.

    Parameters
    ----------
    model : dict
        See :func:`monotowns.audit.trace.gather`.
    config : dict
        As the run read it.
    version : str
        Of Snakemake.
    files : str
        Folder of the crate in which the files of the run lie under their own paths.
    """
    crate = ROCrate()
    crate.metadata.extra_contexts.append(TERMS)

    def add(identity, kind, /, **properties):
        return crate.add_jsonld({"@id": identity, "@type": kind, **properties})

    def file(path, kind="File", /, **properties):
        if found := crate.dereference(f"{files}/{path}"):
            return found
        if kind_of := guess_type(path)[0]:
            properties["encodingFormat"] = kind_of
        properties |= {"@type": kind, "name": path}
        return crate.add_file(dest_path=f"{files}/{path}", properties=properties)

    jobs = model["jobs"]
    started = min(times(job)["startTime"] for job in jobs)
    ended = max(times(job)["endTime"] for job in jobs)
    root = crate.root_dataset
    root["name"] = "A run of the study of Russia's monotowns"
    root["description"] = (
        "Every job of one run, from the snapshot of the sources to the paper. "
        "index.html shows the same for people."
    )
    root["license"] = "https://spdx.org/licenses/MIT"
    root["creditText"] = config["author"]
    root["datePublished"] = ended
    kinds = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
    workflow = crate.add_workflow(
        dest_path=f"{files}/Snakefile",
        properties={"@type": kinds, "name": "Snakefile"},
        main=True,
        lang="snakemake",
        lang_version=version,
    )
    root["conformsTo"] = [add(url, "CreativeWork", version=url[-3:]) for url in PROFILES]
    values = []
    for key, value in config.items():
        text = json.dumps(value, default=str)
        values.append(add(f"#value-{key}", "PropertyValue", name=key, value=text))
        values[-1]["exampleOfWork"] = crate.add_formal_parameter(
            key, "Text", identifier=f"#setting-{key}"
        )
    workflow["input"] = [value["exampleOfWork"] for value in values]
    for known in model["files"]:
        about = {"sha256": known["sha256"]}
        if source := known["source"]:
            about |= {"description": source.citation, "usageInfo": source.licence}
        if known["sha256"]:
            file(known["path"], **about)
    steps, controls = {}, []
    for job in jobs:
        rule = job["rule"]
        script = file(rule["script"], ["File", "SoftwareSourceCode", "SoftwareApplication"])
        if not (step := steps.get(rule["name"])):
            step = add(f"#step-{rule['name']}", "HowToStep", name=rule["name"])
            steps[rule["name"]] = step
            step["position"], step["workExample"] = str(len(steps)), script
        about = f"{rule['file']}:{rule['line']}, {job['peak_mb']} MB, commit {job['commit']}"
        action = crate.add_action(
            script,
            f"#{job['id']}",
            object=[file(path) for path in job["inputs"]],
            result=[file(path) for path in job["outputs"]],
            properties={"name": job["name"], "description": about, **times(job)},
        )
        action["actionStatus"] = "http://schema.org/CompletedActionStatus"
        control = add(f"#control-{job['name']}", "ControlAction", name=f"run {job['name']}")
        control["instrument"], control["object"] = step, action
        controls.append(control)
    workflow["step"] = list(steps.values())
    workflow["hasPart"] = [file(path) for path in {job["rule"]["script"]: 0 for job in jobs}]
    written = dict.fromkeys(path for job in jobs for path in job["outputs"])
    read = dict.fromkeys(path for job in jobs for path in job["inputs"] if path not in written)
    span = {"startTime": started, "endTime": ended}
    run = crate.add_action(
        workflow,
        "#run",
        object=[*map(file, read), *values],
        result=[*map(file, written)],
        properties={"name": "the run", **span},
    )
    root["mentions"] = run
    engine = add("#engine", "SoftwareApplication", name="Snakemake", softwareVersion=version)
    organize = add("#organize", "OrganizeAction", name="Snakemake runs the jobs", **span)
    organize["instrument"], organize["object"], organize["result"] = engine, controls, run
    return crate


def write_crate(crate: ROCrate, folder) -> None:
    """Write ``ro-crate-metadata.json`` into a folder that holds the files already."""
    text = json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False)
    Path(folder, "ro-crate-metadata.json").write_text(text, encoding="utf-8")
