"""The columns that folders called key=value give to their files, as Hive and Glue write them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import PurePath

from sagetree.files.finding import partition
from sagetree.prepare.stores.columns import check_same_columns, tell_added
from sagetree.prepare.stores.feature_store import is_feature_store

Values = Mapping[str, str | None]


def folder_values(columns: Mapping[str, Sequence[str]]) -> dict[str, Values]:
    """Return for each file, named with its table's folder first, the columns its folders give.

    `columns` are those in the file, which count where a folder gives one of
    that name too.
    """
    found: dict[str, Values] = {}
    for name, own in columns.items():
        taken = {column.lower() for column in own}
        pairs = partition(str(PurePath(*PurePath(name).parts[1:])))
        found[name] = {key: value for key, value in pairs.items() if key.lower() not in taken}
    return found


def columns_by_folder(
    table: str, own: Mapping[str, Sequence[str]], *, only_repeated: bool = False
) -> Mapping[str, Values]:
    """Return for each file of a table the columns its folders give: of a store none.

    A store's folders only repeat cells, as do those of a table that is `only_repeated`. The files
    of a store need not have the same columns, given in `own`: a feature that was added later is
    missing in earlier ones. Raises DataError for those of another table that have different ones.
    """
    if only_repeated or is_feature_store(own.values()):
        tell_added(table, own)
        return {name: {} for name in own}
    values = folder_values(own)
    columns: dict[str, Sequence[str]] = {}
    for name in own:
        columns[name] = [*own[name], *values[name]]
        check_same_columns(columns)
    return values


def groups(values: Mapping[str, Values]) -> Iterable[tuple[Values, Sequence[str]]]:
    """Yield the files that are next to each other and have the same values, with these."""
    for _, names in groupby(values, key=lambda name: sorted(values[name].items(), key=repr)):
        files = list(names)
        yield values[files[0]], files


def all_whole(texts: Iterable[str | None]) -> bool:
    """Say whether texts are whole numbers of 64 bits, written as such: no 09, which is text."""
    given = [text for text in texts if text is not None]
    return bool(given) and all(_is_whole(text) for text in given)


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 20):
        return False
    return str(int(text)) == text and -(2**63) <= int(text) < 2**63
