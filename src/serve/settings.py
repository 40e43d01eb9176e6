"""All settings of the server, read once into one frozen record."""

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
from sagetree.serve import variables
from sagetree.serve.protocol.messages import MEGABYTE
from sagetree.serve.variables import Variable

Value = TypeVar("Value")
Default = TypeVar("Default")


@dataclass(frozen=True)
class ServeSettings:
    """The server's settings.

    `max_body` and `model_memory` are in bytes; a `max_body` of None is not a limit.
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
        reader = _Reader({**environ, variables.PORT_OPTION: port or ""})
        given_port = variables.PORT
        if port is not None:
            given_port = replace(given_port, name=variables.PORT_OPTION)
        megabytes = reader.value(variables.PAYLOAD, None)
        length = reader.value(variables.CONTENT_LENGTH, None)
        if megabytes is not None:
            length = megabytes * MEGABYTE
        reader.value(variables.ENSEMBLE, True)
        on_sagemaker = bool(environ.get(variables.ON_SAGEMAKER))
        settings = cls(
            model_dir=model_dir or OptMl.from_environ(environ).model,
            host=host,
            port=reader.value(given_port, 8080),
            workers=reader.value(variables.WORKERS, usable_cores()),
            threads=reader.value(variables.THREADS, usable_cores()),
            timeout=reader.value(variables.TIMEOUT, variables.TIMEOUT_SECONDS),
            accept=reader.value(variables.ACCEPT, None),
            output=reader.value(variables.OUTPUT, DEFAULT_KEYS),
            decision=reader.value(variables.DECISION, ""),
            batch=reader.value(variables.BATCH, False),
            strategy=reader.value(variables.STRATEGY, None),
            transforms=reader.value(variables.TRANSFORMS, None),
            max_body=(variables.MAX_PAYLOAD_MB * MEGABYTE if length is None else length) or None,
            payload_told=bool(length),
            keepalive=reader.value(variables.KEEPALIVE, variables.KEEPALIVE_SECONDS),
            reload=reload,
            multi_model=reader.value(variables.MULTI_MODEL, False),
            model_memory=reader.value(variables.MODEL_MEMORY, 0) * MEGABYTE
            or int(memory_limit() * variables.MODEL_MEMORY_SHARE),
            program=reader.value(variables.PROGRAM, ""),
            submit_directory=reader.value(variables.SUBMIT_DIRECTORY, ""),
            shap=reader.value(variables.SHAP, "sagetree"),
            rounds=reader.value(variables.ROUNDS, "best"),
            log_format=reader.value(variables.LOG_FORMAT, "text"),
            emf_seconds=reader.value(variables.EMF, variables.EMF_SECONDS if on_sagemaker else 0),
            page=reader.value(variables.PAGE, not on_sagemaker),
        )
        if reader.faults:
            count = len(reader.faults)
            hint = "Correct it" if count == 1 else f"Correct all {count}"
            raise SettingsError("; ".join(reader.faults), hint=hint)
        return settings


class _Reader:
    """Reads variables and keeps the faults, so that all of them are reported at once."""

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
