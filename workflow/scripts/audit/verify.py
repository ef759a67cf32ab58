"""Rebuild the study in a temporary folder and say how far it agrees; run by `make verify`.

The exit code is 0 where every byte agrees, 1 within tolerance, 2 otherwise.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import yaml
from monotowns.audit.compare import compare, compared, report
from monotowns.audit.expected import keep, rebuild
from monotowns.run.lock import end_in_order
from monotowns.run.stage import run

EXIT = {"full": 0, "partial": 1, "failed": 2}
REPORT = "results/verify.txt"
#: Differences that are shown on screen, causes first; all stand in the report.
SHOWN = 10


def main(source: str, cores: int, rebuilt: str | None):
    kept = Path("results/expected")
    draws = yaml.safe_load(Path("config/config.yaml").read_text(encoding="utf-8"))["draws"]
    with tempfile.TemporaryDirectory(prefix="verify ") as temporary:
        folder, anew = rebuilt or Path(temporary, "run"), Path(temporary, "kept")
        if not rebuilt:
            print(f"Rebuilding from {source} in {folder} ...", flush=True)
            folder.mkdir()
            rebuild(".", folder, source, cores)
        keep(folder, anew)
        found = compare(kept, anew, draws["permutation"])
        then, now = (
            json.loads((side / "environment.json").read_text(encoding="utf-8"))
            for side in (kept, anew)
        )
    code = then.pop("code", {}), now.pop("code")
    lines = [
        f"{name} {value} ({'as expected' if value == then[name] else f'expected {then[name]}'})"
        for name, value in now.items()
    ]
    changed = [rule for rule, digest in code[1].items() if code[0].get(rule, digest) != digest]
    lines += [f"other code than expected: {', '.join(changed)}"] if changed else []
    grade, summary, details = report(found, compared(kept))
    lines += summary
    Path(REPORT).write_text("\n".join([*lines, "", *details]) + "\n", encoding="utf-8")
    print("\n".join([*lines, *details[:SHOWN]]))
    print(f"The whole report: {REPORT}; exit code {EXIT[grade]}")
    sys.exit(EXIT[grade])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=["snapshot", "download"], default="snapshot")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--rebuilt", help="a finished run to compare instead of a new one")
    end_in_order()
    run(main, **vars(parser.parse_args()))
