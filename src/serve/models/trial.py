"""Loading a model once in a process that may die of it.

XGBoost's library can end its process on a damaged model, take all the memory there is, or never
return. So each model is first loaded in a child process, with bounds, by a process that holds no
model itself: who holds a booster must not fork.
"""

import json
import os
import resource
import select
import signal
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sagetree.boosters.scoring import Scorer
from sagetree.errors import ArtifactError, SagetreeError, SettingsError
from sagetree.machine.memory import address_space, resident_memory
from sagetree.machine.program import LOG
from sagetree.serve.models.loading import ServedModel, snapshot

# A damaged model can also keep its process busy for ever. SageMaker's client
# waits 60 s for a model, and lets a load go on for up to 360 s.
TRIAL_SECONDS = 120

# How often to look whether anybody waits for the answer still.
POLL_SECONDS = 0.5

# Rows that every model must be able to score; damage often shows only then.
TRIAL_ROWS = 256

# What loading may take by a model's files: JSON takes some 30 times its own size while it is read.
LEAST_SPACE = 2**30
SPACE_PER_BYTE = 100

# Of a larger model the shared part does not matter.
WEIGHED_TWICE_BYTES = 64 * 2**20

# The smallest model's objects in Python, where pages that are free hide them.
LEAST_BYTES = 128 * 1024

# Errors that keep their class; all others become ArtifactError.
_KINDS = {kind.__name__: kind for kind in (ArtifactError, SettingsError)}

# What the library says where the system gives it no memory.
_NO_MEMORY = "bad_alloc"

# The exit code with which glibc ends a process whose thread gets no memory for its data.
_LIBC_GAVE_UP = 127

_AGAIN = "Copy the artifact again, or train again"
_MORE_MEMORY = (
    "If it is not damaged, use a machine with more memory; otherwise copy the artifact again, or "
    "train again"
)

Answer = Mapping[str, object]


class Question(NamedTuple):
    """A model to be tried: its folder, and what else its loading needs, fit for JSON.

    `most` is the bytes of addresses that may be taken for it, `weigh` whether the answer is to
    have the bytes that it takes.
    """

    folder: str
    options: Mapping[str, Any]
    most: int
    weigh: bool


class Candidate(NamedTuple):
    """What is tried: how it is loaded, and what would have crashed, for messages.

    `load` gets whether to distrust the model, as the first time.
    """

    load: Callable[[Question, bool], object]
    what: str


def outcome(answer: Answer) -> int:
    """Return the bytes the model takes, 0 if it was not weighed.

    Raises ArtifactError and SettingsError as `ServedModel.load`, also for a
    model that has ended its process.
    """
    if "bytes" in answer:
        return int(str(answer["bytes"]))
    kind = _KINDS.get(str(answer["kind"]), ArtifactError)
    raise kind(str(answer["message"]), where=str(answer["where"]), hint=str(answer["hint"]))


