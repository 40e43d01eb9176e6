"""Tables into feature groups: types, times, missing cells, and rows that cannot be written."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.cloud.store import writing
from sagetree.cloud.store.failures import Failures
from sagetree.cloud.store.groups import FeatureGroup
from sagetree.cloud.store.ingest import as_counts, ready_group, wanted_group, writer
from sagetree.cloud.store.tables import open_table
from sagetree.cloud.store.writing import WrittenRows
from sagetree.errors import DataError, PlatformError, UserError
from tests.cloud.commands.answers import Answers, refusal
from tests.cloud.store.conftest import PLACE, written

CUSTOMERS = """\
policy_id,age,premium,state,code,event
1,34,12.5,CA,007,2026-01-31
2,,13,N/A,008,2026-01-31T10:00:00+01:00
3,51,,None,,2026-02-01T00:00:00.123456Z
"""

Ingest = Callable[..., tuple[WrittenRows, list[Mapping[str, Any]]]]


@pytest.fixture
def ingest(clients, tmp_path) -> Ingest:
    """Ingest a file; return the counts, and the failures."""

    def work(path: Path, table: str = "customers", event_time: str = "", **more: Any) -> Any:
        failures = tmp_path / f"{time.monotonic_ns()}.jsonl"
        with open_table(table, path, "policy_id") as source:
            wanted = wanted_group(source, "fraud", "policy_id", event_time)
            group = ready_group(clients, PLACE, source, wanted, lambda _: time.sleep(0.01))
            done = writer(clients, group, source, failures).write(**more)
        lines = failures.read_text().splitlines() if failures.exists() else []
        return done, [json.loads(line) for line in lines]

    return work


def online(desk, group: str = "fraud-customers") -> dict[str, dict[str, str]]:
    return desk.groups.made[group].online


def test_a_csv_becomes_a_group_of_its_columns_and_types(desk, clients, ingest, tmp_path):
    begun = datetime.now(UTC)
    done, failed = ingest(written(tmp_path, "customers.csv", CUSTOMERS))
    assert as_counts(done) == {"rows": 3, "written": 3, "failed": 0, "left": 0}
    assert (failed, done.following, done.stopped) == ([], None, None)
    group = FeatureGroup.of(clients, "fraud-customers")
    assert group is not None
    assert group.types == {
        "policy_id": "Integral", "age": "Integral", "premium": "Fractional", "state": "String",
        "code": "String", "event": "String", "event_time": "String",
    }  # fmt: skip
    assert (group.id_field, group.event_time) == ("policy_id", "event_time")
    records = online(desk)
    times = {record.pop("event_time") for record in records.values()}
    (moment,) = times
    assert begun.timestamp() - 1 < datetime.fromisoformat(moment).timestamp() < time.time() + 1
    assert len(moment) == len("2026-11-30T10:00:00.000Z")
    # what is missing is left out; words such as None are words
    assert records == {
        "1": {"policy_id": "1", "age": "34", "premium": "12.5", "state": "CA", "code": "007",
              "event": "2026-01-31"},
        "2": {"policy_id": "2", "premium": "13.0", "state": "N/A", "code": "008",
              "event": "2026-01-31T10:00:00+01:00"},
        "3": {"policy_id": "3", "age": "51", "state": "None",
              "event": "2026-02-01T00:00:00.123456Z"},
    }  # fmt: skip


def test_a_group_is_asked_for_with_both_stores_and_a_table_of_glue(desk, clients, ingest, tmp_path):
    ingest(written(tmp_path, "customers.csv", CUSTOMERS), "my-customers")
    told = clients["sagemaker"].describe_feature_group(FeatureGroupName="fraud-my-customers")
    assert told["OnlineStoreConfig"] == {"EnableOnlineStore": True}
    offline = told["OfflineStoreConfig"]
    assert offline["S3StorageConfig"]["S3Uri"] == "s3://fraud-bucket/store/"
    assert offline["DataCatalogConfig"] == {
        "TableName": "my_customers", "Catalog": "AwsDataCatalog", "Database": "fraud_features"
    }  # fmt: skip
    assert (offline["TableFormat"], told["RoleArn"]) == ("Glue", PLACE.role_arn)
    tables = clients["glue"].get_tables(DatabaseName=PLACE.database)["TableList"]
    assert [table["Name"] for table in tables] == ["my_customers"]


def test_with_a_key_all_of_it_is_encrypted_by_that():
    group = FeatureGroup("fraud-a", "id", "event_time", {"id": "String", "event_time": "String"})
    key = "arn:aws:kms:us-east-1:123456789012:key/0"
    request = group.request(replace(PLACE, kms_key_arn=key), "a")
    assert request["OnlineStoreConfig"]["SecurityConfig"] == {"KmsKeyId": key}
    assert request["OfflineStoreConfig"]["S3StorageConfig"]["KmsKeyId"] == key


@pytest.mark.long
def test_parquet_keeps_its_types_and_a_whole_identifier_is_whole(desk, ingest, tmp_path):
    moment = datetime(2026, 1, 31, 13, 45, tzinfo=UTC)
    table = pa.table(
        {
            "policy_id": pa.array([1.0, 2.0, 2.0**53]),
            "amount": pa.array([1, None, 3], pa.int32()),
            "share": pa.array([0.1, float("nan"), 1e300], pa.float64()),
            "reported": [True, False, None],
            "seen": pa.array([moment, moment, None], pa.timestamp("us", "UTC")),
        }
    )
    pq.write_table(table, tmp_path / "customers.parquet")
    done, _ = ingest(tmp_path / "customers.parquet", event_time="seen")
    assert as_counts(done) == {"rows": 3, "written": 2, "failed": 1, "left": 0}
    assert online(desk) == {
        "1": {"policy_id": "1", "amount": "1", "share": "0.1", "reported": "true",
              "seen": "2026-01-31T13:45:00.000Z"},
        "2": {"policy_id": "2", "reported": "false", "seen": "2026-01-31T13:45:00.000Z"},
    }  # fmt: skip


def test_json_lines_say_themselves_what_they_are(desk, clients, ingest, tmp_path):
    lines = """\
{"policy_id": "007", "n": 1, "x": 1, "t": "5", "b": true, "nothing": null, "e": ""}

