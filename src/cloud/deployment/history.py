"""Which packages have been served, and which of them a person has taken back."""

from collections.abc import Sequence
from datetime import datetime

from sagetree.cloud.deployment.package import Package, version_of
from sagetree.cloud.deployment.parameters import SERVED, WITHDRAWN, Parameters
from sagetree.cloud.names import NONE

# As many are remembered. Events come hours late at most, and nobody goes back further.
REMEMBERED = 20

_ALL = "all"


def served(parameters: Parameters) -> list[int]:
    """Return the versions that have been served, the last one last, each once."""
    return [int(word) for word in _words(parameters, SERVED)]


def note_served(parameters: Parameters, arn: str, before: str) -> None:
    """Note that a package has come into service, after another one or NONE."""
    known = served(parameters)
    if not known and before != NONE:  # of a stack that is older than its history
        known = [version_of(before)]
    version = version_of(arn)
    known = [*(one for one in known if one != version), version]
    _write(parameters, SERVED, [str(one) for one in known])


def go_back_to(parameters: Parameters, version: int) -> None:
    """Forget that anything was served after a version."""
    known = served(parameters)
    before = known[: known.index(version)] if version in known else []
    _write(parameters, SERVED, [str(one) for one in (*before, version)])


def withdraw(parameters: Parameters, package: Package) -> None:
    """Note that a package is not to be served unless it is approved anew.

    The events of its approval may come again, and late.
    """
    _mark(parameters, str(package.version), package)


def withdraw_champion(parameters: Parameters, package: Package) -> None:
    """Note that of a package and of all that were approved before it, too: it had replaced them."""
    _mark(parameters, _ALL, package)


def is_withdrawn(parameters: Parameters, package: Package) -> bool:
    """Say whether a package was taken back after it was approved."""
    return any(
        who in (_ALL, str(package.version)) and package.changed <= datetime.fromisoformat(when)
        for who, _, when in (word.partition("@") for word in _words(parameters, WITHDRAWN))
    )


def _mark(parameters: Parameters, who: str, package: Package) -> None:
    mark = f"{who}@{package.changed.isoformat()}"
    others = [word for word in _words(parameters, WITHDRAWN) if word != mark]
    _write(parameters, WITHDRAWN, [*others, mark])


def _words(parameters: Parameters, name: str) -> list[str]:
    text = parameters.get(name)
    return [] if text == NONE else text.split()


def _write(parameters: Parameters, name: str, words: Sequence[str]) -> None:
    parameters.put(name, " ".join(words[-REMEMBERED:]) or NONE)
