"""Files of every format to one table: delimiters, packing, folders, reading once."""

import gzip
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.errors import DataError
from sagetree.files.csv_stream import BLOCK_BYTES, CsvRules, read_csv
from sagetree.files.finding import TEXT_BYTES
from sagetree.files.gathering import Shrink
from sagetree.files.header import looks_like_header
from sagetree.files.reading import Reading, read_files, read_table
from sagetree.files.sparse_files import Indices
from sagetree.formats.recordio import PART_ROWS
from sagetree.tables.cells import MissingValues
from sagetree.tables.table import Table
from tests.sagetree.formats.test_recordio import frame, record

ROWS = "a,b\n1,x\n2,y\n"


def put(folder: Path, **files: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    return folder


def read(folder: Path, **how: Any) -> Table:
    return read_files(folder, Reading(looks_like_header, **how))


def cells(table: Table) -> dict[str, list[Any]]:
    return dict(zip(table.names, table.take(range(table.rows)), strict=True))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("told", [True, False])
def test_delimiters(tmp_path: Path, delimiter: str, told: bool) -> None:
    text = ROWS.replace(",", delimiter) + f'3{delimiter}"z{delimiter}""{delimiter}"\n'
    table = read(put(tmp_path, a__csv=text.encode()), delimiter=delimiter if told else None)
    assert cells(table) == {"a": ["1", "2", "3"], "b": ["x", "y", f'z{delimiter}"{delimiter}']}


def test_many_lines_tell_the_delimiter(tmp_path: Path) -> None:
    text = "name, of a town;price\nAmes, Iowa, USA;1,5\nReno;2\n"
    table = read(put(tmp_path, a__csv=text.encode()))
    assert table.names == ("name, of a town", "price")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("suffix", "pack"),
    [
        ("csv", bytes),
        ("csv.gz", gzip.compress),
        ("gz", lambda data: gzip.compress(data[:7]) + gzip.compress(data[7:])),
        ("csv.zst", lambda data: pa.compress(data, "zstd", asbytes=True)),
    ],
)
def test_packed_files(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes], mark: bytes
) -> None:
    (tmp_path / f"a.{suffix}").write_bytes(pack(mark + ROWS.encode()))
    assert cells(read(tmp_path)) == {"a": ["1", "2"], "b": ["x", "y"]}


def test_folders_may_be_columns(tmp_path: Path) -> None:
    for state, value in (("W%20A", 1.5), ("__HIVE_DEFAULT_PARTITION__", 2.5)):
        folder = tmp_path / f"state={state}" / "year=2026"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"amount": [value]}), folder / "part-0.parquet")
    assert cells(read(tmp_path)) == {
        "amount": [1.5, 2.5],
        "state": ["W A", None],
        "year": ["2026", "2026"],
    }


def test_folders_say_nothing_to_files_without_names(tmp_path: Path) -> None:
    put(tmp_path / "part=1", a__csv=b"1,2\n3,4\n")
    assert cells(read(tmp_path)) == {"0": ["1", "3"], "1": ["2", "4"]}


def test_row_groups_follow_each_other(tmp_path: Path) -> None:
    words = pa.array(["x", "y", "x", None] * 50).dictionary_encode()
    table = pa.table({"n": list(range(200)), "w": words})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=64)
    found = read(tmp_path)
    assert cells(found) == {"n": [*range(200)], "w": words.to_pylist()}
    assert found.locate(199) == "a.parquet row 200"


def test_json_lines(tmp_path: Path) -> None:
    put(tmp_path, a__jsonl=b'{"a": 1, "b": "x"}\n{"a": 2.5}\n', b__json=b'{"a": null, "b": "7"}')
    table = read(tmp_path)
    assert cells(table) == {"a": [1.0, 2.5, None], "b": ["x", None, "7"]}
    assert table.named
    assert table.locate(1) == "a.jsonl line 2"


