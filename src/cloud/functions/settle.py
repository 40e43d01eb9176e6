"""What has become of a deployment, read from the endpoint and not from what was asked for.

A package that is rejected comes here, too: it may be the challenger, which then goes.

SageMaker calls an endpoint InService again after it has rolled a change back. So the config that
is served is compared with the one that was wanted, and only then is a package called deployed.
"""

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
    DeployCall,
)
from sagetree.cloud.deployment.rollout import Answer, answer, roll_out
from sagetree.cloud.deployment.weights import weigh
from sagetree.cloud.names import NONE, Versions, versions_in


def settle(work: DeployCall) -> Answer:
    """Go on from the endpoint's state: note what is served, tell what is not, or roll out."""
    if work.settings.endpoint_kind == "lambda":
        return answer(work.settings, "waiting", NONE)
    now = DeployedEndpoint.of(work.clients, work.settings)
    wanted = work.parameters.get(WANTED_PACKAGE)
    attempted = work.parameters.get(WANTED_CONFIG)
    if now is None or now.is_changing or wanted == NONE:
        return answer(work.settings, "waiting", now.config if now else NONE)
    challenger = challenger_of(work, wanted)
    versions = versions_in(work.settings.stack, attempted)
    if versions != versions_of(wanted, challenger):  # it was asked for while the endpoint was busy
        package = Package.found(work.clients, work.settings, wanted)
        is_new = versions is None or versions.champion != version_of(wanted)
        if is_new and not (package and package.is_approved):
            wanted = _sibling(wanted, versions)
            work.parameters.put(WANTED_PACKAGE, wanted)
            if wanted == NONE:
                return answer(work.settings, "waiting", now.config)
            package = Package.found(work.clients, work.settings, wanted)
        if package is not None and versions != versions_of(wanted, challenger):
            rolled = roll_out(work, package)
            is_served = rolled["action"] == "unchanged" and not now.is_changing
            if not is_served:
                return rolled
            return _in_service(work, wanted, now)
    if now.status == "InService" and now.config == attempted:
        return _in_service(work, wanted, now)
    return _tell(work, now)


def _sibling(arn: str, versions: Versions | None) -> str:
    """Return the ARN of the champion among versions, of the same group as `arn`."""
    return NONE if versions is None else f"{arn.rpartition('/')[0]}/{versions.champion}"


def _in_service(work: DeployCall, arn: str, now: DeployedEndpoint) -> Answer:
    config, before = work.parameters.get(WANTED_CONFIG), work.parameters.get(DEPLOYED_PACKAGE)
    if before != arn or work.parameters.get(COLUMNS) == NONE:
        work.parameters.put(
            COLUMNS, Package.of(work.clients, work.settings, arn).columns(work.clients)
        )
        work.parameters.put(DEPLOYED_PACKAGE, arn)
    note_served(work.parameters, arn, before)
    challenger = challenger_of(work, arn)
    is_scaled = challenger is not None and not challenger.is_shadow
    scaling.register(work.clients, work.settings, has_challenger=is_scaled)
    weighed = weigh(work, now, challenger)
    if weighed == "asked":
        return answer(work.settings, "updated", config)
    if weighed == "failed":
        text = "The challenger did not get its share of the requests. To try again, shift again."
        return _told(work, now, "failed", text)
    remove_old(work.clients, work.settings, config)
    return answer(work.settings, "in-service", config)


def _tell(work: DeployCall, now: DeployedEndpoint) -> Answer:
    attempted = work.parameters.get(WANTED_CONFIG)
    if now.status == "InService":
        action, text = "rolled-back", f"{now.config} is served again; {attempted} was wanted."
    else:
        action, text = "failed", f"The endpoint is {now.status}; {attempted} was wanted."
    reason = f"SageMaker says: {now.reason}" if now.reason else ""
    hint = (
        f"The model's own log is /aws/sagemaker/Endpoints/{work.settings.stack} in CloudWatch."
        " To try again, approve a package again."
    )
    message = "\n".join(filter(None, (text, reason, hint)))
    return _told(work, now, action, message)


def _told(work: DeployCall, now: DeployedEndpoint, action: str, message: str) -> Answer:
    tell(
        work.clients,
        work.settings,
        work.parameters,
        f"deployment {action.replace('-', ' ')}",
        message,
    )
    return answer(work.settings, action, now.config, now.reason)
