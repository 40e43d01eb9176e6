"""The endpoint as it is: what it serves, and what it was to serve."""

from dataclasses import dataclass

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.refusals import AbsentError

IN_SERVICE = "InService"


@dataclass(frozen=True)
class EndpointStatus:
    """The endpoint's status and configuration, and the one that the deploy function wanted last.

    Each is "" where there is none.
    """

    status: str
    config: str
    failure: str
    wanted_config: str

    @property
    def is_as_wanted(self) -> bool:
        """Whether it serves what the deploy function wanted last."""
        return self.status == IN_SERVICE and self.config == self.wanted_config


def describe_endpoint(account: Account) -> EndpointStatus:
    """Return the endpoint and what the deploy function noted."""
    wanted = _wanted_config(account)
    account.type_out("sagemaker", "describe-endpoint", "--endpoint-name", account.stack)
    status = config = failure = ""
    if not account.dry_run:
        try:
            found = account.ask("sagemaker", "describe_endpoint", EndpointName=account.stack)
            status = found["EndpointStatus"]
            config = found.get("EndpointConfigName", "")  # not told while it is being made
            failure = found.get("FailureReason", "")
        except AbsentError:
            pass
    return EndpointStatus(status, config, failure, wanted)


def _wanted_config(account: Account) -> str:
    listed = account.listed(
        "ssm", "get_parameters_by_path", "Parameters", Path=f"/{account.stack}/"
    )
    notes = {entry["Name"].rpartition("/")[2]: entry["Value"] for entry in listed}
    wanted = notes.get("wanted-config", "none")
    return "" if wanted == "none" else wanted
