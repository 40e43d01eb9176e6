"""A server's client whose answers a user's script makes."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from werkzeug.test import Client

from sagetree.bundle.file_names import MODEL_FILE
from sagetree.machine.program import LOG
from sagetree.scripts.official_names import FOLDER
from sagetree.serve.routes.script import script_site
from sagetree.serve.scripts.code import prepare_script
from sagetree.serve.scripts.user_script import MODULE, script_holder
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.log_lines import text_line
from sagetree.serve.telemetry.metrics import Observer
from tests.serve.artifacts import settings_for
from tests.serve.asking import client_of

Start = Callable[..., Client]

OFFICIAL = tuple(entry.name for entry in FOLDER.iterdir())


@pytest.fixture
def _process_as_before() -> Iterator[None]:
    path, finders, modules = list(sys.path), list(sys.meta_path), set(sys.modules)
    yield
    sys.path[:], sys.meta_path[:] = path, finders
    for name in set(sys.modules) - modules:
        if name == MODULE or name.startswith(OFFICIAL):
            del sys.modules[name]


@pytest.fixture
def base(plain_dir: Path, tmp_path: Path) -> Path:
    """An /opt/ml with a model of XGBoost's own and a folder for the script."""
    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / MODEL_FILE).write_bytes((plain_dir / MODEL_FILE).read_bytes())
    return tmp_path


@pytest.fixture
def start(base: Path, _process_as_before: None) -> Start:
    """A client of the server with this script."""

    def start(source: str, name: str = "user_answer.py", **environ: str) -> Client:
        (base / "model" / "code" / name).write_text(dedent(source))
        settings = settings_of(base, name, **environ)
        holder = script_holder(settings, prepare_script(settings, base / "home"))
        holder.start(watch=False)
        holder.wait()
        site = script_site(settings, holder, Observer(None, text_line, LOG.info))
        return client_of(site)

    return start


def settings_of(base: Path, program: str, **environ: str) -> ServeSettings:
    return settings_for(base / "model", SAGEMAKER_PROGRAM=program, **environ)
