"""All of input/config is read before any data are, and everything wrong in it is said at once."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

import sagetree
from sagetree.errors import SagetreeError
from sagetree.machine.paths import OptMl
from sagetree.train.cli import main as train
from sagetree.train.settings.channel_settings import channel_notes
from sagetree.train.settings.configuration import read_settings
from tests.train.conftest import Job, lines

SRC = Path(sagetree.__file__).parents[1]
NOT_CSV = 'y,n\n1,"2'


def configure(opt_ml: OptMl, **files: object) -> None:
    opt_ml.config.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        getattr(opt_ml, name).write_text(text)


def refusal(opt_ml: OptMl) -> str:
    with pytest.raises(SagetreeError) as caught:
        read_settings(opt_ml, {})
    return str(caught.value)


def test_every_fault_of_every_file_is_in_one_message(opt_ml: OptMl) -> None:
    configure(
        opt_ml,
        hyperparameters={"eta": "7"},
        input_data_config="{",
        resource_config={"hosts": ["algo-1", "algo-2"], "current_host": "algo-3"},
        checkpoint_config="[]",
    )
    assert refusal(opt_ml) == (
        "current_host of resourceconfig.json is 'algo-3', and hosts are 'algo-1', 'algo-2': "
        "name this host as hosts names it; "
        "eta is '7' and must be a number from 0 to 1; "
        "inputdataconfig.json: it is not JSON: unexpected end of data: line 1 column 2 (char 1); "
        "checkpointconfig.json: it does not hold a JSON object. Correct all 4"
    )


def test_a_job_names_a_broken_file_of_hyperparameters_with_the_others(opt_ml: OptMl) -> None:
    """To know whether a script is to run, it has been read before."""
    configure(opt_ml, hyperparameters="[]", input_data_config={"train": {}}, checkpoint_config="[]")
    assert train([]) == 1
    assert opt_ml.failure.read_text() == (
        "hyperparameters.json: it does not hold a JSON object; "
        "checkpointconfig.json: it does not hold a JSON object. Correct all 2\n"
    )


@pytest.mark.parametrize("name", ["hyperparameters", "resource_config", "checkpoint_config"])
def test_a_fault_that_is_alone_says_what_to_do(opt_ml: OptMl, name: str) -> None:
    configure(opt_ml, input_data_config={"train": {}}, **{name: "[]"})
    file = getattr(opt_ml, name).name
    assert refusal(opt_ml) == f"{file}: it does not hold a JSON object. Write an object"


def test_a_folder_of_checkpoints_that_cannot_be_written(opt_ml: OptMl) -> None:
    configure(opt_ml, input_data_config={"train": {}}, checkpoint_config={})
    opt_ml.checkpoints.write_text("a file")
    cannot = f"{opt_ml.checkpoints}: the folder of checkpoints cannot be written"
    assert refusal(opt_ml) == f"{cannot}. Mount it writable for the user that the container runs as"
    configure(opt_ml, hyperparameters={"objective": "no"}, input_data_config={"training": {}})
    text = refusal(opt_ml)
    assert text.startswith(
        "channel 'train' is missing from inputdataconfig.json (channels: 'training'): give that "
        "name to the channel with the rows to learn from; objective is 'no' "
    )
    assert text.endswith(f"; {cannot}. Correct all 3")


def test_a_checkpoint_of_other_hyperparameters_is_met_before_the_data(
    job: Job, opt_ml: OptMl
) -> None:
    configure(opt_ml, checkpoint_config={})
    assert job({"train": lines()}, {"nfold": 2}).code == 0
    ran = job({"train": NOT_CSV}, {"nfold": 2, "eta": 0.3}, {"train": {"ContentType": "image/x"}})
    text = ran.failure
    assert text.startswith("channel 'train' has the ContentType 'image/x': take one of text/csv, ")
    assert text.endswith(
        ": it is of a training with other hyperparameters: eta was '0.05' and is '0.3'. "
        "Correct all 2\n"
    )
    alone = job({}, {"nfold": 2, "eta": 0.3}, {"train": {}}).failure
    assert alone.endswith(
        ": it is of a training with other hyperparameters: eta was '0.05' and is '0.3'. "
        "Restore the earlier values, or empty the folder of checkpoints to train from the start\n"
    )


@pytest.mark.parametrize("size", ["0", "5", "1=1"])
def test_a_label_size_that_means_nothing_is_refused(job: Job, size: str) -> None:
    kind = f"text/csv; label_size={size}"
    ran = job({"train": lines()}, {}, {"train": {"ContentType": kind}})
    assert ran.failure == (
        f"channel 'train' has the ContentType '{kind}': write label_size=1 or leave it out, and "
        "name the label by target if it is not the first column. Correct it\n"
    )


def test_a_check_makes_no_folder_of_checkpoints(job: Job, opt_ml: OptMl) -> None:
    configure(opt_ml, checkpoint_config={})
    assert job({"train": lines()}, arguments=["--check"]).code == 0
    assert {path.name for path in opt_ml.root.iterdir()} == {"input"}


def _texts(tree: ast.AST) -> set[Any]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}


def test_the_config_files_are_spelled_in_one_place() -> None:
    opt_ml = OptMl(Path("/opt/ml"))
    files = (
        opt_ml.hyperparameters,
        opt_ml.input_data_config,
        opt_ml.resource_config,
        opt_ml.checkpoint_config,
    )
    assert [str(path) for path in files] == [
        "/opt/ml/input/config/hyperparameters.json",
        "/opt/ml/input/config/inputdataconfig.json",
        "/opt/ml/input/config/resourceconfig.json",
        "/opt/ml/input/config/checkpointconfig.json",
    ]
    names = {path.name for path in files}
    sources = {path.name: path.read_text() for path in SRC.rglob("*.py")}
    spelled = [
        name
        for name, source in sources.items()
        if any(map(source.__contains__, names))
        and names & {str(text).rpartition("/")[2] for text in _texts(ast.parse(source))}
    ]
    assert spelled == ["paths.py"]


def meant(*channels: str) -> list[str]:
    return list(channel_notes(channels))


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("val", "validation"),
        ("Valid", "validation"),
        ("eval", "validation"),
        ("dev", "validation"),
        ("validaton", "validation"),
        ("VALIDATION", "validation"),
        ("tests", "test"),
        ("holdout", "test"),
        ("training", "train"),
    ],
)
def test_a_channel_that_is_nearly_one_is_named_with_the_right_name(channel: str, name: str) -> None:
    said = f"channel '{channel}' is not read: the one that a job reads is '{name}'"
    assert meant("train", channel, "model", "code", "sm_drivers") == [said]


def test_other_channels_are_of_no_interest() -> None:
    assert meant("train", "validation", "test", "model", "code", "sm_drivers", "lookup") == []


@pytest.mark.parametrize("config", [None, {"train": {}, "val": {"ContentType": "image/x"}}])
def test_a_job_says_which_channel_it_does_not_read(job: Job, config: object) -> None:
    ran = job({"train": lines(), "val": lines(seed=1)}, config=config)
    assert ran.code == 0, ran.log
    said = "channel 'val' is not read: the one that a job reads is 'validation'\n"
    assert ran.log.count(said) == 1
