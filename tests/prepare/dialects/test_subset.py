"""What of a query the engines have alike, and one sentence for what they have not."""

from pathlib import Path

import pytest

from sagetree.errors import SettingsError
from sagetree.prepare.dialects.athena import unload_statement
from sagetree.prepare.dialects.spark_sql import parse, spark_sql
from sagetree.prepare.dialects.subset import check_query, functions
from sagetree.prepare.query import Query
from tests.prepare.spark.functions import AGGREGATES, EXPRESSIONS, QUERIES

HINT = (
    "docs/guide/spark.md lists what gives the same rows on both; prepare the rest first with a "
    "DuckDB query, or leave --engine spark out"
)
NOT_AMONG = "the function is not known to agree on both engines"

REFUSED = {
    "SELECT md5(a) AS x\nFROM t": ("line 1", "'MD5(a)'", NOT_AMONG),
    "SELECT a,\n  median(b)\nFROM t": ("line 2", "'MEDIAN(b)'", NOT_AMONG),
    "SELECT a FROM t ORDER BY a LIMIT 3": (
        "line 1",
        "'SELECT a FROM t ORDER BY a LIMIT 3'",
        "LIMIT is not known to agree on both engines",
    ),
    "SELECT DISTINCT ON (a) a, b FROM t": (
        "line 1",
        "'SELECT DISTINCT ON (a) a, b FROM t'",
        "DISTINCT ON may keep different rows on the two engines",
    ),
    "SELECT a FROM t QUALIFY row_number() OVER () = 1": (
        "line 1",
        "'SELECT a FROM t QUALIFY ROW_NUMBER() OV…'",
        "QUALIFY is not known to agree on both engines",
    ),
    "SELECT a FROM t GROUP BY ALL": (
        "line 1",
        "'SELECT a FROM t GROUP BY ALL'",
        "only GROUP BY of expressions is known to agree",
    ),
    "SELECT * EXCLUDE (a) FROM t JOIN o USING (a)": (
        "line 1",
        "'SELECT * EXCLUDE (a) FROM t JOIN o USIN…'",
        "EXCLUDE is known to agree only as SELECT * EXCLUDE (...) FROM one table",
    ),
    "SELECT a FROM t ASOF JOIN o USING (a)": (
        "line 1",
        "'ASOF JOIN o USING (a)'",
        "ASOF JOIN is not known to agree on both engines",
    ),
    "SELECT a FROM raw.t": ("line 1", "'raw.t'", "only the tables of this job can be read"),
    "SELECT TRY_CAST(a AS INTEGER) FROM t": (
        "line 1",
        "'TRY_CAST(a AS INT)'",
        NOT_AMONG,
    ),
    "SELECT CAST(a AS DECIMAL(4, 1)) FROM t": (
        "line 1",
        "'CAST(a AS DECIMAL(4, 1))'",
        "CAST to this type is not known to agree on both engines",
    ),
    "SELECT a LIKE '\\%' FROM t": (
        "line 1",
        r'''"a LIKE '\\%'"''',
        "LIKE agrees with a pattern written in the query, without a backslash",
    ),
    "SELECT left(a, -1) FROM t": (
        "line 1",
        "'LEFT(a, -1)'",
        "places and lengths agree only as whole numbers in the query, counted from 1",
    ),
    "SELECT trim(a, 'x') FROM t": (
        "line 1",
        "\"TRIM(a, 'x')\"",
        "only trim(text), which takes spaces away from both ends, is known to agree",
    ),
    "SELECT replace(a, b, 'c') FROM t": (
        "line 1",
        "\"REPLACE(a, b, 'c')\"",
        "what is replaced must be a text in the query that is not empty",
    ),
    "SELECT max(a, 3) FROM t": ("line 1", "'MAX(a, 3)'", "with count it is not known to agree"),
    "WITH RECURSIVE r AS (SELECT 1 AS a) SELECT a FROM r": (
        "line 1",
        "'WITH RECURSIVE r AS (SELECT 1 AS a)'",
        "with recursive it is not known to agree",
    ),
    "SELECT [1, a] FROM t": ("line 1", "'[1, a]'", NOT_AMONG),
}


@pytest.mark.parametrize(("query", "said"), REFUSED.items(), ids=REFUSED)
def test_what_may_differ(query: str, said: tuple[str, str, str]) -> None:
    line, what, why = said
    with pytest.raises(SettingsError) as caught:
        check_query(query, "q.sql")
    assert str(caught.value) == (
        f"q.sql {line}: {what} may differ between DuckDB and Spark: {why}. {HINT}"
    )


@pytest.mark.parametrize("query", QUERIES)
def test_queries_that_agree(query: str) -> None:
    check_query(query, "q.sql")


def test_expressions_that_agree() -> None:
    for text in (*EXPRESSIONS, *AGGREGATES):
        check_query(f"SELECT {text} AS c FROM t", "q.sql")


def test_the_guide_lists_the_functions() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guide" / "spark.md").read_text()
    names = {"logical_and": "bool_and", "logical_or": "bool_or"}
    missing = [name for name in functions() if f"`{names.get(name, name)}`" not in guide]
    assert not missing


def test_a_name_of_any_kind_is_a_view() -> None:
    query = 'SELECT j."a""b`" FROM made.joined j JOIN raw."x y" r ON j.k = r.k'
    assert spark_sql(parse(query), lambda _: ()) == (
        'SELECT j.`a"b``` FROM `sagetree made joined` AS j '
        "JOIN `sagetree raw x y` AS r ON j.k = r.k"
    )


def test_values_stand_for_question_marks() -> None:
    assert spark_sql(parse("SELECT a = ? AS b FROM t", ["it's"]), lambda _: ()) == (
        "SELECT a = 'it\\'s' AS b FROM `t`"
    )


def test_a_statement_for_athena() -> None:
    query = Query("SELECT a / b AS c FROM t LEFT JOIN o USING (k)", "q.sql", frozenset())
    statement = unload_statement(query, "s3://bucket/joined")
    assert statement.startswith("-- Written by sagetree from q.sql; not run there:")
    assert "CAST(a AS DOUBLE) / b" in statement
    assert statement.endswith(
        "TO 's3://bucket/joined/'\nWITH (format = 'PARQUET', compression = 'SNAPPY')"
    )
    with pytest.raises(SettingsError) as caught:
        unload_statement(query, "bucket/joined")
    assert str(caught.value) == (
        "--print-unload: 'bucket/joined' is not a folder in S3. Name one such as "
        "s3://bucket/joined/"
    )
