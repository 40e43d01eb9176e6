import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sagetree.errors import NotAcceptableError
from sagetree.formats.media_types import ACCEPTS
from sagetree.formats.recordio import frames, record_class
from sagetree.serve.answers.encoders import BATCH_ENCODERS, ENCODERS, Predictions, encoder_for
from sagetree.serve.answers.number_text import BULK_NUMBERS, joined_numbers, number_texts
from sagetree.serve.answers.spool import SPOOL_BYTES, Spool

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"
NPY, RECORDIO = "application/x-npy", "application/x-recordio-protobuf"

SCORES = np.array([0.1, 1e-5, 1.0, 0.0, 3e-38, 123456.7], np.float32)
FLOATS = hnp.arrays(np.float32, st.integers(1, 2 * BULK_NUMBERS))


def encode(accept: str, predictions: Predictions) -> bytes:
    return ENCODERS[accept].encode(predictions)


def test_scores_print_as_the_official_container_prints_them():
    values = SCORES.tolist()
    lines = "".join(f"{score!r}\n" for score in values)
    assert encode(CSV, {"score": SCORES}) == lines.encode()
    assert lines.startswith("0.10000000149011612\n9.999999747378752e-06\n1.0\n0.0\n")
    # json.dumps is what the official container calls
    objects = [{"score": score} for score in values]
    assert encode(JSON, {"score": SCORES}) == json.dumps({"predictions": objects}).encode()
    assert (
        encode(LINES, {"score": SCORES}) == "".join(f"{json.dumps(o)}\n" for o in objects).encode()
    )


@given(FLOATS)
def test_many_numbers_print_as_each_of_them(values: np.ndarray):
    expected = [repr(float(value)) for value in values]
    assert number_texts(values) == expected
    assert joined_numbers(values, "\n") == "\n".join(expected)


def test_all_kinds_of_numbers_print_as_python_prints_them():
    bits = np.random.default_rng(1).integers(0, 2**32, 50_000, np.uint32)
    magnitudes = 10.0 ** np.linspace(-7, 18, 5000)
    for values in (bits.view(np.float32), magnitudes.astype(np.float32), -magnitudes):
        finite = values[np.isfinite(values)]
        assert number_texts(finite) == [repr(float(value)) for value in finite]
    for value in magnitudes[::5]:  # with no other beside it
        numbers = np.full(BULK_NUMBERS, value, np.float32)
        assert joined_numbers(numbers, " ") == " ".join(map(repr, numbers.tolist()))


def test_a_vector_of_scores_takes_a_cell_each_in_csv_and_is_a_list_in_json():
    predictions = {"score": np.array([[0.25, 0.75], [1.0, 0.0]], np.float32)}
    assert encode(CSV, predictions) == b"0.25,0.75\n1.0,0.0\n"
    assert encode(JSON, predictions) == (
        b'{"predictions": [{"score": [0.25, 0.75]}, {"score": [1.0, 0.0]}]}'
    )
    # beside others it is one cell, as the official container writes it
    labelled = {"predicted_label": [1, 0], "probabilities": predictions["score"]}
    assert encode(CSV, labelled) == b'1,"[0.25, 0.75]"\n0,"[1.0, 0.0]"\n'


def test_asked_keys_stand_in_their_order():
    predictions = {
        "predicted_label": ["yes", 'say "no", please'],
        "score": [0.5, 0.25],
        "contributions": [{"base_value": 0.5, "columns": {"größe": 1.0}}] * 2,
        "reasons": [["größe = 'large' raises it", "b"], []],
        "policy_id": [None, ""],
    }
    rows = list(csv.reader(io.StringIO(encode(CSV, predictions).decode())))
    parts = '{"base_value": 0.5, "columns": {"größe": 1.0}}'
    assert rows == [
        ["yes", "0.5", parts, '["größe = \'large\' raises it", "b"]', ""],
        ['say "no", please', "0.25", parts, "[]", ""],
    ]
    answer = json.loads(encode(JSON, predictions))
    assert [list(row) for row in answer["predictions"]] == [list(predictions)] * 2
    assert answer["predictions"][1]["predicted_label"] == 'say "no", please'
    assert [json.loads(line) for line in encode(LINES, predictions).splitlines()] == (
        answer["predictions"]
    )


