"""Parts of moto replaced for a while, and put back."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def replaced(owner: object, **parts: object) -> Iterator[None]:
    """Have other functions in a class or module of moto's while the desk stands."""
    own = vars(owner)
    before = {name: own[name] for name in parts if name in own}
    for name, part in parts.items():
        setattr(owner, name, part)
    try:
        yield
    finally:
        for name in parts:
            if name in before:
                setattr(owner, name, before[name])
            else:
                delattr(owner, name)
