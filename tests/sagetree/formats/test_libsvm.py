"""libsvm text, against scikit-learn's writer and XGBoost's own reader."""

import io
from pathlib import Path

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import dump_svmlight_file

from sagetree.formats.libsvm import HINT, parse_libsvm
from sagetree.formats.sparse_rows import RecordError


def dumped(matrix: np.ndarray, labels: np.ndarray, **how) -> bytes:
    file = io.BytesIO()
    dump_svmlight_file(matrix, labels, file, **how)
    return file.getvalue()


@pytest.mark.parametrize("zero_based", [True, False])
@pytest.mark.parametrize("count", [3, 2000])  # read in Python, and in bulk
def test_what_scikit_learn_writes_is_read_back(zero_based: bool, count: int) -> None:
    random = np.random.default_rng(count)
    matrix = np.round(random.normal(size=(count, 6)), 3)
    matrix[random.random(matrix.shape) < 0.4] = 0
    labels = random.integers(0, 2, count).astype(float)
    groups = np.sort(random.integers(0, 3, count))
    text = dumped(matrix, labels, zero_based=zero_based, query_id=groups, comment="made by a test")
    found = parse_libsvm(text)
    expected = np.where(matrix == 0, np.nan, matrix)  # an absent cell is missing
    np.testing.assert_array_equal(found.matrix(0 if zero_based else 1, 6), expected)
    np.testing.assert_array_equal(found.labels, labels)
    np.testing.assert_array_equal(found.groups, groups)
    assert found.weights is None


def test_indices_are_read_as_xgboost_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "rows.libsvm"
    path.write_text("1:0.5 1:2.5 3:-1\n0:2 2:7\n+1:1 1:1e-3 4:9\n")
    found = parse_libsvm(path.read_bytes())
    with pytest.warns(UserWarning, match="deprecated"):
        theirs = xgboost.DMatrix(f"{path}?format=libsvm")
    np.testing.assert_array_equal(found.matrix(0, found.width).astype("f4"), _dense(theirs))
    np.testing.assert_array_equal(found.labels, theirs.get_label())
    np.testing.assert_array_equal(found.weights, theirs.get_weight())


def _dense(data: xgboost.DMatrix) -> np.ndarray:
    sparse = data.get_data().tocoo()
    dense = np.full(sparse.shape, np.nan, np.float32)
    dense[sparse.row, sparse.col] = sparse.data
    return dense


@pytest.mark.parametrize(
    ("text", "labels", "matrix"),
    [
        (b"\xef\xbb\xbf1 0:2\r\n\r\n# all comment\n\t0   0:3 # 1:9\n", [1, 0], [[2], [3]]),
        (b"1\n0 0:5", [1, 0], [[np.nan], [5]]),
        (b"-1 1:nan 0:+.5\n", [-1], [[0.5, np.nan]]),
    ],
)
def test_unusual_but_right(text: bytes, labels: list[float], matrix: list[list[float]]) -> None:
    found = parse_libsvm(text)
    np.testing.assert_array_equal(found.labels, labels)
    np.testing.assert_array_equal(found.matrix(0, found.width), matrix)


def test_a_request_may_leave_the_label_out() -> None:
    found = parse_libsvm(b"0:1 2:3\n1 0:4\n", request=True)
    np.testing.assert_array_equal(found.matrix(0, 3), [[1, np.nan, 3], [4, np.nan, np.nan]])
    np.testing.assert_array_equal(found.labels, [np.nan, 1])
    assert found.weights is None


VALUE = "Write its value, or leave the whole cell out if it has none"
QID = "Give every line a qid, or none of them"


@pytest.mark.parametrize(
    ("text", "message", "place", "hint"),
    [
        (b"", "there are no rows", "line 1", HINT),
        (b"# nothing\n\n", "there are no rows", "line 1", HINT),
        (b"1 0:1\n\nx 0:2\n", "'x' holds something that is not a number", "line 3", HINT),
        (b"a,b\n1,2\n", "'a,b' holds something that is not a number", "line 1", HINT),
        (b"1 0:1 7\n", "'7' is not an index:value", "line 1", HINT),
        (b"1 0:1:2\n", "'0:1:2' is not an index:value", "line 1", HINT),
        (b"1:1:1 0:1\n", "'1:1:1' is neither a label nor a label:weight", "line 1", HINT),
        (b"1 0:\n", "'0:' has no value after its colon", "line 1", VALUE),
        (b"1 0:1\n1: 2:3\n", "'1:' has no value after its colon", "line 2", VALUE),
        (b"1 qid: 2:3\n", "'qid:' has no value after its colon", "line 1", VALUE),
        (b"1 :0\n", "':0' holds something that is not a number", "line 1", HINT),
        (b"1 0:1_0\n", "'0:1_0' holds something that is not a number", "line 1", HINT),
        (b"1 0:+-1\n", "'0:+-1' holds something that is not a number", "line 1", HINT),
        (b"1 0:\xff\n", "'0:\ufffd' holds something that is not a number", "line 1", HINT),
        (b"1 0:1\n0 1.5:2\n", "the index 1.5 is not a whole number from 0", "line 2", HINT),
        (b"1 -1:2\n", "the index -1 is not a whole number from 0", "line 1", HINT),
        (b"1 9999999999:2\n", "the index 1e+10 is not a whole number from 0", "line 1", HINT),
        (
            b"1 3:1 0:2 3:4\n",
            "the index 3 is given twice",
            "line 1",
            "Give every index once in a line",
        ),
        (
            b"1 qid:1 0:1\n0 0:2\n",
            "qid is missing from the line, and other lines have one",
            "line 2",
            QID,
        ),
        (b"1 0:1 qid:1\n", "a qid must stand directly after the label", "line 1", HINT),
        (b"1 qid:x 0:1\n", "'qid:x' holds something that is not a number", "line 1", HINT),
        (b"1 qid:0.5 0:1\n", "the qid 0.5 is not a whole number from 0", "line 1", HINT),
    ],
)
def test_the_fault_and_its_line(text: bytes, message: str, place: str, hint: str) -> None:
    with pytest.raises(RecordError) as caught:
        parse_libsvm(text)
    assert (str(caught.value), caught.value.place, caught.value.hint) == (message, place, hint)


def test_the_line_is_named_in_a_large_text_too() -> None:
    line = b"1 0:0.25 1:0.5 2:0.75\n"
    with pytest.raises(RecordError) as caught:
        parse_libsvm(line * 5000 + b"1 0:1 1:x\n" + line * 5000)
    assert str(caught.value) == "'1:x' holds something that is not a number"
    assert caught.value.place == "line 5001"


def test_blocks_join_without_a_seam() -> None:
    count = 150_000  # 4.2 MB: two blocks
    found = parse_libsvm(b"1 qid:3 0:0.25 1:0.5 2:0.75\n" * count)
    assert found.rows == count
    assert (found.matrix(0, 3) == [0.25, 0.5, 0.75]).all()
    assert found.groups is not None
    assert set(found.groups.tolist()) == {3}


@given(st.binary(max_size=60) | st.text("01 :q#\n.-+exid", max_size=40).map(str.encode))
def test_anything_is_rows_or_a_named_fault(text: bytes) -> None:
    for request in (False, True):
        try:
            found = parse_libsvm(text, request=request)
        except RecordError:
            continue
        assert found.matrix(0, min(found.width, 9)).shape[0] == len(found.labels) > 0
