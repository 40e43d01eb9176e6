"""Rows to a model inside the function: the server's own walk, without sockets."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from sagetree.cloud.artifact import artifact_of
from sagetree.cloud.clients import Clients
from sagetree.cloud.scoring.claims import ApiRequest
from sagetree.cloud.scoring.endpoint import JSON, OUTPUT, Outcome
from sagetree.cloud.scoring.parameter import Parameter, not_deployed
from sagetree.errors import NotReadyError
from sagetree.machine.program import LOG
from sagetree.serve.application import Application
from sagetree.serve.attributes import HEADER_KEY as CUSTOM_ATTRIBUTES
from sagetree.serve.models.loading import ModelHolder, ServedModel
from sagetree.serve.protocol.messages import Request
from sagetree.serve.protocol.route_names import INVOCATIONS
from sagetree.serve.routes.access import ID_HEADERS
from sagetree.serve.routes.one_model import one_model
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.log_lines import LINE_FORMATS
from sagetree.serve.telemetry.metrics import Observer
from sagetree.serve.telemetry.observation import TRACE_HEADER
from sagetree.serve.variables import LOG_FORMAT, THREADS

# A function of 512 MB has a third of a core, and a hundred rows are nothing to share.
_ENVIRON = {THREADS.name: "1", LOG_FORMAT.name: "json"}


class Inside:
    """The model of the package that /STACK/deployed-package names, loaded in this process."""

    def __init__(self, clients: Clients, stack: str) -> None:
        self._clients = clients
        self._package = Parameter(clients, f"/{stack}/deployed-package")
        self._loaded = ""
        self._application: Application | None = None

    def ask(self, rows: bytes, request: ApiRequest) -> Outcome:
        """Return what the server would answer. Raises NotReadyError where there is no model."""
        headers = {
            "content-type": JSON,
            "accept": JSON,
            CUSTOM_ATTRIBUTES: OUTPUT,
            ID_HEADERS[0]: request.request_id,
            TRACE_HEADER: request.headers.get(TRACE_HEADER, ""),
        }
        asked = Request("POST", INVOCATIONS, "", headers, rows)
        response = self._current().answer(asked)
        return Outcome(response.status, bytes(response.body))

    def _current(self) -> Application:
        """Return the model of the deployed package; the one before, where that cannot be loaded."""
        package = self._package.value()
        if not package.startswith("arn:"):
            raise not_deployed(self._package.name)
        if package == self._loaded and self._application:
            return self._application
        try:
            self._application = self._load(package)
            self._loaded = package
        except NotReadyError as error:
            if self._application is None:
                raise
            LOG.error("%s stays, for %s cannot be loaded: %s", self._loaded, package, error)
        return self._application

    def _load(self, package: str) -> Application:
        with artifact_of(self._clients, package) as (folder, environ):
            return _application(folder, environ)


def _application(folder: Path, environ: Mapping[str, str]) -> Application:
    settings = ServeSettings.read(
        {**environ, **_ENVIRON}, host="127.0.0.1", port="0", reload=False, model_dir=folder
    )
    load = partial(
        ServedModel.load,
        folder,
        threads=settings.threads,
        output=settings.output,
        decision=settings.decision,
        shap=settings.shap,
        rounds=settings.rounds,
    )
    holder = ModelHolder(folder, load)
    holder.start(watch=False)
    holder.wait()
    return Application(one_model(settings, holder, Observer(None, LINE_FORMATS["json"])))
