"""What has become of a deployment, told by the endpoint and not by what was asked for.

SageMaker calls an endpoint InService again after it has rolled a change back. So the config that
is served is compared with the one that was wanted, and only then is a package called deployed.
"""

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment import scaling
from sagetree.cloud.deployment.endpoint import DeployedEndpoint
from sagetree.cloud.deployment.errors import Refused
from sagetree.cloud.deployment.notices import tell
from sagetree.cloud.deployment.old import remove_old
from sagetree.cloud.deployment.package import Package
from sagetree.cloud.deployment.parameters import (
    COLUMNS,
    DEPLOYED_PACKAGE,
    WANTED_CONFIG,
    WANTED_PACKAGE,
    Parameters,
)
from sagetree.cloud.deployment.rollout import Answer, answer, roll_out
from sagetree.cloud.names import NONE, Settings, version_in


def settle(clients: Clients, settings: Settings, parameters: Parameters, deadline: float) -> Answer:
    """Go on from the endpoint's state: note what is served, tell what is not, or roll out."""
    now = DeployedEndpoint.of(clients, settings)
    wanted = parameters.get(WANTED_PACKAGE)
    attempted = parameters.get(WANTED_CONFIG)
    if now is None or now.is_changing or wanted == NONE or settings.endpoint_kind == "lambda":
        return answer(settings, "waiting", now.config if now else NONE)
    version = version_in(settings.stack, attempted)
    if version != int(wanted.rpartition("/")[2]):  # it was asked for while the endpoint was busy
        package = _approved(clients, settings, wanted)
        if package is not None:
            rolled = roll_out(clients, settings, parameters, package, deadline)
            is_served = rolled["action"] == "unchanged" and not now.is_changing
            return _in_service(clients, settings, parameters, wanted) if is_served else rolled
        wanted = NONE if version is None else f"{wanted.rpartition('/')[0]}/{version}"
        parameters.put(WANTED_PACKAGE, wanted)
        if wanted == NONE:
            return answer(settings, "waiting", now.config)
    if now.status == "InService" and now.config == attempted:
        return _in_service(clients, settings, parameters, wanted)
    return _tell(clients, settings, parameters, now)


def _approved(clients: Clients, settings: Settings, arn: str) -> Package | None:
    try:
        package = Package.of(clients, settings, arn)
    except Refused:  # deleted meanwhile
        return None
    return package if package.is_approved else None


def _in_service(clients: Clients, settings: Settings, parameters: Parameters, arn: str) -> Answer:
    config = parameters.get(WANTED_CONFIG)
    if parameters.get(DEPLOYED_PACKAGE) != arn or parameters.get(COLUMNS) == NONE:
        parameters.put(COLUMNS, Package.of(clients, settings, arn).columns(clients))
        parameters.put(DEPLOYED_PACKAGE, arn)
    scaling.register(clients, settings)
    remove_old(clients, settings, config)
    return answer(settings, "in-service", config)


def _tell(
    clients: Clients, settings: Settings, parameters: Parameters, now: DeployedEndpoint
) -> Answer:
    attempted = parameters.get(WANTED_CONFIG)
    if now.status == "InService":
        action, text = "rolled-back", f"{now.config} is served again; {attempted} was wanted."
    else:
        action, text = "failed", f"The endpoint is {now.status}; {attempted} was wanted."
    reason = f"SageMaker says: {now.reason}" if now.reason else ""
    hint = (
        f"The model's own log is /aws/sagemaker/Endpoints/{settings.stack} in CloudWatch."
        " To try again, approve a package again."
    )
    message = "\n".join(filter(None, (text, reason, hint)))
    tell(clients, settings, parameters, f"deployment {action.replace('-', ' ')}", message)
    return answer(settings, action, now.config, now.reason)
