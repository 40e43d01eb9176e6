"""Offline stores of feature groups as SageMaker Feature Store writes them.

Source: SageMaker AI Developer Guide, "Amazon SageMaker Feature Store offline store data format".
"""

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

INPUT = Path("processing") / "input"

Record = dict[str, object]


def record(key: object, time: str, **features: object) -> Record:
    """Return a record as PutRecord leaves it; `came` is how many minutes after its event time."""
    came = datetime.fromisoformat(time) + timedelta(minutes=float(str(features.pop("came", 1))))
    return {
        "policy_id": key,
        **features,
        "event_time": time,
        "write_time": came + timedelta(minutes=5),
        "api_invocation_time": came,
        "is_deleted": False,
    }


def deleted(key: object, time: str, *features: str, came: float = 1) -> Record:
    """Return a record as DeleteRecord leaves it: marked, without features."""
    return {**record(key, time, came=came, **dict.fromkeys(features)), "is_deleted": True}


def put_group(root: Path, name: str, records: list[Record], zeros: bool = True) -> Path:
    """Write the records of a group in Glue's layout, a file for each hour; return its folder."""
    folder = root / INPUT / name
    hours: dict[datetime, list[Record]] = {}
    for each in records:
        hours.setdefault(datetime.fromisoformat(str(each["event_time"])), []).append(each)
    for number, (hour, rows) in enumerate(sorted(hours.items())):
        parts = (f"year={hour:%Y}", f"month={hour:%m}", f"day={hour:%d}", f"hour={hour:%H}")
        if not zeros:
            parts = (f"year={hour.year}", f"month={hour.month}", f"day={hour.day}",
                     f"hour={hour.hour}")  # fmt: skip
        path = folder.joinpath(*parts, f"{hour:%Y%m%dT%H%M%SZ}_{number:016}.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path)
    return folder
