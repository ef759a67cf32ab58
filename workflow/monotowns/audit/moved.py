"""What moved between two builds: numbers, claims, tables and figures, and the sentences they touch.

Both builds are given as folders of what was kept of them, see :mod:`monotowns.audit.expected`.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from monotowns.acquire.drift import drift
from monotowns.audit.compare import key_of
from monotowns.audit.trace import sentences_by_number
from monotowns.manuscript.text import filled, prose, sentences

#: Where the kept tables whose content is told by number or claim stand; they are not told twice.
TOLD = {"numbers.json", "claims.csv", "digests.csv"}


@dataclass
class Moved:
    """What differs between build A and build B.

    ``numbers``: (name, in A, in B); ``claims``: (claim, assertion, in A, in B, sentence);
    ``sentences``: those of B in which a number moved, with the names of these numbers;
    ``tables``: (file, cells that differ, rows gone, rows new); ``files``: files kept as digests
    whose bytes differ, (path, what); ``reworded``: (sentence, ``gone`` or ``new``).
    """

    numbers: list[tuple] = field(default_factory=list)
    claims: list[tuple] = field(default_factory=list)
    sentences: list[tuple] = field(default_factory=list)
    tables: list[tuple] = field(default_factory=list)
    files: list[tuple] = field(default_factory=list)
    reworded: list[tuple] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether anything moved."""
        return any((self.numbers, self.claims, self.tables, self.files, self.reworded))


def moved(a, b, texts: dict[str, str], before: dict[str, str] | None = None) -> Moved:
    """Compare two builds.

    Parameters
    ----------
    a, b : path-like
        What was kept of each.
    texts, before : dict
        Path -> source of the manuscript's sections in B and, to compare the wording, in A.
    """
    a, b, found = Path(a), Path(b), Moved()
    old, new = _json(a / "numbers.json"), _json(b / "numbers.json")
    found.numbers = [
        (name, old.get(name, "none"), new.get(name, "none"))
        for name in sorted(set(old) | set(new))
        if old.get(name) != new.get(name)
    ]
    touched, by_number = {}, sentences_by_number(texts, new)
    for name, *_ in found.numbers:
        for sentence in by_number.get(name, []):
            touched.setdefault(sentence, []).append(name)
    found.sentences = [(sentence, list(dict.fromkeys(n))) for sentence, n in touched.items()]
    found.claims = _claims(_csv(a / "claims.csv"), _csv(b / "claims.csv"), new)
    names = {p.relative_to(f).as_posix() for f in (a, b) for p in f.rglob("*") if p.is_file()}
    for name in sorted(n for n in names - TOLD if Path(n).suffix in (".csv", ".json")):
        if name.startswith("cells/") or _bytes(a / name) == _bytes(b / name):
            continue
        found.tables.append((name, *_counts(a / name, b / name)))
    found.tables.sort(key=lambda table: -sum(table[1:]))
    if before is not None:
        found.reworded = _reworded(before, texts)
    found.files = _files(_csv(a / "digests.csv"), _csv(b / "digests.csv"))
    return found


def _reworded(before, texts):
    old, new = (
        {s: None for text in side.values() for s in sentences(prose(text))}
        for side in (before, texts)
    )
    return [(s, "gone") for s in old if s not in new] + [(s, "new") for s in new if s not in old]


def _claims(old, new, numbers):
    if old.empty or new.empty:
        return []
    key, found = ["claim", "assertion", "again"], []
    # An assertion may be held to several variances.
    old, new = (t.assign(again=t.groupby(key[:2]).cumcount()) for t in (old, new))
    both = old.merge(new, on=key, how="outer", suffixes=("_a", "_b"), indicator=True)
    for row in both.fillna("").to_dict("records"):
        values = []
        for s in "ab":
            low, high = row[f"ci_low_{s}"], row[f"ci_high_{s}"]
            # A fact has no interval.
            values.append(str(row[f"estimate_{s}"]) + (f" [{low}, {high}]" if low or high else ""))
        if row["_merge"] != "both":
            values = [
                v if row["_merge"] == side else "none"
                for v, side in zip(values, ("left_only", "right_only"), strict=True)
            ]
        if values[0] != values[1]:
            sentence = filled(row["sentence_b"] or row["sentence_a"], numbers)
            found.append((row["claim"], row["assertion"], *values, sentence))
    return found


def _counts(a, b):
    """Cells that differ, rows gone, rows new."""
    if a.suffix == ".json":
        old, new = _json(a), _json(b)
        changed = sum(old[k] != new[k] for k in set(old) & set(new))
        return changed, len(set(old) - set(new)), len(set(new) - set(old))
    old, new = _csv(a), _csv(b)
    if old.empty or new.empty:
        return 0, len(old), len(new)
    key = key_of(old)
    if not set(key) <= set(new):
        return 0, len(old), len(new)
    cells = drift(a.name, old, new, key)
    rows = cells[cells["column"] == "(row)"]
    return (
        len(cells) - len(rows),
        int((rows["now"] == "(absent)").sum()),
        int((rows["now"] == "(present)").sum()),
    )


def _files(old, new):
    if old.empty or new.empty:
        return []  # a build from before digests were kept
    both = old.merge(new, on="path", how="outer", suffixes=("_a", "_b"))
    found = []
    for row in both.fillna("").to_dict("records"):
        if row["sha256_a"] != row["sha256_b"]:
            what = (
                "new" if not row["sha256_a"] else "gone" if not row["sha256_b"] else "other bytes"
            )
            found.append((row["path"], what))
    return found


def told(found: Moved, shown: int = 40) -> str:
    """Say what moved: claims first, then sentences, numbers, tables and files."""
    if not found:
        return "Nothing moved."
    lines = []

    def part(title, entries):
        if entries:
            lines.append(f"{title} ({len(entries)})")
            lines.extend(f"  {entry}" for entry in entries[:shown])
            if len(entries) > shown:
                lines.append(f"  and {len(entries) - shown} more")

    by_claim = {}
    for claim, assertion, old, new, sentence in found.claims:
        by_claim.setdefault((claim, sentence), []).append(f"{assertion}: {old} -> {new}")
    part(
        "Claims",
        [
            "\n    ".join([f'{claim}: "{sentence}"', *changes])
            for (claim, sentence), changes in by_claim.items()
        ],
    )
    values = {name: f"{old} -> {new}" for name, old, new in found.numbers}
    part(
        "Sentences in which a number moved",
        [
            "\n    ".join([f'"{s}"', *(f"{n}: {values[n]}" for n in names)])
            for s, names in found.sentences
        ],
    )
    inside = {name for _, names in found.sentences for name in names}
    part(
        "Numbers that no sentence prints",
        [f"{name}: {value}" for name, value in values.items() if name not in inside],
    )
    part("Sentences reworded", [f"{what}: {sentence}" for sentence, what in found.reworded])
    part(
        "Tables",
        [
            f"{name}: {cells} cells differ, {gone} rows gone, {come} new"
            for name, cells, gone, come in found.tables
        ],
    )
    part("Files", [f"{path}: {what}" for path, what in found.files])
    return "\n".join(lines)


def _bytes(path):
    return path.read_bytes() if path.is_file() else None


def _json(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _csv(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False) if path.is_file() else pd.DataFrame()
