"""Entropy-balancing weights of a simulated panel."""


def main(panel: str, copies: int, settings: dict, weights: str, record: str):
    from time import process_time

    from monotowns.models.balance import balance_panel
    from monotowns.scale import datasets

    started = process_time()
    frame = datasets.read(panel, {"entity", "year", "monotown", *settings["columns"]})
    found, _ = balance_panel(frame, "monotown", settings["columns"], settings["years"])
    with datasets.writing(weights) as append:
        append(found)
    datasets.save_record(record, started, stage="balance", copies=copies, rows=len(frame),
                       entities=frame["entity"].nunique())  # fmt: skip


if "snakemake" in globals():
    from monotowns.stage import run

    run(main, snakemake, panel=snakemake.input.panel, copies=int(snakemake.wildcards.copies),
        settings=snakemake.params.settings, **dict(snakemake.output.items()))  # fmt: skip