def test_json_lines_of_several_types_are_what_csv_would_hold(tmp_path: Path) -> None:
    put(tmp_path, a__jsonl=b'{"a": 1}\n{"a": true}\n{"a": "x"}\n{"a": 1.5}\n{"a": null}\n')
    assert cells(read(tmp_path)) == {"a": ["1", "true", "x", "1.5", None]}


def test_json_lines_of_features_and_label(tmp_path: Path) -> None:
    put(tmp_path, a__jsonl=b'{"features": [1, "x"], "label": 0}\n')
    table = read(tmp_path)
    assert not table.named
    assert table.take([0]) == [[0], [1], ["x"]]


@pytest.mark.parametrize(("first", "names"), [(0, ("f0", "f1", "f2")), (1, ("f1", "f2", "f3"))])
def test_libsvm_indices_are_the_columns_names(
    tmp_path: Path, first: int, names: tuple[str, ...]
) -> None:
    put(
        tmp_path,
        a__libsvm=f"1:2 qid:5 {first + 1}:2.5\n".encode(),
        b__libsvm=f"0 qid:6 {first}:1 {first + 2}:3\n".encode(),
    )
    table = read(tmp_path)
    assert table.names == ("label", "weight", "qid", *names)
    assert table.roles == {"weight": "weight", "group": "qid"}
    assert table.take([0, 1]) == [[1, 0], [2, 1], [5, 6], [None, 1], [2.5, None], [None, 3]]
    assert table.locate(1) == "b.libsvm line 1"


def test_libsvm_columns_are_those_of_training(tmp_path: Path) -> None:
    put(tmp_path, a__libsvm=b"1 2:5\n")
    assert read(tmp_path, indices=Indices(1, 3)).names == ("label", "f1", "f2", "f3")
    for text in (b"1 2:5\n0 1:1 4:2\n", b"1 2:5\n0 0:1\n"):
        put(tmp_path, a__libsvm=text)
        with pytest.raises(DataError) as caught:
            read(tmp_path, indices=Indices(1, 3))
        index = text[-4:-3].decode()
        assert str(caught.value) == (
            f"a.libsvm line 2: the index {index} is outside 1 to 3, the indices of training. "
            "Write the files of all channels with the same indices"
        )


def test_recordio(tmp_path: Path) -> None:
    rows = frame(record([5], [1], [3], label=1)) + frame(record([], [], [3], label=0))
    put(tmp_path, a__pbr=rows)
    table = read(tmp_path)
    assert table.names == ("label", "f0", "f1", "f2")
    assert table.take([0, 1]) == [[1, 0], [None, None], [5, None], [None, None]]
    assert table.locate(1) == "a.pbr record 2"


@pytest.mark.long
def test_a_libsvm_file_of_several_blocks(tmp_path: Path) -> None:
    line = b"1:0.5 1:0.25 3:0.75  # a comment\n"
    count = 3 * TEXT_BYTES // len(line)
    put(tmp_path, a__libsvm=b"0 2:8\n" + line * count + b"1 4:9")
    table = read(tmp_path)
    assert table.names == ("label", "weight", "f1", "f2", "f3", "f4")
    assert table.rows == count + 2
    last = [[1, 1], [0.5, 1], [0.25, None], [None, None], [0.75, None], [None, 9]]
    assert table.take([count, count + 1]) == last
    assert table.take([0])[1:] == [[1], [None], [8], [None], [None]]
    assert table.locate(count + 1) == f"a.libsvm line {count + 2}"
    with pytest.raises(DataError) as caught:
        read(tmp_path, indices=Indices(1, 3))
    assert str(caught.value).startswith(
        f"a.libsvm line {count + 2}: the index 4 is outside 1 to 3, the indices of training. "
    )
    put(tmp_path, a__libsvm=line * count + b"1 4:x\n")
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value).startswith(
        f"a.libsvm line {count + 1}: '4:x' holds something that is not a number. "
    )


