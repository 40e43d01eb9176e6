"""The flows of AWS's fraud workshop: the columns of its preprocessed files, and their cells."""

import csv
import re
from pathlib import Path
from string import Template

import pytest

from sagetree.prepare.cli import main
from tests.prepare.flow.flows import LOWER, flow, pandas, put_flow
from tests.prepare.flow.workshop import (
    CLAIMS,
    CLAIMS_AFTER,
    CUSTOMERS,
    CUSTOMERS_AFTER,
    WORDS,
    claims_steps,
    customers_steps,
    table,
)
from tests.prepare.tables import Rows, every_row, part, put

CSV = ("--format", "csv", "--split", "1,0,0")
ROWS = 40


def raw_rows(text: str) -> Rows:
    return list(csv.DictReader(text.splitlines()))


def test_raw_tables_become_the_columns_of_aws_files(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder of flows below the inputs is not a table; templates of string.Template are flows.

    A gender that the fitted state lacks has a column all the same: later steps name it.
    """
    claims, customers = table(CLAIMS, ROWS, reverse=True), table(CUSTOMERS, ROWS)
    put(root, "claims/part.csv", claims)
    put(root, "customers.csv", customers)
    text = flow("claims.csv", claims_steps()).replace("$", "$$")
    text = text.replace("s3://bucket/", "s3://${bucket}/")
    assert Template(text).is_valid()
    flows = (
        put(root, "flow/claims_flow_template", text),
        put(root, "flow/customers.flow", flow("customers.csv", customers_steps())),
    )
    arguments = [word for path in flows for word in ("--flow", str(path))]
    assert main([*arguments, "--key", "policy_id", "--label", "fraud", *CSV]) == 0
    rows = every_row(root)
    assert [*rows[0]] == first("fraud", [*CLAIMS_AFTER, *CUSTOMERS_AFTER[1:]])
    for row, claim, customer in zip(rows, raw_rows(claims), raw_rows(customers), strict=True):
        assert row == expected_claim(claim) | expected_customer(customer)
    printed = capsys.readouterr().out
    assert "claims: 33 steps of claims_flow_template, 18 columns to 30\n" in printed
    assert "customers: 20 steps of customers.flow, 13 columns to 18\n" in printed
    step = r"claims_flow_template, step 2 \(sagemaker.spark.infer_and_cast_type_0.1\)"
    cut = rf"Warning: {step}, column 'vehicle_claim': in {ROWS} of {ROWS} rows, such as '\d+.67',"
    assert re.search(cut, printed)
    assert printed.count("Warning") == 1


def first(label: str, columns: list[str]) -> list[str]:
    """Return columns in the order of a part: the label, the key, the others as they were."""
    return [label, *(name for name in columns if name != label)]


def expected_claim(raw: dict[str, str]) -> dict[str, str]:
    """Return a claim as Data Wrangler makes it, by hand."""
    made = {name: raw[name] for name in CLAIMS_AFTER if name in raw}
    made |= {name: f"{int(float(raw[name]))}.0" for name in made if "claim" in name}
    made["incident_severity"] = str(["Minor", "Major", "Totaled"].index(raw["incident_severity"]))
    made["police_report_available"] = str(int(raw["police_report_available"] == "Yes"))
    for name in CLAIMS_AFTER[14:]:
        column, _, category = name.rpartition("_")
        word = raw[column].lower()
        word = word if column == "authorities_contacted" else word.replace("/", "").replace("-", "")
        made[name] = str(int(word == category))
    return made


def expected_customer(raw: dict[str, str]) -> dict[str, str]:
    """Return a customer as Data Wrangler makes it, by hand."""
    made = {name: raw[name] for name in CUSTOMERS_AFTER if name in raw}
    for column in ("customer_education", "policy_liability"):
        made[column] = str(WORDS[column].index(raw[column]))
    for name in CUSTOMERS_AFTER[10:]:
        column, _, category = name.rpartition("_")
        made[name] = str(int(raw[column].lower() == category))
    return made


def test_a_flow_and_a_table_of_ones_own(tmp_path: Path) -> None:
    text = "x,fraud\n" + "".join(f"{'aB'[i % 2]},{i % 2}\n" for i in range(20))
    (tmp_path / "t.csv").write_text(text)
    arguments = put_flow(tmp_path, "t.csv", pandas(LOWER))
    out = tmp_path / "out"
    assert (
        main([str(tmp_path / "t.csv"), *arguments, "--label", "fraud", *CSV, "--out", str(out)])
        == 0
    )
    assert {row["x"] for row in part(out, "train")} == {"a", "b"}
