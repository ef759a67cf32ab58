"""Write the audit page: from every number of the paper back to its source."""


def main(config: dict, specifications: dict, tables: list, here: str, folder: str):
    import json
    import re
    import tempfile
    from pathlib import Path

    import snakemake
    import typst
    from monotowns.acquire.registry import load_registry
    from monotowns.audit import crate, page, records, trace
    from monotowns.audit.rules import rules_of

    # The panel has one rule file for each layout of the data.
    without = {"panel"} if config["data"]["layout"] == "municipalities" else set()
    rules = rules_of(here or ".", without)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        records.lay_out(root, here, folder.removesuffix("results/audit"), rules)
        paper = root / "paper/main.typ"
        shown = typst.query(paper, "<shown>", field="value", root=root, ignore_system_fonts=True)
        # In the order in which they are read.
        names = re.findall(r'^#section\("(\w+)"\)', paper.read_text(encoding="utf-8"), re.MULTILINE)
        places = [paper, *(root / f"paper/sections/{name}.typ" for name in names)]
        texts = {p.relative_to(root).as_posix(): p.read_text(encoding="utf-8") for p in places}
        registry = load_registry(f"{here}data/sources.yaml")
        model = trace.gather(root, json.loads(shown), texts, rules, registry)
        pages = page.Pages(root, root / "workflow/report/audit", folder)
        page.write(model, config, specifications, tables, pages)
        for path in [
            root / "Snakefile",
            root / "LICENSE",
            *sorted((root / "workflow").rglob("*.*")),
        ]:
            if path.is_file() and path.suffix != ".pyc":
                pages.copy(path.relative_to(root).as_posix())
    crate.write_crate(crate.crate_of(model, config, snakemake.__version__), folder)
    if model["broken"]:
        print(
            f"The chain of digests is broken in {len(model['broken'])} places, see the audit page."
        )


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(
        main,
        snakemake,
        config=snakemake.config,
        specifications=snakemake.params.specifications,
        tables=snakemake.params.tables,
        here=snakemake.params.here,
        folder=snakemake.output.folder,
    )
