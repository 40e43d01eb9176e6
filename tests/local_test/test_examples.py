"""The examples that users copy: the commands of their page, run as somebody would type them."""

import json
import os
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.clients.running import UV
from tests.docs.following import follow, search_path
from tests.docs.readme import ROOT, Block, blocks
from tests.needs import needs_curl, needs_script_mode, skip_without
from tests.programs import BIN

EXAMPLES = ROOT / "local_test" / "examples"
PAGE = EXAMPLES / "README.md"


def texts(needs: str) -> list[str]:
    return [block.text for block in blocks(PAGE) if block.needs == needs]


def test_every_block_is_run_by_a_test() -> None:
    assert {(block.language, block.needs) for block in blocks(PAGE)} == {
        ("sh", ""), ("sh", "in a clone"), ("sh", "needs PyPI"),
    }  # fmt: skip


@pytest.mark.parametrize("row", re.findall(r"^\|.*\|$", PAGE.read_text(), re.MULTILINE)[2:])
def test_the_table_names_files_that_are_there(row: str) -> None:
    """Each row names an example and the test that runs it."""
    _, example, _, test = (cell.strip() for cell in row.strip("|").split("|"))
    for path in re.findall("`(.+?)`", example):
        assert (EXAMPLES / path).exists()
    assert (ROOT / test.strip("`")).is_file()


def test_every_example_is_in_the_table() -> None:
    (table,) = re.findall(r"^\|.*\|$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    names = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb")}
    assert names == {name for name in names if f"`{name}`" in table}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What of a clone the examples need."""
    folder = tmp_path_factory.mktemp("examples") / "my clone"
    ignored = shutil.ignore_patterns("test_dir", "try_dir")
    shutil.copytree(ROOT / "local_test", folder / "local_test", ignore=ignored)
    return folder


@pytest.fixture(scope="module")
def said(folder: Path) -> str:
    return follow(folder, [block for block in blocks(PAGE) if not block.needs], search_path(BIN))


@pytest.mark.long
@needs_curl
@needs_script_mode
def test_a_training_script_makes_a_model_that_is_evaluated(said: str, folder: Path) -> None:
    assert re.search(r"validation-cost:\d", said)
    assert re.search(r"^AUC 0\.\d{4} \(95 % interval", said, re.MULTILINE)
    schema = json.loads((folder / "ml" / "model" / "sagetree" / "schema.json").read_text())
    names = [column["name"] for column in schema["columns"]]
    assert "total_claim_amount" in names
    assert "driver_relationship" not in names


@pytest.mark.long
@needs_curl
@needs_script_mode
def test_an_inference_script_answers(said: str) -> None:
    (answer,) = re.findall(r'^\{"decisions": .*\}\]\}', said, re.MULTILINE)
    (decision,) = json.loads(answer)["decisions"]
    assert decision["decision"] in ("look at", "pay")
    assert 0 < decision["score"] < 1


@pytest.mark.long
@needs_curl
@needs_script_mode
def test_models_come_and_go(said: str) -> None:
    assert "loaded: model-0 model-1\n" in said
    firsts = re.findall(r"^model-\d: 20 scores, the first is (0\.\d+)$", said, re.MULTILINE)
    assert len(firsts) == 2
    assert "left: []\n" in said


@pytest.mark.long
def test_mlflow_has_the_job(folder: Path) -> None:
    tables, *_ = texts("")
    script = EXAMPLES / "mlflow_tracking.py"
    skip_without(script.name, [UV, "sync", "--quiet", "--script", script], dict(os.environ))
    commands = Block("sh", "", "".join([tables, *texts("needs PyPI")]))
    log = follow(folder, [commands], search_path(BIN))
    (run,) = re.findall(r"^run (\w{32}) of experiment sagetree$", log, re.MULTILINE)
    with sqlite3.connect(folder / "mlflow.db") as database:
        params = dict(database.execute("select key, value from params"))
        steps = database.execute(
            "select count(*) from metrics where key = 'validation-auc' and run_uuid = ?", (run,)
        ).fetchone()[0]
        (tested,) = database.execute("select value from metrics where key = 'test-auc'").fetchone()
        (artifacts,) = database.execute("select artifact_uri from runs").fetchone()
    assert params == {"max_depth": "3", "target": "fraud"}
    assert steps == len(set(re.findall(r"^\[\d+\]\ttrain-", log, re.MULTILINE)))
    assert 0 < tested < 1
    for name in ("evaluation/report.html", "model/xgboost-model"):
        assert (Path(artifacts) / name).is_file()
