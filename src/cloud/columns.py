"""The columns of the deployed model, as the parameter /STACK/columns holds them.

The function `deploy` writes them; `score` sends these fields of a claim and no others, and
describes its API by them. Neither needs the model's own files for that, nor what reads them.
"""

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sagetree.tables.schema import Kind

# What a parameter of the standard tier holds, and one of the advanced tier.
STANDARD_CHARACTERS = 4096
ADVANCED_CHARACTERS = 8192

# Parameter Store takes no value with {{ and }} in it. These stand for a brace: JSON's own way to
# write it, and in packed text a character that base 85 does not use.
_BRACE = r"\u007b"
_PACKED_BRACE = "."

# As many of a column's categories are told, as examples.
CATEGORIES_TOLD = 5


class ColumnNote(NamedTuple):
    """A column that a claim has to hold, or may hold: where `required` is False."""

    name: str
    kind: "Kind"
    required: bool
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class InputColumns:
    """The columns that a model is sent, in its order."""

    notes: tuple[ColumnNote, ...]

    @classmethod
    def of_schema(cls, schema: bytes) -> "InputColumns":
        """Return the columns of a bundle's sagetree/schema.json."""
        from sagetree.tables.schema import Schema  # takes half a second, and deploy alone needs it

        columns = Schema.model_validate_json(schema).columns
        return cls(
            tuple(
                ColumnNote(c.name, c.kind, c.is_input, tuple(c.categories[:CATEGORIES_TOLD]))
                for c in columns
                if c.is_input or c.kind == "base_margin"
            )
        )

    @classmethod
    def of_text(cls, text: str) -> "InputColumns | None":
        """Return the columns in the text of a parameter, None where it holds none yet."""
        try:
            content = json.loads(text if text.startswith("[") else _unpacked(text))
            notes = tuple(
                ColumnNote(name, kind, bool(required), tuple(categories))
                for name, kind, required, *categories in content
            )
        except (ValueError, TypeError, zlib.error):  # of another hand, too
            return None
        return cls(notes) if notes else None

    @cached_property
    def names(self) -> frozenset[str]:
        """Their names, to be searched."""
        return frozenset(note.name for note in self.notes)

    def to_text(self) -> str:
        """Return the text for the parameter: JSON, packed where it would be too long.

        Raises ValueError where no parameter holds so many columns.
        """
        texts = (self._json(CATEGORIES_TOLD), self._json(0), _packed(self._json(0)))
        for text in texts:
            if len(text) <= STANDARD_CHARACTERS:
                return text
        if len(texts[-1]) <= ADVANCED_CHARACTERS:
            return texts[-1]
        raise ValueError(
            f"the names of {len(self.notes)} columns take {len(texts[-1])} characters, packed, and "
            f"a parameter holds {ADVANCED_CHARACTERS}"
        )

    def _json(self, categories: int) -> str:
        rows: Sequence[Sequence[object]] = [
            [note.name, note.kind, int(note.required), *note.categories[:categories]]
            for note in self.notes
        ]
        text = json.dumps(rows, separators=(",", ":"), ensure_ascii=False)
        return text.replace("{", _BRACE)  # which stands in names and categories alone


def _packed(text: str) -> str:
    packed = base64.b85encode(zlib.compress(text.encode(), 9)).decode()
    return packed.replace("{", _PACKED_BRACE)


def _unpacked(text: str) -> str:
    return zlib.decompress(base64.b85decode(text.replace(_PACKED_BRACE, "{"))).decode()
