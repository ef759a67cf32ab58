"""The audit page: one folder that opens without a server and fetches nothing."""

import csv
import json
import shutil
from pathlib import Path

import jinja2
import yaml

#: Rows of a table that its view shows; the whole file lies beside it.
VIEWED = 200
TEXT = (".py", ".smk", ".yaml", ".typ", ".bib", ".lock", ".json", ".toml", "Snakefile")
SECTIONS = [
    ("Summary", "summary"),
    ("Shown", "items"),
    ("Jobs", "jobs"),
    ("Specifications", "specifications"),
    ("Settings", "settings"),
    ("Files", "files"),
    ("Sources", "sources"),
]


def table_of(path, shown: int | None = None) -> dict:
    """Read a table as text: ``columns``, ``rows`` (the first ``shown``) and what is ``told``.

    Parameters
    ----------
    path : path-like
        A CSV file with a head, or a YAML file with a list of entries of the same keys.
    shown : int, optional
        How many rows to keep; all without it.
    """
    with open(path, encoding="utf-8", newline="") as file:
        if str(path).endswith(".yaml"):
            entries = yaml.safe_load(file)
            columns = list(dict.fromkeys(key for entry in entries for key in entry))
            rows = [[str(entry.get(key, "")) for key in columns] for entry in entries]
        else:
            columns, *rows = csv.reader(file)
    kept = rows[:shown]
    told = f"{len(rows)} rows" if len(kept) == len(rows) else f"{len(kept)} of {len(rows)} rows"
    return {"columns": columns, "rows": kept, "told": told}


class Pages:
    """Writer of the folder's pages.

    Parameters
    ----------
    root : path-like
        Folder of the run; the copied files come from it.
    templates : path-like
        Folder of the templates. Everything that they print is escaped.
    folder : path-like
        Where the pages are written; made anew.
    """

    def __init__(self, root, templates, folder):
        self.root, self.folder = Path(root), Path(folder)
        loader = jinja2.FileSystemLoader(templates)
        self.templates = jinja2.Environment(
            loader=loader,
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.written = set()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def _write(self, place, template, **values):
        target = self.folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * (len(Path(place).parts) - 1)
        text = self.templates.get_template(template).render(up=up, **values)
        target.write_text(text, encoding="utf-8")

    def code(self, path: str) -> None:
        """Write a source file as a page with a numbered line each."""
        place = f"code/{path}.html"
        if place not in self.written:
            self.written.add(place)
            lines = (self.root / path).read_text(encoding="utf-8").splitlines()
            self._write(place, "view.html", title=path, lines=lines, table=None, id="")

    def copy(self, path: str) -> str:
        """Copy a file under its own path and return its address within the folder."""
        target = self.folder / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.root / path, target)
        return f"files/{path}"

    def file(self, path: str, id: str) -> dict:
        """Copy a file and, where it can be read, write a page that shows it.

        Returns
        -------
        dict
            ``copied`` and ``view``: addresses within the folder, empty where there is none.
        """
        if not (self.root / path).is_file():
            return {"copied": "", "view": ""}
        copied, view = self.copy(path), f"views/{path}.html"
        if path.endswith(".csv"):
            table = table_of(self.root / path, VIEWED)
            self._write(view, "view.html", title=path, table=table, lines=[], id=id)
        elif path.endswith(TEXT):
            lines = (self.root / path).read_text(encoding="utf-8").splitlines()
            self._write(view, "view.html", title=path, table=None, lines=lines, id=id)
        else:
            view = ""
        return {"copied": copied, "view": view}

    def index(self, **values) -> None:
        """Write the page itself."""
        self._write("index.html", "index.html", **values)


def write(model: dict, config: dict, specifications: dict, tables: list, pages: Pages) -> None:
    """Write the audit's folder.

    Parameters
    ----------
    model : dict
        See :func:`monotowns.audit.trace.gather`.
    config, specifications : dict
        As the run read them, checked.
    tables : list of tuple
        ``id``, ``name``, ``about`` and path of the tables that the page prints whole.
    pages : Pages
    """
    jobs = model["jobs"]
    for path in ("config/config.yaml", "config/specifications.yaml", "envs/requirements.lock"):
        if path not in {f["path"] for f in model["files"]}:
            model["files"].append(
                {
                    "id": f"file-{path}",
                    "path": path,
                    "sha256": "",
                    "writer": None,
                    "source": None,
                    "readers": [],
                    "items": [],
                }
            )
    for file in model["files"]:
        file |= pages.file(file["path"], file["id"])
    for job in jobs:
        for path in (job["about"].file, job["about"].script, *(f.file for f in job["calls"])):
            pages.code(path)
    flows = {
        name: table_of(pages.root / f"results/estimates/{name}.flow.csv") for name in specifications
    }
    shutil.copyfile(pages.root / "results/paper.pdf", pages.folder / "paper.pdf")
    printed = [(id, name, about, table_of(pages.root / path)) for id, name, about, path in tables]
    commits = list(dict.fromkeys(job["commit"] for job in jobs))
    pages.index(
        title="Audit: from every number of the paper to its source",
        **model,
        sections=[*SECTIONS, *((name, id) for id, name, *_ in tables)],
        specifications={
            name: {"text": spec, "json": _json(spec), "flow": flows[name]}
            for name, spec in specifications.items()
        },
        settings={
            key: {"json": _json(value), "jobs": [j for j in jobs if key in j["settings"]]}
            for key, value in config.items()
        },
        tables=printed,
        commits=commits,
        dirty=any(c.endswith("changes") for c in commits),
        python=", ".join(dict.fromkeys(job["python"] for job in jobs)),
        seed=config["seed"],
        seconds=round(sum(job["seconds"] for job in jobs)),
        peak=max(j["peak_mb"] for j in jobs),
    )


def _json(value):
    return json.dumps(value, ensure_ascii=False, indent=1, default=str)
