"""Parts to files: all of them, whole, or none."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sagetree.prepare.database import Database, identifier, literal
from sagetree.prepare.joining import JOINED
from sagetree.prepare.settings import FORMATS, PARTS, Format
from sagetree.prepare.splitting.assigning import Split

_COPY_OPTIONS = {"parquet": "FORMAT parquet", "csv": "FORMAT csv, HEADER true"}


@dataclass(frozen=True)
class PartFiles:
    """The folder with one folder for each part."""

    folder: Path
    format: Format

    @property
    def folders(self) -> Sequence[Path]:
        """The folders that may be written to."""
        return [self.folder / part for part in PARTS]

    def file(self, part: str, format: str) -> Path:  # noqa: A002
        """Return a part's file."""
        return self.folder / part / f"{part}.{format}"

    def earlier(self, part: str) -> Sequence[Path]:
        """Return what an earlier run has left of a part, on either engine."""
        several = self.folder.glob(f"{part}/{part}-[0-9][0-9][0-9][0-9][0-9].parquet")
        return [*(self.file(part, kind) for kind in FORMATS), *several]

    def unfinished(self, part: str) -> Path:
        """Return a part's file while it is written.

        In the part's own folder: SageMaker mounts each by itself, and nothing
        can be renamed from one mount into another.
        """
        return self.folder / part / f".{part}.unfinished"


def write_parts(
    db: Database, split: Split, first: Sequence[str], left_out: Sequence[str], output: PartFiles
) -> None:
    """Write the rows of each part, the columns `first` before the others.

    Files get their names when all are written; files that an earlier run with
    other settings left under such names go.
    """
    rest = [name for name in db.columns(JOINED) if name not in (*first, *left_out)]
    selected = ", ".join(f"j.{identifier(name)}" for name in (*first, *rest))
    try:
        for part in split.parts:
            target = output.unfinished(part)
            target.parent.mkdir(parents=True, exist_ok=True)
            rows = f"{split.rows(selected)} WHERE a.part = '{part}' ORDER BY {split.order}"
            file = literal(str(target.resolve()))
            db.run(f"COPY ({rows}) TO {file} ({_COPY_OPTIONS[output.format]})")
        _publish(split.parts, output)
    finally:
        for part in split.parts:
            with suppress(OSError):  # the first error says what went wrong
                output.unfinished(part).unlink()


def _publish(parts: Sequence[str], output: PartFiles) -> None:
    finished = [output.file(part, output.format) for part in parts]
    for part, file in zip(parts, finished, strict=True):
        output.unfinished(part).replace(file)
    for part in PARTS:
        for file in output.earlier(part):
            if file not in finished:
                file.unlink(missing_ok=True)
