"""The front doors: make, the demo, and the scripts of local_test, run as a user runs them."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.programs import BIN
from tests.train.conftest import lines

ROOT = Path(__file__).parents[2]
DESK = ROOT / "local_test"
TIMEOUT = 120


def run(*command: str, **environ: str) -> tuple[int, str]:
    """Run a command in the project's folder and return its exit code and output."""
    merged = {**os.environ, **environ, "PATH": environ.get("PATH") or f"{BIN}:{os.environ['PATH']}"}
    result = subprocess.run(
        command, cwd=ROOT, env=merged, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return result.returncode, result.stdout


def script(name: str, *arguments: str, **environ: str) -> tuple[int, str]:
    return run(str(DESK / name), *arguments, **environ)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo's folder and everything it printed."""
    folder = tmp_path_factory.mktemp("demo") / "opt ml"  # a space must not matter
    (folder / "input").mkdir(parents=True)
    shutil.copytree(DESK / "test_dir" / "input" / "config", folder / "input" / "config")
    code, log = run(
        sys.executable, "-m", "local_test.demo", "--dir", str(folder), "--policies", "1000"
    )
    assert code == 0, log
    return folder, log


def test_the_demo_ends_with_a_page_of_all_that_came_out(demo: tuple[Path, str]) -> None:
    folder, log = demo
    page = log[log.index("=" * 78) :]
    for heading in (
        "WHAT THE MODEL KNOWS (it predicts the column 'fraud')",
        "HOW GOOD IT IS, on test rows that training never saw",
        "WHEN IT SAYS '1'",
        "THREE CLAIMS, scored over HTTP",
        "WHERE THINGS LIE",
    ):
        assert heading in page
    assert re.search(r"^incident_severity +ordinal +0 +3 +Minor, Major, Totaled$", page, re.M)
    assert re.search(r"^AUC 0\.\d{3}: .*\n.*\(95 % interval 0\.\d{3} to 0\.\d{3}\)", page, re.M)
    assert re.search(r"^-> (Approved|Rejected)$", page, re.M)
    # the figures of the test rows, as the log of evaluate has them too
    assert re.search(r"^From a score of 0\.\d{4} on \(.*validation channel\)\.$", page, re.M)
    precision, recall = re.findall(
        r"^At the threshold 0\.\d+: precision (\S+), recall (\S+),", log, re.M
    )[0]
    assert f"\nOn the same test rows that gives\nprecision {precision} (this share" in page
    assert f"\nrecall {recall} (this share" in page
    claims = re.findall(r"^policy \d+: score (0\.\d{4}) -> fraud = [01] \(in truth [01]\)$",
                        page, re.M)  # fmt: skip
    assert len(claims) == 3
    assert claims == sorted(claims, reverse=True)
    reasons = re.findall(r"^  - .* (?:raises|lowers) the score \(odds x [\d.]+\)$", page, re.M)
    assert len(reasons) == 9
    assert (folder / "model.tar.gz").exists()
    report = folder / "processing" / "evaluation" / "report.html"
    assert page.splitlines()[-1] == f"Open the report in a browser: {report}"
    assert report.exists()
    assert not (folder / "pictures").exists()


@pytest.mark.long  # a browser takes seconds to start, and the demo's tests run the same steps
def test_make_demo_takes_the_pictures_that_readme_shows(tmp_path: Path) -> None:
    shutil.copytree(DESK / "test_dir" / "input" / "config", tmp_path / "input" / "config")
    code, log = run("make", "demo", f"DIR={tmp_path}", "POLICIES=6000")
    assert code == 0, log
    assert log.splitlines()[-1].startswith("Open the report in a browser: ")
    found = {path.name: path.read_bytes() for path in (tmp_path / "pictures").glob("*")}
    if shutil.which("chromium") or shutil.which("google-chrome"):
        shown = set(re.findall(r"!\[.*\]\(docs/(.*)\)", (ROOT / "README.md").read_text()))
        assert set(found) == shown
        for content in found.values():
            assert content.startswith(b"\x89PNG")
    else:
        assert "no pictures are taken: Chromium is not installed" in log
        assert found == {}


@pytest.mark.long  # the demo's tests run the same steps
def test_a_trial_keeps_its_tables_and_ends_with_a_few_lines(tmp_path: Path) -> None:
    ends = []
    for _ in range(2):
        code, log = run(sys.executable, "-m", "local_test.trial", "--dir", str(tmp_path))
        assert code == 0, log
        page = log.splitlines()[-3:]
        assert re.fullmatch(r"AUC 0\.\d{3} \(0\.\d{3} to [01]\.\d{3}\) on the test rows", page[0])
        assert re.fullmatch(r'policy \d+: {"score": 0\.\d+, "predicted_label": [01]}', page[1])
        assert re.fullmatch(re.escape(str(tmp_path)) + r", in [\d.]+ s", page[2])
        ends.append(page[:2])
    assert ends[0] == ends[1]
    assert "== generate" not in log
    (tmp_path / "input" / "data" / "train" / "train.parquet").write_bytes(b"no table")
    code, log = run(sys.executable, "-m", "local_test.trial", "--dir", str(tmp_path))
    assert (code, log.splitlines()[-1]) == (1, "stopped: the step above failed with exit code 1")


def test_the_demos_server_is_gone(demo: tuple[Path, str]) -> None:
    address = re.search(r"serving http://127\.0\.0\.1:(\d+)", demo[1])
    assert address
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(address[1]))) != 0


