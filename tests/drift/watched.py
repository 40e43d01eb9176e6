"""Rows of a small model, as training has them and as they are captured after its launch."""

import base64
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

Row = dict[str, object]

LABEL = "fraud"
COLUMNS = ("amount", "kind", "city", "seen", "policy")
INPUTS = COLUMNS[:-1]

ROWS = 600


def rows(
    count: int,
    seed: int,
    *,
    shift: float = 0.0,
    missing: float = 0.0,
    new_kind: float = 0.0,
    signal: float = 2.0,
) -> list[Row]:
    """Labelled rows; the changes are of the amount, of the kind, and of what the label follows."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        amount = random.normal() + shift
        fraud = random.random() < 1 / (1 + np.exp(1 - signal * (amount - shift)))
        kind = "hover" if random.random() < new_kind else str(random.choice(["car", "van", "bus"]))
        found.append(
            {
                LABEL: int(fraud),
                "amount": None if random.random() < missing else round(float(amount), 4),
                "kind": kind,
                "city": f"city {min(int(random.zipf(1.6)), 400)}",
                "seen": f"2026-{random.integers(1, 13):02d}-{random.integers(1, 29):02d}",
                "policy": f"P-{seed}-{number}x",
            }
        )
    return found


def text(rows: Sequence[Row], columns: Sequence[str], *, header: bool = True) -> str:
    """Rows as CSV."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    if header:
        writer.writerow(columns)
    writer.writerows([[row[name] for name in columns] for row in rows])
    return target.getvalue()


def captured(
    body: str | bytes,
    content_type: str,
    *,
    answer: str = "0.5",
    event_id: str = "e",
    inference_id: str | None = None,
    time: str = "2026-01-31T16:20:00Z",
) -> dict[str, object]:
    """A record as SageMaker's data capture writes it; bytes are what it cannot show as text."""
    encoding = "CSV" if content_type.startswith("text/csv") else "JSON"
    data = body
    if isinstance(body, bytes):
        encoding, data = "BASE64", base64.b64encode(body).decode()
    event: dict[str, object] = {"eventId": event_id, "inferenceTime": time}
    if inference_id is not None:
        event["inferenceId"] = inference_id
    return {
        "captureData": {
            "endpointInput": {
                "observedContentType": content_type,
                "mode": "INPUT",
                "data": data,
                "encoding": encoding,
            },
            "endpointOutput": {
                "observedContentType": "text/csv; charset=utf-8",
                "mode": "OUTPUT",
                "data": answer,
                "encoding": "CSV",
            },
        },
        "eventMetadata": event,
        "eventVersion": "0",
    }


def write_lines(path: Path, records: Sequence[object]) -> Path:
    """JSON Lines, the folder made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def one_each(rows: Sequence[Row], **more: str) -> list[dict[str, object]]:
    """A captured request of CSV for each row, as it comes with neither header nor label."""
    return [
        captured(
            text([row], INPUTS, header=False),
            "text/csv",
            event_id=f"e{number}",
            inference_id=f"i{number}",
            **more,
        )
        for number, row in enumerate(rows)
    ]
