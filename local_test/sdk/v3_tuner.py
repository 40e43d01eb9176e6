"""SageMaker SDK v3: SageMaker's own tuner, a training job for each trial, several at once.

The metric's regular expression is that of container/algorithm.json, and the ranges in
ranges.json lie within those it allows. A search inside one job is cheaper for tables that
train in minutes: tune=30.
"""

import argparse
import json
from pathlib import Path

import boto3
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import ContinuousParameter, IntegerParameter
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
from sagemaker.train.model_trainer import ModelTrainer
from sagemaker.train.tuner import HyperparameterTuner

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
    aws = boto3.Session(region_name="us-east-1")
    session = Session(aws, default_bucket=bucket)

    trainer = ModelTrainer(
        training_image=options.image,
        role=options.role,
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/models"),
        hyperparameters={"target": options.target, "booster": options.booster},
        sagemaker_session=session,
    )
    tuner = HyperparameterTuner(
        trainer,
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
    channels = [
        InputData(channel_name=name, data_source=f"{options.data}/{name}")
        for name in ("train", "validation")
    ]
    tuner.tune(inputs=channels, wait=False)  # with wait=True best_training_job() is its name
    made = aws.client("sagemaker").describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=tuner.latest_tuning_job.hyper_parameter_tuning_job_name
    )
    print(json.dumps(made, default=str))


if __name__ == "__main__":
    main()
