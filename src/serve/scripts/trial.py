"""Loading a model by its script once in a process that may die of it.

As `sagetree.serve.models.trial`, but with all libraries there for the script:
`python -m sagetree.serve.scripts.trial SOCKET`.
"""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sagetree.boosters.library import library_version
from sagetree.serve.models.trial import Trials, TrialServer
from sagetree.serve.scripts.code import ModelScripts, ScriptCode
from sagetree.serve.scripts.user_script import UserScript


def trials_of(folder: Path, scripts: ModelScripts) -> Trials:
    """Return the trials of models that are loaded by these scripts."""
    common = scripts.common
    asked = {
        "program": scripts.program,
        "common": str(common.path) if common else None,
        "packages": str(common.packages) if common and common.packages else None,
    }
    return Trials(folder, asked, __name__, "the script")


def main(path: str) -> None:
    """Try models for whoever asks at the socket `path`."""
    library_version()  # the library is there for all children; only a booster forbids to fork
    with TrialServer(path, _script) as server:
        server.run()


def _script(folder: Path, asked: Mapping[str, Any]) -> Callable[[], UserScript]:
    common = None
    if asked["common"]:
        packages = Path(asked["packages"]) if asked["packages"] else None
        common = ScriptCode(Path(asked["common"]), packages)
    return partial(UserScript.load_apart, ModelScripts(asked["program"], common), folder)


if __name__ == "__main__":
    main(sys.argv[1])
