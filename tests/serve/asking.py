"""Questions to the application in this process, and what comes back."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from werkzeug.test import Client, TestResponse

from sagetree.errors import PayloadTooLargeError
from sagetree.machine.program import LOG
from sagetree.serve.application import Application
from sagetree.serve.http.body_buffer import refuse_length
from sagetree.serve.models.registry import Registry
from sagetree.serve.protocol.messages import Request
from sagetree.serve.routes.many_models import many_models, store_of_models
from sagetree.serve.routes.site import Site
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.log_lines import text_line
from sagetree.serve.telemetry.metrics import Observer
from tests.serve.rows import NAMES, csv_body, records

ROWS = records(3, seed=9)
CSV = csv_body(NAMES[:-1], ROWS, header=False)
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


def client_of(site: Site) -> Client:
    """A client of what a worker's loop serves."""
    application = Application(site)

    def call(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        request = _request(environ)
        try:
            refuse_length(len(request.body), application.max_body)
            response = application.answer(request)
        except PayloadTooLargeError as error:
            response = application.refuse(request, error)
        headers = list(response.headers.items())
        if response.content_type:
            headers.append(("Content-Type", response.content_type))
        start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
        return [bytes(response.body)]

    return Client(call)


@contextmanager
def client_of_many(settings: ServeSettings, shared: Path) -> Iterator[Client]:
    """A client of a worker of many models, which lets go of them at the end."""
    folder = shared / "models"
    folder.mkdir()
    registry = Registry(folder, settings.model_memory, settings.workers)
    store = store_of_models(settings, registry)
    try:
        yield client_of(many_models(settings, store, Observer(None, text_line, LOG.info)))
    finally:
        store.close()


def _request(environ: dict[str, Any]) -> Request:
    named = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}
    headers = {
        named.get(key, key.removeprefix("HTTP_").replace("_", "-").lower()): value
        for key, value in environ.items()
        if key.startswith("HTTP_") or (key in named and value)
    }
    path, _, query = environ["RAW_URI"].partition("?")
    return Request(environ["REQUEST_METHOD"], path, query, headers, environ["wsgi.input"].read())


def post(client: Client, body: bytes, kind: str = "text/csv", **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/invocations", data=body, content_type=kind or None, headers=named)


def problem(answer: TestResponse) -> tuple[int, dict[str, object]]:
    """The status and the problem, whose request id is also in the header."""
    assert answer.content_type == "application/json"
    found = answer.get_json()
    assert found.pop("request_id") == answer.headers["X-Amzn-RequestId"]
    return answer.status_code, found
