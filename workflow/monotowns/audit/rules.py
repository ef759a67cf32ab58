"""The rules of a run as Snakemake knows them, and the library's functions that a script calls."""

import ast
import re
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path

from monotowns.run.provenance import file_of


@dataclass(frozen=True)
class Function:
    """A function of the library: its dotted name, and the file and line of its definition."""

    name: str
    file: str
    line: int


def rules_of(workflow, folder) -> dict[str, dict]:
    """Describe the rules of a study that run a script.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
        It may hold rules of an importing workflow, too.
    folder : path-like
        Of the study's ``Snakefile``.

    Returns
    -------
    dict
        Rule's name -> ``file`` and ``line`` where it begins, ``script``, ``message`` and
        ``settings``: the keys of the config that its text reads, itself or through a function or
        constant of the same file.
    """
    folder, found = Path(folder).resolve(), {}
    for rule in workflow.rules:
        path = Path(str(rule.snakefile)).resolve()
        if not rule.script or not path.is_relative_to(folder):
            continue
        # Snakemake counts the lines of the Python that it makes of a file.
        line = workflow.linemaps[str(rule.snakefile)][rule.lineno]
        script = Path(str(rule.basedir), rule.script).resolve()
        found[rule.name] = {
            "name": rule.name,
            "file": path.relative_to(folder).as_posix(),
            "line": line,
            "script": script.relative_to(folder).as_posix(),
            "message": rule.message or "",
            "settings": _settings(path.read_text(encoding="utf-8").splitlines(), line - 1),
        }
    return found


def _settings(lines, start):
    body = _block(lines, start)
    for i, line in enumerate(lines):
        helper = re.match(r"(?:def )?(\w+)(?:\(| = )", line)
        if helper and re.search(rf"\b{helper[1]}\b", body):
            body += _block(lines, i)
    return sorted(set(re.findall(r'config\["(\w+)"\]', body)))


def _block(lines, start):
    """A line and the lines after it that stand deeper."""
    depth = _depth(lines[start])
    inside = takewhile(lambda line: not line.strip() or _depth(line) > depth, lines[start + 1 :])
    return "\n".join([lines[start], *inside])


def _depth(line):
    return len(line) - len(line.lstrip())


def functions_of(folder, script) -> list[Function]:
    """List the library's functions that a script imports, or calls by their module's name."""
    library, found = Path(folder, "workflow/monotowns"), []
    tree = _tree(Path(folder, script))
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("monotowns"):
            continue
        if node.module.startswith("monotowns.run"):
            continue
        for alias in node.names:
            name, dotted = alias.asname or alias.name, f"{node.module}.{alias.name}"
            if file_of(library, dotted):
                found += [definition(folder, f"{dotted}.{call}") for call in _called(tree, name)]
            else:
                found.append(definition(folder, dotted))
    return [function for function in dict.fromkeys(found) if function]


@cache
def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def _called(tree, module):
    """Attributes of a module that a syntax tree mentions."""
    return [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == module
    ]


def definition(folder, dotted: str) -> Function | None:
    """Find a function or class by its dotted name, through modules that pass it on."""
    module, name = dotted.rsplit(".", 1)
    path = file_of(Path(folder, "workflow/monotowns"), module)
    if not path or not module.startswith("monotowns"):
        return None
    for node in _tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return Function(dotted, path.relative_to(folder).as_posix(), node.lineno)
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            if name == (alias.asname or alias.name):
                return definition(folder, f"{node.module}.{alias.name}")
    return None
