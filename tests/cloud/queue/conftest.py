"""The function `work` with a real model behind the endpoint, and moto's queues, table and topic."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from moto.core.models import MockAWS
from moto.sns.models import sns_backends

from sagetree.cloud.clients import AwsClients
from sagetree.cloud.functions import work
from sagetree.cloud.names import Settings
from tests.cloud import account
from tests.cloud.scoring.conftest import stack
from tests.cloud.stack_server import StackServer

__all__ = ["stack"]

TABLE = "fraud-alerts"
OF_MOTO = ("dynamodb", "sns", "sqs")


class Line:
    """The queue's function, the dead letters behind it, and who was alerted."""

    def __init__(self, clients: Mapping[str, Any], stack: StackServer) -> None:
        self.clients = clients
        self.stack = stack
        self.url = clients["sqs"].create_queue(QueueName="claims")["QueueUrl"]
        self.dead_url = clients["sqs"].create_queue(QueueName="dead-claims")["QueueUrl"]
        self.topic = clients["sns"].create_topic(Name="alerts")["TopicArn"]
        clients["dynamodb"].create_table(
            TableName=TABLE, BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )  # fmt: skip

    def settings(self, **given: str) -> Settings:
        environ = {
            "SAGETREE_TOPIC_ARN": self.topic, "SAGETREE_DEAD_CLAIMS_URL": self.dead_url,
            "SAGETREE_ALERT_TABLE": TABLE, "SAGETREE_ALERT_SCORE": "0.3",
        }  # fmt: skip
        return Settings.read({**self.stack.environ, **environ, **given})

    def start(self, **given: str) -> Callable[..., list[str]]:
        """Start the function; what it returns takes a batch, and returns which come again."""
        answer = work.start(self.clients, self.settings(**given))

        def take(*, seconds: float = 60, deliveries: int = 1, **bodies: object) -> list[str]:
            records = [record(k, v, deliveries) for k, v in bodies.items()]
            told: Any = answer({"Records": records}, time.time() + seconds)
            return [entry["itemIdentifier"] for entry in told["batchItemFailures"]]

        return take

    def alerts(self) -> list[dict[str, Any]]:
        """What was sent to the topic, oldest first."""
        topics = sns_backends[account.DEFAULT_ACCOUNT_ID][account.REGION].topics
        return [json.loads(message) for _, message, *_ in topics[self.topic].sent_notifications]

    def dead(self) -> list[tuple[str, str]]:
        """The dead letters, each with its reason."""
        found = self.clients["sqs"].receive_message(
            QueueUrl=self.dead_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return [
            (m["Body"], m["MessageAttributes"]["Reason"]["StringValue"])
            for m in found.get("Messages", [])
        ]

    def age_alerts(self) -> None:
        """Let the time of alerts that are open run out."""
        dynamodb = self.clients["dynamodb"]
        for item in dynamodb.scan(TableName=TABLE)["Items"]:
            dynamodb.put_item(TableName=TABLE, Item={**item, "open_until": {"N": "1"}})

    def asked(self) -> int:
        """How often the endpoint has been asked."""
        return sum(b"/invocations" in request for request in self.stack.received)


def record(message: str, body: object, deliveries: int) -> dict[str, object]:
    text = body if isinstance(body, str) else json.dumps(body)
    attributes = {"ApproximateReceiveCount": str(deliveries)}
    return {"messageId": message, "body": text, "attributes": attributes}


@pytest.fixture(scope="session")
def of_moto(aws: account.Account) -> Mapping[str, Any]:
    return {name: aws.session.client(name) for name in OF_MOTO}


@pytest.fixture
def line(
    stack: StackServer,
    services: tuple[StackServer, AwsClients],
    of_moto: Mapping[str, Any],
    moto: MockAWS,
) -> Line:
    moto.reset()
    served = ("s3", "sagemaker", "sagemaker-featurestore-runtime", "sagemaker-runtime", "ssm")
    return Line({**{name: services[1][name] for name in served}, **of_moto}, stack)
