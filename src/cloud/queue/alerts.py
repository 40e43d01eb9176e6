"""One alert for each claim that scores high, however often its message is delivered.

A table remembers which claims were alerted. An alert is `open` while somebody publishes it, and
`done` after that. Whoever finds it open comes again later: the first may have died on the way, and
then its time runs out.
"""

import hashlib
import json
import time
from collections.abc import Callable

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.notices import SUBJECT_LENGTH
from sagetree.cloud.names import Settings
from sagetree.cloud.queue.batch import Scored
from sagetree.cloud.scoring.scorer import Prediction

# How long an alert may be open: more than the function `work` may take.
OPEN_SECONDS = 120

# How long it is remembered: a dead letter waits for 14 days, and may then be sent again.
REMEMBERED_SECONDS = 30 * 86_400

_UNKNOWN_OR_LEFT = "attribute_not_exists(id) OR (#state = :open AND open_until < :now)"


class AlertOpenError(Exception):
    """Another delivery of the same message is being alerted."""


class Alerts:
    """The alerts of a stack: its topic, its table, and the score from which on it alerts."""

    def __init__(
        self, clients: Clients, settings: Settings, id_field: str,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._dynamodb = clients["dynamodb"]
        self._sns = clients["sns"]
        self._settings = settings
        self._id_field = id_field
        self._clock = clock

    def is_due(self, prediction: Prediction) -> bool:
        """Return whether a score is one number, and high."""
        score = prediction.get("score")
        return (
            isinstance(score, int | float)
            and not isinstance(score, bool)
            and score >= self._settings.alert_score
        )

    def tell(self, scored: Scored, prediction: Prediction) -> bool:
        """Publish the alert of a claim; return False where that has been done.

        Raises AlertOpenError where another delivery is at it, ClientError and BotoCoreError where
        AWS does not answer. `prediction` has the claim's identifier.
        """
        key = self._key(scored)
        if not self._open(key):
            return False
        score = float(str(prediction["score"]))
        self._sns.publish(
            TopicArn=self._settings.topic_arn,
            Subject=f"{self._settings.stack}: a claim scores {score:.3g}"[:SUBJECT_LENGTH],
            Message=json.dumps(prediction, indent=2),
        )
        self._dynamodb.update_item(
            TableName=self._settings.alert_table,
            Key={"id": {"S": key}},
            UpdateExpression="SET #state = :done",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":done": {"S": "done"}},
        )
        return True

    def _key(self, scored: Scored) -> str:
        """Return what is the same in all deliveries, and for the same claim sent twice.

        A claim without an identifier may be like another one: it goes by its message.
        """
        if self._id_field not in scored.claim:
            return scored.message.id
        text = json.dumps(scored.claim, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _open(self, key: str) -> bool:
        """Return whether the alert is ours to publish."""
        now = int(self._clock())
        try:
            self._dynamodb.put_item(
                TableName=self._settings.alert_table,
                Item={
                    "id": {"S": key},
                    "state": {"S": "open"},
                    "open_until": {"N": str(now + OPEN_SECONDS)},
                    "forgotten_at": {"N": str(now + REMEMBERED_SECONDS)},
                },
                ConditionExpression=_UNKNOWN_OR_LEFT,
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":open": {"S": "open"}, ":now": {"N": str(now)}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            if error.response["Item"]["state"]["S"] == "open":
                raise AlertOpenError(key) from error
            return False
        return True
