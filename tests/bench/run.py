"""Time this project's estimators beside their peers: one table, how many times faster first.

Both run in this process on the same simulated data. ``python tests/bench/run.py --help``.
"""

import argparse
import csv
import ctypes
import gc
import importlib.util
import os
import statistics
import sys
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
#: Files beside the cases.
NOT_CASES = {"case.py", "run.py"}
#: Ours is timed this often, or until so many seconds are spent.
RUNS, ENOUGH_SECONDS = 3, 10.0
#: How the note of a row begins that makes the whole run fail.
BAD = ("DISAGREES", "FAILED")
#: Seconds between two looks at the memory.
GLANCE = 0.005

COLUMNS = {
    "ratio": "times faster",
    "work": "work",
    "ours_full": "ours, s",
    "compared": "compared at",
    "ours": "ours, s",
    "peer": "peer, s",
    "peer_name": "peer",
    "memory": "MB ours/peer",
    "growth": "time ~ n^",
    "note": "",
}
RECORD = [
    "work",
    "peer_name",
    "ratio",
    "compared",
    "ours",
    "peer",
    "ours_full",
    "growth",
    "ours_mb",
    "peer_mb",
    "ours_full_mb",
    "difference",
    "tolerance",
    "note",
]


@dataclass(frozen=True)
class Run:
    """What a function returned, its median seconds and the megabytes it took at its peak."""

    result: object
    seconds: float
    megabytes: float


def collect(folder, only=""):
    """The cases of every file of a folder whose work holds a text."""
    cases = []
    for path in sorted(Path(folder).glob("*.py")):
        if path.name in NOT_CASES:
            continue
        spec = importlib.util.spec_from_file_location(f"bench_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        cases += [case for case in module.CASES if only.lower() in case.work.lower()]
    return cases


class PeakMemory:
    """Megabytes that the process took at its peak within the block, above what it had before."""

    def __enter__(self):
        import psutil

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
            self._peak = max(self._peak, self._process.memory_info().rss)

    def __exit__(self, *error):
        self._done.set()
        self._watcher.join()
        self._peak = max(self._peak, self._process.memory_info().rss)
        self.megabytes = (self._peak - self._before) / 2**20


def timed(function, data):
    """Result and seconds of one call."""
    start = time.perf_counter()
    result = function(data)
    return result, time.perf_counter() - start


def measure(function, data, runs=1) -> Run:
    """Run a function some times; the memory is that of the first run."""
    with PeakMemory() as memory:
        result, first = timed(function, data)
    seconds = [first]
    while len(seconds) < runs and sum(seconds) < ENOUGH_SECONDS:
        seconds.append(timed(function, data)[1])
    return Run(result, statistics.median(seconds), memory.megabytes)


def difference(ours, peer) -> float:
    """Largest difference of two results relative to the largest number; infinite if not alike."""
    import numpy as np

    ours, peer = (np.asarray(r, float).ravel() for r in (ours, peer))
    if ours.shape != peer.shape or not (np.isfinite(ours) & np.isfinite(peer)).all():
        return float("inf")
    scale = np.abs(peer).max(initial=0.0)
    return float(np.abs(ours - peer).max(initial=0.0) / (scale or 1.0))


def growth(seconds: dict) -> float:
    """Exponent of the time in the size, by least squares of logarithms."""
    import numpy as np

    return float(np.polyfit(np.log(list(seconds)), np.log(list(seconds.values())), 1)[0])


def compare(case, everything=False) -> dict:
    """One row of the table."""
    size = 1.0 if everything else case.peer_scale
    with_peer = everything or not (case.slow and case.peer_scale == 1)
    small = min(*case.scales, case.peer_scale)
    # The first call pays for imports and compilation, of either side.
    data = case.prepare(small)
    case.ours(data)
    if with_peer:
        case.peer(data)
    ours = {s: measure(case.ours, case.prepare(s), RUNS) for s in sorted({*case.scales, size, 1.0})}
    row = {
        "work": case.work,
        "peer_name": case.peer_name,
        "tolerance": case.tolerance,
        "ours_full": ours[1.0].seconds,
        "ours_full_mb": ours[1.0].megabytes,
        "note": "",
        "growth": growth({s: ours[s].seconds for s in case.scales}),
    }
    if not with_peer:
        return row | {"note": "peer only with --all"}
    peer = measure(case.peer, case.prepare(size))
    apart = difference(ours[size].result, peer.result)
    note = "" if apart <= case.tolerance else f"{BAD[0]}: {apart:.1e} above {case.tolerance:.0e}"
    return row | {
        "compared": size,
        "ours": ours[size].seconds,
        "peer": peer.seconds,
        "ratio": peer.seconds / ours[size].seconds,
        "ours_mb": ours[size].megabytes,
        "peer_mb": peer.megabytes,
        "difference": apart,
        "note": note,
    }


def table(rows, bold=False) -> str:
    """Rows as aligned text, the header in bold for a terminal."""
    lines = [list(COLUMNS.values())]
    for row in rows:
        known = {key: f"{row[key]:.3g}" for key in ("ours_full", "ours", "peer") if key in row}
        if "growth" in row:
            known["growth"] = f"{row['growth']:.2f}"
        if "ratio" in row:
            known["ratio"] = f"{row['ratio']:,.1f}"
            known["compared"] = f"{row['compared']:.0%}"
            known["memory"] = f"{row['ours_mb']:,.0f}/{row['peer_mb']:,.0f}"
        lines.append([known.get(key, str(row.get(key, ""))) for key in COLUMNS])
    text = [place for place, key in enumerate(COLUMNS) if key in ("work", "peer_name", "note")]
    width = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines = [
        "  ".join(
            c.ljust(w) if i in text else c.rjust(w)
            for i, (c, w) in enumerate(zip(line, width, strict=True))
        ).rstrip()
        for line in lines
    ]
    if bold:
        lines[0] = f"\033[1m{lines[0]}\033[0m"
    return "\n".join(lines)


def main(arguments=None, folder=HERE) -> int:
    """Run the cases, print the table, write it down; 1 if any two results disagree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="slow peers too, at the full size")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose work holds this")
    parser.add_argument("--output", type=Path, default=Path("results/bench.csv"))
    options = parser.parse_args(arguments)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    rows = []
    for case in collect(folder, options.only):
        if sys.stderr.isatty():
            print(f"timing {case.work} ...", file=sys.stderr)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rows.append(compare(case, options.all))
        except Exception as error:
            # One broken peer must not hide the other rows.
            first = str(error).splitlines()[:1] or [""]
            rows.append(
                {
                    "work": case.work,
                    "peer_name": case.peer_name,
                    "note": f"{BAD[1]}: {type(error).__name__} {first[0]}",
                }
            )
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with options.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, RECORD, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(table(rows, bold=sys.stdout.isatty()))
    print(f"\nThe second time is at the size compared. Written to {options.output}")
    return int(any(row["note"].startswith(BAD) for row in rows))


if __name__ == "__main__":
    # The cases import the library and each other's row type; this folder's names are no packages.
    sys.path[:1] = [str(HERE.parent), str(HERE.parents[1] / "workflow")]
    sys.exit(main())
