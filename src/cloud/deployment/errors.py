"""Why a package is not deployed: for good, or for now."""

from sagetree.errors import PlatformError, UserError


class Refused(UserError):  # noqa: N818 - Lambda reports the name, and it says what happened
    """The package must not or cannot be served; trying again changes nothing."""


class Busy(PlatformError):  # noqa: N818 - as above
    """The endpoint does not become free in time; trying again later helps."""
