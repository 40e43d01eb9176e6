"""Calls from a room to one above it, along two walks: as few as docs/architecture.md says."""

import gc
import json
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import numpy as np

from sagetree.machine.paths import OptMl
from sagetree.serve.application import Application
from sagetree.serve.protocol.messages import Request
from sagetree.train.channels.ingest import ingest
from sagetree.train.settings.configuration import read_settings
from tests.serve.artifacts import holder_for, make_bundle, settings_for, site_of
from tests.serve.asking import CSV

ROOT = Path(__file__).parents[2]

Climb = tuple[str, str]


def floors() -> dict[str, int]:
    """Each room by its full name, and its floor: that of the layers that imports keep to."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = {}
    for contract in settings["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers":
            (container,) = contract["containers"]
            for floor, rooms in enumerate(reversed(contract["layers"])):
                found |= {f"{container}.{room.strip()}": floor for room in rooms.split("|")}
    return found


FLOORS = floors()
PROGRAMS = ("train", "serve")


def is_ours(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__", "").startswith("sagetree.")


def room_of(frame: FrameType) -> str:
    parts = frame.f_globals["__name__"].split(".")
    return ".".join(parts[: 3 if parts[1] in PROGRAMS else 2])


def floor_of(frame: FrameType) -> tuple[int, int]:
    """The floor of its part of the house, and within a program that of its room."""
    room = room_of(frame)
    return FLOORS[".".join(room.split(".")[:2])], FLOORS[room]


def climbs_in(work: Callable[[], object]) -> set[Climb]:
    """The room that calls, and the function of a higher one, of all such calls in `work`."""
    found: set[Climb] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event != "call" or not is_ours(frame) or frame.f_code.co_name == "<module>":
            return
        caller = frame.f_back
        while caller and not is_ours(caller):
            caller = caller.f_back
        if caller and floor_of(caller) < floor_of(frame):
            found.add((room_of(caller), f"{room_of(frame)}:{frame.f_code.co_firstlineno}"))

    gc.collect()  # generators that other tests left would be closed from anywhere
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


def test_a_csv_body_climbs_three_times(tmp_path: Path) -> None:
    """The first is the worker's loop's, which knows the application by a protocol."""
    make_bundle(1).save(tmp_path)
    settings = settings_for(tmp_path)
    application = Application(site_of(settings, holder_for(tmp_path, settings)))
    request = Request("POST", "/invocations", "", {"content-type": "text/csv"}, CSV)
    assert application.answer(request).status == 200
    found = climbs_in(lambda: application.answer(request))
    assert {caller for caller, _ in found} == {"sagetree.serve.answers", "sagetree.tables"}


def test_a_channel_climbs_at_most_eight_times(tmp_path: Path) -> None:
    opt_ml = OptMl(tmp_path)
    random = np.random.default_rng(0)
    lines = [f"{n % 2},{random.random():.3f},word{n % 7}" for n in range(200)]
    lines += lines[:20]  # copies
    for channel in ("train", "validation"):
        (opt_ml.data / channel).mkdir(parents=True)
        (opt_ml.data / channel / "a.csv").write_text("\n".join(lines))
    opt_ml.config.mkdir(parents=True)
    opt_ml.hyperparameters.write_text(json.dumps({"num_round": "5"}))
    settings = read_settings(opt_ml, {})
    found = climbs_in(lambda: ingest(opt_ml, settings))
    assert {caller for caller, _ in found} == {
        "sagetree.files", "sagetree.bundle", "sagetree.tables",
    }  # fmt: skip
    assert len(found) <= 8, found
