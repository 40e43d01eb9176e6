"""Many rows on the page: as the server reads them, whatever the CSV looks like."""

import json
from pathlib import Path

import numpy as np
import pytest
import xgboost
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.serve.artifacts import INPUTS
from tests.serve.page.browsing import BROWSED, Page
from tests.serve.rows import NAMES, Record, csv_body, records
from tests.serve.server_process import ServerProcess, eventually, healthy, serving

pytestmark = BROWSED


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
        ("1,rear,true\n", "line 1: there are 3 columns, and the model has 5 or 6 columns"),
    ],
    ids=["empty", "cell", "short"],
)
def test_rows_that_are_refused_say_why(text: str, problem: str, page: Page):
    page.at("rows-text").send_keys(text)
    page.at("rows-score").click()
    page.wait(lambda: page.at("rows-problem").is_displayed())
    assert problem in page.text("rows-problem")
    assert not page.at("rows-table").is_displayed()


# Each opens its rows in the form and scores them there, from what the page read of them.
OPENED = """
const [text, file, done] = arguments;
(async () => {
  at("rows-text").value = text;
  at("rows-file").value = "";
  if (file.length) {
    const chosen = new DataTransfer();
    chosen.items.add(new File([Uint8Array.from(file)], "rows.csv"));
    at("rows-file").files = chosen.files;
  }
  await scoreRows();
  const found = [];
  for (const one of scored) {
    openRow(one);
    const answer = await predictions(rowsRequest([row()], "score"));
    found.push([one.score, answer.rows[0].score]);
  }
  done(found);
})();
"""


def opened(page: Page, text: str, file: bytes = b"") -> list[tuple[float, float]]:
    """Return each row's score in the table, and that of the form it is opened in."""
    return page.browser.execute_async_script(OPENED, text, list(file))


FIVE = csv_body(INPUTS, records(5, 8), header=False).decode()
HEAD = csv_body(INPUTS, [], header=True).decode()
WITH_ID = csv_body(NAMES, records(5, 8), header=False).decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ufeff" + HEAD + FIVE, id="bom"),
        pytest.param(HEAD.replace("num_claims,a<b", " num_claims , a<b ") + FIVE, id="blanks"),
        pytest.param(HEAD + '1, "rear" ,true,2020-01-01, "small"\n', id="blanks-by-quotes"),
        pytest.param(HEAD + '1,5" rear,true,2020-01-01,small\n' + FIVE, id="quote-in-a-cell"),
        pytest.param(WITH_ID, id="all-columns"),
        pytest.param(csv_body(NAMES[::-1], records(5, 8), header=True).decode(), id="order"),
        pytest.param("1;rear;true;2020-01-01;small\n", id="semicolons"),
        pytest.param('1;"a,b,c,d,e,f,g";true;2020-01-01;small\n', id="commas-in-a-cell"),
        pytest.param((HEAD + FIVE).replace("\n", "\r\n") + "\r\n\r\n", id="crlf"),
    ],
)
def test_a_row_opened_is_the_row_that_was_scored(text: str, page: Page):
    pairs = opened(page, text) + opened(page, "", text.encode())
    assert pairs
    assert all(score == pytest.approx(again, abs=1e-6) for score, again in pairs)


@pytest.mark.parametrize(
    "text", ["f\n1\n\n3\n", "1\n\n3\n", "\n1\n3\n", 'f\n1\n""\n3\n', "1\n3\n\n"]
)
def test_an_empty_line_is_a_row_of_one_column(text: str, browser: WebDriver, tmp_path: Path):
    matrix = np.arange(200.0)[:, None] % 10
    matrix[::7] = np.nan
    data = xgboost.DMatrix(matrix, np.nan_to_num(matrix[:, 0], nan=-9), feature_names=["f"])
    (tmp_path / "model").mkdir()
    xgboost.train({"nthread": 1}, data, 5).save_model(tmp_path / "model" / "model.json")
    with serving(tmp_path, tmp_path / "log") as server:
        eventually(lambda: healthy(server))
        pairs = opened(Page(browser, server), text)
    assert len(pairs) == 3
    assert all(score == pytest.approx(again, abs=1e-6) for score, again in pairs)
    assert len({score for score, _ in pairs}) == 3


def test_a_file_that_is_not_utf_8_is_refused(page: Page):
    opened(page, "", (HEAD + FIVE).encode("latin-1"))
    assert "line 1: the text is not UTF-8\nSave the file as UTF-8" in page.text("rows-problem")
    page.browser.get_log("browser")  # of the 400


def test_text_takes_the_place_of_a_file(page: Page):
    opened(page, "", FIVE.encode())
    page.at("rows-text").send_keys("1,rear,true,2020-01-01,small")
    page.at("rows-score").click()
    page.wait(lambda: page.text("rows-told") == "1 row")
    assert not page.at("rows-file").get_property("files")
