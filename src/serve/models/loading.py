"""The model in a worker: loaded once, beside the requests, and never half.

It is loaded in the worker and not before the fork: a process that holds a
Booster and forks leaves the child hanging in predict.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from sagetree.boosters.best_rounds import Rounds
from sagetree.boosters.shap_method import ShapMethod
from sagetree.bundle.model import Model
from sagetree.errors import NotReadyError, SagetreeError, SettingsError
from sagetree.machine.allocator import return_freed_memory
from sagetree.machine.program import LOG
from sagetree.predictions.scored_rows import available_keys
from sagetree.serve.protocol.route_names import MODEL_NAME
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.drift import Monitor
from sagetree.serve.variables import DECISION, OUTPUT

# A request that comes before the model waits this long: half of the 60 s
# that SageMaker gives an answer, so that the refusal arrives too.
MODEL_WAIT_SECONDS = 30.0

# How often `--reload` checks the model's folder.
WATCH_SECONDS = 0.25

Snapshot = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class ServedModel:
    """A model that has passed its self-check, the keys it can give, and what it is asked."""

    model: Model
    keys: tuple[str, ...]
    monitor: Monitor

    @classmethod
    def of(cls, settings: ServeSettings, folder: Path, name: str = MODEL_NAME) -> "ServedModel":
        """Load the model in `folder` as a server's settings want it. Raises as `load`."""
        return cls.load(
            folder,
            threads=settings.threads,
            output=settings.output,
            decision=settings.decision,
            shap=settings.shap,
            rounds=settings.rounds,
            name=name,
        )

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        threads: int,
        output: tuple[str, ...],
        decision: str = "",
        shap: ShapMethod = "sagetree",
        rounds: Rounds = "best",
        name: str = MODEL_NAME,
        distrust: bool = False,
    ) -> "ServedModel":
        """Load the model in `folder`, to be counted as `name`; check that it can give `output`.

        It calls rows by `decision`, where that is set. `distrust` is as of `Model.load`. Raises
        ArtifactError for the model, SettingsError for what it cannot give.
        """
        model = Model.load(folder, threads=threads, shap=shap, rounds=rounds, distrust=distrust)
        if decision:
            model = _deciding(model, decision)
        keys = available_keys(model)
        for key in output:
            if key not in keys:
                raise SettingsError(
                    f"this model cannot give {key}",
                    where=OUTPUT.name,
                    hint=f"It gives {', '.join(keys)}",
                )
        monitor = Monitor(name, model.sha256, model.features, model.baseline)
        return cls(model, keys, monitor)

    def deciding(self, text: str) -> "ServedModel":
        """Return what is served where a request says from which score on rows are positive.

        Raises ValueError, which says what is wrong, also for a rule that is not reached.
        """
        model, unreached = self.model.deciding(text)
        if unreached:
            raise ValueError(unreached)
        return replace(self, model=model, keys=available_keys(model))

    def describe(self) -> str:
        """Return what the log says about it."""
        columns = len(self.model.schema.input_names)
        notes = "".join(f"; {note}" for note in self.model.notes)
        return f"{columns} columns, answers hold {', '.join(self.keys)}{notes}"


def _deciding(model: Model, text: str) -> Model:
    """Return the model by the server's own decision; one that is not reached is a warning."""
    try:
        deciding, unreached = model.deciding(text)
    except ValueError as error:
        raise SettingsError(
            str(error),
            where=DECISION.name,
            hint="Leave it out, or set something that the model supports",
        ) from error
    if unreached:
        LOG.warning(
            "WARNING: %s is %s: %s. The threshold is the nearest, %.4g",
            DECISION.name,
            text,
            unreached,
            deciding.threshold,
        )
    return deciding


@dataclass(frozen=True)
class Unavailable:
    """Why there is no model, in the parts of an error."""

    message: str
    where: str
    hint: str


class Holder(Protocol):
    """Who has a model, or will have."""

    def wait(self) -> ServedModel:
        """Return the model. Raises NotReadyError with the reason if there is none."""


class Peers(Protocol):
    """The workers of a server; this process is one of them."""

    def tell_ready(self, ready: bool) -> None:
        """Say whether this worker has its model."""

    def are_all_ready(self) -> bool:
        """Say whether every worker that takes connections has its model."""


class NoPeers:
    """There is no other worker."""

    def tell_ready(self, ready: bool) -> None:
        """Say it to nobody."""

    def are_all_ready(self) -> bool:
        """Say yes."""
        return True


class Loaded(Protocol):
    """What a holder can hold: a model, or a script with its model."""

    def describe(self) -> str:
        """Return what the log says about it."""