{"policy_id": "008", "n": 2, "x": 1.5, "t": 5, "b": false}
not JSON
[1]
{"policy_id": "009", "n": [1]}
{"policy_id": "010", "x": 1e999}
"""
    done, failed = ingest(written(tmp_path, "customers.jsonl", lines))
    assert as_counts(done) == {"rows": 6, "written": 2, "failed": 4, "left": 0}
    group = FeatureGroup.of(clients, "fraud-customers")
    assert group is not None
    assert group.types == {
        "policy_id": "String", "n": "Integral", "x": "Fractional", "t": "String", "b": "String",
        "event_time": "String",
    }  # fmt: skip
    assert {k: v for k, v in online(desk)["007"].items() if k != "event_time"} == {
        "policy_id": "007", "n": "1", "x": "1", "t": "5", "b": "true"
    }  # fmt: skip
    assert failed == [
        {"row": 3, "where": "customers.jsonl line 4", "policy_id": None,
         "reason": "it is not JSON (Expecting value: line 1 column 1 (char 0))"},
        {"row": 4, "where": "customers.jsonl line 5", "policy_id": None,
         "reason": "it is not an object"},
        {"row": 5, "where": "customers.jsonl line 6", "policy_id": None,
         "reason": "n: it is not a single value"},
        {"row": 6, "where": "customers.jsonl line 7", "policy_id": "010",
         "reason": "x: 'inf' is not a number"},
    ]  # fmt: skip


def test_event_times_come_from_their_column_and_the_latest_is_online(desk, ingest, tmp_path):
    text = """\
