"""Typeset the manuscript; a number that is not in numbers.json stops the build."""

import shutil
import tempfile
from pathlib import Path

import typst
from monotowns.run.errors import InputError
from monotowns.run.stage import run


def main(inputs: dict, author: str, here: str, paper: str):
    written = paper.removesuffix("results/paper.pdf")
    # What is committed and what the run wrote may lie in different folders; the manuscript sees one
    # folder with the inputs of the rule and nothing else.
    with tempfile.TemporaryDirectory() as root:
        for given in inputs.values():
            for path in [given] if isinstance(given, str) else given:
                place = Path(root, path.removeprefix(here).removeprefix(written))
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)
        options = {"root": root, "ignore_system_fonts": True, "sys_inputs": {"author": author}}
        try:
            body = typst.compile(Path(root, "paper/main.typ"), **options)
        except RuntimeError as error:
            problem = "the manuscript does not compile"
            raise InputError("paper/main.typ", problem, found=str(error)) from None
    Path(paper).write_bytes(body)


if "snakemake" in globals():
    run(main, snakemake)
