"""What a data editor looks for in a package before reading it.

The patterns see what has a form: addresses, numbers, paths. A person's name in running text has
none, and is not seen.
"""

import ast
import re
import sys
from contextlib import suppress
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path

from monotowns.run.stage import digest

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
    texts = {}
    for name, path in files.items():
        with suppress(UnicodeDecodeError):
            texts[name] = path.read_text(encoding="utf-8")
    found = [*_texts(texts), *_imports(texts, declared), *_files(files), *_licences(files, sources)]
    excepted = {
        number: [f for f in found if f[0] == entry["check"] and fnmatch(f[1], entry["file"])]
        for number, entry in enumerate(exceptions)
    }
    idle = [entry for number, entry in enumerate(exceptions) if not excepted[number]]
    return [
        *(fault for fault in found if not any(fault in some for some in excepted.values())),
        *(("exceptions", e["file"], f"nothing to except from '{e['check']}'") for e in idle),
    ]


def _texts(texts):
    for name, text in texts.items():
        for line, content in enumerate(text.splitlines(), start=1):
            if match := ABSOLUTE.search(content):
                yield "absolute path", name, f"line {line}: {match[0]}"
            for what, pattern in PERSONAL.items():
                if match := pattern.search(content):
                    yield "personal data", name, f"line {line}: {what}, {match[0]}"


def _imports(texts, declared):
    code = {name: text for name, text in texts.items() if name.endswith(".py")}
    local = {part for name in code for part in Path(name).with_suffix("").parts}
    known = {_plain(name) for name in declared}
    offered = packages_distributions()
    for name, text in code.items():
        for node in ast.walk(ast.parse(text)):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            for top in {module.split(".")[0] for module in modules}:
                if top in sys.stdlib_module_names or top in local:
                    continue
                if not known & {_plain(by) for by in offered.get(top, [top])}:
                    yield "undeclared import", name, f"line {node.lineno}: {top}"


def _plain(distribution):
    return distribution.lower().replace("_", "-")


def _files(files):
    seen = {}
    for name, path in files.items():
        size = path.stat().st_size
        if path.is_symlink():
            yield "symbolic link", name, f"leads to {path.readlink()}"
            continue
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
