"""What a registry answers of a pushed image, read back: no engine is needed for that."""

import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from threading import Thread

import pytest

from container import pushed

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = {"mediaType": "application/vnd.docker.container.image.v1+json"}
LAYER = {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip"}
OCI = "application/vnd.oci.image"

MANIFESTS = {
    "fine": {"mediaType": DOCKER, "config": CONFIG, "layers": [LAYER, LAYER]},
    "oci": {"mediaType": f"{OCI}.manifest.v1+json", "config": {}, "layers": []},
    "index": {"mediaType": f"{OCI}.index.v1+json", "manifests": []},
    "untyped": {"manifests": []},
    "config": {"mediaType": DOCKER, "config": {"mediaType": "x"}, "layers": []},
    "layers": {
        "mediaType": DOCKER,
        "config": CONFIG,
        "layers": [LAYER, {"mediaType": f"{OCI}.layer.v1.tar+zstd"}],
    },
}


class Registry(BaseHTTPRequestHandler):
    """Knows the manifests above, and asks for a password."""

    def do_GET(self) -> None:
        *_, repository, _, tag = self.path.split("/")
        known = self.headers["Authorization"] == "Basic QVdTOnNlY3JldA=="  # AWS:secret
        found = tag in MANIFESTS and repository == "sagetree"
        body = json.dumps(MANIFESTS.get(tag, {})).encode()
        self.send_response(200 if known and found else 404 if known else 401)
        self.send_header("Docker-Content-Digest", f"sha256:{tag}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def read_back(registry: str, tag: str, password: str = "secret") -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["pushed.py", registry, "sagetree", tag])
        patch.setattr(sys, "stdin", StringIO(password))
        code = pushed.main()
    said = err.getvalue().removeprefix(f"build_and_push.sh: {registry}/sagetree:{tag} ")
    return code, out.getvalue(), said


def test_one_manifest_in_docker_s_format_is_what_aws_takes(registry: str) -> None:
    assert read_back(registry, "fine") == (0, "sha256:fine\n", "")


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("oci", f"has a manifest of type {OCI}.manifest.v1+json"),
        ("index", f"is an index of manifests ({OCI}.index.v1+json)"),
        ("untyped", "is an index of manifests (no media type)"),
        ("config", "has a configuration of type x"),
        ("layers", f"has layers of type {OCI}.layer.v1.tar+zstd"),
    ],
)
def test_what_aws_refuses_is_said_at_the_push(registry: str, tag: str, said: str) -> None:
    assert read_back(registry, tag) == (
        1,
        "",
        f"{said}, which AWS refuses: build it without attestations and in Docker's format, by an "
        "engine whose builder is 'docker' (docker buildx use default), and push it under another "
        "--tag\n",
    )


def test_a_registry_that_shows_nothing_is_an_error(registry: str) -> None:
    assert read_back(registry, "absent")[::2] == (
        1,
        "cannot be read back: HTTP Error 404: Not Found\n",
    )
    assert read_back(registry, "fine", "wrong")[::2] == (
        1,
        "cannot be read back: HTTP Error 401: Unauthorized\n",
    )
