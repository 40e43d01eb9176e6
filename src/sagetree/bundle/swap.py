"""Files of a folder exchanged for others: all of them, or none."""

import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

_WORKSPACE = ".sagetree-"


def swap_files(folder: Path, files: Mapping[str, bytes], earlier: Collection[str]) -> None:
    """Write `files` into `folder`, the last one last, in the place of those named by `earlier`.

    Raises OSError where that fails; then what was there is there again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{_WORKSPACE}*"):  # by one that was killed
        shutil.rmtree(left, ignore_errors=True)
    workspace = folder / f"{_WORKSPACE}{os.getpid()}"
    new, old = workspace / "new", workspace / "old"
    try:
        for name, data in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_bytes(data)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        _exchange(folder, new, old, [*(name for name in earlier if name not in files), *files])
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def _exchange(folder: Path, new: Path, old: Path, names: Collection[str]) -> None:
    """Move each name's file from `folder` to `old` and from `new` to `folder`."""
    moved: list[tuple[Path, Path]] = []

    def move(source: Path, target: Path) -> None:
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
            moved.append((source, target))

    try:
        for name in names:
            move(folder / name, old / name)
            move(new / name, folder / name)
    except BaseException:
        for source, target in reversed(moved):
            target.replace(source)
        raise
