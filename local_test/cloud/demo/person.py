"""What a person at the desk does with the account, each in a call or two."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from local_test.cloud.account.actors import ACCOUNT, PERSON, REGION
from local_test.cloud.account.functions import FunctionFailed
from local_test.cloud.account.signing import sign
from local_test.cloud.desk import Desk
from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.members import CORE, MEMBERS
from sagetree.cloud.account.template import TEMPLATES, parameters_of
from sagetree.cloud.commands.batch import batch

ROOT = Path(__file__).parents[3]
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/sagetree:1"
STACK = "fraud"

TABLES = ("claims", "customers")

STACK_SECONDS = 120
RUN_SECONDS = 300


class Trouble(Exception):  # noqa: N818 - it says what it is
    """The solution did something else than it should: what, and all that is known of why."""


class Answer(NamedTuple):
    """What the API answered: the status and the JSON."""

    status: int
    content: Any


class Ended(NamedTuple):
    """How an execution of the pipeline ended."""

    status: str
    reason: str
    seconds: float
    steps: Sequence[str]


@dataclass(frozen=True)
class Person:
    """Whoever sits at the desk, with the outputs of all stacks before her."""

    desk: Desk
    outputs: Mapping[str, str]

    @classmethod
    def with_stack(
        cls, desk: Desk, name: str = STACK, siblings: Sequence[str] = (), **parameters: str
    ) -> "Person":
        """Make the stack from the real template, and those of siblings beside it."""
        known = {"ImageUri": IMAGE, "Stack": name, **parameters}
        outputs: dict[str, str] = {}
        for member in (m for m in MEMBERS if m is CORE or m.name in siblings):
            stack = _made(desk, member.stack_of(name), TEMPLATES / member.template, known)
            outputs |= {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
            known |= outputs
            if member is CORE:
                given = {p["ParameterKey"]: p["ParameterValue"] for p in stack["Parameters"]}
                known = {**given, **known}
        return cls(desk, outputs)

    def resources(self) -> int:
        """Return how many resources the stacks have."""
        found = [
            resource
            for name in stacks_of(self.desk)
            for resource in self.desk.client("cloudformation").describe_stack_resources(
                StackName=name
            )["StackResources"]
        ]
        # moto lists what a condition leaves out too, without a type
        return len([r for r in found if r.get("ResourceType")])

    def upload(self, folder: Path) -> None:
        """Put the tables in the bucket, where the pipeline reads them."""
        for table in TABLES:
            self.desk.client("s3").upload_file(
                str(folder / f"{table}.csv"), self.outputs["BucketName"],
                f"tables/{table}/{table}.csv",
            )  # fmt: skip

    def run(self, **parameters: str) -> Ended:
        """Start the pipeline, and return how it ended, with all events delivered."""
        sagemaker, begun = self.desk.client("sagemaker"), time.monotonic()
        given = [{"Name": name, "Value": value} for name, value in parameters.items()]
        arn = sagemaker.start_pipeline_execution(
            PipelineName=self.outputs["PipelineName"], PipelineParameters=given
        )["PipelineExecutionArn"]
        while _run(sagemaker, arn)["PipelineExecutionStatus"] == "Executing":
            if time.monotonic() > begun + RUN_SECONDS:
                raise Trouble("the pipeline does not end")
            time.sleep(0.05)
        seconds = time.monotonic() - begun
        self.desk.backstage.wait(RUN_SECONDS)
        ended = _run(sagemaker, arn)
        return Ended(
            ended["PipelineExecutionStatus"], ended.get("FailureReason") or "", seconds,
            [f"{s.name} {(s.ended - s.started).total_seconds():.1f} s"
             for s in self.desk.runs.done[arn] if s.kind != "Condition"],
        )  # fmt: skip

    def packages(self) -> list[Mapping[str, Any]]:
        """Return the registry's packages, the newest first."""
        found: list[Mapping[str, Any]] = self.desk.client("sagemaker").list_model_packages(
            ModelPackageGroupName=self.outputs["PackageGroupName"],
            SortBy="CreationTime", SortOrder="Descending",
        )["ModelPackageSummaryList"]  # fmt: skip
        return sorted(found, key=lambda package: -package["ModelPackageVersion"])

    def register_again(self, package: str) -> None:
        """Register a package's model as a new version, approved, and wait for all that follows."""
        sagemaker = self.desk.client("sagemaker")
        found = sagemaker.describe_model_package(ModelPackageName=package)
        sagemaker.create_model_package(
            ModelPackageGroupName=self.outputs["PackageGroupName"],
            ModelApprovalStatus="Approved",
            InferenceSpecification=found["InferenceSpecification"],
            CustomerMetadataProperties=found["CustomerMetadataProperties"],
        )
        self.desk.backstage.wait(RUN_SECONDS)

    def approve(self, package: str) -> None:
        """Approve a package, and wait for all that follows."""
        self.desk.client("sagemaker").update_model_package(
            ModelPackageArn=package, ModelApprovalStatus="Approved"
        )
        self.desk.backstage.wait(RUN_SECONDS)

    def deploy(self, package: str) -> str:
        """Ask the deploy function for a package; return what it says, or its error."""
        function = self.outputs["DeployFunctionName"]
        try:
            answer = self.desk.functions.invoke(function, {"package": package}, PERSON)
        except FunctionFailed as error:
            return str(error)
        return json.dumps(answer)

    def endpoint(self) -> Mapping[str, Any]:
        """Return the endpoint as the service describes it."""
        found: Mapping[str, Any] = self.desk.client("sagemaker").describe_endpoint(
            EndpointName=self.outputs["EndpointName"]
        )
        return found

    def score(self, body: object, *, signed: bool = True) -> Answer:
        """Post claims to the API over HTTP."""
        return self._post(self.outputs["ScoreUrl"], body, signed=signed)

    def note(self, body: object) -> Answer:
        """Post what became of claims."""
        return self._post(self.outputs["OutcomesUrl"], body, signed=True)

    def queue(self, body: object) -> Answer:
        """Post claims that may wait, and wait until all of them have been processed."""
        answer = self._post(self.outputs["ClaimsUrl"], body, signed=True)
        self.desk.backstage.wait(RUN_SECONDS)
        return answer

    def batch(self, source: Path, target: Path) -> None:
        """Score a file as `sagetree cloud batch` does."""
        account = Account(STACK, self.desk.actors.session(PERSON), pause=lambda _: time.sleep(0.1))
        batch(account, str(source), str(target), "ml.m5.large")

    def look_for_drift(self) -> Mapping[str, Any]:
        """Run the check for drift, wait until it has ended, and return the function's answer."""
        said: Mapping[str, Any] = self.desk.functions.invoke(
            self.outputs["WatchFunctionName"], {}, PERSON
        )
        self.desk.backstage.wait(RUN_SECONDS)
        return said

    def redrive(self) -> None:
        """Have the dead letters scored again."""
        sqs = self.desk.client("sqs")
        dead, claims = (
            sqs.get_queue_attributes(QueueUrl=self.outputs[name], AttributeNames=["QueueArn"])[
                "Attributes"
            ]["QueueArn"]
            for name in ("DeadClaimsQueueUrl", "ClaimsQueueUrl")
        )
        sqs.start_message_move_task(SourceArn=dead, DestinationArn=claims)
        self.desk.backstage.wait(RUN_SECONDS)

    def dead_claims(self) -> int:
        """Return how many claims are dead letters."""
        found = self.desk.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs["DeadClaimsQueueUrl"],
            AttributeNames=["ApproximateNumberOfMessages"],
        )
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    def _post(self, url: str, body: object, *, signed: bool) -> Answer:
        content = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(  # noqa: S310 - loopback
            url, content, sign("POST", url, content, headers) if signed else headers
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return Answer(answer.status, json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read() or b"{}"))

    def delete_stacks(self) -> str:
        """Delete the stacks, what is beside the core first; return "" or why one is not gone."""
        stacks = self.desk.client("cloudformation")
        for name in reversed(stacks_of(self.desk)):
            identifier = _stack(self.desk, name)["StackId"]
            stacks.delete_stack(StackName=name)
            stack = stacks.describe_stacks(StackName=identifier)["Stacks"][0]
            if stack["StackStatus"] != "DELETE_COMPLETE":
                return _reasons(self.desk, stack)
        return ""

    def alerts(self, topic: str = "AlertTopicArn") -> list[str]:
        """Return the messages of the alert topic, or of another output's topic, oldest first."""
        from moto.sns.models import sns_backends

        found = sns_backends[ACCOUNT][REGION].topics[self.outputs[topic]]
        return [f"{subject}: {message}" for _, message, subject, *_ in found.sent_notifications]


