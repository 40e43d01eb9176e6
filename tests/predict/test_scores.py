"""Files get the scores that the server gives, bit for bit, whatever they come in."""

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.bundle.bundle import ModelBundle
from sagetree.predict.cli import main
from tests.predict.models import CLASSES, NAMES, TASKS, Matrix, make_model, matrix, served
from tests.serve import encoded
from tests.serve.artifacts import make_bundle
from tests.serve.rows import NAMES as CLAIM_NAMES
from tests.serve.rows import csv_body, records

ROWS = matrix(40, seed=7)
RECORDS = records(50, seed=5)


@pytest.fixture(scope="module")
def bundle() -> ModelBundle:
    return make_bundle(1)


@pytest.fixture(scope="module")
def claims(bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The --out folder of a training: the model lies in its folder model."""
    base = tmp_path_factory.mktemp("out")
    bundle.save(base / "model")
    return base


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """XGBoost's own file, whose columns have no names."""
    folder = tmp_path_factory.mktemp("plain") / "model"
    return make_model(folder, "reg:squarederror", foreign=True, named=False)


def predicted(
    capsys: pytest.CaptureFixture[str], model: Path, *arguments: object
) -> list[dict[str, object]]:
    """The rows of the output, as JSON Lines."""
    code = main(["--model", str(model), "--format", "jsonl", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize(
    ("objective", "foreign"),
    [*((name, False) for name in TASKS), ("binary:logistic", True), ("multi:softprob", True)],
)
def test_every_task_gets_the_servers_scores(
    objective: str, foreign: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_model(tmp_path / "model", objective, foreign=foreign)
    body = encoded.csv(ROWS, header=NAMES)
    (tmp_path / "rows.csv").write_bytes(body)
    is_class = objective.startswith(("binary", "multi"))
    keys = "score,predicted_label" if is_class else "score"
    expected = served(model, body, keys)
    found = predicted(capsys, model, tmp_path / "rows.csv")
    outputs = {"multi:softprob": CLASSES, "reg:quantileerror": range(2)}.get(objective)
    if objective == "multi:softprob" and foreign:
        outputs = range(3)
    for row, answer in zip(found, expected, strict=True):
        if outputs is not None:
            answer |= zip([f"score_{name}" for name in outputs], answer.pop("score"), strict=True)
        assert row == answer


def test_every_format_gets_equal_scores(
    numbers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = served(numbers, encoded.csv(ROWS))
    names = ("f0", "f1", "f2")
    label = np.linspace(0, 1, len(ROWS), dtype=np.float32)
    labelled: Matrix = np.column_stack([label, ROWS])
    lines = [list(map(cell, row)) for row in ROWS]
    columns = {name: ROWS[:, place] for place, name in enumerate(names)}
    files = {
        "plain.csv": encoded.csv(ROWS),
        "header.csv": encoded.csv(ROWS[:, ::-1], header=names[::-1]),
        "other-names.csv": encoded.csv(ROWS, header=("x", "y", "z")),
        "label.csv": encoded.csv(labelled),
        "label-and-header.csv": encoded.csv(labelled, header=("price", *names)),
        "tabs.tsv": encoded.csv(ROWS, "\t", header=names),
        "packed.csv.gz": gzip.compress(encoded.csv(ROWS)),
        "rows.parquet": encoded.parquet(columns),
        "label.parquet": encoded.parquet({"price": label, **columns}),
        "records.jsonl": jsonl(dict(zip(names, row, strict=True)) for row in lines),
        "lists.jsonl": jsonl(lines),
        "features.jsonl": jsonl({"label": 1, "features": row} for row in lines),
        "rows.libsvm": encoded.libsvm(ROWS),
        "unlabelled.libsvm": encoded.libsvm(ROWS).replace(b"\n0 ", b"\n").removeprefix(b"0 "),
        "dense.recordio": encoded.recordio(ROWS, sparse=False),
        "sparse.recordio": encoded.recordio(ROWS, sparse=True),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        assert predicted(capsys, numbers, tmp_path / name) == expected, name


def cell(value: np.float32) -> float | None:
    return None if np.isnan(value) else float(str(value))


def jsonl(rows: object) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()  # type: ignore[call-overload]


def test_identifiers_stand_as_they_were_and_the_label_does_not_count(
    claims: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = csv_body(CLAIM_NAMES, RECORDS, header=True)
    expected = served(claims / "model", body, "identifiers,score,predicted_label")
    rows = [{"fraud": "yes", **row} for row in reversed(RECORDS)]
    names = ["fraud", *CLAIM_NAMES]
    (tmp_path / "header.csv").write_bytes(csv_body(names[::-1], rows, header=True))
    (tmp_path / "in-order.csv").write_bytes(csv_body(names, rows, header=False))
    for name in ("header.csv", "in-order.csv"):
        found = predicted(capsys, claims, tmp_path / name)
        assert found[::-1] == expected
        assert list(found[0]) == ["policy_id", "score", "predicted_label"]


def test_a_row_of_inputs_alone_has_no_identifiers(
    claims: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = csv_body(CLAIM_NAMES[:-1], RECORDS, header=True)
    (tmp_path / "rows.csv").write_bytes(body)
    assert predicted(capsys, claims, tmp_path / "rows.csv") == served(
        claims / "model", body, "score,predicted_label"
    )


def test_reasons_and_contributions_are_the_servers(
    claims: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = csv_body(CLAIM_NAMES, RECORDS, header=True)
    (tmp_path / "rows.csv").write_bytes(body)
    expected = served(claims / "model", body, "reasons,contributions")
    found = predicted(capsys, claims, tmp_path / "rows.csv", "--reasons", "3", "--contributions")
    for row, answer in zip(found, expected, strict=True):
        assert row["reasons"] == answer["reasons"]
        told = answer["contributions"]
        assert row["base_value"] == told["base_value"]
        columns = {f"contribution_{name}": value for name, value in told["columns"].items()}
        assert columns == {name: row[name] for name in columns}
    one = predicted(capsys, claims, tmp_path / "rows.csv", "--reasons", "1")
    assert [row["reasons"][:1] for row in found] == [row["reasons"][:1] for row in one]
    assert max(len(row["reasons"]) for row in one) == 1


def test_contributions_of_several_outputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_model(tmp_path / "model", "multi:softprob")
    body = encoded.csv(ROWS, header=NAMES)
    (tmp_path / "rows.csv").write_bytes(body)
    expected = served(model, body, "contributions")
    found = predicted(capsys, model, tmp_path / "rows.csv", "--contributions")
    for row, answer in zip(found, expected, strict=True):
        for name, told in zip(CLASSES, answer["contributions"], strict=True):
            assert row[f"base_value_{name}"] == told["base_value"]
            assert [row[f"contribution_{name}_{c}"] for c in NAMES] == [*told["columns"].values()]


def test_files_and_folders_in_their_order(
    claims: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "2.csv").write_bytes(csv_body(CLAIM_NAMES, RECORDS[20:30], header=False))
    (tmp_path / "rows" / "1.csv").write_bytes(csv_body(CLAIM_NAMES, RECORDS[10:20], header=True))
    (tmp_path / "rows" / "0.csv").write_bytes(b"")
    (tmp_path / "last.jsonl").write_bytes(jsonl(RECORDS[:10]))
    found = predicted(capsys, claims, tmp_path / "rows", tmp_path / "last.jsonl")
    told = [row["policy_id"] or None for row in found]
    order = RECORDS[10:30] + RECORDS[:10]
    assert told == [row["policy_id"] for row in order]
    body = csv_body(CLAIM_NAMES, order, header=True)
    assert [row["score"] for row in found] == [r["score"] for r in served(claims / "model", body)]


def test_folders_give_columns(
    claims: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{**row, "größe": "large"} for row in RECORDS]
    folder = tmp_path / "unknown=1" / "größe=large"
    folder.mkdir(parents=True)
    rest = [name for name in CLAIM_NAMES if name != "größe"]
    (folder / "rows.csv").write_bytes(csv_body(rest, rows, header=True))
    body = csv_body(CLAIM_NAMES, rows, header=True)
    found = predicted(capsys, claims, folder / "rows.csv")
    assert [row["score"] for row in found] == [r["score"] for r in served(claims / "model", body)]


def test_three_forms_of_output_hold_the_same(
    claims: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [dict(row) for row in RECORDS]
    rows[0]["policy_id"] = 'a "b", c'
    rows[1]["policy_id"] = None
    (tmp_path / "rows.jsonl").write_bytes(jsonl(rows))
    expected = predicted(capsys, claims, tmp_path / "rows.jsonl", "--reasons", "2")
    for suffix in ("csv", "jsonl", "parquet"):
        out = tmp_path / f"scores.{suffix}"
        arguments = ["--model", claims, tmp_path / "rows.jsonl", "--reasons", 2, "--output", out]
        assert main(list(map(str, arguments))) == 0
        assert capsys.readouterr().err == f"50 rows scored: {out}\n"
        assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] == ".") == []
    assert [*map(json.loads, (tmp_path / "scores.jsonl").read_text().splitlines())] == expected
    found = pq.read_table(tmp_path / "scores.parquet")
    assert found.schema.field("score").type == pa.float32()
    assert found.to_pylist() == expected
    with (tmp_path / "scores.csv").open(newline="") as file:
        texts = list(csv.DictReader(file))
    for text, row in zip(texts, expected, strict=True):
        assert text["policy_id"] == (row["policy_id"] or "")
        assert float(text["score"]) == row["score"]
        assert json.loads(text["reasons"]) == row["reasons"]


def test_categories_never_seen_are_told(
    claims: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{**row, "a<b": "new"} for row in RECORDS[:3]]
    (tmp_path / "rows.jsonl").write_bytes(jsonl(rows))
    assert main(["--model", str(claims), str(tmp_path / "rows.jsonl")]) == 0
    assert capsys.readouterr().err == (
        "WARNING: 3 cells of column 'a<b' are of categories that training never saw\n"
        "3 rows scored: standard output\n"
    )
