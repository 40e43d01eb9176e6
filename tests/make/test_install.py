"""`make install` on machines as people have them, each fault made for real in a small clone."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.make.small import LEAF, MAKING, PYTHON, Index, User, serving, wheel_of, wheel_of_leaf

pytestmark = pytest.mark.long  # each makes an environment, or more

DEBIAN = "python{}.{}-venv".format(*sys.version_info)


def anew(reason: str) -> str:
    return MAKING.replace(":", f" anew ({reason}):", 1)


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """A key and a certificate for 127.0.0.1, signed by the authority in own.crt beside it."""
    if not shutil.which("openssl"):
        pytest.skip("needs the command openssl")

    def signed(name: str, *options: str) -> None:
        new = ("-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}")
        files = ("-keyout", f"{name}.key", "-out", f"{name}.crt")
        command = ["openssl", "req", "-x509", *new, *files, *options]
        subprocess.run(command, cwd=tmp_path, check=True, stderr=subprocess.DEVNULL)

    signed("own")
    signed(
        "host", "-CA", "own.crt", "-CAkey", "own.key", "-addext", "subjectAltName=IP:127.0.0.1",
        "-addext", "basicConstraints=critical,CA:FALSE",
    )  # fmt: skip
    path = tmp_path / "host.pem"
    path.write_text((tmp_path / "host.key").read_text() + (tmp_path / "host.crt").read_text())
    return path


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A Python as Debian has it without python3-venv: no ensurepip, no pip."""
    name = PYTHON.name
    library = tmp_path / "bare" / "lib" / name
    library.mkdir(parents=True)
    for part in Path(os.__file__).parent.iterdir():
        if part.name not in ("ensurepip", "site-packages", "dist-packages", "__pycache__"):
            (library / part.name).symlink_to(part)
    python = tmp_path / "bare" / "bin" / name
    python.parent.mkdir()
    shutil.copy(PYTHON.resolve(), python)
    return python


def stamps(folder: Path) -> dict[str, int]:
    """When each file below a folder was written, but for what Python compiles of make's own."""
    files = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return {str(path): path.lstat().st_mtime_ns for path in files}


def test_a_second_run_installs_nothing_and_nothing_lies_elsewhere(user: User, index: Index) -> None:
    """In a folder with a space in its name."""
    assert user.make(PIP_INDEX_URL=index.simple) == (0, [MAKING])
    assert user.imports() == str(user.clone / "src" / "small.py")
    assert [path.name for path in user.home.iterdir()] == [".cache"]
    before, asked = stamps(user.clone), len(index.asked)
    assert user.make() == (0, [])
    assert (stamps(user.clone), len(index.asked)) == (before, asked)
    assert user.make(PIP_INDEX_URL="http://127.0.0.1:1/simple") == (0, [])


def test_without_the_network_it_is_said_and_the_next_run_goes_on(user: User, index: Index) -> None:
    log = user.clone / ".venv" / "install.log"
    text = (
        "The index 127.0.0.1:1 cannot be reached: check the network; behind a proxy 'export "
        "HTTPS_PROXY=http://HOST:PORT', with an index of your own 'export "
        f"PIP_INDEX_URL=https://HOST/simple', then try again. Details: {log}"
    )
    assert user.make(PIP_INDEX_URL="http://ada:secret@127.0.0.1:1/simple") == (2, [MAKING, text])
    assert "secret" not in log.read_text()
    assert user.make(PIP_INDEX_URL=index.simple) == (0, [MAKING])
    # .venv has its uv now: it is uv that cannot reach the index
    (user.clone / ".venv" / ".installed").unlink()
    away = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "UV_NO_CACHE": "1"}
    shutil.rmtree(next(user.clone.glob(".venv/lib/*/site-packages/leaf-1.0.dist-info")))
    assert user.make(**away) == (2, [MAKING, text])


@pytest.mark.parametrize("told", ["pip.conf", "uv.toml", "variables of pip", "variables of uv"])
def test_an_index_and_a_certificate_of_ones_own(
    told: str, user: User, pem: Path, wheels: Mapping[str, bytes], tmp_path: Path
) -> None:
    settings = tmp_path / "settings"
    certificate = str(tmp_path / "own.crt")
    with serving(wheels, pem) as index:
        settings.write_text(f'index-url = "{index.simple}"\n')
        variables = {"UV_CONFIG_FILE": str(settings), "SSL_CERT_FILE": certificate}
        if told == "pip.conf":
            settings.write_text(f"[global]\nindex-url = {index.simple}\ncert = {certificate}\n")
            variables = {"PIP_CONFIG_FILE": str(settings)}
        if told == "variables of pip":
            variables = {"PIP_INDEX_URL": index.simple, "PIP_CERT": certificate}
        if told == "variables of uv":
            variables = {"UV_DEFAULT_INDEX": index.simple, "SSL_CERT_FILE": certificate}
        assert user.make(**variables) == (0, [MAKING])
        assert any("leaf" in path for path in index.asked)


