"""The page in a real browser: it scores, explains, refuses, and looks at home on a phone."""

import json
import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xgboost
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.serve.server_process import ServerProcess, eventually, healthy, serving

SECONDS = 20

pytestmark = [
    pytest.mark.long,  # a browser takes seconds to start
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="chromium and chromedriver are not installed (Debian: chromium, chromium-driver)",
    ),
]


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


@pytest.fixture
def page(browser: WebDriver, server: ServerProcess) -> Iterator[Page]:
    page = Page(browser, server)
    yield page
    # an answer that refuses a row is told as an error by the browser, nothing else is
    told = [entry["message"] for entry in browser.get_log("browser")]
    assert not [text for text in told if "422" not in text]


def test_the_example_is_scored_and_explained(page: Page, server: ServerProcess):
    example = json.loads(page.at("model").get_property("textContent"))["example"]
    body = json.dumps([example]).encode()
    answer = server.post(body, "application/json", Accept="application/json")
    score = json.loads(answer.body)["predictions"][0]["score"]
    assert float(page.text("value").rstrip(" %")) == pytest.approx(score * 100, abs=0.06)
    assert page.at("gauge").is_displayed()
    assert "the threshold is 25.0 %" in page.text("verdict")
    assert page.text("score-title") == "P(fraud = yes)"
    assert page.at("reasons").find_elements(By.TAG_NAME, "li")
    assert page.at("sentences").find_elements(By.TAG_NAME, "li")


def test_a_changed_field_changes_the_score_and_the_example_comes_back(page: Page):
    before = page.text("value")
    page.type("num_claims", "8.5")
    Select(page.field("a<b")).select_by_visible_text("rear")
    page.wait(lambda: page.text("value") != before)
    assert "num_claims = 8.5" in page.text("reasons")
    Select(page.field("a<b")).select_by_visible_text("never seen in training")
    page.wait(lambda: "never seen in training" in page.text("sentences"))
    page.browser.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    page.wait(lambda: page.text("value") == before)


def test_a_cell_that_is_refused_is_marked_and_the_reason_told(page: Page):
    page.type("num_claims", "many")
    page.wait(lambda: page.at("problem").is_displayed())
    assert "'many' is text where a number is" in page.text("problem")
    assert page.field("num_claims").get_attribute("aria-invalid") == "true"
    assert page.field("x,y").get_attribute("aria-invalid") == "false"
    assert not page.at("why").is_displayed()
    page.type("num_claims", "3")
    page.wait(lambda: page.at("why").is_displayed())
    assert not page.at("problem").is_displayed()


def test_of_several_classes_the_predicted_one_is_explained(
    browser: WebDriver, multiclass_dir: Path, tmp_path: Path
):
    with serving(multiclass_dir.parent, tmp_path / "log") as server:
        eventually(lambda: healthy(server))
        page = Page(browser, server)
        for label, cells in enumerate(([".9", ".2", ".1"], [".1", ".95", ".3"], ["0", ".3", ".8"])):
            for place, text in enumerate(cells):
                page.browser.find_element(By.ID, f"field-{place}").clear()
                page.browser.find_element(By.ID, f"field-{place}").send_keys(text)
            page.wait(lambda cells=cells: all(f"= {float(t):g}" in page.text("why") for t in cells))
            assert page.text("value") == str(label)
            assert f"the probability of {label} up" in page.text("why")
            bars = dict(re.findall(r"(\w+) = \S+\n([+−]\S+)", page.text("reasons")))
            odds = dict(re.findall(r"(\w+) = .* \(odds x (\S+)\)", page.text("sentences")))
            assert odds
            for column, factor in odds.items():
                effect = math.exp(float(bars[column].replace("−", "-")))
                assert effect == pytest.approx(float(factor), rel=0.06)


def test_several_quantiles_have_their_reasons(browser: WebDriver, tmp_path: Path):
    source = np.random.default_rng(5)
    matrix = source.random((200, 3), np.float32)
    params = {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9], "nthread": 1}
    booster = xgboost.train(params, xgboost.QuantileDMatrix(matrix, matrix[:, 0] * 100), 5)
    (tmp_path / "model").mkdir()
    booster.save_model(tmp_path / "model" / "model.json")
    with serving(tmp_path, tmp_path / "log") as server:
        eventually(lambda: healthy(server))
        page = Page(browser, server)
        page.browser.find_element(By.ID, "field-0").send_keys("0.9")
        page.wait(lambda: "raises the score of quantile 0.5 by" in page.text("sentences"))
        assert page.at("why").is_displayed()


def test_the_command_gets_the_same_answer(page: Page):
    page.browser.find_element(By.TAG_NAME, "summary").click()
    command = page.at("curl").get_property("textContent")
    ran = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    (found,) = json.loads(ran.stdout)["predictions"]
    assert float(page.text("value").rstrip(" %")) == pytest.approx(found["score"] * 100, abs=0.06)
    assert found["reasons"]


def test_nothing_comes_from_elsewhere(page: Page, server: ServerProcess):
    script = "return performance.getEntries().map((entry) => entry.name)"
    fetched = [name for name in page.browser.execute_script(script) if "://" in name]
    assert fetched
    assert all(name.startswith(f"http://127.0.0.1:{server.port}/") for name in fetched)


@pytest.mark.parametrize("width", [320, 390, 800, 1280])
def test_it_fits_every_width(width: int, browser: WebDriver, server: ServerProcess):
    page = Page(browser, server, width)
    script = "return [document.documentElement.scrollWidth, innerWidth]"
    found, room = page.browser.execute_script(script)
    assert found <= room == width
    controls = page.browser.find_elements(By.CSS_SELECTOR, "input, select, button[type]")
    heights = [control.size["height"] for control in controls if control.is_displayed()]
    assert min(heights) >= 40  # a finger's width
