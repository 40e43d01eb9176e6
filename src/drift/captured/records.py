"""Lines of SageMaker's data capture: the request, its identifiers, its time.

    {"captureData": {"endpointInput": {"observedContentType": "text/csv", "mode": "INPUT",
     "data": "1,2", "encoding": "CSV"}, "endpointOutput": {...}},
     "eventMetadata": {"eventId": "...", "inferenceId": "...", "inferenceTime": "..."},
     "eventVersion": "0"}

`encoding` is CSV or JSON where the endpoint's configuration lists the content type, else BASE64.
A record that Model Monitor has merged with its label has "groundTruthData" too.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from sagetree.drift.times import parse_time
from sagetree.errors import DataError
from sagetree.files.finding import head_of, opened
from sagetree.formats.media_types import CSV, JSON

CAPTURE, TRUTH = "captureData", "groundTruthData"

# Types by encoding, where the record does not say which it was.
_TYPES = {"CSV": CSV, "JSON": JSON}

_HINT = "Copy the file again from the endpoint's capture"


class Record(NamedTuple):
    """A captured request: `body` is None where only answers are captured.

    `truth` is the label that came later, as text, where it has been merged in.
    """

    where: str
    content_type: str = ""
    body: bytes | None = None
    time: datetime | None = None
    inference_id: str | None = None
    event_id: str | None = None
    truth: str | None = None


def is_capture(path: Path) -> bool:
    """Say whether a file holds lines of a data capture, or labels for them."""
    with opened(path, str(path)) as file:
        head = head_of(file).lstrip()
    return head.startswith(b"{") and any(f'"{key}"'.encode() in head for key in (CAPTURE, TRUTH))


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a file. Raises DataError naming the line that is none."""
    with opened(path, str(path)) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _record(line, f"{path} line {number}")


def _record(line: bytes, where: str) -> Record:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DataError(f"the line is not JSON: {error}", where=where, hint=_HINT) from error
    if not isinstance(found, dict) or not (CAPTURE in found or TRUTH in found):
        problem = (
            f"the line is not a record of SageMaker's data capture: {CAPTURE} is missing from it"
        )
        raise DataError(problem, where=where, hint=_HINT)
    event = _mapping(found.get("eventMetadata"))
    request = _mapping(_mapping(found.get(CAPTURE)).get("endpointInput"))
    encoding = str(request.get("encoding") or "").upper()
    truth = _mapping(found.get(TRUTH)).get("data")
    return Record(
        where,
        str(request.get("observedContentType") or _TYPES.get(encoding, "")),
        _body(request.get("data"), encoding, where),
        _time(event.get("inferenceTime") or event.get("eventTime"), where),
        _text(event.get("inferenceId")),
        _text(event.get("eventId")),
        _text(truth),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _body(data: object, encoding: str, where: str) -> bytes | None:
    if data is None:
        return None
    if encoding == "BASE64":
        try:
            return base64.b64decode(str(data), validate=True)
        except (binascii.Error, ValueError) as error:
            raise DataError(f"the body is not base64: {error}", where=where, hint=_HINT) from error
    return data.encode() if isinstance(data, str) else orjson.dumps(data)


def _time(text: object, where: str) -> datetime | None:
    return None if text is None else parse_time(str(text), where)
