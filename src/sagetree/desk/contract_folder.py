"""--out: a folder like /opt/ml that a command lays out itself, with links to the user's files.

A mark says that a command made it. Only such a folder is laid out again, and
nothing in its inputs is removed but links. A command at work holds the mark
locked: two at once would mix their files.
"""

import errno
import fcntl
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import orjson

from sagetree.errors import PlatformError, SettingsError, quote
from sagetree.machine.paths import BASE_DIR_VARIABLE, DEFAULT_BASE_DIR, OptMl

DEFAULT_OUT = Path("sagetree-out")

MARK = ".sagetree-out"
_MARK_TEXT = (
    "A command of sagetree made this folder. The next one with files as arguments replaces\n"
    "the links below input/ and processing/ and input/config/hyperparameters.json.\n"
)

# What a file system without locks says.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})

_NAMES_SHOWN = 3

_MOVE = "Move it away, or name another folder with --out"


def refuse_base_dir(environ: Mapping[str, str], named: str) -> None:
    """Raise SettingsError where the environment names a job's folder as well.

    The image sets the variable to /opt/ml, which is what holds without it.
    """
    base = environ.get(BASE_DIR_VARIABLE)
    if base and base != DEFAULT_BASE_DIR:
        raise SettingsError(
            f"it names the folder {quote(base)}, and the command names {named}",
            where=BASE_DIR_VARIABLE,
            hint=f"Unset it, or leave out {named}",
        )


def is_marked(folder: Path) -> bool:
    """Say whether a command made the folder."""
    return (folder / MARK).is_file()


@contextmanager
def claimed(out: Path) -> Iterator[OptMl]:
    """Give the folder `out`, made if need be, as /opt/ml to this command alone.

    Raises SettingsError for one that holds anything and that no command made, and
    for one in which another command is at work; PlatformError for one that cannot
    be written.
    """
    with _written(out):
        _check_ours(out)
        out.mkdir(parents=True, exist_ok=True)
        mark = (out / MARK).open("ab", buffering=0)  # nothing is left to be written at its end
    with mark:
        with _written(out):
            _lock(mark, out)
            mark.truncate(0)
            mark.write(_MARK_TEXT.encode())
        yield OptMl(out)


def _check_ours(out: Path) -> None:
    if out.exists() and not out.is_dir():
        hint = "Name a folder: a new one, or one of an earlier command"
        raise SettingsError("it is a file", where=f"--out {out}", hint=hint)
    found = sorted(path.name for path in out.iterdir()) if out.exists() else []
    if found and MARK not in found:
        others = len(found) - _NAMES_SHOWN
        more = f" and {others} more" if others > 0 else ""
        raise SettingsError(
            "the folder was not made by a command of sagetree, and it holds "
            f"{', '.join(map(quote, found[:_NAMES_SHOWN]))}{more}",
            where=f"--out {out}",
            hint="Name a new folder, an empty one, or one of an earlier command",
        )


def _lock(mark: FileIO, out: Path) -> None:
    """Lock the mark until it is closed, which a process's end does too.

    Some file systems have no locks: there nothing keeps two commands apart.
    """
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return
        if not isinstance(error, BlockingIOError):
            raise
        raise SettingsError(
            "another command of sagetree is working in it",
            where=f"--out {out}",
            hint="Wait until that one has ended, or name another folder with --out",
        ) from None


def place_links(opt_ml: OptMl, links: Mapping[Path, Path], replaced: Collection[Path]) -> None:
    """Put `links`, from where they lie to where they lead, in the place of `replaced`.

    Raises SettingsError, before anything is changed, where there is more to
    replace than links of an earlier command, and where a link would lead to what
    is replaced; PlatformError where links cannot be made.
    """
    with _written(opt_ml.root):
        earlier = [link for path in replaced for link in _links(path)]
        # of a link of an earlier command, named again, what it leads to
        ends = {link: target.resolve() for link, target in links.items()}
        for link, end in ends.items():
            if any(end.is_relative_to(path.parent.resolve() / path.name) for path in replaced):
                raise SettingsError(
                    "it is among the links that the command replaces",
                    where=str(links[link]),
                    hint="Name the files that they lead to, or another folder with --out",
                )
        for link in earlier:
            link.unlink()
        for path in replaced:
            _remove_folders(path)
        for link, end in ends.items():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(end)


def _links(path: Path) -> list[Path]:
    """Return the links at and below a path. Raises SettingsError for anything but folders."""
    if path.is_symlink():
        return [path]
    if path.is_dir():
        return [link for inside in sorted(path.iterdir()) for link in _links(inside)]
    if path.exists():
        raise SettingsError("no command of sagetree put it there", where=str(path), hint=_MOVE)
    return []


def _remove_folders(path: Path) -> None:
    """Remove a folder that holds nothing but folders."""
    if path.is_dir():
        for inside in path.iterdir():
            _remove_folders(inside)
        path.rmdir()


def write_settings(opt_ml: OptMl, hyperparameters: Mapping[str, str]) -> None:
    """Make `hyperparameters` all that a training job is given.

    Raises SettingsError where there are other settings, PlatformError where
    nothing can be written.
    """
    with _written(opt_ml.root):
        opt_ml.config.mkdir(parents=True, exist_ok=True)
        for path in sorted(opt_ml.config.iterdir()):
            if path != opt_ml.hyperparameters:
                reason = "no command of sagetree put it there"
                raise SettingsError(reason, where=str(path), hint=_MOVE)
        text = orjson.dumps(dict(hyperparameters), option=orjson.OPT_INDENT_2)
        opt_ml.hyperparameters.write_bytes(text)


@contextmanager
def _written(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "Name a folder that you may write to"
        reason = f"it cannot be written: {error.strerror or error}"
        raise PlatformError(reason, where=f"--out {out}", hint=hint) from error
