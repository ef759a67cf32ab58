"""Rewrite the committed tables from verified raw files, by the steps of the download mode."""

import os


def main(registry: str, raw: str, quarantine: str, folder: str):
    from monotowns.download import fetch, from_environment
    from monotowns.sources import load_registry
    from read_source import main as read_source

    set_here = from_environment(os.environ)
    for source in load_registry(registry).values():
        names = ", ".join(source.tables)
        if source.access == "compiled" and not set_here["mirrors"]:
            print(f"Snapshot: {names} kept: compiled by the authors, no MONOTOWNS_MIRROR holds it")
            continue
        print(f"Snapshot: {names} from {source.file}")
        path = fetch(source, raw, quarantine, **set_here)
        for name in source.tables:
            read_source(registry, str(path), name, f"{folder}/{name}.csv")


if __name__ == "__main__":
    from monotowns.stage import run

    run(main, registry="data/sources.yaml", raw="data/raw", quarantine="data/quarantine",
        folder="data/snapshot")  # fmt: skip
