"""An error as one host tells it to the others."""

from collections.abc import Mapping

from sagetree.errors import DataError, PlatformError, SagetreeError, SettingsError, UserError
from sagetree.machine.program import Terminated, describe

_KINDS = {kind.__name__: kind for kind in (SettingsError, DataError, UserError, PlatformError)}
_SIGTERM = Terminated.__name__


def told(error: BaseException) -> dict[str, str]:
    """Return an error as JSON: its kind, and what, where and what to do."""
    if isinstance(error, SagetreeError):
        kind = next(c.__name__ for c in type(error).__mro__ if c.__name__ in _KINDS)
        parts = {"message": error.message, "where": error.where, "hint": error.hint}
        return {"kind": kind, **parts}
    kind = _SIGTERM if isinstance(error, Terminated) else PlatformError.__name__
    message = describe(error).partition("\n")[0]
    return {"kind": kind, "message": message, "where": "", "hint": ""}


def raised(found: Mapping[str, str], host: str) -> BaseException:
    """Return the error that `host` sent, with that host as its place."""
    where = ", ".join(filter(None, [f"host {host}", found["where"]]))
    if found["kind"] == _SIGTERM:
        return Terminated(f"{where}: {found['message']}")
    return _KINDS[found["kind"]](found["message"], where=where, hint=found["hint"])
