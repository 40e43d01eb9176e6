"""Files without one policy's rows: the others stay, and what cannot be read is said."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.cloud.erasure.identifier import Identifier
from sagetree.cloud.erasure.rows import (
    Filtered,
    filtered_captures,
    filtered_lines,
    filtered_table,
    without_rows,
)
from sagetree.errors import DataError

POLICY = Identifier("policy_id", "7")


def csv_without(folder: Path, text: bytes, policy: Identifier = POLICY) -> tuple[bytes, Filtered]:
    """Return what is left of a CSV file, and what was found by looking only."""
    source, target = folder / "in", folder / "out"
    source.write_bytes(text)
    looked = filtered_table(source, policy)
    assert filtered_table(source, policy, target) == looked
    return target.read_bytes() if target.exists() else b"", looked


@pytest.mark.parametrize(
    ("text", "left", "found"),
    [
        (b"policy_id,a\n6,1\n7,2\n77,7\n7,3", b"policy_id,a\n6,1\n77,7\n", (1, 3)),
        (b"a,policy_id\r\n7,6\r\n1,7\r\n", b"a,policy_id\r\n7,6\r\n", (1,)),
        (b"\xef\xbb\xbfa;policy_id\n1;7.0\n2;07\n", b"\xef\xbb\xbfa;policy_id\n2;07\n", (0,)),
        (b'policy_id\ta\n"7"\t1\n8\t7\n', b"policy_id\ta\n8\t7\n", (0,)),
        (
            b'a,policy_id\n"two\nlines, 7,""7""",8\n"one,\n",7\n',
            b'a,policy_id\n"two\nlines, 7,""7""",8\n',
            (1,),
        ),
        (b"policy_id,city\n7,M\xfcnchen\n8,K\xf6ln 7\n", b"policy_id,city\n8,K\xf6ln 7\n", (0,)),
        (b"id,a\n7,7\n", b"", ()),
        (b"1,2\n7,7\n", b"", ()),
    ],
)
def test_csv_keeps_all_other_rows_byte_by_byte(tmp_path, text: bytes, left: bytes, found):
    kept, looked = csv_without(tmp_path, text)
    assert (kept, looked.found) == (left, found)


def test_an_identifier_may_be_any_text(tmp_path):
    policy = Identifier("policy_id", 'Mü "1", x')
    text = 'policy_id\n"Mü ""1"", x"\nMü\n'.encode()
    assert csv_without(tmp_path, text, policy)[0] == "policy_id\nMü\n".encode()


@pytest.mark.parametrize(
    ("text", "policy", "message"),
    [
        (b"\x1f\x8b\x08...", POLICY, "it is compressed"),
        (b"\xff\xfep\x00", POLICY, "it is not UTF-8"),
        (b"PAR1 no", POLICY, "it is not a Parquet file that can be read"),
        (b'policy_id,a\n1,5" pipe\n7,6" pipe\n', POLICY, "a row is not CSV"),
        (b"policy_id\nM\xfc\n", Identifier("policy_id", "Mü"), "a row is not CSV"),
    ],
)
def test_what_cannot_be_looked_into_is_an_error(tmp_path, text: bytes, policy, message: str):
    """A policy that is there and not found would be kept without a word."""
    with pytest.raises(DataError) as raised:
        csv_without(tmp_path, text, policy)
    assert raised.value.message == message


def test_a_quote_that_nobody_closes_is_an_error(tmp_path):
    with pytest.raises(DataError, match="a row has more than 16777216 bytes"):
        csv_without(tmp_path, b'policy_id,a\n1,"x\n' + (b"1" * 1000 + b"\n") * 17_000)


@pytest.mark.parametrize(
    "values",
    [[6, 7, 8, 7], [6.0, 7.0, None, 7.0], ["6", "7", "07", "7"]],
)
def test_parquet_keeps_all_other_rows_and_how_it_is_written(tmp_path, values):
    column = pa.array(values)
    table = pa.table({"policy_id": column, "n": pa.array(range(4), pa.int16())})
    table = table.replace_schema_metadata({"made": "by hand"})
    source, target = tmp_path / "in", tmp_path / "out"
    pq.write_table(table, source, compression="zstd", row_group_size=2)
    assert filtered_table(source, POLICY) == Filtered(4, (1, 3))
    assert filtered_table(source, POLICY, target) == Filtered(4, (1, 3))
    kept = pq.read_table(target)
    assert kept.equals(table.take([0, 2]), check_metadata=True)
    assert pq.ParquetFile(target).metadata.row_group(0).column(0).compression == "ZSTD"


def test_parquet_without_the_column_names_nobody(tmp_path):
    pq.write_table(pa.table({"id": [7]}), tmp_path / "in")
    assert filtered_table(tmp_path / "in", POLICY).found == ()


def test_json_lines(tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_text('{"policy_id": 7}\n\n{"a": 7}\n[7]\n{"policy_id": "7"}\n{"policy_id": 70}\n')
    assert filtered_lines(source, POLICY, target) == Filtered(5, (0, 3))
    assert target.read_text() == '\n{"a": 7}\n[7]\n{"policy_id": 70}\n'
    source.write_text('{"policy_id": 7\n')
    with pytest.raises(DataError, match="a line is not the JSON it should be"):
        filtered_lines(source, POLICY)


def captured(*claims: object) -> str:
    return json.dumps({"captureData": {"endpointInput": {"data": json.dumps([*claims])}}}) + "\n"


def test_captures(tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    lines = [captured({"policy_id": key, "a": 7}) for key in (6, "7", 7)]
    source.write_text("".join(lines))
    assert filtered_captures(source, POLICY, target) == Filtered(3, (1, 2))
    assert target.read_text() == lines[0]
    source.write_text(captured({"policy_id": 6}, {"policy_id": 7}))
    with pytest.raises(DataError):
        filtered_captures(source, POLICY)


def test_lines_of_scores_go_with_their_rows(tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"0.1\n0.2\n0.3\n")
    assert without_rows(source, Filtered(3, (1,)), target) is True
    assert target.read_bytes() == b"0.1\n0.3\n"
    assert without_rows(target, Filtered(3, (1,)), source) is False  # they are out already
    assert source.read_bytes() == b"0.1\n0.2\n0.3\n"
