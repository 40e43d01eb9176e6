"""Script mode: the user's script runs as in SageMaker's toolkit, and fails in its own words."""

import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import orjson
import pytest

from sagetree.bundle.model import Model
from sagetree.errors import PlatformError, SettingsError
from sagetree.machine.paths import OptMl
from sagetree.train.script import Script, _command, _fetch, describe_failure, run
from tests.needs import needs_script_mode
from tests.programs import SAGETREE, environment, run_sagetree
from tests.storage import buckets
from tests.wheels import requirements, wheel


def configured(root: Path, **hyperparameters: object) -> OptMl:
    """An /opt/ml whose hyperparameters are these, as SageMaker's SDK writes them."""
    opt_ml = OptMl(root)
    opt_ml.config.mkdir(parents=True)
    values = {name: orjson.dumps(value).decode() for name, value in hyperparameters.items()}
    (opt_ml.config / "hyperparameters.json").write_bytes(orjson.dumps(values))
    return opt_ml


def code(root: Path, **files: str) -> Path:
    folder = root / "source"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def test_who_asks_for_a_script(tmp_path: Path) -> None:
    opt_ml = configured(tmp_path, sagemaker_program="a.py", sagemaker_submit_directory="s3://b/c")
    assert Script.of(opt_ml, {}, {}) == Script("a.py", "s3://b/c")
    assert Script.of(opt_ml, {}, {"SAGEMAKER_PROGRAM": "e.py"}) == Script("e.py", "s3://b/c")
    assert Script.of(opt_ml, {"sagemaker_program": ""}, {}) is None
    plain = OptMl(tmp_path / "other")
    assert Script.of(plain, {}, {}) is None
    directory = {"SAGEMAKER_PROGRAM": "e.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/code"}
    assert Script.of(plain, {}, directory) == Script("e.py", "/opt/ml/code")


TRACE = ["Traceback (most recent call last):", '  File "a.py", line 1', "    x", "KeyError: 'age'"]
SAID = [
    (TRACE, "KeyError: 'age'"),
    (["working", *TRACE, "Exception ignored in: <x>"], "KeyError: 'age'"),
    ([*TRACE, "", "During it:", TRACE[0], "  File", "my.own.Error: no"], "my.own.Error: no"),
    ([TRACE[0], "  File", "AssertionError"], "AssertionError"),
    (["usage: a.py", "a.py: error: the following arguments are required: --x"],
     "a.py: error: the following arguments are required: --x"),
    ([], "The script a.py ended with exit code 2 and wrote nothing to stderr"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "first"), SAID)
def test_the_reason_begins_with_the_scripts_own_words(said: list[str], first: str) -> None:
    reason = describe_failure("The script a.py", 2, said).splitlines()
    assert reason[0] == first
    if said:
        end = "The script a.py ended with exit code 2. Its last lines on stderr:"
        assert reason[1:] == ["", end, *said]


def test_a_script_that_was_killed_says_so() -> None:
    assert describe_failure("It", -9, []) == (
        "It was killed by SIGKILL, as the system does when memory runs out "
        "and wrote nothing to stderr"
    )


def test_how_a_program_is_run(tmp_path: Path) -> None:
    folder = code(tmp_path, a_py="", run_sh="", tool="")
    assert _command("python", "a.py", folder, ["--x", "1"]) == ["python", "a.py", "--x", "1"]
    assert _command("python", "run.sh", folder, ["a b"])[3:] == ["./run.sh", "a b"]
    assert (folder / "run.sh").stat().st_mode & 0o111
    (folder / "setup.py").write_text("")
    assert _command("python", "a.py", folder, []) == ["python", "-m", "a"]


def test_a_program_that_is_not_in_the_source(tmp_path: Path) -> None:
    folder = code(tmp_path, a_py="", b_py="")
    with pytest.raises(SettingsError) as caught:
        _fetch(Script("train.py", None), folder)
    assert str(caught.value) == (
        "sagemaker_program: 'train.py' is missing from the code; it holds a.py, b.py. "
        "Name a file of the folder that is submitted"
    )


def test_without_the_toolkit_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sagemaker_training", None)  # as if it were not installed
    with pytest.raises(PlatformError) as caught:
        run(OptMl(tmp_path), Script("a.py", None), {})
    assert str(caught.value) == (
        "sagemaker_program is 'a.py', but sagemaker-training is not installed. Install it, "
        "with a C compiler at hand: pip install 'sagetree[script]'"
    )


