"""docs/scale.md: its figures are of the formula that it states, and of what it says is assumed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.scale.hosts import FEATURES, MOST_OFF, formula

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"

CELLS_A_SECOND, BITS_A_SECOND = 2.1e9, 10e9
EXCHANGES, STEP_MS, ROUNDS, BYTES_A_VALUE, GATHERED_ROWS = 15, 0.1, 200, 8, 1e6


def table(first: str) -> Iterator[list[str]]:
    """Yield the rows of the page's table whose head begins with a word."""
    lines = PAGE.read_text().splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith(f"| {first} |"))
    for line in lines[begin + 2 :]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_what_was_measured_is_what_the_formula_says() -> None:
    rows = list(table("hosts"))
    assert len(rows) >= 4
    for hosts, depth, _, sent, expected, off in rows:
        wanted = formula(int(hosts), int(depth)) / 1e6
        assert float(expected) == pytest.approx(wanted, abs=0.001)
        assert abs(float(sent) / wanted - 1) <= MOST_OFF
        assert float(off.removesuffix("%")) == pytest.approx(
            (float(sent) / wanted - 1) * 100, abs=0.2
        )


def test_what_follows_for_more_rows_follows() -> None:
    rows = list(table("rows"))
    assert rows[-1][:2] == ["10^9", "64"]
    for power, count, *figures in rows:
        values, hosts = 10.0 ** int(power[3:]) * FEATURES, int(count)
        sent = formula(hosts, 6) if hosts > 1 else 0
        gathered = GATHERED_ROWS * FEATURES * 4 if hosts > 1 else 0
        compute = values / hosts / CELLS_A_SECOND * 1000
        wire, latency = sent * 8 / BITS_A_SECOND * 1000, EXCHANGES * 2 * (hosts - 1) * STEP_MS
        whole = compute + wire + latency
        memory = (values * BYTES_A_VALUE / hosts + gathered) / 1e9
        wanted = [sent / 1e6, compute, wire, latency, whole, compute / whole * 100]
        wanted += [whole * ROUNDS / 60_000, memory]
        found = [float(figure.removesuffix("%")) for figure in figures]
        rounding = [0.1, 1, 1, 1, 1, 1, 0.1, 0.1]
        for value, other, least in zip(found, wanted, rounding, strict=True):
            assert value == pytest.approx(other, abs=least)
