"""What the desk adds to moto, where it needs no account to be seen."""

import json
from pathlib import Path

import pytest

from local_test.cloud.account.actors import ACCOUNT, REGION, Call
from local_test.cloud.account.dependencies import deletion_order, imports
from local_test.cloud.account.replacing import replaced
from local_test.cloud.account.signing import sign, signed
from local_test.cloud.pipeline.objects import packed, unpacked
from local_test.cloud.privileges import Grant, Role, Use, uses_of

SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"


def test_what_others_need_is_deleted_after_them_and_a_custom_resource_as_late_as_it_can() -> None:
    resources = {
        "Role": {"Type": "AWS::IAM::Role"},
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Bucket"}}},
        "Clean": {
            "Type": "Custom::Clean",
            "DependsOn": "Log",
            "Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}, "In": {"Fn::Sub": "${Bucket}"}},
        },
        "Log": {"Type": "AWS::Logs::LogGroup"},
        "Rule": {
            "Type": "AWS::Events::Rule",
            "DependsOn": ["Clean"],
            "Properties": {"Say": {"Fn::Sub": ["${Bucket.Arn} ${!Role}", {"Bucket": "x"}]}},
        },
    }
    order = deletion_order(resources)
    assert order == ["Policy", "Rule", "Clean", "Role", "Bucket", "Log"]


def test_imports_are_found_at_any_depth() -> None:
    name = {"Fn::Sub": "${Stack}-bucket"}
    within = {"Fn::Sub": ["${Bucket}/*", {"Bucket": {"Fn::ImportValue": name}}]}
    assert list(imports({"A": [{"Fn::ImportValue": "x"}, {"Resource": within}]})) == ["x", name]


def test_resources_that_need_each_other_are_an_error() -> None:
    resources = {name: {"Type": "A", "P": {"Ref": other}} for name, other in ("AB", "BA")}
    with pytest.raises(ValueError, match="these resources need each other: A, B"):
        deletion_order(resources)


def test_a_signature_is_of_method_path_and_body() -> None:
    url, headers = "http://127.0.0.1:1/api/x/score", {"Content-Type": "application/json"}
    given = sign("POST", url, b"[1]", headers)
    made = {name.lower(): value for name, value in given.items()} | {"host": "127.0.0.1:1"}
    assert signed("POST", "/api/x/score", made, b"[1]")
    assert not signed("POST", "/api/x/score", made, b"[2]")
    assert not signed("POST", "/api/x/other", made, b"[1]")
    assert not signed("GET", "/api/x/score", made, b"[1]")
    assert not signed("POST", "/api/x/score", made | {"authorization": ""}, b"[1]")


@pytest.mark.parametrize(
    ("service", "operation", "params", "uses"),
    [
        (
            "sagemaker",
            "CreateModel",
            {"ModelName": "fraud-1", "ExecutionRoleArn": "arn:role"},
            {Use("sagemaker:CreateModel", f"{SAGEMAKER}:model/fraud-1"),
             Use("iam:PassRole", "arn:role")},
        ),
        (
            "sagemaker",
            "UpdateEndpoint",
            {"EndpointName": "fraud", "EndpointConfigName": "fraud-2"},
            {Use("sagemaker:UpdateEndpoint", f"{SAGEMAKER}:endpoint/fraud"),
             Use("sagemaker:UpdateEndpoint", f"{SAGEMAKER}:endpoint-config/fraud-2")},
        ),
        (
            "sagemaker",
            "CreateModelPackage",
            {"ModelPackageGroupName": "fraud"},
            {Use("sagemaker:CreateModelPackage", f"{SAGEMAKER}:model-package-group/fraud"),
             Use("sagemaker:CreateModelPackage", f"{SAGEMAKER}:model-package/fraud/1")},
        ),
        ("sagemaker", "ListModels", {"NameContains": "x"}, {Use("sagemaker:ListModels", "*")}),
        (
            "sagemaker-runtime",
            "InvokeEndpoint",
            {"EndpointName": "fraud"},
            {Use("sagemaker:InvokeEndpoint", f"{SAGEMAKER}:endpoint/fraud")},
        ),
        ("s3", "ListObjectsV2", {"Bucket": "b"}, {Use("s3:ListBucket", "arn:aws:s3:::b")}),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "k"},
         {Use("s3:GetObject", "arn:aws:s3:::b/k")}),
        (
            "s3",
            "DeleteObjects",
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "k", "VersionId": "1"}, {"Key": "l"}]}},
            {Use("s3:DeleteObjectVersion", "arn:aws:s3:::b/k"),
             Use("s3:DeleteObject", "arn:aws:s3:::b/l")},
        ),
        (
            "ssm",
            "GetParameters",
            {"Names": ["/a", "/b"]},
            {Use("ssm:GetParameters", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{name}")
             for name in "ab"},
        ),
    ],
)  # fmt: skip
def test_what_iam_asks_about_a_call(
    service: str, operation: str, params: dict[str, object], uses: set[Use]
) -> None:
    assert set(uses_of(Call("role", service, operation, params))) == uses


def test_a_role_is_told_what_it_lacks_and_what_it_has_too_much() -> None:
    grants = (
        Grant("s3:GetObject", ("arn:aws:s3:::b/models/*",)),
        Grant("s3:PutObject", ("arn:aws:s3:::b/*",)),
    )
    role = Role("JobRole", "jobs", grants)
    calls = [
        Call("jobs", "s3", "GetObject", {"Bucket": "b", "Key": "models/1"}),
        Call("jobs", "s3", "GetObject", {"Bucket": "b", "Key": "others/1"}),
        Call("somebody", "s3", "PutObject", {"Bucket": "b", "Key": "1"}),
    ]
    assert role.missing(calls) == [Use("s3:GetObject", "arn:aws:s3:::b/others/1")]
    assert role.unused(calls) == {"s3:PutObject"}


def test_what_is_replaced_is_put_back() -> None:
    class Theirs:
        one = 1

    seen = []
    with pytest.raises(ZeroDivisionError), replaced(Theirs, one=2, two=3):
        seen.append(Theirs.one + vars(Theirs)["two"] / 0)
    assert seen == []
    with replaced(Theirs, one=2, two=3):
        seen.append(Theirs.one + vars(Theirs)["two"])
    assert (seen, Theirs.one) == ([5], 1)
    assert not hasattr(Theirs, "two")


def test_a_packed_model_is_unpacked_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "manifest.json").write_text(json.dumps({"format": 1}))
    archive = packed(tmp_path / "model", tmp_path / "model.tar.gz")
    again = unpacked(archive, tmp_path / "again")
    assert json.loads((again / "manifest.json").read_text()) == {"format": 1}
