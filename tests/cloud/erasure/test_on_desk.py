"""One policy is erased out of a stack that has it everywhere, and the others keep theirs."""

import io
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from local_test.cloud.account.actors import PERSON
from local_test.cloud.demo.person import STACK, Person
from local_test.cloud.desk import Desk, stand
from sagetree.cloud.account.calls import Account
from sagetree.cloud.commands.erase import REMAINS, erase
from tests.cloud import strict
from tests.cloud.commands.conftest import hears
from tests.cloud.store.test_stack import deployed
from tests.cloud.toy_machine import ToyMachine

# The record of the first customer is of a time that has not come yet.
CUSTOMERS = """\
policy_id,state,reported,severity,amount,event_time
7,CA,true,1,12.5,2099-01-31T00:00:00Z
8,OR,false,2,70,2026-01-31T00:00:00Z
"""
KEY = "tables/customers/customers.csv"


def objects(desk: Desk, bucket: str) -> dict[str, bytes]:
    """Return every version of every object but models, by its key and version."""
    s3: Any = desk.client("s3")
    return {
        f"{entry['Key']} {entry['VersionId']}": s3.get_object(
            Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"]
        )["Body"].read()
        for entry in s3.list_object_versions(Bucket=bucket)["Versions"]
        if not entry["Key"].startswith("models/")
    }


def policies(key: str, body: bytes) -> set[str]:
    """Return which of the two policies an object names."""
    if ".parquet" in key:
        column = pq.read_table(io.BytesIO(body))["policy_id"].to_pylist()
        return {str(value) for value in column}
    text = body.decode().replace("\\", "")
    written = ('"policy_id": {}', '"policy_id": "{}"', "\n{},")
    return {one for one in ("7", "8") for how in written if how.format(one) in text}


@pytest.mark.long
def test_a_policy_is_erased_everywhere_and_another_keeps_all_of_its_own(tmp_path: Path) -> None:
    with stand(ToyMachine(), strict.hold) as desk:
        person = Person.with_stack(
            desk, siblings=("features",), EndpointKind="lambda", OnlineTables="customers"
        )
        deployed(person, tmp_path)
        bucket = person.outputs["BucketName"]
        # moto's stacks leave it out
        versioning = {"Status": "Enabled"}
        desk.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioning)
        desk.client("s3").put_object(Bucket=bucket, Key=KEY, Body=CUSTOMERS.encode())
        event = {"source": f"s3://{bucket}/{KEY}", "table": "customers"}
        answer = desk.functions.invoke(person.outputs["IngestFunctionName"], event, PERSON)
        assert answer["written"] == 2, answer
        desk.records.flush()
        first, second = ({"policy_id": number, "on": "2024-01-31"} for number in (7, 8))
        for claim in (first, second):
            scored = person.score(claim)
            assert scored.status == 200
            outcome = {"policy_id": claim["policy_id"], "fraud": 1}
            assert person.note(outcome).status == 200
        before = objects(desk, bucket)
        held = {key for key, body in before.items() if "7" in policies(key, body)}
        assert {key.partition("/")[0] for key in held} == {
            "tables", "store", "captured", "outcomes",
        }  # fmt: skip

        account = Account(STACK, desk.actors.session(PERSON))
        code, said = hears(lambda: erase(account, "7", agreed=True))
        assert code == 0, said
        assert any(line.startswith("Erased: 1 records, 4 rows in 4 objects") for line in said), said
        after = objects(desk, bucket)
        assert not [key for key, body in after.items() if "7" in policies(key, body)]
        kept = {key: body for key, body in before.items() if policies(key, body) == {"8"}}
        assert kept.items() <= after.items()
        assert sum("8" in policies(key, body) for key, body in after.items()) == 4
        refused = person.score(first)
        assert (refused.status, refused.content["error"]) == (422, "UnknownRecord")
        assert person.score(second).content["predictions"] == scored.content["predictions"]

        code, said = hears(lambda: erase(account, "7", agreed=True))
        assert code == 0
        rest = [line for line in said if not line.startswith("+ ")]
        assert rest == [
            "Of policy_id '7' there are:", "  no records and no rows", *REMAINS.splitlines(),
        ]  # fmt: skip
