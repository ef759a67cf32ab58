"""Rewrite the committed tables from verified raw files; none that breaks its contract is kept."""

import os
import sys

from monotowns.acquire.download import fetch, from_environment
from monotowns.acquire.readers import read
from monotowns.acquire.registry import load_registry, sign
from monotowns.panel.contracts import check
from monotowns.run.errors import SourceError
from monotowns.run.schema import nearest
from monotowns.run.stage import run


def main(registry: str, raw: str, quarantine: str, folder: str, only: str | None = None):
    here = from_environment(os.environ)
    sources = load_registry(registry)
    if only is not None and only not in sources:
        raise SourceError(registry, f"no source '{only}'", remedy=nearest(only, sources))
    for source in sources.values() if only is None else [sources[only]]:
        names = ", ".join(source.tables)
        if source.access == "compiled":
            print(f"Snapshot: {names} kept: compiled, its table is the original")
            continue
        print(f"Snapshot: {names} from {source.file}")
        path = fetch(source, raw, quarantine, **here)
        for name in source.tables:
            table = read(name, path)
            check(table, name)
            table.to_csv(f"{folder}/{name}.csv", index=False, lineterminator="\n")
        sign(registry, folder, [source.id])


if __name__ == "__main__":
    run(
        main,
        only=sys.argv[1] if len(sys.argv) > 1 else None,
        registry="data/sources.yaml",
        raw="data/raw",
        quarantine="data/quarantine",
        folder="data/snapshot",
    )
