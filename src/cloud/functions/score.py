"""POST /score: claims by name in, scores with reasons out. GET /openapi.json: how to ask.

POST /claims takes the same claims into the stack's queue, for which the function `work` scores
them and alerts. POST /outcomes takes what became of claims, so that the model can be judged.

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
from sagetree.cloud.names import Settings
from sagetree.cloud.queue.sending import ClaimsQueue
from sagetree.cloud.scoring.api import Answer, Api
from sagetree.cloud.scoring.capture import RequestCapture
from sagetree.cloud.scoring.models import scorer_of
from sagetree.cloud.scoring.outcomes import Outcomes


def start(
    clients: Clients, settings: Settings, clock: Callable[[], float] = time.monotonic
) -> Callable[[Mapping[str, object], float], Answer]:
    """Return what answers the API's requests one after the other.

    It remembers the columns, and its own model, and looks by `clock` how old they are.
    """
    settings.need("endpoint_kind", "id_field")
    queue = ClaimsQueue(clients, settings.claims_url) if settings.claims_url else None
    capture, outcomes = RequestCapture(clients, settings), Outcomes(clients, settings)
    api = Api(scorer_of(clients, settings, clock), capture, outcomes, queue)
    return lambda event, _deadline: api.answer(event)
