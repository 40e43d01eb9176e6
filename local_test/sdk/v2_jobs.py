"""SageMaker SDK v2 in local mode: every kind of job the image does, one after the other."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import boto3
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.local import LocalSession
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor
from sagemaker.s3 import S3Downloader
from sagemaker.serializers import CSVSerializer, JSONSerializer

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


def local_session(work: Path, port: int = 18081) -> LocalSession:
    """Return a session whose S3 is the moto server and whose endpoints listen on `port`."""
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


def processor(image: str, session: LocalSession, *command: str) -> Processor:
    """Return a processing job of the image."""
    return Processor(
        role=ROLE,
        image_uri=image,
        instance_count=1,
        instance_type="local",
        entrypoint=list(command),
        sagemaker_session=session,
    )


def job_input(name: str, source: str, folder: str) -> ProcessingInput:
    """Return an input of a processing job, mounted below /opt/ml/processing."""
    return ProcessingInput(source, f"/opt/ml/processing/{folder}", input_name=name)


def job_output(name: str, folder: str) -> ProcessingOutput:
    """Return an output of a processing job, mounted below /opt/ml/processing."""
    return ProcessingOutput(f"/opt/ml/processing/{folder}", output_name=name)


def expect_equal(scores: list[float], others: list[float]) -> None:
    """End with exit code 1 if two ways to the same rows' scores differ."""
    if scores != others:
        sys.exit(f"the scores differ: {scores} and {others}")


def main() -> None:
    """Run all jobs on the tables and channels in --dir."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", default="sagetree")
    parser.add_argument("--dir", type=Path, default=HERE.parent / "test_dir")
    parser.add_argument("--hosts", type=int, default=1, help="hosts that train together")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="sagetree-sdk-"))
    session = local_session(work)
    tables = (options.dir / "processing" / "input").resolve()

    print("== prepare", flush=True)
    prepare = processor(options.image, session, *PREPARE)
    prepare.run(
        inputs=[
            job_input(name, str(tables / file), f"input/{name}") for name, file in INPUTS.items()
        ],
        outputs=[job_output(part, f"output/{part}") for part in ("train", "validation", "test")],
    )
    parts = {output.output_name: output.destination for output in prepare.latest_job.outputs}

    print("== train", flush=True)
    estimator = Estimator(
        image_uri=options.image,
        role=ROLE,
        instance_count=options.hosts,
        instance_type="local",
        sagemaker_session=session,
        output_path=f"file://{work}/model",
        hyperparameters={"target": "fraud", "num_round": 200, "stratified": True},
    )
    estimator.fit({part: parts[part] for part in ("train", "validation")})

    print("== evaluate", flush=True)
    evaluate = processor(options.image, session, "evaluate")
    evaluate.run(
        inputs=[
            job_input("model", f"{work}/model/model.tar.gz", "model"),
            job_input("test", parts["test"], "test"),
        ],
        outputs=[job_output("evaluation", "evaluation")],
    )
    for uri, name in [(evaluate.latest_job.outputs[0].destination, "out"), (parts["test"], "test")]:
        S3Downloader.download(uri, str(work / name), sagemaker_session=session)
    decision = json.loads((work / "out" / "decision.json").read_text())
    print("verdict:", decision["verdict"], decision["auc"], flush=True)

    header, *lines = (work / "test" / "test.csv").read_text().splitlines()
    names = header.split(",")[1:]
    rows = [line.split(",")[1:] for line in lines[:20]]  # without the label

    print("== deploy and predict", flush=True)
    predictor = estimator.deploy(
        initial_instance_count=1,
        instance_type="local",
        serializer=CSVSerializer(),
        deserializer=CSVDeserializer(),
    )
    try:
        by_csv = [float(row[0]) for row in predictor.predict(rows)]
        predictor.serializer, predictor.deserializer = JSONSerializer(), JSONDeserializer()
        answer = predictor.predict([dict(zip(names, row, strict=True)) for row in rows])
        by_json = [row["score"] for row in answer["predictions"]]
    finally:
        predictor.delete_endpoint()
    expect_equal(by_csv, by_json)
    print("scores:", by_csv[:3], flush=True)

    print("== batch transform", flush=True)
    (work / "rows").mkdir()
    (work / "rows" / "rows.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    transformer = estimator.transformer(
        1,
        "local",
        strategy="MultiRecord",
        assemble_with="Line",
        accept="text/csv",
        output_path=f"file://{work}/scores",
        max_concurrent_transforms=1,
        max_payload=1,
    )
    transformer.transform(f"file://{work}/rows", content_type="text/csv", split_type="Line")
    transformer.wait()
    text = (work / "scores" / "rows.csv.out").read_text()
    expect_equal(by_csv, [float(line) for line in text.split()])
    print("all jobs done: verdict, CSV, JSON and batch scores agree", flush=True)
    shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
