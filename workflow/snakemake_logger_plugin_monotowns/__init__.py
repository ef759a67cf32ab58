"""The terminal's view of a run, which ``logger: monotowns`` in a profile asks for.

Where someone watches there is one live view; elsewhere a line for every job that ends. Errors
come in full. Snakemake imports this in every job: what is heavy waits until there is a run.
"""

import atexit
import sys
import threading

from snakemake_interface_logger_plugins.base import LogHandlerBase


class LogHandler(LogHandlerBase):
    """Hands Snakemake's events to :class:`monotowns.progress.Progress` and prints its lines."""

    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Make the view ready; it opens with the first job."""
        # Not above: Snakemake imports every plugin of its environment, also for a run of another
        # checkout whose library has no such module.
        from monotowns.progress import Progress

        self.progress, self.screen, self.ended = Progress(), None, False
        self.guard = threading.Lock()
        # Also after a crash, whose traceback would else be lost with the view.
        atexit.register(self.close)

    @property
    def writes_to_stream(self) -> bool:
        """Whether this view speaks; a dry run and whoever asks for more hear Snakemake itself."""
        asked = self.common_settings
        return not (asked.dryrun or asked.verbose or asked.debug_dag or asked.printshellcmds)

    def emit(self, record) -> None:
        """Print what an event has to tell."""
        if not self.writes_to_stream:
            return
        try:
            event = getattr(record, "event", None)
            if event == "workflow_started":
                from monotowns.progress import stages

                self.progress.stage_of = stages(record.basedir)
            lines = self.progress.tell(event and str(event), vars(record))
            if event == "run_info":
                self._open()
            # The live view itself shows that a job has ended.
            if not (self.screen and event == "job_finished"):
                self._print(lines)
        except Exception:
            self.handleError(record)  # a fault of the view is no fault of the run

    def _open(self):
        with self.guard:
            if self.screen is None and not self.ended and sys.stderr.isatty():
                from snakemake_logger_plugin_monotowns.screen import Screen

                self.screen = Screen(self.progress.view)

    def _print(self, lines):
        for line in lines:
            if self.screen:
                self.screen.above(line)
            else:
                print(line, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Give the last word."""
        with self.guard:
            if self.ended:
                return
            self.ended = True
        if self.screen:
            self.screen.close()
            self.screen = None
        if self.writes_to_stream:
            self._print(self.progress.closing())
        super().close()