SCRIPT = """
import importlib.util, json, os, sys
seen = {"arguments": sys.argv[1:], "channel": os.environ["SM_CHANNEL_TRAIN"]}
seen["hp"] = os.environ["SM_HP_MAX_DEPTH"]
seen["channels"] = json.loads(os.environ["SM_INPUT_DATA_CONFIG"])
seen["env"] = json.loads(os.environ["SM_TRAINING_ENV"])["input_data_config"]
seen["official"] = bool(importlib.util.find_spec("sagemaker_xgboost_container"))
open(os.environ["SM_MODEL_DIR"] + "/seen.json", "w").write(json.dumps(seen))
raise ValueError("the column 'age' is not there")
"""


@needs_script_mode
def test_a_script_gets_the_toolkits_variables_and_its_message_is_the_reason(
    tmp_path: Path,
) -> None:
    """From a tar.gz, as the SDK packs it."""
    with tarfile.open(tmp_path / "sourcedir.tar.gz", "w:gz") as tar:
        tar.add(code(tmp_path, train_py=SCRIPT), ".")
    opt_ml = configured(
        tmp_path, sagemaker_program="train.py",
        sagemaker_submit_directory=str(tmp_path / "sourcedir.tar.gz"), max_depth=3, note="a b",
    )  # fmt: skip
    (opt_ml.data / "train").mkdir(parents=True)
    channels = {"train": {"ContentType": "text/csv", "TrainingInputMode": "File"}}
    (opt_ml.config / "inputdataconfig.json").write_bytes(orjson.dumps(channels))
    outcome = run_sagetree(tmp_path, "train")
    assert outcome.code == 1
    assert opt_ml.failure.read_text().splitlines()[:3] == [
        "ValueError: the column 'age' is not there",
        "",
        "The script train.py ended with exit code 1. Its last lines on stderr:",
    ]
    assert orjson.loads((opt_ml.model / "seen.json").read_bytes()) == {
        "arguments": ["--max_depth", "3", "--note", "a b"],
        "channel": str(opt_ml.data / "train"),
        "hp": "3",
        "channels": channels,
        "env": channels,
        "official": True,
    }


@needs_script_mode
@pytest.mark.long
def test_a_script_finds_its_channels_below_a_folder_named_relatively(tmp_path: Path) -> None:
    """It runs in another folder than the one that named it."""
    source = """
from os import environ
from pathlib import Path
Path(environ["SM_MODEL_DIR"], "seen").write_text(environ["SM_CHANNEL_TRAIN"])
"""
    opt_ml = configured(
        tmp_path, sagemaker_program="train.py",
        sagemaker_submit_directory=str(code(tmp_path, train_py=source)),
    )  # fmt: skip
    (opt_ml.data / "train").mkdir(parents=True)
    outcome = run_sagetree(Path(os.path.relpath(tmp_path)), "train")
    assert outcome.code == 0, outcome.log
    assert Path((opt_ml.model / "seen").read_text()).samefile(opt_ml.data / "train")


@needs_script_mode
@pytest.mark.long  # boto3 takes two seconds to be imported
def test_a_script_on_s3_is_fetched(tmp_path: Path) -> None:
    """As SageMaker names it: the SDK has packed it and put it into a bucket."""
    bucket = tmp_path / "store" / "bucket" / "job"
    bucket.mkdir(parents=True)
    with tarfile.open(bucket / "sourcedir.tar.gz", "w:gz") as tar:
        tar.add(code(tmp_path, train_py=SCRIPT), ".")
    roots = {}
    with buckets(tmp_path / "store") as variables:
        for name in ("sourcedir.tar.gz", "absent.tar.gz"):
            opt_ml = configured(
                tmp_path / name, sagemaker_program="train.py", max_depth=3,
                sagemaker_submit_directory=f"s3://bucket/job/{name}",
            )  # fmt: skip
            (opt_ml.data / "train").mkdir(parents=True)
            assert run_sagetree(opt_ml.root, "train", extra=variables).code == 1
            roots[name] = opt_ml
    found = roots["sourcedir.tar.gz"]
    assert found.failure.read_text().startswith("ValueError: the column 'age' is not there\n")
    assert (found.model / "seen.json").exists()
    assert roots["absent.tar.gz"].failure.read_text() == (
        "sagemaker_submit_directory, s3://bucket/job/absent.tar.gz: it cannot be fetched: An error "
        "occurred (404) when calling the HeadObject operation (reached max retries: 0): Not Found. "
        "Name a folder or a .tar.gz, here or on s3://, that this job may read\n"
    )


