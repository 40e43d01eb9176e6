"""Casts as Spark makes them, which Data Wrangler runs on: other values become missing.

Source: Apache Spark 3, UTF8String.toLong and Cast: text to a whole number drops a fraction.
"""

from sagetree.prepare.flow.relation import Kind, StepError

SQL_TYPES = {"long": "BIGINT", "float": "DOUBLE", "string": "VARCHAR", "bool": "BOOLEAN"}

_WHOLE = r"^\s*([+-]?[0-9]+)(\.[0-9]*)?\s*$"
_FRACTION = r"\s*[+-]?\.[0-9]+\s*"
_DECIMAL = r"^\s*[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?)\s*$"
_TRUE = "('t', 'true', 'y', 'yes', '1')"
_FALSE = "('f', 'false', 'n', 'no', '0')"


def cast_cell(cell: str, kind: Kind, wanted: Kind) -> str:
    """Return the SQL of a cell as another kind. Raises StepError for casts that are not known."""
    if wanted in (kind, "object"):
        return cell
    if kind == "object" or (kind, wanted) == ("float", "string"):
        raise StepError(
            f"a cast from {kind} to {wanted} is not supported",
            "Leave the step out of the flow, or prepare the column with a query (--sql)",
        )
    if kind == "string":
        return _from_text(cell, wanted)
    if wanted == "bool":
        return f"({cell} <> 0)"
    if (kind, wanted) == ("float", "long"):
        return f"TRY_CAST(trunc({cell}) AS BIGINT)"
    return f"CAST({cell} AS {SQL_TYPES[wanted]})"


def _from_text(cell: str, wanted: Kind) -> str:
    if wanted == "long":
        digits = f"nullif(regexp_extract({cell}, '{_WHOLE}', 1), '')"
        whole = f"TRY_CAST({digits} AS BIGINT)"
        return f"CASE WHEN regexp_full_match({cell}, '{_FRACTION}') THEN 0 ELSE {whole} END"
    if wanted == "float":
        number = f"regexp_extract({cell}, '{_DECIMAL}', 0)"
        made = f"TRY_CAST(nullif(trim({number}, ' \t\r\n'), '') AS DOUBLE)"
        return f"CASE WHEN isfinite({made}) THEN {made} END"
    text = f"lower(trim({cell}))"
    return f"CASE WHEN {text} IN {_TRUE} THEN true WHEN {text} IN {_FALSE} THEN false END"


def as_text(cell: str, kind: Kind) -> str:
    """Return the SQL of a cell as text, as Spark writes it. Raises StepError as `cast_cell`."""
    return cast_cell(cell, kind, "string")


def kind_of(sql_type: str) -> Kind:
    """Return what Data Wrangler calls a type of the database."""
    if sql_type in (
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
    ):
        return "long"
    if sql_type in ("FLOAT", "DOUBLE"):
        return "float"
    if sql_type == "VARCHAR":
        return "string"
    return "bool" if sql_type == "BOOLEAN" else "object"
