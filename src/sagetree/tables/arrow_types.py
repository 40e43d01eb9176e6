"""Which types of Arrow columns are text, and which hold cells at all."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def is_text(kind: "pa.DataType") -> bool:
    """Say whether cells of this type are text; codes of a list of words are not."""
    import pyarrow as pa

    types = pa.types
    return any(
        test(kind) for test in (types.is_string, types.is_large_string, types.is_string_view)
    )


def unreadable(kind: "pa.DataType") -> str:
    """Return the words for cells that cannot be read, "" for text, numbers, booleans and moments.

    Codes are what the words are that they stand for.
    """
    import pyarrow as pa

    types = pa.types
    value = kind.value_type if types.is_dictionary(kind) else kind
    readable = (
        is_text, types.is_boolean, types.is_integer, types.is_floating, types.is_decimal,
        types.is_date, types.is_timestamp, types.is_null,
    )  # fmt: skip
    if any(test(value) for test in readable):
        return ""
    return f"of type {kind}, not text, numbers or dates"