def test_json_is_never_invalid():
    predictions = {"score": np.array([np.nan, np.inf, 0.5]), "a": [1, 2, 3]}
    assert json.loads(encode(JSON, predictions))["predictions"][:2] == [
        {"score": None, "a": 1},
        {"score": None, "a": 2},
    ]
    assert encode(LINES, {"score": np.array([-np.inf])}) == b'{"score": null}\n'
    assert encode(CSV, {"score": np.array([-np.inf])}) == b"-inf\n"


def test_numpy_reads_what_is_written():
    for predictions, expected in [
        ({"score": SCORES}, SCORES),
        ({"score": np.ones((3, 2), np.float32)}, np.ones((3, 2))),
        ({"score": SCORES[:2], "raw_scores": [[1, 2], [3, 4]]}, [[0.1, 1, 2], [1e-5, 3, 4]]),
    ]:
        found = np.load(io.BytesIO(encode(NPY, predictions)), allow_pickle=False)
        assert found.dtype == np.float32
        assert np.array_equal(found, np.asarray(expected, np.float32))


def test_records_hold_a_label_for_each_key():
    answer = encode(RECORDIO, {"score": SCORES[:2], "raw_scores": np.array([[1, 2], [3, 4]])})
    records = [record_class().FromString(frame) for frame in frames(io.BytesIO(answer))]
    assert [
        {key: list(value.float32_tensor.values) for key, value in record.label.items()}
        for record in records
    ] == [
        {"score": [np.float32(0.1)], "raw_scores": [1, 2]},
        {"score": [np.float32(1e-5)], "raw_scores": [3, 4]},
    ]


def test_every_type_that_can_be_accepted_is_written():
    assert tuple(ENCODERS) == tuple(BATCH_ENCODERS) == ACCEPTS


@pytest.mark.parametrize("accept", [NPY, RECORDIO])
def test_texts_are_no_numbers(accept: str):
    with pytest.raises(NotAcceptableError) as caught:
        encode(accept, {"score": [0.5], "reasons": [["a"]]})
    assert str(caught.value) == (
        f"Accept: the values of reasons are not numbers, and {accept} can hold only numbers. "
        "Accept application/json"
    )


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("accept", list(ENCODERS))
@pytest.mark.parametrize("shape", [(10,), (10, 3)])
def test_an_answer_in_slices_is_the_answer_in_one(accept: str, batch: bool, shape: tuple[int, ...]):
    scores = np.random.default_rng(2).random(shape, np.float32)
    encoder = encoder_for(accept, batch=batch)
    whole = encoder.encode({"score": scores})
    slices = [{"score": scores[start : start + 3]} for start in range(0, 10, 3)]
    assert encoder.encode_all(slices) == whole
    assert encoder.encode_all([{"score": scores}]) == whole
    assert encoder.encode_all([]) == b""


def test_a_large_answer_lies_in_a_file():
    with Spool() as spool:
        spool.write(b"?" * SPOOL_BYTES)
        spool.write(b"abc")
        body = spool.finish(b"!")
    assert not isinstance(body, bytes)
    assert (body[:2], body[-4:], len(body)) == (b"!?", b"?abc", SPOOL_BYTES + 3)


def test_in_batch_each_record_is_a_line():
    predictions = {"score": np.array([0.5, 0.25])}
    assert {name: BATCH_ENCODERS[name].encode(predictions) for name in (CSV, JSON, LINES)} == {
        CSV: b"0.5\n0.25\n",
        JSON: b'{"score": 0.5}\n{"score": 0.25}\n',
        LINES: b'{"score": 0.5}\n{"score": 0.25}\n',
    }
    assert BATCH_ENCODERS[JSON].content_type == LINES
