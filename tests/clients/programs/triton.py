# /// script
# requires-python = ">=3.11"
# dependencies = ["tritonclient[http]==2.73.0"]
# ///
"""Triton's client: tensors as binary data, its default, and as JSON."""

import json
import sys
from collections.abc import Callable

import numpy as np
from tritonclient.http import (
    InferenceServerClient,
    InferInput,
    InferRequestedOutput,
    InferResult,
)
from tritonclient.utils import InferenceServerException

NAME = "model"
TYPES = {"FP64": np.float64, "BOOL": np.bool_, "BYTES": np.object_}


def tensors(asked: dict, *, binary: bool) -> list[InferInput]:
    """A tensor for each column."""
    made = []
    for name, (datatype, values) in asked.items():
        tensor = InferInput(name, [len(values)], datatype)
        tensor.set_data_from_numpy(np.array(values, TYPES[datatype]), binary_data=binary)
        made.append(tensor)
    return made


def matrix(rows: list, *, binary: bool) -> list[InferInput]:
    """All columns in one tensor."""
    tensor = InferInput("input", [len(rows), len(rows[0])], "FP32")
    tensor.set_data_from_numpy(np.array(rows, np.float32), binary_data=binary)
    return [tensor]


def outputs(*names: str, binary: bool) -> list[InferRequestedOutput]:
    return [InferRequestedOutput(name, binary_data=binary) for name in names]


def shown(result: InferResult) -> dict[str, dict[str, object]]:
    """Each tensor of an answer by its name, and whether it came as binary data."""
    found = {}
    for output in result.get_response()["outputs"]:
        values = result.as_numpy(output["name"]).tolist()
        found[output["name"]] = {
            "values": [value.decode() if isinstance(value, bytes) else value for value in values],
            "binary": "binary_data_size" in output.get("parameters", {}),
        }
    return found


def columns(client: InferenceServerClient, asked: dict) -> dict[str, Callable[[], object]]:
    """Each way to ask for columns of every kind."""
    binary, text = tensors(asked, binary=True), tensors(asked, binary=False)
    names = ("score", "predicted_label", "labels")
    other = InferInput("nobody", [1], "FP64").set_data_from_numpy(np.zeros(1))

    def infer(
        name: str, inputs: list[InferInput], **options: object
    ) -> dict[str, dict[str, object]]:
        return shown(client.infer(name, inputs, **options))

    def version() -> str:
        return client.get_model_metadata(NAME)["versions"][0]

    return {
        "live": client.is_server_live,
        "ready": client.is_server_ready,
        "model ready": lambda: client.is_model_ready(NAME),
        "version ready": lambda: client.is_model_ready(NAME, version()),
        "server": client.get_server_metadata,
        "model": lambda: client.get_model_metadata(NAME),
        "default": lambda: infer(NAME, binary),
        "version": lambda: infer(NAME, binary, model_version=version()),
        "json": lambda: infer(NAME, text, outputs=outputs("score", binary=False)),
        "binary in": lambda: infer(NAME, binary, outputs=outputs("score", binary=False)),
        "binary out": lambda: infer(NAME, text, outputs=outputs(*names, binary=True)),
        "gzip": lambda: infer(NAME, binary, request_compression_algorithm="gzip"),
        "no such model": lambda: infer("nobody", binary),
        "no such column": lambda: infer(NAME, [other]),
    }


def matrices(client: InferenceServerClient, rows: list) -> dict[str, Callable[[], object]]:
    """Both ways to ask for a matrix."""
    return {
        "binary": lambda: shown(client.infer(NAME, matrix(rows, binary=True))),
        "json": lambda: shown(client.infer(NAME, matrix(rows, binary=False))),
    }


def result(ask: Callable[[], object]) -> object:
    """What comes of it; of an error, what the client says."""
    try:
        return ask()
    except InferenceServerException as error:
        return {"refused": error.message()}


def main() -> None:
    request = json.load(sys.stdin)
    client = InferenceServerClient(request["server"])
    ways = (
        matrices(client, request["rows"])
        if "rows" in request
        else columns(client, request["columns"])
    )
    json.dump({way: result(ask) for way, ask in ways.items()}, sys.stdout)


if __name__ == "__main__":
    main()
