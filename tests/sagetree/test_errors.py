"""What an error says: what is wrong, where, and what to do; short, and on one line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sagetree.errors
from sagetree.errors import (
    VALUE_LENGTH,
    VIOLATIONS_SHOWN,
    ArtifactError,
    DataError,
    DecodingError,
    NotAcceptableError,
    NotReadyError,
    PayloadTooLargeError,
    PlatformError,
    RequestError,
    SagetreeError,
    SchemaError,
    SettingsError,
    UnsupportedMediaTypeError,
    UserError,
    Violation,
    quote,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Collision", "'Collision'"),
        (" ", "' '"),
        ("", "''"),
        (31, "'31'"),
        (None, "'None'"),
        ("a'b", '"a\'b"'),
        ("two\nlines", r"'two\nlines'"),
        ("größe", "'größe'"),
        ("x" * 40, f"'{'x' * 40}'"),
        ("x" * 41, f"'{'x' * 39}…'"),
    ],
)
def test_a_value_is_quoted_and_cut(value: object, text: str) -> None:
    assert quote(value) == text


@given(st.text(max_size=200))
def test_any_value_stays_short_and_on_one_line(value: str) -> None:
    text = quote(value)
    assert "\n" not in text
    assert "\r" not in text
    # no character of the value beyond the 40th is shown, whatever its escape
    assert text == repr(value if len(value) <= VALUE_LENGTH else value[: VALUE_LENGTH - 1] + "…")


@pytest.mark.parametrize(
    ("where", "hint", "text"),
    [
        ("", "", "the file is empty"),
        ("a.csv", "", "a.csv: the file is empty"),
        ("", "Fill it", "the file is empty. Fill it"),
        ("a.csv", "Fill it", "a.csv: the file is empty. Fill it"),
    ],
)
def test_place_message_and_remedy_stand_on_one_line(where: str, hint: str, text: str) -> None:
    error = DataError("the file is empty", where=where, hint=hint)
    assert str(error) == text
    assert (error.message, error.where, error.hint) == ("the file is empty", where, hint)


@pytest.mark.parametrize("message", ["it ends.", "it ends"])
def test_a_message_before_a_hint_ends_with_one_stop(message: str) -> None:
    assert str(DataError(message, hint="Fill it")) == "it ends. Fill it"


@pytest.mark.parametrize(
    ("kind", "family", "status"),
    [
        (UserError, SagetreeError, 400),
        (SettingsError, UserError, 400),
        (DataError, UserError, 400),
        (ArtifactError, UserError, 400),
        (RequestError, UserError, 400),
        (DecodingError, RequestError, 400),
        (UnsupportedMediaTypeError, RequestError, 415),
        (NotAcceptableError, RequestError, 406),
        (PayloadTooLargeError, RequestError, 413),
        (NotReadyError, RequestError, 503),
        (PlatformError, SagetreeError, 500),
    ],
)
def test_families_and_statuses(
    kind: type[SagetreeError], family: type[SagetreeError], status: int
) -> None:
    error = kind("it is wrong")
    assert isinstance(error, family)
    assert error.status == status
    assert not (issubclass(kind, UserError) and issubclass(kind, PlatformError))


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = set(re.findall(r"\b[A-Z]\w+Error\b", str(sagetree.errors.__doc__)))
    defined = {
        name
        for name, kind in vars(sagetree.errors).items()
        if isinstance(kind, type) and issubclass(kind, Exception)
    }
    assert drawn == defined


@pytest.mark.parametrize(
    ("violation", "text"),
    [
        (Violation("age", "is missing"), "column 'age' is missing"),
        (Violation("age", "'x' is text", 3, "row 4"), "row 4, column 'age': 'x' is text"),
        (Violation("a" * 50, "is unknown"), f"column '{'a' * 39}…' is unknown"),
    ],
)
def test_a_violation_names_its_place(violation: Violation, text: str) -> None:
    assert str(violation) == text


def test_a_schema_error_shows_the_first_violation_and_counts_the_others() -> None:
    violations = [Violation("age", "'x' is text", row, f"line {row + 2}") for row in range(100)]
    error = SchemaError(violations, hint="Correct it")
    assert str(error) == "line 2, column 'age': 'x' is text (and 99 more like it). Correct it"
    assert error.violations == tuple(violations[:VIOLATIONS_SHOWN])
    assert error.status == 422


@pytest.mark.parametrize(
    ("violation", "where", "message"),
    [
        (Violation("age", "is missing"), "", "column 'age' is missing"),
        (Violation("", "there are 2 columns", where="line 1"), "line 1", "there are 2 columns"),
        (Violation("", "there are 2 columns"), "", "there are 2 columns"),
    ],
)
def test_a_schema_error_of_one_violation(violation: Violation, where: str, message: str) -> None:
    error = SchemaError([violation], hint="")
    assert (error.where, error.message) == (where, message)


def test_a_schema_error_names_whole_columns_in_one_sentence() -> None:
    missing = [Violation(f"c{number}", "is missing") for number in range(12)]
    other = [
        Violation("x", "is unknown"),
        Violation("a", "holds dates"),
        Violation("b", "holds dates"),
    ]
    listed = ", ".join(f"'c{number}'" for number in range(10))
    assert SchemaError([*missing, *other], hint="").message == (
        f"columns {listed} and 2 more are missing; column 'x' is unknown; "
        "columns 'a', 'b' hold dates"
    )


def test_an_error_is_raised_from_its_cause() -> None:
    cause = ValueError("deep inside")
    with pytest.raises(PlatformError) as caught:
        raise PlatformError("it is full", where="/opt/ml") from cause
    assert caught.value.__cause__ is cause
