"""docs/guide/operations.md: every alarm and every resource of the templates is there."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.validate import ParamValidator

from tests.cloud.strict import faults

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guide" / "operations.md").read_text()
TEMPLATES = sorted((ROOT / "cloud").glob("*.yaml"))


def section(title: str) -> str:
    """Return the guide's text below a heading."""
    return GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def cells(text: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables in a text."""
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("|--"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_every_alarm_is_there_with_what_to_do(template: Path):
    told = {row[0].strip("`"): row[1:] for row in cells(section("Alarms"))}
    text = template.read_text()
    alarms = re.findall(r"AlarmName: !Sub \"?\$\{[\w:]+\}-([a-z0-9-]+)", text)
    assert len(alarms) == text.count("Type: AWS::CloudWatch::Alarm")
    for alarm in alarms:
        meaning, work = told[f"STACK-{alarm}"]
        assert meaning
        assert work


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_it_is_said_what_removes_each_resource(template: Path):
    rows = cells(section("What removes what"))
    removed = {name for row in rows for name in re.findall(r"`([\w:]+::\w+)`", row[0]) if row[1]}
    text = template.read_text().partition("\nResources:\n")[2]
    types = re.findall(r"^(?: {4}|  \w+: \{)Type: ['\"]?([\w:]+)", text, re.MULTILINE)
    assert types
    assert set(types) <= removed


# What each operation makes that the solution calls, as the guide's second table names it; "" for
# what is in a resource, and goes with it, or is not a thing.
MADE = {
    "create_endpoint": "the endpoint, its configs and models",
    "create_endpoint_config": "the endpoint, its configs and models",
    "create_model": "the endpoint, its configs and models",
    "register_scalable_target": "scaling: the target, its policy and two alarms",
    "put_scaling_policy": "scaling: the target, its policy and two alarms",
    "start_pipeline_execution": "executions of the pipeline and their jobs",
    "create_processing_job": "drift jobs, batch jobs",
    "create_transform_job": "drift jobs, batch jobs",
    "put_object": "tables, models, runs, captures, outcomes, files that were scored",
    "upload_fileobj": "tables, models, runs, captures, outcomes, files that were scored",
    "create_feature_group": "feature groups, their tables in Glue, their files",
    "put_record": "feature groups, their tables in Glue, their files",
    "create_stack": "",
    "create_change_set": "",
    "create_bucket": "",  # for a template, and removed by the same command
    "put_item": "",
    "put_parameter": "",
    "send_message": "",
    "send_message_batch": "",
    "start_message_move_task": "",
}


SERVICES = (
    "application-autoscaling", "cloudformation", "dynamodb", "s3", "sagemaker",
    "sagemaker-featurestore-runtime", "sqs", "ssm",
)  # fmt: skip


def test_it_is_said_what_removes_what_is_made_later():
    code = "".join(path.read_text() for path in (ROOT / "src" / "cloud").rglob("*.py"))
    called = set(re.findall(r"\b((?:create|register|put|start|send|upload)_[a-z_]+)\b", code))
    session = botocore.session.get_session()
    operations = {
        xform_name(operation)
        for service in SERVICES
        for operation in session.get_service_model(service).operation_names
    }
    made = called & {*operations, "upload_fileobj"}
    assert {"create_endpoint", "put_scaling_policy", "put_object"} <= made <= MADE.keys()
    told = {row[0]: row[-1] for row in cells(section("What removes what")) if len(row) == 3}
    for operation in made:
        assert MADE[operation] == "" or told[MADE[operation]], operation


def test_a_task_of_ecs_is_as_the_service_takes_it():
    (text,) = re.findall(r"```json\n(.*?)```", section("Without SageMaker"), re.DOTALL)
    task: dict[str, Any] = json.loads(text)
    service = botocore.session.get_session().get_service_model("ecs")
    shape = service.operation_model("RegisterTaskDefinition").input_shape
    assert ParamValidator().validate(task, shape).generate_report() == ""
    assert list(faults(shape, task, "task")) == []
    fetch, serve = task["containerDefinitions"]
    volumes = {volume["name"] for volume in task["volumes"]}
    assert {m["sourceVolume"] for c in (fetch, serve) for m in c["mountPoints"]} == volumes
    assert serve["command"][-1] in fetch["command"][0]
    compile(fetch["command"][0], "fetch", "exec")
    health = re.search(r'HEALTHCHECK .* CMD \["(\w+)"\]', (ROOT / "Dockerfile").read_text())
    assert health
    assert serve["healthCheck"]["command"] == ["CMD", health[1]]


def test_all_that_the_image_installs_has_wheels_for_arm64():
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    packages = {package["name"]: package for package in lock["package"]}
    needed, left = set(), ["sagetree"]
    while left:  # what it needs, and what that needs
        name = left.pop()
        if name in needed:
            continue
        needed.add(name)
        package = packages[name]
        extras = package.get("optional-dependencies", {}) if name == "sagetree" else {}
        told = [*package.get("dependencies", ()), *(d for e in extras.values() for d in e)]
        left += [one["name"] for one in told]
    for name in needed - {"sagetree"}:
        files = [wheel["url"].rpartition("/")[2] for wheel in packages[name].get("wheels", ())]
        linux = [f for f in files if "manylinux" in f]
        if any("x86_64" in file for file in linux):
            assert any("aarch64" in file for file in linux), name
