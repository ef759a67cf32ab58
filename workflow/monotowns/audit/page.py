"""The audit page: one folder that opens without a server and fetches nothing."""

import csv
import json
import shutil
from pathlib import Path

import jinja2
import yaml

#: Rows of a table that its view shows; the whole file lies beside it.
VIEWED = 200
VIEWABLE = (".csv", ".py", ".smk", ".yaml", ".typ", ".bib", ".lock", ".json", ".toml", "Snakefile")
#: Read by the workflow itself, so by no job.
SETTINGS = ("config/config.yaml", "config/specifications.yaml", "envs/requirements.lock")
SECTIONS = ("Summary", "Items", "Jobs", "Specifications", "Settings", "Files", "Sources")


def table_of(path, shown: int | None = None) -> dict:
    """Read a CSV file, or a YAML list of entries, as text.

    Returns
    -------
    dict
        ``columns``, ``rows`` (the first ``shown``) and ``size``, what that is of the whole.
    """
    with open(path, encoding="utf-8", newline="") as file:
        if str(path).endswith(".yaml"):
            entries = yaml.safe_load(file)
            columns = list(dict.fromkeys(key for entry in entries for key in entry))
            rows = [[str(entry.get(key, "")) for key in columns] for entry in entries]
        else:
            columns, *rows = csv.reader(file)
    kept = rows[:shown]
    part = "" if len(kept) == len(rows) else f"{len(kept)} of "
    return {"columns": columns, "rows": kept, "size": f"{part}{len(rows)} rows"}


class Pages:
    """Writer of the audit's folder, which it makes anew.

    Parameters
    ----------
    root : path-like
        Folder of the run; the copied files come from it.
    templates : path-like
        Folder of the templates. Everything that they print is escaped.
    folder : path-like
        Where the pages are written.
    """

    def __init__(self, root, templates, folder):
        self.root, self.folder = Path(root), Path(folder)
        self.templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, place, template, **values) -> None:
        """Write a page from its template."""
        target = self.folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * (len(Path(place).parts) - 1)
        text = self.templates.get_template(template).render(up=up, **values)
        target.write_text(text, encoding="utf-8")

    def view(self, path, id="") -> str:
        """Write a page that shows a table, or a text with its lines numbered; its address."""
        place = f"views/{path}.html"
        table = table_of(self.root / path, VIEWED) if path.endswith(".csv") else None
        lines = [] if table else (self.root / path).read_text(encoding="utf-8").splitlines()
        self.write(place, "view.html", title=path, lines=lines, table=table, id=id)
        return place

    def file(self, path: str, id: str) -> dict[str, str]:
        """Copy a file and, where it can be read, write a page that shows it.

        Returns
        -------
        dict
            ``copied`` and ``view``: addresses within the folder, empty where there is none.
        """
        if not (self.root / path).is_file():
            return {"copied": "", "view": ""}
        copied = f"files/{path}"
        (self.folder / copied).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.root / path, self.folder / copied)
        return {"copied": copied, "view": self.view(path, id) if path.endswith(VIEWABLE) else ""}


def write(model: dict, config: dict, tables: list, pages: Pages) -> None:
    """Write the audit's folder.

    Parameters
    ----------
    model : dict
        See :func:`monotowns.audit.trace.gather`.
    config : dict
        As the run read it.
    tables : list of tuple
        ``id``, ``name``, ``about`` and path of the tables that the page prints whole.
    pages : Pages
    """
    jobs, known = model["jobs"], {file["path"] for file in model["files"]}
    unread = {"sha256": "", "writer": None, "source": None, "readers": [], "items": []}
    called = {function.file for job in jobs for function in job["calls"]}
    for path in called | {job["rule"][part] for job in jobs for part in ("file", "script")}:
        pages.view(path)
    for path in SETTINGS:
        if path not in known:
            model["files"].append({"id": f"file-{path}", "path": path, **unread})
    for file in model["files"]:
        file |= pages.file(file["path"], file["id"])
    shutil.copyfile(pages.root / "results/paper.pdf", pages.folder / "paper.pdf")
    commits = list(dict.fromkeys(job["commit"] for job in jobs))
    pages.write(
        "index.html",
        "index.html",
        title="Audit: from every number of the paper to its source",
        **model,
        sections=[*((n, n.lower()) for n in SECTIONS), *((name, id) for id, name, *_ in tables)],
        specifications={
            name: {"text": text, "job": job, "flow": _flow(pages.root, name)}
            for job in jobs
            for name, text in job["specifications"].items()
        },
        settings={
            k: (v, [j for j in jobs if k in j["rule"]["settings"]]) for k, v in config.items()
        },
        tables=[(id, name, about, table_of(pages.root / path)) for id, name, about, path in tables],
        commits=commits,
        dirty=any(commit.endswith("changes") for commit in commits),
        python=", ".join(dict.fromkeys(job["python"] for job in jobs)),
        seed=config["seed"],
        seconds=round(sum(job["seconds"] for job in jobs)),
        peak=max(job["peak_mb"] for job in jobs),
        written=lambda value: json.dumps(value, ensure_ascii=False, indent=1, default=str),
    )


def _flow(root, name):
    """The sample flow of a specification; none where its estimation was refused."""
    path = root / f"results/estimates/{name}.flow.csv"
    return table_of(path) if path.exists() else None
