"""The report in a real browser: it fits a phone and a desk, in light and in dark."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver

from tests.evaluate.conftest import HEADER, rows
from tests.evaluate.report.test_files import evaluated

pytestmark = [
    pytest.mark.long,  # a browser takes seconds to start
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="chromium and chromedriver are not installed (Debian: chromium, chromium-driver)",
    ),
]

# What WCAG 2 asks of words, and of the parts of a picture.
WORDS, PARTS = 4.5, 3.0


@pytest.fixture(scope="module")
def browser() -> Iterator[WebDriver]:
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def report(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    test = HEADER + "".join(rows(200, 1))
    return evaluated(tmp_path_factory.mktemp("page"), trained, test) / "report.html"


def show(browser: WebDriver, report: Path, width: int, scheme: str) -> None:
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(report.as_uri())


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_fits_every_width(width: int, browser: WebDriver, report: Path):
    show(browser, report, width, "light")
    found, room = browser.execute_script(
        "return [document.documentElement.scrollWidth, innerWidth]"
    )
    assert found <= room == width
    outside = browser.execute_script(
        "return [...document.querySelectorAll('svg')].filter((svg) => {"
        "  const frame = svg.getBoundingClientRect();"
        "  return [...svg.querySelectorAll('text')].some((word) => {"
        "    const box = word.getBoundingClientRect();"
        "    return box.left < frame.left - 1 || box.right > frame.right + 1"
        "      || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;"
        "  });"
        "}).map((svg) => svg.querySelector('title').textContent)"
    )
    assert outside == []
    assert browser.get_log("browser") == []


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_lines_stand_out(scheme: str, browser: WebDriver, report: Path):
    show(browser, report, 1280, scheme)
    page = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (luminance(page) < 0.5) == (scheme == "dark")
    words = browser.execute_script(
        "return [...document.querySelectorAll('p, h1, h2, a, dt, dd, th, td, summary, caption')]"
        ".map((one) => getComputedStyle(one).color)"
    )
    words += browser.execute_script(
        "return [...document.querySelectorAll('svg text')].map((t) => getComputedStyle(t).fill)"
    )
    assert min(contrast(colour, page) for colour in set(words)) >= WORDS
    lines = browser.execute_script(
        "return [...document.querySelectorAll('svg g path')]"
        ".map((p) => [getComputedStyle(p).stroke, getComputedStyle(p).fill])"
    )
    drawn = {colour for pair in lines for colour in pair if colour != "none"}
    assert min(contrast(colour, page) for colour in drawn) >= PARTS
