"""serve in real containers: readiness, scores, memory, and what happens when processes end."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.image.clients import PORT, Answer, Load, ask
from tests.image.conftest import Runner
from tests.image.docker import Container, wait_for
from tests.image.modes import MODES, NO_NETWORK, SMALL, written_elsewhere

pytestmark = pytest.mark.docker

START_SECONDS = 30
# SageMaker sends SIGKILL 30 s after SIGTERM.
STOP_SECONDS = 30
LABEL_COLUMN = "fraud"

# What a container that no other host can reach is asked from inside.
ASK_INSIDE = """
import sys, urllib.request
body = sys.argv[2].encode() if len(sys.argv) > 2 else None
headers = {"Content-Type": "application/json"}
request = urllib.request.Request(f"http://127.0.0.1:8080{sys.argv[1]}", body, headers)
print(urllib.request.urlopen(request).read().decode(), end="")
"""


@pytest.fixture(scope="session")
def rows(prepared: Path) -> bytes:
    """The body of a request: claims of the test part without their label."""
    table = pq.read_table(prepared / "test").drop_columns(LABEL_COLUMN).slice(0, 5)
    return json.dumps(table.to_pylist()).encode()


@pytest.fixture(scope="session")
def expected(session_runner: Runner, model: Path, rows: bytes) -> Answer:
    """The answer to `rows`."""
    container = serve(session_runner, model)
    answer = ask(container.address, "POST", "/invocations", rows)
    assert answer.status == 200
    assert len(json.loads(answer.body)["predictions"]) == 5
    return answer


def serve(
    runner: Runner, model: Path, options: Sequence[str] = (), *words: str, port: int = PORT
) -> Container:
    """Return a container that serves `model`, once /ping says that it is ready."""
    container = runner.start("serve", *words, mounts={model: "model:ro"}, options=options)

    def ready() -> bool:
        assert container.running, container.log
        try:
            return ask(container.address, "GET", "/ping", port=port) == Answer(200, b"")
        except OSError:
            return False

    wait_for(ready, START_SECONDS, "/ping answers 200")
    return container


def stopped_well(container: Container) -> bool:
    """Whether SIGTERM ends it in time with 0, and it wrote nothing where it should not."""
    start = time.monotonic()
    container.signal("TERM")
    code = container.wait()
    assert code == 0, container.log
    assert time.monotonic() - start < STOP_SECONDS
    assert written_elsewhere(container.changes()) == []
    return True


@pytest.mark.parametrize(
    "options", [o for o in MODES.values() if NO_NETWORK[0] not in o],
    ids=[name for name, o in MODES.items() if NO_NETWORK[0] not in o],
)  # fmt: skip
def test_the_same_scores_however_it_is_run(
    runner: Runner, model: Path, rows: bytes, expected: Answer, options: tuple[str, ...]
) -> None:
    container = serve(runner, model, options)

    assert ask(container.address, "POST", "/invocations", rows) == expected
    assert stopped_well(container)


@pytest.mark.parametrize("name", [n for n, o in MODES.items() if NO_NETWORK[0] in o])
def test_the_same_scores_without_a_network(
    runner: Runner, model: Path, rows: bytes, expected: Answer, name: str
) -> None:
    container = runner.start("serve", mounts={model: "model:ro"}, options=MODES[name])
    wait_for(lambda: "model ready" in container.log, START_SECONDS, "the model is ready")

    inside = ("python", "-c", ASK_INSIDE)
    wait_for(lambda: healthy(container), START_SECONDS, "/ping answers 200")
    assert container.exec(*inside, "/invocations", rows.decode()) == expected.body.decode()
    assert stopped_well(container)


def healthy(container: Container) -> bool:
    """What Docker's health check says, asked at once."""
    try:
        container.exec("healthcheck")
    except AssertionError:
        return False
    return True


