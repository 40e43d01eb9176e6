"""What AWS does after it has answered: one thing after another, in a thread of its own.

Events are delivered here, endpoints come into service, pipelines run. That there is one order,
and that everything asked for before is done before, makes the desk do the same each time.
"""

import threading
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

Work = Callable[[], object]


@dataclass
class Backstage:
    """The line of what is to be done. `failures` has the tracebacks of what could not be."""

    failures: list[str] = field(default_factory=list)
    _line: deque[Work] = field(default_factory=deque)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _busy: bool = False
    _open: bool = True
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work."""
        self._thread = threading.Thread(target=self._work, name="backstage", daemon=True)
        self._thread.start()

    def later(self, work: Work) -> None:
        """Have this done after all that was asked for before."""
        with self._changed:
            self._line.append(work)
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Return when nothing is left to do. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._line and not self._busy, seconds):
                raise TimeoutError(f"the desk is still at work after {seconds:g} s")

    def stop(self) -> None:
        """Finish what is being done, and leave the rest."""
        with self._changed:
            self._open = False
            self._line.clear()
            self._changed.notify_all()
        if self._thread:
            self._thread.join(timeout=60)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._line or not self._open)
                if not self._open:
                    return
                work = self._line.popleft()
                self._busy = True
            try:
                work()
            except Exception:
                self.failures.append(traceback.format_exc())
