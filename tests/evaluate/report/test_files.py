"""report.html, model_card.md and model_card.json: they say the same, and need nothing else."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sagetree.evaluate.cli import main as evaluate
from sagetree.evaluate.job import EVALUATION_FILES
from sagetree.machine.paths import OptMl
from sagetree.train.cli import main as train
from tests.evaluate.conftest import HEADER, rows

MOST_BYTES = 2_000_000


def evaluated(root: Path, model: Path, test: str) -> Path:
    """Evaluate a model on rows, and return the folder of results."""
    opt_ml = OptMl(root)
    shutil.copytree(model, opt_ml.processing / "model")
    (opt_ml.processing / "test").mkdir()
    (opt_ml.processing / "test" / "test.csv").write_text(test)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(root))
        assert evaluate([]) == 0
    return opt_ml.processing / "evaluation"


@pytest.fixture(scope="module")
def results(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evaluated(tmp_path_factory.mktemp("report"), trained, HEADER + "".join(rows(200, 1)))


class Page(HTMLParser):
    """The tags of a page, their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_card_and_page_have_the_numbers_of_the_evaluation(results: Path):
    metrics = json.loads((results / "evaluation.json").read_text())["binary_classification_metrics"]
    card = json.loads((results / "model_card.json").read_text())
    named = {"au_prc" if m["name"] == "aucpr" else m["name"]: m for m in card["metrics"]}
    scalars = {name: one["value"] for name, one in metrics.items() if "value" in one}
    assert {name: metric["value"] for name, metric in named.items()} == scalars
    decision = json.loads((results / "decision.json").read_text())
    assert [named["auc"]["low"], named["auc"]["high"]] == decision["interval"]
    assert card["judgement"]["reason"] == decision["reason"]
    assert card["confusion"] == metrics["confusion_matrix"]
    page = " ".join(Page((results / "report.html").read_text()).words)
    markdown = (results / "model_card.md").read_text()
    for text in (page, markdown):
        assert f"{decision['verdict']}: {decision['reason']}." in text
        assert f"{scalars['auc']:.5g}" in text
        assert f"{scalars['logloss']:.5g}" in text


def test_the_threshold_stands_beside_others(results: Path):
    point = json.loads((results / "evaluation.json").read_text())["operating_point"]
    assert json.loads((results / "model_card.json").read_text())["point"] == point
    page = " ".join(Page((results / "report.html").read_text()).words)
    for called in (point["chosen"], point["even"], point["constant"]):
        alerts = called["alerts"]
        assert called["name"] in page
        assert f"{alerts['value']:.1%} ({alerts['low']:.1%} to {alerts['high']:.1%})" in page


def test_the_card_says_where_the_model_comes_from(results: Path, trained: Path):
    manifest = json.loads((trained / "sagetree" / "manifest.json").read_text())
    making = json.loads((results / "model_card.json").read_text())["making"]
    for name in ("hyperparameters", "versions", "data"):
        assert making[name] == manifest[name]
    assert making["sha256"] == manifest["files"]["xgboost-model"]


def test_the_page_is_one_file_without_links_to_outside(results: Path):
    html = (results / "report.html").read_text()
    page = Page(html)
    assert len(html.encode()) < MOST_BYTES
    assert "http" not in html
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    targets = [attributes["href"] for attributes in page.all("a")]
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert {str(target) for target in targets} <= {f"#{name}" for name in ids}
    assert set(re.findall(r"url\(([^)]*)\)", html)) <= {f"#{name}" for name in ids}


def test_each_picture_is_told_in_words_and_has_its_numbers(results: Path):
    page = Page((results / "report.html").read_text())
    ids = {attributes.get("id") for _, attributes in page.tags}
    pictures = page.all("svg")
    titles = "".join(page.words)
    for title in (
        "ROC curve", "Precision and recall", "Gain", "Reliability", "Learning curve: auc",
        "Scores of positive and negative rows", "Importance of the columns",
        "What moves single rows", "How amount moves the score",
    ):  # fmt: skip
        assert f"The numbers: {title}" in titles
    assert len(pictures) == len(page.all("details")) == len(page.all("figure"))
    for picture in pictures:
        assert picture["role"] == "img"
        assert set(str(picture["aria-labelledby"]).split()) <= ids


def test_the_same_evaluation_gives_the_same_report(results: Path, trained: Path, tmp_path: Path):
    again = evaluated(tmp_path, trained, HEADER + "".join(rows(200, 1)))
    for name in ("report.html", "model_card.md", "model_card.json"):
        assert (again / name).read_bytes() == (results / name).read_bytes()


