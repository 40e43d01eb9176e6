"""Writes a table into its feature group: from the stack's bucket, or from a server.

    {"source": "https://example.org/customers.csv", "table": "customers",
     "secret": "arn:aws:secretsmanager:...", "event_time": "changed_at", "from": 1}

Only `source` is needed. What could not be written is in a file of the bucket, and the topic gets a
message. The rows that the time did not suffice for begin at `from` of the answer: the same event
with that goes on.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sagetree.cloud.clients import Clients
from sagetree.cloud.names import Settings
from sagetree.cloud.store.groups import StorePlace
from sagetree.cloud.store.ingest import (
    as_counts,
    check_first,
    ready_group,
    wanted_group,
    writer,
)
from sagetree.cloud.store.sources import fetch, is_remote, table_of
from sagetree.cloud.store.tables import open_table
from sagetree.cloud.store.writing import WrittenRows
from sagetree.errors import SettingsError, quote, quote_all

Answer = dict[str, object]

# What is left of the call when it answers: ten rows that Feature Store is slow to take, and the
# file of those that failed.
MARGIN_SECONDS = 60

# Where in the bucket the failed rows are; its lifecycle removes them after 30 days.
FAILURES = "failures/ingest"

_FIELDS = ("source", "table", "secret", "event_time", "from")


def handler(
    event: Mapping[str, Any], clients: Clients, settings: Settings, deadline: float,
    pause: Callable[[float], None] = time.sleep,
) -> Answer:  # fmt: skip
    """Write a table and return the counts. Raises SagetreeError where it cannot begin."""
    settings.need("id_field", "topic_arn")
    place = StorePlace.of(settings)
    first = _checked(event)
    source = str(event["source"])
    name = str(event.get("table") or table_of(source))
    with TemporaryDirectory(prefix="sagetree-ingest-") as folder:
        path = fetch(clients, source, str(event.get("secret", "")), Path(folder))
        failures = Path(folder) / "failures.jsonl"
        with open_table(name, path, settings.id_field) as table:
            check_first(table, first)
            wanted = wanted_group(
                table, settings.stack, settings.id_field, str(event.get("event_time", ""))
            )
            group = ready_group(clients, place, table, wanted, pause)
            work = writer(clients, group, table, failures)
            done = work.write(first, deadline - MARGIN_SECONDS)
        kept = _keep(clients, settings, group.name, failures) if done.failed else None
    answer: Answer = {"group": group.name, **as_counts(done), "failures": kept}
    if done.following is not None:
        answer["from"] = done.following
    if done.failed or done.left:
        _tell(clients, settings, answer, done)
    if done.stopped is not None:
        raise done.stopped
    return answer


def _checked(event: Mapping[str, Any]) -> int:
    """Return the row to begin with. Raises SettingsError for an event that says something else."""
    faults = []
    if unknown := sorted(set(event) - {*_FIELDS}):
        faults.append(f"it has {quote_all(unknown)}")
    if not isinstance(event.get("source"), str) or not is_remote(event["source"]):
        faults.append("source is neither an s3:// nor an https:// address")
    texts = [name for name in ("table", "secret", "event_time") if name in event]
    faults += [f"{name} is not text" for name in texts if not isinstance(event[name], str)]
    first = event.get("from", 1)
    if isinstance(first, bool) or not isinstance(first, int) or first < 1:
        faults.append(f"from is {quote(first)}, which is not the number of a row")
    if faults:
        raise SettingsError(
            "; ".join(faults), where="the event", hint=f"It may have {', '.join(_FIELDS)}"
        )
    return int(first)


def _keep(clients: Clients, settings: Settings, group: str, failures: Path) -> str:
    """Put the file of the failed rows into the bucket, and return its address."""
    key = f"{FAILURES}/{group}/{datetime.now(UTC):%Y%m%dT%H%M%S%f}.jsonl"
    clients["s3"].put_object(Bucket=settings.bucket, Key=key, Body=failures.read_bytes())
    return f"s3://{settings.bucket}/{key}"


def _tell(clients: Clients, settings: Settings, answer: Answer, done: WrittenRows) -> None:
    """Tell the topic: whoever calls a function by a schedule does not see what it answers."""
    lines = [f"{done.written} of {done.rows} rows are in {answer['group']}."]
    if done.failed:
        lines.append(f"{done.failed} could not be written; the reasons: {answer['failures']}")
    if done.left:
        reason = f": {done.stopped}" if done.stopped else ", the time was over"
        lines.append(f"{done.left} were not reached{reason}. Go on with from {done.following}.")
    clients["sns"].publish(
        TopicArn=settings.topic_arn,
        Subject=f"{settings.stack}: not all rows were ingested",
        Message="\n".join(lines),
    )
