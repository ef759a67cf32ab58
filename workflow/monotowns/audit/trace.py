"""Everything that the paper shows, joined to the job, code, settings and sources behind it."""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pandas as pd

from monotowns.audit import records as recorded
from monotowns.audit.rules import definition, functions_of
from monotowns.estimate.estimators import ESTIMATORS
from monotowns.manuscript import numbers as manuscript
from monotowns.manuscript.text import filled, prose, sentences
from monotowns.run.errors import InputError

NUMBERS, CLAIMS = "results/numbers.json", "results/claims.csv"


def origins(root) -> dict[str, tuple[str, int]]:
    """Find the file and the row that every number of the text is read from.

    Parameters
    ----------
    root : path-like
        Folder of a finished run.

    Returns
    -------
    dict
        Number's name -> file of result records or facts, or ``numbers.json`` itself for what is
        computed while collecting; and the row's position in it, -1 where there are no rows.
    """
    root, found = Path(root), {}
    for path in sorted(root.glob("results/facts/*.json")):
        found |= dict.fromkeys(_json(path), (path.relative_to(root).as_posix(), -1))
    for path in sorted(root.glob("results/estimates/*.csv")):
        if not path.name.endswith(".flow.csv"):
            rows = manuscript.rows_of(pd.read_csv(path, dtype={"term": str}))
            place = path.relative_to(root).as_posix()
            found |= {name: (place, row) for name, row in rows.items()}
    return {name: found.get(name, (NUMBERS, -1)) for name in _json(root / NUMBERS)}


def sentences_by_number(sources: dict[str, str], numbers: dict[str, str]) -> dict[str, list[str]]:
    """The sentences in which a number stands, with all their numbers as they are printed.

    One a place, in order; a sentence that prints a number twice is there twice.
    """
    found = {}
    for text in sources.values():
        for sentence in sentences(prose(text)):
            for name in re.findall(r"\{([^}]*)\}", sentence):
                for one in (name, f"{name}.low", f"{name}.high"):
                    found.setdefault(one, []).append(filled(sentence, numbers))
    return found


def items(shown: list[dict], root, texts: dict[str, str]) -> list[dict]:
    """List what the paper shows, in order of appearance, each with the file it is read from.

    Parameters
    ----------
    shown : list of dict
        ``kind`` (``number``, ``figure``, ``table``, ``claim``), ``name`` and ``page``, as the
        typeset document lists them.
    root : path-like
        Folder of a finished run.
    texts : dict
        Path -> source text of the manuscript's sections.

    Returns
    -------
    list of dict
        Each with ``id``, ``kind``, ``name``, ``page``, ``file``, ``row``, ``printed``,
        ``sentences``, ``assertions`` (of a claim) and ``record`` (of a number).

    Raises
    ------
    InputError
        The document shows a number that no result gives.
    """
    root = Path(root)
    numbers, places = _json(root / NUMBERS), origins(root)
    written, claims = sentences_by_number(texts, numbers), pd.read_csv(root / CLAIMS)
    files = {"figure": "results/figures/{}.svg", "table": "{}", "claim": CLAIMS}
    often, seen, found = Counter(one["name"] for one in shown), Counter(), []
    table = cache(lambda file: pd.read_csv(root / file, dtype=str, keep_default_na=False))
    for count, one in enumerate(shown, start=1):
        name, kind = one["name"], one["kind"]
        file, row, record, its, held = files.get(kind, ""), -1, {}, [], []
        if kind == "number":
            if name not in places:
                problem = "the paper shows a number that no result gives"
                raise InputError(NUMBERS, problem, keys=[name])
            file, row = places[name]
            record = table(file).iloc[row].to_dict() if row >= 0 else {}
            its = written.get(name, [])
            # The sentence of this place; all of them where the text prints it more or less often
            # than it is written, as in a loop.
            its = [its[seen[name]]] if len(its) == often[name] else its
            seen[name] += 1
        elif kind == "claim":
            own = claims[claims["claim"] == name]
            its, held = [filled(s, numbers) for s in own["sentence"]], list(own["assertion"])
        found.append(
            {
                "id": f"item-{count}",
                **one,
                "file": file.format(name.lstrip("/")),
                "row": row,
                "printed": numbers[name] if kind == "number" else "",
                "sentences": list(dict.fromkeys(its)),
                "assertions": held,
                "record": record,
            }
        )
    return found


