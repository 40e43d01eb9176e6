"""Pictures of the server's page and of the report, taken by a headless Chromium."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

PAGE, REPORT = "page.png", "report.png"

# Pixels: as wide as a README is shown, no higher than some 100 kB; the report down to its figures.
WIDTH, HEIGHT, REPORT_HEIGHT = 1180, 800, 640

# Of the page's own clock: it asks for the score once it is loaded.
PAGE_MILLISECONDS = 10_000
SECONDS = 120


def find_browser() -> str | None:
    """Return Chromium's program, None where it is not installed."""
    return shutil.which("chromium") or shutil.which("google-chrome")


def take_pictures(browser: str, address: str, report: Path, folder: Path) -> None:
    """Write page.png, of the server at `address`, and report.png. Raises SubprocessError."""
    folder.mkdir(exist_ok=True)
    take(browser, f"{address}/", folder / PAGE, HEIGHT)
    take(browser, report.resolve().as_uri(), folder / REPORT, REPORT_HEIGHT)


def take(browser: str, address: str, picture: Path, height: int) -> None:
    """Write a picture of the page's uppermost pixels. Raises SubprocessError."""
    with TemporaryDirectory() as profile:
        options = (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={profile}", f"--window-size={WIDTH},{height}",
            f"--virtual-time-budget={PAGE_MILLISECONDS}", f"--screenshot={picture}",
        )  # fmt: skip
        command = [browser, *options, address]
        subprocess.run(  # noqa: S603 - what PATH names
            command, check=True, timeout=SECONDS, stderr=subprocess.DEVNULL
        )
