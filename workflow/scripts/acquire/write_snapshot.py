"""Rewrite one snapshot table from its verified raw file."""

import os


def main(registry: str, source: str, table: str, raw: str, target: str):
    from monotowns.readers import READERS
    from monotowns.sources import fetch, load_registry

    mirrors = [m for m in os.environ.get("MONOTOWNS_MIRROR", "").split(os.pathsep) if m]
    path = fetch(load_registry(registry)[source], raw, mirrors)
    READERS[table](path).to_csv(target, index=False, lineterminator="\n")


if __name__ == "__main__":
    import sys

    from monotowns.stage import run

    run(main, registry="data/sources.yaml", source=sys.argv[1], table=sys.argv[2],
        raw="data/raw", target=f"data/snapshot/{sys.argv[2]}.csv")  # fmt: skip
