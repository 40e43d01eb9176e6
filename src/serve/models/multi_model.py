"""SageMaker's multi-model endpoints: models come and go while the server runs.

All workers share one list of models (`sagetree.serve.models.registry`), and each loads a model
when it is first asked for it. So a worker that dies takes nothing with it, and
a machine's cores are all used, at the price of a copy of a model in each worker
that serves it.
"""

import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from sagetree.machine.allocator import return_freed_memory
from sagetree.machine.program import LOG
from sagetree.serve.models.loading import Kind
from sagetree.serve.models.registry import Entry, Hold, ModelNotFoundError, Registry
from sagetree.serve.models.trials import Trials

# How often a worker looks whether a model it holds has been unloaded.
WATCH_SECONDS = 0.02


@dataclass(frozen=True)
class Resident(Generic[Kind]):
    """A model in this worker, and what holds its entry."""

    served: Kind
    hold: Hold


class ModelStore(Generic[Kind]):
    """The models of one worker.

    `load` loads the one in a folder, to be counted by the name; `trials` are of such models.
    """

    def __init__(
        self, registry: Registry, load: Callable[[Path, str], Kind], trials: Trials
    ) -> None:
        self.registry = registry
        self._trials = trials
        self._load_model = load
        self._lock = threading.Lock()
        self._residents: dict[str, Resident[Kind]] = {}
        self._loading: dict[str, threading.Lock] = {}
        # models that are no longer asked, some of them by requests under way
        self._leaving: list[tuple[weakref.ref[Kind], Hold]] = []
        self._closed = threading.Event()

    def start(self) -> None:
        """Let go of models that other workers unload, in a thread."""
        threading.Thread(target=self._watch, name="model-watcher", daemon=True).start()

    def close(self) -> None:
        """Let go of all models, and end the process that tries them if it is this worker's.

        For one whose process goes on. A server's workers end with theirs: the kernel then drops
        what they hold, and the process that tries models ends without its parent.
        """
        self._closed.set()
        with self._lock:
            for name in list(self._residents):
                self._leave(name)
        self.let_go()
        self._trials.stop()

    def resident(self) -> tuple[str, ...]:
        """Return the names of the models in this worker."""
        return tuple(self._residents)

    def load(self, name: str, url: str) -> None:
        """Load the model in the folder `url` under `name`, once it has been tried.

        Raises ModelExistsError, InsufficientMemoryError, ModelNotFoundError if the folder does not
        exist, and ArtifactError for a model that cannot be served.
        """
        self.registry.check_new(name)
        if not Path(url).exists():
            raise ModelNotFoundError(
                f"Model not found in model store: {url}",
                where="url",
                hint="Name the folder that the model is in",
            )
        start = time.monotonic()
        taken = self._trials.weigh(Path(url), self.registry.room())
        self.registry.add(Entry(name, url, taken))
        LOG.info(
            "model %r ready in %.2f s: %s, %d bytes", name, time.monotonic() - start, url, taken
        )

    def at_hand(self, name: str) -> Kind | None:
        """Return a loaded model, None if this worker has to load it first."""
        resident = self._residents.get(name)
        if resident and resident.hold.is_current():
            return resident.served
        return None

    def served(self, name: str) -> Kind:
        """Return a loaded model. Raises ModelNotFoundError."""
        served = self.at_hand(name)
        if served is not None:
            return served
        with self._lock:
            loading = self._loading.setdefault(name, threading.Lock())
        with loading:
            return self._take(name)

    def unload(self, name: str) -> None:
        """Unload a model, in every worker. Raises ModelNotFoundError."""
        retired = self.registry.remove(name)
        self.let_go()
        if not self.registry.wait_until_free(retired):
            LOG.warning("model %r is off the list, but requests still hold it", name)
        LOG.info("model %r unloaded", name)

    def let_go(self) -> None:
        """Drop the models that are not on the list any more, and free those nobody uses."""
        with self._lock:
            self._drop_unlisted()
            gone = [held for model, held in self._leaving if model() is None]
            self._leaving = [(model, held) for model, held in self._leaving if held not in gone]
        if gone:
            return_freed_memory()
        for held in gone:
            held.release()

    def _drop_unlisted(self) -> None:
        for name, resident in list(self._residents.items()):
            if not resident.hold.is_current():
                self._leave(name)

    def _leave(self, name: str) -> None:
        resident = self._residents.pop(name)
        self._loading.pop(name, None)
        self._leaving.append((weakref.ref(resident.served), resident.hold))

    def _take(self, name: str) -> Kind:
        served = self.at_hand(name)
        if served is not None:  # another thread was first
            return served
        hold, entry = self.registry.hold(name)
        try:
            resident = Resident(self._load_model(Path(entry.url), name), hold)
        except BaseException:
            hold.release()
            raise
        with self._lock:
            if name in self._residents:
                self._leave(name)
            self._residents[name] = resident
        return resident.served

    def _watch(self) -> None:
        seen = 0
        while not self._closed.wait(WATCH_SECONDS):
            now = self.registry.folder.stat().st_mtime_ns
            if now != seen or self._leaving:
                self.let_go()
            seen = now
