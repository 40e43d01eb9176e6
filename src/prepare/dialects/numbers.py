"""Spark SQL for values that Spark writes or rounds differently from DuckDB.

Each function takes an expression in Spark's SQL, whose type it does not know: typeof() tells
Spark, which drops the branches of other types before it runs anything.
"""

# Digits and a power of ten, as Spark writes 1.5E10, to 15000000000.0, and 1.5E16 to 1.5e+16.
# Every Java writes two digits where one would do; before 19 it may write some 16 where few would
# do, so that those end the job.
_SCIENTIFIC = """\
element_at(transform(array(named_struct(
  'sign', if(s LIKE '-%', '-', ''),
  'digits', regexp_replace(regexp_replace(substring_index(s, 'E', 1), '[-.]', ''), '0+$', ''),
  'power', CAST(substring_index(s, 'E', -1) AS INT))), long -> element_at(transform(array(
  named_struct('sign', long.sign, 'power', long.power, 'digits', regexp_replace(CASE
    WHEN length(long.digits) >= 16 THEN raise_error(concat(
      '\\'', s, '\\' has no text that is the same on both engines: round it, or name a key with
      --key'))
    WHEN length(long.digits) = 2 AND {one_digit}
      THEN CAST((CAST(long.digits AS INT) + 5) DIV 10 AS STRING)
    ELSE long.digits END, '0+$', ''))), n -> concat(n.sign, CASE
  WHEN n.power BETWEEN 0 AND 15 AND length(n.digits) <= n.power + 1
    THEN concat(rpad(n.digits, n.power + 1, '0'), '.0')
  WHEN n.power BETWEEN 0 AND 15
    THEN concat(left(n.digits, n.power + 1), '.', substr(n.digits, n.power + 2))
  WHEN n.power BETWEEN -4 AND -1
    THEN concat('0.', repeat('0', -n.power - 1), n.digits)
  ELSE concat(left(n.digits, 1), if(length(n.digits) > 1, '.', ''), substr(n.digits, 2), 'e',
    if(n.power < 0, '-', '+'), if(abs(n.power) < 10, '0', ''), CAST(abs(n.power) AS STRING)) END
  )), 1)), 1)"""

_ONE_DIGIT = """\
CAST(concat(CAST((CAST(long.digits AS INT) + 5) DIV 10 AS STRING), 'E',
      CAST(long.power AS STRING)) AS DOUBLE) = CAST(concat(left(long.digits, 1), '.',
      right(long.digits, 1), 'E', CAST(long.power AS STRING)) AS DOUBLE)"""

_TEXT = """\
CASE WHEN typeof({value}) = 'double' THEN {double} WHEN typeof({value}) = 'float'
  THEN raise_error('numbers of 32 bits have no text that is the same on both engines: CAST them to
  DOUBLE')
WHEN typeof({value}) = 'timestamp' THEN concat(CAST({value} AS STRING), '+00')
ELSE CAST({value} AS STRING) END"""

_NUMBER_TEXT = """\
element_at(transform(array(CAST({value} AS STRING)), s -> CASE s WHEN 'NaN' THEN 'nan'
WHEN 'Infinity' THEN 'inf' WHEN '-Infinity' THEN '-inf'
WHEN '9.9E-324' THEN '1e-323' WHEN '-9.9E-324' THEN '-1e-323' ELSE if(instr(s, 'E') = 0, s,
{scientific}) END), 1)"""

# To whole numbers DuckDB rounds: floating ones to even halves, decimal ones away from zero.
_WHOLE = """\
CASE WHEN typeof({value}) IN ('double', 'float')
  THEN CAST(rint(TRY_CAST(CAST({value} AS STRING) AS DOUBLE)) AS {kind})
WHEN typeof({value}) LIKE 'decimal%'
  THEN CAST(round(TRY_CAST(CAST({value} AS STRING) AS DECIMAL(38, 10)), 0) AS {kind})
ELSE CAST({value} AS {kind}) END"""

# Of text only what both engines take for the same.
_PATTERNS = {
    "DOUBLE": ("number", r"[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?"),
    "FLOAT": ("number", r"[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?"),
    "DATE": ("date such as 2026-01-31", r"(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "TIMESTAMP_NTZ": (
        "time such as 2026-01-31 13:45:00",
        r"(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?)?",
    ),
}

_CHECKED = """\
CASE WHEN typeof({value}) = 'string' AND NOT CAST({value} AS STRING) RLIKE '^({pattern})\\\\z'
  THEN raise_error(concat('\\'', CAST({value} AS STRING), '\\' is not a {what}'))
ELSE CAST({value} AS {kind}) END"""

# A moment and a number of any precision, as both engines read them.
_TIME = (
    r"(?!0000)[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T][0-9]{2}:[0-9]{2}"
    r"(:[0-9]{2}(\\.[0-9]+)?(Z|[+-](0[0-9]|1[0-7])(:?[0-9]{2})?)?)?)?"
)
_TRIED = "CASE WHEN {value} RLIKE '^({pattern})\\\\z' THEN TRY_CAST({value} AS {kind}) END"


def text_of(value: str) -> str:
    """Return the SQL of a value of any type as the text that DuckDB makes of it."""
    return _TEXT.format(value=value, double=number_text(value))


def number_text(value: str) -> str:
    """Return the SQL of a floating number of 64 bits as the text that DuckDB makes of it."""
    return _NUMBER_TEXT.format(value=value, scientific=_SCIENTIFIC.format(one_digit=_ONE_DIGIT))


def whole(value: str, kind: str) -> str:
    """Return the SQL of a value as a whole number of a kind, rounded as DuckDB does."""
    return _WHOLE.format(value=value, kind=kind)


def checked(value: str, kind: str) -> str:
    """Return the SQL of a value as another kind; text that DuckDB may read differently fails."""
    if kind not in _PATTERNS:
        return f"CAST({value} AS {kind})"
    what, pattern = _PATTERNS[kind]
    return _CHECKED.format(value=value, kind=kind, what=what, pattern=pattern)


def tried(value: str, kind: str) -> str:
    """Return the SQL of text as a time or an exact number, NULL where it is none to both."""
    pattern = _TIME if kind == "TIMESTAMP" else _PATTERNS["DOUBLE"][1]
    return _TRIED.format(value=value, kind=kind, pattern=pattern)
