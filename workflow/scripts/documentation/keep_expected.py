"""Copy what a rerun is compared with into results/expected; run by `make expected`."""

import shutil
from pathlib import Path

KEPT = ("estimates.csv", "numbers.json", "claims.csv", "checklist.csv", "figures/gap.png",
        "tables/sample_flow.csv", "tables/monotowns_located.csv", "tables/regions_stages.csv",
        "tables/monotown_potential.csv")  # fmt: skip

if __name__ == "__main__":
    results = Path("results")
    for name in KEPT:
        target = results / "expected" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(results / name, target)
