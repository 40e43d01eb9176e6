"""The server at full load while everything goes wrong around it.

    python -m bench.soak [--seconds 600]

Clients on keep-alive connections send rows as CSV and JSON, and one request in
a hundred that is wrong; every few seconds a worker is killed (SIGKILL), or the
model is replaced and the workers renewed (SIGHUP). Each answer must be, byte
for byte, that of one of the two models. Lost may be only what a killed worker
had in its hands; memory must stay flat. The exit code says whether it did.
"""

import argparse
import http.client
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.serve.models import tables, train
from bench.serve.servers import Model, Running, ours, running

CLIENTS = 8
BAD_SHARE = 0.01
KILL_SECONDS = 7.0
RENEW_SECONDS = 11.0
SAMPLE_SECONDS = 1.0

# Memory: the last third of the run may need so much more than the second one.
GROWTH = 1.05

BAD: tuple[tuple[bytes, str, int], ...] = (
    (b"1,2,3\n", "text/csv", 422),
    (b'{"a": ', "application/json", 400),
    (b"x", "image/png", 415),
    (b"\xff\xfe\x00", "text/csv", 400),
    (b'{"n0": "many"}', "application/json", 422),
)


@dataclass
class Tally:
    """What has happened so far; `wrong` and `lost` say what."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lost: list[tuple[float, str]] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    renewals: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)


class Client(threading.Thread):
    """Sends one request after the other and compares the answers."""

    def __init__(
        self, server: Running, model: Model, expected: set[bytes], tally: Tally, seed: int
    ) -> None:
        super().__init__()
        self.server, self.model, self.expected, self.tally = server, model, expected, tally
        self.source = random.Random(seed)
        self.stopped = threading.Event()

    def run(self) -> None:
        """Send until `stopped`."""
        connection: http.client.HTTPConnection | None = None
        while not self.stopped.is_set():
            connection = connection or self._connect()
            if connection is not None and not self._ask(connection):
                connection.close()
                connection = None

    def _connect(self) -> http.client.HTTPConnection | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.connect()
        except OSError as error:
            self.tally.lost.append((time.monotonic(), f"no connection: {error!r}"))
            return None
        return connection

    def _ask(self, connection: http.client.HTTPConnection) -> bool:
        """Send a request; return whether the connection can be used on."""
        body, kind, status = self.model.row, "text/csv", 200
        if self.source.random() < BAD_SHARE:
            body, kind, status = self.source.choice(BAD)
        elif self.source.random() < 0.5:
            body, kind = self.model.record, "application/json"
        headers = {"Content-Type": kind, "Accept": "text/csv"}
        try:
            connection.request("POST", "/invocations", body, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.tally.lost.append((time.monotonic(), repr(error)))
            return False
        if answer.status != status or (status == 200 and text not in self.expected):
            self.tally.wrong.append(f"{kind}: {answer.status} {text[:200]!r}")
        self.tally.answers[f"{kind} {answer.status}"] += 1
        return answer.getheader("Connection") != "close"


def soak(seconds: float) -> bool:
    """Run for `seconds`, print what happened, and return whether all was well."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, mixed = tables()
        first = train(folder / "first", "first", mixed, num_round="50")
        second = train(folder / "second", "second", mixed, num_round="60")
        live = folder / "live"
        live.mkdir()
        replace_model(live, first)
        model = Model("live", live, first.row, first.record, first.numbers)
        expected = {answer_of(each, folder) for each in (first, second)}
        if len(expected) != 2:
            raise RuntimeError("the two models give equal answers: nothing would be seen")
        with running(ours(model), folder / "log") as server:
            tally = disturb(server, model, expected, [second, first], seconds)
    return report(tally, seconds)


def answer_of(model: Model, folder: Path) -> bytes:
    """Return what a server on one model alone answers."""
    with running(ours(model), folder / "log") as server:
        return server.ask(model.row, "text/csv")


def replace_model(live: Path, model: Model) -> None:
    """Put a model's folder in the place of the live one, at once."""
    fresh = live / "model.new"
    fresh.symlink_to(model.root / "model")
    fresh.replace(live / "model")


def disturb(
    server: Running, model: Model, expected: set[bytes], others: list[Model], seconds: float
) -> Tally:
    """Load the server, kill workers and replace the model until the time is over."""
    tally = Tally()
    clients = [Client(server, model, expected, tally, seed) for seed in range(CLIENTS)]
    for client in clients:
        client.start()
    begin = time.monotonic()
    kill, renew = begin + KILL_SECONDS, begin + RENEW_SECONDS
    while (now := time.monotonic()) < begin + seconds:
        time.sleep(SAMPLE_SECONDS)
        if now > kill:
            kill += KILL_SECONDS
            victim = random.Random(len(tally.kills)).choice(server.processes()[1:])
            tally.kills.append(time.monotonic())
            os.kill(victim, signal.SIGKILL)
        elif now > renew:
            renew += RENEW_SECONDS
            replace_model(model.root, others[tally.renewals % 2])
            tally.renewals += 1
            os.kill(server.process.pid, signal.SIGHUP)
        else:
            sample(server, tally, now)
    for client in clients:
        client.stopped.set()
    for client in clients:
        client.join(60)
    return tally


def sample(server: Running, tally: Tally, now: float) -> None:
    """Note the largest worker's memory; a process that just ended has none."""
    try:
        tally.memory.append((now, max(server.worker_memory())))
    except (OSError, IndexError, ValueError):
        return


def report(tally: Tally, seconds: float) -> bool:
    """Print the result and return whether it is good."""
    total = tally.answers.total()
    print(f"{seconds:.0f} s, {CLIENTS} clients, {total} answers ({total / seconds:.0f} a second)")
    print("  " + ", ".join(f"{kind}: {count}" for kind, count in sorted(tally.answers.items())))
    print(f"  {len(tally.kills)} workers killed, {tally.renewals} models replaced")
    # what a killed worker had in its hands: at most one request of each client
    unexplained = [
        text for when, text in tally.lost if not any(0 <= when - kill < 2 for kill in tally.kills)
    ]
    allowed = CLIENTS * len(tally.kills)
    print(f"  lost: {len(tally.lost)} when a worker was killed (at most {allowed} could be)")
    print(f"  lost otherwise: {len(unexplained)} {unexplained[:3]}")
    print(f"  wrong answers: {len(tally.wrong)} {tally.wrong[:3]}")
    third = len(tally.memory) // 3
    before = median(size for _, size in tally.memory[third : 2 * third])
    after = median(size for _, size in tally.memory[2 * third :])
    print(f"  largest worker: {before:.1f} MB (PSS) in the second third, {after:.1f} in the last")
    good = (
        not tally.wrong
        and not unexplained
        and len(tally.lost) <= allowed
        and after <= before * GROWTH
    )
    print("good" if good else "NOT GOOD")
    return good


def main() -> int:
    """Run the soak; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    return 0 if soak(parser.parse_args().seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
