"""What an old XGBoost is asked to do, in a process of its own: read a model, and save it again.

    python -I old_process.py PACKAGES MODEL OUT ATTRIBUTES

It runs where sagetree cannot be imported; PACKAGES is the folder that XGBoost is
in. Its C library suffices, and needs none of what its Python package imports.
"""

import ctypes
import json
import sys
from pathlib import Path


def main(packages: str, model: str, out: str, attributes: str) -> None:
    """Read `model`, set its attributes (a JSON object) and save it as UBJSON in `out`."""
    path = next((Path(packages) / "xgboost" / "lib").glob("libxgboost.*"))
    library = ctypes.CDLL(str(path))
    library.XGBGetLastError.restype = ctypes.c_char_p

    def check(code: int) -> None:
        if code:  # its first line; the others are addresses
            sys.exit(library.XGBGetLastError().decode(errors="replace").strip().splitlines()[0])

    data, booster = Path(model).read_bytes(), ctypes.c_void_p()
    check(library.XGBoosterCreate(None, ctypes.c_uint64(0), ctypes.byref(booster)))
    size = ctypes.c_uint64(len(data))
    check(library.XGBoosterLoadModelFromBuffer(booster, data, size))
    for name, value in json.loads(attributes).items():
        check(library.XGBoosterSetAttr(booster, name.encode(), value.encode()))
    check(library.XGBoosterSaveModel(booster, out.encode()))


if __name__ == "__main__":
    main(*sys.argv[1:])
