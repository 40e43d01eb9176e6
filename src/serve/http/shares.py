"""How many connections each worker holds, and whether it is ready, in memory that all share.

The kernel wakes every idle worker for a new connection, and the one that is
awake already takes it, and the next: of 32 it may get all, and the other cores
have nothing to do. So who holds more than another lets that one go first. And
who has no model yet takes none where another has one.
"""

import mmap
from collections.abc import Iterator

# One number for each worker; those being replaced live beside the new ones.
_PER_WORKER = 4
_MORE = 16

_FREE, _RESERVED = 0, -1


class Shares:
    """The numbers of all workers; made before they are forked."""

    def __init__(self, workers: int) -> None:
        size = _PER_WORKER * workers + _MORE
        self._numbers = memoryview(mmap.mmap(-1, 4 * size)).cast("i")
        self._ready = memoryview(mmap.mmap(-1, size))

    def take(self) -> "Share":
        """Return a place for a new worker; in the process that makes them."""
        for place, number in enumerate(self._numbers):
            if number == _FREE:
                self._numbers[place] = _RESERVED
                return Share(self._numbers, self._ready, place)
        nobody = memoryview(bytearray(4)).cast("i"), memoryview(bytearray(1))
        return Share(*nobody, 0)  # one that nobody reads


class Share:
    """The place of one worker."""

    def __init__(self, numbers: "memoryview[int]", ready: "memoryview[int]", place: int) -> None:
        self._numbers = numbers
        self._ready = ready
        self._place = place

    def tell_ready(self, ready: bool) -> None:
        """Say whether this worker has all that its requests need."""
        self._ready[self._place] = ready

    def are_all_ready(self) -> bool:
        """Say whether every worker that takes connections is ready."""
        return all(self._taking())

    def may_take(self) -> bool:
        """Say whether connections are for this worker too: it is ready, or no other one is."""
        return bool(self._ready[self._place]) or not any(self._taking())

    def _taking(self) -> Iterator[int]:
        """Yield of each worker that takes connections whether it is ready."""
        for number, ready in zip(self._numbers, self._ready, strict=True):
            if number > _FREE:
                yield ready

    def tell(self, connections: int) -> None:
        """Say how many connections this worker holds, and that it takes more."""
        self._numbers[self._place] = connections + 1

    def is_ahead(self) -> bool:
        """Say whether another worker that takes connections holds fewer."""
        mine = self._numbers[self._place]
        return any(_FREE < number < mine for number in self._numbers)

    def stop(self) -> None:
        """Say that this worker takes no more."""
        self._numbers[self._place] = _RESERVED

    def free(self) -> None:
        """Give the place to the next worker, once this one is gone."""
        self._ready[self._place] = False
        self._numbers[self._place] = _FREE
