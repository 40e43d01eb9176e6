"""Flows of the operators in AWS's fraud workshop, written as Data Wrangler writes them."""

import base64
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Node = dict[str, Any]

LOWER = """# Table is available as variable `df`
cat_cols = df.dtypes[df.dtypes == object].index
df[cat_cols] = df[cat_cols].apply(lambda x: x.str.lower())
"""
NOW = """# Table is available as variable `df`
import pandas as pd
df['event_time'] = pd.to_datetime('now').timestamp()"""


def fitted(column: str, categories: Sequence[str]) -> str:
    """Return a StringIndexerModel as Spark saves it and Data Wrangler packs it."""
    metadata = {
        "class": "org.apache.spark.ml.feature.StringIndexerModel",
        "sparkVersion": "3.0.0-amzn-0",
        "paramMap": {"inputCol": column, "outputCol": "temp_col", "handleInvalid": "keep"},
        "defaultParamMap": {"stringOrderType": "frequencyDesc", "handleInvalid": "error"},
    }
    parquet = io.BytesIO()
    pq.write_table(pa.table({"labelsArray": [[list(categories)]]}), parquet, compression="snappy")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata/part-00000", json.dumps(metadata) + "\n")
        archive.writestr("metadata/.part-00000.crc", b"crc")
        archive.writestr("metadata/_SUCCESS", b"")
        archive.writestr("data/part-00000-5c0c80f4-c000.snappy.parquet", parquet.getvalue())
        archive.writestr("data/_SUCCESS", b"")
    return base64.b85encode(data.getvalue()).decode()


def infer(**schema: str) -> Node:
    """Return the step that casts every column to the type inferred for it."""
    return {
        "operator": "sagemaker.spark.infer_and_cast_type_0.1",
        "parameters": {},
        "trained_parameters": {"schema": schema},
    }


def pandas(code: str) -> Node:
    """Return a step of pandas code."""
    return {"operator": "sagemaker.spark.custom_pandas_0.1", "parameters": {"code": code}}


def chosen(operator: str, way: str, **parameters: Any) -> Node:
    """Return a step of an operator that has several ways."""
    name = way.lower().replace("-", "_").replace(" ", "_") + "_parameters"
    return {
        "operator": f"sagemaker.spark.{operator}_0.1",
        "parameters": {"operator": way, "lower_case_parameters": {}, name: parameters},
    }


def remove_symbols(column: str) -> Node:
    """Return the step that the workshop's flows take with three columns."""
    symbols = "!@#$%^&*()_+=-/\\`~{}|<>?"
    return chosen("format_string", "Remove symbols", symbols=symbols, input_column=column)


def encode(way: str, column: str, categories: Sequence[str] | None, **parameters: Any) -> Node:
    """Return an encoder, fitted if there are categories."""
    usual: dict[str, Any] = {"invalid_handling_strategy": "Keep", "input_column": column}
    if way == "One-hot encode":
        usual |= {"drop_last": False, "output_style": "Columns"}
    else:
        usual["invalid_handling_strategy"] = "Replace with NaN"
    node = chosen("encode_categorical", way, **{**usual, **parameters})
    if categories is not None:
        [name] = [name for name in node["parameters"] if name.startswith(("one", "ord"))]
        state = {"_hash": -1767228197713558300, "string_indexer_model": fitted(column, categories)}
        node["trained_parameters"] = {name: state}
    return node


def one_hot(name: str, *categories: str, **parameters: Any) -> Node:
    """Return a fitted one-hot encoding."""
    return encode("One-hot encode", name, categories, **parameters)


def ordinal(column: str, *categories: str, **parameters: Any) -> Node:
    """Return a fitted ordinal encoding."""
    return encode("Ordinal encode", column, categories, **parameters)


def cast(name: str, kind: str, **parameters: Any) -> Node:
    """Return a cast of one column."""
    given = {"column": name, "original_data_type": "Float", "data_type": kind} | parameters
    return {"operator": "sagemaker.spark.cast_single_data_type_0.1", "parameters": given}


def drop(*columns: str) -> Node:
    """Return the step that drops columns, one as the workshop's flows write it."""
    dropped = columns[0] if len(columns) == 1 else list(columns)
    return chosen("manage_columns", "Drop column", column_to_drop=dropped)


def flow(table: str, steps: Sequence[Node]) -> str:
    """Return the text of a flow that takes these steps with a table."""
    context = {"s3Uri": f"s3://bucket/raw/{table}", "s3ContentType": "csv", "s3HasHeader": True}
    definition = {"datasetSourceType": "S3", "name": table, "s3ExecutionContext": context}
    source: Node = {
        "node_id": "0",
        "type": "SOURCE",
        "operator": "sagemaker.s3_source_0.1",
        "parameters": {"dataset_definition": definition},
        "inputs": [],
        "outputs": [{"name": "default"}],
    }
    nodes = [source]
    for place, step in enumerate(steps, 1):
        before = {"name": "df", "node_id": str(place - 1), "output_name": "default"}
        nodes.append({"node_id": str(place), "type": "TRANSFORM", **step, "inputs": [before],
                      "outputs": [{"name": "default"}]})  # fmt: skip
    return json.dumps({"metadata": {"version": 1}, "nodes": nodes})


def put_flow(root: Path, table: str, *steps: Node) -> list[str]:
    """Write a flow and return the arguments that name it."""
    path = root / f"{Path(table).stem}.flow"
    path.write_text(flow(table, steps))
    return ["--flow", str(path)]
