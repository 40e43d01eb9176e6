"""The identifiers of the first rows, which all others must have too."""

from collections.abc import Sequence

from sagetree.errors import DataError, quote


class SameIdentifiers:
    """Which identifiers one output has; `held` is None until a file was checked."""

    def __init__(self) -> None:
        self.held: tuple[str, ...] | None = None
        self._first = ""

    def check(self, names: Sequence[str], file: str) -> bool:
        """Say whether these are the first ones. Raises DataError where they come and go."""
        held = tuple(names)
        if self.held is None:
            self.held, self._first = held, file
            return True
        if held != self.held:
            name = sorted(set(held) ^ set(self.held))[0]
            holder = file if name in held else self._first
            raise DataError(
                f"identifier {quote(name)} is only in {holder}, of {self._first} and {file}",
                hint="Give all files the same columns",
            )
        return False
