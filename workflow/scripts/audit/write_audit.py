"""Write the audit page: from every number of the paper back to its source."""


def main(paper: str, templates: str, registry: str, config: dict, specifications: dict,
         tables: list, folder: str):  # fmt: skip
    import json
    import re
    from pathlib import Path

    import snakemake
    import typst
    from monotowns.audit import crate, page, trace
    from monotowns.audit.rules import rules_of
    from monotowns.sources import load_registry

    # The panel has one rule file for each layout of the data.
    without = {"panel"} if config["data"]["layout"] == "municipalities" else set()
    shown = typst.query(paper, "<shown>", field="value", root=".", ignore_system_fonts=True)
    # In the order in which they are read.
    text = Path(paper).read_text(encoding="utf-8")
    names = re.findall(r'^#section\("(\w+)"\)', text, re.MULTILINE)
    places = [Path(paper).parent / f"sections/{name}.typ" for name in names]
    texts = {p.as_posix(): p.read_text(encoding="utf-8") for p in [Path(paper), *places]}
    sources, rules = load_registry(registry), rules_of(".", without)
    model = trace.gather(".", json.loads(shown), texts, rules, sources)
    pages = page.Pages(".", templates, folder)
    page.write(model, config, specifications, tables, pages)
    for path in [Path("Snakefile"), Path("LICENSE"), *sorted(Path("workflow").rglob("*.*"))]:
        if path.is_file() and path.suffix != ".pyc":
            pages.copy(path.as_posix())
    crate.write_crate(crate.crate_of(model, config, snakemake.__version__), folder)
    if model["broken"]:
        print(
            f"The chain of digests is broken in {len(model['broken'])} places, see the audit page."
        )


if "snakemake" in globals():
    from pathlib import Path

    from monotowns.stage import run

    templates = Path(snakemake.input.templates[0]).parent
    run(main, snakemake, paper=snakemake.input.main, templates=templates,
        registry=snakemake.input.registry, config=snakemake.config,
        specifications=snakemake.params.specifications, tables=snakemake.params.tables,
        folder=snakemake.output.folder)  # fmt: skip
