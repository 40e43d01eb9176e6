"""A browser, and the page in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver

from tests.serve.page.browsing import Page
from tests.serve.server_process import ServerProcess, eventually, healthy, serving


@pytest.fixture(scope="module")
def server(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(base_dir, tmp_path_factory.mktemp("page") / "log") as server:
        eventually(lambda: healthy(server))
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[WebDriver]:
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = Service(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: WebDriver, server: ServerProcess) -> Iterator[Page]:
    page = Page(browser, server)
    yield page
    # an answer that refuses a row is shown as an error by the browser, nothing else is
    told = [entry["message"] for entry in browser.get_log("browser")]
    assert not [text for text in told if "422" not in text]
