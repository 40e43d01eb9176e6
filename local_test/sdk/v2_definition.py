"""SageMaker SDK v2: the pipeline of cloud/template.yaml, as the SDK writes it, to stdout.

The same steps as src/cloud/pipeline makes without an SDK; a test holds the two equal.
"""

import json
import sys

import boto3
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.lambda_helper import Lambda
from sagemaker.model import Model
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.network import NetworkConfig
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionEquals, ConditionGreaterThanOrEqualTo
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.workflow.steps import CacheConfig, ProcessingStep, TrainingStep

# What the test makes its own definition of: the places of a stack.
PLACES = json.loads(sys.argv[1])
IMAGE, ROLE, BUCKET, GROUP = (PLACES[name] for name in ("image", "role", "bucket", "group"))
VPC, KEY = PLACES["vpc"], PLACES["key"]
MEDIA_TYPES = ["text/csv", "application/json", "application/jsonlines"]
PARTS = ("train", "validation", "test")

SESSION = PipelineSession(
    boto_session=boto3.Session(region_name="us-east-1"), default_bucket=BUCKET
)

TABLES = ParameterString("Tables", default_value=f"s3://{BUCKET}/tables")
MINIMUM_AUC = ParameterFloat("MinimumAuc", default_value=0.7)
APPROVAL = ParameterString(
    "ApprovalStatus",
    default_value="PendingManualApproval",
    enum_values=["PendingManualApproval", "Approved"],
)
INSTANCE = ParameterString("JobInstanceType", default_value="ml.m5.large")

STEP_RETRY = StepRetryPolicy(
    exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
    interval_seconds=10,
    backoff_rate=2.0,
    max_attempts=5,
)
JOB_RETRY = SageMakerJobStepRetryPolicy(
    exception_types=[
        SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
        SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
    ],
    failure_reason_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
    interval_seconds=120,
    backoff_rate=2.0,
    max_attempts=5,
)
RETRIES = [STEP_RETRY, JOB_RETRY]
CACHED = CacheConfig(enable_caching=True, expire_after="30d")


def processor(*command: str) -> Processor:
    """Return the image with a command of its own."""
    return Processor(
        role=ROLE,
        image_uri=IMAGE,
        instance_count=1,
        instance_type=INSTANCE,
        volume_size_in_gb=30,
        volume_kms_key=KEY,
        output_kms_key=KEY,
        max_runtime_in_seconds=24 * 3600,
        entrypoint=list(command),
        network_config=NetworkConfig(
            enable_network_isolation=True,
            subnets=VPC and VPC["Subnets"],
            security_group_ids=VPC and VPC["SecurityGroupIds"],
        ),
        sagemaker_session=SESSION,
    )


def saved(step: str, name: str, path: str) -> ProcessingOutput:
    """Return an output in the execution's own folder."""
    parts = [f"s3://{BUCKET}/runs", ExecutionVariables.PIPELINE_EXECUTION_ID, step, name]
    return ProcessingOutput(source=path, output_name=name, destination=Join(on="/", values=parts))


