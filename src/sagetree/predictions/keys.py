"""The keys a client or the user may ask for, and how a list of them is written."""

from dataclasses import dataclass

from sagetree.errors import quote

# The official container's keys for classes, then its one for other objectives, then our own.
KEYS = (
    "predicted_label", "labels", "probability", "probabilities", "raw_score", "raw_scores",
    "predicted_score", "score", "threshold", "contributions", "reasons", "model", "identifiers",
)  # fmt: skip

# What the official container answers, to clients that ask for nothing.
DEFAULT_KEYS = ("score",)

# Keys that need the contributions of the columns.
EXPLAINING = ("contributions", "reasons")


@dataclass(frozen=True)
class Output:
    """What an answer holds for each row; `top` bounds the columns in contributions (None: all)."""

    keys: tuple[str, ...]
    top: int | None = None

    @property
    def shows_cells(self) -> bool:
        """Whether an answer repeats cells of the request as they are written."""
        return "reasons" in self.keys


def parse_keys(text: str) -> tuple[str, ...]:
    """Return the keys in a comma list, in its order.

    >>> parse_keys("score, predicted_label")
    ('score', 'predicted_label')

    Raises ValueError, which says what is wrong, for an unknown or repeated key.
    """
    keys = tuple(key.strip().lower() for key in text.split(","))
    for key in keys:
        if key not in KEYS:
            raise ValueError(f"{quote(key)} is not one of {', '.join(KEYS)}")
        if keys.count(key) > 1:
            raise ValueError(f"{key} is given twice")
    return keys
