"""Errors to answers: the one table from an exception to a status and a problem."""

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import orjson

from sagetree.errors import (
    DecodingError,
    HeadTooLargeError,
    NotAcceptableError,
    PayloadTooLargeError,
    PlatformError,
    RequestError,
    SagetreeError,
    SchemaError,
    UnsupportedMediaTypeError,
)
from sagetree.serve.protocol.messages import NO_HEADERS

# Errors whose messages quote what came with the request.
LOGGED = frozenset(
    {
        RequestError, DecodingError, UnsupportedMediaTypeError, NotAcceptableError,
        PayloadTooLargeError, HeadTooLargeError,
    }
)  # fmt: skip

# A line of the log holds as much of a reason.
REASON_LENGTH = 200

HIDDEN = "..."

_QUOTED = re.compile(r"""['"].*['"]""", re.DOTALL)


@dataclass(frozen=True)
class Problem:
    """What went wrong with a request, in the parts every error of this project has."""

    status: int
    error: str
    message: str
    where: str = ""
    hint: str = ""
    violations: tuple[Mapping[str, object], ...] = ()
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)

    @property
    def sentence(self) -> str:
        """All of it in one text, for clients that show nothing else."""
        parts = (f"{self.where}: {self.message}" if self.where else self.message, self.hint)
        return ". ".join(part for part in parts if part)

    def to_json(self, request_id: str, *, in_words: bool = False) -> bytes:
        """Return the body of the answer; `in_words` gives `error` the text that other fields hold.

        The Open Inference Protocol has it so.
        """
        body: dict[str, object] = {
            "error": self.sentence if in_words else self.error,
            "message": self.message,
            "where": self.where,
            "hint": self.hint,
            "request_id": request_id,
        }
        if self.violations:
            body["violations"] = self.violations
        return orjson.dumps(body)


class RouteError(Exception):
    """A request that no handler is there for, and its answer."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


def problem_of(error: Exception) -> Problem:
    """Return the problem for `error`, by its own class or the nearest one above it."""
    kinds = type(error).__mro__
    return next(DESCRIPTIONS[kind](error) for kind in kinds if kind in DESCRIPTIONS)


def logged_reason(error: Exception, columns: Container[str]) -> str:
    """Return why a request was refused, as it may stand in a log: without any value of it.

    Its columns are named as far as they are among `columns`, those of the model. "" for errors
    that may hold others' words outside of quotes.
    """
    match error:
        case SchemaError():
            return _line(_masked(error, columns))
        case RouteError(problem=problem):
            return _line(_unquoted(problem.message))
        case SagetreeError() if type(error) in LOGGED:
            where = f"{_unquoted(error.where)}: " if error.where else ""
            return _line(f"{where}{_unquoted(error.message)}")
    return ""


def _masked(error: SchemaError, columns: Container[str]) -> str:
    violations = [
        replace(
            violation,
            column=violation.column if violation.column in columns else violation.column and HIDDEN,
            reason=_unquoted(violation.reason),
        )
        for violation in error.violations
    ]
    return str(SchemaError(violations if violations[0].is_of_column else violations[:1], hint=""))


def _unquoted(text: str) -> str:
    """Return a text without all that lies between its first quote and its last one."""
    return _QUOTED.sub(repr(HIDDEN), text)


def _line(text: str) -> str:
    return " ".join(text.split())[:REASON_LENGTH]


def _own(error: SagetreeError) -> Problem:
    name = type(error).__name__
    return Problem(error.status, name, error.message, error.where, error.hint)


def _schema(error: SchemaError) -> Problem:
    violations = tuple(
        {
            # rows count from 1, without the header; where one has no row, all are meant
            "row": None if violation.row is None else violation.row + 1,
            "column": violation.column,
            "reason": violation.reason,
        }
        for violation in error.violations
    )
    name = type(error).__name__
    return Problem(error.status, name, error.message, error.where, error.hint, violations)


def _bug(_error: Exception) -> Problem:
    message = "the server failed"
    hint = "Its log has the reason under this request_id"
    return Problem(500, "InternalError", message, hint=hint)


# The functions take what their key says.
DESCRIPTIONS: Mapping[type[BaseException], Callable[[Any], Problem]] = MappingProxyType(
    {
        SchemaError: _schema,
        PlatformError: _bug,  # its message is about this machine
        SagetreeError: _own,
        RouteError: attrgetter("problem"),
        Exception: _bug,
    }
)
