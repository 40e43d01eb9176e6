"""Batch transform: what a job learns, and files cut into any mini-batches."""

import io
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client

from sagetree.formats.recordio import encode_recordio, frame, frames, record_class
from tests.serve.artifacts import INPUTS, client_for
from tests.serve.asking import post
from tests.serve.rows import csv_body, records

ROWS = records(9, seed=5)
CUTS = st.sets(st.integers(1, len(ROWS) - 1)).map(sorted)
MULTICLASS = np.random.default_rng(8).random((9, 3), np.float32)

PAYLOAD, STRATEGY = "SAGEMAKER_MAX_PAYLOAD_IN_MB", "SAGEMAKER_BATCH_STRATEGY"
WORKERS, TRANSFORMS = "SAGEMAKER_MODEL_SERVER_WORKERS", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"


@pytest.mark.parametrize(
    ("environ", "transforms", "strategy", "megabytes"),
    [
        ({}, 2, "MULTI_RECORD", 6),
        ({WORKERS: "64"}, 16, "MULTI_RECORD", 6),
        ({WORKERS: "3", PAYLOAD: "4"}, 3, "MULTI_RECORD", 4),
        ({PAYLOAD: "100"}, 1, "MULTI_RECORD", 100),
        ({PAYLOAD: "1024"}, 1, "MULTI_RECORD", 100),
        ({PAYLOAD: "0"}, 2, "MULTI_RECORD", 6),
        ({"MAX_CONTENT_LENGTH": str(19 * 2**20)}, 2, "MULTI_RECORD", 19),
        ({"MAX_CONTENT_LENGTH": str(19 * 2**20), PAYLOAD: "4"}, 2, "MULTI_RECORD", 4),
        ({"MAX_CONTENT_LENGTH": str(19 * 2**20), PAYLOAD: "0"}, 2, "MULTI_RECORD", 6),
        ({"MAX_CONTENT_LENGTH": "1000"}, 2, "MULTI_RECORD", 1),
        ({STRATEGY: "SINGLE_RECORD", TRANSFORMS: "8"}, 8, "SINGLE_RECORD", 6),
    ],
)
def test_execution_parameters_keep_to_the_job_s_settings_and_sagemakers_limits(
    base_dir: Path, environ: dict[str, str], transforms: int, strategy: str, megabytes: int
):
    answer = client_for(base_dir / "model", **environ).get("/execution-parameters")
    assert (answer.content_type, answer.data.decode()) == (
        "application/json",
        f'{{"MaxConcurrentTransforms":{transforms},"BatchStrategy":"{strategy}",'
        f'"MaxPayloadInMB":{megabytes}}}',
    )


@pytest.fixture(scope="module")
def batch(base_dir: Path) -> Client:
    return client_for(base_dir / "model", SAGEMAKER_BATCH="true")


@pytest.fixture(scope="module")
def multiclass_batch(multiclass_dir: Path) -> Client:
    return client_for(multiclass_dir, SAGEMAKER_BATCH="true")


def pieces(lines: Sequence[bytes], cuts: Sequence[int]) -> list[bytes]:
    """The lines as SplitType=Line hands them out."""
    bounds = [0, *cuts, len(lines)]
    return [b"".join(lines[a:b]) for a, b in pairwise(bounds)]


def assembled(client: Client, bodies: Sequence[bytes], kind: str, **headers: str) -> bytes:
    """The answers as AssembleWith=None joins them: one after the other, as they are."""
    answers = [post(client, body, kind, **headers) for body in bodies]
    assert {answer.status_code for answer in answers} <= {200, 204}
    return b"".join(answer.data for answer in answers)


@given(CUTS, st.sampled_from(["text/csv", "application/json", "application/jsonlines"]))
def test_a_file_cut_between_lines_gets_the_answer_of_the_whole(
    batch: Client, client: Client, cuts: list[int], accept: str
):
    lines = csv_body(INPUTS, ROWS, header=False).splitlines(keepends=True)
    found = assembled(batch, pieces(lines, cuts), "text/csv", Accept=accept)
    of_lines = "application/jsonlines" if accept == "application/json" else accept
    assert found == post(client, b"".join(lines), Accept=of_lines).data
    objects = [json.dumps(row).encode() + b"\n" for row in ROWS]
    kind = "application/jsonlines"
    assert assembled(batch, pieces(objects, cuts), kind, Accept=accept) == found


@given(CUTS)
def test_the_header_of_a_file_counts_for_its_first_part_only(
    batch: Client, client: Client, cuts: list[int]
):
    """It must have the trained order; where it is a part of its own, that has no answer."""
    lines = csv_body(INPUTS, ROWS, header=True).splitlines(keepends=True)
    expected = post(client, b"".join(lines)).data
    assert assembled(batch, pieces(lines, cuts), "text/csv") == expected
    assert assembled(batch, pieces(lines, [1, *(cut + 1 for cut in cuts)]), "text/csv") == expected


def test_answers_are_not_fused(batch: Client, client: Client):
    """Three records, posted alone: three lines; AssembleWith=Line adds a blank one after each."""
    lines = csv_body(INPUTS, ROWS[:3], header=False).splitlines(keepends=True)
    answers = [post(batch, line, "text/csv").data for line in lines]
    assert b"".join(answers) == post(client, b"".join(lines), Accept="text/csv").data
    assert [answer.count(b"\n") for answer in answers] == [1, 1, 1]
    by_line = b"".join(answer + b"\n" for answer in answers)
    assert by_line.split(b"\n")[1::2] == [b"", b"", b""]


@given(CUTS)
def test_every_objective_gives_a_line_for_a_row(multiclass_batch: Client, cuts: list[int]):
    lines = [",".join(map(str, row)).encode() + b"\n" for row in MULTICLASS]
    whole = assembled(multiclass_batch, [b"".join(lines)], "text/csv")
    assert [len(line.split(b",")) for line in whole.splitlines()] == [3] * 9
    assert assembled(multiclass_batch, pieces(lines, cuts), "text/csv") == whole
    made = encode_recordio({"x": row.tolist()} for row in MULTICLASS)
    framed = [frame(features(record)) for record in frames(io.BytesIO(made))]
    kind = "application/x-recordio-protobuf"
    assert assembled(multiclass_batch, pieces(framed, cuts), kind) == whole


def features(record: bytes) -> bytes:
    """A record whose features are the labels of another."""
    answer = record_class().FromString(record)
    made = record_class()()
    made.features["values"].CopyFrom(answer.label["x"])
    return made.SerializeToString()
