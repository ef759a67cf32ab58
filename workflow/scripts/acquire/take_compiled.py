"""Take a table that the authors compiled: its snapshot is the original."""


def main(snapshot: str, table: str):
    import shutil

    shutil.copyfile(snapshot, table)


if "snakemake" in globals():
    from monotowns.run.stage import run

    run(main, snakemake, snapshot=snakemake.input.snapshot, table=snakemake.output.table)
