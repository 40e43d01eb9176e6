"""The rows that could not be written, in a file of their own: JSON Lines with their reasons."""

import json
import threading
from pathlib import Path

from sagetree.errors import PlatformError


class Failures:
    """Failed rows, kept in the file `path`, which is made by the first one."""

    def __init__(self, path: Path, id_field: str) -> None:
        self.path = path
        self.id_field = id_field
        self.count = 0
        self._lock = threading.Lock()

    def add(self, row: int, where: str, identifier: str | None, reason: str) -> None:
        """Keep a row by its number, its place in the source, its identifier, and why it failed."""
        line = json.dumps(
            {"row": row, "where": where, self.id_field: identifier, "reason": reason},
            ensure_ascii=False,
        )
        with self._lock:
            mode = "a" if self.count else "x"
            try:
                # half of a character, which UTF-8 cannot hold, is written as JSON names it
                with self.path.open(mode, encoding="utf-8", errors="backslashreplace") as file:
                    file.write(f"{line}\n")
            except OSError as error:
                raise PlatformError(
                    f"row {row} failed ({reason}), and that cannot be noted: {error.strerror}",
                    where=str(self.path),
                    hint="Ingest the table again where a file can be written",
                ) from error
            self.count += 1
