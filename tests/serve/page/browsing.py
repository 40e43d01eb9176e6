"""The page as a person uses it, and what a browser for it needs."""

import shutil

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.serve.server_process import ServerProcess

SECONDS = 20

BROWSED = [
    pytest.mark.long,  # a browser takes seconds to start
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="chromium and chromedriver are not installed (Debian: chromium, chromium-driver)",
    ),
]


class Page:
    """The page, as a person uses it."""

    def __init__(self, browser: WebDriver, server: ServerProcess, width: int = 1280) -> None:
        self.browser = browser
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        browser.get(f"http://127.0.0.1:{server.port}/")
        self.wait(lambda: self.text("value") not in ("", "…"))

    def at(self, name: str) -> WebElement:
        return self.browser.find_element(By.ID, name)

    def text(self, name: str) -> str:
        return self.at(name).text

    def field(self, column: str) -> WebElement:
        (found,) = [
            control
            for control in self.browser.find_elements(By.CSS_SELECTOR, "#fields [data-column]")
            if control.get_attribute("data-column") == column
        ]
        return found

    def type(self, column: str, text: str) -> None:
        self.field(column).clear()
        self.field(column).send_keys(text)

    def wait(self, check: object) -> None:
        assert callable(check)
        WebDriverWait(self.browser, SECONDS).until(lambda _: check())