def test_process_one_is_the_server(runner: Runner, model: Path) -> None:
    container = serve(runner, model)

    first = container.exec("cat", "/proc/1/cmdline").split("\0")

    assert first[:3] == ["/opt/venv/bin/python", "/opt/venv/bin/sagetree", "serve"]
    assert container.exec("readlink", "/proc/1/exe").startswith("/usr/local/bin/python3")


def test_the_server_does_not_load_what_only_training_needs(
    runner: Runner, model: Path, rows: bytes, expected: Answer
) -> None:
    """Neither the master nor a worker, before or after its first request."""
    container = serve(runner, model)
    assert ask(container.address, "POST", "/invocations", rows) == expected

    maps = container.exec("sh", "-c", "cat /proc/[0-9]*/maps")

    assert "/xgboost/" in maps
    for library in ("sklearn", "pandas", "duckdb"):
        assert library not in maps


def test_docker_calls_it_healthy(runner: Runner, model: Path) -> None:
    assert runner.inspect_image(".Config.Healthcheck.Test") == ["CMD", "healthcheck"]
    container = serve(runner, model, ["--health-interval=1s"])

    wait_for(lambda: container.inspect(".State.Health.Status") == "healthy", 15, "healthy")


def test_without_a_model_it_is_not_healthy(runner: Runner, tmp_path: Path) -> None:
    container = runner.start("serve", mounts={tmp_path: "model:ro"}, options=["--memory=1g"])
    wait_for(lambda: "/ping answers 503" in container.log, START_SECONDS, "an answer")

    assert ask(container.address, "GET", "/ping").status == 503
    assert not healthy(container)
    assert stopped_well(container)


@pytest.mark.parametrize(
    ("options", "words"), [(["--env=SAGEMAKER_BIND_TO_PORT=9123"], []), ([], ["--port", "9123"])]
)
def test_the_port_can_be_chosen(
    runner: Runner, model: Path, options: list[str], words: list[str]
) -> None:
    container = serve(runner, model, options, *words, port=9123)

    assert healthy(container)


def test_sigterm_under_load_loses_no_request(
    runner: Runner, model: Path, rows: bytes, expected: Answer
) -> None:
    container = serve(runner, model)
    load = Load(container.address, rows, clients=8)
    load.start()

    assert stopped_well(container)

    load.finish()
    assert load.lost == []
    assert set(load.answers) == {expected}
    assert load.refused == load.clients


def test_a_killed_worker_is_replaced_while_others_answer(
    runner: Runner, model: Path, rows: bytes, expected: Answer
) -> None:
    container = serve(runner, model, ["--env=SAGEMAKER_MODEL_SERVER_WORKERS=2"])
    load = Load(container.address, rows, clients=4)
    load.start()
    before = workers(container)
    assert len(before) == 2

    container.exec("python", "-c", f"import os; os.kill({before[0]}, 9)")
    answered = load.answers.total()
    wait_for(lambda: load.answers.total() > answered + 20, 10, "the other one answers")
    after = wait_for(lambda: replaced(container, before[0]), START_SECONDS, "a new worker")
    wait_for(lambda: container.log.count("model ready") == 3, START_SECONDS, "its model is ready")
    pings = [ask(container.address, "GET", "/ping").status for _ in range(20)]

    load.finish()
    assert before[1] in after
    assert pings == [200] * 20
    assert set(load.answers) == {expected}
    # What the killed one had in its hands: at most a request of each client.
    assert len(load.lost) <= load.clients
    assert stopped_well(container)


def workers(container: Container) -> list[int]:
    """Return the process ids of the workers, as seen inside."""
    return [int(word) for word in container.exec("cat", "/proc/1/task/1/children").split()]


def replaced(container: Container, killed: int) -> list[int]:
    """Return the workers once there are two without `killed`."""
    now = workers(container)
    return now if len(now) == 2 and killed not in now else []


def test_little_memory_means_few_workers(runner: Runner, model: Path) -> None:
    """One core of a large machine is one worker: more would only take each other's memory."""
    container = serve(runner, model, SMALL)

    assert len(workers(container)) == 1
