"""The feature store's stack beside the core, from the templates to nothing left."""

import json
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from local_test.cloud.account.actors import PERSON
from local_test.cloud.demo.inventory import inventory
from local_test.cloud.demo.person import IMAGE, STACK, Person, stacks_of
from local_test.cloud.desk import stand
from local_test.cloud.privileges import Role, roles
from sagetree.cloud.account.calls import Account
from sagetree.cloud.commands.delete import delete
from sagetree.cloud.commands.ingest import IngestOptions, ingest
from tests.cloud import strict
from tests.cloud.commands.conftest import hears
from tests.cloud.http_server import answering
from tests.cloud.least_privilege import unexplained
from tests.cloud.toy_machine import ToyMachine

pytestmark = pytest.mark.long

BUNDLE = Path(__file__).parents[2] / "bundles" / "format-1-native"
TOKEN = "planted-token-4711"

CUSTOMERS = """\
{"policy_id": 7, "state": "CA", "reported": "true", "severity": 1, "amount": 12.5}
{"policy_id": 8, "state": "OR", "reported": "false", "severity": 2, "amount": 70}
{"state": "OR"}
"""


@pytest.fixture
def server(monkeypatch) -> Iterator[str]:
    """A server of tables that wants a token; where it answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            self.send_response(200 if known else 401)
            self.end_headers()
            self.wfile.write(CUSTOMERS.encode() if known else b"")

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with answering(Handler) as port:
        yield f"http://127.0.0.1:{port}/export.jsonl"


def deployed(person: Person, folder: Path) -> None:
    """Register a model that is approved."""
    archive = folder / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(BUNDLE, ".")
    bucket, media = person.outputs["BucketName"], ["application/json"]
    person.desk.client("s3").upload_file(str(archive), bucket, "models/1/output/model.tar.gz")
    address = f"s3://{bucket}/models/1/output/model.tar.gz"
    person.desk.client("sagemaker").create_model_package(
        ModelPackageGroupName=person.outputs["PackageGroupName"],
        ModelApprovalStatus="Approved",
        CustomerMetadataProperties={"execution": "1"},
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": address}],
            "SupportedContentTypes": media,
            "SupportedResponseMIMETypes": media,
        },
    )
    person.desk.backstage.wait(60)


def by_name(granted: list[Role], name: str) -> Role:
    (role,) = [role for role in granted if role.name == name]
    return role


def test_a_claim_with_its_number_alone_is_scored_and_nothing_is_left(
    server, tmp_path, monkeypatch, caplog
):
    monkeypatch.chdir(tmp_path)
    with stand(ToyMachine(), strict.hold) as desk:
        secret = desk.client("secretsmanager").create_secret(Name="source", SecretString=TOKEN)
        person = Person.with_stack(
            desk,
            siblings=("queue", "features"),
            EndpointKind="lambda",
            OnlineTables="customers",
            SourceSecretArn=secret["ARN"],
            Athena="yes",
        )
        deployed(person, tmp_path)
        claim = {"policy_id": 7, "on": "2024-01-31"}
        assert person.score(claim).status == 500  # the table is not there yet
        event = {"source": server, "table": "customers", "secret": secret["ARN"]}
        answer = desk.functions.invoke(person.outputs["IngestFunctionName"], event, PERSON)
        assert (answer["written"], answer["failed"]) == (2, 1)
        assert "not all rows were ingested" in person.alerts()[-1]
        scored = person.score({"claims": [claim, {**claim, "policy_id": "8"}]})
        assert scored.status == 200
        assert [told["policy_id"] for told in scored.content["predictions"]] == [7, "8"]
        refused = person.score({**claim, "policy_id": 9})
        assert (refused.status, refused.content["error"]) == (422, "UnknownRecord")
        assert person.queue({"claims": [claim, {**claim, "policy_id": 9}]}).status == 202
        assert person.dead_claims() == 1
        account = Account(STACK, desk.actors.session(PERSON), pause=lambda _: None)
        (tmp_path / "people.csv").write_text("policy_id,n\n1,2\n")
        assert hears(lambda: ingest(account, {"people": "people.csv"}, IngestOptions()))[0] == 0
        bucket = person.outputs["BucketName"]
        body = b"policy_id,n\n1,2\n"
        desk.client("s3").put_object(Bucket=bucket, Key="tables/people/a.csv", Body=body)
        event = {"source": f"s3://{bucket}/tables/people/a.csv", "table": "people"}
        assert desk.functions.invoke(person.outputs["IngestFunctionName"], event)["written"] == 1
        desk.records.flush()
        made = {kind: names for kind, names in inventory(desk).items() if names}
        assert sorted(made["feature groups"]) == ["fraud-customers", "fraud-people"]
        assert made["databases of Glue"] == ["fraud_features"]
        assert made["workgroups of Athena"] == ["fraud-features"]
        granted = roles(desk, stacks_of(desk))
        code, said = hears(lambda: delete(account, agreed=True))
        assert code == 0
        assert "Removed: 2 groups, 2 tables, 2 objects" in said
        assert {kind: names for kind, names in inventory(desk).items() if names} == {}
        calls = desk.actors.calls
        for name in ("IngestRole", "RetireRole", "ScoreRole", "WorkRole", "StoreRole"):
            assert by_name(granted, name).missing(calls) == []
        for name in ("IngestRole", "RetireRole", "StoreRole"):
            assert unexplained(name, by_name(granted, name).unused(calls)) == set()
        for name in ("ScoreRole", "WorkRole"):
            grants = {grant.action for grant in by_name(granted, name).grants}
            looked = {"sagemaker:BatchGetRecord", "sagemaker:DescribeFeatureGroup"}
            assert looked <= grants - by_name(granted, name).unused(calls)
        known = json.dumps([str(call) for call in calls if call.operation != "CreateSecret"])
        assert TOKEN not in known + caplog.text + json.dumps(answer)
