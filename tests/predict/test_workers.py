"""Several workers: the output, the messages and the errors of one."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pytest

from sagetree.predict.cli import main
from sagetree.predict.settings import FORMATS, OutputFormat
from sagetree.predict.workers.messages import Setup
from sagetree.predict.workers.pool import WorkerPool
from sagetree.predict.writers import Destination, part_opened
from tests.predict.models import NAMES, make_model, matrix
from tests.serve import encoded
from tests.serve.artifacts import make_bundle
from tests.serve.rows import NAMES as CLAIM_NAMES
from tests.serve.rows import csv_body, records

RECORDS = records(60, seed=5)


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of files in messages are as they are typed."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "model", "reg:squarederror")


def make_claims() -> None:
    """A model with identifiers, and files of it: of several formats, empty ones, new categories."""
    make_bundle(1).save(Path("claims"))
    rows = Path("rows")
    rows.mkdir()
    (rows / "0.csv").write_bytes(b"")
    new = [{**row, "a<b": "new", "policy_id": f'"{row["policy_id"]}",\n'} for row in RECORDS[:20]]
    (rows / "1.csv").write_bytes(csv_body(CLAIM_NAMES, new, header=True))
    (rows / "2.csv").write_bytes(csv_body(CLAIM_NAMES, RECORDS[20:30], header=True).splitlines()[0])
    (rows / "3.csv").write_bytes(csv_body(CLAIM_NAMES, RECORDS[30:40], header=False))
    (rows / "4.jsonl").write_text("\n".join(map(json.dumps, RECORDS[40:])))
    line, *others = csv_body(CLAIM_NAMES, RECORDS[:9], header=True).splitlines(keepends=True)
    (rows / "5.csv").write_bytes(b"".join((line, *others[:4], line, *others[4:])))


def outcome(capfd: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(list(map(str, arguments)))
    out, err = capfd.readouterr()
    assert not [path.name for path in Path().iterdir() if path.name.startswith(".")]
    return code, out, err


def same(capfd: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """How a run ends, which is the same with one worker and with two."""
    expected = outcome(capfd, *arguments)
    assert outcome(capfd, *arguments, "--workers", 2) == expected
    return expected


def test_output_and_messages_are_those_of_one(capfd: pytest.CaptureFixture[str]) -> None:
    make_claims()
    code, out, err = same(capfd, "--model", "claims", "rows")
    assert (code, err) == (
        0,
        "Empty and skipped: rows/0.csv\n"
        "1 line among the rows repeated the header: skipped\n"
        "WARNING: 20 cells of column 'a<b' are of categories that training never saw\n"
        "59 rows scored: standard output\n",
    )
    assert out.count("\n") == 1 + 59 + 20
    assert out.startswith("policy_id,score,")


@pytest.mark.long
@pytest.mark.parametrize("form", FORMATS)
def test_all_that_is_asked_for_in_all_forms(
    form: OutputFormat, capfd: pytest.CaptureFixture[str]
) -> None:
    make_claims()
    asked = ["--model", "claims", "rows", "--reasons", 2, "--contributions", "--output"]
    assert outcome(capfd, *asked, f"one.{form}")[0] == 0
    for workers in (2, 4):
        assert outcome(capfd, *asked, f"several.{form}", "--workers", workers)[0] == 0
        assert Path(f"several.{form}").read_bytes() == Path(f"one.{form}").read_bytes()


@pytest.mark.parametrize("form", FORMATS)
def test_parts_make_the_bytes_of_one_writer(form: OutputFormat) -> None:
    words = pa.chunked_array([["a", None], ["b,"]])
    tables = [
        pa.table({"policy": words, "score": pa.array([number, 0.1, 0.2], pa.float32())})
        for number in range(5)
    ]
    with Destination(Path(f"one.{form}"), None).opened() as writer:
        for table in tables:
            writer.write(table)
    with Destination(Path(f"joined.{form}"), None).opened() as writer:
        for number, slices in enumerate((tables[:2], [], tables[2:])):
            path = Path(str(number))
            with part_opened(path, form) as part:
                for table in slices:
                    part.write(table)
            if slices:
                with path.open("rb") as file:
                    writer.append(file, table.column_names)
    assert Path(f"joined.{form}").read_bytes() == Path(f"one.{form}").read_bytes()


def test_a_pipe_is_refused(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("rows.csv").write_bytes(encoded.csv(matrix(3), header=NAMES))
    os.mkfifo("pipe.csv")
    for name in ("pipe.csv", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
        assert outcome(capfd, "--model", model, "rows.csv", name, "--workers", 2) == (
            1,
            "",
            f"FAILED: {name}: it is a pipe or a device, and workers open files by name. "
            "Leave --workers out, or write it to a file\n",
        )


@pytest.mark.parametrize("count", ["0", "-1", "x", "1.5"])
def test_a_number_of_workers(count: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--model", "m", f"--workers={count}", "rows.csv"])
    assert capfd.readouterr().err.endswith(
        f"argument --workers: {count!r} is not a whole number from 1\n"
    )


@pytest.mark.long
def test_the_first_wrong_row_by_order_ends_it(
    model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The file before it takes longer, and those behind it fail sooner."""
    lines = encoded.csv(matrix(50_000)) + b"\n"
    for name, text in {
        "1.csv": lines * 4,
        "2.csv": lines + b"1,x,3\n",
        "3.csv": b"a,b,c\n1,2,y\n",
        "4.csv": b"a,b,d\n1,2,3\n",
    }.items():
        Path(name).write_bytes(text)
    files = ["1.csv", "2.csv", "3.csv", "4.csv"]
    code, out, err = same(capfd, "--model", model, *files)
    assert (code, err) == (
        1,
        "FAILED: 2.csv line 50001, column 'b': 'x' is text where a number is expected. Correct "
        "the cell, or leave it empty if the value is missing\n",
    )
    assert out.count("\n") > 200_000
    Path("scores.csv").write_text("older")
    assert same(capfd, "--model", model, *files, "--output", "scores.csv")[::2] == (1, err)
    assert Path("scores.csv").read_text() == "older"


