"""What moved between two builds: claims, numbers, tables and figures, and the sentences they touch.

Both builds are given as folders of what was kept of them, see :mod:`monotowns.audit.expected`.
"""

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from monotowns.audit.compare import differences, read
from monotowns.audit.expected import keep, rebuild
from monotowns.audit.trace import sentences_by_number
from monotowns.manuscript.text import filled, prose, sentences
from monotowns.run.errors import InputError

SHOWN = 40


def unpack(root, commit: str, folder, build: bool, cores: int) -> Path:
    """Put a commit's tree into a folder and return what it keeps of its run, or of a run made now.

    Raises
    ------
    InputError
        There is no such commit, or it keeps no results.
    """
    done = subprocess.run(["git", "archive", commit], cwd=root, capture_output=True)
    if done.returncode:
        raise InputError("git", "no such commit", keys=[commit], found=done.stderr.decode().strip())
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder / "tree", filter="data")
    if build:
        print(f"Building {commit} ...", flush=True)
        (folder / "build").mkdir()
        rebuild(folder / "tree", folder / "build", "snapshot", cores)
        keep(folder / "build", folder / "tree/results/expected")
    if not (folder / "tree/results/expected/numbers.json").exists():
        raise InputError(
            commit,
            "the commit keeps no results",
            expected="results/expected",
            remedy="make diff A=... B=... BUILD=1 builds both",
        )
    return folder / "tree"


def moved(a, b) -> str:
    """Say what moved between two trees: claims first, then sentences, numbers, tables and files.

    Parameters
    ----------
    a, b : path-like
        Folders with ``paper/sections`` and ``results/expected``.
    """
    kept = [Path(side, "results/expected") for side in (a, b)]
    numbers = [dict(read(side / "numbers.json")[["name", "value"]].to_numpy()) for side in kept]
    texts = [
        {
            p.name: p.read_text(encoding="utf-8")
            for p in sorted(Path(x, "paper/sections").glob("*.typ"))
        }
        for x in (a, b)
    ]
    found = differences(*kept)
    changes = {
        name: f"{numbers[0].get(name, 'none')} -> {numbers[1].get(name, 'none')}"
        for name in sorted({*numbers[0], *numbers[1]})
        if numbers[0].get(name) != numbers[1].get(name)
    }
    touched, by_number = {}, sentences_by_number(texts[1], numbers[1])
    for name in changes:
        for sentence in by_number.get(name, []):
            touched.setdefault(sentence, {})[name] = None
    printed = {name for names in touched.values() for name in names}
    wording = [{s: 0 for text in side.values() for s in sentences(prose(text))} for side in texts]
    results = found[~found["file"].isin(["results/numbers.json", "results/claims.csv"])]
    parts = {
        "Claims": _claims(*kept, numbers[1]),
        "Sentences in which a number moved": [
            "\n    ".join([f'"{sentence}"', *(f"{name}: {changes[name]}" for name in names)])
            for sentence, names in touched.items()
        ],
        "Numbers that no sentence prints": [
            f"{name}: {change}" for name, change in changes.items() if name not in printed
        ],
        "Sentences reworded": [
            *(f"gone: {sentence}" for sentence in wording[0] if sentence not in wording[1]),
            *(f"new: {sentence}" for sentence in wording[1] if sentence not in wording[0]),
        ],
        "Files": [_counted(file, rows) for file, rows in results.groupby("file", sort=False)],
    }
    lines = []
    for title, entries in parts.items():
        if entries:
            lines += [f"{title} ({len(entries)})", *(f"  {entry}" for entry in entries[:SHOWN])]
            lines += [f"  and {len(entries) - SHOWN} more"] if len(entries) > SHOWN else []
    return "\n".join(lines) or "Nothing moved."


def _claims(a, b, numbers):
    """Claims whose estimate or interval moved, each with its sentence and its assertions."""
    sides, entries = [], {}
    for side in (a, b):
        claims = read(side / "claims.csv").to_dict("records")
        # An assertion may be held to several variances, in the order in which they stand.
        held = {}
        for row in claims:
            value = row["estimate"]
            # A fact has no interval.
            value += f" [{row['ci_low']}, {row['ci_high']}]" if row["ci_low"] else ""
            held.setdefault((row["claim"], row["assertion"]), []).append(value)
            entries[row["claim"]] = filled(row["sentence"], numbers)
        sides.append({key: ", ".join(values) for key, values in held.items()})
    lines = {}
    for claim, assertion in {**sides[0], **sides[1]}:
        old, new = (side.get((claim, assertion), "none") for side in sides)
        if old != new:
            lines.setdefault(claim, []).append(f"{assertion}: {old} -> {new}")
    return ["\n    ".join([f'{c}: "{entries[c]}"', *its]) for c, its in lines.items()]


def _counted(file, rows):
    whole = rows["column"].isin(["", "(row)"])
    gone = whole & rows["found"].isin(["(absent)", "none"])
    new = whole & rows["expected"].isin(["(absent)", "none"])
    counts = {"cells differ": (~whole).sum(), "gone": gone.sum(), "new": new.sum()}
    counts["other bytes"] = whole.sum() - gone.sum() - new.sum()
    return f"{file}: " + ", ".join(f"{count} {what}" for what, count in counts.items() if count)
