"""get_dmatrix and its kin: the rows of a channel, as XGBoost itself reads them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.errors import DataError, DecodingError, SettingsError
from sagetree.formats.recordio import frame, record_class
from sagetree.official.channels import get_content_type, get_dmatrix, get_size
from sagetree.official.decoding import csv_to_dmatrix, json_to_jsonlines
from sagetree.official.training import rabit_run, training_env
from sagetree.scripts.official_names import FOLDER, with_official_names

ROWS = np.array([[1, 0.5, np.nan], [0, 0.25, 2], [1, 3, 4]], np.float32)


@pytest.fixture
def channel(tmp_path: Path) -> Path:
    folder = tmp_path / "train"
    (folder / "deep").mkdir(parents=True)
    return folder


def libsvm(row: np.ndarray) -> str:
    cells = [f"{i}:{value}" for i, value in enumerate(row[1:]) if value == value]
    return " ".join([str(row[0]), *cells])


def write(folder: Path, kind: str) -> None:
    """The first row in one file, the others in one below; hidden files do not count."""
    for name, rows in (("a", ROWS[:1]), ("deep/b", ROWS[1:])):
        path = folder / name
        if kind == "csv":
            text = [",".join("" if v != v else str(v) for v in row) for row in rows]
            path.with_suffix(".csv").write_text("\n".join(text) + "\n")
        elif kind == "libsvm":
            path.write_text("\n".join(map(libsvm, rows)) + "\n")
        elif kind == "parquet":
            table = pa.table({f"c{i}": rows[:, i] for i in range(3)})
            pq.write_table(table, path.with_suffix(".parquet"))
        else:
            records = []
            for row in rows:
                record = record_class()()
                record.label["values"].float32_tensor.values.append(float(row[0]))
                record.features["values"].float32_tensor.values.extend(row[1:].tolist())
                records.append(frame(record.SerializeToString()))
            path.write_bytes(b"".join(records))
    (folder / ".hidden").write_text("x")


@pytest.mark.parametrize("kind", ["csv", "libsvm", "parquet", "recordio-protobuf"])
def test_the_rows_of_a_folder(channel: Path, kind: str) -> None:
    write(channel, kind)
    data = get_dmatrix(str(channel), kind)
    assert data is not None
    assert data.get_label().tolist() == ROWS[:, 0].tolist()
    np.testing.assert_array_equal(data.get_data().toarray(), np.nan_to_num(ROWS[:, 1:]))
    assert data.num_nonmissing() == 5
    both = get_dmatrix([str(channel), str(channel)], kind)
    assert both is not None
    assert both.num_row() == 6
    assert get_size(str(channel)) > 0


def test_weights_of_csv_and_of_libsvm(channel: Path) -> None:
    (channel / "a.csv").write_text("1,2,7\n0,3,8\n")
    data = get_dmatrix(str(channel / "a.csv"), "csv", csv_weights=1)
    assert data is not None
    assert (data.get_weight().tolist(), data.num_col()) == ([2, 3], 1)
    (channel / "b").write_text("1:2 0:7\n0:3 0:8\n")
    data = get_dmatrix(str(channel / "b"), "libsvm")
    assert data is not None
    assert data.get_weight().tolist() == [2, 3]


def test_a_channel_that_is_not_there_is_none() -> None:
    assert get_dmatrix(None, "libsvm") is None
    assert get_dmatrix("/not/there", "csv") is None


def test_text_among_numbers_names_its_place(channel: Path) -> None:
    (channel / "a.csv").write_text("1,2\n0,x\n")
    with pytest.raises(DataError) as caught:
        get_dmatrix(str(channel / "a.csv"), "csv")
    assert str(caught.value) == (
        "a.csv line 2, column '1': 'x' is text where a number is expected. Give numbers alone, or "
        "read the files with pandas or pyarrow"
    )
    (channel / "b").write_text("1 0:x\n")
    with pytest.raises(DataError, match="b line 1"):
        get_dmatrix(str(channel / "b"), "libsvm")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (None, "libsvm"),
        ("csv", "csv"),
        ("text/csv; label_size=1; charset=utf8", "csv"),
        ("Text/X-libsvm ;charset=utf8", "libsvm"),
        ("application/x-parquet", "parquet"),
        ("application/x-recordio-protobuf", "recordio-protobuf"),
    ],
)
def test_content_types(text: str | None, kind: str) -> None:
    assert get_content_type(text) == kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "text/csv; label_size=5",
            "ContentType: 'text/csv; label_size=5' has a label_size other than 1. Put one label "
            "first, and leave label_size out",
        ),
        (
            "image/png",
            "ContentType: 'image/png' is not supported. Use one of csv, text/csv, libsvm, "
            "text/libsvm, text/x-libsvm, parquet, application/x-parquet, recordio-protobuf, "
            "application/x-recordio-protobuf",
        ),
    ],
)
def test_other_content_types_are_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        get_content_type(text)
    assert str(caught.value) == message


def test_what_get_dmatrix_does_not_read(channel: Path) -> None:
    with pytest.raises(SettingsError) as piped:
        get_dmatrix(str(channel), "csv", is_pipe=True)
    assert str(piped.value) == (
        "is_pipe: pipe mode does not read files. Leave is_pipe out; FastFile mode reads as fast"
    )
    (channel / "a.csv").write_text("1\n2\n")
    with pytest.raises(DataError) as narrow:
        get_dmatrix(str(channel), "csv")
    assert str(narrow.value) == (f"{channel}: the label is the only column. Put features beside it")


@pytest.mark.parametrize("text", ["1,2\n3,\n", b"1;2\n3;\n", "1\t2\n3\t\n", "1|2\n3|"])
def test_delimiters_of_a_body(text: str | bytes) -> None:
    data = csv_to_dmatrix(text)
    assert (data.num_row(), data.num_col(), data.num_nonmissing()) == (2, 2, 3)


def test_text_in_a_body_names_its_place() -> None:
    with pytest.raises(DecodingError, match="row 2, column 2"):
        csv_to_dmatrix("1,2\n3,x\n")


def test_json_lines_of_the_only_list() -> None:
    assert json_to_jsonlines('{"predictions": [{"a": 1}, 2]}') == b'{"a": 1}\n2\n'
    with pytest.raises(ValueError, match="2 keys"):
        json_to_jsonlines({"a": [], "b": []})


def test_one_host_trains_and_several_are_refused() -> None:
    seen: dict[str, object] = {}
    rabit_run(seen.update, {"a": 1}, True, ["algo-1"], "algo-1", update_rabit_args=True)
    assert seen == {"a": 1, "is_master": True}
    with pytest.raises(SettingsError) as several:
        rabit_run(print, {}, True, ["algo-1", "algo-2"], "algo-1")
    assert str(several.value) == (
        "sagemaker_xgboost_container.distributed: there are 2 hosts, and rabit_run supports only "
        "one. Set instance_count=1, or connect the hosts with xgboost.collective"
    )
    with pytest.raises(SettingsError) as empty:
        rabit_run(print, {}, False, ["algo-1"], "algo-1")
    assert str(empty.value) == (
        "rabit_run: no host has rows to train on. Put data into the training channel"
    )


def test_the_training_environment_is_that_of_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SM_TRAINING_ENV", '{"hosts": ["algo-1"], "hyperparameters": {"a": 1}}')
    assert training_env().hyperparameters == {"a": 1}


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "sagemaker_containers").mkdir()
    yield tmp_path
    sys.path_importer_cache.pop(str(tmp_path), None)


def test_a_script_that_installs_the_official_packages_gets_those(installed: Path) -> None:
    environ = {"PYTHONPATH": "/mine"}
    assert with_official_names(environ, None) == {"PYTHONPATH": f"/mine:{FOLDER}"}
    assert with_official_names({}, None) == {"PYTHONPATH": str(FOLDER)}
    assert with_official_names(environ, installed) == environ
