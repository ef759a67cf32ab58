"""What a script's result depends on besides its inputs: the code that it reaches."""

import ast
import hashlib
import subprocess
from functools import cache
from pathlib import Path


def code_of(library, script, *modules, root="") -> str:
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
    root : path-like
        Folder in which the paths lie, when they are relative.

    Returns
    -------
    str
        The first 16 hexadecimal digits of a sha256.

    Raises
    ------
    FileNotFoundError
        When the script or a chosen module does not exist.
    """
    library, script = Path(root, library), Path(root, script)
    files = [script, *_reached(library, script, *modules)]
    trees = [(path.name, _parsed(path, path.read_bytes())[1]) for path in files]
    text = "\n".join(f"{name} {tree}" for name, tree in sorted(trees))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _reached(library, script, *modules) -> list[Path]:
    """Files of the library that a script and the chosen modules reach."""
    queue, seen = [script], {script}
    for module in modules:
        base = library.joinpath(*module.split("."))
        path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
        if not path.exists():
            raise FileNotFoundError(path)
        queue.append(path)
    found = []
    while queue:
        path = queue.pop()
        if path != script and (path in seen or not path.exists()):
            continue
        seen.add(path)
        found += [path] if path != script else []
        for module, names in _parsed(path, path.read_bytes())[0]:
            if module.startswith(library.name):
                queue += _files(library, module, names)
    return found


def parts_of(library, script, *modules) -> dict[str, str]:
    """Digest of every function, class and constant of a script and of the code that it reaches.

    Where :func:`code_of` says that code changed, these say which. Parameters and errors as there.

    Returns
    -------
    dict
        ``monotowns.models.twoway.least_squares`` -> 8 hexadecimal digits; what a file does
        besides defining names stands under ``<module>``.
    """
    library, script = Path(library), Path(script)
    found = {}
    for path in (script, *_reached(library, script, *modules)):
        module = path.stem
        if path != script:
            place = path.relative_to(library.parent).with_suffix("")
            module = ".".join(place.parts).removesuffix(".__init__")
        parts = {}
        for node in _stripped(ast.parse(path.read_bytes())).body:
            for name in _defined(node) or ["<module>"]:
                parts[name] = parts.get(name, "") + ast.dump(node)
        for name, text in parts.items():
            found[f"{module}.{name}"] = hashlib.sha256(text.encode()).hexdigest()[:8]
    return found


def _defined(node) -> list[str]:
    """Names that a statement of a module defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]
    return []


def beside(folder, working) -> str:
    """Prefix that leads from the working folder to a checkout: none where they are the same."""
    folder = str(folder)
    return "" if Path(folder).resolve() == Path(working).resolve() else f"{folder}/"


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
    return ast.dump(_stripped(tree))


def _stripped(tree):
    """A syntax tree without docstrings."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (isinstance(body, list) and body and isinstance(body[0], ast.Expr)
                and isinstance(body[0].value, ast.Constant)
                and isinstance(body[0].value.value, str)):  # fmt: skip
            node.body = body[1:]
    return tree
