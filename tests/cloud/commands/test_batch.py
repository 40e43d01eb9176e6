"""sagetree cloud batch: files here and in S3, in parts, and jobs that fail."""

import csv
import io
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagetree.cloud.account.batch_files import parts
from sagetree.cloud.columns import ColumnNote, InputColumns, LabelNote
from sagetree.cloud.commands.batch import batch
from sagetree.errors import PlatformError, UserError
from tests.cloud.account import ARN
from tests.cloud.commands.answers import refusal

PACKAGE = f"{ARN}:model-package/fraud/3"
COLUMNS = InputColumns((ColumnNote("a", "number", True), ColumnNote("b", "number", True)),
                  LabelNote("y", ("0", "1")))  # fmt: skip
KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
TYPE = "ml.m5.large"


def put(person, name, value):
    person.client("ssm").put_parameter(
        Name=f"/fraud/{name}", Value=value, Type="String", Overwrite=True
    )


@pytest.fixture(params=[""])
def stack(person, request):
    person.make_stack(KmsKeyArn=request.param)
    for name, value in (("deployed-package", PACKAGE), ("columns", COLUMNS.to_text())):
        put(person, name, value)
    return person


@pytest.fixture
def jobs(stack):
    """Have jobs end, each leaving a file for each of its inputs: the first cell of each row."""
    asked = []

    def create(call):
        request = json.loads(call["body"])
        asked.append(request)
        source = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        bucket, _, prefix = source.removeprefix("s3://").partition("/")
        place = request["TransformOutput"]["S3OutputPath"].removeprefix(f"s3://{bucket}/")
        s3 = stack.client("s3")
        for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
            name = entry["Key"].removeprefix(prefix)
            rows = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().splitlines()
            scores = b"".join(row.partition(b",")[0] + b"\n" for row in rows[1:])
            s3.put_object(Bucket=bucket, Key=f"{place}/{name}.out", Body=scores)
        return {"TransformJobArn": f"{ARN}:transform-job/1"}

    stack.answer_by("sagemaker", "CreateTransformJob", create)
    ended(stack, "InProgress", "InProgress", "Completed")
    return asked


def ended(stack, *statuses, **more):
    described = [{"TransformJobName": "1", "TransformJobStatus": s, **more} for s in statuses]
    stack.answer("sagemaker", "DescribeTransformJob", described)


def test_a_folder_here_is_sent_scored_and_fetched(stack, jobs, tmp_path):
    source, target = tmp_path / "in", tmp_path / "scores"
    (source / "more").mkdir(parents=True)
    (source / "a.csv").write_text("a,b\n1,2\n")
    (source / "more" / "b.csv").write_text("a,b\n3,4\n")
    code, said = stack.does(lambda: batch(stack.account, str(source), str(target), TYPE))
    assert code == 0
    assert sorted(str(p.relative_to(target)) for p in target.rglob("*.out")) == [
        "a.csv.out", "more/b.csv.out"
    ]  # fmt: skip
    (request,) = jobs
    assert request["TransformInput"]["ContentType"] == "text/csv"
    assert (request["MaxPayloadInMB"], request["MaxConcurrentTransforms"]) == (24, 4)
    assert re.fullmatch("fraud-batch-[0-9]{12}", request["TransformJobName"])
    assert said[-1] == f"The scores of 2 files are in {target}, a line for each row"
    assert stack.pauses == [5.0, 5.0]


@pytest.mark.parametrize("stack", ["", KEY], indirect=True)
def test_the_stacks_key_is_the_volumes(request, stack, jobs, tmp_path):
    table = tmp_path / "a.jsonl"
    table.write_text('{"a": 1, "b": 2}\n')
    stack.does(lambda: batch(stack.account, str(table), str(tmp_path / "out"), TYPE))
    key = request.node.callspec.params["stack"]
    assert jobs[0]["TransformResources"] == {
        "InstanceType": TYPE, "InstanceCount": 1, **({"VolumeKmsKeyId": key} if key else {})
    }  # fmt: skip


def test_the_scores_of_a_file_in_parts_are_one_file_in_its_order(stack, jobs, tmp_path):
    table, target = tmp_path / "a.csv", tmp_path / "scores"
    rows = 300
    table.write_text("a,b\n" + "".join(f"{n},{'1' * 90_000}\n" for n in range(rows)))
    target.mkdir()
    (target / "a.csv.out").write_text("of an earlier job\n")
    code, said = stack.does(lambda: batch(stack.account, str(table), str(target), TYPE))
    assert code == 0
    (request,) = jobs
    prefix = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"].split("/", 3)[3]
    sent = stack.client("s3").list_objects_v2(Bucket=stack.bucket(), Prefix=prefix)["Contents"]
    assert len(sent) == 2
    assert (target / "a.csv.out").read_text().split() == [str(n) for n in range(rows)]
    assert said[-1] == f"The scores of 1 file are in {target}, a line for each row"


