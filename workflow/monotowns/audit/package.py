"""The replication package: what it holds, its README and its bytes."""

import zipfile
from pathlib import Path

import jinja2

from monotowns.audit import rules as workflow
from monotowns.run.stage import digest

#: Built by a run and carried beside the committed files.
BUILT = ("results/paper.pdf", "results/figures/*.svg", "results/figures/*.png")
#: The same for every package: its bytes depend on nothing but what is in it.
EPOCH = (1980, 1, 1, 0, 0, 0)
ROLES = {
    "data/snapshot/": "data",
    "data/corrections/": "data",
    "results/expected/": "expected result",
    "results/": "result",
    "paper/": "manuscript",
    "config/": "setting",
    "workflow/": "code",
    "tests/": "test",
    "envs/": "environment",
}


def role(name: str) -> str:
    """What a file of the package is, by its folder."""
    return next((r for start, r in ROLES.items() if name.startswith(start)), "about")


def withheld(sources: dict) -> set[str]:
    """Tables of the snapshot that may not be passed on."""
    return {
        f"data/snapshot/{table}.csv"
        for source in sources.values()
        if source.redistributed == "none"
        for table in source.tables
    }


def contents(root, committed: list[str], sources: dict) -> list[str]:
    """List the files of the package: those committed and those built, without what is withheld."""
    root = Path(root)
    built = [p.relative_to(root).as_posix() for pattern in BUILT for p in root.glob(pattern)]
    kept = [name for name in committed if (root / name).is_file()]
    # The README shows this figure from the expected results; the built one is the same file.
    doubled = {name.replace("results/expected/", "results/") for name in kept}
    return sorted((set(kept) | (set(built) - doubled)) - withheld(sources))


def manifest(root, names: list[str]) -> str:
    """CSV text of ``path``, ``bytes``, ``sha256`` and ``role`` of files."""
    lines = ["path,bytes,sha256,role"]
    for name in names:
        path = Path(root) / name
        lines.append(f"{name},{path.stat().st_size},{digest(path)},{role(name)}")
    return "\n".join(lines) + "\n"


def exhibits(model: dict) -> list[dict]:
    """The paper's tables and figures in order, then its numbers by the job that gives them.

    Returns
    -------
    list of dict
        ``what``, ``page``, ``program``, ``line``, ``function`` and ``output``.
    """
    found, numbers = [], {}
    for item in model["items"]:
        if not item["job"] or item["kind"] == "claim":
            continue
        if item["kind"] == "number":
            numbers.setdefault(item["file"], []).append(item)
        else:
            found.append(_exhibit(f"{item['kind']} {Path(item['file']).stem}", item))
    for file, items in numbers.items():
        found.append(_exhibit(f"{len(items)} numbers of {Path(file).stem}", items[0]))
    return found


def _exhibit(what, item):
    job = item["job"]
    call = job["calls"][0] if job["calls"] else workflow.Function("main", job["about"].script, 1)
    return {
        "what": what,
        "page": item["page"],
        "program": job["about"].script,
        "function": call.name,
        "line": f"{call.file}:{call.line}",
        "output": item["file"],
    }


def readme(template, **values) -> str:
    """Fill the README's template.

    Parameters
    ----------
    template : path-like
    **values
        ``sources``, ``exhibits``, ``jobs``, ``packages``, ``config``, ``steps``, ``python``,
        ``bytes`` (of the package and of a run's results).
    """
    template = Path(template)
    loader = jinja2.FileSystemLoader(template.parent)
    settings = {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    # Markdown, not HTML: what it quotes are committed texts, and a table cell must not be broken.
    environment = jinja2.Environment(loader=loader, autoescape=False, **settings)
    environment.filters["cell"] = lambda text: " ".join(str(text).split()).replace("|", "\\|")
    return environment.get_template(template.name).render(**values)


def write(folder, target, top: str) -> None:
    """Write a folder as a zip archive whose bytes depend on its content alone."""
    folder = Path(folder)
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    part = Path(f"{target}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(f"{top}/{path.relative_to(folder).as_posix()}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if path.stat().st_mode & 0o100 else 0o644) << 16
            archive.writestr(entry, path.read_bytes())
    part.replace(target)
