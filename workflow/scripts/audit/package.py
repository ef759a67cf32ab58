"""Write the replication package and check it; run by `make package`."""

import tempfile
from pathlib import Path

import yaml
from monotowns.acquire.registry import load_registry
from monotowns.audit import package
from monotowns.audit.preflight import preflight
from monotowns.run.errors import InputError
from monotowns.run.stage import run

EXCEPTIONS = "workflow/report/package/exceptions.yaml"


def main(root: str, target: str):
    sources = load_registry(Path(root, "data/sources.yaml"))
    names = package.contents(root, package.committed(root), sources)
    text = package.readme(root, sources, names)
    with tempfile.TemporaryDirectory(prefix="package ") as folder:
        count = package.lay_out(root, folder, names, text)
        exceptions = yaml.safe_load(Path(root, EXCEPTIONS).read_text(encoding="utf-8"))
        declared = [*package.declared(root), *package.declared(root, "bench")]
        faults = preflight(folder, declared, sources, exceptions or [])
        if faults:
            raise InputError(
                "the package",
                f"{len(faults)} faults, nothing was written",
                found="\n    " + "\n    ".join(": ".join(fault) for fault in faults[:40]),
                remedy=f"mend them, or except them with a reason in {EXCEPTIONS}",
            )
        package.write(folder, target, "monotowns-replication")
    size = Path(target).stat().st_size / 1e6
    print(f"The package: {target}, {count} files, {size:.1f} MB; no fault found")


if __name__ == "__main__":
    run(main, root=".", target="dist/monotowns-replication.zip")
