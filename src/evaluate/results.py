"""The files that an evaluation or a comparison leaves: all of one run, which is the last."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson


def remove_results(folder: Path, names: Iterable[str]) -> None:
    """Remove the files of the run before: beside a failure they would be taken for its own."""
    for name in names:
        (folder / name).unlink(missing_ok=True)


def write_results(folder: Path, contents: Mapping[str, object]) -> None:
    """Write each content as a JSON file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
