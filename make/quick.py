"""Run the tests nearest to what has changed since the last commit, for 20 seconds at most.

First the tests that changed themselves, then those of the changed modules' own test files, those
that import a changed module, those of the same room, and those that import what imports it.
"""

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "sagetree"

WORKERS = 2

# A process takes a second to start: two files more cost less than another one.
FILES_AT_ONCE = 3

FILES_SHOWN = 10

# A test that is stopped has as long to stop what it started.
GRACE_SECONDS = 2.0
SECONDS = 17.0  # with make, and the grace, it ends within 20

# schemathesis is slow to load, and of no use but to the tests that import it.
OPTIONS = ("-q", "--no-header", "-p", "no:schemathesis", "-m", "not docker and not long")

# pytest's codes: all have passed, or all were left out by their marks.
PASSED = (0, 5)

_IMPORT = re.compile(r"^ *(?:from ([\w.]+) import (\([^)]*\)|.*)|import (.*))$", re.MULTILINE)
_FAILED = re.compile(r"^(?:FAILED|ERROR) ", re.MULTILINE)
_NAME = re.compile(r"[\w.]+")


def changed(root: Path) -> list[str]:
    """Return the paths that differ from the last commit, those git does not know yet too."""
    commands = (
        ["git", "diff", "--name-only", "-z", "--diff-filter=d", "HEAD"],
        ["git", "ls-files", "-z", "--others", "--exclude-standard"],
    )
    texts = [subprocess.check_output(command, cwd=root, text=True) for command in commands]
    return sorted({path for text in texts for path in text.split("\0") if path})


def module_of(path: str) -> str:
    """Return the module that a path is imported as.

    >>> module_of("src/train/columns/kinds.py"), module_of("tests/needs.py")
    ('sagetree.train.columns.kinds', 'tests.needs')
    """
    inner = path.removeprefix("src/").removeprefix(f"{PACKAGE}/")
    name = inner.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return f"{PACKAGE}.{name}" if path.startswith("src/") else name


def mirror_of(path: str) -> Path:
    """Return the test file that is a module's own, whether there is one or not.

    >>> mirror_of("src/train/columns/kinds.py").as_posix()
    'tests/train/columns/test_kinds.py'
    """
    inner = Path(path.removeprefix("src/").removesuffix("/__init__.py"))
    return Path("tests") / inner.parent / f"test_{inner.stem}.py"


def nearest(paths: Sequence[str], root: Path) -> list[Path]:
    """Return the test files that have to do with some paths, the nearest first."""
    files = sorted(file.relative_to(root) for file in (root / "tests").rglob("test_*.py"))
    imports = {file: imported(root / file) for file in files}
    modules = {module_of(path) for path in paths if path.endswith(".py")}
    code = [path for path in paths if not path.startswith("docs/") or path.endswith(".py")]
    own = [mirror_of(path) for path in code]
    rooms = {room for path in code if (room := room_of(path, files))}
    ranks = (
        [Path(path) for path in paths],
        own,
        importing(modules, imports),
        [file for file in files if file.parent in rooms],
        importing(importers(modules), imports),
    )
    known = set(files)
    return list(dict.fromkeys(file for rank in ranks for file in rank if file in known))


def room_of(path: str, files: Iterable[Path]) -> Path | None:
    """Return the folder of tests that is nearest to a path, None where only the root is."""
    folder = Path(path) if path.startswith("tests/") else mirror_of(path)
    with_tests = {file.parent for file in files}
    above = [parent for parent in folder.parents if len(parent.parts) > 1]
    return next((parent for parent in above if parent in with_tests), None)


def imported(file: Path) -> frozenset[str]:
    """Return the modules that a file's import statements may mean."""
    names: set[str] = set()
    for module, given, plain in _IMPORT.findall(file.read_text()):
        names |= {module, *(f"{module}.{name}" for name in _NAME.findall(given))}
        names.update(_NAME.findall(plain))
    return frozenset(names)


def importing(modules: Iterable[str], imports: Mapping[Path, frozenset[str]]) -> list[Path]:
    """Return the files that import one of the modules."""
    wanted = set(modules)
    return [file for file, names in imports.items() if not wanted.isdisjoint(names)]


def importers(modules: Iterable[str]) -> set[str]:
    """Return the modules of the package that import one of these."""
    graph = grimp.build_graph(PACKAGE)
    known = [module for module in modules if module in graph.modules]
    return {name for module in known for name in graph.find_modules_that_directly_import(module)}


class Queue:
    """Test files that are run, a few in a process, until the time is over."""

    def __init__(self, files: Sequence[Path], root: Path, seconds: float) -> None:
        self._files = iter(files)
        self._root = root
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self.run: list[Path] = []
        self.failed = False

    def work(self) -> None:
        """Run a file, then a few at once again and again."""
        at_once = 1
        while time.monotonic() < self._end:
            with self._lock:
                files = list(islice(self._files, at_once))
            at_once = FILES_AT_ONCE
            if not files:
                return
            self._run(files)

    def _run(self, files: list[Path]) -> None:
        command = [sys.executable, "-m", "pytest", *OPTIONS, *map(str, files)]
        process = subprocess.Popen(
            command, cwd=self._root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            output, _ = process.communicate(timeout=max(self._end - time.monotonic(), 0))
            self.run += files
            failed = process.returncode not in PASSED
        except subprocess.TimeoutExpired:
            output = stop(process)
            failed = _FAILED.search(output) is not None
            if not failed:
                return
        self.failed |= failed
        names = ", ".join(map(str, files))
        print(f"{names}\n{output}" if failed else f"{names}: {output.splitlines()[-1]}", flush=True)


def stop(process: subprocess.Popen[str]) -> str:
    """End a run of pytest as Ctrl-C does, which lets it stop its servers; return its output."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=GRACE_SECONDS)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0]


def run(files: Sequence[Path], root: Path, seconds: float) -> int:
    """Run test files, the first ones first; print what came out, and return the exit code."""
    queue = Queue(files, root, seconds)
    workers = [threading.Thread(target=queue.work) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    left = [file for file in files if file not in queue.run]
    if left:
        shown = ", ".join(map(str, left[:FILES_SHOWN])) + (", ..." if left[FILES_SHOWN:] else "")
        print(f"{seconds:.1f} s are over: {len(left)} of {len(files)} files were not run: {shown}")
    return 1 if queue.failed else 0


def main() -> int:
    """Run what is nearest to the changes in this checkout."""
    begin = time.monotonic()
    paths = changed(ROOT)
    files = nearest(paths, ROOT)
    if not files:
        print(f"{len(paths)} files have changed since the last commit, and no test is near them")
        return 0
    return run(files, ROOT, SECONDS - (time.monotonic() - begin))


if __name__ == "__main__":
    sys.exit(main())
