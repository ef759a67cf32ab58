"""Say what would run for a target and why, down to the setting or function that changed.

Run by `make explain TARGET=...`; nothing is run.
"""

import sys

from monotowns.audit.explain import planned, why
from monotowns.run.stage import run


def main(target: str | None):
    jobs, reasons, config = planned(target)
    made_anew = {str(path): job.rule.name for job in jobs for path in job.output}
    if not jobs:
        print(f"{target or 'Everything'} is up to date: nothing would run.")
    for job in jobs:
        print(f"\n{' '.join([job.rule.name, *map(str, job.wildcards)])}, for {job.output[0]}:")
        for line in why(job, made_anew, config) or [reasons[job]]:
            print(f"  {line}")


if __name__ == "__main__":
    run(main, target=" ".join(sys.argv[1:]) or None)
