"""A user's own script that answers: SAGEMAKER_PROGRAM, run by SageMaker's inference toolkit.

The script has model_fn, input_fn, predict_fn and output_fn, or transform_fn in
the place of the last three; what it leaves out is as in the official XGBoost
container (`sagetree.serve.scripts.defaults`). The toolkit's Transformer calls them; its
own server, which is Java, and its decoders stay out.
"""

import importlib.util
import sys
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from sagemaker_inference.errors import BaseInferenceToolkitError, UnsupportedFormatError
from sagemaker_inference.transformer import Transformer
from werkzeug.wrappers import Response as WerkzeugResponse

from sagetree.boosters.best_rounds import Rounds
from sagetree.errors import (
    ArtifactError,
    DecodingError,
    RequestError,
    SagetreeError,
    SchemaError,
    UnsupportedMediaTypeError,
)
from sagetree.formats.media_types import CSV, JSON
from sagetree.machine.program import LOG
from sagetree.serve.models.loading import ModelHolder, Peers
from sagetree.serve.protocol.messages import Request, Response
from sagetree.serve.scripts.code import ModelScripts, ScriptCode
from sagetree.serve.scripts.defaults import DefaultFunctions, media_type
from sagetree.serve.scripts.modules import ScriptModules
from sagetree.serve.settings import ServeSettings

# The script's name among the modules of the process.
MODULE = "sagetree_user_script"

# Types whose bodies a script gets as text, as from the toolkit.
TEXT_TYPES = frozenset({CSV, JSON})


class ScriptError(SagetreeError):
    """What a script raised, with its message and the status it asked for."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, where="the script", hint="")
        self.status = status


class _Transformer(Transformer):  # type: ignore[misc]
    """The toolkit's, but for errors, which go through, and for the script, loaded by its path."""

    def __init__(self, code: ScriptCode, rounds: Rounds) -> None:
        self._defaults = DefaultFunctions(rounds)
        super().__init__(self._defaults)
        self._code = code

    def load(self, model_dir: str, context: "_Context") -> None:
        """Import the script and have it load its model."""
        self.validate_and_initialize(model_dir, context)
        self._defaults.model = self._model

    def _validate_user_module_and_set_functions(self) -> None:
        self._environment._module_name = load_module(self._code)
        super()._validate_user_module_and_set_functions()

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
    _running: AbstractContextManager[object]

    @classmethod
    def load(
        cls,
        code: ScriptCode,
        model_dir: Path,
        running: AbstractContextManager[object],
        rounds: Rounds,
    ) -> "UserScript":
        """Import the script and let it load its model; it runs inside `running`, always.

        `rounds` are for a script without a model_fn. Raises ArtifactError with what it raised.
        """
        program, folder = code.path.name, code.path.parent
        if not code.path.is_file():
            raise ArtifactError(
                f"{program} does not exist", where=str(folder), hint="Put the script there"
            )
        context = _Context(str(model_dir))
        transformer = _Transformer(code, rounds)
        try:
            with running:
                transformer.load(str(model_dir), context)
        except SagetreeError:
            raise
        except (Exception, SystemExit) as error:  # a script may raise anything
            raise ArtifactError(_told(error), where=program, hint="Correct the script") from error
        return cls(program, transformer, context, running)

    @classmethod
    def load_apart(cls, scripts: ModelScripts, model_dir: Path, rounds: Rounds) -> "UserScript":
        """Load one of many models with its script, whose modules others do not see.

        Raises ArtifactError as `load`, and where there is no script.
        """
        code = scripts.of(model_dir)
        return cls.load(code, model_dir, ScriptModules(code), rounds)

    def describe(self) -> str:
        """Return what the log says about it."""
        return f"script {self.program}"

    def answer(self, request: Request) -> Response:
        """Return the script's answer. Raises ScriptError for what it raises."""
        properties = {name.title(): value for name, value in request.headers.items()}
        properties["Content-Type"] = kind = media_type(request.header("content-type"))
        body = request.body[:]
        if kind in TEXT_TYPES:
            _check_text(body)
        with self._running:
            self._context.properties = properties
            self._context.status = 200
            try:
                (answer,) = self._transformer.transform([{"body": body}], self._context)
            except (Exception, SystemExit) as error:  # a script may raise anything
                raise _raised(error) from error
            status, content_type = self._context.status, self._context.content_type
        if isinstance(answer, WerkzeugResponse):  # as scripts of the official container make it
            return Response(answer.status_code, answer.get_data(), answer.mimetype or "")
        return Response(status, _as_bytes(answer), content_type)


def load_module(code: ScriptCode) -> str:
    """Import the script and return the name it has among the modules.

    The name is not a file's: a script called numpy.py is not numpy, and not taken for it. A
    helper of such a name cannot be imported, which is logged.
    """
    hidden = sorted(path.name for path in code.path.parent.glob("*.py") if _is_hidden(path, code))
    if hidden:
        LOG.warning(
            "%s beside %s: the server has loaded a library of this name, and the script gets that "
            "one; rename the file",
            ", ".join(hidden),
            code.path.name,
        )
    spec = importlib.util.spec_from_file_location(MODULE, code.path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{code.path} is not Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    spec.loader.exec_module(module)
    return MODULE


def _is_hidden(path: Path, code: ScriptCode) -> bool:
    loaded = sys.modules.get(path.stem)
    return path != code.path and loaded is not None and getattr(loaded, "__file__", "") != str(path)


def script_holder(
    settings: ServeSettings, code: ScriptCode, peers: Peers | None = None
) -> ModelHolder[UserScript]:
    """Return the holder of the script, which tells `peers`; it loads when it is started."""
    code.put_on_path()
    # scripts are not written for threads
    load = partial(UserScript.load, code, settings.model_dir, threading.Lock(), settings.rounds)
    return ModelHolder(settings.model_dir, load, peers)


def _check_text(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise DecodingError("the text is not UTF-8", where="the body", hint="Send UTF-8") from error


def _raised(error: BaseException) -> SagetreeError:
    match error:
        case RequestError() | SchemaError():  # of our own defaults
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
