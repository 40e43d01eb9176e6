"""The endpoint as it is: what it serves, and what it was to serve."""

from dataclasses import dataclass

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.refusals import AbsentError

IN_SERVICE = "InService"


@dataclass(frozen=True)
class EndpointStatus:
    """The endpoint's status and configuration; both are "" where there is none.

    `wanted_config`, `wanted_package` and `deployed_package` are what the deploy function
    noted, "" where it noted nothing yet.
    """

    status: str
    config: str
    failure: str
    wanted_config: str
    wanted_package: str
    deployed_package: str

    @property
    def is_as_wanted(self) -> bool:
        """Whether it serves what the deploy function wanted last."""
        return self.status == IN_SERVICE and self.config == self.wanted_config


def describe_endpoint(account: Account) -> EndpointStatus:
    """Return the endpoint and the deploy function's notes."""
    notes = _notes(account)
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
    return EndpointStatus(
        status,
        config,
        failure,
        notes.get("wanted-config", ""),
        notes.get("wanted-package", ""),
        notes.get("deployed-package", ""),
    )


def _notes(account: Account) -> dict[str, str]:
    listed = account.listed(
        "ssm", "get_parameters_by_path", "Parameters", Path=f"/{account.stack}/"
    )
    notes = {entry["Name"].rpartition("/")[2]: entry["Value"] for entry in listed}
    return {name: value for name, value in notes.items() if value != "none"}
