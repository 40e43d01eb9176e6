"""sagetree cloud approve: which version, its figures, and what is not approved."""

import json

import pytest

from sagetree.cloud.commands.approve import approve
from sagetree.errors import UserError
from tests.cloud.account import ARN

PACKAGE = f"{ARN}:model-package/fraud"


def register(person, approval, auc=None):
    """Register a version as the pipeline does, with its evaluation in the bucket."""
    metrics = {}
    if auc is not None:
        key = f"runs/{auc}/evaluation.json"
        statistics = {"binary_classification_metrics": {
            "precision": {"value": 0.5}, "confusion_matrix": {"0": {"0": 1}},
            "auc": {"value": auc, "standard_deviation": 0.01},
            "recall_best_constant_classifier": {"value": 1.0}}}  # fmt: skip
        person.client("s3").put_object(
            Bucket=person.bucket(), Key=key, Body=json.dumps(statistics).encode()
        )
        uri = f"s3://{person.bucket()}/{key}"
        statistics = {"ContentType": "application/json", "S3Uri": uri}
        metrics = {"ModelMetrics": {"ModelQuality": {"Statistics": statistics}}}
    container = {
        "Image": "1.dkr.ecr.us-east-1.amazonaws.com/sagetree:1",
        "ModelDataUrl": "s3://a/b",
    }
    made = person.client("sagemaker").create_model_package(
        ModelPackageGroupName="fraud",
        ModelApprovalStatus=approval,
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        **metrics,
    )
    return made["ModelPackageArn"]


@pytest.fixture
def registry(person):
    person.make_stack()
    person.client("sagemaker").create_model_package_group(ModelPackageGroupName="fraud")
    return person


def approval(person, arn):
    return person.client("sagemaker").describe_model_package(ModelPackageName=arn)[
        "ModelApprovalStatus"
    ]


def test_the_latest_is_approved_and_its_figures_are_said(registry):
    first = register(registry, "PendingManualApproval", 0.8)
    second = register(registry, "PendingManualApproval", 0.8472)
    code, said = registry.hears(lambda: approve(registry.account, None))
    assert code == 0
    assert said[-3:] == [
        "version 2: PendingManualApproval, auc 0.8472, precision 0.5",
        f"+ aws sagemaker update-model-package --model-package-arn {second} "
        "--model-approval-status Approved",
        "Its deployment begins; to follow it:  sagetree cloud status --stack fraud",
    ]
    assert approval(registry, second) == "Approved"
    assert approval(registry, first) == "PendingManualApproval"


def test_a_version_is_approved_by_its_number_once(registry):
    first = register(registry, "PendingManualApproval")
    register(registry, "PendingManualApproval")
    assert registry.hears(lambda: approve(registry.account, 1))[0] == 0
    assert approval(registry, first) == "Approved"
    code, said = registry.does(lambda: approve(registry.account, 1))
    assert (code, said) == (
        0,
        [
            "version 1: Approved",
            "It is approved already. To serve it although it was left for another one:",
            "  sagetree cloud shift 100 --package 1 --stack fraud",
        ],
    )


def test_what_must_not_be_approved_is_refused(registry):
    def refused(version):
        with pytest.raises(UserError) as raised:
            registry.hears(lambda: approve(registry.account, version))
        return str(raised.value)

    assert refused(None) == (
        "fraud has no model yet. Make one with 'sagetree cloud run --stack fraud'"
    )
    register(registry, "PendingManualApproval")
    arn = register(registry, "Rejected", 0.55)
    assert refused(None) == (
        "version 2 is rejected, by the gate or by a person. Name another version. To serve it all "
        f"the same, 'aws sagemaker update-model-package --model-package-arn {arn} "
        "--model-approval-status Approved'"
    )
    assert refused(7) == "fraud has no version 7. It has 2, 1"
    assert approval(registry, arn) == "Rejected"


def test_a_dry_run_finds_the_version_by_a_query(person):
    _, said = person.hears(lambda: approve(person.dry, 3))
    assert said == [
        "+ MODEL_PACKAGE_ARN=$(aws sagemaker list-model-packages --model-package-group-name fraud "
        "--sort-by CreationTime --sort-order Descending --query "
        "'ModelPackageSummaryList[?ModelPackageVersion==`3`].ModelPackageArn' --output text)",
        '+ aws sagemaker update-model-package --model-package-arn "$MODEL_PACKAGE_ARN" '
        "--model-approval-status Approved",
    ]
