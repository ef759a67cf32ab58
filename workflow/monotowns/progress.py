"""What a run tells while it runs: how far each stage is, what is slow, where the results are."""

import json
import re
import time
from pathlib import Path

from monotowns.audit.rules import rules_of

#: What a finished run points to, where it exists.
RESULTS = {
    "The paper": "results/paper.pdf",
    "Every estimate": "results/estimates.csv",
    "From every number to its source": "results/audit/index.html",
}
#: A running job is named as slow from this many seconds on.
SLOW = 5
#: Lines of a scheduler's log that are shown when its job fails.
TAIL = 40
#: What Snakemake says of itself on its way to the first job, and what repeats an error told before.
CHATTER = re.compile(
    r"Assuming unrestricted|host: |Building DAG|Using shell|Select jobs|Nothing to be done"
)
REPEATS = re.compile(r"Exiting because a job|WorkflowError:\nAt least one job did not complete")
INCLUDE = re.compile(r'^include: "(.+)"', re.M)


def stages(folder) -> dict[str, str]:
    """Stage of every rule of a checkout, the name of its file, in the order of the study."""
    try:
        files = INCLUDE.findall((Path(folder) / "Snakefile").read_text(encoding="utf-8"))
        found = [(rule.file, name) for name, rule in rules_of(folder).items() if rule.file in files]
    except (OSError, ValueError, KeyError):
        return {}  # the workflow stands elsewhere: a view without stages is still a view
    return {name: Path(file).stem for file, name in sorted(found, key=lambda f: files.index(f[0]))}


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds, 1:07."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Progress:
    """State of a run, fed with Snakemake's log events.

    Parameters
    ----------
    stage_of : dict
        Rule's name -> stage, in the order of the view. Other rules count under ``other``.
    now : callable
        A clock, seconds.
    """

    def __init__(self, stage_of=None, now=time.monotonic):
        self.stage_of, self.now, self.started = stage_of or {}, now, now()
        self.total, self.done = {}, {}  # jobs by stage
        self.running, self.spent = {}, {}  # start by job's number, seconds by job's name
        self.jobs, self.broken = {}, set()
        self.before, self.whole_log = [], ""
        self.ran = self.current = self.stopped = False

    def tell(self, event: str | None, about: dict) -> list[str]:
        """Take one event and return the lines to print for it.

        Parameters
        ----------
        event : str or None
            Its kind; None is a plain message.
        about : dict
            The log record's fields.

        Returns
        -------
        list of str
            A line when a job has ended, an error in full, nothing otherwise.
        """
        take = getattr(self, f"_{event}", None)
        if take:
            return take(about) or []
        if event is None or event == "error":
            return self._message(str(about.get("msg") or ""), about.get("levelname", "INFO"))
        return []

    def _run_info(self, about):
        # What there is to do, without the sum and the rule that only names the targets.
        jobs = {r: n for r, n in about.get("stats", {}).items() if r not in ("total", "all")}
        count = {}
        for rule, number in jobs.items():
            count[self.stage(rule)] = count.get(self.stage(rule), 0) + number
        order = [*dict.fromkeys(self.stage_of.values()), "other"]
        self.total = {stage: count[stage] for stage in order if stage in count}
        self.ran = True

    def _job_info(self, about):
        self.jobs[about["jobid"]] = about
        self.broken.discard(about["jobid"])
        self.running[about["jobid"]] = self.now()

    def _job_finished(self, about):
        start = self.running.pop(about["job_id"], None)
        if start is None or (job := self.jobs[about["job_id"]])["rule_name"] == "all":
            return []
        stage, name = self.stage(job["rule_name"]), self.name(job)
        self.done[stage] = self.done.get(stage, 0) + 1
        self.spent[name] = _recorded(job["log"]) or self.now() - start
        done, total = sum(self.done.values()), sum(self.total.values())
        width = len(str(total))
        return [f"[{done:>{width}}/{total}] {stage:<8} {name} {self.spent[name]:.1f} s"]

    def _job_error(self, about):
        if about.get("indent"):
            return []  # one of a group, whose error has been told
        return self._failed([about], about["log"], about.get("aux", {}))

    def _group_error(self, about):
        return self._failed(about["job_error_info"], about["aux_logs"], {})

    def _failed(self, failed, logs, aux):
        names = []
        for job in failed:
            self.broken.add(job["jobid"])
            self.running.pop(job["jobid"], None)
            names.append(self.name(self.jobs.get(job["jobid"], job)))
        # A job's own record is written when it succeeds; what failed speaks in the other logs.
        told = [log for log in map(Path, logs) if log.suffix != ".json" and log.exists()]
        lines = ["", f"FAILED: {', '.join(names)}"]
        lines += [f"  {key}: {value}" for key, value in aux.items() if value]
        for log in told:
            end = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]
            lines += [f"  log: {log}", *(f"    {line}" for line in end)]
        output = [str(o) for job in failed for o in job["output"][:1]][:1]
        lines.append("  do: mend what is said above and run again; what is done is kept")
        if output:
            lines.append(f"      this job alone: snakemake --cores 1 {output[0]}")
        return [*lines, ""]

    def _message(self, text, level):
        if text.startswith("Complete log(s): "):
            self.whole_log = text.removeprefix("Complete log(s): ")
        elif text.startswith("Trying to restart job "):
            number = text.removeprefix("Trying to restart job ").rstrip(".")
            job = self.jobs.get(int(number)) if number.isdigit() else None  # a group has no number
            return [f"Trying {self.name(job) if job else 'the group'} once more"]
        elif level in ("ERROR", "CRITICAL"):
            self.stopped = True
            return [] if self.broken and REPEATS.match(text) else text.splitlines()
        elif level == "WARNING":
            return text.splitlines()
        elif text.startswith("Nothing to be done"):
            self.current = True
        elif not self.ran and not CHATTER.match(text):
            self.before.append(text)
        return []

    def stage(self, rule: str) -> str:
        """Stage of a rule."""
        return self.stage_of.get(rule, "other")

    def name(self, job: dict) -> str:
        """A job in a word or two: its rule, unless its stage says the same, and its wildcards."""
        rule, more = job["rule_name"], list(map(str, dict(job.get("wildcards") or {}).values()))
        return " ".join(more if more and rule == self.stage(rule) else [rule, *more])

    def view(self) -> list[str]:
        """Lines of the live view: one a stage, then the whole run and what is slow."""
        lines = []
        for stage, total in self.total.items():
            done = self.done.get(stage, 0)
            bar = ("█" * (20 * done // total)).ljust(20, "·")
            now = [self.name(self.jobs[j]) for j in self.running
                   if self.stage(self.jobs[j]["rule_name"]) == stage]  # fmt: skip
            lines.append(f"{stage:<9} {bar} {done:>3}/{total:<3} {', '.join(now)}".rstrip())
        whole = f"{sum(self.done.values())}/{sum(self.total.values())} jobs, {self.elapsed()}"
        waits = sorted((start, job) for job, start in self.running.items())
        slow = [f"{self.name(self.jobs[job])} {clock(self.now() - start)}"
                for start, job in waits if self.now() - start >= SLOW][:3]  # fmt: skip
        return [*lines, f"{whole}, waiting for {', '.join(slow)}" if slow else whole]

    def elapsed(self) -> str:
        """Time since the run began."""
        return clock(self.now() - self.started)

    def closing(self, folder=".") -> list[str]:
        """The last words: how long it took, what took longest, where the results are."""
        done, total = sum(self.done.values()), sum(self.total.values())
        if self.ran and (self.broken or done < total):
            stopped = f"Stopped after {self.elapsed()}: {done} of {total} jobs are done and kept."
            return [stopped, *([f"The whole log: {self.whole_log}"] if self.whole_log else [])]
        if not (self.ran or self.current):
            return [] if self.stopped else self.before
        first = "All is up to date."
        if self.spent:
            longest = sorted(self.spent.items(), key=lambda job: -job[1])[:3]
            told = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in longest)
            first = f"{done} jobs in {self.elapsed()}; the longest: {told}"
        found = {what: path for what, path in RESULTS.items() if (Path(folder) / path).exists()}
        width = max(map(len, found), default=0)
        return [first, *(f"{what + ':':<{width + 1}} {path}" for what, path in found.items())]


def _recorded(logs):
    """Seconds that a job's own record gives: on a cluster the wait for a node does not count."""
    try:
        return float(json.loads(Path(logs[0]).read_text(encoding="utf-8"))["seconds"])
    except (IndexError, KeyError, TypeError, ValueError, OSError):
        return None
