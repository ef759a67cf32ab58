"""How a script runs its main function, and the record that it leaves of what it did.

The record is the rule's log: what was read and written, with digests, under which parameters and
commit, how long it took. The audit follows these records from a number back to its source.
"""

import hashlib
import json
import os
import platform
import resource
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime

from monotowns.errors import InputError


def digest(path) -> str:
    """Sha256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def refusals():
    """Let an :class:`InputError` be one message and exit 2; everything else keeps its traceback."""
    try:
        yield
    except InputError as error:
        print(f"\n{error}\n", file=sys.stderr)
        sys.exit(2)


def run(main, snakemake=None, **arguments):
    """Call ``main`` and leave a record of it; an :class:`InputError` is one message and exit 2.

    Parameters
    ----------
    main : callable
        The script's function.
    snakemake : object, optional
        What the workflow gives a script; without it (a script run by hand) no record is left.
    **arguments
        Handed to ``main``.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    with refusals():
        main(**arguments)
    if snakemake is None or not snakemake.log:
        return
    record = {
        "rule": snakemake.rule,
        "wildcards": dict(snakemake.wildcards.items()),
        "params": dict(snakemake.params.items()),
        "inputs": {path: digest(path) for path in sorted(set(snakemake.input))},
        "outputs": {path: digest(path) for path in snakemake.output},
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - clock, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "python": platform.python_version(),
        "commit": os.environ.get("MONOTOWNS_COMMIT", ""),
    }
    with open(snakemake.log[0], "w", encoding="utf-8") as file:
        json.dump(record, file, ensure_ascii=False, indent=1, default=str)
