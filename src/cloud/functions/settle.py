"""What has become of a deployment, read from the endpoint and not from what was asked for.

SageMaker calls an endpoint InService again after it has rolled a change back. So the config that
is served is compared with the one that was wanted, and only then is a package called deployed.
"""

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment import scaling
from sagetree.cloud.deployment.challenger import challenger_of, versions_of
from sagetree.cloud.deployment.endpoint import DeployedEndpoint
from sagetree.cloud.deployment.history import note_served
from sagetree.cloud.deployment.notices import tell
from sagetree.cloud.deployment.old import remove_old
from sagetree.cloud.deployment.package import Package, version_of
from sagetree.cloud.deployment.parameters import (
    COLUMNS,
    DEPLOYED_PACKAGE,
    WANTED_CONFIG,
    WANTED_PACKAGE,
    Parameters,
)
from sagetree.cloud.deployment.rollout import Answer, answer, roll_out
from sagetree.cloud.deployment.weights import weigh
from sagetree.cloud.names import NONE, Settings, Versions, versions_in


def settle(clients: Clients, settings: Settings, parameters: Parameters, deadline: float) -> Answer:
    """Go on from the endpoint's state: note what is served, tell what is not, or roll out."""
    now = DeployedEndpoint.of(clients, settings)
    wanted = parameters.get(WANTED_PACKAGE)
    attempted = parameters.get(WANTED_CONFIG)
    if now is None or now.is_changing or wanted == NONE or settings.endpoint_kind == "lambda":
        return answer(settings, "waiting", now.config if now else NONE)
    challenger = challenger_of(clients, settings, parameters, wanted)
    versions = versions_in(settings.stack, attempted)
    if versions != versions_of(wanted, challenger):  # it was asked for while the endpoint was busy
        package = Package.found(clients, settings, wanted)
        is_new = versions is None or versions.champion != version_of(wanted)
        if is_new and not (package and package.is_approved):
            wanted = _sibling(wanted, versions)
            parameters.put(WANTED_PACKAGE, wanted)
            if wanted == NONE:
                return answer(settings, "waiting", now.config)
            package = Package.found(clients, settings, wanted)
        if package is not None and versions != versions_of(wanted, challenger):
            rolled = roll_out(clients, settings, parameters, package, deadline)
            is_served = rolled["action"] == "unchanged" and not now.is_changing
            if not is_served:
                return rolled
            return _in_service(clients, settings, parameters, wanted, now)
    if now.status == "InService" and now.config == attempted:
        return _in_service(clients, settings, parameters, wanted, now)
    return _tell(clients, settings, parameters, now)


def _sibling(arn: str, versions: Versions | None) -> str:
    """Return the ARN of the champion among versions, of the same group as `arn`."""
    return NONE if versions is None else f"{arn.rpartition('/')[0]}/{versions.champion}"


def _in_service(
    clients: Clients, settings: Settings, parameters: Parameters, arn: str, now: DeployedEndpoint
) -> Answer:
    config, before = parameters.get(WANTED_CONFIG), parameters.get(DEPLOYED_PACKAGE)
    if before != arn or parameters.get(COLUMNS) == NONE:
        parameters.put(COLUMNS, Package.of(clients, settings, arn).columns(clients))
        parameters.put(DEPLOYED_PACKAGE, arn)
    note_served(parameters, arn, before)
    challenger = challenger_of(clients, settings, parameters, arn)
    is_scaled = challenger is not None and not challenger.is_shadow
    scaling.register(clients, settings, has_challenger=is_scaled)
    weighed = weigh(clients, settings, parameters, now, challenger)
    if weighed == "asked":
        return answer(settings, "updated", config)
    if weighed == "failed":
        text = "The challenger did not get its share of the requests. To try again, shift again."
        return _told(clients, settings, parameters, now, "failed", text)
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
    return _told(clients, settings, parameters, now, action, message)


def _told(
    clients: Clients, settings: Settings, parameters: Parameters, now: DeployedEndpoint,
    action: str, message: str,
) -> Answer:  # fmt: skip
    tell(clients, settings, parameters, f"deployment {action.replace('-', ' ')}", message)
    return answer(settings, action, now.config, now.reason)
