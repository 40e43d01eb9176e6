"""Inference scripts that import what the official container has: AWS's samples' calls."""

import numpy as np
import pytest

from sagetree.errors import NotReadyError
from tests.serve.asking import post, problem
from tests.serve.scripts.conftest import Start

LIBSVM = b"0:0.9 1:0.1 2:0.2\n"


def test_the_samples_calls_give_a_score_and_its_contributions(start: Start):
    client = start("""
        import os
        import numpy as np
        import xgboost
        import sagemaker_xgboost_container.encoder as xgb_encoders

        def model_fn(folder):
            return xgboost.Booster(model_file=os.path.join(folder, "xgboost-model"))

        def input_fn(body, content_type):
            assert content_type == "text/libsvm"
            return xgb_encoders.libsvm_to_dmatrix(body)

        def predict_fn(data, model):
            contributions = model.predict(data, pred_contribs=True, validate_features=False)
            return np.hstack((model.predict(data)[:, np.newaxis], contributions))

        def output_fn(rows, accept):
            return ",".join(map(str, rows[0]))
    """)
    answer = post(client, LIBSVM, "text/libsvm", Accept="text/csv")
    assert answer.status_code == 200, answer.data
    score, *contributions = map(float, answer.data.split(b","))
    assert len(contributions) == 4
    assert score == pytest.approx(1 / (1 + np.exp(-sum(contributions))), abs=1e-6)


def test_content_types_encoders_and_responses(start: Start):
    client = start("""
        import json
        import numpy as np
        import xgboost
        from sagemaker_containers.beta.framework import (
            content_types, encoders, env, modules, transformer, worker)
        from sagemaker_xgboost_container import encoder as xgb_encoders

        def input_fn(body, content_type):
            if content_type == content_types.JSON:
                return xgboost.DMatrix(np.array(json.loads(body)["features"]).reshape(1, -1))
            return xgb_encoders.decode(body, content_type)

        def output_fn(prediction, accept):
            if accept == content_types.CSV:
                return worker.Response(encoders.encode(prediction, accept), mimetype=accept)
            found = json.dumps({"scores": prediction.tolist()})
            return worker.Response(found, accept, mimetype=accept)
    """)
    body = b"0.9,0.1,0.2\n"
    answer = post(client, body, Accept="application/json")
    (score,) = answer.get_json()["scores"]
    as_csv = post(client, body, Accept="text/csv")
    assert (float(as_csv.data), as_csv.content_type) == (pytest.approx(score), "text/csv")
    named = post(client, b'{"features": [0.9, 0.1, 0.2]}', "application/json")
    assert named.get_json()["scores"] == [pytest.approx(score)]
    assert post(client, LIBSVM, "text/x-libsvm").get_json()["scores"] == [pytest.approx(score)]
    status, told = problem(post(client, b"{}", "image/png"))
    assert (status, told["message"]) == (415, "'image/png' is not supported")
    status, told = problem(post(client, b"a,b\n"))
    assert (status, told["where"]) == (400, "row 1, column 1")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "from sagemaker_xgboost_container import checkpointing",
            "ModuleNotFoundError: sagemaker_xgboost_container.checkpointing of the official "
            "container is not available in sagetree. Take xgboost.callback.TrainingCheckPoint",
        ),
        (
            "from sagemaker_xgboost_container.algorithm_mode.serve import ScoringService",
            "ModuleNotFoundError: sagemaker_xgboost_container.algorithm_mode of the official "
            "container is not available in sagetree. Run without sagemaker_program: sagetree "
            "train is the "
            "algorithm",
        ),
        (
            "from sagemaker_xgboost_container.data_utils import check_data_redundancy",
            "ImportError: sagemaker_xgboost_container.data_utils.check_data_redundancy of the "
            "official container is not available in sagetree. Use xgboost, sagemaker_inference or "
            "sagemaker_training",
        ),
        (
            "from sagemaker_containers.beta.framework import modules\nmodules.import_module",
            "ImportError: sagemaker_containers.beta.framework.modules.import_module of the "
            "official container is not available in sagetree. Name packages in requirements.txt",
        ),
    ],
)
def test_what_is_not_there_names_what_to_take(source: str, message: str, start: Start):
    with pytest.raises(NotReadyError) as caught:
        start(source)
    assert str(caught.value).startswith(f"user_answer.py: {message}")
