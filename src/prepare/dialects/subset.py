"""The part of DuckDB's SQL that gives the same rows on Spark: what is not known to is refused."""

from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from sagetree.errors import SettingsError, quote

# What queries consist of, besides functions.
_STRUCTURE = (
    exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered,
    exp.With, exp.CTE, exp.Subquery, exp.Union, exp.Except, exp.Intersect, exp.Distinct,
    exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Star, exp.Identifier, exp.Literal,
    exp.Boolean, exp.Null, exp.Paren, exp.DataType, exp.Tuple,
    exp.Window, exp.WindowSpec, exp.Filter, exp.Var,
)  # fmt: skip

_OPERATORS = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.In,
    exp.Between, exp.Like, exp.Exists, exp.NullSafeEQ, exp.NullSafeNEQ,
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.DPipe,
    exp.Case, exp.If, exp.Cast,
)  # fmt: skip

_FUNCTIONS = (
    exp.Count, exp.Sum, exp.Min, exp.Max, exp.Avg, exp.LogicalAnd, exp.LogicalOr,
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead,
    exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Abs,
    exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Concat, exp.Replace, exp.Substring, exp.Left,
    exp.Year, exp.Month, exp.Day,
)  # fmt: skip

_KNOWN = frozenset((*_STRUCTURE, *_OPERATORS, *_FUNCTIONS))

_KINDS = frozenset({"TEXT", "VARCHAR", "INT", "BIGINT", "SMALLINT", "DOUBLE", "DATE", "TIMESTAMP",
                    "TIMESTAMPNTZ", "TIMESTAMPTZ"})  # fmt: skip

_JOINS = frozenset({"", "INNER", "CROSS", "SEMI", "ANTI", "OUTER"})

_HINT = (
    "docs/guide/spark.md lists what gives the same rows on both; prepare the rest first with a "
    "DuckDB query, or leave --engine spark out"
)


def check_query(text: str, name: str) -> None:
    """Raise SettingsError for the first thing in a query that the two engines may take differently.

    `text` is one SELECT of DuckDB's, `name` its file's name.
    """
    try:
        tree = sqlglot.parse_one(text, read="duckdb")
    except SqlglotError as error:
        raise SettingsError(
            "it has a construct that is not known to both engines", where=name, hint=_HINT
        ) from error
    for node in tree.walk(bfs=False):
        reason = _unlike(node)
        if reason is not None:
            line = _line(node)
            where = f"{name} line {line}" if line else name
            raise SettingsError(
                f"{quote(node.sql('duckdb'))} may differ between DuckDB and Spark: {reason}",
                where=where,
                hint=_HINT,
            )


def _line(node: exp.Expression) -> int:
    lines = (int(part.meta["line"]) for part in node.walk() if "line" in part.meta)
    return min(lines, default=0)


def _unlike(node: exp.Expression) -> str | None:
    """Return why a node may mean another thing to Spark, None for one that does not."""
    if type(node) not in _KNOWN:
        kind = "function" if isinstance(node, exp.Func) else "construct"
        return f"the {kind} is not known to agree on both engines"
    for known, rule in _RULES:
        if isinstance(node, known) and (reason := rule(node)) is not None:
            return reason
    return None


def _select(node: exp.Expression) -> str | None:
    for name in ("limit", "offset", "sample", "qualify", "pivots", "laterals", "windows"):
        if node.args.get(name):
            return f"{name.upper()} is not known to agree on both engines"
    if (distinct := node.args.get("distinct")) and distinct.args.get("on"):
        return "DISTINCT ON may keep different rows on the two engines"
    group = node.args.get("group")
    if group and any(group.args.get(n) for n in ("all", "cube", "rollup", "grouping_sets")):
        return "only GROUP BY of expressions is known to agree"
    star = next((item for item in node.expressions if item.is_star), None)
    joins = node.args.get("joins")
    if isinstance(star, exp.Star) and any(star.args.values()):
        source = node.args["from_"].this if node.args.get("from_") else None
        plain = isinstance(source, exp.Table) and not joins and len(node.expressions) == 1
        if not plain or star.args.get("replace") or star.args.get("rename"):
            return "EXCLUDE is known to agree only as SELECT * EXCLUDE (...) FROM one table"
    return None


def _join(node: exp.Expression) -> str | None:
    kind, method = node.args.get("kind") or "", node.args.get("method") or ""
    if kind.upper() not in _JOINS or method:
        return f"{method or kind} JOIN is not known to agree on both engines"
    return None


def _table(node: exp.Expression) -> str | None:
    if not isinstance(node.this, exp.Identifier):
        return "only tables and subqueries can be read"
    if node.args.get("db") and node.args["db"].name != "main":
        return "only the tables of this job can be read"
    others = {*node.args} - {"this", "alias", "db", "joins"}
    return "it is more than a table" if any(node.args[n] for n in others) else None


def _cast(node: exp.Expression) -> str | None:
    kind = node.args["to"].this
    if getattr(kind, "name", "") not in _KINDS:
        return "CAST to this type is not known to agree on both engines"
    return None


def _like(node: exp.Expression) -> str | None:
    pattern = node.args["expression"]
    if not pattern.is_string or "\\" in pattern.name:
        return "LIKE agrees with a pattern written in the query, without a backslash"
    return None


def _piece(node: exp.Expression) -> str | None:
    for name, least in (("start", 1), ("length", 0), ("expression", 0)):
        place = node.args.get(name)
        is_whole = isinstance(place, exp.Literal) and place.is_int
        if place is not None and not (is_whole and int(place.name) >= least):
            return "places and lengths agree only as whole numbers in the query, counted from 1"
    return None


def _trim(node: exp.Expression) -> str | None:
    if any(value for name, value in node.args.items() if name != "this"):
        return "only trim(text), which takes spaces away from both ends, is known to agree"
    return None


def _replace(node: exp.Expression) -> str | None:
    searched = node.args["expression"]
    if not (searched.is_string and searched.name):
        return "what is replaced must be a text in the query that is not empty"
    return None


def _no_more(*allowed: str) -> Callable[[exp.Expression], str | None]:
    """Return the rule that a function is used with these arguments alone."""

    def rule(node: exp.Expression) -> str | None:
        more = [name for name, value in node.args.items() if value and name not in allowed]
        return f"with {more[0].replace('_', ' ')} it is not known to agree" if more else None

    return rule


_RULES: tuple[tuple[type[exp.Expression], Callable[[exp.Expression], str | None]], ...] = (
    (exp.Select, _select),
    (exp.SetOperation, _no_more("this", "expression", "distinct", "with_", "side", "kind")),
    (exp.Join, _join),
    (exp.Table, _table),
    (exp.Cast, _cast),
    (exp.Like, _like),
    (exp.Substring, _piece),
    (exp.Left, _piece),
    (exp.Trim, _trim),
    (exp.Replace, _replace),
    (exp.Min, _no_more("this")),
    (exp.Max, _no_more("this")),
    (exp.With, _no_more("expressions")),
    (exp.Lag, _no_more("this", "offset", "default")),
    (exp.Lead, _no_more("this", "offset", "default")),
)


def functions() -> Iterator[str]:
    """Yield the names of the functions that agree, for the documentation and its test."""
    for known in _FUNCTIONS:
        yield str(known.sql_name()).lower()
