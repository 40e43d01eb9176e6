"""Numbers and words in one column: two features; each row has at most one of them."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sagetree.features.base import UNSEEN, Feature
from sagetree.features.category import Category, OneHot
from sagetree.features.number import Number, RuledNumber
from sagetree.tables.cells import NAN, Cell, MissingValues, WordError
from sagetree.tables.encoding import CellEncoder, Floats

# The word of code k is encoded as k + 2 times this, which no number reaches: float32
# ends below it. What is added makes a code of the word that training never saw.
_WORD, _FIRST = 2.0**128, 2.0
UNSEEN_WORD = (UNSEEN + _FIRST) * _WORD


class Mixed(Feature):
    """A number as a quantity, a word as a category; what a row has not is missing."""

    kind: Literal["mixed"] = "mixed"

    number: Number | RuledNumber
    words: Category | OneHot

    @property
    def names(self) -> tuple[str, ...]:
        """`column.number`, and `column.word` or one name per word: `column=word`."""
        words = self.words.names if isinstance(self.words, OneHot) else (f"{self.column}.word",)
        return (f"{self.column}.number", *words)

    @property
    def feature_types(self) -> tuple[str, ...]:
        """XGBoost's type of each produced feature."""
        return (*self.number.feature_types, *self.words.feature_types)

    def encoder(self, missing: MissingValues) -> CellEncoder:
        """Return the function cell -> number as the model is given it, or a word's code."""
        number, word = self.number.encoder(missing), self.words.encoder(missing)

        def encoder(cell: Cell) -> float:
            try:
                return number(cell)
            except WordError:
                return (word(cell) + _FIRST) * _WORD

        return encoder

    def expand(self, values: Floats) -> NDArray[np.float32]:
        """Return the number and the word's features (n, number of names)."""
        is_word = values >= UNSEEN_WORD
        numbers = np.where(is_word, NAN, values)
        words = np.where(is_word, values / _WORD - _FIRST, NAN)
        return np.concatenate([self.number.expand(numbers), self.words.expand(words)], axis=1)

    def restore(self, values: NDArray[np.float32]) -> NDArray[np.floating]:
        """Return the features with the numbers that the data hold."""
        numbers = self.number.restore(values[:, :1])
        return np.concatenate([numbers, values[:, 1:]], axis=1)

    def is_absent(self, values: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Say which rows have neither a number nor a known word."""
        return np.isnan(values[:, 0]) & self.words.is_absent(values[:, 1:])
