"""Libraries that are installed for users' scripts and stay out of our own programs.

`import xgboost` takes up scikit-learn where it finds it, and with it pandas,
pyarrow takes up pandas: together 130 MB and 2 s of start-up, for classes that
none of them uses. Both libraries work without. pydantic looks through all that is installed
for plugins of its own, with the first record that is defined: .04 s of start-up.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder

UNUSED = ("sklearn", "pandas")


class Absent(MetaPathFinder):
    """Makes `UNUSED` look as if they were not installed.

    (None in sys.modules would do for Python code; Cython's import then gives
    pyarrow that None.)
    """

    def find_spec(self, fullname: str, *_where: object) -> None:
        """Raise ModuleNotFoundError for an unused library; leave others to the next finder."""
        if fullname in UNUSED:
            raise ModuleNotFoundError(f"{fullname} is left out of this program", name=fullname)


def leave_out_unused() -> None:
    """Call it before the first `import xgboost` of the process, and the first of pydantic."""
    sys.meta_path.insert(0, Absent())
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"


@contextmanager
def left_out_unused() -> Iterator[None]:
    """Leave them out of what is imported inside."""
    absent = Absent()
    sys.meta_path.insert(0, absent)
    try:
        yield
    finally:
        sys.meta_path.remove(absent)
