"""The AWS services that a stack's score function calls, as one HTTP server on loopback.

They hold a real model: the endpoint is the server's own application. All that arrives is kept as
it came, so that a test can look for what must not leave the function. AWS's SDK finds it by the
variables in `environ`.
"""

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs

from sagetree.cloud.columns import InputColumns
from sagetree.serve.application import Application
from sagetree.serve.protocol.messages import Request
from tests.cloud.account import ARN, BUCKET, STACK, TOPIC
from tests.cloud.http_server import answering
from tests.serve.artifacts import holder_for, settings_for, site_of

PACKAGE = f"{ARN}:model-package/{STACK}/1"
MODEL_KEY = "models/1/model.tar.gz"

_PUBLISHED = b"""<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
<PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"""


class Reply(NamedTuple):
    """What a service answers: a status, an error's code, a body; 0 closes the connection."""

    status: int
    body: bytes
    code: str = ""


def error(status: int, code: str, **more: object) -> Reply:
    return Reply(status, json.dumps({"Message": code, **more}).encode(), code)


@dataclass
class StackServer:
    """What is deployed in a stack; tests change it as deployments do."""

    application: Application
    first: Mapping[str, str]
    archive: bytes
    parameters: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    failures: list[Reply] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    fails_at: tuple[bytes, Reply] | None = None  # bytes of a request, and what the model then says
    unreadable: bool = False
    full: Reply | None = None  # what S3 says to all that is to be kept
    # feature groups: the types of their features, and their records by identifier
    groups: dict[str, Mapping[str, str]] = field(default_factory=dict)
    records: dict[str, dict[str, Mapping[str, str]]] = field(default_factory=dict)
    store: Reply | None = None  # what the feature store says to all that is looked up
    environment: Mapping[str, str] = field(default_factory=dict)
    told: list[Mapping[str, str]] = field(default_factory=list)  # what came to the topic
    url: str = ""

    def begin(self) -> None:
        """Be as after the first deployment, and forget what came."""
        self.parameters.clear()
        self.parameters.update(self.first)
        self.objects.clear()
        self.objects[MODEL_KEY] = self.archive
        self.failures.clear()
        self.fails_at = None
        self.unreadable = False
        self.full = None
        self.groups.clear()
        self.records.clear()
        self.store = None
        self.environment = {}
        self.told.clear()
        self.received.clear()

    @property
    def environ(self) -> Mapping[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAGETREE_STACK": STACK,
            "SAGETREE_BUCKET": BUCKET,
            "SAGETREE_ENDPOINT_KIND": "serverless",
            "SAGETREE_PRIVATE_FIELDS": "name,email",
            "SAGETREE_ID_FIELD": "policy_id",
            "SAGETREE_TOPIC_ARN": TOPIC,
        }

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        route: dict[str, Callable[[bytes], Reply]] = {
            "AmazonSSM.GetParameter": self._parameter,
            "SageMaker.DescribeModelPackage": self._package,
            "SageMaker.DescribeFeatureGroup": self._group,
        }
        operation = headers.get("x-amz-target", "")
        if operation in route:
            return route[operation](body)
        if path.startswith("/endpoints/") and self.failures:
            return self.failures.pop(0)
        if path.startswith("/endpoints/") and self.fails_at and self.fails_at[0] in body:
            return self.fails_at[1]
        if path == f"/endpoints/{STACK}/invocations":
            return self._invoked(headers, body)
        if path == f"/endpoints/{STACK}/async-invocations":
            return Reply(202, b"{}")
        if path == "/BatchGetRecord":
            return self.store or self._looked_up(body)
        if body.startswith(b"Action=Publish"):
            self.told.append({name: text for name, (text,) in parse_qs(body.decode()).items()})
            return Reply(200, _PUBLISHED)
        key = path.partition(f"/{BUCKET}/")[2]
        if method == "PUT" and self.full:
            return self.full
        if method == "PUT":
            self.objects[key] = body
            return Reply(200, b"")
        return Reply(200, self.objects[key]) if key in self.objects else error(404, "NoSuchKey")

    def _parameter(self, body: bytes) -> Reply:
        name = json.loads(body)["Name"]
        if self.unreadable:
            return error(400, "AccessDeniedException", __type="AccessDeniedException")
        if name not in self.parameters:
            return error(400, "ParameterNotFound", __type="ParameterNotFound")
        value = {"Parameter": {"Name": name, "Value": self.parameters[name]}}
        return Reply(200, json.dumps(value).encode())

    def _package(self, body: bytes) -> Reply:
        name = json.loads(body)["ModelPackageName"]
        container = {
            "Image": "1", "ModelDataUrl": f"s3://{BUCKET}/{MODEL_KEY}",
            "Environment": self.environment,
        }  # fmt: skip
        package = {
            "ModelPackageArn": name, "ModelPackageGroupName": STACK, "CreationTime": 1.0,
            "ModelPackageStatus": "Completed", "ModelApprovalStatus": "Approved",
            "InferenceSpecification": {"Containers": [container]},
        }  # fmt: skip
        return Reply(200, json.dumps(package).encode())

    def _group(self, body: bytes) -> Reply:
        name = json.loads(body)["FeatureGroupName"]
        if name not in self.groups:
            return error(400, "ResourceNotFound", __type="ResourceNotFound")
        definitions = [
            {"FeatureName": feature, "FeatureType": kind}
            for feature, kind in self.groups[name].items()
        ]
        group = {
            "FeatureGroupName": name, "RecordIdentifierFeatureName": "policy_id",
            "EventTimeFeatureName": "event_time", "FeatureDefinitions": definitions,
            "FeatureGroupStatus": "Created", "CreationTime": 1.0, "NextToken": "",
        }  # fmt: skip
        return Reply(200, json.dumps(group).encode())

    def _looked_up(self, body: bytes) -> Reply:
        found = [
            {
                "FeatureGroupName": asked["FeatureGroupName"],
                "RecordIdentifierValueAsString": key,
                "Record": [
                    {"FeatureName": name, "ValueAsString": text}
                    for name, text in self.records[asked["FeatureGroupName"]][key].items()
                ],
            }
            for asked in json.loads(body)["Identifiers"]
            for key in asked["RecordIdentifiersValueAsString"]
            if key in self.records.get(asked["FeatureGroupName"], {})
        ]
        content = {"Records": found, "Errors": [], "UnprocessedIdentifiers": []}
        return Reply(200, json.dumps(content).encode())

    def _invoked(self, headers: Mapping[str, str], body: bytes) -> Reply:
        response = self.application.answer(Request("POST", "/invocations", "", headers, body))
        if response.status == 200:
            return Reply(200, bytes(response.body))
        said = bytes(response.body).decode()
        return error(424, "ModelError", OriginalStatusCode=response.status, OriginalMessage=said)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stack: StackServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.stack.received.append(f"{self.path}\n{self.headers}".encode() + body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.stack.answer(self.command, self.path, headers, body)
        if not reply.status:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply.body)))
        if reply.code:
            self.send_header("x-amzn-ErrorType", reply.code)
        if self.path.endswith("async-invocations"):
            self.send_header("X-Amzn-SageMaker-OutputLocation", f"s3://{BUCKET}/answers/1.out")
        if self.path.endswith("/invocations") and reply.status == 200:
            self.send_header("x-Amzn-Invoked-Production-Variant", "main")
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_PUT = do_POST  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def stack_server(model: Path) -> Iterator[StackServer]:
    """Serve a stack that has deployed the model in `model`, on a port of its own."""
    settings = settings_for(model)
    holder = holder_for(model, settings)
    holder.wait()
    columns = InputColumns.of_schema((model / "sagetree" / "schema.json").read_bytes())
    first = {f"/{STACK}/columns": columns.to_text(), f"/{STACK}/deployed-package": PACKAGE}
    stack = StackServer(Application(site_of(settings, holder)), first, packed(model))
    stack.begin()
    with answering(type("Handler", (_Handler,), {"stack": stack})) as port:
        stack.url = f"http://127.0.0.1:{port}"
        yield stack


def packed(folder: Path) -> bytes:
    """The model.tar.gz of a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(folder, arcname=".")
    return buffer.getvalue()
