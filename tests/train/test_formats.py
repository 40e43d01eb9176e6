"""The same rows through every training format give the same features, labels and roles."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.boosters.objectives import objective_of
from sagetree.machine.paths import OptMl
from sagetree.tables.schema import Schema
from sagetree.train.channels.channels import read_channel
from sagetree.train.columns.labels import Goal
from sagetree.train.columns.plan import facts_of, fit_plan
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.matrix import SLICE_ROWS, feature_matrix, out_of_memory
from sagetree.train.settings.configuration import read_settings
from sagetree.train.settings.settings import TrainSettings
from tests.sagetree.formats.test_recordio import frame, record

GOAL = Goal(objective_of("binary:logistic"), given=False, num_class=None, exponential_gain=True)


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 4) as float32, some missing, and labels."""
    random = np.random.default_rng(5)
    matrix = random.normal(size=(60, 4)).round(3).astype(np.float32)
    matrix[:, 1] = random.integers(-3, 300, 60)
    matrix[random.random(matrix.shape) < 0.2] = np.nan
    return matrix, random.integers(0, 2, 60)


Rows = tuple[np.ndarray, np.ndarray]


def text_rows(rows: Rows) -> list[list[str]]:
    return [
        [str(label), *("" if value != value else str(value) for value in row)]
        for row, label in zip(*rows, strict=True)
    ]


def as_csv(rows: Rows, delimiter: str = ",", header: str = "label,f0,f1,f2,f3\n") -> bytes:
    text = "\n".join(delimiter.join(row) for row in text_rows(rows))
    return (header.replace(",", delimiter) + text).encode()


def as_parquet(rows: Rows) -> bytes:
    columns = {f"f{i}": pa.array(column, from_pandas=True) for i, column in enumerate(rows[0].T)}
    sink = io.BytesIO()
    pq.write_table(pa.table({"label": rows[1]} | columns), sink, row_group_size=16)
    return sink.getvalue()


def as_json_lines(rows: Rows) -> bytes:
    records = (
        {"label": int(label)}
        | {f"f{i}": None if value != value else float(str(value)) for i, value in enumerate(row)}
        for row, label in zip(*rows, strict=True)
    )
    return "\n".join(map(json.dumps, records)).encode()


def as_features(rows: Rows) -> bytes:
    records = (
        {"features": [None if v != v else float(str(v)) for v in row], "label": int(label)}
        for row, label in zip(*rows, strict=True)
    )
    return "\n".join(map(json.dumps, records)).encode()


def as_libsvm(rows: Rows, first: int = 0) -> bytes:
    lines = (
        " ".join([str(label), *(f"{i}:{v}" for i, v in enumerate(row, first) if v == v)])
        for row, label in zip(*rows, strict=True)
    )
    return "\n".join(lines).encode()


def as_recordio(rows: Rows) -> bytes:
    records = []
    for row, label in zip(*rows, strict=True):
        keys = np.flatnonzero(row == row)
        records.append(frame(record(row[keys].tolist(), keys.tolist(), [4], label=label)))
    return b"".join(records)


FORMATS: dict[str, tuple[str, Callable[[Rows], bytes]]] = {
    "csv": ("text/csv", as_csv),
    "csv without header": ("text/csv;label_size=1", lambda rows: as_csv(rows, header="")),
    "semicolons": ("text/csv; charset=utf-8", lambda rows: as_csv(rows, ";")),
    "gzip": ("", lambda rows: gzip.compress(as_csv(rows))),
    "zstd": ("csv", lambda rows: pa.compress(as_csv(rows), "zstd", asbytes=True)),
    "parquet": ("application/x-parquet", as_parquet),
    "json lines": ("application/jsonlines", as_json_lines),
    "json lines of features": ("application/jsonlines", as_features),
    "libsvm": ("text/libsvm", as_libsvm),
    "libsvm from 1": ("", lambda rows: as_libsvm(rows, 1)),
    "recordio": ("application/x-recordio-protobuf", as_recordio),
}
SUFFIXES = {"gzip": ".gz", "zstd": ".zst"}


def put(opt_ml: OptMl, channel: str, how: str, rows: Rows) -> str:
    content_type, write = FORMATS[how]
    path = opt_ml.data / channel / f"a{SUFFIXES.get(how, '')}"
    path.parent.mkdir(parents=True)
    path.write_bytes(write(rows))
    return content_type


def configure(opt_ml: OptMl, **content_types: str) -> TrainSettings:
    channels = {name: {"ContentType": kind} for name, kind in content_types.items() if kind}
    channels |= {name: {} for name, kind in content_types.items() if not kind}
    opt_ml.config.mkdir(parents=True)
    (opt_ml.config / "inputdataconfig.json").write_text(json.dumps(channels))
    return read_settings(opt_ml, {})


def read_train(opt_ml: OptMl, settings: TrainSettings) -> tuple[Schema, Examples]:
    table = read_channel(opt_ml, "train", settings)
    plan = fit_plan(facts_of(table, settings.columns), settings.columns, GOAL)
    made = plan.apply(table)
    matrix = feature_matrix(made.inputs, plan.features).matrix
    return plan.schema, Examples(matrix, made.labels, made.roles)


@pytest.mark.parametrize("how", FORMATS)
def test_every_format_gives_the_same_features(tmp_path: Path, rows: Rows, how: str) -> None:
    opt_ml = OptMl(tmp_path)
    settings = configure(opt_ml, train=put(opt_ml, "train", how, rows))
    schema, examples = read_train(opt_ml, settings)
    np.testing.assert_array_equal(examples.matrix, rows[0])
    np.testing.assert_array_equal(examples.labels, rows[1])
    first = 1 if how == "libsvm from 1" else 0
    assert schema.first_index == first
    assert schema.input_names == tuple(f"f{i}" for i in range(first, first + 4))