def test_a_recordio_file_of_several_parts(tmp_path: Path) -> None:
    count = 2 * PART_ROWS + 1
    records = [frame(record([number, 2.5], label=number % 2)) for number in range(count)]
    put(tmp_path, a__pbr=b"".join(records))
    table = read(tmp_path)
    assert table.rows == count
    assert table.take([0, PART_ROWS, count - 1]) == [
        [0, 0, 0], [0, PART_ROWS, count - 1], [2.5, 2.5, 2.5]
    ]  # fmt: skip
    assert table.locate(count - 1) == f"a.pbr record {count}"
    put(tmp_path, a__pbr=b"".join(records) + frame(record([1.0], label=1)))
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value).startswith(
        f"a.pbr record {count + 1}: the record cannot be read: it has 1 values, and an earlier "
        "record has 2. "
    )
    put(tmp_path, a__pbr=b"".join(records)[:-1])
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value).startswith(
        f"a.pbr record {count}: the record is not RecordIO: it is cut off. "
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("csv", ROWS.encode()),
        ("jsonl", b'{"a": 1}\n'),
        ("libsvm", b"1 0:1\n"),
        ("pbr", frame(record([1]))),
        ("gz", gzip.compress(ROWS.encode())),
    ],
    ids=["csv", "jsonl", "libsvm", "pbr", "gz"],
)
def test_a_file_is_opened_once_and_read_front_to_back(
    tmp_path: Path, name: str, content: bytes
) -> None:
    """A pipe in a file system can be read no other way."""
    path = tmp_path / f"a.{name}"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(content,))
    writer.start()
    rows = read(tmp_path).rows
    writer.join()
    assert rows in (1, 2)


def test_a_parquet_file_too(tmp_path: Path) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [1, 2]}), sink)
    path = tmp_path / "a.parquet"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(sink.getvalue().to_pybytes(),))
    writer.start()
    assert cells(read(tmp_path)) == {"a": [1, 2]}
    writer.join()


# --- large files, block by block ---

WORD = "w" * 200
LINES = BLOCK_BYTES // 210 + 1000


def numbered(line: str, header: str = "n,x,w\n") -> bytes:
    return header.encode() + "".join(line % i for i in range(LINES)).encode()


def shrunk(folder: Path, text: frozenset[str] = frozenset(), missing: tuple[str, ...] = ()):
    shrink = Shrink(
        names=lambda n: tuple(f"c{i}" for i in range(n)),
        kept=lambda _: {"kept"},
        text=text,
        missing=MissingValues.of(missing),
    )
    return read(folder, shrink=shrink)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put(tmp_path_factory.mktemp("large"), a__csv=numbered(f"%07d,0.125,{WORD}\n"))


def test_blocks_join_without_a_seam(large: Path) -> None:
    table = shrunk(large)
    assert table.rows == LINES
    assert table.column("n").combine_chunks().equals(pa.array(range(LINES), pa.int32()))
    assert table.column("x").type == pa.float32()
    assert set(table.column("x").unique().to_pylist()) == {0.125}
    assert table.column("w").type == pa.dictionary(pa.int8(), pa.string())
    assert table.locate(LINES - 1) == f"a.csv line {LINES + 1}"
    assert len(table.sources) == 2


def test_the_first_block_comes_as_numbers_like_the_others(large: Path) -> None:
    """Its text has been turned into numbers to know that it is some: that is not done again."""
    with (large / "a.csv").open("rb") as file:
        rules = CsvRules(lambda _: True, numbers=lambda names, _: [n != "w" for n in names])
        tables = read_csv(file, file.read(9), "a.csv", rules)
        types = [[cells.type for cells in table.columns[:2]] for table in tables]
    assert types == [[pa.float64()] * 2] * 2


def test_words_in_one_file_are_words_in_the_next(tmp_path: Path) -> None:
    """Its first block alone would be taken for numbers, and 007 be lost."""
    put(tmp_path, a__csv=b"n,x,w\n1,a,b\n", b__csv=numbered(f"%07d,007,{WORD}\n"))
    column = shrunk(tmp_path).column("x")
    assert column.type == pa.dictionary(pa.int8(), pa.string())
    assert column.unique().to_pylist() == ["a", "007"]


