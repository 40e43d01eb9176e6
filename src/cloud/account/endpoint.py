"""The endpoint as it is: what it serves, and what it was to serve."""

from contextlib import suppress
from dataclasses import dataclass

from sagetree.cloud.account.calls import Account, Answer
from sagetree.cloud.account.refusals import AbsentError
from sagetree.cloud.names import NONE, versions_in

IN_SERVICE = "InService"


@dataclass(frozen=True)
class EndpointStatus:
    """The endpoint's status and configuration, and the one that the deploy function wanted last.

    `beside` says who is served beside the champion, or is to be. Each is "" where there is none.
    """

    status: str
    config: str
    failure: str
    wanted_config: str
    beside: str = ""

    @property
    def is_as_wanted(self) -> bool:
        """Whether it serves what the deploy function wanted last."""
        return self.status == IN_SERVICE and self.config == self.wanted_config


def describe_endpoint(account: Account) -> EndpointStatus:
    """Return the endpoint and what the deploy function noted."""
    noted = _noted(account)
    account.type_out("sagemaker", "describe-endpoint", "--endpoint-name", account.stack)
    found: Answer = {}
    if not account.dry_run:
        with suppress(AbsentError):
            found = account.ask("sagemaker", "describe_endpoint", EndpointName=account.stack)
    return EndpointStatus(
        found.get("EndpointStatus", ""),
        found.get("EndpointConfigName", ""),  # not known while it is being made
        found.get("FailureReason", ""),
        noted.get("wanted-config", ""),
        _beside(account.stack, found, noted.get("challenger", "")),
    )


def _beside(stack: str, endpoint: Answer, note: str) -> str:
    versions = versions_in(stack, endpoint.get("EndpointConfigName", ""))
    if versions is None or versions.challenger is None:
        return f"noted beside it is {note.removesuffix(' asked')}" if note else ""
    if versions.is_shadow:
        return f"version {versions.challenger} gets copies of the requests"
    weights = [v.get("CurrentWeight", 0.0) for v in endpoint["ProductionVariants"]]
    share = 100 * weights[-1] / (sum(weights) or 1)
    return f"version {versions.challenger} gets {share:.3g} % of the requests"


def _noted(account: Account) -> dict[str, str]:
    """Return what the stack's functions have noted, by the parameters' names."""
    listed = account.listed(
        "ssm", "get_parameters_by_path", "Parameters", Path=f"/{account.stack}/"
    )
    notes = {entry["Name"].rpartition("/")[2]: entry["Value"] for entry in listed}
    return {name: value for name, value in notes.items() if value != NONE}
