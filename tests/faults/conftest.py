"""What the faults cost: figures of each test, kept beside the logs of the jobs."""

import csv
import re
import time

import pytest
from checkout import ROOT


@pytest.fixture
def figures(request):
    """A dict to fill; with the test's seconds it is written to ``logs/faults/<test>.csv``."""
    told, start = {}, time.perf_counter()
    yield told
    told["seconds"] = round(time.perf_counter() - start, 2)
    name = re.sub(r"\W+", "_", request.node.name).strip("_")
    path = ROOT / f"logs/faults/{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("figure", "value"), *told.items()])