@pytest.mark.parametrize(
    ("added", "reason"),
    [
        (b"1,2\n", "the line has 2 cells, and the first line has 3"),
        (b'1,2,"x', "the line is not CSV: unexpected end of data"),
        (b"1,2,\xff\n", "the text is not UTF-8"),
    ],
)
def test_faults_beyond_the_first_block_are_located(
    tmp_path: Path, large: Path, added: bytes, reason: str
) -> None:
    put(tmp_path, a__csv=(large / "a.csv").read_bytes() + added)
    with pytest.raises(DataError) as caught:
        shrunk(tmp_path)
    assert (caught.value.message, caught.value.where) == (reason, f"a.csv line {LINES + 2}")


def test_words_after_many_numbers_make_a_column_of_words(tmp_path: Path, large: Path) -> None:
    put(tmp_path, a__csv=(large / "a.csv").read_bytes() + b"x7,1,abc\n")
    column = shrunk(tmp_path).column("n")
    assert pa.types.is_dictionary(column.type)
    assert (column[0].as_py(), column[-1].as_py()) == ("0000000", "x7")


def test_empty_lines_at_the_end_do_not_count(tmp_path: Path, large: Path) -> None:
    put(tmp_path, a__csv=(large / "a.csv").read_bytes() + b"\r\n\n\n")
    assert shrunk(tmp_path).rows == LINES


def test_quoted_line_ends_do_not_cut_a_block(tmp_path: Path) -> None:
    put(tmp_path, a__csv=numbered(f'%07d,"a\n,b""{WORD}",1\n'))
    table = shrunk(tmp_path)
    assert table.rows == LINES
    assert table.column("x").unique().to_pylist() == [f'a\n,b"{WORD}']
    assert table.locate(LINES - 1) == f"a.csv row {LINES}"


# --- what shrinking keeps ---


@pytest.mark.parametrize(
    ("column", "kind", "expected"),
    [
        (["1", "2.0", ""], pa.int8(), [1, 2, None]),
        (["1", "300", "1e2"], pa.int16(), [1, 300, 100]),
        (["1", "0.5", "nan"], pa.float32(), [1, 0.5, None]),
        (["9007199254740993", "1", "2"], pa.int64(), [9007199254740992, 1, 2]),
        (["", "nan", ""], pa.int8(), [None] * 3),
        (["True", "False", ""], None, ["True", "False", ""]),
        (["007", "1", "x"], None, ["007", "1", "x"]),
        (["1e300", "1", "2"], None, ["1e300", "1", "2"]),
        (["inf", "1", "2"], None, ["inf", "1", "2"]),
    ],
)
def test_shrunk_cells(
    tmp_path: Path, column: list[str], kind: pa.DataType | None, expected: list[Any]
) -> None:
    put(tmp_path, a__csv="\n".join(["a,b", *(f"{cell},x" for cell in column)]).encode())
    found = shrunk(tmp_path).column("a")
    assert found.type == (kind or pa.dictionary(pa.int8(), pa.string()))
    values = [None if value != value else value for value in found.to_pylist()]
    assert values == expected


def test_kept_and_declared_columns_stay_as_they_are(tmp_path: Path) -> None:
    put(tmp_path, a__csv=b"kept,word\n007,008\n1,2\n")
    assert cells(shrunk(tmp_path, text=frozenset({"word"}))) == {
        "kept": ["007", "1"],
        "word": ["008", "2"],
    }


def test_missing_values_are_taken_out_before_rounding(tmp_path: Path) -> None:
    put(tmp_path, a__csv=b"a,b\n-9.99,?\n-9.990001,3\n1,4\n")
    found = cells(shrunk(tmp_path, missing=("-9.99", "?")))
    assert found["a"][0] != found["a"][0]  # NaN
    assert found["a"][1] == -9.990001
    assert found["b"] == [None, 3, 4]


def test_without_shrinking_cells_are_as_they_were_read(large: Path) -> None:
    table = read_table(large, looks_like_header)
    assert table.take([5]) == [["0000005"], ["0.125"], [WORD]]
