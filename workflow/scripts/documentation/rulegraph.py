"""Write the picture of the workflow's rules into the README, between its two marks.

Run by `make dag`; a test compares the README with the workflow.
"""

import re
import subprocess
import sys
from pathlib import Path

MARKS = ("<!-- rules -->", "<!-- /rules -->")


def rulegraph(folder) -> str:
    """Mermaid flowchart of the rules, the same bytes for the same workflow."""
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "mermaid-js"]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    name = dict(re.findall(r"(id\d+)\[(\w+)\]", told))
    arrows = {(name[a], name[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", told)}
    # An arrow that a longer way already tells is left out.
    after = {n: {b for a, b in arrows if a == n} for n in name.values()}

    def reach(start, seen):
        for step in after[start] - seen:
            seen.add(step)
            reach(step, seen)
        return seen

    told_twice = {
        (a, b) for a, b in arrows if any(b in reach(c, set()) for c in after[a] if c != b)
    }
    lines = [f"  {a} --> {b}" for a, b in sorted(arrows - told_twice)]
    return "\n".join(["```mermaid", "flowchart LR", *lines, "```"])


def with_picture(text: str, picture: str) -> str:
    """Return the README's text with the picture between the marks."""
    before, rest = text.split(MARKS[0])
    return f"{before}{MARKS[0]}\n{picture}\n{MARKS[1]}{rest.split(MARKS[1])[1]}"


if __name__ == "__main__":
    readme = Path("README.md")
    text = with_picture(readme.read_text(encoding="utf-8"), rulegraph("."))
    readme.write_text(text, encoding="utf-8")