@pytest.mark.parametrize(
    ("train", "validation"),
    [
        ("csv", "parquet"),
        ("csv without header", "libsvm"),
        ("libsvm", "recordio"),
        ("recordio", "csv without header"),
        ("parquet", "json lines"),
    ],
)
def test_validation_may_come_in_another_format(
    tmp_path: Path, rows: Rows, train: str, validation: str
) -> None:
    opt_ml = OptMl(tmp_path)
    settings = configure(
        opt_ml,
        train=put(opt_ml, "train", train, rows),
        validation=put(opt_ml, "validation", validation, rows),
    )
    plan = fit_plan(
        facts_of(read_channel(opt_ml, "train", settings), settings.columns), settings.columns, GOAL
    )
    other = plan.apply(read_channel(opt_ml, "validation", settings, plan.schema))
    np.testing.assert_array_equal(feature_matrix(other.inputs, plan.features).matrix, rows[0])


def test_libsvm_brings_weights_and_groups(tmp_path: Path) -> None:
    opt_ml = OptMl(tmp_path)
    text = "".join(f"{i % 2}:{i + 1} qid:{i // 4} 1:{i % 3}.5 2:{i % 5}\n" for i in range(20))
    (opt_ml.data / "train").mkdir(parents=True)
    (opt_ml.data / "train" / "a").write_text(text)
    schema, examples = read_train(opt_ml, configure(opt_ml, train=""))
    assert examples.roles.weight is not None
    assert examples.roles.groups is not None
    assert examples.roles.weight.tolist() == [*range(1, 21)]
    assert examples.roles.groups.tolist() == [i // 4 for i in range(20)]
    assert {c.name: c.kind for c in schema.columns}["qid"] == "group"
    assert schema.first_index == 1


def test_blanks_around_quotes_make_no_other_category(tmp_path: Path) -> None:
    plain = "y,colour,size\n" + "1,red,4\n0,blue,5\n" * 40
    spaced = 'y, "colour", size\n' + '1, "red", 4\n0,\t"blue" ,5\n' * 40
    found = []
    for name, text in (("plain", plain), ("spaced", spaced)):
        opt_ml = OptMl(tmp_path / name)
        (opt_ml.data / "train").mkdir(parents=True)
        (opt_ml.data / "train" / "train.csv").write_text(text)
        settings = configure(opt_ml, train="text/csv")
        table = read_channel(opt_ml, "train", settings)
        found.append(fit_plan(facts_of(table, settings.columns), settings.columns, GOAL).schema)
    assert found[0] == found[1]
    assert found[0].columns[0].categories == ("blue", "red")


def test_words_of_digits_stay_words_where_training_knew_them_as_words(tmp_path: Path) -> None:
    """All of a validation file's codes look like numbers: 007 is still not 7."""
    opt_ml = OptMl(tmp_path)
    for channel, codes in (("train", ["007", "x", "7", "x"]), ("validation", ["007", "7"] * 2)):
        (opt_ml.data / channel).mkdir(parents=True)
        lines = "".join(f"{i % 2},{code},{i}.5\n" for i, code in enumerate(codes))
        (opt_ml.data / channel / "a.csv").write_text("y,code,n\n" + lines)
    settings = configure(opt_ml, train="", validation="")
    plan = fit_plan(
        facts_of(read_channel(opt_ml, "train", settings), settings.columns), settings.columns, GOAL
    )
    other = plan.apply(read_channel(opt_ml, "validation", settings, plan.schema))
    matrix = feature_matrix(other.inputs, plan.features).matrix
    assert matrix[:, 0].tolist() == [0, 1, 0, 1]


def test_many_rows_are_transformed_slice_by_slice(tmp_path: Path) -> None:
    opt_ml = OptMl(tmp_path)
    count = SLICE_ROWS + 100
    lines = "".join(f"{i % 2},{'abc'[i % 3]},{i % 7}.5\n" for i in range(count))
    (opt_ml.data / "train").mkdir(parents=True)
    (opt_ml.data / "train" / "a.csv").write_text("y,c,n\n" + lines)
    _, examples = read_train(opt_ml, configure(opt_ml, train=""))
    np.testing.assert_array_equal(examples.matrix[:, 0], np.arange(count) % 3)
    np.testing.assert_array_equal(examples.matrix[:, 1], np.arange(count) % 7 + np.float32(0.5))


def test_many_labels_are_in_a_file_too() -> None:
    count = 2 * 2**20
    labels = np.arange(count, dtype=np.float32)
    kept = out_of_memory(labels)
    assert isinstance(kept, np.memmap)
    np.testing.assert_array_equal(kept, labels)
    bounds = labels.reshape(-1, 2)
    np.testing.assert_array_equal(out_of_memory(bounds), bounds)
    assert not isinstance(out_of_memory(labels[:-1]), np.memmap)


def test_the_matrix_may_be_a_file_that_has_no_name(tmp_path: Path, rows: Rows) -> None:
    opt_ml = OptMl(tmp_path)
    settings = configure(opt_ml, train=put(opt_ml, "train", "csv", rows))
    table = read_channel(opt_ml, "train", settings)
    plan = fit_plan(facts_of(table, settings.columns), settings.columns, GOAL)
    inputs = plan.apply(table).inputs
    matrix = feature_matrix(inputs, plan.features, in_file=True).matrix
    assert isinstance(matrix, np.memmap)
    np.testing.assert_array_equal(matrix, rows[0])
    assert not isinstance(feature_matrix(inputs, plan.features).matrix, np.memmap)
