"""How far the reading is: a bar with the time left, for who watches a terminal."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def progress(files: Sequence[Path]) -> Iterator[Callable[[int], None]]:
    """Yield what takes the number of bytes that were read of the files, each time."""
    if not sys.stderr.isatty():
        yield lambda _size: None
        return
    from tqdm import tqdm  # others need not load it

    total = sum(path.stat().st_size for path in files)
    with tqdm(total=total, unit="B", unit_scale=True, leave=False) as bar:
        yield bar.update
