"""sagetree cloud erase: nothing of the policy is left, all else is, and nothing is lost."""

import io
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.cloud.commands.erase import REMAINS, erase
from sagetree.cloud.scoring.outcomes import outcome_key
from sagetree.errors import UserError
from tests.cloud.commands.answers import refusal

CLAIMS = b"policy_id,amount\n6,1\n7,2\n8,3\n"
RUNTIME = "sagemaker-featurestore-runtime"


def parquet(*keys: int) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"policy_id": [*keys]}), file)
    return file.getvalue()


def capture(*keys: object) -> bytes:
    events = [
        {"captureData": {"endpointInput": {"data": json.dumps([{"policy_id": key}])}}}
        for key in keys
    ]
    return "".join(f"{json.dumps(event)}\n" for event in events).encode()


# What names policy 7 and two others, in each place, and what is left of it.
PLACES: Mapping[str, tuple[bytes, bytes]] = {
    "tables/claims/claims.csv": (CLAIMS, b"policy_id,amount\n6,1\n8,3\n"),
    "tables/customers/part": (parquet(6, 7, 8), parquet(6, 8)),
    "store/1/sagemaker/us-east-1/offline-store/g/data/year=2026/a.parquet": (
        parquet(7, 7, 8), parquet(8),
    ),
    "runs/abc/Prepare/train/train.parquet": (parquet(8, 7), parquet(8)),
    "captured/2026/11/30/07/a.jsonl": (capture(6, "7", 8), capture(6, 8)),
    "batch/fraud-batch-1/input/a/claims.csv.00000": (CLAIMS, b"policy_id,amount\n6,1\n8,3\n"),
    "batch/fraud-batch-1/output/a/claims.csv.00000.out": (b"0.6\n0.7\n0.8\n", b"0.6\n0.8\n"),
    "batch/mine/claims.jsonl": (b'{"policy_id": 7}\n{"policy_id": 70}\n', b'{"policy_id": 70}\n'),
}  # fmt: skip

# What is all policy 7's.
WHOLE: Mapping[str, bytes] = {
    "store/1/data/hour=07/b.parquet": parquet(7),
    "captured/2026/11/30/07/b.jsonl": capture(7),
    outcome_key(7): b'{"policy_id": "7", "fraud": "1"}\n',
}
OTHERS: Mapping[str, bytes] = {
    outcome_key(8): b"{}\n",
    "models/1/model.tar.gz": b"7",
    "runs/abc/Evaluate/evaluation/evaluation.json": b'{"policy_id": 7}',
    "tables/notes/notes.csv": b"id,text\n7,policy_id\n",
    "batch/mine/claims.csv": b"7,2\n8,3\n",
    "asynchronous/1.json": b'[{"amount": 7}]',
}


class Kept:
    """The stack's bucket."""

    def __init__(self, person: Any) -> None:
        self.s3 = person.client("s3")
        self.name = person.bucket()
        # moto's stacks leave it out
        versioning = {"Status": "Enabled"}
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration=versioning)

    def put(self, key: str, body: bytes, **more: object) -> str:
        put = self.s3.put_object(Bucket=self.name, Key=key, Body=body, **more)
        return str(put.get("VersionId"))

    def get(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read())

    def versions(self, prefix: str = "") -> dict[str, list[str]]:
        listed = self.s3.list_object_versions(Bucket=self.name, Prefix=prefix)
        found: dict[str, list[str]] = {}
        for entry in listed.get("Versions", []):
            found.setdefault(entry["Key"], []).append(entry["VersionId"])
        return found

    def current(self) -> set[str]:
        listed = self.s3.list_objects_v2(Bucket=self.name)
        return {entry["Key"] for entry in listed.get("Contents", [])}


@pytest.fixture
def stack(person):
    person.make_stack()
    person.answer("sagemaker", "ListFeatureGroups", [{"FeatureGroupSummaries": []}])
    return person


@pytest.fixture
def kept(stack) -> Kept:
    return Kept(stack)


@pytest.mark.parametrize("status", ["Suspended", "never on"])
def test_without_versions_the_other_rows_stay_too(stack, kept, status: str):
    whole, batch = "tables/claims.csv", "batch/fraud-batch-1/input/a.csv"
    scores = "batch/fraud-batch-1/output/a.csv.out"
    if status == "Suspended":
        versioning = {"Status": status}
        kept.s3.put_bucket_versioning(Bucket=kept.name, VersioningConfiguration=versioning)
    else:
        kept.name = "fraud-plain"
        kept.s3.create_bucket(Bucket=kept.name)
        core = stack.client("cloudformation").describe_stacks(StackName="fraud")
        for output in core["Stacks"][0]["Outputs"]:
            if output["OutputKey"] == "BucketName":
                output["OutputValue"] = kept.name
        stack.answer("cloudformation", "DescribeStacks", [core])
    for key, body in ((whole, CLAIMS), (batch, CLAIMS), (scores, b"0.6\n0.7\n0.8\n")):
        kept.put(key, body)
    kept.put("tables/all.csv", b"policy_id,amount\n7,1\n")
    assert stack.does(lambda: erase(stack.account, "7", True))[0] == 0
    assert kept.get(whole) == kept.get(batch) == b"policy_id,amount\n6,1\n8,3\n"
    assert kept.get(scores) == b"0.6\n0.8\n"
    assert kept.current() == {whole, batch, scores}


