"""NumPy's files: what is read, and what is refused before any room is made for it."""

import numpy as np
import pytest

from sagetree.errors import DecodingError
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.bodies.npy import HINT, decode_npy
from sagetree.tables.table import cell_list
from tests.serve.bodies.test_csv_body import THREE, cells_of
from tests.serve.encoded import npy

MATRIX = np.array([[0.1, np.nan], [-3.0, 1e30]])


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", ">f4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_layout_of_floats_is_read(dtype: str, order: str):
    body = npy(np.array(MATRIX, dtype, order=order))
    _, cells, places = cells_of(decode_npy(body, Hints(THREE, {})))
    assert [[None if x is None or x != x else x for x in column] for column in cells] == [
        [0.1, -3.0],
        [None, 1e30],
    ]
    assert places == ["row 1", "row 2"]


@pytest.mark.parametrize("dtype", ["|b1", "|i1", "<i2", ">i4", "<i8", "|u1", "<u8", "<f2"])
def test_every_kind_of_number_is_read(dtype: str):
    (table,) = decode_npy(npy(np.array([[0, 1], [1, 0]], dtype)), Hints(THREE, {}))
    assert table.columns == ([0, 1], [1, 0])


def test_one_dimension_is_one_row():
    (table,) = decode_npy(npy(np.array([1.0, 2.0])), Hints(THREE, {}))
    assert table.columns == ([1.0], [2.0])


def test_many_rows_come_in_slices_with_the_same_cells():
    matrix = np.random.default_rng(3).random((60_000, 2), np.float32)
    whole = list(decode_npy(npy(matrix), Hints(THREE, {})))
    slices = list(decode_npy(npy(matrix), Hints(THREE, {}, slice_values=10_000)))
    assert [len(whole), len(slices)] == [1, 12]
    assert slices[-1].locate(4999) == "row 60000"
    cells = [cell_list(column) for column in whole[0].columns]
    assert cells_of(slices)[1] == cells
    assert cells[0][0] == float(str(matrix[0, 0]))


GOOD = npy(MATRIX)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"PK\x03\x04", "it does not begin as a .npy file does"),
        (GOOD[:6] + b"\x09\x00" + GOOD[8:], "it does not begin as a .npy file does"),
        (GOOD[:8] + b"\xff\xff" + GOOD[10:], "its header is cut off or too long"),
        (GOOD[:40], "its header is cut off or too long"),
        (GOOD[:-1], "it has 31 bytes of numbers, and its header says 32"),
        (GOOD + b"x", "it has 33 bytes of numbers, and its header says 32"),
        (
            GOOD.replace(b"(2, 2), }" + b" " * 11, b"(999999999999, 2), }"),
            "it has 32 bytes of numbers, and its header says 15999999999984",
        ),
        (npy(np.zeros((1, 1, 1))), "it does not describe an array of numbers with one or two "
         "dimensions"),
        (npy(np.zeros(1, "<U3")), "it does not describe an array of numbers with one or two "
         "dimensions"),
        (npy(np.zeros(1, "<c8")), "it does not describe an array of numbers with one or two "
         "dimensions"),
        (
            npy(np.zeros(1, [("a", "<f4")])),
            "it does not describe an array of numbers with one or two dimensions",
        ),
        (npy(MATRIX).replace(b"<f8", b"|O0"), "it does not describe an array of numbers with "
         "one or two dimensions"),
        (npy(MATRIX).replace(b"<f8", b"<f3"), "its numbers are of type 'f3'"),
    ],
)  # fmt: skip
def test_what_is_no_array_of_numbers_is_refused(body: bytes, reason: str):
    with pytest.raises(DecodingError) as caught:
        decode_npy(body, Hints(THREE, {}))
    assert str(caught.value) == f"the body: it is not a .npy file: {reason}. {HINT}"


@pytest.mark.parametrize("shape", [(0, 2), (3, 0), (0,)])
def test_no_rows_are_refused(shape: tuple[int, ...]):
    with pytest.raises(DecodingError) as caught:
        decode_npy(npy(np.zeros(shape)), Hints(THREE, {}))
    assert str(caught.value) == f"the body: there are no rows. {HINT}"
