"""nginx and HAProxy in front of a server, as processes."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from csv import DictReader
from pathlib import Path

from tests.clients.running import PROGRAMS, free_port, listens, running
from tests.serve.server_process import ServerProcess, eventually


@contextmanager
def nginx(server: ServerProcess, folder: Path) -> Iterator[int]:
    """Run nginx; give its port."""
    port = free_port()
    words = {"FOLDER": folder, "LISTEN": port, "SERVER": server.port}
    config = _written("nginx.conf", folder, words)
    # As root it gives its workers to another user, who may not enter the folder.
    directives = "daemon off;" + (" user root;" if os.getuid() == 0 else "")
    command = ("nginx", "-e", "stderr", "-p", folder, "-c", config, "-g", directives)
    with running(folder / "nginx.log", *command):
        eventually(lambda: listens(port))
        yield port


@contextmanager
def haproxy(server: ServerProcess, folder: Path) -> Iterator[dict[str, int]]:
    """Run HAProxy; give the port of each of its two ways to check a server."""
    ports = {"bare": free_port(), "uri": free_port()}
    words = {"FOLDER": folder, "SERVER": server.port}
    words |= {name.upper(): port for name, port in ports.items()}
    config = _written("haproxy.cfg", folder, words)
    with running(folder / "haproxy.log", "haproxy", "-db", "-f", config):
        eventually(lambda: all(map(listens, ports.values())))
        yield ports


def haproxys_view(folder: Path, way: str) -> dict[str, str]:
    """What HAProxy says about the server behind one of its ports."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(folder / "haproxy.sock"))
        client.sendall(b"show stat\n")
        with client.makefile(encoding="utf-8") as answer:
            lines = answer.read().removeprefix("# ").splitlines()
    rows = DictReader(lines)
    return next(row for row in rows if (row["pxname"], row["svname"]) == (way, "sagetree"))


def _written(name: str, folder: Path, words: Mapping[str, object]) -> Path:
    """Write a configuration of programs/ with these words in their places."""
    text = (PROGRAMS / name).read_text()
    for word, value in words.items():
        text = text.replace(word, str(value))
    path = folder / name
    path.write_text(text)
    return path