def test_a_certificate_that_nobody_trusts(
    user: User, pem: Path, wheels: Mapping[str, bytes]
) -> None:
    with serving(wheels, pem) as index:
        text = (
            f"The index {index.address.removeprefix('https://')} shows a certificate that this "
            "machine does not trust: name your authority's file with 'export "
            "SSL_CERT_FILE=/path/to/ca.pem', then try again. "
            f"Details: {user.clone}/.venv/install.log"
        )
        for variable in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"):
            assert user.make(**{variable: index.simple})[1][1:] == [text]
        with_uv = replace(user, path=f"{Path(sys.executable).parent}:{user.path}")
        assert with_uv.make(UV_DEFAULT_INDEX=index.simple)[1][1:] == [text]


def test_a_proxy_is_used_by_all_that_is_fetched(user: User, index: Index) -> None:
    where = {"PIP_INDEX_URL": "http://index.invalid/simple", "PIP_TRUSTED_HOST": "index.invalid"}
    assert user.make(**where, PIP_PROXY=index.address) == (0, [MAKING])
    assert all(path.startswith("http://index.invalid/") for path in index.asked)
    assert {"uv", "leaf"} <= {path.split("/")[-2] for path in index.asked}


def test_a_proxy_that_does_not_answer(user: User) -> None:
    where = {"PIP_INDEX_URL": "http://index.invalid/simple", "PIP_TRUSTED_HOST": "index.invalid"}
    code, lines = user.make(
        **where, HTTPS_PROXY="http://me:secret@127.0.0.1:1", HTTP_PROXY="http://127.0.0.1:1"
    )
    assert (code, lines) == (2, [
        MAKING,
        "The proxy 127.0.0.1:1 does not lead to the index index.invalid: correct it with 'export "
        "HTTPS_PROXY=http://HOST:PORT', then try again. "
        f"Details: {user.clone}/.venv/install.log",
    ])  # fmt: skip


def test_another_file_than_the_locked_one_is_refused(
    user: User, wheels: Mapping[str, bytes]
) -> None:
    another = {**wheels, LEAF: wheel_of_leaf("GREEN = False\n")}
    with serving(another) as index:
        host = index.address.removeprefix("http://")
        assert user.make(PIP_INDEX_URL=index.simple) == (2, [
            MAKING,
            f"The index {host} has another leaf==1.0 than uv.lock: take one that copies PyPI's "
            f"files. Details: {user.clone}/.venv/install.log",
        ])  # fmt: skip


def test_an_index_without_a_package(user: User, wheels: Mapping[str, bytes]) -> None:
    for absent, name in (("uv", f"uv=={version_of('uv')}"), ("leaf", "leaf")):
        rest = {file: wheel for file, wheel in wheels.items() if not file.startswith(absent)}
        with serving(rest) as index:
            host = index.address.removeprefix("http://")
            assert user.make(PIP_INDEX_URL=index.simple) == (2, [
                MAKING,
                f"The index {host} has no {name} for this Python and machine: name another Python "
                "with make PYTHON=python3.12, or another index with 'export "
                "PIP_INDEX_URL=https://HOST/simple'. "
                f"Details: {user.clone}/.venv/install.log",
            ])  # fmt: skip


def version_of(name: str) -> str:
    return next(part.split("-")[1] for part, _ in (wheel_of(name),))


def test_a_python_without_ensurepip(user: User, bare: Path, index: Index) -> None:
    poor = replace(user, python=bare)
    text = (
        "This Python has no ensurepip, and there is no uv: on Debian and Ubuntu "
        f"'apt install {DEBIAN}', then try again"
    )
    for _ in range(2):
        assert poor.make(PIP_INDEX_URL=index.simple) == (2, [MAKING, text])
    # what it left does not hurt once the package is there
    shutil.copytree(
        Path(os.__file__).parent / "ensurepip", bare.parents[1] / "lib" / bare.name / "ensurepip"
    )
    assert poor.make(PIP_INDEX_URL=index.simple) == (0, [MAKING])


def test_a_uv_of_the_machine_does_without_ensurepip(
    user: User, bare: Path, index: Index, tmp_path: Path
) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "uv").symlink_to(Path(sys.executable).parent / "uv")
    poor = replace(user, python=bare, path=f"{tmp_path / 'tools'}:{user.path}")
    assert poor.make(PIP_INDEX_URL=index.simple) == (0, [MAKING])
    assert (user.clone / ".venv" / "bin" / "uv").exists()
    assert (user.clone / ".venv" / "bin" / "pip").exists()


