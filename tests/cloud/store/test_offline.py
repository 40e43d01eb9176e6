"""What was ingested, in the files that Feature Store writes, is what `prepare` reads again."""

from pathlib import Path

import duckdb
import pytest

from sagetree.cloud.functions import ingest
from sagetree.prepare.cli import main
from tests.cloud.store.conftest import BUCKET

pytestmark = pytest.mark.long

CLAIMS = "policy_id,incident,amount,fraud\n" + "".join(
    f"{n},{'N/A' if n % 7 else 'Theft'},{n * 1.5},{n % 2}\n" for n in range(40)
)
CUSTOMERS = "policy_id,age,code\n" + "".join(
    f"{n},{'' if n % 5 == 0 else 20 + n},0{n}\n" for n in range(40)
)


def test_a_store_that_was_written_twice_is_trained_on_as_the_last_tables(
    desk, clients, settings, tmp_path, monkeypatch
):
    older = CLAIMS.replace("Theft", "Collision")
    for name, texts in (("claims", (older, CLAIMS)), ("customers", (CUSTOMERS,))):
        for text in texts:
            key = f"tables/{name}/{name}.csv"
            clients["s3"].put_object(Bucket=BUCKET, Key=key, Body=text.encode())
            event = {"source": f"s3://{BUCKET}/{key}"}
            answer = ingest.handler(event, clients, settings, 2e9, lambda _: None)
            assert answer["written"] == 40
            desk.records.flush()
    folder = tmp_path / "store" / "opt_ml"
    listed = clients["s3"].list_objects_v2(Bucket=BUCKET, Prefix="store/")["Contents"]
    for entry in listed:
        group = entry["Key"].split("/offline-store/fraud-")[1]
        path = folder / "processing/input" / group.partition("-")[0] / group.partition("/")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        clients["s3"].download_file(BUCKET, entry["Key"], str(path))
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(folder))
    options = ("--key", "policy_id", "--label", "fraud", "--format", "csv", "--split", "1,0,0")
    assert main(options) == 0
    (made,) = (folder / "processing/output/train").glob("*.csv")
    plain = tmp_path / "plain"
    for name, text in (("claims", CLAIMS), ("customers", CUSTOMERS)):
        (plain / "processing/input").mkdir(parents=True, exist_ok=True)
        (plain / "processing/input" / f"{name}.csv").write_text(text)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(plain))
    assert main(options) == 0
    (wanted,) = (plain / "processing/output/train").glob("*.csv")
    assert rows(made) == rows(wanted)


def rows(path: Path) -> list[dict[str, str]]:
    table = duckdb.read_csv(str(path), all_varchar=True)
    found = [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]
    return sorted((dict(sorted(row.items())) for row in found), key=repr)