policy_id,state,event_time
1,old,2026-01-31
1,new,2026-01-31T10:00:00.1239+01:00
1,older,2025-12-31 23:59:59
2,a,yesterday
3,b,
1,again,2026-01-31T09:00:00.123Z
4,c,0001-01-01T00:00:00+12:00
"""
    done, failed = ingest(written(tmp_path, "customers.csv", text))
    assert as_counts(done) == {"rows": 7, "written": 3, "failed": 4, "left": 0}
    assert online(desk) == {
        "1": {"policy_id": "1", "state": "new", "event_time": "2026-01-31T09:00:00.123Z"}
    }
    assert len(desk.groups.made["fraud-customers"].kept) == 3
    assert [(row["row"], row["reason"]) for row in failed] == [
        (4, "event_time: it is not an ISO 8601 time"),
        (5, "event_time: it is missing"),
        (6, "policy_id: row 2 has the same one, and the same event time"),
        (7, "event_time: it is not an ISO 8601 time"),
    ]
    assert failed[0]["where"] == "customers.csv line 5"


def test_rows_that_cannot_be_written_are_kept_with_the_reason(desk, ingest, tmp_path):
    ingest(written(tmp_path, "first.csv", "policy_id,n,x\n1,1,1.5\n"))
    text = 'policy_id,n,x\n2,2,2\n,3,3\n3,many,3\n2,4,4\n99999999999999999999,5,5\n6,6,"ü, or so"\n'
    done, failed = ingest(written(tmp_path, "customers.csv", text))
    assert as_counts(done) == {"rows": 6, "written": 1, "failed": 5, "left": 0}
    assert online(desk)["2"]["n"] == "2"
    assert [(row["policy_id"], row["reason"]) for row in failed] == [
        (None, "policy_id: it is missing"),
        ("3", "n: 'many' is not a whole number of 64 bits"),
        ("2", "policy_id: row 1 has the same one"),
        ("99999999999999999999", "policy_id: '99999999999999999999' is not a whole number of 64 "
         "bits"),
        ("6", "x: 'ü, or so' is not a number"),
    ]  # fmt: skip


BUSY = refusal("ThrottlingException", "Rate exceeded")


def one_group(clients, path: Path) -> Any:
    with open_table("customers", path, "policy_id") as source:
        wanted = wanted_group(source, "fraud", "policy_id")
        return ready_group(clients, PLACE, source, wanted, lambda _: time.sleep(0.01))


@pytest.mark.long
def test_a_record_that_feature_store_is_too_busy_for_is_tried_again(desk, clients, tmp_path):
    path = written(tmp_path, "customers.csv", "policy_id\n1\n")
    group, pauses = one_group(clients, path), []
    with open_table("customers", path, "policy_id") as source:
        for answers, counts in (
            ([BUSY, BUSY], {"rows": 1, "written": 1, "failed": 0, "left": 0}),
            ([BUSY] * 5, {"rows": 1, "written": 0, "failed": 1, "left": 0}),
            (
                [refusal("ValidationError", "no")],
                {"rows": 1, "written": 0, "failed": 1, "left": 0},
            ),
        ):
            runtime = clients["sagemaker-featurestore-runtime"]
            given = iter(answers)
            handler = OnCall(given)
            name = "before-call.sagemaker-featurestore-runtime.PutRecord"
            runtime.meta.events.register_first(name, handler)
            failures = Failures(tmp_path / f"failures-{len(answers)}.jsonl", "policy_id")
            work = writing.RecordWriter(runtime, group, source, failures, pause=pauses.append)
            assert as_counts(work.write()) == counts
            runtime.meta.events.unregister(name, handler)
            assert next(given, None) is None
    assert [seconds for seconds in pauses if seconds] == [0.1, 0.4, 0.1, 0.4, 1.6, 6.4]
    told = (tmp_path / "failures-1.jsonl").read_text()
    assert json.loads(told)["reason"] == "ValidationError: no"


class OnCall:
    """Answers calls with one after another, and then lets the service answer."""

    def __init__(self, answers: Any) -> None:
        self._answers = answers

    def __call__(self, params: Mapping[str, Any], **_: object) -> Any:
        answer = next(self._answers, None)
        return None if answer is None else Answers(lambda _: answer)(params)


@pytest.mark.long
def test_what_no_row_can_do_ends_the_work_and_says_where_to_go_on(desk, clients, ingest, tmp_path):
    rows = "".join(f"{number},{number}\n" for number in range(1, 1201))
    path = written(tmp_path, "customers.csv", f"policy_id,n\n{rows}")
    one_group(clients, path)
    denied = refusal("AccessForbidden", "not authorized")
    calls = iter(range(10**6))

    def answer(params: Mapping[str, Any], **more: object) -> Any:
        return Answers(lambda _: denied)(params) if next(calls) >= 700 else None

    runtime = clients["sagemaker-featurestore-runtime"]
    name = "before-call.sagemaker-featurestore-runtime.PutRecord"
    runtime.meta.events.register_first(name, answer)
    done, failed = ingest(path)
    runtime.meta.events.unregister(name, answer)
    assert failed == []
    assert (done.written, done.left) == (700, 500)
    assert "not authorized" in str(done.stopped)
    assert done.following is not None
    assert 500 < done.following <= 701
    again, failed = ingest(path, first=done.following)
    assert (again.left, again.failed, again.stopped) == (0, 0, None)
    assert sorted(map(int, online(desk))) == [*range(1, 1201)]


@pytest.mark.long
def test_the_time_that_is_over_leaves_rows_that_are_come_to_later(desk, ingest, tmp_path):
    rows = "".join(f"{number % 600},{number}\n" for number in range(1, 1101))
    path = written(tmp_path, "customers.csv", f"policy_id,n\n{rows}")
    done, _ = ingest(path, until=time.time())
    assert (as_counts(done), done.following) == (
        {"rows": 1100, "written": 0, "failed": 0, "left": 1100}, 1
    )  # fmt: skip
    # a key that stood in a row before is known though that is not written again
    done, failed = ingest(path, first=602)
    assert as_counts(done) == {"rows": 1100, "written": 0, "failed": 499, "left": 0}
    assert failed[0]["reason"] == "policy_id: row 2 has the same one"
    done, _ = ingest(path, first=501, until=time.time())
    assert (done.left, done.following) == (600, 501)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "text", "event_time", "message"),
    [
        ("customers", "id,n\n1,2\n", "", "table customers: column 'policy_id', which "
         "identifies its rows, is missing. It is the stack's IdField; the table has 'id', 'n'"),
        ("customers", '{"policy_id": 1.5}', "", "table customers, column 'policy_id': a "
         "record is identified by a whole number or a text, and these are fractions. Write it as "
         "whole numbers or as texts"),
        ("customers", "policy_id,write_time\n1,2\n", "", "table customers: Feature Store adds "
         "these columns itself: 'write_time'. Leave them out, or give them other names"),
        ("customers", "policy_id,a b,_c\n1,2,3\n", "", "table customers: these columns cannot be "
         "features: 'a b', '_c'. Use letters and digits, with _ and - between them, 64 characters "
         "at most"),
        ("customers", "policy_id,EVENT_TIME\n1,2026-01-31\n", "", "table customers: Athena takes "
         "these columns for one: 'EVENT_TIME', 'event_time'. Give them other names; if "
         "'EVENT_TIME' has the event times, say so by --event-time"),
        ("customers", '{"policy_id": 1, "n": 1, "N": 2}', "", "table customers: Athena takes "
         "these columns for one: 'n', 'N'. Give them other names; if 'n' has the event times, say "
         "so by --event-time"),
        ("customers", "policy_id,event_time\n1,20260131\n", "", "table customers, column "
         "'event_time': these are numbers, and an event time is a time. Write times as "
         "2026-01-31T13:45:00Z, or name another column by --event-time"),
        ("customers", "policy_id,n\n1,2\n", "seen", "table customers: column 'seen' is missing. "
         "The table has 'policy_id', 'n'"),
        ("my customers", "policy_id,n\n1,2\n", "", "'my customers' cannot be the name of a feature "
         "group's table. Use letters, digits, and _ and - between them; with the stack's name "
         "before it it may have 64 characters. Name the table by TABLE=SOURCE"),
        ("customers", '[{"policy_id": 1}]', "", "customers.csv: no line of it is a record. Write "
         'one record a line: {"column": value, ...}'),
    ],
)  # fmt: skip
def test_a_table_that_can_have_no_group_is_an_error(
    desk, ingest, tmp_path, name, text, event_time, message
):
    with pytest.raises(UserError) as raised:
        ingest(written(tmp_path, "customers.csv", text), name, event_time)
    assert str(raised.value) == message
    assert desk.groups.made == {}


@pytest.mark.long
def test_a_file_that_is_not_there_and_a_list_in_a_cell_are_errors(ingest, tmp_path):
    with pytest.raises(DataError, match="the file does not exist"):
        ingest(tmp_path / "none.csv")
    pq.write_table(pa.table({"policy_id": [1], "tags": [["a"]]}), tmp_path / "a.parquet")
    with pytest.raises(DataError) as raised:
        ingest(tmp_path / "a.parquet")
    assert str(raised.value) == (
        "table customers, column 'tags': a feature cannot be VARCHAR[]. Write each value into a "
        "column of its own, or leave the column out"
    )


@pytest.mark.long
def test_a_group_that_differs_is_an_error_before_a_row_is_written(desk, ingest, tmp_path, caplog):
    ingest(written(tmp_path, "customers.csv", "policy_id,n,m\n1,2,3\n"))
    for text, event_time, message in (
        ("policy_id,n,new\n1,2,3\n", "", "fraud-customers: the feature group has no 'new', which "
         "the table has. Leave them out, or add them by 'aws sagemaker update-feature-group "
         "--feature-group-name fraud-customers --feature-additions ...'"),
        ("policy_id,seen\n1,2026-01-31\n", "seen", "fraud-customers: the feature group's event "
         "time is 'event_time', and the table's 'seen'. Write the table with the group's columns, "
         "or delete the group"),
    ):  # fmt: skip
        with pytest.raises(UserError) as raised:
            ingest(written(tmp_path, "customers.csv", text), event_time=event_time)
        assert str(raised.value) == message
    assert len(desk.groups.made["fraud-customers"].kept) == 1
    ingest(written(tmp_path, "customers.csv", "policy_id,n\n1,2\n"))
    assert "the table has no column 'm'; its records are written without" in caplog.text


@pytest.mark.long
def test_a_group_of_another_stack_is_left_alone(desk, clients, ingest, tmp_path):
    path = written(tmp_path, "two-customers.csv", "policy_id,n\n1,2\n")
    ingest(path, "two-customers")
    group = desk.groups.made["fraud-two-customers"]
    group.request["OfflineStoreConfig"]["S3StorageConfig"]["S3Uri"] = "s3://fraud-two/store/"
    with pytest.raises(UserError) as raised:
        ingest(path, "two-customers")
    assert str(raised.value) == (
        "fraud-two-customers: the feature group is not of this stack. Its offline store is "
        "s3://fraud-two/store/. Give the table another name by TABLE=SOURCE"
    )


@pytest.mark.long
def test_a_group_that_cannot_be_made_says_why(desk, clients, ingest, tmp_path):
    path = written(tmp_path, "customers.csv", "policy_id,n\n1,2\n")
    ingest(path)
    desk.groups.made["fraud-customers"].status = "CreateFailed"
    with pytest.raises(PlatformError) as raised:
        ingest(path)
    assert str(raised.value) == (
        "fraud-customers: the feature group is CreateFailed. Delete it with 'aws sagemaker "
        "delete-feature-group --feature-group-name fraud-customers', correct the cause, and "
        "ingest the table again"
    )
