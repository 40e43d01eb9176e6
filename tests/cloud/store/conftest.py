"""An account on the desk with what the feature store's stack makes, and tables to be ingested."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local_test.cloud.account.actors import ACCOUNT, PERSON, REGION
from local_test.cloud.desk import Desk, stand
from sagetree.cloud.names import Settings
from sagetree.cloud.store.groups import StorePlace
from tests.cloud import strict
from tests.cloud.toy_machine import ToyMachine

BUCKET = "fraud-bucket"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/fraud-store"
PLACE = StorePlace("fraud", BUCKET, ROLE, "fraud_features")

ENVIRON = {
    "SAGETREE_STACK": "fraud", "SAGETREE_BUCKET": BUCKET, "SAGETREE_ID_FIELD": "policy_id",
    "SAGETREE_STORE_ROLE_ARN": ROLE, "SAGETREE_STORE_DATABASE": PLACE.database,
    "SAGETREE_TOPIC_ARN": f"arn:aws:sns:{REGION}:{ACCOUNT}:fraud-alerts",
}  # fmt: skip


class Clients(Mapping[str, Any]):
    """Somebody's clients on the desk."""

    def __init__(self, desk: Desk, actor: str = PERSON) -> None:
        self._desk = desk
        self._actor = actor

    def __getitem__(self, service: str) -> Any:
        return self._desk.actors.client(self._actor, service)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@pytest.fixture(scope="module")  # while it stands, moto is the desk's for all of the process
def whole_desk() -> Iterator[Desk]:
    with stand(ToyMachine(), strict.hold) as desk:
        desk.client("s3").create_bucket(Bucket=BUCKET)
        desk.client("glue").create_database(DatabaseInput={"Name": PLACE.database})
        desk.client("sns").create_topic(Name="fraud-alerts")
        yield desk


@pytest.fixture
def desk(whole_desk: Desk) -> Iterator[Desk]:
    yield whole_desk
    whole_desk.backstage.wait(30)
    whole_desk.groups.made.clear()
    glue = whole_desk.client("glue")
    for table in glue.get_tables(DatabaseName=PLACE.database)["TableList"]:
        glue.delete_table(DatabaseName=PLACE.database, Name=table["Name"])


@pytest.fixture
def clients(desk: Desk) -> Clients:
    return Clients(desk)


@pytest.fixture
def settings() -> Settings:
    return Settings.read(ENVIRON)


def written(folder: Path, name: str, text: str) -> Path:
    """Write a file and return it."""
    path = folder / name
    path.write_text(text)
    return path