TRAINING = """
import os
import numpy as np
import xgboost
from sagetree.export import save_booster

table = np.loadtxt(os.environ["SM_CHANNEL_TRAIN"] + "/data.csv", delimiter=",", dtype=np.float32)
data = xgboost.DMatrix(table[:, 1:], table[:, 0])
params = {"objective": "binary:logistic", "max_depth": int(os.environ["SM_HP_MAX_DEPTH"])}
save_booster(xgboost.train(params, data, 3), table[:, 1:], os.environ["SM_MODEL_DIR"])
"""


@needs_script_mode
@pytest.mark.long
def test_a_script_leaves_a_bundle(tmp_path: Path) -> None:
    source = str(code(tmp_path, s_py=TRAINING))
    opt_ml = configured(
        tmp_path, sagemaker_program="s.py", sagemaker_submit_directory=source, max_depth=2
    )
    (opt_ml.data / "train").mkdir(parents=True)
    rows = "\n".join(f"{i % 2},{i * 7 % 11},{i % 5}" for i in range(60))
    (opt_ml.data / "train" / "data.csv").write_text(rows)
    outcome = run_sagetree(tmp_path, "train")
    assert outcome.code == 0, outcome.log
    assert Model.load(opt_ml.model).schema.input_names == ("f0", "f1")


SAMPLE = """
import argparse, json, os
import xgboost
from sagemaker_containers import entry_point
from sagemaker_xgboost_container import distributed
from sagemaker_xgboost_container.data_utils import get_dmatrix

def learn(params, dtrain, evals, num_boost_round, model_dir, is_master):
    booster = xgboost.train(params, dtrain, num_boost_round, evals=evals)
    if is_master:
        booster.save_model(model_dir + "/xgboost-model.ubj")

parser = argparse.ArgumentParser()
parser.add_argument("--max_depth", type=int)
parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
parser.add_argument("--validation", default=os.environ.get("SM_CHANNEL_VALIDATION"))
asked, _ = parser.parse_known_args()
train, validation = get_dmatrix(asked.train, "libsvm"), get_dmatrix(asked.validation, "libsvm")
assert validation is None
if len(json.loads(os.environ["SM_HOSTS"])) > 1:
    entry_point._wait_hostname_resolution()
distributed.rabit_run(
    exec_fun=learn, args={"params": {"max_depth": asked.max_depth}, "dtrain": train,
    "evals": [(train, "train")], "num_boost_round": 3, "model_dir": os.environ["SM_MODEL_DIR"]},
    include_in_training=train is not None, hosts=json.loads(os.environ["SM_HOSTS"]),
    current_host=os.environ["SM_CURRENT_HOST"], update_rabit_args=True)
"""


@needs_script_mode
@pytest.mark.long
def test_the_samples_calls_train(tmp_path: Path) -> None:
    """What AWS's sample of script mode imports and calls."""
    source = str(code(tmp_path, s_py=SAMPLE))
    opt_ml = configured(
        tmp_path, sagemaker_program="s.py", sagemaker_submit_directory=source, max_depth=2
    )
    (opt_ml.data / "train").mkdir(parents=True)
    rows = "\n".join(f"{i % 2} 1:{i * 7 % 11} 2:{i % 5}" for i in range(60))
    (opt_ml.data / "train" / "abalone").write_text(rows)
    outcome = run_sagetree(tmp_path, "train")
    assert outcome.code == 0, outcome.log
    assert Model.load(opt_ml.model).schema.input_names == ("f0", "f1", "f2")


VARIABLES = """
import json, os
found = {name: text for name, text in os.environ.items() if name.startswith("SM_")}
open(os.environ["SM_MODEL_DIR"] + "/found.json", "w").write(json.dumps(found))
"""

THE_TOOLKITS = """
import json
from sagemaker_training.environment import Environment
print(json.dumps(Environment().to_env_vars()))
"""


