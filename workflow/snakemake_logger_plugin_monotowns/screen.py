"""A live view at the foot of the terminal, under what the jobs themselves write."""

import contextlib
import os
import sys
import threading

from rich.console import Console
from rich.live import Live
from rich.text import Text


class Screen:
    """Draw lines at the foot of the terminal until closed.

    Jobs are processes of their own and write to the terminal whenever they like, which would tear
    the view and lose their errors under it. While it is open their output comes through a pipe and
    is printed above it, line by line.

    Parameters
    ----------
    view : callable
        Gives the lines to draw.
    """

    def __init__(self, view):
        self.kept = {d: os.dup(d) for d in (1, 2) if os.isatty(d)}
        self.terminal = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace")
        self.console = Console(file=self.terminal, force_terminal=True, highlight=False)
        self.live = Live(
            get_renderable=lambda: Text("\n".join(view()), no_wrap=True, overflow="ellipsis"),
            console=self.console, transient=True, refresh_per_second=4,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        read, write = os.pipe()
        for descriptor in self.kept:
            os.dup2(write, descriptor)
        os.close(write)
        self.reader = threading.Thread(target=self._pass_on, args=(read,), daemon=True)
        self.reader.start()
        self.live.start()

    def _pass_on(self, read):
        with open(read, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                # A reader that stopped would stop the jobs, too.
                with contextlib.suppress(Exception):
                    self.above(line.rstrip("\n"))

    def above(self, line: str) -> None:
        """Print a line above the view."""
        self.console.print(Text(line), soft_wrap=True)

    def close(self) -> None:
        """Take the view away and give the terminal back."""
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, kept in self.kept.items():
            os.dup2(kept, descriptor)
            os.close(kept)
        # The pipe ends with its last writer; a process that outlives the run is not waited for.
        self.reader.join(2)
        self.live.stop()
        self.terminal.close()
