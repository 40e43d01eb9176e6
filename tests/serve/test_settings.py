from pathlib import Path

import pytest

from sagetree.errors import SettingsError
from sagetree.machine.cores import usable_cores
from sagetree.machine.memory import memory_limit
from sagetree.serve.settings import ServeSettings
from sagetree.serve.variables import VARIABLES, variables_help


def read(environ: dict[str, str], port: str | None = None) -> ServeSettings:
    return ServeSettings.read(environ, host="127.0.0.1", port=port, reload=False)


def test_without_variables_the_platforms_defaults_hold():
    assert read({}) == ServeSettings(
        model_dir=Path("/opt/ml/model"),
        host="127.0.0.1",
        port=8080,
        workers=usable_cores(),
        threads=usable_cores(),
        timeout=60,
        accept=None,
        output=("score",),
        decision="",
        batch=False,
        strategy=None,
        transforms=None,
        max_body=25 * 2**20,
        payload_told=False,
        keepalive=75,
        reload=False,
        multi_model=False,
        model_memory=int(memory_limit() * 0.7),
        program="",
        submit_directory="",
        shap="sagetree",
        rounds="best",
        log_format="text",
        emf_seconds=0,
        page=True,
    )


def test_on_sagemaker_cloudwatch_is_told_and_there_is_no_page():
    settings = read({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/x"})
    assert (settings.emf_seconds, settings.page) == (60, False)


def test_every_variable_is_read():
    settings = read(
        {
            "SAGEMAKER_BASE_DIR": "/somewhere",
            "SAGEMAKER_BIND_TO_PORT": "9000",
            "SAGEMAKER_MODEL_SERVER_WORKERS": "3",
            "SAGEMAKER_MODEL_SERVER_TIMEOUT": "120",
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "Application/JSON",
            "SAGEMAKER_INFERENCE_OUTPUT": "predicted_label, score",
            "SAGETREE_DECISION": "alerts<=5%",
            "SAGEMAKER_BATCH": "True",
            "SAGEMAKER_BATCH_STRATEGY": "single_record",
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "7",
            "MAX_CONTENT_LENGTH": "1000",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": "0",
            "SAGETREE_KEEPALIVE_SECONDS": "600",
            "SAGEMAKER_INFERENCE_ENSEMBLE": "True",
            "OMP_NUM_THREADS": "2",
            "SAGEMAKER_MULTI_MODEL": "true",
            "SAGETREE_MODEL_MEMORY_MB": "100",
            "SAGEMAKER_PROGRAM": "answer.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/code",
            "SAGETREE_CONTRIBUTIONS": "XGBoost",
            "SAGETREE_ROUNDS": "All",
            "SAGETREE_LOG_FORMAT": "JSON",
            "SAGETREE_EMF_SECONDS": "30",
            "SAGETREE_PAGE": "false",
        }
    )
    assert settings == ServeSettings(
        model_dir=Path("/somewhere/model"),
        host="127.0.0.1",
        port=9000,
        workers=3,
        threads=2,
        timeout=120,
        accept="application/json",
        output=("predicted_label", "score"),
        decision="alerts<=5%",
        batch=True,
        strategy="SINGLE_RECORD",
        transforms=7,
        max_body=None,
        payload_told=False,
        keepalive=600,
        reload=False,
        multi_model=True,
        model_memory=100 * 2**20,
        program="answer.py",
        submit_directory="/code",
        shap="xgboost",
        rounds="all",
        log_format="json",
        emf_seconds=30,
        page=False,
    )


def test_a_variable_without_text_is_not_set_and_the_option_goes_before_the_variable():
    environ = dict.fromkeys((variable.name for variable in VARIABLES), "  ")
    assert read(environ) == read({})
    assert read({"SAGEMAKER_BIND_TO_PORT": "9000"}, port="9001").port == 9001


@pytest.mark.parametrize(
    ("environ", "max_body", "told"),
    [
        ({"MAX_CONTENT_LENGTH": "6291456"}, 6291456, True),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "100"}, 100 * 2**20, True),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "2", "MAX_CONTENT_LENGTH": "7"}, 2 * 2**20, True),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "0", "MAX_CONTENT_LENGTH": "7"}, None, False),
    ],
)
def test_the_limit_of_a_body_has_two_names(
    environ: dict[str, str], max_body: int | None, told: bool
):
    settings = read(environ)
    assert (settings.max_body, settings.payload_told) == (max_body, told)


