"""Many models in one server: the documented routes, in two workers that share their list."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import xgboost
from werkzeug.test import Client

from sagetree.bundle.file_names import MODEL_FILE
from sagetree.machine.program import LOG
from sagetree.serve.application import Application
from sagetree.serve.models.multi_model import ModelStore
from sagetree.serve.models.registry import Registry
from sagetree.serve.protocol.messages import Request
from sagetree.serve.routes.flask_app import call, create_app
from sagetree.serve.routes.many_models import many_models, store_of_models
from sagetree.serve.routes.site import Site
from sagetree.serve.telemetry.log_lines import text_line
from sagetree.serve.telemetry.metrics import Observer
from tests.serve.artifacts import client_for, settings_for
from tests.serve.asking import CSV, client_of, problem

CSV_TYPE = {"Content-Type": "text/csv"}
BUDGET = 64 * 2**20


@dataclass(frozen=True)
class Worker:
    """One of the processes of a server, here in this one."""

    store: ModelStore
    site: Site
    client: Client

    def load(self, name: str, url: Path | str) -> int:
        return self.client.post("/models", json={"model_name": name, "url": str(url)}).status_code

    def names(self) -> list[str]:
        found = self.client.get("/models").get_json()["models"]
        return [model["modelName"] for model in found]

    def invoke(self, name: str, body: bytes = CSV) -> tuple[int, bytes]:
        path = f"/models/{quote(name, safe='')}/invoke"
        answer = self.client.post(path, data=body, headers=CSV_TYPE)
        return answer.status_code, answer.data


def worker_at(folder: Path, base_dir: Path, budget: int = BUDGET) -> Worker:
    settings = settings_for(base_dir / "model")
    store = store_of_models(settings, Registry(folder, budget, settings.workers))
    observer = Observer(None, text_line, LOG.info)
    site = many_models(settings, store, observer)
    return Worker(store, site, client_of(site))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def workers(folder: Path, base_dir: Path) -> Iterator[tuple[Worker, Worker]]:
    pair = worker_at(folder, base_dir), worker_at(folder, base_dir)
    pair[1].store.start()
    yield pair
    for worker in pair:
        worker.store.close()


@pytest.fixture
def worker(workers: tuple[Worker, Worker]) -> Iterator[Worker]:
    """A worker that has no model."""
    yield workers[0]
    for name in workers[0].names():
        workers[0].store.unload(name)


def test_a_model_comes_answers_and_goes(worker: Worker, base_dir: Path):
    assert worker.client.get("/ping").status_code == 200
    assert worker.client.get("/models").get_json() == {"models": []}
    url = str(base_dir / "model")
    assert worker.load("claims", url) == 200
    described = {"modelName": "claims", "modelUrl": url}
    assert worker.client.get("/models").get_json() == {"models": [described]}
    assert worker.client.get("/models/claims").get_json() == described
    expected = client_for(base_dir / "model").post("/invocations", data=CSV, headers=CSV_TYPE).data
    assert worker.invoke("claims") == (200, expected)
    assert worker.client.delete("/models/claims").status_code == 200
    assert worker.client.get("/models").get_json() == {"models": []}
    assert worker.invoke("claims")[0] == 404


def test_statuses_of_what_is_not_there_and_what_is(worker: Worker, base_dir: Path):
    assert worker.load("claims", base_dir / "model") == 200
    again = {"model_name": "claims", "url": str(base_dir / "model")}
    assert problem(worker.client.post("/models", json=again)) == (
        409,
        {
            "error": "ModelExistsError",
            "message": "Model claims is already registered.",
            "where": "model_name",
            "hint": "Unload it first",
        },
    )
    absent = {
        "error": "ModelNotFoundError",
        "message": "Model not found: other",
        "where": "model_name",
        "hint": "Load it by POST /models, or list the loaded ones by GET /models",
    }
    for answer in (
        worker.client.get("/models/other"),
        worker.client.delete("/models/other"),
        worker.client.post("/models/other/invoke", data=CSV, headers=CSV_TYPE),
    ):
        assert problem(answer) == (404, absent)


@pytest.mark.parametrize(
    "name", ["a/b", "/a", "a//b/", "a b?c#d", "größe", "..", "%2F", "x/invoke", "invoke"]
)
def test_a_name_is_any_text(name: str, worker: Worker, base_dir: Path):
    assert worker.load(name, base_dir / "model") == 200
    assert worker.names() == [name]
    path = f"/models/{quote(name, safe='')}"
    assert worker.client.get(path).get_json()["modelName"] == name
    assert worker.invoke(name)[0] == 200
    assert worker.client.delete(path).status_code == 200
    assert worker.names() == []


def test_the_list_comes_in_pages(worker: Worker, base_dir: Path):
    names = [f"m{number}" for number in range(5)]
    for name in reversed(names):
        assert worker.load(name, base_dir / "model") == 200
    found, token = [], ""
    for _ in range(3):
        page = worker.client.get(f"/models?limit=2&nextPageToken={token}").get_json()
        found += [model["modelName"] for model in page["models"]]
        token = page.get("nextPageToken", "")
    assert (found, token) == (names, "")
    for limit in ("0", "101", "two", "-1"):
        status, told = problem(worker.client.get(f"/models?limit={limit}"))
        assert (status, told["hint"]) == (400, "Send a limit from 1 to 100, or leave it out")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"[]", "the key model_name is missing"),
        (b'{"model_name": 3, "url": "x"}', "the key model_name is missing"),
        (b'{"model_name": "x"}', "the key url is missing"),
        (b'{"model_name": "x", "url": ""}', "the key url is missing"),
    ],
)
def test_a_load_request_says_what_it_lacks(body: bytes, message: str, worker: Worker):
    status, told = problem(worker.client.post("/models", data=body))
    assert (status, told["message"]) == (400, message)
    assert told["hint"] == 'Send {"model_name": "...", "url": "/folder/with/the/model"}'


def test_the_header_names_the_model_too(worker: Worker, base_dir: Path):
    worker.load("claims/v1.tar.gz", base_dir / "model")
    named = {**CSV_TYPE, "X-Amzn-SageMaker-Target-Model": "claims/v1.tar.gz"}
    answer = worker.client.post("/invocations", data=CSV, headers=named)
    assert (answer.status_code, answer.data) == worker.invoke("claims/v1.tar.gz")
    status, told = problem(worker.client.post("/invocations", data=CSV, headers=CSV_TYPE))
    assert (status, told["message"]) == (400, "the header is missing")


def test_a_path_that_is_no_route_is_told_the_routes_of_this_server(worker: Worker):
    status, told = problem(worker.client.get("/v2"))
    assert (status, told["message"]) == (404, "the path does not exist")
    assert told["hint"] == (
        "The paths are GET /ping, GET /execution-parameters, GET /metrics, POST /invocations, "
        "POST /models, GET /models, GET /models/{name}, DELETE /models/{name}, "
        "POST /models/{name}/invoke"
    )


PATHS = (
    "/models/a%2Fb/invoke", "/models/a/b/invoke", "/models/a%2fb/invok%65",
    "/models/a%2Fb%2Finvoke/invoke", "/models/a%252Fb/invoke", "//models/a%2Fb/invoke",
    "/%6dodels/a%2Fb/invoke", "/models/a%2Fb/invoke/", "/models/a%0Ab/invoke",
    "/models/a%2Fb%2Finvoke", "/models//invoke", "/models/invoke", "/models/a//b/invoke",
    "/models%2Fa/b/invoke", "/models/\xfc/invoke", "/models/a%2Fb/invoke%0A",
)  # fmt: skip


def test_the_workers_patterns_mean_what_flasks_rules_mean(worker: Worker, base_dir: Path):
    """Also where it is written in an odd way; Flask would answer the same, but slowly."""
    worker.load("a/b", base_dir / "model")
    flask, ours = create_app(worker.site), Application(worker.site)
    headers = {"content-type": "text/csv", "x-amzn-requestid": "1"}
    for path in PATHS:
        request = Request("POST", path, "", headers, CSV)
        expected, found = call(flask, request), ours.answer(request)
        assert (found.status, bytes(found.body)) == (expected.status, bytes(expected.body)), path
        assert found.content_type == expected.content_type, path
        assert found.headers == expected.headers, path


def test_the_loop_itself_answers_for_a_model_that_this_worker_has(
    worker: Worker, workers: tuple[Worker, Worker], base_dir: Path
):
    headers = {"content-type": "text/csv"}
    by_path = Request("POST", "/models/a%2Fb/invoke", "", headers, CSV)
    named = {**headers, "x-amzn-sagemaker-target-model": "a/b"}
    by_header = Request("POST", "/invocations", "", named, CSV)
    application = Application(worker.site)

    def at_once(request: Request) -> int | None:
        response = application.answer_at_once(request)
        return response.status if response else None

    assert [at_once(by_path), at_once(by_header)] == [None, None]
    worker.load("a/b", base_dir / "model")
    assert [at_once(by_path), at_once(by_header)] == [None, None]  # first it is to be loaded
    assert application.answer(by_path).status == 200
    assert [at_once(by_path), at_once(by_header)] == [200, 200]
    assert at_once(by_path._replace(body=CSV * 1000)) is None
    assert Application(workers[1].site).answer_at_once(by_path) is None
    worker.store.unload("a/b")
    assert [at_once(by_path), at_once(by_header)] == [None, None]


def test_errors_of_an_invocation_are_the_clients_with_their_reason(worker: Worker, base_dir: Path):
    worker.load("claims", base_dir / "model")
    path = "/models/claims/invoke"
    status, told = problem(worker.client.post(path, data=b"1,2\n", headers=CSV_TYPE))
    assert (status, told["message"]) == (
        422,
        "there are 2 columns, and the model has 5 or 6 columns",
    )
    assert problem(worker.client.post(path, data=b"1"))[0] == 415
    assert worker.invoke("claims", b"") == (204, b"")


def test_the_texts_are_those_of_the_official_containers_server(worker: Worker, base_dir: Path):
    asked = {"model_name": 'a "b"', "url": str(base_dir / "model")}
    assert worker.client.post("/models", json=asked).get_json() == {"status": "Workers scaled"}
    gone = worker.client.delete("/models/a%20%22b%22").get_json()
    assert gone == {"status": 'Model "a "b"" unregistered'}
    for url in (base_dir / "absent", base_dir / "model" / "absent.tar.gz", "absent"):
        answer = worker.client.post("/models", json={"model_name": "x", "url": str(url)})
        assert problem(answer) == (
            404,
            {
                "error": "ModelNotFoundError",
                "message": f"Model not found in model store: {url}",
                "where": "url",
                "hint": "Name the folder that the model is in",
            },
        )
        assert worker.names() == []


def test_a_health_check_by_options_needs_no_page(worker: Worker):
    answer = worker.client.options("/")
    assert (answer.status_code, answer.headers["Allow"]) == (204, "OPTIONS")
    answer = worker.client.options("/models")
    assert (answer.status_code, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert worker.client.options("/absent").status_code == 404


def damaged(folder: Path, plain: bytes, place: int) -> Path:
    """A model with one number changed, so that the library reads where nothing is."""
    folder.mkdir()
    broken = bytearray(plain)
    broken[place : place + 8] = b"\xff" * 8
    (folder / MODEL_FILE).write_bytes(broken)
    return folder


def test_models_that_cannot_be_served_are_refused_and_touch_no_other(
    worker: Worker, base_dir: Path, plain_dir: Path, pickle_dir: Path, tmp_path: Path
):
    worker.load("good", base_dir / "model")
    expected = worker.invoke("good")
    plain = (plain_dir / MODEL_FILE).read_bytes()
    for number, place in enumerate(range(40, len(plain) - 40, len(plain) // 8)):
        folder = damaged(tmp_path / f"bad{number}", plain, place)
        assert worker.load(f"bad{number}", folder) in (200, 400)
        assert worker.invoke("good") == expected
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / MODEL_FILE).write_bytes(plain[: len(plain) // 2] + b"}")
    for folder in (cut, pickle_dir, tmp_path):
        status, told = problem(
            worker.client.post("/models", json={"model_name": "bad", "url": str(folder)})
        )
        assert (status, told["error"]) == (400, "ArtifactError")
        assert "bad" not in worker.names()
    assert worker.invoke("good") == expected


def test_a_tree_whose_children_lie_outside_of_it_is_refused(
    worker: Worker, plain_dir: Path, tmp_path: Path
):
    """The library would read whatever is there."""
    booster = xgboost.Booster(model_file=bytearray((plain_dir / MODEL_FILE).read_bytes()))
    text = booster.save_raw("json").decode()
    folder = tmp_path / "wild"
    folder.mkdir()
    wild = text.replace('"left_children":[1', '"left_children":[99999999', 1)
    assert wild != text
    (folder / "model.json").write_text(wild)
    answer = worker.client.post("/models", json={"model_name": "wild", "url": str(folder)})
    assert problem(answer) == (
        400,
        {
            "error": "ArtifactError",
            "message": "the model is damaged: tree 0: node 99999999 is not one of its 15 nodes",
            "where": "model.json",
            "hint": "Copy it again, or save it again with Booster.save_model",
        },
    )


def test_without_room_a_model_is_refused_until_others_go(
    base_dir: Path, plain_dir: Path, tmp_path: Path
):
    """What a model weighs is measured, so it differs from one time to the next."""
    worker = worker_at(tmp_path, base_dir, budget=2**19)
    try:
        taken = [*takewhile(lambda name: worker.load(name, plain_dir) == 200, "abcdefghi")]
        assert taken
        answer = worker.client.post("/models", json={"model_name": "z", "url": str(plain_dir)})
        status, told = problem(answer)
        needs, left = map(int, re.findall(r"\d+ (?=bytes|are)", str(told["message"])))
        assert 2 * needs > left >= 0
        assert (status, told) == (
            507,
            {
                "error": "InsufficientMemoryError",
                "message": f"the model needs {needs} bytes in each of 2 workers "
                f"and {left} are free",
                "where": "model_name",
                "hint": "Unload a model, or raise SAGETREE_MODEL_MEMORY_MB",
            },
        )
        for name in taken:
            worker.store.unload(name)
        assert worker.load("z", plain_dir) == 200
    finally:
        worker.store.close()


def test_another_worker_serves_it_too_and_lets_go_when_it_is_unloaded(
    worker: Worker, workers: tuple[Worker, Worker], base_dir: Path, plain_dir: Path
):
    other = workers[1]
    worker.load("claims", base_dir / "model")
    assert other.invoke("claims") == worker.invoke("claims")
    assert [one.store.resident() for one in workers] == [("claims",)] * 2
    assert worker.client.delete("/models/claims").status_code == 200
    # when it has answered, nobody holds the model any more
    assert [one.store.resident() for one in workers] == [()] * 2
    assert other.invoke("claims")[0] == 404
    # the same name is another model now, also where the first one was known
    worker.load("claims", plain_dir)
    assert other.invoke("claims")[0] == 422


def test_a_request_under_way_keeps_its_model(worker: Worker, base_dir: Path):
    worker.load("claims", base_dir / "model")
    served = worker.store.served("claims")
    unloading = threading.Thread(target=worker.store.unload, args=("claims",))
    unloading.start()
    unloading.join(0.1)
    assert unloading.is_alive()
    assert worker.names() == []
    assert served.model.scorer.score(np.zeros((1, 10), np.float32)).shape == (1,)
    del served
    worker.store.let_go()
    unloading.join(10)
    assert not unloading.is_alive()


def test_a_closed_worker_watches_the_list_no_more(tmp_path: Path, base_dir: Path):
    """The folder of the list goes with the server."""
    before = set(threading.enumerate())
    store = worker_at(tmp_path, base_dir).store
    store.start()
    (watcher,) = set(threading.enumerate()) - before
    store.close()
    watcher.join(20)
    assert not watcher.is_alive()


def test_a_worker_that_is_replaced_finds_the_models(
    worker: Worker, folder: Path, base_dir: Path, plain_dir: Path
):
    worker.load("claims", base_dir / "model")
    fresh = worker_at(folder, base_dir)
    assert fresh.names() == ["claims"]
    assert fresh.invoke("claims") == worker.invoke("claims")
    fresh.store.close()
