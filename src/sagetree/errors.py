"""The error tree: whose fault it is, and what to do about it.

    SagetreeError
    ├── UserError                 data, settings, a request: the user can fix it
    │   ├── SettingsError         a hyperparameter, an environment variable, an argument
    │   ├── DataError             a training, validation, test or processing input
    │   ├── SchemaError           422: rows that do not fit the trained columns
    │   ├── ArtifactError         a model artifact that is damaged, foreign or unsafe
    │   └── RequestError          a request to the server
    │       ├── DecodingError     400: the body is not what its content type says
    │       ├── UnsupportedMediaTypeError  415
    │       ├── NotAcceptableError         406
    │       ├── PayloadTooLargeError       413
    │       ├── HeadTooLargeError          431
    │       └── NotReadyError              503: the model is not loaded, or failed its checks
    └── PlatformError             a mount, a file system, memory: the machine's fault

Anything else that is raised is a bug of this project.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

# A value quoted in a message is cut to this length, so that a message stays
# readable and no whole record of a user's data lands in a log.
VALUE_LENGTH = 40

# At most this many violations are named in one answer: enough to see the pattern.
VIOLATIONS_SHOWN = 20

# More names than a table has lines for are not read.
NAMES_QUOTED = 40

# A sentence names this many columns.
COLUMNS_NAMED = 10

# What a violation may say about a column, about one and about several.
_PLURAL = MappingProxyType({"is": "are", "holds": "hold"})


def quote(value: object) -> str:
    """Return `value` as it may stand in a message: quoted, on one line, cut to 40 characters.

    >>> quote("Collision")
    "'Collision'"
    >>> quote("x" * 100)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…'"
    """
    text = str(value)
    if len(text) > VALUE_LENGTH:
        text = text[: VALUE_LENGTH - 1] + "…"
    return repr(text)


def quote_all(names: Iterable[str], most: int = NAMES_QUOTED) -> str:
    """Return names for a message of limited length, the first ones quoted.

    >>> quote_all(["a", "b", "c"], most=2)
    "'a', 'b', ... (3 in all)"
    """
    quoted = [*map(quote, names)]
    more = f", ... ({len(quoted)} in all)" if len(quoted) > most else ""
    return ", ".join(quoted[:most]) + more


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the question after an unknown word: " (did you mean 'x'?)", "" if nothing is close.

    >>> did_you_mean("max_dept", ("max_depth", "eta"))
    " (did you mean 'max_depth'?)"
    """
    from difflib import get_close_matches  # few need it

    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {quote(close[0])}?)" if close else ""


class SagetreeError(Exception):
    """An error with its place and its remedy.

    `message` says what is wrong, `where` is the file, line, column or setting
    ("" if there is none), `hint` says what to do.
    """

    status = 500

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        self.message = message
        self.where = where
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        """All three parts on one line, the place first: `where: message. hint`."""
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text.rstrip('.')}. {self.hint}" if self.hint else text


class UserError(SagetreeError):
    """Something the user gave is wrong, and the user can put it right."""

    status = 400


class SettingsError(UserError):
    """A hyperparameter, an environment variable or an argument is wrong."""


class DataError(UserError):
    """An input table of a job is wrong."""


@dataclass(frozen=True)
class Violation:
    """One way in which a table does not fit: the column, the place, the reason.

    `row` counts from 0 in the table, None where the whole column is meant. The
    reason is a sentence; about a whole column it says what that "is" or "holds".
    """

    column: str
    reason: str
    row: int | None = None
    where: str = ""

    def __str__(self) -> str:
        if self.is_of_column:
            return f"column {quote(self.column)} {self.reason}"
        place = f"{self.where}, column" if self.where else "column"
        return f"{place} {quote(self.column)}: {self.reason}"

    @property
    def is_of_column(self) -> bool:
        """Whether it is the column as a whole that does not fit."""
        return self.row is None and self.column != ""


def _of_columns(violations: Sequence[Violation]) -> str:
    """Return the sentence that names whole columns, those with the same reason together.

    >>> _of_columns([Violation("a", "is missing"), Violation("b", "is missing")])
    "columns 'a', 'b' are missing"
    """
    columns: dict[str, list[str]] = {}
    for violation in violations:
        columns.setdefault(violation.reason, []).append(quote(violation.column))
    return "; ".join(_said_of(names, reason) for reason, names in columns.items())


def _said_of(names: Sequence[str], reason: str) -> str:
    if len(names) == 1:
        return f"column {names[0]} {reason}"
    verb, _, rest = reason.partition(" ")
    more = len(names) - COLUMNS_NAMED
    listed = ", ".join(names[:COLUMNS_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"columns {listed} {_PLURAL[verb]} {rest}"


class SchemaError(UserError):
    """The rows of a table do not fit the trained columns; `violations` holds the first ones."""

    status = 422

    def __init__(self, violations: Sequence[Violation], *, hint: str) -> None:
        self.violations = tuple(violations[:VIOLATIONS_SHOWN])
        first = violations[0]
        if first.is_of_column:
            super().__init__(_of_columns(violations), where=first.where, hint=hint)
            return
        more = f" (and {len(violations) - 1} more like it)" if len(violations) > 1 else ""
        where = f"{first.where}, " if first.where else ""
        place = f"{where}column {quote(first.column)}" if first.column else first.where
        super().__init__(f"{first.reason}{more}", where=place, hint=hint)

    def moved(self, rows: int, place: Callable[[int], str] | None = None) -> "SchemaError":
        """Return the error as one of a larger table, in which `rows` rows come before.

        `place` says where a row of that table is, where the errors do not know it.
        """
        violations = [
            v
            if v.row is None
            else replace(v, row=v.row + rows, where=place(v.row + rows) if place else v.where)
            for v in self.violations
        ]
        moved = SchemaError(violations, hint=self.hint)
        moved.message = self.message
        return moved


class ArtifactError(UserError):
    """A model artifact is damaged, foreign or unsafe."""


class RequestError(UserError):
    """A request to the server is wrong."""


class DecodingError(RequestError):
    """The body cannot be read as its content type says."""


class UnsupportedMediaTypeError(RequestError):
    """The content type of a request is not one the server reads."""

    status = 415


class NotAcceptableError(RequestError):
    """None of the types the client accepts is one the server writes."""

    status = 406


class PayloadTooLargeError(RequestError):
    """The body of a request is larger than the server takes."""

    status = 413


class HeadTooLargeError(RequestError):
    """The headers of a request are larger than the server takes."""

    status = 431


class NotReadyError(RequestError):
    """The model is not loaded yet, or did not pass its self-check."""

    status = 503


class PlatformError(SagetreeError):
    """The machine failed: a mount, a file system, memory."""
