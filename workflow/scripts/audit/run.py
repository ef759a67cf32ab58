"""Run the workflow: one run at a time, after a killed one too, on files that are what jobs wrote.

`make` says it; whatever is given is handed to Snakemake.
"""


def main(words: list[str]):
    import subprocess
    import sys

    from monotowns.run import lock as runs

    with runs.hold(".") as lock:
        if removed := runs.free("."):
            print(f"The last run was killed; its {len(removed)} marks are removed.", flush=True)
        altered = runs.altered(".")
        if place := runs.set_aside(".", altered):
            print(f"Not as their jobs left them: {', '.join(altered)}", flush=True)
            print(f"They now lie in {place} and are made anew.", flush=True)
        # The child holds the folder too: should this process be killed, the folder stays taken
        # for as long as the child works.
        command = [sys.executable, "-m", "snakemake"]
        if altered:
            command += ["--forcerun", *altered]
        command += ["--rerun-incomplete", *words]
        sys.exit(subprocess.run(command, pass_fds=(lock,)).returncode)


if __name__ == "__main__":
    import sys

    from monotowns.run.stage import run

    run(main, words=sys.argv[1:])
