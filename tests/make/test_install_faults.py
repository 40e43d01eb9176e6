"""What `make install` says when an index, a disk or a package's source does not play along."""

import io
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.make.small import LEAF, MAKING, TIMEOUT, Index, User, clone, serving

pytestmark = pytest.mark.long  # each makes an environment, or more

SOURCE = "leaf-1.0.tar.gz"
MEGABYTES = 12  # room for .venv, not for uv in it
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")


def details(user: User) -> str:
    return f"Details: {user.clone}/.venv/install.log"


@pytest.mark.parametrize("status", [401, 403])
def test_an_index_that_wants_a_password(user: User, index: Index, status: int) -> None:
    index.refuses_with = status
    text = (
        f"The index {index.address.removeprefix('http://')} refuses to answer: does it want a user "
        f"and a password? Put them into ~/.netrc, then try again. {details(user)}"
    )
    with_uv = replace(user, path=f"{Path(sys.executable).parent}:{user.path}")
    for somebody in (user, with_uv):
        assert somebody.make(PIP_INDEX_URL=index.simple) == (2, [MAKING, text])


def test_an_index_without_https(user: User, index: Index) -> None:
    where = {"PIP_INDEX_URL": "http://index.invalid/simple", "PIP_PROXY": index.address}
    text = (
        "The index index.invalid is not https, and pip was not set to trust it: 'export "
        f"PIP_TRUSTED_HOST=HOST' does, then try again. {details(user)}"
    )
    assert user.make(**where) == (2, [MAKING, text])
    assert user.make(**where, PIP_TRUSTED_HOST="index.invalid") == (0, [MAKING])


def source_that_fails() -> bytes:
    """A source of leaf whose build raises, as one without its C compiler does."""
    files = {
        "PKG-INFO": "Metadata-Version: 2.1\nName: leaf\nVersion: 1.0\n",
        "pyproject.toml": (
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
            '[project]\nname = "leaf"\nversion = "1.0"\n'
        ),
        "backend.py": "def build_wheel(*options):\n    raise OSError('no compiler')\n",
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as source:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"leaf-1.0/{name}")
            entry.size = len(text)
            source.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def test_a_package_that_does_not_compile(
    user: User, wheels: Mapping[str, bytes], tmp_path: Path
) -> None:
    source = source_that_fails()
    another = replace(user, clone=clone(tmp_path / "another", SOURCE, source))
    files = {name: wheel for name, wheel in wheels.items() if name != LEAF}
    with serving({**files, SOURCE: source}) as index:
        assert another.make(PIP_INDEX_URL=index.simple) == (2, [
            MAKING,
            "leaf==1.0 has to be compiled here, and that fails: name another Python with make "
            f"PYTHON=python3.12. {details(another)}",
        ])  # fmt: skip


def test_a_full_disk(user: User, index: Index, tmp_path: Path) -> None:
    """A clone in a small file system, which a user may mount in a namespace of his own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size={MEGABYTES}m none {shlex.quote(str(disk))}"
    if subprocess.run([*NAMESPACE, mount], capture_output=True).returncode:
        pytest.skip("needs a kernel that lets users mount a file system of their own (unshare)")
    script = (
        f"{mount} && cp -r {shlex.quote(str(user.clone))} {shlex.quote(str(disk))}/clone && "
        f"cd {shlex.quote(str(disk))}/clone && exec {shlex.join(user.command('install'))}"
    )
    ended = subprocess.run(
        [*NAMESPACE, script], env=user.environ({"PIP_INDEX_URL": index.simple}), timeout=TIMEOUT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout.splitlines()[:2]) == (2, [
        MAKING,
        "The disk is full: .venv and the cache in ~/.cache need some 2 GB.",
    ])  # fmt: skip
