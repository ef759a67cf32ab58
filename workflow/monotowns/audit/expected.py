"""What is kept of a run for others to compare theirs with.

Small tables are kept whole and, of everything else, the digest of every file; of the panel also
digests by row and by column, so that a cell that differs can still be named.
"""

import hashlib
import json
import platform
from pathlib import Path

import pandas as pd

from monotowns.run.stage import digest

#: Kept whole, below ``results``.
WHOLE = (
    "estimates.csv",
    "numbers.json",
    "claims.csv",
    "checklist.csv",
    "tables/*.csv",
    "facts/*.json",
)
#: Too large to keep whole: digests by row and column. Path -> the columns that identify a row.
BY_CELL = {
    "data/panel/panel.csv": ["entity", "year"],
    "data/panel/measures.csv": ["entity", "year"],
}
#: Kept as digests.
DIGESTED = ("data/snapshot/*.csv", "data/panel/*.csv", "results/figures/*", "results/paper.pdf")


def keep(root, folder) -> None:
    """Write what a rerun is compared with.

    Parameters
    ----------
    root : path-like
        Folder of a finished run.
    folder : path-like
        Where it is kept; files of an earlier run that no longer exist are removed.
    """
    root, folder = Path(root), Path(folder)
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    whole = sorted(p for pattern in WHOLE for p in (root / "results").glob(pattern))
    kept = {folder / p.relative_to(root / "results"): p.read_bytes() for p in whole}
    for old in [p for pattern in WHOLE for p in folder.glob(pattern)]:
        if old not in kept:
            old.unlink()
    for path, content in kept.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    text = json.dumps(environment(root), indent=1, sort_keys=True)
    (folder / "environment.json").write_text(text + "\n", encoding="utf-8")
    digests(root).to_csv(folder / "digests.csv", index=False, lineterminator="\n")
    for path, key in BY_CELL.items():
        for kind, table in cell_digests(root / path, key).items():
            name = f"{Path(path).stem}.{kind}.csv"
            table.to_csv(folder / "cells" / name, index=False, lineterminator="\n")


def environment(root) -> dict[str, str]:
    """What a run was made with: Python's version, the machine's kind, the lock's digest."""
    lock = Path(root) / "envs/requirements.lock"
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "machine": platform.machine(),
        "lock": digest(lock)[:16] if lock.exists() else "",
    }


def digests(root) -> pd.DataFrame:
    """Table of ``path``, ``bytes`` and ``sha256`` of every file that is kept as a digest."""
    root = Path(root)
    paths = sorted(p for pattern in DIGESTED for p in root.glob(pattern) if p.is_file())
    rows = [(p.relative_to(root).as_posix(), p.stat().st_size, digest(p)) for p in paths]
    return pd.DataFrame(rows, columns=["path", "bytes", "sha256"])


def cell_digests(path, key: list[str]) -> dict[str, pd.DataFrame]:
    """Digests of a table by row and by column.

    Parameters
    ----------
    path : path-like
        A CSV file.
    key : list of str
        The columns that identify a row.

    Returns
    -------
    dict
        ``rows``: the key and ``digest`` (eight hexadecimal digits); ``columns``: ``column`` and
        ``digest``, a column's in the order of the rows.
    """
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    lines = table.agg("\x1f".join, axis=1)
    rows = table[key].assign(digest=[_short(line) for line in lines])
    columns = [(c, _short("\x1f".join(table[c]))) for c in table.columns]
    return {"rows": rows, "columns": pd.DataFrame(columns, columns=["column", "digest"])}


def _short(text):
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def compared(folder) -> int:
    """How many files a comparison with what was kept looks at."""
    folder = Path(folder)
    whole = sum(1 for pattern in WHOLE for _ in folder.glob(pattern))
    return whole + len(pd.read_csv(folder / "digests.csv"))
