"""Rows to a model inside the function: the server's own walk, without sockets."""

from botocore.exceptions import BotoCoreError, ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.errors import Refused
from sagetree.cloud.deployment.loading import FAULTS, application_of
from sagetree.cloud.deployment.package import Package
from sagetree.cloud.names import NONE, Settings
from sagetree.cloud.scoring.claims import ApiRequest
from sagetree.cloud.scoring.endpoint import JSON, OUTPUT, Outcome
from sagetree.cloud.scoring.parameter import FRESH_SECONDS, Parameter, not_deployed
from sagetree.errors import NotReadyError
from sagetree.machine.program import LOG
from sagetree.serve.application import Application
from sagetree.serve.attributes import HEADER_KEY as CUSTOM_ATTRIBUTES
from sagetree.serve.protocol.messages import Request
from sagetree.serve.protocol.route_names import INVOCATIONS
from sagetree.serve.routes.access import ID_HEADERS
from sagetree.serve.telemetry.observation import TRACE_HEADER

_NOT_LOADED = (BotoCoreError, ClientError, Refused, *FAULTS)


class Inside:
    """The model of the package that the parameter `package` names, loaded in this process.

    It is loaded at once, while Lambda lends a function more than its share of a core.
    """

    def __init__(self, clients: Clients, settings: Settings, package: Parameter) -> None:
        self._clients = clients
        self._settings = settings
        self._package = package
        self._loaded = NONE
        self._failed_at = -1.0
        self._told = NONE
        self._application: Application | None = None
        try:
            self._current()
        except (BotoCoreError, ClientError, NotReadyError) as error:
            LOG.warning("no model yet, the first request tries again: %s", error)

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
        if package == NONE:
            package = self._package.value(seconds=FRESH_SECONDS)
        if package == NONE:
            raise not_deployed(self._package.name)
        # one that failed is tried again when the parameter has been read again
        tried = package == self._loaded or self._failed_at == self._package.read_at
        if tried and self._application:
            return self._application
        try:
            self._application = self._load(package)
            self._loaded = package
        except _NOT_LOADED as error:
            self._failed_at = self._package.read_at
            LOG.error("%s cannot be loaded, and %s stays: %s", package, self._loaded, error)
            self._tell(package, str(error))
            if self._application is None:
                raise _unloadable(package) from error
        return self._application

    def _load(self, arn: str) -> Application:
        return application_of(self._clients, Package.of(self._clients, self._settings, arn))

    def _tell(self, package: str, reason: str) -> None:
        """Tell the topic once of a package that this instance of the function cannot load."""
        if self._told == package:
            return
        until = "claims are answered 503"
        if self._application:
            until = f"this instance of the function scores by {self._loaded}"
        text = (
            f"{package} cannot be loaded: {reason}\nUntil it can, {until}. It is tried again each "
            "minute. To go back: sagetree cloud rollback"
        )
        try:
            self._clients["sns"].publish(
                TopicArn=self._settings.topic_arn,
                Subject=f"{self._settings.stack}: the model cannot be loaded",
                Message=text,
            )
        except (BotoCoreError, ClientError) as error:
            LOG.error("the topic could not be notified: %s", error)
            return
        self._told = package


def _unloadable(package: str) -> NotReadyError:
    hint = "Approve another package; the function's log has the reason"
    return NotReadyError("its model cannot be loaded", where=package, hint=hint)
