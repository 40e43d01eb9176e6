"""Files to one table: which files, which header, and what is refused with file and line."""

import bz2
import gzip
import lzma
import pickle
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.errors import DataError, PlatformError
from sagetree.files.header import looks_like_header
from sagetree.files.reading import Format, data_files, read_table
from sagetree.formats.csv_text import parse_csv
from sagetree.tables.table import Table

Content = bytes | str | dict[str, Any] | pa.Table


@pytest.fixture
def channel(tmp_path: Path) -> Callable[..., Path]:
    """Write files into a channel: text, bytes, or a table as Parquet."""

    def write(files: dict[str, Content]) -> Path:
        folder = tmp_path / "train"
        folder.mkdir()
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, dict | pa.Table):
                pq.write_table(pa.table(content) if isinstance(content, dict) else content, path)
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return write


def read(folder: Path, promised: Format | None = None) -> Table:
    return read_table(folder, looks_like_header, promised)


def cells(table: Table) -> dict[str, list[Any]]:
    columns = table.take(range(table.rows))
    return dict(zip(table.names, columns, strict=True))


def refusal(folder: Path, promised: Format | None = None) -> str:
    """The whole text of the error that reading `folder` raises."""
    with pytest.raises(DataError) as caught:
        read(folder, promised)
    return str(caught.value)


ROWS = "a,b\n1,x\n2,y\n"


def test_what_other_programs_leave_is_skipped(channel: Callable[..., Path]) -> None:
    folder = channel(
        {
            "part-0.csv": ROWS,
            ".part-0.csv.crc": b"\x00\xff",
            "part-0.csv.crc": b"\x00\xff",
            "_SUCCESS": "",
            "train.manifest": "[]",
            ".DS_Store": b"\x00\xff",
            ".ipynb_checkpoints/part-0.csv": ROWS,
        }
    )
    assert data_files(folder) == [folder / "part-0.csv"]
    assert cells(read(folder)) == {"a": ["1", "2"], "b": ["x", "y"]}


def test_nested_folders_are_read_in_order(channel: Callable[..., Path]) -> None:
    folder = channel({"2.csv": "a,b\n5,x\n", "1/b.csv": "a,b\n2,x\n", "1/a/z.csv": "a,b\n1,x\n"})
    table = read(folder)
    assert cells(table)["a"] == ["1", "2", "5"]
    assert [table.locate(row) for row in range(3)] == [
        "1/a/z.csv line 2",
        "1/b.csv line 2",
        "2.csv line 2",
    ]


def test_any_name_is_data_by_its_content(channel: Callable[..., Path]) -> None:
    folder = channel({"part-0": ROWS, "part-1.parquet.snappy": {"a": ["3"], "b": ["z"]}})
    assert cells(read(folder)) == {"a": ["1", "2", "3"], "b": ["x", "y", "z"]}


def test_links_are_followed(channel: Callable[..., Path], tmp_path: Path) -> None:
    folder = channel({})
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "elsewhere" / "deep" / "1.csv").write_text("a,b\n1,x\n")
    (tmp_path / "2.csv").write_text("a,b\n2,x\n")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "linked.csv").symlink_to(tmp_path / "2.csv")
    assert cells(read(folder))["a"] == ["1", "2"]


def test_the_channel_may_be_a_link(channel: Callable[..., Path], tmp_path: Path) -> None:
    folder = channel({"1.csv": ROWS})
    (tmp_path / "other").symlink_to(folder)
    assert cells(read(tmp_path / "other"))["a"] == ["1", "2"]


def test_circles_of_links_end_and_give_each_row_once(channel: Callable[..., Path]) -> None:
    folder = channel({"1.csv": ROWS, "below/2.csv": "a,b\n3,z\n"})
    (folder / "self").symlink_to(folder)
    (folder / "below" / "up").symlink_to(folder)
    (folder / "below" / "again").symlink_to(folder / "below")
    assert cells(read(folder))["a"] == ["1", "2", "3"]