def make_tables(folder: Path, policies: int, seed: int) -> None:
    """Generate the example's tables."""
    size = ["--policies", str(policies), "--seed", str(seed)]
    command = [sys.executable, "-m", "local_test.generate", *size, "--out", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)  # noqa: S603


def stacks_of(desk: Desk) -> list[str]:
    """Return the names of the stacks that stand, in the order in which they were made."""
    listed = desk.client("cloudformation").describe_stacks()["Stacks"]
    there = {stack["StackName"] for stack in listed}
    return [name for m in MEMBERS if (name := m.stack_of(STACK)) in there]


def _made(desk: Desk, name: str, template: Path, known: Mapping[str, str]) -> Mapping[str, Any]:
    """Make a stack with those of its parameters that are known, and return it."""
    text = template.read_text()
    desk.client("cloudformation").create_stack(
        StackName=name,
        TemplateBody=text,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            {"ParameterKey": k, "ParameterValue": known[k]}
            for k in parameters_of(text)
            if k in known
        ],
    )
    limit = time.monotonic() + STACK_SECONDS
    while (stack := _stack(desk, name))["StackStatus"] == "CREATE_IN_PROGRESS":
        if time.monotonic() > limit:
            raise Trouble(f"the stack {name} is not complete\n{_failures(desk)}")
        time.sleep(0.1)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise Trouble(f"the stack is {stack['StackStatus']}\n{_reasons(desk, stack)}")
    return stack


def _stack(desk: Desk, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = desk.client("cloudformation").describe_stacks(StackName=name)
    stack: Mapping[str, Any] = found["Stacks"][0]
    return stack


def _reasons(desk: Desk, stack: Mapping[str, Any]) -> str:
    events = desk.client("cloudformation").describe_stack_events(StackName=stack["StackId"])
    reasons = [event.get("ResourceStatusReason") for event in events["StackEvents"]]
    return "\n".join(reason for reason in reasons if reason and reason != "User Initiated")


def _run(sagemaker: Any, arn: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    return found


def _failures(desk: Desk) -> str:
    functions = [f"{failure.function}: {failure.error}" for failure in desk.functions.failures]
    return "\n".join([*functions, *desk.backstage.failures])
