"""The master process: gunicorn's, that says how workers end and does not start them in a rush."""

import os
import signal
import time

from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from sagetree.machine.program import LOG
from sagetree.serve.http.listening import turn_away
from sagetree.serve.http.worker import Worker

# What is waited before a worker is replaced: doubled with each death, up to the longest.
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0

# After this long without a death all is as in the beginning.
QUIET_SECONDS = 60.0

_BOOT_ERRORS = (Arbiter.WORKER_BOOT_ERROR, Arbiter.APP_LOAD_ERROR)


class Backoff:
    """How long to wait before workers that have died are replaced.

    As many as there are workers are replaced at once, for all of them may die of
    one cause; those that die after them, later and later.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._deaths = 0
        self._last = 0.0

    def note(self, now: float) -> float:
        """Take note of a death at `now` and return the seconds to wait from then on."""
        if now - self._last > QUIET_SECONDS:
            self._deaths = 0
        self._deaths += 1
        self._last = now
        return self._wait()

    def is_over(self, now: float) -> bool:
        """Say whether the dead may be replaced."""
        return now - self._last >= self._wait()

    def _wait(self) -> float:
        beyond = self._deaths - self._workers
        if beyond <= 0:
            return 0.0
        return float(min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(beyond - 1, 30)))


class Master(Arbiter):  # type: ignore[misc]
    """SIGINT ends it as SIGTERM does, not in the middle of requests."""

    handle_int = Arbiter.handle_term

    def setup(self, app: object) -> None:
        """Read the settings of gunicorn's application."""
        super().setup(app)
        self._backoff = Backoff(self.num_workers)

    def stop(self, graceful: bool = True) -> None:
        """End the workers; who connects from here on is refused, who has connected is answered."""
        for listener in self.LISTENERS:
            turn_away(listener.sock)
        super().stop(graceful)

    def spawn_workers(self) -> None:
        """Start the workers that are missing, unless it is too soon.

        Without gunicorn's pause after each, .05 s: workers whose imports are done do not crowd.
        """
        if self._backoff.is_over(time.monotonic()):
            for _ in range(self.num_workers - len(self.WORKERS)):
                self.spawn_worker()

    def reap_workers(self) -> None:
        """Take note of the children that have ended.

        Raises HaltServer for a worker that could not start.
        """
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            worker = self.WORKERS.pop(pid, None)
            if worker is not None:  # else an orphan that came to a container's first process
                self._reaped(worker, os.waitstatus_to_exitcode(status))

    def _reaped(self, worker: Worker, code: int) -> None:
        if code in _BOOT_ERRORS:
            LOG.error("worker %d: it could not start", worker.pid)
            raise HaltServer("a worker could not start", code)
        if code:
            self._tell_death(worker.pid, code)
        worker.tmp.close()
        self.cfg.child_exit(self, worker)

    def _tell_death(self, pid: int, code: int) -> None:
        how = f"ended by {_name(-code)}" if code < 0 else f"ended with exit code {code}"
        if not self.LISTENERS:  # the server is ending
            LOG.warning("worker %d: %s", pid, how)
            return
        seconds = self._backoff.note(time.monotonic())
        if code == -signal.SIGKILL:
            how += ", as the system does when memory runs out"
        later = f" in {seconds:.1f} s, as workers die again and again" if seconds else ""
        LOG.error("worker %d: %s; another one starts%s", pid, how, later)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
