"""A name of one's own for the API."""

from typing import Any

import pytest

from tests.cloud.template.stack_template import EXPORTS, Stack, read

NAME = {"DomainName": "claims.example.com"}
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
UNPROVED = (
    "A certificate is proved by a record in your zone. Give HostedZoneId, or the CertificateArn of "
    "one that you have."
)


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return read("domain.yaml")


@pytest.mark.parametrize(
    ("given", "sentences"),
    [
        ({}, [UNPROVED]),
        ({"HostedZoneId": "Z1"}, []),
        ({"CertificateArn": CERTIFICATE}, []),
        ({"HostedZoneId": "Z1", "CertificateArn": CERTIFICATE}, []),
    ],
)
def test_a_certificate_that_nothing_proves_is_refused(
    template: dict[str, Any], given: dict[str, str], sentences: list[str]
) -> None:
    assert Stack(template, **NAME, **given).broken_rules() == sentences


def test_the_name_leads_to_the_api_by_tls(template: dict[str, Any]) -> None:
    resources = Stack(template, **NAME, HostedZoneId="Z1").resources()
    (configuration,) = resources["Domain"]["Properties"]["DomainNameConfigurations"]
    assert configuration["SecurityPolicy"] == "TLS_1_2"
    assert configuration["CertificateArn"] == "<Certificate>"
    assert resources["Mapping"]["Properties"] == {
        "ApiId": EXPORTS["fraud-api"], "DomainName": "<Domain>", "Stage": "$default",
    }  # fmt: skip
    record = resources["Record"]["Properties"]
    assert (record["Name"], record["Type"]) == ("claims.example.com", "A")
    assert record["AliasTarget"]["DNSName"] == "<Domain.RegionalDomainName>"


def test_a_certificate_and_dns_elsewhere_are_left_alone(template: dict[str, Any]) -> None:
    stack = Stack(template, **NAME, CertificateArn=CERTIFICATE)
    assert stack.resources().keys() == {"Domain", "Mapping"}
    (configuration,) = stack.resources()["Domain"]["Properties"]["DomainNameConfigurations"]
    assert configuration["CertificateArn"] == CERTIFICATE
    assert stack.value(template["Outputs"]["Target"]["Value"]) == "<Domain.RegionalDomainName>"
