"""The page in a real browser: it scores, explains, refuses, and looks at home on a phone."""

import json
import math
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xgboost
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from sagetree.bundle.bundle import ModelBundle
from sagetree.decisions.curve import Curve
from sagetree.decisions.decision import Decision
from tests.serve.artifacts import INPUTS, client_for
from tests.serve.page.browsing import BROWSED, Page
from tests.serve.rows import CATEGORIES, csv_body, is_fraud, records
from tests.serve.server_process import ServerProcess, eventually, healthy, serving

SECONDS = 20

pytestmark = BROWSED


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
    assert page.field("num_claims").get_attribute("aria-describedby") == "problem"
    assert page.field("x,y").get_attribute("aria-invalid") == "false"
    assert page.field("x,y").get_attribute("aria-describedby") is None
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


def test_labels_of_many_rows_follow_the_threshold(
    browser: WebDriver, curve_dir: Path, tmp_path: Path
):
    def labels() -> list[str]:
        cells = "document.querySelectorAll('#rows-table tbody td:nth-child(3)')"
        found: list[str] = browser.execute_script(
            f"return Array.from({cells}, (cell) => cell.textContent)"
        )
        return found

    with serving(curve_dir, tmp_path / "log") as server:
        eventually(lambda: healthy(server))
        page = Page(browser, server)
        body = csv_body(INPUTS, records(20, 5), header=True).decode()
        browser.execute_script("document.getElementById('rows-text').value = arguments[0]", body)
        page.at("rows-score").click()
        page.wait(lambda: page.at("rows-table").is_displayed())
        assert set(labels()) == {"yes", "no"}
        browser.execute_script("document.getElementById('rows-text').value = 'not scored yet'")
        page.at("cut").send_keys(Keys.HOME)  # everybody is called positive
        page.wait(lambda: set(labels()) == {"yes"})
        page.at("cut").send_keys(Keys.END)
        page.wait(lambda: labels().count("yes") <= 1)
        assert not page.at("rows-problem").is_displayed()


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


@pytest.mark.parametrize(
    ("decision", "told"),
    [
        ("0.9999", "The threshold is 99.99 %, the one that SAGETREE_DECISION sets. The nearest"),
        ("recall>=0.5", "It is the one that SAGETREE_DECISION sets."),
    ],
)
def test_a_threshold_of_the_server_is_not_called_the_models(
    decision: str, told: str, browser: WebDriver, curve_dir: Path, tmp_path: Path
):
    with serving(curve_dir, tmp_path / "log", SAGETREE_DECISION=decision) as server:
        eventually(lambda: healthy(server))
        page = Page(browser, server)
        assert told in page.text("cut-told")
        assert "the best F1" not in page.text("cut-told")


def test_a_cell_keeps_the_line_ends_and_digits_that_a_field_drops(page: Page):
    page.browser.execute_script('fill({"début [UTC]": "2020-01-01\\n", "num_claims": "0x10"})')
    cells = page.browser.execute_script("return row()")
    assert cells["début [UTC]"] == "2020-01-01\n"
    assert cells["num_claims"] == "0x10"  # for the server to refuse, as in a CSV
    texts = page.browser.execute_script(
        "return [12345, 12345678901, 0.123456, 1e300].map(cellText).concat(short(169812.4))"
    )
    assert texts == ["12345", "12345678901", "0.1235", "1e+300", "169812"]


LIGHT = """
const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
const light = (color) => color.match(/[0-9.]+/g).slice(0, 3)
  .map((part) => linear(part / 255))
  .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0.05);
const field = document.querySelector("#fields input");
const text = getComputedStyle(field, "::placeholder").color;
return [text, getComputedStyle(field).backgroundColor].map(light);
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_missing_cell_can_be_read(scheme: str, page: Page):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    least, most = sorted(page.browser.execute_script(LIGHT))
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert most / least >= 4.5  # WCAG 2.2, level AA
