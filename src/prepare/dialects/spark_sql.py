"""SQL in DuckDB's dialect to Spark's, with DuckDB's meaning."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlglot
from sqlglot import exp

from sagetree.prepare.dialects.numbers import checked, number_text, text_of, tried, whole

# Spark's temporary views have no schemas: the user's tables keep their names.
_USERS = "main"

_KINDS = {
    "VARCHAR": "STRING",
    "TEXT": "STRING",
    "INT": "INT",
    "BIGINT": "BIGINT",
    "SMALLINT": "SMALLINT",
    "TINYINT": "TINYINT",
    "DOUBLE": "DOUBLE",
    "FLOAT": "FLOAT",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    "TIMESTAMPNTZ": "TIMESTAMP_NTZ",
    "TIMESTAMPTZ": "TIMESTAMP",
}
_WHOLE = frozenset({"INT", "BIGINT", "SMALLINT", "TINYINT"})

# What DuckDB trims: spaces of every width, but neither tabs nor line ends.
_SPACES = r"'^\\p{Zs}+|\\p{Zs}+\\z'"

# Letters whose case the two engines change alike.
_ALIKE = r"'[^\\x00-\\xB4\\xB6-\\xDE\\xE0-\\xFE]'"

# Of windows, what Spark counts in 32 bits.
_PLACES = (exp.RowNumber, exp.Rank, exp.DenseRank)

# A function of ours, for floating numbers as the text that DuckDB makes of them.
DOUBLE_TEXT = "double_text"

# The names of a table's columns, the table being given as `view_name` gives it.
Columns = Callable[[str], Sequence[str]]


def view_name(table: exp.Table) -> str:
    """Return what a table is called in Spark."""
    return table.name if table.db in ("", _USERS) else f"sagetree {table.db} {table.name}"


def parse(sql: str, values: Sequence[object] = ()) -> exp.Expression:
    """Return a statement in DuckDB's dialect, its question marks replaced by `values`."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    marks = [*tree.find_all(exp.Placeholder, bfs=False)]
    for mark, value in zip(marks, values, strict=True):
        mark.replace(_literal(value))
    return tree


def spark_sql(tree: exp.Expression, columns: Columns, *, any_type: bool = False) -> str:
    """Return a query as Spark's SQL; `columns` are those of a table that EXCLUDE leaves some of.

    `any_type` says that it is a user's, whose casts may be of any type: ours are
    of text and of whole numbers.
    """
    rewriting = _Rewriting(columns, any_type)
    root = exp.Paren(this=tree.copy())
    for node in reversed([*root.walk()]):
        if node is not root and (new := rewriting.of(node)) is not None:
            node.replace(new)
    return str(root.this.sql("spark"))


@dataclass(frozen=True)
class _Rewriting:
    """How DuckDB's expressions are written in Spark's SQL."""

    columns: Columns
    any_type: bool

    def of(self, node: exp.Expression) -> exp.Expression | None:
        """Return what stands for a node whose children are rewritten already; None for itself."""
        match node:
            case exp.Table():
                name = exp.to_identifier(view_name(node), quoted=True)
                return exp.Table(this=name, alias=node.args.get("alias"))
            case exp.TryCast() | exp.Cast():
                return self._cast(node)
            case exp.Concat():
                parts = [f"coalesce({self._text(part)}, '')" for part in node.expressions]
                return _made(f"concat({', '.join(parts)})", is_text=True)
            case exp.DPipe():
                both = (self._text(side) for side in (node.left, node.right))
                return _made(f"concat({', '.join(both)})", is_text=True)
            case exp.Div():
                sides = (f"CAST({side.sql('spark')} AS DOUBLE)" for side in (node.left, node.right))
                return _made(f"({' / '.join(sides)})")
            case exp.Trim():
                trimmed = f"regexp_replace({self._text(node.this)}, {_SPACES}, '')"
                return _made(trimmed, is_text=True)
            case exp.Lower() | exp.Upper() if self.any_type:
                return self._case_changed(node)
            case exp.Length() | exp.Year() | exp.Month() | exp.Day():
                return _made(f"CAST({node.sql('spark')} AS BIGINT)")
            case exp.Window() if isinstance(node.this, _PLACES):
                return _made(f"CAST({node.sql('spark')} AS BIGINT)")
            case exp.RegexpFullMatch():
                pattern = exp.Literal.string(f"^(?:{node.expression.name})\\z").sql("spark")
                return _made(f"({node.this.sql('spark')} RLIKE {pattern})")
            case exp.Anonymous() if node.name == DOUBLE_TEXT:
                cell = node.expressions[0].sql("spark")
                return _made(number_text(cell), is_text=True)
            case exp.Select():
                return _without_exclude(node, self.columns)
        return None

    def _cast(self, node: exp.Cast) -> exp.Expression:
        value = node.this.sql("spark")
        spark = _KINDS.get(node.to.this.name, node.to.sql("spark"))
        if isinstance(node, exp.TryCast):
            tries = spark not in _WHOLE
            return _made(tried(value, spark) if tries else f"TRY_CAST({value} AS {spark})")
        if spark == "STRING":
            return _made(self._text(node.this), is_text=True)
        if not self.any_type:
            # Keys that are whole numbers may be written 7.0.
            is_text = spark in _WHOLE and node.this.meta.get("text")
            whole_text = f"regexp_replace({value}, '\\\\.0+\\\\z', '')"
            return _made(f"CAST({whole_text if is_text else value} AS {spark})")
        return _made(whole(value, spark) if spark in _WHOLE else checked(value, spark))

    def _text(self, node: exp.Expression) -> str:
        """Return the SQL of a value as text; what is text already stays as it is."""
        value = str(node.sql("spark"))
        if node.is_string or node.meta.get("text"):
            return value
        return f"({text_of(value)})" if self.any_type else f"CAST({value} AS STRING)"

    def _case_changed(self, node: exp.Expression) -> exp.Expression:
        value, name = self._text(node.this), node.key
        said = f"'{name}() of a text with letters beyond Latin-1: \\'', {value}, '\\''"
        return _made(
            f"CASE WHEN {value} RLIKE {_ALIKE} THEN raise_error(concat({said})) "
            f"ELSE {name}({value}) END",
            is_text=True,
        )


def _made(sql: str, *, is_text: bool = False) -> exp.Expression:
    """Return an expression that is Spark's SQL already."""
    made = exp.Var(this=sql)
    made.meta["text"] = is_text
    return made


def _without_exclude(node: exp.Select, columns: Columns) -> exp.Expression | None:
    """Spell out `* EXCLUDE (a)` of a table alone, which Spark knows from its version 4 on."""
    star = next((item for item in node.expressions if item.is_star), None)
    left_out = star.args.get("except_") if isinstance(star, exp.Star) else None
    if not left_out:
        return None
    gone = {column.name.lower() for column in left_out}
    table = node.args["from_"].this
    kept = [name for name in columns(table.name) if name.lower() not in gone]
    quoted = [exp.column(exp.to_identifier(name, quoted=True)) for name in kept]
    node.set("expressions", quoted)
    return node


def _literal(value: object) -> exp.Expression:
    if isinstance(value, datetime):
        kind = "TIMESTAMPTZ" if value.tzinfo else "TIMESTAMP"
        return exp.cast(exp.Literal.string(value.isoformat(" ")), kind)
    if isinstance(value, date):
        return exp.cast(exp.Literal.string(value.isoformat()), "DATE")
    if isinstance(value, str):
        return exp.Literal.string(value)
    return exp.convert(value)
