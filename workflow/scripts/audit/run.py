"""Run the workflow: one run at a time, after a killed one too, on files that are what jobs wrote.

Run by `make`; whatever is given is handed to Snakemake.
"""

import sys

from monotowns.audit.records import altered, set_aside
from monotowns.run.lock import hold, snakemake
from monotowns.run.stage import run


def main(words: list[str]):
    with hold("."):
        forced = []
        if found := altered("."):
            print(f"Not as their jobs left them: {', '.join(found)}", flush=True)
            print(f"They now lie in {set_aside('.', found)} and are made anew.", flush=True)
            forced = ["--forcerun", *found]
        child = snakemake(".", [*forced, "--rerun-incomplete", *words])
        while child.poll() is None:
            try:
                child.wait()
            except KeyboardInterrupt:
                # The terminal has interrupted Snakemake, too, which ends in its own way.
                continue
        sys.exit(child.returncode)


if __name__ == "__main__":
    run(main, words=sys.argv[1:])
