"""The account and the settings of a stack called fraud."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from moto.core.models import MockAWS

from sagetree.cloud.functions import deploy
from sagetree.cloud.names import Settings
from tests.cloud.account import BUCKET, ROLE, STACK, TOPIC, Account

ENVIRONMENT = {
    "SAGETREE_STACK": STACK,
    "SAGETREE_ROLE_ARN": ROLE,
    "SAGETREE_BUCKET": BUCKET,
    "SAGETREE_TOPIC_ARN": TOPIC,
    "SAGETREE_ENDPOINT_KIND": "serverless",
    "SAGETREE_INSTANCE_TYPE": "ml.m5.large",
    "SAGETREE_INSTANCES": "1",
    "SAGETREE_INSTANCES_MAX": "4",
    "SAGETREE_ALARMS": "fraud-endpoint-errors, fraud-endpoint-latency",
}

ENDPOINT_EVENT = {
    "detail-type": "SageMaker Endpoint State Change", "source": "aws.sagemaker",
    "detail": {"EndpointName": STACK, "EndpointStatus": "IN_SERVICE"},
}  # fmt: skip


def settings_of(kind: str = "serverless", **changed: str) -> Settings:
    return Settings.read({**ENVIRONMENT, "SAGETREE_ENDPOINT_KIND": kind, **changed})


def approval(arn: str, status: str = "Approved") -> Mapping[str, Any]:
    """What EventBridge says when a person has approved a package, or rejected it."""
    detail = {"ModelPackageGroupName": STACK, "ModelPackageArn": arn}
    return {
        "detail-type": "SageMaker Model Package State Change", "source": "aws.sagemaker",
        "detail": {**detail, "ModelApprovalStatus": status},
    }  # fmt: skip


@pytest.fixture
def account(aws: Account, moto: MockAWS) -> Account:
    aws.begin()
    return aws


Ask = Callable[..., Mapping[str, str]]


@pytest.fixture
def ask(account: Account) -> Ask:
    """Hand an event to the function, as Lambda does, with ten minutes of time."""

    def handle(event: Mapping[str, Any], settings: Settings, seconds: float = 600) -> Any:
        account.calls.clear()
        return deploy.handler(event, account.clients, settings, time.time() + seconds)

    return handle
