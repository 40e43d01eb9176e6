"""Back to the package that was served before.

The event names the package that is left, so that the same event again changes nothing.
"""

from collections.abc import Mapping

from sagetree.cloud.deployment import history
from sagetree.cloud.deployment.challenger import forget
from sagetree.cloud.deployment.endpoint import DeployedEndpoint
from sagetree.cloud.deployment.errors import Refused
from sagetree.cloud.deployment.package import Package, version_of
from sagetree.cloud.deployment.parameters import (
    DEPLOYED_PACKAGE,
    WANTED_CONFIG,
    WANTED_PACKAGE,
    DeployCall,
    Parameters,
)
from sagetree.cloud.deployment.rollout import Answer, answer, roll_out
from sagetree.cloud.deployment.servable import check_servable
from sagetree.cloud.names import NONE, Settings, versions_in


def rollback(work: DeployCall, event: Mapping[str, object]) -> Answer:
    """Serve the approved package that was served last before the one in {"rollback": ARN}.

    One that is wanted and has not come into service is left for what is served, unless a person
    goes back to it: then that goes on. Raises Refused where none was served before.
    """
    left, wanted = event["rollback"], work.parameters.get(WANTED_PACKAGE)
    if wanted == NONE:
        raise Refused("nothing has been deployed yet", hint="Approve a package")
    package = Package.found(work.clients, work.settings, wanted)
    if left == wanted:
        goes_on = _goes_on(work, wanted)
    else:
        goes_on = not _is_asked_for(work.settings, work.parameters, wanted)
    if package and package.is_approved and goes_on:
        rolled = roll_out(work, package)
        return {**rolled, "package": wanted}
    if left != wanted:
        reason = f"{wanted} is wanted now, not {left}"
        return answer(work.settings, "unchanged", work.parameters.get(WANTED_CONFIG), reason)
    target = _before(work, wanted)
    if target.arn != work.parameters.get(DEPLOYED_PACKAGE):
        check_servable(work.clients, work.settings, target)
    if package:
        history.withdraw_champion(work.parameters, package)
    history.go_back_to(work.parameters, target.version)
    forget(work, target.arn)
    work.parameters.put(WANTED_PACKAGE, target.arn)
    rolled = roll_out(work, target)
    return {**rolled, "package": target.arn}


def _goes_on(work: DeployCall, wanted: str) -> bool:
    """Say whether a person has gone back to what is wanted, and it is not in service yet."""
    served = history.served(work.parameters)
    if not served or served[-1] != version_of(wanted):
        return False
    if not _is_asked_for(work.settings, work.parameters, wanted):
        return True  # a call that was cut off before it came to that, or the endpoint was busy
    now = (
        None
        if work.settings.endpoint_kind == "lambda"
        else DeployedEndpoint.of(work.clients, work.settings)
    )
    if now is None or not now.is_changing:
        return False
    versions = versions_in(work.settings.stack, now.config)
    return versions is None or versions.champion != version_of(wanted)


def _is_asked_for(settings: Settings, parameters: Parameters, wanted: str) -> bool:
    """Say whether the endpoint has been set to serve what is wanted, or the function does."""
    if settings.endpoint_kind == "lambda":
        return parameters.get(DEPLOYED_PACKAGE) == wanted
    versions = versions_in(settings.stack, parameters.get(WANTED_CONFIG))
    return versions is None or versions.champion == version_of(wanted)


def _before(work: DeployCall, wanted: str) -> Package:
    """Return what was served last before, and may be so again."""
    group, deployed = wanted.rpartition("/")[0], work.parameters.get(DEPLOYED_PACKAGE)
    versions = history.served(work.parameters)
    if not versions and deployed != NONE:  # of a stack that is older than its history
        versions = [version_of(deployed)]
    for version in reversed(versions):
        package = Package.found(work.clients, work.settings, f"{group}/{version}")
        if package and package.is_approved and package.arn != wanted:
            return package
    reason, hint = (
        "before it no package was served that is still approved",
        "Approve another package",
    )
    raise Refused(reason, where=wanted, hint=hint)
