"""The keys a client or the user may ask for, and how a list of them is written."""

from sagetree.errors import quote

KEYS = ("predicted_label", "probability", "score", "threshold", "contributions", "reasons")

# What the official container answers, to clients that ask for nothing.
DEFAULT_KEYS = ("score",)


def parse_keys(text: str) -> tuple[str, ...]:
    """Return the keys in a comma list, in its order.

    >>> parse_keys("score, predicted_label")
    ('score', 'predicted_label')

    Raises ValueError, which says what is wrong, for an unknown or repeated key.
    """
    keys = tuple(key.strip() for key in text.split(","))
    for key in keys:
        if key not in KEYS:
            raise ValueError(f"{quote(key)} is none of {', '.join(KEYS)}")
        if keys.count(key) > 1:
            raise ValueError(f"{key} is asked for twice")
    return keys
