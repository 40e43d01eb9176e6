"""The gunicorn server around the application, with all of its settings in one place.

The master process listens, forks and watches; it imports the libraries, so
that workers share their memory, but never loads a model: see `sagetree.serve.models.loading`.
"""

import gc
import importlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from sagetree.errors import PlatformError
from sagetree.machine.program import LOG
from sagetree.machine.unused import leave_out_unused
from sagetree.serve.http.shares import Share, Shares
from sagetree.serve.http.worker import GRACEFUL_SECONDS, Worker
from sagetree.serve.master import Master
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.counts import SHARED_MEMORY, keep_gone, make_folder, remove_folder
from sagetree.serve.telemetry.log_lines import set_log_format
from sagetree.serve.variables import PORT, PORT_OPTION

if TYPE_CHECKING:
    from sagetree.serve.application import Application
    from sagetree.serve.scripts.code import ModelScripts, ScriptCode

# As many connections may wait for a worker as gunicorn lets by default.
BACKLOG = 2048

# The application and everything it imports, and what is needed for many models alone.
APP_MODULE, MANY_MODELS_MODULE = "sagetree.serve.application", "sagetree.serve.routes.many_models"
OWN_PACKAGE = "sagetree"


def run(settings: ServeSettings) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code.

    Raises PlatformError if the address cannot be listened on, SettingsError if
    there is no script where one is named.
    """
    listener = listen(settings.host, settings.port)
    if not settings.program:  # a user's script may want them
        leave_out_unused()
    shared, master = make_folder(), os.getpid()
    # on a disk: it may hold large packages
    home = Path(tempfile.mkdtemp(prefix="sagetree-script-")) if settings.program else shared
    try:
        Server(settings, listener, shared, _script(settings, home)).run()
    except SystemExit as end:  # how gunicorn ends, its workers too
        return end.code if isinstance(end.code, int) else 1
    finally:
        if os.getpid() == master:
            remove_folder(shared)
            remove_folder(home)
    return 0


def _script(settings: ServeSettings, home: Path) -> "ScriptCode | ModelScripts | None":
    if not settings.program:
        return None
    # few need it, and what it imports
    from sagetree.serve.scripts.code import prepare_script, prepare_scripts

    return (prepare_scripts if settings.multi_model else prepare_script)(settings, home)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises PlatformError if the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = (error.strerror or str(error)).split(" (while")[0]  # Python's addition
        raise PlatformError(
            f"the server cannot listen on it: {reason}",
            where=f"{host} port {port}",
            hint=(
                f"Stop the process that listens there, or choose another port with {PORT_OPTION} "
                f"or {PORT.name}"
            ),
        ) from error


def gunicorn_settings(settings: ServeSettings, listener: int, shared: Path) -> Mapping[str, Any]:
    """Return all settings of gunicorn that are not its defaults.

    `listener` is a descriptor, `shared` the folder of the workers' counts.
    """
    return {
        "bind": f"fd://{listener}",
        "workers": settings.workers,
        "worker_class": "sagetree.serve.http.worker.Worker",
        "timeout": settings.timeout,
        "graceful_timeout": GRACEFUL_SECONDS + 2,  # a worker keeps to it by itself
        # The heartbeat file: on a disk it could stall a worker; elsewhere /tmp
        "worker_tmp_dir": str(SHARED_MEMORY) if os.access(SHARED_MEMORY, os.W_OK) else None,
        # It would be a file in the home folder, which may be read-only.
        "control_socket_disable": True,
        # Arrow reads it. XGBoost is set to use one thread for each call (boosters.library).
        "raw_env": [f"OMP_NUM_THREADS={settings.threads}"],
        # The lines of the log are ours (routes.access); gunicorn's warnings quote requests.
        "loglevel": "info" if settings.reload else "error",
        "reload": settings.reload,
        "reload_engine": "poll",
        "pre_fork": partial(_pre_fork, Shares(settings.workers)),
        "when_ready": partial(_when_ready, settings, shared),
        "post_fork": partial(_post_fork, settings),
        "post_worker_init": _post_worker_init,
        "child_exit": partial(_child_exit, shared),
    }


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, configured by ServeSettings instead of a command line."""

    share: Share  # in a worker: its own

    def __init__(
        self,
        settings: ServeSettings,
        listener: socket.socket,
        shared: Path,
        code: "ScriptCode | ModelScripts | None",
    ) -> None:
        self._settings = settings
        self._shared = shared
        self._code = code
        self._listener = listener.detach()  # gunicorn owns it from here on
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's settings."""
        settings = gunicorn_settings(self._settings, self._listener, self._shared)
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> "Application":
        """Return what one worker serves, and start loading its model."""
        from sagetree.serve.application import Application, site_of

        return Application(site_of(self._settings, self._shared, self._code, self.share))

    def run(self) -> None:
        """Serve; ends in SystemExit."""
        Master(self).run()


def _when_ready(settings: ServeSettings, shared: Path, arbiter: Arbiter) -> None:
    """In the master, before the workers are forked."""
    set_log_format(settings.log_format, arbiter.log.error_log)
    LOG.info("serving %s with %d workers", ", ".join(map(str, arbiter.LISTENERS)), settings.workers)
    if settings.reload:
        return  # each worker imports the code anew
    importlib.import_module(APP_MODULE)
    if settings.multi_model:
        importlib.import_module(MANY_MODELS_MODULE)
    # What is there now stays: a worker's collector must not touch, and thereby
    # copy, the pages it shares with the others.
    gc.freeze()
    if not (settings.multi_model or settings.program):
        _begin_trial(settings, shared, arbiter)


def _begin_trial(settings: ServeSettings, shared: Path, arbiter: Arbiter) -> None:
    """Have the model tried while the workers start."""
    from sagetree.boosters.library import library_version
    from sagetree.serve.models.trials import TrialVerdict

    library_version()  # the library is there for all children; only a booster forbids to fork

    def leave() -> None:
        for number in arbiter.SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        for listener in arbiter.LISTENERS:
            listener.sock.close()

    TrialVerdict(shared, settings).begin(leave)


def _post_fork(settings: ServeSettings, arbiter: Arbiter, worker: Worker) -> None:
    arbiter.app.share = worker.share
    if settings.reload:
        for name in [name for name in sys.modules if name.split(".")[0] == OWN_PACKAGE]:
            del sys.modules[name]


def _pre_fork(shares: Shares, _arbiter: Arbiter, worker: Worker) -> None:
    worker.share = shares.take()


def _child_exit(shared: Path, _arbiter: Arbiter, worker: Worker) -> None:
    worker.share.free()
    keep_gone(shared, worker.pid)


def _post_worker_init(_worker: Any) -> None:  # noqa: ANN401 - gunicorn has no types
    # Ctrl-C reaches every process of the terminal; the master tells the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
