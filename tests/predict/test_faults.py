"""What cannot be scored: the error's full text, and nothing half-written."""

import json
from pathlib import Path

import numpy as np
import pytest
import xgboost

from sagetree.predict.cli import main
from tests.predict.models import NAMES, make_model, matrix
from tests.serve import encoded
from tests.serve.artifacts import make_bundle
from tests.serve.rows import NAMES as CLAIM_NAMES
from tests.serve.rows import csv_body, records

GOOD = encoded.csv(matrix(3), header=NAMES)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model"), "reg:squarederror")


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of files in messages are as they are typed."""
    monkeypatch.chdir(tmp_path)


def failure(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(list(map(str, arguments))) == 1
    err = capsys.readouterr().err
    *_, last = err.splitlines()
    assert last.startswith("FAILED: ")
    assert not [path.name for path in Path().iterdir() if path.name.startswith(".")]
    return last.removeprefix("FAILED: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            b"a,b\n1,2\n",
            "rows.csv: column 'c' is missing. The model needs a, b, c",
        ),
        (
            b"a,b,c,d\n1,2,3,4\n",
            "rows.csv: column 'd' is unknown. The model needs a, b, c",
        ),
        (
            b"a,b,c\n1,2,3\n1,x,3\n",
            "rows.csv line 3, column 'b': 'x' is text where a number is expected. Correct the "
            "cell, or leave it empty if the value is missing",
        ),
        (
            b"a,b,c\n1,2,3\n1,2\n",
            "rows.csv line 3: the line has 2 cells, and the first line has 3. Give every line the "
            "same number of cells; quote a cell that holds a comma",
        ),
        (b"a,b,c\n", "rows.csv: there are no rows. Put rows below the header"),
        (b"", "rows.csv: there are no rows. Put rows below the header"),
        (
            b"1,2\n3,4\n",
            "rows.csv line 1: there are 2 columns, and the model has 3 columns. Without a header "
            "row the columns must be, in this order, a, b, c",
        ),
        (
            b"x,1,2,3\ny,4,5,6\n",
            "rows.csv line 1: 4 columns, the model has 3, and the first one is not the label: "
            "it holds 'x'. Name the columns, or give only those of the model: a, b, c",
        ),
        (
            b'{"a": 1, "b": 2, "c": 3}\n\n{"a": 1, "b": 2, "c": [3]}\n',
            "rows.csv line 3, column 'c': a list stands where a single value is expected. Write "
            "one "
            'record a line: {"column": value, ...}, or {"features": [value, ...]}',
        ),
        (
            b"1 0:1 3:2\n",
            "rows.csv line 1: the index 3 is outside 0 to 2, the indices of training. Write the "
            "files of all channels with the same indices",
        ),
    ],
)
def test_rows_that_do_not_fit(
    text: bytes, said: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("rows.csv").write_bytes(text)
    assert failure(capsys, "--model", model, "rows.csv") == said


def test_a_header_of_which_a_model_without_names_knows_none_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = make_model(tmp_path / "plain", "reg:squarederror", foreign=True, named=False)
    Path("rows.csv").write_bytes(encoded.csv(matrix(3), header=("price", "size", "age")))
    assert main(["--model", str(plain), "rows.csv"]) == 0
    assert capsys.readouterr().err == (
        "The model does not know the names of its columns: columns are taken in their order\n"
        "3 rows scored: standard output\n"
    )
    rows = matrix(3)
    Path("rows.csv").write_bytes(encoded.csv(rows[:, [0, 0, 1, 2]]))
    assert main(["--model", str(plain), "rows.csv"]) == 0
    assert capsys.readouterr().err == (
        "The first column is taken for the label and left out\n3 rows scored: standard output\n"
    )


def test_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    Path("rows.csv").write_bytes(GOOD)
    hint = "Give a folder that sagetree train wrote to, a folder with a model's files, or a "
    assert failure(capsys, "--model", "nowhere", "rows.csv") == (
        f"nowhere: the file or folder does not exist. {hint}model.tar.gz"
    )
    Path("empty").mkdir()
    assert failure(capsys, "--model", "empty", "rows.csv") == (
        f"empty: it holds no model. {hint}model.tar.gz"
    )


def test_no_file(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert failure(capsys, "--model", model, "rows.csv") == (
        "rows.csv: the file or folder does not exist. Check its name, and the current folder"
    )


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (
            "scores.xlsx",
            "scores.xlsx: '.xlsx' is not the suffix of an output format. Name a file that ends in "
            ".csv, .jsonl or .parquet, or set the format with --format",
        ),
        (
            "scores",
            "scores: its name has no suffix. Name a file that ends in .csv, .jsonl or .parquet, "
            "or set the format with --format",
        ),
        (
            "rows.csv",
            "rows.csv: the output is one of the files to score. Give another name with --output",
        ),
        ("folder.csv", "folder.csv: this is a folder. Give the name of a file in it"),
        (
            "nowhere/scores.csv",
            "nowhere: the folder does not exist. Create it first, or correct its name",
        ),
    ],
)
def test_no_place_for_the_output(
    output: str, said: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("rows.csv").write_bytes(GOOD)
    Path("folder.csv").mkdir()
    assert failure(capsys, "--model", model, "rows.csv", "--output", output) == said
    assert Path("rows.csv").read_bytes() == GOOD


def test_an_older_output_stays_until_the_new_one_is_whole(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("good.csv").write_bytes(GOOD)
    Path("bad.csv").write_bytes(b"a,b,c\n1,2,x\n")
    for suffix in ("csv", "jsonl", "parquet"):
        out = Path(f"scores.{suffix}")
        out.write_bytes(b"older")
        said = failure(capsys, "--model", model, "good.csv", "bad.csv", "--output", out)
        assert said.startswith("bad.csv line 2, column 'c': 'x' is text where a number ")
        assert out.read_bytes() == b"older"
        assert main(["--model", str(model), "good.csv", "--output", str(out)]) == 0
        assert out.read_bytes() != b"older"


def test_several_targets_have_no_reasons(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = np.random.default_rng(1).random((20, 2), np.float32)
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(values, values), 1)
    booster.save_model(tmp_path / "model.ubj")
    Path("rows.csv").write_bytes(b"1,2\n")
    assert failure(capsys, "--model", tmp_path, "rows.csv", "--reasons", 3) == (
        "--reasons: this model cannot give reasons: a row has more than one score. It "
        "has several targets. Leave it out, or ask for --contributions"
    )


def test_identifiers_that_only_some_files_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_bundle(1).save(tmp_path / "claims")
    rows = records(3)
    Path("1.csv").write_bytes(csv_body(CLAIM_NAMES, rows, header=True))
    Path("2.csv").write_bytes(csv_body(CLAIM_NAMES[:-1], rows, header=True))
    assert failure(capsys, "--model", "claims", "1.csv", "2.csv") == (
        "identifier 'policy_id' is only in 1.csv, of 1.csv and 2.csv. Give all files the same "
        "columns"
    )
    Path("1.jsonl").write_bytes(b"\n".join(_line(row, 1) for row in rows))
    Path("2.jsonl").write_bytes(b"\n".join(_line(row, "x") for row in rows))
    said = failure(capsys, "--model", "claims", "1.jsonl", "2.jsonl", "--output", "scores.parquet")
    assert said == (
        "column 'policy_id': its type changes from int64 to string, and a Parquet column has one "
        "type. "
        "Write it with one type in all files, or take another output format"
    )


def _line(row: dict[str, object], identifier: object) -> bytes:
    return json.dumps({**row, "policy_id": identifier}).encode()


@pytest.mark.parametrize("count", ["0", "-1", "x", "1.5"])
def test_a_number_of_reasons(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--model", "m", f"--reasons={count}", "rows.csv"])
    assert capsys.readouterr().err.endswith(
        f"argument --reasons: {count!r} is not a whole number from 1\n"
    )