def test_a_file_alone_is_a_channel(channel: Callable[..., Path]) -> None:
    folder = channel({"1.csv": ROWS})
    table = read(folder / "1.csv")
    assert cells(table)["a"] == ["1", "2"]
    assert table.locate(1) == "1.csv line 3"


@pytest.mark.parametrize("loop", [True, False])
def test_a_link_that_leads_nowhere(channel: Callable[..., Path], loop: bool) -> None:
    folder = channel({"1.csv": ROWS})
    (folder / "2.csv").symlink_to(folder / ("2.csv" if loop else "gone.csv"))
    with pytest.raises(PlatformError) as caught:
        read(folder)
    assert str(caught.value) == (
        "2.csv: the file cannot be read. Check its permissions, and where it points if it is a link"
    )
    assert isinstance(caught.value.__cause__, OSError)


# The broken channels: their files, and the whole text of the error ({root} is the folder).
HEADERS = "Give every file a header, or none of them; or set header=true or header=false"
SAME_COLUMNS = "All files of a channel need the same columns"
UNPACK = "Unpack it, or pack it with gzip (.gz) or zstd (.zst)"
PUT = "Put CSV (UTF-8), Parquet, JSON Lines, libsvm or recordio-protobuf files there"
BAD: dict[str, tuple[dict[str, Content], str]] = {
    "no file": ({}, "{root}: the folder holds no data file. Put CSV or Parquet there"),
    "only skipped files": (
        {"_SUCCESS": "", ".hidden": ROWS, "x.crc": "", "a.manifest": ""},
        "{root}: the folder holds no data file. Put CSV or Parquet there",
    ),
    "an empty file": (
        {"a.csv": ROWS, "b.csv": "\n"},
        "b.csv line 1: there are no rows. Send at least one line of comma-separated values",
    ),
    "a header and no row": (
        {"a.csv": "a,b\n"},
        "{root}: there are no rows. Put rows below the header",
    ),
    "Parquet without rows": (
        {"a.parquet": {"a": pa.array([], pa.int64())}},
        "{root}: there are no rows. Put rows below the header",
    ),
    "a ragged row": (
        {"a/1.csv": "a,b\n1,2\n3\n"},
        "a/1.csv line 3: the line has 1 cells, and the first line has 2. "
        "Give every line the same number of cells; quote a cell that holds a comma",
    ),
    "an open quote": (
        {"1.csv": 'a,b\n1,"2\n'},
        "1.csv line 2: the line is not CSV: unexpected end of data. "
        'Close every quote; write a quote inside a quoted cell twice ("")',
    ),
    "latin-1": (
        {"1.csv": "a,b\n1,größe\n".encode("latin-1")},
        "1.csv line 2: the text is not UTF-8. Save the file as UTF-8, such as with: "
        "iconv -f windows-1252 -t utf-8 FILE",
    ),
    "two columns of one name": (
        {"1.csv": "a,b, a\n1,2,3\n"},
        "1.csv line 1: two columns are called 'a'. Give every column its own name",
    ),
    "two columns of one name in Parquet": (
        {"1.parquet": pa.table([[1], [2]], names=["a", "a"])},
        "1.parquet: two columns are called 'a'. Give every column its own name",
    ),
    "gzip of another name": (
        {"1.csv": gzip.compress(ROWS.encode())},
        "1.csv: this is a gzip file. Let its name end in .gz if it holds data",
    ),
    "gzip that is none": (
        {"1.csv.gz": ROWS},
        "1.csv.gz: the gzip file is damaged: Not a gzipped file (b'a,'). "
        "Write the file again; it may be cut off",
    ),
    "gzip that is cut off": (
        {"1.csv.gz": gzip.compress(ROWS.encode())[:-9]},
        "1.csv.gz: the gzip file is damaged: Compressed file ended before the end-of-stream "
        "marker was reached. Write the file again; it may be cut off",
    ),
    "bzip2": (
        {"1.csv.bz2": bz2.compress(b"a,b\n1,2\n")},
        f"1.csv.bz2: this is a bzip2 file. {UNPACK}",
    ),
    "xz": ({"1.csv.xz": lzma.compress(b"a,b\n1,2\n")}, f"1.csv.xz: this is an xz file. {UNPACK}"),
    "lz4": ({"1.csv.lz4": b"\x04\x22\x4d\x18rest"}, f"1.csv.lz4: this is an lz4 file. {UNPACK}"),
    "7z": ({"1.7z": b"7z\xbc\xaf\x27\x1crest"}, f"1.7z: this is a 7z archive. {UNPACK}"),
    "Excel": ({"1.xlsx": b"PK\x03\x04rest"}, f"1.xlsx: this is a zip or Excel file. {PUT}"),
    "zstd of another name": (
        {"1": b"\x28\xb5\x2f\xfd12"},
        "1: this is a zstd file. Let its name end in .zst if it holds data",
    ),
    "zstd that is cut off": (
        {"1.zst": b"\x28\xb5\x2f\xfd12"},
        "1.zst: the zstd file is damaged: Truncated compressed stream. "
        "Write the file again; it may be cut off",
    ),
    "a picture": ({"1.png": b"\x89PNG\r\n"}, f"1.png: this is a PNG image. {PUT}"),
    "PDF": ({"1.pdf": b"%PDF-1.7\n"}, f"1.pdf: this is a PDF document. {PUT}"),
    "a pickle": ({"1.csv": pickle.dumps([1])}, f"1.csv: this is a Python pickle. {PUT}"),
    "an older pickle": ({"1": pickle.dumps([1], 2)}, f"1: this is a Python pickle. {PUT}"),
    "RecordIO that is cut off": (
        {"1.pbr": b"\x0a\x23\xd7\xce12"},
        "1.pbr record 1: the record is not RecordIO: it is cut off. "
        "Write the records with sagemaker.amazon.common, or send another content type",
    ),
    "Arrow": ({"1.arrow": b"ARROW1\0\0"}, f"1.arrow: this is an Arrow file. {PUT}"),
    "Avro": ({"1.avro": b"Obj\x01"}, f"1.avro: this is an Avro file. {PUT}"),
    "JSON Lines with a fault": (
        {"1.jsonl": '{"a": 1}\n{"a": [2]}\n'},
        "1.jsonl line 2, column 'a': a list stands where a single value is expected. "
        'Write one record a line: {"column": value, ...}, or {"features": [value, ...]}',
    ),
    "JSON": (
        {"1.json": '[{"a": 1}]'},
        "1.json: this is a JSON document. "
        "Write JSON Lines: one record a line, without a list around them",
    ),
    "libsvm with a fault": (
        {"1.libsvm": "1 0:1\n0 0:2 0:3\n"},
        "1.libsvm line 2: the index 0 is given twice. Give every index once in a line",
    ),
    "libsvm beside CSV": (
        {"1.libsvm": "1 0:1\n", "2.csv": ROWS},
        "1.libsvm is libsvm text, and 2.csv is not. All files of a channel need the same format",
    ),
    "XML": ({"1.xml": '<?xml version="1.0"?>'}, f"1.xml: this is XML. {PUT}"),
    "text of another encoding in Parquet": (
        {"1.parquet": pa.table({"a": pa.array([b"gr\xf6\xdfe"]).view(pa.string())})},
        "1.parquet: the Parquet file is damaged: "
        "Column 0: In chunk 0: Invalid: Invalid UTF8 sequence at string index 0. "
        "Write the file again; it may be cut off",
    ),
    "a header in one file only": (
        {"1.csv": ROWS, "2.csv": "3,4\n"},
        f"only 1.csv has a header, of 2.csv and 1.csv. {HEADERS}",
    ),
    "a header in the second file only": (
        {"1.csv": "3,4\n", "2.csv": ROWS},
        f"only 2.csv has a header, of 2.csv and 1.csv. {HEADERS}",
    ),
    "other widths without header": (
        {"1.csv": "3,4\n", "2.csv": "3,4,5\n"},
        f"2.csv: it has 3 columns, and 1.csv has 2. {SAME_COLUMNS}",
    ),
    "a further column": (
        {"1.csv": ROWS, "2.csv": "a,b,c\n1,2,3\n"},
        f"column 'c' is only in 2.csv, of 2.csv and 1.csv. {SAME_COLUMNS}",
    ),
    "a column too few": (
        {"1.csv": ROWS, "2.csv": "b\n1\n"},
        f"column 'a' is only in 1.csv, of 2.csv and 1.csv. {SAME_COLUMNS}",
    ),
    "types that do not go together": (
        {"1.parquet": {"a": [1]}, "2.parquet": {"a": ["x"]}},
        "column 'a': its types do not agree: int64 in 1.parquet, string in 2.parquet. "
        "Write the column with the same type in all files",
    ),
}


