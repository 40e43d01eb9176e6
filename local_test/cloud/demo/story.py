"""The story that the demo tells: each chapter does something, checks it and says what came out."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_test.cloud.account.signing import sign
from local_test.cloud.demo import features
from local_test.cloud.demo.inventory import inventory
from local_test.cloud.demo.page import Page
from local_test.cloud.demo.person import ROOT, Person, Trouble, make_tables, stacks_of
from local_test.cloud.demo.speed import compared, post
from local_test.cloud.desk import Desk
from local_test.cloud.privileges import Role, roles

CLAIMS = ROOT / "local_test" / "payloads" / "claims.json"

# No model of the example's data is as good as that.
TOO_MUCH = "0.99"
ENOUGH = "0.7"

# Three times what claims have on average.
ALERT_SCORE = "0.1"

SIBLINGS = ("queue", "watch", "features")

# How often the example's claims stand in the file that is scored.
FILE_CLAIMS = 50

# A claimant's own words, which no log, no endpoint and no object may ever see.
NAME = "Ada Lovelace"


def tell(page: Page, desk: Desk, folder: Path, policies: int) -> list[Role]:
    """Tell the whole story; return the stacks' roles. Raises Trouble where it goes another way."""
    page.title(
        "The solution on AWS, on your desk",
        "Everything below is real but the cloud: the template, the pipeline's definition and the "
        "functions are those that AWS gets, the jobs and the endpoint are containers of the image; "
        "in place of AWS stands moto, on this machine alone. Nothing leaves it, nothing costs.",
    )
    before = inventory(desk)
    secret = features.secret(desk)
    person = _stack(page, desk, secret)
    _tables(page, person, folder, policies)
    features.ingested(page, person, folder, secret)
    _too_weak(page, person)
    _good_enough(page, person)
    _refused(page, person)
    _approved(page, person)
    _scored(page, person)
    features.looked_up(page, person, folder)
    _wrong_claim(page, person)
    _queued(page, person, folder)
    _files(page, person, folder)
    _watched(page, person)
    _second_version(page, person, folder, policies)
    _rolled_back(page, person)
    _speed(page, person)
    granted = roles(desk, stacks_of(desk))
    _cleaned_up(page, person, before)
    _no_more_than_allowed(page, desk, granted)
    return granted


def _check(held: object, what: str, known: object = "") -> None:
    if not held:
        raise Trouble(f"{what}\n{known}".rstrip())


def _stack(page: Page, desk: Desk, secret: str) -> Person:
    with page.chapter(
        "The stacks",
        "cloud/template.yaml becomes a stack, as an upload in the CloudFormation console does. "
        "The only thing it needs to know is where the image is. Beside it there are a queue for "
        "claims, the look for drift and a feature store, as stacks of their own.",
    ):
        person = Person.with_stack(
            desk,
            siblings=SIBLINGS,
            AlertScore=ALERT_SCORE,
            OnlineTables=features.ONLINE_TABLES,
            SourceSecretArn=secret,
        )
        names = ", ".join(stacks_of(desk))
        page.fact("made", f"{person.resources()} resources, all that {names} consist of")
        page.fact("claims are scored at", person.outputs["ScoreUrl"])
    return person


def _tables(page: Page, person: Person, folder: Path, policies: int) -> None:
    with page.chapter(
        "The tables",
        "Claims and customers, one row per policy, go to the stack's bucket. Here they are made "
        "up; about one claim in thirty is a fraud.",
    ):
        make_tables(folder, policies, seed=1)
        person.upload(folder)
        page.fact("uploaded", f"claims.csv and customers.csv, {policies} policies")


def _too_weak(page: Page, person: Person) -> None:
    with page.chapter(
        "A model that is too weak",
        f"The pipeline prepares the tables, trains a model, judges it on rows it has not seen, and "
        f"compares its AUC with the gate. The gate is {TOO_MUCH} this time, more than can be had.",
    ):
        run = person.run(MinimumAuc=TOO_MUCH)
        _check(run.status == "Failed", "a model below the gate passed it", run)
        _check(
            f"is below {TOO_MUCH}" in run.reason,
            "the pipeline failed of something else",
            run.reason,
        )
        page.fact("the pipeline failed, as it should", run.reason)
        page.fact("its steps", ", ".join(run.steps))
        package = person.packages()[0]
        _check(package["ModelApprovalStatus"] == "Rejected", "the weak model is", package)
        page.fact("in the registry", _known_as(package) + ", with its metrics and its report")
        _check(person.alerts(), "no alert for the failed run")
        page.fact("sent to the alert topic", person.alerts()[-1].partition(":")[0])


