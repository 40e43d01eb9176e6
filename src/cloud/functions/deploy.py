"""An approved package to the endpoint; what has become of it, when SageMaker says so.

    {"package": ARN}                        the pipeline's last step, or a person
    SageMaker Model Package State Change    a person has approved a package, or rejected it
    SageMaker Endpoint State Change         the endpoint has changed: see settle
    {"shift": 10, "package": ARN}           a person names a challenger: see shift
    {"shadow": ARN}                         or a shadow
    {"rollback": ARN}                       a person takes a package back: see rollback

The same event again changes nothing: models and configs are named by their content. An endpoint
that is being changed cannot be changed; the package is then noted, and `settle` goes on with it.
"""

from collections.abc import Callable, Mapping

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.challenger import ChallengerNote, forget
from sagetree.cloud.deployment.errors import Refused
from sagetree.cloud.deployment.history import is_withdrawn
from sagetree.cloud.deployment.notices import tell
from sagetree.cloud.deployment.package import Package
from sagetree.cloud.deployment.parameters import (
    WANTED_CONFIG,
    WANTED_PACKAGE,
    DeployCall,
    Parameters,
)
from sagetree.cloud.deployment.rollout import Answer, answer, roll_out
from sagetree.cloud.deployment.servable import check_servable
from sagetree.cloud.functions.rollback import rollback
from sagetree.cloud.functions.settle import settle
from sagetree.cloud.functions.shift import shadow, shift
from sagetree.cloud.names import NONE, Settings

Change = Callable[[DeployCall, Mapping[str, object]], Answer]

# What a person asks for, by what names it in the event.
CHANGES: Mapping[str, Change] = {"shift": shift, "shadow": shadow, "rollback": rollback}

ENDPOINT_EVENT = "SageMaker Endpoint State Change"
REJECTED = "Rejected"


def handler(
    event: Mapping[str, object], clients: Clients, settings: Settings, deadline: float
) -> Answer:
    """Answer an event; `deadline` is when Lambda ends the call, in seconds since 1970.

    Raises Refused, which the topic gets too, for a package that must not be served.
    """
    settings.need("endpoint_kind", "role_arn", "topic_arn")
    detail = event.get("detail")
    detail = detail if isinstance(detail, Mapping) else {}
    work = DeployCall(clients, settings, Parameters(clients, settings), deadline)
    try:
        if event.get("detail-type") == ENDPOINT_EVENT:
            if detail.get("EndpointName", settings.stack) != settings.stack:
                return answer(settings, "unchanged", NONE, "the event is of another endpoint")
            return settle(work)
        if detail.get("ModelApprovalStatus") == REJECTED:  # it may be the challenger
            return settle(work)
        if name := next((name for name in CHANGES if name in event), ""):
            return _asked(CHANGES[name], work, event)
        arn = _package_of(event, detail)
        if _is_of_other_fields(detail):
            reason = f"{arn} has changed, but not its approval"
            return answer(settings, "unchanged", work.parameters.get(WANTED_CONFIG), reason)
        return deploy(work, arn)
    except Refused as error:
        tell(work.clients, work.settings, work.parameters, "a package is refused", str(error))
        raise


def _asked(change: Change, work: DeployCall, event: Mapping[str, object]) -> Answer:
    """Make a change that a person asks for; whoever is refused hears it, and nobody else."""
    try:
        return change(work, event)
    except Refused as error:
        return answer(work.settings, "refused", work.parameters.get(WANTED_CONFIG), str(error))


def deploy(work: DeployCall, arn: str) -> Answer:
    """Let the stack serve a package, unless a newer one was approved after it.

    The challenger is served beside the champion; any other one takes the champion's place, and the
    challenger goes.
    """
    package = Package.finished(work.clients, work.settings, arn, work.deadline)
    package.check()
    wanted = work.parameters.get(WANTED_PACKAGE)
    note = ChallengerNote.read(work.parameters)
    is_challenger = (
        note is not None and note.arn == arn and work.settings.endpoint_kind == "instance"
    )
    if is_challenger and (champion := Package.found(work.clients, work.settings, wanted)):
        return roll_out(work, champion)
    if arn != wanted and is_withdrawn(work.parameters, package):
        reason = f"{arn} was taken back since it was approved; to serve it, approve it again"
        return answer(work.settings, "unchanged", work.parameters.get(WANTED_CONFIG), reason)
    if arn != wanted and not _is_newer(work.clients, work.settings, wanted, package):
        check_servable(work.clients, work.settings, package)  # before anything is given up for it
        _end_comparison(work, arn, f"{arn} was approved")
        # before the endpoint is read: what settles after that goes on with this package
        wanted = work.parameters.put(WANTED_PACKAGE, arn) or NONE
    if _is_newer(work.clients, work.settings, wanted, package):
        work.parameters.put(WANTED_PACKAGE, wanted)  # again, where a call at the same time wrote it
        reason = f"{wanted} was approved later; to go back, approve this one again"
        return answer(work.settings, "unchanged", work.parameters.get(WANTED_CONFIG), reason)
    if work.settings.endpoint_kind != "instance":  # it is not to come back with another update
        why = f"an endpoint of the kind {work.settings.endpoint_kind} serves one model"
        _end_comparison(work, arn, why)
    return roll_out(work, package)


def _end_comparison(work: DeployCall, arn: str, why: str) -> None:
    """Tell that the challenger goes, if there is one; the package of `arn` is served."""
    note = ChallengerNote.read(work.parameters)
    if note is not None:
        forget(work, arn)
        text = f"{note.arn} is no longer served beside another, since {why}."
        tell(work.clients, work.settings, work.parameters, "the challenger goes", text)


def _is_newer(clients: Clients, settings: Settings, arn: str, package: Package) -> bool:
    if arn in (NONE, package.arn):
        return False
    other = Package.found(clients, settings, arn)
    return other is not None and other.is_approved and other.changed > package.changed


def _is_of_other_fields(detail: Mapping[str, object]) -> bool:
    """Say whether an approved package was changed in another way: a note on it, its stage."""
    changed = detail.get("UpdatedModelPackageFields")
    return isinstance(changed, list) and bool(changed) and "ModelApprovalStatus" not in changed


def _package_of(event: Mapping[str, object], detail: Mapping[str, object]) -> str:
    arn = event.get("package") or detail.get("ModelPackageArn")
    if not isinstance(arn, str):
        raise Refused(
            f"the event does not name a package; it has {', '.join(sorted(event)) or 'nothing'}"
        )
    return arn
