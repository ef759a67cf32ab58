"""Typeset the manuscript; a number that is not in numbers.json stops the build."""


def main(root: str, main_file: str, author: str, target: str):
    import typst
    from monotowns.errors import InputError

    try:
        body = typst.compile(main_file, root=root, ignore_system_fonts=True,
                             sys_inputs={"author": author})  # fmt: skip
    except RuntimeError as error:
        raise InputError(main_file, "the manuscript does not compile", found=str(error)) from None
    with open(target, "wb") as file:
        file.write(body)


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, snakemake, root=".", main_file=snakemake.input.main, author=snakemake.params.author,
        target=snakemake.output.paper)  # fmt: skip
