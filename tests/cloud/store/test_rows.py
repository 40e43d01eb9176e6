"""Rows of one table after another in a group: what a cell is there, and what cannot be one."""

import json
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.cloud.store.cells import as_feature
from sagetree.cloud.store.failures import Failures
from sagetree.cloud.store.ingest import as_counts
from sagetree.cloud.store.tables import open_table
from sagetree.cloud.store.writing import RecordWriter
from sagetree.errors import DataError, PlatformError, UserError
from tests.cloud.commands.answers import Answers, refusal
from tests.cloud.store.conftest import written
from tests.cloud.store.test_ingest import OnCall, ingest, one_group, online

__all__ = ["ingest"]

PUT = "before-call.sagemaker-featurestore-runtime.PutRecord"
CREATE = "before-call.sagemaker.CreateFeatureGroup"


def values(desk, column):
    return {key: record.get(column) for key, record in online(desk).items()}


def test_a_text_in_the_group_stays_as_it_stands_beside_a_fraction(desk, ingest, tmp_path):
    ingest(written(tmp_path, "first.csv", "policy_id,code\n1,7\n2,x\n"))
    done, failed = ingest(written(tmp_path, "later.csv", "policy_id,code\n3,7\n4,7.50\n5, 8 \n"))
    assert (as_counts(done)["written"], failed) == (3, [])
    assert values(desk, "code") == {"1": "7", "2": "x", "3": "7", "4": "7.50", "5": "8"}


def test_a_whole_number_beside_a_fraction_is_one(desk, ingest, tmp_path):
    ingest(written(tmp_path, "first.csv", "policy_id,n\n1,7\n"))
    done, failed = ingest(written(tmp_path, "later.csv", "policy_id,n\n2,8\n3,8.5\n4,-9.00\n"))
    assert as_counts(done) == {"rows": 3, "written": 2, "failed": 1, "left": 0}
    assert values(desk, "n") == {"1": "7", "2": "8", "4": "-9"}
    assert failed[0]["reason"] == "n: '8.5' is not a whole number of 64 bits"


def test_an_identifier_with_a_zero_before_it_is_another_one(desk, ingest, tmp_path):
    ingest(written(tmp_path, "first.csv", "policy_id,n\n7,1\n"))
    lines = '{"policy_id": "007", "n": 2}\n{"policy_id": "8", "n": 3}\n{"policy_id": "8.0"}\n'
    done, failed = ingest(written(tmp_path, "later.jsonl", lines))
    assert as_counts(done) == {"rows": 3, "written": 1, "failed": 2, "left": 0}
    assert values(desk, "n") == {"7": "1", "8": "3"}
    assert [row["reason"] for row in failed] == [
        "policy_id: '007' is not a whole number: it begins with 0",
        "policy_id: row 2 has the same one",
    ]


@pytest.mark.parametrize("text", ["00", "-07", "0.5", "1e3", "٣", "", "9223372036854775808"])
def test_what_is_no_whole_number(text):
    with pytest.raises(ValueError, match="is not a whole number"):
        as_feature(text, "Integral")


def test_in_json_lines_7_0_is_the_identifier_7(desk, ingest, tmp_path):
    lines = '{"policy_id": 7.0, "n": 1.0}\n{"policy_id": "a", "n": 2}\n'
    ingest(written(tmp_path, "customers.jsonl", lines))
    assert values(desk, "n") == {"7": "1.0", "a": "2"}


def test_half_of_a_character_is_a_failed_row(desk, ingest, tmp_path):
    lines = (
        '{"policy_id": "\\ud800", "n": 1}\n{"policy_id": "b", "s": "x\\udc00"}\n'
        '{"policy_id": "ü😀", "s": "z"}\n{"policy_id": "c", "\\ud801": [1]}\n'
    )
    done, failed = ingest(written(tmp_path, "customers.jsonl", lines))
    assert (done.stopped, as_counts(done)["written"]) == (None, 1)
    assert values(desk, "s") == {"ü😀": "z"}
    assert [(row["policy_id"], row["reason"]) for row in failed] == [
        ("\ud800", "policy_id: it has half of a character"),
        ("b", "s: it has half of a character"),
        (None, "\ud801: it is not a single value"),
    ]


@pytest.mark.long
def test_an_empty_text_of_parquet_is_left_out(desk, ingest, tmp_path):
    table = pa.table({"policy_id": ["a", "b", ""], "s": ["", "x", "y"]})
    pq.write_table(table, tmp_path / "customers.parquet")
    _, failed = ingest(tmp_path / "customers.parquet")
    assert values(desk, "s") == {"a": None, "b": "x"}
    assert [row["reason"] for row in failed] == ["policy_id: it is missing"]


