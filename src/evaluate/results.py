"""The files that an evaluation or a comparison leaves."""

from collections.abc import Mapping
from pathlib import Path

import orjson


def write_results(folder: Path, contents: Mapping[str, object]) -> None:
    """Write each content as a JSON file; a file without content of an earlier run goes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        path = folder / name
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