def _good_enough(page: Page, person: Person) -> None:
    with page.chapter(
        "A model that is good enough", f"The same with the stack's own gate, {ENOUGH}."
    ):
        run = person.run(MinimumAuc=ENOUGH)
        _check(run.status == "Succeeded", "the pipeline failed", run.reason)
        package = person.packages()[0]
        _check(package["ModelApprovalStatus"] == "PendingManualApproval", "it is", package)
        page.fact("in the registry", f"{_known_as(package)}: a person decides")


def _refused(page: Page, person: Person) -> None:
    with page.chapter(
        "No short cut", "Somebody asks for the new model to be deployed before it is approved."
    ):
        said = person.deploy(person.packages()[0]["ModelPackageArn"])
        _check("Refused" in said, "a package that is not approved was deployed", said)
        page.fact("the deploy function", said)


def _approved(page: Page, person: Person) -> None:
    with page.chapter(
        "Approved",
        "Somebody approves it in the registry. The registry tells the event bus, a rule of the "
        "stack calls the deploy function, and that makes model, configuration and endpoint.",
    ):
        person.approve(person.packages()[0]["ModelPackageArn"])
        _served(person, _newest(person))
        page.fact("the endpoint", f"in service with {person.endpoint()['EndpointConfigName']}")
        for delivery in person.desk.bus.deliveries:
            if delivery.error:
                raise Trouble(f"an event came to nothing: {delivery}")


def _served(person: Person, version: int) -> None:
    endpoint = person.endpoint()
    _check(endpoint["EndpointStatus"] == "InService", "the endpoint is", endpoint)
    config = endpoint["EndpointConfigName"]
    _check(f"-{version}-" in config, f"version {version} is not what is served, but", config)


def _newest(person: Person) -> int:
    version: int = person.packages()[0]["ModelPackageVersion"]
    return version


def _known_as(package: Mapping[str, Any]) -> str:
    return f"version {package['ModelPackageVersion']}, {package['ModelApprovalStatus']}"


def _claims() -> list[dict[str, Any]]:
    claims: list[dict[str, Any]] = json.loads(CLAIMS.read_text())
    return [{"policy_id": f"P-{i + 1}", "name": NAME, **claim} for i, claim in enumerate(claims)]


def _scored(page: Page, person: Person) -> None:
    claims = _claims()[:3]
    with page.chapter(
        "Claims are scored",
        f"{len(claims)} claims go to the API over HTTP, signed with the account's keys. Each has a "
        "policy's number and a name: they stay in the function, and the number comes back.",
    ):
        _check(person.score({"claims": claims}, signed=False).status == 403, "unsigned, and let in")
        page.fact("without a signature", "403, as the API is open to nobody")
        answer = person.score({"claims": claims})
        _check(answer.status == 200, "the claims were refused", answer)
        for claim, said in zip(claims, answer.content["predictions"], strict=True):
            _check(said["policy_id"] == claim["policy_id"], "another order", answer)
            page.fact(said["policy_id"], _described(said))


def _described(said: Mapping[str, Any]) -> str:
    reasons = "; ".join(
        reason if isinstance(reason, str) else json.dumps(reason) for reason in said["reasons"][:2]
    )
    return f"score {said['score']:.4f}, called {said['predicted_label']}, because: {reasons}"


def _wrong_claim(page: Page, person: Person) -> None:
    claim = {name: cell for name, cell in _claims()[0].items() if name != "incident_type"}
    with page.chapter("A claim that is wrong", "A claim without its incident_type is not guessed."):
        answer = person.score(claim)
        _check(answer.status == 422, "it was answered", answer)
        page.fact("the API", f"{answer.status}: {answer.content.get('message', answer.content)}")


