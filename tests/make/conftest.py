"""A small clone, somebody who has it, and an index on loopback."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.make.small import LEAF, Index, User, clone, serving, wheel_of, wheel_of_leaf


@pytest.fixture(scope="module")
def wheels() -> Mapping[str, bytes]:
    return {LEAF: wheel_of_leaf()} | dict(map(wheel_of, ("uv", "pip")))


@pytest.fixture
def index(wheels: Mapping[str, bytes]) -> Iterator[Index]:
    with serving(wheels) as found:
        yield found


@pytest.fixture
def user(tmp_path: Path) -> User:
    (tmp_path / "home").mkdir()
    return User(clone(tmp_path / "my clone", LEAF, wheel_of_leaf()), tmp_path / "home")