@pytest.fixture(scope="module")
def port(demo: tuple[Path, str]) -> Iterator[str]:
    """The port of a server of the demo's model, started by serve_local.sh."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = str(probe.getsockname()[1])
    process = subprocess.Popen(
        [str(DESK / "serve_local.sh"), f"--port={number}", str(demo[0])],
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{number}/ping", timeout=2).close()
                break
            except HTTPError as error:  # 503 while it loads its model
                error.close()
            except OSError:
                pass
            time.sleep(0.1)
        yield number
    finally:
        process.terminate()
        assert process.wait(30) == 0


def body(log: str) -> str:
    """Return the body that predict.sh printed."""
    return log.replace("\r", "").split("\n\n", 1)[1].strip()


@pytest.mark.long  # a second server, and test_payloads.py has the same of its answers
def test_each_payload_gets_the_same_scores(port: str) -> None:
    answers = set()
    payloads = sorted((DESK / "payloads").glob("claims*"))
    assert len(payloads) == 6
    for payload in payloads:
        code, log = script("predict.sh", f"--port={port}", str(payload), "", "text/csv")
        assert code == 0, log
        assert "HTTP/1.1 200 OK" in log
        assert "Content-Type: text/csv" in log.splitlines()
        answers.add(body(log))
    assert len(answers) == 1
    code, log = script("predict.sh", f"--port={port}", str(payloads[0]), "text/csv",
                       "application/json")  # fmt: skip
    assert body(log).startswith('{"predictions": [{"score": 0.')


@pytest.mark.long
def test_predict_compares_with_an_expected_answer(port: str, tmp_path: Path) -> None:
    payload = tmp_path / "claims.csv"
    shutil.copy(DESK / "payloads" / "claims.csv", payload)
    _, log = script("predict.sh", f"--port={port}", str(payload))
    expected = tmp_path / "claims.csv.expected"
    expected.write_text(body(log) + "\n")
    code, log = script("predict.sh", f"--port={port}", str(payload))
    assert (code, log.splitlines()[-1]) == (0, "as expected")
    expected.write_text("0.5\n")
    code, log = script("predict.sh", f"--port={port}", str(payload))
    assert code == 1
    assert log.splitlines()[-1] == f"predict.sh: the body is not the one in {expected}"


@pytest.mark.long
def test_a_taken_port_is_said(port: str, demo: tuple[Path, str]) -> None:
    code, log = script("serve_local.sh", f"--port={port}", str(demo[0]))
    text = f"serve_local.sh: port {port} is taken: name another one with --port=PORT\n"
    assert (code, log) == (1, text)


def _tools(folder: Path, *extra: str) -> str:
    """Return a PATH with a shell's usual commands and no Docker."""
    folder.mkdir()
    for name in ("bash", "dirname", "basename", "sed", "env", "mkdir", "rm", *extra):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return str(folder)


