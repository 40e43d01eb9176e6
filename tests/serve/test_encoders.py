import csv
import io
import json

import numpy as np
import pytest

from serve.encoders import CONTENT_TYPES, ENCODERS, encode_csv, encode_json

SCORES = np.array([0.1, 1e-5, 1.0, 0.0, 3e-38, 123456.7], np.float32).tolist()


def test_scores_print_as_the_official_container_prints_them():
    lines = "".join(f"{float(np.float32(score))!r}\n" for score in SCORES)
    assert encode_csv({"score": SCORES}) == lines.encode()
    assert lines.startswith("0.10000000149011612\n9.999999747378752e-06\n1.0\n0.0\n")
    # json.dumps is what the official container calls
    shape = json.dumps({"predictions": [{"score": score} for score in SCORES]})
    assert encode_json({"score": SCORES}) == shape.encode()


def test_a_vector_of_scores_takes_a_cell_each_in_csv_and_is_a_list_in_json():
    predictions = {"score": [[0.25, 0.75], [1.0, 0.0]]}
    assert encode_csv(predictions) == b"0.25,0.75\n1.0,0.0\n"
    assert encode_json(predictions) == (
        b'{"predictions": [{"score": [0.25, 0.75]}, {"score": [1.0, 0.0]}]}'
    )


def test_asked_keys_stand_in_their_order():
    predictions = {
        "predicted_label": ["yes", 'say "no", please'],
        "score": [0.5, 0.25],
        "contributions": [{"base_value": 0.5, "columns": {"größe": 1.0}}] * 2,
        "reasons": [["größe = 'large' raises it", "b"], []],
    }
    rows = list(csv.reader(io.StringIO(encode_csv(predictions).decode())))
    assert rows == [
        [
            "yes",
            "0.5",
            '{"base_value": 0.5, "columns": {"größe": 1.0}}',
            '["größe = \'large\' raises it", "b"]',
        ],
        ['say "no", please', "0.25", '{"base_value": 0.5, "columns": {"größe": 1.0}}', "[]"],
    ]
    answer = json.loads(encode_json(predictions))
    assert [list(row) for row in answer["predictions"]] == [list(predictions)] * 2
    assert answer["predictions"][1]["predicted_label"] == 'say "no", please'


def test_json_is_never_invalid():
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_json({"score": [float("nan")]})


def test_every_encoder_has_a_content_type():
    assert list(ENCODERS) == list(CONTENT_TYPES)
