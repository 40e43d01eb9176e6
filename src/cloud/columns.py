"""The columns of the deployed model, as the parameter /STACK/columns holds them.

The function `deploy` writes them; `score` sends these fields of a claim and no others, and
describes its API by them. Neither needs the model's own files for that, nor what reads them.
"""

import base64
import json
import math
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

# At most this many of a column's categories are listed, as examples.
CATEGORIES_TOLD = 5

# What stands in the text in place of a column's kind, for the label.
_LABEL = "label"


class ColumnNote(NamedTuple):
    """A column that a claim has to hold, or may hold: where `required` is False."""

    name: str
    kind: "Kind"
    required: bool
    categories: tuple[str, ...] = ()


class LabelNote(NamedTuple):
    """What the model predicts: one of these classes, as texts; a number where there are none."""

    name: str
    classes: tuple[str, ...]

    def holds(self, value: object) -> bool:
        """Return whether this may be a label.

        >>> LabelNote("fraud", ("0", "1")).holds(1.0), LabelNote("fraud", ("0", "1")).holds("yes")
        (True, False)
        """
        if self.classes:
            return _spelled(value) in self.classes
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and math.isfinite(float(str(value)))

    def spelled(self, value: object) -> str | float:
        """Return a label that it holds as all are kept: the text of a class, or a float.

        >>> LabelNote("fraud", ("0", "1")).spelled(1.0), LabelNote("cost", ()).spelled(7)
        ('1', 7.0)
        """
        return _spelled(value) if self.classes else float(str(value))


@dataclass(frozen=True)
class InputColumns:
    """The columns that a model is sent, in its order, and its label where it is one column."""

    notes: tuple[ColumnNote, ...]
    label: LabelNote | None = None

    @classmethod
    def of_schema(cls, schema: bytes) -> "InputColumns":
        """Return the columns of a bundle's sagetree/schema.json."""
        from sagetree.tables.schema import Schema  # takes half a second, and deploy alone needs it

        read = Schema.model_validate_json(schema)
        label = read.label
        notes = tuple(
            ColumnNote(c.name, c.kind, c.is_input, tuple(c.categories[:CATEGORIES_TOLD]))
            for c in read.columns
            if c.is_input or c.kind == "base_margin"
        )
        if label is None or len(label.columns) != 1:
            return cls(notes)
        return cls(notes, LabelNote(label.name, label.classes))

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
        label = next((LabelNote(n.name, n.categories) for n in notes if n.kind == _LABEL), None)
        notes = tuple(note for note in notes if note.kind != _LABEL)
        return cls(notes, label) if notes else None

    @cached_property
    def names(self) -> frozenset[str]:
        """Their names, to be searched."""
        return frozenset(note.name for note in self.notes)

    def to_text(self) -> str:
        """Return the text for the parameter: JSON, packed where it would be too long.

        Raises ValueError where no parameter holds this many columns.
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
        rows: list[Sequence[object]] = [
            [note.name, note.kind, int(note.required), *note.categories[:categories]]
            for note in self.notes
        ]
        if self.label:
            rows.append([self.label.name, _LABEL, 0, *self.label.classes])
        text = json.dumps(rows, separators=(",", ":"), ensure_ascii=False)
        return text.replace("{", _BRACE)  # which stands in names and categories alone


def _spelled(value: object) -> str:
    """Return a value of JSON as a table has it."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _packed(text: str) -> str:
    packed = base64.b85encode(zlib.compress(text.encode(), 9)).decode()
    return packed.replace("{", _PACKED_BRACE)


def _unpacked(text: str) -> str:
    return zlib.decompress(base64.b85decode(text.replace(_PACKED_BRACE, "{"))).decode()
