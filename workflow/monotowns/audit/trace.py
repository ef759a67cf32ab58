"""Everything that the paper shows, joined to the job, code, settings and sources behind it."""

import json
import re
from collections import Counter
from pathlib import Path

import pandas as pd

from monotowns.audit import records as recorded
from monotowns.audit.rules import Rule, definition, functions_of
from monotowns.manuscript import numbers as manuscript
from monotowns.manuscript.text import filled, prose, sentences
from monotowns.run.errors import InputError
from monotowns.run.settings import ESTIMATORS

NUMBERS = "results/numbers.json"
#: Estimators of ``models.twoway`` and ``models.instrumental`` whose function has another name.
FUNCTIONS = {"ols": "least_squares"}


def origins(root) -> dict[str, dict]:
    """Where every number of the text comes from.

    Parameters
    ----------
    root : path-like
        Folder of a finished run.

    Returns
    -------
    dict
        Number's name -> ``file`` (a file of result records, of facts, or ``numbers.json`` itself
        for what is computed while collecting), ``row`` (position in that file, or -1).
    """
    root = Path(root)
    names = json.loads((root / NUMBERS).read_text(encoding="utf-8"))
    found = {name: {"file": NUMBERS, "row": -1} for name in names}
    for path in sorted(root.glob("results/facts/*.json")):
        place = path.relative_to(root).as_posix()
        given = json.loads(path.read_text(encoding="utf-8"))
        found |= {name: {"file": place, "row": -1} for name in given if name in found}
    for path in sorted(root.glob("results/estimates/*.csv")):
        if path.name.endswith(".flow.csv"):
            continue
        place = path.relative_to(root).as_posix()
        rows = manuscript.rows_of(pd.read_csv(path, dtype={"term": str}))
        found |= {n: {"file": place, "row": row} for n, row in rows.items() if n in found}
    return found


def sentences_by_number(sources: dict[str, str], numbers: dict[str, str]) -> dict[str, list[str]]:
    """The sentences in which a number stands, with all their numbers as they are printed.

    One a place, in order; a sentence that prints a number twice is there twice.
    """
    found = {}
    for text in sources.values():
        for sentence in sentences(prose(text)):
            told = filled(sentence, numbers)
            for name in re.findall(r"\{([^}]*)\}", sentence):
                for one in (name, f"{name}.low", f"{name}.high"):
                    found.setdefault(one, []).append(told)
    return found


def items(shown: list[dict], root, texts: dict[str, str]) -> list[dict]:
    """What the paper shows, in order of appearance, each with the file it is read from.

    Parameters
    ----------
    shown : list of dict
        ``kind`` (``number``, ``figure``, ``table``, ``claim``), ``name`` and ``page``, as the
        typeset document tells them.
    root : path-like
        Folder of a finished run.
    texts : dict
        Path -> source text of the manuscript's sections.

    Returns
    -------
    list of dict
        Each with ``id``, ``kind``, ``name``, ``page``, ``file``, ``row`` and ``printed``, and for
        numbers ``sentences``, for records ``record``.

    Raises
    ------
    InputError
        The document shows a number that no result gives.
    """
    numbers = json.loads((Path(root) / NUMBERS).read_text(encoding="utf-8"))
    places, told = origins(root), sentences_by_number(texts, numbers)
    table = pd.read_csv(Path(root) / "results/claims.csv")
    held, nothing = table.groupby("claim"), table.iloc[:0]
    cache, found, often = {}, [], Counter(one["name"] for one in shown)
    seen = Counter()
    for count, one in enumerate(shown, start=1):
        item = {
            "id": f"item-{count}",
            **one,
            "row": -1,
            "printed": "",
            "sentences": [],
            "assertions": [],
            "record": {},
        }
        if one["kind"] == "number":
            if one["name"] not in places:
                raise InputError(
                    NUMBERS, "the paper shows a number that no result gives", keys=[one["name"]]
                )
            item |= places[one["name"]] | {"printed": numbers[one["name"]]}
            its = told.get(one["name"], [])
            # The sentence of this place; all of them where the text prints it more or less often
            # than it is written, as in a loop.
            here = [its[seen[one["name"]]]] if len(its) == often[one["name"]] else its
            item["sentences"] = list(dict.fromkeys(here))
            seen[one["name"]] += 1
            if item["row"] >= 0:
                file = item["file"]
                if file not in cache:
                    cache[file] = pd.read_csv(Path(root) / file, dtype=str, keep_default_na=False)
                item["record"] = cache[file].iloc[item["row"]].to_dict()
        elif one["kind"] == "figure":
            item["file"] = f"results/figures/{one['name']}.svg"
        elif one["kind"] == "table":
            item["file"] = one["name"].lstrip("/")
        else:
            item["file"] = "results/claims.csv"
            # A claim that these results cannot hold has no row.
            part = held.get_group(one["name"]) if one["name"] in held.groups else nothing
            item["sentences"] = [filled(s, numbers) for s in part["sentence"].unique()]
            item["assertions"] = list(part["assertion"])
        found.append(item)
    return found


