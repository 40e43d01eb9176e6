"""Script mode: a user's own training script, run the way SageMaker's training toolkit runs it.

`sagemaker_program` names the script, `sagemaker_submit_directory` where it lies:
a folder, a tar.gz, or one on s3://. It is brought to /opt/ml/code, and
what its requirements.txt asks for is installed apart from what is here. What the
SM_* variables and arguments are, the toolkit says. The process is ours: the toolkit
ends with 0 after several real failures, does not hand SIGTERM on, and leaves the
script's own message out of the reason.
"""

import json
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagetree.errors import PlatformError, SettingsError, UserError, quote
from sagetree.machine.paths import BASE_DIR_VARIABLE, OptMl
from sagetree.machine.program import LOG, check_writable
from sagetree.machine.watch import killed_by
from sagetree.scripts.official_names import with_official_names
from sagetree.scripts.packages import install
from sagetree.scripts.process import execute
from sagetree.scripts.source import local_folder
from sagetree.train.hyperparameters.value_types import plain_text
from sagetree.train.settings.channel_settings import read_channels, read_json
from sagetree.train.settings.faults import Faults

PROGRAM = "sagemaker_program"
SUBMIT_DIRECTORY = "sagemaker_submit_directory"

# The last line of a traceback: a class, perhaps with its module, and a message.
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(: .*)?")


@dataclass(frozen=True)
class Script:
    """A user's program and where it comes from; None where the code is in place already."""

    program: str
    source: str | None

    @classmethod
    def of(
        cls, opt_ml: OptMl, overrides: Mapping[str, str], environ: Mapping[str, str]
    ) -> "Script | None":
        """Return the script that hyperparameters or the environment ask for, if they do."""
        given: Mapping[str, Any] = {}
        with Faults().gathered():  # named with all other faults by who reads it next
            given = read_json(opt_ml.hyperparameters)
        texts = {name: plain_text(value) for name, value in given.items()} | dict(overrides)
        program = environ.get(PROGRAM.upper()) or texts.get(PROGRAM)
        source = texts.get(SUBMIT_DIRECTORY) or environ.get(SUBMIT_DIRECTORY.upper())
        return cls(program, source or None) if program else None


class _Config(dict[str, Any]):
    """A configuration that counts as given, even if it is empty."""

    def __bool__(self) -> bool:
        return True


def run(opt_ml: OptMl, script: Script, overrides: Mapping[str, str]) -> int:
    """Install the script, run it to its end, and return 0.

    Raises UserError with the script's own message if it fails, Terminated if
    it ended on SIGTERM, PlatformError for mounts that cannot be written.
    """
    opt_ml = OptMl(opt_ml.root.absolute())  # the script runs in another folder
    for folder in (opt_ml.model, opt_ml.output_data):
        check_writable(folder)
    if OptMl.from_environ(os.environ).root != opt_ml.root:
        # the toolkit takes its folders from there, once, when it is imported
        os.environ[BASE_DIR_VARIABLE] = str(opt_ml.root)
    try:
        from sagemaker_training import environment, errors, logging_config, process
    except ImportError as error:
        raise PlatformError(
            f"{PROGRAM} is {quote(script.program)}, but sagemaker-training is not installed",
            hint="Install it, with a C compiler at hand: pip install 'sagetree[script]'",
        ) from error
    logging_config.get_logger().setLevel("WARNING")
    toolkit = environment.Environment(
        resource_config=_resource_config(opt_ml),
        input_data_config=_Config(read_channels(opt_ml)),
        hyperparameters=_Config(_hyperparameters(opt_ml, overrides)),
    )
    code = opt_ml.root / "code"
    try:
        process.validate_entry_point(script.program)
    except errors.ClientError as error:
        raise SettingsError(str(error), where=PROGRAM) from error
    _fetch(script, code)
    with tempfile.TemporaryDirectory(prefix="sagetree-script-") as home:
        own = ["."] if _is_package(script.program, code) else []
        packages = install(code, Path(home), own)
        python = str(packages.python) if packages else sys.executable
        environ = {**os.environ, **toolkit.to_env_vars()}
        environ = packages.variables(environ) if packages else environ
        environ = with_official_names(environ, packages.site if packages else None)
        command = _command(python, script.program, code, toolkit.to_cmd_args())
        ended = execute("the script", command, code, environ)
    if ended.code:
        raise UserError(describe_failure(f"The script {script.program}", ended.code, ended.said))
    if not any(opt_ml.model.iterdir()):
        LOG.warning("The script left no file in %s", opt_ml.model)
    return 0


def _resource_config(opt_ml: OptMl) -> _Config:
    hosts = {"current_host": "algo-1", "hosts": ["algo-1"]}
    return _Config(hosts | dict(read_json(opt_ml.resource_config)))


def _hyperparameters(opt_ml: OptMl, overrides: Mapping[str, str]) -> dict[str, Any]:
    """Return the hyperparameters as the toolkit types them: what is JSON is what it says."""
    given = {**read_json(opt_ml.hyperparameters), **overrides}
    return {name: _typed(value) for name, value in given.items()}


def _typed(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _fetch(script: Script, code: Path) -> None:
    """Bring the code to its folder, and check that the program is there."""
    source = script.source or str(code)
    if code.is_dir() and any(code.iterdir()):
        if Path(source.removeprefix("file://")).resolve() != code.resolve():
            LOG.warning("%s is not empty: what lies there runs, %s is not fetched", code, source)
    else:
        folder = local_folder(source, code, SUBMIT_DIRECTORY)
        if folder.resolve() != code.resolve():
            shutil.copytree(folder, code, dirs_exist_ok=True)
    if not (code / script.program).exists():
        found = ", ".join(sorted(path.name for path in code.iterdir())) or "nothing"
        raise SettingsError(
            f"{quote(script.program)} is missing from the code; it holds {found}",
            where=PROGRAM,
            hint="Name a file of the folder that is submitted",
        )


def _is_package(program: str, code: Path) -> bool:
    return program.endswith(".py") and (code / "setup.py").exists()


def _command(python: str, program: str, code: Path, arguments: Sequence[str]) -> list[str]:
    """Return the command line as the toolkit chooses it: a module, a Python script, a program."""
    if _is_package(program, code):
        module = program.removesuffix(".py").replace("/", ".")
        return [python, "-m", module, *arguments]
    if program.endswith(".py"):
        return [python, program, *arguments]
    (code / program).chmod(0o755)
    return ["/bin/sh", "-c", 'exec "$0" "$@"', f"./{program}", *arguments]


def describe_failure(what: str, code: int, said: Sequence[str]) -> str:
    """Return why a script failed: its exception's message, then the last lines it wrote.

    >>> lines = ["Traceback (most recent call last):", "  ...", "KeyError: 'age'"]
    >>> describe_failure("The script", 1, lines).splitlines()[0]
    "KeyError: 'age'"
    """
    end = f"ended with exit code {code}" if code >= 0 else killed_by(signal.Signals(-code))
    words = [line.strip() for line in said if line.strip()]
    if not words:
        return f"{what} {end} and wrote nothing to stderr"
    first = _exception(said) or words[-1]
    return "\n".join([first, "", f"{what} {end}. Its last lines on stderr:", *said])


def _exception(said: Sequence[str]) -> str | None:
    """Return the last exception's line in what a script wrote to stderr."""
    for start in range(len(said) - 1, -1, -1):
        if said[start].startswith("Traceback (most recent call last)"):
            return next((text for text in said[start + 1 :] if _EXCEPTION.fullmatch(text)), None)
    return None
