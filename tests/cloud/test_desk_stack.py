"""The real template on the desk, its functions from the first model to the last thing removed.

Jobs and servers are toys here; tests/image has the demo, with the image for them.
"""

import json
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_test.cloud.account.actors import PERSON, Call
from local_test.cloud.demo.inventory import inventory
from local_test.cloud.demo.person import IMAGE, STACK, Person, Trouble, stacks_of
from local_test.cloud.desk import stand
from local_test.cloud.privileges import Role, roles
from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.members import SIBLINGS
from sagetree.cloud.commands.batch import batch
from tests.cloud import strict
from tests.cloud.commands.conftest import hears
from tests.cloud.least_privilege import unexplained
from tests.cloud.toy_machine import ToyMachine

# Those with functions, and what feeds or shows them; test_launches.py makes the others, too.
BESIDE = [name for name in SIBLINGS if name not in ("network", "domain", "account")]

BUNDLE = Path(__file__).parents[1] / "bundles" / "format-1-native"


def in_use(person: Person) -> bool:
    """Try to delete the core before its siblings; return whether that is refused."""
    stacks = person.desk.client("cloudformation")
    stacks.delete_stack(StackName=STACK)
    events = stacks.describe_stack_events(StackName=STACK)["StackEvents"]
    used = "Export fraud-bucket cannot be deleted as it is in use by fraud-queue"
    return used in events[0]["ResourceStatusReason"] and person.resources() > 50


@contextmanager
def stack(*siblings: str, **parameters: str) -> Iterator[tuple[Person, ToyMachine]]:
    machine = ToyMachine()
    with stand(machine, strict.hold) as desk:
        yield Person.with_stack(desk, siblings=siblings, **parameters), machine
    assert not machine.running


def registered(person: Person, folder: Path, status: str = "PendingManualApproval") -> str:
    """Register a model that the bucket has, as the pipeline does, and return its ARN."""
    archive = folder / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(BUNDLE, ".")
    bucket = person.outputs["BucketName"]
    person.desk.client("s3").upload_file(str(archive), bucket, "models/1/output/model.tar.gz")
    media = ["application/json"]
    arn: str = person.desk.client("sagemaker").create_model_package(
        ModelPackageGroupName=person.outputs["PackageGroupName"],
        ModelApprovalStatus=status,
        CustomerMetadataProperties={"execution": "1"},
        InferenceSpecification={
            "Containers": [
                {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/models/1/output/model.tar.gz"}
            ],
            "SupportedContentTypes": media,
            "SupportedResponseMIMETypes": media,
        },
    )["ModelPackageArn"]
    person.desk.backstage.wait(60)
    return arn


def wait(person: Person) -> None:
    """Send claims that may wait: some, some again, one that is wrong, and that one again."""
    before = len(person.alerts())
    claims = [{"policy_id": number, "amount": number} for number in range(12)]
    wrong = {"policy_id": 12, "amount": "refuse"}
    assert person.queue({"claims": [*claims, wrong]}).status == 202
    assert len(person.alerts()) == before + 12
    assert person.dead_claims() == 1
    url = person.outputs["ClaimsQueueUrl"]
    for claim in (claims[0], {"policy_id": 13}):
        person.desk.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(claim))
    person.redrive()
    assert len(person.alerts()) == before + 13
    assert person.dead_claims() == 1  # it is as wrong as before


def ask(person: Person, event: dict[str, object]) -> str:
    """Ask the deploy function for a change, and wait for all that follows."""
    said = person.desk.functions.invoke(person.outputs["DeployFunctionName"], event, PERSON)
    person.desk.backstage.wait(60)
    return str(said["action"])


def _variant(person: Person) -> dict[str, object]:
    name = person.endpoint()["EndpointConfigName"]
    sagemaker = person.desk.client("sagemaker")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    return dict(config["ProductionVariants"][0])


def change(person: Person, *, has_challenger: bool) -> None:
    """Compare two models where two can be served, and go back."""
    newest, older = (package["ModelPackageArn"] for package in person.packages()[:2])
    if has_challenger:
        assert ask(person, {"shift": 30, "package": older}) == "updated"
        weights = [v["CurrentWeight"] for v in person.endpoint()["ProductionVariants"]]
        assert weights == [70.0, 30.0]
        assert ask(person, {"shift": 0}) == "updated"
        assert len(person.endpoint()["ProductionVariants"]) == 1
    assert ask(person, {"rollback": newest}) == "updated"
    version = older.rpartition("/")[2]
    assert person.endpoint()["EndpointConfigName"].startswith(f"{STACK}-{version}-")


def live(person: Person, machine: ToyMachine, folder: Path) -> None:
    """Go through all that happens to a stack while it stands."""
    first = registered(person, folder)
    assert person.deploy(first).startswith("Refused: ")
    machine.fails = "ImportError: no such module"
    person.approve(first)
    assert person.endpoint()["EndpointStatus"] == "Failed"
    assert "ImportError: no such module" in person.alerts()[-1]
    machine.fails = ""
    person.approve(first)
    config = person.endpoint()["EndpointConfigName"]
    assert person.endpoint()["EndpointStatus"] == "InService"
    person.approve(first)  # events come twice
    assert person.endpoint()["EndpointConfigName"] == config
    assert person.score({"claims": [{"policy_id": 1}]}).status == 200
    assert person.score([]).status == 400
    assert person.note({"policy_id": 1, "fraud": 1}).status == 200
    assert person.note({"policy_id": 1, "fraud": "yes"}).status == 422
    assert person.look_for_drift()["outcomes"] is True
    assert person.alerts()[-1].startswith("fraud: drift: 1 finding: amount: it has moved\n")
    wait(person)
    registered(person, folder, "Approved")
    assert person.endpoint()["EndpointConfigName"] != config
    config = person.endpoint()["EndpointConfigName"]
    machine.fails = "ImportError: no such module"
    registered(person, folder, "Approved")
    assert person.endpoint()["EndpointConfigName"] == config
    assert any("rolled back" in text for text in person.alerts())
    machine.fails = ""
    assert person.score({"policy_id": 1}).status == 200
    for _ in range(3):
        registered(person, folder, "Approved")
    configs = person.desk.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
    assert len(configs) == 3
    change(person, has_challenger="InstanceType" in _variant(person))
    assert not [d for d in person.desk.bus.deliveries if d.error]


