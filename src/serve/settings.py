"""Everything the server was told, read once into one frozen record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from sagetree.boosters.best_rounds import Rounds
from sagetree.boosters.shap_method import ShapMethod
from sagetree.errors import SettingsError, quote
from sagetree.machine.cores import usable_cores
from sagetree.machine.memory import memory_limit
from sagetree.machine.paths import OptMl
from sagetree.predictions.keys import DEFAULT_KEYS
from sagetree.serve.protocol.messages import MEGABYTE
from sagetree.serve.variables import (
    ACCEPT,
    BATCH,
    CONTENT_LENGTH,
    DECISION,
    EMF,
    EMF_SECONDS,
    ENSEMBLE,
    KEEPALIVE,
    KEEPALIVE_SECONDS,
    LOG_FORMAT,
    MAX_PAYLOAD_MB,
    MODEL_MEMORY,
    MODEL_MEMORY_SHARE,
    MULTI_MODEL,
    ON_SAGEMAKER,
    OUTPUT,
    PAGE,
    PAYLOAD,
    PORT,
    PORT_OPTION,
    PROGRAM,
    ROUNDS,
    SHAP,
    STRATEGY,
    SUBMIT_DIRECTORY,
    THREADS,
    TIMEOUT,
    TIMEOUT_SECONDS,
    TRANSFORMS,
    WORKERS,
    Variable,
)

Value = TypeVar("Value")
Default = TypeVar("Default")


@dataclass(frozen=True)
class ServeSettings:
    """What the server was told.

    `max_body` and `model_memory` are in bytes; a `max_body` of None is no limit.
    `payload_told` says whether it was set; `accept`, `strategy` and `transforms` are
    None where they were not, `decision` is "".
    """

    model_dir: Path
    host: str
    port: int
    workers: int
    threads: int
    timeout: int
    accept: str | None
    output: tuple[str, ...]
    decision: str
    batch: bool
    strategy: str | None
    transforms: int | None
    max_body: int | None
    payload_told: bool
    keepalive: int
    reload: bool
    multi_model: bool
    model_memory: int
    program: str
    submit_directory: str
    shap: ShapMethod
    rounds: Rounds
    log_format: str
    emf_seconds: int
    page: bool

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str],
        *,
        host: str,
        port: str | None,
        reload: bool,
        model_dir: Path | None = None,
    ) -> "ServeSettings":
        """Return the settings in `environ`; a variable that is empty counts as not set.

        `host`, `port` (None: take the variable's), `reload` and `model_dir` (None:
        where SageMaker puts it) are the command line's.

        Raises SettingsError that names every fault.
        """
        reader = _Reader({**environ, PORT_OPTION: port or ""})
        megabytes = reader.value(PAYLOAD, None)
        length = reader.value(CONTENT_LENGTH, None)
        if megabytes is not None:
            length = megabytes * MEGABYTE
        reader.value(ENSEMBLE, True)
        on_sagemaker = bool(environ.get(ON_SAGEMAKER))
        settings = cls(
            model_dir=model_dir or OptMl.from_environ(environ).model,
            host=host,
            port=reader.value(PORT if port is None else replace(PORT, name=PORT_OPTION), 8080),
            workers=reader.value(WORKERS, usable_cores()),
            threads=reader.value(THREADS, usable_cores()),
            timeout=reader.value(TIMEOUT, TIMEOUT_SECONDS),
            accept=reader.value(ACCEPT, None),
            output=reader.value(OUTPUT, DEFAULT_KEYS),
            decision=reader.value(DECISION, ""),
            batch=reader.value(BATCH, False),
            strategy=reader.value(STRATEGY, None),
            transforms=reader.value(TRANSFORMS, None),
            max_body=(MAX_PAYLOAD_MB * MEGABYTE if length is None else length) or None,
            payload_told=bool(length),
            keepalive=reader.value(KEEPALIVE, KEEPALIVE_SECONDS),
            reload=reload,
            multi_model=reader.value(MULTI_MODEL, False),
            model_memory=reader.value(MODEL_MEMORY, 0) * MEGABYTE
            or int(memory_limit() * MODEL_MEMORY_SHARE),
            program=reader.value(PROGRAM, ""),
            submit_directory=reader.value(SUBMIT_DIRECTORY, ""),
            shap=reader.value(SHAP, "sagetree"),
            rounds=reader.value(ROUNDS, "best"),
            log_format=reader.value(LOG_FORMAT, "text"),
            emf_seconds=reader.value(EMF, EMF_SECONDS if on_sagemaker else 0),
            page=reader.value(PAGE, not on_sagemaker),
        )
        if reader.faults:
            count = len(reader.faults)
            hint = "Correct it" if count == 1 else f"Correct all {count}"
            raise SettingsError("; ".join(reader.faults), hint=hint)
        return settings


class _Reader:
    """Reads variables and keeps the faults, so that all of them are told at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def value(self, variable: Variable[Value], default: Default) -> Value | Default:
        text = self._environ.get(variable.name, "").strip()
        if not text:
            return default
        try:
            return variable.parse(text)
        except (ValueError, KeyError):
            self.faults.append(f"{variable.name} is {quote(text)} and must be {variable.allowed}")
            return default
