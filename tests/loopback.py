"""A Slurm cluster of two nodes on this one machine, for the tests.

Everything lives in a temporary folder and on free ports; every daemon is ended by its own number.
Slurm's commands are found under wrappers in that folder: they name the cluster's configuration,
for which no variable is left inside a job, and keep count of what is submitted.
"""

import getpass
import os
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil
from machine import need

CONFIG = """\
ClusterName=loopback
SlurmctldHost=localhost
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=2
ReturnToService=1
MinJobAge=3600
SlurmdTimeout=10
KillWait=2
JobAcctGatherType=jobacct_gather/none
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={first} CPUs=2 RealMemory=6000
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={second} CPUs=2 RealMemory=6000
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""
WRAPPER = """\
#!/bin/sh
{before}
SLURM_CONF={config} exec {program} "$@"
"""
COMMANDS = ("sbatch", "srun", "squeue", "scancel", "sinfo", "scontrol", "sacct", "sacctmgr")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Cluster:
    """munged, slurmctld and two slurmd, started on entering and ended on leaving."""

    def __init__(self, folder: Path):
        self.folder, self.config, self.daemons = folder, folder / "slurm.conf", {}
        self.path = f"{folder / 'bin'}:{os.environ['PATH']}"

    def __enter__(self):
        slurmd = need("slurmd", "slurm-wlm", "munge")
        for name in ("state", "spool.n1", "spool.n2", "bin"):
            (self.folder / name).mkdir(parents=True)
        ports = {name: free_port() for name in ("controller", "first", "second")}
        text = CONFIG.format(folder=self.folder, user=getpass.getuser(), **ports)
        self.config.write_text(text, encoding="utf-8")
        for command in COMMANDS:
            self._wrap(command)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        munge = {
            "key-file": key,
            **{f"{name}-file": self.folder / f"munged.{name}" for name in ("pid", "log", "seed")},
        }
        options = [f"--{name}={path}" for name, path in munge.items()]
        socket_file = self.folder / "munge.socket"
        try:
            self._start(
                "munged",
                need("munged", "munge"),
                "--foreground",
                "--force",
                f"--socket={socket_file}",
                *options,
            )
            self._wait(socket_file.exists, "munged")
            self._start("slurmctld", need("slurmctld", "slurm-wlm"), "-D", "-f", self.config)
            for node in ("n1", "n2"):
                self._start(node, slurmd, "-D", "-f", self.config, "-N", node)
            self._wait(
                lambda: self.ask("sinfo", "-h", "-o", "%T %D").split() == ["idle", "2"], "slurmd"
            )
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wrap(self, command):
        before = f'echo "$$" >> {self.folder}/submitted' if command == "sbatch" else ""
        file = self.folder / "bin" / command
        text = WRAPPER.format(before=before, config=self.config, program=shutil.which(command))
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)

    def _start(self, name, *command):
        log = (self.folder / f"{name}.out").open("wb")
        words = [str(word) for word in command]
        self.daemons[name] = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)

    def _wait(self, ready, what, seconds=120):
        end = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > end or any(d.poll() is not None for d in self.daemons.values()):
                out = sorted(self.folder.glob("*.out"))
                told = "".join(f"{p.name}: {p.read_text(errors='replace')[-800:]}\n" for p in out)
                raise RuntimeError(f"{what} does not come up:\n{told}")
            time.sleep(0.2)

    def ask(self, command: str, *words: str) -> str:
        """What a command of the cluster prints."""
        call = [self.folder / "bin" / command, *words]
        return subprocess.run(call, capture_output=True, text=True).stdout

    def submitted(self) -> int:
        """How often sbatch has been called."""
        kept = self.folder / "submitted"
        return len(kept.read_text().split()) if kept.exists() else 0

    def lose(self, node: str) -> None:
        """A node goes down with all that runs on it."""
        daemon = self.daemons.pop(node)
        daemon.kill()
        daemon.wait()
        for process in self._running_on(node):
            with suppress(psutil.Error):
                process.kill()
        self.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=lost")

    def _running_on(self, node):
        """This cluster's processes on a node; their shepherds first, which would tell of an end."""
        found, shepherds = [], set()
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                about = process.environ()
                if about.get("SLURMD_NODENAME") == node and self.path in about.get("PATH", ""):
                    found.append(process)
                    parent = process.parent()
                    if parent and parent.name().startswith("slurmstepd"):
                        shepherds.add(parent)
        return [*shepherds, *found]

    def __exit__(self, *_):
        # The nodes go first, then the controller, munge last.
        for node in [name for name in self.daemons if name in ("n1", "n2")]:
            self.lose(node)
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self.daemons.clear()
