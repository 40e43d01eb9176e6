# /// script
# requires-python = ">=3.11"
# dependencies = ["sagemaker==2.257.7"]
# ///
"""SageMaker's SDK: each serializer and deserializer in a Predictor, by boto3, on an endpoint."""

import json
import sys
from collections.abc import Callable

import boto3
import numpy as np
import pandas as pd
from sagemaker.base_predictor import Predictor
from sagemaker.deserializers import (
    CSVDeserializer,
    JSONDeserializer,
    JSONLinesDeserializer,
    NumpyDeserializer,
    PandasDeserializer,
)
from sagemaker.serializers import (
    CSVSerializer,
    JSONLinesSerializer,
    JSONSerializer,
    LibSVMSerializer,
    NumpySerializer,
    RecordSerializer,
)
from sagemaker.session import Session

NAME = "an-endpoint"
ASKED = json.load(sys.stdin)
ROWS = np.array(ASKED["rows"], np.float32)
FRAME = pd.DataFrame(ROWS)
LIBSVM = "\n".join(
    " ".join(
        ["0", *(f"{i}:{cell}" for i, cell in enumerate(row, start=ASKED["first"]) if cell == cell)]
    )
    for row in ROWS.tolist()
)

# What each serializer is given.
SENT = {
    "CSV of an array": (CSVSerializer(), ROWS),
    "CSV of lists": (CSVSerializer(), ROWS.tolist()),
    "CSV of a frame": (CSVSerializer(), FRAME),
    "JSON instances": (JSONSerializer(), {"instances": ROWS.tolist()}),
    "JSON lists": (JSONSerializer(), ROWS),
    "JSON Lines": (JSONLinesSerializer(), [{"features": row} for row in ROWS.tolist()]),
    "Numpy": (NumpySerializer(dtype="float32"), ROWS),
    "LibSVM": (LibSVMSerializer(), LIBSVM),
    "RecordIO": (RecordSerializer(), ROWS),
}

# What each deserializer gives, and the scores in it.
GOT: dict[str, tuple[object, Callable[[object], list]]] = {
    "CSV": (CSVDeserializer(), lambda lines: [float(score) for (score,) in lines]),
    "JSON": (JSONDeserializer(), lambda found: [row["score"] for row in found["predictions"]]),
    "JSON Lines": (JSONLinesDeserializer(), lambda rows: [row["score"] for row in rows]),
    "Numpy": (NumpyDeserializer(), lambda array: array.ravel().tolist()),
    "Numpy of CSV": (NumpyDeserializer(accept="text/csv"), lambda array: array.tolist()),
    "Pandas of JSON": (
        PandasDeserializer(accept="application/json"),
        lambda frame: pd.json_normalize(frame["predictions"])["score"].tolist(),
    ),
}


def main() -> None:
    runtime = boto3.client(
        "sagemaker-runtime",
        endpoint_url=sys.argv[1],
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )
    session = Session(
        boto3.Session(region_name="us-east-1"),
        sagemaker_client=object(),
        sagemaker_runtime_client=runtime,
    )
    found: dict[str, object] = {"boto3": by_boto3(runtime)}
    for sent, (serializer, rows) in SENT.items():
        predictor = Predictor(NAME, session, serializer, GOT["JSON"][0])
        found[f"sent: {sent}"] = result(lambda p=predictor, r=rows: GOT["JSON"][1](p.predict(r)))
    for got, (deserializer, scores) in GOT.items():
        predictor = Predictor(NAME, session, CSVSerializer(), deserializer)
        found[f"got: {got}"] = result(lambda p=predictor, s=scores: s(p.predict(ROWS)))
    json.dump(found, sys.stdout)


def by_boto3(runtime: object) -> dict[str, object]:
    """The bare call, with attributes."""
    answer = runtime.invoke_endpoint(
        EndpointName=NAME,
        ContentType="text/csv",
        Accept="application/json",
        CustomAttributes="inference_output=score,predicted_label",
        Body=FRAME.to_csv(header=False, index=False),
    )
    return {"type": answer["ContentType"], "body": json.load(answer["Body"])}


def result(call: Callable[[], object]) -> object:
    """What comes of it; of an error, what the SDK says."""
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main()
