"""What a person reads: numbered chapters, each with what it is about, facts, and its time."""

import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

WIDTH = 96


@dataclass
class Page:
    """Writes as things happen; what was measured is given in seconds from the first line."""

    stream: TextIO
    _begun: float = field(default_factory=time.monotonic)
    _chapter: int = 0

    @property
    def seconds(self) -> float:
        """How long the page has been written."""
        return time.monotonic() - self._begun

    def title(self, text: str, about: str) -> None:
        """Write the page's title, and what it is about."""
        self._write(text, "=" * len(text))
        self._write(*textwrap.wrap(about, WIDTH), "")

    @contextmanager
    def chapter(self, title: str, about: str) -> Iterator[None]:
        """Write a chapter's title and what happens in it, and in the end how long it took."""
        self._chapter += 1
        begun = time.monotonic()
        self._write(f"{self._chapter}. {title}")
        self._write(*textwrap.wrap(about, WIDTH, initial_indent="   ", subsequent_indent="   "))
        yield
        self._write(f"   ({time.monotonic() - begun:.1f} s)", "")

    def fact(self, name: str, value: object) -> None:
        """Write one thing that came out; a value of several lines stands below its name."""
        lines = str(value).splitlines() or [""]
        if len(lines) == 1:
            self._write(f"   - {name}: {lines[0]}")
        else:
            self._write(f"   - {name}:", *(f"       {line}" for line in lines))

    def line(self, text: str = "") -> None:
        """Write a line."""
        self._write(text)

    def _write(self, *lines: str) -> None:
        print(*lines, sep="\n", file=self.stream, flush=True)
