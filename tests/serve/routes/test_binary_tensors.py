"""The Open Inference Protocol's tensors as binary data, in requests and answers."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from werkzeug.test import Client, TestResponse

from tests.serve.artifacts import client_for
from tests.serve.asking import problem
from tests.serve.routes.test_kserve import INFER, infer, tensors


def texts(values: list[object]) -> bytes:
    parts = [b"" if value is None else str(value).encode() for value in values]
    return b"".join(struct.pack("<I", len(part)) + part for part in parts)


def binary_request(outputs: object = None) -> tuple[bytes, int]:
    """The rows of `tensors()` as binary data, and the length of the JSON before them."""
    inputs, data = [], []
    for tensor in tensors():
        values = tensor.pop("data")
        if tensor["datatype"] == "FP64":
            part = np.array(values, "<f8").tobytes()
        elif tensor["datatype"] == "BOOL" and None not in values:
            part = np.array(values, "?").tobytes()
        else:
            tensor["datatype"], part = "BYTES", texts(values)
        inputs.append(tensor | {"parameters": {"binary_data_size": len(part)}})
        data.append(part)
    asked: dict[str, object] = {"inputs": inputs}
    asked |= {"outputs": outputs} if outputs else {"parameters": {"binary_data_output": True}}
    head = json.dumps(asked).encode()
    return head + b"".join(data), len(head)


LENGTH = "Inference-Header-Content-Length"


def read_binary(answer: TestResponse) -> tuple[list[dict[str, object]], bytes]:
    assert answer.status_code == 200, answer.data
    assert answer.content_type == "application/octet-stream"
    length = int(answer.headers[LENGTH])
    return json.loads(answer.data[:length])["outputs"], answer.data[length:]


def test_tensors_may_be_binary_data(client: Client):
    expected = infer(client, {"inputs": tensors()}).get_json()["outputs"][0]["data"]
    body, length = binary_request()
    described, data = read_binary(client.post(INFER, data=body, headers={LENGTH: str(length)}))
    assert described == [
        {"name": "score", "datatype": "FP32", "shape": [3], "parameters": {"binary_data_size": 12}}
    ]
    assert np.frombuffer(data, "<f4").tolist() == expected
    outputs = [
        {"name": "labels", "parameters": {"binary_data": True}},
        {"name": "score", "parameters": {"binary_data": False}},
    ]
    body, length = binary_request(outputs)
    described, data = read_binary(client.post(INFER, data=body, headers={LENGTH: str(length)}))
    assert data == texts(['["no", "yes"]'] * 3)
    assert described[0]["parameters"] == {"binary_data_size": len(data)}
    assert described[1]["data"] == expected


@pytest.mark.parametrize(
    "kind", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]
)
def test_a_matrix_may_be_binary_data_of_any_datatype(plain_dir: Path, kind: str):
    client = client_for(plain_dir)
    matrix = np.array([[1, 0, 1], [0, 1, 1]], f"<{kind}" if kind != "?" else "?")
    expected = infer_binary(client, matrix.astype("<f8"))
    assert infer_binary(client, matrix) == expected
    assert len(expected) == 8


def infer_binary(client: Client, matrix: np.ndarray) -> bytes:
    names = {"f": "FP", "i": "INT", "u": "UINT"}
    kind = matrix.dtype
    datatype = "BOOL" if kind.kind == "b" else f"{names[kind.kind]}{kind.itemsize * 8}"
    tensor = {"name": "x", "shape": list(matrix.shape), "datatype": datatype,
              "parameters": {"binary_data_size": matrix.nbytes}}  # fmt: skip
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    body = head + matrix.tobytes()
    return read_binary(client.post(INFER, data=body, headers={LENGTH: str(len(head))}))[1]


BINARY = {"name": "num_claims", "shape": [1], "datatype": "FP64"}


@pytest.mark.parametrize(
    ("tensor", "data", "message"),
    [
        ({"parameters": {"binary_data_size": 8}}, b"1234", "its binary data are cut off"),
        ({"parameters": {"binary_data_size": 4}}, b"1234",
         "it has 4 bytes, and its shape and datatype need 8"),
        ({"parameters": {"binary_data_size": -1}}, b"",
         "its binary_data_size is '-1', which is not a number of bytes"),
        ({"parameters": {"binary_data_size": 8}, "data": [1]}, b"12345678",
         "it has data in JSON and as binary data"),
        ({"parameters": {"binary_data_size": 3}, "datatype": "BYTES"}, b"abc",
         "its binary data are cut off"),
        ({"parameters": {"binary_data_size": 6}, "datatype": "BYTES"}, b"\x03\0\0\0ab",
         "its binary data are cut off"),
        ({"parameters": {"binary_data_size": 5}, "datatype": "BYTES"}, b"\1\0\0\0\xff",
         "its texts are not UTF-8"),
        ({"parameters": {"binary_data_size": 8}, "datatype": "BYTES"}, b"\0" * 8,
         "it has 2 values, and its shape says 1"),
        ({"parameters": {"binary_data_size": 8}, "datatype": "BF16"}, b"\0" * 8,
         "its datatype 'BF16' is not one of BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, "
         "UINT32, UINT64, FP16, FP32, FP64, BYTES"),
        ({"data": [1]}, b"12", "2 bytes of binary data belong to no input"),
    ],
)  # fmt: skip
def test_wrong_binary_data_are_refused(
    client: Client, tensor: dict[str, object], data: bytes, message: str
):
    head = json.dumps({"inputs": [BINARY | tensor]}).encode()
    answer = client.post(INFER, data=head + data, headers={LENGTH: str(len(head))})
    status, told = problem(answer)
    assert (status, told["message"]) == (400, message)


@pytest.mark.parametrize("length", ["x", "-1", "3000"])
def test_a_wrong_length_of_the_json_is_refused(client: Client, length: str):
    status, told = problem(infer(client, {}, Inference_Header_Content_Length=length))
    assert (status, told["error"]) == (
        400,
        f"Inference-Header-Content-Length: it is {length!r}. "
        "Send the length of the JSON in bytes; the binary data follow it",
    )