Kind = TypeVar("Kind", bound=Loaded)


class ModelHolder(Generic[Kind]):
    """Holds the worker's model; each request takes it once, whole or not at all."""

    def __init__(self, folder: Path, load: Callable[[], Kind], peers: Peers | None = None) -> None:
        self._peers = peers or NoPeers()
        self._folder = folder
        self._load_model = load
        self._state: Kind | Unavailable = Unavailable(
            "the model is being loaded", str(folder), "Ask again in a moment"
        )
        self._settled = threading.Event()

    def start(self, *, watch: bool) -> None:
        """Load the model in a thread; with `watch`, again whenever its folder changes."""
        # A daemon: a worker that has to stop need not wait for it.
        threading.Thread(target=self._run, args=(watch,), name="model-loader", daemon=True).start()

    @property
    def is_settled(self) -> bool:
        """Whether the first loading has ended, well or badly."""
        return self._settled.is_set()

    @property
    def state(self) -> "Kind | Unavailable":
        """The model, or why there is none."""
        return self._state

    def model(self) -> Kind:
        """Return the model. Raises NotReadyError with the reason if there is none."""
        state = self._state
        if isinstance(state, Unavailable):
            raise NotReadyError(state.message, where=state.where, hint=state.hint)
        return state

    def check_everywhere(self) -> None:
        """Raise NotReadyError if a worker that takes connections has no model, this one or another.

        The next request may be that one's.
        """
        self.model()
        if not self._peers.are_all_ready():
            raise NotReadyError(
                "another worker has not loaded its model yet",
                where=str(self._folder),
                hint="Ask again in a moment; if it stays so, the server's log has the reason",
            )

    def wait(self, seconds: float = MODEL_WAIT_SECONDS) -> Kind:
        """Return the model, after waiting for its loading to end. Raises as `model` does."""
        if not self._settled.is_set():
            self._settled.wait(seconds)
        return self.model()

    def _run(self, watch: bool) -> None:
        loaded = snapshot(self._folder)
        self._load()
        if watch:
            for _ in settled(loaded, self._looks()):
                self._load()

    def _looks(self) -> Iterator[Snapshot]:
        while True:
            time.sleep(WATCH_SECONDS)
            yield snapshot(self._folder)

    def _load(self) -> None:
        start = time.monotonic()
        self._state = self._outcome()
        self._peers.tell_ready(not isinstance(self._state, Unavailable))
        _report(self._state, self._folder, time.monotonic() - start)
        self._settled.set()
        return_freed_memory()  # of the loading, and of the model before

    def _outcome(self) -> Kind | Unavailable:
        try:
            return self._load_model()
        except SagetreeError as error:
            return Unavailable(error.message, error.where, error.hint)
        except OSError as error:
            message = f"the model cannot be read: {error.strerror or error}"
            return Unavailable(message, error.filename or str(self._folder), "Make it readable")
        except Exception:  # the thread's outer handler: without it /ping would wait for ever
            LOG.exception("the model could not be loaded")
            message = "the model could not be loaded because of an unexpected error"
            return Unavailable(message, str(self._folder), "The server's log has the reason")


def _report(state: Loaded | Unavailable, folder: Path, seconds: float) -> None:
    if isinstance(state, Unavailable):
        reason = SagetreeError(state.message, where=state.where, hint=state.hint)
        LOG.error("worker %d: /ping answers 503: %s", os.getpid(), reason)
        return
    LOG.info(
        "worker %d: model ready in %.2f s: %s, %s", os.getpid(), seconds, folder, state.describe()
    )


def settled(loaded: Snapshot, looks: Iterable[Snapshot]) -> Iterator[Snapshot]:
    """Yield each state that is not the one before it, once two looks have seen it.

    A folder that is still being written differs from one look to the next.
    """
    before = loaded
    for now in looks:
        if now != loaded and now == before:
            loaded = now
            yield now
        before = now


def snapshot(folder: Path) -> Snapshot:
    """Return what tells one state of a folder from another; hidden entries do not count."""
    return tuple(sorted(_entries(folder, folder)))


def _entries(root: Path, folder: Path) -> Iterator[tuple[str, int, int, int]]:
    try:
        found = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:  # it is not there (yet), or not there any more
        return
    for path in found:
        if path.is_dir():
            yield from _entries(root, path)
            continue
        try:
            stat = path.stat()
        except OSError:
            continue
        yield str(path.relative_to(root)), stat.st_size, stat.st_mtime_ns, stat.st_ino