@needs_script_mode
@pytest.mark.long
def test_the_variables_are_the_toolkits_key_by_key(tmp_path: Path) -> None:
    """Of a job as SageMaker configures it, read by the toolkit itself."""
    source = str(code(tmp_path, s_py=VARIABLES))
    opt_ml = configured(
        tmp_path, sagemaker_program="s.py", sagemaker_submit_directory=source,
        sagemaker_region="eu-west-1", sagemaker_job_name="job", sagemaker_container_log_level=20,
        max_depth=3, note="a b", nested={"a": [1]}, flag=True,
    )  # fmt: skip
    hosts = {
        "current_host": "algo-1", "current_instance_type": "ml.m5.xlarge",
        "current_group_name": "homogeneousCluster", "hosts": ["algo-1"],
        "instance_groups": [{
            "instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.xlarge",
            "hosts": ["algo-1"],
        }],
        "network_interface_name": "eth0",
    }  # fmt: skip
    channels = {
        name: {
            "ContentType": "text/csv", "TrainingInputMode": "File", "RecordWrapperType": "None",
            "S3DistributionType": "FullyReplicated",
        }
        for name in ("train", "validation")
    }  # fmt: skip
    (opt_ml.config / "resourceconfig.json").write_bytes(orjson.dumps(hosts))
    (opt_ml.config / "inputdataconfig.json").write_bytes(orjson.dumps(channels))
    for name in channels:
        (opt_ml.data / name).mkdir(parents=True)
    outcome = run_sagetree(tmp_path, "train")
    assert outcome.code == 0, outcome.log
    found = orjson.loads((opt_ml.model / "found.json").read_bytes())
    told = subprocess.run(
        [sys.executable, "-c", THE_TOOLKITS], env=environment(tmp_path), check=True,
        stdout=subprocess.PIPE,
    ).stdout.splitlines()[-1]  # fmt: skip
    expected = orjson.loads(told)
    for name in ("SM_TRAINING_ENV",):
        found[name], expected[name] = orjson.loads(found[name]), orjson.loads(expected[name])
    assert found == expected
    assert orjson.loads(found["SM_INPUT_DATA_CONFIG"]) == channels


STOPPABLE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(int(sys.argv[2])))
print("ready", flush=True)
time.sleep(60)
"""


@needs_script_mode
@pytest.mark.long
@pytest.mark.parametrize(
    ("code_of_exit", "reason"), [(0, None), (5, "on which the script ended with 5")]
)
def test_sigterm_reaches_the_script(tmp_path: Path, code_of_exit: int, reason: str | None) -> None:
    opt_ml = configured(
        tmp_path, sagemaker_program="s.py", code=code_of_exit,
        sagemaker_submit_directory=str(code(tmp_path, s_py=STOPPABLE)),
    )  # fmt: skip
    with subprocess.Popen(
        [SAGETREE, "train"], env=environment(tmp_path), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert any(line == "ready\n" for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == (1 if reason else 0)
    assert (reason is None) or (reason in opt_ml.failure.read_text())


# Reads beside itself and what it asked for; named as a module of ours is.
OWN = """
import evaluate, helper, numpy, os
with open(os.environ["SM_MODEL_DIR"] + "/seen", "w") as file:
    print(evaluate.__version__, numpy.__version__, helper.x, __name__, file=file)
"""


def run_own(tmp_path: Path, name: str) -> None:
    """Run a script of this name, which must see what it asked for."""
    folder = code(tmp_path, helper_py="x = 7")
    (folder / name).write_text(OWN)
    wheel(folder / "wheels", "evaluate", "0.4")
    wheel(folder / "wheels", "numpy", "1.0")
    requirements(folder, "evaluate", "numpy==1.0")
    opt_ml = configured(tmp_path, sagemaker_program=name, sagemaker_submit_directory=str(folder))
    outcome = run_sagetree(tmp_path, "train")
    assert outcome.code == 0, outcome.log
    assert (opt_ml.model / "seen").read_text() == "0.4 1.0 7 __main__\n"


@pytest.mark.long  # pip builds an environment
@needs_script_mode
def test_a_script_called_as_a_library_runs_with_its_own_packages(tmp_path: Path) -> None:
    run_own(tmp_path, "json.py")


@pytest.mark.long
@needs_script_mode
def test_after_a_script_with_an_old_numpy_training_goes_on_as_before(tmp_path: Path) -> None:
    run_own(tmp_path / "script", "serve.py")
    opt_ml = configured(tmp_path / "plain", num_round=3)
    (opt_ml.data / "train").mkdir(parents=True)
    rows = "\n".join(f"{i % 2},{i * 7 % 11},{i % 5}" for i in range(60))
    (opt_ml.data / "train" / "data.csv").write_text(rows)
    outcome = run_sagetree(opt_ml.root, "train")
    assert outcome.code == 0, outcome.log
    assert Model.load(opt_ml.model).schema.input_names == ("f0", "f1")


@pytest.mark.long  # pip starts; a server's script is installed by the same module
@needs_script_mode
def test_a_wrong_requirement_is_the_reason(tmp_path: Path) -> None:
    folder = code(tmp_path, s_py="")
    (folder / "requirements.txt").write_text("--no-index\nnumpy==0.0.1\n")
    opt_ml = configured(tmp_path, sagemaker_program="s.py", sagemaker_submit_directory=str(folder))
    assert run_sagetree(tmp_path, "train").code == 1
    assert opt_ml.failure.read_text().splitlines()[0] == (
        "requirements.txt: No matching distribution found for numpy==0.0.1. Correct it; without a "
        "network it can only name what is installed already"
    )
