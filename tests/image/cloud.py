"""AWS on this machine: a moto server, and a registry that takes its password."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.programs import BIN

ROOT = Path(__file__).parents[2]
SDK = ROOT / ".sdk"

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@dataclass(frozen=True)
class Cloud:
    """A moto server and a registry that takes its password."""

    environ: Mapping[str, str]
    registry: str

    def run(self, *command: str, cwd: Path = ROOT, **environ: str) -> tuple[int, str]:
        """Run a command against this cloud; a variable set to "" is not set."""
        merged = {k: v for k, v in {**self.environ, **environ}.items() if v}
        result = subprocess.run(
            command, cwd=cwd, env=merged, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=900,
        )  # fmt: skip
        return result.returncode, result.stdout

    def aws(self, *arguments: str) -> dict[str, object]:
        """Return what the AWS CLI answers."""
        code, text = self.run("aws", *arguments, "--output", "json")
        assert code == 0, text
        content: dict[str, object] = json.loads(text)
        return content


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(port)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Start both servers on loopback, and stop them by their process ids."""
    folder = tmp_path_factory.mktemp("registry")
    moto, registry = _free_port(), _free_port()
    path = os.pathsep.join([str(SDK / "aws" / "bin"), str(BIN), os.environ["PATH"]])
    environ = {
        "PATH": path,
        "HOME": str(folder),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{moto}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "ECR_REGISTRY": f"127.0.0.1:{registry}",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        **CREDENTIALS,
    }
    here = Cloud(environ, f"127.0.0.1:{registry}")
    servers = [
        subprocess.Popen(
            [str(SDK / "v2" / "bin" / "moto_server"), "-H", "127.0.0.1", "-p", str(moto)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    ]
    try:
        _wait(moto)
        code, password = here.run("aws", "ecr", "get-login-password")
        assert code == 0, password
        users = folder / "htpasswd"
        script = (
            "import bcrypt, sys; "
            "print('AWS:' + bcrypt.hashpw(sys.argv[1].encode(), bcrypt.gensalt(4, b'2a')).decode())"
        )
        code, line = here.run(str(SDK / "aws" / "bin" / "python"), "-c", script, password.strip())
        assert code == 0, line
        users.write_text(line)
        config = folder / "config.yml"
        config.write_text(
            "version: 0.1\n"
            f"storage: {{filesystem: {{rootdirectory: {folder}/images}}}}\n"
            f'http: {{addr: "127.0.0.1:{registry}"}}\n'
            f"auth: {{htpasswd: {{realm: test, path: {users}}}}}\n"
        )
        servers.append(
            subprocess.Popen(
                ["docker-registry", "serve", str(config)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        _wait(registry)
        yield here
    finally:
        for server in servers:
            server.terminate()
            server.wait(10)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clean clone of this project."""
    folder = tmp_path / "clone"
    command = ["git", "-c", "safe.directory=*", "clone", "-q", str(ROOT), str(folder)]
    subprocess.run(command, check=True)
    return folder
