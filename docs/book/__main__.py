"""Make the book, a site of plain files: make docs.

The Markdown of this checkout keeps its folders, so that its links lead in the site where they lead
in the repository; pages made from the code stand beside them. A link that leads nowhere ends it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from docs.book.contents import CHAPTERS, generated, pages
from docs.book.links import broken_links

ROOT = Path(__file__).parents[2]
SITE = ROOT / ".site"

_LINK = re.compile(r"\]\(([^)\s#]+)[^)]*\)")


def main(arguments: Sequence[str] = ()) -> int:
    """Write the site; return 1 where it has links that lead nowhere."""
    parser = argparse.ArgumentParser(prog="python -m docs.book", description="Make the book.")
    parser.add_argument("--out", type=Path, default=SITE, help="the site's folder (.site)")
    out: Path = parser.parse_args(arguments).out.resolve()
    with TemporaryDirectory() as folder:
        stage = Path(folder)
        _stage(stage / "pages")
        if not _build(stage):
            return 1
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(stage / "site", out)
    broken = broken_links(out)
    for place, link in broken:
        sys.stderr.write(f"{place}: {link} leads nowhere\n")
    if not broken:
        sys.stdout.write(f"Open {out / 'index.html'} in a browser\n")
    return 1 if broken else 0


def _stage(folder: Path) -> None:
    """Copy the pages and what they link, and write those that are made from the code."""
    for page in pages():
        for path in (page, *_linked(page)):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, folder / path)
    for name, text in generated().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def _linked(page: Path) -> Iterator[Path]:
    """Yield the files of this checkout that a page links and that are not pages."""
    for link in _LINK.findall((ROOT / page).read_text("utf-8")):
        path = Path(os.path.normpath(page.parent / link))
        if path.suffix != ".md" and (ROOT / path).is_file():
            yield path


def _build(stage: Path) -> bool:
    """Run zensical, which refuses a link to a page that is not there; say whether it went well."""
    (stage / "zensical.toml").write_text(_settings(), encoding="utf-8")
    command = (sys.executable, "-m", "zensical", "build", "--strict", "-f", "zensical.toml")
    environment = {**os.environ, "NO_COLOR": "1"}
    made = subprocess.run(  # noqa: S603 - zensical, as uv.lock names it
        command, cwd=stage, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if made.returncode:
        sys.stderr.write(made.stdout.decode())
    return made.returncode == 0


def _settings() -> str:
    lines = [
        "[project]",
        'site_name = "sagetree"',
        'site_description = "XGBoost training and serving for Amazon SageMaker, and anywhere else"',
        'docs_dir = "pages"',
        'site_dir = "site"',
        "use_directory_urls = false",
        "nav = [",
        *(f"  {{{_quoted(title)} = [{_entries(entries)}]}}," for title, entries in CHAPTERS),
        "]",
        "[project.theme]",
        "font = false",  # nothing is fetched from elsewhere
        'features = ["navigation.sections", "navigation.footer", "content.code.copy"]',
    ]
    return "\n".join(lines) + "\n"


def _entries(entries: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{{{_quoted(title)} = {_quoted(page)}}}" for title, page in entries)


def _quoted(text: str) -> str:
    return f'"{text}"'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
