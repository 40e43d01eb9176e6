"""The whole example on one folder: generate, prepare, train, evaluate, serve, predict.

Runs the real programs as SageMaker would, one process each, and ends with a
page that says what came out, and the path of the report. `--only-data` stops
after the channels are made.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from local_test.generate import main as generate
from local_test.pictures import find_browser, take_pictures
from sagetree.bundle.bundle import ModelBundle
from sagetree.train.columns.listing import columns_table

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent

# A server that is not up by then will not come up.
START_SECONDS = 60

LABEL = "fraud"

# Of the folder that stands for /opt/ml.
PICTURES = "pictures"

Claim = dict[str, Any]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the example and print its page; return the exit code of the first step that fails."""
    options = _options(argv)
    folder: Path = options.dir.resolve()
    try:
        make_channels(folder, options.policies, options.seed)
        if options.only_data:
            return 0
        script("train_local.sh", folder)
        script("evaluate_local.sh", folder)
        with server(folder) as address:
            claims = three_of(test_claims(folder), address)
            answers = predict(address, claims, "score,predicted_label,reasons")
            if options.pictures:
                _take_pictures(folder, address)
    except subprocess.CalledProcessError as error:
        print(f"\nstopped: the step above failed with exit code {error.returncode}")
        return 1
    print(page(folder, claims, answers))
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local_test.demo", description=__doc__)
    parser.add_argument("--dir", type=Path, default=HERE / "test_dir", help="stands for /opt/ml")
    parser.add_argument("--policies", type=int, default=20_000, help="rows of the example's tables")
    parser.add_argument("--seed", type=int, default=1, help="seed of the example's tables")
    parser.add_argument(
        "--pictures",
        action="store_true",
        help="take pictures of the server's page and of the report, where Chromium is installed",
    )
    parser.add_argument("--only-data", action="store_true", help="stop when the channels are made")
    return parser.parse_args(argv)


def make_channels(folder: Path, policies: int, seed: int) -> None:
    """Generate the tables, prepare them, and lay the parts where `train` reads them."""
    inputs = folder / "processing" / "input"
    shutil.rmtree(inputs, ignore_errors=True)
    inputs.mkdir(parents=True)
    size = ["--policies", str(policies), "--seed", str(seed)]
    _announce("generate")
    if code := generate([*size, "--out", str(inputs)]):
        raise subprocess.CalledProcessError(code, "generate")
    script("prepare_local.sh", folder)
    for channel in ("train", "validation"):
        target = folder / "input" / "data" / channel
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder / "processing" / "output" / channel, target)


def script(name: str, folder: Path) -> None:
    """Run one of this folder's scripts on `folder`."""
    step(name, [str(HERE / name), str(folder)])


def step(title: str, command: Sequence[str]) -> None:
    """Run a command under a heading. Raises CalledProcessError."""
    _announce(title)
    subprocess.run(command, check=True, env=_environment())  # noqa: S603 - our own commands


def _announce(title: str) -> None:
    print(f"\n== {title}", flush=True)


def _environment() -> Mapping[str, str]:
    return {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}


def test_claims(folder: Path) -> list[Claim]:
    """Return the claims of the test part, the label left in."""
    rows: list[Claim] = pq.read_table(folder / "processing" / "output" / "test").to_pylist()
    return rows