@pytest.mark.parametrize(("files", "text"), BAD.values(), ids=BAD)
def test_what_is_refused(
    channel: Callable[..., Path], files: dict[str, Content], text: str
) -> None:
    folder = channel(files)
    assert refusal(folder) == text.replace("{root}", str(folder))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    text = refusal(tmp_path / "gone")
    assert text == f"{tmp_path / 'gone'}: the folder does not exist. Put CSV or Parquet there"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_damaged_parquet(channel: Callable[..., Path], share: float) -> None:
    folder = channel({"1.parquet": {"a": [1, 2, 3]}})
    data = (folder / "1.parquet").read_bytes()
    (folder / "1.parquet").write_bytes(data[: int(len(data) * share)])
    assert refusal(folder) == (
        "1.parquet: the Parquet file is damaged: Parquet magic bytes not found in footer. "
        "Either the file is corrupted or this is not a parquet file. "
        "Write the file again; it may be cut off"
    )


@pytest.mark.parametrize(
    ("promised", "content", "found"),
    [("csv", {"a": [1]}, "a Parquet file"), ("parquet", ROWS, "not a Parquet file")],
)
def test_a_file_of_another_type_than_promised(
    channel: Callable[..., Path], promised: Format, content: Content, found: str
) -> None:
    assert refusal(channel({"1": content}), promised) == (
        f"1: this is {found}. "
        f"Its channel's ContentType promises {promised}: correct one or the other"
    )