def jobs_of(records: dict[str, dict], rules: dict[str, dict], root) -> list[dict]:
    """The jobs behind records, in the order in which they ran.

    Each is its record with ``id``, ``name`` (of its log), ``rule`` (see
    :func:`monotowns.audit.rules.rules_of`), ``calls`` (functions of the library),
    ``specifications`` and their ``estimators``.
    """
    found = []
    for record in {id(r): r for r in records.values()}.values():
        name = record["log"].removeprefix("logs/").removesuffix(".json").replace("/", "-")
        params, rule = record["params"], rules[record["rule"]]
        specifications = params.get("specifications", {})
        functions = {n: ESTIMATORS[s["estimator"]].function for n, s in specifications.items()}
        estimators = {
            n: definition(root, f"{f.__module__}.{f.__qualname__}") for n, f in functions.items()
        }
        calls = [*estimators.values(), *functions_of(root, rule["script"])]
        found.append(
            record
            | {
                "id": f"job-{name}",
                "name": name,
                "rule": rule,
                "specifications": specifications,
                "estimators": estimators,
                "calls": list(dict.fromkeys(calls)),
                "items": [],
            }
        )
    return sorted(found, key=lambda job: job["started"])


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
        ``broken``: where the chain of digests breaks.
    """
    records = recorded.load(Path(root) / "logs")
    records = {path: record for path, record in records.items() if record["rule"] in rules}
    jobs, shown = jobs_of(records, rules, root), items(shown, root, texts)
    sources = {
        f"data/{folder}/{table}.csv": source
        for source in registry.values()
        for table in source.tables
        for folder in ("snapshot", "clean")
    }
    writer = {path: job for job in jobs for path in job["outputs"]}
    digests = dict.fromkeys((item["file"] for item in shown), "")
    digests |= {
        p: sha for job in jobs for side in ("inputs", "outputs") for p, sha in job[side].items()
    }
    files = {
        path: {
            "id": f"file-{path}",
            "path": path,
            "sha256": sha256,
            "writer": writer.get(path),
            "source": sources.get(path),
            "readers": [job for job in jobs if path in job["inputs"]],
            "items": [item for item in shown if item["file"] == path],
        }
        for path, sha256 in sorted(digests.items())
    }
    for job in jobs:
        before = dict.fromkeys(p for o in job["outputs"] for p in recorded.ancestry(o, records))
        job["before"] = [files[path] for path in before]
    for item in shown:
        item["job"], name = writer.get(item["file"]), Path(item["file"]).stem
        own = item["job"] and name in item["job"]["specifications"]
        item["specification"] = name if own else ""
        item["function"] = None
        if item["job"]:
            item["job"]["items"].append(item)
            calls = item["job"]["calls"]
            item["function"] = item["job"]["estimators"][name] if own else next(iter(calls), None)
    return {
        "items": shown,
        "jobs": jobs,
        "files": list(files.values()),
        "sources": [_source(source, files, shown) for source in registry.values()],
        "broken": recorded.broken(records, root),
    }


def _source(source, files, shown):
    """A source with its tables and with what the paper shows of them."""
    its = [file for file in files.values() if file["source"] is source]
    paths = {file["path"] for file in its}
    reached = [i for i in shown if i["job"] and paths & {f["path"] for f in i["job"]["before"]}]
    return {"id": f"source-{source.id}", "entry": source, "files": its, "items": reached}


def _json(path):
    return json.loads(path.read_text(encoding="utf-8"))