def _queued(page: Page, person: Person, folder: Path) -> None:
    claims = [*_claims(), _suspicious(person, folder)]
    wrong = {name: cell for name, cell in claims[0].items() if name != "incident_type"}
    with page.chapter(
        "Claims that may wait",
        f"{len(claims)} claims and a wrong one go into the queue, and the queue's function scores "
        f"them in batches. This stack alerts of a score of {ALERT_SCORE} or more.",
    ):
        before = len(person.alerts())
        answer = person.queue({"claims": [*claims, wrong]})
        _check(answer.status == 202, "the queue does not take them", answer)
        alerts = person.alerts()[before:]
        _check(len(alerts) == 1, "there is not one alert, but", alerts)
        page.fact("sent to the alert topic", _alert(alerts[0]))
        _check(person.dead_claims() == 1, "dead letters", person.dead_claims())
        page.fact("a dead letter", "the wrong claim, with the reason; it blocked no other")
        person.queue({"claims": claims})
        _check(len(person.alerts()) == before + 1, "sent twice", person.alerts()[before:])
        page.fact("sent once more", "all scored, and no second alert is sent")


def _suspicious(person: Person, folder: Path) -> dict[str, Any]:
    """Return the claim with the highest score of some that were frauds."""
    texts = [(folder / f"{table}.csv").read_text() for table in ("customers", "claims")]
    first, second = (csv.DictReader(io.StringIO(text)) for text in texts)
    customers = {row["policy_id"]: row for row in first}
    frauds = [customers[c["policy_id"]] | c for c in second if c["fraud"] == "1"][:100]
    names = _claims()[0].keys()
    claims = [{k: v for k, v in claim.items() if k in names and v} for claim in frauds]
    answer = person.score({"claims": [{**_claims()[0], **claim} for claim in claims]})
    _check(answer.status == 200, "known frauds are refused", answer)
    scores = [said["score"] for said in answer.content["predictions"]]
    _check(max(scores) >= float(ALERT_SCORE), "no known fraud scores high", max(scores))
    return {**_claims()[0], **claims[scores.index(max(scores))]}


