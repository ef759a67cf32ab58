"""Randomness has one source, the config's seed; nothing reads a clock into a result."""

import ast
from functools import cache

import pytest
from checkout import ROOT

FILES = sorted(
    p for folder in ("monotowns", "scripts") for p in (ROOT / "workflow" / folder).rglob("*.py")
)
#: What waits for a server or a run, stamps the record of a job or reads such a stamp.
TIMED = ("acquire/transfer", "acquire/download", "run/stage", "run/lock", "audit/crate")
CLOCK = {f"workflow/monotowns/{name}.py" for name in TIMED}
#: esda draws from numpy's one generator: seeded by an argument, and given back as it was.
GLOBAL = {"workflow/monotowns/estimate/spatial_tests.py"}
#: Modules whose numbers depend on when, or in which process, they are asked.
FORBIDDEN = {"random", "secrets", "uuid", "time", "datetime"}


def name_of(node):
    """A dotted name as it is written, empty for anything else."""
    if isinstance(node, ast.Attribute):
        before = name_of(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def unseeded(source: str) -> list[str]:
    """Calls of a generator whose seed is no argument of the function around it."""
    found = []

    def walk(node, arguments):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            given = node.args
            names = [*given.posonlyargs, *given.args, *given.kwonlyargs]
            arguments = arguments | {a.arg for a in names}
        if isinstance(node, ast.Call):
            name = name_of(node.func)
            if name.endswith("default_rng"):
                seed = node.args[0] if node.args else None
                parts = seed.elts if isinstance(seed, ast.List) else [seed]
                if not all(isinstance(p, ast.Name) and p.id in arguments for p in parts):
                    found.append(f"{node.lineno}: {name}")
            elif ".random." in name and not name.startswith("rng"):
                found.append(f"{node.lineno}: {name}")
        for child in ast.iter_child_nodes(node):
            walk(child, arguments)

    walk(ast.parse(source), frozenset())
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_generator_is_seeded_by_an_argument(path):
    source = path.read_text(encoding="utf-8")
    ours = path.relative_to(ROOT).as_posix()
    found = [call.split(": ")[1] for call in unseeded(source)]
    drawn = ["np.random.get_state", "np.random.seed", "np.random.set_state"]
    assert found == (drawn if ours in GLOBAL else [])
    assert ours not in GLOBAL or "np.random.seed(seed)" in source
    imported = {
        (alias.name if isinstance(node, ast.Import) else node.module or "").split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert ours in CLOCK or not imported & FORBIDDEN


@cache
def seeded() -> set[str]:
    """Names of the library's functions whose seed has a default: callers may forget it.

    Where the default is None nothing is drawn without a seed.
    """
    found = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            given = [a.arg for a in node.args.args]
            defaults = dict(zip(given[::-1], node.args.defaults[::-1], strict=False))
            named = [a.arg for a in node.args.kwonlyargs]
            defaults |= dict(zip(named, node.args.kw_defaults, strict=True))
            if (default := defaults.get("seed")) and ast.unparse(default) != "None":
                found.add(node.name)
    return found


def calls_without_seed(source: str, names: set[str]) -> list[str]:
    """Calls of seeded functions that leave the seed to its default or write one down."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or name_of(node.func).split(".")[-1] not in names:
            continue
        given = [k.value for k in node.keywords if k.arg == "seed"]
        given += [arg for arg in node.args if name_of(arg).split(".")[-1] == "seed"]
        whole = any(k.arg is None for k in node.keywords)  # **arguments
        if not whole and (not given or isinstance(given[0], ast.Constant)):
            found.append(f"{node.lineno}: {name_of(node.func)}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_call_in_the_study_hands_the_seed_on(path):
    """A default seed serves whoever calls the library by hand; the study must not lean on it."""
    assert calls_without_seed(path.read_text(encoding="utf-8"), seeded()) == []


@pytest.mark.parametrize(
    ("call", "count"),
    [
        ("moran(x, W)", 1),
        ("moran(x, W, seed=0)", 1),
        ("moran(x, W, seed=seed)", 0),
        ("m.moran(x, W, seed)", 0),
        ("moran(x, **given)", 0),
        ("other(x)", 0),
    ],
)
def test_a_call_without_its_seed_is_seen(call, count):
    assert len(calls_without_seed(call, {"moran"})) == count


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def f(seed):\n    return np.random.default_rng(seed)", 0),
        ("def f():\n    return np.random.default_rng()", 1),
        ("def f():\n    return np.random.default_rng(7)", 1),
        ("SEED = 7\ndef f():\n    return default_rng(SEED)", 1),
        ("def f(seed):\n    np.random.seed(seed)", 1),
        ("def f(seed, copy):\n    return default_rng([seed, copy])", 0),
        ("def f(seed):\n    return default_rng([seed, 7])", 1),
        ("def f(seed):\n    def g():\n        return default_rng(seed)", 0),
    ],
)
def test_the_scan_sees_what_it_should(source, count):
    assert len(unseeded(source)) == count
