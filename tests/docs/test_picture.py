"""docs/architecture.svg is of the imports as they are, and no room imports upward in it."""

from graphlib import CycleError

import pytest

from docs.picture import PICTURE, Panel, draw, panels


def test_the_picture_is_of_these_imports() -> None:
    assert PICTURE.read_text() == draw(), "docs/architecture.svg is old: run 'make generated'"


def test_every_room_stands_above_what_it_imports() -> None:
    for panel in panels().values():
        floor = {room: number for number, rooms in enumerate(panel.floors) for room in rooms}
        assert all(floor[room] > floor[low] for room in floor for low in panel.edges[room])


def test_a_circle_cannot_be_drawn() -> None:
    circle = Panel("x", {"a": frozenset("b"), "b": frozenset("a")})
    with pytest.raises(CycleError):
        circle.floors  # noqa: B018


def test_an_import_that_a_longer_way_implies_is_left_out() -> None:
    edges = {"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset()}
    assert (
        sum(line.startswith('<line class="import"') for line in Panel("x", edges).draw(0, 0, 9))
        == 2
    )
