"""Models of XGBoost's own on the page: names, objectives and outputs of every kind."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.support.ui import Select

from tests.serve.page.browsing import BROWSED, Page
from tests.serve.server_process import eventually, healthy, serving

pytestmark = BROWSED

MATRIX = np.random.default_rng(5).normal(size=(300, 3))
SUM = MATRIX @ [2.0, 1.0, 0.0]
# Names of what every object of JavaScript has.
NAMES = ["constructor", "toString", "__proto__"]

Look = Callable[[Page], None]


def _text(name: str, text: str) -> Look:
    return lambda page: page.wait(lambda: text in page.text(name))


@pytest.mark.parametrize(
    ("params", "label", "look"),
    [
        ({}, SUM, _text("reasons", "constructor = missing")),
        ({"booster": "gblinear"}, SUM, _text("score-title", "Score")),
        ({}, np.c_[SUM, -SUM], _text("value", ", −")),
        ({"multi_strategy": "multi_output_tree"}, np.c_[SUM, -SUM], _text("value", ", −")),
        ({"objective": "binary:logistic"}, np.c_[SUM > 0, SUM < 0], _text("value", "0.")),
        ({"objective": "binary:hinge"}, SUM > 0, _text("verdict", "Predicted label 1")),
        ({"objective": "multi:softmax", "num_class": 3}, np.digitize(SUM, [-1, 1]),
         _text("example", "row 1: 2")),
    ],
    ids=["plain", "gblinear", "outputs", "output-trees", "labels", "hinge", "softmax"],
)  # fmt: skip
def test_it_is_scored(
    params: dict[str, object], label: object, look: Look, browser: WebDriver, tmp_path: Path
):
    data = xgboost.DMatrix(MATRIX, np.asarray(label, np.float32), feature_names=NAMES)
    (tmp_path / "model").mkdir()
    booster = xgboost.train({"nthread": 1, **params}, data, 5)
    booster.save_model(tmp_path / "model" / "model.json")
    with serving(tmp_path, tmp_path / "log") as server:
        eventually(lambda: healthy(server))
        page = Page(browser, server)
        look(page)
        assert not page.at("problem").is_displayed()
    assert not browser.get_log("browser")


@pytest.mark.parametrize("objective", ["multi:softprob", "multi:softmax"])
def test_what_if_says_of_which_class_it_speaks(objective: str, browser: WebDriver, tmp_path: Path):
    words = pd.Categorical(["low", "mid", "high"] * 100)
    table = pd.DataFrame({"word": words, "number": MATRIX[:, 0]})
    data = xgboost.DMatrix(table, words.codes, enable_categorical=True)
    (tmp_path / "model").mkdir()
    params = {"objective": objective, "num_class": 3, "nthread": 1}
    xgboost.train(params, data, 5).save_model(tmp_path / "model" / "model.json")
    with serving(tmp_path, tmp_path / "log") as server:
        eventually(lambda: healthy(server))
        page = Page(browser, server)
        Select(page.field("word")).select_by_visible_text("mid")
        page.wait(lambda: "Probability of 2: from " in page.text("what-if-told"))
        told = page.text("what-if-told")
        least, most = map(float, re.findall(r"(\S+) % \(word = ", told))
        assert 0 < least < 33 < most < 100
        assert "(word = mid)" in told.split(" to ")[1]
        first = Select(page.at("example")).options[0]
        page.wait(lambda: re.match(r"row 1: \d", first.text))
        assert ("%" in first.text) == (objective == "multi:softprob")
