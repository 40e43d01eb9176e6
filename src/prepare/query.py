"""The user's SQL: one SELECT in a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb

from sagetree.errors import SettingsError

_HINT = "Name a file with one SELECT with --sql"


@dataclass(frozen=True)
class Query:
    """One SELECT without the semicolon at its end, the name of its file, the words in it."""

    text: str
    name: str
    words: frozenset[str]

    def mentions(self, table: str) -> bool:
        """Say whether the query may read `table`; sure only if it says no."""
        return table.lower() in self.words


def read_query(path: Path) -> Query:
    """Return the query in the file. Raises SettingsError for what is not one SELECT."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = f"the file cannot be read: {error.strerror}"
        raise SettingsError(reason, where=str(path), hint=_HINT) from error
    except UnicodeDecodeError as error:
        hint = "Save the file as UTF-8"
        raise SettingsError("the text is not UTF-8", where=path.name, hint=hint) from error
    try:
        with duckdb.connect() as connection:
            statements = connection.extract_statements(text)
    except duckdb.Error as error:
        reason = "; ".join(filter(None, str(error).splitlines()[:3]))  # with the line it means
        raise SettingsError(reason, where=path.name, hint="Correct the query") from error
    if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
        count = len(statements)
        reason = "the statement is not a SELECT" if count == 1 else f"there are {count} statements"
        raise SettingsError(reason, where=path.name, hint=_HINT)
    return Query(_without_end(text), path.name, frozenset(_words(text)))


def _without_end(text: str) -> str:
    """Return the text up to the semicolon that ends its statement: it goes into another one."""
    encoded = text.encode()
    ends = (at for at, _ in duckdb.tokenize(text) if encoded[at : at + 1] == b";")
    return encoded[: next(ends, None)].decode()


def _words(text: str) -> Iterator[str]:
    """Yield the names in a text, unquoted and in small letters; keywords too, as some are names."""
    encoded = text.encode()
    tokens = [*duckdb.tokenize(text), (len(encoded), duckdb.token_type.comment)]
    for (start, kind), (end, _) in pairwise(tokens):
        if kind in (duckdb.token_type.identifier, duckdb.token_type.keyword):
            word = encoded[start:end].decode().strip().lower()
            yield word[1:-1].replace('""', '"') if word.startswith('"') else word
