"""POST /score: claims by name in, scores with reasons out. GET /openapi.json: how to ask.

    {"claims": [{"id": 7, "name": "...", "amount": 12.5, ...}, ...]}
    -> {"request_id": "...", "predictions": [{"id": 7, "score": 0.91, ...}, ...]}

Only the model's columns leave the function, less those that the stack calls private. A claim's
identifier stays here and is put back by position. What the model refuses is answered as it says.

The stack's kind of endpoint decides who scores: an endpoint that answers at once, or the function
itself (`lambda`). An asynchronous endpoint takes its requests from S3 and leaves its answers
there: the API then answers 202, with the place where the predictions will be, in the claims' order.
"""

import time
from collections.abc import Callable, Mapping

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.parameters import COLUMNS, DEPLOYED_PACKAGE
from sagetree.cloud.names import Settings
from sagetree.cloud.scoring.api import Answer, Api
from sagetree.cloud.scoring.endpoint import AsynchronousEndpoint, Endpoint, ScoringModel
from sagetree.cloud.scoring.parameter import Parameter


def handler(
    event: Mapping[str, object], clients: Clients, settings: Settings, deadline: float
) -> Answer:
    """Answer one request of the API, with nothing remembered of others."""
    return start(clients, settings)(event, deadline)


def start(
    clients: Clients, settings: Settings, clock: Callable[[], float] = time.monotonic
) -> Callable[[Mapping[str, object], float], Answer]:
    """Return what answers the API's requests one after the other.

    It remembers the columns, and its own model, and looks by `clock` how old they are.
    """
    settings.need("id_field")
    columns = Parameter(clients, settings.parameter(COLUMNS), clock)
    model = _model(clients, settings, clock)
    api = Api(model, columns, settings.id_field, settings.private_fields)
    return lambda event, _deadline: api.answer(event)


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