@pytest.mark.long
def test_an_asynchronous_stack_answers_into_the_bucket_and_says_so(tmp_path: Path) -> None:
    with stack(EndpointKind="asynchronous") as (person, _machine):
        person.approve(registered(person, tmp_path))
        s3, bucket = person.desk.client("s3"), person.outputs["BucketName"]
        for amount, folder, topic in (
            (1, "answers", "AnswersTopicArn"), ("refuse", "failures", "AlertTopicArn")
        ):  # fmt: skip
            answer = person.score({"claims": [{"policy_id": 1, "amount": amount}]})
            assert answer.status == 202
            person.desk.backstage.wait(60)
            key = "output_location" if amount == 1 else "failure_location"
            place = answer.content[key]
            assert place.startswith(f"s3://{bucket}/{folder}/")
            said = s3.get_object(Bucket=bucket, Key=place.partition(f"{bucket}/")[2])["Body"].read()
            assert (b"0.5" in said) == (amount == 1)
            assert place in person.alerts(topic)[-1]
        assert person.score([{"amount": 1}]).status == 202
        assert "ClaimsUrl" not in person.outputs
        granted = roles(person.desk, stacks_of(person.desk))
        for role in granted:
            assert role.missing(person.desk.actors.calls) == []
        assert person.delete_stacks() == ""


@pytest.mark.long
def test_a_batch_transform_job_scores_whole_files(tmp_path: Path) -> None:
    with stack() as (person, machine):
        person.approve(registered(person, tmp_path))
        source = tmp_path / "in"
        source.mkdir()
        for name in ("a", "b"):
            (source / f"{name}.jsonl").write_text('{"amount": 1}')
        account = Account(STACK, person.desk.actors.session(PERSON), pause=time.sleep)
        code, _ = hears(lambda: batch(account, str(source), str(tmp_path / "out"), "ml.m5.large"))
        assert code == 0
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
            "a.jsonl.out", "b.jsonl.out"
        ]  # fmt: skip
        assert len(machine.running) == 1  # the endpoint's; the job's is gone
        for role in roles(person.desk, stacks_of(person.desk)):
            assert role.missing(person.desk.actors.calls) == []
        assert person.delete_stacks() == ""
        assert {key: names for key, names in inventory(person.desk).items() if names} == {}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Role], list[Call]]:
    """The roles of stacks of two kinds, and all that was called in their lives."""
    granted: list[Role] = []
    calls: list[Call] = []
    for kind in ("serverless", "instance"):
        with stack(*BESIDE, EndpointKind=kind, EndpointInstancesMax="2") as (person, machine):
            before = inventory(person.desk)
            live(person, machine, tmp_path_factory.mktemp(kind))
            made = {key for key, names in inventory(person.desk).items() if names}
            assert {"endpoints", "models", "model packages", "buckets"} <= made
            assert ("scaling targets" in made) == (kind == "instance")
            granted += roles(person.desk, stacks_of(person.desk))
            assert before["roles"]
            assert in_use(person)
            assert person.delete_stacks() == ""
            assert {key: names for key, names in inventory(person.desk).items() if names} == {}
            calls += person.desk.actors.calls
    return granted, calls


@pytest.mark.long
def test_a_stack_lives_and_leaves_nothing(lived: tuple[list[Role], list[Call]]) -> None:
    """All of it is in the fixture, which the next test shares."""
    assert lived


@pytest.mark.long
@pytest.mark.parametrize("name", ["DeployRole", "ScoreRole", "WorkRole", "WatchRole", "CleanRole"])
def test_a_function_may_do_what_it_does_and_no_more(
    lived: tuple[list[Role], list[Call]], name: str
) -> None:
    granted, calls = lived
    mine = [role for role in granted if role.name == name]
    for role in mine:
        assert role.uses(calls)
        assert role.missing(calls) == []
    unused = set.intersection(*(role.unused(calls) for role in mine))
    assert unexplained(name, unused) == set()


@pytest.mark.long
def test_an_api_lets_in_who_signs_what_he_sends() -> None:
    with stack() as (person, _machine):
        assert person.score({"policy_id": 1}, signed=False).status == 403
        answer = person.score({"policy_id": 1})
        assert answer.status == 503
        assert "no model has been deployed yet" in json.dumps(answer.content)


@pytest.mark.long
def test_a_custom_resource_that_refuses_ends_the_stack_s_creation() -> None:
    with stand(ToyMachine(), strict.hold) as desk, pytest.raises(Trouble) as raised:
        Person.with_stack(desk, "Fraud")
    said = str(raised.value)
    assert said.startswith("the stack is CREATE_FAILED\nthe stack's name has capital letters: ")
