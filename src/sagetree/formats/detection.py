"""What a data file is: by what its channel promises, else by its first bytes."""

import re
from codecs import BOM_UTF8
from typing import Literal, get_args

from sagetree.errors import DataError

Format = Literal["csv", "parquet", "jsonlines", "libsvm", "recordio"]

FORMATS: tuple[Format, ...] = get_args(Format)

BINARY: tuple[Format, ...] = ("parquet", "recordio")

TITLES = {
    "csv": "CSV",
    "parquet": "a Parquet file",
    "jsonlines": "JSON Lines",
    "libsvm": "libsvm text",
    "recordio": "a RecordIO file",
}

_MAGIC: dict[bytes, Format] = {b"PAR1": "parquet", b"\x0a\x23\xd7\xce": "recordio"}

HINT = "Put CSV (UTF-8), Parquet, JSON Lines, libsvm or recordio-protobuf files there"
_DOCUMENT = "a JSON document"
_PACKED = ("a bzip2 file", "an xz file", "a 7z archive", "an lz4 file")
_HINTS = {
    "a gzip file": "Let its name end in .gz if it holds data",
    "a zstd file": "Let its name end in .zst if it holds data",
    **dict.fromkeys(_PACKED, "Unpack it, or pack it with gzip (.gz) or zstd (.zst)"),
    _DOCUMENT: "Write JSON Lines: one record a line, without a list around them",
}

_OTHER_MAGIC = {
    b"\x1f\x8b": "a gzip file",
    b"PK\x03\x04": "a zip or Excel file",
    b"\xfd7zXZ\x00": "an xz file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x04\x22\x4d\x18": "an lz4 file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"\x89PNG": "a PNG image",
    b"%PDF": "a PDF document",
    b"\x80": "a Python pickle",
    b"ARROW1": "an Arrow file",
    b"Obj\x01": "an Avro file",
    b'[{"': _DOCUMENT,
    b"[\n": _DOCUMENT,
    b"<?xml": "XML",
}

# What all bzip2 files have in common, behind the digit that is their block's size.
_BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")

_POINTER = b"version https://git-lfs"

# Pages begin so, in any case and behind any blanks.
_HTML = (b"<!doctype html", b"<html")

# What libsvm's lines consist of, a value being left out by mistake. Text of another format has
# no cell like a pair.
_LABEL = re.compile(rb"[-+.\deEnaif]+(:[-+.\deE]+)?")
_PAIR = re.compile(rb"(qid|\d+):[-+.\deEnaif]*")

# From here on the beginning of a file may end inside of a line.
LONG_HEAD = 1024


# This many lines must be libsvm before a file that promises nothing is taken for it.
_SAMPLE_LINES = 20


def find_format(head: bytes, name: str, promised: Format | None) -> Format:
    """Return what a file is whose first bytes are `head`.

    Text may be anything that the channel promises. Raises DataError for what is
    none of ours, and where a promise is broken.
    """
    refuse_stand_in(head, name)
    if kind := _foreign(head):
        raise DataError(f"this is {kind}", where=name, hint=_HINTS.get(kind, HINT))
    found = _by_content(head)
    if promised is None or promised == found:
        return found
    if found in BINARY or promised in BINARY:
        what = TITLES[found] if found in BINARY else f"not {TITLES[promised]}"
        hint = f"Its channel's ContentType promises {promised}: correct one or the other"
        raise DataError(f"this is {what}", where=name, hint=hint)
    return promised


def _foreign(head: bytes) -> str:
    """Return what a file is that is none of ours, "" where nothing says so."""
    if _BZIP2.match(head):
        return "a bzip2 file"
    return next((kind for magic, kind in _OTHER_MAGIC.items() if head.startswith(magic)), "")


def refuse_stand_in(head: bytes, name: str) -> None:
    """Raise DataError for text that stands where the data should: their pointer, or a page."""
    if head.startswith(_POINTER):
        raise DataError(
            "this is a Git LFS pointer, not the file it stands for",
            where=name,
            hint="Fetch the data (git lfs pull), and upload them again",
        )
    if head.removeprefix(BOM_UTF8).lstrip()[:20].lower().startswith(_HTML):
        raise DataError(
            "this is an HTML page",
            where=name,
            hint="Download the data again: a page of the site was saved instead",
        )


def _by_content(head: bytes) -> Format:
    for magic, format in _MAGIC.items():  # noqa: A001
        if head.startswith(magic):
            return format
    text = head.removeprefix(BOM_UTF8).lstrip()
    if text.startswith((b"{", b"[")):
        return "jsonlines"
    return "libsvm" if _is_libsvm(text) else "csv"


def _is_libsvm(text: bytes) -> bool:
    """Say whether the first lines are libsvm. The last word of `text` may be cut off."""
    words = [line.partition(b"#")[0].split() for line in text.splitlines()[: _SAMPLE_LINES + 1]]
    lines = [line for line in words if line]
    if len(lines) > _SAMPLE_LINES:
        lines.pop()
    elif lines and len(text) > LONG_HEAD:
        lines[-1].pop()
    pairs = [word for line in lines for word in line[1:]]
    return (
        any(map(_PAIR.fullmatch, pairs))
        and all(map(_PAIR.fullmatch, pairs))
        and all(_LABEL.fullmatch(line[0]) for line in lines if line)
    )
