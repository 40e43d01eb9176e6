"""What a role of the stack may do though nothing here does it, each with its reason."""

from collections.abc import Mapping

BY_LAMBDA = "Lambda itself writes the function's log and traces, with the function's role"
BY_SAGEMAKER = "SageMaker itself does it for a job or a model, with its role"
BY_QUEUE = "Lambda itself empties the queue, with the role of the function that it feeds"
BY_RECORDS = "Feature Store itself writes the offline store; the desk does as itself"
BY_FEATURES = "Feature Store asks for it in the name of whoever makes a group"
BY_SCALING = "Application Auto Scaling does it, or asks for it, in the name of its caller"

FUNCTION: Mapping[str, str] = {
    "logs:CreateLogStream": BY_LAMBDA,
    "logs:PutLogEvents": BY_LAMBDA,
    "xray:PutTraceSegments": BY_LAMBDA,
    "xray:PutTelemetryRecords": BY_LAMBDA,
}

CONTAINER: Mapping[str, str] = {
    "logs:CreateLogGroup": BY_SAGEMAKER,
    "logs:CreateLogStream": BY_SAGEMAKER,
    "logs:DescribeLogStreams": BY_SAGEMAKER,
    "logs:PutLogEvents": BY_SAGEMAKER,
    "cloudwatch:PutMetricData": BY_SAGEMAKER,
    "ecr:BatchCheckLayerAvailability": BY_SAGEMAKER,
    "ecr:BatchGetImage": BY_SAGEMAKER,
    "ecr:GetAuthorizationToken": BY_SAGEMAKER,
    "ecr:GetDownloadUrlForLayer": BY_SAGEMAKER,
}

REASONS: Mapping[str, Mapping[str, str]] = {
    "JobRole": CONTAINER
    | {
        "s3:AbortMultipartUpload": "an upload that breaks off, which none does here",
        "s3:GetBucketLocation": "SageMaker looks where the bucket is; here all is in one place",
    },
    "ModelRole": CONTAINER
    | {
        "s3:ListBucket": "SageMaker lists what is below a model's address before it fetches it",
        "s3:PutObject": "captured requests of an instance, which the desk does not capture",
    },
    "PipelineRole": {
        "sagemaker:AddTags": "Pipelines tags the jobs and packages of its executions",
        "sagemaker:DescribeProcessingJob": "Pipelines waits for its jobs; the desk runs them",
        "sagemaker:DescribeTrainingJob": "the same",
        "sagemaker:StopProcessingJob": "an execution that is stopped, which none is here",
        "sagemaker:StopTrainingJob": "the same",
        "sagemaker:DescribeModelPackage": "Pipelines looks at what it has registered",
        "sagemaker:DescribeModelPackageGroup": "the same",
        "s3:GetObject": "Pipelines reads property files; the desk does as itself",
        "s3:ListBucket": "the same",
    },
    "DeployRole": FUNCTION
    | {
        "sqs:SendMessage": "Lambda hands over what failed to the end, with the function's role",
        "iam:CreateServiceLinkedRole": BY_SCALING,
        "cloudwatch:PutMetricAlarm": BY_SCALING,
        "cloudwatch:DeleteAlarms": BY_SCALING,
        "cloudwatch:DescribeAlarms": "a deployment's alarms are read with its caller's role",
    },
    "ScoreRole": FUNCTION,
    "WorkRole": FUNCTION
    | {
        "sqs:DeleteMessage": BY_QUEUE,
        "sqs:GetQueueAttributes": BY_QUEUE,
        "sqs:ReceiveMessage": BY_QUEUE,
    },
    "WatchRole": FUNCTION,
    "IngestRole": FUNCTION
    | {
        "glue:CreateTable": BY_FEATURES,
        "glue:GetDatabase": BY_FEATURES,
        "glue:GetTable": BY_FEATURES,
    },
    "RetireRole": FUNCTION,
    "StoreRole": {
        "s3:PutObject": BY_RECORDS,
        "s3:PutObjectAcl": BY_RECORDS,
        "s3:GetBucketAcl": BY_RECORDS,
        "glue:GetTable": BY_RECORDS,
        "glue:UpdateTable": BY_RECORDS,
    },
    "CleanRole": FUNCTION
    | {
        "cloudwatch:DeleteAlarms": BY_SCALING,
        "sagemaker:StopPipelineExecution": "an execution on its way, which none is here",
        "sagemaker:StopProcessingJob": "a look for drift on its way, which none is here",
        "sagemaker:StopTransformJob": "a batch job on its way, which none is here",
    },
}


def unexplained(role: str, unused: set[str]) -> set[str]:
    """Return which unused actions of a role have no reason above."""
    return unused - REASONS[role].keys()
