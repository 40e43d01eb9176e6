"""Who scores a stack's claims, by the stack's kind of endpoint."""

from collections.abc import Callable

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.parameters import COLUMNS, DEPLOYED_PACKAGE
from sagetree.cloud.names import Settings
from sagetree.cloud.scoring.endpoint import AsynchronousEndpoint, Endpoint, ScoringModel
from sagetree.cloud.scoring.online import OnlineTables
from sagetree.cloud.scoring.parameter import Parameter
from sagetree.cloud.scoring.scorer import ClaimScorer


def scorer_of(clients: Clients, settings: Settings, clock: Callable[[], float]) -> ClaimScorer:
    """Return what scores claims; it looks by `clock` how old is what it remembers."""
    columns = Parameter(clients, settings.parameter(COLUMNS), clock)
    model = _model(clients, settings, clock)
    online = OnlineTables(clients, settings, clock)
    return ClaimScorer(model, columns, settings.id_field, settings.private_fields, online)


def _model(clients: Clients, settings: Settings, clock: Callable[[], float]) -> ScoringModel:
    match settings.endpoint_kind:
        case "lambda":
            from sagetree.cloud.scoring.inside import Inside  # the server and XGBoost come with it

            package = Parameter(clients, settings.parameter(DEPLOYED_PACKAGE), clock)
            return Inside(clients, settings, package)
        case "asynchronous":
            return AsynchronousEndpoint(clients, settings.stack, settings.bucket)
        case _:
            return Endpoint(clients, settings.stack)
