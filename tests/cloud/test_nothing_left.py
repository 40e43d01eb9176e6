"""Each option alone makes all that it makes while it stands, and leaves nothing when it goes."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from local_test.cloud.account.actors import PERSON
from local_test.cloud.demo.inventory import inventory
from local_test.cloud.demo.person import STACK, Person
from local_test.cloud.desk import Desk, stand
from local_test.cloud.pipeline.containers import Ended
from sagetree.cloud.account.calls import Account
from sagetree.cloud.commands.batch import batch
from sagetree.cloud.commands.delete import delete
from sagetree.cloud.commands.leftovers import leftovers
from tests.cloud import strict
from tests.cloud.commands.conftest import hears
from tests.cloud.test_desk_stack import BUNDLE, ask, registered
from tests.cloud.toy_machine import ToyMachine

TABLE = b"policy_id,amount,fraud\n1,2,0\n2,3,1\n"

# What is launched, by the siblings and parameters that it takes.
LAUNCHES: Mapping[str, tuple[Sequence[str], Mapping[str, str]]] = {
    "features": (["features"], {"EndpointKind": "lambda", "OnlineTables": "claims"}),
    "network": (["network"], {"EndpointKind": "instance", "CreateKey": "yes"}),
    **{kind: ([], {"EndpointKind": kind}) for kind in ("serverless", "asynchronous", "lambda")},
    "instance": ([], {"EndpointKind": "instance", "EndpointInstances": "2"}),
    "facets": ([], {"Facets": '[{"column": "sex"}]', "Approval": "automatic"}),
    **{name: ([name], {}) for name in ("queue", "watch", "retrain", "dashboard")},
    "domain": (["domain"], {"DomainName": "claims.example.com"}),
    "account": (["account"], {"MonthlyDollars": "100"}),
}
# What the pipeline registers with a model.
JUDGED = (
    "bias_analysis.json", "constraints.json", "explainability.json", "model_card.json",
    "report.html", "statistics.json",
)  # fmt: skip

# Each day's, and those of each night.
OFTEN = ("features", "network")


class Trainer(ToyMachine):
    """A machine whose pipeline comes to an end, with a model that was made before."""

    def job(self, command: Sequence[str], opt_ml: Path, environment: Mapping[str, str]) -> Ended:
        processing = opt_ml / "processing"
        match command[0]:
            case "prepare":
                for part in (processing / "output").iterdir():
                    (part / "rows.parquet").write_bytes(b"rows")
            case "train":
                shutil.copytree(BUNDLE, opt_ml / "model", dirs_exist_ok=True)
            case "evaluate":
                auc = {"binary_classification_metrics": {"auc": {"value": 0.9}}}
                judged = processing / "evaluation"
                for name in JUDGED:
                    (judged / name).write_text("{}")
                (judged / "evaluation.json").write_text(json.dumps(auc))
            case _:
                return super().job(command, opt_ml, environment)
        return Ended(0, "")


@pytest.fixture
def desk() -> Iterator[Desk]:
    with stand(Trainer(), strict.hold) as desk:
        yield desk


def there(desk: Desk) -> dict[str, set[str]]:
    return {kind: set(names) for kind, names in inventory(desk).items() if names}


def train(person: Person) -> None:
    """Run the pipeline, and put what it registers into service."""
    bucket = person.outputs["BucketName"]
    s3 = person.desk.client("s3")
    s3.put_object(Bucket=bucket, Key="tables/claims/claims.csv", Body=TABLE)
    ended = person.run()
    assert ended.status == "Succeeded", ended.reason
    person.approve(person.packages()[0]["ModelPackageArn"])


def use(person: Person, account: Account, folder: Path) -> None:
    """Do all that makes something."""
    outputs = person.outputs
    if "IngestFunctionName" in outputs:
        event = {"source": f"s3://{outputs['BucketName']}/tables/claims/claims.csv"}
        answer = person.desk.functions.invoke(outputs["IngestFunctionName"], event, PERSON)
        assert answer["written"] == 2
        person.desk.records.flush()
    status = person.score({"claims": [{"policy_id": 1, "amount": 2}]}).status
    assert status in (200, 202, 422)  # the real model inside Lambda wants more
    assert person.note({"policy_id": 1, "fraud": 1}).status == 200
    source = folder / "in"
    source.mkdir()
    (source / "a.jsonl").write_text('{"amount": 1}')
    assert hears(lambda: batch(account, str(source), str(folder / "out"), "ml.m5.large"))[0] == 0
    if "WatchFunctionName" in outputs:
        person.look_for_drift()
    if "ClaimsQueueUrl" in outputs:
        assert person.queue({"claims": [{"policy_id": 1, "amount": 2}]}).status == 202
    second = registered(person, folder, "Approved")
    first = person.packages()[-1]["ModelPackageArn"]
    parameters = person.desk.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    told = {one["ParameterKey"]: one["ParameterValue"] for one in parameters["Parameters"]}
    if told["EndpointKind"] == "instance":
        assert ask(person, {"shadow": first}) == "updated"
        assert ask(person, {"shift": 30, "package": first}) == "updated"
    else:
        assert ask(person, {"rollback": second}) == "updated"


@pytest.mark.long
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[] if n in OFTEN else pytest.mark.nightly) for n in LAUNCHES],
)
def test_an_option_leaves_nothing(desk: Desk, tmp_path: Path, name: str) -> None:
    siblings, parameters = LAUNCHES[name]
    if name == "domain":
        zones = desk.client("route53")
        zone: Any = zones.create_hosted_zone(Name="example.com", CallerReference="1")
        identifier = zone["HostedZone"]["Id"].rpartition("/")[2]
        parameters = {**parameters, "HostedZoneId": identifier}
    before = there(desk)
    person = Person.with_stack(desk, siblings=siblings, **parameters)
    if name == "domain":  # nobody finds the desk by that name
        core = desk.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        own = {one["OutputKey"]: one["OutputValue"] for one in core["Outputs"]}
        person = Person(desk, {**person.outputs, **own})
    account = Account(STACK, desk.actors.session(PERSON), pause=lambda _: time.sleep(0.01))
    train(person)
    use(person, account, tmp_path)
    made = there(desk)
    assert {"models", "model packages", "objects in S3, with old versions"} <= made.keys()
    if name == "features":
        assert made["tables of Glue"] == {"fraud_features.claims"}
    if name == "network":
        assert len(made["network interfaces"]) == 2
    code, said = hears(lambda: delete(account, agreed=True))
    assert code == 0, said
    left = {kind: names - before.get(kind, set()) for kind, names in there(desk).items()}
    kept = {kind: names for kind, names in left.items() if names}
    if name == "account":  # a trail's bucket is evidence
        assert {kind: len(names) for kind, names in kept.items()} == {"buckets": 1}
    elif name == "network":  # what a key has encrypted cannot be read without it
        assert {kind: len(names) for kind, names in kept.items()} == {"keys": 1}
    else:
        assert kept == {}


@pytest.mark.long
def test_logs_that_are_to_be_kept_outlive_their_stacks(desk: Desk) -> None:
    siblings = ["queue", "watch", "features"]
    Person.with_stack(desk, siblings=siblings)
    account = Account(STACK, desk.actors.session(PERSON), pause=lambda _: None)
    logs = there(desk)["log groups"]
    assert len(logs) == 9
    code, said = hears(lambda: delete(account, agreed=True, logs=True))
    assert code == 0
    assert there(desk) == {"log groups": logs}
    kept = "is kept (--keep-logs): remove it before a launch under this name"
    assert {line.partition(" ")[0] for line in said if line.endswith(kept)} == logs
    code, said = hears(lambda: leftovers(account))
    assert (code, said[-1]) == (1, "9 left")
