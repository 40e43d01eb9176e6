"""Gunicorn's worker process around `sagetree.serve.http.loop`."""

import contextlib
import os
import resource

from gunicorn.workers.base import Worker as BaseWorker

from sagetree.serve.http.loop import Loop
from sagetree.serve.http.shares import Share

# SageMaker sends SIGKILL 30 s after SIGTERM.
GRACEFUL_SECONDS = 25

# This many connections of one worker may be open; further ones wait in the kernel.
MOST_CLIENTS = 8192

# Descriptors that are not connections: libraries, files, pipes.
OTHER_DESCRIPTORS = 128


class Worker(BaseWorker):  # type: ignore[misc]
    """A process with a loop that serves `self.wsgi`, an `Application` of the loop."""

    share: Share  # given by the master

    def run(self) -> None:
        """Serve until SIGTERM, then finish what has begun."""
        listeners = [listener.sock for listener in self.sockets]
        loop = Loop(self.wsgi, listeners, self.share, _most_clients(), self.PIPE[0])
        loop.run(self._is_needed, self.notify)
        loop.drain(GRACEFUL_SECONDS, self.notify)

    def _is_needed(self) -> bool:
        return bool(self.alive) and os.getppid() == self.ppid


def _most_clients() -> int:
    """Return how many connections the process may hold; raises its limit as far as allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CLIENTS + OTHER_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    now = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_CLIENTS if now == resource.RLIM_INFINITY else max(16, now - OTHER_DESCRIPTORS)