def three_of(claims: Sequence[Claim], address: str) -> list[Claim]:
    """Return the claims with the highest, the middle and the lowest score."""
    scores = [answer["score"] for answer in predict(address, claims, "score")]
    order = sorted(range(len(claims)), key=lambda row: -scores[row])
    return [claims[order[place]] for place in (0, len(order) // 2, -1)]


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Serve the model on a free port of loopback, and stop the server afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    _announce("serve, predict, stop")
    command = [str(HERE / "serve_local.sh"), f"--port={port}", str(folder)]
    process = subprocess.Popen(command, env=_environment())  # noqa: S603 - our own command
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < limit:
        try:
            with urllib.request.urlopen(f"{address}/ping", timeout=2):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise subprocess.CalledProcessError(process.returncode or 1, "serve")


def predict(address: str, claims: Sequence[Claim], output: str) -> list[Claim]:
    """Post the claims, without their labels, and return the answers."""
    rows = [{name: cell for name, cell in row.items() if name != LABEL} for row in claims]
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{address}/invocations",
        data=json.dumps(rows).encode(),
        headers={
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Amzn-SageMaker-Custom-Attributes": f"inference_output={output}",
        },
    )
    with urllib.request.urlopen(request, timeout=START_SECONDS) as response:  # noqa: S310
        answers: list[Claim] = json.load(response)["predictions"]
    return answers


def _take_pictures(folder: Path, address: str) -> None:
    browser = find_browser()
    if browser is None:
        print("no pictures are taken: Chromium is not installed (Debian: apt install chromium)")
        return
    try:
        take_pictures(browser, address, _report(folder), folder / PICTURES)
    except subprocess.SubprocessError as error:
        print(f"no pictures are taken: {error}")


def _report(folder: Path) -> Path:
    return folder / "processing" / "evaluation" / "report.html"


def page(folder: Path, claims: Sequence[Claim], answers: Sequence[Claim]) -> str:
    """Return what came out, for someone who sees it for the first time."""
    bundle = ModelBundle.load(folder / "model")
    decision = bundle.decision
    evaluated = folder / "processing" / "evaluation"
    verdict = json.loads((evaluated / "decision.json").read_bytes())
    measured = json.loads((evaluated / "evaluation.json").read_bytes())["operating_point"]["chosen"]
    low, high = verdict["interval"]
    lines = [
        "\n" + "=" * 78,
        f"WHAT THE MODEL KNOWS (it predicts the column {LABEL!r})\n",
        columns_table(bundle.schema),
        "\nHOW GOOD IT IS, on test rows that training never saw\n",
        f"AUC {verdict['auc']:.3f}: a fraud scores higher than another claim in that share of all",
        f"pairs (95 % interval {low:.3f} to {high:.3f}). Gate: {verdict['reason']}",
        f"-> {verdict['verdict']}",
        f"\nWHEN IT SAYS {bundle.schema.label.positive if bundle.schema.label else '1'!r}\n",
        f"From a score of {decision.threshold:.4f} on ({decision.chosen}).",
        "On the same test rows that gives",
        f"precision {_share(measured['precision'])} (this share of the flagged claims are frauds),",
        f"recall {_share(measured['recall'])} (this share of the frauds are flagged).",
        "\nTHREE CLAIMS, scored over HTTP\n",
        *(line for pair in zip(claims, answers, strict=True) for line in _claim_lines(*pair)),
        "WHERE THINGS LIE\n",
        f"tables       {folder / 'processing' / 'input'}",
        f"channels     {folder / 'input' / 'data'}",
        f"model        {folder / 'model'} (packed: {folder / 'model.tar.gz'})",
        f"evaluation   {evaluated}",
        *([f"pictures     {folder / PICTURES}"] if (folder / PICTURES).exists() else []),
        f"\nServe it yourself: make serve DIR={folder}",
        f"Open the report in a browser: {_report(folder)}",
    ]
    return "\n".join(lines)


def _share(found: Mapping[str, float] | None) -> str:
    return f"{found['value']:.1%}" if found else "-"  # - where no claim is flagged


def _claim_lines(claim: Claim, answer: Claim) -> list[str]:
    called, truth = answer["predicted_label"], claim[LABEL]
    head = f"policy {claim['policy_id']}: score {answer['score']:.4f} -> {LABEL} = {called}"
    return [f"{head} (in truth {truth})", *(f"  - {reason}" for reason in answer["reasons"]), ""]


if __name__ == "__main__":
    sys.exit(main())
