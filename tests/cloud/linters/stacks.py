"""The stacks that the templates are checked as: one of each kind of endpoint, one with all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sagetree.cloud.account.members import MEMBERS
from tests.cloud.template.stack_template import Stack, read

EVERYTHING = {
    "AuthorizerId": "a1b2c3",
    "AlertEmail": "somebody@example.com",
    "Athena": "yes",
    "AthenaRoles": "analysts",
    "Authorization": "JWT",
    "DriftSchedule": "rate(1 day)",
    "EndpointKind": "instance",
    "HostedZoneId": "Z0123456789",
    "JwtAudience": "claims",
    "JwtIssuer": "https://issuer.example",
    "KmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000",
    "MonthlyDollars": "100",
    "Network": "existing",
    "SecurityGroupIds": "sg-0123456789abcdef0",
    "SubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "OnlineTables": "customers",
    "SourceSecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:source-a1b2c3",
}
STACKS: dict[str, dict[str, str]] = {
    "serverless": {},
    "instance": EVERYTHING,
    "asynchronous": {"EndpointKind": "asynchronous"},
    "lambda": {"EndpointKind": "lambda", "CreateKey": "yes", "Features": "yes"},
}

ACCOUNT = "eu-central-1:123456789012"

# What a policy's resource is worked out to, by how the template refers to it.
ARNS = {
    "<AlertTable.Arn>": f"arn:aws:dynamodb:{ACCOUNT}:table/fraud-alerts",
    "<Alerts>": f"arn:aws:sns:{ACCOUNT}:fraud-alerts",
    "<Answers>": f"arn:aws:sns:{ACCOUNT}:fraud-answers",
    "<Bucket.Arn>": "arn:aws:s3:::fraud-bucket",
    "<Claims.Arn>": f"arn:aws:sqs:{ACCOUNT}:fraud-claims",
    "<CleanLog.Arn>": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/lambda/fraud-clean:*",
    "<Dead.Arn>": f"arn:aws:sqs:{ACCOUNT}:fraud-dead",
    "<DeadClaims.Arn>": f"arn:aws:sqs:{ACCOUNT}:fraud-dead-claims",
    "<DeployFunction.Arn>": f"arn:aws:lambda:{ACCOUNT}:function:fraud-deploy",
    "<DeployLog.Arn>": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/lambda/fraud-deploy:*",
    "<EndpointErrors.Arn>": f"arn:aws:cloudwatch:{ACCOUNT}:alarm:fraud-endpoint-errors",
    "<EndpointLatency.Arn>": f"arn:aws:cloudwatch:{ACCOUNT}:alarm:fraud-endpoint-latency",
    "<EndpointLog.Arn>": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/fraud:*",
    "<FlowLog.Arn>": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/vendedlogs/fraud-network-flows:*",
    "<IngestLog.Arn>": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/lambda/fraud-ingest:*",
    "<JobRole.Arn>": "arn:aws:iam::123456789012:role/fraud-job",
    "<ModelRole.Arn>": "arn:aws:iam::123456789012:role/fraud-model",
    "<Packages>": f"arn:aws:sagemaker:{ACCOUNT}:model-package-group/fraud",
    "<Pipeline>": "fraud",
    "<RetireLog.Arn>": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/lambda/fraud-retire:*",
    "<ScoreLog.Arn>": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/lambda/fraud-score:*",
    "<StoreRole.Arn>": "arn:aws:iam::123456789012:role/fraud-store",
    "<WatchFunction.Arn>": f"arn:aws:lambda:{ACCOUNT}:function:fraud-watch",
    "<WatchLog.Arn>": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/lambda/fraud-watch:*",
    "<WorkLog.Arn>": f"arn:aws:logs:{ACCOUNT}:log-group:/aws/lambda/fraud-work:*",
}


def write_templates(folder: Path) -> list[Path]:
    """Write each stack, and each beside it, as a template without parameters; return the files."""
    files = []
    for name, stack in _stacks(keeps_references=True):
        written = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": stack.resources()}
        files.append(folder / f"{name}.json")
        files[-1].write_text(json.dumps(written, indent=1))
    return files


def write_policies(folder: Path) -> Path:
    """Write each policy of a role with the role's name; return the file."""
    found: dict[str, Any] = {}
    for _, stack in _stacks(keeps_references=False):
        for name, told in stack.resources().items():
            properties = told["Properties"]
            if told["Type"] == "AWS::IAM::Policy":
                found[f"{name} {len(found)}"] = [name, properties["PolicyDocument"]]
            for policy in properties.get("Policies", ()) if "Role" in told["Type"] else ():
                found[f"{name} {len(found)}"] = [name, policy["PolicyDocument"]]
    text = json.dumps(list(found.values()))
    for reference, arn in ARNS.items():
        text = text.replace(reference, arn)
    file = folder / "policies.json"
    file.write_text(text)
    return file


def _stacks(*, keeps_references: bool) -> Iterator[tuple[str, Stack]]:
    """Yield each stack with a name: cores by their kinds, siblings by the kind and their own."""
    for kind, parameters in STACKS.items():
        for member in MEMBERS:
            template = read(member.template)
            known = template["Parameters"]
            given = {name: value for name, value in parameters.items() if name in known}
            stack = Stack(template, keeps_references=keeps_references, **given)
            if not stack.broken_rules():
                yield f"{kind}-{member.name}" if member.name else kind, stack