def texts(body: bytes) -> object:
    return pq.read_table(io.BytesIO(body)) if body.startswith(b"PAR1") else body


def test_nothing_of_the_policy_is_left_and_all_else_is(stack, kept):
    for key, (before, _) in PLACES.items():
        kept.put(key, before, ContentType="text/x", Metadata={"by": "hand"})
    for key, body in {**WHOLE, **OTHERS}.items():
        kept.put(key, body)
    code, said = stack.does(lambda: erase(stack.account, "7", True))
    assert code == 0
    for key, (_, after) in PLACES.items():
        assert texts(kept.get(key)) == texts(after), key
        told = kept.s3.head_object(Bucket=kept.name, Key=key)
        assert (told["ContentType"], told["Metadata"]) == ("text/x", {"by": "hand"})
    assert kept.current() == {*PLACES, *OTHERS}
    assert all(len(ids) == 1 for ids in kept.versions().values())
    assert said[0] == "Of policy_id '7' there are:"
    assert f"  1 row in s3://{kept.name}/tables/claims/claims.csv" in said
    assert f"  2 rows in s3://{kept.name}/{next(k for k in PLACES if 'store/' in k)}" in said
    assert said[-7:] == ["Erased: 0 records, 11 rows in 10 objects", *REMAINS.splitlines()]
    code, said = stack.does(lambda: erase(stack.account, "7", True))
    assert (code, said[1]) == (0, "  no records and no rows")


def test_old_versions_are_looked_into_and_none_comes_to_light(stack, kept):
    kept.put("tables/claims/claims.csv", CLAIMS)
    innocent = kept.put("tables/claims/claims.csv", b"policy_id\n8\n")
    kept.put("tables/gone.csv", CLAIMS)
    kept.s3.delete_object(Bucket=kept.name, Key="tables/gone.csv")
    older = kept.put("captured/2026/11/30/07/a.jsonl", capture(8))
    kept.put("captured/2026/11/30/07/a.jsonl", capture(7))
    for body in (b"0", b"1"):
        kept.put(outcome_key("7"), body)
    code, said = stack.does(lambda: erase(stack.account, "7", True))
    assert code == 0
    assert f"  1 row in s3://{kept.name}/tables/gone.csv, an old version" in said
    assert kept.versions() == {
        "tables/claims/claims.csv": [innocent], "captured/2026/11/30/07/a.jsonl": [older],
    }  # fmt: skip
    assert kept.current() == {"tables/claims/claims.csv"}
    marks = kept.s3.list_object_versions(Bucket=kept.name, Prefix="outcomes/")
    assert not marks.get("DeleteMarkers")  # the key would tell of it


def groups(stack, *names: str, bucket: str = "") -> list[Mapping[str, Any]]:
    """Have the account feature groups, each with a record; return what is deleted of them."""
    summaries = [{"FeatureGroupName": name} for name in names]
    stack.answer("sagemaker", "ListFeatureGroups", [{"FeatureGroupSummaries": summaries}])
    offline = {"S3StorageConfig": {"S3Uri": f"s3://{bucket or stack.bucket()}/store/"}}
    told = {
        "OfflineStoreConfig": offline, "OnlineStoreConfig": {"EnableOnlineStore": True},
        "EventTimeFeatureName": "at",
    }  # fmt: skip
    stack.answer_by("sagemaker", "DescribeFeatureGroup", lambda _: told)
    values = {"policy_id": "7", "at": "2026-01-31T00:00:00Z"}
    record = [{"FeatureName": name, "ValueAsString": text} for name, text in values.items()]
    stack.answer_by(RUNTIME, "GetRecord", lambda _: {"Record": record})
    deleted: list[Mapping[str, Any]] = []

    def delete(request: Mapping[str, Any]) -> Mapping[str, Any]:
        deleted.append(request)
        return {}

    stack.answer_by(RUNTIME, "DeleteRecord", delete)
    return deleted


def test_records_are_deleted_for_good_first(stack, kept):
    deleted = groups(stack, "fraud-claims", "fraud-customers", "other-fraud-claims")
    kept.put("tables/claims.csv", CLAIMS)
    code, said = stack.hears(lambda: erase(stack.account, "7", True))
    assert code == 0
    assert ["/FeatureGroup/fraud-claims" in request["url_path"] for request in deleted] == [
        True, False,
    ]  # fmt: skip
    for request in deleted:
        asked = request["query_string"]
        assert asked["DeletionMode"] == "HardDelete"
        assert asked["TargetStores"] == ["OnlineStore"]
    assert "  a record in the online store fraud-claims" in said
    words = [line.split()[2:4] for line in said if line.startswith("+ ")]
    put = words.index(["s3api", "put-object"])
    assert max(i for i, pair in enumerate(words) if pair == [RUNTIME, "delete-record"]) < put
    assert "Erased: 2 records, 1 rows in 1 objects" in said


