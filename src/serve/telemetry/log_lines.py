"""The lines of the log, as text or as JSON: one per request, and those of events."""

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import orjson

from sagetree.machine.program import LOG
from sagetree.serve.telemetry.observation import Trace

LineFormat = Callable[[Trace], str]


def text_line(seen: Trace) -> str:
    """Return a request's line: time, id, method, route and status, then name=value pairs.

    Why it was refused comes last, a sentence.
    """
    phases = "".join(
        [f" {name}={seconds * 1000:.2f}" for name, seconds in seen.phase_seconds.items()]
    )
    return (
        f"{_now()} {seen.request_id} {seen.method} {seen.route} {seen.status} rows={seen.rows} "
        f"bytes_in={seen.bytes_in} bytes_out={seen.bytes_out} ms={seen.seconds * 1000:.2f}{phases}"
        f"{f' model={seen.model}' if seen.model else ''}"
        f"{f' trace={seen.trace_id}' if seen.trace_id else ''}"
        f"{f' error={seen.error}' if seen.error else ''}"
        f"{f' reason={seen.reason}' if seen.reason else ''}"
    )


def json_line(seen: Trace) -> str:
    """Return a request's line as a JSON object."""
    fields = {
        "time": _now(),
        "level": "INFO",
        "request_id": seen.request_id,
        "method": seen.method,
        "route": seen.route,
        "status": seen.status,
        "rows": seen.rows,
        "bytes_in": seen.bytes_in,
        "bytes_out": seen.bytes_out,
        "ms": round(seen.seconds * 1000, 2),
        **{name: round(seconds * 1000, 2) for name, seconds in seen.phase_seconds.items()},
    }
    optional = {
        "model": seen.model,
        "trace": seen.trace_id,
        "error": seen.error,
        "reason": seen.reason,
    }
    told = {name: text for name, text in optional.items() if text}
    return orjson.dumps(fields | told).decode()  # a fifth of the standard library's time


LINE_FORMATS: Mapping[str, LineFormat] = MappingProxyType({"text": text_line, "json": json_line})


class JsonFormatter(logging.Formatter):
    """An event of the log as a JSON object, a traceback in it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the event's line."""
        fields = {"time": _now(), "level": record.levelname, "message": record.getMessage()}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)  # takes any text a traceback may hold


def set_log_format(name: str, log: logging.Logger = LOG) -> None:
    """Give a log, the program's or a library's, the format `name` ("text" or "json")."""
    if name == "json":
        for handler in log.handlers:
            handler.setFormatter(JsonFormatter())


def write_line(line: str) -> None:
    """Write one line to standard output, whole: lines of several processes do not mix.

    Not through `logging`: its record and its locks cost four times the line.
    """
    with contextlib.suppress(OSError):  # who reads the log is gone, or the disk is full
        os.write(1, f"{line}\n".encode(errors="backslashreplace"))


def _now() -> str:
    seconds, milliseconds = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{_stamp(seconds)}.{milliseconds:03d}Z"


@lru_cache(1)  # many requests come within a second
def _stamp(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
