"""The modules of one model's script, apart from those of others in the same process.

Scripts of several models may have helpers of equal names, or keep a model in a global of a
helper. So each has modules of its own: they are in place while the script runs, one script
at a time, and out of the way at all other times.
"""

import sys
import threading
from types import ModuleType

from sagetree.serve.scripts.code import ScriptCode

# A process has one list of modules, and one path.
_ONE_AT_A_TIME = threading.Lock()


class ScriptModules:
    """Puts a script's modules in place inside `with`."""

    def __init__(self, code: ScriptCode) -> None:
        self._code = code
        self._folder = f"{code.path.parent}/"
        self._modules: dict[str, ModuleType] = {}
        self._before: list[str] = []
        self._count = 0

    def __enter__(self) -> None:
        _ONE_AT_A_TIME.acquire()
        self._before = list(sys.path)
        self._code.put_on_path()
        sys.modules.update(self._modules)
        self._count = len(sys.modules)

    def __exit__(self, *_error: object) -> None:
        if len(sys.modules) != self._count:  # it has imported more
            own = {name: module for name, module in sys.modules.items() if self._is_own(module)}
            self._modules.update(own)
        for name in self._modules:
            sys.modules.pop(name, None)
        sys.path[:] = self._before
        _ONE_AT_A_TIME.release()

    def _is_own(self, module: ModuleType) -> bool:
        # not by getattr: a lazy module would import what it stands for
        found = getattr(module, "__dict__", {})
        places = [
            found.get("__file__"),
            *(found.get("__path__") or ()),
        ]  # a folder may have no file
        return any(str(place).startswith(self._folder) for place in places)
