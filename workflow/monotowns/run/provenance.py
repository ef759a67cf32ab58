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


def parts_of(library, script, *modules) -> dict[str, str]:
    """Digest of every function, class and constant of a script and of the code that it reaches.

    Where :func:`code_of` says that code changed, these say which. Parameters and errors as there.

    Returns
    -------
    dict
        ``monotowns.estimate.regression.least_squares`` -> 8 hexadecimal digits; what a file does
        besides defining names stands under ``<module>``.
    """
    library, script = Path(library), Path(script)
    found = {}
    for path in (script, *(library / p for p in reached(library, script, *modules))):
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
    return ast.dump(_stripped(tree))


def _stripped(tree):
    """A syntax tree without docstrings."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            node.body = body[1:]
    return tree
