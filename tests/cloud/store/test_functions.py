"""The functions `ingest` and `retire`: what they answer, keep and tell, and what they remove."""

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from moto.sns.models import sns_backends

from local_test.cloud.account.actors import ACCOUNT, REGION
from sagetree.cloud.functions import ingest, retire
from sagetree.errors import SettingsError, UserError
from tests.cloud.commands.answers import Answers, refusal
from tests.cloud.store.conftest import BUCKET, ENVIRON

# Each needs an account on the desk, which takes seconds to stand; test_ingest has the rows.
pytestmark = pytest.mark.long

SOURCE = f"s3://{BUCKET}/tables/customers/customers.csv"


@pytest.fixture
def call(desk, clients, settings):
    """Put a table into the bucket, and hand an event to the function."""

    def handle(text: str = "policy_id,n\n1,2\n", seconds: float = 900, **event: object) -> Any:
        key = "tables/customers/customers.csv"
        desk.client("s3").put_object(Bucket=BUCKET, Key=key, Body=text.encode())
        deadline = time.time() + seconds
        return ingest.handler(
            {"source": SOURCE, **event}, clients, settings, deadline, lambda _: time.sleep(0.01)
        )

    return handle


def told() -> list[tuple[str, str]]:
    topic = sns_backends[ACCOUNT][REGION].topics[ENVIRON["SAGETREE_TOPIC_ARN"]]
    return [(subject, text) for _, text, subject, *_ in topic.sent_notifications]


def test_a_table_of_the_bucket_is_written_and_nobody_is_told(desk, call):
    before = len(told())
    assert call() == {
        "group": "fraud-customers", "rows": 1, "written": 1, "failed": 0, "left": 0,
        "failures": None,
    }  # fmt: skip
    assert list(desk.groups.made["fraud-customers"].online) == ["1"]
    assert call(table="people", event_time="")["group"] == "fraud-people"
    assert len(told()) == before


def test_rows_that_failed_are_in_the_bucket_and_the_topic_is_told(desk, call):
    answer = call("policy_id,n\n1,2\n,3\n")
    assert (answer["written"], answer["failed"]) == (1, 1)
    folder = f"s3://{BUCKET}/failures/ingest/fraud-customers/"
    assert answer["failures"].startswith(folder)
    key = answer["failures"].removeprefix(f"s3://{BUCKET}/")
    body = desk.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert json.loads(body) == {
        "row": 2, "where": "customers.csv line 3", "policy_id": None,
        "reason": "policy_id: it is missing",
    }  # fmt: skip
    assert told()[-1] == (
        "fraud: not all rows were ingested",
        "1 of 2 rows are in fraud-customers.\n1 could not be written; the reasons: "
        f"{answer['failures']}",
    )


def test_what_the_time_does_not_suffice_for_is_said_with_where_to_go_on(call):
    answer = call(seconds=30)
    assert (answer["written"], answer["left"], answer["from"]) == (0, 1, 1)
    assert told()[-1][1] == (
        "0 of 1 rows are in fraud-customers.\n1 were not reached, the time was over. Go on with "
        "from 1."
    )


def test_a_row_behind_the_last_one_is_an_error_before_there_is_a_group(desk, call):
    for text, number, rows in (
        ("policy_id,n\n1,2\n", 2, "1 row"),
        ("policy_id,n\n1,2\n3,4\n", 9, "2 rows"),
    ):
        with pytest.raises(UserError) as raised:
            call(text, **{"from": number})
        assert str(raised.value) == (
            f"table customers: row {number}, which is to be the first one written, does not exist: "
            f"the table has {rows}. Go on from a row that it has, or leave the number out to write "
            "all rows"
        )
    assert desk.groups.made == {}
    assert call("policy_id,n\n1,2\n3,4\n", **{"from": 2})["written"] == 1


def test_what_ends_the_work_is_told_and_an_error_of_the_function(call, clients):
    def denied(params: Mapping[str, Any], **_: object) -> Any:
        return Answers(lambda _: refusal("AccessForbidden", "not authorized"))(params)

    name = "before-call.sagemaker-featurestore-runtime.PutRecord"
    events = clients["sagemaker-featurestore-runtime"].meta.events
    events.register_first(name, denied)
    with pytest.raises(Exception, match="not authorized"):
        call()
    events.unregister(name, denied)
    assert "1 were not reached: An error occurred (AccessForbidden)" in told()[-1][1]


@pytest.mark.parametrize(
    ("event", "faults"),
    [
        ({"source": "customers.csv"}, "source is neither an s3:// nor an https:// address"),
        ({"source": 7}, "source is neither an s3:// nor an https:// address"),
        ({"tabel": "a"}, "it has 'tabel'"),
        (
            {"secret": ["a"], "from": 0},
            "secret is not text; from is '0', which is not the number of a row",
        ),
        ({"from": True}, "from is 'True', which is not the number of a row"),
    ],
)
def test_an_event_that_says_something_else_is_an_error(call, event, faults):
    with pytest.raises(SettingsError) as raised:
        call(**event)
    assert str(raised.value) == (
        f"the event: {faults}. It may have source, table, secret, event_time, from"
    )


