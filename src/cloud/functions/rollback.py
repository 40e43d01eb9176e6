"""Back to the package that was served before.

The event names the package that is left, so that the same event again changes nothing.
"""

from collections.abc import Iterator, Mapping

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment import history
from sagetree.cloud.deployment.challenger import forget
from sagetree.cloud.deployment.errors import Refused
from sagetree.cloud.deployment.package import Package, version_of
from sagetree.cloud.deployment.parameters import (
    DEPLOYED_PACKAGE,
    WANTED_CONFIG,
    WANTED_PACKAGE,
    Parameters,
)
from sagetree.cloud.deployment.rollout import Answer, answer, roll_out
from sagetree.cloud.names import NONE, Settings, versions_in


def rollback(
    clients: Clients,
    settings: Settings,
    parameters: Parameters,
    event: Mapping[str, object],
    deadline: float,
) -> Answer:
    """Serve the approved package that was served last before the one in {"rollback": ARN}.

    One that is wanted and has not come into service is left for what is served. Raises Refused
    where none was served before.
    """
    left, wanted = event["rollback"], parameters.get(WANTED_PACKAGE)
    if wanted == NONE:
        raise Refused("nothing has been deployed yet", hint="Approve a package")
    if left != wanted:
        reason = f"{left} is not wanted now, {wanted} is"
        attempted = parameters.get(WANTED_CONFIG)
        package = Package.found(clients, settings, wanted)
        versions = versions_in(settings.stack, attempted)
        if package and versions and versions.champion != package.version:
            # a call that was cut off before it came to that
            return roll_out(clients, settings, parameters, package, deadline)
        return answer(settings, "unchanged", attempted, reason)
    target = next(_before(clients, settings, parameters, wanted), None)
    if target is None:
        hint = "Approve another package"
        raise Refused(
            "no package that is still approved was served before it", where=wanted, hint=hint
        )
    if leaving := Package.found(clients, settings, wanted):
        history.withdraw_champion(parameters, leaving)
    history.go_back_to(parameters, target.version)
    forget(clients, settings, parameters, target.arn)
    parameters.put(WANTED_PACKAGE, target.arn)
    rolled = roll_out(clients, settings, parameters, target, deadline)
    return {**rolled, "package": target.arn}


def _before(
    clients: Clients, settings: Settings, parameters: Parameters, wanted: str
) -> Iterator[Package]:
    """Yield what was served and may be so again, the last one first."""
    group, deployed = wanted.rpartition("/")[0], parameters.get(DEPLOYED_PACKAGE)
    versions = history.served(parameters)
    if deployed != NONE:  # of a stack that is older than its history
        versions = [*(v for v in versions if v != version_of(deployed)), version_of(deployed)]
    for version in reversed(versions):
        package = Package.found(clients, settings, f"{group}/{version}")
        if package and package.is_approved and package.arn != wanted:
            yield package
