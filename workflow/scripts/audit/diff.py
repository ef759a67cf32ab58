"""Say what moved between two commits' builds; run by `make diff A=commit B=commit`."""

import argparse
import tempfile
from pathlib import Path

from monotowns.audit.moved import moved, unpack
from monotowns.run.lock import end_in_order
from monotowns.run.stage import run


def main(a: str, b: str, build: bool, cores: int, output: str | None):
    with tempfile.TemporaryDirectory(prefix="diff ") as folder:
        trees = [unpack(".", commit, Path(folder, commit), build, cores) for commit in (a, b)]
        text = f"From {a} to {b}\n{moved(*trees)}"
    print(text)
    if output:
        Path(output).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("a")
    parser.add_argument("b")
    parser.add_argument("--build", action="store_true", help="build both instead of what they keep")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--output", help="also write the text into this file")
    end_in_order()
    run(main, **vars(parser.parse_args()))
