"""Where a user's script finds packages of the official container's names."""

from collections.abc import Mapping
from importlib.util import find_spec
from os import pathsep
from pathlib import Path

# Not on the path of anything else: it would hide from everyone that they are not installed.
FOLDER = Path(__file__).resolve().parent.parent / "official" / "names"


def with_official_names(environ: Mapping[str, str], site: Path | None) -> dict[str, str]:
    """Return the variables of a Python process that finds them, unless they are installed.

    `site` holds the packages that the script alone asked for.
    """
    found = [entry.name for entry in FOLDER.iterdir()]
    own = any(find_spec(name) or (site is not None and (site / name).is_dir()) for name in found)
    if own:
        return dict(environ)
    before = environ.get("PYTHONPATH")
    return {**environ, "PYTHONPATH": pathsep.join(filter(None, [before, str(FOLDER)]))}
