"""The flows of AWS's fraud workshop: the columns of its preprocessed files, and their cells."""

import csv
from pathlib import Path
from string import Template

import pytest

from sagetree.prepare.cli import main
from tests.prepare.flow.flows import flow, put_flow
from tests.prepare.flow.workshop import (
    CLAIMS,
    CLAIMS_AFTER,
    CUSTOMERS,
    CUSTOMERS_AFTER,
    claims_steps,
    customers_steps,
    table,
)
from tests.prepare.tables import Rows, every_row, part, put

CSV = ("--format", "csv", "--split", "1,0,0")
KEY = ("--key", "policy_id")
ROWS = 40


def header(root: Path) -> list[str]:
    return [*part(root, "train")[0]]


def raw_rows(text: str) -> Rows:
    return list(csv.DictReader(text.splitlines()))


def test_claims_become_what_aws_has(root: Path) -> None:
    text = table(CLAIMS, ROWS, reverse=True)
    put(root, "claims.csv", text)
    arguments = put_flow(root, "claims.csv", *claims_steps())
    assert main([*arguments, *KEY, "--label", "fraud", *CSV]) == 0
    assert header(root) == first("fraud", CLAIMS_AFTER)
    for raw, row in zip(raw_rows(text), every_row(root), strict=True):
        assert row == expected_claim(raw)


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


def test_customers_become_what_aws_has(root: Path) -> None:
    """A gender that the state lacks has columns all the same: the steps after it name them."""
    text = table(CUSTOMERS, ROWS)
    put(root, "customers/part.csv", text)
    arguments = put_flow(root, "customers.csv", *customers_steps())
    assert main([*arguments, *KEY, "--label", "customer_age", *CSV]) == 0
    assert header(root) == first("customer_age", CUSTOMERS_AFTER)
    for raw, row in zip(raw_rows(text), every_row(root), strict=True):
        assert row["customer_gender_male"] == str(int(raw["customer_gender"] == "Male"))
        assert row["customer_gender_female"] == str(int(raw["customer_gender"] == "Female"))
        assert row["policy_state_nv"] == str(int(raw["policy_state"] == "NV"))
        assert row["policy_liability"] == str(int(raw["policy_id"]) % 4)
        assert row["customer_education"] == str(int(raw["policy_id"]) % 5)
        assert row["customer_age"] == raw["customer_age"]


def test_both_flows_in_one_job_with_folders_of_flows(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder of flows below the inputs is no table; templates of string.Template are flows."""
    put(root, "claims/claims.csv", table(CLAIMS, ROWS))
    put(root, "customers.csv", table(CUSTOMERS, ROWS))
    text = flow("claims.csv", claims_steps()).replace("$", "$$")
    text = text.replace("s3://bucket/", "s3://${bucket}/")
    assert Template(text).is_valid()
    claims = put(root, "flow/claims_flow_template", text)
    customers = put(root, "flow/customers.flow", flow("customers.csv", customers_steps()))
    flows = ("--flow", str(claims), "--flow", str(customers))
    assert main([*flows, *KEY, "--label", "fraud", *CSV]) == 0
    assert header(root) == first("fraud", [*CLAIMS_AFTER, *CUSTOMERS_AFTER[1:]])
    assert len(every_row(root)) == ROWS
    printed = capsys.readouterr().out
    assert "claims: 33 steps of claims_flow_template, 18 columns to 30\n" in printed
    assert (
        "Warning: claims_flow_template, step 2 (sagemaker.spark.infer_and_cast_type_0.1): 40 "
        "cells of 'vehicle_claim' such as '10.67' are cut to whole numbers\n"
    ) in printed
    assert printed.count("Warning") == 1
