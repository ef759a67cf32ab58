"""Write the replication package and check it; run by `make package`."""


def main(root: str, target: str):
    import json
    import re
    import shutil
    import subprocess
    import tempfile
    from importlib.metadata import version
    from pathlib import Path

    import typst
    import yaml
    from monotowns.acquire.registry import load_registry
    from monotowns.audit import package, preflight, trace
    from monotowns.audit.rules import rules_of
    from monotowns.run.errors import InputError

    root = Path(root)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True)
    if listed.returncode:
        raise InputError(
            "git",
            "the package is made from what is committed",
            found=listed.stderr.strip(),
            remedy="run it in a clone",
        )
    sources = load_registry(root / "data/sources.yaml")
    names = package.contents(root, [n for n in listed.stdout.split("\0") if n], sources)
    shown = typst.query(
        str(root / "paper/main.typ"),
        "<shown>",
        field="value",
        root=str(root),
        ignore_system_fonts=True,
    )
    texts = {p.as_posix(): p.read_text(encoding="utf-8") for p in root.glob("paper/sections/*.typ")}
    rules = rules_of(root)
    model = trace.gather(root, json.loads(shown), texts, rules, sources)
    settings = (root / "config/config.yaml").read_text(encoding="utf-8")
    declared = re.findall(r"^([A-Za-z][\w.-]*)", (root / "envs/requirements.in").read_text(), re.M)
    jobs, size = model["jobs"], sum((root / n).stat().st_size for n in names)
    run = [p for part in ("data/panel", "results") for p in (root / part).rglob("*") if p.is_file()]
    text = package.readme(
        root / "workflow/report/package/REPLICATION.md",
        sources=list(sources.values()),
        exhibits=package.exhibits(model),
        jobs=jobs,
        packages=[(name, version(name)) for name in declared],
        config=yaml.safe_load(settings),
        steps=[rule for rule in rules.values() if rule.script],
        python=jobs[0]["python"],
        seed_line=next(i for i, x in enumerate(settings.splitlines(), 1) if x.startswith("seed:")),
        seconds=round(sum(j["seconds"] for j in jobs)),
        peak=max(j["peak_mb"] for j in jobs),
        minutes=max(1, round(sum(j["seconds"] for j in jobs) / 2 / 60) + 1),
        storage=round((size + sum(p.stat().st_size for p in run)) / 1e6),
        withheld=sorted(package.withheld(sources)),
        documented=all(s.licence for s in sources.values()),
    )
    with tempfile.TemporaryDirectory(prefix="package ") as temporary:
        folder = Path(temporary, "package")
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, folder / name)
        (folder / "REPLICATION.md").write_text(text, encoding="utf-8")
        kept = sorted([*names, "REPLICATION.md"])
        (folder / "MANIFEST.csv").write_text(package.manifest(folder, kept), encoding="utf-8")
        exceptions = yaml.safe_load(
            (root / "workflow/report/package/exceptions.yaml").read_text(encoding="utf-8")
        )
        faults = preflight.preflight(folder, declared, sources, exceptions or [])
        if faults:
            raise InputError(
                "the package",
                f"{len(faults)} faults, nothing was written",
                found="\n    " + "\n    ".join(": ".join(f) for f in faults[:40]),
                remedy="mend them, or except them with a reason in "
                "workflow/report/package/exceptions.yaml",
            )
        package.write(folder, target, "monotowns-replication")
    size = Path(target).stat().st_size
    print(f"The package: {target}, {len(kept) + 1} files, {size / 1e6:.1f} MB; no fault found")


if __name__ == "__main__":
    from monotowns.run.stage import run

    run(main, root=".", target="dist/monotowns-replication.zip")
