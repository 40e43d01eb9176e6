"""SageMaker SDK v2: SageMaker's own tuner, a training job for each trial, several at once.

The metric's regular expression is that of container/algorithm.json, and the ranges in
ranges.json lie within those it allows. A search inside one job is cheaper for tables that
train in minutes: tune=30.
"""

import argparse
import json
from pathlib import Path

import boto3
from sagemaker.estimator import Estimator
from sagemaker.session import Session
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

HERE = Path(__file__).resolve().parent
ALGORITHM = HERE.parents[1] / "container" / "algorithm.json"
KINDS = {"Integer": IntegerParameter, "Continuous": ContinuousParameter}


def main() -> None:
    """Start the tuning job, and print what SageMaker has of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", default="sagetree")
    parser.add_argument("--role", default="arn:aws:iam::111111111111:role/local")
    parser.add_argument("--data", default="s3://sagetree-local/data", help="channels below it")
    parser.add_argument("--target", default="fraud")
    parser.add_argument("--booster", default="gbtree", choices=("gbtree", "dart", "gblinear"))
    parser.add_argument("--metric", default="validation:auc")
    parser.add_argument("--jobs", type=int, default=20)
    options = parser.parse_args()
    algorithm = json.loads(ALGORITHM.read_text())
    ways = {m["MetricName"]: m["Type"] for m in algorithm["SupportedTuningJobObjectiveMetrics"]}
    bucket = options.data.split("/")[2]
    session = Session(boto3.Session(region_name="us-east-1"), default_bucket=bucket)

    estimator = Estimator(
        options.image,
        options.role,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{bucket}/models",
        sagemaker_session=session,
        hyperparameters={"target": options.target, "booster": options.booster},
    )
    tuner = HyperparameterTuner(
        estimator,
        options.metric,
        {
            name: KINDS[found["type"]](found["low"], found["high"], found["scaling"])
            for name, found in json.loads((HERE / "ranges.json").read_text()).items()
        },
        metric_definitions=[
            found for found in algorithm["MetricDefinitions"] if found["Name"] == options.metric
        ],
        objective_type=ways[options.metric],
        max_jobs=options.jobs,
        max_parallel_jobs=2,
    )
    channels = {name: f"{options.data}/{name}" for name in ("train", "validation")}
    tuner.fit(channels, wait=False)  # with wait=True best_estimator() is the model
    print(json.dumps(tuner.describe(), default=str))


if __name__ == "__main__":
    main()
