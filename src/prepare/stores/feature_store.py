"""SageMaker Feature Store's offline store: the columns that it adds to those of a feature group.

Source: SageMaker AI Developer Guide, "Amazon SageMaker Feature Store offline store data
format". Parquet files, appended to only; a record that is deleted is appended once more,
marked, and all its features but the identifier and the event time empty.
"""

from collections.abc import Iterable, Sequence

# When a record came: of two with one event time, the one that came later is the latest.
# In this order, as in the guide's queries for Athena.
WRITTEN = ("api_invocation_time", "write_time")

DELETED = "is_deleted"


def is_feature_store(files: Iterable[Sequence[str]]) -> bool:
    """Say whether all files of a table, given by their columns, are the offline store's."""
    return all({*WRITTEN, DELETED} <= {*columns} for columns in files)
