"""Files and folders that a command names: checked, and each given the name it has in a channel."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sagetree.errors import SettingsError, did_you_mean
from sagetree.files.finding import data_files, is_skipped


def check_given(paths: Iterable[Path], option: str, out: Path) -> None:
    """Raise SettingsError for the first of the data files and folders that cannot be read.

    `option` is what the command calls them. A folder that holds `out` is one:
    what a job writes would be among its rows.
    """
    for path in paths:
        if not path.exists():
            close = did_you_mean(path.name, _names_beside(path))
            raise SettingsError(
                f"the file or folder does not exist{close}",
                where=f"{option} {path}",
                hint="Correct the name; it is relative to the current folder",
            )
        if path.is_dir():
            _check_folder(path, option, out)
        elif not path.is_file():
            raise SettingsError(
                "it is neither a file nor a folder",
                where=f"{option} {path}",
                hint="Save the rows as a file first: they are read more than once",
            )
        elif is_skipped(_name(path)):
            raise SettingsError(
                "files with such a name are not read as data",
                where=f"{option} {path}",
                hint="Rename it if it holds rows",
            )


def _check_folder(path: Path, option: str, out: Path) -> None:
    if out.resolve().is_relative_to(path.resolve()):
        raise SettingsError(
            f"what the job writes to {out} would be read as rows of this folder",
            where=f"{option} {path}",
            hint="Name the files in it, or a folder outside it with --out",
        )
    data_files(path)  # raises where there is none


def _names_beside(path: Path) -> list[str]:
    return [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []


def channel_links(channel: Path, paths: Sequence[Path]) -> Mapping[Path, Path]:
    """Return the links that make the folder `channel` of `paths`: where they lie, and lead.

    A folder alone is the channel itself, so that its folders called key=value
    stay columns. Files of one name get a numbered folder each.
    """
    if len(paths) == 1 and paths[0].is_dir():
        return {channel: paths[0]}
    names = [_name(path) for path in paths]
    is_numbered = len(set(names)) < len(names)
    folders = [
        channel / str(number) if is_numbered else channel for number in range(1, len(paths) + 1)
    ]
    return {folder / name: path for folder, name, path in zip(folders, names, paths, strict=True)}


def _name(path: Path) -> str:
    """Return a name under which a channel's files are read, which hidden ones are not."""
    return path.resolve().name.lstrip(".") if path.name in ("", "..") else path.name.lstrip(".")
