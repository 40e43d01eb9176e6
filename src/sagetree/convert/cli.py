"""The command line of `convert`."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from sagetree.bundle.model_files import HEAD_BYTES, OLD_XGBOOST, form_of
from sagetree.convert.old_xgboost import saved_again
from sagetree.convert.pickled import pickled_booster
from sagetree.errors import ArtifactError, PlatformError, SagetreeError, SettingsError
from sagetree.machine.program import FAILED, LOG, start_logging

DESCRIPTION = f"""\
Save a model in one of XGBoost's old forms as UBJSON, which today's XGBoost reads.

FILE is a model in the old binary form (of the images 1.3-1, 1.5-1 and 1.7-1, and
of 0.90), or a pickle of a Booster or of a model of the scikit-learn wrapper (of
the images 1.0-1 and 1.2-2). Where early stopping found the best round is kept.

A pickle is a program, and nothing of it is run: only the booster's bytes are
taken out. The old binary form is read by XGBoost {OLD_XGBOOST}, which uv or pip
fetches into a temporary folder, by their own settings, for this one process.
The new file is written once a server could load it. An existing file is not replaced.
"""

# The server's own way to a model, in a process that may die of it.
_CHECK = """\
import sys
from pathlib import Path
import numpy as np
from sagetree.bundle.model import Model
from sagetree.errors import SagetreeError
try:
    model = Model.load(Path(sys.argv[1]))
    model.scorer.score(np.zeros((2, model.scorer.feature_count), np.float32))
except SagetreeError as error:
    sys.exit(str(error))
print(f'{len(model.schema.input_names)} columns', *model.notes, sep='; ')
"""


def main(argv: Sequence[str]) -> int:
    """Convert a model and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="sagetree convert",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the model")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the new file (default: FILE with .ubj at its end)"
    )
    options = parser.parse_args(argv)
    start_logging()
    out = options.out or options.file.with_name(f"{options.file.name}.ubj")
    try:
        _convert(options.file, out)
    except SagetreeError as error:
        LOG.error("FAILED: %s", error)
        return FAILED
    return 0


def _convert(source: Path, out: Path) -> None:
    """Write the model in `source` to `out`, once a server could load it."""
    if out.exists():
        hint = "Give another name with --out, or move it away"
        raise SettingsError("the file exists already", where=str(out), hint=hint)
    try:
        data = source.read_bytes()
    except OSError as error:
        reason = f"it cannot be read: {error.strerror or error}"
        raise ArtifactError(reason, where=str(source), hint="Give a model's file") from error
    model = _as_ubjson(data, str(source))
    told = _checked(model, str(source))
    try:
        with out.open("xb") as file:
            file.write(model)
    except OSError as error:
        reason = f"it cannot be written: {error.strerror or error}"
        raise PlatformError(reason, where=str(out), hint="Give another place with --out") from error
    LOG.info("%s: %s", out, told)


def _as_ubjson(data: bytes, where: str) -> bytes:
    form = form_of(data[:HEAD_BYTES])
    if form == "model":
        _checked(data, where)
        hint = "Serve it as it is"
        raise ArtifactError("it needs no conversion", where=where, hint=hint)
    if form is None:
        raise ArtifactError(
            "it is neither a pickle nor a model in XGBoost's old binary form",
            where=where,
            hint="Give the file that XGBoost or pickle wrote; unpack one that is compressed",
        )
    attributes: dict[str, str] = {}
    if form == "pickle":
        found = pickled_booster(data, where)
        data = found.model
        attributes = {name: str(value) for name, value in found.best.items()}
        if form_of(data[:HEAD_BYTES]) == "model" and not data.startswith(b'{"'):
            return data
    return saved_again(data, attributes, where)


def _checked(model: bytes, where: str) -> str:
    """Return what a server says about a model. Raises ArtifactError for one it cannot load."""
    with TemporaryDirectory(prefix="sagetree-convert-") as folder:
        (Path(folder) / "model.ubj").write_bytes(model)
        command = [sys.executable, "-P", "-W", "ignore", "-c", _CHECK, folder]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if ended.returncode:
        reason = ended.stderr.strip().rpartition("\n")[2] if ended.returncode == 1 else ""
        if reason:  # it has its own way out
            raise ArtifactError(f"what is in it cannot be served: {reason}", where=where)
        raise ArtifactError(
            "what is in it cannot be served: XGBoost ends its process on it",
            where=where,
            hint="Save it with the XGBoost that wrote it, or train it again",
        )
    return ended.stdout.strip()
