"""sagetree cloud ingest: sources by name, what is said, and what the exit code is."""

import json
from pathlib import Path

import pytest

from local_test.cloud.account.actors import PERSON
from sagetree.cloud.account.calls import Account
from sagetree.cloud.commands.ingest import IngestOptions, ingest, sources_of
from sagetree.errors import UserError
from tests.cloud.commands.answers import Answers, refusal
from tests.cloud.commands.conftest import IMAGE, hears
from tests.cloud.store.conftest import desk, whole_desk

__all__ = ["desk", "whole_desk"]

SMALL = Path(__file__).with_name("small")


@pytest.fixture
def account(desk, tmp_path, monkeypatch) -> Account:
    monkeypatch.chdir(tmp_path)
    account = Account("fraud", desk.actors.session(PERSON), ("--region", "r"), lambda _: None)
    stacks = desk.client("cloudformation")
    for name, template in (("fraud", "template.yaml"), ("fraud-features", "features.yaml")):
        known = {"ImageUri": IMAGE} if name == "fraud" else {"ImageUri": IMAGE, "Stack": "fraud"}
        stacks.create_stack(
            StackName=name,
            TemplateBody=(SMALL / template).read_text(),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in known.items()],
        )
    yield account
    for name in ("fraud-features", "fraud"):
        stacks.delete_stack(StackName=name)


@pytest.mark.long
def test_a_table_is_written_and_the_calls_are_said(account, desk):
    Path("customers.csv").write_text("policy_id,age\n1,34\n2,\n")
    code, said = hears(lambda: ingest(account, sources_of(["customers.csv"]), IngestOptions()))
    assert code == 0
    assert desk.groups.made["fraud-customers"].online["1"]["age"] == "34"
    assert said[0] == "+ aws cloudformation describe-stacks --stack-name fraud-features --region r"
    created = next(line for line in said if "create-feature-group" in line)
    assert "--record-identifier-feature-name policy_id" in created
    assert said[-4:] == [
        "+ aws sagemaker-featurestore-runtime put-record --feature-group-name fraud-customers "
        "--record file://record.json --region r",
        "  and so on for each of 2 rows",
        "fraud-customers: 2 rows, 2 written, 0 failed, 0 left",
        "To look claims up in them:  sagetree cloud launch --stack fraud --region r "
        f"--image {IMAGE} --parameter OnlineTables=customers",
    ]
    assert list(Path().iterdir()) == [Path("customers.csv")]


@pytest.mark.long
def test_failed_rows_are_in_a_file_and_the_exit_code_is_1(account):
    Path("a.csv").write_text("policy_id,age\n1,34\n,1\n")
    Path("b.csv").write_text("policy_id,age\n1,34\n")
    code, said = hears(
        lambda: ingest(account, sources_of(["a.csv", "people=b.csv"]), IngestOptions())
    )
    assert code == 1
    assert "fraud-a: 2 rows, 1 written, 1 failed, 0 left" in said
    assert "fraud-people: 1 rows, 1 written, 0 failed, 0 left" in said
    (file,) = Path().glob("a-failures-*.jsonl")
    assert f"  the reasons, row by row: {file}" in said
    assert json.loads(file.read_text())["reason"] == "policy_id: it is missing"


@pytest.mark.long
def test_what_ends_the_work_is_an_error_that_says_where_to_go_on(account):
    Path("a.csv").write_text("policy_id,age\n1,34\n")
    runtime = account.client("sagemaker-featurestore-runtime").meta.events
    name = "before-call.sagemaker-featurestore-runtime.PutRecord"
    denied = Answers(lambda _: refusal("AccessDeniedException", "no"))
    runtime.register_first(name, denied)

    def work() -> int:
        with pytest.raises(UserError) as raised:
            ingest(account, sources_of(["a.csv"]), IngestOptions())
        assert str(raised.value).startswith(
            "AWS denies sagemaker-featurestore-runtime:PutRecord: no."
        )
        return 0

    _, said = hears(work)
    assert "fraud-a: 1 rows, 0 written, 0 failed, 1 left" in said
    assert said[-1] == "  to go on, once the cause below is corrected: --from 1"


def test_a_row_behind_the_last_one_to_go_on_from_is_an_error(account, desk):
    Path("a.csv").write_text("policy_id,age\n1,34\n2,35\n")
    with pytest.raises(UserError) as raised:
        ingest(account, sources_of(["a.csv"]), IngestOptions(first=3))
    assert str(raised.value) == (
        "table a: row 3, which is to be the first one written, does not exist: the table has "
        "2 rows. Go on from a row that it has, or leave the number out to write all rows"
    )
    assert desk.groups.made == {}


