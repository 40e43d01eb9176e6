"""What was asked and answered, kept in the stack's bucket as SageMaker's data capture writes it.

SageMaker captures nothing of a serverless endpoint or of a model inside a function, and of others
a request of many claims as one event. Here each claim is an event of its own, with its identifier,
so that an outcome that comes later finds its score.
"""

import json
import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.names import Settings
from sagetree.cloud.scoring.claims import Claim, has_half_a_character
from sagetree.cloud.scoring.endpoint import JSON
from sagetree.cloud.scoring.scorer import Prediction
from sagetree.machine.program import LOG

# Where in the bucket; below it a folder for each year, month, day and hour.
CAPTURED = "captured"


class RequestCapture:
    """Keeps a share of the requests. Who scores a claim waits for it some milliseconds."""

    def __init__(
        self, clients: Clients, settings: Settings,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        draw: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        self._s3 = clients["s3"]
        self._bucket = settings.bucket
        self._share = settings.capture_percent / 100
        self._id_field = settings.id_field
        self._now = now
        self._draw = draw

    def keep(
        self, claims: Sequence[Claim], rows: Sequence[Claim], predictions: Sequence[Prediction],
        request_id: str, variant: str = "",
    ) -> None:  # fmt: skip
        """Keep the rows that a model was sent, their claims' identifiers and its answers.

        `variant` says which of the endpoint's models it was, so that two can be compared.

        A failure is logged: the scores are there, and whoever asked is to have them.
        """
        if self._draw() >= self._share:
            return
        now = self._now()
        known = {"inferenceTime": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
        said = {"customAttributes": [f"variant={variant}"]} if variant else {}
        lines = self._lines(claims, rows, predictions, request_id, {**known, **said})
        key = f"{CAPTURED}/{now:%Y/%m/%d/%H}/{now:%M-%S}-{uuid.uuid4().hex}.jsonl"
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body="".join(lines).encode())
        except (BotoCoreError, ClientError) as error:
            LOG.error("request %s is not captured: %s", request_id, error)

    def _lines(
        self, claims: Sequence[Claim], rows: Sequence[Claim], predictions: Sequence[Prediction],
        request_id: str, metadata: Mapping[str, object],
    ) -> Iterator[str]:  # fmt: skip
        for number, (claim, row, told) in enumerate(zip(claims, rows, predictions, strict=True)):
            known = {k: claim[k] for k in (self._id_field,) if _can_join(claim.get(k))}
            event = {
                "captureData": {
                    "endpointInput": _captured("INPUT", [{**row, **known}]),
                    "endpointOutput": _captured("OUTPUT", {"predictions": [told]}),
                },
                "eventMetadata": {
                    "eventId": str(uuid.uuid4()),
                    "inferenceId": f"{request_id}/{number}",
                    **metadata,
                },
                "eventVersion": "0",
            }
            yield f"{json.dumps(event)}\n"


def _can_join(identifier: object) -> bool:
    """Return whether an outcome may have it. Others would make the row unreadable with them."""
    if isinstance(identifier, str):
        return not has_half_a_character(identifier)
    return isinstance(identifier, int) and not isinstance(identifier, bool)


def _captured(mode: str, content: object) -> dict[str, str]:
    return {
        "observedContentType": JSON,
        "mode": mode,
        "data": json.dumps(content),
        "encoding": "JSON",
    }
