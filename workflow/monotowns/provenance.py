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
    library = Path(library)
    chosen = [library.joinpath(*module.split(".")).with_suffix(".py") for module in modules]
    queue, seen, trees = [Path(script), *chosen], set(), []
    for path in queue:
        if not path.exists():
            raise FileNotFoundError(path)
    while queue:
        path = queue.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        imports, bare = _parsed(path, path.read_bytes())
        for module, names in imports:
            if module.startswith(library.name):
                queue += _files(library, module, names)
        trees.append((path.name, bare))
    text = "\n".join(f"{name} {tree}" for name, tree in sorted(trees))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


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
    """Imports (module, names) of a file and its syntax tree without comments and docstrings.

    Kept by content: the rules of one workflow reach the same modules again and again.
    """
    tree = ast.parse(text)
    imports = [(node.module or "", [alias.name for alias in node.names])
               for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]  # fmt: skip
    return imports, _bare(tree)


def _files(library, module, names):
    base = library.joinpath(*module.split(".")[1:])
    files = [base.with_suffix(".py"), base / "__init__.py"]
    for name in names:
        files += [base / f"{name}.py", base / name / "__init__.py"]
    return files


def _bare(tree) -> str:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (isinstance(body, list) and body and isinstance(body[0], ast.Expr)
                and isinstance(body[0].value, ast.Constant)
                and isinstance(body[0].value.value, str)):  # fmt: skip
            node.body = body[1:]
    return ast.dump(tree)
