"""Least privilege, measured: what each role did against what the stack's roles allow, both ways.

The roles' policies are read from the account, with all names filled in. A call is held against
the statements' actions and resources; their conditions are not checked.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from local_test.cloud.account.actors import ACCOUNT, REGION, Call
from local_test.cloud.desk import Desk


class Use(NamedTuple):
    """An action on a resource, as IAM names them."""

    action: str
    resource: str


class Grant(NamedTuple):
    """An action that a role's policy allows, and the resources for which it does."""

    action: str
    resources: tuple[str, ...]

    def allows(self, use: Use) -> bool:
        """Return whether this is the action, and the resource one of its own."""
        return fnmatchcase(use.action, self.action) and any(
            fnmatchcase(use.resource, resource) for resource in self.resources
        )


@dataclass(frozen=True)
class Role:
    """A role of the stack by its name in the template, its name in the account, what it may do."""

    name: str
    actor: str
    grants: tuple[Grant, ...]

    def uses(self, calls: Iterable[Call]) -> set[Use]:
        """Return what it did."""
        return {use for call in calls if call.actor == self.actor for use in uses_of(call)}

    def missing(self, calls: Iterable[Call]) -> list[Use]:
        """Return what it did and may not."""
        uses = self.uses(calls)
        return sorted(use for use in uses if not any(grant.allows(use) for grant in self.grants))

    def unused(self, calls: Iterable[Call]) -> set[str]:
        """Return the actions that it may do somewhere and did not do there."""
        uses = self.uses(calls)
        return {grant.action for grant in self.grants if not any(grant.allows(use) for use in uses)}


def roles(desk: Desk, stacks: Iterable[str]) -> list[Role]:
    """Return the roles of stacks that stand."""
    cloudformation, iam = desk.client("cloudformation"), desk.client("iam")
    found = [
        resource
        for stack in stacks
        for resource in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    ]
    # moto lists what a condition leaves out too, without a type
    made = [r for r in found if r.get("ResourceType") == "AWS::IAM::Role"]
    return [
        Role(role["LogicalResourceId"], name, tuple(_grants(iam, name)))
        for role in made
        for name in (role["PhysicalResourceId"],)
    ]


def _grants(iam: Any, role: str) -> Iterator[Grant]:
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        if isinstance(document, str):  # moto gives those of AWS::IAM::Policy as Python writes them
            document = ast.literal_eval(document)
        for statement in document["Statement"]:
            for action in _listed(statement["Action"]):
                yield Grant(action, tuple(_listed(statement["Resource"])))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def uses_of(call: Call) -> Iterator[Use]:
    """Yield what IAM asks about for a call: its own action, and those that it implies."""
    params = call.params
    if call.operation == "DeleteObjects":
        yield from _deleted(params)
        return
    for action in _ACTIONS.get((call.service, call.operation), (_own_action(call),)):
        for resource in _resources(action, params):
            yield Use(action, resource)
    for key in ("RoleArn", "ExecutionRoleArn"):
        if call.service == "sagemaker" and key in params:
            yield Use("iam:PassRole", params[key])
    if params.get("Tags") and call.service == "sagemaker":
        for resource in _resources(_own_action(call), params):
            yield Use("sagemaker:AddTags", resource)


def _deleted(params: Mapping[str, Any]) -> Iterator[Use]:
    for entry in params["Delete"]["Objects"]:
        action = "s3:DeleteObjectVersion" if "VersionId" in entry else "s3:DeleteObject"
        yield Use(action, f"arn:aws:s3:::{params['Bucket']}/{entry['Key']}")


def _own_action(call: Call) -> str:
    of_sagemaker = call.service.startswith("sagemaker-")  # the runtimes of endpoints and features
    prefix = "sagemaker" if of_sagemaker else call.service
    return f"{prefix}:{call.operation}"


# Operations whose actions have other names, or that ask for several.
_ACTIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    ("s3", "ListObjectVersions"): ("s3:ListBucketVersions",),
    ("s3", "ListMultipartUploads"): ("s3:ListBucketMultipartUploads",),
    ("s3", "HeadObject"): ("s3:GetObject",),
    ("s3", "CreateMultipartUpload"): ("s3:PutObject",),
    ("s3", "UploadPart"): ("s3:PutObject",),
    ("s3", "CompleteMultipartUpload"): ("s3:PutObject",),
    ("lambda", "Invoke"): ("lambda:InvokeFunction",),
    ("sqs", "SendMessageBatch"): ("sqs:SendMessage",),
}

Params = Mapping[str, Any]


def _resources(action: str, params: Params) -> Iterable[str]:
    """Return the resources that a request names, as the service's actions know them."""
    service, _, operation = action.partition(":")
    if service == "s3":
        return _of_s3(params)
    if service == "sagemaker":
        return _of_sagemaker(operation, params)
    return _OTHERS[service](params) if service in _OTHERS else ["*"]


def _of_s3(params: Params) -> Iterable[str]:
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    return [f"{bucket}/{params['Key']}" if "Key" in params else bucket]


def _of_sagemaker(operation: str, params: Params) -> Iterable[str]:
    if operation.startswith("List") and "PipelineName" not in params:
        return ["*"]
    values = [(kind, params[key]) for key, kind in _SAGEMAKER.items() if key in params]
    values += [
        ("feature-group", told["FeatureGroupName"]) for told in params.get("Identifiers", ())
    ]
    if operation == "CreateModelPackage":  # the package too, whose version the service chooses
        group = params["ModelPackageGroupName"].rsplit("/", 1)[-1]
        values.append(("model-package", f"{group}/1"))
    return [
        value
        if value.startswith("arn:")
        else f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{value}"
        for kind, value in values
    ]


_SAGEMAKER = {
    "EndpointName": "endpoint",
    "FeatureGroupName": "feature-group",
    "EndpointConfigName": "endpoint-config",
    "ModelName": "model",
    "ProcessingJobName": "processing-job",
    "TrainingJobName": "training-job",
    "ModelPackageGroupName": "model-package-group",
    "ModelPackageName": "model-package",
    "PipelineExecutionArn": "pipeline",
    "PipelineName": "pipeline",
}


def _parameters(params: Params) -> list[str]:
    names = params["Names"] if "Names" in params else [params["Name"]]
    return [f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{name}" for name in names]


def _targets(params: Params) -> list[str]:
    if "ResourceId" not in params:
        return ["*"]
    # by an identifier of the service's own, which no policy can know beforehand
    return [f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/1"]


_OTHERS: Mapping[str, Callable[[Params], Iterable[str]]] = {
    "application-autoscaling": _targets,
    "dynamodb": lambda params: [f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{params['TableName']}"],
    "sqs": lambda params: [
        f"arn:aws:sqs:{REGION}:{ACCOUNT}:{params['QueueUrl'].rsplit('/', 1)[-1]}"
    ],
    "ssm": _parameters,
    "sns": lambda params: [params["TopicArn"]],
    "lambda": lambda params: [params["FunctionName"]],
    "secretsmanager": lambda params: [params["SecretId"]],
    "glue": lambda params: [
        f"arn:aws:glue:{REGION}:{ACCOUNT}:{resource}"
        for resource in (
            "catalog",
            f"database/{params['DatabaseName']}",
            f"table/{params['DatabaseName']}/{params.get('Name', '*')}",
        )
    ],
}
