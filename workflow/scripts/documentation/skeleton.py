"""Write the skeleton of a new source or specification, each place to fill in marked.

Run by `make new-source NAME=...` and `make new-specification NAME=...`.
"""

import re
import sys
from pathlib import Path

from monotowns.acquire.registry import load_registry
from monotowns.run.errors import ConfigError
from monotowns.run.stage import run

REGISTRY = Path("data/sources.yaml")
READERS = Path("workflow/monotowns/acquire/readers")
CONTRACTS = Path("workflow/monotowns/panel/contracts/schemas.py")
#: The last line of the tables of readers and of contracts.
MARK = re.compile("^ +# `make new-source` adds", re.M)
ENTRY = """
# {name}: fill in every field; config/reference.md says what each may be.
{name}:
  file: {name}.csv            # name of the raw file
  publisher: Publisher of {name}
  title: Title of {name}
  citation: Citation of {name}
  licence: Licence of {name}
  access: open                # open (an address serves it) | compiled (by yourself)
  redistributed: facts        # in the package: whole | facts (tables made from it) | none
  landing_page: https://example.org/{name}
  addresses: [https://example.org/{name}.csv]
  sha256: "{zeros}"
  bytes: 1                    # of the raw file: sha256sum and wc -c tell both
  retrieved: "2000-01-01"
  serves: what the study needs {name} for
  tables:
    {name}: [region, year]    # the columns that identify a row
"""

READER = '''"""Reader of {name}: say here what the raw file looks like."""

import pandas as pd

from monotowns.run.errors import SourceError


def read(path) -> pd.DataFrame:
    """Read {name}: ``region``, ``year``; say the other columns with their units."""
    raise SourceError(
        "workflow/monotowns/acquire/readers/{name}.py", "the reader of {name} is not written yet",
        found=f"the verified file {{path}}", remedy="read it in read() and return its tidy table",
    )
'''

CONTRACT = """\
    # Fill in the other columns with their ranges.
    "{name}": table("region year", region=text, year=year, columns_of_{name}=number()),
"""

SPECIFICATION = """# {name}: config/reference.md says what a field may be; what there is stands in
# config/specifications.yaml. To run it, name this file in config/local.yaml:
#   specifications: [config/specifications.yaml, config/{name}.yaml]
specifications:
  {name}:
    question: gap                 # the research question it belongs to
    group: exploratory            # headline, robustness, placebo, exploratory
    estimator: ols
    outcome: outcome_of_{name}    # a column of the panel, or made of some under `derived`
    treatment: treatment_of_{name}
    # controls: [log_population]
    sample: main                  # a name under `samples`
    fixed_effects: [entity, region_year]
    cluster: region
    # variances: [crv3, wild]
# derived:                        # outcomes and controls made of columns of the panel
#   outcome_of_{name}: {{of: social, per: population, log: true}}
# samples:
#   {name}_rows: {{monotown: {{known: true}}, year: {{min: 2014}}}}
"""


def main(kind: str, name: str):
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        problem = "not a name: small letters, digits and _, a letter first"
        raise ConfigError("NAME", problem, found=name)
    {"source": source, "specification": specification}[kind](name)


def source(name):
    reader, table = READERS / f"{name}.py", READERS / "__init__.py"
    known = {t for s in load_registry(REGISTRY).values() for t in (s.id, *s.tables)}
    if reader.exists() or name in known:
        raise ConfigError(REGISTRY, "a source or table of that name is there", keys=[name])
    # Nothing is written before every text is made: no half of a source is left behind.
    texts = {
        REGISTRY: REGISTRY.read_text(encoding="utf-8") + ENTRY.format(name=name, zeros="0" * 64),
        reader: READER.format(name=name),
        table: with_import(with_line(table, f'    "{name}": {name}.read,\n'), name),
        CONTRACTS: with_line(CONTRACTS, CONTRACT.format(name=name)),
    }
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    print(
        f"Fill in: {name} in {REGISTRY}, read() in {reader}, its columns in {CONTRACTS}. Then say\n"
        f"  make snapshot SOURCE={name}\nand, to have it in the estimation, in "
        f"config/local.yaml\n  data: {{joined: {{{name}: [region, year]}}}}\n"
        "Row counts that you have reviewed go into data/row_counts.csv."
    )


def with_line(path, line):
    """Put lines above the marked one of a table."""
    text = path.read_text(encoding="utf-8")
    if len(MARK.findall(text)) != 1:
        raise ConfigError(path, "no marked line", expected="# `make new-source` adds ... above")
    return MARK.sub(lambda mark: line + mark[0], text)


def with_import(text, name):
    """Name one more module among those that the table of readers imports."""
    line = re.compile(r"^from monotowns\.acquire\.readers import \((.+?)^\)$", re.M | re.S)
    found = line.search(text)
    if found is None:
        raise ConfigError(READERS / "__init__.py", "no import of the readers, one a line")
    names = sorted([*re.findall(r"\w+", found[1]), name])
    block = "".join(f"    {one},\n" for one in names)
    return line.sub(f"from monotowns.acquire.readers import (\n{block})", text)


def specification(name):
    target = Path(f"config/{name}.yaml")
    if target.exists():
        raise ConfigError(target, "the file is there")
    target.write_text(SPECIFICATION.format(name=name), encoding="utf-8")
    print(
        f"Fill in: outcome and treatment in {target}. Then name the file in config/local.yaml\n"
        f"  specifications: [config/specifications.yaml, {target}]"
    )


if __name__ == "__main__":
    run(main, kind=sys.argv[1], name=sys.argv[2] if len(sys.argv) > 2 else "")