def test_an_old_uv_of_the_machine_is_left_alone(user: User, index: Index, tmp_path: Path) -> None:
    (tmp_path / "uv").write_text("#!/bin/sh\necho uv 0.4.1\n")
    (tmp_path / "uv").chmod(0o755)
    with_old = replace(user, path=f"{tmp_path}:{user.path}")
    assert with_old.make(PIP_INDEX_URL=index.simple) == (0, [MAKING])


def test_a_venv_without_pip_is_gone_on_with(user: User, index: Index) -> None:
    """As earlier versions left it where python3-venv was missing."""
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", user.clone / ".venv"], check=True)
    (user.clone / ".venv" / "kept").touch()
    assert user.make(PIP_INDEX_URL=index.simple) == (0, [MAKING])
    assert (user.clone / ".venv" / "kept").exists()


def test_another_python_than_the_images_is_said(user: User, index: Index) -> None:
    mine = "{}.{}".format(*sys.version_info)
    (user.clone / "Dockerfile").write_text(f"ARG BASE_IMAGE=python:{mine}-slim\n")
    assert user.make(PIP_INDEX_URL=index.simple) == (0, [MAKING])
    (user.clone / "Dockerfile").write_text("ARG BASE_IMAGE=host/python:3.99-slim\n")
    (user.clone / ".venv" / ".installed").unlink()
    said = (
        "The image has Python 3.99, and uv.lock's XGBoost for it: models may differ from those "
        f"made here, with Python {mine}. To have the same: make install PYTHON=python3.99"
    )
    assert user.make(PIP_INDEX_URL=index.simple) == (0, [MAKING, said])


def test_an_install_that_was_cut_off(user: User, index: Index) -> None:
    index.hangs_at = "leaf"
    variables = {"PIP_INDEX_URL": index.simple}
    with subprocess.Popen(
        user.command("install"), cwd=user.clone, env=user.environ(variables),
        stdout=subprocess.DEVNULL, start_new_session=True,
    ) as process:  # fmt: skip
        assert index.hanging.wait(60)
        os.killpg(process.pid, signal.SIGKILL)
    index.hangs_at = "-"
    index.over.set()
    assert user.make(**variables) == (0, [anew("an install was cut off")])
    assert user.imports()


def test_a_folder_that_was_moved(user: User, index: Index, tmp_path: Path) -> None:
    assert user.make(PIP_INDEX_URL=index.simple)[0] == 0
    moved = replace(user, clone=user.clone.rename(tmp_path / "elsewhere"))
    assert moved.make(PIP_INDEX_URL=index.simple) == (0, [anew(f"it was made in {user.clone}")])
    assert moved.imports() == str(moved.clone / "src" / "small.py")


def test_a_home_that_cannot_be_written(user: User, index: Index) -> None:
    homeless = replace(user, home=Path("/proc/nowhere"))
    assert homeless.make(PIP_INDEX_URL=index.simple) == (2, [
        MAKING,
        "uv cannot write its cache in this home folder: name another one with 'export "
        f"UV_CACHE_DIR=/tmp/uv', then try again. Details: {user.clone}/.venv/install.log",
    ])  # fmt: skip
    own = {"PIP_INDEX_URL": index.simple, "UV_CACHE_DIR": str(user.home / "uv")}
    assert homeless.make(**own) == (0, [MAKING])


def test_a_venv_of_another_python(user: User, index: Index) -> None:
    python = user.clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/nonexistent/python3.11")
    variables = {"PIP_INDEX_URL": index.simple}
    assert user.make(**variables) == (0, [anew("its Python does not run")])
    python.unlink()
    python.write_text("#!/bin/sh\necho 3.10\n")
    python.chmod(0o755)
    mine = "{}.{}".format(*sys.version_info)
    assert user.make(**variables) == (0, [anew(f"it is of Python 3.10, and this is {mine}")])


def test_a_change_of_the_lock_is_installed(user: User, index: Index) -> None:
    variables = {"PIP_INDEX_URL": index.simple}
    assert user.make(**variables)[0] == 0
    project = user.clone / "pyproject.toml"
    project.write_text(project.read_text() + "# changed\n")
    assert user.make(**variables) == (0, [MAKING])
    project.write_text(project.read_text().replace('["leaf"]', '["leaf", "twig"]'))
    assert user.make(**variables) == (2, [
        MAKING,
        "uv.lock is not that of pyproject.toml: 'make lock' makes it anew. "
        f"Details: {user.clone}/.venv/install.log",
    ])  # fmt: skip
