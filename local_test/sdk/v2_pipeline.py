"""SageMaker SDK v2: the whole chain as a local Pipeline, with a gate on the AUC.

prepare -> train -> evaluate -> AUC >= --auc-min? -> create the model, else fail.
`--upsert NAME` stores the same pipeline in SageMaker instead, with a register step.
"""

import argparse
import os
import tempfile
from pathlib import Path

import boto3
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.local import LocalSession
from sagemaker.model import Model
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import LocalPipelineSession, PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import ProcessingStep, TrainingStep

ROLE = "arn:aws:iam::111111111111:role/local"
HERE = Path(__file__).resolve().parent
PARTS = ("train", "validation", "test")

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


def build(
    image: str, tables: str, session: LocalSession | PipelineSession, instance: str, name: str
) -> Pipeline:
    """Return the pipeline; `tables` is the folder or S3 prefix of the INPUTS."""
    minimum = ParameterFloat(name="AucMin", default_value=0.7)
    evaluation = PropertyFile("Evaluation", output_name="evaluation", path="evaluation.json")

    def processor(*command: str) -> Processor:
        return Processor(
            role=ROLE,
            image_uri=image,
            instance_count=1,
            instance_type=instance,
            entrypoint=list(command),
            sagemaker_session=session,
        )

    prepare = ProcessingStep(
        "Prepare",
        step_args=processor(*PREPARE).run(
            inputs=[
                ProcessingInput(
                    source=f"{tables}/{file}",
                    destination=f"/opt/ml/processing/input/{name}",
                    input_name=name,
                )
                for name, file in INPUTS.items()
            ],
            outputs=[
                ProcessingOutput(source=f"/opt/ml/processing/output/{part}", output_name=part)
                for part in PARTS
            ],
        ),
    )
    parts = prepare.properties.ProcessingOutputConfig.Outputs
    estimator = Estimator(
        image_uri=image,
        role=ROLE,
        instance_count=1,
        instance_type=instance,
        sagemaker_session=session,
        hyperparameters={"target": "fraud", "num_round": 200},
    )
    train = TrainingStep(
        "Train",
        step_args=estimator.fit(
            {
                part: TrainingInput(parts[part].S3Output.S3Uri, content_type="text/csv")
                for part in ("train", "validation")
            }
        ),
    )
    artifacts = train.properties.ModelArtifacts.S3ModelArtifacts
    evaluate = ProcessingStep(
        "Evaluate",
        step_args=processor("evaluate").run(
            inputs=[
                ProcessingInput(
                    source=artifacts, destination="/opt/ml/processing/model", input_name="model"
                ),
                ProcessingInput(
                    source=parts["test"].S3Output.S3Uri,
                    destination="/opt/ml/processing/test",
                    input_name="test",
                ),
            ],
            outputs=[
                ProcessingOutput(source="/opt/ml/processing/evaluation", output_name="evaluation")
            ],
        ),
        property_files=[evaluation],
    )
    model = Model(image_uri=image, model_data=artifacts, role=ROLE, sagemaker_session=session)
    if isinstance(session, LocalSession):  # local mode knows no register step
        accepted = ModelStep("CreateModel", step_args=model.create(instance_type=instance))
    else:
        accepted = ModelStep(
            "Register",
            step_args=model.register(
                content_types=["text/csv", "application/json"],
                response_types=["text/csv", "application/json"],
                inference_instances=["ml.m5.large"],
                transform_instances=["ml.m5.large"],
                model_package_group_name=name,
                approval_status="PendingManualApproval",
            ),
        )
    auc = JsonGet(
        step_name=evaluate.name,
        property_file=evaluation,
        json_path="binary_classification_metrics.auc.value",
    )
    rejected = FailStep("AucTooLow", error_message=Join(on=" ", values=["AUC is below", minimum]))
    gate = ConditionStep(
        "Gate",
        conditions=[ConditionGreaterThanOrEqualTo(left=auc, right=minimum)],
        if_steps=[accepted],
        else_steps=[rejected],
    )
    return Pipeline(
        name, parameters=[minimum], steps=[prepare, train, evaluate, gate],
        sagemaker_session=session,
    )  # fmt: skip


def main() -> None:
    """Run the pipeline locally, or store it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", default="sagetree")
    parser.add_argument("--dir", type=Path, default=HERE.parent / "test_dir")
    parser.add_argument("--auc-min", type=float, default=0.7)
    parser.add_argument("--upsert", metavar="NAME", help="store it in SageMaker under this name")
    options = parser.parse_args()
    boto = boto3.Session(region_name="us-east-1")
    if options.upsert:
        session = PipelineSession(boto_session=boto, default_bucket="sagetree-local")
        pipeline = build(
            options.image, "s3://sagetree-local/tables", session, "ml.m5.xlarge", options.upsert
        )
        print("stored", pipeline.upsert(ROLE)["PipelineArn"])
        return
    session = LocalPipelineSession(
        boto_session=boto,
        default_bucket="sagetree-local",
        s3_endpoint_url=os.environ["AWS_ENDPOINT_URL"],
    )
    root = tempfile.mkdtemp(prefix="sagetree-pipeline-")
    session.config = {"local": {"local_code": True, "container_root": root}}
    boto.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"]).create_bucket(
        Bucket="sagetree-local"
    )
    tables = str((options.dir / "processing" / "input").resolve())
    pipeline = build(options.image, tables, session, "local", "sagetree")
    pipeline.create(role_arn=ROLE, description="prepare, train, evaluate, gate")
    execution = pipeline.start(parameters={"AucMin": options.auc_min})
    description = execution.describe()
    for step in execution.list_steps()["PipelineExecutionSteps"]:
        print(f"{step['StepName']:<24}{step['StepStatus']}")
    print(description["PipelineExecutionStatus"], description.get("FailureReason", ""))


if __name__ == "__main__":
    main()