def test_the_model_is_the_deployed_packages_made_once(stack, jobs, tmp_path):
    table = tmp_path / "a.jsonl"
    table.write_text('{"a": 1, "b": 2}\n')
    for _ in range(2):
        stack.does(lambda: batch(stack.account, str(table), str(tmp_path / "out"), TYPE))
    (model,) = stack.client("sagemaker").list_models()["Models"]
    assert model["ModelName"].startswith("fraud-3-")  # so that the clean function knows it
    assert {request["ModelName"] for request in jobs} == {model["ModelName"]}
    assert jobs[0]["TransformInput"]["ContentType"] == "application/jsonlines"


def test_an_address_in_the_stacks_bucket_is_scored_where_it_is(stack, jobs):
    place = f"s3://{stack.bucket()}/batch/mine"
    stack.client("s3").put_object(Bucket=stack.bucket(), Key="batch/mine/in/a.csv", Body=b"a,b\n")
    code, said = stack.does(lambda: batch(stack.account, f"{place}/in/", f"{place}/out/", TYPE))
    assert code == 0
    assert said[-1] == f"The scores are below {place}/out/, a file for each, a line for each row"
    (request,) = jobs
    source = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    assert (source, request["TransformOutput"]["S3OutputPath"]) == (f"{place}/in/", f"{place}/out")


def test_an_address_is_not_cut_at_the_marks_of_a_web_address(stack, jobs):
    place = f"s3://{stack.bucket()}/batch/mine/a#1?.csv"
    stack.client("s3").put_object(
        Bucket=stack.bucket(), Key="batch/mine/a#1?.csv", Body=b"1" * (25 << 20)
    )
    code, _ = stack.hears(lambda: batch(stack.account, place, f"{place}/out/", TYPE))
    (request,) = jobs
    assert (code, request["MaxPayloadInMB"], request["MaxConcurrentTransforms"]) == (0, 25, 1)


