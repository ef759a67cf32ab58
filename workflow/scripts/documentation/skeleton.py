"""Write the skeleton of a new source or specification, each place to fill in marked.

Run by `make new-source NAME=...` and `make new-specification NAME=...`.
"""

import re

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
  sha256: "{nought}"
  bytes: 1                    # of the raw file: sha256sum and wc -c tell both
  retrieved: "2000-01-01"
  serves: what the study needs {name} for
  tables:
    {name}: [region, year]    # the columns that identify a row
"""

READER = '''"""Reader of {name}: say here what the raw file looks like."""

import pandas as pd

from monotowns.run.errors import ContractError, SourceError


def read(path) -> pd.DataFrame:
    """Read {name}.

    Returns
    -------
    pandas.DataFrame
        ``region``, ``year``; say the other columns with their units.
    """
    raise SourceError(
        "workflow/monotowns/readers/{name}.py", "the reader of {name} is not written yet",
        found=f"the verified file {{path}}", remedy="read it in read() and return its tidy table",
    )


def contract():
    """Say what the table must satisfy, as a pandera schema."""
    # import pandera.pandas as pa
    # return pa.DataFrameSchema(
    #     {{"region": pa.Column(str), "year": pa.Column(int), "rate": pa.Column(float)}},
    #     unique=["region", "year"],
    # )
    raise ContractError(
        "workflow/monotowns/readers/{name}.py", "the contract of {name} is not written yet",
        remedy="return its columns, ranges and key in contract()",
    )
'''

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
    from pathlib import Path

    from monotowns.acquire.registry import load_registry
    from monotowns.run.errors import ConfigError

    registry = "data/sources.yaml"
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ConfigError(
            "NAME", "not a name: small letters, digits and _, a letter first", found=name
        )
    if kind == "source":
        reader = Path(f"workflow/monotowns/readers/{name}.py")
        known = {t for s in load_registry(registry).values() for t in (s.id, *s.tables)}
        if reader.exists() or name in known:
            raise ConfigError(registry, "a source or table of that name is there", keys=[name])
        kept = Path(registry).read_bytes()
        with open(registry, "a", encoding="utf-8") as file:
            file.write(ENTRY.format(name=name, nought="0" * 64))
        try:
            load_registry(registry)
        except ConfigError:
            Path(registry).write_bytes(kept)  # no half of a source is left behind
            raise
        reader.write_text(READER.format(name=name), encoding="utf-8")
        print(
            f"Fill in: {name} in {registry}, read() and contract() in {reader}. Then say\n"
            f"  make snapshot SOURCE={name}\nand, to have it in the estimation, in "
            f"config/local.yaml\n  data: {{joined: {{{name}: [region, year]}}}}\n"
            "Row counts that you have reviewed go into data/row_counts.csv."
        )
        return
    target = Path(f"config/{name}.yaml")
    if target.exists():
        raise ConfigError(target, "the file is there")
    target.write_text(SPECIFICATION.format(name=name), encoding="utf-8")
    print(
        f"Fill in: outcome and treatment in {target}. Then name the file in config/local.yaml\n"
        f"  specifications: [config/specifications.yaml, {target}]"
    )


if __name__ == "__main__":
    import sys

    from monotowns.run.stage import run

    run(main, kind=sys.argv[1], name=sys.argv[2] if len(sys.argv) > 2 else "")
