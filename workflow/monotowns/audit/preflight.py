"""What a data editor looks for in a package before reading it.

The patterns see what has a form: addresses, numbers, paths. A person's name in running text has
none, and is not seen.
"""

import ast
import re
import sys
from fnmatch import fnmatch
from pathlib import Path

from monotowns.run.stage import digest

TEXT = {
    ".py",
    ".smk",
    ".yaml",
    ".yml",
    ".json",
    ".md",
    ".typ",
    ".toml",
    ".csv",
    ".html",
    ".bib",
    ".cff",
    ".txt",
    ".in",
    ".lock",
    "",
}
#: Folders of one machine. A path below /usr or /bin is of every machine.
ABSOLUTE = re.compile(
    r"(?<![\w.:/<}])/(?:home|Users|root|work|tmp|mnt|scratch|private)/[\w.-]+"
    r"|\b[A-Za-z]:\\\\?[A-Za-z]+\\"
)
PERSONAL = {
    "an e-mail address": re.compile(r"\b[\w.+-]+@[\w-]+\.(?:[a-z]{2,6})\b(?!\()"),
    "a telephone number": re.compile(r"(?<![\d.])\+\d{1,3}[ (-]+\d{2,4}[ )-]+\d{2,4}[ -]\d{2,}"),
    "an address of a computer": re.compile(
        r"(?<![\d.])(?!127\.|0\.0|255\.)(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"
    ),
    "an insurance or tax number": re.compile(r"(?<!\d)\d{3}-\d{3}-\d{3} \d{2}(?!\d)"),
}
#: Above this a file does not belong into a package (bytes).
LARGE = 50_000_000
#: Distribution of an import whose name differs from it.
DISTRIBUTION = {
    "yaml": "pyyaml",
    "diff_diff": "diff-diff",
    "python_calamine": "python-calamine",
    "xdist": "pytest-xdist",
}
COMPANIONS = (
    "LICENSE",
    "README.md",
    "REPLICATION.md",
    "CITATION.cff",
    "data/README.md",
    "data/sources.yaml",
    "envs/requirements.lock",
    "Snakefile",
    "Makefile",
)


def preflight(folder, declared, sources, exceptions=()) -> list[tuple[str, str, str]]:
    """Check a package.

    Parameters
    ----------
    folder : path-like
        The unpacked package.
    declared : collection of str
        Distributions that the environment declares.
    sources : dict
        See :func:`monotowns.acquire.registry.load_registry`.
    exceptions : list of dict
        ``check``, ``file`` (a pattern) and ``reason`` of what may stand.

    Returns
    -------
    list of tuple
        Check, file and what was found; empty when the package passes.
    """
    folder = Path(folder)
    files = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
    texts = {
        name: path.read_text(encoding="utf-8", errors="replace")
        for name, path in files.items()
        if path.suffix in TEXT
    }
    found = [*_texts(texts), *_imports(texts, declared), *_files(files), *_licences(files, sources)]
    kept, used = [], set()
    for check, name, what in found:
        by = [
            i for i, e in enumerate(exceptions) if e["check"] == check and fnmatch(name, e["file"])
        ]
        used.update(by)
        if not by:
            kept.append((check, name, what))
    for i, entry in enumerate(exceptions):
        if i not in used:
            kept.append(("exceptions", entry["file"], f"nothing to except from '{entry['check']}'"))
    return kept


def _texts(texts):
    for name, text in texts.items():
        for line, content in enumerate(text.splitlines(), start=1):
            if match := ABSOLUTE.search(content):
                yield "absolute path", name, f"line {line}: {match[0]}"
            for what, pattern in PERSONAL.items():
                if match := pattern.search(content):
                    yield "personal data", name, f"line {line}: {what}, {match[0]}"


def _imports(texts, declared):
    local = {
        part for name in texts if name.endswith(".py") for part in Path(name).with_suffix("").parts
    }
    known = {d.lower().replace("_", "-") for d in declared}
    for name, text in texts.items():
        if not name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(text)):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            for module in modules:
                top = module.split(".")[0]
                needed = DISTRIBUTION.get(top, top).lower().replace("_", "-")
                if top not in sys.stdlib_module_names | local and needed not in known:
                    yield "undeclared import", name, f"line {node.lineno}: {top}"


def _files(files):
    seen = {}
    for name, path in files.items():
        size = path.stat().st_size
        if not size:
            yield "zero bytes", name, "the file is empty"
        elif (other := seen.setdefault(digest(path), name)) != name:
            yield "duplicate", name, f"the same bytes as {other}"
        if size > LARGE:
            yield "large file", name, f"{size} bytes"
        if not name.isascii() or " " in name:
            yield "file name", name, "not plain: letters outside ASCII or a space"


def _licences(files, sources):
    for name in COMPANIONS:
        if name not in files:
            yield "missing file", name, "a package has one"
    for key, source in sources.items():
        if not source.licence.strip() or not source.citation.strip():
            yield "missing licence", "data/sources.yaml", f"{key}: licence and citation"
        for table in source.tables:
            kept = f"data/snapshot/{table}.csv" in files
            if kept and source.redistributed == "none":
                yield "missing licence", f"data/snapshot/{table}.csv", f"{key} is not redistributed"
