"""Time this project's estimators beside their peers: one table, how many times faster first.

CPU seconds of one thread, both in this process on the same simulated data.
``PYTHONPATH=tests python -m bench.run --help``.
"""

import os

# Libraries read how many threads they may start when they are imported.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = os.environ["NUMBA_NUM_THREADS"] = "1"
os.environ["RAYON_NUM_THREADS"] = os.environ["POLARS_MAX_THREADS"] = "1"

import argparse
import ctypes
import gc
import statistics
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import psutil
from bench import curve, inference, regression, spatial

CASES = [*regression.CASES, *curve.CASES, *inference.CASES, *spatial.CASES]
#: Either side is timed this often, or until so many CPU seconds are spent.
RUNS, ENOUGH_SECONDS = 5, 10.0
#: How the note of a row begins that makes the whole run fail.
BAD = ("DISAGREES", "FAILED")
#: Seconds between two looks at the memory.
GLANCE = 0.005
#: Columns of the file; the table shows those with a heading.
COLUMNS = {
    "ratio": "times faster",
    "work": "work",
    "peer_name": "peer",
    "compared": "compared at",
    "ours": "ours, s",
    "peer": "peer, s",
    "ours_full": "ours in full, s",
    "ours_mb": "ours, MB",
    "peer_mb": "peer, MB",
    "ours_full_mb": None,
    "difference": None,
    "tolerance": None,
    "note": "note",
}


class Run(NamedTuple):
    """What a function returned, its median CPU seconds and the megabytes at its peak."""

    result: object
    seconds: float
    megabytes: float


class PeakMemory:
    """Megabytes that the process took at its peak within the block, above what it had before."""

    def __enter__(self):
        gc.collect()
        if sys.platform == "linux":
            # Freed memory that the allocator keeps would hide what comes next.
            ctypes.CDLL(None).malloc_trim(0)
        self._process, self._done = psutil.Process(), threading.Event()
        self._before = self._peak = self._process.memory_info().rss
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def _watch(self):
        while not self._done.wait(GLANCE):
            self._look()

    def _look(self):
        self._peak = max(self._peak, self._process.memory_info().rss)

    def __exit__(self, *error):
        self._done.set()
        self._watcher.join()
        self._look()
        self.megabytes = (self._peak - self._before) / 2**20


def measure(data, *functions) -> list[Run]:
    """Run functions in turn, so that a busy machine slows all; the memory is of the first run."""

    def timed(function):
        start = time.process_time()
        result = function(data)
        return result, time.process_time() - start

    first, megabytes = [], []
    for function in functions:
        with PeakMemory() as memory:
            first.append(timed(function))
        megabytes.append(memory.megabytes)
    rounds = [[seconds for _, seconds in first]]
    while len(rounds) < RUNS and np.sum(rounds) < ENOUGH_SECONDS:
        rounds.append([timed(function)[1] for function in functions])
    seconds = map(statistics.median, zip(*rounds, strict=True))
    return list(map(Run, [result for result, _ in first], seconds, megabytes))


def difference(ours, peer) -> float:
    """Largest difference of two results relative to the largest number; infinite if not alike."""
    ours, peer = (np.asarray(r, float).ravel() for r in (ours, peer))
    if ours.shape != peer.shape or not (np.isfinite(ours) & np.isfinite(peer)).all():
        return np.inf
    return float(np.abs(ours - peer).max(initial=0) / (np.abs(peer).max(initial=0) or 1))


def compare(case, everything=False) -> dict:
    """One row of the table."""
    size = 1.0 if everything else case.peer_scale
    only_ours = case.slow and size == 1 and not everything
    # The first call pays for imports and compilation, of either side.
    data = case.prepare(case.peer_scale)
    functions = [case.ours] if only_ours else [case.ours, case.peer]
    for function in functions:
        function(data)
    ours, *peers = measure(case.prepare(size), *functions)
    full = ours if size == 1 else measure(case.prepare(1.0), case.ours)[0]
    row = {"ours_full": full.seconds, "ours_full_mb": full.megabytes, "note": ""}
    if only_ours:
        return row | {"note": "peer only with --all"}
    (peer,) = peers
    apart, ratio = difference(ours.result, peer.result), peer.seconds / ours.seconds
    if apart > case.tolerance:
        row["note"] = f"{BAD[0]}: {apart:.1e} above {case.tolerance:.0e}"
    elif ratio < 1:
        row["note"] = "peer faster"
    return row | {
        "ratio": ratio,
        "compared": size,
        "ours": ours.seconds,
        "peer": peer.seconds,
        "ours_mb": ours.megabytes,
        "peer_mb": peer.megabytes,
        "difference": apart,
    }


def main(arguments=None, cases=CASES) -> int:
    """Run the cases, print the table, write it down; 1 if any two results disagree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="slow peers too, at the full size")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose work holds this")
    parser.add_argument("--output", type=Path, default=Path("results/bench.csv"))
    options = parser.parse_args(arguments)
    rows = []
    for case in cases:
        if options.only.lower() not in case.work.lower():
            continue
        print(f"timing {case.work} beside {case.peer_name} ...", file=sys.stderr)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                row = compare(case, options.all)
        except Exception as error:
            # One broken peer must not hide the other rows.
            first = str(error).splitlines()[:1] or [""]
            row = {"note": f"{BAD[1]}: {type(error).__name__} {first[0]}"}
        known = {"work": case.work, "peer_name": case.peer_name, "tolerance": case.tolerance}
        rows.append(known | row)
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    found.to_csv(options.output, index=False, lineterminator="\n")
    shown = {name: heading for name, heading in COLUMNS.items() if heading}
    table = found[list(shown)].rename(columns=shown)
    print(table.to_string(index=False, float_format="{:.3g}".format, na_rep=""))
    print(f"\nMedian CPU seconds; below 1 the peer is faster. Written to {options.output}")
    return int(found["note"].str.startswith(BAD).any())


if __name__ == "__main__":
    sys.exit(main())
