"""What answers before moto does: HTTP APIs, endpoints' invocations, and custom resources.

An API hands its function the event that API Gateway makes of a request (payload format 2.0), and
takes only what its route's authorisation lets in. An endpoint's container answers for itself; what
it refuses reaches the caller as a ModelError with the container's own status and body.
"""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from local_test.cloud.account.actors import ACCOUNT, REGION, SERVICE, Actors
from local_test.cloud.account.functions import FunctionFailed, Functions
from local_test.cloud.account.signing import signed

Environ = Mapping[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]
Wsgi = Callable[[Any, Any], Iterable[bytes]]

MODEL_SECONDS = 60

LOGS = "/aws/sagemaker/Endpoints"

# What of an invocation reaches the container.
_PASSED_ON = (
    "Content-Type", "Accept", "X-Amzn-Sagemaker-Custom-Attributes",
    "X-Amzn-Sagemaker-Inference-Id",
)  # fmt: skip


@dataclass(frozen=True)
class Reply:
    """A response of HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of_json(cls, status: int, content: object, **headers: str) -> "Reply":
        """Return a response whose body is JSON."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(
            status, {"Content-Type": "application/json", **named}, json.dumps(content).encode()
        )


@dataclass(frozen=True)
class Request:
    """A request of HTTP; headers with their names in lower case, as API Gateway has them."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, environ: Environ) -> "Request":
        """Return the request of a WSGI environment."""
        headers = {
            key[5:].replace("_", "-").lower(): str(value)
            for key, value in environ.items()
            if key.startswith("HTTP_")
        }
        if environ.get("CONTENT_TYPE"):
            headers["content-type"] = environ["CONTENT_TYPE"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        return cls(
            environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", ""),
            headers, body,
        )  # fmt: skip


@dataclass
class Front:
    """The web application of the desk: its own paths, and moto for all others."""

    actors: Actors
    moto: Wsgi
    functions: Functions
    # Returns where the container behind an endpoint answers, or None.
    served: Callable[[str], str | None]
    # Has a request in S3 answered: the endpoint's name, an identifier and the headers in, those
    # of the answer out.
    later: Callable[[str, str, Mapping[str, str]], Mapping[str, str]]
    # Answers a request to Feature Store's runtime, by its path.
    records: Callable[[str, Request], Reply]
    # What custom resources answered, by the last part of the path they were given.
    answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        parts = environ["PATH_INFO"].split("/")
        match parts[1:]:
            case ["api", api, *_]:
                reply = self._api(api, Request.of(environ))
            case ["endpoints", name, "invocations"]:
                reply = self._invocation(name, Request.of(environ))
            case ["endpoints", name, "async-invocations"]:
                reply = self._later(name, Request.of(environ))
            case ["FeatureGroup", _] | ["BatchGetRecord"]:
                reply = self.records("/".join(parts[1:]), Request.of(environ))
            case ["custom-resources", key]:
                self.answers[key] = json.loads(Request.of(environ).body)
                reply = Reply.of_json(200, {})
            case _:
                return self.moto(environ, start)
        start(f"{reply.status} {HTTPStatus(reply.status).phrase}", list(reply.headers.items()))
        return [reply.body]

    def _api(self, api: str, request: Request) -> Reply:
        path = request.path.removeprefix(f"/api/{api}") or "/"
        gateway = self.actors.client(SERVICE, "apigatewayv2")
        routes = {route["RouteKey"]: route for route in gateway.get_routes(ApiId=api)["Items"]}
        route = routes.get(f"{request.method} {path}")
        if route is None:
            return Reply.of_json(404, {"message": "Not Found"})
        kind = route.get("AuthorizationType", "NONE")
        if kind == "AWS_IAM" and not signed(
            request.method, request.path, request.headers, request.body
        ):
            return Reply.of_json(403, {"message": "Forbidden"})
        if kind == "JWT":
            return Reply.of_json(401, {"message": "Unauthorized"})  # the desk knows no issuer
        integration = gateway.get_integration(
            ApiId=api, IntegrationId=route["Target"].removeprefix("integrations/")
        )
        function = integration["IntegrationUri"]
        source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/$default/{request.method}{path}"
        if not self.functions.lets_in(function, "apigateway.amazonaws.com", source):
            return Reply.of_json(500, {"message": "Internal Server Error"})
        try:
            answer = self.functions.invoke(function, api_event(api, path, request))
        except FunctionFailed:
            return Reply.of_json(500, {"message": "Internal Server Error"})
        return Reply(answer["statusCode"], answer.get("headers", {}), answer["body"].encode())

    def _later(self, name: str, request: Request) -> Reply:
        if self.served(name) is None:
            return _no_endpoint(name)
        identifier = uuid.uuid4().hex
        places = self.later(name, identifier, request.headers)
        return Reply(
            202,
            {"Content-Type": "application/json", **places},
            json.dumps({"InferenceId": identifier}).encode(),
        )

    def _invocation(self, name: str, request: Request) -> Reply:
        address = self.served(name)
        if address is None:
            return _no_endpoint(name)
        headers = {
            name: request.headers[name.lower()]
            for name in _PASSED_ON
            if name.lower() in request.headers
        }
        asked = urllib.request.Request(f"{address}/invocations", request.body, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(asked, timeout=MODEL_SECONDS) as answer:  # noqa: S310
                kind = {"Content-Type": answer.headers["Content-Type"]}
                return Reply(
                    200, kind | {"x-Amzn-Invoked-Production-Variant": "main"}, answer.read()
                )
        except urllib.error.HTTPError as error:
            with error:
                return _model_error(name, error.code, error.read().decode())
        except OSError as error:
            return _model_error(name, 500, str(error))


def _no_endpoint(name: str) -> Reply:
    error = {"Message": f"Endpoint {name} of account {ACCOUNT} not found."}
    return Reply.of_json(400, error, x_amzn_errortype="ValidationError")


def _model_error(name: str, status: int, said: str) -> Reply:
    fault = "client" if status < 500 else "server"
    content = {
        "Message": f'Received {fault} error ({status}) from main with message "{said}". See '
        f"https://{REGION}.console.aws.amazon.com/cloudwatch/home in account {ACCOUNT}",
        "OriginalMessage": said,
        "OriginalStatusCode": status,
        "LogStreamArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{LOGS}/{name}",
    }
    return Reply.of_json(424, content, x_amzn_errortype="ModelError")


def api_event(api: str, path: str, request: Request) -> dict[str, Any]:
    """Return what API Gateway hands to a function, in its payload format 2.0."""
    key = f"{request.method} {path}"
    return {
        "version": "2.0",
        "routeKey": key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": dict(request.headers),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": api,
            "domainName": "127.0.0.1",
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": request.headers.get("user-agent", ""),
            },
            "requestId": uuid.uuid4().hex[:16],
            "routeKey": key,
            "stage": "$default",
            "timeEpoch": int(time.time() * 1000),
        },
        "body": request.body.decode(errors="surrogateescape"),
        "isBase64Encoded": False,
    }
