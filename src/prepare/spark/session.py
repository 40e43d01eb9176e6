"""Spark as this program needs it: strict numbers, times in UTC, and errors in our words."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from sagetree.errors import PlatformError
from sagetree.prepare.database import QueryError

# A number that does not fit is an error rather than NULL, as in DuckDB.
RULES = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}

_HINT = (
    "Its driver's log says more; if memory or disk ran out, use larger instances, or more of them"
)

_RAISED = re.compile(r"[\w.]*(Error|Exception)\b")

# Said only to a Spark that this process starts itself.
_AT_START = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}


@contextmanager
def spark_errors() -> Iterator[None]:
    """Raise QueryError for what Spark says about a query, PlatformError for a host that fails."""
    try:
        yield
    except PySparkException as error:
        raise QueryError(_reason(str(error)), hint=_HINT) from error
    except Py4JError as error:
        raise PlatformError(
            f"Spark failed: {_reason(str(error))}",
            hint=_HINT,
        ) from error


def _reason(text: str) -> str:
    """Return the line of Spark's message that says what went wrong: of Python's the last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith("An exception was thrown from the Python worker"):
        raised = [line for line in lines if _RAISED.match(line)]
        return f"a host's Python reports {raised[-1] if raised else lines[-1]}"
    told = [line for line in lines if not line.startswith("An error occurred")]
    return told[0] if told else "no reason is given"


@contextmanager
def open_spark() -> Iterator[SparkSession]:
    """Yield a session: spark-submit's, or one of this machine's own."""
    # Its workers run this Python, unless the cluster names another.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    running = SparkSession.getActiveSession()
    builder = SparkSession.builder.appName("sagetree prepare")
    for name, value in {**_AT_START, **RULES}.items():
        builder = builder.config(name, value)
    with spark_errors():
        session = builder.getOrCreate()
    try:
        yield session
    finally:
        if running is None:
            session.stop()
