"""Draw docs/architecture.svg from what the modules import: python -m docs.picture.

Each program is a panel, each of its rooms a box, each import an arrow downward. A box
stands one floor above the highest room it imports. An import is left out where a longer
way of arrows leads to the same room. All programs import what is shared; of each other only
train imports evaluate, cloud imports serve, and drift imports predict, evaluate and serve.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path

import grimp

PICTURE = Path(__file__).with_name("architecture.svg")

ROOT = "sagetree"
PROGRAMS = ("prepare", "train", "evaluate", "predict", "drift", "serve", "cloud")
SHARED = "shared by all"
COLUMNS = (("train", "evaluate"), ("cloud", "serve"), ("drift", "predict"), ("prepare",))

# Pixels. A panel is as wide as its fullest floor.
BOX_HEIGHT, FLOOR_HEIGHT, LETTER, GAP, HEAD, MARGIN = 26, 62, 7.2, 14, 34, 20

Edges = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Panel:
    """A program's rooms, and which of them each room imports."""

    title: str
    edges: Edges

    @property
    def floors(self) -> list[list[str]]:
        """The rooms by their height above the ground, the ground first."""
        height: dict[str, int] = {}
        for room in TopologicalSorter(self.edges).static_order():  # refuses circles
            height[room] = 1 + max((height[below] for below in self.edges[room]), default=-1)
        floors: dict[int, list[str]] = defaultdict(list)
        for room in sorted(self.edges):
            floors[height[room]].append(room)
        return [floors[number] for number in sorted(floors)]

    @property
    def width(self) -> float:
        """In pixels."""
        widths = [sum(_width(room) + GAP for room in floor) + GAP for floor in self.floors]
        return max(*widths, len(self.title) * LETTER * 1.3 + 2 * GAP)

    @property
    def height(self) -> float:
        """In pixels."""
        return HEAD + FLOOR_HEIGHT * len(self.floors)

    def draw(self, left: float, top: float, width: float) -> Iterator[str]:
        """Yield the panel as SVG elements, its corner at `left`, `top`."""
        yield (
            f'<rect class="panel" x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" '
            f'height="{self.height:.0f}"/>'
            f'<text class="title" x="{left + GAP:.0f}" y="{top + 22:.0f}">'
            f"{escape(self.title)}</text>"
        )
        places = dict(self._places(left, top, width))
        for room in sorted(self.edges):
            x, y = places[room]
            for other in sorted(self._next(room)):
                to_x, to_y = places[other]
                ends = y + BOX_HEIGHT / 2, to_y - BOX_HEIGHT / 2 - 2
                yield _line("import", x, ends[0], to_x, ends[1])
        for room, (x, y) in sorted(places.items()):
            wide = _width(room)
            yield (
                f'<rect class="room" x="{x - wide / 2:.0f}" y="{y - BOX_HEIGHT / 2:.0f}" '
                f'width="{wide:.0f}" height="{BOX_HEIGHT}" rx="4"/>'
                f'<text class="name" x="{x:.0f}" y="{y + 4:.0f}">{room}</text>'
            )

    def _next(self, room: str) -> frozenset[str]:
        """Return what a room imports that nothing else it imports stands for."""
        below = self.edges[room]
        return below - frozenset().union(*(self._reach(other) for other in below))

    def _reach(self, room: str) -> frozenset[str]:
        """Return everything below a room."""
        below = self.edges[room]
        return below.union(*(self._reach(other) for other in below))

    def _places(
        self, left: float, top: float, width: float
    ) -> Iterator[tuple[str, tuple[float, float]]]:
        """Yield the middle of each room."""
        floors = self.floors
        for number, floor in enumerate(floors):
            y = top + HEAD + FLOOR_HEIGHT * (len(floors) - number - 0.5)
            free = width - sum(_width(room) for room in floor)
            x = left
            for room in floor:
                x += free / (len(floor) + 1)
                yield room, (x + _width(room) / 2, y)
                x += _width(room)


def _width(room: str) -> float:
    return len(room) * LETTER + 18


def panels() -> dict[str, Panel]:
    """Return a panel for each program, and one for what they share."""
    graph = grimp.build_graph(ROOT, cache_dir=None)
    edges: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for module in graph.modules:
        here = _place(module)
        if here is None:
            continue
        edges[here[0]][here[1]].update()
        for imported in graph.find_modules_directly_imported_by(module):
            there = _place(imported)
            if there is not None and there[0] == here[0] and there != here:
                edges[here[0]][here[1]].add(there[1])
    return {
        title: Panel(title, {room: frozenset(below) for room, below in found.items()})
        for title, found in edges.items()
    }


def _place(module: str) -> tuple[str, str] | None:
    """Return the panel and the room of a module; None of a program's or the package's own top."""
    parts = module.split(".")[1:]
    if parts and parts[0] in PROGRAMS:
        return (parts[0], parts[1]) if len(parts) > 1 else None
    return (SHARED, parts[0]) if parts else None


def draw() -> str:
    """Return the picture as SVG."""
    found = panels()
    elements: list[str] = []
    x, ground = float(MARGIN), 0.0
    for column in COLUMNS:
        width = max(found[title].width for title in column)
        y = float(MARGIN)
        for title in column:
            if y > MARGIN:  # it imports the one below
                middle = x + width / 2
                elements.append(_line("program", middle, y - 2 * GAP, middle, y))
            elements += found[title].draw(x, y, width)
            y += found[title].height + 2 * GAP
        x, ground = x + width + 2 * GAP, max(ground, y)
    whole = x - 2 * GAP - MARGIN
    elements += found[SHARED].draw(MARGIN, ground, whole)
    return _svg(elements, whole + 2 * MARGIN, ground + found[SHARED].height + MARGIN)


def _line(kind: str, x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line class="{kind}" x1="{x:.0f}" y1="{y:.0f}" x2="{to_x:.0f}" y2="{to_y:.0f}"/>'


def _svg(elements: Sequence[str], width: float, height: float) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}">'
        "<style>text{font:12px monospace;fill:#222}.title{font-weight:bold;font-size:15px}"
        ".name{text-anchor:middle}.panel{fill:#f6f7f9;stroke:#c3c8d0}"
        ".room{fill:#fff;stroke:#5b6b82}.import{stroke:#9aa7b8;marker-end:url(#tip)}"
        ".program{stroke:#333;stroke-width:3;marker-end:url(#tip)}</style>"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#5b6b82"/></marker></defs>'
    )
    return "\n".join([head, *elements, "</svg>\n"])


def main() -> int:
    """Write the picture."""
    PICTURE.write_text(draw())
    return 0


if __name__ == "__main__":
    sys.exit(main())
