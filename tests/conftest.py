"""What every test may rely on: no deadline on a busy machine, and no traces of another test."""

import gc
import importlib
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from sagetree.machine.program import LOG

# Workers of one suite share the cores: were each to train on all of them, XGBoost's threads would
# spend a third of the suite waiting for one another. It reads this when it is loaded; the programs
# that tests start are as users start them.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_THREAD_LIMIT"] = "1"
    importlib.import_module("xgboost")
    del os.environ["OMP_THREAD_LIMIT"]

# It would load trio, for tests that are coroutines.
os.environ["HYPOTHESIS_NO_PLUGINS"] = "1"
settings = importlib.import_module("hypothesis").settings
del os.environ["HYPOTHESIS_NO_PLUGINS"]

# A machine with two busy cores says nothing about an example's time. Examples are others each time;
# make test-long and make nightly try many more.
settings.register_profile("sagetree", deadline=None, max_examples=8)
settings.register_profile("many", deadline=None, max_examples=100)
settings.load_profile("sagetree")

PYTEST = "PYTEST_CURRENT_TEST"

# What thousands of small files cost on a disk is half of the suite's time, so they lie in memory,
# unless a place is named, little memory is there, or no program may run from it (as in Docker).
MEMORY, ENOUGH = Path("/dev/shm"), 4 << 30
if (
    "TMPDIR" not in os.environ
    and MEMORY.is_dir()
    and os.access(MEMORY, os.W_OK)
    and shutil.disk_usage(MEMORY).free > ENOUGH
    and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
):
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

# Where `make` runs the suite, a make that a test starts would take itself for a part of it: its
# options, and one line more at both ends of what it prints.
for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"):
    os.environ.pop(name, None)

# Where the suite runs in the background it is ignored, also by every program that is started.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the collector what thousands of tests are made of: a seventh of the suite's time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Undo what a program does to its process: log handlers and those of signals, variables of the
    environment, XGBoost's words."""
    _as_imported(LOG)  # a fixture of a module may have run a program before
    variables = dict(os.environ)
    on_signal = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    # A training's verbosity is the library's from then on, also for whoever comes after it.
    xgboost = sys.modules.get("xgboost")
    with xgboost.config_context() if xgboost else nullcontext():
        yield
    _as_imported(LOG)
    for number, handler in on_signal.items():
        signal.signal(number, handler)
    phase = {PYTEST: os.environ[PYTEST]}  # of the test, by pytest itself
    if os.environ != variables | phase:
        os.environ.clear()
        os.environ.update(variables | phase)


def _as_imported(log: logging.Logger) -> None:
    log.handlers, log.propagate = [], True
    log.setLevel(logging.NOTSET)