def job_name(record: dict) -> str:
    """A job's name on the page: its rule, and its wildcards where it has any."""
    return "-".join([record["rule"], *map(str, record["wildcards"].values())])


def job(record: dict, rules: dict[str, Rule], root) -> dict:
    """A job's record with its rule, its script and the library's functions that it calls."""
    rule = rules[record["rule"]]
    calls = functions_of(root, rule.script)
    spec, group = record["params"].get("spec"), record["params"].get("group")
    chosen = []
    if spec:
        name = FUNCTIONS.get(spec["estimator"], spec["estimator"])
        chosen.append(f"monotowns.estimate.{ESTIMATORS[spec['estimator']]}.{name}")
    if group:
        chosen.append(f"monotowns.figures.{group}.draw")
    calls = [definition(root, name) for name in chosen] + calls
    params = {k: v for k, v in record["params"].items() if k != "code"}
    return record | {
        "id": f"job-{job_name(record)}",
        "name": job_name(record),
        "about": rule,
        "calls": calls,
        "settings": rule.settings,
        "spec": spec,
        "code": record["params"].get("code", ""),
        "params": json.dumps(params, ensure_ascii=False, indent=1),
    }


def gather(root, shown, texts, rules, registry) -> dict:
    """Join what the paper shows, the jobs, the files and the sources, with links both ways.

    Parameters
    ----------
    root : path-like
        Folder of a finished run.
    shown, texts
        See :func:`items`.
    rules : dict
        See :func:`monotowns.audit.rules.rules_of`.
    registry : dict
        See :func:`monotowns.acquire.registry.load_registry`.

    Returns
    -------
    dict
        ``items``, ``jobs``, ``files`` and ``sources``: lists of dicts with an ``id`` each, and
        ``broken``: what the chain of digests does not carry.

    Raises
    ------
    InputError
        A file that the paper shows was written by no job that left a record.
    """
    records = {
        path: record
        for path, record in recorded.load(Path(root) / "logs").items()
        if record["rule"] in rules
    }
    jobs = {id(r): job(r, rules, root) for r in records.values()}
    writer = {path: jobs[id(r)] for path, r in records.items()}
    tables = {table: source for source in registry.values() for table in source.tables}
    files = {}
    for one in jobs.values():
        for path, sha256 in [*one["inputs"].items(), *one["outputs"].items()]:
            files.setdefault(path, _file(path, sha256, writer.get(path), tables))
        for path in one["inputs"]:
            files[path]["readers"].append(one)
    for one in jobs.values():
        before = dict.fromkeys(p for o in one["outputs"] for p in recorded.ancestry(o, records))
        one["before"] = [files[path] for path in before]
        one["items"] = []
    found = items(shown, root, texts)
    for item in found:
        item["job"] = writer.get(item["file"])
        if item["file"] not in files:
            files[item["file"]] = _file(item["file"], "", None, tables)
        files[item["file"]]["items"].append(item)
        if item["job"]:
            item["job"]["items"].append(item)
    sources = []
    for source in registry.values():
        its = [f for f in files.values() if f["source"] is source]
        reached = [i for i in found if i["job"] and any(f in i["job"]["before"] for f in its)]
        sources.append(
            {"id": f"source-{source.id}", "entry": source, "files": its, "items": reached}
        )
    return {
        "items": found,
        "jobs": sorted(jobs.values(), key=lambda j: j["started"]),
        "files": [files[path] for path in sorted(files)],
        "sources": sources,
        "broken": recorded.broken(records, root),
    }


def _file(path, sha256, writer, tables):
    name = Path(path)
    source = (
        tables.get(name.stem) if name.parent.as_posix() in ("data/snapshot", "data/clean") else None
    )
    return {
        "id": f"file-{path}",
        "path": path,
        "sha256": sha256,
        "writer": writer,
        "source": source,
        "readers": [],
        "items": [],
    }
