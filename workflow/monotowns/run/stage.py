"""How a script runs its main function, and the record that it leaves of what it did.

The record is the rule's log: what was read and written, with digests, under which parameters and
commit, with which modules, how long it took. The audit follows these records from a number back to
its source.
"""

import errno
import hashlib
import json
import os
import platform
import resource
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from inspect import signature
from pathlib import Path

from monotowns.run.errors import InputError
from monotowns.run.provenance import parts_of

#: Faults of the disk that whoever runs the study can mend.
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


def digest(path) -> str:
    """Sha256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def refusals():
    """Let a user's error be one message and exit 2; everything else keeps its traceback."""
    try:
        yield
    except InputError as error:
        print(f"\n{error}\n", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if error.errno not in DISK:
            raise
        told = InputError(
            str(error.filename or "a file"),
            f"cannot be written: {error.strerror}",
            remedy="make room or give the right to write, then run again; "
            "what was finished is kept",
        )
        print(f"\n{told}\n", file=sys.stderr)
        sys.exit(2)


def arguments_of(main, snakemake) -> dict:
    """Find every parameter of a script's function among what the workflow gives it, by name.

    ``inputs`` and ``outputs`` are all named files of a job; any other parameter is an input, an
    output, a parameter of the rule or a wildcard. One that has a default may be absent.

    Raises
    ------
    TypeError
        A parameter stands nowhere, or in two places.
    """
    places = {
        "input": dict(snakemake.input.items()),
        "output": dict(snakemake.output.items()),
        "params": dict(snakemake.params.items()),
        "wildcards": dict(snakemake.wildcards.items()),
    }
    found = {"inputs": places["input"], "outputs": places["output"]}
    for name, parameter in signature(main).parameters.items():
        where = [place for place, named in places.items() if name in named]
        if len(where) == 1:
            found[name] = places[where[0]][name]
        elif where or (name not in found and parameter.default is parameter.empty):
            raise TypeError(
                f"{snakemake.rule}: '{name}' stands in {where or 'no place'} of the rule"
            )
    return {name: found[name] for name in signature(main).parameters if name in found}


def run(main, snakemake=None, **arguments):
    """Call ``main`` and leave a record of it; an :class:`InputError` is one message and exit 2.

    Parameters
    ----------
    main : callable
        The script's function.
    snakemake : object, optional
        What the workflow gives a script; without it (a script run by hand) no record is left.
    **arguments
        Handed to ``main``; without any, its parameters are found by :func:`arguments_of`.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    if snakemake is not None and not arguments:
        arguments = arguments_of(main, snakemake)
    with refusals():
        main(**arguments)
    if snakemake is None or not snakemake.log:
        return
    record = {
        "rule": snakemake.rule,
        "wildcards": dict(snakemake.wildcards.items()),
        "params": dict(snakemake.params.items()),
        "inputs": {path: digest(path) for path in sorted(set(snakemake.input))},
        "outputs": {path: digest(path) for path in snakemake.output if os.path.isfile(path)},
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - clock, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "python": platform.python_version(),
        "modules": sorted(name for name in sys.modules if name.split(".")[0] == "monotowns"),
        "commit": os.environ.get("MONOTOWNS_COMMIT", ""),
    }
    with open(snakemake.log[0], "w", encoding="utf-8") as file:
        json.dump(record, file, ensure_ascii=False, indent=1, default=str)
    keep_parts(record["params"].get("code"), main.__code__.co_filename, snakemake.scriptdir)


#: Where the parts of a code digest are kept, beside Snakemake's own account of its jobs.
PARTS = ".snakemake/code"


def keep_parts(code, running, folder):
    """Keep the digests of the functions behind a code digest once, for ``make explain``.

    Parameters
    ----------
    code : str or None
        From :func:`monotowns.run.provenance.code_of`.
    running : str
        The file that runs: Snakemake's copy of the script, ``<something>.<script>``.
    folder : str
        Folder of the script itself.
    """
    kept = Path(PARTS, f"{code}.json")
    script = Path(folder, Path(running).name.split(".", 1)[1])
    if code is None or kept.exists() or not script.exists():
        return
    parts = parts_of(Path(__file__).parents[1], script)
    kept.parent.mkdir(parents=True, exist_ok=True)
    # Jobs that run side by side may keep the same ones.
    fresh = kept.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"parts": parts}), encoding="utf-8")
    fresh.replace(kept)
