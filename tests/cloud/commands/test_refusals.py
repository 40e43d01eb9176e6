"""What AWS refuses is one sentence, with what to do."""

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError, create_parser
from botocore.session import get_session

from sagetree.cloud.account.calls import open_session
from sagetree.cloud.account.refusals import AbsentError, refusals
from sagetree.errors import PlatformError, SagetreeError, UserError


def sentence(error, kind=UserError):
    with pytest.raises(SagetreeError) as raised, refusals("cloudformation", "CreateStack"):
        raise error
    assert type(raised.value) is kind
    return str(raised.value)


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        (
            "ExpiredToken", "The security token included in the request is expired",
            "the credentials for AWS have expired. Log in again with 'aws sso login', or set new "
            "keys with 'aws configure'",
        ),
        (
            "InvalidClientTokenId", "The security token included in the request is invalid.",
            "AWS does not accept the credentials (InvalidClientTokenId). Run 'aws configure', or "
            "name a profile with --profile",
        ),
        (
            "AccessDenied", "User: arn:aws:iam::1:user/me is not authorized to perform: x.",
            "AWS denies cloudformation:CreateStack: User: arn:aws:iam::1:user/me is not authorized "
            "to perform: x. Ask whoever administers the account to allow "
            "cloudformation:CreateStack",
        ),
        (
            "LimitExceededException", "stack limit of 2000 reached",
            "a quota of the account is reached: stack limit of 2000 reached. Ask for more in the "
            "console, under Service Quotas, or delete what is not used",
        ),
        (
            "ThrottlingException", "Rate exceeded",
            "AWS received too many calls of cloudformation:CreateStack. Try again in a minute",
        ),
        (
            "ValidationError", "Template error: Network existing needs SubnetIds.",
            "AWS refuses cloudformation:CreateStack: Template error: Network existing needs "
            "SubnetIds. Change what it names, and try again",
        ),
        (
            "InternalFailure", "",
            "AWS refuses cloudformation:CreateStack: InternalFailure. Change what it names, and "
            "try again",
        ),
    ],
)  # fmt: skip
def test_a_refusal_is_one_sentence(code, message, said):
    error = ClientError({"Error": {"Code": code, "Message": message}}, "CreateStack")
    assert sentence(error) == said


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationError", "Stack with id fraud does not exist"),
        ("ValidationException", 'Could not find endpoint "arn:aws:x".'),
        ("ResourceNotFound", "Pipeline fraud does not exist"),
        ("NoSuchBucketPolicy", "The bucket policy does not exist"),
        ("ServerSideEncryptionConfigurationNotFoundError", "none"),
    ],
)
def test_what_is_not_there_is_an_error_of_its_own(code, message):
    error = ClientError({"Error": {"Code": code, "Message": message}}, "CreateStack")
    said = sentence(error, AbsentError)
    assert said.startswith("cloudformation:CreateStack finds nothing: ")
    assert said.endswith(". Check --stack and --region")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            exceptions.NoCredentialsError(),
            "there are no credentials for AWS (NoCredentialsError). Run 'aws configure', or name a "
            "profile with --profile",
        ),
        (
            exceptions.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            "there are no credentials for AWS (PartialCredentialsError). Run 'aws configure', or "
            "name a profile with --profile",
        ),
        (
            exceptions.UnauthorizedSSOTokenError(),
            "the login to AWS has expired. Log in again with 'aws sso login', or set new keys "
            "with 'aws configure'",
        ),
        (
            exceptions.ParamValidationError(report="Invalid length for StackName"),
            "AWS cannot be called: Parameter validation failed:\nInvalid length for StackName. "
            "Correct that, and try again",
        ),
    ],
)
def test_what_keeps_a_call_from_being_made_is_one_too(error, said):
    assert sentence(error) == said


def test_a_service_that_does_not_answer_is_the_platform_s_fault():
    error = exceptions.EndpointConnectionError(endpoint_url="https://x.amazonaws.com/")
    assert sentence(error, PlatformError) == (
        "AWS does not answer: Could not connect to the endpoint URL: "
        '"https://x.amazonaws.com/". Check the network and --region'
    )


def test_what_answers_in_aws_s_place_is_told():
    page = {"status_code": 200, "headers": {}, "body": b"<html><b>Sign in</b></html>"}
    operation = get_session().get_service_model("cloudformation").operation_model("CreateStack")
    with pytest.raises(KeyError) as raised:
        create_parser("query").parse(page, operation.output_shape)
    for error in (ResponseParserError("syntax error"), raised.value):
        assert sentence(error, PlatformError) == (
            "what answers cloudformation:CreateStack is not AWS. Check the proxy on the way, and "
            "AWS_ENDPOINT_URL"
        )


def test_a_session_needs_a_region_and_a_profile_that_is_there(monkeypatch, tmp_path):
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError) as raised:
        open_session(None, None)
    assert str(raised.value) == "no region is set. Use --region, or run 'aws configure'"
    with pytest.raises(UserError) as raised:
        open_session("us-east-1", "mine")
    assert str(raised.value) == (
        "The config profile (mine) could not be found. 'aws configure list-profiles' lists the "
        "existing profiles"
    )
    assert open_session("eu-west-1", None).region_name == "eu-west-1"
