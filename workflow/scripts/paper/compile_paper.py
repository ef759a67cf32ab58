"""Typeset the manuscript; a number that is not in numbers.json stops the build."""


def main(files: dict, author: str, target: str):
    import shutil
    import tempfile
    from pathlib import Path

    import typst
    from monotowns.run.errors import InputError

    # What is committed and what the run wrote may lie apart; the manuscript sees one folder, and
    # in it what the rule declares and nothing else.
    with tempfile.TemporaryDirectory() as root:
        for path, name in files.items():
            place = Path(root, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        main_file = Path(root, "paper/main.typ")
        try:
            body = typst.compile(
                main_file, root=root, ignore_system_fonts=True, sys_inputs={"author": author}
            )
        except RuntimeError as error:
            raise InputError(
                "paper/main.typ", "the manuscript does not compile", found=str(error)
            ) from None
    with open(target, "wb") as file:
        file.write(body)


if "snakemake" in globals():
    from monotowns.run.stage import run

    written = snakemake.output.paper.removesuffix("results/paper.pdf")
    files = {
        path: path.removeprefix(snakemake.params.here).removeprefix(written)
        for path in snakemake.input
    }
    run(main, snakemake, files=files, author=snakemake.params.author, target=snakemake.output.paper)
