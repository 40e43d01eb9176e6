"""Libraries that are installed for other programs and stay out of the serving process.

`import xgboost` takes up scikit-learn where it finds it, and with it pandas,
pyarrow takes up pandas: together 130 MB a worker and 2 s of start-up, for
classes that serving does not use. Both libraries work without.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

UNUSED = ("sklearn", "pandas")


class Absent(MetaPathFinder):
    """Makes `UNUSED` look as if they were not installed.

    (None in sys.modules would do for Python code; Cython's import then gives
    pyarrow that None.)
    """

    def find_spec(
        self,
        fullname: str,
        _path: Sequence[str] | None,
        _target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Raise ModuleNotFoundError for an unused library; leave others to the next finder."""
        if fullname in UNUSED:
            raise ModuleNotFoundError(f"{fullname} is left out of serving", name=fullname)
        return None


def leave_out_unused() -> None:
    """Call it before the first `import xgboost` of the process."""
    sys.meta_path.insert(0, Absent())
