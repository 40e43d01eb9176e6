"""Champion and challenger: a person shifts a share of the requests to another package.

    {"shift": 10, "package": ARN}   10 percent go to the package; without one, to the challenger
    {"shift": 100}                  the challenger becomes the champion
    {"shift": 0}                    it goes
    {"shadow": ARN}                 it gets copies of all requests, and nobody its answers
    {"shadow": "off"}               it goes

A package that is not approved yet is noted, and gets its share when it is. The same event again
changes nothing.
"""

from collections.abc import Mapping

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment import history
from sagetree.cloud.deployment.challenger import ChallengerNote, forget, take_back
from sagetree.cloud.deployment.errors import Refused
from sagetree.cloud.deployment.package import Package
from sagetree.cloud.deployment.parameters import (
    CHALLENGER,
    DEPLOYED_PACKAGE,
    TOLD,
    WANTED_CONFIG,
    WANTED_PACKAGE,
    DeployCall,
    Parameters,
)
from sagetree.cloud.deployment.requests import beside_in
from sagetree.cloud.deployment.rollout import Answer, answer, roll_out
from sagetree.cloud.deployment.servable import check_servable
from sagetree.cloud.names import NONE

OFF = "off"


def shift(work: DeployCall, event: Mapping[str, object]) -> Answer:
    """Give a package a share of the requests. Raises Refused where it cannot have it."""
    share = event["shift"]
    if not isinstance(share, int) or isinstance(share, bool) or not 0 <= share <= 100:
        raise Refused(f"the share is {share!r}", hint="Name a whole number from 0 to 100")
    if share == 0:
        note = ChallengerNote.read(work.parameters)
        if note is not None and (arn := event.get("package", note.arn)) != note.arn:
            raise Refused(f"the challenger is {note.arn}", where=str(arn), hint="Name no package")
        return _end(work)
    # before the parameters are read, for this may wait
    arn = event["package"] if "package" in event else _challenger(work.parameters)
    package = Package.finished(work.clients, work.settings, str(arn), work.deadline)
    if share == 100:
        return _promote(work, package)
    return _challenge(work, package, share)


def shadow(work: DeployCall, event: Mapping[str, object]) -> Answer:
    """Let a package be the shadow of the champion. Raises Refused where it cannot be."""
    if event["shadow"] == OFF:
        return _end(work)
    package = Package.finished(work.clients, work.settings, str(event["shadow"]), work.deadline)
    return _challenge(work, package, None)


def _challenger(parameters: Parameters) -> str:
    note = ChallengerNote.read(parameters)
    if note is None:
        raise Refused("there is no challenger", hint="Name a package")
    return note.arn


def _promote(work: DeployCall, package: Package) -> Answer:
    check_servable(work.clients, work.settings, package)
    before = work.parameters.get(WANTED_PACKAGE)
    if before not in (NONE, package.arn) and (
        left := Package.found(work.clients, work.settings, before)
    ):
        history.withdraw_champion(work.parameters, left)
    forget(work, package.arn)
    work.parameters.put(WANTED_PACKAGE, package.arn)
    return roll_out(work, package)


def _end(work: DeployCall) -> Answer:
    attempted = work.parameters.get(WANTED_CONFIG)
    # without a note it may be served: by a call that was cut off
    if ChallengerNote.read(work.parameters) is None and not beside_in(work.settings, attempted):
        return answer(work.settings, "unchanged", attempted, "there is no challenger")
    champion = Package.of(work.clients, work.settings, work.parameters.get(WANTED_PACKAGE))
    forget(work)
    return roll_out(work, champion)


def _challenge(work: DeployCall, package: Package, share: int | None) -> Answer:
    champion = _champion(work, package)
    _check(work.clients, package, champion)
    note, before = ChallengerNote.read(work.parameters), work.parameters.get(CHALLENGER)
    if note is None or (note.arn, note.share) != (package.arn, share):
        take_back(work, package.arn)
        ChallengerNote(package.arn, share).write(work.parameters)
    elif note.is_asked:
        note._replace(is_asked=False).write(work.parameters)
    work.parameters.put(TOLD, NONE)
    if not package.is_approved:
        reason = f"{package.arn} is {package.approval}; it comes into service when it is approved"
        return answer(work.settings, "waiting", work.parameters.get(WANTED_CONFIG), reason)
    try:
        return roll_out(work, champion)
    except Refused:  # by a quota: it must not come by itself on the day when there is more
        work.parameters.put(CHALLENGER, before)
        raise


def _champion(work: DeployCall, package: Package) -> Package:
    """Return the champion, which must be in service."""
    if work.settings.endpoint_kind != "instance":
        reason = f"an endpoint of the kind {work.settings.endpoint_kind} serves one model"
        hint = "The kind instance can serve a challenger or a shadow beside it"
        raise Refused(reason, hint=hint)
    wanted, deployed = work.parameters.get(WANTED_PACKAGE), work.parameters.get(DEPLOYED_PACKAGE)
    if deployed == NONE:
        raise Refused("no package is in service yet", hint="Approve one first")
    if wanted != deployed:
        reason = f"{wanted} is wanted, and {deployed} is in service"
        hint = "Wait until it is in service, or roll back"
        raise Refused(reason, hint=hint)
    if package.arn == wanted:
        raise Refused("it is the champion itself", where=wanted, hint="Name another package")
    return Package.of(work.clients, work.settings, wanted)


def _check(clients: Clients, package: Package, champion: Package) -> None:
    """Raise Refused for a package that cannot be asked what the champion is asked."""
    if package.approval == "Rejected":
        raise Refused("it is Rejected", where=package.arn, hint="Name another package")
    package.check_whole()
    ours, theirs = (
        {(n.name, n.kind, n.required) for n in one.input_columns(clients).notes}
        for one in (champion, package)
    )
    if ours != theirs:
        names = sorted({name for name, *_ in ours ^ theirs})
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        reason = f"its columns are not the champion's: {', '.join(names[:5])}{more}"
        hint = "Both get the same requests; approve it instead, to make it the champion"
        raise Refused(reason, where=package.arn, hint=hint)
