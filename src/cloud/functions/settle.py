"""What has become of a deployment, told by the endpoint and not by what was asked for.

SageMaker calls an endpoint InService again after it has rolled a change back. So the config that
is served is compared with the one that was wanted, and only then is a package called deployed.
"""

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment import scaling
from sagetree.cloud.deployment.endpoint import Endpoint
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


def settle(clients: Clients, settings: Settings, deadline: float) -> Answer:
    """Go on from the endpoint's state: note what is served, tell what is not, or roll out."""
    parameters = Parameters(clients, settings)
    now = Endpoint.of(clients, settings)
    wanted = parameters.get(WANTED_PACKAGE)
    attempted = parameters.get(WANTED_CONFIG)
    if now is None or now.is_changing or wanted == NONE or settings.endpoint_kind == "lambda":
        return answer(settings, "waiting", now.config if now else NONE)
    waiting = _waiting(clients, settings, wanted, attempted)
    if waiting is not None:
        return roll_out(clients, settings, waiting, deadline)
    if now.status == "InService" and now.config == attempted:
        return _in_service(clients, settings, wanted, attempted)
    return _tell(clients, settings, now, attempted)


def _waiting(clients: Clients, settings: Settings, wanted: str, attempted: str) -> Package | None:
    """Return the package that was asked for while the endpoint was busy, None if there is none."""
    if version_in(settings.stack, attempted) == int(wanted.rpartition("/")[2]):
        return None
    try:
        package = Package.of(clients, settings, wanted)
    except Refused:  # deleted meanwhile
        return None
    return package if package.is_approved else None


def _in_service(clients: Clients, settings: Settings, wanted: str, config: str) -> Answer:
    parameters = Parameters(clients, settings)
    package = Package.of(clients, settings, wanted)
    if parameters.get(DEPLOYED_PACKAGE) != wanted or parameters.get(COLUMNS) == NONE:
        parameters.put(COLUMNS, package.columns(clients))
        parameters.put(DEPLOYED_PACKAGE, wanted)
    scaling.register(clients, settings)
    remove_old(clients, settings, config)
    return answer(settings, "in-service", config)


def _tell(clients: Clients, settings: Settings, now: Endpoint, attempted: str) -> Answer:
    action = "failed" if now.status == "Failed" else "rolled-back"
    reason = f"The reason, by SageMaker: {now.reason}" if now.reason else ""
    if action == "failed":
        text = f"The endpoint {settings.stack} has failed with {attempted}: nothing is served."
    else:
        text = f"{now.config} is served, {attempted} was wanted."
    hint = (
        f"The model's own log is in CloudWatch, /aws/sagemaker/Endpoints/{settings.stack}."
        " Approve a package again to try again"
    )
    message = "\n\n".join(filter(None, (text, reason, hint)))
    tell(clients, settings, action.replace("-", " "), message)
    return answer(settings, action, now.config, now.reason)
