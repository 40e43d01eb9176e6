"""The chapters of the feature store: customers come from a server, and claims leave them out."""

import csv
import json
from pathlib import Path
from typing import Any

from local_test.cloud.account.actors import PERSON
from local_test.cloud.demo.page import Page
from local_test.cloud.demo.person import Person, Trouble
from local_test.cloud.demo.source import source
from local_test.cloud.desk import Desk

# What a claim may leave out.
ONLINE_TABLES = "customers"

# As many customers are ingested: one record after the other, ten at a time.
CUSTOMERS = 200

# The server's, which only Secrets Manager and the function know.
TOKEN = "a-token-of-the-other-house"  # noqa: S105 - it opens nothing


def secret(desk: Desk) -> str:
    """Put the server's token into Secrets Manager; return the secret's ARN."""
    made = desk.client("secretsmanager").create_secret(Name="customers", SecretString=TOKEN)
    return str(made["ARN"])


def ingested(page: Page, person: Person, folder: Path, arn: str) -> None:
    """Have customers fetched from a server into their feature group, one of them in vain."""
    lines = (folder / "customers.csv").read_text().splitlines()[: CUSTOMERS + 1]
    wrong = lines[1].partition(",")[2]
    table = "\n".join([*lines, f",{wrong}", ""]).encode()
    with page.chapter(
        "Customers from another house",
        "A server gives its customers to whoever has its token, which is in Secrets Manager. The "
        "stack's function fetches them and writes each into a feature group.",
    ):
        with source(table, TOKEN) as address:
            answer = _ask(person, {"source": address, "secret": arn})
        _check(answer["written"] == CUSTOMERS, "not all customers were written", answer)
        page.fact("written", f"{answer['written']} of {answer['rows']} rows to {answer['group']}")
        bucket, _, key = answer["failures"].removeprefix("s3://").partition("/")
        body = person.desk.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        failed = json.loads(body)
        page.fact("kept with its reason", f"{failed['where']}: {failed['reason']}")
        _check(TOKEN not in str(answer) + body.decode(), "the token was shown", answer)


def looked_up(page: Page, person: Person, folder: Path) -> None:
    """Score a claim without its customer's columns, and one of a customer that nobody knows."""
    customer = _first(folder / "customers.csv")
    claim = {name: cell for name, cell in _first(folder / "claims.csv").items() if name != "fraud"}
    own = {name: _number(cell) for name, cell in claim.items()}
    with page.chapter(
        "A claim without its customer",
        "A claim comes with its policy's number and its own columns alone. The function looks up "
        "the customer's in the feature group.",
    ):
        answer = person.score(own)
        _check(answer.status == 200, "the claim was refused", answer)
        whole = person.score({**{n: _number(cell) for n, cell in customer.items()}, **own})
        scores = [said.content["predictions"][0]["score"] for said in (answer, whole)]
        _check(scores[0] == scores[1], "its score differs from that of the whole claim", scores)
        page.fact("score", f"{scores[0]:.4f}, as with all columns")
        unknown = person.score({**own, "policy_id": -1})
        _check(unknown.status == 422, "a customer that nobody knows was guessed", unknown)
        page.fact("of a customer that nobody knows", f"422: {unknown.content['message']}")


def _ask(person: Person, event: dict[str, str]) -> dict[str, Any]:
    function = person.outputs["IngestFunctionName"]
    answer: dict[str, Any] = person.desk.functions.invoke(function, event, PERSON)
    person.desk.backstage.wait(60)
    return answer


def _first(path: Path) -> dict[str, str]:
    with path.open(newline="") as file:
        return next(csv.DictReader(file))


def _number(cell: str) -> object:
    """Return a cell as a claim would have it."""
    try:
        return json.loads(cell)
    except ValueError:
        return cell


def _check(held: object, what: str, known: object) -> None:
    if not held:
        raise Trouble(f"{what}\n{known}")