@pytest.mark.long
def test_what_is_wrong_between_files_or_with_all(capfd: pytest.CaptureFixture[str]) -> None:
    make_bundle(1).save(Path("claims"))
    rows = records(3)
    Path("1.csv").write_bytes(csv_body(CLAIM_NAMES, rows, header=True))
    wrong = csv_body(CLAIM_NAMES[:-1], rows, header=True) + b"1,2,3\n"
    Path("2.csv").write_bytes(wrong)
    Path("3.csv").write_bytes(csv_body(CLAIM_NAMES[:-1], rows, header=True))
    asked = ["--model", "claims", "--format", "jsonl"]
    assert same(capfd, *asked, "1.csv", "3.csv")[2] == (
        "FAILED: identifier 'policy_id' is only in 1.csv, of 1.csv and 3.csv. Give all files the "
        "same columns\n"
    )
    Path("empty.csv").write_bytes(b"")
    Path("header.csv").write_bytes(b"policy_id\n")
    assert same(capfd, *asked, "empty.csv", "empty.csv", "empty.csv")[2] == (
        "FAILED: empty.csv, empty.csv, empty.csv: there are no rows. Put rows below the header\n"
    )
    Path("damaged").mkdir()
    Path("damaged", "model.ubj").write_bytes(b"{")
    assert same(capfd, "--model", "damaged", "1.csv", "3.csv")[0] == 1
    for number, identifier in enumerate((1, "x")):
        lines = (json.dumps({**row, "policy_id": identifier}) for row in rows)
        Path(f"{number}.jsonl").write_text("\n".join(lines))
    asked = ["--model", "claims", "0.jsonl", "1.jsonl", "--output", "scores.parquet"]
    assert same(capfd, *asked)[2] == (
        "FAILED: column 'policy_id': its type changes from int64 to string, and a Parquet column "
        "has one type. Write it with one type in all files, or take another output format\n"
    )


@pytest.mark.long
def test_a_part_that_cannot_be_written_is_told_of_the_output(
    model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("1.csv", "2.csv"):
        Path(name).write_bytes(encoded.csv(matrix(3), header=NAMES))
    setup = Setup(str(model), 1, "best", False, 0, "csv", "scores.csv")
    with WorkerPool(1, setup, lambda _: None) as pool:
        [(part, _)] = pool.scored([Path("1.csv")], Path("/dev/full"))
    assert part.failed == (
        "scores.csv: it cannot be written: Not a directory. Free some space and check the "
        "folder's rights, or give another --output\n\n"
        "Cause: [Errno 20] Not a directory: '/dev/full/0'"
    )
    assert capfd.readouterr().err == ""
