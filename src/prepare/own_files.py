"""`sagetree prepare TABLE...`: one's own tables as a job's inputs below --out."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sagetree.desk.contract_folder import DEFAULT_OUT, claimed, place_links, refuse_base_dir
from sagetree.desk.given_files import check_given
from sagetree.desk.next_steps import Step, next_steps
from sagetree.errors import SettingsError, quote
from sagetree.machine.paths import OptMl
from sagetree.prepare.inputs import find_name, is_table, table_name
from sagetree.prepare.settings import PARTS, PrepareSettings


@contextmanager
def laid_out(out: Path, tables: Sequence[Path], environ: Mapping[str, str]) -> Iterator[OptMl]:
    """Give the folder `out`, with the tables as its inputs.

    Raises SettingsError and DataError for what the user gave, PlatformError for
    a folder that cannot be written.
    """
    refuse_base_dir(environ, "TABLE")
    check_given(tables, "TABLE", out)
    tables = [path.resolve() if path.name in ("", "..") else path for path in tables]
    _check_names(tables)
    with claimed(out) as opt_ml:
        inputs = opt_ml.processing / "input"
        links = {inputs / path.name: path for path in tables}
        place_links(opt_ml, links, [inputs])
        yield opt_ml


def _check_names(tables: Sequence[Path]) -> None:
    names: dict[str, Path] = {}
    for path in tables:
        if not is_table(path):
            raise SettingsError(
                "a table is a .csv or .parquet file, or a folder of them",
                where=f"TABLE {path}",
                hint="Save it as one of these, and name that file",
            )
        name = table_name(path)
        if other := find_name(names, name):
            raise SettingsError(
                f"{names[other]} and {path} are both the table {quote(name)}",
                where="TABLE",
                hint="Rename one, or put the files of one table into a folder and name that",
            )
        names[name] = path


def ending(opt_ml: OptMl, settings: PrepareSettings) -> str:
    """Return what a preparation says about its results, and about what comes next."""
    shares = zip(PARTS, settings.shares, strict=True)
    parts = {part: opt_ml.processing / "output" / part for part, share in shares if share}
    train: list[str | Path] = ["sagetree", "train", parts["train"], "--target", settings.label]
    if "validation" in parts:
        train += ["--validation", parts["validation"]]
    if opt_ml.root != DEFAULT_OUT:
        train += ["--out", opt_ml.root]
    steps: list[Step] = [("train", train)]
    if "test" in parts:
        steps.append(("evaluate then", ["sagetree", "evaluate", opt_ml.root, parts["test"]]))
    return next_steps(parts, *steps)
