"""The hashes of training's rows: rows are known again, samples are fair, files are checked."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.bundle.training_rows import MOST_HASHES, TrainingRows, row_hashes

RANDOM = np.random.default_rng(3)
MATRIX = RANDOM.normal(size=(3000, 4)).astype(np.float32)
MATRIX[::7, 2] = np.nan
LABELS = (RANDOM.random(3000) < 0.5).astype(np.float32)
HASHES = row_hashes(MATRIX, LABELS).rows


def mixed(value: int) -> int:
    """One step of splitmix64, from its publication (Steele, Lea, Flood 2014)."""
    value = (value + 0x9E3779B97F4A7C15) % 2**64
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
    return value ^ value >> 31


def test_a_hash_is_the_same_in_every_version_and_on_every_machine() -> None:
    # splitmix64's first number from the seed 0, as its test vectors have it
    assert mixed(0) == 0xE220A8397B1DCDAF
    row = [1.5, float("nan"), 1.0]
    cells = (int.from_bytes(struct.pack("<f", cell), "big") for cell in row)
    total = sum(cell * (mixed(place) | 1) for place, cell in enumerate(cells, 1)) % 2**64
    features = np.array([row[:2]], np.float32)
    assert row_hashes(features, np.array(row[2:], np.float32)).rows.tolist() == [mixed(total)]


@given(st.integers(0, 2999), st.integers(0, 4), st.floats(width=32, allow_nan=False))
def test_every_cell_and_the_label_count(row: int, column: int, value: float) -> None:
    cells = np.concatenate([MATRIX[row], LABELS[row : row + 1]])
    changed = cells.copy()
    changed[column] = value
    is_same = cells.tobytes() == changed.tobytes()
    found = row_hashes(changed[None, :4], changed[4:])
    assert (found.rows[0] == HASHES[row]) == is_same
    assert (found.features[0] == row_hashes(MATRIX[row, None], LABELS[:1]).features[0]) == (
        cells[:4].tobytes() == changed[:4].tobytes()
    )


def test_numbers_that_end_in_zeros_collide_no_more_than_others() -> None:
    """Whole numbers have 15 and more zeros at their end as float32."""
    grid = np.stack(np.meshgrid(*[np.arange(60)] * 3), axis=-1).reshape(-1, 3).astype(np.float32)
    hashes = row_hashes(grid, np.zeros(len(grid), np.float32)).rows
    assert len(np.unique(hashes)) == len(grid) == 216_000
    # evenly spread, as a sample of the smallest has to be
    shares = np.histogram(hashes.astype(np.float64), 16, (0, 2.0**64))[0] / len(grid)
    assert shares == pytest.approx(np.full(16, 1 / 16), rel=0.03)


def test_labels_of_two_numbers_count_too() -> None:
    bounds = np.stack([LABELS, LABELS + 1], axis=1)
    once, more = row_hashes(MATRIX, bounds), row_hashes(MATRIX, bounds + np.array([0, 1]))
    assert len(np.intersect1d(once.rows, more.rows)) == 0
    np.testing.assert_array_equal(once.features, more.features)


def test_rows_are_counted_and_compared_with_chance() -> None:
    known = TrainingRows.of(HASHES[:2000])
    assert (known.rows, known.repeated, len(known.hashes)) == (2000, 0, 2000)
    found = known.repeats(HASHES[1900:2400])
    assert (found.repeated, found.compared, found.by_chance) == (100, 500, 0)
    assert (found.share, found.is_suspect) == (0.2, True)
    assert not known.repeats(HASHES[1995:2495]).is_suspect  # 5 of 500 are 1 %
    none = known.repeats(HASHES[:0])
    assert (none.share, none.is_suspect) == (0, False)


def test_a_table_of_few_values_repeats_itself_by_chance() -> None:
    few = RANDOM.integers(0, 12, (4000, 2)).astype(np.float32)
    hashes = row_hashes(few, np.zeros(4000, np.float32)).rows
    known = TrainingRows.of(hashes[:300])
    again = known.repeats(hashes[300:])
    # the share of rows that repeat another one is what a further row does by chance
    assert again.by_chance == pytest.approx(again.share, abs=0.06)
    assert 0.5 < again.share < 0.95
    assert not again.is_suspect
    assert not known.repeats(hashes[300:320]).is_suspect
    assert known.repeats(hashes[:300]).is_suspect


def test_one_row_of_a_small_table_is_no_accusation() -> None:
    """As in a third of the irises: two of them are the same."""
    known = TrainingRows.of(HASHES[:100])
    assert not known.repeats(HASHES[99:149]).is_suspect
    assert known.repeats(HASHES[95:145]).is_suspect


def test_of_many_rows_a_fair_sample_is_kept() -> None:
    known = TrainingRows.of(np.concatenate([HASHES[:2000], HASHES[:500]]), most=400)
    assert len(known.hashes) == 400
    assert known.hashes.tolist() == sorted(HASHES[:2000].tolist())[:400]
    assert (known.rows, known.repeated) == (2500, 1000)
    found = known.repeats(HASHES[1000:])
    assert found.compared == pytest.approx(2000 / 5, rel=0.15)
    assert found.share == pytest.approx(0.5, abs=0.08)
    assert len(known.to_bytes()) == 24 + 8 * 400
    assert 8 * MOST_HASHES == 2 * 2**20


def test_rows_of_two_trainings_are_known_together() -> None:
    first, second = TrainingRows.of(HASHES[:1000]), TrainingRows.of(HASHES[900:2000])
    both = first.joined(second)
    assert both.rows == 2100
    assert both.repeats(HASHES).repeated == 2000
    sampled = TrainingRows.of(HASHES[:1000], most=100).joined(second, most=150)
    assert len(sampled.hashes) == 150
    assert sampled.repeats(HASHES[:2000]).share == 1
    assert sampled.repeats(HASHES[2000:]).share == 0


def test_the_file_holds_it_all_and_nothing_else_passes() -> None:
    known = TrainingRows.of(HASHES[:50])
    data = known.to_bytes()
    again = TrainingRows.from_bytes(data)
    assert (again, again.to_bytes()) == (known, data)
    assert again.repeats(HASHES[:60]) == known.repeats(HASHES[:60])
    for wrong in (b"", data[:24], data[:-1], data + bytes(8), bytes(8) + data[8:]):
        with pytest.raises(
            ValueError, match=r"^(it is cut off|its numbers contradict each other)$"
        ):
            TrainingRows.from_bytes(wrong)
