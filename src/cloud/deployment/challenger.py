"""The package beside the champion: noted when a person names it, served once it is approved."""

import re
from typing import NamedTuple, Self

from sagetree.cloud.deployment.history import withdraw
from sagetree.cloud.deployment.package import Package, version_of
from sagetree.cloud.deployment.parameters import CHALLENGER, DeployCall, Parameters
from sagetree.cloud.names import NONE, Versions

_SHADOW = "shadow"
_ASKED = " asked"


class ChallengerNote(NamedTuple):
    """What the stack's parameter says: a package, and its share in percent; None for a shadow.

    `is_asked` says that SageMaker has been asked for this share.
    """

    arn: str
    share: int | None
    is_asked: bool = False

    @classmethod
    def read(cls, parameters: Parameters) -> Self | None:
        """Return what is noted, None where there is nothing."""
        found = re.fullmatch(rf"(\d+|{_SHADOW}) (\S+/\d+)({_ASKED})?", parameters.get(CHALLENGER))
        if not found:
            return None
        share = None if found[1] == _SHADOW else int(found[1])
        return cls(found[2], share, found[3] is not None)

    def write(self, parameters: Parameters) -> None:
        """Note it."""
        parameters.put(CHALLENGER, self._text())

    def mark(self, parameters: Parameters, *, is_asked: bool) -> None:
        """Note whether SageMaker has been asked, unless a call at the same time notes another."""
        between = parameters.put(CHALLENGER, self._replace(is_asked=is_asked)._text())
        if between not in (None, self._text()):
            parameters.put(CHALLENGER, between)

    def _text(self) -> str:
        share = _SHADOW if self.share is None else self.share
        return f"{share} {self.arn}{_ASKED if self.is_asked else ''}"


class Challenger(NamedTuple):
    """A package that is to be served beside the champion."""

    package: Package
    note: ChallengerNote

    @property
    def is_shadow(self) -> bool:
        """Whether it gets copies of requests, and nobody its answers."""
        return self.note.share is None


def challenger_of(work: DeployCall, champion: str) -> Challenger | None:
    """Return who is to be served beside the champion, whose ARN is given; None for nobody."""
    note = ChallengerNote.read(work.parameters)
    if note is None or note.arn == champion or work.settings.endpoint_kind != "instance":
        return None
    package = Package.found(work.clients, work.settings, note.arn)
    return Challenger(package, note) if package and package.is_approved else None


def versions_of(champion: str, challenger: Challenger | None) -> Versions:
    """Return the versions that are to be served, the champion's by its ARN."""
    if challenger is None:
        return Versions(version_of(champion))
    return Versions(version_of(champion), challenger.package.version, challenger.is_shadow)


def forget(work: DeployCall, coming: str = "") -> None:
    """Note that there is no challenger; `coming` is as for `take_back`."""
    take_back(work, coming)
    work.parameters.put(CHALLENGER, NONE)


def take_back(work: DeployCall, coming: str) -> None:
    """Let the challenger not come back by its approval, which may be delivered again, and late.

    `coming` is the ARN of the package that is to be served now, which may be the challenger's.
    """
    note = ChallengerNote.read(work.parameters)
    if note is None or note.arn == coming:
        return
    if package := Package.found(work.clients, work.settings, note.arn):
        withdraw(work.parameters, package)
