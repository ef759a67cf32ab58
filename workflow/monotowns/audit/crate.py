"""The run as a Workflow Run RO-Crate: the jobs' records in the form that other tools read.

The profiles are Process, Workflow and Provenance Run Crate 0.5 (Leo et al. 2024, "Recording
provenance of workflow runs with RO-Crate", PLoS ONE 19(9)): one action for the run, one for
every job, each with its step, what it read and what it wrote.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path

PROFILES = [
    ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate"),
    ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate"),
    ("https://w3id.org/ro/wfrun/provenance/0.5", "Provenance Run Crate"),
    ("https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate"),
]
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
FORMATS = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".yaml": "application/yaml",
}


def times(record: dict) -> dict[str, str]:
    """Start and end of a job as the profile writes them."""
    start = datetime.fromisoformat(record["started"])
    end = start + timedelta(seconds=record["seconds"])
    return {"startTime": start.isoformat(), "endTime": end.isoformat(timespec="seconds")}


def crate_of(model: dict, config: dict, version: str, files="files"):
    """Describe a run.

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

    Returns
    -------
    rocrate.rocrate.ROCrate
        Its metadata name every file by sha256; nothing is copied.
    """
    from rocrate.model.computationalworkflow import ComputationalWorkflow
    from rocrate.model.computerlanguage import ComputerLanguage
    from rocrate.model.contextentity import ContextEntity
    from rocrate.model.file import File
    from rocrate.rocrate import ROCrate

    crate = ROCrate()
    crate.metadata.extra_contexts.append(TERMS)

    def add(identity, kind, /, **properties):
        return crate.add(ContextEntity(crate, identity, {"@type": kind, **properties}))

    def file(path, kind="File", /, **properties):
        found = crate.dereference(f"{files}/{path}")
        if found is None:
            properties = {"@type": kind, "name": path, **properties}
            if ending := FORMATS.get(Path(path).suffix):
                properties["encodingFormat"] = ending
            found = crate.add(File(crate, dest_path=f"{files}/{path}", properties=properties))
        return found

    profiles = [
        add(url, "CreativeWork", name=name, version=url.rsplit("/", 1)[1]) for url, name in PROFILES
    ]
    jobs = model["jobs"]
    root = crate.root_dataset
    root["name"] = "A run of the study of Russia's monotowns"
    root["description"] = (
        "Every job of one run, from the snapshot of the sources to the paper. "
        "index.html shows the same for people."
    )
    root["license"] = "https://spdx.org/licenses/MIT"
    root["creditText"] = config["author"]
    root["conformsTo"] = profiles
    # When it was published is when its last job ended: the metadata hold no other time.
    last = max(times(job)["endTime"] for job in jobs)
    root["datePublished"] = last
    language = crate.add(
        ComputerLanguage(
            crate,
            "#snakemake",
            {"name": "Snakemake", "version": version, "url": "https://snakemake.github.io"},
        )
    )
    workflow = crate.add(
        ComputationalWorkflow(
            crate,
            dest_path=f"{files}/Snakefile",
            properties={
                "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
                "name": "Snakefile",
            },
        )
    )
    workflow["programmingLanguage"] = language
    root["mainEntity"] = workflow
    settings = [
        (
            add(f"#setting-{key}", "FormalParameter", name=key, additionalType="Text"),
            add(f"#value-{key}", "PropertyValue", name=key, value=json.dumps(value, default=str)),
        )
        for key, value in config.items()
    ]
    for parameter, value in settings:
        value["exampleOfWork"] = parameter
    workflow["input"] = [parameter for parameter, _ in settings]
    for known in model["files"]:
        if not known["sha256"]:
            continue
        about = {"sha256": known["sha256"]}
        if source := known["source"]:
            about |= {"description": source.citation, "usageInfo": source.licence}
        file(known["path"], **about)
    engine = add("#engine", "SoftwareApplication", name="Snakemake", softwareVersion=version)
    steps, controls = {}, []
    for job in jobs:
        rule = job["about"]
        script = file(rule.script, ["File", "SoftwareSourceCode", "SoftwareApplication"])
        if rule.name not in steps:
            steps[rule.name] = add(
                f"#step-{rule.name}", "HowToStep", name=rule.name, position=str(len(steps) + 1)
            )
            steps[rule.name]["workExample"] = script
        action = add(
            f"#{job['id']}",
            "CreateAction",
            name=job["name"],
            **times(job),
            description=f"{rule.file}:{rule.line}, {job['peak_mb']} MB, "
            f"commit {job['commit'] or 'unknown'}",
        )
        action["instrument"] = script
        action["object"] = [file(path) for path in job["inputs"]]
        action["result"] = [file(path) for path in job["outputs"]]
        action["actionStatus"] = "http://schema.org/CompletedActionStatus"
        control = add(f"#control-{job['name']}", "ControlAction", name=f"run {job['name']}")
        control["instrument"], control["object"] = steps[rule.name], action
        controls.append(control)
    workflow["step"] = list(steps.values())
    workflow["hasPart"] = list(
        {s["workExample"].id: s["workExample"] for s in steps.values()}.values()
    )
    run = add(
        "#run",
        "CreateAction",
        name="the run",
        endTime=last,
        startTime=min(times(job)["startTime"] for job in jobs),
    )
    written = {path for job in jobs for path in job["outputs"]}
    read = {path for job in jobs for path in job["inputs"]}
    run["instrument"] = workflow
    run["object"] = [*(file(p) for p in sorted(read - written)), *(value for _, value in settings)]
    run["result"] = [file(path) for path in sorted(written)]
    root["mentions"] = run
    organize = add(
        "#organize",
        "OrganizeAction",
        name="Snakemake runs the jobs",
        **{"startTime": run["startTime"], "endTime": last},
    )
    organize["instrument"], organize["object"], organize["result"] = engine, controls, run
    return crate


def write_crate(crate, folder) -> None:
    """Write ``ro-crate-metadata.json`` into a folder that holds the files already."""
    text = json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False)
    (Path(folder) / "ro-crate-metadata.json").write_text(text, encoding="utf-8")