def run_trial(candidate: Candidate, question: Question, is_wanted: Callable[[], bool]) -> Answer:
    """Return what a child process says about the model, or how it ended.

    It is ended when the answer `is_wanted` no more.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as output:
                json.dump(_try(candidate, question), output)
        finally:
            os._exit(0)  # nothing of what the parent holds is to be cleaned up here
    os.close(writing)
    told = b""
    with os.fdopen(reading, "rb", 0) as answers:
        while is_wanted():
            if select.select([answers], [], [], POLL_SECONDS)[0]:
                part = answers.read(2**16)
                told += part
                if not part:
                    break
        else:
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    answer: Answer = json.loads(told) if told and not code else _death(candidate, question, code)
    return answer


def _death(candidate: Candidate, question: Question, code: int) -> Answer:
    """Return how the process ended, by its exit code, which is negative for a signal.

    Libraries also crash, or end the process, where the system gives them no memory.
    """
    available = f"with {_space(question) // 2**20} MB of memory available for it"
    hint = _MORE_MEMORY
    if code == -signal.SIGALRM:
        message = f"loading the model and scoring some rows takes longer than {TRIAL_SECONDS} s"
        hint = _AGAIN
    elif code == -signal.SIGKILL:
        message = "the process that tries the model was killed (SIGKILL), as the system does to "
        message += "the one that takes too much memory"
    elif code < 0:
        how = signal.Signals(-code).name
        message = f"{candidate.what} crashes on this model ({how}), {available}"
    elif code == _LIBC_GAVE_UP:
        message = f"{candidate.what} ends its process on this model (exit code {code}), {available}"
    else:
        message, hint = f"{candidate.what} ends its process on this model", _AGAIN
    return {"kind": "", "message": message, "where": question.folder, "hint": hint}


def _try(candidate: Candidate, question: Question) -> Answer:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(TRIAL_SECONDS)
    warnings.simplefilter("ignore")  # whoever serves the model says so
    space = _bound(question)
    where = question.folder
    try:
        return {"bytes": _weighed(candidate, question)}
    except SagetreeError as error:
        if _NO_MEMORY in error.message:
            return _too_large(question, space)
        kind = type(error).__name__
        return {"kind": kind, "message": error.message, "where": error.where, "hint": error.hint}
    except OSError as error:
        message = f"the model cannot be read: {error.strerror or error}"
        return {"kind": "", "message": message, "where": where, "hint": "Make it readable"}
    except Exception as error:  # the process's outer handler: damage shows in any form
        if isinstance(error, MemoryError) or _NO_MEMORY in str(error):
            return _too_large(question, space)
        LOG.exception("the model in %s could not be tried", where)
        message = f"the model cannot be served: {type(error).__name__}: {error}"
        return {"kind": "", "message": message, "where": where, "hint": _AGAIN}


def _bound(question: Question) -> int:
    """Bound this process's memory; return the bytes of addresses it may take from here on."""
    space = _space(question)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = address_space() + space
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    return space


def _space(question: Question) -> int:
    """Return the bytes of addresses that loading the model may take."""
    size = sum(entry[1] for entry in snapshot(Path(question.folder)))
    return min(question.most, LEAST_SPACE + SPACE_PER_BYTE * size)


def _too_large(question: Question, space: int) -> Answer:
    message = f"loading the model takes more memory than the {space // 2**20} MB available for it"
    return {"kind": "", "message": message, "where": question.folder, "hint": _MORE_MEMORY}


def _weighed(candidate: Candidate, question: Question) -> int:
    """Load the model and exercise it; return the bytes it takes, 0 if they are not asked for.

    The first load of a process takes up what all others share; so a small model
    is loaded again, beside itself, and the second one is weighed.
    """
    before = resident_memory()
    first = candidate.load(question, True)
    taken = resident_memory() - before
    if isinstance(first, ServedModel):
        _exercise(first.model.scorer)
    if not question.weigh:
        return 0
    if taken < WEIGHED_TWICE_BYTES:
        before = resident_memory()
        second = candidate.load(question, False)
        taken = resident_memory() - before
        del second
    del first
    return max(taken, LEAST_BYTES)


def _exercise(scorer: Scorer) -> None:
    """Score rows of small, large and missing values; explain some if the library does it."""
    shape = (TRIAL_ROWS, scorer.feature_count)
    numbers = np.arange(TRIAL_ROWS * scorer.feature_count)
    mixed = np.modf(np.sin(numbers + 1) * 43758.5453)[0]  # numpy.random takes 15 ms to import
    rows = (mixed * 10.0 ** (numbers % 9 - 2)).astype(np.float32)
    rows[np.abs(mixed) < 0.1] = np.nan
    scorer.score(np.zeros(shape, np.float32))
    scorer.score(rows.reshape(shape))
    if scorer.explains and scorer.is_explained_by_library:
        scorer.contributions(rows.reshape(shape)[:4])