def _files(page: Page, person: Person, folder: Path) -> None:
    with page.chapter(
        "Files",
        "The example's claims, many times over, are scored by a batch transform job: the command "
        "sends the file, waits for the job, and fetches the scores.",
    ):
        source, target = folder / "batch.csv", folder / "scores"
        claims = _claims()
        names = [name for name in claims[0] if name not in ("policy_id", "name")]
        with source.open("w", newline="") as file:
            writer = csv.DictWriter(file, names, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(claims * FILE_CLAIMS)
        person.batch(source, target)
        scores = (target / "batch.csv.out").read_text().splitlines()
        _check(len(scores) == FILE_CLAIMS * len(claims), "scores", len(scores))
        page.fact("scored", f"{len(scores)} rows, into {target.name}/batch.csv.out")


def _watched(page: Page, person: Person) -> None:
    with page.chapter(
        "What became of claims, and drift",
        "The stack keeps what it scores. It receives the outcomes of some claims, then a job of "
        "the image compares what was scored with the rows that the model was trained on.",
    ):
        claims = _claims()
        odd = [{**c, "policy_id": f"Q-{i}", "total_claim_amount": 10 * c["total_claim_amount"]}
               for i, c in enumerate(claims * 100)]  # fmt: skip
        for begin in range(0, len(odd), 100):
            _check(person.score({"claims": odd[begin : begin + 100]}).status == 200, "not scored")
        noted = [{"policy_id": c["policy_id"], "fraud": i % 2} for i, c in enumerate(odd[:40])]
        answer = person.note({"outcomes": noted})
        _check(answer.status == 200, "the outcomes are refused", answer)
        page.fact("outcomes", f"{answer.content['outcomes']} are kept")
        started = person.look_for_drift()
        _check(started["action"] == "started", "nothing was examined", started)
        alert = person.alerts()[-1]
        found = "drift" in alert and "total_claim_amount" in alert
        _check(found, "no alert for the drift", alert)
        page.fact("sent to the alert topic", alert.partition("\n")[0])


def _alert(text: str) -> str:
    subject, _, message = text.partition(": {")
    claim = json.loads("{" + message)
    return f"{subject}: {claim['policy_id']}, {_described(claim)}"


def _second_version(page: Page, person: Person, folder: Path, policies: int) -> None:
    with page.chapter(
        "A second version",
        "New tables, and a run that may approve what passes the gate: blue/green, the "
        "endpoint changes to the new version while the old one answers.",
    ):
        old = person.endpoint()["EndpointConfigName"]
        make_tables(folder, policies, seed=2)
        person.upload(folder)
        run = person.run(ApprovalStatus="Approved")
        _check(run.status == "Succeeded", "the pipeline failed", run.reason)
        _served(person, _newest(person))
        page.fact("the endpoint", f"{person.endpoint()['EndpointConfigName']} instead of {old}")
        answer = person.score(_claims()[0])
        _check(answer.status == 200, "the new version does not answer", answer)
        page.fact("a claim", f"score {answer.content['predictions'][0]['score']:.4f}")


def _rolled_back(page: Page, person: Person) -> None:
    with page.chapter(
        "A version that is taken back",
        "Somebody registers a model as version 4, approved at once. While it takes over, an alarm "
        "of the endpoint rings. AWS then goes back to the old version, and says no word: the "
        "endpoint is in service. The stack says it.",
    ):
        old = person.endpoint()["EndpointConfigName"]
        person.desk.account.alarmed = 1
        person.register_again(person.packages()[0]["ModelPackageArn"])
        _check(person.endpoint()["EndpointConfigName"] == old, "the bad version is served")
        page.fact("the endpoint", f"still {old}")
        said = [text for text in person.alerts() if "rolled back" in text.lower()]
        _check(said, "no alert for the roll-back", person.alerts())
        page.fact("sent to the alert topic", said[-1])


def _speed(page: Page, person: Person) -> None:
    claim = _claims()[0]
    rows = {name: cell for name, cell in claim.items() if name not in ("policy_id", "name")}
    url, body = person.outputs["ScoreUrl"], json.dumps(claim).encode()
    kind = {"Content-Type": "application/json"}
    output = {
        "X-Amzn-SageMaker-Custom-Attributes": "inference_output=score,predicted_label,reasons"
    }
    address = person.desk.servers.address(person.outputs["EndpointName"])
    with page.chapter(
        "How long an answer takes",
        "One claim at a time, through the API and at the bare container behind the endpoint. The "
        "desk's own part, moto, is in the first.",
    ):
        speeds = compared(
            {
                "API": lambda: post(url, body, sign("POST", url, body, kind)),
                "container": lambda: post(
                    f"{address}/invocations", json.dumps([rows]).encode(), kind | output
                ),
            }
        )
        for name, speed in speeds.items():
            page.fact(name, f"median {speed.p50:.1f} ms, slowest hundredth {speed.p99:.1f} ms")
        api, bare = speeds["API"], speeds["container"]
        page.fact("ratio", f"{api.p50 / bare.p50:.1f} and {api.p99 / bare.p99:.1f}")


def _cleaned_up(page: Page, person: Person, before: Mapping[str, list[str]]) -> None:
    with page.chapter(
        "Cleaned up",
        "The stacks are deleted, those beside the core first. What its parts have made meanwhile, "
        "CloudFormation knows nothing of: the stack's last function removes it first.",
    ):
        there = inventory(person.desk)
        reason = person.delete_stacks()
        _check(not reason, "a stack cannot be deleted", reason)
        left = inventory(person.desk)
        for kind in there:
            stays = set(left[kind]) - set(before[kind])
            _check(not stays, f"{kind} are left", ", ".join(sorted(stays)))
        removed = [f"{kind}: {len(names)}" for kind, names in there.items() if names]
        page.fact("removed", ", ".join(removed))
        page.fact("left", "0")


def _no_more_than_allowed(page: Page, desk: Desk, granted: list[Role]) -> None:
    with page.chapter(
        "Who did what",
        "Each actor has a role of its own. moto lets everybody do everything, so all calls were "
        "noted, and are held against the roles now, action by action, resource by resource.",
    ):
        for role in granted:
            missing = role.missing(desk.actors.calls)
            _check(not missing, f"{role.name} may not do what it did", missing)
            actions = {use.action for use in role.uses(desk.actors.calls)}
            page.fact(role.name, f"{len(actions)} actions, all of them allowed")
