"""Flows' files: what is not a flow, and steps that are not known, all reported at once."""

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sagetree.errors import SettingsError
from sagetree.prepare.cli import main
from sagetree.prepare.flow.fitted import FittedError, read_fitted
from sagetree.prepare.flow.running import read_flows
from tests.prepare.flow.flows import (
    Node,
    cast,
    chosen,
    encode,
    fitted,
    flow,
    infer,
    one_hot,
    pandas,
    put_flow,
)
from tests.prepare.stores.trees import put_group, record
from tests.prepare.tables import message, put

ENCODE = "sagemaker.spark.encode_categorical_0.1"
HINT = (
    "Leave them out of the flow, and do the same with a query (--sql); docs/guide/flows.md lists "
    "what is supported"
)


def fault(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        read_flows([path])
    return str(caught.value)


UNKNOWN: dict[str, tuple[Node, str]] = {
    "an operator": ({"operator": "sagemaker.spark.join_tables_0.1", "parameters": {}},
                    "sagemaker.spark.join_tables_0.1"),
    "a way": (chosen("format_string", "Title case", input_column="t"),
              "sagemaker.spark.format_string_0.1 (Title case)"),
    "a way of columns": (chosen("manage_columns", "Rename column", input_column="t"),
                         "sagemaker.spark.manage_columns_0.1 (Rename column)"),
    "an encoder": (chosen("encode_categorical", "Similarity encode", input_column="t"),
                   f"{ENCODE} (Similarity encode)"),
    "code": (pandas("# rows\n\ndf = df.dropna()\n"),
             "sagemaker.spark.custom_pandas_0.1 (code 'df = df.dropna()')"),
    "vectors": (one_hot("t", "a", output_style="Vector"),
                f"{ENCODE} (One-hot encode, output_style 'Vector')"),
    "rows that go": (one_hot("t", "a", invalid_handling_strategy="Skip"),
                     f"{ENCODE} (One-hot encode, invalid_handling_strategy 'Skip')"),
    "a last one that goes": (
        one_hot("t", "a", drop_last=True, invalid_handling_strategy="Error"),
        f"{ENCODE} (One-hot encode, drop_last True)"),
    "a parameter": (one_hot("t", "a", other=1), f"{ENCODE} (One-hot encode, other '1')"),
    "several columns": (one_hot("t", "a", input_column=["t", "u"]),
                        f"{ENCODE} (One-hot encode, input_column \"['t', 'u']\")"),
    "no column": (one_hot("t", "a", input_column=None),
                  f"{ENCODE} (One-hot encode, input_column)"),
    "state of another column": (
        {**encode("One-hot encode", "t", None), "trained_parameters": {
            "one_hot_encode_parameters": {"string_indexer_model": fitted("u", ["a"])}}},
        f"{ENCODE} (One-hot encode, it is fitted on 'u', and encodes 't')"),
    "state that is none": (
        {**encode("Ordinal encode", "t", None), "trained_parameters": {
            "ordinal_encode_parameters": {"string_indexer_model": "P)h>@"}}},
        f"{ENCODE} (Ordinal encode, its fitted state cannot be read)"),
    "a date": (cast("t", "date"),
               "sagemaker.spark.cast_single_data_type_0.1 (data_type 'date')"),
    "cells elsewhere": (
        cast("t", "long", non_castable_data_handling_method="drop"),
        "sagemaker.spark.cast_single_data_type_0.1 (non_castable_data_handling_method 'drop')"),
    "types that are none": (infer(t="date"),
                            "sagemaker.spark.infer_and_cast_type_0.1 (type 'date')"),
    "no types": (infer(), "sagemaker.spark.infer_and_cast_type_0.1 (it holds no types: run the "
                          "flow once in Data Wrangler, and save it)"),
}  # fmt: skip


@pytest.mark.parametrize(("step", "text"), UNKNOWN.values(), ids=UNKNOWN)
def test_steps_that_are_not_known(tmp_path: Path, step: Node, text: str) -> None:
    path = tmp_path / "t.flow"
    path.write_text(flow("t.csv", [infer(t="string"), step]))
    assert fault(path) == f"--flow: steps that are not supported: t.flow, step 3: {text}. {HINT}"


def test_all_unknown_steps_are_named_before_anything_is_read(root: Path) -> None:
    steps = [step for step, _ in UNKNOWN.values()]
    arguments = put_flow(root, "t.csv", *steps) + put_flow(root, "u.csv", steps[0])
    assert main([*arguments, "--label", "t"]) == 1
    names = [f"t.flow, step {place}: {text}" for place, (_, text) in enumerate(UNKNOWN.values(), 2)]
    named = "; ".join([*names, f"u.flow, step 2: {UNKNOWN['an operator'][1]}"])
    assert message(root) == f"--flow: steps that are not supported: {named}. {HINT}\n"


def test_sources_that_are_not_known(tmp_path: Path) -> None:
    path = tmp_path / "t.flow"
    given = json.loads(flow("t.csv", []))
    text = "--flow: steps that are not supported: t.flow, step 1: "
    [source] = given["nodes"]
    source["parameters"]["dataset_definition"]["s3ExecutionContext"]["s3HasHeader"] = False
    path.write_text(json.dumps(given))
    name = "dataset_definition.s3ExecutionContext.s3HasHeader 'False'"
    assert fault(path) == f"{text}sagemaker.s3_source_0.1 ({name}). {HINT}"
    source["operator"] = "sagemaker.athena_source_0.1"
    path.write_text(json.dumps(given))
    assert fault(path) == f"{text}sagemaker.athena_source_0.1. {HINT}"


def changed(change: dict[str, Any], *steps: Node) -> str:
    return json.dumps({**json.loads(flow("t.csv", steps)), **change})


def linked(*inputs: str) -> str:
    """Return a flow whose steps follow the nodes named."""
    given = json.loads(flow("t.csv", [infer(t="string")] * len(inputs)))
    for node, before in zip(given["nodes"][1:], inputs, strict=True):
        node["inputs"] = [{"node_id": name} for name in before]
    return json.dumps(given)


FILES = {
    "no JSON": (b"{", "this is not a flow of Data Wrangler"),
    "other JSON": (b"[1]", "this is not a flow of Data Wrangler"),
    "no text": (b"\xff", "this is not a flow of Data Wrangler"),
    "no nodes": (changed({"nodes": []}).encode(), "the flow reads no table"),
    "another version": (
        changed({"metadata": {"version": 2}}).encode(),
        "this is a flow of version 2, and only version 1 is supported",
    ),
    "a branch": (
        linked("0", "0").encode(),
        "after step 0 it branches to sagemaker.spark.infer_and_cast_type_0.1 and "
        "sagemaker.spark.infer_and_cast_type_0.1",
    ),
    "a circle": (linked("02", "1").encode(), "its steps form a circle"),
}


@pytest.mark.parametrize(("data", "text"), FILES.values(), ids=FILES)
def test_files_that_are_no_flows(tmp_path: Path, data: bytes, text: str) -> None:
    path = tmp_path / "t.flow"
    path.write_bytes(data)
    hint = "Name a flow's file, saved by Data Wrangler, in which one step follows another"
    assert fault(path) == f"--flow {path}: {text}. {hint}"


def test_no_file(tmp_path: Path) -> None:
    assert fault(tmp_path / "x").startswith(
        f"--flow {tmp_path}/x: the file cannot be read: No such file or directory. Name a flow's"
    )


def test_an_empty_name(root: Path) -> None:
    assert main(["--flow", "", "--label", "x"]) == 1
    assert message(root) == (
        "--flow: the value is empty. Give it a value, or leave the option out\n"
    )


def test_two_flows_for_one_table(tmp_path: Path) -> None:
    paths = [tmp_path / "a.flow", tmp_path / "b.flow"]
    for path, table in zip(paths, ("t.csv", "T.parquet"), strict=True):
        path.write_text(flow(table, []))
    with pytest.raises(SettingsError) as caught:
        read_flows(paths)
    assert str(caught.value) == (
        "--flow: a.flow and b.flow are both for the table 'T'. Leave one of them"
    )


def test_nodes_that_only_look_are_skipped(tmp_path: Path) -> None:
    """Analyses and destinations hang beside the steps; Data Wrangler runs them apart."""
    given = json.loads(flow("t.csv", [infer(t="string")]))
    for number, kind in enumerate(("VISUALIZATION", "DESTINATION")):
        node = {"node_id": f"a{number}", "type": kind, "operator": "sagemaker.x",
                "parameters": {}, "inputs": [{"node_id": "0"}]}  # fmt: skip
        given["nodes"].append(node)
    path = tmp_path / "t.flow"
    path.write_text(json.dumps(given))
    [read] = read_flows([path])
    assert (read.table, len(read.steps)) == ("t", 1)


def test_columns_as_later_versions_write_them(tmp_path: Path) -> None:
    path = tmp_path / "t.flow"
    step = one_hot("t", "a", input_column=["t"], output_column=None)
    path.write_text(flow("t.csv", [step, cast("t_a", "long", column=["t_a"])]))
    [read] = read_flows([path])
    assert len(read.steps) == 2


def test_a_flow_for_an_offline_store(root: Path) -> None:
    put_group(root, "t", [record(0, "2026-09-30T09:00:00", fraud=0)])
    arguments = put_flow(root, "t.csv", infer(t="string"))
    assert main([*arguments, "--label", "fraud", "--key", "policy_id"]) == 1
    assert message(root) == (
        "--flow: t.flow is for the table t, which is a feature group's offline store. Leave the "
        "flow out if the store holds what it made, or use the raw table\n"
    )


def test_a_flow_that_the_query_does_not_need(root: Path) -> None:
    put(root, "t.csv", "x,fraud\n1,0\n2,1\n")
    put(root, "u.csv", "x,fraud\n1,0\n2,1\n")
    (root / "q.sql").write_text("SELECT * FROM u")
    arguments = [*put_flow(root, "t.csv", infer(x="long")), "--sql", str(root / "q.sql")]
    assert main([*arguments, "--label", "fraud"]) == 1
    assert message(root).startswith("--flow: t.flow is for the table 't', and the tables are 'u'.")


def archive(**files: bytes) -> str:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return base64.b85encode(data.getvalue()).decode()


@pytest.mark.parametrize(
    "packed",
    [
        "",
        "not base 85 \x00",
        archive(),
        archive(**{"metadata/part-0": b"{}", "data/part-0.parquet": b"PAR1"}),
        archive(**{"metadata/part-0": b"[]", "data/part-0.parquet": b"PAR1"}),
        fitted("t", ["a"])[:-40],
    ],
    ids=range(6),
)
def test_state_that_cannot_be_read(packed: str) -> None:
    with pytest.raises(FittedError, match="its fitted state cannot be read"):
        read_fitted(packed)
