"""What is served: the approved model, as it was wanted, behind an API that is not open."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.endpoint import EndpointStatus, describe_endpoint
from sagetree.cloud.account.packages import APPROVED, read_package
from sagetree.cloud.commands.checks.finding import Finding, Launched


def check_endpoint(account: Account, launched: Launched) -> Iterator[Finding]:
    """Compare what the endpoint serves with what was wanted and approved."""
    if launched.stack.parameters["EndpointKind"] == "lambda":
        return  # the score function is the endpoint
    endpoint = describe_endpoint(account)
    if not endpoint.wanted_config:
        yield Finding(
            "nothing is served, because nothing has been approved yet", not endpoint.status
        )
        return
    yield Finding(
        f"the endpoint {account.stack} is in service with {endpoint.wanted_config}",
        endpoint.is_as_wanted,
        _instead(account, endpoint),
    )
    if endpoint.config:
        yield from _packages(account, endpoint)


def _instead(account: Account, endpoint: EndpointStatus) -> str:
    if not endpoint.status:
        return "it does not exist; approve the model again"
    serving = f" and serves {endpoint.config}" if endpoint.config else ""
    reason = f" ({endpoint.failure})" if endpoint.failure else ""
    return (
        f"it is {endpoint.status}{serving}{reason}; if it is being changed, wait; otherwise see "
        f"its log /aws/sagemaker/Endpoints/{account.stack}"
    )


def _packages(account: Account, endpoint: EndpointStatus) -> Iterator[Finding]:
    """Compare each model behind the endpoint with its package in the registry."""
    config = account.call(
        "sagemaker", "describe_endpoint_config", EndpointConfigName=endpoint.config
    )
    variants = [*config["ProductionVariants"], *config.get("ShadowProductionVariants", ())]
    hint = "approve another version, or this one"
    yield _package(account, endpoint, variants[0], hint)
    for variant in variants[1:]:
        hint = f"'sagetree cloud shift 0 {account.options}' takes it away"
        yield _package(account, endpoint, variant, hint)


def _package(
    account: Account, endpoint: EndpointStatus, variant: Mapping[str, Any], hint: str
) -> Finding:
    model = account.call("sagemaker", "describe_model", ModelName=variant["ModelName"])
    containers = [model.get("PrimaryContainer", {}), *model.get("Containers", [])]
    arns = [c["ModelPackageName"] for c in containers if "ModelPackageName" in c]
    if not arns:
        return Finding(
            f"{endpoint.config} serves a package of the registry",
            False,
            "it was made by hand; approve a model",
        )
    package = read_package(account, arns[0])
    return Finding(
        f"version {package.version}, which is served, is approved",
        package.approval == APPROVED,
        f"it is {package.approval}; {hint}",
    )


def check_api(account: Account, launched: Launched) -> Iterator[Finding]:
    """Say for each route of the API whether it checks who calls it."""
    for api in launched.of_type("AWS::ApiGatewayV2::Api"):
        for route in account.listed("apigatewayv2", "get_routes", "Items", ApiId=api):
            kind = route.get("AuthorizationType", "NONE")
            yield Finding(
                f"the route {route['RouteKey']} checks who calls it",
                kind in ("AWS_IAM", "JWT"),
                f"its authorization is {kind}; set it back in the console, under API Gateway",
            )
