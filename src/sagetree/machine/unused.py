"""Libraries that are installed for users' scripts and stay out of our own programs.

`import xgboost` takes up scikit-learn where it finds it, and with it pandas,
pyarrow takes up pandas: together 130 MB and 2 s of start-up, for classes that
none of them uses. Both libraries work without. pydantic looks through all that is installed
for plugins of its own, with the first record that is defined: .04 s of start-up. scipy takes
up all that numpy has, with its compiler of Fortran: .08 s.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

UNUSED = ("sklearn", "pandas")

# numpy has it whether or not it is used, so it must be there.
EMPTY = "numpy.f2py"

_NO_PLUGINS = ("PYDANTIC_DISABLE_PLUGINS", "__all__")


class Absent(MetaPathFinder, Loader):
    """Makes `UNUSED` look as if they were not installed, and `EMPTY` as if nothing was in it.

    (None in sys.modules would do for Python code; Cython's import then gives
    pyarrow that None.)
    """

    def find_spec(self, fullname: str, *_where: object) -> ModuleSpec | None:
        """Raise ModuleNotFoundError for an unused library; leave others to the next finder."""
        if fullname in UNUSED:
            raise ModuleNotFoundError(f"{fullname} is left out of this program", name=fullname)
        return ModuleSpec(fullname, self) if fullname == EMPTY else None

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module as it is."""


def leave_out_unused() -> None:
    """Call it before the first `import xgboost` of the process, and the first of pydantic."""
    sys.meta_path.insert(0, Absent())
    os.environ.update([_NO_PLUGINS])


@contextmanager
def left_out_unused() -> Iterator[None]:
    """Leave them out of what is imported inside."""
    absent, before = Absent(), os.environ.get(_NO_PLUGINS[0])
    sys.meta_path.insert(0, absent)
    os.environ.update([_NO_PLUGINS])
    try:
        yield
    finally:
        sys.meta_path.remove(absent)
        _forget_empty()
        del os.environ[_NO_PLUGINS[0]]
        if before is not None:
            os.environ[_NO_PLUGINS[0]] = before


def _forget_empty() -> None:
    """Have `EMPTY` imported as it is from now on, if it was left out."""
    module = sys.modules.get(EMPTY)
    if isinstance(getattr(module, "__loader__", None), Absent):
        parent, _, name = EMPTY.rpartition(".")
        del sys.modules[EMPTY]
        vars(sys.modules[parent]).pop(name, None)