@pytest.mark.parametrize(("promised", "content"), [("parquet", {"a": [1]}), ("csv", "a\n1\n")])
def test_a_file_of_the_promised_type(
    channel: Callable[..., Path], promised: Format, content: Content
) -> None:
    assert read(channel({"1": content}), promised).names == ("a",)


def test_files_may_order_their_columns_otherwise(channel: Callable[..., Path]) -> None:
    folder = channel({"1.csv": ROWS, "2.csv": "b,a\nz,3\n", "3.parquet": {"b": ["w"], "a": ["4"]}})
    assert cells(read(folder)) == {"a": ["1", "2", "3", "4"], "b": ["x", "y", "z", "w"]}


def test_types_that_go_together(channel: Callable[..., Path]) -> None:
    folder = channel(
        {
            "1.parquet": {"a": pa.array([1], pa.int32()), "b": ["x"], "c": pa.nulls(1)},
            "2.parquet": {"a": [0.5], "b": pa.array(["y"], pa.large_string()), "c": ["z"]},
            "3.parquet": {"a": pa.nulls(1), "b": pa.array(["x"]).dictionary_encode(), "c": ["w"]},
        }
    )
    assert cells(read(folder)) == {
        "a": [1, 0.5, None],
        "b": ["x", "y", "x"],
        "c": [None, "z", "w"],
    }


def test_names_are_read_alike_in_csv_and_parquet(channel: Callable[..., Path]) -> None:
    folder = channel({"1.csv": " a ,\n1,2\n", "2.parquet": {"a ": ["3"], "": ["4"]}})
    assert cells(read(folder)) == {"a": ["1", "3"], "Unnamed: 1": ["2", "4"]}


def test_categories_of_files_need_not_be_the_same(channel: Callable[..., Path]) -> None:
    """As pandas writes categoricals: one byte of index, other words in each file."""
    parts = {
        f"{part}.parquet": {
            "a": pa.DictionaryArray.from_arrays(
                pa.array([0, 99, None], pa.int8()), pa.array([f"{part}{n}" for n in range(100)])
            )
        }
        for part in "xy"
    }
    folder = channel(parts)
    assert cells(read(folder)) == {"a": ["x0", "x99", None, "y0", "y99", None]}


