"""SageMaker SDK v3: the pipeline of cloud/template.yaml, as the SDK writes it, to stdout.

The same steps as src/cloud/pipeline makes without an SDK; a test holds the two equal.
"""

import json
import sys

import boto3
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.network import NetworkConfig
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import (
    MetricDefinition,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
    StoppingCondition,
)
from sagemaker.core.workflow.conditions import ConditionEquals, ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import (
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, Networking, OutputDataConfig

# What the test makes its own definition of: the places of a stack.
PLACES = json.loads(sys.argv[1])
IMAGE, ROLE, BUCKET, GROUP = (PLACES[name] for name in ("image", "role", "bucket", "group"))
VPC, KEY = PLACES["vpc"], PLACES["key"]
MEDIA_TYPES = ["text/csv", "application/json", "application/jsonlines"]
PARTS = ("train", "validation", "test")
DAY = 24 * 3600

SESSION = PipelineSession(
    boto_session=boto3.Session(region_name="us-east-1"), default_bucket=BUCKET
)

TABLES = ParameterString(name="Tables", default_value=f"s3://{BUCKET}/tables")
MINIMUM_AUC = ParameterFloat(name="MinimumAuc", default_value=0.7)
APPROVAL = ParameterString(
    name="ApprovalStatus",
    default_value="PendingManualApproval",
    enum_values=["PendingManualApproval", "Approved"],
)
INSTANCE = ParameterString(name="JobInstanceType", default_value="ml.m5.large")

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
        max_runtime_in_seconds=DAY,
        entrypoint=list(command),
        network_config=NetworkConfig(
            enable_network_isolation=True,
            subnets=VPC and VPC["Subnets"],
            security_group_ids=VPC and VPC["SecurityGroupIds"],
        ),
        sagemaker_session=SESSION,
    )


def read(name: str, uri: object, path: str) -> ProcessingInput:
    """Return an input that is copied whole."""
    source = ProcessingS3Input(
        s3_uri=uri,
        local_path=path,
        s3_data_type="S3Prefix",
        s3_input_mode="File",
        s3_data_distribution_type="FullyReplicated",
        s3_compression_type="None",
    )
    return ProcessingInput(input_name=name, s3_input=source)


def saved(step: str, name: str, path: str) -> ProcessingOutput:
    """Return an output in the execution's own folder."""
    parts = [f"s3://{BUCKET}/runs", ExecutionVariables.PIPELINE_EXECUTION_ID, step, name]
    target = ProcessingS3Output(
        s3_uri=Join(on="/", values=parts), local_path=path, s3_upload_mode="EndOfJob"
    )
    return ProcessingOutput(output_name=name, s3_output=target)


def main() -> None:
    """Print the definition."""
    evaluation = PropertyFile(name="Evaluation", output_name="evaluation", path="evaluation.json")
    prepare = ProcessingStep(
        "Prepare",
        step_args=processor("prepare", "--key", "policy_id", "--label", "fraud").run(
            inputs=[read("tables", TABLES, "/opt/ml/processing/input")],
            outputs=[saved("Prepare", part, f"/opt/ml/processing/output/{part}") for part in PARTS],
        ),
        cache_config=CacheConfig(enable_caching=False),
        retry_policies=RETRIES,
    )
    parts = prepare.properties.ProcessingOutputConfig.Outputs
    trainer = ModelTrainer(
        training_image=IMAGE,
        role=ROLE,
        base_job_name="train",
        compute=Compute(
            instance_type=INSTANCE,
            instance_count=1,
            volume_size_in_gb=30,
            volume_kms_key_id=KEY,
        ),
        networking=Networking(
            enable_network_isolation=True,
            subnets=VPC and VPC["Subnets"],
            security_group_ids=VPC and VPC["SecurityGroupIds"],
        ),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=DAY),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/models", kms_key_id=KEY),
        hyperparameters={"target": "fraud"},
        input_data_config=[
            InputData(
                channel_name=part,
                data_source=parts[part].S3Output.S3Uri,
                content_type="application/x-parquet",
            )
            for part in ("train", "validation")
        ],
        sagemaker_session=SESSION,
    ).with_metric_definitions([MetricDefinition(name="validation:auc", regex=PLACES["auc"])])
    train = TrainingStep(
        "Train", step_args=trainer.train(), cache_config=CACHED, retry_policies=RETRIES
    )
    artifact = train.properties.ModelArtifacts.S3ModelArtifacts
    evaluate = ProcessingStep(
        "Evaluate",
        step_args=processor("evaluate").run(
            inputs=[
                read("model", artifact, "/opt/ml/processing/model"),
                read("test", parts["test"].S3Output.S3Uri, "/opt/ml/processing/test"),
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

        builder = ModelBuilder(
            s3_model_data_url=artifact, image_uri=IMAGE, role_arn=ROLE, sagemaker_session=SESSION
        )
        return ModelStep(
            name=name,
            step_args=builder.register(
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
        name="Deploy",
        lambda_func=Lambda(function_arn=PLACES["deploy_function"], session=SESSION),
        inputs={"package": registered.properties.ModelPackageArn},
        outputs=[
            LambdaOutput("endpoint", LambdaOutputTypeEnum.String),
            LambdaOutput("action", LambdaOutputTypeEnum.String),
        ],
    )
    approved = ConditionStep(
        name="IsApproved",
        conditions=[ConditionEquals(left=APPROVAL, right="Approved")],
        if_steps=[deploy],
        else_steps=[],
    )
    auc = JsonGet(
        step_name="Evaluate",
        property_file=evaluation,
        json_path="binary_classification_metrics.auc.value",
    )
    weak = FailStep(
        name="TooWeak",
        error_message=Join(on=" ", values=["AUC", auc, "is below", MINIMUM_AUC]),
        depends_on=[rejected],
    )
    gate = ConditionStep(
        name="Gate",
        conditions=[ConditionGreaterThanOrEqualTo(left=auc, right=MINIMUM_AUC)],
        if_steps=[registered, approved],
        else_steps=[rejected, weak],
    )
    pipeline = Pipeline(
        name=GROUP,
        parameters=[TABLES, MINIMUM_AUC, APPROVAL, INSTANCE],
        steps=[prepare, train, evaluate, gate],
        sagemaker_session=SESSION,
    )
    print(pipeline.definition())


if __name__ == "__main__":
    main()
