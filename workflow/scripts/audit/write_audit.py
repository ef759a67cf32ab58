"""Write the audit page: from every number of the paper back to its source."""

import json
import re
import shutil
import tempfile
from pathlib import Path

import snakemake as engine
import typst
from monotowns.acquire.registry import load_registry
from monotowns.audit import crate, page, records, trace
from monotowns.run.stage import run


def main(config: dict, rules: dict, tables: list, here: str, folder: str):
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        records.lay_out(root, here, folder.removesuffix("results/audit"))
        paper = root / "paper/main.typ"
        shown = typst.query(paper, "<shown>", field="value", root=root, ignore_system_fonts=True)
        # In the order in which they are read.
        names = re.findall(r'^#section\("(\w+)"\)', paper.read_text(encoding="utf-8"), re.MULTILINE)
        places = [paper, *(root / f"paper/sections/{name}.typ" for name in names)]
        texts = {p.relative_to(root).as_posix(): p.read_text(encoding="utf-8") for p in places}
        registry = load_registry(f"{here}data/sources.yaml")
        model = trace.gather(root, json.loads(shown), texts, rules, registry)
        pages = page.Pages(root, root / "workflow/report/audit", folder)
        page.write(model, config, tables, pages)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(
            root / "workflow", f"{folder}/files/workflow", ignore=ignored, dirs_exist_ok=True
        )
        for name in ("Snakefile", "LICENSE"):
            shutil.copyfile(root / name, f"{folder}/files/{name}")
    crate.write_crate(crate.crate_of(model, config, engine.__version__), folder)
    if model["broken"]:
        count = len(model["broken"])
        print(f"The chain of digests is broken in {count} places, see the audit page.")


if "snakemake" in globals():
    run(main, snakemake)
