"""Make an installed tree small, and the same bytes every time it is built.

usage: finish.py [--root ROOT] TREE

TREE is a virtual environment, or a part of one, that will lie at the same path without ROOT.
Removed is what no program opens: test suites, headers, type stubs, sources of compiled modules,
an installer's notes. Bytecode is compiled so that it depends on nothing but its source, and every
time stamp becomes SOURCE_DATE_EPOCH.
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Suites that wheels bring along: 110 MB in all.
TEST_FOLDERS = ("tests", "test")
# Modules that others import from a suite; found by importing every module of the image.
KEPT = ("numpy/_core/tests/_natype.py",)
HEADER_FOLDERS = ("include",)
# A suite's file outside of it; it cannot even be imported without pytest.
TEST_FILE = "conftest.py"
# Arrow's network protocol: 34 MB that no other library of Arrow links.
UNUSED = ("pyarrow/*flight*",)
# To change a shell's PATH; the image's is set.
ACTIVATION = ("bin/activate*", "bin/*.bat")
# Headers that a package installs for the whole environment.
HEADERS = ("include",)
# To compile against, or to read: nothing that runs opens them.
SOURCES = (".a", ".c", ".cc", ".cpp", ".h", ".hpp", ".pxd", ".pxi", ".pyi", ".pyx", ".tp")
# What uv notes about where and when it installed, which differs from build to build.
NOTES = ("direct_url.json", "uv_cache.json")

# The hash order decides how sets are written into bytecode.
COMPILE_ENVIRONMENT = {**os.environ, "PYTHONHASHSEED": "0"}


def main() -> int:
    """Finish the tree that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/"))
    parser.add_argument("tree", type=Path)
    options = parser.parse_args()
    (site,) = options.tree.glob("lib/python3.*/site-packages")
    unused = (*matches(site, UNUSED), *matches(options.tree, ACTIVATION + HEADERS))
    for path in {*unneeded(site), *unused}:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for record in sorted(site.glob("*.dist-info/RECORD")):
        drop_removed(record)
    compile_all(site, options.root)
    date_all(options.tree, int(os.environ["SOURCE_DATE_EPOCH"]))
    return 0


def unneeded(site: Path) -> Iterator[Path]:
    """Yield the files and folders that no program opens."""
    kept = {site / name for name in KEPT}
    for folder, folders, files in os.walk(site):
        here = Path(folder)
        for name in sorted(folders):
            path = here / name
            removable = name == "__pycache__" or name in TEST_FOLDERS + HEADER_FOLDERS
            # A top-level `test` would be a package by that name, not the suite of one.
            if here == site or not removable:
                continue
            folders.remove(name)
            if keep := [file for file in kept if path in file.parents]:
                yield from (file for file in path.rglob("*") if file.is_file() and file not in keep)
            else:
                yield path
        noted = here.suffix == ".dist-info"
        for name in files:
            if name.endswith(SOURCES) or name == TEST_FILE or (noted and name in NOTES):
                yield here / name


def matches(folder: Path, patterns: Sequence[str]) -> Iterator[Path]:
    """Yield what any of `patterns` finds in `folder`."""
    for pattern in patterns:
        yield from sorted(folder.glob(pattern))


def drop_removed(record: Path) -> None:
    """Take out of a distribution's list of files those that are gone."""
    site = record.parent.parent
    with record.open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.reader(stream) if (site / row[0]).exists()]
    with record.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows(sorted(rows))


def compile_all(site: Path, root: Path) -> None:
    """Compile every module; the cached file is valid whatever its source's time stamp is.

    One process for each package, because what a process compiled before leaves traces in the
    bytecode (which constants are shared), and it must not depend on who was faster.
    """
    command = [
        sys.executable, "-m", "compileall", "-q", "-f",
        "--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/",
    ]  # fmt: skip

    def run(path: Path) -> int:
        return subprocess.run([*command, str(path)], env=COMPILE_ENVIRONMENT).returncode  # noqa: S603

    packages = sorted(path for path in site.iterdir() if path.is_dir() or path.suffix == ".py")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failed = [
            str(path) for path, code in zip(packages, pool.map(run, packages), strict=True) if code
        ]
    if failed:
        raise SystemExit(f"cannot be compiled: {', '.join(failed)}")


def date_all(tree: Path, epoch: int) -> None:
    """Set every time stamp below `tree`, folders after what they hold."""
    for folder, folders, files in os.walk(tree, topdown=False):
        for name in (*files, *folders):
            os.utime(Path(folder, name), (epoch, epoch), follow_symlinks=False)
    os.utime(tree, (epoch, epoch))


if __name__ == "__main__":
    sys.exit(main())
