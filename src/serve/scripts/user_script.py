"""A user's own script that answers: SAGEMAKER_PROGRAM, run by SageMaker's inference toolkit.

The script has model_fn, input_fn, predict_fn and output_fn, or transform_fn in
the place of the last three; what it leaves out is as in the official XGBoost
container (`sagetree.serve.scripts.defaults`). The toolkit's Transformer calls them; its
own server, which is Java, and its decoders stay out.
"""

import importlib.util
import os
import sys
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from sagemaker_inference.errors import BaseInferenceToolkitError, UnsupportedFormatError
from sagemaker_inference.transformer import Transformer

from sagetree.errors import (
    ArtifactError,
    DecodingError,
    RequestError,
    SagetreeError,
    UnsupportedMediaTypeError,
)
from sagetree.serve.models.loading import ModelHolder
from sagetree.serve.protocol.media_types import CSV, JSON
from sagetree.serve.protocol.messages import Request, Response
from sagetree.serve.scripts.defaults import Defaults, media_type
from sagetree.serve.settings import ServeSettings

# Types of which a script is given text, as the toolkit gives it.
TEXT_TYPES = frozenset({CSV, JSON})


class ScriptError(SagetreeError):
    """What a script raised, with its message and the status it asked for."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, where="the script", hint="")
        self.status = status


class _Transformer(Transformer):  # type: ignore[misc]
    """The toolkit's, which lets errors through instead of writing them into the answer."""

    @staticmethod
    def handle_error(_context: object, _error: object, _trace: object) -> NoReturn:
        """Raise the error that is being handled."""
        raise


class _Context(threading.local):
    """What the toolkit asks of its server, for the request of this thread."""

    def __init__(self, model_dir: str) -> None:
        self.system_properties = {"model_dir": model_dir}
        self.request_processor = [self]
        self.properties: dict[str, str] = {}
        self.content_type = ""
        self.status = 200

    def get_request_properties(self) -> dict[str, str]:
        """Return the request's headers."""
        return self.properties

    def get_request_header(self, _index: int, name: str) -> str | None:
        """Return one of the request's headers."""
        return self.properties.get(name)

    def set_response_content_type(self, _index: int, content_type: str) -> None:
        """Note the type of the answer."""
        self.content_type = content_type

    def set_response_status(self, code: int = 200, phrase: str = "", _index: int = 0) -> None:  # noqa: ARG002 - the toolkit's signature
        """Note the status of the answer."""
        self.status = code


@dataclass(frozen=True)
class UserScript:
    """A script that has loaded its model."""

    program: str
    _transformer: _Transformer
    _context: _Context
    _lock: threading.Lock

    @classmethod
    def load(cls, folder: Path, program: str, model_dir: Path) -> "UserScript":
        """Import the script in `folder` and let it load its model.

        Raises ArtifactError with what it raised.
        """
        name = program.removesuffix(".py")
        sys.path.insert(0, str(folder))
        if importlib.util.find_spec(name) is None:
            raise ArtifactError(
                f"there is no {name}.py", where=str(folder), hint="Put the script there"
            )
        # the toolkit reads the name there
        os.environ["SAGEMAKER_PROGRAM"] = program
        context = _Context(str(model_dir))
        transformer = _Transformer(Defaults())
        try:
            transformer.validate_and_initialize(str(model_dir), context)
        except SagetreeError:
            raise
        except (Exception, SystemExit) as error:  # a script may raise anything
            raise ArtifactError(_told(error), where=program, hint="Correct the script") from error
        return cls(program, transformer, context, threading.Lock())

    def describe(self) -> str:
        """Return what the log says of it."""
        return f"script {self.program}"

    def answer(self, request: Request) -> Response:
        """Return the script's answer. Raises ScriptError for what it raises."""
        properties = {name.title(): value for name, value in request.headers.items()}
        properties["Content-Type"] = kind = media_type(request.header("content-type"))
        body = request.body[:]
        if kind in TEXT_TYPES:
            _check_text(body)
        with self._lock:  # scripts are not written for threads
            self._context.properties = properties
            self._context.status = 200
            try:
                (answer,) = self._transformer.transform([{"body": body}], self._context)
            except (Exception, SystemExit) as error:  # a script may raise anything
                raise _raised(error) from error
            status, content_type = self._context.status, self._context.content_type
        return Response(status, _as_bytes(answer), content_type)


def script_holder(settings: ServeSettings, folder: Path) -> ModelHolder[UserScript]:
    """Return the holder of the script in `folder`; it loads when it is started."""
    load = partial(UserScript.load, folder, settings.program, settings.model_dir)
    return ModelHolder(settings.model_dir, load)


def _check_text(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise DecodingError("the text is not UTF-8", where="the body", hint="Send UTF-8") from error


def _raised(error: BaseException) -> SagetreeError:
    match error:
        case RequestError():  # of our own defaults
            return error
        case UnsupportedFormatError():
            hint = "Send a type that the script's input_fn reads"
            return UnsupportedMediaTypeError(
                "the script does not read this type", where="Content-Type", hint=hint
            )
        case BaseInferenceToolkitError():
            return ScriptError(str(error.message), int(error.status_code))
    return ScriptError(_told(error), 500)


def _told(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _as_bytes(answer: Any) -> bytes:  # noqa: ANN401 - whatever a script returns
    if isinstance(answer, str):
        return answer.encode()
    if isinstance(answer, (bytes, bytearray, memoryview)):
        return bytes(answer)
    raise ScriptError(f"the script's answer is a {type(answer).__name__}, not text or bytes", 500)
