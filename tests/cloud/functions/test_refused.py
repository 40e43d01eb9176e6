"""What must not or cannot be served: refused, reported once, and not tried again."""

import pytest

from sagetree.cloud.deployment.errors import Refused
from tests.cloud.account import ARN, BUCKET, BUNDLE, packed, refused
from tests.cloud.functions.conftest import settings_of


@pytest.mark.parametrize("first", [True, False])
def test_a_quota_is_told_and_not_tried_again(account, ask, first):
    settings = settings_of("instance")
    if not first:
        ask({"package": account.register()}, settings)
    arn = account.register()
    limit = "The account-level service limit 'ml.m5.large for endpoint usage' is 0 Instances."
    operation = "CreateEndpoint" if first else "UpdateEndpoint"
    account.answer(operation, refused(limit, "ResourceLimitExceeded"))
    text = f"{arn}: {limit} Ask for more in Service Quotas, or choose another EndpointInstanceType"
    with pytest.raises(Refused) as raised:
        ask({"package": arn}, settings)
    assert str(raised.value) == text
    assert account.told == [("fraud: a package is refused", text)]
    assert ask({"package": arn}, settings)["action"] == ("created" if first else "updated")


def test_an_event_without_a_package_is_refused(account, ask):
    with pytest.raises(Refused, match="the event does not name a package; it has nothing"):
        ask({}, settings_of())
    with pytest.raises(Refused, match="the event does not name a package; it has detail, source"):
        ask({"source": "aws.sagemaker", "detail": None}, settings_of())


def _model(key: str, body: bytes | None):
    def change(account):
        arn = account.register(key=key)
        if body is None:
            account.clients["s3"].delete_object(Bucket=BUCKET, Key=key)
        else:
            account.clients["s3"].put_object(Bucket=BUCKET, Key=key, Body=body)
        return arn

    return change


def _status(status: str):
    def change(account):
        arn = account.register()
        (package,) = account.sagemaker.model_packages.values()
        package.model_package_status = status
        return arn

    return change


def _of_other_group(account):
    account.clients["sagemaker"].create_model_package_group(ModelPackageGroupName="other")
    return account.register(group="other")


PACKAGE = f"{ARN}:model-package/fraud/1"
NO_MODEL = f"s3://{BUCKET}/m"
NOT_GIVEN = (
    f"{NO_MODEL}: S3 does not return its model: it is gone or lies elsewhere. The function reads"
    " the stack's bucket below models/; run the pipeline again"
)


def _denied(account):
    """As S3 answers a role that may not list the bucket, where the object is gone."""
    account.answer("GetObject", *[refused("Access Denied", "AccessDenied")] * 3)
    return account.register(key="m")


def _without_model(account):
    arn = account.register()
    (package,) = account.sagemaker.model_packages.values()
    del package.inference_specification["Containers"][0]["ModelDataUrl"]
    return arn


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda account: account.register("PendingManualApproval"),
            f"{PACKAGE}: its status is PendingManualApproval, not Approved. Approve it with "
            "sagetree cloud approve, or in SageMaker Studio",
        ),
        (
            lambda account: account.register("Rejected"),
            f"{PACKAGE}: its status is Rejected, not Approved. Approve it with sagetree cloud "
            "approve, or in SageMaker Studio",
        ),
        (
            _of_other_group,
            f"{ARN}:model-package/other/1: it is of another group. This stack serves only "
            "packages of the group fraud",
        ),
        (
            lambda account: PACKAGE[:-1] + "99",
            f"{PACKAGE[:-1]}99: Model package {PACKAGE[:-1]}99 not found",
        ),
        (lambda account: "fraud", "'fraud' is not an ARN of a model package's version"),
        (
            _status("Failed"),
            f"{PACKAGE}: its status is Failed, with 1 containers. Run the pipeline, which"
            " registers another",
        ),
        (_model("m", None), NOT_GIVEN),
        (_denied, NOT_GIVEN),
        (_without_model, f"{PACKAGE}: it does not name a model in S3"),
        (_model("m", b"text"), f"{NO_MODEL}: it is not a model.tar.gz: not a gzip file"),
        (
            _model("m", packed(BUNDLE)[:3]),
            f"{NO_MODEL}: it is not a model.tar.gz: unexpected end of data",
        ),
        (
            _model("m", packed(BUNDLE)[:900]),
            f"{NO_MODEL}: it is not a model.tar.gz: unexpected end of data",
        ),
        (
            _model("m", packed(BUNDLE, lambda name: "other.json")),
            f"{NO_MODEL}: sagetree/schema.json is missing from it. The score function asks by "
            "column"
            " names; train with target=NAME",
        ),
        (
            _model("m", packed(BUNDLE, lambda name: "./sagetree/schema.json")),
            f"{NO_MODEL}: its sagetree/schema.json cannot be read. Train it again with the image "
            "of this stack",
        ),
    ],
)  # fmt: skip
def test_what_must_not_be_served_is_refused_and_told_once(account, ask, make, text):
    arn = make(account)
    for _ in range(3):  # Lambda tries an asynchronous call three times
        with pytest.raises(Refused) as raised:
            ask({"package": arn}, settings_of())
        assert str(raised.value) == text
    assert account.endpoint is None
    assert account.told == [("fraud: a package is refused", text)]