def test_groups_of_another_stack_keep_their_records(stack):
    deleted = groups(stack, "fraud-two-claims", bucket="another-bucket")
    assert stack.does(lambda: erase(stack.account, "7", True))[0] == 0
    assert deleted == []


def test_a_record_that_cannot_be_deleted_is_said(stack, kept):
    groups(stack, "fraud-claims")
    stack.answer(RUNTIME, "DeleteRecord", [refusal("AccessForbidden", "no")])
    kept.put("tables/claims.csv", CLAIMS)
    code, said = stack.does(lambda: erase(stack.account, "7", True))
    assert code == 1
    assert any(line.startswith("Not erased: the record in fraud-claims: ") for line in said)
    assert "Erased: 0 records, 1 rows in 1 objects" in said


@pytest.mark.parametrize("code", ["AccessDenied", "PreconditionFailed"])
def test_the_old_version_stays_where_the_new_one_cannot_be_written(stack, kept, code: str):
    first = kept.put("tables/claims.csv", CLAIMS)
    second = kept.put("tables/customers.csv", CLAIMS)
    stack.answer("s3", "PutObject", [refusal(code, "no")])
    ended, said = stack.does(lambda: erase(stack.account, "7", True))
    assert ended == 1
    assert kept.versions() == {"tables/claims.csv": [first], "tables/customers.csv": [second]}
    assert "Erased: 0 records, 0 rows in 0 objects" in said
    assert len([line for line in said if line.startswith("Not erased: s3://")]) == 2


@pytest.mark.parametrize(
    ("operation", "body"), [("PutObject", CLAIMS), ("DeleteObject", b"policy_id\n7\n")]
)
def test_what_is_uploaded_meanwhile_stays(stack, kept, operation: str, body: bytes):
    kept.put("tables/claims.csv", body)
    newer = b"policy_id,amount\n9,9\n"
    real, uploaded = kept.s3.put_object, []

    def meanwhile(**_: object) -> None:
        if not uploaded:
            uploaded.append(kept.name)
            real(Bucket=kept.name, Key="tables/claims.csv", Body=newer)

    events = kept.s3.meta.events
    events.register_first(f"before-parameter-build.s3.{operation}", meanwhile)
    try:
        code, _ = stack.does(lambda: erase(stack.account, "7", True))
    finally:
        events.unregister(f"before-parameter-build.s3.{operation}", meanwhile)
    assert code == 1
    assert kept.get("tables/claims.csv") == newer
    assert len(kept.versions()["tables/claims.csv"]) == 2
    # the next one finds it among the old versions
    assert stack.does(lambda: erase(stack.account, "7", True))[0] == 0
    assert len(kept.versions()["tables/claims.csv"]) == 1


def test_scores_are_taken_out_once(stack, kept):
    """A command that broke off between the two is run again."""
    source, scores = (k for k in PLACES if k.startswith("batch/fraud-batch-1"))
    kept.put(source, PLACES[source][0])
    kept.put(scores, PLACES[scores][1])
    assert stack.does(lambda: erase(stack.account, "7", True))[0] == 0
    assert kept.get(scores) == PLACES[scores][1]
    assert kept.get(source) == PLACES[source][1]


def test_what_must_be_looked_into_by_hand_is_said(stack, kept):
    kept.put("tables/claims.csv", b"\x1f\x8b\x08")
    kept.put("store/g/data/a.parquet", parquet(7))
    kept.put("store/g/metadata/1-a.metadata.json", b"{}")
    code, said = stack.does(lambda: erase(stack.account, "7", True))
    assert code == 1
    left = [line for line in said if line.startswith("Not erased")]
    assert left == [
        f"Not erased: s3://{kept.name}/tables/claims.csv: it is compressed",
        f"Not erased: s3://{kept.name}/store/g/data/a.parquet: it is of an Iceberg table",
    ]
    assert kept.get("store/g/data/a.parquet") == parquet(7)


def test_nobody_is_erased_without_being_asked(stack, kept):
    kept.put("tables/claims.csv", CLAIMS)
    with pytest.raises(UserError) as raised:
        stack.hears(lambda: erase(stack.account, "7", False))
    assert str(raised.value) == (
        "this erases '7' for good, and nobody is here to confirm it. Confirm it with --yes"
    )
    assert kept.get("tables/claims.csv") == CLAIMS


def test_an_empty_identifier_is_refused(stack):
    with pytest.raises(UserError) as raised:
        erase(stack.account, " ", True)
    assert str(raised.value) == "KEY is empty. Name a policy by its identifier"


def test_a_dry_run_says_the_calls(person):
    code, said = person.hears(lambda: erase(person.dry, "7", False))
    assert code == 0
    text = "\n".join(said)
    for call in (
        "list-feature-groups", "list-object-versions", "delete-record", "get-object",
        "put-object", "--if-match", "delete-object",
    ):  # fmt: skip
        assert call in text
    assert outcome_key("7") in text