def test_what_is_missing_is_one_sentence(tmp_path: Path, demo: tuple[Path, str]) -> None:
    folder = str(demo[0])
    empty = tmp_path / "empty"
    empty.mkdir()
    faults = [
        (("train_local.sh", "/nonexistent"), {},
         "train_local.sh: /nonexistent is not a folder: name one that holds input/ or processing/"),
        (("train_local.sh", str(empty)), {},
         f"train_local.sh: {empty} holds no input/data/train: put CSV or Parquet files there"),
        (("prepare_local.sh", str(empty)), {},
         f"prepare_local.sh: {empty} holds no processing/input: put the tables there"),
        (("evaluate_local.sh", str(empty)), {},
         f"evaluate_local.sh: {empty} holds no model.tar.gz: run train_local.sh first"),
        (("serve_local.sh", str(empty)), {},
         f"serve_local.sh: {empty} holds no model: run train_local.sh first"),
        (("train_local.sh", folder, "--docker"), {},
         "train_local.sh: --docker needs the name of an image"),
        (("train_local.sh", folder, "--hosts"), {}, "train_local.sh: --hosts needs a number"),
        (("train_local.sh", "--hosts", "0", folder), {},
         "train_local.sh: --hosts is 0 and must be a number from 1 to 99"),
        (("train_local.sh", folder, folder), {},
         f"train_local.sh: there are two folders, {folder} and {folder}: name one"),
        (("train_local.sh", "--docker", "x", folder), {"PATH": _tools(tmp_path / "tools")},
         "train_local.sh: Docker is not installed: leave --docker out to run without it"),
        (("train_local.sh", "--docker", "x", folder), {"DOCKER_HOST": "tcp://127.0.0.1:1"},
         "train_local.sh: the Docker engine does not answer: start it, or leave --docker out"),
        (("predict.sh",), {},
         f"predict.sh: name a payload file, such as {DESK}/payloads/claims.csv"),
        (("predict.sh", "/nonexistent.csv"), {}, "predict.sh: /nonexistent.csv does not exist"),
        (("predict.sh", "--port=1", str(DESK / "payloads" / "claims.csv")), {},
         "predict.sh: no server answers on port 1: start serve_local.sh"),
    ]  # fmt: skip
    for arguments, environ, text in faults:
        if "DOCKER_HOST" in environ and not shutil.which("docker"):
            continue
        code, log = script(*arguments, **environ)
        assert (code, log.splitlines()[-1]) == (1, text)


@pytest.mark.parametrize("name", sorted(p.name for p in DESK.glob("*.sh") if p.name != "desk.sh"))
def test_every_script_explains_itself(name: str) -> None:
    code, log = script(name, "--help")
    assert code == 0
    assert log.startswith(f"usage: {name} ")


@pytest.mark.long
def test_no_step_takes_away_what_another_made(demo: tuple[Path, str], tmp_path: Path) -> None:
    folder = tmp_path / "opt ml"
    shutil.copytree(demo[0], folder)

    def read(*patterns: str) -> dict[str, bytes]:
        paths = (path for pattern in patterns for path in folder.glob(pattern))
        return {str(path): path.read_bytes() for path in paths if path.is_file()}

    trained = read("model/**/*", "model.tar.gz", "output/data/*")
    assert len(trained) > 6
    code, log = script("train_local.sh", "--set=target=fruad", str(folder))
    assert (code, "did you mean 'fraud'?" in log) == (1, True)
    assert (folder / "output" / "failure").exists()
    assert read("model/**/*", "model.tar.gz", "output/data/*") == trained
    prepared = read("processing/output/**/*")
    assert script("prepare_local.sh", "--label=fruad", str(folder))[0] == 1
    assert read("processing/output/**/*") == prepared
    assert script("evaluate_local.sh", str(folder))[0] == 0
    assert read("model/**/*", "model.tar.gz", "output/data/*") == trained
    assert script("train_local.sh", "--set=num_round=2", str(folder))[0] == 0
    assert not (folder / "output" / "failure").exists()
    model = "model/xgboost-model", "model.tar.gz", "output/data/metrics.json"
    assert not read(*model).items() & trained.items()


