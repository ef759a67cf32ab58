"""What the workflow's files say: a rule's place, script, settings and the functions it calls."""

import ast
import re
from dataclasses import dataclass, replace
from pathlib import Path

START = re.compile(
    r"^(?:rule (?P<name>\w+)|use rule (?P<parent>\w+) as (?P<child>\w+) with):", re.M
)
TOP = re.compile(r"^\S", re.M)


@dataclass(frozen=True)
class Rule:
    """A rule as its file writes it.

    ``file`` and ``line`` are where it begins, ``script`` the path of its script (empty without
    one), ``settings`` the keys of the config that its text or the functions it names read, and
    ``message`` what it says of itself.
    """

    name: str
    file: str
    line: int
    script: str
    settings: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class Function:
    """A function of the library: its dotted name and where its definition stands."""

    name: str
    file: str
    line: int


def rules_of(folder, without=()) -> dict[str, Rule]:
    """Read all rules of a checkout.

    Parameters
    ----------
    folder : path-like
        Of the ``Snakefile``; rule files stand in ``workflow/rules``.
    without : collection of str
        Stems of rule files that this run does not include.

    Returns
    -------
    dict
        Rule by name, in the order of the files; of two with one name the first.
    """
    folder, found = Path(folder), {}
    for path in [folder / "Snakefile", *sorted(folder.glob("workflow/rules/*.smk"))]:
        if path.stem in without:
            continue
        text = path.read_text(encoding="utf-8")
        helpers = _helpers(text)
        for match in START.finditer(text):
            end = TOP.search(text, match.end())
            body = text[match.end() : end.start() if end else None]
            reached = body + "".join(
                t for name, t in helpers.items() if re.search(rf"\b{name}\b", body)
            )
            script = re.search(r'script:\s+"([^"]+)"', body)
            message = re.search(r'message:\s+"([^"]+)"', body)
            rule = Rule(
                name=match["name"] or match["child"],
                file=path.relative_to(folder).as_posix(),
                line=text.count("\n", 0, match.start()) + 1,
                script=_resolved(folder, path, script[1]) if script else "",
                settings=tuple(dict.fromkeys(re.findall(r'config\["(\w+)"\]', reached))),
                message=message[1] if message else "",
            )
            if match["parent"]:
                parent = found[match["parent"]]
                rule = replace(
                    rule,
                    script=rule.script or parent.script,
                    message=rule.message or parent.message,
                )
            found.setdefault(rule.name, rule)
    return found


def _resolved(folder, rule_file, script):
    return (rule_file.parent / script).resolve().relative_to(folder.resolve()).as_posix()


def _helpers(text):
    """Functions and constants of a rule file by name: what a rule's body may call on."""
    parts = re.split(r"^(?=def |[A-Z_]+ = )", text, flags=re.M)
    names = [re.match(r"(?:def (\w+)|([A-Z_]+) = )", part) for part in parts]
    return {
        (n[1] or n[2]): part[: end.start() if (end := TOP.search(part, n.end())) else None]
        for n, part in zip(names, parts, strict=True)
        if n
    }


def functions_of(folder, script) -> list[Function]:
    """List the library's functions that a script imports, each with its line.

    A function that the package only passes on is followed to its definition. The name of a
    module that the script chooses while running is not known here.
    """
    folder, found = Path(folder), []
    tree = ast.parse((folder / script).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("monotowns"):
            continue
        if node.module == "monotowns.run.stage":
            continue
        for alias in node.names:
            base = folder.joinpath("workflow", *node.module.split("."))
            whole = _module(base / alias.name)
            if whole:  # the script calls functions of the module by its name
                found += _called(tree, alias.asname or alias.name, whole, folder)
            elif place := _defined(_module(base), alias.name, folder):
                found.append(place)
    return list(dict.fromkeys(found))


def definition(folder, dotted: str) -> Function:
    """Find a function of the library by its dotted name, through re-exports.

    Raises
    ------
    LookupError
        There is none of that name.
    """
    module, name = dotted.rsplit(".", 1)
    path = _module(Path(folder).joinpath("workflow", *module.split(".")))
    if path and (found := _defined(path, name, Path(folder))):
        return found
    raise LookupError(dotted)


def _module(base):
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.exists():
            return path
    return None


def _called(tree, name, path, folder):
    calls = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    ]
    return [place for call in dict.fromkeys(calls) if (place := _defined(path, call, folder))]


def _defined(path, name, folder):
    """Where a name is defined, through re-exports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            file = path.relative_to(folder).as_posix()
            parts = Path(file).with_suffix("").parts[1:]
            dotted = ".".join(p for p in parts if p != "__init__")
            return Function(f"{dotted}.{name}", file, node.lineno)
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or "monotowns" not in (node.module or ""):
            continue
        module = _module(folder.joinpath("workflow", *node.module.split(".")))
        if module and name in [a.asname or a.name for a in node.names]:
            return _defined(module, name, folder)
    return None
