"""A small clone: the real Makefile and make/, a project of one module, and an index of its own."""

import hashlib
import importlib.metadata
import io
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
PYTHON = Path(sys.base_prefix, "bin", "python{}.{}".format(*sys.version_info))
TIMEOUT = 600  # an install takes 5 s, and minutes on a machine that is busy
LEAF = "leaf-1.0-py3-none-any.whl"
MAKING = "Making .venv: Python {}.{} and what uv.lock names. This takes minutes".format(
    *sys.version_info
)

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "small"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["leaf"]
[project.optional-dependencies]
all = []
script = []
"""

LOCK = """
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "leaf"
version = "1.0"
source = {{ registry = "https://index.example/simple" }}
{file}

[[package]]
name = "small"
version = "1.0"
source = {{ editable = "." }}
dependencies = [{{ name = "leaf" }}]

[package.metadata]
requires-dist = [{{ name = "leaf" }}]
provides-extras = ["all", "script"]
"""

# What each of the two wheels says about itself.
KIND = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

BACKEND = f"""
import os, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    info = "small-1.0.dist-info/"
    name = "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("small.pth", os.path.abspath("src"))
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: small\\nVersion: 1.0\\n")
        wheel.writestr(info + "WHEEL", {KIND!r})
        wheel.writestr(info + "RECORD", "")
    return name
"""


def wheel_of_leaf(text: str = "GREEN = True\n") -> bytes:
    """A wheel of one module; the same bytes for the same text."""
    info = "leaf-1.0.dist-info/"
    parts = {
        "leaf.py": text,
        f"{info}METADATA": "Metadata-Version: 2.1\nName: leaf\nVersion: 1.0\n",
        f"{info}WHEEL": KIND,
        f"{info}RECORD": "",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        for name, content in parts.items():
            wheel.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


def wheel_of(name: str) -> tuple[str, bytes]:
    """Pack an installed distribution as the wheel that it came from."""
    found = importlib.metadata.distribution(name)
    stem = f"{name}-{found.version}"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        for file in found.files or ():
            target = str(file)
            if target.startswith(".."):
                target = f"{stem}.data/scripts/{file.name}"
            elif file.suffix == ".pyc" or file.name in (
                "INSTALLER",
                "REQUESTED",
                "direct_url.json",
            ):
                continue
            entry = zipfile.ZipInfo(target)
            entry.external_attr = 0o100755 << 16
            content = b"" if file.name == "RECORD" else Path(str(file.locate())).read_bytes()
            wheel.writestr(entry, content)
    return f"{stem}-py3-none-any.whl", packed.getvalue()


@dataclass
class Index:
    """A package index on loopback, and a proxy for http: what was asked for, and what hangs."""

    files: Mapping[str, bytes]
    address: str = ""
    asked: list[str] = field(default_factory=list)
    refuses_with: int | None = None
    hangs_at: str = "-"
    hanging: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def simple(self) -> str:
        return f"{self.address}/simple"


@contextmanager
def serving(files: Mapping[str, bytes], pem: Path | None = None) -> Iterator[Index]:
    """Serve wheels by name; over TLS with the key and certificate in `pem`."""
    index = Index(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append(self.path)
            # A client of a proxy names the whole address.
            parts = urlsplit(self.path).path.strip("/").split("/")
            if parts[0] == "simple" and len(parts) == 2:
                names = [name for name in index.files if name.split("-")[0] == parts[1]]
                links = "".join(f'<a href="/files/{name}">{name}</a>' for name in names)
                self.answer(links.encode() if names else None, "text/html")
            else:
                if parts[-1].startswith(index.hangs_at):
                    index.hanging.set()
                    index.over.wait(TIMEOUT)
                self.answer(index.files.get(parts[-1]), "application/zip")

        def do_HEAD(self) -> None:
            self.do_GET()

        def answer(self, content: bytes | None, kind: str) -> None:
            self.send_response(index.refuses_with or (404 if content is None else 200))
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write((content or b"") if self.command == "GET" else b"")

        def log_message(self, *_words: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_who: object) -> None:
            pass  # a client that ends because it does not trust the certificate

    server = Server(("127.0.0.1", 0), Handler)
    if pem:
        context = SSLContext(PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    index.address = f"{'https' if pem else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield index
    finally:
        index.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def locked(name: str, content: bytes) -> str:
    """Write a lock that names this file, a wheel or a source, for the package leaf."""
    sha256 = hashlib.sha256(content).hexdigest()
    file = f'{{ url = "https://index.example/files/{name}", hash = "sha256:{sha256}" }}'
    return LOCK.format(file=f"wheels = [{file}]" if name == LEAF else f"sdist = {file}")


def clone(folder: Path, name: str, content: bytes) -> Path:
    """Make a small clone whose lock names this file for the package leaf."""
    (folder / "src").mkdir(parents=True)
    (folder / "make").mkdir()
    (folder / "src" / "small.py").write_text("import leaf\n")
    (folder / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    for part in (ROOT / "make").glob("*.py"):
        (folder / "make" / part.name).write_bytes(part.read_bytes())
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "uv.lock").write_text(locked(name, content))
    (folder / "backend.py").write_text(BACKEND)
    return folder


@dataclass(frozen=True)
class User:
    """Somebody with a clone, a home, and nothing set but what is said."""

    clone: Path
    home: Path
    path: str = "/usr/bin:/bin"
    python: Path = PYTHON

    def command(self, target: str) -> list[str]:
        return ["make", "--no-print-directory", target, f"PYTHON={self.python}"]

    def environ(self, variables: Mapping[str, str]) -> dict[str, str]:
        # The machine's own pip.conf would lead elsewhere.
        own = {"PATH": self.path, "HOME": str(self.home), "PIP_CONFIG_FILE": os.devnull}
        return own | dict(variables)

    def make(self, target: str = "install", **variables: str) -> tuple[int, list[str]]:
        """Run make; return its exit code and what it said, without make's own last line."""
        ended = subprocess.run(
            self.command(target), cwd=self.clone, env=self.environ(variables), timeout=TIMEOUT,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        lines = ended.stdout.splitlines()
        return ended.returncode, [line for line in lines if not line.startswith("make: ***")]

    def imports(self) -> str:
        """The folder that .venv's Python takes the project from."""
        code = "import leaf, small; print(small.__file__)"
        python = self.clone / ".venv" / "bin" / "python"
        return subprocess.check_output([python, "-c", code], cwd="/", text=True).strip()
