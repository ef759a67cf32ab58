"""Say what moved between two commits' builds; run by `make diff A=commit B=commit`."""


def unpack(root, commit: str, folder) -> None:
    """Put a commit's tree into a folder; the checkout stays as it is.

    Raises
    ------
    InputError
        There is no such commit.
    """
    import io
    import subprocess
    import tarfile

    from monotowns.run.errors import InputError

    done = subprocess.run(["git", "archive", commit], cwd=root, capture_output=True)
    if done.returncode:
        raise InputError("git", "no such commit", keys=[commit], found=done.stderr.decode().strip())
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")


def kept(root, commit: str, folder, build: bool, cores: int):
    """Folder of what a commit keeps of its run, or of a run made now.

    Raises
    ------
    InputError
        The commit keeps no results.
    """
    import importlib.util
    from pathlib import Path

    from monotowns.audit.expected import keep
    from monotowns.run.errors import InputError

    unpack(root, commit, folder)
    expected = Path(folder, "results/expected")
    if build:
        place = Path(__file__).with_name("verify.py")
        spec = importlib.util.spec_from_file_location("verify", place)
        verify = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(verify)
        print(f"Building {commit} ...", flush=True)
        verify.snakemake(folder, "snapshot", cores)
        keep(folder, expected)
    if not (expected / "numbers.json").exists():
        raise InputError(
            commit,
            "the commit keeps no results",
            expected="results/expected",
            remedy="make diff A=... B=... BUILD=1 builds both",
        )
    return expected


def main(root: str, a: str, b: str, build: bool, cores: int, output: str | None):
    import tempfile
    from pathlib import Path

    from monotowns.audit.moved import moved, told

    with tempfile.TemporaryDirectory(prefix="diff ") as folder:
        sides = []
        for name, commit in (("a", a), ("b", b)):
            place = Path(folder, name)
            place.mkdir()
            sides.append(kept(root, commit, place, build, cores))
        before, after = (
            {
                p.name: p.read_text(encoding="utf-8")
                for p in sorted(Path(folder, side, "paper/sections").glob("*.typ"))
            }
            for side in ("a", "b")
        )
        text = f"From {a} to {b}\n{told(moved(*sides, after, before))}"
    print(text)
    if output:
        Path(output).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    import argparse

    from monotowns.run.stage import run

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("a")
    parser.add_argument("b")
    parser.add_argument("--build", action="store_true", help="build both instead of what they keep")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--output", help="also write the text into this file")
    given = parser.parse_args()
    run(
        main,
        root=".",
        a=given.a,
        b=given.b,
        build=given.build,
        cores=given.cores,
        output=given.output,
    )
