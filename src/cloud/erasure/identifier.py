"""The policy that is to be forgotten, as files and records name it."""

import re
from dataclasses import dataclass

_WHOLE = re.compile(r"(-?\d+)\.0+")


@dataclass(frozen=True)
class Identifier:
    """A policy's identifier, by its text, in the column `field`."""

    field: str
    key: str

    def is_in(self, value: object) -> bool:
        """Return whether a cell names the policy: 7, "7" and 7.0 are one.

        >>> policy = Identifier("policy_id", "7")
        >>> [policy.is_in(value) for value in (7, " 7", 7.0, "7.00", "07", None, True)]
        [True, True, True, True, False, False, False]
        """
        return not isinstance(value, bool | None) and _text(value) == _text(self.key)

    def may_be_in(self, row: bytes) -> bool:
        """Return whether a row of text could hold it: a look that spares most rows their reading.

        A text that JSON or CSV may write in another way could be in any row.
        """
        text = _text(self.key)
        return not re.fullmatch(r"[\w.-]+", text, re.ASCII) or text.encode() in row


def _text(value: object) -> str:
    text = str(value).strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text