def test_a_job_that_fails_says_why(stack, jobs, tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("a,b\n1,2\n")
    ended(stack, "Failed", FailureReason="ClientError: see the log")
    with pytest.raises(PlatformError) as raised:
        stack.hears(lambda: batch(stack.account, str(table), str(tmp_path / "out"), TYPE))
    job = jobs[0]["TransformJobName"]
    assert str(raised.value) == (
        f"{job}: it is Failed: ClientError: see the log. Its log: aws logs tail "
        f"/aws/sagemaker/TransformJobs --log-stream-name-prefix {job}"
    )


def test_what_cannot_be_scored_is_refused_before_a_job(stack, tmp_path):
    table, other, empty = tmp_path / "a.csv", tmp_path / "b.jsonl", tmp_path / "empty"
    table.write_text("a,b\n1,2\n")
    other.write_text("{}\n")
    empty.mkdir()
    bucket = stack.bucket()
    big = "batch/big.csv"
    stack.answer("s3", "ListObjectsV2", [{"Contents": [{"Key": big, "Size": 2**30}]}, {}])
    where = f"s3://{bucket}/batch/"
    for source, target, said in (
        (tmp_path / "gone", "out", f"{tmp_path}/gone: the file does not exist. Name a file, a "
         "folder, "
         "or an address in S3"),
        (empty, "out", f"{empty}: the folder is empty. Name a file, a folder, or an address in S3"),
        (tmp_path, "out", f"{table} and {other} are of different kinds. Score files of one kind "
         "at a "
         "time"),
        (table, table, f"{table}: it is a file. Name a folder for the scores"),
        ("s3://mine/a.csv", "out", "s3://mine/a.csv: the stack's jobs may not read or write there. "
         f"Name an address below {where}; 'aws s3 cp' copies to and from it"),
        (where, where, (
            f"s3://{bucket}/{big}: it has 1073741824 bytes, and one request may have at most "
            "104857600. Copy it here, and name the copy: it is then sent in parts"
        )),
        (where, where, f"{where}: no file is there. Name a file, or what is above some"),
    ):  # fmt: skip
        with pytest.raises(UserError) as raised:
            batch(stack.account, str(source), str(target), TYPE)
        assert str(raised.value) == said


def test_without_a_model_nothing_is_sent(person, tmp_path):
    person.make_stack()
    for name in ("deployed-package", "columns"):
        put(person, name, "none")
    table = tmp_path / "a.csv"
    table.write_text("a,b\n1,2\n")
    with pytest.raises(UserError) as raised:
        person.hears(lambda: batch(person.account, str(table), str(tmp_path / "out"), TYPE))
    assert str(raised.value) == (
        "no model has been deployed yet. Run 'sagetree cloud approve --stack fraud'"
    )
    assert "Contents" not in person.client("s3").list_objects_v2(Bucket=person.bucket())


ROWS = st.lists(st.tuples(st.text('ab,"\n\r é', max_size=6), st.integers(0, 9)), min_size=1)


def written(rows, header):
    """Rows as CSV: cells quoted where they need it."""
    quoted = ["a,b"] * header + [
        f'"{text.replace(chr(34), chr(34) * 2)}",{number}' for text, number in rows
    ]
    return "".join(f"{row}\n" for row in quoted).encode()


@given(rows=ROWS, header=st.booleans(), size=st.integers(40, 90))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_hold_all_rows_whole_and_each_its_header(tmp_path, rows, header, size):
    path = tmp_path / "a.csv"
    path.write_bytes(written(rows, header))
    found = []
    for part in parts(path, frozenset("ab"), size):
        assert len(part) <= size
        read = list(csv.reader(io.StringIO(part.decode(), newline="")))
        if header:
            assert read.pop(0) == ["a", "b"]
        found += read
    assert found == [[text, str(number)] for text, number in rows]


@pytest.mark.parametrize(
    "header",
    [b"\xef\xbb\xbfb,a\n", b" b , a\n", b"b;a\n", b"b\ta\r\n", b'\xef\xbb\xbf"b","a"\r\n'],
)
def test_each_part_has_the_header_that_the_endpoint_would_know(tmp_path, header):
    """Without it the columns of all parts but the first would be taken by their places."""
    path = tmp_path / "a.csv"
    delimiter = header.strip(b'\xef\xbb\xbf \r\n"ab')[:1]
    rows = [b"%d%b%d\n" % (n, delimiter, n + 1) for n in range(40)]
    path.write_bytes(header + b"".join(rows))
    cut = list(parts(path, frozenset("ab"), 64))
    known = header.removeprefix(b"\xef\xbb\xbf")
    assert len(cut) > 2
    assert all(part.startswith(known) for part in cut)
    assert b"".join(part.removeprefix(known) for part in cut) == b"".join(rows)


def test_an_empty_file_is_refused_before_a_job(stack, tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "b.csv").touch()
    with pytest.raises(UserError) as raised:
        stack.hears(lambda: batch(stack.account, str(tmp_path), str(tmp_path / "out"), TYPE))
    assert str(raised.value) == (f"{tmp_path}/b.csv: the file is empty. Name files that hold rows")


def test_lines_of_json_are_cut_between_lines(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"a": {n}}}\n' for n in range(100)))
    cut = list(parts(path, frozenset("a"), 64))
    assert b"".join(cut) == path.read_bytes()
    assert all(part.endswith(b"\n") and len(part) <= 64 for part in cut)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.csv", ": a row has more than 64 bytes. Close every quote; one request may not have "
         "more"),
        ("b.csv", ", line 1: the line is not CSV: unexpected end of data. Close every quote; write "
         'a quote inside a quoted cell twice ("")'),
        ("a.parquet", (
            ": it has 200 bytes, and one request may have at most 64. Write it as several files, "
            "or as .csv or .jsonl, which the command splits"
        )),
        ("a.txt", ": its suffix is '.txt'. Score files whose names end in .csv, .jsonl, "
         ".parquet"),
    ],
)  # fmt: skip
def test_what_cannot_be_cut_is_an_error(tmp_path, name, said):
    path = tmp_path / name
    begin = b'"' if name == "b.csv" else b"a,b\n1,2\n"
    path.write_bytes(begin + b"x" * (200 - len(begin)))
    with pytest.raises(UserError) as raised:
        list(parts(path, frozenset("ab"), 64))
    assert str(raised.value) == f"{path}{said}"


def test_a_quota_is_said(stack, tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("a,b\n1,2\n")
    stack.answer("sagemaker", "CreateTransformJob", [refusal("ResourceLimitExceeded", "0 of 0")])
    with pytest.raises(UserError, match="a quota of the account is reached: 0 of 0"):
        stack.hears(lambda: batch(stack.account, str(table), str(tmp_path / "out"), TYPE))
