"""The replication package: what it holds, its README and its bytes."""

import json
import re
import shutil
import subprocess
import zipfile
from importlib.metadata import version
from pathlib import Path

import jinja2
import typst
import yaml

from monotowns.audit import trace
from monotowns.run.errors import InputError
from monotowns.run.provenance import commit
from monotowns.run.stage import digest

#: Built by a run and put beside the committed files.
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


def committed(root) -> list[str]:
    """List the committed files of a checkout.

    Raises
    ------
    InputError
        It is no checkout of its own repository.
    """
    if not commit(root):
        raise InputError(
            "git", "the package is made from what is committed", remedy="run it in a clone"
        )
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True)
    return [name for name in listed.stdout.split("\0") if name]


def withheld(sources: dict) -> set[str]:
    """Tables of the snapshot that may not be passed on."""
    return {
        f"data/snapshot/{table}.csv"
        for source in sources.values()
        if source.redistributed == "none"
        for table in source.tables
    }


def contents(root, names: list[str], sources: dict) -> list[str]:
    """List the files of the package: those committed and those built, without what is withheld.

    Raises
    ------
    InputError
        A file is a symbolic link: what it leads to may lie anywhere.
    """
    root = Path(root)
    if links := [name for name in names if (root / name).is_symlink()]:
        raise InputError(
            "the package",
            "a committed file is a symbolic link",
            keys=links,
            remedy="commit the file itself",
        )
    built = [p.relative_to(root).as_posix() for pattern in BUILT for p in root.glob(pattern)]
    kept = [name for name in names if (root / name).is_file()]
    # The README shows this figure from the expected results; the built one is the same file.
    doubled = {name.replace("results/expected/", "results/") for name in kept}
    return sorted((set(kept) | (set(built) - doubled)) - withheld(sources))


def manifest(root, names: list[str]) -> str:
    """CSV text of ``path``, ``bytes``, ``sha256`` and ``role`` of files."""
    lines = ["path,bytes,sha256,role"]
    for name in names:
        path = Path(root, name)
        role = next((role for start, role in ROLES.items() if name.startswith(start)), "about")
        lines.append(f"{name},{path.stat().st_size},{digest(path)},{role}")
    return "\n".join(lines) + "\n"


def exhibits(model: dict) -> list[dict]:
    """The paper's tables and figures in order, then its numbers by the file that gives them.

    Returns
    -------
    list of dict
        ``what``, ``page``, ``program``, ``line``, ``function`` and ``output``.
    """
    items = [item for item in model["items"] if item["job"] and item["kind"] != "claim"]
    numbers = {}
    for item in items:
        if item["kind"] == "number":
            numbers.setdefault(item["file"], []).append(item)
    shown = [(f"{i['kind']} {Path(i['file']).stem}", i) for i in items if i["kind"] != "number"]
    shown += [(f"{len(its)} numbers of {Path(f).stem}", its[0]) for f, its in numbers.items()]
    found = []
    for what, item in shown:
        script, function = item["job"]["rule"]["script"], item["function"]
        found.append(
            {
                "what": what,
                "page": item["page"],
                "program": script,
                "function": function.name if function else "main",
                "line": f"{function.file}:{function.line}" if function else f"{script}:1",
                "output": item["file"],
            }
        )
    return found


def readme(root, sources: dict, names: list[str]) -> str:
    """Write the package's README from the registry, the settings and a finished run's records.

    Parameters
    ----------
    root : path-like
        The checkout with its finished run.
    sources : dict
        See :func:`monotowns.acquire.registry.load_registry`.
    names : list of str
        Files of the package.
    """
    root = Path(root)
    paper = root / "paper/main.typ"
    shown = typst.query(paper, "<shown>", field="value", root=root, ignore_system_fonts=True)
    texts = {p.as_posix(): p.read_text(encoding="utf-8") for p in root.glob("paper/sections/*.typ")}
    # The record of the audit's own job describes the rules.
    audit = json.loads((root / "logs/write_audit.json").read_text(encoding="utf-8"))
    rules = audit["params"]["rules"]
    model = trace.gather(root, json.loads(shown), texts, rules, sources)
    settings = (root / "config/config.yaml").read_text(encoding="utf-8")
    jobs, seconds = model["jobs"], round(sum(job["seconds"] for job in model["jobs"]))
    run = [p for part in ("data/panel", "results") for p in (root / part).rglob("*") if p.is_file()]
    size = sum((root / name).stat().st_size for name in names) + sum(p.stat().st_size for p in run)
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(root / "workflow/report/package"),
        # Markdown, not HTML: what it quotes are committed texts.
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["cell"] = lambda text: " ".join(str(text).split()).replace("|", "\\|")
    return templates.get_template("REPLICATION.md").render(
        sources=list(sources.values()),
        exhibits=exhibits(model),
        jobs=jobs,
        packages=[(name, version(name)) for name in declared(root)],
        config=yaml.safe_load(settings),
        steps=list(rules.values()),
        python=jobs[0]["python"],
        seed_line=next(i for i, x in enumerate(settings.splitlines(), 1) if x.startswith("seed:")),
        seconds=seconds,
        peak=max(job["peak_mb"] for job in jobs),
        minutes=round(seconds / 2 / 60) + 1,
        storage=round(size / 1e6),
        withheld=sorted(withheld(sources)),
        documented=all(source.licence for source in sources.values()),
    )


def declared(root, environment="requirements") -> list[str]:
    """Distributions that an environment declares: the study's or, ``bench``, its benchmarks'."""
    text = Path(root, f"envs/{environment}.in").read_text(encoding="utf-8")
    return re.findall(r"^([A-Za-z][\w.-]*)", text, re.MULTILINE)


def lay_out(root, folder, names: list[str], text: str) -> int:
    """Copy the package into a folder with its README and manifest; the number of files."""
    for name in names:
        Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(root, name), Path(folder, name))
    Path(folder, "REPLICATION.md").write_text(text, encoding="utf-8")
    listed = manifest(folder, sorted([*names, "REPLICATION.md"]))
    Path(folder, "MANIFEST.csv").write_text(listed, encoding="utf-8")
    return len(names) + 2


def write(folder, target, top: str) -> None:
    """Write a folder as a zip archive whose bytes depend on its content alone."""
    folder, part = Path(folder), Path(f"{target}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(f"{top}/{path.relative_to(folder).as_posix()}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if path.stat().st_mode & 0o100 else 0o644) << 16
            archive.writestr(entry, path.read_bytes())
    part.replace(target)
