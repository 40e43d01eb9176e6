"""SageMaker SDK v3 in local mode, by its core: train, create an endpoint, invoke it, prepare."""

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import boto3
from sagemaker.core.local import LocalSession
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import (
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)

ROLE = "arn:aws:iam::111111111111:role/local"
HERE = Path(__file__).resolve().parent

# The example's query lies beside the tables, and is an input of the job as they are.
INPUTS = {
    "claims": "claims.csv",
    "customers": "customers.csv",
    "query": "query/claims_customers.sql",
}
PREPARE = (
    "prepare", "--sql", "/opt/ml/processing/input/query/claims_customers.sql",
    "--key", "policy_id", "--label", "fraud", "--format", "csv",
)  # fmt: skip


def local_session(work: Path, port: int = 18082) -> LocalSession:
    """Return a session whose S3 is the moto server and whose endpoint listens on `port`."""
    session = LocalSession(
        boto_session=boto3.Session(region_name="us-east-1"),
        default_bucket="sagetree-local",
        s3_endpoint_url=os.environ["AWS_ENDPOINT_URL"],
    )
    root = work / "containers"
    root.mkdir(exist_ok=True)
    local = {"local_code": True, "serving_port": port, "container_root": str(root)}
    session.config = {"local": local}
    return session


def prepare(image: str, session: LocalSession, tables: Path, work: Path) -> None:
    """Join and split the tables into work/train, work/validation and work/test."""
    processor = Processor(
        role=ROLE,
        image_uri=image,
        instance_count=1,
        instance_type="local",
        entrypoint=list(PREPARE),
        sagemaker_session=session,
    )
    inputs = [
        ProcessingInput(
            input_name=name,
            s3_input=ProcessingS3Input(
                s3_uri=str(tables / file),
                local_path=f"/opt/ml/processing/input/{name}",
                s3_data_type="S3Prefix",
                s3_input_mode="File",
            ),
        )
        for name, file in INPUTS.items()
    ]
    outputs = [
        ProcessingOutput(
            output_name=part,
            s3_output=ProcessingS3Output(
                s3_uri=f"file://{work}/{part}",
                local_path=f"/opt/ml/processing/output/{part}",
                s3_upload_mode="EndOfJob",
            ),
        )
        for part in ("train", "validation", "test")
    ]
    processor.run(inputs=inputs, outputs=outputs)


def channel(name: str, folder: Path) -> dict[str, Any]:
    """Return a training job's channel on a folder."""
    source = {"FileUri": f"file://{folder}", "FileDataDistributionType": "FullyReplicated"}
    return {
        "ChannelName": name,
        "DataSource": {"FileDataSource": source},
        "ContentType": "text/csv",
    }


def main() -> None:
    """Run all jobs on the tables in --dir."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", default="sagetree")
    parser.add_argument("--dir", type=Path, default=HERE.parent / "test_dir")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="sagetree-sdk3-"))
    session = local_session(work)

    print("== prepare", flush=True)
    prepare(options.image, session, (options.dir / "processing" / "input").resolve(), work)

    print("== train", flush=True)
    client = session.sagemaker_client
    client.create_training_job(
        TrainingJobName="sagetree",
        AlgorithmSpecification={"TrainingImage": options.image, "TrainingInputMode": "File"},
        InputDataConfig=[channel(name, work / name) for name in ("train", "validation")],
        OutputDataConfig={"S3OutputPath": f"file://{work}/model"},
        ResourceConfig={"InstanceType": "local", "InstanceCount": 1},
        HyperParameters={"target": "fraud", "num_round": "200"},
    )
    artifact = client.describe_training_job("sagetree")["ModelArtifacts"]["S3ModelArtifacts"]

    print("== endpoint", flush=True)
    container = {"Image": options.image, "ModelDataUrl": artifact, "Environment": {}}
    client.create_model("sagetree", container)
    variant = {"VariantName": "AllTraffic", "ModelName": "sagetree"}
    variant |= {"InitialInstanceCount": 1, "InstanceType": "local"}
    client.create_endpoint_config("sagetree", [variant])
    client.create_endpoint("sagetree", "sagetree")
    try:
        _, *lines = (work / "test" / "test.csv").read_text().splitlines()
        body = "\n".join(line.split(",", 1)[1] for line in lines[:5])  # without the label
        answer = session.sagemaker_runtime_client.invoke_endpoint(
            Body=body.encode(), EndpointName="sagetree", ContentType="text/csv", Accept="text/csv"
        )
        scores = [float(line) for line in answer["Body"].read().split()]
    finally:
        client.delete_endpoint("sagetree")
    print(f"all jobs done: {len(scores)} scores for 5 rows: {scores}", flush=True)


if __name__ == "__main__":
    main()