@pytest.mark.long
@pytest.mark.parametrize("files", [1, 3])
def test_two_hosts_train_one_model(tmp_path: Path, files: int) -> None:
    folder = tmp_path / "opt ml"
    (folder / "input" / "config").mkdir(parents=True)
    for channel, count in (("train", files), ("validation", 1)):
        (folder / "input" / "data" / channel).mkdir(parents=True)
        for number in range(count):
            path = folder / "input" / "data" / channel / f"part {number}.csv"
            path.write_text(lines(300, seed=number))
    settings = ("--set=num_round=5", "--set=target=fraud")
    code, log = script("train_local.sh", "--hosts=2", *settings, str(folder))
    assert code == 0, log
    assert re.search(r"^127\.0\.0\.2: Host 127\.0\.0\.2 is 2 of 2$", log, re.M)
    assert (folder / "model" / "xgboost-model").exists()
    assert (folder / "output" / "data" / "metrics.json").exists()
    dealt = [
        sorted(path.name for path in (folder / "hosts" / host).glob("input/data/train/*"))
        for host in ("127.0.0.1", "127.0.0.2")
    ]
    whole = [["part 0.csv"], ["part 0.csv"]]
    assert dealt == ([["part 0.csv", "part 2.csv"], ["part 1.csv"]] if files == 3 else whole)

    packed = (folder / "model.tar.gz").read_bytes()
    wrong = ("--set=target=fruad", str(folder))
    code, log = script("train_local.sh", "--hosts", "2", *wrong)
    assert (code, "did you mean 'fraud'?" in log) == (1, True)
    assert "did you mean 'fraud'?" in (folder / "output" / "failure").read_text()
    assert (folder / "model.tar.gz").read_bytes() == packed


@pytest.mark.long
def test_hosts_leave_linked_files_where_they_are_and_whole_lines_in_the_log(tmp_path: Path) -> None:
    own, folder = tmp_path / "own", tmp_path / "job"  # none of them has a folder config
    own.mkdir()
    for number in range(4):
        (own / f"{number}.csv").write_text(lines(100, seed=number))
    (folder / "input" / "data").mkdir(parents=True)
    (folder / "input" / "data" / "train").symlink_to(own)
    settings = ("--set=num_round=60", "--set=target=fraud", "--set=early_stopping_rounds=60")
    code, log = script("train_local.sh", "--hosts=2", *settings, str(folder))
    assert code == 0, log
    assert sorted(path.name for path in own.iterdir()) == ["0.csv", "1.csv", "2.csv", "3.csv"]
    assert "127.0.0.1: 200 rows of train are on this host, 400 on all" in log.splitlines()
    others = [
        line for line in log.splitlines() if not line.startswith(("127.0.0.1: ", "127.0.0.2: "))
    ]
    assert [line.split()[:2] for line in others] == [["+", "tar"]]
    assert not re.search(r".127\.0\.0\.[12]: ", log)


@pytest.mark.long
def test_hosts_started_again_go_on_and_leave_no_report_of_another_model(tmp_path: Path) -> None:
    for channel in ("train", "validation"):
        (tmp_path / "input" / "data" / channel).mkdir(parents=True)
        path = tmp_path / "input" / "data" / channel / "rows.csv"
        path.write_text(lines(300, seed=len(channel)))
    (tmp_path / "input" / "config").mkdir()
    (tmp_path / "input" / "config" / "checkpointconfig.json").write_text("{}")
    settings = ("--hosts=2", "--set=target=fraud", "--set=checkpoint_interval=2", str(tmp_path))
    code, log = script("train_local.sh", "--set=num_round=4", *settings)
    assert code == 0, log
    (tmp_path / "output" / "data" / "report.html").write_text("of another model")
    code, log = script("train_local.sh", "--set=num_round=6", *settings)
    assert code == 0, log
    assert re.findall(r"^127\.0\.0\.1: \[(\d+)\]", log, re.M)[0] == "4"
    assert not (tmp_path / "output" / "data" / "report.html").exists()
    assert (tmp_path / "output" / "data" / "metrics.json").exists()


def test_an_old_python_is_refused_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.10.1" || exit 1\n')
    old.chmod(0o755)
    code, log = run("make", "install", f"PYTHON={old}")
    assert code == 2
    assert [line for line in log.splitlines() if not line.startswith("make")] == [
        f"sagetree needs Python 3.11 or newer: {old} is Python 3.10.1. "
        "Name another with make PYTHON=python3.12"
    ]


def test_the_commands_of_the_readme_and_its_guide_exist() -> None:
    pages = (ROOT / "README.md", *(ROOT / "docs" / "guide").glob("*.md"))
    readme = "\n".join(page.read_text() for page in pages)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"(?:^|[`(;&] ?)make ([a-z][a-z-]*)", readme, re.M))
    assert {"demo", "test", "train", "serve", "predict", "evaluate", "check"} <= named
    assert named <= targets
