"""Rewrite the committed tables from verified raw files, by the steps of the download mode."""

import os


def main(registry: str, raw: str, quarantine: str, folder: str, only: str | None = None):
    from monotowns.acquire.download import fetch, from_environment
    from monotowns.acquire.registry import load_registry
    from monotowns.run.errors import SourceError
    from monotowns.run.schema import nearest
    from read_source import main as read_source

    set_here = from_environment(os.environ)
    sources = load_registry(registry)
    if only is not None and only not in sources:
        raise SourceError(registry, f"no source '{only}'", remedy=nearest(only, sources))
    for source in sources.values():
        if only not in (None, source.id):
            continue
        names = ", ".join(source.tables)
        if source.access == "compiled" and not set_here["mirrors"]:
            print(f"Snapshot: {names} kept: compiled by the authors, no MONOTOWNS_MIRROR holds it")
            continue
        print(f"Snapshot: {names} from {source.file}")
        path = fetch(source, raw, quarantine, **set_here)
        for name in source.tables:
            read_source(registry, str(path), name, f"{folder}/{name}.csv")


if __name__ == "__main__":
    import sys

    from monotowns.run.stage import run

    run(
        main,
        only=sys.argv[1] if len(sys.argv) > 1 else None,
        registry="data/sources.yaml",
        raw="data/raw",
        quarantine="data/quarantine",
        folder="data/snapshot",
    )