def test_a_folder_may_have_json_lines_and_nothing_else_beside_them(desk, ingest, tmp_path):
    folder = tmp_path / "people"
    folder.mkdir()
    written(folder, "a.jsonl", '\n{"policy_id": 1, "n": 2}\n')
    written(folder, "b.jsonl", '{"policy_id": 2, "n": 3}\nno\n')
    written(folder, "c.jsonl", "")
    done, failed = ingest(folder)
    assert as_counts(done) == {"rows": 3, "written": 2, "failed": 1, "left": 0}
    assert failed[0]["where"] == "people/b.jsonl line 2"
    assert values(desk, "n") == {"1": "2", "2": "3"}
    written(folder, "d.csv", "policy_id,n\n3,4\n")
    with pytest.raises(DataError) as raised:
        ingest(folder)
    assert str(raised.value) == (
        "table customers: some of its files are JSON Lines, and 'people/d.csv' is not. Leave files "
        "of one kind: is the same data there twice?"
    )
    assert json.dumps(online(desk)).count("policy_id") == 2


def test_a_store_that_is_busy_to_the_end_of_the_time_leaves_rows_for_later(
    desk, clients, ingest, tmp_path
):
    rows = "".join(f"{number},{number}\n" for number in range(1, 41))
    path = written(tmp_path, "customers.csv", f"policy_id,n\n{rows}")
    ingest(written(tmp_path, "first.csv", "policy_id,n\n0,0\n"))
    runtime = clients["sagemaker-featurestore-runtime"].meta.events
    busy = Answers(lambda _: refusal("ThrottlingException", "Rate exceeded"))
    runtime.register_first(PUT, busy)
    begun = time.monotonic()
    done, failed = ingest(path, until=time.time() + 0.3)
    runtime.unregister(PUT, busy)
    assert time.monotonic() - begun < 5  # a record's pauses alone are 8.5 s
    assert (failed, done.stopped, done.following) == ([], None, 1)
    assert as_counts(done) == {"rows": 40, "written": 0, "failed": 0, "left": 40}
    assert as_counts(ingest(path, first=done.following)[0])["written"] == 40


def test_two_ingestions_that_make_the_group_at_once_both_write(desk, clients, ingest, tmp_path):
    asked = clients["sagemaker"].meta.events
    path = written(tmp_path, "one.csv", "policy_id,n\n1,1\n")

    def other(**_: object) -> None:  # comes between the look and the making
        asked.unregister(CREATE, other)
        ingest(written(tmp_path, "other.csv", "policy_id,n\n2,2\n"))

    asked.register_first(CREATE, other)
    done, _ = ingest(path)
    assert done.written == 1
    assert values(desk, "n") == {"1": "1", "2": "2"}


def test_a_table_that_glue_has_already_is_an_error_before_the_group_is_made(desk, ingest, tmp_path):
    path = written(tmp_path, "customers.csv", "policy_id,n\n1,1\n")
    ingest(path, "my-customers")
    for table in ("my_customers", "My-Customers"):
        with pytest.raises(UserError) as raised:
            ingest(path, table)
        assert str(raised.value) == (
            f"fraud-{table}: the table my_customers exists already in Glue, of another group or "
            "of a deleted one. Give the table another name by TABLE=SOURCE, or delete that one "
            "by "
            "'aws glue delete-table --database-name fraud_features --name my_customers'"
        )
    assert list(desk.groups.made) == ["fraud-my-customers"]


UNKNOWN = refusal("ValidationError", "Validation Error: Resource Not Found: can't find the group")


@pytest.mark.parametrize(("refused", "written_"), [(2, 1), (9, 0)])
def test_a_group_that_is_not_known_everywhere_yet_is_waited_for(
    desk, clients, tmp_path, refused, written_
):
    path = written(tmp_path, "customers.csv", "policy_id\n1\n")
    group, pauses, answers = one_group(clients, path), [], iter([UNKNOWN] * refused)
    runtime = clients["sagemaker-featurestore-runtime"]
    handler = OnCall(answers)
    runtime.meta.events.register_first(PUT, handler)
    with open_table("customers", path, "policy_id") as source:
        failures = Failures(tmp_path / "failures.jsonl", "policy_id")
        done = RecordWriter(runtime, group, source, failures, pause=pauses.append).write()
    runtime.meta.events.unregister(PUT, handler)
    assert (done.written, done.failed) == (written_, 0)
    assert (done.following, "Resource Not Found" in str(done.stopped)) == (
        (None, False) if written_ else (1, True)
    )


def test_failed_rows_that_cannot_be_noted_are_an_error(tmp_path):
    failures = Failures(tmp_path / "none" / "failures.jsonl", "policy_id")
    with pytest.raises(PlatformError) as raised:
        failures.add(7, "a.csv line 8", None, "policy_id: it is missing")
    assert str(raised.value) == (
        f"{failures.path}: row 7 failed (policy_id: it is missing), and that cannot be noted: No "
        "such file or directory. Ingest the table again where a file can be written"
    )


def test_failed_rows_of_another_ingestion_are_not_written_over(tmp_path):
    path = written(tmp_path, "failures.jsonl", "of another\n")
    with pytest.raises(PlatformError, match="File exists"):
        Failures(path, "policy_id").add(1, "a.csv line 2", None, "no")
    assert path.read_text() == "of another\n"