@pytest.fixture
def remove(desk, clients, settings):
    """Hand CloudFormation's event to the function `retire`, as a person does."""

    def handle(request: str = "Delete", seconds: float = 900, **properties: str) -> Any:
        event = {
            "RequestType": request, "StackId": "s", "RequestId": "r", "LogicalResourceId": "Retire",
            "ResourceProperties": properties,
        }  # fmt: skip
        return retire.handler(event, clients, settings, time.time() + seconds)

    return handle


@pytest.fixture
def filled(desk, call):
    """Two groups with files, and one of another stack that is called alike."""
    call()
    call(table="claims")
    call(table="two-claims")
    desk.records.flush()
    other = desk.groups.made["fraud-two-claims"]
    other.request["OfflineStoreConfig"]["S3StorageConfig"]["S3Uri"] = "s3://fraud-two/store/"
    return desk


def objects(desk) -> list[str]:
    listed = desk.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="store/")
    return [entry["Key"] for entry in listed.get("Contents", [])]


def test_groups_tables_and_files_go_and_those_of_another_stack_stay(filled, remove):
    assert remove("Create")["Status"] == "SUCCESS"
    assert len(filled.groups.made) == len(objects(filled)) == 3
    answer = remove(KeepData="no")
    assert (answer["Status"], answer["Data"]) == (
        "SUCCESS", {"groups": "2", "tables": "3", "objects": "3"}
    )  # fmt: skip
    assert list(filled.groups.made) == ["fraud-two-claims"]
    assert remove(KeepData="no")["Data"] == {"groups": "0", "tables": "0", "objects": "0"}


def test_files_stay_with_keepdata(filled, remove):
    assert remove(KeepData="yes")["Data"] == {"groups": "2", "tables": "3"}
    assert len(objects(filled)) == 3
    assert remove(KeepData="no")["Data"]["objects"] == "3"


def test_what_cannot_be_removed_is_said_and_the_rest_goes(filled, remove, clients):
    def denied(params: Mapping[str, Any], **_: object) -> Any:
        if b"fraud-claims" not in params["body"]:
            return None
        return Answers(lambda _: refusal("AccessDeniedException", "not authorized"))(params)

    events = clients["sagemaker"].meta.events
    events.register_first("before-call.sagemaker.DeleteFeatureGroup", denied)
    answer = remove(KeepData="no")
    events.unregister("before-call.sagemaker.DeleteFeatureGroup", denied)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        "Not removed: group fraud-claims: An error occurred (AccessDeniedException) when calling "
        "the DeleteFeatureGroup operation: not authorized. Delete the stack again to go on"
    )
    assert answer["Data"] == {"groups": "1", "tables": "3", "objects": "3"}


def test_a_deletion_that_fails_is_said_at_once(filled, remove, clients):
    group = filled.groups.made["fraud-claims"]
    events = clients["sagemaker"].meta.events

    def failed(**_: object) -> Any:
        group.status = "DeleteFailed"
        return Answers(lambda _: {})({})

    events.register_first("before-call.sagemaker.DeleteFeatureGroup", failed)
    begun = time.monotonic()
    filled.groups.made.pop("fraud-customers")
    answer = remove(KeepData="no", seconds=90)
    events.unregister("before-call.sagemaker.DeleteFeatureGroup", failed)
    assert time.monotonic() - begun < 10
    assert answer["Reason"] == (
        "Not removed: group fraud-claims is DeleteFailed: no reason. Delete the stack again to go "
        "on"
    )


def test_a_group_that_is_being_made_is_removed_when_it_is(filled, remove, clients):
    group = filled.groups.made["fraud-claims"]
    group.status = "Creating"
    events = clients["sagemaker"].meta.events
    asked: list[str] = []

    def made(**_: object) -> None:
        asked.append(group.status)
        if len(asked) > 4:
            group.status = "Created"

    def deleted(params: Mapping[str, Any], **_: object) -> None:
        assert group.status != "Creating" or b"fraud-claims" not in params["body"]

    events.register_first("before-call.sagemaker.DescribeFeatureGroup", made)
    events.register_first("before-call.sagemaker.DeleteFeatureGroup", deleted)
    answer = remove(KeepData="no")
    events.unregister("before-call.sagemaker.DescribeFeatureGroup", made)
    events.unregister("before-call.sagemaker.DeleteFeatureGroup", deleted)
    assert (answer["Status"], answer["Data"]["groups"]) == ("SUCCESS", "2")
