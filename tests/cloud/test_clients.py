"""How long, and how often, the functions ask AWS."""

import pytest

from sagetree.cloud.clients import AwsClients


@pytest.mark.parametrize(
    ("service", "attempts", "seconds"),
    [
        ("sagemaker-runtime", 1, 25), ("ssm", 2, 10), ("sagemaker-featurestore-runtime", 2, 10),
        ("sagemaker", 6, 10),
    ],
)  # fmt: skip
def test_who_is_waited_for_is_asked_less_often(monkeypatch, service, attempts, seconds):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = AwsClients()[service].meta.config
    assert config.retries["total_max_attempts"] == attempts
    assert config.read_timeout == seconds
