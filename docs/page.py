"""Take docs/page.png, a picture of the server's page with the example's model: python -m docs.page.

It trains the example's model in a folder of its own, serves it on loopback, and lets a
headless Chromium draw the page.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from local_test.demo import HERE, make_channels, script, server

PICTURE = Path(__file__).with_name("page.png")

POLICIES, SEED = 20_000, 1

# Pixels: as wide as a README is shown, no higher than some 100 kB.
WIDTH, HEIGHT = 1180, 800

# Of the page's own clock: it asks for the score once it is loaded.
PAGE_MILLISECONDS = 10_000
SECONDS = 120


def main() -> int:
    """Train, serve, and take the picture. Raises SystemExit where there is no Chromium."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("Chromium is not installed (Debian: apt install chromium)")
    with TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(HERE / "test_dir" / "input" / "config", root / "input" / "config")
        make_channels(root, POLICIES, SEED)
        script("train_local.sh", root)
        with server(root) as address:
            take(browser, address, root / "profile")
    return 0


def take(browser: str, address: str, profile: Path) -> None:
    """Write the picture of the page at `address`. Raises CalledProcessError."""
    options = (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={profile}", f"--window-size={WIDTH},{HEIGHT}",
        f"--virtual-time-budget={PAGE_MILLISECONDS}", f"--screenshot={PICTURE}",
    )  # fmt: skip
    command = [browser, *options, f"{address}/"]
    subprocess.run(command, check=True, timeout=SECONDS)  # noqa: S603 - what PATH names


if __name__ == "__main__":
    sys.exit(main())
