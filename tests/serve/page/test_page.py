"""The page in a real browser: it scores, explains, refuses, and looks at home on a phone."""

import json
import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xgboost
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from sagetree.bundle.bundle import ModelBundle
from sagetree.decisions.curve import Curve
from sagetree.decisions.decision import Decision
from tests.serve.artifacts import INPUTS, client_for
from tests.serve.rows import CATEGORIES, Record, csv_body, is_fraud, records
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


@pytest.fixture(scope="module")
def curve_dir(
    bundle: ModelBundle, base_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The bundle with what each of its scores would do as a threshold."""
    rows = records(300, 1)
    answer = client_for(base_dir / "model").post(
        "/invocations", json=rows, headers={"Accept": "application/json"}
    )
    scores = np.array([found["score"] for found in answer.get_json()["predictions"]])
    thresholds = np.unique(scores)[::-1]
    frauds = scores[[is_fraud(row) for row in rows]]
    curve = Curve(
        thresholds=(thresholds[0] + 1e-6, *thresholds),
        true=(0, *((frauds >= threshold).sum() for threshold in thresholds)),
        called=(0, *((scores >= threshold).sum() for threshold in thresholds)),
        positives=len(frauds),
        rows=len(rows),
    )
    decision = Decision(
        threshold=thresholds[50],
        chosen="the score with the best F1, on the validation rows",
        precision=0.8, recall=0.8, f1=0.8, curve=curve,
    )  # fmt: skip
    base = tmp_path_factory.mktemp("curve")
    replace(bundle, decision=decision).save(base / "model")
    return base


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
    example = json.loads(page.at("model").get_property("textContent"))["examples"][0]
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
        page.wait(lambda: "f0 = 0.9" in page.text("reasons"))
        output = Select(page.at("why-output"))
        assert output.first_selected_option.text == "quantile 0.5"
        median = page.text("reasons")
        output.select_by_visible_text("quantile 0.9")
        page.wait(lambda: page.text("reasons") != median)
        assert "f0 = 0.9" in page.text("reasons")


def test_the_command_gets_the_same_answer(page: Page):
    page.browser.find_element(By.TAG_NAME, "summary").click()
    command = page.at("curl").get_property("textContent")
    ran = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    (found,) = json.loads(ran.stdout)["predictions"]
    assert float(page.text("value").rstrip(" %")) == pytest.approx(found["score"] * 100, abs=0.06)
    assert found["reasons"]


def test_one_can_begin_with_another_row(page: Page):
    choice = Select(page.at("example"))
    page.wait(lambda: all(" %" in option.text for option in choice.options))
    before = page.text("value")
    last = choice.options[-1].text
    choice.select_by_visible_text(last)
    page.wait(lambda: page.text("value") == last.split(": ")[1] != before)


def test_the_threshold_moves_along_the_curve(browser: WebDriver, curve_dir: Path, tmp_path: Path):
    rows = records(300, 1)
    with serving(curve_dir, tmp_path / "log") as server:
        eventually(lambda: healthy(server))
        page = Page(browser, server)
        assert "It is the score with the best F1" in page.text("cut-told")
        slider = page.at("cut")
        slider.send_keys(Keys.END)  # the highest threshold: the row of the highest score alone
        page.wait(lambda: "precision 100.00 %" in page.text("cut-told"))
        assert slider.get_attribute("aria-valuetext") + "." == page.text("cut-told")
        page.wait(lambda: "the threshold is 25.0 %" not in page.text("verdict"))
        page.wait(lambda: "Predicted label no" in page.text("verdict"))
        slider.send_keys(Keys.HOME)  # everybody is called
        page.wait(lambda: "recall 100.00 %, 100.00 % of all rows" in page.text("cut-told"))
        share = sum(map(is_fraud, rows)) / len(rows)
        assert f"precision {share * 100:.1f} %" in page.text("cut-told")
        page.wait(lambda: "Predicted label yes" in page.text("verdict"))
        assert ";decision=" in page.at("curl").get_property("textContent")


def test_without_a_curve_there_is_no_slider(page: Page):
    assert not page.at("threshold").is_displayed()


def test_what_another_category_would_score(page: Page, server: ServerProcess):
    example = json.loads(page.at("model").get_property("textContent"))["examples"][0]
    Select(page.at("what-if-column")).select_by_visible_text("a<b")
    page.wait(lambda: "a<b = " in page.text("what-if-told"))
    bars = re.findall(r"(.+)\n(\S+) %", page.text("what-if-bars"))
    assert [name for name, _ in bars] == [*CATEGORIES, "missing"]
    rows = [{**example, "a<b": value} for value in (*CATEGORIES, None)]
    answer = server.post(json.dumps(rows).encode(), "application/json", Accept="application/json")
    for (_, percent), found in zip(bars, json.loads(answer.body)["predictions"], strict=True):
        assert float(percent) == pytest.approx(found["score"] * 100, abs=0.06)


def test_a_line_shows_what_other_numbers_would_score(page: Page):
    page.type("num_claims", "2")
    Select(page.at("what-if-column")).select_by_visible_text("num_claims")
    page.wait(lambda: "num_claims = " in page.text("what-if-told"))
    (line,) = page.browser.find_elements(By.CSS_SELECTOR, "#what-if-line svg")
    assert line.get_attribute("aria-label") == page.text("what-if-told")
    assert re.fullmatch(
        r"From \S+ % \(num_claims = \S+\) to \S+ % \(num_claims = \S+\), all else as above",
        page.text("what-if-told"),
    )
    page.wait(lambda: page.browser.find_elements(By.CSS_SELECTOR, "#what-if-line circle"))
    before = page.text("what-if-told")
    Select(page.field("a<b")).select_by_visible_text("rear")
    page.wait(lambda: page.text("what-if-told") != before)


def scores_of(server: ServerProcess, rows: list[Record]) -> list[float]:
    answer = server.post(json.dumps(rows).encode(), "application/json", Accept="application/json")
    return [found["score"] for found in json.loads(answer.body)["predictions"]]


@pytest.mark.parametrize("header", [True, False])
def test_pasted_rows_are_scored_and_opened(header: bool, page: Page, server: ServerProcess):
    rows = records(12, 5)
    body = csv_body(INPUTS, rows, header=header).decode()
    page.browser.execute_script("document.getElementById('rows-text').value = arguments[0]", body)
    page.at("rows-score").click()
    page.wait(lambda: page.at("rows-table").is_displayed())
    table = [
        [cell.text for cell in line.find_elements(By.TAG_NAME, "td")]
        for line in page.browser.find_elements(By.CSS_SELECTOR, "#rows-table tbody tr")
    ]
    scores = scores_of(server, rows)
    order = sorted(range(12), key=lambda place: -scores[place])
    assert [int(line[0]) - 1 for line in table] == order
    for line, place in zip(table, order, strict=True):
        assert float(line[1].rstrip(" %")) == pytest.approx(scores[place] * 100, abs=0.06)
        assert line[2] == ("yes" if scores[place] >= 0.25 else "no")
        assert line[4] == (rows[place]["a<b"] or "")
    assert page.text("rows-told") == "12 rows, the highest score first"
    page.browser.find_element(
        By.CSS_SELECTOR, f"[aria-label='Open row {order[-1] + 1} in the form']"
    ).send_keys(Keys.ENTER)
    page.wait(lambda: page.text("value") == table[-1][1])


def test_a_file_of_rows_is_scored_and_saved(page: Page, server: ServerProcess, tmp_path: Path):
    rows = records(300, 6)
    (tmp_path / "rows.csv").write_bytes(csv_body(INPUTS, rows, header=True))
    page.browser.execute_cdp_cmd(
        "Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    page.at("rows-file").send_keys(str(tmp_path / "rows.csv"))
    page.wait(lambda: page.text("rows-told") != "")
    assert page.text("rows-told") == "300 rows, the highest score first, the first 200 are shown"
    page.at("rows-save").click()
    page.wait(lambda: (tmp_path / "scores.csv").is_file())
    head, *lines = (tmp_path / "scores.csv").read_text().splitlines()
    assert head == "score,predicted_label"
    assert [float(line.split(",")[0]) for line in lines] == scores_of(server, rows)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "There are no rows\nPaste some, or choose a file"),
        (
            "many,rear,true,2020-01-01,small\n",
            "line 1, column 'num_claims': 'many' is text where a number is expected",
        ),
        ("1,rear,true\n", "line 1: there are 3 columns where the model has 5 or 6 columns"),
    ],
    ids=["empty", "cell", "short"],
)
def test_rows_that_are_refused_say_why(text: str, problem: str, page: Page):
    page.at("rows-text").send_keys(text)
    page.at("rows-score").click()
    page.wait(lambda: page.at("rows-problem").is_displayed())
    assert problem in page.text("rows-problem")
    assert not page.at("rows-table").is_displayed()


def test_all_of_it_is_reached_by_the_keyboard_and_has_a_name(page: Page):
    controls = page.browser.find_elements(
        By.CSS_SELECTOR, "input, select, textarea, button, summary"
    )
    shown = [control for control in controls if control.is_displayed()]
    assert all(control.accessible_name for control in shown)
    reached = set()
    page.browser.execute_script("document.activeElement.blur()")
    for _ in range(3 * len(shown)):
        ActionChains(page.browser).send_keys(Keys.TAB).perform()
        reached.add(page.browser.switch_to.active_element.id)
    assert {control.id for control in shown} <= reached


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