def main() -> None:
    """Print the definition."""
    evaluation = PropertyFile("Evaluation", output_name="evaluation", path="evaluation.json")
    prepare = ProcessingStep(
        "Prepare",
        step_args=processor("prepare", "--key", "policy_id", "--label", "fraud").run(
            inputs=[
                ProcessingInput(
                    source=TABLES, destination="/opt/ml/processing/input", input_name="tables"
                )
            ],
            outputs=[saved("Prepare", part, f"/opt/ml/processing/output/{part}") for part in PARTS],
        ),
        cache_config=CacheConfig(enable_caching=False),
        retry_policies=RETRIES,
    )
    parts = prepare.properties.ProcessingOutputConfig.Outputs
    estimator = Estimator(
        image_uri=IMAGE,
        role=ROLE,
        instance_count=1,
        instance_type=INSTANCE,
        volume_size=30,
        volume_kms_key=KEY,
        output_kms_key=KEY,
        output_path=f"s3://{BUCKET}/models",
        max_run=24 * 3600,
        hyperparameters={"target": "fraud"},
        metric_definitions=[{"Name": "validation:auc", "Regex": PLACES["auc"]}],
        enable_network_isolation=True,
        subnets=VPC and VPC["Subnets"],
        security_group_ids=VPC and VPC["SecurityGroupIds"],
        disable_profiler=True,
        sagemaker_session=SESSION,
    )
    train = TrainingStep(
        "Train",
        step_args=estimator.fit(
            {
                part: TrainingInput(
                    parts[part].S3Output.S3Uri, content_type="application/x-parquet"
                )
                for part in ("train", "validation")
            }
        ),
        cache_config=CACHED,
        retry_policies=RETRIES,
    )
    artifact = train.properties.ModelArtifacts.S3ModelArtifacts
    evaluate = ProcessingStep(
        "Evaluate",
        step_args=processor("evaluate").run(
            inputs=[
                ProcessingInput(
                    source=artifact, destination="/opt/ml/processing/model", input_name="model"
                ),
                ProcessingInput(
                    source=parts["test"].S3Output.S3Uri,
                    destination="/opt/ml/processing/test",
                    input_name="test",
                ),
            ],
            outputs=[saved("Evaluate", "evaluation", "/opt/ml/processing/evaluation")],
        ),
        property_files=[evaluation],
        cache_config=CACHED,
        retry_policies=RETRIES,
    )
    folder = evaluate.properties.ProcessingOutputConfig.Outputs["evaluation"].S3Output.S3Uri

    def register(name: str, status: object) -> ModelStep:
        def file(name: str) -> Join:
            return Join(on="/", values=[folder, name])

        def source(name: str) -> MetricsSource:
            return MetricsSource(content_type="application/json", s3_uri=file(name))

        model = Model(image_uri=IMAGE, model_data=artifact, role=ROLE, sagemaker_session=SESSION)
        return ModelStep(
            name,
            step_args=model.register(
                content_types=MEDIA_TYPES,
                response_types=MEDIA_TYPES,
                model_package_group_name=GROUP,
                approval_status=status,
                model_metrics=ModelMetrics(
                    model_statistics=source("statistics.json"),
                    model_constraints=source("constraints.json"),
                    explainability=source("explainability.json"),
                ),
                customer_metadata_properties={
                    "execution": ExecutionVariables.PIPELINE_EXECUTION_ID,
                    "evaluation": file("evaluation.json"),
                    "report": file("report.html"),
                    "model_card": file("model_card.json"),
                },
            ),
            retry_policies=[STEP_RETRY],
        )

    registered, rejected = register("Register", APPROVAL), register("RegisterRejected", "Rejected")
    deploy = LambdaStep(
        "Deploy",
        lambda_func=Lambda(function_arn=PLACES["deploy_function"], session=SESSION),
        inputs={"package": registered.properties.ModelPackageArn},
        outputs=[
            LambdaOutput("endpoint", LambdaOutputTypeEnum.String),
            LambdaOutput("action", LambdaOutputTypeEnum.String),
        ],
    )
    approved = ConditionStep(
        "IsApproved",
        conditions=[ConditionEquals(left=APPROVAL, right="Approved")],
        if_steps=[deploy],
        else_steps=[],
    )
    auc = JsonGet("Evaluate", evaluation, "binary_classification_metrics.auc.value")
    weak = FailStep(
        "TooWeak",
        error_message=Join(on=" ", values=["AUC", auc, "is below", MINIMUM_AUC]),
        depends_on=[rejected],
    )
    gate = ConditionStep(
        "Gate",
        conditions=[ConditionGreaterThanOrEqualTo(left=auc, right=MINIMUM_AUC)],
        if_steps=[registered, approved],
        else_steps=[rejected, weak],
    )
    pipeline = Pipeline(
        GROUP,
        parameters=[TABLES, MINIMUM_AUC, APPROVAL, INSTANCE],
        steps=[prepare, train, evaluate, gate],
        sagemaker_session=SESSION,
    )
    print(pipeline.definition())


if __name__ == "__main__":
    main()