@pytest.mark.long
def test_without_the_stack_the_error_says_how_to_launch_it(account, desk):
    desk.client("cloudformation").delete_stack(StackName="fraud-features")
    Path("a.csv").write_text("policy_id\n1\n")
    with pytest.raises(UserError) as raised:
        ingest(account, sources_of(["a.csv"]), IngestOptions())
    assert str(raised.value) == (
        "the stack fraud-features does not exist beside the stack fraud. Launch it with 'sagetree "
        "cloud "
        f"launch --stack fraud --region r --image {IMAGE} --with features'"
    )


def test_a_dry_run_says_the_calls_and_makes_none():
    dry = Account("fraud", None)
    sources = {"customers": "https://h.example/c.csv?a=1&b=2", "claims": "claims.csv"}
    code, said = hears(lambda: ingest(dry, sources, IngestOptions(secret="arn:s")))
    assert code == 0
    assert said == [
        "+ STORE_ROLE_ARN=$(aws cloudformation describe-stacks --stack-name fraud-features "
        "--query \"Stacks[0].Outputs[?OutputKey=='StoreRoleArn'].OutputValue\" --output text)",
        "+ TOKEN=$(aws secretsmanager get-secret-value --secret-id arn:s --query SecretString "
        "--output text)",
        "+ curl -LO -H \"Authorization: Bearer $TOKEN\" 'https://h.example/c.csv?a=1&b=2'",
        "+ aws sagemaker create-feature-group --feature-group-name fraud-customers --role-arn "
        '"$STORE_ROLE_ARN" --cli-input-json file://customers-group.json',
        "+ aws sagemaker-featurestore-runtime put-record --feature-group-name fraud-customers "
        "--record file://record.json",
        "  and so on for each row",
        "+ aws sagemaker create-feature-group --feature-group-name fraud-claims --role-arn "
        '"$STORE_ROLE_ARN" --cli-input-json file://claims-group.json',
        "+ aws sagemaker-featurestore-runtime put-record --feature-group-name fraud-claims "
        "--record file://record.json",
        "  and so on for each row",
    ]


@pytest.mark.parametrize(
    ("arguments", "sources"),
    [
        (["a/claims.csv"], {"claims": "a/claims.csv"}),
        (["claims=x.csv", "s3://b/c/customers.parquet"],
         {"claims": "x.csv", "customers": "s3://b/c/customers.parquet"}),
        (["https://h/claims.jsonl?day=1"], {"claims": "https://h/claims.jsonl?day=1"}),
        (["claims=https://h/x?day=1"], {"claims": "https://h/x?day=1"}),
    ],
)  # fmt: skip
def test_a_source_has_a_name_or_gets_its_own(arguments, sources):
    assert sources_of(arguments) == sources


def test_a_name_that_is_given_twice_and_rows_of_several_tables_are_errors():
    with pytest.raises(UserError) as raised:
        sources_of(["claims.csv", "claims=b.csv"])
    assert str(raised.value) == (
        "the table 'claims' is named twice. Put its files into one folder, and name that"
    )
    with pytest.raises(UserError) as raised:
        ingest(Account("fraud", None), {"a": "a.csv", "b": "b.csv"}, IngestOptions(first=2))
    assert str(raised.value) == "--from is a row of one table. Name that table alone"


@pytest.mark.parametrize("argument", ["", "customers="])
def test_no_source_is_not_the_folder_that_one_is_in(argument):
    with pytest.raises(UserError) as raised:
        sources_of([argument])
    assert str(raised.value) == (
        f"{argument!r} does not name a source. Name a file, a folder or an address"
    )


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["a=https://one.org/a.csv", "b=https://two.org/b.csv"], "--secret is the token of one "
         "server, and the tables come from one.org, two.org. Ingest the tables of each server by "
         "themselves"),
        (["a.csv", "s3://bucket/b.csv"], (
            "--secret is the token of a server, and no table comes from a server. Leave it out, "
            "or name the table by its address: https://..."
        )),
    ],
)  # fmt: skip
def test_a_token_goes_to_one_server(sources, message):
    with pytest.raises(UserError) as raised:
        ingest(Account("fraud", None), sources_of(sources), IngestOptions("arn:secret"))
    assert str(raised.value) == message
