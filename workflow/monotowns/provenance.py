"""What a script's result depends on besides its inputs: the code that it reaches."""

import ast
import hashlib
import subprocess
from functools import cache
from pathlib import Path


def code_of(library, script, *modules) -> str:
    """Digest of a script's syntax tree and of every library module that it reaches.

    Comments and docstrings do not count. Snakemake sees edits of scripts but not of the modules
    they import; with this digest among a rule's params a logic edit reruns what depends on it.

    Parameters
    ----------
    library : path-like
        The package's folder.
    script : path-like
        The script.
    *modules : str
        Modules chosen while running, which no import statement names, e.g. ``models.twoway``.

    Returns
    -------
    str
        The first 16 hexadecimal digits of a sha256.

    Raises
    ------
    FileNotFoundError
        When the script or a chosen module does not exist.
    """
    library, script = Path(library), Path(script)
    text = f"{script.name} {_parsed(script, script.read_bytes())[1]}"
    for path in reached(library, script, *modules):
        text += f"\n{path} {_parsed(library / path, (library / path).read_bytes())[1]}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def reached(library, script, *modules) -> list[str]:
    """List the library's files that a script reaches, as paths within the library, sorted.

    An import counts wherever it stands, also within a function, and brings the packages around
    its module with it, as Python does. What is imported by a name made while running is not
    seen; it belongs among ``modules``. Parameters and errors as for :func:`code_of`.
    """
    library, script = Path(library), Path(script)
    queue = [f"{library.name}.{module}" for module in modules]
    for module in queue:
        if not _files(library, module):
            raise FileNotFoundError(library / module.split(".", 1)[1])
    queue += _parsed(script, script.read_bytes())[0]
    seen, found = set(), set()
    while queue:
        module = queue.pop()
        if module in seen or module.split(".")[0] != library.name:
            continue
        seen.add(module)
        queue += [module.rpartition(".")[0]] if "." in module else []
        for path in _files(library, module):
            found.add(path.relative_to(library).as_posix())
            queue += _parsed(path, path.read_bytes())[0]
    return sorted(found)


def commit(folder) -> str:
    """Commit of a checkout, with `` + changes`` when a tracked file differs; empty outside git."""

    def git(*words):
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    found = git("rev-parse", "HEAD")
    changed = git("status", "--porcelain", "--untracked-files=no")
    return f"{found} + changes" if found and changed else found


@cache
def _parsed(path, text):
    """Names that a file may import and its syntax tree without comments and docstrings.

    Kept by content: the rules of one workflow reach the same modules again and again.
    """
    tree, names = ast.parse(text), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}:{node.lineno}: write the module's whole name")
            # What follows `import` may be a module or a name within one.
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names, _bare(tree)


def _files(library, module):
    """The file of a module: none for a name within one."""
    base = library.joinpath(*module.split(".")[1:])
    places = [base.with_suffix(".py")] if base != library else []
    return [path for path in (*places, base / "__init__.py") if path.exists()]


def _bare(tree) -> str:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (isinstance(body, list) and body and isinstance(body[0], ast.Expr)
                and isinstance(body[0].value, ast.Constant)
                and isinstance(body[0].value.value, str)):  # fmt: skip
            node.body = body[1:]
    return ast.dump(tree)
