"""sagetree cloud upload: each table below its name, and what else lies there."""

from pathlib import Path

import pytest

from sagetree.cloud.account.calls import Account
from sagetree.cloud.commands.upload import tables_of, upload
from sagetree.errors import UserError


@pytest.fixture
def files(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "claims.csv").write_text("policy_id,fraud\n1,0\n")
    people = tmp_path / "2026" / "people"
    people.mkdir(parents=True)
    (people / "a.csv").write_text("policy_id\n1\n")
    (people / "b c.csv").write_text("policy_id\n2\n")
    return tmp_path


def keys(person) -> list[str]:
    listed = person.client("s3").list_objects_v2(Bucket=person.bucket())
    return [entry["Key"] for entry in listed.get("Contents", [])]


def test_files_and_folders_go_below_the_names_of_their_tables(person, files):
    person.make_stack()
    tables = tables_of(["claims.csv", "customers=2026/people"])
    code, said = person.hears(lambda: upload(person.account, tables))
    assert code == 0
    assert keys(person) == [
        "tables/claims/claims.csv", "tables/customers/a.csv", "tables/customers/b c.csv",
    ]  # fmt: skip
    assert said == [
        "+ aws cloudformation describe-stacks --stack-name fraud",
        f"+ aws s3 cp claims.csv s3://{person.bucket()}/tables/claims/claims.csv",
        f"+ aws s3 cp 2026/people/a.csv s3://{person.bucket()}/tables/customers/a.csv",
        f"+ aws s3 cp '2026/people/b c.csv' 's3://{person.bucket()}/tables/customers/b c.csv'",
        "To train on them:  sagetree cloud run --stack fraud",
    ]


def test_the_next_command_names_the_same_region_and_profile(person, files):
    chosen = ("--region", "eu-west-1", "--profile", "mine")
    dry = Account("fraud", None, chosen)
    _, said = person.does(lambda: upload(dry, tables_of(["claims.csv"])))
    assert said == [
        "To train on them:  sagetree cloud run --stack fraud --region eu-west-1 --profile mine"
    ]


def test_what_was_there_before_is_said(person, files):
    person.make_stack()
    person.client("s3").put_object(Bucket=person.bucket(), Key="tables/claim/old.csv", Body=b"x")
    person.client("s3").put_object(Bucket=person.bucket(), Key="runs/x", Body=b"x")
    _, said = person.does(lambda: upload(person.account, tables_of(["claims.csv"])))
    uri = f"s3://{person.bucket()}/tables/claim/old.csv"
    assert said[:2] == [
        f"Note: {uri} was there before and is read too. To remove it:", f"  aws s3 rm {uri}",
    ]  # fmt: skip


def test_a_dry_run_is_a_script_that_can_be_typed(person, files):
    person.make_stack()
    code, said = person.hears(lambda: upload(person.dry, tables_of(["claims.csv"])))
    assert (code, keys(person)) == (0, [])
    assert said[:2] == [
        "+ BUCKET_NAME=$(aws cloudformation describe-stacks --stack-name fraud --query "
        "\"Stacks[0].Outputs[?OutputKey=='BucketName'].OutputValue\" --output text)",
        '+ aws s3 cp claims.csv "s3://$BUCKET_NAME/tables/claims/claims.csv"',
    ]


def test_a_stack_that_is_being_made_has_no_bucket_yet(person, files):
    person.make_stack()
    (stack,) = person.client("cloudformation").describe_stacks(StackName="fraud")["Stacks"]
    begun = stack | {"StackStatus": "CREATE_IN_PROGRESS", "Outputs": []}
    person.answer("cloudformation", "DescribeStacks", [{"Stacks": [begun]}])
    with pytest.raises(UserError) as raised:
        upload(person.account, tables_of(["claims.csv"]))
    assert str(raised.value) == (
        "the stack fraud has no BucketName yet, it is CREATE_IN_PROGRESS. Wait until 'sagetree "
        "cloud status --stack fraud' says that it is complete"
    )


def test_tables_that_cannot_be_meant_are_refused(files):
    def refused(*arguments: str) -> str:
        with pytest.raises(UserError) as raised:
            tables_of(arguments)
        return str(raised.value)

    assert refused("clams.csv") == "clams.csv: the file does not exist. Name a file or a folder"
    assert refused("claims.csv", "claims=2026") == (
        "the table 'claims' is named twice. Put its files into one folder, and name that"
    )
    (files / "empty").mkdir()
    assert refused("empty") == "empty: the folder is empty. Name a folder that has files"
    assert refused("a/b=2026") == (
        "'a/b' cannot be the name of a table. Use letters, digits, _, . and -"
    )


@pytest.mark.parametrize("name", ["claims.csv.gz", "claims.jsonl", "more/README.md"])
def test_what_the_pipeline_cannot_read_is_refused_before_anything_is_sent(files, name):
    (files / "more").mkdir()
    (files / name).write_text("x")
    ending = name.rpartition(".")[2]
    with pytest.raises(UserError) as raised:
        tables_of([name.partition("/")[0]])
    assert str(raised.value) == (
        f"{name}: the pipeline reads CSV and Parquet, not '.{ending}'. "
        "Unpack or convert it to .csv or .parquet"
    )
