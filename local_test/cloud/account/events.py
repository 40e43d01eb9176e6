"""EventBridge: the account's rules, and what their targets get.

A function is invoked as EventBridge does it, asynchronously: an error is retried by Lambda, twice
where nothing else is configured, and not by the rule, whose own retries are for events that could
not be handed over. Lambda waits a minute and then two, less than an endpoint takes to change, so
that here nothing changes between the tries. What fails to the end goes where the function's
configuration says.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.events.models import EventPattern

from local_test.cloud.account.actors import ACCOUNT, REGION, SERVICE, Actors
from local_test.cloud.account.backstage import Backstage
from local_test.cloud.account.functions import Functions

# How often Lambda tries again where nothing else is configured.
RETRIES = 2

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Delivery:
    """One event at one target, and what came of it; `error` is empty where all was well."""

    detail_type: str
    target: str
    answer: Any
    error: str


@dataclass
class Bus:
    """The account's default bus."""

    actors: Actors
    backstage: Backstage
    functions: Functions
    deliveries: list[Delivery] = field(default_factory=list)

    def emit(self, detail_type: str, detail: Event, *resources: str) -> None:
        """Put an event of SageMaker's on the bus."""
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": "aws.sagemaker",
            "account": ACCOUNT,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "region": REGION,
            "resources": list(resources),
            "detail": detail,
        }
        self.backstage.later(lambda: self.deliver(event))

    def deliver(self, event: Event) -> None:
        """Tell the targets of all rules that the event matches."""
        events = self.actors.client(SERVICE, "events")
        for rule in events.list_rules()["Rules"]:
            if rule.get("State") == "DISABLED" or not _matches(rule, event):
                continue
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                self.deliveries.append(self._tell(rule["Arn"], target, event))

    def _tell(self, rule: str, target: Mapping[str, Any], event: Event) -> Delivery:
        arn, what = target["Arn"], event["detail-type"]
        service, name = arn.split(":")[2], arn.rsplit(":", 1)[-1]
        if service == "sns":
            self.actors.client(SERVICE, "sns").publish(
                TopicArn=arn, Subject=what[:100], Message=json.dumps(event)
            )
            return Delivery(what, name, "sent", "")
        if service != "lambda":
            raise ValueError(
                f"{rule}: the desk delivers events to lambda and sns, not to {service}"
            )
        if not self.functions.lets_in(arn, "events.amazonaws.com", rule):
            return Delivery(what, name, None, f"the function's policy does not let in {rule}")
        return self._invoke_later(arn, name, event)

    def _invoke_later(self, arn: str, name: str, event: Event) -> Delivery:
        retries, destination = self._configured(name)
        for _ in range(retries + 1):
            try:
                return Delivery(event["detail-type"], name, self.functions.invoke(arn, event), "")
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
        if destination:
            record = {
                "version": "1.0",
                "requestContext": {"functionArn": arn, "condition": "RetriesExhausted"},
                "requestPayload": event,
                "responsePayload": {"errorMessage": said},
            }
            sqs = self.actors.client(SERVICE, "sqs")
            url = sqs.get_queue_url(QueueName=destination.rsplit(":", 1)[-1])["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(record))
        return Delivery(event["detail-type"], name, None, said)

    def _configured(self, function: str) -> tuple[int, str]:
        """Return how often a function is tried again, and the queue for what fails to the end."""
        functions = self.actors.client(SERVICE, "lambda")
        try:
            found = functions.get_function_event_invoke_config(FunctionName=function)
        except functions.exceptions.ResourceNotFoundException:
            return RETRIES, ""
        failed = found.get("DestinationConfig", {}).get("OnFailure", {})
        return found.get("MaximumRetryAttempts", RETRIES), failed.get("Destination", "")


def _matches(rule: Mapping[str, Any], event: Any) -> bool:
    pattern = rule.get("EventPattern")
    if pattern is None:
        return False
    matches: bool = EventPattern(pattern, json.loads(pattern)).matches_event(event)
    return matches