HOSTILE = ["<script>alert(1)</script>", "$x^{$", "a|b `c` [d](http://e)", "x" * 500]
WORD = '"><img src=x onerror=alert(1)>'


def hostile_table(count: int) -> str:
    header = ",".join(["y", *(f'"{name}"' for name in HOSTILE)])
    word = WORD.replace('"', '""')
    lines = [
        f'{n % 2},{n % 7},{n % 2 + n % 3},"{word if n % 2 else "b"}",{n % 5}' for n in range(count)
    ]
    return "\n".join([header, *lines]) + "\n"


def test_names_and_cells_are_shown_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    data = tmp_path / "ml" / "input" / "data" / "train"
    data.mkdir(parents=True)
    (data / "t.csv").write_text(hostile_table(120))
    assert train(["--set", "num_round=3", "--set", "eta=0.9"]) == 0
    folder = evaluated(tmp_path / "test", tmp_path / "ml" / "model", hostile_table(100))
    html = (folder / "report.html").read_text()
    page = Page(html)
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    words = "".join(page.words)
    assert HOSTILE[0] in words
    assert HOSTILE[1] in words
    assert WORD[:19] in words  # this many letters of a category are shown
    assert len(html) < MOST_BYTES
    markdown = (folder / "model_card.md").read_text()
    assert "<script" not in markdown
    assert r"a\|b \`c\` \[d\](http://e)" in markdown
    assert {
        d["column"]
        for d in json.loads((folder / "model_card.json").read_text())["drivers"]["columns"]
    } == set(HOSTILE)


def test_a_model_that_says_the_same_of_every_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    data = tmp_path / "ml" / "input" / "data" / "train"
    data.mkdir(parents=True)
    (data / "t.csv").write_text(HEADER + "".join(rows(100, 0)))
    assert train(["--set", "num_round=1", "--set", "gamma=1e6"]) == 0
    folder = evaluated(tmp_path / "test", tmp_path / "ml" / "model", HEADER + "".join(rows(60, 1)))
    card = json.loads((folder / "model_card.json").read_text())
    assert next(m["value"] for m in card["metrics"] if m["name"] == "auc") == 0.5
    # checking any 10 % finds 10 %
    assert [load["lift"] for load in card["outcome"]["workloads"]] == pytest.approx([1] * 4)
    assert card["outcome"]["slope"] is None
    text = "".join(Page((folder / "report.html").read_text()).words)
    assert "Caution: the model has learnt nothing that the test rows show" in text
    assert "The calibration slope cannot be estimated from these rows." in text


def test_one_row_is_refused_and_no_report_is_written(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    opt_ml = OptMl(tmp_path)
    shutil.copytree(trained, opt_ml.processing / "model")
    (opt_ml.processing / "test").mkdir()
    (opt_ml.processing / "test" / "test.csv").write_text(HEADER + "1,2.5,a\n")
    assert evaluate([]) == 1
    assert opt_ml.message.read_text() == (
        f"{opt_ml.processing / 'test'}: all 1 rows are positive. Give rows of both labels: AUC, "
        "precision and recall need them\n"
    )
    assert not (opt_ml.processing / "evaluation").exists()


def test_a_failed_evaluation_leaves_nothing_of_the_one_before(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = evaluated(tmp_path, trained, HEADER + "".join(rows(100, 1)))
    written = {path.name for path in folder.iterdir()}
    assert {*EVALUATION_FILES} - written == {"comparison.json", "bias_analysis.json"}
    (folder / "mine.txt").write_text("kept")
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    test = OptMl(tmp_path).processing / "test"
    (test / "test.csv").write_text(HEADER + "1,2.5,a\n")
    assert evaluate([]) == 1
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    (folder / "report.html").write_text("of an earlier run")
    shutil.rmtree(test)
    assert evaluate([]) == 1
    assert not (folder / "report.html").exists()


def test_an_interval_is_never_a_single_value(tmp_path: Path, trained: Path):
    """Of four positive rows none is found: draws of them agree, and say nothing of new ones."""
    few = [row for row in rows(200, 1) if row.startswith("0,")]
    found = evaluated(tmp_path, trained, HEADER + "".join(few) + "1,-9,b\n" * 4)
    card = json.loads((found / "model_card.json").read_text())
    metrics = [metric for metric in card["metrics"] if metric["low"] is not None]
    assert [metric["name"] for metric in metrics if metric["low"] == metric["high"]] == []
    assert "0% to 49%" in Page((found / "report.html").read_text()).words
