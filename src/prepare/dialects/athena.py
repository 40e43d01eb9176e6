"""The user's query as a statement for Athena, which leaves its result in S3."""

import re

import sqlglot

from sagetree.errors import SettingsError, quote
from sagetree.prepare.dialects.subset import check_query
from sagetree.prepare.query import Query

_ADDRESS = re.compile(r"s3://[a-z0-9][a-z0-9.-]+/[^'\s]*")

_REMARKS = """\
-- Written by sagetree from {name}; not run there: read it before you run it in Athena.
-- Its tables are Athena's own, or views of that name: one row per key, the latest, as
-- prepare would leave them. Athena writes to an empty folder alone.
"""


def unload_statement(query: Query, target: str) -> str:
    """Return the UNLOAD of a query's result, as Parquet, to a folder in S3.

    Raises SettingsError for a query outside of what engines have alike, and for
    what is not a folder in S3.
    """
    if not _ADDRESS.fullmatch(target):
        raise SettingsError(
            f"{quote(target)} is not a folder in S3",
            where="--print-unload",
            hint="Name one such as s3://bucket/joined/",
        )
    check_query(query.text, query.name)
    statement = sqlglot.transpile(query.text, read="duckdb", write="athena", pretty=True)[0]
    return (
        f"{_REMARKS.format(name=query.name)}UNLOAD (\n{statement}\n)\n"
        f"TO '{target.rstrip('/')}/'\nWITH (format = 'PARQUET', compression = 'SNAPPY')"
    )
