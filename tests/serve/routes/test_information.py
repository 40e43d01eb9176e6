"""What the server says about its model: /schema, /metadata, /openapi.json, and the page's parts."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from werkzeug.test import Client

from sagetree.bundle.model import Model
from sagetree.errors import NotReadyError
from sagetree.serve.bodies.decoders import DECODERS
from tests.serve.artifacts import INPUTS, client_for, holder_for, settings_for, site_of
from tests.serve.asking import client_of, post
from tests.serve.rows import CATEGORIES, NAMES


def embedded(client: Client) -> dict[str, dict[str, object]]:
    """The data of the page."""
    html = client.get("/").get_data(as_text=True)
    (text,) = re.findall(r'<script type="application/json" id="model">(.*?)</script>', html)
    found: dict[str, dict[str, object]] = json.loads(text)
    return found


def test_the_schema_says_what_a_request_holds(client: Client):
    schema = client.get("/schema").get_json()
    columns = {column["name"]: column for column in schema["columns"]}
    assert tuple(columns) == NAMES
    assert [name for name, column in columns.items() if column["required"]] == list(INPUTS)
    assert columns["a<b"] == {
        "name": "a<b", "kind": "category", "required": True, "categories": list(CATEGORIES)
    }  # fmt: skip
    assert (schema["objective"], schema["score"], schema["outputs"]) == (
        "binary:logistic", "probability", 1
    )  # fmt: skip
    assert (schema["classes"], schema["threshold"]) == (["no", "yes"], 0.25)
    assert schema["probability"] == "P(fraud = yes)"
    prediction = client.get("/openapi.json").get_json()["components"]["schemas"]["Prediction"]
    assert prediction["properties"]["score"]["description"] == "P(fraud = yes)"
    assert "reasons" in schema["keys"]
    assert "text/csv" in schema["content_types"]


def test_metadata_says_where_the_model_comes_from(client: Client, model: Model):
    found = client.get("/metadata").get_json()
    assert found["model"] == {
        "sha256": model.sha256,
        "objective": "binary:logistic",
        "probability": "P(fraud = yes)",
        "rounds": [12],
        "stored_rounds": [12],
    }
    assert set(found["bundle"]) >= {"format", "versions", "hyperparameters", "data", "metrics"}
    assert found["server"]["xgboost"]


def test_a_plain_model_is_described_too(plain_dir: Path):
    client = client_for(plain_dir)
    post(client, b"1,2,3\n")
    metadata = client.get("/metadata").get_json()
    assert metadata["bundle"] is None
    assert metadata["model"]["rounds"] == metadata["model"]["stored_rounds"]
    schema = client.get("/schema").get_json()
    assert [column["name"] for column in schema["columns"]] == ["f0", "f1", "f2"]
    assert (schema["classes"], schema["threshold"]) == (None, None)
    assert schema["probability"] is None
    assert embedded(client)["examples"] == [{"f0": None, "f1": None, "f2": None}]


def test_before_the_model_is_there_they_say_503(tmp_path: Path):
    chosen = settings_for(tmp_path)
    holder = holder_for(tmp_path, chosen)
    client = client_of(site_of(chosen, holder))
    for path in ("/", "/schema", "/metadata", "/openapi.json"):
        assert client.get(path).status_code == 503
    with pytest.raises(NotReadyError):  # once its line is in the log, and not in a later test's
        holder.wait()


def test_the_page_holds_the_schema_and_rows_that_can_be_scored(client: Client):
    model = embedded(client)
    assert model["schema"] == client.get("/schema").get_json()
    assert {tuple(row) for row in model["examples"]} == {INPUTS}
    answer = post(
        client,
        json.dumps(model["examples"]).encode(),
        "application/json",
        Accept="application/json",
    )
    _, *scores = [found["score"] for found in answer.get_json()["predictions"]]
    assert len(scores) == 4
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


def test_the_page_fetches_nothing_from_elsewhere(client: Client):
    answer = client.get("/")
    html, policy = answer.get_data(as_text=True), answer.headers["Content-Security-Policy"]
    assert answer.content_type == "text/html; charset=utf-8"
    assert not re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?\s*(?:https?:)?//", html)
    assert policy.startswith("default-src 'none'; connect-src 'self'; ")
    for name, pattern in (
        ("style", r"<style>(.*?)</style>"),
        ("script", r"<script>(.*?)</script>"),
    ):
        (text,) = re.findall(pattern, html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_the_page_and_the_row_of_training_are_off_where_told(base_dir: Path):
    client = client_for(base_dir / "model", SAGETREE_PAGE="false")
    post(client, b"")
    assert client.get("/").status_code == 404
    row = client.get("/openapi.json").get_json()["components"]["schemas"]["Row"]
    assert row["examples"] == [dict.fromkeys(INPUTS)]


def references(value: object) -> Iterator[str]:
    """Every $ref in a document."""
    if isinstance(value, dict):
        yield from (value["$ref"],) if "$ref" in value else ()
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from references(part)


def test_the_document_names_every_route_and_is_whole(client: Client, base_dir: Path):
    document = client.get("/openapi.json").get_json()
    settings = settings_for(base_dir / "model")
    rules = {
        path for _, path in site_of(settings, holder_for(base_dir / "model", settings)).handlers
    }
    # the page is for people, KServe's routes have a document of their own
    assert set(document["paths"]) == {r for r in rules if r != "/" and not r.startswith("/v2")}
    schemas = document["components"]["schemas"]
    found = set(references(document))
    assert found == {f"#/components/schemas/{name}" for name in schemas}
    row = schemas["Row"]
    assert set(row["properties"]) == set(NAMES)
    assert row["required"] == list(INPUTS)
    body = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    assert set(body) == set(DECODERS)
    for kind in ("application/json", "text/csv"):
        example = body[kind]["example"]
        sent = example if isinstance(example, str) else json.dumps(example)
        assert post(client, sent.encode(), kind).status_code == 200


@pytest.mark.long  # schemathesis takes seconds to load
def test_every_request_the_description_allows_is_answered_as_it_says(client: Client):
    """schemathesis makes requests of the document and holds the answers against it."""
    import schemathesis
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    api = schemathesis.openapi.from_wsgi("/openapi.json", client.application)
    operations = [found.ok() for found in api.get_all_operations()]
    for operation in operations:
        if operation.method == "get":
            operation.Case().call_and_validate()
    (invocations,) = [operation for operation in operations if operation.method == "post"]
    asked: set[str | None] = set()

    @given(invocations.as_strategy())
    @settings(max_examples=200, database=None, suppress_health_check=list(HealthCheck))
    def check(case: schemathesis.Case) -> None:
        asked.add(case.media_type)
        # any text is CSV to the document, not to the server; JSON it describes whole
        loose = case.media_type != "application/json"
        case.call_and_validate(excluded_checks=[positive_data_acceptance] if loose else [])

    check()
    assert asked >= {"application/json", "text/csv"}