def test_all_faults_are_told_at_once():
    environ = {
        "SAGEMAKER_BIND_TO_PORT": "65536",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "0",
        "SAGEMAKER_MODEL_SERVER_TIMEOUT": "soon",
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "image/png",
        "SAGEMAKER_INFERENCE_OUTPUT": "score,,",
        "SAGETREE_DECISION": "recall<=0.8",
        "SAGEMAKER_BATCH": "maybe",
        "SAGEMAKER_BATCH_STRATEGY": "RECORDS",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "0",
        "MAX_CONTENT_LENGTH": "6 MB",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1e3",
        "SAGETREE_KEEPALIVE_SECONDS": "0",
        "SAGEMAKER_INFERENCE_ENSEMBLE": "false",
        "OMP_NUM_THREADS": "-1",
    }
    with pytest.raises(SettingsError) as caught:
        read(environ)
    assert str(caught.value) == (
        "SAGEMAKER_MAX_PAYLOAD_IN_MB is '1e3' and must be megabytes up to 1024 (0: no limit); "
        "MAX_CONTENT_LENGTH is '6 MB' and must be bytes up to 1073741824; "
        "SAGEMAKER_INFERENCE_ENSEMBLE is 'false' and must be true: to serve one model alone, "
        "leave only that one in the folder; "
        "SAGEMAKER_BIND_TO_PORT is '65536' and must be a port number up to 65535 "
        "(0: any free port); "
        "SAGEMAKER_MODEL_SERVER_WORKERS is '0' and must be a whole number from 1 to 1024; "
        "OMP_NUM_THREADS is '-1' and must be a whole number from 1 to 1024; "
        "SAGEMAKER_MODEL_SERVER_TIMEOUT is 'soon' and must be seconds from 1 to 3600; "
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT is 'image/png' and must be one of text/csv, "
        "application/json, application/jsonlines, application/x-recordio-protobuf, "
        "application/x-npy; "
        "SAGEMAKER_INFERENCE_OUTPUT is 'score,,' and must be a comma list of predicted_label, "
        "labels, probability, probabilities, raw_score, raw_scores, predicted_score, score, "
        "threshold, contributions, reasons, model, identifiers, each once; "
        "SAGETREE_DECISION is 'recall<=0.8' and must be one of a score from 0 to 1, f1, "
        "precision>=0.3, recall>=0.8, alerts<=5%, or cost: miss=1200 alarm=35, each a number or "
        "the name of a column; "
        "SAGEMAKER_BATCH is 'maybe' and must be true or false; "
        "SAGEMAKER_BATCH_STRATEGY is 'RECORDS' and must be MULTI_RECORD or SINGLE_RECORD; "
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS is '0' and must be a whole number from 1 to 1024; "
        "SAGETREE_KEEPALIVE_SECONDS is '0' and must be seconds from 1 to 3600. "
        "Correct all 14"
    )


def test_a_fault_of_the_option_names_the_option():
    with pytest.raises(SettingsError) as caught:
        read({"SAGEMAKER_BIND_TO_PORT": "9000"}, port="http")
    assert str(caught.value) == (
        "--port is 'http' and must be a port number up to 65535 (0: any free port). Correct it"
    )


@pytest.mark.parametrize("text", ["score,score", "scores", "score;reasons"])
def test_output_keys_are_known_and_asked_for_once(text: str):
    with pytest.raises(SettingsError):
        read({"SAGEMAKER_INFERENCE_OUTPUT": text})


def test_help_names_every_variable():
    text = variables_help()
    assert all(variable.name in text for variable in VARIABLES)
