"""XGBoost's tracker, which gives the hosts their ranks, by the library's C interface.

The Python package has it too, and takes seconds to import on a busy machine, while all
hosts wait. Source: XGBoost's C API documentation, "Tracker"; xgboost/tracker.py.
"""

import ctypes
import json

from sagetree.boosters.library import library
from sagetree.errors import PlatformError

_BY_TASK = 1  # the rank is the place of a host's task identifier among all


def start_tracker(address: str, count: int) -> tuple[str, int]:
    """Start a tracker for this many hosts at a port of its own; return where it is.

    It lives as long as this process, and can abort it.
    """
    asked = {
        "dmlc_communicator": "rabit",
        "host": address,
        "n_workers": count,
        "port": 0,
        "sortby": _BY_TASK,
        "timeout": 0,
    }
    tracker, said = ctypes.c_void_p(), ctypes.c_char_p()
    _check(library().XGTrackerCreate(json.dumps(asked).encode(), ctypes.byref(tracker)))
    _check(library().XGTrackerRun(tracker, b"{}"))
    _check(library().XGTrackerWorkerArgs(tracker, ctypes.byref(said)))
    place = json.loads(said.value or b"{}")
    return str(place["dmlc_tracker_uri"]), int(place["dmlc_tracker_port"])


def _check(code: int) -> None:
    if code:
        words = library().XGBGetLastError().decode(errors="replace").strip()
        raise PlatformError("XGBoost's tracker cannot be started", hint=words.splitlines()[0])
