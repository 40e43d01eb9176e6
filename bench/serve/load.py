"""Load by wrk on loopback: requests per second, latencies, and the processor time they took."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.serve.servers import Running

SCRIPT = """\
wrk.method = "POST"
wrk.headers["Content-Type"] = "{kind}"
{headers}
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
file:close()
"""

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True)
class Figures:
    """What one run of load gave; times in seconds."""

    per_second: float
    median: float
    p99: float
    cpu: float


def load(
    server: Running, body: bytes, kind: str, connections: int, seconds: float, headers: str = ""
) -> Figures:
    """Send the same request over and over. Raises RuntimeError if one is not answered well."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "body"
        path.write_bytes(body)
        script = Path(folder) / "post.lua"
        script.write_text(SCRIPT.format(kind=kind, body=path, headers=headers))
        before = server.cpu_seconds()
        result = subprocess.run(
            [
                "wrk", "--threads", "1", "--connections", str(connections),
                "--duration", f"{seconds:.0f}s", "--latency", "--script", str(script),
                f"http://127.0.0.1:{server.port}{server.server.path}",
            ],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        cpu = server.cpu_seconds() - before
    if "Non-2xx" in result or "Socket errors" in result:
        raise RuntimeError(f"{server.server.name}: {result}")
    requests = int(re.findall(r"(\d+) requests in", result)[0])
    per_second = float(re.findall(r"Requests/sec:\s+([\d.]+)", result)[0])
    return Figures(
        per_second, _latency(result, "50%"), _latency(result, "99%"), cpu / max(requests, 1)
    )


def _latency(text: str, percentile: str) -> float:
    number, unit = re.findall(rf"{percentile}\s+([\d.]+)(us|ms|s)", text)[0]
    return float(number) * _UNITS[unit]
