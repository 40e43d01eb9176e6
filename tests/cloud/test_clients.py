"""How long, and how often, the functions ask AWS."""

import pytest


@pytest.mark.parametrize(
    ("service", "attempts", "seconds"),
    [
        ("sagemaker-runtime", 1, 25), ("ssm", 2, 10), ("sagemaker-featurestore-runtime", 2, 10),
        ("sagemaker", 6, 10),
    ],
)  # fmt: skip
def test_who_is_waited_for_is_asked_less_often(services, service, attempts, seconds):
    config = services[1][service].meta.config
    assert config.retries["total_max_attempts"] == attempts
    assert config.read_timeout == seconds
