"""The links of a built site: each has to lead to a file of it, and to a place in that file."""

from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Loaded by the browser with the page, where the reader has not asked for it.
_LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}


class _Page(HTMLParser):
    """The links and the named places of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.places |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag in _LOADED and found.get(_LOADED[tag]):
            self.loaded.append(found[_LOADED[tag]])


def broken_links(site: Path) -> list[tuple[str, str]]:
    """Return the pages and links that lead nowhere, or that load something from elsewhere."""
    texts = {path: path.read_text("utf-8") for path in sorted(site.rglob("*.html"))}
    read = {path: _Page(text) for path, text in texts.items()}
    broken: list[tuple[str, str]] = []
    for path, page in read.items():
        place = str(path.relative_to(site))
        # the page of a wrong address knows only where the site's root is
        root = site if path.name == "404.html" else path.parent
        broken += [(place, link) for link in page.links if not _leads(link, path, root, read)]
        broken += [
            (place, link)
            for link in page.loaded
            if urlsplit(link).netloc or not _leads(link, path, root, read)
        ]
    return broken


def _leads(link: str, path: Path, root: Path, pages: Mapping[Path, _Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return parts.scheme in ("http", "https", "data", "mailto")
    target = path
    if parts.path:
        target = (root / unquote(parts.path).lstrip("/")).resolve()
        target = target / "index.html" if target.is_dir() else target
    if not target.is_file():
        return False
    place = unquote(parts.fragment)
    return not place or target not in pages or place in pages[target].places