def test_parquet_cells_keep_their_types(channel: Callable[..., Path]) -> None:
    columns: dict[str, Any] = {
        "number": [1, None],
        "real": pa.array([0.1, None], pa.float32()),
        "money": [Decimal("1.50"), None],
        "flag": [True, None],
        "day": [date(2026, 1, 31), None],
        "time": pa.array([datetime(2026, 1, 31, 13), None], pa.timestamp("ns")),
        "nothing": pa.nulls(2),
    }
    table = read(channel({"1.parquet": columns}))
    assert table.named
    assert table.locate(1) == "1.parquet row 2"
    assert cells(table) == {
        "number": [1, None],
        "real": [0.1, None],
        "money": [1.5, None],
        "flag": [True, None],
        "day": [date(2026, 1, 31), None],
        "time": [datetime(2026, 1, 31, 13), None],
        "nothing": [None, None],
    }


def test_without_header_columns_are_numbered(channel: Callable[..., Path]) -> None:
    table = read(channel({"1.csv": "1,x\n2,y\n"}))
    assert not table.named
    assert table.names == ("0", "1")
    assert table.locate(0) == "1.csv line 1"


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a,b\n1,x\n2,y\n", ["1.csv line 2", "1.csv line 3"]),
        ("1,x\n2,y\n", ["1.csv line 1", "1.csv line 2"]),
        # a cell with a line end: no line is named that is not the row's
        ('a,b\n1,"x\nx"\n2,y\n', ["1.csv row 1", "1.csv row 2"]),
        ('1,"x\nx"\n2,y\n', ["1.csv row 1", "1.csv row 2"]),
    ],
)
def test_a_row_is_located(channel: Callable[..., Path], text: str, places: list[str]) -> None:
    table = read(channel({"1.csv": text}))
    assert [table.locate(row) for row in range(2)] == places


@pytest.mark.parametrize(("header", "first"), [(True, ["2"]), (False, ["1", "2"])])
def test_a_header_may_be_forced(
    channel: Callable[..., Path], header: bool, first: list[str]
) -> None:
    table = read_table(channel({"1.csv": "1,x\n2,y\n"}), lambda _: header)
    assert table.named == header
    assert table.columns[0].to_pylist() == first


@pytest.mark.parametrize(
    "text",
    [
        "age,state\n31,WA\n",
        "age,state\n,WA\n32,OR\n",
        '"a<b","x,y"\n1,2\n',
        " age , größe\n31,L\n",
        ",age\n0,31\n",  # pandas' index column has no name
        "flag,state\nTrue,WA\n",
        "N/A,state\n1,WA\n",
        # all text: no cell of the first row comes again below it
        "state,size\nWA,L\nOR,L\n",
        "state,size\n",
        # a name given twice is a faulty header, where numbers say that it is one
        "a,a\n1,2\n",
    ],
)
def test_what_looks_like_a_header(text: str) -> None:
    assert looks_like_header(parse_csv(text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        "0,1\n1,2\n",
        "0,WA\n1,OR\n",  # a row of numbers and words is data
        "label,1.5\n0,2.5\n",
        "True,WA\nFalse,OR\n",
        "nan,WA\nx,OR\n",
        # all text, and a word comes again below it
        "WA,L\nOR,M\nWA,S\n",
        # all text, and a word twice
        "L,L\nS,M\n",
        # numbers below an empty cell say nothing of the words beside it
        ",WA\n1,OR\n2,WA\n",
    ],
)
def test_what_looks_like_data(text: str) -> None:
    assert not looks_like_header(parse_csv(text.encode()))


@pytest.mark.parametrize("first", ["age,state", "31,WA"])
def test_a_header_is_found_in_a_large_file_too(first: str) -> None:
    text = parse_csv(f"{first}\n".encode() + b"32,OR\n" * 20_000)
    assert isinstance(text.columns[0], pa.ChunkedArray)
    assert looks_like_header(text) == (first == "age,state")
