"""Which of a label's two values is the positive one: one rule for every program."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sagetree.errors import quote

_YES = frozenset({"1", "+1", "true", "yes"})
_NO = frozenset({"0", "false", "no"})

# Yes and no as they are written elsewhere, with the language's letters; a word alone means little:
# "da" and "non" are words of many languages, "N" may be north.
_YES_AND_NO = frozenset(
    {
        ("y", "n"), ("t", "f"),
        ("ja", "nein"), ("ja", "nee"), ("ja", "nej"), ("ja", "nei"), ("j", "n"),
        ("oui", "non"), ("o", "n"), ("sim", "não"), ("sim", "nao"), ("s", "n"),
        ("tak", "nie"), ("da", "ne"), ("da", "net"), ("da", "nu"), ("да", "нет"),
    }
)  # fmt: skip

# From this share on, the rarer of two values is only by chance the rarer one.
EVEN_SHARE = 0.45


class Positive(NamedTuple):
    """The positive value of a label and the other one, and in words why it is that.

    `by_order` says that nothing but the order of the two decided.
    """

    value: str
    negative: str
    why: str
    by_order: bool = False

    def doubt(self, label: str, setting: str) -> str:
        """Return the warning for a label where order decided; `setting` is what would."""
        return (
            f"The values {quote(self.negative)} and {quote(self.value)} of the label "
            f"{quote(label)} are about equally frequent, and {quote(self.value)}, the second in "
            f"order, is taken as positive: set {setting} to the one that is"
        )


def find_positive(counts: Mapping[str, int]) -> Positive:
    """Return the positive one of two values, given with the number of rows of each.

    >>> find_positive({"legit": 960, "fraud": 40}).value
    'fraud'
    >>> find_positive({"yes": 960, "no": 40}).value
    'yes'
    >>> find_positive({"Y": 960, "N": 40}).value
    'Y'
    """
    first, second = in_order(counts)
    for value, other in ((first, second), (second, first)):
        pair = value.lower(), other.lower()
        if pair in _YES_AND_NO or _says(_YES, *pair) or _says(_NO, *reversed(pair)):
            return Positive(value, other, "the usual word")
    if min(counts.values()) >= EVEN_SHARE * sum(counts.values()):
        return Positive(second, first, "the second in order", by_order=True)
    rarer, other = sorted(counts, key=lambda value: counts[value])
    return Positive(rarer, other, "the rarer one")


def _says(words: frozenset[str], value: str, other: str) -> bool:
    return value in words and other not in words


def in_order(values: Iterable[str]) -> list[str]:
    """Return values in their order: numbers as numbers, before words."""
    return sorted(values, key=_order)


def _order(text: str) -> tuple[bool, float, str]:
    try:
        return False, float(text), text
    except ValueError:
        return True, 0.0, text
