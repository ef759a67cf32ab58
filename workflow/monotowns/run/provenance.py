"""What a script's result depends on besides its inputs: the code that it reaches.

Snakemake 9 sees an edit of a script but not of the modules it imports; ``modulefinder`` of the
standard library follows every import into pandas and beyond, which takes seconds a script.
"""

import ast
import hashlib
import subprocess
from functools import cache
from pathlib import Path


def code_of(library, script, root="") -> str:
    """Digest of a script's code and of all library code that it reaches.

    Comments and docstrings do not count. Among a rule's params it lets a logic edit rerun what
    depends on it.

    Parameters
    ----------
    library : path-like
        The package's folder.
    script : path-like
        The script.
    root : path-like
        Folder in which the paths lie, when they are relative.

    Returns
    -------
    str
        The first 16 hexadecimal digits of a sha256.

    Raises
    ------
    FileNotFoundError
        When the script does not exist.
    """
    parts = parts_of(Path(root, library), Path(root, script))
    return _short(repr(sorted(parts.items())), 16)


def parts_of(library, script) -> dict[str, str]:
    """Digest of every function, class and constant of a script and of the code that it reaches.

    Parameters and errors as for :func:`code_of`.

    Returns
    -------
    dict
        ``monotowns.estimate.regression.least_squares`` -> 8 hexadecimal digits; what a file does
        besides defining names stands under ``<module>``.
    """
    library, script = Path(library), Path(script)
    found = {f"{script.stem}.{k}": v for k, v in _parsed(script, script.read_bytes())[1].items()}
    for place in reached(library, script):
        module = ".".join(Path(library.name, place).with_suffix("").parts)
        parts = _parsed(library / place, (library / place).read_bytes())[1]
        found |= {f"{module.removesuffix('.__init__')}.{k}": v for k, v in parts.items()}
    return found


def reached(library, script) -> list[str]:
    """List the library's files that a script reaches, as paths within the library, sorted.

    An import counts wherever it stands, also within a function, and brings the packages around
    its module with it, as Python does. Parameters and errors as for :func:`code_of`.
    """
    library, script = Path(library), Path(script)
    queue = list(_parsed(script, script.read_bytes())[0])
    seen, found = set(), set()
    while queue:
        module = queue.pop()
        if module in seen or module.split(".")[0] != library.name:
            continue
        seen.add(module)
        queue += [module.rpartition(".")[0]] if "." in module else []
        if path := file_of(library, module):
            found.add(path.relative_to(library).as_posix())
            queue += _parsed(path, path.read_bytes())[0]
    return sorted(found)


@cache
def _parsed(path, text) -> tuple[list[str], dict[str, str]]:
    """Names that a file may import, and the digests of what it defines.

    Kept by content: the rules of one workflow reach the same modules again and again.
    """
    tree, imported, parts = ast.parse(text), [], {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}:{node.lineno}: write the module's whole name")
            # What follows `import` may be a module or a name within one.
            imported += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        documented = isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    for node in tree.body:
        for name in _defined(node) or ["<module>"]:
            parts[name] = parts.get(name, "") + ast.dump(node)
    return imported, {name: _short(dump, 8) for name, dump in parts.items()}


def _defined(node) -> list[str]:
    """Names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
    return []


def file_of(library, module) -> Path | None:
    """The file of a module: none for a name within one."""
    base = library.joinpath(*module.split(".")[1:])
    places = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in places if path.exists()), None)


def _short(text, digits):
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def beside(folder, working) -> str:
    """Prefix that leads from the working folder to a checkout: none where they are the same."""
    folder = str(folder)
    return "" if Path(folder).resolve() == Path(working).resolve() else f"{folder}/"


def commit(folder) -> str:
    """Commit of a checkout, with `` + changes`` when a tracked file differs.

    Empty outside git, without git, and within somebody else's repository.
    """

    def git(*words):
        try:
            done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True)
        except FileNotFoundError:
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    top = git("rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != Path(folder).resolve():
        return ""
    found = git("rev-parse", "HEAD")
    changed = git("status", "--porcelain", "--untracked-files=no")
    return f"{found} + changes" if found and changed else found
